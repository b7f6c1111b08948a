//! Heard: what contacts say, as the events that follow from it.

use alloc::string::{String, ToString};

use serde::Serialize;

use super::{Event, EventName, Topic};
use crate::{
    Address, CONVERSATION_TIME, Cause, Content, Degrees, EventId, InboundId, InstanceId, Message, MessageId, Name, Said, SaidCard,
    SaidDetail, SaidFile, Timestamp, Words,
};

/// How much is told of the text that was answered to, in characters.
const REPLY_TO_CHARACTERS_MAX: usize = 160;

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
    /// Our message that it answers to.
    pub reply_to: Option<&'a Message>,
    /// When it was written, by the provider's clock, but never later than it came.
    pub at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
}

#[derive(Serialize)]
struct ReceivedFields<'a> {
    inbound_id: InboundId,
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_name: Option<&'a Words>,
    message_text: Option<&'a Words>,
    message_type: &'a str,
    external_message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<&'a SaidFile>,
    #[serde(flatten)]
    detail: Option<DetailField<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_external_message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_message_id: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_text: Option<String>,
    received_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_window_expires_at: Option<String>,
}

/// The one field that says what is not said in words.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum DetailField<'a> {
    Contacts(&'a [SaidCard]),
    Location(Location<'a>),
    Order(Order),
    Reaction(Reaction<'a>),
}

#[derive(Serialize)]
struct Location<'a> {
    latitude: Degrees,
    longitude: Degrees,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a Words>,
}

#[derive(Serialize)]
struct Order {
    lines: u32,
}

#[derive(Serialize)]
struct Reaction<'a> {
    emoji: Option<&'a Words>,
}

impl<'a> From<&'a SaidDetail> for DetailField<'a> {
    fn from(detail: &'a SaidDetail) -> Self {
        match detail {
            SaidDetail::Contacts(cards) => Self::Contacts(cards),
            SaidDetail::Location { latitude_e6, longitude_e6, name, address } => {
                let [latitude, longitude] = [*latitude_e6, *longitude_e6].map(Degrees::from_millionths);
                Self::Location(Location { latitude, longitude, name: name.as_ref(), address: address.as_ref() })
            }
            SaidDetail::Order { lines } => Self::Order(Order { lines: *lines }),
            SaidDetail::Reaction { emoji } => Self::Reaction(Reaction { emoji: emoji.as_ref() }),
        }
    }
}

/// The beginning of what a message of ours said, where it is a text.
fn text_of(message: &Message) -> Option<String> {
    match message.content.as_ref()? {
        Content::Text { text } => Some(text.as_str().chars().take(REPLY_TO_CHARACTERS_MAX).collect()),
        _ => None,
    }
}

impl MessageReceived<'_> {
    /// What it is about.
    pub const fn topic(&self) -> Topic<'_> {
        Self::topic_of(self.instance.0, self.from)
    }

    /// What it is about when this person wrote to this instance: asked before the rest is read.
    pub const fn topic_of(instance: InstanceId, from: Option<&Address>) -> Topic<'_> {
        Topic { name: EventName::MessageReceived, instance: Some(instance), person: from, origin: None }
    }

    /// The event.
    pub fn event(&self) -> Event {
        let id = EventId::of(self.id.to_bytes(), EventName::MessageReceived as u32, self.received_at);
        let fields = ReceivedFields {
            inbound_id: self.id,
            from: self.from.map(Address::text),
            sender_name: self.said.sender_name.as_ref(),
            message_text: self.said.text.as_ref(),
            message_type: &self.said.form,
            external_message_id: &self.said.external_id,
            media: self.said.file.as_ref(),
            detail: self.said.detail.as_ref().map(DetailField::from),
            reply_to_external_message_id: self.said.reply_to.as_deref(),
            reply_to_message_id: self.reply_to.map(|message| message.id),
            reply_to_text: self.reply_to.and_then(text_of),
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
