//! What came in and cannot be read, and what cannot be read while an opt-out is heeded: nothing keeps anybody from being left alone.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use gatepost::{
    AccountStore, Actor, Answer, Cause, ContactId, Heed, HeedAnswer, InboundFilter, InboundId, InstanceId, MessageId, NewInbound,
    NewSuppression, Page, Policy, Progress, Purpose, Request, Retention, Said, StatusReport, StoreError, SuppressionFilter, SuppressionId,
    Timestamp, Told,
};

use super::{Ground, SpoilHarness, bytes};
use crate::fixture::{add_endpoint, said};
use crate::world::block_on;

const ALICE: &str = "+999501000001";
const BOB: &str = "+999501000002";

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

    fn store(&self, place: usize) -> Arc<dyn AccountStore> {
        self.store_of(self.accounts[place])
    }

    fn instance(&self, place: usize) -> InstanceId {
        block_on(self.store(place).instances()).expect("an answer").first().expect("an instance").id
    }

    /// Somebody says stop; what came in by it.
    fn stop(&self, place: usize, number: &str) -> InboundId {
        self.tell(place, number, Told::Said(said("STOP")))
    }

    fn tell(&self, place: usize, number: &str, told: Told) -> InboundId {
        let count = block_on(self.store(place).notifications(Page::first(99))).expect("an answer").len();
        let people = number.parse::<gatepost::Address>().into_iter().collect();
        let new = NewInbound { key: format!("key {count}"), kind: String::from("any"), at: None, people, told };
        let account = self.gateway.account(self.accounts[place]);
        let received = block_on(account.receive(self.instance(place), b"{}".to_vec(), vec![new])).expect("an answer");
        assert_eq!(received.new, 1);
        block_on(self.store(place).inbound(InboundFilter::default(), Page::first(1))).expect("an answer")[0].id
    }

    fn send(&self, place: usize, number: &str) -> Result<MessageId, String> {
        let phone = number.parse().expect("a phone number");
        let request = Request::text("desk", phone, Purpose::Support, "hi".parse().expect("a text"));
        match block_on(self.gateway.account(self.accounts[place]).submit(request)).expect("an answer") {
            Answer::Accepted(accepted) => Ok(accepted.message),
            Answer::Refused { decision, .. } => Err(decision.deciding().map_or("nothing", |reason| reason.rule.as_str()).to_string()),
            other => panic!("expected a message or a refusal, got {other:?}"),
        }
    }

    fn status(&self, message: MessageId) -> String {
        self.database.one(&format!("SELECT status FROM messages WHERE id = {}", bytes(message.to_bytes())))
    }

    fn heed(&self) -> HeedAnswer {
        let heed = Heed { limit: 9, per_account: 9, after: None, decider: Arc::new(Policy::default()), now: self.now() };
        block_on(self.gateway.store().worker().heed(heed)).expect("an answer")
    }

    fn parked(&self) -> usize {
        block_on(self.gateway.store().worker().sweep(self.now(), 9)).expect("an answer").parked
    }

    fn causes(&self, place: usize) -> Vec<Cause> {
        let listed = block_on(self.store(place).suppressions(SuppressionFilter::default(), Page::first(9))).expect("an answer");
        listed.iter().map(|suppression| suppression.cause).collect()
    }
}

pub(crate) fn what_cannot_be_read_is_parked_and_keeps_nothing_behind_it_waiting(harness: &dyn SpoilHarness) {
    for sql in [
        "UPDATE inbound SET told = 'junk' WHERE id = ?1",
        "UPDATE inbound SET address = 'junk' WHERE id = ?1",
        "UPDATE outbox SET item = x'00' WHERE item = ?1",
        "UPDATE outbox SET delivery = x'00' WHERE item = ?1",
    ] {
        let scene = Scene::new(harness);
        let bad = scene.stop(0, BOB);
        scene.stop(0, ALICE);
        scene.stop(1, ALICE);
        scene.corrupt(sql, bad.to_bytes());
        scene.heed();
        assert_eq!((scene.causes(0).len(), scene.causes(1).len()), (1, 1), "{sql}");
        assert_eq!(scene.send(0, ALICE), Err(String::from("recipient_suppressed")), "{sql}");
        assert_eq!((scene.parked(), scene.parked(), scene.heed().heeded), (1, 0, 0), "{sql}");
    }
}

