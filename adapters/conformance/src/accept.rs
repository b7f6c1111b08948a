//! Accept: what becomes of a submission, and what is written of it.

use std::sync::{Arc, Mutex};

use gatepost::{
    Action, Answer, Button, Content, Decider, Decision, Evidence, Fact, FactName, Facts, Finding, Findings, MediaKind, MessageFilter,
    MessageStatus, Mode, Page, Part, Policy, PolicyEventFilter, Purpose, RuleId, Sender, Shadowed, Signal, Span, Subject, Submission,
    TemplateButton, TemplateButtonFill, TemplateHeader, TemplateParameter, Text, Timestamp, Verdict, decide, examine_with,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, Draft, address, code, content, text};
use crate::scene::Scene;
use crate::words;
use crate::world::{PATIENCE, wait};

pub(crate) fn an_allowed_message_is_queued(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.send(text("hi")), "queued");
}

pub(crate) fn an_accepted_message_is_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    assert_eq!(scene.find(message).map(|message| message.status), Some(MessageStatus::Queued));
    assert_eq!(scene.messages().len(), 1);
}

pub(crate) fn a_message_nobody_sent_is_not_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let unsent = scene.submission(text("hi")).message;
    assert_eq!(scene.find(unsent), None);
    assert_eq!(scene.attempts(unsent), "");
}

pub(crate) fn a_message_keeps_what_it_was_given(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let submission = scene.submission(code().to(BOB).test());
    let (id, now) = (submission.message, submission.now);
    assert_eq!(words::answer(&scene.accept_one(submission)), "queued");
    let message = scene.message(id);
    assert_eq!((message.id, message.instance, message.recipient), (id, scene.instance, address(BOB)));
    assert_eq!((message.purpose, message.mode, message.log_id), (Purpose::Authentication, Mode::Test, 1));
    assert_eq!((message.created_at, message.updated_at), (now, now));
    assert_eq!((message.error, message.external_id), (None, None));
}

pub(crate) fn every_kind_of_content_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for sent in every_content() {
        let message = scene.sent(content(sent.clone()));
        assert_eq!(scene.message(message).content, Some(sent));
    }
}

/// One of each kind, with what is hard to keep.
pub(crate) fn every_content() -> [Content; 6] {
    [
        Content::Interactive { text: part("Which one?"), header: Some(part("Pick")), footer: None, action: buttons(["this", "that"]) },
        Content::Location { latitude_e6: -33_856_784, longitude_e6: 151_215_297, name: None, address: Some(part("1 Quay St")) },
        Content::Media {
            kind: MediaKind::Document,
            source: part("media-7"),
            caption: Some(part("قائمة \u{1f4dc}\n'quoted'")),
            file_name: Some(part("menu.pdf")),
        },
        Content::Reaction { to: part("wamid.1"), emoji: Some(part("\u{1f44d}")) },
        template(),
        Content::Text { text: part("a \"text\" with\ttabs; -- and \\ marks") },
    ]
}

fn template() -> Content {
    Content::Template {
        name: part("order"),
        language: part("en_US"),
        authentication: true,
        header: Some(TemplateHeader::Media { kind: MediaKind::Image, source: part("media-8") }),
        parameters: vec![TemplateParameter { name: Some(part("code")), text: part("42") }],
        buttons: vec![TemplateButton { index: 1, fill: TemplateButtonFill::Payload { payload: part("STOP:7") } }],
    }
}

fn buttons(titles: [&str; 2]) -> Action {
    let button = |title: &str| Button { id: part(title), title: part(title) };
    Action::Buttons { buttons: titles.map(button).to_vec().try_into().expect("two buttons") }
}

fn part<const MAX: usize>(words: &str) -> Text<MAX> {
    words.parse().expect("a text")
}

pub(crate) fn an_instance_may_be_called_by_its_name(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi").via("desk"));
    assert_eq!(scene.message(message).instance, scene.instance);
}

