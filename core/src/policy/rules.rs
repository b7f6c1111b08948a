//! The rule table: everything that can speak against a message, in the order in which it is told.
//!
//! A rule looks at the facts and finds something or nothing. It never stops the others: reviewers ask what else. To add a rule, add
//! its name to [`RuleId`] and its row to [`RULES`]; content rules belong between the purpose and the quota.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{ContactState, Effect, Evidence, Fact, FactName, Facts, Findings, Subject, behaviour};
use crate::{Cause, Connection, ContentKind, DeclaredPurpose, KeyState, Origin, Provider, Purpose, Timestamp};

/// One row of the table.
pub(super) struct Rule {
    pub(super) id: RuleId,
    pub(super) effect: Effect,
    /// A floor for the risk score where the effect is to block, points otherwise.
    pub(super) weight: u8,
    pub(super) find: fn(&Facts, &Subject, Timestamp) -> Option<Evidence>,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $text:literal, $effect:ident, $weight:expr, $find:expr;)*) => {
        /// The name of a rule. It never changes its meaning.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        pub enum RuleId { $($(#[$doc])* #[serde(rename = $name)] $id,)* }

        impl RuleId {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// The name used in answers and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// The finding as a sentence for people, in English.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$id => $text,)* }
            }
        }

        pub(super) const RULES: &[Rule] = &[
            $(Rule { id: RuleId::$id, effect: Effect::$effect, weight: $weight, find: $find },)*
        ];
    };
}

rules! {
    /// The key was revoked or expired after the caller was let in.
    KeyNotInForce = "key_not_in_force", "the API key is no longer in force", Block, 0,
        |facts, _, _| facts.key.known().is_some_and(|state| *state != KeyState::Active).then_some(Evidence::None);
    /// The operator closed the account.
    AccountSuspended = "account_suspended", "the account is suspended", Block, 90,
        |facts, _, _| facts.account.suspended.then_some(Evidence::None);
    /// Nothing of the account goes out.
    AccountPaused = "account_paused", "the account is paused", Block, 0,
        |facts, _, _| facts.account.paused.then_some(Evidence::None);
    /// Nothing of the instance goes out.
    InstancePaused = "instance_paused", "the instance is paused", Block, 0,
        |facts, _, _| facts.instance.paused.then_some(Evidence::None);
    /// The number is not connected.
    InstanceNotConnected = "instance_not_connected", "the instance is not connected", Block, 0,
        |facts, _, _| (facts.instance.connection != Connection::Open).then_some(Evidence::Connection(facts.instance.connection));
    /// The recipient opted out or was blocked.
    RecipientSuppressed = "recipient_suppressed", "the recipient opted out or was blocked", Block, 90, find_suppression;
    /// The purpose is one of the six.
    PurposeNotAllowed = "purpose_not_allowed", "messages are not sent for this purpose", Block, 90,
        |_, subject, _| match subject.purpose {
            DeclaredPurpose::Refused(purpose) => Some(Evidence::Purpose(purpose)),
            DeclaredPurpose::Allowed(_) => None,
        };
    /// A free text outside the conversation window.
    ConversationWindowClosed = "conversation_window_closed", "the recipient has not written in the last 24 hours", Block, 0, find_closed_window;
    /// The month is used up.
    MonthlyLimit = "monthly_limit", "the limit of the month is reached", Throttle, 0,
        |facts, _, _| facts.usage.known().and_then(|usage| find_limit(facts.limits.per_month, usage.month, usage.windows.month.ends_at));
    /// The day is used up.
    DailyLimit = "daily_limit", "the limit of the day is reached", Throttle, 0,
        |facts, _, _| facts.usage.known().and_then(|usage| find_limit(facts.limits.per_day, usage.day, usage.windows.day.ends_at));
    /// The account sends too fast.
    AccountVelocity = "account_velocity", "the account sends too fast", Throttle, 0,
        |facts, _, now| facts.velocity.known().and_then(|v| find_too_fast(facts.limits.account_rate, v.account, now));
    /// The instance sends too fast.
    InstanceVelocity = "instance_velocity", "the instance sends too fast", Throttle, 0,
        |facts, _, now| facts.velocity.known().and_then(|v| find_too_fast(facts.limits.instance_rate, v.instance, now));
    /// The recipient is written to too often.
    RecipientVelocity = "recipient_velocity", "the recipient is written to too often", Throttle, 0,
        |facts, _, now| facts.velocity.known().and_then(|v| find_too_fast(facts.limits.recipient_rate, v.recipient, now));
    /// The recipient may have asked for no more messages.
    OptOutSuspected = "opt_out_suspected", "the recipient may have opted out, and a person must look", Hold, 50, find_suspicion;
    /// A person must release each message of the account.
    AccountSupervised = "account_supervised", "each message of this account is released by a person", Hold, 50,
        |facts, _, _| facts.account.supervised.then_some(Evidence::None);
    /// Many others were sent the same text, and most of the account's messages are first contacts.
    SameText = "same_text", "many others who never wrote were sent the same text", Note, behaviour::SAME_TEXT, behaviour::find_same_text;
    /// Most of the account's messages are first contacts.
    FirstContactShare = "first_contact_share", "most of the account's messages go to people who never wrote", Note,
        behaviour::FIRST_CONTACT_SHARE, |facts, _, _| behaviour::find_first_contact_share(facts);
    /// Far more people are written to than usual.
    FanOut = "fan_out", "the account suddenly writes to far more people than usual", Note, behaviour::FAN_OUT,
        |facts, _, _| behaviour::find_fan_out(facts);
    /// A young account writes to many people who never wrote.
    WarmUp = "warm_up", "the account is new and writes to many people for the first time", Note, behaviour::WARM_UP, behaviour::find_warm_up;
    /// Much of what the account sends is not delivered.
    FailureRate = "failure_rate", "many of the account's messages are not delivered", Note, behaviour::FAILURE_RATE,
        |facts, _, _| behaviour::find_failure_rate(facts);
    /// Many of whom the account writes to opt out.
    OptOutRate = "opt_out_rate", "many of the account's recipients opt out", Note, behaviour::OPT_OUT_RATE,
        |facts, _, _| behaviour::find_opt_out_rate(facts);
    /// Much of what the account wants to send is blocked.
    BlockRate = "block_rate", "many of the account's messages are blocked", Note, behaviour::BLOCK_RATE,
        |facts, _, _| behaviour::find_block_rate(facts);
    /// A guard that cannot see must not send.
    FactMissing = "fact_missing", "something could not be read that must be known before sending", Hold, 50, find_missing_fact;
}

