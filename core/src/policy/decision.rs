//! Decision: what was decided about a message, and why.
//!
//! A decision is an answer, not an error. It lists every reason that was found, and marks the one that decided.

use alloc::vec::Vec;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::rules::RuleId;
use crate::{Cause, Connection, Family, RefusedPurpose, Span, Timestamp};

/// The answer to a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Decision {
    /// What happens to it.
    pub verdict: Verdict,
    /// How risky it looks, from 0 to 100.
    pub risk_score: u8,
    /// Everything that was found, in the order of the rule table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

impl Decision {
    /// Whether time or a person can change it: what must never go out is not worth waiting for.
    pub fn may_change(&self) -> bool {
        !self.reasons.iter().any(|reason| reason.effect == Effect::Block && !reason.rule.passes())
    }

    /// The reason that decided; none where nothing was found against it.
    pub fn deciding(&self) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.decides)
    }
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may go out.
    Allow,
    /// A person must release it.
    Hold,
    /// Not now.
    Throttle {
        /// When it may be tried again.
        retry_at: Timestamp,
    },
    /// It must not go out.
    Block,
}

/// One thing that speaks against a message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reason {
    /// Which rule found it.
    pub rule: RuleId,
    /// What it asks for.
    pub effect: Effect,
    /// What it adds to the risk of its group, or the least risk it stands for.
    pub points: u8,
    /// What it was found by.
    #[serde(default, skip_serializing_if = "Evidence::is_none")]
    pub evidence: Evidence,
    /// Whether it decided.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub decides: bool,
}

/// What a reason asks for, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: it is only shown.
    Note,
    /// Nothing by itself: it adds to the risk.
    Risk,
    /// A person's release.
    Hold,
    /// A later time.
    Throttle,
    /// That it does not go out.
    Block,
}

/// What a reason was found by. It holds no text and no address.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nothing more than the rule's name.
    #[default]
    None,
    /// The cause of a suppression.
    Cause(Cause),
    /// How many there are.
    Count(u64),
    /// The state of the connection.
    Connection(Connection),
    /// The fact that is missing.
    Fact(FactName),
    /// A part of the text.
    Found {
        /// Where first.
        at: Span,
        /// How often.
        times: u8,
    },
    /// What the model says of the wording.
    Heard {
        /// The family to which it is nearest.
        family: Family,
        /// How sure it is, in hundredths of a logit.
        margin: i16,
        /// The words that speak most for it.
        at: Span,
    },
    /// A quota and what was used of it.
    Limit {
        /// How much there is.
        limit: u64,
        /// How much was used.
        used: u64,
        /// When there is more.
        until: Timestamp,
    },
    /// The purpose that was declared.
    Purpose(RefusedPurpose),
    /// The risk score, and from how much on the policy asks for more.
    Score {
        /// The score.
        score: u8,
        /// The least that asks for it.
        from: u8,
    },
    /// How many there are of how many.
    Share {
        /// How many.
        count: u64,
        /// Of how many.
        of: u64,
    },
    /// The time from which on it would pass.
    Until(Timestamp),
}

impl Evidence {
    fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The part of the text that it was found in, where it was.
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::Found { at, .. } | Self::Heard { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// The time from which on the reason no longer holds, where it is one that passes.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Limit { until, .. } | Self::Until(until) => Some(*until),
            _ => None,
        }
    }
}

/// What rules are about. The points of a group are added up as far as its cap.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Whether it may be sent at all: state, limits, what a person must see. These set floors and add nothing.
    State,
    /// Where links lead.
    Link,
    /// Words that deceive.
    Fraud,
    /// Words that sell.
    Marketing,
    /// Words that canvass.
    Political,
    /// Words to strangers.
    ColdOutreach,
    /// Hiding what is written.
    Obfuscation,
    /// The wording as a whole, as the model hears it.
    Wording,
    /// What the account does: same texts, first contacts, bursts.
    Behaviour,
    /// What comes back: failures, opt-outs, refusals.
    Reputation,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::State,
        Self::Link,
        Self::Fraud,
        Self::Marketing,
        Self::Political,
        Self::ColdOutreach,
        Self::Obfuscation,
        Self::Wording,
        Self::Behaviour,
        Self::Reputation,
    ];

    /// The word used in answers and policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Link => "link",
            Self::Fraud => "fraud",
            Self::Marketing => "marketing",
            Self::Political => "political",
            Self::ColdOutreach => "cold_outreach",
            Self::Obfuscation => "obfuscation",
            Self::Wording => "wording",
            Self::Behaviour => "behaviour",
            Self::Reputation => "reputation",
        }
    }

    /// The most points that it comes to, unless a policy says otherwise.
    pub const fn cap(self) -> u8 {
        match self {
            Self::State => 0,
            Self::Link => 60,
            Self::Fraud | Self::Wording => 50,
            Self::Marketing | Self::Political | Self::Behaviour => 40,
            // With behaviour not enough to block: what an account does is answered by a pause.
            Self::ColdOutreach | Self::Reputation => 35,
            Self::Obfuscation => 30,
        }
    }
}

impl FromStr for Group {
    type Err = UnknownGroup;

    fn from_str(word: &str) -> Result<Self, UnknownGroup> {
        Self::ALL.into_iter().find(|group| group.as_str() == word).ok_or(UnknownGroup)
    }
}

/// There is no such group.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the name of a group of rules")]
pub struct UnknownGroup;

/// The name of a fact that can be missing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactName {
    /// Whether the recipient is suppressed.
    Contact,
    /// What was found in the content.
    Content,
    /// The conversation window.
    Conversation,
    /// The state of the key.
    Key,
    /// What the account does as a whole.
    Traffic,
    /// What was charged.
    Usage,
    /// How fast it went.
    Velocity,
}
