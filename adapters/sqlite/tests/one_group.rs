//! What is written and read again without the database in between: events taken in the group in which they happen, and attempts that the
//! store knows because it opened them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::join3;
use gatepost::{
    AccountId, AccountStore, Actor, Answer, Attempt, Claim, DeliveryFilter, DeliveryStatus, EndpointChange, EndpointId, EventDelivery,
    EventName, Finish, Finished, Gateway, Lease, MessageId, MessageStatus, Outcome, Page, Pause, Purpose, Rate, Report, Request,
    StartAnswer, Started, StartedNotice, Store, Take, TakeAnswer, Timestamp,
};
use gatepost_conformance::fixture::{add_account, add_endpoint};
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;
use tempfile::TempDir;

const SENT: Outcome = Outcome::Sent { external_id: None };
const TIMEOUT: Duration = Duration::from_secs(15);

/// An account with an instance, and with an endpoint that listens to what was sent.
struct Scene {
    folder: TempDir,
    gateway: Gateway,
    account: AccountId,
    endpoint: EndpointId,
}

impl Scene {
    fn new(change: EndpointChange) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let gateway = Gateway::builder(open(&folder.path().join("gatepost.db")), Arc::new(System)).build();
        let account = add_account(&gateway);
        let endpoint = add_endpoint(&gateway, account);
        let scene = Self { folder, gateway, account, endpoint };
        let filter = gatepost::EventFilter::new(["message.sent"]).expect("a filter");
        let change = EndpointChange { filter: Some(filter), ..change };
        assert!(block_on(scene.store().change_endpoint(endpoint, change)).expect("an answer").is_some());
        scene
    }

    /// Another process with the same database.
    fn another(&self) -> Arc<dyn Store> {
        open(&self.path())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gatepost.db")
    }

    fn now(&self) -> Timestamp {
        self.gateway.host().now()
    }

    fn store(&self) -> Arc<dyn AccountStore> {
        self.gateway.store().account(self.account)
    }

    /// Sends messages and opens an attempt of each.
    fn start(&self, count: usize) -> Vec<Started> {
        for _ in 0..count {
            let phone = "+999501234567".parse().expect("a phone number");
            let request = Request::text("desk", phone, Purpose::Support, "hi".parse().expect("a text"));
            let answer = block_on(self.gateway.account(self.account).submit(request)).expect("an answer");
            assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
        }
        let (now, worker) = (self.now(), self.gateway.store().worker());
        let claim = Claim { limit: 9, per_account: 9, after: None, lease_until: now.plus(TIMEOUT), now };
        let claimed = block_on(worker.claim(claim)).expect("a claim").claimed;
        let starts = block_on(worker.start(claimed, Lease::new(now, TIMEOUT), now)).expect("starts");
        let started = starts.into_iter().map(|start| match start {
            StartAnswer::Started(started) => *started,
            other => panic!("expected a start, got {other:?}"),
        });
        let started: Vec<_> = started.collect();
        assert_eq!(started.len(), count);
        started
    }

    /// Records that these were sent and takes what is due, in one group: the writer is held up until both are on their way.
    fn finish_and_take(&self, started: &[Started]) -> TakeAnswer {
        let lock = rusqlite::Connection::open(self.path()).expect("the database");
        lock.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        let (now, worker) = (self.now(), self.gateway.store().worker());
        let finishes = started.iter().map(|started| finish(started.claimed, started.attempt, now)).collect();
        let verbs = join3(self.gateway.store().probe(), worker.finish(finishes), worker.take(self.a_take(now)));
        let mut verbs = pin!(verbs);
        assert!(verbs.as_mut().now_or_never().is_none(), "the database is locked");
        lock.execute_batch("COMMIT").expect("nothing was written");
        let (_, finished, taken) = block_on(verbs);
        assert!(finished.expect("an answer").iter().all(|finished| finished.settled().is_some()));
        taken.expect("an answer")
    }

    fn a_take(&self, now: Timestamp) -> Take {
        Take { limit: 9, per_account: 9, in_flight_per_account: 9, after: None, lease: Lease::new(now, TIMEOUT), now }
    }

    fn take(&self) -> TakeAnswer {
        block_on(self.gateway.store().worker().take(self.a_take(self.now()))).expect("an answer")
    }

    fn record(&self, started: &StartedNotice, now: Timestamp) -> Finished {
        let report = Some(Report { status: Some(200), took: Duration::from_millis(7), ..Report::default() });
        let finish = Finish { report, ..finish(started.claimed, started.attempt, now) };
        block_on(self.gateway.store().worker().finish(vec![finish])).expect("an answer").remove(0)
    }

    /// The log, oldest first.
    fn log(&self) -> Vec<EventDelivery> {
        let mut log = block_on(self.store().deliveries(DeliveryFilter::default(), Page::first(9))).expect("a log");
        log.reverse();
        log
    }

    fn statuses(&self) -> Vec<DeliveryStatus> {
        self.log().iter().map(|delivery| delivery.status).collect()
    }

    fn status(&self, message: MessageId) -> Option<MessageStatus> {
        block_on(self.store().message(message)).expect("an answer").map(|message| message.status)
    }
}

