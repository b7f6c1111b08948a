//! Risk: how what was found in a content adds up, and what that leads to.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use std::collections::BTreeMap;

use gatepost::{
    Category, ContentKind, Decision, Effect, Evidence, Fact, Facts, Family, Finding, Findings, Group, Heard, Part, Plan, Policy, Purpose,
    Request, RuleId, Signal, Span, Subject, Timestamp, Tone, Verdict, Wording, decide,
};

fn now() -> Timestamp {
    Timestamp::from_millis(1_795_348_800_000)
}

fn subject() -> Subject {
    Request::text("desk", "+999501234567".parse().unwrap(), Purpose::Support, "x".parse().unwrap()).subject()
}

const AT: Span = Span { part: Part::Body, start: 0, length: 1 };

fn found(signals: &[Signal]) -> Findings {
    let mut signals = signals.to_vec();
    signals.sort();
    Findings { found: signals.into_iter().map(|signal| Finding { signal, at: AT, times: 1 }).collect(), ..Findings::default() }
}

fn heard(margin: i16) -> Findings {
    Findings { tone: Some(Heard { tone: Tone { family: Family::Marketing, margin }, at: AT }), ..Findings::default() }
}

fn judge(policy: &Policy, findings: Findings, subject: &Subject) -> Decision {
    decide(policy, &Facts { content: Fact::Known(findings), ..Facts::clear(Plan::Starter.limits(), now()) }, subject, now())
}

fn usual(findings: Findings) -> Decision {
    judge(Policy::usual(), findings, &subject())
}

#[test]
fn points_of_a_group_add_up_as_far_as_its_cap() {
    let one = usual(found(&[Signal::Offer]));
    assert_eq!((one.verdict, one.risk_score), (Verdict::Allow, RuleId::Offer.points()));
    let both = usual(found(&[Signal::Offer, Signal::BuyNow]));
    assert_eq!((both.verdict, both.risk_score), (Verdict::Allow, Group::Marketing.cap()));
    assert!(RuleId::Offer.points() + RuleId::BuyNow.points() > Group::Marketing.cap());
}

#[test]
fn groups_add_up_to_a_review_and_to_a_block() {
    let review = usual(found(&[Signal::Prize, Signal::LinkShortener]));
    assert_eq!((review.verdict, review.risk_score), (Verdict::Hold, 65));
    assert_eq!(review.deciding().map(|reason| reason.rule), Some(RuleId::RiskReview));
    let block = usual(found(&[Signal::Prize, Signal::FeeFirst, Signal::LinkNumericHost]));
    assert_eq!((block.verdict, block.risk_score), (Verdict::Block, 100));
    let reason = block.deciding().unwrap();
    assert_eq!((reason.rule, reason.evidence), (RuleId::RiskBlock, Evidence::Score { score: 100, from: 80 }));
}

#[test]
fn the_same_found_twice_is_surer() {
    let twice = Findings { found: vec![Finding { signal: Signal::Offer, at: AT, times: 2 }], ..Findings::default() };
    assert_eq!(usual(twice).risk_score, (RuleId::Offer.points() + RuleId::Offer.points() / 2).min(Group::Marketing.cap()));
}

#[test]
fn a_link_to_a_program_is_blocked_by_itself() {
    let decision = usual(found(&[Signal::LinkExecutable]));
    assert_eq!((decision.verdict, decision.category()), (Verdict::Block, Category::HarmfulLink));
    assert!(!decision.may_change());
}

#[test]
fn the_model_never_blocks_alone() {
    let loud = usual(heard(i16::MAX));
    assert_eq!((loud.verdict, loud.risk_score), (Verdict::Hold, Group::Wording.cap()));
    assert_eq!(loud.category(), Category::Marketing);
    assert_eq!(usual(heard(0)).reasons, []);
    assert_eq!(usual(heard(-500)).verdict, Verdict::Allow);
}

#[test]
fn how_sure_the_model_must_be_is_a_setting() {
    let policy = Policy { wording: Wording { from: 100, full: 300 }, ..Policy::default() };
    assert_eq!(judge(&policy, heard(100), &subject()).risk_score, 0);
    assert_eq!(judge(&policy, heard(200), &subject()).risk_score, 25);
    assert_eq!(judge(&policy, heard(300), &subject()).risk_score, 50);
}

#[test]
fn a_policy_cannot_ask_for_margins_that_nobody_tells() {
    let policy = |from| Policy { wording: Wording { from, full: 300 }, ..Policy::default() };
    assert_eq!(policy(Tone::HEARD_FROM).check(), Ok(()));
    assert_eq!(policy(Tone::HEARD_FROM - 1).check().unwrap_err().field, "wording.from");
}

#[test]
fn points_and_caps_are_settings() {
    let policy = Policy {
        points: BTreeMap::from([(RuleId::Offer, 0), (RuleId::Hurry, 45)]),
        caps: BTreeMap::from([(Group::Fraud, 40)]),
        ..Policy::default()
    };
    assert_eq!(judge(&policy, found(&[Signal::Offer]), &subject()).reasons, []);
    assert_eq!(judge(&policy, found(&[Signal::Hurry]), &subject()).risk_score, 40);
}

#[test]
fn whoever_released_a_message_has_seen_its_risk() {
    let released = Subject { released: true, ..subject() };
    let decision = judge(Policy::usual(), found(&[Signal::Prize, Signal::LinkShortener]), &released);
    assert_eq!((decision.verdict, decision.risk_score), (Verdict::Allow, 65));
    assert!(decision.reasons.iter().any(|reason| reason.rule == RuleId::RiskReview && reason.effect == Effect::Note));
}

#[test]
fn what_speaks_for_a_message_is_shown_with_no_points() {
    let own = usual(Findings { own_links: true, ..Findings::default() });
    let shown: Vec<_> = own.reasons.iter().map(|reason| (reason.rule, reason.effect, reason.points)).collect();
    assert_eq!(shown, [(RuleId::LinksTrusted, Effect::Note, 0)]);
    let template = judge(Policy::usual(), Findings::default(), &Subject { content: ContentKind::Template, ..subject() });
    let shown: Vec<_> = template.reasons.iter().map(|reason| (reason.rule, reason.effect, reason.points)).collect();
    assert_eq!(shown, [(RuleId::TemplateApproved, Effect::Note, 0)]);
}

#[test]
fn every_rule_that_stops_says_what_would_change_it() {
    for rule in RuleId::ALL {
        assert_eq!(rule.remedy().is_none(), matches!(rule, RuleId::LinksTrusted | RuleId::TemplateApproved), "{rule}");
        assert_eq!(rule.as_str().parse(), Ok(*rule));
    }
}

#[test]
fn the_category_is_what_most_points_speak_for() {
    let category = |signals: &[Signal]| usual(found(signals)).category();
    assert_eq!(category(&[]), Category::Ok);
    assert_eq!(category(&[Signal::Offer]), Category::Ok, "it was not stopped");
    assert_eq!(category(&[Signal::SecretRequest, Signal::VerifyRequest, Signal::LinkBait]), Category::Phishing);
    assert_eq!(category(&[Signal::Prize, Signal::PaymentTrick, Signal::LinkShortener]), Category::Scam);
    assert_eq!(category(&[Signal::LinkNumericHost]), Category::HarmfulLink);
    assert_eq!(category(&[Signal::Vote, Signal::Campaign, Signal::Hurry, Signal::LinkUnnamed]), Category::Political);
}
