//! Inbox: what providers tell, kept as it comes and heeded in that order.
//!
//! The players: [`receive`] (one notification), [`heed`] (what follows from each thing of it, whole or not at all), and a function for each
//! kind of thing that something follows from.

use std::collections::btree_map::Entry;
use std::ops::Bound;

use gatepost::{
    Account, AccountId, Actor, Address, CONVERSATION_TIME, Cause, Confirmation, ContactId, Decider, DeliveryId, ErrorClass, Heed,
    HeedAnswer, Inbound, InboundEntry, InboundFilter, InboundId, InstanceChange, InstanceId, Message, MessageId, MessageReceived,
    NewSuppression, Notification, NotificationEntry, NotificationId, OptChange, Page, Received, Response, Said, Settled, StatusReport,
    Suppression, SuppressionId, Timestamp, Told,
};

use crate::world::{AccountRows, Effects, InboundRow, InboxRow, World, newest};
use crate::{accept, accounts, contacts, deliver, events, messages, reviews, suppressions};

/// Keeps what a provider posted, and each thing of it that was not told before.
pub fn receive(rows: &mut AccountRows, effects: &mut Effects, notification: Notification) -> Received {
    let Notification { id, instance, body, inbound, now } = notification;
    let mut received = Received::default();
    for inbound in inbound {
        match rows.inbound_keys.entry(inbound.key) {
            Entry::Occupied(_) => received.repeated += 1,
            Entry::Vacant(place) => {
                place.insert(now);
                received.new += 1;
                received.quarantined += usize::from(matches!(inbound.told, Told::Quarantined { .. }));
                keep(rows, effects, inbound, (id, instance), now);
            }
        }
    }
    rows.notifications.insert(id, NotificationEntry { id, instance, received_at: now, received, body: Some(body) });
    effects.left_due |= !rows.inbox.is_empty();
    received
}

fn keep(
    rows: &mut AccountRows,
    effects: &mut Effects,
    inbound: Inbound,
    (notification, instance): (NotificationId, InstanceId),
    now: Timestamp,
) {
    let from = inbound.people.first().cloned();
    let contact = inbound.introduces().then(|| contacts::know(rows, effects, &inbound.addresses(), inbound.contact, now));
    let Inbound { id, kind, at, told, .. } = inbound;
    let waits = told.is_heeded();
    let entry = InboundEntry { id, notification, instance, contact, from, kind, at, received_at: now, waits: false, told };
    let delivery = waits.then(|| DeliveryId::of_inbound(id, now));
    rows.inbound.insert(id, InboundRow { entry, delivery });
    if let Some(delivery) = delivery {
        let place = rows.next_inbound();
        rows.inbox.insert(place, InboxRow { delivery, inbound: id, instance, due: now });
    }
}

/// Heeds what came in, account after account.
pub fn heed(world: &mut World, heed: &Heed) -> HeedAnswer {
    let mut answer = HeedAnswer::default();
    let behind = heed.after.map_or(Bound::Unbounded, Bound::Excluded);
    let accounts: Vec<AccountId> = world.accounts.range((behind, Bound::Unbounded)).map(|(id, _)| *id).collect();
    for account in accounts {
        heed_account(world, account, heed, &mut answer);
        if answer.heeded >= heed.limit {
            answer.after = Some(account);
            break;
        }
    }
    answer.settled.append(&mut world.effects.called_back);
    answer
}

/// Heeds one thing of an account, behind so many that are passed over.
pub fn heed_one_behind(world: &mut World, account: AccountId, passed: usize, heed: &Heed) -> HeedAnswer {
    let mut answer = HeedAnswer::default();
    let taken = world.accounts.get_mut(&account).and_then(|rows| {
        let place = rows.inbox.keys().nth(passed).copied()?;
        rows.inbox.remove(&place)
    });
    if let Some(next) = taken {
        answer.settled.extend(heed_one(world, account, next.inbound, &*heed.decider, heed.now));
        answer.heeded = 1;
    }
    answer.settled.append(&mut world.effects.called_back);
    answer
}

