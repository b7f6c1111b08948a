//! Evolution sends: calls as Evolution API takes them, answers read as the samples expect, and links.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be made fails its test")]

mod support;

use std::time::Duration;

use futures_executor::block_on;
use gatepost::{Connection, Content, ErrorClass, Host, HttpFailureClass, HttpMethod, MediaKind, Outcome, Transport};
use gatepost_whatsapp::evolution::{Evolution, Linking, WebhookSetup, link_svg, webhook};
use serde_json::{Value, json as made};
use support::{ACCOUNT, BASE_URL, Bench, INSTANCE, Says, Settings, answer, json, manifest, parcel, path, sampled, text};

fn bench() -> Bench<Evolution> {
    Bench::new(Settings::default(), |(http, policy, accounts, host)| Evolution::new(http, policy, accounts, host))
}

/// One whose number is known to be linked.
fn open() -> Bench<Evolution> {
    let bench = bench();
    bench.script.then(sample("connection_state__open"));
    bench
}

fn sample(name: &str) -> Says {
    sampled(&json(&format!("evolution/api/{name}.json"))["response"])
}

/// Where the request of a sample goes, in our tests.
fn url_of(request: &Value) -> String {
    request["url"].as_str().unwrap().replace("https://evo.example", BASE_URL)
}

fn failed(class: ErrorClass) -> Outcome {
    Outcome::Failed { class, retry_after: None }
}

const CLOSED: Outcome = Outcome::Failed { class: ErrorClass::CircuitOpen, retry_after: Some(Duration::from_secs(60)) };

#[test]
fn every_answer_to_a_message_is_read_as_expected() {
    for row in manifest("evolution", "api/send_") {
        let (file, sample) = (path("evolution", &row), json(&path("evolution", &row)));
        let outcome = open().send(text("x"), sampled(&sample["response"]));
        let expected = match sample["expect"]["class"].as_str() {
            None => Outcome::Sent { external_id: sample["response"]["body"]["key"]["id"].as_str().map(str::to_owned) },
            Some("ambiguous") => Outcome::Unknown { class: ErrorClass::ErrorStatus },
            Some("channel_down") => CLOSED,
            Some("account_config") => failed(ErrorClass::Misconfigured),
            Some("permanent_recipient") => failed(ErrorClass::Undeliverable),
            Some("request_bug") => failed(ErrorClass::Refused),
            Some("window_closed") => failed(ErrorClass::WindowClosed),
            Some(other) => panic!("{file}: {other} is new"),
        };
        assert_eq!(outcome, expected, "{file}");
    }
}

#[test]
fn only_the_exact_word_open_sends() {
    for row in manifest("evolution", "api/connection_state__") {
        let (file, sample) = (path("evolution", &row), json(&path("evolution", &row)));
        let bench = bench();
        bench.script.then(sampled(&sample["response"]));
        bench.script.then(self::sample("send_text__ok"));
        let outcome = bench.send_quietly(text("x"));
        let is_sendable = sample["expect"]["sendable"].as_bool().unwrap();
        assert_eq!(matches!(outcome, Outcome::Sent { .. }), is_sendable, "{file}");
        assert!(is_sendable || outcome == CLOSED, "{file}: {outcome:?}");
        assert_eq!(bench.script.asked().len(), if is_sendable { 2 } else { 1 }, "{file}");
    }
}

#[test]
fn requests_are_those_that_evolution_takes() {
    let bench = open();
    bench.send(text("Your order is ready."), sample("send_text__ok"));
    let expected = &json("evolution/api/send_text__ok.json")["request"];
    let request = bench.script.asked().remove(1);
    assert_eq!(request.destination.as_str(), url_of(expected));
    assert_eq!((request.method, request.repeatable), (HttpMethod::Post, false));
    assert!(request.headers.contains(&("apikey".into(), "EVO-SYNTHETIC-KEY".to_owned())));
    assert_eq!(bench.last_body(), made!({"number": "999501234567", "text": "Your order is ready."}));
    let source = "https://gateway.example/m/1.pdf".parse().unwrap();
    let (caption, file_name) = (Some("Invoice".parse().unwrap()), Some("invoice.pdf".parse().unwrap()));
    bench.send(Content::Media { kind: MediaKind::Document, source, caption, file_name }, sample("send_media__url"));
    let mut expected = json("evolution/api/send_media__url.json")["request"]["body"].clone();
    // The type of the file is not known here; Evolution API finds it by the name.
    expected.as_object_mut().unwrap().remove("mimetype");
    expected["number"] = made!("999501234567");
    assert_eq!(bench.last_body(), expected);
}

