//! Hearing: what the providers of WhatsApp tell, from the signed request to what follows for the account.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use gatepost::{Host, Secret};
use gatepost_whatsapp::cloud::{SIGNATURE_HEADER, sign};
use gatepost_whatsapp::evolution::authorization;
use gatepost_whatsapp::fake::{FakeFile, Mishap};
use serde_json::{Value, json};

use crate::providers::{APP_SECRET, Stage};
use crate::receiver::Receiver;
use crate::scene::{ME, text};
use crate::world::Answer;

const ALICE: &str = "999501234567";
const JWT_KEY: &str = "0f5e-a-key-of-ours-for-evolution-api";
/// How often to look for what the worker does meanwhile: far more often than it takes.
const LOOKS_MAX: usize = 1_000_000;

impl Stage {
    async fn post(&self, path: &str, header: Option<(&str, &str)>, body: impl Into<Body>) -> u16 {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        self.world.exchange(request.body(body.into()).unwrap()).await.status.as_u16()
    }

    /// Meta tells something of the field `messages`.
    async fn meta_tells(&self, instance: &Value, lists: &Value) -> u16 {
        // What is told later is newer.
        self.world.host.advance(Duration::from_millis(1));
        let mut value = json!({"metadata": {"phone_number_id": "8007"}});
        value.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
        let body = json!({"object": "whatsapp_business_account",
                          "entry": [{"id": "9001", "changes": [{"field": "messages", "value": value}]}]});
        let (body, path) = (body.to_string(), format!("/providers/whatsapp/{}", text(instance, "id")));
        self.post(&path, Some((SIGNATURE_HEADER, &sign(body.as_bytes(), &Secret::from(APP_SECRET)))), body).await
    }

    /// Alice sends a picture to a number of Meta's, who keeps it.
    pub(crate) async fn meta_sends_a_picture(&self, instance: &Value, caption: &str) {
        let (at, file) = (self.world.host.now().as_millis() / 1_000, FakeFile::picture());
        let image = json!({"id": "4120532427830001", "mime_type": file.mime_type, "caption": caption});
        self.graph.keep("4120532427830001", file);
        let message = json!({"from": ALICE, "id": "wamid.picture", "timestamp": at.to_string(), "type": "image", "image": image});
        assert_eq!(self.meta_tells(instance, &json!({"messages": [message]})).await, 200);
    }

    /// Alice writes to a number of Meta's.
    async fn alice_writes(&self, instance: &Value, id: &str, text: &str) {
        let at = self.world.host.now().as_millis() / 1_000;
        let message = json!({"from": ALICE, "id": id, "timestamp": at.to_string(), "type": "text", "text": {"body": text}});
        assert_eq!(self.meta_tells(instance, &json!({"messages": [message]})).await, 200);
    }

    /// Reads this until it is as expected: the worker heeds on its own.
    async fn read_until(&self, path: &str, expected: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..LOOKS_MAX {
            let answer: Answer = self.world.get(path, &self.world.shop.key).await;
            if expected(&answer.body) {
                return answer.body;
            }
            tokio::task::yield_now().await;
        }
        panic!("{path} is not as expected: {}", self.world.get(path, &self.world.shop.key).await.body);
    }

