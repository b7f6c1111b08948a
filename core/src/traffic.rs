//! Traffic: what an account does as a whole, over the last seven days: the facts by which its behaviour is judged.
//!
//! One message says little; a hundred first contacts with the same text, or every twentieth recipient asking to be left alone, say much.
//! The players: [`TrafficLog`] (the counts, a day a row, as a store keeps them), [`LastSent`] (what a contact was sent last),
//! [`TextPrint`] (what tells whether two texts are the same), [`Traffic`] (what all of it says at one moment, for one message), and
//! [`rate_pause`] (what pauses an account).

mod log;
mod print;
mod rates;

pub use log::{Happening, LastSent, TrafficDay, TrafficLog, same_text_days};
pub use print::{TextPrint, text_print};
pub use rates::{Breach, PauseRates, RateName, rate_pause, rate_warning};

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How many days count, in UTC, the present one included.
pub const TRAFFIC_DAYS: u32 = 7;

/// For how long an account is new, and expected to begin slowly.
pub const WARM_UP_TIME: Duration = Duration::from_secs(7 * 86_400);

/// What an account did in one mode, and what is known of the message that is decided.
///
/// It is counted from the account's last resume on, where that was later than the window begins. Counts are of what was before this message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Traffic {
    /// Since when the account exists, while it is new ([`WARM_UP_TIME`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_since: Option<Timestamp>,
    /// Messages that were accepted to go out.
    #[serde(skip_serializing_if = "is_zero")]
    pub sent: u64,
    /// To how many people: whoever is written to more than once in an hour counts once in it.
    #[serde(skip_serializing_if = "is_zero")]
    pub recipients: u64,
    /// Messages to people who had never written, and to whom nothing had been sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub first_contacts: u64,
    /// Those of the present day.
    #[serde(skip_serializing_if = "is_zero")]
    pub first_contacts_today: u64,
    /// Messages that the provider would not deliver.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// People who asked to be left alone, or complained, after they were sent something.
    #[serde(skip_serializing_if = "is_zero")]
    pub opted_out: u64,
    /// Messages that were blocked for what they are, or for whom they were to.
    #[serde(skip_serializing_if = "is_zero")]
    pub blocked: u64,
    /// Recipients of this hour and the last one.
    #[serde(skip_serializing_if = "is_zero")]
    pub recent_recipients: u64,
    /// Recipients of the busiest day before this one.
    #[serde(skip_serializing_if = "is_zero")]
    pub busiest_day: u64,
    /// How many other people were sent the same text today and yesterday.
    #[serde(skip_serializing_if = "is_zero")]
    pub same_text: u64,
    /// Whether the recipient has never written, and was never sent anything.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub first_contact: bool,
}

impl Traffic {
    /// An account that has existed for long and has done nothing, and a recipient who is known.
    pub const NONE: Self = Self {
        account_since: None,
        sent: 0,
        recipients: 0,
        first_contacts: 0,
        first_contacts_today: 0,
        failed: 0,
        opted_out: 0,
        blocked: 0,
        recent_recipients: 0,
        busiest_day: 0,
        same_text: 0,
        first_contact: false,
    };

    /// With the age of an account that exists since `since`, as far as it matters at `now`.
    #[must_use]
    pub fn of_account(self, since: Timestamp, now: Timestamp) -> Self {
        let is_new = now < since.plus(WARM_UP_TIME);
        Self { account_since: is_new.then_some(since), ..self }
    }

    /// What it is once this message was allowed, for one to somebody else of whom the same is known.
    #[must_use]
    pub(crate) const fn after(self) -> Self {
        let first = self.first_contact as u64;
        Self {
            sent: self.sent + 1,
            recipients: self.recipients + 1,
            first_contacts: self.first_contacts + first,
            first_contacts_today: self.first_contacts_today + first,
            recent_recipients: self.recent_recipients + 1,
            same_text: self.same_text + 1,
            ..self
        }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::NONE
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
