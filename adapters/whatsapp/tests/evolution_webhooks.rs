//! Evolution webhooks: every sample is read as it should be.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be read fails its test")]

mod support;

use gatepost::{Connection, Secret, Timestamp, Words};
use gatepost_whatsapp::evolution::{NotAuthorized, authorization, verify_authorization, webhook};
use gatepost_whatsapp::{Body, Chat, Item, Line};
use serde_json::{Value, json as made};
use support::{json, manifest, path};

fn read(name: &str) -> Vec<Item> {
    read_body(&json(&format!("evolution/webhooks/{name}.json"))["body"])
}

fn read_body(body: &Value) -> Vec<Item> {
    webhook(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}")).items
}

fn one(name: &str) -> Item {
    let mut items = read(name);
    assert_eq!(items.len(), 1, "{name}");
    items.remove(0)
}

fn shown(item: &Item) -> Value {
    let mut value = serde_json::to_value(item).unwrap();
    value.as_object_mut().unwrap().remove("key");
    value
}

/// What each sample is read as: its kind, whether it counts as inbound, and its text.
const READINGS: &[(&str, &str, bool, Option<&str>)] = &[
    ("by_events_path_and_jwt", "message.conversation", true, Some("jwt")),
    ("connection__close_logged_out_401", "connection.update", false, None),
    ("connection__connecting", "connection.update", false, None),
    ("connection__open", "connection.update", false, None),
    ("connection__refused", "connection.update", false, None),
    ("malformed__data_array", "message.conversation", true, Some("x")),
    ("malformed__data_missing", "malformed", false, None),
    ("malformed__instance_unknown", "message.conversation", true, Some("x")),
    ("malformed__timestamp_string", "message.conversation", true, Some("x")),
    ("messages_delete", "message.deleted", false, None),
    ("qrcode__updated", "qrcode.updated", false, None),
    ("send_message__text", "send.message", false, Some("Your order is ready.")),
    ("status_instance__closed", "status.instance", false, None),
    ("unknown_event", "typebot.start", false, None),
    ("update__cloud_upper_case_failed", "status.failed", false, None),
    ("update__deleted", "status.deleted", false, None),
    ("update__delivery_ack", "status.delivered", false, None),
    ("update__error", "status.failed", false, None),
    ("update__played", "status.played", false, None),
    ("update__read", "status.read", false, None),
    ("update__read_before_delivery", "status.delivered", false, None),
    ("update__server_ack", "status.sent", false, None),
    ("upsert__audio_ptt", "message.audioMessage", true, None),
    ("upsert__buttons_response", "message.templateButtonReplyMessage", true, Some("Confirm")),
    ("upsert__contact", "message.contactMessage", true, None),
    ("upsert__from_me_echo", "echo.message.conversation", false, Some("sent from the phone")),
    ("upsert__group_text", "message.conversation", false, Some("hi all")),
    ("upsert__image_base64", "message.imageMessage", true, Some("Broken part")),
    ("upsert__location", "message.locationMessage", true, None),
    ("upsert__media_url_s3", "message.imageMessage", true, None),
    ("upsert__reaction", "message.reactionMessage", true, None),
    ("upsert__text_conversation", "message.conversation", true, Some("Hello, is my order ready?")),
    ("upsert__text_lid_with_alt", "message.conversation", true, Some("from a LID chat")),
    ("upsert__text_with_quote", "message.conversation", true, Some("Yes please")),
    ("upsert__unknown_type", "message.newThingMessage", true, None),
    ("upsert__wa_business_integration", "message.conversation", true, Some("via Cloud API integration")),
];

#[test]
fn every_webhook_is_read_as_it_should_be() {
    let files: Vec<_> = manifest("evolution", "webhooks/").iter().map(|row| path("evolution", row)).collect();
    let named: Vec<_> = READINGS.iter().map(|(name, ..)| format!("evolution/webhooks/{name}.json")).collect();
    assert_eq!(files, named);
    for (name, kind, is_inbound, text) in READINGS {
        let item = one(name);
        assert_eq!((item.kind.as_str(), item.is_inbound()), (*kind, *is_inbound), "{name}: {item:?}");
        assert_eq!(shown(&item)["body"]["text"].as_str(), *text, "{name}");
        let is_instance_named = matches!(&item.line, Line::Evolution { instance } if instance == "acme-main");
        assert_eq!(is_instance_named, *name != "malformed__instance_unknown", "{name}");
    }
}

