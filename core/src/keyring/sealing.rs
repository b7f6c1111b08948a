//! Sealing: a secret that must be read again, kept so that only this keyring opens it, and only where it belongs.
//!
//! A [`Keyring`] seals what it is given for one row ([`SealedFor`]); a store keeps the [`Sealed`] value and cannot read it. It is
//! XChaCha20-Poly1305 under a key that is derived from a root. Account, kind and row are bound to it: a value that is moved to another
//! row, or changed in one bit, does not open.

use alloc::vec::Vec;
use core::fmt;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::{AccountId, Host, Keyring};

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// What a sealed value is, and where it belongs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SealedFor {
    /// Whose it is.
    pub account: AccountId,
    /// What it is.
    pub kind: SealedKind,
    /// The id of the row that it stands in, for example [`EndpointId::to_bytes`](crate::EndpointId::to_bytes).
    pub row: [u8; 16],
}

impl SealedFor {
    /// The associated data: what is bound without being kept. All but the last part have a fixed length, so no two places share one.
    fn bound(&self) -> Vec<u8> {
        [b"gatepost/sealed/1".as_slice(), &self.account.to_bytes(), &self.row, self.kind.as_str().as_bytes()].concat()
    }
}

/// What a sealed value is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SealedKind {
    /// The signing secrets of an endpoint.
    EndpointSecrets,
    /// The custom headers of an endpoint.
    EndpointHeaders,
    /// What the provider of an instance asks for.
    InstanceCredentials,
    /// What an integration shows to be genuine.
    IntegrationSecrets,
    /// Where a phone system takes what customers write.
    PhoneLine,
}

impl SealedKind {
    /// The word that is bound to the value. It must never change.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndpointSecrets => "endpoint_secrets",
            Self::EndpointHeaders => "endpoint_headers",
            Self::InstanceCredentials => "instance_credentials",
            Self::IntegrationSecrets => "integration_secrets",
            Self::PhoneLine => "phone_line",
        }
    }
}

/// A sealed value, as a store keeps it.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Sealed {
    root: u32,
    nonce: [u8; NONCE_LENGTH],
    ciphertext: Vec<u8>,
    tag: [u8; TAG_LENGTH],
}

impl Sealed {
    /// The number of the root that it was sealed with.
    pub const fn root(&self) -> u32 {
        self.root
    }

    /// The bytes for a column: version, root (four bytes, the highest first), nonce, ciphertext, tag.
    pub fn to_bytes(&self) -> Vec<u8> {
        [[VERSION].as_slice(), &self.root.to_be_bytes(), &self.nonce, &self.ciphertext, &self.tag].concat()
    }

    /// Reads the bytes of a column.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unsealable> {
        Self::read(bytes).ok_or(Unsealable::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (root, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        Some(Self { root: u32::from_be_bytes(*root), nonce: *nonce, ciphertext: ciphertext.to_vec(), tag: *tag })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes, root {})", self.ciphertext.len(), self.root)
    }
}

impl Keyring {
    /// Seals `plain` with the present root, for this row.
    pub fn seal(&self, of: SealedFor, plain: &[u8], host: &dyn Host) -> Sealed {
        let (root, keys) = self.present_root();
        let mut nonce = [0; NONCE_LENGTH];
        host.fill(&mut nonce);
        let mut ciphertext = plain.to_vec();
        let tag = keys.sealing.encrypt(&of, &nonce, &mut ciphertext);
        Sealed { root, nonce, ciphertext, tag }
    }

    /// Opens what was sealed for this row, with whichever root.
    pub fn open(&self, of: SealedFor, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let keys = self.roots.get(&sealed.root).ok_or(Unsealable::UnknownRoot(sealed.root))?;
        keys.sealing.decrypt(&of, sealed)
    }

    /// Whether it was sealed with another root than the present one: open it, and seal it again.
    pub fn needs_resealing(&self, sealed: &Sealed) -> bool {
        sealed.root != self.present
    }
}

/// Why a sealed value cannot be opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unsealable {
    /// The bytes are none of a sealed value.
    #[error("expected a sealed value of version {VERSION}")]
    Malformed,
    /// It does not belong in this row, or was changed, or another root has this number now.
    #[error("the sealed value was changed, or belongs elsewhere")]
    NotAuthentic,
    /// The keyring lacks its root.
    #[error("the keyring has no root {0}, which the value was sealed with")]
    UnknownRoot(u32),
}

/// The key that values are sealed with, derived from a root.
#[derive(Clone)]
pub(super) struct SealingKey(XChaCha20Poly1305);

impl SealingKey {
    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(bytes.into()))
    }

    fn encrypt(&self, of: &SealedFor, nonce: &[u8; NONCE_LENGTH], buffer: &mut [u8]) -> [u8; TAG_LENGTH] {
        // The cipher takes up to 256 GiB (RFC 8439), more than a value in memory has.
        #[expect(clippy::expect_used, reason = "the cipher takes up to 256 GiB")]
        let tag = self.0.encrypt_inout_detached(&XNonce::from(*nonce), &of.bound(), buffer.into()).expect("less than 256 GiB");
        tag.into()
    }

    fn decrypt(&self, of: &SealedFor, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let mut plain = Zeroizing::new(sealed.ciphertext.clone());
        let (nonce, tag) = (XNonce::from(sealed.nonce), Tag::from(sealed.tag));
        self.0
            .decrypt_inout_detached(&nonce, &of.bound(), plain.as_mut_slice().into(), &tag)
            .map_err(|_| Unsealable::NotAuthentic)
            .map(|()| plain)
    }
}
