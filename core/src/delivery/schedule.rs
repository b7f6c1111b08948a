//! Schedule: when the next try is due, and how many there are.

use core::time::Duration;

use crate::{Purpose, Timestamp};

/// The waits between tries. There is one try more than there are waits, and a crash buys none.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Schedule(&'static [u32]);

impl Schedule {
    /// A WhatsApp message that is known not to have reached the provider: after 5 s, 30 s, 2, 10 and 30 minutes.
    pub const WHATSAPP: Self = Self(&[5, 30, 120, 600, 1_800]);

    /// How many tries there are.
    pub const fn tries(self) -> usize {
        self.0.len() + 1
    }

    /// When to try again after `tried` tries, the last of which ended at `now`; `None` once they are spent.
    ///
    /// `jitter` is any random number: it lengthens the wait by up to a tenth, so that what failed together does not come back
    /// together. `at_least` is the wait that the other side asked for, honoured up to an hour.
    pub fn next(self, tried: u16, now: Timestamp, jitter: u32, at_least: Option<Duration>) -> Option<Timestamp> {
        let wait = self.0.get(usize::from(tried).checked_sub(1)?)?;
        let wait_millis = u64::from(*wait) * 1_000;
        let jitter_millis = (wait_millis / 10) * u64::from(jitter) / u64::from(u32::MAX);
        let asked = at_least.unwrap_or_default().min(ASKED_WAIT_MAX);
        Some(now.plus(Duration::from_millis(wait_millis + jitter_millis).max(asked)))
    }
}

const ASKED_WAIT_MAX: Duration = Duration::from_secs(3_600);

/// When a WhatsApp message that was not sent is no longer worth sending: a day, ten minutes for a code.
pub fn expiry(purpose: Purpose, accepted_at: Timestamp) -> Timestamp {
    let seconds = match purpose {
        Purpose::Authentication => 600,
        Purpose::InternalTeam | Purpose::Operational | Purpose::Support | Purpose::Transactional => 24 * 3_600,
    };
    accepted_at.plus(Duration::from_secs(seconds))
}
