//! Signing secret: what we share with the receiver of an endpoint's events, so that each side can compute the same signature.
//!
//! Its text is `whsec_` and the base64 of 24 to 64 random bytes, as every library for Standard Webhooks reads it. It is shown once,
//! when it is made ([`NewSigningSecret`]); what the store keeps is sealed, and has no way to show it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Host;

const PREFIX: &str = "whsec_";
/// The least and the most bytes of a secret.
const LENGTHS: core::ops::RangeInclusive<usize> = 24..=64;
/// How many bytes ours have.
const LENGTH: usize = 32;

/// A signing secret that was just made. This is the one time its text exists here.
pub struct NewSigningSecret(SigningSecret);

impl NewSigningSecret {
    /// Makes one from the host's randomness.
    pub fn generate(host: &dyn Host) -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        host.fill(&mut *bytes);
        Self(SigningSecret::keyed(Zeroizing::new(bytes.to_vec())))
    }

    /// The text to show, once.
    pub fn expose(&self) -> Zeroizing<String> {
        text(&self.0.bytes)
    }

    /// The secret, to sign with and to seal.
    pub const fn secret(&self) -> &SigningSecret {
        &self.0
    }

    /// The secret to keep. Nobody can be shown its text again.
    pub fn keep(self) -> SigningSecret {
        self.0
    }
}

impl fmt::Debug for NewSigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSigningSecret(***)")
    }
}

/// A signing secret: ours after it was shown, a customer's own, or a receiver's.
///
/// Comparing takes the same time wherever two differ.
#[derive(Clone)]
pub struct SigningSecret {
    bytes: Zeroizing<Vec<u8>>,
    /// Keyed once, so that each signature begins behind the key.
    contract: Hmac<Sha256>,
    standard: Hmac<Sha256>,
}

impl SigningSecret {
    /// The secret with these bytes, as a store keeps them.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSigningSecret> {
        if LENGTHS.contains(&bytes.len()) { Ok(Self::keyed(Zeroizing::new(bytes.to_vec()))) } else { Err(InvalidSigningSecret) }
    }

    fn keyed(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { contract: hmac(text(&bytes).as_bytes()), standard: hmac(&bytes), bytes }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// For the public contract's header, where the whole text is the key.
    pub(super) fn contract_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.contract, parts)
    }

    /// For Standard Webhooks, where the decoded bytes are the key.
    pub(super) fn standard_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.standard, parts)
    }
}

impl FromStr for SigningSecret {
    type Err = InvalidSigningSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSigningSecret> {
        let digits = text.strip_prefix(PREFIX).ok_or(InvalidSigningSecret)?;
        let mut buffer = Zeroizing::new([0; *LENGTHS.end()]);
        // One text for each secret, because the text is a key too: padding is required, and spare bits are zero.
        let bytes = Base64::decode(digits, &mut *buffer).map_err(|_| InvalidSigningSecret)?;
        Self::from_bytes(bytes)
    }
}

impl PartialEq for SigningSecret {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }
}

impl Eq for SigningSecret {}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(***)")
    }
}

/// The text is not a signing secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `whsec_` and the base64 of 24 to 64 bytes")]
pub struct InvalidSigningSecret;

fn text(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + Base64::encoded_len(bytes)));
    let mut digits = Zeroizing::new([0; 88]);
    text.push_str(PREFIX);
    text.push_str(Base64::encode(bytes, &mut *digits).unwrap_or_default());
    text
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length (RFC 2104), so the error cannot occur.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn mac(keyed: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed.clone();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    const fn is_wiped<T: ZeroizeOnDrop>() {}

    #[test]
    fn what_is_derived_from_a_secret_is_wiped_with_it() {
        // The state of an HMAC is two of these.
        is_wiped::<Sha256>();
        is_wiped::<ed25519_dalek::SigningKey>();
        is_wiped::<chacha20poly1305::XChaCha20Poly1305>();
    }
}
