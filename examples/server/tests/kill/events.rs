//! Events: whatever was accepted is told, under one id, and every arrival is an attempt that was written before.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use futures_executor::block_on;
use gatepost::{AccountStore, DeliveryFilter, DeliveryStatus, EventDelivery, EventName, MessageStatus, Page, Store};

use crate::receiving::Receiver;
use crate::server::{Ledger, Server};
use crate::{all_messages, open};

/// Fewer, as each leaves attempts that must first be given up.
const ROUNDS: usize = 10;

#[test]
fn every_event_arrives_and_every_arrival_has_an_attempt() {
    let folder = tempfile::tempdir().expect("a folder");
    // What was on its way when the server was killed is given up sooner.
    std::fs::write(folder.path().join("gatepost.toml"), "[webhooks]\ntimeout_seconds = 1\n").expect("a file");
    let (ledger, receiver) = (Arc::new(Ledger::default()), Receiver::start());
    let mut account = None;
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        account.get_or_insert_with(|| server.account_id());
        if round == 0 {
            server.lift_limits();
            server.add_endpoint(&receiver);
        }
        server.kill_in_the_middle(&ledger);
    }
    Server::start(folder.path()).deliver_all(&receiver);
    audit_events(folder.path(), &account.expect("an account"), &ledger, &receiver);
}

/// Each message has its events, each event arrived, and each arrival is one of the attempts that were written before.
fn audit_events(data: &Path, account: &str, ledger: &Ledger, receiver: &Receiver) {
    let store = open(data);
    let rows = store.account(account.parse().expect("an id"));
    let (messages, deliveries, arrived) = (all_messages(&*rows), all_deliveries(&*rows), receiver.arrived());
    let answered = ledger.answered.lock().expect("no caller panics");
    assert!(answered.values().all(|id| messages.contains_key(&id.parse().expect("an id"))), "acknowledged messages are lost");
    let queued = deliveries.iter().filter(|delivery| delivery.as_name == EventName::MessageQueued).count();
    assert_eq!(queued, messages.len(), "an accepted message was not told");
    let sent = deliveries.iter().filter(|delivery| delivery.as_name == EventName::MessageSent).count();
    assert_eq!(sent, messages.values().filter(|status| **status == MessageStatus::Sent).count(), "a sent message was not told");

    for delivery in &deliveries {
        let id = delivery.event.to_string();
        assert_eq!(delivery.status, DeliveryStatus::Sent, "{id} did not arrive");
        let arrivals = arrived.get(&id).unwrap_or_else(|| panic!("{id} did not arrive"));
        assert!(arrivals.iter().all(|event| event.body == arrivals[0].body), "{id} says different things");
        let attempts = block_on(rows.delivery_attempts(delivery.id)).expect("attempts");
        assert!(attempts.iter().all(|attempt| attempt.outcome.is_some()), "{id} has an open attempt");
        assert!(arrivals.len() <= attempts.len(), "{id} arrived {} times in {} attempts", arrivals.len(), attempts.len());
        assert_eq!(attempts.len(), usize::from(delivery.tries), "{id} has attempts that were not counted");
    }
    assert!(arrived.values().any(|arrivals| arrivals.len() > 1), "no kill came between an arrival and its record");
    let known: HashSet<String> = deliveries.iter().map(|delivery| delivery.event.to_string()).collect();
    assert!(arrived.keys().all(|id| known.contains(id)), "something arrived that nobody knows of");
}

fn all_deliveries(rows: &dyn AccountStore) -> Vec<EventDelivery> {
    let mut deliveries: Vec<EventDelivery> = Vec::new();
    loop {
        let page = Page { after: deliveries.last().map(|last| last.id), limit: 500 };
        let more = block_on(rows.deliveries(DeliveryFilter::default(), page)).expect("deliveries");
        if more.is_empty() {
            return deliveries;
        }
        deliveries.extend(more);
    }
}
