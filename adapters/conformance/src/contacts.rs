//! Contacts: people as sets of addresses. Whatever holds for one address holds for all, once they are known to be of one person.

use gatepost::{Cause, ContactCard, ConversationWindow, ErrorClass, Limits, NewInbound, Rate, SuppressionFilter, Told, Words};

use crate::Harness;
use crate::draft::{ALICE, ALICE_ID, ALICE_LID, BOB, address, text};
use crate::opt_out::DOUBTFUL;
use crate::said::called;
use crate::scene::{Scene, limits, person};
use crate::words::{failed, sent};
use crate::world::{hours, seconds, wait};

const BLOCKED: &str = "blocked by recipient_suppressed";

/// Who is only known by an id opts out; a message to the number waits.
fn opted_out_by_id(scene: &Scene) -> gatepost::MessageId {
    let waiting = scene.sent(text("hi"));
    scene.change_account(gatepost::AccountChange { confirms_opt_out: Some(false), ..Default::default() });
    scene.say(ALICE_ID, "STOP");
    assert_eq!((scene.status(waiting).as_str(), scene.send(text("ho").to(ALICE_ID)).as_str()), ("queued", BLOCKED));
    waiting
}

#[track_caller]
fn check_opted_out(scene: &Scene, waiting: gatepost::MessageId) {
    assert_eq!((scene.status(waiting).as_str(), scene.used(), scene.claim()), ("canceled: suppressed", (0, 0), vec![]));
    assert_eq!([scene.send(text("ho")), scene.send(text("ho").to(ALICE_ID))], [BLOCKED, BLOCKED]);
}

pub(crate) fn a_later_message_shows_whose_number_it_is(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = opted_out_by_id(&scene);
    scene.hear(scene.said(&[ALICE, ALICE_ID], "hi"));
    check_opted_out(&scene, waiting);
}

pub(crate) fn a_status_shows_whose_number_it_is(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = opted_out_by_id(&scene);
    let status = Told::Status(crate::scene::report(None, "wamid.0", gatepost::Progress::Sent));
    scene.hear(scene.told_of(&[ALICE, ALICE_ID], "status", status));
    check_opted_out(&scene, waiting);
}

pub(crate) fn the_answer_to_a_send_shows_whose_number_it_is(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = opted_out_by_id(&scene);
    scene.know(&[ALICE, ALICE_ID]);
    check_opted_out(&scene, waiting);
}

pub(crate) fn a_change_of_identity_shows_whose_number_it_is(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = opted_out_by_id(&scene);
    scene.hear(scene.told_of(&[ALICE_ID], "identity", Told::Identity(person(&[ALICE]))));
    check_opted_out(&scene, waiting);
}

pub(crate) fn what_was_claimed_is_called_back_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = opted_out_by_id(&scene);
    let claimed = scene.claim_one();
    scene.know(&[ALICE, ALICE_ID]);
    assert_eq!(scene.start(claimed), "stale");
    check_opted_out(&scene, waiting);
}

pub(crate) fn a_doubt_holds_for_all_addresses(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = scene.sent(text("hi"));
    scene.say(ALICE_ID, DOUBTFUL);
    assert_eq!((scene.status(waiting).as_str(), scene.suspicions()[0].address.text().as_str()), ("queued", ALICE_ID));
    scene.know(&[ALICE, ALICE_ID]);
    assert_eq!((scene.status(waiting).as_str(), scene.send(text("ho")).as_str(), scene.used()), ("held", "held", (0, 0)));
    let [suspicion] = &scene.suspicions()[..] else { panic!("expected one suspicion") };
    assert_eq!(suspicion.address, address(ALICE), "the number is shown where it is known");
    assert!(scene.answer_suspicion(suspicion.contact, false).is_some());
    assert_eq!((scene.send(text("ho")).as_str(), scene.release(waiting).as_str()), ("queued", "done: queued"));
    assert!(scene.claim().into_iter().all(|claimed| scene.start(claimed) == "started"));
}

pub(crate) fn of_two_doubts_the_newest_word_counts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.say(ALICE_ID, DOUBTFUL);
    scene.advance(seconds(1));
    let second = scene.say(ALICE, DOUBTFUL);
    let since = scene.suspicions().iter().map(|suspicion| suspicion.since).max();
    scene.know(&[ALICE, ALICE_ID]);
    let [suspicion] = &scene.suspicions()[..] else { panic!("expected one suspicion") };
    assert_eq!((suspicion.inbound, Some(suspicion.since)), (second, since));
    let contacts = [first, second].map(|inbound| scene.inbound_entry(inbound).contact);
    assert_eq!(contacts, [Some(suspicion.contact); 2], "what came in is of the one contact");
}