fn heed_account(world: &mut World, account: AccountId, heed: &Heed, answer: &mut HeedAnswer) {
    let room = heed.per_account.min(heed.limit - answer.heeded);
    for _ in 0..room {
        let Some((_, next)) = world.accounts.get_mut(&account).and_then(|rows| rows.inbox.pop_first()) else { return };
        answer.settled.extend(heed_one(world, account, next.inbound, &*heed.decider, heed.now));
        answer.heeded += 1;
    }
    answer.more |= world.accounts.get(&account).is_some_and(|rows| !rows.inbox.is_empty());
}

/// Does what follows from one thing; the message whose status that changed.
fn heed_one(world: &mut World, account: AccountId, id: InboundId, decider: &dyn Decider, now: Timestamp) -> Option<Settled> {
    let World { accounts, effects, .. } = world;
    let rows = accounts.get_mut(&account)?;
    let entry = find(rows, id)?;
    match &entry.told {
        Told::Said(said) => {
            let is_confirmed = hear(rows, effects, &entry, said, now);
            if let Some(confirmation) = is_confirmed.then(|| confirmation(&entry, said)).flatten().filter(|found| found.is_in_time(now)) {
                confirm(world, account, &confirmation, decider, now);
            }
            None
        }
        Told::Status(report) => {
            rows.inbound.remove(&id);
            report_status(rows, effects, &entry, report, now)
        }
        Told::Preference(wish) => {
            respond(rows, effects, &entry, None, wish.response(), now);
            None
        }
        Told::Connection(connection) => {
            let change = InstanceChange { connection: Some(*connection), at: now, ..InstanceChange::default() };
            // Only a change of the pause can be refused.
            let _ = accounts::change_instance(rows, effects, entry.instance, change);
            None
        }
        Told::Identity(_) | Told::Other | Told::Quarantined { .. } => None,
    }
}

/// Heeds what a contact said: what they ask for before all else. Whether that is to be confirmed.
fn hear(rows: &mut AccountRows, effects: &mut Effects, entry: &InboundEntry, said: &Said, now: Timestamp) -> bool {
    let is_confirmed = respond(rows, effects, entry, Some(said), said.response(), now);
    if let Some(contact) = entry.contact {
        meet(rows, contact, entry, said);
    }
    tell_received(rows, effects, entry, said);
    is_confirmed
}

/// Notes what a contact who wrote is called, and until when they may be answered.
fn meet(rows: &mut AccountRows, contact: ContactId, entry: &InboundEntry, said: &Said) {
    let (Some(row), at) = (rows.contacts.get_mut(&contact), entry.said_at()) else { return };
    if let Some(name) = &said.sender_name {
        row.call(name.clone(), at);
    }
    if said.opens_window {
        let end = at.plus(CONVERSATION_TIME);
        row.window_until = row.window_until.max(Some(end));
        rows.conversations.entry((contact, entry.instance)).and_modify(|known| *known = end.max(*known)).or_insert(end);
    }
}

/// Tells that a contact wrote. The message that it answers to is looked for only where somebody listens.
fn tell_received(rows: &mut AccountRows, effects: &mut Effects, entry: &InboundEntry, said: &Said) {
    let Some(instance) = rows.instances.get(&entry.instance) else { return };
    let from = sender(rows, entry);
    let topic = MessageReceived::topic_of(entry.instance, from.as_ref());
    if events::is_heard(rows, &topic) {
        let (id, instance, from) = (entry.id, (instance.id, &instance.name), from.as_ref());
        let reply_to = said.reply_to.as_deref().and_then(|external_id| message_called(rows, entry.instance, external_id));
        let heard = MessageReceived { id, instance, from, said, reply_to, at: entry.said_at(), received_at: entry.received_at };
        let event = heard.event();
        events::tell_of(rows, effects, &topic, event);
    }
}

/// Who wrote, by their number where the account knows it: a provider may not say it again.
fn sender(rows: &AccountRows, entry: &InboundEntry) -> Option<Address> {
    let has_number = entry.from.as_ref().is_some_and(|from| from.phone().is_some());
    let Some(contact) = entry.contact.filter(|_| !has_number) else { return entry.from.clone() };
    let known = messages::addresses(rows, contact).into_iter().find(|address| address.phone().is_some());
    known.or_else(|| entry.from.clone())
}

