//! Provider: what Meta took before a kill is not sent again, and its status tells what became of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use futures_executor::block_on;
use gatepost::{Host, MessageId, MessageStatus, Secret, Store};
use gatepost_system::System;
use gatepost_whatsapp::fake::{FakeGraph, Hook, Mishap};
use serde_json::{Value, json};

use crate::server::{Ledger, PEOPLE, Server, phone};
use crate::{all_messages, open};

const ROUNDS: usize = 10;
const APP_SECRET: &str = "the-app-secret-of-a-test";
/// So many of the messages of each round are taken by Meta, or not, without an answer: a kill comes while they are open.
const UNANSWERED: usize = 3;

#[test]
fn what_meta_took_is_not_sent_again_and_its_status_tells_of_it() {
    let (folder, graph) = (tempfile::tempdir().expect("a folder"), FakeGraph::start("8007", "9001").expect("a port"));
    let settings = format!("[providers]\ngraph_url = \"{}\"\n", graph.url());
    std::fs::write(folder.path().join("gatepost.toml"), settings).expect("a file");
    let (ledger, mut made) = (Arc::new(Ledger::default()), None);
    for _ in 0..ROUNDS {
        let server = Server::start(folder.path());
        let (_, instance) = made.get_or_insert_with(|| (server.account_id(), add_instance(&server, &graph)));
        (0..UNANSWERED).for_each(|_| graph.misbehave(Mishap::Hang));
        server.kill_in_the_middle_of(instance, &ledger);
    }
    let (account, instance) = made.expect("there are rounds");
    // What was taken before the last kill and has no end is in doubt.
    let taken_before: Vec<_> = taken(&graph).into_keys().collect();
    let server = Server::start(folder.path());
    let in_doubt = taken_before.iter().filter(|message| status(&server, **message) != "sent").count();
    server.ask_until("/messages?limit=1&status=queued", |list| !list["items"][0].is_object());
    let told = taken(&graph);
    assert!(in_doubt > 0, "no kill came between Meta's acceptance and our record");
    for message in told.values() {
        tell(&server, &instance, |hook| graph.tell_status(hook, message, "delivered", None));
    }
    for message in told.keys() {
        server.ask_until(&format!("/messages/{message}"), |message| message["status"] == "delivered");
    }
    server.kill();
    audit(folder.path(), &account, &ledger, &taken(&graph));
}

/// An instance of the Cloud API, to which everybody has written.
fn add_instance(server: &Server, graph: &FakeGraph) -> String {
    server.lift_limits();
    let given = json!({"phone_number_id": "8007", "waba_id": "9001", "access_token": "a-token", "app_secret": APP_SECRET,
                       "verify_token": "a-word", "throughput": 1_000});
    let made = server.ask("POST", "/instances", Some(&json!({"name": "cloud", "provider": "cloud_api", "cloud_api": given})));
    let instance = made["id"].as_str().expect("an id").to_owned();
    for person in (0..PEOPLE).map(phone) {
        tell(server, &instance, |hook| graph.tell_text(hook, person.trim_start_matches('+'), "Is it ready?"));
    }
    server.ask_until("/inbound?limit=100", |list| list["items"].as_array().is_some_and(|items| are_heeded(items)));
    instance
}

fn are_heeded(items: &[Value]) -> bool {
    items.len() == PEOPLE && items.iter().all(|item| item["waits"] == false)
}

fn tell(server: &Server, instance: &str, post: impl FnOnce(Hook<'_>) -> std::io::Result<u16>) {
    let url = format!("{}/providers/whatsapp/{instance}", server.url);
    let hook = Hook { url: &url, secret: &Secret::from(APP_SECRET), now: System.now() };
    assert_eq!(post(hook).expect("an answer"), 200);
}

fn status(server: &Server, message: MessageId) -> String {
    server.ask("GET", &format!("/messages/{message}"), None)["status"].as_str().expect("a status").to_owned()
}

/// What Meta was sent whole, by our ids: each once.
fn taken(graph: &FakeGraph) -> HashMap<MessageId, Value> {
    let mut taken = HashMap::new();
    // A kill can cut a request off: it names nothing then.
    for body in graph.received().into_iter().map(|received| received.body).filter(Value::is_object) {
        let message: MessageId = body["biz_opaque_callback_data"].as_str().and_then(|id| id.parse().ok()).expect("our id");
        assert!(taken.insert(message, body).is_none(), "{message} was sent twice");
    }
    taken
}

/// Nothing that was acknowledged is lost, and what Meta took was tried no more.
fn audit(data: &Path, account: &str, ledger: &Ledger, taken: &HashMap<MessageId, Value>) {
    let store = open(data);
    let rows = store.account(account.parse().expect("an id"));
    let messages = all_messages(&*rows);
    let answered = ledger.answered.lock().expect("no caller panics");
    assert!(answered.values().all(|id| messages.contains_key(&id.parse().expect("an id"))), "acknowledged messages are lost");
    for message in answered.values().map(|id| id.parse().expect("an id")).filter(|message| !taken.contains_key(message)) {
        let status = messages.get(&message).copied().expect("it is known");
        // A kill can cut a request off, or come before it: then nobody knows that it did not leave.
        assert!(matches!(status, MessageStatus::Sending | MessageStatus::Unknown), "{message} was not sent and is {status}");
    }
    for message in taken.keys() {
        assert!(messages.contains_key(message), "{message} was sent and is not known");
        let attempts = block_on(rows.attempts(*message)).expect("attempts");
        assert!(attempts.len() <= 1, "{message} was tried {} times", attempts.len());
    }
}
