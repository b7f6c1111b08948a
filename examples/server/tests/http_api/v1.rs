//! `/v1`: what each noun does.

use std::time::Duration;

use axum::http::Method;
use gatepost::{Host, KeyTerms, Mode, Scope, Scopes};
use gatepost_memory::{Mishap, Sandbox};
use serde_json::{Value, json};

use crate::world::{Answer, Terms, World, asking, id_of, key_terms, message};

const ME: &str = "/v1/accounts/me";

impl World {
    async fn patch(&self, path: &str, key: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, key, Some(body)).await
    }

    async fn delete(&self, path: &str, key: &str) -> Answer {
        self.ask(Method::DELETE, path, key, None).await
    }

    pub(crate) async fn supervise_shop(&self) {
        self.done(Method::PATCH, &self.shop_path(""), Some(json!({"supervised": true}))).await;
    }

    /// Sends a message that is held, and gives its id.
    pub(crate) async fn hold(&self) -> String {
        let answer = self.send(|_| ()).await;
        assert_eq!(answer.body["status"], "held");
        answer.body["message_id"].as_str().unwrap().to_owned()
    }
}

fn items(answer: &Answer) -> &Vec<Value> {
    answer.body["items"].as_array().unwrap_or_else(|| panic!("{}", answer.body))
}

#[tokio::test]
async fn an_account_is_made_on_the_starter_plan() {
    let world = World::new().await;
    let made = world.post("/v1/accounts", &world.operator, json!({"name": "Bakery"})).await;
    assert_eq!(made.status, 201);
    assert_eq!((&made.body["name"], &made.body["plan"], &made.body["time_zone"]), (&json!("Bakery"), &json!("starter"), &json!("UTC")));
    assert_eq!(made.body["limits"]["messages_per_day"], 100);
    assert_eq!(made.body["created_at"], world.host.now().to_string());
    let read = world.get(made.header("location"), &world.operator).await;
    assert_eq!(read.body, made.body);
}

#[tokio::test]
async fn limits_alone_make_a_plan_of_its_own() {
    let world = World::new().await;
    let limits = json!({"messages_per_day": 7, "messages_per_month": 70, "account_rate": {"count": 1, "period_seconds": 2, "burst": 3}});
    let made = world.post("/v1/accounts", &world.operator, json!({"name": "Bakery", "limits": limits, "time_zone": "asia/riyadh"})).await;
    assert_eq!((&made.body["plan"], &made.body["limits"], &made.body["time_zone"]), (&json!("custom"), &limits, &json!("Asia/Riyadh")));
}

#[tokio::test]
async fn what_an_account_cannot_be_names_the_field() {
    let world = World::new().await;
    let limits = json!({"messages_per_day": 7, "messages_per_month": 70});
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": 7}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"name": "x", "color": "red"}), "color"),
        (json!({"name": "x", "plan": "free"}), "plan"),
        (json!({"name": "x", "plan": "custom"}), "limits"),
        (json!({"name": "x", "plan": "growth", "limits": limits}), "limits"),
        (json!({"name": "x", "time_zone": "Mars/Olympus"}), "time_zone"),
        (json!({"name": "x", "limits": 7}), "limits"),
        (json!({"name": "x", "limits": {"messages_per_day": 7}}), "limits.messages_per_month"),
        (json!({"name": "x", "limits": {"messages_per_day": -1, "messages_per_month": 1}}), "limits.messages_per_day"),
        (json!({"name": "x", "limits": {"messages_per_day": 1, "messages_per_month": 2_000_000_000_000_u64}}), "limits.messages_per_month"),
        (
            json!({"name": "x", "limits": {"messages_per_day": 1, "messages_per_month": 1,
                "account_rate": {"count": 0, "period_seconds": 1, "burst": 1}}}),
            "limits.account_rate.count",
        ),
        (
            json!({"name": "x", "limits": {"messages_per_day": 1, "messages_per_month": 1,
                "account_rate": {"count": 1, "period_seconds": 1, "burst": 1, "more": 1}}}),
            "limits.account_rate.more",
        ),
    ] {
        let answer = world.post("/v1/accounts", &world.operator, body).await;
        answer.is_problem_of(field);
        assert!(!answer.body.to_string().contains("Shape"), "{}", answer.body);
    }
    assert_eq!(items(&world.get("/v1/accounts", &world.operator).await).len(), 2);
}

