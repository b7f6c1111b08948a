//! Challenges: how many receivers are being asked at once whether they take events.
//!
//! A challenge holds a thread for as long as the receiver takes. A bound for each account, and one for all, keep one account from taking
//! the threads of the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost::AccountId;

/// How many challenges may be under way.
pub const CHALLENGES_MAX: usize = 32;
/// How many of one account.
const OF_ACCOUNT_MAX: usize = 4;

/// The challenges under way.
#[derive(Debug, Default)]
pub(super) struct Challenges(Arc<Mutex<HashMap<AccountId, usize>>>);

impl Challenges {
    /// A place for one more, if there is one; it is free again when it is dropped.
    pub(super) fn begin(&self, account: AccountId) -> Option<Place> {
        let mut under_way = lock(&self.0);
        let has_room = under_way.values().sum::<usize>() < CHALLENGES_MAX && under_way.get(&account).is_none_or(|of| *of < OF_ACCOUNT_MAX);
        has_room.then(|| {
            *under_way.entry(account).or_default() += 1;
            Place { account, under_way: self.0.clone() }
        })
    }
}

/// A challenge's place.
#[derive(Debug)]
pub(super) struct Place {
    account: AccountId,
    under_way: Arc<Mutex<HashMap<AccountId, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        if let Some(of_account) = under_way.get_mut(&self.account) {
            *of_account -= 1;
        }
        under_way.retain(|_, of_account| *of_account > 0);
    }
}

fn lock(under_way: &Mutex<HashMap<AccountId, usize>>) -> MutexGuard<'_, HashMap<AccountId, usize>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_leaves_room_for_others() {
        let (challenges, account) = (Challenges::default(), AccountId::from_bytes([1; 16]));
        let places: Vec<_> = (0..OF_ACCOUNT_MAX + 1).map(|_| challenges.begin(account)).collect();
        assert_eq!(places.iter().flatten().count(), OF_ACCOUNT_MAX);
        assert!(challenges.begin(AccountId::from_bytes([2; 16])).is_some());
        drop(places);
        assert!(challenges.begin(account).is_some());
    }

    #[test]
    fn all_accounts_together_have_a_bound() {
        let challenges = Challenges::default();
        let places: Vec<_> = (0..=255).map(|number| challenges.begin(AccountId::from_bytes([number; 16]))).collect();
        assert_eq!(places.iter().flatten().count(), CHALLENGES_MAX);
    }
}