pub(crate) fn a_submission_for_an_unknown_instance_leaves_nothing_behind(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let submission = scene.submission(text("hi").via("nowhere").under("k"));
    let contact = submission.contact;
    assert_eq!(scene.accept_one(submission), Answer::UnknownInstance);
    assert_eq!((scene.messages(), scene.events()), (vec![], vec![]));
    assert_eq!(wait(scene.store().addresses(contact)), []);
    assert_eq!(scene.send(text("hi").under("k")), "queued");
    assert_eq!(scene.last_event().seq, 1);
}

pub(crate) fn an_account_that_nobody_made_has_no_instance(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.nobody().accept(text("hi")), Answer::UnknownInstance);
}

pub(crate) fn a_blocked_message_is_no_message(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let submission = scene.submission(text("Buy!").purpose("marketing"));
    let id = submission.message;
    let Answer::Refused { log_id, decision, quota, .. } = scene.accept_one(submission) else { panic!("expected a refusal") };
    assert_eq!(words::decision(&decision), "blocked by purpose_not_allowed");
    assert_eq!((log_id, quota.usage.day), (1, 0));
    assert_eq!((scene.find(id), scene.messages()), (None, vec![]));
    assert_eq!(scene.claim(), []);
}

pub(crate) fn a_refusal_is_a_policy_event_without_a_message(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.send(text("Buy!").purpose("marketing"));
    let refused = PolicyEventFilter { refused: true, ..PolicyEventFilter::default() };
    let events = wait(scene.store().policy_events(refused, Page::first(9)));
    assert_eq!(events.iter().map(|event| (event.seq, event.message)).collect::<Vec<_>>(), [(2, None)]);
}

pub(crate) fn a_policy_event_says_what_it_is_about(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let submission = scene.submission(code());
    let (message, contact, now) = (submission.message, submission.contact, submission.now);
    scene.accept_one(submission);
    let event = scene.last_event();
    assert_eq!((event.seq, event.at, event.message), (1, now, Some(message)));
    assert_eq!((event.instance, event.contact, event.policy), (scene.instance, contact, Policy::default()));
    assert_eq!(event.zones, gatepost::Zone::database_version());
    assert_eq!(
        (event.subject, event.facts.content),
        (code().request("").subject(), Fact::Known(Findings { one_time_code: true, ..Findings::default() }))
    );
}

pub(crate) fn the_events_of_a_message_are_found(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.sent(text("hi"));
    let message = scene.sent(text("hi again"));
    let about = PolicyEventFilter { message: Some(message), ..PolicyEventFilter::default() };
    let events = wait(scene.store().policy_events(about, Page::first(9)));
    assert_eq!(events.iter().map(|event| (event.seq, event.message)).collect::<Vec<_>>(), [(2, Some(message))]);
}

pub(crate) fn deciding_again_gives_the_same_answer(harness: &dyn Harness) {
    let scene = Scene::limited(harness, crate::scene::limits(2, 5));
    scene.suppress(BOB, gatepost::Cause::Keyword);
    let drafts = [text("hi"), text("hi").to(BOB), code().to(BOB), text("Buy!").purpose("promotion"), text("one too many")];
    drafts.into_iter().for_each(|draft| drop(scene.accept(draft)));
    let events = scene.events();
    assert_eq!(events.len(), 5);
    for event in events {
        assert_eq!(event.decide_again(), event.decision, "event {}", event.seq);
    }
}

pub(crate) fn a_policy_event_holds_no_text_and_no_address(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("the secret word is plover").to(ALICE));
    let event = serde_json::to_string(&scene.last_event()).expect("an event is JSON");
    assert!(!event.contains("plover") && !event.contains(ALICE.trim_start_matches('+')), "{event}");
}

pub(crate) fn log_ids_count_up_without_gaps(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let drafts = [text("one"), text("nowhere").via("nowhere"), text("two").purpose("political"), text("three")];
    let log_ids: Vec<_> = drafts.into_iter().filter_map(|draft| log_id(&scene.accept(draft))).collect();
    assert_eq!(log_ids, [1, 2, 3]);
    assert_eq!(scene.events().iter().map(|event| event.seq).collect::<Vec<_>>(), [3, 2, 1]);
}

