//! Sealing: what is sealed opens for its own row, with a keyring that has its root, and not at all otherwise.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use core::sync::atomic::{AtomicU8, Ordering};

use gatepost::{AccountId, Host, Keyring, Sealed, SealedFor, SealedKind, Timestamp, Unsealable};

const PLAIN: &[u8] = b"a secret that must be read again";

#[test]
fn what_is_sealed_opens_for_its_row() {
    for plain in [PLAIN, b"", &[0xab; 10_000]] {
        let sealed = keyring(&[1]).seal(here(), plain, &Counting::default());
        let opened = keyring(&[1]).open(here(), &sealed).unwrap();
        assert_eq!(opened.as_slice(), plain);
    }
}

#[test]
fn it_does_not_open_elsewhere() {
    let sealed = keyring(&[1]).seal(here(), PLAIN, &Counting::default());
    let elsewhere = [
        SealedFor { account: AccountId::from_bytes([9; 16]), ..here() },
        SealedFor { kind: SealedKind::EndpointHeaders, ..here() },
        SealedFor { row: [9; 16], ..here() },
        // Account and row change places.
        SealedFor { account: AccountId::from_bytes(here().row), row: here().account.to_bytes(), ..here() },
    ];
    for other in elsewhere {
        assert_eq!(keyring(&[1]).open(other, &sealed), Err(Unsealable::NotAuthentic), "{other:?}");
    }
}

#[test]
fn the_newest_root_seals_and_old_ones_open() {
    let old = keyring(&[1]).seal(here(), PLAIN, &Counting::default());
    let both = keyring(&[1, 2]);
    let new = both.seal(here(), PLAIN, &Counting::default());
    assert_eq!((old.root(), new.root()), (1, 2));
    assert_eq!((both.needs_resealing(&old), both.needs_resealing(&new)), (true, false));
    assert_eq!(both.open(here(), &old).unwrap(), both.open(here(), &new).unwrap());
}

#[test]
fn a_root_that_is_gone_is_named() {
    let sealed = keyring(&[7]).seal(here(), PLAIN, &Counting::default());
    let refusal = keyring(&[1, 2]).open(here(), &sealed);
    assert_eq!(refusal, Err(Unsealable::UnknownRoot(7)));
    assert!(keyring(&[1, 2]).needs_resealing(&sealed));
}

#[test]
fn another_root_of_the_same_number_opens_nothing() {
    let sealed = keyring(&[1]).seal(here(), PLAIN, &Counting::default());
    let other = Keyring::new([(1, [0xee; 32].into())]).unwrap();
    assert_eq!(other.open(here(), &sealed), Err(Unsealable::NotAuthentic));
}

#[test]
fn one_changed_bit_anywhere_and_it_does_not_open() {
    let keyring = keyring(&[1]);
    let bytes = keyring.seal(here(), PLAIN, &Counting::default()).to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = Sealed::from_bytes(&changed).and_then(|sealed| keyring.open(here(), &sealed));
        assert!(opened.is_err(), "bit {bit}");
    }
}

#[test]
fn a_value_that_was_cut_or_lengthened_does_not_open() {
    let keyring = keyring(&[1]);
    let bytes = keyring.seal(here(), PLAIN, &Counting::default()).to_bytes();
    for length in 0..bytes.len() {
        let opened = Sealed::from_bytes(&bytes[..length]).and_then(|sealed| keyring.open(here(), &sealed));
        assert!(opened.is_err(), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Sealed::from_bytes(&longer).and_then(|sealed| keyring.open(here(), &sealed)), Err(Unsealable::NotAuthentic));
    assert_eq!(Sealed::from_bytes(&bytes[..44]), Err(Unsealable::Malformed));
}

#[test]
fn sealed_bytes_read_back_and_keep_their_form() {
    let sealed = keyring(&[1]).seal(here(), PLAIN, &Counting::default());
    let bytes = sealed.to_bytes();
    assert_eq!(Sealed::from_bytes(&bytes), Ok(sealed));
    // A release that reads other bytes than these cannot open what this one sealed.
    insta::assert_snapshot!(hex(&bytes), @"0100000001000102030405060708090a0b0c0d0e0f1011121314151617bdbf453959820818b12ff305578cad33900fd34c0bd17ec2c314d6aa291551d60354561ad830027cda6729d0b0890dc2");
}

#[test]
fn the_same_secret_sealed_twice_does_not_look_the_same() {
    let host = Counting::default();
    let [one, two] = [(); 2].map(|()| keyring(&[1]).seal(here(), PLAIN, &host).to_bytes());
    assert_ne!(one[29..], two[29..]);
}

#[test]
fn nothing_is_seen_of_what_is_sealed() {
    let sealed = keyring(&[1]).seal(here(), &[0xab; 32], &Counting::default());
    assert_eq!(format!("{sealed:?} {:?}", keyring(&[1, 2])), "Sealed(32 bytes, root 1) Keyring(2 roots)");
    let errors = [Unsealable::Malformed, Unsealable::NotAuthentic, Unsealable::UnknownRoot(7)].map(|error| error.to_string());
    insta::assert_snapshot!(errors.join("\n"), @r"
    expected a sealed value of version 1
    the sealed value was changed, or belongs elsewhere
    the keyring has no root 7, which the value was sealed with
    ");
}

fn here() -> SealedFor {
    SealedFor { account: AccountId::from_bytes([5; 16]), kind: SealedKind::EndpointSecrets, row: [6; 16] }
}

/// Each root is its number 32 times.
fn keyring(roots: &[u8]) -> Keyring {
    Keyring::new(roots.iter().map(|number| (u32::from(*number), [*number; 32].into()))).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A host that counts.
#[derive(Default)]
struct Counting(AtomicU8);

impl Host for Counting {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}
