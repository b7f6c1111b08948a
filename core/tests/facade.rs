//! The facade as an embedding app sees it: sends, waits, retries, callers who go away, transports that misbehave.

#![allow(clippy::expect_used, reason = "a scene that cannot be set fails its test")]

mod slow;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures_executor::block_on;
use futures_util::FutureExt;
use gatepost::{
    Account, AccountGateway, AccountId, Actor, Address, Answer, Delivering, ErrorClass, Gateway, Host, Instance, InstanceId, Message,
    MessageFilter, MessageStatus, NewInbound, Outcome, Page, Parcel, Plan, Progress, Provider, Purpose, Received, Request, RuleId, Said,
    Sent, StatusReport, Store, Timestamp, Told, Transport, Words, Worker,
};
use gatepost_memory::{MemoryStore, TestHost};
use slow::{Slow, Verb};

/// A provider that answers from a script, and as sent once it is at its end.
#[derive(Clone, Default)]
struct Scripted {
    script: Arc<Mutex<Vec<Turn>>>,
    sends: Arc<AtomicUsize>,
}

#[derive(Clone, Debug)]
enum Turn {
    Answer(Outcome),
    NeverAnswer,
    Panic,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, parcel: Parcel, _: Timestamp) -> Outcome {
        self.sends.fetch_add(1, Ordering::Relaxed);
        let next = self.script.lock().expect("no panic holds the script").pop();
        match next {
            None => Outcome::Sent { external_id: Some(format!("x-{}", parcel.message)) },
            Some(Turn::Answer(outcome)) => outcome,
            Some(Turn::NeverAnswer) => std::future::pending().await,
            Some(Turn::Panic) => panic!("a transport with a bug"),
        }
    }
}

/// One account with one instance, and a worker driven by hand.
struct Scene {
    host: Arc<TestHost>,
    gateway: Gateway,
    account: AccountId,
    provider: Scripted,
}

impl Scene {
    fn new(script: &[Turn]) -> Self {
        Self::with(script, Delivering::default(), Provider::Sandbox)
    }

    fn with(script: &[Turn], delivering: Delivering, provider: Provider) -> Self {
        let scripted = Scripted { script: Arc::new(Mutex::new(script.iter().rev().cloned().collect())), sends: Arc::default() };
        Self::over(Arc::new(MemoryStore::new()), scripted, delivering, provider)
    }

    fn over(store: Arc<dyn Store>, scripted: Scripted, delivering: Delivering, provider: Provider) -> Self {
        let host = Arc::new(TestHost::new(7));
        let now = host.now();
        let account = AccountId::new(now, &*host);
        let row = Account::new(account, "Harbor Kitchen".parse().expect("a name"), Plan::Starter, now);
        block_on(store.operator().add_account(row)).expect("a store that works");
        let mut row = Instance::new(InstanceId::new(now, &*host), "desk".parse().expect("a name"), provider, now);
        row.connection = gatepost::Connection::Open;
        assert_eq!(block_on(store.account(account).add_instance(row)), Ok(true));
        let gateway = Gateway::builder(store, host.clone()).transport(Provider::Sandbox, scripted.clone()).delivering(delivering).build();
        Self { host, gateway, account, provider: scripted }
    }

    fn account(&self) -> AccountGateway {
        self.gateway.account(self.account)
    }

    fn request(&self) -> Request {
        let phone = "+999501234567".parse().expect("a number");
        Request::text("desk", phone, Purpose::Support, "Your table is ready.".parse().expect("a text"))
    }

    fn send(&self) -> Sent {
        block_on(self.account().send(self.request())).expect("a store that works")
    }

    /// Lets the worker do all that can be done now.
    fn drive(&self, worker: &mut Worker) {
        while block_on(worker.turn(self.host.now())).expect("a store that works").did {}
    }

    fn message(&self) -> Message {
        let listed = block_on(self.account().store().messages(MessageFilter::default(), Page::first(1)));
        listed.expect("a store that works").pop().expect("a message")
    }

    fn sends(&self) -> usize {
        self.provider.sends.load(Ordering::Relaxed)
    }
}

fn unreachable() -> Turn {
    Turn::Answer(Outcome::Failed { class: ErrorClass::Unreachable, retry_after: None })
}

fn status(sent: &Sent) -> Option<MessageStatus> {
    match &sent.answer {
        Answer::Accepted(accepted) => Some(accepted.status),
        Answer::Repeated { status, .. } => Some(*status),
        _ => None,
    }
}

#[test]
fn with_a_worker_a_message_goes_at_once_and_the_caller_hears_of_it() {
    let scene = Scene::new(&[]);
    let mut worker = scene.gateway.worker();
    let mut sent = scene.send();
    assert_eq!(status(&sent), Some(MessageStatus::Sending));
    scene.drive(&mut worker);
    assert_eq!(block_on(sent.settled()), Some(MessageStatus::Sent));
    assert_eq!(block_on(sent.status()), Ok(Some(MessageStatus::Sent)));
}

