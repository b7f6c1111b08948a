//! Notices: events on their way to endpoints, and the log of where they went.
//!
//! The players: a [`NoticeRow`] (a delivery that has not ended), a [`DeliveryRow`] (what the log says of it), [`shown`] (both together), and
//! [`follow`], through which every change goes. `take` opens attempts; here they are closed.

use gatepost::{
    AccountId, Attempt, Delivery, DeliveryFilter, DeliveryId, DeliveryStatus, DisabledBy, Ending, EndpointId, EndpointState, ErrorClass,
    EventDelivery, EventId, EventName, Finish, Input, Outcome, Page, Replayed, Report, Skip, State, Step, Timestamp,
};

use crate::endpoints;
use crate::world::{AccountRows, DeliveryRow, Effects, NoticeRow, SentNotice, World, closes_at, newest};

/// A delivery that is to be written.
pub struct New {
    /// The delivery's id.
    pub id: DeliveryId,
    /// What it delivers.
    pub event: EventId,
    /// The event's own name.
    pub name: EventName,
    /// The name under which it goes.
    pub as_name: EventName,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// The line in which it stands, and its place there.
    pub line: Option<(i64, u64)>,
    /// Set where it goes once more.
    pub replay: Option<Replayed>,
    /// When it is added.
    pub now: Timestamp,
}

/// Writes a delivery; one to a disabled endpoint is skipped from the beginning. What is there already stays as it is.
pub fn add(rows: &mut AccountRows, effects: &mut Effects, new: New) -> Option<EventDelivery> {
    let New { id, event, name, as_name, endpoint, line, now, .. } = new;
    if find(rows, id).is_none() {
        let delivery = match line {
            None => Delivery::of_event(now),
            Some((line, _)) => Delivery::in_line(now, first_in_line(rows, line).is_none()),
        };
        rows.deliveries.insert(id, queued(new));
        let as_name = (as_name != name).then_some(as_name);
        let row = NoticeRow { id, event, as_name, endpoint, line, delivery, started_at: None };
        if endpoints::state(rows, endpoint) == Some(EndpointState::Disabled) {
            // It never stood in its line.
            end(rows, &NoticeRow { line: None, ..row }, Ending::Skipped(Skip::EndpointDisabled), now);
        } else {
            rows.notices.insert(id, row);
            effects.left_due = true;
        }
    }
    find(rows, id)
}

fn queued(new: New) -> DeliveryRow {
    let New { id, event, as_name, endpoint, replay, now, .. } = new;
    DeliveryRow {
        id,
        event,
        as_name,
        endpoint,
        status: DeliveryStatus::Queued,
        error: None,
        skip: None,
        tries: 0,
        replay,
        sent: None,
        created_at: now,
        updated_at: now,
    }
}

/// Writes what follows for a delivery.
pub fn follow(rows: &mut AccountRows, row: &NoticeRow, step: Step, now: Timestamp) {
    match step {
        Step::GoesOn(delivery) => go_on(rows, NoticeRow { delivery, ..*row }, now),
        Step::Ends(ending) => end(rows, row, ending, now),
    }
}

/// Notes in the log that it waits again; an attempt that opens is noted only here.
fn go_on(rows: &mut AccountRows, next: NoticeRow, now: Timestamp) {
    if next.is_started() {
        rows.notices.insert(next.id, NoticeRow { started_at: Some(now), ..next });
        return;
    }
    rows.notices.insert(next.id, next);
    if let Some(row) = rows.deliveries.get_mut(&next.id) {
        row.updated_at = now;
    }
}

/// What comes first of what stands in a line.
fn first_in_line(rows: &AccountRows, line: i64) -> Option<&NoticeRow> {
    let place = |row: &&NoticeRow| row.line.filter(|(of, _)| *of == line).map(|(_, place)| place);
    rows.notices.values().filter(|row| place(row).is_some()).min_by_key(place)
}

/// Has what stood behind it in its line go now.
fn let_next_go(rows: &mut AccountRows, row: &NoticeRow, now: Timestamp) {
    let Some(next) = row.line.and_then(|(line, _)| first_in_line(rows, line)).copied() else { return };
    if let State::Waiting { due } = next.delivery.state {
        let state = State::Waiting { due: due.min(now) };
        rows.notices.insert(next.id, NoticeRow { delivery: Delivery { state, ..next.delivery }, ..next });
    }
}

fn end(rows: &mut AccountRows, row: &NoticeRow, ending: Ending, now: Timestamp) {
    rows.notices.remove(&row.id);
    let_next_go(rows, row, now);
    let Some(logged) = rows.deliveries.get_mut(&row.id) else { return };
    logged.status = ending.delivery_status();
    logged.error = ending.class();
    logged.skip = ending.skip();
    logged.tries = row.delivery.tries;
    logged.updated_at = now;
}

/// Closes an attempt, and says which endpoint that disabled; `None` where it comes too late.
pub fn finish(rows: &mut AccountRows, effects: &mut Effects, finish: Finish) -> Option<Option<(EndpointId, DisabledBy)>> {
    let row = rows.notices.get(&finish.claimed.delivery).copied()?;
    let input = Input::Finish { fence: finish.claimed.fence, outcome: finish.outcome.clone(), jitter: finish.jitter };
    let step = row.delivery.step(&input, finish.now).ok()?;
    follow(rows, &row, step, finish.now);
    let began = row.started_at.unwrap_or(finish.now);
    let disabled_by = endpoints::note_health(rows, effects, row.endpoint, began, &finish);
    let Finish { attempt, outcome, report, now, .. } = finish;
    close_attempt(rows, &row, attempt, outcome, report, now);
    Some(disabled_by.map(|by| (row.endpoint, by)))
}

