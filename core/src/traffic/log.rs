//! Log: the counts of an account in one mode, a UTC day a row, and the hour in which people are counted once.
//!
//! A store keeps the rows and, of each contact, what they were sent last; what is counted, and in which row, is decided here.

use alloc::vec::Vec;

use super::{TRAFFIC_DAYS, TextPrint, Traffic};
use crate::Timestamp;

const HOUR_MILLIS: i64 = 3_600_000;
const HOURS_A_DAY: u32 = 24;

/// What an account did in one UTC day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TrafficDay {
    /// Which day, counted from 1970 on.
    pub day: u32,
    /// As in [`Traffic`].
    pub sent: u64,
    /// As in [`Traffic`].
    pub recipients: u64,
    /// As in [`Traffic`].
    pub first_contacts: u64,
    /// As in [`Traffic`].
    pub failed: u64,
    /// As in [`Traffic`].
    pub opted_out: u64,
    /// As in [`Traffic`].
    pub blocked: u64,
    /// The hour in which something was sent last, counted from 1970 on.
    pub hour: u32,
    /// Recipients of that hour.
    pub hour_recipients: u64,
    /// Recipients of the hour before that one.
    pub recipients_before: u64,
    /// Whether the account was warned on that day.
    pub warned: bool,
}

/// Something that is counted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Happening {
    /// A message was decided to be blocked, for what it is or for whom it was to.
    Blocked,
    /// The provider would not deliver a message.
    Failed,
    /// Somebody who was sent something asked to be left alone, or complained.
    OptedOut,
    /// A message was accepted to go out.
    Sent {
        /// Whether its recipient had never written and was never sent anything.
        first_contact: bool,
        /// Whether nothing was sent to them in this hour.
        new_in_hour: bool,
    },
}

/// The days of a window, oldest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TrafficLog {
    days: Vec<TrafficDay>,
}

impl TrafficLog {
    /// The log with these days.
    pub fn new(mut days: Vec<TrafficDay>) -> Self {
        days.sort_unstable_by_key(|day| day.day);
        Self { days }
    }

    /// The first day of the window that ends with the day of `now`: rows of days before it are not read again.
    pub fn first_day(now: Timestamp) -> u32 {
        (day_of(now) + 1).saturating_sub(TRAFFIC_DAYS)
    }

    /// Its days, oldest first.
    pub fn days(&self) -> &[TrafficDay] {
        &self.days
    }

    /// Counts something; the day that it was counted in.
    pub fn note(&mut self, what: Happening, now: Timestamp) -> u32 {
        let today = self.today(now);
        match what {
            Happening::Blocked => today.blocked += 1,
            Happening::Failed => today.failed += 1,
            Happening::OptedOut => today.opted_out += 1,
            Happening::Sent { first_contact, new_in_hour } => today.send(first_contact, new_in_hour, hour_of(now)),
        }
        today.day
    }

    /// Notes that the account was warned; the day that it was noted in, or `None` where it was warned in this window.
    pub fn warn(&mut self, now: Timestamp) -> Option<u32> {
        if self.in_window(now).any(|day| day.warned) {
            return None;
        }
        let today = self.today(now);
        today.warned = true;
        Some(today.day)
    }

    /// What it says at `now`.
    pub fn traffic(&self, now: Timestamp) -> Traffic {
        let today = day_of(now);
        let mut traffic = self.in_window(now).fold(Traffic::NONE, |sum, day| Traffic {
            sent: sum.sent + day.sent,
            recipients: sum.recipients + day.recipients,
            first_contacts: sum.first_contacts + day.first_contacts,
            failed: sum.failed + day.failed,
            opted_out: sum.opted_out + day.opted_out,
            blocked: sum.blocked + day.blocked,
            busiest_day: if day.day < today { sum.busiest_day.max(day.recipients) } else { sum.busiest_day },
            ..sum
        });
        if let Some(last) = self.days.last() {
            traffic.first_contacts_today = if last.day >= today { last.first_contacts } else { 0 };
            traffic.recent_recipients = last.recent_recipients(hour_of(now));
        }
        traffic
    }

    fn in_window(&self, now: Timestamp) -> impl Iterator<Item = &TrafficDay> {
        let first = Self::first_day(now);
        self.days.iter().filter(move |day| day.day >= first)
    }

