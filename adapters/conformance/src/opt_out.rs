//! Opt-out: what follows when a person asks for no more messages, may have asked for it, or wants them again.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost::{
    AccountChange, Actor, Cause, Connection, ContactState, Content, ErrorClass, Fact, InstanceChange, Limits, MessageStatus, NewInbound,
    NewSuppression, Progress, Rate, ReviewFilter, ReviewVerdict, Suppression, SuppressionFilter, SuppressionId, Suspicion, Told, Wish,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, address, code, text};
use crate::inbox::told;
use crate::scene::{Scene, limits};
use crate::words::{failed, sent};
use crate::world::{MOMENT, hours, seconds, wait};

/// What a person may have meant as an opt-out.
pub(crate) const DOUBTFUL: &str = "stop?";

const BLOCKED: &str = "blocked by recipient_suppressed";

fn suppressions(scene: &Scene) -> Vec<Suppression> {
    scene.suppressions(SuppressionFilter::default())
}

/// The causes in force, the newest first.
fn in_force(scene: &Scene) -> Vec<Cause> {
    scene.suppressions(SuppressionFilter { in_force: true, ..SuppressionFilter::default() }).iter().map(|standing| standing.cause).collect()
}

pub(crate) fn who_says_stop_is_suppressed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let posted = scene.post(vec![scene.said(&[ALICE], "STOP")]);
    assert_eq!(suppressions(&scene), []);
    let (now, contact) = (scene.now(), scene.inbound_entry(posted.inbound[0]).contact.expect("a contact"));
    scene.heed();
    let [suppression] = &suppressions(&scene)[..] else { panic!("expected one suppression") };
    let expected = Suppression {
        id: suppression.id,
        contact,
        address: address(ALICE),
        cause: Cause::Keyword,
        note: None,
        since: now,
        by: Actor::Recipient,
        lifted: None,
    };
    assert_eq!((suppression, scene.send(text("hi")).as_str()), (&expected, BLOCKED));
    assert_eq!(scene.send(text("hi").to(BOB)), "queued");
}

pub(crate) fn who_says_it_in_their_own_words_is_suppressed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "I would like to stop receiving these text messages");
    assert_eq!((in_force(&scene), scene.send(text("hi")).as_str()), (vec![Cause::NaturalLanguage], BLOCKED));
}

pub(crate) fn who_says_anything_else_is_not(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for words in ["Don't stop!", "help", "OK", "When do you open?"] {
        scene.say(ALICE, words);
    }
    assert_eq!((suppressions(&scene), scene.suspicions(), scene.send(text("hi")).as_str()), (vec![], vec![], "queued"));
}

pub(crate) fn an_opt_out_withdraws_what_waits(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let started = scene.sent(text("started"));
    let attempt = scene.started();
    let tried = scene.sent(text("tried"));
    scene.deliver(failed(ErrorClass::Unreachable));
    let claimed = scene.sent(text("claimed"));
    let claim = scene.claim_one();
    let (waiting, elsewhere) = (scene.sent(text("waiting")), scene.sent(text("elsewhere").to(BOB)));
    scene.change_account(AccountChange { confirms_opt_out: Some(false), ..AccountChange::default() });
    scene.say(ALICE, "STOP");
    let statuses = [started, tried, claimed, waiting, elsewhere].map(|message| scene.status(message));
    assert_eq!(statuses, ["sending", "canceled: suppressed", "canceled: suppressed", "canceled: suppressed", "queued"]);
    assert_eq!((scene.used(), scene.start(claim).as_str()), ((2, 2), "stale"));
    assert_eq!((scene.finish(&attempt, sent("x")).as_str(), scene.claim().len()), ("sent", 1));
}

