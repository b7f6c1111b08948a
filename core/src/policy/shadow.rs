//! Shadow: a candidate policy that runs beside the live one, and is only recorded.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Decider, Decision, Facts, Policy, RuleId, Subject, Verdict, decide};
use crate::Timestamp;

/// A live policy with a candidate beside it. The live one decides; what the candidate would have said stands in the policy event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shadowed {
    /// What decides.
    pub live: Policy,
    /// What is only recorded.
    pub candidate: Policy,
}

impl Decider for Shadowed {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        decide(&self.live, facts, subject, now)
    }

    fn policy(&self) -> &Policy {
        &self.live
    }

    fn shadow(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Option<Shadow> {
        let decision = decide(&self.candidate, facts, subject, now);
        let rule = decision.deciding().map(|reason| reason.rule);
        Some(Shadow { version: self.candidate.version, verdict: decision.verdict, risk_score: decision.risk_score, rule })
    }
}

/// What a candidate policy would have decided.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Shadow {
    /// The version of the candidate.
    pub version: u32,
    /// What would have happened.
    pub verdict: Verdict,
    /// The risk score by its points.
    pub risk_score: u8,
    /// The rule that would have decided; none where nothing was against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
}

/// Why a policy cannot be one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{field}`: {expected}")]
pub struct InvalidPolicy {
    /// The setting, for example `caps.link`.
    pub field: String,
    /// What it should be.
    pub expected: String,
}
