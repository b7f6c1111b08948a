//! Rows that cannot be read: what fails because of them, and what does not.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{
    Account, AccountId, Answer, Claim, ClaimAnswer, Finish, Gateway, Instance, InstanceId, Lease, MessageId, MessageStatus, Outcome, Plan,
    Provider, Purpose, Request, StartAnswer, Started, StoreError, Swept, Timestamp,
};
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    gateway: Gateway,
    accounts: [AccountId; 2],
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("gatepost.db"), Options::default()).expect("a database");
        let gateway = Gateway::builder(Arc::new(store), Arc::new(System)).build();
        let accounts = [(); 2].map(|()| add_account(&gateway));
        Self { folder, gateway, accounts }
    }

    fn send(&self, account: AccountId) -> MessageId {
        let phone = "+999501234567".parse().expect("a phone number");
        let request = Request::text("desk", phone, Purpose::Support, "hi".parse().expect("a text"));
        match block_on(self.gateway.account(account).submit(request)).expect("an answer") {
            Answer::Accepted(accepted) => accepted.message,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// Changes a row behind the store's back.
    fn corrupt(&self, sql: &str, id: [u8; 16]) {
        let connection = rusqlite::Connection::open(self.folder.path().join("gatepost.db")).expect("the database");
        assert_eq!(connection.execute(sql, [id]).expect("a change"), 1);
    }

    fn now(&self) -> Timestamp {
        self.gateway.host().now()
    }

    fn claim(&self) -> ClaimAnswer {
        let now = self.now();
        let claim = Claim { limit: 9, per_account: 9, after: None, lease_until: now.plus(Duration::from_secs(30)), now };
        block_on(self.gateway.store().worker().claim(claim)).expect("a claim")
    }

    fn start(&self, claimed: &ClaimAnswer) -> Vec<StartAnswer> {
        let lease = Lease::new(self.now(), Duration::from_secs(15));
        block_on(self.gateway.store().worker().start(claimed.claimed.clone(), lease, self.now())).expect("starts")
    }

    fn finish(&self, started: &[Started]) -> Vec<Option<MessageStatus>> {
        let outcome = Outcome::Unknown { class: gatepost::ErrorClass::Timeout };
        let finish = |started: &Started| Finish {
            claimed: started.claimed,
            attempt: started.attempt,
            outcome: outcome.clone(),
            report: None,
            jitter: 0,
            now: self.now(),
        };
        let finished = block_on(self.gateway.store().worker().finish(started.iter().map(finish).collect())).expect("finishes");
        finished.iter().map(|finished| finished.settled().map(|settled| settled.status)).collect()
    }

    fn sweep(&self, after: Duration) -> Swept {
        block_on(self.gateway.store().worker().sweep(self.now().plus(after), 9)).expect("a sweep")
    }

    fn status(&self, account: AccountId, message: MessageId) -> MessageStatus {
        block_on(self.gateway.store().account(account).message(message)).expect("an answer").expect("a message").status
    }
}

fn add_account(gateway: &Gateway) -> AccountId {
    let host = gateway.host();
    let now = host.now();
    let account = Account::new(AccountId::new(now, &**host), "Acme".parse().expect("a name"), Plan::Starter, now);
    let instance = Instance::new(InstanceId::new(now, &**host), "desk".parse().expect("a name"), Provider::Sandbox, now);
    let id = account.id;
    block_on(gateway.store().operator().add_account(account)).expect("an account");
    assert!(block_on(gateway.store().account(id).add_instance(instance)).expect("an instance"));
    id
}

fn messages(starts: &[StartAnswer]) -> Vec<Option<MessageId>> {
    let message = |start: &StartAnswer| match start {
        StartAnswer::Started(started) => Some(started.parcel.message),
        _ => None,
    };
    starts.iter().map(message).collect()
}

const NOW: Duration = Duration::ZERO;
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_claim_parks_what_it_cannot_read_and_takes_the_rest() {
    let scene = Scene::new();
    let [account, _] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(account)];
    scene.corrupt("UPDATE outbox SET fence = -1 WHERE item = ?1", bad.to_bytes());
    let claimed = scene.claim();
    assert_eq!(messages(&scene.start(&claimed)), [Some(good)]);
    assert_eq!([scene.status(account, bad), scene.status(account, good)], [MessageStatus::Unknown, MessageStatus::Sending]);
    assert_eq!([scene.sweep(NOW).parked, scene.sweep(NOW).parked], [1, 0]);
    assert!(scene.claim().claimed.is_empty());
    assert_eq!(block_on(scene.gateway.store().account(account).resolve(bad, true, scene.now())), Ok(None));
}

