//! Facts: everything the rules may look at, gathered by the store in the transaction that also writes the outcome.
//!
//! A fact that could not be read is [`Fact::Missing`], and a missing fact means hold: a guard that cannot see must not send. Facts
//! hold no text and no address, so they are stored with each decision.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    Actor, Cause, Connection, ContentKind, Decision, DeclaredPurpose, Findings, KeyState, Limits, Mode, Origin, Provider, Request, Tat,
    Timestamp, Traffic, Usage,
};

/// Something the store knows, or could not read.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact<T> {
    /// What it is.
    Known(T),
    /// It could not be read.
    Missing,
}

impl<T> Fact<T> {
    /// The fact, where it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Missing => None,
        }
    }
}

/// What is known when a message is decided.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Facts {
    /// The account.
    #[serde(default = "usual", skip_serializing_if = "Usual::is_usual")]
    pub account: AccountFacts,
    /// The instance.
    pub instance: InstanceFacts,
    /// The key, read again in this transaction; `active` where no key was used.
    #[serde(default = "usual", skip_serializing_if = "Usual::is_usual")]
    pub key: Fact<KeyState>,
    /// What the plan allows.
    pub limits: Limits,
    /// What was charged so far.
    pub usage: Fact<Usage>,
    /// How fast it went so far.
    #[serde(default = "usual", skip_serializing_if = "Usual::is_usual")]
    pub velocity: Fact<Velocity>,
    /// Whether the recipient may be written to.
    #[serde(default = "usual", skip_serializing_if = "Usual::is_usual")]
    pub contact: Fact<ContactState>,
    /// Until when a free reply may be sent.
    #[serde(default = "usual", skip_serializing_if = "Usual::is_usual")]
    pub conversation: Fact<ConversationWindow>,
    /// What was found in the content.
    #[serde(default = "usual", skip_serializing_if = "Usual::is_usual")]
    pub content: Fact<Findings>,
    /// What the account does as a whole.
    #[serde(default = "usual", skip_serializing_if = "Usual::is_usual")]
    pub traffic: Fact<Traffic>,
}

impl Facts {
    /// The facts of an account that has sent nothing yet, with nothing against it: where a dry run or a test begins.
    pub fn clear(limits: Limits, now: Timestamp) -> Self {
        Self {
            account: usual(),
            instance: InstanceFacts { provider: Provider::Sandbox, connection: Connection::Open, paused: false },
            key: usual(),
            limits,
            usage: Fact::Known(Usage { windows: crate::Windows::at(now, &crate::Zone::utc()), day: 0, month: 0 }),
            velocity: usual(),
            contact: usual(),
            conversation: usual(),
            content: usual(),
            traffic: usual(),
        }
    }

    /// The facts for the next message of a batch, once `decision` was taken for this one: what was allowed is charged and counted.
    pub fn after(mut self, decision: &Decision, now: Timestamp) -> Self {
        if decision.verdict != crate::Verdict::Allow {
            return self;
        }
        if let Fact::Known(usage) = &mut self.usage {
            usage.day += 1;
            usage.month += 1;
        }
        if let Fact::Known(velocity) = &mut self.velocity {
            *velocity = velocity.after(&self.limits, now);
        }
        if let Fact::Known(traffic) = &mut self.traffic {
            *traffic = traffic.after();
        }
        self
    }
}

/// The account at the moment of a decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountFacts {
    /// Whether the operator closed it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspended: bool,
    /// Whether nothing of it goes out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
    /// Whether a person must release each message.
    #[serde(default, skip_serializing_if = "is_false")]
    pub supervised: bool,
    /// Whether a one-time code may reach a recipient who opted out.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub one_time_codes_pass: bool,
}

// A decision is stored with its facts, millions of times: what is as usual is left out.

/// A fact that is nearly always the same. No `Default`: a fact that is missing must never become a usual one by itself.
trait Usual: PartialEq + Sized {
    const USUAL: Self;

    fn is_usual(&self) -> bool {
        *self == Self::USUAL
    }
}

const fn usual<T: Usual>() -> T {
    T::USUAL
}

impl<T: Usual> Usual for Fact<T> {
    const USUAL: Self = Self::Known(T::USUAL);
}

impl Usual for AccountFacts {
    const USUAL: Self = Self { suspended: false, paused: false, supervised: false, one_time_codes_pass: true };
}

impl Usual for KeyState {
    const USUAL: Self = Self::Active;
}

impl Usual for Velocity {
    const USUAL: Self = Self { account: Tat::from_micros(0), instance: Tat::from_micros(0), recipient: Tat::from_micros(0) };
}

impl Usual for ContactState {
    const USUAL: Self = Self::Reachable;
}

impl Usual for ConversationWindow {
    const USUAL: Self = Self::Never;
}

impl Usual for Findings {
    const USUAL: Self = Self { one_time_code: false, found: Vec::new(), own_links: false, tone: None };
}

