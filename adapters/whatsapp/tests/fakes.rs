//! Fakes: they answer as the samples do, and the transports send through them over real HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be made fails its test")]

mod support;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{Connection, DestinationPolicy, ErrorClass, Host, HttpSend, Media, MediaRef, MediaSource, Outcome, Secret, Transport};
use gatepost_memory::TestHost;
use gatepost_whatsapp::cloud::{CloudApi, SIGNATURE_HEADER, verify_signature};
use gatepost_whatsapp::evolution::{Linking, WebhookSetup, verify_authorization};
use gatepost_whatsapp::fake::{FakeFile, Hook, Mishap, post};
use gatepost_whatsapp::{Batch, Body, NotANotification, Said, cloud, evolution};
use serde_json::{Value, json as made};
use support::stage::{PATIENCE, Stage, fake_evolution, graph};
use support::{ACCOUNT, INSTANCE, MESSAGE, Settings, json, manifest, parcel, path, text};

/// The names in a JSON object, and those in the objects in it.
fn shape(value: &Value) -> BTreeSet<String> {
    let Value::Object(fields) = value else { return BTreeSet::new() };
    let inner = |(name, value): (&String, &Value)| {
        let value = value.get(0).unwrap_or(value);
        shape(value).into_iter().map(|below| format!("{name}.{below}")).chain([name.clone()]).collect::<Vec<_>>()
    };
    fields.iter().flat_map(inner).collect()
}

