//! Endpoints, as answers show them: everything but the signing secret, which is shown when it is made, and the values of headers, which
//! are never shown.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gatepost::{Actor, Disabled, DisabledBy, Endpoint, EndpointId, InstanceId, Name, NewSigningSecret, SigningView};
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::RateShape;
use super::guard::OnAccount;
use super::pauses::PauseShape;
use crate::http::json::Json;
use crate::http::state::App;
use crate::http::words::Time;

/// A URL of the account that receives events.
#[derive(Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub(super) struct EndpointShape {
    /// Its id.
    #[schema(value_type = String, example = "ep_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: EndpointId,
    /// What people call it.
    #[schema(value_type = String, example = "shop backend")]
    name: Name,
    /// Where events go.
    #[schema(example = "https://hooks.example.com/gatepost")]
    url: String,
    /// `true` where it is for the operator: it gets what every account goes through as a whole, and no account sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    for_operator: Option<bool>,
    /// The instance whose events it gets, with those of no instance; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    instance_id: Option<InstanceId>,
    /// Which events it gets: names, `prefix.*` or `*`.
    #[schema(example = json!(["message.*", "recipient.opted_out"]))]
    events: Vec<String>,
    /// The names of the headers that are sent along; their values are never shown.
    #[schema(example = json!(["authorization"]))]
    header_names: Vec<String>,
    /// How many events may be on their way to it at once.
    in_flight_max: u16,
    /// How fast it is called; as fast as it answers where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<RateShape>,
    /// `enabled`; `unverified` (its receiver has not answered a challenge) or `paused`, while events are held; `disabled`, while events are
    /// skipped; or `removed`.
    #[schema(value_type = String, example = "enabled")]
    state: &'static str,
    /// Set while its events are held until it is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<PauseShape>,
    /// Set while it gets no events.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<DisabledShape>,
    /// When its receiver answered the challenge, or that was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<Time>,
    /// What came of the challenge that this request sent; absent where it sent none.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<ChallengeShape>,
    /// Since when every attempt fails. After five days it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Time>,
    /// What may be seen of its secrets; absent where this host cannot read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing: Option<SigningShape>,
    /// When it was made.
    created_at: Time,
}

/// Why an endpoint gets no events.
#[derive(Serialize, ToSchema)]
#[schema(as = EndpointDisabled)]
struct DisabledShape {
    /// Since when.
    since: Time,
    /// `person`; `failing` (for five days); `gone` (it answered 410); `asked` (it answered with `webhook-delivery: disable`); or `forbidden`
    /// (its URL is not allowed any more).
    #[schema(value_type = String, example = "gone")]
    reason: &'static str,
    /// Who, where it was a person: `app`, or `key:` and the id of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "key:0aZ3kQ9fLm2X")]
    by: Option<String>,
    /// Why, for who runs the gateway; not shown to accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// What came of a challenge.
#[derive(Serialize, ToSchema)]
#[schema(as = Challenge)]
pub(super) struct ChallengeShape {
    /// Whether the receiver answered with it.
    passed: bool,
    /// Why it did not, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "the receiver did not answer in time")]
    reason: Option<String>,
}

/// What may be seen of an endpoint's secrets.
#[derive(Serialize, ToSchema)]
#[schema(as = EndpointSigning)]
struct SigningShape {
    /// When each former secret that still signs ends, the oldest first.
    previous_secrets_end_at: Vec<Time>,
    /// The public half of the Ed25519 key that signs too, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whpk_…")]
    ed25519_public_key: Option<String>,
}

/// An endpoint with a signing secret that was just made. This is the one time it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = NewEndpoint)]
pub(super) struct NewEndpointShape {
    /// The secret that its events are signed with: keep it where secrets are kept.
    #[schema(example = "whsec_…")]
    secret: String,
    /// What is known of the endpoint later.
    #[serde(flatten)]
    endpoint: EndpointShape,
}

impl EndpointShape {
    /// What a caller may see of it.
    pub(super) fn of(endpoint: Endpoint, app: &App, on: OnAccount) -> Self {
        let (state, signing) = (endpoint.state().as_str(), signing(&endpoint, app, on));
        Self {
            id: endpoint.id,
            name: endpoint.name,
            url: endpoint.url.as_str().to_owned(),
            for_operator: endpoint.for_operator.then_some(true),
            instance_id: endpoint.instance,
            events: endpoint.filter.into(),
            header_names: endpoint.headers.map(|headers| headers.names).unwrap_or_default(),
            in_flight_max: endpoint.in_flight_max,
            rate: endpoint.rate.map(RateShape::of),
            state,
            pause: endpoint.pause.map(|pause| PauseShape::of(pause, on.is_operator())),
            disabled: endpoint.disabled.map(|disabled| DisabledShape::of(disabled, on.is_operator())),
            verified_at: endpoint.verified_at.map(Time::from),
            challenge: None,
            failing_since: endpoint.health.failing_since.map(Time::from),
            signing,
            created_at: endpoint.created_at.into(),
        }
    }

    /// The same with what came of a challenge.
    pub(super) fn challenged(self, challenge: Option<ChallengeShape>) -> Self {
        Self { challenge, ..self }
    }

    /// The same with a secret, which is shown this once.
    pub(super) fn revealing(self, secret: &NewSigningSecret) -> NewEndpointShape {
        NewEndpointShape { secret: secret.expose().to_string(), endpoint: self }
    }
}

fn signing(endpoint: &Endpoint, app: &App, on: OnAccount) -> Option<SigningShape> {
    match on.gateway(app).endpoints()?.signing(endpoint) {
        Ok(view) => Some(SigningShape::of(view)),
        Err(error) => {
            tracing::error!(account = %on.account, endpoint = %endpoint.id, %error, "the secrets of an endpoint cannot be read");
            None
        }
    }
}

impl SigningShape {
    fn of(view: SigningView) -> Self {
        let previous_secrets_end_at = view.previous_end_at.into_iter().map(Time::from).collect();
        Self { previous_secrets_end_at, ed25519_public_key: view.verifying_key }
    }
}

impl DisabledShape {
    fn of(disabled: Disabled, to_operator: bool) -> Self {
        let reason = disabled.by.as_str();
        let (by, note) = match disabled.by {
            DisabledBy::Person { by, note } => (Some(by), note),
            DisabledBy::Failing | DisabledBy::Gone | DisabledBy::Asked | DisabledBy::Forbidden => (None, None),
        };
        Self { since: disabled.since.into(), reason, by: by.map(|by: Actor| by.to_string()), note: note.filter(|_| to_operator) }
    }
}

impl ChallengeShape {
    /// The receiver answered with it.
    pub(super) const fn passed() -> Self {
        Self { passed: true, reason: None }
    }

    /// The receiver did not.
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self { passed: false, reason: Some(reason.into()) }
    }
}

/// Shows a new endpoint's secret, once.
pub(super) struct Made {
    endpoint: NewEndpointShape,
    location: String,
}

impl Made {
    /// The answer to the request that made the endpoint.
    pub(super) fn new(endpoint: NewEndpointShape, on: OnAccount) -> Self {
        Self { location: format!("/v1/accounts/{}/endpoints/{}", on.account, endpoint.endpoint.id), endpoint }
    }
}

impl IntoResponse for Made {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(LOCATION, self.location)], Json(self.endpoint)).into_response()
    }
}
