//! What is read to deliver: messages and events that are due, started, finished or overdue.

use std::collections::BTreeMap;

use gatepost::{AccountId, Claim, Claimed, DeliveryId, ErrorClass, Finish, MessageId, Outcome, Take, Timestamp};
use gatepost_rows::cells::{Cell, Row};
use gatepost_rows::world::{NoticeRow, World, closes_at};

use super::lookups::{
    BINDING, CONTACT_OF_DELIVERY, CONTACT_OF_MESSAGE, DELIVERY, DELIVERY_OF_MESSAGE, ENDPOINT, EVENT, EVENT_DELIVERY, EVENTS_DUE,
    EVENTS_LATER, EVENTS_STARTED, MESSAGE, MESSAGE_OF_DELIVERY, MESSAGES_DUE, MESSAGES_LATER, REVIEW, REVIEW_OF_DELIVERY,
    USAGE_OF_DELIVERY, USAGE_OF_MESSAGE, WHAT_IS_DUE,
};
use super::{Needs, number, scouts};
use crate::group::Found;

/// The most accounts of which something is taken in one transaction.
pub(crate) const ACCOUNTS_MAX: usize = 256;
/// How many of an endpoint's events are ended untried in one transaction, and some.
const SKIPS_MAX: usize = 66;

/// A delivery of either channel with what it carries.
fn delivery(needs: &mut Needs, account: AccountId, delivery: DeliveryId) {
    needs.account(account);
    let key: [Cell; 2] = [account.into(), delivery.into()];
    needs.each([&DELIVERY, &MESSAGE_OF_DELIVERY, &CONTACT_OF_DELIVERY, &REVIEW_OF_DELIVERY, &USAGE_OF_DELIVERY], &key);
}

/// What is started or given back.
pub(crate) fn claimed(needs: &mut Needs, claimed: &Claimed) {
    delivery(needs, claimed.account, claimed.delivery);
}

/// What is finished. Most have sent, and change nothing but themselves.
pub(crate) fn finished(needs: &mut Needs, world: &World, finish: &Finish) {
    let Claimed { account, delivery: id, .. } = finish.claimed;
    let key: [Cell; 2] = [account.into(), id.into()];
    needs.account(account);
    needs.each([&DELIVERY, &MESSAGE_OF_DELIVERY, &EVENT_DELIVERY], &key);
    if !matches!(finish.outcome, Outcome::Sent { .. }) {
        needs.traffic(account);
        delivery(needs, account, id);
    }
    if finish.outcome.class() == Some(ErrorClass::OptedOut) {
        opted_out(needs, world, account, id);
    }
}

/// Who wants nothing more, says the provider.
fn opted_out(needs: &mut Needs, world: &World, account: AccountId, delivery: DeliveryId) {
    let Some(rows) = world.accounts.get(&account) else { return };
    let message = rows.outbox.get(&delivery).and_then(|row| rows.messages.get(&row.message));
    if let Some(row) = message {
        needs.address_closely(account, &row.message.recipient);
        needs.closely(account, row.contact);
    }
}

/// What a scout found, account after account.
pub(crate) fn sorted(found: &[Found]) -> Found {
    let mut found = found.first().cloned().unwrap_or_default();
    found.sort_unstable();
    found
}

/// The queues of which a scout found something due, account after account, as many accounts as are looked at in one go; and where that is
/// cut off. What was found must be sorted.
pub(crate) fn queues(found: &[Row], now: Timestamp) -> (Vec<(AccountId, Cell)>, Option<AccountId>) {
    let mut queues: Vec<(AccountId, Cell)> = Vec::new();
    let (mut accounts, mut last) = (0, None);
    for row in found {
        let (Some(account), Some(place), Some(due)) = (scouts::account(row, 0), row.get(1), row.get(2).and_then(number)) else { continue };
        if due > now.as_millis() {
            continue;
        }
        if last != Some(account) {
            if accounts == ACCOUNTS_MAX {
                return (queues, last);
            }
            (accounts, last) = (accounts + 1, Some(account));
        }
        queues.push((account, place.clone()));
    }
    let is_cut = queues.len() >= scouts::QUEUES_MAX;
    (queues, last.filter(|_| is_cut))
}

/// When the first of what is not due yet will be.
pub(crate) fn later(found: &[Row], now: Timestamp) -> Option<Timestamp> {
    let due = found.iter().filter_map(|row| row.get(2).and_then(number)).filter(|due| *due > now.as_millis());
    due.min().map(Timestamp::from_millis)
}

/// How many rows of each of these queues are read, where `limit` are taken of all of them together and `most` of one. Of many queues few
/// are read each, as they share the places; what is left is asked for again.
pub(crate) fn room(limit: usize, most: usize, queues: usize) -> usize {
    let share = limit.saturating_mul(2) / queues.max(1);
    share.clamp(1, most.max(1)).saturating_add(1)
}

