//! Decisions: what the rules say about a message, as scenarios in text and answers in text.
//!
//! A scenario lists what differs from a clear case: an app's support text from an open sandbox instance of a Starter account, to
//! somebody who never wrote, at noon of 2026-11-22. The answer lists the verdict, the risk and every reason, the deciding one with
//! a star. A line that [`World::tell`] does not know fails the test, so a scenario cannot mean less than it says.

#![allow(clippy::unwrap_used, reason = "a scenario that cannot be read fails its test")]

use std::fmt::Write as _;

use gatepost::{
    Connection, ContactState, Content, ConversationWindow, Decision, DeclaredPurpose, Effect, Evidence, Fact, Facts, Gate, Group, KeyState,
    Limits, Mode, Origin, Plan, Policy, Rate, Reason, Request, RuleId, Sender, StartFacts, Subject, Tat, Timestamp, Verdict, decide,
    examine, may_start,
};

#[test]
fn a_clear_message_is_allowed() {
    check("", "allow, risk 0");
}

#[test]
fn every_allowed_purpose_is_allowed() {
    check("purpose is transactional", "allow, risk 0");
    check("purpose is operational", "allow, risk 0");
    check("purpose is support", "allow, risk 0");
    check("purpose is internal_team", "allow, risk 0");
    check("purpose is authentication", "allow, risk 0");
}

#[test]
fn every_refused_purpose_is_refused_by_name() {
    check("purpose is marketing", "block, risk 90\n* purpose_not_allowed: block, marketing");
    check("purpose is promotion", "block, risk 90\n* purpose_not_allowed: block, promotion");
    check("purpose is cold_outreach", "block, risk 90\n* purpose_not_allowed: block, cold_outreach");
    check("purpose is bulk_campaign", "block, risk 90\n* purpose_not_allowed: block, bulk_campaign");
    check("purpose is political", "block, risk 90\n* purpose_not_allowed: block, political");
    check("purpose is unknown", "block, risk 90\n* purpose_not_allowed: block, unknown");
}

#[test]
fn a_key_that_ended_since_the_caller_was_let_in_sends_nothing() {
    check("key is revoked", "block, risk 0\n* key_not_in_force: block");
    check("key is expired", "block, risk 0\n* key_not_in_force: block");
}

#[test]
fn a_suspended_account_sends_nothing() {
    check("account is suspended", "block, risk 90\n* account_suspended: block");
}

#[test]
fn a_paused_account_sends_nothing() {
    check("account is paused", "block, risk 0\n* account_paused: block");
}

#[test]
fn a_paused_instance_sends_nothing() {
    check("instance is paused", "block, risk 0\n* instance_paused: block");
}

#[test]
fn an_instance_that_is_not_open_sends_nothing() {
    check("instance is connecting", "block, risk 0\n* instance_not_connected: block, connecting");
    check("instance is closed", "block, risk 0\n* instance_not_connected: block, closed");
}

#[test]
fn nobody_who_opted_out_is_written_to_for_any_purpose() {
    for purpose in ["transactional", "operational", "support", "internal_team", "authentication"] {
        check(
            &format!("recipient is suppressed by keyword\npurpose is {purpose}"),
            "block, risk 90\n* recipient_suppressed: block, keyword",
        );
    }
}

#[test]
fn a_suppression_names_its_cause() {
    check("recipient is suppressed by user_preference", "block, risk 90\n* recipient_suppressed: block, user_preference");
    check("recipient is suppressed by natural_language", "block, risk 90\n* recipient_suppressed: block, natural_language");
    check("recipient is suppressed by number_reassigned", "block, risk 90\n* recipient_suppressed: block, number_reassigned");
    check("recipient is suppressed by manual", "block, risk 90\n* recipient_suppressed: block, manual");
    check("recipient is suppressed by complaint", "block, risk 90\n* recipient_suppressed: block, complaint");
    check("recipient is suppressed by legal", "block, risk 90\n* recipient_suppressed: block, legal");
}

