//! Inbox: what providers tell is kept as it came, told apart from what they told before, and heeded in the order in which it came.

use std::sync::Arc;

use gatepost::{
    Connection, ContactState, ConversationWindow, Decider, Decision, Fact, Facts, Heed, InboundClass, InboundEntry, InboundFilter,
    InboundId, Meaning, NewInbound, NotificationEntry, Page, Policy, Provider, Received, Said, Subject, Timestamp, Told, read_reply,
};

use crate::Harness;
use crate::draft::{ALICE, ALICE_ID, BOB, text};
use crate::scene::{BODY, EVERYTHING, Scene, person};
use crate::world::{PATIENCE, block_on, hours, seconds, wait};

pub(crate) fn a_notification_is_kept_as_it_came(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = scene.post(vec![scene.said(&[ALICE], "hi"), scene.said(&[BOB], "ho")]);
    assert_eq!(posted.received, Received { new: 2, repeated: 0, quarantined: 0 });
    let (id, received_at, received) = (posted.id, posted.at, posted.received);
    let kept = NotificationEntry { id, instance: scene.instance, received_at, received, body: Some(BODY.to_vec()) };
    assert_eq!(scene.notification(id), Some(kept.clone()));
    scene.heed();
    assert_eq!(scene.notification(id), Some(kept.clone()));
    assert_eq!(wait(scene.store().notifications(Page::first(9))), [NotificationEntry { body: None, ..kept }]);
}

pub(crate) fn what_a_person_wrote_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let mut new = NewInbound { at: Some(scene.now()), ..scene.said(&[ALICE, ALICE_ID], "stop\nplease, it's \u{1f600}") };
    change(&mut new, |said| said.reply_to = Some("wamid.0".to_string()));
    let posted = scene.post(vec![new.clone()]);
    let id = posted.inbound[0];
    let entry = scene.inbound_entry(id);
    change(&mut new, |said| said.meaning = said.text.as_ref().and_then(|text| read_reply(text.as_str()).meaning));
    let expected = InboundEntry {
        id,
        notification: posted.id,
        instance: scene.instance,
        contact: entry.contact,
        from: person(&[ALICE]).first().cloned(),
        kind: new.kind,
        at: new.at,
        received_at: posted.at,
        waits: true,
        told: new.told,
    };
    assert_eq!((entry, scene.inbound()), (expected.clone(), vec![expected.clone()]));
    assert_eq!(expected.contact.map(|contact| scene.addresses(contact)), Some(vec![ALICE.to_string(), ALICE_ID.to_string()]));
    scene.heed();
    assert_eq!(scene.inbound_entry(id), InboundEntry { waits: false, ..expected });
}

fn change(new: &mut NewInbound, change: impl FnOnce(&mut Said)) {
    if let Told::Said(said) = &mut new.told {
        change(said);
    }
}

pub(crate) fn whatever_is_told_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let told = [
        Told::Status(crate::scene::report(None, "wamid.1", gatepost::Progress::Played)),
        Told::Preference(gatepost::Wish::Stop),
        Told::Identity(person(&[BOB, ALICE_ID])),
        Told::Connection(Connection::Connecting),
        Told::Other,
        Told::Quarantined { why: "expected a number at `entry`".to_string() },
    ];
    let new = told.iter().map(|told| scene.told_of(&[ALICE], "any", told.clone())).collect();
    let posted = scene.post(new);
    let kept: Vec<_> = posted.inbound.iter().map(|id| scene.inbound_entry(*id).told).collect();
    assert_eq!(kept, told);
}

pub(crate) fn a_repetition_in_a_notification_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.received"]);
    let said = scene.said(&[ALICE], "hi");
    let posted = scene.post(vec![said.clone(), said]);
    assert_eq!(posted.received, Received { new: 1, repeated: 1, quarantined: 0 });
    scene.heed();
    assert_eq!((scene.inbound().len(), scene.told(endpoint).len()), (1, 1));
}

