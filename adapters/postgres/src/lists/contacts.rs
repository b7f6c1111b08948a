//! Contacts: their cards, who may have opted out, and suppressions.

use gatepost::{AccountId, Address, ContactCard, ContactId, Page, StoreError, Suppression, SuppressionFilter, SuppressionId, Suspicion};
use gatepost_rows::cells::Cell;
use gatepost_rows::{contacts, messages, suppressions};

use super::statements::{ADDRESS, CONTACT, CONTACT_OF_ADDRESS, SUPPRESSIONS, SUPPRESSIONS_OF_ADDRESS, SUSPECTED};
use super::{before, given, limit, list};
use crate::connect::Database;

/// What is known of the contact with this address.
pub(crate) async fn card(database: &Database, account: AccountId, address: Address) -> Result<Option<ContactCard>, StoreError> {
    let queries = vec![ADDRESS.with(given![&address]), CONTACT_OF_ADDRESS.with(given![&address])];
    list(database, account, queries, |rows| contacts::card(rows, &address)).await
}

/// The addresses of the contact that this one is by now.
pub(crate) async fn addresses(database: &Database, account: AccountId, contact: ContactId) -> Result<Vec<Address>, StoreError> {
    list(database, account, vec![CONTACT.with(given![contact])], |rows| messages::addresses(rows, contact)).await
}

/// A page of contacts that may have opted out.
pub(crate) async fn suspicions(database: &Database, account: AccountId, page: Page<ContactId>) -> Result<Vec<Suspicion>, StoreError> {
    // No contact has the id of no bytes, and every id is behind it.
    let after = page.after.map_or_else(Cell::no_bytes, Cell::from);
    list(database, account, vec![SUSPECTED.with(given![after, limit(&page)])], |rows| contacts::suspicions(rows, page)).await
}

/// A page of suppressions, newest first.
pub(crate) async fn suppressions(
    database: &Database,
    account: AccountId,
    filter: SuppressionFilter,
    page: Page<SuppressionId>,
) -> Result<Vec<Suppression>, StoreError> {
    let (before, limit) = (before(page.after), limit(&page));
    let queries = match &filter.address {
        None => vec![SUPPRESSIONS.with(given![before, filter.in_force, limit])],
        Some(address) => {
            vec![ADDRESS.with(given![address]), SUPPRESSIONS_OF_ADDRESS.with(given![address, before, filter.in_force, limit])]
        }
    };
    list(database, account, queries, |rows| suppressions::list(rows, &filter, page)).await
}
