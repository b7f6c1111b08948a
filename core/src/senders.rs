//! Senders: whose names an account sends under, kept for some seconds so that a send need not read them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use crate::{AccountId, Sender, Timestamp};

/// How long what was read holds. A domain that is withdrawn may count that much longer, and twice [`READING_TIME`].
const KEPT_TIME: Duration = Duration::from_secs(5);

/// How long one sender has to read it again while the others still go by what was read: many send at once, and one reading is enough. What
/// nobody asked for that long after its time is read by all.
const READING_TIME: Duration = Duration::from_secs(1);

/// How many accounts are kept at once.
const ACCOUNTS_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct Senders {
    kept: Mutex<BTreeMap<AccountId, Kept>>,
}

struct Kept {
    sender: Arc<Sender>,
    until: Timestamp,
    /// Whether somebody reads it again.
    is_being_read: bool,
}

impl Senders {
    /// What was read of an account not long ago; none to whoever is to read it.
    pub(crate) fn get(&self, account: AccountId, now: Timestamp) -> Option<Arc<Sender>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_mut(&account)?;
        if now < kept.until {
            return Some(kept.sender.clone());
        }
        if !kept.is_being_read && now.since(kept.until) < READING_TIME {
            (kept.until, kept.is_being_read) = (now.plus(READING_TIME), true);
        }
        None
    }

    /// Keeps what was read.
    pub(crate) fn put(&self, account: AccountId, sender: Sender, now: Timestamp) -> Arc<Sender> {
        let sender = Arc::new(sender);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= ACCOUNTS_MAX {
            kept.retain(|_, kept| now < kept.until);
        }
        if kept.len() >= ACCOUNTS_MAX {
            kept.clear();
        }
        kept.insert(account, Kept { sender: sender.clone(), until: now.plus(KEPT_TIME), is_being_read: false });
        sender
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_holds_for_some_seconds() {
        let (senders, now) = (Senders::default(), Timestamp::from_millis(1_000));
        let account = AccountId::from_bytes([1; 16]);
        assert_eq!(senders.get(account, now), None);
        let sender = senders.put(account, Sender::default(), now);
        assert_eq!(senders.get(account, now.plus(Duration::from_millis(4_999))), Some(sender));
        assert_eq!(senders.get(account, now.plus(KEPT_TIME)), None);
    }

    #[test]
    fn of_many_one_reads_again_and_the_others_go_by_what_was_read_for_a_second() {
        let (senders, now) = (Senders::default(), Timestamp::from_millis(1_000));
        let account = AccountId::from_bytes([1; 16]);
        let sender = senders.put(account, Sender::default(), now);
        let over = now.plus(KEPT_TIME);
        assert_eq!(senders.get(account, over), None);
        assert_eq!(senders.get(account, over), Some(sender));
        let never_read = over.plus(READING_TIME);
        assert_eq!((senders.get(account, never_read), senders.get(account, never_read)), (None, None));
    }

    #[test]
    fn what_was_read_long_ago_holds_for_nobody() {
        let (senders, now) = (Senders::default(), Timestamp::from_millis(1_000));
        let account = AccountId::from_bytes([1; 16]);
        senders.put(account, Sender::default(), now);
        let later = now.plus(KEPT_TIME + READING_TIME);
        assert_eq!((senders.get(account, later), senders.get(account, later)), (None, None));
    }
}
