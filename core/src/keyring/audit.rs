//! Audit keys: what segments of the policy event log are sealed with.
//!
//! HMAC-SHA-256 under a key that is derived from a root. What goes in is written with its length before it, and with a label of what it is,
//! so that no two things that differ are the same bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Keyring;

/// What one root seals with.
#[derive(Clone)]
pub(crate) struct AuditKey(Zeroizing<[u8; 32]>);

impl AuditKey {
    pub(super) const fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// Begins the digest of a thing of this kind.
    pub(crate) fn digest_of(&self, kind: &'static str) -> Parts {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Parts(Hmac::<Sha256>::new_from_slice(&*self.0).expect("any length will do")).bytes(kind.as_bytes())
    }
}

/// A digest in the making.
pub(crate) struct Parts(Hmac<Sha256>);

impl Parts {
    /// Some bytes, their length first.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// Some bytes, or none: which is not the same as no bytes.
    pub(crate) fn bytes_or_none(self, bytes: Option<&[u8]>) -> Self {
        match bytes {
            Some(bytes) => self.number(1).bytes(bytes),
            None => self.number(0),
        }
    }

    /// A number.
    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A time.
    pub(crate) fn time(self, at: crate::Timestamp) -> Self {
        self.bytes(&at.as_millis().to_be_bytes())
    }

    /// The digest.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }

    /// Whether this is the digest; how long that takes says nothing.
    pub(crate) fn is(self, digest: &[u8; 32]) -> bool {
        self.0.verify_slice(digest).is_ok()
    }
}

impl Keyring {
    /// What the present root seals with, and its number.
    #[cfg(feature = "std")]
    pub(crate) fn present_audit_key(&self) -> (u32, &AuditKey) {
        let (number, root) = self.present_root();
        (number, &root.audit)
    }

    /// What the root with this number seals with.
    pub(crate) fn audit_key(&self, root: u32) -> Option<&AuditKey> {
        self.roots.get(&root).map(|root| &root.audit)
    }
}
