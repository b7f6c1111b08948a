//! Keys: who is calling, and what a key that is no longer in force can still do.

use gatepost::{Answer, ApiKey, Evidence, FactName, KeyId, KeyOwner, Mode, RootPrint, Scope, Timestamp};

use crate::Harness;
use crate::draft::text;
use crate::scene::{Scene, name};
use crate::words;
use crate::world::{MOMENT, hours, seconds, wait};

fn found(scene: &Scene, key: KeyId) -> Option<ApiKey> {
    wait(scene.worker().key(key))
}

pub(crate) fn a_key_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let key = ApiKey {
        owner: KeyOwner::Account(scene.account, Mode::Test),
        name: name("Kasse \u{201e}Süd\u{201c}"),
        root: 3,
        scopes: [Scope::MessagesSend, Scope::LogsRead].into_iter().collect(),
        allowed_from: vec!["192.0.2.0/24".parse().expect("a network"), "2001:db8::/32".parse().expect("a network")],
        expires_at: Some(scene.now().plus(hours(1))),
        ..scene.a_key()
    };
    wait(scene.store().add_key(key.clone()));
    assert_eq!((found(&scene, key.id), wait(scene.store().keys())), (Some(key.clone()), vec![key]));
}

pub(crate) fn a_key_is_found_whoever_it_belongs_to(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let keys = [scene.add_key(), scene.neighbor().add_key(), add_operator_key(&scene)];
    for key in keys {
        assert_eq!(found(&scene, key.id), Some(key));
    }
    assert_eq!(found(&scene, scene.a_key().id), None);
}

fn add_operator_key(scene: &Scene) -> ApiKey {
    let key = scene.an_operator_key();
    wait(scene.operator().add_key(key.clone()));
    key
}

pub(crate) fn keys_are_listed_newest_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let mut keys = [scene.add_key(), scene.add_key(), scene.add_key()];
    keys.reverse();
    assert_eq!(wait(scene.store().keys()), keys);
}

pub(crate) fn a_revoked_key_stays_revoked_since_the_first_time(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let key = scene.add_key();
    let revoked = ApiKey { revoked_at: Some(scene.now()), ..key.clone() };
    assert_eq!(scene.revoke(key.id), Some(revoked.clone()));
    scene.advance(seconds(60));
    assert_eq!(scene.revoke(key.id), Some(revoked.clone()));
    assert_eq!(found(&scene, key.id), Some(revoked));
}

pub(crate) fn what_is_not_there_cannot_be_revoked(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.revoke(scene.a_key().id), None);
}

pub(crate) fn a_reroll_adds_a_key_and_ends_the_old_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = scene.add_key();
    let new = scene.a_key();
    let ends_at = scene.now().plus(hours(1));
    assert!(reroll(&scene, old.id, &new, ends_at));
    assert_eq!(wait(scene.store().keys()), [new, ApiKey { expires_at: Some(ends_at), ..old }]);
}

pub(crate) fn a_reroll_never_lengthens_a_life(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let expires_at = Some(scene.now().plus(seconds(60)));
    let old = ApiKey { expires_at, ..scene.a_key() };
    wait(scene.store().add_key(old.clone()));
    assert!(reroll(&scene, old.id, &scene.a_key(), scene.now().plus(hours(1))));
    assert_eq!(found(&scene, old.id).and_then(|key| key.expires_at), expires_at);
}

pub(crate) fn only_a_key_in_force_is_rerolled(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let revoked = scene.add_key();
    scene.revoke(revoked.id);
    let expired = ApiKey { expires_at: Some(scene.now()), ..scene.a_key() };
    wait(scene.store().add_key(expired.clone()));
    let before = wait(scene.store().keys());
    for old in [revoked.id, expired.id, scene.a_key().id, add_operator_key(&scene).id] {
        let new = scene.a_key();
        assert!(!reroll(&scene, old, &new, scene.now().plus(hours(1))));
        assert_eq!(found(&scene, new.id), None);
    }
    assert_eq!(wait(scene.store().keys()), before);
}

fn reroll(scene: &Scene, old: KeyId, new: &ApiKey, ends_at: Timestamp) -> bool {
    wait(scene.store().reroll_key(old, new.clone(), ends_at, scene.now()))
}

