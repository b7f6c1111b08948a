//! Signing: what proves to an endpoint that an event is genuine.
//!
//! Each delivery is signed in two ways, over the very bytes that are sent. The players: a [`SigningSecret`], which we share with the
//! receiver; a [`SigningKey`], of which the receiver has the public half; the [`EndpointSecrets`], which know at any time what is live;
//! [`sign`], for us; and the [`Verifier`], for receivers.
//!
//! ```text
//! X-WhatsApp-Gateway-Signature: sha256=<hex>    HMAC-SHA-256(text of one secret, timestamp "." body)
//! webhook-signature: v1,<base64> v1,<base64>    HMAC-SHA-256(bytes of each live secret, id "." timestamp "." body)
//!                    v1a,<base64>               Ed25519(signing key, id "." timestamp "." body), by choice
//! ```
//!
//! The first is the public contract's, the second Standard Webhooks. The timestamp is RFC 3339 in the first and seconds since 1970 in
//! the second.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use base64ct::{Base64, Encoding};

use crate::{HeaderName, Timestamp, hex};

mod endpoint_secrets;
mod key;
mod secret;
mod verifier;

pub use endpoint_secrets::*;
pub use key::*;
pub use secret::*;
pub use verifier::*;

/// The header with the name of the event.
pub const EVENT_HEADER: &str = "X-WhatsApp-Gateway-Event";
/// The header with the time of the attempt, RFC 3339.
pub const TIMESTAMP_HEADER: &str = "X-WhatsApp-Gateway-Timestamp";
/// The header with the signature of the public contract.
pub const SIGNATURE_HEADER: &str = "X-WhatsApp-Gateway-Signature";
/// The header with the event's id, of Standard Webhooks.
pub const WEBHOOK_ID_HEADER: &str = "webhook-id";
/// The header with the time of the attempt, of Standard Webhooks: seconds since 1970.
pub const WEBHOOK_TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures of Standard Webhooks.
pub const WEBHOOK_SIGNATURE_HEADER: &str = "webhook-signature";

/// What is signed of an event besides its body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EventHead<'a> {
    /// Its id, the same at each attempt. It has no dot.
    pub id: &'a str,
    /// Its name, for example `message.received`.
    pub event: &'a str,
    /// When this attempt is made.
    pub now: Timestamp,
}

/// The headers that make `body` a genuine event, for these very bytes.
///
/// Which secrets sign follows from `head.now` alone.
///
/// ```
/// use gatepost::{EndpointSecrets, EventHead, SigningSecret, Verifier, sign};
///
/// let secret: SigningSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".parse()?;
/// let now = "2026-11-22T12:00:00Z".parse()?;
/// let body = br#"{"event":"message.received"}"#;
///
/// let head = EventHead { id: "evt_01", event: "message.received", now };
/// let headers = sign(&head, body, &EndpointSecrets::new(secret.clone()));
///
/// let verifier = Verifier::new([secret]);
/// assert_eq!(verifier.verify(headers.iter().map(|(name, value)| (name, value)), body, now)?.id, "evt_01");
/// assert!(verifier.verify(headers, b"{}", now).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign(head: &EventHead<'_>, body: &[u8], secrets: &EndpointSecrets) -> [(HeaderName, String); 6] {
    let seconds = head.now.as_millis().div_euclid(1_000);
    let timestamp = Timestamp::from_millis(seconds.saturating_mul(1_000)).to_string();
    let content = SignedContent { id: head.id, timestamp: &seconds.to_string(), body };
    let contract = contract_signature(secrets.contract_signer(head.now), &timestamp, body);
    let standard = standard_signatures(secrets, &content, head.now);
    [
        (EVENT_HEADER, head.event.to_owned()),
        (TIMESTAMP_HEADER, timestamp),
        (SIGNATURE_HEADER, contract),
        (WEBHOOK_ID_HEADER, head.id.to_owned()),
        (WEBHOOK_TIMESTAMP_HEADER, content.timestamp.to_owned()),
        (WEBHOOK_SIGNATURE_HEADER, standard),
    ]
    .map(|(name, value)| (HeaderName::Borrowed(name), value))
}

/// What Standard Webhooks sign: `id.timestamp.body`.
#[derive(Clone, Copy)]
struct SignedContent<'a> {
    id: &'a str,
    timestamp: &'a str,
    body: &'a [u8],
}

impl SignedContent<'_> {
    fn parts(&self) -> [&[u8]; 5] {
        [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body]
    }
}

const CONTRACT_PREFIX: &str = "sha256=";
const V1: &str = "v1,";
const V1A: &str = "v1a,";

fn contract_signature(secret: &SigningSecret, timestamp: &str, body: &[u8]) -> String {
    [CONTRACT_PREFIX, &hex::encode(&secret.contract_mac(&[timestamp.as_bytes(), b".", body]))].concat()
}

fn standard_signatures(secrets: &EndpointSecrets, content: &SignedContent<'_>, now: Timestamp) -> String {
    let each = V1.len() + 44 + " ".len();
    let mut text = String::with_capacity(secrets.live(now).count() * each + secrets.key().map_or(0, |_| V1A.len() + 88));
    for secret in secrets.live(now) {
        push_signature(&mut text, V1, &secret.standard_mac(&content.parts()));
    }
    if let Some(key) = secrets.key() {
        push_signature(&mut text, V1A, &key.sign(&content.parts().concat()));
    }
    text
}

fn push_signature(text: &mut String, version: &str, signature: &[u8]) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(version);
    // The buffer holds the longest, which is Ed25519's 64 bytes.
    text.push_str(Base64::encode(signature, &mut [0; 88]).unwrap_or_default());
}
