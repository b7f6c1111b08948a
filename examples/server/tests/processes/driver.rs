//! Driver: callers who send and suppress at whichever server, and what they know.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gatepost::Host as _;
use gatepost_system::System;
use serde_json::{Value, json};

use crate::world::await_that;

const CALLERS: usize = 9;
/// How long a caller waits for an answer, before it asks again elsewhere: less than a server stands still.
const CALLER_PATIENCE: Duration = Duration::from_secs(3);
/// How long everybody else does.
const USUAL_PATIENCE: Duration = Duration::from_secs(12);
/// How many people each account writes to.
pub(crate) const PEOPLE: usize = 50;
/// The account that comes to its limit, and suppresses nobody: each of its messages stays charged.
pub(crate) const QUOTA_ACCOUNT: usize = 3;
const ACCOUNTS: usize = QUOTA_ACCOUNT + 1;

/// The number of a person of an account.
pub(crate) fn phone(account: usize, person: usize) -> String {
    format!("+999{account}{:08}", person % PEOPLE)
}

/// An account, and who sends for it.
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) instance: String,
}

/// The way to the servers.
pub(crate) struct Api {
    pub(crate) urls: Vec<String>,
    operator_key: String,
    agent: ureq::Agent,
}

/// One request to a server.
struct Question<'a> {
    host: usize,
    method: &'a str,
    path: &'a str,
    key: &'a str,
    name: Option<&'a str>,
    body: &'a Value,
    patience: Duration,
}

impl Api {
    pub(crate) fn new(urls: Vec<String>, operator_key: &str) -> Self {
        let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
        Self { urls, operator_key: operator_key.to_owned(), agent: config.build().new_agent() }
    }

    /// Asks as the operator, and must be answered.
    pub(crate) fn ask(&self, host: usize, method: &str, path: &str, body: &Value) -> Value {
        let key = &self.operator_key;
        let question = Question { host, method, path, key, name: None, body, patience: USUAL_PATIENCE };
        let (status, answer) = self.call(&question).expect("an answer");
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// The status and the body of an answer; nothing where no whole answer came.
    fn call(&self, question: &Question<'_>) -> Option<(u16, Value)> {
        let Question { host, method, path, key, name, body, patience } = *question;
        let request = axum::http::Request::builder().method(method).uri(format!("{}{path}", self.urls[host % self.urls.len()]));
        let mut request = request.header("authorization", format!("Bearer {key}"));
        if let Some(name) = name {
            request = request.header("idempotency-key", name);
        }
        let answer = match body {
            Value::Null => {
                self.agent.run(self.agent.configure_request(request.body(()).expect("a request")).timeout_global(Some(patience)).build())
            }
            body => {
                let request = request.header("content-type", "application/json").body(body.to_string()).expect("a request");
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(patience)).build())
            }
        };
        let mut answer = answer.ok()?;
        let status = answer.status().as_u16();
        Some((status, serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?))
    }
}

/// A message that was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) account: usize,
    pub(crate) message: String,
    pub(crate) person: String,
}

/// What the message of this key says.
pub(crate) fn words(number: usize) -> String {
    format!("Your order {number} has shipped.")
}

/// What the callers know.
pub(crate) struct Ledger {
    api: Api,
    pub(crate) accounts: Vec<Account>,
    pub(crate) quota: u64,
    /// By the number of their key.
    pub(crate) sent: Mutex<HashMap<usize, Sent>>,
    /// Refused for good, by what was said.
    pub(crate) refused: Mutex<BTreeMap<String, usize>>,
    /// The person, and when it was answered that they are suppressed.
    pub(crate) suppressed: Mutex<Vec<(usize, String, i64)>>,
    /// Those people, from before the call on.
    gone: Mutex<HashSet<(usize, usize)>>,
    /// Calls that were not answered.
    open: Mutex<Vec<Call>>,
    pub(crate) unanswered: AtomicUsize,
    next: AtomicUsize,
    answers: AtomicUsize,
}

/// A send: the number of its key, and to whom.
#[derive(Clone, Copy)]
struct Call {
    number: usize,
    person: usize,
}

/// What became of a call.
enum Outcome {
    Accepted(String),
    Refused(String),
    Unknown,
}

impl Ledger {
    pub(crate) fn new(api: Api, accounts: Vec<Account>, quota: u64) -> Self {
        let (sent, refused, suppressed, gone, open) = Default::default();
        let [unanswered, next, answers] = [0; 3].map(AtomicUsize::new);
        Self { api, accounts, quota, sent, refused, suppressed, gone, open, unanswered, next, answers }
    }

    /// How many keys were used.
    pub(crate) fn keys(&self) -> usize {
        self.next.load(Ordering::Relaxed)
    }

    /// Waits for so many more answers.
    pub(crate) fn await_answers(&self, more: usize) {
        let until = self.answers.load(Ordering::Relaxed) + more;
        await_that("there are more answers", || self.answers.load(Ordering::Relaxed) >= until);
    }

