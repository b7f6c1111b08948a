//! Endpoints: the whole life of one, with a real receiver.

use std::time::Duration;

use axum::http::Method;
use gatepost::{DestinationPolicy, Host, Scope, Scopes};
use gatepost_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::scene::{ME, delivery, endpoint, items, text};
use crate::world::{Terms, World, id_of};

#[tokio::test]
async fn a_new_endpoint_passes_its_challenge_and_gets_events() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let asked = json!({"url": receiver.url(), "events": ["message.sent"], "name": "shop backend"});
    let made = world.post(&format!("{ME}/endpoints"), &world.shop.key, asked).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((text(&made.body, "state"), &made.body["challenge"]), ("enabled", &json!({"passed": true})));
    assert_eq!(made.header("location"), world.shop_path(&format!("/endpoints/{}", text(&made.body, "id"))));
    assert_eq!(made.header("cache-control"), "no-store");

    let challenge = receiver.challenge().await;
    let secret = text(&made.body, "secret");
    challenge.verify(secret, world.host.now()).unwrap();
    assert_eq!(challenge.json()["event"], "endpoint.challenge");

    world.send(|_| ()).await;
    let sent = receiver.next().await;
    assert_eq!((sent.header("x-whatsapp-gateway-event"), &sent.json()["event"]), ("message.sent", &json!("message.sent")));
    assert_eq!(sent.path, "/hooks/tenant-4711?token=t0ken-in-url");
    receiver.got_nothing();
}

#[tokio::test]
async fn a_secret_is_shown_once_and_a_headers_value_never() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let headers = json!({"Authorization": "Bearer h3ader-value", "x-tenant": "4711"});
    let made = world.add_endpoint_with(json!({"url": receiver.url(), "events": ["message.sent"], "headers": headers})).await;
    assert!(text(&made, "secret").starts_with("whsec_"), "{made}");
    assert_eq!(made["header_names"], json!(["authorization", "x-tenant"]));
    assert_eq!(receiver.challenge().await.header("authorization"), "Bearer h3ader-value");

    world.send(|_| ()).await;
    assert_eq!(receiver.next().await.header("x-tenant"), "4711");
    for path in [endpoint(&made, ""), format!("{ME}/endpoints"), format!("{ME}/deliveries")] {
        for key in [&world.shop.key, &world.operator] {
            let seen = world.get(&path.replace("/me/", &format!("/{}/", world.shop.id)), key).await;
            assert_eq!(seen.status, 200);
            let seen = seen.body.to_string();
            assert!(!seen.contains("whsec_") && !seen.contains("h3ader-value"), "{seen}");
        }
    }
    world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"headers": {"x-other": "7"}}))).await;
    world.send(|_| ()).await;
    let changed = receiver.next().await;
    assert_eq!((changed.header("x-tenant"), changed.header("x-other")), ("", "7"));
    let none = world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"headers": {}}))).await;
    assert_eq!(none["header_names"], json!([]));
}

#[tokio::test]
async fn events_are_held_until_the_receiver_passes_its_challenge() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    receiver.pass_challenges(false);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    let why = json!({"passed": false, "reason": "the receiver did not answer with the challenge"});
    assert_eq!((text(&made, "state"), &made["challenge"]), ("unverified", &why));

    world.send(|_| ()).await;
    let waiting = world.deliveries("?status=queued").await;
    assert_eq!((&waiting[0]["status"], &waiting[0]["held"]), (&json!("queued"), &json!("unverified")));
    assert_eq!(world.act(&endpoint(&made, "/verify")).await["challenge"], why);
    receiver.got_nothing();

    receiver.pass_challenges(true);
    let verified = world.act(&endpoint(&made, "/verify")).await;
    assert_eq!((text(&verified, "state"), &verified["verified_at"]), ("enabled", &json!(world.host.now().to_string())));
    assert_eq!(receiver.next().await.header("webhook-id"), text(&waiting[0], "event_id"));
    assert_eq!(world.ended(&waiting[0]).await["status"], "sent");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_leaves_the_endpoint_unverified() {
    let world = World::new().await;
    let gone = Receiver::start().await.url();
    let made = world.add_endpoint_with(json!({"url": gone, "events": ["*"]})).await;
    assert_eq!(text(&made, "state"), "unverified");
    assert_eq!(made["challenge"]["reason"], "the receiver cannot be reached");
}