fn log_id(answer: &Answer) -> Option<u64> {
    match answer {
        Answer::Accepted(accepted) => Some(accepted.log_id),
        Answer::Refused { log_id, .. } | Answer::Repeated { log_id, .. } => Some(*log_id),
        Answer::KeyReused | Answer::UnknownInstance | Answer::Undecided => None,
    }
}

pub(crate) fn a_batch_is_answered_in_order(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let batch = [text("one"), text("Buy!").purpose("marketing"), text("x").via("nowhere"), text("two")];
    assert_eq!(scene.send_all(batch), ["queued", "blocked by purpose_not_allowed", "unknown instance", "queued"]);
}

pub(crate) fn an_empty_batch_has_no_answers(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(scene.send_all([]), Vec::<String>::new());
}

pub(crate) fn the_decider_sees_what_the_batch_has_charged(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one"), text("two"), text("three")]);
    let charged: Vec<_> = scene.events().iter().filter_map(|event| event.facts.usage.known().map(|usage| usage.day)).collect();
    assert_eq!(charged, [2, 1, 0]);
}

/// Decides as the policy does, once it was told of what it is asked.
struct Telling<F>(F);

impl<F: Fn(&Subject) + Send + Sync> Decider for Telling<F> {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        (self.0)(subject);
        decide(Policy::usual(), facts, subject, now)
    }

    fn policy(&self) -> &Policy {
        Policy::usual()
    }
}

/// Panics about one-time codes, without the noise of a hook.
fn panics_about_codes() -> Arc<dyn Decider> {
    Arc::new(Telling(|subject: &Subject| {
        if subject.purpose == Purpose::Authentication.into() {
            std::panic::resume_unwind(Box::new("a code"));
        }
    }))
}

pub(crate) fn a_panicking_decider_fails_its_request_only(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let batch = [text("one"), code(), text("two")].map(|draft| scene.submission(draft));
    let answers = scene.accept_all(batch.into(), panics_about_codes());
    assert_eq!(answers.iter().map(words::answer).collect::<Vec<_>>(), ["queued", "undecided", "queued"]);
    assert_eq!(answers.iter().filter_map(log_id).collect::<Vec<_>>(), [1, 2]);
}

pub(crate) fn a_panicking_decider_leaves_nothing_behind(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let place = scene.place();
    let submission = scene.submission_at_once(code().under("k"), &place);
    let (message, contact) = (submission.message, submission.contact);
    assert_eq!(scene.accept_all(vec![submission], panics_about_codes()), [Answer::Undecided]);
    assert_eq!((scene.find(message), scene.events(), scene.used()), (None, vec![], (0, 0)));
    assert_eq!(wait(scene.store().addresses(contact)), []);
    assert!(place.is_free());
    assert_eq!(scene.send(code().under("k")), "queued");
}

pub(crate) fn a_contact_is_made_by_the_first_message_and_kept(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let first = scene.submission(text("hi"));
    let contact = first.contact;
    scene.accept_one(first);
    scene.accept(text("hi again"));
    assert_eq!(scene.events().iter().map(|event| event.contact).collect::<Vec<_>>(), [contact, contact]);
    assert_eq!(wait(scene.store().addresses(contact)), [address(ALICE)]);
}

pub(crate) fn a_refused_message_makes_its_contact_too(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.accept(text("Buy!").purpose("marketing"));
    assert_eq!(wait(scene.store().addresses(scene.last_event().contact)), [address(ALICE)]);
}

pub(crate) fn a_candidate_leaves_its_word_and_changes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let at = Span { part: Part::Body, start: 0, length: 2 };
    let findings = Findings { found: vec![Finding { signal: Signal::Offer, at, times: 1 }], ..Findings::default() };
    let submission = Submission { findings: Fact::Known(findings), ..scene.submission(text("hi")) };
    let candidate = Policy { version: 9, review_from: 1, ..Policy::default() };
    let answer = scene.accept_all(vec![submission], Arc::new(Shadowed { live: Policy::default(), candidate })).pop();
    assert!(matches!(answer, Some(Answer::Accepted(accepted)) if accepted.status == MessageStatus::Queued));
    let event = scene.last_event();
    let shadow = event.shadow.expect("the candidate was asked");
    assert_eq!((shadow.version, shadow.verdict, shadow.rule), (9, Verdict::Hold, Some(RuleId::RiskReview)));
    assert_eq!((event.policy.version, event.decide_again()), (1, event.decision.clone()));
    scene.send(text("hi"));
    assert_eq!(scene.last_event().shadow, None, "nobody asks where none is tried");
}

