//! Keyring: the root keys of the deployment.
//!
//! Numbered roots of 32 bytes; every other key is derived from one by HKDF-SHA-256 (RFC 5869) under a label of its own. One of
//! them makes and [seals](Keyring::seal), all of them read. To rotate, add a root on every host, and only then [use](Keyring::using) it: what
//! it makes can be read everywhere. To retire one, remove it when no row names it any more.

use alloc::collections::BTreeMap;
use core::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Pepper;

mod audit;
mod links;
mod prints;
mod sealing;

pub(crate) use audit::{AuditKey, Parts};
pub use links::FileLink;
pub use prints::*;
pub use sealing::*;

use links::LinkKey;

/// The root keys of a deployment, shared by all its hosts.
#[derive(Clone)]
pub struct Keyring {
    roots: BTreeMap<u32, Root>,
    present: u32,
}

/// What is derived from one root.
#[derive(Clone)]
struct Root {
    pepper: Pepper,
    sealing: SealingKey,
    link: LinkKey,
    audit: AuditKey,
    print: [u8; 32],
}

impl Root {
    fn derive_from(root: &[u8; 32]) -> Self {
        Self {
            pepper: Pepper::new(&derive(root, b"gatepost/pepper/1")),
            sealing: SealingKey::new(&derive(root, b"gatepost/sealing/1")),
            link: LinkKey::new(derive(root, b"gatepost/link/1")),
            audit: AuditKey::new(derive(root, b"gatepost/audit/1")),
            print: *derive(root, b"gatepost/print/1"),
        }
    }
}

impl Keyring {
    /// A keyring of these numbered roots; the highest number is the present one, unless [another](Self::using) is.
    pub fn new(roots: impl IntoIterator<Item = (u32, Zeroizing<[u8; 32]>)>) -> Result<Self, EmptyKeyring> {
        let roots: BTreeMap<_, _> = roots.into_iter().map(|(number, root)| (number, Root::derive_from(&root))).collect();
        let present = *roots.keys().next_back().ok_or(EmptyKeyring)?;
        Ok(Self { roots, present })
    }

    /// The same keyring, in which this root makes and seals, whatever newer ones are read.
    ///
    /// # Errors
    ///
    /// Where it has no such root.
    pub fn using(self, root: u32) -> Result<Self, AbsentRoot> {
        if self.roots.contains_key(&root) { Ok(Self { present: root, ..self }) } else { Err(AbsentRoot(root)) }
    }

    /// The number and the pepper of the present root.
    pub fn present(&self) -> (u32, &Pepper) {
        let (number, root) = self.present_root();
        (number, &root.pepper)
    }

    /// The pepper of the root with this number.
    pub fn pepper(&self, root: u32) -> Option<&Pepper> {
        self.roots.get(&root).map(|root| &root.pepper)
    }

    fn present_root(&self) -> (u32, &Root) {
        // `new` and `using` name no other.
        #[expect(clippy::expect_used, reason = "the present root is one of the keyring")]
        (self.present, self.roots.get(&self.present).expect("the present root is one of the keyring"))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} roots)", self.roots.len())
    }
}

fn derive(root: &[u8; 32], label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    // HKDF-SHA-256 gives up to 8,160 bytes, so 32 cannot be too many.
    #[expect(clippy::expect_used, reason = "32 bytes are within what HKDF gives")]
    Hkdf::<Sha256>::new(None, root).expand(label, &mut *derived).expect("32 bytes are within what HKDF gives");
    derived
}

/// A keyring needs at least one root.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected at least one root key")]
pub struct EmptyKeyring;

/// A keyring has no root with this number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the keyring has no root {0}")]
pub struct AbsentRoot(pub u32);
