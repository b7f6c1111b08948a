//! Phone systems, and the log of what they said and were told.

use gatepost::{
    AccountId, Direction, EntryOutcome, Integration, IntegrationEntry, IntegrationEntryFilter, IntegrationId, Page, StoreError,
};
use gatepost_rows::cells::Cell;
use gatepost_rows::integrations;

use super::statements::{
    DELIVERIES_OF_ENTRIES, ENTRIES, INTEGRATION, INTEGRATIONS, MESSAGES_OF_ENTRIES, OUTBOX_OF_ENTRIES, WHOSE_INTEGRATION,
};
use super::{Whose, given, limit, list, of_any, world};
use crate::connect::Database;

/// All that are not removed, oldest first.
pub(crate) async fn integrations(database: &Database, account: AccountId) -> Result<Vec<Integration>, StoreError> {
    list(database, account, vec![INTEGRATIONS.with(given![])], integrations::list).await
}

/// The integration with this id.
pub(crate) async fn integration(database: &Database, account: AccountId, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
    list(database, account, vec![INTEGRATION.with(given![number(id)])], |rows| integrations::find(rows, id)).await
}

/// One of whatever account.
pub(crate) async fn any_integration(database: &Database, id: IntegrationId) -> Result<Option<(AccountId, Integration)>, StoreError> {
    let Some((Whose::Account(account), rows)) = of_any(database, &WHOSE_INTEGRATION, &INTEGRATION, number(id)).await? else {
        return Ok(None);
    };
    let world = world(account, &[INTEGRATION.with(given![])], &[rows])?;
    Ok(integrations::of_any(&world, id))
}

/// A page of the log, newest first.
pub(crate) async fn log(
    database: &Database,
    account: AccountId,
    filter: IntegrationEntryFilter,
    page: Page<u64>,
) -> Result<Vec<IntegrationEntry>, StoreError> {
    let given = given![
        page.after.map_or(Cell::Int(i64::MAX), Cell::count),
        filter.integration.map(number),
        filter.direction.map(Direction::as_str),
        filter.kind.as_ref(),
        filter.outcome.map(EntryOutcome::as_str),
        filter.phone.map(|phone| Cell::count(phone.digits())),
        limit(&page),
    ];
    let lists = [&ENTRIES, &MESSAGES_OF_ENTRIES, &DELIVERIES_OF_ENTRIES, &OUTBOX_OF_ENTRIES];
    let queries = lists.map(|list| list.with(given.clone()));
    list(database, account, queries.into(), |rows| integrations::log(rows, &filter, page)).await
}

/// An id as it stands in a column.
fn number(id: IntegrationId) -> Cell {
    Cell::count(id.number())
}
