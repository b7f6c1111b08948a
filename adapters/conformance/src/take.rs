//! Take: events that are due go out, fairly, and never more or faster to an endpoint than it wants.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gatepost::{
    AccountId, DeliveryId, Endpoint, EndpointChange, EndpointId, ErrorClass, EventName, Rate, StartedNotice, Take, TakeAnswer, Timestamp,
};

use crate::Harness;
use crate::draft::text;
use crate::scene::{EVENT_TIMEOUT, EVERYTHING, Scene, is_shared};
use crate::words::{TAKEN, failed};
use crate::world::{MOMENT, PATIENCE, seconds, together, wait};

/// An endpoint that gets at most so many at once.
fn narrow(scene: &Scene, in_flight_max: u16) -> EndpointId {
    scene.add_endpoint(Endpoint { in_flight_max, ..scene.an_endpoint(&["endpoint.test"]) })
}

fn ids(started: &[StartedNotice]) -> Vec<DeliveryId> {
    started.iter().map(|notice| notice.claimed.delivery).collect()
}

fn endpoints(started: &[StartedNotice]) -> Vec<EndpointId> {
    started.iter().map(|notice| notice.notice.endpoint.id).collect()
}

pub(crate) fn an_event_that_is_due_is_started(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.status_updated"]);
    scene.send(text("hi"));
    let queued = scene.deliveries_to(endpoint).remove(0);
    scene.advance(seconds(1));
    let started = scene.take_one();
    assert_eq!((started.claimed.account, started.claimed.delivery, started.claimed.fence), (scene.account, queued.id, 1));
    assert_eq!((started.attempt, started.lease), (1, gatepost::Lease::new(scene.now(), EVENT_TIMEOUT)));
    assert_eq!(
        (Some(&started.notice.event), started.notice.as_name),
        (scene.event(queued.event).as_ref(), EventName::MessageStatusUpdated)
    );
    assert_eq!(*started.notice.endpoint, scene.endpoint(endpoint));
}

pub(crate) fn an_attempt_is_written_before_the_event_is_sent(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let queued = scene.notify(scene.listen_to_nothing());
    scene.advance(seconds(1));
    scene.take_one();
    let sending = gatepost::EventDelivery {
        status: gatepost::DeliveryStatus::Sending,
        tries: 1,
        next_at: None,
        updated_at: scene.now(),
        ..queued.clone()
    };
    assert_eq!(scene.delivery(queued.id), sending);
    let attempt = gatepost::Attempt { number: 1, started_at: scene.now(), finished_at: None, outcome: None, report: None };
    assert_eq!(scene.delivery_attempts(queued.id), [attempt]);
}

pub(crate) fn messages_and_events_are_taken_apart(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.listen(EVERYTHING);
    let message = scene.sent(text("hi"));
    let started = scene.take_one();
    assert_eq!(started.notice.event.name, EventName::MessageQueued);
    let claimed = scene.claim_one();
    assert_ne!(claimed.delivery, started.claimed.delivery);
    assert_eq!([scene.start(started.claimed), scene.start(claimed)], ["stale", "started"]);
    scene.give_back(started.claimed);
    assert_eq!((scene.take(), scene.status(message), scene.tries(started.claimed.delivery)), (vec![], "sending".into(), "1 open".into()));
}

pub(crate) fn what_was_taken_is_not_taken_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.notify(scene.listen_to_nothing());
    scene.take_one();
    assert_eq!(scene.answer_take(scene.a_take()), TakeAnswer::default());
}

pub(crate) fn an_event_goes_to_the_endpoint_as_it_is_now(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    scene.notify(endpoint);
    scene.move_endpoint(endpoint, "https://other.test/");
    assert_eq!(*scene.take_one().notice.endpoint, scene.endpoint(endpoint));
}

pub(crate) fn a_batch_shares_its_endpoint(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.notify_often(scene.listen_to_nothing(), 2);
    let started = scene.take();
    assert!(is_shared(&started[0], &started[1]), "two rows of one endpoint");
}

pub(crate) fn a_take_takes_no_more_than_its_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.notify_often(scene.listen_to_nothing(), 5);
    let some = scene.answer_take(Take { limit: 3, ..scene.a_take() }).started;
    assert_eq!((some.len(), scene.take().len()), (3, 2));
}

