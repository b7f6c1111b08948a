//! World: random facts, subjects and times, near the edges where rules change their mind.

use std::sync::atomic::{AtomicU64, Ordering};

use gatepost::{
    AccountFacts, Cause, Connection, ContactState, ContentKind, ConversationWindow, DeclaredPurpose, Fact, Facts, Findings, Host,
    InstanceFacts, IntegrationId, KeyId, KeyState, Limits, Mode, Origin, PhoneSystem, Policy, Provider, Purpose, Rate, RefusedPurpose,
    Subject, Tat, Timestamp, Traffic, Usage, Velocity, Way, Windows, Zone,
};
use proptest::prelude::*;
use proptest::sample::select;

/// Noon of the day on which everything happens.
pub(crate) const NOON: i64 = 1_795_348_800_000;

/// A host whose clock stands still, and whose randomness follows from a seed.
pub(crate) struct Seeded(AtomicU64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// SplitMix64.
    fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Host for Seeded {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOON)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn now() -> impl Strategy<Value = Timestamp> {
    (-86_400_000..86_400_000i64).prop_map(|offset| Timestamp::from_millis(NOON + offset))
}

fn fact<T: Clone + std::fmt::Debug + 'static>(known: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = Fact<T>> {
    prop_oneof![1 => Just(Fact::Missing), 12 => known.prop_map(Fact::Known)]
}

pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    (any::<u32>(), 1..=u8::MAX, 1..=u8::MAX).prop_map(|(version, review_from, block_from)| Policy {
        version,
        review_from,
        block_from,
        ..Policy::default()
    })
}

pub(crate) fn rate() -> impl Strategy<Value = Rate> {
    (0..400u32, 0..4_000u32, 0..40u32).prop_map(|(count, period_seconds, burst)| Rate { count, period_seconds, burst })
}

fn limits() -> impl Strategy<Value = Limits> {
    let rate = || proptest::option::of(rate());
    (0..6u64, 0..8u64, rate(), rate(), rate()).prop_map(|(per_day, per_month, account_rate, instance_rate, recipient_rate)| Limits {
        per_day,
        per_month,
        account_rate,
        instance_rate,
        recipient_rate,
    })
}

fn usage() -> impl Strategy<Value = Usage> {
    let windows = Windows::at(Timestamp::from_millis(NOON), &Zone::utc());
    (0..6u64, 0..8u64).prop_map(move |(day, month)| Usage { windows, day, month })
}

fn tat() -> impl Strategy<Value = Tat> {
    prop_oneof![Just(Tat::default()), (-600_000_000..600_000_000i64).prop_map(|offset| Tat::from_micros(NOON * 1_000 + offset)),]
}

fn velocity() -> impl Strategy<Value = Velocity> {
    (tat(), tat(), tat()).prop_map(|(account, instance, recipient)| Velocity { account, instance, recipient })
}

pub(crate) fn suppressed() -> impl Strategy<Value = ContactState> {
    select(&Cause::ALL[..]).prop_map(|cause| ContactState::Suppressed { cause, since: Timestamp::from_millis(NOON) })
}

fn conversation() -> impl Strategy<Value = ConversationWindow> {
    let until = (-100_000_000..100_000_000i64).prop_map(|offset| ConversationWindow::Until(Timestamp::from_millis(NOON + offset)));
    prop_oneof![Just(ConversationWindow::Never), until]
}

/// Mostly false: a world in which everything is against a message shows little.
fn seldom() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.1)
}

fn account() -> impl Strategy<Value = AccountFacts> {
    (seldom(), seldom(), seldom(), any::<bool>()).prop_map(|(suspended, paused, supervised, one_time_codes_pass)| AccountFacts {
        suspended,
        paused,
        supervised,
        one_time_codes_pass,
    })
}

/// A message by the webhook of a 3CX phone system.
pub(crate) fn phone_system(strict_window: bool) -> Origin {
    let integration = IntegrationId::from_number(1).unwrap();
    Origin::ThreeCx(PhoneSystem { integration, way: Way::Webhook, strict_window })
}

fn instance() -> impl Strategy<Value = InstanceFacts> {
    let provider = select(vec![Provider::Sandbox, Provider::CloudApi, Provider::Evolution]);
    let connection = prop_oneof![8 => Just(Connection::Open), 1 => Just(Connection::Connecting), 1 => Just(Connection::Closed)];
    (provider, connection, seldom()).prop_map(|(provider, connection, paused)| InstanceFacts { provider, connection, paused })
}

/// Near the numbers from which on something is found.
fn traffic() -> impl Strategy<Value = Traffic> {
    let count = || prop_oneof![0..60u64, 90..260u64];
    let since = proptest::option::of((0..10i64).prop_map(|days| Timestamp::from_millis(NOON - days * 86_400_000)));
    let counts = (count(), count(), count(), count(), 0..30u64, 0..30u64);
    (since, counts, (count(), count(), 0..40u64, any::<bool>())).prop_map(
        |(account_since, counts, (recent_recipients, busiest_day, same_text, first_contact))| {
            let (sent, recipients, first_contacts, first_contacts_today, failed, opted_out) = counts;
            let blocked = failed;
            Traffic {
                account_since,
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
                first_contact,
            }
        },
    )
}

pub(crate) fn facts() -> impl Strategy<Value = Facts> {
    let key = prop_oneof![8 => Just(KeyState::Active), 1 => Just(KeyState::Expired), 1 => Just(KeyState::Revoked)];
    let suspected = ContactState::Suspected { since: Timestamp::from_millis(NOON) };
    let contact = prop_oneof![2 => Just(ContactState::Reachable), 1 => Just(suspected), 1 => suppressed()];
    let findings = any::<bool>().prop_map(|one_time_code| Findings { one_time_code, ..Findings::default() });
    (
        account(),
        instance(),
        fact(key),
        limits(),
        fact(usage()),
        fact(velocity()),
        fact(contact),
        fact(conversation()),
        (fact(findings), fact(traffic())),
    )
        .prop_map(|(account, instance, key, limits, usage, velocity, contact, conversation, (content, traffic))| Facts {
            account,
            instance,
            key,
            limits,
            usage,
            velocity,
            contact,
            conversation,
            content,
            traffic,
        })
}

pub(crate) fn subject() -> impl Strategy<Value = Subject> {
    let allowed = select(Purpose::ALL).prop_map(DeclaredPurpose::Allowed);
    let refused = select(RefusedPurpose::ALL).prop_map(DeclaredPurpose::Refused);
    let content = select(vec![
        ContentKind::Interactive,
        ContentKind::Location,
        ContentKind::Media,
        ContentKind::Reaction,
        ContentKind::Template,
        ContentKind::Text,
    ]);
    let key: KeyId = "0aZ3kQ9fLm2X".parse().unwrap();
    let origin =
        prop_oneof![Just(Origin::Api(key)), Just(Origin::App), Just(Origin::Confirmation), proptest::bool::ANY.prop_map(phone_system)];
    let mode = select(vec![Mode::Live, Mode::Test]);
    (prop_oneof![6 => allowed, 1 => refused], content, origin, mode, any::<bool>())
        .prop_map(|(purpose, content, origin, mode, released)| Subject { purpose, content, origin, mode, released, reviewed: None })
}
