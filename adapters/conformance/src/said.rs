//! Said: what people say otherwise than in words, who they say they are, and what they answer to.

use gatepost::{Content, EndpointId, InboundId, MessageId, NewInbound, Retention, Said, SaidCard, SaidDetail, Timestamp, Told, Words};
use serde_json::{Value, json};

use crate::Harness;
use crate::draft::{ALICE, Draft, content, text};
use crate::inbox::told;
use crate::scene::Scene;
use crate::words::sent;
use crate::world::{hours, wait};

/// How the provider calls our message.
const OURS: &str = "wamid.ours";

pub(crate) fn words(text: &str) -> Words {
    Words::new(text.to_string())
}

fn place() -> SaidDetail {
    let (name, address) = (Some(words("The White House")), Some(words("1600 Pennsylvania Avenue")));
    SaidDetail::Location { latitude_e6: 38_897_700, longitude_e6: -77_036_500, name, address }
}

fn bare_place(latitude_e6: i32, longitude_e6: i32) -> SaidDetail {
    SaidDetail::Location { latitude_e6, longitude_e6, name: None, address: None }
}

fn cards() -> SaidDetail {
    let barbara = SaidCard { name: Some(words("Barbara")), phones: vec![words("+1 202 555 0188"), words("0202 1")] };
    SaidDetail::Contacts(vec![barbara, SaidCard { name: None, phones: vec![] }])
}

fn reaction(emoji: Option<&str>) -> SaidDetail {
    SaidDetail::Reaction { emoji: emoji.map(words) }
}

/// Alice says this without a word.
pub(crate) fn wordless(scene: &Scene, form: &str, detail: SaidDetail) -> NewInbound {
    changed(scene, |said| (said.form, said.text, said.detail) = (form.to_string(), None, Some(detail)))
}

/// Alice says hi, and what is changed of it.
fn changed(scene: &Scene, change: impl FnOnce(&mut Said)) -> NewInbound {
    let mut new = scene.said(&[ALICE], "hi");
    if let Told::Said(said) = &mut new.told {
        change(said);
    }
    new
}

/// Somebody with these addresses calls themself so.
pub(crate) fn called(scene: &Scene, people: &[&str], name: &str) -> NewInbound {
    let mut new = scene.said(people, "hi");
    if let Told::Said(said) = &mut new.told {
        said.sender_name = Some(words(name));
    }
    new
}

fn said(scene: &Scene, inbound: InboundId) -> Said {
    match scene.inbound_entry(inbound).told {
        Told::Said(said) => said,
        other => panic!("expected what somebody said, got {other:?}"),
    }
}

pub(crate) fn what_is_not_said_in_words_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let details = [place(), bare_place(-90_000_000, 0), cards(), SaidDetail::Order { lines: 3 }, reaction(Some("👍")), reaction(None)];
    let posted = scene.post(details.iter().map(|detail| wordless(&scene, "any", detail.clone())).collect());
    let kept = || posted.inbound.iter().filter_map(|inbound| said(&scene, *inbound).detail).collect::<Vec<_>>();
    assert_eq!(kept(), details);
    scene.heed();
    assert_eq!(kept(), details);
    let listed: Vec<_> = scene.inbound().into_iter().rev().map(|entry| entry.told).collect();
    assert_eq!(listed, posted.inbound.iter().map(|inbound| Told::Said(said(&scene, *inbound))).collect::<Vec<_>>());
}

pub(crate) fn the_name_of_who_wrote_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let inbound = scene.hear(called(&scene, &[ALICE], "Alice"));
    assert_eq!(said(&scene, inbound).sender_name, Some(words("Alice")));
}

/// The one event that tells this.
#[track_caller]
fn event(scene: &Scene, new: NewInbound) -> Value {
    let endpoint: EndpointId = scene.listen(&["message.received"]);
    let inbound = scene.hear(new);
    let mut events = told(scene, endpoint);
    let (Some(event), None) = (events.pop(), events.pop()) else { panic!("expected one event") };
    assert_eq!(event["inbound_id"], json!(inbound));
    event
}

#[track_caller]
fn check(harness: &dyn Harness, detail: SaidDetail, field: &str, expected: &Value) {
    let scene = Scene::new(harness);
    let event = event(&scene, wordless(&scene, field, detail));
    let fields = ["location", "reaction", "contacts", "order"];
    assert_eq!((&event[field], event["message_type"].as_str()), (expected, Some(field)));
    assert_eq!(fields.into_iter().filter(|field| event.get(*field).is_some()).collect::<Vec<_>>(), [field]);
}

