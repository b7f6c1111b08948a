//! Events: what a change is told as, and to which endpoints.
//!
//! The players: [`is_heard`] (whether an endpoint listens, asked before an event is put together), [`tell`] (one delivery for each that
//! does), and a function for each kind of change.

use gatepost::{
    BlockedSend, DeliveryId, Endpoint, EndpointId, Event, EventDelivery, EventId, EventName, InstanceId, Limits, Message, MessageId,
    MessageStatus, StatusChange, Timestamp, Usage, crossings, disabled_event,
};

use crate::notices::{self, New};
use crate::world::{AccountRows, Effects, EndpointRow};

/// Whether an endpoint listens to such an event.
pub(crate) fn is_heard(rows: &AccountRows, name: EventName, instance: Option<InstanceId>) -> bool {
    rows.endpoints.values().any(|row| row.endpoint.listens(name, instance).is_some())
}

/// Writes an event, with a delivery for each endpoint that listens.
pub(crate) fn tell(rows: &mut AccountRows, effects: &mut Effects, event: &Event) {
    tell_all_but(rows, effects, None, event);
}

fn tell_all_but(rows: &mut AccountRows, effects: &mut Effects, concerned: Option<EndpointId>, event: &Event) {
    let hears = |row: &EndpointRow| Some((row.endpoint.id, row.endpoint.listens(event.name, event.instance)?));
    let listeners = rows.endpoints.values().filter_map(hears).filter(|(endpoint, _)| Some(*endpoint) != concerned);
    for (endpoint, as_name) in listeners.collect::<Vec<_>>() {
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
        tell(rows, effects, &event);
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
        tell(rows, effects, &blocked.event());
    }
}

/// Tells which shares of the quota the message charged last has reached.
pub(crate) fn tell_crossings(
    rows: &mut AccountRows,
    effects: &mut Effects,
    message: MessageId,
    limits: &Limits,
    usage: &Usage,
    now: Timestamp,
) {
    if is_heard(rows, EventName::LimitThresholdReached, None) {
        crossings(limits, usage).for_each(|crossing| tell(rows, effects, &crossing.event(message, now)));
    }
}

/// Tells the other endpoints that this one gets no events any more.
pub(crate) fn tell_disabled(rows: &mut AccountRows, effects: &mut Effects, endpoint: &Endpoint) {
    let Some(disabled) = &endpoint.disabled else { return };
    if is_heard(rows, EventName::EndpointDisabled, None) {
        let event = disabled_event(endpoint.id, &endpoint.name, &disabled.by, disabled.since);
        tell_all_but(rows, effects, Some(endpoint.id), &event);
    }
}

/// Writes an event for one endpoint, whatever its filter.
pub(crate) fn notify(rows: &mut AccountRows, effects: &mut Effects, endpoint: EndpointId, event: &Event) -> Option<EventDelivery> {
    rows.endpoints.get(&endpoint).filter(|row| row.endpoint.removed_at.is_none())?;
    address(rows, effects, event, event.name, endpoint)
}

pub(crate) fn find(rows: &AccountRows, id: EventId) -> Option<Event> {
    rows.events.get(&id).cloned()
}
