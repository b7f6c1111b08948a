//! Audit: heads are shown, and a log is compared with its seals.

use std::time::Duration;

use axum::http::Method;
use gatepost::{Host, Scope, Sealer};
use serde_json::{Value, json};

use crate::world::World;

impl World {
    async fn seal(&self) {
        let sealer = Sealer::new(self.store.clone(), self.app.keyring.clone(), &*self.host).sealing_after(Duration::ZERO);
        sealer.turn(self.host.now()).await.unwrap();
    }

    async fn verify(&self, body: Option<Value>) -> Value {
        let answer = self.ask(Method::POST, &self.shop_path("/audit/verify"), &self.operator, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

#[tokio::test]
async fn a_log_is_compared_with_its_seals_and_a_kept_head() {
    let world = World::new().await;
    world.send(|_| ()).await;
    world.send(|body| body["message_purpose"] = json!("marketing")).await;
    world.seal().await;
    world.send(|_| ()).await;

    let report = world.verify(None).await;
    let head = report["head"].clone();
    assert_eq!((&head["segment"], &head["seq"], head["digest"].as_str().map(str::len)), (&json!(1), &json!(2), Some(64)));
    let expected = json!({
        "account_id": world.shop.id, "is_sound": true, "segments": 1, "dropped_segments": 0, "sealed_events": 2, "unsealed_events": 1,
        "late_segments": 0,
        "head": head, "flaws": [], "flaw_count": 0
    });
    assert_eq!(report, expected);
    assert_eq!(world.verify(Some(json!({"head": head}))).await, expected);

    let mut later = head.clone();
    later["segment"] = json!(2);
    let report = world.verify(Some(json!({"head": later}))).await;
    let flaw = json!({
        "kind": "head_missing", "segment": 2, "count": 1, "text": "seal 2: missing, and the kept head names it: the end was cut"
    });
    assert_eq!((&report["is_sound"], &report["flaws"]), (&json!(false), &json!([flaw])));
}

#[tokio::test]
async fn a_head_is_shown_to_its_account_and_all_to_the_operator() {
    let world = World::new().await;
    world.send(|_| ()).await;
    world.seal().await;
    let key = world.key_with([Scope::PolicyRead]).await;
    let own = world.get("/v1/accounts/me/audit/head", &key).await.body;
    assert_eq!((&own["account_id"], &own["seq"]), (&json!(world.shop.id), &json!(1)));
    let all = world.get("/v1/audit/heads", &world.operator).await.body;
    let nothing = json!({"account_id": world.other.id, "segment": 0, "seq": 0, "digest": "0".repeat(64)});
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert!([own, nothing].iter().all(|head| all["items"].as_array().unwrap().contains(head)), "{all}");
    let page = world.get("/v1/audit/heads?limit=1", &world.operator).await.body;
    let next = world.get(&format!("/v1/audit/heads?limit=1&cursor={}", page["next_cursor"].as_str().unwrap()), &world.operator).await.body;
    assert_eq!((&page["items"][0], &next["items"][0], next.get("next_cursor")), (&all["items"][0], &all["items"][1], None));
}

#[tokio::test]
async fn a_kept_head_that_cannot_be_one_names_the_field() {
    let world = World::new().await;
    let head = world.get("/v1/accounts/me/audit/head", &world.other.key).await.body;
    let path = world.shop_path("/audit/verify");
    let ask = |body| world.post(&path, &world.operator, body);
    ask(json!({"head": head})).await.is_problem_of("head.account_id");
    for (field, value) in [("digest", json!("00")), ("segment", json!(-1)), ("account_id", json!("msg_1"))] {
        let mut head = head.clone();
        head[field] = value;
        ask(json!({"head": head})).await.is_problem_of(&format!("head.{field}"));
    }
}