/// Whoever waits for a message hears at once that it does not go out.
pub(crate) fn what_was_called_back_is_answered(harness: &dyn Harness) {
    for (words, status) in [("STOP", MessageStatus::Canceled), (DOUBTFUL, MessageStatus::Held)] {
        let scene = Scene::new(harness);
        let messages = [(); 2].map(|()| scene.sent(text("hi")));
        scene.send(text("elsewhere").to(BOB));
        scene.post(vec![scene.said(&[ALICE], words), scene.said(&[ALICE], "hi")]);
        let settled: BTreeSet<_> = scene.heed().iter().map(|settled| (settled.message, settled.status.as_str())).collect();
        assert_eq!(settled, messages.map(|message| (message, status.as_str())).into());
        assert_eq!(scene.heed(), []);
    }
}

pub(crate) fn a_withdrawn_message_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let endpoint = scene.listen(&["message.failed"]);
    scene.say(ALICE, "STOP");
    let [body] = &told(&scene, endpoint)[..] else { panic!("expected one event") };
    assert_eq!((body["status"].as_str(), body["error_code"].as_str()), (Some("canceled"), Some("suppressed")));
}

pub(crate) fn an_opt_out_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    scene.say(ALICE, "Stop, please.");
    let [body] = &told(&scene, endpoint)[..] else { panic!("expected one event") };
    let field = |name: &str| body[name].as_str();
    assert_eq!((field("phone"), field("matched_text"), field("source")), (Some(ALICE), Some("Stop, please."), Some("keyword")));
    let since = suppressions(&scene)[0].since;
    assert_eq!((field("opted_out_at"), field("instance_name")), (Some(since.to_string().as_str()), Some("desk")));
}

pub(crate) fn a_second_opt_out_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    scene.say(ALICE, "STOP");
    let before = (suppressions(&scene), scene.confirmations());
    scene.say(ALICE, "stop");
    assert_eq!(((suppressions(&scene), scene.confirmations()), scene.told(endpoint).len()), (before, 1));
}

pub(crate) fn an_opt_out_is_confirmed_though_it_holds(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "STOP");
    let [confirmation] = &scene.confirmations()[..] else { panic!("expected one confirmation") };
    assert_eq!((scene.status(confirmation.id).as_str(), &confirmation.recipient), ("queued", &address(ALICE)));
    assert_eq!(confirmation.instance, scene.instance);
    let Some(Content::Text { text: words }) = &confirmation.content else { panic!("expected a text") };
    assert!(words.as_str().contains("Acme"), "it says who confirms");
    assert_eq!((scene.deliver(sent("x")).as_str(), scene.send(text("hi")).as_str()), ("sent", BLOCKED));
}

pub(crate) fn a_confirmation_is_due(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.post(vec![scene.said(&[ALICE], "STOP")]);
    let changes = scene.changes();
    scene.heed();
    assert_eq!(changes.recv_timeout(crate::world::PATIENCE), Ok(()));
}

pub(crate) fn a_confirmation_is_void_after_five_minutes(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "STOP");
    let confirmation = scene.confirmations()[0].clone();
    scene.at(confirmation.created_at.plus(seconds(300)).minus(MOMENT));
    scene.give_back(scene.claim_one());
    scene.advance(MOMENT);
    scene.sweep();
    assert_eq!((scene.status(confirmation.id).as_str(), scene.claim(), scene.used()), ("expired: expired", vec![], (0, 0)));
}

pub(crate) fn a_confirmation_of_what_holds_no_more_is_not_sent(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "STOP");
    let confirmation = scene.confirmations()[0].id;
    scene.say(ALICE, "START");
    let claimed = scene.claim_one();
    assert_eq!((scene.start(claimed).as_str(), scene.status(confirmation).as_str()), ("ended: canceled", "canceled: suppressed"));
    assert_eq!((scene.claim(), scene.send(text("hi")).as_str()), (vec![], "queued"));
}

pub(crate) fn an_account_that_wants_none_sends_no_confirmation(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.change_account(AccountChange { confirms_opt_out: Some(false), ..AccountChange::default() });
    scene.say(ALICE, "STOP");
    assert_eq!((in_force(&scene), scene.confirmations(), scene.claim()), (vec![Cause::Keyword], vec![], vec![]));
}

