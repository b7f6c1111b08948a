//! WhatsApp for Gatepost: sending by Meta's Cloud API and by Evolution API, and reading what both tell us.
//!
//! Two halves. [`CloudApi`](cloud::CloudApi) and [`Evolution`](evolution::Evolution) are [`Transport`](gatepost::Transport)s over the one
//! [`HttpSend`](gatepost::HttpSend) through which everything leaves, and [`MediaSource`](gatepost::MediaSource)s of what people send:
//! the Cloud API knows a file by the [file's id](MediaFile::id), Evolution API by the [message's](Inbound::id). [`cloud::webhook`] and [`evolution::webhook`](evolution::webhook()) read
//! the bytes of a webhook into [`Item`]s, one by one. There is no store and no server here, and no rule about who may be written to.
//!
//! # Example
//!
//! What Meta posts is verified over its raw bytes, and then read. A message without an id cannot be told from its repetition, so it is put
//! aside; the other one counts.
//!
//! ```
//! use gatepost::Secret;
//! use gatepost_whatsapp::cloud::{sign, verify_signature, webhook};
//!
//! let body = br#"{"object":"whatsapp_business_account","entry":[{"id":"9001","changes":[{"field":"messages","value":{
//!     "metadata":{"phone_number_id":"8007"},"contacts":[{"wa_id":"999501234567","user_id":"US.13491208650000000001"}],
//!     "messages":[{"from":"999501234567","id":"wamid.1","timestamp":"1795500000","type":"text","text":{"body":"STOP"}},
//!                 {"from":"999501234567","type":"text","text":{"body":"who am I?"}}]}}]}]}"#;
//! let secrets = [Secret::from("app-secret")];
//! let header = sign(body, &secrets[0]); // Meta's part
//! verify_signature(body, Some(&header), &secrets)?;
//!
//! let batch = webhook(body)?;
//! let stop = &batch.items[0];
//! assert!(stop.is_inbound());
//! assert_eq!(stop.key, "8007:message:wamid.1");
//! assert_eq!(format!("{:?}", stop.people), "Addresses({Phone(+999•••••••67), UserId(US.•••01)})");
//! assert_eq!(batch.malformed().count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What may be relied upon
//!
//! - **Nothing is sent twice blindly.** One send is one request that is not repeatable. Wherever a byte of it may have arrived and no answer
//!   says what became of it, the outcome is unknown: a timeout, a broken connection, a 5xx without an error that can be read, a success
//!   that names no message. Our id goes along with each message and comes back with its statuses, which closes the doubt.
//! - **A code decides, not a status.** What each of Meta's error codes means is a row in one table. A code without a row is kept as a
//!   number and never retried.
//! - **One bad item spoils no other.** Every field of foreign JSON is read for itself; what cannot be read is an item of its own.
//! - **A person is a set of addresses**: phone number, business-scoped user id, that of the parent portfolio, linked id.
//! - **Nothing shows itself.** Tokens, texts, numbers, links and QR codes are in no `Debug` and no error.
//! - **A token goes to its provider only.** The link to a file is followed to Meta's hosts and to no other, and what comes must be what was
//!   announced.
//! - **No way around a refusal.** Nothing goes from the Cloud API to Evolution API by itself: it is another number, another consent.
//!
//! # Not supported
//!
//! - Uploading media, creating templates, groups, calls.
//! - Quoting a message, cards of people, and previews of links: the core's content has no place for them.
//! - Counting in more than one process: pacers and circuits live in memory. Several hosts learn from the provider's refusals, and no circuit
//!   stands longer than [an hour](CIRCUIT_STANDS_AT_MOST) without one.
//!
//! # Features
//!
//! `fake`: a small Graph API and a small Evolution API on 127.0.0.1, for tests and demos.

mod accounts;
mod batch;
mod circuits;
pub mod cloud;
mod errors;
pub mod evolution;
#[cfg(feature = "fake")]
pub mod fake;
mod fields;
mod ids;
mod item;
mod media;
mod observer;
mod once;
mod pacers;
mod percent;
mod place;

pub use accounts::{
    APP_SECRETS_MAX, Accounts, CloudAccount, EvolutionAccount, GRAPH_VERSION, InvalidAccount, MalformedAccount, NoAccount, THROUGHPUT,
};
pub use batch::NotANotification;
pub use circuits::{CIRCUIT_STANDS_AT_MOST, CircuitKey, CircuitReason, CircuitState, Circuits};
pub use errors::{Problem, ProviderError, Retry, Scope};
pub use item::*;
pub use observer::Observer;
