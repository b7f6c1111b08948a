//! Traffic: what an account does as a whole is counted as it happens, and pauses it where it is too much.

use std::sync::Arc;

use gatepost::{
    Actor, Cause, ErrorClass, MessageStatus, Mode, Pause, PauseCause, Policy, Progress, RateName, Retention, StatusReport, Timestamp, Told,
    Traffic,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, CAROL, Draft, text};
use crate::scene::{Scene, limits, report};
use crate::words::{UNKNOWN, failed, sent};
use crate::world::{hours, together, wait};

/// As many people as there are numbers, each with their own.
fn number(nth: usize) -> String {
    format!("+9995020{nth:05}")
}

/// Sends a text of their own to so many people, from this one on.
fn send_to(scene: &Scene, first: usize, count: usize) {
    let drafts = (first..first + count).map(|nth| text(&format!("Your table {} is ready.", letters(nth))).to(&number(nth)));
    // What the account does is counted here, and holds up nothing.
    let decider = Policy { review_from: 100, block_from: 100, ..Policy::default() };
    scene.accept_all(drafts.map(|draft| scene.submission(draft)).collect(), Arc::new(decider));
}

/// A word for each number, since digits make no other text.
fn letters(nth: usize) -> String {
    nth.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

/// An account that no limit holds up.
fn unlimited(harness: &dyn Harness) -> Scene {
    Scene::limited(harness, limits(100_000, 100_000))
}

fn of_facts(scene: &Scene, draft: Draft) -> Traffic {
    let request = draft.request(scene.instance);
    let findings = gatepost::Fact::Known(gatepost::examine_with(&request.content, &gatepost::Sender::default(), None));
    let facts = wait(scene.store().facts(request, findings, scene.now())).expect("the instance is there");
    Traffic { account_since: None, ..*facts.traffic.known().expect("the traffic is known") }
}

pub(crate) fn an_account_that_did_nothing_has_no_traffic(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!((scene.traffic(), scene.traffic_of(Mode::Test)), (Traffic::NONE, Traffic::NONE));
}

pub(crate) fn an_account_that_nobody_made_has_none(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    assert_eq!(wait(scene.nobody().store().traffic(Mode::Live, scene.now())), None);
}

pub(crate) fn what_was_accepted_is_counted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("one"), text("two"), text("three").to(BOB)]);
    let expected = Traffic { sent: 3, recipients: 2, first_contacts: 2, first_contacts_today: 2, recent_recipients: 2, ..Traffic::NONE };
    assert_eq!(scene.traffic(), expected);
}

pub(crate) fn what_is_refused_or_throttled_or_repeated_is_not_sent(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    scene.send_all([text("one").under("k"), text("one").under("k"), text("too many"), text("Buy!").purpose("marketing")]);
    assert_eq!(scene.traffic().sent, 1);
}

pub(crate) fn a_held_message_is_counted_when_released(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.supervise();
    let message = scene.sent(text("hi"));
    assert_eq!(scene.traffic(), Traffic::NONE);
    scene.release(message);
    assert_eq!((scene.traffic().sent, scene.traffic().first_contacts), (1, 1));
}

pub(crate) fn who_wrote_or_was_written_to_is_no_first_contact(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "hello?");
    assert_eq!([ALICE, BOB].map(|to| of_facts(&scene, text("hi").to(to)).first_contact), [false, true]);
    scene.send_all([text("hi"), text("hi").to(BOB)]);
    assert_eq!(scene.traffic().first_contacts, 1);
    assert!(!of_facts(&scene, text("hi").to(BOB)).first_contact);
    scene.advance(hours(24 * 30));
    assert!(!of_facts(&scene, text("hi").to(BOB)).first_contact, "whoever was met is known for good");
}

pub(crate) fn the_batch_sees_what_it_has_done(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi"), text("hi").to(BOB), text("hi").to(CAROL)]);
    let seen: Vec<_> = scene.events().iter().rev().map(|event| *event.facts.traffic.known().expect("known")).collect();
    let counts: Vec<_> = seen.iter().map(|traffic| (traffic.sent, traffic.first_contacts, traffic.same_text)).collect();
    assert_eq!(counts, [(0, 0, 0), (1, 1, 1), (2, 2, 2)]);
}

