//! Suppressions: the list, and the strictest cause in force on the contact's own row, where every send reads it.

use gatepost::{Actor, ContactId, ContactState, NewSuppression, Page, Suppression, SuppressionFilter, SuppressionId, Timestamp};

use crate::world::{AccountRows, newest};

/// Suppresses a contact; the suppression in force for the same cause is kept.
pub(crate) fn suppress(rows: &mut AccountRows, new: NewSuppression) -> Suppression {
    let NewSuppression { id, contact, address, cause, note, by, now } = new;
    let contact = rows.contact_of.get(&address).copied().unwrap_or(contact);
    rows.meet(contact, address.clone());
    if let Some(standing) = in_force(rows, contact).find(|standing| standing.cause == cause) {
        return standing.clone();
    }
    let suppression = Suppression { id, contact, address, cause, note, since: now, by, lifted: None };
    rows.suppressions.insert(id, suppression.clone());
    write_strictest(rows, contact);
    suppression
}

fn in_force(rows: &AccountRows, contact: ContactId) -> impl Iterator<Item = &Suppression> {
    rows.suppressions.values().filter(move |suppression| suppression.contact == contact && suppression.lifted.is_none())
}

fn write_strictest(rows: &mut AccountRows, contact: ContactId) {
    let strictest = in_force(rows, contact).max_by_key(|suppression| suppression.cause);
    let suppressed = |strictest: &Suppression| ContactState::Suppressed { cause: strictest.cause, since: strictest.since };
    let state = strictest.map_or(ContactState::Reachable, suppressed);
    if let Some(row) = rows.contacts.get_mut(&contact) {
        row.state = state;
    }
}

/// Lifts a suppression, unless it was lifted before; the suppression as it is then.
pub(crate) fn lift(rows: &mut AccountRows, id: SuppressionId, by: Actor, now: Timestamp) -> Option<Suppression> {
    let suppression = rows.suppressions.get_mut(&id)?;
    suppression.lifted.get_or_insert((by, now));
    let lifted = suppression.clone();
    write_strictest(rows, lifted.contact);
    Some(lifted)
}

pub(crate) fn list(rows: &AccountRows, filter: &SuppressionFilter, page: Page<SuppressionId>) -> Vec<Suppression> {
    let is_theirs = |suppression: &Suppression| match &filter.address {
        None => true,
        Some(address) => rows.contact_of.get(address) == Some(&suppression.contact),
    };
    let is_wanted = |suppression: &&Suppression| is_theirs(suppression) && !(filter.in_force && suppression.lifted.is_some());
    newest(&rows.suppressions, page).filter(is_wanted).take(page.limit).cloned().collect()
}
