//! The store itself: each verb of the core's traits, as what it needs and what it does. What it does is what a store in memory does, on the
//! rows that it needs.
//!
//! The players: [`PostgresStore`], and a file for each of the traits: `account`, `worker`, `operator`.

use std::sync::Arc;

use async_trait::async_trait;
use gatepost::{AccountId, AccountStore, ApiKey, OperatorStore, Store, StoreError, WorkerStore};
use gatepost_rows::cells::Cell;
use gatepost_rows::keys;
use gatepost_rows::world::World;

use crate::OpenError;
use crate::connect::{Database, Options};
use crate::engine::{Engine, Hook, Way};
use crate::group::{Found, Search};
use crate::load::{Needs, scouts};
use crate::probe;
use crate::retain::Turn;

mod account;
mod operator;
mod worker;

/// How many lanes write for accounts side by side.
const LANES: usize = 2;
/// The lanes of what looks through all accounts.
const MESSAGES: Way = Way::Wide(0);
const EVENTS: Way = Way::Wide(1);
const REST: Way = Way::Wide(2);

/// A store in Postgres. It is cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    engine: Engine,
    database: Arc<Database>,
    forgetting: Arc<Turn>,
}

impl PostgresStore {
    /// Opens the database at `url`, and makes its tables where they are not. This thread waits for it; it may be one of any runtime.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, is of a newer release, or its role passes the fence between accounts by.
    pub fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        let database = Arc::new(Database::open(url, options)?);
        let engine = Engine::start(Arc::clone(&database), LANES);
        Ok(Self(Arc::new(Inner { engine, database, forgetting: Arc::new(Turn::new()) })))
    }

    /// How many statements the database was sent, those that begin and end transactions included.
    pub fn statements(&self) -> u64 {
        self.0.database.statements()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn database(&self) -> &Arc<Database> {
        &self.0.database
    }

    /// Runs what groups with nothing, on the store's own threads.
    async fn on_threads<T, F>(&self, work: impl FnOnce(Arc<Database>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.database().runtime().answer(work(Arc::clone(self.database()))).await
    }

    /// Adds a key, of an account or of the operator.
    async fn add_key(&self, whose: keys::Whose, key: ApiKey) -> Result<(), StoreError> {
        let id = key.id;
        let search: Vec<Search> = vec![(&scouts::KEY, vec![Cell::word(id)])];
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| match whose {
            Some(account) => needs.account(account),
            None => needs.operator(),
        };
        let run = move |found: &[Found], world: &mut World| {
            if found.first().is_some_and(|found| !found.is_empty()) {
                return Err(StoreError::Unavailable(String::from("the key's id is taken")));
            }
            keys::add(world, whose, key.clone())
        };
        self.engine().write(Way::Once, search, needs, run).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn account(&self, id: AccountId) -> Arc<dyn AccountStore> {
        Arc::new(account::OfAccount { store: self.clone(), id })
    }

    fn worker(&self) -> Arc<dyn WorkerStore> {
        Arc::new(worker::OfWorker(self.clone()))
    }

    fn operator(&self) -> Arc<dyn OperatorStore> {
        Arc::new(operator::OfOperator(self.clone()))
    }

    fn on_change(&self, hook: Hook) {
        self.engine().on_change(hook);
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.on_threads(|database| async move { probe::probe(&database).await }).await
    }
}
