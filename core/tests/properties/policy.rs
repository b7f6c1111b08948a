//! Policy: nothing that should count against a message lets it through, and deciding can be repeated.

use gatepost::{
    Cause, ContactId, ContactState, Decision, Effect, Fact, Facts, InstanceId, MessageId, Origin, PolicyEvent, RuleId, Subject, Timestamp,
    Verdict, Zone, decide, suppression_forbids,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::naive;
use crate::world::{facts, now, policy, subject, suppressed};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn decide_says_what_the_naive_decide_says(policy in policy(), facts in facts(), subject in subject(), now in now()) {
        prop_assert_eq!(decide(&policy, &facts, &subject, now), naive::decide(&policy, &facts, &subject, now));
    }

    #[test]
    fn a_decision_has_one_deciding_reason_unless_it_allows(policy in policy(), facts in facts(), subject in subject(), now in now()) {
        let decision = decide(&policy, &facts, &subject, now);
        let deciding: Vec<_> = decision.reasons.iter().filter(|reason| reason.decides).collect();
        let effect = match decision.verdict {
            Verdict::Allow => None,
            Verdict::Hold => Some(Effect::Hold),
            Verdict::Throttle { .. } => Some(Effect::Throttle),
            Verdict::Block => Some(Effect::Block),
        };
        prop_assert_eq!(deciding.iter().map(|reason| reason.effect).collect::<Vec<_>>(), Vec::from_iter(effect));
        prop_assert!(decision.risk_score <= 100);
    }

    #[test]
    fn a_throttle_ends_later_than_now(policy in policy(), facts in facts(), subject in subject(), now in now()) {
        // The windows are those of the day, so that their ends lie ahead of any moment in it.
        let facts = Facts { usage: Facts::clear(facts.limits, now).usage, ..facts.clone() };
        if let Verdict::Throttle { retry_at } = decide(&policy, &facts, &subject, now).verdict {
            prop_assert!(retry_at > now);
        }
    }

    #[test]
    fn a_suppression_never_turns_anything_else_into_an_allow(
        policy in policy(), facts in facts(), subject in subject(), now in now(), contact in suppressed()
    ) {
        let [before, after] = [ContactState::Reachable, contact]
            .map(|contact| decide(&policy, &Facts { contact: Fact::Known(contact), ..facts.clone() }, &subject, now));
        prop_assert!(strictness(&after) >= strictness(&before));
    }

    #[test]
    fn a_stricter_cause_never_turns_anything_else_into_an_allow(
        policy in policy(), facts in facts(), subject in subject(), now in now(), one in select(&Cause::ALL[..]), other in select(&Cause::ALL[..])
    ) {
        let [before, after] = [one.min(other), one.max(other)].map(|cause| {
            let contact = Fact::Known(ContactState::Suppressed { cause, since: now });
            decide(&policy, &Facts { contact, ..facts.clone() }, &subject, now)
        });
        prop_assert!(strictness(&after) >= strictness(&before));
    }

    #[test]
    fn using_more_quota_never_turns_anything_else_into_an_allow(
        policy in policy(), facts in facts(), subject in subject(), now in now(), day in 0..9u64, month in 0..9u64
    ) {
        let mut more = facts.clone();
        if let Fact::Known(usage) = &mut more.usage {
            usage.day += day;
            usage.month += month;
        }
        let (before, after) = (decide(&policy, &facts, &subject, now), decide(&policy, &more, &subject, now));
        prop_assert!(strictness(&after) >= strictness(&before));
    }

    #[test]
    fn losing_a_fact_never_allows(policy in policy(), facts in facts(), subject in subject(), now in now(), which in 0..7usize) {
        let mut less = facts;
        match which {
            0 => less.key = Fact::Missing,
            1 => less.contact = Fact::Missing,
            2 => less.conversation = Fact::Missing,
            3 => less.content = Fact::Missing,
            4 => less.usage = Fact::Missing,
            5 => less.traffic = Fact::Missing,
            _ => less.velocity = Fact::Missing,
        }
        prop_assert_ne!(decide(&policy, &less, &subject, now).verdict, Verdict::Allow);
    }

    #[test]
    fn a_release_only_ever_answers_holds(policy in policy(), facts in facts(), subject in subject(), now in now()) {
        let [waiting, released] = [false, true].map(|released| decide(&policy, &facts, &Subject { released, ..subject }, now));
        match waiting.verdict {
            Verdict::Hold => prop_assert!(strictness(&released) <= strictness(&waiting)),
            verdict => prop_assert_eq!(released.verdict, verdict),
        }
    }

    #[test]
    fn a_start_refuses_whom_accept_refuses(policy in policy(), facts in facts(), subject in subject(), now in now()) {
        let (Fact::Known(contact), Fact::Known(findings)) = (facts.contact, facts.content.clone()) else { return Ok(()) };
        let refused = decide(&policy, &facts, &subject, now).reasons.iter().any(|reason| reason.rule == RuleId::RecipientSuppressed);
        prop_assert_eq!(suppression_forbids(contact, facts.account.one_time_codes_pass, findings.one_time_code, &subject), refused);
    }

    #[test]
    fn deciding_again_from_the_stored_event_gives_the_same_decision(
        policy in policy(), facts in facts(), subject in subject(), now in now(), bytes in any::<[u8; 16]>()
    ) {
        let decision = decide(&policy, &facts, &subject, now);
        let event = PolicyEvent {
            seq: 7,
            at: now,
            message: (decision.verdict == Verdict::Allow).then_some(MessageId::from_bytes(bytes)),
            instance: InstanceId::from_bytes(bytes),
            contact: ContactId::from_bytes(bytes),
            policy,
            zones: Zone::database_version().into(),
            subject,
            facts,
            decision: decision.clone(),
            shadow: None,
        };
        let stored = serde_json::to_string(&event).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let read: PolicyEvent = serde_json::from_str(&stored).map_err(|error| TestCaseError::fail(format!("{error}: {stored}")))?;
        prop_assert_eq!(&read, &event);
        prop_assert_eq!(read.decide_again(), decision);
    }

    #[test]
    fn exactly_what_was_allowed_is_charged(policy in policy(), facts in facts(), subject in charged(), now in now()) {
        let decision = decide(&policy, &facts, &subject, now);
        let after = facts.clone().after(&decision, now);
        if decision.verdict != Verdict::Allow {
            prop_assert_eq!(after, facts);
            return Ok(());
        }
        let (Fact::Known(used), Fact::Known(charged)) = (facts.usage, after.usage) else { return Err(TestCaseError::fail("allowed blind")) };
        prop_assert_eq!((charged.day, charged.month, charged.windows), (used.day + 1, used.month + 1, used.windows));
        let (Fact::Known(before), Fact::Known(taken)) = (facts.velocity, after.velocity) else { return Err(TestCaseError::fail("allowed blind")) };
        let limits = [facts.limits.account_rate, facts.limits.instance_rate, facts.limits.recipient_rate];
        let pairs = [(before.account, taken.account), (before.instance, taken.instance), (before.recipient, taken.recipient)];
        for (rate, (before, taken)) in limits.into_iter().zip(pairs) {
            let fits = rate.map_or(Ok(before), |rate| rate.take(before, now));
            // A confirmation waits for no limit, and where it does not fit takes nothing from it.
            let expected = if subject.origin == Origin::Confirmation { fits.or(Ok(before)) } else { fits };
            prop_assert_eq!(Ok(taken), expected);
        }
        let (Fact::Known(did), Fact::Known(does)) = (facts.traffic, after.traffic) else { return Err(TestCaseError::fail("allowed blind")) };
        let first = u64::from(did.first_contact);
        prop_assert_eq!((does.sent, does.recipients, does.first_contacts), (did.sent + 1, did.recipients + 1, did.first_contacts + first));
        prop_assert_eq!(Facts { usage: facts.usage, velocity: facts.velocity, traffic: facts.traffic, ..after }, facts);
    }

    #[test]
    fn a_batch_takes_no_more_than_is_left(facts in facts(), subject in charged(), now in now(), messages in 0..20usize) {
        let Fact::Known(before) = facts.usage else { return Ok(()) };
        // The one confirmation of an opt-out waits for no limit.
        prop_assume!(subject.origin != Origin::Confirmation);
        let allowed = allowed_in_order(facts.clone(), &subject, now, messages);
        let left = (facts.limits.per_day.saturating_sub(before.day)).min(facts.limits.per_month.saturating_sub(before.month));
        prop_assert!(allowed <= left, "{allowed} allowed where {left} were left");
    }
}

/// Any but the one confirmation of an opt-out.
fn charged() -> impl Strategy<Value = Subject> {
    subject().prop_filter("the confirmation is not charged", |subject| subject.origin.is_charged())
}

fn allowed_in_order(mut facts: Facts, subject: &Subject, now: Timestamp, messages: usize) -> u64 {
    let mut allowed = 0;
    for _ in 0..messages {
        let decision = decide(&gatepost::Policy::default(), &facts, subject, now);
        allowed += u64::from(decision.verdict == Verdict::Allow);
        facts = facts.clone().after(&decision, now);
    }
    allowed
}

fn strictness(decision: &Decision) -> u8 {
    match decision.verdict {
        Verdict::Allow => 0,
        Verdict::Hold => 1,
        Verdict::Throttle { .. } => 2,
        Verdict::Block => 3,
    }
}
