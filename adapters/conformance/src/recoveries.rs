//! Recoveries: all that an endpoint did not take since a time goes once more, once.

use gatepost::{DeliveryId, EndpointId, ErrorClass, Outcome, Recovered, Recovery, RecoveryId, Replayed, Timestamp};

use crate::Harness;
use crate::scene::Scene;
use crate::words::{TAKEN, failed};
use crate::world::{MOMENT, hours, wait};

const EVER: Timestamp = Timestamp::from_millis(0);

/// A scene with an endpoint that did not take so many events.
fn after_an_outage(harness: &dyn Harness, count: usize) -> (Scene, EndpointId, Vec<DeliveryId>) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let failed_ones = miss(&scene, endpoint, count);
    (scene, endpoint, failed_ones)
}

/// So many events that the endpoint does not take.
fn miss(scene: &Scene, endpoint: EndpointId, count: usize) -> Vec<DeliveryId> {
    let missed = scene.notify_often(endpoint, count);
    assert_eq!(scene.tell_all(&failed(ErrorClass::Aborted)), count);
    missed
}

/// Which deliveries were repeated, oldest first.
fn repeated(scene: &Scene, endpoint: EndpointId) -> Vec<DeliveryId> {
    let mut of: Vec<_> =
        scene.deliveries_to(endpoint).into_iter().filter_map(|delivery| delivery.replay).map(|replayed| replayed.of).collect();
    of.sort_unstable();
    of
}

fn begin(scene: &Scene, endpoint: EndpointId) -> RecoveryId {
    scene.begin_recovery(scene.a_recovery(endpoint, EVER))
}

pub(crate) fn a_recovery_comes_back_as_it_was(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 0);
    let recovery = scene.a_recovery(endpoint, EVER);
    scene.begin_recovery(recovery.clone());
    assert_eq!((scene.recovery(recovery.id), scene.recoveries()), (recovery.clone(), vec![recovery]));
    assert_eq!(wait(scene.store().recovery(scene.id(RecoveryId::new))), None);
}

pub(crate) fn a_recovery_repeats_what_was_not_taken(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 1);
    scene.notify(endpoint);
    scene.tell(TAKEN);
    let blocked = scene.notify(endpoint).id;
    scene.tell(Outcome::Blocked { class: ErrorClass::Forbidden });
    scene.disable_endpoint(endpoint);
    let skipped = scene.notify(endpoint).id;
    scene.enable_endpoint(endpoint);
    scene.notify(endpoint);
    scene.tell(failed(ErrorClass::Unreachable));
    let waiting = scene.notify(endpoint).id;
    let id = begin(&scene, endpoint);
    let changes = scene.changes();
    scene.recover();
    assert_eq!(changes.recv_timeout(crate::world::PATIENCE), Ok(()));
    assert_eq!(scene.progress(id), "3 queued, 0 left, done");
    assert_eq!(repeated(&scene, endpoint), [missed[0], blocked, skipped]);
    assert_eq!((scene.tell_all(&TAKEN), scene.fate(waiting)), (4, "sent".to_string()));
}

pub(crate) fn a_recovery_says_who_asked(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 1);
    let recovery = scene.a_recovery(endpoint, EVER);
    let Recovery { by, ref reason, to_changed_url, .. } = recovery;
    let expected = Replayed { of: missed[0], by, reason: reason.clone(), to_changed_url };
    let id = scene.begin_recovery(recovery);
    scene.recover();
    let old = scene.delivery(missed[0]);
    let new = scene.deliveries().remove(0);
    let round = u128::from_be_bytes(id.to_bytes());
    assert_eq!(new.id, DeliveryId::of(old.event, endpoint, round, scene.now()));
    assert_eq!((new.event, new.as_name, new.replay, new.created_at), (old.event, old.as_name, Some(expected), scene.now()));
}

pub(crate) fn a_recovery_is_of_its_time_and_its_endpoint(harness: &dyn Harness) {
    let (scene, endpoint, mut missed) = after_an_outage(harness, 2);
    let other = scene.listen_to_nothing();
    miss(&scene, other, 1);
    missed.extend(miss(&scene, endpoint, 2));
    let [since, until] = [missed[1], missed[3]].map(|id| scene.delivery(id).created_at);
    let id = scene.begin_recovery(Recovery { until, ..scene.a_recovery(endpoint, since) });
    scene.recover();
    assert_eq!((scene.progress(id), repeated(&scene, endpoint)), ("2 queued, 0 left, done".to_string(), missed[1..3].to_vec()));
    assert_eq!(repeated(&scene, other), []);
}