pub(crate) fn a_repetition_in_another_notification_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let [stop, start] = ["STOP", "START"].map(|words| scene.said(&[ALICE], words));
    scene.post(vec![stop.clone()]);
    scene.heed();
    scene.post(vec![start]);
    scene.heed();
    let seen = |scene: &Scene| (scene.inbound(), scene.told(endpoint), scene.suppressions(gatepost::SuppressionFilter::default()));
    let before = seen(&scene);
    assert_eq!(scene.post(vec![stop]).received, Received { new: 0, repeated: 1, quarantined: 0 });
    assert_eq!((scene.answer_heed(scene.a_heed()).heeded, seen(&scene)), (0, before));
    assert_eq!(wait(scene.store().notifications(Page::first(9))).len(), 3, "each notification is kept");
}

pub(crate) fn the_same_key_at_another_instance_is_another_thing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let said = scene.said(&[ALICE], "hi");
    let posted = [scene.instance, till].map(|instance| scene.post_to(instance, vec![said.clone()]).received.new);
    assert_eq!((posted, scene.answer_heed(scene.a_heed()).heeded), ([1, 1], 2));
}

pub(crate) fn what_cannot_be_read_is_kept_for_a_person(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let unreadable = || scene.told_of(&[], "message", Told::Quarantined { why: "expected `type`".to_string() });
    let posted = scene.post(vec![unreadable(), scene.said(&[ALICE], "STOP"), unreadable()]);
    assert_eq!(posted.received, Received { new: 3, repeated: 0, quarantined: 2 });
    assert_eq!((scene.answer_heed(scene.a_heed()).heeded, scene.send(text("hi")).as_str()), (1, "blocked by recipient_suppressed"));
    let filter = InboundFilter { class: Some(InboundClass::Quarantined), ..InboundFilter::default() };
    let kept: Vec<_> = wait(scene.store().inbound(filter, Page::first(9))).iter().map(|entry| (entry.id, entry.waits)).collect();
    assert_eq!(kept, [(posted.inbound[2], false), (posted.inbound[0], false)]);
}

pub(crate) fn unknown_kinds_are_kept_and_counted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let posted = scene.post(vec![scene.told_of(&[ALICE], "message.hologram", Told::Other)]);
    assert_eq!((posted.received.new, scene.answer_heed(scene.a_heed()).heeded), (1, 0));
    let entry = scene.inbound_entry(posted.inbound[0]);
    assert_eq!((entry.kind.as_str(), entry.waits, entry.contact), ("message.hologram", false, None));
    assert_eq!(scene.told(endpoint), Vec::<&str>::new());
}

pub(crate) fn a_notification_may_say_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = scene.post(vec![]);
    assert_eq!((posted.received, scene.inbound()), (Received::default(), vec![]));
    assert!(scene.notification(posted.id).is_some());
}

pub(crate) fn what_one_notification_tells_is_heeded_in_its_order(harness: &dyn Harness) {
    for (words, expected) in [(["STOP", "START"], "queued"), (["START", "STOP"], "blocked by recipient_suppressed")] {
        let scene = Scene::new(harness);
        scene.post(words.map(|words| scene.said(&[ALICE], words)).into());
        scene.heed();
        assert_eq!(scene.send(text("hi")), expected, "{words:?}");
    }
}

/// Ids of one moment are in no order; what came in is.
pub(crate) fn notifications_of_one_moment_are_heeded_in_their_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for round in 0..8 {
        let now = scene.tick();
        let words = if round % 2 == 0 { ["STOP", "START"] } else { ["START", "STOP"] };
        for words in words {
            scene.post_at(scene.instance, vec![scene.said(&[ALICE], words)], now);
        }
        scene.heed();
        let expected = if round % 2 == 0 { "queued" } else { "blocked by recipient_suppressed" };
        assert_eq!(scene.send(text("hi")), expected, "{words:?}");
    }
}

