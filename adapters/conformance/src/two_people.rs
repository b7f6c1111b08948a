//! Two people: an account that wants two of them to release a held message.

use std::sync::Arc;

use gatepost::{AccountChange, Actor, Approval, Cause, MessageId, Policy, Release, ReviewVerdict};

use crate::Harness;
use crate::draft::{ALICE, text};
use crate::opt_out::DOUBTFUL;
use crate::scene::{Scene, limits};
use crate::words;
use crate::world::{seconds, together, wait};

/// A scene with a message that two people must release.
fn held(harness: &dyn Harness) -> (Scene, MessageId) {
    let scene = Scene::new(harness);
    scene.supervise_by_two();
    let message = scene.sent(text("hi"));
    (scene, message)
}

/// Somebody with a key of their own.
fn somebody(scene: &Scene) -> Actor {
    Actor::Key(scene.a_key().id)
}

pub(crate) fn a_first_release_is_written_down_and_sends_nothing(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let release = Release { by: somebody(&scene), ..scene.a_release(message) };
    let answer = wait(scene.store().release(release.clone(), Arc::new(Policy::default())));
    assert_eq!(words::review(&answer), "awaits a second");
    let review = scene.review(message);
    assert_eq!(review.approved, Some(Approval { at: release.now, by: release.by, note: release.note }));
    assert_eq!((review.closed, scene.status(message).as_str(), scene.claim()), (None, "held", vec![]));
    assert_eq!((scene.used(), scene.events().len()), ((0, 0), 1));
}

pub(crate) fn two_people_release_a_message(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let [one, other] = [somebody(&scene), somebody(&scene)];
    assert_eq!([one, other].map(|by| scene.release_by(by, message)), ["awaits a second", "done: queued"]);
    let review = scene.review(message);
    let by = (review.approved.map(|approval| approval.by), review.closed.map(|closing| (closing.by, closing.verdict)));
    assert_eq!(by, (Some(one), Some((other, ReviewVerdict::Released))));
    assert_eq!((scene.deliver(words::sent("x")).as_str(), scene.used()), ("sent", (1, 1)));
}

pub(crate) fn one_person_twice_is_not_two(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let one = somebody(&scene);
    scene.release_by(one, message);
    let before = scene.review(message);
    scene.advance(seconds(60));
    assert_eq!(scene.release_by(one, message), "a second is needed");
    assert_eq!((scene.review(message), scene.status(message).as_str()), (before, "held"));
}

pub(crate) fn the_app_is_one_person(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    assert_eq!([Actor::App, Actor::App].map(|by| scene.release_by(by, message)), ["awaits a second", "a second is needed"]);
    assert_eq!(scene.release_by(somebody(&scene), message), "done: queued");
}

pub(crate) fn one_person_refuses(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    assert_eq!(scene.refuse(message), "done: refused");
    let other = scene.sent(text("ho"));
    scene.release_by(somebody(&scene), other);
    assert_eq!((scene.refuse(other).as_str(), scene.claim()), ("done: refused", vec![]));
}

pub(crate) fn a_second_release_is_decided_again(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    scene.release_by(somebody(&scene), message);
    scene.suppress(ALICE, Cause::Manual);
    assert_eq!(scene.release_by(somebody(&scene), message), "forbidden: blocked by recipient_suppressed");
    assert_eq!((scene.status(message).as_str(), scene.used()), ("refused", (0, 0)));
}

pub(crate) fn a_first_release_holds_while_the_second_must_wait(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let [one, other] = [somebody(&scene), somebody(&scene)];
    scene.release_by(one, message);
    scene.limit(limits(0, 9));
    assert_eq!(scene.release_by(other, message), "forbidden: throttled by daily_limit until 2026-11-23T00:00:00Z");
    scene.limit(limits(1, 9));
    assert_eq!([one, other].map(|by| scene.release_by(by, message)), ["a second is needed", "done: queued"]);
}

pub(crate) fn a_first_release_does_not_keep_a_review_open(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    scene.release_by(somebody(&scene), message);
    scene.at(scene.review(message).expires_at);
    assert_eq!(scene.release_by(somebody(&scene), message), "closed: expired");
    assert_eq!(scene.status(message), "refused: expired");
}

pub(crate) fn a_doubt_since_the_first_release_asks_both_again(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let [one, other] = [somebody(&scene), somebody(&scene)];
    assert_eq!(scene.release_by(one, message), "awaits a second");
    scene.advance(seconds(60));
    scene.say(ALICE, DOUBTFUL);
    scene.advance(seconds(60));
    assert_eq!(scene.release_by(other, message), "forbidden: held by opt_out_suspected");
    assert_eq!((scene.status(message).as_str(), scene.review(message).approved), ("held", None));
    assert_eq!([other, one].map(|by| scene.release_by(by, message)), ["awaits a second", "done: queued"]);
}

pub(crate) fn a_second_release_names_both(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let [one, other] = [somebody(&scene), somebody(&scene)];
    assert_eq!([one, other].map(|by| scene.release_by(by, message)), ["awaits a second", "done: queued"]);
    let reviewed = scene.last_event().subject.reviewed.expect("a release");
    assert_eq!((reviewed.by, reviewed.approved_by), (other, Some(one)));
}

pub(crate) fn what_is_held_again_needs_two_people_again(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let [one, other] = [somebody(&scene), somebody(&scene)];
    assert_eq!([one, other].map(|by| scene.release_by(by, message)), ["awaits a second", "done: queued"]);
    scene.advance(seconds(60));
    scene.say(ALICE, DOUBTFUL);
    assert_eq!((scene.status(message).as_str(), scene.review(message).approved), ("held", None));
    assert_eq!([other, one].map(|by| scene.release_by(by, message)), ["awaits a second", "done: queued"]);
}

pub(crate) fn one_person_is_enough_once_the_account_wants_one(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let one = somebody(&scene);
    scene.release_by(one, message);
    scene.change_account(AccountChange { two_person_review: Some(false), ..AccountChange::default() });
    assert_eq!(scene.release_by(one, message), "done: queued");
}

/// How many of the answers are this one.
fn counted(answers: &[String], answer: &str) -> usize {
    answers.iter().filter(|given| *given == answer).count()
}

pub(crate) fn of_two_first_releases_at_once_one_is_the_second(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let people: Vec<_> = (0..8).map(|_| somebody(&scene)).collect();
    let answers = together(8, |number| scene.release_by(people[number], message));
    let counts = ["awaits a second", "done: queued", "closed: released"].map(|answer| counted(&answers, answer));
    assert_eq!((counts, scene.used()), ([1, 1, 6], (1, 1)), "{answers:?}");
    let review = scene.review(message);
    assert_ne!(review.approved.map(|approval| approval.by), review.closed.map(|closing| closing.by));
}

pub(crate) fn one_person_many_times_at_once_is_one(harness: &dyn Harness) {
    let (scene, message) = held(harness);
    let one = somebody(&scene);
    let answers = together(8, |_| scene.release_by(one, message));
    assert_eq!(["awaits a second", "a second is needed"].map(|answer| counted(&answers, answer)), [1, 7], "{answers:?}");
    assert_eq!((scene.status(message).as_str(), scene.used()), ("held", (0, 0)));
}
