//! Links: how an instance of Evolution API is made there, linked to a number, and made to tell what happens.
//!
//! Whoever sees a QR code or a pairing code can link a phone: they go to who asked, and into no log.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use gatepost::{Connection, ErrorClass, Instance, InstanceChange, InstanceId, Outcome, Phone, Provider, Timestamp};
use gatepost_whatsapp::evolution::{Linking, WebhookSetup, link_svg};
use gatepost_whatsapp::{EvolutionAccount, LinkCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::{Item, OnAccount};
use super::instances::{InstanceShape, change_given, find, kept};
use super::provider_accounts::Given;
use crate::http::code::Code;
use crate::http::json::{Json, OptionalJson};
use crate::http::places::Place;
use crate::http::problem::{Problem, ProblemShape};
use crate::http::provider_routes::webhook_path;
use crate::http::state::App;
use crate::http::words::ConnectionWord;
use crate::providers::Account;

/// How a number is to be linked.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "+999501234567"}))]
pub(super) struct Connect {
    /// The number of the phone, where a code to type is wanted beside the QR code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    phone: Option<Phone>,
}

/// How the link of an instance stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(super) struct LinkShape {
    /// Whether the provider has the number connected.
    connection: ConnectionWord,
    /// The QR code to scan with the phone, as a drawing in SVG. It is over after less than a minute: ask again for the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_svg: Option<String>,
    /// The code to type on the phone instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairing_code: Option<String>,
}

/// Make the instance at Evolution API
///
/// For that `api_key` must be the global key of that Evolution API; the instance's own token takes its place. The webhook is set up, too.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/provision", tag = "Instances", responses(
    (status = 200, description = "The instance as it is then.", body = InstanceShape),
    (status = 409, description = "`wrong_provider`, `instance_not_set_up`, `public_url_missing` or `provider_calls_under_way`.", body = ProblemShape, content_type = "application/problem+json"),
    (status = 502, description = "`provider_failed`: Evolution API did not do it; `detail` says why.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn provision_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
) -> Result<Json<InstanceShape>, Problem> {
    let call = Call::begin(&app, on, id).await?;
    let setup = call.webhook()?;
    let created = app.providers.evolution.create(id, call.deadline()).await.map_err(|outcome| failed(&outcome))?;
    let token = created.token;
    let with_token = change_given(&app, on, id, |instance| {
        let account = EvolutionAccount { api_key: token.clone(), ..EvolutionAccount::clone(&*account(&app, on, instance)?) };
        account.check().map_err(|_| failed(&Outcome::Unknown { class: ErrorClass::Broken }))?;
        Ok((Some(Given { account: Account::Evolution(Arc::new(account)), verify_token: None }), Some(created.connection)))
    });
    let (instance, _) = with_token.await?;
    app.providers.evolution.set_webhook(id, &setup, call.deadline()).await.map_err(|outcome| failed(&outcome))?;
    tracing::info!(account = %on.account, instance = %id, by = %on.actor(), "an instance was made at Evolution API");
    Ok(Json(InstanceShape::of(instance, &app, on)))
}

/// Set up the webhook at Evolution API
///
/// Needed where the instance was made there by others, and whenever `jwt_key` or the URL of the gateway has changed.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/webhook", tag = "Instances", responses(
    (status = 200, description = "The instance.", body = InstanceShape),
    (status = 409, description = "`wrong_provider`, `instance_not_set_up`, `public_url_missing` or `provider_calls_under_way`.", body = ProblemShape, content_type = "application/problem+json"),
    (status = 502, description = "`provider_failed`: Evolution API did not do it; `detail` says why.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn set_webhook(State(app): State<App>, on: OnAccount, Item(id): Item<InstanceId>) -> Result<Json<InstanceShape>, Problem> {
    let call = Call::begin(&app, on, id).await?;
    app.providers.evolution.set_webhook(id, &call.webhook()?, call.deadline()).await.map_err(|outcome| failed(&outcome))?;
    tracing::info!(account = %on.account, instance = %id, by = %on.actor(), "the webhook of an instance was set up");
    Ok(Json(InstanceShape::of(call.instance, &app, on)))
}

