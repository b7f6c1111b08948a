//! Events: what a change is told as, and to which endpoints.
//!
//! The players: [`is_heard`] (whether an endpoint listens, asked before an event is put together), [`tell`] (one delivery for each that
//! does), [`tell_operator`] (the same for the operator's endpoints, wherever they stand), and a function for each kind of change.

use std::mem;

use gatepost::{
    BlockedSend, DeliveryId, Endpoint, EndpointId, Event, EventDelivery, EventId, EventName, Limits, Message, MessageId, MessageStatus,
    Mode, OptChange, StatusChange, Timestamp, Topic, Usage, crossings, disabled_event,
};

use crate::notices::{self, New};
use crate::world::{AccountRows, Effects, EndpointRow, MessageRow, Operational, World};
use crate::{endpoints, integrations};

/// Whether an endpoint listens to such an event.
pub fn is_heard(rows: &AccountRows, topic: &Topic<'_>) -> bool {
    rows.endpoints.values().any(|row| endpoints::counts(rows, &row.endpoint) && row.endpoint.listens(topic).is_some())
}

/// Writes an event about no person, with a delivery for each endpoint that listens.
pub fn tell(rows: &mut AccountRows, effects: &mut Effects, event: Event) {
    tell_of(rows, effects, &Topic::new(event.name, event.instance), event);
}

/// Writes an event, with a delivery for each endpoint that listens. What is operational is told the operator too.
pub fn tell_of(rows: &mut AccountRows, effects: &mut Effects, topic: &Topic<'_>, event: Event) {
    address_all(rows, effects, (&event, topic), |endpoint| endpoint.listens(topic));
    if event.name.is_operational() {
        effects.operational.push(Operational { event, concerned: None });
    }
}

/// Writes what a verb left to tell the operator, to their endpoints in every account.
pub fn tell_operator(world: &mut World) {
    let World { accounts, effects, .. } = world;
    for Operational { event, concerned } in mem::take(&mut effects.operational) {
        let watches = |endpoint: &Endpoint| endpoint.watches(event.name).filter(|_| Some(endpoint.id) != concerned);
        accounts.values_mut().for_each(|rows| address_all(rows, effects, (&event, &Topic::new(event.name, None)), watches));
    }
}

/// Writes an event, with a delivery for each endpoint for which there is a name to send it under.
fn address_all(
    rows: &mut AccountRows,
    effects: &mut Effects,
    about: (&Event, &Topic<'_>),
    name_for: impl Fn(&Endpoint) -> Option<EventName>,
) {
    let hears = |row: &EndpointRow| Some((row.endpoint.clone(), name_for(&row.endpoint)?));
    let counting = rows.endpoints.values().filter(|row| endpoints::counts(rows, &row.endpoint));
    for (endpoint, as_name) in counting.filter_map(hears).collect::<Vec<_>>() {
        address(rows, effects, about, as_name, &endpoint);
    }
}

/// Writes the first delivery of an event to an endpoint.
fn address(
    rows: &mut AccountRows,
    effects: &mut Effects,
    (event, topic): (&Event, &Topic<'_>),
    as_name: EventName,
    endpoint: &Endpoint,
) -> Option<EventDelivery> {
    rows.events.entry(event.id).or_insert_with(|| event.clone().into());
    let now = event.occurred_at;
    let id = DeliveryId::of(event.id, endpoint.id, 0, now);
    let post = endpoint.integration.filter(|_| notices::find(rows, id).is_none());
    let place = post.map(|integration| integrations::enter_post(rows, integration, as_name, topic.person, id, now));
    let line = endpoint.order_key(topic).zip(place);
    let new = New { id, event: event.id, name: event.name, as_name, endpoint: endpoint.id, line, replay: None, now };
    notices::add(rows, effects, new)
}

/// Tells that a message is there, or has another status than before.
pub fn tell_status(rows: &mut AccountRows, effects: &mut Effects, message: MessageId, previous: Option<MessageStatus>) {
    let Some(MessageRow { message, origin, .. }) = rows.messages.get(&message) else { return };
    let Message { id, instance, ref recipient, purpose, status, error, updated_at: at, .. } = *message;
    let Some(instance) = rows.instances.get(&instance).map(|instance| (instance.id, instance.name.clone())) else { return };
    let (recipient, instance) = (&recipient.clone(), (instance.0, &instance.1));
    let change = StatusChange { message: id, instance, recipient, purpose, origin: *origin, previous, status, error, at };
    let Some(topic) = change.topic().filter(|topic| is_heard(rows, topic)) else { return };
    if let Some(event) = change.event() {
        tell_of(rows, effects, &topic, event);
    }
}

/// Tells that a send was refused for good.
pub fn tell_blocked(rows: &mut AccountRows, effects: &mut Effects, blocked: &BlockedSend<'_>) {
    if is_heard(rows, &Topic::new(EventName::MessageBlocked, Some(blocked.instance.0))) {
        tell(rows, effects, blocked.event());
    }
}

/// Tells that a contact asked to be left alone.
pub fn tell_opted_out(rows: &mut AccountRows, effects: &mut Effects, change: &OptChange<'_>) {
    if is_heard(rows, &Topic::new(EventName::RecipientOptedOut, change.instance.map(|(id, _)| id))) {
        tell(rows, effects, change.opted_out());
    }
}

/// Tells that a contact wants messages again.
pub fn tell_opted_in(rows: &mut AccountRows, effects: &mut Effects, change: &OptChange<'_>) {
    if is_heard(rows, &Topic::new(EventName::RecipientOptedIn, change.instance.map(|(id, _)| id))) {
        tell(rows, effects, change.opted_in());
    }
}

/// Tells which shares of the quota the message charged last has reached.
pub fn tell_crossings(
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
pub fn tell_disabled(rows: &mut AccountRows, effects: &mut Effects, endpoint: &Endpoint) {
    if let Some(event) = disabled_event(rows.account.id, endpoint) {
        tell_of_endpoint(rows, effects, endpoint, &event);
    }
}

/// Tells the other endpoints something of this one. Of one for the operator no account hears.
pub fn tell_of_endpoint(rows: &mut AccountRows, effects: &mut Effects, endpoint: &Endpoint, event: &Event) {
    let is_told = |other: &Endpoint| other.id != endpoint.id && !endpoint.for_operator;
    let topic = Topic::new(event.name, None);
    address_all(rows, effects, (event, &topic), |other| other.listens(&topic).filter(|_| is_told(other)));
    effects.operational.push(Operational { event: event.clone(), concerned: Some(endpoint.id) });
}

/// Writes an event for one endpoint, whatever its filter.
pub fn notify(rows: &mut AccountRows, effects: &mut Effects, endpoint: EndpointId, event: &Event) -> Option<EventDelivery> {
    let endpoint = rows.endpoints.get(&endpoint).map(|row| row.endpoint.clone()).filter(|endpoint| endpoint.removed_at.is_none())?;
    address(rows, effects, (event, &Topic::new(event.name, None)), event.name, &endpoint)
}

/// The event with this id, unless what it says is forgotten.
pub fn find(rows: &AccountRows, id: EventId) -> Option<Event> {
    rows.events.get(&id)?.event()
}
