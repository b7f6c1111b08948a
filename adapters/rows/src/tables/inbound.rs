//! What providers posted, and the things of it.

use std::borrow::Cow;

use gatepost::{InboundEntry, InboundKey, NotificationEntry, Received, Said, SaidDetail, Told, Words};
use serde::{Deserialize, Serialize};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{self, Codec, Rows, row};
use crate::world::{InboundRow, World};

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &NOTIFICATIONS, put: put_notifications, write: write_notifications },
    Codec { table: &INBOUND, put: put_inbound, write: write_inbound },
    Codec { table: &INBOUND_KEYS, put: put_inbound_keys, write: write_inbound_keys },
];

/// The table `notifications`.
pub static NOTIFICATIONS: Table = Table {
    name: "notifications",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("instance"),
        Column::int("received_at"),
        Column::int("new"),
        Column::int("repeated"),
        Column::int("quarantined"),
        Column::bytes("body"),
    ],
    key: &["account", "id"],
};

fn put_notifications(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let entry = read_notification(row)?;
    rows.notifications.insert(entry.id, entry);
    Ok(())
}

/// The notification of a row, from its second column on.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_notification(row: &mut Reader<'_>) -> Result<NotificationEntry, BadRow> {
    Ok(NotificationEntry {
        id: row.id()?,
        instance: row.id()?,
        received_at: row.time()?,
        received: Received { new: row.int()?, repeated: row.int()?, quarantined: row.int()? },
        body: row.bytes_or_none()?.map(<[u8]>::to_vec),
    })
}

fn write_notifications(world: &World, rows: &mut Rows) {
    let count = |count: usize| Cell::count(count as u64);
    for (account, of_account) in &world.accounts {
        for NotificationEntry { id, instance, received_at, received, body } in of_account.notifications.values() {
            let (new, repeated, quarantined) = (count(received.new), count(received.repeated), count(received.quarantined));
            rows.add(row![*account, *id, *instance, *received_at, new, repeated, quarantined, body.as_deref()]);
        }
    }
}

/// The table `inbound`.
pub static INBOUND: Table = Table {
    name: "inbound",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::bytes("notification"),
        Column::bytes("instance"),
        Column::bytes("delivery"),
        Column::bytes("contact"),
        Column::text("address"),
        Column::text("kind"),
        Column::text("class"),
        Column::int("at"),
        Column::int("received_at"),
        Column::text("words"),
        Column::text("detail"),
        Column::text("told"),
    ],
    key: &["account", "id"],
};

fn put_inbound(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let inbound = read_inbound(row)?;
    rows.inbound.insert(inbound.entry.id, inbound);
    Ok(())
}

/// The thing of a row, from its second column on. Whether it waits stands in the outbox.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_inbound(row: &mut Reader<'_>) -> Result<InboundRow, BadRow> {
    let (id, notification, instance, delivery) = (row.id()?, row.id()?, row.id()?, row.id_or_none()?);
    let (contact, from, kind) = (row.id_or_none()?, row.word_or_none()?, row.text()?.to_owned());
    row.pass();
    let (at, received_at) = (row.time_or_none()?, row.time()?);
    let (words, detail) = (row.text_or_none()?, row.json_or_none::<Detail<'_>>()?);
    let mut told: Told = row.json()?;
    if let Told::Said(said) = &mut told {
        let Detail { detail, sender_name } = detail.unwrap_or_default();
        said.text = words.map(|words| Words::new(words.to_owned()));
        said.detail = detail.map(Cow::into_owned);
        said.sender_name = sender_name.map(Cow::into_owned);
    }
    let entry = InboundEntry { id, notification, instance, contact, from, kind, at, received_at, waits: false, told };
    Ok(InboundRow { entry, delivery })
}

/// What is kept of somebody's words apart from the text.
#[derive(Default, Deserialize, Serialize)]
struct Detail<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, SaidDetail>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender_name: Option<Cow<'a, Words>>,
}

impl<'a> Detail<'a> {
    /// It, where there is something to keep.
    fn of(said: &'a Said) -> Option<Self> {
        let (detail, sender_name) = (said.detail.as_ref().map(Cow::Borrowed), said.sender_name.as_ref().map(Cow::Borrowed));
        (detail.is_some() || sender_name.is_some()).then_some(Self { detail, sender_name })
    }
}

fn write_inbound(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for InboundRow { entry, delivery } in of_account.inbound.values() {
            let said = if let Told::Said(said) = &entry.told { Some(said) } else { None };
            rows.add(row![
                *account,
                entry.id,
                entry.notification,
                entry.instance,
                *delivery,
                entry.contact,
                entry.from.as_ref(),
                &entry.kind,
                entry.told.class().as_str(),
                entry.at,
                entry.received_at,
                said.and_then(|said| said.text.as_ref()).map(Words::as_str),
                Cell::json_or_null(said.and_then(Detail::of).as_ref()),
                Cell::json(&entry.told),
            ]);
        }
    }
}

/// The table `inbound_keys`.
pub static INBOUND_KEYS: Table = Table {
    name: "inbound_keys",
    columns: &[Column::bytes("account"), Column::bytes("key"), Column::int("told_at")],
    key: &["account", "key"],
};

fn put_inbound_keys(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    rows.inbound_keys.insert(InboundKey::from_bytes(row.array()?), row.time()?);
    Ok(())
}

fn write_inbound_keys(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for (key, told_at) in &of_account.inbound_keys {
            rows.add(row![*account, key.to_bytes(), *told_at]);
        }
    }
}