pub(crate) fn a_message_that_cannot_be_read_keeps_no_opt_out_back(harness: &dyn SpoilHarness) {
    let by_word = |scene: &Scene| {
        scene.stop(0, ALICE);
        scene.heed();
    };
    let by_hand = |scene: &Scene| {
        let account = scene.gateway.account(scene.accounts[0]);
        block_on(account.suppress(ALICE.parse().expect("a number"), Cause::Keyword, None, Actor::App)).expect("an answer");
    };
    let ways: [fn(&Scene); 2] = [by_word, by_hand];
    for suppress in ways {
        for sql in ["UPDATE messages SET content = 'junk' WHERE id = ?1", "UPDATE outbox SET fence = -1 WHERE item = ?1"] {
            let scene = Scene::new(harness);
            let [bad, good] = [(); 2].map(|()| scene.send(0, ALICE).expect("a message"));
            scene.corrupt(sql, bad.to_bytes());
            suppress(&scene);
            assert_eq!(
                (scene.causes(0), scene.status(good).as_str(), scene.status(bad).as_str()),
                (vec![Cause::Keyword], "canceled", "unknown"),
                "{sql}"
            );
            assert_eq!(scene.parked(), 1, "{sql}");
        }
    }
}

pub(crate) fn who_cannot_be_told_keeps_no_opt_out_back(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let endpoint = add_endpoint(&scene.gateway, scene.accounts[0]);
    scene.corrupt("UPDATE endpoints SET filter = 'junk' WHERE id = ?1", endpoint.to_bytes());
    scene.stop(0, ALICE);
    assert_eq!((scene.heed().heeded, scene.causes(0), scene.parked()), (1, vec![Cause::Keyword], 0));
    scene.corrupt("DELETE FROM endpoints WHERE id = ?1", endpoint.to_bytes());
    assert_eq!(scene.send(0, ALICE), Err(String::from("recipient_suppressed")));
}

/// As many as warn the account half way to a pause.
pub(crate) fn who_cannot_be_warned_keeps_no_opt_out_back(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let people: Vec<String> = (0..5).map(|nth| format!("+99950100001{nth}")).collect();
    people.iter().for_each(|number| _ = scene.send(0, number).expect("it is accepted"));
    let endpoint = add_endpoint(&scene.gateway, scene.accounts[0]);
    scene.corrupt("UPDATE endpoints SET filter = 'junk' WHERE id = ?1", endpoint.to_bytes());
    people.iter().for_each(|number| _ = scene.stop(0, number));
    assert_eq!((scene.heed().failed, scene.causes(0).len(), scene.parked()), (None, 5, 0));
}

pub(crate) fn a_suppression_that_cannot_be_read_holds(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    scene.stop(0, ALICE);
    scene.heed();
    let by_hand = NewSuppression {
        id: SuppressionId::new(scene.now(), &**scene.gateway.host()),
        contact: ContactId::new(scene.now(), &**scene.gateway.host()),
        address: ALICE.parse().expect("a number"),
        cause: Cause::Manual,
        note: None,
        by: Actor::App,
        now: scene.now(),
    };
    block_on(scene.store(0).suppress(by_hand)).expect("an answer");
    scene.corrupt("UPDATE suppressions SET by = 'junk' WHERE account = ?1 AND cause = 'manual'", scene.accounts[0].to_bytes());
    scene.tell(0, ALICE, Told::Said(said("START")));
    scene.heed();
    assert_eq!(scene.send(0, ALICE), Err(String::from("recipient_suppressed")));
}

