//! Deliver: claim, start, finish, release and sweep. The core's state machine says what follows; this file reads and writes it.

use gatepost::{
    AccountId, Charge, Claim, ClaimAnswer, Claimed, Content, Delivery, DeliveryId, Ending, ErrorClass, Finish, Gate, IDEMPOTENCY_TIME,
    Input, InstanceId, Lease, MessageId, MessageStatus, Mode, Outcome, Settled, StartAnswer, StartFacts, Started, State, Step, Subject,
    Swept, Timestamp, examine, may_start, suppression_forbids,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::accept::parcel;
use crate::rows::{self, to_json};
use crate::txn::{Txn, instance_by_id};

/// An outbox row as the state machine sees it.
#[derive(Clone, Copy)]
struct OutboxEntry {
    account: AccountId,
    delivery: DeliveryId,
    message: MessageId,
    instance: InstanceId,
    state: Delivery,
    is_ordered: bool,
    started_at: Option<Timestamp>,
}

const FIND: &str =
    "SELECT account, delivery, message, instance, state, due, expires_at, fence, tries, order_key IS NOT NULL, started_at FROM outbox
                    WHERE delivery = ?1 AND account = ?2";
const ENTRY_COLUMNS: &str = "account, delivery, message, instance, state, due, expires_at, fence, tries, order_key IS NOT NULL, started_at";

fn entry(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    Ok(OutboxEntry {
        account: rows::account_id(row, 0)?,
        delivery: rows::delivery_id(row, 1)?,
        message: rows::message_id(row, 2)?,
        instance: rows::instance_id(row, 3)?,
        state: rows::delivery(row, 4)?,
        is_ordered: row.get(9)?,
        started_at: rows::time_or_none(row, 10)?,
    })
}

fn find(txn: &mut Txn<'_>, claimed: Claimed) -> rusqlite::Result<Option<OutboxEntry>> {
    txn.statement(FIND)?.query_row(params![claimed.delivery.to_bytes(), claimed.account.to_bytes()], entry).optional()
}

/// The delivery in doubt of a message.
pub(crate) fn resolve(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: MessageId,
    sent: bool,
    now: Timestamp,
) -> rusqlite::Result<Option<MessageStatus>> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM outbox WHERE account = ?1 AND delivery = (SELECT delivery FROM messages WHERE account = ?1 AND id = ?2)"
    );
    let found = txn.connection.prepare_cached(&sql)?.query_row(params![account.to_bytes(), message.to_bytes()], entry).optional()?;
    let Some(found) = found else { return Ok(None) };
    Ok(advance(txn, &found, &Input::Resolve { sent }, now)?.map(|settled| settled.status))
}

/// Lets the state machine take one step and writes what follows; `None` where the input is stale.
fn advance(txn: &mut Txn<'_>, found: &OutboxEntry, input: &Input, now: Timestamp) -> rusqlite::Result<Option<Settled>> {
    let Ok(step) = found.state.step(input, now) else { return Ok(None) };
    let outcome = match input {
        Input::Finish { outcome, .. } => Some(outcome),
        _ => None,
    };
    let status = match step {
        Step::GoesOn(next) => {
            write_state(txn, found.delivery, &next, None)?;
            let class = outcome.and_then(Outcome::class);
            write_status(txn, found, next.status(), class, None, now)?;
            next.status()
        }
        Step::Ends(ending) => {
            let external_id = match outcome {
                Some(Outcome::Sent { external_id }) => Some(external_id.as_str()),
                _ => None,
            };
            end(txn, found, ending, external_id, now)?;
            ending.status()
        }
    };
    Ok(Some(Settled { message: found.message, status }))
}

fn end(txn: &mut Txn<'_>, found: &OutboxEntry, ending: Ending, external_id: Option<&str>, now: Timestamp) -> rusqlite::Result<()> {
    txn.statement("DELETE FROM outbox WHERE delivery = ?1")?.execute([found.delivery.to_bytes()])?;
    if found.is_ordered {
        // What stands behind it in its conversation may go now.
        txn.leave_due();
    }
    write_status(txn, found, ending.status(), ending.class(), external_id, now)?;
    if ending.returns_charge() {
        return_charge(txn, found.account, found.message)?;
    }
    Ok(())
}

fn return_charge(txn: &mut Txn<'_>, account: AccountId, message: MessageId) -> rusqlite::Result<()> {
    let sql = "SELECT mode, charged_day, charged_month FROM messages WHERE account = ?1 AND id = ?2";
    let (mode, charge): (Mode, Option<Charge>) = txn
        .connection
        .prepare_cached(sql)?
        .query_row(params![account.to_bytes(), message.to_bytes()], |row| Ok((rows::plain_column(row, 0)?, rows::charge(row, 1, 2)?)))?;
    charge.map_or(Ok(()), |charge| txn.return_charge(account, mode, charge))
}

