//! Attempt: one try, durable as started before a byte leaves, and what became of it.

use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ErrorClass, Timestamp};

/// One try.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// Which try it was, from 1 on.
    pub number: u16,
    /// When it was written down, before the first byte.
    pub started_at: Timestamp,
    /// When its outcome was written down.
    pub finished_at: Option<Timestamp>,
    /// What became of it; none while it is open.
    pub outcome: Option<Outcome>,
}

/// What became of an attempt.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The other side took it, and calls it by this id.
    Sent {
        /// The other side's id.
        external_id: String,
    },
    /// It is known not to have been sent.
    Failed {
        /// Why.
        class: ErrorClass,
        /// How long the other side asked us to wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<Duration>,
    },
    /// It may or may not have been sent.
    Unknown {
        /// What was seen instead of an answer.
        class: ErrorClass,
    },
}

impl Outcome {
    /// The word used in answers and rows.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Why it was not sent, or is not known to be.
    pub const fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Sent { .. } => None,
            Self::Failed { class, .. } | Self::Unknown { class } => Some(*class),
        }
    }
}