#[tokio::test]
async fn the_contracts_shape_of_the_setting_is_taken() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let events = json!(["message.received", "recipient.opted_out", "message.status_updated"]);
    let made = world.add_endpoint_with(json!({"destination_url": receiver.url(), "events": events})).await;
    assert_eq!((text(&made, "url"), text(&made, "name"), &made["events"]), (&*receiver.url(), "127.0.0.1", &events));
    assert_eq!((&made["in_flight_max"], made.get("rate"), made.get("instance_id")), (&json!(8), None, None));
}

#[tokio::test]
async fn a_url_that_is_not_allowed_is_refused_with_its_class_and_no_address() {
    let world = World::new().await;
    let strict = World::with(Terms { settings: HttpSettings::default(), ..Terms::default() }).await;
    for (world, field, url, reason) in [
        (&world, "url", "https://10.1.2.3/hook", "ipv4-private"),
        (&world, "destination_url", "https://169.254.169.254/latest", "metadata-ip"),
        (&world, "url", "https://user:word@hooks.example.com/", "userinfo"),
        (&world, "url", "ftp://hooks.example.com/", "scheme-other"),
        (&world, "url", "https://intranet/", "name-single-label"),
        (&strict, "url", "http://hooks.example.com/", "scheme-http"),
        (&strict, "url", "https://hooks.example.com:8080/", "port"),
        (&strict, "url", "https://127.0.0.1/", "ipv4-loopback"),
        (&strict, "destination_url", "https://localhost/", "name-localhost"),
    ] {
        let answer = world.post(&format!("{ME}/endpoints"), &world.shop.key, json!({field: url, "events": ["*"]})).await;
        answer.is_problem_of(field);
        assert_eq!(answer.body["errors"][0]["reason"], reason, "{}", answer.body);
        let told = answer.body.to_string();
        assert!(!told.contains("10.1.2.3") && !told.contains("169.254") && !told.contains("word"), "{told}");
    }
    assert_eq!(items(&world.get(&format!("{ME}/endpoints"), &world.shop.key).await).len(), 0);
}

#[tokio::test]
async fn what_an_endpoint_cannot_be_names_the_field() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let url = receiver.url();
    let made = world.add_endpoint(&receiver, &["*"]).await;
    let of = |field: &str, value: Value| {
        let mut body = json!({"url": url, "events": ["*"]});
        body[field] = value;
        body
    };
    for (body, field) in [
        (json!({"events": ["*"]}), "url"),
        (json!({"url": url}), "events"),
        (of("destination_url", json!("https://hooks.example.com/")), "destination_url"),
        (of("events", json!([])), "events"),
        (of("events", json!(["message.snet"])), "events"),
        (of("events", json!("*")), "events"),
        (of("name", json!("")), "name"),
        (of("instance_id", json!("nowhere")), "instance_id"),
        (of("instance_id", json!(world.other.instance.to_string())), "instance_id"),
        (of("headers", json!({"Host": "x"})), "headers"),
        (of("headers", json!({"webhook-id": "x"})), "headers"),
        (of("headers", json!({"x-key": "a\nb"})), "headers"),
        (of("headers", json!({"x-key": "a", "X-Key": "b"})), "headers"),
        (of("headers", json!(["x-key"])), "headers"),
        (of("in_flight_max", json!(0)), "in_flight_max"),
        (of("in_flight_max", json!(257)), "in_flight_max"),
        (of("rate", json!({"count": 0, "period_seconds": 1, "burst": 1})), "rate.count"),
        (of("secret", json!("whsec_mine")), "secret"),
    ] {
        world.post(&format!("{ME}/endpoints"), &world.shop.key, body).await.is_problem_of(field);
    }
    for (body, field) in [
        (json!({"url": ""}), "url"),
        (json!({"events": []}), "events"),
        (json!({"in_flight_max": 0}), "in_flight_max"),
        (json!({"instance_id": "nowhere"}), "instance_id"),
        (json!({"verify": true}), "verify"),
        (json!({"state": "enabled"}), "state"),
    ] {
        world.ask(Method::PATCH, &endpoint(&made, ""), &world.shop.key, Some(body)).await.is_problem_of(field);
    }
    for (path, body, field) in [
        ("/secret/rotate", json!({"overlap_seconds": 604_801}), "overlap_seconds"),
        ("/pause", json!({"note": "x".repeat(501)}), "note"),
        ("/disable", json!({"reason": "x"}), "reason"),
        ("/recoveries", json!({}), "since"),
        ("/recoveries", json!({"since": "2999-01-01T00:00:00Z"}), "since"),
        ("/recoveries", json!({"since": "2026-01-01T00:00:00Z", "to_changed_url": true}), "reason"),
    ] {
        world.post(&endpoint(&made, path), &world.shop.key, body).await.is_problem_of(field);
    }
    let key = world.ask(Method::PUT, &endpoint(&made, "/signing-key"), &world.shop.key, Some(json!({}))).await;
    key.is_problem_of("ed25519");
    assert_eq!(world.read(&endpoint(&made, "")).await["events"], json!(["*"]));
}

