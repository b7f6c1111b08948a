//! What is read to tell endpoints: tests, replays and recoveries.

use gatepost::{AccountId, DeliveryId, EndpointId, Event, Recovered, RecoveryId, Timestamp};
use gatepost_rows::cells::{Cell, Row};
use gatepost_rows::replays;
use gatepost_rows::world::{AccountRows, DeliveryRow, World};

use super::lookups::{ALIKE, DELIVERY, ENDPOINT, EVENT, EVENT_DELIVERY, OUTBOX_ALIKE, RECOVERABLE, RECOVERIES_OPEN, RECOVERY};
use super::{Needs, delivering, id, scouts};

/// An endpoint, removed or not.
pub(crate) fn endpoint(needs: &mut Needs, account: AccountId, endpoint: EndpointId) {
    needs.account(account);
    needs.key(&ENDPOINT, [account.into(), endpoint.into()]);
}

/// An event for one endpoint.
pub(crate) fn notified(needs: &mut Needs, account: AccountId, to: EndpointId, event: &Event) {
    endpoint(needs, account, to);
    needs.key(&EVENT, [account.into(), event.id.into()]);
    let first = DeliveryId::of(event.id, to, 0, event.occurred_at);
    needs.each([&EVENT_DELIVERY, &DELIVERY], &[account.into(), first.into()]);
}

/// A delivery, its event, and the other deliveries of that to the same endpoint.
pub(crate) fn replayed(needs: &mut Needs, world: &World, account: AccountId, delivery: DeliveryId) {
    needs.account(account);
    let key: [Cell; 2] = [account.into(), delivery.into()];
    needs.each([&EVENT_DELIVERY, &DELIVERY, &ALIKE, &OUTBOX_ALIKE], &key);
    let Some(rows) = world.accounts.get(&account) else { return };
    if let Some(row) = rows.deliveries.get(&delivery) {
        needs.key(&ENDPOINT, [account.into(), row.endpoint.into()]);
        first_of(needs, rows, account, row);
    }
}

/// The event of a delivery, and its first delivery to the same endpoint.
fn first_of(needs: &mut Needs, rows: &AccountRows, account: AccountId, row: &DeliveryRow) {
    needs.key(&EVENT, [account.into(), row.event.into()]);
    if let Some(event) = rows.events.get(&row.event) {
        let first = DeliveryId::of(event.id, row.endpoint, 0, event.occurred_at);
        needs.each([&EVENT_DELIVERY, &DELIVERY], &[account.into(), first.into()]);
    }
}

/// A recovery that begins, and those of its endpoint that are not over.
pub(crate) fn begun(needs: &mut Needs, account: AccountId, to: EndpointId) {
    endpoint(needs, account, to);
    needs.key(&RECOVERIES_OPEN, [account.into()]);
}

/// The recoveries that a scout found, and the next part of the one whose turn it is: others may have ended since they were found.
pub(crate) fn recovered(needs: &mut Needs, world: &World, found: &[Row], after: Option<RecoveryId>, limit: usize) {
    unfinished(needs, found);
    let Some((account, recovery)) = replays::next(world.accounts.values(), after) else { return };
    needs.key(&ENDPOINT, [account.into(), recovery.endpoint.into()]);
    let behind = recovery.progress.at.map_or_else(Cell::no_bytes, Cell::from);
    let [since, until] = [recovery.since, recovery.until].map(Cell::from);
    needs.key(&RECOVERABLE, [account.into(), recovery.endpoint.into(), behind, since, until, delivering::limit(limit)]);
    let Some(rows) = world.accounts.get(&account) else { return };
    for row in rows.deliveries.values().filter(|row| row.endpoint == recovery.endpoint) {
        let key: [Cell; 2] = [account.into(), row.id.into()];
        needs.each([&ALIKE, &DELIVERY], &key);
        first_of(needs, rows, account, row);
    }
}

/// The recoveries that a scout found, and nothing of what they recover.
pub(crate) fn unfinished(needs: &mut Needs, found: &[Row]) {
    for (account, recovery) in found.iter().filter_map(recovery) {
        needs.account(account);
        needs.key(&RECOVERY, [account.into(), recovery.into()]);
    }
}

/// Ends the first of them.
pub(crate) fn end(world: &mut World, found: &[Row], now: Timestamp) -> Recovered {
    let Some((account, recovery)) = found.first().and_then(recovery) else { return Recovered::default() };
    let rows = world.accounts.get_mut(&account);
    rows.and_then(|rows| replays::cancel(rows, recovery, now));
    Recovered { at: Some(recovery), more: found.len() > 1 }
}

fn recovery(found: &Row) -> Option<(AccountId, RecoveryId)> {
    scouts::account(found, 0).zip(found.get(1).and_then(id).map(RecoveryId::from_bytes))
}
