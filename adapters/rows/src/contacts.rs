//! Contacts: who may have opted out, what a person says of it, and contacts that turn out to be one.

use std::collections::BTreeSet;

use gatepost::{
    Actor, Address, Addresses, Cause, ContactCard, ContactId, Gate, InboundId, Input, InstanceId, NewSuppression, Page, State, StoreError,
    Suppression, SuppressionId, Suspicion, Timestamp, Words, may_start,
};

use crate::deliver;
use crate::suppressions;
use crate::world::{AccountRows, ContactRow, Effects, OutboxRow};

/// The contact with these addresses, which is `new` where none is known. Contacts that turn out to be one become the oldest of them, and
/// what waits is called back if one of them opted out.
pub fn know(rows: &mut AccountRows, effects: &mut Effects, addresses: &Addresses, new: ContactId, now: Timestamp) -> ContactId {
    let known: BTreeSet<ContactId> = addresses.iter().filter_map(|address| rows.contact_of.get(address)).copied().collect();
    let contact = known.first().copied().unwrap_or(new);
    for other in known.iter().skip(1) {
        merge(rows, *other, contact);
    }
    for address in addresses.iter() {
        rows.meet(contact, address);
    }
    if known.len() > 1 {
        call_back(rows, effects, contact, now);
    }
    contact
}

/// Makes `other` a part of `contact`: its addresses, its suppressions, and how far it got with us. Its row stays, so that what names it is
/// found.
fn merge(rows: &mut AccountRows, other: ContactId, contact: ContactId) {
    let Some(gone) = rows.contacts.get(&other).cloned() else { return };
    for address in gone.addresses() {
        rows.contact_of.insert(address, contact);
    }
    rows.suppressions.values_mut().filter(|suppression| suppression.contact == other).for_each(|suppression| suppression.contact = contact);
    merge_conversations(rows, other, contact);
    for (id, row) in &mut rows.contacts {
        if *id == other || row.merged_into == Some(other) {
            (row.merged_into, row.name) = (Some(contact), None);
        }
    }
    if let Some(row) = rows.contacts.get_mut(&contact) {
        take_over(row, gone);
    }
    suppressions::write_strictest(rows, contact);
}

fn merge_conversations(rows: &mut AccountRows, other: ContactId, contact: ContactId) {
    let theirs = |(of, _): &(ContactId, InstanceId)| *of == other;
    let gone: Vec<(ContactId, InstanceId)> = rows.conversations.keys().copied().filter(theirs).collect();
    for key in gone {
        if let Some(end) = rows.conversations.remove(&key) {
            rows.conversations.entry((contact, key.1)).and_modify(|known| *known = end.max(*known)).or_insert(end);
        }
    }
}

/// Adds to a contact what is known of one that turned out to be the same.
fn take_over(row: &mut ContactRow, gone: ContactRow) {
    row.suspected = [row.suspected, gone.suspected].into_iter().flatten().reduce(both_doubts);
    row.has_unread |= gone.has_unread;
    row.suppressed = row.suppressed.into_iter().chain(gone.suppressed).max_by_key(|(cause, _)| *cause);
    row.window_until = row.window_until.max(gone.window_until);
    row.name = [row.name.take(), gone.name].into_iter().flatten().reduce(newest_name);
    row.others.push(gone.address);
    row.others.extend(gone.others);
    row.tats.take_later(&gone.tats);
    for (mode, sent) in gone.last_sent {
        let known = row.last_sent.entry(mode).or_insert(sent);
        *known = if sent.hour > known.hour { sent } else { *known };
    }
}

/// Writes a contact's state onto the rows of those that became a part of it: a start reads the row that its message names.
pub fn mirror(rows: &mut AccountRows, contact: ContactId) {
    let Some(ContactRow { suppressed, suspected, .. }) = rows.contacts.get(&contact).cloned() else { return };
    for row in rows.contacts.values_mut().filter(|row| row.merged_into == Some(contact)) {
        (row.suppressed, row.suspected) = (suppressed, suspected);
    }
}

/// The contact that this one is by now.
pub fn present(rows: &AccountRows, contact: ContactId) -> ContactId {
    rows.contacts.get(&contact).and_then(|row| row.merged_into).unwrap_or(contact)
}

/// What is known of the contact with this address.
pub fn card(rows: &AccountRows, address: &Address) -> Option<ContactCard> {
    let id = *rows.contact_of.get(address)?;
    let row = rows.contacts.get(&id)?;
    let name = row.name.as_ref().map(|(_, name)| name.clone());
    Some(ContactCard { id, name, addresses: row.addresses().into_iter().collect() })
}

