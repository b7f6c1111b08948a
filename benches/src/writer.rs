//! The baseline's store: one SQLite writer thread with group commit, and no rule at all.
//!
//! [`Writer::accept`] puts a message into a bounded queue. The thread takes what waits, writes it in one `BEGIN IMMEDIATE`, commits
//! once with `synchronous=FULL` and answers everyone. The messages of one group are finished in the next, as if the provider had
//! answered between the two. That makes nine statements a message and six a transaction, fifteen where a message comes alone:
//!
//! | when | statements |
//! | --- | --- |
//! | each transaction | `BEGIN`, usage of the day, usage of the month, two counters, `COMMIT` |
//! | a message's group | read contact and suppression, write contact, message, policy event, outbox, attempt |
//! | the next group | end the attempt, mark the message sent, take it out of the outbox |

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, mem, thread};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use crate::Failure;

const ACCOUNT: &str = "acc_019ac3f27d1e7b3a9d5c20f4e1b8a6c7";
const DAY_MS: i64 = 86_400_000;
const MONTH_MS: i64 = 30 * DAY_MS;
/// Callers that may wait for the writer; the next one waits for a place.
const QUEUE: usize = 4096;
/// Messages in one commit.
const GROUP: usize = 512;

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The instance that sends it.
    pub instance_id: String,
    /// The recipient.
    pub phone: String,
    /// Why it is sent.
    pub purpose: String,
    /// Its text.
    pub text: String,
}

/// A message that is written and committed.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its id.
    pub message_id: String,
    /// Its number in the account.
    pub log_id: i64,
}

/// The way to the writer thread.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    message: NewMessage,
    answer: oneshot::Sender<Written>,
}

impl Writer {
    /// Makes a database in the folder `data` and starts the thread that writes it.
    pub fn start(data: &Path) -> Result<Self, Failure> {
        let path = data.join("baseline.db");
        if path.exists() {
            return Err(format!("{} is there already; the baseline starts from nothing", path.display()).into());
        }
        fs::create_dir_all(data)?;
        let database = create(&path)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        thread::Builder::new().name("writer".to_owned()).spawn(move || write_groups(database, waiting))?;
        Ok(Self { queue })
    }

    /// Writes `message`; `None` if the writer cannot.
    pub async fn accept(&self, message: NewMessage) -> Option<Written> {
        let (answer, written) = oneshot::channel();
        self.queue.send(Waiting { message, answer }).await.ok()?;
        written.await.ok()
    }
}

fn create(path: &Path) -> rusqlite::Result<Connection> {
    let database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    // The bundled SQLite is built with STAT4: without this it plans a LEFT JOIN anew each time other values are bound to it.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    database.set_prepared_statement_cache_capacity(64);
    database.execute_batch(include_str!("schema.sql"))?;
    Ok(database)
}

fn write_groups(mut database: Connection, mut queue: mpsc::Receiver<Waiting>) {
    let mut started = Vec::new();
    while let Some(group) = take_group(&mut queue, started.is_empty()) {
        match write_group(&mut database, &mem::take(&mut started), &group) {
            Ok(written) => started = answer(group, written),
            // Dropping the group answers it: its callers see that nobody is left to.
            Err(error) => eprintln!("baseline: {error}"),
        }
    }
}

/// Takes what waits. Waits for the first only if `idle`; `None` once nobody can come any more.
fn take_group(queue: &mut mpsc::Receiver<Waiting>, idle: bool) -> Option<Vec<Waiting>> {
    let mut group = Vec::new();
    if idle {
        return (queue.blocking_recv_many(&mut group, GROUP) > 0).then_some(group);
    }
    while group.len() < GROUP
        && let Ok(waiting) = queue.try_recv()
    {
        group.push(waiting);
    }
    Some(group)
}

/// Answers everyone of `group`, and keeps the ids for the next one.
fn answer(group: Vec<Waiting>, written: Vec<Written>) -> Vec<String> {
    let ids = written.iter().map(|written| written.message_id.clone()).collect();
    for (waiting, written) in group.into_iter().zip(written) {
        // A caller that has gone away needs no answer.
        _ = waiting.answer.send(written);
    }
    ids
}

fn write_group(database: &mut Connection, started: &[String], group: &[Waiting]) -> rusqlite::Result<Vec<Written>> {
    let now = now_ms();
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for message_id in started {
        finish(&transaction, message_id, now)?;
    }
    let mut number = count(&transaction, group.len(), now)?;
    let mut written = Vec::with_capacity(group.len());
    for waiting in group {
        number += 1;
        written.push(accept(&transaction, &waiting.message, number, now)?);
    }
    transaction.commit()?;
    Ok(written)
}

/// Adds the group to the usage of day and month and to both counters, and answers the number before its first message.
fn count(transaction: &Transaction<'_>, messages: usize, now: i64) -> rusqlite::Result<i64> {
    let messages = messages as i64;
    for window_ms in [DAY_MS, MONTH_MS] {
        transaction
            .prepare_cached(
                "INSERT INTO usage (account_id, starts, messages) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET messages = messages + excluded.messages",
            )?
            .execute(params![ACCOUNT, now - now % window_ms, messages])?;
    }
    advance(transaction, "policy_event", messages)?;
    advance(transaction, "log", messages)
}

