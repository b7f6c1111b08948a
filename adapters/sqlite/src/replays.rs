//! Replays: a delivery goes once more, alone or with all that an endpoint did not take since a time.

use gatepost::{
    AccountId, DeliveryId, DeliveryStatus, Endpoint, EndpointState, EventDelivery, EventName, Page, Recovered, Recovery, RecoveryFilter,
    RecoveryId, RecoveryProgress, Replay, ReplayAnswer, Replayed, Timestamp, is_recoverable,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::deliveries::{self, NewDelivery, Span};
use crate::endpoints;
use crate::error::is_unreadable;
use crate::rows::{self, signed};
use crate::txn::Txn;

/// Delivers an event to its endpoint once more.
pub(crate) fn replay(txn: &mut Txn<'_>, account: AccountId, replay: &Replay) -> rusqlite::Result<ReplayAnswer> {
    let Some(old) = deliveries::find(txn.connection, account, replay.of)? else { return Ok(ReplayAnswer::Unknown) };
    if old.status.is_pending() || others(txn.connection, account, &old)?.iter().any(|other| other.status.is_pending()) {
        return Ok(ReplayAnswer::Pending);
    }
    let Some(endpoint) = endpoints::find(txn.connection, account, old.endpoint)? else { return Ok(ReplayAnswer::EndpointRemoved) };
    match endpoint.state() {
        EndpointState::Removed => return Ok(ReplayAnswer::EndpointRemoved),
        EndpointState::Disabled => return Ok(ReplayAnswer::EndpointDisabled),
        EndpointState::Enabled | EndpointState::Paused | EndpointState::Unverified => {}
    }
    let Replay { of, delivery, by, ref reason, to_changed_url, now } = *replay;
    match repeatable(txn.connection, account, &old, &endpoint, to_changed_url)? {
        Ok(name) => {
            let replayed = Replayed { of, by, reason: reason.clone(), to_changed_url };
            repeat(txn, account, &old, name, delivery, &replayed, now)?;
            let found = deliveries::find(txn.connection, account, delivery)?;
            Ok(found.map_or(ReplayAnswer::Unknown, ReplayAnswer::Queued))
        }
        Err(hindrance) => Ok(hindrance),
    }
}

/// The deliveries of the same event to the same endpoint.
fn others(connection: &Connection, account: AccountId, to: &EventDelivery) -> rusqlite::Result<Vec<EventDelivery>> {
    let ids = deliveries::of_event(connection, account, to.event, Some(to.endpoint))?;
    ids.into_iter().filter_map(|id| deliveries::find(connection, account, id).transpose()).collect()
}

/// The event's own name, or why it cannot go there again.
fn repeatable(
    connection: &Connection,
    account: AccountId,
    old: &EventDelivery,
    endpoint: &Endpoint,
    to_changed_url: bool,
) -> rusqlite::Result<Result<EventName, ReplayAnswer>> {
    let sql = "SELECT name, occurred_at FROM events WHERE account = ?1 AND id = ?2 AND fields IS NOT NULL";
    let params = params![account.to_bytes(), old.event.to_bytes()];
    let found = connection.prepare_cached(sql)?.query_row(params, |row| Ok((rows::word(row, 0)?, rows::time(row, 1)?))).optional()?;
    Ok(match found {
        None => Err(ReplayAnswer::BodyForgotten),
        Some((_, occurred_at)) if endpoint.url_since > occurred_at && !to_changed_url => Err(ReplayAnswer::UrlChanged),
        Some((name, _)) => Ok(name),
    })
}

fn repeat(
    txn: &mut Txn<'_>,
    account: AccountId,
    old: &EventDelivery,
    name: EventName,
    id: DeliveryId,
    replayed: &Replayed,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let EventDelivery { event, as_name, endpoint, .. } = *old;
    NewDelivery { account, id, event, name, as_name, endpoint, replay: Some(replayed), now }.insert(txn, None)
}

/// Begins a recovery; `false` where the endpoint is not there, or one of its recoveries is not over.
pub(crate) fn add_recovery(connection: &Connection, account: AccountId, recovery: &Recovery) -> rusqlite::Result<bool> {
    let endpoint = endpoints::find(connection, account, recovery.endpoint)?.filter(|endpoint| endpoint.removed_at.is_none());
    if endpoint.is_none() || has_recovery(connection, account, recovery)? {
        return Ok(false);
    }
    let sql = "INSERT INTO recoveries (account, id, endpoint, since, until, by, reason, to_changed_url, at, queued, passed_over, done_at,
               canceled_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, 0, 0, NULL, NULL)";
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        recovery.id.to_bytes(),
        recovery.endpoint.to_bytes(),
        recovery.since.as_millis(),
        recovery.until.as_millis(),
        recovery.by.to_string(),
        recovery.reason,
        recovery.to_changed_url
    ])?;
    write_progress(connection, account, recovery.id, &recovery.progress)?;
    Ok(true)
}

