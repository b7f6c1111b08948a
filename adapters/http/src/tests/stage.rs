//! Stage: what a test needs around an [`Http`]: a clock set by hand, a resolver that follows a script, and a map from public
//! addresses to receivers on this machine.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{
    BODY_BYTES_MAX, CheckedAddress, DestinationPolicy, Host, HttpAnswer, HttpFailure, HttpMethod, HttpRequest, HttpSend, Timestamp,
};

use super::authorities::trusted;
use super::receiver::Receiver;
use crate::connection::Dial;
use crate::{Http, HttpBuilder, LookupError};

/// Long enough for anything that ends by itself, on a busy machine too.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// Soon enough for what ends only at its deadline.
pub(super) const SHORT: Duration = Duration::from_millis(600);
/// A public address, and another.
pub(super) const ONE: &str = "93.184.215.14";
pub(super) const OTHER: &str = "151.101.1.140";
pub(super) const NAME: &str = "hooks.example.com";
pub(super) const URL: &str = "https://hooks.example.com/hook";

pub(super) struct Stage {
    pub(super) http: Http,
    pub(super) clock: Arc<Clock>,
    pub(super) script: Arc<Script>,
    pub(super) map: Arc<Map>,
}

impl Stage {
    /// Under the policy of production.
    pub(super) fn new() -> Self {
        Self::with(DestinationPolicy::production(), |builder| builder)
    }

    pub(super) fn with(policy: DestinationPolicy, adjust: impl FnOnce(HttpBuilder) -> HttpBuilder) -> Self {
        let (clock, script, map) = (Arc::new(Clock::default()), Arc::new(Script::default()), Arc::new(Map::default()));
        let resolver = script.clone();
        let builder = Http::builder(policy, clock.clone()).dialer(map.clone()).root_certificates(trusted().pem());
        let builder = builder.resolver(move |name: &str, _| resolver.answer(name));
        Self { http: adjust(builder).build().unwrap(), clock, script, map }
    }

    /// [`NAME`] resolves to [`ONE`], and that leads to the receiver.
    pub(super) fn leading_to(receiver: &Receiver) -> Self {
        let stage = Self::new();
        stage.script.says(NAME, &[ONE]);
        stage.map.lead(ONE, receiver);
        stage
    }

    pub(super) fn request(&self, url: &str, limit: Duration) -> HttpRequest {
        HttpRequest {
            method: HttpMethod::Post,
            destination: self.http.policy().parse(url).unwrap(),
            headers: Vec::new(),
            body: Arc::from(*b"{}"),
            deadline: self.clock.now().plus(limit),
            repeatable: true,
            answer_bytes_max: BODY_BYTES_MAX,
        }
    }

    pub(super) fn post(&self, url: &str) -> Result<HttpAnswer, HttpFailure> {
        self.send(self.request(url, PATIENCE))
    }

    /// Posts what must not arrive twice.
    pub(super) fn post_once(&self, url: &str) -> Result<HttpAnswer, HttpFailure> {
        self.send(HttpRequest { repeatable: false, ..self.request(url, PATIENCE) })
    }

    pub(super) fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFailure> {
        block_on(self.http.send(request))
    }

    /// Sends from a thread of its own.
    pub(super) fn post_aside(&self, url: &str, limit: Duration) -> JoinHandle<Result<HttpAnswer, HttpFailure>> {
        let (http, request) = (self.http.clone(), self.request(url, limit));
        thread::spawn(move || block_on(http.send(request)))
    }

    pub(super) fn check(&self, url: &str) -> Result<(), HttpFailure> {
        let destination = self.http.policy().parse(url).unwrap();
        block_on(self.http.check(&destination, self.clock.now().plus(PATIENCE)))
    }

    /// Has so much time pass that no answer of the resolver serves any more.
    pub(super) fn outlast_answers(&self) {
        self.clock.advance(Duration::from_secs(5));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.script.release();
    }
}

/// A clock that stands still.
#[derive(Default)]
pub(super) struct Clock(AtomicI64);

