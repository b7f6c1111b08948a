//! Verifier: tells a receiver whether an event is genuine.
//!
//! It knows the receiver's [`SigningSecret`]s, several while one is rotated, and the [`VerifyingKey`]s it trusts. Which of the two
//! schemes is checked is the receiver's choice and never the sender's: a request cannot ask for the one that binds less. Standard
//! Webhooks ([`Verifier::verify`]) bind the event's id; the public contract's header ([`Verifier::verify_contract`]) binds time and
//! body only. A genuine event may still come twice: remember the ids of the last while.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use base64ct::{Base64, Encoding};
use subtle::ConstantTimeEq;

use super::{
    SIGNATURE_HEADER, SignedContent, SigningSecret, TIMESTAMP_HEADER, V1, V1A, VerifyingKey, WEBHOOK_ID_HEADER, WEBHOOK_SIGNATURE_HEADER,
    WEBHOOK_TIMESTAMP_HEADER, contract_signature,
};
use crate::Timestamp;

/// How far an event's time may be from the receiver's clock, unless the receiver says otherwise.
pub const TOLERANCE_DEFAULT: Duration = Duration::from_secs(5 * 60);
/// The longest body that is looked at.
pub const EVENT_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest header that is looked at: room for some forty signatures.
const HEADER_BYTES_MAX: usize = 4 * 1024;

/// Checks events that a receiver gets.
///
/// ```
/// use gatepost::{NotGenuine, Verifier};
///
/// let now = "2026-11-22T12:00:00Z".parse()?;
/// let verifier = Verifier::new(["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".parse()?]);
/// let headers = [
///     ("Content-Type", "application/json"),
///     ("Webhook-Id", "evt_01"),
///     ("Webhook-Timestamp", "1795348800"),
///     ("Webhook-Signature", "v1,bm90IHRoZSBzaWduYXR1cmUgb2YgYW55dGhpbmchISE="),
/// ];
/// assert_eq!(verifier.verify(headers, b"{}", now), Err(NotGenuine::NoMatch { header: "webhook-signature" }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    secrets: Vec<SigningSecret>,
    keys: Vec<VerifyingKey>,
    tolerance: Duration,
}

/// What is known of a genuine event besides its body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Genuine {
    /// Its id, the same each time it comes.
    pub id: String,
    /// When it was sent, this time.
    pub sent_at: Timestamp,
}

impl Verifier {
    /// Accepts what one of these secrets signed.
    pub fn new(secrets: impl IntoIterator<Item = SigningSecret>) -> Self {
        Self { secrets: secrets.into_iter().collect(), keys: Vec::new(), tolerance: TOLERANCE_DEFAULT }
    }

    /// Accepts also what the private half of one of these keys signed, in Standard Webhooks.
    pub fn with_keys(self, keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self { keys: keys.into_iter().collect(), ..self }
    }

    /// Accepts events whose time is so far from the clock's, either way.
    pub fn with_tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance, ..self }
    }

    /// Whether these headers and this body are a genuine event, as Standard Webhooks (`v1`, `v1a`).
    ///
    /// The headers are all those of the request, in any order and case; `body` is its raw bytes, not what a parser made of them.
    pub fn verify<N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Genuine, NotGenuine> {
        let found = Found::among(headers, &[WEBHOOK_ID_HEADER, WEBHOOK_TIMESTAMP_HEADER, WEBHOOK_SIGNATURE_HEADER])?;
        let id = found.text(WEBHOOK_ID_HEADER)?;
        let timestamp = found.text(WEBHOOK_TIMESTAMP_HEADER)?;
        let signatures = found.text(WEBHOOK_SIGNATURE_HEADER)?;
        // With a dot in it, the id could reach into the timestamp's place in what is signed.
        if id.contains('.') {
            return Err(NotGenuine::Malformed { header: WEBHOOK_ID_HEADER });
        }
        let sent_at = unix_seconds(timestamp).ok_or(NotGenuine::Malformed { header: WEBHOOK_TIMESTAMP_HEADER })?;
        self.check_time(WEBHOOK_TIMESTAMP_HEADER, sent_at, now)?;
        check_size(body)?;
        let content = SignedContent { id, timestamp, body };
        if self.is_signed_by_secret(&content, signatures) || self.is_signed_by_key(&content, signatures) {
            Ok(Genuine { id: id.to_owned(), sent_at })
        } else {
            Err(NotGenuine::NoMatch { header: WEBHOOK_SIGNATURE_HEADER })
        }
    }

    /// Whether these headers and this body are a genuine event, by the public contract's header. Tells when it was sent.
    ///
    /// The event's id is not bound here: take `event_id` from the body.
    pub fn verify_contract<N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Timestamp, NotGenuine> {
        let found = Found::among(headers, &[TIMESTAMP_HEADER, SIGNATURE_HEADER])?;
        let timestamp = found.text(TIMESTAMP_HEADER)?;
        let signature = found.text(SIGNATURE_HEADER)?;
        let sent_at = utc_seconds(timestamp).ok_or(NotGenuine::Malformed { header: TIMESTAMP_HEADER })?;
        self.check_time(TIMESTAMP_HEADER, sent_at, now)?;
        check_size(body)?;
        let mut expected = self.secrets.iter().map(|secret| contract_signature(secret, timestamp, body));
        if expected.any(|expected| expected.as_bytes().ct_eq(signature.as_bytes()).into()) {
            Ok(sent_at)
        } else {
            Err(NotGenuine::NoMatch { header: SIGNATURE_HEADER })
        }
    }

    fn check_time(&self, header: &'static str, sent_at: Timestamp, now: Timestamp) -> Result<(), NotGenuine> {
        if now.since(sent_at) > self.tolerance {
            Err(NotGenuine::Stale { header })
        } else if sent_at.since(now) > self.tolerance {
            Err(NotGenuine::Early { header })
        } else {
            Ok(())
        }
    }

    fn is_signed_by_secret(&self, content: &SignedContent<'_>, signatures: &str) -> bool {
        self.secrets.iter().any(|secret| {
            let expected = secret.standard_mac(&content.parts());
            of_version(signatures, V1).filter_map(decode::<32>).any(|signature| expected.ct_eq(&signature).into())
        })
    }

    fn is_signed_by_key(&self, content: &SignedContent<'_>, signatures: &str) -> bool {
        if self.keys.is_empty() {
            return false;
        }
        let content = content.parts().concat();
        of_version(signatures, V1A).filter_map(decode).any(|signature| self.keys.iter().any(|key| key.accepts(&content, &signature)))
    }
}

