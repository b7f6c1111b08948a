//! Suppression: who must not be written to, when a message is accepted and again when an attempt starts.

use gatepost::{AccountChange, Actor, Cause, ContactState, ErrorClass, Fact, NewSuppression, SuppressionFilter};

use crate::Harness;
use crate::draft::{ALICE, BOB, address, code, text};
use crate::scene::Scene;
use crate::words::{failed, sent};
use crate::world::{MOMENT, seconds, wait};

pub(crate) fn a_suppressed_contact_is_not_written_to(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for cause in Cause::ALL {
        scene.suppress(ALICE, cause);
        assert_eq!(scene.send(text("hi")), "blocked by recipient_suppressed");
    }
}

pub(crate) fn other_contacts_may_be_written_to(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.suppress(ALICE, Cause::Legal);
    assert_eq!(scene.send(text("hi").to(BOB)), "queued");
}

pub(crate) fn a_claimed_message_is_withdrawn(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!((scene.status(message).as_str(), scene.attempts(message).as_str()), ("canceled: suppressed", ""));
    assert_eq!(scene.start(claimed), "stale");
    scene.advance(seconds(60));
    assert_eq!((scene.sweep(), scene.claim()), (vec![], vec![]));
}

pub(crate) fn a_queued_message_is_withdrawn_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.suppress(ALICE, Cause::Complaint);
    assert_eq!((scene.status(message).as_str(), scene.claim(), scene.used()), ("canceled: suppressed", vec![], (0, 0)));
}

pub(crate) fn a_message_that_waits_for_another_try_is_withdrawn(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    scene.suppress(ALICE, Cause::Keyword);
    scene.advance(seconds(5));
    assert_eq!((scene.status(message).as_str(), scene.attempts(message).as_str()), ("canceled: suppressed", "1 failed: unreachable"));
    assert_eq!(scene.claim(), []);
}

/// The suppression is read again where an attempt starts: this one was open when what waited was withdrawn.
pub(crate) fn a_start_after_a_suppression_is_canceled(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!(scene.finish(&started, failed(ErrorClass::Unreachable)), "queued");
    scene.advance(seconds(5));
    assert_eq!(scene.start(scene.claim_one()), "ended: canceled");
    assert_eq!((scene.status(message).as_str(), scene.attempts(message).as_str()), ("canceled: suppressed", "1 failed: unreachable"));
    assert_eq!((scene.claim(), scene.used()), (vec![], (0, 0)));
}

pub(crate) fn who_is_written_to_meanwhile_is_not_withdrawn(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi").to(BOB));
    scene.suppress(ALICE, Cause::Manual);
    assert_eq!((scene.status(message).as_str(), scene.start(scene.claim_one()).as_str()), ("queued", "started"));
}

pub(crate) fn what_was_started_before_is_recorded(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!((scene.finish(&started, sent("x")), scene.status(message)), ("sent".to_string(), "sent".to_string()));
}

pub(crate) fn who_is_suppressed_is_not_written_to_at_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.suppress(ALICE, Cause::UserPreference);
    let place = scene.place();
    scene.accept_at_once(text("hi"), &place);
    assert!(place.is_free());
}

pub(crate) fn a_lifted_suppression_lets_through(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let suppression = scene.suppress(ALICE, Cause::Keyword);
    scene.lift(suppression.id);
    assert_eq!((scene.send(text("ho")), scene.start(scene.claim()[0])), ("queued".to_string(), "started".to_string()));
}

pub(crate) fn suppressing_twice_for_the_same_cause_keeps_the_first(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.suppress(ALICE, Cause::Manual);
    assert_eq!(scene.suppress(ALICE, Cause::Manual), first);
    assert_eq!(scene.suppressions(SuppressionFilter::default()), [first]);
}

pub(crate) fn the_strictest_cause_in_force_counts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [mild, strict, milder] = [Cause::Keyword, Cause::Complaint, Cause::UserPreference].map(|cause| scene.suppress(ALICE, cause));
    assert_eq!(cause_that_counts(&scene), Some(Cause::Complaint));
    scene.lift(strict.id);
    assert_eq!(cause_that_counts(&scene), Some(Cause::Keyword));
    scene.lift(mild.id);
    assert_eq!(cause_that_counts(&scene), Some(Cause::UserPreference));
    scene.lift(milder.id);
    assert_eq!(cause_that_counts(&scene), None);
}

fn cause_that_counts(scene: &Scene) -> Option<Cause> {
    scene.send(text("hi"));
    match scene.last_event().facts.contact {
        Fact::Known(ContactState::Suppressed { cause, .. }) => Some(cause),
        Fact::Known(ContactState::Reachable | ContactState::Suspected { .. }) => None,
        Fact::Missing => panic!("the contact is known"),
    }
}

