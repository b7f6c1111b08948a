//! Crew: what a busy, a broken and a leaving crew do with what they are given.

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use gatepost::{CheckedAddress, DestinationPolicy, HttpAnswer, HttpFailure, HttpFailureClass, HttpSend};

use super::receiver::{OK, Receiver};
use super::stage::{NAME, ONE, PATIENCE, SHORT, Stage, URL};
use crate::connection::Dial;

/// Closed until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn pass(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |is_open| !*is_open).unwrap());
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// A receiver that answers only once the gate is open, but for what is quick; it tells of each request that waits.
    fn receiver(&self) -> (Receiver, mpsc::Receiver<()>) {
        let (arrived, wait_for_arrived) = mpsc::channel();
        let gate = self.clone();
        let receiver = Receiver::new(move |talk| {
            while let Some(asked) = talk.request() {
                if !asked.head.starts_with("POST /quick") {
                    let _ = arrived.send(());
                    gate.pass();
                }
                talk.say(OK).unwrap();
            }
        });
        (receiver, wait_for_arrived)
    }
}

/// A receiver that answers only once it is let, and a stage whose one thread it holds up.
struct Blocked {
    stage: Stage,
    receiver: Receiver,
    gate: Gate,
    first: Mutex<Option<JoinHandle<Result<HttpAnswer, HttpFailure>>>>,
}

impl Blocked {
    fn new() -> Self {
        Self::where_may_wait(1)
    }

    fn where_may_wait(waiting: usize) -> Self {
        let gate = Gate::default();
        let (receiver, arrived) = gate.receiver();
        let stage = Stage::with(DestinationPolicy::production(), |builder| builder.threads(1).waiting(waiting));
        stage.script.says(NAME, &[ONE]);
        stage.map.lead(ONE, &receiver);
        let first = Mutex::new(Some(stage.post_aside("https://hooks.example.com/first", PATIENCE)));
        arrived.recv_timeout(PATIENCE).unwrap();
        Self { stage, receiver, gate, first }
    }

    /// Lets the receiver answer, and the first request end.
    fn open(&self) {
        self.gate.open();
        assert_eq!(self.first.lock().unwrap().take().unwrap().join().unwrap().unwrap().status, 200);
    }

    fn is_first_answered(&self) -> bool {
        self.first.lock().unwrap().as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn paths(&self) -> Vec<String> {
        self.receiver.requests().iter().map(|asked| asked.head.split(' ').nth(1).unwrap().to_owned()).collect()
    }
}

#[test]
fn one_request_more_than_may_wait_fails_at_once_as_overloaded() {
    let blocked = Blocked::new();
    let mut sending = Box::pin(blocked.stage.http.send(blocked.stage.request(URL, PATIENCE)));
    assert!(is_pending(&mut sending));
    let refused = blocked.stage.post(URL).unwrap_err();
    assert_eq!((refused.class, refused.may_have_arrived), (HttpFailureClass::Overloaded, false));
    blocked.open();
    assert_eq!(block_on(sending).unwrap().status, 200);
}

#[test]
fn what_waits_past_its_deadline_is_answered_though_every_thread_is_busy() {
    let blocked = Blocked::new();
    let late = blocked.stage.send(blocked.stage.request(URL, SHORT)).unwrap_err();
    assert_eq!((late.class, late.may_have_arrived), (HttpFailureClass::Timeout, false));
    assert!(!blocked.is_first_answered());
    blocked.open();
    assert_eq!(blocked.paths(), ["/first"]);
}

#[test]
fn slow_receivers_hold_up_nobody_else() {
    let gate = Gate::default();
    let (receiver, arrived) = gate.receiver();
    let stage = Stage::with(DestinationPolicy::production(), |builder| builder.threads(32));
    stage.script.says(NAME, &[ONE]);
    stage.map.lead(ONE, &receiver);
    let held: Vec<_> = (0..20).map(|_| stage.post_aside(URL, PATIENCE)).collect();
    held.iter().for_each(|_| arrived.recv_timeout(PATIENCE).unwrap());
    assert_eq!(stage.post("https://hooks.example.com/quick").unwrap().status, 200);
    assert!(!held.iter().any(JoinHandle::is_finished));
    gate.open();
    held.into_iter().for_each(|held| assert_eq!(held.join().unwrap().unwrap().status, 200));
}

#[test]
fn a_request_that_nobody_waits_for_any_more_is_not_sent() {
    let blocked = Blocked::where_may_wait(2);
    let mut sending = Box::pin(blocked.stage.http.send(blocked.stage.request("https://hooks.example.com/dropped", PATIENCE)));
    assert!(is_pending(&mut sending));
    drop(sending);
    blocked.open();
    assert_eq!(blocked.stage.post("https://hooks.example.com/last").unwrap().status, 200);
    assert_eq!(blocked.paths(), ["/first", "/last"]);
}

/// Panics once, then dials.
struct Clumsy(AtomicBool, Arc<super::stage::Map>);

impl Dial for Clumsy {
    fn dial(&self, address: CheckedAddress, limit: Duration) -> io::Result<TcpStream> {
        assert!(self.0.swap(true, Ordering::AcqRel), "as the test wants");
        self.1.dial(address, limit)
    }
}

#[test]
fn a_panic_loses_no_answer_and_no_thread() {
    let receiver = Receiver::saying(OK);
    let map = Arc::new(super::stage::Map::default());
    map.lead(ONE, &receiver);
    let clumsy = Clumsy(AtomicBool::new(false), map);
    let stage = Stage::with(DestinationPolicy::production(), |builder| builder.threads(1).dialer(clumsy));
    stage.script.says(NAME, &[ONE]);
    let lost = stage.post(URL).unwrap_err();
    assert_eq!((lost.class, lost.may_have_arrived), (HttpFailureClass::Broken, true));
    assert_eq!(stage.post(URL).unwrap().status, 200);
}

#[test]
fn many_at_once_are_all_answered() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::with(DestinationPolicy::production(), |builder| builder.threads(4));
    stage.script.says(NAME, &[ONE]);
    stage.map.lead(ONE, &receiver);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (http, request) = (stage.http.clone(), stage.request(URL, PATIENCE));
            thread::spawn(move || (0..50).filter(|_| block_on(http.send(request.clone())).is_ok()).count())
        })
        .collect();
    assert_eq!(callers.into_iter().map(|caller| caller.join().unwrap()).sum::<usize>(), 400);
    assert!(receiver.connections() <= 4, "{} connections", receiver.connections());
}

#[test]
fn the_threads_leave_with_the_last_handle() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(URL).unwrap().status, 200);
    // The threads hold the clock; with them it goes.
    let clock = Arc::downgrade(&stage.clock);
    drop(stage);
    let began = Instant::now();
    while clock.upgrade().is_some() {
        assert!(began.elapsed() < PATIENCE, "a thread stayed");
        thread::yield_now();
    }
}

/// Whether it was begun and has not ended.
fn is_pending<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_pending()
}
