//! Endpoints, what they are told, and what became of it.
//!
//! Of a delivery that is not finished, the outbox says how far it got: what is queued or on its way is found there. The others are found from
//! their endpoint, from those that were not taken, or from the event: its first deliveries were written when it happened, and its repetitions
//! are few.

use gatepost::{
    AccountId, Attempt, DeliveryFilter, DeliveryId, DeliveryStatus, Endpoint, EndpointId, Event, EventDelivery, EventId, Page, Recovery,
    RecoveryFilter, RecoveryId, StoreError, is_recoverable,
};
use gatepost_rows::tables::events::status_number;
use gatepost_rows::{endpoints, events, notices, replays};

use super::statements::{
    DELIVERIES, DELIVERIES_NOT_TAKEN, DELIVERIES_OF_EVENT, DELIVERIES_TO_ENDPOINT, DELIVERY, DELIVERY_ATTEMPTS, ENDPOINT, ENDPOINTS, EVENT,
    OUTBOX_OF_DELIVERIES, OUTBOX_OF_DELIVERY, OUTBOX_OF_EVENT, OUTBOX_QUEUED, OUTBOX_SENDING, OUTBOX_TO_ENDPOINT, QUEUED, RECOVERIES,
    RECOVERY, SENDING,
};
use super::{Query, before, given, limit, list};
use crate::connect::Database;

/// All endpoints that are not removed, oldest first.
pub(crate) async fn endpoints(database: &Database, account: AccountId) -> Result<Vec<Endpoint>, StoreError> {
    list(database, account, vec![ENDPOINTS.with(given![])], endpoints::list).await
}

/// The endpoint with this id, also where it is removed.
pub(crate) async fn endpoint(database: &Database, account: AccountId, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
    list(database, account, vec![ENDPOINT.with(given![id])], |rows| endpoints::find(rows, id)).await
}

/// The event with this id, unless what it says is forgotten.
pub(crate) async fn event(database: &Database, account: AccountId, id: EventId) -> Result<Option<Event>, StoreError> {
    list(database, account, vec![EVENT.with(given![id])], |rows| events::find(rows, id)).await
}

/// A page of the log, newest first.
pub(crate) async fn deliveries(
    database: &Database,
    account: AccountId,
    filter: DeliveryFilter,
    page: Page<DeliveryId>,
) -> Result<Vec<EventDelivery>, StoreError> {
    let queries = match (filter.event, filter.status) {
        (Some(event), _) => of_event(event, filter),
        (None, Some(status)) if status.is_pending() => pending(status, filter, page),
        (None, _) => walk(filter, page),
    };
    list(database, account, queries, |rows| notices::list(rows, filter, page)).await
}

fn of_event(event: EventId, filter: DeliveryFilter) -> Vec<Query> {
    let given = given![event, filter.for_operator];
    vec![DELIVERIES_OF_EVENT.with(given.clone()), OUTBOX_OF_EVENT.with(given)]
}

fn pending(status: DeliveryStatus, filter: DeliveryFilter, page: Page<DeliveryId>) -> Vec<Query> {
    let (deliveries, outbox) = if status == DeliveryStatus::Sending { (&SENDING, &OUTBOX_SENDING) } else { (&QUEUED, &OUTBOX_QUEUED) };
    let given = given![before(page.after), filter.endpoint, filter.for_operator, limit(&page)];
    vec![deliveries.with(given.clone()), outbox.with(given)]
}

fn walk(filter: DeliveryFilter, page: Page<DeliveryId>) -> Vec<Query> {
    let status = filter.status.map(status_number);
    let given = given![before(page.after), filter.endpoint, status, filter.for_operator, limit(&page)];
    match (filter.status, filter.endpoint) {
        // What has ended is not in the outbox.
        (Some(status), _) if is_recoverable(status) => vec![DELIVERIES_NOT_TAKEN.with(given)],
        (_, Some(_)) => vec![DELIVERIES_TO_ENDPOINT.with(given.clone()), OUTBOX_TO_ENDPOINT.with(given)],
        (_, None) => vec![DELIVERIES.with(given.clone()), OUTBOX_OF_DELIVERIES.with(given)],
    }
}

/// The delivery with this id.
pub(crate) async fn delivery(database: &Database, account: AccountId, id: DeliveryId) -> Result<Option<EventDelivery>, StoreError> {
    let queries = vec![DELIVERY.with(given![id]), OUTBOX_OF_DELIVERY.with(given![id])];
    list(database, account, queries, |rows| notices::find(rows, id)).await
}

/// The attempts of a delivery, oldest first.
pub(crate) async fn attempts(database: &Database, account: AccountId, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    let queries = [&DELIVERY, &OUTBOX_OF_DELIVERY, &DELIVERY_ATTEMPTS].map(|list| list.with(given![id]));
    list(database, account, queries.into(), |rows| notices::attempts(rows, id)).await
}

/// A page of recoveries, newest first.
pub(crate) async fn recoveries(
    database: &Database,
    account: AccountId,
    filter: RecoveryFilter,
    page: Page<RecoveryId>,
) -> Result<Vec<Recovery>, StoreError> {
    let query = RECOVERIES.with(given![before(page.after), filter.for_operator, limit(&page)]);
    list(database, account, vec![query], |rows| replays::recoveries(rows, filter, page)).await
}

/// The recovery with this id.
pub(crate) async fn recovery(database: &Database, account: AccountId, id: RecoveryId) -> Result<Option<Recovery>, StoreError> {
    list(database, account, vec![RECOVERY.with(given![id])], |rows| replays::recovery(rows, id)).await
}
