//! Replays: a delivery goes once more, alone or with all that an endpoint did not take since a time.

use std::ops::Bound;

use gatepost::{
    AccountId, DeliveryId, DeliveryStatus, EndpointState, EventDelivery, Page, Recovered, Recovery, RecoveryFilter, RecoveryId, Replay,
    ReplayAnswer, Replayed, Timestamp, is_recoverable,
};

use crate::notices::{self, New};
use crate::world::{AccountRows, DeliveryRow, Effects, World, newest};
use crate::{endpoints, events};

/// Delivers an event to its endpoint once more.
pub fn replay(rows: &mut AccountRows, effects: &mut Effects, replay: Replay) -> ReplayAnswer {
    let Some(old) = rows.deliveries.get(&replay.of).cloned() else { return ReplayAnswer::Unknown };
    if alike(rows, &old).any(|delivery| delivery.status.is_pending()) {
        return ReplayAnswer::Pending;
    }
    match endpoints::state(rows, old.endpoint) {
        None | Some(EndpointState::Removed) => return ReplayAnswer::EndpointRemoved,
        Some(EndpointState::Disabled) => return ReplayAnswer::EndpointDisabled,
        Some(EndpointState::Enabled | EndpointState::Paused | EndpointState::Unverified) => {}
    }
    let Replay { delivery, by, reason, to_changed_url, now, of } = replay;
    match hindrance(rows, &old, to_changed_url) {
        Some(Hindrance::BodyForgotten) => ReplayAnswer::BodyForgotten,
        Some(Hindrance::UrlChanged) => ReplayAnswer::UrlChanged,
        None => {
            let replayed = Replayed { of, by, reason, to_changed_url };
            repeat(rows, effects, &old, delivery, replayed, now).map_or(ReplayAnswer::Unknown, ReplayAnswer::Queued)
        }
    }
}

/// The deliveries of the same event to the same endpoint, itself included, as they stand in the log.
fn alike<'a>(rows: &'a AccountRows, to: &'a DeliveryRow) -> impl Iterator<Item = &'a DeliveryRow> {
    rows.deliveries.values().filter(|delivery| delivery.event == to.event && delivery.endpoint == to.endpoint)
}

/// Why an event cannot go to its endpoint again.
enum Hindrance {
    BodyForgotten,
    UrlChanged,
}

fn hindrance(rows: &AccountRows, old: &DeliveryRow, to_changed_url: bool) -> Option<Hindrance> {
    let Some(event) = events::find(rows, old.event) else { return Some(Hindrance::BodyForgotten) };
    let url_since = rows.endpoints.get(&old.endpoint)?.endpoint.url_since;
    (url_since > event.occurred_at && !to_changed_url).then_some(Hindrance::UrlChanged)
}

fn repeat(
    rows: &mut AccountRows,
    effects: &mut Effects,
    old: &DeliveryRow,
    id: DeliveryId,
    replayed: Replayed,
    now: Timestamp,
) -> Option<EventDelivery> {
    let DeliveryRow { event, as_name, endpoint, .. } = *old;
    let name = rows.events.get(&event)?.name;
    notices::add(rows, effects, New { id, event, name, as_name, endpoint, line: None, replay: Some(replayed), now })
}

/// Begins a recovery; `false` where the endpoint is not there, or one of its recoveries is not over.
pub fn add_recovery(rows: &mut AccountRows, recovery: Recovery) -> bool {
    let is_there = endpoints::state(rows, recovery.endpoint).is_some_and(|state| state != EndpointState::Removed);
    let is_busy = rows.recoveries.values().any(|other| other.endpoint == recovery.endpoint && !other.progress.is_over());
    if is_there && !is_busy {
        rows.recoveries.insert(recovery.id, recovery);
    }
    is_there && !is_busy
}

/// A page of recoveries, newest first.
pub fn recoveries(rows: &AccountRows, filter: RecoveryFilter, page: Page<RecoveryId>) -> Vec<Recovery> {
    let is_shown = |recovery: &&Recovery| filter.for_operator || !endpoints::is_for_operator(rows, recovery.endpoint);
    newest(&rows.recoveries, page).filter(is_shown).take(page.limit).cloned().collect()
}

/// The recovery with this id.
pub fn recovery(rows: &AccountRows, id: RecoveryId) -> Option<Recovery> {
    rows.recoveries.get(&id).cloned()
}