#[test]
fn a_one_time_code_reaches_who_opted_out_by_their_own_wish() {
    for cause in ["keyword", "natural_language", "user_preference"] {
        check(&format!("recipient is suppressed by {cause}\npurpose is authentication\ntext is Your code is 482913."), "allow, risk 0");
    }
}

#[test]
fn an_authentication_template_counts_as_a_one_time_code() {
    check("recipient is suppressed by keyword\npurpose is authentication\ntemplate is authentication", "allow, risk 0");
    check(
        "recipient is suppressed by keyword\npurpose is authentication\ntemplate is ordinary",
        "block, risk 90\n* recipient_suppressed: block, keyword",
    );
}

#[test]
fn no_code_reaches_who_is_blocked_for_a_stricter_cause() {
    for cause in ["number_reassigned", "manual", "complaint", "legal"] {
        check(
            &format!("recipient is suppressed by {cause}\npurpose is authentication\ntext is Your code is 482913."),
            &format!("block, risk 90\n* recipient_suppressed: block, {cause}"),
        );
    }
}

#[test]
fn a_text_that_is_no_code_does_not_pass_as_one() {
    check(
        "recipient is suppressed by keyword\npurpose is authentication\ntext is We look forward to it.",
        "block, risk 90\n* recipient_suppressed: block, keyword",
    );
}

#[test]
fn a_code_with_a_link_does_not_pass() {
    check(
        "recipient is suppressed by keyword\npurpose is authentication\ntext is Your code is 482913, see https://example.com/in",
        "block, risk 90\n* recipient_suppressed: block, keyword",
    );
}

#[test]
fn a_code_for_another_purpose_does_not_pass() {
    check(
        "recipient is suppressed by keyword\npurpose is transactional\ntext is Your code is 482913.",
        "block, risk 90\n* recipient_suppressed: block, keyword",
    );
}

#[test]
fn a_code_from_3cx_does_not_pass() {
    check(
        "recipient is suppressed by keyword\nrecipient wrote 2 hours ago\npurpose is authentication\ntext is Your code is 482913.\ncaller is 3cx",
        "block, risk 90\n* recipient_suppressed: block, keyword",
    );
}

#[test]
fn no_code_passes_where_the_operator_withdrew_it() {
    check(
        "recipient is suppressed by keyword\npurpose is authentication\ntext is Your code is 482913.\naccount withdrew one-time codes",
        "block, risk 90\n* recipient_suppressed: block, keyword",
    );
}

#[test]
fn a_content_that_could_not_be_examined_does_not_pass_as_a_code() {
    check(
        "recipient is suppressed by keyword\npurpose is authentication\ntext is Your code is 482913.\nunreadable content",
        "
        block, risk 90
        * recipient_suppressed: block, keyword
          fact_missing: hold, content
        ",
    );
}

#[test]
fn free_content_through_the_cloud_api_needs_an_open_window() {
    check("provider is cloud_api", "block, risk 0\n* conversation_window_closed: block");
    check("provider is cloud_api\nrecipient wrote 23 hours ago", "allow, risk 0");
    check("provider is cloud_api\nrecipient wrote 24 hours ago", "block, risk 0\n* conversation_window_closed: block");
}

#[test]
fn a_template_needs_no_window() {
    check("provider is cloud_api\ntemplate is ordinary", "allow, risk 0");
}

#[test]
fn other_providers_need_no_window() {
    check("provider is evolution", "allow, risk 0");
    check("provider is sandbox", "allow, risk 0");
}

#[test]
fn an_agent_of_3cx_replies_only_inside_the_window_whoever_carries_it() {
    check("caller is 3cx\nprovider is evolution", "block, risk 0\n* conversation_window_closed: block");
    check("caller is 3cx\nprovider is cloud_api\ntemplate is ordinary", "block, risk 0\n* conversation_window_closed: block");
    check("caller is 3cx\nprovider is evolution\nrecipient wrote 2 hours ago", "allow, risk 0");
    check("caller is 3cx without strict window\nprovider is evolution", "allow, risk 0");
    check("caller is 3cx without strict window\nprovider is cloud_api", "block, risk 0\n* conversation_window_closed: block");
}