fn write_state(txn: &mut Txn<'_>, delivery: DeliveryId, next: &Delivery, started_at: Option<Timestamp>) -> rusqlite::Result<()> {
    let sql = "UPDATE outbox SET state = ?2, due = ?3, fence = ?4, tries = ?5, started_at = coalesce(?6, started_at) WHERE delivery = ?1";
    txn.statement(sql)?.execute(params![
        delivery.to_bytes(),
        rows::state_number(next.state),
        next.state.due().as_millis(),
        next.fence,
        next.tries,
        started_at.map(Timestamp::as_millis)
    ])?;
    Ok(())
}

fn write_status(
    txn: &mut Txn<'_>,
    found: &OutboxEntry,
    status: MessageStatus,
    error: Option<ErrorClass>,
    external_id: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE messages SET status = ?3, error = ?4, external_id = coalesce(?5, external_id), updated_at = ?6 WHERE account = ?1 AND id = ?2";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.message.to_bytes(),
        status.as_str(),
        error.map(ErrorClass::as_str),
        external_id,
        now.as_millis()
    ])?;
    Ok(())
}

/// Claims what is due, account after account and instance after instance.
pub(crate) fn claim(txn: &mut Txn<'_>, request: &Claim) -> rusqlite::Result<ClaimAnswer> {
    let mut answer = ClaimAnswer::default();
    let mut after = request.after;
    while let Some(account) = next_waiting_account(txn.connection, after)? {
        after = Some(account);
        let room = request.limit - answer.claimed.len();
        claim_of_account(txn, account, request, room.min(request.per_account), &mut answer)?;
        if answer.claimed.len() >= request.limit {
            answer.after = after;
            return Ok(answer);
        }
    }
    Ok(answer)
}

fn next_waiting_account(connection: &Connection, after: Option<AccountId>) -> rusqlite::Result<Option<AccountId>> {
    let sql = "SELECT account FROM outbox WHERE state = 0 AND account > ?1 ORDER BY account LIMIT 1";
    let after = after.map_or_else(Vec::new, |account| account.to_bytes().to_vec());
    connection.prepare_cached(sql)?.query_row([after], |row| rows::account_id(row, 0)).optional()
}

fn next_waiting_instance(connection: &Connection, account: AccountId, after: &[u8]) -> rusqlite::Result<Option<InstanceId>> {
    let sql = "SELECT instance FROM outbox WHERE state = 0 AND account = ?1 AND instance > ?2 ORDER BY instance LIMIT 1";
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), after], |row| rows::instance_id(row, 0)).optional()
}

fn claim_of_account(txn: &mut Txn<'_>, account: AccountId, request: &Claim, room: usize, answer: &mut ClaimAnswer) -> rusqlite::Result<()> {
    let connection = txn.connection;
    let is_closed = txn.account(account)?.is_none_or(|entry| entry.account.pause.is_some() || entry.account.suspended_at.is_some());
    if is_closed {
        return Ok(());
    }
    let mut after: Option<InstanceId> = None;
    let mut left = room;
    while let Some(instance) = next_waiting_instance(connection, account, &after.map_or_else(Vec::new, |id| id.to_bytes().to_vec()))? {
        after = Some(instance);
        let sends = instance_by_id(connection, account, instance)?
            .is_some_and(|found| found.pause.is_none() && found.connection == gatepost::Connection::Open);
        if !sends {
            continue;
        }
        for found in due(connection, account, instance, request.now, left)? {
            left -= usize::from(claim_one(txn, &found, request, answer)?);
        }
        let next = next_due(connection, account, instance, request.now)?;
        answer.next_due = answer.next_due.into_iter().chain(next).min();
    }
    Ok(())
}

fn due(
    connection: &Connection,
    account: AccountId,
    instance: InstanceId,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM outbox o WHERE state = 0 AND account = ?1 AND instance = ?2 AND due <= ?3
         AND (order_key IS NULL OR NOT EXISTS
              (SELECT 1 FROM outbox p WHERE p.account = o.account AND p.order_key = o.order_key AND p.log_id < o.log_id))
         ORDER BY due LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    rows::all(&mut statement, params![account.to_bytes(), instance.to_bytes(), now.as_millis(), limit as i64], entry)
}

fn next_due(connection: &Connection, account: AccountId, instance: InstanceId, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT due FROM outbox WHERE state = 0 AND account = ?1 AND instance = ?2 AND due > ?3 ORDER BY due LIMIT 1";
    connection
        .prepare_cached(sql)?
        .query_row(params![account.to_bytes(), instance.to_bytes(), now.as_millis()], |row| rows::time(row, 0))
        .optional()
}