pub(crate) fn a_report_that_makes_two_one_closes_what_that_held(harness: &dyn Harness) {
    for was_tried in [true, false] {
        let scene = Scene::new(harness);
        scene.say(ALICE_ID, DOUBTFUL);
        let message = scene.sent(text("hi"));
        if was_tried {
            scene.deliver(failed(ErrorClass::Unreachable));
        }
        let report = crate::scene::report(Some(message), "wamid.1", gatepost::Progress::Delivered);
        scene.report(scene.told_of(&[ALICE_ID], "status", Told::Status(report)));
        let expected = if was_tried { ("delivered", "closed: arrived") } else { ("held", "done: queued") };
        assert_eq!((scene.status(message).as_str(), scene.release(message).as_str()), expected);
        assert_eq!(scene.claim().len(), usize::from(!was_tried), "what arrived is not sent again");
    }
}

pub(crate) fn what_was_held_before_two_became_one_is_withdrawn_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.deliver(sent("x"));
    scene.supervise();
    let held = scene.sent(text("ho").to(ALICE_ID));
    scene.know(&[ALICE, ALICE_ID]);
    assert_eq!(scene.release(held), "done: queued");
    let started = scene.started();
    scene.suppress(ALICE, Cause::Manual);
    assert_eq!(scene.finish(&started, failed(ErrorClass::Unreachable)), "queued");
    scene.advance(seconds(5));
    assert_eq!(scene.start(scene.claim_one()), "ended: canceled");
}

pub(crate) fn the_suppressions_of_both_hold(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE_ID, "STOP");
    let manual = scene.suppress(ALICE, Cause::Manual);
    scene.know(&[ALICE, ALICE_ID]);
    let listed = [ALICE, ALICE_ID].map(|who| {
        let filter = SuppressionFilter { address: who.parse().ok(), in_force: true };
        scene.suppressions(filter).iter().map(|suppression| suppression.cause).collect::<Vec<_>>()
    });
    assert_eq!(listed, [[Cause::Manual, Cause::Keyword], [Cause::Manual, Cause::Keyword]]);
    scene.say(ALICE, "START");
    assert_eq!(scene.send(text("hi").to(ALICE_ID)), BLOCKED, "what the account put there stays");
    scene.lift(manual.id);
    assert_eq!([scene.send(text("hi")), scene.send(text("hi").to(ALICE_ID))], ["queued", "queued"]);
}

pub(crate) fn a_start_at_one_address_lifts_for_all(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE_ID, "STOP");
    scene.say(ALICE, "STOP");
    scene.know(&[ALICE, ALICE_ID]);
    scene.say(ALICE_ID, "START");
    assert_eq!([scene.send(text("hi")), scene.send(text("hi").to(ALICE_ID))], ["queued", "queued"]);
}

pub(crate) fn the_longer_window_stays(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let first = scene.post(vec![scene.said(&[ALICE], "hi")]).at;
    let second = scene.post(vec![scene.said(&[ALICE_ID], "hi")]).at;
    let third = scene.post_to(till, vec![scene.said(&[ALICE_ID], "hi")]).at;
    scene.heed();
    assert_eq!(scene.window(ALICE), ConversationWindow::Until(first.plus(hours(24))));
    scene.know(&[ALICE, ALICE_ID]);
    for who in [ALICE, ALICE_ID] {
        assert_eq!(scene.window(who), ConversationWindow::Until(second.plus(hours(24))));
        assert_eq!(scene.window_at(till, who), ConversationWindow::Until(third.plus(hours(24))));
    }
}

pub(crate) fn the_rate_of_both_holds(harness: &dyn Harness) {
    let rate = Some(Rate { count: 1, period_seconds: 60, burst: 1 });
    let scene = Scene::limited(harness, Limits { recipient_rate: rate, ..limits(9, 9) });
    assert_eq!((scene.send(text("hi").to(BOB)).as_str(), scene.send(text("hi").to(ALICE_ID)).as_str()), ("queued", "queued"));
    scene.send(text("to another").to(ALICE_LID));
    scene.advance(seconds(60));
    scene.send(text("later").to(ALICE_LID));
    scene.know(&[BOB, ALICE_LID]);
    assert!(scene.send(text("ho").to(BOB)).starts_with("throttled by recipient_velocity"));
    assert_eq!(scene.send(text("ho").to(ALICE_ID)), "queued");
}

