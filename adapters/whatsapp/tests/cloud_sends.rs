//! Cloud sends: bodies as Meta documents them, answers read as the samples expect, limits and circuits.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be made fails its test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{
    Action, Addresses, Button, Content, ErrorClass, HttpFailureClass, HttpMethod, InstanceId, MediaKind, MessageId, Outcome, Row,
    TemplateButton, TemplateButtonFill, TemplateHeader, Text, Transport,
};
use gatepost_whatsapp::cloud::{CloudApi, CloudRecipient, webhook};
use gatepost_whatsapp::{CircuitKey, CloudAccount, Observer, ProviderError, Retry, Stopped};
use serde_json::{Value, json as made};
use support::{
    ACCOUNT, Bench, INSTANCE, MESSAGE, PHONE, Says, Settings, answer, bytes, json, manifest, parcel, path, sampled, text, with_headers,
};

const ACCEPTED: &str = r#"{"messages":[{"id":"wamid.1"}]}"#;

fn bench() -> Bench<CloudApi> {
    bench_with(Settings::default())
}

fn bench_with(settings: Settings) -> Bench<CloudApi> {
    Bench::new(settings, |(http, policy, accounts, host)| CloudApi::new(http, policy, accounts, host))
}

fn account(adjust: impl FnOnce(&mut CloudAccount)) -> Bench<CloudApi> {
    let mut settings = Settings::default();
    adjust(&mut settings.cloud);
    bench_with(settings)
}

fn part<const MAX: usize>(words: &str) -> Text<MAX> {
    words.parse().unwrap()
}

fn media(kind: MediaKind, source: &str, caption: Option<&str>, file_name: Option<&str>) -> Content {
    Content::Media { kind, source: part(source), caption: caption.map(part), file_name: file_name.map(part) }
}

fn template(name: &str, parameters: &[&str]) -> Content {
    Content::Template {
        name: part(name),
        language: part("en_US"),
        authentication: false,
        header: None,
        parameters: parameters.iter().map(|words| part(words).into()).collect(),
        buttons: vec![],
    }
}

fn interactive(words: &str, header: Option<&str>, footer: Option<&str>, action: Action) -> Content {
    Content::Interactive { text: part(words), header: header.map(part), footer: footer.map(part), action }
}

fn row(section: &str, id: &str, title: &str, description: &str) -> Row {
    Row { section: Some(part(section)), id: part(id), title: part(title), description: Some(part(description)) }
}

/// The content that each sample of a request sends; none where the core has no place for it.
fn content_of(file: &str) -> Option<Content> {
    Some(match file {
        "audio__voice_by_id" => media(MediaKind::Voice, "4120532427833355", None, None),
        "document__link_filename" => media(MediaKind::Document, "https://cdn.example/i.pdf", Some("Invoice"), Some("invoice-42.pdf")),
        "image__by_link" => media(MediaKind::Image, "https://cdn.example/a.png", Some("Part A"), None),
        "sticker__by_id" => media(MediaKind::Sticker, "4049465173007528", None, None),
        "video__by_id_caption" => media(MediaKind::Video, "2913007387443638", Some("Demo"), None),
        "interactive_buttons__three" => interactive("Keep it?", Some("Appointment"), Some("Example Ltd"), three_buttons()),
        "interactive_list__two_sections" => interactive("Which option?", Some("Shipping"), Some("Tap"), list()),
        "interactive_other__cta_url" => interactive("See dates", None, None, link()),
        "interactive_other__request_contact_info" => interactive("May we have your number?", None, None, Action::ShareNumber),
        "location__full" => place(),
        "reaction__add" => reaction(Some("👍")),
        "template__no_variables" => template("hello_world", &[]),
        "template__positional_body_header_image_buttons" => whole_template(),
        "text__basic" => text("Your order is ready."),
        "text__bsuid_recipient" => text("Hi again"),
        // Cards, quotes with a preview, and typed parameters.
        "contacts__one" | "text__reply_with_opaque" | "template__currency_datetime" => return None,
        other => panic!("{other} is new"),
    })
}

