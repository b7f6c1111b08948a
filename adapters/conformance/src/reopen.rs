//! Reopen: what was answered is still there after the store was closed and opened again.

use gatepost::{Cause, MessageStatus, ReviewFilter, SuppressionFilter};

use crate::Harness;
use crate::draft::{ALICE, BOB, text};
use crate::scene::{Scene, limits};
use crate::words::{UNKNOWN, sent};
use crate::world::{MOMENT, seconds, wait};

pub(crate) fn an_accepted_message_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.sent(text("hi"));
    let before = (scene.message(id), scene.events(), scene.used());
    let scene = scene.reopen();
    assert_eq!((scene.message(id), scene.events(), scene.used()), before);
    assert_eq!(scene.deliver(sent("x")), "sent");
}

pub(crate) fn an_idempotency_key_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").under("k"));
    let scene = scene.reopen();
    assert_eq!(scene.send_all([text("hi").under("k"), text("ho").under("k")]), ["repeated, queued", "key reused"]);
}

pub(crate) fn a_suppression_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let suppression = scene.suppress(ALICE, Cause::Keyword);
    let scene = scene.reopen();
    assert_eq!(scene.suppressions(SuppressionFilter::default()), [suppression]);
    assert_eq!(scene.send(text("hi")), "blocked by recipient_suppressed");
}

pub(crate) fn a_quota_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    scene.send(text("hi"));
    let scene = scene.reopen();
    assert_eq!(scene.send(text("ho")), "throttled by daily_limit until 2026-11-23T00:00:00Z");
}

pub(crate) fn an_open_attempt_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    let scene = scene.reopen();
    assert_eq!((scene.claim(), scene.attempts(message).as_str()), (vec![], "1 open"));
    scene.at(started.lease.until.minus(MOMENT));
    scene.sweep();
    assert_eq!((scene.finish(&started, sent("x")), scene.status(message)), ("sent".to_string(), "sent".to_string()));
}

pub(crate) fn what_was_in_flight_is_in_doubt_and_not_sent_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    let scene = scene.reopen();
    scene.at(started.lease.until);
    scene.sweep();
    assert_eq!((scene.message(message).status, scene.attempts(message).as_str()), (MessageStatus::Unknown, "1 unknown: interrupted"));
    scene.advance(seconds(3_600));
    assert_eq!(scene.claim(), []);
}

pub(crate) fn a_claim_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let claimed = scene.claim_one();
    let scene = scene.reopen();
    assert_eq!((scene.claim(), scene.start(claimed)), (vec![], "started".to_string()));
}

pub(crate) fn a_held_message_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    let before = scene.reviews(ReviewFilter::default());
    let scene = scene.reopen();
    assert_eq!((scene.reviews(ReviewFilter::default()), scene.release(message)), (before, "done: queued".to_string()));
}

pub(crate) fn a_doubt_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    let scene = scene.reopen();
    assert_eq!((scene.claim(), scene.resolve(message, true)), (vec![], "sent".to_string()));
}

pub(crate) fn a_key_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let key = scene.add_key();
    let revoked = scene.revoke(key.id);
    let scene = scene.reopen();
    assert_eq!(wait(scene.worker().key(key.id)), revoked);
}

pub(crate) fn the_order_of_a_conversation_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one").ordered(), text("two").ordered(), text("three").ordered().to(BOB)]);
    let scene = scene.reopen();
    assert_eq!(scene.claim().len(), 2);
}

pub(crate) fn the_log_counts_on(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one"), text("two").purpose("marketing")]);
    let scene = scene.reopen();
    scene.send(text("three"));
    assert_eq!(scene.events().iter().map(|event| event.seq).collect::<Vec<_>>(), [3, 2, 1]);
}
