//! Deliveries: the customer webhook log, and the attempts in it.
//!
//! Of a delivery that is not finished, the outbox says how far it got, so that taking it writes one row. What is asked for most stands
//! in an index: an endpoint's deliveries, and those that were not taken. The others are found from the outbox or from the event: its
//! first deliveries were written when it happened, and its repetitions are few.

use gatepost::{
    AccountId, Attempt, Delivery, DeliveryFilter, DeliveryId, DeliveryStatus, Ending, EndpointId, Event, EventDelivery, EventId, EventName,
    IntegrationId, Outcome, Page, Phone, Replayed, Report, Skip, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::fresh::FreshDelivery;
use crate::outbox::{self, NewRow, OutboxEntry};
use crate::rows::{self, CLOCKS_APART, first_id_of, to_json};
use crate::txn::Txn;
use crate::{endpoints, integrations};

/// What a delivery to a phone system is in its log.
#[derive(Clone, Copy)]
pub(crate) struct Post {
    pub(crate) integration: IntegrationId,
    /// Its line; none where it may go in any order.
    pub(crate) order_key: Option<i64>,
    /// Whom it is about.
    pub(crate) phone: Option<Phone>,
}

/// A delivery that is to be written.
pub(crate) struct NewDelivery<'a> {
    pub(crate) account: AccountId,
    pub(crate) id: DeliveryId,
    pub(crate) event: EventId,
    /// The event's own name.
    pub(crate) name: EventName,
    pub(crate) as_name: EventName,
    pub(crate) endpoint: EndpointId,
    pub(crate) replay: Option<&'a Replayed>,
    pub(crate) now: Timestamp,
}

impl NewDelivery<'_> {
    /// Writes it; one that is skipped is only logged. What is there already stays as it is.
    pub(crate) fn insert(&self, txn: &mut Txn<'_>, skip: Option<Skip>) -> rusqlite::Result<()> {
        if self.log(txn, skip)? && skip.is_none() {
            self.row().insert(txn, &Delivery::of_event(self.now), None)?;
            txn.leave_due();
        }
        Ok(())
    }

    /// The first one of an event that is at hand: a take of the same group may open its attempt before it ever waits. What goes to a phone
    /// system stands in its log, and in the line of its conversation.
    pub(crate) fn insert_first(&self, txn: &mut Txn<'_>, event: &Event, skip: Option<Skip>, post: Option<Post>) -> rusqlite::Result<()> {
        if !self.log(txn, skip)? {
            return Ok(());
        }
        let entry = match &post {
            Some(post) => integrations::enter_post(txn, self.account, post, self.as_name, self.id, self.now)?,
            None => 0,
        };
        match post.and_then(|post| post.order_key) {
            _ if skip.is_some() => {}
            None => {
                let state = Delivery::of_event(self.now);
                let fresh = FreshDelivery { row: self.row(), state, event: event.clone(), as_name: self.as_name };
                txn.fresh().add(self.account, self.endpoint, fresh);
            }
            Some(key) => {
                let is_first = !outbox::is_in_line(txn.connection, self.account, key)?;
                let row = NewRow { order_key: Some(key), log_id: entry, ..self.row() };
                row.insert(txn, &Delivery::in_line(self.now, is_first), None)?;
                txn.leave_due();
            }
        }
        Ok(())
    }

    fn row(&self) -> NewRow {
        let (place, item) = (self.endpoint.to_bytes(), self.event.to_bytes());
        let as_name = (self.as_name != self.name).then_some(self.as_name);
        NewRow { account: self.account, delivery: self.id, order_key: None, place, item, contact: None, as_name, log_id: 0 }
    }

    /// Writes it into the log; `false` where it stands there.
    fn log(&self, txn: &mut Txn<'_>, skip: Option<Skip>) -> rusqlite::Result<bool> {
        let sql =
            "INSERT INTO event_deliveries (account, id, event, as_name, endpoint, status, skip, tries, replay, created_at, updated_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?9) ON CONFLICT DO NOTHING";
        let status = if skip.is_some() { DeliveryStatus::Skipped } else { DeliveryStatus::Queued };
        let written = txn.statement(sql)?.execute(params![
            self.account.to_bytes(),
            self.id.to_bytes(),
            self.event.to_bytes(),
            self.as_name.as_str(),
            self.endpoint.to_bytes(),
            rows::delivery_status_number(status),
            skip.map(Skip::as_str),
            self.replay.map(replay_text).transpose()?,
            self.now.as_millis()
        ])?;
        Ok(written > 0)
    }
}

/// A repetition as it stands in its column.
#[derive(Deserialize, Serialize)]
struct ReplayColumn {
    of: DeliveryId,
    by: gatepost::Actor,
    reason: Option<String>,
    to_changed_url: bool,
}

