//! Traffic: what an account does as a whole, counted in the transaction that makes it so, and the pause that may follow in the same one.
//!
//! As the meters are, the counts of an account are read once a group and written once at its end. The players: [`AccountTraffic`] (what was
//! read of an account), [`note`] and [`note_sent`] (what is counted), and `judge` (whether it pauses the account).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gatepost::{
    AccountId, ContactId, Happening, Judged, LastSent, Mode, Pause, PauseRates, TextPrint, Timestamp, Topic, Traffic, TrafficDay,
    TrafficLog, rate_pause, rate_warning, same_text_days, warning_event,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::accept::ContactRow;
use crate::rows::{self, signed};
use crate::txn::Txn;
use crate::{accounts, events};

/// What was read of an account.
#[derive(Default)]
pub(crate) struct AccountTraffic {
    logs: [Option<LogEntry>; 2],
    texts: HashMap<(Mode, TextPrint), TextEntry>,
}

/// The days of one mode.
struct LogEntry {
    log: TrafficLog,
    /// The first day that is not written as it is.
    changed_from: Option<u32>,
}

/// How many contacts were sent a text yesterday and today.
struct TextEntry {
    days: [u32; 2],
    contacts: [u64; 2],
    is_changed: bool,
}

impl AccountTraffic {
    /// What the account does, and what is known of this recipient and this text.
    pub(crate) fn facts(
        &mut self,
        connection: &Connection,
        account: AccountId,
        mode: Mode,
        (contact, print): (&ContactRow, Option<TextPrint>),
        now: Timestamp,
    ) -> rusqlite::Result<Traffic> {
        let first_contact =
            matches!(LastSent::counted(contact.last_sent, contact.wrote(), now), Happening::Sent { first_contact: true, .. });
        let same_text = match print {
            None => 0,
            Some(print) => {
                let [yesterday, today] = self.text(connection, account, (mode, print), now)?.contacts;
                LastSent::others(contact.last_sent, print, yesterday + today, now)
            }
        };
        Ok(Traffic { same_text, first_contact, ..self.log(connection, account, mode, now)?.log.traffic(now) })
    }

    fn log(&mut self, connection: &Connection, account: AccountId, mode: Mode, now: Timestamp) -> rusqlite::Result<&mut LogEntry> {
        match &mut self.logs[mode as usize] {
            Some(known) => Ok(known),
            place => Ok(place.insert(LogEntry { log: read(connection, account, mode, now)?, changed_from: None })),
        }
    }

    fn text(
        &mut self,
        connection: &Connection,
        account: AccountId,
        text: (Mode, TextPrint),
        now: Timestamp,
    ) -> rusqlite::Result<&mut TextEntry> {
        let days = same_text_days(now);
        match self.texts.entry(text) {
            Entry::Occupied(known) => {
                let known = known.into_mut();
                if known.days[1] < days[1] {
                    known.flush(connection, account, text)?;
                    *known = TextEntry::read(connection, account, text, days)?;
                }
                Ok(known)
            }
            Entry::Vacant(place) => Ok(place.insert(TextEntry::read(connection, account, text, days)?)),
        }
    }

    /// Writes what changed.
    pub(crate) fn flush(&mut self, connection: &Connection, account: AccountId) -> rusqlite::Result<()> {
        for (entry, mode) in self.logs.iter_mut().zip([Mode::Live, Mode::Test]) {
            entry.as_mut().map_or(Ok(()), |entry| entry.flush(connection, account, mode))?;
        }
        self.texts.iter_mut().try_for_each(|(text, entry)| entry.flush(connection, account, *text))
    }
}

impl LogEntry {
    fn note(&mut self, what: Happening, now: Timestamp) {
        let day = self.log.note(what, now);
        self.change(day);
    }

    fn change(&mut self, day: u32) {
        self.changed_from = Some(self.changed_from.map_or(day, |first| first.min(day)));
    }

    fn flush(&mut self, connection: &Connection, account: AccountId, mode: Mode) -> rusqlite::Result<()> {
        let Some(first) = self.changed_from.take() else { return Ok(()) };
        let mut changed = self.log.days().iter().filter(|day| day.day >= first);
        changed.try_for_each(|day| write(connection, account, mode, day))
    }
}

