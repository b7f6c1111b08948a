//! Body: what is posted to the Cloud API, for each kind of content.

use gatepost::{
    Action, Address, Content, MediaKind, MessageId, Phone, Row, TemplateButton, TemplateButtonFill, TemplateHeader, TemplateParameter,
    Text, UserId,
};
use serde_json::{Map, Value, json};

use crate::place::degrees;

/// Whom a message goes to, as the Cloud API can be told.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CloudRecipient {
    /// A phone number.
    Phone(Phone),
    /// A business-scoped user id. It does not do for every message: one-time codes need a number.
    UserId(UserId),
}

impl CloudRecipient {
    /// The recipient with this address, where the Cloud API knows such addresses.
    pub(crate) fn of(address: &Address) -> Option<Self> {
        match address {
            Address::Phone(phone) => Some(Self::Phone(*phone)),
            Address::UserId(id) | Address::ParentUserId(id) => Some(Self::UserId(id.clone())),
            Address::Lid(_) => None,
        }
    }

    /// The field that names the recipient. A number has its plus sign always: Meta would put our own country's code before one without.
    fn field(&self) -> (&'static str, String) {
        match self {
            Self::Phone(phone) => ("to", phone.e164()),
            Self::UserId(id) => ("recipient", id.as_str().to_owned()),
        }
    }
}

/// The body that sends `content`; nothing for content that the Cloud API does not carry. Our id of the message goes along, and comes back
/// with each status: there is no other tie to a send whose answer is lost.
pub(super) fn message(recipient: &CloudRecipient, content: &Content, message: MessageId) -> Option<Vec<u8>> {
    let (kind, part) = part(content)?;
    let (field, value) = recipient.field();
    let mut body = object(json!({"messaging_product": "whatsapp", "recipient_type": "individual", "type": kind}));
    body.insert(field.to_owned(), Value::from(value));
    body.insert(kind.to_owned(), part);
    body.insert(String::from("biz_opaque_callback_data"), Value::from(message.to_string()));
    Some(Value::Object(body).to_string().into_bytes())
}

/// The body that marks a message, and all before it, as read, and may show that we are typing.
pub(super) fn mark_read(external_id: &str, is_typing: bool) -> Vec<u8> {
    let mut body = object(json!({"messaging_product": "whatsapp", "status": "read", "message_id": external_id}));
    if is_typing {
        body.insert(String::from("typing_indicator"), json!({"type": "text"}));
    }
    Value::Object(body).to_string().into_bytes()
}

/// The type of a message and what stands under that name.
fn part(content: &Content) -> Option<(&'static str, Value)> {
    Some(match content {
        Content::Text { text } => ("text", json!({"preview_url": false, "body": text.as_str()})),
        Content::Media { kind, source, caption, file_name } => media(*kind, source, caption.as_ref(), file_name.as_ref()),
        Content::Reaction { to, emoji } => {
            ("reaction", json!({"message_id": to.as_str(), "emoji": emoji.as_ref().map_or("", |emoji| emoji.as_str())}))
        }
        Content::Location { latitude_e6, longitude_e6, name, address } => {
            let place = json!({"latitude": degrees(*latitude_e6), "longitude": degrees(*longitude_e6)});
            ("location", with(with(place, "name", name.as_ref()), "address", address.as_ref()))
        }
        Content::Interactive { text, header, footer, action } => {
            let (kind, action) = interaction(action);
            let header = header.as_ref().map(|header| json!({"type": "text", "text": header.as_str()}));
            let footer = footer.as_ref().map(|footer| json!({"text": footer.as_str()}));
            let part = json!({"type": kind, "body": {"text": text.as_str()}, "action": action});
            ("interactive", with_value(with_value(part, "header", header), "footer", footer))
        }
        Content::Template { name, language, authentication, header, parameters, buttons } => {
            let components = components(*authentication, header.as_ref(), parameters, buttons);
            let part = json!({"name": name.as_str(), "language": {"code": language.as_str()}});
            ("template", with_value(part, "components", (!components.is_empty()).then(|| Value::from(components))))
        }
        _ => return None,
    })
}