pub(crate) fn no_limit_holds_a_confirmation_back(harness: &dyn Harness) {
    let slow = Some(Rate { count: 1, period_seconds: 3_600, burst: 1 });
    for limits in [limits(1, 9), limits(9, 1), Limits { recipient_rate: slow, account_rate: slow, instance_rate: slow, ..limits(9, 9) }] {
        let scene = Scene::limited(harness, limits);
        scene.send(text("hi"));
        scene.deliver(sent("x"));
        scene.say(ALICE, "STOP");
        assert_eq!(scene.confirmations().len(), 1, "{limits:?}");
        assert_eq!((scene.deliver(sent("y")).as_str(), scene.used()), ("sent", (1, 1)), "and it takes nothing from them");
    }
}

pub(crate) fn a_confirmation_needs_no_person(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    scene.say(ALICE, "STOP");
    assert_eq!((scene.deliver(sent("x")).as_str(), scene.reviews(ReviewFilter::default())), ("sent", vec![]));
}

pub(crate) fn what_holds_everything_back_holds_a_confirmation_back(harness: &dyn Harness) {
    let hinder: [fn(&Scene); 4] = [
        Scene::pause,
        Scene::suspend,
        |scene| drop(scene.change_instance(InstanceChange { pause: Some(Some(scene.a_pause())), ..InstanceChange::default() })),
        |scene| drop(scene.change_instance(InstanceChange { connection: Some(Connection::Closed), ..InstanceChange::default() })),
    ];
    for hinder in hinder {
        let scene = Scene::new(harness);
        hinder(&scene);
        let events = scene.events().len();
        scene.say(ALICE, "STOP");
        assert_eq!((in_force(&scene), scene.messages(), scene.events().len()), (vec![Cause::Keyword], vec![], events));
    }
}

pub(crate) fn who_said_so_before_is_not_confirmed_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for words in ["STOP", "I would like to stop receiving these text messages", "STOP"] {
        scene.say(ALICE, words);
    }
    assert_eq!(scene.confirmations().len(), 1);
    scene.say(ALICE, "START");
    scene.say(ALICE, "STOP");
    assert_eq!(scene.confirmations().len(), 2, "it is another wish");
}

pub(crate) fn who_was_blocked_gets_no_confirmation(harness: &dyn Harness) {
    for cause in [Cause::Manual, Cause::Complaint, Cause::Legal, Cause::NumberReassigned] {
        let scene = Scene::new(harness);
        scene.suppress(ALICE, cause);
        scene.say(ALICE, "STOP");
        assert_eq!((in_force(&scene), scene.messages()), (vec![Cause::Keyword, cause], vec![]));
    }
}

pub(crate) fn a_start_lifts_what_was_written(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for cause in Cause::ALL {
        scene.suppress(ALICE, cause);
    }
    scene.suppress(BOB, Cause::Keyword);
    scene.say(ALICE, "START");
    let left = [Cause::Keyword, Cause::Legal, Cause::Complaint, Cause::Manual, Cause::NumberReassigned, Cause::UserPreference];
    assert_eq!(in_force(&scene), left, "the first is Bob's");
    let lifted: Vec<_> = suppressions(&scene).iter().filter_map(|one| Some((one.cause, one.lifted?.0))).collect();
    assert_eq!(lifted, [(Cause::Keyword, Actor::Recipient), (Cause::NaturalLanguage, Actor::Recipient)]);
}

pub(crate) fn a_start_lets_through_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "STOP");
    scene.say(ALICE, "START");
    assert_eq!((scene.send(text("hi")).as_str(), suppressions(&scene)[0].lifted.map(|(by, _)| by)), ("queued", Some(Actor::Recipient)));
}

pub(crate) fn a_start_is_told_where_it_lifts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_in"]);
    scene.say(BOB, "START");
    scene.suppress(BOB, Cause::Manual);
    scene.say(BOB, "START");
    assert_eq!(scene.told(endpoint), Vec::<&str>::new(), "nothing was lifted");
    scene.say(ALICE, "STOP");
    scene.say(ALICE, "start");
    let [body] = &told(&scene, endpoint)[..] else { panic!("expected one event") };
    let field = |name: &str| body[name].as_str();
    assert_eq!((field("phone"), field("matched_text"), field("source")), (Some(ALICE), Some("start"), Some("keyword")));
    assert!(field("opted_in_at").is_some());
}

