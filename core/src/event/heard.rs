//! Heard: what contacts say, as the events that follow from it.

use alloc::string::{String, ToString};

use serde::Serialize;

use super::{Event, EventName, Topic};
use crate::{Address, CONVERSATION_TIME, Cause, EventId, InboundId, InstanceId, Name, Said, SaidFile, Timestamp, Words};

/// A contact wrote.
#[derive(Clone, Copy, Debug)]
pub struct MessageReceived<'a> {
    /// What tells it from all others.
    pub id: InboundId,
    /// At which instance.
    pub instance: (InstanceId, &'a Name),
    /// Who, where the provider said.
    pub from: Option<&'a Address>,
    /// What.
    pub said: &'a Said,
    /// When it was written, by the provider's clock, but never later than it came.
    pub at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
}

#[derive(Serialize)]
struct ReceivedFields<'a> {
    from: Option<String>,
    message_text: Option<&'a Words>,
    message_type: &'a str,
    external_message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<&'a SaidFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_external_message_id: Option<&'a str>,
    received_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_window_expires_at: Option<String>,
}

impl MessageReceived<'_> {
    /// What it is about.
    pub const fn topic(&self) -> Topic<'_> {
        Topic { name: EventName::MessageReceived, instance: Some(self.instance.0), person: self.from, origin: None }
    }

    /// The event.
    pub fn event(&self) -> Event {
        let id = EventId::of(self.id.to_bytes(), EventName::MessageReceived as u32, self.received_at);
        let fields = ReceivedFields {
            from: self.from.map(Address::text),
            message_text: self.said.text.as_ref(),
            message_type: &self.said.form,
            external_message_id: &self.said.external_id,
            media: self.said.file.as_ref(),
            reply_to_external_message_id: self.said.reply_to.as_deref(),
            received_at: self.received_at.to_string(),
            conversation_window_expires_at: self.said.opens_window.then(|| self.at.plus(CONVERSATION_TIME).to_string()),
        };
        Event::new(id, EventName::MessageReceived, Some(self.instance), self.received_at, &fields)
    }
}

/// A contact asked to be left alone, or wants messages again.
#[derive(Clone, Copy, Debug)]
pub struct OptChange<'a> {
    /// What tells it from all others: what they wrote, or the suppression where nobody wrote.
    pub id: [u8; 16],
    /// At which instance, where it was at one.
    pub instance: Option<(InstanceId, &'a Name)>,
    /// Who.
    pub address: &'a Address,
    /// What they wrote.
    pub text: Option<&'a Words>,
    /// By what it was understood.
    pub source: Cause,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize)]
struct OptedOutFields<'a> {
    phone: String,
    matched_text: Option<&'a Words>,
    source: &'static str,
    opted_out_at: String,
}

#[derive(Serialize)]
struct OptedInFields<'a> {
    phone: String,
    matched_text: Option<&'a Words>,
    source: &'static str,
    opted_in_at: String,
}

impl OptChange<'_> {
    /// The event that they asked to be left alone.
    pub fn opted_out(&self) -> Event {
        let (phone, matched_text, source) = (self.address.text(), self.text, self.source.as_str());
        self.event(EventName::RecipientOptedOut, &OptedOutFields { phone, matched_text, source, opted_out_at: self.at.to_string() })
    }

    /// The event that they want messages again; the source is what was lifted.
    pub fn opted_in(&self) -> Event {
        let (phone, matched_text, source) = (self.address.text(), self.text, self.source.as_str());
        self.event(EventName::RecipientOptedIn, &OptedInFields { phone, matched_text, source, opted_in_at: self.at.to_string() })
    }

    fn event(&self, name: EventName, fields: &impl Serialize) -> Event {
        Event::new(EventId::of(self.id, name as u32, self.at), name, self.instance, self.at, fields)
    }
}
