//! Leaving: the rules by which a clause asks for no more messages.

use super::grammar::{CONTACT, ENDING, Rule, STREAM};
use super::language::Language;
use super::reading::{Clause, Item, is_foreign, unknown};
use super::roles::Roles;
use super::{ReplyRule, Tier};

/// The rules, in the order in which they are asked.
pub(super) const OPT_OUT: &[Rule] = &[
    (ReplyRule::LeaveMe, Roles::LEAVE_ME, leave_me),
    (ReplyRule::Unsubscribe, Roles::UNSUBSCRIBE, unsubscribe),
    (ReplyRule::StopSending, Roles::STOP, stop_sending),
    (ReplyRule::RemoveMe, Roles::REMOVE.or(Roles::TAKE), remove_me),
    (ReplyRule::DoNotSend, Roles::SEND.or(Roles::SEND_NOT), do_not_send),
    (ReplyRule::BareStop, Roles::STOP, stop_at_last),
    (ReplyRule::NotWanted, Roles::WANT.or(Roles::WANT_NOT).or(Roles::GET), not_wanted),
    (ReplyRule::NoMore, Roles::NO, no_more),
    (ReplyRule::CancelSubscription, Roles::CANCEL, cancel_subscription),
    (ReplyRule::WrongNumber, Roles::NUMBER.or(Roles::WRONG_NUMBER), wrong_number),
    (ReplyRule::Complaint, Roles::SPAM, complaint),
];

/// How far from the word for stopping stands what is to stop, in items.
const STOP_REACH: usize = 6;

/// "Leave me alone."
fn leave_me(clause: &Clause<'_>) -> Option<Tier> {
    let is_other = |item: &Item| item.has(Roles::SOMEONE.or(Roles::IF)) && !item.roles.is_known();
    let is_clear = !clause.is_question && unknown(clause.items) <= 3 && !clause.items.iter().any(is_other);
    is_clear.then_some(Tier::Likely)
}

/// "I want to unsubscribe", "how do I opt out".
fn unsubscribe(clause: &Clause<'_>) -> Option<Tier> {
    clause.places(Roles::UNSUBSCRIBE).next()?;
    let (is_foreign, unknown) = (is_foreign(clause.items), unknown(clause.items));
    match (is_foreign, unknown) {
        (false, 0..=2) => Some(Tier::Likely),
        (false, _) => Some(Tier::Unsure),
        _ => None,
    }
}

/// "Stop sending me these", "stop the reminders", "text stop".
fn stop_sending(clause: &Clause<'_>) -> Option<Tier> {
    let stops = clause.places(Roles::STOP).filter(|at| !is_noun(clause, *at));
    stops.filter_map(|stop| stop_of_messages(clause, stop)).max()
}

fn stop_of_messages(clause: &Clause<'_>, stop: usize) -> Option<Tier> {
    let what = Roles::SEND.or(Roles::SENDING).or(Roles::SEND_NOT).or(STREAM);
    let near = stop.saturating_sub(STOP_REACH)..=stop + STOP_REACH;
    let is_act = |object: &usize| clause.at(*object).has(STREAM.or(Roles::SENDING)) || !is_noun(clause, *object);
    let objects = near.filter(|object| *object != stop && clause.at(*object).has(what) && !clause.is_denied(*object));
    objects.filter(is_act).filter_map(|object| stop_of_message(clause, stop, object)).max()
}

fn stop_of_message(clause: &Clause<'_>, stop: usize, object: usize) -> Option<Tier> {
    let is_stream = clause.at(object).has(STREAM);
    let is_plain = is_stream || !is_foreign(clause.before(stop.min(object)));
    if !is_plain || !belongs_to_stop(clause, stop, object) {
        return None;
    }
    let rest = clause.after(stop.max(object));
    let is_full = is_stream || clause.has(CONTACT.or(STREAM).or(Roles::MORE));
    match unknown(rest) {
        _ if is_foreign(rest) => None,
        0 => Some(Tier::Likely),
        1..=2 if is_full => Some(Tier::Likely),
        _ => Some(Tier::Unsure),
    }
}

/// Whether the words between them let the stop be about the object: "stop the daily reminders", and where the verb stands last
/// "the reminders stop". Elsewhere an object before the stop must touch it: "text stop".
fn belongs_to_stop(clause: &Clause<'_>, stop: usize, object: usize) -> bool {
    let between = clause.between(stop, object);
    let (reach, unknown_max) = match (object < stop, clause.language.has_verb_last()) {
        (false, _) if clause.at(object).has(STREAM) => (STOP_REACH, 2),
        (false, _) => (STOP_REACH, 0),
        (true, true) => (STOP_REACH, 1),
        (true, false) => (0, 0),
    };
    between.len() <= reach && unknown(between) <= unknown_max && !is_foreign(between)
}

