//! Endpoint secrets: what signs the events of one endpoint, and until when.
//!
//! A rotation makes a new secret the current one and lets the former ones live on for an [`Overlap`], so that a receiver which knows
//! either can verify. Standard Webhooks carry a signature of every live secret. The public contract's header has room for one: the
//! oldest live secret signs it, until that ends or somebody calls [`EndpointSecrets::switch`]. All of this follows from the time at
//! which is signed; no job has to run.

use alloc::vec::Vec;
use core::time::Duration;

use zeroize::Zeroizing;

use super::{SigningKey, SigningSecret};
use crate::Timestamp;

/// How many previous secrets may live beside the current one.
pub const PREVIOUS_SECRETS_MAX: usize = 4;

/// The signing secrets of an endpoint, and its signing key if it has one.
///
/// ```
/// use gatepost::{EndpointSecrets, Overlap, SigningSecret, Timestamp};
///
/// let [old, new]: [SigningSecret; 2] = ["whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk".parse()?, "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3".parse()?];
/// let monday: Timestamp = "2026-11-23T12:00:00Z".parse()?;
/// let tuesday: Timestamp = "2026-11-24T12:00:00Z".parse()?;
///
/// let secrets = EndpointSecrets::new(old.clone()).rotate(new.clone(), Overlap::default(), monday)?;
/// assert_eq!(secrets.live(monday).collect::<Vec<_>>(), [&new, &old]);
/// assert_eq!(secrets.contract_signer(monday), &old);
/// assert_eq!(secrets.contract_signer(tuesday), &new);
/// assert_eq!(secrets.switch(monday).contract_signer(monday), &new);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EndpointSecrets {
    current: SigningSecret,
    /// The oldest first. None ends after a younger one.
    previous: Vec<PreviousSecret>,
    key: Option<SigningKey>,
}

/// A secret that was rotated away, and lives on for a while.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PreviousSecret {
    secret: SigningSecret,
    /// When it ends.
    pub ends_at: Timestamp,
    /// From when on it no longer signs the public contract's header, if somebody called the switch.
    pub switched_at: Option<Timestamp>,
}

impl PreviousSecret {
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.ends_at
    }

    fn signs_contract(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.switched_at.is_none_or(|switched_at| now < switched_at)
    }
}

impl EndpointSecrets {
    /// The secrets of a new endpoint.
    pub const fn new(current: SigningSecret) -> Self {
        Self { current, previous: Vec::new(), key: None }
    }

    /// Has `key` sign too, in place of the one before.
    pub fn with_key(self, key: SigningKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Signs with secrets only.
    pub fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    /// The signing key, if it has one.
    pub const fn key(&self) -> Option<&SigningKey> {
        self.key.as_ref()
    }

    /// The secrets that were rotated away, the oldest first; some may have ended.
    pub fn previous(&self) -> &[PreviousSecret] {
        &self.previous
    }

    /// Makes `new` the current secret. What was live before lives on for the overlap and not longer: without overlap it ends at once.
    pub fn rotate(self, new: SigningSecret, overlap: Overlap, now: Timestamp) -> Result<Self, RotationRefusal> {
        if self.live(now).any(|live| *live == new) {
            return Err(RotationRefusal::StillLive);
        }
        let end = now.plus(overlap.0);
        let mut previous = self.previous;
        previous.push(PreviousSecret { secret: self.current, ends_at: end, switched_at: None });
        previous.iter_mut().for_each(|secret| secret.ends_at = secret.ends_at.min(end));
        previous.retain(|secret| secret.is_live(now));
        if previous.len() > PREVIOUS_SECRETS_MAX {
            return Err(RotationRefusal::TooMany);
        }
        Ok(Self { current: new, previous, key: self.key })
    }

    /// From `now` on the current secret signs the public contract's header. The previous ones go on to sign as Standard Webhooks.
    pub fn switch(mut self, now: Timestamp) -> Self {
        for secret in &mut self.previous {
            secret.switched_at.get_or_insert(now);
        }
        self
    }

    /// The same without what has ended: a secret that signs nothing any more should not be kept.
    pub fn without_ended(mut self, now: Timestamp) -> Self {
        self.previous.retain(|secret| secret.is_live(now));
        self
    }

    /// The secrets that sign as Standard Webhooks at `now`, the current one first.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &SigningSecret> {
        let previous = self.previous.iter().filter(move |secret| secret.is_live(now));
        core::iter::once(&self.current).chain(previous.map(|secret| &secret.secret))
    }

