//! The providers of WhatsApp: instances that are given what a provider asks for, and messages that go out by it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use gatepost::{Content, DestinationPolicy, MessageId, Purpose, Request as Asked, TemplateParameter};
use gatepost_server::http::HttpSettings;
use gatepost_whatsapp::fake::{FakeEvolution, FakeGraph, Mishap, Received};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::scene::{ME, text};
use crate::world::{Answer, Terms, World};

const TOKEN: &str = "EAAJ-the-first-access-token";
pub(crate) const APP_SECRET: &str = "5f1d-the-first-app-secret";
const API_KEY: &str = "evo-the-key-of-evolution-api";

/// A world beside the fakes of both providers.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) graph: FakeGraph,
    evolution: FakeEvolution,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let (graph, evolution) = (FakeGraph::start("8007", "9001").unwrap(), FakeEvolution::start("front-desk", API_KEY).unwrap());
        let terms = Terms::default();
        let settings = HttpSettings { public_url: Some("https://gateway.example.com".to_owned()), ..terms.settings };
        let terms = Terms { graph_url: Some(graph.url()), send_timeout: Duration::from_secs(20), settings, ..terms };
        Self { world: World::with(terms).await, graph, evolution }
    }

    async fn make(&self, body: Value) -> Answer {
        self.world.post(&format!("{ME}/instances"), &self.world.shop.key, body).await
    }

    /// An instance of the Cloud API, as it was answered.
    pub(crate) async fn cloud(&self) -> Value {
        let given = json!({"phone_number_id": "8007", "waba_id": "9001", "access_token": TOKEN, "app_secret": APP_SECRET});
        let made = self.make(json!({"name": "cloud", "provider": "cloud_api", "cloud_api": given})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body
    }

    /// An instance of Evolution API, as it was answered.
    pub(crate) async fn evolution(&self) -> Value {
        let given = json!({"base_url": self.evolution.url(), "instance_name": "front-desk", "api_key": API_KEY});
        let made = self.make(json!({"name": "evolution", "provider": "evolution", "evolution": given})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body
    }

    /// The instance of Evolution API, connected.
    async fn linked(&self) -> Value {
        let made = self.evolution().await;
        assert_eq!(self.did(Method::GET, &made, "/connection", None).await, json!({"connection": "open"}));
        made
    }

    async fn ask(&self, method: Method, made: &Value, rest: &str, body: Option<Value>) -> Answer {
        self.world.ask(method, &path(made, rest), &self.world.shop.key, body).await
    }

    async fn did(&self, method: Method, made: &Value, rest: &str, body: Option<Value>) -> Value {
        self.world.did(method, &path(made, rest), body).await
    }

    /// Sends a template by the Cloud API, which takes free text only from whoever has written; the message as it is shown then.
    pub(crate) async fn send_template(&self, instance: &str) -> Value {
        let content = Content::Template {
            name: "table_ready".parse().unwrap(),
            language: "en_US".parse().unwrap(),
            authentication: false,
            header: None,
            parameters: vec![TemplateParameter::from("Sam".parse::<gatepost::Text>().unwrap())],
            buttons: Vec::new(),
        };
        let asked = Asked::text(instance, "+999501234567".parse().unwrap(), Purpose::Transactional, "x".parse().unwrap());
        let account = self.world.app.gateway.account(self.world.shop.id);
        let mut sent = account.send(Asked { content, ..asked }).await.unwrap();
        sent.settled().await;
        let gatepost::Answer::Accepted(accepted) = sent.answer else { panic!("{:?}", sent.answer) };
        self.message(accepted.message).await
    }

    pub(crate) async fn message(&self, id: MessageId) -> Value {
        self.world.get(&format!("{ME}/messages/{id}"), &self.world.shop.key).await.body
    }

    pub(crate) async fn send(&self, instance: &str) -> Answer {
        self.world.send(|message| message["instance_id"] = json!(instance)).await
    }

    /// The messages that Meta was sent.
    pub(crate) fn sent_by_cloud(&self) -> Vec<Received> {
        self.graph.received()
    }

    /// The messages that Evolution API was sent.
    fn sent_by_evolution(&self) -> Vec<Received> {
        self.evolution.received().into_iter().filter(|received| received.path.starts_with("/message/")).collect()
    }

    /// Asks what Meta asks before it subscribes.
    async fn meet(&self, instance: &str, token: &str) -> (u16, String) {
        let query = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
        let request = Request::builder().uri(format!("/providers/whatsapp/{instance}?{query}")).body(Body::empty()).unwrap();
        let answer = self.world.router.clone().oneshot(request).await.unwrap();
        let (status, body) = (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes());
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

fn path(made: &Value, rest: &str) -> String {
    format!("{ME}/instances/{}{rest}", text(made, "id"))
}

#[tokio::test]
async fn a_message_goes_out_by_the_cloud_api() {
    let stage = Stage::new().await;
    assert_eq!(stage.cloud().await["connection"], "open");
    let sent = stage.send_template("cloud").await;
    assert_eq!(sent["status"], "sent", "{sent}");
    let [received] = &stage.sent_by_cloud()[..] else { panic!("one message") };
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/v25.0/8007/messages"));
    assert_eq!(received.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert_eq!((&received.body["to"], &received.body["template"]["name"]), (&json!("+999501234567"), &json!("table_ready")));
    assert_eq!(received.body["biz_opaque_callback_data"], sent["id"]);
    stage.send("cloud").await.is_contract_error(409, "conversation_window_closed");
}

#[tokio::test]
async fn a_message_goes_out_by_evolution_api() {
    let stage = Stage::new().await;
    assert_eq!(stage.evolution().await["connection"], "closed");
    stage.send("evolution").await.is_contract_error(409, "instance_not_connected");
    let listed = stage.world.get(&format!("{ME}/instances"), &stage.world.shop.key).await;
    let made = crate::scene::items(&listed).iter().find(|instance| instance["name"] == "evolution").unwrap();
    assert_eq!(stage.did(Method::GET, made, "/connection", None).await, json!({"connection": "open"}));
    let sent = stage.send("evolution").await;
    assert_eq!((sent.status.as_u16(), &sent.body["status"]), (200, &json!("sent")), "{}", sent.body);
    let [received] = &stage.sent_by_evolution()[..] else { panic!("one message") };
    assert_eq!((received.path.as_str(), received.header("apikey")), ("/message/sendText/front-desk", Some(API_KEY)));
    assert_eq!(received.body, json!({"number": "999501234567", "text": "Your table is ready."}));
}

#[tokio::test]
async fn an_error_of_metas_is_answered_as_documented() {
    let stage = Stage::new().await;
    stage.linked().await;
    // An instance of Evolution API may send by Meta, and says what Meta says.
    for (code, status, error, class) in [
        (131_026, 502, "gateway_send_failed", "undeliverable"),
        (131_047, 409, "conversation_window_closed", "window_closed"),
        (131_008, 502, "gateway_send_failed", "refused"),
        (190, 503, "unavailable", "misconfigured"),
        // From then on nothing more is sent to them.
        (131_050, 403, "recipient_suppressed", "opted_out"),
    ] {
        stage.evolution.misbehave(Mishap::Code(code));
        let answer = stage.send("evolution").await;
        let details = answer.is_contract_error(status, error);
        assert_eq!((&details["error"], &details["status"]), (&json!(class), &json!("failed")), "{code}");
    }
}

#[tokio::test]
async fn an_error_of_metas_is_kept_with_the_message() {
    let stage = Stage::new().await;
    stage.cloud().await;
    for (code, class) in [(131_026, "undeliverable"), (132_001, "template_problem"), (10, "misconfigured")] {
        stage.graph.misbehave(Mishap::Code(code));
        let message = stage.send_template("cloud").await;
        assert_eq!((&message["status"], &message["error"]), (&json!("failed"), &json!(class)), "{code}");
    }
}

#[tokio::test]
async fn what_may_have_been_sent_is_in_doubt() {
    let stage = Stage::new().await;
    stage.cloud().await;
    let mishaps = [Mishap::Nameless, Mishap::NotJson(502), Mishap::Break];
    for mishap in mishaps {
        stage.graph.misbehave(mishap);
        assert_eq!(stage.send_template("cloud").await["status"], "unknown", "{mishap:?}");
    }
    assert_eq!(stage.sent_by_cloud().len(), mishaps.len(), "nothing is sent again");
}

#[tokio::test]
async fn a_new_token_counts_at_once() {
    let stage = Stage::new().await;
    let made = stage.cloud().await;
    assert_eq!(stage.send_template("cloud").await["status"], "sent");
    // The refusal of a token stops its account for a while.
    stage.graph.misbehave(Mishap::Code(190));
    assert_eq!(stage.send_template("cloud").await["error"], "misconfigured");
    let second = "EAAJ-the-second-access-token";
    let changed = stage.did(Method::PATCH, &made, "", Some(json!({"cloud_api": {"access_token": second}}))).await;
    assert_eq!(changed["cloud_api"]["access_token"], json!({"set": true, "last_four": "oken"}));
    assert_eq!(stage.send_template("cloud").await["status"], "sent");
    let tokens: Vec<_> = stage.sent_by_cloud().iter().map(|received| received.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(tokens, [format!("Bearer {TOKEN}"), format!("Bearer {TOKEN}"), format!("Bearer {second}")]);
}

#[tokio::test]
async fn another_evolution_api_counts_at_once() {
    let stage = Stage::new().await;
    let made = stage.linked().await;
    assert_eq!(stage.send("evolution").await.status, 200);
    let other = FakeEvolution::start("till", "another-key-of-evolution").unwrap();
    let given = json!({"base_url": other.url(), "instance_name": "till", "api_key": "another-key-of-evolution"});
    stage.did(Method::PATCH, &made, "", Some(json!({"evolution": given}))).await;
    assert_eq!(stage.send("evolution").await.status, 200);
    assert_eq!(
        (stage.sent_by_evolution().len(), other.received().iter().filter(|asked| asked.path.starts_with("/message/")).count()),
        (1, 1)
    );
}

#[tokio::test]
async fn credentials_are_in_no_answer_and_in_no_debug() {
    let stage = Stage::new().await;
    let (cloud, evolution) = (stage.cloud().await, stage.linked().await);
    stage.send("evolution").await;
    stage.graph.misbehave(Mishap::Code(190));
    let mut said = vec![cloud.to_string(), evolution.to_string(), stage.send_template("cloud").await.to_string()];
    for path in [format!("{ME}/instances"), path(&cloud, ""), path(&evolution, "")] {
        said.push(stage.world.get(&path, &stage.world.shop.key).await.body.to_string());
        said.push(stage.world.get(&path.replace("me", &stage.world.shop.id.to_string()), &stage.world.operator).await.body.to_string());
    }
    said.push(stage.did(Method::PATCH, &cloud, "", Some(json!({"cloud_api": {"throughput": 20}}))).await.to_string());
    said.push(stage.did(Method::POST, &evolution, "/webhook", None).await.to_string());
    said.push(stage.did(Method::POST, &evolution, "/restart", None).await.to_string());
    said.push(format!("{:?}{:?}", stage.world.app, stage.world.app.providers));
    let row = stage.world.store.account(stage.world.shop.id).instances().await.unwrap();
    said.push(format!("{row:?}"));
    let jwt_key =
        stage.evolution.received().iter().find_map(|received| received.body["webhook"]["headers"]["jwt_key"].as_str().map(str::to_owned));
    for secret in [TOKEN, APP_SECRET, API_KEY, &jwt_key.unwrap()] {
        assert!(said.iter().all(|text| !text.contains(secret)), "{secret} in {said:#?}");
    }
}

#[tokio::test]
async fn what_is_to_be_entered_at_meta_is_shown_and_the_token_once() {
    let stage = Stage::new().await;
    let made = stage.cloud().await;
    let id = text(&made, "id").to_owned();
    let webhook = &made["cloud_api"]["webhook"];
    assert_eq!(webhook["url"], format!("https://gateway.example.com/providers/whatsapp/{id}"));
    let token = text(webhook, "verify_token").to_owned();
    assert_eq!(stage.did(Method::GET, &made, "", None).await["cloud_api"]["webhook"]["verify_token"], Value::Null);

    assert_eq!(stage.meet(&id, &token).await, (200, "1158201444".to_owned()));
    let evolution = stage.evolution().await;
    for (instance, token) in
        [(&*id, "another"), (&*id, ""), (text(&evolution, "id"), &token), ("inst_00000000000000000000000000", &token), ("x", &token)]
    {
        assert_eq!(stage.meet(instance, token).await, (403, String::new()), "{instance}");
    }

    let own = stage.did(Method::PATCH, &made, "", Some(json!({"cloud_api": {"verify_token": "our-own-token"}}))).await;
    assert_eq!(own["cloud_api"]["webhook"]["verify_token"], Value::Null);
    assert_eq!((stage.meet(&id, "our-own-token").await.0, stage.meet(&id, &token).await.0), (200, 403));
    let renewed = stage.did(Method::PATCH, &made, "", Some(json!({"cloud_api": {"verify_token": null}}))).await;
    assert_eq!(stage.meet(&id, text(&renewed["cloud_api"]["webhook"], "verify_token")).await.0, 200);
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_refused() {
    let stage = Stage::new().await;
    let made = stage.cloud().await;
    let answer = stage.world.get(&format!("/providers/whatsapp/{}", text(&made, "id")), "").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (400, 0));
}

#[tokio::test]
async fn two_app_secrets_live_until_the_former_is_retired() {
    let stage = Stage::new().await;
    let made = stage.cloud().await;
    let secrets = |instance: &Value| {
        instance["cloud_api"]["app_secrets"].as_array().unwrap().iter().map(|secret| secret["last_four"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&made), ["cret"]);
    let rotated = stage.did(Method::POST, &made, "/app-secret/rotate", Some(json!({"app_secret": "77aa-the-second-app-secret-2"}))).await;
    assert_eq!(secrets(&rotated), ["et-2", "cret"]);
    let rotated = stage.did(Method::POST, &made, "/app-secret/rotate", Some(json!({"app_secret": "77aa-the-third-app-secret--3"}))).await;
    assert_eq!(secrets(&rotated), ["t--3", "et-2"]);
    assert_eq!(secrets(&stage.did(Method::POST, &made, "/app-secret/retire", None).await), ["t--3"]);
    let replaced = stage.did(Method::PATCH, &made, "", Some(json!({"cloud_api": {"app_secret": "77aa-the-fourth-app-secret-4"}}))).await;
    assert_eq!(secrets(&replaced), ["et-4"]);
    let evolution = stage.evolution().await;
    stage.ask(Method::POST, &evolution, "/app-secret/retire", None).await.is_problem(409, "wrong_provider");
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let stage = Stage::new().await;
    let made = stage.cloud().await;
    let change = json!({"cloud_api": {"portfolio_id": "7001", "people_per_day": 250, "throughput": 1000, "graph_version": "v24.0"}});
    let changed = stage.did(Method::PATCH, &made, "", Some(change)).await;
    let expected = json!({
        "phone_number_id": "8007", "waba_id": "9001", "portfolio_id": "7001", "graph_version": "v24.0", "throughput": 1000, "people_per_day": 250,
        "access_token": {"set": true, "last_four": "oken"}, "app_secrets": [{"set": true, "last_four": "cret"}],
        "webhook": {"url": made["cloud_api"]["webhook"]["url"]},
    });
    assert_eq!(changed["cloud_api"], expected);
    let change = json!({"cloud_api": {"portfolio_id": null, "people_per_day": null}});
    let changed = stage.did(Method::PATCH, &made, "", Some(change)).await;
    assert_eq!((changed["cloud_api"].get("portfolio_id"), changed["cloud_api"].get("people_per_day")), (None, None));
    assert_eq!(stage.send_template("cloud").await["status"], "sent");
    assert_eq!(stage.sent_by_cloud()[0].path, "/v24.0/8007/messages");
}

#[tokio::test]
async fn an_instance_can_be_given_what_it_needs_later() {
    let stage = Stage::new().await;
    let made = stage.make(json!({"name": "later", "provider": "cloud_api"})).await.body;
    assert_eq!((&made["connection"], made.get("cloud_api")), (&json!("closed"), None));
    stage
        .ask(Method::PATCH, &made, "", Some(json!({"cloud_api": {"phone_number_id": "8007", "waba_id": "9001"}})))
        .await
        .is_problem_of("cloud_api.access_token");
    let given = json!({"cloud_api": {"phone_number_id": "8007", "waba_id": "9001", "access_token": TOKEN}});
    let changed = stage.did(Method::PATCH, &made, "", Some(given)).await;
    assert_eq!(changed["connection"], "open");
    assert!(changed["cloud_api"]["webhook"]["verify_token"].is_string());
    assert_eq!(stage.send_template("later").await["status"], "sent");
}

#[tokio::test]
async fn what_cannot_be_given_names_the_field() {
    let stage = Stage::new().await;
    let cloud = |change: Value| {
        let mut given = json!({"phone_number_id": "8007", "waba_id": "9001", "access_token": TOKEN});
        given.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({"name": "x", "provider": "cloud_api", "cloud_api": given})
    };
    let evolution = |change: Value| {
        let mut given = json!({"base_url": stage.evolution.url(), "instance_name": "front-desk", "api_key": API_KEY});
        given.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({"name": "x", "provider": "evolution", "evolution": given})
    };
    for (body, field) in [
        (cloud(json!({"phone_number_id": "../8007"})), "cloud_api.phone_number_id"),
        (cloud(json!({"waba_id": ""})), "cloud_api.waba_id"),
        (cloud(json!({"graph_version": "latest"})), "cloud_api.graph_version"),
        (cloud(json!({"throughput": 0})), "cloud_api.throughput"),
        (cloud(json!({"people_per_day": 0})), "cloud_api.people_per_day"),
        (cloud(json!({"access_token": "a\r\nb"})), "cloud_api.access_token"),
        (cloud(json!({"app_secret": 4711})), "cloud_api.app_secret"),
        (cloud(json!({"app_secret": ""})), "cloud_api.app_secret"),
        (cloud(json!({"unknown": 1})), "cloud_api.unknown"),
        (evolution(json!({"base_url": "ftp://evolution.example.com"})), "evolution.base_url"),
        (evolution(json!({"base_url": "http://10.0.0.7"})), "evolution.base_url"),
        (evolution(json!({"base_url": "https://evolution.example.com/?a"})), "evolution.base_url"),
        (evolution(json!({"instance_name": ""})), "evolution.instance_name"),
        (evolution(json!({"jwt_key": "two words"})), "evolution.jwt_key"),
        (json!({"name": "x", "provider": "sandbox", "cloud_api": {}}), "cloud_api"),
        (json!({"name": "x", "provider": "cloud_api", "evolution": {}}), "evolution"),
        (json!({"name": "x", "provider": "evolution", "evolution": {}}), "evolution.base_url"),
    ] {
        let answer = stage.make(body).await;
        answer.is_problem_of(field);
        assert!(!answer.body.to_string().contains("4711"), "{}", answer.body);
    }
}

#[tokio::test]
async fn in_production_evolution_api_must_be_where_the_policy_allows_it() {
    let terms = Terms::default();
    let settings = HttpSettings { destinations: DestinationPolicy::production(), ..terms.settings };
    let world = World::with(Terms { settings, ..terms }).await;
    for base_url in ["http://evolution.example.com", "https://10.0.0.7", "https://127.0.0.1", "https://evolution.internal"] {
        let given = json!({"base_url": base_url, "instance_name": "front-desk", "api_key": API_KEY});
        let body = json!({"name": "x", "provider": "evolution", "evolution": given});
        world.post(&format!("{ME}/instances"), &world.shop.key, body).await.is_problem_of("evolution.base_url");
    }
}

#[tokio::test]
async fn an_instance_of_evolution_api_is_made_linked_and_let_go() {
    let stage = Stage::new().await;
    let made = stage.evolution().await;
    let webhook_url = format!("https://gateway.example.com/providers/evolution/{}", text(&made, "id"));
    assert_eq!(made["evolution"]["webhook_url"], webhook_url);
    assert_eq!(stage.did(Method::POST, &made, "/provision", None).await["connection"], "closed");
    let received = stage.evolution.received();
    let created = received.iter().find(|received| received.path == "/instance/create").unwrap();
    assert_eq!(created.body["instanceName"], "front-desk");
    let webhook = &received.iter().find(|received| received.path == "/webhook/set/front-desk").unwrap().body["webhook"];
    assert_eq!(webhook["url"], webhook_url);
    assert!(webhook["headers"]["jwt_key"].as_str().is_some_and(|key| key.len() >= 32));

    let waits = stage.did(Method::POST, &made, "/connect", Some(json!({"phone": "+999501234567"}))).await;
    assert_eq!((&waits["connection"], &waits["pairing_code"]), (&json!("connecting"), &json!("FAKE1234")));
    assert!(waits["qr_svg"].as_str().unwrap().contains("<svg"));
    assert!(stage.evolution.received().iter().any(|received| received.path == "/instance/connect/front-desk?number=999501234567"));
    assert_eq!(stage.did(Method::GET, &made, "", None).await["connection"], "connecting");

    stage.evolution.set_state("open");
    assert_eq!(stage.did(Method::GET, &made, "/connection", None).await, json!({"connection": "open"}));
    assert_eq!(stage.send("evolution").await.status, 200);
    assert_eq!(stage.did(Method::POST, &made, "/restart", None).await, json!({"connection": "open"}));
    assert_eq!(stage.did(Method::POST, &made, "/logout", None).await, json!({"connection": "closed"}));
    stage.send("evolution").await.is_contract_error(409, "instance_not_connected");
}

#[tokio::test]
async fn a_provider_that_does_not_do_it_is_told() {
    let stage = Stage::new().await;
    let made = stage.evolution().await;
    stage.did(Method::PATCH, &made, "", Some(json!({"evolution": {"api_key": "not-the-key"}}))).await;
    let answer = stage.ask(Method::GET, &made, "/connection", None).await;
    let problem = answer.is_problem(502, "provider_failed");
    assert_eq!(problem["detail"], "the provider does not accept the key of the instance, or has no such instance");
    stage.did(Method::PATCH, &made, "", Some(json!({"evolution": {"base_url": "http://127.0.0.1:1"}}))).await;
    let answer = stage.ask(Method::POST, &made, "/connect", None).await;
    assert_eq!(answer.is_problem(502, "provider_failed")["detail"], "the provider cannot be reached");

    let bare = stage.make(json!({"name": "bare", "provider": "evolution"})).await.body;
    stage.ask(Method::POST, &bare, "/connect", None).await.is_problem(409, "instance_not_set_up");
    let cloud = stage.cloud().await;
    stage.ask(Method::POST, &cloud, "/connect", None).await.is_problem(409, "wrong_provider");
}

#[tokio::test]
async fn without_a_public_url_no_webhook_is_set_up() {
    let (evolution, world) = (FakeEvolution::start("front-desk", API_KEY).unwrap(), World::new().await);
    let given = json!({"base_url": evolution.url(), "instance_name": "front-desk", "api_key": API_KEY});
    let made = world
        .post(&format!("{ME}/instances"), &world.shop.key, json!({"name": "x", "provider": "evolution", "evolution": given}))
        .await
        .body;
    assert_eq!(made["evolution"]["webhook_url"], format!("/providers/evolution/{}", text(&made, "id")));
    for verb in ["/provision", "/webhook"] {
        world.ask(Method::POST, &path(&made, verb), &world.shop.key, None).await.is_problem(409, "public_url_missing");
    }
    assert!(evolution.received().is_empty(), "nothing is half done");
}