fn wishes(scene: &Scene, wish: Wish) {
    scene.hear(scene.told_of(&[ALICE], "user_preferences", Told::Preference(wish)));
}

pub(crate) fn the_providers_switch_suppresses(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    let message = scene.sent(text("hi"));
    wishes(&scene, Wish::Stop);
    wishes(&scene, Wish::Stop);
    assert_eq!((in_force(&scene), scene.status(message).as_str()), (vec![Cause::UserPreference], "canceled: suppressed"));
    assert_eq!(scene.confirmations(), [], "who used a switch saw that it did something");
    let [body] = &told(&scene, endpoint)[..] else { panic!("expected one event") };
    assert_eq!((body["source"].as_str(), &body["matched_text"]), (Some("user_preference"), &serde_json::Value::Null));
}

pub(crate) fn the_providers_switch_lifts_its_own_cause_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_in"]);
    scene.say(ALICE, "STOP");
    wishes(&scene, Wish::Stop);
    wishes(&scene, Wish::Resume);
    assert_eq!((in_force(&scene), scene.send(text("hi")).as_str()), (vec![Cause::Keyword], BLOCKED));
    wishes(&scene, Wish::Resume);
    assert_eq!(scene.told(endpoint).len(), 1);
}

pub(crate) fn a_send_that_is_refused_for_it_suppresses(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    let [first, second] = [scene.sent(text("one")), scene.sent(text("two"))];
    let claimed = scene.claim();
    let started = scene.start_now(claimed[0]);
    assert_eq!(scene.finish(&started, failed(ErrorClass::OptedOut)), "failed");
    let [refused, other] = if started.parcel.message == first { [first, second] } else { [second, first] };
    assert_eq!([scene.status(refused), scene.status(other)], ["failed: opted_out", "canceled: suppressed"]);
    assert_eq!((in_force(&scene), scene.told(endpoint).len()), (vec![Cause::UserPreference], 1));
    let [suppression] = &suppressions(&scene)[..] else { panic!("expected one suppression") };
    assert_eq!((suppression.by, &suppression.address), (Actor::Recipient, &address(ALICE)));
}

/// What is known of Alice in a policy event.
fn is_suspected(scene: &Scene) -> bool {
    matches!(scene.last_event().facts.contact, Fact::Known(ContactState::Suspected { .. }))
}

pub(crate) fn a_doubt_suppresses_nothing_and_holds_what_comes(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, DOUBTFUL);
    assert_eq!((suppressions(&scene), scene.confirmations()), (vec![], vec![]));
    assert_eq!([scene.send(text("hi")), scene.send(text("hi").to(BOB))], ["held", "queued"]);
    scene.send(text("ho"));
    assert!(is_suspected(&scene));
    assert_eq!((scene.claim().len(), scene.reviews(ReviewFilter::OPEN).len()), (1, 2));
}

pub(crate) fn a_doubt_holds_what_waits(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.held"]);
    let claimed = scene.sent(text("claimed"));
    let claim = scene.claim_one();
    let (waiting, elsewhere) = (scene.sent(text("waiting")), scene.sent(text("elsewhere").to(BOB)));
    assert_eq!(scene.used(), (3, 3));
    scene.say(ALICE, DOUBTFUL);
    assert_eq!([claimed, waiting, elsewhere].map(|message| scene.status(message)), ["held", "held", "queued"]);
    assert_eq!((scene.used(), scene.start(claim).as_str(), scene.told(endpoint).len()), ((1, 1), "stale", 2));
    for message in [claimed, waiting] {
        let review = scene.review(message);
        assert_eq!((review.closed, review.expires_at), (None, review.opened_at.plus(gatepost::REVIEW_TIME)));
    }
    assert_eq!((scene.refuse(claimed).as_str(), scene.used()), ("done: refused", (1, 1)));
}

