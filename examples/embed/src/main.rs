//! The smallest app that embeds Gatepost: one account with one number sends one text, over a SQLite file and the sandbox.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, thread};

use futures_executor::block_on;
use gatepost::{Account, AccountId, Gateway, Instance, InstanceId, Plan, Provider, Purpose, Request};
use gatepost_memory::Sandbox;
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;

fn main() -> Result<(), Box<dyn Error>> {
    let store = SqliteStore::open(&env::temp_dir().join("gatepost-embed.db"), Options::default())?;
    let gateway = Gateway::builder(Arc::new(store), Arc::new(System)).transport(Provider::Sandbox, Sandbox::new()).build();

    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| gateway.run_blocking(|| goes_on.load(Ordering::Relaxed), |error| eprintln!("{error}")));
        let sent = block_on(send_one(&gateway));
        goes_on.store(false, Ordering::Relaxed);
        sent
    })
}

async fn send_one(gateway: &Gateway) -> Result<(), Box<dyn Error>> {
    let now = gateway.host().now();
    let account = Account::new(AccountId::new(now, &System), "Harbor Kitchen".parse()?, Plan::Starter, now);
    let instance = Instance::new(InstanceId::new(now, &System), "front-desk".parse()?, Provider::Sandbox, now);
    let kitchen = gateway.account(account.id);
    gateway.store().operator().add_account(account).await?;
    kitchen.store().add_instance(instance).await?;

    let request = Request::text("front-desk", "+999501234567".parse()?, Purpose::Support, "Your table is ready.".parse()?);
    let mut sent = kitchen.send(request).await?;
    match sent.settled().await {
        Some(status) => println!("{status}"),
        None => println!("not sent: {:?}", sent.answer),
    }
    Ok(())
}