#[test]
fn a_plan_allows_what_was_published_and_not_one_more() {
    for (plan, day, month) in [("starter", 100, 2_000), ("growth", 500, 10_000), ("scale", 1_500, 30_000)] {
        check(&format!("plan is {plan}\nused {} today and {} this month", day - 1, month - 1), "allow, risk 0");
        check(
            &format!("plan is {plan}\nused {day} today and {} this month", month - 1),
            &format!("throttle until 2026-11-23T00:00:00Z, risk 0\n* daily_limit: throttle, {day} of {day} until 2026-11-23T00:00:00Z"),
        );
        check(
            &format!("plan is {plan}\nused {} today and {month} this month", day - 1),
            &format!(
                "throttle until 2026-12-01T00:00:00Z, risk 0\n* monthly_limit: throttle, {month} of {month} until 2026-12-01T00:00:00Z"
            ),
        );
    }
}

#[test]
fn custom_limits_replace_the_published_ones_and_their_rates() {
    check("plan is 5 a day and 10 a month\naccount just sent 1000", "allow, risk 0");
    check(
        "plan is 5 a day and 10 a month\nused 5 today and 5 this month",
        "throttle until 2026-11-23T00:00:00Z, risk 0\n* daily_limit: throttle, 5 of 5 until 2026-11-23T00:00:00Z",
    );
    check(
        "plan is 0 a day and 0 a month",
        "
        throttle until 2026-12-01T00:00:00Z, risk 0
        * monthly_limit: throttle, 0 of 0 until 2026-12-01T00:00:00Z
          daily_limit: throttle, 0 of 0 until 2026-11-23T00:00:00Z
        ",
    );
}

#[test]
fn an_account_that_sends_too_fast_waits_for_its_next_slot() {
    check("account just sent 29", "allow, risk 0");
    check("account just sent 30", "throttle until 2026-11-22T12:00:02Z, risk 0\n* account_velocity: throttle, until 2026-11-22T12:00:02Z");
}

#[test]
fn an_instance_that_sends_too_fast_waits_for_its_next_slot() {
    check("instance just sent 29", "allow, risk 0");
    check(
        "instance just sent 30",
        "throttle until 2026-11-22T12:00:04Z, risk 0\n* instance_velocity: throttle, until 2026-11-22T12:00:04Z",
    );
}

#[test]
fn nobody_is_written_to_more_than_ten_times_in_ten_minutes() {
    check("recipient just got 9", "allow, risk 0");
    check(
        "recipient just got 10",
        "throttle until 2026-11-22T12:01:00Z, risk 0\n* recipient_velocity: throttle, until 2026-11-22T12:01:00Z",
    );
}

#[test]
fn of_several_throttles_the_longest_wait_decides() {
    check(
        "used 100 today and 100 this month\naccount just sent 30\nrecipient just got 10",
        "
        throttle until 2026-11-23T00:00:00Z, risk 0
        * daily_limit: throttle, 100 of 100 until 2026-11-23T00:00:00Z
          account_velocity: throttle, until 2026-11-22T12:00:02Z
          recipient_velocity: throttle, until 2026-11-22T12:01:00Z
        ",
    );
    check(
        "account just sent 30\ninstance just sent 30\nrecipient just got 10",
        "
        throttle until 2026-11-22T12:01:00Z, risk 0
          account_velocity: throttle, until 2026-11-22T12:00:02Z
          instance_velocity: throttle, until 2026-11-22T12:00:04Z
        * recipient_velocity: throttle, until 2026-11-22T12:01:00Z
        ",
    );
}

