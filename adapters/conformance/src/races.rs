//! Races: many callers at the same moment, of whom exactly so many may pass.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use gatepost::{
    Answer, Cause, Decider, Decision, ENDPOINTS_MAX, EndpointChange, Entered, EntryKey, ErrorClass, Facts, NewIntegrationEntry, Policy,
    RootPrint, StoreError, Subject, Timestamp, decide,
};

use crate::Harness;
use crate::draft::{ALICE, ALICE_ID, ALICE_LID, BOB, Draft, phone, text};
use crate::scene::{Scene, call, limits};
use crate::words::{self, sent};
use crate::world::{block_on, together, wait};

/// How many of the answers are this one.
fn count(answers: &[String], answer: &str) -> usize {
    answers.iter().filter(|given| *given == answer).count()
}

/// Decides as the policy does, but slowly, so that others may read the same facts meanwhile where a store lets them.
struct Slow;

impl Decider for Slow {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        (0..100).for_each(|_| thread::yield_now());
        decide(Policy::usual(), facts, subject, now)
    }

    fn policy(&self) -> &Policy {
        Policy::usual()
    }
}

fn accept_slowly(scene: &Scene, draft: Draft) -> Answer {
    scene.accept_all(vec![scene.submission(draft)], Arc::new(Slow)).pop().expect("an answer")
}

fn send_slowly(scene: &Scene, draft: Draft) -> String {
    words::answer(&accept_slowly(scene, draft))
}

pub(crate) fn one_of_many_passes_where_one_is_left(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(3, 9));
    scene.send_all([text("1"), text("2")]);
    let answers = together(64, |_| send_slowly(&scene, text("hi")));
    assert_eq!((count(&answers, "queued"), answers.len()), (1, 64));
    assert_eq!((scene.used(), scene.messages().len()), ((3, 3), 3));
}

pub(crate) fn each_of_many_has_a_place_in_the_log(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    together(16, |_| send_slowly(&scene, text("hi")));
    let seqs: Vec<_> = scene.events().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=16).rev().collect::<Vec<_>>());
    assert_eq!(scene.used(), (16, 16));
}

pub(crate) fn the_same_key_from_many_is_one_message(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let answers = together(16, |_| accept_slowly(&scene, text("hi").under("k")));
    let messages: BTreeSet<_> = answers.iter().filter_map(message).collect();
    let words: Vec<_> = answers.iter().map(words::answer).collect();
    assert_eq!((messages.len(), count(&words, "queued"), count(&words, "repeated, queued")), (1, 1, 15));
    assert_eq!((scene.used(), scene.messages().len(), scene.claim().len()), ((1, 1), 1, 1));
}

fn message(answer: &Answer) -> Option<gatepost::MessageId> {
    match answer {
        Answer::Accepted(accepted) => Some(accepted.message),
        Answer::Repeated { message, .. } => Some(*message),
        _ => None,
    }
}

pub(crate) fn a_call_told_by_many_is_one_message(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let integration = scene.add_integration();
    let missed = |nth| text(&format!("sorry, {nth}")).from(call(integration)).of_call(integration, "missed_call", phone(ALICE));
    let answers = together(64, |nth| send_slowly(&scene, missed(nth)));
    assert_eq!((count(&answers, "queued"), count(&answers, "repeated, queued")), (1, 63));
    assert_eq!((scene.used(), scene.messages().len(), scene.claim().len()), ((1, 1), 1, 1));
}

pub(crate) fn the_same_words_of_an_agent_at_many_hosts_are_one_entry(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (integration, at) = (scene.add_integration(), scene.tick());
    let words = NewIntegrationEntry { key: Some(EntryKey::UntilAnswered([7; 32])), at, ..scene.an_entry(integration, "sms") };
    let answers = together(16, |_| scene.enter(words.clone()));
    let new = answers.iter().filter(|answer| matches!(answer, Entered::New(_))).count();
    let repeated = answers.iter().filter(|answer| matches!(answer, Entered::Repeated(1))).count();
    assert_eq!((new, repeated), (1, 15));
}

pub(crate) fn a_new_recipient_of_many_is_one_contact(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    together(16, |_| send_slowly(&scene, text("hi")));
    let contacts: BTreeSet<_> = scene.events().iter().map(|event| event.contact).collect();
    assert_eq!(contacts.len(), 1);
}

