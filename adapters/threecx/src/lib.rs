//! 3CX for Gatepost: what phone systems post and are posted, told genuine, read and written.
//!
//! A phone system reaches Gatepost in three ways. It calls the gateway's own webhook ([`webhook`]) when something happened that a customer
//! may be told of, or when a flow wants to answer one. It sends what an agent types through a trunk of the kind "generic SMS" ([`trunk`]), by
//! which it is also posted what customers write. And it asks who calls, and reports calls and chats that are over, by a template for its
//! CRM ([`crm`]). A call becomes a message by a [`Template`].
//!
//! Everything here is pure: bytes and a time go in, values and bytes come out.
//!
//! ```
//! use gatepost::Secret;
//! use gatepost_threecx::webhook::{Body, Gate, Shown, read};
//!
//! # let (now, peer) = ("2026-11-22T12:00:00Z".parse()?, "192.0.2.7".parse()?);
//! let gate = Gate::new(Secret::from("a-secret-of-one-integration"));
//! let body = br#"{"event_type":"missed_call","caller":"+999501234567"}"#;
//! let headers = [("X-WhatsApp-Gateway-3CX-Secret", "a-secret-of-one-integration")];
//! gate.admit(&Shown { headers: &headers, peer, body: Body::Whole(body) }, now)?;
//! let event = read(body)?;
//! assert_eq!(event.phone()?.e164(), "+999501234567");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Not supported
//!
//! - The Call Control API and XAPI of 3CX.
//! - The WhatsApp connector of 3CX itself: there, 3CX is the app at Meta.
//! - Transcriptions, summaries and recordings of calls: the CRM template does not ask for them.

pub mod crm;
mod fields;
mod key;
mod settings;
mod template;
pub mod trunk;
pub mod webhook;

pub use key::{KeyGate, bearer};
pub use settings::{CallTemplate, NETWORKS_MAX, NotPlanned, Outgoing, Plan, Settings, Skipped, Templates};
pub use template::{CallFacts, InvalidTemplate, NotFilled, TEMPLATE_CHARACTERS_MAX, Template, Variable};
