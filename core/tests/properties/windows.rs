//! Windows: the days and months of every calendar follow each other without a gap.

use gatepost::{Calendar, Timestamp, Windows, Zone};
use proptest::prelude::*;
use proptest::sample::select;

/// Zones that change their clocks at odd hours, by odd amounts or at midnight, and some that never do.
const ZONES: &[&str] = &[
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Riyadh",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
];

fn zone() -> impl Strategy<Value = Zone> {
    select(ZONES).prop_map(|name| name.parse().unwrap())
}

/// From 2012 to 2100: before that, a few clocks were set back across midnight, and a day came in two pieces.
fn now() -> impl Strategy<Value = Timestamp> {
    (1_325_376_000_000..4_102_444_800_000i64).prop_map(Timestamp::from_millis)
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() - 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn now_lies_inside(zone in zone(), now in now()) {
        let windows = Windows::at(now, &zone);
        prop_assert!(now < windows.day.ends_at);
        prop_assert!(windows.day.ends_at <= windows.month.ends_at);
        prop_assert_eq!(windows.day.id.number() / 100, windows.month.id.number());
    }

    #[test]
    fn windows_hold_until_the_day_ends_and_when_the_clock_goes_back(zone in zone(), now in now(), back_millis in 0..600_000i64) {
        let windows = Windows::at(now, &zone);
        prop_assert!(windows.hold_at(now));
        prop_assert!(windows.hold_at(Timestamp::from_millis(now.as_millis() - back_millis)));
        prop_assert!(windows.hold_at(before(windows.day.ends_at)));
        prop_assert!(!windows.hold_at(windows.day.ends_at));
    }

    #[test]
    fn one_window_begins_where_another_ends(zone in zone(), now in now()) {
        let windows = Windows::at(now, &zone);
        let (day_end, month_end) = (windows.day.ends_at, windows.month.ends_at);
        prop_assert_eq!(Windows::at(before(day_end), &zone).day, windows.day);
        prop_assert!(Windows::at(day_end, &zone).day.id > windows.day.id);
        prop_assert_eq!(Windows::at(before(month_end), &zone).month, windows.month);
        prop_assert!(Windows::at(month_end, &zone).month.id > windows.month.id);
    }

    #[test]
    fn a_day_is_about_a_day_and_a_month_about_a_month(zone in zone(), now in now()) {
        let windows = Windows::at(now, &zone);
        let (next_day, next_month) = (Windows::at(windows.day.ends_at, &zone).day, Windows::at(windows.month.ends_at, &zone).month);
        let day_hours = next_day.ends_at.since(windows.day.ends_at).as_secs() / 3_600;
        let month_days = next_month.ends_at.since(windows.month.ends_at).as_secs() / 86_400;
        prop_assert!((21..=27).contains(&day_hours), "a day of {day_hours} hours");
        prop_assert!((27..=31).contains(&month_days), "a month of {month_days} days");
    }

    #[test]
    fn a_change_of_zone_counts_from_the_next_month(present in zone(), next in zone(), now in now()) {
        prop_assume!(present != next);
        let calendar = Calendar::new(present.clone()).change(next.clone(), now);
        let month_end = Windows::at(now, &present).month.ends_at;
        prop_assert_eq!(calendar.zone_at(now), &present);
        prop_assert_eq!(calendar.zone_at(before(month_end)), &present);
        prop_assert_eq!(calendar.zone_at(month_end), &next);
    }
}
