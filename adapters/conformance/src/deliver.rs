//! Deliver: claim, start, finish, and what time does to what is left lying.

use std::time::Duration;

use gatepost::{
    AccountChange, Cause, Claim, Connection, ErrorClass, Finished, InstanceChange, Lease, MessageStatus, Outcome, Parcel, Provider,
    Purpose, Schedule, Settled, expiry,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, address, code, content, text};
use crate::scene::{SEND_TIMEOUT, Scene};
use crate::words::{self, UNKNOWN, failed, sent};
use crate::world::{MOMENT, hours, seconds, wait};

pub(crate) fn a_message_goes_out(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.sent(text("hi"));
    let started = scene.started();
    scene.advance(seconds(1));
    assert_eq!(scene.finish(&started, sent("wamid.1")), "sent");
    let message = scene.message(id);
    assert_eq!((message.status, message.external_id.as_deref(), message.error), (MessageStatus::Sent, Some("wamid.1"), None));
    assert_eq!((message.updated_at, scene.attempts(id).as_str(), scene.claim()), (scene.now(), "1 sent", vec![]));
}

pub(crate) fn an_attempt_is_written_before_it_is_sent(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    let started = scene.start_now(claimed);
    assert_eq!((started.claimed, started.attempt, started.lease), (claimed, 1, Lease::new(scene.now(), SEND_TIMEOUT)));
    assert_eq!((scene.status(message).as_str(), scene.attempts(message).as_str()), ("sending", "1 open"));
}

pub(crate) fn an_attempt_keeps_its_times_and_its_outcome(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let (started_at, started) = (scene.now(), scene.started());
    scene.advance(seconds(2));
    let outcome = Outcome::Failed { class: ErrorClass::Throttled, retry_after: Some(seconds(9)) };
    scene.finish(&started, outcome.clone());
    let attempts = wait(scene.store().attempts(message));
    let expected = gatepost::Attempt { number: 1, started_at, finished_at: Some(scene.now()), outcome: Some(outcome), report: None };
    assert_eq!(attempts, [expected]);
}

pub(crate) fn each_attempt_has_an_outcome_of_its_own(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    scene.advance(seconds(5));
    scene.deliver(sent("x"));
    assert_eq!(scene.attempts(message), "1 failed: unreachable, 2 sent");
}

pub(crate) fn a_parcel_holds_what_was_accepted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let draft = code().to(BOB);
    let message = scene.sent(draft.clone());
    let expected = Parcel {
        account: scene.account,
        message,
        instance: scene.instance,
        provider: Provider::Evolution,
        recipient: address(BOB),
        purpose: Purpose::Authentication,
        content: draft.request("").content,
    };
    let started = scene.started();
    assert_eq!((started.parcel, started.claimed.account), (expected, scene.account));
}

pub(crate) fn what_goes_at_once_has_the_same_parcel(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let place = scene.place();
    scene.accept_at_once(code().to(BOB), &place);
    let at_once = place.given().expect("the place is taken").parcel;
    scene.send(code().to(BOB));
    assert_eq!(Parcel { message: at_once.message, ..scene.started().parcel }, at_once);
}

pub(crate) fn a_test_message_goes_to_the_sandbox(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").test());
    assert_eq!(scene.started().parcel.provider, Provider::Sandbox);
    let place = scene.place();
    scene.accept_at_once(text("hi").test(), &place);
    assert_eq!(place.given().map(|started| started.parcel.provider), Some(Provider::Sandbox));
}

pub(crate) fn a_claimed_delivery_is_not_claimed_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let claimed = scene.claim_one();
    assert_eq!(scene.claim(), []);
    scene.start(claimed);
    assert_eq!(scene.claim(), []);
}

pub(crate) fn a_claim_takes_no_more_than_its_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one"), text("two"), text("three")]);
    let claim = |limit| scene.answer_claim(Claim { limit, ..scene.a_claim() }).claimed.len();
    assert_eq!([claim(2), claim(0), claim(2)], [2, 0, 1]);
}

pub(crate) fn what_is_due_first_is_claimed_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.sent(text("one"));
    scene.advance(seconds(1));
    let second = scene.sent(text("two"));
    let next = || scene.start_now(scene.answer_claim(Claim { limit: 1, ..scene.a_claim() }).claimed[0]).parcel.message;
    assert_eq!([next(), next()], [first, second]);
}

