//! Velocity: how fast an account, an instance and a recipient go.

use gatepost::{Limits, Rate};

use crate::Harness;
use crate::draft::{BOB, text};
use crate::scene::{Scene, limits};

/// One message a minute, one at a time.
const SLOWLY: Option<Rate> = Some(Rate { count: 1, period_seconds: 60, burst: 1 });

pub(crate) fn an_account_goes_no_faster_than_its_rate(harness: &dyn Harness) {
    let scene = Scene::limited(harness, Limits { account_rate: SLOWLY, ..limits(9, 9) });
    assert_eq!(scene.send(text("one")), "queued");
    let second = scene.send(text("two").to(BOB).via(scene.add_instance("till")));
    assert!(second.starts_with("throttled by account_velocity until 2026-11-22T12:01:00"), "{second}");
}

pub(crate) fn each_instance_has_a_rate_of_its_own(harness: &dyn Harness) {
    let scene = Scene::limited(harness, Limits { instance_rate: SLOWLY, ..limits(9, 9) });
    let till = scene.add_instance("till");
    assert_eq!(scene.send_all([text("one"), text("two").to(BOB).via(till)]), ["queued", "queued"]);
    let third = scene.send(text("three").to(BOB));
    assert!(third.starts_with("throttled by instance_velocity until 2026-11-22T12:01:00"), "{third}");
}

pub(crate) fn each_recipient_has_a_rate_of_their_own(harness: &dyn Harness) {
    let scene = Scene::limited(harness, Limits { recipient_rate: SLOWLY, ..limits(9, 9) });
    assert_eq!(scene.send_all([text("one"), text("two").to(BOB)]), ["queued", "queued"]);
    let third = scene.send(text("three").to(BOB));
    assert!(third.starts_with("throttled by recipient_velocity until 2026-11-22T12:01:00"), "{third}");
}

pub(crate) fn each_account_has_a_rate_of_its_own(harness: &dyn Harness) {
    let slow = Limits { account_rate: SLOWLY, instance_rate: SLOWLY, recipient_rate: SLOWLY, ..limits(9, 9) };
    let scene = Scene::limited(harness, slow);
    let neighbor = scene.neighbor();
    neighbor.limit(slow);
    assert_eq!([scene.send(text("hi")), neighbor.send(text("hi"))], ["queued", "queued"]);
}

pub(crate) fn a_batch_is_as_fast_as_its_messages(harness: &dyn Harness) {
    let scene = Scene::limited(harness, Limits { account_rate: Some(Rate { burst: 2, ..Rate::per_minute(60) }), ..limits(9, 9) });
    let answers = scene.send_all([text("one"), text("two"), text("three")]);
    assert_eq!(answers[..2], ["queued", "queued"]);
    assert!(answers[2].starts_with("throttled by account_velocity until 2026-11-22T12:00:01"), "{}", answers[2]);
}

pub(crate) fn a_refused_message_takes_no_time(harness: &dyn Harness) {
    let scene = Scene::limited(harness, Limits { account_rate: SLOWLY, ..limits(9, 9) });
    scene.send(text("Buy!").purpose("marketing"));
    assert_eq!(scene.send(text("one")), "queued");
    let until = scene.send(text("too soon"));
    assert_eq!(scene.send(text("too soon again")), until);
    scene.at(until.rsplit(' ').next().unwrap_or_default());
    assert_eq!(scene.send(text("two")), "queued");
}

pub(crate) fn a_held_message_takes_its_time_when_released(harness: &dyn Harness) {
    let scene = Scene::limited(harness, Limits { account_rate: SLOWLY, ..limits(9, 9) });
    scene.supervise();
    let (first, second) = (scene.sent(text("one")), scene.sent(text("two")));
    assert_eq!(scene.release(first), "done: queued");
    let answer = scene.release(second);
    assert!(answer.starts_with("forbidden: throttled by account_velocity until 2026-11-22T12:01:00"), "{answer}");
}
