//! Pace: how many statements a message costs when many are accepted and delivered at the same moment. How fast that goes, `benches` tells.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gatepost::{
    AccountChange, AccountId, AtOnce, ContactId, Decider, DeliveryId, Fact, Finish, Finished, Gateway, Host, Lease, Limits, MessageId,
    Mode, Outcome, Permit, Plan, Policy, Purpose, Request, Started, Store, Submission, examine, text_print,
};
use gatepost_conformance::fixture;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

/// How many are on their way at the same moment.
const TOGETHER: usize = 256;
/// How many each caller sends, one after the other.
const ROUNDS: usize = 4;

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

#[test]
fn a_message_costs_less_than_a_statement_when_many_are_on_their_way() {
    let Some(database) = cluster::migrated() else { return };
    let store = PostgresStore::open(&database.url(), &Options::default()).expect("it opens");
    let gateway = Gateway::builder(Arc::new(store.clone()), Arc::new(System)).build();
    let accounts: Vec<AccountId> = (0..8).map(|_| fixture::add_account(&gateway)).collect();
    let now = System.now();
    for account in &accounts {
        let plan = AccountChange { plan: Some(Plan::Custom(UNLIMITED)), at: now, ..AccountChange::default() };
        futures_executor::block_on(store.operator().change_account(*account, plan)).expect("an account");
    }
    let before = store.statements();
    futures_executor::block_on(join_all((0..TOGETHER).map(|caller| {
        let server = Server { store: store.clone(), account: accounts[caller % accounts.len()] };
        async move {
            for round in 0..ROUNDS {
                server.send(caller * ROUNDS + round).await;
            }
        }
    })));
    let (statements, messages) = (store.statements() - before, (TOGETHER * ROUNDS) as u64);
    assert!(statements < messages, "{statements} statements for {messages} messages");
}
