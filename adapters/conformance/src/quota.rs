//! Quota: what is charged, in which window, and what is returned.

use gatepost::{AccountChange, Answer, Calendar, Cause, ErrorClass, Limits, MessageId, MessageStatus, Mode, Schedule, Zone};

use crate::Harness;
use crate::draft::{ALICE, BOB, text};
use crate::scene::{Scene, limits};
use crate::words::{UNKNOWN, failed, sent};
use crate::world::{MOMENT, hours, seconds, wait};

pub(crate) fn an_allowed_message_is_charged_once(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(7, 70));
    let Answer::Accepted(accepted) = scene.accept(text("hi")) else { panic!("expected a message") };
    assert_eq!((accepted.quota.usage.day, accepted.quota.usage.month, accepted.quota.limits), (1, 1, limits(7, 70)));
    assert_eq!(scene.used(), (1, 1));
    scene.deliver(sent("x"));
    assert_eq!(scene.used(), (1, 1));
}

pub(crate) fn a_batch_is_charged_message_by_message(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(2, 9));
    let answers = scene.send_all([text("one"), text("two"), text("three")]);
    assert_eq!(answers, ["queued", "queued", "throttled by daily_limit until 2026-11-23T00:00:00Z"]);
    assert_eq!(scene.used(), (2, 2));
}

pub(crate) fn a_used_up_day_ends_at_midnight(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    scene.send(text("one"));
    scene.at("2026-11-22T23:59:59.999Z");
    assert_eq!(scene.send(text("two")), "throttled by daily_limit until 2026-11-23T00:00:00Z");
    scene.at("2026-11-23T00:00:00Z");
    assert_eq!((scene.used(), scene.send(text("three"))), ((0, 1), "queued".to_string()));
    assert_eq!(scene.used(), (1, 2));
}

pub(crate) fn a_used_up_month_ends_with_it(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(9, 1));
    scene.send(text("one"));
    scene.at("2026-11-30T23:59:59.999Z");
    assert_eq!(scene.send(text("two")), "throttled by monthly_limit until 2026-12-01T00:00:00Z");
    scene.at("2026-12-01T00:00:00Z");
    assert_eq!((scene.used(), scene.send(text("three"))), ((0, 0), "queued".to_string()));
}

pub(crate) fn a_day_begins_in_the_zone_of_the_account(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    scene.change_account(AccountChange { calendar: Some(Calendar::new(zone("Asia/Riyadh"))), ..AccountChange::default() });
    scene.send(text("one"));
    assert_eq!(scene.send(text("two")), "throttled by daily_limit until 2026-11-22T21:00:00Z");
    scene.at("2026-11-22T21:00:00Z");
    assert_eq!(scene.send(text("three")), "queued");
}

pub(crate) fn a_change_of_zone_counts_from_the_next_month(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    let calendar = Calendar::new(Zone::utc()).change(zone("Asia/Riyadh"), scene.now());
    let changed = scene.change_account(AccountChange { calendar: Some(calendar.clone()), ..AccountChange::default() });
    assert_eq!(changed.calendar, calendar);
    scene.send(text("one"));
    assert_eq!(scene.send(text("two")), "throttled by daily_limit until 2026-11-23T00:00:00Z");
    scene.at("2026-12-02T12:00:00Z");
    scene.send(text("three"));
    assert_eq!(scene.send(text("four")), "throttled by daily_limit until 2026-12-02T21:00:00Z");
}

fn zone(name: &str) -> Zone {
    name.parse().expect("a zone")
}

pub(crate) fn other_limits_count_at_once(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    scene.send(text("one"));
    scene.limit(limits(2, 9));
    assert_eq!(scene.send(text("two")), "queued");
}

pub(crate) fn test_messages_have_a_usage_of_their_own(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    assert_eq!(scene.send_all([text("one"), text("two").test()]), ["queued", "queued"]);
    assert_eq!((scene.used(), scene.used_at(Mode::Test, scene.now())), ((1, 1), (1, 1)));
    assert_eq!(scene.send(text("three").test()), "throttled by daily_limit until 2026-11-23T00:00:00Z");
}

pub(crate) fn an_account_that_nobody_made_has_no_usage(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(wait(scene.nobody().store().usage(Mode::Live, scene.now())), None);
}

pub(crate) fn a_refused_message_is_not_charged(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    scene.send(text("Buy!").purpose("bulk_campaign"));
    assert_eq!(scene.used(), (0, 0));
    scene.send_all([text("one"), text("a throttled one")]);
    assert_eq!(scene.used(), (1, 1));
}

pub(crate) fn a_held_message_is_charged_when_released(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    assert_eq!(scene.used(), (0, 0));
    let yesterday = scene.now();
    scene.at("2026-11-23T09:00:00Z");
    assert_eq!(scene.release(message), "done: queued");
    assert_eq!((scene.used(), scene.used_at(Mode::Live, yesterday)), ((1, 1), (0, 1)));
}

