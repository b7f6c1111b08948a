//! Outbox: what is accepted and not finished, messages and events alike.
//!
//! The core's state machine says what follows; here its state is read and written. A delivery that cannot be read is parked: nobody
//! takes it again, and the next sweep counts it.

use gatepost::{
    AccountId, Channel, Claimed, ContactId, Delivery, DeliveryId, DeliveryStatus, EndpointId, EventName, InstanceId, MessageId,
    MessageStatus, State, Timestamp, shard,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::is_unreadable;
use crate::rows::{self, PARKED, signed};
use crate::txn::Txn;

/// What of a new row never changes.
pub(crate) struct NewRow {
    pub(crate) account: AccountId,
    pub(crate) delivery: DeliveryId,
    pub(crate) order_key: Option<i64>,
    /// The instance or the endpoint.
    pub(crate) place: [u8; 16],
    /// The message, the event or what came in.
    pub(crate) item: [u8; 16],
    /// The contact that a message goes to.
    pub(crate) contact: Option<ContactId>,
    /// The name of an event that goes under another one than its own.
    pub(crate) as_name: Option<EventName>,
    /// The place in the send log of a message, that of what came in, or that in the log of phone systems of what goes to one; other events
    /// have none.
    pub(crate) log_id: u64,
}

impl NewRow {
    /// Writes it; `started_at` is set where its first attempt starts with it.
    pub(crate) fn insert(&self, txn: &mut Txn<'_>, delivery: &Delivery, started_at: Option<Timestamp>) -> rusqlite::Result<()> {
        let sql = "INSERT INTO outbox (delivery, account, shard, order_key, channel, place, item, contact, as_name, log_id, state, due,
                   expires_at, fence, tries, put_off, started_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
        txn.statement(sql)?.execute(params![
            self.delivery.to_bytes(),
            self.account.to_bytes(),
            shard(self.account, self.order_key),
            self.order_key,
            rows::channel_number(delivery.channel),
            self.place,
            self.item,
            self.contact.map(ContactId::to_bytes),
            self.as_name.map(EventName::as_str),
            signed(self.log_id),
            rows::state_number(delivery.state),
            delivery.state.due().as_millis(),
            delivery.expires_at.as_millis(),
            delivery.fence,
            delivery.tries,
            delivery.put_off,
            started_at.map(Timestamp::as_millis)
        ])?;
        Ok(())
    }

    /// It as it would be found in this state.
    pub(crate) const fn entry(&self, state: Delivery) -> OutboxEntry {
        let Self { account, delivery, item, place, .. } = *self;
        OutboxEntry { account, delivery, item, place, state, order_key: self.order_key, started_at: None }
    }
}

/// A row as the state machine sees it.
#[derive(Clone, Copy)]
pub(crate) struct OutboxEntry {
    pub(crate) account: AccountId,
    pub(crate) delivery: DeliveryId,
    item: [u8; 16],
    place: [u8; 16],
    pub(crate) state: Delivery,
    pub(crate) order_key: Option<i64>,
    pub(crate) started_at: Option<Timestamp>,
}

impl OutboxEntry {
    /// One of which nobody knows whether its message was sent, and nothing else matters any more.
    pub(crate) const fn in_doubt(account: AccountId, delivery: DeliveryId, message: MessageId, now: Timestamp) -> Self {
        let state = Delivery { state: State::InDoubt { until: now }, ..Delivery::waiting(now, now) };
        Self { account, delivery, item: message.to_bytes(), place: [0; 16], state, order_key: None, started_at: None }
    }

    /// The same once an attempt is open.
    pub(crate) const fn started(self, next: Delivery, now: Timestamp) -> Self {
        Self { state: next, started_at: Some(now), ..self }
    }

    /// As whoever has its fence names it.
    pub(crate) const fn claimed(&self) -> Claimed {
        Claimed { account: self.account, delivery: self.delivery, fence: self.state.fence }
    }

    /// The message that it carries.
    pub(crate) const fn message(&self) -> MessageId {
        MessageId::from_bytes(self.item)
    }

    /// The instance that the message goes through.
    pub(crate) const fn instance(&self) -> InstanceId {
        InstanceId::from_bytes(self.place)
    }

    /// The endpoint that the event goes to.
    pub(crate) const fn endpoint(&self) -> EndpointId {
        EndpointId::from_bytes(self.place)
    }
}

/// The columns of an entry, of the table `o`.
macro_rules! entry_columns {
    () => {
        "o.account, o.delivery, o.item, o.place, o.channel, o.state, o.due, o.expires_at, o.fence, o.tries, o.put_off,
         o.order_key, o.started_at"
    };
}
pub(crate) use entry_columns;

/// How many they are.
pub(crate) const ENTRY_WIDTH: usize = 13;

const FIND: &str = concat!("SELECT ", entry_columns!(), " FROM outbox o WHERE o.delivery = ?1 AND o.account = ?2");

fn entry(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    Ok(OutboxEntry {
        account: rows::account_id(row, 0)?,
        delivery: rows::delivery_id(row, 1)?,
        item: row.get(2)?,
        place: row.get(3)?,
        state: rows::delivery(row, 4)?,
        order_key: row.get(11)?,
        started_at: rows::time_or_none(row, 12)?,
    })
}

/// What was read of a row, or the key of one that cannot be read.
pub(crate) type Read<T = OutboxEntry> = Result<T, Vec<u8>>;

/// Reads an entry.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Read> {
    read_with(row, |_, entry| Ok(entry))
}

