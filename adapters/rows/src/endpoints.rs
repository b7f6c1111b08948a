//! Endpoints: where events go, and how each fares.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use gatepost::{
    Disabled, DisabledBy, ENDPOINTS_MAX, Endpoint, EndpointChange, EndpointId, EndpointState, Finish, StoreError, Tat, Timestamp,
    endpoint_pause_event,
};

use crate::events;
use crate::world::{AccountRows, Effects, EndpointRow};

fn present(rows: &AccountRows) -> impl Iterator<Item = &EndpointRow> {
    rows.endpoints.values().filter(|row| row.endpoint.removed_at.is_none())
}

/// Adds an endpoint; `false` where the account has as many as it may have.
pub fn add(rows: &mut AccountRows, endpoint: Endpoint) -> Result<bool, StoreError> {
    let kind = |endpoint: &Endpoint| (endpoint.for_operator, endpoint.integration.is_some());
    let is_of_kind = |other: &Endpoint| kind(other) == kind(&endpoint);
    if present(rows).filter(|row| is_of_kind(&row.endpoint)).count() >= ENDPOINTS_MAX {
        return Ok(false);
    }
    match rows.endpoints.entry(endpoint.id) {
        Entry::Occupied(_) => Err(StoreError::Unavailable(String::from("the endpoint's id is taken"))),
        Entry::Vacant(place) => {
            place.insert(EndpointRow { endpoint: Arc::new(endpoint), tat: Tat::default() });
            Ok(true)
        }
    }
}

/// All that are not removed. Ids grow with time, so the oldest comes first.
pub fn list(rows: &AccountRows) -> Vec<Endpoint> {
    present(rows).map(|row| Endpoint::clone(&row.endpoint)).collect()
}

/// The endpoint with this id, also where it is removed.
pub fn find(rows: &AccountRows, id: EndpointId) -> Option<Endpoint> {
    rows.endpoints.get(&id).map(|row| Endpoint::clone(&row.endpoint))
}

/// Whether it counts.
pub fn counts(rows: &AccountRows, endpoint: &Endpoint) -> bool {
    let integration = endpoint.integration.and_then(|id| rows.integrations.get(&id)).map(|row| &row.integration);
    endpoint.counts(&rows.account, integration)
}

/// Whether it is for the operator.
pub fn is_for_operator(rows: &AccountRows, id: EndpointId) -> bool {
    rows.endpoints.get(&id).is_some_and(|row| row.endpoint.for_operator)
}

/// Whether anything goes there now.
pub fn state(rows: &AccountRows, id: EndpointId) -> Option<EndpointState> {
    rows.endpoints.get(&id).map(|row| row.endpoint.state())
}

/// Changes an endpoint; `None` where there is none.
pub fn change(
    rows: &mut AccountRows,
    effects: &mut Effects,
    id: EndpointId,
    change: EndpointChange,
) -> Result<Option<Endpoint>, StoreError> {
    let endpoint = rows.endpoints.get_mut(&id).map(|row| &mut row.endpoint).filter(|endpoint| endpoint.removed_at.is_none());
    let Some(endpoint) = endpoint else { return Ok(None) };
    if change.if_revision.is_some_and(|expected| expected != endpoint.revision) {
        return Err(StoreError::Conflict);
    }
    let (was_enabled, was_paused, at) = (endpoint.disabled.is_none(), endpoint.pause.is_some(), change.at);
    change.apply(Arc::make_mut(endpoint));
    let endpoint = endpoint.clone();
    if was_enabled {
        events::tell_disabled(rows, effects, &endpoint);
    }
    if was_paused != endpoint.pause.is_some() {
        events::tell_of_endpoint(rows, effects, &endpoint, &endpoint_pause_event(rows.account.id, &endpoint, at));
    }
    // What it held may go now, or must be skipped.
    effects.left_due = true;
    Ok(Some(Endpoint::clone(&endpoint)))
}

/// The numbers of the keyring's roots that sealed what may still be read.
pub fn roots(rows: &AccountRows) -> impl Iterator<Item = u32> {
    let sealed = |row: &EndpointRow| {
        let headers = row.endpoint.headers.as_ref().map(|headers| headers.sealed.root());
        [Some(row.endpoint.secrets.root()), headers]
    };
    present(rows).flat_map(sealed).flatten()
}

/// Notes how an attempt ended, and what follows from that for the endpoint.
pub fn note_health(rows: &mut AccountRows, effects: &mut Effects, id: EndpointId, began: Timestamp, finish: &Finish) -> Option<DisabledBy> {
    let (row, now) = (rows.endpoints.get_mut(&id)?, finish.now);
    let (health, disabled_by) = row.endpoint.health_after(began, &finish.outcome, finish.report.as_ref(), now);
    if health != row.endpoint.health {
        Arc::make_mut(&mut row.endpoint).health = health;
    }
    let is_there = row.endpoint.disabled.is_none() && row.endpoint.removed_at.is_none();
    let by = disabled_by.filter(|_| is_there)?;
    Arc::make_mut(&mut row.endpoint).disabled = Some(Disabled { since: now, by: by.clone() });
    let endpoint = row.endpoint.clone();
    events::tell_disabled(rows, effects, &endpoint);
    Some(by)
}
