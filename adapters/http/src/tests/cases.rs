//! Cases: what hostile and clumsy receivers do, row by row, and under the names of the requirements (R30, R32 to R34, R38).

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gatepost::{BODY_BYTES_MAX, HttpAnswer, HttpFailure, HttpFailureClass, HttpRequest};
use rustls::ServerConfig;
use serde::Deserialize;
use serde_json::Value;

use super::authorities::{identity, self_signed, trusted};
use super::receiver::{OK, Receiver, Talk, silence};
use super::stage::{NAME, ONE, PATIENCE, SHORT, Stage, URL};

type Outcome = Result<HttpAnswer, HttpFailure>;

/// Rows that other tests play, as they need more than one receiver or a process of their own: `environment`, `refusing`.
const PLAYED_ELSEWHERE: [&str; 2] = ["proxy-env", "error-text"];

#[test]
fn every_row_of_http_cases_ends_as_stated() {
    let table: Table = serde_json::from_str(include_str!("../../tests/data/http_cases.json")).unwrap();
    assert_eq!(table.cases.len(), table.count);
    let rows = table.cases.into_iter().filter(|case| !PLAYED_ELSEWHERE.contains(&case.family.as_str()));
    let playing: Vec<_> = rows.map(|case| thread::spawn(move || case.play())).collect();
    let wrong: Vec<_> = playing.into_iter().flat_map(|case| case.join().unwrap()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn r30_a_redirect_is_an_answer_over_one_socket() {
    for status in 300..=308 {
        let receiver = Receiver::saying(format!("HTTP/1.1 {status} x\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"));
        let stage = Stage::leading_to(&receiver);
        let answer = stage.post(URL).unwrap();
        assert_eq!((answer.status, answer.header("location")), (status, Some("https://127.0.0.1/")));
        assert_eq!((stage.map.dialed().len(), stage.script.asked().len(), receiver.requests().len()), (1, 1, 1));
    }
}

#[test]
fn r32_no_more_of_a_body_is_kept_or_read_than_the_bound() {
    for framing in ["Transfer-Encoding: chunked", "Content-Length: 10737418240", "Connection: close"] {
        let receiver = Receiver::new(move |talk| {
            talk.answer(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"));
            talk.repeat(format!("4000\r\n{}\r\n", "x".repeat(0x4000)));
        });
        let answer = Stage::leading_to(&receiver).post(URL).unwrap();
        assert_eq!((answer.status, answer.body.len(), answer.body_cut), (200, BODY_BYTES_MAX, true), "{framing}");
        // What the systems of both sides held is not what was read; an endless body would go far beyond it.
        assert!(receiver.bytes_said() < 64 << 20, "{framing}: {}", receiver.bytes_said());
    }
}

#[test]
fn r32_the_bound_is_the_requests_own() {
    let whole = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length));
    for (bytes_max, length, is_cut) in
        [(0, 0, false), (0, 9, true), (9, 9, false), (9, 99, true), (3_000_000, 3_000_000, false), (3_000_000, 3_999_999, true)]
    {
        let receiver = Receiver::saying(whole(length));
        let stage = Stage::leading_to(&receiver);
        let request = || HttpRequest { answer_bytes_max: bytes_max, ..stage.request(URL, PATIENCE) };
        let answer = stage.send(request()).unwrap();
        assert_eq!((answer.body.len(), answer.body_cut), (length.min(bytes_max), is_cut), "{bytes_max} {length}");
        // Whatever is left of a body stands before the next answer.
        assert_eq!(stage.send(request()).unwrap().trace.kept, !is_cut, "{bytes_max} {length}");
    }
}

#[test]
fn r32_a_compressed_body_stays_compressed() {
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0, 0];
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len()).into_bytes();
    answer.extend(bomb);
    let receiver = Receiver::saying(answer);
    assert_eq!(Stage::leading_to(&receiver).post(URL).unwrap().body, bomb);
    assert_eq!(receiver.requests()[0].header("accept-encoding"), ["identity"]);
}

#[test]
fn r33_too_much_of_a_head_is_a_failure_that_reads_no_more_of_it() {
    let receiver = Receiver::new(|talk| {
        talk.answer("HTTP/1.1 200 OK\r\n");
        talk.repeat(format!("X-Endless: {}\r\n", "x".repeat(900)));
    });
    let failure = Stage::leading_to(&receiver).post(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Protocol, true));
    assert!(receiver.bytes_said() < 64 << 20, "{}", receiver.bytes_said());
}

