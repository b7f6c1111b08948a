//! Events: what a change is told as, and to which endpoints.
//!
//! The players: [`listeners`] (asked before an event is put together), [`tell`] (the event, and a delivery for each that listens),
//! [`tell_operator`] (the same for the operator's endpoints, wherever they stand), and a function for each kind of change. Where an
//! account has no endpoints, all of it costs one look a group; where the operator has none, one look at an empty index for each event
//! that is operational, and those are few.

use gatepost::{
    AccountId, Address, BlockedSend, DeliveryId, Endpoint, EndpointId, ErrorClass, Event, EventDelivery, EventId, EventName, InstanceId,
    Limits, MessageId, MessageStatus, Mode, OptChange, Skip, StatusChange, Timestamp, Topic, Usage, crossings, disabled_event,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::deliveries::{self, NewDelivery, Post};
use crate::endpoints::{self, EndpointEntry};
use crate::error::is_unreadable;
use crate::open::Told;
use crate::rows;
use crate::txn::Txn;

/// An endpoint that listens.
struct Listener {
    endpoint: EndpointId,
    as_name: EventName,
    /// What it is in the log of phone systems, where the endpoint is one.
    post: Option<Post>,
    /// Why it gets nothing all the same.
    skip: Option<Skip>,
}

impl Listener {
    fn new(endpoint: &Endpoint, as_name: EventName, topic: &Topic<'_>) -> Self {
        let post = endpoint.integration.map(|integration| Post {
            integration,
            order_key: endpoint.order_key(topic),
            phone: topic.person.and_then(Address::phone),
        });
        Self { endpoint: endpoint.id, as_name, post, skip: endpoint.disabled.is_some().then_some(Skip::EndpointDisabled) }
    }
}

/// The endpoints that listen to such an event.
fn listeners(txn: &mut Txn<'_>, account: AccountId, topic: &Topic<'_>) -> rusqlite::Result<Vec<Listener>> {
    let entries = txn.endpoints(account)?.iter().filter(|entry| entry.counts);
    let listener = |entry: &EndpointEntry| Some(Listener::new(&entry.endpoint, entry.endpoint.listens(topic)?, topic));
    Ok(entries.filter_map(listener).collect())
}

/// Whether an endpoint listens to such an event: asked where what the event says must be read first.
pub(crate) fn is_heard(txn: &mut Txn<'_>, account: AccountId, topic: &Topic<'_>) -> rusqlite::Result<bool> {
    Ok(txn.endpoints(account)?.iter().any(|entry| entry.counts && entry.endpoint.listens(topic).is_some()))
}

/// Tells the endpoints that listen. The event is put together only where there is one.
pub(crate) fn tell(
    txn: &mut Txn<'_>,
    account: AccountId,
    topic: &Topic<'_>,
    event: impl FnOnce() -> Option<Event>,
) -> rusqlite::Result<()> {
    let listeners = listeners(txn, account, topic)?;
    if listeners.is_empty() && !topic.name.is_operational() {
        return Ok(());
    }
    let Some(event) = event() else { return Ok(()) };
    write(txn, account, &event, &listeners)?;
    if topic.name.is_operational() { tell_operator(txn, &event, None) } else { Ok(()) }
}

/// Tells the operator's endpoints, whichever account they stand in, but never the one concerned. One that cannot be read keeps nobody
/// from what happened.
fn tell_operator(txn: &mut Txn<'_>, event: &Event, concerned: Option<EndpointId>) -> rusqlite::Result<()> {
    let accounts = rows::all(&mut *txn.connection.prepare_cached(OPERATORS_ACCOUNTS)?, [], |row| rows::account_id(row, 0))?;
    for account in accounts {
        let tell = |txn: &mut Txn<'_>| {
            let watchers = watchers(txn, account, event.name, concerned)?;
            write(txn, account, event, &watchers)
        };
        match txn.savepoint(tell)? {
            Err(error) if is_unreadable(&error) => {}
            told => told?,
        }
    }
    Ok(())
}

