//! Review: a person's answer to a held message.

use std::sync::Arc;

use gatepost::{
    Actor, Cause, Closing, Decider, Decision, Facts, MessageId, MessageStatus, Policy, REVIEW_TIME, Review, ReviewAnswer, ReviewFilter,
    ReviewState, ReviewVerdict, Reviewed, RuleId, Subject, Timestamp, Verdict,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, text};
use crate::opt_out::DOUBTFUL;
use crate::paging::newest_first;
use crate::scene::{Scene, limits};
use crate::words;
use crate::world::{MOMENT, PATIENCE, seconds, wait};

/// A scene in which a person must release each message.
fn supervised(harness: &dyn Harness) -> Scene {
    let scene = Scene::new(harness);
    scene.supervise();
    scene
}

pub(crate) fn a_held_message_waits_for_a_person(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    assert_eq!((scene.status(message).as_str(), scene.claim()), ("held", vec![]));
    let opened_at = scene.message(message).created_at;
    let opened_by = Some(RuleId::AccountSupervised);
    let expires_at = opened_at.plus(REVIEW_TIME);
    assert_eq!(scene.review(message), Review { message, opened_by, policy_event: 1, opened_at, expires_at, approved: None, closed: None });
}

pub(crate) fn a_review_says_what_opened_it(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [waiting, unknown] = [text("hi"), text("hi").to(BOB).by(scene.a_key().id)].map(|draft| scene.sent(draft));
    scene.say(ALICE, DOUBTFUL);
    let doubtful = scene.sent(text("ho"));
    scene.supervise();
    let supervised = scene.sent(text("hi").to(BOB));
    let opened_by = [waiting, unknown, doubtful, supervised].map(|message| scene.review(message).opened_by.map(RuleId::as_str));
    assert_eq!(opened_by, ["opt_out_suspected", "fact_missing", "opt_out_suspected", "account_supervised"].map(Some));
}

pub(crate) fn a_review_names_the_decision_that_it_is_of(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let waiting = scene.sent(text("hi"));
    scene.supervise();
    let supervised = scene.sent(text("hi").to(BOB));
    scene.release(supervised);
    scene.say(ALICE, DOUBTFUL);
    let events = scene.events();
    for (message, verdict) in [(waiting, Verdict::Allow), (supervised, Verdict::Hold)] {
        let seq = scene.review(message).policy_event;
        let event = events.iter().find(|event| event.seq == seq).expect("its policy event");
        assert_eq!((event.message, event.decision.verdict), (Some(message), verdict));
    }
}

/// Holds everything, and does not say why.
struct Silent;

impl Decider for Silent {
    fn decide(&self, _: &Facts, _: &Subject, _: Timestamp) -> Decision {
        Decision { verdict: Verdict::Hold, risk_score: 0, reasons: Vec::new() }
    }

    fn policy(&self) -> &Policy {
        Policy::usual()
    }
}

pub(crate) fn a_hold_without_a_reason_has_a_review(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let submission = scene.submission(text("hi"));
    let message = submission.message;
    scene.accept_all(vec![submission], Arc::new(Silent));
    assert_eq!((scene.review(message).opened_by, scene.release(message).as_str()), (None, "done: queued"));
}

pub(crate) fn a_released_message_goes_out(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.advance(seconds(60));
    let release = scene.a_release(message);
    let answer = wait(scene.store().release(release.clone(), Arc::new(Policy::default())));
    assert_eq!(answer, ReviewAnswer::Done(MessageStatus::Queued));
    let closing = Closing { at: release.now, by: release.by, verdict: ReviewVerdict::Released, note: release.note };
    assert_eq!(scene.review(message).closed, Some(closing));
    assert_eq!((scene.status(message).as_str(), scene.deliver(words::sent("x")).as_str()), ("queued", "sent"));
}

pub(crate) fn a_second_doubt_is_not_overridden_unseen(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, DOUBTFUL);
    let [released, held] = [text("hi"), text("ho")].map(|draft| scene.sent(draft));
    scene.release(released);
    scene.advance(seconds(60));
    scene.say(ALICE, DOUBTFUL);
    scene.advance(seconds(60));
    assert_eq!((scene.status(released).as_str(), scene.release(held).as_str()), ("held", "forbidden: held by opt_out_suspected"));
    let [anew, again] = [released, held].map(|message| scene.release(message));
    assert_eq!((anew.as_str(), again.as_str(), scene.claim().len()), ("done: queued", "done: queued", 2));
}

