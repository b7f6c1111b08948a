//! How fast SQLite takes in what a provider posts: a webhook of 1,000 messages, to the moment when the provider may be answered, and to the
//! moment when each of them is heeded.
//!
//! Verifying, reading, looking for opt-outs, storing and heeding are all in it; only HTTP is not. Each message has a text, and one in a
//! hundred is an opt-out.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_executor::block_on;
use gatepost::{Account, AccountId, Gateway, Host, Instance, InstanceId, Plan, Provider, Secret, Store, Worker};
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;
use gatepost_whatsapp::cloud::{sign, verify_signature, webhook};

const BATCH: u64 = 1_000;
const PEOPLE: u64 = 100_000;

struct World {
    gateway: Gateway,
    account: AccountId,
    instance: InstanceId,
    secrets: [Secret; 1],
    next: AtomicU64,
}

impl World {
    fn new(folder: &Path) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.join("gatepost.db"), Options::default()).expect("a database"));
        let now = System.now();
        let (account, instance) = (AccountId::new(now, &System), InstanceId::new(now, &System));
        let row = Account::new(account, "bench".parse().expect("a name"), Plan::Scale, now);
        block_on(store.operator().add_account(row)).expect("an account");
        let row = Instance::new(instance, "bench".parse().expect("a name"), Provider::CloudApi, now);
        block_on(store.account(account).add_instance(row)).expect("an instance");
        let gateway = Gateway::builder(store, Arc::new(System)).build();
        Self { gateway, account, instance, secrets: [Secret::from("app-secret")], next: AtomicU64::new(0) }
    }

    /// A webhook of messages that nobody sent before.
    fn post(&self) -> Vec<u8> {
        let first = self.next.fetch_add(BATCH, Ordering::Relaxed);
        let seconds = System.now().as_millis() / 1_000;
        let mut messages = String::new();
        for number in first..first + BATCH {
            let (person, text) = (999_000_000_000 + number % PEOPLE, if number % 100 == 0 { "STOP" } else { "Is my order on its way?" });
            let comma = if number == first { "" } else { "," };
            // Writing into a string cannot fail.
            let _ = write!(
                messages,
                r#"{comma}{{"from":"{person}","id":"wamid.{number}","timestamp":"{seconds}","type":"text","text":{{"body":"{text}"}}}}"#
            );
        }
        let metadata = r#""metadata":{"phone_number_id":"8007"}"#;
        let changes = format!(r#"[{{"field":"messages","value":{{{metadata},"messages":[{messages}]}}}}]"#);
        format!(r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9001","changes":{changes}}}]}}"#).into_bytes()
    }

    /// Takes a webhook in, as the server does.
    fn receive(&self, body: Vec<u8>, signature: &str) {
        verify_signature(&body, Some(signature), &self.secrets).expect("a genuine webhook");
        let told = webhook(&body).expect("a notification").items.iter().map(gatepost_whatsapp::Item::told).collect();
        let received = block_on(self.gateway.account(self.account).receive(self.instance, body, told)).expect("a store that works");
        assert_eq!(received.new as u64, BATCH, "{received:?}");
    }

    fn time_to_answer(&self, posts: u64, worker: &mut Worker) -> Duration {
        (0..posts).map(|_| self.post()).fold(Duration::ZERO, |total, body| {
            let signature = sign(&body, &self.secrets[0]);
            let start = Instant::now();
            self.receive(body, &signature);
            let took = start.elapsed();
            heed_all(worker);
            total + took
        })
    }

    fn time_to_heed(&self, posts: u64, worker: &mut Worker) -> Duration {
        let bodies: Vec<_> = (0..posts).map(|_| self.post()).map(|body| (sign(&body, &self.secrets[0]), body)).collect();
        let start = Instant::now();
        for (signature, body) in bodies {
            self.receive(body, &signature);
            heed_all(worker);
        }
        start.elapsed()
    }
}

/// Turns until nothing is left to do.
fn heed_all(worker: &mut Worker) {
    while block_on(worker.turn(System.now())).expect("a store that works").did {}
}

fn ingests(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(folder.path());
    let mut worker = world.gateway.worker();
    let mut group = criterion.benchmark_group("ingest");
    group.sample_size(20).throughput(Throughput::Elements(BATCH)).measurement_time(Duration::from_secs(8));
    group.bench_function("to the answer", |bencher| bencher.iter_custom(|posts| world.time_to_answer(posts, &mut worker)));
    group.bench_function("to the end", |bencher| bencher.iter_custom(|posts| world.time_to_heed(posts, &mut worker)));
    group.finish();
}

criterion_group!(benches, ingests);
criterion_main!(benches);
