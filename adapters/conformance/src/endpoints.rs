//! Endpoints: where an account's events go, and what is made of them.

use gatepost::{
    ApiKey, DisabledBy, ENDPOINTS_MAX, Endpoint, EndpointChange, EndpointId, EndpointUrl, ErrorClass, EventFilter, Health, IN_FLIGHT_MAX,
    Rate, SealedKind, StoreError,
};

use crate::Harness;
use crate::scene::{EVERYTHING, Scene, name};
use crate::words::failed;
use crate::world::{block_on, seconds, wait};

/// An endpoint with something in each of its places.
fn furnished(scene: &Scene) -> Endpoint {
    let plain = scene.an_endpoint(&["message.*", "recipient.opted_out"]);
    Endpoint {
        name: name("Café \u{1f35d} & 'Söhne'"),
        url: EndpointUrl::stored("https://receiver.test:8443/a?token=%C3%A9#x".to_string()),
        instance: Some(scene.instance),
        in_flight_max: IN_FLIGHT_MAX,
        rate: Some(Rate { count: 3, period_seconds: 7, burst: 2 }),
        headers: Some(scene.sealed_headers(4, plain.id)),
        pause: Some(scene.a_pause()),
        disabled: Some(gatepost::Disabled {
            since: scene.now(),
            by: DisabledBy::Person { by: gatepost::Actor::App, note: Some("noise".into()) },
        }),
        health: Health { failing_since: Some(scene.now()) },
        revision: 7,
        ..plain
    }
}

pub(crate) fn an_endpoint_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let unverified = Endpoint { verified_at: None, ..scene.an_endpoint(EVERYTHING) };
    let for_operator = Endpoint { for_operator: true, ..scene.an_endpoint(EVERYTHING) };
    for endpoint in [furnished(&scene), unverified, for_operator, scene.an_endpoint(EVERYTHING)] {
        scene.add_endpoint(endpoint.clone());
        assert_eq!(scene.endpoint(endpoint.id), endpoint);
    }
}

pub(crate) fn every_cause_of_being_disabled_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for by in [DisabledBy::Failing, DisabledBy::Gone, DisabledBy::Asked, DisabledBy::Forbidden] {
        let disabled = Some(gatepost::Disabled { since: scene.now(), by });
        let endpoint = Endpoint { disabled, ..scene.an_endpoint(EVERYTHING) };
        scene.add_endpoint(endpoint.clone());
        assert_eq!(scene.endpoint(endpoint.id), endpoint);
    }
}

pub(crate) fn an_endpoint_that_nobody_made_is_not_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let unknown = scene.id(EndpointId::new);
    assert_eq!(wait(scene.store().endpoint(unknown)), None);
    assert_eq!(wait(scene.store().change_endpoint(unknown, EndpointChange::default())), None);
    assert_eq!(wait(scene.store().notify(unknown, scene.a_test_event())), None);
    assert_eq!((wait(scene.nobody().store().endpoints()), scene.deliveries()), (vec![], vec![]));
}

pub(crate) fn endpoints_are_listed_oldest_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let added = [(); 3].map(|()| scene.an_endpoint(EVERYTHING));
    added.iter().for_each(|endpoint| assert_eq!(scene.add_endpoint(endpoint.clone()), endpoint.id));
    assert_eq!(wait(scene.store().endpoints()), added);
}

pub(crate) fn there_is_an_end_to_endpoints(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let added: Vec<EndpointId> = (0..ENDPOINTS_MAX).map(|_| scene.listen(EVERYTHING)).collect();
    let one_more = scene.an_endpoint(EVERYTHING);
    assert!(!wait(scene.store().add_endpoint(one_more.clone())), "the account has as many as it may have");
    assert_eq!((wait(scene.store().endpoint(one_more.id)), wait(scene.store().endpoints()).len()), (None, ENDPOINTS_MAX));
    scene.neighbor().listen(EVERYTHING);
    scene.remove_endpoint(added[7]);
    scene.add_endpoint(one_more);
}

pub(crate) fn a_change_changes_what_it_names(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.listen(EVERYTHING);
    let mut expected = scene.endpoint(id);
    let furnished = furnished(&scene);
    let (none, filter) = (EndpointChange::default(), EventFilter::new(["account.*"]).expect("a filter"));
    let secrets = scene.sealed(2, SealedKind::EndpointSecrets, id, b"secrets");
    let changes = [
        EndpointChange { name: Some(name("till")), ..none.clone() },
        EndpointChange { instance: Some(Some(scene.instance)), ..none.clone() },
        EndpointChange { filter: Some(filter), ..none.clone() },
        EndpointChange { in_flight_max: Some(3), ..none.clone() },
        EndpointChange { rate: Some(furnished.rate), ..none.clone() },
        EndpointChange { secrets: Some(secrets), ..none.clone() },
        EndpointChange { headers: Some(furnished.headers), ..none.clone() },
        EndpointChange { pause: Some(furnished.pause), ..none.clone() },
        EndpointChange { disabled: Some(furnished.disabled), ..none.clone() },
        EndpointChange { url: Some((furnished.url, scene.now())), ..none.clone() },
        EndpointChange { verified_at: Some(scene.now()), ..none.clone() },
        EndpointChange {
            instance: Some(None),
            rate: Some(None),
            headers: Some(None),
            pause: Some(None),
            disabled: Some(None),
            ..none.clone()
        },
        EndpointChange { removed_at: Some(scene.now()), ..none },
    ];
    for change in changes {
        change.clone().apply(&mut expected);
        assert_eq!(scene.change_endpoint(id, change), expected);
        assert_eq!(scene.endpoint(id), expected);
    }
    assert_eq!(expected.revision, 13);
}