/// Does what a contact asked for; whether that is to be confirmed.
fn respond(
    rows: &mut AccountRows,
    effects: &mut Effects,
    entry: &InboundEntry,
    said: Option<&Said>,
    response: Response,
    now: Timestamp,
) -> bool {
    let (Some(contact), Some(address)) = (entry.contact, &entry.from) else { return false };
    let (source, is_confirmed) = match response {
        Response::Nothing => return false,
        Response::Suspect => {
            contacts::suspect(rows, effects, contact, entry.id, now);
            return false;
        }
        Response::OptOut(cause) => {
            contacts::trust(rows, contact);
            let stood: Vec<Cause> = suppressions::in_force(rows, contact).map(|standing| standing.cause).collect();
            if stood.contains(&cause) {
                return false;
            }
            let (id, by, address) = (SuppressionId::of(entry.id.to_bytes(), now), Actor::Recipient, address.clone());
            suppressions::add(rows, effects, NewSuppression { id, contact, address, cause, note: None, by, now });
            (cause, response.is_confirmed(stood))
        }
        Response::OptIn | Response::Resume => {
            contacts::trust(rows, contact);
            let lifts = |standing: &Suppression| response.lifts(standing.cause) && entry.may_follow(standing.since);
            let lifted = contacts::lift_all(rows, contact, Actor::Recipient, now, lifts);
            let Some(strictest) = lifted.first() else { return false };
            (strictest.cause, false)
        }
    };
    let instance = rows.instances.get(&entry.instance).map(|instance| (instance.id, instance.name.clone()));
    let instance = instance.as_ref().map(|(id, name)| (*id, name));
    let text = said.and_then(|said| said.text.as_ref());
    let change = OptChange { id: entry.id.to_bytes(), instance, address, text, source, at: now };
    let tell = if matches!(response, Response::OptOut(_)) { events::tell_opted_out } else { events::tell_opted_in };
    tell(rows, effects, &change);
    is_confirmed
}

/// The confirmation of what they said, where it was understood.
fn confirmation<'a>(entry: &'a InboundEntry, said: &Said) -> Option<Confirmation<'a>> {
    let language = said.meaning?.language;
    let (contact, address, said_at) = (entry.contact?, entry.from.as_ref()?, entry.said_at());
    Some(Confirmation { inbound: entry.id, contact, address, instance: entry.instance, language, said_at })
}

/// Sends the one confirmation, if it may be sent.
fn confirm(world: &mut World, account: AccountId, confirmation: &Confirmation<'_>, decider: &dyn Decider, now: Timestamp) {
    let Some(Account { confirms_opt_out: true, .. }) = world.accounts.get(&account).map(|rows| &rows.account) else { return };
    let Some(submission) = world.accounts.get(&account).map(|rows| confirmation.submission(&rows.account, now)) else { return };
    accept::accept_if_allowed(world, account, submission, decider);
}

/// Notes how far a message got. A report that ends an open delivery closes its doubt.
fn report_status(
    rows: &mut AccountRows,
    effects: &mut Effects,
    entry: &InboundEntry,
    report: &StatusReport,
    now: Timestamp,
) -> Option<Settled> {
    note_opt_out(rows, effects, entry, report, now);
    let message = reported_message(rows, entry.instance, report)?;
    know_recipient(rows, effects, message, entry.from.as_ref(), now);
    let row = rows.messages.get(&message)?;
    let reported = report.on(row.message.status, messages::is_tried(rows, message))?;
    deliver::end_reported(rows, effects, message, report, reported, now)?;
    reviews::close_arrived(rows, message, now);
    note_external_id(rows, message, &report.external_id);
    messages::set_status(rows, effects, message, reported.status, reported.error, now);
    if reported.error.is_some_and(ErrorClass::is_of_provider) {
        deliver::note_failure(rows, effects, message, now);
    }
    if reported.error == Some(ErrorClass::OptedOut) {
        deliver::note_opt_out(rows, effects, message, now);
    }
    Some(Settled { message, status: reported.status })
}

