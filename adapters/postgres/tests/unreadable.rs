//! Rows that cannot be read or written, by the suite of all stores.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;

use gatepost::Store;
use gatepost_cluster::{Cluster, Database};
use gatepost_conformance::{SpoilHarness, Spoilable, unreadable_suite};
use gatepost_postgres::{Options, PostgresStore};

/// A statement with its bytes as Postgres writes them.
fn in_postgres(sql: &str) -> String {
    sql.replace("x'", "'\\x")
}

struct Spoiled(Database<'static>);

impl Spoilable for Spoiled {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.0.url(), &Options::default()).expect("a database"))
    }

    fn execute(&self, sql: &str) -> usize {
        self.0.run(&in_postgres(&format!("{sql} RETURNING 1"))).expect("a change").len()
    }

    fn alter(&self, sql: &str) {
        self.0.run(&in_postgres(sql)).expect("a change");
    }

    fn one(&self, sql: &str) -> String {
        self.0.run(&in_postgres(sql)).expect("an answer")[0][0].clone().expect("something")
    }
}

struct Places;

impl SpoilHarness for Places {
    fn open(&self) -> Box<dyn Spoilable> {
        Box::new(Spoiled(cluster::migrated().expect("Postgres on this machine")))
    }

    fn is_here(&self) -> bool {
        Cluster::shared().is_some()
    }
}

unreadable_suite!(Places);
