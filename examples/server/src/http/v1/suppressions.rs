//! Suppressions of an account.
//!
//! A phone number is never part of a URL, where logs on the way would keep it: a search takes it in its body.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{Cause, Phone, Suppression, SuppressionFilter, SuppressionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::{Item, OnAccount};
use super::pauses::note;
use crate::http::code::Code;
use crate::http::json::{Json, Params};
use crate::http::paging::{List, PageSize, Paging, at};
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::{CauseWord, Time};

/// A contact whom the account must not write to.
#[derive(Serialize, ToSchema)]
#[schema(as = Suppression)]
pub(super) struct SuppressionShape {
    /// Its id.
    #[schema(value_type = String, example = "sup_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: SuppressionId,
    /// The number it was asked for; it holds for every address of the same contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+999501234567")]
    phone: Option<String>,
    /// The address it was asked for: the number, a business-scoped user id, or `lid:` and a linked id.
    #[schema(example = "+999501234567")]
    address: String,
    /// Why.
    cause: CauseWord,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Since when.
    since: Time,
    /// Who put it there: `app`, `gateway`, `recipient`, or `key:` and the id of a key.
    #[schema(example = "key:0aZ3kQ9fLm2X")]
    by: String,
    /// Set once it was lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifted: Option<Lifted>,
}

/// Who lifted a suppression, and when.
#[derive(Serialize, ToSchema)]
struct Lifted {
    /// When.
    at: Time,
    /// Who: `app`, `gateway`, `recipient`, or `key:` and the id of a key.
    by: String,
}

/// A suppression to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "+999501234567", "cause": "manual", "note": "asked by phone"}))]
pub(super) struct CreateSuppression {
    /// The number, with its country code.
    #[schema(value_type = String)]
    phone: Phone,
    /// Why: `manual`, `complaint` or `legal`; the other causes are set by what recipients do.
    cause: CauseWord,
    /// A remark: at most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Which suppressions of a number to find.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "+999501234567", "in_force": true}))]
pub(super) struct SearchSuppressions {
    /// The number, with its country code.
    #[schema(value_type = String)]
    phone: Phone,
    /// Only those in force.
    #[serde(default)]
    in_force: bool,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    #[serde(default)]
    cursor: Option<String>,
}

/// Which suppressions, and which part of their list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SuppressionQuery {
    /// Only those in force.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    in_force: bool,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// Suppress a contact
///
/// From now on no attempt to write to them starts. The suppression that is in force for the same cause is kept, and answered.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/suppressions", tag = "Suppressions",
    responses((status = 200, description = "The suppression.", body = SuppressionShape)))]
pub(super) async fn suppress(
    State(app): State<App>,
    on: OnAccount,
    Json(asked): Json<CreateSuppression>,
) -> Result<Json<SuppressionShape>, Problem> {
    let cause = asked.cause.0;
    if !matches!(cause, Cause::Manual | Cause::Complaint | Cause::Legal) {
        return Err(Problem::of_field("cause", "expected `manual`, `complaint` or `legal`"));
    }
    let suppression = on.gateway(&app).suppress(asked.phone.into(), cause, note(asked.note)?, on.actor()).await?;
    Ok(Json(show(&app, on, suppression).await?))
}

/// List suppressions
#[utoipa::path(get, path = "/v1/accounts/{account_id}/suppressions", tag = "Suppressions", params(SuppressionQuery),
    responses((status = 200, description = "Suppressions, newest first.", body = List<SuppressionShape>)))]
pub(super) async fn list_suppressions(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<SuppressionQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let filter = SuppressionFilter { address: None, in_force: query.in_force };
    Ok(list(&app, on, filter, &paging).await?.linked(&uri))
}

/// Find the suppressions of a number
#[utoipa::path(post, path = "/v1/accounts/{account_id}/suppressions/search", tag = "Suppressions",
    responses((status = 200, description = "Suppressions of the number's contact, newest first.", body = List<SuppressionShape>)))]