#[test]
fn of_throttles_that_end_together_the_first_decides() {
    check(
        "now is 2026-11-30T12:00:00Z\nused 100 today and 2000 this month",
        "
        throttle until 2026-12-01T00:00:00Z, risk 0
        * monthly_limit: throttle, 2000 of 2000 until 2026-12-01T00:00:00Z
          daily_limit: throttle, 100 of 100 until 2026-12-01T00:00:00Z
        ",
    );
}

#[test]
fn a_supervised_account_has_each_message_released_by_a_person() {
    check("account is supervised", "hold, risk 50\n* account_supervised: hold");
    check("account is supervised\nreleased", "allow, risk 50\n  account_supervised: note");
    check("account is supervised\ncaller is the confirmation", "allow, risk 50\n  account_supervised: note");
    check("recipient is suspected", "hold, risk 50\n* opt_out_suspected: hold");
    check("recipient is suspected\nreleased", "allow, risk 50\n  opt_out_suspected: note");
}

#[test]
fn a_release_answers_the_hold_and_nothing_else() {
    check(
        "account is supervised\nreleased\nrecipient is suppressed by keyword",
        "
        block, risk 90
        * recipient_suppressed: block, keyword
          account_supervised: note
        ",
    );
    check(
        "account is supervised\nreleased\nused 100 today and 100 this month",
        "
        throttle until 2026-11-23T00:00:00Z, risk 50
        * daily_limit: throttle, 100 of 100 until 2026-11-23T00:00:00Z
          account_supervised: note
        ",
    );
}

#[test]
fn a_missing_fact_holds() {
    check("unreadable key", "hold, risk 50\n* fact_missing: hold, key");
    check("unreadable contact", "hold, risk 50\n* fact_missing: hold, contact");
    check("unreadable conversation", "hold, risk 50\n* fact_missing: hold, conversation");
    check("unreadable content", "hold, risk 50\n* fact_missing: hold, content");
    check("unreadable usage", "hold, risk 50\n* fact_missing: hold, usage");
    check("unreadable traffic", "hold, risk 50\n* fact_missing: hold, traffic");
    check("unreadable velocity", "hold, risk 50\n* fact_missing: hold, velocity");
}

#[test]
fn a_missing_fact_holds_even_what_a_person_released() {
    check("unreadable contact\nreleased", "hold, risk 50\n* fact_missing: hold, contact");
    check(
        "account is supervised\nunreadable usage\nreleased",
        "
        hold, risk 50
          account_supervised: note
        * fact_missing: hold, usage
        ",
    );
}

#[test]
fn the_guard_is_the_same_in_test_mode() {
    check("mode is test", "allow, risk 0");
    check("mode is test\npurpose is marketing", "block, risk 90\n* purpose_not_allowed: block, marketing");
    check("mode is test\nrecipient is suppressed by keyword", "block, risk 90\n* recipient_suppressed: block, keyword");
}

#[test]
fn the_sandbox_behind_a_test_message_needs_no_window() {
    check("mode is test\nprovider is cloud_api", "allow, risk 0");
    check("mode is test\ncaller is 3cx", "block, risk 0\n* conversation_window_closed: block");
}

#[test]
fn a_block_is_stricter_than_a_throttle_and_a_throttle_than_a_hold() {
    check(
        "account is supervised\nused 100 today and 100 this month\npurpose is political",
        "
        block, risk 90
        * purpose_not_allowed: block, political
          daily_limit: throttle, 100 of 100 until 2026-11-23T00:00:00Z
          account_supervised: hold
        ",
    );
    check(
        "account is supervised\nused 100 today and 100 this month",
        "
        throttle until 2026-11-23T00:00:00Z, risk 50
        * daily_limit: throttle, 100 of 100 until 2026-11-23T00:00:00Z
          account_supervised: hold
        ",
    );
}

