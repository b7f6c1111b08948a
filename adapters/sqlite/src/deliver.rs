//! Deliver: a message's way: claim, start, finish, release and sweep. The core's state machine says what follows.

use gatepost::{
    AccountId, Actor, Cause, Channel, Charge, Claim, ClaimAnswer, Claimed, Content, Delivery, DeliveryId, EXTERNAL_ID_BYTES_MAX, Ending,
    ErrorClass, Finish, Finished, Gate, Happening, IDEMPOTENCY_TIME, Input, InstanceId, Lease, Message, MessageId, MessageStatus, Mode,
    NewSuppression, Outcome, Provider, Reported, Settled, StartAnswer, StartFacts, Started, State, StatusReport, Step, Subject,
    SuppressionId, Swept, Timestamp, is_moot_confirmation, is_one_time_code, may_start, suppression_forbids, suspicion_holds,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::accept::parcel;
use crate::events::{self, Change};
use crate::open::{OpenAttempt, Told};
use crate::outbox::{self, OutboxEntry, Read, entry_columns, or_park, readable};
use crate::rows::{self, to_json};
use crate::txn::{Txn, instance_by_id};
use crate::{inbox, messages, notices, reviews, suppressions, traffic};

/// Ends the delivery in doubt of a message.
pub(crate) fn resolve(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: MessageId,
    sent: bool,
    now: Timestamp,
) -> rusqlite::Result<Option<MessageStatus>> {
    let Some(found) = of_message(txn, account, message, now)? else { return Ok(None) };
    Ok(advance(txn, &found, &Input::Resolve { sent }, now)?.map(|settled| settled.status))
}

/// The delivery of a message that was parked, as what it is to everybody: in doubt. The message itself must be readable, so that what
/// becomes of it can be told.
fn parked(
    connection: &Connection,
    account: AccountId,
    message: MessageId,
    delivery: &[u8],
    now: Timestamp,
) -> rusqlite::Result<Option<OutboxEntry>> {
    let is_in_doubt = messages::find(connection, account, message)?.is_some_and(|found| found.status == MessageStatus::Unknown);
    let is_closable = is_in_doubt && outbox::is_parked(connection, delivery)?;
    let delivery = delivery.try_into().ok().filter(|_| is_closable).map(DeliveryId::from_bytes);
    Ok(delivery.map(|delivery| OutboxEntry::in_doubt(account, delivery, message, now)))
}

/// Lets the state machine take one step and writes what follows; `None` where the input is stale.
pub(crate) fn advance(txn: &mut Txn<'_>, found: &OutboxEntry, input: &Input, now: Timestamp) -> rusqlite::Result<Option<Settled>> {
    let Ok(step) = found.state.step(input, now) else { return Ok(None) };
    let status = match step {
        Step::GoesOn(next) => {
            outbox::write_state(txn, found.delivery, &next, None)?;
            change_status(txn, found, next.status(), class(found, input), now)?;
            next.status()
        }
        Step::Ends(ending) => {
            end(txn, found, ending, now)?;
            ending.status()
        }
    };
    Ok(Some(Settled { message: found.message(), status }))
}

/// Why a message that goes on is not further.
const fn class(found: &OutboxEntry, input: &Input) -> Option<ErrorClass> {
    match (found.state.state, input) {
        (_, Input::Finish { outcome, .. }) => outcome.class(),
        (State::Started { .. }, Input::Tick) => Some(ErrorClass::Interrupted),
        _ => None,
    }
}

fn end(txn: &mut Txn<'_>, found: &OutboxEntry, ending: Ending, now: Timestamp) -> rusqlite::Result<()> {
    outbox::remove(txn, found.delivery)?;
    outbox::let_next_go(txn, found, now)?;
    change_status(txn, found, ending.status(), ending.class(), now)?;
    if ending == Ending::Held {
        reviews::reopen(txn.connection, found.account, found.message(), now)?;
    }
    if ending.returns_charge() {
        return_charge(txn, found.account, found.message())?;
    }
    if ending.class().is_some_and(ErrorClass::is_of_provider) {
        note_failure(txn, found.account, found.message(), now)?;
    }
    Ok(())
}

/// Counts a message that the provider would not deliver.
fn note_failure(txn: &mut Txn<'_>, account: AccountId, message: MessageId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "SELECT mode FROM messages WHERE account = ?1 AND id = ?2";
    let params = params![account.to_bytes(), message.to_bytes()];
    let mode: Option<Mode> = txn.connection.prepare_cached(sql)?.query_row(params, |row| rows::plain_column(row, 0)).optional()?;
    mode.map_or(Ok(()), |mode| traffic::note(txn, account, mode, Happening::Failed, now))
}

/// Writes that a message was sent, and by which attempt.
fn note_sent(txn: &mut Txn<'_>, found: &OutboxEntry, external_id: Option<&str>, now: Timestamp) -> rusqlite::Result<()> {
    let sql =
        "UPDATE messages SET status = ?3, error = NULL, external_id = ?4, sent_try = ?5, sent_from = ?6, sent_at = ?7, updated_at = ?7
               WHERE account = ?1 AND id = ?2";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.message().to_bytes(),
        MessageStatus::Sent.as_str(),
        external_id,
        found.state.tries,
        found.started_at.unwrap_or(now).as_millis(),
        now.as_millis()
    ])?;
    let Some(external_id) = external_id else { return Ok(()) };
    // Without it reports are understood by our own id.
    txn.part(|txn| note_external_id(txn, found.account, found.instance(), external_id, found.message())).map(drop)
}

