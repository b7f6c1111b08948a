//! Signature: tells whether a webhook was sent by somebody who knows the app secret.
//!
//! Meta signs the very bytes that it sends, so the check is over the raw body, before anything parses it.

use gatepost::Secret;

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

const PREFIX: &str = "sha256=";

/// Whether `body` was signed with one of `secrets`. Two of them are live while one is rotated; an empty one signs nothing.
///
/// `headers` are all values of the header [`SIGNATURE_HEADER`]: exactly one is expected, since whoever reads another one than we do would
/// be deceived.
///
/// ```
/// use gatepost::Secret;
/// use gatepost_whatsapp::cloud::{NotSigned, sign, verify_signature};
///
/// let (old, new) = (Secret::from("old-app-secret"), Secret::from("new-app-secret"));
/// let header = sign(b"{}", &new);
/// assert_eq!(verify_signature(b"{}", Some(&header), &[old.clone(), new]), Ok(()));
/// assert_eq!(verify_signature(b"{}", Some(&header), &[old]), Err(NotSigned::NoMatch));
/// ```
///
/// # Errors
///
/// Says what is wrong; the other side must not be told.
pub fn verify_signature<H: AsRef<[u8]>>(body: &[u8], headers: impl IntoIterator<Item = H>, secrets: &[Secret]) -> Result<(), NotSigned> {
    let mut headers = headers.into_iter();
    let header = headers.next().ok_or(NotSigned::Missing)?;
    if headers.next().is_some() {
        return Err(NotSigned::Repeated);
    }
    let digits = header.as_ref().strip_prefix(PREFIX.as_bytes()).ok_or(NotSigned::Malformed)?;
    let mut live = secrets.iter().filter(|secret| !secret.expose().is_empty()).peekable();
    live.peek().ok_or(NotSigned::NoSecret)?;
    let mut signed = live.map(|secret| secret.has_signed(&[body], digits));
    match signed.find(|signed| *signed != Some(false)) {
        Some(Some(_)) => Ok(()),
        Some(None) => Err(NotSigned::Malformed),
        None => Err(NotSigned::NoMatch),
    }
}

/// The header's value for `body`, as Meta makes it. One of an empty secret is accepted by nobody.
pub fn sign(body: &[u8], secret: &Secret) -> String {
    [PREFIX, &secret.hmac_hex(&[body])].concat()
}

/// Why a webhook is not taken for Meta's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotSigned {
    /// The header is not of the form that Meta gives it.
    #[error("expected `sha256=` and 64 hexadecimal digits in the header `{SIGNATURE_HEADER}`")]
    Malformed,
    /// The header is not there.
    #[error("expected the header `{SIGNATURE_HEADER}`")]
    Missing,
    /// No app secret made the signature for this body.
    #[error("the signature in `{SIGNATURE_HEADER}` was not made for this body with a known app secret")]
    NoMatch,
    /// The instance has no app secret.
    #[error("expected an app secret in the settings of the instance")]
    NoSecret,
    /// The header comes more than once.
    #[error("expected the header `{SIGNATURE_HEADER}` once")]
    Repeated,
}
