//! Txn: the open transaction of a group, and what it has read of the accounts it touches.
//!
//! Messages of one account come in crowds, so that the account, its counters, its instances and its keys are read once a group and
//! written once at its end ([`Txn::flush`]). Verbs that change these rows by themselves run behind [`Txn::savepoint`], which
//! writes what is pending and forgets what was read.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gatepost::{
    Account, AccountId, Charge, EndpointId, Fact, Instance, InstanceId, InstanceRef, Judged, KeyId, KeyState, Mode, Permit, Settled,
    Started, Tat, Timestamp, Usage, Windows,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::endpoints::{self, EndpointEntry};
use crate::error;
use crate::fresh::Fresh;
use crate::open::OpenAttempts;
use crate::rows::{self, signed};
use crate::traffic::AccountTraffic;

/// The open transaction of a group.
pub(crate) struct Txn<'c> {
    pub(crate) connection: &'c Connection,
    accounts: HashMap<AccountId, AccountEntry>,
    endpoints: HashMap<AccountId, Vec<EndpointEntry>>,
    fresh: Fresh,
    open: OpenAttempts,
    statements: Vec<(&'static str, CachedStatement<'c>)>,
    effects: Effects,
    care: Care,
}

/// How a group is run.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Care {
    /// Without savepoints where nothing is expected to fail by itself.
    Quick,
    /// For a group in which something could not be read or written: each verb, and each part of it, behind a savepoint of its own.
    Careful,
}

/// What happens once the group is committed.
#[derive(Default)]
pub(crate) struct Effects {
    /// Attempts to hand to the worker.
    pub(crate) started: Vec<(Permit, Started)>,
    /// Whether something was left for a claim.
    pub(crate) left_due: bool,
    /// What was called back because of what its contact said, for a heed to answer with.
    pub(crate) called_back: Vec<Settled>,
    /// How many deliveries were parked.
    pub(crate) parked: usize,
    /// Accounts that were paused or warned for a rate.
    pub(crate) judged: Vec<Judged>,
}

/// What was read of an account.
pub(crate) struct AccountEntry {
    pub(crate) account: Account,
    last_seq: u64,
    last_inbound: u64,
    last_entry: u64,
    seq_changed: bool,
    meters: [Option<Meter>; 2],
    traffic: AccountTraffic,
    instances: Vec<InstanceEntry>,
    keys: Vec<(KeyId, Fact<KeyState>)>,
}

/// The counters of an account in one mode.
#[derive(Clone, Copy)]
pub(crate) struct Meter {
    pub(crate) usage: Usage,
    pub(crate) tat: Tat,
    usage_changed: bool,
    tat_changed: bool,
}

/// An instance and how fast it went.
#[derive(Clone)]
pub(crate) struct InstanceEntry {
    pub(crate) instance: Instance,
    tats: [Option<(Tat, bool)>; 2],
}

impl<'c> Txn<'c> {
    pub(crate) fn new(connection: &'c Connection, care: Care) -> Self {
        Self {
            connection,
            accounts: HashMap::new(),
            endpoints: HashMap::new(),
            fresh: Fresh::default(),
            open: OpenAttempts::default(),
            statements: Vec::new(),
            effects: Effects::default(),
            care,
        }
    }

    /// Whether each verb runs behind a savepoint.
    pub(crate) fn is_careful(&self) -> bool {
        self.care == Care::Careful
    }