pub(crate) fn a_code_passes_a_doubt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let before = scene.sent(code());
    scene.say(ALICE, DOUBTFUL);
    assert_eq!((scene.status(before).as_str(), scene.send(code()).as_str()), ("queued", "queued"));
    assert!(scene.claim().into_iter().all(|claimed| scene.start(claimed) == "started"));
}

pub(crate) fn a_doubt_is_listed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let inbound = scene.say(ALICE, DOUBTFUL);
    scene.say(BOB, "When do you open?");
    let [suspicion] = &scene.suspicions()[..] else { panic!("expected one suspicion") };
    let contact = scene.inbound_entry(inbound).contact.expect("a contact");
    assert_eq!(suspicion, &Suspicion { contact, address: address(ALICE), inbound, since: suspicion.since });
    scene.advance(seconds(1));
    let inbound = scene.say(ALICE, DOUBTFUL);
    let [newest] = &scene.suspicions()[..] else { panic!("expected one suspicion") };
    assert_eq!(newest, &Suspicion { inbound, since: newest.since, ..suspicion.clone() });
    assert!(newest.since > suspicion.since, "the time of the newest word");
}

pub(crate) fn doubts_are_read_page_by_page(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for number in [ALICE, BOB, crate::draft::CAROL] {
        scene.say(number, DOUBTFUL);
    }
    let page = |after| wait(scene.store().suspicions(gatepost::Page { after, limit: 2 }));
    let first = page(None);
    let second = page(first.last().map(|suspicion| suspicion.contact));
    assert_eq!(([first, second.clone()].concat(), second.len()), (scene.suspicions(), 1));
}

/// A contact who may have opted out.
fn doubted(scene: &Scene) -> gatepost::ContactId {
    let inbound = scene.say(ALICE, DOUBTFUL);
    scene.inbound_entry(inbound).contact.expect("a contact")
}

pub(crate) fn a_person_says_that_they_opted_out(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    let held = scene.sent(text("hi"));
    let contact = doubted(&scene);
    let suspicion = scene.suspicions().remove(0);
    assert_eq!([scene.answer_suspicion(contact, true), scene.answer_suspicion(contact, true)], [Some(suspicion), None]);
    let [suppression] = &suppressions(&scene)[..] else { panic!("expected one suppression") };
    assert_eq!((suppression.cause, suppression.by, suppression.contact), (Cause::NaturalLanguage, Actor::App, contact));
    assert_eq!((scene.send(text("ho")).as_str(), scene.suspicions(), scene.told(endpoint).len()), (BLOCKED, vec![], 1));
    assert_eq!((scene.status(held).as_str(), scene.release(held).as_str()), ("held", "forbidden: blocked by recipient_suppressed"));
}

pub(crate) fn a_person_says_that_they_did_not_opt_out(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let held = scene.sent(text("hi"));
    let contact = doubted(&scene);
    assert!(scene.answer_suspicion(contact, false).is_some());
    assert_eq!((suppressions(&scene), scene.suspicions(), scene.send(text("ho")).as_str()), (vec![], vec![], "queued"));
    assert_eq!([scene.status(held), scene.release(held)], ["held", "done: queued"]);
    assert_eq!((scene.claim().len(), scene.used()), (2, (2, 2)));
}

pub(crate) fn a_person_must_have_seen_the_newest_word(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let contact = doubted(&scene);
    let first = scene.suspicions().remove(0);
    scene.advance(seconds(1));
    let newest = scene.say(ALICE, DOUBTFUL);
    let refused = scene.answer_seen(contact, first.inbound, false).expect_err("there is a newer word");
    assert_eq!((refused.to_string(), scene.send(text("hi")).as_str()), (gatepost::StoreError::Conflict.to_string(), "held"));
    let now = scene.suspicions().remove(0);
    assert!((now.inbound, now.since > first.since) == (newest, true), "{now:?}");
    assert_eq!(scene.answer_seen(contact, newest, false).expect("it was seen"), Some(now));
}

