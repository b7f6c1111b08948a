//! The outbox: what is accepted and not finished, in all three channels.

use gatepost::{AccountId, Channel, Delivery, DeliveryId, EventName, State, Timestamp, shard};

use crate::cells::{BadRow, Cell, Column, Reader, Row, Table};
use crate::tables::{Codec, Rows, account, row};
use crate::world::{AccountRows, InboxRow, NoticeRow, OutboxRow, World};

pub(super) const CODECS: &[Codec] = &[Codec { table: &OUTBOX, put: put_outbox, write: write_outbox }];

/// The table `outbox`.
pub static OUTBOX: Table = Table {
    name: "outbox",
    columns: &[
        Column::bytes("delivery"),
        Column::bytes("account"),
        Column::int("shard"),
        Column::int("order_key"),
        Column::int("channel"),
        Column::bytes("place"),
        Column::bytes("item"),
        Column::bytes("contact"),
        Column::text("as_name"),
        Column::int("log_id"),
        Column::int("state"),
        Column::int("due"),
        Column::int("expires_at"),
        Column::int("fence"),
        Column::int("tries"),
        Column::int("put_off"),
        Column::int("started_at"),
    ],
    key: &["account", "delivery"],
};

/// The numbers of the channels.
const MESSAGE: i64 = 0;
const EVENT: i64 = 1;
const INBOUND: i64 = 2;

/// The numbers of the states.
const WAITING: i64 = 0;
const CLAIMED: i64 = 1;
const STARTED: i64 = 2;
const IN_DOUBT: i64 = 3;
/// Set aside, because it cannot be read; no state of the state machine.
const PARKED: i64 = 4;

const fn state_number(state: State) -> i64 {
    match state {
        State::Waiting { .. } => WAITING,
        State::Claimed { .. } => CLAIMED,
        State::Started { .. } => STARTED,
        State::InDoubt { .. } => IN_DOUBT,
    }
}

fn put_outbox(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let stored = row.row();
    let id: DeliveryId = row.id()?;
    let rows = account(world, row)?;
    row.pass();
    let order_key: Option<i64> = row.int_or_none()?;
    let channel: i64 = row.int()?;
    if !(MESSAGE..=INBOUND).contains(&channel) {
        return Err(row.bad("no channel of a delivery"));
    }
    if is_parked(&stored) {
        rows.parked.insert(id, stored);
        return Ok(());
    }
    match channel {
        MESSAGE => put_message(rows, row, id, order_key),
        EVENT => put_notice(rows, row, id, order_key),
        _ => put_inbox(rows, row, id),
    }
}

/// Whether a row of the outbox was set aside.
pub fn is_parked(row: &Row) -> bool {
    OUTBOX.place("state").and_then(|place| row.get(place)) == Some(&Cell::Int(PARKED))
}

/// The row of what is set aside: as it stood, and in no state.
pub fn parked(mut row: Row) -> Row {
    if let Some(state) = OUTBOX.place("state").and_then(|place| row.get_mut(place)) {
        *state = Cell::Int(PARKED);
    }
    row
}

fn put_message(rows: &mut AccountRows, row: &mut Reader<'_>, id: DeliveryId, order_key: Option<i64>) -> Result<(), BadRow> {
    let (instance, message, contact) = (row.id()?, row.id()?, row.id()?);
    row.pass();
    let log_id = row.int()?;
    let delivery = delivery(row, Channel::Message, false)?;
    let started_at = row.time_or_none()?;
    rows.outbox.insert(id, OutboxRow { id, message, instance, contact, log_id, order_key, delivery, started_at });
    Ok(())
}

fn put_notice(rows: &mut AccountRows, row: &mut Reader<'_>, id: DeliveryId, order_key: Option<i64>) -> Result<(), BadRow> {
    let (endpoint, event) = (row.id()?, row.id()?);
    row.pass();
    let (as_name, place): (Option<EventName>, u64) = (row.word_or_none()?, row.int()?);
    let delivery = delivery(row, Channel::Event, order_key.is_some())?;
    let started_at = row.time_or_none()?;
    let line = order_key.map(|key| (key, place));
    rows.notices.insert(id, NoticeRow { id, event, as_name, endpoint, line, delivery, started_at });
    Ok(())
}

fn put_inbox(rows: &mut AccountRows, row: &mut Reader<'_>, id: DeliveryId) -> Result<(), BadRow> {
    let (instance, inbound) = (row.id()?, row.id()?);
    row.pass();
    row.pass();
    let place = row.int()?;
    if rows.inbox.get(&place).is_some_and(|known| known.delivery != id) {
        return Err(row.bad("the place is another's"));
    }
    if row.int::<i64>()? != WAITING {
        return Err(row.bad("what came in only waits"));
    }
    rows.inbox.insert(place, InboxRow { delivery: id, inbound, instance, due: row.time()? });
    Ok(())
}

fn delivery(row: &mut Reader<'_>, channel: Channel, ordered: bool) -> Result<Delivery, BadRow> {
    let (state, bad_state) = (row.int::<i64>()?, row.bad("no state of a delivery"));
    let due = row.time()?;
    let state = match state {
        WAITING => State::Waiting { due },
        CLAIMED => State::Claimed { lease_until: due },
        STARTED => State::Started { lease_until: due },
        IN_DOUBT => State::InDoubt { until: due },
        _ => return Err(bad_state),
    };
    Ok(Delivery { channel, ordered, state, expires_at: row.time()?, fence: row.int()?, tries: row.int()?, put_off: row.int()? })
}

fn write_outbox(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        of.outbox.values().for_each(|row| rows.add(message_row(*account, row)));
        of.notices.values().for_each(|row| rows.add(notice_row(*account, row)));
        of.inbox.iter().for_each(|(place, row)| rows.add(inbox_row(*account, *place, row)));
        of.parked.values().for_each(|row| rows.add(row.clone()));
    }
}

/// A message's row of the outbox.
pub fn message_row(account: AccountId, row: &OutboxRow) -> Row {
    let delivery = &row.delivery;
    row![
        row.id,
        account,
        shard(account, row.order_key),
        row.order_key,
        MESSAGE,
        row.instance,
        row.message,
        row.contact,
        Cell::Null,
        Cell::count(row.log_id),
        state_number(delivery.state),
        delivery.state.due(),
        delivery.expires_at,
        delivery.fence,
        delivery.tries,
        delivery.put_off,
        row.started_at,
    ]
}

/// An event's row of the outbox.
pub fn notice_row(account: AccountId, row: &NoticeRow) -> Row {
    let (delivery, order_key) = (&row.delivery, row.line.map(|(key, _)| key));
    row![
        row.id,
        account,
        shard(account, order_key),
        order_key,
        EVENT,
        row.endpoint,
        row.event,
        Cell::Null,
        row.as_name.map(EventName::as_str),
        Cell::count(row.line.map_or(0, |(_, place)| place)),
        state_number(delivery.state),
        delivery.state.due(),
        delivery.expires_at,
        delivery.fence,
        delivery.tries,
        delivery.put_off,
        row.started_at,
    ]
}

/// The row of what waits to be heeded. It does so for ever.
fn inbox_row(account: AccountId, place: u64, row: &InboxRow) -> Row {
    row![
        row.delivery,
        account,
        shard(account, None),
        Cell::Null,
        INBOUND,
        row.instance,
        row.inbound,
        Cell::Null,
        Cell::Null,
        Cell::count(place),
        WAITING,
        row.due,
        Timestamp::MAX,
        0_i64,
        0_i64,
        0_i64,
        Cell::Null,
    ]
}
