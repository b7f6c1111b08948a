//! Answer: what the Cloud API says to a message.

use gatepost::{Addresses, ErrorClass, HttpAnswer, Outcome};
use serde_json::value::RawValue;

use super::webhook::addresses;
use crate::errors::ProviderError;
use crate::fields::Fields;

/// What an answer means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Read {
    /// Meta took the message. That it arrives is told by statuses.
    Accepted {
        /// Meta's id of it.
        external_id: String,
        /// What Meta calls the recipient; in Brazil and Mexico not always as we do.
        recipient: Addresses,
    },
    /// Meta reports an error, or there is no telling what it did.
    Refused(ProviderError),
    /// The answer says that all is well, and names no message: it may have been sent.
    Nameless,
}

/// Reads the answer to a message.
pub(super) fn read(answer: &HttpAnswer) -> Read {
    let body = serde_json::from_slice::<&RawValue>(&answer.body).ok().and_then(Fields::read).unwrap_or_default();
    if body.has("error") {
        // It may be a mere text.
        let error = body.fields("error").unwrap_or_default();
        return Read::Refused(ProviderError::read_answer(&error, answer.status));
    }
    if !(200..300).contains(&answer.status) {
        return Read::Refused(ProviderError::of_status(answer.status));
    }
    let external_id = body.objects("messages").first().and_then(|message| message.id("id"));
    external_id.map_or(Read::Nameless, |external_id| Read::Accepted { external_id, recipient: recipient(&body) })
}

fn recipient(body: &Fields<'_>) -> Addresses {
    body.objects("contacts").iter().flat_map(|contact| addresses(contact, "wa_id", "user_id", "parent_user_id")).collect()
}

impl Read {
    /// What became of the message.
    pub(super) fn outcome(&self, answer: &HttpAnswer) -> Outcome {
        match self {
            Self::Accepted { external_id, .. } => Outcome::Sent { external_id: Some(external_id.clone()) },
            Self::Refused(error) => error.outcome(answer.retry_after()),
            Self::Nameless => Outcome::Unknown { class: ErrorClass::Broken },
        }
    }
}

/// Whether the answer to something that is no message says that it was done.
pub(super) fn is_done(answer: &HttpAnswer) -> bool {
    let body = serde_json::from_slice::<&RawValue>(&answer.body).ok().and_then(Fields::read).unwrap_or_default();
    (200..300).contains(&answer.status) && body.flag("success") == Some(true)
}
