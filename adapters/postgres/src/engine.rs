//! Engine: the lanes on which callers' verbs come together to groups, and what follows a commit.
//!
//! The players: a [`Lane`] (whose groups follow one another, so that what waits meanwhile shares the next one), [`Engine`] (the lanes),
//! [`Aftermath`] (who is told). An account's verbs all go to the lane of the account, so that those of one host seldom wait for each other.

use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_channel::oneshot;
use futures_util::FutureExt;
use gatepost::{AccountId, Judged, StoreError};
use gatepost_rows::world::World;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::connect::Database;
use crate::group::{Ended, Following, Found, Search, Verb, run_group};
use crate::hints::Hints;
use crate::load::Needs;
use crate::transaction::Access;

/// The most verbs in one transaction.
const GROUP_MAX: usize = 256;
/// The bytes, about, from which on a group takes no more verbs: the server takes no message of a gigabyte, and nobody wants to hold one.
const GROUP_WEIGHT: usize = 8 * 1024 * 1024;
/// What a verb writes, about, where it says nothing else; and each message that it accepts.
pub(crate) const USUAL_WEIGHT: usize = 4 * 1024;
/// The most verbs that wait; more are refused at once rather than late.
const WAITING_MAX: usize = 65_536;

/// What is called after a commit that may have left something due.
pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// A verb made of two functions: what it needs, and what it does.
pub(crate) struct Made<T, N, R> {
    pub(crate) searches: Vec<Search>,
    pub(crate) needs: N,
    pub(crate) run: R,
    is_wide: bool,
    weight: usize,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, N, R> Verb for Made<T, N, R>
where
    T: Send,
    N: Fn(&[Found], &World, &mut Needs) + Send,
    R: FnMut(&[Found], &mut World) -> Result<T, StoreError> + Send,
{
    fn searches(&self) -> Vec<Search> {
        self.searches.clone()
    }

    fn needs(&self, found: &[Found], world: &World, needs: &mut Needs) {
        (self.needs)(found, world, needs);
    }

    fn weight(&self) -> usize {
        self.weight
    }

    fn run(&mut self, found: &[Found], world: &mut World) {
        self.result = Some((self.run)(found, world));
    }

    fn may_pass_over(&self) -> bool {
        self.is_wide && !self.searches.is_empty()
    }

    fn is_wide(&self) -> bool {
        self.is_wide
    }

    fn answer(self: Box<Self>, group: &Result<(), StoreError>) {
        let gone = || Err(StoreError::Unavailable(String::from("the group ended early")));
        let Self { result, answer, needs, run, .. } = *self;
        // What it was given and did not use is free again before anybody knows.
        drop((needs, run));
        let result = match group {
            Ok(()) => result.unwrap_or_else(gone),
            Err(error) => Err(error.clone()),
        };
        // Who no longer waits need not know.
        let _ = answer.send(result);
    }
}

/// The lanes, and what follows a commit.
pub(crate) struct Engine {
    database: Arc<Database>,
    lanes: Vec<Lane>,
    aftermath: Arc<Aftermath>,
}

/// Whose groups follow one another.
struct Lane {
    verbs: UnboundedSender<Box<dyn Verb>>,
    waiting: Arc<AtomicUsize>,
}

/// Which lane a verb goes to.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// That of the account.
    Of(AccountId),
    /// That of the account of a delivery. What cannot be read is parked there.
    Delivering(AccountId),
    /// One of those that look through all accounts.
    Wide(usize),
    /// The last of them, for what is about one thing and found by an id that names no account.
    Once,
}

/// How many lanes look through all accounts: messages, events, and the rest.
const WIDE: usize = 3;

impl Engine {
    pub(crate) fn start(database: Arc<Database>, lanes: usize) -> Self {
        let aftermath = Arc::new(Aftermath::default());
        let others = Arc::downgrade(&aftermath);
        let told = move || {
            if let Some(aftermath) = others.upgrade() {
                aftermath.call_hooks();
            }
        };
        // It is set nowhere else.
        let _ = aftermath.hints.set(Hints::start(&database, Arc::new(told)));
        let lane = |group_max| {
            let (verbs, coming) = unbounded_channel();
            let waiting = Arc::new(AtomicUsize::new(0));
            let run = Lane::run(Arc::clone(&database), coming, Arc::clone(&waiting), Arc::clone(&aftermath), group_max);
            database.runtime().spawn(run);
            Lane { verbs, waiting }
        };
        let narrow = (0..lanes.max(1)).map(|_| lane(GROUP_MAX));
        let lanes: Vec<Lane> = narrow.chain((0..WIDE).map(|_| lane(1))).collect();
        Self { database, lanes, aftermath }
    }

    /// Has `hook` called after a commit that may have left something due.
    pub(crate) fn on_change(&self, hook: Hook) {
        lock(&self.aftermath.hooks).push(hook);
    }

    /// The accounts that reached a rate since this was asked the last time.
    pub(crate) fn take_judged(&self) -> Vec<Judged> {
        mem::take(&mut lock(&self.aftermath.judged))
    }