/// The accounts in which the operator has endpoints.
pub(crate) const OPERATORS_ACCOUNTS: &str =
    "SELECT DISTINCT account FROM endpoints INDEXED BY endpoints_for_operator WHERE for_operator = 1 AND removed_at IS NULL";

/// The operator's endpoints of an account that listen to such an event.
fn watchers(txn: &mut Txn<'_>, account: AccountId, name: EventName, concerned: Option<EndpointId>) -> rusqlite::Result<Vec<Listener>> {
    let endpoints = txn.endpoints(account)?.iter().map(|entry| &entry.endpoint).filter(|endpoint| Some(endpoint.id) != concerned);
    Ok(endpoints.filter_map(|endpoint| Some(Listener::new(endpoint, endpoint.watches(name)?, &Topic::new(name, None)))).collect())
}

/// Writes an event, and its first delivery to each of them, if there are any.
fn write(txn: &mut Txn<'_>, account: AccountId, event: &Event, listeners: &[Listener]) -> rusqlite::Result<()> {
    if listeners.is_empty() {
        return Ok(());
    }
    // The same cause gives the same id: what was told is not told again.
    let sql =
        "INSERT INTO events (account, id, name, instance, occurred_at, fields) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    txn.statement(sql)?.execute(params![
        account.to_bytes(),
        event.id.to_bytes(),
        event.name.as_str(),
        event.instance.map(InstanceId::to_bytes),
        event.occurred_at.as_millis(),
        event.fields
    ])?;
    listeners.iter().try_for_each(|listener| address(txn, account, event, listener))
}

fn address(txn: &mut Txn<'_>, account: AccountId, event: &Event, to: &Listener) -> rusqlite::Result<()> {
    let (id, now) = (first_delivery(event, to.endpoint), event.occurred_at);
    let new = NewDelivery { account, id, event: event.id, name: event.name, as_name: to.as_name, endpoint: to.endpoint, replay: None, now };
    new.insert_first(txn, event, to.skip, to.post)
}

fn first_delivery(event: &Event, endpoint: EndpointId) -> DeliveryId {
    DeliveryId::of(event.id, endpoint, 0, event.occurred_at)
}

/// Tells of a message's new status.
pub(crate) fn tell_status(txn: &mut Txn<'_>, account: AccountId, change: &StatusChange<'_>) -> rusqlite::Result<()> {
    let Some(topic) = change.topic() else { return Ok(()) };
    tell(txn, account, &topic, || change.event())
}

/// How the status of a message changed.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) previous: MessageStatus,
    pub(crate) status: MessageStatus,
    pub(crate) error: Option<ErrorClass>,
}

/// Tells of the new status of a message; what is not at hand of it is read. What cannot be read is not told: that a message has ended is
/// written down all the same.
pub(crate) fn tell_change(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: MessageId,
    told: Option<Told>,
    change: Change,
    at: Timestamp,
) -> rusqlite::Result<()> {
    txn.part(|txn| try_tell_change(txn, account, message, told, change, at)).map(drop)
}

fn try_tell_change(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: MessageId,
    told: Option<Told>,
    change: Change,
    at: Timestamp,
) -> rusqlite::Result<()> {
    if txn.endpoints(account)?.is_empty() {
        return Ok(());
    }
    let told = match told {
        Some(told) => Some(told),
        None => told_message(txn, account, message)?,
    };
    let Some(Told { instance, recipient, purpose, origin }) = told else { return Ok(()) };
    let Some(instance) = txn.instance(account, instance)? else { return Ok(()) };
    let Change { previous, status, error } = change;
    let (instance, previous) = ((instance.id, &instance.name), Some(previous));
    tell_status(txn, account, &StatusChange { message, instance, recipient: &recipient, purpose, origin, previous, status, error, at })
}

fn told_message(txn: &mut Txn<'_>, account: AccountId, message: MessageId) -> rusqlite::Result<Option<Told>> {
    let sql = "SELECT instance, address, purpose, origin FROM messages WHERE account = ?1 AND id = ?2";
    let told = |row: &Row<'_>| {
        let (instance, recipient) = (rows::instance_id(row, 0)?, rows::address(row, 1)?);
        Ok(Told { instance, recipient, purpose: rows::plain_column(row, 2)?, origin: rows::json(row, 3)? })
    };
    txn.statement(sql)?.query_row(params![account.to_bytes(), message.to_bytes()], told).optional()
}

