//! Seals: what makes a change to the policy event log show.
//!
//! A [`Sealer`] closes the events of each account into segments, in their order, and puts a [`Seal`] on each: a keyed digest over its rows
//! and over the seal before, so that the seals of an account are a chain. Who can write to the store and does not have the keyring can
//! change rows, but no seal to match. [`audit`] walks the chain and names what does not fit. The newest seal is the [`Head`]: kept somewhere
//! else, it also shows a chain that was cut.
//!
//! The players: [`EventRow`] (a policy event as it stands in the store), [`RowDigest`] (what is remembered of it), [`Segment`] (a seal with
//! the digests of its rows), [`StoredSeal`] (what a store says of one). What was deleted by retention leaves its seal, marked
//! [`Dropped`] under the same key.

mod auditing;
mod flaw;
#[cfg(feature = "std")]
mod sealer;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

pub use auditing::{AuditReport, SEALED_LATE, audit, head};
pub use flaw::{Flaw, FlawKind};
#[cfg(feature = "std")]
pub use sealer::{Forgotten, Sealer, SealerTurn};

use crate::keyring::AuditKey;
use crate::{AccountId, Keyring, PolicyEvent, Timestamp, hex};

/// How many events a segment has at most.
pub const SEGMENT_EVENTS_MAX: usize = 1_024;

/// How old the oldest event of a segment may get before the segment is closed, full or not.
pub const SEGMENT_AGE_MAX: Duration = Duration::from_secs(60);

/// A policy event as it stands in the store, column by column.
///
/// It is what is sealed: the bytes that are kept, whether or not they still mean anything. A store that copies the rows of another one
/// copies these bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct EventRow {
    /// Its place in the account's log.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The id of the message, unless it was refused.
    pub message: Option<Vec<u8>>,
    /// The id of the instance.
    pub instance: Vec<u8>,
    /// The id of the contact.
    pub contact: Vec<u8>,
    /// The [word](crate::VerdictWord) of the verdict.
    pub verdict: Vec<u8>,
    /// All else, as JSON.
    pub body: Vec<u8>,
}

impl EventRow {
    /// The row of an event, as a store writes it.
    pub fn of(event: &PolicyEvent) -> Self {
        Self {
            seq: event.seq,
            at: event.at,
            message: event.message.map(|message| message.to_bytes().to_vec()),
            instance: event.instance.to_bytes().to_vec(),
            contact: event.contact.to_bytes().to_vec(),
            verdict: event.decision.verdict.word().as_str().into(),
            body: event.body().to_json().into_bytes(),
        }
    }

    /// Its digest in this account. Its place is not in it, so that a row that was moved is known again; the place stands beside the digest.
    fn digest(&self, key: &AuditKey, account: AccountId) -> [u8; ROW_DIGEST_LENGTH] {
        let parts = key.digest_of("row").bytes(&account.to_bytes()).time(self.at).bytes_or_none(self.message.as_deref());
        let whole = parts.bytes(&self.instance).bytes(&self.contact).bytes(&self.verdict).bytes(&self.body).finish();
        let mut digest = [0; ROW_DIGEST_LENGTH];
        digest.copy_from_slice(whole.split_at(ROW_DIGEST_LENGTH).0);
        digest
    }
}

impl fmt::Debug for EventRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventRow({}, {} bytes)", self.seq, self.body.len())
    }
}

/// Half of an HMAC-SHA-256: who lacks the key has nothing to search for collisions with.
const ROW_DIGEST_LENGTH: usize = 16;

/// What a segment remembers of a row: its place, and its digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowDigest {
    /// The place in the account's log.
    pub seq: u64,
    /// The digest of what stood there.
    pub digest: [u8; ROW_DIGEST_LENGTH],
}

/// How long a row digest is in a column.
const ROW_DIGEST_BYTES: usize = 8 + ROW_DIGEST_LENGTH;

impl RowDigest {
    /// The bytes for a column, 24 for each row.
    pub fn to_bytes(rows: &[Self]) -> Vec<u8> {
        rows.iter().flat_map(|row| row.seq.to_be_bytes().into_iter().chain(row.digest)).collect()
    }

    /// Reads the bytes of a column; `None` where they are none of row digests.
    pub fn from_bytes(bytes: &[u8]) -> Option<Vec<Self>> {
        let (rows, rest) = bytes.as_chunks::<ROW_DIGEST_BYTES>();
        let read = |row: &[u8; ROW_DIGEST_BYTES]| {
            let (seq, digest) = row.split_first_chunk()?;
            Some(Self { seq: u64::from_be_bytes(*seq), digest: digest.try_into().ok()? })
        };
        rest.is_empty().then(|| rows.iter().map(read).collect())?
    }
}

/// A digest of a seal.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SealDigest([u8; 32]);

impl SealDigest {
    /// What stands for the seal before the first one.
    pub const NONE: Self = Self([0; 32]);

    /// The digest with these bytes, as a store keeps it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for SealDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for SealDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SealDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SealDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text.as_bytes()).map(Self).ok_or_else(|| de::Error::custom("expected 64 hexadecimal digits"))
    }
}

