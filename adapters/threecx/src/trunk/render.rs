//! Render: an event of the gateway, as what is posted to 3CX.
//!
//! The players: [`post_body`] (how), [`NotPosted`] (why an event is not for 3CX).

use gatepost::{Phone, Timestamp, safe_mime_type};

use super::post::{File, Inbound, Receipt, ReceiptStatus};
use super::words::{beside_file, file_name, words};
use crate::fields::Fields;

/// The body that is posted to 3CX for an event of the gateway.
///
/// `event` is the name that the event goes under, and `fields` the inside of its flat JSON object. `number` is the trunk's own. `file_url`
/// says where 3CX may fetch the file that came with an inbound message, by the message's id; none where it cannot be had.
///
/// The body's time is the event's own field for it, and `occurred_at` where that cannot be read.
///
/// ```
/// use gatepost_threecx::trunk::post_body;
///
/// # let (at, number) = ("2026-11-22T10:00:00Z".parse()?, "+999220000001".parse()?);
/// let fields = r#""from":"+999501234567","message_text":"Anyone there?","message_type":"text","inbound_id":"in-1""#;
/// let body = post_body("message.received", "evt-1", at, fields, number, &|_| None)?;
/// let body: serde_json::Value = serde_json::from_slice(&body)?;
/// assert_eq!(body["data"]["payload"]["text"], "Anyone there?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Where the event is not one of those that agents see, is about nobody with a phone number, or cannot be read.
pub fn post_body(
    event: &str,
    event_id: &str,
    occurred_at: Timestamp,
    fields: &str,
    number: Phone,
    file_url: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<u8>, NotPosted> {
    let object = format!("{{{fields}}}");
    let fields = Fields::read(object.as_bytes()).ok_or(NotPosted::Unreadable)?;
    let news = News { id: event_id, occurred_at, fields, number };
    match event {
        "message.received" => news.inbound(file_url),
        "message.sent" => news.receipt(ReceiptStatus::Sent),
        "message.delivered" => news.receipt(ReceiptStatus::Delivered),
        "message.failed" => news.receipt(news.failure()),
        _ => Err(NotPosted::OtherEvent),
    }
}

/// An event on its way.
struct News<'a> {
    id: &'a str,
    occurred_at: Timestamp,
    fields: Fields<'a>,
    number: Phone,
}

impl News<'_> {
    fn inbound(&self, file_url: &dyn Fn(&str) -> Option<String>) -> Result<Vec<u8>, NotPosted> {
        let from = self.phone("from")?;
        let form = self.fields.word("message_type").ok_or(NotPosted::Missing("message_type"))?;
        let id = self.fields.word("inbound_id").ok_or(NotPosted::Missing("inbound_id"))?;
        let media = self.fields.fields("media").unwrap_or_default();
        let name = file_name(&form, &media);
        let url = name.and_then(|_| file_url(&id));
        let text = match name {
            Some(name) => beside_file(name, self.fields.text("message_text"), url.is_some()),
            None => words(&form, &self.fields),
        };
        let files: Vec<_> = url.map(|url| File { url, content_type: content_type(&media), size: None }).into_iter().collect();
        let received_at = self.time("received_at");
        let inbound = Inbound { event_id: self.id, id: &id, from, to: self.number, text: &text, files: &files, received_at };
        Ok(inbound.body().to_string().into_bytes())
    }

    fn receipt(&self, status: ReceiptStatus) -> Result<Vec<u8>, NotPosted> {
        let to = self.phone("to")?;
        let id = self.fields.word("message_id").ok_or(NotPosted::Missing("message_id"))?;
        let receipt = Receipt { event_id: self.id, id: &id, from: self.number, to, status, at: self.time("updated_at") };
        Ok(receipt.body().to_string().into_bytes())
    }

    /// What was sent once did not fail to be sent.
    fn failure(&self) -> ReceiptStatus {
        match self.fields.word("previous_status").as_deref() {
            Some("sent" | "delivered" | "read") => ReceiptStatus::DeliveryFailed,
            _ => ReceiptStatus::SendingFailed,
        }
    }

    /// Whoever has no phone number is named otherwise, without a plus sign: 3CX knows numbers and nothing else.
    fn phone(&self, field: &str) -> Result<Phone, NotPosted> {
        let text = self.fields.word(field).filter(|text| text.starts_with('+')).ok_or(NotPosted::NoPhone)?;
        text.parse().map_err(|_| NotPosted::NoPhone)
    }

    fn time(&self, field: &str) -> Timestamp {
        self.fields.word(field).and_then(|text| text.parse().ok()).unwrap_or(self.occurred_at)
    }
}

/// The type of a file as it will be served, without its parameters.
fn content_type(media: &Fields<'_>) -> String {
    let stated = media.word("mime_type").unwrap_or_default();
    safe_mime_type(stated.split(';').next().unwrap_or_default())
}