    /// A statement of the hot path, taken from the connection's cache once a group.
    pub(crate) fn statement(&mut self, sql: &'static str) -> rusqlite::Result<&mut CachedStatement<'c>> {
        let place = match self.statements.iter().position(|(known, _)| std::ptr::eq(*known, sql)) {
            Some(place) => place,
            None => {
                self.statements.push((sql, self.connection.prepare_cached(sql)?));
                self.statements.len() - 1
            }
        };
        self.statements.get_mut(place).map(|(_, statement)| statement).ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// A transaction that begins with what is known of open attempts.
    pub(crate) fn knowing(self, open: OpenAttempts) -> Self {
        Self { open, ..self }
    }

    /// What happens once the group is committed, and the attempts that are open then.
    pub(crate) fn into_effects(self) -> (Effects, OpenAttempts) {
        (self.effects, self.open)
    }

    /// Has a worker told that something is due.
    pub(crate) fn leave_due(&mut self) {
        self.effects.left_due = true;
    }

    /// Notes a message that was called back.
    pub(crate) fn note_called_back(&mut self, settled: Option<Settled>) {
        self.effects.called_back.extend(settled);
    }

    /// What was called back since this was asked the last time.
    pub(crate) fn take_called_back(&mut self) -> Vec<Settled> {
        std::mem::take(&mut self.effects.called_back)
    }

    /// Counts deliveries that were parked.
    pub(crate) const fn note_parked(&mut self, count: usize) {
        self.effects.parked += count;
    }

    /// Has whoever runs the gateway hear of an account that reached a rate.
    pub(crate) fn note_judged(&mut self, judged: Judged) {
        self.effects.judged.push(judged);
    }

    /// Hands an attempt to its permit, once committed.
    pub(crate) fn start_after_commit(&mut self, permit: Permit, started: Started) {
        self.effects.started.push((permit, started));
    }

    /// Runs what may fail without the group, and leaves nothing of it where it does; an error of the outer kind is one of the group.
    pub(crate) fn savepoint<T>(&mut self, verb: impl FnOnce(&mut Self) -> rusqlite::Result<T>) -> rusqlite::Result<rusqlite::Result<T>> {
        self.flush()?;
        self.connection.execute_batch("SAVEPOINT verb")?;
        let (started, called_back, parked) = (self.effects.started.len(), self.effects.called_back.len(), self.effects.parked);
        let judged = self.effects.judged.len();
        // A panic must not pass by the end of the savepoint: the next one out has the same name.
        let result = catch_unwind(AssertUnwindSafe(|| verb(self))).unwrap_or(Err(rusqlite::Error::UnwindingPanic));
        let result = result.and_then(|value| self.flush().map(|()| value));
        self.accounts.clear();
        self.endpoints.clear();
        self.fresh.clear();
        // After some errors SQLite has rolled everything back, and the group is lost.
        if self.connection.is_autocommit() {
            return Err(result.err().unwrap_or_else(rolled_back));
        }
        if result.is_err() {
            self.effects.started.truncate(started);
            self.effects.called_back.truncate(called_back);
            self.effects.parked = parked;
            self.effects.judged.truncate(judged);
        }
        let end = if result.is_ok() { "RELEASE verb" } else { "ROLLBACK TO verb; RELEASE verb" };
        self.connection.execute_batch(end)?;
        Ok(result)
    }

    /// Runs a part of a verb; `None` where it met what cannot be read, and left nothing. Only a careful group can tell: in a quick one
    /// that is an error, and the group runs again with care.
    pub(crate) fn part<T>(&mut self, part: impl FnOnce(&mut Self) -> rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
        if !self.is_careful() {
            return part(self).map(Some);
        }
        match self.savepoint(part)? {
            Err(error) if error::is_unreadable(&error) => Ok(None),
            result => result.map(Some),
        }
    }

    /// The account, read once a group.
    pub(crate) fn account(&mut self, id: AccountId) -> rusqlite::Result<Option<&mut AccountEntry>> {
        if !self.accounts.contains_key(&id) {
            let sql = format!("SELECT {} FROM accounts WHERE id = ?1", rows::ACCOUNT_COLUMNS);
            let found = self
                .connection
                .prepare_cached(&sql)?
                .query_row([id.to_bytes()], |row| {
                    let count = |column| rows::count(row, column);
                    Ok((rows::account(row)?, count(rows::LAST_SEQ)?, count(rows::LAST_INBOUND)?, count(rows::LAST_ENTRY)?))
                })
                .optional()?;
            let Some((account, last_seq, last_inbound, last_entry)) = found else { return Ok(None) };
            self.accounts.insert(
                id,
                AccountEntry {
                    account,
                    last_seq,
                    last_inbound,
                    last_entry,
                    seq_changed: false,
                    meters: [None; 2],
                    traffic: AccountTraffic::default(),
                    instances: Vec::new(),
                    keys: Vec::new(),
                },
            );
        }
        Ok(self.accounts.get_mut(&id))
    }

    /// One of the account's instances, read once a group.
    pub(crate) fn instance(&mut self, account: AccountId, id: InstanceId) -> rusqlite::Result<Option<Instance>> {
        let connection = self.connection;
        let Some(entry) = self.account(account)? else { return Ok(None) };
        Ok(entry.instance(connection, &id.into())?.map(|found| found.instance.clone()))
    }

    /// The account's endpoints that are not removed, read once a group.
    pub(crate) fn endpoints(&mut self, account: AccountId) -> rusqlite::Result<&mut Vec<EndpointEntry>> {
        match self.endpoints.entry(account) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(endpoints::entries(self.connection, account)?)),
        }
    }

