//! Headers: what a customer wants sent along to an endpoint, for example an `Authorization` of their own.
//!
//! The names that carry the request itself, its signature or its way through proxies are reserved, and the gateway's own headers are
//! set last. Values may be secrets: they are sealed at rest and never shown again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

const HEADERS_MAX: usize = 20;
const NAME_BYTES_MAX: usize = 128;
const VALUE_BYTES_MAX: usize = 4 * 1024;

/// Names that a customer cannot set (RFC 9110 and RFC 9112 for the hop-by-hop ones).
const RESERVED: [&str; 26] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-real-ip",
];
const RESERVED_PREFIXES: [&str; 6] = ["access-control-", "proxy-", "sec-", "webhook-", "x-forwarded-", "x-whatsapp-gateway-"];

/// Headers of a customer's own, names in lower case.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub struct CustomHeaders(Vec<(String, String)>);

impl CustomHeaders {
    /// Takes these headers, unless one of them is reserved or none.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>) -> Result<Self, InvalidHeader> {
        let mut taken: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            check(&name, &value)?;
            if taken.iter().any(|(known, _)| *known == name) {
                return Err(InvalidHeader::Twice(name));
            }
            taken.push((name, value));
        }
        if taken.len() > HEADERS_MAX {
            return Err(InvalidHeader::Count);
        }
        Ok(Self(taken))
    }

    /// None at all.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Names and values, to be sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn check(name: &str, value: &str) -> Result<(), InvalidHeader> {
    // RFC 9110, section 5.6.2: token.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_token) {
        return Err(InvalidHeader::Name(name.chars().take(NAME_BYTES_MAX).collect()));
    }
    if RESERVED.contains(&name) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(InvalidHeader::Reserved(name.to_string()));
    }
    let is_visible = |byte: u8| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic();
    if value.len() > VALUE_BYTES_MAX || !value.bytes().all(is_visible) || value.trim() != value {
        return Err(InvalidHeader::Value(name.to_string()));
    }
    Ok(())
}

impl TryFrom<Vec<(String, String)>> for CustomHeaders {
    type Error = InvalidHeader;

    fn try_from(headers: Vec<(String, String)>) -> Result<Self, InvalidHeader> {
        Self::new(headers)
    }
}

impl From<CustomHeaders> for Vec<(String, String)> {
    fn from(headers: CustomHeaders) -> Self {
        headers.0
    }
}

impl fmt::Debug for CustomHeaders {
    /// The names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The headers cannot be sent along.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidHeader {
    /// There are too many.
    #[error("expected at most 20 headers")]
    Count,
    /// It is no name of a header.
    #[error("`{0}` is no name of a header")]
    Name(String),
    /// The gateway sets it, or it would change the request itself.
    #[error("the header `{0}` is reserved")]
    Reserved(String),
    /// It is there twice.
    #[error("the header `{0}` is there twice")]
    Twice(String),
    /// Its value is too long or has characters that a header cannot have.
    #[error("the value of the header `{0}` must have at most 4096 visible ASCII characters")]
    Value(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: &Result<(), InvalidHeader>) {
        assert_eq!(&CustomHeaders::new([(name.to_string(), value.to_string())]).map(|_| ()), expected);
    }

    #[test]
    fn what_carries_the_request_or_its_signature_is_reserved() {
        for name in ["Host", "content-length", "Webhook-Signature", "X-WhatsApp-Gateway-Event", "Transfer-Encoding", "proxy-x", "sec-y"] {
            check(name, "x", &Err(InvalidHeader::Reserved(name.to_ascii_lowercase())));
        }
        check("Authorization", "Bearer abc", &Ok(()));
        check("X-Api-Key", "abc", &Ok(()));
    }

    #[test]
    fn a_value_cannot_begin_another_header() {
        for value in ["a\r\nhost: b", "a\nb", "\0", "é", " a"] {
            check("x-key", value, &Err(InvalidHeader::Value("x-key".to_string())));
        }
    }

    #[test]
    fn a_name_is_a_token_and_comes_once() {
        check("x key", "", &Err(InvalidHeader::Name("x key".to_string())));
        let twice = [("X-Key", "a"), ("x-key", "b")].map(|(name, value)| (name.to_string(), value.to_string()));
        assert_eq!(CustomHeaders::new(twice), Err(InvalidHeader::Twice("x-key".to_string())));
    }
}
