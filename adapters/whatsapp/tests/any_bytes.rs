//! Any bytes: no webhook makes the reader panic, and one bad item spoils no other.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "what cannot be read fails its test")]

mod support;

use gatepost::{Secret, Timestamp};
use gatepost_whatsapp::cloud::{handshake, verify_signature};
use gatepost_whatsapp::evolution::verify_authorization;
use gatepost_whatsapp::{Batch, NotANotification, cloud, evolution};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json as made};
use support::{bytes, json, manifest, path};

type Read = fn(&[u8]) -> Result<Batch, NotANotification>;
const READERS: [Read; 2] = [cloud::webhook, evolution::webhook];

/// Reads, shows and stores whatever comes.
fn use_all(bytes: &[u8]) {
    for read in READERS {
        if let Ok(batch) = read(bytes) {
            let _ = (format!("{batch:?}"), serde_json::to_string(&batch).unwrap(), batch.counts().len());
        }
    }
}

/// The bodies of all samples.
fn corpus() -> Vec<Vec<u8>> {
    let cloud = ["webhooks/", "malformed/"].into_iter().flat_map(|folder| manifest("whatsapp", folder));
    let cloud = cloud.map(|row| bytes(&path("whatsapp", &row)));
    let evolution = manifest("evolution", "webhooks/");
    let evolution = evolution.iter().map(|row| json(&path("evolution", row))["body"].to_string().into_bytes());
    cloud.chain(evolution).collect()
}

#[test]
fn every_sample_cut_short_anywhere_is_read_or_refused() {
    for body in corpus().into_iter().filter(|body| body.len() < 1_500) {
        (0..body.len()).for_each(|end| use_all(&body[..end]));
    }
}

/// Puts something else where each value of a sample stands, one after the other.
fn replaced(value: &Value, with: &Value, results: &mut Vec<Value>, rebuild: &dyn Fn(Value) -> Value) {
    results.push(rebuild(with.clone()));
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let here = |inner: Value| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), inner);
                    rebuild(Value::Object(fields))
                };
                replaced(inner, with, results, &here);
            }
        }
        Value::Array(elements) => {
            for (place, inner) in elements.iter().enumerate() {
                let here = |inner: Value| {
                    let mut elements = elements.clone();
                    elements[place] = inner;
                    rebuild(Value::Array(elements))
                };
                replaced(inner, with, results, &here);
            }
        }
        _ => {}
    }
}

#[test]
fn every_sample_with_anything_in_any_place_is_read_or_refused() {
    let odd = [made!(null), made!([]), made!({}), made!(-1), made!("\u{0}"), made!([[1]]), made!(1e300)];
    for body in corpus().into_iter().filter(|body| body.len() < 3_000) {
        let Ok(sample) = serde_json::from_slice::<Value>(&body) else { continue };
        for with in &odd {
            let mut results = Vec::new();
            replaced(&sample, with, &mut results, &|value| value);
            results.iter().for_each(|value| use_all(value.to_string().as_bytes()));
        }
    }
}

fn message(index: usize) -> Value {
    made!({"from": "999501234567", "id": format!("wamid.{index}"), "timestamp": "1795500000", "type": "text", "text": {"body": "good"}})
}

fn body_of(messages: &[String]) -> String {
    let list = messages.join(",");
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9001","changes":[{{"field":"messages",
            "value":{{"metadata":{{"phone_number_id":"8007"}},"messages":[{list}]}}}}]}}]}}"#
    )
}

fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1e400".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| made!(text).to_string()),
    ];
    let name =
        prop_oneof![Just("id"), Just("from"), Just("type"), Just("text"), Just("context"), Just("interactive"), Just("errors"), Just("x")];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let object = vec((name.clone(), inner.clone()), 0..5).prop_map(|fields| {
            format!("{{{}}}", fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(","))
        });
        prop_oneof![object, vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(",")))]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..400)) {
        use_all(&bytes);
    }

    #[test]
    fn no_json_makes_a_reader_panic(value in json_value()) {
        use_all(value.as_bytes());
        use_all(format!(r#"{{"object":"whatsapp_business_account","entry":{value}}}"#).as_bytes());
        use_all(format!(r#"{{"event":"messages.upsert","instance":"a","data":{value}}}"#).as_bytes());
    }

    #[test]
    fn one_bad_message_spoils_no_other(bad in json_value(), count in 1usize..6, place in 0usize..6) {
        let mut messages: Vec<_> = (0..count).map(|index| message(index).to_string()).collect();
        messages.insert(place.min(count), bad);
        let batch = cloud::webhook(body_of(&messages).as_bytes()).unwrap();
        prop_assert_eq!(batch.items.len(), count + 1);
        for index in 0..count {
            let key = format!("8007:message:wamid.{index}");
            prop_assert!(batch.items.iter().any(|item| item.key == key && item.is_inbound()));
        }
    }

    #[test]
    fn no_header_makes_a_check_panic(header in vec(any::<u8>(), 0..120), body in vec(any::<u8>(), 0..40)) {
        let secret = Secret::from("secret");
        let _ = verify_authorization([&header], &secret, Timestamp::from_millis(1_795_500_000_000));
        prop_assert!(verify_signature(&body, [&header], &[secret]).is_err());
    }

    #[test]
    fn no_query_makes_a_handshake_panic(query in ".{0,80}") {
        let _ = handshake(&query, &Secret::from("token"));
    }

    #[test]
    fn a_signature_holds_for_its_body_and_secret_only(body in vec(any::<u8>(), 1..200), place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let secrets = [Secret::from("old"), Secret::from("new")];
        let header = cloud::sign(&body, &secrets[1]);
        prop_assert_eq!(verify_signature(&body, Some(&header), &secrets), Ok(()));
        prop_assert!(verify_signature(&body, Some(&header), &secrets[..1]).is_err());
        let mut changed = body.clone();
        changed[place.index(body.len())] ^= 1 << bit;
        prop_assert!(verify_signature(&changed, Some(&header), &secrets).is_err());
    }
}

#[test]
fn a_thousand_messages_are_read_one_by_one() {
    let messages: Vec<_> = (0..1_000).map(|index| if index % 10 == 0 { "{}".to_owned() } else { message(index).to_string() }).collect();
    let batch = cloud::webhook(body_of(&messages).as_bytes()).unwrap();
    assert_eq!((batch.counts()["message.text"], batch.counts()["malformed"]), (900, 100));
}
