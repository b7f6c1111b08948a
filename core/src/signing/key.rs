//! Signing key: a pair of keys of Ed25519. We sign with the private half, and everybody may have the public one.
//!
//! For receivers who should be able to check events and not to make them: a customer's processor, or many receivers of one customer.
//! The texts are those of Standard Webhooks, `whsk_` and `whpk_`. There is no way to show a private half.

use alloc::string::ToString;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, Signer};
use zeroize::Zeroizing;

use crate::Host;

const PRIVATE_PREFIX: &str = "whsk_";
const PUBLIC_PREFIX: &str = "whpk_";

/// The private half: signs an endpoint's events as `v1a`.
#[derive(Clone, Eq, PartialEq)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes one from the host's randomness.
    pub fn generate(host: &dyn Host) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        host.fill(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The key of this seed, as a store keeps it.
    pub(super) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    pub(super) fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public half, for the receiver.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    pub(super) fn sign(&self, content: &[u8]) -> [u8; 64] {
        self.0.sign(content).to_bytes()
    }
}

impl FromStr for SigningKey {
    type Err = InvalidSigningKey;

    /// Reads `whsk_` and the base64 of a seed, or of a seed and its public half.
    fn from_str(text: &str) -> Result<Self, InvalidSigningKey> {
        let digits = text.strip_prefix(PRIVATE_PREFIX).ok_or(InvalidSigningKey)?;
        let mut buffer = Zeroizing::new([0; 64]);
        let bytes = Base64::decode(digits, &mut *buffer).map_err(|_| InvalidSigningKey)?;
        if let Ok(seed) = bytes.try_into() {
            return Ok(Self::from_seed(seed));
        }
        let pair = bytes.try_into().map_err(|_| InvalidSigningKey)?;
        ed25519_dalek::SigningKey::from_keypair_bytes(pair).map(Self).map_err(|_| InvalidSigningKey)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.verifying_key())
    }
}

/// The text is not a private signing key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `whsk_` and the base64 of an Ed25519 seed, or of a seed and its public key")]
pub struct InvalidSigningKey;

/// The public half: checks what the private one signed. It is no secret.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Whether `signature` is the private half's, for `content`. One signature has one text: what was bent without the key is refused.
    pub(super) fn accepts(&self, content: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(content, &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for VerifyingKey {
    type Err = InvalidVerifyingKey;

    fn from_str(text: &str) -> Result<Self, InvalidVerifyingKey> {
        let digits = text.strip_prefix(PUBLIC_PREFIX).ok_or(InvalidVerifyingKey)?;
        let mut bytes = [0; 32];
        Base64::decode(digits, &mut bytes).ok().filter(|decoded| decoded.len() == 32).ok_or(InvalidVerifyingKey)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| InvalidVerifyingKey)?;
        // A weak key accepts signatures that nobody made.
        if key.is_weak() { Err(InvalidVerifyingKey) } else { Ok(Self(key)) }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_PREFIX}{}", Base64::encode(self.0.as_bytes(), &mut [0; 44]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string())
    }
}

/// The text is not a public signing key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `whpk_` and the base64 of an Ed25519 public key")]
pub struct InvalidVerifyingKey;