pub(crate) fn what_is_due_first_is_taken_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = narrow(&scene, 1);
    let expected = scene.notify_often(endpoint, 3);
    let taken = [(); 3].map(|()| {
        let started = scene.take_one();
        scene.close(&started, TAKEN);
        started.claimed.delivery
    });
    assert_eq!(taken.to_vec(), expected);
}

pub(crate) fn no_more_are_on_their_way_than_the_endpoint_wants(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = narrow(&scene, 2);
    scene.notify_often(endpoint, 5);
    let started = scene.take();
    assert_eq!((started.len(), scene.take()), (2, vec![]));
    scene.close(&started[0], TAKEN);
    assert_eq!((scene.take().len(), scene.take()), (1, vec![]));
    scene.change_endpoint(endpoint, EndpointChange { in_flight_max: Some(3), ..EndpointChange::default() });
    assert_eq!((scene.take().len(), scene.take()), (1, vec![]));
}

pub(crate) fn each_endpoint_has_places_of_its_own(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for endpoint in [narrow(&scene, 1), narrow(&scene, 1)] {
        scene.notify_often(endpoint, 2);
        assert_eq!(endpoints(&scene.take()), [endpoint]);
    }
}

pub(crate) fn a_failed_attempt_frees_its_place(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = narrow(&scene, 1);
    let [first, second] = scene.notify_often(endpoint, 2)[..] else { panic!("two deliveries") };
    scene.tell(failed(ErrorClass::Unreachable));
    assert_eq!(scene.take_one().claimed.delivery, second);
    scene.advance(seconds(60));
    scene.sweep();
    assert_eq!(ids(&scene.take()), [first], "the lease of the second is over, and its place is free");
}

pub(crate) fn the_places_hold_over_many_workers(harness: &dyn Harness) {
    const PLACES: usize = 3;
    const EVENTS: usize = 64;
    const ROUNDS: usize = 4_096;
    let scene = Scene::new(harness);
    let endpoint = narrow(&scene, PLACES as u16);
    let expected: BTreeSet<DeliveryId> = scene.notify_often(endpoint, EVENTS).into_iter().collect();
    let handles = [scene.worker(), scene.worker()];
    let [in_flight, most, told] = [(); 3].map(|()| AtomicUsize::new(0));
    let work = |number: usize| {
        let mut mine = Vec::new();
        for _ in 0..ROUNDS {
            let started = wait(handles[number % 2].take(scene.a_take())).started;
            most.fetch_max(in_flight.fetch_add(started.len(), Ordering::SeqCst) + started.len(), Ordering::SeqCst);
            mine.extend(ids(&started));
            in_flight.fetch_sub(started.len(), Ordering::SeqCst);
            if told.fetch_add(started.len(), Ordering::SeqCst) + started.len() >= EVENTS {
                break;
            }
            match started.is_empty() {
                true => thread::yield_now(),
                false => drop(wait(handles[(number + 1) % 2].finish(started.iter().map(|notice| scene.a_report(notice, TAKEN)).collect()))),
            }
        }
        mine
    };
    let taken: Vec<DeliveryId> = together(16, work).into_iter().flatten().collect();
    assert_eq!((taken.len(), taken.into_iter().collect()), (EVENTS, expected));
    assert_eq!(most.into_inner(), PLACES, "as many as there are places, and never more");
}

/// An endpoint that wants one event a second, and two at once.
fn slow(scene: &Scene) -> EndpointId {
    let rate = Some(Rate { count: 60, period_seconds: 60, burst: 2 });
    scene.add_endpoint(Endpoint { rate, ..scene.an_endpoint(&["endpoint.test"]) })
}

pub(crate) fn an_endpoint_is_called_no_faster_than_it_wants(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.notify_often(slow(&scene), 5);
    let answer = scene.answer_take(scene.a_take());
    assert_eq!((answer.started.len(), answer.next_due), (2, Some(scene.now().plus(seconds(1)))));
    let answer = scene.answer_take(scene.a_take());
    assert_eq!((answer.started.len(), answer.next_due), (0, Some(scene.now().plus(seconds(1)))));
    scene.advance(seconds(1));
    assert_eq!(scene.take().len(), 1);
    scene.advance(seconds(9));
    assert_eq!(scene.take().len(), 2);
}

