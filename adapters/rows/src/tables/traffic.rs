//! What accounts did, by the day.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &TRAFFIC, put: put_traffic, write: write_traffic },
    Codec { table: &SAME_TEXTS, put: put_same_texts, write: write_same_texts },
];

/// The table `traffic`.
pub static TRAFFIC: Table = Table {
    name: "traffic",
    columns: &[
        Column::bytes("account"),
        Column::text("mode"),
        Column::int("day"),
        Column::int("sent"),
        Column::int("recipients"),
        Column::int("first_contacts"),
        Column::int("failed"),
        Column::int("opted_out"),
        Column::int("blocked"),
        Column::int("hour"),
        Column::int("hour_recipients"),
        Column::int("recipients_before"),
        Column::int("warned"),
    ],
    key: &["account", "mode", "day"],
};

fn put_traffic(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_traffic(_world: &World, _rows: &mut Rows) {}

/// The table `same_texts`.
pub static SAME_TEXTS: Table = Table {
    name: "same_texts",
    columns: &[Column::bytes("account"), Column::text("mode"), Column::int("day"), Column::int("print"), Column::int("contacts")],
    key: &["account", "mode", "day", "print"],
};

fn put_same_texts(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_same_texts(_world: &World, _rows: &mut Rows) {}
