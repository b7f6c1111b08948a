//! Receiver: a server of a few lines that says exactly what a test wants, however hostile.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::authorities::identity;
use super::stage::PATIENCE;

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server on 127.0.0.1, with a thread for each connection. What it does there is its part.
pub(super) struct Receiver {
    address: SocketAddr,
    seen: Arc<Seen>,
}

/// What a receiver has seen.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<Asked>>,
    names: Mutex<Vec<Option<String>>>,
    bytes_said: AtomicUsize,
    is_over: AtomicBool,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Asked {
    /// The values of a header.
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

impl Receiver {
    /// Goes by the usual name, encrypted.
    pub(super) fn new(part: impl Fn(&mut Talk<'_>) + Send + Sync + 'static) -> Self {
        Self::as_whom(identity(), part)
    }

    /// Answers every request with the same bytes.
    pub(super) fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |talk| talk.answer_all(&answer))
    }

    pub(super) fn as_whom(config: Arc<ServerConfig>, part: impl Fn(&mut Talk<'_>) + Send + Sync + 'static) -> Self {
        Self::start(move |socket, number, seen| {
            let under = socket.try_clone().unwrap();
            let mut session = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket);
            let shaken = session.conn.complete_io(&mut session.sock);
            seen.names.lock().unwrap().push(session.conn.server_name().map(ToOwned::to_owned));
            if shaken.is_ok() {
                part(&mut Talk { stream: &mut session, under, number, seen });
            }
        })
    }

    /// Not encrypted.
    pub(super) fn plain(part: impl Fn(&mut Talk<'_>) + Send + Sync + 'static) -> Self {
        Self::start(move |mut socket, number, seen| {
            let under = socket.try_clone().unwrap();
            part(&mut Talk { stream: &mut socket, under, number, seen });
        })
    }

    fn start(serve: impl Fn(TcpStream, usize, &Seen) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, seen, serve) = (listener.local_addr().unwrap(), Arc::new(Seen::default()), Arc::new(serve));
        let watched = seen.clone();
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if watched.is_over.load(Ordering::Acquire) {
                    return;
                }
                let number = watched.connections.fetch_add(1, Ordering::AcqRel);
                let (serve, seen) = (serve.clone(), watched.clone());
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                thread::spawn(move || serve(socket, number, &seen));
            }
        });
        Self { address, seen }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections came.
    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Acquire)
    }

    pub(super) fn requests(&self) -> Vec<Asked> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The names that connections asked for, in TLS.
    pub(super) fn names(&self) -> Vec<Option<String>> {
        self.seen.names.lock().unwrap().clone()
    }

    /// How much the other side's system took of what was said.
    pub(super) fn bytes_said(&self) -> usize {
        self.seen.bytes_said.load(Ordering::Acquire)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.seen.is_over.store(true, Ordering::Release);
        // Wakes the listener, so that it sees that it is over.
        let _ = TcpStream::connect(self.address).map(|socket| socket.shutdown(Shutdown::Both));
    }
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// One connection, from the receiver's side.
pub(super) struct Talk<'a> {
    stream: &'a mut dyn Stream,
    under: TcpStream,
    /// How many connections came before it.
    pub(super) number: usize,
    seen: &'a Seen,
}

impl Talk<'_> {
    /// The next request, whole; none once the other side has gone.
    pub(super) fn request(&mut self) -> Option<Asked> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte()?);
        }
        let mut asked = Asked { head: String::from_utf8(head).unwrap(), body: Vec::new() };
        let length = asked.header("content-length").first().map_or(0, |text| text.parse().unwrap());
        asked.body = vec![0; length];
        self.stream.read_exact(&mut asked.body).ok()?;
        self.seen.requests.lock().unwrap().push(asked.clone());
        Some(asked)
    }

    /// The next byte; none once the other side has gone.
    pub(super) fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        (self.stream.read(&mut byte).ok()? == 1).then_some(byte[0])
    }

    pub(super) fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()?;
        self.seen.bytes_said.fetch_add(bytes.as_ref().len(), Ordering::AcqRel);
        Ok(())
    }

    /// Takes a request and says something once.
    pub(super) fn answer(&mut self, bytes: impl AsRef<[u8]>) {
        if self.request().is_some() {
            let _ = self.say(bytes);
        }
    }

    pub(super) fn answer_all(&mut self, bytes: &[u8]) {
        while self.request().is_some() && self.say(bytes).is_ok() {}
    }

    /// Says the same again and again, until the other side has gone.
    pub(super) fn repeat(&mut self, bytes: impl AsRef<[u8]>) {
        while self.say(&bytes).is_ok() {}
    }

    /// Ends the connection at once.
    pub(super) fn close(&self) {
        self.under.shutdown(Shutdown::Both).unwrap();
    }

    /// Says nothing, until the other side has gone.
    pub(super) fn fall_silent(&mut self) {
        while self.byte().is_some() {}
    }
}

/// The part of one who says nothing.
pub(super) fn silence(talk: &mut Talk<'_>) {
    talk.fall_silent();
}