pub(crate) fn a_count_that_cannot_be_read_keeps_no_opt_out_of_another_waiting(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    scene.send(0, ALICE).expect("a message");
    scene.corrupt("UPDATE traffic SET warned = 7 WHERE account = ?1", scene.accounts[0].to_bytes());
    scene.stop(0, ALICE);
    scene.stop(1, BOB);
    scene.heed();
    assert_eq!([scene.causes(0), scene.causes(1)], [[Cause::Keyword], [Cause::Keyword]]);
}

pub(crate) fn who_cannot_be_told_keeps_no_reported_opt_out_back(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let endpoint = add_endpoint(&scene.gateway, scene.accounts[0]);
    scene.corrupt("UPDATE endpoints SET filter = 'junk' WHERE id = ?1", endpoint.to_bytes());
    let report = StatusReport {
        external_id: String::from("wamid.of-nobody"),
        message: None,
        progress: Progress::Failed,
        error: Some(gatepost::ErrorClass::OptedOut),
    };
    scene.tell(0, ALICE, Told::Status(report));
    assert_eq!((scene.heed().failed, scene.causes(0), scene.parked()), (None, vec![Cause::UserPreference], 0));
}

pub(crate) fn an_answer_to_a_message_that_cannot_be_read_is_told(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    add_endpoint(&scene.gateway, scene.accounts[0]);
    let message = scene.send(0, ALICE).expect("a message");
    let sql = "INSERT INTO external_ids SELECT account, instance, 'wamid.0', id FROM messages WHERE id = ?1";
    scene.corrupt(sql, message.to_bytes());
    scene.corrupt("UPDATE messages SET content = 'junk' WHERE id = ?1", message.to_bytes());
    scene.tell(0, ALICE, Told::Said(Said { reply_to: Some(String::from("wamid.0")), ..said("hi") }));
    assert_eq!((scene.heed().heeded, scene.parked()), (1, 0));
    let sql = "SELECT fields FROM events WHERE name = 'message.received'";
    let fields = scene.database.one(sql);
    assert!(fields.contains("reply_to_external_message_id") && !fields.contains("reply_to_message_id"), "{fields}");
}

pub(crate) fn a_contact_that_cannot_be_read_keeps_no_other_opt_out_back(harness: &dyn SpoilHarness) {
    for (words, others) in [("STOP", "junk"), ("hi", "junk"), ("hi", "[7]")] {
        let scene = Scene::new(harness);
        scene.tell(0, BOB, Told::Said(said(words)));
        scene.stop(0, ALICE);
        scene.stop(1, ALICE);
        let sql = format!("UPDATE contacts SET others = '{others}' WHERE address = '{BOB}' AND account = ?1");
        scene.corrupt(&sql, scene.accounts[0].to_bytes());
        scene.heed();
        assert_eq!(scene.causes(1).len(), 1, "{words}, {others}");
        // Whoever need not read that of a contact heeds it; whoever must has parked it.
        let expected = if words == "STOP" { 2 } else { 1 };
        assert!(scene.causes(0).len() + scene.parked() >= expected, "{words}, {others}");
        assert_eq!(scene.send(0, ALICE), Err(String::from("recipient_suppressed")), "{words}, {others}");
    }
}

pub(crate) fn an_instance_that_cannot_be_read_keeps_no_opt_out_back(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    scene.stop(0, ALICE);
    let instance = scene.instance(0);
    scene.corrupt("UPDATE instances SET provider = 'junk' WHERE id = ?1", instance.to_bytes());
    assert_eq!((scene.heed().heeded, scene.causes(0), scene.parked()), (1, vec![Cause::Keyword], 0));
}