impl TextEntry {
    fn read(connection: &Connection, account: AccountId, (mode, print): (Mode, TextPrint), days: [u32; 2]) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(TEXT)?;
        let mut found = statement.query(params![account.to_bytes(), mode.as_str(), days[0], days[1], print.number()])?;
        let mut contacts = [0; 2];
        while let Some(row) = found.next()? {
            let place = usize::from(row.get::<_, u32>(0)? == days[1]);
            contacts[place] = rows::count(row, 1)?;
        }
        Ok(Self { days, contacts, is_changed: false })
    }

    fn flush(&mut self, connection: &Connection, account: AccountId, (mode, print): (Mode, TextPrint)) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.is_changed) {
            let sql = "INSERT INTO same_texts (account, mode, day, print, contacts) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT DO UPDATE SET contacts = excluded.contacts";
            let (day, contacts) = (self.days[1], signed(self.contacts[1]));
            connection.prepare_cached(sql)?.execute(params![account.to_bytes(), mode.as_str(), day, print.number(), contacts])?;
        }
        Ok(())
    }
}

pub(crate) const TEXT: &str = "SELECT day, contacts FROM same_texts WHERE account = ?1 AND mode = ?2 AND day IN (?3, ?4) AND print = ?5";

pub(crate) const DAYS: &str = "SELECT day, sent, recipients, first_contacts, failed, opted_out, blocked, hour, hour_recipients,
    recipients_before, warned FROM traffic WHERE account = ?1 AND mode = ?2 AND day >= ?3 ORDER BY day";

/// What an account did, as it is written.
pub(crate) fn read(connection: &Connection, account: AccountId, mode: Mode, now: Timestamp) -> rusqlite::Result<TrafficLog> {
    let params = params![account.to_bytes(), mode.as_str(), TrafficLog::first_day(now)];
    rows::all(&mut *connection.prepare_cached(DAYS)?, params, day).map(TrafficLog::new)
}

fn day(row: &Row<'_>) -> rusqlite::Result<TrafficDay> {
    Ok(TrafficDay {
        day: row.get(0)?,
        sent: rows::count(row, 1)?,
        recipients: rows::count(row, 2)?,
        first_contacts: rows::count(row, 3)?,
        failed: rows::count(row, 4)?,
        opted_out: rows::count(row, 5)?,
        blocked: rows::count(row, 6)?,
        hour: row.get(7)?,
        hour_recipients: rows::count(row, 8)?,
        recipients_before: rows::count(row, 9)?,
        warned: row.get(10)?,
    })
}

fn write(connection: &Connection, account: AccountId, mode: Mode, day: &TrafficDay) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO traffic (account, mode, day, sent, recipients, first_contacts, failed, opted_out, blocked, hour,
               hour_recipients, recipients_before, warned) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        mode.as_str(),
        day.day,
        signed(day.sent),
        signed(day.recipients),
        signed(day.first_contacts),
        signed(day.failed),
        signed(day.opted_out),
        signed(day.blocked),
        day.hour,
        signed(day.hour_recipients),
        signed(day.recipients_before),
        day.warned
    ])?;
    Ok(())
}

