//! Apart: what is about many, once more about each alone, where one of them keeps the whole from being written.

use std::future::Future;

use gatepost::{AccountId, Heed, HeedAnswer, StoreError};

/// What becomes of the things that come behind an error which is not of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    /// Whoever asked has them still, and asks for all of them again: what was done is stale by then.
    AskedAgain,
    /// They are stale: what was done before them must be answered.
    Stale,
}

/// Does it to one after the other. `stale` stands for what cannot be written: it is left to the end of its lease, since nobody could note
/// what became of it.
///
/// # Errors
///
/// Those that are not of one, where the rest is asked again or nothing was done yet.
pub async fn each<T, A, F>(things: &[T], rest: Rest, alone: impl Fn(T) -> F, stale: A) -> Result<Vec<A>, StoreError>
where
    T: Clone,
    A: Clone,
    F: Future<Output = Result<Vec<A>, StoreError>>,
{
    let mut all = Vec::with_capacity(things.len());
    let mut is_done = false;
    for thing in things {
        match alone(thing.clone()).await {
            Ok(done) => {
                is_done = true;
                all.extend(done);
            }
            Err(error) if error.is_of_one() => all.push(stale.clone()),
            Err(error) if rest == Rest::AskedAgain || !is_done => return Err(error),
            Err(_) => {
                all.resize(things.len(), stale);
                break;
            }
        }
    }
    Ok(all)
}

/// How many things of an inbox are passed over.
const PASSED_MAX: usize = 16;
/// How many things are tried in one go, each in a transaction of its own.
const TRIED_MAX: usize = 256;

/// Heeds these inboxes, thing after thing: what cannot be written keeps no opt-out behind it waiting, and none of another inbox. `one` heeds
/// one thing of an inbox, behind so many that were passed over; `failed` is what the whole met. An error of another kind ends it, and is said
/// beside what was heeded.
pub async fn inboxes<F>(inboxes: Vec<AccountId>, heed: &Heed, one: impl Fn(AccountId, usize) -> F, failed: StoreError) -> HeedAnswer
where
    F: Future<Output = Result<HeedAnswer, StoreError>>,
{
    let mut all = HeedAnswer { failed: Some(failed), ..HeedAnswer::default() };
    let mut tried = 0;
    for inbox in inboxes {
        let (mut heeded, mut passed) = (0, 0);
        while heeded < heed.per_account && passed <= PASSED_MAX {
            if tried == TRIED_MAX.min(heed.limit) {
                all.more = true;
                return all;
            }
            tried += 1;
            all.after = Some(inbox);
            match one(inbox, passed).await {
                Ok(HeedAnswer { heeded: 0, .. }) => break,
                Ok(answer) => {
                    heeded += 1;
                    all.heeded += 1;
                    all.settled.extend(answer.settled);
                }
                Err(error) if error.is_of_one() => passed += 1,
                Err(error) => return HeedAnswer { failed: Some(error), ..all },
            }
        }
    }
    all
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use gatepost::{Policy, Timestamp};

    use super::*;

    /// The value of a future that never waits.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits for nothing"),
        }
    }

    fn unwritable() -> StoreError {
        StoreError::Unwritable(String::from("no"))
    }

    fn unavailable() -> StoreError {
        StoreError::Unavailable(String::from("gone"))
    }

    #[test]
    fn what_was_done_is_answered_whatever_comes_behind_it() {
        let run =
            |rest, answers: &[Result<u8, StoreError>]| now(each(answers, rest, |answer| async move { answer.map(|done| vec![done]) }, 0));
        for rest in [Rest::AskedAgain, Rest::Stale] {
            assert_eq!(run(rest, &[Ok(1), Err(unwritable()), Ok(3)]), Ok(vec![1, 0, 3]));
            assert_eq!(run(rest, &[Err(unwritable()), Err(unavailable()), Ok(3)]), Err(unavailable()));
        }
        assert_eq!(run(Rest::Stale, &[Ok(1), Err(unavailable()), Ok(3)]), Ok(vec![1, 0, 0]), "an attempt that has begun must go");
        assert_eq!(run(Rest::AskedAgain, &[Ok(1), Err(unavailable()), Ok(3)]), Err(unavailable()), "an outcome that is not noted is kept");
    }

    fn account(number: u8) -> AccountId {
        AccountId::from_bytes([number; 16])
    }

    /// Heeds inboxes with so many things each, of which the second cannot be written: the answer, and what is left.
    fn heed_inboxes(things: [usize; 3], limit: usize) -> (HeedAnswer, Vec<usize>) {
        let left = RefCell::new(BTreeMap::from([1, 2, 3].map(|number| (account(number), things[usize::from(number) - 1]))));
        let heed = Heed { limit, per_account: 9, after: None, decider: Arc::new(Policy::default()), now: Timestamp::default() };
        let one = async |inbox, passed: usize| {
            let mut left = left.borrow_mut();
            let waiting = left.get_mut(&inbox).expect("an inbox");
            match (inbox == account(2), *waiting > passed) {
                (_, false) => Ok(HeedAnswer::default()),
                (true, true) if passed == 0 => Err(unwritable()),
                (_, true) => {
                    *waiting -= 1;
                    Ok(HeedAnswer { heeded: 1, ..HeedAnswer::default() })
                }
            }
        };
        let answer = now(inboxes(vec![account(1), account(2), account(3)], &heed, one, unwritable()));
        (answer, left.into_inner().into_values().collect())
    }

    #[test]
    fn what_cannot_be_written_keeps_nothing_behind_it_waiting() {
        let (answer, left) = heed_inboxes([2, 3, 1], 99);
        assert_eq!((answer.heeded, answer.after, answer.more, left), (5, Some(account(3)), false, vec![0, 1, 0]));
        assert_eq!(answer.failed, Some(unwritable()));
    }

    #[test]
    fn an_inbox_that_was_not_tried_is_looked_at_the_next_time() {
        let (answer, left) = heed_inboxes([2, 3, 1], 2);
        assert_eq!((answer.heeded, answer.after, answer.more, left), (2, Some(account(1)), true, vec![0, 3, 1]));
    }
}