    /// One of them.
    pub(crate) fn endpoint(&mut self, account: AccountId, id: EndpointId) -> rusqlite::Result<Option<&mut EndpointEntry>> {
        Ok(self.endpoints(account)?.iter_mut().find(|entry| entry.endpoint.id == id))
    }

    /// The attempts that are known to be open.
    pub(crate) const fn open_attempts(&mut self) -> &mut OpenAttempts {
        &mut self.open
    }

    /// The deliveries that were added and do not stand in the outbox yet.
    pub(crate) const fn fresh(&mut self) -> &mut Fresh {
        &mut self.fresh
    }

    /// Writes the counters that changed, and what is fresh.
    pub(crate) fn flush(&mut self) -> rusqlite::Result<()> {
        for fresh in self.fresh.take_all() {
            fresh.row.insert(self, &fresh.state, None)?;
            self.leave_due();
        }
        for (id, entry) in &mut self.accounts {
            entry.flush(self.connection, *id)?;
        }
        for (id, entries) in &mut self.endpoints {
            entries.iter_mut().try_for_each(|entry| entry.flush(self.connection, *id))?;
        }
        Ok(())
    }

    /// Returns a message's charge to the windows it came from.
    pub(crate) fn return_charge(&mut self, account: AccountId, mode: Mode, charge: Charge) -> rusqlite::Result<()> {
        let meter = self.accounts.get_mut(&account).and_then(|entry| entry.meters[mode as usize].as_mut());
        let windows = meter.as_ref().map(|meter| (meter.usage.windows.day.id, meter.usage.windows.month.id));
        let (day_is_read, month_is_read) = windows.map_or((false, false), |(day, month)| (day == charge.day, month == charge.month));
        if let Some(meter) = meter {
            meter.usage.day = meter.usage.day.saturating_sub(day_is_read.into());
            meter.usage.month = meter.usage.month.saturating_sub(month_is_read.into());
            meter.usage_changed |= day_is_read || month_is_read;
        }
        for (window, is_read) in [(charge.day, day_is_read), (charge.month, month_is_read)] {
            if !is_read {
                let sql = "UPDATE usage SET charged = charged - 1 WHERE account = ?1 AND mode = ?2 AND window = ?3 AND charged > 0";
                self.connection.prepare_cached(sql)?.execute(params![account.to_bytes(), mode.as_str(), window.number()])?;
            }
        }
        Ok(())
    }
}

fn rolled_back() -> rusqlite::Error {
    let aborted = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK);
    rusqlite::Error::SqliteFailure(aborted, Some(String::from("the transaction was rolled back")))
}