/// Why an event is not posted to 3CX. It repeats nothing of the event.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotPosted {
    /// A field that it needs is not there.
    #[error("expected the event to have `{0}`")]
    Missing(&'static str),
    /// The person has no phone number that is known.
    #[error("the person has no phone number, and 3CX knows nobody else")]
    NoPhone,
    /// Agents are not told of such events.
    #[error("agents are not told of such events")]
    OtherEvent,
    /// The fields are not the inside of a JSON object.
    #[error("expected the inside of a JSON object")]
    Unreadable,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use serde_json::Value;

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_795_348_800_000);

    fn post(event: &str, fields: &str) -> Result<Value, NotPosted> {
        let url = |id: &str| (id == "in-1").then(|| String::from("https://gateway.example/media/in-1"));
        let body = post_body(event, "evt-1", AT, fields, "+999220000001".parse().unwrap(), &url)?;
        Ok(serde_json::from_slice(&body).unwrap())
    }

    fn receive(fields: &str) -> Result<Value, NotPosted> {
        post("message.received", &format!(r#""from":"+999501234567",{fields}"#)).map(|body| body["data"]["payload"].clone())
    }

    #[test]
    fn a_file_is_posted_where_it_can_be_had() {
        let payload = receive(r#""message_type":"audio","inbound_id":"in-1","media":{"mime_type":"Audio/OGG; codecs=opus"}"#).unwrap();
        assert_eq!((&payload["type"], &payload["text"]), (&"MMS".into(), &"Voice message".into()));
        assert_eq!(payload["media"][0]["url"], "https://gateway.example/media/in-1");
        assert_eq!(payload["media"][0]["content_type"], "audio/ogg");
        let payload = receive(r#""message_type":"image","inbound_id":"in-2","message_text":"See","media":{}"#).unwrap();
        assert_eq!((&payload["type"], &payload["text"]), (&"SMS".into(), &"See\nImage (not available here)".into()));
        assert!(payload.get("media").is_none());
    }

    #[test]
    fn a_type_that_is_none_becomes_the_one_of_any_file() {
        for mime_type in ["", "image", "image/", "a/b/c", "text/html", "ä/b"] {
            let fields = format!(r#""message_type":"image","inbound_id":"in-1","media":{{"mime_type":"{mime_type}"}}"#);
            assert_eq!(receive(&fields).unwrap()["media"][0]["content_type"], "application/octet-stream", "{mime_type}");
        }
    }

    #[test]
    fn the_events_own_time_counts_where_it_can_be_read() {
        let at = |fields: &str| receive(&format!(r#""message_type":"text","inbound_id":"in-2",{fields}"#)).unwrap()["received_at"].clone();
        assert_eq!(at(r#""received_at":"2026-11-22T09:00:00Z""#), "2026-11-22T09:00:00Z");
        assert_eq!(at(r#""received_at":"soon""#), AT.to_string());
    }

    #[test]
    fn a_failure_after_sending_is_one_of_delivery() {
        let status = |previous: &str| {
            let fields = format!(r#""message_id":"m-1","to":"+999501234567","status":"failed"{previous}"#);
            post("message.failed", &fields).unwrap()["data"]["payload"]["to"][0]["status"].clone()
        };
        for previous in ["sent", "delivered", "read"] {
            assert_eq!(status(&format!(r#","previous_status":"{previous}""#)), "delivery_failed");
        }
        for previous in ["", r#","previous_status":"queued""#, r#","previous_status":null"#, r#","previous_status":7"#] {
            assert_eq!(status(previous), "sending_failed", "{previous}");
        }
    }

    #[test]
    fn what_agents_are_not_told_says_why() {
        let sent = r#""message_id":"m-1","to":"+999501234567""#;
        assert_eq!(post("message.read", sent), Err(NotPosted::OtherEvent));
        assert_eq!(post("recipient.opted_out", "x"), Err(NotPosted::Unreadable));
        for fields in ["", r#""to":"US.1349""#, r#""to":"lid:98765432101234""#, r#""to":"999501234567""#, r#""to":null"#] {
            assert_eq!(post("message.sent", fields), Err(NotPosted::NoPhone), "{fields}");
        }
        assert_eq!(post("message.sent", r#""to":"+999501234567""#), Err(NotPosted::Missing("message_id")));
        assert_eq!(receive(r#""message_type":"text""#), Err(NotPosted::Missing("inbound_id")));
        assert_eq!(receive(r#""inbound_id":"in-1""#), Err(NotPosted::Missing("message_type")));
        for fields in ["x", "}", r#""a":1},{"b":1"#, r#""a""#] {
            assert_eq!(post("message.sent", fields), Err(NotPosted::Unreadable), "{fields}");
        }
    }
}
