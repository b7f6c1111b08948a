//! Health: an endpoint that fails for long or asks for it gets no events any more, and the account's other endpoints are told.

use gatepost::{Actor, DisabledBy, EndpointChange, EndpointId, ErrorClass, Health, Outcome, Report};

use crate::Harness;
use crate::scene::Scene;
use crate::words::{TAKEN, failed};
use crate::world::{MOMENT, hours, seconds};

/// An endpoint that gets tests only, and another one that hears of endpoints that are disabled.
fn two(harness: &dyn Harness) -> (Scene, EndpointId, EndpointId) {
    let scene = Scene::new(harness);
    let failing = scene.listen(&["endpoint.*"]);
    let other = scene.listen(&["endpoint.disabled"]);
    (scene, failing, other)
}

/// Delivers a test, which ends so; the worker hears at once if that disables the endpoint.
#[track_caller]
fn test(scene: &Scene, endpoint: EndpointId, outcome: Outcome, disables: Option<DisabledBy>) {
    scene.notify(endpoint);
    let started = scene.take().into_iter().find(|notice| notice.notice.endpoint.id == endpoint).expect("the test goes out");
    let was_enabled = scene.endpoint(endpoint).disabled.is_none();
    let told = scene.close_with(&started, outcome, Some(Report { disables, ..Report::default() }));
    let disabled = scene.endpoint(endpoint).disabled.filter(|_| was_enabled);
    assert_eq!(told, disabled.map(|disabled| (endpoint, disabled.by)));
}

/// The endpoint is disabled since now for this reason, nobody changed it, and the other one is told.
#[track_caller]
fn check_disabled(scene: &Scene, failing: EndpointId, other: EndpointId, by: DisabledBy) {
    assert_eq!(scene.endpoint(failing).revision, 0);
    check_disabled_and_told(scene, failing, other, by);
}