    /// How many deliveries were parked since this was asked the last time.
    pub(crate) fn take_parked(&self) -> usize {
        self.aftermath.parked.swap(0, Ordering::Relaxed)
    }

    /// Runs a verb in the next group of its lane, and answers when it is durable. Dropping the future does not undo it.
    pub(crate) async fn write<T, N, R>(&self, way: Way, searches: Vec<Search>, needs: N, run: R) -> Result<T, StoreError>
    where
        T: Send + 'static,
        N: Fn(&[Found], &World, &mut Needs) + Send + 'static,
        R: FnMut(&[Found], &mut World) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let is_wide = matches!(way, Way::Delivering(_) | Way::Wide(_));
        self.go(way, Made { searches, needs, run, is_wide, weight: USUAL_WEIGHT, result: None, answer }, answered).await
    }

    /// As [`write`](Self::write), for an account and for what writes so many bytes, about.
    pub(crate) async fn write_heavy<T, N, R>(&self, account: AccountId, weight: usize, needs: N, run: R) -> Result<T, StoreError>
    where
        T: Send + 'static,
        N: Fn(&[Found], &World, &mut Needs) + Send + 'static,
        R: FnMut(&[Found], &mut World) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let verb = Made { searches: Vec::new(), needs, run, is_wide: false, weight, result: None, answer };
        self.go(Way::Of(account), verb, answered).await
    }

    async fn go<T>(
        &self,
        way: Way,
        verb: impl Verb + 'static,
        answered: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let gone = || StoreError::Unavailable(String::from("the store has ended"));
        let lane = self.lane(way).ok_or_else(gone)?;
        if lane.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            lane.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::Unavailable(String::from("too many callers wait for the database")));
        }
        lane.verbs.send(Box::new(verb)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Runs a verb that only reads, on a connection of its own.
    pub(crate) async fn read<T, N, R>(&self, searches: Vec<Search>, needs: N, run: R) -> Result<T, StoreError>
    where
        T: Send + 'static,
        N: Fn(&[Found], &World, &mut Needs) + Send + 'static,
        R: FnMut(&[Found], &mut World) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let gone = || StoreError::Unavailable(String::from("the store has ended"));
        let verb: Box<dyn Verb> = Box::new(Made { searches, needs, run, is_wide: false, weight: 0, result: None, answer });
        let database = Arc::clone(&self.database);
        self.database.runtime().spawn(async move {
            let mut verbs = vec![verb];
            let ended = run_group(&database, &mut verbs, Access::Read).await;
            finish(verbs, ended, None);
        });
        answered.await.map_err(|_| gone())?
    }

    fn lane(&self, way: Way) -> Option<&Lane> {
        let narrow = self.lanes.len() - WIDE;
        match way {
            Way::Of(account) | Way::Delivering(account) => {
                let shard = account.to_bytes().iter().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
                self.lanes.get(shard % narrow)
            }
            Way::Wide(nth) => self.lanes.get(narrow + nth % WIDE),
            Way::Once => self.lanes.last(),
        }
    }
}

impl Lane {
    async fn run(
        database: Arc<Database>,
        mut coming: UnboundedReceiver<Box<dyn Verb>>,
        waiting: Arc<AtomicUsize>,
        aftermath: Arc<Aftermath>,
        group_max: usize,
    ) {
        while let Some(first) = coming.recv().await {
            let (mut weight, mut verbs) = (first.weight(), vec![first]);
            while verbs.len() < group_max
                && weight < GROUP_WEIGHT
                && let Ok(next) = coming.try_recv()
            {
                weight += next.weight();
                verbs.push(next);
            }
            waiting.fetch_sub(verbs.len(), Ordering::Relaxed);
            run_apart(&database, verbs, &aftermath).await;
        }
    }
}

/// Runs a group; where one verb spoils it, its halves, until that one is alone.
async fn run_apart(database: &Database, verbs: Vec<Box<dyn Verb>>, aftermath: &Aftermath) {
    let mut parts = vec![verbs];
    while let Some(mut part) = parts.pop() {
        match guarded(database, &mut part).await {
            Err(error) if part.len() > 1 && error.is_of_one() => {
                let behind = part.split_off(part.len() / 2);
                parts.extend([behind, part]);
            }
            ended => finish(part, ended, Some(aftermath)),
        }
    }
}

/// Runs a group; a panic fails it as an error does, and never ends its lane.
async fn guarded(database: &Database, verbs: &mut [Box<dyn Verb>]) -> Ended {
    let ran = AssertUnwindSafe(run_group(database, verbs, Access::Write)).catch_unwind().await;
    ran.unwrap_or_else(|_| Err(StoreError::Unwritable(String::from("the group panicked"))))
}

