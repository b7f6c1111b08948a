//! Naive: the rules once more, written as a person would tell them, to compare [`gatepost::decide`] with.
//!
//! No table and no loop over rules: three lists, one for what forbids, one for what delays, one for what asks for a person. The
//! numbers are 128 bits wide, so that arithmetic at the edge would differ.

use gatepost::{
    Connection, ContactState, ContentKind, ConversationWindow, Decision, DeclaredPurpose, Effect, Evidence, Fact, FactName, Facts,
    Findings, KeyState, Mode, Origin, Policy, Provider, Purpose, Rate, Reason, RuleId, Subject, Tat, Timestamp, Verdict,
};

/// What [`gatepost::decide`] should say.
pub(crate) fn decide(policy: &Policy, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
    let (blocks, waits, holds) = (blocks(facts, subject, now), waits(facts, now), holds(facts, subject));
    let is_confirmation = subject.origin == Origin::Confirmation;
    let retry_at = waits.iter().filter_map(|(_, evidence)| evidence.until()).max();
    let retry_at = retry_at.filter(|_| !is_confirmation);
    let counts = |(rule, _): &&(RuleId, Evidence)| *rule == RuleId::FactMissing || !(subject.released || is_confirmation);
    let (deciding, verdict) = if let Some((rule, _)) = blocks.first() {
        (Some(*rule), Verdict::Block)
    } else if let Some(retry_at) = retry_at {
        (waits.iter().find(|(_, evidence)| evidence.until() == Some(retry_at)).map(|(rule, _)| *rule), Verdict::Throttle { retry_at })
    } else if let Some((rule, _)) = holds.iter().find(counts) {
        (Some(*rule), Verdict::Hold)
    } else {
        (None, Verdict::Allow)
    };
    let (mut reasons, mut risk_score) = (Vec::new(), 0);
    let mut tell = |rule, effect, points, least, evidence| {
        reasons.push(Reason { rule, effect, points, evidence, decides: deciding == Some(rule) });
        risk_score = risk_score.max(least).max(points).min(100);
    };
    // The table tells of the template before it tells of the window.
    let mut is_template = subject.content == ContentKind::Template;
    for (rule, evidence) in blocks {
        if rule == RuleId::ConversationWindowClosed && core::mem::take(&mut is_template) {
            tell(RuleId::TemplateApproved, Effect::Note, 0, 0, Evidence::None);
        }
        let points = if is_grave(rule) { 90 } else { 0 };
        tell(rule, Effect::Block, points, if is_grave(rule) { policy.block_from } else { 0 }, evidence);
    }
    if is_template {
        tell(RuleId::TemplateApproved, Effect::Note, 0, 0, Evidence::None);
    }
    let effect = if is_confirmation { Effect::Note } else { Effect::Throttle };
    waits.into_iter().for_each(|(rule, evidence)| tell(rule, effect, 0, 0, evidence));
    for hold in holds {
        let (effect, least) = if counts(&&hold) { (Effect::Hold, policy.review_from) } else { (Effect::Note, 0) };
        tell(hold.0, effect, 50, least, hold.1);
    }
    Decision { verdict, risk_score, reasons }
}

fn is_grave(rule: RuleId) -> bool {
    matches!(rule, RuleId::AccountSuspended | RuleId::RecipientSuppressed | RuleId::PurposeNotAllowed)
}