    /// The row of the day. A clock that went back stays in the day that it had reached.
    fn today(&mut self, now: Timestamp) -> &mut TrafficDay {
        let last = self.days.last().copied().unwrap_or_default();
        if self.days.is_empty() || last.day < day_of(now) {
            let TrafficDay { hour, hour_recipients, recipients_before, .. } = last;
            let first = Self::first_day(now);
            self.days.retain(|day| day.day >= first);
            self.days.push(TrafficDay { day: day_of(now), hour, hour_recipients, recipients_before, ..TrafficDay::default() });
        }
        let place = self.days.len() - 1;
        &mut self.days[place]
    }
}

impl TrafficDay {
    fn send(&mut self, first_contact: bool, new_in_hour: bool, hour: u32) {
        if hour > self.hour {
            self.recipients_before = if hour == self.hour + 1 { self.hour_recipients } else { 0 };
            (self.hour, self.hour_recipients) = (hour, 0);
        }
        self.sent += 1;
        self.first_contacts += u64::from(first_contact);
        self.recipients += u64::from(new_in_hour);
        self.hour_recipients += u64::from(new_in_hour);
    }

    /// Of this hour and the one before.
    const fn recent_recipients(&self, hour: u32) -> u64 {
        match hour.saturating_sub(self.hour) {
            0 => self.hour_recipients + self.recipients_before,
            1 => self.hour_recipients,
            _ => 0,
        }
    }
}

/// What a contact was sent last, in one mode.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LastSent {
    /// In which hour, counted from 1970 on.
    pub hour: u32,
    /// The last text.
    pub print: Option<TextPrint>,
}

impl LastSent {
    /// What it is once they are sent a message with this text.
    pub fn next(before: Option<Self>, print: Option<TextPrint>, now: Timestamp) -> Self {
        let hour = before.map_or(0, |before| before.hour).max(hour_of(now));
        Self { hour, print: print.or(before.and_then(|before| before.print)) }
    }

    /// What is counted when they are sent a message; `wrote` says whether they ever wrote.
    pub fn counted(before: Option<Self>, wrote: bool, now: Timestamp) -> Happening {
        let new_in_hour = before.is_none_or(|before| before.hour < hour_of(now));
        Happening::Sent { first_contact: before.is_none() && !wrote, new_in_hour }
    }

    /// Whether the text is counted for them: it is another one than their last, or the first of the day.
    pub fn counts_text(before: Option<Self>, print: TextPrint, now: Timestamp) -> bool {
        before.is_none_or(|before| before.print != Some(print) || before.day() < day_of(now))
    }

    /// How many others there are, where so many were sent the text today and yesterday.
    pub fn others(before: Option<Self>, print: TextPrint, counted: u64, now: Timestamp) -> u64 {
        let is_one = before.is_some_and(|before| before.print == Some(print) && before.day() >= same_text_days(now)[0]);
        counted.saturating_sub(is_one.into())
    }

    /// Whether that was in the window: who was sent nothing says nothing of what is sent.
    pub fn is_in_window(self, now: Timestamp) -> bool {
        self.day() >= TrafficLog::first_day(now)
    }

    const fn day(self) -> u32 {
        self.hour / HOURS_A_DAY
    }
}

/// The days, counted from 1970 on, of which the same text counts: yesterday and today.
pub fn same_text_days(now: Timestamp) -> [u32; 2] {
    let today = day_of(now);
    [today.saturating_sub(1), today]
}

fn day_of(now: Timestamp) -> u32 {
    hour_of(now) / HOURS_A_DAY
}