/// The headers of one scheme, among all those of a request.
struct Found<V>(Vec<(&'static str, V)>);

impl<V: AsRef<[u8]>> Found<V> {
    /// One that comes twice is refused: whoever reads the other one would be deceived.
    fn among<N: AsRef<str>>(headers: impl IntoIterator<Item = (N, V)>, wanted: &[&'static str]) -> Result<Self, NotGenuine> {
        let mut found: Vec<(&'static str, V)> = Vec::with_capacity(wanted.len());
        for (name, value) in headers {
            let Some(header) = wanted.iter().find(|wanted| name.as_ref().eq_ignore_ascii_case(wanted)) else { continue };
            if found.iter().any(|(known, _)| known == header) {
                return Err(NotGenuine::Repeated { header });
            }
            found.push((header, value));
        }
        Ok(Self(found))
    }

    fn text(&self, header: &'static str) -> Result<&str, NotGenuine> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == header).ok_or(NotGenuine::Missing { header })?;
        let value = value.as_ref();
        if value.len() > HEADER_BYTES_MAX {
            return Err(NotGenuine::HeaderTooLong { header });
        }
        let is_visible = !value.is_empty() && value.iter().all(|byte| matches!(byte, b' '..=b'~'));
        core::str::from_utf8(value).ok().filter(|_| is_visible).ok_or(NotGenuine::Malformed { header })
    }
}

const fn check_size(body: &[u8]) -> Result<(), NotGenuine> {
    if body.len() > EVENT_BODY_BYTES_MAX { Err(NotGenuine::BodyTooLong) } else { Ok(()) }
}

/// Reads the one form that each time has: no sign before it and no zero.
fn unix_seconds(text: &str) -> Option<Timestamp> {
    let seconds: i64 = text.parse().ok()?;
    let millis = seconds.checked_mul(1_000).filter(|_| seconds.to_string() == text)?;
    Some(Timestamp::from_millis(millis))
}

/// Reads the one form that we write: UTC, whole seconds without a fraction.
fn utc_seconds(text: &str) -> Option<Timestamp> {
    let at: Timestamp = text.parse().ok()?;
    (at.as_millis() % 1_000 == 0 && at.to_string() == text).then_some(at)
}

/// The signatures of one version in a list that is separated by spaces.
fn of_version<'a>(signatures: &'a str, version: &'static str) -> impl Iterator<Item = &'a str> {
    signatures.split(' ').filter_map(move |signature| signature.strip_prefix(version))
}

/// Reads the base64 of exactly so many bytes; each has one text.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let length = Base64::decode(text, &mut bytes).ok()?.len();
    (length == N).then_some(bytes)
}

/// Why an event is not taken for genuine. It says what is wrong and repeats nothing of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotGenuine {
    /// The body is longer than any event's.
    #[error("expected a body of at most {EVENT_BODY_BYTES_MAX} bytes")]
    BodyTooLong,
    /// Its time lies too far ahead of the receiver's clock.
    #[error("expected a time in `{header}` that is not ahead of the clock")]
    Early {
        /// The name of the header.
        header: &'static str,
    },
    /// The header is longer than any event's.
    #[error("expected at most {HEADER_BYTES_MAX} bytes in the header `{header}`")]
    HeaderTooLong {
        /// The name of the header.
        header: &'static str,
    },
    /// The header is not of the form that it has in events.
    #[error("the header `{header}` is not well formed")]
    Malformed {
        /// The name of the header.
        header: &'static str,
    },
    /// The header is not there.
    #[error("expected the header `{header}`")]
    Missing {
        /// The name of the header.
        header: &'static str,
    },
    /// None of the signatures was made with a known secret or key, for this event.
    #[error("no signature in `{header}` was made for this event with a known signing secret")]
    NoMatch {
        /// The name of the header.
        header: &'static str,
    },
    /// The header comes more than once.
    #[error("expected the header `{header}` once")]
    Repeated {
        /// The name of the header.
        header: &'static str,
    },
    /// Its time lies too far behind the receiver's clock.
    #[error("expected a time in `{header}` that is not long past")]
    Stale {
        /// The name of the header.
        header: &'static str,
    },
}