pub(crate) fn tests_are_counted_for_themselves(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi").test(), text("hi").to(BOB)]);
    assert_eq!((scene.traffic().sent, scene.traffic_of(Mode::Test).sent), (1, 1));
    assert_eq!([of_facts(&scene, text("hi").to(CAROL)).same_text, of_facts(&scene, text("hi").to(CAROL).test()).same_text], [1, 1]);
    assert!(of_facts(&scene, text("hi")).first_contact, "a test meets nobody");
}

pub(crate) fn accounts_are_counted_apart(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let neighbor = scene.neighbor();
    scene.send(text("hi"));
    assert_eq!((scene.traffic().sent, neighbor.traffic()), (1, Traffic::NONE));
    assert_eq!(of_facts(&neighbor, text("hi").to(BOB)), Traffic { first_contact: true, ..Traffic::NONE });
}

pub(crate) fn what_the_provider_would_not_deliver_has_failed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.deliver(failed(ErrorClass::Undeliverable));
    assert_eq!(scene.traffic().failed, 1);
}

pub(crate) fn what_is_no_fault_of_the_account_has_not_failed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    for outcome in [failed(ErrorClass::Unreachable), failed(ErrorClass::NoTransport), UNKNOWN, sent("x")] {
        scene.send(text("hi"));
        scene.deliver(outcome);
    }
    scene.send(text("hi"));
    scene.advance(hours(48));
    scene.sweep();
    assert_eq!(scene.traffic().failed, 0);
}

pub(crate) fn a_reported_failure_is_counted_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let message = scene.sent(text("hi"));
    scene.deliver(sent("wamid.1"));
    let error = Some(ErrorClass::Undeliverable);
    let report = || StatusReport { error, ..report(Some(message), "wamid.1", Progress::Failed) };
    let bounce = || scene.report(scene.told_of(&[], "status.failed", Told::Status(report())));
    assert_eq!([bounce(), bounce()], ["failed", "nothing"]);
    assert_eq!(scene.traffic().failed, 1);
}

pub(crate) fn a_failed_test_is_a_failure_of_tests(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").test());
    scene.deliver(failed(ErrorClass::Refused));
    assert_eq!((scene.traffic().failed, scene.traffic_of(Mode::Test).failed), (0, 1));
}

pub(crate) fn an_opt_out_is_counted_once_a_person(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi"), text("hi").to(BOB), text("hi").to(CAROL)]);
    scene.say(ALICE, "STOP");
    scene.say(ALICE, "please stop writing to me");
    scene.suppress(ALICE, Cause::UserPreference);
    scene.suppress(BOB, Cause::Complaint);
    assert_eq!(scene.traffic().opted_out, 2);
}

pub(crate) fn what_nobody_asked_for_is_no_opt_out(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    for cause in [Cause::Manual, Cause::Legal, Cause::NumberReassigned] {
        scene.suppress(ALICE, cause);
    }
    assert_eq!(scene.traffic().opted_out, 0);
}

pub(crate) fn who_was_sent_nothing_opts_out_of_nothing(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi").to(BOB));
    scene.advance(hours(24 * 7));
    for number in [ALICE, BOB] {
        scene.suppress(number, Cause::Keyword);
    }
    assert_eq!(scene.traffic().opted_out, 0);
}

pub(crate) fn the_confirmation_of_an_opt_out_is_not_counted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.say(ALICE, "STOP");
    assert_eq!((scene.confirmations().len(), scene.traffic().sent), (1, 1));
}

pub(crate) fn a_block_for_what_is_sent_is_counted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.suppress(BOB, Cause::Manual);
    scene.send_all([text("Buy!").purpose("marketing"), text("hi").to(BOB), text("Buy!").purpose("political").test()]);
    assert_eq!((scene.traffic().blocked, scene.traffic_of(Mode::Test).blocked), (2, 1));
}

pub(crate) fn a_block_for_the_state_of_things_is_not_counted(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.pause();
    scene.send(text("hi"));
    scene.suspend();
    scene.send(text("hi"));
    assert_eq!(scene.traffic().blocked, 0);
}

