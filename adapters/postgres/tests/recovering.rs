//! Recovering: several hosts go on with the same recoveries, and none ends with its events left out.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;
use std::thread;

use futures_executor::block_on;
use gatepost::{AccountId, EndpointId, Event, EventId, EventName, Gateway, Host, RecoveryId, RecoveryProgress, Store, WorkerStore};
use gatepost_conformance::fixture;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

/// How many recoveries there are, each of one event.
const RECOVERIES: usize = 24;

/// A recovery of an endpoint with an event that waits.
fn begin(gateway: &Gateway, account: AccountId, endpoint: EndpointId) -> RecoveryId {
    let now = System.now();
    let store = gateway.store().account(account);
    let event = Event::new(EventId::new(now, &System), EventName::EndpointTest, None, now, &());
    block_on(store.notify(endpoint, event)).expect("an answer").expect("an endpoint");
    let recovery = fixture::recovery(gateway, endpoint);
    assert!(block_on(store.add_recovery(recovery.clone())).expect("an answer"));
    recovery.id
}

/// Does what there is to do.
fn recover(worker: &dyn WorkerStore) {
    while block_on(worker.recover(None, 9, System.now())).expect("an answer").more {}
}

#[test]
fn a_recovery_that_another_host_has_ended_leaves_none_of_the_next_out() {
    let Some(database) = cluster::migrated() else { return };
    let open = || PostgresStore::open(&database.url(), &Options::default()).expect("it opens");
    let hosts = [(); 4].map(|()| open());
    let gateway = Gateway::builder(Arc::new(hosts[0].clone()), Arc::new(System)).build();
    let account = fixture::add_account(&gateway);
    let begun: Vec<_> =
        (0..RECOVERIES).map(|_| fixture::add_endpoint(&gateway, account)).map(|endpoint| begin(&gateway, account, endpoint)).collect();
    thread::scope(|scope| hosts.iter().for_each(|host| _ = scope.spawn(|| recover(&*host.worker()))));
    // All of them may have found only what another one has ended meanwhile.
    recover(&*hosts[0].worker());
    for recovery in begun {
        let found = block_on(gateway.store().account(account).recovery(recovery)).expect("an answer").expect("a recovery");
        let RecoveryProgress { at, done_at, .. } = found.progress;
        assert_eq!((at.is_some(), done_at.is_some()), (true, true), "its event was looked at");
    }
}
