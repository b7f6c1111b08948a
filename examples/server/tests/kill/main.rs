//! Kill -9 under load: whatever the server acknowledged is there afterwards, charged once, sent at most once.
//!
//! The real server runs as a process of its own on a real file ([`server`]). Each round it is killed in the middle of its callers' requests
//! and started again over the same data. What a caller got no answer for is asked again under the same key. At the end the store is
//! opened and counted (promises 1, 2, 4, 5 and 6). Events go to a receiver that keeps a ledger ([`events`]), messages to a stand-in of Meta
//! that keeps another ([`provider`]), and both are counted too.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod events;
mod provider;
#[path = "../receiving/mod.rs"]
mod receiving;
mod server;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{AccountId, AccountStore, Host, MessageFilter, MessageId, MessageStatus, Mode, Outcome, Page, Store};
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;
use server::{Ledger, Server};

const ROUNDS: usize = 20;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_sent_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Arc::new(Ledger::default());
    let mut account = None;
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        account.get_or_insert_with(|| server.account_id());
        if round == 0 {
            server.lift_limits();
        }
        server.kill_in_the_middle(&ledger);
    }
    audit(folder.path(), &account.expect("an account"), &ledger);
}

fn open(data: &Path) -> SqliteStore {
    let database = std::fs::read_dir(data).expect("a folder").filter_map(Result::ok).map(|entry| entry.path());
    let path = database.into_iter().find(|path| path.extension().is_some_and(|end| end == "db")).expect("a database");
    SqliteStore::open(&path, Options::default()).expect("a whole database")
}

fn audit(data: &Path, account: &str, ledger: &Ledger) {
    let store = open(data);
    let account: AccountId = account.parse().expect("an id");
    // After this every lease is over, so that whatever was in flight is in doubt.
    let later = System.now().plus(Duration::from_secs(120));
    while block_on(store.worker().sweep(later, 1_000)).expect("a sweep").more {}

    let rows = store.account(account);
    let messages = all_messages(&*rows);
    let known: HashSet<MessageId> = messages.keys().copied().collect();
    let answered = ledger.answered.lock().expect("no caller panics");
    let acknowledged: HashSet<MessageId> = answered.values().map(|id| id.parse().expect("an id")).collect();
    assert_eq!(acknowledged.len(), answered.len(), "two keys, one message");
    assert_eq!(acknowledged.difference(&known).count(), 0, "acknowledged messages are lost");
    // A key that was never answered may have made a message, but not two.
    assert!(known.len() <= ledger.next_key.load(Ordering::Relaxed), "more messages than keys");
    let usage = block_on(rows.usage(Mode::Live, System.now())).expect("usage").expect("the account");
    assert_eq!(usage.month, known.len() as u64, "messages and charges disagree");
    for (message, status) in messages {
        audit_attempts(&*rows, message, status);
    }
}

fn all_messages(rows: &dyn AccountStore) -> HashMap<MessageId, MessageStatus> {
    let mut messages = HashMap::new();
    let mut page = Page::first(500);
    loop {
        let listed = block_on(rows.messages(MessageFilter::default(), page)).expect("messages");
        let Some(last) = listed.last() else { return messages };
        page.after = Some(last.id);
        messages.extend(listed.iter().map(|message| (message.id, message.status)));
    }
}

/// The provider refused nothing, so that a second attempt would be a second send.
fn audit_attempts(rows: &dyn AccountStore, message: MessageId, status: MessageStatus) {
    let attempts = block_on(rows.attempts(message)).expect("attempts");
    assert!(attempts.len() <= 1, "{message} was sent {} times", attempts.len());
    let outcome = attempts.into_iter().next().map(|attempt| attempt.outcome.expect("every lease is over"));
    match status {
        MessageStatus::Sent => assert!(matches!(outcome, Some(Outcome::Sent { .. })), "{message} is sent without an attempt"),
        MessageStatus::Unknown => assert!(matches!(outcome, Some(Outcome::Unknown { .. })), "{message} is in doubt without an attempt"),
        MessageStatus::Queued => assert_eq!(outcome, None, "{message} waits although it was tried"),
        other => panic!("{message} is {other}"),
    }
}
