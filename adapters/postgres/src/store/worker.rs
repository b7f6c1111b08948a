//! Worker: the verbs of whoever delivers, through all accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use gatepost::{
    AccountId, ApiKey, Claim, ClaimAnswer, Claimed, Dropped, Finish, Finished, Heed, HeedAnswer, Instance, InstanceId, Integration,
    IntegrationId, KeyId, Lease, Recovered, RecoveryId, Retention, Segment, StartAnswer, StoreError, StoredSeal, Swept, Take, TakeAnswer,
    Timestamp, Unsealed, WorkerStore,
};
use gatepost_rows::apart::{self, Rest};
use gatepost_rows::cells::Cell;
use gatepost_rows::world::World;
use gatepost_rows::{deliver, inbox, replays, seals, take};

use super::{EVENTS, MESSAGES, PostgresStore, REST};
use crate::engine::{Engine, Way};
use crate::group::{Found, Search};
use crate::load::lookups::{EVENTS_OF_SEAL, LAST_SEAL, SEAL};
use crate::load::{Needs, delivering, people, scouts, telling};
use crate::{lists, sealing, touch};

/// Delivering.
pub(super) struct OfWorker(pub(super) PostgresStore);

impl OfWorker {
    fn engine(&self) -> &Engine {
        self.0.engine()
    }

    async fn start_part(&self, claimed: &[Claimed], lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        match self.start_together(claimed.into(), lease, now).await {
            Err(error) if error.is_of_one() => {
                apart::each(claimed, Rest::Stale, |alone| self.start_together([alone].into(), lease, now), StartAnswer::Stale).await
            }
            started => started,
        }
    }

    async fn start_together(&self, claimed: Arc<[Claimed]>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        let Some(way) = lane_of(&claimed) else { return Ok(Vec::new()) };
        let asked = Arc::clone(&claimed);
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| asked.iter().for_each(|claimed| delivering::claimed(needs, claimed));
        let run =
            move |_: &[Found], world: &mut World| Ok(claimed.iter().map(|claimed| deliver::start(world, *claimed, lease, now)).collect());
        self.engine().write(way, Vec::new(), needs, run).await
    }

    async fn finish_part(&self, finishes: &[Finish]) -> Result<Vec<Finished>, StoreError> {
        match self.finish_together(finishes.into()).await {
            Err(error) if error.is_of_one() => {
                apart::each(finishes, Rest::AskedAgain, |alone| self.finish_together([alone].into()), Finished::Stale).await
            }
            finished => finished,
        }
    }

    async fn finish_together(&self, finishes: Arc<[Finish]>) -> Result<Vec<Finished>, StoreError> {
        let Some(way) = finishes.first().map(|finish| Way::Delivering(finish.claimed.account)) else { return Ok(Vec::new()) };
        let asked = Arc::clone(&finishes);
        let needs = move |_: &[Found], world: &World, needs: &mut Needs| {
            asked.iter().for_each(|finish| delivering::finished(needs, world, finish));
        };
        let run = move |_: &[Found], world: &mut World| Ok(finishes.iter().map(|finish| deliver::finish(world, finish.clone())).collect());
        self.engine().write(way, Vec::new(), needs, run).await
    }

    /// Heeds what the inboxes of several accounts hold, all of it or nothing.
    async fn heed_together(&self, heed: Heed) -> Result<HeedAnswer, StoreError> {
        let (most, per_account, now) = (inboxes_max(&heed), heed.per_account, heed.now);
        let needs = move |found: &[Found], world: &World, needs: &mut Needs| {
            people::heeded(needs, world, accounts_of(found), per_account, now);
        };
        let search = inboxes(&heed);
        let run = move |found: &[Found], world: &mut World| {
            let mut answer = inbox::heed(world, &heed);
            let found = found.first().map_or(&[][..], Vec::as_slice);
            if answer.after.is_none() && found.len() >= most {
                answer.after = found.last().and_then(|row| scouts::account(row, 0));
            }
            Ok(answer)
        };
        self.engine().write(REST, search, needs, run).await
    }

    /// Heeds one thing of an account, behind so many that are passed over.
    async fn heed_one(&self, heed: Heed, account: AccountId, passed: usize) -> Result<HeedAnswer, StoreError> {
        let now = heed.now;
        let needs = move |_: &[Found], world: &World, needs: &mut Needs| people::heeded(needs, world, [account], passed + 1, now);
        let run = move |_: &[Found], world: &mut World| Ok(inbox::heed_one_behind(world, account, passed, &heed));
        self.engine().write(REST, Vec::new(), needs, run).await
    }

    async fn release_part(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        let Some(way) = lane_of(&claimed) else { return Ok(()) };
        let asked = claimed.clone();
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| asked.iter().for_each(|claimed| delivering::claimed(needs, claimed));
        let run = move |_: &[Found], world: &mut World| {
            claimed.iter().for_each(|claimed| deliver::release(world, *claimed, now));
            Ok(())
        };
        self.engine().write(way, Vec::new(), needs, run).await
    }
}

