//! Samples: every sample of 3CX's bodies is read, or written, as it stands.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "what cannot be read fails its test")]

use std::fs;
use std::path::PathBuf;

use gatepost::{Secret, Timestamp};
use gatepost_threecx::trunk::{AgentMessage, File, Inbound, InvalidAgentMessage, Receipt, ReceiptStatus, accepted, refused};
use gatepost_threecx::webhook::{Body, EventType, Gate, NotAdmitted, Shown, read, sign};
use proptest::prelude::*;
use serde_json::Value;

fn samples(folder: &str) -> Vec<(String, Value)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), serde_json::from_slice(&fs::read(path).unwrap()).unwrap())).collect()
}

fn sample(folder: &str, name: &str) -> Value {
    samples(folder).into_iter().find(|(found, _)| found == name).expect(name).1
}

fn body(sample: &Value) -> Vec<u8> {
    sample["body_raw"].as_str().map_or_else(|| sample["body"].to_string(), str::to_owned).into_bytes()
}

/// Times may be written with a fraction or without.
fn with_times(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), with_times(value))).collect(),
        Value::Array(items) => items.iter().map(with_times).collect(),
        Value::String(text) => text.parse::<Timestamp>().map_or(value.clone(), |at| at.as_millis().into()),
        other => other.clone(),
    }
}

#[test]
fn what_agents_send_is_read() {
    for (name, sample) in samples("sms_outbound") {
        let read = AgentMessage::read(&body(&sample));
        match name.as_str() {
            "agent_send__empty_body" => assert_eq!(read, Err(InvalidAgentMessage::NotJson)),
            "agent_send__text_null" => assert!(matches!(read, Err(InvalidAgentMessage::Field { field: "text", .. })), "{read:?}"),
            _ => {
                let message = read.unwrap_or_else(|error| panic!("{name}: {error}"));
                let sent = &sample["body"];
                assert_eq!(
                    (message.from.e164().as_str(), message.to.e164().as_str()),
                    (sent["from"].as_str().unwrap(), sent["to"].as_str().unwrap())
                );
                assert_eq!(
                    message.text.as_ref().map(gatepost::Text::as_str),
                    sent["text"].as_str().filter(|text| !text.is_empty()),
                    "{name}"
                );
            }
        }
    }
    let files = AgentMessage::read(&body(&sample("sms_outbound", "agent_send__media_urls"))).unwrap().files;
    assert_eq!(files, ["https://acme.3cx.example/chatfile/3f1c.jpg"]);
    let unknown = AgentMessage::read(&body(&sample("sms_outbound", "agent_send__unknown_extra_fields"))).unwrap().unknown;
    assert_eq!(unknown, ["messaging_profile_id", "subject"]);
}

