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
//!     Account, AccountId, Calendar, Connection, Gateway, Host, Instance, InstanceId, MessageStatus, Plan, Provider, Purpose, Request,
//!     Store, Zone,
//! };
//! use gatepost_memory::{MemoryStore, Sandbox, TestHost};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # async {
//! let host = Arc::new(TestHost::new(7));
//! let now = host.now();
//! let store = Arc::new(MemoryStore::new());
//! let account = Account {
//!     id: AccountId::new(now, &*host),
//!     name: "Harbor Kitchen".parse()?,
//!     plan: Plan::Starter,
//!     calendar: Calendar::new(Zone::utc()),
//!     pause: None,
//!     suspended_at: None,
//!     one_time_codes_pass: true,
//!     supervised: false,
//!     created_at: now,
//! };
//! let instance = Instance {
//!     id: InstanceId::new(now, &*host),
//!     name: "front-desk".parse()?,
//!     provider: Provider::Sandbox,
//!     connection: Connection::Open,
//!     pause: None,
//!     created_at: now,
//! };
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
mod keys;
mod messages;
mod notices;
mod replays;
mod retention;
mod reviews;
mod sandbox;
mod store;
mod suppressions;
mod take;
mod timer;
mod world;

pub use host::TestHost;
pub use sandbox::{InvalidMishap, Ledger, Mishap, Sandbox};
pub use store::MemoryStore;
