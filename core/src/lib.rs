//! Gatepost decides which WhatsApp messages may go out, and delivers what may.
//!
//! Every message passes one guarded path: a pure function, [`decide`], looks at the facts and answers with a [`Decision`] and its
//! reasons. What it allows is committed together with its charge and the record of the decision, and delivered by a [`Worker`] that
//! never sends twice what may have arrived. This crate holds every rule and nothing else: no SQL, no HTTP, no clock, no randomness,
//! no async runtime, no unsafe code. What it needs of the world is three traits: a [`Store`], a [`Transport`] and a [`Host`].
//!
//! # Example
//!
//! The store and the host here are for tests; an app takes `gatepost-sqlite` and `gatepost-system`, and runs the worker in a thread
//! ([`Gateway::run_blocking`]). `examples/embed` is that app.
//!
//! ```
//! use std::sync::Arc;
//!
//! use gatepost::{Account, AccountId, Actor, Answer, Cause, Gateway, Host, Instance, InstanceId, MessageStatus, Plan, Provider, Purpose, Request};
//! use gatepost_memory::{MemoryStore, Sandbox, TestHost};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # futures_executor::block_on(async {
//! let (store, host) = (Arc::new(MemoryStore::new()), Arc::new(TestHost::new(7)));
//! let sandbox = Sandbox::new().with_host(host.clone());
//! let gateway = Gateway::builder(store, host.clone()).transport(Provider::Sandbox, sandbox).build();
//! # let now = host.now();
//! # let account = Account::new(AccountId::new(now, &*host), "Harbor Kitchen".parse()?, Plan::Starter, now);
//! # let kitchen = gateway.account(account.id);
//! # gateway.store().operator().add_account(account).await?;
//! # kitchen.store().add_instance(Instance::new(InstanceId::new(now, &*host), "front-desk".parse()?, Provider::Sandbox, now)).await?;
//! let mut worker = gateway.worker();
//!
//! let phone = "+999501234567".parse()?;
//! let request = Request::text("front-desk", phone, Purpose::Support, "Your table is ready.".parse()?);
//! let mut sent = kitchen.send(request.clone()).await?;
//! worker.turn(host.now()).await?;
//! assert_eq!(sent.settled().await, Some(MessageStatus::Sent));
//!
//! kitchen.suppress(phone.into(), Cause::Keyword, None, Actor::Recipient).await?;
//! assert!(matches!(kitchen.send(request).await?.answer, Answer::Refused { .. }));
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! # The way of a message
//!
//! ```text
//!  Request ──► AccountGateway::send ──► AccountStore::accept, one transaction:
//!                                         Facts ──► decide ──► Block, Throttle ──► Answer::Refused
//!                                                     │ Hold ──► a person: release or refuse
//!                                                     ▼ Allow
//!                                         message, charge, policy event and delivery, together
//!                                                     │
//!  Worker::turn:  claim ◄─────────────────────────────┘
//!                 start     reads pause, connection and suppression again, and writes the attempt
//!                 Transport::send    the first byte leaves here, never before
//!                 finish    sent, failed (known not sent: once more, on a schedule), or unknown (never sent blindly again)
//! ```
//!
//! # The way of what comes in
//!
//! ```text
//!  a provider's post ──► AccountGateway::receive ──► AccountStore::receive: kept as it came, what was told before left out
//!                                                     │
//!  Worker::turn:  heed ◄──────────────────────────────┘   in the order in which it came
//!                 somebody asks to be left alone    suppressed, what waits withdrawn, confirmed once; before all else
//!                 somebody wrote                    the conversation window opens, customers are told
//!                 a message got further             sent, delivered, read; a doubt is closed
//! ```
//!
//! # Map
//!
//! | of | look at |
//! | --- | --- |
//! | who, and what they may | [`Account`], [`Plan`], [`Limits`], [`Instance`], [`ApiKey`], [`Scopes`], [`Keyring`] |
//! | what is asked | [`Request`], [`Content`], [`Phone`], [`DeclaredPurpose`], [`IdempotencyKey`] |
//! | deciding | [`decide`], [`Facts`], [`RuleId`], [`Decision`], [`PolicyEvent`]; [`Suppression`], [`Usage`], [`Rate`], [`Traffic`] |
//! | what a text shows | [`examine()`], [`Findings`], [`Signal`], [`Sender`], [`Model`]; [`Policy`], [`Group`], [`Category`] |
//! | proving the log | [`Sealer`], [`Seal`], [`Head`], [`audit`] with its [`AuditReport`] |
//! | delivering | [`Delivery`], [`Attempt`], [`Outcome`], [`Schedule`], [`Worker`]; [`may_start`] is the last look |
//! | receiving | [`Notification`], [`Inbound`], [`Told`]; [`read_reply`], [`Response`], [`Suspicion`]; [`StatusReport`] |
//! | a person's part | [`Review`], [`Pause`] (which [`rate_pause`] may ask for), [`Suspicion`] |
//! | telling customers | [`Endpoint`], [`Event`], [`Webhooks`], [`AccountEndpoints`], [`Replay`], [`Recovery`] |
//! | phone systems | [`Integration`], [`IntegrationEntry`], [`PhoneSystems`], [`AccountIntegrations`] |
//! | genuine and safe | [`sign`], [`Verifier`], [`EndpointSecrets`]; [`DestinationPolicy`], [`CheckedTarget`] |
//! | the edges | [`Store`] with its three handles, [`Transport`], [`MediaSource`], [`HttpSend`], [`Host`] |
//! | all of it together | [`Gateway`], [`AccountGateway`], [`Sent`] |
//!
//! Longer texts: [architecture](_documentation::architecture), [promises](_documentation::promises),
//! [glossary](_documentation::glossary), [design](_documentation::design).
//!
//! # Features
//!
//! `std` (default): [`Gateway`] and [`Worker`]. Without it the crate is `no_std` with `alloc`, and holds the types, the rules and the
//! traits.
//!
//! `model` (default): the linear model of the content guard, 110 KiB. Without it [`examine()`] works by phrases and links alone.
//!
//! # Not supported yet
//!
//! - Passing on the files that people send to customers' endpoints: they are told the provider's id. A phone system gets links, and a
//!   [`MediaSource`] fetches what is asked for by one.
//! - The Postgres adapter was run on Postgres alone: Citus, YugabyteDB and CockroachDB have profiles made from their documents.
//! - How fast a number of the Cloud API sends is counted by each host for itself.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