fn note_external_id(rows: &mut AccountRows, message: MessageId, external_id: &str) {
    let Some(row) = rows.messages.get_mut(&message).filter(|row| row.message.external_id.is_none()) else { return };
    row.message.external_id = Some(external_id.to_owned());
    let instance = row.message.instance;
    deliver::note_external_id(rows, instance, external_id, message);
}

/// Heeds that a recipient stopped messages at the provider, whoever sent the one that failed.
fn note_opt_out(rows: &mut AccountRows, effects: &mut Effects, entry: &InboundEntry, report: &StatusReport, now: Timestamp) {
    let (Some(ErrorClass::OptedOut), Some(address)) = (report.error, entry.from.clone()) else { return };
    let (id, contact) = (SuppressionId::of(entry.id.to_bytes(), now), ContactId::of(entry.id.to_bytes(), now));
    let (cause, by) = (Cause::UserPreference, Actor::Recipient);
    suppressions::suppress(rows, effects, NewSuppression { id, contact, address, cause, note: None, by, now });
}

/// A provider may call a recipient by another address than they were written to: they are the same person.
fn know_recipient(rows: &mut AccountRows, effects: &mut Effects, message: MessageId, called: Option<&Address>, now: Timestamp) {
    let Some(row) = rows.messages.get(&message) else { return };
    if let Some(called) = called.filter(|called| **called != row.message.recipient) {
        let addresses = [row.message.recipient.clone(), called.clone()].into_iter().collect();
        let contact = row.contact;
        contacts::know(rows, effects, &addresses, contact, now);
    }
}

/// The message of this instance that a report is about: by our id, or else the newest that the provider calls so.
fn reported_message(rows: &AccountRows, instance: InstanceId, report: &StatusReport) -> Option<MessageId> {
    let named = report.message.and_then(|id| rows.messages.get(&id)).map(|row| &row.message);
    let named = named.filter(|message| message.instance == instance);
    named.or_else(|| message_called(rows, instance, &report.external_id)).map(|message| message.id)
}

/// The newest message of this instance that the provider calls so.
fn message_called<'a>(rows: &'a AccountRows, instance: InstanceId, external_id: &str) -> Option<&'a Message> {
    let id = rows.external_ids.get(&(instance, external_id.to_owned()))?;
    rows.messages.get(id).map(|row| &row.message)
}

/// What came in, newest first. What waits to be heeded is there already.
pub fn list(rows: &AccountRows, filter: InboundFilter, page: Page<InboundId>) -> Vec<InboundEntry> {
    let is_at = |entry: &InboundEntry| filter.instance.is_none_or(|instance| entry.instance == instance);
    let has_class = |entry: &InboundEntry| filter.class.is_none_or(|class| entry.told.class() == class);
    let entries = newest(&rows.inbound, page).map(|row| &row.entry);
    entries.filter(|entry| is_at(entry) && has_class(entry)).take(page.limit).map(|entry| shown(rows, entry)).collect()
}

/// The thing with this id that a provider told.
pub fn find(rows: &AccountRows, id: InboundId) -> Option<InboundEntry> {
    rows.inbound.get(&id).map(|row| shown(rows, &row.entry))
}

/// The entry as it is now: with the contact that its contact is by now, and whether it waits.
fn shown(rows: &AccountRows, entry: &InboundEntry) -> InboundEntry {
    let contact = entry.contact.map(|contact| contacts::present(rows, contact));
    let waits = rows.inbox.values().any(|row| row.inbound == entry.id);
    InboundEntry { contact, waits, ..entry.clone() }
}

/// A page of what providers posted, newest first.
pub fn notifications(rows: &AccountRows, page: Page<NotificationId>) -> Vec<NotificationEntry> {
    newest(&rows.notifications, page).map(|entry| NotificationEntry { body: None, ..entry.clone() }).take(page.limit).collect()
}

/// What was posted under this id.
pub fn notification(rows: &AccountRows, id: NotificationId) -> Option<NotificationEntry> {
    rows.notifications.get(&id).cloned()
}
