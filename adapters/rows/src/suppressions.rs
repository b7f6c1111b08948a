//! Suppressions: the list, and the strictest cause in force on the contact's own row, where every send reads it.

use gatepost::{Actor, ContactId, NewSuppression, OptChange, Page, Suppression, SuppressionFilter, SuppressionId, Timestamp};

use crate::world::{AccountRows, Effects, newest};
use crate::{contacts, events, traffic};

/// Suppresses a contact; the suppression in force for the same cause is kept.
pub fn suppress(rows: &mut AccountRows, effects: &mut Effects, new: NewSuppression) -> Suppression {
    let contact = rows.contact_of.get(&new.address).copied().unwrap_or(new.contact);
    rows.meet(contact, &new.address);
    if let Some(standing) = in_force(rows, contact).find(|standing| standing.cause == new.cause) {
        return standing.clone();
    }
    let suppression = add(rows, effects, NewSuppression { contact, ..new });
    if suppression.cause.is_own_wish() {
        let Suppression { id, ref address, cause: source, since: at, .. } = suppression;
        events::tell_opted_out(rows, effects, &OptChange { id: id.to_bytes(), instance: None, address, text: None, source, at });
    }
    suppression
}

/// Adds a suppression, and withdraws what waits.
pub fn add(rows: &mut AccountRows, effects: &mut Effects, new: NewSuppression) -> Suppression {
    let NewSuppression { id, contact, address, cause, note, by, now } = new;
    let suppression = Suppression { id, contact, address, cause, note, since: now, by, lifted: None };
    if cause.is_opt_out() && !in_force(rows, contact).any(|standing| standing.cause.is_opt_out()) {
        traffic::note_opt_out(rows, effects, contact, now);
    }
    rows.suppressions.insert(id, suppression.clone());
    contacts::trust(rows, contact);
    write_strictest(rows, contact);
    contacts::call_back(rows, effects, contact, now);
    suppression
}

/// The suppressions of a contact that are not lifted.
pub fn in_force(rows: &AccountRows, contact: ContactId) -> impl Iterator<Item = &Suppression> {
    rows.suppressions.values().filter(move |suppression| suppression.contact == contact && suppression.lifted.is_none())
}

/// Writes the strictest suppression in force into the contact's row, and into the rows of those that became a part of it.
pub fn write_strictest(rows: &mut AccountRows, contact: ContactId) {
    let strictest = in_force(rows, contact).max_by_key(|suppression| suppression.cause);
    let strictest = strictest.map(|strictest| (strictest.cause, strictest.since));
    if let Some(row) = rows.contacts.get_mut(&contact) {
        let unread = row.suppressed.filter(|_| row.has_unread);
        row.suppressed = strictest.into_iter().chain(unread).max_by_key(|(cause, _)| *cause);
    }
    contacts::mirror(rows, contact);
}

/// Lifts a suppression, unless it was lifted before; the suppression as it is then.
pub fn lift(rows: &mut AccountRows, id: SuppressionId, by: Actor, now: Timestamp) -> Option<Suppression> {
    let suppression = rows.suppressions.get_mut(&id)?;
    suppression.lifted.get_or_insert((by, now));
    let lifted = suppression.clone();
    write_strictest(rows, lifted.contact);
    Some(lifted)
}

/// A page of the suppressions that a filter admits, newest first.
pub fn list(rows: &AccountRows, filter: &SuppressionFilter, page: Page<SuppressionId>) -> Vec<Suppression> {
    let is_theirs = |suppression: &Suppression| match &filter.address {
        None => true,
        Some(address) => rows.contact_of.get(address) == Some(&suppression.contact),
    };
    let is_wanted = |suppression: &&Suppression| is_theirs(suppression) && !(filter.in_force && suppression.lifted.is_some());
    newest(&rows.suppressions, page).filter(is_wanted).take(page.limit).cloned().collect()
}
