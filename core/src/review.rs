//! Review: a person's answer to a held message.
//!
//! A held message waits for 24 hours. Release decides again, with the facts of that moment; only what asked for a person no longer
//! counts. Nobody's answer is a refusal.

use alloc::string::String;
use core::time::Duration;

use crate::{Actor, Decision, MessageId, MessageStatus, Timestamp};

/// How long a held message waits for a person.
pub const REVIEW_TIME: Duration = Duration::from_secs(24 * 3_600);

/// A held message's way to a person and back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Review {
    /// The message.
    pub message: MessageId,
    /// Since when it waits.
    pub opened_at: Timestamp,
    /// When waiting becomes a refusal.
    pub expires_at: Timestamp,
    /// How it was closed.
    pub closed: Option<Closing>,
}

impl Review {
    /// When a person let the message go out.
    pub fn released_at(&self) -> Option<Timestamp> {
        self.closed.as_ref().filter(|closing| closing.verdict == ReviewVerdict::Released).map(|closing| closing.at)
    }
}

/// How a review was closed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// How.
    pub verdict: ReviewVerdict,
    /// A remark.
    pub note: Option<String>,
}

/// What ended a review.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReviewVerdict {
    /// The provider reported that it had gone out before it was held.
    Arrived,
    /// Nobody answered in time.
    Expired,
    /// It must not go out.
    Refused,
    /// It may go out.
    Released,
}

impl ReviewVerdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Arrived, Self::Expired, Self::Refused, Self::Released];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Released => "released",
        }
    }
}

/// What a person's answer led to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReviewAnswer {
    /// There is no such held message.
    NotFound,
    /// It was closed before.
    Closed(Review),
    /// It is closed now, and the message has this status.
    Done(MessageStatus),
    /// It was released, but present facts forbid sending: it stays held until they pass, or is refused where they never do.
    Forbidden(Decision),
}
