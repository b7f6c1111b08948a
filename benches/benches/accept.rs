//! How fast SQLite accepts: 1, 32 and 512 callers in one process, each waiting for its commit before it sends the next.
//!
//! Messages stay queued: no worker runs, so this is the accept alone, with the policy event, the charge and the outbox row.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gatepost::{
    Account, AccountId, Answer, Gateway, Host, Instance, InstanceId, Limits, Phone, Plan, Provider, Purpose, Request, Store, Text,
};
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;
use tokio::runtime::{Builder, Runtime};

const RECIPIENTS: u64 = 100_000;

/// A gateway with one account that has no limit in reach.
#[derive(Clone)]
struct World {
    gateway: Gateway,
    account: AccountId,
    instance: InstanceId,
    text: Text,
}

impl World {
    async fn new(folder: &std::path::Path) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.join("gatepost.db"), Options::default()).expect("a database"));
        let now = System.now();
        let (account, instance) = (AccountId::new(now, &System), InstanceId::new(now, &System));
        let limits = Limits { per_day: u64::MAX, per_month: u64::MAX, account_rate: None, instance_rate: None, recipient_rate: None };
        let row = Account::new(account, "bench".parse().expect("a name"), Plan::Custom(limits), now);
        store.operator().add_account(row).await.expect("an account");
        let row = Instance::new(instance, "bench".parse().expect("a name"), Provider::Sandbox, now);
        store.account(account).add_instance(row).await.expect("an instance");
        let text = "Your order 12345 has shipped and will arrive on Tuesday between 9 and 12.".parse().expect("a text");
        Self { gateway: Gateway::builder(store, Arc::new(System)).build(), account, instance, text }
    }

    async fn send(&self, number: u64) {
        let phone = Phone::from_digits(999_000_000_000 + number % RECIPIENTS).expect("a number");
        let request = Request::text(self.instance, phone, Purpose::Transactional, self.text.clone());
        let sent = self.gateway.account(self.account).send(request).await.expect("a store that works");
        assert!(matches!(sent.answer, Answer::Accepted(_)), "{:?}", sent.answer);
    }

    /// The time that `messages` take when `callers` send them.
    async fn time(&self, callers: u64, messages: u64) -> Duration {
        let start = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let world = self.clone();
                tokio::spawn(async move {
                    for number in (caller..messages).step_by(callers as usize) {
                        world.send(number).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a caller that does not panic");
        }
        start.elapsed()
    }
}

fn accepts(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let world = runtime.block_on(World::new(folder.path()));
    let mut group = criterion.benchmark_group("accept");
    group.sample_size(20).throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(8));
    for callers in [1_u64, 32, 512] {
        group.bench_function(BenchmarkId::from_parameter(callers), |bencher| {
            bencher.iter_custom(|messages| runtime.block_on(world.time(callers, messages)));
        });
    }
    group.finish();
}

criterion_group!(benches, accepts);
criterion_main!(benches);