pub(crate) fn what_came_in_is_heeded_part_by_part(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.post(["STOP", "START", "STOP", "hi"].map(|words| scene.said(&[ALICE], words)).into());
    let seen = [(); 5].map(|()| {
        let heeded = scene.answer_heed(Heed { limit: 1, ..scene.a_heed() }).heeded;
        (heeded, state(&scene))
    });
    assert_eq!(seen, [(1, "suppressed"), (1, "reachable"), (1, "suppressed"), (1, "suppressed"), (0, "suppressed")]);
}

fn state(scene: &Scene) -> &'static str {
    let findings = Fact::Known(gatepost::Findings::default());
    let facts = wait(scene.store().facts(text("hi").request(scene.instance), findings, scene.now())).expect("the instance is there");
    match facts.contact.known().expect("the contact is known") {
        ContactState::Reachable => "reachable",
        ContactState::Suspected { .. } => "suspected",
        ContactState::Suppressed { .. } => "suppressed",
    }
}

pub(crate) fn what_came_in_is_heeded_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.received"]);
    scene.post(vec![scene.said(&[ALICE], "hi")]);
    let heeded = [(); 2].map(|()| scene.answer_heed(scene.a_heed()).heeded);
    assert_eq!((heeded, scene.told(endpoint).len()), ([1, 0], 1));
}

pub(crate) fn an_account_with_much_to_heed_leaves_room_for_others(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    scene.post((0..5).map(|_| scene.said(&[ALICE], "hi")).collect());
    let theirs = neighbor.post(vec![neighbor.said(&[ALICE], "hi")]).inbound[0];
    let answer = scene.answer_heed(Heed { limit: 4, per_account: 2, ..scene.a_heed() });
    assert_eq!((answer.heeded, answer.more, neighbor.inbound_entry(theirs).waits), (3, true, false));
}

pub(crate) fn a_heed_goes_on_behind_the_last_account(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    for scene in [&scene, &neighbor] {
        scene.post(vec![scene.said(&[ALICE], "hi"), scene.said(&[BOB], "hi")]);
    }
    let mut order = [scene.account, neighbor.account];
    order.sort_unstable();
    let first = scene.answer_heed(Heed { limit: 2, per_account: 2, ..scene.a_heed() });
    assert_eq!((first.heeded, first.after), (2, Some(order[0])));
    let second = scene.answer_heed(Heed { after: first.after, ..scene.a_heed() });
    assert_eq!((second.heeded, second.after, second.more), (2, None, false));
}

pub(crate) fn all_that_came_in_is_heeded_in_the_end(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    for scene in [&scene, &neighbor] {
        scene.post((0..7).map(|_| scene.said(&[ALICE], "hi")).collect());
    }
    let (mut after, mut heeded) = (None, 0);
    for _ in 0..20 {
        let answer = scene.answer_heed(Heed { limit: 3, per_account: 2, after, ..scene.a_heed() });
        assert!(answer.heeded <= 3, "no more is heeded than the limit");
        (after, heeded) = (answer.after, heeded + answer.heeded);
    }
    assert_eq!((heeded, scene.inbound().iter().chain(&neighbor.inbound()).any(|entry| entry.waits)), (14, false));
}

pub(crate) fn what_came_in_is_due(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let told = scene.changes();
    scene.post(vec![scene.said(&[ALICE], "hi")]);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(()));
}

pub(crate) fn a_message_opens_the_window_where_it_was_written_to(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let posted = scene.post(vec![scene.said(&[ALICE], "hi")]);
    assert_eq!(scene.window(ALICE), ConversationWindow::Never, "it is not heeded yet");
    scene.heed();
    assert_eq!(scene.window(ALICE), ConversationWindow::Until(posted.at.plus(hours(24))));
    assert_eq!([scene.window_at(till, ALICE), scene.window(BOB)], [ConversationWindow::Never; 2]);
}

pub(crate) fn the_window_is_counted_by_the_providers_clock(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let at = scene.now().minus(hours(5));
    scene.hear(NewInbound { at: Some(at), ..scene.said(&[ALICE], "hi") });
    assert_eq!(scene.window(ALICE), ConversationWindow::Until(at.plus(hours(24))));
}