fn replay_text(replayed: &Replayed) -> rusqlite::Result<String> {
    let Replayed { of, by, ref reason, to_changed_url } = *replayed;
    to_json(&ReplayColumn { of, by, reason: reason.clone(), to_changed_url })
}

fn replay(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Replayed>> {
    let Some(ReplayColumn { of, by, reason, to_changed_url }) = rows::json_or_none(row, column)? else { return Ok(None) };
    Ok(Some(Replayed { of, by, reason, to_changed_url }))
}

/// Writes into the log that a delivery has ended.
pub(crate) fn end(txn: &mut Txn<'_>, found: &OutboxEntry, ending: Ending, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE event_deliveries SET status = ?3, error = ?4, skip = ?5, tries = ?6, updated_at = ?7 WHERE account = ?1 AND id = ?2";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.delivery.to_bytes(),
        rows::delivery_status_number(ending.delivery_status()),
        ending.class().map(gatepost::ErrorClass::as_str),
        ending.skip().map(Skip::as_str),
        found.state.tries,
        now.as_millis()
    ])?;
    Ok(())
}

/// Writes into the log that a delivery was sent, and by which attempt.
pub(crate) fn end_sent(txn: &mut Txn<'_>, found: &OutboxEntry, report: Option<&Report>, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE event_deliveries SET status = ?3, tries = ?4, sent_from = ?5, sent_saw = ?6, updated_at = ?7
               WHERE account = ?1 AND id = ?2";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.delivery.to_bytes(),
        rows::delivery_status_number(DeliveryStatus::Sent),
        found.state.tries,
        found.started_at.unwrap_or(now).as_millis(),
        report.map(to_json).transpose()?,
        now.as_millis()
    ])?;
    Ok(())
}

/// Notes in the log that a delivery waits again.
pub(crate) fn note_wait(txn: &mut Txn<'_>, found: &OutboxEntry, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE event_deliveries SET updated_at = ?3 WHERE account = ?1 AND id = ?2";
    txn.statement(sql)?.execute(params![found.account.to_bytes(), found.delivery.to_bytes(), now.as_millis()])?;
    Ok(())
}

/// Writes an attempt that did not send down with its outcome; while it was open, it stood in the outbox row.
pub(crate) fn write_outcome(
    txn: &mut Txn<'_>,
    found: &OutboxEntry,
    number: u16,
    outcome: &Outcome,
    report: Option<&Report>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO delivery_attempts (account, delivery, number, started_at, finished_at, outcome, report)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.delivery.to_bytes(),
        number,
        found.started_at.unwrap_or(now).as_millis(),
        now.as_millis(),
        to_json(outcome)?,
        report.map(to_json).transpose()?
    ])?;
    Ok(())
}