pub(crate) fn a_delivery_is_claimed_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all((0..32).map(|_| text("hi")));
    let claimed: Vec<_> = together(8, |_| scene.claim()).into_iter().flatten().map(|claimed| claimed.delivery).collect();
    assert_eq!((claimed.len(), claimed.iter().collect::<BTreeSet<_>>().len()), (32, 32));
}

pub(crate) fn an_attempt_is_started_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let claimed = scene.claim_one();
    let answers = together(8, |_| scene.start(claimed));
    assert_eq!((count(&answers, "started"), count(&answers, "stale")), (1, 7));
    assert_eq!(scene.attempts(message), "1 open");
}

pub(crate) fn an_attempt_is_finished_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let started = scene.started();
    let answers = together(8, |_| scene.finish(&started, sent("x")));
    assert_eq!((count(&answers, "sent"), count(&answers, "stale")), (1, 7));
}

pub(crate) fn a_finish_and_a_sweep_do_not_both_count(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.at(started.lease.until);
    let answers = together(2, |number| match number {
        0 => scene.finish(&started, sent("x")),
        _ => format!("{} swept", scene.sweep().len()),
    });
    let expected: [(&[&str], &str); 2] = [(&["sent", "0 swept"], "1 sent"), (&["stale", "1 swept"], "1 unknown: interrupted")];
    let attempts = scene.attempts(message);
    assert!(expected.contains(&(&answers.iter().map(String::as_str).collect::<Vec<_>>(), attempts.as_str())), "{answers:?}, {attempts}");
}

pub(crate) fn a_review_is_answered_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    let answers = together(8, |number| if number % 2 == 0 { scene.release(message) } else { scene.refuse(message) });
    let done: Vec<_> = answers.iter().filter(|answer| answer.starts_with("done")).collect();
    assert_eq!(done.len(), 1, "{answers:?}");
    let expected = if done == ["done: queued"] { ("queued", (1, 1)) } else { ("refused", (0, 0)) };
    assert_eq!((scene.status(message).as_str(), scene.used()), expected);
}

pub(crate) fn a_suppression_by_many_is_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let suppressions = together(8, |_| scene.suppress(ALICE, Cause::Keyword).id);
    assert_eq!(suppressions.iter().collect::<BTreeSet<_>>().len(), 1);
}

/// Somebody who said stop by one name is written to by another one, which nobody knew, while a provider says that both are theirs.
pub(crate) fn contacts_that_turn_out_to_be_one_at_once_stay_suppressed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let people: Vec<[String; 2]> =
        (1..=12).map(|person| [format!("+9995010001{person:02}"), format!("lid:987654321{person:02}")]).collect();
    for [_, lid] in &people {
        scene.suppress(lid, Cause::Keyword);
    }
    together(24, |number| {
        let [number_of, lid] = &people[number / 2];
        match number % 2 {
            0 => drop(scene.send(text("hi").to(number_of))),
            _ => drop(scene.post(vec![scene.said(&[number_of, lid], "hello")])),
        }
    });
    for [number, lid] in &people {
        assert_eq!(
            [number, lid].map(|address| scene.send(text("hi").to(address))),
            ["blocked by recipient_suppressed"; 2].map(str::to_string)
        );
    }
    assert!(scene.claim().is_empty(), "what waited is withdrawn");
}

/// Somebody is suppressed by a name that nobody knew, while it is learned whose it is: somebody's who was once taken for two people.
pub(crate) fn who_is_called_otherwise_at_once_is_suppressed_whole(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let people: Vec<[String; 3]> = (1..=12)
        .map(|person| [format!("+9995010001{person:02}"), format!("lid:987654321{person:02}"), format!("lid:887654321{person:02}")])
        .collect();
    for [number, lid, _] in &people {
        scene.send_all([text("hi").to(number), text("hi").to(lid)]);
        scene.know(&[number, lid]);
    }
    together(24, |number| {
        let [number_of, _, other] = &people[number / 2];
        match number % 2 {
            0 => scene.know(&[number_of, other]),
            _ => drop(scene.suppress(other, Cause::Keyword)),
        }
    });
    assert!(scene.claim().is_empty(), "what waited is withdrawn");
}

pub(crate) fn no_attempt_starts_after_a_suppression_was_answered(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all((0..32).map(|_| text("hi")));
    let claimed = scene.claim();
    let starts = across_a_suppression(&scene, |number| scene.start(claimed[number]));
    assert!(starts.iter().all(|(late, answer)| !late || answer == "stale"), "what waited was withdrawn: {starts:?}");
    let started = starts.iter().filter(|(_, answer)| answer == "started").count() as u64;
    assert_eq!(scene.used(), (started, started));
}

