//! Reopen: what was answered is still there after the store was closed and opened again.

use gatepost::{Cause, Endpoint, ErrorClass, MessageStatus, Progress, Rate, ReviewFilter, SuppressionFilter};

use crate::Harness;
use crate::draft::{ALICE, ALICE_ID, BOB, text};
use crate::opt_out::DOUBTFUL;
use crate::scene::{EVERYTHING, Scene, limits};
use crate::words::{TAKEN, UNKNOWN, failed, sent};
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

pub(crate) fn a_first_release_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise_by_two();
    let message = scene.sent(text("hi"));
    scene.release(message);
    let before = scene.review(message);
    let scene = scene.reopen();
    assert_eq!((scene.review(message), scene.release(message).as_str()), (before, "a second is needed"));
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

pub(crate) fn an_endpoint_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.notify(endpoint);
    scene.tell(failed(ErrorClass::Gone));
    let before = scene.endpoint(endpoint);
    let scene = scene.reopen();
    assert_eq!((scene.endpoint(endpoint), wait(scene.store().endpoints())), (before.clone(), vec![before]));
    scene.enable_endpoint(endpoint);
    scene.send(text("hi"));
    scene.tell(TAKEN);
}

pub(crate) fn an_event_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.send(text("hi"));
    let seen = |scene: &Scene| (scene.deliveries(), scene.bodies(endpoint));
    let before = seen(&scene);
    let scene = scene.reopen();
    assert_eq!(seen(&scene), before);
    scene.tell(failed(ErrorClass::Unreachable));
    let before = seen(&scene);
    let scene = scene.reopen();
    assert_eq!((seen(&scene), scene.take()), (before, vec![]));
    scene.advance(seconds(5));
    assert_eq!(scene.take_one().attempt, 2);
}

pub(crate) fn an_event_on_its_way_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.add_endpoint(Endpoint { in_flight_max: 1, ..scene.an_endpoint(&["endpoint.test"]) });
    let first = scene.notify_often(endpoint, 2)[0];
    let started = scene.take_one();
    let scene = scene.reopen();
    assert_eq!((scene.take(), scene.fate(first), scene.tries(first)), (vec![], "sending".to_string(), "1 open".to_string()));
    scene.close(&started, TAKEN);
    assert_eq!((scene.fate(first), scene.tries(first), scene.take().len()), ("sent".to_string(), "1 sent".to_string(), 1));
}

pub(crate) fn an_event_whose_worker_is_gone_is_sent_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let delivery = scene.notify(scene.listen_to_nothing()).id;
    let started = scene.take_one();
    let scene = scene.reopen();
    scene.at(started.lease.until);
    scene.sweep();
    scene.advance(seconds(5));
    let again = scene.take_one();
    assert_eq!((again.notice.event, again.attempt), (started.notice.event, 2));
    assert_eq!(scene.tries(delivery), "1 unknown: interrupted, 2 open");
}

pub(crate) fn the_rate_of_an_endpoint_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let rate = Some(Rate { count: 60, period_seconds: 60, burst: 1 });
    let endpoint = scene.add_endpoint(Endpoint { rate, ..scene.an_endpoint(&["endpoint.test"]) });
    scene.notify_often(endpoint, 2);
    assert_eq!(scene.take().len(), 1);
    let scene = scene.reopen();
    let answer = scene.answer_take(scene.a_take());
    assert_eq!((answer.started, answer.next_due), (vec![], Some(scene.now().plus(seconds(1)))));
}

pub(crate) fn what_came_in_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let said = scene.said(&[ALICE], "STOP");
    let posted = scene.post(vec![said.clone(), scene.said(&[ALICE], "START"), scene.said(&[ALICE], "STOP")]);
    let before = (scene.inbound(), scene.notification(posted.id));
    let scene = scene.reopen();
    assert_eq!((scene.inbound(), scene.notification(posted.id)), before);
    assert_eq!(scene.post(vec![said]).received.repeated, 1);
    scene.post(vec![scene.said(&[ALICE], "START")]);
    assert_eq!((scene.answer_heed(scene.a_heed()).heeded, scene.send(text("hi")).as_str()), (4, "queued"));
    let scene = scene.reopen();
    assert_eq!((scene.answer_heed(scene.a_heed()).heeded, scene.inbound().iter().any(|entry| entry.waits)), (0, false));
}

pub(crate) fn a_doubt_about_a_wish_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let held = scene.sent(text("hi"));
    scene.say(ALICE, DOUBTFUL);
    let before = scene.suspicions();
    let scene = scene.reopen();
    assert_eq!((scene.suspicions(), scene.send(text("ho")).as_str()), (before.clone(), "held"));
    assert_eq!(scene.release(held), "done: queued");
    let scene = scene.reopen();
    assert_eq!((scene.start(scene.claim_one()).as_str(), scene.suspicions()), ("started", before));
}

pub(crate) fn a_contact_of_many_addresses_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE_ID, "hi");
    scene.sent(text("hi"));
    scene.know(&[ALICE, ALICE_ID]);
    let window = scene.window(ALICE);
    let scene = scene.reopen();
    assert_eq!((scene.window(ALICE), scene.window(ALICE_ID)), (window, window));
    scene.suppress(ALICE_ID, Cause::Manual);
    assert_eq!((scene.claim(), scene.send(text("ho")).as_str()), (vec![], "blocked by recipient_suppressed"));
}

pub(crate) fn the_providers_id_of_a_message_outlives_the_store(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(sent("wamid.1"));
    let scene = scene.reopen();
    assert_eq!((scene.report(scene.reported("wamid.1", Progress::Read)).as_str(), scene.status(message).as_str()), ("read", "read"));
}
