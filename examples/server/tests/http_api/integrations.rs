//! Integrations: a 3CX phone system is set up, changed and removed, and its log is read.

use axum::http::Method;
use gatepost::{
    CallDetails, Conclusion, DestinationPolicy, Entered, EntryOutcome, Host, IntegrationId, IntegrationSecret, Keyring,
    NewIntegrationEntry, PhoneLine, Scope, Scopes,
};
use gatepost_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::scene::{ME, items, text};
use crate::world::{Answer, Terms, World, key_terms};

/// The URL of a trunk, whose path nobody is told.
const PBX: &str = "http://127.0.0.1:5001/sms/generic/s3cret-path";
const NUMBER: &str = "+999220000001";

fn integration(made: &Value, rest: &str) -> String {
    format!("{ME}/integrations/{}{rest}", text(made, "id"))
}

fn id(made: &Value) -> IntegrationId {
    text(made, "id").parse().unwrap()
}

/// A gateway that is reached from outside.
async fn reached() -> World {
    let terms = Terms::default();
    let settings = HttpSettings { public_url: Some("https://gateway.example".to_owned()), ..terms.settings };
    World::with(Terms { settings, ..terms }).await
}

impl World {
    /// Adds an integration of the shop, and gives it as it was answered.
    async fn add_integration(&self, with: Value) -> Value {
        let mut body = json!({"name": "office", "instance_id": "support"});
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let made = self.post(&format!("{ME}/integrations"), &self.shop.key, body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body
    }

    async fn change(&self, made: &Value, body: Value) -> Answer {
        self.ask(Method::PATCH, &integration(made, ""), &self.shop.key, Some(body)).await
    }

    async fn changed(&self, made: &Value, body: Value) -> Value {
        self.did(Method::PATCH, &integration(made, ""), Some(body)).await
    }

    /// The line of an integration as it is kept: its URL and its number.
    async fn line(&self, made: &Value) -> (String, String) {
        let account = self.app.gateway.account(self.shop.id);
        let endpoint = account.store().integration(id(made)).await.unwrap().unwrap().endpoint.unwrap();
        let sealed = account.store().endpoint(endpoint).await.unwrap().unwrap().secrets;
        let keyring = Keyring::new([(1, [7; 32].into())]).unwrap();
        let line = PhoneLine::open(self.shop.id, endpoint, &sealed, &keyring).unwrap();
        (line.url.expose().to_owned(), line.number.e164())
    }

    /// Writes something into the log, as its phone system said it.
    async fn says(&self, made: &Value, kind: &str, phone: Option<&str>, details: CallDetails) -> u64 {
        let entry = NewIntegrationEntry {
            integration: id(made),
            kind: kind.to_owned(),
            phone: phone.map(|phone| phone.parse().unwrap()),
            details,
            key: None,
            is_limited: false,
            is_told: false,
            at: self.host.now(),
        };
        let Entered::New(entry) = self.app.gateway.account(self.shop.id).store().enter(entry).await.unwrap() else { panic!("an entry") };
        entry
    }

    async fn log(&self, query: &str) -> Vec<Value> {
        items(&self.get(&format!("{ME}/integrations/log{query}"), &self.shop.key).await).clone()
    }
}

#[tokio::test]
async fn a_new_integration_has_its_secrets_and_may_do_nothing_yet() {
    let world = reached().await;
    let asked = json!({"name": "office", "instance_id": "support"});
    let made = world.post(&format!("{ME}/integrations"), &world.shop.key, asked).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let (made, location) = (&made.body, made.header("location"));
    let id = text(made, "id");
    assert_eq!(location, world.shop_path(&format!("/integrations/{id}")));
    assert_eq!(made["instance_id"], world.shop.instance.to_string());
    for (setting, is_on) in [
        ("enabled", true),
        ("strict_conversation_window", true),
        ("inbound_enabled", false),
        ("outbound_enabled", false),
        ("call_event_enabled", false),
        ("must_be_signed", false),
    ] {
        assert_eq!(made[setting], is_on, "{setting}");
    }
    assert_eq!((&made["pbx"], &made["number"], &made["allowed_ips"]), (&json!(null), &json!(null), &json!([])));
    assert_eq!(text(made, "webhook_url"), format!("https://gateway.example/integrations/3cx/webhook/{id}"));
    assert_eq!(text(made, "trunk_url"), format!("https://gateway.example/3cx/{id}/sms"));
    assert_eq!(text(made, "crm_url"), format!("https://gateway.example/3cx/{id}/crm"));
    for (kind, template) in made["templates"].as_object().unwrap() {
        assert!(template["enabled"] == false && !text(template, "text").is_empty(), "{kind}");
    }
    for (name, head) in [("webhook_secret", "3cxwhs_"), ("trunk_key", "3cxsms_"), ("crm_key", "3cxcrm_")] {
        assert!(text(&made["secrets"], name).starts_with(head), "{name}");
    }
    let mut later = made.clone();
    later.as_object_mut().unwrap().remove("secrets");
    assert_eq!(world.read(&integration(made, "")).await, later);
    assert_eq!(items(&world.get(&format!("{ME}/integrations"), &world.shop.key).await), &[later]);
}

#[tokio::test]
async fn without_a_public_url_nobody_is_told_what_to_call() {
    let world = World::new().await;
    let made = world.add_integration(json!({})).await;
    for url in ["webhook_url", "trunk_url", "crm_url"] {
        assert_eq!(made.get(url), None);
    }
    world.get(&integration(&made, "/crm-template"), &world.shop.key).await.is_problem(409, "public_url_missing");
}

#[tokio::test]
async fn secrets_and_the_url_of_a_phone_system_are_never_shown_again() {
    let world = reached().await;
    let line = json!({"number": NUMBER, "pbx_url": PBX, "inbound_enabled": true});
    let made = world.add_integration(line).await;
    let pbx = &made["pbx"];
    assert_eq!((text(pbx, "origin"), text(pbx, "state"), text(pbx, "number")), ("http://127.0.0.1:5001", "enabled", NUMBER));
    assert_eq!(world.line(&made).await, (PBX.to_owned(), NUMBER.to_owned()));

    let mut secrets: Vec<String> =
        made["secrets"].as_object().unwrap().values().map(|secret| secret.as_str().unwrap().to_owned()).collect();
    for which in ["webhook", "trunk", "crm"] {
        let rotated = world.act(&integration(&made, &format!("/secrets/{which}/rotate"))).await;
        secrets.push(text(&rotated, "secret").to_owned());
    }
    let seen = [
        world.change(&made, json!({"name": "desk"})).await,
        world.get(&integration(&made, ""), &world.shop.key).await,
        world.get(&integration(&made, "/crm-template"), &world.shop.key).await,
        world.get(&format!("{ME}/integrations"), &world.shop.key).await,
        world.get(&world.shop_path("/integrations"), &world.operator).await,
        world.get(&format!("{ME}/integrations/log"), &world.shop.key).await,
        world.get(&format!("{ME}/endpoints"), &world.shop.key).await,
        world.get(&world.shop_path("/endpoints"), &world.operator).await,
        world.change(&made, json!({"pbx_url": format!("{PBX}-2")})).await,
        world.change(&made, json!({"pbx_url": "https://10.0.0.1/sms/generic/s3cret-path"})).await,
        world.change(&made, json!({"pbx_url": 7, "name": "x"})).await,
        world.change(&made, json!({"pbx_url": ["s3cret-path"]})).await,
        world.ask(Method::DELETE, &integration(&made, ""), &world.shop.key, None).await,
    ];
    for answer in seen {
        let told = String::from_utf8_lossy(&answer.bytes);
        assert!(!told.contains("s3cret-path") && !told.contains("generic/s3"), "{told}");
        assert!(secrets.iter().all(|secret| !told.contains(secret)) && !told.contains("\"secrets\""), "{told}");
    }
    assert!(made.to_string().contains("secrets") && !made.to_string().contains("s3cret-path"));
}

#[tokio::test]
async fn a_rotated_secret_takes_the_place_of_the_one_before_and_of_no_other() {
    let world = World::new().await;
    let made = world.add_integration(json!({})).await;
    let keyring = Keyring::new([(1, [7; 32].into())]).unwrap();
    let kept = async |which| {
        let present = world.app.gateway.account(world.shop.id).store().integration(id(&made)).await.unwrap().unwrap();
        present.open_secrets(world.shop.id, &keyring).unwrap().get(which).expose().to_owned()
    };
    let rotated = world.act(&integration(&made, "/secrets/trunk/rotate")).await;
    assert_ne!(rotated["secret"], made["secrets"]["trunk_key"]);
    assert_eq!(kept(IntegrationSecret::Trunk).await, text(&rotated, "secret"));
    assert_eq!(kept(IntegrationSecret::Webhook).await, text(&made["secrets"], "webhook_secret"));
    assert_eq!(kept(IntegrationSecret::Crm).await, text(&made["secrets"], "crm_key"));
    let unknown = world.ask(Method::POST, &integration(&made, "/secrets/other/rotate"), &world.shop.key, None).await;
    unknown.is_problem(404, "not_found");
}

#[tokio::test]
async fn what_an_integration_cannot_be_names_the_field() {
    let world = World::new().await;
    let made = world.add_integration(json!({})).await;
    let others = world.other.instance.to_string();
    let networks: Vec<_> = (0..65).map(|host| format!("10.0.0.{host}")).collect();
    let wrong = [
        (json!({"name": ""}), "name"),
        (json!({"instance_id": "nowhere"}), "instance_id"),
        (json!({"instance_id": others}), "instance_id"),
        (json!({"enabled": "yes"}), "enabled"),
        (json!({"allowed_ips": ["office"]}), "allowed_ips[0]"),
        (json!({"allowed_ips": networks}), "allowed_ips"),
        (json!({"number": "office"}), "number"),
        (json!({"pbx_url": PBX}), "number"),
        (json!({"number": NUMBER, "pbx_url": "ftp://127.0.0.1/sms/generic/1"}), "pbx_url"),
        (json!({"number": NUMBER, "pbx_url": "https://10.1.2.3/sms/generic/1"}), "pbx_url"),
        (json!({"number": NUMBER, "pbx_url": "http://127.0.0.1/"}), "pbx_url"),
        (json!({"number": NUMBER, "pbx_url": "http://127.0.0.1/sms/generic/"}), "pbx_url"),
        (json!({"number": NUMBER, "pbx_url": "http://127.0.0.1/sms/generic/?id=1"}), "pbx_url"),
        (json!({"number": NUMBER, "pbx_url": "http://127.0.0.1/sms/generic/../x"}), "pbx_url"),
        (json!({"templates": {"other": {"enabled": true}}}), "templates.other"),
        (json!({"templates": {"missed_call": {"text": ""}}}), "templates.missed_call.text"),
        (json!({"templates": {"voicemail": {"text": "{{queue"}}}), "templates.voicemail.text"),
        (json!({"templates": {"call_ended": {"text": "{{password}}"}}}), "templates.call_ended.text"),
        (json!({"templates": {"after_hours": {"text": "x".repeat(1_025)}}}), "templates.after_hours.text"),
        (json!({"secrets": {}}), "secrets"),
    ];
    for (body, field) in wrong {
        world.change(&made, body.clone()).await.is_problem_of(field);
        let mut whole = json!({"name": "office", "instance_id": "support"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        world.post(&format!("{ME}/integrations"), &world.shop.key, whole).await.is_problem_of(field);
    }
    for (body, field) in [(json!({"instance_id": "support"}), "name"), (json!({"name": "office"}), "instance_id")] {
        world.post(&format!("{ME}/integrations"), &world.shop.key, body).await.is_problem_of(field);
    }
    let refused = world.change(&made, json!({"number": NUMBER, "pbx_url": "http://127.0.0.1/hooks"})).await;
    assert_eq!(refused.body["errors"][0]["message"], "expected the Webhook URL that 3CX shows: https://<host>/sms/generic/<id>");
    assert_eq!(items(&world.get(&format!("{ME}/integrations"), &world.shop.key).await).len(), 1);
    assert_eq!(world.read(&integration(&made, "")).await["revision"], made["revision"]);
}

#[tokio::test]
async fn phone_systems_are_judged_by_a_policy_of_their_own() {
    let terms = Terms::default();
    let settings = HttpSettings { phone_systems: DestinationPolicy::production(), ..terms.settings };
    let world = World::with(Terms { settings, ..terms }).await;
    let made = world.add_integration(json!({})).await;
    let refused = world.change(&made, json!({"number": NUMBER, "pbx_url": PBX})).await;
    refused.is_problem_of("pbx_url");
    assert_eq!(refused.body["errors"][0]["reason"], "scheme-http");
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let world = World::new().await;
    let made = world.add_integration(json!({"number": NUMBER, "allowed_ips": ["203.0.113.7", "2001:db8::1", "192.0.2.9/24"]})).await;
    assert_eq!(made["allowed_ips"], json!(["203.0.113.7/32", "2001:db8::1/128", "192.0.2.0/24"]));
    let templates = json!({"missed_call": {"text": "Sorry, {{ queue }}."}, "voicemail": {"enabled": true}});
    let changed = world.changed(&made, json!({"call_event_enabled": true, "templates": templates})).await;
    let again = world.changed(&made, json!({"templates": {"missed_call": {"enabled": true}}})).await;
    assert_eq!(again["templates"]["missed_call"], json!({"enabled": true, "text": "Sorry, {{queue}}."}));
    assert_eq!(again["templates"]["voicemail"]["text"], made["templates"]["voicemail"]["text"]);
    assert_eq!((&again["templates"]["voicemail"]["enabled"], &again["call_event_enabled"]), (&json!(true), &json!(true)));
    for field in ["name", "enabled", "instance_id", "allowed_ips", "number", "strict_conversation_window", "created_at", "pbx"] {
        assert_eq!(changed[field], made[field], "{field}");
    }
    let anywhere = world.changed(&made, json!({"allowed_ips": [], "number": null, "enabled": false})).await;
    assert_eq!((&anywhere["allowed_ips"], &anywhere["number"], &anywhere["enabled"]), (&json!([]), &json!(null), &json!(false)));
}

#[tokio::test]
async fn a_line_follows_its_integration() {
    let world = World::new().await;
    world.did(Method::POST, &format!("{ME}/instances"), Some(json!({"name": "till", "provider": "sandbox"}))).await;
    let made = world.add_integration(json!({"number": NUMBER, "pbx_url": PBX})).await;
    assert_eq!(made["pbx"]["state"], "disabled", "nothing is switched on that it would be posted");
    let told = async || {
        let account = world.app.gateway.account(world.shop.id);
        let endpoint = account.store().integration(id(&made)).await.unwrap().unwrap().endpoint.unwrap();
        let endpoint = account.store().endpoint(endpoint).await.unwrap().unwrap();
        let names: Vec<String> = endpoint.filter.clone().into();
        (names, endpoint.instance.unwrap().to_string(), endpoint.state().as_str())
    };
    let on = world.changed(&made, json!({"inbound_enabled": true, "instance_id": "till"})).await;
    assert_eq!(told().await, (vec!["message.received".to_owned()], text(&on, "instance_id").to_owned(), "enabled"));
    world.changed(&made, json!({"outbound_enabled": true})).await;
    assert_eq!(told().await.0.len(), 4);
    assert_eq!(world.changed(&made, json!({"enabled": false})).await["pbx"]["state"], "disabled");

    let renumbered = world.changed(&made, json!({"number": "+999220000002"})).await;
    assert_eq!(text(&renumbered["pbx"], "number"), "+999220000002");
    assert_eq!(world.line(&made).await, (PBX.to_owned(), "+999220000002".to_owned()));
    world.change(&made, json!({"number": null})).await.is_problem_of("number");
    let moved = world.changed(&made, json!({"pbx_url": "http://127.0.0.1:5002/sms/generic/other", "number": NUMBER})).await;
    assert_eq!((text(&moved["pbx"], "origin"), &moved["pbx"]["endpoint_id"]), ("http://127.0.0.1:5002", &made["pbx"]["endpoint_id"]));
    assert_eq!(world.line(&made).await, ("http://127.0.0.1:5002/sms/generic/other".to_owned(), NUMBER.to_owned()));

    let ended = world.changed(&made, json!({"pbx_url": null, "number": null})).await;
    assert_eq!((&ended["pbx"], &ended["number"]), (&json!(null), &json!(null)));
    let back = world.changed(&made, json!({"pbx_url": PBX, "number": NUMBER, "enabled": true})).await;
    assert_eq!(back["pbx"]["state"], "enabled");
    assert_ne!(back["pbx"]["endpoint_id"], made["pbx"]["endpoint_id"]);
}

#[tokio::test]
async fn changes_at_once_do_not_undo_each_other() {
    let world = World::new().await;
    let made = world.add_integration(json!({"number": NUMBER, "pbx_url": PBX})).await;
    let change = |body| world.changed(&made, body);
    let rotate = integration(&made, "/secrets/crm/rotate");
    tokio::join!(
        change(json!({"inbound_enabled": true})),
        change(json!({"outbound_enabled": true})),
        change(json!({"call_event_enabled": true})),
        change(json!({"templates": {"missed_call": {"enabled": true}}})),
        change(json!({"templates": {"voicemail": {"enabled": true}}})),
        change(json!({"number": "+999220000002"})),
        change(json!({"name": "desk"})),
        world.act(&rotate),
    );
    let now = world.read(&integration(&made, "")).await;
    for setting in ["inbound_enabled", "outbound_enabled", "call_event_enabled"] {
        assert_eq!(now[setting], true, "{setting}");
    }
    assert_eq!((&now["templates"]["missed_call"]["enabled"], &now["templates"]["voicemail"]["enabled"]), (&json!(true), &json!(true)));
    assert_eq!((text(&now, "name"), text(&now["pbx"], "state"), text(&now, "number")), ("desk", "enabled", "+999220000002"));
    assert_eq!(world.line(&made).await.1, "+999220000002");
}

#[tokio::test]
async fn a_removed_integration_is_gone_but_for_its_log() {
    let world = World::new().await;
    let made = world.add_integration(json!({"number": NUMBER, "pbx_url": PBX, "inbound_enabled": true})).await;
    world.says(&made, "test", None, CallDetails::default()).await;
    let removed = world.did(Method::DELETE, &integration(&made, ""), None).await;
    assert_eq!((&removed["removed_at"], text(&removed["pbx"], "state")), (&json!(world.host.now().to_string()), "removed"));
    for (method, rest, body) in [
        (Method::GET, "", None),
        (Method::GET, "/crm-template", None),
        (Method::PATCH, "", Some(json!({"name": "again"}))),
        (Method::DELETE, "", None),
        (Method::POST, "/secrets/crm/rotate", None),
    ] {
        world.ask(method, &integration(&made, rest), &world.shop.key, body).await.is_problem(404, "not_found");
    }
    assert_eq!(items(&world.get(&format!("{ME}/integrations"), &world.shop.key).await).len(), 0);
    assert_eq!(world.log(&format!("?integration_id={}", text(&made, "id"))).await.len(), 1);
}

#[tokio::test]
async fn another_accounts_integration_is_not_found() {
    let world = reached().await;
    let made = world.add_integration(json!({})).await;
    for (method, rest, body) in [
        (Method::GET, "", None),
        (Method::GET, "/crm-template", None),
        (Method::PATCH, "", Some(json!({"name": "mine"}))),
        (Method::DELETE, "", None),
        (Method::POST, "/secrets/webhook/rotate", None),
    ] {
        world.ask(method, &integration(&made, rest), &world.other.key, body).await.is_problem(404, "not_found");
    }
    world.says(&made, "test", None, CallDetails::default()).await;
    assert_eq!(items(&world.get(&format!("{ME}/integrations/log"), &world.other.key).await).len(), 0);
    assert_eq!(world.read(&integration(&made, "")).await["name"], "office");
}

#[tokio::test]
async fn an_operator_may_do_it_for_any_account_while_3cx_is_off() {
    let world = reached().await;
    world.done(Method::PATCH, &world.shop_path(""), Some(json!({"threecx_enabled": false}))).await;
    let body = json!({"name": "office", "instance_id": "support"});
    let made = world.done(Method::POST, &world.shop_path("/integrations"), Some(body)).await;
    let path = world.shop_path(&format!("/integrations/{}", text(&made, "id")));
    assert_eq!(world.done(Method::PATCH, &path, Some(json!({"name": "desk"}))).await["name"], "desk");
    world.done(Method::POST, &format!("{path}/secrets/webhook/rotate"), None).await;
    world.done(Method::DELETE, &path, None).await;
}

#[tokio::test]
async fn an_account_has_fifty_integrations_at_most() {
    let world = World::new().await;
    for _ in 0..50 {
        world.add_integration(json!({})).await;
    }
    let body = json!({"name": "office", "instance_id": "support"});
    world.post(&format!("{ME}/integrations"), &world.shop.key, body).await.is_problem(409, "integration_limit_reached");
}

#[tokio::test]
async fn a_line_takes_no_room_from_endpoints() {
    let world = World::new().await;
    let endpoint = json!({"url": "http://127.0.0.1:1/", "events": ["*"], "verify": false});
    for _ in 0..50 {
        world.done(Method::POST, &world.shop_path("/endpoints"), Some(endpoint.clone())).await;
    }
    assert_eq!(world.add_integration(json!({"number": NUMBER, "pbx_url": PBX})).await["pbx"]["number"], NUMBER);
}

#[tokio::test]
async fn integrations_are_read_with_either_scope_and_changed_with_one() {
    let world = reached().await;
    let made = world.add_integration(json!({})).await;
    for (scope, reads, changes, reads_log) in
        [(Scope::IntegrationsWrite, true, true, true), (Scope::MessagesRead, true, false, false), (Scope::LogsRead, false, false, true)]
    {
        let key = world.key_with([scope]).await;
        let status = |is_open| if is_open { 200 } else { 403 };
        assert_eq!(world.get(&integration(&made, ""), &key).await.status.as_u16(), status(reads), "{scope:?}");
        assert_eq!(world.get(&integration(&made, "/crm-template"), &key).await.status.as_u16(), status(reads), "{scope:?}");
        let patched = world.ask(Method::PATCH, &integration(&made, ""), &key, Some(json!({"name": "desk"}))).await;
        assert_eq!(patched.status.as_u16(), status(changes), "{scope:?}");
        let rotated = world.ask(Method::POST, &integration(&made, "/secrets/crm/rotate"), &key, None).await;
        assert_eq!(rotated.status.as_u16(), status(changes), "{scope:?}");
        assert_eq!(world.get(&format!("{ME}/integrations/log"), &key).await.status.as_u16(), status(reads_log), "{scope:?}");
    }
    assert!(key_terms(Scopes::all()).scopes.iter().any(|scope| scope == Scope::IntegrationsWrite));
}

#[tokio::test]
async fn the_log_is_read_in_parts_and_by_what_is_looked_for() {
    let world = World::new().await;
    let (office, desk) = (world.add_integration(json!({})).await, world.add_integration(json!({"name": "desk"})).await);
    let queue = CallDetails { queue: Some("sales".to_owned()), ..CallDetails::default() };
    let first = world.says(&office, "missed_call", Some("+999501234567"), queue).await;
    let second = world.says(&desk, "sms", Some("+999501234568"), CallDetails::default()).await;
    let third = world.says(&office, "test", None, CallDetails::default()).await;
    let (outcome, reason, at) = (EntryOutcome::Skipped, Some("template_disabled".to_owned()), world.host.now());
    let conclusion = Conclusion { outcome, reason, message: None, is_answered: true, at };
    assert!(world.app.gateway.account(world.shop.id).store().conclude(first, conclusion).await.unwrap());

    let all = world.log("").await;
    assert_eq!(all.iter().map(|entry| entry["log_id"].as_u64().unwrap()).collect::<Vec<_>>(), [third, second, first]);
    let at = world.host.now().to_string();
    let expected = json!({
        "log_id": first, "integration_id": text(&office, "id"), "direction": "in", "kind": "missed_call", "phone": "+999501234567",
        "details": {"queue": "sales"}, "outcome": "skipped", "reason": "template_disabled", "at": at,
    });
    assert_eq!(all[2], expected);

    assert_eq!(world.log(&format!("?integration_id={}", text(&desk, "id"))).await, all[1..2]);
    assert_eq!(world.log("?kind=test").await, all[..1]);
    assert_eq!(world.log("?outcome=skipped").await, all[2..]);
    assert_eq!(world.log("?direction=in&outcome=received").await, all[..2]);
    assert_eq!(world.log("?direction=out").await, [] as [Value; 0]);
    let search = async |body| world.post(&format!("{ME}/integrations/log/search"), &world.shop.key, body).await;
    assert_eq!(items(&search(json!({"phone": "+999 50 123 4567"})).await), &all[2..]);
    assert_eq!(items(&search(json!({"phone": "+999501234567", "direction": "out"})).await).len(), 0);

    let page = world.get(&format!("{ME}/integrations/log?limit=2"), &world.shop.key).await;
    assert_eq!((items(&page).as_slice(), &page.body["next_cursor"]), (&all[..2], &json!(second.to_string())));
    assert!(page.header("link").contains("rel=\"next\""));
    let rest = world.get(&format!("{ME}/integrations/log?limit=2&cursor={second}"), &world.shop.key).await;
    assert_eq!((items(&rest).as_slice(), rest.body.get("next_cursor")), (&all[2..], None));

    for (query, field) in [
        ("?direction=up", "direction"),
        ("?outcome=lost", "outcome"),
        ("?integration_id=x", "integration_id"),
        ("?cursor=x", "cursor"),
        ("?phone=1", "phone"),
    ] {
        world.get(&format!("{ME}/integrations/log{query}"), &world.shop.key).await.is_problem_of(field);
    }
    search(json!({})).await.is_problem_of("phone");
    search(json!({"phone": "x"})).await.is_problem_of("phone");
}

#[tokio::test]
async fn a_crm_template_calls_its_own_integration() {
    let world = reached().await;
    let made = world.add_integration(json!({"name": "Head & Office"})).await;
    let answer = world.get(&integration(&made, "/crm-template"), &world.shop.key).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/xml"));
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"gatepost-crm.xml\"");
    let xml = String::from_utf8(answer.bytes.to_vec()).unwrap();
    assert!(xml.contains(&format!("Default=\"{}\"", text(&made, "crm_url"))) && xml.contains("Name=\"Head &amp; Office\""), "{xml}");
    let mut open = Vec::new();
    for tag in xml.split('<').skip(1).filter(|tag| !tag.starts_with(['?', '!'])) {
        let name = tag.split([' ', '>', '/']).find(|part| !part.is_empty()).unwrap();
        match (tag.starts_with('/'), tag.split('>').next().unwrap().ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name), "{tag}"),
            (false, true) => {}
            (false, false) => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