/// What the log and the outbox say of deliveries, found by this index.
macro_rules! logged {
    ($index:literal, $($condition:expr),*) => {
        concat!(
            "SELECT d.id, d.event, d.as_name, d.endpoint, d.status, d.error, d.skip, d.tries, d.replay, d.created_at, d.updated_at,
             o.state, CASE WHEN o.due < o.expires_at THEN o.due END, o.tries, o.started_at FROM event_deliveries d ",
            $index,
            " LEFT JOIN outbox o ON o.delivery = d.id WHERE d.account = ?1 AND ",
            $($condition),*
        )
    };
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<EventDelivery> {
    let logged = EventDelivery {
        id: rows::delivery_id(row, 0)?,
        event: rows::event_id(row, 1)?,
        as_name: rows::word(row, 2)?,
        endpoint: rows::endpoint_id(row, 3)?,
        status: rows::delivery_status(row, 4)?,
        error: rows::plain_or_none(row, 5)?,
        skip: skip(row, 6)?,
        tries: row.get(7)?,
        next_at: None,
        replay: replay(row, 8)?,
        created_at: rows::time(row, 9)?,
        updated_at: rows::time(row, 10)?,
    };
    Ok(match row.get::<_, Option<i64>>(11)? {
        Some(rows::WAITING) => {
            EventDelivery { status: DeliveryStatus::Queued, tries: row.get(13)?, next_at: rows::time_or_none(row, 12)?, ..logged }
        }
        Some(rows::STARTED) => {
            let updated_at = rows::time_or_none(row, 14)?.unwrap_or(logged.updated_at);
            EventDelivery { status: DeliveryStatus::Sending, tries: row.get(13)?, updated_at, ..logged }
        }
        _ => logged,
    })
}

fn skip(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Skip>> {
    let Some(text) = row.get::<_, Option<String>>(column)? else { return Ok(None) };
    let found = Skip::ALL.into_iter().find(|skip| skip.as_str() == text);
    found.map(Some).ok_or_else(|| rows::corrupt(column, "no reason to skip a delivery"))
}

const ONE: &str = logged!("", "d.id = ?2");

pub(crate) fn find(connection: &Connection, account: AccountId, id: DeliveryId) -> rusqlite::Result<Option<EventDelivery>> {
    connection.prepare_cached(ONE)?.query_row(params![account.to_bytes(), id.to_bytes()], delivery).optional()
}

/// A page of the log, newest first.
pub(crate) fn list(
    connection: &Connection,
    account: AccountId,
    filter: DeliveryFilter,
    page: Page<DeliveryId>,
) -> rusqlite::Result<Vec<EventDelivery>> {
    match (filter.event, filter.status) {
        (Some(event), _) => {
            let ids = of_event(connection, account, event, filter.endpoint)?;
            pick(connection, account, ids, filter, page)
        }
        (None, Some(status)) if status.is_pending() => {
            let ids = pending(connection, account, status, filter, page)?;
            pick(connection, account, ids, filter, page)
        }
        (None, _) => walk(connection, account, filter, page),
    }
}

/// Those of the deliveries that are on the page.
fn pick(
    connection: &Connection,
    account: AccountId,
    mut ids: Vec<DeliveryId>,
    filter: DeliveryFilter,
    page: Page<DeliveryId>,
) -> rusqlite::Result<Vec<EventDelivery>> {
    ids.retain(|id| page.after.is_none_or(|after| *id < after));
    ids.sort_unstable_by(|left, right| right.cmp(left));
    let mut picked = Vec::new();
    for id in ids {
        if picked.len() < page.limit
            && let Some(delivery) = find(connection, account, id)?
            && filter.status.is_none_or(|status| delivery.status == status)
            && (filter.for_operator || !is_for_operator(connection, account, delivery.endpoint)?)
        {
            picked.push(delivery);
        }
    }
    Ok(picked)
}

fn is_for_operator(connection: &Connection, account: AccountId, endpoint: EndpointId) -> rusqlite::Result<bool> {
    let sql = concat!("SELECT ", endpoints::for_operator!("?1", "?2"));
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), endpoint.to_bytes()], |row| row.get(0))
}

pub(crate) const FIRST_OF_EVENT: &str = "SELECT id FROM event_deliveries
    WHERE account = ?1 AND event = ?2 AND (?3 IS NULL OR endpoint = ?3) AND replay IS NULL AND id >= ?4 AND id < ?5";
pub(crate) const REPEATS_OF_EVENT: &str = "SELECT id FROM event_deliveries INDEXED BY event_deliveries_repeated
    WHERE account = ?1 AND event = ?2 AND (?3 IS NULL OR endpoint = ?3) AND replay IS NOT NULL";

/// The deliveries of an event: the first ones were written when it happened, the others are repetitions.
pub(crate) fn of_event(
    connection: &Connection,
    account: AccountId,
    event: EventId,
    endpoint: Option<EndpointId>,
) -> rusqlite::Result<Vec<DeliveryId>> {
    let sql = "SELECT occurred_at FROM events WHERE account = ?1 AND id = ?2";
    let (account, event, endpoint) = (account.to_bytes(), event.to_bytes(), endpoint.map(EndpointId::to_bytes));
    let at = connection.prepare_cached(sql)?.query_row(params![account, event], |row| rows::time(row, 0)).optional()?;
    let Some(at) = at else { return Ok(Vec::new()) };
    let id = |row: &Row<'_>| rows::delivery_id(row, 0);
    let first = params![account, event, endpoint, first_id_of(at), first_id_of(at.plus(MOMENT))];
    let mut ids = rows::all(&mut *connection.prepare_cached(FIRST_OF_EVENT)?, first, id)?;
    ids.extend(rows::all(&mut *connection.prepare_cached(REPEATS_OF_EVENT)?, params![account, event, endpoint], id)?);
    Ok(ids)
}

/// The shortest time there is.
const MOMENT: std::time::Duration = std::time::Duration::from_millis(1);

macro_rules! pending {
    ($index:literal) => {
        concat!(
            "SELECT delivery FROM outbox o INDEXED BY ",
            $index,
            " AND account = ?1 AND (?2 IS NULL OR place = ?2) AND (?3 OR NOT ",
            endpoints::for_operator!("o.account", "o.place"),
            ") AND delivery < ?4 ORDER BY delivery DESC LIMIT ?5"
        )
    };
}

pub(crate) const QUEUED: &str = pending!("outbox_events_waiting WHERE channel = 1 AND state = 0");
pub(crate) const SENDING: &str = pending!("outbox_events_in_flight WHERE channel = 1 AND state = 2");

