//! Rows that cannot be read or written: what fails because of them, and what does not.

use std::ops::Deref;
use std::time::Duration;

use gatepost::{
    AccountId, Answer, Claim, ClaimAnswer, Content, DeliveryFilter, EndpointId, EventDelivery, Finish, Keyring, Lease, MessageId,
    MessageStatus, Mode, Outcome, Page, Purpose, Request, Retention, Sealer, StartAnswer, Started, StoreError, Swept, Timestamp,
};

use super::{Ground, SpoilHarness, bytes};
use crate::fixture::add_endpoint;
use crate::world::block_on;

struct Scene(Ground);

impl Deref for Scene {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.0
    }
}

impl Scene {
    fn new(harness: &dyn SpoilHarness) -> Self {
        Self(Ground::new(harness))
    }

    fn send(&self, account: AccountId) -> MessageId {
        let phone = "+999501234567".parse().expect("a phone number");
        let request = Request::text("desk", phone, Purpose::Support, "hi".parse().expect("a text"));
        match block_on(self.gateway.account(account).submit(request)).expect("an answer") {
            Answer::Accepted(accepted) => accepted.message,
            other => panic!("expected a message, got {other:?}"),
        }
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

    /// Starts what can be claimed: in the order of its messages.
    fn started(&self) -> Vec<Started> {
        let of = |answer| if let StartAnswer::Started(started) = answer { Some(*started) } else { None };
        let mut started: Vec<_> = self.start(&self.claim()).into_iter().filter_map(of).collect();
        started.sort_by_key(|started| started.parcel.message);
        started
    }

    fn finish(&self, started: &[Started]) -> Vec<Option<MessageStatus>> {
        self.finish_as(started, &Outcome::Unknown { class: gatepost::ErrorClass::Timeout })
    }

    fn finish_as(&self, started: &[Started], outcome: &Outcome) -> Vec<Option<MessageStatus>> {
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

    fn resolve(&self, account: AccountId, message: MessageId, sent: bool) -> Result<Option<MessageStatus>, StoreError> {
        block_on(self.store_of(account).resolve(message, sent, self.now()))
    }

    fn used(&self, account: AccountId) -> u64 {
        block_on(self.store_of(account).usage(Mode::Live, self.now())).expect("an answer").expect("the account").day
    }

    fn content(&self, account: AccountId, message: MessageId) -> Option<Content> {
        block_on(self.store_of(account).message(message)).expect("an answer").expect("a message").content
    }

    fn retain(&self, content_before: Timestamp, logs_before: Timestamp) -> usize {
        block_on(
            self.gateway
                .store()
                .worker()
                .retain(Retention { content_before, logs_before, raw_before: logs_before, now: Timestamp::default() }, 9),
        )
        .expect("an answer")
    }

    /// How many rows there are.
    fn rows(&self, table: &str) -> i64 {
        self.database.one(&format!("SELECT count(*) FROM {table}")).parse().expect("a number")
    }

    /// What the endpoint is told.
    fn bodies(&self, account: AccountId, endpoint: EndpointId) -> Vec<String> {
        let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
        let deliveries = block_on(self.store_of(account).deliveries(filter, Page::first(9))).expect("an answer");
        let event =
            |delivery: &EventDelivery| block_on(self.store_of(account).event(delivery.event)).expect("an answer").expect("an event");
        deliveries.iter().map(|delivery| String::from_utf8_lossy(&event(delivery).body(delivery.as_name)).into_owned()).collect()
    }
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

pub(crate) fn a_claim_parks_what_it_cannot_read_and_takes_the_rest(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(account)];
    scene.corrupt("UPDATE outbox SET fence = -1 WHERE item = ?1", bad.to_bytes());
    let claimed = scene.claim();
    assert_eq!(messages(&scene.start(&claimed)), [Some(good)]);
    assert_eq!([scene.status(account, bad), scene.status(account, good)], [MessageStatus::Unknown, MessageStatus::Sending]);
    assert_eq!([scene.sweep(NOW).parked, scene.sweep(NOW).parked], [1, 0]);
    assert!(scene.claim().claimed.is_empty());
}

/// A message whose delivery cannot be read, and was parked.
fn parked(scene: &Scene) -> MessageId {
    let message = scene.send(scene.accounts[0]);
    scene.corrupt("UPDATE outbox SET fence = -1 WHERE item = ?1", message.to_bytes());
    assert!(scene.claim().claimed.is_empty());
    message
}

pub(crate) fn an_operator_closes_what_was_parked(harness: &dyn SpoilHarness) {
    for (sent, status, used) in [(true, MessageStatus::Sent, 1), (false, MessageStatus::Failed, 0)] {
        let scene = Scene::new(harness);
        let [account, neighbor] = scene.accounts;
        let message = parked(&scene);
        let endpoint = add_endpoint(&scene.gateway, account);
        assert_eq!(scene.resolve(neighbor, message, sent), Ok(None));
        assert_eq!(scene.resolve(account, message, sent), Ok(Some(status)));
        assert_eq!((scene.status(account, message), scene.used(account)), (status, used));
        assert_eq!(scene.resolve(account, message, !sent), Ok(None), "it is closed");
        let told = scene.bodies(account, endpoint);
        let says = format!(r#""status":"{status}","previous_status":"unknown""#);
        assert!(matches!(&told[..], [body] if body.contains(&says)), "{told:?}");
        assert_eq!((scene.sweep(NOW).parked, scene.rows("outbox WHERE channel = 0")), (1, 0));
    }
}

pub(crate) fn what_cannot_be_read_and_is_not_parked_is_not_in_doubt(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let message = scene.send(account);
    scene.corrupt("UPDATE outbox SET fence = -1 WHERE item = ?1", message.to_bytes());
    assert_eq!(scene.resolve(account, message, true), Ok(None));
    assert_eq!(scene.status(account, message), MessageStatus::Queued);
}

pub(crate) fn a_parked_message_that_cannot_be_read_itself_is_not_closed(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let message = parked(&scene);
    scene.corrupt("UPDATE messages SET purpose = 'junk' WHERE id = ?1", message.to_bytes());
    assert!(matches!(scene.resolve(account, message, false), Err(StoreError::Corrupt(_))));
    scene.corrupt("UPDATE messages SET purpose = 'support' WHERE id = ?1", message.to_bytes());
    assert_eq!(scene.resolve(account, message, false), Ok(Some(MessageStatus::Failed)));
}

pub(crate) fn what_was_parked_is_forgotten_after_the_usual_time(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let message = parked(&scene);
    let later = scene.now().plus(MINUTE);
    assert_eq!(scene.retain(scene.now().minus(MINUTE), scene.now().minus(MINUTE)), 0);
    assert_eq!(scene.retain(later, Timestamp::default()), 1);
    assert_eq!(scene.content(account, message), None);
    assert_eq!(scene.status(account, message), MessageStatus::Unknown);
    assert!(scene.retain(later, later) > 0);
    assert_eq!(["messages", "outbox", "attempts", "reviews"].map(|table| scene.rows(table)), [0; 4]);
    assert_eq!(scene.retain(later, later), 0);
}

pub(crate) fn a_start_parks_what_it_cannot_read_and_starts_the_rest(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let [first, bad, last] = [scene.send(account), scene.send(account), scene.send(account)];
    scene.corrupt("UPDATE messages SET content = 'junk' WHERE id = ?1", bad.to_bytes());
    // Ids of one millisecond are in no order.
    let starts = scene.start(&scene.claim());
    let mut started = messages(&starts);
    started.sort_unstable();
    assert_eq!(started, [None, Some(first.min(last)), Some(first.max(last))]);
    assert!(starts.contains(&StartAnswer::Stale));
    assert_eq!(scene.sweep(MINUTE).parked, 1);
    assert!(scene.claim().claimed.is_empty());
}

pub(crate) fn a_finish_parks_what_it_cannot_read_and_records_the_rest(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(account)];
    let started = scene.started();
    scene.corrupt("UPDATE outbox SET tries = -1 WHERE item = ?1", bad.to_bytes());
    assert_eq!(scene.finish(&started), [None, Some(MessageStatus::Unknown)]);
    assert_eq!((scene.sweep(NOW).parked, scene.status(account, good)), (1, MessageStatus::Unknown));
}

pub(crate) fn a_message_is_sent_though_its_instance_cannot_be_read(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let message = scene.send(account);
    let started = scene.started();
    let instance = block_on(scene.store_of(account).instances()).expect("an answer").first().expect("an instance").id;
    scene.corrupt("UPDATE instances SET provider = 'junk' WHERE id = ?1", instance.to_bytes());
    scene.finish_as(&started, &Outcome::Sent { external_id: Some(String::from("wamid.1")) });
    assert_eq!((scene.status(account, message), scene.sweep(NOW).parked), (MessageStatus::Sent, 0));
}

pub(crate) fn a_sweep_parks_what_it_cannot_read_and_closes_the_rest(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, other] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(other)];
    scene.start(&scene.claim());
    scene.corrupt("UPDATE outbox SET state = 9 WHERE item = ?1", bad.to_bytes());
    let swept = scene.sweep(MINUTE);
    let settled: Vec<_> = swept.settled.iter().map(|settled| (settled.message, settled.status)).collect();
    assert_eq!((settled, swept.parked), (vec![(good, MessageStatus::Unknown)], 1));
    assert_eq!(scene.sweep(MINUTE), Swept::default());
}