/// Something that a provider tells of the person whom the scene writes to.
fn told(key: &str, told: Told) -> NewInbound {
    let phone: Address = "+999501234567".parse().expect("a number");
    NewInbound { key: key.to_owned(), kind: "any".to_owned(), at: None, people: phone.into(), told }
}

fn said(words: &str) -> Told {
    Told::Said(Said {
        external_id: words.to_owned(),
        form: "text".to_owned(),
        text: Some(Words::new(words.to_owned())),
        detail: None,
        sender_name: None,
        file: None,
        reply_to: None,
        opens_window: true,
        meaning: None,
    })
}

impl Scene {
    fn receive(&self, told: Vec<NewInbound>) -> Received {
        let instance = block_on(self.account().store().instances()).expect("a store that works").remove(0).id;
        block_on(self.account().receive(instance, b"{}".to_vec(), told)).expect("a store that works")
    }
}

#[test]
fn what_comes_in_is_heeded_by_the_worker_before_anything_is_sent() {
    let scene = Scene::new(&[]);
    let sent = scene.send();
    let new = scene.receive(vec![told("1", said("STOP")), told("1", said("STOP"))]);
    assert_eq!((new.new, new.repeated), (1, 1));
    scene.drive(&mut scene.gateway.worker());
    assert_eq!(block_on(sent.status()), Ok(Some(MessageStatus::Canceled)));
    // The confirmation went out, and nothing else does.
    let went_out = MessageFilter { status: Some(MessageStatus::Sent), ..MessageFilter::default() };
    let listed = block_on(scene.account().store().messages(went_out, Page::first(9))).expect("a store that works");
    assert_eq!((listed.len(), scene.sends()), (1, 1));
    let Answer::Refused { decision, .. } = scene.send().answer else { panic!("who said stop is not written to") };
    assert_eq!(decision.deciding().map(|reason| reason.rule), Some(RuleId::RecipientSuppressed));
    scene.receive(vec![told("2", said("START"))]);
    scene.drive(&mut scene.gateway.worker());
    assert_eq!(status(&scene.send()), Some(MessageStatus::Queued));
}

#[test]
fn a_worker_that_rests_is_woken_by_what_comes_in() {
    let scene = Scene::new(&[]);
    let mut worker = scene.gateway.worker();
    scene.drive(&mut worker);
    assert_eq!(worker.idle().now_or_never(), None);
    scene.receive(vec![told("1", said("hi"))]);
    assert_eq!(worker.idle().now_or_never(), Some(()));
}

#[test]
fn a_caller_who_waits_hears_that_the_recipient_said_stop() {
    let scene = Scene::new(&[]);
    let mut sent = scene.send();
    scene.receive(vec![told("1", said("STOP"))]);
    scene.drive(&mut scene.gateway.worker());
    assert_eq!(block_on(sent.settled()), Some(MessageStatus::Canceled));
}

#[test]
fn a_caller_who_waits_hears_of_a_report() {
    let scene = Scene::new(&[Turn::NeverAnswer]);
    let mut worker = scene.gateway.worker();
    let mut sent = scene.send();
    scene.drive(&mut worker);
    let report =
        StatusReport { message: Some(scene.message().id), external_id: "x".to_owned(), progress: Progress::Delivered, error: None };
    scene.receive(vec![told("1", Told::Status(report))]);
    scene.drive(&mut worker);
    assert_eq!(block_on(sent.settled()), Some(MessageStatus::Delivered));
}

#[test]
fn what_is_known_of_a_person_and_what_a_person_says_of_them_counts() {
    let scene = Scene::new(&[]);
    let id: Address = "US.13491208650000000001".parse().expect("a user id");
    let mut doubtful = told("1", said("stop?"));
    doubtful.people = id.clone().into();
    scene.receive(vec![doubtful]);
    scene.drive(&mut scene.gateway.worker());
    let doubt = block_on(scene.account().store().suspicions(Page::first(9))).expect("a store that works").remove(0);
    let both = [id, "+999501234567".parse().expect("a number")].into_iter().collect();
    block_on(scene.account().know(both)).expect("a store that works");
    assert_eq!(status(&scene.send()), Some(MessageStatus::Held));
    let answered = block_on(scene.account().answer_suspicion(doubt.contact, doubt.inbound, false, Actor::App)).expect("a store that works");
    assert_eq!(answered.map(|answered| answered.inbound), Some(doubt.inbound));
    assert_eq!(status(&scene.send()), Some(MessageStatus::Queued));
}