#[test]
fn everything_at_once_is_told_in_the_order_of_the_table() {
    check(
        "
        key is revoked
        account is suspended
        account is paused
        account is supervised
        instance is paused
        instance is closed
        provider is cloud_api
        recipient is suppressed by complaint
        purpose is marketing
        used 100 today and 2000 this month
        account just sent 30
        instance just sent 30
        recipient just got 10
        unreadable content
        ",
        "
        block, risk 90
        * key_not_in_force: block
          account_suspended: block
          account_paused: block
          instance_paused: block
          instance_not_connected: block, closed
          recipient_suppressed: block, complaint
          purpose_not_allowed: block, marketing
          conversation_window_closed: block
          monthly_limit: throttle, 2000 of 2000 until 2026-12-01T00:00:00Z
          daily_limit: throttle, 100 of 100 until 2026-11-23T00:00:00Z
          account_velocity: throttle, until 2026-11-22T12:00:02Z
          instance_velocity: throttle, until 2026-11-22T12:00:04Z
          recipient_velocity: throttle, until 2026-11-22T12:01:00Z
          account_supervised: hold
          fact_missing: hold, content
        ",
    );
}

#[test]
fn the_risk_is_never_below_what_the_policy_asks_of_the_effect() {
    check("policy reviews from 60\naccount is supervised", "hold, risk 60\n* account_supervised: hold");
    check("policy blocks from 95\npurpose is marketing", "block, risk 95\n* purpose_not_allowed: block, marketing");
    check("policy blocks from 95\naccount is paused", "block, risk 0\n* account_paused: block");
}

#[test]
fn time_and_people_change_all_but_a_purpose_a_suppression_and_a_program() {
    let lasting: Vec<_> = RuleId::ALL.iter().filter(|rule| !rule.passes()).map(|rule| rule.as_str()).collect();
    assert_eq!(lasting, ["recipient_suppressed", "purpose_not_allowed", "link_executable"]);
    for (scenario, may_change) in [
        ("account is paused", true),
        ("account is supervised", true),
        ("used 100 today and 100 this month", true),
        ("key is revoked", true),
        ("recipient is suppressed by keyword", false),
        ("recipient is suppressed by keyword\naccount is paused", false),
        ("recipient is suppressed by keyword\npurpose is authentication\ntext is Your code is 482913.\naccount is paused", true),
        ("purpose is marketing", false),
    ] {
        assert_eq!(World::told(scenario).decision().may_change(), may_change, "\n{scenario}");
    }
}

#[test]
fn an_attempt_starts_when_nothing_changed_since_accept() {
    let clear = StartFacts {
        account_suspended: false,
        account_paused: false,
        instance_paused: false,
        connection: Connection::Open,
        suppressed: false,
        suspected: false,
    };
    assert_eq!(may_start(&clear), Gate::Open);
    assert_eq!(may_start(&StartFacts { account_suspended: true, ..clear }), Gate::Wait);
    assert_eq!(may_start(&StartFacts { account_paused: true, ..clear }), Gate::Wait);
    assert_eq!(may_start(&StartFacts { instance_paused: true, ..clear }), Gate::Wait);
    assert_eq!(may_start(&StartFacts { connection: Connection::Connecting, ..clear }), Gate::Wait);
    assert_eq!(may_start(&StartFacts { connection: Connection::Closed, ..clear }), Gate::Wait);
    assert_eq!(may_start(&StartFacts { suspected: true, account_paused: true, ..clear }), Gate::Held);
    assert_eq!(may_start(&StartFacts { suppressed: true, ..clear }), Gate::Closed);
    assert_eq!(may_start(&StartFacts { suppressed: true, account_paused: true, ..clear }), Gate::Closed);
}

#[test]
fn what_an_account_does_as_a_whole_is_told_and_holds_nothing_up() {
    check("account did 60 sent\naccount did 30 first_contacts", "allow, risk 15\nfirst_contact_share: risk, 30 of 60");
    check("account did 30 same_text\naccount did 9 first_contacts", "allow, risk 25\nsame_text: risk, 30");
    check("account did 200 recent_recipients", "allow, risk 10\nfan_out: risk, 200 of 0");
    check("account is new\naccount did 51 first_contacts_today", "allow, risk 20\nwarm_up: risk, 51");
    check("account did 60 sent\naccount did 6 failed", "allow, risk 15\nfailure_rate: risk, 6 of 60");
    check("account did 400 recipients\naccount did 8 opted_out", "allow, risk 25\nopt_out_rate: risk, 8 of 400");
    check("account did 190 sent\naccount did 10 blocked", "allow, risk 20\nblock_rate: risk, 10 of 200");
}

