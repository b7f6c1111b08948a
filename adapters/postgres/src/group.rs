//! Group: many callers' verbs in one transaction, on a world that holds just the rows that they may look at.
//!
//! A verb says what it needs; the group reads that for all of its verbs with one statement for each way of looking it up, runs them in order
//! as a store in memory does, writes the difference, commits, and answers. The players: a [`Verb`] (one caller's), a [`Lane`] (whose groups
//! follow one another, so that what waits meanwhile shares the next one), [`Engine`] (the lanes, and what follows a commit).
//!
//! A verb may run more than once before its group is committed: where others were in the way, where it turned out to need more rows, or
//! where another verb of the group panicked. So it must not use up what it was given.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_channel::oneshot;
use futures_util::future::{try_join, try_join_all};
use gatepost::{AccountId, Judged, StoreError};
use gatepost_rows::cells::{Cell, Kind, Row};
use gatepost_rows::events;
use gatepost_rows::tables::{self, Image};
use gatepost_rows::world::{Effects, Operational, World};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::types::ToSql;

use crate::connect::Database;
use crate::error::Failure;
use crate::hints::Hints;
use crate::load::scouts::{self, OPERATORS};
use crate::load::{Bad, Base, Needs, follow, follow_up, lookups, parked};
use crate::sql::{self, Lookup, Scout};
use crate::transaction::{Access, Fence, Transaction, Tries};
use crate::write::{Arrays, Writes};

/// The most verbs in one transaction.
const GROUP_MAX: usize = 256;
/// The most verbs that wait; more are refused at once rather than late.
const WAITING_MAX: usize = 65_536;
/// How often verbs may turn out to need more.
const ROUNDS_MAX: usize = 24;

/// What is called after a commit that may have left something due.
pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// What a scout found: rows of the columns that it names.
pub(crate) type Found = Vec<Row>;

/// What a verb looks for in all accounts before anything else: a scout, and the values that it is given.
pub(crate) type Search = (&'static Scout, Vec<Cell>);

/// One caller's verb on its way through a group.
pub(crate) trait Verb: Send {
    /// What it looks for in all accounts, before any is locked. What is found may be another's by the time that the accounts are locked.
    fn searches(&self) -> Vec<Search>;

    /// Asks for the rows that it may look at, as far as can be said from those that were read; it is asked again until there are no more.
    fn needs(&self, found: &[Found], world: &World, needs: &mut Needs);

    /// Runs.
    fn run(&mut self, found: &[Found], world: &mut World);

    /// Whether it is about many: then what cannot be read is set aside, and it is done for the rest.
    fn is_wide(&self) -> bool;

    /// Answers, once the group has ended.
    fn answer(self: Box<Self>, group: &Result<(), StoreError>);
}

/// A verb made of two functions: what it needs, and what it does.
pub(crate) struct Made<T, N, R> {
    pub(crate) searches: Vec<Search>,
    pub(crate) needs: N,
    pub(crate) run: R,
    is_wide: bool,
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

    fn run(&mut self, found: &[Found], world: &mut World) {
        self.result = Some((self.run)(found, world));
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
    /// One of those that look through all accounts: nothing else waits behind it.
    Wide(usize),
    /// The last of them, for what is about one thing.
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
        let gone = || StoreError::Unavailable(String::from("the store has ended"));
        let lane = self.lane(way).ok_or_else(gone)?;
        if lane.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            lane.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::Unavailable(String::from("too many callers wait for the database")));
        }
        lane.verbs
            .send(Box::new(Made { searches, needs, run, is_wide: matches!(way, Way::Delivering(_) | Way::Wide(_)), result: None, answer }))
            .map_err(|_| gone())?;
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
        let verb: Box<dyn Verb> = Box::new(Made { searches, needs, run, is_wide: false, result: None, answer });
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
            let mut verbs = vec![first];
            while verbs.len() < group_max
                && let Ok(next) = coming.try_recv()
            {
                verbs.push(next);
            }
            waiting.fetch_sub(verbs.len(), Ordering::Relaxed);
            match run_group(&database, &mut verbs, Access::Write).await {
                // Something cannot be read, which must fail nobody whom it does not concern.
                Err(StoreError::Corrupt(_)) if verbs.len() > 1 => {
                    for verb in verbs {
                        let mut alone = vec![verb];
                        let ended = run_group(&database, &mut alone, Access::Write).await;
                        finish(alone, ended, Some(&aftermath));
                    }
                }
                ended => finish(verbs, ended, Some(&aftermath)),
            }
        }
    }
}

/// How a group ended: what follows, and which of its verbs failed alone.
type Ended = Result<(Following, BTreeMap<usize, StoreError>), StoreError>;

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

/// What follows a commit.
#[derive(Default)]
struct Following {
    effects: Effects,
    parked: usize,
}

