//! Body: the bytes of a request, bounded in size and time, and JSON only.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::code::Code;

/// The largest body of `/api` and `/v1`.
pub(super) const BYTES_MAX: usize = 64 * 1024;

/// A caller who needs longer for so little holds a connection for nothing.
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(30);

/// Reads a body of JSON whole.
pub(super) async fn read_json(headers: &HeaderMap, body: Body) -> Result<Bytes, Code> {
    expect_json(headers)?;
    read(headers, body).await
}

/// Refuses a body that does not say that it is JSON.
pub(super) fn expect_json(headers: &HeaderMap) -> Result<(), Code> {
    if is_json(headers) { Ok(()) } else { Err(Code::UnsupportedMediaType) }
}

/// Reads a body whole, whatever it is.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Code> {
    if announced_length(headers).is_some_and(|length| length > BYTES_MAX) {
        return Err(Code::PayloadTooLarge);
    }
    let collecting = Limited::new(body, BYTES_MAX).collect();
    match tokio::time::timeout(ARRIVAL_TIME_MAX, collecting).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Code::PayloadTooLarge),
        // The caller broke off, or its chunks are malformed.
        Ok(Err(_)) => Err(Code::InvalidJson),
        Err(_) => Err(Code::RequestTimeout),
    }
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the one content type is JSON, in UTF-8 where it names a character set.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    if value == "application/json" {
        return true;
    }
    let mut parts = value.to_str().unwrap_or_default().split(';').map(str::trim);
    parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json")) && parts.all(is_utf8_or_no_charset)
}

fn is_utf8_or_no_charset(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => value.trim_matches('"').eq_ignore_ascii_case("utf-8"),
        _ => true,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf_8_is_read() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json; charset=\"utf-8\"", true),
            ("application/json; charset=latin1", false),
            ("application/jsonp", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]);
            assert_eq!(is_json(&headers), expected, "{content_type}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
