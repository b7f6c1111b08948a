//! Confirm: the one answer to an opt-out, as a submission that a store accepts in the transaction that suppresses the contact.

use crate::{
    Account, Address, CONFIRMATION_TIME, ContactId, DeliveryId, Fact, InboundId, InstanceId, Language, MessageId, Mode, Origin, Purpose,
    Request, Submission, Timestamp, confirmation, examine,
};

/// An opt-out that is to be confirmed.
#[derive(Clone, Copy, Debug)]
pub struct Confirmation<'a> {
    /// What they wrote.
    pub inbound: InboundId,
    /// Who.
    pub contact: ContactId,
    /// Where they wrote from.
    pub address: &'a Address,
    /// Where they wrote to.
    pub instance: InstanceId,
    /// In which language it was understood.
    pub language: Language,
    /// When they wrote.
    pub said_at: Timestamp,
}

impl Confirmation<'_> {
    /// Whether it is still in time: what comes later than that is one more message that nobody wanted.
    pub fn is_in_time(&self, now: Timestamp) -> bool {
        now < self.said_at.plus(CONFIRMATION_TIME)
    }

    /// The message that confirms it, on behalf of `account`; the same each time, so that a transaction may be retried.
    pub fn submission(&self, account: &Account, now: Timestamp) -> Submission {
        let message = MessageId::of(self.inbound, now);
        let content = confirmation(self.language, &account.name).into();
        Submission {
            message,
            delivery: DeliveryId::of_message(message, now),
            contact: self.contact,
            fingerprint: None,
            findings: Fact::Known(examine(&content, &crate::Sender::default())),
            text_print: None,
            request: Request {
                instance: self.instance.into(),
                recipient: self.address.clone(),
                purpose: Purpose::Operational.into(),
                content,
                idempotency_key: None,
                ordered: false,
                origin: Origin::Confirmation,
                mode: Mode::Live,
            },
            now,
            at_once: None,
        }
    }
}