pub(crate) fn an_account_that_cannot_be_read_keeps_nobody_else_waiting(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
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

pub(crate) fn what_was_removed_is_not_read_by_what_is_sent(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let removed = "INSERT INTO integrations VALUES (?1, 1, 'line', 1, ?1, 'junk', x'00', 1, NULL, 0, 1, 1, 0)";
    scene.corrupt(removed, account.to_bytes());
    let message = scene.send(account);
    assert_eq!(messages(&scene.start(&scene.claim())), [Some(message)]);
}

pub(crate) fn an_ordered_message_does_not_wait_for_a_parked_one(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, _] = scene.accounts;
    let [bad, good] = [scene.send(account), scene.send(account)];
    scene.corrupt("UPDATE outbox SET order_key = 7, fence = -1 WHERE item = ?1", bad.to_bytes());
    scene.corrupt("UPDATE outbox SET order_key = 7 WHERE item = ?1", good.to_bytes());
    assert!(scene.claim().claimed.is_empty());
    assert_eq!(messages(&scene.start(&scene.claim())), [Some(good)]);
}

pub(crate) fn a_start_that_cannot_be_written_keeps_no_other_from_its_own(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, other] = scene.accounts;
    let [bad, good, others] = [scene.send(account), scene.send(account), scene.send(other)];
    let claimed = scene.claim();
    scene.narrow("outbox", &format!("state <> 2 OR item <> {}", bytes(bad.to_bytes())));
    let mut started = messages(&scene.start(&claimed));
    started.sort_unstable();
    let mut expected = [None, Some(good), Some(others)];
    expected.sort_unstable();
    assert_eq!(started, expected);
}

