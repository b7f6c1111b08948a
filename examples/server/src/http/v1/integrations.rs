//! Integrations of an account: its 3CX phone systems, made, read, changed and removed.
//!
//! An integration may be set up while the account's `threecx_enabled` is off: nothing of it counts until that is on.

use std::str::FromStr;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use gatepost::{
    AccountIntegrations, Integration, IntegrationChange, IntegrationError, IntegrationId, Name, NewIntegration, Phone, PhoneLine, Secret,
    StoreError,
};
use gatepost_threecx::{CallTemplate, NETWORKS_MAX, Settings, Template, Templates, crm};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use super::accounts::created;
use super::challenge::refused_url;
use super::endpoints::{instance as named_instance, said};
use super::guard::{Item, Items, OnAccount};
use super::integration_shape::{IntegrationShape, NewIntegrationShape, NewSecretShape, SecretWord, crm_path, settings};
use super::provider_accounts::SecretText;
use crate::http::code::Code;
use crate::http::json::Json;
use crate::http::paging::List;
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;

/// An integration to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "head office", "instance_id": "support", "number": "+999220000001", "pbx_url": "https://pbx.example.com:5001/sms/generic/…", "inbound_enabled": true, "outbound_enabled": true}))]
pub(super) struct CreateIntegration {
    /// What people call it: 1 to 100 characters.
    #[schema(value_type = String, max_length = 100)]
    name: Name,
    /// The id or the name of the instance that its messages go out from, and whose messages it is told.
    instance_id: String,
    /// Whether anything of it counts; it does where nothing is said.
    #[serde(default)]
    #[schema(default = true)]
    enabled: Option<bool>,
    /// Whether it is posted what customers write; needs `pbx_url`.
    #[serde(default)]
    #[schema(default = false)]
    inbound_enabled: Option<bool>,
    /// Whether its agents and flows may answer customers.
    #[serde(default)]
    #[schema(default = false)]
    outbound_enabled: Option<bool>,
    /// Whether calls may become messages.
    #[serde(default)]
    #[schema(default = false)]
    call_event_enabled: Option<bool>,
    /// Whether it may only answer who wrote within the last 24 hours, whatever the instance's provider allows.
    #[serde(default)]
    #[schema(default = true)]
    strict_conversation_window: Option<bool>,
    /// Whether calls of the webhook must be signed.
    #[serde(default)]
    #[schema(default = false)]
    must_be_signed: Option<bool>,
    /// From where the webhook, the trunk and the CRM may call: addresses and networks, at most 64; from anywhere where it is empty.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 64, example = json!(["203.0.113.7"]))]
    allowed_ips: Option<Vec<Network>>,
    /// The number of its trunk.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "+999220000001")]
    number: Option<Phone>,
    /// The Webhook URL that 3CX shows for its trunk. It needs `number`, is kept sealed, and is never shown.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only, max_length = 2048, example = "https://pbx.example.com:5001/sms/generic/…")]
    pbx_url: Option<SecretText>,
    /// What calls become; what is absent is off, and has a text that can be switched on.
    #[serde(default)]
    templates: Option<GiveTemplates>,
}

