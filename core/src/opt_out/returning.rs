//! Returning: the rules by which a clause asks for messages again, or for help with them.

use super::grammar::{CONTACT, ENDING, Rule, STREAM};
use super::language::Language;
use super::reading::{Clause, is_foreign, unknown};
use super::roles::Roles;
use super::{ReplyRule, Tier};

/// The rules for messages again.
pub(super) const OPT_IN: &[Rule] = &[
    (ReplyRule::Mistake, Roles::MISTAKE, mistake),
    (ReplyRule::Resume, Roles::RESUME, resume),
    (ReplyRule::Again, Roles::AGAIN, again),
    (ReplyRule::Join, Roles::JOIN.or(Roles::START), join),
];

/// The rules for help.
pub(super) const HELP: &[Rule] = &[(ReplyRule::AskHelp, Roles::ASK, ask_help), (ReplyRule::AskAbout, Roles::ABOUT, ask_about)];

/// "I stopped it by mistake", "unsubscribed by accident, put me back".
fn mistake(clause: &Clause<'_>) -> Option<Tier> {
    let undone = ENDING.or(Roles::RESUME).or(Roles::JOIN);
    let holds = clause.has(undone) && !clause.has(Roles::WRONG_NUMBER);
    let is_clear =
        unknown(clause.items) <= 2 && !is_foreign(clause.items) && clause.denied_places(Roles::RESUME.or(Roles::JOIN)).next().is_none();
    (holds && is_clear).then_some(Tier::Likely)
}

/// "Resume the messages", "put me back on the list". Alone it says what only beside a mistake.
fn resume(clause: &Clause<'_>) -> Option<Tier> {
    clause.places(Roles::RESUME).find(|at| !follows_article(clause, *at))?;
    let what = STREAM.or(Roles::SEND).or(Roles::GET).or(CONTACT).or(Roles::LIST).or(Roles::START).or(Roles::JOIN).or(Roles::AGAIN);
    let filling = if clause.is_beside_mistake { Roles::POLITE.or(Roles::FILLER) } else { Roles::POLITE };
    let is_whole = (clause.is_only || clause.is_beside_mistake) && clause.items.iter().all(|item| item.has(Roles::RESUME.or(filling)));
    let is_clear = unknown(clause.items) <= usize::from(clause.has(STREAM)) && !is_foreign(clause.items) && is_affirmed(clause);
    ((clause.has(what) || is_whole) && is_clear).then_some(Tier::Likely)
}

/// "I want messages again", "start again".
fn again(clause: &Clause<'_>) -> Option<Tier> {
    let what = STREAM.or(Roles::GET).or(Roles::JOIN).or(Roles::START);
    let is_wished = clause.items.iter().any(|item| item.has(what) && !item.has(Roles::AGAIN));
    let is_clear = unknown(clause.items) <= usize::from(clause.has(STREAM)) && !is_foreign(clause.items) && is_affirmed(clause);
    let is_asked = clause.is_question && !clause.has(Roles::JOIN.or(Roles::START));
    (is_wished && is_clear && !is_asked).then_some(Tier::Likely)
}

/// "Sign me up", "start the messages".
fn join(clause: &Clause<'_>) -> Option<Tier> {
    clause.places(Roles::JOIN.or(Roles::START)).find(|at| !follows_article(clause, *at))?;
    let what = STREAM.or(Roles::LIST).or(Roles::SEND);
    let is_whole = clause.is_only && clause.items.iter().all(|item| item.has(Roles::JOIN.or(Roles::POLITE).or(Roles::FILLER)));
    let is_own = clause.has(Roles::JOIN) && (clause.has(Roles::WANT) || is_whole);
    let is_clear = unknown(clause.items) == 0 && !is_foreign(clause.items) && is_affirmed(clause) && !clause.is_question;
    ((clause.has(what) || is_own) && is_clear).then_some(Tier::Likely)
}

/// A noun: my resume, the start, your help.
fn follows_article(clause: &Clause<'_>, at: usize) -> bool {
    clause.before(at).last().is_some_and(|item| item.has(Roles::ARTICLE))
}

/// Nothing is denied and nothing is to end.
fn is_affirmed(clause: &Clause<'_>) -> bool {
    let denies = Roles::NOT.or(Roles::SEND_NOT).or(Roles::WANT_NOT).or(Roles::STOP_NOT).or(Roles::LEAVE_ME);
    !clause.items.iter().any(|item| item.has(denies) && !item.has(Roles::RESUME.or(Roles::AGAIN).or(Roles::WANT)))
        && !clause.items.iter().any(|item| item.has(ENDING) && !item.has(Roles::RESUME.or(Roles::JOIN).or(Roles::START)))
}

/// "I need help", "help with these messages".
fn ask_help(clause: &Clause<'_>) -> Option<Tier> {
    clause.places(Roles::ASK).find(|at| !follows_article(clause, *at))?;
    let is_about_us = clause.is_only || clause.has(Roles::SERVICE.or(STREAM));
    let is_clear = unknown(clause.items) == 0 && !is_foreign(clause.items) && !clause.has(ENDING);
    (is_about_us && is_clear).then_some(Tier::Likely)
}

/// "How does this service work", "what are these messages", "send info".
fn ask_about(clause: &Clause<'_>) -> Option<Tier> {
    let is_about_messages = clause.has(STREAM) && (clause.has(Roles::BARE) || clause.language != Language::English);
    let is_info = clause.items.iter().any(|item| item.has(Roles::HELP)) && clause.has(Roles::WANT.or(Roles::SEND));
    let is_clear = unknown(clause.items) == 0 && !is_foreign(clause.items) && !clause.has(ENDING.or(Roles::NOT));
    ((clause.has(Roles::SERVICE) || is_about_messages || is_info) && is_clear).then_some(Tier::Likely)
}