impl AccountEntry {
    /// The next place in the account's log.
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.seq_changed = true;
        self.last_seq
    }

    /// The next place of what comes in.
    pub(crate) fn next_inbound(&mut self) -> u64 {
        self.last_inbound += 1;
        self.seq_changed = true;
        self.last_inbound
    }

    /// The next place in the log of phone systems.
    pub(crate) fn next_entry(&mut self) -> u64 {
        self.last_entry += 1;
        self.seq_changed = true;
        self.last_entry
    }

    /// The counters of `mode` in the windows of `now`.
    pub(crate) fn meter(&mut self, connection: &Connection, mode: Mode, now: Timestamp) -> rusqlite::Result<&mut Meter> {
        let id = self.account.id;
        let place = &mut self.meters[mode as usize];
        let stale = place.as_ref().is_none_or(|meter| !meter.usage.windows.hold_at(now));
        if stale {
            if let Some(meter) = place {
                meter.flush(connection, id, mode)?;
            }
            let windows = Windows::at(now, self.account.calendar.zone_at(now));
            let tat = tat(connection, id, &id.to_bytes(), mode)?;
            let usage = usage(connection, id, mode, windows)?;
            *place = Some(Meter { usage, tat, usage_changed: false, tat_changed: false });
        }
        place.as_mut().ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// What the account did and does, read once a group.
    pub(crate) const fn traffic(&mut self) -> (AccountId, &mut AccountTraffic) {
        (self.account.id, &mut self.traffic)
    }

    /// The instance that is meant, read once a group.
    pub(crate) fn instance(&mut self, connection: &Connection, which: &InstanceRef) -> rusqlite::Result<Option<&mut InstanceEntry>> {
        let is_meant = |entry: &InstanceEntry| match which {
            InstanceRef::Id(id) => entry.instance.id == *id,
            InstanceRef::Name(name) => entry.instance.name.as_str() == name,
        };
        if !self.instances.iter().any(is_meant) {
            let Some(instance) = find_instance(connection, self.account.id, which)? else { return Ok(None) };
            self.instances.push(InstanceEntry { instance, tats: [None; 2] });
        }
        Ok(self.instances.iter_mut().find(|entry| is_meant(entry)))
    }

    /// Whether the key is in force, read once a group. A key of another account is none.
    pub(crate) fn key_state(&mut self, connection: &Connection, id: KeyId, now: Timestamp) -> rusqlite::Result<Fact<KeyState>> {
        if let Some((_, state)) = self.keys.iter().find(|(known, _)| *known == id) {
            return Ok(*state);
        }
        let key = find_key(connection, id)?;
        let own = key.filter(|key| matches!(key.owner, gatepost::KeyOwner::Account(account, _) if account == self.account.id));
        let state = own.map_or(Fact::Missing, |key| Fact::Known(key.state_at(now)));
        self.keys.push((id, state));
        Ok(state)
    }

    fn flush(&mut self, connection: &Connection, id: AccountId) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.seq_changed) {
            let sql = "UPDATE accounts SET last_seq = ?2, last_inbound = ?3, last_entry = ?4 WHERE id = ?1";
            let places = params![id.to_bytes(), signed(self.last_seq), signed(self.last_inbound), signed(self.last_entry)];
            connection.prepare_cached(sql)?.execute(places)?;
        }
        self.traffic.flush(connection, id)?;
        for (meter, mode) in self.meters.iter_mut().zip([Mode::Live, Mode::Test]) {
            meter.as_mut().map_or(Ok(()), |meter| meter.flush(connection, id, mode))?;
        }
        self.instances.iter_mut().try_for_each(|entry| entry.flush(connection, id))
    }
}

impl Meter {
    pub(crate) fn set(&mut self, usage: Usage, tat: Tat) {
        self.usage_changed |= self.usage != usage;
        self.tat_changed |= self.tat != tat;
        self.usage = usage;
        self.tat = tat;
    }

    fn flush(&mut self, connection: &Connection, account: AccountId, mode: Mode) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.usage_changed) {
            let sql = "INSERT INTO usage (account, mode, window, charged) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO UPDATE SET charged = excluded.charged";
            let mut statement = connection.prepare_cached(sql)?;
            let windows = self.usage.windows;
            for (window, charged) in [(windows.day.id, self.usage.day), (windows.month.id, self.usage.month)] {
                statement.execute(params![account.to_bytes(), mode.as_str(), window.number(), signed(charged)])?;
            }
        }
        if std::mem::take(&mut self.tat_changed) {
            write_tat(connection, account, &account.to_bytes(), mode, self.tat)?;
        }
        Ok(())
    }
}

