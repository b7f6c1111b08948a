//! Prints: what tells a root from every other one, and tells nothing of it.
//!
//! A store keeps the print of each root that a host has opened it with, so that a host with another keyring is found out before it makes
//! anything that the others cannot read. A print is derived from its root like every other key, under a label of its own, and opens nothing.

use alloc::vec::Vec;

use crate::Keyring;

/// What tells a root of a keyring from every other root. It is no secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RootPrint {
    /// The root's number.
    pub number: u32,
    /// HKDF-SHA-256 of the root, under a label that nothing else has.
    pub print: [u8; 32],
}

impl RootPrint {
    /// Whether both can be prints of one keyring, each at its time: no number stands for two roots, and where there are any on both sides
    /// they share one.
    pub fn are_of_one_keyring(some: &[Self], others: &[Self]) -> bool {
        let is_apart = || !some.is_empty() && !others.is_empty() && !some.iter().any(|print| others.contains(print));
        !some.iter().any(|print| others.iter().any(|other| print.is_unlike(other))) && !is_apart()
    }

    /// Whether it is of another root with the same number.
    fn is_unlike(&self, other: &Self) -> bool {
        self.number == other.number && self.print != other.print
    }
}

impl Keyring {
    /// The print of each root, by number.
    pub fn prints(&self) -> Vec<RootPrint> {
        self.roots.iter().map(|(number, root)| RootPrint { number: *number, print: root.print }).collect()
    }

    /// Refuses the prints of another keyring.
    ///
    /// A root that is missing here was retired, or is not here yet: which is not for a keyring to judge, but for whoever sees whether
    /// something was made with it.
    ///
    /// ```
    /// use gatepost::{Keyring, OtherKeyring};
    ///
    /// let keyring = |root: [u8; 32]| Keyring::new([(1, root.into())]);
    /// assert_eq!(keyring([7; 32])?.check(&keyring([7; 32])?.prints()), Ok(()));
    /// assert_eq!(keyring([7; 32])?.check(&keyring([8; 32])?.prints()), Err(OtherKeyring::Unlike { root: 1 }));
    /// # Ok::<(), gatepost::EmptyKeyring>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`OtherKeyring`], which names a root.
    pub fn check(&self, noted: &[RootPrint]) -> Result<(), OtherKeyring> {
        let own = self.prints();
        if let Some(unlike) = noted.iter().find(|print| own.iter().any(|own| own.is_unlike(print))) {
            return Err(OtherKeyring::Unlike { root: unlike.number });
        }
        match noted.iter().map(|print| print.number).max() {
            Some(root) if !RootPrint::are_of_one_keyring(noted, &own) => Err(OtherKeyring::Absent { root }),
            _ => Ok(()),
        }
    }
}

/// In what a keyring is not the one that was noted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OtherKeyring {
    /// It lacks a root.
    #[error("expected root {root}, which the database knows")]
    Absent {
        /// Its number.
        root: u32,
    },
    /// One of its roots is another than the one that was noted under its number.
    #[error("expected another root {root}: this one is not that of the database")]
    Unlike {
        /// Its number.
        root: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(roots: &[(u32, u8)]) -> Keyring {
        Keyring::new(roots.iter().map(|(number, byte)| (*number, [*byte; 32].into()))).unwrap()
    }

    fn check(own: &[(u32, u8)], noted: &[(u32, u8)]) -> Result<(), OtherKeyring> {
        let noted = if noted.is_empty() { Vec::new() } else { keyring(noted).prints() };
        keyring(own).check(&noted)
    }

    #[test]
    fn a_keyring_that_nobody_knows_yet_is_as_good_as_any() {
        assert_eq!(check(&[(1, 1)], &[]), Ok(()));
    }

    #[test]
    fn a_keyring_with_new_roots_and_without_retired_ones_is_the_same() {
        assert_eq!(check(&[(1, 1), (2, 2)], &[(1, 1)]), Ok(()));
        assert_eq!(check(&[(2, 2)], &[(1, 1), (2, 2)]), Ok(()));
        assert_eq!(check(&[(1, 1), (3, 3)], &[(1, 1), (2, 2), (3, 3)]), Ok(()));
    }

    #[test]
    fn another_root_of_the_same_number_is_named() {
        assert_eq!(check(&[(1, 1)], &[(1, 9)]), Err(OtherKeyring::Unlike { root: 1 }));
        assert_eq!(check(&[(1, 1), (2, 2)], &[(1, 1), (2, 9)]), Err(OtherKeyring::Unlike { root: 2 }));
    }

    #[test]
    fn a_root_that_is_not_here_yet_is_not_missed() {
        assert_eq!(check(&[(1, 1)], &[(1, 1), (2, 2)]), Ok(()));
    }

    #[test]
    fn a_keyring_that_shares_no_root_is_another() {
        assert_eq!(check(&[(2, 2)], &[(1, 1)]), Err(OtherKeyring::Absent { root: 1 }));
        assert!(!RootPrint::are_of_one_keyring(&keyring(&[(1, 1)]).prints(), &keyring(&[(2, 2)]).prints()));
    }

    #[test]
    fn a_print_is_of_its_root_alone_and_of_no_key_of_it() {
        let keyring = keyring(&[(1, 7), (2, 7), (3, 8)]);
        let prints: Vec<[u8; 32]> = keyring.prints().iter().map(|print| print.print).collect();
        assert_eq!(prints[0], prints[1]);
        assert_ne!(prints[0], prints[2]);
        let labels = [b"gatepost/pepper/1".as_slice(), b"gatepost/sealing/1", b"gatepost/link/1", b"gatepost/audit/1"];
        for key in labels.map(|label| super::super::derive(&[7; 32], label)) {
            assert_ne!(prints[0], *key);
        }
        assert_ne!(prints[0], [7; 32]);
    }

    #[test]
    fn a_print_is_the_same_in_every_release() {
        assert_eq!(crate::hex::encode(&keyring(&[(1, 7)]).prints()[0].print[..8]), "776a71d6168fcab4");
    }
}