/// Whether so much was read of a queue that there may be more of it.
pub(crate) fn has_full_queue(world: &World, room: usize) -> bool {
    let mut counts: BTreeMap<(AccountId, [u8; 16]), usize> = BTreeMap::new();
    for (account, rows) in &world.accounts {
        let messages = rows.outbox.values().filter(|row| row.is_waiting()).map(|row| row.instance.to_bytes());
        let events = rows.notices.values().filter(|row| row.is_waiting()).map(|row| row.endpoint.to_bytes());
        messages.chain(events).for_each(|place| *counts.entry((*account, place)).or_default() += 1);
    }
    counts.values().any(|count| *count >= room)
}

/// How many rows of each queue of a claim are read.
pub(crate) fn room_of_claim(claim: &Claim, queues: usize) -> usize {
    room(claim.limit, claim.per_account.min(claim.limit), queues)
}

/// How many rows of each queue of a take are read.
pub(crate) fn room_of_take(take: &Take, queues: usize) -> usize {
    room(take.limit.max(SKIPS_MAX), take.per_account.min(take.limit).max(SKIPS_MAX), queues)
}

/// Messages that are due.
pub(crate) fn due_messages(needs: &mut Needs, found: &[Row], claim: &Claim) {
    let queues = queues(found, claim.now).0;
    let room = room_of_claim(claim, queues.len());
    for (account, place) in queues {
        needs.account(account);
        let now = Cell::from(claim.now);
        needs.key(&MESSAGES_DUE, [account.into(), place.clone(), now.clone(), limit(room)]);
        needs.key(&MESSAGES_LATER, [account.into(), place, now]);
    }
}

/// Events that are due, also those that come in with their lines.
pub(crate) fn due_events(needs: &mut Needs, world: &World, found: &[Row], take: &Take) {
    let queues = queues(found, take.now).0;
    let room = room_of_take(take, queues.len());
    for (account, place) in queues {
        needs.account(account);
        needs.key(&EVENTS_STARTED, [account.into()]);
        needs.key(&ENDPOINT, [account.into(), place.clone()]);
        let now = Cell::from(take.now);
        let key = [account.into(), place.clone(), now.clone(), limit(room)];
        needs.each([&EVENTS_DUE, &WHAT_IS_DUE], &key);
        needs.key(&EVENTS_LATER, [account.into(), place, now]);
    }
    for (account, rows) in &world.accounts {
        let is_due = |row: &&NoticeRow| row.is_waiting() && row.delivery.state.due() <= take.now;
        let lacking = rows.notices.values().filter(is_due).filter(|row| !rows.events.contains_key(&row.event));
        lacking.for_each(|row| needs.key(&EVENT, [(*account).into(), row.event.into()]));
    }
}

/// A count as the limit of a statement.
pub(crate) fn limit(count: usize) -> Cell {
    Cell::count(count as u64)
}

/// What time has closed: deliveries, also those that come in with their lines, reviews and idempotency keys.
pub(crate) fn overdue(needs: &mut Needs, world: &World, found: &[Vec<Row>], now: Timestamp) {
    for (account, rows) in &world.accounts {
        let messages = rows.outbox.values().filter(|row| closes_at(&row.delivery) <= now && !rows.messages.contains_key(&row.message));
        for row in messages {
            needs.traffic(*account);
            delivery(needs, *account, row.id);
        }
        let events = rows.notices.values().filter(|row| closes_at(&row.delivery) <= now && !rows.deliveries.contains_key(&row.id));
        events.for_each(|row| needs.key(&EVENT_DELIVERY, [(*account).into(), row.id.into()]));
    }
    let rows = |nth: usize| found.get(nth).into_iter().flatten();
    for row in (0..4).flat_map(rows) {
        if let (Some(account), Some(id)) = (scouts::account(row, 0), row.get(1).and_then(super::id)) {
            needs.traffic(account);
            delivery(needs, account, DeliveryId::from_bytes(id));
            needs.key(&EVENT_DELIVERY, [account.into(), id.into()]);
        }
    }
    for row in rows(4) {
        if let (Some(account), Some(id)) = (scouts::account(row, 0), row.get(1).and_then(super::id).map(MessageId::from_bytes)) {
            needs.account(account);
            let key: [Cell; 2] = [account.into(), id.into()];
            needs.each([&MESSAGE, &REVIEW, &DELIVERY_OF_MESSAGE, &CONTACT_OF_MESSAGE, &USAGE_OF_MESSAGE], &key);
        }
    }
    for row in rows(5) {
        if let (Some(account), Some(key)) = (scouts::account(row, 0), row.get(1)) {
            needs.account(account);
            needs.key(&BINDING, [account.into(), key.clone()]);
        }
    }
}