pub(crate) fn a_release_is_told(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let told = scene.changes();
    scene.release(message);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(()));
}

pub(crate) fn a_refused_message_stays(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let now = scene.now();
    let refused = wait(scene.store().refuse(message, Actor::App, Some("rude".to_string()), now));
    assert_eq!((words::review(&refused).as_str(), scene.status(message).as_str()), ("done: refused", "refused"));
    let closing = Closing { at: now, by: Actor::App, verdict: ReviewVerdict::Refused, note: Some("rude".to_string()) };
    assert_eq!((scene.review(message).closed, scene.claim()), (Some(closing), vec![]));
}

pub(crate) fn what_is_not_held_cannot_be_reviewed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let queued = scene.sent(text("hi"));
    let unsent = scene.submission(text("hi")).message;
    for message in [queued, unsent] {
        assert_eq!([scene.release(message), scene.refuse(message)], ["not found", "not found"]);
    }
    assert_eq!(scene.status(queued), "queued");
}

pub(crate) fn a_review_is_closed_once(harness: &dyn Harness) {
    let scene = supervised(harness);
    let [released, refused] = ["one", "two"].map(|words| scene.sent(text(words)));
    scene.release(released);
    scene.refuse(refused);
    assert_eq!([scene.release(released), scene.refuse(released)], ["closed: released", "closed: released"]);
    assert_eq!([scene.release(refused), scene.refuse(refused)], ["closed: refused", "closed: refused"]);
    assert_eq!((scene.claim().len(), scene.used()), (1, (1, 1)));
}

pub(crate) fn a_closed_review_is_shown_as_it_is(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.release(message);
    assert_eq!(scene.answer_release(message), ReviewAnswer::Closed(Box::new(scene.review(message))));
}

pub(crate) fn a_release_is_decided_again(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.suppress(ALICE, Cause::Keyword);
    assert_eq!(scene.release(message), "forbidden: blocked by recipient_suppressed");
    assert_eq!((scene.status(message).as_str(), scene.release(message).as_str()), ("refused", "closed: refused"));
    assert_eq!((scene.claim(), scene.used()), (vec![], (0, 0)));
}

pub(crate) fn a_release_is_a_policy_event_of_its_own(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.release(message);
    let events = scene.events();
    assert_eq!(events.iter().map(|event| (event.seq, event.subject.released)).collect::<Vec<_>>(), [(2, true), (1, false)]);
    assert!(events.iter().all(|event| event.message == Some(message) && event.decide_again() == event.decision));
}

pub(crate) fn a_release_names_who_released(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let opened_at = scene.review(message).opened_at;
    scene.advance(seconds(60));
    let by = Actor::Key(scene.a_key().id);
    scene.release_by(by, message);
    let told: Vec<_> = scene.events().iter().map(|event| event.subject.reviewed).collect();
    assert_eq!(told, [Some(Reviewed { opened_at, by, approved_by: None }), None]);
}

pub(crate) fn a_release_answers_no_doubt_that_its_review_did_not_show(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let first = scene.review(message);
    scene.advance(seconds(1_800));
    scene.say(ALICE, DOUBTFUL);
    scene.advance(seconds(1_800));
    assert_eq!(scene.release(message), "forbidden: held by opt_out_suspected");
    assert_eq!((scene.status(message).as_str(), scene.claim(), scene.used()), ("held", vec![], (0, 0)));
    let shown = scene.review(message);
    assert_eq!((shown.opened_by, shown.policy_event, shown.closed.clone()), (Some(RuleId::OptOutSuspected), 2, None));
    assert!(first.opened_at < shown.opened_at && shown.expires_at == shown.opened_at.plus(REVIEW_TIME), "{shown:?}");
    assert!(scene.events().iter().all(|event| event.decide_again() == event.decision));
    scene.advance(seconds(60));
    assert_eq!((scene.release(message).as_str(), scene.deliver(words::sent("x")).as_str()), ("done: queued", "sent"));
}