/// A change to an integration; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"call_event_enabled": true, "templates": {"missed_call": {"enabled": true}}}))]
pub(super) struct ChangeIntegration {
    /// What people call it: 1 to 100 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    name: Option<Name>,
    /// The id or the name of another instance.
    #[serde(default)]
    instance_id: Option<String>,
    /// Whether anything of it counts.
    #[serde(default)]
    enabled: Option<bool>,
    /// Whether it is posted what customers write.
    #[serde(default)]
    inbound_enabled: Option<bool>,
    /// Whether its agents and flows may answer customers.
    #[serde(default)]
    outbound_enabled: Option<bool>,
    /// Whether calls may become messages.
    #[serde(default)]
    call_event_enabled: Option<bool>,
    /// Whether it may only answer who wrote within the last 24 hours, whatever the instance's provider allows.
    #[serde(default)]
    strict_conversation_window: Option<bool>,
    /// Whether calls of the webhook must be signed.
    #[serde(default)]
    must_be_signed: Option<bool>,
    /// From where the webhook, the trunk and the CRM may call, in place of those before; `[]` for anywhere.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 64, example = json!(["203.0.113.0/24"]))]
    allowed_ips: Option<Vec<Network>>,
    /// The number of its trunk; `null` where there is none, which takes `"pbx_url": null` too.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, example = "+999220000001")]
    number: Option<Option<Phone>>,
    /// The Webhook URL that 3CX shows for its trunk; `null` to post there no more.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, write_only, max_length = 2048, example = "https://pbx.example.com:5001/sms/generic/…")]
    pbx_url: Option<Option<SecretText>>,
    /// What calls become; of each template, what is absent stays.
    #[serde(default)]
    templates: Option<GiveTemplates>,
}

/// What kinds of calls become.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GiveTemplates {
    /// For when the office is closed.
    #[serde(default)]
    after_hours: Option<GiveTemplate>,
    /// For when a call is over.
    #[serde(default)]
    call_ended: Option<GiveTemplate>,
    /// For when nobody took a call.
    #[serde(default)]
    missed_call: Option<GiveTemplate>,
    /// For when somebody in a queue asked to be called back.
    #[serde(default)]
    queue_callback: Option<GiveTemplate>,
    /// For when somebody left a message.
    #[serde(default)]
    voicemail: Option<GiveTemplate>,
}

/// What one kind of call becomes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GiveTemplate {
    /// Whether such calls become messages.
    #[serde(default)]
    enabled: Option<bool>,
    /// What is said: 1 to 1024 characters, in which `{{customer_phone}}`, `{{agent_extension}}`, `{{queue}}`, `{{call_time}}` and
    /// `{{business_name}}` stand for what is known of the call. A call of which it is not known becomes no message.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    text: Option<Template>,
}

/// A network; an address is the network of it alone.
#[derive(Clone, Copy, Debug)]
struct Network(IpNet);

/// Make an integration
///
/// The answer shows its three secrets, this one time. An operator switches on the account's `threecx_enabled` before anything of it counts.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/integrations", tag = "Integrations", responses(
    (status = 201, description = "The integration, with its secrets.", body = NewIntegrationShape),
    (status = 409, description = "`integration_limit_reached`: the account has as many integrations as it may have.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn create_integration(
    State(app): State<App>,
    on: OnAccount,
    Json(asked): Json<CreateIntegration>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let (name, asked) = asked.split();
    let instance = named_instance(&app, on, asked.instance_id.clone()).await?.ok_or(Problem::of(Code::InternalError))?;
    let settings = asked.judged(&app)?.over(Settings::default(), false)?;
    let new = NewIntegration { name, enabled: asked.enabled.unwrap_or(true), instance, settings: kept(&settings)? };
    let integrations = integrations(&app, on)?;
    let added = integrations.add(new).await.map_err(problem)?;
    let id = added.integration.id;
    if let Err(problem) = asked.set_line(&app, on, &added.integration).await {
        // Nobody would ever see its secrets. Where it cannot be removed either, its owner can do that.
        let _ = integrations.remove(id).await;
        return Err(problem);
    }
    tracing::info!(account = %on.account, integration = %id, by = %on.actor(), "an integration was made");
    let shape = show(&app, on, find(&app, on, id).await?).await?.revealing(&added.secrets);
    Ok(created(format!("/v1/accounts/{}/integrations/{id}", on.account), shape))
}

/// List integrations
#[utoipa::path(get, path = "/v1/accounts/{account_id}/integrations", tag = "Integrations",
    responses((status = 200, description = "All integrations, oldest first.", body = List<IntegrationShape>)))]