/// The longer texts. Their code compiles with the tests.
#[cfg(feature = "std")]
pub mod _documentation {
    #[doc = include_str!("../docs/architecture.md")]
    pub mod architecture {}

    #[doc = include_str!("../docs/design.md")]
    pub mod design {}

    #[doc = include_str!("../docs/glossary.md")]
    pub mod glossary {}

    #[doc = include_str!("../docs/promises.md")]
    pub mod promises {}
}

mod account;
mod api_key;
mod content;
mod delivery;
mod destination;
mod endpoint;
#[cfg(feature = "std")]
mod endpoints;
mod event;
mod examine;
#[cfg(feature = "std")]
mod gateway;
#[cfg(feature = "std")]
mod hands;
mod hex;
mod host;
mod http;
mod id;
mod inbox;
mod instance;
mod integration;
#[cfg(feature = "std")]
mod integrations;
mod keyring;
mod media;
mod message;
#[cfg(feature = "std")]
mod opened;
mod opt_out;
mod outbox;
#[cfg(feature = "std")]
mod phone_systems;
mod policy;
mod purpose;
mod quota;
mod recipient;
mod replay;
mod review;
mod seal;
mod secret;
#[cfg(feature = "std")]
mod senders;
mod signing;
mod spelling;
mod store;
mod suppression;
mod time;
mod traffic;
mod transport;
mod velocity;
#[cfg(feature = "std")]
mod waiters;
#[cfg(feature = "std")]
mod webhook;
#[cfg(feature = "std")]
mod worker;

pub use account::*;
pub use api_key::*;
pub use content::*;
pub use delivery::*;
pub use destination::*;
pub use endpoint::*;
#[cfg(feature = "std")]
pub use endpoints::*;
pub use event::*;
pub use examine::*;
#[cfg(feature = "std")]
pub use gateway::*;
pub use host::*;
pub use http::*;
pub use id::*;
pub use inbox::*;
pub use instance::*;
pub use integration::*;
#[cfg(feature = "std")]
pub use integrations::*;
pub use keyring::*;
pub use media::*;
pub use message::*;
pub use opt_out::*;
pub use outbox::*;
#[cfg(feature = "std")]
pub use phone_systems::*;
pub use policy::*;
pub use purpose::*;
pub use quota::*;
pub use recipient::*;
pub use replay::*;
pub use review::*;
pub use seal::*;
pub use secret::Secret;
pub use signing::*;
pub use store::*;
pub use suppression::*;
pub use time::*;
pub use traffic::*;
pub use transport::*;
pub use velocity::*;
#[cfg(feature = "std")]
pub use webhook::*;
#[cfg(feature = "std")]
pub use worker::*;