/// Whether the row is the worker's now; one whose time is over ends instead.
fn claim_one(txn: &mut Txn<'_>, found: &OutboxEntry, request: &Claim, answer: &mut ClaimAnswer) -> rusqlite::Result<bool> {
    match found.state.step(&Input::Claim { lease_until: request.lease_until }, request.now) {
        Ok(Step::GoesOn(next)) => {
            write_state(txn, found.delivery, &next, None)?;
            answer.claimed.push(Claimed { account: found.account, delivery: found.delivery, fence: next.fence });
            Ok(true)
        }
        Ok(Step::Ends(ending)) => {
            end(txn, found, ending, None, request.now)?;
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}

/// Opens an attempt, if present facts still allow it.
pub(crate) fn start(txn: &mut Txn<'_>, claimed: Claimed, lease: Lease, now: Timestamp) -> rusqlite::Result<StartAnswer> {
    let Some(found) = find(txn, claimed)? else { return Ok(StartAnswer::Stale) };
    let input = Input::Start { fence: claimed.fence, lease_until: lease.until };
    let Ok(step) = found.state.step(&input, now) else { return Ok(StartAnswer::Stale) };
    let Some(waiting) = waiting_message(txn.connection, &found)? else { return Ok(StartAnswer::Stale) };
    match may_start(&start_facts(txn, &found, &waiting)?) {
        Gate::Closed => Ok(advance(txn, &found, &Input::Withdraw, now)?.map_or(StartAnswer::Stale, StartAnswer::Ended)),
        Gate::Wait => {
            advance(txn, &found, &Input::Release { fence: claimed.fence, due: now }, now)?;
            Ok(StartAnswer::Waits)
        }
        Gate::Open => match step {
            Step::Ends(ending) => {
                end(txn, &found, ending, None, now)?;
                Ok(StartAnswer::Ended(Settled { message: found.message, status: ending.status() }))
            }
            Step::GoesOn(next) => begin(txn, &found, &next, waiting, claimed, lease, now),
        },
    }
}

fn begin(
    txn: &mut Txn<'_>,
    found: &OutboxEntry,
    next: &Delivery,
    waiting: WaitingMessage,
    claimed: Claimed,
    lease: Lease,
    now: Timestamp,
) -> rusqlite::Result<StartAnswer> {
    let Some(instance) = instance_by_id(txn.connection, found.account, found.instance)? else { return Ok(StartAnswer::Stale) };
    write_state(txn, found.delivery, next, Some(now))?;
    write_status(txn, found, next.status(), None, None, now)?;
    let WaitingMessage { subject, recipient, purpose, content, .. } = waiting;
    let parcel = parcel(found.message, &instance, subject.mode, recipient, purpose, content);
    Ok(StartAnswer::Started(Box::new(Started { claimed, attempt: next.tries, lease, parcel })))
}

/// What a start reads of the message.
struct WaitingMessage {
    subject: Subject,
    recipient: gatepost::Address,
    purpose: gatepost::Purpose,
    content: Content,
    contact: gatepost::ContactState,
}

fn waiting_message(connection: &Connection, found: &OutboxEntry) -> rusqlite::Result<Option<WaitingMessage>> {
    let sql = "SELECT m.address, m.purpose, m.content, m.mode, m.origin, c.suppressed_by, c.suppressed_at FROM messages m
               JOIN contacts c ON c.account = m.account AND c.id = m.contact WHERE m.account = ?1 AND m.id = ?2";
    let read = |row: &Row<'_>| {
        let purpose: gatepost::Purpose = rows::plain_column(row, 1)?;
        let content: Content = rows::json(row, 2)?;
        let subject = Subject {
            purpose: purpose.into(),
            content: content.kind(),
            origin: rows::json(row, 4)?,
            mode: rows::plain_column(row, 3)?,
            released: false,
        };
        Ok(WaitingMessage { subject, recipient: rows::address(row, 0)?, purpose, content, contact: rows::contact_state(row, 5, 6)? })
    };
    connection.prepare_cached(sql)?.query_row(params![found.account.to_bytes(), found.message.to_bytes()], read).optional()
}

fn start_facts(txn: &mut Txn<'_>, found: &OutboxEntry, waiting: &WaitingMessage) -> rusqlite::Result<StartFacts> {
    let instance = instance_by_id(txn.connection, found.account, found.instance)?;
    let account = txn.account(found.account)?.map(|entry| &entry.account);
    let codes_pass = account.as_ref().is_some_and(|account| account.one_time_codes_pass);
    let findings = examine(&waiting.content);
    Ok(StartFacts {
        account_suspended: account.as_ref().is_none_or(|account| account.suspended_at.is_some()),
        account_paused: account.as_ref().is_none_or(|account| account.pause.is_some()),
        instance_paused: instance.as_ref().is_none_or(|instance| instance.pause.is_some()),
        connection: instance.map_or(gatepost::Connection::Closed, |instance| instance.connection),
        suppressed: suppression_forbids(waiting.contact, codes_pass, findings, &waiting.subject),
    })
}

/// Closes an attempt.
pub(crate) fn finish(txn: &mut Txn<'_>, finish: Finish) -> rusqlite::Result<Option<Settled>> {
    let Finish { claimed, attempt, outcome, jitter, now } = finish;
    let Some(found) = find(txn, claimed)? else { return Ok(None) };
    let input = Input::Finish { fence: claimed.fence, outcome, jitter };
    let settled = advance(txn, &found, &input, now)?;
    if let (Some(_), Input::Finish { outcome, .. }) = (settled, &input) {
        write_outcome(txn, &found, attempt, outcome, now)?;
    }
    Ok(settled)
}

/// Writes the attempt down with its outcome; while it was open, it stood in the outbox row.
fn write_outcome(txn: &mut Txn<'_>, found: &OutboxEntry, attempt: u16, outcome: &Outcome, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO attempts (account, message, number, started_at, finished_at, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.message.to_bytes(),
        attempt,
        found.started_at.unwrap_or(now).as_millis(),
        now.as_millis(),
        to_json(outcome)?
    ])?;
    Ok(())
}