pub(crate) fn a_paused_account_is_not_claimed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.pause();
    assert_eq!(scene.claim(), []);
    scene.resume();
    assert_eq!(scene.claim().len(), 1);
}

pub(crate) fn a_suspended_account_is_not_claimed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.suspend();
    assert_eq!(scene.claim(), []);
    scene.change_account(AccountChange { suspended_at: Some(None), ..AccountChange::default() });
    assert_eq!(scene.claim().len(), 1);
}

pub(crate) fn a_paused_instance_is_not_claimed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi"), text("hi").via(scene.add_instance("till"))]);
    scene.change_instance(paused(&scene));
    assert_eq!(scene.claim().len(), 1);
    scene.change_instance(InstanceChange { pause: Some(None), ..InstanceChange::default() });
    assert_eq!(scene.claim().len(), 1);
}

pub(crate) fn an_unconnected_instance_is_not_claimed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi"), text("hi").via(scene.add_instance("till"))]);
    scene.change_instance(connection(Connection::Closed));
    assert_eq!(scene.claim().len(), 1);
    scene.change_instance(connection(Connection::Connecting));
    assert_eq!(scene.claim(), []);
    scene.change_instance(connection(Connection::Open));
    assert_eq!(scene.claim().len(), 1);
}

fn paused(scene: &Scene) -> InstanceChange {
    InstanceChange { pause: Some(Some(scene.a_pause())), ..InstanceChange::default() }
}

fn connection(connection: Connection) -> InstanceChange {
    InstanceChange { connection: Some(connection), ..InstanceChange::default() }
}

pub(crate) fn what_was_paused_after_the_claim_waits(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    scene.pause();
    assert_eq!((scene.start(claimed), scene.status(message)), ("waits".to_string(), "queued".to_string()));
    scene.resume();
    scene.advance(seconds(60));
    assert_eq!(scene.deliver(sent("x")), "sent");
    assert_eq!(scene.attempts(message), "1 sent");
}

pub(crate) fn every_hindrance_is_read_again_at_the_start(harness: &dyn Harness) {
    let hinder: [fn(&Scene); 4] = [
        Scene::pause,
        Scene::suspend,
        |scene| drop(scene.change_instance(paused(scene))),
        |scene| drop(scene.change_instance(connection(Connection::Closed))),
    ];
    for hinder in hinder {
        let scene = Scene::new(harness);
        scene.send(text("hi"));
        let claimed = scene.claim_one();
        hinder(&scene);
        assert_eq!(scene.start(claimed), "waits");
    }
}

pub(crate) fn what_is_given_back_is_due_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.give_back(scene.claim_one());
    assert_eq!(scene.deliver(sent("x")), "sent");
    assert_eq!(scene.attempts(message), "1 sent");
}

pub(crate) fn a_refusal_by_the_provider_is_final(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    assert_eq!(scene.deliver(failed(ErrorClass::Refused)), "failed");
    scene.advance(hours(1));
    assert_eq!((scene.status(message).as_str(), scene.claim()), ("failed: refused", vec![]));
}

pub(crate) fn what_was_not_sent_is_tried_again_when_its_wait_is_over(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let failed_at = scene.now();
    assert_eq!(scene.deliver(failed(ErrorClass::Unreachable)), "queued");
    scene.at(failed_at.plus(seconds(5)).minus(MOMENT));
    assert_eq!(scene.claim(), []);
    scene.at(failed_at.plus(seconds(5)));
    assert_eq!(scene.started().attempt, 2);
    assert_eq!(scene.attempts(message), "1 failed: unreachable, 2 open");
}

pub(crate) fn the_wait_that_the_provider_asked_for_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.deliver(Outcome::Failed { class: ErrorClass::Throttled, retry_after: Some(seconds(90)) });
    scene.advance(seconds(90) - MOMENT);
    assert_eq!(scene.claim(), []);
    scene.advance(MOMENT);
    assert_eq!(scene.claim().len(), 1);
}