pub(crate) fn a_doubt_after_the_release_holds_it_again(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.advance(seconds(60));
    assert_eq!(scene.release(message), "done: queued");
    let claimed = scene.claim_one();
    scene.say(ALICE, DOUBTFUL);
    assert_eq!((scene.status(message).as_str(), scene.start(claimed).as_str()), ("held", "stale"));
    assert_eq!(scene.release(message), "done: queued");
    assert_eq!(scene.deliver(words::sent("x")), "sent");
}

pub(crate) fn a_release_beyond_the_quota_stays_open(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    scene.limit(limits(0, 9));
    assert_eq!(scene.release(message), "forbidden: throttled by daily_limit until 2026-11-23T00:00:00Z");
    assert_eq!((scene.status(message).as_str(), scene.review(message).closed, scene.used()), ("held", None, (0, 0)));
    scene.limit(limits(1, 9));
    assert_eq!(scene.release(message), "done: queued");
}

pub(crate) fn a_release_with_a_fact_missing_stays_open(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi").by(scene.a_key().id));
    assert_eq!(scene.release(message), "forbidden: held by fact_missing");
    assert_eq!((scene.status(message).as_str(), scene.review(message).closed), ("held", None));
}

pub(crate) fn a_review_that_nobody_answers_expires(harness: &dyn Harness) {
    let scene = supervised(harness);
    let message = scene.sent(text("hi"));
    let expires_at = scene.review(message).expires_at;
    scene.at(expires_at.minus(MOMENT));
    assert_eq!((scene.sweep(), scene.status(message).as_str()), (vec![], "held"));
    scene.at(expires_at);
    assert_eq!((scene.sweep(), scene.message(message).status), (vec![MessageStatus::Refused], MessageStatus::Refused));
    let closed = scene.review(message).closed.map(|closing| (closing.at, closing.verdict));
    assert_eq!((closed, scene.release(message).as_str()), (Some((expires_at, ReviewVerdict::Expired)), "closed: expired"));
    assert_eq!(scene.used(), (0, 0));
}

pub(crate) fn open_reviews_are_found(harness: &dyn Harness) {
    let scene = supervised(harness);
    let [_, second] = ["one", "two"].map(|words| scene.sent(text(words)));
    let first = scene.reviews(ReviewFilter::default())[1].message;
    scene.refuse(first);
    assert_eq!((found(&scene, ReviewFilter::OPEN), scene.reviews(ReviewFilter::default()).len()), (vec![second], 2));
}

/// The messages of the reviews that pass.
fn found(scene: &Scene, filter: ReviewFilter) -> Vec<MessageId> {
    scene.reviews(filter).iter().map(|review| review.message).collect()
}

pub(crate) fn closed_reviews_are_found(harness: &dyn Harness) {
    let scene = supervised(harness);
    let [refused, released, _] = ["one", "two", "three"].map(|words| scene.sent(text(words)));
    scene.refuse(refused);
    scene.release(released);
    let filter = ReviewFilter { state: Some(ReviewState::Closed), ..ReviewFilter::default() };
    assert_eq!(found(&scene, filter), newest_first(&[refused, released]));
}

pub(crate) fn reviews_are_found_by_the_rule_that_opened_them(harness: &dyn Harness) {
    let scene = supervised(harness);
    let [closed, open] = ["one", "two"].map(|words| scene.sent(text(words).to(BOB)));
    scene.say(ALICE, DOUBTFUL);
    let doubtful = scene.sent(text("hi"));
    scene.refuse(closed);
    let of = |rule| ReviewFilter { rule: Some(rule), ..ReviewFilter::default() };
    assert_eq!(found(&scene, of(RuleId::OptOutSuspected)), [doubtful]);
    assert_eq!(found(&scene, of(RuleId::AccountSupervised)), newest_first(&[closed, open]));
    assert_eq!(found(&scene, ReviewFilter { state: Some(ReviewState::Open), ..of(RuleId::AccountSupervised) }), [open]);
    assert!(found(&scene, of(RuleId::RiskReview)).is_empty());
}
