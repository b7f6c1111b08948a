//! Keys: stored API keys, kept for a second, so that a caller who comes again costs no look-up.
//!
//! A revocation holds within that second everywhere, and at once where this process made it ([`KeyCache::forget`]); a send is safe from
//! the first moment, as the store reads the key again where it accepts.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use gatepost::{ApiKey, KeyId, KeyRefusal, Keyring, PresentedKey, StoreError, Timestamp, WorkerStore};

use super::identity::Identity;

/// How long a key is believed.
const FRESH: Duration = Duration::from_secs(1);

/// How many keys are kept.
const KEYS_MAX: usize = 16_384;

/// How many keys can be looked up at once.
const TURNS: usize = 64;

type Turn = tokio::sync::Mutex<()>;

/// The keys that were used lately, and when.
pub struct KeyCache {
    store: Arc<dyn WorkerStore>,
    keyring: Keyring,
    known: RwLock<HashMap<KeyId, Known>>,
    /// Of many who come at once with a key that is not fresh any more, one looks it up and the others wait for that.
    turns: [Turn; TURNS],
    used: Mutex<HashMap<KeyId, Timestamp>>,
}

struct Known {
    key: ApiKey,
    read_at: Timestamp,
}

impl Known {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.read_at <= now && now.since(self.read_at) < FRESH
    }
}

/// Why a key was not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckError {
    /// The key itself.
    #[error(transparent)]
    Refused(#[from] KeyRefusal),
    /// It could not be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyCache {
    /// An empty cache before this store, for keys hashed with the roots of this keyring.
    pub fn new(store: Arc<dyn WorkerStore>, keyring: Keyring) -> Self {
        Self { store, keyring, known: RwLock::default(), turns: [const { Turn::const_new(()) }; TURNS], used: Mutex::default() }
    }

    /// Who presents the key, if it is in force at `now` and may be used from this address.
    ///
    /// A key that was read within the last second is checked without a look-up, and without an allocation.
    ///
    /// # Errors
    ///
    /// [`CheckError::Refused`] where the key is not accepted, [`CheckError::Store`] where it could not be looked up or checked.
    pub async fn check(&self, presented: &PresentedKey<'_>, from: Option<IpAddr>, now: Timestamp) -> Result<Identity, CheckError> {
        let checked = match self.check_known(presented, from, now) {
            Some(checked) => checked,
            None => self.check_in_turn(presented, from, now).await,
        };
        if checked.is_ok() {
            self.note_use(presented.id, now);
        }
        checked
    }

    /// Reads the key anew next time: it was changed here.
    pub fn forget(&self, id: KeyId) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Writes down when keys were last used.
    ///
    /// # Errors
    ///
    /// Those of [`WorkerStore::touch_keys`]; what was not written is kept for the next time.
    pub async fn flush_last_used(&self) -> Result<(), StoreError> {
        let used: Vec<_> = mem::take(&mut *self.used()).into_iter().collect();
        if used.is_empty() {
            return Ok(());
        }
        let written = self.store.touch_keys(used.clone()).await;
        if written.is_err() {
            used.into_iter().for_each(|(id, at)| self.note_use(id, at));
        }
        written
    }

    async fn check_in_turn(&self, presented: &PresentedKey<'_>, from: Option<IpAddr>, now: Timestamp) -> Result<Identity, CheckError> {
        let mut hasher = DefaultHasher::new();
        presented.id.hash(&mut hasher);
        let turn = self.turns.get(hasher.finish() as usize % TURNS);
        let _turn = match turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        match self.check_known(presented, from, now) {
            Some(checked) => checked,
            None => self.look_up(presented, from, now).await,
        }
    }

    fn check_known(&self, presented: &PresentedKey<'_>, from: Option<IpAddr>, now: Timestamp) -> Option<Result<Identity, CheckError>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(&presented.id).filter(|known| known.is_fresh(now))?;
        Some(self.judge(&known.key, presented, from, now))
    }

    async fn look_up(&self, presented: &PresentedKey<'_>, from: Option<IpAddr>, now: Timestamp) -> Result<Identity, CheckError> {
        // What does not exist is not kept: invented ids must not drive out keys that are in use.
        let Some(key) = self.store.key(presented.id).await? else { return Err(KeyRefusal::Unknown.into()) };
        let checked = self.judge(&key, presented, from, now);
        self.keep(key, now);
        checked
    }

    /// A key of a root that this host lacks is no wrong key: another host, or this one mended, takes it.
    fn judge(&self, key: &ApiKey, presented: &PresentedKey<'_>, from: Option<IpAddr>, now: Timestamp) -> Result<Identity, CheckError> {
        let Some(pepper) = self.keyring.pepper(key.root) else {
            tracing::error!(key = %key.id, root = key.root, "the keyring lacks the root that this key was hashed with");
            return Err(StoreError::Unavailable("the keyring lacks the root of a key".to_owned()).into());
        };
        Ok(key.check(presented, pepper, from, now).map(|()| Identity::of(key))?)
    }

    fn keep(&self, key: ApiKey, now: Timestamp) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS_MAX {
            known.retain(|_, known| known.is_fresh(now));
        }
        if known.len() < KEYS_MAX {
            known.insert(key.id, Known { key, read_at: now });
        }
    }

    fn note_use(&self, id: KeyId, at: Timestamp) {
        let mut used = self.used();
        let last = used.entry(id).or_insert(at);
        *last = at.max(*last);
    }

    fn used(&self) -> MutexGuard<'_, HashMap<KeyId, Timestamp>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
