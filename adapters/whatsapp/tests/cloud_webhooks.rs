//! Cloud webhooks: every sample is read as its manifest expects, and what is no notification is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be read fails its test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use gatepost::{Secret, Wish};
use gatepost_whatsapp::cloud::{SIGNATURE_HEADER, handshake, verify_signature, webhook};
use gatepost_whatsapp::{
    AccountEffect, AccountUpdate, Batch, Body, Chat, IdentityChange, Inbound, Item, Limit, Notice, Said, StatusUpdate, TemplateChange,
    TemplateUpdate,
};
use serde_json::Value;
use support::{bytes, json, manifest, path};

const APP_SECRET: &str = "gw-test-app-secret-2f6c1d9e8b7a4053";

fn read(file: &str) -> Batch {
    webhook(&bytes(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn one(file: &str) -> Item {
    let mut items = read(file).items;
    assert_eq!(items.len(), 1, "{file}");
    items.remove(0)
}

#[test]
fn every_webhook_is_of_the_kind_that_it_is_said_to_be() {
    for row in manifest("whatsapp", "webhooks/") {
        let (file, kind) = (path("whatsapp", &row), row["kind"].as_str().unwrap());
        let batch = read(&file);
        let bad = batch.malformed().count();
        assert_eq!(bad, usize::from(file.ends_with("one_bad_message_among_good.json")), "{file}: {batch:?}");
        match kind {
            "batch" | "retry" => {}
            "unknown_field" => assert!(batch.items.iter().all(|item| item.body == Body::Unknown), "{file}"),
            "smb_message_echoes" => assert!(batch.items.iter().all(|item| item.is_echo && !item.is_inbound()), "{file}"),
            _ => batch.items.iter().for_each(|item| check_kind(&file, kind, item)),
        }
    }
}

/// What the manifest calls unknown or other is kept under the word that Meta uses.
fn check_kind(file: &str, kind: &str, item: &Item) {
    let Some(prefix) = kind.strip_suffix("unknown").or(kind.strip_suffix("other")) else {
        assert_eq!(item.kind, kind, "{file}");
        return;
    };
    assert!(item.kind.starts_with(prefix), "{file}: {}", item.kind);
    let is_known = match &item.body {
        Body::Unknown => false,
        Body::Message(inbound) => inbound.said != Said::Unknown,
        Body::Identity(_) => false,
        _ => true,
    };
    assert!(!is_known, "{file}: {item:?}");
}

#[test]
fn every_expectation_of_the_manifest_holds() {
    let mut checked = 0;
    for row in manifest("whatsapp", "webhooks/") {
        let (file, kind) = (path("whatsapp", &row), row["kind"].as_str().unwrap());
        for (name, expected) in row["expect"].as_object().into_iter().flatten() {
            check(&file, kind, name, expected);
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} expectations were found");
}

fn check(file: &str, kind: &str, name: &str, expected: &Value) {
    let found = match (kind, name) {
        ("batch", _) => counted(&read(file), name),
        (_, "from") => Value::from(one(file).people.phone().map(|phone| phone.digits().to_string())),
        (_, "from_user_id") => Value::from(one(file).people.user_id().map(|id| id.as_str().to_owned())),
        (_, "from_parent_user_id") => json_of(&one(file))["people"][1]["parent_user_id"].clone(),
        (_, "username") => json_of(&one(file))["body"]["profile"]["username"].clone(),
        (_, "text") => json_of(&one(file))["body"]["text"].clone(),
        (_, "context_id") => json_of(&one(file))["body"]["quoted"]["id"].clone(),
        (_, "emoji") => json_of(&one(file))["body"]["said"]["emoji"].clone(),
        (_, "target") => json_of(&one(file))["body"]["said"]["to"].clone(),
        (_, "group_id") => Value::from(matches!(one(file).chat, Chat::Group { .. }) && !one(file).is_inbound()),
        (_, "opt_out_keyword") => Value::from(inbound(&one(file)).text.as_ref().is_some_and(|text| text.as_str() == "STOP")),
        ("message.system.user_changed_number", _) => number(&one(file), name),
        ("user_preferences", "wa_id") => Value::from(one(file).people.phone().map(|phone| phone.digits().to_string())),
        ("user_preferences", "opt_out") => opt_out(&one(file)),
        ("account_update", _) => account(&one(file), name),
        ("status.sent", "opaque") => json_of(&one(file))["body"]["callback_data"].clone(),
        ("status.failed", _) => error(&one(file), name),
        ("business_capability_update", "limit") => limit(&one(file)),
        ("phone_number_quality_update", "warning") => notice(&one(file)),
        ("template_category_update", _) => category(&one(file), name),
        ("message_template_status_update", "sendable") => sendable(&one(file)),
        _ => panic!("{file}: nobody knows what `{name}` means"),
    };
    assert_eq!(&found, expected, "{file}: {name}");
}

fn json_of(item: &Item) -> Value {
    serde_json::to_value(item).unwrap()
}

fn inbound(item: &Item) -> &Inbound {
    match &item.body {
        Body::Message(inbound) => inbound,
        other => panic!("{other:?}"),
    }
}

fn counted(batch: &Batch, name: &str) -> Value {
    let messages = || batch.items.iter().filter(|item| item.is_inbound());
    Value::from(match name {
        "messages" | "messages_ok" => messages().count(),
        "messages_bad" => batch.malformed().count(),
        "statuses" => batch.items.iter().filter(|item| matches!(item.body, Body::Status(_))).count(),
        "unique" => messages().map(|item| &item.key).collect::<BTreeSet<_>>().len(),
        _ => panic!("nobody knows what to count as {name}"),
    })
}

fn number(item: &Item, name: &str) -> Value {
    let Body::Identity(IdentityChange { now }) = &item.body else { panic!("{item:?}") };
    let addresses = if name == "old" { &item.people } else { now };
    Value::from(addresses.phone().map(|phone| phone.digits().to_string()))
}

fn opt_out(item: &Item) -> Value {
    let Body::Preference(preference) = &item.body else { panic!("{item:?}") };
    assert_eq!(preference.category, "marketing_messages");
    Value::from(preference.wish == Wish::Stop)
}

fn account(item: &Item, name: &str) -> Value {
    let Body::Account(AccountUpdate { effect, .. }) = &item.body else { panic!("{item:?}") };
    match (name, effect) {
        ("block", AccountEffect::Stops { what, .. }) => what.iter().map(|stopped| stopped.as_str()).collect(),
        ("until", AccountEffect::Stops { until, .. }) => Value::from(until.map(|until| until.as_millis() / 1_000)),
        ("warning", effect) => Value::from(*effect == AccountEffect::Warns),
        _ => panic!("{name}: {effect:?}"),
    }
}

fn error(item: &Item, name: &str) -> Value {
    let Body::Status(StatusUpdate { errors, .. }) = &item.body else { panic!("{item:?}") };
    match name {
        "code" => Value::from(errors[0].code),
        "class" => Value::from(errors[0].problem.as_str()),
        _ => panic!("{name}"),
    }
}

fn limit(item: &Item) -> Value {
    match &item.body {
        Body::Notice(Notice { limit: Some(Limit::People(people)), .. }) => Value::from(*people),
        Body::Notice(Notice { limit: Some(Limit::Unlimited), .. }) => Value::Null,
        other => panic!("{other:?}"),
    }
}

fn notice(item: &Item) -> Value {
    let Body::Notice(notice) = &item.body else { panic!("{item:?}") };
    Value::from(notice.is_warning)
}

fn template(item: &Item) -> &TemplateChange {
    match &item.body {
        Body::Template(TemplateUpdate { change, name: Some(_), .. }) => change,
        other => panic!("{other:?}"),
    }
}

fn category(item: &Item, name: &str) -> Value {
    let TemplateChange::Category { current, future, at } = template(item) else { panic!("{item:?}") };
    match name {
        "current" => Value::from(current.clone()),
        "future" => Value::from(future.clone()),
        "impending" => Value::from(future.is_some() && at.is_some()),
        _ => panic!("{name}"),
    }
}

fn sendable(item: &Item) -> Value {
    let TemplateChange::Status { is_sendable, .. } = template(item) else { panic!("{item:?}") };
    Value::from(*is_sendable)
}

#[test]
fn what_is_malformed_is_refused_or_put_aside_as_stated() {
    for row in manifest("whatsapp", "malformed/") {
        let file = path("whatsapp", &row);
        let found = webhook(&bytes(&file));
        let status = if found.is_ok() { 200 } else { 400 };
        let accepted = row["accept_http"].as_array().map_or_else(|| vec![row["expect_http"].clone()], Clone::clone);
        assert!(accepted.contains(&Value::from(status)), "{file}: {found:?}");
        let messages = found.iter().flat_map(|batch| &batch.items).filter(|item| item.is_inbound()).count();
        if let Some(expected) = row["expect_messages"].as_u64() {
            assert_eq!(messages as u64, expected, "{file}: {found:?}");
        }
    }
}

#[test]
fn what_is_put_aside_is_kept_as_it_came() {
    let batch = read("whatsapp/webhooks/batch__one_bad_message_among_good.json");
    let raw: Vec<Value> = batch.malformed().map(|item| serde_json::from_str(item.raw.as_ref().unwrap().as_str()).unwrap()).collect();
    assert_eq!(raw, [serde_json::json!({"from": "447700900123", "timestamp": "1795500000", "type": "text", "text": {"body": "no id"}})]);
}

#[test]
fn a_message_whose_part_cannot_be_read_is_still_a_message() {
    for (name, has_text) in [
        ("text__body_null", false),
        ("text__object_missing", false),
        ("media__id_missing", false),
        ("text__nul_character", true),
        ("message__type_missing", false),
        ("text__lone_surrogate", false),
        ("huge_number", true),
    ] {
        let item = one(&format!("whatsapp/malformed/{name}.json"));
        assert!(item.is_inbound(), "{name}: {item:?}");
        assert_eq!(inbound(&item).text.is_some(), has_text, "{name}: {item:?}");
    }
    let text = inbound(&one("whatsapp/malformed/text__nul_character.json")).text.clone();
    assert!(!text.unwrap().as_str().contains('\0'));
}

#[test]
fn people_are_told_by_their_addresses_and_never_by_their_place() {
    let batch = read("whatsapp/malformed/contacts__fewer_than_messages.json");
    let named: Vec<_> = batch.items.iter().map(|item| !format!("{:?}", inbound(item).profile).contains("None, username: None")).collect();
    assert_eq!(batch.items.len(), 2);
    assert!(named.contains(&true) && named.contains(&false), "{named:?}");
}

#[test]
fn a_repetition_has_the_same_keys() {
    let keys = |file| read(file).items.into_iter().map(|item| item.key).collect::<Vec<_>>();
    assert_eq!(keys("whatsapp/webhooks/retry__first_delivery.json"), keys("whatsapp/webhooks/retry__second_delivery_identical.json"));
}

#[test]
fn no_two_samples_share_a_key_unless_they_are_the_same() {
    // Two samples tell the same status of the same message, at different times.
    let is_told_twice = |item: &Item| item.kind == "status.read";
    let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
    for row in manifest("whatsapp", "webhooks/") {
        let file = path("whatsapp", &row);
        for item in read(&file).items.into_iter().filter(|item| !is_told_twice(item)) {
            let raw = serde_json::from_str::<Value>(item.raw.as_ref().unwrap().as_str()).unwrap().to_string();
            let (other, known) = seen.entry(item.key).or_insert_with(|| (file.clone(), raw.clone()));
            assert_eq!(*known, raw, "{file} and {other}");
        }
    }
}

#[test]
fn a_status_of_a_group_is_one_for_each_of_its_people() {
    let batch = read("whatsapp/webhooks/status_read__group_aggregated.json");
    let keys: BTreeSet<_> = batch.items.iter().map(|item| &item.key).collect();
    assert_eq!(keys.len(), 2);
    assert!(batch.items.iter().all(|item| matches!(item.chat, Chat::Group { .. }) && item.people.phone().is_some()));
}

#[test]
fn to_correct_says_something_and_to_take_back_says_nothing() {
    let standing = |name: &str| {
        let item = one(&format!("whatsapp/webhooks/{name}.json"));
        (item.is_inbound(), item.opens_window())
    };
    assert_eq!(standing("text__basic"), (true, true));
    assert_eq!(standing("edit__text"), (true, false));
    assert_eq!(standing("revoke__by_user"), (false, false));
    assert_eq!(standing("system__user_changed_number"), (false, false));
    assert_eq!(standing("group__text"), (false, false));
}

#[test]
fn a_person_without_a_number_is_a_person() {
    for name in ["text__bsuid_only_username_no_phone", "text__bsuid_parent_no_phone"] {
        let item = one(&format!("whatsapp/webhooks/{name}.json"));
        assert!(item.is_inbound() && item.people.phone().is_none() && item.people.user_id().is_some(), "{item:?}");
    }
    let both = one("whatsapp/webhooks/text__bsuid_and_phone.json");
    assert!(both.people.phone().is_some() && both.people.user_id().is_some());
}

#[test]
fn every_sample_is_signed_over_the_bytes_of_its_file() {
    let signatures = json("whatsapp/signatures.json");
    let rows = signatures["over_file_bytes"].as_object().unwrap();
    assert_eq!(rows.len(), manifest("whatsapp", "webhooks/").len());
    for (file, signature) in rows {
        let body = bytes(&format!("whatsapp/webhooks/{file}"));
        assert_eq!(verify_signature(&body, signature.as_str(), &[Secret::from(APP_SECRET)]), Ok(()), "{file}");
        let other = signatures["over_wire_form"][file].as_str().unwrap();
        assert_eq!(verify_signature(&body, [other], &[Secret::from(APP_SECRET)]).is_ok(), signature.as_str() == Some(other), "{file}");
    }
}

#[test]
fn signatures_hold_where_they_should_and_nowhere_else() {
    for row in manifest("whatsapp", "signatures/") {
        let case = json(&path("whatsapp", &row));
        let secrets: Vec<_> = case["app_secrets"].as_array().unwrap().iter().map(|secret| Secret::from(secret.as_str().unwrap())).collect();
        let body = decode(case["body_b64"].as_str().unwrap());
        let verified = verify_signature(&body, signature_headers(&case), &secrets);
        assert_eq!(verified.is_ok(), case["expect_valid"].as_bool().unwrap(), "{}: {verified:?}", case["name"]);
        if case["expect_parse"] == "error" {
            assert!(webhook(&body).is_err(), "{}", case["name"]);
        }
    }
}

/// All values of the header, however its name is written.
fn signature_headers(case: &Value) -> Vec<String> {
    let of_name = |(name, value): (&String, &Value)| name.eq_ignore_ascii_case(SIGNATURE_HEADER).then(|| value.clone());
    let values = case["headers"].as_object().unwrap().iter().filter_map(of_name);
    values
        .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value]))
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

fn decode(base64: &str) -> Vec<u8> {
    use base64ct::{Base64, Encoding};
    Base64::decode_vec(base64).unwrap()
}

#[test]
fn an_empty_secret_signs_nothing() {
    for secrets in [vec![], vec![Secret::from("")]] {
        let header = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        assert!(verify_signature(b"", Some(header), &secrets).is_err());
    }
}

#[test]
fn handshakes_are_answered_as_stated() {
    for row in manifest("whatsapp", "verification/") {
        let case = json(&path("whatsapp", &row));
        let query = case["path_query"].as_str().unwrap().split_once('?').map_or("", |(_, query)| query);
        let token = Secret::from(case["configured_verify_token"].as_str().unwrap());
        let answered = handshake(query, &token);
        let status = answered.as_ref().map_or_else(|refusal| refusal.status(), |_| 200);
        let accepted = case["accept_status"].as_array().map_or_else(|| vec![case["expect_status"].clone()], Clone::clone);
        assert!(accepted.contains(&Value::from(status)), "{}: {answered:?}", case["name"]);
        if let (Ok(challenge), Some(expected)) = (&answered, case["expect_body"].as_str()) {
            assert_eq!(challenge, expected, "{}", case["name"]);
        }
    }
    assert!(handshake("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", &Secret::from("")).is_err());
}