/// "Remove me", "take me off your list", "delete my number".
fn remove_me(clause: &Clause<'_>) -> Option<Tier> {
    let has_list = clause.has(Roles::LIST);
    let removes = clause.places(Roles::REMOVE).next().is_some() || takes_off(clause);
    let whom = clause.has(CONTACT.or(Roles::LIST)) || takes_off(clause);
    if !removes || !whom || is_foreign(clause.items) {
        return None;
    }
    match unknown(clause.items) {
        0 => Some(Tier::Likely),
        1..=2 if has_list => Some(Tier::Likely),
        1 if clause.has(Roles::NUMBER) => Some(Tier::Likely),
        1..=2 => Some(Tier::Unsure),
        _ => None,
    }
}

/// A weak word for removing, with the person beside it and what makes it strong.
fn takes_off(clause: &Clause<'_>) -> bool {
    let whom = || clause.places(CONTACT.or(Roles::MESSAGE));
    let is_beside = |take: usize| whom().any(|whom| clause.between(take, whom).len() <= 2);
    clause.has(Roles::OFF.or(Roles::LIST)) && unknown(clause.items) == 0 && clause.places(Roles::TAKE).any(is_beside)
}

/// "Do not write to me any more."
fn do_not_send(clause: &Clause<'_>) -> Option<Tier> {
    if clause.is_question || is_foreign(clause.items) || is_ending_denied(clause) {
        return None;
    }
    let verb = clause.denied_places(Roles::SEND).find(|at| is_command(clause, *at)).or_else(|| sending_forbidden(clause))?;
    let says = |roles: Roles| clause.items.iter().any(|item| item.has(roles) && !item.has(Roles::SEND));
    let says_when = says(STREAM.or(Roles::MORE));
    let says_whom = says_when || says(CONTACT);
    match unknown(clause.items) {
        0 if says_whom || clause.is_only || clause.language != Language::English => Some(Tier::Likely),
        0 => Some(Tier::Unsure),
        1..=2 if says_when => Some(Tier::Likely),
        1 if says_whom && unknown(clause.after(verb)) == 0 => Some(Tier::Likely),
        1..=3 if says_whom => Some(Tier::Unsure),
        _ => None,
    }
}

/// Whether a verb that is denied is an order to others, and tells nothing of oneself.
fn is_command(clause: &Clause<'_>, verb: usize) -> bool {
    let is_told = |pair: &[Item]| matches!(pair, [who, does] if who.has(Roles::SUBJECT) && does.has(Roles::NOT.or(Roles::SEND)));
    let is_near = clause.language != Language::English || is_close_to_denial(clause.before(verb));
    is_near && !clause.before(verb).windows(2).any(is_told) && !clause.has(Roles::UNABLE) && !is_noun(clause, verb)
}

/// In English only a few words stand between "don't" and what must not be done.
fn is_close_to_denial(before: &[Item]) -> bool {
    let between = before.iter().rev().take_while(|item| !item.has(Roles::NOT));
    let light = Roles::POLITE.or(Roles::MORE).or(Roles::BARE).or(Roles::WANT).or(Roles::SEND);
    between.take(4).all(|item| item.has(light))
}

/// A light verb that is denied ("do not do") forbids sending only together with a message, and denies a verb that stands before it.
fn sending_forbidden(clause: &Clause<'_>) -> Option<usize> {
    let is_light = |at: &usize| clause.at(*at).has(Roles::NOT);
    let mut forbidden = clause.items.iter().enumerate().filter(|(_, item)| item.has(Roles::SEND_NOT)).map(|(at, _)| at);
    forbidden.find(|at| !is_light(at) || clause.has(Roles::MESSAGE) && clause.denied_places(Roles::VERB).next().is_none())
}

