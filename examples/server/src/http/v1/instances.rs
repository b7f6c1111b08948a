//! Instances, as `/v1` shows and changes them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use gatepost::{Connection, INSTANCES_MAX, Instance, InstanceChange, InstanceId, Name, Pause, Provider, Secret, StoreError};
use gatepost_whatsapp::CloudAccount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::created;
use super::guard::{Item, OnAccount};
use super::pauses::{PauseShape, Remark};
use super::provider_accounts::{CloudApiShape, EvolutionShape, GiveCloudApi, GiveEvolution, Given, SecretText, Shown};
use crate::http::code::Code;
use crate::http::json::{Json, OptionalJson};
use crate::http::paging::List;
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;
use crate::http::words::{ConnectionWord, ProviderWord, Time};
use crate::providers::Account;

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
    /// What it was given for the Cloud API.
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_api: Option<CloudApiShape>,
    /// What it was given for Evolution API.
    #[serde(skip_serializing_if = "Option::is_none")]
    evolution: Option<EvolutionShape>,
    /// When it was made.
    created_at: Time,
}

/// An instance to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "support", "provider": "cloud_api", "cloud_api": {"phone_number_id": "106540352242922", "waba_id": "102290129340398", "access_token": "EAAJ…", "app_secret": "…"}}))]
pub(super) struct CreateInstance {
    /// Its name, unique in the account: 1 to 100 characters.
    #[schema(value_type = String, max_length = 100)]
    name: Name,
    /// Who carries its messages.
    provider: ProviderWord,
    /// Whether the provider has it connected; where nothing is said, the sandbox and a number that was given to the Cloud API are, and others
    /// are not yet.
    #[serde(default)]
    connection: Option<ConnectionWord>,
    /// What the Cloud API asks for, where that is the provider; it may be given later.
    #[serde(default)]
    cloud_api: Option<GiveCloudApi>,
    /// What Evolution API asks for, where that is the provider; it may be given later.
    #[serde(default)]
    evolution: Option<GiveEvolution>,
}

/// A change to an instance; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cloud_api": {"access_token": "EAAJ…"}}))]
pub(super) struct ChangeInstance {
    /// Whether the provider has it connected.
    #[serde(default)]
    connection: Option<ConnectionWord>,
    /// Something else for the Cloud API. It counts at once.
    #[serde(default)]
    cloud_api: Option<GiveCloudApi>,
    /// Something else for Evolution API. It counts at once.
    #[serde(default)]
    evolution: Option<GiveEvolution>,
}

/// A new app secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"app_secret": "…"}))]
pub(super) struct RotateAppSecret {
    /// The app secret that Meta shows now.
    app_secret: SecretText,
}

/// Make an instance
///
/// What is given for its provider is kept: settings are shown again, credentials never. For the Cloud API the answer says what to enter at
/// Meta; a verify token that the gateway made is shown this one time.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances", tag = "Instances", responses(
    (status = 201, description = "The instance.", body = InstanceShape),
    (status = 409, description = "`name_taken`: another instance of the account has this name; `instance_limit_reached`: the account has 100.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn create_instance(
    State(app): State<App>,
    on: OnAccount,
    Json(asked): Json<CreateInstance>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let now = app.now();
    let mut instance = Instance::new(InstanceId::new(now, &**app.gateway.host()), asked.name, asked.provider.0, now);
    let given = Gifts { cloud_api: asked.cloud_api, evolution: asked.evolution }.give(&instance, &app, on)?;
    let verify_token = given.and_then(|given| {
        let change = app.providers.accounts.credentials().change(on.account, instance.id, &given.account);
        (instance.settings, instance.credentials) = (change.settings.unwrap_or_default(), change.credentials);
        // A number of the Cloud API needs no connecting.
        instance.connection = if instance.provider == Provider::CloudApi { Connection::Open } else { instance.connection };
        given.verify_token
    });
    instance.connection = asked.connection.map_or(instance.connection, |word| word.0);
    if !on.store(&app).add_instance(instance.clone()).await? {
        let is_full = on.store(&app).instances().await?.len() >= INSTANCES_MAX;
        return Err(Problem::of(if is_full { Code::InstanceLimitReached } else { Code::NameTaken }));
    }
    tracing::info!(account = %on.account, instance = %instance.id, by = %on.actor(), "an instance was made");
    let shape = InstanceShape::revealing(instance, &app, on, verify_token.as_ref());
    Ok(created(format!("/v1/accounts/{}/instances/{}", on.account, shape.id), shape))
}