pub(crate) fn a_place_is_told(harness: &dyn Harness) {
    let named = json!({"latitude": 38.8977, "longitude": -77.0365, "name": "The White House", "address": "1600 Pennsylvania Avenue"});
    check(harness, place(), "location", &named);
    check(harness, bare_place(-1, 180_000_000), "location", &json!({"latitude": -0.000_001, "longitude": 180}));
}

pub(crate) fn a_reaction_is_told(harness: &dyn Harness) {
    check(harness, reaction(Some("👍")), "reaction", &json!({"emoji": "👍"}));
    check(harness, reaction(None), "reaction", &json!({"emoji": null}));
}

pub(crate) fn cards_are_told(harness: &dyn Harness) {
    let expected = json!([{"name": "Barbara", "phones": ["+1 202 555 0188", "0202 1"]}, {"phones": []}]);
    check(harness, cards(), "contacts", &expected);
}

pub(crate) fn an_order_is_told(harness: &dyn Harness) {
    check(harness, SaidDetail::Order { lines: 3 }, "order", &json!({"lines": 3}));
}

pub(crate) fn the_name_of_who_wrote_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let event = event(&scene, called(&scene, &[ALICE], "Alice"));
    assert_eq!(event["sender_name"], "Alice");
}

pub(crate) fn what_was_not_said_is_not_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let event = event(&scene, scene.said(&[ALICE], "hi"));
    let optional =
        ["sender_name", "media", "location", "reaction", "contacts", "order", "reply_to_external_message_id", "reply_to_message_id"];
    assert!(optional.iter().chain(&["reply_to_text"]).all(|field| event.get(*field).is_none()), "{event}");
}

/// A message of ours that the provider took.
#[track_caller]
fn ours(scene: &Scene, draft: Draft) -> MessageId {
    let message = scene.sent(draft);
    assert_eq!(scene.deliver(sent(OURS)), "sent");
    message
}

fn answer(scene: &Scene) -> NewInbound {
    changed(scene, |said| said.reply_to = Some(OURS.to_string()))
}

/// Our message that is told to be answered to, and what is told of its text.
#[track_caller]
fn answered(scene: &Scene, new: NewInbound) -> (Option<String>, Option<String>) {
    let event = event(scene, new);
    assert_eq!(event["reply_to_external_message_id"], OURS);
    let field = |name: &str| event.get(name).map(|value| value.as_str().expect("a text").to_string());
    (field("reply_to_message_id"), field("reply_to_text"))
}

pub(crate) fn our_message_that_is_answered_to_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = ours(&scene, text("Is the table for four?"));
    let expected = (Some(message.to_string()), Some("Is the table for four?".to_string()));
    assert_eq!(answered(&scene, answer(&scene)), expected);
}

pub(crate) fn our_message_that_is_reacted_to_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = ours(&scene, text("See you at eight"));
    let mut new = wordless(&scene, "reaction", reaction(Some("👍")));
    if let Told::Said(said) = &mut new.told {
        said.reply_to = Some(OURS.to_string());
    }
    assert_eq!(answered(&scene, new), (Some(message.to_string()), Some("See you at eight".to_string())));
}

pub(crate) fn the_beginning_of_a_long_text_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = ours(&scene, text(&"ä".repeat(161)));
    assert_eq!(answered(&scene, answer(&scene)), (Some(message.to_string()), Some("ä".repeat(160))));
}

pub(crate) fn what_is_no_text_is_told_without_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let place = Content::Location { latitude_e6: 0, longitude_e6: 0, name: None, address: None };
    let message = ours(&scene, content(place));
    assert_eq!(answered(&scene, answer(&scene)), (Some(message.to_string()), None));
}

pub(crate) fn a_forgotten_text_is_not_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = ours(&scene, text("Is the table for four?"));
    scene.advance(hours(1));
    let never = Timestamp::from_millis(0);
    wait(
        scene
            .worker()
            .retain(Retention { content_before: scene.now(), logs_before: never, raw_before: never, now: Timestamp::default() }, 9),
    );
    assert_eq!(answered(&scene, answer(&scene)), (Some(message.to_string()), None));
}

pub(crate) fn a_message_of_another_instance_or_account_is_not_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    ours(&neighbor, text("from another account"));
    let till = scene.add_instance("till");
    ours(&scene, text("from another number").via(till));
    assert_eq!(answered(&scene, answer(&scene)), (None, None));
}