fn three_buttons() -> Action {
    let button = |(id, title)| Button { id: part(id), title: part(title) };
    let buttons: Vec<_> = [("keep:42", "Keep"), ("move:42", "Reschedule"), ("cancel:42", "Cancel")].map(button).into();
    Action::Buttons { buttons: buttons.try_into().unwrap() }
}

fn list() -> Action {
    let rows = vec![row("Fast", "express", "Express", "Next day"), row("Slow", "ground", "Ground", "5 days")];
    Action::List { label: part("Options"), rows: rows.try_into().unwrap() }
}

fn link() -> Action {
    Action::Link { label: part("See dates"), url: part("https://shop.example/dates") }
}

fn place() -> Content {
    let (name, address) = (Some(part("META HQ")), Some(part("1 Hacker Way")));
    Content::Location { latitude_e6: 37_758_056, longitude_e6: -122_425_332, name, address }
}

fn reaction(emoji: Option<&str>) -> Content {
    Content::Reaction { to: part("wamid.HQYr4Mf8ubnSuy9ZwFsrRJRAJHRyE/IkeYVxExSLO58Z"), emoji: emoji.map(part) }
}

fn whole_template() -> Content {
    let payload = TemplateButtonFill::Payload { payload: part("STOP:campaign7") };
    Content::Template {
        name: part("order_update"),
        language: part("en_US"),
        authentication: false,
        header: Some(TemplateHeader::Media { kind: MediaKind::Image, source: part("https://cdn.example/banner.jpg") }),
        parameters: ["Sam", "SKBUP2-4CPIG9"].map(|words| part(words).into()).into(),
        buttons: vec![
            TemplateButton { index: 0, fill: TemplateButtonFill::UrlSuffix { suffix: part("42?src=wa") } },
            TemplateButton { index: 1, fill: payload },
        ],
    }
}

#[test]
fn every_body_is_the_one_that_meta_documents() {
    let mut compared = 0;
    for row in manifest("whatsapp", "send/requests/").iter().filter(|row| row["kind"] != "send.request.mark_read") {
        let file = path("whatsapp", row);
        let name = file.rsplit('/').next().unwrap().strip_suffix(".json").unwrap();
        let Some(content) = content_of(name) else { continue };
        let mut expected = json(&file);
        let bench = bench();
        bench.script.then(answer(200, ACCEPTED));
        let recipient = match expected["recipient"].as_str() {
            Some(id) => CloudRecipient::UserId(id.parse().unwrap()),
            None => CloudRecipient::Phone(PHONE.parse().unwrap()),
        };
        block_on(bench.transport.send_to(recipient, &parcel(content), bench.deadline()));
        if expected.get("to").is_some() {
            expected["to"] = made!(PHONE);
        }
        if expected["type"] == "text" {
            expected["text"]["preview_url"] = made!(false);
        }
        expected["biz_opaque_callback_data"] = made!(MESSAGE.to_string());
        assert_eq!(bench.last_body(), expected, "{file}");
        compared += 1;
    }
    assert_eq!(compared, 15);
}

#[test]
fn a_one_time_code_goes_into_its_button_too() {
    let bench = bench();
    let Content::Template { name, language, parameters, header, buttons, .. } = template("otp_code", &["493021"]) else { panic!() };
    bench.send(Content::Template { name, language, parameters, header, buttons, authentication: true }, answer(200, ACCEPTED));
    let code = made!([{"type": "text", "text": "493021"}]);
    let button = made!({"type": "button", "sub_type": "url", "index": "0", "parameters": code});
    assert_eq!(bench.last_body()["template"]["components"], made!([{"type": "body", "parameters": code}, button]));
}