/// What closes a segment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seal {
    /// Whose log it is.
    pub account: AccountId,
    /// The number of the segment, from 1 on without gaps.
    pub number: u64,
    /// The first place that it covers: the one behind the segment before.
    pub first: u64,
    /// The place of its last event.
    pub last: u64,
    /// When the latest of its events was decided: from then on its retention counts.
    pub newest_at: Timestamp,
    /// SHA-256 over the row digests.
    pub rows: [u8; 32],
    /// The digest of the seal before.
    pub previous: SealDigest,
    /// The number of the root that it was made with.
    pub root: u32,
    /// When it was made.
    pub sealed_at: Timestamp,
    /// HMAC-SHA-256 over all of that.
    pub digest: SealDigest,
    /// Set once its events were deleted because their retention was over.
    pub dropped: Option<Dropped>,
}

/// That and when the events of a segment were deleted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dropped {
    /// When.
    pub at: Timestamp,
    /// HMAC-SHA-256 over the seal and this time, by the same root: nobody else can say that it was retention.
    pub digest: SealDigest,
}

/// Whether a seal is one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Authenticity {
    Genuine,
    Forged,
    UnknownRoot,
}

impl Seal {
    /// The end of the chain that this is.
    pub const fn head(&self) -> Head {
        Head { account: self.account, segment: self.number, seq: self.last, digest: self.digest }
    }

    /// Whether it is the one with this number in this account's chain.
    fn stands_at(&self, account: AccountId, number: u64) -> bool {
        self.account == account && self.number == number
    }

    fn check(&self, keyring: &Keyring) -> Authenticity {
        match keyring.audit_key(self.root) {
            None => Authenticity::UnknownRoot,
            Some(key) if self.parts(key).is(&self.digest.0) => Authenticity::Genuine,
            Some(_) => Authenticity::Forged,
        }
    }

    /// Whether the events were deleted by whoever has the keyring.
    fn is_dropped(&self, keyring: &Keyring) -> bool {
        let key = keyring.audit_key(self.root);
        self.dropped.zip(key).is_some_and(|(dropped, key)| self.drop_parts(key, dropped.at).is(&dropped.digest.0))
    }

    /// The mark for the deletion of its events; `None` where the keyring lacks its root.
    #[cfg(feature = "std")]
    fn drop_at(&self, keyring: &Keyring, at: Timestamp) -> Option<Dropped> {
        let key = keyring.audit_key(self.root)?;
        Some(Dropped { at, digest: SealDigest(self.drop_parts(key, at).finish()) })
    }

    fn parts(&self, key: &AuditKey) -> crate::keyring::Parts {
        let place = key.digest_of("seal").bytes(&self.account.to_bytes()).number(self.number).number(self.first).number(self.last);
        let what = place.time(self.newest_at).bytes(&self.rows).bytes(&self.previous.0);
        what.number(self.root.into()).time(self.sealed_at)
    }

    fn drop_parts(&self, key: &AuditKey, at: Timestamp) -> crate::keyring::Parts {
        key.digest_of("dropped").bytes(&self.digest.0).time(at)
    }
}

/// A seal with the digests of its rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Segment {
    /// The seal.
    pub seal: Seal,
    /// The digest of each row, in their order; nothing once they were dropped.
    pub rows: Vec<RowDigest>,
}

impl Segment {
    /// Closes a segment behind `previous` over these rows, in their order; `None` where there are none.
    #[cfg(feature = "std")]
    fn close(keyring: &Keyring, account: AccountId, previous: Option<&Seal>, rows: &[EventRow], now: Timestamp) -> Option<Self> {
        let (root, key) = keyring.present_audit_key();
        let newest_at = rows.iter().map(|row| row.at).max()?;
        let digests: Vec<RowDigest> = rows.iter().map(|row| RowDigest { seq: row.seq, digest: row.digest(key, account) }).collect();
        let mut seal = Seal {
            account,
            number: previous.map_or(0, |seal| seal.number) + 1,
            // What is missing between two segments belongs to the second, so that nothing is outside of all.
            first: previous.map_or(1, |seal| seal.last + 1),
            last: rows.last()?.seq,
            newest_at,
            rows: digest_of(&RowDigest::to_bytes(&digests)),
            previous: previous.map_or(SealDigest::NONE, |seal| seal.digest),
            root,
            sealed_at: now,
            digest: SealDigest::NONE,
            dropped: None,
        };
        seal.digest = SealDigest(seal.parts(key).finish());
        Some(Self { seal, rows: digests })
    }
}

fn digest_of(row_digests: &[u8]) -> [u8; 32] {
    Sha256::digest(row_digests).into()
}

/// What a store says of a seal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredSeal {
    /// The number under which it stands; 0 where that is below 1.
    pub number: u64,
    /// The seal; `None` where it cannot be read.
    pub seal: Option<Seal>,
    /// What stands there of its rows, as [`RowDigest::to_bytes`] wrote it; empty once they were dropped.
    pub row_digests: Vec<u8>,
}

