//! Instances, as `/v1` shows and changes them.

use axum::extract::State;
use axum::response::IntoResponse;
use gatepost::{Instance, InstanceChange, InstanceId, Name, Pause, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::created;
use super::guard::{Item, OnAccount};
use super::pauses::{PauseShape, Remark};
use crate::http::code::Code;
use crate::http::json::{Json, OptionalJson};
use crate::http::paging::List;
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;
use crate::http::words::{ConnectionWord, ProviderWord, Time};

/// One connected WhatsApp number.
#[derive(Serialize, ToSchema)]
#[schema(as = Instance)]
pub(super) struct InstanceShape {
    /// Its id.
    #[schema(value_type = String, example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: InstanceId,
    /// Its name, unique in the account.
    #[schema(value_type = String, example = "support")]
    name: Name,
    /// Who carries its messages.
    provider: ProviderWord,
    /// Whether the provider has it connected.
    connection: ConnectionWord,
    /// Set while nothing of it goes out until resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<PauseShape>,
    /// When it was made.
    created_at: Time,
}

/// An instance to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "support", "provider": "sandbox"}))]
pub(super) struct CreateInstance {
    /// Its name, unique in the account: 1 to 100 characters.
    #[schema(value_type = String, max_length = 100)]
    name: Name,
    /// Who carries its messages.
    provider: ProviderWord,
    /// Whether the provider has it connected; where nothing is said, the sandbox has and others have not yet.
    #[serde(default)]
    connection: Option<ConnectionWord>,
}

/// A change to an instance.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"connection": "open"}))]
pub(super) struct ChangeInstance {
    /// Whether the provider has it connected.
    connection: ConnectionWord,
}

/// Make an instance
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances", tag = "Instances", responses(
    (status = 201, description = "The instance.", body = InstanceShape),
    (status = 409, description = "`name_taken`: another instance of the account has this name.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn create_instance(
    State(app): State<App>,
    on: OnAccount,
    Json(asked): Json<CreateInstance>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let now = app.now();
    let mut instance = Instance::new(InstanceId::new(now, &**app.gateway.host()), asked.name, asked.provider.0, now);
    instance.connection = asked.connection.map_or(instance.connection, |word| word.0);
    if !on.store(&app).add_instance(instance.clone()).await? {
        return Err(Problem::of(Code::NameTaken));
    }
    Ok(created(format!("/v1/accounts/{}/instances/{}", on.account, instance.id), InstanceShape::of(instance, on)))
}

/// List instances
#[utoipa::path(get, path = "/v1/accounts/{account_id}/instances", tag = "Instances",
    responses((status = 200, description = "All instances, by name.", body = List<InstanceShape>)))]
pub(super) async fn list_instances(State(app): State<App>, on: OnAccount) -> Result<Json<List<InstanceShape>>, Problem> {
    let instances = on.store(&app).instances().await?;
    Ok(Json(List::whole(instances.into_iter().map(|instance| InstanceShape::of(instance, on)).collect())))
}

/// Read an instance
#[utoipa::path(get, path = "/v1/accounts/{account_id}/instances/{instance_id}", tag = "Instances",
    responses((status = 200, description = "The instance.", body = InstanceShape)))]
pub(super) async fn get_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
) -> Result<Json<InstanceShape>, Problem> {
    let instance = find(&app, on, id).await?;
    Ok(Json(InstanceShape::of(instance, on)))
}

/// Change an instance
#[utoipa::path(patch, path = "/v1/accounts/{account_id}/instances/{instance_id}", tag = "Instances",
    responses((status = 200, description = "The instance as it is then.", body = InstanceShape)))]
pub(super) async fn change_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
    Json(asked): Json<ChangeInstance>,
) -> Result<Json<InstanceShape>, Problem> {
    apply(&app, on, id, InstanceChange { connection: Some(asked.connection.0), ..InstanceChange::default() }).await
}

/// Pause an instance
///
/// Nothing of it goes out until it is resumed. What waits stays, and what is sent meanwhile is refused.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/pause", tag = "Instances", request_body(content = Option<Remark>),
    responses((status = 200, description = "The instance as it is then.", body = InstanceShape)))]
pub(super) async fn pause_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
    OptionalJson(remark): OptionalJson<Remark>,
) -> Result<Json<InstanceShape>, Problem> {
    let pause = Pause { since: app.now(), by: on.actor(), note: remark.note()? };
    change_pause(&app, on, id, Some(pause), "the operator paused it").await
}

/// Resume an instance
///
/// An account cannot lift a pause that the operator made.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/resume", tag = "Instances",
    responses((status = 200, description = "The instance as it is then.", body = InstanceShape)))]
pub(super) async fn resume_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
) -> Result<Json<InstanceShape>, Problem> {
    change_pause(&app, on, id, None, "the operator paused it, and only they can resume it").await
}

/// Pauses or resumes an instance. Who may do that depends on who made the pause that there is, so it is done only while that one stands.
async fn change_pause(
    app: &App,
    on: OnAccount,
    id: InstanceId,
    pause: Option<Pause>,
    why: &'static str,
) -> Result<Json<InstanceShape>, Problem> {
    loop {
        let present = find(app, on, id).await?.pause;
        on.refuse_undoing(app, present.as_ref().map(|pause| pause.by), why).await?;
        let (pause, expected_pause) = (Some(pause.clone()), Some(present));
        let change = InstanceChange { pause, expected_pause, at: app.now(), ..InstanceChange::default() };
        match on.store(app).change_instance(id, change).await {
            // Somebody was faster: look again who paused it.
            Err(StoreError::Conflict) => {}
            changed => return shown(on, changed?),
        }
    }
}

async fn find(app: &App, on: OnAccount, id: InstanceId) -> Result<Instance, Problem> {
    on.store(app).instance(id.into()).await?.ok_or(Problem::not_found())
}

async fn apply(app: &App, on: OnAccount, id: InstanceId, change: InstanceChange) -> Result<Json<InstanceShape>, Problem> {
    let change = InstanceChange { at: app.now(), ..change };
    shown(on, on.store(app).change_instance(id, change).await?)
}

fn shown(on: OnAccount, changed: Option<Instance>) -> Result<Json<InstanceShape>, Problem> {
    let instance = changed.ok_or(Problem::not_found())?;
    tracing::info!(account = %on.account, instance = %instance.id, by = %on.actor(), "an instance was changed");
    Ok(Json(InstanceShape::of(instance, on)))
}

impl InstanceShape {
    fn of(instance: Instance, on: OnAccount) -> Self {
        Self {
            id: instance.id,
            name: instance.name,
            provider: ProviderWord(instance.provider),
            connection: ConnectionWord(instance.connection),
            pause: instance.pause.map(|pause| PauseShape::of(pause, on.is_operator())),
            created_at: instance.created_at.into(),
        }
    }
}