pub(crate) fn addresses_are_of_the_one_contact(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let contacts = [ALICE_ID, ALICE].map(|who| {
        scene.send(text("hi").to(who));
        scene.last_event().contact
    });
    scene.know(&[ALICE, ALICE_ID, ALICE_LID]);
    let all = [ALICE, ALICE_ID, ALICE_LID].map(str::to_string).to_vec();
    assert_eq!(contacts.map(|contact| scene.addresses(contact)), [all.clone(), all.clone()]);
    scene.know(&[ALICE, ALICE_ID]);
    scene.know(&[ALICE_LID]);
    assert_eq!(contacts.map(|contact| scene.addresses(contact)), [all.clone(), all]);
    scene.send(text("ho").to(ALICE_LID));
    assert_eq!(Some(scene.last_event().contact), contacts.into_iter().min(), "the older one stays");
}

pub(crate) fn whom_nobody_knew_is_known(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.know(&[ALICE, ALICE_ID]);
    scene.suppress(ALICE, Cause::Manual);
    assert_eq!([scene.send(text("hi").to(ALICE_ID)), scene.send(text("hi").to(ALICE_LID))], [BLOCKED, "queued"]);
    assert_eq!(wait(scene.store().addresses(scene.id(gatepost::ContactId::new))), []);
}

/// Three contacts become one in two steps, whichever of them is the oldest.
pub(crate) fn contacts_become_one_step_by_step(harness: &dyn Harness) {
    let [phone, id, lid] = [ALICE, ALICE_ID, ALICE_LID];
    for order in [[phone, id, lid], [id, lid, phone], [lid, phone, id], [lid, id, phone], [id, phone, lid], [phone, lid, id]] {
        let scene = Scene::new(harness);
        scene.change_account(gatepost::AccountChange { confirms_opt_out: Some(false), ..Default::default() });
        let messages = order.map(|who| scene.sent(text("hi").to(who)));
        let contacts: Vec<_> = scene.events().iter().map(|event| event.contact).collect();
        scene.know(&[phone, id]);
        scene.know(&[id, lid]);
        let all: Vec<_> = [phone, id, lid].map(str::to_string).to_vec();
        assert!(contacts.iter().all(|contact| scene.addresses(*contact) == all), "{order:?}");
        scene.say(lid, "STOP");
        assert_eq!(messages.map(|message| scene.status(message)), ["canceled: suppressed"; 3], "{order:?}");
        assert_eq!([phone, id, lid].map(|who| scene.send(text("ho").to(who))), [BLOCKED; 3], "{order:?}");
    }
}

pub(crate) fn a_suppression_counts_at_the_start_whatever_the_contact_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.change_account(gatepost::AccountChange { confirms_opt_out: Some(false), ..Default::default() });
    scene.send(text("so that the id is the older one").to(ALICE_ID));
    scene.deliver_all();
    let message = scene.sent(text("hi"));
    scene.know(&[ALICE, ALICE_ID]);
    let started = scene.started();
    scene.say(ALICE_ID, "STOP");
    assert_eq!(scene.finish(&started, failed(ErrorClass::Unreachable)), "queued");
    scene.advance(seconds(5));
    let claimed = scene.claim_one();
    assert_eq!((scene.start(claimed).as_str(), scene.status(message).as_str()), ("ended: canceled", "canceled: suppressed"));
}

pub(crate) fn a_lift_counts_whatever_the_contact_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("so that the id is the older one").to(ALICE_ID));
    scene.deliver_all();
    let held = scene.sent(text("hi"));
    scene.know(&[ALICE, ALICE_ID]);
    let suppression = scene.suppress(ALICE, Cause::Manual);
    scene.lift(suppression.id);
    assert_eq!((scene.status(held).as_str(), scene.send(text("ho")).as_str()), ("canceled: suppressed", "queued"));
    assert_eq!(scene.start(scene.claim_one()), "started");
}

pub(crate) fn contacts_of_others_stay_as_they_are(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    let waiting = neighbor.sent(text("hi"));
    scene.say(ALICE_ID, "STOP");
    scene.know(&[ALICE, ALICE_ID]);
    assert_eq!([neighbor.send(text("hi").to(ALICE_ID)), neighbor.status(waiting)], ["queued", "queued"]);
    neighbor.suppress(ALICE, Cause::Manual);
    assert_eq!(neighbor.send(text("hi").to(ALICE_ID)), "queued", "to them it is another person");
    assert_eq!(scene.send(text("hi").to(BOB)), "queued");
}

pub(crate) fn nobody_has_a_card_who_is_not_known(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.card(ALICE), None);
    scene.send(text("hi"));
    let contact = scene.last_event().contact;
    assert_eq!(scene.card(ALICE), Some(ContactCard { id: contact, name: None, addresses: person(&[ALICE]) }));
    assert_eq!(scene.card(BOB), None);
}