/// The newest deliveries with a status that only the outbox knows.
fn pending(
    connection: &Connection,
    account: AccountId,
    status: DeliveryStatus,
    filter: DeliveryFilter,
    page: Page<DeliveryId>,
) -> rusqlite::Result<Vec<DeliveryId>> {
    let sql = if status == DeliveryStatus::Sending { SENDING } else { QUEUED };
    let before = page.after.map_or([0xff; 16], DeliveryId::to_bytes);
    let endpoint = filter.endpoint.map(EndpointId::to_bytes);
    let params = params![account.to_bytes(), endpoint, filter.for_operator, before, page.limit as i64];
    rows::all(&mut *connection.prepare_cached(sql)?, params, |row| rows::delivery_id(row, 0))
}

macro_rules! page {
    ($index:literal, $narrowed:literal) => {
        logged!(
            $index,
            $narrowed,
            " AND d.id < ?2 AND (?3 IS NULL OR d.endpoint = ?3) AND (?4 IS NULL OR d.status = ?4) AND (?5 OR NOT ",
            endpoints::for_operator!("d.account", "d.endpoint"),
            ") ORDER BY d.id DESC LIMIT ?6"
        )
    };
}

pub(crate) const PAGE: &str = page!("", "TRUE");
pub(crate) const PAGE_OF_ENDPOINT: &str = page!("INDEXED BY event_deliveries_of_endpoint", "d.endpoint = ?3");
pub(crate) const PAGE_NOT_TAKEN: &str = page!("INDEXED BY event_deliveries_not_taken", "d.status > 1");

fn walk(
    connection: &Connection,
    account: AccountId,
    filter: DeliveryFilter,
    page: Page<DeliveryId>,
) -> rusqlite::Result<Vec<EventDelivery>> {
    let sql = match (filter.status, filter.endpoint) {
        (Some(status), _) if gatepost::is_recoverable(status) => PAGE_NOT_TAKEN,
        (_, Some(_)) => PAGE_OF_ENDPOINT,
        (_, None) => PAGE,
    };
    let before = page.after.map_or([0xff; 16], DeliveryId::to_bytes);
    let endpoint = filter.endpoint.map(EndpointId::to_bytes);
    let status = filter.status.map(rows::delivery_status_number);
    let params = params![account.to_bytes(), before, endpoint, status, filter.for_operator, page.limit as i64];
    rows::all(&mut *connection.prepare_cached(sql)?, params, delivery)
}

pub(crate) fn attempts(connection: &Connection, account: AccountId, id: DeliveryId) -> rusqlite::Result<Vec<Attempt>> {
    let sql = "SELECT number, started_at, finished_at, outcome, report FROM delivery_attempts WHERE account = ?1 AND delivery = ?2
               UNION ALL
               SELECT tries, sent_from, updated_at, json_object('outcome', 'sent'), sent_saw FROM event_deliveries
               WHERE account = ?1 AND id = ?2 AND sent_from IS NOT NULL
               UNION ALL
               SELECT tries, started_at, NULL, NULL, NULL FROM outbox WHERE delivery = ?2 AND account = ?1 AND channel = 1 AND state = 2
               ORDER BY 1";
    rows::all(&mut *connection.prepare_cached(sql)?, params![account.to_bytes(), id.to_bytes()], rows::attempt)
}

/// A part of the log.
pub(crate) struct Span {
    /// Only what comes behind this one.
    pub(crate) behind: Option<DeliveryId>,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

pub(crate) const OF_ENDPOINT: &str = logged!(
    "INDEXED BY event_deliveries_of_endpoint",
    "d.endpoint = ?2 AND d.id > ?3 AND d.id < ?4 AND d.created_at >= ?5 AND d.created_at < ?6 ORDER BY d.id LIMIT ?7"
);

/// What was written for an endpoint, oldest first.
pub(crate) fn of_endpoint(
    connection: &Connection,
    account: AccountId,
    endpoint: EndpointId,
    span: &Span,
    limit: usize,
) -> rusqlite::Result<Vec<EventDelivery>> {
    let Span { behind, since, until } = *span;
    let first = first_id_of(since.minus(CLOCKS_APART)).max(behind.map(DeliveryId::to_bytes).unwrap_or_default());
    let last = first_id_of(until.plus(CLOCKS_APART));
    let (since, until) = (since.as_millis(), until.as_millis());
    let params = params![account.to_bytes(), endpoint.to_bytes(), first, last, since, until, limit as i64];
    rows::all(&mut *connection.prepare_cached(OF_ENDPOINT)?, params, delivery)
}
