//! How far retention came.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[Codec { table: &RETENTION, put: put_retention, write: write_retention }];

/// The table `retention`.
pub static RETENTION: Table = Table {
    name: "retention",
    columns: &[Column::bytes("account"), Column::bytes("message"), Column::bytes("event"), Column::bytes("inbound"), Column::bytes("raw")],
    key: &["account"],
};

fn put_retention(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_retention(_world: &World, _rows: &mut Rows) {}
