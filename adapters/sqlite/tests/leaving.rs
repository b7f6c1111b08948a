//! Leaving: a database that moves is nobody else's meanwhile, and nobody's afterwards.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use gatepost::{StoreError, Timestamp};
use gatepost_rows::tables::accounts::ACCOUNTS;
use gatepost_rows::tables::inbound::NOTIFICATIONS;
use gatepost_sqlite::{Leaving, Moved, OpenError, Options, SqliteStore};

fn made() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gatepost.db");
    drop(open(&path).expect("a database"));
    (folder, path)
}

fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, Options::default())
}

#[test]
fn a_database_that_somebody_has_open_is_not_held() {
    let (_folder, path) = made();
    let idle = open(&path).expect("a store that does nothing");
    assert!(matches!(Leaving::open(&path), Err(OpenError::InUse)));
    drop(idle);
    Leaving::open(&path).map(drop).expect("nobody has it open");
}

#[test]
fn a_database_that_is_held_is_opened_by_nobody() {
    let (_folder, path) = made();
    let held = Leaving::open(&path).expect("nobody has it open");
    open(&path).map(drop).expect_err("it is held");
    let rows = held.rows(&ACCOUNTS, 1, |_| Ok::<(), StoreError>(()));
    assert_eq!(rows, Ok(()));
    drop(held);
    open(&path).map(drop).expect("it is free again");
}

#[test]
fn few_large_rows_are_handed_over_at_once() {
    let (_folder, path) = made();
    let insert = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 7)
        INSERT INTO notifications SELECT zeroblob(16), CAST(printf('%016d', i) AS BLOB), zeroblob(16), i, 1, 0, 0, zeroblob(4194304) FROM n";
    rusqlite::Connection::open(&path).expect("the file").execute(insert, []).expect("rows");
    let held = Leaving::open(&path).expect("nobody has it open");
    let mut batches = Vec::new();
    let taken = held.rows(&NOTIFICATIONS, 1_000, |rows| {
        batches.push(rows.len());
        Ok::<(), StoreError>(())
    });
    assert_eq!((taken, batches), (Ok(()), vec![2, 2, 2, 1]));
}

#[test]
fn a_database_that_has_moved_says_where_until_somebody_calls_it_back() {
    let (_folder, path) = made();
    let moved = Moved { to: String::from("postgres://gate@db.example/post"), at: Timestamp::from_millis(1_795_348_800_000) };
    let held = Leaving::open(&path).expect("nobody has it open");
    held.mark_moved("postgres://another", Timestamp::default()).expect("a mark");
    held.mark_moved(&moved.to, moved.at).expect("a mark");
    drop(held);

    let refusal = open(&path).map(drop).expect_err("it has moved");
    assert_eq!(refusal.to_string(), "its rows were copied to postgres://gate@db.example/post at 2026-11-22T12:00:00Z");

    let held = Leaving::open(&path).expect("nobody has it open");
    assert_eq!(held.unmark_moved(), Ok(Some(moved)));
    assert_eq!(held.unmark_moved(), Ok(None));
    drop(held);
    open(&path).map(drop).expect("it is called back");
}