/// Ends or takes back what waits for a contact, or for those that became a part of it, where present facts ask for it: it is withdrawn for a
/// suppression, and held for a suspicion.
pub fn call_back(rows: &mut AccountRows, effects: &mut Effects, contact: ContactId, now: Timestamp) {
    let is_theirs = |to: ContactId| to == contact || rows.contacts.get(&to).is_some_and(|row| row.merged_into == Some(contact));
    let waits = |row: &&OutboxRow| matches!(row.delivery.state, State::Waiting { .. } | State::Claimed { .. }) && is_theirs(row.contact);
    let waiting: Vec<OutboxRow> = rows.outbox.values().filter(waits).copied().collect();
    for row in waiting {
        let input = match deliver::start_facts(rows, &row).map(|facts| may_start(&facts)) {
            Some(Gate::Closed) => Input::Withdraw,
            Some(Gate::Held) => Input::Hold,
            Some(Gate::Open | Gate::Wait) | None => continue,
        };
        let settled = deliver::advance(rows, effects, &row, &input, now);
        effects.called_back.extend(settled);
    }
}

/// Of two names the newest one counts.
fn newest_name(one: (Timestamp, Words), other: (Timestamp, Words)) -> (Timestamp, Words) {
    if one.0 >= other.0 { one } else { other }
}

/// Of two doubts the newest word counts, and its time: whoever let something go out before has not seen it.
fn both_doubts(one: (InboundId, Timestamp), other: (InboundId, Timestamp)) -> (InboundId, Timestamp) {
    (one.0.max(other.0), one.1.max(other.1))
}

/// Has a person look at a contact who may have opted out, and holds what waits for them.
pub fn suspect(rows: &mut AccountRows, effects: &mut Effects, contact: ContactId, inbound: InboundId, now: Timestamp) {
    if let Some(row) = rows.contacts.get_mut(&contact) {
        let doubt = (inbound, now);
        row.suspected = Some(row.suspected.map_or(doubt, |known| both_doubts(known, doubt)));
    }
    mirror(rows, contact);
    call_back(rows, effects, contact, now);
}

/// What a contact said is understood now.
pub fn trust(rows: &mut AccountRows, contact: ContactId) {
    if let Some(row) = rows.contacts.get_mut(&contact).filter(|row| row.suspected.is_some()) {
        row.suspected = None;
        mirror(rows, contact);
    }
}

/// A page of contacts that may have opted out.
pub fn suspicions(rows: &AccountRows, page: Page<ContactId>) -> Vec<Suspicion> {
    let behind = |contact: &&ContactId| page.after.is_none_or(|after| **contact > after);
    rows.contacts.keys().filter(behind).filter_map(|contact| suspicion(rows, *contact)).take(page.limit).collect()
}

fn suspicion(rows: &AccountRows, contact: ContactId) -> Option<Suspicion> {
    let row = rows.contacts.get(&contact).filter(|row| row.merged_into.is_none())?;
    let (inbound, since) = row.suspected?;
    // The address to show: the phone number, where it is known.
    Some(Suspicion { contact, address: row.addresses().into_iter().next()?, inbound, since })
}

/// A person says whether a contact opted out.
pub fn answer(
    rows: &mut AccountRows,
    effects: &mut Effects,
    (contact, seen): (ContactId, InboundId),
    opted_out: bool,
    by: Actor,
    now: Timestamp,
) -> Result<Option<Suspicion>, StoreError> {
    let contact = present(rows, contact);
    let Some(answered) = suspicion(rows, contact) else { return Ok(None) };
    if answered.inbound != seen {
        return Err(StoreError::Conflict);
    }
    trust(rows, contact);
    if opted_out {
        let id = SuppressionId::of(answered.inbound.to_bytes(), now);
        let (address, cause) = (answered.address.clone(), Cause::NaturalLanguage);
        suppressions::suppress(rows, effects, NewSuppression { id, contact, address, cause, note: None, by, now });
    }
    Ok(Some(answered))
}

/// Lifts what is in force and `lifts` says so of; what was lifted, the strictest first.
pub fn lift_all(
    rows: &mut AccountRows,
    contact: ContactId,
    by: Actor,
    now: Timestamp,
    lifts: impl Fn(&Suppression) -> bool,
) -> Vec<Suppression> {
    let lifted = suppressions::in_force(rows, contact).filter(|standing| lifts(standing)).map(|standing| standing.id);
    let lifted: Vec<SuppressionId> = lifted.collect();
    let mut lifted: Vec<Suppression> = lifted.into_iter().filter_map(|id| suppressions::lift(rows, id, by, now)).collect();
    lifted.sort_by_key(|suppression| std::cmp::Reverse(suppression.cause));
    lifted
}
