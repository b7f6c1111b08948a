//! Inbox: reports lead forward in whatever order they come, and who wants messages again gets back what they gave up, and no more.

use std::collections::BTreeSet;

use gatepost::{
    Actor, Cause, ContactState, Delivery, Effect, ErrorClass, Fact, Facts, Input, MessageStatus, Origin, Outcome, Policy, Progress,
    Purpose, Response, Reviewed, RuleId, Step, Subject, Timestamp, Verdict, Wish, decide, expiry, suspicion_holds,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{NOON, facts, now, policy, subject};

fn reports() -> impl Strategy<Value = Vec<Progress>> {
    vec(select(&Progress::ALL[..]), 0..12)
}

/// Every status that a message has, one report after another.
fn way(first: MessageStatus, reports: &[Progress]) -> Vec<MessageStatus> {
    let mut way = vec![first];
    for report in reports {
        let status = way[way.len() - 1];
        way.push(status.after(*report).unwrap_or(status));
    }
    way
}

/// Of a message that left, or may have.
const LEFT: [MessageStatus; 6] = [
    MessageStatus::Sending,
    MessageStatus::Unknown,
    MessageStatus::Sent,
    MessageStatus::Failed,
    MessageStatus::Delivered,
    MessageStatus::Read,
];

const RESPONSES: [Response; 6] = [
    Response::OptOut(Cause::Keyword),
    Response::OptOut(Cause::UserPreference),
    Response::OptIn,
    Response::Resume,
    Response::Suspect,
    Response::Nothing,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn reports_lead_to_the_same_end_in_any_order(
        first in select(&LEFT[..]), (reports, shuffled) in reports().prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle()))
    ) {
        prop_assert_eq!(way(first, &reports).pop(), way(first, &shuffled).pop());
    }

    #[test]
    fn a_message_never_comes_back_to_a_status(first in select(&MessageStatus::ALL[..]), reports in reports()) {
        let mut way = way(first, &reports);
        way.dedup();
        let seen: BTreeSet<&str> = way.iter().map(|status| status.as_str()).collect();
        prop_assert_eq!(seen.len(), way.len(), "{:?}", way);
    }

    #[test]
    fn what_arrived_has_arrived(first in select(&LEFT[..]), reports in reports()) {
        let arrives = |report: &Progress| matches!(report, Progress::Delivered | Progress::Read | Progress::Played);
        let arrived = |status: MessageStatus| matches!(status, MessageStatus::Delivered | MessageStatus::Read);
        let end = way(first, &reports).pop().unwrap_or(first);
        prop_assert_eq!(arrived(end), arrived(first) || reports.iter().any(arrives));
    }

    #[test]
    fn what_nobody_sent_stays_as_it_is(first in select(vec![MessageStatus::Held, MessageStatus::Refused]), reports in reports()) {
        prop_assert_eq!(way(first, &reports).pop(), Some(first));
    }

    #[test]
    fn the_confirmation_waits_for_nobody(policy in policy(), facts in facts(), subject in subject(), now in now()) {
        let decision = decide(&policy, &facts, &Subject { origin: Origin::Confirmation, ..subject }, now);
        let is_blind = decision.deciding().is_some_and(|reason| reason.rule == RuleId::FactMissing);
        prop_assert!(matches!(decision.verdict, Verdict::Allow | Verdict::Block) || is_blind, "{decision:?}");
    }

    #[test]
    fn a_start_holds_what_decide_holds(policy in policy(), facts in facts(), subject in subject(), now in now(), since_millis in 0..3i64) {
        let since = Timestamp::from_millis(NOON + since_millis);
        let contact = ContactState::Suspected { since };
        let facts = Facts { contact: Fact::Known(contact), ..facts };
        let decision = decide(&policy, &facts, &subject, now);
        let held = decision.reasons.iter().any(|reason| reason.rule == RuleId::OptOutSuspected && reason.effect == Effect::Hold);
        let seen_until = subject.released.then_some(since);
        let is_code = facts.content.known().is_some_and(|findings| findings.one_time_code);
        prop_assert_eq!(suspicion_holds(contact, seen_until, is_code, &subject), held);
    }

    #[test]
    fn a_start_holds_what_a_release_has_not_seen(facts in facts(), subject in subject(), now in now(), since_millis in 0..3i64) {
        let contact = ContactState::Suspected { since: Timestamp::from_millis(NOON + since_millis) };
        let facts = Facts { contact: Fact::Known(contact), ..facts };
        let opened_at = Timestamp::from_millis(NOON + 1);
        let subject = subject.released(Reviewed { opened_at, by: Actor::App, approved_by: None });
        let decision = decide(Policy::usual(), &facts, &subject, now);
        let held = decision.reasons.iter().any(|reason| reason.rule == RuleId::OptOutSuspected && reason.effect == Effect::Hold);
        let is_code = facts.content.known().is_some_and(|findings| findings.one_time_code);
        prop_assert_eq!(suspicion_holds(contact, Some(opened_at), is_code, &subject), held);
        prop_assert!(!held || since_millis > 1);
    }

    #[test]
    fn a_release_answers_the_doubts_that_its_review_shows(subject in subject(), since_millis in 0..9i64, opened_millis in 0..9i64) {
        let [since, opened_at] = [since_millis, opened_millis].map(|millis| Timestamp::from_millis(NOON + millis));
        let holds = |seen_until| suspicion_holds(ContactState::Suspected { since }, seen_until, false, &subject);
        prop_assert_eq!(holds(Some(opened_at)), holds(None) && opened_at < since);
    }

    #[test]
    fn what_is_taken_back_has_its_tries(classes in vec(select(&[ErrorClass::Unreachable, ErrorClass::Paced, ErrorClass::Throttled][..]), 0..12)) {
        let (mut now, mut outcomes) = (Timestamp::from_millis(NOON), Vec::new());
        let expires_at = expiry(Purpose::Support, now);
        let mut delivery = Delivery::waiting(now, expires_at);
        for class in classes {
            now = now.max(delivery.state.due());
            let Ok(Step::GoesOn(started)) = delivery.take(now, now) else { break };
            let outcome = Outcome::Failed { class, retry_after: None };
            let Ok(Step::GoesOn(next)) = started.step(&Input::Finish { fence: started.fence, outcome: outcome.clone(), jitter: 0 }, now) else {
                break;
            };
            outcomes.push(outcome);
            delivery = next;
        }
        let again = Delivery::again(&outcomes, delivery.state.due(), expires_at);
        prop_assert_eq!((again.tries, again.put_off, again.state), (delivery.tries, delivery.put_off, delivery.state));
    }
}

