//! Group: many callers' verbs in one transaction, on a world that holds just the rows that they may look at.
//!
//! A verb says what it needs; the group reads that for all of its verbs with one statement for each way of looking it up, runs them in order
//! as a store in memory does, writes the difference and commits. The players: a [`Verb`] (one caller's), a [`Group`] (what several of them
//! have read), [`Following`] (what is left to do after the commit).
//!
//! A verb may run more than once before its group is committed: where others were in the way, where it turned out to need more rows, or
//! where another verb of the group panicked. So it must not use up what it was given.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::future::{try_join, try_join_all};
use gatepost::{AccountId, StoreError};
use gatepost_rows::cells::{Cell, Kind, Row, Table};
use gatepost_rows::events;
use gatepost_rows::tables::{self, Image};
use gatepost_rows::world::{Effects, World};

use crate::clock::move_lease;
use crate::connect::Database;
use crate::error::Failure;
use crate::fate::{self, Identity};
use crate::load::scouts::{self, OPERATORS};
use crate::load::{Bad, Base, Needs, account_of, cell, follow, follow_up, lookups, parked};
use crate::profile::Engine;
use crate::sql::{self, Lookup, Scout};
use crate::transaction::{Access, Fence, Transaction, Tries};
use crate::value::Value;
use crate::write::{Arrays, Write, Writes};

/// How often verbs may turn out to need more.
const ROUNDS_MAX: usize = 24;

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

    /// How many bytes it may write, about.
    fn weight(&self) -> usize;

    /// Runs.
    fn run(&mut self, found: &[Found], world: &mut World);

    /// Whether it may pass over accounts that another host works at, since it looks for what is due and finds it again the next time.
    fn may_pass_over(&self) -> bool;

    /// Whether it is about many: then what cannot be read is set aside, and it is done for the rest.
    fn is_wide(&self) -> bool;

    /// Answers, once the group has ended.
    fn answer(self: Box<Self>, group: &Result<(), StoreError>);
}

/// How a group ended: what follows, and which of its verbs failed alone.
pub(crate) type Ended = Result<(Following, BTreeMap<usize, StoreError>), StoreError>;

/// What follows a commit.
#[derive(Default)]
pub(crate) struct Following {
    /// What the verbs left to do.
    pub(crate) effects: Effects,
    /// How many deliveries were parked.
    pub(crate) parked: usize,
}

