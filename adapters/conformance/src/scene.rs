//! Scene: one account in a world, with an instance that is connected, and all that is done to it.
//!
//! Its methods are the verbs of the store, with the ids, times and defaults that a case does not care about filled in. Whatever gets
//! an id takes a millisecond, so that what was made later is newer.

mod account;
mod endpoints;
mod inbox;
mod integrations;
mod worker;

pub(crate) use account::ALL;
pub(crate) use endpoints::{EVENT_TIMEOUT, EVERYTHING, is_shared};
pub(crate) use inbox::{BODY, person, report};
pub(crate) use integrations::{agent, call};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost::{
    Account, AccountChange, AccountId, Actor, ApiKey, AtOnce, Brand, Calendar, Connection, Instance, InstanceId, KeyDigest, KeyKind,
    KeyOwner, Lease, Limits, Mode, Name, NewKey, OperatorStore, Pause, Permit, Plan, Provider, Scopes, Started, Timestamp, Zone,
};

use crate::Harness;
use crate::world::{Dice, PATIENCE, World, seconds, wait};

/// How long a send may take in the scenes.
pub(crate) const SEND_TIMEOUT: Duration = seconds(15);

/// One account in a world.
pub(crate) struct Scene {
    world: Arc<World>,
    pub(crate) dice: Dice,
    accounts: Arc<AtomicU64>,
    pub(crate) account: AccountId,
    pub(crate) instance: InstanceId,
}

impl Scene {
    /// A world with one account that may send more than a case ever does.
    pub(crate) fn new(harness: &dyn Harness) -> Self {
        Self::limited(harness, limits(10_000, 100_000))
    }

    /// A world with one account that may send so much.
    pub(crate) fn limited(harness: &dyn Harness, limits: Limits) -> Self {
        Self::add(Arc::new(World::new(harness)), Arc::default(), limits)
    }

    /// Another account in the same world, with an instance of the same name.
    pub(crate) fn neighbor(&self) -> Self {
        Self::add(self.world.clone(), self.accounts.clone(), limits(10_000, 100_000))
    }

    /// An account that nobody made.
    pub(crate) fn nobody(&self) -> Self {
        let dice = Dice::new(u64::MAX);
        let account = AccountId::new(self.tick(), &dice);
        Self { world: self.world.clone(), accounts: self.accounts.clone(), dice, account, instance: self.instance }
    }

    /// The same scene after the store was closed and opened again.
    pub(crate) fn reopen(self) -> Self {
        let world = Arc::into_inner(self.world).expect("no other scene of the world");
        Self { world: Arc::new(world.reopen()), ..self }
    }

    fn add(world: Arc<World>, accounts: Arc<AtomicU64>, limits: Limits) -> Self {
        let dice = Dice::new(accounts.fetch_add(1, Ordering::SeqCst));
        let account = account(&dice, limits, world.clock.tick());
        let instance = instance("desk", &dice, world.clock.tick());
        wait(world.store.operator().add_account(account.clone()));
        assert!(wait(world.store.account(account.id).add_instance(instance.clone())), "an account starts without instances");
        Self { world, accounts, dice, account: account.id, instance: instance.id }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) fn operator(&self) -> Arc<dyn OperatorStore> {
        self.world.store.operator()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    pub(crate) fn tick(&self) -> Timestamp {
        self.world.clock.tick()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, span: Duration) {
        self.world.clock.advance(span);
    }

    /// Goes to this time.
    pub(crate) fn at(&self, time: impl AsTime) {
        self.world.clock.set(time.timestamp());
    }

    /// Makes an id of any kind.
    pub(crate) fn id<T>(&self, new: fn(Timestamp, &dyn gatepost::Host) -> T) -> T {
        new(self.tick(), &self.dice)
    }

    /// An instance of this name, connected, that is not added yet.
    pub(crate) fn an_instance(&self, name: &str) -> Instance {
        instance(name, &self.dice, self.tick())
    }

    /// An account that is not added yet.
    pub(crate) fn an_account(&self) -> Account {
        account(&self.dice, limits(10, 100), self.tick())
    }

    /// A key of this account that is not added yet.
    pub(crate) fn a_key(&self) -> ApiKey {
        key(KeyKind::Account(Mode::Live), KeyOwner::Account(self.account, Mode::Live), &self.dice, self.tick())
    }

    /// An operator key that is not added yet.
    pub(crate) fn an_operator_key(&self) -> ApiKey {
        key(KeyKind::Operator, KeyOwner::Operator, &self.dice, self.tick())
    }

    pub(crate) fn a_pause(&self) -> Pause {
        Pause::by(Actor::App, Some("lunch".to_string()), self.now())
    }

    /// A worker's place for what goes at once.
    pub(crate) fn place(&self) -> Place {
        Place::new(Lease::new(self.now(), SEND_TIMEOUT))
    }

    /// What the store tells of changes from now on.
    pub(crate) fn changes(&self) -> Receiver<()> {
        let (told, changes) = channel();
        self.world.store.on_change(Arc::new(move || {
            // A case that has heard enough listens no more.
            let _ = told.send(());
        }));
        changes
    }

    #[track_caller]
    pub(crate) fn change_account(&self, change: AccountChange) -> Account {
        wait(self.operator().change_account(self.account, change)).expect("the account is there")
    }

    /// Has a person release each message from now on.
    pub(crate) fn supervise(&self) {
        self.change_account(AccountChange { supervised: Some(true), ..AccountChange::default() });
    }

    /// Has a person release each message from now on, and a second one too.
    pub(crate) fn supervise_by_two(&self) {
        self.change_account(AccountChange { supervised: Some(true), two_person_review: Some(true), ..AccountChange::default() });
    }

    pub(crate) fn pause(&self) {
        self.change_account(AccountChange { pause: Some(Some(self.a_pause())), ..AccountChange::default() });
    }

    pub(crate) fn resume(&self) {
        self.change_account(AccountChange { pause: Some(None), ..AccountChange::default() });
    }

    pub(crate) fn suspend(&self) {
        self.change_account(AccountChange { suspended_at: Some(Some(self.now())), ..AccountChange::default() });
    }

    /// Gives the account other limits.
    pub(crate) fn limit(&self, limits: Limits) {
        self.change_account(AccountChange { plan: Some(Plan::Custom(limits)), ..AccountChange::default() });
    }
}

/// A worker's place for one send, and what was put into it.
pub(crate) struct Place {
    given: Arc<Mutex<Option<Started>>>,
    permits: Mutex<(Option<Sender<()>>, Receiver<()>)>,
    pub(crate) lease: Lease,
}

impl Place {
    fn new(lease: Lease) -> Self {
        let (permit, permits) = channel();
        Self { given: Arc::default(), permits: Mutex::new((Some(permit), permits)), lease }
    }