impl InstanceEntry {
    /// How fast the instance went in this mode.
    pub(crate) fn tat(&mut self, connection: &Connection, account: AccountId, mode: Mode) -> rusqlite::Result<Tat> {
        let place = &mut self.tats[mode as usize];
        if let Some((tat, _)) = place {
            return Ok(*tat);
        }
        let tat = tat(connection, account, &self.instance.id.to_bytes(), mode)?;
        *place = Some((tat, false));
        Ok(tat)
    }

    pub(crate) fn set_tat(&mut self, mode: Mode, tat: Tat) {
        let changed = self.tats[mode as usize].is_none_or(|(known, changed)| changed || known != tat);
        self.tats[mode as usize] = Some((tat, changed));
    }

    fn flush(&mut self, connection: &Connection, account: AccountId) -> rusqlite::Result<()> {
        for (place, mode) in self.tats.iter_mut().zip([Mode::Live, Mode::Test]) {
            if let Some((tat, changed)) = place
                && std::mem::take(changed)
            {
                write_tat(connection, account, &self.instance.id.to_bytes(), mode, *tat)?;
            }
        }
        Ok(())
    }
}

fn tat(connection: &Connection, account: AccountId, subject: &[u8; 16], mode: Mode) -> rusqlite::Result<Tat> {
    let sql = "SELECT tat FROM velocity WHERE account = ?1 AND subject = ?2 AND mode = ?3";
    let found =
        connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), subject, mode.as_str()], |row| row.get(0)).optional()?;
    Ok(found.map(Tat::from_micros).unwrap_or_default())
}

fn write_tat(connection: &Connection, account: AccountId, subject: &[u8; 16], mode: Mode, tat: Tat) -> rusqlite::Result<()> {
    let sql = "INSERT INTO velocity (account, subject, mode, tat) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET tat = excluded.tat";
    connection.prepare_cached(sql)?.execute(params![account.to_bytes(), subject, mode.as_str(), tat.as_micros()])?;
    Ok(())
}

/// What was charged in these windows.
pub(crate) fn usage(connection: &Connection, account: AccountId, mode: Mode, windows: Windows) -> rusqlite::Result<Usage> {
    let sql = "SELECT charged FROM usage WHERE account = ?1 AND mode = ?2 AND window = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut charged = |window: gatepost::WindowId| -> rusqlite::Result<u64> {
        let found =
            statement.query_row(params![account.to_bytes(), mode.as_str(), window.number()], |row| rows::count(row, 0)).optional()?;
        Ok(found.unwrap_or(0))
    };
    Ok(Usage { windows, day: charged(windows.day.id)?, month: charged(windows.month.id)? })
}

/// The instance that is meant.
pub(crate) fn find_instance(connection: &Connection, account: AccountId, which: &InstanceRef) -> rusqlite::Result<Option<Instance>> {
    let columns = rows::INSTANCE_COLUMNS;
    match which {
        InstanceRef::Id(id) => {
            instance_where(connection, &format!("SELECT {columns} FROM instances WHERE account = ?1 AND id = ?2"), account, id.to_bytes())
        }
        InstanceRef::Name(name) => {
            instance_where(connection, &format!("SELECT {columns} FROM instances WHERE account = ?1 AND name = ?2"), account, name)
        }
    }
}

fn instance_where(
    connection: &Connection,
    sql: &str,
    account: AccountId,
    which: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<Instance>> {
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), which], rows::instance).optional()
}

/// The instance with this id.
pub(crate) fn instance_by_id(connection: &Connection, account: AccountId, id: InstanceId) -> rusqlite::Result<Option<Instance>> {
    find_instance(connection, account, &InstanceRef::Id(id))
}

/// The key with this id, whoever's it is.
pub(crate) fn find_key(connection: &Connection, id: KeyId) -> rusqlite::Result<Option<gatepost::ApiKey>> {
    let sql = format!("SELECT {} FROM api_keys WHERE id = ?1", rows::KEY_COLUMNS);
    connection.prepare_cached(&sql)?.query_row([id.as_str()], rows::api_key).optional()
}
