//! Phone systems, and the log of what they said and were told.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &INTEGRATIONS, put: put_integrations, write: write_integrations },
    Codec { table: &INTEGRATION_ENTRIES, put: put_integration_entries, write: write_integration_entries },
];

/// The table `integrations`.
pub static INTEGRATIONS: Table = Table {
    name: "integrations",
    columns: &[
        Column::bytes("account"),
        Column::int("id"),
        Column::text("name"),
        Column::int("enabled"),
        Column::bytes("instance"),
        Column::text("settings"),
        Column::bytes("secrets"),
        Column::int("secrets_root"),
        Column::bytes("endpoint"),
        Column::int("revision"),
        Column::int("removed_at"),
        Column::int("created_at"),
        Column::int("tat"),
    ],
    key: &["account", "id"],
};

fn put_integrations(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_integrations(_world: &World, _rows: &mut Rows) {}

/// The table `integration_entries`.
pub static INTEGRATION_ENTRIES: Table = Table {
    name: "integration_entries",
    columns: &[
        Column::bytes("account"),
        Column::int("id"),
        Column::int("integration"),
        Column::text("direction"),
        Column::text("kind"),
        Column::int("phone"),
        Column::text("details"),
        Column::text("outcome"),
        Column::text("reason"),
        Column::bytes("message"),
        Column::bytes("delivery"),
        Column::bytes("key"),
        Column::int("at"),
    ],
    key: &["account", "id"],
};

fn put_integration_entries(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_integration_entries(_world: &World, _rows: &mut Rows) {}
