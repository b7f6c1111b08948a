//! Policy: the one guarded path, [`decide`].
//!
//! Every message passes here, whoever asks. `decide` is a pure function of policy, facts and request: the same input gives the
//! same answer on every machine, so a stored decision can be taken again. The players: [`Facts`] (what is known), the rule table
//! (what can speak against a message), [`Decision`] (the answer with its reasons), [`PolicyEvent`] (the record).

mod behaviour;
mod decision;
mod event;
mod facts;
mod rules;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use decision::{Decision, Effect, Evidence, FactName, Reason, Verdict};
pub use event::PolicyEvent;
pub use facts::{AccountFacts, ContactState, ConversationWindow, Fact, Facts, Findings, InstanceFacts, Subject, Velocity, examine};
pub use rules::RuleId;

use crate::{Connection, Origin, Timestamp};
use rules::{RULES, Rule};

/// Decides on behalf of a store, inside its transaction.
///
/// A decider is pure: it may be called more than once for a message, where a transaction is retried. One that panics fails its
/// request and nothing else.
pub trait Decider: Send + Sync {
    /// The decision for one message.
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision;

    /// The policy that is recorded with the decision.
    fn policy(&self) -> Policy;
}

impl Decider for Policy {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        decide(self, facts, subject, now)
    }

    fn policy(&self) -> Policy {
        *self
    }
}

/// The settings of the rules.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Policy {
    /// Grows with each change, and stands in every policy event.
    pub version: u32,
    /// The least risk score of a message that a person must release.
    pub review_from: u8,
    /// The least risk score of a message that is blocked for its risk; not below `review_from`.
    pub block_from: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self { version: 1, review_from: 50, block_from: 80 }
    }
}

/// Decides about one message.
///
/// ```
/// use gatepost::{DeclaredPurpose, Facts, Plan, Policy, Purpose, RefusedPurpose, Request, RuleId, Timestamp, Verdict, decide};
///
/// let now = Timestamp::from_millis(1_795_348_800_000);
/// let facts = Facts::clear(Plan::Starter.limits(), now);
/// let mut subject = Request::text("support", "+999501234567".parse()?, Purpose::Support, "Your table is ready.".parse()?).subject();
///
/// let decision = decide(&Policy::default(), &facts, &subject, now);
/// assert_eq!(decision.verdict, Verdict::Allow);
///
/// subject.purpose = DeclaredPurpose::Refused(RefusedPurpose::Marketing);
/// let decision = decide(&Policy::default(), &facts, &subject, now);
/// assert_eq!(decision.verdict, Verdict::Block);
/// assert_eq!(decision.deciding().map(|reason| reason.rule), Some(RuleId::PurposeNotAllowed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide(policy: &Policy, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
    let mut reasons: Vec<Reason> = Vec::new();
    for rule in RULES {
        if let Some(evidence) = (rule.find)(facts, subject, now) {
            let effect = if is_waived(rule, subject) { Effect::Note } else { rule.effect };
            reasons.push(Reason { rule: rule.id, effect, weight: rule.weight, evidence, decides: false });
        }
    }
    let strictest = reasons.iter().map(|reason| reason.effect).max().unwrap_or(Effect::Note);
    let verdict = match strictest {
        Effect::Note => Verdict::Allow,
        Effect::Hold => Verdict::Hold,
        Effect::Throttle => Verdict::Throttle { retry_at: latest_end(&reasons) },
        Effect::Block => Verdict::Block,
    };
    mark_deciding(&mut reasons, verdict, strictest);
    Decision { verdict, risk_score: risk_score(policy, &reasons), reasons }
}

/// Whether what a rule found is only noted. A person who released the message has answered its holds. The one confirmation of an opt-out
/// needs no person, and no limit keeps it back ([`Origin::is_charged`]).
fn is_waived(rule: &Rule, subject: &Subject) -> bool {
    let is_confirmation = subject.origin == Origin::Confirmation;
    match rule.effect {
        Effect::Hold => (subject.released || is_confirmation) && rule.id != RuleId::FactMissing,
        Effect::Throttle => is_confirmation,
        Effect::Note | Effect::Block => false,
    }
}

