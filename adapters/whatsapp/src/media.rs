//! Media: what the ways to a file of both providers have in common.

use gatepost::{HttpAnswer, MediaFailure, Outcome};

use crate::accounts::NoAccount;
use crate::errors::{ProviderError, Retry};

impl From<NoAccount> for MediaFailure {
    fn from(why: NoAccount) -> Self {
        match why {
            NoAccount::NotSetUp => Self::NotSetUp,
            NoAccount::Unavailable => unavailable("the settings of the instance cannot be read now"),
        }
    }
}

pub(crate) fn refused(detail: &str) -> MediaFailure {
    MediaFailure::Refused(detail.to_owned())
}

pub(crate) fn unavailable(detail: &str) -> MediaFailure {
    MediaFailure::Unavailable(detail.to_owned())
}

/// Why there is no answer.
pub(crate) fn unanswered(outcome: &Outcome) -> MediaFailure {
    match outcome {
        Outcome::Blocked { .. } => refused("the destination is not allowed"),
        Outcome::Failed { class, .. } | Outcome::Unknown { class } => unavailable(class.as_str()),
        Outcome::Sent { .. } => unavailable("there is no answer"),
    }
}

/// Why there is no file, where the provider says so.
pub(crate) fn failure(error: &ProviderError, status: u16) -> MediaFailure {
    let detail = error.code.map_or_else(|| format!("status {status}"), |code| format!("code {code}, status {status}"));
    if error.retry == Retry::Never { MediaFailure::Refused(detail) } else { MediaFailure::Unavailable(detail) }
}

/// The body of an answer that came whole. One that was cut at its bound is too large, and any other one broke off.
pub(crate) fn whole(answer: HttpAnswer, answer_bytes_max: usize) -> Result<Vec<u8>, MediaFailure> {
    match answer.body_cut {
        false => Ok(answer.body),
        true if answer.body.len() >= answer_bytes_max => Err(MediaFailure::TooLarge),
        true => Err(unavailable("the answer broke off")),
    }
}