pub(crate) fn no_window_is_longer_than_a_day(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let at = scene.now().plus(hours(5));
    let posted = scene.post(vec![NewInbound { at: Some(at), ..scene.said(&[ALICE], "hi") }]);
    scene.heed();
    assert_eq!(scene.window(ALICE), ConversationWindow::Until(posted.at.plus(hours(24))));
}

pub(crate) fn an_older_message_shortens_no_window(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let at = scene.now().minus(seconds(60));
    for at in [at, at.minus(hours(2))] {
        scene.hear(NewInbound { at: Some(at), ..scene.said(&[ALICE], "hi") });
    }
    assert_eq!(scene.window(ALICE), ConversationWindow::Until(at.plus(hours(24))));
}

pub(crate) fn an_edit_opens_no_window(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let mut edited = scene.said(&[ALICE], "hi!");
    change(&mut edited, |said| said.opens_window = false);
    scene.hear(edited);
    assert_eq!(scene.window(ALICE), ConversationWindow::Never);
}

pub(crate) fn who_wrote_may_be_answered(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let line = gatepost::Instance { provider: Provider::CloudApi, ..scene.an_instance("line") };
    assert!(wait(scene.store().add_instance(line.clone())));
    assert_eq!(scene.send(text("hi").via(line.id)), "blocked by conversation_window_closed");
    scene.post_to(line.id, vec![scene.said(&[ALICE], "hi")]);
    scene.heed();
    assert_eq!(scene.send(text("hi").via(line.id)), "queued");
    scene.advance(hours(24));
    assert_eq!(scene.send(text("hi").via(line.id)), "blocked by conversation_window_closed");
}

pub(crate) fn what_a_person_wrote_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.received"]);
    let mut new = NewInbound { at: Some(scene.now()), ..scene.said(&[ALICE, ALICE_ID], "When do you open?") };
    change(&mut new, |said| (said.external_id, said.reply_to) = ("wamid.7".to_string(), Some("wamid.6".to_string())));
    let (at, posted) = (new.at.expect("a time"), scene.post(vec![new]));
    scene.heed();
    let [body] = &told(&scene, endpoint)[..] else { panic!("expected one event") };
    let field = |name: &str| body[name].as_str();
    assert_eq!((field("event"), field("from"), field("message_text")), (Some("message.received"), Some(ALICE), Some("When do you open?")));
    assert_eq!((field("message_type"), field("external_message_id")), (Some("text"), Some("wamid.7")));
    assert_eq!((field("reply_to_external_message_id"), field("instance_name")), (Some("wamid.6"), Some("desk")));
    assert_eq!(field("received_at"), Some(posted.at.to_string().as_str()));
    assert_eq!(field("conversation_window_expires_at"), Some(at.plus(hours(24)).to_string().as_str()));
}

/// What an endpoint was told, as JSON.
pub(crate) fn told(scene: &Scene, endpoint: gatepost::EndpointId) -> Vec<serde_json::Value> {
    scene.bodies(endpoint).iter().map(|body| serde_json::from_str(body).expect("a body is JSON")).collect()
}

pub(crate) fn who_wrote_without_words_is_told_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.received"]);
    let mut picture = scene.said(&[], "");
    change(&mut picture, |said| (said.text, said.form, said.opens_window) = (None, "image".to_string(), false));
    scene.hear(picture);
    let [body] = &told(&scene, endpoint)[..] else { panic!("expected one event") };
    assert_eq!(
        (&body["message_text"], &body["from"], body["message_type"].as_str()),
        (&serde_json::Value::Null, &serde_json::Value::Null, Some("image"))
    );
    assert_eq!(body.get("conversation_window_expires_at"), None);
}

