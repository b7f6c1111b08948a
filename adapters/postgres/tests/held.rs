//! Held: a host that stops in the middle of its work holds up nobody but the accounts that it works at.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Scope;
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{
    AccountChange, AccountId, Actor, Claim, ContactId, Decider, Decision, DeliveryId, Fact, Facts, Findings, Gateway, Host, InstanceId,
    MessageId, Pause, Policy, Purpose, Request, Store, Subject, Submission, Timestamp, decide,
};
use gatepost_cluster::Database;
use gatepost_conformance::fixture;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

/// Decides nothing before it is let go.
struct Stopped {
    has_begun: Mutex<Sender<()>>,
    let_go: Mutex<Receiver<()>>,
}

impl Decider for Stopped {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        // It may decide more than once: whoever listened may be gone by then.
        let _ = self.has_begun.lock().expect("a lock").send(());
        let _ = self.let_go.lock().expect("a lock").recv();
        decide(Policy::usual(), facts, subject, now)
    }

    fn policy(&self) -> &Policy {
        Policy::usual()
    }
}

fn claimed(store: &PostgresStore) -> Vec<AccountId> {
    let now = System.now();
    let claim = Claim { limit: 8, per_account: 8, after: None, lease_until: now.plus(Duration::from_secs(30)), now };
    let mut claimed: Vec<_> =
        block_on(store.worker().claim(claim)).expect("an answer").claimed.into_iter().map(|claimed| claimed.account).collect();
    claimed.sort();
    claimed
}

fn send(gateway: &Gateway, account: AccountId) {
    let text = "Your table is ready.".parse().expect("a text");
    let request = Request::text("desk", "+999501234567".parse().expect("a phone number"), Purpose::Transactional, text);
    block_on(gateway.account(account).send(request)).expect("an answer");
}

/// A message that is decided about when `stopped` is let go.
async fn accept_slowly(store: PostgresStore, account: AccountId, instance: InstanceId, stopped: Arc<Stopped>) {
    let now = System.now();
    let text = "Your table is ready.".parse().expect("a text");
    let request = Request::text(instance, "+999501234567".parse().expect("a phone number"), Purpose::Transactional, text);
    let submission = Submission {
        message: MessageId::new(now, &System),
        delivery: DeliveryId::new(now, &System),
        contact: ContactId::new(now, &System),
        fingerprint: None,
        findings: Fact::Known(Findings::default()),
        text_print: None,
        request,
        now,
        at_once: None,
    };
    store.account(account).accept(vec![submission], stopped).await.expect("an answer");
}

/// Hosts that lose nothing while they stand still.
fn two_hosts(database: &Database<'_>) -> [PostgresStore; 2] {
    let patient = Options { idle_timeout: Duration::from_secs(300), ..Options::default() };
    [(); 2].map(|()| PostgresStore::open(&database.url(), &patient).expect("it opens"))
}

/// Has a host hold an account until what this returns is dropped.
fn hold<'scope>(scope: &'scope Scope<'scope, '_>, host: PostgresStore, account: AccountId) -> Sender<()> {
    let instance = block_on(host.account(account).instances()).expect("an answer").first().expect("an instance").id;
    let ((begun, has_begun), (go, let_go)) = (channel(), channel());
    let stopped = Arc::new(Stopped { has_begun: Mutex::new(begun), let_go: Mutex::new(let_go) });
    scope.spawn(move || block_on(accept_slowly(host, account, instance, stopped)));
    has_begun.recv().expect("it holds the account");
    go
}

/// Whether somebody waits for a lock in the database.
fn somebody_waits(database: &Database<'_>) -> bool {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    database.run(waiting).expect("an answer")[0][0].as_deref() != Some("0")
}

#[test]
fn who_writes_waits_for_an_account_that_another_host_holds_whatever_the_database_says() {
    let Some(database) = cluster::fresh() else { return };
    database.run(&format!("ALTER DATABASE {} SET lock_timeout = '1ms'", database.name())).expect("a setting");
    let [host, other] = two_hosts(&database);
    let gateway = Gateway::builder(Arc::new(host.clone()), Arc::new(System)).build();
    let held = fixture::add_account(&gateway);
    std::thread::scope(|scope| {
        let go = hold(scope, other, held);
        let paused = scope.spawn(|| {
            let pause = Some(Some(Pause::by(Actor::App, None, System.now())));
            block_on(host.operator().change_account(held, AccountChange { pause, ..AccountChange::default() }))
        });
        while !paused.is_finished() && !somebody_waits(&database) {}
        drop(go);
        assert!(paused.join().expect("no panic").expect("an answer").is_some_and(|account| account.pause.is_some()));
    });
}

#[test]
fn what_is_due_elsewhere_is_claimed_past_an_account_that_another_host_holds() {
    let Some(database) = cluster::migrated() else { return };
    let [host, other] = two_hosts(&database);
    let gateway = Gateway::builder(Arc::new(host.clone()), Arc::new(System)).build();
    let accounts = [(); 3].map(|()| fixture::add_account(&gateway));
    accounts.iter().for_each(|account| send(&gateway, *account));
    let [first, held, last] = accounts;
    std::thread::scope(|scope| {
        let go = hold(scope, other, held);
        assert_eq!(claimed(&host), [first, last]);
        drop(go);
    });
    assert_eq!(claimed(&host), [held, held]);
}
