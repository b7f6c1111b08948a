//! Handshake: the question by which Meta makes sure that a webhook's URL is ours.

use gatepost::Secret;
use subtle::ConstantTimeEq;

use crate::percent::pairs;

/// The longest challenge that is answered.
const CHALLENGE_BYTES_MAX: usize = 256;

/// Answers the question in `query`, the part of the URL behind the question mark: what to send back with status 200 as `text/plain`.
///
/// ```
/// use gatepost::Secret;
/// use gatepost_whatsapp::cloud::{HandshakeRefusal, handshake};
///
/// let token = Secret::from("our-token");
/// let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=our-token";
/// assert_eq!(handshake(query, &token).as_deref(), Ok("1158201444"));
/// assert_eq!(handshake(query, &Secret::from("another")), Err(HandshakeRefusal::Token));
/// ```
///
/// # Errors
///
/// [`HandshakeRefusal::status`] is the status to answer with, without a word about the reason.
pub fn handshake(query: &str, verify_token: &Secret) -> Result<String, HandshakeRefusal> {
    let pairs = pairs(query).ok_or(HandshakeRefusal::Malformed)?;
    let (mode, token) = (one(&pairs, "hub.mode")?, one(&pairs, "hub.verify_token")?);
    let challenge = one(&pairs, "hub.challenge")?;
    if mode != "subscribe" {
        return Err(HandshakeRefusal::Mode);
    }
    if !is_same(token, verify_token) {
        return Err(HandshakeRefusal::Token);
    }
    if is_harmless(challenge) { Ok(challenge.to_owned()) } else { Err(HandshakeRefusal::Malformed) }
}

/// The value of a name that comes exactly once.
fn one<'a>(pairs: &'a [(String, String)], name: &str) -> Result<&'a str, HandshakeRefusal> {
    let mut values = pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    values.next().filter(|_| values.next().is_none()).ok_or(HandshakeRefusal::Malformed)
}

fn is_same(token: &str, verify_token: &Secret) -> bool {
    let expected = verify_token.expose().as_bytes();
    !expected.is_empty() && expected.ct_eq(token.as_bytes()).into()
}

/// What comes back must not be able to do anything in a browser.
fn is_harmless(challenge: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'+' | b'-' | b'.' | b'/' | b'=' | b'_');
    (1..=CHALLENGE_BYTES_MAX).contains(&challenge.len()) && challenge.bytes().all(is_plain)
}

/// Why a handshake is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HandshakeRefusal {
    /// A parameter is absent, comes twice, or cannot be read.
    #[error("expected `hub.mode`, `hub.verify_token` and a plain `hub.challenge`, each once")]
    Malformed,
    /// It asks for something else than to subscribe.
    #[error("expected `subscribe` in `hub.mode`")]
    Mode,
    /// The token is not ours.
    #[error("the token in `hub.verify_token` is not the one of the instance")]
    Token,
}

impl HandshakeRefusal {
    /// The HTTP status to answer with.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Mode | Self::Token => 403,
        }
    }
}