pub(crate) fn a_finish_that_cannot_be_written_is_left_to_the_end_of_its_lease(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [account, other] = scene.accounts;
    let [bad, good, others] = [scene.send(account), scene.send(account), scene.send(other)];
    let started = scene.started();
    scene.narrow("messages", &format!("external_id IS NULL OR id <> {}", bytes(bad.to_bytes())));
    scene.finish_as(&started, &Outcome::Sent { external_id: Some(String::from("wamid.1")) });
    let statuses = || [scene.status(account, bad), scene.status(account, good), scene.status(other, others)];
    assert_eq!(statuses(), [MessageStatus::Sending, MessageStatus::Sent, MessageStatus::Sent]);
    scene.sweep(MINUTE);
    assert_eq!(statuses(), [MessageStatus::Unknown, MessageStatus::Sent, MessageStatus::Sent]);
}

pub(crate) fn a_log_that_cannot_be_sealed_keeps_no_other_unsealed(harness: &dyn SpoilHarness) {
    for place in [0, 1] {
        let scene = Scene::new(harness);
        scene.accounts.iter().for_each(|account| _ = scene.send(*account));
        scene.narrow("seals", &format!("account <> {}", bytes(scene.accounts[place].to_bytes())));
        let keyring = Keyring::new([(1, [7; 32].into())]).expect("a keyring");
        let sealer = Sealer::new(scene.gateway.store().clone(), keyring, &**scene.gateway.host()).sealing_after(Duration::ZERO);
        assert!(block_on(sealer.turn(scene.now())).is_err(), "it is told");
        let seals = scene.accounts.map(|account| block_on(scene.store_of(account).seals(Page::first(9))).expect("an answer").len());
        assert_eq!((seals[place], seals[1 - place]), (0, 1));
    }
}
