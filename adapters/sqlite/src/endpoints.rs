//! Endpoints: where events go, and how each fares.

use std::sync::Arc;

use gatepost::{
    AccountId, Disabled, DisabledBy, ENDPOINTS_MAX, Endpoint, EndpointChange, EndpointId, EndpointUrl, Finish, Health, InstanceId,
    SealedHeaders, StoreError, Tat, Timestamp, endpoint_pause_event,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::accounts::{self, Changed};
use crate::outbox::OutboxEntry;
use crate::rows::{self, pause_text, to_json};
use crate::txn::Txn;
use crate::{events, integrations};

/// An endpoint as a group has read it, and how fast it was called.
pub(crate) struct EndpointEntry {
    /// Shared with the attempts that are taken while it is so.
    pub(crate) endpoint: Arc<Endpoint>,
    /// Whether it counts ([`Endpoint::counts`]).
    pub(crate) counts: bool,
    tat: Tat,
    tat_changed: bool,
}

impl EndpointEntry {
    /// How many calls its rate lets through at `now`.
    pub(crate) fn remaining(&self, now: Timestamp) -> usize {
        self.endpoint.rate.map_or(usize::MAX, |rate| rate.remaining(self.tat, now) as usize)
    }

    /// Its time after one more call, or when it may be called again.
    pub(crate) fn next_tat(&self, now: Timestamp) -> Result<Tat, Timestamp> {
        self.endpoint.rate.map_or(Ok(self.tat), |rate| rate.take(self.tat, now))
    }

    /// Notes a call.
    pub(crate) fn set_tat(&mut self, tat: Tat) {
        self.tat_changed |= self.tat != tat;
        self.tat = tat;
    }

    /// Writes what changed.
    pub(crate) fn flush(&mut self, connection: &Connection, account: AccountId) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.tat_changed) {
            let sql = "UPDATE endpoints SET tat = ?3 WHERE account = ?1 AND id = ?2";
            let params = params![account.to_bytes(), self.endpoint.id.to_bytes(), self.tat.as_micros()];
            connection.prepare_cached(sql)?.execute(params)?;
        }
        Ok(())
    }
}

/// Whether the endpoint that these columns name is for the operator, as a condition.
macro_rules! for_operator {
    ($account:literal, $id:literal) => {
        concat!("EXISTS (SELECT 1 FROM endpoints e WHERE e.account = ", $account, " AND e.id = ", $id, " AND e.for_operator = 1)")
    };
}
pub(crate) use for_operator;

const COLUMNS: &str = "id, name, url, instance, filter, in_flight_max, rate, secrets, headers, header_names, verified_at, pause, disabled,
    failing_since, removed_at, url_since, revision, created_at, for_operator, integration";
/// Where `tat` stands behind them.
const TAT: usize = 20;

fn endpoint(row: &Row<'_>) -> rusqlite::Result<Endpoint> {
    Ok(Endpoint {
        id: rows::endpoint_id(row, 0)?,
        name: rows::word(row, 1)?,
        url: EndpointUrl::stored(row.get(2)?),
        for_operator: row.get(18)?,
        integration: integrations::id_or_none(row, 19)?,
        instance: row.get::<_, Option<[u8; 16]>>(3)?.map(InstanceId::from_bytes),
        filter: rows::json(row, 4)?,
        in_flight_max: row.get(5)?,
        rate: rows::json_or_none(row, 6)?,
        secrets: rows::sealed(row, 7)?,
        headers: headers(row, 8, 9)?,
        verified_at: rows::time_or_none(row, 10)?,
        pause: rows::pause(row, 11)?,
        disabled: rows::json_or_none(row, 12)?,
        health: Health { failing_since: rows::time_or_none(row, 13)? },
        removed_at: rows::time_or_none(row, 14)?,
        url_since: rows::time(row, 15)?,
        revision: row.get(16)?,
        created_at: rows::time(row, 17)?,
    })
}

