//! Kill -9 under load: whatever the server acknowledged is there afterwards, charged once, sent at most once.
//!
//! The real server runs as a process of its own on a real file. Each round it is killed in the middle of its callers' requests and
//! started again over the same data. What a caller got no answer for is asked again under the same key. At the end the store is
//! opened and counted (promises 1, 2, 4, 5 and 6). Events go to a receiver that keeps a ledger, and that is counted too.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod receiving;

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{
    AccountId, AccountStore, DeliveryFilter, DeliveryStatus, EventDelivery, EventName, Host, MessageFilter, MessageId, MessageStatus, Mode,
    Outcome, Page, Store,
};
use gatepost_sqlite::{Options, SqliteStore};
use gatepost_system::System;
use receiving::Receiver;
use serde_json::{Value, json};

const ROUNDS: usize = 20;
/// Fewer, as each leaves attempts that must first be given up.
const ROUNDS_WITH_EVENTS: usize = 10;
const CALLERS: usize = 8;
/// Answers to see before the next kill: enough for every caller to be in the middle of something.
const ANSWERS_A_ROUND: usize = 60;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_sent_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Arc::new(Ledger::default());
    let mut account = None;
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        account.get_or_insert_with(|| server.account_id());
        if round == 0 {
            server.lift_limits();
        }
        server.kill_in_the_middle(&ledger);
    }
    audit(folder.path(), &account.expect("an account"), &ledger);
}

#[test]
fn every_event_arrives_and_every_arrival_has_an_attempt() {
    let folder = tempfile::tempdir().expect("a folder");
    // What was on its way when the server was killed is given up sooner.
    std::fs::write(folder.path().join("gatepost.toml"), "[webhooks]\ntimeout_seconds = 1\n").expect("a file");
    let (ledger, receiver) = (Arc::new(Ledger::default()), Receiver::start());
    let mut account = None;
    for round in 0..ROUNDS_WITH_EVENTS {
        let server = Server::start(folder.path());
        account.get_or_insert_with(|| server.account_id());
        if round == 0 {
            server.lift_limits();
            server.add_endpoint(&receiver);
        }
        server.kill_in_the_middle(&ledger);
    }
    Server::start(folder.path()).deliver_all(&receiver);
    audit_events(folder.path(), &account.expect("an account"), &ledger, &receiver);
}

/// What the callers know.
#[derive(Default)]
struct Ledger {
    /// The message that each key was answered with.
    answered: Mutex<HashMap<String, String>>,
    /// Keys that were sent and got no answer.
    unanswered: Mutex<Vec<String>>,
    next_key: AtomicUsize,
}

impl Ledger {
    fn next(&self) -> String {
        let again = self.unanswered.lock().expect("no caller panics").pop();
        again.unwrap_or_else(|| format!("key-{}", self.next_key.fetch_add(1, Ordering::Relaxed)))
    }

    fn note(&self, key: String, answer: Option<String>) {
        match answer {
            None => self.unanswered.lock().expect("no caller panics").push(key),
            Some(message) => {
                let before = self.answered.lock().expect("no caller panics").insert(key, message.clone());
                assert!(before.is_none_or(|before| before == message), "one key, two messages");
            }
        }
    }
}

/// The server as a process.
struct Server {
    process: Child,
    url: String,
    bootstrap: Value,
}

