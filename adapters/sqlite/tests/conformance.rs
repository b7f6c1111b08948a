//! The suite that every store runs, over SQLite files that are closed and opened again. What a case leaves in the file can be read by every
//! other store.

#![allow(clippy::expect_used, clippy::panic, reason = "a home that cannot be made fails its case")]

mod stored;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

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

    fn database(&self) -> PathBuf {
        self.0.path().join("gatepost.db")
    }
}

impl Home for Folder {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.database(), Options::default()).expect("a database in a new folder"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A case that fails has said why.
        if !thread::panicking() {
            stored::assert_same_in_a_world(&stored::rows(&self.database()));
        }
    }
}

store_suite!(Folder::new);
