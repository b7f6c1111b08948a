//! Contacts: people as sets of addresses, who of them may have opted out, and contacts that turn out to be one.
//!
//! A contact that became a part of another one keeps its row, which says of which, and mirrors that one's state: a start reads the row that
//! its message names.

use gatepost::{
    AccountId, Actor, Address, Addresses, Cause, ContactCard, ContactId, Gate, InboundId, Input, Mode, NewSuppression, Page, Suppression,
    SuppressionId, Suspicion, Timestamp, Words, may_start,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::accept::{add_contact, find_contact};
use crate::outbox::{self, OutboxEntry, entry_columns};
use crate::txn::Txn;
use crate::{deliver, rows, suppressions};

/// The contact with these addresses, which is `new` where none is known. Contacts that turn out to be one become the oldest of them, and
/// what waits is called back if one of them opted out.
pub(crate) fn know(
    txn: &mut Txn<'_>,
    account: AccountId,
    addresses: &Addresses,
    new: ContactId,
    now: Timestamp,
) -> rusqlite::Result<Option<ContactId>> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for address in addresses.iter().map(Address::text) {
        let found = find_contact(txn, account, &address, Mode::Live, new)?;
        if found.is_new { unknown.push(address) } else { known.push(found.id) }
    }
    known.sort_unstable();
    known.dedup();
    let mut unknown = unknown.into_iter();
    let contact = match known.first() {
        Some(contact) => *contact,
        None => {
            let Some(first) = unknown.next() else { return Ok(None) };
            add_contact(txn, account, new, &first)?;
            new
        }
    };
    for other in known.iter().skip(1) {
        merge(txn.connection, account, *other, contact)?;
    }
    for address in unknown {
        add_address(txn.connection, account, contact, &address)?;
    }
    if known.len() > 1 {
        suppressions::write_strictest(txn.connection, account, contact)?;
        call_back(txn, account, contact, now)?;
    }
    Ok(Some(contact))
}

fn add_address(connection: &Connection, account: AccountId, contact: ContactId, address: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO addresses (account, address, contact) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), address, contact.to_bytes()])?;
    let sql = "UPDATE contacts SET others = json_insert(coalesce(others, '[]'), '$[#]', ?3) WHERE account = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), contact.to_bytes(), address])?;
    Ok(())
}

/// Makes `other` a part of `contact`: its addresses, its suppressions, and how far it got with us.
fn merge(connection: &Connection, account: AccountId, other: ContactId, contact: ContactId) -> rusqlite::Result<()> {
    let moves = [
        "UPDATE addresses SET contact = ?3 WHERE account = ?1 AND address IN
             (SELECT address FROM contacts WHERE account = ?1 AND id = ?2
              UNION ALL SELECT j.value FROM contacts c, json_each(c.others) j WHERE c.account = ?1 AND c.id = ?2)",
        "UPDATE suppressions SET contact = ?3 WHERE account = ?1 AND contact = ?2",
        "INSERT INTO conversations (account, contact, instance, until)
             SELECT account, ?3, instance, until FROM conversations WHERE account = ?1 AND contact = ?2
             ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
        "DELETE FROM conversations WHERE account = ?1 AND contact = ?2 AND ?3 IS NOT NULL",
        "UPDATE contacts SET (suspected_by, suspected_at, window_until, name, named_at, others, live_tat, test_tat,
                              live_hour, live_print, test_hour, test_print) =
             (SELECT max(ifnull(contacts.suspected_by, o.suspected_by), ifnull(o.suspected_by, contacts.suspected_by)),
                     max(ifnull(contacts.suspected_at, o.suspected_at), ifnull(o.suspected_at, contacts.suspected_at)),
                     iif(contacts.window_until >= o.window_until OR o.window_until IS NULL, contacts.window_until, o.window_until),
                     iif(contacts.named_at >= o.named_at OR o.named_at IS NULL, contacts.name, o.name),
                     iif(contacts.named_at >= o.named_at OR o.named_at IS NULL, contacts.named_at, o.named_at),
                     (SELECT json_group_array(value) FROM
                         (SELECT value FROM json_each(coalesce(contacts.others, '[]')) UNION ALL SELECT o.address
                          UNION ALL SELECT value FROM json_each(coalesce(o.others, '[]')))),
                     max(contacts.live_tat, o.live_tat), max(contacts.test_tat, o.test_tat),
                     iif(contacts.live_hour >= o.live_hour OR o.live_hour IS NULL, contacts.live_hour, o.live_hour),
                     iif(contacts.live_hour >= o.live_hour OR o.live_hour IS NULL, contacts.live_print, o.live_print),
                     iif(contacts.test_hour >= o.test_hour OR o.test_hour IS NULL, contacts.test_hour, o.test_hour),
                     iif(contacts.test_hour >= o.test_hour OR o.test_hour IS NULL, contacts.test_print, o.test_print)
              FROM contacts o WHERE o.account = ?1 AND o.id = ?2)
             WHERE account = ?1 AND id = ?3",
        "UPDATE contacts SET merged_into = ?3, name = NULL, named_at = NULL WHERE account = ?1 AND (id = ?2 OR merged_into = ?2)",
    ];
    for sql in moves {
        connection.prepare_cached(sql)?.execute(params![account.to_bytes(), other.to_bytes(), contact.to_bytes()])?;
    }
    mirror(connection, account, contact)
}

