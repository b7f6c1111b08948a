//! Notices: events on their way to endpoints, and the log of where they went.
//!
//! The players: a [`NoticeRow`] (a delivery that has not ended), a [`DeliveryRow`] (what the log shows of it), and [`follow`], through
//! which every change goes. `take` opens attempts; here they are closed.

use gatepost::{
    AccountId, Attempt, Delivery, DeliveryFilter, DeliveryId, DeliveryStatus, DisabledBy, Ending, EndpointId, EndpointState, ErrorClass,
    EventDelivery, EventId, EventName, Finish, Input, Outcome, Page, Replayed, Report, Skip, State, Step, Timestamp,
};

use crate::endpoints;
use crate::world::{AccountRows, DeliveryRow, Effects, NoticeRow, World, closes_at, newest};

/// A delivery that is to be written.
pub struct New {
    /// The delivery's id.
    pub id: DeliveryId,
    /// What it delivers.
    pub event: EventId,
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
    let New { id, event, as_name, endpoint, line, now, .. } = new;
    if find(rows, id).is_none() {
        let delivery = match line {
            None => Delivery::of_event(now),
            Some((line, _)) => Delivery::in_line(now, first_in_line(rows, line).is_none()),
        };
        rows.deliveries.insert(id, DeliveryRow { delivery: queued(new, delivery.next_at()), attempts: Vec::new() });
        let row = NoticeRow { id, event, as_name, endpoint, line, delivery };
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

fn queued(new: New, next_at: Option<Timestamp>) -> EventDelivery {
    let New { id, event, as_name, endpoint, replay, now, .. } = new;
    EventDelivery {
        id,
        event,
        as_name,
        endpoint,
        status: DeliveryStatus::Queued,
        error: None,
        skip: None,
        tries: 0,
        next_at,
        replay,
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

fn go_on(rows: &mut AccountRows, next: NoticeRow, now: Timestamp) {
    rows.notices.insert(next.id, next);
    let Some(DeliveryRow { delivery: shown, .. }) = rows.deliveries.get_mut(&next.id) else { return };
    shown.status = next.delivery.delivery_status();
    shown.tries = next.delivery.tries;
    shown.next_at = next.delivery.next_at();
    shown.updated_at = now;
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
        if let Some(shown) = rows.deliveries.get_mut(&next.id) {
            shown.delivery.next_at = Some(due.min(now));
        }
    }
}

fn end(rows: &mut AccountRows, row: &NoticeRow, ending: Ending, now: Timestamp) {
    rows.notices.remove(&row.id);
    let_next_go(rows, row, now);
    let Some(DeliveryRow { delivery: shown, .. }) = rows.deliveries.get_mut(&row.id) else { return };
    shown.status = ending.delivery_status();
    shown.error = ending.class();
    shown.skip = ending.skip();
    shown.next_at = None;
    shown.updated_at = now;
}

/// Closes an attempt, and says which endpoint that disabled; `None` where it comes too late.
pub fn finish(rows: &mut AccountRows, effects: &mut Effects, finish: Finish) -> Option<Option<(EndpointId, DisabledBy)>> {
    let row = rows.notices.get(&finish.claimed.delivery).copied()?;
    let input = Input::Finish { fence: finish.claimed.fence, outcome: finish.outcome.clone(), jitter: finish.jitter };
    let step = row.delivery.step(&input, finish.now).ok()?;
    follow(rows, &row, step, finish.now);
    let began = began_at(rows, row.id, finish.attempt).unwrap_or(finish.now);
    let disabled_by = endpoints::note_health(rows, effects, row.endpoint, began, &finish);
    let Finish { attempt, outcome, report, now, .. } = finish;
    close_attempt(rows, row.id, attempt, outcome, report, now);
    Some(disabled_by.map(|by| (row.endpoint, by)))
}

fn began_at(rows: &AccountRows, delivery: DeliveryId, number: u16) -> Option<Timestamp> {
    let attempts = &rows.deliveries.get(&delivery)?.attempts;
    attempts.iter().find(|attempt| attempt.number == number).map(|attempt| attempt.started_at)
}

fn close_attempt(rows: &mut AccountRows, delivery: DeliveryId, number: u16, outcome: Outcome, report: Option<Report>, now: Timestamp) {
    let attempts = rows.deliveries.get_mut(&delivery).map(|row| &mut row.attempts);
    if let Some(attempt) = attempts.into_iter().flatten().find(|attempt| attempt.number == number) {
        attempt.finished_at = Some(now);
        attempt.outcome = Some(outcome);
        attempt.report = report;
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
        close_attempt(rows, row.id, row.delivery.tries, Outcome::Unknown { class: ErrorClass::Interrupted }, None, now);
    }
}

/// The delivery with this id, as the log shows it.
pub fn find(rows: &AccountRows, id: DeliveryId) -> Option<EventDelivery> {
    rows.deliveries.get(&id).map(|row| row.delivery.clone())
}

/// A page of the deliveries that a filter admits, newest first.
pub fn list(rows: &AccountRows, filter: DeliveryFilter, page: Page<DeliveryId>) -> Vec<EventDelivery> {
    let goes_to = |delivery: &EventDelivery| filter.endpoint.is_none_or(|endpoint| delivery.endpoint == endpoint);
    let has_status = |delivery: &EventDelivery| filter.status.is_none_or(|status| delivery.status == status);
    let is_of = |delivery: &EventDelivery| filter.event.is_none_or(|event| delivery.event == event);
    let is_shown = |delivery: &EventDelivery| filter.for_operator || !endpoints::is_for_operator(rows, delivery.endpoint);
    let deliveries = newest(&rows.deliveries, page).map(|row| &row.delivery);
    let wanted = deliveries.filter(|delivery| goes_to(delivery) && has_status(delivery) && is_of(delivery) && is_shown(delivery));
    wanted.take(page.limit).cloned().collect()
}

/// The attempts of a delivery, oldest first.
pub fn attempts(rows: &AccountRows, id: DeliveryId) -> Vec<Attempt> {
    rows.deliveries.get(&id).map(|row| row.attempts.clone()).unwrap_or_default()
}