#[tokio::test]
async fn an_endpoint_of_one_instance_gets_the_events_of_that_one() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    world.did(Method::POST, &format!("{ME}/instances"), Some(json!({"name": "till", "provider": "sandbox"}))).await;
    let made = world.add_endpoint_with(json!({"url": receiver.url(), "events": ["message.sent"], "instance_id": "till"})).await;
    world.send(|_| ()).await;
    world.send(|body| body["instance_id"] = json!("till")).await;
    assert_eq!(receiver.next().await.json()["instance_name"], "till");
    receiver.got_nothing();
    let all = world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"instance_id": null}))).await;
    assert_eq!(all.get("instance_id"), None);
    world.send(|_| ()).await;
    assert_eq!(receiver.next().await.json()["instance_name"], "support");
}

#[tokio::test]
async fn only_an_operator_leaves_out_the_challenge() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    receiver.pass_challenges(false);
    let body = json!({"url": receiver.url(), "events": ["message.sent"], "verify": false});
    let refused = world.post(&format!("{ME}/endpoints"), &world.shop.key, body.clone()).await;
    assert_eq!(refused.is_problem(403, "insufficient_scope")["detail"], "only an operator can leave out the challenge of an endpoint");
    let made = world.done(Method::POST, &world.shop_path("/endpoints"), Some(body)).await;
    assert_eq!((text(&made, "state"), made.get("challenge")), ("enabled", None));

    let unverified = world.add_endpoint(&receiver, &["message.sent"]).await;
    let patch = Some(json!({"url": receiver.url(), "verify": false}));
    world.ask(Method::PATCH, &endpoint(&unverified, ""), &world.shop.key, patch.clone()).await.is_problem(403, "insufficient_scope");
    let path = world.shop_path(&format!("/endpoints/{}", text(&unverified, "id")));
    assert_eq!(world.done(Method::PATCH, &path, patch).await["state"], "enabled");
    receiver.challenge().await;
}

#[tokio::test]
async fn a_gateway_may_be_set_to_challenge_nobody() {
    let destinations = DestinationPolicy::development();
    let settings = HttpSettings { destinations, verifies_endpoints: false, ..HttpSettings::default() };
    let (world, mut receiver) = (World::with(Terms { settings, ..Terms::default() }).await, Receiver::start().await);
    assert_eq!(world.add_endpoint(&receiver, &["*"]).await["state"], "enabled");
    let asked = json!({"url": receiver.url(), "events": ["*"], "verify": true});
    assert_eq!(world.add_endpoint_with(asked).await["challenge"]["passed"], true);
    receiver.challenge().await;
}

