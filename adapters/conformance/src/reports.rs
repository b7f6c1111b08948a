//! Reports: how far the provider says a message got, whenever it says so.

use gatepost::{Cause, ErrorClass, MessageId, MessageStatus, NewInbound, Progress, Settled, StatusReport, SuppressionFilter, Told};

use crate::Harness;
use crate::draft::{ALICE, ALICE_ID, text};
use crate::inbox::told;
use crate::scene::Scene;
use crate::words::{UNKNOWN, failed, sent};
use crate::world::{hours, seconds};

/// A message that the provider took, and calls so.
fn taken(scene: &Scene, external_id: &str) -> MessageId {
    let message = scene.sent(text("hi"));
    scene.deliver(sent(external_id));
    message
}

/// The provider says that a message failed, and why.
fn bounced(scene: &Scene, message: MessageId, class: Option<ErrorClass>) -> NewInbound {
    let report = StatusReport { error: class, ..crate::scene::report(Some(message), "wamid.1", Progress::Failed) };
    scene.told_of(&[], "status.failed", Told::Status(report))
}

pub(crate) fn a_message_gets_further(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = taken(&scene, "wamid.1");
    let reports = [Progress::Sent, Progress::Delivered, Progress::Read].map(|progress| scene.report(scene.reported("wamid.1", progress)));
    assert_eq!(reports, ["nothing", "delivered", "read"]);
    let found = scene.message(message);
    assert_eq!((found.status, found.error, found.external_id.as_deref()), (MessageStatus::Read, None, Some("wamid.1")));
    assert_eq!((scene.attempts(message).as_str(), scene.used()), ("1 sent", (1, 1)));
}

pub(crate) fn a_report_never_leads_back(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = taken(&scene, "wamid.1");
    let late =
        [Progress::Read, Progress::Played, Progress::Failed, Progress::Accepted, Progress::Deleted, Progress::Sent, Progress::Delivered];
    let reports = late.map(|progress| scene.report(scene.reported("wamid.1", progress)));
    assert_eq!(reports, ["read", "nothing", "nothing", "nothing", "nothing", "nothing", "nothing"]);
    assert_eq!(scene.status(message), "read");
}

pub(crate) fn reports_of_one_notification_count_in_any_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = taken(&scene, "wamid.1");
    scene.post([Progress::Read, Progress::Sent, Progress::Delivered].map(|progress| scene.reported("wamid.1", progress)).into());
    assert_eq!(scene.heed(), [Settled { message, status: MessageStatus::Read }]);
    assert_eq!(scene.status(message), "read");
}

pub(crate) fn each_step_is_told_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = taken(&scene, "wamid.1");
    let endpoint = scene.listen(&["message.status_updated"]);
    for progress in [Progress::Delivered, Progress::Delivered, Progress::Sent, Progress::Read, Progress::Played] {
        scene.report(scene.reported("wamid.1", progress));
    }
    let seen: Vec<_> = told(&scene, endpoint).iter().map(|body| (body["status"].clone(), body["previous_status"].clone())).collect();
    assert_eq!(seen, [("delivered".into(), "sent".into()), ("read".into(), "delivered".into())]);
    assert_eq!(scene.status(message), "read");
}

pub(crate) fn a_report_by_our_id_counts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [message, other] = [(); 2].map(|()| taken(&scene, "wamid.0"));
    assert_eq!(scene.report(scene.reported_of(message, Progress::Delivered)), "delivered");
    assert_eq!([message, other].map(|message| scene.status(message)), ["delivered", "sent"]);
    assert_eq!(scene.message(message).external_id.as_deref(), Some("wamid.0"), "it was known before");
}

pub(crate) fn an_id_too_long_to_be_looked_up_spoils_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endless = no_pattern(8_000);
    let [message, other] = [endless.as_str(), "wamid.2"].map(|id| taken(&scene, id));
    assert_eq!([message, other].map(|message| scene.status(message)), ["sent", "sent"]);
    assert_eq!(scene.message(message).external_id, Some(endless.clone()));
    assert_eq!(scene.report(scene.reported(&endless, Progress::Delivered)), "nothing");
    assert_eq!(scene.report(scene.reported_of(message, Progress::Delivered)), "delivered");
    assert_eq!(scene.report(scene.reported("wamid.2", Progress::Delivered)), "delivered");
}

/// Letters that nothing makes shorter.
fn no_pattern(length: usize) -> String {
    let mut state = 7_u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + u8::try_from((state >> 33) % 90).expect("below 90"))
    });
    letters.take(length).collect()
}

pub(crate) fn a_report_of_an_unknown_message_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = taken(&scene, "wamid.1");
    let unsent = scene.submission(text("ho")).message;
    assert_eq!(scene.report(scene.reported("wamid.9", Progress::Read)), "nothing");
    let named = crate::scene::report(Some(unsent), "wamid.9", Progress::Read);
    assert_eq!(scene.report(scene.told_of(&[], "status", Told::Status(named))), "nothing");
    assert_eq!(scene.status(message), "sent");
}

