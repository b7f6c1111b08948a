//! Idempotency: the same request under the same key is one message.

use gatepost::{Answer, ApiKey, Cause, Fact, IDEMPOTENCY_TIME, KeyState};

use crate::Harness;
use crate::draft::{ALICE, BOB, text};
use crate::scene::{Scene, limits};
use crate::words;
use crate::world::{MOMENT, seconds, wait};

pub(crate) fn a_repeat_gets_the_same_message(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let Answer::Accepted(first) = scene.accept(text("hi").under("k")) else { panic!("expected a message") };
    let repeat = Answer::Repeated { message: first.message, log_id: first.log_id, status: first.status };
    assert_eq!(scene.accept(text("hi").under("k")), repeat);
    assert_eq!((scene.messages().len(), scene.claim().len()), (1, 1));
}

pub(crate) fn a_repeat_is_charged_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").under("k"));
    scene.send(text("hi").under("k"));
    assert_eq!((scene.used(), scene.events().len()), ((1, 1), 1));
}

pub(crate) fn a_repeat_tells_the_present_status(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").under("k"));
    scene.deliver(words::sent("x"));
    assert_eq!(scene.send(text("hi").under("k")), "repeated, sent");
}

pub(crate) fn a_repeat_is_not_decided_again(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 1));
    scene.send(text("hi").under("k"));
    scene.suppress(ALICE, Cause::Legal);
    assert_eq!(scene.send(text("hi").under("k")), "repeated, canceled");
}

pub(crate) fn another_request_under_the_same_key_is_turned_away(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").under("k"));
    assert_eq!(scene.send(text("ho").under("k")), "key reused");
    assert_eq!(scene.send(text("hi").to(BOB).under("k")), "key reused");
    assert_eq!((scene.messages().len(), scene.used(), scene.events().len()), (1, (1, 1), 1));
}

pub(crate) fn a_test_message_does_not_stand_for_a_live_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").test().under("k"));
    assert_eq!(scene.send(text("hi").under("k")), "key reused");
}

pub(crate) fn the_key_is_looked_at_before_the_instance(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").under("k"));
    assert_eq!(scene.send(text("hi").via("nowhere").under("k")), "key reused");
}

pub(crate) fn a_key_that_is_no_longer_in_force_gets_no_repeat(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let expires_at = scene.now().plus(seconds(60));
    let expiring = ApiKey { expires_at: Some(expires_at), ..scene.a_key() };
    wait(scene.store().add_key(expiring.clone()));
    let revoked = scene.add_key();
    for key in [expiring.id, revoked.id] {
        assert_eq!(scene.send(text("hi").under("k").by(key)), if key == expiring.id { "queued" } else { "repeated, queued" });
    }
    scene.revoke(revoked.id);
    scene.at(expires_at);
    for (key, state) in [(expiring.id, KeyState::Expired), (revoked.id, KeyState::Revoked)] {
        for words in ["hi", "ho"] {
            let answer = scene.accept(text(words).under("k").by(key));
            assert_eq!(words::answer(&answer), "blocked by key_not_in_force");
            assert!(matches!(answer, Answer::Refused { key: Fact::Known(found), .. } if found == state), "{answer:?}");
        }
    }
    assert_eq!(scene.send(text("hi").under("k")), "repeated, queued");
}

pub(crate) fn a_key_is_bound_for_a_day(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi").under("k"));
    let free_at = scene.message(message).created_at.plus(IDEMPOTENCY_TIME);
    scene.at(free_at.minus(MOMENT));
    assert_eq!(scene.send(text("hi").under("k")), "repeated, queued");
    scene.at(free_at);
    assert_eq!(scene.send(text("ho").under("k")), "queued");
    assert_eq!(scene.send(text("ho").under("k")), "repeated, queued");
}

pub(crate) fn a_sweep_forgets_only_keys_that_are_free(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi").under("k"));
    scene.deliver(words::sent("x"));
    let free_at = scene.message(message).created_at.plus(IDEMPOTENCY_TIME);
    scene.at(free_at.minus(MOMENT));
    scene.sweep();
    assert_eq!(scene.send(text("hi").under("k")), "repeated, sent");
    scene.at(free_at);
    scene.sweep();
    assert_eq!(scene.send(text("ho").under("k")), "queued");
}

pub(crate) fn a_refused_message_binds_no_key(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let suppression = scene.suppress(ALICE, Cause::Manual);
    assert_eq!(scene.send(text("hi").under("k")), "blocked by recipient_suppressed");
    scene.lift(suppression.id);
    assert_eq!(scene.send(text("ho").under("k")), "queued");
}

pub(crate) fn a_throttled_message_binds_no_key(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(0, 9));
    scene.send(text("hi").under("k"));
    scene.limit(limits(9, 9));
    assert_eq!(scene.send(text("hi").under("k")), "queued");
}

pub(crate) fn a_held_message_binds_its_key(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi").under("k"));
    assert_eq!(scene.send(text("hi").under("k")), "repeated, held");
    scene.refuse(message);
    assert_eq!(scene.send(text("hi").under("k")), "repeated, refused");
}

pub(crate) fn a_key_twice_in_a_batch_is_one_message(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let batch = [text("hi").under("k"), text("hi").under("k"), text("ho").under("k")];
    assert_eq!(scene.send_all(batch), ["queued", "repeated, queued", "key reused"]);
    assert_eq!((scene.messages().len(), scene.used()), (1, (1, 1)));
}

pub(crate) fn without_a_key_every_request_is_a_message(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.send_all([text("hi"), text("hi")]), ["queued", "queued"]);
    assert_eq!(scene.messages().len(), 2);
}

pub(crate) fn keys_are_told_apart_to_the_letter(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.send_all([text("hi").under("k"), text("hi").under("K"), text("hi").under("k.")]), ["queued"; 3]);
}

pub(crate) fn accounts_do_not_share_keys(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").under("k"));
    assert_eq!(scene.neighbor().send(text("ho").under("k")), "queued");
}

pub(crate) fn a_repeat_drops_its_permit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").under("k"));
    let place = scene.place();
    assert_eq!(words::answer(&scene.accept_at_once(text("hi").under("k"), &place)), "repeated, queued");
    assert!(place.is_free());
}