pub(crate) fn a_rate_slows_its_endpoint_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (slow, fast) = (slow(&scene), scene.listen_to_nothing());
    scene.notify_often(slow, 4);
    scene.notify_often(fast, 4);
    let taken = endpoints(&scene.take());
    let of = |endpoint| taken.iter().filter(|taken| **taken == endpoint).count();
    assert_eq!([of(slow), of(fast)], [2, 4]);
    let unlimited = EndpointChange { rate: Some(None), ..EndpointChange::default() };
    scene.change_endpoint(slow, unlimited);
    assert_eq!(scene.take().len(), 2);
}

/// Events are held by what `hold` does, and go on after what `let_go` does.
#[track_caller]
fn check_held(harness: &dyn Harness, hold: impl Fn(&Scene, EndpointId), let_go: impl Fn(&Scene, EndpointId)) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let before = scene.notify(endpoint).id;
    scene.tell(failed(ErrorClass::Unreachable));
    hold(&scene, endpoint);
    let after = scene.notify(endpoint).id;
    assert_eq!(scene.answer_take(scene.a_take()), TakeAnswer::default());
    scene.advance(seconds(24 * 3_600));
    assert_eq!(scene.answer_take(scene.a_take()), TakeAnswer::default(), "what is held is neither taken nor due nor skipped");
    assert_eq!([scene.fate(before), scene.fate(after)], ["queued", "queued"]);
    let changes = scene.changes();
    let_go(&scene, endpoint);
    assert_eq!(changes.recv_timeout(PATIENCE), Ok(()));
    assert_eq!(scene.tell_all(&TAKEN), 2);
    assert_eq!([scene.fate(before), scene.fate(after)], ["sent", "sent"]);
}

pub(crate) fn a_paused_endpoint_holds_its_events(harness: &dyn Harness) {
    check_held(harness, Scene::pause_endpoint, Scene::resume_endpoint);
}

pub(crate) fn an_unverified_endpoint_holds_its_events(harness: &dyn Harness) {
    let change = |scene: &Scene, id, change| drop(scene.change_endpoint(id, change));
    let move_away = |scene: &Scene, id| {
        let url = Some((gatepost::EndpointUrl::stored("https://other.test/".to_string()), scene.now()));
        change(scene, id, EndpointChange { url, ..EndpointChange::default() });
    };
    let verify = |scene: &Scene, id| change(scene, id, EndpointChange { verified_at: Some(scene.now()), ..EndpointChange::default() });
    check_held(harness, move_away, verify);
}

pub(crate) fn a_paused_account_still_gets_its_events(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.notify(scene.listen_to_nothing());
    scene.pause();
    scene.suspend();
    scene.tell(TAKEN);
}

/// What waits is skipped, for this reason, after what `end` does.
#[track_caller]
fn check_skipped(harness: &dyn Harness, end: impl Fn(&Scene, EndpointId), why: &str) {
    let scene = Scene::new(harness);
    let (endpoint, other) = (scene.listen_to_nothing(), scene.listen_to_nothing());
    let deliveries = scene.notify_often(endpoint, 3);
    let elsewhere = scene.notify(other).id;
    scene.advance(seconds(1));
    end(&scene, endpoint);
    let answer = scene.answer_take(scene.a_take());
    assert!(answer.more);
    assert_eq!(ids(&answer.started), [elsewhere]);
    for id in deliveries {
        let delivery = scene.delivery(id);
        assert_eq!((scene.fate(id), scene.tries(id)), (format!("skipped: {why}"), String::new()));
        assert_eq!((delivery.next_at, delivery.tries, delivery.updated_at), (None, 0, scene.now()));
    }
    assert_eq!(scene.answer_take(scene.a_take()), TakeAnswer::default());
}

pub(crate) fn what_waits_for_a_disabled_endpoint_is_skipped(harness: &dyn Harness) {
    check_skipped(harness, Scene::disable_endpoint, "endpoint_disabled");
}