/// Link the instance to a number
///
/// The answer shows what to scan or to type on the phone.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/connect", tag = "Instances",
    request_body(content = Option<Connect>), responses(
    (status = 200, description = "How the link stands.", body = LinkShape),
    (status = 409, description = "`wrong_provider`, `instance_not_set_up` or `provider_calls_under_way`.", body = ProblemShape, content_type = "application/problem+json"),
    (status = 502, description = "`provider_failed`: Evolution API did not do it; `detail` says why.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn connect_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
    OptionalJson(asked): OptionalJson<Connect>,
) -> Result<Json<LinkShape>, Problem> {
    let call = Call::begin(&app, on, id).await?;
    let linking = app.providers.evolution.connect(id, asked.phone, call.deadline()).await.map_err(|outcome| failed(&outcome))?;
    call.linked(linking, "an instance is being linked").await
}

/// Ask how the link stands
///
/// Evolution API is asked, and what it says is written down: only a number that is `open` sends.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/instances/{instance_id}/connection", tag = "Instances", responses(
    (status = 200, description = "How the link stands.", body = LinkShape),
    (status = 409, description = "`wrong_provider`, `instance_not_set_up` or `provider_calls_under_way`.", body = ProblemShape, content_type = "application/problem+json"),
    (status = 502, description = "`provider_failed`: Evolution API did not answer; `detail` says why.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn get_connection(State(app): State<App>, on: OnAccount, Item(id): Item<InstanceId>) -> Result<Json<LinkShape>, Problem> {
    let call = Call::begin(&app, on, id).await?;
    let connection = app.providers.evolution.connection(id, call.deadline()).await.map_err(|outcome| failed(&outcome))?;
    call.note(connection).await?;
    Ok(Json(LinkShape::of(connection, None)))
}

/// Restart the link
///
/// Closes it and opens it again; where the phone no longer knows it, the answer shows what to scan.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/restart", tag = "Instances", responses(
    (status = 200, description = "How the link stands.", body = LinkShape),
    (status = 409, description = "`wrong_provider`, `instance_not_set_up` or `provider_calls_under_way`.", body = ProblemShape, content_type = "application/problem+json"),
    (status = 502, description = "`provider_failed`: Evolution API did not do it; `detail` says why.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn restart_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
) -> Result<Json<LinkShape>, Problem> {
    let call = Call::begin(&app, on, id).await?;
    let linking = app.providers.evolution.restart(id, call.deadline()).await.map_err(|outcome| failed(&outcome))?;
    call.linked(linking, "the link of an instance was restarted").await
}

/// End the link
///
/// The number must be linked anew after it.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/instances/{instance_id}/logout", tag = "Instances", responses(
    (status = 200, description = "How the link stands.", body = LinkShape),
    (status = 409, description = "`wrong_provider`, `instance_not_set_up` or `provider_calls_under_way`.", body = ProblemShape, content_type = "application/problem+json"),
    (status = 502, description = "`provider_failed`: Evolution API did not do it; `detail` says why.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn log_out_instance(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<InstanceId>,
) -> Result<Json<LinkShape>, Problem> {
    let call = Call::begin(&app, on, id).await?;
    app.providers.evolution.log_out(id, call.deadline()).await.map_err(|outcome| failed(&outcome))?;
    call.note(Connection::Closed).await?;
    tracing::info!(account = %on.account, instance = %id, by = %on.actor(), "the link of an instance was ended");
    Ok(Json(LinkShape::of(Connection::Closed, None)))
}

/// A call of the Evolution API that an instance is of.
struct Call<'a> {
    app: &'a App,
    on: OnAccount,
    instance: Instance,
    _place: Place,
}

impl<'a> Call<'a> {
    async fn begin(app: &'a App, on: OnAccount, id: InstanceId) -> Result<Self, Problem> {
        let instance = find(app, on, id).await?;
        account(app, on, &instance)?;
        let place = app.calls.take(on.account).ok_or(Problem::of(Code::ProviderCallsUnderWay))?;
        Ok(Self { app, on, instance, _place: place })
    }

    /// One call has as long as a message has.
    fn deadline(&self) -> Timestamp {
        self.app.now().plus(self.app.settings.call_timeout.max(Duration::from_secs(1)))
    }

    fn webhook(&self) -> Result<WebhookSetup, Problem> {
        let public_url = self.app.settings.public_url.clone().ok_or(Problem::of(Code::PublicUrlMissing))?;
        Ok(WebhookSetup { url: public_url + &webhook_path("evolution", self.instance.id), with_files: false })
    }

    /// Writes down how the link stands, where that is news.
    async fn note(&self, connection: Connection) -> Result<(), Problem> {
        if connection != self.instance.connection {
            let change = InstanceChange { connection: Some(connection), at: self.app.now(), ..InstanceChange::default() };
            self.on.store(self.app).change_instance(self.instance.id, change).await?;
        }
        Ok(())
    }

    async fn linked(&self, linking: Linking, what: &'static str) -> Result<Json<LinkShape>, Problem> {
        let (connection, code) = match linking {
            Linking::Open => (Connection::Open, None),
            Linking::Waits { code } => (Connection::Connecting, code),
        };
        self.note(connection).await?;
        tracing::info!(account = %self.on.account, instance = %self.instance.id, by = %self.on.actor(), what);
        Ok(Json(LinkShape::of(connection, code)))
    }
}

/// What an instance of Evolution API was given.
fn account(app: &App, on: OnAccount, instance: &Instance) -> Result<Arc<EvolutionAccount>, Problem> {
    if instance.provider != Provider::Evolution {
        return Err(Problem::of(Code::WrongProvider));
    }
    match kept(app, on, instance)? {
        Some(Account::Evolution(account)) => Ok(account),
        _ => Err(Problem::of(Code::InstanceNotSetUp)),
    }
}

/// Why a provider did not do what it was asked for.
fn failed(outcome: &Outcome) -> Problem {
    let class = match outcome {
        Outcome::Failed { class, .. } | Outcome::Unknown { class } | Outcome::Blocked { class } => *class,
        Outcome::Sent { .. } => ErrorClass::Broken,
    };
    Problem::of(Code::ProviderFailed).saying(match class {
        ErrorClass::Broken => "the provider's answer cannot be understood",
        ErrorClass::Forbidden => "the destination policy of the gateway does not allow to call the provider",
        ErrorClass::Interrupted | ErrorClass::NoTransport => "what the instance was given cannot be used now",
        ErrorClass::Misconfigured => "the provider does not accept the key of the instance, or has no such instance",
        ErrorClass::Throttled => "the provider says that it is called too often",
        ErrorClass::Timeout => "the provider did not answer in time",
        ErrorClass::Tls => "no secure connection to the provider can be made",
        ErrorClass::Unreachable => "the provider cannot be reached",
        _ => "the provider refused",
    })
}

impl LinkShape {
    fn of(connection: Connection, code: Option<LinkCode>) -> Self {
        let qr_svg = code.as_ref().and_then(link_svg);
        let pairing_code = code.and_then(|code| code.pairing_code).map(|code| code.expose().to_owned());
        Self { connection: ConnectionWord(connection), qr_svg, pairing_code }
    }
}