#[test]
fn files_are_read_under_each_of_their_names() {
    for field in ["media_urls", "mediaUrls", "media"] {
        for file in [r#""https://pbx.example/1.jpg""#, r#"{"url":"https://pbx.example/1.jpg"}"#] {
            let body = format!(r#"{{"from":"+442079460100","to":"+447700900123","{field}":[{file}]}}"#);
            assert_eq!(AgentMessage::read(body.as_bytes()).unwrap().files, ["https://pbx.example/1.jpg"], "{body}");
        }
        let wrong = format!(r#"{{"from":"+442079460100","to":"+447700900123","{field}":[7]}}"#);
        assert!(matches!(AgentMessage::read(wrong.as_bytes()), Err(InvalidAgentMessage::Field { field: found, .. }) if found == field));
    }
}

#[test]
fn agents_are_answered_in_the_shape_of_3cx() {
    let taken = sample("sms_outbound", "agent_send__basic");
    assert_eq!(accepted("01JDBAGENT0001"), taken["response"]["body"]);
    let refusal = sample("sms_outbound", "agent_send__unknown_sender_number");
    assert_eq!(refused("unknown_sender", "Number not assigned"), refusal["response"]["body"]);
}

#[test]
fn what_customers_write_is_posted() {
    for (name, sample) in samples("sms_inbound") {
        let (sent, payload) = (&sample["body"]["data"], &sample["body"]["data"]["payload"]);
        let file = |file: &Value| File {
            url: file["url"].as_str().unwrap().to_owned(),
            content_type: file["content_type"].as_str().unwrap().to_owned(),
            size: file["size"].as_u64(),
        };
        let files: Vec<_> = payload["media"].as_array().into_iter().flatten().map(file).collect();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let inbound = Inbound {
            event_id: &text(&sent["id"]),
            id: &text(&payload["id"]),
            from: text(&payload["from"]["phone_number"]).parse().unwrap(),
            to: text(&payload["to"][0]["phone_number"]).parse().unwrap(),
            text: &text(&payload["text"]),
            files: &files,
            received_at: text(&payload["received_at"]).parse().unwrap(),
        };
        let posted = with_times(&inbound.body());
        let expected = with_times(&sample["body"]);
        // Some samples hold only what a live integration needs.
        for (field, value) in expected["data"]["payload"].as_object().unwrap() {
            assert_eq!(&posted["data"]["payload"][field], value, "{name}: {field}");
        }
        for field in ["event_type", "id", "record_type"] {
            assert_eq!(posted["data"][field], expected["data"][field], "{name}: {field}");
        }
        assert!(posted["data"]["occurred_at"].is_i64(), "{name}");
    }
}

#[test]
fn nobody_is_shown() {
    let file = File { url: "https://gateway.example/media/7f3a.jpg".to_owned(), content_type: "image/jpeg".to_owned(), size: None };
    let (from, to) = ("+447700900123".parse().unwrap(), "+442079460100".parse().unwrap());
    let received_at = Timestamp::from_millis(1_795_500_000_000);
    let inbound = Inbound { event_id: "evt-1", id: "m-1", from, to, text: "Meet me at the blue door", files: &[file], received_at };
    let message =
        AgentMessage::read(br#"{"from":"+442079460100","to":"+447700900123","text":"blue","media":["https://blue.example"]}"#).unwrap();
    for shown in [format!("{inbound:?}"), format!("{message:?}")] {
        assert!(!["blue", "7f3a", "7700900123"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
}

#[test]
fn unknown_fields_are_named_only_where_they_are_names() {
    let body = br#"{"from":"+442079460100","to":"+447700900123","text":"x","media_urls":[],"media":["https://pbx.example/1.jpg"],
                    "subject":1,"+447700900123":2,"my words":3}"#;
    let message = AgentMessage::read(body).unwrap();
    assert_eq!((message.unknown, message.files.len()), (vec!["subject".to_owned()], 1));
}

#[test]
fn receipts_are_posted() {
    for (name, status) in [
        ("dlr__sent", ReceiptStatus::Sent),
        ("dlr__delivered", ReceiptStatus::Delivered),
        ("dlr__delivery_failed_2", ReceiptStatus::DeliveryFailed),
        ("dlr__sending_failed_as_message_sent", ReceiptStatus::SendingFailed),
    ] {
        let sample = sample("dlr", name);
        let (from, to) = ("+442079460100".parse().unwrap(), "+447700900123".parse().unwrap());
        let at = "2026-11-22T10:00:05Z".parse().unwrap();
        let receipt = Receipt { event_id: &format!("evt-{name}"), id: "01JDBAGENT0001", from, to, status, at };
        assert_eq!(with_times(&receipt.body()), with_times(&sample["body"]), "{name}");
    }
}

#[test]
fn a_signed_relay_is_admitted_and_read() {
    let sample = sample("relay", "signed_relay__outbound_message");
    let (body, secret) = (body(&sample), Secret::from("SYNTHETIC"));
    let time = sample["headers"]["X-WhatsApp-Gateway-Timestamp"].as_str().unwrap();
    let signature = sign(&secret, time, &body);
    let headers = [
        ("X-WhatsApp-Gateway-3CX-Secret", "SYNTHETIC"),
        ("X-WhatsApp-Gateway-Timestamp", time),
        ("X-WhatsApp-Gateway-Signature", signature.as_str()),
    ];
    let shown = Shown { headers: &headers, peer: "192.0.2.7".parse().unwrap(), body: Body::Whole(&body) };
    let now = Timestamp::from_millis(1_795_500_000_000);
    assert_eq!(Gate::new(secret.clone()).signed(true).admit(&shown, now), Ok(()));
    let changed = Shown { body: Body::Whole(&body[1..]), ..shown };
    assert_eq!(Gate::new(secret).admit(&changed, now), Err(NotAdmitted::SignatureWrong));

    let event = read(&body).unwrap();
    assert_eq!((event.event_type(), event.phone().unwrap().e164().as_str()), (EventType::OutboundMessage, "+966500000001"));
    assert_eq!(event.text().unwrap().as_str(), "Your support request has been updated.");
    assert_eq!(event.purpose().unwrap().as_str(), "support");
    assert_eq!(event.conversation_id().unwrap().as_deref(), Some("3cx-chat-123"));
    assert_eq!(event.call_facts().unwrap().agent_extension.as_deref(), Some("101"));
}

/// Reads whatever comes in every way there is.
fn use_all(body: &[u8]) {
    let _ = AgentMessage::read(body).map(|message| format!("{message:?}"));
    if let Ok(event) = read(body) {
        let _ = (event.phone(), event.text(), event.purpose(), event.conversation_id(), event.call_facts(), format!("{event:?}"));
    }
}

#[test]
fn every_sample_cut_short_anywhere_is_read_or_refused() {
    for (_, sample) in ["relay", "sms_outbound"].into_iter().flat_map(samples) {
        let body = body(&sample);
        (0..body.len()).for_each(|end| use_all(&body[..end]));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), time in any::<String>(), signature in any::<String>()) {
        use_all(&bytes);
        let headers = [("X-WhatsApp-Gateway-3CX-Secret", "x"), ("X-WhatsApp-Gateway-Timestamp", time.as_str()), ("X-WhatsApp-Gateway-Signature", signature.as_str())];
        let shown = Shown { headers: &headers, peer: "192.0.2.7".parse().unwrap(), body: Body::Whole(&bytes) };
        prop_assert!(Gate::new(Secret::from("x")).admit(&shown, Timestamp::from_millis(1_795_500_000_000)).is_err());
    }
}