#[test]
fn what_it_does_not_carry_is_refused_here() {
    let media_by_id = Content::Media { kind: MediaKind::Image, source: "media-7".parse().unwrap(), caption: None, file_name: None };
    let reaction = Content::Reaction { to: "3EB0A1".parse().unwrap(), emoji: None };
    for content in [media_by_id, reaction] {
        assert_eq!(bench().send_quietly(content), failed(ErrorClass::Unsupported));
    }
}

#[test]
fn a_closed_connection_stops_the_number_until_it_is_open_again() {
    let bench = open();
    assert_eq!(bench.send(text("x"), sample("send_text__connection_closed_400")), CLOSED);
    assert_eq!(bench.send_quietly(text("x")), CLOSED);
    bench.host.advance(Duration::from_secs(60));
    bench.script.then(sample("connection_state__close"));
    assert_eq!(bench.send_quietly(text("x")), CLOSED);
    heed(&bench, "connection__open");
    bench.script.then(sample("connection_state__open"));
    assert!(matches!(bench.send(text("x"), sample("send_text__ok")), Outcome::Sent { .. }));
    heed(&bench, "connection__close_logged_out_401");
    assert_eq!(bench.send_quietly(text("x")), CLOSED);
}

fn heed(bench: &Bench<Evolution>, name: &str) {
    let body = json(&format!("evolution/webhooks/{name}.json"))["body"].to_string();
    for item in webhook(body.as_bytes()).unwrap().items {
        bench.transport.circuits().heed(ACCOUNT, INSTANCE, &item, bench.host.now());
    }
}

#[test]
fn the_state_is_asked_for_once_in_a_minute() {
    let bench = open();
    for _ in 0..3 {
        bench.send(text("x"), sample("send_text__ok"));
    }
    assert_eq!(bench.script.asked().len(), 4);
    bench.host.advance(Duration::from_secs(60));
    bench.script.then(sample("connection_state__open"));
    bench.send(text("x"), sample("send_text__ok"));
    assert_eq!(bench.script.asked().len(), 6);
}

#[test]
fn a_question_that_is_not_answered_leaves_nothing_in_doubt() {
    let bench = bench();
    let outcome = bench.send(text("x"), Says::Fails { class: HttpFailureClass::Timeout, may_have_arrived: true });
    assert_eq!(outcome, failed(ErrorClass::Timeout));
    let outcome = open().send(text("x"), Says::Fails { class: HttpFailureClass::Timeout, may_have_arrived: true });
    assert_eq!(outcome, Outcome::Unknown { class: ErrorClass::Timeout });
    assert_eq!(open().send(text("x"), answer(502, "<html>")), Outcome::Unknown { class: ErrorClass::ErrorStatus });
    assert_eq!(open().send(text("x"), answer(201, "{}")), Outcome::Unknown { class: ErrorClass::ErrorStatus });
}

#[test]
fn settings_that_cannot_be_read_now_leave_the_message_for_later() {
    let elsewhere = gatepost::Parcel { instance: gatepost::InstanceId::from_bytes([9; 16]), ..parcel(text("x")) };
    let bench = bench();
    assert_eq!(block_on(bench.transport.send(elsewhere, bench.deadline())), failed(ErrorClass::Interrupted));
}

