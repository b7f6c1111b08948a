//! Integrations: phone systems, and the log of what they said and were told.
//!
//! An entry of what came in is written twice: before anything is done about it, and once it is known what became of it. One of what goes out is
//! written with its delivery, and read together with it.

use gatepost::{
    AccountId, CallDetails, Conclusion, DeliveryId, DeliveryStatus, Direction, EndpointId, Entered, EntryKey, EntryOutcome, EventName,
    INTEGRATION_RATE, INTEGRATIONS_MAX, Integration, IntegrationChange, IntegrationEntry, IntegrationEntryFilter, IntegrationId, MessageId,
    NewIntegrationEntry, Page, Phone, REPEAT_TIME, Tat, Timestamp, Topic,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::accounts::Changed;
use crate::deliveries::Post;
use crate::events;
use crate::rows::{self, corrupt, signed, to_json};
use crate::txn::{AccountEntry, Txn};

const COLUMNS: &str = "id, name, enabled, instance, settings, secrets, endpoint, revision, removed_at, created_at";

fn integration(row: &Row<'_>) -> rusqlite::Result<Integration> {
    Ok(Integration {
        id: id(row, 0)?,
        name: rows::word(row, 1)?,
        enabled: row.get(2)?,
        instance: rows::instance_id(row, 3)?,
        settings: rows::word(row, 4)?,
        secrets: rows::sealed(row, 5)?,
        endpoint: row.get::<_, Option<[u8; 16]>>(6)?.map(EndpointId::from_bytes),
        revision: row.get(7)?,
        removed_at: rows::time_or_none(row, 8)?,
        created_at: rows::time(row, 9)?,
    })
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<IntegrationId> {
    id_or_none(row, column)?.ok_or_else(|| corrupt(column, "no id of an integration"))
}

/// An id as it stands in a column.
pub(crate) fn number(id: IntegrationId) -> i64 {
    signed(id.number())
}

pub(crate) fn id_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<IntegrationId>> {
    let Some(number) = row.get::<_, Option<i64>>(column)? else { return Ok(None) };
    let id = u64::try_from(number).ok().and_then(IntegrationId::from_number);
    id.map(Some).ok_or_else(|| corrupt(column, "no id of an integration"))
}

/// Adds an integration; `false` where the account has as many as it may have, or the id is taken.
pub(crate) fn add(connection: &Connection, account: AccountId, integration: &Integration) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM integrations WHERE account = ?1 AND removed_at IS NULL";
    let present = connection.prepare_cached(sql)?.query_row([account.to_bytes()], |row| rows::count(row, 0))?;
    if present >= INTEGRATIONS_MAX as u64 {
        return Ok(false);
    }
    let sql =
        "INSERT INTO integrations (account, id, name, enabled, instance, settings, secrets, secrets_root, endpoint, revision, removed_at,
               created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING";
    Ok(write(connection, sql, account, integration)? > 0)
}

/// Binds the columns of an integration, `account` and `id` first, `created_at` last.
fn write(connection: &Connection, sql: &str, account: AccountId, integration: &Integration) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        number(integration.id),
        integration.name.as_str(),
        integration.enabled,
        integration.instance.to_bytes(),
        integration.settings.as_json(),
        integration.secrets.to_bytes(),
        integration.secrets.root(),
        integration.endpoint.map(EndpointId::to_bytes),
        integration.revision,
        integration.removed_at.map(Timestamp::as_millis),
        integration.created_at.as_millis()
    ])
}

/// All that are not removed, oldest first.
pub(crate) fn list(connection: &Connection, account: AccountId) -> rusqlite::Result<Vec<Integration>> {
    let sql = format!("SELECT {COLUMNS} FROM integrations WHERE account = ?1 AND removed_at IS NULL ORDER BY created_at, id");
    rows::all(&mut *connection.prepare_cached(&sql)?, [account.to_bytes()], integration)
}