pub(crate) fn there_is_an_end_to_trying(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    for _ in 1..Schedule::WHATSAPP.tries() {
        assert_eq!(scene.deliver(failed(ErrorClass::Unreachable)), "queued");
        scene.advance(hours(1));
    }
    assert_eq!(scene.deliver(failed(ErrorClass::Unreachable)), "failed");
    scene.advance(hours(1));
    assert_eq!((scene.status(message).as_str(), scene.claim()), ("failed: unreachable", vec![]));
}

pub(crate) fn what_may_have_been_sent_is_not_sent_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    assert_eq!(scene.deliver(UNKNOWN), "unknown");
    for _ in 0..30 {
        scene.advance(hours(1));
        scene.sweep();
        assert_eq!(scene.claim(), []);
    }
    assert_eq!((scene.message(message).status, scene.attempts(message).as_str()), (MessageStatus::Unknown, "1 unknown: timeout"));
}

pub(crate) fn a_doubt_is_resolved_as_sent(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    assert_eq!([scene.resolve(message, true), scene.resolve(message, true)], ["sent", "not in doubt"]);
    assert_eq!(scene.message(message).status, MessageStatus::Sent);
}

pub(crate) fn a_doubt_is_resolved_as_not_sent(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    assert_eq!([scene.resolve(message, false), scene.resolve(message, true)], ["failed", "not in doubt"]);
    assert_eq!((scene.status(message).as_str(), scene.claim()), ("failed: unreachable", vec![]));
}

pub(crate) fn only_a_doubt_can_be_resolved(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    assert_eq!(scene.resolve(message, true), "not in doubt");
    let started = scene.started();
    assert_eq!(scene.resolve(message, true), "not in doubt");
    scene.finish(&started, sent("x"));
    assert_eq!(scene.resolve(message, false), "not in doubt");
    let unsent = scene.submission(text("ho")).message;
    assert_eq!((scene.resolve(unsent, true), scene.status(message)), ("not in doubt".to_string(), "sent".to_string()));
}

pub(crate) fn an_expired_lease_leaves_a_started_attempt_in_doubt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.at(started.lease.until.minus(MOMENT));
    assert_eq!((scene.sweep(), scene.attempts(message).as_str()), (vec![], "1 open"));
    scene.at(started.lease.until);
    assert_eq!((scene.sweep(), scene.attempts(message).as_str()), (vec![MessageStatus::Unknown], "1 unknown: interrupted"));
    assert_eq!((scene.message(message).status, scene.claim()), (MessageStatus::Unknown, vec![]));
}

pub(crate) fn what_went_at_once_is_swept_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let place = scene.place();
    scene.accept_at_once(text("hi"), &place);
    scene.at(place.lease.until);
    assert_eq!(scene.sweep(), [MessageStatus::Unknown]);
}

pub(crate) fn an_expired_lease_makes_an_unstarted_delivery_due(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claim = scene.a_claim();
    let old = scene.answer_claim(claim).claimed[0];
    scene.at(claim.lease_until.minus(MOMENT));
    scene.sweep();
    assert_eq!(scene.claim(), []);
    scene.at(claim.lease_until);
    scene.sweep();
    let new = scene.claim_one();
    assert_eq!((scene.start(old), scene.start(new)), ("stale".to_string(), "started".to_string()));
    assert_eq!(scene.attempts(message), "1 open");
}

pub(crate) fn a_doubt_ends_when_the_message_would_expire(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    let ends_at = expiry(Purpose::Support, scene.message(message).created_at);
    scene.at(ends_at.minus(MOMENT));
    scene.sweep();
    scene.at(ends_at);
    scene.sweep();
    assert_eq!((scene.message(message).status, scene.resolve(message, true)), (MessageStatus::Unknown, "not in doubt".to_string()));
}

pub(crate) fn a_doubt_can_be_resolved_to_the_last_moment(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    scene.at(expiry(Purpose::Support, scene.message(message).created_at).minus(MOMENT));
    scene.sweep();
    assert_eq!(scene.resolve(message, true), "sent");
}