    async fn inbound(&self, count: usize) -> Vec<Value> {
        let is_heeded = |list: &Value| {
            let items = list["items"].as_array().unwrap();
            items.len() == count && items.iter().all(|item| item["waits"] == json!(false))
        };
        self.read_until(&format!("{ME}/inbound"), is_heeded).await["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn who_writes_stop_gets_nothing_more_but_one_confirmation() {
    let stage = Stage::new().await;
    let cloud = stage.cloud().await;
    stage.alice_writes(&cloud, "wamid.1", "Is my table ready?").await;
    assert_eq!(stage.inbound(1).await[0]["message"]["message_text"], "Is my table ready?");
    assert_eq!(stage.send("cloud").await.body["status"], "sent", "the conversation is open");

    stage.alice_writes(&cloud, "wamid.2", "STOP").await;
    let suppressions = stage.read_until(&format!("{ME}/suppressions"), |list| list["items"][0]["cause"] == json!("keyword")).await;
    assert_eq!((&suppressions["items"][0]["by"], &suppressions["items"][0]["phone"]), (&json!("recipient"), &json!("+999501234567")));
    stage.send("cloud").await.is_contract_error(403, "recipient_suppressed");
    let is_confirmed = |list: &Value| list["items"].as_array().unwrap().iter().filter(|message| message["status"] == "sent").count() == 2;
    stage.read_until(&format!("{ME}/messages"), is_confirmed).await;
    let confirmation = stage.sent_by_cloud().pop().unwrap();
    assert!(confirmation.body["text"]["body"].as_str().unwrap().contains("START"), "{}", confirmation.body);

    // A second one changes nothing, and neither does the same one told again.
    stage.alice_writes(&cloud, "wamid.2", "STOP").await;
    stage.alice_writes(&cloud, "wamid.3", "Stop!").await;
    assert_eq!(stage.inbound(3).await[0]["message"]["intent"], "opt_out");
    assert_eq!(stage.sent_by_cloud().len(), 2);

    stage.alice_writes(&cloud, "wamid.4", "START").await;
    stage.read_until(&format!("{ME}/suppressions?in_force=true"), |list| *list == json!({"items": []})).await;
    assert_eq!(stage.send("cloud").await.body["status"], "sent");
}

#[tokio::test]
async fn endpoints_are_told_what_contacts_write() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.world.add_endpoint(&receiver, &["message.received", "recipient.*"]).await;
    let cloud = stage.cloud().await;
    stage.alice_writes(&cloud, "wamid.1", "stop please").await;
    let told = stage.read_until(&format!("{ME}/deliveries?status=sent"), |list| list["items"].as_array().unwrap().len() == 2).await;
    let mut events = Vec::new();
    for delivery in told["items"].as_array().unwrap() {
        let event = stage.world.read(&format!("{ME}/events/{}", text(delivery, "event_id"))).await;
        events.push(event);
    }
    events.sort_by_key(|event| event["event"].as_str().unwrap_or_default().to_owned());
    assert_eq!(
        (&events[0]["event"], &events[0]["from"], &events[0]["message_text"]),
        (&json!("message.received"), &json!("+999501234567"), &json!("stop please"))
    );
    assert_eq!((&events[0]["message_type"], &events[0]["external_message_id"]), (&json!("text"), &json!("wamid.1")));
    assert_eq!(
        (&events[1]["event"], &events[1]["phone"], &events[1]["source"]),
        (&json!("recipient.opted_out"), &json!("+999501234567"), &json!("keyword"))
    );
    assert_eq!(events[1]["matched_text"], "stop please");
}

#[tokio::test]
async fn endpoints_are_told_what_contacts_react_to() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.world.add_endpoint(&receiver, &["message.received"]).await;
    let cloud = stage.cloud().await;
    stage.alice_writes(&cloud, "wamid.1", "Is my table ready?").await;
    stage.inbound(1).await;
    let ours = stage.send("cloud").await.body;
    let ours = stage.world.read(&format!("{ME}/messages/{}", text(&ours, "message_id"))).await;
    let at = (stage.world.host.now().as_millis() / 1_000).to_string();
    let reaction = json!({"message_id": ours["external_id"], "emoji": "👍"});
    let message = json!({"from": ALICE, "id": "wamid.2", "timestamp": at, "type": "reaction", "reaction": reaction});
    let profile = json!({"wa_id": ALICE, "profile": {"name": "Alice"}});
    assert_eq!(stage.meta_tells(&cloud, &json!({"contacts": [profile], "messages": [message]})).await, 200);
    let inbound = stage.inbound(2).await.swap_remove(0);
    assert_eq!((&inbound["message"]["reaction"], &inbound["message"]["sender_name"]), (&json!({"emoji": "👍"}), &json!("Alice")));
    let told = stage.read_until(&format!("{ME}/deliveries?status=sent"), |list| list["items"].as_array().unwrap().len() == 2).await;
    let event = stage.world.read(&format!("{ME}/events/{}", text(&told["items"][0], "event_id"))).await;
    assert_eq!((&event["inbound_id"], &event["sender_name"]), (&inbound["id"], &json!("Alice")));
    assert_eq!((&event["reaction"], &event["reply_to_message_id"]), (&json!({"emoji": "👍"}), &ours["id"]));
    assert!(event["reply_to_text"].is_string(), "{event}");
}