/// Has reports by the provider's own id understood. The sandbox reports by ours.
fn note_external_id(
    txn: &mut Txn<'_>,
    account: AccountId,
    instance: InstanceId,
    external_id: &str,
    message: MessageId,
) -> rusqlite::Result<()> {
    let provider = txn.instance(account, instance)?.map(|instance| instance.provider);
    if provider.is_none_or(|provider| provider == Provider::Sandbox) || external_id.len() > EXTERNAL_ID_BYTES_MAX {
        return Ok(());
    }
    inbox::note_external_id(txn, account, instance, external_id, message)
}

fn return_charge(txn: &mut Txn<'_>, account: AccountId, message: MessageId) -> rusqlite::Result<()> {
    let sql = "SELECT mode, charged_day, charged_month FROM messages WHERE account = ?1 AND id = ?2";
    let (mode, charge): (Mode, Option<Charge>) = txn
        .connection
        .prepare_cached(sql)?
        .query_row(params![account.to_bytes(), message.to_bytes()], |row| Ok((rows::plain_column(row, 0)?, rows::charge(row, 1, 2)?)))?;
    charge.map_or(Ok(()), |charge| txn.return_charge(account, mode, charge))
}

/// Writes the status, and tells of it where it is another.
fn change_status(
    txn: &mut Txn<'_>,
    found: &OutboxEntry,
    status: MessageStatus,
    error: Option<ErrorClass>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    write_status(txn, found, status, error, now)?;
    let previous = found.state.status();
    if status == previous {
        return Ok(());
    }
    events::tell_change(txn, found.account, found.message(), None, Change { previous, status, error }, now)
}

fn write_status(
    txn: &mut Txn<'_>,
    found: &OutboxEntry,
    status: MessageStatus,
    error: Option<ErrorClass>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE messages SET status = ?3, error = ?4, updated_at = ?5 WHERE account = ?1 AND id = ?2";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.message().to_bytes(),
        status.as_str(),
        error.map(ErrorClass::as_str),
        now.as_millis()
    ])?;
    Ok(())
}

