//! Events, their deliveries with the attempts, and recoveries.

use gatepost::{Actor, Attempt, DeliveryId, DeliveryStatus, ErrorClass, Recovery, RecoveryProgress, Replayed, Skip};
use serde::{Deserialize, Serialize};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{self, Codec, Rows, row};
use crate::world::{DeliveryRow, SentNotice, ToldEvent, World};

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &EVENTS, put: put_events, write: write_events },
    Codec { table: &EVENT_DELIVERIES, put: put_event_deliveries, write: write_event_deliveries },
    Codec { table: &DELIVERY_ATTEMPTS, put: put_delivery_attempts, write: write_delivery_attempts },
    Codec { table: &RECOVERIES, put: put_recoveries, write: write_recoveries },
];

/// The table `events`.
pub static EVENTS: Table = Table {
    name: "events",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("name"),
        Column::bytes("instance"),
        Column::int("occurred_at"),
        Column::text("fields"),
    ],
    key: &["account", "id"],
};

fn put_events(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let event = read_event(row)?;
    rows.events.insert(event.id, event);
    Ok(())
}

/// The event of a row, from its second column on.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_event(row: &mut Reader<'_>) -> Result<ToldEvent, BadRow> {
    let (id, name, instance, occurred_at) = (row.id()?, row.word()?, row.id_or_none()?, row.time()?);
    Ok(ToldEvent { id, name, instance, occurred_at, fields: row.text_or_none()?.map(str::to_owned) })
}

fn write_events(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for ToldEvent { id, name, instance, occurred_at, fields } in of_account.events.values() {
            rows.add(row![*account, *id, name.as_str(), *instance, *occurred_at, fields.as_ref()]);
        }
    }
}

/// The table `event_deliveries`.
pub static EVENT_DELIVERIES: Table = Table {
    name: "event_deliveries",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("event"),
        Column::text("as_name"),
        Column::bytes("endpoint"),
        Column::int("status"),
        Column::text("error"),
        Column::text("skip"),
        Column::int("tries"),
        Column::text("replay"),
        Column::int("sent_from"),
        Column::text("sent_saw"),
        Column::int("created_at"),
        Column::int("updated_at"),
    ],
    key: &["account", "id"],
};

fn put_event_deliveries(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let delivery = read_delivery(row)?;
    rows.deliveries.insert(delivery.id, delivery);
    Ok(())
}