pub(crate) fn a_key_was_last_used_at_the_latest_time(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [account, operator] = [scene.add_key().id, add_operator_key(&scene).id];
    let times = [5, 9, 7].map(|after| scene.now().plus(seconds(after)));
    for time in times {
        wait(scene.worker().touch_keys(vec![(account, time), (operator, time), (scene.a_key().id, time)]));
    }
    for key in [account, operator] {
        assert_eq!(found(&scene, key).and_then(|key| key.last_used_at), Some(times[1]));
    }
}

pub(crate) fn a_message_by_a_key_in_force_is_queued(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let key = scene.add_key();
    assert_eq!(scene.send(text("hi").by(key.id)), "queued");
}

pub(crate) fn a_message_by_a_revoked_key_is_blocked(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let key = scene.add_key();
    scene.revoke(key.id);
    assert_eq!(scene.send(text("hi").by(key.id)), "blocked by key_not_in_force");
}

pub(crate) fn a_message_by_an_expired_key_is_blocked(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let expires_at = scene.now().plus(hours(1));
    let key = ApiKey { expires_at: Some(expires_at), ..scene.a_key() };
    wait(scene.store().add_key(key.clone()));
    scene.at(expires_at.minus(MOMENT));
    assert_eq!(scene.send(text("hi").by(key.id)), "queued");
    scene.at(expires_at);
    assert_eq!(scene.send(text("hi").by(key.id)), "blocked by key_not_in_force");
}

pub(crate) fn a_message_by_an_unknown_key_is_held(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for key in [scene.a_key().id, scene.neighbor().add_key().id] {
        let Answer::Accepted(held) = scene.accept(text("hi").by(key)) else { panic!("expected a held message") };
        assert_eq!((held.status.as_str(), words::decision(&held.decision).as_str()), ("held", "held by fact_missing"));
        assert_eq!(held.decision.deciding().map(|reason| reason.evidence), Some(Evidence::Fact(FactName::Key)));
    }
}

pub(crate) fn operator_keys_are_a_list_of_their_own(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = [add_operator_key(&scene), add_operator_key(&scene)];
    let own = scene.add_key();
    assert_eq!(wait(scene.operator().keys()), [second, first]);
    assert_eq!(wait(scene.store().keys()), [own]);
}

pub(crate) fn an_operator_key_is_revoked_by_the_operator_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (key, own) = (add_operator_key(&scene), scene.add_key());
    assert_eq!((scene.revoke(key.id), wait(scene.operator().revoke_key(own.id, scene.now()))), (None, None));
    let revoked = ApiKey { revoked_at: Some(scene.now()), ..key.clone() };
    assert_eq!(wait(scene.operator().revoke_key(key.id, scene.now())), Some(revoked.clone()));
    scene.advance(seconds(60));
    assert_eq!(wait(scene.operator().revoke_key(key.id, scene.now())), Some(revoked));
    assert_eq!(wait(scene.operator().revoke_key(scene.a_key().id, scene.now())), None);
}

pub(crate) fn the_roots_that_keys_name_are_known(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(wait(scene.operator().roots()), Vec::<u32>::new());
    for root in [2, 7, 2] {
        wait(scene.store().add_key(ApiKey { root, ..scene.a_key() }));
    }
    wait(scene.operator().add_key(ApiKey { root: 4, ..scene.an_operator_key() }));
    let mut roots = wait(scene.operator().roots());
    roots.sort_unstable();
    assert_eq!(roots, [2, 4, 7]);
}

fn print(number: u32, byte: u8) -> RootPrint {
    RootPrint { number, print: [byte; 32] }
}

fn note(scene: &Scene, roots: &[RootPrint]) -> Vec<RootPrint> {
    wait(scene.operator().note_roots(roots.to_vec()))
}

pub(crate) fn the_roots_of_a_keyring_are_noted_for_good(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second, third] = [print(1, 1), print(2, 2), print(u32::MAX, 3)];
    assert_eq!(note(&scene, &[]), []);
    assert_eq!(note(&scene, &[first]), [first]);
    assert_eq!(note(&scene, &[first, second]), [first, second]);
    assert_eq!(note(&scene, &[third, second]), [first, second, third], "what is missing stays noted");
    assert_eq!(note(&scene.reopen(), &[]), [first, second, third]);
}

pub(crate) fn another_keyring_is_not_noted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = [print(1, 1), print(2, 2)];
    note(&scene, &[first, second]);
    for other in [vec![print(1, 9)], vec![first, print(2, 9), print(3, 9)], vec![print(1, 9), second], vec![print(3, 3)]] {
        assert_eq!(note(&scene, &other), [first, second], "{other:?}");
    }
    assert_eq!(note(&scene, &[]), [first, second]);
}