/// The first of the strictest reasons decides; of those that pass with time, the one that lasts longest.
fn mark_deciding(reasons: &mut [Reason], verdict: Verdict, strictest: Effect) {
    let decides = |reason: &&mut Reason| match verdict {
        Verdict::Allow => false,
        Verdict::Throttle { retry_at } => reason.effect == Effect::Throttle && reason.evidence.until() == Some(retry_at),
        Verdict::Hold | Verdict::Block => reason.effect == strictest,
    };
    if let Some(reason) = reasons.iter_mut().find(decides) {
        reason.decides = true;
    }
}

fn latest_end(reasons: &[Reason]) -> Timestamp {
    let throttles = reasons.iter().filter(|reason| reason.effect == Effect::Throttle);
    throttles.filter_map(|reason| reason.evidence.until()).max().unwrap_or(Timestamp::MAX)
}

/// The highest weight stands for the risk, and never for less than what was asked for: a held message is at least worth a review.
fn risk_score(policy: &Policy, reasons: &[Reason]) -> u8 {
    let floor = |reason: &Reason| match reason.effect {
        Effect::Hold if reason.weight > 0 => reason.weight.max(policy.review_from),
        Effect::Block if reason.weight > 0 => reason.weight.max(policy.block_from),
        Effect::Hold | Effect::Block | Effect::Note | Effect::Throttle => reason.weight,
    };
    reasons.iter().map(floor).max().unwrap_or(0).min(100)
}

/// What the start of an attempt reads again: facts that may have changed since the message was accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StartFacts {
    /// Whether the operator closed the account.
    pub account_suspended: bool,
    /// Whether nothing of the account goes out.
    pub account_paused: bool,
    /// Whether nothing of the instance goes out.
    pub instance_paused: bool,
    /// Whether the instance is connected.
    pub connection: Connection,
    /// Whether the recipient's suppression forbids this message, or it confirms one that holds no more.
    pub suppressed: bool,
    /// Whether a person must look at what the recipient wrote before it goes out.
    pub suspected: bool,
}

/// Whether an attempt may start.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Gate {
    /// It may.
    Open,
    /// Not now: what waits stays, and goes on when this ends.
    Wait,
    /// Not before a person has released it.
    Held,
    /// Never: the recipient is suppressed.
    Closed,
}

/// Decides whether an attempt may start: the last look before a byte leaves.
pub fn may_start(facts: &StartFacts) -> Gate {
    if facts.suppressed {
        Gate::Closed
    } else if facts.suspected {
        Gate::Held
    } else if facts.account_suspended || facts.account_paused || facts.instance_paused || facts.connection != Connection::Open {
        Gate::Wait
    } else {
        Gate::Open
    }
}

/// Whether these facts forbid writing to the recipient: the part of [`decide`] that a start repeats.
pub fn suppression_forbids(contact: ContactState, one_time_codes_pass: bool, findings: Findings, subject: &Subject) -> bool {
    let ContactState::Suppressed { cause, .. } = contact else { return false };
    !rules::passes_suppression(cause, one_time_codes_pass, findings, subject)
}

/// Whether a message confirms an opt-out that holds no more: it would tell the recipient what is not so.
pub fn is_moot_confirmation(contact: ContactState, subject: &Subject) -> bool {
    subject.origin == Origin::Confirmation && !matches!(contact, ContactState::Suppressed { .. })
}

/// Whether a person must look before this recipient is written to: as [`suppression_forbids`], for one who may have opted out. Whoever
/// released the message since then has looked, and the one confirmation of an opt-out needs nobody.
pub fn suspicion_holds(contact: ContactState, released_at: Option<Timestamp>, findings: Findings, subject: &Subject) -> bool {
    let ContactState::Suspected { since } = contact else { return false };
    let was_released = released_at.is_some_and(|released_at| since <= released_at);
    !was_released && subject.origin != Origin::Confirmation && !rules::is_requested_code(findings, subject)
}
