//! The outbox: what is accepted and not finished, in all three channels.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

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
    key: &["delivery"],
};

fn put_outbox(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_outbox(_world: &World, _rows: &mut Rows) {}
