//! Suspicions: contacts who may have opted out, for a person to say.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{ContactId, InboundId, StoreError, Suspicion};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::{Item, OnAccount};
use crate::http::code::Code;
use crate::http::json::{Json, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::Time;

/// A contact who may have asked for no more messages. What is to be sent to them is held until a person has said.
#[derive(Serialize, ToSchema)]
#[schema(as = Suspicion)]
pub(super) struct SuspicionShape {
    /// The contact.
    #[schema(value_type = String, example = "con_01kanqh5s0e8t9v2xw3yz4abcd")]
    contact_id: ContactId,
    /// Their number, or the id by which the provider names them.
    #[schema(example = "+999501234567")]
    from: String,
    /// The newest of what they wrote that may mean it, see `/inbound`.
    #[schema(value_type = String, example = "inb_01kanqh5s0e8t9v2xw3yz4abcd")]
    inbound_id: InboundId,
    /// Since when.
    since: Time,
}

/// What a person says of a contact.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"inbound_id": "inb_01kanqh5s0e8t9v2xw3yz4abcd", "opted_out": true}))]
pub(super) struct AnswerSuspicion {
    /// What they wrote, as the person has seen it. Where something newer came since, nothing is answered.
    #[schema(value_type = String)]
    inbound_id: InboundId,
    /// Whether they asked for no more messages: then they are suppressed, as if they had said so plainly.
    opted_out: bool,
}

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SuspicionQuery {
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// List contacts who may have opted out
#[utoipa::path(get, path = "/v1/accounts/{account_id}/suspicions", tag = "Suppressions", params(SuspicionQuery),
    responses((status = 200, description = "Those that wait for a person, by contact.", body = List<SuspicionShape>)))]
pub(super) async fn list_suspicions(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<SuspicionQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let suspicions = on.store(&app).suspicions(paging.page()).await?;
    Ok(paging.list(suspicions, |suspicion| suspicion.contact, |suspicion| SuspicionShape::of(&suspicion)).linked(&uri))
}

/// Say whether a contact opted out
///
/// What was held for it stays held until it is released or refused, see `/reviews`.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/suspicions/{contact_id}/answer", tag = "Suppressions",
    responses((status = 200, description = "The suspicion that was answered.", body = SuspicionShape),
        (status = 409, description = "They have written something newer, which must be seen first.")))]
pub(super) async fn answer_suspicion(
    State(app): State<App>,
    on: OnAccount,
    Item(contact): Item<ContactId>,
    Json(asked): Json<AnswerSuspicion>,
) -> Result<Json<SuspicionShape>, Problem> {
    let answered = on.gateway(&app).answer_suspicion(contact, asked.inbound_id, asked.opted_out, on.actor()).await;
    let answered = match answered {
        Err(StoreError::Conflict) => return Err(Problem::of(Code::NewerReply)),
        answered => answered?.ok_or(Problem::not_found())?,
    };
    tracing::info!(account = %on.account, %contact, opted_out = asked.opted_out, by = %on.actor(), "a suspicion was answered");
    Ok(Json(SuspicionShape::of(&answered)))
}

impl SuspicionShape {
    fn of(suspicion: &Suspicion) -> Self {
        Self { contact_id: suspicion.contact, from: suspicion.address.text(), inbound_id: suspicion.inbound, since: suspicion.since.into() }
    }
}