impl Server {
    fn start(data: &Path) -> Self {
        let bootstrap = data.join("bootstrap.json");
        let mut process = Command::new(env!("CARGO_BIN_EXE_gatepost-server"))
            // Settings of whoever runs the tests are none of the server's.
            .env_clear()
            .args(["serve", "--listen", "127.0.0.1:0", "--sandbox-latency-ms", "3"])
            .args([Path::new("--data"), data, Path::new("--bootstrap"), &bootstrap])
            .current_dir(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's program");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let url = lines.find_map(|line| {
            let address = line.split_once("listening on ").map(|(_, address)| address.to_string());
            said.push(line);
            address
        });
        let url = url.unwrap_or_else(|| panic!("the server did not say where it listens, but: {said:#?}"));
        // A full pipe would stop the server.
        thread::spawn(move || lines.for_each(drop));
        let bootstrap = std::fs::read_to_string(bootstrap).expect("the bootstrap file");
        Self { process, url, bootstrap: serde_json::from_str(&bootstrap).expect("JSON") }
    }

    fn account_id(&self) -> String {
        self.text("account_id")
    }

    fn text(&self, field: &str) -> String {
        self.bootstrap[field].as_str().expect("a text").to_string()
    }

    fn lift_limits(&self) {
        let limits = json!({"limits": {"messages_per_day": 1_000_000, "messages_per_month": 1_000_000}});
        self.ask("PATCH", "", Some(&limits));
    }

    fn add_endpoint(&self, receiver: &Receiver) {
        let made = self.ask("POST", "/endpoints", Some(&json!({"url": receiver.url, "events": ["message.*"], "in_flight_max": 64})));
        assert_eq!(made["state"], "enabled", "{made}");
    }

    /// Asks as the operator; a path of the account.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let request = axum::http::Request::builder().method(method).uri(format!("{}/v1/accounts/{}{path}", self.url, self.account_id()));
        let request = request.header("authorization", format!("Bearer {}", self.text("operator_key")));
        let agent = ureq::Agent::new_with_config(config());
        let answer = match body {
            Some(body) => agent.run(request.header("content-type", "application/json").body(body.to_string()).expect("a request")),
            None => agent.run(request.body(()).expect("a request")),
        };
        let mut answer = answer.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.body_mut().read_to_string().expect("a body")).expect("JSON")
    }

    /// Lets everything be delivered that waits, then kills the process.
    fn deliver_all(mut self, receiver: &Receiver) {
        let is_pending = |status| self.ask("GET", &format!("/deliveries?limit=1&status={status}"), None)["items"][0].is_object();
        while is_pending("queued") || is_pending("sending") {
            receiver.wait(Duration::from_millis(100));
        }
        self.process.kill().expect("signal 9");
        self.process.wait().expect("an end");
    }

    /// Lets callers send until enough was answered, then kills the process while they go on.
    fn kill_in_the_middle(mut self, ledger: &Arc<Ledger>) {
        let answers = Arc::new(AtomicUsize::new(0));
        let alive = Arc::new(AtomicBool::new(true));
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (ledger, answers, alive) = (ledger.clone(), answers.clone(), alive.clone());
                let caller = Caller {
                    agent: ureq::Agent::new_with_config(config()),
                    url: self.url.clone(),
                    key: self.text("api_key"),
                    instance: self.text("instance_id"),
                    waits: caller % 2 == 0,
                };
                thread::spawn(move || caller.send_while(&alive, &answers, &ledger))
            })
            .collect();
        while answers.load(Ordering::Relaxed) < ANSWERS_A_ROUND {
            assert!(self.process.try_wait().expect("a process").is_none(), "the server ended by itself");
            thread::yield_now();
        }
        self.process.kill().expect("signal 9");
        self.process.wait().expect("an end");
        alive.store(false, Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("no caller panics");
        }
    }
}

fn config() -> ureq::config::Config {
    ureq::Agent::config_builder().proxy(None).http_status_as_error(false).timeout_global(Some(Duration::from_secs(30))).build()
}

struct Caller {
    agent: ureq::Agent,
    url: String,
    key: String,
    instance: String,
    waits: bool,
}

