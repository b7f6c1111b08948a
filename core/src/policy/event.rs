//! Policy event: the record of a decision, with everything it was decided from.

use alloc::borrow::Cow;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Decision, Facts, Policy, Shadow, Subject, decide};
use crate::{ContactId, InstanceId, MessageId, Timestamp};

/// A decision with its facts and the versions of what decided. It names message, instance and contact, and holds no text and no
/// address.
///
/// Deciding again from it gives the same decision: [`PolicyEvent::decide_again`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PolicyEvent {
    /// Its place in the account's log, from 1 on without gaps.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The message, unless it was refused.
    pub message: Option<MessageId>,
    /// From which instance.
    pub instance: InstanceId,
    /// To whom.
    pub contact: ContactId,
    /// The policy in force.
    pub policy: Policy,
    /// The version of the time zone database.
    pub zones: Cow<'static, str>,
    /// What was asked.
    pub subject: Subject,
    /// What was known.
    pub facts: Facts,
    /// What was decided.
    pub decision: Decision,
    /// What a candidate policy would have decided, where one was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
}

/// What of a policy event a store keeps as one text of JSON. All else stands in columns of its own, see [`EventRow`](crate::EventRow).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PolicyEventBody<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The version of the time zone database.
    pub zones: &'a str,
    /// What was asked.
    pub subject: &'a Subject,
    /// What was known.
    pub facts: &'a Facts,
    /// What was decided.
    pub decision: &'a Decision,
    /// What a candidate policy would have decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
}

impl PolicyEventBody<'_> {
    /// The text.
    pub fn to_json(&self) -> String {
        #[expect(clippy::expect_used, reason = "no part of it has a form that JSON lacks")]
        serde_json::to_string(self).expect("a body is JSON, whatever it holds")
    }
}

impl PolicyEvent {
    /// What of it a store keeps as JSON.
    pub fn body(&self) -> PolicyEventBody<'_> {
        let Self { policy, zones, subject, facts, decision, shadow, .. } = self;
        PolicyEventBody { policy, zones, subject, facts, decision, shadow: *shadow }
    }

    /// The decision taken anew from the stored facts, under the policy of then.
    pub fn decide_again(&self) -> Decision {
        decide(&self.policy, &self.facts, &self.subject, self.at)
    }

    /// The decision that another policy would take.
    pub fn decide_under(&self, policy: &Policy) -> Decision {
        decide(policy, &self.facts, &self.subject, self.at)
    }
}
