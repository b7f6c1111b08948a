//! Deliveries: an event is tried until its endpoint takes it or its schedule is over, and each attempt is written down.

use std::time::Duration;

use gatepost::{
    Attempt, DeliveryId, DeliveryStatus, ErrorClass, EventDelivery, Finish, Finished, MessageStatus, Outcome, Report, Settled, Started,
};

use crate::Harness;
use crate::draft::text;
use crate::scene::{EVERYTHING, Scene};
use crate::words::{self, TAKEN, UNKNOWN, failed, sent};
use crate::world::{MOMENT, seconds, wait};

/// The waits between tries, in seconds.
const WAITS: [u64; 8] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000];

/// A scene with one endpoint, to which one event is on its way.
fn one(harness: &dyn Harness) -> (Scene, DeliveryId) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let delivery = scene.notify(endpoint).id;
    (scene, delivery)
}

fn put_off(seconds_to_wait: u64) -> Outcome {
    Outcome::Failed { class: ErrorClass::Throttled, retry_after: Some(seconds(seconds_to_wait)) }
}

/// Goes to when the delivery is tried next.
#[track_caller]
fn wait_for(scene: &Scene, delivery: DeliveryId) {
    scene.at(scene.delivery(delivery).next_at.expect("it is tried again"));
}

pub(crate) fn a_delivered_event_is_sent(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let queued = scene.delivery(id);
    scene.advance(seconds(1));
    let started = scene.take_one();
    scene.advance(seconds(1));
    scene.close(&started, TAKEN);
    let expected = EventDelivery { status: DeliveryStatus::Sent, tries: 1, next_at: None, updated_at: scene.now(), ..queued };
    assert_eq!((scene.delivery(id), scene.tries(id)), (expected, "1 sent".to_string()));
    scene.advance(seconds(3_600));
    assert_eq!((scene.take(), scene.sweep_some(9).settled), (vec![], vec![]));
}

pub(crate) fn an_attempt_keeps_what_was_seen(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let (started_at, started) = (scene.now(), scene.take_one());
    let report = Report {
        status: Some(500),
        peer: Some(([203, 0, 113, 7], 443).into()),
        took: Duration::from_micros(1_234_567),
        excerpt: Some("Café: \"no\"".to_string()),
        detail: Some("not today".to_string()),
        resent: true,
        disables: None,
    };
    scene.advance(seconds(2));
    let outcome = Outcome::Failed { class: ErrorClass::ErrorStatus, retry_after: Some(seconds(7)) };
    scene.close_with(&started, outcome.clone(), Some(report.clone()));
    let finished_at = Some(scene.now());
    let first = Attempt { number: 1, started_at, finished_at, outcome: Some(outcome), report: Some(report) };
    assert_eq!(scene.delivery_attempts(id).first(), Some(&first));
    wait_for(&scene, id);
    scene.take_one();
    let second = Attempt { number: 2, started_at: scene.now(), finished_at: None, outcome: None, report: None };
    assert_eq!(scene.delivery_attempts(id), [first, second]);
}

pub(crate) fn what_was_not_taken_is_tried_again(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let first = scene.take_one();
    scene.advance(seconds(1));
    scene.close(&first, failed(ErrorClass::ErrorStatus));
    let shown = scene.delivery(id);
    let due = scene.now().plus(seconds(5));
    assert_eq!((shown.status, shown.error, shown.tries, shown.next_at), (DeliveryStatus::Queued, None, 1, Some(due)));
    assert_eq!(shown.updated_at, scene.now());
    scene.at(due);
    let second = scene.take_one();
    assert_eq!((second.claimed.delivery, second.attempt), (id, 2));
    assert_eq!((&second.notice.event, second.notice.as_name), (&first.notice.event, first.notice.as_name));
    assert!(second.claimed.fence > first.claimed.fence, "each attempt has a fence of its own");
    scene.close(&second, TAKEN);
    assert_eq!((scene.fate(id), scene.tries(id)), ("sent".to_string(), "1 failed: error_status, 2 sent".to_string()));
}

pub(crate) fn an_event_that_may_have_arrived_is_sent_again(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    scene.tell(UNKNOWN);
    wait_for(&scene, id);
    scene.tell(TAKEN);
    assert_eq!((scene.fate(id), scene.tries(id)), ("sent".to_string(), "1 unknown: timeout, 2 sent".to_string()));
}

