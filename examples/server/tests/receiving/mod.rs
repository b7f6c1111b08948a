//! Receiving: a customer's server in threads, for tests that run the gateway as a process. It passes challenges and takes every event.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A customer's server.
pub(crate) struct Receiver {
    /// Where events go.
    pub(crate) url: String,
    ledger: Arc<Ledger>,
}

/// What arrived, by its `webhook-id`.
#[derive(Default)]
struct Ledger {
    arrived: Mutex<HashMap<String, Vec<Event>>>,
    more: Condvar,
}

/// An event as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its headers, names in lower case.
    pub(crate) headers: HashMap<String, String>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/hooks", listener.local_addr().expect("an address"));
        let ledger = Arc::new(Ledger::default());
        let kept = ledger.clone();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let ledger = kept.clone();
                // A gateway that is killed leaves connections behind in the middle of anything.
                thread::spawn(move || while take_one(&connection, &ledger).is_some() {});
            }
        });
        Self { url, ledger }
    }

    /// Everything that arrived, by its `webhook-id`.
    pub(crate) fn arrived(&self) -> HashMap<String, Vec<Event>> {
        self.ledger.arrived().clone()
    }

    /// Waits until something arrives, or a while has passed.
    pub(crate) fn wait(&self, at_most: Duration) {
        let arrived = self.ledger.arrived();
        drop(self.ledger.more.wait_timeout(arrived, at_most));
    }
}

impl Ledger {
    fn arrived(&self) -> MutexGuard<'_, HashMap<String, Vec<Event>>> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: Event) {
        self.arrived().entry(event.header("webhook-id").to_owned()).or_default().push(event);
        self.more.notify_all();
    }
}

impl Event {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Takes one request of a connection; nothing where that has ended.
fn take_one(connection: &TcpStream, ledger: &Ledger) -> Option<()> {
    let event = read(&mut BufReader::new(connection))?;
    let is_challenge = event.header("x-whatsapp-gateway-event") == "endpoint.challenge";
    let answer = if is_challenge { event.header("webhook-id").to_owned() } else { String::new() };
    if !is_challenge {
        ledger.note(event);
    }
    let mut connection = connection;
    write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).ok()
}

/// Reads one request. The gateway sends none before the answer to the one before, so that nothing is read ahead and lost.
fn read(reader: &mut impl BufRead) -> Option<Event> {
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    lines.next()?;
    let pair = |line: String| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers: HashMap<String, String> = lines.take_while(|line| !line.is_empty()).filter_map(pair).collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Event { headers, body })
}
