//! Events: what a change is told as, and to which endpoints.
//!
//! The players: [`is_heard`] (whether an endpoint listens, asked before an event is put together), [`tell`] (one delivery for each that
//! does), [`tell_operator`] (the same for the operator's endpoints, wherever they stand), and a function for each kind of change.

use std::mem;

use gatepost::{
    BlockedSend, DeliveryId, Endpoint, EndpointId, Event, EventDelivery, EventId, EventName, InstanceId, Limits, Message, MessageId,
    MessageStatus, Mode, OptChange, StatusChange, Timestamp, Usage, crossings, disabled_event,
};

use crate::notices::{self, New};
use crate::world::{AccountRows, Effects, EndpointRow, Operational, World};

/// Whether an endpoint listens to such an event.
pub(crate) fn is_heard(rows: &AccountRows, name: EventName, instance: Option<InstanceId>) -> bool {
    rows.endpoints.values().any(|row| row.endpoint.listens(name, instance).is_some())
}

/// Writes an event, with a delivery for each endpoint that listens. What is operational is told the operator too.
pub(crate) fn tell(rows: &mut AccountRows, effects: &mut Effects, event: Event) {
    address_all(rows, effects, &event, |endpoint| endpoint.listens(event.name, event.instance));
    if event.name.is_operational() {
        effects.operational.push(Operational { event, concerned: None });
    }
}

/// Writes what a verb left to tell the operator, to their endpoints in every account.
pub(crate) fn tell_operator(world: &mut World) {
    let World { accounts, effects, .. } = world;
    for Operational { event, concerned } in mem::take(&mut effects.operational) {
        let watches = |endpoint: &Endpoint| endpoint.watches(event.name).filter(|_| Some(endpoint.id) != concerned);
        accounts.values_mut().for_each(|rows| address_all(rows, effects, &event, watches));
    }
}

/// Writes an event, with a delivery for each endpoint for which there is a name to send it under.
fn address_all(rows: &mut AccountRows, effects: &mut Effects, event: &Event, name_for: impl Fn(&Endpoint) -> Option<EventName>) {
    let hears = |row: &EndpointRow| Some((row.endpoint.id, name_for(&row.endpoint)?));
    for (endpoint, as_name) in rows.endpoints.values().filter_map(hears).collect::<Vec<_>>() {
        address(rows, effects, event, as_name, endpoint);
    }
}

/// Writes the first delivery of an event to an endpoint.
fn address(
    rows: &mut AccountRows,
    effects: &mut Effects,
    event: &Event,
    as_name: EventName,
    endpoint: EndpointId,
) -> Option<EventDelivery> {
    rows.events.entry(event.id).or_insert_with(|| event.clone());
    let now = event.occurred_at;
    let id = DeliveryId::of(event.id, endpoint, 0, now);
    notices::add(rows, effects, New { id, event: event.id, as_name, endpoint, replay: None, now })
}

/// Tells that a message is there, or has another status than before.
pub(crate) fn tell_status(rows: &mut AccountRows, effects: &mut Effects, message: MessageId, previous: Option<MessageStatus>) {
    if let Some(event) = status_event(rows, message, previous) {
        tell(rows, effects, event);
    }
}

fn status_event(rows: &AccountRows, message: MessageId, previous: Option<MessageStatus>) -> Option<Event> {
    let Message { id, instance, ref recipient, purpose, status, error, updated_at, .. } = rows.messages.get(&message)?.message;
    let instance = &rows.instances.get(&instance)?.instance;
    let change =
        StatusChange { message: id, instance: (instance.id, &instance.name), recipient, purpose, previous, status, error, at: updated_at };
    if is_heard(rows, change.name()?, Some(instance.id)) { change.event() } else { None }
}

/// Tells that a send was refused for good.
pub(crate) fn tell_blocked(rows: &mut AccountRows, effects: &mut Effects, blocked: &BlockedSend<'_>) {
    if is_heard(rows, EventName::MessageBlocked, Some(blocked.instance.0)) {
        tell(rows, effects, blocked.event());
    }
}

/// Tells that a contact asked to be left alone.
pub(crate) fn tell_opted_out(rows: &mut AccountRows, effects: &mut Effects, change: &OptChange<'_>) {
    if is_heard(rows, EventName::RecipientOptedOut, change.instance.map(|(id, _)| id)) {
        tell(rows, effects, change.opted_out());
    }
}

/// Tells that a contact wants messages again.
pub(crate) fn tell_opted_in(rows: &mut AccountRows, effects: &mut Effects, change: &OptChange<'_>) {
    if is_heard(rows, EventName::RecipientOptedIn, change.instance.map(|(id, _)| id)) {
        tell(rows, effects, change.opted_in());
    }
}

/// Tells which shares of the quota the message charged last has reached.
pub(crate) fn tell_crossings(
    rows: &mut AccountRows,
    effects: &mut Effects,
    cause: (MessageId, Mode),
    limits: &Limits,
    usage: &Usage,
    now: Timestamp,
) {
    let account = rows.account.id;
    crossings(limits, usage).for_each(|crossing| tell(rows, effects, crossing.event(account, cause, now)));
}

/// Tells the other endpoints that this one gets no events any more. Of one for the operator no account hears.
pub(crate) fn tell_disabled(rows: &mut AccountRows, effects: &mut Effects, endpoint: &Endpoint) {
    let Some(event) = disabled_event(rows.account.id, endpoint) else { return };
    let is_told = |other: &Endpoint| other.id != endpoint.id && !endpoint.for_operator;
    address_all(rows, effects, &event, |other| other.listens(event.name, None).filter(|_| is_told(other)));
    effects.operational.push(Operational { event, concerned: Some(endpoint.id) });
}

/// Writes an event for one endpoint, whatever its filter.
pub(crate) fn notify(rows: &mut AccountRows, effects: &mut Effects, endpoint: EndpointId, event: &Event) -> Option<EventDelivery> {
    rows.endpoints.get(&endpoint).filter(|row| row.endpoint.removed_at.is_none())?;
    address(rows, effects, event, event.name, endpoint)
}

pub(crate) fn find(rows: &AccountRows, id: EventId) -> Option<Event> {
    rows.events.get(&id).cloned()
}
