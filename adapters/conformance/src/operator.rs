//! Operator: whoever runs the gateway hears how every account runs, at endpoints that no account sees.

use std::collections::BTreeSet;

use gatepost::{
    AccountChange, Connection, DeliveryFilter, DeliveryId, DeliveryStatus, ENDPOINTS_MAX, Endpoint, EndpointId, ErrorClass, EventDelivery,
    InstanceChange, Page, RecoveryFilter, Timestamp,
};

use crate::Harness;
use crate::draft::text;
use crate::scene::{EVERYTHING, Scene, limits};
use crate::words::{TAKEN, failed, sent};
use crate::world::{PATIENCE, seconds, wait};

/// An account in which the operator has an endpoint, and another one.
fn watched(harness: &dyn Harness, filter: &[&str]) -> (Scene, EndpointId, Scene) {
    let scene = Scene::new(harness);
    let watcher = scene.watch(filter);
    let neighbor = scene.neighbor();
    (scene, watcher, neighbor)
}

/// Whatever can happen to an account as a whole, each in a moment of its own.
fn live(scene: &Scene) {
    scene.limit(limits(1, 9));
    let pass = || scene.advance(seconds(1));
    scene.send(text("hi"));
    pass();
    pause(scene);
    pass();
    scene.change_account(AccountChange { pause: Some(None), at: scene.now(), ..AccountChange::default() });
    for connection in [Connection::Closed, Connection::Open] {
        pass();
        scene.change_instance(InstanceChange { connection: Some(connection), at: scene.now(), ..InstanceChange::default() });
    }
    pass();
    scene.disable_endpoint(scene.listen_to_nothing());
}

fn pause(scene: &Scene) {
    scene.change_account(AccountChange { pause: Some(Some(scene.a_pause())), at: scene.now(), ..AccountChange::default() });
}

/// What is told of [`live`].
const TOLD: [&str; 7] = [
    "limit.threshold_reached",
    "limit.threshold_reached",
    "account.paused",
    "account.resumed",
    "instance.disconnected",
    "instance.connected",
    "endpoint.disabled",
];

pub(crate) fn an_operators_endpoint_hears_of_every_account(harness: &dyn Harness) {
    let (scene, watcher, neighbor) = watched(harness, EVERYTHING);
    live(&neighbor);
    assert_eq!(scene.told(watcher), TOLD);
    assert_eq!(neighbor.deliveries(), [], "who does not listen is told nothing");
    let event = scene.deliveries_to(watcher)[0].event;
    assert_eq!(neighbor.event(event), None);
}