/// Writes a contact's state onto the rows of those that became a part of it.
pub(crate) fn mirror(connection: &Connection, account: AccountId, contact: ContactId) -> rusqlite::Result<()> {
    let sql = "UPDATE contacts SET (suppressed_by, suppressed_at, suspected_by, suspected_at) =
                   (SELECT suppressed_by, suppressed_at, suspected_by, suspected_at FROM contacts WHERE account = ?1 AND id = ?2)
               WHERE account = ?1 AND merged_into = ?2";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), contact.to_bytes()])?;
    Ok(())
}

/// The contact that this one is by now.
pub(crate) fn present(connection: &Connection, account: AccountId, contact: ContactId) -> rusqlite::Result<ContactId> {
    let sql = "SELECT merged_into FROM contacts WHERE account = ?1 AND id = ?2 AND merged_into IS NOT NULL";
    let params = params![account.to_bytes(), contact.to_bytes()];
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| rows::contact_id(row, 0)).optional()?.unwrap_or(contact))
}

/// The addresses of the contact that this one is by now; the phone number first, where there is one.
pub(crate) fn addresses(connection: &Connection, account: AccountId, contact: ContactId) -> rusqlite::Result<Vec<Address>> {
    let contact = present(connection, account, contact)?;
    let sql = "SELECT address FROM contacts WHERE account = ?1 AND id = ?2
               UNION ALL SELECT j.value FROM contacts c, json_each(c.others) j WHERE c.account = ?1 AND c.id = ?2";
    let params = params![account.to_bytes(), contact.to_bytes()];
    let mut addresses = rows::all(&mut *connection.prepare_cached(sql)?, params, |row| rows::address(row, 0))?;
    addresses.sort_unstable();
    Ok(addresses)
}

/// What is known of the contact with this address.
pub(crate) fn card(connection: &Connection, account: AccountId, address: &Address) -> rusqlite::Result<Option<ContactCard>> {
    let sql = "SELECT c.id, c.name FROM addresses a JOIN contacts c ON c.account = a.account AND c.id = a.contact
               WHERE a.account = ?1 AND a.address = ?2";
    let read = |row: &rusqlite::Row<'_>| Ok((rows::contact_id(row, 0)?, row.get::<_, Option<String>>(1)?));
    let found = connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), address.text()], read).optional()?;
    let Some((id, name)) = found else { return Ok(None) };
    let addresses = addresses(connection, account, id)?.into_iter().collect();
    Ok(Some(ContactCard { id, name: name.map(Words::new), addresses }))
}

/// Notes what a contact called themself, unless a newer name is known.
pub(crate) fn call(connection: &Connection, account: AccountId, contact: ContactId, name: &Words, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE contacts SET name = ?3, named_at = ?4 WHERE account = ?1 AND id = ?2 AND (named_at IS NULL OR named_at <= ?4)";
    let params = params![account.to_bytes(), contact.to_bytes(), name.as_str(), at.as_millis()];
    connection.prepare_cached(sql)?.execute(params).map(drop)
}

/// What waits for a contact, and for those that became a part of it.
pub(crate) const WAITING: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o INDEXED BY outbox_messages_of_contact WHERE o.channel = 0 AND o.state < 2 AND o.account = ?1 AND o.contact IN
      (SELECT ?2 UNION ALL SELECT id FROM contacts WHERE account = ?1 AND merged_into = ?2)"
);

/// Ends or takes back what waits for a contact, where present facts ask for it: it is withdrawn for a suppression, and held for a suspicion.
pub(crate) fn call_back(txn: &mut Txn<'_>, account: AccountId, contact: ContactId, now: Timestamp) -> rusqlite::Result<()> {
    let params = params![account.to_bytes(), contact.to_bytes()];
    let waiting = rows::all(&mut *txn.connection.prepare_cached(WAITING)?, params, outbox::read)?;
    for found in outbox::readable(txn, waiting, now)? {
        // One that cannot be read keeps nobody from being left alone.
        outbox::or_park(txn, found.delivery, now, |txn| call_one_back(txn, &found, now))?;
    }
    Ok(())
}

fn call_one_back(txn: &mut Txn<'_>, found: &OutboxEntry, now: Timestamp) -> rusqlite::Result<()> {
    let Some(facts) = deliver::present_facts(txn, found)? else { return Ok(()) };
    let settled = match may_start(&facts) {
        Gate::Closed => deliver::advance(txn, found, &Input::Withdraw, now)?,
        Gate::Held => deliver::advance(txn, found, &Input::Hold, now)?,
        Gate::Open | Gate::Wait => None,
    };
    txn.note_called_back(settled);
    Ok(())
}

