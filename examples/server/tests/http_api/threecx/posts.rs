//! Posts: what a phone system is told, how it is kept in order, and the files that came along.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use gatepost::{DeliveryId, DeliveryStatus, FileLink, InboundFilter, NewIntegration, Page, PhoneLine, SaidDetail, SaidFile, Words};
use gatepost_whatsapp::fake::FakeFile;
use serde_json::{Value, json};

use super::{ALICE, NUMBER, Office, everything_on, integrations};
use crate::providers::Stage;
use crate::receiver::Receiver;

/// An office whose phone system takes what it is posted.
async fn with_receiver() -> (Office, Receiver) {
    let (office, receiver) = (Office::new().await, Receiver::start().await);
    office.post_to(&receiver.url()).await;
    (office, receiver)
}

impl Office {
    /// The first thing that was posted, once it is written down that it was taken.
    async fn taken(&self) -> DeliveryId {
        for _ in 0..super::LOOKS_MAX {
            let entry = self.log().await.swap_remove(0);
            if entry.delivery_status == Some(DeliveryStatus::Sent) {
                return entry.delivery.unwrap();
            }
            tokio::task::yield_now().await;
        }
        panic!("what was posted is not taken");
    }
}

async fn posted(receiver: &mut Receiver) -> Value {
    serde_json::from_slice(&receiver.next().await.bytes).unwrap()
}

#[tokio::test]
async fn what_a_customer_writes_is_posted_in_the_words_of_3cx() {
    let (office, mut receiver) = with_receiver().await;
    office.alice_writes("Is anyone there?").await;
    let got = receiver.next().await;
    let body: Value = serde_json::from_slice(&got.bytes).unwrap();
    let payload = &body["data"]["payload"];
    assert_eq!((&body["data"]["event_type"], &body["data"]["record_type"]), (&json!("message.received"), &json!("event")));
    assert_eq!((&payload["from"]["phone_number"], &payload["to"][0]["phone_number"]), (&json!(ALICE), &json!(NUMBER)));
    assert_eq!((&payload["text"], &payload["type"], &payload["direction"]), (&json!("Is anyone there?"), &json!("SMS"), &json!("inbound")));
    assert!(got.headers.get("webhook-signature").is_none(), "3CX knows of no signatures");
}

#[tokio::test]
async fn what_is_no_text_is_put_into_words() {
    let (office, mut receiver) = with_receiver().await;
    let place = SaidDetail::Location {
        latitude_e6: 38_897_700,
        longitude_e6: -77_036_500,
        name: Some(Words::new("Example Coffee".to_owned())),
        address: None,
    };
    office.writes(ALICE, "", |said| (said.form, said.text, said.detail) = ("location".to_owned(), None, Some(place))).await;
    let body = posted(&mut receiver).await;
    assert_eq!(body["data"]["payload"]["text"], "Location: Example Coffee https://maps.google.com/?q=38.8977,-77.0365");
}

#[tokio::test]
async fn a_message_that_fails_is_repeated_and_the_conversation_waits_for_it() {
    let (office, mut receiver) = with_receiver().await;
    receiver.answer_next(503, &[], "restarting");
    office.alice_writes("1").await;
    office.alice_writes("2").await;
    let first = posted(&mut receiver).await;
    office.writes("+999501234568", "3", |_| ()).await;
    assert_eq!(posted(&mut receiver).await["data"]["payload"]["text"], "3", "another conversation goes on");
    office.world.pass(Duration::from_secs(6)).await;
    let again = posted(&mut receiver).await;
    assert_eq!((&again["data"]["id"], &again["data"]["payload"]["text"]), (&first["data"]["id"], &json!("1")));
    assert_eq!(posted(&mut receiver).await["data"]["payload"]["text"], "2");
}

