//! API keys, of accounts and of operators, and the roots that they were made with.

use gatepost::{AccountId, ApiKey, KeyDigest, KeyOwner};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{Codec, Rows, row};
use crate::world::World;

pub(super) const CODECS: &[Codec] =
    &[Codec { table: &API_KEYS, put: put_api_keys, write: write_api_keys }, Codec { table: &ROOTS, put: put_roots, write: write_roots }];

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

fn put_api_keys(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let id = row.word()?;
    let key = ApiKey {
        id,
        owner: owner(row)?,
        name: row.word()?,
        digest: KeyDigest::from_bytes(row.array()?),
        root: row.int()?,
        last_four: row.text()?.to_owned(),
        scopes: row.json()?,
        allowed_from: row.json()?,
        created_at: row.time()?,
        expires_at: row.time_or_none()?,
        revoked_at: row.time_or_none()?,
        last_used_at: row.time_or_none()?,
    };
    world.keys.insert(id, key);
    Ok(())
}

fn owner(row: &mut Reader<'_>) -> Result<KeyOwner, BadRow> {
    let account: Option<AccountId> = row.id_or_none()?;
    match (account, row.plain_or_none()?) {
        (Some(account), Some(mode)) => Ok(KeyOwner::Account(account, mode)),
        (Some(_), None) => Err(row.bad("an account's key has a mode")),
        (None, _) => Ok(KeyOwner::Operator),
    }
}

fn write_api_keys(world: &World, rows: &mut Rows) {
    for key in world.keys.values() {
        let (account, mode) = match key.owner {
            KeyOwner::Account(account, mode) => (Some(account), Some(mode.as_str())),
            KeyOwner::Operator => (None, None),
        };
        rows.add(row![
            key.id.as_str(),
            account,
            mode,
            key.name.as_str(),
            key.digest.to_bytes(),
            key.root,
            &key.last_four,
            Cell::json(&key.scopes),
            Cell::json(&key.allowed_from),
            key.created_at,
            key.expires_at,
            key.revoked_at,
            key.last_used_at,
        ]);
    }
}

/// The table `roots`: the print of each root of the keyring.
pub static ROOTS: Table = Table { name: "roots", columns: &[Column::int("number"), Column::bytes("print")], key: &["number"] };

fn put_roots(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let (number, print) = (row.int()?, row.array()?);
    world.roots.insert(number, print);
    Ok(())
}

fn write_roots(world: &World, rows: &mut Rows) {
    for (number, print) in &world.roots {
        rows.add(row![*number, *print]);
    }
}