    /// The secret that signs the public contract's header at `now`.
    pub fn contract_signer(&self, now: Timestamp) -> &SigningSecret {
        self.previous.iter().find(|secret| secret.signs_contract(now)).map_or(&self.current, |secret| &secret.secret)
    }
}

/// How long a previous secret lives on: from none to seven days, 24 hours by default.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Overlap(Duration);

impl Overlap {
    /// None: the previous secrets end at once.
    pub const NONE: Self = Self(Duration::ZERO);
    /// Seven days.
    pub const MAX: Self = Self(Duration::from_secs(7 * 24 * 3_600));

    /// An overlap of so many seconds.
    pub const fn from_seconds(seconds: u64) -> Result<Self, InvalidOverlap> {
        if seconds <= Self::MAX.as_seconds() { Ok(Self(Duration::from_secs(seconds))) } else { Err(InvalidOverlap) }
    }

    /// Its seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0.as_secs()
    }
}

impl Default for Overlap {
    fn default() -> Self {
        Self(Duration::from_secs(24 * 3_600))
    }
}

/// The overlap is too long.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an overlap of 0 to 604800 seconds, which is seven days")]
pub struct InvalidOverlap;

/// Why a secret cannot become the current one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RotationRefusal {
    /// It is the current one, or was and has not ended.
    #[error("expected a signing secret that the endpoint does not have already")]
    StillLive,
    /// Too many previous ones have not ended.
    #[error("expected at most {PREVIOUS_SECRETS_MAX} previous signing secrets: wait until one ends, or rotate without overlap")]
    TooMany,
}

const VERSION: u8 = 1;

impl EndpointSecrets {
    /// The bytes to [seal](crate::Keyring::seal).
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.length()));
        bytes.push(VERSION);
        put_secret(&mut bytes, &self.current);
        bytes.push(self.key.is_some().into());
        bytes.extend(self.key.iter().flat_map(SigningKey::seed));
        for secret in &self.previous {
            put_secret(&mut bytes, &secret.secret);
            bytes.extend(secret.ends_at.as_millis().to_be_bytes());
            bytes.extend(secret.switched_at.unwrap_or(Timestamp::MAX).as_millis().to_be_bytes());
        }
        bytes
    }

    /// Enough for all of it: a buffer that grows leaves copies behind.
    fn length(&self) -> usize {
        let secrets = core::iter::once(&self.current).chain(self.previous.iter().map(|secret| &secret.secret));
        secrets.map(|secret| 1 + secret.as_bytes().len() + 16).sum::<usize>() + 2 + 32
    }

    /// Reads the bytes that were sealed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedSecrets> {
        let mut rest = bytes.strip_prefix(&[VERSION]).ok_or(MalformedSecrets)?;
        let (current, key) = (take_secret(&mut rest)?, take_key(&mut rest)?);
        let mut previous = Vec::new();
        while !rest.is_empty() {
            let (secret, ends_at, switched_at) = (take_secret(&mut rest)?, take_time(&mut rest)?, take_time(&mut rest)?);
            previous.push(PreviousSecret { secret, ends_at, switched_at: Some(switched_at).filter(|at| *at != Timestamp::MAX) });
        }
        Ok(Self { current, previous, key })
    }
}

fn put_secret(bytes: &mut Vec<u8>, secret: &SigningSecret) {
    let secret = secret.as_bytes();
    bytes.push(u8::try_from(secret.len()).unwrap_or_default());
    bytes.extend(secret);
}

fn take_secret(rest: &mut &[u8]) -> Result<SigningSecret, MalformedSecrets> {
    let [length] = take(rest)?;
    let (secret, behind) = rest.split_at_checked(length.into()).ok_or(MalformedSecrets)?;
    *rest = behind;
    SigningSecret::from_bytes(secret).map_err(|_| MalformedSecrets)
}

fn take_key(rest: &mut &[u8]) -> Result<Option<SigningKey>, MalformedSecrets> {
    match take(rest)? {
        [0] => Ok(None),
        [1] => {
            let seed = Zeroizing::new(take(rest)?);
            Ok(Some(SigningKey::from_seed(&seed)))
        }
        _ => Err(MalformedSecrets),
    }
}

fn take_time(rest: &mut &[u8]) -> Result<Timestamp, MalformedSecrets> {
    take(rest).map(|bytes| Timestamp::from_millis(i64::from_be_bytes(bytes)))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], MalformedSecrets> {
    let (taken, behind) = rest.split_first_chunk().ok_or(MalformedSecrets)?;
    *rest = behind;
    Ok(*taken)
}

/// The bytes are none of an endpoint's secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the secrets of an endpoint, version {VERSION}")]
pub struct MalformedSecrets;
