//! Events, as receivers get them.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use gatepost::{AccountStore, DeliveryFilter, Event, EventId, EventName, Page, StoreError};
use serde::Deserialize;

use super::guard::{Item, OnAccount};
use crate::http::event_schemas::AnyEvent;
use crate::http::json::Params;
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::EventWord;

/// Under which name.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    /// `message.status_updated` for a change of a message as it goes under that name; its own name where nothing is said.
    #[param(inline)]
    name: Option<EventWord>,
}

/// Read an event
///
/// Byte for byte the body that is sent, so that a signature can be checked against it. It is not found once its retention is over.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/events/{event_id}", tag = "Deliveries", params(EventQuery),
    responses((status = 200, description = "The body.", body = AnyEvent, content_type = "application/json")))]
pub(super) async fn get_event(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EventId>,
    Params(query): Params<EventQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let event = on.store(&app).event(id).await?.ok_or(Problem::not_found())?;
    if !on.is_operator() && !is_told(&*on.store(&app), id).await? {
        return Err(Problem::not_found());
    }
    let name = query.name.map_or(event.name, |word| word.0);
    if !goes_under(&event, name) {
        return Err(Problem::of_field("name", format!("expected `{}`, or nothing", event.name)));
    }
    Ok(([(CONTENT_TYPE, "application/json")], event.body(name)))
}

/// Whether the account is told of it itself; otherwise the operator is, and it may be another account's.
async fn is_told(store: &dyn AccountStore, event: EventId) -> Result<bool, StoreError> {
    let of_event = DeliveryFilter { event: Some(event), ..DeliveryFilter::default() };
    Ok(!store.deliveries(of_event, Page::first(1)).await?.is_empty())
}

fn goes_under(event: &Event, name: EventName) -> bool {
    name == event.name || (name == EventName::MessageStatusUpdated && event.name.is_status_change())
}