pub(crate) fn what_the_operator_is_told_says_whose_it_is(harness: &dyn Harness) {
    let (scene, watcher, neighbor) = watched(harness, EVERYTHING);
    let theirs = neighbor.listen(EVERYTHING);
    live(&neighbor);
    let account = format!(r#""account_id":"{}""#, neighbor.account);
    let told: BTreeSet<String> = scene.bodies(watcher).into_iter().collect();
    assert!(told.iter().all(|body| body.contains(&account) && !body.contains("+999")), "{told:?}");
    let heard: BTreeSet<String> = neighbor.bodies(theirs).into_iter().filter(|body| body.contains(&account)).collect();
    assert_eq!(told, heard, "it is the same event for both");
}

pub(crate) fn an_operators_endpoint_hears_of_its_own_account_once(harness: &dyn Harness) {
    let (scene, watcher, _) = watched(harness, EVERYTHING);
    live(&scene);
    assert_eq!(scene.told(watcher), TOLD);
}

pub(crate) fn an_operators_endpoint_hears_of_nothing_else(harness: &dyn Harness) {
    let (scene, watcher, neighbor) = watched(harness, EVERYTHING);
    for account in [&scene, &neighbor] {
        account.send_all([text("hi"), text("Buy!").purpose("marketing")]);
        account.deliver(sent("x"));
        account.notify(account.listen_to_nothing());
    }
    assert_eq!(scene.told(watcher).len(), 0);
}

pub(crate) fn an_operators_endpoint_hears_what_it_lists(harness: &dyn Harness) {
    let (scene, watcher, neighbor) = watched(harness, &["account.paused", "endpoint.*", "message.*"]);
    live(&neighbor);
    assert_eq!(scene.told(watcher), ["account.paused", "endpoint.disabled"]);
}

pub(crate) fn every_endpoint_of_the_operator_hears(harness: &dyn Harness) {
    let (scene, first, neighbor) = watched(harness, EVERYTHING);
    let (second, third) = (scene.watch(EVERYTHING), neighbor.watch(EVERYTHING));
    pause(&neighbor);
    let events = [(&scene, first), (&scene, second), (&neighbor, third)].map(|(scene, endpoint)| scene.deliveries_to(endpoint)[0].event);
    assert_eq!(events, [events[0]; 3]);
}

pub(crate) fn an_operators_endpoint_is_not_told_of_itself(harness: &dyn Harness) {
    let (scene, failing, neighbor) = watched(harness, EVERYTHING);
    let other = neighbor.watch(EVERYTHING);
    scene.notify(failing);
    scene.tell(failed(ErrorClass::Gone));
    assert!(scene.endpoint(failing).disabled.is_some());
    assert_eq!((scene.told(failing), neighbor.told(other)), (vec!["endpoint.test"], vec!["endpoint.disabled"]));
    assert!(neighbor.bodies(other)[0].contains(&format!(r#""account_id":"{}","endpoint_id":"{failing}""#, scene.account)));
}

pub(crate) fn no_account_hears_of_an_operators_endpoint(harness: &dyn Harness) {
    let (scene, watcher, neighbor) = watched(harness, EVERYTHING);
    let listeners = [scene.listen(EVERYTHING), neighbor.listen(EVERYTHING)];
    scene.disable_endpoint(watcher);
    pause(&neighbor);
    assert_eq!((scene.told(listeners[0]).len(), neighbor.told(listeners[1])), (0, vec!["account.paused"]));
}

pub(crate) fn an_operators_endpoint_that_takes_nothing_is_told_nothing(harness: &dyn Harness) {
    let (scene, watcher, neighbor) = watched(harness, EVERYTHING);
    scene.disable_endpoint(watcher);
    let removed = scene.watch(EVERYTHING);
    scene.remove_endpoint(removed);
    pause(&neighbor);
    assert_eq!((scene.told(removed).len(), scene.take()), (0, vec![]));
    let skipped = scene.deliveries_to(watcher).pop().expect("a delivery");
    assert_eq!(crate::words::delivery(&skipped), "skipped: endpoint_disabled");
}

pub(crate) fn what_the_operator_is_told_goes_the_way_of_every_event(harness: &dyn Harness) {
    let (scene, watcher, neighbor) = watched(harness, EVERYTHING);
    pause(&neighbor);
    let notice = scene.take_one();
    assert_eq!((notice.claimed.account, notice.notice.endpoint.id), (scene.account, watcher));
    scene.close(&notice, failed(ErrorClass::ErrorStatus));
    scene.advance(seconds(6));
    scene.tell(TAKEN);
    let delivery = notice.claimed.delivery;
    assert_eq!((scene.fate(delivery).as_str(), scene.tries(delivery).as_str()), ("sent", "1 failed: error_status, 2 sent"));
    assert_eq!((scene.replay(delivery).as_str(), scene.take_one().notice.event), ("queued", notice.notice.event));
    assert_eq!((neighbor.find_delivery(delivery), neighbor.deliveries()), (None, vec![]));
}

pub(crate) fn what_the_operator_is_told_is_due(harness: &dyn Harness) {
    let (_scene, _, neighbor) = watched(harness, EVERYTHING);
    neighbor.listen_to_nothing();
    let changes = neighbor.changes();
    neighbor.send(text("hi"));
    while changes.try_recv().is_ok() {}
    pause(&neighbor);
    assert_eq!(changes.recv_timeout(PATIENCE), Ok(()));
}

pub(crate) fn an_operators_endpoint_may_be_tested(harness: &dyn Harness) {
    let (scene, watcher, _) = watched(harness, &["account.paused"]);
    let test = scene.notify(watcher);
    scene.tell(TAKEN);
    assert_eq!(scene.fate(test.id), "sent");
}

fn ids(deliveries: &[EventDelivery]) -> Vec<DeliveryId> {
    deliveries.iter().map(|delivery| delivery.id).collect()
}

pub(crate) fn no_account_sees_what_the_operator_is_told(harness: &dyn Harness) {
    let (scene, watcher, _) = watched(harness, EVERYTHING);
    let own = scene.listen_to_nothing();
    let seen = |filter: DeliveryFilter| {
        let all = DeliveryFilter { for_operator: true, ..filter };
        let list = |filter, page| ids(&wait(scene.store().deliveries(filter, page)));
        // The first page is as long as the list allows, whatever lies between.
        (list(filter, Page::first(2)), list(all, Page::first(9)).len())
    };
    let none = DeliveryFilter::default();
    let with = |status| DeliveryFilter { status: Some(status), ..none };
    let mut shown = Vec::new();
    for outcome in [TAKEN, failed(ErrorClass::Aborted)] {
        for endpoint in [own, watcher, watcher, own] {
            shown.insert(0, scene.notify(endpoint));
            scene.tell(outcome.clone());
        }
    }
    for endpoint in [own, watcher, watcher, own] {
        shown.insert(0, scene.notify(endpoint));
    }
    let to = |endpoint: EndpointId| ids(&shown).into_iter().zip(&shown).filter(move |(_, one)| one.endpoint == endpoint).map(|(id, _)| id);
    let own_ones: Vec<_> = to(own).collect();
    assert_eq!(seen(none), (own_ones[..2].to_vec(), 9));
    assert_eq!(seen(with(DeliveryStatus::Queued)), (own_ones[..2].to_vec(), 4));
    assert_eq!(seen(with(DeliveryStatus::Failed)), (own_ones[2..4].to_vec(), 4));
    assert_eq!(seen(with(DeliveryStatus::Sent)), (own_ones[4..].to_vec(), 4));
    assert_eq!(seen(DeliveryFilter { endpoint: Some(watcher), ..none }), (vec![], 6));
    assert_eq!(seen(DeliveryFilter { endpoint: Some(own), ..none }), (own_ones[..2].to_vec(), 6));
    let event = |delivery: &EventDelivery| DeliveryFilter { event: Some(delivery.event), ..none };
    assert_eq!((seen(event(&shown[0])), seen(event(&shown[1]))), ((vec![shown[0].id], 1), (vec![], 1)));
    scene.take();
    assert_eq!(seen(with(DeliveryStatus::Sending)), (own_ones[..2].to_vec(), 4));
    scene.remove_endpoint(watcher);
    assert_eq!(seen(DeliveryFilter { endpoint: Some(watcher), ..none }), (vec![], 6));
}

pub(crate) fn no_account_sees_a_recovery_of_the_operator(harness: &dyn Harness) {
    let (scene, watcher, _) = watched(harness, EVERYTHING);
    let own = scene.listen_to_nothing();
    let [first, hidden] = [own, watcher].map(|endpoint| scene.begin_recovery(scene.a_recovery(endpoint, Timestamp::default())));
    let seen = |for_operator| {
        let recoveries = wait(scene.store().recoveries(RecoveryFilter { for_operator }, Page::first(9)));
        recoveries.iter().map(|recovery| recovery.id).collect::<Vec<_>>()
    };
    assert_eq!((seen(false), seen(true)), (vec![first], vec![hidden, first]));
    let page = wait(scene.store().recoveries(RecoveryFilter::default(), Page::first(1)));
    assert_eq!(page.len(), 1, "a page is as long as it may be");
}

pub(crate) fn an_operators_endpoint_takes_no_room(harness: &dyn Harness) {
    let (scene, _, _) = watched(harness, EVERYTHING);
    for _ in 0..ENDPOINTS_MAX {
        scene.listen(EVERYTHING);
    }
    for _ in 1..ENDPOINTS_MAX {
        scene.watch(EVERYTHING);
    }
    let one_more = Endpoint { for_operator: true, ..scene.an_endpoint(EVERYTHING) };
    assert!(!wait(scene.store().add_endpoint(one_more)), "there is an end to those for the operator too");
}