/// List instances
#[utoipa::path(get, path = "/v1/accounts/{account_id}/instances", tag = "Instances",
    responses((status = 200, description = "All instances, by name.", body = List<InstanceShape>)))]
pub(super) async fn list_instances(State(app): State<App>, on: OnAccount) -> Result<Json<List<InstanceShape>>, Problem> {
    let instances = on.store(&app).instances().await?;
    Ok(Json(List::whole(instances.into_iter().map(|instance| InstanceShape::of(instance, &app, on)).collect())))
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
    Ok(Json(InstanceShape::of(instance, &app, on)))
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
    let ChangeInstance { connection, cloud_api, evolution } = asked;
    let gifts = Gifts { cloud_api, evolution };
    let connection = connection.map(|word| word.0);
    let changed = change_given(&app, on, id, |instance| {
        let given = gifts.give(instance, &app, on)?;
        // A number of the Cloud API needs no connecting.
        let is_first = given.is_some() && instance.credentials.is_none() && instance.provider == Provider::CloudApi;
        Ok((given, connection.or(is_first.then_some(Connection::Open))))
    });
    let (instance, verify_token) = changed.await?;
    tracing::info!(account = %on.account, instance = %id, by = %on.actor(), "an instance was changed");
    Ok(Json(InstanceShape::revealing(instance, &app, on, verify_token.as_ref())))
}

/// Rotate the app secret
///
/// Webhooks that are signed with the new secret or with the one before are believed, until the former one is retired.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/app-secret/rotate", tag = "Instances", responses(
    (status = 200, description = "The instance as it is then.", body = InstanceShape),
    (status = 409, description = "`wrong_provider`: it is no instance of the Cloud API. `instance_not_set_up`: it was not given what the Cloud API asks for.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn rotate_app_secret(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
    Json(asked): Json<RotateAppSecret>,
) -> Result<Json<InstanceShape>, Problem> {
    let secret = asked.app_secret.0;
    change_app_secrets(&app, on, id, "an app secret was rotated", |account| account.rotate_app_secret(secret.clone())).await
}

/// Retire the former app secret
///
/// Webhooks are believed with the newest app secret only from now on.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/app-secret/retire", tag = "Instances", responses(
    (status = 200, description = "The instance as it is then.", body = InstanceShape),
    (status = 409, description = "`wrong_provider`: it is no instance of the Cloud API. `instance_not_set_up`: it was not given what the Cloud API asks for.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn retire_app_secret(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
) -> Result<Json<InstanceShape>, Problem> {
    change_app_secrets(&app, on, id, "a former app secret was retired", |account| _ = account.retire_app_secret()).await
}

async fn change_app_secrets(
    app: &App,
    on: OnAccount,
    id: InstanceId,
    what: &'static str,
    change: impl Fn(&mut CloudAccount) + Send + Sync,
) -> Result<Json<InstanceShape>, Problem> {
    let changed = change_given(app, on, id, |instance| {
        if instance.provider != Provider::CloudApi {
            return Err(Problem::of(Code::WrongProvider));
        }
        let Some(Account::Cloud(account)) = kept(app, on, instance)? else { return Err(Problem::of(Code::InstanceNotSetUp)) };
        let mut account = CloudAccount::clone(&account);
        change(&mut account);
        account.check().map_err(|error| Problem::of_field(error.field, error.expected))?;
        Ok((Some(Given { account: Account::Cloud(Arc::new(account)), verify_token: None }), None))
    });
    let (instance, _) = changed.await?;
    tracing::info!(account = %on.account, instance = %id, by = %on.actor(), what);
    Ok(Json(InstanceShape::of(instance, app, on)))
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
    let pause = Pause::by(on.actor(), remark.note()?, app.now());
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
            changed => return shown(app, on, changed?),
        }
    }
}

/// What is given for each provider.
struct Gifts {
    cloud_api: Option<GiveCloudApi>,
    evolution: Option<GiveEvolution>,
}

