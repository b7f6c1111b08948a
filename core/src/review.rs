//! Review: a person's answer to a held message.
//!
//! A held message waits for 24 hours. Release decides again, with the facts of that moment; only what asked for a person no longer
//! counts. A doubt about an opt-out that came after the review was opened does count: the review is opened anew, and shows it. Nobody's
//! answer is a refusal. Where an account wants two people, the first release is an [`Approval`], and the second one
//! decides.

use alloc::boxed::Box;
use alloc::string::String;
use core::str::FromStr;
use core::time::Duration;

use crate::{Actor, Decision, Effect, MessageId, MessageStatus, Reason, Reviewed, RuleId, Timestamp};

/// How long a held message waits for a person.
pub const REVIEW_TIME: Duration = Duration::from_secs(24 * 3_600);

/// A held message's way to a person and back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Review {
    /// The message.
    pub message: MessageId,
    /// The rule that wants a person; none where whoever decided named none.
    pub opened_by: Option<RuleId>,
    /// The place of the policy event that tells what was decided when the message was accepted or held.
    pub policy_event: u64,
    /// Since when it waits.
    pub opened_at: Timestamp,
    /// When waiting becomes a refusal.
    pub expires_at: Timestamp,
    /// The first of two releases.
    pub approved: Option<Approval>,
    /// How it was closed.
    pub closed: Option<Closing>,
}

impl Review {
    /// Opens the review of a message that was decided to be held.
    pub fn of_decision(message: MessageId, decision: &Decision, policy_event: u64, now: Timestamp) -> Self {
        Self::open(message, decision.deciding().map(|reason| reason.rule), policy_event, now)
    }

    /// Opens the review of a message that waited to go out, and is held since its recipient may have opted out.
    pub const fn of_suspicion(message: MessageId, policy_event: u64, now: Timestamp) -> Self {
        Self::open(message, Some(RuleId::OptOutSuspected), policy_event, now)
    }

    /// Opens the review of a message anew, where a release met that its recipient may have opted out since it was opened. It shows the
    /// doubt now, and whoever releases it from here on has seen it.
    pub fn of_unseen_doubt(message: MessageId, decision: &Decision, policy_event: u64, now: Timestamp) -> Option<Self> {
        let is_doubt = |reason: &Reason| reason.rule == RuleId::OptOutSuspected && reason.effect == Effect::Hold;
        decision.reasons.iter().any(is_doubt).then(|| Self::of_suspicion(message, policy_event, now))
    }

    const fn open(message: MessageId, opened_by: Option<RuleId>, policy_event: u64, now: Timestamp) -> Self {
        Self { message, opened_by, policy_event, opened_at: now, expires_at: now.plus(REVIEW_TIME), approved: None, closed: None }
    }

    /// Whether it waits for a person, or was closed.
    pub const fn state(&self) -> ReviewState {
        if self.closed.is_some() { ReviewState::Closed } else { ReviewState::Open }
    }

    /// What a release by this one comes to. Two people are two actors: two keys, or a key and the app that embeds the gateway.
    pub fn release_by(&self, by: Actor, two_people: bool) -> ReleaseStep {
        match &self.approved {
            _ if !two_people => ReleaseStep::Decides,
            None => ReleaseStep::Approves,
            Some(approval) if approval.by == by => ReleaseStep::Repeats,
            Some(_) => ReleaseStep::Decides,
        }
    }

    /// What is written down of a release by this one.
    pub fn reviewed(&self, by: Actor) -> Reviewed {
        let approved_by = self.approved.as_ref().map(|approval| approval.by).filter(|first| *first != by);
        Reviewed { opened_at: self.opened_at, by, approved_by }
    }

    /// The last moment of which a person had seen what there was, where they let the message go out.
    pub fn seen_until(&self) -> Option<Timestamp> {
        self.closed.as_ref().filter(|closing| closing.verdict == ReviewVerdict::Released).map(|_| self.opened_at)
    }
}

/// The first of the two people who must release a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Approval {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// A remark.
    pub note: Option<String>,
}

/// What a release comes to before any fact is looked at.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReleaseStep {
    /// It is the first of two, and is written down.
    Approves,
    /// It is enough: the message is decided again.
    Decides,
    /// It is the first of two once more, by the same one: it changes nothing.
    Repeats,
}

/// Whether a review waits for a person.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReviewState {
    /// It was closed.
    Closed,
    /// It waits.
    Open,
}

impl ReviewState {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Closed, Self::Open];

    /// The word used in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

impl FromStr for ReviewState {
    type Err = UnknownReviewState;

    fn from_str(word: &str) -> Result<Self, UnknownReviewState> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word).ok_or(UnknownReviewState)
    }
}

/// There is no such state.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `open` or `closed`")]
pub struct UnknownReviewState;

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
    Closed(Box<Review>),
    /// It was released by the first of two people, and waits for the second.
    AwaitsSecond,
    /// The same one has released it before, and it waits for another.
    SecondNeeded,
    /// It is closed now, and the message has this status.
    Done(MessageStatus),
    /// It was released, but present facts forbid sending: it stays held until they pass, or is refused where they never do.
    Forbidden(Decision),
}
