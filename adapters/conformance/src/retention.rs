//! Retention: what is finished is forgotten when its time is over, and nothing else is.

use gatepost::{
    Answer, ErrorClass, MessageId, NotificationEntry, Page, Received, Retention, ReviewFilter, Said, SaidDetail, Timestamp, Told,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, text};
use crate::said;
use crate::scene::Scene;
use crate::words::{TAKEN, UNKNOWN, failed, sent};
use crate::world::{MOMENT, hours, wait};

const NEVER: Timestamp = Timestamp::from_millis(0);

fn finished(scene: &Scene) -> MessageId {
    let message = scene.sent(text("hi"));
    scene.deliver(sent("x"));
    message
}

pub(crate) fn the_content_of_a_finished_message_is_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = finished(&scene);
    let before = scene.message(message);
    scene.advance(hours(1));
    assert_eq!(scene.retain(scene.now(), NEVER), 1);
    assert_eq!(scene.message(message), gatepost::Message { content: None, ..before });
    assert_eq!((scene.attempts(message).as_str(), scene.events().len()), ("1 sent", 1));
    assert_eq!(scene.retain(scene.now(), NEVER), 0);
}

pub(crate) fn what_is_not_old_enough_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = finished(&scene);
    let created_at = scene.message(message).created_at;
    assert_eq!(scene.retain(created_at, created_at), 0);
    assert!(scene.message(message).content.is_some());
    scene.retain(created_at.plus(MOMENT), NEVER);
    assert!(scene.message(message).content.is_none());
}

pub(crate) fn what_is_not_finished_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let in_doubt = scene.sent(text("in doubt"));
    scene.deliver(UNKNOWN);
    let queued = scene.sent(text("queued").to(BOB));
    scene.supervise();
    let held = scene.sent(text("held"));
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    for message in [in_doubt, queued, held] {
        assert!(scene.message(message).content.is_some());
    }
    assert_eq!((scene.attempts(in_doubt).as_str(), scene.reviews(ReviewFilter::default()).len()), ("1 unknown: timeout", 1));
    assert_eq!((scene.release(held).as_str(), scene.resolve(in_doubt, true).as_str()), ("done: queued", "sent"));
    assert_eq!(scene.claim().len(), 2);
}

pub(crate) fn old_logs_are_removed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sent = finished(&scene);
    scene.send(text("Buy!").purpose("marketing"));
    scene.supervise();
    let refused = scene.sent(text("held"));
    scene.refuse(refused);
    scene.advance(hours(1));
    assert!(scene.retain(scene.now(), scene.now()) > 0);
    assert_eq!((scene.messages(), scene.reviews(ReviewFilter::default())), (vec![], vec![]));
    assert_eq!((scene.find(sent), scene.attempts(sent).as_str(), scene.release(refused).as_str()), (None, "", "not found"));
    assert_eq!(scene.retain(scene.now(), scene.now()), 0);
}

pub(crate) fn young_logs_are_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    finished(&scene);
    scene.advance(hours(1));
    let between = scene.now();
    let young = finished(&scene);
    scene.retain(between, between);
    assert_eq!(scene.messages().iter().map(|message| message.id).collect::<Vec<_>>(), [young]);
    assert_eq!(scene.attempts(young), "1 sent");
}

pub(crate) fn the_log_goes_on_counting(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    finished(&scene);
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    scene.send(text("hi"));
    assert_eq!(scene.last_event().seq, 2);
}

pub(crate) fn no_more_is_forgotten_than_the_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let messages = [finished(&scene), finished(&scene)];
    let elsewhere = finished(&neighbor);
    scene.advance(hours(1));
    let retention = Retention { content_before: scene.now(), logs_before: NEVER, raw_before: NEVER, now: Timestamp::default() };
    let forgotten = [2, 2, 2].map(|limit| wait(scene.worker().retain(retention, limit)));
    assert_eq!(forgotten, [2, 1, 0]);
    assert!(messages.iter().all(|message| scene.message(*message).content.is_none()));
    assert!(neighbor.message(elsewhere).content.is_none());
}

