//! What providers posted, and the things of it.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

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

fn put_notifications(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_notifications(_world: &World, _rows: &mut Rows) {}

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

fn put_inbound(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_inbound(_world: &World, _rows: &mut Rows) {}

/// The table `inbound_keys`.
pub static INBOUND_KEYS: Table = Table {
    name: "inbound_keys",
    columns: &[Column::bytes("account"), Column::bytes("key"), Column::int("told_at")],
    key: &["account", "key"],
};

fn put_inbound_keys(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_inbound_keys(_world: &World, _rows: &mut Rows) {}
