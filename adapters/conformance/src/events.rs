//! Events: each is written with the change that caused it, for the endpoints that listen and for nobody else.

use gatepost::{
    AccountChange, Answer, Cause, Connection, Endpoint, EndpointChange, ErrorClass, Event, EventFilter, EventId, EventName, InstanceChange,
    MessageId,
};

use crate::Harness;
use crate::draft::{ALICE, BOB, text};
use crate::scene::{EVERYTHING, Scene, limits};
use crate::words::{self, TAKEN, UNKNOWN, failed, sent};
use crate::world::{PATIENCE, hours, seconds, wait};

/// The one body that an endpoint gets.
#[track_caller]
fn body(scene: &Scene, endpoint: gatepost::EndpointId) -> String {
    match &scene.bodies(endpoint)[..] {
        [body] => body.clone(),
        bodies => panic!("expected one event, got {bodies:?}"),
    }
}

/// What every body begins with.
fn head(name: &str, event: EventId, at: gatepost::Timestamp) -> String {
    format!(r#"{{"event":"{name}","event_id":"{event}","occurred_at":"{at}""#)
}

fn id_of(message: MessageId, name: EventName, at: gatepost::Timestamp) -> EventId {
    EventId::of(message.to_bytes(), name as u32, at)
}

pub(crate) fn an_accepted_message_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let message = scene.sent(text("the text stays here").purpose("operational"));
    let at = scene.message(message).created_at;
    let instance = scene.instance;
    let expected = head("message.queued", id_of(message, EventName::MessageQueued, at), at)
        + &format!(r#","instance_id":"{instance}","instance_name":"desk","message_id":"{message}","status":"queued","to":"{ALICE}","#)
        + &format!(r#""message_purpose":"operational","updated_at":"{at}"}}"#);
    assert_eq!(body(&scene, endpoint), expected);
}

pub(crate) fn a_change_of_status_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.failed"]);
    let message = scene.sent(text("hi"));
    scene.advance(seconds(1));
    scene.deliver(failed(ErrorClass::Refused));
    let (at, instance) = (scene.now(), scene.instance);
    let expected = head("message.failed", id_of(message, EventName::MessageFailed, at), at)
        + &format!(r#","instance_id":"{instance}","instance_name":"desk","message_id":"{message}","status":"failed","#)
        + &format!(r#""previous_status":"queued","to":"{ALICE}","message_purpose":"support","error_code":"refused","updated_at":"{at}"}}"#);
    assert_eq!(body(&scene, endpoint), expected);
}

pub(crate) fn what_goes_at_once_is_told_as_queued(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let place = scene.place();
    scene.accept_at_once(text("hi"), &place);
    let started = place.given().expect("it goes at once");
    assert!(body(&scene, endpoint).contains(r#""status":"queued","to""#));
    scene.finish(&started, sent("x"));
    assert_eq!(scene.told(endpoint), ["message.queued", "message.sent"]);
}

pub(crate) fn a_message_that_goes_out_is_told_twice(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.send(text("hi"));
    scene.deliver(failed(ErrorClass::Unreachable));
    scene.advance(seconds(5));
    scene.deliver(sent("x"));
    assert_eq!(scene.told(endpoint), ["message.queued", "message.sent"], "a second try is no change that customers are told of");
}

/// What becomes of a message, and what its endpoint is told after it was queued: names, and the status with its cause.
#[track_caller]
fn check_end(harness: &dyn Harness, end: impl Fn(&Scene, MessageId), told: &[&str], says: &str) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let message = scene.sent(text("hi"));
    scene.advance(seconds(1));
    end(&scene, message);
    assert_eq!(scene.told(endpoint), [&["message.queued"], told].concat());
    let last = scene.bodies(endpoint).pop().expect("an event");
    assert!(last.contains(says), "{last}");
}

pub(crate) fn a_withdrawn_message_is_told(harness: &dyn Harness) {
    let withdraw = |scene: &Scene, _| drop(scene.suppress(ALICE, Cause::Manual));
    let says =
        r#""status":"canceled","previous_status":"queued","to":"+999501000001","message_purpose":"support","error_code":"suppressed""#;
    check_end(harness, withdraw, &["message.failed"], says);
}

pub(crate) fn an_expired_message_is_told(harness: &dyn Harness) {
    let expire = |scene: &Scene, _| {
        scene.advance(hours(24));
        scene.sweep();
    };
    check_end(harness, expire, &["message.failed"], r#""status":"expired","previous_status":"queued""#);
    let claim_late = |scene: &Scene, _| {
        scene.advance(hours(24));
        assert_eq!(scene.claim(), []);
    };
    check_end(harness, claim_late, &["message.failed"], r#""error_code":"expired""#);
}

pub(crate) fn a_doubt_and_its_end_are_told(harness: &dyn Harness) {
    let doubt = |scene: &Scene, _| drop(scene.deliver(UNKNOWN));
    check_end(
        harness,
        doubt,
        &["message.unknown"],
        r#""status":"unknown","previous_status":"queued","to":"+999501000001","message_purpose":"support","error_code":"timeout""#,
    );
    let resolve = |sent| {
        move |scene: &Scene, message| {
            scene.deliver(UNKNOWN);
            scene.advance(seconds(1));
            scene.resolve(message, sent);
        }
    };
    check_end(harness, resolve(true), &["message.unknown", "message.sent"], r#""status":"sent","previous_status":"unknown""#);
    check_end(harness, resolve(false), &["message.unknown", "message.failed"], r#""status":"failed","previous_status":"unknown""#);
    let forget = |scene: &Scene, _| {
        scene.deliver(UNKNOWN);
        scene.advance(hours(24));
        scene.sweep();
    };
    check_end(harness, forget, &["message.unknown"], r#""previous_status":"queued""#);
}

pub(crate) fn an_interrupted_attempt_is_told(harness: &dyn Harness) {
    let interrupt = |scene: &Scene, _| {
        let started = scene.started();
        scene.at(started.lease.until);
        scene.sweep();
    };
    check_end(harness, interrupt, &["message.unknown"], r#""error_code":"interrupted""#);
}

/// What becomes of a held message, and what its endpoint is told after it was held.
#[track_caller]
fn check_review(harness: &dyn Harness, close: impl Fn(&Scene, MessageId), told: &[&str], says: &str) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.supervise();
    let message = scene.sent(text("hi"));
    assert!(body(&scene, endpoint).contains(r#""status":"held","to""#));
    scene.advance(seconds(1));
    close(&scene, message);
    assert_eq!(scene.told(endpoint), [&["message.held"], told].concat());
    let last = scene.bodies(endpoint).pop().expect("an event");
    assert!(last.contains(says), "{last}");
}

pub(crate) fn a_held_message_and_its_release_are_told(harness: &dyn Harness) {
    let release = |scene: &Scene, message| drop(scene.release(message));
    check_review(harness, release, &["message.queued"], r#""status":"queued","previous_status":"held""#);
}

pub(crate) fn a_refused_message_is_told(harness: &dyn Harness) {
    let refuse = |scene: &Scene, message| drop(scene.refuse(message));
    check_review(harness, refuse, &["message.failed"], r#""status":"refused","previous_status":"held""#);
    let forbid = |scene: &Scene, message| {
        scene.suppress(ALICE, Cause::Legal);
        scene.release(message);
    };
    check_review(harness, forbid, &["message.failed"], r#""status":"refused","previous_status":"held""#);
}

pub(crate) fn a_review_that_nobody_answers_is_told(harness: &dyn Harness) {
    let wait = |scene: &Scene, _| {
        scene.advance(hours(24));
        scene.sweep();
    };
    check_review(
        harness,
        wait,
        &["message.failed"],
        r#""status":"refused","previous_status":"held","to":"+999501000001","message_purpose":"support","error_code":"expired""#,
    );
    let answer_late = |scene: &Scene, message| {
        scene.advance(hours(24));
        scene.release(message);
    };
    check_review(harness, answer_late, &["message.failed"], r#""error_code":"expired""#);
}

pub(crate) fn a_blocked_send_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let submission = scene.submission(text("Buy!").purpose("marketing"));
    let (id, at, instance) = (submission.message, submission.now, scene.instance);
    let Answer::Refused { log_id, decision, .. } = scene.accept_one(submission) else { panic!("expected a refusal") };
    let risk_score = decision.risk_score;
    let expected = head("message.blocked", id_of(id, EventName::MessageBlocked, at), at)
        + &format!(r#","instance_id":"{instance}","instance_name":"desk","log_id":{log_id},"to":"{ALICE}","#)
        + &format!(r#""message_purpose":"marketing","rule":"purpose_not_allowed","risk_score":{risk_score}}}"#);
    assert_eq!(body(&scene, endpoint), expected);
}

pub(crate) fn a_throttled_send_is_not_told(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    let endpoint = scene.listen(&["message.*"]);
    scene.send_all([text("one"), text("two")]);
    assert_eq!(scene.told(endpoint), ["message.queued"]);
}

pub(crate) fn a_repeated_send_is_not_told_again(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    for _ in 0..2 {
        scene.send(text("hi").under("k"));
    }
    scene.send(text("ho").under("k"));
    scene.send(text("hi").via("nowhere"));
    assert_eq!(scene.told(endpoint), ["message.queued"]);
}

pub(crate) fn a_limit_that_is_reached_is_told(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(5, 6));
    let endpoint = scene.listen(&["limit.threshold_reached"]);
    scene.send_all((0..5).map(|_| text("hi")));
    let bodies = scene.bodies(endpoint);
    let says = |rest: &str| {
        let end = format!(r#"Z","account_id":"{}","mode":"live",{rest}}}"#, scene.account);
        bodies.iter().filter(|body| body.ends_with(&end)).count()
    };
    assert_eq!(says(r#""window":"day","percent":80,"limit":5,"used":4"#), 1);
    assert_eq!(says(r#""window":"day","percent":100,"limit":5,"used":5"#), 1);
    assert_eq!(says(r#""window":"month","percent":80,"limit":6,"used":5"#), 1);
    assert_eq!(bodies.len(), 3);
}

pub(crate) fn a_limit_that_is_reached_by_tests_says_so(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    let endpoint = scene.listen(&["limit.threshold_reached"]);
    scene.send_all([text("hi").test(), text("hi")]);
    let bodies = scene.bodies(endpoint);
    let of = |mode: &str| bodies.iter().filter(|body| body.contains(&format!(r#""mode":"{mode}","window":"day""#))).count();
    assert_eq!((of("test"), of("live"), bodies.len()), (2, 2, 4));
}

pub(crate) fn a_limit_reached_by_a_release_is_told(harness: &dyn Harness) {
    let scene = Scene::limited(harness, limits(1, 9));
    let endpoint = scene.listen(&["limit.*"]);
    scene.supervise();
    let message = scene.sent(text("hi"));
    assert_eq!(scene.told(endpoint).len(), 0);
    scene.release(message);
    // The first message of one is 80 % of them, and all.
    assert_eq!(scene.told(endpoint).len(), 2);
}

pub(crate) fn a_pause_and_its_end_are_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let (account, pause) = (scene.account, scene.a_pause());
    let change = |pause| AccountChange { pause: Some(pause), at: scene.tick(), ..AccountChange::default() };
    let at = scene.now();
    scene.change_account(change(Some(pause.clone())));
    let event = scene.deliveries_to(endpoint)[0].event;
    let expected = head("account.paused", event, at) + &format!(r#","account_id":"{account}","cause":"manual"}}"#);
    assert_eq!(body(&scene, endpoint), expected);
    scene.change_account(change(Some(gatepost::Pause { note: None, ..pause })));
    scene.change_account(change(None));
    scene.change_account(change(None));
    scene.change_account(AccountChange { supervised: Some(true), at: scene.tick(), ..AccountChange::default() });
    assert_eq!(scene.told(endpoint), ["account.paused", "account.resumed"]);
}

pub(crate) fn a_connection_that_changes_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let instance = scene.instance;
    let change = |connection| {
        scene.change_instance(InstanceChange { connection: Some(connection), at: scene.tick(), ..InstanceChange::default() });
    };
    let (account, at) = (scene.account, scene.now());
    change(Connection::Closed);
    let event = scene.deliveries_to(endpoint)[0].event;
    let expected = head("instance.disconnected", event, at)
        + &format!(r#","instance_id":"{instance}","instance_name":"desk","account_id":"{account}","connection":"closed"}}"#);
    assert_eq!(body(&scene, endpoint), expected);
    [Connection::Closed, Connection::Connecting, Connection::Open, Connection::Open].into_iter().for_each(change);
    assert_eq!(scene.told(endpoint), ["instance.disconnected", "instance.connected"]);
}

pub(crate) fn a_pause_of_an_instance_and_its_end_are_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (endpoint, watcher) = (scene.listen(EVERYTHING), scene.watch(EVERYTHING));
    let (account, instance, at) = (scene.account, scene.instance, scene.now());
    let change = |pause| scene.change_instance(InstanceChange { pause: Some(pause), at: scene.tick(), ..InstanceChange::default() });
    change(Some(scene.a_pause()));
    let event = scene.deliveries_to(endpoint)[0].event;
    let expected = head("instance.paused", event, at)
        + &format!(r#","instance_id":"{instance}","instance_name":"desk","account_id":"{account}","cause":"manual"}}"#);
    assert_eq!(body(&scene, endpoint), expected);
    [Some(scene.a_pause()), None, None].into_iter().for_each(|pause| drop(change(pause)));
    let told = ["instance.paused", "instance.resumed"];
    assert_eq!((scene.told(endpoint), scene.told(watcher)), (told.to_vec(), told.to_vec()));
}

pub(crate) fn a_pause_of_an_endpoint_is_told_to_the_others(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let (concerned, other, watcher) = (scene.listen(EVERYTHING), scene.listen(EVERYTHING), scene.watch(EVERYTHING));
    scene.pause_endpoint(concerned);
    scene.pause_endpoint(concerned);
    scene.resume_endpoint(concerned);
    let told = vec!["endpoint.paused", "endpoint.resumed"];
    assert_eq!([concerned, other, watcher].map(|endpoint| scene.told(endpoint)), [vec![], told.clone(), told]);
    assert!(scene.bodies(other).iter().all(|body| body.contains(&format!(r#""endpoint_id":"{concerned}""#))));
}

pub(crate) fn nothing_is_written_where_nobody_listens(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.listen(&["recipient.*", "message.read"]);
    let message = scene.sent(text("hi"));
    scene.deliver(sent("x"));
    let at = scene.message(message);
    assert_eq!(scene.deliveries(), []);
    assert_eq!(scene.event(id_of(message, EventName::MessageQueued, at.created_at)), None);
    assert_eq!(scene.event(id_of(message, EventName::MessageSent, at.updated_at)), None);
    assert_eq!(scene.take(), []);
}

pub(crate) fn an_event_comes_back_as_it_was(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen_to_nothing();
    let fields = serde_json::json!({ "text": "Café \u{1f35d} \"quoted\" \u{0}" });
    let desk = scene.an_instance("desk");
    for about in [None, Some((scene.instance, &desk.name))] {
        let now = scene.tick();
        let event = Event::new(scene.id(EventId::new), EventName::EndpointTest, about, now, &fields);
        wait(scene.store().notify(endpoint, event.clone())).expect("the endpoint is there");
        assert_eq!(scene.event(event.id), Some(event));
    }
}

pub(crate) fn an_endpoint_of_an_instance_hears_of_no_other(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let till = scene.add_instance("till");
    let [of_desk, of_till] =
        [scene.instance, till].map(|instance| scene.add_endpoint(Endpoint { instance: Some(instance), ..scene.an_endpoint(EVERYTHING) }));
    let of_all = scene.listen(EVERYTHING);
    scene.send_all([text("hi"), text("ho").via(till).purpose("marketing")]);
    scene.advance(seconds(1));
    scene.change_account(AccountChange { pause: Some(Some(scene.a_pause())), at: scene.now(), ..AccountChange::default() });
    assert_eq!(scene.told(of_desk), ["message.queued", "account.paused"]);
    assert_eq!(scene.told(of_till), ["message.blocked", "account.paused"]);
    assert_eq!(scene.told(of_all), ["message.queued", "message.blocked", "account.paused"]);
}

pub(crate) fn a_change_of_status_comes_once_under_the_name_that_is_listed(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let own = scene.listen(&["message.queued"]);
    let updates = scene.listen(&["message.status_updated"]);
    let both = scene.listen(&["message.status_updated", "message.queued"]);
    scene.send(text("hi"));
    scene.advance(seconds(1));
    scene.deliver(sent("x"));
    assert_eq!(scene.told(own), ["message.queued"]);
    assert_eq!(scene.told(updates), ["message.status_updated", "message.status_updated"]);
    assert_eq!(scene.told(both), ["message.queued", "message.status_updated"]);
    let told = scene.bodies(updates).pop().expect("an event");
    assert!(told.starts_with(r#"{"event":"message.status_updated","#) && told.contains(r#""status":"sent""#), "{told}");
}

pub(crate) fn one_event_for_two_endpoints_is_two_deliveries(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoints = [scene.listen(EVERYTHING), scene.listen(&["message.status_updated"])];
    scene.send(text("hi"));
    let [first, second] = endpoints.map(|endpoint| scene.deliveries_to(endpoint).remove(0));
    assert_eq!(first.event, second.event);
    assert_ne!(first.id, second.id);
    let mut taken: Vec<_> = scene.take().into_iter().map(|notice| (notice.notice.endpoint.id, notice.notice.event.id)).collect();
    taken.sort_unstable();
    assert_eq!(taken, endpoints.map(|endpoint| (endpoint, first.event)));
}

pub(crate) fn a_delivery_is_written_with_its_event(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let message = scene.sent(text("hi"));
    let at = scene.message(message).created_at;
    let event = id_of(message, EventName::MessageQueued, at);
    let expected = gatepost::EventDelivery {
        id: gatepost::DeliveryId::of(event, endpoint, 0, at),
        event,
        as_name: EventName::MessageQueued,
        endpoint,
        status: gatepost::DeliveryStatus::Queued,
        error: None,
        skip: None,
        tries: 0,
        next_at: Some(at),
        replay: None,
        created_at: at,
        updated_at: at,
    };
    assert_eq!(scene.deliveries(), [expected]);
}

pub(crate) fn each_message_of_a_batch_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.send_all([text("1"), text("2").to(BOB), text("3").purpose("marketing"), text("4")]);
    assert_eq!(scene.told(endpoint), ["message.queued", "message.queued", "message.blocked", "message.queued"]);
}

pub(crate) fn an_endpoint_hears_only_of_what_comes_after_it(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.send(text("hi"));
    let endpoint = scene.listen(EVERYTHING);
    assert_eq!(scene.told(endpoint).len(), 0);
    scene.send(text("ho"));
    assert_eq!(scene.told(endpoint), ["message.queued"]);
}

pub(crate) fn a_new_filter_counts_at_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(&["message.queued"]);
    scene.send(text("hi"));
    let filter = EventFilter::new(["message.sent"]).expect("a filter");
    scene.change_endpoint(endpoint, EndpointChange { filter: Some(filter), ..EndpointChange::default() });
    scene.send(text("ho"));
    scene.advance(seconds(1));
    scene.deliver_all();
    assert_eq!(scene.told(endpoint), ["message.queued", "message.sent", "message.sent"]);
}

pub(crate) fn a_test_is_told_whatever_the_filter(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let [endpoint, other] = [(); 2].map(|()| scene.listen(&["recipient.*"]));
    let event = scene.a_test_event();
    let delivery = wait(scene.store().notify(endpoint, event.clone())).expect("the endpoint is there");
    assert_eq!((delivery.event, delivery.as_name, delivery.endpoint), (event.id, EventName::EndpointTest, endpoint));
    assert_eq!((scene.delivery(delivery.id), scene.told(other).len()), (delivery.clone(), 0));
    scene.tell(TAKEN);
    assert_eq!(scene.fate(delivery.id), "sent");
}

pub(crate) fn a_disabled_endpoint_skips_what_is_told(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    scene.disable_endpoint(endpoint);
    scene.send(text("hi"));
    let test = scene.notify(endpoint);
    assert_eq!(words::delivery(&test), "skipped: endpoint_disabled");
    let deliveries = scene.deliveries_to(endpoint);
    assert_eq!(deliveries.iter().map(words::delivery).collect::<Vec<_>>(), ["skipped: endpoint_disabled"; 2]);
    assert_eq!((deliveries[0].next_at, scene.event(deliveries[0].event).is_some()), (None, true));
    assert_eq!(scene.answer_take(scene.a_take()), gatepost::TakeAnswer::default());
}

pub(crate) fn the_same_event_twice_is_written_once(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let event = scene.a_test_event();
    let notify = || wait(scene.store().notify(endpoint, event.clone())).expect("the endpoint is there");
    notify();
    scene.tell(TAKEN);
    assert_eq!(words::delivery(&notify()), "sent");
    assert_eq!((scene.deliveries().len(), scene.take()), (1, vec![]));
}

pub(crate) fn what_happens_twice_in_a_moment_is_told_twice(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    let endpoint = scene.listen(EVERYTHING);
    let other = scene.listen_to_nothing();
    let at = scene.now();
    for pause in [Some(scene.a_pause()), None, Some(scene.a_pause()), None] {
        scene.change_account(AccountChange { pause: Some(pause), at, ..AccountChange::default() });
    }
    for connection in [Connection::Closed, Connection::Open, Connection::Closed, Connection::Open] {
        scene.change_instance(InstanceChange { connection: Some(connection), at, ..InstanceChange::default() });
    }
    for () in [(); 2] {
        scene.disable_endpoint(other);
        scene.enable_endpoint(other);
    }
    let told = scene.told(endpoint);
    let count = |name: &str| told.iter().filter(|told| **told == name).count();
    let names = ["account.paused", "account.resumed", "instance.disconnected", "instance.connected", "endpoint.disabled"];
    assert_eq!((names.map(count), told.len()), ([2; 5], 10));
}

pub(crate) fn what_is_told_is_due(harness: &dyn Harness) {
    let scene = Scene::new(harness);
    scene.listen(EVERYTHING);
    scene.supervise();
    let changes = scene.changes();
    scene.send(text("a held message is due for nobody, but its event is"));
    assert_eq!(changes.recv_timeout(PATIENCE), Ok(()));
}
