//! Traffic: what an account does as a whole, and the pause that may follow at once.

use gatepost::{
    ContactId, Happening, Judged, LastSent, Mode, Pause, PauseRates, TextPrint, Timestamp, Traffic, TrafficLog, pause_event, rate_pause,
    rate_warning, same_text_days, warning_event,
};

use crate::events;
use crate::world::{AccountRows, ContactRow, Effects};

/// What the account does, and what is known of this recipient and this text.
pub fn facts(rows: &AccountRows, mode: Mode, contact: &ContactRow, print: Option<TextPrint>, now: Timestamp) -> Traffic {
    let last_sent = contact.last_sent.get(&mode).copied();
    let first_contact = matches!(LastSent::counted(last_sent, contact.wrote(), now), Happening::Sent { first_contact: true, .. });
    let same_text = print.map_or(0, |print| LastSent::others(last_sent, print, same_texts(rows, mode, print, now), now));
    Traffic { same_text, first_contact, ..of_account(rows, mode, now) }
}

/// What the account did in the window that ends with `now`.
pub fn of_account(rows: &AccountRows, mode: Mode, now: Timestamp) -> Traffic {
    let did = rows.traffic.get(&mode).map_or(Traffic::NONE, |log| log.traffic(now));
    did.of_account(rows.account.created_at, now)
}

fn same_texts(rows: &AccountRows, mode: Mode, print: TextPrint, now: Timestamp) -> u64 {
    same_text_days(now).into_iter().filter_map(|day| rows.same_texts.get(&(mode, day, print))).sum()
}

/// Counts something that the account did, and pauses it where that is too much.
pub fn note(rows: &mut AccountRows, effects: &mut Effects, mode: Mode, what: Happening, now: Timestamp) {
    rows.traffic.entry(mode).or_default().note(what, now);
    if mode == Mode::Live && rows.account.pause.is_none() {
        judge(rows, effects, now);
    }
}

/// Counts a message to this contact that was allowed.
pub fn note_sent(rows: &mut AccountRows, effects: &mut Effects, mode: Mode, contact: ContactId, print: Option<TextPrint>, now: Timestamp) {
    let Some(row) = rows.contacts.get_mut(&contact) else { return };
    let before = row.last_sent.get(&mode).copied();
    row.last_sent.insert(mode, LastSent::next(before, print, now));
    let counted = LastSent::counted(before, row.wrote(), now);
    if let Some(print) = print.filter(|print| LastSent::counts_text(before, *print, now)) {
        let [_, today] = same_text_days(now);
        *rows.same_texts.entry((mode, today, print)).or_default() += 1;
    }
    note(rows, effects, mode, counted, now);
}

/// Counts that a contact wants nothing more of this account: once each, and only where they were sent something in the window.
pub fn note_opt_out(rows: &mut AccountRows, effects: &mut Effects, contact: ContactId, now: Timestamp) {
    let Some(row) = rows.contacts.get(&contact) else { return };
    let was_sent = |mode: &Mode| row.last_sent.get(mode).is_some_and(|sent| sent.is_in_window(now));
    if let Some(mode) = [Mode::Live, Mode::Test].into_iter().find(was_sent) {
        note(rows, effects, mode, Happening::OptedOut, now);
    }
}

/// Pauses an account that has reached a rate, or warns it half way there. Tests harm nobody and pause nothing.
fn judge(rows: &mut AccountRows, effects: &mut Effects, now: Timestamp) {
    let (account, rates) = (rows.account.id, PauseRates::DEFAULT);
    let log = rows.traffic.entry(Mode::Live).or_default();
    let did = log.traffic(now);
    if let Some(breach) = rate_pause(&did, &rates) {
        let pause = Pause::by_rate(breach, now);
        let event = pause_event(account, Some(&pause), rows.next_change(), now);
        rows.account.pause = Some(pause);
        events::tell(rows, effects, event);
        effects.judged.push(Judged { account, breach, paused: true });
    } else if let Some(breach) = rate_warning(&did, &rates)
        && log.warn(now).is_some()
    {
        let event = warning_event(account, breach, rows.next_change(), now);
        events::tell(rows, effects, event);
        effects.judged.push(Judged { account, breach, paused: false });
    }
}

/// Begins a fresh window: of what the account did until now nothing counts.
pub fn begin_afresh(rows: &mut AccountRows) {
    rows.traffic.clear();
}

/// Forgets counts that no window reaches any more, at most `limit` of each kind; how many they were.
pub fn forget(rows: &mut AccountRows, now: Timestamp, limit: usize) -> usize {
    let (first_day, [first_of_texts, _]) = (TrafficLog::first_day(now), same_text_days(now));
    let old_texts: Vec<_> = rows.same_texts.keys().filter(|(_, day, _)| *day < first_of_texts).take(limit).copied().collect();
    for text in &old_texts {
        rows.same_texts.remove(text);
    }
    let mut old_days = 0;
    for log in rows.traffic.values_mut() {
        let (old, kept): (Vec<_>, Vec<_>) = log.days().iter().partition(|day| day.day < first_day);
        old_days += old.len();
        *log = TrafficLog::new(kept);
    }
    old_texts.len() + old_days
}