pub(crate) fn find(connection: &Connection, account: AccountId, id: IntegrationId) -> rusqlite::Result<Option<Integration>> {
    let sql = format!("SELECT {COLUMNS} FROM integrations WHERE account = ?1 AND id = ?2");
    connection.prepare_cached(&sql)?.query_row(params![account.to_bytes(), number(id)], integration).optional()
}

/// One of whatever account.
pub(crate) fn of_any(connection: &Connection, id: IntegrationId) -> rusqlite::Result<Option<(AccountId, Integration)>> {
    let sql = format!("SELECT {COLUMNS}, account FROM integrations WHERE id = ?1");
    let with_account = |row: &Row<'_>| Ok((rows::account_id(row, 10)?, integration(row)?));
    connection.prepare_cached(&sql)?.query_row([number(id)], with_account).optional()
}

pub(crate) fn change(
    connection: &Connection,
    account: AccountId,
    id: IntegrationId,
    change: IntegrationChange,
) -> rusqlite::Result<Changed<Integration>> {
    let found = find(connection, account, id)?.filter(|integration| integration.removed_at.is_none());
    let Some(mut integration) = found else { return Ok(Ok(None)) };
    if let Err(conflict) = change.apply(&mut integration) {
        return Ok(Err(conflict));
    }
    let sql =
        "UPDATE integrations SET name = ?3, enabled = ?4, instance = ?5, settings = ?6, secrets = ?7, secrets_root = ?8, endpoint = ?9,
               revision = ?10, removed_at = ?11, created_at = ?12 WHERE account = ?1 AND id = ?2";
    write(connection, sql, account, &integration)?;
    Ok(Ok(Some(integration)))
}

/// Writes down what a phone system said.
pub(crate) fn enter(txn: &mut Txn<'_>, account: AccountId, new: &NewIntegrationEntry) -> rusqlite::Result<Entered> {
    let found = find(txn.connection, account, new.integration)?.filter(|integration| integration.removed_at.is_none());
    let Some(integration) = found else { return Ok(Entered::Unknown) };
    if let Some((known, key_until)) = same_entry(txn.connection, account, new)? {
        if key_until.is_none_or(|until| new.at < until) {
            hold_key(txn.connection, account, known, new.at.plus(REPEAT_TIME))?;
            return Ok(Entered::Repeated(known));
        }
        forget_key(txn.connection, account, known)?;
    }
    if let Err(retry_at) = take_of_rate(txn.connection, account, new)? {
        return Ok(Entered::TooOften(retry_at));
    }
    let seq = next_entry(txn, account)?;
    let NewIntegrationEntry { kind, phone, details, key, at, .. } = new;
    let entry =
        Entry { account, seq, integration: new.integration, direction: Direction::In, kind, phone: *phone, delivery: None, at: *at };
    entry.insert(txn.connection, details, EntryOutcome::Received, key.as_ref())?;
    if new.is_told
        && let Some(instance) = txn.instance(account, integration.instance)?
    {
        let topic = Topic::new(EventName::ThreecxEventReceived, Some(instance.id));
        events::tell(txn, account, &topic, || Some(new.event(seq, (instance.id, &instance.name))))?;
    }
    Ok(Entered::New(seq))
}

/// The entry of the same key, and until when that holds.
fn same_entry(
    connection: &Connection,
    account: AccountId,
    new: &NewIntegrationEntry,
) -> rusqlite::Result<Option<(u64, Option<Timestamp>)>> {
    let Some(key) = &new.key else { return Ok(None) };
    let sql = "SELECT id, key_until FROM integration_entries WHERE account = ?1 AND integration = ?2 AND key = ?3";
    let params = params![account.to_bytes(), number(new.integration), key.bytes()];
    let read = |row: &Row<'_>| Ok((rows::count(row, 0)?, row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis)));
    connection.prepare_cached(sql)?.query_row(params, read).optional()
}

/// It was told again: its key holds until then at least, where it does not hold for good.
fn hold_key(connection: &Connection, account: AccountId, entry: u64, until: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE integration_entries SET key_until = max(key_until, ?3) WHERE account = ?1 AND id = ?2 AND key_until IS NOT NULL";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), signed(entry), until.as_millis()]).map(drop)
}

