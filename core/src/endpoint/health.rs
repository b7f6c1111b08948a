//! Health: since when an endpoint fails, and what follows from that.

use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Actor, Outcome, Report, Timestamp};

/// How long an endpoint may fail before it gets nothing more.
const FAILING_MAX: Duration = Duration::from_secs(5 * 24 * 3_600);

/// Since when an endpoint fails.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Health {
    /// When the first of its failures came that no success followed.
    pub failing_since: Option<Timestamp>,
}

/// Why an endpoint gets no events.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Disabled {
    /// Since when.
    pub since: Timestamp,
    /// By what.
    pub by: DisabledBy,
}

/// What disabled an endpoint.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledBy {
    /// A person.
    Person {
        /// Who.
        by: Actor,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// It failed for five days.
    Failing,
    /// It answered 410 Gone.
    Gone,
    /// It answered with `webhook-delivery: disable`.
    Asked,
    /// Its URL is not one that the destination policy allows any more.
    Forbidden,
}

impl DisabledBy {
    /// The word used in answers and rows.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Person { .. } => "person",
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::Asked => "asked",
            Self::Forbidden => "forbidden",
        }
    }
}

impl Health {
    /// The health after an attempt that ended so at `now`, and what disables the endpoint, if that is over with it.
    ///
    /// What happened here, not there, does not count: an attempt that was interrupted, or that the receiver put off.
    pub fn after(self, outcome: &Outcome, report: Option<&Report>, now: Timestamp) -> (Self, Option<DisabledBy>) {
        use crate::ErrorClass::{Gone, Interrupted, NoTransport, Throttled};
        let asked = report.and_then(|report| report.disables.clone());
        let class = match outcome {
            Outcome::Sent { .. } => return (Self::default(), asked),
            outcome => outcome.class(),
        };
        if matches!(class, Some(Interrupted | NoTransport | Throttled)) {
            return (self, asked);
        }
        let since = self.failing_since.unwrap_or(now);
        let by_time = (now.since(since) >= FAILING_MAX).then_some(DisabledBy::Failing);
        let by_answer = matches!(class, Some(Gone)).then_some(DisabledBy::Gone);
        (Self { failing_since: Some(since) }, asked.or(by_answer).or(by_time))
    }
}