impl Caller {
    fn send_while(&self, alive: &AtomicBool, answers: &AtomicUsize, ledger: &Ledger) {
        while alive.load(Ordering::Relaxed) {
            let key = ledger.next();
            let answer = self.send(&key);
            let answered = answer.is_some();
            ledger.note(key, answer);
            if !answered {
                return;
            }
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The message's id, or nothing where no whole answer came.
    fn send(&self, key: &str) -> Option<String> {
        let number: usize = key.trim_start_matches("key-").parse().expect("a number");
        let body = json!({
            "instance_id": self.instance,
            "phone": format!("+999{:09}", number % 50),
            "message": "Your order has shipped.",
            "message_purpose": "transactional",
        });
        let wait = if self.waits { 10 } else { 0 };
        let request = self.agent.post(format!("{}/api/send-message?wait={wait}", self.url));
        let answer = request
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .send(body.to_string());
        let text = answer.ok()?.body_mut().read_to_string().ok()?;
        let answer: Value = serde_json::from_str(&text).ok()?;
        assert_eq!(answer["success"], true, "{answer}");
        Some(answer["message_id"].as_str()?.to_string())
    }
}

fn open(data: &Path) -> SqliteStore {
    let database = std::fs::read_dir(data).expect("a folder").filter_map(Result::ok).map(|entry| entry.path());
    let path = database.into_iter().find(|path| path.extension().is_some_and(|end| end == "db")).expect("a database");
    SqliteStore::open(&path, Options::default()).expect("a whole database")
}

fn audit(data: &Path, account: &str, ledger: &Ledger) {
    let store = open(data);
    let account: AccountId = account.parse().expect("an id");
    // After this every lease is over, so that whatever was in flight is in doubt.
    let later = System.now().plus(Duration::from_secs(120));
    while block_on(store.worker().sweep(later, 1_000)).expect("a sweep").more {}

    let rows = store.account(account);
    let messages = all_messages(&*rows);
    let known: HashSet<MessageId> = messages.keys().copied().collect();
    let answered = ledger.answered.lock().expect("no caller panics");
    let acknowledged: HashSet<MessageId> = answered.values().map(|id| id.parse().expect("an id")).collect();
    assert_eq!(acknowledged.len(), answered.len(), "two keys, one message");
    assert_eq!(acknowledged.difference(&known).count(), 0, "acknowledged messages are lost");
    // A key that was never answered may have made a message, but not two.
    assert!(known.len() <= ledger.next_key.load(Ordering::Relaxed), "more messages than keys");
    let usage = block_on(rows.usage(Mode::Live, System.now())).expect("usage").expect("the account");
    assert_eq!(usage.month, known.len() as u64, "messages and charges disagree");
    for (message, status) in messages {
        audit_attempts(&*rows, message, status);
    }
}

fn all_messages(rows: &dyn AccountStore) -> HashMap<MessageId, MessageStatus> {
    let mut messages = HashMap::new();
    let mut page = Page::first(500);
    loop {
        let listed = block_on(rows.messages(MessageFilter::default(), page)).expect("messages");
        let Some(last) = listed.last() else { return messages };
        page.after = Some(last.id);
        messages.extend(listed.iter().map(|message| (message.id, message.status)));
    }
}

/// The provider refused nothing, so that a second attempt would be a second send.
fn audit_attempts(rows: &dyn AccountStore, message: MessageId, status: MessageStatus) {
    let attempts = block_on(rows.attempts(message)).expect("attempts");
    assert!(attempts.len() <= 1, "{message} was sent {} times", attempts.len());
    let outcome = attempts.into_iter().next().map(|attempt| attempt.outcome.expect("every lease is over"));
    match status {
        MessageStatus::Sent => assert!(matches!(outcome, Some(Outcome::Sent { .. })), "{message} is sent without an attempt"),
        MessageStatus::Unknown => assert!(matches!(outcome, Some(Outcome::Unknown { .. })), "{message} is in doubt without an attempt"),
        MessageStatus::Queued => assert_eq!(outcome, None, "{message} waits although it was tried"),
        other => panic!("{message} is {other}"),
    }
}

/// Each message has its events, each event arrived, and each arrival is one of the attempts that were written before.
fn audit_events(data: &Path, account: &str, ledger: &Ledger, receiver: &Receiver) {
    let store = open(data);
    let rows = store.account(account.parse().expect("an id"));
    let (messages, deliveries, arrived) = (all_messages(&*rows), all_deliveries(&*rows), receiver.arrived());
    let answered = ledger.answered.lock().expect("no caller panics");
    assert!(answered.values().all(|id| messages.contains_key(&id.parse().expect("an id"))), "acknowledged messages are lost");
    let queued = deliveries.iter().filter(|delivery| delivery.as_name == EventName::MessageQueued).count();
    assert_eq!(queued, messages.len(), "an accepted message was not told");
    let sent = deliveries.iter().filter(|delivery| delivery.as_name == EventName::MessageSent).count();
    assert_eq!(sent, messages.values().filter(|status| **status == MessageStatus::Sent).count(), "a sent message was not told");

    for delivery in &deliveries {
        let id = delivery.event.to_string();
        assert_eq!(delivery.status, DeliveryStatus::Sent, "{id} did not arrive");
        let arrivals = arrived.get(&id).unwrap_or_else(|| panic!("{id} did not arrive"));
        assert!(arrivals.iter().all(|event| event.body == arrivals[0].body), "{id} says different things");
        let attempts = block_on(rows.delivery_attempts(delivery.id)).expect("attempts");
        assert!(attempts.iter().all(|attempt| attempt.outcome.is_some()), "{id} has an open attempt");
        assert!(arrivals.len() <= attempts.len(), "{id} arrived {} times in {} attempts", arrivals.len(), attempts.len());
        assert_eq!(attempts.len(), usize::from(delivery.tries), "{id} has attempts that were not counted");
    }
    assert!(arrived.values().any(|arrivals| arrivals.len() > 1), "no kill came between an arrival and its record");
    let known: HashSet<String> = deliveries.iter().map(|delivery| delivery.event.to_string()).collect();
    assert!(arrived.keys().all(|id| known.contains(id)), "something arrived that nobody knows of");
}

fn all_deliveries(rows: &dyn AccountStore) -> Vec<EventDelivery> {
    let mut deliveries: Vec<EventDelivery> = Vec::new();
    loop {
        let page = Page { after: deliveries.last().map(|last| last.id), limit: 500 };
        let more = block_on(rows.deliveries(DeliveryFilter::default(), page)).expect("deliveries");
        if more.is_empty() {
            return deliveries;
        }
        deliveries.extend(more);
    }
}
