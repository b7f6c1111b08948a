//! API key: who is calling.
//!
//! A key is shown once and stored as a keyed hash. Its text carries its own id and a checksum, so that junk is told from a key
//! before anything is looked up:
//!
//! ```text
//! wg_live_ 0aZ3kQ9fLm2X  <43 characters of secret>  <6 characters of CRC-32>
//!          id            256 bits                   IEEE, over all that stands before, in base 62
//! ```
//!
//! `wg_live_` and `wg_test_` are an account's keys, `wg_op_` an operator's. The expression for secret scanners is
//! `wg_(?:live|test|op)_[0-9A-Za-z]{61}`.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use core::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{AccountId, Host, Mode, Name, Timestamp};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const LENGTH_AFTER_PREFIX: usize = ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH;

/// How long an old key may live on after a reroll.
pub const GRACE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a key lives where nobody says otherwise.
pub const LIFETIME_DEFAULT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The first letters of a deployment's keys: `wg` unless configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Brand(String);

impl Brand {
    /// The letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self(String::from("wg"))
    }
}

impl FromStr for Brand {
    type Err = InvalidBrand;

    fn from_str(text: &str) -> Result<Self, InvalidBrand> {
        let lower = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if lower && (2..=12).contains(&text.len()) { Ok(Self(String::from(text))) } else { Err(InvalidBrand) }
    }
}

/// The text cannot start a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected 2 to 12 lower-case letters or digits")]
pub struct InvalidBrand;

/// The public part of a key: twelve characters of base 62.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId([u8; ID_LENGTH]);

impl KeyId {
    /// The characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let bytes: [u8; ID_LENGTH] = text.as_bytes().try_into().map_err(|_| InvalidKeyId)?;
        if bytes.iter().all(u8::is_ascii_alphanumeric) { Ok(Self(bytes)) } else { Err(InvalidKeyId) }
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The text is not the id of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the 12 letters and digits of a key id")]
pub struct InvalidKeyId;

/// What kind of key it is, as its prefix says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyKind {
    /// An account's.
    Account(Mode),
    /// An operator's.
    Operator,
}

impl KeyKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Account(Mode::Live) => "live",
            Self::Account(Mode::Test) => "test",
            Self::Operator => "op",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Account(Mode::Live), Self::Account(Mode::Test), Self::Operator].into_iter().find(|kind| kind.word() == word)
    }
}

/// A key that was just made. This is the one time its text exists here.
pub struct NewKey {
    /// Its public part.
    pub id: KeyId,
    text: Zeroizing<String>,
}

impl NewKey {
    /// Makes a key of this kind from the host's randomness.
    pub fn generate(brand: &Brand, kind: KeyKind, host: &dyn Host) -> Self {
        let id = KeyId(random_base62(host));
        let secret: Zeroizing<[u8; SECRET_LENGTH]> = Zeroizing::new(random_base62(host));
        let mut text = Zeroizing::new(String::with_capacity(brand.0.len() + 6 + LENGTH_AFTER_PREFIX));
        for part in [brand.as_str(), "_", kind.word(), "_", id.as_str(), core::str::from_utf8(&*secret).unwrap_or_default()] {
            text.push_str(part);
        }
        let checksum = checksum(&text);
        text.push_str(core::str::from_utf8(&checksum).unwrap_or_default());
        Self { id, text }
    }

    /// The text to show, once.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({})", self.id)
    }
}

fn random_base62<const N: usize>(host: &dyn Host) -> [u8; N] {
    let mut characters = [0; N];
    let mut filled = 0;
    while filled < N {
        let mut random = Zeroizing::new([0; 64]);
        host.fill(&mut *random);
        // 248 is the last multiple of 62 in a byte: what lies above would favour the first letters.
        for byte in random.iter().filter(|byte| **byte < 248) {
            let (Some(slot), Some(character)) = (characters.get_mut(filled), BASE62.get(usize::from(byte % 62))) else { break };
            *slot = *character;
            filled += 1;
        }
    }
    characters
}

fn checksum(text: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.get(rest % 62).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits
}

/// A key as a caller presented it, its checksum already found right. Nothing was looked up yet.
#[derive(Clone, Copy)]
pub struct PresentedKey<'a> {
    /// Its public part.
    pub id: KeyId,
    /// Its kind.
    pub kind: KeyKind,
    text: &'a str,
}

impl<'a> PresentedKey<'a> {
    /// Reads a key of this brand.
    pub fn parse(text: &'a str, brand: &Brand) -> Result<Self, MalformedKey> {
        let rest = text.strip_prefix(brand.as_str()).and_then(|rest| rest.strip_prefix('_')).ok_or(MalformedKey)?;
        let (word, body) = rest.split_once('_').ok_or(MalformedKey)?;
        let kind = KeyKind::from_word(word).ok_or(MalformedKey)?;
        if body.len() != LENGTH_AFTER_PREFIX || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(MalformedKey);
        }
        let (before, written) = text.split_at(text.len() - CHECKSUM_LENGTH);
        if checksum(before) != written.as_bytes() {
            return Err(MalformedKey);
        }
        let id = body.get(..ID_LENGTH).and_then(|id| id.parse().ok()).ok_or(MalformedKey)?;
        Ok(Self { id, kind, text })
    }
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedKey({})", self.id)
    }
}

/// The text is not a key of this deployment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an API key")]
pub struct MalformedKey;

/// The key that keys are hashed with, derived from a root of the [`Keyring`](crate::Keyring).
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

impl Pepper {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        // HMAC takes a key of any length (RFC 2104), so the error cannot occur.
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Self(Hmac::new_from_slice(bytes).expect("HMAC takes a key of any length"))
    }

    /// The hash that a store keeps of a new key.
    pub fn digest_new(&self, key: &NewKey) -> KeyDigest {
        self.digest(&key.text)
    }

    fn digest(&self, text: &str) -> KeyDigest {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        KeyDigest(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(***)")
    }
}

