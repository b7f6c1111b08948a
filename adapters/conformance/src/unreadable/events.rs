//! Events that cannot be read, and endpoints: what fails because of them, and what does not.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use gatepost::{
    Account, AccountChange, AccountId, AccountStore, Actor, Answer, Claim, DeliveryId, DeliveryStatus, EndpointId, Event, EventId,
    EventName, Finish, Lease, MessageId, MessageStatus, Outcome, Pause, Plan, Purpose, Recovered, RecoveryProgress, Request, Retention,
    StartAnswer, StartedNotice, StoreError, Take, Timestamp,
};

use super::{Ground, SpoilHarness};
use crate::fixture::{add_endpoint, recovery};
use crate::world::block_on;

/// Two accounts, each with an instance and with an endpoint that listens to everything.
struct Scene {
    ground: Ground,
    endpoints: [EndpointId; 2],
}

impl Deref for Scene {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl Scene {
    fn new(harness: &dyn SpoilHarness) -> Self {
        let ground = Ground::new(harness);
        let endpoints = ground.accounts.map(|account| add_endpoint(&ground.gateway, account));
        Self { ground, endpoints }
    }

    fn store(&self, place: usize) -> Arc<dyn AccountStore> {
        self.store_of(self.accounts[place])
    }

    /// Sends a message; its events wait.
    fn send(&self, place: usize) -> Result<MessageId, StoreError> {
        let phone = "+999501234567".parse().expect("a phone number");
        let request = Request::text("desk", phone, Purpose::Support, "hi".parse().expect("a text"));
        match block_on(self.gateway.account(self.accounts[place]).submit(request))? {
            Answer::Accepted(accepted) => Ok(accepted.message),
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// Writes a test event.
    fn notify(&self, place: usize) -> DeliveryId {
        let (host, now) = (&**self.gateway.host(), self.now());
        let event = Event::new(EventId::new(now, host), EventName::EndpointTest, None, now, &());
        let notified = block_on(self.store(place).notify(self.endpoints[place], event)).expect("an answer");
        notified.expect("an endpoint").id
    }

    fn take(&self) -> Vec<StartedNotice> {
        let now = self.now();
        let take =
            Take { limit: 9, per_account: 9, in_flight_per_account: 9, after: None, lease: Lease::new(now, Duration::from_secs(15)), now };
        block_on(self.gateway.store().worker().take(take)).expect("an answer").started
    }

    fn finish(&self, started: &StartedNotice, outcome: Outcome) {
        let StartedNotice { claimed, attempt, .. } = *started;
        let finish = Finish { claimed, attempt, outcome, report: None, jitter: 0, now: self.now() };
        block_on(self.gateway.store().worker().finish(vec![finish])).expect("an answer");
    }

    fn status(&self, place: usize, delivery: DeliveryId) -> DeliveryStatus {
        block_on(self.store(place).delivery(delivery)).expect("an answer").expect("a delivery").status
    }

    fn corrupt_endpoint(&self, place: usize) {
        self.corrupt("UPDATE endpoints SET filter = 'junk' WHERE id = ?1", self.endpoints[place].to_bytes());
    }
}

const SENT: Outcome = Outcome::Sent { external_id: None };

fn deliveries(started: &[StartedNotice]) -> Vec<DeliveryId> {
    started.iter().map(|started| started.claimed.delivery).collect()
}

pub(crate) fn a_take_parks_what_it_cannot_read_and_takes_the_rest(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [bad, good] = [scene.notify(0), scene.notify(0)];
    scene.corrupt("UPDATE outbox SET fence = -1 WHERE delivery = ?1", bad.to_bytes());
    assert_eq!(deliveries(&scene.take()), [good]);
    assert_eq!([scene.status(0, bad), scene.status(0, good)], [DeliveryStatus::Failed, DeliveryStatus::Sending]);
    let swept = block_on(scene.gateway.store().worker().sweep(scene.now(), 9)).expect("a sweep");
    assert_eq!((swept.parked, scene.take()), (1, vec![]));
}

pub(crate) fn a_parked_event_is_forgotten_after_the_usual_time(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let bad = scene.notify(0);
    scene.corrupt("UPDATE outbox SET fence = -1 WHERE delivery = ?1", bad.to_bytes());
    assert_eq!(scene.take(), vec![]);
    let later = scene.now().plus(Duration::from_secs(60));
    let retain = |before| {
        block_on(
            scene
                .gateway
                .store()
                .worker()
                .retain(Retention { content_before: before, logs_before: before, raw_before: before, now: Timestamp::default() }, 9),
        )
    };
    assert_eq!(retain(scene.now().minus(Duration::from_secs(60))), Ok(0));
    assert!(retain(later).is_ok_and(|forgotten| forgotten > 0));
    assert_eq!(block_on(scene.store(0).delivery(bad)), Ok(None));
    assert_eq!(scene.database.one("SELECT count(*) FROM outbox"), "0");
}

pub(crate) fn an_operators_endpoint_that_cannot_be_read_keeps_nobody_from_what_happened(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let now = scene.now();
    for place in [0, 1] {
        scene.corrupt("UPDATE endpoints SET for_operator = 1 WHERE id = ?1", scene.endpoints[place].to_bytes());
    }
    scene.corrupt_endpoint(0);
    let account = Account::new(AccountId::new(now, &**scene.gateway.host()), "Globex".parse().expect("a name"), Plan::Starter, now);
    let id = account.id;
    block_on(scene.gateway.store().operator().add_account(account)).expect("an account");
    let pause = AccountChange { pause: Some(Some(Pause::by(Actor::App, None, now))), at: now, ..AccountChange::default() };
    let paused = block_on(scene.gateway.store().operator().change_account(id, pause)).expect("an answer");
    assert!(paused.is_some_and(|account| account.pause.is_some()));
    let told: Vec<_> = scene.take().iter().map(|started| (started.claimed.account, started.notice.as_name)).collect();
    assert_eq!(told, [(scene.accounts[1], EventName::AccountPaused)]);
}

pub(crate) fn an_event_that_cannot_be_read_is_parked(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [bad, good] = [scene.notify(0), scene.notify(0)];
    let event = block_on(scene.store(0).delivery(bad)).expect("an answer").expect("a delivery").event;
    scene.corrupt("UPDATE events SET name = 'junk' WHERE id = ?1", event.to_bytes());
    assert_eq!(deliveries(&scene.take()), [good]);
    assert_eq!(scene.status(0, bad), DeliveryStatus::Failed);
}

pub(crate) fn an_attempt_ends_though_its_endpoint_cannot_be_read(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let delivery = scene.notify(0);
    let started = scene.take();
    scene.corrupt_endpoint(0);
    started.iter().for_each(|started| scene.finish(started, SENT));
    assert_eq!(scene.status(0, delivery), DeliveryStatus::Sent);
}

pub(crate) fn an_endpoint_that_cannot_be_read_keeps_no_other_account_waiting(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [_, good] = [scene.notify(0), scene.notify(1)];
    scene.corrupt_endpoint(0);
    assert_eq!(deliveries(&scene.take()), [good]);
    // Whether it listens is not known: what it should be told would be lost.
    assert!(matches!((scene.send(0), scene.send(1)), (Err(StoreError::Corrupt(_)), Ok(_))));
}

pub(crate) fn a_message_ends_though_nobody_can_be_told(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let message = scene.send(0).expect("a message");
    let now = scene.now();
    let worker = scene.gateway.store().worker();
    let claim = Claim { limit: 9, per_account: 9, after: None, lease_until: now.plus(Duration::from_secs(30)), now };
    let claimed = block_on(worker.claim(claim)).expect("a claim").claimed;
    let starts = block_on(worker.start(claimed, Lease::new(now, Duration::from_secs(15)), now)).expect("starts");
    scene.corrupt_endpoint(0);
    let [StartAnswer::Started(started)] = &starts[..] else { panic!("expected one start, got {starts:?}") };
    let finish = Finish { claimed: started.claimed, attempt: started.attempt, outcome: SENT, report: None, jitter: 0, now };
    let settled = block_on(worker.finish(vec![finish])).expect("an answer");
    assert_eq!(
        settled.iter().filter_map(gatepost::Finished::settled).map(|settled| settled.status).collect::<Vec<_>>(),
        [MessageStatus::Sent]
    );
    assert_eq!(block_on(scene.store(0).message(message)).expect("an answer").map(|found| found.status), Some(MessageStatus::Sent));
}

pub(crate) fn a_recovery_that_meets_what_it_cannot_read_ends(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let delivery = scene.notify(0);
    let (recovery, now) = (recovery(&scene.gateway, scene.endpoints[0]), scene.now());
    assert_eq!(block_on(scene.store(0).add_recovery(recovery.clone())), Ok(true));
    scene.corrupt("UPDATE event_deliveries SET as_name = 'junk' WHERE id = ?1", delivery.to_bytes());
    let recovered = block_on(scene.gateway.store().worker().recover(None, 9, now));
    assert_eq!(recovered, Ok(Recovered { at: Some(recovery.id), more: false }));
    let found = block_on(scene.store(0).recovery(recovery.id)).expect("an answer").expect("a recovery");
    assert_eq!(found.progress, RecoveryProgress { canceled_at: Some(now), ..RecoveryProgress::default() });
}
