//! Provider routes: where the providers of WhatsApp tell what happens.
//!
//! What is posted is genuine, or it is refused; it is a notification, or it is refused; then it is kept, whatever it says, and answered. The
//! worker heeds it.

use std::collections::{BTreeMap, HashMap};

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost::{AccountId, Instance, InstanceId, NewInbound, Provider, StoreError, Told};
use gatepost_whatsapp::cloud::{self, SIGNATURE_HEADER, handshake, verify_signature};
use gatepost_whatsapp::evolution::{self, verify_authorization};
use gatepost_whatsapp::{Accounts, Batch, Item, Line, NoAccount, NotANotification};

use super::body;
use super::state::App;
use crate::providers::Account;

/// Where the provider of an instance tells what happens: `whatsapp` is Meta's Cloud API.
pub(super) fn webhook_path(provider: &'static str, instance: InstanceId) -> String {
    format!("/providers/{provider}/{instance}")
}

/// Answer Meta's handshake
///
/// Meta asks this before it subscribes to the webhook of an instance. Who does not know the instance's verify token learns nothing, not even
/// whether there is such an instance.
#[utoipa::path(get, path = "/providers/whatsapp/{instance_id}", tag = "Providers",
    params(("instance_id" = String, Path, description = "The instance's id.", example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")),
    responses(
        (status = 200, description = "The challenge.", body = String, content_type = "text/plain"),
        (status = 400, description = "It is no handshake."),
        (status = 403, description = "The verify token is not the instance's."),
        (status = 503, description = "The gateway cannot answer now."),
))]
pub(super) async fn meet(State(app): State<App>, Path(instance): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Ok(instance) = instance.parse::<InstanceId>() else { return StatusCode::FORBIDDEN.into_response() };
    let account = match app.providers.accounts.cloud(instance).await {
        Ok(account) => account,
        Err(NoAccount::NotSetUp) => return StatusCode::FORBIDDEN.into_response(),
        Err(NoAccount::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    match handshake(query.as_deref().unwrap_or_default(), &account.verify_token) {
        Ok(challenge) => ([(CONTENT_TYPE, "text/plain")], challenge).into_response(),
        Err(refusal) => {
            tracing::warn!(%instance, %refusal, "a handshake was refused");
            StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN).into_response()
        }
    }
}

/// Take what Meta tells
///
/// Signed with the app secret of the instance, over the raw body. Once it is answered with 200, nothing of it is lost. What was told before
/// changes nothing, however late it comes again.
#[utoipa::path(post, path = "/providers/whatsapp/{instance_id}", tag = "Providers",
    params(("instance_id" = String, Path, description = "The instance's id.", example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")),
    request_body(content = String, content_type = "application/json"),
    responses(
        (status = 200, description = "It is kept."),
        (status = 400, description = "It is no notification."),
        (status = 403, description = "It is not signed with the instance's app secret."),
        (status = 413, description = "It is larger than 4 MiB."),
        (status = 503, description = "The gateway cannot keep it now: tell it again."),
))]
pub(super) async fn hear_whatsapp(State(app): State<App>, Path(instance): Path<String>, request: Request<Body>) -> Response {
    heard(hear_from_meta(&app, &instance, request).await)
}

async fn hear_from_meta(app: &App, instance: &str, request: Request<Body>) -> Result<(), StatusCode> {
    let instance = instance.parse::<InstanceId>().map_err(|_| StatusCode::FORBIDDEN)?;
    let account = app.providers.accounts.cloud(instance).await.map_err(unknown)?;
    let (headers, body) = read(request).await?;
    verify_signature(&body, headers.get_all(SIGNATURE_HEADER), &account.app_secrets).map_err(|refusal| {
        tracing::warn!(%instance, %refusal, "what was posted as Meta's was refused");
        StatusCode::FORBIDDEN
    })?;
    let batch = readable(instance, cloud::webhook(&body))?;
    let owner = owner_of(app, instance).await?;
    let now = app.now();
    // Whoever signs for one business account must not stop another.
    let is_of_account = |item: &&Item| matches!(&item.line, Line::CloudApi { account: waba, .. } if *waba == account.waba_id);
    batch.items.iter().filter(is_of_account).for_each(|item| app.providers.cloud.circuits().heed(owner, instance, item, now));
    let is_ours = |item: &Item| match &item.line {
        Line::CloudApi { number: Some(number), .. } => *number == account.phone_number_id,
        _ => true,
    };
    keep(app, (owner, instance), body, batch, is_ours).await
}

/// Take what Evolution API tells
///
/// Shown to be genuine by a token that was made with the instance's `jwt_key`.
#[utoipa::path(post, path = "/providers/evolution/{instance_id}", tag = "Providers",
    params(("instance_id" = String, Path, description = "The instance's id.", example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")),
    request_body(content = String, content_type = "application/json"),
    responses(
        (status = 200, description = "It is kept."),
        (status = 400, description = "It is no notification."),
        (status = 403, description = "Its token was not made with the instance's key, or is over."),
        (status = 413, description = "It is larger than 4 MiB."),
        (status = 503, description = "The gateway cannot keep it now: tell it again."),
))]
pub(super) async fn hear_evolution(State(app): State<App>, Path(instance): Path<String>, request: Request<Body>) -> Response {
    heard(hear_from_evolution(&app, &instance, request).await)
}

async fn hear_from_evolution(app: &App, instance: &str, request: Request<Body>) -> Result<(), StatusCode> {
    let instance = instance.parse::<InstanceId>().map_err(|_| StatusCode::FORBIDDEN)?;
    let account = app.providers.accounts.evolution(instance).await.map_err(unknown)?;
    let (headers, body) = read(request).await?;
    let now = app.now();
    verify_authorization(headers.get_all(AUTHORIZATION), &account.jwt_key, now).map_err(|refusal| {
        tracing::warn!(%instance, %refusal, "what was posted as Evolution API's was refused");
        StatusCode::FORBIDDEN
    })?;
    let batch = readable(instance, evolution::webhook(&body))?;
    let owner = owner_of(app, instance).await?;
    let is_ours = |item: &Item| !matches!(&item.line, Line::Evolution { instance } if *instance != account.instance_name);
    batch.items.iter().filter(|item| is_ours(item)).for_each(|item| app.providers.evolution.circuits().heed(owner, instance, item, now));
    keep(app, (owner, instance), body, batch, is_ours).await
}

/// Who is not known learns as little as who cannot show that they are genuine.
fn unknown(why: NoAccount) -> StatusCode {
    match why {
        NoAccount::NotSetUp => StatusCode::FORBIDDEN,
        NoAccount::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn read(request: Request<Body>) -> Result<(HeaderMap, Bytes), StatusCode> {
    let (parts, body) = request.into_parts();
    let body = body::read_notification(&parts.headers, body).await.map_err(super::code::Code::status)?;
    Ok((parts.headers, body))
}

fn readable(instance: InstanceId, batch: Result<Batch, NotANotification>) -> Result<Batch, StatusCode> {
    batch.map_err(|refusal| {
        tracing::warn!(%instance, %refusal, "what was posted by a provider is no notification");
        StatusCode::BAD_REQUEST
    })
}

async fn owner_of(app: &App, instance: InstanceId) -> Result<AccountId, StatusCode> {
    let found = app.gateway.store().worker().instance(instance).await.map_err(|error| unavailable(instance, &error))?;
    found.map(|(owner, _)| owner).ok_or(StatusCode::FORBIDDEN)
}

fn unavailable(instance: InstanceId, error: &StoreError) -> StatusCode {
    tracing::error!(%instance, %error, "what a provider told could not be kept, and will be told again");
    StatusCode::SERVICE_UNAVAILABLE
}

/// Keeps what was told. What is about another number of the account goes to the instance of that number: an app at Meta has one URL for all
/// its numbers. What is about a number that nobody here has is kept too, and nothing follows from it. Where that cannot be told, all of it must
/// be told again; what is kept by then is known again.
async fn keep(
    app: &App,
    (owner, instance): (AccountId, InstanceId),
    body: Bytes,
    batch: Batch,
    is_ours: impl Fn(&Item) -> bool,
) -> Result<(), StatusCode> {
    let unavailable = |error| unavailable(instance, &error);
    let gateway = app.gateway.account(owner);
    let mut told: BTreeMap<InstanceId, Vec<NewInbound>> = BTreeMap::from([(instance, Vec::new())]);
    let (mut numbers, mut outcome): (Option<Numbers>, _) = (None, Ok(()));
    for item in &batch.items {
        if is_ours(item) {
            told.entry(instance).or_default().push(item.told());
            continue;
        }
        let numbers = match &mut numbers {
            Some(numbers) => numbers,
            none => none.insert(Numbers::of(app, owner, &gateway.store().instances().await.map_err(unavailable)?)),
        };
        match numbers.whose(item) {
            Whose::Of(sibling) => told.entry(sibling).or_default().push(item.told()),
            Whose::PerhapsOf(unreadable) => {
                tracing::error!(instance = %unreadable, "its credentials cannot be read: what a provider told of another number must be told again");
                outcome = Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            Whose::OfNobody => {
                tracing::warn!(%instance, kind = item.kind, "a provider told of a number that no instance of the account has");
                told.entry(instance).or_default().push(of_nobody(item));
            }
        }
    }
    for (at, told) in told {
        let received = gateway.receive(at, body.to_vec(), told).await.map_err(unavailable)?;
        if received.quarantined > 0 {
            tracing::warn!(instance = %at, count = received.quarantined, "a provider told what cannot be read; a person must look at it");
        }
    }
    outcome
}

/// The account's instances by their numbers at Meta.
#[derive(Default)]
struct Numbers {
    known: HashMap<String, InstanceId>,
    /// What this host cannot read has a number that it does not know.
    unreadable: Option<InstanceId>,
}

impl Numbers {
    fn of(app: &App, owner: AccountId, instances: &[Instance]) -> Self {
        let mut numbers = Self::default();
        for instance in instances {
            match app.providers.accounts.credentials().read(owner, instance) {
                Ok(Some(Account::Cloud(account))) => _ = numbers.known.insert(account.phone_number_id.clone(), instance.id),
                Err(_) if instance.provider == Provider::CloudApi => numbers.unreadable = Some(instance.id),
                Ok(Some(Account::Evolution(_)) | None) | Err(_) => {}
            }
        }
        numbers
    }

    /// Whose number it is.
    fn whose(&self, item: &Item) -> Whose {
        match (number(item).and_then(|number| self.known.get(number)), self.unreadable) {
            (Some(instance), _) => Whose::Of(*instance),
            (None, Some(unreadable)) if number(item).is_some() => Whose::PerhapsOf(unreadable),
            (None, _) => Whose::OfNobody,
        }
    }
}

enum Whose {
    Of(InstanceId),
    /// Nobody here can tell.
    PerhapsOf(InstanceId),
    OfNobody,
}

fn number(item: &Item) -> Option<&str> {
    match &item.line {
        Line::CloudApi { number, .. } => number.as_deref(),
        _ => None,
    }
}

fn of_nobody(item: &Item) -> NewInbound {
    NewInbound { told: Told::Other, people: gatepost::Addresses::default(), ..item.told() }
}

fn heard(kept: Result<(), StatusCode>) -> Response {
    match kept {
        Ok(()) => StatusCode::OK.into_response(),
        Err(status) => status.into_response(),
    }
}
