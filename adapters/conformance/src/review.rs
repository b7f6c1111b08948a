//! Review: a person's answer to a held message.

use std::sync::Arc;

use gatepost::{Actor, Cause, Closing, MessageStatus, REVIEW_TIME, Review, ReviewAnswer, ReviewFilter, ReviewVerdict};

use crate::Harness;
use crate::draft::{ALICE, text};
use crate::scene::{Scene, limits};
use crate::words;
use crate::world::{MOMENT, PATIENCE, seconds, wait};

/// A scene in which a person must release each message.
fn supervised(harness: &dyn Harness) -> Scene {
    let scene = Scene::new(harness);
    scene.supervise();
    scene
}

pub(crate) fn a_held_message_waits_for_a_person(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    assert_eq!((scene.status(message).as_str(), scene.claim()), ("held", vec![]));
    let opened_at = scene.message(message).created_at;
    assert_eq!(scene.review(message), Review { message, opened_at, expires_at: opened_at.plus(REVIEW_TIME), closed: None });
}

pub(crate) fn a_released_message_goes_out(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.advance(seconds(60));
    let release = scene.a_release(message);
    let answer = wait(scene.store().release(release.clone(), Arc::new(gatepost::Policy::default())));
    assert_eq!(answer, ReviewAnswer::Done(MessageStatus::Queued));
    let closing = Closing { at: release.now, by: release.by, verdict: ReviewVerdict::Released, note: release.note };
    assert_eq!(scene.review(message).closed, Some(closing));
    assert_eq!((scene.status(message).as_str(), scene.deliver(words::sent("x")).as_str()), ("queued", "sent"));
}

pub(crate) fn a_release_is_told(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let told = scene.changes();
    scene.release(message);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(()));
}

pub(crate) fn a_refused_message_stays(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let now = scene.now();
    let refused = wait(scene.store().refuse(message, Actor::App, Some("rude".to_string()), now));
    assert_eq!((words::review(&refused).as_str(), scene.status(message).as_str()), ("done: refused", "refused"));
    let closing = Closing { at: now, by: Actor::App, verdict: ReviewVerdict::Refused, note: Some("rude".to_string()) };
    assert_eq!((scene.review(message).closed, scene.claim()), (Some(closing), vec![]));
}

pub(crate) fn what_is_not_held_cannot_be_reviewed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let queued = scene.sent(text("hi"));
    let unsent = scene.submission(text("hi")).message;
    for message in [queued, unsent] {
        assert_eq!([scene.release(message), scene.refuse(message)], ["not found", "not found"]);
    }
    assert_eq!(scene.status(queued), "queued");
}

pub(crate) fn a_review_is_closed_once(harness: &dyn Harness) {
    let scene = supervised(harness);
    let [released, refused] = ["one", "two"].map(|words| scene.sent(text(words)));
    scene.release(released);
    scene.refuse(refused);
    assert_eq!([scene.release(released), scene.refuse(released)], ["closed: released", "closed: released"]);
    assert_eq!([scene.release(refused), scene.refuse(refused)], ["closed: refused", "closed: refused"]);
    assert_eq!((scene.claim().len(), scene.used()), (1, (1, 1)));
}

pub(crate) fn a_closed_review_is_shown_as_it_is(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.release(message);
    assert_eq!(scene.answer_release(message), ReviewAnswer::Closed(scene.review(message)));
}

pub(crate) fn a_release_is_decided_again(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!(scene.release(message), "forbidden: blocked by recipient_suppressed");
    assert_eq!((scene.status(message).as_str(), scene.release(message).as_str()), ("refused", "closed: refused"));
    assert_eq!((scene.claim(), scene.used()), (vec![], (0, 0)));
}

pub(crate) fn a_release_is_a_policy_event_of_its_own(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.release(message);
    let events = scene.events();
    assert_eq!(events.iter().map(|event| (event.seq, event.subject.released)).collect::<Vec<_>>(), [(2, true), (1, false)]);
    assert!(events.iter().all(|event| event.message == Some(message) && event.decide_again() == event.decision));
}

pub(crate) fn a_release_beyond_the_quota_stays_open(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.limit(limits(0, 9));
    assert_eq!(scene.release(message), "forbidden: throttled by daily_limit until 2026-11-23T00:00:00Z");
    assert_eq!((scene.status(message).as_str(), scene.review(message).closed, scene.used()), ("held", None, (0, 0)));
    scene.limit(limits(1, 9));
    assert_eq!(scene.release(message), "done: queued");
}

pub(crate) fn a_release_with_a_fact_missing_stays_open(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi").by(scene.a_key().id));
    assert_eq!(scene.release(message), "forbidden: held by fact_missing");
    assert_eq!((scene.status(message).as_str(), scene.review(message).closed), ("held", None));
}

pub(crate) fn a_review_that_nobody_answers_expires(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let expires_at = scene.review(message).expires_at;
    scene.at(expires_at.minus(MOMENT));
    assert_eq!((scene.sweep(), scene.status(message).as_str()), (vec![], "held"));
    scene.at(expires_at);
    assert_eq!((scene.sweep(), scene.message(message).status), (vec![MessageStatus::Refused], MessageStatus::Refused));
    let closed = scene.review(message).closed.map(|closing| (closing.at, closing.verdict));
    assert_eq!((closed, scene.release(message).as_str()), (Some((expires_at, ReviewVerdict::Expired)), "closed: expired"));
    assert_eq!(scene.used(), (0, 0));
}

pub(crate) fn open_reviews_are_found(harness: &dyn Harness) {
    let scene = supervised(harness);
    let [_, second] = ["one", "two"].map(|words| scene.sent(text(words)));
    let first = scene.reviews(ReviewFilter::default())[1].message;
    scene.refuse(first);
    let open: Vec<_> = scene.reviews(ReviewFilter { open: true }).iter().map(|review| review.message).collect();
    assert_eq!((open, scene.reviews(ReviewFilter::default()).len()), (vec![second], 2));
}