pub(crate) fn a_recovery_goes_on_part_by_part(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 5);
    let id = begin(&scene, endpoint);
    scene.advance(hours(1));
    assert!(scene.recover_some(2), "there is more to do");
    assert_eq!((scene.progress(id).as_str(), scene.recovery(id).progress.at), ("2 queued, 0 left", Some(missed[1])));
    assert_eq!(repeated(&scene, endpoint), missed[..2]);
    scene.recover_some(2);
    assert_eq!(repeated(&scene, endpoint), missed[..4]);
    scene.recover();
    assert_eq!((scene.progress(id), repeated(&scene, endpoint)), ("5 queued, 0 left, done".to_string(), missed));
    assert_eq!(scene.recovery(id).progress.done_at, Some(scene.now()));
    assert!(!scene.recover_some(2), "there is nothing to do");
    assert_eq!((scene.tell_all(&TAKEN), scene.deliveries().len()), (5, 10));
}

pub(crate) fn a_recovery_passes_over_what_was_taken(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    scene.notify_often(endpoint, 5);
    scene.tell_all(&TAKEN);
    let missed = miss(&scene, endpoint, 1);
    let id = begin(&scene, endpoint);
    let parts = (0..9).take_while(|_| scene.recover_some(2)).count();
    assert_eq!((scene.progress(id), repeated(&scene, endpoint)), ("1 queued, 0 left, done".to_string(), missed));
    assert!(parts >= 2, "taken ones are looked at too, {parts} parts");
}

pub(crate) fn a_canceled_recovery_does_no_more(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 3);
    let id = begin(&scene, endpoint);
    scene.recover_some(1);
    scene.advance(hours(1));
    let canceled = wait(scene.store().cancel_recovery(id, scene.now()));
    assert_eq!(canceled.as_ref().map(|recovery| recovery.progress.canceled_at), Some(Some(scene.now())));
    assert_eq!(canceled, Some(scene.recovery(id)));
    scene.advance(hours(1));
    assert_eq!(wait(scene.store().cancel_recovery(id, scene.now())), canceled);
    assert!(!scene.recover_some(9), "there is nothing to do");
    assert_eq!((scene.progress(id), repeated(&scene, endpoint)), ("1 queued, 0 left, canceled".to_string(), missed[..1].to_vec()));
    assert_eq!(scene.tell_all(&TAKEN), 1, "what it queued goes out");
    assert_eq!(wait(scene.store().cancel_recovery(scene.id(RecoveryId::new), scene.now())), None);
}

pub(crate) fn a_recovery_that_is_done_cannot_be_canceled(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 1);
    let id = begin(&scene, endpoint);
    scene.recover();
    let done = scene.recovery(id);
    assert_eq!(wait(scene.store().cancel_recovery(id, scene.now().plus(MOMENT))), Some(done));
}

pub(crate) fn an_endpoint_has_one_recovery_at_a_time(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 1);
    let other = scene.listen_to_nothing();
    begin(&scene, endpoint);
    let second = scene.a_recovery(endpoint, EVER);
    assert!(!wait(scene.store().add_recovery(second.clone())), "one is not over");
    assert_eq!(wait(scene.store().recovery(second.id)), None);
    begin(&scene, other);
    scene.recover();
    let third = begin(&scene, endpoint);
    wait(scene.store().cancel_recovery(third, scene.now()));
    begin(&scene, endpoint);
}

pub(crate) fn a_recovery_needs_an_endpoint(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 1);
    let unknown = scene.a_recovery(scene.id(EndpointId::new), EVER);
    assert!(!wait(scene.store().add_recovery(unknown)), "there is no such endpoint");
    scene.remove_endpoint(endpoint);
    let removed = scene.a_recovery(endpoint, EVER);
    assert!(!wait(scene.store().add_recovery(removed)), "the endpoint was removed");
    assert_eq!(scene.recoveries(), []);
}

pub(crate) fn what_was_taken_since_is_left_alone(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 3);
    scene.replay(missed[0]);
    scene.tell(TAKEN);
    scene.replay(missed[1]);
    let id = begin(&scene, endpoint);
    scene.recover();
    assert_eq!((scene.progress(id).as_str(), repeated(&scene, endpoint)), ("1 queued, 0 left, done", missed));
}

pub(crate) fn what_was_missed_twice_is_repeated_once(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 1);
    scene.replay(missed[0]);
    scene.tell(failed(ErrorClass::Aborted));
    let id = begin(&scene, endpoint);
    scene.recover();
    assert_eq!((scene.progress(id).as_str(), scene.tell_all(&TAKEN)), ("1 queued, 0 left, done", 1));
}

pub(crate) fn what_was_taken_once_and_missed_then_is_repeated(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let sent = scene.notify(endpoint).id;
    scene.tell(TAKEN);
    scene.replay(sent);
    let missed = scene.take_one();
    scene.close(&missed, failed(ErrorClass::Aborted));
    let id = begin(&scene, endpoint);
    scene.recover();
    assert_eq!((scene.progress(id).as_str(), repeated(&scene, endpoint)), ("1 queued, 0 left, done", vec![sent, missed.claimed.delivery]));
}