/// Advances the counter `name` and answers where it stood.
fn advance(transaction: &Transaction<'_>, name: &str, by: i64) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(
            "INSERT INTO counter (account_id, name, value) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET value = value + excluded.value RETURNING value",
        )?
        .query_row(params![ACCOUNT, name, by], |row| row.get(0))
        .map(|value: i64| value - by)
}

/// Writes what a message that goes at once leaves behind.
fn accept(transaction: &Transaction<'_>, message: &NewMessage, number: i64, now: i64) -> rusqlite::Result<Written> {
    let message_id = format!("msg_{now:013x}{number:013x}");
    _ = find_suppression(transaction, &message.phone)?;
    transaction
        .prepare_cached(
            "INSERT INTO contact (account_id, phone, first_at, last_at) VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT DO UPDATE SET last_at = excluded.last_at",
        )?
        .execute(params![ACCOUNT, message.phone, now])?;
    transaction.prepare_cached("INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'sending', NULL, ?8, ?8)")?.execute(params![
        message_id,
        ACCOUNT,
        message.instance_id,
        number,
        message.phone,
        message.purpose,
        message.text,
        now
    ])?;
    transaction.prepare_cached("INSERT INTO policy_event VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        ACCOUNT,
        number,
        message_id,
        now,
        policy_event(message, number)
    ])?;
    transaction.prepare_cached("INSERT INTO outbox VALUES (?1, ?2, ?3, ?4, 'whatsapp', ?5, ?6, 1)")?.execute(params![
        message_id,
        ACCOUNT,
        number % 64,
        message.phone,
        now,
        now + DAY_MS
    ])?;
    transaction.prepare_cached("INSERT INTO attempt VALUES (?1, 1, ?2, NULL, NULL)")?.execute(params![message_id, now])?;
    Ok(Written { message_id, log_id: number })
}

/// Writes that the provider took the message.
fn finish(transaction: &Transaction<'_>, message_id: &str, now: i64) -> rusqlite::Result<()> {
    for update in [
        "UPDATE attempt SET ended_at = ?2, outcome = 'accepted' WHERE message_id = ?1 AND number = 1",
        "UPDATE message SET status = 'sent', provider_id = 'wamid.' || id, updated_at = ?2 WHERE id = ?1",
    ] {
        transaction.prepare_cached(update)?.execute(params![message_id, now])?;
    }
    transaction.prepare_cached("DELETE FROM outbox WHERE message_id = ?1 AND fence = 1")?.execute([message_id])?;
    Ok(())
}

fn find_suppression(transaction: &Transaction<'_>, phone: &str) -> rusqlite::Result<Option<String>> {
    transaction
        .prepare_cached(
            "SELECT suppression.cause FROM contact LEFT JOIN suppression USING (account_id, phone)
             WHERE contact.account_id = ?1 AND contact.phone = ?2",
        )?
        .query_row(params![ACCOUNT, phone], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}

/// As long as the gateway's own event; nothing in it is decided.
fn policy_event(message: &NewMessage, number: i64) -> String {
    format!(
        "{{\"policy\":1,\"decision\":\"allow\",\"risk_score\":0,\"reasons\":[],\"facts\":{{\"plan\":\"custom\",\"account\":\"active\",\
         \"instance\":\"{}\",\"connection\":\"open\",\"purpose\":\"{}\",\"suppression\":null,\"day\":{{\"used\":{number},\
         \"limit\":1000000000}},\"month\":{{\"used\":{number},\"limit\":1000000000}},\"velocity\":{{\"account\":0,\"instance\":0,\
         \"recipient\":0}},\"window\":null,\"zone\":\"UTC\",\"tzdb\":\"2026b\"}}}}",
        message.instance_id, message.purpose
    )
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn waiting(phone: &str) -> Waiting {
        let message = NewMessage {
            instance_id: "inst_1".to_owned(),
            phone: phone.to_owned(),
            purpose: "transactional".to_owned(),
            text: "Your order is on its way.".to_owned(),
        };
        Waiting { message, answer: oneshot::channel().0 }
    }

    #[test]
    fn a_group_is_finished_in_the_next() {
        let mut database = create(Path::new(":memory:")).unwrap();
        let first = write_group(&mut database, &[], &[waiting("+999000000001"), waiting("+999000000002")]).unwrap();
        let ids: Vec<_> = first.iter().map(|written| written.message_id.clone()).collect();
        let second = write_group(&mut database, &ids, &[waiting("+999000000001")]).unwrap();

        let numbers: Vec<_> = first.iter().chain(&second).map(|written| written.log_id).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let count = |sql| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM message WHERE status = 'sent'"), 2);
        assert_eq!(count("SELECT count(*) FROM outbox"), 1);
        assert_eq!(count("SELECT count(*) FROM contact"), 2);
        assert_eq!(count("SELECT count(*) FROM policy_event WHERE json_valid(body)"), 3);
        assert_eq!(count("SELECT min(messages) FROM usage"), 3);
    }
}
