//! Quota: hosts that know nothing of each other, on one database, never charge one message too many and never refuse one too few.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;

use futures_executor::block_on;
use futures_util::future::join_all;
use gatepost::{AccountChange, AccountId, Answer, Gateway, Host, Limits, Mode, Plan, Purpose, Request};
use gatepost_conformance::fixture;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

const HOSTS: usize = 3;
/// How many messages each host is asked for at the same moment.
const CALLERS: usize = 8;
const LIMIT: u64 = 10;

#[test]
fn three_hosts_at_the_limit_charge_what_the_plan_allows() {
    let rounds: usize = std::env::var("GATEPOST_QUOTA_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
    let Some(database) = cluster::migrated() else { return };
    let open = || PostgresStore::open(&database.url(), &Options::default()).expect("it opens");
    let hosts: Vec<Gateway> = (0..HOSTS).map(|_| Gateway::builder(Arc::new(open()), Arc::new(System)).build()).collect();
    for round in 0..rounds {
        let account = limited(hosts.first().expect("a host"));
        let accepted: usize = std::thread::scope(|scope| {
            let ask = |(nth, host)| scope.spawn(move || accepted_of(host, account, nth));
            let asked: Vec<_> = hosts.iter().enumerate().map(ask).collect();
            asked.into_iter().map(|asked| asked.join().expect("no panic")).sum()
        });
        let store = hosts.last().expect("a host").store().account(account);
        let usage = block_on(store.usage(Mode::Live, System.now())).expect("an answer").expect("an account");
        assert_eq!((accepted as u64, usage.day, usage.month), (LIMIT, LIMIT, LIMIT), "in round {round}");
    }
    println!("{rounds} rounds of {HOSTS} hosts: {LIMIT} of {} each", HOSTS * CALLERS);
}

fn limited(gateway: &Gateway) -> AccountId {
    let account = fixture::add_account(gateway);
    let limits = Limits { per_day: LIMIT, per_month: LIMIT, account_rate: None, instance_rate: None, recipient_rate: None };
    let plan = AccountChange { plan: Some(Plan::Custom(limits)), at: System.now(), ..AccountChange::default() };
    block_on(gateway.store().operator().change_account(account, plan)).expect("an account");
    account
}

fn accepted_of(host: &Gateway, account: AccountId, nth: usize) -> usize {
    let host = host.account(account);
    let send = |caller: usize| {
        let phone = format!("+99950{:07}", nth * CALLERS + caller).parse().expect("a phone number");
        let text = "Your table is ready.".parse().expect("a text");
        host.send(Request::text("desk", phone, Purpose::Transactional, text))
    };
    let sent = block_on(join_all((0..CALLERS).map(send)));
    sent.into_iter().filter(|sent| matches!(sent.as_ref().expect("an answer").answer, Answer::Accepted(_))).count()
}
