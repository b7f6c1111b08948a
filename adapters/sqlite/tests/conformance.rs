//! The suite that every store runs, over SQLite files that are closed and opened again.

#![allow(clippy::expect_used, reason = "a home that cannot be made fails its case")]

use std::sync::Arc;

use gatepost::Store;
use gatepost_conformance::{Home, store_suite};
use gatepost_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// A folder of its own for each case.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the database"))
    }
}

impl Home for Folder {
    fn open(&self) -> Arc<dyn Store> {
        let path = self.0.path().join("gatepost.db");
        Arc::new(SqliteStore::open(&path, Options::default()).expect("a database in a new folder"))
    }
}

store_suite!(Folder::new);
