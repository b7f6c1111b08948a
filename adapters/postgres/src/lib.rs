//! Gatepost's store for many hosts: Postgres, with row level security as a second fence between accounts.
//!
//! The players, from the server up: `connect` (the URL, TLS, the pool), `runtime` (the threads that speak to the database, so that a caller
//! needs no tokio), `schema` (migrations, roles and the fence), `profile` (what the engine can do), `transaction` (from the fence to a commit
//! whose fate is known), `hints` (how hosts tell each other that something is due). Above them: `group` (many callers' verbs in one
//! transaction), `load` and `write` (the rows that verbs need, and what they changed), `lists` (what is only read), `sql` (the text of all
//! statements), `store` (the verbs themselves), `copying` (all rows, for another store). What a verb does to its rows is in `gatepost-rows`, as for the store in memory.
//!
//! ```no_run
//! use gatepost_postgres::{Options, PostgresStore};
//!
//! let store = PostgresStore::open("postgres://gatepost@db.example/gatepost?sslrootcert=ca.pem", &Options::default())?;
//! # drop(store);
//! # Ok::<(), gatepost_postgres::OpenError>(())
//! ```
//!
//! # Roles
//!
//! Row level security binds nobody who owns the tables, so two roles share the work. The simplest way is one URL whose role owns the
//! database: it migrates, and each connection then steps down to [`Options::app_role`], `gatepost_app`, which is made without a login where
//! the owner may make roles. Stricter is two URLs: the store's own names a role that has a login and nothing else, and
//! [`Options::owner_url`] names the owner, who grants it what it needs; hosts that are started once everything is migrated can do without.
//! A role that would pass the fence by (an owner, a superuser, one with `BYPASSRLS`) is refused.
//!
//! # TLS
//!
//! A server on another machine is spoken to with TLS, its certificate checked for its name: by the authorities that browsers trust, or those
//! of the file that `sslrootcert` names. `sslmode=disable` has to be said; modes that may fall back to plain text are refused.
//!
//! # Durability
//!
//! Each connection sets `synchronous_commit = on`, whatever the database's default is. What was answered survives a crash of the server, if
//! its disk honours sync and `fsync` is on; it survives the loss of the server only where it has a synchronous standby.
//!
//! # Not supported
//!
//! - Poolers that share connections between transactions: roles and prepared statements belong to a connection.
//! - Clocks of hosts that differ without bound: rules go by the clock of the host that applies them.
//! - Citus, YugabyteDB and CockroachDB are in the profiles by what their documents say, and are not run by our tests.
//! - Skipping locked rows: a claim takes the locks of its accounts, as every other verb does, so that it is the same on all engines. Hosts that
//!   claim for the same account at the same moment wait for each other.
//! - Tables in parts by day: with thirteen months of them, looking up the rows of a group took twelve times as long.

mod clock;
mod connect;
mod copying;
mod engine;
mod error;
mod group;
mod hints;
mod lists;
mod load;
mod profile;
mod retain;
mod roots;
mod runtime;
mod schema;
mod sealing;
mod sql;
mod store;
mod transaction;
mod write;

pub use connect::{Options, PostgresUrl, migrate};
pub use copying::Arriving;
pub use error::OpenError;
pub use profile::{Engine, Profile};
pub use store::PostgresStore;
