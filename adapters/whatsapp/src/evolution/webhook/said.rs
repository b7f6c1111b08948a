//! Said: the forms in which a message of WhatsApp Web comes, and what can be read of each as text.
//!
//! A message may lie inside another: chats whose messages disappear, pictures to be seen once and documents with captions are wrapped, so
//! wrappers are opened first.

use crate::fields::Fields;
use crate::item::{Card, MediaFile, Said, SaidMedia};
use crate::place::location;
use gatepost::{Addresses, Words};

/// How many wrappers are opened.
const WRAPPERS_MAX: usize = 8;

/// What a message says.
pub(super) struct Heard {
    /// The form in WhatsApp's words.
    pub(super) form: String,
    pub(super) text: Option<Words>,
    pub(super) said: Said,
    /// The id of the message it answers to.
    pub(super) quoted: Option<String>,
}

/// Reads what stands in `message`. A form that is not known is a message all the same.
pub(super) fn hear(data: &Fields<'_>) -> Heard {
    let message = unwrapped(data.fields("message").unwrap_or_default());
    if let Some(text) = message.text("conversation") {
        return Heard::new("conversation", Some(text), Said::Text);
    }
    let known = message.find(|form, raw| {
        let part = Fields::read(raw)?;
        let (text, said) = read(form, &part, &message)?;
        let quoted = part.fields("contextInfo").and_then(|context| context.id("stanzaId"));
        Some(Heard { quoted, ..Heard::new(form, text, said) })
    });
    known.unwrap_or_else(|| Heard::new(&data.text("messageType").unwrap_or_else(|| String::from("untyped")), None, Said::Unknown))
}

impl Heard {
    fn new(form: &str, text: Option<String>, said: Said) -> Self {
        Self { form: form.to_owned(), text: text.map(Words::new), said, quoted: None }
    }
}

fn unwrapped(mut message: Fields<'_>) -> Fields<'_> {
    for _ in 0..WRAPPERS_MAX {
        let inner = message.find(|name, raw| if is_wrapper(name) { Fields::read(raw)?.fields("message") } else { None });
        let Some(inner) = inner else { break };
        message = inner;
    }
    message
}

fn is_wrapper(name: &str) -> bool {
    matches!(
        name,
        "deviceSentMessage"
            | "documentWithCaptionMessage"
            | "editedMessage"
            | "ephemeralMessage"
            | "viewOnceMessage"
            | "viewOnceMessageV2"
            | "viewOnceMessageV2Extension"
    )
}

/// The text and the form of a part with this name; nothing where it is not one that says something.
fn read(form: &str, part: &Fields<'_>, message: &Fields<'_>) -> Option<(Option<String>, Said)> {
    let media = |media| Some((part.text("caption"), Said::Media(file(media, part, message))));
    match form {
        "extendedTextMessage" => Some((part.text("text"), Said::Text)),
        "imageMessage" => media(SaidMedia::Image),
        "videoMessage" | "ptvMessage" => media(SaidMedia::Video),
        "audioMessage" => media(SaidMedia::Audio),
        "documentMessage" => media(SaidMedia::Document),
        "stickerMessage" => media(SaidMedia::Sticker),
        "buttonsResponseMessage" => Some((part.text("selectedDisplayText"), choice(part.text("selectedButtonId")))),
        "templateButtonReplyMessage" => Some((part.text("selectedDisplayText"), choice(part.text("selectedId")))),
        "listResponseMessage" => Some((part.text("title"), choice(selected_row(part)))),
        "interactiveResponseMessage" => Some(form_answer(part)),
        "reactionMessage" => Some((None, reaction(part))),
        "locationMessage" | "liveLocationMessage" => Some((part.text("caption"), location(part, "degreesLatitude", "degreesLongitude"))),
        "contactMessage" => Some((None, Said::Contacts { cards: vec![card(part)] })),
        "contactsArrayMessage" => Some((None, Said::Contacts { cards: part.objects("contacts").iter().map(card).collect() })),
        "orderMessage" => Some((part.text("message"), order(part))),
        "protocolMessage" => protocol(part),
        _ => None,
    }
}

const fn choice(id: Option<String>) -> Said {
    Said::Choice { id }
}

fn selected_row(part: &Fields<'_>) -> Option<String> {
    part.fields("singleSelectReply")?.text("selectedRowId")
}

fn form_answer(part: &Fields<'_>) -> (Option<String>, Said) {
    let text = part.fields("body").and_then(|body| body.text("text"));
    let answers = part.fields("nativeFlowResponseMessage").and_then(|response| response.text("paramsJson"));
    (text, Said::Form { answers: answers.map(Words::new) })
}

/// The link to the file leads to something encrypted, unless Evolution API keeps a copy.
fn file(media: SaidMedia, part: &Fields<'_>, message: &Fields<'_>) -> MediaFile {
    MediaFile {
        media,
        id: None,
        url: message.text("mediaUrl").map(Words::new),
        mime_type: part.text("mimetype"),
        file_name: part.text("fileName").map(Words::new),
        is_voice_note: part.flag("ptt").unwrap_or_default(),
        is_inline: message.has("base64"),
    }
}

/// An empty emoji takes the reaction away.
fn reaction(part: &Fields<'_>) -> Said {
    let emoji = part.text("text").filter(|emoji| !emoji.is_empty()).map(Words::new);
    Said::Reaction { to: part.fields("key").and_then(|key| key.id("id")), emoji }
}

/// Of a card's vCard only the numbers are read; the rest is left to whoever wants to read it.
fn card(part: &Fields<'_>) -> Card {
    let phones = part.text("vcard").map(|vcard| phones(&vcard)).unwrap_or_default();
    Card { name: part.text("displayName").map(Words::new), phones, addresses: Addresses::default() }
}

/// The numbers of a vCard, as they were written: `item1.TEL;type=CELL:+1 202 555 0188`.
fn phones(vcard: &str) -> Vec<Words> {
    vcard.lines().filter_map(phone).collect()
}

fn phone(line: &str) -> Option<Words> {
    let (property, number) = line.split_once(':')?;
    let name = property.split(';').next()?;
    let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
    let number = number.trim();
    (name.eq_ignore_ascii_case("TEL") && !number.is_empty()).then(|| Words::new(number.to_owned()))
}

fn order(part: &Fields<'_>) -> Said {
    let lines = part.number("itemCount").and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
    Said::Order { catalog: part.id("orderId"), lines }
}

/// A correction or a withdrawal; other protocol messages say nothing to people.
fn protocol(part: &Fields<'_>) -> Option<(Option<String>, Said)> {
    let of = part.fields("key").and_then(|key| key.id("id"));
    if let Some(edited) = part.fields("editedMessage") {
        let text = edited.text("conversation").or_else(|| edited.fields("extendedTextMessage")?.text("text"));
        return Some((text, Said::Edit { of }));
    }
    let kind = part.id("type").unwrap_or_default();
    matches!(kind.as_str(), "REVOKE" | "0").then_some((None, Said::Revoke { of }))
}