/// Claims what is due, account after account.
pub(crate) fn claim(txn: &mut Txn<'_>, request: &Claim) -> rusqlite::Result<ClaimAnswer> {
    let mut answer = ClaimAnswer::default();
    let mut after = request.after;
    while let Some(account) = next_waiting_account(txn.connection, after)? {
        after = Some(account);
        let room = request.limit - answer.claimed.len();
        // An account that cannot be read keeps its own messages waiting, and nobody else's.
        let share = txn.part(|txn| claim_of_account(txn, account, request, room.min(request.per_account)))?.unwrap_or_default();
        answer.claimed.extend(share.claimed);
        answer.next_due = answer.next_due.into_iter().chain(share.next_due).min();
        answer.more |= share.more;
        if answer.claimed.len() >= request.limit {
            answer.after = after;
            return Ok(answer);
        }
    }
    Ok(answer)
}

pub(crate) const NEXT_ACCOUNT: &str = "SELECT account FROM outbox INDEXED BY outbox_messages_waiting
    WHERE channel = 0 AND state = 0 AND account > ?1 AND length(account) = 16 ORDER BY account LIMIT 1";

fn next_waiting_account(connection: &Connection, after: Option<AccountId>) -> rusqlite::Result<Option<AccountId>> {
    let after = after.map_or_else(Vec::new, |account| account.to_bytes().to_vec());
    connection.prepare_cached(NEXT_ACCOUNT)?.query_row([after], |row| rows::account_id(row, 0)).optional()
}

pub(crate) const NEXT_INSTANCE: &str = "SELECT place FROM outbox INDEXED BY outbox_messages_waiting
    WHERE channel = 0 AND state = 0 AND account = ?1 AND place > ?2 AND length(place) = 16 ORDER BY place LIMIT 1";

fn next_waiting_instance(connection: &Connection, account: AccountId, after: &[u8]) -> rusqlite::Result<Option<InstanceId>> {
    let params = params![account.to_bytes(), after];
    connection.prepare_cached(NEXT_INSTANCE)?.query_row(params, |row| rows::instance_id(row, 0)).optional()
}

fn claim_of_account(txn: &mut Txn<'_>, account: AccountId, request: &Claim, room: usize) -> rusqlite::Result<ClaimAnswer> {
    let connection = txn.connection;
    let mut answer = ClaimAnswer::default();
    let is_closed = txn.account(account)?.is_none_or(|entry| entry.account.pause.is_some() || entry.account.suspended_at.is_some());
    if is_closed {
        return Ok(answer);
    }
    let instances = open_instances(txn, account)?;
    let mut busy = Vec::new();
    for instance in instances {
        let next = next_due(connection, account, instance, request.now)?;
        answer.next_due = answer.next_due.into_iter().chain(next).min();
        busy.extend(has_due(connection, account, instance, request.now)?.then_some(instance));
    }
    // Of many instances little is read each, as they share the room; what is left is asked for again.
    let share = (2 * room / busy.len().max(1)).clamp(1, room.max(1));
    let mut found = Vec::new();
    for instance in busy {
        let of_instance = due(connection, account, instance, request.now, share)?;
        answer.more |= of_instance.len() == share;
        found.extend(of_instance);
    }
    let mut found = readable(txn, found, request.now)?;
    found.sort_by_key(|found| found.state.state.due());
    let mut left = room;
    for found in found {
        if left == 0 {
            answer.more = true;
            break;
        }
        left -= usize::from(claim_one(txn, &found, request, &mut answer)?);
    }
    Ok(answer)
}

/// The instances for which something waits, and that send. One that cannot be read does not.
fn open_instances(txn: &mut Txn<'_>, account: AccountId) -> rusqlite::Result<Vec<InstanceId>> {
    let mut open = Vec::new();
    let mut after: Vec<u8> = Vec::new();
    while let Some(instance) = next_waiting_instance(txn.connection, account, &after)? {
        after = instance.to_bytes().to_vec();
        let found = txn.part(|txn| instance_by_id(txn.connection, account, instance))?.flatten();
        if found.is_some_and(|found| found.pause.is_none() && found.connection == gatepost::Connection::Open) {
            open.push(instance);
        }
    }
    Ok(open)
}

