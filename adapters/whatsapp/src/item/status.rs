//! Status: how far a message of ours got.

use std::fmt;

use gatepost::MessageId;
use serde::Serialize;

use crate::errors::ProviderError;

/// How far a message of ours got, or that it failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusUpdate {
    /// The provider's id of the message.
    pub external_id: String,
    /// What we sent along, where it came back: the only tie to a send whose answer was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_data: Option<String>,
    /// How far it got.
    pub progress: Progress,
    /// Why it failed; the first one counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProviderError>,
}

impl StatusUpdate {
    /// Our id of the message, where that is what came back.
    pub fn message(&self) -> Option<MessageId> {
        self.callback_data.as_deref()?.parse().ok()
    }
}

/// How far a message got. Statuses come twice, late and in any order; what counts is the furthest one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The provider took it.
    Accepted,
    /// It left the provider.
    Sent,
    /// It reached the phone.
    Delivered,
    /// It was read.
    Read,
    /// It was listened to.
    Played,
    /// It was taken back.
    Deleted,
    /// It could not be delivered.
    Failed,
}

impl Progress {
    /// The word used in kinds and keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