impl StoredSeal {
    /// The digests that the seal was made over; `None` where others stand there.
    fn rows_of(&self, seal: &Seal) -> Option<Vec<RowDigest>> {
        (digest_of(&self.row_digests) == seal.rows).then(|| RowDigest::from_bytes(&self.row_digests))?
    }
}

/// An account with events behind its last seal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unsealed {
    /// Whose they are.
    pub account: AccountId,
    /// The place of the first of them.
    pub first: u64,
    /// When that was decided.
    pub since: Timestamp,
    /// The last place that the account's log has given out.
    pub last: u64,
}

/// The end of an account's chain of seals: what to keep elsewhere. Where nothing was sealed yet, it is segment 0, place 0 and
/// [`SealDigest::NONE`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Whose log it is.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// The number of the last segment.
    pub segment: u64,
    /// The place of its last event.
    pub seq: u64,
    /// The digest of its seal.
    pub digest: SealDigest,
}

impl Head {
    /// Where the chain of every account starts.
    pub const fn start(account: AccountId) -> Self {
        Self { account, segment: 0, seq: 0, digest: SealDigest::NONE }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    fn keyring(roots: &[u32]) -> Keyring {
        Keyring::new(roots.iter().map(|root| (*root, [*root as u8; 32].into()))).unwrap()
    }

    fn row(seq: u64) -> EventRow {
        let (verdict, body) = (b"block".to_vec(), b"{}".to_vec());
        EventRow { seq, at: Timestamp::from_millis(1_000), message: None, instance: vec![2; 16], contact: vec![3; 16], verdict, body }
    }

    fn segment(keyring: &Keyring) -> Segment {
        Segment::close(keyring, AccountId::from_bytes([1; 16]), None, &[row(1), row(2)], Timestamp::from_millis(2_000)).unwrap()
    }

    /// What was sealed by an earlier release must fit in a later one. The digests were computed by another program besides.
    #[test]
    fn a_seal_never_changes() {
        let seal = segment(&keyring(&[1])).seal;
        assert_eq!(seal.digest.to_string(), "5a8173e54dc19dec2be3d7d4be3b8c68288094fe6f41ef2a40e0fe30cb9b9cbe");
        let dropped = seal.drop_at(&keyring(&[1]), Timestamp::from_millis(3_000)).unwrap();
        assert_eq!(dropped.digest.to_string(), "4c45bf8bf8e6744f6a032d761501728c2601c3409295f77247bc982770dcd552");
    }

    #[test]
    fn every_field_of_a_seal_is_sealed() {
        let keyring = keyring(&[1]);
        let seal = segment(&keyring).seal;
        assert_eq!(seal.check(&keyring), Authenticity::Genuine);
        let changes: [fn(&mut Seal); 9] = [
            |seal| seal.account = AccountId::from_bytes([9; 16]),
            |seal| seal.number = 2,
            |seal| seal.first = 2,
            |seal| seal.last = 3,
            |seal| seal.newest_at = Timestamp::from_millis(0),
            |seal| seal.rows[0] ^= 1,
            |seal| seal.previous.0[0] ^= 1,
            |seal| seal.sealed_at = Timestamp::from_millis(0),
            |seal| seal.digest.0[31] ^= 1,
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut changed = seal.clone();
            change(&mut changed);
            assert_eq!(changed.check(&keyring), Authenticity::Forged, "change {place}");
        }
    }

    #[test]
    fn a_seal_outlives_a_new_root_and_not_its_own() {
        let seal = segment(&keyring(&[1])).seal;
        assert_eq!(seal.check(&keyring(&[1, 2])), Authenticity::Genuine);
        assert_eq!(seal.check(&keyring(&[2])), Authenticity::UnknownRoot);
        assert_eq!(Seal { root: 2, ..seal }.check(&keyring(&[1, 2])), Authenticity::Forged);
    }

    #[test]
    fn only_the_keyring_says_that_events_were_dropped() {
        let keyring = keyring(&[1]);
        let mut seal = segment(&keyring).seal;
        assert!(!seal.is_dropped(&keyring));
        seal.dropped = seal.drop_at(&keyring, Timestamp::from_millis(3_000));
        assert!(seal.is_dropped(&keyring));
        let of_another = Seal { digest: SealDigest([9; 32]), ..seal.clone() };
        let of_another_time = seal.dropped.map(|dropped| Dropped { at: Timestamp::from_millis(3_001), ..dropped });
        assert!(!of_another.is_dropped(&keyring) && !Seal { dropped: of_another_time, ..seal }.is_dropped(&keyring));
    }

    #[test]
    fn row_digests_read_back_from_their_column() {
        let rows = segment(&keyring(&[1])).rows;
        let bytes = RowDigest::to_bytes(&rows);
        assert_eq!((bytes.len(), RowDigest::from_bytes(&bytes)), (48, Some(rows)));
        assert_eq!(RowDigest::from_bytes(&bytes[1..]), None);
    }

    #[test]
    fn a_head_reads_back_from_its_text() {
        let head = segment(&keyring(&[1])).seal.head();
        let text = serde_json::to_string(&head).unwrap();
        assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), head);
        assert!(serde_json::from_str::<Head>(&text.replace("digest\":\"", "digest\":\"0")).is_err());
    }
}
