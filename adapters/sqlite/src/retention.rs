//! Retention: what is older than its time is forgotten, in small batches from the oldest on, account after account.
//!
//! Ids grow with time, so that what is older than a time lies before the first id of that time. A mark for each account says how far the job
//! came with its texts, so that it never looks at the same messages twice.

use gatepost::{AccountId, Retention, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows::{self, first_id_of};
use crate::{integrations, traffic};

/// What the gateway, a person or the provider may still change. What was parked waits for nobody but a person, and not for ever.
const UNFINISHED: &str = "(status IN ('held', 'queued', 'sending')
    OR EXISTS (SELECT 1 FROM outbox o WHERE o.delivery = m.delivery AND o.state <> 4))";

/// What came in and is not heeded yet. What was parked is never heeded.
const UNHEEDED: &str = "EXISTS (SELECT 1 FROM outbox o WHERE o.delivery = m.delivery AND o.state <> 4)";

/// Forgets at most `limit` rows of each kind; how many were forgotten.
pub(crate) fn retain(connection: &Connection, retention: Retention, limit: usize) -> rusqlite::Result<usize> {
    let Retention { content_before, logs_before, raw_before, now } = retention;
    let kinds: [(Forget, Timestamp); 10] = [
        (forget_contents, content_before),
        (forget_fields, content_before),
        (forget_messages, logs_before),
        (forget_deliveries, logs_before),
        (forget_events, logs_before),
        (forget_recoveries, logs_before),
        (forget_words, content_before),
        (forget_inbound, logs_before),
        (forget_notifications, logs_before),
        (forget_bodies, raw_before),
    ];
    let accounts = rows::all(&mut *connection.prepare_cached("SELECT id FROM accounts")?, [], |row| rows::account_id(row, 0))?;
    let keys = forget_inbound_keys(connection, raw_before, limit)?;
    let entries = integrations::forget(connection, logs_before, limit)?;
    let counts = traffic::forget(connection, &accounts, now, limit)?;
    kinds
        .into_iter()
        .try_fold(keys + entries + counts, |sum, (forget, before)| Ok(sum + forget_kind(connection, &accounts, forget, before, limit)?))
}

/// Forgets at most so many rows of one kind that are older than this; how many it were.
type Forget = fn(&Connection, AccountId, Timestamp, usize) -> rusqlite::Result<usize>;

fn forget_kind(
    connection: &Connection,
    accounts: &[AccountId],
    forget: Forget,
    before: Timestamp,
    limit: usize,
) -> rusqlite::Result<usize> {
    accounts.iter().try_fold(0, |forgotten, account| Ok(forgotten + forget(connection, *account, before, limit - forgotten)?))
}

fn forget_contents(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let part = Part { table: "messages", columns: &["content"], mark: "message", unfinished: UNFINISHED };
    clear(connection, account, before, limit, &part)
}

fn forget_messages(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = format!("SELECT id FROM messages m WHERE account = ?1 AND id < ?2 AND NOT {UNFINISHED} ORDER BY id LIMIT ?3");
    let with_each = [
        "DELETE FROM attempts WHERE account = ?1 AND message = ?2",
        "DELETE FROM reviews WHERE account = ?1 AND message = ?2",
        "DELETE FROM outbox WHERE delivery = (SELECT delivery FROM messages WHERE account = ?1 AND id = ?2)",
        "DELETE FROM external_ids WHERE message = ?2 AND (account, instance, external_id) =
             (SELECT account, instance, external_id FROM messages WHERE account = ?1 AND id = ?2)",
        "DELETE FROM messages WHERE account = ?1 AND id = ?2",
    ];
    delete(connection, account, before, limit, &sql, &with_each)
}

/// Deletes what the query finds, and what belongs to each; how many it were.
fn delete(
    connection: &Connection,
    account: AccountId,
    before: Timestamp,
    limit: usize,
    query: &str,
    with_each: &[&str],
) -> rusqlite::Result<usize> {
    let params = params![account.to_bytes(), first_id_of(before), limit as i64];
    let old: Vec<[u8; 16]> = rows::all(&mut *connection.prepare_cached(query)?, params, |row| row.get(0))?;
    for (id, sql) in old.iter().flat_map(|id| with_each.iter().map(move |sql| (id, sql))) {
        connection.prepare_cached(sql)?.execute(params![account.to_bytes(), id])?;
    }
    Ok(old.len())
}

/// Forgets what events said, also of those that are still to be delivered: what is left of them is skipped.
fn forget_fields(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    clear(connection, account, before, limit, &Part { table: "events", columns: &["fields"], mark: "event", unfinished: "FALSE" })
}

/// Forgets what contacts said, but not that they did.
fn forget_words(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let part = Part { table: "inbound", columns: &["words", "detail"], mark: "inbound", unfinished: UNHEEDED };
    clear(connection, account, before, limit, &part)
}

/// Forgets the bytes that providers posted.
fn forget_bodies(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    clear(connection, account, before, limit, &Part { table: "notifications", columns: &["body"], mark: "raw", unfinished: "FALSE" })
}

/// The columns of a table that are forgotten before their row.
struct Part {
    table: &'static str,
    columns: &'static [&'static str],
    /// Says how far that came.
    mark: &'static str,
    /// Of which rows it is still needed.
    unfinished: &'static str,
}

impl Part {
    /// Whether a row has something to forget.
    fn is_there(&self) -> String {
        let each: Vec<String> = self.columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
        format!("({})", each.join(" OR "))
    }

    /// The row without it.
    fn emptied(&self) -> String {
        let each: Vec<String> = self.columns.iter().map(|column| format!("{column} = NULL")).collect();
        each.join(", ")
    }
}

