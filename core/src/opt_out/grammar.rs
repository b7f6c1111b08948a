//! Grammar: what a reply asks for in its own words.
//!
//! Each rule looks at one clause: a verb, what it is about, and what else stands there. A rule holds only where the rest of the
//! clause is understood or is little, since most sentences with "stop" or "cancel" are about a bus or an order. Then the clauses are
//! seen together. No rule goes back: the work grows with the length of the text.

use super::leaving::OPT_OUT;
use super::reading::{Clause, Reading, is_foreign, unknown};
use super::returning::{HELP, OPT_IN};
use super::roles::Roles;
use super::{Intent, Meaning, ReplyRule, Tier};

/// A rule, the roles of which it needs one in a clause, and how sure it is of a clause.
pub(super) type Rule = (ReplyRule, Roles, fn(&Clause<'_>) -> Option<Tier>);

/// The person who writes, or their number.
pub(super) const CONTACT: Roles = Roles::ME.or(Roles::NUMBER);
/// What is sent to them.
pub(super) const STREAM: Roles = Roles::MESSAGE.or(Roles::SUBSCRIPTION);
/// What makes an end.
pub(super) const ENDING: Roles = Roles::STOP.or(Roles::UNSUBSCRIBE).or(Roles::CANCEL).or(Roles::REMOVE);

/// What a whole text asks for.
pub(super) fn find(reading: &Reading) -> Option<Meaning> {
    let clauses = reading.clauses();
    let leaves = strongest(&clauses, OPT_OUT).into_iter().chain(bare_stop(&clauses)).max_by_key(|(_, tier)| *tier);
    let leaves = leaves.map(|(rule, tier)| (rule, if is_backed(rule, &clauses) { Tier::Likely } else { tier }));
    let returns = strongest(&clauses, OPT_IN);
    let helps = || strongest(&clauses, HELP).map(|found| (Intent::Help, found));
    let (intent, (rule, tier)) = match (leaves, returns) {
        (Some((rule, Tier::Likely)), None) if takes_back(&clauses) => (Intent::OptOut, (rule, Tier::Unsure)),
        (Some((rule, Tier::Likely)), Some(_)) if !has_mistake(&clauses) => (Intent::OptOut, (rule, Tier::Unsure)),
        (Some(leaves @ (_, Tier::Likely)), None) => (Intent::OptOut, leaves),
        (_, Some(returns)) => (Intent::OptIn, returns),
        (leaves, None) => helps().or(leaves.map(|found| (Intent::OptOut, found)))?,
    };
    Some(Meaning { intent, tier, rule, language: reading.language })
}

type Found = (ReplyRule, Tier);

fn strongest(clauses: &[Clause<'_>], rules: &[Rule]) -> Option<Found> {
    clauses.iter().filter_map(|clause| first(clause, rules)).max_by_key(|(_, tier)| *tier)
}

fn first(clause: &Clause<'_>, rules: &[Rule]) -> Option<Found> {
    let is_understood = unknown(clause.items) <= 1.max(clause.items.len().saturating_sub(1) / 2);
    let mut fitting = rules.iter().filter(|(_, needs, _)| is_understood && clause.has(*needs));
    fitting.find_map(|(rule, _, holds)| Some((*rule, holds(clause)?)))
}

/// "I keep getting these, and I do not want them": what is meant is said in another clause.
fn is_backed(rule: ReplyRule, clauses: &[Clause<'_>]) -> bool {
    let backing = match rule {
        ReplyRule::NotWanted => STREAM.or(Roles::GET),
        ReplyRule::DoNotSend => Roles::NUMBER.or(Roles::SPAM).or(Roles::WRONG_NUMBER),
        _ => return false,
    };
    clauses.iter().any(|clause| clause.has(backing) && unknown(clause.items) <= 1 && !clause.is_question)
}

/// "Do not stop", "keep them", beside something that sounds like leaving.
fn takes_back(clauses: &[Clause<'_>]) -> bool {
    let keeps = |clause: &Clause<'_>| clause.has(Roles::RESUME) && clause.items.len() <= 3;
    clauses.iter().any(|clause| keeps(clause) || clause.denied_places(Roles::STOP.or(Roles::UNSUBSCRIBE)).next().is_some())
}

fn has_mistake(clauses: &[Clause<'_>]) -> bool {
    clauses.iter().any(|clause| clause.has(Roles::MISTAKE))
}

/// "Stop it", "I said stop", "this is spam, stop". With other clauses it needs a reason in one of them, or to be the last word.
fn bare_stop(clauses: &[Clause<'_>]) -> Option<Found> {
    let at = clauses.iter().position(is_bare_stop)?;
    let (before, after) = (clauses.get(..at)?, clauses.get(at + 1..)?);
    let telling = |clause: &&Clause<'_>| !clause.is_courtesy() && !is_bare_stop(clause);
    let mut others = before.iter().chain(after).filter(telling);
    let is_asked = clauses.get(at)?.is_question || after.iter().any(|other| other.is_question);
    let is_last = !after.iter().any(|other| telling(&other));
    let is_likely = !is_asked && (others.clone().any(gives_reason) || is_last && others.all(is_understood));
    Some((ReplyRule::BareStop, if is_likely { Tier::Likely } else { Tier::Unsure }))
}

fn is_bare_stop(clause: &Clause<'_>) -> bool {
    let beside = Roles::STOP.or(Roles::BARE).or(Roles::POLITE).or(Roles::UNSUBSCRIBE);
    let is_stop = |at: usize| !clause.at(at).has(Roles::OUT_WEAK);
    clause.places(Roles::STOP).any(is_stop) && clause.items.iter().all(|item| item.has(beside) || item.is_number)
}

/// Whether it speaks of messages, of receiving or not wanting them, of a wrong number.
fn gives_reason(clause: &Clause<'_>) -> bool {
    let messages = STREAM.or(Roles::SEND).or(Roles::SENDING).or(Roles::GET).or(Roles::SPAM);
    let reasons = messages.or(Roles::WANT).or(Roles::WANT_NOT).or(Roles::NUMBER).or(Roles::WRONG_NUMBER);
    clause.has(reasons) && unknown(clause.items) <= 2
}

fn is_understood(clause: &Clause<'_>) -> bool {
    unknown(clause.items) == 0 && !is_foreign(clause.items)
}
