//! Heeding: what the database refuses of one account keeps no opt-out of another waiting.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::sync::Arc;

use futures_executor::block_on;
use gatepost::{AccountId, Gateway, Heed, Host, NewInbound, Page, Policy, StoreError, SuppressionFilter, Told, WorkerStore};
use gatepost_conformance::fixture::{add_account, said};
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

/// Somebody writes to the account that they want no more.
fn stop(gateway: &Gateway, account: AccountId) {
    let told = Told::Said(said("STOP"));
    let people = "+999501234567".parse::<gatepost::Address>().into_iter().collect();
    let new = NewInbound { key: String::from("one"), kind: String::from("any"), at: None, people, told };
    let store = gateway.store().account(account);
    let instance = block_on(store.instances()).expect("an answer").first().expect("an instance").id;
    block_on(gateway.account(account).receive(instance, b"{}".to_vec(), vec![new])).expect("an answer");
}

fn opted_out(gateway: &Gateway, account: AccountId) -> usize {
    let page = Page::first(9);
    block_on(gateway.store().account(account).suppressions(SuppressionFilter::default(), page)).expect("an answer").len()
}

fn heed(worker: &dyn WorkerStore) -> Result<usize, StoreError> {
    let heed = Heed { limit: 9, per_account: 9, after: None, decider: Arc::new(Policy::default()), now: System.now() };
    block_on(worker.heed(heed)).map(|answer| answer.heeded)
}

#[test]
fn what_is_refused_of_one_account_keeps_no_opt_out_of_another_waiting() {
    let Some(database) = cluster::fresh() else { return };
    let store = Arc::new(PostgresStore::open(&database.url(), &Options::default()).expect("it opens"));
    let gateway = Gateway::builder(store, Arc::new(System)).build();
    let accounts = [(); 3].map(|()| add_account(&gateway));
    let [first, refused, last] = accounts;
    let refuse = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON suppressions FOR EACH ROW
             WHEN (NEW.account = '\\x{}') EXECUTE FUNCTION refuse()",
        refused.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    );
    database.run(&refuse).expect("a trigger");
    accounts.iter().for_each(|account| stop(&gateway, *account));

    let worker = gateway.store().worker();
    assert!(heed(&*worker).is_err_and(|error| error.to_string().contains("23514")), "it is told");
    assert_eq!([first, refused, last].map(|account| opted_out(&gateway, account)), [1, 0, 1]);

    database.run("DROP TRIGGER refuse ON suppressions").expect("it goes");
    assert_eq!((heed(&*worker), opted_out(&gateway, refused)), (Ok(1), 1));
}
