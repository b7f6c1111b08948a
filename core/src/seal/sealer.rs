//! Sealer: closes what is due, and drops whole segments whose retention is over.
//!
//! It works beside everything else and never in the way of a message. A lease keeps two hosts from doing the same work; that no segment is
//! sealed twice is the store's doing, which takes a seal only behind the one that it follows.
//!
//! It remembers the head of each chain. Whoever takes seals out of the store, and changes what they covered, would have it make new ones
//! over the change: it seals nothing behind a chain that lacks the head that it knows.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Authenticity, Head, SEGMENT_AGE_MAX, SEGMENT_EVENTS_MAX, Seal, Segment, StoredSeal, Unsealed, head};
use crate::{AccountId, Host, Keyring, Page, Store, StoreError, Timestamp};

/// How long the work is one host's, unless it goes on with it.
const LEASE: Duration = Duration::from_secs(30);
/// How many accounts are asked for at once.
const ACCOUNTS_AT_ONCE: usize = 256;
/// How many segments a turn closes at most.
const SEGMENTS_MAX: usize = 256;

/// Seals policy events, for whoever calls it now and then: every few seconds, on one host or on all.
///
/// ```
/// use std::sync::Arc;
///
/// use gatepost::{Host, Keyring, Sealer, SealerTurn};
/// use gatepost_memory::{MemoryStore, TestHost};
///
/// # futures_executor::block_on(async {
/// let (store, host) = (Arc::new(MemoryStore::new()), TestHost::new(7));
/// let sealer = Sealer::new(store, Keyring::new([(1, [7; 32].into())])?, &host);
/// assert_eq!(sealer.turn(host.now()).await?, SealerTurn::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Sealer {
    store: Arc<dyn Store>,
    keyring: Keyring,
    holder: [u8; 16],
    age_max: Duration,
    heads: Mutex<BTreeMap<AccountId, Known>>,
}

/// What it knows of an account's chain.
#[derive(Clone, Copy)]
struct Known {
    /// The newest head that it saw or made.
    head: Head,
    /// Whether the store lacked it later.
    is_lost: bool,
}

/// What a turn of the sealer did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SealerTurn {
    /// How many segments it closed.
    pub sealed: usize,
    /// How many accounts it could not go on with: their last seal is none that this keyring made. [`audit`](crate::audit) tells more.
    pub stuck: usize,
    /// How many accounts it did not go on with: their chain lacks the head that it knew. [`Sealer::lost_heads`] names them.
    pub cut: usize,
    /// Whether another host does the work.
    pub is_leased: bool,
    /// Whether there is more to close at once.
    pub more: bool,
}

/// What a sealer forgot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Forgotten {
    /// How many segments.
    pub segments: usize,
    /// How many events.
    pub events: usize,
    /// How many segments were over and stay: their seals are none that this keyring made.
    pub kept: usize,
}

impl Sealer {
    /// A sealer over this store, which seals with the newest root of the keyring. The host gives it a name.
    pub fn new(store: Arc<dyn Store>, keyring: Keyring, host: &dyn Host) -> Self {
        let mut holder = [0; 16];
        host.fill(&mut holder);
        Self { store, keyring, holder, age_max: SEGMENT_AGE_MAX, heads: Mutex::default() }
    }

    /// The same, which lets an event be at most so old before it is sealed, instead of [`SEGMENT_AGE_MAX`].
    #[must_use]
    pub const fn sealing_after(mut self, age_max: Duration) -> Self {
        self.age_max = age_max;
        self
    }

    /// Learns the head of each chain, at start: from then on it shows where seals are taken away. Of an account that was not learned, the
    /// first turn that closes something learns it.
    ///
    /// # Errors
    ///
    /// Those of the store; what was learned until then stays.
    pub async fn learn(&self) -> Result<(), StoreError> {
        let mut page = Page::first(ACCOUNTS_AT_ONCE);
        loop {
            let accounts = self.store.operator().accounts(page).await?;
            let Some(last) = accounts.last().map(|account| account.id) else { return Ok(()) };
            for account in accounts {
                if let Some(head) = head(&*self.store, &self.keyring, account.id).await? {
                    self.heads().entry(account.id).or_insert(Known { head, is_lost: false });
                }
            }
            page.after = Some(last);
        }
    }

    /// The heads that it knew and that the store lacks: given to an [`audit`](crate::audit) as kept heads, they show what was done.
    pub fn lost_heads(&self) -> Vec<Head> {
        self.heads().values().filter(|known| known.is_lost).map(|known| known.head).collect()
    }

    fn heads(&self) -> MutexGuard<'_, BTreeMap<AccountId, Known>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the segments that are due: the full ones, and those whose oldest event is old enough.
    ///
    /// # Errors
    ///
    /// Those of the store; what was sealed until then stays. One of a single account ends nothing: the others are sealed first.
    pub async fn turn(&self, now: Timestamp) -> Result<SealerTurn, StoreError> {
        let mut turn = SealerTurn::default();
        let (mut after, mut is_ours, mut failed) = (None, false, None);
        loop {
            let accounts = self.store.worker().unsealed(after, ACCOUNTS_AT_ONCE).await?;
            let Some(last) = accounts.last().map(|unsealed| unsealed.account) else { return failed.map_or(Ok(turn), Err) };
            for unsealed in accounts.iter().filter(|unsealed| self.is_due(unsealed, now)) {
                // Where nothing is due, nothing is written.
                is_ours = is_ours || self.store.worker().lease_sealing(self.holder, now.plus(LEASE), now).await?;
                if !is_ours {
                    return Ok(SealerTurn { is_leased: true, ..turn });
                }
                match self.close(unsealed, now, &mut turn).await {
                    // It is told when the others are sealed.
                    Err(error) if error.is_of_one() => failed = failed.or(Some(error)),
                    closed => closed?,
                }
                if turn.sealed >= SEGMENTS_MAX {
                    return Ok(SealerTurn { more: true, ..turn });
                }
            }
            after = Some(last);
        }
    }

