//! Gatepost's readable reference store, the sandbox transport, and the host that tests share.
//!
//! [`MemoryStore`] keeps plain maps behind one mutex: who wants to know what a store must do reads it here. The players: `world`
//! (the rows), `accept` and `deliver` (a message's way), `events`, `take` and `notices` (an event's way), and a file for each other
//! subject. [`Sandbox`] carries messages to nobody; [`TestHost`] is a clock and a die in the hands of a test.
//!
//! One text, sent by hand:
//!
//! ```
//! use std::sync::Arc;
//!
//! use futures_util::FutureExt;
//! use gatepost::{
//!     Account, AccountId, Gateway, Host, Instance, InstanceId, MessageStatus, Plan, Provider, Purpose, Request, Store,
//! };
//! use gatepost_memory::{MemoryStore, Sandbox, TestHost};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # async {
//! let host = Arc::new(TestHost::new(7));
//! let now = host.now();
//! let store = Arc::new(MemoryStore::new());
//! let account = Account::new(AccountId::new(now, &*host), "Harbor Kitchen".parse()?, Plan::Starter, now);
//! let instance = Instance::new(InstanceId::new(now, &*host), "front-desk".parse()?, Provider::Sandbox, now);
//! let id = account.id;
//! store.operator().add_account(account).await?;
//! store.account(id).add_instance(instance).await?;
//!
//! let sandbox = Sandbox::new().with_host(host.clone());
//! let gateway = Gateway::builder(store, host.clone()).transport(Provider::Sandbox, sandbox).build();
//! let mut worker = gateway.worker();
//!
//! let request = Request::text("front-desk", "+999501234567".parse()?, Purpose::Support, "Your table is ready.".parse()?);
//! let mut sent = gateway.account(id).send(request).await?;
//! worker.turn(host.now()).await?;
//! assert_eq!(sent.settled().await, Some(MessageStatus::Sent));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }.now_or_never().ok_or("it waits for nobody")?
//! # }
//! ```

mod accept;
mod accounts;
mod contacts;
mod deliver;
mod endpoints;
mod events;
mod host;
mod inbox;
mod integrations;
mod keys;
mod messages;
mod notices;
mod replays;
mod retention;
mod reviews;
mod sandbox;
mod seals;
mod store;
mod suppressions;
mod take;
mod timer;
mod traffic;
mod world;

pub use host::TestHost;
pub use sandbox::{InvalidMishap, Ledger, Mishap, Sandbox};
pub use store::MemoryStore;