/// What waits and what starts while the recipient says stop: whatever starts after that was heeded is canceled.
pub(crate) fn no_attempt_starts_after_a_stop_was_heeded(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.change_account(gatepost::AccountChange { confirms_opt_out: Some(false), ..Default::default() });
    let messages: Vec<_> = (0..100).map(|_| scene.sent(text("hi"))).collect();
    let claimed = scene.answer_claim(gatepost::Claim { limit: 32, ..scene.a_claim() }).claimed;
    scene.post(vec![scene.said(&[ALICE], "STOP")]);
    let heed = || drop(scene.heed_at_last());
    let starts = across(heed, |number| {
        let mut answers = scene.start_all(vec![claimed[number]]);
        answers.extend(scene.start_all(scene.answer_claim(gatepost::Claim { limit: 3, ..scene.a_claim() }).claimed));
        answers.iter().map(words::start).collect::<Vec<_>>()
    });
    assert!(starts.iter().all(|(late, answers)| !late || answers.iter().all(|answer| answer != "started")), "{starts:?}");
    let started = starts.iter().flat_map(|(_, answers)| answers).filter(|answer| *answer == "started").count();
    let statuses: Vec<_> = messages.iter().map(|message| scene.status(*message)).collect();
    assert_eq!((count(&statuses, "sending"), count(&statuses, "canceled: suppressed")), (started, 100 - started));
    assert_eq!((scene.used().0, scene.claim()), (started as u64, vec![]));
}

pub(crate) fn what_came_in_is_heeded_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.received"]);
    scene.post((0..32).map(|number| scene.said(&[ALICE], if number % 2 == 0 { "STOP" } else { "START" })).collect());
    let heeded = together(8, |_| (0..16).map(|_| scene.answer_heed(gatepost::Heed { limit: 1, ..scene.a_heed() }).heeded).sum::<usize>());
    assert_eq!((heeded.iter().sum::<usize>(), scene.told(endpoint).len()), (32, 32));
    assert_eq!((scene.send(text("hi")).as_str(), scene.confirmations().len()), ("queued", 16));
}

pub(crate) fn the_same_told_by_many_is_one_thing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let said = scene.said(&[ALICE], "hi");
    let received = together(8, |_| scene.post(vec![said.clone()]).received);
    assert_eq!((received.iter().map(|received| received.new).sum::<usize>(), scene.inbound().len()), (1, 1));
    assert_eq!(scene.answer_heed(scene.a_heed()).heeded, 1);
}

pub(crate) fn a_finish_and_a_report_do_not_both_count(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    let started = scene.started();
    scene.post(vec![scene.reported_of(message, gatepost::Progress::Delivered)]);
    let answers = together(2, |number| match number {
        0 => scene.finish(&started, sent("wamid.1")),
        _ => format!("{} heeded", scene.heed_at_last().len()),
    });
    assert!(["sent", "stale"].contains(&answers[0].as_str()) && answers[1] == "1 heeded", "{answers:?}");
    assert_eq!((scene.status(message).as_str(), scene.attempts(message).as_str()), ("delivered", "1 sent"));
}

pub(crate) fn nothing_goes_at_once_after_a_suppression_was_answered(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let sends = across_a_suppression(&scene, |_| {
        let place = scene.place();
        scene.accept_at_once(text("hi"), &place);
        place.given().is_some()
    });
    assert!(!sends.contains(&(true, true)), "{sends:?}");
    let started = sends.iter().filter(|(_, started)| *started).count() as u64;
    assert_eq!(scene.used(), (started, started));
}

/// Acts 32 times on eight threads, the first of which suppresses Alice beforehand; what came of each, and whether the suppression
/// had been answered when it began.
fn across_a_suppression<T: Send>(scene: &Scene, act: impl Fn(usize) -> T + Sync) -> Vec<(bool, T)> {
    let suppress = || {
        scene.suppress(ALICE, Cause::Keyword);
    };
    across(suppress, act)
}

/// Acts as above, across any way to suppress her.
fn across<T: Send>(suppress: impl Fn() + Sync, act: impl Fn(usize) -> T + Sync) -> Vec<(bool, T)> {
    let suppressed = AtomicBool::new(false);
    let acted = together(8, |thread| {
        if thread == 0 {
            suppress();
            suppressed.store(true, Ordering::SeqCst);
        }
        [0, 8, 16, 24].map(|first| (suppressed.load(Ordering::SeqCst), act(first + thread)))
    });
    acted.into_iter().flatten().collect()
}

