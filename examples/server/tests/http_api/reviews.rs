//! Reviews: the queue of held messages, what each is about, and who answers it.

use std::time::Duration;

use axum::http::Method;
use gatepost::{Answer, Content, Host as _, MediaKind, Purpose, Request, Scope};
use serde_json::{Value, json};

use crate::scene::{ME, items};
use crate::world::{World, id_of};

impl World {
    async fn supervise_shop_by_two(&self) {
        self.done(Method::PATCH, &self.shop_path(""), Some(json!({"supervised": true, "two_person_review": true}))).await;
    }

    /// A key of the shop that answers reviews and does nothing else.
    async fn reviewer(&self) -> String {
        self.key_with([Scope::ReviewsWrite]).await
    }
}

fn review(message: &str, verb: &str) -> String {
    format!("{ME}/reviews/{message}{verb}")
}

#[tokio::test]
async fn reviews_are_found_by_state_and_by_the_rule_that_opened_them() {
    let world = World::new().await;
    world.supervise_shop().await;
    let refused = world.hold().await;
    world.pass(Duration::from_secs(1)).await;
    let open = world.hold().await;
    world.ask(Method::POST, &format!("{ME}/reviews/{refused}/refuse"), &world.shop.key, None).await;
    for (query, expected) in [
        ("state=open", vec![&open]),
        ("state=closed", vec![&refused]),
        ("rule=account_supervised", vec![&open, &refused]),
        ("rule=account_supervised&state=closed", vec![&refused]),
        ("rule=opt_out_suspected", vec![]),
    ] {
        let answer = world.get(&format!("{ME}/reviews?{query}"), &world.shop.key).await;
        let found = items(&answer);
        assert_eq!(found.iter().map(|review| &review["message_id"]).collect::<Vec<_>>(), expected, "{query}");
        assert!(found.iter().all(|review| review["opened_by"] == "account_supervised"), "{query}");
    }
}

#[tokio::test]
async fn a_review_shows_what_was_decided_and_about_what() {
    let world = World::new().await;
    world.supervise_shop().await;
    let message = world.hold().await;
    let listed = items(&world.get(&format!("{ME}/reviews"), &world.shop.key).await)[0].clone();
    let mut shown = world.get(&review(&message, ""), &world.shop.key).await.body;
    let event = items(&world.get(&format!("{ME}/policy-events"), &world.shop.key).await)[0].clone();
    assert_eq!((&shown["policy_event_seq"], &shown["decision"]), (&event["seq"], &event["decision"]));
    assert_eq!((&shown["decision"]["verdict"], &shown["decision"]["reasons"][0]["rule"]), (&json!("hold"), &json!("account_supervised")));
    let text = world.get(&format!("{ME}/messages/{message}"), &world.shop.key).await.body["text"].clone();
    assert!(text.is_string());
    assert_eq!(shown["message"], json!({"purpose": "support", "content_kind": "text", "recipient": "+999•••••••67", "text": text}));
    let more = shown.as_object_mut().unwrap();
    assert!(more.remove("decision").is_some() && more.remove("message").is_some());
    assert_eq!(shown, listed);
}

#[tokio::test]
async fn points_are_for_operators_and_the_text_for_who_may_read_messages() {
    let world = World::new().await;
    world.supervise_shop().await;
    let message = world.hold().await;
    let of_shop = world.get(&review(&message, ""), &world.reviewer().await).await.body;
    assert_eq!((of_shop["message"].get("text"), of_shop["decision"]["reasons"][0].get("points")), (None, None));
    assert_eq!(of_shop["message"]["recipient"], "+999•••••••67");
    let of_operator = world.get(&world.shop_path(&format!("/reviews/{message}")), &world.operator).await.body;
    assert!(of_operator["message"]["text"].is_string());
    assert_eq!(of_operator["decision"]["reasons"][0]["points"], 50);
}