pub(crate) fn a_report_to_another_instance_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let message = taken(&scene, "wamid.1");
    scene.post_to(till, vec![scene.reported("wamid.1", Progress::Read), scene.reported_of(message, Progress::Read)]);
    assert_eq!((scene.heed(), scene.status(message).as_str()), (vec![], "sent"));
}

pub(crate) fn a_report_to_another_account_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let message = taken(&scene, "wamid.1");
    for instance in [neighbor.instance, scene.instance] {
        neighbor.post_to(instance, vec![neighbor.reported("wamid.1", Progress::Read), neighbor.reported_of(message, Progress::Read)]);
    }
    assert_eq!((scene.heed(), scene.status(message).as_str()), (vec![], "sent"));
}

pub(crate) fn a_report_closes_a_doubt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    assert_eq!(scene.report(scene.reported_of(message, Progress::Delivered)), "delivered");
    assert_eq!((scene.resolve(message, false).as_str(), scene.attempts(message).as_str()), ("not in doubt", "1 unknown: timeout"));
    for _ in 0..30 {
        scene.advance(hours(1));
        scene.sweep();
        assert_eq!(scene.claim(), []);
    }
    assert_eq!(
        (scene.status(message).as_str(), scene.used_at(gatepost::Mode::Live, scene.message(message).created_at)),
        ("delivered", (1, 1))
    );
}

/// The answer with the provider's id was lost; the first report brings it.
pub(crate) fn the_providers_id_is_learned_from_a_report(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    scene.report(scene.reported_of(message, Progress::Sent));
    assert_eq!(scene.message(message).external_id.as_deref(), Some("wamid.1"));
    assert_eq!((scene.report(scene.reported("wamid.1", Progress::Read)).as_str(), scene.status(message).as_str()), ("read", "read"));
}

pub(crate) fn a_doubt_that_was_left_is_closed_by_a_report(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    scene.advance(hours(24));
    scene.sweep();
    assert_eq!(
        (scene.report(scene.reported_of(message, Progress::Delivered)).as_str(), scene.status(message).as_str()),
        ("delivered", "delivered")
    );
}

pub(crate) fn a_report_ends_an_open_attempt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    assert_eq!(scene.report(scene.reported_of(message, Progress::Delivered)), "delivered");
    assert_eq!((scene.attempts(message).as_str(), scene.finish(&started, UNKNOWN).as_str()), ("1 sent", "stale"));
    scene.at(started.lease.until);
    assert_eq!((scene.sweep(), scene.status(message).as_str(), scene.claim()), (vec![], "delivered", vec![]));
    assert_eq!((scene.message(message).external_id.as_deref(), scene.used()), (Some("wamid.1"), (1, 1)));
}

pub(crate) fn a_report_of_what_went_at_once_ends_its_attempt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let place = scene.place();
    let gatepost::Answer::Accepted(accepted) = scene.accept_at_once(text("hi"), &place) else { panic!("expected a message") };
    let started = place.given().expect("it goes at once");
    assert_eq!(scene.report(scene.reported_of(accepted.message, Progress::Sent)), "sent");
    assert_eq!((scene.finish(&started, sent("wamid.1")).as_str(), scene.status(accepted.message).as_str()), ("stale", "sent"));
}

pub(crate) fn a_report_stops_another_try(harness: &dyn Harness) {
    for is_claimed in [false, true] {
        let scene = Scene::new(harness);
        let message = scene.sent(text("hi"));
        scene.deliver(failed(ErrorClass::Unreachable));
        scene.advance(seconds(5));
        let claimed = if is_claimed { scene.claim() } else { vec![] };
        assert_eq!(scene.report(scene.reported_of(message, Progress::Sent)), "sent");
        assert!(claimed.into_iter().all(|claimed| scene.start(claimed) == "stale"));
        scene.advance(hours(1));
        scene.sweep();
        assert_eq!((scene.claim(), scene.status(message).as_str(), scene.used()), (vec![], "sent", (1, 1)));
        assert_eq!(scene.attempts(message), "1 failed: unreachable");
    }
}

pub(crate) fn a_report_of_what_was_never_tried_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    for progress in Progress::ALL {
        assert_eq!(scene.report(scene.reported_of(message, progress)), "nothing", "{progress}");
    }
    let claimed = scene.claim_one();
    assert_eq!(scene.report(scene.reported_of(message, Progress::Read)), "nothing");
    assert_eq!(
        (scene.status(message).as_str(), scene.message(message).external_id, scene.start(claimed).as_str()),
        ("queued", None, "started")
    );
}

pub(crate) fn a_report_of_what_is_held_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let [held, refused] = ["one", "two"].map(|words| scene.sent(text(words)));
    scene.refuse(refused);
    for message in [held, refused] {
        assert_eq!(scene.report(scene.reported_of(message, Progress::Read)), "nothing");
    }
    assert_eq!([held, refused].map(|message| scene.status(message)), ["held", "refused"]);
}

