//! API keys, of accounts and of operators.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{Codec, Rows};
use crate::world::World;

pub(super) const CODECS: &[Codec] = &[Codec { table: &API_KEYS, put: put_api_keys, write: write_api_keys }];

/// The table `api_keys`.
pub static API_KEYS: Table = Table {
    name: "api_keys",
    columns: &[
        Column::text("id"),
        Column::bytes("account"),
        Column::text("mode"),
        Column::text("name"),
        Column::bytes("digest"),
        Column::int("root"),
        Column::text("last_four"),
        Column::text("scopes"),
        Column::text("allowed_from"),
        Column::int("created_at"),
        Column::int("expires_at"),
        Column::int("revoked_at"),
        Column::int("last_used_at"),
    ],
    key: &["id"],
};

fn put_api_keys(_world: &mut World, _row: &mut Reader<'_>) -> Result<(), BadRow> {
    Ok(())
}

fn write_api_keys(_world: &World, _rows: &mut Rows) {}
