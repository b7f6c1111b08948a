//! Audit: what the database, Meta's stand-in and the receivers hold, against what the callers know. Promises 1 to 8, by counts and sets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::Ordering;

use gatepost::{AccountId, EventId, MessageId, Schedule};

use crate::driver::{QUOTA_ACCOUNT, locked, phone, words};
use crate::receiving::Event;
use crate::world::World;

/// What was seen.
#[derive(Default)]
pub(crate) struct Counts {
    keys: usize,
    unanswered: usize,
    refused: BTreeMap<String, usize>,
    messages: BTreeMap<String, usize>,
    sends: usize,
    attempts: usize,
    suppressed: usize,
    charged_of_quota: (u64, u64),
    events: usize,
    arrivals: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, unanswered, refused, messages, sends, attempts, suppressed, charged_of_quota, events, arrivals } = self;
        let (charged, quota) = charged_of_quota;
        writeln!(f, "{keys} keys, {unanswered} calls without an answer; messages {messages:?}, refused {refused:?}")?;
        writeln!(f, "{attempts} attempts, {sends} sends; {suppressed} people suppressed; {charged} of {quota} charged")?;
        write!(f, "{events} events, {arrivals} arrivals")
    }
}

/// A message as it stands.
struct Row {
    account: usize,
    status: String,
    /// When each of its attempts started.
    starts: Vec<i64>,
    /// How many of them are known to have sent nothing.
    in_vain: usize,
}

pub(crate) fn audit(world: &World) -> Counts {
    let messages = messages(world);
    let mut counts = Counts {
        keys: world.ledger.keys(),
        unanswered: world.ledger.unanswered.load(Ordering::Relaxed),
        refused: locked(&world.ledger.refused).clone(),
        ..Counts::default()
    };
    for row in messages.values() {
        *counts.messages.entry(row.status.clone()).or_default() += 1;
        counts.attempts += row.starts.len();
    }
    println!("{:?}", counts.messages);
    kept_and_once(world, &messages);
    counts.suppressed = suppressed(world, &messages);
    counts.charged_of_quota = within_quota(world, &messages);
    counts.sends = logged_and_sent_once(world, &messages);
    (counts.events, counts.arrivals) = told(world, &messages);
    bounded_and_apart(world);
    counts
}

fn accounts(world: &World) -> HashMap<String, usize> {
    let hex = |id: &str| hex(&id.parse::<AccountId>().expect("an id").to_bytes());
    world.ledger.accounts.iter().enumerate().map(|(number, account)| (hex(&account.id), number)).collect()
}

fn messages(world: &World) -> HashMap<String, Row> {
    let accounts = accounts(world);
    let sql = "SELECT encode(m.account, 'hex'), encode(m.id, 'hex'), m.status, concat_ws(',', m.sent_from,
            (SELECT string_agg(CAST(a.started_at AS TEXT), ',') FROM attempts a WHERE a.account = m.account AND a.message = m.id)),
            (SELECT count(*) FROM attempts a WHERE a.account = m.account AND a.message = m.id AND a.outcome LIKE '{\"outcome\":\"failed\"%')
        FROM messages m";
    let mut messages = HashMap::new();
    for row in world.rows(sql) {
        let [account, id, status, starts, in_vain] = row.try_into().expect("five columns");
        let starts = starts.split(',').filter_map(|at| at.parse().ok()).collect();
        messages.insert(id, Row { account: accounts[&account], status, starts, in_vain: in_vain.parse().expect("a count") });
    }
    messages
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn message_hex(id: &str) -> String {
    hex(&id.parse::<MessageId>().expect("an id").to_bytes())
}

/// Promises 1 and 2: what was acknowledged is there, in the account that sent it; each key has one message, and there are no others.
fn kept_and_once(world: &World, messages: &HashMap<String, Row>) {
    let sent = locked(&world.ledger.sent);
    for sent in sent.values() {
        let row = messages.get(&message_hex(&sent.message)).unwrap_or_else(|| panic!("{} is lost", sent.message));
        assert_eq!(row.account, sent.account, "{} is another account's", sent.message);
        assert!(!["queued", "sending"].contains(&row.status.as_str()), "{} has not come to an end", sent.message);
    }
    let acknowledged: HashSet<String> = sent.values().map(|sent| message_hex(&sent.message)).collect();
    assert_eq!(acknowledged.len(), sent.len(), "two keys, one message");
    // Every key was asked again until it was answered, so that each message was acknowledged.
    let unknown: Vec<&String> = messages.keys().filter(|id| !acknowledged.contains(*id)).collect();
    assert!(unknown.is_empty(), "messages of nobody: {unknown:?}");
    let bound = world.count("SELECT count(DISTINCT (account, message)) FROM idempotency_keys");
    assert_eq!(bound, messages.len() as u64, "keys and messages disagree");
}

