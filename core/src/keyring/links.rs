//! Links: a file that somebody sent, as a link that is good for a while and for whoever has it.
//!
//! A phone system fetches files without a key. So the link is one: it names the account, what came in, and its own end, and is signed under a
//! key that is derived from a root (HMAC-SHA-256). One that is changed in one bit, or over, opens nothing.

use alloc::string::String;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{AccountId, InboundId, Keyring, Timestamp, hex};

const LENGTH: usize = 4 + 16 + 16 + 8;
const SIGNATURE_LENGTH: usize = 32;

/// A file that somebody sent, and until when it may be fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileLink {
    /// Whose it is.
    pub account: AccountId,
    /// What came in with it.
    pub inbound: InboundId,
    /// Until when.
    pub expires_at: Timestamp,
}

/// What links are signed with.
#[derive(Clone)]
pub(super) struct LinkKey(Zeroizing<[u8; 32]>);

impl LinkKey {
    pub(super) const fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    fn sign(&self, bytes: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Hmac::<Sha256>::new_from_slice(&*self.0).expect("any length will do").chain_update(bytes)
    }
}

impl Keyring {
    /// The last part of the link: 152 hexadecimal digits.
    ///
    /// ```
    /// use gatepost::{AccountId, FileLink, InboundId, Keyring, Timestamp};
    ///
    /// let keyring = Keyring::new([(1, [7; 32].into())])?;
    /// let (account, inbound) = (AccountId::from_bytes([1; 16]), InboundId::from_bytes([2; 16]));
    /// let link = FileLink { account, inbound, expires_at: Timestamp::from_millis(1_000) };
    /// let text = keyring.link(&link);
    /// assert_eq!(keyring.open_link(&text, Timestamp::from_millis(999)), Some(link));
    /// assert_eq!(keyring.open_link(&text, Timestamp::from_millis(1_000)), None);
    /// # Ok::<(), gatepost::EmptyKeyring>(())
    /// ```
    pub fn link(&self, link: &FileLink) -> String {
        let (root, key) = self.present_root();
        let mut bytes = Vec::with_capacity(LENGTH + SIGNATURE_LENGTH);
        bytes.extend(root.to_be_bytes());
        bytes.extend(link.account.to_bytes());
        bytes.extend(link.inbound.to_bytes());
        bytes.extend(link.expires_at.as_millis().to_be_bytes());
        let signature = key.link.sign(&bytes).finalize().into_bytes();
        bytes.extend(signature);
        hex::encode(&bytes)
    }

    /// The file that a link names; `None` where nobody here signed it, or it is over.
    pub fn open_link(&self, text: &str, now: Timestamp) -> Option<FileLink> {
        let bytes = hex::decode::<{ LENGTH + SIGNATURE_LENGTH }>(text.as_bytes())?;
        let (signed, signature) = bytes.split_at_checked(LENGTH)?;
        let (root, rest) = signed.split_first_chunk()?;
        let (account, rest) = rest.split_first_chunk()?;
        let (inbound, rest) = rest.split_first_chunk()?;
        let (expires_at, _) = rest.split_first_chunk()?;
        let key = &self.roots.get(&u32::from_be_bytes(*root))?.link;
        key.sign(signed).verify_slice(signature).ok()?;
        let (account, inbound) = (AccountId::from_bytes(*account), InboundId::from_bytes(*inbound));
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(*expires_at));
        (now < expires_at).then_some(FileLink { account, inbound, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_500_000_000);

    fn keyring(roots: &[u32]) -> Keyring {
        Keyring::new(roots.iter().map(|root| (*root, Zeroizing::new([*root as u8; 32])))).unwrap()
    }

    fn link() -> FileLink {
        FileLink { account: AccountId::from_bytes([1; 16]), inbound: InboundId::from_bytes([2; 16]), expires_at: NOW }
    }

    #[test]
    fn a_link_outlives_a_new_root_and_not_its_own() {
        let text = keyring(&[1]).link(&link());
        assert_eq!(keyring(&[1, 2]).open_link(&text, Timestamp::from_millis(0)), Some(link()));
        assert_eq!(keyring(&[2]).open_link(&text, Timestamp::from_millis(0)), None);
    }

    #[test]
    fn a_link_that_is_changed_in_one_digit_opens_nothing() {
        let keyring = keyring(&[1]);
        let text = keyring.link(&link());
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            assert_eq!(keyring.open_link(&String::from_utf8(changed).unwrap(), Timestamp::from_millis(0)), None, "{place}");
        }
        for other in ["", "00", &text[1..], &[&text, "00"].concat(), "ü"] {
            assert_eq!(keyring.open_link(other, Timestamp::from_millis(0)), None, "{other}");
        }
    }
}