fn open(path: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, Options::default()).expect("a database"))
}

fn finish(claimed: gatepost::Claimed, attempt: u16, now: Timestamp) -> Finish {
    Finish { claimed, attempt, outcome: SENT, report: None, jitter: 0, now }
}

#[test]
fn what_happens_and_is_taken_in_one_group_is_on_its_way_once() {
    let scene = Scene::new(EndpointChange::default());
    let messages = scene.start(2);
    let taken = scene.finish_and_take(&messages).started;
    let names: Vec<_> = taken.iter().map(|notice| (notice.notice.as_name, notice.claimed.fence, notice.attempt)).collect();
    assert_eq!(names, [(EventName::MessageSent, 1, 1); 2]);
    assert_eq!((scene.statuses(), scene.take()), (vec![DeliveryStatus::Sending; 2], TakeAnswer::default()));
    let event = block_on(scene.store().event(taken[0].notice.event.id)).expect("an answer");
    assert_eq!(event.as_ref(), Some(&taken[0].notice.event));
}

#[test]
fn the_attempt_that_sent_is_in_the_log() {
    let scene = Scene::new(EndpointChange::default());
    let taken = scene.finish_and_take(&scene.start(1)).started;
    let open = block_on(scene.store().delivery_attempts(taken[0].claimed.delivery)).expect("attempts");
    let now = scene.now();
    assert_eq!(scene.record(&taken[0], now), Finished::Event { disabled: None });
    let [Attempt { started_at, finished_at: None, .. }] = open[..] else { panic!("expected one that is open, got {open:?}") };
    let report = Some(Report { status: Some(200), took: Duration::from_millis(7), ..Report::default() });
    let closed = Attempt { number: 1, started_at, finished_at: Some(now), outcome: Some(SENT), report };
    assert_eq!(block_on(scene.store().delivery_attempts(taken[0].claimed.delivery)), Ok(vec![closed]));
    assert_eq!(scene.record(&taken[0], now), Finished::Stale);
}

#[test]
fn what_the_endpoint_has_no_place_for_waits_in_its_order() {
    let scene = Scene::new(EndpointChange { in_flight_max: Some(1), ..EndpointChange::default() });
    let mut taken = scene.finish_and_take(&scene.start(3)).started;
    assert_eq!(scene.statuses().iter().filter(|status| **status == DeliveryStatus::Queued).count(), 2);
    let mut seen = Vec::new();
    while let [notice] = &taken[..] {
        seen.push(notice.claimed.delivery);
        scene.record(notice, scene.now());
        taken = scene.take().started;
    }
    seen.sort_unstable();
    assert_eq!((seen, taken.len()), (scene.log().iter().map(|delivery| delivery.id).collect(), 0));
    assert_eq!(scene.statuses(), [DeliveryStatus::Sent; 3]);
}

