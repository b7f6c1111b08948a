//! Accounts, and how much and how fast they and their instances sent.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &ACCOUNTS, put: put_accounts, write: write_accounts },
    Codec { table: &USAGE, put: put_usage, write: write_usage },
    Codec { table: &VELOCITY, put: put_velocity, write: write_velocity },
];

/// The table `accounts`.
pub static ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[
        Column::bytes("id"),
        Column::text("name"),
        Column::text("plan"),
        Column::text("zone"),
        Column::text("next_zone"),
        Column::int("next_zone_from"),
        Column::text("pause"),
        Column::int("suspended_at"),
        Column::int("one_time_codes_pass"),
        Column::int("supervised"),
        Column::int("two_person_review"),
        Column::int("confirms_opt_out"),
        Column::int("threecx_enabled"),
        Column::text("sender"),
        Column::int("created_at"),
        Column::int("last_seq"),
        Column::int("last_inbound"),
        Column::int("last_entry"),
        Column::int("changes"),
    ],
    key: &["id"],
};

fn put_accounts(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_accounts(_world: &World, _rows: &mut Rows) {}

/// The table `usage`.
pub static USAGE: Table = Table {
    name: "usage",
    columns: &[Column::bytes("account"), Column::text("mode"), Column::int("window"), Column::int("charged")],
    key: &["account", "mode", "window"],
};

fn put_usage(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_usage(_world: &World, _rows: &mut Rows) {}

/// The table `velocity`.
pub static VELOCITY: Table = Table {
    name: "velocity",
    columns: &[Column::bytes("account"), Column::bytes("subject"), Column::text("mode"), Column::int("tat")],
    key: &["account", "subject", "mode"],
};

fn put_velocity(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_velocity(_world: &World, _rows: &mut Rows) {}
