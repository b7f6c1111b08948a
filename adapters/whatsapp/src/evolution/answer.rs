//! Answer: what Evolution API says to a message.
//!
//! Only an id says that it was taken: an answer may have status 201 and hold an error of Meta's. Errors come as a text, as texts, as lists
//! of texts or as objects, so they are searched for words.

use gatepost::{Addresses, ErrorClass, HttpAnswer, Outcome};
use serde_json::value::RawValue;

use crate::errors::{Problem, ProviderError, Retry, Scope, failed};
use crate::fields::Fields;

/// What an answer means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Read {
    /// It took the message.
    Accepted {
        /// WhatsApp's id of it.
        external_id: String,
        /// What WhatsApp calls the recipient.
        recipient: Addresses,
    },
    /// The number is not linked; whether the message got out before that is told by `may_be_sent`.
    Closed {
        /// Whether it may have been sent.
        may_be_sent: bool,
    },
    /// It reports an error, or there is no telling what it did.
    Refused(ProviderError),
}

/// Reads the answer to a message.
pub(super) fn read(answer: &HttpAnswer) -> Read {
    let body = serde_json::from_slice::<&RawValue>(&answer.body).ok().and_then(Fields::read).unwrap_or_default();
    let key = body.fields("key").unwrap_or_default();
    match (answer.status, key.id("id")) {
        (200..300, Some(external_id)) => Read::Accepted { external_id, recipient: super::webhook::recipient(&key) },
        (200..300, None) if body.has("code") => Read::Refused(ProviderError::read(&body)),
        (status, _) if says(&body, "Connection Closed") => Read::Closed { may_be_sent: status >= 500 },
        (400, _) if is_not_there(&body) => Read::Refused(meaning(Problem::PermanentRecipient, Scope::Recipient)),
        (400, _) => Read::Refused(meaning(Problem::RequestBug, Scope::Message)),
        (status, _) => Read::Refused(ProviderError::of_status(status)),
    }
}

fn meaning(problem: Problem, scope: Scope) -> ProviderError {
    ProviderError { problem, scope, retry: Retry::Never, ..ProviderError::of_code(None, None) }
}

/// What is said about an error, wherever it stands.
fn said<'a>(body: &Fields<'a>) -> Option<&'a RawValue> {
    body.fields("response").and_then(|response| response.raw("message")).or_else(|| body.raw("message"))
}

/// Whether what is said about an error has these words in it.
pub(super) fn says(body: &Fields<'_>, words: &str) -> bool {
    said(body).is_some_and(|raw| raw.get().contains(words))
}

/// Whether WhatsApp does not know the number. It is wrong about that at times, so it is no reason to suppress anybody.
fn is_not_there(body: &Fields<'_>) -> bool {
    let response = body.fields("response").unwrap_or_default();
    response.objects("message").iter().any(|number| number.flag("exists") == Some(false))
}

impl Read {
    /// What became of the message.
    pub(super) fn outcome(&self, answer: &HttpAnswer) -> Outcome {
        match self {
            Self::Accepted { external_id, .. } => Outcome::Sent { external_id: Some(external_id.clone()) },
            Self::Closed { may_be_sent: true } => Outcome::Unknown { class: ErrorClass::ErrorStatus },
            Self::Closed { may_be_sent: false } => failed(ErrorClass::CircuitOpen, Some(crate::circuits::ASK_AGAIN)),
            Self::Refused(error) => error.outcome(answer.retry_after()),
        }
    }

    /// The error, where there is one to tell.
    pub(super) fn error(&self) -> Option<ProviderError> {
        match self {
            Self::Accepted { .. } => None,
            Self::Closed { .. } => Some(meaning(Problem::ChannelDown, Scope::PhoneNumber)),
            Self::Refused(error) => Some(error.clone()),
        }
    }
}
