//! Body: what is posted to Evolution API, for the kinds of content that it carries.

use gatepost::{Address, Content, MediaKind, Phone, Text};
use serde_json::{Value, json};

/// The call and the body that send `content`; nothing for what Evolution API does not carry.
pub(super) fn message(recipient: &Address, content: &Content) -> Option<(&'static str, Vec<u8>)> {
    let number = number(&recipient.phone()?);
    let (call, body) = match content {
        Content::Text { text } => ("sendText", json!({"number": number, "text": text.as_str()})),
        Content::Media { kind, source, caption, file_name } => {
            // It fetches links; an id of Meta's means nothing to it.
            let link = Some(source.as_str()).filter(|source| source.starts_with("https://"))?;
            let mut body = json!({"number": number, "mediatype": media_type(*kind)?, "media": link});
            let optional = [("caption", caption.as_ref().map(Text::as_str)), ("fileName", file_name.as_ref().map(Text::as_str))];
            for (name, text) in optional {
                set(&mut body, name, text);
            }
            ("sendMedia", body)
        }
        _ => return None,
    };
    Some((call, body.to_string().into_bytes()))
}

/// Digits only: it makes a JID of them.
fn number(phone: &Phone) -> String {
    phone.digits().to_string()
}

const fn media_type(kind: MediaKind) -> Option<&'static str> {
    match kind {
        MediaKind::Audio | MediaKind::Voice => Some("audio"),
        MediaKind::Document => Some("document"),
        MediaKind::Image => Some("image"),
        MediaKind::Video => Some("video"),
        MediaKind::Sticker => None,
    }
}

fn set(body: &mut Value, name: &str, text: Option<&str>) {
    if let (Some(fields), Some(text)) = (body.as_object_mut(), text) {
        fields.insert(name.to_owned(), Value::from(text));
    }
}