#[tokio::test]
async fn an_agent_is_told_how_far_the_message_got() {
    let (office, mut receiver) = with_receiver().await;
    office.alice_writes("hi").await;
    posted(&mut receiver).await;
    let authorization = format!("Bearer {}", office.secrets.trunk.expose());
    let body = json!({"from": NUMBER, "to": ALICE, "text": "Hello"}).to_string();
    let path = format!("/3cx/{}/sms", office.integration.id);
    let answer = office.call(Method::POST, &path, &[("authorization", &authorization)], &body).await;
    let receipt = posted(&mut receiver).await;
    assert_eq!(receipt["data"]["payload"]["id"], answer.body["data"]["payload"]["id"]);
    assert_eq!((&receipt["data"]["event_type"], &receipt["data"]["payload"]["to"][0]["status"]), (&json!("message.sent"), &json!("sent")));
    let directions: Vec<_> = office.log().await.iter().map(|entry| (entry.kind.clone(), entry.direction.as_str())).collect();
    let expected = [("message.received", "out"), ("sms", "in"), ("message.sent", "out")];
    assert_eq!(directions, expected.map(|(kind, direction)| (kind.to_owned(), direction)));
}

#[tokio::test]
async fn nothing_is_posted_while_the_integration_is_off() {
    let (office, mut receiver) = with_receiver().await;
    let change = gatepost::IntegrationChange { enabled: Some(false), ..Default::default() };
    let off = office.integrations().change(office.integration.id, change).await.unwrap();
    let posts = everything_on().posts();
    office.integrations().tell(&off, posts, gatepost::Actor::App).await.unwrap();
    office.alice_writes("1").await;
    let change = gatepost::IntegrationChange { enabled: Some(true), ..Default::default() };
    let on = office.integrations().change(office.integration.id, change).await.unwrap();
    office.integrations().tell(&on, posts, gatepost::Actor::App).await.unwrap();
    office.alice_writes("2").await;
    assert_eq!(posted(&mut receiver).await["data"]["payload"]["text"], "2");
}

