//! Rate headers: what is left of the day and the month, as draft-ietf-httpapi-ratelimit-headers-11 writes it.
//!
//! ```text
//! RateLimit-Policy: "day";q=100;w=86400, "month";q=2000;w=2678400
//! RateLimit: "day";r=42;t=3600, "month";r=1942;t=777600
//! ```

use std::fmt;
use std::io::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use gatepost::{QuotaState, Timestamp, Window, WindowId};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const PRESENT: HeaderName = HeaderName::from_static("ratelimit");

const DAY_SECONDS: u64 = 86_400;

/// Room for the longest: four integers of fifteen digits and the words between them.
const VALUE_BYTES_MAX: usize = 128;

/// The largest integer of a structured field (RFC 9651).
const INTEGER_MAX: u64 = 999_999_999_999_999;

/// Says what is left at `now`.
pub(super) fn put_on(headers: &mut HeaderMap, quota: &QuotaState, now: Timestamp) {
    let QuotaState { limits, usage } = quota;
    let month_seconds = DAY_SECONDS * days_in_month(usage.windows.month.id);
    let (day, month) = (limits.per_day.min(INTEGER_MAX), limits.per_month.min(INTEGER_MAX));
    let (day_left, month_left) = (day.saturating_sub(usage.day), month.saturating_sub(usage.month));
    let (day_ends, month_ends) = (seconds_until(usage.windows.day, now), seconds_until(usage.windows.month, now));
    put(headers, POLICY, format_args!("\"day\";q={day};w={DAY_SECONDS}, \"month\";q={month};w={month_seconds}"));
    put(headers, PRESENT, format_args!("\"day\";r={day_left};t={day_ends}, \"month\";r={month_left};t={month_ends}"));
}

/// Written on the stack first: every answer to a send has both.
fn put(headers: &mut HeaderMap, name: HeaderName, value: fmt::Arguments<'_>) {
    let mut text = [0; VALUE_BYTES_MAX];
    let mut rest = text.as_mut_slice();
    if rest.write_fmt(value).is_err() {
        return;
    }
    let left = rest.len();
    if let Ok(value) = HeaderValue::from_bytes(&text[..VALUE_BYTES_MAX - left]) {
        headers.insert(name, value);
    }
}

fn seconds_until(window: Window, now: Timestamp) -> u64 {
    let left = window.ends_at.since(now).as_millis().div_ceil(1_000);
    u64::try_from(left).unwrap_or(INTEGER_MAX).min(INTEGER_MAX)
}

/// How many days the month of `202611` has.
fn days_in_month(month: WindowId) -> u64 {
    let (year, month) = (month.number() / 100, month.number() % 100);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use gatepost::{Plan, Usage, Windows, Zone};

    #[track_caller]
    fn check(now: &str, day: u64, month: u64, policy: &str, present: &str) {
        let now = now.parse().unwrap();
        let usage = Usage { windows: Windows::at(now, &Zone::utc()), day, month };
        let mut headers = HeaderMap::new();
        put_on(&mut headers, &QuotaState { limits: Plan::Starter.limits(), usage }, now);
        assert_eq!(headers.get(POLICY).unwrap(), policy);
        assert_eq!(headers.get(PRESENT).unwrap(), present);
    }

    #[test]
    fn both_windows_are_told_with_what_is_left_of_them() {
        check(
            "2026-12-31T23:00:00.001Z",
            58,
            58,
            r#""day";q=100;w=86400, "month";q=2000;w=2678400"#,
            r#""day";r=42;t=3600, "month";r=1942;t=3600"#,
        );
    }

    #[test]
    fn the_longest_value_has_room() {
        let now = Timestamp::from_millis(i64::MIN / 2_000);
        let usage = Usage { windows: Windows::at("2026-12-01T00:00:00Z".parse().unwrap(), &Zone::utc()), day: 0, month: 0 };
        let mut headers = HeaderMap::new();
        let limits = Plan::Custom(gatepost::Limits { per_day: u64::MAX, per_month: u64::MAX, ..Plan::Starter.limits() }).limits();
        put_on(&mut headers, &QuotaState { limits, usage }, now);
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn more_used_than_there_is_leaves_nothing() {
        check(
            "2028-02-01T00:00:00Z",
            101,
            5_000,
            r#""day";q=100;w=86400, "month";q=2000;w=2505600"#,
            r#""day";r=0;t=86400, "month";r=0;t=2505600"#,
        );
    }
}
