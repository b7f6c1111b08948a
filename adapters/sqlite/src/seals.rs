//! Seals: the segments of the policy event log that were closed, and whose turn it is to close more.

use gatepost::{AccountId, Dropped, Page, RowDigest, Seal, SealDigest, Segment, StoredSeal, Timestamp, Unsealed};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::policy_events::{bytes, place};
use crate::rows::{self, signed};

pub(crate) fn lease(connection: &Connection, holder: [u8; 16], until: Timestamp, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO sealing (id, holder, until) VALUES (1, ?1, ?2)
               ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until
               WHERE holder = excluded.holder OR until <= ?3";
    Ok(connection.prepare_cached(sql)?.execute(params![holder, until.as_millis(), now.as_millis()])? > 0)
}

pub(crate) const UNSEALED: &str = "SELECT a.id, e.seq, e.at, a.last_seq FROM accounts a
    JOIN policy_events e ON e.account = a.id AND e.seq =
        (SELECT min(seq) FROM policy_events n WHERE n.account = a.id AND n.seq >
            coalesce((SELECT s.last FROM seals s WHERE s.account = a.id ORDER BY s.number DESC LIMIT 1), 0))
    WHERE a.id > ?1 ORDER BY a.id LIMIT ?2";

pub(crate) fn unsealed(connection: &Connection, after: Option<AccountId>, limit: usize) -> rusqlite::Result<Vec<Unsealed>> {
    // No account has the id of no bytes, and every id is behind it.
    let after = after.map(|after| after.to_bytes().to_vec()).unwrap_or_default();
    rows::all(&mut *connection.prepare_cached(UNSEALED)?, params![after, limit as i64], |row| {
        Ok(Unsealed { account: rows::account_id(row, 0)?, first: place(row, 1)?, since: rows::time(row, 2)?, last: place(row, 3)? })
    })
}

/// Keeps a segment, if it follows the last one of its account.
pub(crate) fn seal(connection: &Connection, segment: &Segment) -> rusqlite::Result<bool> {
    let Segment { seal, rows } = segment;
    if !follows(connection, seal)? {
        return Ok(false);
    }
    let sql = "INSERT INTO seals (account, number, first, last, newest_at, rows, previous, root, sealed_at, digest, row_digests)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM accounts WHERE id = ?1";
    let inserted = connection.prepare_cached(sql)?.execute(params![
        seal.account.to_bytes(),
        signed(seal.number),
        signed(seal.first),
        signed(seal.last),
        seal.newest_at.as_millis(),
        seal.rows,
        seal.previous.to_bytes(),
        seal.root,
        seal.sealed_at.as_millis(),
        seal.digest.to_bytes(),
        RowDigest::to_bytes(rows)
    ])?;
    Ok(inserted > 0)
}

fn follows(connection: &Connection, seal: &Seal) -> rusqlite::Result<bool> {
    let last = last(connection, seal.account)?;
    let (number, place, digest) = match last {
        None => (0, 0, SealDigest::NONE),
        Some(StoredSeal { seal: Some(last), .. }) => (last.number, last.last, last.digest),
        Some(_) => return Ok(false),
    };
    Ok(seal.number == number + 1 && seal.first == place + 1 && seal.previous == digest)
}

const COLUMNS: &str =
    "number, first, last, newest_at, rows, previous, root, sealed_at, digest, dropped_at, dropped_digest, row_digests, account";

pub(crate) fn list(connection: &Connection, account: AccountId, page: Page<u64>) -> rusqlite::Result<Vec<StoredSeal>> {
    let sql = format!("SELECT {COLUMNS} FROM seals WHERE account = ?1 AND number > ?2 ORDER BY number LIMIT ?3");
    let after = page.after.map_or(i64::MIN, signed);
    rows::all(&mut *connection.prepare_cached(&sql)?, params![account.to_bytes(), after, page.limit as i64], stored)
}

pub(crate) fn last(connection: &Connection, account: AccountId) -> rusqlite::Result<Option<StoredSeal>> {
    let sql = format!("SELECT {COLUMNS} FROM seals WHERE account = ?1 ORDER BY number DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([account.to_bytes()], stored).optional()
}

pub(crate) const OLD: &str = "SELECT account, number FROM seals WHERE dropped_at IS NULL AND newest_at < ?1
    ORDER BY newest_at, account, number LIMIT ?3 OFFSET ?2";

pub(crate) fn old(connection: &Connection, before: Timestamp, skip: usize, limit: usize) -> rusqlite::Result<Vec<(AccountId, StoredSeal)>> {
    let sql = format!("SELECT {COLUMNS} FROM seals WHERE account = ?1 AND number = ?2");
    let mut find = connection.prepare_cached(&sql)?;
    let params = params![before.as_millis(), skip as i64, limit as i64];
    let places = rows::all(&mut *connection.prepare_cached(OLD)?, params, |row| Ok((rows::account_id(row, 0)?, row.get::<_, i64>(1)?)))?;
    let read = |(account, number): (AccountId, i64)| Ok((account, find.query_row(params![account.to_bytes(), number], stored)?));
    places.into_iter().map(read).collect()
}

/// Deletes the events of a segment; how many.
pub(crate) fn drop_segment(connection: &Connection, account: AccountId, number: u64, dropped: Dropped) -> rusqlite::Result<usize> {
    let sql = "UPDATE seals SET dropped_at = ?3, dropped_digest = ?4, row_digests = x''
               WHERE account = ?1 AND number = ?2 AND dropped_at IS NULL RETURNING first, last";
    let params = params![account.to_bytes(), signed(number), dropped.at.as_millis(), dropped.digest.to_bytes()];
    let places: Option<(i64, i64)> = connection.prepare_cached(sql)?.query_row(params, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((first, last)) = places else { return Ok(0) };
    let sql = "DELETE FROM policy_events WHERE account = ?1 AND seq BETWEEN ?2 AND ?3";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), first, last])
}

/// The numbers of the keyring's roots that made seals, found one behind the other: there are many seals, and few roots.
pub(crate) const ROOTS: &str = "WITH RECURSIVE named (root) AS (
    SELECT min(root) FROM seals UNION ALL
    SELECT (SELECT min(s.root) FROM seals s WHERE s.root > named.root) FROM named WHERE named.root IS NOT NULL)
    SELECT root FROM named WHERE root IS NOT NULL";

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredSeal> {
    Ok(StoredSeal { number: place(row, 0)?, seal: read(row), row_digests: bytes(row, 11)?.unwrap_or_default() })
}

/// The seal; `None` where a column holds what none of a seal does.
fn read(row: &Row<'_>) -> Option<Seal> {
    let digest = |column| row.get(column).map(SealDigest::from_bytes).ok();
    Some(Seal {
        account: rows::account_id(row, 12).ok()?,
        number: rows::count(row, 0).ok()?,
        first: rows::count(row, 1).ok()?,
        last: rows::count(row, 2).ok()?,
        newest_at: rows::time(row, 3).ok()?,
        rows: row.get(4).ok()?,
        previous: digest(5)?,
        root: row.get(6).ok()?,
        sealed_at: rows::time(row, 7).ok()?,
        digest: digest(8)?,
        dropped: dropped(row)?,
    })
}

fn dropped(row: &Row<'_>) -> Option<Option<Dropped>> {
    match rows::time_or_none(row, 9).ok()? {
        None => Some(None),
        Some(at) => Some(Some(Dropped { at, digest: row.get(10).map(SealDigest::from_bytes).ok()? })),
    }
}