#[test]
fn every_message_tells_when_and_by_whom() {
    for (name, _, is_inbound, _) in READINGS {
        let item = one(name);
        if *is_inbound {
            assert_eq!(item.at, Some(Timestamp::from_millis(1_795_500_000_000)), "{name}");
        }
        assert!(!*is_inbound || !item.people.is_empty(), "{name}");
    }
}

#[test]
fn what_a_connection_is_follows_from_its_word() {
    let connection = |name| match one(name).body {
        Body::Connection(update) => (update.connection, update.needs_person),
        other => panic!("{other:?}"),
    };
    assert_eq!(connection("connection__open"), (Connection::Open, false));
    assert_eq!(connection("connection__connecting"), (Connection::Connecting, false));
    assert_eq!(connection("connection__close_logged_out_401"), (Connection::Closed, true));
    assert_eq!(connection("connection__refused"), (Connection::Closed, true));
    assert_eq!(connection("status_instance__closed"), (Connection::Closed, true));
    assert_eq!(connection("qrcode__updated"), (Connection::Connecting, true));
}

#[test]
fn a_code_that_links_a_phone_is_given_once_and_kept_nowhere() {
    let item = one("qrcode__updated");
    let Body::Connection(update) = &item.body else { panic!("{item:?}") };
    assert_eq!(update.code.as_ref().map(|code| code.code.expose()), Some("2@SYNTHETIC"));
    assert_eq!(item.raw, None);
    assert!(!format!("{item:?}{}", shown(&item)).contains("2@SYNTHETIC"));
}

#[test]
fn an_envelope_without_data_keeps_no_api_key() {
    let body = made!({"event": "messages.upsert", "instance": "acme-main", "apikey": "EVO-SYNTHETIC-KEY"});
    let items = read_body(&body);
    assert!(items[0].is_malformed());
    assert_eq!(items[0].raw, None);
}

#[test]
fn a_person_with_a_linked_id_may_have_a_number_too() {
    let item = one("upsert__text_lid_with_alt");
    assert_eq!(shown(&item)["people"], made!([{"phone": "+447700900123"}, {"lid": "98765432101234"}]));
    let group = one("upsert__group_text");
    assert_eq!(group.chat, Chat::Group { id: Words::new("120363000000000001".to_owned()) });
    assert_eq!(shown(&group)["people"], made!([{"phone": "+447700900123"}, {"lid": "55555555555"}]));
}

#[test]
fn answers_name_what_they_answer_to() {
    assert_eq!(shown(&one("upsert__text_with_quote"))["body"]["quoted"]["id"], "3EB0AAAA");
    assert_eq!(shown(&one("upsert__buttons_response"))["body"]["said"]["id"], "CONFIRM:8841");
    assert_eq!(shown(&one("upsert__reaction"))["body"]["said"], made!({"form": "reaction", "to": "3EB0TARGET", "emoji": "👍"}));
}

#[test]
fn a_file_is_fetched_where_evolution_keeps_it() {
    let file = |name| shown(&one(name))["body"]["said"].clone();
    assert_eq!((&file("upsert__image_base64")["is_inline"], &file("upsert__image_base64")["url"]), (&made!(true), &Value::Null));
    assert!(file("upsert__media_url_s3")["url"].as_str().unwrap().starts_with("https://minio.example/"));
    assert_eq!(file("upsert__audio_ptt")["is_voice_note"], true);
}

fn upsert(message: &Value) -> Item {
    let key = made!({"remoteJid": "999501234567@s.whatsapp.net", "fromMe": false, "id": "3EB0A1"});
    let data = made!({"key": key, "message": message, "messageTimestamp": 1_795_500_000});
    read_body(&made!({"event": "messages.upsert", "instance": "acme-main", "data": data})).remove(0)
}

