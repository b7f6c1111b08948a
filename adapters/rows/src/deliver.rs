//! Deliver: claim, start, finish, release and sweep of messages. The core's state machine says what follows; this file writes it down.
//!
//! The players: an [`OutboxRow`] (a delivery that has not ended), an [`Input`] (what happens to it), and [`advance`], through which
//! every change goes.

use std::collections::BTreeMap;
use std::ops::Bound;

use gatepost::{
    AccountId, Actor, Attempt, Cause, Claim, ClaimAnswer, Claimed, Connection, Delivery, EXTERNAL_ID_BYTES_MAX, Ending, ErrorClass, Finish,
    Finished, Gate, Happening, IDEMPOTENCY_TIME, IdempotencyKey, Input, InstanceId, Lease, Message, MessageId, MessageStatus, Mode,
    NewSuppression, Outcome, Parcel, Provider, Reported, Review, Settled, StartAnswer, StartFacts, Started, State, StatusReport, Step,
    SuppressionId, Swept, Timestamp, is_moot_confirmation, is_one_time_code, may_start, suppression_forbids, suspicion_holds,
};

use crate::messages::set_status;
use crate::world::{AccountRows, Effects, MessageRow, OutboxRow, SentBy, World, closes_at};
use crate::{notices, reviews, suppressions, traffic};

/// Lets the state machine take one step and writes what follows; `None` where the input is stale.
pub fn advance(rows: &mut AccountRows, effects: &mut Effects, row: &OutboxRow, input: &Input, now: Timestamp) -> Option<Settled> {
    let step = row.delivery.step(input, now).ok()?;
    let outcome = match input {
        Input::Finish { outcome, .. } => Some(outcome),
        _ => None,
    };
    Some(match step {
        Step::GoesOn(delivery) => go_on(rows, effects, OutboxRow { delivery, ..*row }, error(row, input), now),
        Step::Ends(ending) => {
            note_outcome(rows, row, outcome);
            end(rows, effects, row, ending, now)
        }
    })
}

/// Why a message that goes on is not further.
const fn error(row: &OutboxRow, input: &Input) -> Option<ErrorClass> {
    match (input, row.delivery.state) {
        (Input::Finish { outcome, .. }, _) => outcome.class(),
        (Input::Tick, State::Started { .. }) => Some(ErrorClass::Interrupted),
        _ => None,
    }
}

fn go_on(rows: &mut AccountRows, effects: &mut Effects, next: OutboxRow, error: Option<ErrorClass>, now: Timestamp) -> Settled {
    let status = next.delivery.status();
    rows.outbox.insert(next.id, next);
    set_status(rows, effects, next.message, status, error, now);
    Settled { message: next.message, status }
}

fn end(rows: &mut AccountRows, effects: &mut Effects, row: &OutboxRow, ending: Ending, now: Timestamp) -> Settled {
    rows.outbox.remove(&row.id);
    rows.parked.remove(&row.id);
    set_status(rows, effects, row.message, ending.status(), ending.class(), now);
    if ending.returns_charge() {
        return_charge(rows, row.message);
    }
    if ending == Ending::Held {
        reviews::reopen(rows, row.message, now);
    }
    if ending.class().is_some_and(ErrorClass::is_of_provider) {
        note_failure(rows, effects, row.message, now);
    }
    // What stood behind it in its conversation may go now.
    effects.left_due |= row.order_key.is_some();
    Settled { message: row.message, status: ending.status() }
}

/// Counts a message that the provider would not deliver.
pub fn note_failure(rows: &mut AccountRows, effects: &mut Effects, message: MessageId, now: Timestamp) {
    if let Some(mode) = rows.messages.get(&message).map(|row| row.message.mode) {
        traffic::note(rows, effects, mode, Happening::Failed, now);
    }
}

fn note_outcome(rows: &mut AccountRows, row: &OutboxRow, outcome: Option<&Outcome>) {
    let Some(Outcome::Sent { external_id }) = outcome else { return };
    if let Some(external_id) = external_id {
        note_external_id(rows, row.instance, external_id, row.message);
    }
    if let Some(row) = rows.messages.get_mut(&row.message) {
        row.message.external_id = external_id.clone();
    }
}