/// Lets follow what verbs left to do, and answers them.
fn finish(verbs: Vec<Box<dyn Verb>>, ended: Ended, aftermath: Option<&Aftermath>) {
    let (group, failed) = match ended {
        Ok((following, failed)) => {
            if let Some(aftermath) = aftermath {
                aftermath.follow(following);
            }
            (Ok(()), failed)
        }
        Err(error) => (Err(error), BTreeMap::new()),
    };
    for (nth, verb) in verbs.into_iter().enumerate() {
        match failed.get(&nth) {
            Some(error) => verb.answer(&Err(error.clone())),
            None => verb.answer(&group),
        }
    }
}

/// Who is told once a group is committed.
#[derive(Default)]
struct Aftermath {
    hooks: Mutex<Vec<Hook>>,
    hints: OnceLock<Hints>,
    judged: Mutex<Vec<Judged>>,
    parked: AtomicUsize,
}

impl Aftermath {
    fn follow(&self, Following { effects, parked }: Following) {
        self.parked.fetch_add(parked, Ordering::Relaxed);
        for (permit, started) in effects.started {
            apart(|| permit.start(started));
        }
        lock(&self.judged).extend(effects.judged);
        if effects.left_due {
            self.call_hooks();
            self.hints.get().into_iter().for_each(Hints::tell);
        }
    }

    /// A hook may call the store.
    fn call_hooks(&self) {
        let hooks = lock(&self.hooks).clone();
        hooks.iter().for_each(|hook| apart(|| hook()));
    }
}

/// Calls what is not ours: where it panics, that ends neither the lane nor what follows for others.
fn apart(call: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(call));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use futures_util::future::join_all;
    use gatepost_cluster::Cluster;
    use gatepost_rows::cells::Cell;

    use super::*;
    use crate::Options;
    use crate::load::lookups::BINDING;

    const ACCOUNT: AccountId = AccountId::from_bytes([7; 16]);

    /// Runs verbs that come to a lane together: each is its number, and what it does.
    fn together(run: fn(u32) -> Result<u32, StoreError>, key: fn(u32) -> &'static str) -> Option<Vec<Result<u32, StoreError>>> {
        let database = Cluster::shared()?.create().expect("a database");
        let engine = Engine::start(Arc::new(Database::open(&database.url(), &Options::default()).expect("it opens")), 1);
        let verb = |number: u32| {
            let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
                needs.account(ACCOUNT);
                needs.key(&BINDING, [ACCOUNT.into(), Cell::from(key(number))]);
            };
            engine.write(Way::Of(ACCOUNT), Vec::new(), needs, move |_, _| run(number))
        };
        Some(futures_executor::block_on(join_all((0..8).map(verb))))
    }

    #[test]
    fn a_verb_that_panics_spares_the_others() {
        let run = |number| if number == 3 { panic!("in the middle of a verb") } else { Ok(number) };
        let Some(answers) = together(run, |_| "k") else { return };
        for (number, answer) in (0..).zip(&answers) {
            assert_eq!(answer.as_ref().ok(), (number != 3).then_some(&number), "{answers:?}");
        }
    }

    #[test]
    fn a_hook_that_panics_spares_the_others() {
        let Some(cluster) = Cluster::shared() else { return };
        let created = cluster.create().expect("a database");
        let engine = Engine::start(Arc::new(Database::open(&created.url(), &Options::default()).expect("it opens")), 1);
        let (sender, called) = std::sync::mpsc::channel();
        engine.on_change(Arc::new(|| panic!("in a hook")));
        engine.on_change(Arc::new(move || sender.send(()).expect("somebody waits")));
        engine.aftermath.call_hooks();
        called.try_recv().expect("it was called");
    }

    #[test]
    fn a_verb_that_fails_spares_the_others() {
        let run = |number| if number == 3 { Err(StoreError::Conflict) } else { Ok(number) };
        let Some(answers) = together(run, |_| "k") else { return };
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 7);
        assert_eq!(answers.get(3), Some(&Err(StoreError::Conflict)));
    }

    #[test]
    fn what_writes_much_shares_a_transaction_with_nothing() {
        let Some(cluster) = Cluster::shared() else { return };
        let created = cluster.create().expect("a database");
        let database = Arc::new(Database::open(&created.url(), &Options::default()).expect("it opens"));
        let engine = Engine::start(Arc::clone(&database), 1);
        let statements_of = |verbs: usize| {
            let before = database.statements();
            let verb = |_| engine.write_heavy(ACCOUNT, GROUP_WEIGHT, |_, _, needs| needs.account(ACCOUNT), |_, _| Ok(()));
            let answers = futures_executor::block_on(join_all((0..verbs).map(verb)));
            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
            database.statements() - before
        };
        let alone = statements_of(1);
        assert_eq!(statements_of(8), 8 * alone);
    }

    #[test]
    fn a_text_that_no_database_takes_is_asked_for_all_the_same() {
        let Some(answers) = together(Ok, |number| if number == 3 { "a\0b" } else { "k" }) else { return };
        assert_eq!(answers, (0..8).map(Ok).collect::<Vec<_>>());
    }
}
