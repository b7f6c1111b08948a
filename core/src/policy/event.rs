//! Policy event: the record of a decision, with everything it was decided from.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Decision, Facts, Policy, Subject, decide};
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
}

impl PolicyEvent {
    /// The decision taken anew from the stored facts, under the policy of then.
    pub fn decide_again(&self) -> Decision {
        decide(&self.policy, &self.facts, &self.subject, self.at)
    }

    /// The decision that another policy would take.
    pub fn decide_under(&self, policy: &Policy) -> Decision {
        decide(policy, &self.facts, &self.subject, self.at)
    }
}
