//! Decide: never panics, says what the naive decide says, and says it again from stored facts.

#[path = "../../core/tests/naive/mod.rs"]
mod naive;

use gatepost::{
    AccountFacts, Cause, Connection, ContactState, ContentKind, ConversationWindow, DeclaredPurpose, Fact, Facts, Findings, InstanceFacts,
    IntegrationId, KeyState, Limits, Mode, Origin, PhoneSystem, Policy, Provider, Purpose, Rate, RefusedPurpose, Subject, Tat, Timestamp,
    Traffic, Usage, Velocity, Verdict, Way, Windows, Zone,
};

use super::bytes::Bytes;

const NOON: i64 = 1_795_348_800_000;

/// The bytes choose policy, facts, subject and time.
pub fn decide(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let now = Timestamp::from_millis(NOON + i64::from(bytes.below(86_400_000)));
    let policy = Policy { version: bytes.number(), review_from: bytes.byte().max(1), block_from: bytes.byte().max(1), ..Policy::default() };
    let subject = subject(&mut bytes);
    let facts = facts(&mut bytes, now);

    let decision = gatepost::decide(&policy, &facts, &subject, now);
    assert_eq!(decision, naive::decide(&policy, &facts, &subject, now));
    assert_eq!(decision.deciding().is_none(), decision.verdict == Verdict::Allow);
    assert!(decision.risk_score <= 100);
    let stored = serde_json::to_string(&facts).expect("facts can be stored");
    let facts = serde_json::from_str(&stored).expect("stored facts can be read");
    assert_eq!(gatepost::decide(&policy, &facts, &subject, now), decision);
}

fn subject(bytes: &mut Bytes<'_>) -> Subject {
    let allowed = DeclaredPurpose::Allowed(bytes.one_of(Purpose::ALL));
    let refused = DeclaredPurpose::Refused(bytes.one_of(RefusedPurpose::ALL));
    let kinds = [
        ContentKind::Text,
        ContentKind::Template,
        ContentKind::Interactive,
        ContentKind::Location,
        ContentKind::Media,
        ContentKind::Reaction,
    ];
    let key = "0aZ3kQ9fLm2X".parse().expect("a key id");
    Subject {
        purpose: bytes.one_of(&[allowed, allowed, allowed, refused]),
        content: bytes.one_of(&kinds),
        origin: bytes.one_of(&[Origin::App, Origin::Api(key), phone_system(true), phone_system(false)]),
        mode: bytes.one_of(&[Mode::Live, Mode::Test]),
        released: bytes.flag(),
        reviewed: None,
    }
}

fn phone_system(strict_window: bool) -> Origin {
    let integration = IntegrationId::from_number(1).expect("a number that can be one");
    Origin::ThreeCx(PhoneSystem { integration, way: Way::Webhook, strict_window })
}

fn facts(bytes: &mut Bytes<'_>, now: Timestamp) -> Facts {
    let account =
        AccountFacts { suspended: bytes.flag(), paused: bytes.flag(), supervised: bytes.flag(), one_time_codes_pass: bytes.flag() };
    let provider = bytes.one_of(&[Provider::Sandbox, Provider::CloudApi, Provider::Evolution]);
    let connection = bytes.one_of(&[Connection::Open, Connection::Connecting, Connection::Closed]);
    let instance = InstanceFacts { provider, connection, paused: bytes.flag() };
    let key = bytes.one_of(&[KeyState::Active, KeyState::Expired, KeyState::Revoked]);
    let contact = contact(bytes);
    let end = Timestamp::from_millis(NOON + i64::from(bytes.below(86_400_000)));
    let conversation = bytes.one_of(&[ConversationWindow::Never, ConversationWindow::Until(end)]);
    let usage = Usage { windows: Windows::at(now, &Zone::utc()), day: u64::from(bytes.below(8)), month: u64::from(bytes.below(8)) };
    let velocity = Velocity { account: tat(bytes), instance: tat(bytes), recipient: tat(bytes) };
    let findings = Findings { one_time_code: bytes.flag(), ..Findings::default() };
    let traffic = traffic(bytes);
    Facts {
        account,
        instance,
        key: known(bytes, key),
        limits: limits(bytes),
        usage: known(bytes, usage),
        velocity: known(bytes, velocity),
        contact: known(bytes, contact),
        conversation: known(bytes, conversation),
        content: known(bytes, findings),
        traffic: known(bytes, traffic),
    }
}

fn traffic(bytes: &mut Bytes<'_>) -> Traffic {
    let mut count = || u64::from(bytes.below(300));
    let [sent, recipients, first_contacts, first_contacts_today] = [count(), count(), count(), count()];
    let [failed, opted_out, blocked, recent_recipients, busiest_day, same_text] = [count(), count(), count(), count(), count(), count()];
    let since = Timestamp::from_millis(NOON - i64::from(bytes.below(10)) * 86_400_000);
    Traffic {
        account_since: bytes.one_of(&[None, Some(since)]),
        sent,
        recipients,
        first_contacts,
        first_contacts_today,
        failed,
        opted_out,
        blocked,
        recent_recipients,
        busiest_day,
        same_text,
        first_contact: bytes.flag(),
    }
}

/// Seldom missing.
fn known<T>(bytes: &mut Bytes<'_>, fact: T) -> Fact<T> {
    if bytes.byte() > 240 { Fact::Missing } else { Fact::Known(fact) }
}

fn contact(bytes: &mut Bytes<'_>) -> ContactState {
    let cause = bytes.one_of(&Cause::ALL);
    bytes.one_of(&[ContactState::Reachable, ContactState::Suppressed { cause, since: Timestamp::from_millis(NOON) }])
}

fn tat(bytes: &mut Bytes<'_>) -> Tat {
    let late = Tat::from_micros(NOON * 1_000 + i64::from(bytes.number()));
    bytes.one_of(&[Tat::default(), late])
}

fn limits(bytes: &mut Bytes<'_>) -> Limits {
    Limits {
        per_day: u64::from(bytes.below(8)),
        per_month: u64::from(bytes.below(8)),
        account_rate: rate(bytes),
        instance_rate: rate(bytes),
        recipient_rate: rate(bytes),
    }
}

/// Periods up to a day, bursts up to a thousand.
fn rate(bytes: &mut Bytes<'_>) -> Option<Rate> {
    let rate = Rate { count: bytes.below(1_000), period_seconds: bytes.below(86_400), burst: bytes.below(1_000) };
    bytes.one_of(&[None, Some(rate)])
}