pub(crate) fn what_waits_for_a_removed_endpoint_is_skipped(harness: &dyn Harness) {
    check_skipped(harness, Scene::remove_endpoint, "endpoint_removed");
}

pub(crate) fn an_event_whose_body_is_forgotten_is_skipped(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let old = scene.notify(endpoint).id;
    let young = scene.notify(endpoint);
    scene.retain(young.created_at, Timestamp::default());
    let answer = scene.answer_take(scene.a_take());
    assert_eq!((answer.more, ids(&answer.started)), (true, vec![young.id]));
    assert_eq!(scene.fate(old), "skipped: body_forgotten");
}

pub(crate) fn what_was_started_before_is_recorded(harness: &dyn Harness) {
    for end in [Scene::disable_endpoint, Scene::remove_endpoint, Scene::pause_endpoint] {
        let scene = Scene::new(harness);
        let endpoint = scene.listen_to_nothing();
        let delivery = scene.notify(endpoint).id;
        let started = scene.take_one();
        end(&scene, endpoint);
        scene.close(&started, TAKEN);
        assert_eq!((scene.fate(delivery), scene.tries(delivery)), ("sent".to_string(), "1 sent".to_string()));
    }
}

pub(crate) fn a_long_backlog_is_skipped_in_parts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let deliveries = scene.notify_often(endpoint, 150);
    scene.disable_endpoint(endpoint);
    let mut parts = Vec::new();
    let waiting = || deliveries.iter().filter(|id| scene.fate(**id) == "queued").count();
    while scene.answer_take(scene.a_take()).more {
        parts.push(waiting());
    }
    assert_eq!(waiting(), 0);
    assert!(parts.len() >= 3 && parts[0] > 0, "{parts:?}");
}

pub(crate) fn a_busy_endpoint_leaves_room_for_others(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let busy = narrow(&scene, 100);
    let calm = [(); 2].map(|()| scene.listen_to_nothing());
    scene.notify_often(busy, 50);
    calm.iter().for_each(|endpoint| drop(scene.notify(*endpoint)));
    let taken = endpoints(&scene.answer_take(Take { per_account: 6, ..scene.a_take() }).started);
    let of = |endpoint| taken.iter().filter(|taken| **taken == endpoint).count();
    assert_eq!([of(busy), of(calm[0]), of(calm[1])], [4, 1, 1]);
    let answer = scene.answer_take(Take { limit: 6, ..scene.a_take() });
    assert_eq!(answer.started.len(), 6, "what the others do not want is the busy one's");
}

pub(crate) fn every_endpoint_gets_its_turn(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoints = [9, 1, 4].map(|count| {
        let endpoint = scene.listen_to_nothing();
        scene.notify_often(endpoint, count);
        endpoint
    });
    for _ in 0..7 {
        let started = scene.answer_take(Take { limit: 2, per_account: 2, ..scene.a_take() }).started;
        started.iter().for_each(|notice| scene.close(notice, TAKEN));
    }
    assert_eq!(endpoints.map(|endpoint| scene.deliveries_to(endpoint).iter().filter(|delivery| delivery.tries == 1).count()), [9, 1, 4]);
}

/// Three accounts with so many events waiting, in the order of their ids.
fn three(harness: &dyn Harness, waiting: [usize; 3]) -> [Scene; 3] {
    let first = Scene::new(harness);
    let mut scenes = [first.neighbor(), first.neighbor(), first];
    scenes.sort_by_key(|scene| scene.account);
    scenes.iter().zip(waiting).for_each(|(scene, count)| drop(scene.notify_often(narrow(scene, 100), count)));
    scenes
}

fn accounts(answer: &TakeAnswer) -> Vec<AccountId> {
    answer.started.iter().map(|notice| notice.claimed.account).collect()
}

pub(crate) fn an_account_with_a_backlog_leaves_room_for_others(harness: &dyn Harness) {
    let [busy, calm, calmer] = three(harness, [9, 1, 1]);
    let taken = accounts(&busy.answer_take(Take { limit: 6, per_account: 4, ..busy.a_take() }));
    let of = |scene: &Scene| taken.iter().filter(|account| **account == scene.account).count();
    assert_eq!([of(&busy), of(&calm), of(&calmer)], [4, 1, 1]);
}