#[tokio::test]
async fn a_status_closes_the_doubt_about_a_message_and_nothing_is_sent_again() {
    let stage = Stage::new().await;
    let cloud = stage.cloud().await;
    stage.graph.misbehave(Mishap::Break);
    let message = stage.send_template("cloud").await;
    assert_eq!(message["status"], "unknown", "Meta took it, and the answer was lost");
    let ours = stage.sent_by_cloud()[0].body["biz_opaque_callback_data"].clone();
    let status = |word: &str| json!({"statuses": [{"id": "wamid.77", "status": word, "timestamp": "1795500000", "recipient_id": ALICE, "biz_opaque_callback_data": ours}]});
    assert_eq!(stage.meta_tells(&cloud, &status("delivered")).await, 200);
    let path = format!("{ME}/messages/{}", text(&message, "id"));
    let read = stage.read_until(&path, |message| message["status"] == json!("delivered")).await;
    assert_eq!(read["external_id"], "wamid.77");
    // What is late changes nothing, and what is further does.
    assert_eq!(stage.meta_tells(&cloud, &status("sent")).await, 200);
    assert_eq!(stage.meta_tells(&cloud, &status("read")).await, 200);
    stage.read_until(&path, |message| message["status"] == json!("read")).await;
    stage.world.pass(Duration::from_secs(3 * 24 * 3_600)).await;
    assert_eq!(stage.sent_by_cloud().len(), 1);
}