pub(crate) fn what_waits_too_long_expires(harness: &dyn Harness) {
    for (draft, lifetime) in [(text("hi"), hours(24)), (code(), seconds(600))] {
        let scene = Scene::new(harness);
        let message = scene.sent(draft);
        scene.at(scene.message(message).created_at.plus(lifetime - MOMENT));
        assert_eq!(scene.sweep(), []);
        scene.advance(MOMENT);
        assert_eq!((scene.sweep(), scene.status(message).as_str()), (vec![MessageStatus::Expired], "expired: expired"));
    }
}

pub(crate) fn what_has_expired_is_not_claimed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.advance(hours(24));
    assert_eq!(scene.claim(), []);
}

pub(crate) fn what_expires_after_the_claim_is_not_started(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    scene.advance(hours(24));
    assert_eq!((scene.start(claimed), scene.attempts(message)), ("ended: expired".to_string(), String::new()));
    assert_eq!(scene.status(message), "expired: expired");
}

pub(crate) fn a_wait_that_outlasts_the_message_ends_it(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(code());
    let outcome = Outcome::Failed { class: ErrorClass::Throttled, retry_after: Some(seconds(3_600)) };
    assert_eq!((scene.deliver(outcome), scene.status(message).as_str()), ("expired".to_string(), "expired: expired"));
}

/// Who waits for a message would otherwise be told of a status that it had before.
pub(crate) fn a_sweep_tells_only_of_what_changed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let claim = scene.a_claim();
    scene.answer_claim(claim);
    scene.at(claim.lease_until);
    assert_eq!(scene.sweep(), []);
    scene.deliver(UNKNOWN);
    scene.advance(hours(24));
    assert_eq!(scene.sweep(), []);
}

pub(crate) fn a_sweep_closes_no_more_than_its_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one"), text("two"), text("three")]);
    scene.advance(hours(24));
    let first = scene.sweep_some(2);
    assert_eq!((first.settled.len(), first.more), (2, true));
    assert_eq!((scene.sweep().len(), scene.sweep_some(9).more), (1, false));
}

pub(crate) fn the_next_due_is_never_told_too_late(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    let due = scene.now().plus(seconds(5));
    let told = scene.answer_claim(scene.a_claim()).next_due;
    assert!(told.is_none_or(|told| told <= due), "{told:?}");
}

pub(crate) fn a_batch_of_starts_is_answered_in_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    scene.suppress(BOB, Cause::Keyword);
    let claimed = [text("one"), code().to(BOB), text("three").via(till)].map(|draft| {
        scene.send(draft);
        scene.claim_one()
    });
    scene.change_account(AccountChange { one_time_codes_pass: Some(false), ..AccountChange::default() });
    wait(scene.store().change_instance(till, paused(&scene)));
    let answers = scene.start_all([claimed[2], claimed[1], claimed[0], claimed[1]].into());
    assert_eq!(answers.iter().map(words::start).collect::<Vec<_>>(), ["waits", "ended: canceled", "started", "stale"]);
}

pub(crate) fn a_batch_of_finishes_is_answered_in_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = [ALICE, BOB].map(|number| {
        scene.send(text("hi").to(number));
        scene.started()
    });
    let finishes =
        [(&second, UNKNOWN), (&first, sent("x")), (&second, sent("y"))].map(|(started, outcome)| scene.a_finish(started, outcome));
    let finished = wait(scene.worker().finish(finishes.into()));
    let unknown = Settled { message: second.parcel.message, status: MessageStatus::Unknown };
    let sent = Settled { message: first.parcel.message, status: MessageStatus::Sent };
    assert_eq!(finished, [Finished::Message(unknown), Finished::Message(sent), Finished::Stale]);
}

pub(crate) fn every_kind_of_content_is_delivered_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for sent_content in crate::accept::every_content() {
        scene.send(content(sent_content.clone()));
        let started = scene.started();
        assert_eq!(started.parcel.content, sent_content);
        scene.finish(&started, sent("x"));
    }
}

pub(crate) fn jitter_lengthens_the_wait(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let started = scene.started();
    let finish = gatepost::Finish { jitter: u32::MAX, ..scene.a_finish(&started, failed(ErrorClass::Unreachable)) };
    wait(scene.worker().finish(vec![finish]));
    scene.advance(Duration::from_millis(5_499));
    assert_eq!(scene.claim(), []);
    scene.advance(MOMENT);
    assert_eq!(scene.claim().len(), 1);
}