#[test]
fn what_lies_in_wrappers_is_heard() {
    let text = made!({"extendedTextMessage": {"text": "STOP", "contextInfo": {"stanzaId": "3EB0Q", "expiration": 86_400}}});
    for message in [
        text.clone(),
        made!({"ephemeralMessage": {"message": text}}),
        made!({"messageContextInfo": {}, "ephemeralMessage": {"message": {"ephemeralMessage": {"message": text}}}}),
    ] {
        let item = upsert(&message);
        assert_eq!((item.kind.as_str(), shown(&item)["body"]["text"].as_str()), ("message.extendedTextMessage", Some("STOP")), "{message}");
        assert_eq!(shown(&item)["body"]["quoted"]["id"], "3EB0Q");
    }
    let document = made!({"documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "STOP", "fileName": "a.pdf"}}}});
    assert_eq!(shown(&upsert(&document))["body"]["text"], "STOP");
    let edited =
        made!({"editedMessage": {"message": {"protocolMessage": {"key": {"id": "3EB0O"}, "editedMessage": {"conversation": "STOP"}}}}});
    assert_eq!(
        shown(&upsert(&edited))["body"],
        made!({"type": "message", "id": "3EB0A1", "text": "STOP", "said": {"form": "edit", "of": "3EB0O"}})
    );
}

#[test]
fn stories_and_channels_are_no_inbound_messages() {
    for (jid, chat) in [("status@broadcast", Chat::Broadcast), ("999@newsletter", Chat::Newsletter)] {
        let data = made!({"key": {"remoteJid": jid, "fromMe": false, "id": "3EB0A1"}, "message": {"conversation": "hi"}});
        let item = read_body(&made!({"event": "messages.upsert", "instance": "acme-main", "data": data})).remove(0);
        assert_eq!((item.is_inbound(), item.chat), (false, chat));
    }
}

#[test]
fn what_is_sent_by_the_api_and_its_echo_are_one() {
    let key = made!({"remoteJid": "999501234567@s.whatsapp.net", "fromMe": true, "id": "3EB0A1"});
    let of = |event: &str| {
        let data = made!({"key": key, "message": {"conversation": "hi"}});
        read_body(&made!({"event": event, "instance": "acme-main", "data": data})).remove(0)
    };
    let (sent, echo) = (of("send.message"), of("messages.upsert"));
    assert_eq!(sent.key, echo.key);
    assert!(sent.is_echo && echo.is_echo);
}

#[test]
fn the_same_state_is_told_again_and_a_repetition_is_not() {
    let of = |at: &str| {
        let data = made!({"instance": "acme-main", "state": "close", "statusReason": 401});
        read_body(&made!({"event": "connection.update", "instance": "acme-main", "data": data, "date_time": at})).remove(0).key
    };
    assert_eq!(of("2026-11-22T13:00:00.000Z"), of("2026-11-22T13:00:00.000Z"));
    assert_ne!(of("2026-11-22T13:00:00.000Z"), of("2026-11-22T14:00:00.000Z"));
}

#[test]
fn tokens_hold_for_ten_minutes_for_webhooks_and_for_their_key() {
    let (key, now) = (Secret::from("SYNTHETIC"), Timestamp::from_millis(1_795_500_000_000));
    let at = |seconds: i64| Timestamp::from_millis(now.as_millis() + seconds * 1_000);
    let header = authorization(&key, now);
    let verify = |header: &str, now| verify_authorization(Some(header), &key, now);
    assert_eq!((verify(&header, at(0)), verify(&header, at(599)), verify(&header, at(-59))), (Ok(()), Ok(()), Ok(())));
    assert_eq!((verify(&header, at(660)), verify(&header, at(-61))), (Err(NotAuthorized::Time), Err(NotAuthorized::Time)));
    assert_eq!(verify_authorization(Some(&header), &Secret::from(""), now), Err(NotAuthorized::NoKey));
    assert_eq!(verify_authorization(None::<&str>, &key, now), Err(NotAuthorized::Missing));
    assert_eq!(verify_authorization([&header, &header], &key, now), Err(NotAuthorized::Malformed));
}

#[test]
fn a_token_that_was_changed_is_none() {
    let (key, now) = (Secret::from("SYNTHETIC"), Timestamp::from_millis(1_795_500_000_000));
    let header = authorization(&key, now);
    for place in 0..header.len() {
        let mut changed = header.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        // The scheme's case does not matter; any other letter does.
        let is_case = place < 7 && changed.eq_ignore_ascii_case(header.as_bytes());
        assert!(is_case || verify_authorization([&changed], &key, now).is_err(), "{place}");
    }
    let unsigned = "Bearer eyJhbGciOiJub25lIn0.eyJhcHAiOiJldm9sdXRpb24ifQ.";
    assert_eq!(verify_authorization(Some(unsigned), &key, now), Err(NotAuthorized::Malformed));
}
