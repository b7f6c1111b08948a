//! Accounts and instances: the rows that change seldom.

use gatepost::{
    Account, AccountChange, AccountId, INSTANCES_MAX, Instance, InstanceChange, InstanceId, Mode, Page, Pause, Sealed, StoreError,
    Timestamp, Topic, Traffic, Usage, Windows, connection_event, instance_pause_event, pause_event,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::events;
use crate::rows::{self, pause_text, to_json};
use crate::traffic;
use crate::txn::{self, Txn};

pub(crate) fn add(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO accounts ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 0, 0, 0)",
        rows::ACCOUNT_COLUMNS
    );
    write(connection, &sql, account)
}

/// Binds the columns of an account, `id` first and `created_at` last.
fn write(connection: &Connection, sql: &str, account: &Account) -> rusqlite::Result<()> {
    let next = account.calendar.next.as_ref();
    connection.prepare_cached(sql)?.execute(params![
        account.id.to_bytes(),
        account.name.as_str(),
        to_json(&account.plan)?,
        account.calendar.zone.name(),
        next.map(|(zone, _)| zone.name()),
        next.map(|(_, from)| from.as_millis()),
        pause_text(account.pause.as_ref())?,
        account.suspended_at.map(Timestamp::as_millis),
        account.one_time_codes_pass,
        account.supervised,
        account.two_person_review,
        account.confirms_opt_out,
        account.threecx_enabled,
        to_json(&account.sender)?,
        account.created_at.as_millis()
    ])?;
    Ok(())
}

pub(crate) fn find(connection: &Connection, id: AccountId) -> rusqlite::Result<Option<Account>> {
    let sql = format!("SELECT {} FROM accounts WHERE id = ?1", rows::ACCOUNT_COLUMNS);
    connection.prepare_cached(&sql)?.query_row([id.to_bytes()], rows::account).optional()
}

pub(crate) fn list(connection: &Connection, page: Page<AccountId>) -> rusqlite::Result<Vec<Account>> {
    let sql = format!("SELECT {} FROM accounts WHERE id < ?1 ORDER BY id DESC LIMIT ?2", rows::ACCOUNT_COLUMNS);
    let before = page.after.map_or([0xff; 16], AccountId::to_bytes);
    rows::all(&mut *connection.prepare_cached(&sql)?, params![before, page.limit as i64], rows::account)
}

pub(crate) fn change(txn: &mut Txn<'_>, id: AccountId, change: AccountChange) -> rusqlite::Result<Changed<Account>> {
    let Some(mut account) = find(txn.connection, id)? else { return Ok(Ok(None)) };
    if !is_expected(account.pause.as_ref(), change.expected_pause.as_ref()) {
        return Ok(Err(StoreError::Conflict));
    }
    let AccountChange { name, plan, calendar, pause, expected_pause: _, suspended_at, .. } = change;
    let AccountChange { one_time_codes_pass, supervised, two_person_review, confirms_opt_out, threecx_enabled, sender, at, .. } = change;
    let was_paused = account.pause.is_some();
    account.name = name.unwrap_or(account.name);
    account.plan = plan.unwrap_or(account.plan);
    account.calendar = calendar.unwrap_or(account.calendar);
    account.pause = pause.unwrap_or(account.pause);
    account.suspended_at = suspended_at.unwrap_or(account.suspended_at);
    account.one_time_codes_pass = one_time_codes_pass.unwrap_or(account.one_time_codes_pass);
    account.supervised = supervised.unwrap_or(account.supervised);
    account.two_person_review = two_person_review.unwrap_or(account.two_person_review);
    account.confirms_opt_out = confirms_opt_out.unwrap_or(account.confirms_opt_out);
    account.threecx_enabled = threecx_enabled.unwrap_or(account.threecx_enabled);
    account.sender = sender.unwrap_or(account.sender);
    let sql = "UPDATE accounts SET name = ?2, plan = ?3, zone = ?4, next_zone = ?5, next_zone_from = ?6, pause = ?7, suspended_at = ?8,
               one_time_codes_pass = ?9, supervised = ?10, two_person_review = ?11, confirms_opt_out = ?12, threecx_enabled = ?13, sender = ?14,
               created_at = ?15 WHERE id = ?1";
    write(txn.connection, sql, &account)?;
    // What waited while it was paused may be due now.
    txn.leave_due();
    if was_paused && account.pause.is_none() {
        traffic::begin_afresh(txn.connection, id)?;
    }
    if account.pause.is_some() != was_paused {
        let event = pause_event(id, account.pause.as_ref(), next_change(txn.connection, id)?, at);
        events::tell(txn, id, &Topic::new(event.name, None), || Some(event))?;
    }
    Ok(Ok(Some(account)))
}

/// Pauses an account of which the group has read more, and tells of it.
pub(crate) fn pause(txn: &mut Txn<'_>, account: AccountId, pause: Pause) -> rusqlite::Result<()> {
    let sql = "UPDATE accounts SET pause = ?2 WHERE id = ?1";
    txn.connection.prepare_cached(sql)?.execute(params![account.to_bytes(), pause_text(Some(&pause))?])?;
    let event = pause_event(account, Some(&pause), next_change(txn.connection, account)?, pause.since);
    if let Some(entry) = txn.account(account)? {
        entry.account.pause = Some(pause);
    }
    txn.part(|txn| events::tell(txn, account, &Topic::new(event.name, None), || Some(event))).map(drop)
}