fn clear(connection: &Connection, account: AccountId, before: Timestamp, limit: usize, part: &Part) -> rusqlite::Result<usize> {
    let Part { table, mark, unfinished, .. } = part;
    let (is_there, emptied) = (part.is_there(), part.emptied());
    let sql = format!("SELECT {mark} FROM retention WHERE account = ?1 AND {mark} IS NOT NULL");
    let after: Option<[u8; 16]> = connection.prepare_cached(&sql)?.query_row([account.to_bytes()], |row| row.get(0)).optional()?;
    let after = after.unwrap_or_default();
    let sql = format!(
        "SELECT id FROM {table} m WHERE account = ?1 AND id > ?2 AND id < ?3 AND {is_there} AND NOT {unfinished} ORDER BY id LIMIT ?4"
    );
    let params = params![account.to_bytes(), after, first_id_of(before), limit as i64];
    let old: Vec<[u8; 16]> = rows::all(&mut *connection.prepare_cached(&sql)?, params, |row| row.get(0))?;
    let mut forget = connection.prepare_cached(&format!("UPDATE {table} SET {emptied} WHERE account = ?1 AND id = ?2"))?;
    for id in &old {
        forget.execute(params![account.to_bytes(), id])?;
    }
    // What has nothing there is not looked at again either.
    let end = if old.len() < limit { Some(first_id_of(before)) } else { old.last().copied() };
    move_mark(connection, account, after, end, part)?;
    Ok(old.len())
}

/// Moves the mark to where the job came, but over none that is still to forget: what was unfinished is looked at again.
fn move_mark(connection: &Connection, account: AccountId, after: [u8; 16], end: Option<[u8; 16]>, part: &Part) -> rusqlite::Result<()> {
    let (Part { table, mark, .. }, is_there) = (part, part.is_there());
    let Some(end) = end.filter(|end| *end > after) else { return Ok(()) };
    let sql = format!("SELECT id FROM {table} WHERE account = ?1 AND id > ?2 AND id < ?3 AND {is_there} ORDER BY id LIMIT 1");
    let params = params![account.to_bytes(), after, end];
    let left: Option<[u8; 16]> = connection.prepare_cached(&sql)?.query_row(params, |row| row.get(0)).optional()?;
    let moved = left.map_or(end, |left| u128::from_be_bytes(left).saturating_sub(1).to_be_bytes());
    if moved > after {
        let sql = format!("INSERT INTO retention (account, {mark}) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET {mark} = excluded.{mark}");
        connection.prepare_cached(&sql)?.execute(params![account.to_bytes(), moved])?;
    }
    Ok(())
}

fn forget_inbound(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = format!("SELECT id FROM inbound m WHERE account = ?1 AND id < ?2 AND NOT {UNHEEDED} ORDER BY id LIMIT ?3");
    let with_each = [
        "DELETE FROM outbox WHERE delivery = (SELECT delivery FROM inbound WHERE account = ?1 AND id = ?2)",
        "DELETE FROM inbound WHERE account = ?1 AND id = ?2",
    ];
    delete(connection, account, before, limit, &sql, &with_each)
}

fn forget_notifications(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "SELECT id FROM notifications WHERE account = ?1 AND id < ?2 ORDER BY id LIMIT ?3";
    delete(connection, account, before, limit, sql, &["DELETE FROM notifications WHERE account = ?1 AND id = ?2"])
}

pub(crate) const OLD_INBOUND_KEYS: &str = "DELETE FROM inbound_keys WHERE (account, key) IN
    (SELECT account, key FROM inbound_keys WHERE told_at < ?1 ORDER BY told_at LIMIT ?2)";

/// Forgets what was told, of all accounts: later nobody repeats it.
fn forget_inbound_keys(connection: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    connection.prepare_cached(OLD_INBOUND_KEYS)?.execute(params![before.as_millis(), limit as i64])
}

fn forget_deliveries(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "SELECT id FROM event_deliveries d WHERE account = ?1 AND id < ?2
               AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.delivery = d.id AND o.state <> 4) ORDER BY id LIMIT ?3";
    let with_each = [
        "DELETE FROM outbox WHERE delivery = ?2",
        "DELETE FROM delivery_attempts WHERE account = ?1 AND delivery = ?2",
        "DELETE FROM event_deliveries WHERE account = ?1 AND id = ?2",
    ];
    delete(connection, account, before, limit, sql, &with_each)
}

/// Events that the log does not name any more: neither their first deliveries, which are as old as they are, nor a repetition.
pub(crate) const UNNAMED_EVENTS: &str = "SELECT id FROM events e WHERE account = ?1 AND id < ?2
    AND NOT EXISTS (SELECT 1 FROM event_deliveries d WHERE d.account = e.account AND d.event = e.id
                    AND d.id >= unhex(printf('%012x', e.occurred_at)) AND d.id < unhex(printf('%012x', e.occurred_at + 1)))
    AND NOT EXISTS (SELECT 1 FROM event_deliveries d INDEXED BY event_deliveries_repeated
                    WHERE d.account = e.account AND d.event = e.id AND d.replay IS NOT NULL)
    ORDER BY id LIMIT ?3";

fn forget_events(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    delete(connection, account, before, limit, UNNAMED_EVENTS, &["DELETE FROM events WHERE account = ?1 AND id = ?2"])
}

fn forget_recoveries(connection: &Connection, account: AccountId, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "SELECT id FROM recoveries WHERE account = ?1 AND id < ?2 AND (done_at IS NOT NULL OR canceled_at IS NOT NULL)
               ORDER BY id LIMIT ?3";
    delete(connection, account, before, limit, sql, &["DELETE FROM recoveries WHERE account = ?1 AND id = ?2"])
}