#[tokio::test]
async fn the_url_of_a_phone_system_is_nowhere_to_be_seen() {
    let (office, _receiver) = with_receiver().await;
    let store = office.world.app.gateway.store().account(office.world.shop.id);
    let endpoints = store.endpoints().await.unwrap();
    let shown = format!("{endpoints:?}{}", endpoints[0].url.as_str());
    assert!(endpoints[0].url.as_str().starts_with("http://127.0.0.1:") && !shown.contains("tenant-4711"), "{shown}");
    let path = office.world.shop_path("/endpoints");
    assert_eq!(office.world.get(&path, &office.world.operator).await.body["items"], json!([]), "it is listed as its integration");
    let one = office.world.shop_path(&format!("/endpoints/{}", endpoints[0].id));
    office.world.get(&one, &office.world.operator).await.is_problem(404, "not_found");
    office.world.get(&one, &office.world.shop.key).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_link_of_nobody_and_one_that_is_over_open_nothing() {
    let office = Office::new().await;
    office.writes(ALICE, "", |said| said.file = Some(SaidFile { id: Some("77".to_owned()), mime_type: None })).await;
    let store = office.world.app.gateway.store().account(office.world.shop.id);
    let inbound = store.inbound(InboundFilter::default(), Page::first(1)).await.unwrap()[0].id;
    let now = office.world.app.gateway.host().now();
    let link = |expires_at| office.world.app.keyring.link(&FileLink { account: office.world.shop.id, inbound, expires_at });
    for link in ["0".repeat(152), link(now), "x".to_owned()] {
        let answer = office.call(Method::GET, &gatepost_server::http::file_path(&link), &[], "").await;
        assert_eq!(answer.status.as_u16(), 404, "{link}");
    }
    let sandbox = office.call(Method::GET, &gatepost_server::http::file_path(&link(now.plus(Duration::from_secs(1)))), &[], "").await;
    assert_eq!(sandbox.status.as_u16(), 404, "the sandbox has no files");
}

/// From the picture that somebody sends at Meta to its bytes in the hands of the phone system.
#[tokio::test]
async fn a_picture_is_posted_as_a_link_that_opens_for_a_while() {
    let stage = Stage::new().await;
    let cloud = stage.cloud().await;
    let mut receiver = Receiver::start().await;
    let integrations = integrations(&stage.world);
    let instance = crate::scene::text(&cloud, "id").parse().unwrap();
    let new = NewIntegration { name: "desk".parse().unwrap(), enabled: true, instance, settings: everything_on().kept().unwrap() };
    let added = integrations.add(new).await.unwrap();
    let line = PhoneLine { url: receiver.url().into(), number: NUMBER.parse().unwrap() };
    integrations.set_line(added.integration.id, Some(line), everything_on().posts(), gatepost::Actor::App).await.unwrap();

    stage.meta_sends_a_picture(&cloud, "Broken part").await;
    let payload = posted(&mut receiver).await["data"]["payload"].clone();
    assert_eq!((&payload["type"], &payload["text"]), (&json!("MMS"), &json!("Broken part")));
    assert_eq!(payload["media"][0]["content_type"], "image/png");
    let url = payload["media"][0]["url"].as_str().unwrap();
    let path = url.strip_prefix("https://gateway.example.com").unwrap();
    let fetched = stage.world.exchange(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!((fetched.status.as_u16(), fetched.header("content-type")), (200, "image/png"));
    assert_eq!(&fetched.bytes[..], FakeFile::picture().bytes);
    assert_eq!((fetched.header("x-content-type-options"), fetched.header("content-disposition")), ("nosniff", "attachment"));
    stage.world.host.advance(Duration::from_secs(3_600));
    let over = stage.world.exchange(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(over.status.as_u16(), 404);
}

#[tokio::test]
async fn each_conversation_of_a_hundred_is_posted_in_its_order() {
    let (office, mut receiver) = with_receiver().await;
    let (people, letters) = (20_usize, 5_usize);
    for letter in 0..letters {
        for person in 0..people {
            office.writes(&format!("+9995012340{person:02}"), &letter.to_string(), |_| ()).await;
        }
    }
    let mut seen = std::collections::BTreeMap::<String, Vec<String>>::new();
    for _ in 0..people * letters {
        let body = posted(&mut receiver).await;
        let payload = &body["data"]["payload"];
        let from = payload["from"]["phone_number"].as_str().unwrap().to_owned();
        seen.entry(from).or_default().push(payload["text"].as_str().unwrap().to_owned());
    }
    let in_order: Vec<String> = (0..letters).map(|letter| letter.to_string()).collect();
    assert!(seen.len() == people && seen.values().all(|texts| *texts == in_order), "{seen:?}");
}

#[tokio::test]
async fn what_was_posted_is_seen_and_sent_again_like_every_delivery() {
    let (office, mut receiver) = with_receiver().await;
    receiver.answer_next(422, &[], "");
    office.alice_writes("1").await;
    let first = posted(&mut receiver).await;
    office.alice_writes("2").await;
    assert_eq!(posted(&mut receiver).await["data"]["payload"]["text"], "2", "what cannot be taken holds up nothing");
    let delivery = office.log().await[0].delivery.unwrap();
    let path = office.world.shop_path(&format!("/deliveries/{delivery}"));
    let shown = office.world.get(&path, &office.world.shop.key).await;
    assert_eq!((shown.status.as_u16(), &shown.body["status"], &shown.body["error"]), (200, &json!("failed"), &json!("refused")));
    let again = office.world.post(&format!("{path}/replay"), &office.world.shop.key, json!({})).await;
    assert_eq!(again.status.as_u16(), 201, "{}", again.body);
    assert_eq!(posted(&mut receiver).await["data"]["id"], first["data"]["id"]);
}

#[tokio::test]
async fn history_is_not_posted_to_another_url_of_the_same_host_unasked() {
    let (office, mut receiver) = with_receiver().await;
    office.alice_writes("1").await;
    posted(&mut receiver).await;
    let delivery = office.taken().await;
    let path = office.world.shop_path(&format!("/deliveries/{delivery}/replay"));
    office.world.host.advance(Duration::from_secs(1));
    office.post_to(&receiver.url().replace("tenant-4711", "tenant-4712")).await;
    office.world.post(&path, &office.world.shop.key, json!({})).await.is_problem(409, "url_changed");
}