pub(crate) fn another_url_takes_the_headers_away(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.listen(EVERYTHING);
    let furnished = furnished(&scene);
    let headers = EndpointChange { headers: Some(furnished.headers), ..EndpointChange::default() };
    assert!(scene.change_endpoint(id, headers.clone()).headers.is_some());
    let url = Some((furnished.url, scene.now()));
    assert_eq!(scene.change_endpoint(id, EndpointChange { url: url.clone(), ..EndpointChange::default() }).headers, None);
    let same = scene.change_endpoint(id, EndpointChange { url, ..headers });
    assert!(same.headers.is_some(), "new ones may come along, and the same URL takes nothing away");
}

pub(crate) fn a_change_for_an_old_revision_meets_a_conflict(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.listen(EVERYTHING);
    let named = |called, if_revision| EndpointChange { name: Some(name(called)), if_revision, ..EndpointChange::default() };
    scene.change_endpoint(id, named("first", Some(0)));
    let before = scene.endpoint(id);
    for revision in [0, 2] {
        let changed = block_on(scene.store().change_endpoint(id, named("second", Some(revision))));
        assert_eq!(changed, Err(StoreError::Conflict));
    }
    assert_eq!((scene.endpoint(id), before.revision), (before, 1));
    assert_eq!(scene.change_endpoint(id, named("third", Some(1))).name, name("third"));
}

pub(crate) fn another_url_must_be_verified_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.listen(EVERYTHING);
    let before = scene.endpoint(id);
    scene.advance(seconds(60));
    let url = |text: &str| EndpointChange { url: Some((EndpointUrl::stored(text.to_string()), scene.now())), ..EndpointChange::default() };
    let same = scene.change_endpoint(id, url(before.url.as_str()));
    assert_eq!((same.verified_at, same.url_since), (before.verified_at, before.url_since));
    let other = scene.change_endpoint(id, url("https://other.test/"));
    assert_eq!((other.verified_at, other.url_since), (None, scene.now()));
}

pub(crate) fn enabling_an_endpoint_clears_its_failures(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let id = scene.listen_to_nothing();
    scene.notify(id);
    scene.tell(failed(ErrorClass::Unreachable));
    assert_eq!(scene.endpoint(id).health, Health { failing_since: Some(scene.now()) });
    scene.disable_endpoint(id);
    scene.enable_endpoint(id);
    assert_eq!((scene.endpoint(id).health, scene.endpoint(id).disabled), (Health::default(), None));
}

pub(crate) fn a_removed_endpoint_stays_for_the_log(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (id, other) = (scene.listen(EVERYTHING), scene.listen(EVERYTHING));
    scene.remove_endpoint(id);
    assert_eq!(scene.endpoint(id).removed_at, Some(scene.now()));
    assert_eq!(wait(scene.store().endpoints()).iter().map(|endpoint| endpoint.id).collect::<Vec<_>>(), [other]);
    let renamed = EndpointChange { name: Some(name("back")), ..EndpointChange::default() };
    assert_eq!(wait(scene.store().change_endpoint(id, renamed)), None);
    assert_eq!(wait(scene.store().notify(id, scene.a_test_event())), None);
    scene.pause();
    assert_eq!((scene.told(id).len(), scene.told(other)), (0, vec!["account.paused"]));
}

pub(crate) fn the_roots_that_endpoints_name_are_known(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let plain = scene.an_endpoint(EVERYTHING);
    let secrets = scene.sealed(3, SealedKind::EndpointSecrets, plain.id, b"secrets");
    let id = scene.add_endpoint(Endpoint { secrets, headers: Some(scene.sealed_headers(5, plain.id)), ..plain });
    wait(scene.store().add_key(ApiKey { root: 4, ..scene.a_key() }));
    let roots = || {
        let mut roots = wait(scene.operator().roots());
        roots.sort_unstable();
        roots
    };
    assert_eq!(roots(), [3, 4, 5]);
    scene.remove_endpoint(id);
    assert_eq!(roots(), [4]);
}