/// Decides as the policy does, and keeps the first decision open while a suppression is asked for.
struct Held {
    first: AtomicBool,
    decides: Sender<()>,
    suppressed: Arc<AtomicBool>,
    suppressed_in_time: Arc<AtomicBool>,
}

impl Decider for Held {
    fn decide(&self, facts: &Facts, subject: &Subject, now: Timestamp) -> Decision {
        if self.first.swap(false, Ordering::SeqCst) {
            self.decides.send(()).expect("somebody waits to suppress");
            self.wait_a_little();
        }
        decide(Policy::usual(), facts, subject, now)
    }

    fn policy(&self) -> &Policy {
        Policy::usual()
    }
}

impl Held {
    /// Gives the suppression its chance. A store with one writer answers it only after this decision; one that lets both go on must
    /// notice, and decide again.
    fn wait_a_little(&self) {
        for _ in 0..1_000 {
            if self.suppressed.load(Ordering::SeqCst) {
                self.suppressed_in_time.store(true, Ordering::SeqCst);
                return;
            }
            thread::yield_now();
        }
    }
}

pub(crate) fn a_start_held_across_a_suppression_does_not_pass_it(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("so that the contact is known"));
    let (suppressed, suppressed_in_time) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (decides, decided) = channel();
    let held =
        Held { first: AtomicBool::new(true), decides, suppressed: suppressed.clone(), suppressed_in_time: suppressed_in_time.clone() };
    let place = scene.place();
    thread::scope(|scope| {
        scope.spawn(|| scene.accept_all(vec![scene.submission_at_once(text("hi"), &place)], Arc::new(held)));
        decided.recv().expect("the decider is asked");
        scene.suppress(ALICE, Cause::Keyword);
        suppressed.store(true, Ordering::SeqCst);
    });
    let passed = suppressed_in_time.load(Ordering::SeqCst) && place.given().is_some();
    assert!(!passed, "an attempt was started on facts from before the suppression");
    scene.claim().into_iter().for_each(|claimed| assert_eq!(scene.start(claimed), "ended: canceled"));
    assert_eq!(scene.used().0, u64::from(place.given().is_some()));
}

pub(crate) fn the_name_of_an_instance_is_taken_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let added = together(8, |_| wait(scene.store().add_instance(scene.an_instance("till"))));
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
}

pub(crate) fn an_event_is_taken_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for _ in 0..8 {
        scene.notify_often(scene.listen_to_nothing(), 4);
    }
    let taken: Vec<_> = together(8, |_| scene.take()).into_iter().flatten().map(|notice| notice.claimed.delivery).collect();
    assert_eq!((taken.len(), taken.iter().collect::<BTreeSet<_>>().len()), (32, 32));
}

pub(crate) fn an_event_is_finished_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let delivery = scene.notify(endpoint).id;
    let started = scene.take_one();
    scene.at(started.lease.until);
    together(8, |number| match number % 2 {
        0 => scene.close(&started, words::TAKEN),
        _ => drop(scene.sweep()),
    });
    let ends = [("sent", "1 sent"), ("queued", "1 unknown: interrupted")];
    let end = (scene.fate(delivery), scene.tries(delivery));
    assert!(ends.contains(&(&end.0, &end.1)), "{end:?}");
}

pub(crate) fn the_last_place_for_an_endpoint_is_taken_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for _ in 1..ENDPOINTS_MAX {
        scene.listen_to_nothing();
    }
    let added = together(8, |_| wait(scene.store().add_endpoint(scene.an_endpoint(&["*"]))));
    assert_eq!((added.iter().filter(|added| **added).count(), wait(scene.store().endpoints()).len()), (1, ENDPOINTS_MAX));
}

pub(crate) fn an_endpoint_is_changed_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let change = || EndpointChange { if_revision: Some(0), in_flight_max: Some(1), ..EndpointChange::default() };
    let changed = together(8, |_| block_on(scene.store().change_endpoint(endpoint, change())));
    assert_eq!(changed.iter().filter(|changed| **changed == Err(StoreError::Conflict)).count(), 7);
    assert_eq!(scene.endpoint(endpoint).revision, 1);
}