#[tokio::test]
async fn bodies_that_are_no_json_objects_are_refused() {
    let world = World::new().await;
    for (body, status, code) in [
        ("{", 400, "invalid_json"),
        ("", 400, "invalid_json"),
        ("{\"name\":\"x\"} x", 400, "invalid_json"),
        ("[1]", 400, "invalid_json"),
        ("7", 400, "invalid_json"),
    ] {
        let request = asking(Method::POST, "/v1/accounts", &world.operator, Some(Value::Null)).map(|_| body.into());
        world.exchange(request).await.is_problem(status, code);
    }
    for (body, field) in [
        (r#"{"name":"x","name":"y"}"#, "name"),
        (r#"{"name":"x","limits":{"messages_per_day":1,"messages_per_day":2}}"#, "limits.messages_per_day"),
    ] {
        let request = asking(Method::POST, "/v1/accounts", &world.operator, Some(Value::Null)).map(|_| body.into());
        world.exchange(request).await.is_problem_of(field);
    }
    let mut request = asking(Method::POST, "/v1/accounts", &world.operator, Some(json!({"name": "x"})));
    request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    world.exchange(request).await.is_problem(415, "unsupported_media_type");
    let large = json!({"name": "x".repeat(70_000)});
    world.post("/v1/accounts", &world.operator, large).await.is_problem(413, "payload_too_large");
}

#[tokio::test]
async fn an_account_changes_in_what_is_said_and_in_nothing_else() {
    let world = World::new().await;
    let path = world.shop_path("");
    let before = world.get(&path, &world.operator).await.body;
    let after = world.patch(&path, &world.operator, json!({"name": "Corner Shop", "one_time_codes_pass": false})).await.body;
    assert_eq!((&after["name"], &after["one_time_codes_pass"]), (&json!("Corner Shop"), &json!(false)));
    assert_eq!((&after["plan"], &after["limits"], &after["supervised"]), (&before["plan"], &before["limits"], &before["supervised"]));
    let moved = world.patch(&path, &world.operator, json!({"time_zone": "Asia/Riyadh"})).await.body;
    assert_eq!(moved["time_zone"], "UTC");
    assert_eq!(moved["next_time_zone"], json!({"name": "Asia/Riyadh", "from": "2026-12-01T00:00:00Z"}));
}

#[tokio::test]
async fn a_pause_tells_who_when_and_why() {
    let world = World::new().await;
    let paused = world.post(&world.shop_path("/pause"), &world.operator, json!({"note": " audit "})).await.body;
    let by = format!("key:{}", id_of(&world.operator));
    assert_eq!(paused["pause"], json!({"since": world.host.now().to_string(), "by": by, "cause": "manual", "note": "audit"}));
    let resumed = world.ask(Method::POST, &world.shop_path("/resume"), &world.operator, None).await.body;
    assert!(resumed.get("pause").is_none());
    world.post(&world.shop_path("/pause"), &world.operator, json!({"note": "x".repeat(501)})).await.is_problem_of("note");
    let suspended = world.ask(Method::POST, &world.shop_path("/suspend"), &world.operator, None).await.body;
    assert_eq!(suspended["suspended_at"], world.host.now().to_string());
}

#[tokio::test]
async fn lists_come_in_parts_and_link_to_the_next() {
    let world = World::new().await;
    for number in 0..3 {
        world.host.advance(Duration::from_millis(1));
        world.done(Method::POST, "/v1/accounts", Some(json!({"name": format!("account {number}")}))).await;
    }
    let first = world.get("/v1/accounts?limit=2", &world.operator).await;
    assert_eq!(items(&first).iter().map(|item| &item["name"]).collect::<Vec<_>>(), ["account 2", "account 1"]);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    assert_eq!(first.header("link"), format!("</v1/accounts?limit=2&cursor={cursor}>; rel=\"next\""));
    let second = world.get(&format!("/v1/accounts?limit=2&cursor={cursor}"), &world.operator).await;
    assert_eq!(items(&second)[0]["name"], "account 0");
    let third = world.get(&format!("/v1/accounts?limit=2&cursor={}", second.body["next_cursor"].as_str().unwrap()), &world.operator).await;
    assert_eq!((items(&third).len(), third.header("link"), third.body.get("next_cursor")), (1, "", None));
}

#[tokio::test]
async fn parameters_that_cannot_be_are_named() {
    let world = World::new().await;
    for (query, field) in [
        ("accounts?limit=0", "limit"),
        ("accounts?limit=201", "limit"),
        ("accounts?limit=many", "limit"),
        ("accounts?cursor=7", "cursor"),
        ("accounts?page=2", "page"),
        ("accounts/ID/messages?status=gone", "status"),
        ("accounts/ID/messages?instance_id=support", "instance_id"),
        ("accounts/ID/messages?limit=1&limit=2", "limit"),
        ("accounts/ID/policy-events?refused=perhaps", "refused"),
        ("accounts/ID/policy-events?cursor=msg_1", "cursor"),
        ("accounts/ID/policy-events?message_id=1", "message_id"),
        ("accounts/ID/reviews?state=shut", "state"),
        ("accounts/ID/reviews?rule=mood", "rule"),
        ("accounts/ID/suppressions?phone=%2B999501234567", "phone"),
    ] {
        let path = format!("/v1/{}", query.replace("ID", &world.shop.id.to_string()));
        world.get(&path, &world.operator).await.is_problem_of(field);
    }
}

#[tokio::test]
async fn an_instance_is_made_once_under_its_name() {
    let world = World::new().await;
    let path = format!("{ME}/instances");
    let made = world.post(&path, &world.shop.key, json!({"name": "till", "provider": "sandbox"})).await;
    assert_eq!((made.status.as_u16(), &made.body["connection"]), (201, &json!("open")));
    world.post(&path, &world.shop.key, json!({"name": "till", "provider": "sandbox"})).await.is_problem(409, "name_taken");
    let cloud = world.post(&path, &world.shop.key, json!({"name": "cloud", "provider": "cloud_api"})).await;
    assert_eq!(cloud.body["connection"], "closed");
    let names: Vec<_> = items(&world.get(&path, &world.shop.key).await).iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["cloud", "support", "till"]);
    let changed = world.patch(cloud.header("location"), &world.shop.key, json!({"connection": "open"})).await;
    assert_eq!(changed.body["connection"], "open");
    world.patch(cloud.header("location"), &world.shop.key, json!({"connection": "ajar"})).await.is_problem_of("connection");
    world.post(&path, &world.shop.key, json!({"name": "x", "provider": "pigeon"})).await.is_problem_of("provider");
}

#[tokio::test]
async fn an_account_has_a_hundred_instances_at_most() {
    let world = World::new().await;
    let path = world.shop_path("/instances");
    let make = |nth: usize| json!({"name": format!("till-{nth}"), "provider": "sandbox"});
    for nth in items(&world.get(&path, &world.operator).await).len()..100 {
        world.done(Method::POST, &path, Some(make(nth))).await;
    }
    world.post(&path, &world.operator, make(100)).await.is_problem(409, "instance_limit_reached");
}

#[tokio::test]
async fn an_account_lifts_its_own_pause_of_an_instance_but_not_the_operators() {
    let world = World::new().await;
    let path = |what: &str| world.shop_path(&format!("/instances/{}/{what}", world.shop.instance));
    assert!(world.post(&path("pause"), &world.shop.key, json!({})).await.body["pause"]["since"].is_string());
    assert!(world.ask(Method::POST, &path("resume"), &world.shop.key, None).await.body.get("pause").is_none());
    let paused = world.post(&path("pause"), &world.operator, json!({"note": "complaints"})).await;
    assert_eq!(paused.body["pause"]["note"], "complaints");
    for what in ["pause", "resume"] {
        world.ask(Method::POST, &path(what), &world.shop.key, None).await.is_problem(403, "insufficient_scope");
    }
    let seen = world.get(&world.shop_path(&format!("/instances/{}", world.shop.instance)), &world.shop.key).await.body;
    assert!(seen["pause"]["since"].is_string() && seen["pause"].get("note").is_none());
}

#[tokio::test]
async fn a_key_is_shown_once() {
    let world = World::new().await;
    let path = format!("{ME}/api-keys");
    let made = world.post(&path, &world.shop.key, json!({"name": "till", "scopes": ["messages:send", "messages:read"]})).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let key = made.body["api_key"].as_str().unwrap();
    assert!(key.starts_with("wg_live_") && key.ends_with(made.body["last_four"].as_str().unwrap()));
    assert!(key.starts_with(made.body["prefix"].as_str().unwrap()));
    assert_eq!(made.body["expires_at"], world.host.now().plus(gatepost::LIFETIME_DEFAULT).to_string());
    assert_eq!(world.post("/api/send-message", key, message()).await.status, 200);
    let read = world.get(made.header("location"), &world.shop.key).await;
    assert_eq!((&read.body["state"], read.body.get("api_key")), (&json!("active"), None));
    let listed = world.get(&path, &world.shop.key).await.body.to_string();
    assert!(listed.contains(&id_of(key).to_string()) && !listed.contains(key));
}

#[tokio::test]
async fn a_key_grants_no_more_than_it_has() {
    let world = World::new().await;
    let own = KeyTerms { allowed_from: Vec::new(), ..key_terms([Scope::KeysWrite, Scope::MessagesSend].into_iter().collect()) };
    let key = world.key_on(Mode::Test, own).await;
    let path = format!("{ME}/api-keys");
    let make = |body| world.post(&path, &key, body);
    assert_eq!(make(json!({"name": "x", "scopes": ["messages:send"]})).await.body["mode"], "test");
    make(json!({"name": "x", "scopes": ["messages:read"]})).await.is_problem(403, "insufficient_scope");
    make(json!({"name": "x", "scopes": ["messages:send"], "mode": "live"})).await.is_problem(403, "insufficient_scope");
    make(json!({"name": "x", "scopes": ["messages:send"], "expires_at": null})).await.is_problem(403, "insufficient_scope");
    make(json!({"name": "x", "scopes": []})).await.is_problem_of("scopes");
    make(json!({"name": "x", "scopes": ["everything"]})).await.is_problem_of("scopes[0]");
    make(json!({"name": "x", "scopes": ["messages:send"], "expires_at": "2020-01-01T00:00:00Z"})).await.is_problem_of("expires_at");
    make(json!({"name": "x", "scopes": ["messages:send"], "expires_at": "tomorrow"})).await.is_problem_of("expires_at");
    make(json!({"name": "x", "scopes": ["messages:send"], "allowed_from": ["here"]})).await.is_problem_of("allowed_from[0]");
    let wider = format!("{ME}/api-keys/{}/reroll", id_of(&world.shop.key));
    world.ask(Method::POST, &wider, &key, None).await.is_problem(403, "insufficient_scope");
}

#[tokio::test]
async fn a_key_opens_no_network_that_is_closed_to_itself() {
    let world = World::new().await;
    let own = KeyTerms { allowed_from: vec!["203.0.113.0/24".parse().unwrap()], ..key_terms(Scopes::all()) };
    let key = world.key_on(Mode::Live, own).await;
    let make = |nets: Value| {
        let body = json!({"name": "x", "scopes": ["messages:send"], "allowed_from": nets});
        world.exchange(crate::world::from(asking(Method::POST, &format!("{ME}/api-keys"), &key, Some(body)), "203.0.113.9"))
    };
    assert_eq!(make(Value::Null).await.body["allowed_from"], json!(["203.0.113.0/24"]));
    assert_eq!(make(json!(["203.0.113.128/25"])).await.body["allowed_from"], json!(["203.0.113.128/25"]));
    make(json!([])).await.is_problem(403, "insufficient_scope");
    make(json!(["203.0.0.0/16"])).await.is_problem(403, "insufficient_scope");
}

#[tokio::test]
async fn an_operator_can_make_a_key_that_never_ends() {
    let world = World::new().await;
    let body = json!({"name": "x", "scopes": ["messages:send"], "expires_at": null});
    let made = world.post(&world.shop_path("/api-keys"), &world.operator, body).await;
    assert_eq!((made.status.as_u16(), made.body.get("expires_at")), (201, None));
}

#[tokio::test]
async fn a_rerolled_key_lives_on_for_its_grace() {
    let world = World::new().await;
    let old = world.key_with([Scope::MessagesSend]).await;
    let path = format!("{ME}/api-keys/{}/reroll", id_of(&old));
    world.post(&path, &world.shop.key, json!({"grace_seconds": 2_592_001})).await.is_problem_of("grace_seconds");
    let made = world.post(&path, &world.shop.key, json!({"grace_seconds": 60})).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    assert_eq!((&made.body["name"], &made.body["scopes"]), (&json!("test"), &json!(["messages:send"])));
    let new = made.body["api_key"].as_str().unwrap();
    for key in [&*old, new] {
        assert_eq!(world.post("/api/send-message", key, message()).await.status, 200);
    }
    world.host.advance(Duration::from_secs(60));
    world.post("/api/send-message", &old, message()).await.is_contract_error(401, "invalid_api_key");
    assert_eq!(world.post("/api/send-message", new, message()).await.status, 200);
    world.ask(Method::POST, &path, &world.shop.key, None).await.is_problem(409, "key_not_in_force");
}

#[tokio::test]
async fn operator_keys_are_made_shown_once_and_revoked() {
    let world = World::new().await;
    let made = world.post("/v1/operator-keys", &world.operator, json!({"name": "night"})).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let key = made.body["api_key"].as_str().unwrap();
    assert!(key.starts_with("wg_op_"));
    let listed = world.get("/v1/operator-keys", key).await;
    assert_eq!(items(&listed).len(), 2);
    assert!(!listed.body.to_string().contains(key));
    let revoked = world.delete(&format!("/v1/operator-keys/{}", id_of(key)), &world.operator).await;
    assert_eq!(revoked.body["state"], "revoked");
    world.get("/v1/operator-keys", key).await.is_problem(401, "invalid_api_key");
    world.delete(&format!("/v1/operator-keys/{}", id_of(&world.shop.key)), &world.operator).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_suppression_is_added_found_and_lifted() {
    let world = World::new().await;
    let path = format!("{ME}/suppressions");
    let body = json!({"phone": "+999 50 123-4567", "cause": "manual", "note": "asked by phone"});
    let added = world.post(&path, &world.shop.key, body.clone()).await.body;
    assert_eq!((&added["phone"], &added["cause"], &added["note"]), (&json!("+999501234567"), &json!("manual"), &json!("asked by phone")));
    assert_eq!(world.post(&path, &world.shop.key, body).await.body["id"], added["id"]);
    world.send(|_| ()).await.is_contract_error(403, "recipient_suppressed");

    let found = world.post(&format!("{path}/search"), &world.shop.key, json!({"phone": "999501234567", "in_force": true})).await;
    assert_eq!(*items(&found), vec![added.clone()]);
    let one = format!("{path}/{}", added["id"].as_str().unwrap());
    assert_eq!(world.get(&one, &world.shop.key).await.body, added);

    let lifted = world.delete(&one, &world.shop.key).await.body;
    assert_eq!(lifted["lifted"], json!({"at": world.host.now().to_string(), "by": format!("key:{}", id_of(&world.shop.key))}));
    assert_eq!(world.send(|_| ()).await.status, 200);
    assert!(items(&world.get(&format!("{path}?in_force=true"), &world.shop.key).await).is_empty());
    assert_eq!(items(&world.get(&path, &world.shop.key).await).len(), 1);
}

#[tokio::test]
async fn one_of_many_suppressions_is_found_by_its_id() {
    let world = World::new().await;
    let path = format!("{ME}/suppressions");
    let mut added = Vec::new();
    for last in 0..5 {
        world.host.advance(Duration::from_millis(1));
        let body = json!({"phone": format!("+99950123456{last}"), "cause": "manual"});
        added.push(world.post(&path, &world.shop.key, body).await.body);
    }
    for suppression in added {
        assert_eq!(world.get(&format!("{path}/{}", suppression["id"].as_str().unwrap()), &world.shop.key).await.body, suppression);
    }
}

#[tokio::test]
async fn only_an_operator_lifts_what_a_complaint_or_a_court_asked_for() {
    let world = World::new().await;
    let path = world.shop_path("/suppressions");
    for cause in ["complaint", "legal"] {
        let added = world.post(&path, &world.shop.key, json!({"phone": "+999501234567", "cause": cause})).await.body;
        let one = format!("{path}/{}", added["id"].as_str().unwrap());
        world.delete(&one, &world.shop.key).await.is_problem(403, "insufficient_scope");
        assert!(world.delete(&one, &world.operator).await.body["lifted"].is_object());
    }
    for cause in ["keyword", "user_preference", "whim"] {
        world.post(&path, &world.operator, json!({"phone": "+999501234567", "cause": cause})).await.is_problem_of("cause");
    }
    world.post(&path, &world.operator, json!({"phone": "0501234567", "cause": "manual"})).await.is_problem_of("phone");
}

#[tokio::test]
async fn what_the_operator_blocked_the_account_cannot_lift_and_its_note_it_does_not_see() {
    let world = World::new().await;
    let path = world.shop_path("/suppressions");
    let body = json!({"phone": "+999501234567", "cause": "manual", "note": "under investigation"});
    let added = world.post(&path, &world.operator, body).await.body;
    assert_eq!(added["note"], "under investigation");
    let one = format!("{path}/{}", added["id"].as_str().unwrap());
    assert_eq!(world.get(&one, &world.shop.key).await.body.get("note"), None);
    assert_eq!(items(&world.get(&path, &world.shop.key).await)[0].get("note"), None);
    world.delete(&one, &world.shop.key).await.is_problem(403, "insufficient_scope");
    assert!(world.delete(&one, &world.operator).await.body["lifted"].is_object());
}

#[tokio::test]
async fn what_a_message_says_is_shown_only_where_one_is_read() {
    let world = World::new().await;
    let sent = world.send(|_| ()).await.body;
    let path = format!("{ME}/messages");
    let list = world.get(&path, &world.shop.key).await;
    assert_eq!((&items(&list)[0]["id"], &items(&list)[0]["phone"]), (&sent["message_id"], &json!("+999501234567")));
    assert!(!list.body.to_string().contains("table"));
    let one = world.get(&format!("{path}/{}", sent["message_id"].as_str().unwrap()), &world.shop.key).await.body;
    assert_eq!((&one["text"], &one["status"], &one["log_id"]), (&json!("Your table is ready."), &json!("sent"), &json!(1)));
    let attempts = world.get(&format!("{path}/{}/attempts", sent["message_id"].as_str().unwrap()), &world.shop.key).await;
    let attempt = &items(&attempts)[0];
    assert_eq!((&attempt["number"], &attempt["outcome"], &attempt["external_id"]), (&json!(1), &json!("sent"), &one["external_id"]));
}

#[tokio::test]
async fn messages_are_listed_by_status_and_instance() {
    let world = World::new().await;
    world.send(|_| ()).await;
    let path = |query: &str| format!("{ME}/messages?{query}");
    let instance = world.shop.instance;
    for (query, expected) in [("status=sent", 1), ("status=queued", 0), (&*format!("instance_id={instance}&status=sent"), 1)] {
        assert_eq!(items(&world.get(&path(query), &world.shop.key).await).len(), expected, "{query}");
    }
    let other = format!("instance_id={}", world.other.instance);
    assert!(items(&world.get(&path(&other), &world.shop.key).await).is_empty());
}

#[tokio::test]
async fn what_waits_shows_as_held_while_it_is_paused() {
    let world = World::with(Terms { has_worker: false, ..Terms::default() }).await;
    let sent = world.exchange(world.sending("/api/send-message?wait=0", |_| ())).await.body;
    let one = format!("{ME}/messages/{}", sent["message_id"].as_str().unwrap());
    let shown = async || {
        let (one, list) = (world.get(&one, &world.shop.key).await.body, world.get(&format!("{ME}/messages"), &world.shop.key).await);
        let listed = &items(&list)[0];
        assert_eq!((&listed["status"], &listed["reason"]), (&one["status"], &one["reason"]));
        (one["status"].clone(), one["reason"].clone())
    };
    assert_eq!(shown().await, (json!("queued"), Value::Null));
    for path in [String::new(), format!("/instances/{}", world.shop.instance)] {
        world.done(Method::POST, &world.shop_path(&format!("{path}/pause")), None).await;
        assert_eq!(shown().await, (json!("held"), json!("paused")), "{path}");
        assert_eq!(items(&world.get(&format!("{ME}/messages?status=queued"), &world.shop.key).await).len(), 1);
        world.done(Method::POST, &world.shop_path(&format!("{path}/resume")), None).await;
        assert_eq!(shown().await, (json!("queued"), Value::Null));
    }
    world.supervise_shop().await;
    let held = world.hold().await;
    assert_eq!(world.get(&format!("{ME}/messages/{held}"), &world.shop.key).await.body["reason"], "review");
}

#[tokio::test]
async fn only_a_message_in_doubt_can_be_resolved() {
    let world = World::with(Terms { sandbox: Sandbox::new().with_mishap(Mishap::Timeout), ..Terms::default() }).await;
    let sent = world.send(|_| ()).await.body;
    assert_eq!(sent["status"], "unknown");
    let path = world.shop_path(&format!("/messages/{}/resolve", sent["message_id"].as_str().unwrap()));
    world.post(&path, &world.operator, json!({"outcome": "perhaps"})).await.is_problem_of("outcome");
    let resolved = world.post(&path, &world.operator, json!({"outcome": "sent"})).await;
    assert_eq!(resolved.body, json!({"message_id": sent["message_id"], "status": "sent"}));
    world.post(&path, &world.operator, json!({"outcome": "not_sent"})).await.is_problem(409, "not_in_doubt");
}

#[tokio::test]
async fn a_held_message_is_released_once() {
    let world = World::new().await;
    world.supervise_shop().await;
    let message = world.hold().await;
    let path = format!("{ME}/reviews/{message}");
    let open = world.get(&format!("{ME}/reviews?state=open"), &world.shop.key).await;
    assert_eq!((&items(&open)[0]["message_id"], &items(&open)[0]["state"]), (&json!(message), &json!("open")));
    let released = world.post(&format!("{path}/release"), &world.shop.key, json!({"note": "fine"})).await;
    assert_eq!((released.status.as_u16(), &released.body["message_id"]), (200, &json!(message)), "{}", released.body);
    world.ask(Method::POST, &format!("{path}/release"), &world.shop.key, None).await.is_problem(409, "review_closed");
    assert!(items(&world.get(&format!("{ME}/reviews?state=open"), &world.shop.key).await).is_empty());
    let closed = world.get(&path, &world.shop.key).await.body;
    assert_eq!(
        (&closed["state"], &closed["closed"]["verdict"], closed["closed"].get("note")),
        (&json!("closed"), &json!("released"), None)
    );
    assert_eq!(world.get(&world.shop_path(&format!("/reviews/{message}")), &world.operator).await.body["closed"]["note"], "fine");
}

#[tokio::test]
async fn a_refused_message_stays_where_it_is() {
    let world = World::new().await;
    world.supervise_shop().await;
    let message = world.hold().await;
    let refused = world.ask(Method::POST, &format!("{ME}/reviews/{message}/refuse"), &world.shop.key, None).await;
    assert_eq!(refused.body, json!({"message_id": message, "status": "refused"}));
    assert_eq!(world.get(&format!("{ME}/messages/{message}"), &world.shop.key).await.body["status"], "refused");
}

#[tokio::test]
async fn a_release_that_present_facts_forbid_says_why() {
    let world = World::new().await;
    world.supervise_shop().await;
    let message = world.hold().await;
    world.done(Method::POST, &world.shop_path("/pause"), None).await;
    let answer = world.ask(Method::POST, &format!("{ME}/reviews/{message}/release"), &world.shop.key, None).await;
    let problem = answer.is_problem(409, "release_forbidden");
    assert_eq!(problem["detail"], "present facts forbid sending: the account is paused");
}

#[tokio::test]
async fn policy_events_tell_accounts_what_and_operators_how_much() {
    let world = World::new().await;
    world.send(|_| ()).await;
    world.send(|body| body["message_purpose"] = json!("marketing")).await;
    let path = world.shop_path("/policy-events");
    let refused = world.get(&format!("{path}?refused=true"), &world.shop.key).await;
    let [event] = items(&refused).as_slice() else { panic!("{}", refused.body) };
    assert_eq!((&event["seq"], &event["purpose"], &event["recipient"]), (&json!(2), &json!("marketing"), &json!(["+999•••••••67"])));
    assert_eq!(
        event["decision"],
        json!({"verdict": "block", "risk_score": 90, "category": "marketing", "reasons": [{
            "rule": "purpose_not_allowed", "text": "messages are not sent for this purpose", "effect": "block", "decides": true,
            "evidence": {"purpose": "marketing"}, "group": "state",
            "remedy": "declare what it is for, if that is one of the allowed purposes"
        }]})
    );
    let to_operator = world.get(&format!("{path}?refused=true"), &world.operator).await;
    assert_eq!(items(&to_operator)[0]["decision"]["reasons"][0]["points"], 90);

    let all = world.get(&format!("{path}?limit=1"), &world.shop.key).await;
    assert_eq!((items(&all).len(), &all.body["next_cursor"]), (1, &json!("2")));
    let next = world.get(&format!("{path}?limit=1&cursor=2"), &world.shop.key).await;
    let message = items(&next)[0]["message_id"].as_str().unwrap();
    let of_message = world.get(&format!("{path}?message_id={message}"), &world.shop.key).await;
    assert_eq!(*items(&of_message), *items(&next));
}

#[tokio::test]
async fn policy_events_are_found_by_verdict_rule_and_time() {
    let world = World::new().await;
    world.send(|_| ()).await;
    world.host.advance(Duration::from_secs(1));
    let between = world.host.now();
    world.send(|body| body["message_purpose"] = json!("marketing")).await;
    let path = world.shop_path("/policy-events");
    for (query, expected) in [
        ("verdict=allow".to_owned(), [1].as_slice()),
        ("verdict=block".to_owned(), &[2]),
        ("verdict=hold".to_owned(), &[]),
        ("rule=purpose_not_allowed".to_owned(), &[2]),
        ("rule=daily_limit".to_owned(), &[]),
        (format!("since={between}"), &[2]),
        (format!("until={between}"), &[1]),
        (format!("verdict=block&until={between}"), &[]),
    ] {
        let found = world.get(&format!("{path}?{query}"), &world.shop.key).await;
        let seqs: Vec<_> = items(&found).iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, expected, "{query}");
    }
    for field in ["verdict", "rule", "since", "until"] {
        world.get(&format!("{path}?{field}=never"), &world.shop.key).await.is_problem_of(field);
    }
}

#[tokio::test]
async fn usage_tells_what_is_left_of_day_and_month() {
    let world = World::new().await;
    world.send(|_| ()).await;
    let usage = world.get(&format!("{ME}/usage"), &world.shop.key).await.body;
    assert_eq!(
        usage["live"]["day"],
        json!({"window": "2026-11-22", "limit": 100, "used": 1, "remaining": 99, "resets_at": "2026-11-23T00:00:00Z"})
    );
    assert_eq!(
        usage["live"]["month"],
        json!({"window": "2026-11", "limit": 2000, "used": 1, "remaining": 1999, "resets_at": "2026-12-01T00:00:00Z"})
    );
    assert_eq!(usage["test"]["day"]["used"], 0);
}

#[tokio::test]
async fn what_a_text_shows_is_explained_with_its_place_and_its_remedy() {
    let world = World::new().await;
    let path = world.shop_path("/decisions/explain");
    let mut body = message();
    body["message"] = json!("Open it: http://fernhill.example/x.apk");
    let explained = world.post(&path, &world.operator, body.clone()).await;
    assert_eq!((&explained.body["verdict"], &explained.body["category"]), (&json!("block"), &json!("harmful_link")));
    let reasons = explained.body["reasons"].as_array().unwrap();
    let link = reasons.iter().find(|reason| reason["rule"] == "link_executable").unwrap();
    assert_eq!(link["evidence"], json!({"at": {"part": "body", "start": 9, "length": 29}, "times": 1}));
    assert_eq!((&link["group"], &link["points"]), (&json!("link"), &json!(85)));
    assert_eq!(link["remedy"], "remove the link, or lead to a domain of the sender");
    let to_account = world.post(&path, &world.shop.key, body.clone()).await;
    assert!(to_account.body["reasons"].as_array().unwrap().iter().all(|reason| reason.get("points").is_none()));
    let sent = world.post("/api/send-message", &world.shop.key, body).await;
    sent.is_contract_error(403, "policy_violation");
}

#[tokio::test]
async fn links_to_the_senders_own_domains_are_trusted() {
    let world = World::new().await;
    let path = world.shop_path("");
    let changed = world.patch(&path, &world.operator, json!({"sender_domains": ["Fernhill-Login.example"]})).await;
    assert_eq!(changed.body["sender_domains"], json!(["fernhill-login.example"]));
    let mut body = message();
    body["message"] = json!("Your table is ready, see fernhill-login.example/5512");
    let explained = world.post(&format!("{path}/decisions/explain"), &world.operator, body).await;
    assert_eq!(explained.body["reasons"][0]["rule"], "links_trusted");
    world.patch(&path, &world.operator, json!({"sender_domains": ["bit.ly"]})).await.is_problem(422, "validation_error");
}

#[tokio::test]
async fn a_dry_run_decides_and_leaves_nothing_behind() {
    let world = World::new().await;
    let path = world.shop_path("/decisions/explain");
    let explained = world.post(&path, &world.shop.key, message()).await;
    assert_eq!(explained.body, json!({"verdict": "allow", "risk_score": 0, "category": "ok", "reasons": []}));
    let mut body = message();
    body["message_purpose"] = json!("political");
    assert_eq!(world.post(&path, &world.operator, body.clone()).await.body["verdict"], "block");
    body["message_purpose"] = json!("newsletter");
    world.post(&path, &world.shop.key, body.clone()).await.is_problem(422, "message_purpose_not_allowed");
    body["phone"] = json!("1");
    let problem = world.post(&path, &world.shop.key, body).await;
    let fields: Vec<_> = problem.is_problem(422, "validation_error")["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
    assert_eq!(fields, ["phone", "message_purpose"]);
    let mut body = message();
    body["instance_id"] = json!("reception");
    world.post(&path, &world.shop.key, body).await.is_problem(404, "invalid_instance");
    assert!(items(&world.get(&world.shop_path("/policy-events"), &world.operator).await).is_empty());
    assert!(items(&world.get(&world.shop_path("/messages"), &world.operator).await).is_empty());
}

#[tokio::test]
async fn another_policy_is_tried_over_what_was_decided() {
    let world = World::new().await;
    world.send(|_| ()).await;
    world.send(|body| body["message"] = json!("Flash sale, shop now")).await;
    let path = "/v1/policy/backtest";
    let same = world.post(path, &world.operator, json!({})).await;
    assert_eq!([&same.body["events"], &same.body["changed"], &same.body["not_repeated"]], [&json!(2), &json!(0), &json!(0)]);
    let candidate = json!({"version": 2, "review_from": 30, "wording": {"from": 9000, "full": 9001}});
    let tried = world.post(path, &world.operator, json!({"candidate": candidate, "account_id": world.shop.id})).await;
    let change = &tried.body["changes"][0];
    assert_eq!((&change["from"], &change["to"], &change["rule"]), (&json!("block"), &json!("hold"), &json!("risk_review")));
    assert_eq!([&change["purpose"], &change["count"]], [&json!("support"), &json!(1)]);

    let wrong = json!({"candidate": {"version": 2, "points": {"ofer": 3}}});
    let problem = world.post(path, &world.operator, wrong).await;
    assert_eq!(problem.is_problem(422, "validation_error")["errors"][0]["field"], "candidate.points.ofer");
    world.post(path, &world.shop.key, json!({})).await.is_problem(403, "insufficient_scope");
    let shown = world.get("/v1/policy", &world.operator).await;
    assert_eq!((&shown.body["live"]["version"], shown.body.get("candidate")), (&json!(1), None));
}

#[tokio::test]
async fn a_key_explains_what_its_own_account_would_send() {
    let world = World::new().await;
    let explained = world.post("/v1/decisions/explain", &world.shop.key, message()).await;
    assert_eq!(explained.body["verdict"], "allow");
    world.post("/v1/decisions/explain", &world.operator, message()).await.is_problem(404, "not_found");
}
