//! Retention: what is finished is forgotten when its time is over, and nothing else is.

use gatepost::{MessageId, Retention, ReviewFilter, Timestamp};

use crate::Harness;
use crate::draft::{BOB, text};
use crate::scene::Scene;
use crate::words::{UNKNOWN, sent};
use crate::world::{MOMENT, hours, wait};

const NEVER: Timestamp = Timestamp::from_millis(0);

fn finished(scene: &Scene) -> MessageId {
    let message = scene.sent(text("hi"));
    scene.deliver(sent("x"));
    message
}

pub(crate) fn the_content_of_a_finished_message_is_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = finished(&scene);
    let before = scene.message(message);
    scene.advance(hours(1));
    assert_eq!(scene.retain(scene.now(), NEVER), 1);
    assert_eq!(scene.message(message), gatepost::Message { content: None, ..before });
    assert_eq!((scene.attempts(message).as_str(), scene.events().len()), ("1 sent", 1));
    assert_eq!(scene.retain(scene.now(), NEVER), 0);
}

pub(crate) fn what_is_not_old_enough_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = finished(&scene);
    let created_at = scene.message(message).created_at;
    assert_eq!(scene.retain(created_at, created_at), 0);
    assert!(scene.message(message).content.is_some());
    scene.retain(created_at.plus(MOMENT), NEVER);
    assert!(scene.message(message).content.is_none());
}

pub(crate) fn what_is_not_finished_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let in_doubt = scene.sent(text("in doubt"));
    scene.deliver(UNKNOWN);
    let queued = scene.sent(text("queued").to(BOB));
    scene.supervise();
    let held = scene.sent(text("held"));
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    for message in [in_doubt, queued, held] {
        assert!(scene.message(message).content.is_some());
    }
    assert_eq!((scene.attempts(in_doubt).as_str(), scene.reviews(ReviewFilter::default()).len()), ("1 unknown: timeout", 1));
    assert_eq!((scene.release(held).as_str(), scene.resolve(in_doubt, true).as_str()), ("done: queued", "sent"));
    assert_eq!(scene.claim().len(), 2);
}

pub(crate) fn old_logs_are_removed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sent = finished(&scene);
    scene.send(text("Buy!").purpose("marketing"));
    scene.supervise();
    let refused = scene.sent(text("held"));
    scene.refuse(refused);
    scene.advance(hours(1));
    assert!(scene.retain(scene.now(), scene.now()) > 0);
    assert_eq!((scene.messages(), scene.events(), scene.reviews(ReviewFilter::default())), (vec![], vec![], vec![]));
    assert_eq!((scene.find(sent), scene.attempts(sent).as_str(), scene.release(refused).as_str()), (None, "", "not found"));
    assert_eq!(scene.retain(scene.now(), scene.now()), 0);
}

pub(crate) fn young_logs_are_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    finished(&scene);
    scene.advance(hours(1));
    let between = scene.now();
    let young = finished(&scene);
    scene.retain(between, between);
    assert_eq!(scene.messages().iter().map(|message| message.id).collect::<Vec<_>>(), [young]);
    assert_eq!((scene.attempts(young).as_str(), scene.events().len()), ("1 sent", 1));
}

pub(crate) fn the_log_goes_on_counting(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    finished(&scene);
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    scene.send(text("hi"));
    assert_eq!(scene.last_event().seq, 2);
}

pub(crate) fn no_more_is_forgotten_than_the_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let messages = [finished(&scene), finished(&scene)];
    let elsewhere = finished(&neighbor);
    scene.advance(hours(1));
    let retention = Retention { content_before: scene.now(), logs_before: NEVER };
    let forgotten = [2, 2, 2].map(|limit| wait(scene.worker().retain(retention, limit)));
    assert_eq!(forgotten, [2, 1, 0]);
    assert!(messages.iter().all(|message| scene.message(*message).content.is_none()));
    assert!(neighbor.message(elsewhere).content.is_none());
}

pub(crate) fn what_was_used_is_not_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    finished(&scene);
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    assert_eq!(scene.used(), (1, 1));
}
