//! Accounts, what they send from, how much they sent, and keys.

use std::time::Duration;

use gatepost::{
    Account, AccountId, ApiKey, Instance, InstanceId, InstanceRef, KeyId, Mode, Page, StoreError, Timestamp, Traffic, Usage, Windows, Zone,
};
use gatepost_rows::cells::{Cell, Row, Table};
use gatepost_rows::world::World;
use gatepost_rows::{accounts, keys, tables, traffic};

use super::statements::{
    ACCOUNT, ACCOUNTS, ACCOUNTS_FOUND, INSTANCE, INSTANCE_NAMED, INSTANCES, KEY, KEYS, OPERATORS_KEYS, ROOTS, TRAFFIC, USAGE,
    WHOSE_INSTANCE, WHOSE_KEY,
};
use super::{Whose, before, corrupt, given, limit, list, of_all, of_any, rows_of, seek, world, world_of};
use crate::connect::Database;

/// The longest that a zone is away from UTC, and more.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The account itself.
pub(crate) async fn account(database: &Database, account: AccountId) -> Result<Option<Account>, StoreError> {
    list(database, account, vec![ACCOUNT.with(given![])], |rows| Some(rows.account.clone())).await
}

/// The last place that its log has given out.
pub(crate) async fn last_seq(database: &Database, account: AccountId) -> Result<u64, StoreError> {
    list(database, account, vec![ACCOUNT.with(given![])], |rows| rows.last_seq).await
}

/// What was charged in the windows of `now`. Which these are, the account's zone says: the windows of all zones are few.
pub(crate) async fn usage(database: &Database, account: AccountId, mode: Mode, now: Timestamp) -> Result<Option<Usage>, StoreError> {
    let utc = Zone::utc();
    let (first, last) = (Windows::at(now.minus(DAY), &utc), Windows::at(now.plus(DAY), &utc));
    let window = |window: gatepost::Window| Cell::Int(window.id.number().into());
    let given = given![mode_word(mode), window(first.day), window(last.day), window(first.month), window(last.month)];
    list(database, account, vec![ACCOUNT.with(given![]), USAGE.with(given)], |rows| Some(rows.usage(mode, now))).await
}

/// What the account did in the window that ends with `now`.
pub(crate) async fn traffic(database: &Database, account: AccountId, mode: Mode, now: Timestamp) -> Result<Option<Traffic>, StoreError> {
    let queries = vec![ACCOUNT.with(given![]), TRAFFIC.with(given![mode_word(mode)])];
    list(database, account, queries, |rows| Some(traffic::of_account(rows, mode, now))).await
}

/// What it sends from.
pub(crate) async fn instances(database: &Database, account: AccountId) -> Result<Vec<Instance>, StoreError> {
    list(database, account, vec![INSTANCES.with(given![])], accounts::instances).await
}

/// The instance that is meant.
pub(crate) async fn instance(database: &Database, account: AccountId, which: InstanceRef) -> Result<Option<Instance>, StoreError> {
    let query = match &which {
        InstanceRef::Id(id) => INSTANCE.with(given![*id]),
        InstanceRef::Name(name) => INSTANCE_NAMED.with(given![name]),
    };
    list(database, account, vec![query], |rows| rows.instance(&which).cloned()).await
}

/// An instance of whatever account.
pub(crate) async fn any_instance(database: &Database, id: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError> {
    let Some((Whose::Account(account), rows)) = of_any(database, &WHOSE_INSTANCE, &INSTANCE, id.into()).await? else { return Ok(None) };
    let world = world(account, &[INSTANCE.with(given![])], &[rows])?;
    Ok(accounts::find_instance(&world, id))
}

/// The account's keys, newest first.
pub(crate) async fn keys(database: &Database, account: AccountId) -> Result<Vec<ApiKey>, StoreError> {
    let world = world_of(database, account, vec![KEYS.with(given![])]).await?;
    Ok(keys::list(&world, Some(account)))
}

/// The operators' keys, newest first.
pub(crate) async fn operators_keys(database: &Database) -> Result<Vec<ApiKey>, StoreError> {
    let query = OPERATORS_KEYS.with(given![]);
    let rows = rows_of(database, &Whose::Operator, std::slice::from_ref(&query)).await?;
    Ok(keys::list(&put(query.list.table, &rows.concat())?, None))
}

/// A key, whoever's it is.
pub(crate) async fn key(database: &Database, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
    let Some((_, rows)) = of_any(database, &WHOSE_KEY, &KEY, Cell::word(id)).await? else { return Ok(None) };
    Ok(put(KEY.table, &rows)?.keys.remove(&id))
}

/// A world of these rows.
fn put(table: &Table, rows: &[Row]) -> Result<World, StoreError> {
    let mut world = World::default();
    rows.iter().try_for_each(|row| tables::put(&mut world, table, row)).map_err(corrupt)?;
    Ok(world)
}

/// A page of all accounts, newest first.
pub(crate) async fn all(database: &Database, page: Page<AccountId>) -> Result<Vec<Account>, StoreError> {
    let (_, rows) = of_all(database, &ACCOUNTS, given![before(page.after), limit(&page)], &ACCOUNTS_FOUND).await?;
    Ok(accounts::list(&put(ACCOUNTS_FOUND.table, &rows)?, page))
}

/// The numbers of the keyring's roots that sealed or made what may still be read.
pub(crate) async fn roots(database: &Database) -> Result<Vec<u32>, StoreError> {
    let number = |row: Row| match row.first() {
        Some(Cell::Int(number)) => u32::try_from(*number).map_err(|_| StoreError::Corrupt(String::from("a root's number is out of range"))),
        _ => Err(StoreError::Corrupt(String::from("a root has no number"))),
    };
    seek(database, &ROOTS, given![]).await?.into_iter().map(number).collect()
}

/// A mode as it stands in columns.
fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Test => "test",
    }
}