pub(crate) fn what_is_not_finished_stands_in_nobodys_way(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = [scene.sent(text("one")), scene.sent(text("two")), scene.sent(text("three"))];
    let place = scene.place();
    let Answer::Accepted(behind) = scene.accept_at_once(text("four"), &place) else { panic!("expected a message") };
    let started = place.given().expect("it goes at once");
    scene.finish(&started, sent("x"));
    scene.advance(hours(1));
    let retention = Retention { content_before: scene.now(), logs_before: NEVER, raw_before: NEVER, now: Timestamp::default() };
    assert_eq!([2, 2].map(|limit| wait(scene.worker().retain(retention, limit))), [1, 0]);
    assert!(scene.message(behind.message).content.is_none());
    assert!(waiting.iter().all(|message| scene.message(*message).content.is_some()));
    scene.deliver_all();
    assert_eq!([2, 2, 2].map(|limit| wait(scene.worker().retain(retention, limit))), [2, 1, 0]);
}

pub(crate) fn what_was_used_is_not_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    finished(&scene);
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    assert_eq!(scene.used(), (1, 1));
}

pub(crate) fn what_an_event_said_is_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let old = scene.notify(endpoint);
    scene.tell(TAKEN);
    let shown = scene.delivery(old.id);
    let young = scene.notify(endpoint);
    assert_eq!(scene.retain(old.created_at, NEVER), 0);
    assert_eq!(scene.retain(young.created_at, NEVER), 1);
    assert_eq!((scene.event(old.event), scene.event(young.event).is_some()), (None, true));
    assert_eq!((scene.delivery(old.id), scene.tries(old.id).as_str()), (shown, "1 sent"));
    assert_eq!(scene.retain(young.created_at, NEVER), 0);
}

pub(crate) fn old_deliveries_are_removed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let sent = scene.notify(endpoint);
    scene.tell(TAKEN);
    let failed_one = scene.notify(endpoint);
    scene.tell(failed(ErrorClass::Aborted));
    scene.advance(hours(1));
    let young = scene.notify(endpoint);
    scene.tell(TAKEN);
    assert!(scene.retain(NEVER, young.created_at) > 0);
    assert_eq!(scene.deliveries().iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [young.id]);
    for old in [sent, failed_one] {
        assert_eq!((scene.find_delivery(old.id), scene.tries(old.id), scene.event(old.event)), (None, String::new(), None));
        assert_eq!(scene.replay(old.id), "unknown");
    }
    assert_eq!((scene.tries(young.id).as_str(), scene.event(young.event).is_some()), ("1 sent", true));
    assert_eq!(scene.retain(NEVER, young.created_at), 0);
}

pub(crate) fn an_event_on_its_way_stays_in_the_log(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let sending = scene.notify(endpoint);
    let started = scene.take_one();
    let queued = scene.notify(endpoint);
    scene.advance(hours(1));
    assert_eq!(scene.retain(NEVER, scene.now()), 0);
    scene.close(&started, TAKEN);
    scene.tell(TAKEN);
    assert_eq!([scene.fate(sending.id), scene.fate(queued.id)], ["sent", "sent"]);
    assert!(scene.retain(NEVER, scene.now()) > 0);
    assert_eq!(scene.deliveries(), []);
}

pub(crate) fn old_recoveries_are_removed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [first, second] = [(); 2].map(|()| scene.listen_to_nothing());
    let done = scene.begin_recovery(scene.a_recovery(first, NEVER));
    scene.recover();
    let open = scene.begin_recovery(scene.a_recovery(second, NEVER));
    scene.advance(hours(1));
    let between = scene.now();
    let young = scene.begin_recovery(scene.a_recovery(first, NEVER));
    wait(scene.store().cancel_recovery(young, scene.now()));
    scene.retain(NEVER, between);
    let left: Vec<_> = scene.recoveries().iter().map(|recovery| recovery.id).collect();
    assert_eq!((left, wait(scene.store().recovery(done))), (vec![young, open], None));
}