fn has_recovery(connection: &Connection, account: AccountId, new: &Recovery) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM recoveries WHERE done_at IS NULL AND canceled_at IS NULL AND account = ?1 AND endpoint = ?2)";
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), new.endpoint.to_bytes()], |row| row.get(0))
}

macro_rules! recovery_columns {
    () => {
        "id, endpoint, since, until, by, reason, to_changed_url, at, queued, passed_over, done_at, canceled_at, account FROM recoveries"
    };
}

fn recovery(row: &Row<'_>) -> rusqlite::Result<Recovery> {
    Ok(Recovery {
        id: rows::recovery_id(row, 0)?,
        endpoint: rows::endpoint_id(row, 1)?,
        since: rows::time(row, 2)?,
        until: rows::time(row, 3)?,
        by: rows::word(row, 4)?,
        reason: row.get(5)?,
        to_changed_url: row.get(6)?,
        progress: RecoveryProgress {
            at: row.get::<_, Option<[u8; 16]>>(7)?.map(DeliveryId::from_bytes),
            queued: rows::count(row, 8)?,
            left: rows::count(row, 9)?,
            done_at: rows::time_or_none(row, 10)?,
            canceled_at: rows::time_or_none(row, 11)?,
        },
    })
}

pub(crate) const PAGE: &str = concat!(
    "SELECT ",
    recovery_columns!(),
    " r WHERE account = ?1 AND id < ?2 AND (?3 OR NOT ",
    endpoints::for_operator!("r.account", "r.endpoint"),
    ") ORDER BY id DESC LIMIT ?4"
);

pub(crate) fn list(
    connection: &Connection,
    account: AccountId,
    filter: RecoveryFilter,
    page: Page<RecoveryId>,
) -> rusqlite::Result<Vec<Recovery>> {
    let before = page.after.map_or([0xff; 16], RecoveryId::to_bytes);
    let params = params![account.to_bytes(), before, filter.for_operator, page.limit as i64];
    rows::all(&mut *connection.prepare_cached(PAGE)?, params, recovery)
}

pub(crate) fn find(connection: &Connection, account: AccountId, id: RecoveryId) -> rusqlite::Result<Option<Recovery>> {
    let sql = concat!("SELECT ", recovery_columns!(), " WHERE account = ?1 AND id = ?2");
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), id.to_bytes()], recovery).optional()
}

/// Ends a recovery, unless it was over before; the recovery as it is then.
pub(crate) fn cancel(connection: &Connection, account: AccountId, id: RecoveryId, now: Timestamp) -> rusqlite::Result<Option<Recovery>> {
    let Some(mut found) = find(connection, account, id)? else { return Ok(None) };
    if !found.progress.is_over() {
        found.progress.canceled_at = Some(now);
        write_progress(connection, account, id, &found.progress)?;
    }
    Ok(Some(found))
}

fn write_progress(connection: &Connection, account: AccountId, id: RecoveryId, progress: &RecoveryProgress) -> rusqlite::Result<()> {
    let sql = "UPDATE recoveries SET at = ?3, queued = ?4, passed_over = ?5, done_at = ?6, canceled_at = ?7 WHERE account = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        id.to_bytes(),
        progress.at.map(DeliveryId::to_bytes),
        signed(progress.queued),
        signed(progress.left),
        progress.done_at.map(Timestamp::as_millis),
        progress.canceled_at.map(Timestamp::as_millis)
    ])?;
    Ok(())
}

