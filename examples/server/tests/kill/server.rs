//! Server: the server as a process, its callers, and what they know.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::receiving::Receiver;

const CALLERS: usize = 8;
/// Answers to see before the next kill: enough for every caller to be in the middle of something.
const ANSWERS_A_ROUND: usize = 60;

/// What the callers know.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The message that each key was answered with.
    pub(crate) answered: Mutex<HashMap<String, String>>,
    /// Keys that were sent and got no answer.
    unanswered: Mutex<Vec<String>>,
    pub(crate) next_key: AtomicUsize,
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

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server as a process, which ends by signal 9 with this.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    bootstrap: Value,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
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

    pub(crate) fn account_id(&self) -> String {
        self.text("account_id")
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.bootstrap[field].as_str().expect("a text").to_string()
    }

    pub(crate) fn lift_limits(&self) {
        let limits = json!({"limits": {"messages_per_day": 1_000_000, "messages_per_month": 1_000_000}});
        self.ask("PATCH", "", Some(&limits));
    }

    pub(crate) fn add_endpoint(&self, receiver: &Receiver) {
        let mut made = self.ask("POST", "/endpoints", Some(&json!({"url": receiver.url, "events": ["message.*"], "in_flight_max": 64})));
        let start = Instant::now();
        // A slow machine may not answer the challenge in its time.
        while made["state"] != "enabled" {
            assert!(start.elapsed() < PATIENCE, "{made}");
            made = self.ask("POST", &format!("/endpoints/{}/verify", made["id"].as_str().expect("an id")), None);
        }
    }

    /// Asks as the operator; a path of the account.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
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
    pub(crate) fn deliver_all(self, receiver: &Receiver) {
        let is_pending = |status| self.ask("GET", &format!("/deliveries?limit=1&status={status}"), None)["items"][0].is_object();
        let start = Instant::now();
        while is_pending("queued") || is_pending("sending") {
            assert!(start.elapsed() < PATIENCE, "not everything is delivered");
            receiver.wait(Duration::from_millis(100));
        }
        self.kill();
    }

    /// Kills the process: it ends with this.
    pub(crate) fn kill(self) {}

    /// Asks until the answer is as expected.
    pub(crate) fn ask_until(&self, path: &str, expected: impl Fn(&Value) -> bool) {
        let start = Instant::now();
        while !expected(&self.ask("GET", path, None)) {
            assert!(start.elapsed() < PATIENCE, "{path} is not as expected");
            thread::yield_now();
        }
    }

    /// Lets callers send until enough was answered, then kills the process while they go on.
    pub(crate) fn kill_in_the_middle(self, ledger: &Arc<Ledger>) {
        let instance = self.text("instance_id");
        self.kill_in_the_middle_of(&instance, ledger);
    }

    /// The same, with what goes out by this instance.
    pub(crate) fn kill_in_the_middle_of(mut self, instance: &str, ledger: &Arc<Ledger>) {
        let answers = Arc::new(AtomicUsize::new(0));
        let alive = Arc::new(AtomicBool::new(true));
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (ledger, answers, alive) = (ledger.clone(), answers.clone(), alive.clone());
                let caller = Caller {
                    agent: ureq::Agent::new_with_config(config()),
                    url: self.url.clone(),
                    key: self.text("api_key"),
                    instance: instance.to_owned(),
                    waits: caller % 2 == 0,
                };
                thread::spawn(move || caller.send_while(&alive, &answers, &ledger))
            })
            .collect();
        let start = Instant::now();
        while answers.load(Ordering::Relaxed) < ANSWERS_A_ROUND {
            assert!(start.elapsed() < PATIENCE, "callers are answered no more");
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

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which its callers have noticed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config() -> ureq::config::Config {
    ureq::Agent::config_builder().proxy(None).http_status_as_error(false).timeout_global(Some(Duration::from_secs(30))).build()
}

/// How many people are written to.
pub(crate) const PEOPLE: usize = 50;

/// The number of one of them.
pub(crate) fn phone(person: usize) -> String {
    format!("+999{:09}", person % PEOPLE)
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
            "phone": phone(number),
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