pub(crate) fn no_more_events_are_forgotten_than_the_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    for scene in [&scene, &neighbor] {
        scene.notify_often(scene.listen_to_nothing(), 3);
    }
    scene.tell_all(&TAKEN);
    scene.advance(hours(1));
    let fields = Retention { content_before: scene.now(), logs_before: NEVER, raw_before: NEVER, now: Timestamp::default() };
    assert_eq!([4, 4, 4].map(|limit| wait(scene.worker().retain(fields, limit))), [4, 2, 0]);
    let logs = Retention { content_before: NEVER, logs_before: scene.now(), raw_before: NEVER, now: Timestamp::default() };
    let left = [(); 3].map(|()| {
        wait(scene.worker().retain(logs, 4));
        scene.deliveries().len() + neighbor.deliveries().len()
    });
    assert_eq!(left, [2, 0, 0]);
}

pub(crate) fn endpoints_are_not_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [endpoint, removed] = [(); 2].map(|()| scene.listen_to_nothing());
    scene.remove_endpoint(removed);
    scene.advance(hours(1));
    assert_eq!(scene.retain(scene.now(), scene.now()), 0);
    assert_eq!([scene.endpoint(endpoint).removed_at.is_some(), scene.endpoint(removed).removed_at.is_some()], [false, true]);
}

fn words(told: &Told) -> Option<&str> {
    match told {
        Told::Said(Said { text, .. }) => text.as_ref().map(gatepost::Words::as_str),
        _ => None,
    }
}

pub(crate) fn what_a_person_wrote_is_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = scene.say(ALICE, "STOP");
    let before = scene.inbound_entry(old);
    scene.advance(hours(1));
    let young = scene.say(ALICE, "START");
    let since = scene.inbound_entry(young).received_at;
    assert_eq!([before.received_at, since, since].map(|time| scene.retain(time, NEVER)), [0, 1, 0]);
    let after = scene.inbound_entry(old);
    assert_eq!((words(&before.told), words(&after.told), words(&scene.inbound_entry(young).told)), (Some("STOP"), None, Some("START")));
    let (Told::Said(before), Told::Said(after)) = (before.told, after.told) else { panic!("somebody wrote") };
    assert_eq!(after, Said { text: None, detail: None, sender_name: None, ..before }, "that they wrote, and what it meant, is kept");
}

pub(crate) fn what_a_person_said_without_words_is_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let detail = SaidDetail::Reaction { emoji: None };
    let old = [said::wordless(&scene, "reaction", detail), said::called(&scene, &[ALICE], "Alice")].map(|new| scene.hear(new));
    scene.advance(hours(1));
    assert_eq!([(); 2].map(|()| scene.retain(scene.now(), NEVER)), [2, 0]);
    for inbound in old {
        let Told::Said(Said { text, detail, sender_name, .. }) = scene.inbound_entry(inbound).told else { panic!("somebody wrote") };
        assert_eq!((text, detail, sender_name), (None, None, None));
    }
}

/// A name belongs to the contact, as their number does.
pub(crate) fn a_name_outlives_what_was_said(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.hear(said::called(&scene, &[ALICE], "Alice"));
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    assert_eq!(scene.called(ALICE).as_deref(), Some("Alice"));
}

