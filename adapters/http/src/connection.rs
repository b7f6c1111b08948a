//! Connection: bytes to and from one judged address, within a deadline.
//!
//! The players: [`Dial`] (opens a socket to an address that the policy has passed), [`Doors`] (what is needed to open a connection),
//! [`Connection`] (the socket, encrypted or plain, and whom it leads to).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost::{CheckedAddress, CheckedTarget, Destination, DestinationHost, HttpFailureClass};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Opens a socket to an address that the policy has passed. There is no other way to a socket in this crate.
pub(crate) trait Dial: Send + Sync {
    fn dial(&self, address: CheckedAddress, limit: Duration) -> io::Result<TcpStream>;
}

/// Dials the very address.
pub(crate) struct Direct;

impl Dial for Direct {
    fn dial(&self, address: CheckedAddress, limit: Duration) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&address.socket_addr(), limit)
    }
}

/// What is needed to open a connection.
pub(crate) struct Doors {
    pub(crate) dialer: Arc<dyn Dial>,
    pub(crate) tls: Arc<ClientConfig>,
    /// For the socket and the TLS handshake together.
    pub(crate) connect_limit: Duration,
}

/// Why a connection was not opened.
#[derive(Debug)]
pub(crate) struct NotOpened {
    pub(crate) class: HttpFailureClass,
    pub(crate) detail: String,
    pub(crate) peer: Option<SocketAddr>,
}

impl Doors {
    /// Opens a connection to the first of the target's addresses that takes one.
    pub(crate) fn open(&self, target: &CheckedTarget, until: Instant) -> Result<Connection, NotOpened> {
        let until = until.min(Instant::now() + self.connect_limit);
        let (socket, peer) = self.socket(target.addresses(), until)?;
        let failed = |error: io::Error| NotOpened { class: class_of(&error), detail: error.to_string(), peer: Some(peer.socket_addr()) };
        socket.set_nodelay(true).map_err(failed)?;
        let stream = self.secured(TimedSocket::new(socket, until), target.destination()).map_err(failed)?;
        Ok(Connection { stream, peer, bytes_before: 0 })
    }

    fn socket(&self, addresses: &[CheckedAddress], until: Instant) -> Result<(TcpStream, CheckedAddress), NotOpened> {
        let mut last = NotOpened { class: HttpFailureClass::NoAddress, detail: "no address to dial".to_owned(), peer: None };
        for (at, address) in addresses.iter().enumerate() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                last.class = HttpFailureClass::Timeout;
                break;
            }
            match self.dialer.dial(*address, share(left, at + 1 == addresses.len())) {
                Ok(socket) => return Ok((socket, *address)),
                Err(error) => last = not_dialed(*address, &error),
            }
        }
        Err(last)
    }

    /// The certificate is checked against the host that was asked for, whatever address it has.
    fn secured(&self, mut socket: TimedSocket, destination: &Destination) -> io::Result<Stream> {
        if !destination.is_https() {
            return Ok(Stream::Plain(socket));
        }
        let mut session = ClientConnection::new(self.tls.clone(), server_name(destination.host())?).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(Stream::Tls(Box::new(StreamOwned::new(session, socket))))
    }
}

/// The last address may take all the time that is left, any other one half of it.
fn share(left: Duration, is_last: bool) -> Duration {
    let share = if is_last { left } else { left / 2 };
    share.max(SHORTEST_WAIT)
}

fn not_dialed(address: CheckedAddress, error: &io::Error) -> NotOpened {
    let class = if error.kind() == ErrorKind::TimedOut { HttpFailureClass::Timeout } else { HttpFailureClass::Unreachable };
    NotOpened { class, detail: error.to_string(), peer: Some(address.socket_addr()) }
}

fn server_name(host: &DestinationHost) -> io::Result<ServerName<'static>> {
    match host {
        DestinationHost::Name(name) => ServerName::try_from(name.as_str().to_owned()).map_err(io::Error::other),
        DestinationHost::V4(address) => Ok(ServerName::from(core::net::IpAddr::V4(*address))),
        DestinationHost::V6(address) => Ok(ServerName::from(core::net::IpAddr::V6(*address))),
    }
}

/// What kind of failure an I/O error is, once there is a socket.
pub(crate) fn class_of(error: &io::Error) -> HttpFailureClass {
    let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if of_tls.is_some() {
        HttpFailureClass::Tls
    } else if error.kind() == ErrorKind::TimedOut && error.raw_os_error().is_none() {
        HttpFailureClass::Timeout
    } else {
        HttpFailureClass::Broken
    }
}

/// Bytes to and from one judged address.
pub(crate) struct Connection {
    stream: Stream,
    peer: CheckedAddress,
    bytes_before: u64,
}

impl Connection {
    /// Who is at the other end: the address that was judged and dialed.
    pub(crate) const fn peer(&self) -> CheckedAddress {
        self.peer
    }

    pub(crate) const fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Starts an exchange, which nothing outlasts: no byte is written after `until`.
    pub(crate) fn begin(&mut self, until: Instant) {
        let socket = self.stream.socket_mut();
        socket.until = until;
        self.bytes_before = socket.bytes_written;
    }

