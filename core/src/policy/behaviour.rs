//! Behaviour: what speaks against a message because of what its account does as a whole.
//!
//! None of it is about the message alone, so each finding is a number of points and nothing more: an honest account that sends a reminder to
//! many of its customers has no trouble. What an account does for long is answered by a pause ([`rate_pause`](crate::rate_pause)).

use super::{Decision, Effect, Evidence, Facts, RuleId, Subject};
use crate::{ContentKind, DeclaredPurpose, Purpose, Timestamp, Traffic, WARM_UP_TIME};

/// The points of each finding.
pub(super) const SAME_TEXT: u8 = 25;
pub(super) const FIRST_CONTACT_SHARE: u8 = 15;
pub(super) const FAN_OUT: u8 = 10;
pub(super) const WARM_UP: u8 = 20;
pub(super) const FAILURE_RATE: u8 = 15;
pub(super) const OPT_OUT_RATE: u8 = 25;
pub(super) const BLOCK_RATE: u8 = 20;

/// So many others make the same text one for many.
const SAME_TEXT_FROM: u64 = 20;
/// A share of first contacts says something from so many messages on.
const FIRST_CONTACTS_OF: u64 = 50;
const FIRST_CONTACTS_PERCENT: u64 = 50;
/// So many people in two hours are a crowd where they are more than so many times those of the busiest day.
const FAN_OUT_FROM: u64 = 100;
const FAN_OUT_TIMES: u64 = 2;
/// A new account may write to so many people a day for the first time.
const WARM_UP_FIRST_CONTACTS: u64 = 50;
const FAILURES_OF: u64 = 50;
const FAILURES_PERCENT: u64 = 10;
const OPT_OUTS_OF: u64 = 200;
const OPT_OUTS_PERCENT: u64 = 2;
/// So many opt-outs say something, of however few.
const OPT_OUTS_OF_FEW: u64 = 5;
const BLOCKS_OF: u64 = 100;
const BLOCKS_PERCENT: u64 = 5;

/// The same text to many people who never wrote. A one-time code is the same for all who ask for one.
pub(super) fn find_same_text(facts: &Facts, subject: &Subject, _: Timestamp) -> Option<Evidence> {
    let traffic = facts.traffic.known()?;
    let is_code = facts.content.known().is_some_and(|findings| findings.one_time_code);
    let is_asked_for = is_code && subject.purpose == DeclaredPurpose::Allowed(Purpose::Authentication);
    let has_words = matches!(subject.content, ContentKind::Interactive | ContentKind::Media | ContentKind::Text);
    let is_for_many = traffic.same_text >= SAME_TEXT_FROM && are_mostly_first_contacts(traffic);
    (has_words && is_for_many && !is_asked_for).then_some(Evidence::Count(traffic.same_text))
}

/// Most of what is sent goes to people who never wrote.
pub(super) fn find_first_contact_share(facts: &Facts) -> Option<Evidence> {
    let traffic = facts.traffic.known()?;
    find_share(traffic.first_contacts, traffic.sent, FIRST_CONTACTS_PERCENT, FIRST_CONTACTS_OF)
}

/// In two hours far more people than on the busiest day before.
pub(super) fn find_fan_out(facts: &Facts) -> Option<Evidence> {
    let Traffic { recent_recipients: count, busiest_day: of, .. } = *facts.traffic.known()?;
    (count >= FAN_OUT_FROM && count > of.saturating_mul(FAN_OUT_TIMES)).then_some(Evidence::Share { count, of })
}

/// A new account that does not begin slowly.
pub(super) fn find_warm_up(facts: &Facts, _: &Subject, now: Timestamp) -> Option<Evidence> {
    let traffic = facts.traffic.known()?;
    let is_new = traffic.account_since.is_some_and(|since| now < since.plus(WARM_UP_TIME));
    (is_new && traffic.first_contacts_today > WARM_UP_FIRST_CONTACTS).then_some(Evidence::Count(traffic.first_contacts_today))
}

/// Much of what is sent is not delivered.
pub(super) fn find_failure_rate(facts: &Facts) -> Option<Evidence> {
    let traffic = facts.traffic.known()?;
    find_share(traffic.failed, traffic.sent, FAILURES_PERCENT, FAILURES_OF)
}

