//! Keys, as answers show them: everything but the key, which is shown once, when it is made.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gatepost::{ApiKey, Brand, KeyKind, KeyOwner, KeyTerms, Mode, NewKey};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::http::code::Code;
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::{KeyStateWord, ModeWord, ScopeWord, Time};

const NETS_MAX: usize = 50;

/// A key, without the key itself.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct KeyShape {
    /// Its id: the public part of its text.
    #[schema(example = "0aZ3kQ9fLm2X")]
    id: String,
    /// What people call it.
    #[schema(example = "shop")]
    name: String,
    /// How its text begins.
    #[schema(example = "wg_live_0aZ3kQ9fLm2X")]
    prefix: String,
    /// How its text ends.
    #[schema(example = "x7Qb")]
    last_four: String,
    /// Whether what is sent with it is real; absent for operator keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<ModeWord>,
    /// What it may do.
    scopes: Vec<ScopeWord>,
    /// The networks it may be used from; empty for anywhere.
    #[schema(value_type = Vec<String>, example = json!(["203.0.113.0/24"]))]
    allowed_from: Vec<IpNet>,
    /// Whether it is in force.
    state: KeyStateWord,
    /// When it was made.
    created_at: Time,
    /// When it ends by itself; never where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// When somebody revoked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Time>,
    /// When it was last used, to about half a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Time>,
}

/// A key that was just made. This is the one time it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = NewApiKey)]
pub(super) struct NewKeyShape {
    /// The key: keep it where secrets are kept.
    #[schema(example = "wg_live_…")]
    api_key: String,
    /// What is known of it later.
    #[serde(flatten)]
    key: KeyShape,
}

impl KeyShape {
    /// What may be shown of a stored key.
    pub(super) fn of(key: ApiKey, app: &App) -> Self {
        let kind = kind(key.owner);
        Self {
            id: key.id.to_string(),
            prefix: prefix(&app.brand, kind, &key),
            name: key.name.to_string(),
            mode: match kind {
                KeyKind::Account(mode) => Some(ModeWord(mode)),
                KeyKind::Operator => None,
            },
            scopes: if kind == KeyKind::Operator { Vec::new() } else { key.scopes.iter().map(ScopeWord).collect() },
            state: KeyStateWord(key.state_at(app.now())),
            last_four: key.last_four,
            allowed_from: key.allowed_from,
            created_at: key.created_at.into(),
            expires_at: key.expires_at.map(Time::from),
            revoked_at: key.revoked_at.map(Time::from),
            last_used_at: key.last_used_at.map(Time::from),
        }
    }
}

const fn kind(owner: KeyOwner) -> KeyKind {
    match owner {
        KeyOwner::Account(_, mode) => KeyKind::Account(mode),
        KeyOwner::Operator => KeyKind::Operator,
    }
}

fn prefix(brand: &Brand, kind: KeyKind, key: &ApiKey) -> String {
    let word = match kind {
        KeyKind::Account(Mode::Live) => "live",
        KeyKind::Account(Mode::Test) => "test",
        KeyKind::Operator => "op",
    };
    format!("{}_{word}_{}", brand.as_str(), key.id)
}

/// A key of these terms, and the row to store of it.
pub(super) fn make(app: &App, owner: KeyOwner, terms: KeyTerms) -> (NewKey, ApiKey) {
    let key = NewKey::generate(&app.brand, kind(owner), &**app.gateway.host());
    let (root, pepper) = app.keyring.present();
    let row = ApiKey::new(&key, owner, terms, root, pepper, app.now());
    (key, row)
}

/// Shows a key, once.
pub(super) struct Revealed {
    key: NewKeyShape,
    location: String,
}

impl Revealed {
    /// The answer to the request that made the key.
    pub(super) fn new(key: &NewKey, row: ApiKey, location: String, app: &App) -> Self {
        Self { key: NewKeyShape { api_key: key.reveal().to_owned(), key: KeyShape::of(row, app) }, location }
    }
}

impl IntoResponse for Revealed {
    fn into_response(self) -> Response {
        let headers: [(HeaderName, String); 2] = [(header::LOCATION, self.location), (header::CACHE_CONTROL, "no-store".to_owned())];
        (StatusCode::CREATED, headers, Json(self.key)).into_response()
    }
}

/// The end that was asked for, told apart from one that was not.
#[derive(Clone, Copy, Default)]
pub(super) enum Expiry {
    /// Nothing was said.
    #[default]
    Unsaid,
    /// `null` was said: never.
    Never,
    /// A time was said.
    At(Time),
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Time>::deserialize(deserializer)?.map_or(Self::Never, Self::At))
    }
}

/// A list of networks that is not too long.
pub(super) fn nets(nets: Option<Vec<IpNet>>) -> Result<Option<Vec<IpNet>>, Problem> {
    match nets {
        Some(nets) if nets.len() > NETS_MAX => Err(Problem::of_field("allowed_from", format!("expected at most {NETS_MAX} networks"))),
        nets => Ok(nets),
    }
}

/// Refuses an end that lies in the past.
pub(super) fn in_future(at: Time, app: &App) -> Result<gatepost::Timestamp, Problem> {
    if at.0 > app.now() { Ok(at.0) } else { Err(Problem::of_field("expires_at", "expected a time in the future")) }
}

/// The key cannot be used any more.
pub(super) const fn not_in_force() -> Problem {
    Problem::of(Code::KeyNotInForce)
}
