//! Events on their way to an endpoint, as an embedding app sees it: signed, judged, repeated, put off, and what an answer does.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a scene that cannot be set fails its test")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_executor::block_on;
use gatepost::{
    Account, AccountEndpoints, AccountId, Actor, AddedEndpoint, Attempt, CustomHeaders, DeliveryFilter, DeliveryStatus, DestinationPolicy,
    DisabledBy, EndpointChange, EndpointError, EndpointState, ErrorClass, EventDelivery, EventFilter, Gateway, Host, HttpAnswer,
    HttpFailure, HttpFailureClass, HttpRequest, HttpSend, HttpTrace, Instance, InstanceId, Keyring, NewEndpoint, Note, Outcome, Overlap,
    Page, Plan, Provider, Purpose, ReplayAnswer, Request, SigningSecret, Store, Verification, Verifier, Webhooks, Worker,
};
use gatepost_memory::{MemoryStore, Sandbox, TestHost};
use zeroize::Zeroizing;

type Answer = Result<HttpAnswer, HttpFailure>;

/// A receiver that answers from a script, and with 200 once it is at its end.
#[derive(Clone, Default)]
struct Receiver {
    script: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<HttpRequest>>>,
    echoes: bool,
}

#[async_trait]
impl HttpSend for Receiver {
    async fn send(&self, request: HttpRequest) -> Answer {
        let body = if self.echoes { request.body.to_vec() } else { Vec::new() };
        self.seen.lock().unwrap().push(request);
        let next = self.script.lock().unwrap().pop_front();
        next.unwrap_or_else(|| Ok(HttpAnswer { body, ..status(200) }))
    }
}

fn status(status: u16) -> HttpAnswer {
    HttpAnswer { status, headers: Vec::new(), body: Vec::new(), body_cut: false, trace: HttpTrace::default() }
}

fn with_header(answer: HttpAnswer, name: &str, value: &str) -> HttpAnswer {
    HttpAnswer { headers: vec![(name.to_string(), value.to_string())], ..answer }
}

fn failure(class: HttpFailureClass, may_have_arrived: bool) -> Answer {
    Err(HttpFailure { class, may_have_arrived, detail: "seen".to_string(), trace: HttpTrace::default() })
}

/// One account with one instance and a receiver.
struct Scene {
    host: Arc<TestHost>,
    gateway: Gateway,
    account: AccountId,
    receiver: Receiver,
}

impl Scene {
    fn new(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::of(Receiver { script: Arc::new(Mutex::new(script.into_iter().collect())), ..Receiver::default() })
    }

    fn of(receiver: Receiver) -> Self {
        let (host, store) = (Arc::new(TestHost::new(7)), Arc::new(MemoryStore::new()));
        let now = host.now();
        let account = AccountId::new(now, &*host);
        block_on(store.operator().add_account(Account::new(account, "Harbor Kitchen".parse().unwrap(), Plan::Starter, now))).unwrap();
        let instance = Instance::new(InstanceId::new(now, &*host), "desk".parse().unwrap(), Provider::Sandbox, now);
        assert_eq!(block_on(store.account(account).add_instance(instance)), Ok(true));
        let keyring = Keyring::new([(1, Zeroizing::new([7; 32]))]).unwrap();
        let webhooks = Webhooks::new(Arc::new(receiver.clone()), DestinationPolicy::production(), keyring);
        let sandbox = Sandbox::new().with_host(host.clone());
        let gateway = Gateway::builder(store, host.clone()).transport(Provider::Sandbox, sandbox).webhooks(webhooks).build();
        Self { host, gateway, account, receiver }
    }

    fn endpoints(&self) -> AccountEndpoints {
        self.gateway.account(self.account).endpoints().expect("the gateway delivers events")
    }

    fn new_endpoint(&self) -> NewEndpoint {
        let filter = EventFilter::new(["message.sent"]).unwrap();
        NewEndpoint {
            verify: false,
            ..NewEndpoint::new("orders".parse().unwrap(), "https://hooks.example.com/in?key=1".to_string(), filter)
        }
    }

