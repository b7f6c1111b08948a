//! Messages: how far each got, its attempts, the policy events, and whom a contact's addresses name.

use std::mem;

use gatepost::{
    Address, Attempt, ContactId, Delivery, ErrorClass, Message, MessageFilter, MessageId, MessageStatus, Outcome, Page, PolicyEvent,
    PolicyEventFilter, State, Timestamp,
};

use crate::world::{AccountRows, ContactRow, Effects, newest};
use crate::{contacts, events};

/// Changes how far a message got, and tells of it.
pub fn set_status(
    rows: &mut AccountRows,
    effects: &mut Effects,
    id: MessageId,
    status: MessageStatus,
    error: Option<ErrorClass>,
    now: Timestamp,
) {
    let Some(message) = rows.messages.get_mut(&id).map(|row| &mut row.message) else { return };
    let previous = mem::replace(&mut message.status, status);
    message.error = error;
    message.updated_at = now;
    if previous != status {
        events::tell_status(rows, effects, id, Some(previous));
    }
}

/// The message with this id.
pub fn find(rows: &AccountRows, id: MessageId) -> Option<Message> {
    rows.messages.get(&id).map(|row| row.message.clone())
}

/// A page of the messages that a filter admits, newest first.
pub fn list(rows: &AccountRows, filter: MessageFilter, page: Page<MessageId>) -> Vec<Message> {
    let has_status = |message: &Message| filter.status.is_none_or(|status| message.status == status);
    let is_from = |message: &Message| filter.instance.is_none_or(|instance| message.instance == instance);
    let messages = newest(&rows.messages, page).map(|row| &row.message);
    messages.filter(|message| has_status(message) && is_from(message)).take(page.limit).cloned().collect()
}

/// The attempts of a message, oldest first.
pub fn attempts(rows: &AccountRows, message: MessageId) -> Vec<Attempt> {
    let Some(row) = rows.messages.get(&message) else { return Vec::new() };
    let unsent = rows.attempts.range((message, 0)..=(message, u16::MAX)).map(|(_, attempt)| attempt.clone());
    let sent = row.sent.map(|sent| Attempt {
        number: sent.number,
        started_at: sent.from,
        finished_at: Some(sent.at),
        outcome: Some(Outcome::Sent { external_id: row.message.external_id.clone() }),
        report: None,
    });
    let open = rows.outbox.get(&row.delivery).and_then(|row| open_attempt(&row.delivery, row.started_at));
    let mut attempts: Vec<Attempt> = unsent.chain(sent).chain(open).collect();
    attempts.sort_by_key(|attempt| attempt.number);
    attempts
}

/// The attempt that is open, where the delivery is in one.
pub fn open_attempt(delivery: &Delivery, started_at: Option<Timestamp>) -> Option<Attempt> {
    let is_open = matches!(delivery.state, State::Started { .. });
    let started_at = started_at.filter(|_| is_open)?;
    Some(Attempt { number: delivery.tries, started_at, finished_at: None, outcome: None, report: None })
}

/// Whether an attempt of a message is over that did not send it: the only ones that a message may have which was taken back.
pub fn is_tried(rows: &AccountRows, message: MessageId) -> bool {
    rows.attempts.range((message, 0)..=(message, u16::MAX)).next().is_some()
}

/// A page of the policy events that a filter admits, newest first.
pub fn policy_events(rows: &AccountRows, filter: PolicyEventFilter, page: Page<u64>) -> Vec<PolicyEvent> {
    newest(&rows.policy_events, page).map(|row| &row.event).filter(|event| filter.admits(event)).take(page.limit).cloned().collect()
}

/// The addresses of the contact that this one is by now; the phone number first, where there is one.
pub fn addresses(rows: &AccountRows, contact: ContactId) -> Vec<Address> {
    rows.contacts.get(&contacts::present(rows, contact)).map(ContactRow::addresses).unwrap_or_default()
}
