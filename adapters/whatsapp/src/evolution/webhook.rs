//! Webhook: from the bytes that Evolution API posts to items.
//!
//! A body has one event, the instance's name there, and data: an object, or several in an array. Its `date_time` is local time that claims
//! to be UTC, so it is not read.

mod connection;
mod jid;
mod messages;
mod said;
mod updates;

pub(super) use connection::link_code;
use gatepost::Addresses;
use serde_json::value::RawValue;

use crate::batch::{ITEMS_MAX, NotANotification, Told, digest, malformed, root};
use crate::fields::{Fields, elements};
use crate::item::{Batch, Body, Item, Line};

/// Reads what Evolution API posts. Whoever calls has made sure who posts it.
///
/// ```
/// use gatepost_whatsapp::evolution::webhook;
///
/// let body = br#"{"event":"messages.upsert","instance":"front-desk","data":{
///     "key":{"remoteJid":"999501234567@s.whatsapp.net","fromMe":false,"id":"3EB0A1"},
///     "message":{"conversation":"STOP"},"messageTimestamp":1795500000}}"#;
/// let batch = webhook(body)?;
/// assert_eq!(batch.items[0].kind, "message.conversation");
/// assert!(batch.items[0].is_inbound());
/// # Ok::<(), gatepost_whatsapp::NotANotification>(())
/// ```
///
/// # Errors
///
/// Only where the bytes are no notification at all. Evolution API forgets what is answered with 400, so everything else must be answered
/// with 200.
pub fn webhook(body: &[u8]) -> Result<Batch, NotANotification> {
    let (raw, root) = root(body)?;
    let event = root.word("event").ok_or(NotANotification::NoSubject)?;
    let instance = root.id("instance").unwrap_or_default();
    let at = root.text("date_time").unwrap_or_default();
    let event = Event { name: event.to_ascii_lowercase().replace('_', "."), instance, at };
    let items = match root.raw("data") {
        Some(data) => elements(data).unwrap_or_else(|| vec![data]).into_iter().take(ITEMS_MAX).map(|raw| event.item(raw)).collect(),
        // The envelope may hold the instance's API key.
        None => vec![Item { raw: None, ..malformed("expected `data`", event.line(), raw) }],
    };
    Ok(Batch { items })
}

/// What stands around the data.
struct Event {
    /// Lower case with dots, as the envelope has it.
    name: String,
    instance: String,
    /// When it was posted first, in words that mean nothing: they tell an event from its like, and a repetition has the same.
    at: String,
}

impl Event {
    fn item(&self, raw: &RawValue) -> Item {
        let told = Fields::read(raw).ok_or("expected an object in `data`").and_then(|data| self.read(&data, raw));
        self.without_secrets(match told {
            Ok(told) => told.on(self.line(), raw),
            Err(why) => malformed(why, self.line(), raw),
        })
    }

    fn read(&self, data: &Fields<'_>, raw: &RawValue) -> Result<Told, &'static str> {
        match self.name.as_str() {
            "messages.upsert" => messages::message(&self.instance, data),
            "send.message" => messages::sent(&self.instance, data),
            "messages.update" => updates::update(&self.instance, data),
            "messages.delete" => updates::deletion(&self.instance, data),
            "connection.update" => Ok(self.told(raw, connection::update(data))),
            "status.instance" => Ok(self.told(raw, connection::status(data))),
            "logout.instance" | "remove.instance" => Ok(self.told(raw, connection::ended())),
            "qrcode.updated" => Ok(self.told(raw, connection::code(data))),
            "contacts.set" | "contacts.update" | "contacts.upsert" => Ok(self.contact(data, raw)),
            _ => Ok(self.told(raw, Body::Unknown)),
        }
    }

    /// Something without an id.
    fn told(&self, raw: &RawValue, body: Body) -> Told {
        Told::new(self.name.clone(), format!("{}:{}:{}:{}", self.instance, self.name, self.at, digest(raw)), body)
    }

    fn contact(&self, data: &Fields<'_>, raw: &RawValue) -> Told {
        let (people, profile) = (jid::person(data, "remoteJid"), messages::profile(data));
        Told { people, ..self.told(raw, Body::Profile(profile)) }
    }

    /// A code that links a phone is not kept.
    fn without_secrets(&self, item: Item) -> Item {
        if self.name == "qrcode.updated" { Item { raw: None, ..item } } else { item }
    }

    fn line(&self) -> Line {
        Line::Evolution { instance: self.instance.clone() }
    }
}

/// The person in the key of a message.
pub(super) fn recipient(key: &Fields<'_>) -> Addresses {
    jid::person(key, "remoteJid")
}