/// The delivery of a row, from its second column on.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_delivery(row: &mut Reader<'_>) -> Result<DeliveryRow, BadRow> {
    Ok(DeliveryRow {
        id: row.id()?,
        event: row.id()?,
        as_name: row.word()?,
        endpoint: row.id()?,
        status: read_status(row)?,
        error: row.plain_or_none()?,
        skip: read_skip(row)?,
        tries: row.int()?,
        replay: row.json_or_none()?.map(|ReplayColumn { of, by, reason, to_changed_url }| Replayed { of, by, reason, to_changed_url }),
        sent: read_sent(row)?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

/// The numbers of a delivery's statuses in the log, as partial indexes name them. The outbox tells what is queued from what is sent.
pub const fn status_number(status: DeliveryStatus) -> i64 {
    match status {
        DeliveryStatus::Queued | DeliveryStatus::Sending => 0,
        DeliveryStatus::Sent => 1,
        DeliveryStatus::Failed => 2,
        DeliveryStatus::Blocked => 3,
        DeliveryStatus::Skipped => 4,
    }
}

fn read_status(row: &mut Reader<'_>) -> Result<DeliveryStatus, BadRow> {
    let number = row.int::<i64>()?;
    let found = DeliveryStatus::ALL.into_iter().find(|status| status_number(*status) == number);
    found.ok_or_else(|| row.bad("no status of a delivery"))
}

fn read_skip(row: &mut Reader<'_>) -> Result<Option<Skip>, BadRow> {
    let Some(word) = row.text_or_none()? else { return Ok(None) };
    let found = Skip::ALL.into_iter().find(|skip| skip.as_str() == word);
    found.map(Some).ok_or_else(|| row.bad("no reason to skip a delivery"))
}

fn read_sent(row: &mut Reader<'_>) -> Result<Option<SentNotice>, BadRow> {
    let (from, saw) = (row.time_or_none()?, row.json_or_none()?);
    Ok(from.map(|from| SentNotice { from, saw }))
}

/// A repetition as it stands in its column.
#[derive(Deserialize, Serialize)]
struct ReplayColumn {
    of: DeliveryId,
    by: Actor,
    reason: Option<String>,
    to_changed_url: bool,
}

fn replay_cell(replayed: &Replayed) -> Cell {
    let Replayed { of, by, ref reason, to_changed_url } = *replayed;
    Cell::json(&ReplayColumn { of, by, reason: reason.clone(), to_changed_url })
}

fn write_event_deliveries(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for delivery in of_account.deliveries.values() {
            let sent = delivery.sent.as_ref();
            rows.add(row![
                *account,
                delivery.id,
                delivery.event,
                delivery.as_name.as_str(),
                delivery.endpoint,
                status_number(delivery.status),
                delivery.error.map(ErrorClass::as_str),
                delivery.skip.map(Skip::as_str),
                delivery.tries,
                delivery.replay.as_ref().map(replay_cell),
                sent.map(|sent| sent.from),
                Cell::json_or_null(sent.and_then(|sent| sent.saw.as_ref())),
                delivery.created_at,
                delivery.updated_at,
            ]);
        }
    }
}

/// The table `delivery_attempts`.
pub static DELIVERY_ATTEMPTS: Table = Table {
    name: "delivery_attempts",
    columns: &[
        Column::bytes("account"),
        Column::bytes("delivery"),
        Column::int("number"),
        Column::int("started_at"),
        Column::int("finished_at"),
        Column::text("outcome"),
        Column::text("report"),
    ],
    key: &["account", "delivery", "number"],
};

fn put_delivery_attempts(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let (delivery, attempt) = (row.id()?, read_attempt(row)?);
    rows.delivery_attempts.insert((delivery, attempt.number), attempt);
    Ok(())
}

/// The attempt of a row, from its third column on.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_attempt(row: &mut Reader<'_>) -> Result<Attempt, BadRow> {
    let (number, started_at, finished_at) = (row.int()?, row.time()?, Some(row.time()?));
    Ok(Attempt { number, started_at, finished_at, outcome: Some(row.json()?), report: row.json_or_none()? })
}

fn write_delivery_attempts(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for ((delivery, number), attempt) in &of_account.delivery_attempts {
            let (outcome, report) = (Cell::json_or_null(attempt.outcome.as_ref()), Cell::json_or_null(attempt.report.as_ref()));
            rows.add(row![*account, *delivery, *number, attempt.started_at, attempt.finished_at, outcome, report]);
        }
    }
}

/// The table `recoveries`.
pub static RECOVERIES: Table = Table {
    name: "recoveries",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("endpoint"),
        Column::int("since"),
        Column::int("until"),
        Column::text("by"),
        Column::text("reason"),
        Column::int("to_changed_url"),
        Column::bytes("at"),
        Column::int("queued"),
        Column::int("passed_over"),
        Column::int("done_at"),
        Column::int("canceled_at"),
    ],
    key: &["account", "id"],
};

fn put_recoveries(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let recovery = read_recovery(row)?;
    rows.recoveries.insert(recovery.id, recovery);
    Ok(())
}

/// The recovery of a row, from its second column on.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_recovery(row: &mut Reader<'_>) -> Result<Recovery, BadRow> {
    Ok(Recovery {
        id: row.id()?,
        endpoint: row.id()?,
        since: row.time()?,
        until: row.time()?,
        by: row.word()?,
        reason: row.text_or_none()?.map(str::to_owned),
        to_changed_url: row.flag()?,
        progress: RecoveryProgress {
            at: row.id_or_none()?,
            queued: row.int()?,
            left: row.int()?,
            done_at: row.time_or_none()?,
            canceled_at: row.time_or_none()?,
        },
    })
}

fn write_recoveries(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for Recovery { id, endpoint, since, until, by, reason, to_changed_url, progress } in of_account.recoveries.values() {
            rows.add(row![
                *account,
                *id,
                *endpoint,
                *since,
                *until,
                Cell::word(by),
                reason.as_ref(),
                *to_changed_url,
                progress.at,
                Cell::count(progress.queued),
                Cell::count(progress.left),
                progress.done_at,
                progress.canceled_at,
            ]);
        }
    }
}