#[tokio::test]
async fn another_url_is_challenged_and_gets_nothing_before() {
    let (world, mut old, mut new) = (World::new().await, Receiver::start().await, Receiver::start().await);
    let made = world.add_endpoint(&old, &["message.sent"]).await;
    new.pass_challenges(false);
    let changed = world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"url": new.url(), "name": "elsewhere"}))).await;
    assert_eq!((text(&changed, "state"), text(&changed, "name")), ("unverified", "elsewhere"));
    assert_eq!(changed["challenge"]["passed"], false);
    new.challenge().await;
    world.send(|_| ()).await;
    new.pass_challenges(true);
    world.act(&endpoint(&made, "/verify")).await;
    new.next().await.verify(text(&made, "secret"), world.host.now()).unwrap();
    old.got_nothing();
    // The same URL is no other one.
    let same = world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"url": new.url()}))).await;
    assert_eq!((text(&same, "state"), same.get("challenge")), ("enabled", None));
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let rate = json!({"count": 600, "period_seconds": 60, "burst": 10});
    let body = json!({"url": receiver.url(), "events": ["*"], "in_flight_max": 3, "rate": rate, "headers": {"x-key": "7"}});
    let made = world.add_endpoint_with(body).await;
    let changed = world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"events": ["message.*"]}))).await;
    assert_eq!(changed["events"], json!(["message.*"]));
    for field in ["name", "url", "in_flight_max", "rate", "header_names", "state", "verified_at", "created_at", "signing"] {
        assert_eq!(changed[field], made[field], "{field}");
    }
    assert_eq!(world.did(Method::PATCH, &endpoint(&made, ""), Some(json!({"rate": null}))).await.get("rate"), None);
}

#[tokio::test]
async fn a_pause_holds_and_loses_nothing() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    let paused = world.did(Method::POST, &endpoint(&made, "/pause"), Some(json!({"note": "moving"}))).await;
    let by = format!("key:{}", id_of(&world.shop.key));
    let pause = json!({"since": world.host.now().to_string(), "by": by, "cause": "manual"});
    assert_eq!((text(&paused, "state"), &paused["pause"]), ("paused", &pause));
    for _ in 0..3 {
        world.send(|_| ()).await;
    }
    let held = world.deliveries("?status=queued").await;
    assert_eq!(held.iter().filter(|delivery| delivery["held"] == "paused").count(), 3);
    receiver.got_nothing();
    assert_eq!(world.act(&endpoint(&made, "/resume")).await["state"], "enabled");
    let mut got = [receiver.next().await, receiver.next().await, receiver.next().await].map(|event| event.header("webhook-id").to_owned());
    let mut expected: Vec<_> = held.iter().map(|delivery| text(delivery, "event_id").to_owned()).collect();
    got.sort();
    expected.sort();
    assert_eq!(got.to_vec(), expected);
}

#[tokio::test]
async fn an_account_cannot_undo_what_the_operator_did() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["*"]).await;
    let of_operator = |rest: &str| world.shop_path(&format!("/endpoints/{}{rest}", text(&made, "id")));
    for (doing, undoing) in [("/pause", "/resume"), ("/disable", "/enable")] {
        world.done(Method::POST, &of_operator(doing), Some(json!({"note": "audit"}))).await;
        for path in [doing, undoing] {
            let refused = world.ask(Method::POST, &endpoint(&made, path), &world.shop.key, None).await;
            refused.is_problem(403, "insufficient_scope");
        }
        assert!(!world.read(&endpoint(&made, "")).await.to_string().contains("audit"), "an operator's remark is for operators");
        assert!(world.get(&of_operator(""), &world.operator).await.body.to_string().contains("audit"));
        assert_eq!(world.done(Method::POST, &of_operator(undoing), None).await["state"], "enabled");
        world.act(&endpoint(&made, doing)).await;
        assert_eq!(world.act(&endpoint(&made, undoing)).await["state"], "enabled");
    }
}

#[tokio::test]
async fn what_is_disabled_skips_and_says_so() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    let disabled = world.act(&endpoint(&made, "/disable")).await;
    assert_eq!((text(&disabled, "state"), &disabled["disabled"]["reason"]), ("disabled", &json!("person")));
    world.send(|_| ()).await;
    let [skipped] = &world.deliveries("").await[..] else { panic!("one delivery") };
    assert_eq!((&skipped["status"], &skipped["skip"]), (&json!("skipped"), &json!("endpoint_disabled")));
    world.post(&delivery(skipped, "/replay"), &world.shop.key, json!({})).await.is_problem(409, "endpoint_disabled");
    let since = json!({"since": "2026-01-01T00:00:00Z"});
    world.post(&endpoint(&made, "/recoveries"), &world.shop.key, since).await.is_problem(409, "endpoint_disabled");

    world.act(&endpoint(&made, "/enable")).await;
    world.send(|_| ()).await;
    assert_ne!(receiver.next().await.header("webhook-id"), text(skipped, "event_id"));
    receiver.got_nothing();
}

