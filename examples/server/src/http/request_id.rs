//! Request id: the name of one request, on every answer and in every error.

use std::io::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use gatepost::Host;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LENGTH_MAX: usize = 128;

/// The caller's own name for the request, or one made here.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id that the caller sent, if it is 1 to 128 visible ASCII characters, else a random one.
    pub(super) fn of(headers: &HeaderMap, host: &dyn Host) -> Self {
        let sent = headers.get(X_REQUEST_ID).filter(|id| is_acceptable(id.as_bytes()));
        Self(sent.map_or_else(|| make(host), HeaderValue::clone))
    }

    /// The id as text.
    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Names the request in its answer.
    pub(super) fn put_on(self, headers: &mut HeaderMap) {
        headers.insert(X_REQUEST_ID, self.0);
    }
}

fn is_acceptable(id: &[u8]) -> bool {
    (1..=LENGTH_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

fn make(host: &dyn Host) -> HeaderValue {
    let mut random = [0; 16];
    host.fill(&mut random);
    let mut id = *b"req_00000000000000000000000000000000";
    let written = write!(&mut id[4..], "{:032x}", u128::from_be_bytes(random));
    written.ok().and_then(|()| HeaderValue::from_bytes(&id).ok()).unwrap_or(HeaderValue::from_static("req_unnamed"))
}
