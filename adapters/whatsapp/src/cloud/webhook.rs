//! Webhook: from the bytes that Meta posts to items.
//!
//! A body has entries (business accounts), these have changes (a field and its value), and the value has messages, statuses and the like.
//! Whatever cannot be read becomes an item of its own, as small as it can be, so that one bad message spoils no other.

mod account;
mod messages;
mod number;
mod people;
mod said;
mod statuses;
mod templates;

use gatepost::Timestamp;
pub(super) use people::addresses;
use serde_json::value::RawValue;

use crate::batch::{ITEMS_MAX, NotANotification, Told, malformed, root};
use crate::fields::Fields;
use crate::item::{Batch, Body, Item, Line};

/// Reads what Meta posts. Whoever calls has [verified](super::verify_signature) the bytes.
///
/// ```
/// use gatepost_whatsapp::cloud::webhook;
///
/// let body = br#"{"object":"whatsapp_business_account","entry":[{"id":"9001","changes":[{"field":"messages","value":{
///     "metadata":{"phone_number_id":"8007"},
///     "messages":[{"from":"999501234567","id":"wamid.1","timestamp":"1795500000","type":"text","text":{"body":"STOP"}},
///                 {"from":"999501234567","type":"text","text":{"body":"without an id"}}]}}]}]}"#;
/// let batch = webhook(body)?;
/// let kinds: Vec<_> = batch.items.iter().map(|item| item.kind.as_str()).collect();
/// assert_eq!(kinds, ["message.text", "malformed"]);
/// assert!(batch.items[0].is_inbound());
/// # Ok::<(), gatepost_whatsapp::NotANotification>(())
/// ```
///
/// # Errors
///
/// Only where the bytes are no notification at all. Everything else is answered with 200, or Meta repeats it for days.
pub fn webhook(body: &[u8]) -> Result<Batch, NotANotification> {
    let (raw, root) = root(body)?;
    let object = root.text("object").ok_or(NotANotification::NoSubject)?;
    if object != "whatsapp_business_account" {
        // Another product of Meta on the same app.
        return Ok(Batch { items: vec![unknown(format!("object.{object}"), Line::Unknown, raw)] });
    }
    let items = match root.array("entry") {
        Some(entries) => entries.into_iter().flat_map(entry).take(ITEMS_MAX).collect(),
        None => vec![malformed("expected an array in `entry`", Line::Unknown, raw)],
    };
    Ok(Batch { items })
}

fn entry(raw: &RawValue) -> Vec<Item> {
    let Some(entry) = Fields::read(raw) else { return vec![malformed("expected an object in `entry`", Line::Unknown, raw)] };
    let account = entry.id("id").unwrap_or_default();
    let Some(changes) = entry.array("changes") else {
        return vec![malformed("expected an array in `changes`", line(&account, None), raw)];
    };
    changes.into_iter().flat_map(|raw| change(&account, entry.seconds("time"), raw)).take(ITEMS_MAX).collect()
}

fn change(account: &str, at: Option<Timestamp>, raw: &RawValue) -> Vec<Item> {
    let refused = |why| vec![malformed(why, line(account, None), raw)];
    let Some(change) = Fields::read(raw) else { return refused("expected an object in `changes`") };
    let Some((value_raw, value)) = change.raw("value").and_then(|raw| Some((raw, Fields::read(raw)?))) else {
        return refused("expected an object in `value`");
    };
    let Some(field) = change.word("field").or_else(|| field_of(&value)) else { return refused("expected `field`") };
    Change { account, at, field, raw: value_raw, value }.read()
}

/// A value of this shape is of this field, even if nobody says so.
fn field_of(value: &Fields<'_>) -> Option<String> {
    ["messages", "statuses"].iter().any(|name| value.has(name)).then(|| String::from("messages"))
}

/// One change, on its way to be read.
struct Change<'a> {
    account: &'a str,
    at: Option<Timestamp>,
    field: String,
    raw: &'a RawValue,
    value: Fields<'a>,
}

impl Change<'_> {
    fn read(&self) -> Vec<Item> {
        match self.field.as_str() {
            "messages" | "smb_message_echoes" | "user_preferences" | "user_id_update" => number::items(self),
            "account_update" => vec![self.one(account::update(&self.value))],
            _ if self.field.starts_with("message_template_") || self.field == "template_category_update" => {
                vec![templates::change(self)]
            }
            _ => vec![account::notice(self).map_or_else(|| self.one(Body::Unknown), |notice| self.one(Body::Notice(notice)))],
        }
    }

    /// The whole change as one item.
    fn one(&self, body: Body) -> Item {
        self.one_of_kind(&self.field, body)
    }

    /// Meta gives such an item no id. The time of its entry is part of the key, so that what happens twice within days is told twice.
    fn one_of_kind(&self, kind: &str, body: Body) -> Item {
        let seconds = self.at.map_or(0, |at| at.as_millis() / 1_000);
        let key = format!("{}:{kind}:{seconds}:{}", self.account, crate::batch::digest(self.raw));
        Told { at: self.at, ..Told::new(kind, key, body) }.on(self.line(None), self.raw)
    }

    fn line(&self, number: Option<&str>) -> Line {
        line(self.account, number)
    }
}

fn line(account: &str, number: Option<&str>) -> Line {
    Line::CloudApi { account: account.to_owned(), number: number.map(str::to_owned) }
}

fn unknown(kind: String, line: Line, raw: &RawValue) -> Item {
    let key = format!("{kind}:{}", crate::batch::digest(raw));
    Told::new(kind, key, Body::Unknown).on(line, raw)
}
