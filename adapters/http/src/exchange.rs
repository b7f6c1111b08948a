//! Exchange: one request and its answer over a connection that is open already.
//!
//! This is the only file that knows ureq, whose parts under `unversioned` may change with any version: hence the exact version in
//! the manifest. ureq is given an open connection and speaks HTTP/1.1 over it. It cannot open another one: its connector hands out
//! that one connection, once, and its resolver knows that one destination.
//!
//! The players: [`Exchanger`] (two ureq agents and their buffers, for one thread), [`Exchanged`] (what became of a request), and
//! between them and ureq a [`Call`] (the exchange that runs) and a [`Wire`] (the connection in ureq's hands).

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use gatepost::{Destination, HttpFailureClass, HttpMethod, HttpRequest};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers as UreqBuffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Agent, Error, config::Config};

use crate::buffers::Buffers;
use crate::connection::{Connection, class_of};

const USER_AGENT: &str = concat!("gatepost/", env!("CARGO_PKG_VERSION"));
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Headers that follow from the request or belong to the connection: nobody may set them.
const NOT_FOR_CALLERS: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::ACCEPT_ENCODING,
];

/// What a thread needs to exchange requests for answers.
pub(crate) struct Exchanger {
    https: Agent,
    http: Agent,
    call: SharedCall,
}

/// What became of a request.
pub(crate) struct Exchanged {
    pub(crate) result: Result<Answered, Unanswered>,
    /// Whether a byte of the request may have reached the other side.
    pub(crate) sent: bool,
    /// Whether a byte of an answer came.
    pub(crate) heard: bool,
    /// The connection, where it may be used again.
    pub(crate) connection: Option<Connection>,
}

/// What came back.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) body_cut: bool,
}

/// Why nothing came back.
pub(crate) struct Unanswered {
    pub(crate) class: HttpFailureClass,
    pub(crate) detail: String,
}

impl Exchanger {
    pub(crate) fn new() -> Self {
        let call = SharedCall::default();
        Self { https: agent(&call, true), http: agent(&call, false), call }
    }

    /// Sends the request over the connection, and takes the answer.
    pub(crate) fn exchange(&self, request: &HttpRequest, mut connection: Connection, until: Instant) -> Exchanged {
        connection.begin(until);
        self.call.load(&request.destination, connection);
        let result = self.run(request);
        let call = self.call.unload();
        let may_be_kept = result.as_ref().is_ok_and(Answered::was_framed_once);
        let connection = call.connection.filter(|_| call.is_reusable && may_be_kept);
        Exchanged { result, sent: call.sent, heard: call.heard, connection }
    }

    fn run(&self, request: &HttpRequest) -> Result<Answered, Unanswered> {
        let agent = if request.destination.is_https() { &self.https } else { &self.http };
        let prepared = prepare(request)?;
        // A request without a body says so by having none, but where its method wants one.
        let wants_body = matches!(request.method, HttpMethod::Post | HttpMethod::Put);
        let response = match &*request.body {
            [] if !wants_body => agent.run(prepared),
            body => agent.run(prepared.map(|()| body)),
        };
        let (parts, mut body) = response.map_err(|error| unanswered(&error))?.into_parts();
        let (body, body_cut) = read_body(body.as_reader(), request.answer_bytes_max);
        Ok(Answered { status: parts.status.as_u16(), headers: texts(&parts.headers), body, body_cut })
    }
}

impl Answered {
    /// Whether the answer said in one way only where it ends. Two ways may be a trap for whoever reads the next answer.
    fn was_framed_once(&self) -> bool {
        let has = |name: &str| self.headers.iter().any(|(known, _)| known == name);
        !(has("transfer-encoding") && has("content-length"))
    }
}

fn agent(call: &SharedCall, https_only: bool) -> Agent {
    let config = Agent::config_builder()
        .https_only(https_only)
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(USER_AGENT)
        .accept_encoding("identity")
        .max_response_header_size(HEAD_BYTES_MAX)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .build();
    Agent::with_parts(config, HandOut(call.clone()), Pinned(call.clone()))
}

fn prepare(request: &HttpRequest) -> Result<Request<()>, Unanswered> {
    let refused = |detail: String| Unanswered { class: HttpFailureClass::Protocol, detail };
    let uri = Uri::try_from(request.destination.as_str()).map_err(|error| refused(format!("destination: {error}")))?;
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 5);
    for (name, value) in &request.headers {
        let typed = HeaderName::try_from(name.as_ref()).map_err(|_| refused(format!("header `{name}`: not a name")))?;
        if NOT_FOR_CALLERS.contains(&typed) {
            return Err(refused(format!("header `{name}`: set by the connection")));
        }
        let value = HeaderValue::try_from(value.as_bytes()).map_err(|_| refused(format!("header `{name}`: not a value")))?;
        headers.append(typed, value);
    }
    let mut prepared = Request::new(());
    (*prepared.method_mut(), *prepared.uri_mut(), *prepared.headers_mut()) = (method(request.method), uri, headers);
    Ok(prepared)
}

const fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
    }
}

/// At most the bound, and whether there was more of it, or would have been. The status has come, and stands whatever the body does.
fn read_body(reader: impl Read, bytes_max: usize) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    let read = reader.take((bytes_max as u64).saturating_add(1)).read_to_end(&mut body);
    let body_cut = read.is_err() || body.len() > bytes_max;
    body.truncate(bytes_max);
    (body, body_cut)
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn unanswered(error: &Error) -> Unanswered {
    let class = match error {
        Error::Io(error) => class_of(error),
        Error::Timeout(_) => HttpFailureClass::Timeout,
        _ => HttpFailureClass::Protocol,
    };
    Unanswered { class, detail: error.to_string() }
}

/// The exchange that runs: how it is handed to ureq, and what is known of it afterwards.
#[derive(Default)]
struct Call {
    destination: Option<Destination>,
    connection: Option<Connection>,
    buffers: Option<Buffers>,
    sent: bool,
    heard: bool,
    is_reusable: bool,
}

#[derive(Clone, Default)]
struct SharedCall(Arc<Mutex<Call>>);

impl SharedCall {
    fn lock(&self) -> MutexGuard<'_, Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, destination: &Destination, connection: Connection) {
        let mut call = self.lock();
        let buffers = call.buffers.take();
        *call = Call { destination: Some(destination.clone()), connection: Some(connection), buffers, ..Call::default() };
    }

    /// The call as it ended. Its buffers stay for the next one.
    fn unload(&self) -> Call {
        let mut call = self.lock();
        let buffers = call.buffers.take();
        std::mem::replace(&mut *call, Call { buffers, ..Call::default() })
    }
}

/// Resolves the destination of the call, and nothing else.
struct Pinned(SharedCall);

impl Resolver for Pinned {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let call = self.0.lock();
        let is_meant = call.destination.as_ref().is_some_and(|destination| is_at(uri, destination));
        let connection = call.connection.as_ref().filter(|_| is_meant).ok_or(Error::HostNotFound)?;
        let mut addresses = self.empty();
        addresses.try_push(connection.peer().socket_addr()).map_err(|_| Error::HostNotFound)?;
        Ok(addresses)
    }
}

fn is_at(uri: &Uri, destination: &Destination) -> bool {
    let scheme = if destination.is_https() { "https" } else { "http" };
    uri.scheme_str() == Some(scheme) && uri.authority().is_some_and(|authority| authority.as_str() == destination.authority())
}

/// Hands out the connection of the call, once.
struct HandOut(SharedCall);

impl Connector for HandOut {
    type Out = Wire;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, Error> {
        let mut call = self.0.lock();
        let connection = call.connection.take().ok_or(Error::ConnectionFailed)?;
        let buffers = call.buffers.take().unwrap_or_default();
        let connection = Some(connection);
        Ok(Some(Wire { connection, buffers, call: self.0.clone(), heard: false, is_reusable: false }))
    }
}

/// The connection in ureq's hands. When ureq drops it, it goes back to the call.
struct Wire {
    connection: Option<Connection>,
    buffers: Buffers,
    call: SharedCall,
    heard: bool,
    is_reusable: bool,
}

impl Wire {
    fn send_held(&mut self) -> Result<(), Error> {
        let connection = self.connection.as_mut().ok_or(Error::ConnectionFailed)?;
        let held = self.buffers.held();
        if !held.is_empty() {
            connection.write_all(held)?;
            self.buffers.let_go();
        }
        Ok(())
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn UreqBuffers {
        &mut self.buffers
    }

    /// Holds the bytes back while there is room, so that head and body leave together.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        if self.buffers.hold(amount) { self.send_held() } else { Ok(()) }
    }

    /// The connection has the deadline of the whole exchange, so ureq's own is not looked at.
    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.send_held()?;
        let connection = self.connection.as_mut().ok_or(Error::ConnectionFailed)?;
        let count = connection.read(self.buffers.space())?;
        self.buffers.came(count);
        self.heard |= count > 0;
        Ok(count > 0)
    }

    /// ureq asks this only of a connection over which an answer came whole, and which neither side wants closed.
    fn is_open(&mut self) -> bool {
        self.is_reusable = true;
        true
    }

    fn is_tls(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_tls)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut call = self.call.lock();
        call.sent = self.connection.as_mut().is_some_and(Connection::has_sent);
        (call.heard, call.is_reusable) = (self.heard, self.is_reusable);
        call.connection = self.connection.take();
        self.buffers.clear();
        call.buffers = Some(std::mem::take(&mut self.buffers));
    }
}

