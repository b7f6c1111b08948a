//! Copying: the rows of another store are there all at once or not at all, and no host works here meanwhile.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::time::{Duration, Instant};

use futures_executor::block_on;
use gatepost::{RootPrint, Store, StoreError};
use gatepost_cluster::Database;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_rows::cells::{Cell, Row};
use gatepost_rows::copying::{Sum, Summary};
use gatepost_rows::tables::contacts::ADDRESSES;
use gatepost_rows::tables::keys::ROOTS;

fn open(database: &Database<'_>) -> PostgresStore {
    PostgresStore::open(&database.url(), &Options::default()).expect("it opens")
}

fn note(store: &PostgresStore, roots: &[RootPrint]) -> Result<Vec<RootPrint>, StoreError> {
    block_on(store.operator().note_roots(roots.to_vec()))
}

const ROOT: RootPrint = RootPrint { number: 1, print: [1; 32] };

fn row() -> Vec<Vec<Cell>> {
    vec![vec![Cell::Int(1), Cell::from([1; 32].as_slice())]]
}

fn summary(rows: &[Row]) -> Summary {
    let mut sum = Sum::default();
    rows.iter().for_each(|row| sum.add(row));
    sum.finish()
}

/// What is answered once the server has noticed that a copy has ended.
fn patiently<T>(ask: impl Fn() -> Result<T, StoreError>) -> T {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    }
}

/// How long that may take before it fails.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn a_table_is_read_back_in_one_go_whatever_it_is_found_by() {
    let Some(database) = cluster::migrated() else { return };
    let store = open(&database);
    let copy = block_on(store.begin_copy()).expect("nobody is in the way");
    let texts = ["Ä", "a", "Z", "z", "_", "é"];
    let row = |nth: i64| {
        vec![Cell::from([7; 16].as_slice()), Cell::from(format!("{}{nth}", texts[nth as usize % 6])), Cell::from([1; 16].as_slice())]
    };
    let rows: Vec<Row> = (0..3_000).map(row).collect();
    block_on(copy.put_rows(&ADDRESSES, rows.clone())).expect("rows");
    let before = store.statements();
    assert_eq!(block_on(copy.summary(&ADDRESSES)), Ok(summary(&rows)));
    assert_eq!(store.statements() - before, 2, "the fence, and the table");
}

#[test]
fn what_is_not_committed_never_happened() {
    let Some(database) = cluster::migrated() else { return };
    let store = open(&database);
    let copy = block_on(store.begin_copy()).expect("nobody is in the way");
    assert_eq!(block_on(copy.is_empty()), Ok(true));
    block_on(copy.put_rows(&ROOTS, row())).expect("a row");
    assert_eq!(block_on(copy.summary(&ROOTS)), Ok(summary(&row())), "it is seen where it is compared");
    drop(copy);
    assert_eq!(patiently(|| note(&open(&database), &[])), vec![]);

    let copy = patiently(|| block_on(store.begin_copy()));
    assert_eq!(block_on(copy.is_empty()), Ok(true));
    block_on(copy.put_rows(&ROOTS, row())).expect("a row");
    block_on(copy.commit()).expect("it is whole");
    assert_eq!(note(&open(&database), &[ROOT]), Ok(vec![ROOT]));
}

#[test]
fn no_host_begins_to_work_where_a_copy_is_being_made() {
    let Some(database) = cluster::migrated() else { return };
    let (store, host) = (open(&database), open(&database));
    let copy = block_on(store.begin_copy()).expect("nobody is in the way");
    let expected = "the rows of another database are just being copied to it: wait until that has ended";
    for roots in [&[ROOT][..], &[]] {
        assert_eq!(note(&host, roots), Err(StoreError::Unavailable(expected.to_owned())));
    }
    drop(copy);
    patiently(|| note(&host, &[ROOT]));
    let copy = block_on(store.begin_copy()).expect("nobody is in the way");
    assert_eq!(block_on(copy.is_empty()), Ok(false), "a host that works here has left its roots");
}

#[test]
fn of_two_copies_one_is_made() {
    let Some(database) = cluster::migrated() else { return };
    let store = open(&database);
    let first = block_on(store.begin_copy()).expect("nobody is in the way");
    let refusal = block_on(store.begin_copy()).map(drop);
    assert!(matches!(&refusal, Err(StoreError::Unavailable(text)) if text.starts_with("somebody else copies")), "{refusal:?}");
    block_on(first.put_rows(&ROOTS, row())).expect("a row");
    block_on(first.commit()).expect("it is whole");
    let second = block_on(store.begin_copy()).expect("nobody is in the way");
    assert_eq!(block_on(second.put_rows(&ROOTS, row())), Err(StoreError::Conflict));
    block_on(second.commit()).expect_err("a statement of it failed");
}
