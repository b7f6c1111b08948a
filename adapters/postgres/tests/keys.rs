//! Keys: what one host does to a key, another one that notes its use does not undo.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_executor::block_on;
use gatepost::{ApiKey, Brand, Host, KeyDigest, KeyId, KeyKind, KeyOwner, NewKey, Scopes, Store};
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

#[test]
fn a_key_that_is_revoked_while_its_use_is_noted_stays_revoked() {
    let Some(database) = cluster::migrated() else { return };
    let [host, other] = [(); 2].map(|()| PostgresStore::open(&database.url(), &Options::default()).expect("it opens"));
    let keys: Vec<KeyId> = (0..40).map(|_| add_operator_key(&host)).collect();
    let all_are_revoked = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                let used = keys.iter().map(|key| (*key, System.now())).collect();
                block_on(other.worker().touch_keys(used)).expect("they are noted");
                if all_are_revoked.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for key in &keys {
            block_on(host.operator().revoke_key(*key, System.now())).expect("an answer").expect("it is there");
        }
        all_are_revoked.store(true, Ordering::Relaxed);
    });
    for key in block_on(host.operator().keys()).expect("an answer") {
        assert!(key.revoked_at.is_some() && key.last_used_at.is_some(), "{:?}", key.id);
    }
}

fn add_operator_key(store: &PostgresStore) -> KeyId {
    let id = NewKey::generate(&Brand::default(), KeyKind::Operator, &System).id;
    let key = ApiKey {
        id,
        owner: KeyOwner::Operator,
        name: "Ops".parse().expect("a name"),
        digest: KeyDigest::from_bytes([7; 32]),
        root: 1,
        last_four: "wxyz".to_string(),
        scopes: Scopes::all(),
        allowed_from: Vec::new(),
        created_at: System.now(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    block_on(store.operator().add_key(key)).expect("it is added");
    id
}