pub(crate) fn a_failure_that_is_reported_ends_a_doubt(harness: &dyn Harness) {
    for (class, status, used) in [
        (None, "failed: undeliverable", (1, 1)),
        (Some(ErrorClass::Undeliverable), "failed: undeliverable", (1, 1)),
        (Some(ErrorClass::Unsupported), "failed: unsupported", (0, 0)),
    ] {
        let scene = Scene::new(harness);
        let message = scene.sent(text("hi"));
        scene.deliver(UNKNOWN);
        assert_eq!(scene.report(bounced(&scene, message, class)), "failed");
        assert_eq!((scene.status(message).as_str(), scene.used(), scene.claim()), (status, used, vec![]));
        assert_eq!(scene.resolve(message, true), "not in doubt");
    }
}

pub(crate) fn a_failure_that_is_reported_ends_an_open_attempt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    assert_eq!(scene.report(bounced(&scene, message, Some(ErrorClass::WindowClosed))), "failed");
    assert_eq!((scene.attempts(message).as_str(), scene.finish(&started, sent("x")).as_str()), ("1 failed: window_closed", "stale"));
    assert_eq!((scene.status(message).as_str(), scene.used()), ("failed: window_closed", (1, 1)));
}

pub(crate) fn a_failure_of_an_earlier_try_stops_no_other(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    assert_eq!(scene.report(bounced(&scene, message, None)), "nothing");
    scene.advance(seconds(5));
    assert_eq!(scene.deliver(sent("wamid.1")), "sent");
}

pub(crate) fn what_was_sent_may_fail_and_arrive_after_all(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = taken(&scene, "wamid.1");
    assert_eq!(scene.report(bounced(&scene, message, None)), "failed");
    assert_eq!((scene.status(message).as_str(), scene.used()), ("failed: undeliverable", (1, 1)));
    assert_eq!(scene.report(scene.reported("wamid.1", Progress::Sent)), "nothing");
    assert_eq!(
        (scene.report(scene.reported("wamid.1", Progress::Delivered)).as_str(), scene.status(message).as_str()),
        ("delivered", "delivered")
    );
}

pub(crate) fn a_report_lets_the_next_in_line_go(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.sent(text("one").ordered());
    let second = scene.sent(text("two").ordered());
    scene.deliver(UNKNOWN);
    assert_eq!(scene.claim(), []);
    scene.post(vec![scene.reported_of(first, Progress::Delivered)]);
    let changes = scene.changes();
    scene.heed();
    assert_eq!(changes.recv_timeout(crate::world::PATIENCE), Ok(()));
    assert_eq!(scene.started().parcel.message, second);
}

pub(crate) fn a_report_of_an_opt_out_suppresses(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    let message = taken(&scene, "wamid.1");
    let waiting = scene.sent(text("ho"));
    assert_eq!(scene.report(bounced(&scene, message, Some(ErrorClass::OptedOut))), "failed");
    assert_eq!([message, waiting].map(|message| scene.status(message)), ["failed: opted_out", "canceled: suppressed"]);
    let causes: Vec<_> = scene.suppressions(SuppressionFilter::default()).iter().map(|found| found.cause).collect();
    assert_eq!((causes, scene.told(endpoint).len()), (vec![Cause::UserPreference], 1));
    assert_eq!(scene.send(text("hey").to(ALICE)), "blocked by recipient_suppressed");
}

/// Some providers use an id again.
pub(crate) fn the_newest_message_of_an_id_is_meant(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [old, new] = [(); 2].map(|()| taken(&scene, "wamid.1"));
    assert_eq!(scene.report(scene.reported("wamid.1", Progress::Read)), "read");
    assert_eq!([old, new].map(|message| scene.status(message)), ["sent", "read"]);
}

pub(crate) fn who_a_report_calls_otherwise_is_the_same_person(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = taken(&scene, "wamid.1");
    let report = crate::scene::report(Some(message), "wamid.1", Progress::Delivered);
    assert_eq!(scene.report(scene.told_of(&["US.1349"], "status.delivered", Told::Status(report))), "delivered");
    scene.say("US.1349", "STOP");
    assert_eq!(scene.send(text("hi")), "blocked by recipient_suppressed");
}

pub(crate) fn a_report_right_behind_the_one_that_brings_its_id_shows_who_it_is_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    scene.say(ALICE_ID, "STOP");
    let second = crate::scene::report(None, "wamid.1", Progress::Delivered);
    scene.post(vec![scene.reported_of(message, Progress::Sent), scene.told_of(&[ALICE_ID], "status.delivered", Told::Status(second))]);
    scene.heed();
    assert_eq!([ALICE_ID, ALICE].map(|who| scene.send(text("ho").to(who))), ["blocked by recipient_suppressed"; 2].map(str::to_string));
}

pub(crate) fn an_opt_out_right_behind_the_report_that_brings_its_id_withdraws(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(UNKNOWN);
    let waiting = scene.sent(text("ho"));
    let stopped = StatusReport { error: Some(ErrorClass::OptedOut), ..crate::scene::report(None, "wamid.1", Progress::Failed) };
    scene.post(vec![scene.reported_of(message, Progress::Sent), scene.told_of(&[], "status.failed", Told::Status(stopped))]);
    scene.heed();
    assert_eq!(scene.status(waiting), "canceled: suppressed");
}