pub(crate) fn who_is_not_in_doubt_is_not_answered_for(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let inbound = scene.say(ALICE, "hi");
    let contact = scene.inbound_entry(inbound).contact.expect("a contact");
    assert_eq!([scene.answer_suspicion(contact, true), scene.answer_suspicion(scene.id(gatepost::ContactId::new), true)], [None, None]);
    assert_eq!(suppressions(&scene), []);
}

pub(crate) fn a_clear_word_ends_a_doubt(harness: &dyn Harness) {
    for (words, expected) in [("STOP", BLOCKED), ("START", "queued")] {
        let scene = Scene::new(harness);
        doubted(&scene);
        scene.say(ALICE, words);
        assert_eq!((scene.suspicions(), scene.send(text("hi")).as_str()), (vec![], expected), "{words}");
    }
}

pub(crate) fn a_clear_word_ends_a_doubt_of_who_is_suppressed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "STOP");
    doubted(&scene);
    scene.say(ALICE, "STOP");
    assert_eq!((scene.suspicions(), in_force(&scene)), (vec![], vec![Cause::Keyword]));
}

pub(crate) fn any_other_word_ends_no_doubt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    doubted(&scene);
    scene.say(ALICE, "When do you open?");
    assert_eq!((scene.suspicions().len(), scene.send(text("hi")).as_str()), (1, "held"));
}

pub(crate) fn who_was_in_doubt_is_suppressed_like_anybody(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    doubted(&scene);
    scene.suppress(ALICE, Cause::Manual);
    assert_eq!((scene.suspicions(), scene.send(text("hi")).as_str()), (vec![], BLOCKED));
}

pub(crate) fn what_a_person_released_goes_out_in_doubt(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    doubted(&scene);
    assert_eq!((scene.release(message).as_str(), scene.suspicions().len()), ("done: queued", 1));
    assert_eq!((scene.deliver(sent("x")).as_str(), scene.used()), ("sent", (1, 1)));
}

pub(crate) fn a_doubt_after_its_release_holds_a_message_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    scene.release(message);
    scene.advance(seconds(60));
    doubted(&scene);
    assert_eq!((scene.status(message).as_str(), scene.review(message).closed, scene.claim()), ("held", None, vec![]));
    assert_eq!((scene.release(message).as_str(), scene.deliver(sent("x")).as_str()), ("done: queued", "sent"));
}

pub(crate) fn a_message_that_is_held_again_keeps_its_tries(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    doubted(&scene);
    assert_eq!((scene.status(message).as_str(), scene.used()), ("held", (0, 0)));
    scene.release(message);
    assert_eq!(scene.started().attempt, 2);
    assert_eq!((scene.attempts(message).as_str(), scene.used()), ("1 failed: unreachable, 2 open", (1, 1)));
}

pub(crate) fn what_was_held_after_it_left_is_not_sent_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    doubted(&scene);
    assert_eq!(scene.report(scene.reported_of(message, Progress::Failed)), "nothing");
    assert_eq!(scene.report(scene.reported_of(message, Progress::Delivered)), "delivered");
    let closed = scene.review(message).closed.expect("nothing is left to look at");
    assert_eq!((closed.by, closed.verdict, scene.release(message).as_str()), (Actor::Gateway, ReviewVerdict::Arrived, "closed: arrived"));
    scene.advance(hours(25));
    scene.sweep();
    assert_eq!((scene.status(message).as_str(), scene.claim()), ("delivered", vec![]));
}

pub(crate) fn what_was_refused_after_it_left_has_arrived(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    doubted(&scene);
    scene.refuse(message);
    assert_eq!(scene.report(scene.reported_of(message, Progress::Read)), "read");
    assert_eq!(scene.review(message).closed.expect("it was refused").verdict, ReviewVerdict::Refused);
}