pub(crate) fn what_waits_to_be_heeded_is_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    let heeded = scene.say(ALICE, "hi");
    let waiting = scene.post(vec![scene.said(&[ALICE], "STOP")]).inbound[0];
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    assert_eq!(scene.inbound().iter().map(|entry| entry.id).collect::<Vec<_>>(), [waiting]);
    assert_ne!(waiting, heeded);
    scene.heed();
    assert!(scene.bodies(endpoint)[0].contains(r#""matched_text":"STOP""#));
    scene.advance(hours(1));
    scene.retain(scene.now(), NEVER);
    assert_eq!(words(&scene.inbound_entry(waiting).told), None, "its turn comes");
}

pub(crate) fn the_bytes_of_a_notification_are_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [old, young] = [(); 2].map(|()| scene.post(vec![scene.told_of(&[], "any", Told::Other)]));
    let before = scene.notification(old.id).expect("it is kept");
    let raw = |raw_before| Retention { content_before: NEVER, logs_before: NEVER, raw_before, now: Timestamp::default() };
    assert_eq!(wait(scene.worker().retain(raw(old.at), 9)), 0);
    wait(scene.worker().retain(raw(young.at), 9));
    assert_eq!(scene.notification(old.id), Some(NotificationEntry { body: None, ..before }));
    assert!(scene.notification(young.id).is_some_and(|kept| kept.body.is_some()));
    assert_eq!(scene.inbound().len(), 2);
}

pub(crate) fn a_repetition_is_known_for_its_time(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let said = scene.said(&[ALICE], "hi");
    let at = scene.post(vec![said.clone()]).at;
    scene.heed();
    let again = |scene: &Scene| scene.post(vec![said.clone()]).received;
    let raw = |raw_before| Retention { content_before: scene.now(), logs_before: scene.now(), raw_before, now: Timestamp::default() };
    wait(scene.worker().retain(raw(at), 9));
    assert_eq!((again(&scene), scene.inbound()), (Received { new: 0, repeated: 1, quarantined: 0 }, vec![]));
    wait(scene.worker().retain(raw(at.plus(MOMENT)), 9));
    assert_eq!(again(&scene), Received { new: 1, repeated: 0, quarantined: 0 });
}

pub(crate) fn what_came_in_is_removed_when_it_is_old(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let old = scene.post(vec![scene.said(&[ALICE], "hi"), scene.told_of(&[], "any", Told::Quarantined { why: "x".to_string() })]);
    scene.heed();
    scene.advance(hours(1));
    let young = scene.post(vec![scene.said(&[BOB], "hi")]);
    scene.heed();
    scene.retain(NEVER, young.at);
    let left: Vec<_> = wait(scene.store().notifications(Page::first(9))).iter().map(|entry| entry.id).collect();
    assert_eq!((left, scene.notification(old.id)), (vec![young.id], None));
    assert_eq!(scene.inbound().iter().map(|entry| entry.id).collect::<Vec<_>>(), young.inbound);
    assert_eq!(scene.retain(NEVER, young.at), 0);
}

pub(crate) fn an_opt_out_outlives_the_words(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "STOP");
    scene.advance(hours(1));
    scene.retain(scene.now(), scene.now());
    assert_eq!((scene.inbound(), scene.send(text("hi")).as_str()), (vec![], "blocked by recipient_suppressed"));
}

pub(crate) fn no_more_of_what_came_in_is_forgotten_than_the_limit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    for scene in [&scene, &neighbor] {
        (0..3).for_each(|_| drop(scene.post(vec![scene.said(&[ALICE], "hi")])));
    }
    scene.heed();
    scene.advance(hours(1));
    let now = scene.now();
    let words = Retention { content_before: now, logs_before: NEVER, raw_before: NEVER, now: Timestamp::default() };
    assert_eq!([4, 4, 4].map(|limit| wait(scene.worker().retain(words, limit))), [4, 2, 0]);
    let raw = Retention { content_before: NEVER, logs_before: NEVER, raw_before: now, now: Timestamp::default() };
    assert_eq!([4, 4, 4].map(|limit| wait(scene.worker().retain(raw, limit))), [8, 4, 0], "the bytes and the keys");
    let logs = Retention { content_before: NEVER, logs_before: now, raw_before: NEVER, now: Timestamp::default() };
    assert_eq!([4, 4, 4].map(|limit| wait(scene.worker().retain(logs, limit))), [8, 4, 0], "what was told, and who told it");
}
