//! Messages: how far each got, its attempts, the policy events, and whom a contact's addresses name.

use std::mem;

use gatepost::{
    Address, Attempt, ContactId, ErrorClass, Message, MessageFilter, MessageId, MessageStatus, Page, PolicyEvent, PolicyEventFilter,
    Timestamp,
};

use crate::world::{AccountRows, Effects, newest};
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
    rows.messages.get(&message).map(|row| row.attempts.clone()).unwrap_or_default()
}

/// A page of the policy events that a filter admits, newest first.
pub fn policy_events(rows: &AccountRows, filter: PolicyEventFilter, page: Page<u64>) -> Vec<PolicyEvent> {
    newest(&rows.policy_events, page).filter(|event| filter.admits(event)).take(page.limit).cloned().collect()
}

/// The addresses of a contact.
pub fn addresses(rows: &AccountRows, contact: ContactId) -> Vec<Address> {
    let contact = contacts::present(rows, contact);
    rows.contact_of.iter().filter(|(_, id)| **id == contact).map(|(address, _)| address.clone()).collect()
}