pub(crate) const DUE: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o INDEXED BY outbox_messages_waiting
      WHERE o.channel = 0 AND o.state = 0 AND o.account = ?1 AND o.place = ?2 AND o.due <= ?3
      AND (o.order_key IS NULL OR NOT EXISTS
           (SELECT 1 FROM outbox p INDEXED BY outbox_messages_ordered
            WHERE p.account = o.account AND p.order_key = o.order_key AND p.log_id < o.log_id AND p.state <> 4))
      ORDER BY o.due LIMIT ?4"
);

fn due(connection: &Connection, account: AccountId, instance: InstanceId, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Read>> {
    let mut statement = connection.prepare_cached(DUE)?;
    rows::all(&mut statement, params![account.to_bytes(), instance.to_bytes(), now.as_millis(), limit as i64], outbox::read)
}

pub(crate) const HAS_DUE: &str = "SELECT 1 FROM outbox INDEXED BY outbox_messages_waiting
    WHERE channel = 0 AND state = 0 AND account = ?1 AND place = ?2 AND due <= ?3 LIMIT 1";

fn has_due(connection: &Connection, account: AccountId, instance: InstanceId, now: Timestamp) -> rusqlite::Result<bool> {
    connection.prepare_cached(HAS_DUE)?.exists(params![account.to_bytes(), instance.to_bytes(), now.as_millis()])
}

pub(crate) const NEXT_DUE: &str = "SELECT due FROM outbox INDEXED BY outbox_messages_waiting
    WHERE channel = 0 AND state = 0 AND account = ?1 AND place = ?2 AND due > ?3 ORDER BY due LIMIT 1";

fn next_due(connection: &Connection, account: AccountId, instance: InstanceId, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
    let params = params![account.to_bytes(), instance.to_bytes(), now.as_millis()];
    connection.prepare_cached(NEXT_DUE)?.query_row(params, |row| rows::time(row, 0)).optional()
}

/// Whether the row is the worker's now; one whose time is over ends instead.
fn claim_one(txn: &mut Txn<'_>, found: &OutboxEntry, request: &Claim, answer: &mut ClaimAnswer) -> rusqlite::Result<bool> {
    let input = Input::Claim { lease_until: request.lease_until };
    match found.state.step(&input, request.now) {
        Ok(Step::GoesOn(next)) => {
            outbox::write_state(txn, found.delivery, &next, None)?;
            answer.claimed.push(Claimed { account: found.account, delivery: found.delivery, fence: next.fence });
            Ok(true)
        }
        Ok(Step::Ends(ending)) => {
            end(txn, found, ending, request.now)?;
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}

/// Opens an attempt, if present facts still allow it.
pub(crate) fn start(txn: &mut Txn<'_>, claimed: Claimed, lease: Lease, now: Timestamp) -> rusqlite::Result<StartAnswer> {
    or_park(txn, claimed.delivery, now, |txn| try_start(txn, claimed, lease, now)).map(|answer| answer.unwrap_or(StartAnswer::Stale))
}

fn try_start(txn: &mut Txn<'_>, claimed: Claimed, lease: Lease, now: Timestamp) -> rusqlite::Result<StartAnswer> {
    let Some(found) = outbox::find(txn, claimed)? else { return Ok(StartAnswer::Stale) };
    let input = Input::Start { fence: claimed.fence, lease_until: lease.until };
    let Ok(step) = found.state.step(&input, now) else { return Ok(StartAnswer::Stale) };
    let Some(waiting) = waiting_message(txn.connection, &found)? else { return Ok(StartAnswer::Stale) };
    match may_start(&start_facts(txn, &found, &waiting)?) {
        Gate::Closed => Ok(advance(txn, &found, &Input::Withdraw, now)?.map_or(StartAnswer::Stale, StartAnswer::Ended)),
        Gate::Held => Ok(advance(txn, &found, &Input::Hold, now)?.map_or(StartAnswer::Stale, StartAnswer::Ended)),
        Gate::Wait => {
            advance(txn, &found, &Input::Release { fence: claimed.fence, due: now }, now)?;
            Ok(StartAnswer::Waits)
        }
        Gate::Open => match step {
            Step::Ends(ending) => {
                end(txn, &found, ending, now)?;
                Ok(StartAnswer::Ended(Settled { message: found.message(), status: ending.status() }))
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
    let Some(instance) = instance_by_id(txn.connection, found.account, found.instance())? else { return Ok(StartAnswer::Stale) };
    outbox::write_state(txn, found.delivery, next, Some(now))?;
    let WaitingMessage { subject, recipient, purpose, content, .. } = waiting;
    let told = Told { instance: instance.id, recipient: recipient.clone(), purpose, origin: subject.origin };
    txn.open_attempts().add(OpenAttempt { entry: found.started(*next, now), told: Some(told) });
    // Customers are told of a start as of what is queued: not again.
    write_status(txn, found, next.status(), None, now)?;
    let parcel = parcel(found.account, found.message(), &instance, subject.mode, recipient, purpose, content);
    Ok(StartAnswer::Started(Box::new(Started { claimed, attempt: next.tries, lease, parcel })))
}

/// What a start reads of the message.
struct WaitingMessage {
    subject: Subject,
    recipient: gatepost::Address,
    purpose: gatepost::Purpose,
    content: Content,
    contact: gatepost::ContactState,
    /// The last moment of which whoever let it go out had seen what there was, where the contact may have opted out.
    seen_until: Option<Timestamp>,
}

fn waiting_message(connection: &Connection, found: &OutboxEntry) -> rusqlite::Result<Option<WaitingMessage>> {
    let sql = "SELECT m.address, m.purpose, m.content, m.mode, m.origin, c.suppressed_by, c.suppressed_at, c.suspected_at,
                   iif(c.suspected_at IS NULL, NULL, (SELECT r.opened_at FROM reviews r
                       WHERE r.account = m.account AND r.message = m.id AND r.verdict = 'released')) FROM messages m
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
            reviewed: None,
        };
        let (contact, seen_until) = (rows::contact_state(row, 5)?, rows::time_or_none(row, 8)?);
        Ok(WaitingMessage { subject, recipient: rows::address(row, 0)?, purpose, content, contact, seen_until })
    };
    connection.prepare_cached(sql)?.query_row(params![found.account.to_bytes(), found.message().to_bytes()], read).optional()
}

/// What a start would read now of a message that waits.
pub(crate) fn present_facts(txn: &mut Txn<'_>, found: &OutboxEntry) -> rusqlite::Result<Option<StartFacts>> {
    let waiting = waiting_message(txn.connection, found)?;
    waiting.map(|waiting| start_facts(txn, found, &waiting)).transpose()
}

fn start_facts(txn: &mut Txn<'_>, found: &OutboxEntry, waiting: &WaitingMessage) -> rusqlite::Result<StartFacts> {
    let instance = instance_by_id(txn.connection, found.account, found.instance())?;
    let account = txn.account(found.account)?.map(|entry| &entry.account);
    let codes_pass = account.as_ref().is_some_and(|account| account.one_time_codes_pass);
    let is_code = is_one_time_code(&waiting.content);
    Ok(StartFacts {
        account_suspended: account.as_ref().is_none_or(|account| account.suspended_at.is_some()),
        account_paused: account.as_ref().is_none_or(|account| account.pause.is_some()),
        instance_paused: instance.as_ref().is_none_or(|instance| instance.pause.is_some()),
        connection: instance.map_or(gatepost::Connection::Closed, |instance| instance.connection),
        suppressed: suppression_forbids(waiting.contact, codes_pass, is_code, &waiting.subject)
            || is_moot_confirmation(waiting.contact, &waiting.subject),
        suspected: suspicion_holds(waiting.contact, waiting.seen_until, is_code, &waiting.subject),
    })
}

/// Closes an attempt.
pub(crate) fn finish(txn: &mut Txn<'_>, finish: &Finish) -> rusqlite::Result<Finished> {
    Ok(or_park(txn, finish.claimed.delivery, finish.now, |txn| try_finish(txn, finish))?.unwrap_or(Finished::Stale))
}

fn try_finish(txn: &mut Txn<'_>, finish: &Finish) -> rusqlite::Result<Finished> {
    let known = txn.open_attempts().take(finish.claimed);
    if let Outcome::Sent { external_id } = &finish.outcome {
        return match known {
            Some(open) => finish_sent(txn, open, finish, external_id.as_deref()),
            None => match outbox::find(txn, finish.claimed)? {
                Some(found) => finish_sent(txn, found.into(), finish, external_id.as_deref()),
                None => Ok(Finished::Stale),
            },
        };
    }
    let Some(found) = outbox::find(txn, finish.claimed)? else { return Ok(Finished::Stale) };
    match found.state.channel {
        Channel::Message => Ok(finish_message(txn, &found, finish)?.map_or(Finished::Stale, Finished::Message)),
        Channel::Event => notices::finish(txn, &found, finish),
    }
}

/// Closes an attempt that has sent, as most have.
fn finish_sent(txn: &mut Txn<'_>, open: OpenAttempt, finish: &Finish, external_id: Option<&str>) -> rusqlite::Result<Finished> {
    let OpenAttempt { entry: found, told } = open;
    let step = found.state.step(&finish_input(finish), finish.now);
    if step != Ok(Step::Ends(Ending::Sent)) || !outbox::remove_sent(txn, &found)? {
        return Ok(Finished::Stale);
    }
    if found.state.channel == Channel::Event {
        return notices::finish_sent(txn, &found, finish, external_id);
    }
    outbox::let_next_go(txn, &found, finish.now)?;
    note_sent(txn, &found, external_id, finish.now)?;
    let change = Change { previous: found.state.status(), status: MessageStatus::Sent, error: None };
    events::tell_change(txn, found.account, found.message(), told, change, finish.now)?;
    Ok(Finished::Message(Settled { message: found.message(), status: MessageStatus::Sent }))
}

/// A finish as the state machine is told of it.
pub(crate) fn finish_input(finish: &Finish) -> Input {
    Input::Finish { fence: finish.claimed.fence, outcome: finish.outcome.clone(), jitter: finish.jitter }
}

fn finish_message(txn: &mut Txn<'_>, found: &OutboxEntry, finish: &Finish) -> rusqlite::Result<Option<Settled>> {
    let settled = advance(txn, found, &finish_input(finish), finish.now)?;
    if settled.is_some() {
        write_outcome(txn, found, finish.attempt, &finish.outcome, finish.now)?;
    }
    if settled.is_some() && finish.outcome.class() == Some(ErrorClass::OptedOut) {
        note_opt_out(txn, found.account, found.message(), finish.now)?;
    }
    Ok(settled)
}

/// The provider says that the recipient of a message stopped messages of its kind there.
fn note_opt_out(txn: &mut Txn<'_>, account: AccountId, message: MessageId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "SELECT contact, address FROM messages WHERE account = ?1 AND id = ?2";
    let read = |row: &Row<'_>| Ok((rows::contact_id(row, 0)?, rows::address(row, 1)?));
    let params = params![account.to_bytes(), message.to_bytes()];
    let Some((contact, address)) = txn.connection.prepare_cached(sql)?.query_row(params, read).optional()? else { return Ok(()) };
    let (id, cause, by) = (SuppressionId::of(message.to_bytes(), now), Cause::UserPreference, Actor::Recipient);
    suppressions::suppress(txn, account, NewSuppression { id, contact, address, cause, note: None, by, now }).map(drop)
}

/// Writes what the provider reported of a message. Where its delivery is open, that ends it: nobody is in doubt any more. `false` where it
/// cannot be, since nothing was tried yet.
pub(crate) fn write_report(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: &Message,
    report: &StatusReport,
    reported: Reported,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let input = reported.error.map_or(Input::Arrived, |class| Input::Bounced { class });
    if let Some(found) = of_message(txn, account, message.id, now)? {
        let Ok(Step::Ends(ending)) = found.state.step(&input, now) else { return Ok(false) };
        end_reported(txn, &found, ending, report, now)?;
    }
    if message.status == MessageStatus::Held {
        reviews::close_arrived(txn.connection, account, message.id, now)?;
    }
    if message.external_id.is_none() {
        txn.part(|txn| note_external_id(txn, account, message.instance, &report.external_id, message.id))?;
    }
    let sql = "UPDATE messages SET status = ?3, error = ?4, external_id = coalesce(external_id, ?5), updated_at = ?6
               WHERE account = ?1 AND id = ?2";
    txn.statement(sql)?.execute(params![
        account.to_bytes(),
        message.id.to_bytes(),
        reported.status.as_str(),
        reported.error.map(ErrorClass::as_str),
        report.external_id,
        now.as_millis()
    ])?;
    let Reported { status, error } = reported;
    events::tell_change(txn, account, message.id, None, Change { previous: message.status, status, error }, now)?;
    if error.is_some_and(ErrorClass::is_of_provider) {
        traffic::note(txn, account, message.mode, Happening::Failed, now)?;
    }
    if error == Some(ErrorClass::OptedOut) {
        note_opt_out(txn, account, message.id, now)?;
    }
    Ok(true)
}

/// Ends a delivery of which the provider told what became of it, and closes its attempt if that is open.
fn end_reported(txn: &mut Txn<'_>, found: &OutboxEntry, ending: Ending, report: &StatusReport, now: Timestamp) -> rusqlite::Result<()> {
    outbox::remove(txn, found.delivery)?;
    outbox::let_next_go(txn, found, now)?;
    if let State::Started { .. } = found.state.state {
        match ending.class() {
            None => note_sent(txn, found, Some(&report.external_id), now)?,
            Some(class) => write_outcome(txn, found, found.state.tries, &Outcome::Failed { class, retry_after: None }, now)?,
        }
    }
    if ending.returns_charge() { return_charge(txn, found.account, found.message()) } else { Ok(()) }
}

/// The open delivery of a message.
fn of_message(txn: &mut Txn<'_>, account: AccountId, message: MessageId, now: Timestamp) -> rusqlite::Result<Option<OutboxEntry>> {
    let params = params![account.to_bytes(), message.to_bytes()];
    match txn.connection.prepare_cached(OF_MESSAGE)?.query_row(params, outbox::read).optional()? {
        None => Ok(None),
        Some(Ok(found)) => Ok(Some(found)),
        Some(Err(delivery)) => parked(txn.connection, account, message, &delivery, now),
    }
}

const OF_MESSAGE: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o WHERE o.delivery = (SELECT delivery FROM messages WHERE account = ?1 AND id = ?2)"
);

/// Writes an attempt that did not send down with its outcome; while it was open, it stood in the outbox row.
fn write_outcome(txn: &mut Txn<'_>, found: &OutboxEntry, attempt: u16, outcome: &Outcome, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO attempts (account, message, number, started_at, finished_at, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    txn.statement(sql)?.execute(params![
        found.account.to_bytes(),
        found.message().to_bytes(),
        attempt,
        found.started_at.unwrap_or(now).as_millis(),
        now.as_millis(),
        to_json(outcome)?
    ])?;
    Ok(())
}

/// Gives a claimed delivery back. Events are never claimed without being started.
pub(crate) fn release(txn: &mut Txn<'_>, claimed: Claimed, now: Timestamp) -> rusqlite::Result<()> {
    let give_back = |txn: &mut Txn<'_>| {
        let found = outbox::find(txn, claimed)?;
        if let Some(found) = found.filter(|found| found.state.channel == Channel::Message) {
            advance(txn, &found, &Input::Release { fence: claimed.fence, due: now }, now)?;
            txn.leave_due();
        }
        Ok(())
    };
    or_park(txn, claimed.delivery, now, give_back).map(drop)
}