pub(crate) fn a_connection_that_is_told_counts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["instance.connected", "instance.disconnected"]);
    scene.send(text("hi"));
    scene.hear(scene.told_of(&[], "connection", Told::Connection(Connection::Closed)));
    let instance = wait(scene.store().instance(scene.instance.into())).expect("the instance is there");
    assert_eq!(
        (instance.connection, scene.claim(), scene.send(text("ho")).as_str()),
        (Connection::Closed, vec![], "blocked by instance_not_connected")
    );
    scene.hear(scene.told_of(&[], "connection", Told::Connection(Connection::Open)));
    assert_eq!((scene.claim().len(), scene.told(endpoint)), (1, vec!["instance.disconnected", "instance.connected"]));
}

pub(crate) fn what_came_in_is_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let status = || scene.reported("wamid.1", gatepost::Progress::Sent);
    let here = scene.post(vec![scene.said(&[ALICE], "hi"), scene.told_of(&[], "any", Told::Other), status()]).inbound;
    let there = scene.post_to(till, vec![status(), scene.said(&[ALICE], "hi")]).inbound;
    let found = |instance, class| {
        let entries = wait(scene.store().inbound(InboundFilter { instance, class }, Page::first(9)));
        entries.iter().map(|entry| entry.id).collect::<Vec<InboundId>>()
    };
    assert_eq!(found(None, None), [there[1], there[0], here[2], here[1], here[0]]);
    assert_eq!(found(Some(scene.instance), None), [here[2], here[1], here[0]]);
    assert_eq!(found(None, Some(InboundClass::Message)), [there[1], here[0]]);
    assert_eq!(found(Some(till), Some(InboundClass::Message)), [there[1]]);
    assert_eq!(found(None, Some(InboundClass::Status)), [there[0], here[2]]);
    assert_eq!(found(Some(till), Some(InboundClass::Status)), [there[0]]);
    assert_eq!(found(None, Some(InboundClass::Other)), [here[1]]);
    assert_eq!(found(Some(till), Some(InboundClass::Other)), []);
    scene.heed();
    assert_eq!((found(Some(till), None), found(None, Some(InboundClass::Status))), (vec![there[1]], vec![]));
    assert_eq!(wait(scene.store().inbound_entry(InboundId::from_bytes([7; 16]))), None);
}

pub(crate) fn a_status_that_was_heeded_is_in_no_log(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = scene.post(vec![scene.reported("wamid.1", gatepost::Progress::Sent)]);
    assert_eq!(scene.inbound().len(), 1);
    scene.heed();
    assert_eq!((scene.inbound(), wait(scene.store().inbound_entry(posted.inbound[0]))), (vec![], None));
}

pub(crate) fn an_account_that_nobody_made_receives_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let nobody = scene.nobody();
    for told in [vec![], vec![scene.told_of(&[], "any", Told::Other)], vec![scene.said(&[ALICE], "hi")]] {
        let notification = nobody.a_notification(scene.instance, told, scene.tick());
        assert!(block_on(nobody.store().receive(notification)).is_err());
    }
    assert_eq!((nobody.inbound(), wait(nobody.store().notifications(Page::first(9)))), (vec![], vec![]));
}

/// Decides nothing.
struct Panics;

impl Decider for Panics {
    fn decide(&self, _: &Facts, _: &Subject, _: Timestamp) -> Decision {
        panic!("a decider with a bug")
    }

    fn policy(&self) -> &Policy {
        Policy::usual()
    }
}

pub(crate) fn a_decider_that_panics_keeps_no_opt_out_back(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.post(vec![scene.said(&[ALICE], "STOP")]);
    scene.answer_heed(Heed { decider: Arc::new(Panics), ..scene.a_heed() });
    assert_eq!((state(&scene), scene.confirmations()), ("suppressed", vec![]));
}

/// The meaning is read when it comes in, and kept: a later release that reads otherwise changes nothing of what waits.
pub(crate) fn what_was_understood_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = scene.post(vec![scene.said(&[ALICE], "STOP")]);
    let Told::Said(Said { meaning: Some(Meaning { intent, tier, .. }), .. }) = scene.inbound_entry(posted.inbound[0]).told else {
        panic!("expected a meaning")
    };
    assert_eq!((intent.as_str(), tier.as_str()), ("opt_out", "certain"));
}