impl Usual for Traffic {
    const USUAL: Self = Self::NONE;
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}

const fn yes() -> bool {
    true
}

/// The instance at the moment of a decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct InstanceFacts {
    /// Who carries its messages.
    pub provider: Provider,
    /// Whether it is connected.
    pub connection: Connection,
    /// Whether nothing of it goes out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
}

/// The recipient at the moment of a decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// They may be written to.
    Reachable,
    /// They may have asked for no more messages: a person must say.
    Suspected {
        /// Since the newest of what they wrote.
        since: Timestamp,
    },
    /// They must not be.
    Suppressed {
        /// The strictest cause in force.
        cause: Cause,
        /// Since when.
        since: Timestamp,
    },
}

/// The 24 hours after a contact's last message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationWindow {
    /// The contact never wrote.
    Never,
    /// It is, or was, open until then.
    Until(Timestamp),
}

impl ConversationWindow {
    /// Whether it is open at `now`.
    pub fn is_open_at(self, now: Timestamp) -> bool {
        matches!(self, Self::Until(end) if now < end)
    }
}

/// How fast an account, an instance and a recipient went so far.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Velocity {
    /// The account's.
    #[serde(default, skip_serializing_if = "Tat::is_past")]
    pub account: Tat,
    /// The instance's.
    #[serde(default, skip_serializing_if = "Tat::is_past")]
    pub instance: Tat,
    /// The recipient's, in this account.
    #[serde(default, skip_serializing_if = "Tat::is_past")]
    pub recipient: Tat,
}

impl Velocity {
    fn after(self, limits: &Limits, now: Timestamp) -> Self {
        let take = |rate: Option<crate::Rate>, tat| rate.and_then(|rate| rate.take(tat, now).ok()).unwrap_or(tat);
        Self {
            account: take(limits.account_rate, self.account),
            instance: take(limits.instance_rate, self.instance),
            recipient: take(limits.recipient_rate, self.recipient),
        }
    }
}

/// A request as the rules see it: without its text and its address.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Subject {
    /// Why it is sent.
    pub purpose: DeclaredPurpose,
    /// What kind of content it has.
    pub content: ContentKind,
    /// Who asks.
    pub origin: Origin,
    /// Whether it is real.
    pub mode: Mode,
    /// Whether a person released it after a hold, so that holds no longer count.
    #[serde(default, skip_serializing_if = "is_false")]
    pub released: bool,
    /// Who released it, and what they had seen; not told by records from before it was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<Reviewed>,
}

/// The review that a release answers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reviewed {
    /// Since when it shows what it shows: what happened later, whoever releases has not seen.
    pub opened_at: Timestamp,
    /// Who released it, and decided.
    pub by: Actor,
    /// Who released it first, where it took two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Actor>,
}

impl Subject {
    /// The same, released by a person.
    pub const fn released(self, reviewed: Reviewed) -> Self {
        Self { released: true, reviewed: Some(reviewed), ..self }
    }

    /// Whether whoever released it had seen that the recipient may have opted out.
    pub(super) fn has_seen(&self, contact: &Fact<ContactState>) -> bool {
        match (self.reviewed, contact) {
            (Some(reviewed), Fact::Known(ContactState::Suspected { since })) => *since <= reviewed.opened_at,
            _ => true,
        }
    }
}

impl Request {
    /// What the rules may see of this request.
    pub const fn subject(&self) -> Subject {
        let Self { purpose, origin, mode, .. } = *self;
        Subject { purpose, content: self.content.kind(), origin, mode, released: false, reviewed: None }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[track_caller]
    fn check_record(facts: &Facts, has: &[&str]) {
        let record = serde_json::to_value(facts).expect("facts are JSON");
        assert_eq!(serde_json::from_value::<Facts>(record.clone()).expect("they were written so"), *facts);
        let keys: BTreeSet<&str> = record.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        assert!(keys.iter().eq(has), "{record}");
    }

    #[test]
    fn a_record_leaves_out_what_is_usual_and_keeps_what_is_missing() {
        let clear = Facts::clear(crate::Plan::Starter.limits(), Timestamp::default());
        check_record(&clear, &["instance", "limits", "usage"]);
        let missing = Facts { key: Fact::Missing, contact: Fact::Missing, conversation: Fact::Missing, ..clear.clone() };
        check_record(&missing, &["contact", "conversation", "instance", "key", "limits", "usage"]);
        let missing = Facts { usage: Fact::Missing, velocity: Fact::Missing, content: Fact::Missing, ..clear.clone() };
        check_record(&missing, &["content", "instance", "limits", "usage", "velocity"]);
        let traffic = Fact::Known(Traffic { sent: 7, first_contact: true, ..Traffic::NONE });
        check_record(&Facts { traffic, ..clear.clone() }, &["instance", "limits", "traffic", "usage"]);
        check_record(&Facts { traffic: Fact::Missing, ..clear.clone() }, &["instance", "limits", "traffic", "usage"]);
    }
}
