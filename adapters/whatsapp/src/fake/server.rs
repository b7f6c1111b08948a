//! Server: HTTP/1.1 in as few lines as a fake needs, on 127.0.0.1, with a thread for each connection and one request on each.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use serde_json::Value;

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The longest head, in bytes.
const HEAD_BYTES_MAX: u64 = 64 * 1024;

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Received {
    /// What was asked: `POST`, for example.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, null where it is not JSON.
    pub body: Value,
}

impl Received {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query that needs no decoding.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.path.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The parts of the path, without the query.
    pub(super) fn segments(&self) -> Vec<&str> {
        let path = self.path.split_once('?').map_or(self.path.as_str(), |(path, _)| path);
        path.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

/// What is done with a request.
pub(super) enum Reply {
    /// It is answered.
    Answer { status: u16, content_type: String, body: Vec<u8> },
    /// The connection is closed without an answer.
    Break,
    /// The connection stays open without an answer, until the other side closes it.
    Hang,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json; charset=UTF-8", body.to_string().into_bytes())
    }

    pub(super) fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self::Answer { status, content_type: content_type.to_owned(), body }
    }
}

/// A listening server. It stops listening when it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port and has `reply` answer.
    pub(super) fn start(reply: impl Fn(Received) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, is_over, reply) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)), Arc::new(reply));
        let over = is_over.clone();
        let listening = thread::Builder::new().name(String::from("fake")).spawn(move || {
            for stream in listener.incoming().flatten().take_while(|_| !over.load(Ordering::Acquire)) {
                let reply = reply.clone();
                // A thread that cannot be started leaves a connection that breaks: the other side must bear that.
                drop(thread::Builder::new().name(String::from("fake-request")).spawn(move || serve(stream, &*reply)));
            }
        })?;
        Ok(Self { address, is_over, listening: Some(listening) })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // The listener wakes up to see that it is over.
        drop(TcpStream::connect(self.address));
        if let Some(listening) = self.listening.take() {
            drop(listening.join());
        }
    }
}

fn serve(mut stream: TcpStream, reply: &(impl Fn(Received) -> Reply + ?Sized)) {
    let Ok(received) = read(&stream) else { return };
    match reply(received) {
        Reply::Answer { status, content_type, body } => {
            let head = format!(
                "HTTP/1.1 {status} \r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            // Whoever asked may be gone.
            drop(stream.write_all(&[head.into_bytes(), body].concat()));
        }
        Reply::Break => {}
        Reply::Hang => drop(stream.read(&mut [0])),
    }
}

fn read(stream: &TcpStream) -> io::Result<Received> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    let mut head = (&mut reader).take(HEAD_BYTES_MAX);
    loop {
        let mut line = String::new();
        head.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines.first().map_or("", String::as_str).split(' ');
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let header = |line: &String| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let headers: Vec<_> = lines.iter().skip(1).filter_map(header).collect();
    let mut received = Received { method, path, headers, body: Value::Null };
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
    let mut body = Vec::new();
    reader.take(length.min(BODY_BYTES_MAX)).read_to_end(&mut body)?;
    received.body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(received)
}
