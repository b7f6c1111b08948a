//! How far retention came.

use crate::cells::{BadRow, Column, Reader, Table};
use crate::tables::{self, Codec, Rows, row};
use crate::world::{Retained, World};

pub(super) const CODECS: &[Codec] = &[Codec { table: &RETENTION, put: put_retention, write: write_retention }];

/// The table `retention`.
pub static RETENTION: Table = Table {
    name: "retention",
    columns: &[Column::bytes("account"), Column::bytes("message"), Column::bytes("event"), Column::bytes("inbound"), Column::bytes("raw")],
    key: &["account"],
};

fn put_retention(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let (message, event, inbound, raw) = (row.array_or_none()?, row.array_or_none()?, row.array_or_none()?, row.array_or_none()?);
    rows.retained = Some(Retained { message, event, inbound, raw });
    Ok(())
}

fn write_retention(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        if let Some(Retained { message, event, inbound, raw }) = of_account.retained {
            rows.add(row![*account, message, event, inbound, raw]);
        }
    }
}