pub(crate) fn a_delivery_is_replayed_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let delivery = scene.notify(scene.listen_to_nothing()).id;
    scene.tell(words::TAKEN);
    let answers = together(8, |_| scene.replay(delivery));
    assert_eq!((count(&answers, "queued"), count(&answers, "pending"), scene.deliveries().len()), (1, 7, 2));
}

pub(crate) fn a_recovery_is_begun_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let begun = together(8, |_| wait(scene.store().add_recovery(scene.a_recovery(endpoint, Timestamp::default()))));
    assert_eq!(begun.iter().filter(|begun| **begun).count(), 1);
}

pub(crate) fn a_recovery_by_many_repeats_each_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    scene.notify_often(endpoint, 16);
    scene.tell_all(&words::failed(ErrorClass::Aborted));
    let id = scene.begin_recovery(scene.a_recovery(endpoint, Timestamp::default()));
    together(8, |_| (0..32).filter(|_| scene.recover_some(1)).count());
    assert_eq!((scene.progress(id).as_str(), scene.deliveries().len()), ("16 queued, 0 left, done", 32));
}

pub(crate) fn recoveries_by_many_repeat_each_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoints = [(); 16].map(|()| scene.listen_to_nothing());
    for endpoint in endpoints {
        scene.notify_often(endpoint, 2);
    }
    scene.tell_all(&words::failed(ErrorClass::Aborted));
    let ids = endpoints.map(|endpoint| scene.begin_recovery(scene.a_recovery(endpoint, Timestamp::default())));
    together(8, |_| (0..64).filter(|_| scene.recover_some(1)).count());
    assert_eq!(ids.map(|id| scene.progress(id)), ["2 queued, 0 left, done"; 16].map(str::to_string));
}

pub(crate) fn the_operator_is_told_whatever_else_is_done_meanwhile(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let watcher = scene.watch(&["account.paused"]);
    let neighbors = [(); 8].map(|()| scene.neighbor());
    together(32, |number| match neighbors.get(number) {
        Some(neighbor) => neighbor.pause(),
        None => drop(scene.post(vec![scene.said(&[BOB], "hi")])),
    });
    assert_eq!(scene.told(watcher), ["account.paused"; 8]);
}

pub(crate) fn who_turns_out_to_be_one_by_two_notifications_is_told_of(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbors = [(); 16].map(|()| scene.neighbor());
    let endpoints = neighbors.each_ref().map(|neighbor| {
        neighbor.send(text("hi"));
        neighbor.suppress(ALICE_ID, Cause::Keyword);
        neighbor.listen(&["message.status_updated"])
    });
    together(32, |number| {
        let (neighbor, people) = (&neighbors[number / 2], if number % 2 == 0 { [ALICE, ALICE_LID] } else { [ALICE_LID, ALICE_ID] });
        neighbor.post(vec![neighbor.said(&people, "hello")])
    });
    for (neighbor, endpoint) in neighbors.iter().zip(endpoints) {
        assert_eq!(neighbor.told(endpoint), ["message.status_updated"]);
    }
    assert!(scene.claim().is_empty());
}

pub(crate) fn an_endpoint_is_disabled_by_one(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (failing, other) = (scene.listen_to_nothing(), scene.listen(&["endpoint.disabled"]));
    scene.notify_often(failing, 8);
    let started = scene.take();
    together(8, |number| scene.close(&started[number], words::failed(ErrorClass::Gone)));
    assert_eq!(scene.told(other), ["endpoint.disabled"]);
}

pub(crate) fn of_many_keyrings_one_is_noted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    // One host has the second root alone.
    let keyring = |host: usize| (1..=2).map(move |number| RootPrint { number, print: [host as u8; 32] }).skip(usize::from(host == 0));
    let noted = together(16, |host| wait(scene.operator().note_roots(keyring(host).collect())));
    let (one, others) = noted.split_first().expect("an answer for each");
    assert!(others.iter().all(|other| other == one) && (0..16).any(|host| keyring(host).eq(one.iter().copied())), "{noted:?}");
}

pub(crate) fn of_keyrings_that_share_no_number_one_is_noted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let keyring = |host: usize| vec![RootPrint { number: host as u32 + 1, print: [host as u8; 32] }];
    let noted = together(16, |host| wait(scene.operator().note_roots(keyring(host))));
    assert!(noted.iter().all(|found| *found == noted[0]) && (0..16).any(|host| keyring(host) == noted[0]), "{noted:?}");
}
