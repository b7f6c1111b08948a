//! Cluster: a migrated database for each test, of the server that all tests of the process share.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "no test needs everything")]

use gatepost_cluster::{Cluster, Database};
use gatepost_postgres::{Options, migrate};

/// A database with its tables; none, and a line that says so, where the machine has no Postgres.
pub(crate) fn migrated() -> Option<Database<'static>> {
    let prepare = |url: &str| migrate(url, &Options::default()).expect("an empty database can be migrated");
    Some(Cluster::shared()?.create_like("migrated", prepare).expect("a database"))
}

/// A database without tables.
pub(crate) fn empty() -> Option<Database<'static>> {
    Some(Cluster::shared()?.create().expect("a database"))
}