pub(crate) fn there_is_an_end_to_trying(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    for wait in WAITS {
        scene.tell(failed(ErrorClass::Unreachable));
        assert_eq!((scene.fate(id), scene.delivery(id).next_at), ("queued".to_string(), Some(scene.now().plus(seconds(wait)))));
        wait_for(&scene, id);
    }
    scene.tell(failed(ErrorClass::Tls));
    assert_eq!((scene.fate(id), scene.delivery(id).next_at), ("failed: tls".to_string(), None));
    assert_eq!((scene.delivery(id).tries, scene.delivery_attempts(id).len()), (9, 9));
    scene.advance(seconds(100_000));
    assert_eq!(scene.take(), []);
}

pub(crate) fn what_the_receiver_puts_off_burns_no_try(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    for times in 0..12 {
        scene.tell(put_off(90));
        let wait = (60 << times).clamp(90, 3_600);
        assert_eq!(scene.delivery(id).next_at, Some(scene.now().plus(seconds(wait))));
        wait_for(&scene, id);
    }
    for _ in WAITS {
        scene.tell(failed(ErrorClass::Unreachable));
        wait_for(&scene, id);
        scene.tell(put_off(60));
        wait_for(&scene, id);
    }
    scene.tell(failed(ErrorClass::Unreachable));
    assert_eq!((scene.fate(id), scene.delivery(id).tries), ("failed: unreachable".to_string(), 12 + 8 + 9));
    assert_eq!(scene.delivery_attempts(id).len(), 12 + 8 + 9);
}

pub(crate) fn the_wait_that_the_receiver_asked_for_is_kept(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    scene.tell(Outcome::Failed { class: ErrorClass::ErrorStatus, retry_after: Some(seconds(600)) });
    assert_eq!(scene.delivery(id).next_at, Some(scene.now().plus(seconds(600))));
    assert_eq!(scene.take(), []);
}

pub(crate) fn jitter_lengthens_the_wait_of_an_event(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let started = scene.take_one();
    let finish = Finish { jitter: u32::MAX, ..scene.a_report(&started, failed(ErrorClass::Unreachable)) };
    assert_eq!(wait(scene.worker().finish(vec![finish])), [Finished::Event { disabled: None }]);
    assert_eq!(scene.delivery(id).next_at, Some(scene.now().plus(Duration::from_millis(5_500))));
}

pub(crate) fn what_the_receiver_wants_no_more_of_ends(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    scene.tell(failed(ErrorClass::Aborted));
    assert_eq!((scene.fate(id), scene.tries(id)), ("failed: aborted".to_string(), "1 failed: aborted".to_string()));
}

pub(crate) fn a_blocked_event_ends_as_blocked(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    scene.tell(Outcome::Blocked { class: ErrorClass::Forbidden });
    assert_eq!((scene.fate(id), scene.tries(id)), ("blocked: forbidden".to_string(), "1 blocked: forbidden".to_string()));
    assert_eq!(scene.delivery(id).next_at, None);
}

pub(crate) fn a_lease_that_is_over_is_tried_again(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let first = scene.take_one();
    scene.at(first.lease.until.minus(MOMENT));
    scene.sweep();
    assert_eq!(scene.tries(id), "1 open");
    scene.at(first.lease.until);
    let changes = scene.changes();
    assert_eq!(scene.sweep(), []);
    assert_eq!((scene.fate(id), scene.tries(id)), ("queued".to_string(), "1 unknown: interrupted".to_string()));
    assert_eq!(scene.delivery_attempts(id)[0].finished_at, Some(scene.now()));
    assert_eq!(changes.recv_timeout(crate::world::PATIENCE), Ok(()), "a place at the endpoint is free");
    assert_eq!(scene.delivery(id).next_at, Some(scene.now().plus(seconds(5))));
    wait_for(&scene, id);
    let second = scene.take_one();
    assert!(second.attempt == 2 && second.claimed.fence > first.claimed.fence, "{first:?} then {second:?}");
}

pub(crate) fn a_crash_buys_no_try(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    for _ in 0..9 {
        let started = scene.take_one();
        scene.at(started.lease.until);
        scene.sweep();
        scene.at(scene.delivery(id).next_at.unwrap_or(scene.now()));
    }
    assert_eq!((scene.fate(id), scene.take()), ("failed: interrupted".to_string(), vec![]));
    assert_eq!(scene.delivery_attempts(id).len(), 9);
}

