//! Score: how risky a message looks, from 0 to 100.
//!
//! Points add up inside their group as far as its cap, and groups add up to 100. A rule that holds or blocks by itself sets a floor instead.
//! What is added, and nothing else, is compared with the policy's two thresholds: so that a reason is never counted twice.

use super::{Effect, Evidence, Facts, Group, Policy, Reason, RuleId, Subject, is_waived};

/// The score that is shown: what was added, and never less than what a rule asks for by itself.
pub(super) fn of(policy: &Policy, reasons: &[Reason]) -> u8 {
    let floor = |reason: &Reason| match reason.effect {
        Effect::Hold if reason.points > 0 => reason.points.max(policy.review_from),
        Effect::Block if reason.points > 0 => reason.points.max(policy.block_from),
        Effect::Risk => 0,
        Effect::Hold | Effect::Block | Effect::Note | Effect::Throttle => reason.points,
    };
    reasons.iter().map(floor).max().unwrap_or(0).max(added(policy, reasons)).min(100)
}

/// What the groups add up to.
pub(super) fn added(policy: &Policy, reasons: &[Reason]) -> u8 {
    let of_group = |group: Group| {
        let points = reasons.iter().filter(|reason| reason.effect == Effect::Risk && reason.rule.group() == group);
        points.fold(0u8, |sum, reason| sum.saturating_add(reason.points)).min(policy.cap(group))
    };
    Group::ALL.into_iter().fold(0u8, |sum, group| sum.saturating_add(of_group(group))).min(100)
}

/// What the sum asks for. Whoever released a message has seen it.
pub(super) fn asks(policy: &Policy, score: u8, facts: &Facts, subject: &Subject) -> Option<Reason> {
    let (rule, effect, from) = if score >= policy.block_from {
        (RuleId::RiskBlock, Effect::Block, policy.block_from)
    } else if score >= policy.review_from {
        (RuleId::RiskReview, Effect::Hold, policy.review_from)
    } else {
        return None;
    };
    let effect = if is_waived(rule, effect, facts, subject) { Effect::Note } else { effect };
    Some(Reason { rule, effect, points: 0, evidence: Evidence::Score { score, from }, decides: false })
}