pub(crate) fn the_same_text_is_counted_by_contacts(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("Order 17 is here"), text("order 18 is HERE"), text("Order 19 is here").to(BOB), text("another").to(CAROL)]);
    let others = |draft: Draft| of_facts(&scene, draft).same_text;
    assert_eq!([others(text("Order 20 is here").to(CAROL)), others(text("Order 20 is here")), others(text("new"))], [2, 1, 0]);
}

pub(crate) fn the_same_text_counts_today_and_yesterday(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi"), text("hi").to(BOB)]);
    let others = || of_facts(&scene, text("hi").to(CAROL)).same_text;
    scene.at("2026-11-23T23:59:59Z");
    assert_eq!(others(), 2);
    scene.at("2026-11-24T00:00:00Z");
    assert_eq!(others(), 0);
}

pub(crate) fn a_window_is_seven_days_long(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    scene.at("2026-11-25T12:00:00Z");
    scene.send_all([text("hi"), text("hi").to(BOB)]);
    let sent_at = |time: &str| {
        scene.at(time);
        (scene.traffic().sent, scene.traffic().busiest_day)
    };
    assert_eq!(sent_at("2026-11-28T23:59:59Z"), (3, 2));
    assert_eq!((sent_at("2026-11-29T00:00:00Z"), sent_at("2026-12-02T00:00:00Z")), ((2, 2), (0, 0)));
}

pub(crate) fn an_account_is_new_for_a_week(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let since = || wait(scene.store().traffic(Mode::Live, scene.now())).expect("traffic").account_since;
    assert!(since().is_some());
    scene.advance(hours(24 * 7));
    assert_eq!(since(), None);
}

pub(crate) fn merged_contacts_are_one_that_is_known(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.say(ALICE, "hello");
    scene.send(text("hi").to(BOB));
    scene.know(&[ALICE, BOB]);
    assert_eq!(of_facts(&scene, text("hi")), Traffic { same_text: 0, first_contact: false, ..scene.traffic() });
}

/// Opt-outs of so many of the people that were sent something, from this one on.
fn opt_out(scene: &Scene, first: usize, count: usize) {
    (first..first + count).for_each(|nth| drop(scene.suppress(&number(nth), Cause::Keyword)));
}

#[track_caller]
fn pause(scene: &Scene) -> Option<Pause> {
    wait(scene.store().account()).expect("the account").pause
}

#[track_caller]
fn rate(scene: &Scene) -> Option<RateName> {
    pause(scene).and_then(|pause| pause.cause.breach()).map(|breach| breach.rate)
}

pub(crate) fn a_twentieth_that_opts_out_pauses_the_account(harness: &dyn Harness) {
    let scene = unlimited(harness);
    send_to(&scene, 0, 220);
    opt_out(&scene, 0, 10);
    assert_eq!(pause(&scene), None);
    let now = scene.now();
    opt_out(&scene, 10, 1);
    let paused = pause(&scene).expect("the account is paused");
    let breach = paused.cause.breach().expect("by its rate");
    assert_eq!((breach.rate, breach.count, breach.of), (RateName::OptOuts, 11, 220));
    assert_eq!((paused.since, paused.by), (now, Actor::Gateway));
    assert_eq!(paused.note.as_deref(), Some("5.0 % of the recipients opted out: 11 of 220 in seven days"));
    assert!(scene.send(text("hi")).starts_with("blocked by account_paused"), "nothing is accepted from then on");
}

pub(crate) fn of_few_recipients_ten_opt_outs_pause(harness: &dyn Harness) {
    let scene = unlimited(harness);
    send_to(&scene, 0, 20);
    opt_out(&scene, 0, 9);
    assert_eq!(pause(&scene), None);
    opt_out(&scene, 9, 1);
    assert_eq!(rate(&scene), Some(RateName::OptOuts));
}

pub(crate) fn failures_of_few_pause_nobody(harness: &dyn Harness) {
    let scene = unlimited(harness);
    send_to(&scene, 0, 199);
    fail_all(&scene);
    assert_eq!((scene.traffic().failed, pause(&scene)), (199, None));
    send_to(&scene, 199, 1);
    assert_eq!(rate(&scene), Some(RateName::Failures), "from two hundred on the rate counts");
}

