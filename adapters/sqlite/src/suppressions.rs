//! Suppressions: the list, and the strictest cause in force on the contact's own row, where every send reads it.

use gatepost::{
    AccountId, Actor, Cause, ContactId, Mode, NewSuppression, OptChange, Page, Suppression, SuppressionFilter, SuppressionId, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::accept::{add_contact, find_contact};
use crate::txn::Txn;
use crate::{contacts, events, rows, traffic};

/// Suppresses a contact; the suppression in force for the same cause is kept.
pub(crate) fn suppress(txn: &mut Txn<'_>, account: AccountId, new: NewSuppression) -> rusqlite::Result<Suppression> {
    let address = rows::address_text(&new.address);
    let contact = find_contact(txn, account, &address, Mode::Live, new.contact)?;
    if contact.is_new {
        add_contact(txn, account, contact.id, &address)?;
    }
    if let Some(standing) = in_force(txn.connection, account, contact.id, new.cause)? {
        return Ok(standing);
    }
    let suppression = add(txn, account, NewSuppression { contact: contact.id, ..new })?;
    if suppression.cause.is_own_wish() {
        let Suppression { id, ref address, cause: source, since: at, .. } = suppression;
        let change = OptChange { id: id.to_bytes(), instance: None, address, text: None, source, at };
        txn.part(|txn| events::tell_opt_change(txn, account, &change, true))?;
    }
    Ok(suppression)
}

/// Adds a suppression, and withdraws what waits, whatever else cannot be read.
pub(crate) fn add(txn: &mut Txn<'_>, account: AccountId, new: NewSuppression) -> rusqlite::Result<Suppression> {
    let NewSuppression { id, contact, address, cause, note, by, now } = new;
    let suppression = Suppression { id, contact, address, cause, note, since: now, by, lifted: None };
    if cause.is_opt_out() && !causes_in_force(txn.connection, account, contact)?.into_iter().any(Cause::is_opt_out) {
        txn.part(|txn| traffic::note_opt_out(txn, account, contact, now))?;
    }
    insert(txn.connection, account, &suppression)?;
    contacts::trust(txn.connection, account, contact)?;
    write_strictest(txn.connection, account, contact)?;
    contacts::call_back(txn, account, contact, now)?;
    Ok(suppression)
}

/// What is in force for a contact.
pub(crate) fn all_in_force(connection: &Connection, account: AccountId, contact: ContactId) -> rusqlite::Result<Vec<Suppression>> {
    let sql = format!("SELECT {} FROM suppressions WHERE account = ?1 AND contact = ?2 AND lifted_at IS NULL", rows::SUPPRESSION_COLUMNS);
    rows::all(&mut *connection.prepare_cached(&sql)?, params![account.to_bytes(), contact.to_bytes()], rows::suppression)
}

fn insert(connection: &Connection, account: AccountId, new: &Suppression) -> rusqlite::Result<()> {
    let sql = "INSERT INTO suppressions (account, id, contact, address, cause, note, since, by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        new.id.to_bytes(),
        new.contact.to_bytes(),
        rows::address_text(&new.address),
        new.cause.as_str(),
        new.note,
        new.since.as_millis(),
        new.by.to_string()
    ])?;
    Ok(())
}

fn in_force(connection: &Connection, account: AccountId, contact: ContactId, cause: Cause) -> rusqlite::Result<Option<Suppression>> {
    let columns = rows::SUPPRESSION_COLUMNS;
    let sql = format!("SELECT {columns} FROM suppressions WHERE account = ?1 AND contact = ?2 AND cause = ?3 AND lifted_at IS NULL");
    let params = params![account.to_bytes(), contact.to_bytes(), cause.as_str()];
    connection.prepare_cached(&sql)?.query_row(params, rows::suppression).optional()
}

/// Why a contact is suppressed.
pub(crate) fn causes_in_force(connection: &Connection, account: AccountId, contact: ContactId) -> rusqlite::Result<Vec<Cause>> {
    let sql = "SELECT cause FROM suppressions WHERE account = ?1 AND contact = ?2 AND lifted_at IS NULL";
    rows::all(&mut *connection.prepare_cached(sql)?, params![account.to_bytes(), contact.to_bytes()], |row| rows::word(row, 0))
}

/// Writes the strictest cause in force onto the contact's row.
pub(crate) fn write_strictest(connection: &Connection, account: AccountId, contact: ContactId) -> rusqlite::Result<()> {
    let sql = "SELECT cause, since FROM suppressions WHERE account = ?1 AND contact = ?2 AND lifted_at IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let params = params![account.to_bytes(), contact.to_bytes()];
    let causes: Vec<(Cause, Timestamp)> = rows::all(&mut statement, params, |row| Ok((rows::word(row, 0)?, rows::time(row, 1)?)))?;
    let strictest = causes.into_iter().max_by_key(|(cause, _)| *cause);
    let sql = "UPDATE contacts SET suppressed_by = ?3, suppressed_at = ?4 WHERE account = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        contact.to_bytes(),
        strictest.map(|(cause, _)| cause.as_str()),
        strictest.map(|(_, since)| since.as_millis())
    ])?;
    contacts::mirror(connection, account, contact)
}

/// Lifts a suppression, unless it was lifted before; the suppression as it is then.
pub(crate) fn lift(
    connection: &Connection,
    account: AccountId,
    id: SuppressionId,
    by: Actor,
    now: Timestamp,
) -> rusqlite::Result<Option<Suppression>> {
    let sql = format!("SELECT {} FROM suppressions WHERE account = ?1 AND id = ?2", rows::SUPPRESSION_COLUMNS);
    let found = connection.prepare_cached(&sql)?.query_row(params![account.to_bytes(), id.to_bytes()], rows::suppression).optional()?;
    let Some(mut found) = found else { return Ok(None) };
    if found.lifted.is_none() {
        let sql = "UPDATE suppressions SET lifted_at = ?3, lifted_by = ?4 WHERE account = ?1 AND id = ?2";
        connection.prepare_cached(sql)?.execute(params![account.to_bytes(), id.to_bytes(), now.as_millis(), by.to_string()])?;
        write_strictest(connection, account, found.contact)?;
        found.lifted = Some((by, now));
    }
    Ok(Some(found))
}

pub(crate) fn list(
    connection: &Connection,
    account: AccountId,
    filter: SuppressionFilter,
    page: Page<SuppressionId>,
) -> rusqlite::Result<Vec<Suppression>> {
    let columns = rows::SUPPRESSION_COLUMNS;
    let before = page.after.map_or([0xff; 16], SuppressionId::to_bytes);
    let in_force = "(NOT ?3 OR lifted_at IS NULL) ORDER BY id DESC LIMIT ?4";
    let Some(address) = filter.address.map(|address| rows::address_text(&address)) else {
        let sql = format!("SELECT {columns} FROM suppressions WHERE account = ?1 AND id < ?2 AND {in_force}");
        let params = params![account.to_bytes(), before, filter.in_force, page.limit as i64];
        return rows::all(&mut *connection.prepare_cached(&sql)?, params, rows::suppression);
    };
    // Those of one contact are few, however long the list is.
    let sql = format!(
        "SELECT {columns} FROM suppressions INDEXED BY suppressions_of_contact WHERE account = ?1 AND id < ?2
         AND contact = (SELECT contact FROM addresses WHERE account = ?1 AND address = ?5) AND {in_force}"
    );
    let params = params![account.to_bytes(), before, filter.in_force, page.limit as i64, address];
    rows::all(&mut *connection.prepare_cached(&sql)?, params, rows::suppression)
}