/// Promise 3: no attempt started after it was answered that its recipient is suppressed.
fn suppressed(world: &World, messages: &HashMap<String, Row>) -> usize {
    let suppressed = locked(&world.ledger.suppressed);
    let since: HashMap<(usize, &str), i64> = suppressed.iter().map(|(account, person, at)| ((*account, person.as_str()), *at)).collect();
    for sent in locked(&world.ledger.sent).values() {
        let Some(since) = since.get(&(sent.account, sent.person.as_str())) else { continue };
        let starts = &messages[&message_hex(&sent.message)].starts;
        assert!(starts.iter().all(|at| at <= since), "{} was started at {starts:?}, after {since}", sent.message);
    }
    let stopped = messages.values().filter(|row| row.status == "canceled").count();
    assert!(stopped > 0, "nothing waited that could be stopped, so that this shows nothing");
    suppressed.len()
}

/// What these messages were charged was returned: they never reached the provider, which refuses nothing here.
const RETURNED: &str = "'failed', 'expired', 'canceled', 'held'";

/// Promise 4: what was charged is what there is, and the account at its limit has used all of it and no more.
fn within_quota(world: &World, messages: &HashMap<String, Row>) -> (u64, u64) {
    let wrong = world.rows(&format!(
        "SELECT encode(u.account, 'hex'), u.\"window\", u.charged, count(m.id)
         FROM usage u LEFT JOIN messages m ON m.account = u.account AND m.mode = u.mode AND m.status NOT IN ({RETURNED})
             AND u.\"window\" IN (m.charged_day, m.charged_month)
         GROUP BY u.account, u.mode, u.\"window\", u.charged HAVING u.charged <> count(m.id)"
    ));
    assert!(wrong.is_empty(), "charges and messages disagree: {wrong:#?}");
    let uncharged =
        format!("SELECT count(*) FROM messages WHERE status NOT IN ({RETURNED}) AND (charged_day IS NULL OR charged_month IS NULL)");
    assert_eq!(world.count(&uncharged), 0, "messages that nobody was charged");
    let is_charged = |row: &&Row| row.account == QUOTA_ACCOUNT && !RETURNED.contains(&format!("'{}'", row.status));
    let of_quota = messages.values().filter(is_charged).count() as u64;
    assert_eq!(of_quota, world.ledger.quota, "the account at its limit has one too many, or one too few");
    (of_quota, world.ledger.quota)
}

/// Promise 5, and the half of 6 that is about messages: each send has an attempt that was written before, and nothing was sent twice.
fn logged_and_sent_once(world: &World, messages: &HashMap<String, Row>) -> usize {
    let open = world.count("SELECT count(*) FROM outbox WHERE started_at IS NOT NULL AND state IN (1, 2)");
    assert_eq!(open, 0, "attempts without an outcome");
    let said: HashMap<String, (String, String)> = locked(&world.ledger.sent)
        .iter()
        .map(|(number, sent)| (message_hex(&sent.message), (sent.person.trim_start_matches('+').to_owned(), words(*number))))
        .collect();
    let mut sends: HashMap<String, usize> = HashMap::new();
    // A kill can cut a request off: it names nothing then.
    for body in world.graph.received().into_iter().map(|received| received.body).filter(serde_json::Value::is_object) {
        let message = message_hex(body["biz_opaque_callback_data"].as_str().expect("our id"));
        let (person, words) = said.get(&message).unwrap_or_else(|| panic!("{message} was sent and is not known"));
        let seen = (body["to"].as_str().map(|to| to.trim_start_matches('+')), body["text"]["body"].as_str());
        assert_eq!(seen, (Some(person.as_str()), Some(words.as_str())), "{message} went to somebody else, or says something else");
        *sends.entry(message).or_default() += 1;
    }
    for (message, times) in &sends {
        let row = &messages[message];
        assert!(*times <= row.starts.len(), "{message} was sent {times} times in {} attempts", row.starts.len());
        assert!(*times <= row.in_vain + 1, "{message} was sent {times} times, of which {} in vain", row.in_vain);
        assert!(row.starts.len() <= Schedule::WHATSAPP.tries(), "{message} was tried {} times", row.starts.len());
    }
    for (message, row) in messages {
        assert!(row.status != "sent" || sends.contains_key(message), "{message} is sent, and was not");
    }
    sends.len()
}