/// Tells that a send was refused for good.
pub(crate) fn tell_blocked(txn: &mut Txn<'_>, account: AccountId, blocked: &BlockedSend<'_>) -> rusqlite::Result<()> {
    tell(txn, account, &Topic::new(EventName::MessageBlocked, Some(blocked.instance.0)), || Some(blocked.event()))
}

/// Tells that a contact asked to be left alone, or wants messages again.
pub(crate) fn tell_opt_change(txn: &mut Txn<'_>, account: AccountId, change: &OptChange<'_>, opted_out: bool) -> rusqlite::Result<()> {
    let name = if opted_out { EventName::RecipientOptedOut } else { EventName::RecipientOptedIn };
    let event = || Some(if opted_out { change.opted_out() } else { change.opted_in() });
    tell(txn, account, &Topic::new(name, change.instance.map(|(id, _)| id)), event)
}

/// Tells which shares of the quota the message charged last has reached.
pub(crate) fn tell_crossings(
    txn: &mut Txn<'_>,
    account: AccountId,
    cause: (MessageId, Mode),
    limits: &Limits,
    usage: &Usage,
    now: Timestamp,
) -> rusqlite::Result<()> {
    for crossing in crossings(limits, usage) {
        tell(txn, account, &Topic::new(EventName::LimitThresholdReached, None), || Some(crossing.event(account, cause, now)))?;
    }
    Ok(())
}

/// Tells the other endpoints that this one gets no events any more. Of one for the operator no account hears.
pub(crate) fn tell_disabled(txn: &mut Txn<'_>, account: AccountId, endpoint: &Endpoint) -> rusqlite::Result<()> {
    let Some(event) = disabled_event(account, endpoint) else { return Ok(()) };
    tell_of_endpoint(txn, account, endpoint, &event)
}

/// Tells the other endpoints something of this one. Of one for the operator no account hears.
pub(crate) fn tell_of_endpoint(txn: &mut Txn<'_>, account: AccountId, endpoint: &Endpoint, event: &Event) -> rusqlite::Result<()> {
    let mut others = listeners(txn, account, &Topic::new(event.name, None))?;
    others.retain(|listener| listener.endpoint != endpoint.id && !endpoint.for_operator);
    write(txn, account, event, &others)?;
    tell_operator(txn, event, Some(endpoint.id))
}

/// Writes an event for one endpoint, whatever its filter.
pub(crate) fn notify(
    txn: &mut Txn<'_>,
    account: AccountId,
    endpoint: EndpointId,
    event: &Event,
) -> rusqlite::Result<Option<EventDelivery>> {
    let found = endpoints::find(txn.connection, account, endpoint)?.filter(|endpoint| endpoint.removed_at.is_none());
    let Some(endpoint) = found else { return Ok(None) };
    write(txn, account, event, &[Listener::new(&endpoint, event.name, &Topic::new(event.name, None))])?;
    // So that it is found as it stands in the outbox.
    txn.flush()?;
    deliveries::find(txn.connection, account, first_delivery(event, endpoint.id))
}

/// An event; none also where its fields are forgotten.
pub(crate) fn find(connection: &Connection, account: AccountId, id: EventId) -> rusqlite::Result<Option<Event>> {
    let sql = "SELECT id, name, instance, occurred_at, fields FROM events WHERE account = ?1 AND id = ?2 AND fields IS NOT NULL";
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), id.to_bytes()], |row| event(row, 0)).optional()
}

/// The columns id, name, instance, occurred_at and fields from `first` on.
pub(crate) fn event(row: &Row<'_>, first: usize) -> rusqlite::Result<Event> {
    Ok(Event {
        id: rows::event_id(row, first)?,
        name: rows::word(row, first + 1)?,
        instance: row.get::<_, Option<[u8; 16]>>(first + 2)?.map(InstanceId::from_bytes),
        occurred_at: rows::time(row, first + 3)?,
        fields: row.get(first + 4)?,
    })
}
