//! Batch: from the bytes of a webhook to its items, as far as all providers are alike.

use gatepost::{Addresses, Timestamp};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::fields::Fields;
use crate::item::{Body, Chat, Item, Line};

/// The fields of a webhook's body.
pub(crate) fn root(body: &[u8]) -> Result<(&RawValue, Fields<'_>), NotANotification> {
    let raw: &RawValue = serde_json::from_slice(body).map_err(|_| NotANotification::NotJson)?;
    Fields::read(raw).map(|fields| (raw, fields)).ok_or(NotANotification::NotAnObject)
}

/// How many items of a list are read. Meta posts up to a thousand; more than this only makes work, and stays in the raw body.
pub(crate) const ITEMS_MAX: usize = 10_000;

/// What an item has of its own; the rest follows from where it stands.
pub(crate) struct Told {
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) at: Option<Timestamp>,
    pub(crate) people: Addresses,
    pub(crate) chat: Chat,
    pub(crate) is_echo: bool,
    pub(crate) body: Body,
}

impl Told {
    /// Something of this kind that is about nobody.
    pub(crate) fn new(kind: impl Into<String>, key: String, body: Body) -> Self {
        let (at, people, chat, is_echo) = (None, Addresses::default(), Chat::Direct, false);
        Self { kind: kind.into(), key, at, people, chat, is_echo, body }
    }

    /// The item, read from `raw`.
    pub(crate) fn on(self, line: Line, raw: &RawValue) -> Item {
        let Self { kind, key, at, people, chat, is_echo, body } = self;
        Item { kind, key, at, line, people, chat, is_echo, body, raw: Some(raw.into()) }
    }
}

/// Something that could not be read.
pub(crate) fn malformed(why: &'static str, line: Line, raw: &RawValue) -> Item {
    let key = format!("malformed:{}", digest(raw));
    Told::new("malformed", key, Body::Malformed { why }).on(line, raw)
}

/// A name for what has no id: the same for the same JSON, whatever the order of its fields.
pub(crate) fn digest(raw: &RawValue) -> String {
    let canonical = serde_json::from_str::<serde_json::Value>(raw.get()).map(|value| value.to_string());
    hashed(canonical.as_deref().unwrap_or(raw.get()))
}

/// A text as a key may hold it: keys are shown, and a text may name a person.
pub(crate) fn hashed(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(16).fold(String::with_capacity(32), |text, byte| text + &format!("{byte:02x}"))
}

/// The bytes are no notification at all: the one case in which the provider is told so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotANotification {
    /// They do not say what they are about.
    #[error("expected a field that says what the notification is about")]
    NoSubject,
    /// They are JSON, and not an object.
    #[error("expected a JSON object")]
    NotAnObject,
    /// They are not JSON.
    #[error("expected JSON")]
    NotJson,
}
