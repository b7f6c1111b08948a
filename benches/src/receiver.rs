//! The receiver of a load's events: answers each with 200 and counts.
//!
//! It lives on a thread of its own beside the load. [`Receiver`] is the handle, [`Received`] what was counted: how many events, how
//! many came twice, and how long after they happened. What is posted below `/slow` is answered late.

use std::collections::HashSet;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gatepost::Timestamp;
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const BUFFER_BYTES: usize = 8 * 1024;
const LATENCY_MAX_MICROS: u64 = 600_000_000;

/// A receiver on a free port of this machine.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Received>>,
}

/// What was received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The ids of the events.
    ids: HashSet<Vec<u8>>,
    /// How many came more than once.
    pub repeated: u64,
    /// From when an event happened until it was here, in microseconds, of those that are answered at once.
    pub latency: Histogram<u64>,
    /// When the last one came.
    pub last_at: Option<Instant>,
}

impl Receiver {
    /// Starts to receive; what is slow takes `delay`.
    pub fn start(delay: Duration) -> Result<Self> {
        let latency = Histogram::new_with_bounds(1, LATENCY_MAX_MICROS, 3).map_err(Error::other)?;
        let received = Arc::new(Mutex::new(Received { ids: HashSet::new(), repeated: 0, latency, last_at: None }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let counts = received.clone();
        thread::spawn(move || serve(listener, &counts, delay));
        Ok(Self { address, received })
    }

    /// The URL of a path here.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was received so far.
    pub fn received(&self) -> MutexGuard<'_, Received> {
        locked(&self.received)
    }
}

impl Received {
    /// How many events came, each counted once.
    pub fn events(&self) -> u64 {
        self.ids.len() as u64
    }

    fn note(&mut self, request: &Request<'_>) {
        self.last_at = Some(Instant::now());
        if !self.ids.insert(request.id.to_vec()) {
            self.repeated += 1;
        }
        if !request.is_slow {
            self.latency.saturating_record(micros_since(request.occurred_at));
        }
    }
}

fn micros_since(at: Timestamp) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let happened = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or_default());
    u64::try_from(now.saturating_sub(happened).as_micros()).unwrap_or(u64::MAX)
}

fn serve(listener: std::net::TcpListener, received: &Arc<Mutex<Received>>, delay: Duration) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_all(stream, received.clone(), delay));
        }
    });
}

/// Answers one connection until the gateway closes it.
async fn answer_all(mut stream: TcpStream, received: Arc<Mutex<Received>>, delay: Duration) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        let is_slow = loop {
            if let Some(request) = Request::parse(&buffer)? {
                locked(&received).note(&request);
                break request.is_slow;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        if is_slow {
            tokio::time::sleep(delay).await;
        }
        buffer.clear();
        stream.write_all(ANSWER).await?;
    }
}

/// A whole request, as far as it matters here.
struct Request<'a> {
    is_slow: bool,
    id: &'a [u8],
    occurred_at: Timestamp,
}

impl<'a> Request<'a> {
    /// Reads a request, or `None` while a part of it is missing.
    fn parse(bytes: &'a [u8]) -> Result<Option<Self>> {
        let Some(head_end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
        let (head, body) = (&bytes[..head_end], &bytes[head_end + 4..]);
        let length = header(head, "content-length").and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        if body.len() < length.ok_or_else(|| malformed("no content length"))? {
            return Ok(None);
        }
        let id = header(head, "webhook-id").ok_or_else(|| malformed("no webhook-id"))?;
        let occurred_at = occurred_at(body).ok_or_else(|| malformed("no occurred_at"))?;
        Ok(Some(Self { is_slow: head.starts_with(b"POST /slow"), id, occurred_at }))
    }
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        (found.eq_ignore_ascii_case(name.as_bytes())).then(|| value.strip_prefix(b":")).flatten().map(<[u8]>::trim_ascii)
    })
}

fn occurred_at(body: &[u8]) -> Option<Timestamp> {
    let rest = std::str::from_utf8(body).ok()?.split_once(r#""occurred_at":""#)?.1;
    rest.split_once('"')?.0.parse().ok()
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// What it guards is whole after each statement.
fn locked(received: &Mutex<Received>) -> MutexGuard<'_, Received> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_once_it_is_whole() {
        let body = r#"{"event":"a","x":1,"occurred_at":"2026-11-22T12:00:00Z"}"#;
        let head = format!("POST /slow/1 HTTP/1.1\r\nHost: x\r\nWebhook-Id: evt_1\r\nContent-Length: {}\r\n\r\n", body.len());
        let whole = [head.as_bytes(), body.as_bytes()].concat();
        let request = Request::parse(&whole).unwrap().unwrap();
        assert_eq!((request.is_slow, request.id, request.occurred_at.as_millis()), (true, b"evt_1".as_slice(), 1_795_348_800_000));
        assert!(Request::parse(&whole[..whole.len() - 1]).unwrap().is_none());
        assert!(Request::parse(b"POST / HTTP/1.1\r\n\r\n").is_err());
    }
}