/// The number of a change that is told: what tells the events of one moment apart.
pub(crate) fn next_change(connection: &Connection, account: AccountId) -> rusqlite::Result<u32> {
    let sql = "UPDATE accounts SET changes = (changes + 1) % 4294967296 WHERE id = ?1 RETURNING changes";
    connection.prepare_cached(sql)?.query_row([account.to_bytes()], |row| row.get(0))
}

/// What a change made of a row; a conflict where it was decided from another one.
pub(crate) type Changed<T> = Result<Option<T>, StoreError>;

fn is_expected(pause: Option<&Pause>, expected: Option<&Option<Pause>>) -> bool {
    expected.is_none_or(|expected| expected.as_ref() == pause)
}

pub(crate) fn usage(connection: &Connection, id: AccountId, mode: Mode, now: Timestamp) -> rusqlite::Result<Option<Usage>> {
    let Some(account) = find(connection, id)? else { return Ok(None) };
    let windows = Windows::at(now, account.calendar.zone_at(now));
    txn::usage(connection, id, mode, windows).map(Some)
}

/// What an account did in the window that ends with `now`.
pub(crate) fn traffic(connection: &Connection, id: AccountId, mode: Mode, now: Timestamp) -> rusqlite::Result<Option<Traffic>> {
    let Some(account) = find(connection, id)? else { return Ok(None) };
    let log = traffic::read(connection, id, mode, now)?;
    Ok(Some(log.traffic(now).of_account(account.created_at, now)))
}

/// Adds an instance; `false` where its name is taken.
pub(crate) fn add_instance(connection: &Connection, account: AccountId, instance: &Instance) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM instances WHERE account = ?1";
    let present = connection.prepare_cached(sql)?.query_row([account.to_bytes()], |row| rows::count(row, 0))?;
    if present >= INSTANCES_MAX as u64 {
        return Ok(false);
    }
    let sql = "INSERT INTO instances (account, id, connection, pause, settings, credentials, credentials_root, revision, name, provider,
               created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (account, name) DO NOTHING";
    Ok(write_instance(connection, sql, account, instance)? > 0)
}

/// Binds the columns of an instance: those that never change come last.
fn write_instance(connection: &Connection, sql: &str, account: AccountId, instance: &Instance) -> rusqlite::Result<usize> {
    let credentials = instance.credentials.as_ref();
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        instance.id.to_bytes(),
        instance.connection.as_str(),
        pause_text(instance.pause.as_ref())?,
        instance.settings.as_json(),
        credentials.map(Sealed::to_bytes),
        credentials.map(Sealed::root),
        instance.revision,
        instance.name.as_str(),
        instance.provider.as_str(),
        instance.created_at.as_millis()
    ])
}

pub(crate) fn instances(connection: &Connection, account: AccountId) -> rusqlite::Result<Vec<Instance>> {
    let sql = format!("SELECT {} FROM instances WHERE account = ?1 ORDER BY name", rows::INSTANCE_COLUMNS);
    rows::all(&mut *connection.prepare_cached(&sql)?, [account.to_bytes()], rows::instance)
}

/// How the instance with an id is found, whoever's it is.
pub(crate) const INSTANCE_BY_ID: &str = concat!("SELECT ", rows::instance_columns!(), ", account FROM instances WHERE id = ?1");

pub(crate) fn instance_of_anybody(connection: &Connection, id: InstanceId) -> rusqlite::Result<Option<(AccountId, Instance)>> {
    let found = |row: &rusqlite::Row<'_>| Ok((rows::account_id(row, rows::BEHIND_INSTANCE)?, rows::instance(row)?));
    connection.prepare_cached(INSTANCE_BY_ID)?.query_row([id.to_bytes()], found).optional()
}

pub(crate) fn change_instance(
    txn: &mut Txn<'_>,
    account: AccountId,
    id: InstanceId,
    change: InstanceChange,
) -> rusqlite::Result<Changed<Instance>> {
    let Some(mut instance) = txn::instance_by_id(txn.connection, account, id)? else { return Ok(Ok(None)) };
    let (former, was_paused, at) = (instance.connection, instance.pause.is_some(), change.at);
    if let Err(conflict) = change.apply(&mut instance) {
        return Ok(Err(conflict));
    }
    let sql = "UPDATE instances SET connection = ?3, pause = ?4, settings = ?5, credentials = ?6, credentials_root = ?7, revision = ?8,
               name = ?9, provider = ?10, created_at = ?11 WHERE account = ?1 AND id = ?2";
    write_instance(txn.connection, sql, account, &instance)?;
    txn.leave_due();
    if instance.connection != former
        && let Some(event) = connection_event(account, &instance, next_change(txn.connection, account)?, at)
    {
        events::tell(txn, account, &Topic::new(event.name, event.instance), || Some(event))?;
    }
    if instance.pause.is_some() != was_paused {
        let event = instance_pause_event(account, &instance, next_change(txn.connection, account)?, at);
        events::tell(txn, account, &Topic::new(event.name, event.instance), || Some(event))?;
    }
    Ok(Ok(Some(instance)))
}