fn fail_all(scene: &Scene) {
    let starts = scene.start_all(scene.claim());
    let finishes = starts.into_iter().filter_map(|start| match start {
        gatepost::StartAnswer::Started(started) => Some(scene.a_finish(&started, failed(ErrorClass::Undeliverable))),
        _ => None,
    });
    wait(scene.worker().finish(finishes.collect()));
}

pub(crate) fn a_fifth_that_fails_pauses_the_account(harness: &dyn Harness) {
    let scene = unlimited(harness);
    send_to(&scene, 0, 160);
    scene.deliver_all();
    send_to(&scene, 160, 40);
    assert_eq!(pause(&scene), None);
    fail_all(&scene);
    assert_eq!(rate(&scene), Some(RateName::Failures));
}

pub(crate) fn blocks_pause_the_account(harness: &dyn Harness) {
    let scene = unlimited(harness);
    scene.send_all((0..199).map(|_| text("Buy!").purpose("marketing")));
    assert_eq!(pause(&scene), None);
    scene.send(text("Buy!").purpose("marketing"));
    assert_eq!(rate(&scene), Some(RateName::Blocks));
}

pub(crate) fn the_rest_of_a_batch_meets_the_pause(harness: &dyn Harness) {
    let scene = unlimited(harness);
    scene.send_all((0..199).map(|_| text("Buy!").purpose("marketing")));
    let answers = scene.send_all([text("hi"), text("hello")]);
    assert_eq!((answers[0].as_str(), answers[1].starts_with("blocked by account_paused")), ("queued", true), "{answers:?}");
}

pub(crate) fn tests_pause_nothing(harness: &dyn Harness) {
    let scene = unlimited(harness);
    scene.send_all((0..250).map(|_| text("Buy!").purpose("marketing").test()));
    assert_eq!((scene.traffic_of(Mode::Test).blocked, pause(&scene)), (250, None));
}

pub(crate) fn a_pause_spares_other_accounts(harness: &dyn Harness) {
    let scene = unlimited(harness);
    let neighbor = scene.neighbor();
    scene.send_all((0..200).map(|_| text("Buy!").purpose("marketing")));
    assert_eq!((rate(&scene), pause(&neighbor), neighbor.send(text("hi"))), (Some(RateName::Blocks), None, "queued".to_string()));
}

/// An account that its opt-outs paused, with one message that waits.
fn paused(harness: &dyn Harness) -> (Scene, gatepost::MessageId) {
    let scene = unlimited(harness);
    let waiting = scene.sent(text("hi"));
    send_to(&scene, 0, 10);
    opt_out(&scene, 0, 10);
    assert_eq!(rate(&scene), Some(RateName::OptOuts));
    (scene, waiting)
}

pub(crate) fn what_waits_is_held_by_the_pause(harness: &dyn Harness) {
    let (scene, waiting) = paused(harness);
    assert_eq!(scene.claim(), []);
    let status = scene.message(waiting).status;
    assert_eq!((status, status.standing(true).status), (MessageStatus::Queued, MessageStatus::Held));
    scene.resume();
    assert_eq!((scene.deliver(sent("x")).as_str(), scene.status(waiting).as_str()), ("sent", "sent"));
}

pub(crate) fn nothing_lifts_a_pause_by_itself(harness: &dyn Harness) {
    let (scene, _) = paused(harness);
    let since = pause(&scene);
    scene.advance(hours(24 * 60));
    scene.sweep();
    scene.say(ALICE, "hello");
    send_to(&scene, 500, 3);
    wait(scene.worker().retain(Retention { now: scene.now(), ..forget_nothing() }, 1_000));
    assert_eq!(pause(&scene), since);
    assert!(scene.send(text("hi")).starts_with("blocked by account_paused"));
}

const fn forget_nothing() -> Retention {
    let never = Timestamp::from_millis(0);
    Retention { content_before: never, logs_before: never, raw_before: never, now: never }
}