/// Many of whom is written to ask to be left alone.
pub(super) fn find_opt_out_rate(facts: &Facts) -> Option<Evidence> {
    let Traffic { opted_out: count, recipients: of, .. } = *facts.traffic.known()?;
    let are_many_of_few = of < OPT_OUTS_OF && count >= OPT_OUTS_OF_FEW;
    find_share(count, of, OPT_OUTS_PERCENT, OPT_OUTS_OF).or(are_many_of_few.then_some(Evidence::Share { count, of }))
}

/// Much of what is to be sent is blocked.
pub(super) fn find_block_rate(facts: &Facts) -> Option<Evidence> {
    let traffic = facts.traffic.known()?;
    find_share(traffic.blocked, traffic.sent.saturating_add(traffic.blocked), BLOCKS_PERCENT, BLOCKS_OF)
}

/// Half of them or more, of at least one.
const fn are_mostly_first_contacts(traffic: &Traffic) -> bool {
    traffic.first_contacts > 0 && traffic.first_contacts.saturating_mul(2) >= traffic.sent
}

fn find_share(count: u64, of: u64, percent: u64, least: u64) -> Option<Evidence> {
    (of >= least && count.saturating_mul(100) >= of.saturating_mul(percent)).then_some(Evidence::Share { count, of })
}

impl Decision {
    /// Whether it counts against the account: it is a block for what the message is or for whom it is to. A number that is not connected,
    /// or an account that is paused, says nothing of how anybody behaves.
    pub fn is_block_for_conduct(&self) -> bool {
        self.reasons.iter().any(|reason| reason.effect == Effect::Block && !is_about_state(reason.rule))
    }
}