/// Only documents have a name there, and neither sounds nor stickers a caption.
fn media(kind: MediaKind, source: &Text, caption: Option<&Text<1024>>, file_name: Option<&Text<240>>) -> (&'static str, Value) {
    let file = file(source);
    match kind {
        MediaKind::Audio => ("audio", file),
        MediaKind::Document => ("document", with(with(file, "caption", caption), "filename", file_name)),
        MediaKind::Image => ("image", with(file, "caption", caption)),
        MediaKind::Sticker => ("sticker", file),
        MediaKind::Video => ("video", with(file, "caption", caption)),
        MediaKind::Voice => ("audio", with_value(file, "voice", Some(Value::from(true)))),
    }
}

/// A link, or an id of Meta's.
fn file(source: &Text) -> Value {
    let source = source.as_str();
    if source.starts_with("https://") { json!({"link": source}) } else { json!({"id": source}) }
}

fn interaction(action: &Action) -> (&'static str, Value) {
    match action {
        Action::Buttons { buttons } => {
            let button =
                |button: &gatepost::Button| json!({"type": "reply", "reply": {"id": button.id.as_str(), "title": button.title.as_str()}});
            ("button", json!({"buttons": buttons.as_slice().iter().map(button).collect::<Vec<_>>()}))
        }
        Action::Link { label, url } => {
            ("cta_url", json!({"name": "cta_url", "parameters": {"display_text": label.as_str(), "url": url.as_str()}}))
        }
        Action::List { label, rows } => ("list", json!({"button": label.as_str(), "sections": sections(rows.as_slice())})),
        Action::ShareNumber => ("request_contact_info", json!({"name": "request_contact_info"})),
    }
}

/// Rows that follow each other under the same title are one section.
fn sections(rows: &[Row]) -> Vec<Value> {
    let sections = rows.chunk_by(|left, right| left.section == right.section);
    let section = |rows: &[Row]| {
        let title = rows.first().and_then(|row| row.section.as_ref());
        with(json!({"rows": rows.iter().map(row).collect::<Vec<_>>()}), "title", title)
    };
    sections.map(section).collect()
}

fn row(row: &Row) -> Value {
    with(json!({"id": row.id.as_str(), "title": row.title.as_str()}), "description", row.description.as_ref())
}

fn components(
    authentication: bool,
    header: Option<&TemplateHeader>,
    parameters: &[TemplateParameter],
    buttons: &[TemplateButton],
) -> Vec<Value> {
    let header = header.map(|header| json!({"type": "header", "parameters": [header_parameter(header)]}));
    let text =
        (!parameters.is_empty()).then(|| json!({"type": "body", "parameters": parameters.iter().map(parameter).collect::<Vec<_>>()}));
    // The button that copies a one-time code takes the code too.
    let code = parameters.first().filter(|_| authentication && buttons.is_empty());
    let code = code.map(|code| button(0, "url", &json!({"type": "text", "text": code.text.as_str()})));
    [header, text, code].into_iter().flatten().chain(buttons.iter().map(template_button)).collect()
}

fn header_parameter(header: &TemplateHeader) -> Value {
    match header {
        TemplateHeader::Media { kind, source } => {
            let (name, file) = media(*kind, source, None, None);
            json!({"type": name, name: file})
        }
        TemplateHeader::Text { text } => parameter(text),
    }
}

fn parameter(parameter: &TemplateParameter) -> Value {
    with(json!({"type": "text", "text": parameter.text.as_str()}), "parameter_name", parameter.name.as_ref())
}

fn template_button(of: &TemplateButton) -> Value {
    match &of.fill {
        TemplateButtonFill::Payload { payload } => {
            button(of.index, "quick_reply", &json!({"type": "payload", "payload": payload.as_str()}))
        }
        TemplateButtonFill::UrlSuffix { suffix } => button(of.index, "url", &json!({"type": "text", "text": suffix.as_str()})),
    }
}

fn button(index: u8, sub_type: &str, parameter: &Value) -> Value {
    json!({"type": "button", "sub_type": sub_type, "index": index.to_string(), "parameters": [parameter]})
}

fn with<const MAX: usize>(part: Value, name: &str, text: Option<&Text<MAX>>) -> Value {
    with_value(part, name, text.map(|text| Value::from(text.as_str())))
}

/// The object with one more field, where there is something to put into it.
fn with_value(part: Value, name: &str, value: Option<Value>) -> Value {
    let mut part = object(part);
    part.extend(value.map(|value| (name.to_owned(), value)));
    Value::Object(part)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
