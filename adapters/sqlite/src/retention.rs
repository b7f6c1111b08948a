//! Retention: what is older than its time is forgotten, in small batches from the oldest on.
//!
//! Rows are appended in the order of time, so the oldest have the lowest places. A mark says how far the job came, so that it never
//! looks at the same rows twice.

use gatepost::{Retention, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// What the gateway, a person or the provider may still change.
const UNFINISHED: &str = "(status IN ('held', 'queued', 'sending')
    OR EXISTS (SELECT 1 FROM outbox o WHERE o.state = 3 AND o.account = m.account AND o.message = m.id))";

/// Forgets at most `limit` rows of each kind; how many were forgotten.
pub(crate) fn retain(connection: &Connection, retention: Retention, limit: usize) -> rusqlite::Result<usize> {
    let contents = forget_contents(connection, retention.content_before, limit)?;
    let messages = forget_messages(connection, retention.logs_before, limit)?;
    let events = forget_events(connection, retention.logs_before, limit)?;
    Ok(contents + messages + events)
}

fn forget_contents(connection: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let mark = mark(connection, "content")?;
    let sql = "SELECT max(place), count(*) FROM
               (SELECT place FROM messages WHERE place > ?1 AND created_at < ?2 ORDER BY place LIMIT ?3)";
    let params = params![mark, before.as_millis(), limit as i64];
    let (last, seen): (Option<i64>, i64) = connection.prepare_cached(sql)?.query_row(params, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(last) = last else { return Ok(0) };
    let sql = format!("SELECT min(place) FROM messages m WHERE place > ?1 AND place <= ?2 AND {UNFINISHED}");
    let unfinished: Option<i64> = connection.prepare_cached(&sql)?.query_row(params![mark, last], |row| row.get(0))?;
    let sql = format!(
        "UPDATE messages AS m SET content = NULL
         WHERE place > ?1 AND place <= ?2 AND created_at < ?3 AND content IS NOT NULL AND NOT {UNFINISHED}"
    );
    let forgotten = connection.prepare_cached(&sql)?.execute(params![mark, last, before.as_millis()])?;
    // What is unfinished is looked at again; it is so for a day at most.
    set_mark(connection, "content", unfinished.map_or(last, |place| place - 1))?;
    Ok(if unfinished.is_some() { forgotten } else { usize::try_from(seen).unwrap_or(0) })
}

fn forget_messages(connection: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = format!(
        "SELECT place, account, id FROM (SELECT place, account, id, created_at, status FROM messages ORDER BY place LIMIT ?2) m
         WHERE created_at < ?1 AND NOT {UNFINISHED}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows: Vec<(i64, [u8; 16], [u8; 16])> = statement
        .query_map(params![before.as_millis(), limit as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (place, account, id) in &rows {
        for table in ["attempts", "reviews"] {
            connection
                .prepare_cached(&format!("DELETE FROM {table} WHERE account = ?1 AND message = ?2"))?
                .execute(params![account, id])?;
        }
        connection.prepare_cached("DELETE FROM messages WHERE place = ?1")?.execute([place])?;
    }
    Ok(rows.len())
}

fn forget_events(connection: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM policy_events WHERE place IN (SELECT place FROM policy_events ORDER BY place LIMIT ?2) AND at < ?1";
    connection.prepare_cached(sql)?.execute(params![before.as_millis(), limit as i64])
}

fn mark(connection: &Connection, kind: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT place FROM retention WHERE kind = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([kind], |row| row.get(0)).optional()?.unwrap_or(0))
}

fn set_mark(connection: &Connection, kind: &str, place: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO retention (kind, place) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET place = excluded.place";
    connection.prepare_cached(sql)?.execute(params![kind, place])?;
    Ok(())
}
