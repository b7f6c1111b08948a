//! Endpoints.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[Codec { table: &ENDPOINTS, put: put_endpoints, write: write_endpoints }];

/// The table `endpoints`.
pub static ENDPOINTS: Table = Table {
    name: "endpoints",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("name"),
        Column::text("url"),
        Column::bytes("instance"),
        Column::text("filter"),
        Column::int("in_flight_max"),
        Column::text("rate"),
        Column::bytes("secrets"),
        Column::int("secrets_root"),
        Column::bytes("headers"),
        Column::int("headers_root"),
        Column::text("header_names"),
        Column::int("verified_at"),
        Column::text("pause"),
        Column::text("disabled"),
        Column::int("failing_since"),
        Column::int("removed_at"),
        Column::int("url_since"),
        Column::int("revision"),
        Column::int("created_at"),
        Column::int("for_operator"),
        Column::int("integration"),
        Column::int("tat"),
    ],
    key: &["account", "id"],
};

fn put_endpoints(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_endpoints(_world: &World, _rows: &mut Rows) {}