/// Does a part of the recovery whose turn it is.
pub(crate) fn recover(txn: &mut Txn<'_>, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> rusqlite::Result<Recovered> {
    let Some((account, recovery)) = next(txn.connection, after)? else { return Ok(Recovered::default()) };
    let progress = match txn.savepoint(|txn| go_on(txn, account, &recovery, now, limit))? {
        // One that meets what cannot be read would meet it again.
        Err(error) if is_unreadable(&error) => RecoveryProgress { canceled_at: Some(now), ..recovery.progress },
        progress => progress?,
    };
    write_progress(txn.connection, account, recovery.id, &progress)?;
    Ok(Recovered { at: Some(recovery.id), more: next(txn.connection, None)?.is_some() })
}

pub(crate) const NEXT: &str =
    concat!("SELECT ", recovery_columns!(), " WHERE done_at IS NULL AND canceled_at IS NULL AND id > ?1 ORDER BY id LIMIT 1");

/// Of the recoveries that are not over, the first behind `after`, or else the first.
fn next(connection: &Connection, after: Option<RecoveryId>) -> rusqlite::Result<Option<(AccountId, Recovery)>> {
    let mut statement = connection.prepare_cached(NEXT)?;
    let mut behind = |after: &[u8]| statement.query_row([after], |row| Ok((rows::account_id(row, 12)?, recovery(row)?))).optional();
    let found = after.map(|after| behind(&after.to_bytes())).transpose()?.flatten();
    if found.is_some() { Ok(found) } else { behind(&[]) }
}

fn go_on(txn: &mut Txn<'_>, account: AccountId, recovery: &Recovery, now: Timestamp, limit: usize) -> rusqlite::Result<RecoveryProgress> {
    let mut progress = recovery.progress;
    let endpoint = endpoints::find(txn.connection, account, recovery.endpoint)?;
    let Some(endpoint) = endpoint.filter(|endpoint| endpoint.disabled.is_none() && endpoint.removed_at.is_none()) else {
        return Ok(RecoveryProgress { canceled_at: Some(now), ..progress });
    };
    let span = Span { behind: progress.at, since: recovery.since, until: recovery.until };
    let part = deliveries::of_endpoint(txn.connection, account, endpoint.id, &span, limit)?;
    for old in &part {
        progress.at = Some(old.id);
        match recover_one(txn, account, recovery, &endpoint, old, now)? {
            Handled::Queued => progress.queued += 1,
            Handled::Left => progress.left += 1,
            Handled::NotMeant => {}
        }
    }
    if part.len() < limit {
        progress.done_at = Some(now);
    }
    Ok(progress)
}

/// What a recovery did with a delivery.
enum Handled {
    Queued,
    Left,
    NotMeant,
}

fn recover_one(
    txn: &mut Txn<'_>,
    account: AccountId,
    recovery: &Recovery,
    endpoint: &Endpoint,
    old: &EventDelivery,
    now: Timestamp,
) -> rusqlite::Result<Handled> {
    if !is_recoverable(old.status) || is_made_by(recovery, old) || is_repeated(txn.connection, account, old)? {
        return Ok(Handled::NotMeant);
    }
    let Recovery { by, ref reason, to_changed_url, .. } = *recovery;
    let Ok(name) = repeatable(txn.connection, account, old, endpoint, to_changed_url)? else { return Ok(Handled::Left) };
    let id = DeliveryId::of(old.event, old.endpoint, round(recovery), now);
    let replayed = Replayed { of: old.id, by, reason: reason.clone(), to_changed_url };
    repeat(txn, account, old, name, id, &replayed, now)?;
    Ok(Handled::Queued)
}

/// What tells a recovery's repetitions from others.
const fn round(recovery: &Recovery) -> u128 {
    u128::from_be_bytes(recovery.id.to_bytes())
}

/// Whether the recovery itself has written it: a clock that went back puts it among the old ones.
fn is_made_by(recovery: &Recovery, delivery: &EventDelivery) -> bool {
    delivery.id == DeliveryId::of(delivery.event, delivery.endpoint, round(recovery), delivery.created_at)
}

/// Whether a newer delivery of the same event took its place.
fn is_repeated(connection: &Connection, account: AccountId, old: &EventDelivery) -> rusqlite::Result<bool> {
    let counts = |delivery: &EventDelivery| delivery.status.is_pending() || delivery.status == DeliveryStatus::Sent;
    Ok(others(connection, account, old)?.iter().any(|other| other.id > old.id && counts(other)))
}
