//! Requests: what a receiver gets to see, and nothing else (R36).

use std::sync::Arc;

use gatepost::{HttpFailureClass, HttpMethod};

use super::authorities::trusted;
use super::receiver::{Asked, OK, Receiver};
use super::stage::{NAME, ONE, PATIENCE, Stage, URL};

fn asked(url: &str) -> Asked {
    let receiver = Receiver::as_whom(trusted().vouch(&[NAME, ONE]), |talk| talk.answer_all(OK.as_bytes()));
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.post(url).unwrap().status, 200);
    receiver.requests().remove(0)
}

#[test]
fn r36_a_request_has_these_headers_and_no_other() {
    let version = env!("CARGO_PKG_VERSION");
    let mut lines: Vec<String> = asked(URL).head.lines().map(ToOwned::to_owned).collect();
    lines.sort_unstable();
    let expected = [
        "".to_owned(),
        "POST /hook HTTP/1.1".to_owned(),
        "accept-encoding: identity".to_owned(),
        "accept: */*".to_owned(),
        "content-length: 2".to_owned(),
        "host: hooks.example.com".to_owned(),
        format!("user-agent: gatepost/{version}"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn r36_host_is_the_name_with_a_port_that_is_not_the_usual_one() {
    assert_eq!(asked("https://hooks.example.com:8443/").header("host"), ["hooks.example.com:8443"]);
    assert_eq!(asked("https://hooks.example.com:443/").header("host"), ["hooks.example.com"]);
    assert_eq!(asked("https://93.184.215.14/").header("host"), ["93.184.215.14"]);
}

#[test]
fn path_and_query_arrive_as_they_were_typed() {
    assert!(
        asked("https://hooks.example.com/a/%2F?u=http://10.0.0.1/&x=%20")
            .head
            .starts_with("POST /a/%2F?u=http://10.0.0.1/&x=%20 HTTP/1.1\r\n")
    );
}

#[test]
fn these_very_bytes_are_sent_whatever_their_number() {
    for length in [0, 1, 1_000, 16_000, 32_768, 100_000, 3_000_000] {
        let receiver = Receiver::saying(OK);
        let stage = Stage::leading_to(&receiver);
        let mut request = stage.request(URL, PATIENCE);
        request.body = (0..length).map(|number| (number % 251) as u8).collect();
        assert_eq!(stage.send(request.clone()).unwrap().status, 200, "{length}");
        let asked = receiver.requests().remove(0);
        assert_eq!(asked.header("content-length"), [length.to_string()]);
        assert!(asked.body == *request.body, "{length}");
    }
}

#[test]
fn a_request_without_a_body_says_so_in_the_way_of_its_method() {
    let length = |method| {
        let receiver = Receiver::saying(OK);
        let stage = Stage::leading_to(&receiver);
        let mut request = stage.request(URL, PATIENCE);
        (request.method, request.body) = (method, Arc::from([]));
        assert_eq!(stage.send(request).unwrap().status, 200);
        let asked = receiver.requests().remove(0);
        (asked.head.split(' ').next().unwrap().to_owned(), asked.header("content-length").join(","))
    };
    let text = |method: &str, length: &str| (method.to_owned(), length.to_owned());
    assert_eq!(length(HttpMethod::Get), text("GET", ""));
    assert_eq!(length(HttpMethod::Delete), text("DELETE", ""));
    assert_eq!(length(HttpMethod::Post), text("POST", "0"));
    assert_eq!(length(HttpMethod::Put), text("PUT", "0"));
}

#[test]
fn the_callers_headers_are_sent_and_may_replace_the_user_agent() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    let mut request = stage.request(URL, PATIENCE);
    request.headers =
        vec![("X-Tag".into(), "blue, größer".to_owned()), ("User-Agent".into(), "a".to_owned()), ("x-tag".into(), "2".to_owned())];
    assert_eq!(stage.send(request).unwrap().status, 200);
    let asked = receiver.requests().remove(0);
    assert_eq!((asked.header("x-tag"), asked.header("user-agent")), (vec!["blue, größer", "2"], vec!["a"]));
}

#[test]
fn a_header_that_would_change_the_request_is_refused_and_its_value_is_not_told() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    for name in ["Host", "content-length", "Transfer-Encoding", "Connection", "Expect", "Accept-Encoding", "a b", "X-Line"] {
        let mut request = stage.request(URL, PATIENCE);
        request.headers = vec![(name.into(), "secret\r\nHost: evil".to_owned())];
        let failure = stage.send(request).unwrap_err();
        assert_eq!((failure.class, failure.may_have_arrived), (HttpFailureClass::Protocol, false), "{name}");
        assert!(failure.detail.contains(name) && !failure.detail.contains("secret"), "{}", failure.detail);
    }
    assert!(receiver.requests().is_empty());
}

#[test]
fn an_answer_comes_with_its_headers_in_lower_case() {
    let receiver = Receiver::saying("HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nX-Tag: \u{fc}\r\nContent-Length: 3\r\n\r\nno!");
    let answer = Stage::leading_to(&receiver).post(URL).unwrap();
    assert_eq!((answer.status, answer.header("retry-after"), answer.header("x-tag")), (429, Some("7"), Some("\u{fc}")));
    assert_eq!((answer.body.as_slice(), answer.body_cut), (b"no!".as_slice(), false));
    assert!(answer.trace.took > std::time::Duration::ZERO);
}