#[test]
fn r34_whatever_a_receiver_delays_the_deadline_ends_it() {
    type Part = fn(&mut Talk<'_>);
    let parts: [(&str, Part); 4] = [
        ("silence", silence),
        ("slow head", |talk| drip(talk, "HTTP/1.1 200 OK\r\nX-Slow: ")),
        ("interim answers without end", |talk| {
            talk.request();
            talk.repeat("HTTP/1.1 102 Processing\r\n\r\n");
        }),
        ("a request that is not read", |talk| {
            talk.byte();
            thread::sleep(2 * SHORT);
        }),
    ];
    for (delay, part) in parts {
        let receiver = Receiver::new(part);
        let stage = Stage::leading_to(&receiver);
        let mut request = stage.request(URL, SHORT);
        request.body = vec![b'x'; 16 << 20].into();
        let failure = stage.send(request).unwrap_err();
        assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Timeout, true), "{delay}");
        assert!(failure.trace.took >= SHORT && failure.trace.took < SHORT + PATIENCE, "{delay}: {:?}", failure.trace.took);
    }
}

#[test]
fn r34_a_slow_body_is_cut_at_the_deadline_and_the_status_stands() {
    let receiver = Receiver::new(|talk| drip(talk, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    let stage = Stage::leading_to(&receiver);
    let answer = stage.send(stage.request(URL, SHORT)).unwrap();
    assert_eq!((answer.status, answer.body_cut), (200, true));
}

#[test]
fn r34_connecting_has_a_limit_of_its_own() {
    let (full, _held) = full_listener();
    let stage = quick_to_give_up();
    stage.script.says(NAME, &[ONE]);
    stage.map.lead_to(ONE, full);
    let failure = stage.post(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Timeout, false));
    assert!(failure.trace.took < PATIENCE / 2, "{:?}", failure.trace.took);
}

#[test]
fn r34_a_handshake_that_stalls_is_within_that_limit() {
    let receiver = Receiver::plain(silence);
    let stage = quick_to_give_up();
    stage.script.says(NAME, &[ONE]);
    stage.map.lead(ONE, &receiver);
    let failure = stage.post(URL).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Timeout, false));
    assert!(failure.trace.took < PATIENCE / 2, "{:?}", failure.trace.took);
}

#[test]
fn r34_nothing_is_begun_after_the_deadline() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    let failure = stage.send(stage.request(URL, Duration::ZERO)).unwrap_err();
    assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Timeout, false));
    assert!(stage.script.asked().is_empty() && stage.map.dialed().is_empty());
}

#[test]
fn r38_what_is_not_http_is_a_failure_and_what_is_odd_is_an_answer() {
    let end = |bytes: &'static str| {
        let receiver = Receiver::new(move |talk| talk.answer(bytes));
        Stage::leading_to(&receiver).post(URL).map(|answer| answer.status).map_err(|failure| failure.class)
    };
    assert_eq!(end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), Ok(101));
    assert_eq!(end("HTTP/1.1 204 No Content\r\n\r\n"), Ok(204));
    assert_eq!(end("HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n"), Ok(999));
    assert_eq!(end("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Ok(200));
    assert_eq!(end("hello"), Err(HttpFailureClass::Protocol));
    assert_eq!(end("HTTP/1.1 abc OK\r\n\r\n"), Err(HttpFailureClass::Protocol));
    assert_eq!(end("SSH-2.0-OpenSSH_9.9\r\n"), Err(HttpFailureClass::Protocol));
    assert_eq!(end(""), Err(HttpFailureClass::Broken));
    assert_eq!(end("HTTP/1.1 200 OK\r\nContent-Le"), Err(HttpFailureClass::Broken));
}

#[test]
fn a_request_goes_to_the_next_judged_address_where_the_first_takes_no_connection() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    stage.script.says(NAME, &["151.101.1.1", "151.101.2.1", ONE]);
    let answer = stage.post(URL).unwrap();
    assert_eq!(answer.trace.peer, Some(format!("{ONE}:443").parse().unwrap()));
    assert_eq!(stage.map.dialed(), ["151.101.1.1:443", "151.101.2.1:443", "93.184.215.14:443"]);
}

/// One byte at a time, until the other side has gone.
fn drip(talk: &mut Talk<'_>, start: &str) {
    talk.request();
    let mut is_heard = talk.say(start).is_ok();
    while is_heard {
        thread::sleep(Duration::from_millis(30));
        is_heard = talk.say("x").is_ok();
    }
}

fn quick_to_give_up() -> Stage {
    Stage::with(gatepost::DestinationPolicy::production(), |builder| builder.connect_timeout(Duration::from_millis(300)))
}