/// Times before 1970 and after the year 400000 are not worth an hour of their own.
fn hour_of(now: Timestamp) -> u32 {
    let hours = now.as_millis().div_euclid(HOUR_MILLIS).clamp(0, i64::from(u32::MAX));
    u32::try_from(hours).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const NOON: Timestamp = Timestamp::from_millis(1_795_348_800_000);
    const FIRST: Happening = Happening::Sent { first_contact: true, new_in_hour: true };
    const AGAIN: Happening = Happening::Sent { first_contact: false, new_in_hour: false };

    fn log(happenings: &[(u32, Happening)]) -> TrafficLog {
        let mut log = TrafficLog::default();
        for (hours, what) in happenings {
            log.note(*what, NOON.plus(HOUR * *hours));
        }
        log
    }

    #[test]
    fn each_thing_is_counted_for_itself() {
        let log = log(&[(0, FIRST), (0, AGAIN), (0, Happening::Failed), (0, Happening::OptedOut), (0, Happening::Blocked)]);
        let expected = Traffic {
            sent: 2,
            recipients: 1,
            first_contacts: 1,
            first_contacts_today: 1,
            failed: 1,
            opted_out: 1,
            blocked: 1,
            recent_recipients: 1,
            ..Traffic::NONE
        };
        assert_eq!((log.traffic(NOON), log.days().len()), (expected, 1));
    }

    #[test]
    fn a_day_counts_for_seven_days_and_not_on_the_eighth() {
        let log = log(&[(0, FIRST)]);
        let seen = |days: u32| log.traffic(NOON.plus(HOUR * 24 * days)).sent;
        assert_eq!((seen(0), seen(6), seen(7)), (1, 1, 0));
    }

    #[test]
    fn what_was_sent_in_the_last_two_hours_is_recent() {
        let log = log(&[(0, FIRST), (0, FIRST), (1, FIRST)]);
        let recent = |hours: u32| log.traffic(NOON.plus(HOUR * hours)).recent_recipients;
        assert_eq!((recent(1), recent(2), recent(3)), (3, 1, 0));
    }

    #[test]
    fn an_hour_goes_on_over_midnight() {
        let log = log(&[(11, FIRST), (12, FIRST)]);
        assert_eq!(log.days().len(), 2);
        let traffic = log.traffic(NOON.plus(HOUR * 12));
        assert_eq!((traffic.recent_recipients, traffic.first_contacts_today, traffic.busiest_day), (2, 1, 1));
    }

    #[test]
    fn a_clock_that_went_back_stays_in_its_day() {
        let log = log(&[(24, FIRST), (0, FIRST)]);
        assert_eq!((log.days().len(), log.traffic(NOON.plus(HOUR * 24)).sent), (1, 2));
    }

    #[test]
    fn a_log_holds_no_more_days_than_its_window() {
        let days: Vec<(u32, Happening)> = (0..20).map(|day| (day * 24, FIRST)).collect();
        let log = log(&days);
        assert_eq!((log.days().len(), log.traffic(NOON.plus(HOUR * 24 * 19)).sent), (7, 7));
    }

    #[test]
    fn an_account_is_warned_once_a_window() {
        let mut log = TrafficLog::default();
        let mut warned = |days: u32| log.warn(NOON.plus(HOUR * 24 * days)).is_some();
        assert_eq!([warned(0), warned(0), warned(6), warned(7)], [true, false, false, true]);
    }

    #[test]
    fn a_contact_is_first_once_and_new_once_an_hour() {
        let sent = LastSent::next(None, None, NOON);
        assert_eq!(LastSent::counted(None, false, NOON), FIRST);
        assert_eq!(LastSent::counted(None, true, NOON), Happening::Sent { first_contact: false, new_in_hour: true });
        assert_eq!(LastSent::counted(Some(sent), false, NOON), AGAIN);
        let next_hour = Happening::Sent { first_contact: false, new_in_hour: true };
        assert_eq!(LastSent::counted(Some(sent), false, NOON.plus(HOUR)), next_hour);
    }

    #[test]
    fn a_text_counts_a_contact_once_a_day() {
        let (print, other) = (TextPrint::from_number(7), TextPrint::from_number(8));
        let sent = Some(LastSent::next(None, Some(print), NOON));
        let tomorrow = NOON.plus(HOUR * 24);
        assert!(LastSent::counts_text(None, print, NOON));
        assert!(!LastSent::counts_text(sent, print, NOON.plus(HOUR)));
        assert!(LastSent::counts_text(sent, other, NOON.plus(HOUR)));
        assert!(LastSent::counts_text(sent, print, tomorrow));
        let others = |now| LastSent::others(sent, print, 5, now);
        assert_eq!((others(NOON), others(tomorrow), others(NOON.plus(HOUR * 48))), (4, 4, 5));
        let with_a_picture_since = Some(LastSent::next(sent, None, NOON.plus(HOUR)));
        assert!(!LastSent::counts_text(with_a_picture_since, print, NOON.plus(HOUR)));
    }
}
