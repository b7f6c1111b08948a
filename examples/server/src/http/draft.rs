//! Draft: the body of a send as it came, before its fields are looked at.
//!
//! It is read by hand, so that every field can be told apart from one that is missing and from one that is no text, so that a field
//! given twice is refused, and so that nothing is copied that has no escapes. Unknown fields are ignored: older clients send more.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use gatepost::{Address, Content, DeclaredPurpose, InstanceRef, Phone, Text, allowed_words};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use utoipa::ToSchema;

use super::code::Code;
use super::complaint::{Complaint, Complaints};

const INSTANCE_CHARACTERS_MAX: usize = 100;

/// A text message to send.
#[derive(Default, ToSchema)]
#[schema(as = SendMessage, example = json!({
    "instance_id": "support", "phone": "+999501234567", "message": "Your table is ready.", "message_purpose": "support"
}))]
pub(super) struct Draft<'a> {
    /// The id or the name of the instance that sends it.
    #[schema(value_type = String, max_length = 100)]
    instance_id: Field<'a>,
    /// The recipient's number with its country code; the plus sign, spaces and punctuation may be left out.
    #[schema(value_type = String)]
    phone: Field<'a>,
    /// What it says: 1 to 4096 characters after trimming.
    #[schema(value_type = String, max_length = 4096)]
    message: Field<'a>,
    /// Why it is sent: `transactional`, `operational`, `support`, `internal_team` or `authentication`.
    #[schema(value_type = String)]
    message_purpose: Field<'a>,
}

/// What a draft asks for, once every field was found right.
pub(super) struct Asked {
    pub(super) instance: InstanceRef,
    pub(super) recipient: Address,
    pub(super) content: Content,
    pub(super) purpose: DeclaredPurpose,
}

impl<'a> Draft<'a> {
    /// Reads a body; where it is no JSON object, the place where that was seen.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(body)
            .map_err(|error| format!("{}: line {}, column {}", Code::InvalidJson.text(), error.line(), error.column()))
    }

    /// Looks at every field, in the order of the contract, and notes what is wrong.
    pub(super) fn examine(&self, complaints: &mut Complaints) -> Option<Asked> {
        let instance = complaints.note(self.instance());
        let recipient = complaints.note(self.recipient());
        let content = complaints.note(self.content());
        let purpose = complaints.note(self.purpose());
        Some(Asked { instance: instance?, recipient: recipient?, content: content?, purpose: purpose? })
    }

    fn instance(&self) -> Result<InstanceRef, Complaint> {
        let expected = || Complaint::new("instance_id", "expected the id or the name of an instance");
        let text = self.instance_id.text().ok_or_else(expected)?;
        let fits = !text.is_empty() && text.chars().nth(INSTANCE_CHARACTERS_MAX).is_none();
        if fits { Ok(InstanceRef::from(text)) } else { Err(expected()) }
    }

    fn recipient(&self) -> Result<Address, Complaint> {
        let text = self.phone.text().ok_or_else(|| Complaint::new("phone", "expected a phone number with its country code"))?;
        text.parse::<Phone>().map(Address::from).map_err(|error| Complaint::new("phone", error.to_string()))
    }

    fn content(&self) -> Result<Content, Complaint> {
        let text = self.message.text().ok_or_else(|| Complaint::new("message", "expected a text"))?;
        text.parse::<Text>().map(Content::from).map_err(|error| Complaint::new("message", error.to_string()))
    }

    fn purpose(&self) -> Result<DeclaredPurpose, Complaint> {
        let expected = || format!("expected one of {}", allowed_words());
        match &self.message_purpose {
            Field::Absent => Err(Complaint::new("message_purpose", expected()).coded(Code::MessagePurposeRequired)),
            Field::NotText => Err(Complaint::new("message_purpose", expected())),
            Field::Text(word) if word.is_empty() => Err(Complaint::new("message_purpose", expected()).coded(Code::MessagePurposeRequired)),
            Field::Text(word) => {
                word.parse().map_err(|_| Complaint::new("message_purpose", expected()).coded(Code::MessagePurposeNotAllowed))
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Draft<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DraftVisitor)
    }
}

