//! Links: what `examine` sees of where a content leads, however it is written.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use gatepost::{
    Action, Content, Few, Findings, MediaKind, Part, Row, Sender, SenderDomain, Signal, TemplateButton, TemplateButtonFill, Text, examine,
    is_one_time_code,
};

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    text.parse().unwrap()
}

fn own() -> Sender {
    Sender { domains: vec!["own.example".parse().unwrap()] }
}

fn found(content: &Content) -> Findings {
    examine(content, &own())
}

fn has(findings: &Findings, signal: Signal) -> bool {
    findings.found.iter().any(|finding| finding.signal == signal)
}

#[track_caller]
fn check(words: &str, signal: Signal) {
    let findings = found(&Content::from(text(words)));
    assert!(has(&findings, signal), "{words:?}: {findings:?}");
    assert!(!findings.own_links, "{words:?}");
}

#[test]
fn what_is_glued_to_a_link_hides_it_not() {
    check("Update:evil.example/app.apk", Signal::LinkExecutable);
    check("Pay now!bit.ly/3x", Signal::LinkShortener);
    check("here,bit.ly/3x", Signal::LinkShortener);
    check("(see)paypa1.com/x", Signal::LinkLookAlike);
    check("看https://evil.cfd/x.apk", Signal::LinkExecutable);
    check("own.example/x)bit.ly/3x", Signal::LinkShortener);
}

#[test]
fn no_number_of_own_links_hides_one_that_is_not() {
    let many = "own.example/a ".repeat(100);
    check(&format!("{many}bit.ly/3x"), Signal::LinkShortener);
    assert!(found(&Content::from(text(&many))).own_links);
}

#[test]
fn of_more_hosts_than_a_text_can_speak_of_none_is_named() {
    let host = |number| format!("fernhill{number}.example");
    let text_of = |count| Content::from(text(&(10..10 + count).map(|n| format!("fernhill{n}: {} ", host(n))).collect::<String>()));
    assert!(!has(&found(&text_of(16)), Signal::LinkUnnamed));
    assert!(has(&found(&text_of(17)), Signal::LinkUnnamed));
}

#[test]
fn a_shortener_is_one_without_a_scheme() {
    for host in ["t.co", "t.ly", "s.id", "u.to", "v.gd", "is.gd", "rb.gy", "trib.al"] {
        check(&format!("See {host}/3x"), Signal::LinkShortener);
    }
    check("See bio.fm/x", Signal::LinkInBio);
    check("See kestrel-verify.cyou", Signal::LinkBait);
}

#[test]
fn a_host_is_judged_as_a_browser_reads_it() {
    for url in ["https://ｂｉｔ.ly/x", "https://ⓑⓘⓣ.ly/x", "https://bit\u{AD}.ly/x", "https://bit｡ly/x", "https://%62it.ly/x"] {
        check(url, Signal::LinkShortener);
    }
    for url in ["http://0313.0.0161.7/", "http://203.28935/"] {
        check(url, Signal::LinkNumericHost);
    }
    let abroad = Sender { domains: vec!["größe.example".parse().unwrap()] };
    assert!(!examine(&Content::from(text("https://GRÖSSE.example https://größe.example")), &abroad).own_links);
    assert!(examine(&Content::from(text("https://Größe.example")), &abroad).own_links);
}

#[test]
fn a_file_is_judged_by_the_end_of_its_name() {
    let media = |name: &str| Content::Media {
        kind: MediaKind::Document,
        source: text("https://own.example/files/7"),
        caption: None,
        file_name: Some(text(name)),
    };
    for name in ["Invoice(1).apk", "update!.apk", "a.apk", "Größe.APK"] {
        let findings = found(&media(name));
        assert!(has(&findings, Signal::LinkExecutable), "{name}");
        assert!(findings.found.iter().all(|finding| finding.at.part == Part::Name), "{name}");
    }
    for name in ["Invoice(1).pdf", "apk", "app.apk.pdf"] {
        assert!(!has(&found(&media(name)), Signal::LinkExecutable), "{name}");
    }
    let place = Content::Location { latitude_e6: 0, longitude_e6: 0, name: Some(text("Booking.com")), address: None };
    assert!(!has(&found(&place), Signal::LinkExecutable));
}

#[test]
fn the_end_of_a_templates_link_is_judged_without_its_host() {
    let template = |suffix: &str| Content::Template {
        name: text("order"),
        language: text("en"),
        authentication: false,
        header: None,
        parameters: Vec::new(),
        buttons: vec![TemplateButton { index: 0, fill: TemplateButtonFill::UrlSuffix { suffix: text(suffix) } }],
    };
    for suffix in ["files/app.apk", "files/x.%61pk", "files%2Fapp.apk?x=1", "get?file=app.apk"] {
        assert!(has(&found(&template(suffix)), Signal::LinkExecutable), "{suffix}");
    }
    assert!(!has(&found(&template("orders/5521?a=apk")), Signal::LinkExecutable));
}

#[test]
fn the_titles_of_sections_are_read() {
    let row = |section: &str| Row { section: Some(text(section)), id: text("1"), title: text("One"), description: None };
    let list = |rows| Content::Interactive {
        text: text("Choose"),
        header: None,
        footer: None,
        action: Action::List { label: text("Open"), rows: Few::try_from(rows).unwrap() },
    };
    let findings = found(&list(vec![row("bit.ly/3x"), row("bit.ly/3x")]));
    let shortener = findings.found.iter().find(|finding| finding.signal == Signal::LinkShortener).unwrap();
    assert_eq!((shortener.at.part, shortener.times), (Part::Button, 1));
}

#[test]
fn a_program_is_one_on_a_domain_of_the_sender() {
    let findings = found(&Content::from(text("https://own.example/app.apk")));
    assert!(findings.own_links && has(&findings, Signal::LinkExecutable));
    assert!(!has(&found(&Content::from(text("https://own.example/app"))), Signal::LinkExecutable));
}

#[test]
fn nobody_vouches_for_a_host_that_many_share() {
    for domain in ["github.io", "web.app", "blogspot.com", "me.uk", "co.uk", "bit.ly"] {
        assert!(domain.parse::<SenderDomain>().is_err(), "{domain}");
    }
    assert!("fernhill.github.io".parse::<SenderDomain>().is_ok());
}

#[test]
fn a_one_time_code_says_what_codes_say() {
    for (words, expected) in [
        ("Your code is 482913. It expires in 10 minutes. Do not share it.", true),
        ("Use 482913 to verify your account.", true),
        ("482913 is your verification code. If you did not request it, contact us immediately.", true),
        ("Tu código de verificación es 482913.", true),
        ("Enter the verification code 123456 to sign in.", true),
        ("Flash sale, 50% off today, order 2026", false),
        ("Vote for Amari on ballot 2026", false),
        ("You have won a prize, claim number 4821", false),
        ("Your code is 482913:t.co/x", false),
    ] {
        let content = Content::from(text(words));
        assert_eq!(is_one_time_code(&content), expected, "{words:?}: {:?}", found(&content));
        assert_eq!(found(&content).one_time_code, expected, "{words:?}");
    }
}
