//! Seals of the policy event log, and who seals.

use gatepost::{AccountId, Dropped, RowDigest, Seal, SealDigest, Segment};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::seals::SealingLease;
use crate::tables::{self, Codec, Rows, row};
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

fn put_seals(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let (seal, digests) = read_seal(rows.account.id, row)?;
    let digests = RowDigest::from_bytes(digests).ok_or_else(|| row.bad("no digests of rows"))?;
    rows.segments.insert(seal.number, Segment { seal, rows: digests });
    Ok(())
}

/// The seal of an account's row, from its second column on, and the digests of its rows as they stand there.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_seal<'a>(account: AccountId, row: &mut Reader<'a>) -> Result<(Seal, &'a [u8]), BadRow> {
    let seal = Seal {
        account,
        number: row.int()?,
        first: row.int()?,
        last: row.int()?,
        newest_at: row.time()?,
        rows: row.array()?,
        previous: SealDigest::from_bytes(row.array()?),
        root: row.int()?,
        sealed_at: row.time()?,
        digest: SealDigest::from_bytes(row.array()?),
        dropped: read_dropped(row)?,
    };
    Ok((seal, row.bytes()?))
}

fn read_dropped(row: &mut Reader<'_>) -> Result<Option<Dropped>, BadRow> {
    match (row.time_or_none()?, row.array_or_none()?) {
        (None, _) => Ok(None),
        (Some(at), Some(digest)) => Ok(Some(Dropped { at, digest: SealDigest::from_bytes(digest) })),
        (Some(_), None) => Err(row.bad("there is nothing")),
    }
}

fn write_seals(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for Segment { seal, rows: digests } in of_account.segments.values() {
            rows.add(row![
                *account,
                Cell::count(seal.number),
                Cell::count(seal.first),
                Cell::count(seal.last),
                seal.newest_at,
                seal.rows,
                seal.previous.to_bytes(),
                seal.root,
                seal.sealed_at,
                seal.digest.to_bytes(),
                seal.dropped.map(|dropped| dropped.at),
                seal.dropped.map(|dropped| dropped.digest.to_bytes()),
                RowDigest::to_bytes(digests),
            ]);
        }
    }
}

/// The table `sealing`.
pub static SEALING: Table =
    Table { name: "sealing", columns: &[Column::int("id"), Column::bytes("holder"), Column::int("until")], key: &["id"] };

fn put_sealing(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    if row.int::<i64>()? != ONLY {
        return Err(row.bad("there is one row at most"));
    }
    world.sealing = Some(SealingLease { holder: row.array()?, until: row.time()? });
    Ok(())
}

/// The key of the only row.
const ONLY: i64 = 1;

fn write_sealing(world: &World, rows: &mut Rows) {
    if let Some(SealingLease { holder, until }) = world.sealing {
        rows.add(row![ONLY, holder, until]);
    }
}
