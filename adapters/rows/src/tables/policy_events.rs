//! Policy events.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[Codec { table: &POLICY_EVENTS, put: put_policy_events, write: write_policy_events }];

/// The table `policy_events`.
pub static POLICY_EVENTS: Table = Table {
    name: "policy_events",
    columns: &[
        Column::bytes("account"),
        Column::int("seq"),
        Column::int("at"),
        Column::bytes("message"),
        Column::bytes("instance"),
        Column::bytes("contact"),
        Column::text("verdict"),
        Column::text("body"),
    ],
    key: &["account", "seq"],
};

fn put_policy_events(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_policy_events(_world: &World, _rows: &mut Rows) {}