impl UreqBuffers for Buffers {
    fn output(&mut self) -> &mut [u8] {
        self.room()
    }

    fn input(&self) -> &[u8] {
        self.unread()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.space()
    }

    fn input_appended(&mut self, amount: usize) {
        self.came(amount);
    }

    fn input_consume(&mut self, amount: usize) {
        self.used(amount);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.space_and_room()
    }

    fn can_use_input(&self) -> bool {
        self.is_usable()
    }
}

impl std::fmt::Debug for Pinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pinned")
    }
}

impl std::fmt::Debug for HandOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandOut")
    }
}

impl std::fmt::Debug for Wire {
    /// Without what is in the buffers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use gatepost::DestinationPolicy;

    use super::*;
    use crate::connection::{Direct, Doors};
    use crate::tls::client_config;

    /// An exchanger whose call has a connection to `listener`, and the URL that the connection is for.
    fn loaded(listener: &TcpListener) -> (Exchanger, String) {
        let (policy, url) = (DestinationPolicy::development(), format!("http://{}/", listener.local_addr().unwrap()));
        let destination = policy.parse(&url).unwrap();
        let doors = Doors { dialer: Arc::new(Direct), tls: client_config(&[]).unwrap(), connect_limit: Duration::from_secs(9) };
        let target = policy.judge(&destination, &["127.0.0.1".parse().unwrap()]).unwrap();
        let until = Instant::now() + Duration::from_secs(9);
        let exchanger = Exchanger::new();
        exchanger.call.load(&destination, doors.open(&target, until).unwrap());
        (exchanger, url)
    }

    #[test]
    fn r29_ureq_gets_no_connection_to_another_host() {
        let (listener, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        other.set_nonblocking(true).unwrap();
        let (exchanger, url) = loaded(&listener);
        let elsewhere =
            [format!("http://{}/", other.local_addr().unwrap()), url.replace("http:", "https:"), url.replace("127.0.0.1", "localhost")];
        for url in elsewhere {
            let agent = if url.starts_with("https") { &exchanger.https } else { &exchanger.http };
            assert!(matches!(agent.get(&url).call(), Err(Error::HostNotFound)), "{url}");
        }
        assert!(other.accept().is_err());
        assert!(exchanger.call.lock().connection.is_some());
    }

    #[test]
    fn r29_ureq_gets_the_connection_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (exchanger, url) = loaded(&listener);
        let taken = HandOut(exchanger.call.clone()).0.lock().connection.take();
        assert!(taken.is_some());
        assert!(matches!(exchanger.http.get(&url).call(), Err(Error::HostNotFound)));
    }

    #[test]
    fn what_ureq_writes_is_held_until_the_answer_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (exchanger, _) = loaded(&listener);
        let (mut peer, _) = listener.accept().unwrap();
        peer.set_nonblocking(true).unwrap();
        let mut connection = exchanger.call.lock().connection.take();
        connection.as_mut().unwrap().begin(Instant::now());
        let mut wire = Wire { connection, buffers: Buffers::default(), call: exchanger.call.clone(), heard: false, is_reusable: false };
        for part in [b"head", b"body"] {
            wire.buffers().output()[..4].copy_from_slice(part);
            wire.transmit_output(4, NextTimeout::default()).unwrap();
        }
        assert!(peer.read(&mut [0]).is_err());

        // No time is left, and then there is some.
        assert!(wire.await_input(NextTimeout::default()).is_err_and(|error| unanswered(&error).class == HttpFailureClass::Timeout));
        assert!(peer.read(&mut [0]).is_err());
        wire.connection.as_mut().unwrap().begin(Instant::now() + Duration::from_millis(50));
        assert!(wire.await_input(NextTimeout::default()).is_err());
        let mut seen = [0; 9];
        assert_eq!((peer.read(&mut seen).unwrap(), &seen), (8, b"headbody\0"));
        drop(wire);
        assert!(exchanger.call.unload().sent);
    }

    #[test]
    fn the_agent_for_https_takes_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (exchanger, url) = loaded(&listener);
        assert!(matches!(exchanger.https.get(&url).call(), Err(Error::RequireHttpsOnly(_))));
    }
}
