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
    // What the account does adds up to 40 points at most, and what comes back to 35 more.
    let risks = risks(facts, subject, now);
    let sum = |rules: &[RuleId]| risks.iter().filter(|(rule, ..)| rules.contains(rule)).map(|(_, points, _)| *points).sum::<u8>();
    let added = sum(&[RuleId::SameText, RuleId::FirstContactShare, RuleId::FanOut, RuleId::WarmUp]).min(40)
        + sum(&[RuleId::FailureRate, RuleId::OptOutRate, RuleId::BlockRate]).min(35);
    let (blocks_it, reviews_it) = (added >= policy.block_from, added >= policy.review_from && added < policy.block_from);
    let (deciding, verdict) = if let Some((rule, _)) = blocks.first() {
        (Some(*rule), Verdict::Block)
    } else if blocks_it {
        (Some(RuleId::RiskBlock), Verdict::Block)
    } else if let Some(retry_at) = retry_at {
        (waits.iter().find(|(_, evidence)| evidence.until() == Some(retry_at)).map(|(rule, _)| *rule), Verdict::Throttle { retry_at })
    } else if let Some((rule, _)) = holds.iter().find(counts) {
        (Some(*rule), Verdict::Hold)
    } else if reviews_it && !(subject.released || is_confirmation) {
        (Some(RuleId::RiskReview), Verdict::Hold)
    } else {
        (None, Verdict::Allow)
    };
    let (mut reasons, mut risk_score) = (Vec::new(), added.min(100));
    let mut tell = |rule, effect, points, least, evidence| {
        reasons.push(Reason { rule, effect, points, evidence, decides: deciding == Some(rule) });
        let floor = if effect == Effect::Risk { 0 } else { points };
        risk_score = risk_score.max(least).max(floor).min(100);
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
    let (missing, asked): (Vec<_>, Vec<_>) = holds.into_iter().partition(|(rule, _)| *rule == RuleId::FactMissing);
    for hold in asked {
        let (effect, least) = if counts(&&hold) { (Effect::Hold, policy.review_from) } else { (Effect::Note, 0) };
        tell(hold.0, effect, 50, least, hold.1);
    }
    risks.into_iter().for_each(|(rule, points, evidence)| tell(rule, Effect::Risk, points, 0, evidence));
    missing.into_iter().for_each(|(rule, evidence)| tell(rule, Effect::Hold, 50, policy.review_from, evidence));
    let score = added.min(100);
    if blocks_it {
        tell(RuleId::RiskBlock, Effect::Block, 0, 0, Evidence::Score { score, from: policy.block_from });
    } else if reviews_it {
        let effect = if subject.released || is_confirmation { Effect::Note } else { Effect::Hold };
        tell(RuleId::RiskReview, effect, 0, 0, Evidence::Score { score, from: policy.review_from });
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

/// What the account does as a whole.
fn risks(facts: &Facts, subject: &Subject, now: Timestamp) -> Vec<(RuleId, u8, Evidence)> {
    let Fact::Known(did) = facts.traffic else { return Vec::new() };
    let percent = |count: u64, of: u64| if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 };
    let share = |count, of| Evidence::Share { count, of };
    let is_code = facts.content == Fact::Known(Findings { one_time_code: true, ..Findings::default() });
    let is_asked_for = is_code && subject.purpose == DeclaredPurpose::Allowed(Purpose::Authentication);
    let has_words = [ContentKind::Interactive, ContentKind::Media, ContentKind::Text].contains(&subject.content);
    let are_strangers = did.first_contacts > 0 && (did.sent == 0 || percent(did.first_contacts, did.sent) >= 50.0);
    let age_millis = did.account_since.map(|since| now.as_millis() - since.as_millis());
    let decided = did.sent + did.blocked;
    let found = [
        (did.same_text >= 20 && are_strangers && has_words && !is_asked_for, RuleId::SameText, 25, Evidence::Count(did.same_text)),
        (
            did.sent >= 50 && percent(did.first_contacts, did.sent) >= 50.0,
            RuleId::FirstContactShare,
            15,
            share(did.first_contacts, did.sent),
        ),
        (
            did.recent_recipients >= 100 && did.recent_recipients > 2 * did.busiest_day,
            RuleId::FanOut,
            10,
            share(did.recent_recipients, did.busiest_day),
        ),
        (
            did.first_contacts_today > 50 && age_millis.is_some_and(|age| age < 7 * 86_400_000),
            RuleId::WarmUp,
            20,
            Evidence::Count(did.first_contacts_today),
        ),
        (did.sent >= 50 && percent(did.failed, did.sent) >= 10.0, RuleId::FailureRate, 15, share(did.failed, did.sent)),
        (
            (did.recipients >= 200 && percent(did.opted_out, did.recipients) >= 2.0) || (did.recipients < 200 && did.opted_out >= 5),
            RuleId::OptOutRate,
            25,
            share(did.opted_out, did.recipients),
        ),
        (decided >= 100 && percent(did.blocked, decided) >= 5.0, RuleId::BlockRate, 20, share(did.blocked, decided)),
    ];
    found.into_iter().filter(|(is_found, ..)| *is_found).map(|(_, rule, weight, evidence)| (rule, weight, evidence)).collect()
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
    } else if facts.traffic == Fact::Missing {
        Some(FactName::Traffic)
    } else if facts.usage == Fact::Missing {
        Some(FactName::Usage)
    } else {
        (facts.velocity == Fact::Missing).then_some(FactName::Velocity)
    };
    doubtful.into_iter().chain(supervised).chain(missing.map(|name| (RuleId::FactMissing, Evidence::Fact(name)))).collect()
}
