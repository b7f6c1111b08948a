//! Instances.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[Codec { table: &INSTANCES, put: put_instances, write: write_instances }];

/// The table `instances`.
pub static INSTANCES: Table = Table {
    name: "instances",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("name"),
        Column::text("provider"),
        Column::text("connection"),
        Column::text("pause"),
        Column::text("settings"),
        Column::bytes("credentials"),
        Column::int("credentials_root"),
        Column::int("revision"),
        Column::int("created_at"),
    ],
    key: &["account", "id"],
};

fn put_instances(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_instances(_world: &World, _rows: &mut Rows) {}