fn headers(row: &Row<'_>, column: usize, names: usize) -> rusqlite::Result<Option<SealedHeaders>> {
    let Some(names) = rows::json_or_none(row, names)? else { return Ok(None) };
    Ok(Some(SealedHeaders { names, sealed: rows::sealed(row, column)? }))
}

/// The account's endpoints that are not removed, as a group keeps them.
pub(crate) fn entries(connection: &Connection, account: AccountId) -> rusqlite::Result<Vec<EndpointEntry>> {
    let sql = format!("SELECT {COLUMNS}, tat FROM endpoints WHERE account = ?1 AND removed_at IS NULL ORDER BY id");
    let entry = |row: &Row<'_>| {
        let tat = Tat::from_micros(row.get(TAT)?);
        Ok(EndpointEntry { endpoint: Arc::new(endpoint(row)?), counts: true, tat, tat_changed: false })
    };
    let mut entries = rows::all(&mut *connection.prepare_cached(&sql)?, [account.to_bytes()], entry)?;
    for entry in &mut entries {
        entry.counts = counts(connection, account, &entry.endpoint)?;
    }
    Ok(entries)
}

fn counts(connection: &Connection, account: AccountId, endpoint: &Endpoint) -> rusqlite::Result<bool> {
    let Some(integration) = endpoint.integration else { return Ok(true) };
    let integration = integrations::find(connection, account, integration)?;
    Ok(accounts::find(connection, account)?.is_some_and(|account| endpoint.counts(&account, integration.as_ref())))
}

/// All that are not removed. Ids grow with time, so the oldest comes first.
pub(crate) fn list(connection: &Connection, account: AccountId) -> rusqlite::Result<Vec<Endpoint>> {
    let sql = format!("SELECT {COLUMNS} FROM endpoints WHERE account = ?1 AND removed_at IS NULL ORDER BY id");
    rows::all(&mut *connection.prepare_cached(&sql)?, [account.to_bytes()], endpoint)
}

pub(crate) fn find(connection: &Connection, account: AccountId, id: EndpointId) -> rusqlite::Result<Option<Endpoint>> {
    let sql = format!("SELECT {COLUMNS} FROM endpoints WHERE account = ?1 AND id = ?2");
    connection.prepare_cached(&sql)?.query_row(params![account.to_bytes(), id.to_bytes()], endpoint).optional()
}

/// Adds an endpoint; `false` where the account has as many as it may have.
pub(crate) fn add(connection: &Connection, account: AccountId, endpoint: &Endpoint) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM endpoints WHERE account = ?1 AND removed_at IS NULL AND for_operator = ?2
               AND (integration IS NULL) = ?3";
    let params = params![account.to_bytes(), endpoint.for_operator, endpoint.integration.is_none()];
    let present = connection.prepare_cached(sql)?.query_row(params, |row| rows::count(row, 0))?;
    if present >= ENDPOINTS_MAX as u64 {
        return Ok(false);
    }
    let sql = "INSERT INTO endpoints (account, id, name, url, instance, filter, in_flight_max, rate, secrets, secrets_root, headers,
               headers_root, header_names, verified_at, pause, disabled, failing_since, removed_at, url_since, revision, created_at,
               for_operator, integration)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";
    write(connection, sql, account, endpoint)?;
    Ok(true)
}

/// Binds the columns of an endpoint, `account` and `id` first, `created_at`, `for_operator` and `integration` last.
fn write(connection: &Connection, sql: &str, account: AccountId, endpoint: &Endpoint) -> rusqlite::Result<()> {
    let headers = endpoint.headers.as_ref();
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        endpoint.id.to_bytes(),
        endpoint.name.as_str(),
        endpoint.url.as_str(),
        endpoint.instance.map(InstanceId::to_bytes),
        to_json(&endpoint.filter)?,
        endpoint.in_flight_max,
        endpoint.rate.as_ref().map(to_json).transpose()?,
        endpoint.secrets.to_bytes(),
        endpoint.secrets.root(),
        headers.map(|headers| headers.sealed.to_bytes()),
        headers.map(|headers| headers.sealed.root()),
        headers.map(|headers| to_json(&headers.names)).transpose()?,
        endpoint.verified_at.map(Timestamp::as_millis),
        pause_text(endpoint.pause.as_ref())?,
        endpoint.disabled.as_ref().map(to_json).transpose()?,
        endpoint.health.failing_since.map(Timestamp::as_millis),
        endpoint.removed_at.map(Timestamp::as_millis),
        endpoint.url_since.as_millis(),
        endpoint.revision,
        endpoint.created_at.as_millis(),
        endpoint.for_operator,
        endpoint.integration.map(integrations::number)
    ])?;
    Ok(())
}