pub(super) async fn list_integrations(State(app): State<App>, on: OnAccount) -> Result<Json<List<IntegrationShape>>, Problem> {
    let store = on.store(&app);
    let (integrations, endpoints) = (store.integrations().await?, store.endpoints().await?);
    let shapes = integrations.into_iter().map(|integration| {
        let endpoint = endpoints.iter().find(|endpoint| Some(endpoint.id) == integration.endpoint);
        IntegrationShape::of(integration, endpoint, &app)
    });
    Ok(Json(List::whole(shapes.collect::<Result<_, _>>()?)))
}

/// Read an integration
#[utoipa::path(get, path = "/v1/accounts/{account_id}/integrations/{integration_id}", tag = "Integrations",
    responses((status = 200, description = "The integration.", body = IntegrationShape)))]
pub(super) async fn get_integration(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<IntegrationId>,
) -> Result<Json<IntegrationShape>, Problem> {
    Ok(Json(show(&app, on, find(&app, on, id).await?).await?))
}

/// Change an integration
#[utoipa::path(patch, path = "/v1/accounts/{account_id}/integrations/{integration_id}", tag = "Integrations",
    responses((status = 200, description = "The integration as it is then.", body = IntegrationShape)))]
pub(super) async fn change_integration(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<IntegrationId>,
    Json(asked): Json<ChangeIntegration>,
) -> Result<Json<IntegrationShape>, Problem> {
    let integrations = integrations(&app, on)?;
    find(&app, on, id).await?;
    let instance = named_instance(&app, on, asked.instance_id.clone()).await?;
    asked.judged(&app)?;
    let changed = loop {
        let present = find(&app, on, id).await?;
        let settings = kept(&asked.over(settings(&present)?, present.endpoint.is_some())?)?;
        let (name, enabled, settings, if_revision) = (asked.name.clone(), asked.enabled, Some(settings), Some(present.revision));
        let change = IntegrationChange { if_revision, name, enabled, instance, settings, ..IntegrationChange::default() };
        match integrations.change(id, change).await {
            // Somebody was faster: what they changed stays, where this does not speak of it.
            Err(IntegrationError::Store(StoreError::Conflict)) => {}
            changed => break changed.map_err(problem)?,
        }
    };
    asked.set_line(&app, on, &changed).await?;
    let integration = tell(&app, on, id).await?;
    tracing::info!(account = %on.account, integration = %id, by = %on.actor(), "an integration was changed");
    Ok(Json(show(&app, on, integration).await?))
}

/// Remove an integration
///
/// Nothing of it counts any more, and its phone system is posted nothing. The log still names it.
#[utoipa::path(delete, path = "/v1/accounts/{account_id}/integrations/{integration_id}", tag = "Integrations",
    responses((status = 200, description = "The integration as it is then.", body = IntegrationShape)))]
pub(super) async fn remove_integration(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<IntegrationId>,
) -> Result<Json<IntegrationShape>, Problem> {
    let removed = integrations(&app, on)?.remove(id).await.map_err(problem)?;
    tracing::info!(account = %on.account, integration = %id, by = %on.actor(), "an integration was removed");
    Ok(Json(show(&app, on, removed).await?))
}

/// Rotate a secret of an integration
///
/// `secret` is `webhook`, `trunk` or `crm`. The answer shows the new one, this one time; the one before counts no more.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/integrations/{integration_id}/secrets/{secret}/rotate", tag = "Integrations",
    responses((status = 200, description = "The new secret.", body = NewSecretShape)))]
pub(super) async fn rotate_integration_secret(
    State(app): State<App>,
    on: OnAccount,
    Items(id, which): Items<IntegrationId, SecretWord>,
) -> Result<Json<NewSecretShape>, Problem> {
    let (_, secret) = integrations(&app, on)?.rotate(id, which.0).await.map_err(problem)?;
    tracing::info!(account = %on.account, integration = %id, secret = %which, by = %on.actor(), "a secret of an integration was rotated");
    Ok(Json(NewSecretShape::revealing(&secret)))
}

