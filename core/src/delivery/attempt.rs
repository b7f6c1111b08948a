//! Attempt: one try, durable as started before a byte leaves, and what became of it.

use alloc::string::String;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{DisabledBy, ErrorClass, Timestamp};

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
    /// What was seen of the other side, where it was reached by HTTP.
    pub report: Option<Report>,
}

/// The most bytes of an id of another side by which its reports are looked for. Those of Meta and of Evolution have fewer than a hundred; of
/// a longer one nothing is looked up, since an index of a database takes no more than some thousand.
pub const EXTERNAL_ID_BYTES_MAX: usize = 512;

/// What became of an attempt.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The other side took it.
    Sent {
        /// The other side's id for it, where it has one; reports by it are understood up to [`EXTERNAL_ID_BYTES_MAX`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
    },
    /// The policy forbade it; nothing was sent.
    Blocked {
        /// Why.
        class: ErrorClass,
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
            Self::Blocked { .. } => "blocked",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Why it was not sent, or is not known to be.
    pub const fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Sent { .. } => None,
            Self::Blocked { class } | Self::Failed { class, .. } | Self::Unknown { class } => Some(*class),
        }
    }
}

/// What an attempt over HTTP saw of the other side. It is for the operator: an address or a body would let a customer look around
/// inside the network.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Report {
    /// The status code of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Who answered, or was dialed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
    /// How long the request took.
    pub took: Duration,
    /// How the answer's body began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// More about a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether a kept connection had broken before any answer, so that the request was sent once more.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub resent: bool,
    /// What the answer does to the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disables: Option<DisabledBy>,
}
