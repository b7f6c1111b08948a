//! Keys: who is let in, from where and until when.
//!
//! A scenario is a list of what was done to a key, and the answer what its holder is told when they come with it.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use gatepost::{
    AccountId, ApiKey, Brand, GRACE_MAX, Host, KeyKind, KeyOwner, KeyTerms, Keyring, Mode, NewKey, PresentedKey, Scope, Scopes, SealedFor,
    SealedKind, Timestamp,
};

#[test]
fn a_key_in_force_is_let_in() {
    check("", "in");
}

#[test]
fn a_key_ends_at_the_moment_it_expires() {
    check("expires in 1 s", "in");
    check("expires in 0 s", "the key has expired");
}

#[test]
fn a_key_ends_at_the_moment_it_is_revoked() {
    check("revoked in 1 s", "in");
    check("revoked in 0 s", "the key was revoked");
}

#[test]
fn a_key_that_was_revoked_and_expired_was_revoked() {
    check("expires in 0 s\nrevoked in 0 s", "the key was revoked");
}

#[test]
fn a_list_of_addresses_keeps_others_out() {
    check("allowed from 192.0.2.0/24\ncomes from 192.0.2.7", "in");
    check("allowed from 192.0.2.0/24\ncomes from 198.51.100.7", "the key may not be used from this address");
    check("allowed from 2001:db8::/32\ncomes from 2001:db8::7", "in");
    check("allowed from 192.0.2.0/24\nallowed from 198.51.100.0/24\ncomes from 198.51.100.7", "in");
}

#[test]
fn an_address_mapped_into_ipv6_is_the_address() {
    check("allowed from 192.0.2.0/24\ncomes from ::ffff:192.0.2.7", "in");
}

#[test]
fn a_caller_whose_address_is_not_known_is_kept_out_by_a_list() {
    check("allowed from 192.0.2.0/24", "the key may not be used from this address");
}

#[test]
fn only_the_holder_of_the_secret_learns_that_a_key_was_revoked() {
    check("revoked in 0 s\nsomebody else's secret", "there is no such key");
}

#[test]
fn a_key_hashed_with_another_root_is_unknown() {
    check("hashed with an older root", "there is no such key");
}

#[test]
fn a_rerolled_key_lives_on_for_its_grace_and_never_longer_than_before() {
    let [minute, year] = [60, 365 * 24 * 3_600].map(Duration::from_secs);
    let end = |expires_in: Option<Duration>, grace| {
        let row = ApiKey { expires_at: expires_in.map(|span| now().plus(span)), ..Case::new().row };
        row.end_after_reroll(grace, now()).since(now())
    };
    assert_eq!(end(None, minute), minute);
    assert_eq!(end(None, year), GRACE_MAX);
    assert_eq!(end(Some(minute), year), minute);
    assert_eq!(end(Some(year), minute), minute);
}

#[test]
fn a_rerolled_key_may_do_what_the_old_one_might() {
    let row = ApiKey { expires_at: Some(now()), allowed_from: vec!["192.0.2.0/24".parse().unwrap()], ..Case::new().row };
    let terms = row.reroll_terms();
    assert_eq!((terms.scopes, terms.allowed_from, terms.expires_at), (row.scopes, row.allowed_from, row.expires_at));
}

#[test]
fn the_newest_root_makes_and_all_of_them_read() {
    let keyring = Keyring::new([(7, [7; 32].into()), (9, [9; 32].into()), (8, [8; 32].into())]).unwrap();
    let key = NewKey::generate(&Brand::default(), KeyKind::Operator, &Counting::default());
    assert_eq!(keyring.present().0, 9);
    for root in [7, 8, 9] {
        let alone = Keyring::new([(root, [u8::try_from(root).unwrap(); 32].into())]).unwrap();
        assert_eq!(keyring.pepper(root).map(|pepper| pepper.digest_new(&key)), Some(alone.present().1.digest_new(&key)));
    }
    assert!(keyring.pepper(1).is_none());
    assert_ne!(keyring.pepper(7).map(|pepper| pepper.digest_new(&key)), keyring.pepper(8).map(|pepper| pepper.digest_new(&key)));
}