pub(crate) fn being_held_again_buys_no_try(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    for _ in 1..gatepost::Schedule::WHATSAPP.tries() {
        scene.deliver(failed(ErrorClass::Unreachable));
        scene.advance(seconds(3_600));
    }
    doubted(&scene);
    scene.release(message);
    assert_eq!(scene.deliver(failed(ErrorClass::Unreachable)), "failed");
    assert_eq!((scene.status(message).as_str(), scene.used()), ("failed: unreachable", (0, 0)));
}

pub(crate) fn what_was_put_off_before_counts_no_more_when_held_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    for _ in 0..=gatepost::Schedule::WHATSAPP.tries() {
        scene.deliver(failed(ErrorClass::Paced));
        scene.advance(seconds(60));
    }
    doubted(&scene);
    scene.release(message);
    assert_eq!((scene.deliver(sent("x")).as_str(), scene.status(message).as_str()), ("sent", "sent"));
}

pub(crate) fn a_held_message_that_is_held_again_has_one_review(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    scene.release(message);
    scene.advance(Duration::from_secs(60));
    doubted(&scene);
    let reviews = scene.reviews(ReviewFilter::default());
    assert_eq!((reviews.len(), reviews[0].message, reviews[0].closed.is_none()), (1, message, true));
    scene.at(reviews[0].expires_at);
    scene.sweep();
    assert_eq!(scene.status(message), "refused: expired");
}

pub(crate) fn what_is_nobodys_own_wish_is_not_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    for cause in [Cause::Manual, Cause::Complaint, Cause::Legal, Cause::NumberReassigned] {
        scene.suppress(ALICE, cause);
    }
    assert_eq!(scene.told(endpoint), Vec::<&str>::new());
}

pub(crate) fn an_opt_out_that_a_person_noted_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["recipient.opted_out"]);
    let id = scene.id(SuppressionId::new);
    wait(scene.store().suppress(NewSuppression { id, ..scene.new_suppression(ALICE, Cause::Keyword) }));
    scene.suppress(ALICE, Cause::Keyword);
    let [body] = &told(&scene, endpoint)[..] else { panic!("expected one event") };
    assert_eq!(
        (body["phone"].as_str(), body["source"].as_str(), &body["matched_text"]),
        (Some(ALICE), Some("keyword"), &serde_json::Value::Null)
    );
}

pub(crate) fn an_older_wish_that_comes_later_lifts_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let before = scene.now();
    scene.advance(seconds(300));
    scene.say(ALICE, "STOP");
    // The provider could not tell it in time, and tells it again.
    scene.hear(NewInbound { at: Some(before), ..scene.said(&[ALICE], "START") });
    assert_eq!(in_force(&scene), [Cause::Keyword]);
    scene.hear(NewInbound { at: Some(scene.now()), ..scene.said(&[ALICE], "START") });
    assert_eq!(in_force(&scene), []);
}

pub(crate) fn an_opt_out_that_comes_late_is_not_confirmed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let said_at = scene.now();
    scene.advance(seconds(301));
    scene.hear(NewInbound { at: Some(said_at), ..scene.said(&[ALICE], "STOP") });
    assert_eq!((in_force(&scene), scene.claim()), (vec![Cause::Keyword], vec![]));
}

pub(crate) fn who_stopped_messages_of_another_system_is_suppressed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    stop_messages_of_another_system(&scene);
    assert_eq!((in_force(&scene), scene.send(text("hi")).as_str()), (vec![Cause::UserPreference], BLOCKED));
}

pub(crate) fn who_stopped_messages_of_another_system_is_counted_with_the_rest(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.deliver(sent("x"));
    let before = scene.traffic();
    stop_messages_of_another_system(&scene);
    assert_eq!(scene.traffic(), gatepost::Traffic { opted_out: before.opted_out + 1, ..before });
}

fn stop_messages_of_another_system(scene: &Scene) {
    let report =
        gatepost::StatusReport { error: Some(ErrorClass::OptedOut), ..crate::scene::report(None, "wamid.of-nobody", Progress::Failed) };
    assert_eq!(scene.report(scene.told_of(&[ALICE], "status.failed", Told::Status(report))), "nothing");
}