#[test]
fn a_gap_may_have_a_name_and_a_reaction_may_be_taken_away() {
    let bench = bench();
    let parameters = vec![gatepost::TemplateParameter { name: Some(part("first_name")), text: part("Pat") }];
    let Content::Template { name, language, header, buttons, .. } = template("hello", &[]) else { panic!() };
    bench.send(Content::Template { name, language, parameters, header, buttons, authentication: false }, answer(200, ACCEPTED));
    let parameter = &bench.last_body()["template"]["components"][0]["parameters"][0];
    assert_eq!(*parameter, made!({"type": "text", "parameter_name": "first_name", "text": "Pat"}));
    bench.send(reaction(None), answer(200, ACCEPTED));
    assert_eq!(bench.last_body()["reaction"]["emoji"], "");
}

#[test]
fn a_request_goes_to_the_number_once_with_its_token() {
    let bench = bench();
    bench.send(text("hi"), answer(200, ACCEPTED));
    let request = bench.script.asked().remove(0);
    assert_eq!(request.destination.as_str(), "https://graph.facebook.com/v25.0/800700600500401/messages");
    assert_eq!((request.method, request.repeatable), (HttpMethod::Post, false));
    assert!(request.headers.contains(&("authorization".into(), "Bearer EAAJ-token".to_owned())));
}

#[test]
fn a_message_is_marked_as_read() {
    for (name, is_typing) in [("mark_read__plain", false), ("mark_read__typing_indicator", true)] {
        let (bench, expected) = (bench(), json(&format!("whatsapp/send/requests/{name}.json")));
        let mark = |says| {
            bench.script.then(says);
            let id = expected["message_id"].as_str().unwrap();
            block_on(bench.transport.mark_read(INSTANCE, id, is_typing, bench.deadline()))
        };
        let done = mark(sampled(&json("whatsapp/send/responses/success__mark_read.json")));
        assert_eq!((done, bench.last_body()), (Outcome::Sent { external_id: None }, expected.clone()));
        let not_done = mark(sampled(&json("whatsapp/send/responses/success__mark_read_false.json")));
        assert_eq!(not_done, failed(ErrorClass::Refused));
    }
}

fn failed(class: ErrorClass) -> Outcome {
    Outcome::Failed { class, retry_after: None }
}

/// Writes down what it is told.
#[derive(Default)]
struct Notes {
    accepted: Mutex<Vec<Addresses>>,
    refused: Mutex<Vec<ProviderError>>,
}

impl Observer for Notes {
    fn accepted(&self, _: InstanceId, _: MessageId, recipient: &Addresses) {
        self.accepted.lock().unwrap().push(recipient.clone());
    }

    fn refused(&self, _: InstanceId, _: MessageId, error: &ProviderError) {
        self.refused.lock().unwrap().push(error.clone());
    }
}

fn observed() -> (Bench<CloudApi>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    let observer = notes.clone();
    let make = |(http, policy, accounts, host)| CloudApi::new(http, policy, accounts, host).with_observer(observer);
    (Bench::new(Settings::default(), make), notes)
}

#[test]
fn every_answer_is_read_as_expected() {
    for row in manifest("whatsapp", "send/responses/").iter().filter(|row| !row["file"].as_str().unwrap().contains("mark_read")) {
        let (file, sample) = (path("whatsapp", row), json(&path("whatsapp", row)));
        let ((bench, notes), expect) = (observed(), &sample["expect"]);
        let outcome = bench.send(text("hi"), sampled(&sample));
        match &outcome {
            Outcome::Sent { external_id } => assert_eq!(external_id.as_deref(), sample["body"]["messages"][0]["id"].as_str(), "{file}"),
            Outcome::Unknown { .. } => assert_eq!(expect["ambiguous"], true, "{file}"),
            other => panic!("{file}: {other:?}"),
        }
        assert_eq!(matches!(outcome, Outcome::Sent { .. }), expect["accepted"].as_bool().unwrap(), "{file}");
        if let Some(wa_id) = expect["wa_id"].as_str() {
            let named = notes.accepted.lock().unwrap()[0].phone().map(|phone| phone.digits().to_string());
            assert_eq!(named.as_deref(), Some(wa_id), "{file}");
        }
    }
}

