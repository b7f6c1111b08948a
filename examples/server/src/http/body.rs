//! Body: the bytes of a request, bounded in size and time: JSON, or a table where one is imported.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::code::Code;

/// The largest body of `/api` and `/v1`.
pub(super) const BYTES_MAX: usize = 64 * 1024;

/// The largest table that is imported at once: about 100,000 rows.
pub(super) const CSV_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The largest webhook of a provider: Meta's have up to 3 MB.
pub(super) const NOTIFICATION_BYTES_MAX: usize = 4 * 1024 * 1024;

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

/// Reads a body of comma-separated values (RFC 4180) whole.
pub(super) async fn read_csv(headers: &HeaderMap, body: Body) -> Result<Bytes, Code> {
    if is_of_type(headers, "text/csv") { read_up_to(CSV_BYTES_MAX, headers, body).await } else { Err(Code::UnsupportedMediaType) }
}

/// Reads a provider's webhook whole, as it came.
pub(super) async fn read_notification(headers: &HeaderMap, body: Body) -> Result<Bytes, Code> {
    read_up_to(NOTIFICATION_BYTES_MAX, headers, body).await
}

/// Reads a body whole, whatever it is.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Code> {
    read_up_to(BYTES_MAX, headers, body).await
}

/// Reads a body whole, if it is no longer than this.
pub(super) async fn read_up_to(bytes_max: usize, headers: &HeaderMap, body: Body) -> Result<Bytes, Code> {
    if announced_length(headers).is_some_and(|length| length > bytes_max) {
        return Err(Code::PayloadTooLarge);
    }
    let collecting = Limited::new(body, bytes_max).collect();
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
    is_of_type(headers, "application/json")
}

fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    if value == media_type {
        return true;
    }
    let mut parts = value.to_str().unwrap_or_default().split(';').map(str::trim);
    parts.next().is_some_and(|media| media.eq_ignore_ascii_case(media_type)) && parts.all(is_utf8_or_no_charset)
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
