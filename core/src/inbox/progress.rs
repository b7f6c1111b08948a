//! Progress: how far the provider says a message of ours got, and what follows for its status.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ErrorClass, MessageId, MessageStatus};

/// How far a message got. Reports come twice, late and in any order; what counts is the furthest one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
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
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Accepted, Self::Sent, Self::Delivered, Self::Read, Self::Played, Self::Deleted, Self::Failed];

    /// The word used in kinds, keys and rows.
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

    /// The status that it speaks of; none where it says nothing of whether the message arrived.
    const fn status(self) -> Option<MessageStatus> {
        match self {
            Self::Accepted | Self::Sent => Some(MessageStatus::Sent),
            Self::Delivered => Some(MessageStatus::Delivered),
            Self::Read | Self::Played => Some(MessageStatus::Read),
            Self::Failed => Some(MessageStatus::Failed),
            Self::Deleted => None,
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Progress {
    type Err = InvalidProgress;

    fn from_str(word: &str) -> Result<Self, InvalidProgress> {
        Self::ALL.into_iter().find(|progress| progress.as_str() == word).ok_or(InvalidProgress)
    }
}

/// The word is none of those known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `accepted`, `sent`, `delivered`, `read`, `played`, `deleted` or `failed`")]
pub struct InvalidProgress;

/// What a provider reports of a message of ours.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StatusReport {
    /// Our id of it, where it went along and came back: the only tie to a send whose answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The provider's id of it.
    pub external_id: String,
    /// How far it got.
    pub progress: Progress,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorClass>,
}

impl StatusReport {
    /// What follows for a message that stands at `status`, and was `tried` at least once or never.
    ///
    /// What was taken back after a try, to be held or refused, may have left before: it moves like one that was canceled.
    pub fn on(&self, status: MessageStatus, tried: bool) -> Option<Reported> {
        let is_taken_back = tried && matches!(status, MessageStatus::Held | MessageStatus::Refused);
        let status = if is_taken_back { MessageStatus::Canceled } else { status }.after(self.progress)?;
        let error = (status == MessageStatus::Failed).then(|| self.error.unwrap_or(ErrorClass::Undeliverable));
        Some(Reported { status, error })
    }
}

/// What a report makes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reported {
    /// Its status now.
    pub status: MessageStatus,
    /// Why it failed.
    pub error: Option<ErrorClass>,
}

impl MessageStatus {
    /// The status after the provider reported this; none where it says nothing new.
    ///
    /// A message only gets further: sent, delivered, read. A failure counts until it is known to have arrived. A message that never left,
    /// as far as was known, has left after all where the provider says that it arrived.
    ///
    /// ```
    /// use gatepost::{MessageStatus, Progress};
    ///
    /// assert_eq!(MessageStatus::Sent.after(Progress::Read), Some(MessageStatus::Read));
    /// assert_eq!(MessageStatus::Read.after(Progress::Delivered), None);
    /// assert_eq!(MessageStatus::Unknown.after(Progress::Failed), Some(MessageStatus::Failed));
    /// assert_eq!(MessageStatus::Failed.after(Progress::Sent), None);
    /// ```
    pub fn after(self, progress: Progress) -> Option<Self> {
        let told = progress.status()?;
        (told.rank() > self.rank() && self.may_have_left(told)).then_some(told)
    }

    /// How much is known of a message that has a status.
    const fn rank(self) -> u8 {
        match self {
            Self::Held | Self::Queued | Self::Sending | Self::Unknown | Self::Canceled | Self::Expired | Self::Refused => 0,
            Self::Sent => 1,
            Self::Failed => 2,
            Self::Delivered => 3,
            Self::Read => 4,
        }
    }

    /// Whether a report can be about it: what was held from the start was never sent, and what waits for its next try has not failed because
    /// an earlier one did.
    const fn may_have_left(self, told: Self) -> bool {
        match self {
            Self::Held | Self::Refused => false,
            Self::Queued | Self::Canceled | Self::Expired => !matches!(told, Self::Failed),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_in_any_order_lead_to_the_same_status() {
        let all = [Progress::Sent, Progress::Delivered, Progress::Read, Progress::Failed];
        let end = |order: &[Progress]| order.iter().fold(MessageStatus::Sending, |status, told| status.after(*told).unwrap_or(status));
        for first in all {
            for second in all {
                for third in all {
                    let (mut order, backwards) = ([first, second, third], [third, second, first]);
                    assert_eq!(end(&order), end(&backwards), "{order:?}");
                    order.rotate_left(1);
                    assert_eq!(end(&order), end(&backwards), "{order:?}");
                }
            }
        }
    }

    #[test]
    fn a_status_never_goes_back() {
        for status in MessageStatus::ALL {
            for progress in Progress::ALL {
                if let Some(after) = status.after(progress) {
                    assert!(after.rank() > status.rank(), "{status} {progress}");
                }
            }
        }
    }

    #[test]
    fn what_was_taken_back_after_a_try_may_have_arrived() {
        let report = |progress| StatusReport { message: None, external_id: String::new(), progress, error: None };
        for status in [MessageStatus::Held, MessageStatus::Refused] {
            let after = |progress, tried| report(progress).on(status, tried).map(|reported| reported.status);
            assert_eq!([false, true].map(|tried| after(Progress::Delivered, tried)), [None, Some(MessageStatus::Delivered)], "{status}");
            assert_eq!(after(Progress::Failed, true), None, "an earlier try failed: {status}");
        }
    }

    #[test]
    fn what_was_never_sent_is_not_moved_by_a_report() {
        for status in [MessageStatus::Held, MessageStatus::Refused] {
            assert!(Progress::ALL.iter().all(|progress| status.after(*progress).is_none()), "{status}");
        }
        assert_eq!(MessageStatus::Queued.after(Progress::Failed), None);
        assert_eq!(MessageStatus::Queued.after(Progress::Sent), Some(MessageStatus::Sent));
    }
}