#[test]
fn a_start_parks_what_it_cannot_read_and_starts_the_rest() {
    let scene = Scene::new();
    let [account, _] = scene.accounts;
    let [first, bad, last] = [scene.send(account), scene.send(account), scene.send(account)];
    scene.corrupt("UPDATE messages SET content = 'junk' WHERE id = ?1", bad.to_bytes());
    let mut claimed = scene.claim();
    claimed.claimed.sort_by_key(|claimed| claimed.delivery);
    let starts = scene.start(&claimed);
    assert_eq!(messages(&starts), [Some(first), None, Some(last)]);
    assert_eq!(starts.get(1), Some(&StartAnswer::Stale));
    assert_eq!(scene.sweep(MINUTE).parked, 1);
    assert!(scene.claim().claimed.is_empty());
}

#[test]
fn a_finish_parks_what_it_cannot_read_and_records_the_rest() {
    let scene = Scene::new();
    let [account, _] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(account)];
    let mut starts = scene.start(&scene.claim());
    starts.sort_by_key(|start| messages(std::slice::from_ref(start)));
    let started: Vec<Started> =
        starts.into_iter().filter_map(|start| if let StartAnswer::Started(started) = start { Some(*started) } else { None }).collect();
    scene.corrupt("UPDATE outbox SET tries = -1 WHERE item = ?1", bad.to_bytes());
    assert_eq!(scene.finish(&started), [None, Some(MessageStatus::Unknown)]);
    assert_eq!((scene.sweep(NOW).parked, scene.status(account, good)), (1, MessageStatus::Unknown));
}

#[test]
fn a_sweep_parks_what_it_cannot_read_and_closes_the_rest() {
    let scene = Scene::new();
    let [account, other] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(other)];
    scene.start(&scene.claim());
    scene.corrupt("UPDATE outbox SET state = 9 WHERE item = ?1", bad.to_bytes());
    let swept = scene.sweep(MINUTE);
    let settled: Vec<_> = swept.settled.iter().map(|settled| (settled.message, settled.status)).collect();
    assert_eq!((settled, swept.parked), (vec![(good, MessageStatus::Unknown)], 1));
    assert_eq!(scene.sweep(MINUTE), Swept::default());
}

#[test]
fn an_account_that_cannot_be_read_keeps_nobody_else_waiting() {
    let scene = Scene::new();
    let [bad, good] = scene.accounts;
    let [_, message] = [scene.send(bad), scene.send(good)];
    scene.corrupt("UPDATE accounts SET plan = 'junk' || plan WHERE id = ?1", bad.to_bytes());
    let claimed = scene.claim();
    assert_eq!(messages(&scene.start(&claimed)), [Some(message)]);
    assert!(matches!(block_on(scene.gateway.store().account(bad).account()), Err(StoreError::Corrupt(_))));
    // Its message waits until the account is mended.
    scene.corrupt("UPDATE accounts SET plan = substr(plan, 5) WHERE id = ?1", bad.to_bytes());
    assert_eq!(scene.claim().claimed.len(), 1);
}

#[test]
fn an_ordered_message_does_not_wait_for_a_parked_one() {
    let scene = Scene::new();
    let [account, _] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(account)];
    scene.corrupt("UPDATE outbox SET order_key = 7, fence = -1 WHERE item = ?1", bad.to_bytes());
    scene.corrupt("UPDATE outbox SET order_key = 7 WHERE item = ?1", good.to_bytes());
    assert!(scene.claim().claimed.is_empty());
    assert_eq!(messages(&scene.start(&scene.claim())), [Some(good)]);
}