#[tokio::test]
async fn a_removed_endpoint_gets_nothing_and_is_still_named() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    world.send(|_| ()).await;
    let sent = receiver.next().await;
    let removed = world.did(Method::DELETE, &endpoint(&made, ""), None).await;
    assert_eq!(text(&removed, "state"), "removed");
    world.send(|_| ()).await;
    receiver.got_nothing();
    assert_eq!(world.read(&endpoint(&made, "")).await["state"], "removed");
    assert_eq!(items(&world.get(&format!("{ME}/endpoints"), &world.shop.key).await).len(), 0);
    let [delivered] = &world.deliveries("").await[..] else { panic!("one delivery") };
    assert_eq!(text(delivered, "event_id"), sent.header("webhook-id"));
    world.ended(delivered).await;
    world.post(&delivery(delivered, "/replay"), &world.shop.key, json!({})).await.is_problem(409, "endpoint_removed");
    for rest in ["/pause", "/resume", "/enable", "/disable", "/verify", "/test", "/secret/rotate", "/secret/switch"] {
        world.ask(Method::POST, &endpoint(&made, rest), &world.shop.key, None).await.is_problem(404, "not_found");
    }
    world.ask(Method::DELETE, &endpoint(&made, ""), &world.shop.key, None).await.is_problem(404, "not_found");
    let patch = Some(json!({"name": "again"}));
    world.ask(Method::PATCH, &endpoint(&made, ""), &world.shop.key, patch).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn an_account_has_fifty_endpoints_at_most() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let body = json!({"url": receiver.url(), "events": ["*"], "verify": false});
    for _ in 0..50 {
        world.done(Method::POST, &world.shop_path("/endpoints"), Some(body.clone())).await;
    }
    let refused = world.post(&world.shop_path("/endpoints"), &world.operator, body).await;
    refused.is_problem(409, "endpoint_limit_reached");
    let first = items(&world.get(&format!("{ME}/endpoints"), &world.shop.key).await)[0].clone();
    world.did(Method::DELETE, &endpoint(&first, ""), None).await;
    world.add_endpoint(&receiver, &["*"]).await;
}

#[tokio::test]
async fn an_account_has_few_challenges_under_way() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    receiver.hold_challenges();
    let body = json!({"url": receiver.url(), "events": ["*"]});
    let add = || world.post("/v1/accounts/me/endpoints", &world.shop.key, body.clone());
    let fifth = async {
        for _ in 0..4 {
            receiver.challenge().await;
        }
        let fifth = add().await;
        let verify = endpoint(&fifth.body, "/verify");
        world.ask(Method::POST, &verify, &world.shop.key, None).await.is_problem(409, "challenge_under_way");
        receiver.let_challenges_go(4);
        fifth
    };
    let (one, two, three, four, fifth) = tokio::join!(add(), add(), add(), add(), fifth);
    assert!([one, two, three, four].iter().all(|made| made.body["state"] == "enabled"));
    // It is there, and its secret was shown, though nobody could be asked.
    assert_eq!((fifth.status.as_u16(), &fifth.body["state"]), (201, &json!("unverified")));
    assert!(text(&fifth.body, "secret").starts_with("whsec_"));
}

#[tokio::test]
async fn a_rotated_secret_takes_over_without_a_gap() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    let old = text(&made, "secret").to_owned();
    let rotated = world.act(&endpoint(&made, "/secret/rotate")).await;
    let new = text(&rotated, "secret").to_owned();
    assert_ne!(old, new);
    let ends_at = world.host.now().plus(Duration::from_secs(86_400)).to_string();
    assert_eq!(rotated["signing"]["previous_secrets_end_at"], json!([ends_at]));

    let now = world.host.now();
    world.send(|_| ()).await;
    let event = receiver.next().await;
    assert!(event.verify(&old, now).is_ok() && event.verify(&new, now).is_ok());
    assert!(event.verify_contract(&old, now).is_ok() && event.verify_contract(&new, now).is_err());

    world.act(&endpoint(&made, "/secret/switch")).await;
    world.send(|_| ()).await;
    let event = receiver.next().await;
    assert!(event.verify(&old, now).is_ok() && event.verify(&new, now).is_ok());
    assert!(event.verify_contract(&old, now).is_err() && event.verify_contract(&new, now).is_ok());

    world.host.advance(Duration::from_secs(86_400));
    let now = world.host.now();
    world.send(|_| ()).await;
    let event = receiver.next().await;
    assert!(event.verify(&old, now).is_err() && event.verify(&new, now).is_ok());
    assert_eq!(world.read(&endpoint(&made, "")).await["signing"]["previous_secrets_end_at"], json!([]));
}