    /// The permit to fill it.
    pub(crate) fn at_once(&self) -> AtOnce {
        let place = self.given.clone();
        let is_out = lock(&self.permits).0.take().expect("one permit");
        let permit = Permit::new(move |started| {
            *lock(&place) = Some(started);
            drop(is_out);
        });
        AtOnce { permit, lease: self.lease }
    }

    /// What was put into it, once its permit was used or dropped.
    #[track_caller]
    pub(crate) fn given(&self) -> Option<Started> {
        let ended = lock(&self.permits).1.recv_timeout(PATIENCE);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "a permit is used or dropped");
        lock(&self.given).clone()
    }

    /// Whether something was put into it by now.
    pub(crate) fn taken(&self) -> bool {
        lock(&self.given).is_some()
    }

    /// Whether its permit was dropped unused.
    #[track_caller]
    pub(crate) fn is_free(&self) -> bool {
        self.given().is_none()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many a day and a month, as fast as anybody likes.
pub(crate) const fn limits(per_day: u64, per_month: u64) -> Limits {
    Limits { per_day, per_month, account_rate: None, instance_rate: None, recipient_rate: None }
}

/// What can be read as a time.
pub(crate) trait AsTime {
    fn timestamp(self) -> Timestamp;
}

impl AsTime for &str {
    fn timestamp(self) -> Timestamp {
        self.parse().expect("a time")
    }
}

impl AsTime for Timestamp {
    fn timestamp(self) -> Timestamp {
        self
    }
}

pub(crate) fn name(name: &str) -> Name {
    name.parse().expect("a name")
}

fn account(dice: &Dice, limits: Limits, now: Timestamp) -> Account {
    Account {
        id: AccountId::new(now, dice),
        name: name("Acme"),
        plan: Plan::Custom(limits),
        calendar: Calendar::new(Zone::utc()),
        pause: None,
        suspended_at: None,
        one_time_codes_pass: true,
        supervised: false,
        two_person_review: false,
        confirms_opt_out: true,
        threecx_enabled: true,
        sender: gatepost::Sender::default(),
        created_at: now,
    }
}

fn instance(called: &str, dice: &Dice, now: Timestamp) -> Instance {
    Instance { connection: Connection::Open, ..Instance::new(InstanceId::new(now, dice), name(called), Provider::Evolution, now) }
}

fn key(kind: KeyKind, owner: KeyOwner, dice: &Dice, now: Timestamp) -> ApiKey {
    let new = NewKey::generate(&Brand::default(), kind, dice);
    let mut digest = [0; 32];
    gatepost::Host::fill(dice, &mut digest);
    ApiKey {
        id: new.id,
        owner,
        name: name("a key"),
        digest: KeyDigest::from_bytes(digest),
        root: 1,
        last_four: "wxyz".to_string(),
        scopes: Scopes::all(),
        allowed_from: Vec::new(),
        created_at: now,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}
