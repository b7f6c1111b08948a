//! Words: what people send otherwise than as a text, as a text.

use crate::fields::Fields;

/// The most characters of a message that a reaction repeats.
const QUOTE_CHARACTERS_MAX: usize = 200;
/// What stands where there is nothing to show.
const NOT_TO_BE_SHOWN: &str = "(a kind of message that cannot be shown here)";

/// The kinds of message that are files, and what they are called.
const FILES: [(&str, &str); 5] =
    [("audio", "Audio"), ("document", "Document"), ("image", "Image"), ("sticker", "Sticker"), ("video", "Video")];

/// What a file of this kind is called; none where the kind is no file's.
pub(super) fn file_name(form: &str, media: &Fields<'_>) -> Option<&'static str> {
    let (_, name) = FILES.into_iter().find(|(known, _)| *known == form)?;
    // What is recorded in a chat of WhatsApp is always Ogg, and little else is.
    let is_ogg = media.text("mime_type").is_some_and(|mime_type| mime_type.trim().to_ascii_lowercase().starts_with("audio/ogg"));
    let is_voice = form == "audio" && media.flag("is_voice_note").unwrap_or(is_ogg);
    Some(if is_voice { "Voice message" } else { name })
}

/// The text beside a file: its caption, or what the file is. That it cannot be fetched is said in any case.
pub(super) fn beside_file(name: &str, caption: Option<String>, is_there: bool) -> String {
    match (caption, is_there) {
        (Some(caption), true) => caption,
        (None, true) => name.to_owned(),
        (Some(caption), false) => format!("{caption}\n{name} (not available here)"),
        (None, false) => format!("{name} (not available here)"),
    }
}

/// The text of a message of this kind, which is no file.
pub(super) fn words(form: &str, fields: &Fields<'_>) -> String {
    let text = fields.text("message_text");
    match form {
        "call_permission" => text.unwrap_or_else(|| String::from("(answered whether you may call)")),
        "choice" => text.unwrap_or_else(|| String::from("(made a choice)")),
        "contacts" => cards(fields),
        "edit" => text.map_or_else(|| String::from("(message edited)"), |text| format!("Edited: {text}")),
        "form" => text.unwrap_or_else(|| String::from("(filled in a form)")),
        "location" => with_text(location(fields), text),
        "order" => with_text(order(fields), text),
        "reaction" => reaction(fields),
        "revoke" => String::from("(message deleted)"),
        "text" => text.unwrap_or_else(|| String::from("(a message without text)")),
        _ => text.unwrap_or_else(|| String::from(NOT_TO_BE_SHOWN)),
    }
}

fn with_text(words: String, text: Option<String>) -> String {
    match text {
        Some(text) => words + "\n" + &text,
        None => words,
    }
}

/// An emoji that is not there was taken away; without knowledge of either, it is a reaction all the same.
fn reaction(fields: &Fields<'_>) -> String {
    let Some(reaction) = fields.fields("reaction") else { return String::from("(reaction)") };
    let Some(emoji) = reaction.text("emoji") else { return String::from("(reaction removed)") };
    let emoji = one_line(&emoji);
    match fields.text("reply_to_text") {
        Some(quoted) => format!("{emoji} (reaction to: \"{}\")", quote(&one_line(&quoted))),
        None => format!("{emoji} (reaction)"),
    }
}

fn quote(text: &str) -> String {
    let short: String = text.chars().take(QUOTE_CHARACTERS_MAX).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

fn location(fields: &Fields<'_>) -> String {
    let place = fields.fields("location").unwrap_or_default();
    let url = place.degrees("latitude", 90.0).zip(place.degrees("longitude", 180.0));
    let url = url.map(|(latitude, longitude)| format!("https://maps.google.com/?q={latitude},{longitude}"));
    match (place.text("name").map(|name| one_line(&name)), url) {
        (Some(name), Some(url)) => format!("Location: {name} {url}"),
        (Some(known), None) | (None, Some(known)) => format!("Location: {known}"),
        (None, None) => String::from("Location"),
    }
}

/// One line for each card.
fn cards(fields: &Fields<'_>) -> String {
    let lines: Vec<_> = fields.objects("contacts").iter().map(card).collect();
    if lines.is_empty() { String::from("Contact") } else { lines.join("\n") }
}

fn card(card: &Fields<'_>) -> String {
    let phones = card.texts("phones").iter().map(|phone| one_line(phone)).filter(|phone| !phone.is_empty()).collect::<Vec<_>>().join(", ");
    let name = card.text("name").map(|name| one_line(&name)).unwrap_or_default();
    one_line(&format!("Contact: {name} {phones}"))
}

fn order(fields: &Fields<'_>) -> String {
    match fields.fields("order").and_then(|order| order.count("lines")) {
        Some(1) => String::from("Order: 1 item"),
        Some(lines) => format!("Order: {lines} items"),
        None => String::from("Order"),
    }
}

/// Somebody's words on one line: a name cannot begin a line of its own, which would look like another card.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use super::*;

    fn check(form: &str, json: &str, expected: &str) {
        assert_eq!(words(form, &Fields::read(json.as_bytes()).unwrap()), expected, "{form} {json}");
    }

    #[test]
    fn a_place_is_a_link_with_the_digits_that_came() {
        check(
            "location",
            r#"{"location":{"latitude":38.8977,"longitude":-77.0365,"name":"Example\nCoffee"}}"#,
            "Location: Example Coffee https://maps.google.com/?q=38.8977,-77.0365",
        );
        check(
            "location",
            r#"{"message_text":"here","location":{"latitude":122.41941550000001,"longitude":-122.41941550000001,"name":"Home"}}"#,
            "Location: Home\nhere",
        );
        let (long, url) = (r#"{"location":{"latitude":37.0,"longitude":-122.41941550000001}}"#, "https://maps.google.com/?q=37.0,");
        check("location", long, &format!("Location: {url}-122.41941550000001"));
        check("location", "{}", "Location");
    }

    #[test]
    fn a_reaction_says_to_what() {
        let long = format!(r#"{{"reaction":{{"emoji":"👍"}},"reply_to_text":"{}"}}"#, "x".repeat(201));
        check("reaction", r#"{"reaction":{"emoji":"👍"},"reply_to_text":"Hello\nfrom  us"}"#, "👍 (reaction to: \"Hello from us\")");
        check("reaction", &long, &format!("👍 (reaction to: \"{}…\")", "x".repeat(200)));
        check("reaction", r#"{"reaction":{"emoji":"👍"}}"#, "👍 (reaction)");
        check("reaction", r#"{"reaction":{"emoji":null},"reply_to_text":"Hello"}"#, "(reaction removed)");
        check("reaction", "{}", "(reaction)");
    }

    #[test]
    fn each_card_has_one_line() {
        let cards = r#"{"contacts":[{"name":"Pat\nExample","phones":["+447700900123","+44 7700 900124"]},{"phones":["+1"]},{},7]}"#;
        check("contacts", cards, "Contact: Pat Example +447700900123, +44 7700 900124\nContact: +1\nContact:");
        check("contacts", "{}", "Contact");
    }

    #[test]
    fn orders_are_counted() {
        check("order", r#"{"order":{"lines":3},"message_text":"By noon, please"}"#, "Order: 3 items\nBy noon, please");
        check("order", r#"{"order":{"lines":1}}"#, "Order: 1 item");
        check("order", "{}", "Order");
    }

    #[test]
    fn what_was_changed_or_cannot_be_shown_is_said() {
        check("edit", r#"{"message_text":"At noon"}"#, "Edited: At noon");
        check("edit", "{}", "(message edited)");
        check("revoke", "{}", "(message deleted)");
        check("unsupported", r#"{"message_text":null}"#, NOT_TO_BE_SHOWN);
        check("unknown", "{}", NOT_TO_BE_SHOWN);
        check("something_new", r#"{"message_text":"Hello"}"#, "Hello");
        check("choice", r#"{"message_text":"Keep"}"#, "Keep");
        check("text", r#"{"message_text":" Hello \n"}"#, " Hello \n");
        check("text", r#"{"message_text":null}"#, "(a message without text)");
    }

    #[test]
    fn a_file_is_called_by_its_kind() {
        for (form, media, expected) in [
            ("image", "{}", Some("Image")),
            ("audio", r#"{"mime_type":"audio/mpeg"}"#, Some("Audio")),
            ("audio", r#"{"mime_type":"audio/ogg; codecs=opus"}"#, Some("Voice message")),
            ("audio", r#"{"mime_type":"audio/ogg","is_voice_note":false}"#, Some("Audio")),
            ("video", r#"{"is_voice_note":true}"#, Some("Video")),
            ("text", "{}", None),
        ] {
            assert_eq!(file_name(form, &Fields::read(media.as_bytes()).unwrap()), expected, "{form} {media}");
        }
        assert_eq!(beside_file("Image", Some("Broken part".to_owned()), true), "Broken part");
        assert_eq!(beside_file("Image", None, true), "Image");
        assert_eq!(beside_file("Image", None, false), "Image (not available here)");
        assert_eq!(beside_file("Image", Some("Broken part".to_owned()), false), "Broken part\nImage (not available here)");
    }
}
