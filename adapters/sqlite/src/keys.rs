//! Keys: of accounts and of operators, in one table.

use std::collections::BTreeSet;

use gatepost::{AccountId, ApiKey, KeyId, KeyOwner, KeyState, Mode, RootPrint, Timestamp};
use rusqlite::{Connection, params};

use crate::rows::{self, to_json};
use crate::seals;
use crate::txn::find_key;

/// Whose keys are meant: an account's, or the operators'.
pub(crate) type Whose = Option<AccountId>;

fn is_of(key: &ApiKey, whose: Whose) -> bool {
    match key.owner {
        KeyOwner::Account(account, _) => whose == Some(account),
        KeyOwner::Operator => whose.is_none(),
    }
}

pub(crate) fn add(connection: &Connection, whose: Whose, key: &ApiKey) -> rusqlite::Result<()> {
    let mode = match key.owner {
        KeyOwner::Account(_, mode) => Some(mode),
        KeyOwner::Operator => None,
    };
    let sql = format!("INSERT INTO api_keys ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)", rows::KEY_COLUMNS);
    connection.prepare_cached(&sql)?.execute(params![
        key.id.as_str(),
        whose.map(AccountId::to_bytes),
        mode.map(Mode::as_str),
        key.name.as_str(),
        key.digest.to_bytes(),
        key.root,
        key.last_four,
        to_json(&key.scopes)?,
        to_json(&key.allowed_from)?,
        key.created_at.as_millis(),
        key.expires_at.map(Timestamp::as_millis),
        key.revoked_at.map(Timestamp::as_millis),
        key.last_used_at.map(Timestamp::as_millis)
    ])?;
    Ok(())
}

pub(crate) fn list(connection: &Connection, whose: Whose) -> rusqlite::Result<Vec<ApiKey>> {
    let sql = format!("SELECT {} FROM api_keys WHERE account IS ?1 ORDER BY created_at DESC, id", rows::KEY_COLUMNS);
    rows::all(&mut *connection.prepare_cached(&sql)?, [whose.map(AccountId::to_bytes)], rows::api_key)
}

/// Revokes a key, unless it was revoked before; the key as it is then.
pub(crate) fn revoke(connection: &Connection, whose: Whose, id: KeyId, now: Timestamp) -> rusqlite::Result<Option<ApiKey>> {
    let Some(mut key) = find_key(connection, id)?.filter(|key| is_of(key, whose)) else { return Ok(None) };
    if key.revoked_at.is_none() {
        let sql = "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![id.as_str(), now.as_millis()])?;
        key.revoked_at = Some(now);
    }
    Ok(Some(key))
}

pub(crate) fn reroll(
    connection: &Connection,
    whose: Whose,
    old: KeyId,
    new: &ApiKey,
    old_ends_at: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let Some(key) = find_key(connection, old)?.filter(|key| is_of(key, whose) && key.state_at(now) == KeyState::Active) else {
        return Ok(false);
    };
    let end = key.expires_at.map_or(old_ends_at, |expiry| expiry.min(old_ends_at));
    let sql = "UPDATE api_keys SET expires_at = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![old.as_str(), end.as_millis()])?;
    add(connection, whose, new)?;
    Ok(true)
}

pub(crate) fn touch(connection: &Connection, used: &[(KeyId, Timestamp)]) -> rusqlite::Result<()> {
    let sql = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    for (id, at) in used {
        statement.execute(params![id.as_str(), at.as_millis()])?;
    }
    Ok(())
}

/// The numbers of the keyring's roots that rows name. Nobody opens again what a removed endpoint has sealed.
pub(crate) fn roots(connection: &Connection) -> rusqlite::Result<Vec<u32>> {
    let of_seals = rows::all(&mut *connection.prepare_cached(seals::ROOTS)?, [], |row| row.get(0))?;
    let sql = "SELECT root FROM api_keys
               UNION SELECT secrets_root FROM endpoints WHERE removed_at IS NULL
               UNION SELECT headers_root FROM endpoints WHERE removed_at IS NULL AND headers_root IS NOT NULL
               UNION SELECT secrets_root FROM integrations WHERE removed_at IS NULL
               UNION SELECT credentials_root FROM instances WHERE credentials_root IS NOT NULL";
    let others = rows::all(&mut *connection.prepare_cached(sql)?, [], |row| row.get(0))?;
    Ok(of_seals.into_iter().chain(others).collect::<BTreeSet<u32>>().into_iter().collect())
}

/// Notes the roots of a keyring, unless another one was noted before; what is noted then, by number.
pub(crate) fn note_roots(connection: &Connection, roots: &[RootPrint]) -> rusqlite::Result<Vec<RootPrint>> {
    if RootPrint::are_of_one_keyring(&noted_roots(connection)?, roots) {
        let mut insert = connection.prepare_cached("INSERT INTO roots (number, print) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
        roots.iter().try_for_each(|root| insert.execute(params![root.number, root.print]).map(drop))?;
    }
    noted_roots(connection)
}

fn noted_roots(connection: &Connection) -> rusqlite::Result<Vec<RootPrint>> {
    rows::all(&mut *connection.prepare_cached("SELECT number, print FROM roots ORDER BY number")?, [], |row| {
        Ok(RootPrint { number: row.get(0)?, print: row.get(1)? })
    })
}