#[test]
fn what_waits_goes_before_what_is_fresh() {
    let scene = Scene::new(EndpointChange { in_flight_max: Some(1), ..EndpointChange::default() });
    let [first, second, third] = &scene.start(3)[..] else { panic!("three messages") };
    let on_its_way = scene.finish_and_take(std::slice::from_ref(first)).started;
    assert_eq!(scene.finish_and_take(std::slice::from_ref(second)), TakeAnswer::default());
    scene.record(&on_its_way[0], scene.now());
    let taken = scene.finish_and_take(std::slice::from_ref(third)).started;
    let told = |notice: &StartedNotice| notice.notice.event.fields.contains(&second.parcel.message.to_string());
    assert!(taken.len() == 1 && told(&taken[0]), "{taken:?}");
}

#[test]
fn what_is_faster_than_the_endpoint_wants_waits() {
    let hourly = Rate { count: 1, period_seconds: 3_600, burst: 1 };
    let scene = Scene::new(EndpointChange { rate: Some(Some(hourly)), ..EndpointChange::default() });
    let answer = scene.finish_and_take(&scene.start(3));
    assert_eq!((answer.started.len(), scene.statuses().len()), (1, 3));
    assert!(answer.next_due.is_some_and(|due| due > scene.now()), "{answer:?}");
    assert_eq!(scene.statuses().iter().filter(|status| **status == DeliveryStatus::Queued).count(), 2);
}

#[test]
fn what_a_paused_endpoint_hears_of_is_held() {
    let scene = Scene::new(EndpointChange::default());
    let pause = |pause| EndpointChange { pause: Some(pause), ..EndpointChange::default() };
    let change = pause(Some(Pause::by(Actor::App, None, scene.now())));
    block_on(scene.store().change_endpoint(scene.endpoint, change)).expect("an answer");
    assert_eq!(scene.finish_and_take(&scene.start(2)), TakeAnswer::default());
    assert_eq!(scene.statuses(), [DeliveryStatus::Queued; 2]);
    block_on(scene.store().change_endpoint(scene.endpoint, pause(None))).expect("an answer");
    assert_eq!(scene.take().started.len(), 2);
}

/// Closes what is open, as another process does once its lease is over.
fn sweep_elsewhere(scene: &Scene) {
    let later = scene.now().plus(TIMEOUT * 2);
    block_on(scene.another().worker().sweep(later, 9)).expect("a sweep");
}

#[test]
fn a_message_that_another_process_has_given_up_is_not_sent_by_a_late_finish() {
    let scene = Scene::new(EndpointChange::default());
    let started = scene.start(1).remove(0);
    sweep_elsewhere(&scene);
    let finish = finish(started.claimed, started.attempt, scene.now());
    assert_eq!(block_on(scene.gateway.store().worker().finish(vec![finish])), Ok(vec![Finished::Stale]));
    assert_eq!((scene.status(started.parcel.message), scene.log().len()), (Some(MessageStatus::Unknown), 0));
}

#[test]
fn an_event_that_another_process_has_given_up_goes_again_despite_a_late_finish() {
    let scene = Scene::new(EndpointChange::default());
    let taken = scene.finish_and_take(&scene.start(1)).started;
    sweep_elsewhere(&scene);
    assert_eq!(scene.record(&taken[0], scene.now()), Finished::Stale);
    assert_eq!(scene.statuses(), [DeliveryStatus::Queued]);
    let attempts = block_on(scene.store().delivery_attempts(taken[0].claimed.delivery)).expect("attempts");
    assert!(matches!(&attempts[..], [Attempt { outcome: Some(Outcome::Unknown { .. }), .. }]), "{attempts:?}");
}