fn forget_key(connection: &Connection, account: AccountId, entry: u64) -> rusqlite::Result<()> {
    let sql = "UPDATE integration_entries SET key = NULL, key_until = NULL WHERE account = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), signed(entry)]).map(drop)
}

/// Counts it against the integration's rate, where it counts; when it may say more, where it said too much.
fn take_of_rate(connection: &Connection, account: AccountId, new: &NewIntegrationEntry) -> rusqlite::Result<Result<(), Timestamp>> {
    if !new.is_limited {
        return Ok(Ok(()));
    }
    let key = params![account.to_bytes(), number(new.integration)];
    let sql = "SELECT tat FROM integrations WHERE account = ?1 AND id = ?2";
    let tat = connection.prepare_cached(sql)?.query_row(key, |row| row.get(0))?;
    match INTEGRATION_RATE.take(Tat::from_micros(tat), new.at) {
        Err(retry_at) => Ok(Err(retry_at)),
        Ok(tat) => {
            let sql = "UPDATE integrations SET tat = ?3 WHERE account = ?1 AND id = ?2";
            connection.prepare_cached(sql)?.execute(params![account.to_bytes(), number(new.integration), tat.as_micros()])?;
            Ok(Ok(()))
        }
    }
}

fn next_entry(txn: &mut Txn<'_>, account: AccountId) -> rusqlite::Result<u64> {
    txn.account(account)?.map(AccountEntry::next_entry).ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Writes down what a phone system is told; its place in the log.
pub(crate) fn enter_post(
    txn: &mut Txn<'_>,
    account: AccountId,
    post: &Post,
    name: EventName,
    delivery: DeliveryId,
    at: Timestamp,
) -> rusqlite::Result<u64> {
    let seq = next_entry(txn, account)?;
    let Post { integration, phone, .. } = *post;
    let entry = Entry { account, seq, integration, direction: Direction::Out, kind: name.as_str(), phone, delivery: Some(delivery), at };
    entry.insert(txn.connection, &CallDetails::default(), EntryOutcome::Posted, None)?;
    Ok(seq)
}

/// A line that is to be written.
struct Entry<'a> {
    account: AccountId,
    seq: u64,
    integration: IntegrationId,
    direction: Direction,
    kind: &'a str,
    phone: Option<Phone>,
    delivery: Option<DeliveryId>,
    at: Timestamp,
}

impl Entry<'_> {
    fn insert(
        &self,
        connection: &Connection,
        details: &CallDetails,
        outcome: EntryOutcome,
        key: Option<&EntryKey>,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO integration_entries
                       (account, id, integration, direction, kind, phone, details, outcome, delivery, key, key_until, at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        connection.prepare_cached(sql)?.execute(params![
            self.account.to_bytes(),
            signed(self.seq),
            number(self.integration),
            self.direction.as_str(),
            self.kind,
            self.phone.map(|phone| signed(phone.digits())),
            to_json(details)?,
            outcome.as_str(),
            self.delivery.map(DeliveryId::to_bytes),
            key.map(EntryKey::bytes),
            key.and_then(|key| key.holds_until(self.at)).map(Timestamp::as_millis),
            self.at.as_millis()
        ])?;
        Ok(())
    }
}

/// Writes down what became of an entry; `false` where that was done before, and it is not told again.
pub(crate) fn conclude(connection: &Connection, account: AccountId, entry: u64, conclusion: &Conclusion) -> rusqlite::Result<bool> {
    let sql = "UPDATE integration_entries SET
                   outcome = CASE WHEN outcome = ?8 THEN outcome ELSE ?3 END,
                   reason = CASE WHEN outcome = ?8 THEN reason ELSE ?4 END,
                   message = CASE WHEN outcome = ?8 THEN message ELSE ?5 END,
                   key = CASE WHEN key_until IS NULL OR ?7 IS NOT NULL THEN key END,
                   key_until = CASE WHEN key_until IS NULL THEN NULL ELSE ?7 END
               WHERE account = ?1 AND id = ?2 AND (outcome = ?6 OR key_until IS NOT NULL)";
    let Conclusion { outcome, reason, message, is_answered, at } = conclusion;
    let key_until = (!is_answered).then(|| at.plus(REPEAT_TIME));
    let written = connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        signed(entry),
        outcome.as_str(),
        reason,
        message.map(MessageId::to_bytes),
        EntryOutcome::Received.as_str(),
        key_until.map(Timestamp::as_millis),
        EntryOutcome::Accepted.as_str()
    ])?;
    Ok(written > 0)
}