/// "I do not want these messages", "not interested in getting any more".
fn not_wanted(clause: &Clause<'_>) -> Option<Tier> {
    let is_clear = !clause.is_question && !is_foreign(clause.items) && !is_ending_denied(clause);
    if !is_clear || !is_unwanted(clause) {
        return None;
    }
    let is_sending = clause.has(Roles::SEND.or(Roles::SENDING)) && clause.has(CONTACT.or(Roles::MORE));
    match (unknown(clause.items), clause.has(STREAM)) {
        (0..=2, true) => Some(Tier::Likely),
        (0, false) if is_sending || clause.has(Roles::GET.or(Roles::MORE)) => Some(Tier::Likely),
        (0, false) if clause.items.len() <= 4 => Some(Tier::Unsure),
        _ => None,
    }
}

/// Whether something is denied that one could wish for or receive.
fn is_unwanted(clause: &Clause<'_>) -> bool {
    let has_no_wish = clause.items.windows(2).any(|pair| matches!(pair, [no, wish] if no.has(Roles::NO) && wish.has(Roles::WANT)));
    let is_unreceived = clause.has(Roles::WANT.or(Roles::MORE)) && clause.denied_places(Roles::GET).next().is_some();
    has_no_wish || is_unreceived || clause.has(Roles::WANT_NOT) || clause.denied_places(Roles::WANT).next().is_some()
}

/// "No more messages", "no texts please".
fn no_more(clause: &Clause<'_>) -> Option<Tier> {
    let none = clause.items.iter().position(|item| item.has(Roles::NO))?;
    let is_near = clause.places(Roles::MESSAGE).any(|at| at != none && clause.between(none, at).len() <= 3);
    let says_when = clause.has(Roles::MORE.or(Roles::WANT).or(Roles::POLITE)) || clause.at(none).has(Roles::MORE);
    let is_short = clause.is_only && clause.items.len() <= 3;
    let is_report = clause.has(Roles::GET) && !clause.has(Roles::WANT.or(Roles::MORE));
    let holds = is_near && (says_when || is_short) && !is_report && !clause.is_question && unknown(clause.items) == 0;
    (holds && !is_ending_denied(clause)).then_some(Tier::Likely)
}

/// "Cancel the subscription." Whose, and to what, can be a paid one: then a person looks.
fn cancel_subscription(clause: &Clause<'_>) -> Option<Tier> {
    clause.places(Roles::CANCEL).next()?;
    let is_clear = clause.has(STREAM.or(Roles::GET)) && unknown(clause.items) == 0;
    let is_own = clause.has(Roles::ME) && !clause.has(Roles::MESSAGE) && clause.language == Language::English;
    is_clear.then_some(if is_own { Tier::Unsure } else { Tier::Likely })
}

/// "You have the wrong number", "this is no longer her number", and nothing else: it asks for nothing, so a person looks.
fn wrong_number(clause: &Clause<'_>) -> Option<Tier> {
    let is_old = clause.has(Roles::NUMBER) && clause.items.iter().any(|item| item.has(Roles::NOT) && item.has(Roles::MORE));
    let is_clear = unknown(clause.items) <= 1 && !clause.is_question && !is_foreign(clause.items);
    ((is_old || clause.has(Roles::WRONG_NUMBER)) && is_clear).then_some(Tier::Unsure)
}

/// "This is spam."
fn complaint(clause: &Clause<'_>) -> Option<Tier> {
    let is_clear = unknown(clause.items) == 0 && !clause.is_question && clause.items.len() <= 6;
    is_clear.then_some(Tier::Unsure)
}

/// "Not interested stop": a reason, and a stop behind it without a comma.
fn stop_at_last(clause: &Clause<'_>) -> Option<Tier> {
    let reasons = Roles::WANT_NOT.or(Roles::WRONG_NUMBER).or(Roles::SPAM).or(Roles::LEAVE_ME);
    let stop = clause.places(Roles::STOP).last().filter(|stop| !is_noun(clause, *stop))?;
    let is_backed = clause.before(stop).iter().any(|item| item.has(reasons));
    let is_last = clause.after(stop).iter().all(|item| item.has(Roles::BARE.or(Roles::POLITE)));
    (is_backed && is_last && unknown(clause.items) == 0).then_some(Tier::Likely)
}

/// After an article the word for stopping is a noun: the next stop.
pub(super) fn is_noun(clause: &Clause<'_>, at: usize) -> bool {
    at > 0 && clause.at(at - 1).has(Roles::ARTICLE) && !clause.at(at - 1).has(Roles::ME)
}

/// "Do not stop sending": what is denied is the stopping.
fn is_ending_denied(clause: &Clause<'_>) -> bool {
    clause.denied_places(ENDING).any(|at| !clause.at(at).has(Roles::SEND)) || clause.has(Roles::STOP_NOT)
}
