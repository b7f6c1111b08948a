//! Policy event filter: which policy events are asked for.

use core::fmt;
use core::str::FromStr;

use super::{PolicyEvent, RuleId, Verdict};
use crate::{MessageId, Timestamp};

/// Which policy events. What is absent admits all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PolicyEventFilter {
    /// Only those about this message.
    pub message: Option<MessageId>,
    /// Only those of sends that became no message.
    pub refused: bool,
    /// Only those that ended so.
    pub verdict: Option<VerdictWord>,
    /// Only those with a reason that this rule found, whether or not it decided.
    pub rule: Option<RuleId>,
    /// Only those decided at this time or later.
    pub since: Option<Timestamp>,
    /// Only those decided before this time.
    pub until: Option<Timestamp>,
}

impl PolicyEventFilter {
    /// Whether an event is among them.
    pub fn admits(&self, event: &PolicyEvent) -> bool {
        let has_reason = |rule: RuleId| event.decision.reasons.iter().any(|reason| reason.rule == rule);
        self.message.is_none_or(|message| event.message == Some(message))
            && !(self.refused && event.message.is_some())
            && self.verdict.is_none_or(|verdict| event.decision.verdict.word() == verdict)
            && self.rule.is_none_or(has_reason)
            && self.since.is_none_or(|since| since <= event.at)
            && self.until.is_none_or(|until| event.at < until)
    }
}

/// A verdict as one word, without the time that goes with it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum VerdictWord {
    /// It may go out.
    Allow,
    /// It must not go out.
    Block,
    /// A person must release it.
    Hold,
    /// Not now.
    Throttle,
}

impl VerdictWord {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Allow, Self::Block, Self::Hold, Self::Throttle];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Hold => "hold",
            Self::Throttle => "throttle",
        }
    }
}

impl fmt::Display for VerdictWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for VerdictWord {
    type Err = UnknownVerdict;

    fn from_str(text: &str) -> Result<Self, UnknownVerdict> {
        Self::ALL.iter().find(|word| word.as_str() == text).copied().ok_or(UnknownVerdict)
    }
}

impl Verdict {
    /// Its word.
    pub const fn word(&self) -> VerdictWord {
        match self {
            Self::Allow => VerdictWord::Allow,
            Self::Hold => VerdictWord::Hold,
            Self::Throttle { .. } => VerdictWord::Throttle,
            Self::Block => VerdictWord::Block,
        }
    }
}

/// The word is no verdict.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `allow`, `block`, `hold` or `throttle`")]
pub struct UnknownVerdict;
