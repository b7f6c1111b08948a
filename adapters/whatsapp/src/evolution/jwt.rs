//! JWT: by what Evolution API shows that it knows the instance's `jwt_key`.
//!
//! The token lives ten minutes and does not cover the body: who sees one can post anything for that long. A secret path, TLS and an allow
//! list of addresses belong to it.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use gatepost::{Secret, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::fields::Fields;

/// How long a token lives.
const LIFETIME: Duration = Duration::from_secs(600);
/// How far the clocks of the two may be apart.
const LEEWAY: Duration = Duration::from_secs(60);
/// The longest header that is looked at.
const HEADER_BYTES_MAX: usize = 4_096;

/// Whether `headers`, all values of `Authorization`, are one token that was made with `jwt_key` and is not over.
///
/// ```
/// use gatepost::{Secret, Timestamp};
/// use gatepost_whatsapp::evolution::{NotAuthorized, authorization, verify_authorization};
///
/// let (key, now) = (Secret::from("a-jwt-key"), Timestamp::from_millis(1_795_500_000_000));
/// let header = authorization(&key, now);
/// assert_eq!(verify_authorization(Some(&header), &key, now), Ok(()));
/// assert_eq!(verify_authorization(Some(&header), &Secret::from("another"), now), Err(NotAuthorized::NoMatch));
/// ```
///
/// # Errors
///
/// Says what is wrong; the other side must not be told.
pub fn verify_authorization<H: AsRef<[u8]>>(
    headers: impl IntoIterator<Item = H>,
    jwt_key: &Secret,
    now: Timestamp,
) -> Result<(), NotAuthorized> {
    let mut headers = headers.into_iter();
    let header = headers.next().ok_or(NotAuthorized::Missing)?;
    if headers.next().is_some() {
        return Err(NotAuthorized::Malformed);
    }
    let token = Token::read(header.as_ref()).ok_or(NotAuthorized::Malformed)?;
    let mac = mac(token.signed, jwt_key).ok_or(NotAuthorized::NoKey)?;
    mac.verify_slice(&token.signature).map_err(|_| NotAuthorized::NoMatch)?;
    let claims = Claims::read(&token.claims).ok_or(NotAuthorized::Malformed)?;
    claims.check(now)
}

/// The header's value, as Evolution API makes it.
pub fn authorization(jwt_key: &Secret, now: Timestamp) -> String {
    let seconds = now.as_millis() / 1_000;
    let claims = serde_json::json!({"iat": seconds, "exp": seconds + 600, "app": "evolution", "action": "webhook"});
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let signed = format!("{}.{}", encode(r#"{"alg":"HS256","typ":"JWT"}"#), encode(&claims.to_string()));
    let signature = mac(&signed, jwt_key).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    format!("Bearer {signed}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn mac(signed: &str, key: &Secret) -> Option<Hmac<Sha256>> {
    let key = Some(key.expose().as_bytes()).filter(|key| !key.is_empty())?;
    Some(Hmac::<Sha256>::new_from_slice(key).ok()?.chain_update(signed.as_bytes()))
}

/// A token, taken apart and not believed yet.
struct Token<'a> {
    signed: &'a str,
    claims: String,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn read(header: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(header).ok().filter(|text| text.len() <= HEADER_BYTES_MAX)?;
        let (scheme, token) = text.split_once(' ')?;
        let (signed, signature) = token.trim().rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let decode = |part: &str| String::from_utf8(Base64UrlUnpadded::decode_vec(part).ok()?).ok();
        let head = decode(head)?;
        // The other side cannot choose how it is checked.
        let algorithm = Fields::read(serde_json::from_str::<&RawValue>(&head).ok()?)?.text("alg")?;
        let is_expected = scheme.eq_ignore_ascii_case("bearer") && algorithm == "HS256";
        let signature = Base64UrlUnpadded::decode_vec(signature).ok().filter(|_| is_expected)?;
        Some(Self { signed, claims: decode(claims)?, signature })
    }
}

/// What a token says.
struct Claims {
    issued_at: Timestamp,
    expires_at: Timestamp,
    is_for_webhooks: bool,
}

impl Claims {
    fn read(json: &str) -> Option<Self> {
        let fields = Fields::read(serde_json::from_str::<&RawValue>(json).ok()?)?;
        let is_for_webhooks = fields.text("app").as_deref() == Some("evolution") && fields.text("action").as_deref() == Some("webhook");
        Some(Self { issued_at: fields.seconds("iat")?, expires_at: fields.seconds("exp")?, is_for_webhooks })
    }

    /// A token that claims to live for longer than they do is over when ours would be.
    fn check(&self, now: Timestamp) -> Result<(), NotAuthorized> {
        let ends_at = self.expires_at.min(self.issued_at.plus(LIFETIME));
        if !self.is_for_webhooks {
            Err(NotAuthorized::Claims)
        } else if ends_at.plus(LEEWAY) <= now || self.issued_at > now.plus(LEEWAY) {
            Err(NotAuthorized::Time)
        } else {
            Ok(())
        }
    }
}

/// Why a webhook is not taken for Evolution API's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAuthorized {
    /// The token was made for something else.
    #[error("expected a token for webhooks of Evolution API")]
    Claims,
    /// The header is not one bearer token of the kind that Evolution API makes.
    #[error("expected one bearer token of HS256 in the header `authorization`")]
    Malformed,
    /// The header is not there.
    #[error("expected the header `authorization`")]
    Missing,
    /// The token was not made with the instance's key.
    #[error("the token in `authorization` was not made with the instance's `jwt_key`")]
    NoMatch,
    /// The instance has no key.
    #[error("expected a `jwt_key` in the settings of the instance")]
    NoKey,
    /// The token is over, or from the future.
    #[error("expected a token that is valid now")]
    Time,
}