/// Runs verbs in one transaction, again for a while where others are in the way.
pub(crate) async fn run_group(database: &Database, verbs: &mut [Box<dyn Verb>], access: Access) -> Ended {
    let mut tries = Tries::default();
    let mut known = Needs::default();
    let mut access = if access == Access::Write && verbs.iter().all(|verb| verb.may_pass_over()) { Access::WriteSoon } else { access };
    loop {
        match run_once(database, verbs, access, &mut known).await {
            Ok(ended) => return Ok(ended),
            // A host that has stopped in the middle holds nobody up but its own accounts.
            Err(Failure::Held) if access == Access::WriteSoon => {
                access = if database.profile().skip_locked { Access::WriteFree } else { Access::Write }
            }
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
    // What a group turned out to write to must not be passed over.
    let access = if access != Access::Read && !known.is_empty() { Access::Write } else { access };
    let transaction = Transaction::new(database, access).await?;
    let mut group = Group {
        transaction: &transaction,
        access,
        engine: database.profile().engine,
        base: Base::default(),
        known: Needs::default(),
        asked: BTreeSet::new(),
        opened: false,
        fence: None,
        failed: BTreeMap::new(),
        parked: 0,
        identity: None,
    };
    match group.run(verbs, known).await {
        Ok(Some(effects)) => {
            let (failed, parked, identity) = (mem::take(&mut group.failed), group.parked, group.identity.take());
            let committed = match (transaction.commit().await, identity) {
                (Err(unknown @ Failure::Unknown(_)), Some(identity)) => identity.find_out(database, unknown).await,
                (committed, _) => committed,
            };
            committed.map(|()| (Following { effects, parked }, failed))
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

/// What verbs made of what was read.
struct Ran {
    world: World,
    effects: Effects,
    image: Image,
}

/// What became of telling the operator.
enum Told {
    /// There was nothing to tell.
    Nobody,
    /// It is told, and this is how the rows are then.
    All(Image),
    /// More is to be read first: accounts in which the operator has endpoints, or what stands before the events there.
    NotYet,
}

/// A group in its transaction.
struct Group<'a> {
    transaction: &'a Transaction,
    access: Access,
    engine: Engine,
    base: Base,
    known: Needs,
    /// The accounts that the verbs ask for.
    asked: BTreeSet<AccountId>,
    opened: bool,
    fence: Option<Fence>,
    failed: BTreeMap<usize, StoreError>,
    parked: usize,
    identity: Option<Identity>,
}

impl Group<'_> {
    /// Runs the verbs and writes what they did. None where that must begin again: rows are there that were thought new, and are `extra` now.
    async fn run(&mut self, verbs: &mut [Box<dyn Verb>], extra: &mut Needs) -> Result<Option<Effects>, Failure> {
        let found = self.scout(verbs).await?;
        let world = self.load(verbs, &found, extra).await?;
        let Ran { mut world, mut effects, mut image } = self.run_verbs(verbs, &found, world).await?;
        if self.access == Access::Read {
            return Ok(Some(Effects::default()));
        }
        match self.tell_operator(&mut world, &mut effects, extra).await? {
            Told::Nobody => {}
            Told::All(told) => image = told,
            Told::NotYet => return Ok(None),
        }
        let is_written = self.write(&image, extra).await?;
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
        let (_, found) = try_join(this.transaction.open(&Fence::finding()), look).await?;
        Ok(found)
    }

    async fn search(&self, (scout, values): &Search) -> Result<Found, Failure> {
        let mut values = values.clone();
        let is_of_leases = [&scouts::MESSAGES_LEASED, &scouts::EVENTS_LEASED].iter().any(|known| std::ptr::eq(*known, *scout));
        if let (true, Some(Cell::Int(now))) = (is_of_leases, values.first_mut()) {
            // What is found too early is judged once more where it is read.
            *now = now.saturating_add(self.transaction.skew_millis().max(0));
        }
        let values = Value::of(&values);
        cells(self.transaction.query(scout.text, &Value::params(&values)).await?, scout.found)
    }

    /// Reads what the verbs need, round after round.
    async fn load(&mut self, verbs: &mut [Box<dyn Verb>], found: &[Vec<Found>], extra: &Needs) -> Result<World, Failure> {
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
                    Ok(needs) => {
                        self.asked.extend(needs.accounts());
                        asked.add(needs);
                    }
                    Err(panic) => _ = self.failed.insert(nth, panicked(&*panic)),
                }
            }
            follow(&self.base, &self.known, &mut asked);
            if !self.learn(mem::take(&mut asked)).await? {
                return Ok(world);
            }
            world = self.base.world();
            if self.judge(verbs).await? {
                world = self.base.world();
            }
        }
        Err(endless())
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
        let locks = match self.access {
            Access::Read => sql::read(accounts_table),
            Access::Write | Access::WriteSoon => sql::lock(accounts_table),
            Access::WriteFree => sql::lock_free(accounts_table),
        };
        let mut prepared: Vec<&str> = texts.iter().map(String::as_str).collect();
        prepared.push(&locks);
        self.transaction.prepare(&prepared).await?;
        let accounts: Vec<Vec<u8>> = new.accounts().iter().map(|account| account.to_bytes().to_vec()).collect();
        let fence = self.known.fence();
        let opened = mem::replace(&mut self.opened, true);
        let is_fenced = self.fence.as_ref() == Some(&fence);
        let transaction = self.transaction;
        let begin = async {
            match (opened, is_fenced) {
                (false, _) => transaction.open(&fence).await.map(drop),
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
        let of_table = |table: &Table| table.columns.iter().map(|column| column.kind).collect::<Vec<Kind>>();
        let locked = cells(locked, &of_table(accounts_table))?;
        if self.access == Access::WriteFree {
            let held: BTreeSet<AccountId> = locked.iter().filter_map(|row| account_of(accounts_table, row)).collect();
            self.base.leave_out(new.accounts().difference(&held).copied());
        }
        self.base.add(accounts_table, locked);
        for ((lookup, _), rows) in lookups.iter().zip(read) {
            let mut rows = cells(rows, &of_table(lookup.table))?;
            rows.iter_mut().for_each(|row| move_lease(lookup.table, row, -transaction.skew_millis()));
            self.base.add(lookup.table, rows);
        }
        Ok(true)
    }

    /// Judges what cannot be read; whether there was anything. A delivery is parked by whoever delivers; whoever asked for what cannot be
    /// read itself is told so.
    async fn judge(&mut self, verbs: &mut [Box<dyn Verb>]) -> Result<bool, Failure> {
        let mut bad = self.base.take_bad();
        // What else is read is the operator's, whose endpoints are told where they can be.
        bad.retain(|bad| account_of(bad.table, &bad.row).is_none_or(|account| self.asked.contains(&account)));
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
    async fn run_verbs(&mut self, verbs: &mut [Box<dyn Verb>], found: &[Vec<Found>], world: World) -> Result<Ran, Failure> {
        let mut first = Some(world);
        for _ in 0..ROUNDS_MAX {
            let world = first.take().unwrap_or_else(|| self.base.world());
            let Some((world, effects)) = self.try_verbs(verbs, found, world) else { continue };
            if self.access == Access::Read {
                return Ok(Ran { world, effects, image: Image::default() });
            }
            let image = tables::image(&world);
            if !self.learn_after(&image).await? {
                return Ok(Ran { world, effects, image });
            }
            let more = self.base.world();
            first = (!self.judge(verbs).await?).then_some(more);
        }
        Err(endless())
    }

    /// Reads what verbs turned out to need, and what that brings with it; whether there was anything.
    async fn learn_after(&mut self, now: &Image) -> Result<bool, Failure> {
        let mut asked = Needs::default();
        follow_up(&self.base, now, &self.known, &mut asked);
        let mut learned = false;
        while self.learn(mem::take(&mut asked)).await? {
            learned = true;
            follow(&self.base, &self.known, &mut asked);
        }
        Ok(learned)
    }

    /// Runs the verbs; none where one panicked, which is left out the next time.
    fn try_verbs(&mut self, verbs: &mut [Box<dyn Verb>], found: &[Vec<Found>], mut world: World) -> Option<(World, Effects)> {
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

    /// Tells the operator's endpoints, wherever they stand. Their accounts are locked with all others, in the one order: where they are not
    /// yet, that is `extra`, and everything begins again.
    async fn tell_operator(&mut self, world: &mut World, effects: &mut Effects, extra: &mut Needs) -> Result<Told, Failure> {
        if effects.operational.is_empty() {
            return Ok(Told::Nobody);
        }
        self.transaction.fence(&Fence::finding()).await?;
        self.fence = Some(Fence::finding());
        let found = self.search(&(&OPERATORS, Vec::new())).await?;
        let accounts: BTreeSet<AccountId> = found.iter().filter_map(|row| scouts::account(row, 0)).collect();
        let mut wanted = Needs::default();
        accounts.iter().for_each(|account| wanted.account(*account));
        let is_passed_over = |account: &AccountId| self.access == Access::WriteFree && self.base.leaves_out(*account);
        if self.known.lacks(&wanted) || accounts.iter().any(is_passed_over) {
            extra.add(wanted);
            return Ok(Told::NotYet);
        }
        world.effects.operational = mem::take(&mut effects.operational);
        events::tell_operator(world);
        let Effects { left_due, .. } = mem::take(&mut world.effects);
        effects.left_due |= left_due;
        let image = tables::image(world);
        let mut asked = Needs::default();
        follow_up(&self.base, &image, &self.known, &mut asked);
        if self.known.lacks(&asked) {
            extra.add(asked);
            return Ok(Told::NotYet);
        }
        Ok(Told::All(image))
    }

    /// Writes the difference. Where a row is there that was thought new, it is to be read the next time.
    async fn write(&mut self, now: &Image, extra: &mut Needs) -> Result<bool, Failure> {
        let writes = Writes::between(&self.base, now, self.engine, self.transaction.skew_millis());
        let fence = self.known.fence();
        if !writes.0.is_empty() && self.fence.as_ref() != Some(&fence) {
            self.transaction.fence(&fence).await?;
            self.fence = Some(fence);
        }
        let transaction = self.transaction;
        let is_known_later = self.engine == Engine::Postgres && !writes.0.is_empty();
        let texts: Vec<&str> = writes.0.iter().map(|write| write.text.as_str()).chain(is_known_later.then_some(fate::IDENTITY)).collect();
        self.transaction.prepare(&texts).await?;
        let write = try_join_all(writes.0.iter().map(|write| async move {
            let params = write.arrays.params();
            transaction.execute(&write.text, &params).await
        }));
        let identify = async { if is_known_later { transaction.query(fate::IDENTITY, &[]).await } else { Ok(Vec::new()) } };
        let (written, identity) = try_join(write, identify).await?;
        self.identity = identity.first().map(Identity::read).transpose()?;
        let is_taken = |(write, count): &(&Write, u64)| !write.new.is_empty() && *count < write.new.len() as u64;
        let mut is_written = true;
        for (write, _) in writes.0.iter().zip(written).filter(is_taken) {
            let mut present = Needs::default();
            write.new.iter().for_each(|row| ask_for_present(&mut present, write.table, row));
            if !self.known.lacks(&present) {
                // Only a count is lost, and no opt-out hangs on it.
                if write.table.name == tables::traffic::TRAFFIC.name {
                    continue;
                }
                let text = format!("a row of `{}` is there that cannot be read", write.table.name);
                return Err(Failure::Refused(StoreError::Corrupt(text)));
            }
            is_written = false;
            extra.add(present);
        }
        Ok(is_written)
    }
}

/// Asks for the row that is there already in place of this one.
fn ask_for_present(needs: &mut Needs, table: &Table, new: &Row) {
    let Some(account) = account_of(table, new) else { return };
    needs.account(account);
    let key = |names: [&str; 2]| names.map(|name| cell(table, new, name).clone());
    match table.name {
        "traffic" => needs.traffic(account),
        "usage" => needs.key(&lookups::USAGE, key(["account", "window"])),
        _ => needs.each([&lookups::EVENT_DELIVERY, &lookups::DELIVERY], &key(["account", "id"])),
    }
}

fn endless() -> Failure {
    Failure::Refused(StoreError::Unwritable(String::from("a verb needs ever more rows, which is a fault of the gateway")))
}

fn panicked(_: &(dyn Any + Send)) -> StoreError {
    StoreError::Unwritable(String::from("the verb panicked"))
}

/// What a statement answered, as cells.
pub(crate) fn cells(rows: Vec<tokio_postgres::Row>, kinds: &[Kind]) -> Result<Vec<Row>, Failure> {
    let read = |row: &tokio_postgres::Row| -> Result<Row, tokio_postgres::Error> {
        let cell = |(nth, kind): (usize, &Kind)| {
            Ok(match kind {
                Kind::Int => row.try_get::<_, Option<i64>>(nth)?.into(),
                Kind::Text => row.try_get::<_, Option<String>>(nth)?.into(),
                Kind::Bytes => row.try_get::<_, Option<&[u8]>>(nth)?.into(),
            })
        };
        kinds.iter().enumerate().map(cell).collect()
    };
    rows.into_iter().map(|row| read(&row).map_err(Failure::from)).collect()
}