/// Closes what time has closed.
pub(crate) fn sweep(txn: &mut Txn<'_>, now: Timestamp, limit: usize) -> rusqlite::Result<Swept> {
    let mut swept = Swept::default();
    for sql in [MESSAGES_LEASED, MESSAGES_EXPIRED, notices::LEASED] {
        let params = params![now.as_millis(), limit as i64];
        let overdue = rows::all(&mut *txn.connection.prepare_cached(sql)?, params, outbox::read)?;
        swept.more |= overdue.len() >= limit;
        tick_all(txn, overdue, now, &mut swept)?;
    }
    let expired = notices::expired(txn.connection, now, limit)?;
    swept.more |= expired.len() >= limit;
    tick_all(txn, expired, now, &mut swept)?;
    swept.more |= close_reviews(txn, now, limit, &mut swept.settled)? >= limit;
    swept.more |= forget_keys(txn.connection, now, limit)? >= limit;
    Ok(swept)
}

pub(crate) const MESSAGES_LEASED: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o INDEXED BY outbox_messages_leased
      WHERE o.channel = 0 AND o.state <> 0 AND o.state <> 4 AND o.due <= ?1 ORDER BY o.due LIMIT ?2"
);

pub(crate) const MESSAGES_EXPIRED: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM outbox o INDEXED BY outbox_messages_expiring
      WHERE o.channel = 0 AND o.state = 0 AND o.expires_at <= ?1 ORDER BY o.expires_at LIMIT ?2"
);

