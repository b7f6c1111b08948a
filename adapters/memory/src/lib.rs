//! Gatepost's readable reference store, the sandbox transport, and the host that tests share.
//!
//! [`MemoryStore`] keeps plain maps behind one mutex: who wants to know what a store must do reads it here, and in [`gatepost_rows`], which
//! has what each verb does. [`Sandbox`] carries messages to nobody; [`TestHost`] is a clock and a die in the hands of a test.
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

mod host;
mod sandbox;
mod store;
mod timer;

pub use host::TestHost;
pub use sandbox::{InvalidMishap, Ledger, Mishap, Sandbox};
pub use store::MemoryStore;
