//! Retention: what is older than its time is forgotten, in small batches from the oldest on, account after account.
//!
//! Ids grow with time, so that what is older than a time lies before the first id of that time. A mark for each account says how far the job
//! came with its texts, so that it never looks at the same messages twice.

use gatepost::{AccountId, MessageId, Retention, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows;

/// What the gateway, a person or the provider may still change.
const UNFINISHED: &str = "(status IN ('held', 'queued', 'sending')
    OR EXISTS (SELECT 1 FROM outbox o WHERE o.delivery = m.delivery))";

/// Forgets at most `limit` rows of each kind; how many were forgotten.
pub(crate) fn retain(connection: &Connection, retention: Retention, limit: usize) -> rusqlite::Result<usize> {
    let accounts = rows::all(&mut *connection.prepare_cached("SELECT id FROM accounts")?, [], |row| rows::account_id(row, 0))?;
    let (mut contents, mut messages, mut events) = (0, 0, 0);
    for account in accounts {
        contents += forget_contents(connection, account, retention.content_before, limit - contents)?;
        messages += forget_messages(connection, account, retention.logs_before, limit - messages)?;
        events += forget_events(connection, account, retention.logs_before, limit - events)?;
    }
    Ok(contents + messages + events)
}

/// The ids of messages made before `time` are lower than this.
fn first_id_of(time: Timestamp) -> [u8; 16] {
    let millis = u128::from(time.as_millis().max(0).unsigned_abs());
    (millis << 80).to_be_bytes()
}

fn forget_contents(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "SELECT message FROM retention WHERE account = ?1";
    let mark: Option<[u8; 16]> = connection.prepare_cached(sql)?.query_row([account.to_bytes()], |row| row.get(0)).optional()?;
    let sql = format!(
        "SELECT id, {UNFINISHED} FROM messages m WHERE account = ?1 AND id > ?2 AND id < ?3 AND content IS NOT NULL ORDER BY id LIMIT ?4"
    );
    let params = params![account.to_bytes(), mark.unwrap_or_default(), first_id_of(before), limit as i64];
    let old: Vec<(MessageId, bool)> =
        rows::all(&mut *connection.prepare_cached(&sql)?, params, |row| Ok((rows::message_id(row, 0)?, row.get(1)?)))?;
    let sql = "UPDATE messages SET content = NULL WHERE account = ?1 AND id = ?2 AND content IS NOT NULL";
    let mut forget = connection.prepare_cached(sql)?;
    let mut forgotten = 0;
    for (id, _) in old.iter().filter(|(_, is_unfinished)| !is_unfinished) {
        forgotten += forget.execute(params![account.to_bytes(), id.to_bytes()])?;
    }
    // What is unfinished is looked at again; it is so for two days at most.
    let done = old.iter().take_while(|(_, is_unfinished)| !is_unfinished).last();
    if let Some((id, _)) = done {
        let sql = "INSERT INTO retention (account, message) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET message = excluded.message";
        connection.prepare_cached(sql)?.execute(params![account.to_bytes(), id.to_bytes()])?;
    }
    Ok(forgotten)
}

fn forget_messages(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = format!("SELECT id FROM messages m WHERE account = ?1 AND id < ?2 AND NOT {UNFINISHED} ORDER BY id LIMIT ?3");
    let params = params![account.to_bytes(), first_id_of(before), limit as i64];
    let old = rows::all(&mut *connection.prepare_cached(&sql)?, params, |row| rows::message_id(row, 0))?;
    for id in &old {
        for sql in [
            "DELETE FROM attempts WHERE account = ?1 AND message = ?2",
            "DELETE FROM reviews WHERE account = ?1 AND message = ?2",
            "DELETE FROM messages WHERE account = ?1 AND id = ?2",
        ] {
            connection.prepare_cached(sql)?.execute(params![account.to_bytes(), id.to_bytes()])?;
        }
    }
    Ok(old.len())
}

fn forget_events(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM policy_events WHERE account = ?1 AND at < ?2 AND seq IN
               (SELECT seq FROM policy_events WHERE account = ?1 ORDER BY seq LIMIT ?3)";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), before.as_millis(), limit as i64])
}
