//! Examine: any text is read, what is found stands within it, and is the same again, from storage and in capitals.

use gatepost::{Content, Findings, Part, Sender, Span, Text};

/// The bytes are what somebody wants to send; of what has a line more, the first is the name of a place.
pub fn examine(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let sender = Sender { domains: vec!["kestrelbank.example".parse().expect("a domain")] };
    for content in contents(&text) {
        let findings = gatepost::examine(&content, &sender);
        assert_eq!(gatepost::examine(&content, &sender), findings, "{text:?}");
        for span in spans(&findings) {
            stands_within(span, &content);
        }
        assert!(findings.found.windows(2).all(|two| two[0].signal < two[1].signal), "each once, in order: {findings:?}");
        let stored = serde_json::to_string(&findings).expect("findings can be stored");
        assert_eq!(serde_json::from_str::<Findings>(&stored).expect("stored findings can be read"), findings);
    }
    is_the_same_in_capitals(&text, &sender);
}

fn contents(text: &str) -> Vec<Content> {
    let (name, address) = text.split_once('\n').unwrap_or(("", text));
    let place = Content::Location { latitude_e6: 0, longitude_e6: 0, name: name.parse().ok(), address: address.parse().ok() };
    text.parse::<Text>().ok().map(Content::from).into_iter().chain([place]).collect()
}

fn spans(findings: &Findings) -> impl Iterator<Item = Span> {
    findings.found.iter().map(|finding| finding.at).chain(findings.tone.map(|heard| heard.at))
}

fn stands_within(span: Span, content: &Content) {
    let text = match (content, span.part) {
        (Content::Text { text }, Part::Body) => Some(text),
        (Content::Location { name, .. }, Part::Name) => name.as_ref(),
        (Content::Location { address, .. }, Part::Body) => address.as_ref(),
        _ => None,
    };
    let length = text.expect("it stands in a text of the content").as_str().chars().count();
    assert!(usize::from(span.start) + usize::from(span.length) <= length, "{span:?} of {length}");
}

/// A shout says what a whisper says; only the letters of English, for those of others are not always as many in capitals. A capital among
/// small letters says more: it begins a sentence.
fn is_the_same_in_capitals(text: &str, sender: &Sender) {
    let whisper = text.to_lowercase();
    if whisper.chars().any(char::is_uppercase) {
        return;
    }
    let read = |text: &str| text.parse::<Text>().ok().map(|text| gatepost::examine(&text.into(), sender));
    assert_eq!(read(&whisper.to_ascii_uppercase()), read(&whisper), "{whisper:?}");
}
