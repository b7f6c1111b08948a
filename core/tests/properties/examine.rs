//! Examine: whatever a text is, what is found in it stands within it, and is found again.

use gatepost::{Content, Findings, Part, Sender, Signal, Span, Text, examine};
use proptest::prelude::*;
use proptest::sample::select;

proptest! {
    #[test]
    fn no_text_at_all_upsets_it(text in any::<String>()) {
        holds(&text)?;
    }

    #[test]
    fn no_links_upset_it(text in "(https?://|www\\.|javascript:|data:|://|[a-z0]{1,3}|paypa1|bit\\.ly|xn--|[.。．｡:@/?#\\\\<>|\\[\\]%,!()=* \n-]|é|ä|Ä|а|看|ｂ|ⓑ|\u{AD}|👉|%3A%2F%2F|%62){0,40}") {
        holds(&text)?;
    }

    #[test]
    fn nothing_that_a_link_is_glued_to_hides_it(before in "[!-,:-?\\[\\]^`{-~·•»…、→👉]", behind in "[ ,;!)]?") {
        let text = format!("see{before}bit.ly/3x{behind}").parse::<Text>().unwrap();
        let findings = examine(&Content::from(text), &Sender::default());
        prop_assert!(findings.found.iter().any(|finding| finding.signal == Signal::LinkShortener), "{:?}", findings);
    }

    #[test]
    fn no_disguise_upsets_it(text in "[a-cFR3$@ .,'%\n\u{200B}\u{200D}\u{202E}\u{2066}\u{FEFF}\u{640}\u{301}\u{345}а𝐖ⓦｗéßİıﬁ٣\u{94D}क你🎁]{0,80}") {
        holds(&text)?;
    }

    #[test]
    fn phrases_among_anything_are_within_the_text(parts in proptest::collection::vec(part(), 0..12)) {
        holds(&parts.concat())?;
    }

    #[test]
    fn a_phrase_says_the_same_in_capitals(parts in proptest::collection::vec(phrase(), 1..5)) {
        let text = parts.join(", ");
        prop_assert_eq!(phrases(&text.to_uppercase()), phrases(&text));
    }

    #[test]
    fn spaces_around_a_phrase_change_nothing(phrase in phrase(), spaces in "[ \n\t]{1,5}") {
        prop_assert_eq!(phrases(&phrase.replace(' ', &spaces)), phrases(phrase));
    }

    #[test]
    fn what_nobody_sees_hides_no_phrase(phrase in phrase(), invisible in select(vec!['\u{200B}', '\u{2060}', '\u{FEFF}', '\u{AD}'])) {
        let hidden: String = phrase.chars().flat_map(|letter| [letter, invisible]).collect();
        prop_assert_eq!(phrases(&hidden), phrases(phrase));
    }
}

#[test]
fn harmless_phrases_before_it_hide_no_request_for_a_secret() {
    let harmless = "send us a photo. ".repeat(200);
    assert_eq!(phrases(&harmless), []);
    assert!(phrases(&format!("{harmless} send me your password")).contains(&Signal::SecretRequest));
}

#[test]
fn a_warning_in_the_same_sentence_makes_a_request_harmless() {
    for (text, expected) in [
        ("send me your password", true),
        ("your password is what you must send us", true),
        ("to keep your account, reply with: card number, expiry date and cvv", true),
        ("if this was not you, reply with your pin and password", true),
        ("we never ask you to send us your password", false),
        ("we never ask for anything. send us your password", true),
        ("send us your documents. the password of the door is below", false),
    ] {
        assert_eq!(phrases(text).contains(&Signal::SecretRequest), expected, "{text:?}");
    }
}

/// What is found is found again, stands within the text, each signal once and in order, and can be stored.
fn holds(text: &str) -> Result<(), TestCaseError> {
    let Ok(text) = text.parse::<Text>() else { return Ok(()) };
    let (length, content) = (text.as_str().chars().count(), Content::from(text));
    let sender = Sender { domains: vec!["kestrelbank.example".parse().unwrap()] };
    let findings = examine(&content, &sender);
    prop_assert_eq!(&examine(&content, &sender), &findings);
    let spans = findings.found.iter().map(|finding| finding.at).chain(findings.tone.map(|heard| heard.at));
    for Span { part, start, length: characters } in spans {
        prop_assert_eq!(part, Part::Body);
        prop_assert!(usize::from(start) + usize::from(characters) <= length);
    }
    prop_assert!(findings.found.windows(2).all(|two| two[0].signal < two[1].signal));
    let stored = serde_json::to_string(&findings).unwrap();
    prop_assert_eq!(serde_json::from_str::<Findings>(&stored).unwrap(), findings);
    Ok(())
}

/// The signals that words give, without those of links and disguises.
fn phrases(text: &str) -> Vec<Signal> {
    let findings = examine(&text.parse::<Text>().unwrap().into(), &Sender::default());
    findings.found.iter().map(|finding| finding.signal).filter(|signal| *signal < Signal::LinkExecutable).collect()
}

/// Phrases that are listed, of several languages and scripts, and words that are not.
fn phrase() -> impl Strategy<Value = &'static str> {
    select(vec![
        "act now",
        "you have won",
        "vote for",
        "send me your code",
        "never share your password",
        "buy one get one",
        "last chance",
        "indirim kodu",
        "hesabınız kapatılacak",
        "kimliğinizi doğrulayın",
        "straße und größe",
        "your table is ready",
        "οδός και ώρα",
        "رمز التحقق",
        "अपना कोड भेजें",
    ])
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        phrase().prop_map(str::to_owned),
        select(vec![" ", ". ", "\n", "\u{200B}", "🎁", "https://a.example/x", "bit.ly/x ", "f r e e ", "𝐖", "\u{202E}", "é"])
            .prop_map(str::to_owned),
        any::<String>(),
    ]
}