#[test]
fn every_rule_has_a_scenario_in_which_it_decides_or_is_noted() {
    let scenarios = include_str!("decisions.rs");
    // What contents add to the risk, and what that asks for, has its scenarios in `risk.rs`.
    let is_here = |rule: &&RuleId| rule.group() == Group::State && !matches!(rule, RuleId::RiskReview | RuleId::RiskBlock);
    let silent: Vec<_> = RuleId::ALL.iter().filter(is_here).filter(|rule| !scenarios.contains(&format!("* {rule}: "))).collect();
    assert!(silent.is_empty(), "no scenario for {silent:?}");
}

#[track_caller]
fn check(scenario: &str, expected: &str) {
    let answer = World::told(scenario).answer();
    let expected: Vec<_> = lines(expected).collect();
    let answer: Vec<_> = lines(&answer).collect();
    assert_eq!(answer, expected, "\n{scenario}");
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// What a scenario speaks of.
struct World {
    now: Timestamp,
    policy: Policy,
    facts: Facts,
    request: Request,
    released: bool,
    content_is_readable: bool,
}

impl World {
    fn clear() -> Self {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let text = "Your table is ready.".parse().unwrap();
        Self {
            now,
            policy: Policy::default(),
            facts: Facts::clear(Plan::Starter.limits(), now),
            request: Request::text("support", "+999501234567".parse().unwrap(), gatepost::Purpose::Support, text),
            released: false,
            content_is_readable: true,
        }
    }

    fn told(scenario: &str) -> Self {
        let mut world = Self::clear();
        lines(scenario).for_each(|line| world.tell(line));
        world
    }

    fn tell(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match *words.as_slice() {
            ["now", "is", time] => self.set_now(time.parse().unwrap()),
            ["released"] => self.released = true,
            ["key", "is", "expired"] => self.facts.key = Fact::Known(KeyState::Expired),
            ["key", "is", "revoked"] => self.facts.key = Fact::Known(KeyState::Revoked),
            ["mode", "is", "test"] => self.request.mode = Mode::Test,
            ["caller", "is", "3cx"] => self.request.origin = phone_system(true),
            ["caller", "is", "3cx", "without", "strict", "window"] => self.request.origin = phone_system(false),
            ["caller", "is", "the", "confirmation"] => self.request.origin = Origin::Confirmation,
            ["provider", "is", provider] => self.facts.instance.provider = provider.parse().unwrap(),
            ["unreadable", fact] => self.lose(fact),
            ["policy", "reviews", "from", score] => self.policy.review_from = score.parse().unwrap(),
            ["policy", "blocks", "from", score] => self.policy.block_from = score.parse().unwrap(),
            ["account", ..] => self.tell_account(&words),
            ["instance", ..] => self.tell_instance(&words),
            ["recipient", ..] => self.tell_recipient(&words),
            ["plan", ..] | ["used", ..] => self.tell_quota(&words),
            _ => self.tell_request(line),
        }
    }

    fn tell_account(&mut self, words: &[&str]) {
        match *words {
            ["account", "is", "new"] => {
                let now = self.now;
                self.traffic().account_since = Some(now);
            }
            ["account", "did", count, what] => self.count(what, count.parse().unwrap()),
            ["account", "is", "paused"] => self.facts.account.paused = true,
            ["account", "is", "supervised"] => self.facts.account.supervised = true,
            ["account", "is", "suspended"] => self.facts.account.suspended = true,
            ["account", "just", "sent", count] => {
                let rate = self.facts.limits.account_rate;
                self.velocity().account = self.after(rate, count);
            }
            ["account", "withdrew", "one-time", "codes"] => self.facts.account.one_time_codes_pass = false,
            _ => panic!("a scenario does not know {words:?}"),
        }
    }

    fn tell_instance(&mut self, words: &[&str]) {
        match *words {
            ["instance", "is", "paused"] => self.facts.instance.paused = true,
            ["instance", "is", connection] => self.facts.instance.connection = connection.parse().unwrap(),
            ["instance", "just", "sent", count] => {
                let rate = self.facts.limits.instance_rate;
                self.velocity().instance = self.after(rate, count);
            }
            _ => panic!("a scenario does not know {words:?}"),
        }
    }

    fn tell_recipient(&mut self, words: &[&str]) {
        match *words {
            ["recipient", "is", "suppressed", "by", cause] => {
                self.facts.contact = Fact::Known(ContactState::Suppressed { cause: cause.parse().unwrap(), since: self.now });
            }
            ["recipient", "is", "suspected"] => self.facts.contact = Fact::Known(ContactState::Suspected { since: self.now }),
            ["recipient", "just", "got", count] => {
                let rate = self.facts.limits.recipient_rate;
                self.velocity().recipient = self.after(rate, count);
            }
            ["recipient", "wrote", hours, "hours", "ago"] => {
                let left_hours = 24 - hours.parse::<i64>().unwrap();
                let end = Timestamp::from_millis(self.now.as_millis() + left_hours * 3_600_000);
                self.facts.conversation = Fact::Known(ConversationWindow::Until(end));
            }
            _ => panic!("a scenario does not know {words:?}"),
        }
    }

    fn tell_quota(&mut self, words: &[&str]) {
        match *words {
            ["plan", "is", "growth"] => self.facts.limits = Plan::Growth.limits(),
            ["plan", "is", "scale"] => self.facts.limits = Plan::Scale.limits(),
            ["plan", "is", "starter"] => self.facts.limits = Plan::Starter.limits(),
            ["plan", "is", day, "a", "day", "and", month, "a", "month"] => {
                let (per_day, per_month) = (day.parse().unwrap(), month.parse().unwrap());
                let limits = Limits { per_day, per_month, account_rate: None, instance_rate: None, recipient_rate: None };
                self.facts.limits = Plan::Custom(limits).limits();
            }
            ["used", day, "today", "and", month, "this", "month"] => {
                let Fact::Known(usage) = &mut self.facts.usage else { panic!("the usage is unreadable") };
                (usage.day, usage.month) = (day.parse().unwrap(), month.parse().unwrap());
            }
            _ => panic!("a scenario does not know {words:?}"),
        }
    }

    fn tell_request(&mut self, line: &str) {
        match line.split_once(" is ") {
            Some(("purpose", word)) => self.request.purpose = word.parse::<DeclaredPurpose>().unwrap(),
            Some(("text", text)) => self.request.content = Content::Text { text: text.parse().unwrap() },
            Some(("template", kind)) => {
                self.request.content = Content::Template {
                    name: "notice".parse().unwrap(),
                    language: "en_US".parse().unwrap(),
                    authentication: kind == "authentication",
                    header: None,
                    parameters: vec![],
                    buttons: vec![],
                };
            }
            _ => panic!("a scenario does not know `{line}`"),
        }
    }

    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.facts.usage = Facts::clear(self.facts.limits, now).usage;
    }

    fn lose(&mut self, fact: &str) {
        match fact {
            "contact" => self.facts.contact = Fact::Missing,
            "content" => self.content_is_readable = false,
            "conversation" => self.facts.conversation = Fact::Missing,
            "key" => self.facts.key = Fact::Missing,
            "traffic" => self.facts.traffic = Fact::Missing,
            "usage" => self.facts.usage = Fact::Missing,
            "velocity" => self.facts.velocity = Fact::Missing,
            _ => panic!("no fact is called `{fact}`"),
        }
    }

    fn count(&mut self, what: &str, count: u64) {
        let traffic = self.traffic();
        let place = match what {
            "blocked" => &mut traffic.blocked,
            "failed" => &mut traffic.failed,
            "first_contacts" => &mut traffic.first_contacts,
            "first_contacts_today" => &mut traffic.first_contacts_today,
            "opted_out" => &mut traffic.opted_out,
            "recent_recipients" => &mut traffic.recent_recipients,
            "recipients" => &mut traffic.recipients,
            "same_text" => &mut traffic.same_text,
            "sent" => &mut traffic.sent,
            _ => panic!("no count is called `{what}`"),
        };
        *place = count;
    }

    fn traffic(&mut self) -> &mut gatepost::Traffic {
        let Fact::Known(traffic) = &mut self.facts.traffic else { panic!("the traffic is unreadable") };
        traffic
    }

    fn velocity(&mut self) -> &mut gatepost::Velocity {
        let Fact::Known(velocity) = &mut self.facts.velocity else { panic!("the velocity is unreadable") };
        velocity
    }

    fn after(&self, rate: Option<Rate>, count: &str) -> Tat {
        let Some(rate) = rate else { return Tat::from_micros(i64::MAX) };
        (0..count.parse().unwrap()).fold(Tat::default(), |tat, _| rate.take(tat, self.now).unwrap())
    }

    fn decision(&self) -> Decision {
        let subject = Subject { released: self.released, ..self.request.subject() };
        let content =
            if self.content_is_readable { Fact::Known(examine(&self.request.content, &Sender::default())) } else { Fact::Missing };
        decide(&self.policy, &Facts { content, ..self.facts }, &subject, self.now)
    }

    fn answer(&self) -> String {
        let decision = self.decision();
        let mut text = match decision.verdict {
            Verdict::Allow => format!("allow, risk {}", decision.risk_score),
            Verdict::Block => format!("block, risk {}", decision.risk_score),
            Verdict::Hold => format!("hold, risk {}", decision.risk_score),
            Verdict::Throttle { retry_at } => format!("throttle until {retry_at}, risk {}", decision.risk_score),
        };
        // What contents add to the risk is told in `risk.rs`.
        for reason in decision.reasons.iter().filter(|reason| is_told_here(reason.rule.group())) {
            write!(text, "\n{}", told(reason)).unwrap();
        }
        text
    }
}