pub(crate) fn what_a_recovery_wrote_it_does_not_repeat(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 2);
    let asked_at = scene.now();
    scene.advance(hours(1));
    let id = begin(&scene, endpoint);
    // The clock of the host that recovers is behind.
    scene.at(asked_at);
    scene.recover_some(2);
    assert_eq!(scene.tell_all(&failed(ErrorClass::Aborted)), 2);
    scene.recover();
    assert_eq!((scene.progress(id).as_str(), scene.deliveries().len()), ("2 queued, 0 left, done", 4));
}

pub(crate) fn a_changed_url_is_left(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 2);
    scene.move_endpoint(endpoint, "https://other.test/");
    let since_then = miss(&scene, endpoint, 1);
    let id = begin(&scene, endpoint);
    scene.recover();
    assert_eq!((scene.progress(id), repeated(&scene, endpoint)), ("1 queued, 2 left, done".to_string(), since_then));
    assert_eq!(scene.tell_all(&TAKEN), 1);
    let asked = scene.begin_recovery(Recovery { to_changed_url: true, ..scene.a_recovery(endpoint, EVER) });
    scene.recover();
    assert_eq!((scene.progress(asked).as_str(), scene.tell_all(&TAKEN)), ("2 queued, 0 left, done", 2));
}

pub(crate) fn a_forgotten_body_is_left(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 2);
    scene.retain(scene.delivery(missed[1]).created_at, EVER);
    let id = begin(&scene, endpoint);
    scene.recover();
    assert_eq!((scene.progress(id), repeated(&scene, endpoint)), ("1 queued, 1 left, done".to_string(), missed[1..].to_vec()));
}

/// What ends an endpoint cancels its recovery.
#[track_caller]
fn check_canceled(harness: &dyn Harness, end: impl Fn(&Scene, EndpointId)) {
    let (scene, endpoint, _) = after_an_outage(harness, 3);
    let id = begin(&scene, endpoint);
    scene.recover_some(1);
    scene.advance(hours(1));
    end(&scene, endpoint);
    scene.recover();
    assert_eq!((scene.progress(id).as_str(), scene.deliveries().len()), ("1 queued, 0 left, canceled", 4));
    assert_eq!(scene.recovery(id).progress.canceled_at, Some(scene.now()));
}

pub(crate) fn a_recovery_ends_with_its_endpoint(harness: &dyn Harness) {
    check_canceled(harness, Scene::disable_endpoint);
    check_canceled(harness, Scene::remove_endpoint);
}

pub(crate) fn a_recovery_of_a_paused_endpoint_waits_to_go_out(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 1);
    scene.pause_endpoint(endpoint);
    let id = begin(&scene, endpoint);
    scene.recover();
    assert_eq!((scene.progress(id).as_str(), scene.take()), ("1 queued, 0 left, done", vec![]));
    scene.resume_endpoint(endpoint);
    assert_eq!(scene.tell_all(&TAKEN), 1);
}

pub(crate) fn a_long_recovery_holds_up_no_other(harness: &dyn Harness) {
    let (scene, endpoint, _) = after_an_outage(harness, 9);
    let neighbor = scene.neighbor();
    let theirs = neighbor.listen_to_nothing();
    miss(&neighbor, theirs, 1);
    let long = begin(&scene, endpoint);
    let short = begin(&neighbor, theirs);
    let progress = || [scene.progress(long), neighbor.progress(short)];
    assert_eq!(scene.recover_behind(None, 2), Recovered { at: Some(long), more: true });
    assert_eq!(progress(), ["2 queued, 0 left", "0 queued, 0 left"]);
    assert_eq!(scene.recover_behind(Some(long), 2), Recovered { at: Some(short), more: true });
    assert_eq!(progress(), ["2 queued, 0 left", "1 queued, 0 left, done"]);
    assert_eq!(scene.recover_behind(Some(short), 9), Recovered { at: Some(long), more: false });
    assert_eq!(progress(), ["9 queued, 0 left, done", "1 queued, 0 left, done"]);
    assert_eq!(scene.recover_behind(Some(long), 9), Recovered::default());
}

pub(crate) fn a_crash_in_the_middle_repeats_nothing(harness: &dyn Harness) {
    let (scene, endpoint, missed) = after_an_outage(harness, 5);
    let id = begin(&scene, endpoint);
    scene.recover_some(2);
    let before = scene.recovery(id);
    let scene = scene.reopen();
    assert_eq!(scene.recovery(id), before);
    scene.advance(hours(1));
    scene.recover();
    assert_eq!((scene.progress(id), repeated(&scene, endpoint)), ("5 queued, 0 left, done".to_string(), missed));
    assert_eq!(scene.tell_all(&TAKEN), 5);
}
