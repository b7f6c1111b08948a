//! Samples: every sample of 3CX's bodies is read, or written, as it stands.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "what cannot be read fails its test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use gatepost::{Secret, Timestamp};
use gatepost_threecx::crm::{CallReport, CallType, ChatReport, LookupAnswer, Searched, template};
use gatepost_threecx::trunk::{AgentMessage, File, Inbound, InvalidAgentMessage, accepted, post_body, refused};
use gatepost_threecx::webhook::{Body, EventType, Gate, NotAdmitted, Shown, read, sign};
use proptest::prelude::*;
use serde_json::{Value, json};

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

/// What stands in the gateway's event for each sample of what a customer wrote, beside from whom and when.
fn received(name: &str) -> Value {
    match name {
        "inbound__3cx_answers_503" => json!({"message_type": "text", "message_text": "pbx restarting"}),
        "inbound__basic" => json!({"message_type": "text", "message_text": "Is anyone there?"}),
        "inbound__image" => {
            json!({"message_type": "image", "message_text": "Broken part", "media": {"id": "4120532427833355", "mime_type": "image/jpeg"}})
        }
        "inbound__location_as_text" => {
            let location = json!({"latitude": 38.8977, "longitude": -77.0365, "name": "Example Coffee", "address": "1 Example St"});
            json!({"message_type": "location", "message_text": null, "location": location})
        }
        "inbound__minimal_fields" => json!({"message_type": "text", "message_text": "minimal"}),
        "inbound__reaction_as_text" => {
            json!({"message_type": "reaction", "message_text": null, "reaction": {"emoji": "👍"}, "reply_to_text": "Hello from the agent"})
        }
        "inbound__unicode" => json!({"message_type": "text", "message_text": "هل الطلب جاهز؟ 🙏"}),
        other => panic!("{other} is new"),
    }
}

/// The inside of an object.
fn inside(fields: &Value) -> String {
    let object = fields.to_string();
    object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap().to_owned()
}