#[tokio::test]
async fn a_reviewer_sees_all_that_a_picture_says() {
    let world = World::new().await;
    world.supervise_shop().await;
    let caption = "Your bill".parse().unwrap();
    let content = Content::Media {
        kind: MediaKind::Document,
        source: "https://files.example/bill.pdf".parse().unwrap(),
        caption: Some(caption),
        file_name: Some("bill.pdf".parse().unwrap()),
    };
    let request =
        Request { content, ..Request::text(world.shop.instance, "+999501234567".parse().unwrap(), Purpose::Support, "x".parse().unwrap()) };
    let account = world.app.gateway.account(world.shop.id);
    let Answer::Accepted(accepted) = account.submit(request).await.unwrap() else { panic!("expected a held message") };
    let message = accepted.message.to_string();
    let texts = json!([
        {"part": "body", "text": "Your bill"},
        {"part": "link", "text": "https://files.example/bill.pdf"},
        {"part": "name", "text": "bill.pdf"},
    ]);
    let shown = world.get(&review(&message, ""), &world.shop.key).await.body;
    assert_eq!((&shown["message"]["content_kind"], &shown["message"]["texts"]), (&json!("media"), &texts));
    assert_eq!(world.get(&format!("{ME}/messages/{message}"), &world.shop.key).await.body["texts"], texts);
    let hidden = world.get(&review(&message, ""), &world.reviewer().await).await.body;
    assert_eq!(hidden["message"].get("texts"), None, "who may not read messages");
}

#[tokio::test]
async fn a_policy_event_tells_who_asked_and_who_released() {
    let world = World::new().await;
    world.supervise_shop_by_two().await;
    let message = world.hold().await;
    let [one, other] = [world.reviewer().await, world.reviewer().await];
    for key in [&one, &other] {
        world.ask(Method::POST, &review(&message, "/release"), key, None).await;
    }
    let listed = world.get(&format!("{ME}/policy-events?message_id={message}"), &world.shop.key).await;
    let [released, asked] = &items(&listed)[..] else { panic!("expected two events: {}", listed.body) };
    assert!(asked["asked_by"].as_str().unwrap().starts_with("key:") && released["asked_by"] == asked["asked_by"]);
    assert_eq!([&asked["released"], &released["released"]], [&json!(false), &json!(true)]);
    assert_eq!((asked.get("released_by"), asked.get("approved_by")), (None, None));
    let shown = world.get(&review(&message, ""), &world.shop.key).await.body;
    assert_eq!([&released["approved_by"], &released["released_by"]], [&shown["approved"]["by"], &shown["closed"]["by"]]);
    assert_ne!(released["approved_by"], released["released_by"]);
}

#[tokio::test]
async fn two_keys_release_a_message_where_the_account_wants_two_people() {
    let world = World::new().await;
    world.supervise_shop_by_two().await;
    let message = world.hold().await;
    let (release, [one, other]) = (review(&message, "/release"), [world.reviewer().await, world.reviewer().await]);
    let first = world.post(&release, &one, json!({"note": "fine"})).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.body, json!({"message_id": message, "status": "held", "awaits_second_release": true}));
    world.ask(Method::POST, &release, &one, None).await.is_problem(409, "second_person_needed");

    let approved = |by: &str| json!({"at": world.host.now().to_string(), "by": format!("key:{}", id_of(by))});
    let shown = world.get(&review(&message, ""), &other).await.body;
    assert_eq!((&shown["state"], &shown["approved"]), (&json!("open"), &approved(&one)));
    let to_operator = world.get(&world.shop_path(&format!("/reviews/{message}")), &world.operator).await.body;
    assert_eq!(to_operator["approved"]["note"], "fine");

    let second = world.ask(Method::POST, &release, &other, None).await.body;
    assert_eq!((&second["awaits_second_release"], second["status"] == "held"), (&json!(false), false));
    let closed = world.get(&review(&message, ""), &other).await.body;
    assert_eq!((&closed["closed"]["verdict"], &closed["closed"]["by"]), (&json!("released"), &json!(format!("key:{}", id_of(&other)))));
}

#[tokio::test]
async fn one_key_refuses_where_the_account_wants_two_people() {
    let world = World::new().await;
    world.supervise_shop_by_two().await;
    let message = world.hold().await;
    let refused = world.ask(Method::POST, &review(&message, "/refuse"), &world.reviewer().await, None).await;
    assert_eq!(refused.body, json!({"message_id": message, "status": "refused"}));
}

#[tokio::test]
async fn an_operator_says_whether_an_account_wants_two_people() {
    let world = World::new().await;
    let path = world.shop_path("");
    assert_eq!(world.get(&path, &world.operator).await.body["two_person_review"], Value::Bool(false));
    let change = Some(json!({"two_person_review": true}));
    let changed = world.ask(Method::PATCH, &path, &world.operator, change.clone()).await.body;
    assert_eq!(changed["two_person_review"], Value::Bool(true));
    world.ask(Method::PATCH, &path, &world.shop.key, change).await.is_problem(403, "insufficient_scope");
}