#[test]
fn without_a_worker_a_message_waits_for_one() {
    let scene = Scene::new(&[]);
    let sent = scene.send();
    assert_eq!((status(&sent), scene.sends()), (Some(MessageStatus::Queued), 0));
    scene.drive(&mut scene.gateway.worker());
    assert_eq!((scene.message().status, scene.sends()), (MessageStatus::Sent, 1));
}

#[test]
fn a_caller_who_goes_away_calls_nothing_back() {
    let scene = Scene::new(&[]);
    let mut worker = scene.gateway.worker();
    let account = scene.account();
    let mut send = Box::pin(account.send(scene.request()));
    // Polled once, so that the store has it, and dropped before anybody reads the answer.
    let _ = send.as_mut().now_or_never();
    drop(send);
    scene.drive(&mut worker);
    assert_eq!((scene.message().status, scene.sends()), (MessageStatus::Sent, 1));
}

#[test]
fn what_was_known_unsent_is_tried_again_when_its_wait_is_over() {
    let scene = Scene::new(&[unreachable(), unreachable()]);
    let mut worker = scene.gateway.worker();
    let mut sent = scene.send();
    scene.drive(&mut worker);
    assert_eq!(block_on(sent.settled()), Some(MessageStatus::Queued));
    assert_eq!((scene.message().error, scene.sends()), (Some(ErrorClass::Unreachable), 1));
    for tries in [2, 3] {
        scene.host.advance(Duration::from_secs(4));
        scene.drive(&mut worker);
        assert_eq!(scene.sends(), tries - 1, "too early");
        scene.host.advance(Duration::from_secs(30));
        scene.drive(&mut worker);
        assert_eq!(scene.sends(), tries);
    }
    assert_eq!(scene.message().status, MessageStatus::Sent);
}

#[test]
fn a_transport_that_panics_leaves_doubt_and_is_not_asked_again() {
    let scene = Scene::new(&[Turn::Panic]);
    let mut worker = scene.gateway.worker();
    let mut sent = scene.send();
    scene.drive(&mut worker);
    assert_eq!(block_on(sent.settled()), Some(MessageStatus::Unknown));
    scene.host.advance(Duration::from_secs(48 * 3_600));
    scene.drive(&mut worker);
    assert_eq!((scene.message().status, scene.sends()), (MessageStatus::Unknown, 1));
}

#[test]
fn a_transport_that_never_answers_gives_its_place_back_when_its_lease_is_over() {
    let one_at_a_time = Delivering { in_flight_max: 1, ..Delivering::default() };
    let scene = Scene::with(&[Turn::NeverAnswer], one_at_a_time, Provider::Sandbox);
    let mut worker = scene.gateway.worker();
    let mut stuck = scene.send();
    let mut behind = scene.send();
    scene.drive(&mut worker);
    assert_eq!((status(&behind), scene.sends()), (Some(MessageStatus::Queued), 1));
    scene.host.advance(Duration::from_secs(60));
    scene.drive(&mut worker);
    scene.host.advance(Duration::from_secs(1));
    scene.drive(&mut worker);
    assert_eq!((block_on(stuck.settled()), block_on(behind.settled())), (Some(MessageStatus::Unknown), Some(MessageStatus::Sent)));
}

#[test]
fn a_backlog_is_worked_off_without_waiting_for_the_poll() {
    for per_account_max in [1, 9] {
        let two_at_a_time = Delivering { in_flight_max: 2, per_account_max, ..Delivering::default() };
        let scene = Scene::with(&[], two_at_a_time, Provider::Sandbox);
        for _ in 0..9 {
            scene.send();
        }
        scene.drive(&mut scene.gateway.worker());
        assert_eq!(scene.sends(), 9);
    }
}

#[test]
fn a_repeat_waits_for_the_message_of_the_first() {
    let scene = Scene::new(&[]);
    let mut worker = scene.gateway.worker();
    let request = scene.request().with_idempotency_key("order-1".parse().expect("a key"));
    let mut first = block_on(scene.account().send(request.clone())).expect("a store that works");
    let mut repeat = block_on(scene.account().send(request)).expect("a store that works");
    assert!(matches!(repeat.answer, Answer::Repeated { status: MessageStatus::Sending, .. }));
    assert_eq!(repeat.settled().now_or_never(), None);
    scene.drive(&mut worker);
    assert_eq!((block_on(first.settled()), block_on(repeat.settled())), (Some(MessageStatus::Sent), Some(MessageStatus::Sent)));
    assert_eq!(scene.sends(), 1);
}

#[test]
fn an_instance_whose_provider_is_not_set_up_fails_for_good() {
    let scene = Scene::with(&[], Delivering::default(), Provider::Evolution);
    let mut worker = scene.gateway.worker();
    let mut sent = scene.send();
    scene.drive(&mut worker);
    assert_eq!(block_on(sent.settled()), Some(MessageStatus::Failed));
    assert_eq!(scene.message().error, Some(ErrorClass::NoTransport));
}

