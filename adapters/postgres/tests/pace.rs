//! Pace: how many statements a message costs when many are accepted and delivered at the same moment, and how fast that goes.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gatepost::{
    AccountChange, AccountId, AtOnce, ContactId, Decider, DeliveryId, Fact, Finish, Finished, Gateway, Host, Lease, Limits, MessageId,
    Mode, Outcome, Permit, Plan, Policy, Purpose, Request, Started, Store, Submission, examine, text_print,
};
use gatepost_conformance::fixture;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

/// How many are on their way at the same moment at each host.
const TOGETHER: usize = 256;

const UNLIMITED: Limits = Limits { per_day: 1 << 40, per_month: 1 << 40, account_rate: None, instance_rate: None, recipient_rate: None };

struct Server {
    store: PostgresStore,
    account: AccountId,
}

impl Server {
    /// Accepts a message and delivers it.
    async fn send(&self, nth: usize) {
        let host = System;
        let now = host.now();
        let phone = format!("+99950{:07}", nth % 10_000_000).parse().expect("a phone number");
        let text = format!("your number is {nth}").parse().expect("a text");
        let request = Request { mode: Mode::Test, ..Request::text("desk", phone, Purpose::Support, text) };
        let message = MessageId::new(now, &host);
        let (given, started) = futures_channel::oneshot::channel::<Started>();
        let permit = Permit::new(move |started| drop(given.send(started)));
        let submission = Submission {
            message,
            delivery: DeliveryId::of_message(message, now),
            contact: ContactId::new(now, &host),
            fingerprint: None,
            findings: Fact::Known(examine(&request.content, &gatepost::Sender::default())),
            text_print: text_print(&request.content),
            request,
            now,
            at_once: Some(AtOnce { permit, lease: Lease::new(now, Duration::from_secs(15)) }),
        };
        let decider: Arc<dyn Decider> = Arc::new(Policy::default());
        let answers = self.store.account(self.account).accept(vec![submission], decider).await.expect("an answer");
        let Ok(started) = started.await else { panic!("it was not started: {answers:?}") };
        let (claimed, attempt) = (started.claimed, started.attempt);
        let finish = Finish { claimed, attempt, outcome: Outcome::Sent { external_id: None }, report: None, jitter: 0, now: host.now() };
        let finished = self.store.worker().finish(vec![finish]).await.expect("an answer");
        assert!(matches!(finished[..], [Finished::Message(_)]), "{finished:?}");
    }
}

fn pace(servers: usize, accounts: usize, rounds: usize) -> (f64, f64) {
    let Some(database) = cluster::migrated() else { return (0.0, 0.0) };
    let url = database.url();
    let first = PostgresStore::open(&url, &Options::default()).expect("it opens");
    let gateway = Gateway::builder(Arc::new(first.clone()), Arc::new(System)).build();
    let accounts: Vec<AccountId> = (0..accounts).map(|_| fixture::add_account(&gateway)).collect();
    let now = System.now();
    for account in &accounts {
        let plan = AccountChange { plan: Some(Plan::Custom(UNLIMITED)), at: now, ..AccountChange::default() };
        futures_executor::block_on(first.operator().change_account(*account, plan)).expect("an account");
    }
    let stores: Vec<PostgresStore> = (0..servers).map(|_| PostgresStore::open(&url, &Options::default()).expect("it opens")).collect();
    let before: u64 = stores.iter().map(PostgresStore::statements).sum();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for (server, store) in stores.iter().enumerate() {
            let accounts = &accounts;
            scope.spawn(move || {
                futures_executor::block_on(join_all((0..TOGETHER).map(|caller| {
                    let server_of = Server { store: store.clone(), account: accounts[(server * TOGETHER + caller) % accounts.len()] };
                    async move {
                        for round in 0..rounds {
                            server_of.send((server * TOGETHER + caller) * rounds + round).await;
                        }
                    }
                })));
            });
        }
    });
    let messages = (servers * TOGETHER * rounds) as f64;
    let statements = stores.iter().map(PostgresStore::statements).sum::<u64>() - before;
    (statements as f64 / messages, messages / begun.elapsed().as_secs_f64())
}

#[test]
fn a_message_costs_less_than_a_statement_when_many_are_on_their_way() {
    let (statements, a_second) = pace(1, 8, 4);
    println!("{statements:.3} statements a message, {a_second:.0} messages a second");
    assert!(statements < 1.0, "{statements} statements a message");
}

#[test]
#[ignore = "takes long, and says how fast this machine is"]
fn three_servers() {
    for accounts in [1, 8, 64, 500] {
        let (statements, a_second) = pace(3, accounts, 20);
        println!("{accounts} accounts: {statements:.3} statements a message, {a_second:.0} messages a second");
    }
}
