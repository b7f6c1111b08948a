//! Senders: whose names an account sends under, kept for some seconds so that a send need not read them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use crate::{AccountId, Sender, Timestamp};

/// How long what was read holds: a domain that is withdrawn may count that much longer.
const KEPT_TIME: Duration = Duration::from_secs(5);

/// How many accounts are kept at once.
const ACCOUNTS_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct Senders {
    kept: Mutex<BTreeMap<AccountId, (Arc<Sender>, Timestamp)>>,
}

impl Senders {
    /// What was read of an account not long ago.
    pub(crate) fn get(&self, account: AccountId, now: Timestamp) -> Option<Arc<Sender>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&account).filter(|(_, until)| now < *until).map(|(sender, _)| sender.clone())
    }

    /// Keeps what was read.
    pub(crate) fn put(&self, account: AccountId, sender: Sender, now: Timestamp) -> Arc<Sender> {
        let sender = Arc::new(sender);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= ACCOUNTS_MAX {
            kept.retain(|_, (_, until)| now < *until);
        }
        if kept.len() >= ACCOUNTS_MAX {
            kept.clear();
        }
        kept.insert(account, (sender.clone(), now.plus(KEPT_TIME)));
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
}