fn tick_all(txn: &mut Txn<'_>, overdue: Vec<Read>, now: Timestamp, swept: &mut Swept) -> rusqlite::Result<()> {
    for found in readable(txn, overdue, now)? {
        let claimed = Claimed { account: found.account, delivery: found.delivery, fence: found.state.fence };
        swept.settled.extend(or_park(txn, claimed.delivery, now, |txn| tick(txn, &found, now))?.flatten());
    }
    Ok(())
}

fn tick(txn: &mut Txn<'_>, found: &OutboxEntry, now: Timestamp) -> rusqlite::Result<Option<Settled>> {
    match found.state.channel {
        Channel::Message => tick_message(txn, found, now),
        Channel::Event => notices::tick(txn, found, now).map(|()| None),
    }
}

/// Lets time pass for a message's delivery; the message's new status, where that changed.
fn tick_message(txn: &mut Txn<'_>, found: &OutboxEntry, now: Timestamp) -> rusqlite::Result<Option<Settled>> {
    let Some(settled) = advance(txn, found, &Input::Tick, now)? else { return Ok(None) };
    match found.state.state {
        State::Started { .. } => {
            let interrupted = Outcome::Unknown { class: ErrorClass::Interrupted };
            write_outcome(txn, found, found.state.tries, &interrupted, now)?;
        }
        State::Claimed { .. } => txn.leave_due(),
        State::Waiting { .. } | State::InDoubt { .. } => {}
    }
    Ok((settled.status != found.state.status()).then_some(settled))
}

fn close_reviews(txn: &mut Txn<'_>, now: Timestamp, limit: usize, settled: &mut Vec<Settled>) -> rusqlite::Result<usize> {
    let sql = "SELECT account, message FROM reviews WHERE closed_at IS NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
    let expired = rows::all(&mut *txn.connection.prepare_cached(sql)?, params![now.as_millis(), limit as i64], |row| {
        Ok((rows::account_id(row, 0)?, rows::message_id(row, 1)?))
    })?;
    for (account, message) in &expired {
        reviews::expire(txn, *account, *message, now)?;
        settled.push(Settled { message: *message, status: MessageStatus::Refused });
    }
    Ok(expired.len())
}

fn forget_keys(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM idempotency_keys WHERE (account, key) IN
               (SELECT account, key FROM idempotency_keys WHERE bound_at <= ?1 ORDER BY bound_at LIMIT ?2)";
    connection.prepare_cached(sql)?.execute(params![now.minus(IDEMPOTENCY_TIME).as_millis(), limit as i64])
}
