//! Retention: what is older than its time is forgotten, from the oldest on, unless it is unfinished.

use std::collections::{BTreeMap, BTreeSet};

use gatepost::{DeliveryId, EventId, InboundId, Message, MessageId, MessageStatus, Retention, Timestamp, Told};

use crate::world::{AccountRows, DeliveryRow, InboundRow, World};
use crate::{integrations, notices, traffic};

/// Forgets at most `limit` rows of each kind; how many were forgotten.
pub fn retain(world: &mut World, retention: Retention, limit: usize) -> usize {
    let Retention { content_before, logs_before, raw_before, now } = retention;
    let kinds: [(Forget, Timestamp); 13] = [
        (forget_contents, content_before),
        (forget_fields, content_before),
        (forget_messages, logs_before),
        (forget_deliveries, logs_before),
        (forget_events, logs_before),
        (forget_recoveries, logs_before),
        (forget_words, content_before),
        (forget_inbound, logs_before),
        (forget_notifications, logs_before),
        (forget_bodies, raw_before),
        (forget_inbound_keys, raw_before),
        (integrations::forget, logs_before),
        (traffic::forget, now),
    ];
    kinds.into_iter().map(|(forget, before)| forget_kind(world, forget, before, limit)).sum()
}

/// Forgets at most so many rows of one kind that are older than this; how many it were.
type Forget = fn(&mut AccountRows, Timestamp, usize) -> usize;

fn forget_kind(world: &mut World, forget: Forget, before: Timestamp, limit: usize) -> usize {
    world.accounts.values_mut().fold(0, |forgotten, rows| forgotten + forget(rows, before, limit - forgotten))
}

/// What may still be sent, or may have been sent and nobody knows: it is in the outbox or waits for a person.
fn unfinished(rows: &AccountRows) -> BTreeSet<MessageId> {
    let held = rows.messages.values().filter(|row| row.message.status == MessageStatus::Held).map(|row| row.message.id);
    rows.outbox.values().map(|row| row.message).chain(held).collect()
}

fn forget_contents(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let unfinished = unfinished(rows);
    let is_over = |message: &&mut Message| message.created_at < before && !unfinished.contains(&message.id);
    let over = rows.messages.values_mut().map(|row| &mut row.message).filter(is_over);
    over.filter_map(|message| message.content.take()).take(limit).count()
}

/// Forgets messages, and with each its attempts and its review.
fn forget_messages(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let unfinished = unfinished(rows);
    let is_over = |message: &&Message| message.created_at < before && !unfinished.contains(&message.id);
    let over = rows.messages.values().map(|row| &row.message).filter(is_over).map(|message| message.id);
    let over: Vec<MessageId> = over.take(limit).collect();
    over.iter().for_each(|message| forget_message(rows, *message));
    over.len()
}

fn forget_message(rows: &mut AccountRows, message: MessageId) {
    let Some(row) = rows.messages.remove(&message) else { return };
    if let Some(external_id) = row.message.external_id {
        let called = (row.message.instance, external_id);
        if rows.external_ids.get(&called) == Some(&message) {
            rows.external_ids.remove(&called);
        }
    }
    rows.parked.remove(&row.delivery);
    rows.reviews.remove(&message);
    let attempts: Vec<(MessageId, u16)> = rows.attempts.range((message, 0)..=(message, u16::MAX)).map(|(key, _)| *key).collect();
    attempts.iter().for_each(|key| _ = rows.attempts.remove(key));
}

/// Forgets what events said, also of those that are still to be delivered: what is left of them is skipped.
fn forget_fields(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let old = rows.events.values_mut().filter(|event| event.occurred_at < before);
    old.filter_map(|event| event.fields.take()).take(limit).count()
}

/// Forgets deliveries, and with each its attempts.
fn forget_deliveries(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let is_over = |row: &DeliveryRow| row.created_at < before && !row.status.is_pending();
    let over = rows.deliveries.values().filter(|row| is_over(row)).map(|row| row.id);
    let over: Vec<DeliveryId> = over.take(limit).collect();
    for id in &over {
        rows.deliveries.remove(id);
        rows.parked.remove(id);
        notices::forget_attempts(rows, *id);
    }
    over.len()
}

/// Forgets events that the log does not name any more.
fn forget_events(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let named: BTreeSet<EventId> = rows.deliveries.values().map(|row| row.event).collect();
    remove(&mut rows.events, limit, |event| event.occurred_at < before && !named.contains(&event.id))
}

fn forget_recoveries(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    remove(&mut rows.recoveries, limit, |recovery| recovery.until < before && recovery.progress.is_over())
}

/// What is not heeded yet.
fn waiting(rows: &AccountRows) -> BTreeSet<InboundId> {
    rows.inbox.values().map(|row| row.inbound).collect()
}

/// Forgets what contacts said, but not that they did.
fn forget_words(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let waiting = waiting(rows);
    let over = rows.inbound.values_mut().map(|row| &mut row.entry).filter(|entry| entry.received_at < before);
    let over = over.filter(|entry| !waiting.contains(&entry.id));
    over.filter_map(|entry| forget_said(&mut entry.told).then_some(())).take(limit).count()
}

fn forget_said(told: &mut Told) -> bool {
    match told {
        Told::Said(said) => said.forget(),
        _ => false,
    }
}

fn forget_inbound(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let waiting = waiting(rows);
    let is_over = |row: &&InboundRow| row.entry.received_at < before && !waiting.contains(&row.entry.id);
    let over = rows.inbound.values().filter(is_over).map(|row| (row.entry.id, row.delivery));
    let over: Vec<(InboundId, Option<DeliveryId>)> = over.take(limit).collect();
    for (id, delivery) in &over {
        rows.inbound.remove(id);
        delivery.and_then(|delivery| rows.parked.remove(&delivery));
    }
    over.len()
}

fn forget_notifications(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    remove(&mut rows.notifications, limit, |entry| entry.received_at < before)
}

fn forget_bodies(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let over = rows.notifications.values_mut().filter(|entry| entry.received_at < before);
    over.filter_map(|entry| entry.body.take()).take(limit).count()
}

fn forget_inbound_keys(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    remove(&mut rows.inbound_keys, limit, |told_at| *told_at < before)
}

/// Removes the oldest rows that are over, at most `limit`; how many it were.
fn remove<K: Copy + Ord, V>(rows: &mut BTreeMap<K, V>, limit: usize, is_over: impl Fn(&V) -> bool) -> usize {
    let over: Vec<K> = rows.iter().filter(|(_, row)| is_over(row)).map(|(key, _)| *key).take(limit).collect();
    for key in &over {
        rows.remove(key);
    }
    over.len()
}