#[test]
fn a_closing_worker_finishes_what_it_has_and_takes_nothing_new() {
    let scene = Scene::new(&[]);
    let mut worker = scene.gateway.worker();
    let started = scene.send();
    worker.close();
    let late = scene.send();
    scene.drive(&mut worker);
    assert!(worker.is_drained());
    assert_eq!((block_on(started.status()), block_on(late.status())), (Ok(Some(MessageStatus::Sent)), Ok(Some(MessageStatus::Queued))));
}

#[test]
fn a_closing_worker_rests_though_something_is_due() {
    let scene = Scene::new(&[]);
    let mut worker = scene.gateway.worker();
    worker.close();
    let waiting = scene.send();
    block_on(worker.turn(scene.gateway.host().now())).expect("a store that works");
    assert!(worker.idle().now_or_never().is_none_or(|()| worker.idle().now_or_never().is_none()), "it would turn for ever");
    assert_eq!(block_on(waiting.status()), Ok(Some(MessageStatus::Queued)));
}

#[test]
fn explaining_decides_and_leaves_nothing() {
    let scene = Scene::new(&[]);
    let decision = block_on(scene.account().explain(scene.request())).expect("a store that works").expect("the instance");
    assert_eq!(decision.verdict, gatepost::Verdict::Allow);
    let listed = block_on(scene.account().store().messages(MessageFilter::default(), Page::first(1)));
    assert_eq!(listed, Ok(vec![]));
}

#[test]
fn a_thread_can_run_the_worker() {
    let scene = Scene::new(&[]);
    let goes_on = AtomicBool::new(true);
    std::thread::scope(|threads| {
        threads.spawn(|| scene.gateway.run_blocking(|| goes_on.load(Ordering::Acquire), |error| panic!("{error}")));
        let mut sent = scene.send();
        assert_eq!(block_on(sent.settled()), Some(MessageStatus::Sent));
        goes_on.store(false, Ordering::Release);
    });
}

/// Whether somebody was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn what_is_started_while_the_store_is_asked_goes_out_meanwhile() {
    for (verb, sent_before) in [(Verb::Claim, 0), (Verb::Finish, 1)] {
        let provider = Scripted::default();
        let sends = provider.sends.clone();
        let store = Slow::at(verb, MemoryStore::new(), move || sends.load(Ordering::Relaxed) > sent_before);
        let scene = Scene::over(Arc::new(store), provider, Delivering::default(), Provider::Sandbox);
        let mut worker = scene.gateway.worker();
        (0..sent_before).for_each(|_| drop(scene.send()));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        let ended_at = {
            let mut turn = pin!(worker.turn(scene.host.now()));
            assert!(turn.as_mut().poll(&mut context).is_pending(), "the store does not answer a {verb:?}");
            assert_eq!((status(&scene.send()), woken.0.swap(false, Ordering::AcqRel)), (Some(MessageStatus::Sending), true));
            let ended_at = scene.host.now();
            assert!(turn.as_mut().poll(&mut context).is_ready(), "it answers once the provider was called");
            ended_at
        };
        assert_eq!(scene.sends(), sent_before + 1);
        scene.host.advance(Duration::from_secs(1));
        scene.drive(&mut worker);
        let message = scene.message();
        let attempts = block_on(scene.account().store().attempts(message.id)).expect("a store that works");
        let ends: Vec<_> = attempts.iter().map(|attempt| attempt.finished_at).collect();
        assert_eq!((message.status, ends), (MessageStatus::Sent, vec![Some(ended_at)]));
    }
}

#[test]
fn an_attempt_has_its_whole_time_however_long_the_store_took_before() {
    let clock: Arc<OnceLock<Arc<TestHost>>> = Arc::default();
    let hands = clock.clone();
    let takes_its_time = move || {
        hands.get().into_iter().for_each(|host| host.advance(Duration::from_secs(60)));
        true
    };
    let provider = Scripted { script: Arc::new(Mutex::new(vec![Turn::NeverAnswer])), sends: Arc::default() };
    let store = Slow::at(Verb::Claim, MemoryStore::new(), takes_its_time);
    let scene = Scene::over(Arc::new(store), provider, Delivering::default(), Provider::Sandbox);
    scene.send();
    clock.set(scene.host.clone()).expect("it is set once");
    let mut worker = scene.gateway.worker();
    block_on(worker.turn(scene.host.now())).expect("a store that works");
    let swept = block_on(scene.gateway.store().worker().sweep(scene.host.now(), 9)).expect("a store that works");
    assert_eq!((scene.message().status, swept.settled), (MessageStatus::Sending, vec![]));
}
