//! Instances: what is kept of them for their providers.

use gatepost::{
    AdapterSettings, ApiKey, Connection, INSTANCES_MAX, Instance, InstanceChange, InstanceId, InstanceRef, IntegrationEntryFilter, Keyring,
    Page, Provider, Sealed, SealedFor, SealedKind, StoreError,
};
use zeroize::Zeroizing;

use crate::Harness;
use crate::scene::Scene;
use crate::world::{block_on, wait};

fn settings(json: &str) -> AdapterSettings {
    json.parse().expect("a JSON object")
}

/// Credentials that the root with this number has sealed for an instance of the scene's account.
fn sealed(scene: &Scene, root: u32, id: InstanceId, plain: &[u8]) -> Sealed {
    let keyring = Keyring::new([(root, Zeroizing::new([7; 32]))]).expect("a keyring with a root");
    keyring.seal(Instance::credentials_of(scene.account, id), plain, &scene.dice)
}

/// An instance with all that a provider needs.
fn furnished(scene: &Scene, called: &str, root: u32) -> Instance {
    let plain = scene.an_instance(called);
    Instance {
        provider: Provider::CloudApi,
        settings: settings(r#"{"phone_number_id": "8007", "note": "Café 🍝 & 'Söhne'", "deep": [{"a": null}]}"#),
        credentials: Some(sealed(scene, root, plain.id, b"a token")),
        revision: 7,
        ..plain
    }
}

fn add(scene: &Scene, instance: &Instance) {
    assert!(wait(scene.store().add_instance(instance.clone())), "the name is taken");
}

pub(crate) fn what_a_provider_needs_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let instance = furnished(&scene, "till", 3);
    add(&scene, &instance);
    assert_eq!(wait(scene.store().instance(instance.id.into())), Some(instance.clone()));
    assert!(wait(scene.store().instances()).contains(&instance));
    let credentials = instance.credentials.expect("it was given some");
    let keyring = Keyring::new([(3, Zeroizing::new([7; 32]))]).expect("a keyring with a root");
    let place = SealedFor { account: scene.account, kind: SealedKind::InstanceCredentials, row: instance.id.to_bytes() };
    assert_eq!(keyring.open(place, &credentials).expect("it opens where it belongs").as_slice(), b"a token");
}

pub(crate) fn there_is_an_end_to_instances(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    (wait(scene.store().instances()).len()..INSTANCES_MAX).for_each(|nth| _ = scene.add_instance(&format!("till-{nth}")));
    let one_more = scene.an_instance("one-more");
    assert!(!wait(scene.store().add_instance(one_more.clone())), "the account has as many as it may have");
    assert_eq!((wait(scene.store().instance(one_more.id.into())), wait(scene.store().instances()).len()), (None, INSTANCES_MAX));
    scene.neighbor().add_instance("one-more");
}

pub(crate) fn an_instance_is_found_by_its_id_alone(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    for whose in [&scene, &neighbor] {
        let instance = furnished(whose, "till", 1);
        add(whose, &instance);
        assert_eq!(wait(scene.worker().instance(instance.id)), Some((whose.account, instance)));
    }
    assert_eq!(wait(scene.worker().instance(scene.an_instance("nobody's").id)), None);
}

pub(crate) fn a_name_that_no_database_takes_is_nobodys(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.add_instance("a\u{fffd}b");
    assert_eq!(wait(scene.store().instance(InstanceRef::Name("a\0b".to_string()))), None);
    let filter = IntegrationEntryFilter { kind: Some("a\0b".to_string()), ..IntegrationEntryFilter::default() };
    assert_eq!(wait(scene.store().integration_log(filter, Page::first(9))), []);
}

pub(crate) fn a_change_changes_what_it_names(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let mut expected = wait(scene.store().instance(scene.instance.into())).expect("the instance is there");
    let none = InstanceChange::default();
    let changes = [
        InstanceChange { settings: Some(settings(r#"{"instance_name":"desk"}"#)), ..none.clone() },
        InstanceChange { credentials: Some(sealed(&scene, 2, scene.instance, b"first")), ..none.clone() },
        InstanceChange { connection: Some(Connection::Closed), ..none.clone() },
        InstanceChange { credentials: Some(sealed(&scene, 2, scene.instance, b"second")), ..none.clone() },
        InstanceChange { pause: Some(Some(scene.a_pause())), ..none.clone() },
        InstanceChange { settings: Some(AdapterSettings::none()), pause: Some(None), ..none },
    ];
    for change in changes {
        assert_eq!(change.clone().apply(&mut expected), Ok(()));
        assert_eq!(scene.change_instance(change), expected);
        assert_eq!(wait(scene.worker().instance(scene.instance)), Some((scene.account, expected.clone())));
    }
    assert_eq!(expected.revision, 6);
}

pub(crate) fn a_change_for_an_old_revision_meets_a_conflict(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let token = |plain: &[u8], if_revision| {
        let credentials = Some(sealed(&scene, 1, scene.instance, plain));
        InstanceChange { credentials, if_revision, ..InstanceChange::default() }
    };
    let first = scene.change_instance(token(b"first", Some(0)));
    for revision in [0, 2] {
        let changed = block_on(scene.store().change_instance(scene.instance, token(b"second", Some(revision))));
        assert_eq!(changed, Err(StoreError::Conflict));
    }
    assert_eq!(wait(scene.store().instance(scene.instance.into())), Some(first.clone()));
    assert_ne!(scene.change_instance(token(b"third", Some(1))).credentials, first.credentials);
}

pub(crate) fn the_roots_that_instances_name_are_known(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    wait(scene.store().add_key(ApiKey { root: 4, ..scene.a_key() }));
    add(&scene, &furnished(&scene, "till", 6));
    let roots = || {
        let mut roots = wait(scene.operator().roots());
        roots.sort_unstable();
        roots
    };
    assert_eq!(roots(), [4, 6]);
    scene.change_instance(InstanceChange { credentials: Some(sealed(&scene, 9, scene.instance, b"x")), ..InstanceChange::default() });
    assert_eq!(roots(), [4, 6, 9]);
    scene.change_instance(InstanceChange { credentials: Some(sealed(&scene, 4, scene.instance, b"x")), ..InstanceChange::default() });
    assert_eq!(roots(), [4, 6]);
}

pub(crate) fn another_accounts_instance_keeps_its_credentials(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (neighbor, instance) = (scene.neighbor(), furnished(&scene, "till", 1));
    add(&scene, &instance);
    let change = InstanceChange {
        credentials: Some(sealed(&neighbor, 1, instance.id, b"theirs")),
        settings: Some(AdapterSettings::none()),
        ..InstanceChange::default()
    };
    assert_eq!(wait(neighbor.store().change_instance(instance.id, change)), None);
    assert_eq!(wait(scene.store().instance(instance.id.into())), Some(instance));
}