/// Ends a recovery, unless it was over before; the recovery as it is then.
pub fn cancel(rows: &mut AccountRows, id: RecoveryId, now: Timestamp) -> Option<Recovery> {
    let recovery = rows.recoveries.get_mut(&id)?;
    if !recovery.progress.is_over() {
        recovery.progress.canceled_at = Some(now);
    }
    Some(recovery.clone())
}

/// Does a part of the recovery whose turn it is.
pub fn recover(world: &mut World, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Recovered {
    let World { accounts, effects, .. } = world;
    let Some((account, recovery)) = next(accounts.values(), after) else { return Recovered::default() };
    let at = Some(recovery.id);
    if let Some(rows) = accounts.get_mut(&account) {
        let recovery = go_on(rows, effects, recovery, now, limit);
        rows.recoveries.insert(recovery.id, recovery);
    }
    Recovered { at, more: next(accounts.values(), None).is_some() }
}

/// Of the recoveries that are not over, the first behind `after`, or else the first.
pub fn next<'a>(accounts: impl Iterator<Item = &'a AccountRows>, after: Option<RecoveryId>) -> Option<(AccountId, Recovery)> {
    let of_account = |rows: &'a AccountRows| rows.recoveries.values().map(|recovery| (rows.account.id, recovery));
    let unfinished = accounts.flat_map(of_account).filter(|(_, recovery)| !recovery.progress.is_over());
    let is_behind = |recovery: &Recovery| Some(recovery.id) > after;
    let next = unfinished.min_by_key(|(_, recovery)| (!is_behind(recovery), recovery.id));
    next.map(|(account, recovery)| (account, recovery.clone()))
}

fn go_on(rows: &mut AccountRows, effects: &mut Effects, mut recovery: Recovery, now: Timestamp, limit: usize) -> Recovery {
    if let None | Some(EndpointState::Disabled | EndpointState::Removed) = endpoints::state(rows, recovery.endpoint) {
        recovery.progress.canceled_at = Some(now);
        return recovery;
    }
    let part = next_part(rows, &recovery, limit);
    for old in &part {
        recover_one(rows, effects, &mut recovery, old, now);
    }
    if part.len() < limit {
        recovery.progress.done_at = Some(now);
    }
    recovery
}

/// The endpoint's next deliveries, oldest first.
fn next_part(rows: &AccountRows, recovery: &Recovery, limit: usize) -> Vec<DeliveryRow> {
    let behind = recovery.progress.at.map_or(Bound::Unbounded, Bound::Excluded);
    let deliveries = rows.deliveries.range((behind, Bound::Unbounded)).map(|(_, row)| row);
    let is_meant =
        |delivery: &&DeliveryRow| delivery.endpoint == recovery.endpoint && (recovery.since..recovery.until).contains(&delivery.created_at);
    deliveries.filter(is_meant).take(limit).cloned().collect()
}

fn recover_one(rows: &mut AccountRows, effects: &mut Effects, recovery: &mut Recovery, old: &DeliveryRow, now: Timestamp) {
    recovery.progress.at = Some(old.id);
    if !is_recoverable(old.status) || is_made_by(recovery, old) || is_repeated(rows, old) {
        return;
    }
    if hindrance(rows, old, recovery.to_changed_url).is_some() {
        recovery.progress.left += 1;
        return;
    }
    let id = DeliveryId::of(old.event, old.endpoint, round(recovery), now);
    let Recovery { by, to_changed_url, .. } = *recovery;
    repeat(rows, effects, old, id, Replayed { of: old.id, by, reason: recovery.reason.clone(), to_changed_url }, now);
    recovery.progress.queued += 1;
}

/// What tells a recovery's repetitions from others.
const fn round(recovery: &Recovery) -> u128 {
    u128::from_be_bytes(recovery.id.to_bytes())
}

/// Whether the recovery itself has written it: a clock that went back puts it among the old ones.
fn is_made_by(recovery: &Recovery, delivery: &DeliveryRow) -> bool {
    delivery.id == DeliveryId::of(delivery.event, delivery.endpoint, round(recovery), delivery.created_at)
}

/// Whether a newer delivery of the same event took its place.
fn is_repeated(rows: &AccountRows, old: &DeliveryRow) -> bool {
    let counts = |delivery: &DeliveryRow| delivery.status.is_pending() || delivery.status == DeliveryStatus::Sent;
    alike(rows, old).any(|delivery| delivery.id > old.id && counts(delivery))
}
