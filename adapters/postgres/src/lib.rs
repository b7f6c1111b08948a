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
//! # Commits without an answer
//!
//! Where a connection breaks before a commit is answered, the same server is asked what became of the transaction, for up to 5 seconds:
//! then the verb is done, or made again. It is [`OutcomeUnknown`](gatepost::StoreError::OutcomeUnknown) only where that cannot be found out:
//! the server is gone for longer or was started anew, another one took its place, or it is another engine.
//!
//! # Hosts that stop
//!
//! A host that falls silent in the middle of a transaction holds the accounts that it works at, until the server undoes that after
//! [`Options::idle_timeout`], 3 seconds. Verbs about those accounts wait as long. Whoever looks for what is due in all accounts waits for a
//! fifth of a second, and then passes the held ones over (`SKIP LOCKED`, where the [profile](Profile::skip_locked) has it); they are found
//! again the next time.
//!
//! # Not supported
//!
//! - Poolers that share connections between transactions: roles and prepared statements belong to a connection.
//! - Clocks of hosts that differ without bound: rules go by the clock of the host that applies them.
//! - Citus, YugabyteDB and CockroachDB are in the profiles by what their documents say, and are not run by our tests.
//! - Two hosts that claim for the same account side by side: a claim takes the locks of its accounts, as every other verb does, so that nothing
//!   depends on how an engine locks single rows.
//! - Hosts that divide the 64 shards of the outbox among them: each row has its shard, and nobody asks for it yet. Whoever claims goes from
//!   account to account along an index, which keeps every account's share fair, and finds nothing that another host holds.
//! - Tables in parts by day: with thirteen months of them, looking up the rows of a group took twelve times as long.

mod clock;
mod connect;
mod copying;
mod engine;
mod error;
mod fate;
mod group;
mod hints;
mod lists;
mod load;
mod probe;
mod profile;
mod retain;
mod roots;
mod runtime;
mod schema;
mod sealing;
mod sql;
mod store;
mod touch;
mod transaction;
mod value;
mod write;

pub use connect::{Options, PostgresUrl, migrate};
pub use copying::Arriving;
pub use error::OpenError;
pub use profile::{Engine, Profile};
pub use store::PostgresStore;