#[test]
fn every_error_is_of_the_class_that_is_expected() {
    for row in manifest("whatsapp", "send/errors/") {
        let (file, sample) = (path("whatsapp", &row), json(&path("whatsapp", &row)));
        let ((bench, notes), expect) = (observed(), &sample["expect"]);
        let outcome = bench.send(template("order_update", &[]), sampled(&sample));
        let error = notes.refused.lock().unwrap().remove(0);
        assert_eq!(error.problem.as_str(), expect["class"], "{file}");
        assert_eq!(error.scope.as_str(), expect["scope"], "{file}");
        assert_eq!(retry_word(error.retry), expect["retry"], "{file}");
        assert_eq!(error.code, expect["code"].as_i64(), "{file}");
        assert_eq!(matches!(outcome, Outcome::Unknown { .. }), expect["class"] == "ambiguous", "{file}: {outcome:?}");
        let may_be_retried = matches!(&outcome, Outcome::Failed { class, .. } if !class.is_final());
        let is_retry_expected = ["backoff", "4^X seconds"].contains(&expect["retry"].as_str().unwrap());
        assert_eq!(may_be_retried, is_retry_expected, "{file}: {outcome:?}");
    }
}

fn retry_word(retry: Retry) -> String {
    match retry {
        Retry::AfterHours { hours } => format!("not before {hours} h"),
        Retry::Backoff => "backoff".to_owned(),
        Retry::IfUnsent => "only if the operation is marked repeatable".to_owned(),
        Retry::Never => "never".to_owned(),
        Retry::Once => "once".to_owned(),
        Retry::Pair => "4^X seconds".to_owned(),
    }
}

fn error(code: i64) -> Says {
    answer(400, made!({"error": {"code": code, "message": "refused"}}).to_string())
}

fn with_status(status: u16, code: i64) -> Says {
    answer(status, made!({"error": {"code": code}}).to_string())
}

#[test]
fn what_a_refusal_means_for_the_message() {
    for (code, class) in [
        (131_026, ErrorClass::Undeliverable),
        (131_047, ErrorClass::WindowClosed),
        (131_050, ErrorClass::OptedOut),
        (132_001, ErrorClass::TemplateProblem),
        (131_053, ErrorClass::MediaProblem),
        (131_031, ErrorClass::Restricted),
        (190, ErrorClass::Misconfigured),
        (131_008, ErrorClass::Refused),
        (131_049, ErrorClass::Refused),
        (131_016, ErrorClass::ErrorStatus),
        (131_057, ErrorClass::ErrorStatus),
        (133_004, ErrorClass::ErrorStatus),
        (80_007, ErrorClass::Throttled),
    ] {
        assert_eq!(bench().send(text("hi"), error(code)), failed(class), "{code}");
    }
}

#[test]
fn a_code_that_nobody_knows_is_kept_and_never_retried() {
    let (bench, notes) = observed();
    assert_eq!(bench.send(text("hi"), error(199_999)), failed(ErrorClass::Refused));
    assert_eq!(notes.refused.lock().unwrap()[0].code, Some(199_999));
    // From a server in trouble, it may have been sent.
    assert_eq!(bench.send(text("hi"), with_status(500, 199_999)), Outcome::Unknown { class: ErrorClass::ErrorStatus });
}

#[test]
fn the_code_decides_and_not_the_status() {
    assert_eq!(bench().send(text("hi"), with_status(500, 3)), failed(ErrorClass::Misconfigured));
    assert_eq!(bench().send(text("hi"), with_status(200, 131_047)), failed(ErrorClass::WindowClosed));
    assert_eq!(bench().send(text("hi"), with_status(500, 131_000)), Outcome::Unknown { class: ErrorClass::ErrorStatus });
}