/// The status and the body of what a fake answers.
fn asked(stage: &Stage, url: &str, headers: &[(&'static str, &str)], body: &Value, method: gatepost::HttpMethod) -> (u16, Value) {
    let request = gatepost::HttpRequest {
        method,
        destination: stage.policy.parse(url).unwrap(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect(),
        body: body.to_string().into_bytes().into(),
        deadline: stage.deadline(PATIENCE),
        repeatable: false,
        answer_bytes_max: gatepost::BODY_BYTES_MAX,
    };
    let answer = block_on(stage.http.send(request)).unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

#[test]
fn the_graph_answers_as_the_samples_do() {
    let (stage, graph) = (Stage::new(), graph());
    let url = format!("{}/v25.0/800700600500401/messages", graph.url());
    let ask = |body: &Value| asked(&stage, &url, &[("authorization", "Bearer token")], body, gatepost::HttpMethod::Post);
    for (request, response) in [
        ("text__basic", "accepted__phone"),
        ("template__no_variables", "accepted__template_message_status"),
        ("mark_read__typing_indicator", "success__mark_read"),
    ] {
        let expected = json(&format!("whatsapp/send/responses/{response}.json"));
        let (status, body) = ask(&json(&format!("whatsapp/send/requests/{request}.json")));
        assert_eq!((u64::from(status), shape(&body)), (expected["http_status"].as_u64().unwrap(), shape(&expected["body"])), "{request}");
    }
    for row in manifest("whatsapp", "send/errors/").iter().filter(|row| row["class"] != "ambiguous" && row["class"] != "unknown") {
        let expected = json(&path("whatsapp", row));
        graph.misbehave(Mishap::Code(expected["expect"]["code"].as_i64().unwrap()));
        let (status, body) = ask(&json("whatsapp/send/requests/text__basic.json"));
        assert_eq!(u64::from(status), expected["http_status"].as_u64().unwrap(), "{}", row["file"]);
        assert_eq!(body["error"]["code"], expected["body"]["error"]["code"], "{}", row["file"]);
    }
    let expected = &json("whatsapp/send/errors/131026_permanent_recipient.json")["body"];
    graph.misbehave(Mishap::Code(131_026));
    assert_eq!(shape(&ask(&json("whatsapp/send/requests/text__basic.json")).1), shape(expected));
    assert_eq!(ask(&made!({"messaging_product": "whatsapp", "to": "999501234567", "type": "text", "text": {}})).0, 400, "no plus sign");
}

#[test]
fn evolution_answers_as_the_samples_do() {
    let stage = Stage::new();
    for row in manifest("evolution", "api/").iter().filter(|row| is_answered(row["file"].as_str().unwrap())) {
        let sample = json(&path("evolution", row));
        let (fake, file) = (fake_evolution(), row["file"].as_str().unwrap());
        let state = sample["response"]["body"]["instance"]["state"].as_str();
        fake.set_state(state.unwrap_or(if file.contains("connection_closed") { "close" } else { "open" }));
        let url = sample["request"]["url"].as_str().unwrap().replace("https://evo.example", &fake.url());
        let key = if file.contains("unauthorized") { "another" } else { "EVO-SYNTHETIC-KEY" };
        let method = match sample["request"]["method"].as_str().unwrap() {
            "GET" => gatepost::HttpMethod::Get,
            "DELETE" => gatepost::HttpMethod::Delete,
            _ => gatepost::HttpMethod::Post,
        };
        let (status, body) = asked(&stage, &url, &[("apikey", key)], &sample["request"]["body"], method);
        assert_eq!(u64::from(status), sample["response"]["status"].as_u64().unwrap(), "{file}");
        let (found, expected) = (shape(&body), shape(&sample["response"]["body"]));
        let missing: Vec<_> = found.difference(&expected).filter(|name| !name.contains("Message.")).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{file} does not have these");
        assert_eq!(body["response"]["message"], sample["response"]["body"]["response"]["message"], "{file}");
    }
}

/// Those that depend on what the fake does not know.
fn is_answered(file: &str) -> bool {
    !["missing_state", "cloud_error", "closed_500", "not_on_whatsapp"].iter().any(|part| file.contains(part))
}

#[test]
fn a_message_goes_through_real_http_and_its_status_comes_back() {
    let (stage, graph) = (Stage::new(), graph());
    let cloud = stage.cloud(&graph);
    let sent = stage.send(&cloud, text("Your order is ready."));
    let received = graph.received();
    assert_eq!(received[0].body["text"]["body"], "Your order is ready.");
    assert_eq!(received[0].header("authorization"), Some("Bearer EAAJ-token"));

    let (url, told) = listen();
    let secret = Secret::from("app-secret");
    assert_eq!(graph.tell_status(hook(&url, &secret), &received[0].body, "delivered", None).unwrap(), 200);
    let (headers, body) = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(verify_signature(&body, [header(&headers, SIGNATURE_HEADER)], &[secret]), Ok(()));
    let item = one(cloud::webhook(&body));
    let Body::Status(status) = &item.body else { panic!("{item:?}") };
    assert_eq!(sent, Outcome::Sent { external_id: Some(status.external_id.clone()) });
    assert_eq!(status.message(), Some(MESSAGE));
}

#[test]
fn a_lost_answer_is_in_doubt_and_its_status_settles_it() {
    let (stage, graph) = (Stage::new(), graph());
    let cloud = stage.cloud(&graph);
    graph.misbehave(Mishap::Break);
    assert_eq!(stage.send(&cloud, text("hi")), Outcome::Unknown { class: ErrorClass::Broken });
    // It had arrived.
    let (url, told) = listen();
    graph.tell_status(hook(&url, &Secret::from("app-secret")), &graph.received()[0].body, "sent", None).unwrap();
    let item = one(cloud::webhook(&told.recv_timeout(PATIENCE).unwrap().1));
    let Body::Status(status) = &item.body else { panic!("{item:?}") };
    assert_eq!(status.message(), Some(MESSAGE));
}

#[test]
fn whatever_goes_wrong_after_the_request_left_is_in_doubt() {
    let (stage, graph) = (Stage::new(), graph());
    let cloud = stage.cloud(&graph);
    for (mishap, class) in
        [(Mishap::NotJson(502), ErrorClass::ErrorStatus), (Mishap::Nameless, ErrorClass::Broken), (Mishap::Break, ErrorClass::Broken)]
    {
        graph.misbehave(mishap);
        assert_eq!(stage.send(&cloud, text("hi")), Outcome::Unknown { class }, "{mishap:?}");
    }
    graph.misbehave(Mishap::Hang);
    let outcome = block_on(cloud.send(parcel(text("hi")), stage.deadline(Duration::from_millis(300))));
    assert_eq!(outcome, Outcome::Unknown { class: ErrorClass::Timeout });
    assert_eq!(graph.received().len(), 4, "nothing was sent twice");
}

#[test]
fn what_cannot_be_reached_was_not_sent() {
    let (stage, graph) = (Stage::new(), graph());
    let cloud = stage.cloud(&graph);
    drop(graph);
    let outcome = stage.send(&cloud, text("hi"));
    assert!(matches!(outcome, Outcome::Failed { class: ErrorClass::Unreachable | ErrorClass::Broken, .. }), "{outcome:?}");
}

#[test]
fn a_policy_that_forbids_the_place_lets_nothing_out() {
    let (stage, graph) = (Stage::new(), graph());
    let settings = Arc::new(Settings::default());
    let cloud = CloudApi::new(stage.http(), DestinationPolicy::production(), settings, stage.host.clone()).with_graph_url(graph.url());
    assert_eq!(stage.send(&cloud, text("hi")), Outcome::Blocked { class: ErrorClass::Forbidden });
    assert!(graph.received().is_empty());
}

#[test]
fn a_number_is_linked_used_and_ended() {
    let (stage, fake) = (Stage::new(), fake_evolution());
    let evolution = stage.evolution(&fake);
    let deadline = stage.deadline(PATIENCE);
    let created = block_on(evolution.create(INSTANCE, deadline)).unwrap();
    assert_eq!((created.token.expose(), created.connection), ("EVO-SYNTHETIC-KEY", Connection::Closed));
    let setup = WebhookSetup { url: "http://127.0.0.1:1/evolution".to_owned(), with_files: false };
    block_on(evolution.set_webhook(INSTANCE, &setup, deadline)).unwrap();
    assert!(matches!(block_on(evolution.connect(INSTANCE, None, deadline)), Ok(Linking::Waits { code: Some(_) })));
    assert_eq!(block_on(evolution.connection(INSTANCE, deadline)), Ok(Connection::Connecting));
    fake.set_state("open");
    assert_eq!(block_on(evolution.restart(INSTANCE, deadline)), Ok(Linking::Open));
    assert!(matches!(stage.send(&evolution, text("hi")), Outcome::Sent { external_id: Some(_) }));
    fake.set_state("close");
    assert!(matches!(stage.send(&evolution, text("hi")), Outcome::Failed { class: ErrorClass::CircuitOpen, .. }));
    block_on(evolution.log_out(INSTANCE, deadline)).unwrap();
    assert_eq!(block_on(evolution.connection(INSTANCE, deadline)), Ok(Connection::Closed));
}

#[test]
fn what_evolution_posts_verifies_and_is_read() {
    let (stage, fake, (url, told)) = (Stage::new(), fake_evolution(), listen());
    let (key, now) = (Secret::from("SYNTHETIC"), stage.host.now());
    fake.tell_text(hook(&url, &key), "999501234567", "STOP").unwrap();
    let (headers, body) = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(verify_authorization([header(&headers, "authorization")], &key, now), Ok(()));
    assert!(one(evolution::webhook(&body)).is_inbound());
    fake.tell_status(hook(&url, &key), "3EB0A1", "READ").unwrap();
    assert_eq!(one(evolution::webhook(&told.recv_timeout(PATIENCE).unwrap().1)).kind, "status.read");
}

#[test]
fn what_somebody_writes_to_the_graph_is_read() {
    let (graph, (url, told)) = (graph(), listen());
    graph.tell_text(hook(&url, &Secret::from("app-secret")), "999501234567", "STOP").unwrap();
    let item = one(cloud::webhook(&told.recv_timeout(PATIENCE).unwrap().1));
    assert!(item.is_inbound());
    let Body::Message(message) = &item.body else { panic!("{item:?}") };
    assert_eq!(message.text.as_ref().map(gatepost::Words::as_str), Some("STOP"));
}

#[test]
fn a_picture_that_somebody_sends_can_be_fetched() {
    let (stage, (url, told)) = (Stage::new(), listen());
    let picture = FakeFile::picture().bytes;
    let (graph, evolution) = (graph(), fake_evolution());
    graph.tell_picture(hook(&url, &Secret::from("app-secret")), "999501234567", "Broken part").unwrap();
    let message = message(one(cloud::webhook(&told.recv_timeout(PATIENCE).unwrap().1)));
    let Said::Media(file) = &message.said else { panic!("{message:?}") };
    let by_file = MediaRef { id: file.id.clone().unwrap(), mime_type: None };
    let fetched = block_on(stage.cloud(&graph).fetch(ACCOUNT, INSTANCE, &by_file, stage.deadline(PATIENCE)));
    assert_eq!(fetched, Ok(Media::new("image/png", picture.clone())));

    evolution.tell_picture(hook(&url, &Secret::from("SYNTHETIC")), "999501234567", "Broken part").unwrap();
    let message = message_of_evolution(&told);
    let by_message = MediaRef { id: message.id.clone(), mime_type: None };
    let fetched = block_on(stage.evolution(&evolution).fetch(ACCOUNT, INSTANCE, &by_message, stage.deadline(PATIENCE)));
    assert_eq!(fetched, Ok(Media::new("image/png", picture)));
}

fn message_of_evolution(told: &Receiver<(Heads, Vec<u8>)>) -> gatepost_whatsapp::Inbound {
    let message = message(one(evolution::webhook(&told.recv_timeout(PATIENCE).unwrap().1)));
    assert!(matches!(&message.said, Said::Media(file) if file.id.is_none()), "{message:?}");
    message
}

fn message(item: gatepost_whatsapp::Item) -> gatepost_whatsapp::Inbound {
    let Body::Message(message) = item.body else { panic!("{item:?}") };
    assert_eq!(message.text.as_ref().map(gatepost::Words::as_str), Some("Broken part"));
    message
}

#[test]
fn a_fake_posts_to_this_machine_only() {
    for url in ["http://192.0.2.1:80/", "https://127.0.0.1:1/", "http://localhost:80/", "127.0.0.1:80"] {
        assert!(post(url, &[], b"").is_err(), "{url}");
    }
}

fn hook<'a>(url: &'a str, secret: &'a Secret) -> Hook<'a> {
    Hook { url, secret, now: TestHost::START }
}

fn one(batch: Result<Batch, NotANotification>) -> gatepost_whatsapp::Item {
    let mut items = batch.unwrap().items;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

type Heads = Vec<(String, String)>;

fn header<'a>(headers: &'a Heads, name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
}

/// A receiver that answers 200 and passes on what it got.
fn listen() -> (String, Receiver<(Heads, Vec<u8>)>) {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let lines: Vec<_> = (&mut reader).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let header = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
            let headers: Heads = lines.iter().filter_map(header).collect();
            let length = headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            if sender.send((headers, body)).is_err() {
                return;
            }
        }
    });
    (url, told)
}