/// Read the CRM template of an integration
///
/// To be uploaded to 3CX, which asks for the API key then: it is not in the template.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/integrations/{integration_id}/crm-template", tag = "Integrations", responses(
    (status = 200, description = "The template.", body = String, content_type = "application/xml"),
    (status = 409, description = "`public_url_missing`: the operator must set `public_url`.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn get_crm_template(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<IntegrationId>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let integration = find(&app, on, id).await?;
    let missing = || Problem::of(Code::PublicUrlMissing).saying("the operator must set `public_url`, so that 3CX can be told what to call");
    let url = app.settings.public_url.clone().ok_or_else(missing)? + &crm_path(id);
    let headers = [(CONTENT_TYPE, "application/xml"), (CONTENT_DISPOSITION, "attachment; filename=\"gatepost-crm.xml\"")];
    Ok((headers, crm::template(&url, integration.name.as_str())))
}

/// What the account does with its integrations.
fn integrations(app: &App, on: OnAccount) -> Result<AccountIntegrations, Problem> {
    on.gateway(app).integrations().ok_or_else(|| Problem::of(Code::Unavailable).saying("this gateway posts to no phone systems"))
}

async fn find(app: &App, on: OnAccount, id: IntegrationId) -> Result<Integration, Problem> {
    let found = on.store(app).integration(id).await?;
    found.filter(|integration| integration.removed_at.is_none()).ok_or(Problem::not_found())
}

async fn show(app: &App, on: OnAccount, integration: Integration) -> Result<IntegrationShape, Problem> {
    let endpoint = match integration.endpoint {
        Some(endpoint) => on.store(app).endpoint(endpoint).await?,
        None => None,
    };
    IntegrationShape::of(integration, endpoint.as_ref(), app)
}

/// Has the phone system posted what its integration says; once more where somebody changed that meanwhile, as they may have been faster.
async fn tell(app: &App, on: OnAccount, id: IntegrationId) -> Result<Integration, Problem> {
    let integrations = integrations(app, on)?;
    let mut present = find(app, on, id).await?;
    loop {
        let settings = settings(&present)?;
        let told = match settings.number {
            Some(number) => integrations.renumber(&present, number, settings.posts(), on.actor()).await,
            None => integrations.tell(&present, settings.posts(), on.actor()).await,
        };
        let is_told = match told {
            Err(IntegrationError::Store(StoreError::Conflict)) => false,
            told => told.map(|()| true).map_err(problem)?,
        };
        let revision = present.revision;
        present = find(app, on, id).await?;
        if is_told && present.revision == revision {
            return Ok(present);
        }
    }
}

fn kept(settings: &Settings) -> Result<gatepost::AdapterSettings, Problem> {
    settings.kept().map_err(|_| Problem::of(Code::InternalError))
}

/// Why an integration could not be added or changed.
fn problem(error: IntegrationError) -> Problem {
    match error {
        IntegrationError::Url(refusal) => refused_url("pbx_url", &refusal),
        IntegrationError::Full => Problem::of(Code::IntegrationLimitReached),
        IntegrationError::Unknown => Problem::not_found(),
        IntegrationError::Sealed(error) => {
            tracing::error!(%error, "the secrets of an integration cannot be read");
            Problem::of(Code::InternalError)
        }
        IntegrationError::Store(error) => error.into(),
    }
}

impl CreateIntegration {
    /// As a change to one that has nothing yet.
    fn split(self) -> (Name, ChangeIntegration) {
        let change = ChangeIntegration {
            name: None,
            instance_id: Some(self.instance_id),
            enabled: self.enabled,
            inbound_enabled: self.inbound_enabled,
            outbound_enabled: self.outbound_enabled,
            call_event_enabled: self.call_event_enabled,
            strict_conversation_window: self.strict_conversation_window,
            must_be_signed: self.must_be_signed,
            allowed_ips: self.allowed_ips,
            number: self.number.map(Some),
            pbx_url: self.pbx_url.map(Some),
            templates: self.templates,
        };
        (self.name, change)
    }
}