/// Has reports by the provider's own id understood. The sandbox reports by ours.
pub fn note_external_id(rows: &mut AccountRows, instance: InstanceId, external_id: &str, message: MessageId) {
    let provider = rows.instances.get(&instance).map(|instance| instance.provider);
    if provider.is_some_and(|provider| provider != Provider::Sandbox) && external_id.len() <= EXTERNAL_ID_BYTES_MAX {
        rows.external_ids.insert((instance, external_id.to_owned()), message);
    }
}

/// Returns a message's charge to the windows it came from.
fn return_charge(rows: &mut AccountRows, message: MessageId) {
    let Some(row) = rows.messages.get(&message) else { return };
    let mode = row.message.mode;
    for window in row.charge.into_iter().flat_map(|charge| [charge.day, charge.month]) {
        if let Some(charged) = rows.usage.get_mut(&(mode, window)) {
            *charged = charged.saturating_sub(1);
        }
    }
}

/// Writes down how an attempt ended: what sent into the message, and what did not beside it.
fn close_attempt(rows: &mut AccountRows, row: &OutboxRow, number: u16, outcome: Outcome, now: Timestamp) {
    let Some(message) = rows.messages.get_mut(&row.message) else { return };
    let started_at = row.started_at.unwrap_or(now);
    if let Outcome::Sent { .. } = outcome {
        message.sent = Some(SentBy { number, from: started_at, at: now });
        return;
    }
    let attempt = Attempt { number, started_at, finished_at: Some(now), outcome: Some(outcome), report: None };
    rows.attempts.insert((row.message, number), attempt);
}

/// Claims what is due, account after account.
pub fn claim(world: &mut World, request: &Claim) -> ClaimAnswer {
    let mut answer = ClaimAnswer::default();
    let behind = request.after.map_or(Bound::Unbounded, Bound::Excluded);
    for (id, rows) in world.accounts.range_mut((behind, Bound::Unbounded)) {
        claim_of_account(rows, &mut world.effects, request, &mut answer);
        if answer.claimed.len() >= request.limit {
            answer.after = Some(*id);
            return answer;
        }
    }
    answer
}

fn claim_of_account(rows: &mut AccountRows, effects: &mut Effects, request: &Claim, answer: &mut ClaimAnswer) {
    let (due, later): (Vec<OutboxRow>, Vec<OutboxRow>) =
        claimable(rows).into_iter().partition(|row| row.delivery.state.due() <= request.now);
    let next_due = later.first().map(|row| row.delivery.state.due());
    answer.next_due = answer.next_due.into_iter().chain(next_due).min();
    let mut room = request.per_account.min(request.limit - answer.claimed.len());
    for row in due {
        if room == 0 {
            answer.more = true;
            return;
        }
        if let Some(claimed) = claim_one(rows, effects, &row, request) {
            answer.claimed.push(claimed);
            room -= 1;
        }
    }
}

/// What waits and may go, if not now then later; what is due first comes first.
fn claimable(rows: &AccountRows) -> Vec<OutboxRow> {
    if rows.account.pause.is_some() || rows.account.suspended_at.is_some() {
        return Vec::new();
    }
    let first_in_line = first_in_line(rows);
    let is_first = |row: &OutboxRow| row.order_key.is_none_or(|key| first_in_line.get(&key) == Some(&row.log_id));
    let may_go = |row: &&OutboxRow| row.is_waiting() && sends(rows, row.instance) && is_first(row);
    let mut waiting: Vec<OutboxRow> = rows.outbox.values().filter(may_go).copied().collect();
    waiting.sort_by_key(|row| (row.delivery.state.due(), row.log_id));
    waiting
}

/// The lowest unfinished `log_id` of each order key.
fn first_in_line(rows: &AccountRows) -> BTreeMap<i64, u64> {
    let mut first = BTreeMap::new();
    for row in rows.outbox.values() {
        if let Some(key) = row.order_key {
            first.entry(key).and_modify(|log_id: &mut u64| *log_id = row.log_id.min(*log_id)).or_insert(row.log_id);
        }
    }
    first
}