    /// Deletes the events of whole segments of which the newest was decided before this, at most `limit` segments; their seals stay. What
    /// is not sealed is not deleted.
    ///
    /// [`WorkerStore::retain`](crate::WorkerStore::retain) leaves policy events alone: that they were deleted by right is sealed too, and a
    /// store has no keys.
    ///
    /// # Errors
    ///
    /// Those of the store; what was deleted until then stays so.
    pub async fn forget(&self, before: Timestamp, limit: usize, now: Timestamp) -> Result<Forgotten, StoreError> {
        let worker = self.store.worker();
        let (mut forgotten, mut untouched) = (Forgotten::default(), 0);
        while forgotten.segments < limit {
            let old = worker.old_segments(before, forgotten.kept + untouched, limit - forgotten.segments).await?;
            if old.is_empty() {
                break;
            }
            for (account, stored) in old {
                let is_over = |seal: &Seal| self.is_genuine(seal, account, stored.number) && seal.newest_at < before;
                let seal = stored.seal.filter(is_over);
                let dropped = seal.as_ref().and_then(|seal| seal.drop_at(&self.keyring, now));
                match seal.zip(dropped) {
                    Some((seal, dropped)) => match worker.drop_segment(account, seal.number, dropped).await? {
                        // Another host was faster, or its account cannot be read.
                        0 => untouched += 1,
                        events => (forgotten.events, forgotten.segments) = (forgotten.events + events, forgotten.segments + 1),
                    },
                    None => forgotten.kept += 1,
                }
            }
        }
        Ok(forgotten)
    }

    fn is_due(&self, unsealed: &Unsealed, now: Timestamp) -> bool {
        let is_full = unsealed.last.saturating_sub(unsealed.first) >= SEGMENT_EVENTS_MAX as u64 - 1;
        is_full || self.is_old(unsealed.since, now)
    }

    fn is_old(&self, since: Timestamp, now: Timestamp) -> bool {
        since.plus(self.age_max) <= now
    }

    /// Closes what of an account is due.
    async fn close(&self, unsealed: &Unsealed, now: Timestamp, turn: &mut SealerTurn) -> Result<(), StoreError> {
        while turn.sealed < SEGMENTS_MAX {
            let previous = match self.previous(unsealed.account).await? {
                Ok(previous) => previous,
                Err(NotOurs) => {
                    turn.stuck += 1;
                    return Ok(());
                }
            };
            if !self.is_behind_known(unsealed.account, previous.as_ref()).await? {
                turn.cut += 1;
                return Ok(());
            }
            let Some(segment) = self.next_segment(unsealed, previous.as_ref(), now).await? else { return Ok(()) };
            let sealed = segment.seal.head();
            if !self.store.worker().seal(segment).await? {
                return Ok(());
            }
            self.know(sealed);
            turn.sealed += 1;
        }
        Ok(())
    }

    /// The seal to follow.
    async fn previous(&self, account: AccountId) -> Result<Result<Option<Seal>, NotOurs>, StoreError> {
        let Some(StoredSeal { number, seal, .. }) = self.store.account(account).last_seal().await? else { return Ok(Ok(None)) };
        let seal = seal.filter(|seal| self.is_genuine(seal, account, number));
        Ok(seal.map(Some).ok_or(NotOurs))
    }

    /// Whether the chain that ends with this seal has the head that was known, and knows its own from then on.
    async fn is_behind_known(&self, account: AccountId, last: Option<&Seal>) -> Result<bool, StoreError> {
        let now = last.map_or(Head::start(account), Seal::head);
        let known = self.heads().get(&account).map(|known| known.head);
        let has_known = match known {
            None => true,
            Some(known) if known.segment == 0 || known == now => true,
            // Another host has sealed on.
            Some(known) if known.segment < now.segment => {
                let page = Page { after: Some(known.segment - 1), limit: 1 };
                let there = self.store.account(account).seals(page).await?.pop().and_then(|stored| stored.seal);
                there.is_some_and(|seal| seal.head() == known)
            }
            Some(_) => false,
        };
        if has_known {
            self.know(now);
        } else if let Some(known) = self.heads().get_mut(&account) {
            known.is_lost = true;
        }
        Ok(has_known)
    }

    fn know(&self, head: Head) {
        self.heads().insert(head.account, Known { head, is_lost: false });
    }

    async fn next_segment(&self, unsealed: &Unsealed, previous: Option<&Seal>, now: Timestamp) -> Result<Option<Segment>, StoreError> {
        let page = Page { after: Some(previous.map_or(0, |seal| seal.last)), limit: SEGMENT_EVENTS_MAX };
        let mut rows = self.store.account(unsealed.account).event_rows(page).await?;
        let is_full = rows.len() == SEGMENT_EVENTS_MAX;
        // Behind the counter stands nothing that the gateway has written, or it was written after the counter was read.
        rows.retain(|row| row.seq <= unsealed.last);
        let is_due = is_full || rows.first().is_some_and(|row| self.is_old(row.at, now));
        Ok(if is_due { Segment::close(&self.keyring, unsealed.account, previous, &rows, now) } else { None })
    }

    fn is_genuine(&self, seal: &Seal, account: AccountId, number: u64) -> bool {
        seal.stands_at(account, number) && seal.check(&self.keyring) == Authenticity::Genuine
    }
}

/// The last seal of an account is none that this keyring made: what stood behind it would be as good as unsealed.
struct NotOurs;
