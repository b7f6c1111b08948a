//! Order: an ordered message waits for the earlier ones of its conversation.

use gatepost::{ErrorClass, MessageId};

use crate::Harness;
use crate::draft::{BOB, text};
use crate::scene::Scene;
use crate::words::{self, UNKNOWN, failed, sent};
use crate::world::{hours, seconds};

/// What a claim gives out now, as messages.
fn due(scene: &Scene) -> Vec<MessageId> {
    scene.claim().into_iter().map(|claimed| scene.start_now(claimed).parcel.message).collect()
}

pub(crate) fn an_ordered_message_waits_for_the_one_before(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second, third] = ["one", "two", "three"].map(|words| scene.sent(text(words).ordered()));
    for expected in [first, second, third] {
        let started = scene.started();
        assert_eq!((started.parcel.message, scene.claim()), (expected, vec![]));
        scene.finish(&started, sent("x"));
    }
}

pub(crate) fn an_ordered_message_waits_while_the_one_before_is_tried_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = ["one", "two"].map(|words| scene.sent(text(words).ordered()));
    scene.deliver(failed(ErrorClass::Unreachable));
    assert_eq!(scene.claim(), []);
    scene.advance(seconds(5));
    let started = scene.started();
    assert_eq!(started.parcel.message, first);
    scene.finish(&started, sent("x"));
    assert_eq!(due(&scene), [second]);
}

pub(crate) fn an_ordered_message_waits_for_a_doubt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = ["one", "two"].map(|words| scene.sent(text(words).ordered()));
    scene.deliver(UNKNOWN);
    scene.advance(hours(1));
    assert_eq!(scene.claim(), []);
    scene.resolve(first, true);
    assert_eq!(due(&scene), [second]);
}

pub(crate) fn a_failed_message_lets_the_next_one_go(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [_, second] = ["one", "two"].map(|words| scene.sent(text(words).ordered()));
    scene.deliver(failed(ErrorClass::Refused));
    assert_eq!(due(&scene), [second]);
}

pub(crate) fn conversations_do_not_wait_for_each_other(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    scene.send_all([text("one").ordered(), text("two").ordered().to(BOB), text("three").ordered().via(till)]);
    assert_eq!(due(&scene).len(), 3);
}

pub(crate) fn what_is_not_ordered_waits_for_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one").ordered(), text("two"), text("three").ordered()]);
    assert_eq!(due(&scene).len(), 2);
}

pub(crate) fn an_ordered_message_does_not_go_at_once_behind_another(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("one").ordered());
    let place = scene.place();
    assert_eq!(words::answer(&scene.accept_at_once(text("two").ordered(), &place)), "queued");
    assert!(place.is_free());
}

pub(crate) fn an_ordered_message_goes_at_once_when_it_is_the_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("not ordered"));
    let place = scene.place();
    assert_eq!(words::answer(&scene.accept_at_once(text("one").ordered(), &place)), "sending");
    let next = scene.place();
    assert_eq!(words::answer(&scene.accept_at_once(text("two").ordered(), &next)), "queued");
    assert!(place.given().is_some() && next.is_free());
}

pub(crate) fn a_batch_that_goes_at_once_keeps_its_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let places = [scene.place(), scene.place()];
    let batch = places.iter().map(|place| scene.submission_at_once(text("hi").ordered(), place)).collect();
    let answers = scene.accept_all(batch, std::sync::Arc::new(gatepost::Policy::default()));
    assert_eq!(answers.iter().map(words::answer).collect::<Vec<_>>(), ["sending", "queued"]);
    assert_eq!(places.map(|place| place.given().is_some()), [true, false]);
}

pub(crate) fn released_messages_keep_their_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let [first, second] = ["one", "two"].map(|words| scene.sent(text(words).ordered()));
    assert_eq!([scene.release(first), scene.release(second)], ["done: queued", "done: queued"]);
    assert_eq!(due(&scene), [first]);
}

pub(crate) fn what_is_given_back_keeps_its_place(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, _] = ["one", "two"].map(|words| scene.sent(text(words).ordered()));
    scene.give_back(scene.claim_one());
    assert_eq!(due(&scene), [first]);
}

pub(crate) fn a_part_of_what_is_overdue_is_closed_whole(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.sent(text("one").ordered());
    let second = scene.sent(text("two").ordered());
    let others: Vec<_> = (0..4).map(|_| scene.sent(text("hi").to(BOB))).collect();
    let mut claimed = scene.claim();
    // The later ones first, so that they are found first where their leases end at one moment.
    claimed.reverse();
    scene.start_all(claimed);
    scene.advance(hours(25));
    while scene.sweep_some(1).more {}
    let attempts: Vec<_> = others.into_iter().chain([first]).map(|message| scene.attempts(message)).collect();
    assert_eq!((attempts, scene.status(second)), (vec!["1 unknown: interrupted".to_string(); 5], "expired: expired".to_string()));
}