pub(super) async fn search_suppressions(
    State(app): State<App>,
    on: OnAccount,
    Json(asked): Json<SearchSuppressions>,
) -> Result<Json<List<SuppressionShape>>, Problem> {
    let paging = Paging::read(asked.limit, asked.cursor.as_deref())?;
    let filter = SuppressionFilter { address: Some(asked.phone.into()), in_force: asked.in_force };
    Ok(Json(list(&app, on, filter, &paging).await?))
}

/// Read a suppression
#[utoipa::path(get, path = "/v1/accounts/{account_id}/suppressions/{suppression_id}", tag = "Suppressions",
    responses((status = 200, description = "The suppression.", body = SuppressionShape)))]
pub(super) async fn get_suppression(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<SuppressionId>,
) -> Result<Json<SuppressionShape>, Problem> {
    Ok(Json(show(&app, on, find(&app, on, id).await?).await?))
}

/// Lift a suppression
///
/// Only an operator can lift one for a complaint or for legal reasons.
#[utoipa::path(delete, path = "/v1/accounts/{account_id}/suppressions/{suppression_id}", tag = "Suppressions",
    responses((status = 200, description = "The suppression as it is then.", body = SuppressionShape)))]
pub(super) async fn lift_suppression(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<SuppressionId>,
) -> Result<Json<SuppressionShape>, Problem> {
    let found = find(&app, on, id).await?;
    let is_operators = match found.cause {
        Cause::Complaint | Cause::Legal => true,
        Cause::Manual => !on.is_own(&app, found.by).await?,
        Cause::Keyword | Cause::NaturalLanguage | Cause::NumberReassigned | Cause::UserPreference => false,
    };
    if is_operators && !on.is_operator() {
        return Err(Problem::of(Code::InsufficientScope).saying("only an operator can lift a suppression for this cause"));
    }
    let lifted = on.store(&app).lift(id, on.actor(), app.now()).await?.ok_or(Problem::not_found())?;
    tracing::info!(account = %on.account, suppression = %id, by = %on.actor(), "a suppression was lifted");
    Ok(Json(show(&app, on, lifted).await?))
}

async fn list(
    app: &App,
    on: OnAccount,
    filter: SuppressionFilter,
    paging: &Paging<SuppressionId>,
) -> Result<List<SuppressionShape>, Problem> {
    let mut suppressions = on.store(app).suppressions(filter, paging.page()).await?;
    hide_notes(app, on, &mut suppressions).await?;
    Ok(paging.list(suppressions, |suppression| suppression.id, SuppressionShape::of))
}

async fn find(app: &App, on: OnAccount, id: SuppressionId) -> Result<Suppression, Problem> {
    let page = at(id, SuppressionId::to_bytes, SuppressionId::from_bytes);
    let found = on.store(app).suppressions(SuppressionFilter::default(), page).await?;
    found.into_iter().find(|suppression| suppression.id == id).ok_or(Problem::not_found())
}

/// A suppression as this caller may see it.
async fn show(app: &App, on: OnAccount, mut suppression: Suppression) -> Result<SuppressionShape, Problem> {
    hide_notes(app, on, std::slice::from_mut(&mut suppression)).await?;
    Ok(SuppressionShape::of(suppression))
}

/// An operator's remark is for operators.
pub(super) async fn hide_notes(app: &App, on: OnAccount, suppressions: &mut [Suppression]) -> Result<(), Problem> {
    for suppression in suppressions.iter_mut().filter(|suppression| suppression.note.is_some() && !on.is_operator()) {
        if !on.is_own(app, suppression.by).await? {
            suppression.note = None;
        }
    }
    Ok(())
}

impl SuppressionShape {
    fn of(suppression: Suppression) -> Self {
        Self {
            id: suppression.id,
            phone: suppression.address.phone().map(|phone| phone.e164()),
            address: suppression.address.text(),
            cause: CauseWord(suppression.cause),
            note: suppression.note,
            since: suppression.since.into(),
            by: suppression.by.to_string(),
            lifted: suppression.lifted.map(|(by, at)| Lifted { at: at.into(), by: by.to_string() }),
        }
    }
}