pub(crate) fn who_writes_is_called_as_they_call_themself(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = scene.post(vec![called(&scene, &[ALICE, ALICE_ID], "Alice")]).inbound[0];
    scene.heed();
    let contact = scene.inbound_entry(posted).contact.expect("a contact");
    let name = Some(Words::new("Alice".to_string()));
    let card = Some(ContactCard { id: contact, name, addresses: person(&[ALICE, ALICE_ID]) });
    assert_eq!([scene.card(ALICE), scene.card(ALICE_ID)], [card.clone(), card]);
    assert_eq!(scene.card(ALICE_LID), None);
}

pub(crate) fn the_newest_name_counts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let late = NewInbound { at: Some(scene.now()), ..called(&scene, &[ALICE], "Al") };
    for (new, name) in [
        (called(&scene, &[ALICE], "Alice"), "Alice"),
        (called(&scene, &[ALICE], "Alice B"), "Alice B"),
        (scene.said(&[ALICE], "without a name"), "Alice B"),
        (late, "Alice B"),
    ] {
        scene.hear(new);
        assert_eq!(scene.called(ALICE).as_deref(), Some(name));
    }
}

pub(crate) fn a_name_that_cannot_be_seen_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let long = "\u{202e}".to_string() + &"\u{627}".repeat(101);
    for (told, name) in [("\u{200b}", None), ("A\u{200d}l\u{7}i", Some("Ali")), (" \u{2060}\n", Some("Ali"))] {
        scene.hear(called(&scene, &[ALICE], told));
        assert_eq!(scene.called(ALICE).as_deref(), name, "{told:?}");
    }
    scene.hear(called(&scene, &[ALICE], &long));
    assert_eq!(scene.called(ALICE), Some("\u{627}".repeat(100)));
}

pub(crate) fn the_newest_name_of_both_stays(harness: &dyn Harness) {
    for order in [[ALICE, ALICE_ID], [ALICE_ID, ALICE]] {
        let scene = Scene::new(harness);
        for who in [ALICE, ALICE_ID] {
            scene.send(text("hi").to(who));
        }
        scene.hear(called(&scene, &order[..1], "Alice"));
        scene.hear(called(&scene, &order[1..], "Alice B"));
        scene.know(&order);
        assert_eq!(order.map(|who| scene.called(who)), [Some("Alice B".to_string()), Some("Alice B".to_string())]);
        assert_eq!(scene.card(ALICE), scene.card(ALICE_ID));
    }
}

pub(crate) fn a_name_outlives_a_contact_without_one(harness: &dyn Harness) {
    for (first, second) in [(ALICE, ALICE_ID), (ALICE_ID, ALICE)] {
        let scene = Scene::new(harness);
        scene.send(text("so that this one is the older one").to(first));
        scene.send(text("hi").to(second));
        scene.hear(called(&scene, &[ALICE], "Alice"));
        scene.know(&[ALICE, ALICE_ID]);
        assert_eq!([first, second].map(|who| scene.called(who).is_some_and(|name| name == "Alice")), [true, true]);
    }
}

pub(crate) fn a_merged_contact_is_called_by_its_new_name(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = [ALICE_ID, ALICE].map(|who| scene.post(vec![called(&scene, &[who], "Alice")]));
    scene.know(&[ALICE, ALICE_ID]);
    scene.heed();
    scene.hear(called(&scene, &[ALICE_ID], "Alice B"));
    assert_eq!([ALICE, ALICE_ID].map(|who| scene.called(who)), [Some("Alice B".to_string()), Some("Alice B".to_string())]);
    assert_eq!(posted.map(|posted| scene.inbound_entry(posted.inbound[0]).contact), [scene.card(ALICE).map(|card| card.id); 2]);
}

pub(crate) fn a_name_is_known_to_its_account_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    scene.hear(called(&scene, &[ALICE], "Alice"));
    assert_eq!(neighbor.card(ALICE), None);
    neighbor.hear(called(&neighbor, &[ALICE], "Mrs Smith"));
    assert_eq!((scene.called(ALICE).as_deref(), neighbor.called(ALICE).as_deref()), (Some("Alice"), Some("Mrs Smith")));
}

pub(crate) fn two_numbers_of_a_status_are_two_people(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let report = crate::scene::report(None, "wamid.1", gatepost::Progress::Read);
    scene.report(scene.told_of(&[ALICE, BOB], "status.read", Told::Status(report)));
    scene.say(ALICE, "STOP");
    assert_eq!(scene.send(text("hi").to(BOB)), "queued");
}
