//! Places: how many slow things of a kind are under way at once.
//!
//! Each holds a thread, or a file in memory, for as long as somebody else takes. A bound for each account, and one for all, keep one account
//! from taking what the others need.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost::AccountId;

/// How many challenges may be under way.
pub const CHALLENGES_MAX: usize = 32;

/// The places for things of one kind.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    of_account: usize,
    taken: Taken,
}

type Taken = Arc<Mutex<HashMap<AccountId, usize>>>;

impl Places {
    /// So many in all, and so many of each account.
    pub(super) fn new(most: usize, of_account: usize) -> Self {
        Self { most, of_account, taken: Taken::default() }
    }

    /// Receivers that are asked whether they take events.
    pub(super) fn for_challenges() -> Self {
        Self::new(CHALLENGES_MAX, 4)
    }

    /// A place for one more, if there is one; it is free again when it is dropped.
    pub(super) fn take(&self, account: AccountId) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let has_room = taken.values().sum::<usize>() < self.most && taken.get(&account).is_none_or(|of| *of < self.of_account);
        has_room.then(|| {
            *taken.entry(account).or_default() += 1;
            Place { account, taken: self.taken.clone() }
        })
    }
}

/// One of them.
#[derive(Debug)]
pub(super) struct Place {
    account: AccountId,
    taken: Taken,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(of_account) = taken.get_mut(&self.account) {
            *of_account -= 1;
        }
        taken.retain(|_, of_account| *of_account > 0);
    }
}

fn lock(taken: &Taken) -> MutexGuard<'_, HashMap<AccountId, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_leaves_room_for_others() {
        let (places, account) = (Places::new(32, 4), AccountId::from_bytes([1; 16]));
        let taken: Vec<_> = (0..5).map(|_| places.take(account)).collect();
        assert_eq!(taken.iter().flatten().count(), 4);
        assert!(places.take(AccountId::from_bytes([2; 16])).is_some());
        drop(taken);
        assert!(places.take(account).is_some());
    }

    #[test]
    fn all_accounts_together_have_a_bound() {
        let places = Places::new(32, 4);
        let taken: Vec<_> = (0..=255).map(|number| places.take(AccountId::from_bytes([number; 16]))).collect();
        assert_eq!(taken.iter().flatten().count(), 32);
    }
}