struct DraftVisitor;

impl<'de> Visitor<'de> for DraftVisitor {
    type Value = Draft<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Draft<'de>, M::Error> {
        let mut draft = Draft::default();
        let mut seen = Seen::default();
        while let Some(Name(name)) = map.next_key()? {
            if !seen.is_first(&name) {
                return Err(M::Error::custom("a field is given twice"));
            }
            match &*name {
                "instance_id" => draft.instance_id = map.next_value()?,
                "phone" => draft.phone = map.next_value()?,
                "message" => draft.message = map.next_value()?,
                "message_purpose" => draft.message_purpose = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(draft)
    }
}

/// The names that were read so far: the four that every draft has, and any others.
#[derive(Default)]
struct Seen {
    known: [bool; KNOWN.len()],
    others: HashSet<String>,
}

const KNOWN: [&str; 4] = ["instance_id", "phone", "message", "message_purpose"];

impl Seen {
    fn is_first(&mut self, name: &str) -> bool {
        match KNOWN.iter().zip(&mut self.known).find(|(known, _)| **known == name) {
            Some((_, seen)) => !std::mem::replace(seen, true),
            None => self.others.insert(name.to_owned()),
        }
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Field::deserialize(deserializer)? {
            Field::Text(name) => Ok(Self(name)),
            Field::Absent | Field::NotText => Err(D::Error::custom("a name must be a text")),
        }
    }
}

/// The value of a field that ought to be a text. `null` counts as absent.
#[derive(Default)]
enum Field<'a> {
    #[default]
    Absent,
    NotText,
    Text(Cow<'a, str>),
}

impl Field<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::NotText => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Field<'de>, E> {
        Ok(Field::Absent)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Field<'de>, E> {
        Ok(Field::NotText)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Field<'de>, E> {
        Ok(Field::NotText)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Field<'de>, E> {
        Ok(Field::NotText)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Field<'de>, E> {
        Ok(Field::NotText)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Field<'de>, S::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::NotText)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut entries: M) -> Result<Field<'de>, M::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::NotText)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let mut complaints = Complaints::default();
        let draft = Draft::parse(body.as_bytes()).map_err(|place| panic!("{place}")).unwrap();
        let asked = draft.examine(&mut complaints);
        let found: Vec<String> = complaints
            .iter()
            .map(|complaint| format!("{} {}", complaint.code().name(), complaint.sentence().split(':').next().unwrap()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(asked.is_some(), expected.is_empty());
    }

    #[test]
    fn a_whole_draft_is_asked_for() {
        check(r#"{"instance_id":"x","phone":"+999501234567","message":" hi ","message_purpose":"support","more":[1]}"#, &[]);
        check(r#"{"instance_id":"x","phone":"999501234567","message":"\u0061","message_purpose":"marketing"}"#, &[]);
    }

    #[test]
    fn every_field_that_is_missing_or_wrong_is_named_in_order() {
        check(
            "{}",
            &[
                "validation_error `instance_id`",
                "validation_error `phone`",
                "validation_error `message`",
                "message_purpose_required `message_purpose`",
            ],
        );
        check(
            r#"{"message_purpose":"newsletter","message":"\u0000x","phone":"0501234567","instance_id":""}"#,
            &[
                "validation_error `instance_id`",
                "validation_error `phone`",
                "validation_error `message`",
                "message_purpose_not_allowed `message_purpose`",
            ],
        );
        check(
            r#"{"message_purpose":7,"message":{"a":1},"phone":[1,2],"instance_id":null}"#,
            &[
                "validation_error `instance_id`",
                "validation_error `phone`",
                "validation_error `message`",
                "validation_error `message_purpose`",
            ],
        );
    }

    #[test]
    fn what_is_no_object_with_unique_fields_is_no_draft() {
        for body in ["", "[]", "null", "\"x\"", "{", r#"{"a":1,"a":2}"#, r#"{"phone":"1","phone":"2"}"#, r#"{"message":"\ud800"}"#, "{}x"] {
            assert!(Draft::parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Draft::parse(b"{\"message\":\"\xff\"}").is_err());
    }
}