#[test]
fn an_instance_is_made_linked_and_ended() {
    let bench = bench();
    bench.script.then(sample("instance_create__ok"));
    let created = block_on(bench.transport.create(INSTANCE, bench.deadline())).unwrap();
    assert_eq!((created.token.expose(), created.connection), ("SYNTHETIC-INSTANCE-TOKEN", Connection::Closed));
    check_request(&bench, "instance_create__ok", HttpMethod::Post);

    bench.script.then(sample("instance_logout__ok"));
    block_on(bench.transport.log_out(INSTANCE, bench.deadline())).unwrap();
    check_request(&bench, "instance_logout__ok", HttpMethod::Delete);

    bench.script.then(sample("connection_state__open"));
    assert_eq!(block_on(bench.transport.connection(INSTANCE, bench.deadline())), Ok(Connection::Open));
    check_request(&bench, "connection_state__open", HttpMethod::Get);
}

fn check_request(bench: &Bench<Evolution>, name: &str, method: HttpMethod) {
    let (asked, expected) = (bench.script.asked(), json(&format!("evolution/api/{name}.json"))["request"].clone());
    let request = asked.last().unwrap();
    assert_eq!((request.method, request.destination.as_str()), (method, url_of(&expected).as_str()));
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap_or(Value::Null), expected["body"]);
}

#[test]
fn linking_gives_a_code_to_scan_or_to_type() {
    let bench = bench();
    bench.script.then(answer(200, r#"{"pairingCode":"WZYEH1YY","code":"2@SYNTHETIC","count":1}"#));
    let phone = "+999501234567".parse().unwrap();
    let linking = block_on(bench.transport.connect(INSTANCE, Some(phone), bench.deadline())).unwrap();
    let Linking::Waits { code: Some(code) } = linking else { panic!("{linking:?}") };
    assert_eq!(code.pairing_code.as_ref().map(gatepost::Secret::expose), Some("WZYEH1YY"));
    let svg = link_svg(&code).unwrap();
    assert!(svg.starts_with("<?xml") && svg.contains("<svg") && !svg.contains("SYNTHETIC"));
    let asked = bench.script.asked();
    assert_eq!(asked[0].destination.as_str(), "https://evo.example.com/instance/connect/acme-main?number=999501234567");

    bench.script.then(answer(200, r#"{"instance":{"instanceName":"acme-main","state":"open"}}"#));
    assert_eq!(block_on(bench.transport.connect(INSTANCE, None, bench.deadline())), Ok(Linking::Open));
    bench.script.then(answer(200, r#"{"error":true,"message":"Error: The instance is not connected"}"#));
    assert_eq!(block_on(bench.transport.restart(INSTANCE, bench.deadline())), Err(failed(ErrorClass::Refused)));
}

#[test]
fn a_webhook_is_set_up_with_the_key_of_its_tokens() {
    let bench = bench();
    bench.script.then(sample("webhook_set__ok"));
    let setup = WebhookSetup { url: "https://gateway.example/evolution/acme".to_owned(), with_files: false };
    block_on(bench.transport.set_webhook(INSTANCE, &setup, bench.deadline())).unwrap();
    let (mut sent, mut expected) = (bench.last_body(), json("evolution/api/webhook_set__ok.json")["request"]["body"].clone());
    let names = |body: &mut Value| body["webhook"]["events"].take();
    let (ours, theirs) = (names(&mut sent), names(&mut expected));
    assert!(theirs.as_array().unwrap().iter().all(|event| ours.as_array().unwrap().contains(event)), "{ours}");
    assert_eq!(sent, expected);
}

#[test]
fn a_name_cannot_lead_to_another_call() {
    let mut settings = Settings::default();
    settings.evolution.instance_name = "../instance/logout/other?x=".to_owned();
    let bench = Bench::new(settings, |(http, policy, accounts, host)| Evolution::new(http, policy, accounts, host));
    bench.script.then(sample("connection_state__close"));
    bench.send_quietly(text("x"));
    let asked = bench.script.asked();
    assert_eq!(asked[0].destination.path_and_query(), "/instance/connectionState/..%2Finstance%2Flogout%2Fother%3Fx%3D");
}
