//! Status: how far a message of ours got.

use gatepost::{MessageId, Progress};
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