    /// Whether the system took a byte since the exchange started.
    pub(crate) fn has_sent(&mut self) -> bool {
        self.stream.socket_mut().bytes_written > self.bytes_before
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(session) => session.write_all(bytes).and_then(|()| session.flush()),
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Tls(session) => session.read(buffer),
        }
    }

    /// Whether nothing has come since the last answer: no end, no error, and no byte that would be taken for the next answer.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let decoded = match &mut self.stream {
            Stream::Plain(_) => false,
            Stream::Tls(session) => !would_block(&session.conn.reader().read(&mut [0])),
        };
        !decoded && self.stream.socket_mut().is_quiet().unwrap_or(false)
    }
}

enum Stream {
    Plain(TimedSocket),
    Tls(Box<StreamOwned<ClientConnection, TimedSocket>>),
}

impl Stream {
    fn socket_mut(&mut self) -> &mut TimedSocket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(session) => &mut session.sock,
        }
    }
}

/// A socket whose reads and writes end at a deadline.
struct TimedSocket {
    socket: TcpStream,
    until: Instant,
    read_wait: Duration,
    write_wait: Duration,
    bytes_written: u64,
}

/// The system's clock for sockets is not finer.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

impl TimedSocket {
    const fn new(socket: TcpStream, until: Instant) -> Self {
        Self { socket, until, read_wait: Duration::ZERO, write_wait: Duration::ZERO, bytes_written: 0 }
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    fn is_quiet(&self) -> io::Result<bool> {
        self.socket.set_nonblocking(true)?;
        let seen = self.socket.peek(&mut [0]);
        self.socket.set_nonblocking(false)?;
        Ok(would_block(&seen))
    }
}

impl Read for TimedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(wait) = new_wait(self.read_wait, self.left()?) {
                self.socket.set_read_timeout(Some(wait))?;
                self.read_wait = wait;
            }
            match self.socket.read(buffer) {
                Err(error) if is_only_waiting(&error) => {}
                read => return read,
            }
        }
    }
}

impl Write for TimedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            if let Some(wait) = new_wait(self.write_wait, self.left()?) {
                self.socket.set_write_timeout(Some(wait))?;
                self.write_wait = wait;
            }
            match self.socket.write(bytes) {
                Err(error) if is_only_waiting(&error) => {}
                written => return written.inspect(|count| self.bytes_written += *count as u64),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long the system is to wait from now on, where what it was told last will not do.
///
/// A wait never outlasts the deadline, and may be shorter, as the caller asks again. So most requests on a kept connection cost no
/// call to change it.
fn new_wait(present: Duration, left: Duration) -> Option<Duration> {
    let fits = present <= left && present >= left / 2;
    let three_quarters = left - left / 4;
    (!fits).then(|| if three_quarters < FINEST_SHARE { left.max(SHORTEST_WAIT) } else { three_quarters })
}

/// Below this the whole of the time left is waited for at once.
const FINEST_SHARE: Duration = Duration::from_millis(20);

fn is_only_waiting(error: &io::Error) -> bool {
    would_block::<()>(&Err(error.kind().into())) || error.kind() == ErrorKind::Interrupted
}

fn would_block<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::net::TcpListener;

    use gatepost::DestinationPolicy;

    use super::*;
    use crate::tls::client_config;

    #[test]
    fn small_writes_leave_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let policy = DestinationPolicy::development();
        let destination = policy.parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let target = policy.judge(&destination, &[]).unwrap();
        let doors = Doors { dialer: Arc::new(Direct), tls: client_config(&[]).unwrap(), connect_limit: millis(9_000) };
        let mut connection = doors.open(&target, Instant::now() + millis(9_000)).unwrap();
        assert!(connection.stream.socket_mut().socket.nodelay().unwrap());
    }

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_wait_is_told_anew_only_where_it_outlasts_the_deadline_or_is_far_too_short() {
        assert_eq!(new_wait(Duration::ZERO, millis(15_000)), Some(millis(11_250)));
        assert_eq!(new_wait(millis(11_250), millis(15_000)), None);
        assert_eq!(new_wait(millis(11_250), millis(11_250)), None);
        assert_eq!(new_wait(millis(11_250), millis(11_249)), Some(millis(11_249) - millis(11_249) / 4));
        assert_eq!(new_wait(millis(3_750), millis(15_000)), Some(millis(11_250)));
    }

    #[test]
    fn a_wait_never_outlasts_the_deadline_by_more_than_the_clock_of_sockets_tells() {
        for left in [1, 7, 19, 20, 26, 27, 500, 15_000].map(millis) {
            assert!(new_wait(Duration::ZERO, left).is_some_and(|wait| wait <= left && !wait.is_zero()), "{left:?}");
        }
        assert_eq!(new_wait(Duration::ZERO, Duration::from_micros(3)), Some(SHORTEST_WAIT));
    }

    #[test]
    fn an_address_that_is_not_the_last_leaves_time_for_the_next() {
        assert_eq!(share(millis(5_000), false), millis(2_500));
        assert_eq!(share(millis(5_000), true), millis(5_000));
        assert_eq!(share(Duration::from_micros(1), false), SHORTEST_WAIT);
    }
}
