//! API keys of an account, made, rerolled and revoked.
//!
//! A key makes no key that can do more than itself: no scope it lacks, no real messages from a test key, no address that is closed to it.

use std::time::Duration;

use axum::extract::State;
use gatepost::{ApiKey, GRACE_MAX, KeyId, KeyOwner, KeyTerms, LIFETIME_DEFAULT, Mode, Name, Scope, Scopes, Timestamp};
use ipnet::IpNet;
use serde::Deserialize;
use utoipa::ToSchema;

use super::guard::{Item, OnAccount};
use super::key_shape::{self, Expiry, KeyShape, NewKeyShape, Revealed};
use crate::http::code::Code;
use crate::http::identity::Identity;
use crate::http::json::{Json, OptionalJson};
use crate::http::paging::List;
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;
use crate::http::words::{ModeWord, ScopeWord, Time};

/// An API key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "shop", "scopes": ["messages:send", "messages:read"], "allowed_from": ["203.0.113.0/24"]}))]
pub(super) struct CreateApiKey {
    /// What people call it: 1 to 100 characters.
    #[schema(value_type = String, max_length = 100)]
    name: Name,
    /// What it may do: at least one, and none that the caller's own key lacks.
    #[schema(min_items = 1)]
    scopes: Vec<ScopeWord>,
    /// Whether what is sent with it is real; where nothing is said, as with the caller's own key.
    #[serde(default)]
    mode: Option<ModeWord>,
    /// The networks it may be used from, at most 50; where nothing is said, as with the caller's own key.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    allowed_from: Option<Vec<IpNet>>,
    /// When it ends by itself: in 365 days where nothing is said. Only an operator can say `null`, for never.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    expires_at: Expiry,
}

/// How a key is replaced.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"grace_seconds": 3600}))]
pub(super) struct RerollApiKey {
    /// How long the old key stays in force, up to 30 days: a day where nothing is said.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2_592_000)]
    grace_seconds: Option<u64>,
}

const GRACE_DEFAULT: Duration = Duration::from_secs(24 * 3_600);

/// Make an API key
///
/// The answer shows the key, this one time.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/api-keys", tag = "API keys",
    responses((status = 201, description = "The key.", body = NewKeyShape)))]
pub(super) async fn create_api_key(State(app): State<App>, on: OnAccount, Json(asked): Json<CreateApiKey>) -> Result<Revealed, Problem> {
    let granter = Granter::of(&app, on).await?;
    let scopes: Scopes = asked.scopes.iter().map(|word| word.0).collect();
    if scopes == Scopes::default() {
        return Err(Problem::of_field("scopes", "expected at least one scope"));
    }
    let mode = asked.mode.map_or(granter.mode, |word| word.0);
    let allowed_from = key_shape::nets(asked.allowed_from)?.unwrap_or_else(|| granter.allowed_from.clone());
    granter.may_grant(scopes, mode, &allowed_from)?;
    let expires_at = expires_at(asked.expires_at, on.identity, &app)?;
    let terms = KeyTerms { name: asked.name, scopes, allowed_from, expires_at };
    let (key, row) = key_shape::make(&app, KeyOwner::Account(on.account, mode), terms);
    on.store(&app).add_key(row.clone()).await?;
    tracing::info!(account = %on.account, key = %key.id, by = %on.actor(), "an API key was made");
    Ok(reveal(&app, on, &key, row))
}

/// List API keys
#[utoipa::path(get, path = "/v1/accounts/{account_id}/api-keys", tag = "API keys",
    responses((status = 200, description = "All keys, newest first.", body = List<KeyShape>)))]
pub(super) async fn list_api_keys(State(app): State<App>, on: OnAccount) -> Result<Json<List<KeyShape>>, Problem> {
    let keys = on.store(&app).keys().await?;
    Ok(Json(List::whole(keys.into_iter().map(|key| KeyShape::of(key, &app)).collect())))
}

/// Read an API key
#[utoipa::path(get, path = "/v1/accounts/{account_id}/api-keys/{key_id}", tag = "API keys",
    responses((status = 200, description = "What may be shown of it.", body = KeyShape)))]
pub(super) async fn get_api_key(State(app): State<App>, on: OnAccount, Item(id): Item<KeyId>) -> Result<Json<KeyShape>, Problem> {
    let key = find(&app, on, id).await?;
    Ok(Json(KeyShape::of(key, &app)))
}

/// Revoke an API key
///
/// Nothing more is accepted with it from now on.
#[utoipa::path(delete, path = "/v1/accounts/{account_id}/api-keys/{key_id}", tag = "API keys",
    responses((status = 200, description = "The key as it is then.", body = KeyShape)))]