/// A finish changes nothing of a delivery, nor of its endpoint.
#[track_caller]
fn check_stale(scene: &Scene, finish: Finish) {
    let id = finish.claimed.delivery;
    let endpoint = scene.delivery(id).endpoint;
    let seen = || (scene.delivery(id), scene.delivery_attempts(id), scene.endpoint(endpoint));
    let before = seen();
    assert_eq!(wait(scene.worker().finish(vec![finish])), [Finished::Stale]);
    assert_eq!(seen(), before);
}

pub(crate) fn an_old_finish_changes_nothing(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let old = scene.take_one();
    scene.at(old.lease.until);
    scene.sweep();
    check_stale(&scene, scene.a_report(&old, TAKEN));
    wait_for(&scene, id);
    let new = scene.take_one();
    check_stale(&scene, scene.a_report(&old, failed(ErrorClass::Gone)));
    scene.close(&new, TAKEN);
    assert_eq!((scene.fate(id), scene.tries(id)), ("sent".to_string(), "1 unknown: interrupted, 2 sent".to_string()));
}

pub(crate) fn a_second_finish_of_an_event_changes_nothing(harness: &dyn Harness) {
    let (scene, _) = one(harness);
    let started = scene.take_one();
    scene.close(&started, TAKEN);
    scene.advance(seconds(1));
    check_stale(&scene, scene.a_report(&started, failed(ErrorClass::Gone)));
}

pub(crate) fn a_late_finish_of_an_event_counts_until_the_sweep(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let started = scene.take_one();
    scene.at(started.lease.until.plus(MOMENT));
    scene.close(&started, TAKEN);
    scene.sweep();
    assert_eq!(scene.fate(id), "sent");
}

pub(crate) fn what_waits_too_long_is_given_up(harness: &dyn Harness) {
    let (scene, id) = one(harness);
    let delivery = scene.delivery(id);
    scene.pause_endpoint(delivery.endpoint);
    let end = delivery.created_at.plus(gatepost::EVENT_TIME);
    scene.at(end.minus(MOMENT));
    scene.sweep();
    assert_eq!(scene.fate(id), "queued");
    scene.at(end);
    scene.sweep();
    assert_eq!((scene.fate(id), scene.delivery(id).next_at, scene.tries(id)), ("failed: expired".to_string(), None, String::new()));
}

pub(crate) fn a_sweep_closes_no_more_events_than_its_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let ids = scene.notify_often(endpoint, 5);
    scene.advance(seconds(31 * 24 * 3_600));
    let left = || ids.iter().filter(|id| scene.fate(**id) == "queued").count();
    let swept = [(); 4].map(|()| (scene.sweep_some(2).more, left()));
    assert_eq!(swept, [(true, 3), (true, 1), (false, 0), (false, 0)]);
}

pub(crate) fn a_batch_of_messages_and_events_is_answered_in_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    scene.send_all([text("one"), text("two")]);
    let ids = scene.notify_often(endpoint, 2);
    let messages = scene.claim().into_iter().map(|claimed| scene.start_now(claimed));
    let [one, two] = &messages.collect::<Vec<_>>()[..] else { panic!("two messages") };
    let events = scene.take();
    let finishes = vec![
        scene.a_report(&events[0], TAKEN),
        scene.a_finish(one, sent("x")),
        scene.a_report(&events[1], failed(ErrorClass::Aborted)),
        scene.a_finish(two, failed(ErrorClass::Refused)),
    ];
    let finished = wait(scene.worker().finish(finishes));
    let message = |started: &Started, status| Finished::Message(Settled { message: started.parcel.message, status });
    let event = Finished::Event { disabled: None };
    assert_eq!(finished, [event.clone(), message(one, MessageStatus::Sent), event, message(two, MessageStatus::Failed)]);
    let mut fates = ids.iter().map(|id| scene.fate(*id)).collect::<Vec<_>>();
    fates.sort_unstable();
    assert_eq!(fates, ["failed: aborted", "sent"]);
}

pub(crate) fn an_event_told_by_a_finish_goes_out_next(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.send(text("hi"));
    scene.tell(TAKEN);
    let started = scene.started();
    scene.advance(seconds(1));
    let changes = scene.changes();
    scene.finish(&started, sent("x"));
    assert_eq!(changes.recv_timeout(crate::world::PATIENCE), Ok(()));
    scene.tell(TAKEN);
    let fates: Vec<_> = scene.deliveries_to(endpoint).iter().map(words::delivery).collect();
    assert_eq!(fates, ["sent", "sent"]);
}