#[test]
fn an_answer_that_is_no_json_is_judged_by_its_status() {
    for (status, outcome) in [
        (400, failed(ErrorClass::Refused)),
        (403, failed(ErrorClass::Misconfigured)),
        (404, failed(ErrorClass::Misconfigured)),
        (302, failed(ErrorClass::Misconfigured)),
        (200, Outcome::Unknown { class: ErrorClass::Broken }),
        (408, Outcome::Unknown { class: ErrorClass::ErrorStatus }),
        (500, Outcome::Unknown { class: ErrorClass::ErrorStatus }),
        (503, Outcome::Unknown { class: ErrorClass::ErrorStatus }),
    ] {
        assert_eq!(bench().send(text("hi"), answer(status, "<html>")), outcome, "{status}");
    }
    let throttled = bench().send(text("hi"), with_headers(429, &[("retry-after", "17")], "<html>"));
    assert_eq!(throttled, Outcome::Failed { class: ErrorClass::Throttled, retry_after: Some(Duration::from_secs(17)) });
}

#[test]
fn without_an_answer_it_counts_whether_a_byte_may_have_arrived() {
    for (class, may_have_arrived, outcome) in [
        (HttpFailureClass::Timeout, true, Outcome::Unknown { class: ErrorClass::Timeout }),
        (HttpFailureClass::Timeout, false, failed(ErrorClass::Timeout)),
        (HttpFailureClass::Broken, true, Outcome::Unknown { class: ErrorClass::Broken }),
        (HttpFailureClass::Broken, false, failed(ErrorClass::Broken)),
        (HttpFailureClass::Unreachable, false, failed(ErrorClass::Unreachable)),
        (HttpFailureClass::Tls, false, failed(ErrorClass::Tls)),
    ] {
        assert_eq!(bench().send(text("hi"), Says::Fails { class, may_have_arrived }), outcome);
    }
}

#[test]
fn code_1_is_tried_once_more_and_no_further() {
    let bench = bench();
    assert_eq!(bench.send(text("hi"), error(1)), failed(ErrorClass::ErrorStatus));
    assert_eq!(bench.send(text("hi"), error(1)), failed(ErrorClass::Refused));
}

fn held(class: ErrorClass, seconds: u64) -> Outcome {
    Outcome::Failed { class, retry_after: Some(Duration::from_secs(seconds)) }
}

#[test]
fn a_pair_is_held_back_before_meta_must_do_it() {
    let bench = bench();
    let outcomes: Vec<_> = (0..46)
        .map(|_| {
            bench.script.then(answer(200, ACCEPTED));
            bench.host.advance(Duration::from_millis(40));
            bench.send_quietly(text("hi"))
        })
        .collect();
    let sent = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Sent { .. })).count();
    assert_eq!((sent, bench.script.asked().len()), (45, 45));
    assert!(matches!(outcomes[45], Outcome::Failed { class: ErrorClass::Paced, retry_after: Some(_) }), "{:?}", outcomes[45]);
}

#[test]
fn a_pair_that_meta_refused_waits_longer_each_time() {
    let bench = bench();
    for wait in [1, 4, 16] {
        assert_eq!(bench.send(text("hi"), error(131_056)), held(ErrorClass::Throttled, wait));
        assert_eq!(bench.send_quietly(text("hi")), held(ErrorClass::Paced, wait));
        bench.host.advance(Duration::from_secs(wait));
    }
    assert!(matches!(bench.send(text("hi"), answer(200, ACCEPTED)), Outcome::Sent { .. }));
    assert_eq!(bench.send(text("hi"), error(131_056)), held(ErrorClass::Throttled, 1));
}

