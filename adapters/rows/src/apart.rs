//! Apart: what is about many, once more about each alone, where one of them keeps the whole from being written.

use std::future::Future;

use gatepost::{HeedAnswer, StoreError};

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

/// How many things at the head of an inbox are passed over.
const PASSED_MAX: usize = 16;

/// Heeds inbox after inbox, thing after thing, as many of each as `most`: what cannot be written keeps no opt-out behind it waiting, and
/// none of another inbox. `one` heeds one thing of an inbox, behind so many that were passed over. What was heeded stays so. It is an error
/// all the same, so that it is told: `error`, which the whole met, or one that is not of one.
pub async fn inboxes<T, F>(inboxes: Vec<T>, most: usize, one: impl Fn(T, usize) -> F, error: StoreError) -> StoreError
where
    T: Clone,
    F: Future<Output = Result<HeedAnswer, StoreError>>,
{
    for inbox in inboxes {
        let (mut heeded, mut passed) = (0, 0);
        while heeded < most && passed <= PASSED_MAX {
            match one(inbox.clone(), passed).await {
                Ok(HeedAnswer { heeded: 0, .. }) => break,
                Ok(_) => heeded += 1,
                Err(other) if other.is_of_one() => passed += 1,
                Err(other) => return other,
            }
        }
    }
    error
}
