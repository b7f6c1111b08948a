//! Fence: whoever comes too late changes nothing.

use gatepost::{Claimed, DeliveryId, ErrorClass, MessageStatus};

use crate::Harness;
use crate::draft::text;
use crate::scene::Scene;
use crate::words::{failed, sent};
use crate::world::{MOMENT, seconds};

pub(crate) fn a_claim_raises_the_fence(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let first = scene.claim_one();
    scene.give_back(first);
    let second = scene.claim_one();
    assert!(second.delivery == first.delivery && second.fence > first.fence, "{first:?} then {second:?}");
}

pub(crate) fn a_start_with_an_old_fence_is_stale(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let old = scene.claim_one();
    scene.give_back(old);
    assert_eq!(scene.start(old), "stale");
    let new = scene.claim_one();
    assert_eq!((scene.start(old), scene.attempts(message)), ("stale".to_string(), String::new()));
    assert_eq!(scene.start(new), "started");
}

pub(crate) fn a_finish_with_an_old_fence_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let old = scene.started();
    scene.finish(&old, failed(ErrorClass::Throttled));
    scene.advance(seconds(5));
    let new = scene.started();
    let before = scene.message(message);
    scene.advance(seconds(1));
    assert_eq!(scene.finish(&old, sent("x")), "stale");
    assert_eq!((scene.message(message), scene.attempts(message).as_str()), (before, "1 failed: throttled, 2 open"));
    assert_eq!(scene.finish(&new, sent("y")), "sent");
}

pub(crate) fn a_second_start_is_stale(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    assert_eq!([scene.start(claimed), scene.start(claimed)], ["started", "stale"]);
    assert_eq!(scene.attempts(message), "1 open");
}

pub(crate) fn the_same_claim_twice_in_a_batch_starts_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    let answers = scene.start_all(vec![claimed, claimed]);
    assert_eq!(answers.iter().map(crate::words::start).collect::<Vec<_>>(), ["started", "stale"]);
    assert_eq!(scene.attempts(message), "1 open");
}

pub(crate) fn a_second_finish_is_stale(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    assert_eq!([scene.finish(&started, sent("x")), scene.finish(&started, failed(ErrorClass::Refused))], ["sent", "stale"]);
    assert_eq!((scene.status(message).as_str(), scene.attempts(message).as_str()), ("sent", "1 sent"));
}

pub(crate) fn a_finish_after_the_sweep_is_stale(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.at(started.lease.until);
    scene.sweep();
    assert_eq!(scene.finish(&started, sent("x")), "stale");
    assert_eq!((scene.message(message).status, scene.attempts(message).as_str()), (MessageStatus::Unknown, "1 unknown: interrupted"));
}

pub(crate) fn a_late_finish_counts_until_the_sweep(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let started = scene.started();
    scene.at(started.lease.until.plus(MOMENT));
    assert_eq!(scene.finish(&started, sent("x")), "sent");
}

pub(crate) fn what_was_not_claimed_cannot_be_started(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let invented = Claimed { account: scene.account, delivery: scene.id(DeliveryId::new), fence: 1 };
    assert_eq!(scene.start(invented), "stale");
    let unclaimed = scene.submission(text("ho"));
    let claimed = Claimed { account: scene.account, delivery: unclaimed.delivery, fence: 0 };
    scene.accept_one(unclaimed);
    assert_eq!(scene.start(claimed), "stale");
}

pub(crate) fn what_was_not_started_cannot_be_finished(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.finish(&started, failed(ErrorClass::Unreachable));
    scene.advance(seconds(5));
    let claimed = scene.claim_one();
    let unstarted = gatepost::Started { claimed, attempt: 2, ..started };
    assert_eq!((scene.finish(&unstarted, sent("x")), scene.status(message).starts_with("queued")), ("stale".to_string(), true));
}

pub(crate) fn giving_back_with_an_old_fence_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let old = scene.claim_one();
    scene.give_back(old);
    let new = scene.claim_one();
    scene.give_back(old);
    assert_eq!((scene.claim(), scene.start(new)), (vec![], "started".to_string()));
}

pub(crate) fn a_started_attempt_is_not_given_back(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.give_back(started.claimed);
    assert_eq!((scene.claim(), scene.attempts(message)), (vec![], "1 open".to_string()));
    assert_eq!(scene.finish(&started, sent("x")), "sent");
}
