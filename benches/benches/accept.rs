//! How fast SQLite accepts: 1, 32 and 512 callers in one process, each waiting for its commit before it sends the next.
//!
//! Messages stay queued: no worker runs, so this is the accept alone, with the policy event, the charge and the outbox row. Last comes what
//! the content guard takes of it: 32 callers submit texts of 160 characters with it and without, in turns.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gatepost::{
    Account, AccountId, Answer, ContactId, Content, Decider, DeliveryId, Fact, Facts, Findings, Gateway, Group, Host, Instance, InstanceId,
    Limits, MessageId, Phone, Plan, Policy, Provider, Purpose, Request, Sender, Store, Submission, Text, Verdict, decide, examine,
    text_print,
};
use gatepost_benches::texts;
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
    decider: Arc<Policy>,
    /// Of 160 characters, and such that the guard lets them pass: what is refused costs less.
    texts: Arc<[Text]>,
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
        Self {
            gateway: Gateway::builder(store, Arc::new(System)).build(),
            account,
            instance,
            text,
            decider: Arc::default(),
            texts: passing().into(),
        }
    }

    async fn send(&self, number: u64) {
        let request = self.request(number, self.text.clone());
        let sent = self.gateway.account(self.account).send(request).await.expect("a store that works");
        assert!(matches!(sent.answer, Answer::Accepted(_)), "{:?}", sent.answer);
    }

    fn request(&self, number: u64, text: Text) -> Request {
        let phone = Phone::from_digits(999_000_000_000 + number % RECIPIENTS).expect("a number");
        Request::text(self.instance, phone, Purpose::Transactional, text)
    }

    /// Submits as the gateway does, with the findings of `look`.
    async fn submit(&self, number: u64, look: fn(&Content) -> Findings) {
        let text = self.texts[number as usize % self.texts.len()].clone();
        let (request, now) = (self.request(number, text), System.now());
        let submission = Submission {
            message: MessageId::new(now, &System),
            delivery: DeliveryId::new(now, &System),
            contact: ContactId::new(now, &System),
            fingerprint: None,
            findings: Fact::Known(look(&request.content)),
            text_print: text_print(&request.content),
            request,
            now,
            at_once: None,
        };
        let decider: Arc<dyn Decider> = self.decider.clone();
        let answers = self.gateway.store().account(self.account).accept(vec![submission], decider).await.expect("a store that works");
        assert!(matches!(answers.as_slice(), [Answer::Accepted(_)]), "{answers:?}");
    }

    /// The time that `messages` take when `callers` send them.
    async fn time(&self, callers: u64, messages: u64) -> Duration {
        self.time_of(callers, messages, |world, number| async move { world.send(number).await }).await
    }

    async fn time_of<F: Future<Output = ()> + Send + 'static>(&self, callers: u64, messages: u64, send: fn(Self, u64) -> F) -> Duration {
        let start = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let world = self.clone();
                tokio::spawn(async move {
                    for number in (caller..messages).step_by(callers as usize) {
                        send(world.clone(), number).await;
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

/// Texts that are allowed whether or not the guard looks at them, also from an account that writes to strangers alone.
fn passing() -> Vec<Text> {
    let texts = texts::of_rows(160).expect("the trainer's rows").into_iter().map(|text| text.parse::<Text>().expect("a text"));
    texts.filter(is_allowed).collect()
}

fn is_allowed(text: &Text) -> bool {
    let request = Request::text("bench", Phone::from_digits(999_000_000_000).expect("a number"), Purpose::Transactional, text.clone());
    let content = Fact::Known(look(&request.content));
    let facts = Facts { content, ..Facts::clear(Plan::Starter.limits(), System.now()) };
    let decision = decide(Policy::usual(), &facts, &request.subject(), System.now());
    decision.verdict == Verdict::Allow && decision.risk_score + Group::Behaviour.cap() < Policy::usual().review_from
}

fn look(content: &Content) -> Findings {
    examine(content, &Sender::default())
}

fn look_away(_: &Content) -> Findings {
    Findings::default()
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

const ROUNDS: usize = 11;
const MESSAGES: u64 = 4_000;

/// In turns, since a figure alone says as much about the machine as about the guard. Prints the medians and the median of the ratios.
fn guard(_: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let world = runtime.block_on(World::new(folder.path()));
    let rate = |time: Duration| MESSAGES as f64 / time.as_secs_f64();
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let on = runtime.block_on(world.time_of(32, MESSAGES, |world, number| async move { world.submit(number, look).await }));
            let off = runtime.block_on(world.time_of(32, MESSAGES, |world, number| async move { world.submit(number, look_away).await }));
            (rate(on), rate(off))
        })
        .collect();
    let median_of = |figure: fn(&(f64, f64)) -> f64| median(rounds.iter().map(figure).collect());
    let (on, off, ratio) = (median_of(|(on, _)| *on), median_of(|(_, off)| *off), median_of(|(on, off)| on / off));
    println!("guard: on {on:.0}, off {off:.0} a second, on is {ratio:.2} of off");
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

criterion_group!(benches, accepts, guard);
criterion_main!(benches);