/// What a contact was sent last, in this column and the next.
pub(crate) fn last_sent(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<LastSent>> {
    let Some(hour) = row.get(first)? else { return Ok(None) };
    let print = row.get::<_, Option<i64>>(first + 1)?.map(TextPrint::from_number);
    Ok(Some(LastSent { hour, print }))
}

/// Counts something that the account did, and pauses it where that is too much.
pub(crate) fn note(txn: &mut Txn<'_>, account: AccountId, mode: Mode, what: Happening, now: Timestamp) -> rusqlite::Result<()> {
    let connection = txn.connection;
    let Some(entry) = txn.account(account)? else { return Ok(()) };
    let (id, traffic) = entry.traffic();
    traffic.log(connection, id, mode, now)?.note(what, now);
    judge(txn, account, mode, now)
}

/// Counts a message that was allowed.
pub(crate) fn note_sent(
    txn: &mut Txn<'_>,
    account: AccountId,
    mode: Mode,
    (contact, print): (&ContactRow, Option<TextPrint>),
    now: Timestamp,
) -> rusqlite::Result<()> {
    let connection = txn.connection;
    if let Some(print) = print.filter(|print| LastSent::counts_text(contact.last_sent, *print, now))
        && let Some(entry) = txn.account(account)?
    {
        let (id, traffic) = entry.traffic();
        let text = traffic.text(connection, id, (mode, print), now)?;
        text.contacts[1] += 1;
        text.is_changed = true;
    }
    note(txn, account, mode, LastSent::counted(contact.last_sent, contact.wrote(), now), now)
}

/// Counts that a contact wants nothing more of this account: once each, and only where they were sent something in the window.
pub(crate) fn note_opt_out(txn: &mut Txn<'_>, account: AccountId, contact: ContactId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "SELECT live_hour, live_print, test_hour, test_print FROM contacts WHERE account = ?1 AND id = ?2";
    let read = |row: &Row<'_>| Ok([last_sent(row, 0)?, last_sent(row, 2)?]);
    let params = params![account.to_bytes(), contact.to_bytes()];
    let sent = txn.connection.prepare_cached(sql)?.query_row(params, read).optional()?.unwrap_or_default();
    let in_window = |sent: Option<LastSent>| sent.is_some_and(|sent| sent.is_in_window(now));
    match sent.map(in_window) {
        [true, _] => note(txn, account, Mode::Live, Happening::OptedOut, now),
        [false, true] => note(txn, account, Mode::Test, Happening::OptedOut, now),
        [false, false] => Ok(()),
    }
}

/// Pauses an account that has reached a rate, or warns it half way there. Tests harm nobody and pause nothing.
fn judge(txn: &mut Txn<'_>, account: AccountId, mode: Mode, now: Timestamp) -> rusqlite::Result<()> {
    let connection = txn.connection;
    let Some(entry) = txn.account(account)?.filter(|entry| mode == Mode::Live && entry.account.pause.is_none()) else { return Ok(()) };
    let (id, traffic) = entry.traffic();
    let live = traffic.log(connection, id, mode, now)?;
    let (did, rates) = (live.log.traffic(now), PauseRates::DEFAULT);
    if let Some(breach) = rate_pause(&did, &rates) {
        accounts::pause(txn, account, Pause::by_rate(breach, now))?;
        txn.note_judged(Judged { account, breach, paused: true });
        return Ok(());
    }
    if let Some(breach) = rate_warning(&did, &rates)
        && let Some(day) = live.log.warn(now)
    {
        live.change(day);
        let event = warning_event(account, breach, accounts::next_change(connection, account)?, now);
        txn.part(|txn| events::tell(txn, account, &Topic::new(event.name, None), || Some(event)))?;
        txn.note_judged(Judged { account, breach, paused: false });
    }
    Ok(())
}

/// Begins a fresh window: of what the account did until now nothing counts.
pub(crate) fn begin_afresh(connection: &Connection, account: AccountId) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM traffic WHERE account = ?1")?.execute([account.to_bytes()]).map(drop)
}

/// Forgets counts that no window reaches any more, at most `limit` of each kind; how many they were.
pub(crate) fn forget(connection: &Connection, accounts: &[AccountId], now: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    let kinds = [(OLD_DAYS, TrafficLog::first_day(now)), (OLD_TEXTS, same_text_days(now)[0])];
    kinds.into_iter().try_fold(0, |sum, (sql, first_day)| {
        let mut statement = connection.prepare_cached(sql)?;
        let mut forgotten = 0;
        for (account, mode) in accounts.iter().flat_map(|account| [(account, Mode::Live), (account, Mode::Test)]) {
            forgotten += statement.execute(params![account.to_bytes(), mode.as_str(), first_day, (limit - forgotten) as i64])?;
        }
        Ok(sum + forgotten)
    })
}

pub(crate) const OLD_DAYS: &str = "DELETE FROM traffic WHERE (account, mode, day) IN
    (SELECT account, mode, day FROM traffic WHERE account = ?1 AND mode = ?2 AND day < ?3 ORDER BY day LIMIT ?4)";

pub(crate) const OLD_TEXTS: &str = "DELETE FROM same_texts WHERE (account, mode, day, print) IN
    (SELECT account, mode, day, print FROM same_texts WHERE account = ?1 AND mode = ?2 AND day < ?3 ORDER BY day, print LIMIT ?4)";