const fn is_told_here(group: Group) -> bool {
    matches!(group, Group::State | Group::Behaviour | Group::Reputation)
}

fn told(reason: &Reason) -> String {
    let mark = if reason.decides { "* " } else { "" };
    let effect = match reason.effect {
        Effect::Block => "block",
        Effect::Hold => "hold",
        Effect::Note => "note",
        Effect::Risk => "risk",
        Effect::Throttle => "throttle",
    };
    let evidence = match reason.evidence {
        Evidence::None => String::new(),
        Evidence::Cause(cause) => format!(", {cause}"),
        Evidence::Count(count) => format!(", {count}"),
        Evidence::Connection(connection) => format!(", {connection}"),
        Evidence::Found { times, .. } => format!(", {} points, {times} times", reason.points),
        Evidence::Heard { family, .. } => format!(", {} points, {}", reason.points, family.as_str()),
        Evidence::Score { score, from } => format!(", {score} from {from}"),
        Evidence::Fact(name) => format!(", {name:?}").to_lowercase(),
        Evidence::Limit { limit, used, until } => format!(", {used} of {limit} until {until}"),
        Evidence::Purpose(purpose) => format!(", {purpose}"),
        Evidence::Share { count, of } => format!(", {count} of {of}"),
        Evidence::Until(until) => format!(", until {until}"),
    };
    format!("{mark}{}: {effect}{evidence}", reason.rule)
}

/// A message by the webhook of a 3CX phone system.
fn phone_system(strict_window: bool) -> Origin {
    let integration = gatepost::IntegrationId::from_number(1).unwrap();
    Origin::ThreeCx(gatepost::PhoneSystem { integration, way: gatepost::Way::Webhook, strict_window })
}