pub(crate) fn a_resumed_account_is_counted_afresh(harness: &dyn Harness) {
    let (scene, _) = paused(harness);
    assert_eq!(scene.traffic().opted_out, 10);
    scene.resume();
    assert_eq!((scene.traffic(), pause(&scene)), (Traffic::NONE, None));
    send_to(&scene, 100, 10);
    opt_out(&scene, 100, 9);
    assert_eq!((scene.traffic().sent, scene.traffic().opted_out, pause(&scene)), (10, 9, None));
    opt_out(&scene, 109, 1);
    assert_eq!(rate(&scene), Some(RateName::OptOuts), "and paused again for what it did since");
}

pub(crate) fn a_pause_by_somebody_is_left_as_it_is(harness: &dyn Harness) {
    let scene = unlimited(harness);
    send_to(&scene, 0, 10);
    scene.pause();
    let by_hand = pause(&scene);
    opt_out(&scene, 0, 10);
    assert_eq!(by_hand.as_ref().map(|pause| pause.cause), Some(PauseCause::Manual));
    assert_eq!((pause(&scene), scene.traffic().opted_out), (by_hand, 10));
}

pub(crate) fn stop_is_heeded_during_a_pause(harness: &dyn Harness) {
    let (scene, waiting) = paused(harness);
    scene.say(ALICE, "STOP");
    assert_eq!((scene.status(waiting).as_str(), scene.traffic().opted_out), ("canceled: suppressed", 11));
}

pub(crate) fn the_pause_is_told_to_the_account_and_the_operator(harness: &dyn Harness) {
    let scene = unlimited(harness);
    let (own, watcher) = (scene.listen(&["account.*"]), scene.watch(&["account.*"]));
    send_to(&scene, 0, 10);
    opt_out(&scene, 0, 4);
    assert_eq!(scene.told(own).len(), 0);
    opt_out(&scene, 4, 6);
    let told = ["account.warned", "account.paused"];
    assert_eq!((scene.told(own), scene.told(watcher)), (told.to_vec(), told.to_vec()));
    let bodies = scene.bodies(own);
    assert!(bodies.iter().all(|body| body.contains(r#""rate":"opt_outs""#) && !body.contains("+999")), "{bodies:?}");
    assert!(bodies.iter().any(|body| body.contains(r#""cause":"rate""#)), "{bodies:?}");
}

pub(crate) fn an_account_is_warned_once_a_window(harness: &dyn Harness) {
    let scene = unlimited(harness);
    let own = scene.listen(&["account.*"]);
    send_to(&scene, 0, 20);
    opt_out(&scene, 0, 7);
    assert_eq!(scene.told(own), ["account.warned"]);
    scene.advance(hours(24 * 7));
    send_to(&scene, 100, 20);
    opt_out(&scene, 100, 5);
    assert_eq!(scene.told(own), ["account.warned", "account.warned"]);
}

pub(crate) fn the_sweep_says_whom_the_gateway_paused(harness: &dyn Harness) {
    let (scene, _) = paused(harness);
    let judged = scene.sweep_some(9).judged;
    assert_eq!(
        judged.iter().map(|judged| (judged.account, judged.paused)).collect::<Vec<_>>(),
        [(scene.account, false), (scene.account, true)]
    );
    assert_eq!(scene.sweep_some(9).judged, [], "it says so once");
}

pub(crate) fn many_that_cross_a_rate_pause_once(harness: &dyn Harness) {
    let scene = unlimited(harness);
    let own = scene.listen(&["account.paused"]);
    scene.send_all((0..190).map(|_| text("Buy!").purpose("marketing")));
    together(32, |_| scene.send(text("Buy!").purpose("marketing")));
    assert_eq!((scene.told(own).len(), scene.traffic().blocked), (1, 222));
}

pub(crate) fn counts_that_no_window_reaches_are_forgotten(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send_all([text("hi"), text("hi").to(BOB), text("hello").test()]);
    let forget = |limit| wait(scene.worker().retain(Retention { now: scene.now(), ..forget_nothing() }, limit));
    assert_eq!(forget(9), 0);
    scene.advance(hours(48));
    assert_eq!((forget(1), forget(9), forget(9)), (1, 1, 0), "texts are forgotten after two days");
    assert_eq!(scene.traffic().sent, 2);
    scene.advance(hours(24 * 5));
    assert_eq!((forget(9), forget(9)), (2, 0), "days are after seven");
}