fn blocks(facts: &Facts, subject: &Subject, now: Timestamp) -> Vec<(RuleId, Evidence)> {
    let mut found = Vec::new();
    if matches!(facts.key, Fact::Known(KeyState::Expired | KeyState::Revoked)) {
        found.push((RuleId::KeyNotInForce, Evidence::None));
    }
    if facts.account.suspended {
        found.push((RuleId::AccountSuspended, Evidence::None));
    }
    if facts.account.paused {
        found.push((RuleId::AccountPaused, Evidence::None));
    }
    if facts.instance.paused {
        found.push((RuleId::InstancePaused, Evidence::None));
    }
    if matches!(facts.instance.connection, Connection::Closed | Connection::Connecting) {
        found.push((RuleId::InstanceNotConnected, Evidence::Connection(facts.instance.connection)));
    }
    if let Fact::Known(ContactState::Suppressed { cause, .. }) = facts.contact {
        let is_code = facts.content == Fact::Known(Findings { one_time_code: true, ..Findings::default() });
        let asked_for = subject.purpose == DeclaredPurpose::Allowed(Purpose::Authentication) && !subject.origin.is_threecx();
        let own_wish = ["keyword", "natural_language", "user_preference"].contains(&cause.as_str());
        let is_exception = (is_code && asked_for && facts.account.one_time_codes_pass) || subject.origin == Origin::Confirmation;
        if !(own_wish && is_exception) {
            found.push((RuleId::RecipientSuppressed, Evidence::Cause(cause)));
        }
    }
    if let DeclaredPurpose::Refused(purpose) = subject.purpose {
        found.push((RuleId::PurposeNotAllowed, Evidence::Purpose(purpose)));
    }
    let closed = match facts.conversation {
        Fact::Known(ConversationWindow::Never) => true,
        Fact::Known(ConversationWindow::Until(end)) => end <= now,
        Fact::Missing => false,
    };
    let needed = match (subject.origin, facts.instance.provider, subject.mode, subject.content) {
        (Origin::ThreeCx(from), ..) if from.strict_window => true,
        (_, Provider::CloudApi, Mode::Live, ContentKind::Template) => false,
        (_, Provider::CloudApi, Mode::Live, _) => true,
        _ => false,
    };
    if closed && needed {
        found.push((RuleId::ConversationWindowClosed, Evidence::None));
    }
    found
}

fn waits(facts: &Facts, now: Timestamp) -> Vec<(RuleId, Evidence)> {
    let mut found = Vec::new();
    if let Fact::Known(usage) = facts.usage {
        let windows = [
            (RuleId::MonthlyLimit, facts.limits.per_month, usage.month, usage.windows.month.ends_at),
            (RuleId::DailyLimit, facts.limits.per_day, usage.day, usage.windows.day.ends_at),
        ];
        let spent = windows.into_iter().filter(|(_, limit, used, _)| i128::from(*limit) - i128::from(*used) < 1);
        found.extend(spent.map(|(rule, limit, used, until)| (rule, Evidence::Limit { limit, used, until })));
    }
    if let Fact::Known(velocity) = facts.velocity {
        let speeds = [
            (RuleId::AccountVelocity, facts.limits.account_rate, velocity.account),
            (RuleId::InstanceVelocity, facts.limits.instance_rate, velocity.instance),
            (RuleId::RecipientVelocity, facts.limits.recipient_rate, velocity.recipient),
        ];
        found.extend(speeds.into_iter().filter_map(|(rule, rate, tat)| Some((rule, Evidence::Until(slot(rate?, tat, now)?)))));
    }
    found
}

/// When the next message conforms, where that is later than `now`.
fn slot(rate: Rate, tat: Tat, now: Timestamp) -> Option<Timestamp> {
    let [count, period_seconds, burst] = [rate.count, rate.period_seconds, rate.burst].map(|number| i128::from(number.max(1)));
    let spacing_micros = period_seconds * 1_000_000 / count;
    let earliest_micros = i128::from(tat.as_micros()) + spacing_micros - spacing_micros * burst;
    let is_late_enough = earliest_micros <= i128::from(now.as_millis()) * 1_000;
    (!is_late_enough).then(|| Timestamp::from_millis((earliest_micros + 999).div_euclid(1_000) as i64))
}

fn holds(facts: &Facts, subject: &Subject) -> Vec<(RuleId, Evidence)> {
    let is_code = facts.content == Fact::Known(Findings { one_time_code: true, ..Findings::default() });
    let asked_for = subject.purpose == DeclaredPurpose::Allowed(Purpose::Authentication) && !subject.origin.is_threecx();
    let doubtful = matches!(facts.contact, Fact::Known(ContactState::Suspected { .. })) && !(is_code && asked_for);
    let doubtful = doubtful.then_some((RuleId::OptOutSuspected, Evidence::None));
    let supervised = facts.account.supervised.then_some((RuleId::AccountSupervised, Evidence::None));
    let missing = if facts.key == Fact::Missing {
        Some(FactName::Key)
    } else if facts.contact == Fact::Missing {
        Some(FactName::Contact)
    } else if facts.conversation == Fact::Missing {
        Some(FactName::Conversation)
    } else if facts.content == Fact::Missing {
        Some(FactName::Content)
    } else if facts.usage == Fact::Missing {
        Some(FactName::Usage)
    } else {
        (facts.velocity == Fact::Missing).then_some(FactName::Velocity)
    };
    doubtful.into_iter().chain(supervised).chain(missing.map(|name| (RuleId::FactMissing, Evidence::Fact(name)))).collect()
}