/// The accounts that were found.
fn accounts_of(found: &[Found]) -> impl Iterator<Item = AccountId> {
    found.iter().flatten().filter_map(|row| scouts::account(row, 0))
}

/// Finds the accounts in which something waits to be heeded.
fn inboxes(heed: &Heed) -> Vec<Search> {
    vec![(&scouts::INBOXES, vec![scouts::behind(heed.after), delivering::limit(inboxes_max(heed))])]
}

/// How many of them are found at most.
fn inboxes_max(heed: &Heed) -> usize {
    heed.limit.clamp(1, delivering::ACCOUNTS_MAX)
}

/// The lane of claims of one account.
fn lane_of(claimed: &[Claimed]) -> Option<Way> {
    claimed.first().map(|claimed| Way::Delivering(claimed.account))
}

/// Things of one account, among those of others.
struct Part<T> {
    things: Vec<T>,
    /// Where each of them stands.
    places: Vec<usize>,
}

/// The parts of what is about many accounts: each goes to the lane of its account, and none spoils another.
fn by_account<T>(things: Vec<T>, claimed: impl Fn(&T) -> Claimed) -> BTreeMap<AccountId, Part<T>> {
    let mut parts = BTreeMap::new();
    for (place, thing) in things.into_iter().enumerate() {
        let part = parts.entry(claimed(&thing).account).or_insert_with(|| Part { things: Vec::new(), places: Vec::new() });
        part.things.push(thing);
        part.places.push(place);
    }
    parts
}

/// The answers for parts, in the order of the whole.
fn in_order<'a, T: 'a, A>(answers: impl Iterator<Item = (&'a Part<T>, Vec<A>)>) -> Vec<A> {
    let mut all: Vec<(usize, A)> = answers.flat_map(|(part, answers)| part.places.iter().copied().zip(answers)).collect();
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, answer)| answer).collect()
}

#[async_trait]
impl WorkerStore for OfWorker {
    async fn claim(&self, claim: Claim) -> Result<ClaimAnswer, StoreError> {
        let search: Vec<Search> = vec![(&scouts::MESSAGES, vec![scouts::behind(claim.after), Cell::from(claim.now)])];
        let found_of = delivering::sorted;
        let needs = move |found: &[Found], _: &World, needs: &mut Needs| delivering::due_messages(needs, &found_of(found), &claim);
        let run = move |found: &[Found], world: &mut World| {
            let found = found_of(found);
            let (queues, last) = delivering::queues(&found, claim.now);
            let is_part = delivering::has_full_queue(world, delivering::room_of_claim(&claim, queues.len()));
            let mut answer = deliver::claim(world, &claim);
            answer.next_due = answer.next_due.into_iter().chain(delivering::later(&found, claim.now)).min();
            answer.more |= is_part && !answer.claimed.is_empty();
            if let (None, Some(last)) = (answer.after, last) {
                (answer.after, answer.more) = (Some(last), true);
            }
            Ok(answer)
        };
        self.engine().write(MESSAGES, search, needs, run).await
    }

    async fn take(&self, request: Take) -> Result<TakeAnswer, StoreError> {
        let search: Vec<Search> = vec![(&scouts::EVENTS, vec![scouts::behind(request.after), Cell::from(request.now)])];
        let found_of = delivering::sorted;
        let needs =
            move |found: &[Found], world: &World, needs: &mut Needs| delivering::due_events(needs, world, &found_of(found), &request);
        let run = move |found: &[Found], world: &mut World| {
            let found = found_of(found);
            let (queues, last) = delivering::queues(&found, request.now);
            let is_part = delivering::has_full_queue(world, delivering::room_of_take(&request, queues.len()));
            let mut answer = take::take(world, &request);
            answer.next_due = answer.next_due.into_iter().chain(delivering::later(&found, request.now)).min();
            answer.more |= is_part && !answer.started.is_empty();
            if let (None, Some(last)) = (answer.after, last) {
                (answer.after, answer.more) = (Some(last), true);
            }
            Ok(answer)
        };
        self.engine().write(EVENTS, search, needs, run).await
    }

    async fn recover(&self, after: Option<RecoveryId>, limit: usize, now: Timestamp) -> Result<Recovered, StoreError> {
        let behind = after.map_or_else(Cell::no_bytes, Cell::from);
        let search: Vec<Search> = vec![(&scouts::RECOVERIES, vec![behind])];
        let whole = move |found: &[Found], world: &World, needs: &mut Needs| {
            telling::recovered(needs, world, found.first().map_or(&[], Vec::as_slice), after, limit);
        };
        let recover = move |_: &[Found], world: &mut World| Ok(replays::recover(world, after, limit, now));
        match self.engine().write(Way::Once, search.clone(), whole, recover).await {
            Err(StoreError::Corrupt(_)) => {
                // It would meet what it cannot read again and again.
                let alone = |found: &[Found], _: &World, needs: &mut Needs| {
                    telling::unfinished(needs, found.first().map_or(&[], Vec::as_slice));
                };
                let end = move |found: &[Found], world: &mut World| Ok(telling::end(world, found.first().map_or(&[], Vec::as_slice), now));
                self.engine().write(Way::Once, search, alone, end).await
            }
            recovered => recovered,
        }
    }