/// Reads an entry and what stands behind it.
pub(crate) fn read_with<T>(row: &Row<'_>, more: impl FnOnce(&Row<'_>, OutboxEntry) -> rusqlite::Result<T>) -> rusqlite::Result<Read<T>> {
    match entry(row).and_then(|entry| more(row, entry)) {
        Err(error) if is_unreadable(&error) => row.get(1).map(Err),
        read => read.map(Ok),
    }
}

/// The row of a delivery that a worker has.
pub(crate) fn find(txn: &mut Txn<'_>, claimed: Claimed) -> rusqlite::Result<Option<OutboxEntry>> {
    txn.statement(FIND)?.query_row(params![claimed.delivery.to_bytes(), claimed.account.to_bytes()], entry).optional()
}

/// Writes the state; `started_at` where an attempt begins with it.
pub(crate) fn write_state(txn: &mut Txn<'_>, delivery: DeliveryId, next: &Delivery, started_at: Option<Timestamp>) -> rusqlite::Result<()> {
    let sql = "UPDATE outbox SET state = ?2, due = ?3, fence = ?4, tries = ?5, put_off = ?6, started_at = coalesce(?7, started_at)
               WHERE delivery = ?1";
    txn.statement(sql)?.execute(params![
        delivery.to_bytes(),
        rows::state_number(next.state),
        next.state.due().as_millis(),
        next.fence,
        next.tries,
        next.put_off,
        started_at.map(Timestamp::as_millis)
    ])?;
    Ok(())
}

/// Takes out what has ended.
pub(crate) fn remove(txn: &mut Txn<'_>, delivery: DeliveryId) -> rusqlite::Result<()> {
    txn.statement("DELETE FROM outbox WHERE delivery = ?1")?.execute([delivery.to_bytes()])?;
    Ok(())
}

/// Takes out what an attempt has sent; `false` where that attempt is not open any more.
pub(crate) fn remove_sent(txn: &mut Txn<'_>, found: &OutboxEntry) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM outbox WHERE delivery = ?1 AND account = ?2 AND state = 2 AND fence = ?3";
    let removed = txn.statement(sql)?.execute(params![found.delivery.to_bytes(), found.account.to_bytes(), found.state.fence])?;
    Ok(removed > 0)
}