fn sends(rows: &AccountRows, instance: InstanceId) -> bool {
    rows.instances.get(&instance).is_some_and(|instance| instance.pause.is_none() && instance.connection == Connection::Open)
}

/// Makes the row the worker's; one whose time is over ends instead.
fn claim_one(rows: &mut AccountRows, effects: &mut Effects, row: &OutboxRow, request: &Claim) -> Option<Claimed> {
    match row.delivery.step(&Input::Claim { lease_until: request.lease_until }, request.now).ok()? {
        // The message stays queued, so that only the outbox changes.
        Step::GoesOn(delivery) => {
            rows.outbox.insert(row.id, OutboxRow { delivery, ..*row });
            Some(Claimed { account: rows.account.id, delivery: row.id, fence: delivery.fence })
        }
        Step::Ends(ending) => {
            end(rows, effects, row, ending, request.now);
            None
        }
    }
}

/// Opens an attempt, if present facts still allow it.
pub fn start(world: &mut World, claimed: Claimed, lease: Lease, now: Timestamp) -> StartAnswer {
    let World { accounts, effects, .. } = world;
    let started = accounts.get_mut(&claimed.account).and_then(|rows| try_start(rows, effects, claimed, lease, now));
    started.unwrap_or(StartAnswer::Stale)
}

fn try_start(rows: &mut AccountRows, effects: &mut Effects, claimed: Claimed, lease: Lease, now: Timestamp) -> Option<StartAnswer> {
    let row = rows.outbox.get(&claimed.delivery).copied()?;
    let step = row.delivery.step(&Input::Start { fence: claimed.fence, lease_until: lease.until }, now).ok()?;
    match (may_start(&start_facts(rows, &row)?), step) {
        (Gate::Closed, _) => advance(rows, effects, &row, &Input::Withdraw, now).map(StartAnswer::Ended),
        (Gate::Held, _) => advance(rows, effects, &row, &Input::Hold, now).map(StartAnswer::Ended),
        (Gate::Wait, _) => {
            let input = Input::Release { fence: claimed.fence, due: now };
            advance(rows, effects, &row, &input, now).map(|_| StartAnswer::Waits)
        }
        (Gate::Open, Step::Ends(ending)) => Some(StartAnswer::Ended(end(rows, effects, &row, ending, now))),
        (Gate::Open, Step::GoesOn(delivery)) => begin(rows, effects, OutboxRow { delivery, started_at: Some(now), ..row }, lease, now),
    }
}

fn begin(rows: &mut AccountRows, effects: &mut Effects, next: OutboxRow, lease: Lease, now: Timestamp) -> Option<StartAnswer> {
    let started = started(rows, &next, lease)?;
    go_on(rows, effects, next, None, now);
    Some(StartAnswer::Started(Box::new(started)))
}

/// An attempt that begins, as the worker is given it.
pub fn started(rows: &AccountRows, row: &OutboxRow, lease: Lease) -> Option<Started> {
    let claimed = Claimed { account: rows.account.id, delivery: row.id, fence: row.delivery.fence };
    Some(Started { claimed, attempt: row.delivery.tries, lease, parcel: parcel(rows, row)? })
}

/// What a transport is given: always the sandbox for a test message.
fn parcel(rows: &AccountRows, row: &OutboxRow) -> Option<Parcel> {
    let Message { id, mode, recipient, purpose, content, .. } = &rows.messages.get(&row.message)?.message;
    let instance = rows.instances.get(&row.instance)?;
    let provider = match mode {
        Mode::Live => instance.provider,
        Mode::Test => Provider::Sandbox,
    };
    Some(Parcel {
        account: rows.account.id,
        message: *id,
        instance: instance.id,
        provider,
        recipient: recipient.clone(),
        purpose: *purpose,
        content: content.clone()?,
    })
}