pub(crate) fn an_account_that_had_its_share_may_have_more(harness: &dyn Harness) {
    let [busy, _, _] = three(harness, [9, 1, 1]);
    let take = Take { limit: 100, per_account: 6, ..busy.a_take() };
    let answer = busy.answer_take(take);
    assert_eq!((answer.started.len(), answer.after, answer.more), (8, None, true));
    let answer = busy.answer_take(take);
    assert_eq!((answer.started.len(), answer.after, answer.more), (3, None, false));
}

pub(crate) fn an_account_with_slow_receivers_leaves_places(harness: &dyn Harness) {
    let [slow, calm, calmer] = three(harness, [9, 1, 1]);
    let take = Take { in_flight_per_account: 3, ..slow.a_take() };
    let answer = slow.answer_take(take);
    assert_eq!((answer.started.len(), answer.more), (5, false));
    assert_eq!(slow.answer_take(take), TakeAnswer::default(), "what is on its way has not ended");
    let of_slow = answer.started.iter().find(|notice| notice.claimed.account == slow.account).expect("three of them");
    slow.close(of_slow, TAKEN);
    assert_eq!(accounts(&slow.answer_take(take)), [slow.account]);
    drop((calm, calmer));
}

pub(crate) fn a_take_goes_on_behind_the_last_account(harness: &dyn Harness) {
    let [first, second, third] = three(harness, [2, 2, 2]);
    let take = Take { limit: 2, per_account: 1, ..first.a_take() };
    let answer = first.answer_take(take);
    assert_eq!((accounts(&answer), answer.after), (vec![first.account, second.account], Some(second.account)));
    assert_eq!(accounts(&first.answer_take(Take { after: answer.after, ..take })).first(), Some(&third.account));
}

pub(crate) fn a_take_that_saw_every_account_begins_anew(harness: &dyn Harness) {
    let [first, _, third] = three(harness, [2, 1, 2]);
    let answer = first.answer_take(Take { limit: 9, per_account: 1, ..first.a_take() });
    assert_eq!((answer.started.len(), answer.after), (3, None));
    let behind_all = first.answer_take(Take { after: Some(third.account), ..first.a_take() });
    assert_eq!((accounts(&behind_all), behind_all.after), (vec![], None));
    assert_eq!(accounts(&first.answer_take(Take { limit: 1, ..first.a_take() })), [first.account]);
}

pub(crate) fn every_backlog_is_taken_in_the_end(harness: &dyn Harness) {
    let [first, _, third] = three(harness, [7, 1, 4]);
    let (mut after, mut taken) = (None, Vec::new());
    for _ in 0..12 {
        let answer = first.answer_take(Take { limit: 2, per_account: 1, after, ..first.a_take() });
        after = answer.after;
        taken.extend(accounts(&answer));
    }
    assert_eq!(taken.len(), 12);
    let last_of = |scene: &Scene| taken.iter().rposition(|account| *account == scene.account);
    assert!(last_of(&third) < last_of(&first), "{taken:?}");
}

pub(crate) fn the_next_due_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.notify(scene.listen_to_nothing());
    scene.tell(failed(ErrorClass::Unreachable));
    let due = scene.now().plus(seconds(5));
    assert_eq!(scene.answer_take(scene.a_take()), TakeAnswer { next_due: Some(due), ..TakeAnswer::default() });
    scene.at(due.minus(MOMENT));
    assert_eq!(scene.take(), []);
    scene.at(due);
    assert_eq!(scene.take().len(), 1);
}

pub(crate) fn what_has_expired_is_not_taken(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let delivery = scene.notify(scene.listen_to_nothing());
    scene.at(delivery.created_at.plus(gatepost::EVENT_TIME));
    assert_eq!((scene.take(), scene.fate(delivery.id)), (vec![], "failed: expired".to_string()));
    assert_eq!(scene.tries(delivery.id), "");
}

pub(crate) fn messages_do_not_wait_for_events(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.pause_endpoint(endpoint);
    scene.send_all((0..20).map(|_| text("hi")));
    assert_eq!(scene.answer_claim(gatepost::Claim { limit: 20, ..scene.a_claim() }).claimed.len(), 20);
    assert_eq!(scene.take(), []);
}