pub(crate) fn an_account_that_cannot_be_read_keeps_what_came_in_waiting_and_nobody_elses(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    scene.stop(0, ALICE);
    scene.stop(1, ALICE);
    scene.corrupt("UPDATE accounts SET plan = 'junk' || plan WHERE id = ?1", scene.accounts[0].to_bytes());
    assert_eq!((scene.heed().heeded, scene.causes(0).len(), scene.causes(1).len(), scene.parked()), (1, 0, 1, 0));
    scene.corrupt("UPDATE accounts SET plan = substr(plan, 5) WHERE id = ?1", scene.accounts[0].to_bytes());
    assert_eq!((scene.heed().heeded, scene.causes(0)), (1, vec![Cause::Keyword]));
}

pub(crate) fn a_report_of_a_message_that_cannot_be_read_is_parked(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let [bad, _] = [ALICE, BOB].map(|number| scene.send(0, number).expect("a message"));
    let report = StatusReport { message: Some(bad), external_id: String::from("wamid.1"), progress: Progress::Read, error: None };
    scene.tell(0, "", Told::Status(report));
    scene.stop(0, BOB);
    scene.corrupt("UPDATE messages SET purpose = 'junk' WHERE id = ?1", bad.to_bytes());
    scene.heed();
    assert_eq!((scene.causes(0), scene.parked()), (vec![Cause::Keyword], 1));
}

pub(crate) fn what_was_parked_is_forgotten_in_its_time(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let bad = scene.stop(0, ALICE);
    scene.corrupt("UPDATE inbound SET told = 'junk' WHERE id = ?1", bad.to_bytes());
    scene.heed();
    assert!(matches!(block_on(scene.store(0).inbound_entry(bad)), Err(StoreError::Corrupt(_))));
    let later = scene.now().plus(Duration::from_secs(60));
    let forget = |content_before, logs_before| {
        let retention = Retention { content_before, logs_before, raw_before: Timestamp::default(), now: Timestamp::default() };
        block_on(scene.gateway.store().worker().retain(retention, 9)).expect("an answer")
    };
    let count = |sql: &str| scene.database.one(sql).parse::<i64>().expect("a count");
    assert_eq!((forget(later, Timestamp::default()), count("SELECT count(*) FROM inbound WHERE words IS NOT NULL")), (1, 0));
    forget(Timestamp::default(), later);
    assert_eq!((count("SELECT count(*) FROM inbound"), count("SELECT count(*) FROM outbox")), (0, 0));
}

pub(crate) fn what_cannot_be_written_of_one_inbox_keeps_no_opt_out_of_another_waiting(harness: &dyn SpoilHarness) {
    for refused in [0, 1] {
        let (scene, other) = (Scene::new(harness), 1 - refused);
        scene.stop(refused, ALICE);
        scene.stop(other, ALICE);
        scene.narrow("suppressions", &format!("account <> {}", bytes(scene.accounts[refused].to_bytes())));
        let answer = scene.heed();
        assert!(matches!(answer.failed, Some(StoreError::Unwritable(_))), "{answer:?}");
        assert_eq!((answer.heeded, scene.causes(refused).len(), scene.causes(other).len()), (1, 0, 1));
        scene.widen("suppressions");
        let answer = scene.heed();
        assert_eq!((answer.heeded, answer.failed, scene.causes(refused).len(), scene.parked()), (1, None, 1, 0));
    }
}

pub(crate) fn what_cannot_be_written_keeps_no_opt_out_behind_it_waiting(harness: &dyn SpoilHarness) {
    let scene = Scene::new(harness);
    let waiting = scene.send(0, ALICE).expect("a message");
    [BOB, ALICE].iter().for_each(|number| _ = scene.stop(0, number));
    scene.narrow("suppressions", &format!("address <> '{BOB}'"));
    let answer = scene.heed();
    assert_eq!((answer.heeded, answer.settled.iter().map(|settled| settled.message).collect::<Vec<_>>()), (1, vec![waiting]));
    assert_eq!([ALICE, BOB].map(|number| scene.send(0, number).is_err()), [true, false]);
    scene.widen("suppressions");
    assert_eq!((scene.heed().heeded, scene.causes(0).len(), scene.parked()), (1, 2, 0));
}
