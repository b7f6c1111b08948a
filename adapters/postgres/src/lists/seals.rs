//! The policy event log as it is sealed, and the seals. They are shown as they stand there, also where they cannot be right: whoever looks
//! whether something was changed must see it.

use std::collections::BTreeMap;

use gatepost::{AccountId, EventRow, Page, StoreError, StoredSeal, Timestamp, Unsealed};
use gatepost_rows::cells::{Cell, Key, Reader, Row};
use gatepost_rows::tables::policy_events::POLICY_EVENTS;
use gatepost_rows::tables::seals::{SEALS as TABLE, read_seal};

use super::statements::{EVENT_ROWS, LAST_SEAL, OLD_SEALS, SEALS, SEALS_FOUND, UNSEALED};
use super::{Query, Whose, given, limit, of_all, rows_of, seek, whose};
use crate::connect::Database;
use crate::load::cell;

/// A page of the log as it is sealed, oldest first.
pub(crate) async fn event_rows(database: &Database, account: AccountId, page: Page<u64>) -> Result<Vec<EventRow>, StoreError> {
    let rows = rows(database, account, EVENT_ROWS.with(given![behind(&page), limit(&page)])).await?;
    Ok(rows.iter().map(event_row).collect())
}

fn event_row(row: &Row) -> EventRow {
    let cell = |column| cell(&POLICY_EVENTS, row, column);
    EventRow {
        seq: place(cell("seq")),
        at: Timestamp::from_millis(if let Cell::Int(at) = cell("at") { *at } else { 0 }),
        message: bytes(cell("message")),
        instance: bytes(cell("instance")).unwrap_or_default(),
        contact: bytes(cell("contact")).unwrap_or_default(),
        verdict: bytes(cell("verdict")).unwrap_or_default(),
        body: bytes(cell("body")).unwrap_or_default(),
    }
}

/// A page of the seals, oldest first.
pub(crate) async fn list(database: &Database, account: AccountId, page: Page<u64>) -> Result<Vec<StoredSeal>, StoreError> {
    stored(database, account, SEALS.with(given![behind(&page), limit(&page)])).await
}

/// The newest seal.
pub(crate) async fn last(database: &Database, account: AccountId) -> Result<Option<StoredSeal>, StoreError> {
    Ok(stored(database, account, LAST_SEAL.with(given![])).await?.pop())
}

async fn stored(database: &Database, account: AccountId, query: Query) -> Result<Vec<StoredSeal>, StoreError> {
    let rows = rows(database, account, query).await?;
    Ok(rows.iter().map(|row| stored_seal(account, row)).collect())
}

fn stored_seal(account: AccountId, row: &Row) -> StoredSeal {
    let read = || {
        let mut reader = Reader::new(&TABLE, row).ok()?;
        reader.pass();
        read_seal(account, &mut reader).ok()
    };
    StoredSeal {
        number: place(cell(&TABLE, row, "number")),
        seal: read().map(|(seal, _)| seal),
        row_digests: bytes(cell(&TABLE, row, "row_digests")).unwrap_or_default(),
    }
}

/// The accounts, behind `after`, whose log is not sealed to its end.
pub(crate) async fn unsealed(database: &Database, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError> {
    // No account has the id of no bytes, and every id is behind it.
    let after = after.map_or_else(Cell::no_bytes, Cell::from);
    let found = seek(database, &UNSEALED, given![after, Cell::count(limit as u64)]).await?;
    let mut unsealed = Vec::with_capacity(found.len());
    for row in &found {
        if let (Whose::Account(account), [_, first, Cell::Int(since), last]) = (whose(row)?, row.as_slice()) {
            let since = Timestamp::from_millis(*since);
            unsealed.push(Unsealed { account, first: place(first), since, last: place(last) });
        }
    }
    Ok(unsealed)
}

/// Segments of all accounts that were closed before a time and still have their rows.
pub(crate) async fn old(
    database: &Database,
    before: Timestamp,
    skip: usize,
    limit: usize,
) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
    let given = given![before, Cell::count(skip as u64), Cell::count(limit as u64)];
    let (found, rows) = of_all(database, &OLD_SEALS, given, &SEALS_FOUND).await?;
    let by_key: BTreeMap<Key, &Row> = rows.iter().map(|row| (TABLE.key_of(row), row)).collect();
    let mut old = Vec::with_capacity(found.len());
    for key in &found {
        if let (Whose::Account(account), Some(row)) = (whose(key)?, by_key.get(key)) {
            old.push((account, stored_seal(account, row)));
        }
    }
    Ok(old)
}

async fn rows(database: &Database, account: AccountId, query: Query) -> Result<Vec<Row>, StoreError> {
    Ok(rows_of(database, &Whose::Account(account), &[query]).await?.concat())
}

/// What lies before the first of a page.
fn behind(page: &Page<u64>) -> Cell {
    page.after.map_or(Cell::Int(i64::MIN), Cell::count)
}

/// A place, or 0 for one that cannot be.
fn place(cell: &Cell) -> u64 {
    if let Cell::Int(number) = cell { u64::try_from(*number).unwrap_or(0) } else { 0 }
}

/// What stands there, be it text or not.
fn bytes(cell: &Cell) -> Option<Vec<u8>> {
    match cell {
        Cell::Text(text) => Some(text.clone().into_bytes()),
        Cell::Bytes(bytes) => Some(bytes.to_vec()),
        Cell::Null | Cell::Int(_) => None,
    }
}
