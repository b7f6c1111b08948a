//! Gatepost decides which WhatsApp messages may go out, and delivers what may.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod account;
mod api_key;
mod delivery;
#[cfg(feature = "std")]
mod gateway;
#[cfg(feature = "std")]
mod hands;
mod host;
mod id;
mod instance;
mod keyring;
mod message;
mod outbox;
mod policy;
mod purpose;
mod quota;
mod recipient;
mod review;
mod store;
mod suppression;
mod time;
mod transport;
mod velocity;
#[cfg(feature = "std")]
mod waiters;
#[cfg(feature = "std")]
mod worker;

pub use account::*;
pub use api_key::*;
pub use delivery::*;
#[cfg(feature = "std")]
pub use gateway::*;
pub use host::*;
pub use id::*;
pub use instance::*;
pub use keyring::*;
pub use message::*;
pub use outbox::*;
pub use policy::*;
pub use purpose::*;
pub use quota::*;
pub use recipient::*;
pub use review::*;
pub use store::*;
pub use suppression::*;
pub use time::*;
pub use transport::*;
pub use velocity::*;
#[cfg(feature = "std")]
pub use worker::*;
