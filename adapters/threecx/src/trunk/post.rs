//! Post: what is posted to 3CX: what a customer wrote, and how far an agent's message got.

use std::fmt;

use gatepost::{Phone, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

/// What a customer wrote, for the agents. Its `Debug` does not show what.
#[derive(Clone)]
pub struct Inbound<'a> {
    /// The id of this news, the same each time it is posted.
    pub event_id: &'a str,
    /// The id of the message.
    pub id: &'a str,
    /// Who wrote.
    pub from: Phone,
    /// To which number of the trunk.
    pub to: Phone,
    /// What, in words.
    pub text: &'a str,
    /// The files that came along.
    pub files: &'a [File],
    /// When.
    pub received_at: Timestamp,
}

/// A file that 3CX may fetch. Its `Debug` does not show where it is.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct File {
    /// Where it is.
    pub url: String,
    /// What it is, for example `image/jpeg`.
    pub content_type: String,
    /// How long it is, in bytes, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Inbound<'_> {
    /// The body to post.
    pub fn body(&self) -> Value {
        let at = self.received_at.to_string();
        let mut payload = json!({
            "id": self.id, "direction": "inbound", "record_type": "message", "type": if self.files.is_empty() { "SMS" } else { "MMS" },
            "from": {"phone_number": self.from.e164()}, "to": [{"phone_number": self.to.e164()}], "text": self.text, "received_at": at,
        });
        if !self.files.is_empty() {
            payload["media"] = json!(self.files);
        }
        news("message.received", self.event_id, &at, &payload)
    }
}

impl fmt::Debug for Inbound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_id, from, to, files, .. } = self;
        f.debug_struct("Inbound")
            .field("event_id", event_id)
            .field("from", from)
            .field("to", to)
            .field("files", files)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content_type, size, .. } = self;
        f.debug_struct("File").field("content_type", content_type).field("size", size).finish_non_exhaustive()
    }
}

/// How far an agent's message got.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReceiptStatus {
    /// It reached the phone.
    Delivered,
    /// It was sent and did not arrive.
    DeliveryFailed,
    /// It could not be sent.
    SendingFailed,
    /// It was sent.
    Sent,
}

impl ReceiptStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::DeliveryFailed => "delivery_failed",
            Self::SendingFailed => "sending_failed",
            Self::Sent => "sent",
        }
    }

    /// Whether it can change no more decides how the news is called, but for a message that was never sent.
    const fn event_type(self) -> &'static str {
        match self {
            Self::Delivered | Self::DeliveryFailed => "message.finalized",
            Self::SendingFailed | Self::Sent => "message.sent",
        }
    }
}

/// News of an agent's message. Some versions of 3CX are said to ignore it.
#[derive(Clone, Debug)]
pub struct Receipt<'a> {
    /// The id of this news, the same each time it is posted.
    pub event_id: &'a str,
    /// The id that the message was answered with.
    pub id: &'a str,
    /// From which number of the trunk it was sent.
    pub from: Phone,
    /// To whom.
    pub to: Phone,
    /// How far it got.
    pub status: ReceiptStatus,
    /// When.
    pub at: Timestamp,
}

impl Receipt<'_> {
    /// The body to post.
    pub fn body(&self) -> Value {
        let at = self.at.to_string();
        let payload = json!({
            "completed_at": at, "from": {"phone_number": self.from.e164()}, "id": self.id,
            "to": [{"phone_number": self.to.e164(), "status": self.status.as_str()}], "type": "SMS",
        });
        news(self.status.event_type(), self.event_id, &at, &payload)
    }
}

fn news(event_type: &str, id: &str, at: &str, payload: &Value) -> Value {
    json!({"data": {"event_type": event_type, "id": id, "occurred_at": at, "record_type": "event", "payload": payload}})
}
