//! Two hosts over one database: what must happen once happens once, whichever of them is asked.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Barrier};
use std::thread;

use futures_executor::block_on;
use gatepost::{Answer, Gateway, IntegrationId, Origin, Page, Phone, PhoneSystem, Purpose, Request, Way};
use gatepost_conformance::fixture::add_account;
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;

const CALLS: usize = 64;

#[test]
fn sixty_four_tellings_of_a_call_at_two_hosts_are_one_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gatepost.db");
    let host = || {
        let store = SqliteStore::open(&path, Options::default()).expect("the database opens");
        Gateway::builder(Arc::new(store), Arc::new(System)).build()
    };
    let (first, second) = (host(), host());
    let account = add_account(&first);
    let barrier = Barrier::new(CALLS);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let tell = |nth: usize| {
            let (gateway, barrier) = (if nth.is_multiple_of(2) { &first } else { &second }, &barrier);
            scope.spawn(move || {
                barrier.wait();
                block_on(gateway.account(account).submit(missed_call(nth))).expect("an answer")
            })
        };
        let threads: Vec<_> = (0..CALLS).map(tell).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let accepted = answers.iter().filter(|answer| matches!(answer, Answer::Accepted(_))).count();
    let repeated = answers.iter().filter(|answer| matches!(answer, Answer::Repeated { .. })).count();
    assert_eq!((accepted, repeated), (1, CALLS - 1));
    for gateway in [&first, &second] {
        let messages = block_on(gateway.account(account).store().messages(gatepost::MessageFilter::default(), Page::first(9)));
        assert_eq!(messages.expect("an answer").len(), 1);
    }
}

/// What each host would say of the call differs, as the clocks of two phone systems may.
fn missed_call(nth: usize) -> Request {
    let phone: Phone = "+999501234567".parse().expect("a number");
    let integration = IntegrationId::from_number(7).expect("an id");
    let text = format!("sorry that we missed your call, {nth}").parse().expect("a text");
    let origin = Origin::ThreeCx(PhoneSystem { integration, way: Way::Webhook, strict_window: false });
    Request { origin, ..Request::text("desk", phone, Purpose::Support, text) }.of_call(integration, "missed_call", phone)
}
