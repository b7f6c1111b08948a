//! Rates: when what an account does pauses it, and when it is warned.
//!
//! A rate counts from a least volume on; below that, opt-outs are counted. Nothing of this lifts a pause.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::Traffic;

/// From which rates on an account is paused, in thousandths.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PauseRates {
    /// People who asked to be left alone, of those who were written to.
    pub opted_out: u64,
    /// Messages that were blocked, of those that were decided.
    pub blocked: u64,
    /// Messages that the provider would not deliver, of those that were sent.
    pub failed: u64,
    /// Of how many at least a rate is taken.
    pub volume: u64,
    /// How many opt-outs pause where there are fewer recipients than that.
    pub opt_outs: u64,
}

impl PauseRates {
    /// 5 % opt-outs, 15 % blocks and 20 % failures of at least 200; ten opt-outs below that.
    pub const DEFAULT: Self = Self { opted_out: 50, blocked: 150, failed: 200, volume: 200, opt_outs: 10 };

    /// Half of all rates and counts, of the same volume.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self { opted_out: self.opted_out / 2, blocked: self.blocked / 2, failed: self.failed / 2, opt_outs: self.opt_outs / 2, ..self }
    }
}

impl Default for PauseRates {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What an account has too much of.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RateName {
    /// Messages that were blocked.
    Blocks,
    /// Messages that the provider would not deliver.
    Failures,
    /// People who asked to be left alone.
    OptOuts,
}

impl RateName {
    /// The word used in answers and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Failures => "failures",
            Self::OptOuts => "opt_outs",
        }
    }
}

impl fmt::Display for RateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rate that was reached.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Breach {
    /// Of what there is too much.
    pub rate: RateName,
    /// How much of it there is.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

impl Breach {
    /// In thousandths; all of them where it is of none.
    pub fn per_thousand(self) -> u64 {
        self.count.saturating_mul(1_000).checked_div(self.of).unwrap_or(1_000)
    }
}

impl fmt::Display for Breach {
    /// For people: the rate and what it was taken from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, thousandths) = (self.rate, self.per_thousand());
        let what = match rate {
            RateName::Blocks => "of what was to be sent was blocked",
            RateName::Failures => "of what was sent was not delivered",
            RateName::OptOuts => "of the recipients opted out",
        };
        write!(f, "{}.{} % {what}: {} of {} in seven days", thousandths / 10, thousandths % 10, self.count, self.of)
    }
}

/// What pauses an account that did so much; the first in the order of opt-outs, blocks and failures.
pub const fn rate_pause(traffic: &Traffic, rates: &PauseRates) -> Option<Breach> {
    let opted_out = Breach { rate: RateName::OptOuts, count: traffic.opted_out, of: traffic.recipients };
    let blocked = Breach { rate: RateName::Blocks, count: traffic.blocked, of: traffic.sent + traffic.blocked };
    let failed = Breach { rate: RateName::Failures, count: traffic.failed, of: traffic.sent };
    if is_reached(opted_out, rates.opted_out, rates.volume) || (opted_out.of < rates.volume && opted_out.count >= rates.opt_outs) {
        Some(opted_out)
    } else if is_reached(blocked, rates.blocked, rates.volume) {
        Some(blocked)
    } else if is_reached(failed, rates.failed, rates.volume) {
        Some(failed)
    } else {
        None
    }
}

/// What an account is warned of: half of what would pause it.
pub const fn rate_warning(traffic: &Traffic, rates: &PauseRates) -> Option<Breach> {
    rate_pause(traffic, &rates.halved())
}

const fn is_reached(breach: Breach, per_thousand: u64, volume: u64) -> bool {
    breach.of >= volume && breach.count.saturating_mul(1_000) >= per_thousand.saturating_mul(breach.of) && breach.count > 0
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// Sent to as many recipients, failed, opted out, blocked.
    #[track_caller]
    fn check(counts: [u64; 4], expected: Option<RateName>) {
        let [sent, failed, opted_out, blocked] = counts;
        let traffic = Traffic { sent, recipients: sent, failed, opted_out, blocked, ..Traffic::NONE };
        assert_eq!(rate_pause(&traffic, &PauseRates::DEFAULT).map(|breach| breach.rate), expected, "{counts:?}");
    }

    #[test]
    fn an_account_is_paused_from_its_rates_on() {
        check([200, 0, 9, 0], None);
        check([200, 0, 10, 0], Some(RateName::OptOuts));
        check([10_000, 0, 499, 0], None);
        check([10_000, 0, 500, 0], Some(RateName::OptOuts));
        check([200, 39, 0, 0], None);
        check([200, 40, 0, 0], Some(RateName::Failures));
        check([850, 0, 0, 149], None);
        check([850, 0, 0, 150], Some(RateName::Blocks));
    }

    #[test]
    fn a_rate_of_few_pauses_nobody() {
        check([199, 199, 0, 0], None);
        check([100, 0, 0, 99], None);
        check([0, 0, 0, 199], None);
        check([0, 0, 0, 200], Some(RateName::Blocks));
        check([0, 0, 0, 0], None);
    }

    #[test]
    fn of_few_recipients_opt_outs_are_counted() {
        check([199, 0, 9, 0], None);
        check([199, 0, 10, 0], Some(RateName::OptOuts));
        check([10, 0, 10, 0], Some(RateName::OptOuts));
    }

    #[test]
    fn what_people_ask_for_is_named_before_all_else() {
        check([200, 200, 200, 200], Some(RateName::OptOuts));
        check([200, 200, 0, 200], Some(RateName::Blocks));
    }

    #[test]
    fn a_warning_comes_at_half_of_what_pauses() {
        let warned = |opted_out| {
            let traffic = Traffic { sent: 400, recipients: 400, opted_out, ..Traffic::NONE };
            (rate_warning(&traffic, &PauseRates::DEFAULT).is_some(), rate_pause(&traffic, &PauseRates::DEFAULT).is_some())
        };
        assert_eq!([warned(9), warned(10), warned(19), warned(20)], [(false, false), (true, false), (true, false), (true, true)]);
    }

    #[test]
    fn a_breach_says_how_much_of_how_many() {
        let breach = Breach { rate: RateName::OptOuts, count: 13, of: 250 };
        assert_eq!(breach.to_string(), "5.2 % of the recipients opted out: 13 of 250 in seven days");
    }

    #[test]
    fn counts_at_their_end_do_not_overflow() {
        let traffic = Traffic {
            sent: u64::MAX / 2,
            recipients: u64::MAX,
            failed: u64::MAX,
            opted_out: u64::MAX,
            blocked: u64::MAX / 2,
            ..Traffic::NONE
        };
        assert!(rate_pause(&traffic, &PauseRates::DEFAULT).is_some());
    }
}
