//! The request that a load is made of, written once.
//!
//! [`SendRequest`] is the bytes of one `POST`. From message to message only digits change, always as many: those of the phone, of the
//! text, and of the idempotency key if there is one. So the length never changes, and the next request is a few bytes overwritten.

use std::ops::Range;

use serde_json::Value;

/// Digits after `+999`, a country code that no country has: nobody can ever own such a number.
const PHONE_DIGITS: usize = 9;
/// Digits of a message's number: enough for three years at 100,000 a second.
const NUMBER_DIGITS: usize = 13;

/// The bytes of a send, ready for the next number.
#[derive(Clone, Debug)]
pub struct SendRequest {
    bytes: Vec<u8>,
    recipients: u64,
    phone: Range<usize>,
    text: Range<usize>,
    key: Option<Range<usize>>,
}

/// What all requests of a load have in common.
#[derive(Clone, Copy, Debug)]
pub struct Common<'a> {
    /// Host and port.
    pub authority: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// The API key.
    pub api_key: &'a str,
    /// The instance that sends.
    pub instance: &'a str,
    /// How many recipients the load cycles over, at most 1,000,000,000.
    pub recipients: u64,
    /// What the idempotency keys start with, if each request is to carry one.
    pub key_prefix: Option<&'a str>,
}

impl SendRequest {
    /// Writes the request, with zeros for the digits that change.
    pub fn new(common: &Common<'_>) -> Self {
        let mut body = format!("{{\"instance_id\":{},\"phone\":\"+999", Value::from(common.instance)).into_bytes();
        let phone = zeros(&mut body, PHONE_DIGITS);
        body.extend(b"\",\"message\":\"Your order ");
        let text = zeros(&mut body, NUMBER_DIGITS);
        body.extend(b" has left our warehouse and arrives tomorrow.\",\"message_purpose\":\"transactional\"}");

        let mut bytes = head("POST", common.path, common.authority, common.api_key, body.len());
        let key = common.key_prefix.map(|prefix| {
            bytes.extend(format!("Idempotency-Key: {prefix}").bytes());
            let key = bytes.len() - prefix.len();
            let digits = zeros(&mut bytes, NUMBER_DIGITS);
            bytes.extend(b"\r\n");
            key..digits.end
        });
        bytes.extend(b"\r\n");
        let start = bytes.len();
        bytes.extend(body);
        Self { bytes, recipients: common.recipients, phone: shift(phone, start), text: shift(text, start), key }
    }

    /// The bytes of message `number`.
    pub fn numbered(&mut self, number: u64) -> &[u8] {
        write_digits(&mut self.bytes[self.phone.clone()], number % self.recipients);
        write_digits(&mut self.bytes[self.text.clone()], number);
        if let Some(key) = self.key.clone() {
            write_digits(&mut self.bytes[key.end - NUMBER_DIGITS..key.end], number);
        }
        &self.bytes
    }

    /// The idempotency key of the bytes last made.
    pub fn idempotency_key(&self) -> Option<&str> {
        str::from_utf8(&self.bytes[self.key.clone()?]).ok()
    }
}

/// A `POST` of `body` as JSON, for the few requests that are made once.
pub fn post(authority: &str, path: &str, api_key: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let mut bytes = head("POST", path, authority, api_key, body.len());
    bytes.extend(b"\r\n");
    bytes.extend(body.bytes());
    bytes
}

/// A head without the empty line that ends it.
fn head(method: &str, path: &str, authority: &str, api_key: &str, length: usize) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {api_key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n"
    )
    .into_bytes()
}

fn zeros(bytes: &mut Vec<u8>, count: usize) -> Range<usize> {
    let start = bytes.len();
    bytes.resize(start + count, b'0');
    start..bytes.len()
}

fn shift(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Writes `number` in decimal, filled with zeros from the left.
fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const COMMON: Common<'_> = Common {
        authority: "127.0.0.1:8080",
        path: "/api/send-message?wait=0",
        api_key: "wg_live_x",
        instance: "inst_\"1\"",
        recipients: 100,
        key_prefix: Some("load-7-"),
    };

    fn parts(bytes: &[u8]) -> (String, Value) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().any(|line| line == format!("Content-Length: {}", body.len())));
        (head.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn only_the_digits_change() {
        let mut request = SendRequest::new(&COMMON);
        let (head, body) = parts(request.numbered(1234));
        assert!(head.starts_with("POST /api/send-message?wait=0 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
        assert!(head.ends_with("\r\nIdempotency-Key: load-7-0000000001234"));
        assert_eq!(body["instance_id"], "inst_\"1\"");
        assert_eq!(body["phone"], "+999000000034");
        assert_eq!(body["message_purpose"], "transactional");
        assert_eq!(request.idempotency_key(), Some("load-7-0000000001234"));

        let (_, body) = parts(request.numbered(5));
        assert_eq!(body["phone"], "+999000000005");
        assert_eq!(body["message"], "Your order 0000000000005 has left our warehouse and arrives tomorrow.");
    }

    #[test]
    fn a_load_without_keys_sends_none() {
        let mut request = SendRequest::new(&Common { key_prefix: None, ..COMMON });
        assert!(!parts(request.numbered(1)).0.contains("Idempotency-Key"));
        assert_eq!(request.idempotency_key(), None);
    }
}