pub(crate) fn the_facts_tell_since_when(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let suppression = scene.suppress(ALICE, Cause::Manual);
    scene.advance(seconds(60));
    scene.send(text("hi"));
    let expected = ContactState::Suppressed { cause: Cause::Manual, since: suppression.since };
    assert_eq!(scene.last_event().facts.contact, Fact::Known(expected));
}

pub(crate) fn after_a_lift_the_same_cause_is_a_new_suppression(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.suppress(ALICE, Cause::Manual);
    let first = scene.lift(first.id).expect("the suppression is there");
    let second = scene.suppress(ALICE, Cause::Manual);
    assert_eq!(scene.suppressions(SuppressionFilter::default()), [second, first]);
    assert_eq!(scene.send(text("hi")), "blocked by recipient_suppressed");
}

pub(crate) fn lifting_twice_keeps_the_first_time(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let suppression = scene.suppress(ALICE, Cause::Manual);
    let (id, first) = (suppression.id, scene.now());
    let lifted = scene.lift(id).expect("the suppression is there");
    assert_eq!(lifted.lifted, Some((Actor::App, first)));
    scene.advance(seconds(60));
    let again = wait(scene.store().lift(id, Actor::Gateway, scene.now()));
    assert_eq!(again, Some(lifted));
}

pub(crate) fn what_is_not_there_cannot_be_lifted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.lift(scene.new_suppression(ALICE, Cause::Manual).id), None);
}

pub(crate) fn a_suppression_keeps_what_it_was_given(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let by = Actor::Key(scene.add_key().id);
    let new = NewSuppression { note: Some("asked by mail: \"no more\"".to_string()), by, ..scene.new_suppression(ALICE, Cause::Complaint) };
    let kept = wait(scene.store().suppress(new.clone()));
    assert_eq!((kept.id, kept.contact, &kept.address, kept.cause), (new.id, new.contact, &new.address, new.cause));
    assert_eq!((kept.note.clone(), kept.since, kept.by, kept.lifted), (new.note, new.now, by, None));
    assert_eq!(scene.suppressions(SuppressionFilter::default()), [kept]);
}

pub(crate) fn a_suppression_makes_its_contact(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let suppression = scene.suppress(ALICE, Cause::Manual);
    assert_eq!(wait(scene.store().addresses(suppression.contact)), [address(ALICE)]);
    scene.send(text("hi"));
    assert_eq!(scene.last_event().contact, suppression.contact);
}

pub(crate) fn a_suppression_is_of_the_contact_that_was_written_to(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    assert_eq!(scene.suppress(ALICE, Cause::Manual).contact, scene.last_event().contact);
}

pub(crate) fn a_code_reaches_who_opted_out(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(code());
    for cause in [Cause::Keyword, Cause::NaturalLanguage, Cause::UserPreference] {
        scene.suppress(ALICE, cause);
        assert_eq!((scene.send(code()), scene.send(text("hi"))), ("queued".to_string(), "blocked by recipient_suppressed".to_string()));
    }
    let codes = scene.claim();
    assert_eq!(codes.len(), 4);
    assert!(codes.into_iter().all(|claimed| scene.start(claimed) == "started"));
}

pub(crate) fn a_code_does_not_reach_who_complained(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(code());
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!(scene.start(scene.claim_one()), "started");
    let waiting = scene.sent(code());
    scene.suppress(ALICE, Cause::Complaint);
    assert_eq!(scene.send(code()), "blocked by recipient_suppressed");
    assert_eq!((scene.status(waiting).as_str(), scene.claim()), ("canceled: suppressed", vec![]));
}

pub(crate) fn a_code_stays_away_where_the_operator_said_so(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.suppress(ALICE, Cause::Keyword);
    scene.send(code());
    scene.change_account(AccountChange { one_time_codes_pass: Some(false), ..AccountChange::default() });
    assert_eq!(scene.send(code()), "blocked by recipient_suppressed");
    assert_eq!(scene.start(scene.claim_one()), "ended: canceled");
}

pub(crate) fn suppressions_are_found_by_address(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [alice, _] = [ALICE, BOB].map(|number| scene.suppress(number, Cause::Manual));
    let of = |number| scene.suppressions(SuppressionFilter { address: Some(address(number)), in_force: false });
    assert_eq!((of(ALICE), of(crate::draft::CAROL)), (vec![alice], vec![]));
}

pub(crate) fn suppressions_in_force_are_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [alice, bob] = [ALICE, BOB].map(|number| scene.suppress(number, Cause::Manual));
    scene.lift(alice.id);
    scene.advance(MOMENT);
    assert_eq!(scene.suppressions(SuppressionFilter { address: None, in_force: true }), [bob]);
}
