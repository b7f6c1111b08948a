//! Back-test: what another policy would have decided about messages of the past.
//!
//! A policy event keeps the facts, so it can be decided again: under the policy of then, to see that the same comes out, and under a
//! candidate, to see what would change. What was found in the texts are facts too: other points and thresholds are tried, not other words.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Decision, Policy, PolicyEvent, RuleId, VerdictWord};
use crate::AccountId;

/// A back-test under way.
pub struct Backtest<'a> {
    candidate: &'a Policy,
    report: BacktestReport,
    changes: BTreeMap<Change, u64>,
}

/// What a back-test found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BacktestReport {
    /// How many events were decided again.
    pub events: u64,
    /// How many the candidate would decide otherwise.
    pub changed: u64,
    /// How many did not come out the same under the policy of then. It is none, unless the log was changed or the rules of this version
    /// are not those that decided.
    pub not_repeated: u64,
    /// The first of those: its account and its place in the log.
    pub first_not_repeated: Option<(AccountId, u64)>,
    /// What would change, and how often; the most frequent first.
    pub changes: Vec<(Change, u64)>,
}

/// One kind of change.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Change {
    /// Whose messages.
    pub account: AccountId,
    /// For what they were to be sent.
    pub purpose: String,
    /// What was decided.
    pub from: VerdictWord,
    /// What would be.
    pub to: VerdictWord,
    /// The rule that decides: of the candidate's decision, or of the one of then where the candidate has nothing against the message.
    pub rule: Option<RuleId>,
}

impl<'a> Backtest<'a> {
    /// Of this candidate.
    pub fn new(candidate: &'a Policy) -> Self {
        Self { candidate, report: BacktestReport::default(), changes: BTreeMap::new() }
    }

    /// Decides one event again.
    pub fn add(&mut self, account: AccountId, event: &PolicyEvent) {
        self.report.events += 1;
        if event.decide_again() != event.decision {
            self.report.not_repeated += 1;
            self.report.first_not_repeated.get_or_insert((account, event.seq));
        }
        let decision = event.decide_under(self.candidate);
        let (from, to) = (event.decision.verdict.word(), decision.verdict.word());
        if from != to {
            self.report.changed += 1;
            let rule = deciding(&decision).or_else(|| deciding(&event.decision));
            let change = Change { account, purpose: event.subject.purpose.as_str().to_string(), from, to, rule };
            *self.changes.entry(change).or_default() += 1;
        }
    }

    /// What was found so far.
    pub fn report(self) -> BacktestReport {
        let mut changes: Vec<_> = self.changes.into_iter().collect();
        changes.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
        BacktestReport { changes, ..self.report }
    }
}

fn deciding(decision: &Decision) -> Option<RuleId> {
    decision.deciding().map(|reason| reason.rule)
}
