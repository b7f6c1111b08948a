//! HTTP out: one request to a judged destination, and what came back.
//!
//! Everything that leaves by HTTP (customer webhooks, providers, 3CX) goes through one [`HttpSend`], so that one destination policy
//! holds for all of it. The implementation resolves the name once, has the policy judge every answer, and dials only what was judged.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use async_trait::async_trait;

use crate::{Destination, ErrorClass, Outcome, Refusal, Timestamp};

/// Sends requests over HTTP.
///
/// The contract: the destination policy judges every address before it is dialed; nothing but the judged addresses is dialed;
/// redirects are answers, never followed; no proxy is taken from the environment; at most [`HttpRequest::answer_bytes_max`] bytes
/// of the answer's body are kept, uncompressed; nothing is written after `deadline`, and the answer comes soon after it at the latest.
#[async_trait]
pub trait HttpSend: Send + Sync {
    /// Sends one request, once. It is sent once more by itself only where it is repeatable and a kept connection failed before any
    /// byte of an answer. Wherever bytes of it left and no answer came, the failure says that it may have arrived.
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFailure>;
}

/// How much of an answer's body is kept where no file is asked for.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// One request.
#[derive(Clone)]
pub struct HttpRequest {
    /// What is asked.
    pub method: HttpMethod,
    /// Where it goes.
    pub destination: Destination,
    /// Its headers, but for those that follow from the request: `Host`, `Content-Length`, `Connection`.
    pub headers: Vec<(HeaderName, String)>,
    /// Its body; these very bytes are sent.
    pub body: Arc<[u8]>,
    /// No byte is written after this.
    pub deadline: Timestamp,
    /// Whether it may arrive twice. A customer webhook may: its receiver knows it by its id. A send to a provider may not.
    pub repeatable: bool,
    /// How much of the answer's body is kept: [`BODY_BYTES_MAX`], but where a file is asked for.
    pub answer_bytes_max: usize,
}

/// The name of a header: fixed, or one that an endpoint's owner chose.
pub type HeaderName = alloc::borrow::Cow<'static, str>;

impl fmt::Debug for HttpRequest {
    /// Without headers and body, which hold secrets and text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, destination, body, deadline, repeatable, .. } = self;
        let mut shown = f.debug_struct("HttpRequest");
        shown.field("method", method).field("host", &destination.host()).field("body_bytes", &body.len()).field("deadline", deadline);
        shown.field("repeatable", repeatable).finish_non_exhaustive()
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HttpMethod {
    /// To read.
    Get,
    /// To take what is sent.
    Post,
    /// To store what is sent.
    Put,
    /// To remove.
    Delete,
}

/// What came back, whatever its status.
#[derive(Clone, Eq, PartialEq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`HttpRequest::answer_bytes_max`] bytes of it.
    pub body: Vec<u8>,
    /// Whether there was more of it.
    pub body_cut: bool,
    /// How it went.
    pub trace: HttpTrace,
}

impl HttpAnswer {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How long the other side asked us to wait: `Retry-After` as seconds (RFC 9110, section 10.2.3). The form with a date would need the
    /// other side's clock; it counts as absent.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
    }
}

impl fmt::Debug for HttpAnswer {
    /// Without headers and body, which may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, trace, .. } = self;
        f.debug_struct("HttpAnswer").field("status", status).field("trace", trace).finish_non_exhaustive()
    }
}

/// How a request went: for the operator's log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HttpTrace {
    /// Who answered, or was dialed last.
    pub peer: Option<SocketAddr>,
    /// Whether a kept connection was used.
    pub kept: bool,
    /// Whether a kept connection had failed before any byte of an answer, so that the request was sent once more.
    pub resent: bool,
    /// How long the whole of it took.
    pub took: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpFailure {
    /// What went wrong.
    pub class: HttpFailureClass,
    /// Whether a byte of the request may have reached the other side.
    pub may_have_arrived: bool,
    /// What the operator may see of it; it holds no text and no secret.
    pub detail: String,
    /// How it went.
    pub trace: HttpTrace,
}

impl HttpFailure {
    /// What became of an attempt that ended so: unknown wherever a byte of it may have arrived.
    ///
    /// ```
    /// use gatepost::{ErrorClass, HttpFailure, HttpFailureClass, HttpTrace, Outcome};
    ///
    /// let broken = |may_have_arrived| HttpFailure {
    ///     class: HttpFailureClass::Broken,
    ///     may_have_arrived,
    ///     detail: String::new(),
    ///     trace: HttpTrace::default(),
    /// };
    /// assert_eq!(broken(true).outcome(), Outcome::Unknown { class: ErrorClass::Broken });
    /// assert_eq!(broken(false).outcome(), Outcome::Failed { class: ErrorClass::Broken, retry_after: None });
    /// ```
    pub fn outcome(&self) -> Outcome {
        let ended = |class| match self.may_have_arrived {
            true => Outcome::Unknown { class },
            false => Outcome::Failed { class, retry_after: None },
        };
        match &self.class {
            HttpFailureClass::Blocked(refusal) if !refusal.class().is_retryable() => Outcome::Blocked { class: ErrorClass::Forbidden },
            HttpFailureClass::Blocked(_) | HttpFailureClass::NoAddress | HttpFailureClass::Unreachable => ended(ErrorClass::Unreachable),
            HttpFailureClass::Tls => ended(ErrorClass::Tls),
            HttpFailureClass::Timeout => ended(ErrorClass::Timeout),
            HttpFailureClass::Broken | HttpFailureClass::Protocol => ended(ErrorClass::Broken),
            HttpFailureClass::Overloaded => Outcome::Failed { class: ErrorClass::Throttled, retry_after: None },
        }
    }
}

/// What can go wrong with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HttpFailureClass {
    /// The destination policy forbids it.
    Blocked(Box<Refusal>),
    /// The name has no address, or cannot be resolved now.
    NoAddress,
    /// No judged address could be connected to.
    Unreachable,
    /// The other side's certificate or its TLS is not acceptable.
    Tls,
    /// The deadline came first.
    Timeout,
    /// The connection broke.
    Broken,
    /// The other side does not speak HTTP, or too much of it.
    Protocol,
    /// Too many requests are on their way here.
    Overloaded,
}