#[test]
fn who_wants_messages_again_gets_back_what_they_gave_up() {
    for response in RESPONSES {
        let lifted: Vec<_> = Cause::ALL.into_iter().filter(|cause| response.lifts(*cause)).collect();
        let expected: &[Cause] = match response {
            Response::OptIn => &[Cause::NaturalLanguage, Cause::Keyword],
            Response::Resume => &[Cause::UserPreference],
            _ => &[],
        };
        assert_eq!(lifted, expected, "{response:?}");
    }
    for cause in Cause::ALL {
        let is_lifted = [Response::OptIn, Response::Resume].iter().any(|response| response.lifts(cause));
        assert_eq!(is_lifted, cause.is_own_wish(), "whoever asked for it may take it back, and nobody else: {cause}");
    }
}

#[test]
fn a_switch_takes_back_what_it_did() {
    let (Response::OptOut(cause), resume) = (Wish::Stop.response(), Wish::Resume.response()) else { panic!("stop is an opt-out") };
    assert!(resume.lifts(cause));
}

#[test]
fn an_opt_out_is_confirmed_once() {
    for response in RESPONSES {
        assert_eq!(response.is_confirmed([]), matches!(response, Response::OptOut(_)), "{response:?}");
        assert!(!response.is_confirmed([Cause::Manual, Cause::NaturalLanguage]), "{response:?}");
    }
    assert!(Response::OptOut(Cause::Keyword).is_confirmed([Cause::UserPreference]), "they never wrote before");
}
