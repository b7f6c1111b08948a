//! Draft: a message that a case is about to send, written the way one says it.

use gatepost::{
    Address, Content, DeclaredPurpose, IdempotencyKey, InstanceRef, IntegrationId, KeyId, Mode, Origin, Phone, Purpose, Request, Text,
};

pub(crate) const ALICE: &str = "+999501000001";
pub(crate) const BOB: &str = "+999501000002";
pub(crate) const CAROL: &str = "+999501000003";
/// How a provider calls Alice where it does not show her number.
pub(crate) const ALICE_ID: &str = "US.13491208650000000001";
/// How she is called from a linked device.
pub(crate) const ALICE_LID: &str = "lid:98765432101234";

/// A message without a sender: to Alice, for support, unless it says otherwise.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) instance: Option<InstanceRef>,
    request: Request,
}

/// A draft of a plain text.
pub(crate) fn text(words: &str) -> Draft {
    content(words.parse::<Text>().expect("a text"))
}

/// A draft of a one-time code.
pub(crate) fn code() -> Draft {
    text("Your code is 482913.").purpose("authentication")
}

/// A draft of any content.
pub(crate) fn content(content: impl Into<Content>) -> Draft {
    let words = "replaced".parse().expect("a text");
    let mut request = Request::text("", phone(ALICE), Purpose::Support, words);
    request.content = content.into();
    Draft { instance: None, request }
}

pub(crate) fn phone(number: &str) -> Phone {
    number.parse().expect("a phone number")
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

impl Draft {
    pub(crate) fn to(mut self, address: &str) -> Self {
        self.request.recipient = self::address(address);
        self
    }

    pub(crate) fn purpose(mut self, purpose: &str) -> Self {
        self.request.purpose = purpose.parse::<DeclaredPurpose>().expect("a purpose");
        self
    }

    /// Under this idempotency key.
    pub(crate) fn under(mut self, key: &str) -> Self {
        self.request.idempotency_key = Some(key.parse::<IdempotencyKey>().expect("an idempotency key"));
        self
    }

    pub(crate) fn via(mut self, instance: impl Into<InstanceRef>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Sent by a caller with this API key.
    pub(crate) fn by(mut self, key: KeyId) -> Self {
        self.request.origin = Origin::Api(key);
        self
    }

    /// Sent by this one.
    pub(crate) fn from(mut self, origin: Origin) -> Self {
        self.request.origin = origin;
        self
    }

    /// As the message of a call.
    pub(crate) fn of_call(mut self, integration: IntegrationId, event: &str, phone: Phone) -> Self {
        self.request = self.request.of_call(integration, event, phone);
        self
    }

    pub(crate) fn ordered(mut self) -> Self {
        self.request.ordered = true;
        self
    }

    pub(crate) fn test(mut self) -> Self {
        self.request.mode = Mode::Test;
        self
    }

    pub(crate) fn request(self, instance: impl Into<InstanceRef>) -> Request {
        Request { instance: self.instance.unwrap_or(instance.into()), ..self.request }
    }
}