    async fn start(&self, claimed: Vec<Claimed>, lease: Lease, now: Timestamp) -> Result<Vec<StartAnswer>, StoreError> {
        let parts = by_account(claimed, |claimed| *claimed);
        let started = join_all(parts.values().map(|part| self.start_part(&part.things, lease, now))).await;
        if let Some(Err(error)) = started.iter().find(|started| started.is_err()).filter(|_| started.iter().all(Result::is_err)) {
            return Err(error.clone());
        }
        // What was started elsewhere is on its way. These wait again once the lease of their claim has ended.
        let stale = |part: &Part<Claimed>| part.things.iter().map(|_| StartAnswer::Stale).collect();
        Ok(in_order(parts.values().zip(started).map(|(part, started)| (part, started.unwrap_or_else(|_| stale(part))))))
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Finished>, StoreError> {
        let parts = by_account(finishes, |finish| finish.claimed);
        let finished = try_join_all(parts.values().map(|part| self.finish_part(&part.things))).await?;
        Ok(in_order(parts.values().zip(finished)))
    }

    async fn release(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        let parts = by_account(claimed, |claimed| *claimed);
        try_join_all(parts.into_values().map(|part| self.release_part(part.things, now))).await.map(drop)
    }

    async fn heed(&self, heed: Heed) -> Result<HeedAnswer, StoreError> {
        match self.heed_together(heed.clone()).await {
            Err(error) if error.is_of_one() => {
                let found = self.engine().read(inboxes(&heed), |_, _, _| {}, |found, _| Ok(accounts_of(found).collect()));
                Ok(apart::inboxes(found.await?, &heed, |account, passed| self.heed_one(heed.clone(), account, passed), error).await)
            }
            heeded => heeded,
        }
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        let values = || vec![Cell::from(now), delivering::limit(limit)];
        let bound_before = Cell::from(now.minus(gatepost::IDEMPOTENCY_TIME));
        let search: Vec<Search> = vec![
            (&scouts::MESSAGES_LEASED, values()),
            (&scouts::MESSAGES_EXPIRED, values()),
            (&scouts::EVENTS_LEASED, values()),
            (&scouts::EVENTS_EXPIRED, values()),
            (&scouts::REVIEWS_EXPIRED, values()),
            (&scouts::BINDINGS_OVER, vec![bound_before, delivering::limit(limit)]),
        ];
        let needs = move |found: &[Found], world: &World, needs: &mut Needs| delivering::overdue(needs, world, found, now);
        let swept = self.engine().write(REST, search, needs, move |_, world| Ok(deliver::sweep(world, now, limit))).await?;
        Ok(Swept { judged: self.engine().take_judged(), parked: self.engine().take_parked(), ..swept })
    }

    async fn key(&self, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        self.0.on_threads(move |database| async move { lists::accounts::key(&database, id).await }).await
    }

    async fn instance(&self, id: InstanceId) -> Result<Option<(AccountId, Instance)>, StoreError> {
        self.0.on_threads(move |database| async move { lists::accounts::any_instance(&database, id).await }).await
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError> {
        self.0.on_threads(move |database| async move { lists::integrations::any_integration(&database, id).await }).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.0.on_threads(move |database| async move { touch::touch(&database, used).await }).await
    }

    async fn lease_sealing(&self, holder: [u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.0.on_threads(move |database| async move { sealing::lease(&database, holder, until, now).await }).await
    }

    async fn unsealed(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Unsealed>, StoreError> {
        self.0.on_threads(move |database| async move { lists::seals::unsealed(&database, after, limit).await }).await
    }

    async fn seal(&self, segment: Segment) -> Result<bool, StoreError> {
        let account = segment.seal.account;
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.bare(account);
            needs.key(&LAST_SEAL, [account.into()]);
        };
        self.engine().write(Way::Once, Vec::new(), needs, move |_, world| Ok(seals::seal(world, segment.clone()))).await
    }

    async fn old_segments(&self, before: Timestamp, skip: usize, limit: usize) -> Result<Vec<(AccountId, StoredSeal)>, StoreError> {
        self.0.on_threads(move |database| async move { lists::seals::old(&database, before, skip, limit).await }).await
    }

    async fn drop_segment(&self, account: AccountId, number: u64, dropped: Dropped) -> Result<usize, StoreError> {
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.bare(account);
            needs.each([&SEAL, &EVENTS_OF_SEAL], &[account.into(), Cell::count(number)]);
        };
        let run = move |_: &[Found], world: &mut World| {
            Ok(world.accounts.get_mut(&account).map_or(0, |rows| seals::drop_segment(rows, number, dropped)))
        };
        self.engine().write(REST, Vec::new(), needs, run).await
    }

    async fn retain(&self, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        let turn = Arc::clone(&self.0.0.forgetting);
        self.0.on_threads(move |database| async move { turn.retain(&database, retention, limit).await }).await
    }
}
