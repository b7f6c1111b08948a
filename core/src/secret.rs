//! Secret: a text that is used and never shown: a token, an API key, an app secret.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::hex;

/// A text that must not be seen. It is wiped from memory when it is dropped.
///
/// ```
/// use gatepost::Secret;
///
/// let token = Secret::from("EAAJ-example");
/// assert_eq!(token.expose(), "EAAJ-example");
/// assert_eq!(format!("{token:?}"), "Secret");
///
/// let digits = token.hmac_hex(&[b"1795500000", b".", b"{}"]);
/// assert_eq!(token.has_signed(&[b"1795500000.{}"], digits.as_bytes()), Some(true));
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself, for whoever must write it down or send it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The HMAC-SHA-256 (RFC 2104) of these parts one behind the other, as 64 hexadecimal digits. The text is the key.
    pub fn hmac_hex(&self, parts: &[&[u8]]) -> String {
        hex::encode(&self.hmac(parts).finalize().into_bytes())
    }

    /// Whether these digits are that, compared in the same time wherever they differ; none where they are not 64 hexadecimal digits. An
    /// empty text signs nothing.
    pub fn has_signed(&self, parts: &[&[u8]], digits: &[u8]) -> Option<bool> {
        let digest = hex::decode::<32>(digits)?;
        Some(self.hmac(parts).verify_slice(&digest).is_ok() & !self.0.is_empty())
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn hmac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let hmac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("any length will do");
        parts.iter().fold(hmac, Mac::chain_update)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn it_signs_as_the_rfc_has_it() {
        let digits = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let secret = Secret::from("Jefe");
        assert_eq!(secret.hmac_hex(&[b"what do ya want ", b"for nothing?"]), digits);
        assert_eq!(secret.has_signed(&[b"what do ya want for nothing?"], digits.as_bytes()), Some(true));
        assert_eq!(secret.has_signed(&[b"what do you want?"], digits.as_bytes()), Some(false));
        assert_eq!(secret.has_signed(&[], b"5bdc"), None);
    }

    #[test]
    fn an_empty_text_signs_nothing() {
        let empty = Secret::from("");
        assert_eq!(empty.has_signed(&[b"x"], empty.hmac_hex(&[b"x"]).as_bytes()), Some(false));
    }
}