/// The other half of 6: every event arrives at its own account's receiver, under its id, says the same each time, and there is one for
/// whatever became of a message.
fn told(world: &World, messages: &HashMap<String, Row>) -> (usize, usize) {
    let accounts = accounts(world);
    let arrived: Vec<_> = world.receivers.iter().map(crate::receiving::Receiver::arrived).collect();
    let mut known: Vec<HashSet<String>> = vec![HashSet::new(); arrived.len()];
    for row in world.rows("SELECT encode(account, 'hex'), encode(event, 'hex'), status FROM event_deliveries") {
        let [account, event, status] = row.try_into().expect("three columns");
        let (account, event) = (accounts[&account], event_id(&event));
        assert_eq!(status, "1", "{event} was not delivered");
        let arrivals = arrived[account].get(&event).unwrap_or_else(|| panic!("{event} did not arrive"));
        assert!(arrivals.iter().all(|event| event.body == arrivals[0].body), "{event} says different things");
        known[account].insert(event);
    }
    for (account, (arrived, known)) in arrived.iter().zip(&known).enumerate() {
        assert!(arrived.keys().all(|event| known.contains(event)), "something arrived that its account does not know");
        let of_messages = arrived.values().flatten().filter(|event| is_about_its_own(world, account, event, messages)).count();
        assert!(of_messages > 0, "nothing that arrived is about a message");
    }
    for (event, statuses) in [
        ("message.queued", "SELECT DISTINCT status FROM messages"),
        ("message.sent", "VALUES ('sent')"),
        ("message.unknown", "VALUES ('unknown')"),
        ("message.failed", "VALUES ('canceled'), ('failed'), ('expired')"),
    ] {
        let told = world.count(&format!("SELECT count(DISTINCT (account, event)) FROM event_deliveries WHERE as_name = '{event}'"));
        let are = world.count(&format!("SELECT count(*) FROM messages WHERE status IN ({statuses})"));
        assert_eq!(told, are, "`{event}` and what became of messages disagree");
    }
    let events = known.iter().map(HashSet::len).sum();
    (events, arrived.iter().flat_map(HashMap::values).map(Vec::len).sum())
}

/// What arrives at an account's receiver is about a message of that account, to one of its people; `false` where it is about none.
fn is_about_its_own(world: &World, account: usize, event: &Event, messages: &HashMap<String, Row>) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&event.body).expect("JSON");
    let about = [&body, &body["data"]].into_iter().find_map(|fields| fields["message_id"].as_str());
    let Some(row) = about.and_then(|id| messages.get(&message_hex(id))) else { return false };
    assert_eq!(row.account, account, "an event of another account arrived at {}", world.ledger.accounts[account].id);
    let to = [&body, &body["data"]].into_iter().find_map(|fields| fields["to"].as_str()).expect("a recipient");
    assert!(to.starts_with(&phone(account, 0)[..5]), "an event about somebody else's person");
    true
}

fn event_id(hex: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    EventId::from_bytes(std::array::from_fn(|place| byte(2 * place))).to_string()
}

/// Promises 7 and 8: tries are counted, and no row belongs to another account than what it is about.
fn bounded_and_apart(world: &World) {
    let tries = "SELECT count(*) FROM event_deliveries d WHERE d.tries <> (CASE WHEN d.sent_from IS NULL THEN 0 ELSE 1 END)
        + (SELECT count(*) FROM delivery_attempts a WHERE a.account = d.account AND a.delivery = d.id)";
    assert_eq!(world.count(tries), 0, "attempts that were not counted");
    let budget = Schedule::EVENT.tries();
    assert_eq!(world.count(&format!("SELECT count(*) FROM event_deliveries WHERE tries > {budget}")), 0, "events tried too often");
    for (table, column, of) in [
        ("attempts", "message", "messages"),
        ("idempotency_keys", "message", "messages"),
        ("external_ids", "message", "messages"),
        ("external_ids", "instance", "instances"),
        ("conversations", "contact", "contacts"),
        ("conversations", "instance", "instances"),
        ("inbound", "instance", "instances"),
        ("inbound", "contact", "contacts"),
        ("notifications", "instance", "instances"),
        ("messages", "contact", "contacts"),
        ("messages", "instance", "instances"),
        ("suppressions", "contact", "contacts"),
        ("addresses", "contact", "contacts"),
        ("event_deliveries", "event", "events"),
        ("event_deliveries", "endpoint", "endpoints"),
        ("delivery_attempts", "delivery", "event_deliveries"),
    ] {
        let strays = format!(
            "SELECT count(*) FROM {table} t WHERE t.{column} IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM {of} o WHERE o.account = t.account AND o.id = t.{column})"
        );
        assert_eq!(world.count(&strays), 0, "rows of `{table}` whose `{column}` is another account's");
    }
}