/// Gives a claimed delivery back.
pub(crate) fn release(txn: &mut Txn<'_>, claimed: Claimed, now: Timestamp) -> rusqlite::Result<()> {
    if let Some(found) = find(txn, claimed)? {
        advance(txn, &found, &Input::Release { fence: claimed.fence, due: now }, now)?;
        txn.leave_due();
    }
    Ok(())
}

/// Closes what time has closed.
pub(crate) fn sweep(txn: &mut Txn<'_>, now: Timestamp, limit: usize) -> rusqlite::Result<Swept> {
    let mut swept = Swept::default();
    let overdue = overdue(txn.connection, now, limit)?;
    swept.more = overdue.len() >= limit;
    for found in overdue {
        swept.settled.extend(tick(txn, &found, now)?);
    }
    swept.more |= close_reviews(txn.connection, now, limit, &mut swept.settled)? >= limit;
    swept.more |= forget_keys(txn.connection, now, limit)? >= limit;
    Ok(swept)
}

fn overdue(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<OutboxEntry>> {
    let leased = format!("SELECT {ENTRY_COLUMNS} FROM outbox WHERE state <> 0 AND due <= ?1 ORDER BY due LIMIT ?2");
    let expired = format!("SELECT {ENTRY_COLUMNS} FROM outbox WHERE state = 0 AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2");
    let mut found = Vec::new();
    for sql in [leased, expired] {
        let mut statement = connection.prepare_cached(&sql)?;
        found.extend(rows::all(&mut statement, params![now.as_millis(), limit as i64], entry)?);
    }
    Ok(found)
}

/// Lets time pass for a delivery; its message's new status, where that changed.
fn tick(txn: &mut Txn<'_>, found: &OutboxEntry, now: Timestamp) -> rusqlite::Result<Option<Settled>> {
    let Some(settled) = advance(txn, found, &Input::Tick, now)? else { return Ok(None) };
    match found.state.state {
        State::Started { .. } => {
            let interrupted = Outcome::Unknown { class: ErrorClass::Interrupted };
            write_outcome(txn, found, found.state.tries, &interrupted, now)?;
            write_status(txn, found, settled.status, Some(ErrorClass::Interrupted), None, now)?;
        }
        State::Claimed { .. } => txn.leave_due(),
        State::Waiting { .. } | State::InDoubt { .. } => {}
    }
    Ok((settled.status != found.state.status()).then_some(settled))
}

fn close_reviews(connection: &Connection, now: Timestamp, limit: usize, settled: &mut Vec<Settled>) -> rusqlite::Result<usize> {
    let sql = "SELECT account, message FROM reviews WHERE closed_at IS NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let expired = rows::all(&mut statement, params![now.as_millis(), limit as i64], |row| {
        Ok((rows::account_id(row, 0)?, rows::message_id(row, 1)?))
    })?;
    for (account, message) in &expired {
        crate::reviews::expire(connection, *account, *message, now)?;
        settled.push(Settled { message: *message, status: MessageStatus::Refused });
    }
    Ok(expired.len())
}

fn forget_keys(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM idempotency_keys WHERE (account, key) IN
               (SELECT account, key FROM idempotency_keys WHERE bound_at <= ?1 ORDER BY bound_at LIMIT ?2)";
    connection.prepare_cached(sql)?.execute(params![now.minus(IDEMPOTENCY_TIME).as_millis(), limit as i64])
}