#[tokio::test]
async fn a_secret_rotated_without_overlap_ends_at_once() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["message.sent"]).await;
    for _ in 0..4 {
        world.act(&endpoint(&made, "/secret/rotate")).await;
    }
    let refused = world.ask(Method::POST, &endpoint(&made, "/secret/rotate"), &world.shop.key, None).await;
    refused.is_problem(409, "too_many_secrets");
    let last = world.did(Method::POST, &endpoint(&made, "/secret/rotate"), Some(json!({"overlap_seconds": 0}))).await;
    world.send(|_| ()).await;
    let event = receiver.next().await;
    assert!(event.verify(text(&made, "secret"), world.host.now()).is_err());
    event.verify(text(&last, "secret"), world.host.now()).unwrap();
    event.verify_contract(text(&last, "secret"), world.host.now()).unwrap();
}

#[tokio::test]
async fn whoever_has_the_public_key_can_check_events() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint_with(json!({"url": receiver.url(), "events": ["message.sent"], "ed25519": true})).await;
    let key = text(&made["signing"], "ed25519_public_key").to_owned();
    let put = async |ed25519: bool| world.did(Method::PUT, &endpoint(&made, "/signing-key"), Some(json!({"ed25519": ed25519}))).await;
    assert_eq!(put(true).await["signing"]["ed25519_public_key"], *key, "asked twice, it is the same key");
    world.send(|_| ()).await;
    let event = receiver.next().await;
    event.verify_key(&key, world.host.now()).unwrap();
    event.verify(text(&made, "secret"), world.host.now()).unwrap();
    assert_eq!(put(false).await["signing"].get("ed25519_public_key"), None);
    world.send(|_| ()).await;
    assert!(receiver.next().await.verify_key(&key, world.host.now()).is_err());
    assert_ne!(put(true).await["signing"]["ed25519_public_key"], *key);
}

#[tokio::test]
async fn endpoints_are_read_with_either_scope_and_changed_with_one() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let made = world.add_endpoint(&receiver, &["*"]).await;
    for scope in [Scope::EndpointsWrite, Scope::LogsRead] {
        let key = world.key_with([scope]).await;
        assert_eq!(world.get(&endpoint(&made, ""), &key).await.status, 200);
        let paused = world.ask(Method::POST, &endpoint(&made, "/pause"), &key, None).await;
        assert_eq!(paused.status.as_u16(), if scope == Scope::EndpointsWrite { 200 } else { 403 });
        let deliveries = world.get(&format!("{ME}/deliveries"), &key).await;
        assert_eq!(deliveries.status.as_u16(), if scope == Scope::LogsRead { 200 } else { 403 });
    }
    let others = Scopes::all().iter().filter(|scope| !matches!(scope, Scope::EndpointsWrite | Scope::LogsRead));
    let refused = world.get(&endpoint(&made, ""), &world.key_with(others).await).await;
    assert_eq!(refused.is_problem(403, "insufficient_scope")["detail"], "this needs the scope `endpoints:write` or `logs:read`");
}

#[tokio::test]
async fn an_operator_reads_where_events_may_go() {
    let destinations = DestinationPolicy::production().with_allow(["127.0.0.0/8".parse().unwrap()]).unwrap();
    let settings = HttpSettings { destinations: destinations.clone(), ..HttpSettings::default() };
    let world = World::with(Terms { settings, ..Terms::default() }).await;
    let answer = world.get("/v1/destinations/policy", &world.operator).await;
    assert_eq!(answer.body["policy"], destinations.to_string());
    assert_eq!(answer.body["generation"], destinations.generation().to_string());
    assert_eq!(answer.body["warnings"], json!(destinations.warnings()));
    assert_ne!(answer.body["warnings"], json!([]));
    world.get("/v1/destinations/policy", &world.shop.key).await.is_problem(403, "insufficient_scope");
}