impl ChangeIntegration {
    /// It, if what can be judged without the integration is as it must be.
    fn judged(&self, app: &App) -> Result<&Self, Problem> {
        if self.allowed_ips.as_ref().is_some_and(|networks| networks.len() > NETWORKS_MAX) {
            return Err(Problem::of_field("allowed_ips", format!("expected at most {NETWORKS_MAX} networks")));
        }
        if let Some(Some(SecretText(url))) = &self.pbx_url {
            judge_url(app, url)?;
        }
        Ok(self)
    }

    /// The settings with what is said of them. A line is for the messages of one number.
    fn over(&self, mut settings: Settings, has_line: bool) -> Result<Settings, Problem> {
        set(&mut settings.inbound_enabled, self.inbound_enabled);
        set(&mut settings.outbound_enabled, self.outbound_enabled);
        set(&mut settings.call_event_enabled, self.call_event_enabled);
        set(&mut settings.strict_conversation_window, self.strict_conversation_window);
        set(&mut settings.must_be_signed, self.must_be_signed);
        set(&mut settings.number, self.number);
        set(&mut settings.allowed_ips, self.allowed_ips.as_ref().map(|networks| networks.iter().map(|network| network.0).collect()));
        if let Some(templates) = &self.templates {
            templates.over(&mut settings.templates);
        }
        let has_line = self.pbx_url.as_ref().map_or(has_line, Option::is_some);
        if has_line && settings.number.is_none() {
            return Err(Problem::of_field("number", "expected the number of the trunk, which `pbx_url` takes messages for"));
        }
        Ok(settings)
    }

    /// Sets the line of an integration that has these settings already, or takes it away, where something is said of it.
    async fn set_line(&self, app: &App, on: OnAccount, integration: &Integration) -> Result<(), Problem> {
        let Some(said) = &self.pbx_url else { return Ok(()) };
        let settings = settings(integration)?;
        let line = said.as_ref().zip(settings.number).map(|(SecretText(url), number)| PhoneLine { url: url.clone(), number });
        let set = integrations(app, on)?.set_line(integration.id, line, settings.posts(), on.actor()).await;
        set.map(drop).map_err(problem)
    }
}

/// Refuses what the policy does not allow, and what is no URL of a trunk: it would take what customers write for something else.
fn judge_url(app: &App, url: &Secret) -> Result<(), Problem> {
    let destination = app.settings.phone_systems.parse(url.expose()).map_err(|refusal| refused_url("pbx_url", &refusal))?;
    let id = destination.path_and_query().strip_prefix("/sms/generic/").unwrap_or_default();
    if id.is_empty() || id.starts_with(['/', '?']) {
        return Err(Problem::of_field("pbx_url", "expected the Webhook URL that 3CX shows: https://<host>/sms/generic/<id>"));
    }
    Ok(())
}

impl GiveTemplates {
    fn over(&self, templates: &mut Templates) {
        let places = [
            (&self.after_hours, &mut templates.after_hours),
            (&self.call_ended, &mut templates.call_ended),
            (&self.missed_call, &mut templates.missed_call),
            (&self.queue_callback, &mut templates.queue_callback),
            (&self.voicemail, &mut templates.voicemail),
        ];
        for (given, CallTemplate { enabled, text }) in places {
            set(enabled, given.as_ref().and_then(|given| given.enabled));
            set(text, given.as_ref().and_then(|given| given.text.clone()));
        }
    }
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let address = || text.parse().map(|address: std::net::IpAddr| IpNet::from(address));
        text.parse().map(|network: IpNet| network.trunc()).or_else(|_| address()).map(Self).map_err(|_| InvalidNetwork)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The text is neither an address nor a network.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected an address or a network, for example `203.0.113.7` or `203.0.113.0/24`")]
struct InvalidNetwork;
