//! Event: what a phone system says happened, or asks to be sent.
//!
//! A flow of 3CX is put together by hand, so names vary: the number stands under any of five names and the text under two. What a kind of
//! event needs is asked for when it is needed ([`Event::phone`], [`Event::text`]); what it does not need may be missing.

use std::fmt;
use std::slice;
use std::str::FromStr;

use gatepost::{CallDetails, DeclaredPurpose, Phone, Text};
use serde_json::{Map, Value};

use crate::template::CallFacts;

/// What happened.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EventType {
    /// The office is closed.
    AfterHours,
    /// A call is over.
    CallEnded,
    /// A call began.
    CallStarted,
    /// A customer's answer was taken to an agent.
    InboundReply,
    /// Nobody took a call.
    MissedCall,
    /// A flow or an agent answers a customer.
    OutboundMessage,
    /// Somebody in a queue asked to be called back.
    QueueCallback,
    /// Something happened in a queue.
    QueueEvent,
    /// Somebody tries whether the webhook works.
    Test,
    /// Somebody left a message.
    Voicemail,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AfterHours,
        Self::CallEnded,
        Self::CallStarted,
        Self::InboundReply,
        Self::MissedCall,
        Self::OutboundMessage,
        Self::QueueCallback,
        Self::QueueEvent,
        Self::Test,
        Self::Voicemail,
    ];

    /// The word used in bodies, rows and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AfterHours => "after_hours",
            Self::CallEnded => "call_ended",
            Self::CallStarted => "call_started",
            Self::InboundReply => "inbound_reply",
            Self::MissedCall => "missed_call",
            Self::OutboundMessage => "outbound_message",
            Self::QueueCallback => "queue_callback",
            Self::QueueEvent => "queue_event",
            Self::Test => "test",
            Self::Voicemail => "voicemail",
        }
    }

    /// Whether a template may make a message of it.
    pub const fn has_template(self) -> bool {
        matches!(self, Self::AfterHours | Self::CallEnded | Self::MissedCall | Self::QueueCallback | Self::Voicemail)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(word: &str) -> Result<Self, UnknownEventType> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(UnknownEventType)
    }
}

/// The word is no type of event.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected one of the ten types of event, for example `missed_call`")]
pub struct UnknownEventType;

/// An event that a phone system posted. Its `Debug` does not show whom it is about, nor what is to be said.
#[derive(Clone, Eq, PartialEq)]
pub struct Event {
    event_type: EventType,
    fields: Map<String, Value>,
}

/// Under which names the number stands where a message is asked for, the first that is there.
const RECIPIENT: [&str; 5] = ["to", "from", "customer_phone", "caller", "phone"];
/// The same where a call is told of: its `to` may well be the number that was called, which is ours.
const CALLER: [&str; 5] = ["customer_phone", "caller", "from", "phone", "to"];
const TEXT: [&str; 2] = ["message_text", "message"];

/// The most digits of an extension.
const EXTENSION_DIGITS_MAX: usize = 6;
/// The most characters of what is only passed on.
const CHARACTERS_MAX: usize = 128;

/// Reads the body of a webhook.
///
/// ```
/// use gatepost_threecx::webhook::{EventType, read};
///
/// let event = read(br#"{"event_type":"outbound_message","phone":"+999 50 123 4567","message":"On our way."}"#)?;
/// assert_eq!(event.event_type(), EventType::OutboundMessage);
/// assert_eq!((event.phone()?.e164().as_str(), event.text()?.as_str()), ("+999501234567", "On our way."));
/// # Ok::<(), gatepost_threecx::webhook::InvalidEvent>(())
/// ```
///
/// # Errors
///
/// Where it is no JSON object, or of no known type.
pub fn read(body: &[u8]) -> Result<Event, InvalidEvent> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return Err(InvalidEvent::NotJson) };
    let word = fields.get("event_type").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let event_type = word.parse().map_err(|_| InvalidEvent::Field { field: "event_type", expected: EVENT_TYPES })?;
    Ok(Event { event_type, fields })
}

const EVENT_TYPES: &str = "expected `test`, `outbound_message`, `inbound_reply`, `missed_call`, `voicemail`, `call_ended`, \
                           `queue_callback`, `after_hours`, `call_started` or `queue_event`";