/// Writes down how an attempt ended: one that sent with its delivery, any other on its own.
fn close_attempt(rows: &mut AccountRows, of: &NoticeRow, number: u16, outcome: Outcome, report: Option<Report>, now: Timestamp) {
    let started_at = of.started_at.unwrap_or(now);
    if outcome == (Outcome::Sent { external_id: None }) {
        if let Some(row) = rows.deliveries.get_mut(&of.id) {
            row.sent = Some(SentNotice { from: started_at, saw: report });
        }
    } else {
        let attempt = Attempt { number, started_at, finished_at: Some(now), outcome: Some(outcome), report };
        rows.delivery_attempts.insert((of.id, number), attempt);
    }
}

/// Closes what time has closed, longest ago first; how much it was.
pub fn sweep(world: &mut World, now: Timestamp, limit: usize) -> usize {
    let of_account = |(account, rows): (&AccountId, &AccountRows)| {
        let account = *account;
        rows.notices.values().filter(|row| closes_at(&row.delivery) <= now).map(|row| (account, *row)).collect::<Vec<_>>()
    };
    let mut overdue: Vec<(AccountId, NoticeRow)> = world.accounts.iter().flat_map(of_account).collect();
    overdue.sort_by_key(|(_, row)| closes_at(&row.delivery));
    overdue.truncate(limit);
    for (account, row) in &overdue {
        if let Some(rows) = world.accounts.get_mut(account) {
            tick(rows, row, now);
        }
    }
    world.effects.left_due |= !overdue.is_empty();
    overdue.len()
}

/// Lets time pass for a delivery.
fn tick(rows: &mut AccountRows, row: &NoticeRow, now: Timestamp) {
    let Ok(step) = row.delivery.step(&Input::Tick, now) else { return };
    follow(rows, row, step, now);
    if let State::Started { .. } = row.delivery.state {
        close_attempt(rows, row, row.delivery.tries, Outcome::Unknown { class: ErrorClass::Interrupted }, None, now);
    }
}

/// The delivery with this id, as the log shows it.
pub fn find(rows: &AccountRows, id: DeliveryId) -> Option<EventDelivery> {
    rows.deliveries.get(&id).map(|row| shown(row, rows.notices.get(&id)))
}

/// What the log and, of one that is not finished, the outbox say of a delivery.
pub fn shown(row: &DeliveryRow, notice: Option<&NoticeRow>) -> EventDelivery {
    let DeliveryRow { id, event, as_name, endpoint, status, error, skip, tries, ref replay, created_at, updated_at, .. } = *row;
    let (replay, next_at) = (replay.clone(), None);
    let logged = EventDelivery { id, event, as_name, endpoint, status, error, skip, tries, next_at, replay, created_at, updated_at };
    match notice {
        Some(notice) => EventDelivery {
            status: notice.delivery.delivery_status(),
            tries: notice.delivery.tries,
            next_at: notice.delivery.next_at(),
            updated_at: notice.started_at.filter(|_| notice.is_started()).unwrap_or(logged.updated_at),
            ..logged
        },
        None => logged,
    }
}

/// A page of the deliveries that a filter admits, newest first.
pub fn list(rows: &AccountRows, filter: DeliveryFilter, page: Page<DeliveryId>) -> Vec<EventDelivery> {
    let goes_to = |delivery: &EventDelivery| filter.endpoint.is_none_or(|endpoint| delivery.endpoint == endpoint);
    let has_status = |delivery: &EventDelivery| filter.status.is_none_or(|status| delivery.status == status);
    let is_of = |delivery: &EventDelivery| filter.event.is_none_or(|event| delivery.event == event);
    let is_shown = |delivery: &EventDelivery| filter.for_operator || !endpoints::is_for_operator(rows, delivery.endpoint);
    let deliveries = newest(&rows.deliveries, page).map(|row| shown(row, rows.notices.get(&row.id)));
    let wanted = deliveries.filter(|delivery| goes_to(delivery) && has_status(delivery) && is_of(delivery) && is_shown(delivery));
    wanted.take(page.limit).collect()
}

/// The attempts of a delivery, oldest first.
pub fn attempts(rows: &AccountRows, id: DeliveryId) -> Vec<Attempt> {
    let Some(row) = rows.deliveries.get(&id) else { return Vec::new() };
    let over = rows.delivery_attempts.range((id, 0)..=(id, u16::MAX)).map(|(_, attempt)| attempt.clone());
    let open = rows.notices.get(&id).and_then(open_attempt);
    over.chain(sent_attempt(row)).chain(open).collect()
}

/// The attempt that sent a delivery.
pub fn sent_attempt(row: &DeliveryRow) -> Option<Attempt> {
    let SentNotice { from, saw } = row.sent.as_ref()?;
    let (outcome, finished_at) = (Some(Outcome::Sent { external_id: None }), Some(row.updated_at));
    Some(Attempt { number: row.tries, started_at: *from, finished_at, outcome, report: saw.clone() })
}

/// The attempt of a delivery that is open.
pub fn open_attempt(notice: &NoticeRow) -> Option<Attempt> {
    let started_at = notice.started_at.filter(|_| notice.is_started())?;
    Some(Attempt { number: notice.delivery.tries, started_at, finished_at: None, outcome: None, report: None })
}

/// Forgets the attempts of a delivery.
pub fn forget_attempts(rows: &mut AccountRows, id: DeliveryId) {
    let over: Vec<_> = rows.delivery_attempts.range((id, 0)..=(id, u16::MAX)).map(|(key, _)| *key).collect();
    over.iter().for_each(|key| _ = rows.delivery_attempts.remove(key));
}
