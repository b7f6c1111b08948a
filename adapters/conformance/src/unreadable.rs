//! Rows that cannot be read: what fails because of them, and what does not. The suite of stores whose rows can be changed from outside.
//!
//! The players: a [`SpoilHarness`] (opens a store for each case), [`Spoilable`] (a store, and the way behind its back).

use std::sync::Arc;

use gatepost::{
    Account, AccountId, Endpoint, EndpointId, EndpointUrl, EventFilter, Gateway, Health, Instance, InstanceId, Plan, Provider, Sealed,
    Store,
};
use gatepost_system::System;

use crate::world::block_on;

pub(crate) mod events;
pub(crate) mod inbox;
pub(crate) mod messages;

/// A store whose rows can be changed behind its back. Statements are in the words that all databases share; bytes stand as `x'00ff'`.
pub trait Spoilable {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Runs a statement; how many rows it changed.
    fn execute(&self, sql: &str) -> usize;

    /// The one cell that a statement answers, as text.
    fn one(&self, sql: &str) -> String;
}

/// Opens an empty store, each time that it is asked.
pub trait SpoilHarness {
    /// Opens one.
    fn open(&self) -> Box<dyn Spoilable>;
}

impl<S: Spoilable + 'static, F: Fn() -> S> SpoilHarness for F {
    fn open(&self) -> Box<dyn Spoilable> {
        Box::new(self())
    }
}

fn gateway(database: &dyn Spoilable) -> Gateway {
    Gateway::builder(database.store(), Arc::new(System)).build()
}

/// Bytes in a statement.
fn bytes(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{hex}'")
}

fn add_account(gateway: &Gateway) -> AccountId {
    let host = gateway.host();
    let now = host.now();
    let account = Account::new(AccountId::new(now, &**host), "Acme".parse().expect("a name"), Plan::Starter, now);
    let instance = Instance::new(InstanceId::new(now, &**host), "desk".parse().expect("a name"), Provider::Sandbox, now);
    let id = account.id;
    block_on(gateway.store().operator().add_account(account)).expect("an account");
    assert!(block_on(gateway.store().account(id).add_instance(instance)).expect("an instance"));
    id
}

fn add_endpoint(gateway: &Gateway, account: AccountId) -> EndpointId {
    let host = gateway.host();
    let now = host.now();
    let id = EndpointId::new(now, &**host);
    let endpoint = Endpoint {
        integration: None,
        id,
        name: "bookings".parse().expect("a name"),
        url: EndpointUrl::stored("https://receiver.test/".to_string()),
        for_operator: false,
        instance: None,
        filter: EventFilter::new(["*"]).expect("a filter"),
        in_flight_max: 8,
        rate: None,
        secrets: Sealed::from_bytes(&[1; 64]).expect("the shape of a sealed value"),
        headers: None,
        verified_at: Some(now),
        pause: None,
        disabled: None,
        health: Health::default(),
        removed_at: None,
        url_since: now,
        revision: 0,
        created_at: now,
    };
    assert!(block_on(gateway.store().account(account).add_endpoint(endpoint)).expect("an answer"));
    id
}