#[test]
fn a_root_that_is_new_is_read_and_makes_nothing_until_it_is_used() {
    let roots = || [(1, [1; 32].into()), (2, [2; 32].into())];
    let ahead = Keyring::new(roots()).unwrap();
    let behind = Keyring::new(roots()).unwrap().using(1).unwrap();
    assert_eq!((behind.present().0, ahead.present().0), (1, 2));
    let of = SealedFor { account: AccountId::from_bytes([5; 16]), kind: SealedKind::EndpointSecrets, row: [6; 16] };
    let (old, new) = (behind.seal(of, b"old", &Counting::default()), ahead.seal(of, b"new", &Counting::default()));
    assert_eq!((old.root(), new.root()), (1, 2));
    assert_eq!((ahead.open(of, &old).unwrap().as_slice(), behind.open(of, &new).unwrap().as_slice()), (&b"old"[..], &b"new"[..]));
    assert_eq!(behind.using(3).unwrap_err().to_string(), "the keyring has no root 3");
}

#[test]
fn a_key_grants_only_scopes_it_has() {
    let some: Scopes = [Scope::MessagesSend, Scope::MessagesRead].into_iter().collect();
    assert!(Scopes::all().contains_all(some));
    assert!(!some.contains_all(Scopes::all()));
    assert!(some.contains(Scope::MessagesSend) && !some.contains(Scope::KeysWrite));
    assert_eq!(some.iter().collect::<Vec<_>>(), [Scope::MessagesSend, Scope::MessagesRead]);
}

#[test]
fn a_brand_starts_the_keys_of_its_deployment_and_of_no_other() {
    let brand: Brand = "acme".parse().unwrap();
    let key = NewKey::generate(&brand, KeyKind::Operator, &Counting::default());
    assert!(key.reveal().starts_with("acme_op_"));
    assert!(PresentedKey::parse(key.reveal(), &brand).is_ok());
    assert!(PresentedKey::parse(key.reveal(), &Brand::default()).is_err());
}

#[track_caller]
fn check(scenario: &str, expected: &str) {
    let mut case = Case::new();
    scenario.lines().for_each(|line| case.tell(line));
    assert_eq!(case.answer(), expected, "\n{scenario}");
}

/// A key, its row, and somebody who comes with it.
struct Case {
    key: NewKey,
    row: ApiKey,
    comes_from: Option<core::net::IpAddr>,
    keyring: Keyring,
    read_with: u32,
    host: Counting,
}

impl Case {
    fn new() -> Self {
        let host = Counting::default();
        let keyring = Keyring::new([(1, [1; 32].into()), (2, [2; 32].into())]).unwrap();
        let key = NewKey::generate(&Brand::default(), KIND, &host);
        let owner = KeyOwner::Account(AccountId::from_bytes([5; 16]), Mode::Live);
        let terms = KeyTerms { name: "shop".parse().unwrap(), scopes: Scopes::all(), allowed_from: vec![], expires_at: None };
        let (root, pepper) = keyring.present();
        let row = ApiKey::new(&key, owner, terms, root, pepper, now());
        Self { key, row, comes_from: None, read_with: root, keyring, host }
    }

    fn tell(&mut self, line: &str) {
        match *line.split(' ').collect::<Vec<_>>().as_slice() {
            ["expires", "in", seconds, "s"] => self.row.expires_at = Some(now().plus(Duration::from_secs(seconds.parse().unwrap()))),
            ["revoked", "in", seconds, "s"] => self.row.revoked_at = Some(now().plus(Duration::from_secs(seconds.parse().unwrap()))),
            ["allowed", "from", net] => self.row.allowed_from.push(net.parse().unwrap()),
            ["comes", "from", address] => self.comes_from = Some(address.parse().unwrap()),
            ["hashed", "with", "an", "older", "root"] => self.read_with = 1,
            ["somebody", "else's", "secret"] => self.key = NewKey::generate(&Brand::default(), KIND, &self.host),
            _ => panic!("a scenario does not know `{line}`"),
        }
    }

    fn answer(&self) -> String {
        let presented = PresentedKey::parse(self.key.reveal(), &Brand::default()).unwrap();
        let pepper = self.keyring.pepper(self.read_with).unwrap();
        self.row.check(&presented, pepper, self.comes_from, now()).map_or_else(|refusal| refusal.to_string(), |()| "in".to_owned())
    }
}

const KIND: KeyKind = KeyKind::Account(Mode::Live);

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A host whose clock stands still, and whose bytes follow from how many were asked for.
#[derive(Default)]
struct Counting(AtomicU32);

impl Host for Counting {
    fn now(&self) -> Timestamp {
        now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = (self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b1) >> 24) as u8;
        }
    }
}