/// A listener whose queue is full, so that nothing answers whoever wants to connect.
fn full_listener() -> (SocketAddr, (TcpListener, Vec<TcpStream>)) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let queued = std::iter::from_fn(|| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok());
    let queued = queued.take(20_000).collect();
    (address, (listener, queued))
}

#[derive(Deserialize)]
struct Table {
    count: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    family: String,
    given: Given,
    expect: Expected,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Given {
    status: Option<u16>,
    headers: Value,
    raw: Option<String>,
    body: Option<String>,
    body_bytes: Option<usize>,
    header_bytes: Option<usize>,
    header_count: Option<usize>,
    connect: Option<String>,
    tls: Option<String>,
    cert: Option<String>,
    url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Expected {
    outcome: Option<String>,
    reason: Option<String>,
    status: Option<u16>,
    sockets: Option<usize>,
    max_ms: Option<u64>,
    stored_bytes: Option<usize>,
    stored_bytes_max: Option<usize>,
    truncated: Option<bool>,
    host_header: Option<String>,
    next_request_has_cookie: Option<bool>,
    absent_headers: Vec<String>,
    #[serde(flatten)]
    others: HashMap<String, Value>,
}

impl Case {
    /// What is not as stated.
    fn play(&self) -> Vec<String> {
        let Given { url, connect, .. } = &self.given;
        let (url, receiver) = (url.as_deref().unwrap_or(URL), self.receiver());
        let stage = quick_to_give_up_where(self.expect.max_ms.is_some());
        stage.script.says(NAME, &[ONE]);
        [ONE, "2606:4700:4700::1111"].iter().for_each(|address| stage.map.lead(address, &receiver));
        let full = connect.as_ref().map(|_| full_listener());
        full.iter().for_each(|(address, _)| stage.map.lead_to(ONE, *address));

        let began = Instant::now();
        // The table's fifteen seconds are a fraction of one here.
        let outcome = stage.send(stage.request(url, if self.expect.max_ms.is_some() { SHORT } else { PATIENCE }));
        let mut wrong = self.compare(&outcome, &receiver);
        if self.expect.max_ms.is_some() && began.elapsed() > SHORT + PATIENCE / 2 {
            wrong.push(format!("it took {:?}", began.elapsed()));
        }
        if self.expect.next_request_has_cookie == Some(false) {
            let cookies = stage.post(url).map(|_| receiver.requests()[1].header("cookie").len());
            wrong.extend((cookies != Ok(0)).then(|| format!("cookies: {cookies:?}")));
        }
        wrong.into_iter().map(|what| format!("{}: {what}", self.id)).collect()
    }

    fn receiver(&self) -> Receiver {
        let Given { status, raw, body, tls, url, .. } = &self.given;
        if tls.is_some() {
            return Receiver::plain(silence);
        }
        let usual = match url.as_deref() {
            Some(url) if !url.contains(NAME) => trusted().vouch(&[ONE, "2606:4700:4700::1111"]),
            _ => identity(),
        };
        let config = self.given.cert.as_deref().map_or(usual, certificate);
        match (raw.as_deref(), body.as_deref(), status) {
            (Some(raw), ..) => said_raw(raw, config),
            (_, Some("endless chunked"), _) => endless(config, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nok\r\n"),
            (.., Some(_)) if self.given.headers == "endless" => endless(config, "HTTP/1.1 200 OK\r\n", "X-Endless: x\r\n"),
            _ => {
                let answer = self.given.answer();
                // One that says less than it announced has gone afterwards.
                let is_short = self.given.body_bytes.is_some() && self.given.headers["Content-Length"].is_string();
                Receiver::as_whom(config, move |talk| if is_short { talk.answer(&answer) } else { talk.answer_all(&answer) })
            }
        }
    }

    fn compare(&self, outcome: &Outcome, receiver: &Receiver) -> Vec<String> {
        let Expected { status, sockets, stored_bytes, stored_bytes_max, truncated, host_header, .. } = &self.expect;
        let answer = outcome.as_ref().ok();
        let is_delivered = answer.is_some_and(|answer| (200..300).contains(&answer.status));
        let heads = receiver.requests();
        let header = |name: &str| heads.first().map(|asked| asked.header(name).join(",")).unwrap_or_default();
        let checks = [
            (
                "outcome",
                self.expect.outcome.as_deref().is_none_or(|stated| stated.contains(if is_delivered { "delivered" } else { "failed" })),
            ),
            ("reason", self.expect.reason.as_deref().is_none_or(|reason| is_reason(reason, outcome))),
            ("status", status.is_none_or(|status| answer.is_some_and(|answer| answer.status == status))),
            ("sockets", sockets.is_none_or(|sockets| receiver.connections() == sockets)),
            ("stored_bytes", stored_bytes.is_none_or(|count| answer.is_some_and(|answer| answer.body.len() == count))),
            ("stored_bytes_max", stored_bytes_max.is_none_or(|most| answer.is_some_and(|answer| answer.body.len() <= most))),
            ("truncated", truncated.is_none_or(|truncated| answer.is_some_and(|answer| answer.body_cut == truncated))),
            (
                "sni",
                self.expect
                    .others
                    .get("sni")
                    .is_none_or(|sni| receiver.names().first().map(|name| Value::from(name.clone())).as_ref() == Some(sni)),
            ),
            ("host_header", host_header.as_deref().is_none_or(|stated| header("host") == stated)),
            ("absent_headers", self.expect.absent_headers.iter().all(|name| header(name).is_empty())),
        ];
        let found = format!("{outcome:?}, {} sockets, {:?}", receiver.connections(), receiver.names());
        checks.iter().filter(|(_, holds)| !holds).map(|(what, _)| format!("{what}: {found}")).collect()
    }
}

impl Given {
    fn answer(&self) -> Vec<u8> {
        let status = self.status.unwrap_or(200);
        let headers: HashMap<String, String> = serde_json::from_value(self.headers.clone()).unwrap_or_default();
        let mut lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        lines.extend((0..self.header_count.unwrap_or(0)).map(|number| format!("X-{number}: x\r\n")));
        if let Some(bytes) = self.header_bytes {
            lines.push_str(&format!("X-Long: {}\r\n", "x".repeat(bytes)));
        }
        let body = match (headers.get("Transfer-Encoding"), &self.body, self.body_bytes) {
            (Some(_), ..) => b"2\r\nok\r\n0\r\n\r\n".to_vec(),
            (_, Some(_), _) => vec![0; 10 << 10],
            (.., bytes) => vec![b'x'; bytes.unwrap_or(if headers.contains_key("Content-Length") { 80 << 10 } else { 0 })],
        };
        if !headers.contains_key("Content-Length") && status != 204 && status != 101 {
            lines.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        [format!("HTTP/1.1 {status} x\r\n{lines}\r\n").into_bytes(), body].concat()
    }
}

fn quick_to_give_up_where(is_timed: bool) -> Stage {
    if is_timed { quick_to_give_up() } else { Stage::new() }
}

fn certificate(whose: &str) -> Arc<ServerConfig> {
    match whose {
        "self-signed" => self_signed(NAME),
        "expired" => trusted().vouched(NAME),
        "valid for other.example.com" => trusted().vouch(&["other.example.com"]),
        "valid for the IP only" => trusted().vouch(&[ONE]),
        _ => panic!("an unknown certificate: {whose}"),
    }
}

/// The rows say in words what the receiver does.
fn said_raw(words: &str, config: Arc<ServerConfig>) -> Receiver {
    match words {
        "103 then 200" => Receiver::as_whom(config, |talk| talk.answer(format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{OK}"))),
        "HTTP/1.1 102 Processing\\r\\n\\r\\n repeated for ever" => endless(config, "", "HTTP/1.1 102 Processing\r\n\r\n"),
        "one header byte per second" => Receiver::as_whom(config, |talk| drip(talk, "HTTP/1.1 200 OK\r\nX-Slow: ")),
        "one body byte per second" => Receiver::as_whom(config, |talk| drip(talk, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")),
        "(accept, never answer)" => Receiver::as_whom(config, silence),
        "receive window 0" => Receiver::as_whom(config, |_| thread::sleep(2 * SHORT)),
        "(close)" => Receiver::as_whom(config, |talk| drop(talk.request())),
        literal => {
            let bytes = literal.replace("\\r\\n", "\r\n");
            Receiver::as_whom(config, move |talk| talk.answer(&bytes))
        }
    }
}

fn endless(config: Arc<ServerConfig>, start: &'static str, again: &'static str) -> Receiver {
    Receiver::as_whom(config, move |talk| {
        talk.answer(start);
        talk.repeat(again.repeat(1_000));
    })
}

fn is_reason(stated: &str, outcome: &Outcome) -> bool {
    let class = match stated {
        "timeout" => HttpFailureClass::Timeout,
        "bad-response" | "header-too-large" => HttpFailureClass::Protocol,
        "closed" => HttpFailureClass::Broken,
        "tls" => HttpFailureClass::Tls,
        _ => return false,
    };
    outcome.as_ref().is_err_and(|failure| failure.class == class)
}
