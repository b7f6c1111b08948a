//! Policy: the one guarded path, [`decide`].
//!
//! Every message passes here, whoever asks. `decide` is a pure function of policy, facts and request: the same input gives the
//! same answer on every machine, so a stored decision can be taken again. The players: [`Facts`] (what is known), the rule table
//! (what can speak against a message), [`Decision`] (the answer with its reasons), [`PolicyEvent`] (the record).

mod backtest;
mod behaviour;
mod category;
mod decision;
mod event;
mod facts;
mod filter;
mod rules;
mod score;
mod settings;
mod shadow;

use alloc::vec::Vec;

pub use backtest::{Backtest, BacktestReport, Change};
pub use category::Category;
pub use decision::{Decision, Effect, Evidence, FactName, Group, Reason, UnknownGroup, Verdict};
pub use event::{PolicyEvent, PolicyEventBody};
pub use facts::{AccountFacts, ContactState, ConversationWindow, Fact, Facts, InstanceFacts, Reviewed, Subject, Velocity};
pub use filter::{PolicyEventFilter, UnknownVerdict, VerdictWord};
pub use rules::{RuleId, UnknownRule};
pub use settings::{Policy, Wording};
pub use shadow::{InvalidPolicy, Shadow, Shadowed};

use crate::{Connection, Origin, Timestamp};
use rules::RULES;

/// Decides on behalf of a store, inside its transaction.
///
/// A decider is pure: it may be called more than once for a message, where a transaction is retried. One that panics fails its
/// request and nothing else.
pub trait Decider: Send + Sync {
    /// The decision for one message.
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision;

    /// The policy that is recorded with the decision.
    fn policy(&self) -> &Policy;

    /// What another policy would have decided, to be recorded beside the decision; nothing where none is tried.
    fn shadow(&self, _facts: &Facts, _subject: &Subject, _now: Timestamp) -> Option<Shadow> {
        None
    }
}

impl Decider for Policy {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        decide(self, facts, subject, now)
    }

    fn policy(&self) -> &Policy {
        self
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
        if let Some(evidence) = (rule.find)(facts, subject, now)
            && let Some(points) = policy.points(rule, evidence)
        {
            let effect = if is_waived(rule.id, rule.effect, facts, subject) { Effect::Note } else { rule.effect };
            reasons.push(Reason { rule: rule.id, effect, points, evidence, decides: false });
        }
    }
    let risk_score = score::of(policy, &reasons);
    reasons.extend(score::asks(policy, score::added(policy, &reasons), facts, subject));
    let strictest = reasons.iter().map(|reason| reason.effect).max().unwrap_or(Effect::Note);
    let verdict = match strictest {
        Effect::Note | Effect::Risk => Verdict::Allow,
        Effect::Hold => Verdict::Hold,
        Effect::Throttle => Verdict::Throttle { retry_at: latest_end(&reasons) },
        Effect::Block => Verdict::Block,
    };
    mark_deciding(&mut reasons, verdict, strictest);
    Decision { verdict, risk_score, reasons }
}

/// Whether what a rule found is only noted. A person who released the message has answered its holds, but no doubt that they had not
/// seen. The one confirmation of an opt-out needs no person, and no limit keeps it back ([`Origin::is_charged`]).
fn is_waived(rule: RuleId, effect: Effect, facts: &Facts, subject: &Subject) -> bool {
    let is_confirmation = subject.origin == Origin::Confirmation;
    match effect {
        Effect::Hold if is_confirmation => rule != RuleId::FactMissing,
        Effect::Hold => match rule {
            RuleId::FactMissing => false,
            RuleId::OptOutSuspected => subject.released && subject.has_seen(&facts.contact),
            _ => subject.released,
        },
        Effect::Throttle => is_confirmation,
        Effect::Note | Effect::Risk | Effect::Block => false,
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
pub fn suppression_forbids(contact: ContactState, one_time_codes_pass: bool, one_time_code: bool, subject: &Subject) -> bool {
    let ContactState::Suppressed { cause, .. } = contact else { return false };
    !rules::passes_suppression(cause, one_time_codes_pass, one_time_code, subject)
}

/// Whether a message confirms an opt-out that holds no more: it would tell the recipient what is not so.
pub fn is_moot_confirmation(contact: ContactState, subject: &Subject) -> bool {
    subject.origin == Origin::Confirmation && !matches!(contact, ContactState::Suppressed { .. })
}

/// Whether a person must look before this recipient is written to: as [`suppression_forbids`], for one who may have opted out. Whoever
/// released the message has looked, if its review was opened since then, and the one confirmation of an opt-out needs nobody.
pub fn suspicion_holds(contact: ContactState, seen_until: Option<Timestamp>, one_time_code: bool, subject: &Subject) -> bool {
    let ContactState::Suspected { since } = contact else { return false };
    let was_seen = seen_until.is_some_and(|seen_until| since <= seen_until);
    !was_seen && subject.origin != Origin::Confirmation && !rules::is_requested_code(one_time_code, subject)
}