/// What decides whether an attempt may start; `None` where nothing can be sent any more, or nobody knows to whom.
pub fn start_facts(rows: &AccountRows, row: &OutboxRow) -> Option<StartFacts> {
    let account = &rows.account;
    let instance = rows.instances.get(&row.instance)?;
    let MessageRow { contact, .. } = rows.messages.get(&row.message)?;
    let seen_until = rows.reviews.get(&row.message).and_then(Review::seen_until);
    let state = rows.contacts.get(contact)?.state();
    let request = reviews::request(rows, row.message)?;
    let (is_code, subject) = (is_one_time_code(&request.content), request.subject());
    Some(StartFacts {
        account_suspended: account.suspended_at.is_some(),
        account_paused: account.pause.is_some(),
        instance_paused: instance.pause.is_some(),
        connection: instance.connection,
        suppressed: suppression_forbids(state, account.one_time_codes_pass, is_code, &subject) || is_moot_confirmation(state, &subject),
        suspected: suspicion_holds(state, seen_until, is_code, &subject),
    })
}

/// Closes an attempt.
pub fn finish(world: &mut World, finish: Finish) -> Finished {
    let World { accounts, effects, .. } = world;
    let Some(rows) = accounts.get_mut(&finish.claimed.account) else { return Finished::Stale };
    if rows.notices.contains_key(&finish.claimed.delivery) {
        let finished = notices::finish(rows, effects, finish);
        return finished.map_or(Finished::Stale, |disabled| Finished::Event { disabled });
    }
    finish_message(rows, effects, finish).map_or(Finished::Stale, Finished::Message)
}

fn finish_message(rows: &mut AccountRows, effects: &mut Effects, finish: Finish) -> Option<Settled> {
    let Finish { claimed, attempt, outcome, jitter, now, report: _ } = finish;
    let row = rows.outbox.get(&claimed.delivery).copied()?;
    let input = Input::Finish { fence: claimed.fence, outcome: outcome.clone(), jitter };
    let settled = advance(rows, effects, &row, &input, now)?;
    if outcome.class() == Some(ErrorClass::OptedOut) {
        note_opt_out(rows, effects, row.message, now);
    }
    close_attempt(rows, &row, attempt, outcome, now);
    Some(settled)
}

/// The provider says that the recipient of a message stopped messages of its kind there.
pub fn note_opt_out(rows: &mut AccountRows, effects: &mut Effects, message: MessageId, now: Timestamp) {
    let Some(row) = rows.messages.get(&message) else { return };
    let (id, contact, address) = (SuppressionId::of(message.to_bytes(), now), row.contact, row.message.recipient.clone());
    let (cause, by) = (Cause::UserPreference, Actor::Recipient);
    suppressions::suppress(rows, effects, NewSuppression { id, contact, address, cause, note: None, by, now });
}

/// Ends the open delivery of a message of which the provider reported what became of it; `None` where that cannot be, since nothing was
/// tried yet.
pub fn end_reported(
    rows: &mut AccountRows,
    effects: &mut Effects,
    message: MessageId,
    report: &StatusReport,
    reported: Reported,
    now: Timestamp,
) -> Option<()> {
    let Some(row) = open_delivery(rows, message, now) else { return Some(()) };
    let (input, outcome) = match reported.error {
        Some(class) => (Input::Bounced { class }, Outcome::Failed { class, retry_after: None }),
        None => (Input::Arrived, Outcome::Sent { external_id: Some(report.external_id.clone()) }),
    };
    let Ok(Step::Ends(ending)) = row.delivery.step(&input, now) else { return None };
    rows.outbox.remove(&row.id);
    rows.parked.remove(&row.id);
    if ending.returns_charge() {
        return_charge(rows, message);
    }
    if let State::Started { .. } = row.delivery.state {
        note_outcome(rows, &row, Some(&outcome));
        close_attempt(rows, &row, row.delivery.tries, outcome, now);
    }
    effects.left_due |= row.order_key.is_some();
    Some(())
}

