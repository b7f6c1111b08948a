//! Rows that cannot be read or written, by the suite of all stores.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use gatepost::Store;
use gatepost_conformance::{Spoilable, unreadable_suite};
use gatepost_sqlite::{Options, SqliteStore};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

struct Spoiled(TempDir);

impl Spoiled {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn connection(&self) -> Connection {
        Connection::open(self.0.path().join("gatepost.db")).expect("the database")
    }
}

impl Spoilable for Spoiled {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.0.path().join("gatepost.db"), Options::default()).expect("a database"))
    }

    fn execute(&self, sql: &str) -> usize {
        self.connection().execute(sql, []).expect("a change")
    }

    fn alter(&self, sql: &str) {
        self.connection().execute_batch(sql).expect("a change");
    }

    fn one(&self, sql: &str) -> String {
        match self.connection().query_row(sql, [], |row| row.get(0)).expect("an answer") {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        }
    }
}

unreadable_suite!(Spoiled::new);