pub(super) async fn revoke_api_key(State(app): State<App>, on: OnAccount, Item(id): Item<KeyId>) -> Result<Json<KeyShape>, Problem> {
    let key = on.store(&app).revoke_key(id, app.now()).await?.ok_or(Problem::not_found())?;
    app.keys.forget(id);
    tracing::info!(account = %on.account, key = %id, by = %on.actor(), "an API key was revoked");
    Ok(Json(KeyShape::of(key, &app)))
}

/// Reroll an API key
///
/// Makes a key with the same name, scopes, addresses and end, and lets the old one end after a grace. The answer shows the new key, this one
/// time.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/api-keys/{key_id}/reroll", tag = "API keys",
    request_body(content = Option<RerollApiKey>), responses(
    (status = 201, description = "The new key.", body = NewKeyShape),
    (status = 409, description = "`key_not_in_force`: the key ended before.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn reroll_api_key(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<KeyId>,
    OptionalJson(asked): OptionalJson<RerollApiKey>,
) -> Result<Revealed, Problem> {
    let grace = grace(asked.grace_seconds)?;
    let old = find(&app, on, id).await?;
    Granter::of(&app, on).await?.may_grant(old.scopes, mode_of(&old), &old.allowed_from)?;
    let now = app.now();
    let (key, row) = key_shape::make(&app, old.owner, old.reroll_terms());
    if !on.store(&app).reroll_key(id, row.clone(), old.end_after_reroll(grace, now), now).await? {
        return Err(key_shape::not_in_force());
    }
    app.keys.forget(id);
    tracing::info!(account = %on.account, old = %id, new = %key.id, by = %on.actor(), "an API key was rerolled");
    Ok(reveal(&app, on, &key, row))
}

fn reveal(app: &App, on: OnAccount, key: &gatepost::NewKey, row: ApiKey) -> Revealed {
    Revealed::new(key, row, format!("/v1/accounts/{}/api-keys/{}", on.account, key.id), app)
}

async fn find(app: &App, on: OnAccount, id: KeyId) -> Result<ApiKey, Problem> {
    let keys = on.store(app).keys().await?;
    keys.into_iter().find(|key| key.id == id).ok_or(Problem::not_found())
}

fn grace(seconds: Option<u64>) -> Result<Duration, Problem> {
    let grace = seconds.map_or(GRACE_DEFAULT, Duration::from_secs);
    if grace <= GRACE_MAX {
        Ok(grace)
    } else {
        Err(Problem::of_field("grace_seconds", format!("expected a number from 0 to {}", GRACE_MAX.as_secs())))
    }
}

fn expires_at(asked: Expiry, identity: Identity, app: &App) -> Result<Option<Timestamp>, Problem> {
    match asked {
        Expiry::Unsaid => Ok(Some(app.now().plus(LIFETIME_DEFAULT))),
        Expiry::At(at) => key_shape::in_future(at, app).map(Some),
        Expiry::Never if identity.is_operator() => Ok(None),
        Expiry::Never => Err(Problem::of(Code::InsufficientScope).saying("only an operator can make a key that never ends")),
    }
}

fn mode_of(key: &ApiKey) -> Mode {
    match key.owner {
        KeyOwner::Account(_, mode) => mode,
        KeyOwner::Operator => Mode::Live,
    }
}

/// What a caller may pass on to a key.
struct Granter {
    scopes: Scopes,
    mode: Mode,
    allowed_from: Vec<IpNet>,
}

impl Granter {
    async fn of(app: &App, on: OnAccount) -> Result<Self, Problem> {
        match on.identity {
            Identity::Operator { .. } => Ok(Self { scopes: Scopes::all(), mode: Mode::Live, allowed_from: Vec::new() }),
            Identity::Account { scopes, mode, key, .. } => {
                let own = find(app, on, key).await?;
                Ok(Self { scopes, mode, allowed_from: own.allowed_from })
            }
        }
    }

    fn may_grant(&self, scopes: Scopes, mode: Mode, allowed_from: &[IpNet]) -> Result<(), Problem> {
        let refusal = |text: String| Err(Problem::of(Code::InsufficientScope).saying(text));
        if let Some(lacking) = scopes.iter().find(|scope: &Scope| !self.scopes.contains(*scope)) {
            return refusal(format!("a key grants only scopes it has, and this one lacks `{}`", lacking.as_str()));
        }
        if self.mode == Mode::Test && mode == Mode::Live {
            return refusal("a test key makes no live keys".to_owned());
        }
        let is_open_to = |net: &IpNet| self.allowed_from.iter().any(|own| own.contains(net));
        let is_wider = allowed_from.is_empty() || !allowed_from.iter().all(is_open_to);
        if !self.allowed_from.is_empty() && is_wider {
            return refusal("a key opens no network that is closed to itself".to_owned());
        }
        Ok(())
    }
}