/// What is posted for an event with these fields, in the name and at the time that a sample has.
fn posted(event: &str, sample: &Value, fields: &Value) -> Value {
    let (id, at) = (sample["body"]["data"]["id"].as_str().unwrap(), Timestamp::from_millis(1_795_348_800_000));
    let url = |_: &str| Some(String::from("https://gateway.example/media/t/7f3a.jpg"));
    let body = post_body(event, id, at, &inside(fields), "+442079460100".parse().unwrap(), &url).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// Each sample comes out of the gateway's own event as it stands, ids and times included, but for two things. The gateway does not know how
/// large a file is. And what a live integration needs at least is less than what is posted; there, only what it needs is compared.
#[test]
fn what_customers_write_is_posted() {
    for (name, sample) in samples("sms_inbound") {
        let payload = &sample["body"]["data"]["payload"];
        let mut fields = received(&name);
        fields["from"] = payload["from"]["phone_number"].clone();
        fields["inbound_id"] = payload["id"].clone();
        fields["received_at"] = payload["received_at"].clone();
        let posted = with_times(&posted("message.received", &sample, &fields));
        let mut expected = with_times(&sample["body"]);
        for file in expected.pointer_mut("/data/payload/media").and_then(Value::as_array_mut).into_iter().flatten() {
            file.as_object_mut().unwrap().remove("size");
        }
        if matches!(name.as_str(), "inbound__3cx_answers_503" | "inbound__minimal_fields") {
            assert!(holds(&posted, &expected), "{name}: {posted}");
        } else {
            assert_eq!(posted, expected, "{name}");
        }
    }
}

/// Whether all that is in `less` is in `more`.
fn holds(more: &Value, less: &Value) -> bool {
    match (more, less) {
        (Value::Object(more), Value::Object(less)) => {
            less.iter().all(|(name, value)| more.get(name).is_some_and(|more| holds(more, value)))
        }
        (more, less) => more == less,
    }
}

#[test]
fn a_file_is_posted_with_its_size_where_that_is_known() {
    let sample = sample("sms_inbound", "inbound__image");
    let payload = &sample["body"]["data"]["payload"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let file = &payload["media"][0];
    let file = File { url: text(&file["url"]), content_type: text(&file["content_type"]), size: file["size"].as_u64() };
    let inbound = Inbound {
        event_id: &text(&sample["body"]["data"]["id"]),
        id: &text(&payload["id"]),
        from: text(&payload["from"]["phone_number"]).parse().unwrap(),
        to: text(&payload["to"][0]["phone_number"]).parse().unwrap(),
        text: &text(&payload["text"]),
        files: &[file],
        received_at: text(&payload["received_at"]).parse().unwrap(),
    };
    assert_eq!(with_times(&inbound.body()), with_times(&sample["body"]));
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
    for (name, sample) in samples("dlr") {
        let (event, previous) = match name.as_str() {
            "dlr__delivered" => ("message.delivered", "sent"),
            "dlr__delivery_failed_2" => ("message.failed", "sent"),
            "dlr__sending_failed_as_message_sent" => ("message.failed", "queued"),
            "dlr__sent" => ("message.sent", "queued"),
            other => panic!("{other} is new"),
        };
        let fields = json!({
            "message_id": "01JDBAGENT0001", "status": "x", "previous_status": previous, "to": "+447700900123",
            "updated_at": "2026-11-22T10:00:05Z",
        });
        assert_eq!(with_times(&posted(event, &sample, &fields)), with_times(&sample["body"]), "{name}");
    }
}

/// The number that a sample searches.
fn searched(sample: &Value) -> String {
    sample["url"].as_str().unwrap().split_once("?number=").unwrap().1.replace("%2B", "+")
}

/// The gateway knows no addresses for e-mails; all else is answered as in the samples.
#[test]
fn who_calls_is_answered() {
    for (name, sample) in samples("lookup") {
        let url = "https://gateway.example/contacts/c-77";
        let answer = Searched::read(&searched(&sample))
            .map_or_else(LookupAnswer::nobody, |searched| LookupAnswer::one(&searched, "c-77", Some("Pat Example"), url));
        let mut expected = sample["response"]["body"].clone();
        for contact in expected["contacts"].as_array_mut().unwrap() {
            contact["email"] = "".into();
        }
        assert_eq!(serde_json::to_value(&answer).unwrap(), expected, "{name}");
    }
}

/// A field of a sample that says something.
fn field(sample: &Value, name: &str) -> Option<String> {
    sample["body"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn time(sample: &Value, name: &str) -> Option<Timestamp> {
    field(sample, name).map(|text| text.parse().unwrap())
}

#[test]
fn reports_of_calls_are_read_and_none_is_taken_for_another() {
    let mut keys = BTreeSet::new();
    for (name, sample) in samples("report_call") {
        let report = CallReport::read(&body(&sample)).unwrap();
        let call_type = match name.as_str() {
            "report_call__inbound_answered" | "report_call__inbound_transferred_second_leg" => CallType::Inbound,
            "report_call__missed" | "report_call__missed_queue" => CallType::Missed,
            "report_call__notanswered" => CallType::NotAnswered,
            "report_call__outbound" => CallType::Outbound,
            other => panic!("{other} is new"),
        };
        assert_eq!((report.call_type, report.phone.map(|phone| phone.e164())), (call_type, field(&sample, "number")), "{name}");
        assert_eq!((report.agent.clone(), report.queue.clone()), (field(&sample, "agent"), field(&sample, "queue")), "{name}");
        let times = ["start_utc", "established_utc", "end_utc"].map(|name| time(&sample, name));
        assert_eq!([report.started, report.established, report.ended], times, "{name}");
        let spoken = report.established.zip(report.ended).map(|(from, to)| to.since(from));
        assert_eq!(report.duration, Some(spoken.unwrap_or_default()), "{name}");
        assert_eq!(CallReport::read(&body(&sample)).unwrap().key(), report.key(), "{name}");
        assert!(keys.insert(report.key()), "{name}");
    }
}

#[test]
fn reports_of_chats_are_read_and_their_text_is_not_kept() {
    for (name, sample) in samples("report_chat") {
        let report = ChatReport::read(&body(&sample)).unwrap();
        assert_eq!(report.phone.map(|phone| phone.e164()), field(&sample, "number"), "{name}");
        assert_eq!((report.agent_email.clone(), report.queue.clone()), (field(&sample, "agent_email"), field(&sample, "queue")), "{name}");
        assert_eq!([report.started, report.ended], ["start_utc", "end_utc"].map(|name| time(&sample, name)), "{name}");
        assert_eq!(report.line_count, 2, "{name}");
        assert!(!format!("{report:?}").contains("Pat"), "{name}");
    }
}

/// What the template asks for, in quotation marks.
fn keys(xml: &str) -> BTreeSet<String> {
    xml.split("<Value Key=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn the_template_asks_for_what_the_samples_hold_and_what_the_sketch_asks_for() {
    let xml = template("https://gateway.example/3cx/acme/crm", "Gateway");
    for (name, sample) in ["report_call", "report_chat"].into_iter().flat_map(samples) {
        let is_wanted = |key: &&String| !["transcription", "summary", "sentiment", "recording_url"].contains(&key.as_str());
        let expected: BTreeSet<String> = sample["body"].as_object().unwrap().keys().filter(is_wanted).cloned().collect();
        assert!(expected.is_subset(&keys(&xml)), "{name}: {expected:?}");
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/crm_template/gateway_template.xml");
    let sketch = fs::read_to_string(path).unwrap();
    for line in sketch.lines().filter(|line| ["<Value ", "<Request ", "<Rule ", "<Number "].iter().any(|start| line.contains(start))) {
        assert!(xml.contains(line.trim()), "{line}");
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

/// The events that are posted, and one that is not.
const EVENTS: [&str; 5] = ["message.received", "message.sent", "message.delivered", "message.failed", "message.read"];

/// Reads whatever comes in every way there is.
fn use_all(body: &[u8]) {
    let _ = AgentMessage::read(body).map(|message| format!("{message:?}"));
    if let Ok(event) = read(body) {
        let _ = (event.phone(), event.text(), event.purpose(), event.conversation_id(), event.call_facts(), format!("{event:?}"));
    }
    let _ = CallReport::read(body).map(|report| format!("{report:?}"));
    let _ = ChatReport::read(body).map(|report| format!("{report:?}"));
    let text = String::from_utf8_lossy(body);
    let _ = Searched::read(&text).map(|searched| LookupAnswer::one(&searched, &text, Some(&text), &text));
    post_all(text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(&text));
    let _ = template(&text, &text);
}

/// Has fields posted under every name.
fn post_all(fields: &str) {
    let url = |id: &str| (!id.is_empty()).then(|| id.to_owned());
    for event in EVENTS {
        let body = post_body(event, "evt-1", Timestamp::MAX, fields, "+442079460100".parse().unwrap(), &url);
        assert!(body.is_err() || body.is_ok_and(|body| serde_json::from_slice::<Value>(&body).is_ok()), "{fields}");
    }
}

#[test]
fn every_sample_cut_short_anywhere_is_read_or_refused() {
    for (_, sample) in ["relay", "report_call", "report_chat", "sms_outbound"].into_iter().flat_map(samples) {
        let body = body(&sample);
        (0..body.len()).for_each(|end| use_all(&body[..end]));
    }
}

#[test]
fn anything_in_any_place_of_an_event_is_posted_or_refused() {
    let odd =
        [json!(null), json!([]), json!({}), json!(-1), json!("\u{0}"), json!([[1]]), json!({"emoji": 7, "latitude": "", "lines": -1})];
    for (name, _) in samples("sms_inbound") {
        let mut fields = received(&name);
        (fields["from"], fields["inbound_id"]) = ("+447700900123".into(), "in-1".into());
        for field in fields.as_object().unwrap().keys() {
            for with in &odd {
                let mut changed = fields.clone();
                changed[field] = with.clone();
                post_all(&inside(&changed));
            }
        }
    }
}

const FORMS: [&str; 18] = [
    "audio",
    "call_permission",
    "choice",
    "contacts",
    "document",
    "edit",
    "form",
    "image",
    "location",
    "order",
    "reaction",
    "revoke",
    "sticker",
    "text",
    "unknown",
    "unsupported",
    "video",
    "",
];

proptest! {
    #[test]
    fn any_words_are_posted_or_refused(form in prop::sample::select(&FORMS[..]), text in any::<String>(), number in any::<f64>(), count in any::<u64>()) {
        let fields = json!({
            "from": "+447700900123", "inbound_id": text, "message_type": form, "message_text": text, "received_at": text, "reply_to_text": text,
            "media": {"id": text, "mime_type": text}, "location": {"latitude": number, "longitude": number, "name": text},
            "reaction": {"emoji": text}, "contacts": [{"name": text, "phones": [text, number]}], "order": {"lines": count},
        });
        post_all(&inside(&fields));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), time in any::<String>(), signature in any::<String>()) {
        use_all(&bytes);
        let headers = [("X-WhatsApp-Gateway-3CX-Secret", "x"), ("X-WhatsApp-Gateway-Timestamp", time.as_str()), ("X-WhatsApp-Gateway-Signature", signature.as_str())];
        let shown = Shown { headers: &headers, peer: "192.0.2.7".parse().unwrap(), body: Body::Whole(&bytes) };
        prop_assert!(Gate::new(Secret::from("x")).admit(&shown, Timestamp::from_millis(1_795_500_000_000)).is_err());
    }
}
