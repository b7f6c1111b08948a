//! Messages: how far each got, its attempts, the policy events, and whom a contact's addresses name.

use std::mem;

use gatepost::{
    Address, Attempt, ContactId, ErrorClass, Message, MessageFilter, MessageId, MessageStatus, Page, PolicyEvent, PolicyEventFilter,
    Timestamp,
};

use crate::world::{AccountRows, Effects, newest};
use crate::{contacts, events};

/// Changes how far a message got, and tells of it.
pub(crate) fn set_status(
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

pub(crate) fn find(rows: &AccountRows, id: MessageId) -> Option<Message> {
    rows.messages.get(&id).map(|row| row.message.clone())
}

pub(crate) fn list(rows: &AccountRows, filter: MessageFilter, page: Page<MessageId>) -> Vec<Message> {
    let has_status = |message: &Message| filter.status.is_none_or(|status| message.status == status);
    let is_from = |message: &Message| filter.instance.is_none_or(|instance| message.instance == instance);
    let messages = newest(&rows.messages, page).map(|row| &row.message);
    messages.filter(|message| has_status(message) && is_from(message)).take(page.limit).cloned().collect()
}

pub(crate) fn attempts(rows: &AccountRows, message: MessageId) -> Vec<Attempt> {
    rows.messages.get(&message).map(|row| row.attempts.clone()).unwrap_or_default()
}

pub(crate) fn policy_events(rows: &AccountRows, filter: PolicyEventFilter, page: Page<u64>) -> Vec<PolicyEvent> {
    newest(&rows.policy_events, page).filter(|event| filter.admits(event)).take(page.limit).cloned().collect()
}

pub(crate) fn addresses(rows: &AccountRows, contact: ContactId) -> Vec<Address> {
    let contact = contacts::present(rows, contact);
    rows.contact_of.iter().filter(|(_, id)| **id == contact).map(|(address, _)| address.clone()).collect()
}