    fn add(&self) -> AddedEndpoint {
        block_on(self.endpoints().add(self.new_endpoint())).unwrap()
    }

    /// Sends one message, and lets the worker do all that can be done now.
    fn send(&self, worker: &mut Worker) {
        self.send_with(|| block_on(worker.turn(self.host.now())).unwrap().did);
    }

    /// Sends one message, and takes turns as long as there is something to do.
    fn send_with(&self, mut turn: impl FnMut() -> bool) {
        let phone = "+999501234567".parse().unwrap();
        let request = Request::text("desk", phone, Purpose::Support, "Your table is ready.".parse().unwrap());
        block_on(self.gateway.account(self.account).send(request)).unwrap();
        while turn() {}
    }

    fn drive(&self, worker: &mut Worker) {
        while block_on(worker.turn(self.host.now())).unwrap().did {}
    }

    fn seen(&self) -> Vec<HttpRequest> {
        self.receiver.seen.lock().unwrap().clone()
    }

    fn deliveries(&self) -> Vec<EventDelivery> {
        let store = self.gateway.account(self.account);
        block_on(store.store().deliveries(DeliveryFilter::default(), Page::first(100))).unwrap()
    }

    fn last_attempt(&self) -> Attempt {
        let store = self.gateway.account(self.account);
        block_on(store.store().delivery_attempts(self.deliveries()[0].id)).unwrap().pop().expect("an attempt")
    }
}

/// What one answer makes of a delivery: its status, why, and the endpoint's state.
#[track_caller]
fn check(answer: Answer, status: DeliveryStatus, error: Option<ErrorClass>, state: EndpointState) {
    let scene = Scene::new([answer]);
    let endpoint = scene.add().endpoint;
    scene.send(&mut scene.gateway.worker());
    let delivery = scene.deliveries().remove(0);
    let class = scene.last_attempt().outcome.and_then(|outcome| outcome.class());
    let account = scene.gateway.account(scene.account);
    let endpoint = block_on(account.store().endpoint(endpoint.id)).unwrap().unwrap();
    assert_eq!((delivery.status, class, endpoint.state()), (status, error, state));
}

