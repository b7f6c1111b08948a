//! How long it takes to know a caller: the key's text is parsed, its checksum and its keyed hash compared, its row taken from the cache.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_executor::block_on;
use gatepost::{ApiKey, Brand, Host, KeyKind, KeyOwner, KeyTerms, Keyring, NewKey, PresentedKey, Scopes, Store};
use gatepost_server::http::KeyCache;
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;

fn key_check(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("gatepost.db"), Options::default()).expect("a database");
    let keyring = Keyring::new([(1, [7; 32].into())]).expect("a root");
    let brand = Brand::default();
    let now = System.now();
    let new = NewKey::generate(&brand, KeyKind::Operator, &System);
    let terms = KeyTerms { name: "bench".parse().expect("a name"), scopes: Scopes::all(), allowed_from: vec![], expires_at: None };
    let (root, pepper) = keyring.present();
    let row = ApiKey::new(&new, KeyOwner::Operator, terms, root, pepper, now);
    block_on(store.operator().add_key(row)).expect("a row");
    let cache = Arc::new(KeyCache::new(store.worker(), keyring.clone()));

    criterion.bench_function("key_check/cached", |bencher| {
        bencher.iter(|| {
            let presented = PresentedKey::parse(black_box(new.reveal()), &brand).expect("a key");
            block_on(cache.check(&presented, None, now)).expect("a key in force")
        });
    });
    criterion.bench_function("key_check/junk", |bencher| {
        let junk = format!("{}x", &new.reveal()[..new.reveal().len() - 1]);
        bencher.iter(|| PresentedKey::parse(black_box(&junk), &brand).is_err());
    });
}

criterion_group!(benches, key_check);
criterion_main!(benches);
