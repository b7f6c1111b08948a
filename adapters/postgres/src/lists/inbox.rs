//! What providers posted, and what of it came in.

use gatepost::{AccountId, InboundClass, InboundEntry, InboundFilter, InboundId, NotificationEntry, NotificationId, Page, StoreError};
use gatepost_rows::inbox;

use super::statements::{
    CONTACT_OF_INBOUND_ENTRY, CONTACTS_OF_INBOUND, CONTACTS_OF_INBOUND_APART, CONTACTS_OF_INBOUND_AT_INSTANCE, CONTACTS_OF_STATUSES,
    INBOUND, INBOUND_APART, INBOUND_AT_INSTANCE, INBOUND_ENTRY, NOTIFICATION, NOTIFICATIONS, OUTBOX_OF_INBOUND, OUTBOX_OF_INBOUND_APART,
    OUTBOX_OF_INBOUND_AT_INSTANCE, OUTBOX_OF_INBOUND_ENTRY, OUTBOX_OF_STATUSES, STATUSES,
};
use super::{List, before, given, limit, list};
use crate::connect::Database;

/// A page of what came in, newest first. What waits to be heeded is there already.
pub(crate) async fn inbound(
    database: &Database,
    account: AccountId,
    filter: InboundFilter,
    page: Page<InboundId>,
) -> Result<Vec<InboundEntry>, StoreError> {
    let given = given![before(page.after), filter.instance, filter.class.map(InboundClass::as_str), limit(&page)];
    let queries = where_it_is(filter).map(|list| list.with(given.clone()));
    list(database, account, queries.into(), |rows| inbox::list(rows, filter, page)).await
}

/// Where the things of a filter are found, who they are of, and what of them waits.
const fn where_it_is(filter: InboundFilter) -> [&'static List; 3] {
    match (filter.class, filter.instance) {
        (Some(InboundClass::Status), _) => [&STATUSES, &CONTACTS_OF_STATUSES, &OUTBOX_OF_STATUSES],
        (Some(InboundClass::Message) | None, Some(_)) => {
            [&INBOUND_AT_INSTANCE, &CONTACTS_OF_INBOUND_AT_INSTANCE, &OUTBOX_OF_INBOUND_AT_INSTANCE]
        }
        (Some(InboundClass::Message) | None, None) => [&INBOUND, &CONTACTS_OF_INBOUND, &OUTBOX_OF_INBOUND],
        (Some(_), _) => [&INBOUND_APART, &CONTACTS_OF_INBOUND_APART, &OUTBOX_OF_INBOUND_APART],
    }
}

/// The thing with this id that a provider told.
pub(crate) async fn entry(database: &Database, account: AccountId, id: InboundId) -> Result<Option<InboundEntry>, StoreError> {
    let queries = [&INBOUND_ENTRY, &CONTACT_OF_INBOUND_ENTRY, &OUTBOX_OF_INBOUND_ENTRY].map(|list| list.with(given![id]));
    list(database, account, queries.into(), |rows| inbox::find(rows, id)).await
}

/// A page of what providers posted, without the bytes, newest first.
pub(crate) async fn notifications(
    database: &Database,
    account: AccountId,
    page: Page<NotificationId>,
) -> Result<Vec<NotificationEntry>, StoreError> {
    let query = NOTIFICATIONS.with(given![before(page.after), limit(&page)]);
    list(database, account, vec![query], |rows| inbox::notifications(rows, page)).await
}

/// What was posted under this id.
pub(crate) async fn notification(
    database: &Database,
    account: AccountId,
    id: NotificationId,
) -> Result<Option<NotificationEntry>, StoreError> {
    list(database, account, vec![NOTIFICATION.with(given![id])], |rows| inbox::notification(rows, id)).await
}
