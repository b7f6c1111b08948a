//! Seals of the policy event log, and who seals.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] =
    &[Codec { table: &SEALS, put: put_seals, write: write_seals }, Codec { table: &SEALING, put: put_sealing, write: write_sealing }];

/// The table `seals`.
pub static SEALS: Table = Table {
    name: "seals",
    columns: &[
        Column::bytes("account"),
        Column::int("number"),
        Column::int("first"),
        Column::int("last"),
        Column::int("newest_at"),
        Column::bytes("rows"),
        Column::bytes("previous"),
        Column::int("root"),
        Column::int("sealed_at"),
        Column::bytes("digest"),
        Column::int("dropped_at"),
        Column::bytes("dropped_digest"),
        Column::bytes("row_digests"),
    ],
    key: &["account", "number"],
};

fn put_seals(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_seals(_world: &World, _rows: &mut Rows) {}

/// The table `sealing`.
pub static SEALING: Table =
    Table { name: "sealing", columns: &[Column::int("id"), Column::bytes("holder"), Column::int("until")], key: &["id"] };

fn put_sealing(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_sealing(_world: &World, _rows: &mut Rows) {}