/// Whether something unfinished has this order key.
pub(crate) fn is_in_line(connection: &Connection, account: AccountId, order_key: i64) -> rusqlite::Result<bool> {
    connection.prepare_cached(IN_LINE)?.query_row(params![account.to_bytes(), order_key], |row| row.get(0))
}

pub(crate) const IN_LINE: &str = "SELECT EXISTS (SELECT 1 FROM outbox WHERE account = ?1 AND order_key = ?2 AND state <> 4)";

/// Has what stood behind it in its line go now, where it stood in one.
pub(crate) fn let_next_go(txn: &mut Txn<'_>, found: &OutboxEntry, now: Timestamp) -> rusqlite::Result<()> {
    let Some(order_key) = found.order_key else { return Ok(()) };
    if found.state.channel == Channel::Event {
        txn.statement(NEXT_IN_LINE)?.execute(params![found.account.to_bytes(), order_key, now.as_millis()])?;
    }
    txn.leave_due();
    Ok(())
}

pub(crate) const NEXT_IN_LINE: &str = "UPDATE outbox SET due = min(due, ?3) WHERE state = 0 AND delivery =
    (SELECT delivery FROM outbox WHERE account = ?1 AND order_key = ?2 AND state <> 4 ORDER BY log_id LIMIT 1)";

/// Does something with a delivery; `None` where it or what it carries cannot be read, and was parked.
pub(crate) fn or_park<T>(
    txn: &mut Txn<'_>,
    delivery: DeliveryId,
    now: Timestamp,
    act: impl FnOnce(&mut Txn<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let done = txn.part(act)?;
    if done.is_none() {
        park(txn, &delivery.to_bytes(), now)?;
    }
    Ok(done)
}

/// Those that can be read; the others are parked.
pub(crate) fn readable<T>(txn: &mut Txn<'_>, found: Vec<Read<T>>, now: Timestamp) -> rusqlite::Result<Vec<T>> {
    let mut readable = Vec::with_capacity(found.len());
    for read in found {
        match read {
            Ok(entry) => readable.push(entry),
            Err(delivery) => park(txn, &delivery, now)?,
        }
    }
    Ok(readable)
}

/// Whether a delivery was parked.
pub(crate) fn is_parked(connection: &Connection, delivery: &[u8]) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM outbox WHERE delivery = ?1 AND state = ?2")?.exists(params![delivery, PARKED])
}

/// Sets a delivery aside that cannot be read, or whose message or event cannot be: to try it again would fail again.
fn park(txn: &mut Txn<'_>, delivery: &[u8], now: Timestamp) -> rusqlite::Result<()> {
    let message = "UPDATE messages SET status = ?2, updated_at = ?3
                   WHERE (account, id) IN (SELECT account, item FROM outbox WHERE delivery = ?1 AND channel = 0)";
    let event = "UPDATE event_deliveries SET status = ?2, updated_at = ?3
                 WHERE (account, id) IN (SELECT account, delivery FROM outbox WHERE delivery = ?1 AND channel = 1)";
    let (unknown, failed) = (MessageStatus::Unknown.as_str(), rows::delivery_status_number(DeliveryStatus::Failed));
    txn.connection.prepare_cached(message)?.execute(params![delivery, unknown, now.as_millis()])?;
    txn.connection.prepare_cached(event)?.execute(params![delivery, failed, now.as_millis()])?;
    let parked = txn.connection.prepare_cached("UPDATE outbox SET state = ?2 WHERE delivery = ?1")?.execute(params![delivery, PARKED])?;
    txn.note_parked(parked);
    let next = "UPDATE outbox SET due = min(due, ?2) WHERE state = 0 AND channel = 1 AND delivery =
        (SELECT o.delivery FROM outbox o JOIN outbox p ON p.delivery = ?1 AND o.account = p.account AND o.order_key = p.order_key
         WHERE o.state <> 4 ORDER BY o.log_id LIMIT 1)";
    if txn.connection.prepare_cached(next)?.execute(params![delivery, now.as_millis()])? > 0 {
        txn.leave_due();
    }
    Ok(())
}