#[track_caller]
fn check_disabled_and_told(scene: &Scene, failing: EndpointId, other: EndpointId, by: DisabledBy) {
    let (now, word) = (scene.now(), by.as_str());
    assert_eq!(scene.endpoint(failing).disabled, Some(gatepost::Disabled { since: now, by }));
    let (account, event) = (scene.account, scene.deliveries_to(other)[0].event);
    let head = format!(r#"{{"event":"endpoint.disabled","event_id":"{event}","occurred_at":"{now}","account_id":"{account}","#);
    let expected = head + &format!(r#""endpoint_id":"{failing}","endpoint_name":"ledger","reason":"{word}"}}"#);
    assert_eq!(scene.bodies(other), [expected]);
    assert!(!scene.told(failing).contains(&"endpoint.disabled"), "the one concerned is not told");
}

pub(crate) fn an_endpoint_that_is_gone_is_disabled(harness: &dyn Harness) {
    let (scene, failing, other) = two(harness);
    test(&scene, failing, failed(ErrorClass::Gone), None);
    check_disabled(&scene, failing, other, DisabledBy::Gone);
}

pub(crate) fn an_endpoint_that_asks_for_it_is_disabled(harness: &dyn Harness) {
    let (scene, failing, other) = two(harness);
    test(&scene, failing, TAKEN, Some(DisabledBy::Asked));
    check_disabled(&scene, failing, other, DisabledBy::Asked);
}

pub(crate) fn an_endpoint_whose_url_is_forbidden_is_disabled(harness: &dyn Harness) {
    let (scene, failing, other) = two(harness);
    test(&scene, failing, Outcome::Blocked { class: ErrorClass::Forbidden }, Some(DisabledBy::Forbidden));
    check_disabled(&scene, failing, other, DisabledBy::Forbidden);
}

pub(crate) fn a_person_who_disables_an_endpoint_is_told_of(harness: &dyn Harness) {
    let (scene, closed, other) = two(harness);
    scene.disable_endpoint(closed);
    check_disabled_and_told(&scene, closed, other, DisabledBy::Person { by: Actor::App, note: None });
    let change = EndpointChange { name: Some("till".parse().expect("a name")), ..EndpointChange::default() };
    scene.change_endpoint(closed, change);
    assert_eq!(scene.told(other).len(), 1, "it was disabled already");
}

pub(crate) fn what_the_url_before_answered_does_not_count(harness: &dyn Harness) {
    let (scene, moved, _) = two(harness);
    test(&scene, moved, failed(ErrorClass::ErrorStatus), None);
    scene.at(scene.now().plus(seconds(10)));
    let on_its_way = scene.take_one();
    scene.advance(MOMENT);
    scene.move_endpoint(moved, "https://new.example.com/hook");
    assert_eq!(scene.endpoint(moved).health, Health::default());
    scene.close(&on_its_way, failed(ErrorClass::Gone));
    let endpoint = scene.endpoint(moved);
    assert_eq!((endpoint.health, endpoint.disabled), (Health::default(), None));
}

pub(crate) fn five_days_of_failure_disable(harness: &dyn Harness) {
    let (scene, failing, other) = two(harness);
    test(&scene, failing, failed(ErrorClass::ErrorStatus), None);
    let since = scene.now();
    scene.at(since.plus(hours(5 * 24)).minus(MOMENT));
    let (early, late) = (scene.notify(failing).id, scene.notify(failing).id);
    let of = |taken: &[gatepost::StartedNotice], id| taken.iter().find(|notice| notice.claimed.delivery == id).cloned().expect("it is due");
    let taken = scene.take();
    scene.at(since.plus(hours(5 * 24)).minus(MOMENT));
    scene.close(&of(&taken, early), failed(ErrorClass::Unreachable));
    assert_eq!((scene.endpoint(failing).disabled, scene.endpoint(failing).health.failing_since), (None, Some(since)));
    scene.advance(MOMENT);
    scene.close(&of(&taken, late), failed(ErrorClass::Timeout));
    check_disabled(&scene, failing, other, DisabledBy::Failing);
}

pub(crate) fn a_success_clears_the_failures(harness: &dyn Harness) {
    let (scene, failing, other) = two(harness);
    test(&scene, failing, failed(ErrorClass::ErrorStatus), None);
    assert_eq!(scene.endpoint(failing).health, Health { failing_since: Some(scene.now()) });
    scene.advance(hours(4 * 24));
    test(&scene, failing, TAKEN, None);
    assert_eq!(scene.endpoint(failing).health, Health::default());
    scene.advance(hours(4 * 24));
    test(&scene, failing, failed(ErrorClass::ErrorStatus), None);
    assert_eq!(scene.endpoint(failing).health, Health { failing_since: Some(scene.now()) });
    assert_eq!((scene.endpoint(failing).disabled, scene.told(other).len()), (None, 0));
}

pub(crate) fn what_the_gateway_did_is_no_failure_of_the_endpoint(harness: &dyn Harness) {
    let (scene, failing, _) = two(harness);
    for class in [ErrorClass::Throttled, ErrorClass::Interrupted, ErrorClass::NoTransport] {
        test(&scene, failing, failed(class), None);
    }
    scene.notify(failing);
    let open = scene.take();
    scene.at(open[0].lease.until);
    scene.sweep();
    assert_eq!(scene.endpoint(failing).health, Health::default());
}

pub(crate) fn an_endpoint_is_disabled_once(harness: &dyn Harness) {
    let (scene, failing, other) = two(harness);
    scene.notify_often(failing, 3);
    let [first, second, third] = &scene.take()[..] else { panic!("three tests") };
    scene.close(first, failed(ErrorClass::Gone));
    check_disabled(&scene, failing, other, DisabledBy::Gone);
    let disabled = scene.endpoint(failing).disabled;
    scene.advance(seconds(1));
    scene.close(second, failed(ErrorClass::Gone));
    scene.close_with(third, TAKEN, Some(Report { disables: Some(DisabledBy::Asked), ..Report::default() }));
    assert_eq!((scene.endpoint(failing).disabled, scene.told(other).len()), (disabled, 1));
}

pub(crate) fn who_does_not_listen_is_not_told_of_a_disabled_endpoint(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (failing, other) = (scene.listen_to_nothing(), scene.listen_to_nothing());
    test(&scene, failing, failed(ErrorClass::Gone), None);
    assert_eq!((scene.told(other).len(), scene.endpoint(failing).disabled.is_some()), (0, true));
}

pub(crate) fn an_endpoint_that_was_enabled_gets_events_again(harness: &dyn Harness) {
    let (scene, failing, _) = two(harness);
    test(&scene, failing, failed(ErrorClass::Gone), None);
    let skipped = scene.notify(failing).id;
    scene.enable_endpoint(failing);
    test(&scene, failing, TAKEN, None);
    assert_eq!(scene.fate(skipped), "skipped: endpoint_disabled");
    assert_eq!((scene.endpoint(failing).disabled, scene.endpoint(failing).health), (None, Health::default()));
}