const PHONE: &str = "expected a phone number with its country code, for example `+999501234567`";
const WORDS: &str = "expected 1 to 4096 characters";
const SHORT: &str = "expected a text of at most 128 characters";

impl Event {
    /// What happened.
    pub const fn event_type(&self) -> EventType {
        self.event_type
    }

    /// Whom it is about: the customer.
    ///
    /// # Errors
    ///
    /// Where there is no number, or it is none.
    pub fn phone(&self) -> Result<Phone, InvalidEvent> {
        if self.event_type == EventType::OutboundMessage {
            return self.phone_under(&RECIPIENT);
        }
        // The other side of a call may be an extension: the customer is who has a number. Whoever hides theirs is nobody else.
        let mut why_not = InvalidEvent::MissingPhone;
        for name in &CALLER {
            match self.phone_under(slice::from_ref(name)) {
                Err(InvalidEvent::MissingPhone) => {}
                Err(refusal) if self.is_extension(name) => why_not = refusal,
                found => return found,
            }
        }
        Err(why_not)
    }

    fn is_extension(&self, name: &'static str) -> bool {
        let found = self.first(&[name]).ok().flatten();
        found.is_some_and(|(_, text)| text.len() <= EXTENSION_DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    fn phone_under(&self, names: &[&'static str]) -> Result<Phone, InvalidEvent> {
        let (field, text) = self.first(names)?.ok_or(InvalidEvent::MissingPhone)?;
        text.parse().map_err(|_| InvalidEvent::Field { field, expected: PHONE })
    }

    /// What is to be said.
    ///
    /// # Errors
    ///
    /// Where there is nothing, or too much.
    pub fn text(&self) -> Result<Text, InvalidEvent> {
        let (field, text) = self.first(&TEXT)?.ok_or(InvalidEvent::MissingText)?;
        text.parse().map_err(|_| InvalidEvent::Field { field, expected: WORDS })
    }

    /// Why it is to be said. A purpose that is refused is named, so that the refusal can name it too.
    ///
    /// # Errors
    ///
    /// Where there is none, or one that nobody knows.
    pub fn purpose(&self) -> Result<DeclaredPurpose, InvalidEvent> {
        let word = self.fields.get("message_purpose").and_then(Value::as_str);
        word.and_then(|word| word.trim().parse().ok()).ok_or(InvalidEvent::PurposeNotAllowed)
    }

    /// Whether it says why.
    pub fn has_purpose(&self) -> bool {
        self.fields.get("message_purpose").is_some_and(|purpose| !purpose.is_null())
    }

    /// The message that is asked for, where this is an [`EventType::OutboundMessage`].
    ///
    /// # Errors
    ///
    /// Names the first of number, text and purpose that is missing or cannot be read.
    pub fn outbound(&self) -> Result<Outbound, InvalidEvent> {
        let (to, text, purpose) = (self.phone()?, self.text()?, self.purpose()?);
        Ok(Outbound { to, text, purpose, conversation_id: self.conversation_id()?, agent_extension: self.short("agent_extension")? })
    }

    /// What 3CX calls the conversation.
    ///
    /// # Errors
    ///
    /// Where it is too long.
    pub fn conversation_id(&self) -> Result<Option<String>, InvalidEvent> {
        self.short("conversation_id")
    }

    /// What a template can say of it.
    ///
    /// # Errors
    ///
    /// Names the field that cannot be read.
    pub fn call_facts(&self) -> Result<CallFacts, InvalidEvent> {
        Ok(CallFacts {
            customer_phone: self.phone()?,
            agent_extension: self.short("agent_extension")?,
            queue: self.short("queue")?,
            call_time: self.short("call_time")?,
        })
    }

    /// What a log may keep of it: nothing that was said. What cannot be read is left out.
    pub fn details(&self) -> CallDetails {
        let short = |field| self.short(field).ok().flatten();
        CallDetails {
            agent_extension: short("agent_extension"),
            queue: short("queue"),
            conversation_id: short("conversation_id"),
            call_time: short("call_time"),
            ..CallDetails::default()
        }
    }

    fn short(&self, field: &'static str) -> Result<Option<String>, InvalidEvent> {
        let text = self.first(&[field])?.map(|(_, text)| text);
        match text {
            Some(text) if text.chars().count() > CHARACTERS_MAX => Err(InvalidEvent::Field { field, expected: SHORT }),
            text => Ok(text),
        }
    }

    /// The first of these fields that says something: a text, or a whole number, as an extension may be one.
    fn first(&self, names: &[&'static str]) -> Result<Option<(&'static str, String)>, InvalidEvent> {
        for name in names {
            match self.fields.get(*name) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.trim().is_empty() => {}
                Some(Value::String(text)) => return Ok(Some((name, text.trim().to_owned()))),
                Some(Value::Number(number)) if number.is_u64() => return Ok(Some((name, number.to_string()))),
                Some(_) => return Err(InvalidEvent::Field { field: name, expected: "expected a text" }),
            }
        }
        Ok(None)
    }
}

/// A message that a phone system asks to be sent. Its `Debug` does not show what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outbound {
    /// To whom.
    pub to: Phone,
    /// What it says.
    pub text: Text,
    /// Why.
    pub purpose: DeclaredPurpose,
    /// What 3CX calls the conversation.
    pub conversation_id: Option<String>,
    /// The extension of the agent.
    pub agent_extension: Option<String>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("event_type", &self.event_type).finish_non_exhaustive()
    }
}

/// Why a body is no event, or lacks what its type needs. It repeats nothing of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidEvent {
    /// A field is not what it must be.
    #[error("`{field}`: {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What was expected there.
        expected: &'static str,
    },
    /// There is no number.
    #[error("expected a phone number in `to`, `from`, `customer_phone`, `caller` or `phone`")]
    MissingPhone,
    /// There is no text.
    #[error("expected a text in `message_text` or `message`")]
    MissingText,
    /// It is no JSON object.
    #[error("expected a JSON object")]
    NotJson,
    /// There is no purpose, or one that nobody knows.
    #[error("expected `support`, `operational`, `transactional`, `internal_team` or `authentication` in `message_purpose`")]
    PurposeNotAllowed,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use gatepost::{Purpose, RefusedPurpose};
    use serde_json::json;

    use super::*;

    fn event(event_type: &str, fields: &Value) -> Event {
        let mut body = fields.as_object().unwrap().clone();
        body.insert("event_type".to_owned(), event_type.into());
        read(Value::Object(body).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn every_type_is_read_by_its_word() {
        for event_type in EventType::ALL {
            assert_eq!(event(event_type.as_str(), &json!({})).event_type(), event_type);
        }
        let templates = EventType::ALL.into_iter().filter(|event_type| event_type.has_template());
        assert_eq!(
            templates.map(EventType::as_str).collect::<Vec<_>>().join(" "),
            "after_hours call_ended missed_call queue_callback voicemail"
        );
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in ["", "x", "[]", "\"missed_call\"", "null", "{\"event_type\":\"test\""] {
            assert_eq!(read(body.as_bytes()), Err(InvalidEvent::NotJson), "{body}");
        }
        for body in ["{}", r#"{"event_type":null}"#, r#"{"event_type":7}"#, r#"{"event_type":"MISSED_CALL"}"#] {
            assert_eq!(read(body.as_bytes()), Err(InvalidEvent::Field { field: "event_type", expected: EVENT_TYPES }), "{body}");
        }
    }

    #[test]
    fn a_number_is_read_under_each_of_its_names() {
        for name in RECIPIENT {
            for event_type in ["outbound_message", "missed_call"] {
                assert_eq!(event(event_type, &json!({name: "+999 501 234 567"})).phone().unwrap().e164(), "+999501234567", "{name}");
            }
        }
        assert_eq!(event("missed_call", &json!({"caller": 999_501_234_567_u64})).phone().unwrap().e164(), "+999501234567");
    }

    #[test]
    fn of_two_numbers_the_customers_is_meant() {
        let both = json!({"to": "+999501234567", "caller": "+999501234568"});
        assert_eq!(event("outbound_message", &both).phone().unwrap().e164(), "+999501234567");
        assert_eq!(event("missed_call", &both).phone().unwrap().e164(), "+999501234568");
        let extension = json!({"caller": "101", "to": "+999501234567"});
        assert_eq!(event("call_ended", &extension).phone().unwrap().e164(), "+999501234567");
        let hidden = json!({"caller": "anonymous", "to": "+999220000001"});
        let unread = Err(InvalidEvent::Field { field: "caller", expected: PHONE });
        assert_eq!(event("missed_call", &hidden).phone(), unread, "the number that was called is ours");
        let extensions = event("call_ended", &json!({"caller": "101", "to": "102"}));
        assert_eq!(extensions.phone(), Err(InvalidEvent::Field { field: "to", expected: PHONE }));
        let wrong = json!({"to": "reception", "from": "+999501234567"});
        assert_eq!(
            event("outbound_message", &wrong).phone(),
            Err(InvalidEvent::Field { field: "to", expected: PHONE }),
            "nobody else is meant"
        );
        let empty = json!({"to": " ", "from": null, "caller": "+999501234568"});
        assert_eq!(event("outbound_message", &empty).phone().unwrap().e164(), "+999501234568");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let nothing = event("outbound_message", &json!({}));
        assert_eq!(nothing.phone(), Err(InvalidEvent::MissingPhone));
        assert_eq!(nothing.text().err(), Some(InvalidEvent::MissingText));
        assert_eq!(nothing.purpose(), Err(InvalidEvent::PurposeNotAllowed));
        let wrong =
            event("outbound_message", &json!({"phone": "anonymous", "message": "x".repeat(4_097), "message_purpose": "newsletter"}));
        assert_eq!(wrong.phone(), Err(InvalidEvent::Field { field: "phone", expected: PHONE }));
        assert_eq!(wrong.text().err(), Some(InvalidEvent::Field { field: "message", expected: WORDS }));
        assert_eq!(wrong.purpose(), Err(InvalidEvent::PurposeNotAllowed));
        for number in [json!(999_501_234_567.0), json!(9.995e11), json!(-999_501_234_567_i64), json!(true)] {
            assert!(event("missed_call", &json!({"caller": number})).phone().is_err(), "{number}");
        }
        assert_eq!(event("outbound_message", &json!({"message_purpose": ["support"]})).purpose(), Err(InvalidEvent::PurposeNotAllowed));
        let odd = event("missed_call", &json!({"caller": "+999501234567", "queue": ["Sales"]}));
        assert_eq!(odd.call_facts(), Err(InvalidEvent::Field { field: "queue", expected: "expected a text" }));
        let long = event("missed_call", &json!({"caller": "+999501234567", "queue": "x".repeat(129)}));
        assert_eq!(long.call_facts(), Err(InvalidEvent::Field { field: "queue", expected: SHORT }));
    }

    #[test]
    fn a_message_that_is_asked_for_is_read_whole() {
        let mut fields =
            json!({"to": "+999501234567", "message_text": "On our way.", "message_purpose": "support", "conversation_id": "3cx-chat-1"});
        let outbound = event("outbound_message", &fields).outbound().unwrap();
        assert_eq!(
            (outbound.text.as_str(), outbound.conversation_id.as_deref(), outbound.agent_extension),
            ("On our way.", Some("3cx-chat-1"), None)
        );
        for (field, error) in [
            ("message_purpose", InvalidEvent::PurposeNotAllowed),
            ("message_text", InvalidEvent::MissingText),
            ("to", InvalidEvent::MissingPhone),
        ] {
            fields.as_object_mut().unwrap().remove(field);
            assert_eq!(event("outbound_message", &fields).outbound(), Err(error));
        }
    }

    #[test]
    fn a_purpose_is_named_also_where_it_is_refused() {
        let purpose = |word| event("outbound_message", &json!({"message_purpose": word})).purpose();
        assert_eq!(purpose("support"), Ok(DeclaredPurpose::Allowed(Purpose::Support)));
        assert_eq!(purpose("marketing"), Ok(DeclaredPurpose::Refused(RefusedPurpose::Marketing)));
    }

    #[test]
    fn a_text_is_read_under_both_of_its_names() {
        let both = event("outbound_message", &json!({"message": "second", "message_text": "first"}));
        assert_eq!(both.text().unwrap().as_str(), "first");
        assert_eq!(event("outbound_message", &json!({"message": "second", "message_text": ""})).text().unwrap().as_str(), "second");
    }

    #[test]
    fn extensions_may_be_numbers() {
        let facts = event("call_ended", &json!({"caller": "+999501234567", "agent_extension": 101})).call_facts().unwrap();
        assert_eq!(facts.agent_extension.as_deref(), Some("101"));
    }

    #[test]
    fn nobody_is_shown() {
        let shown = format!("{:?}", event("missed_call", &json!({"caller": "+999501234567", "message": "Hello"})));
        assert_eq!(shown, "Event { event_type: MissedCall, .. }");
    }
}