const fn is_about_state(rule: RuleId) -> bool {
    matches!(
        rule,
        RuleId::KeyNotInForce
            | RuleId::AccountSuspended
            | RuleId::AccountPaused
            | RuleId::InstancePaused
            | RuleId::InstanceNotConnected
            | RuleId::ConversationWindowClosed
    )
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::{Fact, Findings, Mode, Origin, Plan, Policy, RefusedPurpose, decide};

    const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);

    fn facts(traffic: Traffic) -> Facts {
        Facts { traffic: Fact::Known(traffic), ..Facts::clear(Plan::Scale.limits(), NOW) }
    }

    fn subject(purpose: Purpose, content: ContentKind) -> Subject {
        Subject { purpose: purpose.into(), content, origin: Origin::App, mode: Mode::Live, released: false, reviewed: None }
    }

    fn support() -> Subject {
        subject(Purpose::Support, ContentKind::Text)
    }

    #[track_caller]
    fn check<const N: usize>(find: impl Fn(&Facts) -> Option<Evidence>, rows: [(Traffic, Option<Evidence>); N]) {
        for (traffic, expected) in rows {
            assert_eq!(find(&facts(traffic)), expected, "{traffic:?}");
        }
    }

    const fn share(count: u64, of: u64) -> Option<Evidence> {
        Some(Evidence::Share { count, of })
    }

    const NONE: Traffic = Traffic::NONE;

    #[test]
    fn the_same_text_counts_from_twenty_others_where_most_are_first_contacts() {
        check(
            |facts| find_same_text(facts, &support(), NOW),
            [
                (Traffic { same_text: 20, sent: 40, first_contacts: 20, ..NONE }, Some(Evidence::Count(20))),
                (Traffic { same_text: 19, sent: 40, first_contacts: 40, ..NONE }, None),
                (Traffic { same_text: 500, sent: 1_000, first_contacts: 499, ..NONE }, None),
                (Traffic { same_text: 500, ..NONE }, None),
            ],
        );
    }

    #[test]
    fn a_one_time_code_and_a_template_are_the_same_for_all() {
        let traffic = Traffic { same_text: 500, sent: 500, first_contacts: 500, ..NONE };
        let code = Facts { content: Fact::Known(Findings { one_time_code: true, ..Findings::default() }), ..facts(traffic) };
        let find = |facts: &Facts, purpose, content| find_same_text(facts, &subject(purpose, content), NOW).is_some();
        assert!(!find(&code, Purpose::Authentication, ContentKind::Text));
        assert!(find(&code, Purpose::Support, ContentKind::Text));
        assert!(find(&facts(traffic), Purpose::Authentication, ContentKind::Text));
        assert!(!find(&facts(traffic), Purpose::Support, ContentKind::Template));
    }

    #[test]
    fn first_contacts_count_from_half_of_fifty_on() {
        check(
            find_first_contact_share,
            [
                (Traffic { sent: 50, first_contacts: 25, ..NONE }, share(25, 50)),
                (Traffic { sent: 50, first_contacts: 24, ..NONE }, None),
                (Traffic { sent: 49, first_contacts: 49, ..NONE }, None),
            ],
        );
    }

    #[test]
    fn a_crowd_counts_where_it_is_far_more_than_the_busiest_day() {
        check(
            find_fan_out,
            [
                (Traffic { recent_recipients: 100, ..NONE }, share(100, 0)),
                (Traffic { recent_recipients: 99, ..NONE }, None),
                (Traffic { recent_recipients: 401, busiest_day: 200, ..NONE }, share(401, 200)),
                (Traffic { recent_recipients: 400, busiest_day: 200, ..NONE }, None),
            ],
        );
    }

    #[test]
    fn a_new_account_may_meet_fifty_people_a_day() {
        let since = |days: u64| Some(NOW.minus(Duration::from_secs(days * 86_400)));
        check(
            |facts| find_warm_up(facts, &support(), NOW),
            [
                (Traffic { account_since: since(6), first_contacts_today: 51, ..NONE }, Some(Evidence::Count(51))),
                (Traffic { account_since: since(6), first_contacts_today: 50, ..NONE }, None),
                (Traffic { account_since: since(7), first_contacts_today: 51, ..NONE }, None),
                (Traffic { first_contacts_today: 51, ..NONE }, None),
            ],
        );
    }

    #[test]
    fn failures_count_from_a_tenth_of_fifty_on() {
        check(
            find_failure_rate,
            [
                (Traffic { sent: 50, failed: 5, ..NONE }, share(5, 50)),
                (Traffic { sent: 50, failed: 4, ..NONE }, None),
                (Traffic { sent: 49, failed: 49, ..NONE }, None),
            ],
        );
    }

    #[test]
    fn opt_outs_count_from_a_fiftieth_of_two_hundred_on_and_from_five_of_fewer() {
        check(
            find_opt_out_rate,
            [
                (Traffic { recipients: 200, opted_out: 4, ..NONE }, share(4, 200)),
                (Traffic { recipients: 200, opted_out: 3, ..NONE }, None),
                (Traffic { recipients: 199, opted_out: 4, ..NONE }, None),
                (Traffic { recipients: 199, opted_out: 5, ..NONE }, share(5, 199)),
                (Traffic { recipients: 1_000, opted_out: 19, ..NONE }, None),
            ],
        );
    }

    #[test]
    fn blocks_count_from_a_twentieth_of_a_hundred_on() {
        check(
            find_block_rate,
            [
                (Traffic { sent: 95, blocked: 5, ..NONE }, share(5, 100)),
                (Traffic { sent: 96, blocked: 4, ..NONE }, None),
                (Traffic { sent: 0, blocked: 99, ..NONE }, None),
            ],
        );
    }

    #[test]
    fn all_that_an_account_can_do_asks_for_a_review_and_never_for_a_block() {
        let traffic = Traffic {
            account_since: Some(NOW),
            sent: 1_000,
            recipients: 1_000,
            first_contacts: 1_000,
            first_contacts_today: 1_000,
            failed: 200,
            opted_out: 100,
            blocked: 200,
            recent_recipients: 1_000,
            same_text: 1_000,
            ..NONE
        };
        let decision = decide(&Policy::default(), &facts(traffic), &support(), NOW);
        assert_eq!((decision.verdict, decision.reasons.len(), decision.risk_score), (crate::Verdict::Hold, 8, 75));
    }

    #[test]
    fn only_a_block_for_what_is_sent_or_to_whom_counts_against_the_account() {
        let clear = facts(NONE);
        let marketing = Subject { purpose: DeclaredPurpose::Refused(RefusedPurpose::Marketing), ..support() };
        let mut paused = clear.clone();
        paused.account.paused = true;
        let counts = |facts, subject| decide(&Policy::default(), facts, subject, NOW).is_block_for_conduct();
        let shown = [counts(&clear, &support()), counts(&clear, &marketing), counts(&paused, &support()), counts(&paused, &marketing)];
        assert_eq!(shown, [false, true, false, true]);
    }
}