pub(crate) fn change(txn: &mut Txn<'_>, account: AccountId, id: EndpointId, change: EndpointChange) -> rusqlite::Result<Changed<Endpoint>> {
    let found = find(txn.connection, account, id)?.filter(|endpoint| endpoint.removed_at.is_none());
    let Some(mut endpoint) = found else { return Ok(Ok(None)) };
    if change.if_revision.is_some_and(|expected| expected != endpoint.revision) {
        return Ok(Err(StoreError::Conflict));
    }
    let (was_enabled, was_paused, at) = (endpoint.disabled.is_none(), endpoint.pause.is_some(), change.at);
    change.apply(&mut endpoint);
    let sql = "UPDATE endpoints SET name = ?3, url = ?4, instance = ?5, filter = ?6, in_flight_max = ?7, rate = ?8, secrets = ?9,
               secrets_root = ?10, headers = ?11, headers_root = ?12, header_names = ?13, verified_at = ?14, pause = ?15, disabled = ?16,
               failing_since = ?17, removed_at = ?18, url_since = ?19, revision = ?20, created_at = ?21, for_operator = ?22, integration = ?23
               WHERE account = ?1 AND id = ?2";
    write(txn.connection, sql, account, &endpoint)?;
    if was_enabled {
        events::tell_disabled(txn, account, &endpoint)?;
    }
    if was_paused != endpoint.pause.is_some() {
        events::tell_of_endpoint(txn, account, &endpoint, &endpoint_pause_event(account, &endpoint, at))?;
    }
    // What it held may go now, or must be skipped.
    txn.leave_due();
    Ok(Ok(Some(endpoint)))
}

/// Notes how an attempt ended, and what follows from that for the endpoint.
pub(crate) fn note_health(txn: &mut Txn<'_>, found: &OutboxEntry, finish: &Finish) -> rusqlite::Result<Option<DisabledBy>> {
    let (account, now) = (found.account, finish.now);
    let Some(entry) = txn.endpoint(account, found.endpoint())? else { return Ok(None) };
    let began = found.started_at.unwrap_or(now);
    let (health, disabled_by) = entry.endpoint.health_after(began, &finish.outcome, finish.report.as_ref(), now);
    let disabled_by = disabled_by.filter(|_| entry.endpoint.disabled.is_none());
    if health == entry.endpoint.health && disabled_by.is_none() {
        return Ok(None);
    }
    let endpoint = Arc::make_mut(&mut entry.endpoint);
    endpoint.health = health;
    let disabled = disabled_by.clone().map(|by| Disabled { since: now, by });
    endpoint.disabled = disabled.or(endpoint.disabled.take());
    let endpoint = entry.endpoint.clone();
    write_health(txn.connection, account, &endpoint)?;
    if disabled_by.is_some() {
        events::tell_disabled(txn, account, &endpoint)?;
    }
    Ok(disabled_by)
}

fn write_health(connection: &Connection, account: AccountId, endpoint: &Endpoint) -> rusqlite::Result<()> {
    let sql = "UPDATE endpoints SET failing_since = ?3, disabled = ?4 WHERE account = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        endpoint.id.to_bytes(),
        endpoint.health.failing_since.map(Timestamp::as_millis),
        endpoint.disabled.as_ref().map(to_json).transpose()?
    ])?;
    Ok(())
}
