//! Rows that cannot be read, by the suite of all stores.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;

use gatepost::Store;
use gatepost_cluster::Database;
use gatepost_conformance::{Spoilable, unreadable_suite};
use gatepost_postgres::{Options, PostgresStore};

struct Spoiled(Database<'static>);

impl Spoilable for Spoiled {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.0.url(), &Options::default()).expect("a database"))
    }

    fn execute(&self, sql: &str) -> usize {
        let sql = format!("{sql} RETURNING 1").replace("x'", "'\\x");
        self.0.run(&sql).expect("a change").len()
    }

    fn one(&self, sql: &str) -> String {
        self.0.run(&sql.replace("x'", "'\\x")).expect("an answer")[0][0].clone().expect("something")
    }
}

unreadable_suite!(|| Spoiled(cluster::migrated().expect("Postgres on this machine")));
