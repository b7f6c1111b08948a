//! Retention: what is older than its time is forgotten, from the oldest on, unless it is unfinished.

use std::collections::BTreeSet;

use gatepost::{Message, MessageId, MessageStatus, Retention, Timestamp};

use crate::world::{AccountRows, World};

/// Forgets at most `limit` rows of each kind; how many were forgotten.
pub(crate) fn retain(world: &mut World, retention: Retention, limit: usize) -> usize {
    let (mut contents, mut messages, mut events) = (0, 0, 0);
    for rows in world.accounts.values_mut() {
        contents += forget_contents(rows, retention.content_before, limit - contents);
        messages += forget_messages(rows, retention.logs_before, limit - messages);
        events += forget_events(rows, retention.logs_before, limit - events);
    }
    contents + messages + events
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
    for message in &over {
        rows.messages.remove(message);
    }
    over.len()
}

fn forget_events(rows: &mut AccountRows, before: Timestamp, limit: usize) -> usize {
    let over: Vec<u64> = rows.policy_events.values().filter(|event| event.at < before).take(limit).map(|event| event.seq).collect();
    for seq in &over {
        rows.policy_events.remove(seq);
    }
    over.len()
}