impl RuleId {
    /// Whether it can pass, or a person can look further: such a held message is not lost. A key that was revoked or rerolled
    /// meanwhile keeps its messages held.
    pub const fn passes(self) -> bool {
        !matches!(self, Self::PurposeNotAllowed | Self::RecipientSuppressed)
    }
}

fn find_suppression(facts: &Facts, subject: &Subject, _: Timestamp) -> Option<Evidence> {
    let ContactState::Suppressed { cause, .. } = facts.contact.known()? else { return None };
    let findings = facts.content.known().copied().unwrap_or_default();
    let passes = passes_suppression(*cause, facts.account.one_time_codes_pass, findings, subject);
    (!passes).then_some(Evidence::Cause(*cause))
}

fn find_suspicion(facts: &Facts, subject: &Subject, _: Timestamp) -> Option<Evidence> {
    let ContactState::Suspected { .. } = facts.contact.known()? else { return None };
    let findings = facts.content.known().copied().unwrap_or_default();
    (!is_requested_code(findings, subject)).then_some(Evidence::None)
}

/// The two exceptions to a suppression, where the recipient's own wish is the cause: its one confirmation, and a one-time code.
pub(super) fn passes_suppression(cause: Cause, codes_pass: bool, findings: Findings, subject: &Subject) -> bool {
    let is_exception = subject.origin == Origin::Confirmation || (codes_pass && is_requested_code(findings, subject));
    cause.is_own_wish() && is_exception
}

/// Whether it is a one-time code that the recipient just asked for.
pub(super) fn is_requested_code(findings: Findings, subject: &Subject) -> bool {
    findings.one_time_code && subject.purpose == DeclaredPurpose::Allowed(Purpose::Authentication) && !subject.origin.is_threecx()
}

/// The Cloud API sends free content only inside the window; 3CX replies only inside it, whoever carries them, unless its integration says
/// otherwise.
fn find_closed_window(facts: &Facts, subject: &Subject, now: Timestamp) -> Option<Evidence> {
    let is_template = subject.content == ContentKind::Template;
    let live_cloud = facts.instance.provider == Provider::CloudApi && subject.mode == crate::Mode::Live;
    let needs_window = subject.origin.needs_window() || (live_cloud && !is_template);
    let is_open = facts.conversation.known()?.is_open_at(now);
    (needs_window && !is_open).then_some(Evidence::None)
}

fn find_limit(limit: u64, used: u64, until: Timestamp) -> Option<Evidence> {
    (used >= limit).then_some(Evidence::Limit { limit, used, until })
}

fn find_too_fast(rate: Option<crate::Rate>, tat: crate::Tat, now: Timestamp) -> Option<Evidence> {
    rate?.take(tat, now).err().map(Evidence::Until)
}

fn find_missing_fact(facts: &Facts, _: &Subject, _: Timestamp) -> Option<Evidence> {
    fn is_missing<T>(fact: &Fact<T>) -> bool {
        fact.known().is_none()
    }
    let names = [
        (is_missing(&facts.key), FactName::Key),
        (is_missing(&facts.contact), FactName::Contact),
        (is_missing(&facts.conversation), FactName::Conversation),
        (is_missing(&facts.content), FactName::Content),
        (is_missing(&facts.traffic), FactName::Traffic),
        (is_missing(&facts.usage), FactName::Usage),
        (is_missing(&facts.velocity), FactName::Velocity),
    ];
    names.into_iter().find(|(missing, _)| *missing).map(|(_, name)| Evidence::Fact(name))
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
