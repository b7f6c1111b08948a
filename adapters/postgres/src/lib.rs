//! Gatepost's store for many hosts: Postgres, with row level security as a second fence between accounts.
//!
//! The players: `connect` (the URL, TLS, the pool), `runtime` (the threads that speak to the database), `schema` (migrations, roles and
//! the fence), `profile` (what the engine can do), `transaction` (from the fence to a commit whose fate is known), `hints` (how hosts tell
//! each other that something is due).

mod connect;
mod error;
mod group;
mod hints;
mod lists;
mod load;
mod profile;
mod runtime;
mod schema;
mod sql;
mod store;
mod transaction;
mod whole;
mod write;

pub use connect::{Options, PostgresUrl, migrate};
pub use error::OpenError;
pub use profile::{Engine, Profile};
pub use store::PostgresStore;