impl Aftermath {
    fn follow(&self, Following { effects, parked }: Following) {
        self.parked.fetch_add(parked, Ordering::Relaxed);
        for (permit, started) in effects.started {
            permit.start(started);
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
        hooks.iter().for_each(|hook| hook());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs verbs in one transaction, again for a while where others are in the way.
async fn run_group(database: &Database, verbs: &mut [Box<dyn Verb>], access: Access) -> Ended {
    let mut tries = Tries::default();
    let mut known = Needs::default();
    loop {
        match run_once(database, verbs, access, &mut known).await {
            Ok(ended) => return Ok(ended),
            Err(failure) if failure.may_pass() && tries.again().await => {}
            Err(failure) => return Err(failure.into()),
        }
    }
}

async fn run_once(
    database: &Database,
    verbs: &mut [Box<dyn Verb>],
    access: Access,
    known: &mut Needs,
) -> Result<(Following, BTreeMap<usize, StoreError>), Failure> {
    let transaction = Transaction::new(database).await?;
    let mut group = Group {
        transaction: &transaction,
        access,
        base: Base::default(),
        known: Needs::default(),
        opened: false,
        fence: None,
        failed: BTreeMap::new(),
        parked: 0,
    };
    match group.run(verbs, known).await {
        Ok(Some(effects)) => {
            let (failed, parked) = (mem::take(&mut group.failed), group.parked);
            transaction.commit().await.map(|()| (Following { effects, parked }, failed))
        }
        Ok(None) => {
            transaction.roll_back().await;
            Err(Failure::Again)
        }
        Err(failure) => {
            transaction.roll_back().await;
            Err(failure)
        }
    }
}

/// A group in its transaction.
struct Group<'a> {
    transaction: &'a Transaction,
    access: Access,
    base: Base,
    known: Needs,
    opened: bool,
    fence: Option<Fence>,
    failed: BTreeMap<usize, StoreError>,
    parked: usize,
}

impl Group<'_> {
    /// Runs the verbs and writes what they did. None where that must begin again: rows are there that were thought new, and are `extra` now.
    async fn run(&mut self, verbs: &mut [Box<dyn Verb>], extra: &mut Needs) -> Result<Option<Effects>, Failure> {
        let found = self.scout(verbs).await?;
        self.load(verbs, &found, extra).await?;
        let (mut world, mut effects) = self.run_verbs(verbs, &found).await?;
        if self.access == Access::Read {
            return Ok(Some(Effects::default()));
        }
        self.tell_operator(&mut world, &mut effects).await?;
        let now = tables::image(&world);
        let is_written = self.write(&now, extra).await?;
        Ok(is_written.then_some(effects))
    }

    /// Finds what verbs look for in all accounts.
    async fn scout(&mut self, verbs: &mut [Box<dyn Verb>]) -> Result<Vec<Vec<Found>>, Failure> {
        let searches: Vec<Vec<Search>> = verbs.iter().map(|verb| verb.searches()).collect();
        if searches.iter().all(Vec::is_empty) {
            return Ok(vec![Vec::new(); verbs.len()]);
        }
        let texts: Vec<&str> = searches.iter().flatten().map(|(scout, _)| scout.text).collect();
        self.transaction.prepare(&texts).await?;
        self.opened = true;
        let this = &*self;
        let look = try_join_all(searches.iter().map(|searches| try_join_all(searches.iter().map(|search| this.search(search)))));
        let (_, found) = try_join(this.transaction.open(&Fence::finding(), this.access), look).await?;
        Ok(found)
    }

    async fn search(&self, (scout, values): &Search) -> Result<Found, Failure> {
        let values: Vec<Box<dyn ToSql + Sync + Send>> = values.iter().map(value).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        cells(self.transaction.query(scout.text, &values).await?, scout.found)
    }

    /// Reads what the verbs need, round after round.
    async fn load(&mut self, verbs: &mut [Box<dyn Verb>], found: &[Vec<Found>], extra: &Needs) -> Result<(), Failure> {
        let mut asked = extra.clone();
        let mut world = World::default();
        for _ in 0..ROUNDS_MAX {
            for (nth, (verb, found)) in verbs.iter().zip(found).enumerate() {
                let ask = catch_unwind(AssertUnwindSafe(|| {
                    let mut needs = Needs::default();
                    verb.needs(found, &world, &mut needs);
                    needs
                }));
                match ask {
                    Ok(needs) => asked.add(needs),
                    Err(panic) => _ = self.failed.insert(nth, panicked(&*panic)),
                }
            }
            follow(&self.base, &self.known, &mut asked);
            let has_learned = self.learn(mem::take(&mut asked)).await?;
            world = self.base.world();
            if !self.judge(verbs).await? && !has_learned {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads what is asked for and not known yet; whether there was anything.
    async fn learn(&mut self, asked: Needs) -> Result<bool, Failure> {
        let new = self.known.learn(asked);
        if new.is_empty() && self.opened {
            return Ok(false);
        }
        let lookups: Vec<(&'static Lookup, Arrays)> =
            new.lookups().map(|(lookup, keys)| (lookup, Arrays::of(lookup.keys.iter().copied(), keys.iter()))).collect();
        let texts: Vec<String> = lookups.iter().map(|(lookup, _)| lookup.text()).collect();
        let accounts_table = &tables::accounts::ACCOUNTS;
        let locks = if self.access == Access::Write { sql::lock(accounts_table) } else { sql::read(accounts_table) };
        let mut prepared: Vec<&str> = texts.iter().map(String::as_str).collect();
        prepared.push(&locks);
        self.transaction.prepare(&prepared).await?;
        let accounts: Vec<Vec<u8>> = new.accounts().iter().map(|account| account.to_bytes().to_vec()).collect();
        let fence = self.known.fence();
        let opened = mem::replace(&mut self.opened, true);
        let is_fenced = self.fence.as_ref() == Some(&fence);
        let (transaction, access) = (self.transaction, self.access);
        let begin = async {
            match (opened, is_fenced) {
                (false, _) => transaction.open(&fence, access).await.map(drop),
                (true, false) => transaction.fence(&fence).await,
                (true, true) => Ok(()),
            }
        };
        let lock = async {
            if accounts.is_empty() {
                return Ok(Vec::new());
            }
            transaction.query(&locks, &[&accounts]).await
        };
        let read = try_join_all(lookups.iter().zip(&texts).map(|((_, arrays), text)| async move {
            let params = arrays.params();
            transaction.query(text, &params).await
        }));
        let (((), locked), read) = try_join(try_join(begin, lock), read).await?;
        self.fence = Some(fence);
        let of_table = |table: &gatepost_rows::cells::Table| table.columns.iter().map(|column| column.kind).collect::<Vec<Kind>>();
        self.base.add(accounts_table, cells(locked, &of_table(accounts_table))?);
        for ((lookup, _), rows) in lookups.iter().zip(read) {
            self.base.add(lookup.table, cells(rows, &of_table(lookup.table))?);
        }
        Ok(true)
    }

    /// Judges what cannot be read; whether there was anything. A delivery is parked by whoever delivers; whoever asked for what cannot be
    /// read itself is told so.
    async fn judge(&mut self, verbs: &mut [Box<dyn Verb>]) -> Result<bool, Failure> {
        let bad = self.base.take_bad();
        let Some(first) = bad.first() else { return Ok(false) };
        let corrupt = |bad: &Bad| Failure::Refused(StoreError::Corrupt(bad.error.to_string()));
        let [verb] = verbs else { return Err(corrupt(first)) };
        let is_wide = verb.is_wide();
        if let Some(asked) = bad.iter().find(|bad| self.access == Access::Read || (!is_wide && parked::is_asked_for(bad, &self.known))) {
            return Err(corrupt(asked));
        }
        let passed_over = |bad: &&Bad| !is_wide && parked::is_passed_over(bad, &self.known);
        let carriers: Vec<Vec<Cell>> =
            bad.iter().filter(|bad| !passed_over(bad)).flat_map(|bad| parked::carriers(bad, &self.base)).collect();
        self.park(&carriers).await?;
        Ok(true)
    }

    /// Sets deliveries aside that cannot be read, or what they carry.
    async fn park(&mut self, deliveries: &[Vec<Cell>]) -> Result<(), Failure> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let arrays = Arrays::of([Kind::Bytes, Kind::Bytes].into_iter(), deliveries.iter());
        self.transaction.prepare(&parked::PARK).await?;
        let transaction = self.transaction;
        let parked = try_join_all(parked::PARK.iter().map(|text| {
            let params = arrays.params();
            async move { transaction.execute(text, &params).await }
        }))
        .await?;
        self.parked += parked.last().map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX));
        deliveries.iter().for_each(|key| self.base.forget(&tables::outbox::OUTBOX, key));
        Ok(())
    }

    /// Runs the verbs on what was read, again where they turn out to need more.
    async fn run_verbs(&mut self, verbs: &mut [Box<dyn Verb>], found: &[Vec<Found>]) -> Result<(World, Effects), Failure> {
        for _ in 0..ROUNDS_MAX {
            let Some((world, effects)) = self.try_verbs(verbs, found) else { continue };
            if self.access == Access::Read {
                return Ok((world, effects));
            }
            let mut asked = Needs::default();
            follow_up(&self.base, &tables::image(&world), &self.known, &mut asked);
            let has_learned = self.learn(asked).await?;
            if !has_learned {
                return Ok((world, effects));
            }
            drop(self.base.world());
            self.judge(verbs).await?;
        }
        Err(Failure::Refused(StoreError::Unavailable(String::from("the verbs of a group need ever more"))))
    }

    /// Runs the verbs; none where one panicked, which is left out the next time.
    fn try_verbs(&mut self, verbs: &mut [Box<dyn Verb>], found: &[Vec<Found>]) -> Option<(World, Effects)> {
        let mut world = self.base.world();
        let mut all = Effects::default();
        for (nth, (verb, found)) in verbs.iter_mut().zip(found).enumerate() {
            if self.failed.contains_key(&nth) {
                continue;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| verb.run(found, &mut world))) {
                self.failed.insert(nth, panicked(&*panic));
                return None;
            }
            let Effects { started, left_due, called_back: _, operational, judged } = mem::take(&mut world.effects);
            all.started.extend(started);
            all.left_due |= left_due;
            all.operational.extend(operational);
            all.judged.extend(judged);
        }
        Some((world, all))
    }

    /// Tells the operator's endpoints, wherever they stand.
    async fn tell_operator(&mut self, world: &mut World, effects: &mut Effects) -> Result<(), Failure> {
        let told: Vec<Operational> = mem::take(&mut effects.operational);
        if told.is_empty() {
            return Ok(());
        }
        self.transaction.fence(&Fence::finding()).await?;
        let found = self.search(&(&OPERATORS, Vec::new())).await?;
        let accounts: BTreeSet<AccountId> = found.iter().filter_map(|row| scouts::account(row, 0)).collect();
        let mut asked = Needs::default();
        accounts.iter().for_each(|account| asked.account(*account));
        let before: BTreeSet<AccountId> = world.accounts.keys().copied().collect();
        let fence = self.known.fence();
        self.transaction.fence(&fence).await?;
        self.fence = Some(fence);
        self.learn(asked).await?;
        let mut others = self.base.world();
        for account in accounts.difference(&before) {
            if let Some(rows) = others.accounts.remove(account) {
                world.accounts.insert(*account, rows);
            }
        }
        world.effects.operational = told;
        events::tell_operator(world);
        let Effects { left_due, .. } = mem::take(&mut world.effects);
        effects.left_due |= left_due;
        Ok(())
    }

    /// Writes the difference. Where a delivery is there that was thought new, it is to be read the next time.
    async fn write(&mut self, now: &Image, extra: &mut Needs) -> Result<bool, Failure> {
        let writes = Writes::between(&self.base, now);
        let fence = self.known.fence();
        if !writes.0.is_empty() && self.fence.as_ref() != Some(&fence) {
            self.transaction.fence(&fence).await?;
            self.fence = Some(fence);
        }
        let transaction = self.transaction;
        let texts: Vec<&str> = writes.0.iter().map(|write| write.text.as_str()).collect();
        self.transaction.prepare(&texts).await?;
        let written = try_join_all(writes.0.iter().map(|write| async move {
            let params = write.arrays.params();
            transaction.execute(&write.text, &params).await
        }))
        .await?;
        let mut is_written = true;
        for (write, count) in writes.0.iter().zip(written) {
            if !write.new.is_empty() && count < write.new.len() as u64 {
                is_written = false;
                for row in &write.new {
                    let key: Vec<Cell> = row.iter().take(2).cloned().collect();
                    extra.each([&lookups::EVENT_DELIVERY, &lookups::DELIVERY], &key);
                    if let Some(account) = scouts::account(row, 0) {
                        extra.account(account);
                    }
                }
            }
        }
        Ok(is_written)
    }
}

fn panicked(_: &(dyn Any + Send)) -> StoreError {
    StoreError::Unavailable(String::from("the verb panicked"))
}

/// A cell as a statement's value.
fn value(cell: &Cell) -> Box<dyn ToSql + Sync + Send> {
    match cell {
        Cell::Null => Box::new(None::<Vec<u8>>),
        Cell::Int(number) => Box::new(*number),
        Cell::Text(text) => Box::new(text.clone()),
        Cell::Bytes(bytes) => Box::new(bytes.clone()),
    }
}

/// What a statement answered, as cells.
pub(crate) fn cells(rows: Vec<tokio_postgres::Row>, kinds: &[Kind]) -> Result<Vec<Row>, Failure> {
    let read = |row: &tokio_postgres::Row| -> Result<Row, tokio_postgres::Error> {
        let cell = |(nth, kind): (usize, &Kind)| {
            Ok(match kind {
                Kind::Int => row.try_get::<_, Option<i64>>(nth)?.into(),
                Kind::Text => row.try_get::<_, Option<String>>(nth)?.into(),
                Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(nth)?.into(),
            })
        };
        kinds.iter().enumerate().map(cell).collect()
    };
    rows.iter().map(|row| read(row).map_err(Failure::from)).collect()
}
