//! Gatepost's embedded store: SQLite with one writer, group commit and full durability.
//!
//! The players: `writer` (one thread; what waits is written in one transaction and answered after its commit), `txn` (the open
//! transaction and what it has read of the accounts), `reader` (threads that read beside it), `accept` and `deliver` (a message's way),
//! `events`, `take` and `notices` (an event's way), `outbox` (what of both is not finished), `schema` (migrations). No SQLite type
//! stands in a public signature.
//!
//! ```
//! use gatepost_sqlite::{Options, SqliteStore};
//!
//! let folder = tempfile::tempdir()?;
//! let store = SqliteStore::open(&folder.path().join("gatepost.db"), Options::default())?;
//! # drop(store);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Durability: `journal_mode=WAL` and `synchronous=FULL`, so that what was answered survives a power cut on a disk that honours
//! sync. One process writes at its best; others (a command line beside the server) may write too, and wait for their turn.

mod accept;
mod accounts;
mod connection;
mod contacts;
mod copying;
mod deliver;
mod deliveries;
mod endpoints;
mod error;
mod events;
mod fresh;
mod inbox;
mod integrations;
mod keys;
mod messages;
mod notices;
mod open;
mod outbox;
#[cfg(test)]
mod plans;
mod policy_events;
mod reader;
mod replays;
mod retention;
mod reviews;
mod rows;
mod schema;
mod seals;
mod store;
mod suppressions;
mod take;
mod traffic;
mod txn;
mod writer;

pub use copying::{Leaving, Moved};
pub use error::OpenError;
pub use store::{Options, SqliteStore};
