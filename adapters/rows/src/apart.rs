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

/// Heeds inbox after inbox: what cannot be written of one keeps no opt-out of another waiting. What was heeded stays so.
///
/// # Errors
///
/// Always, so that it is told: `error`, which the whole met, or one that is not of one.
pub async fn heed<T, F>(inboxes: Vec<T>, alone: impl Fn(T) -> F, error: StoreError) -> Result<HeedAnswer, StoreError>
where
    F: Future<Output = Result<HeedAnswer, StoreError>>,
{
    for inbox in inboxes {
        match alone(inbox).await {
            Err(other) if !other.is_of_one() => return Err(other),
            _ => {}
        }
    }
    Err(error)
}
