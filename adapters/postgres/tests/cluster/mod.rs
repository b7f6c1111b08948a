//! Cluster: a migrated database for each test, of the server that all tests of the process share.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "no test needs everything")]

use gatepost_cluster::{Cluster, Database};
use gatepost_postgres::{Options, migrate};
use gatepost_rows::tables::TABLES;

/// A database with its tables, and no rows in them; none, and a line that says so, where the machine has no Postgres. For tests that change
/// no more than rows.
pub(crate) fn migrated() -> Option<Database<'static>> {
    // Accounts come first among the tables, and others refer to them.
    let clean: String = TABLES.iter().rev().map(|table| format!("DELETE FROM {};", table.name)).collect();
    Some(Cluster::shared()?.lend_like("migrated", prepare, &clean).expect("a database"))
}

/// A database with its tables that goes with its handle.
pub(crate) fn fresh() -> Option<Database<'static>> {
    Some(Cluster::shared()?.create_like("migrated", prepare).expect("a database"))
}

/// A database without tables.
pub(crate) fn empty() -> Option<Database<'static>> {
    Some(Cluster::shared()?.create().expect("a database"))
}

fn prepare(url: &str) {
    migrate(url, &Options::default()).expect("an empty database can be migrated");
}
