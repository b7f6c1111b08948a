//! Receiver: a customer's server on loopback, which answers as it is told and keeps what it got.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost::{Genuine, NotGenuine, SigningSecret, Timestamp, Verifier};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What never comes fails its test, instead of letting it wait for good.
const PATIENCE: Duration = Duration::from_secs(60);

/// A customer's server.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    events: mpsc::UnboundedReceiver<Got>,
    challenges: mpsc::UnboundedReceiver<Got>,
    serving: JoinHandle<()>,
}

struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    passes_challenges: AtomicBool,
    /// One for each challenge that may be answered.
    challenge_permits: Semaphore,
    events: mpsc::UnboundedSender<Got>,
    challenges: mpsc::UnboundedSender<Got>,
}

type Answer = (StatusCode, Vec<(&'static str, &'static str)>, &'static str);

/// What it got.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Receiver {
    /// One that passes challenges, and takes events until told otherwise.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ((to_events, events), (to_challenges, challenges)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let shared = Arc::new(Shared {
            answers: Mutex::default(),
            passes_challenges: AtomicBool::new(true),
            challenge_permits: Semaphore::new(Semaphore::MAX_PERMITS),
            events: to_events,
            challenges: to_challenges,
        });
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, events, challenges, serving }
    }

    /// Its URL, with a path and a query that nobody else should see.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks/tenant-4711?token=t0ken-in-url", self.address)
    }

    /// Answers the next event so, and those after it as before.
    pub(crate) fn answer_next(&self, status: u16, headers: &[(&'static str, &'static str)], body: &'static str) {
        let answer = (StatusCode::from_u16(status).unwrap(), headers.to_vec(), body);
        self.shared.answers.lock().unwrap().push_back(answer);
    }

    /// Whether it answers challenges with what they ask for.
    pub(crate) fn pass_challenges(&self, passes: bool) {
        self.shared.passes_challenges.store(passes, Ordering::Relaxed);
    }

    /// Leaves challenges unanswered until it is told to go on.
    pub(crate) fn hold_challenges(&self) {
        self.shared.challenge_permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Answers this many challenges that were held.
    pub(crate) fn let_challenges_go(&self, count: usize) {
        self.shared.challenge_permits.add_permits(count);
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Got {
        timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap()
    }

    /// The next challenge.
    pub(crate) async fn challenge(&mut self) -> Got {
        timeout(PATIENCE, self.challenges.recv()).await.unwrap().unwrap()
    }

    /// Expects that it got nothing more.
    #[track_caller]
    pub(crate) fn got_nothing(&mut self) {
        let more = self.events.try_recv();
        assert!(more.is_err(), "{more:?}");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(shared): State<Arc<Shared>>, uri: axum::http::Uri, headers: HeaderMap, bytes: Bytes) -> Response {
    let got = Got { path: uri.to_string(), headers, bytes };
    if got.header("x-whatsapp-gateway-event") == "endpoint.challenge" {
        let challenge = got.json()["challenge"].as_str().unwrap().to_owned();
        shared.challenges.send(got).unwrap();
        shared.challenge_permits.acquire().await.unwrap().forget();
        let passes = shared.passes_challenges.load(Ordering::Relaxed);
        return if passes { challenge.into_response() } else { "what is this?".into_response() };
    }
    let answer = shared.answers.lock().unwrap().pop_front();
    shared.events.send(got).unwrap();
    let Some((status, headers, body)) = answer else { return StatusCode::OK.into_response() };
    let mut response = (status, body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// Whether a receiver with this secret takes it for genuine, as Standard Webhooks.
    pub(crate) fn verify(&self, secret: &str, now: Timestamp) -> Result<Genuine, NotGenuine> {
        Verifier::new([secret.parse::<SigningSecret>().unwrap()]).verify(self.pairs(), &self.bytes, now)
    }

    /// The same by the contract's header.
    pub(crate) fn verify_contract(&self, secret: &str, now: Timestamp) -> Result<Timestamp, NotGenuine> {
        Verifier::new([secret.parse::<SigningSecret>().unwrap()]).verify_contract(self.pairs(), &self.bytes, now)
    }

    /// The same by a public key.
    pub(crate) fn verify_key(&self, key: &str, now: Timestamp) -> Result<Genuine, NotGenuine> {
        Verifier::new([]).with_keys([key.parse().unwrap()]).verify(self.pairs(), &self.bytes, now)
    }
}

/// A receiver that hangs up on the second request of its first connection; its URL.
pub(crate) fn hangs_up_once() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        answer(&mut first);
        assert_ne!(first.read(&mut [0; 4_096]).unwrap(), 0);
        drop(first);
        let (mut second, _) = listener.accept().unwrap();
        answer(&mut second);
    });
    url
}

/// Reads one request, up to the end of its JSON, and answers it.
fn answer(connection: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut more = [0; 4_096];
        let length = connection.read(&mut more).unwrap();
        assert_ne!(length, 0, "a whole request");
        request.extend(&more[..length]);
    }
    connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
}