#[test]
fn a_portfolio_begins_with_no_more_people_than_it_may() {
    let bench = account(|account| account.people_per_day = Some(1));
    assert!(matches!(bench.send(template("a", &[]), answer(200, ACCEPTED)), Outcome::Sent { .. }));
    let other = || gatepost::Parcel { recipient: "+999501234568".parse::<gatepost::Phone>().unwrap().into(), ..parcel(template("a", &[])) };
    assert_eq!(block_on(bench.transport.send(other(), bench.deadline())), held(ErrorClass::Paced, 24 * 3_600));
    let answered = gatepost::Parcel { content: text("hi"), ..other() };
    bench.script.then(answer(200, ACCEPTED));
    assert!(matches!(block_on(bench.transport.send(answered, bench.deadline())), Outcome::Sent { .. }));
}

#[test]
fn a_restriction_stops_the_way_and_is_tried_once_in_an_hour() {
    for code in [131_048, 131_031, 368, 131_064, 130_497] {
        let bench = bench();
        let asked = || bench.script.asked().len();
        assert_eq!(bench.send(text("hi"), error(code)), failed(ErrorClass::Restricted), "{code}");
        for tries in 1..4 {
            assert_eq!((bench.send_quietly(text("hi")), asked()), (held(ErrorClass::CircuitOpen, 3_600), tries), "{code}");
            bench.host.advance(Duration::from_secs(3_600));
            assert_eq!(bench.send(text("hi"), error(code)), failed(ErrorClass::Restricted), "{code}: one message tries");
        }
        bench.host.advance(Duration::from_secs(3_600));
        for _ in 0..2 {
            assert!(matches!(bench.send(text("hi"), answer(200, ACCEPTED)), Outcome::Sent { .. }), "{code}: nobody told that it is over");
        }
        assert!(bench.transport.circuits().all(gatepost::Host::now(&*bench.host)).is_empty(), "{code}");
    }
}

#[test]
fn a_message_that_is_paced_leaves_the_try_to_another() {
    let bench = account(|account| account.people_per_day = Some(1));
    assert!(matches!(bench.send(template("a", &[]), answer(200, ACCEPTED)), Outcome::Sent { .. }));
    bench.send(text("hi"), error(131_031));
    bench.host.advance(Duration::from_secs(3_600));
    let other = gatepost::Parcel { recipient: "+999501234568".parse::<gatepost::Phone>().unwrap().into(), ..parcel(template("a", &[])) };
    assert!(matches!(block_on(bench.transport.send(other, bench.deadline())), Outcome::Failed { class: ErrorClass::Paced, .. }));
    assert!(matches!(bench.send(text("hi"), answer(200, ACCEPTED)), Outcome::Sent { .. }));
}

#[test]
fn a_restriction_for_a_country_stops_that_country_only() {
    let bench = bench();
    bench.send(text("hi"), error(130_497));
    let open = bench.transport.circuits().all(gatepost::Host::now(&*bench.host));
    assert_eq!(open[0].0, CircuitKey::Country { owner: ACCOUNT, number: "800700600500401".to_owned(), calling_code: 999 });
}

#[test]
fn a_refused_token_and_too_much_at_once_stop_the_way_for_a_while() {
    for (code, seconds) in [(190, 60), (130_429, 5), (131_057, 60), (80_007, 60)] {
        let bench = bench();
        bench.send(text("hi"), error(code));
        assert_eq!(bench.send_quietly(text("hi")), held(ErrorClass::CircuitOpen, seconds), "{code}");
        bench.host.advance(Duration::from_secs(seconds));
        assert!(matches!(bench.send(text("hi"), answer(200, ACCEPTED)), Outcome::Sent { .. }), "{code}");
    }
}

#[test]
fn a_paused_template_stops_itself_only() {
    let bench = bench();
    bench.send(template("autumn_sale", &[]), error(132_015));
    assert_eq!(bench.send_quietly(template("autumn_sale", &[])), held(ErrorClass::CircuitOpen, 3_600));
    assert!(matches!(bench.send(template("order_update", &[]), answer(200, ACCEPTED)), Outcome::Sent { .. }));
    heed(&bench, "template_status__unpaused");
    assert_eq!(bench.send_quietly(template("autumn_sale", &[])), held(ErrorClass::CircuitOpen, 3_600), "another account's template");
}