impl Gifts {
    /// What the instance has then; `None` where nothing is given.
    fn give(&self, instance: &Instance, app: &App, on: OnAccount) -> Result<Option<Given>, Problem> {
        let is_of = |provider| instance.provider == provider;
        match (&self.cloud_api, &self.evolution) {
            (None, None) => Ok(None),
            (Some(_), _) if !is_of(Provider::CloudApi) => Err(Problem::of_field("cloud_api", OF_ANOTHER)),
            (_, Some(_)) if !is_of(Provider::Evolution) => Err(Problem::of_field("evolution", OF_ANOTHER)),
            (Some(cloud_api), _) => match kept(app, on, instance)? {
                Some(Account::Cloud(present)) => cloud_api.give(Some(&present), &**app.gateway.host()).map(Some),
                _ => cloud_api.give(None, &**app.gateway.host()).map(Some),
            },
            (None, Some(evolution)) => match kept(app, on, instance)? {
                Some(Account::Evolution(present)) => evolution.give(Some(&present), app).map(Some),
                _ => evolution.give(None, app).map(Some),
            },
        }
    }
}

const OF_ANOTHER: &str = "expected none: the instance is of another provider";

/// What an instance was given before.
pub(super) fn kept(app: &App, on: OnAccount, instance: &Instance) -> Result<Option<Account>, Problem> {
    app.providers.accounts.credentials().read(on.account, instance).map_err(|error| {
        tracing::error!(account = %on.account, instance = %instance.id, %error, "what an instance was given cannot be read");
        Problem::of(Code::InternalError)
    })
}

/// Changes what an instance was given, and perhaps its connection, from what there is now: again where somebody was faster. With it comes
/// a verify token that was made for it.
pub(super) async fn change_given(
    app: &App,
    on: OnAccount,
    id: InstanceId,
    decide: impl Fn(&Instance) -> Result<(Option<Given>, Option<Connection>), Problem> + Send + Sync,
) -> Result<(Instance, Option<Secret>), Problem> {
    loop {
        let present = find(app, on, id).await?;
        let (given, connection) = decide(&present)?;
        let account = given.as_ref().map(|given| &given.account);
        let change = account.map(|account| app.providers.accounts.credentials().change(on.account, id, account)).unwrap_or_default();
        let change = InstanceChange { if_revision: Some(present.revision), connection, at: app.now(), ..change };
        let changed = on.store(app).change_instance(id, change).await;
        // Whatever became of it: what was known is not to be relied upon.
        app.providers.accounts.forget(id);
        match changed {
            Err(StoreError::Conflict) => {}
            changed => {
                let instance = changed?.ok_or(Problem::not_found())?;
                account.into_iter().for_each(|account| app.providers.heed_new_account(on.account, id, account));
                return Ok((instance, given.and_then(|given| given.verify_token)));
            }
        }
    }
}

pub(super) async fn find(app: &App, on: OnAccount, id: InstanceId) -> Result<Instance, Problem> {
    on.store(app).instance(id.into()).await?.ok_or(Problem::not_found())
}

fn shown(app: &App, on: OnAccount, changed: Option<Instance>) -> Result<Json<InstanceShape>, Problem> {
    let instance = changed.ok_or(Problem::not_found())?;
    tracing::info!(account = %on.account, instance = %instance.id, by = %on.actor(), "an instance was changed");
    Ok(Json(InstanceShape::of(instance, app, on)))
}

impl InstanceShape {
    pub(super) fn of(instance: Instance, app: &App, on: OnAccount) -> Self {
        Self::revealing(instance, app, on, None)
    }

    /// With a verify token that was just made.
    fn revealing(instance: Instance, app: &App, on: OnAccount, verify_token: Option<&Secret>) -> Self {
        let Shown { cloud_api, evolution } = Shown::of(&instance, app, on, verify_token);
        Self {
            id: instance.id,
            name: instance.name,
            provider: ProviderWord(instance.provider),
            connection: ConnectionWord(instance.connection),
            pause: instance.pause.map(|pause| PauseShape::of(pause, on.is_operator())),
            cloud_api,
            evolution,
            created_at: instance.created_at.into(),
        }
    }
}