impl Clock {
    pub(super) fn advance(&self, span: Duration) {
        self.0.fetch_add(span.as_millis() as i64, Ordering::AcqRel);
    }

    pub(super) fn set_back(&self, span: Duration) {
        self.0.fetch_sub(span.as_millis() as i64, Ordering::AcqRel);
    }
}

impl Host for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_348_800_000 + self.0.load(Ordering::Acquire))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// What the resolver says to a question.
#[derive(Clone)]
pub(super) enum Said {
    Addresses(Vec<IpAddr>),
    Error(LookupError),
    /// Nothing, until the test is over.
    Nothing,
}

/// A resolver that follows a script.
#[derive(Default)]
pub(super) struct Script {
    lines: Mutex<HashMap<String, Vec<Said>>>,
    asked: Mutex<Vec<String>>,
    was_asked: Condvar,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Script {
    /// From now on, the name has these addresses.
    pub(super) fn says(&self, name: &str, addresses: &[&str]) {
        self.follow(name, vec![Said::Addresses(addresses.iter().map(|text| text.parse().unwrap()).collect())]);
    }

    /// From now on, the name is answered line by line, the last one again and again.
    pub(super) fn follow(&self, name: &str, lines: Vec<Said>) {
        self.lines.lock().unwrap().insert(format!("{name}."), lines);
    }

    /// What was asked for so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns once `count` questions have come.
    pub(super) fn await_asked(&self, count: usize) {
        let waited = self.was_asked.wait_timeout_while(self.asked.lock().unwrap(), PATIENCE, |asked| asked.len() < count).unwrap();
        assert!(!waited.1.timed_out(), "{count} questions did not come");
    }

    fn answer(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        self.asked.lock().unwrap().push(name.to_owned());
        self.was_asked.notify_all();
        let said = self.next_line(name);
        match said {
            Some(Said::Addresses(addresses)) => Ok(addresses),
            Some(Said::Error(error)) => Err(error),
            Some(Said::Nothing) => {
                drop(self.over.wait_while(self.is_over.lock().unwrap(), |is_over| !*is_over).unwrap());
                Err(LookupError::TimedOut)
            }
            None => Err(LookupError::NoAddress),
        }
    }

    fn next_line(&self, name: &str) -> Option<Said> {
        let mut lines = self.lines.lock().unwrap();
        let lines = lines.get_mut(name)?;
        if lines.len() > 1 { Some(lines.remove(0)) } else { lines.first().cloned() }
    }

    fn release(&self) {
        *self.is_over.lock().unwrap() = true;
        self.over.notify_all();
    }
}

/// Where public addresses lead: the one place in which a test departs from the real thing.
#[derive(Default)]
pub(super) struct Map {
    ways: Mutex<HashMap<IpAddr, SocketAddr>>,
    dialed: Mutex<Vec<SocketAddr>>,
}

impl Map {
    pub(super) fn lead(&self, address: &str, receiver: &Receiver) {
        self.lead_to(address, receiver.address());
    }

    pub(super) fn lead_to(&self, address: &str, socket: SocketAddr) {
        self.ways.lock().unwrap().insert(address.parse().unwrap(), socket);
    }

    /// From now on, nothing listens there.
    pub(super) fn close(&self, address: &str) {
        self.ways.lock().unwrap().remove(&address.parse().unwrap());
    }

    /// What was dialed so far, whether it led somewhere or not.
    pub(super) fn dialed(&self) -> Vec<String> {
        self.dialed.lock().unwrap().iter().map(ToString::to_string).collect()
    }
}

impl Dial for Arc<Map> {
    fn dial(&self, address: CheckedAddress, limit: Duration) -> io::Result<TcpStream> {
        let public = address.socket_addr();
        self.dialed.lock().unwrap().push(public);
        let way = self.ways.lock().unwrap().get(&public.ip()).copied();
        TcpStream::connect_timeout(&way.ok_or(ErrorKind::ConnectionRefused)?, limit)
    }
}
