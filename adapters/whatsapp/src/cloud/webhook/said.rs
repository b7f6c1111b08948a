//! Said: the forms in which a message comes, and what can be read of each as text.

use crate::errors::ProviderError;
use crate::fields::Fields;
use crate::ids;
use crate::item::{Card, MediaFile, Said, SaidMedia};
use crate::place::location;
use gatepost::{Addresses, Words};

/// What a message says.
pub(super) struct Heard {
    /// The form in Meta's words, with what is below it.
    pub(super) kind: String,
    pub(super) text: Option<Words>,
    pub(super) said: Said,
}

impl Heard {
    fn new(kind: &str, text: Option<String>, said: Said) -> Self {
        Self { kind: kind.to_owned(), text: text.map(Words::new), said }
    }
}

/// Reads a message of this form. A form whose part is absent says nothing, and is a message all the same.
pub(super) fn hear(form: &str, message: &Fields<'_>) -> Heard {
    let part = message.fields(form).unwrap_or_default();
    match form {
        "text" => Heard::new(form, part.text("body"), Said::Text),
        "audio" => media(form, SaidMedia::Audio, &part),
        "document" => media(form, SaidMedia::Document, &part),
        "image" => media(form, SaidMedia::Image, &part),
        "sticker" => media(form, SaidMedia::Sticker, &part),
        "video" => media(form, SaidMedia::Video, &part),
        "button" => Heard::new(form, part.text("text"), Said::Choice { id: part.text("payload") }),
        "interactive" => interactive(&part),
        "reaction" => Heard::new(form, None, reaction(&part)),
        "location" => Heard::new(form, None, location(&part, "latitude", "longitude")),
        "contacts" => Heard::new(form, None, Said::Contacts { cards: message.objects(form).iter().map(card).collect() }),
        "order" => Heard::new(form, part.text("text"), order(&part)),
        "edit" => edit(&part),
        "revoke" => Heard::new(form, None, Said::Revoke { of: part.id("original_message_id") }),
        "unsupported" => Heard::new(form, None, Said::Unsupported { errors: errors(message) }),
        other => Heard::new(other, None, Said::Unknown),
    }
}

/// The errors in the field `errors`.
pub(super) fn errors(fields: &Fields<'_>) -> Vec<ProviderError> {
    fields.objects("errors").iter().map(ProviderError::read).collect()
}

fn media(form: &str, media: SaidMedia, part: &Fields<'_>) -> Heard {
    let file = MediaFile {
        media,
        id: part.id("id"),
        url: part.text("url").map(Words::new),
        mime_type: part.text("mime_type"),
        file_name: part.text("filename").map(Words::new),
        is_voice_note: part.flag("voice").unwrap_or_default(),
        is_inline: false,
    };
    Heard::new(form, part.text("caption"), Said::Media(file))
}

fn interactive(part: &Fields<'_>) -> Heard {
    let form = part.text("type").unwrap_or_else(|| String::from("untyped"));
    let reply = part.fields(&form).unwrap_or_default();
    let kind = format!("interactive.{form}");
    match form.as_str() {
        "button_reply" | "list_reply" => Heard::new(&kind, reply.text("title"), Said::Choice { id: reply.text("id") }),
        "nfm_reply" => Heard::new(&kind, reply.text("body"), Said::Form { answers: reply.text("response_json").map(Words::new) }),
        "call_permission_reply" => {
            let is_granted = reply.text("response").as_deref() == Some("accept");
            Heard::new(&kind, None, Said::CallPermission { is_granted })
        }
        _ => Heard::new(&kind, None, Said::Unknown),
    }
}

/// An empty emoji takes the reaction away, as one that is absent does.
fn reaction(part: &Fields<'_>) -> Said {
    let emoji = part.text("emoji").filter(|emoji| !emoji.is_empty()).map(Words::new);
    Said::Reaction { to: part.id("message_id"), emoji }
}

fn card(contact: &Fields<'_>) -> Card {
    let phones = contact.objects("phones");
    let known = phones.iter().filter_map(|phone| ids::phone(&phone.id("wa_id")?));
    Card {
        name: contact.fields("name").and_then(|name| name.text("formatted_name")).map(Words::new),
        addresses: known.collect::<Addresses>(),
        phones: phones.iter().filter_map(|phone| phone.id("phone")).map(Words::new).collect(),
    }
}

fn order(part: &Fields<'_>) -> Said {
    Said::Order { catalog: part.id("catalog_id"), lines: part.array("product_items").map_or(0, |items| items.len()) }
}

/// What it says now is read like any other message.
fn edit(part: &Fields<'_>) -> Heard {
    let message = part.fields("message").unwrap_or_default();
    let now = message.text("type").filter(|form| form != "edit").map(|form| hear(&form, &message));
    Heard { kind: String::from("edit"), text: now.and_then(|now| now.text), said: Said::Edit { of: part.id("original_message_id") } }
}