pub(crate) const LOG: &str =
    "SELECT e.id, e.integration, e.direction, e.kind, e.phone, e.details, e.outcome, e.reason, e.message, m.status,
        e.delivery, d.status, o.state, e.at
    FROM integration_entries e
    LEFT JOIN messages m ON m.account = e.account AND m.id = e.message
    LEFT JOIN event_deliveries d ON d.account = e.account AND d.id = e.delivery
    LEFT JOIN outbox o ON o.delivery = e.delivery
    WHERE e.account = ?1 AND e.id < ?2 AND (?3 IS NULL OR e.integration = ?3) AND (?4 IS NULL OR e.direction = ?4)
        AND (?5 IS NULL OR e.kind = ?5) AND (?6 IS NULL OR e.outcome = ?6) AND (?7 IS NULL OR e.phone = ?7)
    ORDER BY e.id DESC LIMIT ?8";

/// The log, newest first.
pub(crate) fn log(
    connection: &Connection,
    account: AccountId,
    filter: &IntegrationEntryFilter,
    page: Page<u64>,
) -> rusqlite::Result<Vec<IntegrationEntry>> {
    let IntegrationEntryFilter { integration, direction, kind, outcome, phone } = filter;
    let params = params![
        account.to_bytes(),
        page.after.map_or(i64::MAX, signed),
        integration.map(number),
        direction.map(Direction::as_str),
        kind,
        outcome.map(EntryOutcome::as_str),
        phone.map(|phone| signed(phone.digits())),
        page.limit as i64
    ];
    rows::all(&mut *connection.prepare_cached(LOG)?, params, entry)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<IntegrationEntry> {
    let digits: Option<i64> = row.get(4)?;
    Ok(IntegrationEntry {
        id: rows::count(row, 0)?,
        integration: id(row, 1)?,
        direction: rows::word(row, 2)?,
        kind: row.get(3)?,
        phone: digits.map(|digits| Phone::from_digits(digits.unsigned_abs())).transpose().map_err(|error| corrupt(4, error))?,
        details: rows::json(row, 5)?,
        outcome: rows::word(row, 6)?,
        reason: row.get(7)?,
        message: row.get::<_, Option<[u8; 16]>>(8)?.map(MessageId::from_bytes),
        message_status: rows::word_or_none(row, 9)?,
        delivery: row.get::<_, Option<[u8; 16]>>(10)?.map(DeliveryId::from_bytes),
        delivery_status: delivery_status(row, 11)?,
        at: rows::time(row, 13)?,
    })
}

/// How far a delivery got: as its log says, and as the outbox does where it is not finished. One that was forgotten says nothing.
fn delivery_status(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<DeliveryStatus>> {
    if row.get_ref(column)? == rusqlite::types::ValueRef::Null {
        return Ok(None);
    }
    match (rows::delivery_status(row, column)?, rows::is_started(row, column + 1)?) {
        (DeliveryStatus::Queued, true) => Ok(Some(DeliveryStatus::Sending)),
        (status, _) => Ok(Some(status)),
    }
}

/// Forgets what was said and told before this; how much it was.
pub(crate) fn forget(connection: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    connection.prepare_cached(FORGET)?.execute(params![before.as_millis(), limit as i64])
}

pub(crate) const FORGET: &str = "DELETE FROM integration_entries WHERE (account, id) IN
    (SELECT account, id FROM integration_entries WHERE at < ?1 ORDER BY at LIMIT ?2)";
