//! Retention with many accounts and several hosts: one host forgets for all, and looks at nothing twice in a round.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;

use futures_executor::block_on;
use gatepost::{AccountId, Gateway, Host, Retention, Store, Timestamp};
use gatepost_cluster::Database;
use gatepost_conformance::fixture;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

/// More accounts than are looked at in three steps.
const ACCOUNTS: usize = 200;

fn open(database: &Database<'_>) -> PostgresStore {
    PostgresStore::open(&database.url(), &Options::default()).expect("it opens")
}

/// Rows of the log of an account that are ten years old.
fn add_old_inbound(database: &Database<'_>, account: AccountId, count: usize) {
    let hex = |bytes: [u8; 16]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let account = format!("'\\x{}'::bytea", hex(account.to_bytes()));
    let insert = format!(
        "INSERT INTO inbound SELECT {account}, decode(lpad(to_hex(1400000000000 + n), 12, '0') || repeat('a1', 10), 'hex'), {account},
             {account}, NULL, NULL, NULL, 'k', 'other', NULL, n, NULL, NULL, '{{}}' FROM generate_series(1, {count}) AS n"
    );
    database.run(&insert).expect("rows");
}

fn retention() -> Retention {
    let before = System.now().minus(std::time::Duration::from_secs(24 * 3_600));
    Retention { content_before: Timestamp::default(), logs_before: before, raw_before: Timestamp::default(), now: Timestamp::default() }
}

fn retain(store: &PostgresStore, retention: Retention, limit: usize) -> usize {
    block_on(store.worker().retain(retention, limit)).expect("an answer")
}

#[test]
fn what_has_nothing_left_is_not_looked_at_again() {
    let Some(database) = cluster::migrated() else { return };
    let store = open(&database);
    let gateway = Gateway::builder(Arc::new(store.clone()), Arc::new(System)).build();
    let accounts: Vec<AccountId> = (0..ACCOUNTS).map(|_| fixture::add_account(&gateway)).collect();
    add_old_inbound(&database, accounts[ACCOUNTS / 2], 10);
    let retention = retention();
    let steps: Vec<(usize, u64)> = (0..5)
        .map(|_| {
            let before = store.statements();
            (retain(&store, retention, 3), store.statements() - before)
        })
        .collect();
    assert_eq!(steps.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [3, 3, 3, 1, 0]);
    let statements: Vec<u64> = steps.iter().map(|(_, statements)| *statements).collect();
    assert!(statements[1] == statements[2] && statements[1] * 3 < statements[0] + statements[3], "{statements:?}");
    assert!(statements[4] * 4 < statements[1], "{statements:?}");
}

#[test]
fn one_host_forgets_for_all() {
    let Some(database) = cluster::migrated() else { return };
    let [one, other] = [open(&database), open(&database)];
    let gateway = Gateway::builder(Arc::new(one.clone()), Arc::new(System)).build();
    let account = fixture::add_account(&gateway);
    add_old_inbound(&database, account, 5);
    let retention = retention();
    assert_eq!([retain(&one, retention, 3), retain(&other, retention, 3), retain(&one, retention, 3)], [3, 0, 2]);
    add_old_inbound(&database, account, 5);
    assert_eq!((retain(&one, retention, 9), retain(&other, retention, 9)), (0, 0), "the round is done");
    assert_eq!((retain(&other, retention, 9), retain(&one, retention, 9)), (0, 5), "and the next one is its too");
    database.run("UPDATE sealing SET until = 0").expect("its time is over");
    add_old_inbound(&database, account, 5);
    assert_eq!(retain(&other, retention, 9), 5);
}