pub(crate) fn what_was_not_examined_is_held(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let Answer::Accepted(held) = scene.accept_one(Submission { findings: Fact::Missing, ..scene.submission(text("hi")) }) else {
        panic!("expected a held message")
    };
    assert_eq!(held.status, MessageStatus::Held);
    assert_eq!(held.decision.deciding().map(|reason| reason.evidence), Some(Evidence::Fact(FactName::Content)));
}

pub(crate) fn what_goes_at_once_is_started(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let place = scene.place();
    let Answer::Accepted(accepted) = scene.accept_at_once(text("hi"), &place) else { panic!("expected a message") };
    let started = place.given().expect("the place is taken");
    assert_eq!((accepted.status, scene.status(accepted.message)), (MessageStatus::Sending, "sending".to_string()));
    assert_eq!((started.parcel.message, started.attempt, started.lease), (accepted.message, 1, place.lease));
    assert_eq!((scene.attempts(accepted.message), scene.claim()), ("1 open".to_string(), vec![]));
    assert_eq!(scene.finish(&started, words::sent("x")), "sent");
}

/// A store that gave the permit while it was still deciding could not know whether the commit succeeds.
pub(crate) fn a_permit_is_given_the_attempt_only_after_commit(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let place = Arc::new(scene.place());
    let batch = vec![scene.submission_at_once(text("hi"), &place), scene.submission(code())];
    let (seen, early) = (place.clone(), Arc::new(Mutex::new(Vec::new())));
    let told = early.clone();
    let decider = Telling(move |_: &Subject| told.lock().expect("a lock").push(seen.taken()));
    scene.accept_all(batch, Arc::new(decider));
    assert!(place.given().is_some());
    let early = early.lock().expect("a lock");
    assert!(early.len() >= 2 && !early.contains(&true), "{early:?}");
}

pub(crate) fn an_unused_permit_is_dropped(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for draft in [text("Buy!").purpose("marketing"), text("x").via("nowhere")] {
        let place = scene.place();
        scene.accept_at_once(draft, &place);
        assert!(place.is_free());
    }
    scene.supervise();
    let place = scene.place();
    assert_eq!(words::answer(&scene.accept_at_once(text("hi"), &place)), "held");
    assert!(place.is_free());
}

pub(crate) fn what_is_queued_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let told = scene.changes();
    scene.send(text("hi"));
    assert_eq!(told.recv_timeout(PATIENCE), Ok(()));
}

pub(crate) fn the_facts_shown_are_those_decided_from(harness: &dyn Harness) {
    let scene = Scene::limited(harness, gatepost::Plan::Starter.limits());
    scene.send(text("an earlier one"));
    let shown = facts(&scene, code());
    scene.send(code());
    assert_eq!(shown, Some(scene.last_event().facts));
}

pub(crate) fn there_are_no_facts_without_an_instance(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(facts(&scene, text("hi").via("nowhere")), None);
}

pub(crate) fn asking_for_facts_writes_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    facts(&scene, text("hi").under("k"));
    let everything = wait(scene.store().messages(MessageFilter::default(), Page::first(9)));
    assert_eq!((everything, scene.events(), scene.used()), (vec![], vec![], (0, 0)));
    assert_eq!(scene.send(text("hi").under("k")), "queued");
    assert_eq!(scene.last_event().seq, 1);
}

fn facts(scene: &Scene, draft: Draft) -> Option<Facts> {
    let request = draft.request(scene.instance);
    let findings = Fact::Known(examine_with(&request.content, &Sender::default(), None));
    wait(scene.store().facts(request, findings, scene.now()))
}

pub(crate) fn a_store_that_works_says_so(harness: &dyn Harness) {
    wait(Scene::new(harness).world().store.probe());
}