#[test]
fn an_event_arrives_signed_under_its_id() {
    let scene = Scene::new([]);
    let AddedEndpoint { secret, .. } = scene.add();
    scene.send(&mut scene.gateway.worker());
    let [request] = &scene.seen()[..] else { panic!("one request") };
    let verifier = Verifier::new([secret.secret().clone()]);
    let verified = verifier.verify(request.headers.iter().map(|(name, value)| (name, value)), &request.body, scene.host.now());
    let delivery = &scene.deliveries()[0];
    assert_eq!(verified.unwrap().id, delivery.event.to_string());
    assert_eq!(request.destination.as_str(), "https://hooks.example.com/in?key=1");
    assert_eq!((delivery.status, delivery.tries), (DeliveryStatus::Sent, 1));
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    assert!(body.starts_with(&format!(r#"{{"event":"message.sent","event_id":"{}","occurred_at":""#, delivery.event)), "{body}");
    assert!(body.contains(r#""instance_name":"desk""#) && body.contains(r#""to":"+999501234567""#), "{body}");
}

#[test]
fn only_a_2xx_is_success() {
    for code in [200, 201, 204, 299] {
        check(Ok(status(code)), DeliveryStatus::Sent, None, EndpointState::Enabled);
    }
    for code in [100, 199, 300, 301, 304, 307, 400, 401, 404, 500, 502, 504, 999] {
        check(Ok(status(code)), DeliveryStatus::Queued, Some(ErrorClass::ErrorStatus), EndpointState::Enabled);
    }
}

#[test]
fn what_a_receiver_asks_for_is_done() {
    check(Ok(status(410)), DeliveryStatus::Failed, Some(ErrorClass::Gone), EndpointState::Disabled);
    check(Ok(status(429)), DeliveryStatus::Queued, Some(ErrorClass::Throttled), EndpointState::Enabled);
    let wish = |code, value| Ok(with_header(status(code), "webhook-delivery", value));
    check(wish(500, "abort-message"), DeliveryStatus::Failed, Some(ErrorClass::Aborted), EndpointState::Enabled);
    check(wish(200, "disable"), DeliveryStatus::Sent, None, EndpointState::Disabled);
    check(wish(500, "disable"), DeliveryStatus::Queued, Some(ErrorClass::ErrorStatus), EndpointState::Disabled);
    check(wish(500, "else"), DeliveryStatus::Queued, Some(ErrorClass::ErrorStatus), EndpointState::Enabled);
}

#[test]
fn what_went_wrong_on_the_way_is_tried_again_unless_the_policy_forbids_it() {
    for (class, error) in [
        (HttpFailureClass::NoAddress, ErrorClass::Unreachable),
        (HttpFailureClass::Unreachable, ErrorClass::Unreachable),
        (HttpFailureClass::Tls, ErrorClass::Tls),
        (HttpFailureClass::Timeout, ErrorClass::Timeout),
        (HttpFailureClass::Broken, ErrorClass::Broken),
        (HttpFailureClass::Protocol, ErrorClass::Broken),
        (HttpFailureClass::Overloaded, ErrorClass::Throttled),
    ] {
        check(failure(class, false), DeliveryStatus::Queued, Some(error), EndpointState::Enabled);
    }
    let policy = DestinationPolicy::production();
    let destination = policy.parse("https://hooks.example.com/").unwrap();
    let refusal = policy.judge(&destination, &["127.0.0.1".parse().unwrap()]).unwrap_err();
    let blocked = HttpFailureClass::Blocked(Box::new(refusal));
    check(failure(blocked, false), DeliveryStatus::Blocked, Some(ErrorClass::Forbidden), EndpointState::Enabled);
}

#[test]
fn a_repetition_has_the_same_id_and_body_and_a_fresh_time() {
    let scene = Scene::new([Ok(status(500)), failure(HttpFailureClass::Broken, true)]);
    let secret = scene.add().secret;
    let mut worker = scene.gateway.worker();
    scene.send(&mut worker);
    for wait in [6, 400] {
        scene.host.advance(Duration::from_secs(wait));
        scene.drive(&mut worker);
    }
    let seen = scene.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|request| request.repeatable && request.body == seen[0].body));
    let last = seen.last().unwrap();
    let headers = last.headers.iter().map(|(name, value)| (name, value));
    assert!(Verifier::new([secret.secret().clone()]).verify(headers, &last.body, scene.host.now()).is_ok());
    assert_eq!((scene.deliveries()[0].status, scene.deliveries()[0].tries), (DeliveryStatus::Sent, 3));
}

#[test]
fn retry_after_is_honored_up_to_an_hour() {
    for (value, waits) in [("120", 120), ("1", 60), ("999999999999999999999999", 3_600), ("Sun, 06 Nov 1994 08:49:37 GMT", 60)] {
        let scene = Scene::new([Ok(with_header(status(429), "retry-after", value))]);
        scene.add();
        scene.send(&mut scene.gateway.worker());
        let next_at = scene.deliveries()[0].next_at.expect("it is tried again");
        let waited = next_at.since(scene.host.now());
        assert!(waited >= Duration::from_secs(waits) && waited <= Duration::from_secs(waits + 7), "{value}: {waited:?}");
    }
}

#[test]
fn nothing_goes_out_before_the_owner_answered_the_challenge() {
    let scene = Scene::of(Receiver { echoes: true, ..Receiver::default() });
    let added = block_on(scene.endpoints().add(NewEndpoint { verify: true, ..scene.new_endpoint() })).unwrap();
    let mut worker = scene.gateway.worker();
    scene.send(&mut worker);
    assert_eq!((added.endpoint.state(), scene.seen().len()), (EndpointState::Unverified, 0));
    let verified = block_on(scene.endpoints().verify(added.endpoint.id)).unwrap();
    assert!(matches!(verified, Verification::Verified(endpoint) if endpoint.state() == EndpointState::Enabled));
    scene.host.advance(Duration::from_secs(1));
    scene.drive(&mut worker);
    let seen = scene.seen();
    assert_eq!((seen.len(), scene.deliveries()[0].status), (2, DeliveryStatus::Sent));
}

#[test]
fn a_receiver_that_does_not_know_the_challenge_proves_nothing() {
    let scene = Scene::new([Ok(status(204)), Ok(status(404)), failure(HttpFailureClass::Tls, false)]);
    let added = block_on(scene.endpoints().add(NewEndpoint { verify: true, ..scene.new_endpoint() })).unwrap();
    for expected in [
        "the receiver did not answer with the challenge",
        "the receiver answered with an error",
        "the receiver's certificate is not acceptable",
    ] {
        assert_eq!(block_on(scene.endpoints().verify(added.endpoint.id)).unwrap(), Verification::NotVerified(expected));
    }
}

#[test]
fn another_url_must_be_verified_again() {
    let scene = Scene::new([]);
    let id = scene.add().endpoint.id;
    let same = block_on(scene.endpoints().change_url(id, "https://hooks.example.com/in?key=1")).unwrap();
    let other = block_on(scene.endpoints().change_url(id, "https://hooks.example.net/")).unwrap();
    assert_eq!((same.state(), other.state()), (EndpointState::Enabled, EndpointState::Unverified));
    assert!(matches!(block_on(scene.endpoints().change_url(id, "https://10.0.0.1/")), Err(EndpointError::Url(_))));
}

#[test]
fn during_the_overlap_either_secret_verifies() {
    let scene = Scene::new([]);
    let AddedEndpoint { endpoint, secret: old } = scene.add();
    let new = block_on(scene.endpoints().rotate(endpoint.id, Overlap::default())).unwrap().secret;
    let mut worker = scene.gateway.worker();
    let verifies = |secret: &SigningSecret| {
        let request = scene.seen().pop().unwrap();
        let headers = request.headers.iter().map(|(name, value)| (name, value));
        Verifier::new([secret.clone()]).verify(headers, &request.body, scene.host.now()).is_ok()
    };
    scene.send(&mut worker);
    assert_eq!((verifies(old.secret()), verifies(new.secret())), (true, true));
    scene.host.advance(Duration::from_secs(25 * 3_600));
    scene.send(&mut worker);
    assert_eq!((verifies(old.secret()), verifies(new.secret())), (false, true));
}

#[test]
fn the_owners_headers_go_along_and_never_replace_ours() {
    let scene = Scene::new([]);
    let headers = CustomHeaders::new([("Authorization".to_string(), "Bearer abc".to_string())]).unwrap();
    block_on(scene.endpoints().add(NewEndpoint { headers, ed25519: true, ..scene.new_endpoint() })).unwrap();
    scene.send(&mut scene.gateway.worker());
    let request = scene.seen().remove(0);
    let value = |name: &str| {
        request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(value("authorization"), ["Bearer abc"]);
    assert_eq!(value("content-type"), ["application/json"]);
    assert!(matches!(value("webhook-signature")[..], [signatures] if signatures.contains("v1,") && signatures.contains("v1a,")));
}

#[test]
fn a_paused_endpoint_holds_and_a_disabled_one_says_that_it_skips() {
    let scene = Scene::new([]);
    let id = scene.add().endpoint.id;
    let mut worker = scene.gateway.worker();
    let pause = gatepost::Pause::by(Actor::App, None, scene.host.now());
    block_on(scene.endpoints().change(id, EndpointChange { pause: Some(Some(pause)), ..EndpointChange::default() })).unwrap();
    scene.send(&mut worker);
    assert_eq!((scene.seen().len(), scene.deliveries()[0].status), (0, DeliveryStatus::Queued));
    block_on(scene.endpoints().change(id, EndpointChange { pause: Some(None), ..EndpointChange::default() })).unwrap();
    scene.host.advance(Duration::from_secs(1));
    scene.drive(&mut worker);
    assert_eq!((scene.seen().len(), scene.deliveries()[0].status), (1, DeliveryStatus::Sent));
    let disabled = gatepost::Disabled { since: scene.host.now(), by: DisabledBy::Person { by: Actor::App, note: None } };
    block_on(scene.endpoints().change(id, EndpointChange { disabled: Some(Some(disabled)), ..EndpointChange::default() })).unwrap();
    scene.send(&mut worker);
    assert_eq!((scene.seen().len(), scene.deliveries()[0].status), (1, DeliveryStatus::Skipped));
}

#[test]
fn history_does_not_follow_to_another_url_unasked() {
    let scene = Scene::new([Ok(status(410))]);
    let id = scene.add().endpoint.id;
    let mut worker = scene.gateway.worker();
    scene.send(&mut worker);
    let failed = scene.deliveries().remove(0);
    let replay = |to_changed_url| block_on(scene.endpoints().replay(failed.id, Actor::App, None, to_changed_url)).unwrap();
    assert_eq!(replay(false), ReplayAnswer::EndpointDisabled);
    scene.host.advance(Duration::from_secs(60));
    block_on(scene.endpoints().change_url(id, "https://elsewhere.example.net/")).unwrap();
    let enabled = EndpointChange { disabled: Some(None), verified_at: Some(scene.host.now()), ..EndpointChange::default() };
    block_on(scene.endpoints().change(id, enabled)).unwrap();
    assert_eq!(replay(false), ReplayAnswer::UrlChanged);
    assert!(matches!(replay(true), ReplayAnswer::Queued(again) if again.event == failed.event && again.id != failed.id));
    scene.drive(&mut worker);
    assert_eq!(scene.seen().last().unwrap().destination.as_str(), "https://elsewhere.example.net/");
}

#[test]
fn a_turn_tells_what_somebody_should_hear_of() {
    let resent = HttpAnswer { trace: HttpTrace { resent: true, ..HttpTrace::default() }, ..status(200) };
    let scene = Scene::new([Ok(resent), Ok(status(200)), Ok(status(410))]);
    let (account, endpoint) = (scene.account, scene.add().endpoint.id);
    let mut worker = scene.gateway.worker();
    let mut notes = || {
        let mut notes = Vec::new();
        scene.send_with(|| {
            let turn = block_on(worker.turn(scene.host.now())).unwrap();
            notes.extend(turn.notes);
            turn.did
        });
        notes
    };
    let told = notes();
    assert_eq!(told, [Note::Resent { account, delivery: scene.deliveries()[0].id }]);
    assert_eq!(notes(), []);
    assert_eq!(notes(), [Note::EndpointDisabled { account, endpoint, by: DisabledBy::Gone }]);
    assert_eq!(notes(), []);
}

#[test]
fn a_test_goes_the_way_of_every_event() {
    let scene = Scene::new([]);
    let AddedEndpoint { endpoint, secret } = scene.add();
    let delivery = block_on(scene.endpoints().test(endpoint.id)).unwrap();
    scene.drive(&mut scene.gateway.worker());
    let request = scene.seen().remove(0);
    let headers = request.headers.iter().map(|(name, value)| (name, value));
    assert!(Verifier::new([secret.secret().clone()]).verify(headers, &request.body, scene.host.now()).is_ok());
    assert_eq!(scene.deliveries()[0].id, delivery.id);
    assert!(matches!(scene.last_attempt().outcome, Some(Outcome::Sent { .. })));
}

#[test]
fn a_receivers_words_are_kept_for_the_operator_in_part() {
    let answer = HttpAnswer { body: "no\u{0}\u{1b}[31m such order ".repeat(1_000).into_bytes(), ..status(404) };
    let scene = Scene::new([Ok(answer)]);
    scene.add();
    scene.send(&mut scene.gateway.worker());
    let report = scene.last_attempt().report.expect("a report");
    let excerpt = report.excerpt.expect("an excerpt");
    assert_eq!((report.status, excerpt.chars().count()), (Some(404), 1_024));
    assert!(excerpt.starts_with("no[31m such order") && !excerpt.chars().any(char::is_control));
}
