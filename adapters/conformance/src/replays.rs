//! Replays: a delivery goes once more, with the same event, where nothing speaks against it.

use gatepost::{Actor, DeliveryId, ErrorClass, EventDelivery, Replay, ReplayAnswer, Replayed, Timestamp};

use crate::Harness;
use crate::scene::{EVERYTHING, Scene};
use crate::words::{self, TAKEN, failed};
use crate::world::{MOMENT, PATIENCE, hours, wait};

/// A delivery that ended without being taken.
fn aborted(scene: &Scene) -> EventDelivery {
    let delivery = scene.notify(scene.listen(EVERYTHING));
    scene.tell(failed(ErrorClass::Aborted));
    scene.delivery(delivery.id)
}

pub(crate) fn a_replay_goes_out_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    scene.advance(hours(1));
    let replay = scene.a_replay(old.id);
    let changes = scene.changes();
    let ReplayAnswer::Queued(new) = wait(scene.store().replay(replay.clone())) else { panic!("expected a delivery") };
    assert_eq!(changes.recv_timeout(PATIENCE), Ok(()));
    let Replay { of, delivery, by, reason, to_changed_url, now } = replay;
    let expected = EventDelivery {
        id: delivery,
        status: gatepost::DeliveryStatus::Queued,
        error: None,
        tries: 0,
        next_at: Some(now),
        replay: Some(Replayed { of, by, reason, to_changed_url }),
        created_at: now,
        updated_at: now,
        ..old.clone()
    };
    assert_eq!((&new, scene.delivery(new.id), scene.delivery(old.id)), (&expected, expected.clone(), old));
    let started = scene.take_one();
    assert_eq!((started.claimed.delivery, started.attempt, started.notice.event.id), (new.id, 1, new.event));
    scene.close(&started, TAKEN);
    assert_eq!((scene.fate(new.id), scene.tries(new.id), scene.tries(of)), ("sent".into(), "1 sent".into(), "1 failed: aborted".into()));
}

pub(crate) fn every_actor_of_a_replay_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    for (by, reason, to_changed_url) in [(Actor::Key(scene.a_key().id), None, true), (Actor::App, Some("«why»".to_string()), false)] {
        let answer = wait(scene.store().replay(Replay { by, reason: reason.clone(), to_changed_url, ..scene.a_replay(old.id) }));
        let ReplayAnswer::Queued(new) = answer else { panic!("expected a delivery, got {answer:?}") };
        assert_eq!(scene.delivery(new.id).replay, Some(Replayed { of: old.id, by, reason, to_changed_url }));
        scene.tell(TAKEN);
    }
}

pub(crate) fn whatever_is_over_may_be_replayed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let sent = scene.notify(endpoint).id;
    scene.tell(TAKEN);
    scene.disable_endpoint(endpoint);
    let skipped = scene.notify(endpoint).id;
    scene.enable_endpoint(endpoint);
    assert_eq!([scene.replay(sent), scene.replay(skipped)], ["queued", "queued"]);
    assert_eq!(scene.tell_all(&TAKEN), 2);
}

pub(crate) fn a_replay_is_replayed_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    let ReplayAnswer::Queued(new) = scene.answer_replay(old.id) else { panic!("expected a delivery") };
    scene.tell(failed(ErrorClass::Aborted));
    let ReplayAnswer::Queued(newest) = scene.answer_replay(new.id) else { panic!("expected a delivery") };
    assert_eq!((newest.event, newest.replay.map(|replayed| replayed.of)), (old.event, Some(new.id)));
}

pub(crate) fn what_is_not_there_is_not_replayed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    aborted(&scene);
    assert_eq!((scene.replay(scene.id(DeliveryId::new)), scene.deliveries().len()), ("unknown".to_string(), 1));
}

pub(crate) fn what_is_still_tried_is_not_replayed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = scene.notify(scene.listen_to_nothing()).id;
    assert_eq!(scene.replay(old), "pending");
    let started = scene.take_one();
    assert_eq!(scene.replay(old), "pending");
    scene.close(&started, failed(ErrorClass::Unreachable));
    assert_eq!((scene.replay(old), scene.deliveries().len()), ("pending".to_string(), 1));
}

pub(crate) fn what_is_replayed_already_is_not_replayed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene).id;
    assert_eq!([scene.replay(old), scene.replay(old)], ["queued", "pending"]);
    scene.tell(failed(ErrorClass::Aborted));
    assert_eq!([scene.replay(old), scene.replay(old)], ["queued", "pending"]);
}

pub(crate) fn another_endpoint_does_not_stand_in_the_way_of_a_replay(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = [(); 2].map(|()| scene.listen(&["account.*"]));
    scene.pause_endpoint(second);
    scene.change_account(gatepost::AccountChange { pause: Some(Some(scene.a_pause())), at: scene.tick(), ..Default::default() });
    scene.tell(failed(ErrorClass::Aborted));
    let [old, waiting] = [first, second].map(|endpoint| scene.deliveries_to(endpoint).remove(0));
    assert_eq!((old.event, scene.fate(waiting.id)), (waiting.event, "queued".to_string()));
    assert_eq!(scene.replay(old.id), "queued");
}

pub(crate) fn nothing_is_replayed_to_a_removed_endpoint(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    scene.remove_endpoint(old.endpoint);
    assert_eq!((scene.replay(old.id), scene.deliveries().len()), ("endpoint removed".to_string(), 1));
}

pub(crate) fn nothing_is_replayed_to_a_disabled_endpoint(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    scene.disable_endpoint(old.endpoint);
    assert_eq!((scene.replay(old.id), scene.deliveries().len()), ("endpoint disabled".to_string(), 1));
}

pub(crate) fn a_replay_to_a_paused_endpoint_waits(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    scene.pause_endpoint(old.endpoint);
    assert_eq!((scene.replay(old.id), scene.take()), ("queued".to_string(), vec![]));
    scene.resume_endpoint(old.endpoint);
    scene.tell(TAKEN);
}

pub(crate) fn history_does_not_go_to_a_changed_url(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    scene.move_endpoint(old.endpoint, "https://other.test/");
    assert_eq!((scene.replay(old.id), scene.deliveries().len()), ("url changed".to_string(), 1));
    let asked = wait(scene.store().replay(Replay { to_changed_url: true, ..scene.a_replay(old.id) }));
    assert_eq!(words::replay(&asked), "queued");
    let started = scene.take_one();
    assert_eq!(started.notice.endpoint.url.as_str(), "https://other.test/");
    scene.close(&started, failed(ErrorClass::Aborted));
    assert_eq!(scene.replay(started.claimed.delivery), "url changed", "the event is as old as before");
}

pub(crate) fn what_came_after_the_url_is_replayed_to_it(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    scene.move_endpoint(endpoint, "https://other.test/");
    let delivery = scene.notify(endpoint).id;
    scene.tell(failed(ErrorClass::Aborted));
    assert_eq!(scene.replay(delivery), "queued");
}

pub(crate) fn a_forgotten_body_is_not_replayed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = aborted(&scene);
    scene.retain(old.created_at.plus(MOMENT), Timestamp::default());
    assert_eq!((scene.replay(old.id), scene.deliveries().len()), ("body forgotten".to_string(), 1));
}
