//! Velocity: how fast, by the generic cell rate algorithm on integers.
//!
//! One number is kept for each key: the theoretical arrival time (TAT), when the next message would be due if they came evenly
//! spaced. A message conforms if it comes no earlier than the TAT less the burst tolerance (ITU-T I.371, annex A). There is no edge at which two
//! windows' worth may pass at once, and no clock but the `now` handed in.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// So many messages in so long a time, and so many of them at once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Messages in a period; at least one.
    pub count: u32,
    /// The period, in seconds; at least one.
    pub period_seconds: u32,
    /// How many may come at once; at least one.
    pub burst: u32,
}

impl Rate {
    /// `count` messages a minute, all of which may come at once.
    pub const fn per_minute(count: u32) -> Self {
        Self { count, period_seconds: 60, burst: count }
    }

    fn spacing_micros(self) -> i64 {
        i64::from(self.period_seconds.max(1)) * 1_000_000 / i64::from(self.count.max(1))
    }

    fn tolerance_micros(self) -> i64 {
        self.spacing_micros().saturating_mul(i64::from(self.burst.max(1)) - 1)
    }

    /// Takes one message at `now` from a key whose time is `tat`: its new time, or when to try again.
    ///
    /// ```
    /// use core::time::Duration;
    /// use gatepost::{Rate, Timestamp, Tat};
    ///
    /// let rate = Rate { count: 60, period_seconds: 60, burst: 2 };
    /// let now = Timestamp::from_millis(1_000_000);
    /// let first = rate.take(Tat::default(), now)?;
    /// let second = rate.take(first, now)?;
    /// assert_eq!(rate.take(second, now), Err(now.plus(Duration::from_secs(1))));
    /// # Ok::<(), Timestamp>(())
    /// ```
    pub fn take(self, tat: Tat, now: Timestamp) -> Result<Tat, Timestamp> {
        let now_micros = now.as_millis().saturating_mul(1_000);
        let earliest = tat.0.saturating_sub(self.tolerance_micros());
        if now_micros < earliest {
            // Rounded up: a caller who comes back then is not sent away again.
            return Err(Timestamp::from_millis(earliest.saturating_add(999) / 1_000));
        }
        Ok(Tat(tat.0.max(now_micros).saturating_add(self.spacing_micros())))
    }

    /// How many more messages conform at `now`.
    pub fn remaining(self, tat: Tat, now: Timestamp) -> u32 {
        let now_micros = now.as_millis().saturating_mul(1_000);
        let ahead = tat.0.max(now_micros) - now_micros;
        let room = self.tolerance_micros().saturating_add(self.spacing_micros()) - ahead;
        u32::try_from(room.max(0) / self.spacing_micros().max(1)).unwrap_or(u32::MAX)
    }

    /// How long until the burst is whole again.
    pub fn reset(self, tat: Tat, now: Timestamp) -> Duration {
        let ahead = tat.0.saturating_sub(now.as_millis().saturating_mul(1_000));
        Duration::from_micros(ahead.max(0).unsigned_abs())
    }
}

/// The theoretical arrival time of a key, in microseconds since 1970. The default is the past: nothing was sent yet.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Tat(i64);

impl Tat {
    /// The time with these microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whether nothing was sent yet.
    pub(crate) fn is_past(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate_in_any_span(
            count in 1u32..500, period_seconds in 1u32..3600, burst in 1u32..50, steps in prop::collection::vec(0i64..5_000, 1..200)
        ) {
            let rate = Rate { count, period_seconds, burst };
            let start = 1_700_000_000_000;
            let (mut now, mut tat, mut passed) = (start, Tat::default(), 0i64);
            for step in steps {
                now += step;
                if let Ok(next) = rate.take(tat, Timestamp::from_millis(now)) {
                    tat = next;
                    passed += 1;
                }
                let allowed = i64::from(burst) + (now - start) * 1_000 / rate.spacing_micros();
                prop_assert!(passed <= allowed, "{passed} passed where {allowed} may");
            }
        }

        #[test]
        fn who_comes_back_when_told_is_let_through(count in 1u32..500, period_seconds in 1u32..3600, burst in 1u32..5) {
            let rate = Rate { count, period_seconds, burst };
            let now = Timestamp::from_millis(1_700_000_000_000);
            let mut tat = Tat::default();
            let retry_at = loop {
                match rate.take(tat, now) {
                    Ok(next) => tat = next,
                    Err(retry_at) => break retry_at,
                }
            };
            prop_assert!(retry_at > now);
            prop_assert!(rate.take(tat, retry_at).is_ok());
        }

        #[test]
        fn remaining_is_how_many_pass(count in 1u32..500, burst in 1u32..50, spent in 0u32..60) {
            let rate = Rate { count, period_seconds: 60, burst };
            let now = Timestamp::from_millis(1_700_000_000_000);
            let mut tat = Tat::default();
            for _ in 0..spent.min(burst) {
                tat = rate.take(tat, now).map_err(|_| TestCaseError::fail("within the burst"))?;
            }
            prop_assert_eq!(rate.remaining(tat, now), burst - spent.min(burst));
        }
    }
}