/// What is on its way under this message. One that was parked is in doubt, where its message says so too.
fn open_delivery(rows: &AccountRows, message: MessageId, now: Timestamp) -> Option<OutboxRow> {
    let MessageRow { message, delivery: id, contact, .. } = rows.messages.get(&message)?;
    if let Some(row) = rows.outbox.get(id) {
        return Some(*row);
    }
    let is_closable = message.status == MessageStatus::Unknown && rows.parked.contains_key(id);
    is_closable.then(|| OutboxRow {
        id: *id,
        message: message.id,
        instance: message.instance,
        contact: *contact,
        log_id: message.log_id,
        order_key: None,
        delivery: Delivery { state: State::InDoubt { until: now }, ..Delivery::waiting(now, now) },
        started_at: None,
    })
}

/// Gives a claimed delivery back.
pub fn release(world: &mut World, claimed: Claimed, now: Timestamp) {
    let World { accounts, effects, .. } = world;
    let Some(rows) = accounts.get_mut(&claimed.account) else { return };
    let Some(row) = rows.outbox.get(&claimed.delivery).copied() else { return };
    let released = advance(rows, effects, &row, &Input::Release { fence: claimed.fence, due: now }, now);
    effects.left_due |= released.is_some();
}

/// Ends the delivery in doubt of a message.
pub fn resolve(rows: &mut AccountRows, effects: &mut Effects, message: MessageId, sent: bool, now: Timestamp) -> Option<MessageStatus> {
    let row = open_delivery(rows, message, now)?;
    advance(rows, effects, &row, &Input::Resolve { sent }, now).map(|settled| settled.status)
}

/// Closes what time has closed.
pub fn sweep(world: &mut World, now: Timestamp, limit: usize) -> Swept {
    let overdue = overdue(world, now, limit);
    let mut swept = Swept { more: overdue.len() >= limit, ..Swept::default() };
    for (account, row) in overdue {
        let rows = world.accounts.get_mut(&account);
        swept.settled.extend(rows.and_then(|rows| tick(rows, &mut world.effects, &row, now)));
    }
    let reviews = reviews::expire(world, now, limit);
    swept.more |= reviews.len() >= limit;
    swept.settled.extend(reviews);
    swept.more |= notices::sweep(world, now, limit) >= limit;
    swept.more |= forget_bindings(world, now, limit) >= limit;
    swept.judged = std::mem::take(&mut world.judged);
    swept
}

/// The deliveries that time has closed, longest ago first.
fn overdue(world: &World, now: Timestamp, limit: usize) -> Vec<(AccountId, OutboxRow)> {
    let of_account = |(account, rows): (&AccountId, &AccountRows)| {
        let account = *account;
        rows.outbox.values().filter(|row| closes_at(&row.delivery) <= now).map(|row| (account, *row)).collect::<Vec<_>>()
    };
    let mut overdue: Vec<(AccountId, OutboxRow)> = world.accounts.iter().flat_map(of_account).collect();
    overdue.sort_by_key(|(_, row)| closes_at(&row.delivery));
    overdue.truncate(limit);
    overdue
}

/// Lets time pass for a delivery; its message's new status, where that changed.
fn tick(rows: &mut AccountRows, effects: &mut Effects, row: &OutboxRow, now: Timestamp) -> Option<Settled> {
    let settled = advance(rows, effects, row, &Input::Tick, now)?;
    match row.delivery.state {
        State::Started { .. } => {
            let outcome = Outcome::Unknown { class: ErrorClass::Interrupted };
            close_attempt(rows, row, row.delivery.tries, outcome, now);
        }
        State::Claimed { .. } => effects.left_due = true,
        State::Waiting { .. } | State::InDoubt { .. } => {}
    }
    (settled.status != row.delivery.status()).then_some(settled)
}

fn forget_bindings(world: &mut World, now: Timestamp, limit: usize) -> usize {
    let mut forgotten = 0;
    for rows in world.accounts.values_mut() {
        let is_over = |bound_at: Timestamp| bound_at.plus(IDEMPOTENCY_TIME) <= now;
        let over = rows.bindings.iter().filter(|(_, binding)| is_over(binding.bound_at)).map(|(key, _)| key.clone());
        let over: Vec<IdempotencyKey> = over.take(limit - forgotten).collect();
        forgotten += over.len();
        for key in over {
            rows.bindings.remove(&key);
        }
    }
    forgotten
}