/// Has a person look at a contact who may have opted out, and holds what waits for them.
pub(crate) fn suspect(txn: &mut Txn<'_>, account: AccountId, contact: ContactId, by: InboundId, now: Timestamp) -> rusqlite::Result<()> {
    // Of two doubts the newest word counts, and its time.
    let sql = "UPDATE contacts SET suspected_by = max(ifnull(suspected_by, ?3), ?3), suspected_at = max(ifnull(suspected_at, ?4), ?4)
               WHERE account = ?1 AND id = ?2";
    let params = params![account.to_bytes(), contact.to_bytes(), by.to_bytes(), now.as_millis()];
    txn.connection.prepare_cached(sql)?.execute(params)?;
    mirror(txn.connection, account, contact)?;
    call_back(txn, account, contact, now)
}

/// What a contact said is understood now.
pub(crate) fn trust(connection: &Connection, account: AccountId, contact: ContactId) -> rusqlite::Result<()> {
    let sql = "UPDATE contacts SET suspected_by = NULL, suspected_at = NULL WHERE account = ?1 AND id = ?2 AND suspected_at IS NOT NULL";
    if connection.prepare_cached(sql)?.execute(params![account.to_bytes(), contact.to_bytes()])? > 0 {
        mirror(connection, account, contact)?;
    }
    Ok(())
}

pub(crate) const SUSPECTED: &str = "SELECT id, suspected_by, suspected_at FROM contacts INDEXED BY contacts_suspected
    WHERE account = ?1 AND id > ?2 AND suspected_at IS NOT NULL AND merged_into IS NULL ORDER BY id LIMIT ?3";

pub(crate) fn suspicions(connection: &Connection, account: AccountId, page: Page<ContactId>) -> rusqlite::Result<Vec<Suspicion>> {
    let after = page.after.map_or([0; 16], ContactId::to_bytes);
    let read = |row: &rusqlite::Row<'_>| Ok((rows::contact_id(row, 0)?, InboundId::from_bytes(row.get(1)?), rows::time(row, 2)?));
    let params = params![account.to_bytes(), after, page.limit as i64];
    let found = rows::all(&mut *connection.prepare_cached(SUSPECTED)?, params, read)?;
    let with_address = |(contact, inbound, since)| {
        let address = addresses(connection, account, contact)?.into_iter().next();
        Ok(address.map(|address| Suspicion { contact, address, inbound, since }))
    };
    found.into_iter().filter_map(|found| with_address(found).transpose()).collect()
}

/// The contact has written something newer that must be seen first.
pub(crate) struct NewerWord;

/// A person says whether a contact opted out.
pub(crate) fn answer(
    txn: &mut Txn<'_>,
    account: AccountId,
    (contact, seen): (ContactId, InboundId),
    opted_out: bool,
    by: Actor,
    now: Timestamp,
) -> rusqlite::Result<Result<Option<Suspicion>, NewerWord>> {
    let contact = present(txn.connection, account, contact)?;
    let sql = "SELECT suspected_by, suspected_at FROM contacts WHERE account = ?1 AND id = ?2 AND suspected_at IS NOT NULL";
    let read = |row: &rusqlite::Row<'_>| Ok((InboundId::from_bytes(row.get(0)?), rows::time(row, 1)?));
    let params = params![account.to_bytes(), contact.to_bytes()];
    let Some((inbound, since)) = txn.connection.prepare_cached(sql)?.query_row(params, read).optional()? else { return Ok(Ok(None)) };
    if inbound != seen {
        return Ok(Err(NewerWord));
    }
    let Some(address) = addresses(txn.connection, account, contact)?.into_iter().next() else { return Ok(Ok(None)) };
    trust(txn.connection, account, contact)?;
    if opted_out {
        let (id, address, cause) = (SuppressionId::of(inbound.to_bytes(), now), address.clone(), Cause::NaturalLanguage);
        suppressions::suppress(txn, account, NewSuppression { id, contact, address, cause, note: None, by, now })?;
    }
    Ok(Ok(Some(Suspicion { contact, address, inbound, since })))
}

/// Lifts what is in force and `lifts` says so of; what was lifted, the strictest first.
pub(crate) fn lift_all(
    connection: &Connection,
    account: AccountId,
    contact: ContactId,
    now: Timestamp,
    lifts: impl Fn(&Suppression) -> bool,
) -> rusqlite::Result<Vec<Suppression>> {
    let standing = suppressions::all_in_force(connection, account, contact)?;
    let lift = |standing: Suppression| suppressions::lift(connection, account, standing.id, Actor::Recipient, now).transpose();
    let lifted: rusqlite::Result<Vec<Suppression>> = standing.into_iter().filter(|standing| lifts(standing)).filter_map(lift).collect();
    let mut lifted = lifted?;
    lifted.sort_by_key(|suppression| std::cmp::Reverse(suppression.cause));
    Ok(lifted)
}
