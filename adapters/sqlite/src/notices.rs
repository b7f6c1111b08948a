//! Notices: events on their way to endpoints, as their attempts end and as time passes. `take` opens the attempts.

use gatepost::{Ending, ErrorClass, Finish, Finished, Input, Outcome, State, Step, Timestamp};
use rusqlite::{Connection, params};

use crate::deliver::finish_input;
use crate::outbox::{self, OutboxEntry, Read, entry_columns};
use crate::rows::{self, CLOCKS_APART, first_id_of};
use crate::txn::Txn;
use crate::{deliveries, endpoints};

/// Writes what follows for a delivery.
pub(crate) fn follow(txn: &mut Txn<'_>, found: &OutboxEntry, step: Step, now: Timestamp) -> rusqlite::Result<()> {
    match step {
        Step::GoesOn(next) => {
            outbox::write_state(txn, found.delivery, &next, None)?;
            deliveries::note_wait(txn, found, now)
        }
        Step::Ends(ending) => end(txn, found, ending, now),
    }
}

fn end(txn: &mut Txn<'_>, found: &OutboxEntry, ending: Ending, now: Timestamp) -> rusqlite::Result<()> {
    outbox::remove(txn, found.delivery)?;
    outbox::let_next_go(txn, found, now)?;
    deliveries::end(txn, found, ending, now)
}

/// Closes an attempt; one that comes too late changes nothing.
pub(crate) fn finish(txn: &mut Txn<'_>, found: &OutboxEntry, finish: &Finish) -> rusqlite::Result<Finished> {
    let now = finish.now;
    let Ok(step) = found.state.step(&finish_input(finish), now) else { return Ok(Finished::Stale) };
    follow(txn, found, step, now)?;
    deliveries::write_outcome(txn, found, finish.attempt, &finish.outcome, finish.report.as_ref(), now)?;
    note_health(txn, found, finish)
}

/// Closes an attempt that has sent, and whose row is taken out.
pub(crate) fn finish_sent(
    txn: &mut Txn<'_>,
    found: &OutboxEntry,
    finish: &Finish,
    external_id: Option<&str>,
) -> rusqlite::Result<Finished> {
    let (report, now) = (finish.report.as_ref(), finish.now);
    outbox::let_next_go(txn, found, now)?;
    if external_id.is_none() {
        deliveries::end_sent(txn, found, report, now)?;
    } else {
        deliveries::end(txn, found, Ending::Sent, now)?;
        deliveries::write_outcome(txn, found, finish.attempt, &finish.outcome, report, now)?;
    }
    note_health(txn, found, finish)
}

fn note_health(txn: &mut Txn<'_>, found: &OutboxEntry, finish: &Finish) -> rusqlite::Result<Finished> {
    // An endpoint that cannot be read changes nothing of how the attempt ended.
    let disabled_by = txn.part(|txn| endpoints::note_health(txn, found, finish))?;
    Ok(Finished::Event { disabled: disabled_by.flatten().map(|by| (found.endpoint(), by)) })
}

/// All that is in flight is looked through: it is never more than the workers have places. (The `+` keeps SQLite to that.)
pub(crate) const LEASED: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o INDEXED BY outbox_events_in_flight WHERE o.channel = 1 AND o.state = 2 AND +o.due <= ?1 LIMIT ?2"
);

pub(crate) const EXPIRED: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o WHERE o.channel = 1 AND o.state = 0 AND o.order_key IS NULL AND o.delivery < ?1 AND o.expires_at <= ?2
      ORDER BY o.delivery LIMIT ?3"
);

pub(crate) const EXPIRED_IN_LINE: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o INDEXED BY outbox_events_in_line_expiring
      WHERE o.channel = 1 AND o.state = 0 AND o.order_key IS NOT NULL AND o.expires_at <= ?1 ORDER BY o.expires_at LIMIT ?2"
);

/// Those that are no longer worth delivering. All events outside a line are worth it equally long, so they are the table's oldest.
pub(crate) fn expired(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Read>> {
    let oldest = first_id_of(now.minus(gatepost::EVENT_TIME).plus(CLOCKS_APART));
    let mut expired = rows::all(&mut *connection.prepare_cached(EXPIRED)?, params![oldest, now.as_millis(), limit as i64], outbox::read)?;
    let in_line = params![now.as_millis(), limit.saturating_sub(expired.len()) as i64];
    expired.extend(rows::all(&mut *connection.prepare_cached(EXPIRED_IN_LINE)?, in_line, outbox::read)?);
    Ok(expired)
}

/// Lets time pass for a delivery.
pub(crate) fn tick(txn: &mut Txn<'_>, found: &OutboxEntry, now: Timestamp) -> rusqlite::Result<()> {
    let Ok(step) = found.state.step(&Input::Tick, now) else { return Ok(()) };
    follow(txn, found, step, now)?;
    if let State::Started { .. } = found.state.state {
        let interrupted = Outcome::Unknown { class: ErrorClass::Interrupted };
        deliveries::write_outcome(txn, found, found.state.tries, &interrupted, None, now)?;
    }
    txn.leave_due();
    Ok(())
}
