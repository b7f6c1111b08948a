//! Apart: what is about many, once more about each alone, where one of them keeps the whole from being written.

use std::future::Future;

use gatepost::{AccountId, Heed, HeedAnswer, StoreError};

/// Does it to one after the other. `stale` stands for what cannot be written: it is left to the end of its lease, since nobody could note
/// what became of it.
///
/// # Errors
///
/// Those that are not of one.
pub async fn each<T, A, F>(things: &[T], alone: impl Fn(T) -> F, stale: A) -> Result<Vec<A>, StoreError>
where
    T: Clone,
    A: Clone,
    F: Future<Output = Result<Vec<A>, StoreError>>,
{
    let mut all = Vec::with_capacity(things.len());
    for thing in things {
        match alone(thing.clone()).await {
            Err(error) if error.is_of_one() => all.push(stale.clone()),
            done => all.extend(done?),
        }
    }
    Ok(all)
}

/// How many things of an inbox are passed over.
const PASSED_MAX: usize = 16;
/// How many things are tried in one go, each in a transaction of its own.
const TRIED_MAX: usize = 256;

/// Heeds these inboxes, thing after thing: what cannot be written keeps no opt-out behind it waiting, and none of another inbox. `one` heeds
/// one thing of an inbox, behind so many that were passed over; `failed` is what the whole met.
///
/// # Errors
///
/// Those that are not of one. What was heeded before stays so.
pub async fn inboxes<F>(
    inboxes: Vec<AccountId>,
    heed: &Heed,
    one: impl Fn(AccountId, usize) -> F,
    failed: StoreError,
) -> Result<HeedAnswer, StoreError>
where
    F: Future<Output = Result<HeedAnswer, StoreError>>,
{
    let mut all = HeedAnswer { failed: Some(failed), ..HeedAnswer::default() };
    let mut tried = 0;
    for inbox in inboxes {
        all.after = Some(inbox);
        let (mut heeded, mut passed) = (0, 0);
        while heeded < heed.per_account && passed <= PASSED_MAX {
            if tried == TRIED_MAX.min(heed.limit) {
                all.more = true;
                return Ok(all);
            }
            tried += 1;
            match one(inbox, passed).await {
                Ok(HeedAnswer { heeded: 0, .. }) => break,
                Ok(answer) => {
                    heeded += 1;
                    all.settled.extend(answer.settled);
                }
                Err(error) if error.is_of_one() => passed += 1,
                Err(error) => return Err(error),
            }
        }
        all.heeded += heeded;
    }
    Ok(all)
}