pub(crate) fn a_released_message_that_is_canceled_is_returned(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    scene.release(message);
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!((scene.status(message).as_str(), scene.used()), ("canceled: suppressed", (0, 0)));
}

pub(crate) fn a_held_message_that_is_refused_is_never_charged(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    scene.refuse(message);
    assert_eq!(scene.used(), (0, 0));
}

pub(crate) fn a_second_try_is_not_charged(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    assert_eq!(scene.used(), (1, 1));
    scene.advance(seconds(5));
    scene.deliver(sent("x"));
    assert_eq!(scene.used(), (1, 1));
}

pub(crate) fn a_canceled_message_is_returned(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let claimed = scene.claim_one();
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!(scene.used(), (0, 0));
    assert_eq!((scene.start(claimed).as_str(), scene.used()), ("stale", (0, 0)));
}

pub(crate) fn an_expired_message_is_returned(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let charged_at = scene.message(message).created_at;
    scene.advance(hours(24));
    scene.sweep();
    assert_eq!((scene.status(message).as_str(), scene.used_at(Mode::Live, charged_at)), ("expired: expired", (0, 0)));
}

pub(crate) fn a_message_that_failed_on_every_try_is_returned(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    for _ in 0..Schedule::WHATSAPP.tries() {
        assert_eq!(scene.used(), (1, 1));
        scene.deliver(failed(ErrorClass::Unreachable));
        scene.advance(seconds(1_800));
    }
    assert_eq!((scene.status(message).as_str(), scene.used()), ("failed: unreachable", (0, 0)));
}

pub(crate) fn a_message_without_a_transport_is_returned(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    assert_eq!((scene.deliver(failed(ErrorClass::NoTransport)), scene.used()), ("failed".to_string(), (0, 0)));
}

pub(crate) fn what_the_provider_refused_stays_charged(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    assert_eq!((scene.deliver(failed(ErrorClass::Refused)), scene.used()), ("failed".to_string(), (1, 1)));
}

pub(crate) fn what_is_in_doubt_stays_charged(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let charged_at = scene.message(message).created_at;
    scene.deliver(UNKNOWN);
    assert_eq!(scene.used(), (1, 1));
    scene.advance(hours(25));
    scene.sweep();
    assert_eq!((scene.message(message).status, scene.used_at(Mode::Live, charged_at)), (MessageStatus::Unknown, (1, 1)));
}

pub(crate) fn a_doubt_resolved_as_not_sent_is_returned(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [lost, found] = in_doubt(&scene);
    scene.resolve(found, true);
    assert_eq!(scene.used(), (2, 2));
    scene.resolve(lost, false);
    assert_eq!(scene.used(), (1, 1));
}

fn in_doubt(scene: &Scene) -> [MessageId; 2] {
    [ALICE, BOB].map(|recipient| {
        let message = scene.sent(text("hi").to(recipient));
        scene.deliver(UNKNOWN);
        message
    })
}

pub(crate) fn what_never_reached_the_provider_is_returned_to_the_window_it_was_charged_in(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.at("2026-11-30T23:00:00Z");
    let last_month = scene.now();
    scene.send(text("hi"));
    scene.at("2026-12-01T00:00:00Z");
    scene.send(text("hi").to(BOB));
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!((scene.used(), scene.used_at(Mode::Live, last_month)), ((1, 1), (0, 0)));
}

pub(crate) fn a_charge_is_returned_over_midnight_within_the_month(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.at("2026-11-23T00:00:00Z");
    scene.send(text("hi").to(BOB));
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!(scene.used(), (1, 1));
}

pub(crate) fn a_test_message_is_returned_to_the_usage_of_tests(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi"), text("hi").test().to(BOB)]);
    scene.suppress(BOB, Cause::Keyword);
    assert_eq!((scene.used(), scene.used_at(Mode::Test, scene.now())), ((1, 1), (0, 0)));
}

pub(crate) fn a_charge_is_returned_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one"), text("two").to(BOB)]);
    let claimed = scene.claim();
    for _ in 0..2 {
        scene.suppress(ALICE, Cause::Keyword);
        scene.start_all(claimed.clone());
        scene.sweep();
        assert_eq!(scene.used(), (1, 1));
    }
}

pub(crate) fn what_was_returned_may_be_used_again(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 1));
    scene.send(text("hi"));
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!(scene.send(text("hi").to(BOB)), "queued");
    scene.advance(MOMENT);
    assert_eq!(scene.used(), (1, 1));
}

pub(crate) fn the_answer_to_a_throttled_message_says_what_is_left(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    scene.send(text("one"));
    let Answer::Refused { quota, .. } = scene.accept(text("two")) else { panic!("expected a refusal") };
    let expected: Limits = limits(1, 9);
    assert_eq!((quota.limits, quota.usage.day, quota.usage.month), (expected, 1, 1));
}