    fn take(&self) -> Call {
        let again = locked(&self.open).pop();
        again.unwrap_or_else(|| self.call(self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// A new call. Few go to who is suppressed: an account that does not stop writing to them is paused.
    fn call(&self, number: usize) -> Call {
        const FEW: usize = 37;
        let (account, gone) = (number % ACCOUNTS, locked(&self.gone));
        let is_open = |person: &usize| number.is_multiple_of(FEW) || !gone.contains(&(account, *person));
        let person = (number / ACCOUNTS..).map(|person| person % PEOPLE).take(PEOPLE).find(is_open).unwrap_or_default();
        Call { number, person }
    }

    /// Sends under this key at a server; what is not answered is to be asked again.
    fn send(&self, call: Call, host: usize, waits: bool) {
        let Call { number, person } = call;
        let account = number % ACCOUNTS;
        let person = phone(account, person);
        let of = &self.accounts[account];
        let body = json!({"instance_id": of.instance, "phone": person, "message": words(number),
                          "message_purpose": "transactional"});
        let path = if waits { "/api/send-message?wait=2" } else { "/api/send-message?wait=0" };
        let (key, name) = (&of.key, format!("key-{number}"));
        let question = Question { host, method: "POST", path, key, name: Some(&name), body: &body, patience: CALLER_PATIENCE };
        let answer = self.api.call(&question);
        match outcome(answer) {
            Outcome::Accepted(message) => {
                let before = locked(&self.sent).insert(number, Sent { account, message: message.clone(), person });
                assert!(before.is_none_or(|before| before.message == message), "one key, two messages");
            }
            Outcome::Refused(what) => *locked(&self.refused).entry(what).or_default() += 1,
            Outcome::Unknown => {
                self.unanswered.fetch_add(1, Ordering::Relaxed);
                locked(&self.open).push(call);
                return thread::sleep(Duration::from_millis(20));
            }
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// A number of its own for a key of this account.
    fn number_of(&self, account: usize) -> usize {
        let next = self.next.fetch_add(ACCOUNTS, Ordering::Relaxed);
        (next..next + ACCOUNTS).find(|number| number % ACCOUNTS == account).expect("every account has its turn")
    }

    /// Writes to a person of an account once more, and then suppresses them, at whichever server answers.
    pub(crate) fn write_and_suppress(&self, account: usize, person: usize) {
        locked(&self.gone).insert((account, person));
        self.send(Call { number: self.number_of(account), person }, account, false);
        let (person, path) = (phone(account, person), format!("/v1/accounts/{}/suppressions", self.accounts[account].id));
        let mut turn = person.len() + account;
        await_that("a suppression is answered", || {
            turn += 1;
            let (key, body) = (&self.api.operator_key, json!({"phone": person, "cause": "manual"}));
            let question = Question { host: turn, method: "POST", path: &path, key, name: None, body: &body, patience: USUAL_PATIENCE };
            let answer = self.api.call(&question);
            matches!(answer, Some((200..=299, _)))
        });
        locked(&self.suppressed).push((account, person, System.now().as_millis()));
    }

    /// Asks again, until everything is answered.
    pub(crate) fn settle(&self) {
        let mut turn = 0;
        await_that("every call is answered", || {
            let Some(call) = locked(&self.open).pop() else { return true };
            turn += 1;
            self.send(call, turn, false);
            locked(&self.open).is_empty()
        });
    }

    /// Asks once more for some of what was acknowledged: each key still stands for its message, at every server.
    pub(crate) fn ask_again(&self) {
        let numbers: Vec<usize> = locked(&self.sent).keys().copied().take(150).collect();
        for number in numbers {
            let person = locked(&self.sent)[&number].person.clone();
            let person = (0..PEOPLE).find(|one| phone(number % ACCOUNTS, *one) == person).expect("one of the people");
            self.send(Call { number, person }, number, false);
        }
        self.settle();
    }

    /// Sends for the account with the limit until it is refused, and a little longer.
    pub(crate) fn fill_quota(&self) {
        let mut refused = 0;
        while refused < 10 {
            let number = self.number_of(QUOTA_ACCOUNT);
            self.send(self.call(number), number / ACCOUNTS, false);
            self.settle();
            refused += usize::from(!locked(&self.sent).contains_key(&number));
        }
    }
}

/// A message that was accepted and has come to its end may be an error, which names it.
fn outcome(answer: Option<(u16, Value)>) -> Outcome {
    let Some((status, answer)) = answer else { return Outcome::Unknown };
    let named = answer["message_id"].as_str().or_else(|| answer["details"]["message_id"].as_str());
    match (status, named) {
        (_, Some(message)) => Outcome::Accepted(message.to_owned()),
        (403 | 409 | 422 | 429, None) => Outcome::Refused(answer["error"].as_str().unwrap_or_default().to_owned()),
        (500.., None) => Outcome::Unknown,
        (status, None) => panic!("{status}: {answer}"),
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Callers at work.
pub(crate) struct Callers {
    alive: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Callers {
    pub(crate) fn start(ledger: &Arc<Ledger>) -> Self {
        let alive = Arc::new(AtomicBool::new(true));
        // Each stays at its server, so that one that stands still holds up its own.
        let caller = |host: usize| {
            let (ledger, alive) = (Arc::clone(ledger), Arc::clone(&alive));
            thread::spawn(move || {
                for waits in [true, false, false].into_iter().cycle().take_while(|_| alive.load(Ordering::Relaxed)) {
                    ledger.send(ledger.take(), host, waits);
                }
            })
        };
        let threads = (0..CALLERS).map(caller).collect();
        Self { alive, threads }
    }

    pub(crate) fn stop(self) {
        self.alive.store(false, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("no caller panics");
        }
    }
}