#[tokio::test]
async fn what_nobody_signed_is_refused_and_leaves_nothing() {
    let stage = Stage::new().await;
    let cloud = stage.cloud().await;
    let path = format!("/providers/whatsapp/{}", text(&cloud, "id"));
    let body = r#"{"object":"whatsapp_business_account","entry":[]}"#;
    let forged = sign(body.as_bytes(), &Secret::from("another-secret"));
    assert_eq!(stage.post(&path, None, body).await, 403);
    assert_eq!(stage.post(&path, Some((SIGNATURE_HEADER, &forged)), body).await, 403);
    assert_eq!(stage.post("/providers/whatsapp/inst_00000000000000000000000001", Some((SIGNATURE_HEADER, &forged)), body).await, 403);
    assert_eq!(stage.post("/providers/whatsapp/nobody", None, body).await, 403);
    let genuine = |body: &str| sign(body.as_bytes(), &Secret::from(APP_SECRET));
    assert_eq!(stage.post(&path, Some((SIGNATURE_HEADER, &genuine("STOP"))), "STOP").await, 400);
    assert_eq!(stage.post(&path, Some((SIGNATURE_HEADER, &genuine(body))), vec![b' '; 4 * 1024 * 1024 + 1]).await, 413);
    assert_eq!(stage.world.read(&format!("{ME}/inbound")).await, json!({"items": []}));
    let notifications = stage.world.done(Method::GET, &stage.world.shop_path("/notifications"), None).await;
    assert_eq!(notifications, json!({"items": []}));
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_for_a_person_and_spoils_nothing() {
    let stage = Stage::new().await;
    let cloud = stage.cloud().await;
    let nameless = json!({"from": ALICE, "type": "text", "text": {"body": "who am I?"}});
    let fine = json!({"from": ALICE, "id": "wamid.1", "timestamp": "1795500000", "type": "text", "text": {"body": "hello"}});
    assert_eq!(stage.meta_tells(&cloud, &json!({"messages": [nameless, fine]})).await, 200);
    let inbound = stage.inbound(2).await;
    let classes: Vec<_> = inbound.iter().map(|item| item["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["message", "quarantined"], "newest first");
    let notifications = stage.world.done(Method::GET, &stage.world.shop_path("/notifications"), None).await;
    let notification = &notifications["items"][0];
    assert_eq!((&notification["new"], &notification["quarantined"]), (&json!(2), &json!(1)));
    let read = stage.world.done(Method::GET, &stage.world.shop_path(&format!("/notifications/{}", text(notification, "id"))), None).await;
    assert!(read["body"].as_str().unwrap().contains("who am I?"));
}

#[tokio::test]
async fn what_is_about_a_number_that_this_host_cannot_read_is_told_again() {
    let stage = Stage::new().await;
    let cloud = stage.cloud().await;
    let message = json!({"from": ALICE, "id": "wamid.1", "timestamp": "1795500000", "type": "text", "text": {"body": "STOP"}});
    let change = |number: &str| {
        let value = json!({"metadata": {"phone_number_id": number}, "messages": [&message]});
        json!({"id": "9001", "changes": [{"field": "messages", "value": value}]})
    };
    let path = format!("/providers/whatsapp/{}", text(&cloud, "id"));
    let tell = async |numbers: &[&str]| {
        let entries: Vec<_> = numbers.iter().map(|number| change(number)).collect();
        let body = json!({"object": "whatsapp_business_account", "entry": entries}).to_string();
        stage.post(&path, Some((SIGNATURE_HEADER, &sign(body.as_bytes(), &Secret::from(APP_SECRET)))), body).await
    };
    let store = stage.world.app.gateway.account(stage.world.shop.id).store().clone();
    let (host, now) = (&*stage.world.host, stage.world.host.now());
    let of_another_root = gatepost::Sealed::from_bytes(&[1; 64]).ok();
    let id = gatepost::InstanceId::new(now, host);
    let sibling = gatepost::Instance::new(id, "sibling".parse().unwrap(), gatepost::Provider::CloudApi, now);
    store.add_instance(gatepost::Instance { credentials: of_another_root, ..sibling }).await.unwrap();
    assert_eq!(tell(&["8008"]).await, 503);
    assert_eq!(stage.world.read(&format!("{ME}/inbound")).await, json!({"items": []}));
    assert_eq!(tell(&["8008", "8007"]).await, 503);
    assert_eq!(stage.inbound(1).await.len(), 1, "what is about a number that is known here is kept");
    assert_eq!(tell(&["8007"]).await, 200);
}

#[tokio::test]
async fn a_doubtful_wish_waits_for_a_person() {
    let stage = Stage::new().await;
    let cloud = stage.cloud().await;
    stage.alice_writes(&cloud, "wamid.1", "wrong number").await;
    let suspicions = stage.read_until(&format!("{ME}/suspicions"), |list| list["items"].as_array().unwrap().len() == 1).await;
    let suspicion = &suspicions["items"][0];
    assert_eq!(suspicion["from"], "+999501234567");
    assert_eq!(stage.send("cloud").await.body["status"], "held");
    assert_eq!(stage.world.read(&format!("{ME}/suppressions")).await, json!({"items": []}));
    let answer = format!("{ME}/suspicions/{}/answer", text(suspicion, "contact_id"));
    let asked = |inbound: &Value, opted_out: bool| json!({"inbound_id": inbound, "opted_out": opted_out});
    let other = json!("inb_01kanqh5s0e8t9v2xw3yz4abcd");
    stage.world.post(&answer, &stage.world.shop.key, asked(&other, false)).await.is_problem(409, "newer_reply");
    stage.world.did(Method::POST, &answer, Some(asked(&suspicion["inbound_id"], true))).await;
    let suppressions = stage.world.read(&format!("{ME}/suppressions")).await;
    assert_eq!(suppressions["items"][0]["cause"], "natural_language");
    stage.world.post(&answer, &stage.world.shop.key, asked(&suspicion["inbound_id"], false)).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn evolution_api_tells_with_a_token_of_its_own() {
    let stage = Stage::new().await;
    let evolution = stage.evolution().await;
    let path = format!("/providers/evolution/{}", text(&evolution, "id"));
    let now = stage.world.host.now();
    let key = json!({"remoteJid": format!("{ALICE}@s.whatsapp.net"), "fromMe": false, "id": "3EB0"});
    let body = json!({"event": "messages.upsert", "instance": "front-desk", "data": {"key": key, "message": {"conversation": "hello"},
                      "messageType": "conversation", "messageTimestamp": now.as_millis() / 1_000}})
    .to_string();
    assert_eq!(stage.post(&path, None, body.clone()).await, 403);
    let forged = authorization(&Secret::from("another-key"), now);
    assert_eq!(stage.post(&path, Some(("authorization", &forged)), body.clone()).await, 403);
    let given = json!({"evolution": {"jwt_key": JWT_KEY}});
    stage.world.did(Method::PATCH, &format!("{ME}/instances/{}", text(&evolution, "id")), Some(given)).await;
    let genuine = authorization(&Secret::from(JWT_KEY), now);
    assert_eq!(stage.post(&path, Some(("authorization", &genuine)), body).await, 200);
    assert_eq!(stage.inbound(1).await[0]["message"]["message_text"], "hello");
}
