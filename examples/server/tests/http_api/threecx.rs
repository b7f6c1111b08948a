//! 3CX: what phone systems call and are posted, over the reference store and the sandbox provider.

mod crm;
mod posts;
mod trunk;
mod webhook;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use gatepost::{
    AccountChange, AccountIntegrations, Actor, InboundFilter, Integration, IntegrationEntry, IntegrationEntryFilter, IntegrationSecrets,
    NewInbound, NewIntegration, Page, Phone, PhoneLine, Said, Told, Words,
};
use gatepost_threecx::{CallTemplate, Settings};
use serde_json::Value;

use crate::world::{Answer, Terms, World, from};

/// The number of the phone system's trunk.
const NUMBER: &str = "+999220000001";
/// A customer.
const ALICE: &str = "+999501234567";
/// How often to look for what the worker does meanwhile: far more often than it takes.
const LOOKS_MAX: usize = 1_000_000;

/// A world with a phone system of the shop.
struct Office {
    world: World,
    integration: Integration,
    secrets: IntegrationSecrets,
}

/// Settings under which everything is on, in answer to who wrote.
fn everything_on() -> Settings {
    let mut settings = Settings {
        inbound_enabled: true,
        outbound_enabled: true,
        call_event_enabled: true,
        number: Some(NUMBER.parse().unwrap()),
        ..Settings::default()
    };
    let on = |text: &str| CallTemplate { enabled: true, text: text.parse().unwrap() };
    settings.templates.missed_call = on("{{business_name}}: sorry that we missed your call.");
    settings.templates.voicemail = on("Your message for {{queue}} is here.");
    settings
}

impl Office {
    async fn new() -> Self {
        Self::with(Terms::default(), everything_on()).await
    }

    async fn set(settings: Settings) -> Self {
        Self::with(Terms::default(), settings).await
    }

    async fn with(terms: Terms, settings: Settings) -> Self {
        let world = World::with(terms).await;
        let (name, instance, settings) = ("reception".parse().unwrap(), world.shop.instance, settings.kept().unwrap());
        let added = integrations(&world).add(NewIntegration { name, enabled: true, instance, settings }).await.unwrap();
        Self { world, integration: added.integration, secrets: added.secrets }
    }

    fn integrations(&self) -> AccountIntegrations {
        integrations(&self.world)
    }

    /// Has it posted to this URL what its settings say.
    async fn post_to(&self, url: &str) {
        let line = PhoneLine { url: url.to_owned().into(), number: NUMBER.parse().unwrap() };
        let posts = Settings::of(&self.integration).unwrap().posts();
        self.integrations().set_line(self.integration.id, Some(line), posts, Actor::App).await.unwrap();
    }

    /// Alice writes, so that she may be answered.
    async fn alice_writes(&self, text: &str) {
        self.writes(ALICE, text, |_| ()).await;
    }

    /// Somebody writes, and it is heeded.
    async fn writes(&self, from: &str, text: &str, with: impl FnOnce(&mut Said)) {
        let account = self.world.app.gateway.account(self.world.shop.id);
        self.world.host.advance(Duration::from_millis(1));
        let external_id = format!("wamid.{}", self.world.app.gateway.host().now().as_millis());
        let mut said = Said {
            external_id: external_id.clone(),
            form: "text".to_owned(),
            text: Some(Words::new(text.to_owned())),
            sender_name: None,
            detail: None,
            file: None,
            reply_to: None,
            opens_window: true,
            meaning: None,
        };
        with(&mut said);
        let people = [from.parse::<Phone>().unwrap().into()].into_iter().collect();
        let told = NewInbound { key: external_id, kind: "message.text".to_owned(), at: None, people, told: Told::Said(said) };
        account.receive(self.world.shop.instance, b"{}".to_vec(), vec![told]).await.unwrap();
        for _ in 0..LOOKS_MAX {
            let entries = account.store().inbound(InboundFilter::default(), Page::first(100)).await.unwrap();
            if entries.iter().all(|entry| !entry.waits) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("what Alice wrote is not heeded");
    }

    async fn log(&self) -> Vec<IntegrationEntry> {
        let store = self.world.app.gateway.store().account(self.world.shop.id);
        let mut log = store.integration_log(IntegrationEntryFilter::default(), Page::first(500)).await.unwrap();
        log.reverse();
        log
    }

    /// What became of each thing that was said, with the reason.
    async fn outcomes(&self) -> Vec<String> {
        let words = |entry: &IntegrationEntry| match &entry.reason {
            Some(reason) => format!("{} {}: {reason}", entry.kind, entry.outcome.as_str()),
            None => format!("{} {}", entry.kind, entry.outcome.as_str()),
        };
        self.log().await.iter().map(words).collect()
    }

    async fn change_account(&self, change: AccountChange) {
        self.world.app.gateway.store().operator().change_account(self.world.shop.id, change).await.unwrap().unwrap();
    }

    async fn switch_module_off(&self) {
        self.change_account(AccountChange { threecx_enabled: Some(false), ..AccountChange::default() }).await;
    }

    /// The texts of the shop's messages, oldest first.
    async fn messages(&self) -> Vec<(String, String)> {
        let store = self.world.app.gateway.store().account(self.world.shop.id);
        let mut messages = store.messages(gatepost::MessageFilter::default(), Page::first(500)).await.unwrap();
        messages.sort_by_key(|message| message.log_id);
        let shown = |message: gatepost::Message| {
            let content = serde_json::to_value(message.content.unwrap()).unwrap();
            (message.purpose.as_str().to_owned(), content["text"].as_str().or(content["source"].as_str()).unwrap_or_default().to_owned())
        };
        messages.into_iter().map(shown).collect()
    }

    /// Somebody at this address calls.
    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.world.exchange(from(request.body(Body::from(body.to_owned())).unwrap(), "192.0.2.7")).await
    }
}

fn integrations(world: &World) -> AccountIntegrations {
    world.app.gateway.account(world.shop.id).integrations().unwrap()
}

/// A sample of this project: its body.
fn body_of(sample: &str) -> Value {
    serde_json::from_str::<Value>(sample).unwrap()["body"].clone()
}
