//! Schedule: when the next try is due, and how many there are.

use core::time::Duration;

use crate::{Purpose, Timestamp};

/// The waits between tries, the last of which may come again. There is one try more than there are waits, and a crash buys none.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Schedule {
    waits: &'static [u32],
    /// How often the last wait comes again.
    again: u16,
}

impl Schedule {
    /// A WhatsApp message that is known not to have reached the provider: after 5 s, 30 s, 2, 10 and 30 minutes.
    pub const WHATSAPP: Self = Self { waits: &[5, 30, 120, 600, 1_800], again: 0 };

    /// An event for a customer's endpoint: after 5 s, 5 and 30 minutes, 2, 5, 10, 14 and 20 hours, as Standard Webhooks proposes.
    pub const EVENT: Self = Self { waits: &[5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000], again: 0 };

    /// An event that others wait behind, as the posts of one conversation to a phone system do: after 5 and 30 s, 1 and 2 minutes, then every
    /// five minutes, for three days. The waits stay short, because whoever comes back must not wait for hours for what stands in line.
    pub const ORDERED_EVENT: Self = Self { waits: &[5, 30, 60, 120, 300], again: 858 };

    /// How many tries there are.
    pub const fn tries(self) -> usize {
        self.waits.len() + self.again as usize + 1
    }

    /// When to try again after `tried` tries, the last of which ended at `now`; `None` once they are spent.
    ///
    /// `jitter` is any random number: it lengthens the wait by up to a tenth, so that what failed together does not come back
    /// together. `at_least` is the wait that the other side asked for, honoured up to an hour.
    pub fn next(self, tried: u16, now: Timestamp, jitter: u32, at_least: Option<Duration>) -> Option<Timestamp> {
        let nth = usize::from(tried).checked_sub(1)?;
        let wait = self.waits.get(nth).or_else(|| self.waits.last().filter(|_| nth + 1 < self.tries()))?;
        Some(wait_from(now, *wait, jitter, at_least))
    }

    /// When to try again what the other side put off: after the time it asked for, a minute at least, and twice as long each of the
    /// first times, up to an hour. `times` is how often it was put off before.
    pub fn put_off(times: u16, now: Timestamp, jitter: u32, at_least: Option<Duration>) -> Timestamp {
        wait_from(now, doubled(60, times, 3_600), jitter, at_least)
    }

    /// When to try again what was held back here: after the time that it takes, five seconds at least, and twice as long each of the first
    /// times, up to a minute.
    pub fn hold_back(times: u16, now: Timestamp, jitter: u32, at_least: Option<Duration>) -> Timestamp {
        wait_from(now, doubled(5, times, 60), jitter, at_least)
    }
}

fn doubled(wait: u32, times: u16, at_most: u32) -> u32 {
    wait.saturating_mul(1 << times.min(16)).min(at_most)
}

fn wait_from(now: Timestamp, wait: u32, jitter: u32, at_least: Option<Duration>) -> Timestamp {
    let wait_millis = u64::from(wait) * 1_000;
    let jitter_millis = (wait_millis / 10) * u64::from(jitter) / u64::from(u32::MAX);
    let asked = at_least.unwrap_or_default().min(ASKED_WAIT_MAX);
    now.plus(Duration::from_millis(wait_millis + jitter_millis).max(asked))
}

const ASKED_WAIT_MAX: Duration = Duration::from_secs(3_600);

/// How long an event is worth delivering: as long as its body is kept. It is longer than the schedule, for endpoints that are paused.
pub const EVENT_TIME: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How long an event that others wait behind is worth delivering.
pub const ORDERED_EVENT_TIME: Duration = Duration::from_secs(3 * 24 * 3_600);

/// When a WhatsApp message that was not sent is no longer worth sending: a day, ten minutes for a code.
pub fn expiry(purpose: Purpose, accepted_at: Timestamp) -> Timestamp {
    let seconds = match purpose {
        Purpose::Authentication => 600,
        Purpose::InternalTeam | Purpose::Operational | Purpose::Support | Purpose::Transactional => 24 * 3_600,
    };
    accepted_at.plus(Duration::from_secs(seconds))
}