/// Has the transport's circuits hear a sample.
fn heed(bench: &Bench<CloudApi>, name: &str) {
    let now = gatepost::Host::now(&*bench.host);
    for item in webhook(&bytes(&format!("whatsapp/webhooks/{name}.json"))).unwrap().items {
        bench.transport.circuits().heed(ACCOUNT, INSTANCE, &item, now);
    }
}

#[test]
fn what_meta_says_about_the_account_opens_and_closes_its_circuit() {
    let bench = bench();
    let is_open = |content| {
        bench.script.then(answer(200, ACCEPTED));
        let before = bench.script.asked().len();
        bench.send_quietly(content);
        bench.script.asked().len() == before
    };
    heed(&bench, "account_update__violation");
    heed(&bench, "account_update__unknown_event");
    assert!(!is_open(text("hi")));
    heed(&bench, "account_update__restriction_biz_initiated");
    assert!(is_open(template("order_update", &[])));
    assert!(!is_open(text("hi")));
    // It may be lifted before the day that was told, and the word of that may reach another host.
    bench.host.advance(Duration::from_secs(3_600));
    assert!(!is_open(template("order_update", &[])));
    heed(&bench, "account_update__offboarded");
    assert!(is_open(text("hi")));
    bench.transport.circuits().trip(
        CircuitKey::Account { owner: ACCOUNT, id: "900100200300401".to_owned() },
        Stopped::All,
        None,
        gatepost_whatsapp::CircuitReason::AccountUpdate,
        gatepost::Host::now(&*bench.host),
    );
    let restored = bytes("whatsapp/webhooks/account_update__reconnected.json");
    let restored = String::from_utf8(restored).unwrap().replace("900100200300402", "900100200300401");
    let item = webhook(restored.as_bytes()).unwrap().items.remove(0);
    bench.transport.circuits().heed(ACCOUNT, INSTANCE, &item, gatepost::Host::now(&*bench.host));
    assert!(!is_open(text("hi")));
}

#[test]
fn without_settings_nothing_is_sent() {
    let bench = bench();
    let elsewhere = gatepost::Parcel { instance: InstanceId::from_bytes([9; 16]), ..parcel(text("hi")) };
    assert_eq!(block_on(bench.transport.send(elsewhere, bench.deadline())), failed(ErrorClass::NoTransport));
}

#[test]
fn nothing_that_a_person_must_not_see_is_shown() {
    let settings = Settings::default();
    let (bench, notes) = observed();
    bench.send(text("Meet me at the blue door"), answer(400, bytes("whatsapp/malformed/not_json__html.txt")));
    let mut shown = format!("{:?}{:?}{:?}{:?}", settings.cloud, settings.evolution, bench.transport, notes.refused.lock().unwrap());
    for row in manifest("whatsapp", "webhooks/") {
        shown += &format!("{:?}", webhook(&bytes(&path("whatsapp", &row))));
    }
    for row in manifest("evolution", "webhooks/") {
        let body = json(&path("evolution", &row))["body"].to_string();
        shown += &format!("{:?}", gatepost_whatsapp::evolution::webhook(body.as_bytes()));
    }
    let secrets = [
        "EAAJ",
        "EVO-SYNTHETIC",
        "\"SYNTHETIC",
        "order ready",
        "lookaside",
        "2025550143",
        "13491208650",
        "Sheila",
        "blue door",
        "X-Amz",
        "7700900123",
        "98765432101234",
        "2@SYN",
    ];
    for secret in secrets {
        let place = shown.find(secret).map(|at| shown[at.saturating_sub(80)..].chars().take(120).collect::<String>());
        assert_eq!(place, None, "{secret}");
    }
    let plain: Value = serde_json::to_value(webhook(&bytes("whatsapp/webhooks/text__basic.json")).unwrap()).unwrap();
    assert!(plain.to_string().contains("order ready"), "what is stored says it");
}
