//! Operator: the verbs of whoever runs the gateway.

use async_trait::async_trait;
use gatepost::{Account, AccountChange, AccountId, ApiKey, KeyId, OperatorStore, Page, RootPrint, StoreError, Timestamp};
use gatepost_rows::cells::Cell;
use gatepost_rows::world::World;
use gatepost_rows::{accounts, keys};

use super::PostgresStore;
use crate::engine::Way;
use crate::group::Found;
use crate::load::Needs;
use crate::load::lookups::KEY;
use crate::{lists, roots};

/// Running the gateway.
pub(super) struct OfOperator(pub(super) PostgresStore);

#[async_trait]
impl OperatorStore for OfOperator {
    async fn add_account(&self, account: Account) -> Result<(), StoreError> {
        let id = account.id;
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| needs.account(id);
        self.0.engine().write(Way::Of(id), Vec::new(), needs, move |_, world| accounts::add(world, account.clone())).await
    }

    async fn accounts(&self, page: Page<AccountId>) -> Result<Vec<Account>, StoreError> {
        self.0.on_threads(move |database| async move { lists::accounts::all(&database, page).await }).await
    }

    async fn change_account(&self, id: AccountId, change: AccountChange) -> Result<Option<Account>, StoreError> {
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.account(id);
            needs.traffic(id);
        };
        self.0.engine().write(Way::Of(id), Vec::new(), needs, move |_, world| accounts::change(world, id, change.clone())).await
    }

    async fn add_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.0.add_key(None, key).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.0.on_threads(move |database| async move { lists::accounts::operators_keys(&database).await }).await
    }

    async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let needs = move |_: &[Found], _: &World, needs: &mut Needs| {
            needs.operator();
            needs.key(&KEY, [Cell::word(id)]);
        };
        self.0.engine().write(Way::Once, Vec::new(), needs, move |_, world| Ok(keys::revoke(world, None, id, now))).await
    }

    async fn roots(&self) -> Result<Vec<u32>, StoreError> {
        self.0.on_threads(move |database| async move { lists::accounts::roots(&database).await }).await
    }

    async fn note_roots(&self, roots: Vec<RootPrint>) -> Result<Vec<RootPrint>, StoreError> {
        self.0.on_threads(move |database| async move { roots::note(&database, roots).await }).await
    }
}
