//! Time: milliseconds since 1970 in UTC, always handed in.
//!
//! The core has no clock. A [`Timestamp`] comes from the host ([`Host::now`](crate::Host::now)), so a run can be repeated.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// It prints and parses as RFC 3339, and converts from and to the `time` crate.
///
/// ```
/// use gatepost::Timestamp;
///
/// let noon: Timestamp = "2026-11-22T12:00:00Z".parse()?;
/// assert_eq!(noon.as_millis(), 1_795_348_800_000);
/// assert_eq!(noon.to_string(), "2026-11-22T12:00:00Z");
/// # Ok::<(), gatepost::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest time there is; stands for "never" where a time is needed.
    pub const MAX: Self = Self(i64::MAX);

    /// The time `millis` milliseconds after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This time and `span` more; saturates at [`Timestamp::MAX`].
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(saturating_millis(span)))
    }

    /// This time less `span`.
    pub const fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(saturating_millis(span)))
    }

    /// How long after `earlier` this is; zero where it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(if millis > 0 { millis.unsigned_abs() } else { 0 })
    }

    pub(crate) fn to_jiff(self) -> jiff::Timestamp {
        let bounded = self.0.clamp(jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
        jiff::Timestamp::from_millisecond(bounded).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

const fn saturating_millis(span: Duration) -> i64 {
    let millis = span.as_millis();
    if millis > i64::MAX as u128 { i64::MAX } else { millis as i64 }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_jiff(), f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Ok(Self(parsed.as_millisecond()))
    }
}

impl From<time::OffsetDateTime> for Timestamp {
    fn from(at: time::OffsetDateTime) -> Self {
        Self((at.unix_timestamp_nanos() / 1_000_000) as i64)
    }
}

impl TryFrom<Timestamp> for time::OffsetDateTime {
    type Error = InvalidTimestamp;

    fn try_from(at: Timestamp) -> Result<Self, Self::Error> {
        Self::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000).map_err(|_| InvalidTimestamp)
    }
}

/// The text is not an RFC 3339 time, or the time is outside what the other type can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a time as in RFC 3339, for example `2026-11-22T12:00:00Z`")]
pub struct InvalidTimestamp;