/// HMAC-SHA-256 of a key's text. Comparing takes the same time wherever two differ.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest, as a store keeps it.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(***)")
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// One thing that a key may do.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Scope { $($(#[$doc])* $variant,)* }

        impl Scope {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word used in requests, answers and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

scopes! {
    /// Send messages.
    MessagesSend = "messages:send",
    /// Read messages, their attempts, instances and usage.
    MessagesRead = "messages:read",
    /// Add, lift and list suppressions.
    SuppressionsWrite = "suppressions:write",
    /// Set up endpoints for events.
    EndpointsWrite = "endpoints:write",
    /// Set up instances and phone systems.
    IntegrationsWrite = "integrations:write",
    /// Make, reroll and revoke keys.
    KeysWrite = "keys:write",
    /// Release and refuse held messages.
    ReviewsWrite = "reviews:write",
    /// Read the policy and its events.
    PolicyRead = "policy:read",
    /// Read the logs.
    LogsRead = "logs:read",
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(word: &str) -> Result<Self, InvalidScope> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == word).ok_or(InvalidScope)
    }
}

/// The word is no scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a scope, for example `messages:send`")]
pub struct InvalidScope;

/// What a key may do.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Scopes(u16);

impl Scopes {
    /// Everything an account's key can do.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Whether `scope` is among them.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u16) != 0
    }

    /// Whether all of `others` are among them.
    pub const fn contains_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u16))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Scope::as_str))
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words: Vec<String> = Vec::deserialize(deserializer)?;
        words.iter().map(|word| word.parse::<Scope>().map_err(de::Error::custom)).collect()
    }
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyOwner {
    /// An account's, for real messages or for the sandbox.
    Account(AccountId, Mode),
    /// An operator's.
    Operator,
}

/// A key as a store keeps it: everything but the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiKey {
    /// Its public part.
    pub id: KeyId,
    /// Whose it is.
    pub owner: KeyOwner,
    /// What people call it.
    pub name: Name,
    /// The keyed hash of its text.
    pub digest: KeyDigest,
    /// Which root of the keyring the hash was made with.
    pub root: u32,
    /// The last four characters of its text, so that people tell keys apart.
    pub last_four: String,
    /// What it may do.
    pub scopes: Scopes,
    /// From where it may be used; from anywhere where empty.
    pub allowed_from: Vec<IpNet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When somebody revoked it.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to about half a minute.
    pub last_used_at: Option<Timestamp>,
}

/// What a new key should be.
#[derive(Clone, Debug)]
pub struct KeyTerms {
    /// What people call it.
    pub name: Name,
    /// What it may do.
    pub scopes: Scopes,
    /// From where it may be used; from anywhere where empty.
    pub allowed_from: Vec<IpNet>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    /// The row for `key`, hashed with `pepper` of the root with this number.
    pub fn new(key: &NewKey, owner: KeyOwner, terms: KeyTerms, root: u32, pepper: &Pepper, now: Timestamp) -> Self {
        let text = key.reveal();
        Self {
            id: key.id,
            owner,
            name: terms.name,
            digest: pepper.digest_new(key),
            root,
            last_four: text.get(text.len().saturating_sub(4)..).map(String::from).unwrap_or_default(),
            scopes: terms.scopes,
            allowed_from: terms.allowed_from,
            created_at: now,
            expires_at: terms.expires_at,
            revoked_at: None,
            last_used_at: None,
        }
    }

    /// Whether it is in force at `now`.
    pub fn state_at(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some_and(|at| at <= now) {
            KeyState::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            KeyState::Expired
        } else {
            KeyState::Active
        }
    }

    /// Whether `presented` is this key, in force, and comes from an allowed address.
    ///
    /// The secret is compared first, so that only its holder learns that a key was revoked.
    pub fn check(&self, presented: &PresentedKey<'_>, pepper: &Pepper, from: Option<IpAddr>, now: Timestamp) -> Result<(), KeyRefusal> {
        if pepper.digest(presented.text) != self.digest {
            return Err(KeyRefusal::Unknown);
        }
        match self.state_at(now) {
            KeyState::Active => {}
            KeyState::Expired => return Err(KeyRefusal::Expired),
            KeyState::Revoked => return Err(KeyRefusal::Revoked),
        }
        let allowed =
            self.allowed_from.is_empty() || from.is_some_and(|ip| self.allowed_from.iter().any(|net| net.contains(&ip.to_canonical())));
        if allowed { Ok(()) } else { Err(KeyRefusal::Address) }
    }

    /// The terms of the key that replaces this one: the same, with the same end.
    pub fn reroll_terms(&self) -> KeyTerms {
        KeyTerms { name: self.name.clone(), scopes: self.scopes, allowed_from: self.allowed_from.clone(), expires_at: self.expires_at }
    }

    /// When this key ends once it is replaced at `now`: after the grace, and never later than before.
    pub fn end_after_reroll(&self, grace: Duration, now: Timestamp) -> Timestamp {
        let end = now.plus(grace.min(GRACE_MAX));
        self.expires_at.map_or(end, |expiry| expiry.min(end))
    }
}

/// Whether a key is in force.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It is.
    Active,
    /// It ended by itself.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

/// Why a presented key is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyRefusal {
    /// The caller's address is not on the key's list.
    #[error("the key may not be used from this address")]
    Address,
    /// Its time is over.
    #[error("the key has expired")]
    Expired,
    /// Somebody revoked it.
    #[error("the key was revoked")]
    Revoked,
    /// There is no such key.
    #[error("there is no such key")]
    Unknown,
}
