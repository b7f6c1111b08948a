//! Endpoints of an account: made, read, changed and removed.

use std::fmt;

use axum::extract::State;
use gatepost::{
    CustomHeaders, Destination, Endpoint, EndpointChange, EndpointId, EndpointUrl, EventFilter, IN_FLIGHT_DEFAULT, IN_FLIGHT_MAX,
    InstanceId, InstanceRef, Name, NewEndpoint, Rate,
};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::accounts::RateShape;
use super::challenge::{self, challenge_after, endpoints, refused_url};
use super::endpoint_shape::{EndpointShape, Made, NewEndpointShape};
use super::guard::{Item, OnAccount};
use crate::http::code::Code;
use crate::http::json::Json;
use crate::http::paging::List;
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;

/// An endpoint to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://hooks.example.com/gatepost", "events": ["message.*", "recipient.opted_out"]}))]
pub(super) struct CreateEndpoint {
    /// Where events go: `https://`, a public host, and no more than 2048 bytes. Required, under this name or as `destination_url`.
    #[serde(default)]
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// The same as `url`.
    #[serde(default)]
    #[schema(max_length = 2048)]
    destination_url: Option<String>,
    /// Which events: 1 to 64 names, `prefix.*` or `*`.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 64)]
    events: EventFilter,
    /// Whether it is for the operator: it gets `account.paused`, `account.resumed`, `account.warned`, `endpoint.disabled`,
    /// `endpoint.paused`, `endpoint.resumed`, `instance.connected`, `instance.disconnected`, `instance.paused`, `instance.resumed` and
    /// `limit.threshold_reached` of every account, as far as `events` lists them, and nothing else; and no
    /// account sees it or what went there. Only an operator may say `true`, and only here.
    #[serde(default)]
    for_operator: bool,
    /// What people call it: 1 to 100 characters; its host where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    name: Option<Name>,
    /// The id or the name of the instance whose events it gets, with those of no instance; those of all where nothing is said.
    #[serde(default)]
    instance_id: Option<String>,
    /// Headers to send along, at most 20. Their values are kept sealed and never shown.
    #[serde(default)]
    headers: Headers,
    /// How many events may be on their way to it at once.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 256, default = 8)]
    in_flight_max: Option<u16>,
    /// How fast it is called; as fast as it answers where nothing is said.
    #[serde(default)]
    rate: Option<RateShape>,
    /// Whether events are signed with an Ed25519 key too.
    #[serde(default)]
    ed25519: bool,
    /// Whether its receiver must answer a challenge before it gets events. Only an operator may say `false`, unless the gateway is set so.
    #[serde(default)]
    verify: Option<bool>,
}

/// A change to an endpoint; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": ["*"], "in_flight_max": 16}))]
pub(super) struct ChangeEndpoint {
    /// Where events go from now on. Its receiver is challenged, and events are held until it has answered.
    #[serde(default)]
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// The same as `url`.
    #[serde(default)]
    #[schema(max_length = 2048)]
    destination_url: Option<String>,
    /// Which events: 1 to 64 names, `prefix.*` or `*`.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 64)]
    events: Option<EventFilter>,
    /// What people call it: 1 to 100 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    name: Option<Name>,
    /// The id or the name of the instance whose events it gets, with those of no instance; `null` for those of all.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    instance_id: Option<Option<String>>,
    /// Headers to send along in place of those before; `{}` for none.
    #[serde(default)]
    headers: Option<Headers>,
    /// How many events may be on their way to it at once.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 256)]
    in_flight_max: Option<u16>,
    /// How fast it is called; `null` for as fast as it answers.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<RateShape>)]
    rate: Option<Option<RateShape>>,
    /// Whether the receiver at the new URL must answer a challenge. Only an operator may say `false`, unless the gateway is set so.
    #[serde(default)]
    verify: Option<bool>,
}

/// Names of headers with their values.
#[derive(Default, ToSchema)]
#[schema(as = CustomHeaders, value_type = std::collections::BTreeMap<String, String>, example = json!({"authorization": "Bearer …"}))]
struct Headers(Vec<(String, String)>);

/// Make an endpoint
///
/// The answer shows its signing secret, this one time. Its receiver is challenged right away: a POST with `endpoint.challenge` as `event`,
/// signed like every event, which it must answer with its `challenge`, alone or as the member `challenge` of a JSON object. Until it does,
/// events are held.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/endpoints", tag = "Endpoints", responses(
    (status = 201, description = "The endpoint: `enabled`, or `unverified` where its receiver did not pass the challenge.", body = NewEndpointShape),
    (status = 409, description = "`endpoint_limit_reached`: the account has as many endpoints as it may have.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn create_endpoint(State(app): State<App>, on: OnAccount, Json(asked): Json<CreateEndpoint>) -> Result<Made, Problem> {
    let verify = challenge::is_wanted(&app, on, asked.verify)?;
    let new = NewEndpoint { verify, ..asked.read(&app, on).await? };
    let added = endpoints(&app, on)?.add(new).await.map_err(challenge::problem)?;
    let endpoint = added.endpoint;
    let for_operator = endpoint.for_operator;
    tracing::info!(account = %on.account, endpoint = %endpoint.id, url = ?endpoint.url, for_operator, by = %on.actor(), "an endpoint was made");
    let (endpoint, outcome) = if verify { challenge_after(&app, on, endpoint).await } else { (endpoint, None) };
    Ok(Made::new(EndpointShape::of(endpoint, &app, on).challenged(outcome).revealing(&added.secret), on))
}

/// List endpoints
#[utoipa::path(get, path = "/v1/accounts/{account_id}/endpoints", tag = "Endpoints",
    responses((status = 200, description = "All endpoints, oldest first.", body = List<EndpointShape>)))]
pub(super) async fn list_endpoints(State(app): State<App>, on: OnAccount) -> Result<Json<List<EndpointShape>>, Problem> {
    let endpoints = on.store(&app).endpoints().await?.into_iter().filter(|endpoint| on.may_see(endpoint));
    Ok(Json(List::whole(endpoints.map(|endpoint| EndpointShape::of(endpoint, &app, on)).collect())))
}

/// Read an endpoint
///
/// Also one that was removed, as logs name it.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}", tag = "Endpoints",
    responses((status = 200, description = "The endpoint.", body = EndpointShape)))]
pub(super) async fn get_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
) -> Result<Json<EndpointShape>, Problem> {
    let endpoint = look(&app, on, id).await?;
    Ok(Json(EndpointShape::of(endpoint, &app, on)))
}

/// Change an endpoint
///
/// What happened before it got another URL is not sent there: see `to_changed_url`.
#[utoipa::path(patch, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is then.", body = EndpointShape)))]
pub(super) async fn change_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
    Json(asked): Json<ChangeEndpoint>,
) -> Result<Json<EndpointShape>, Problem> {
    if find(&app, on, id).await?.for_operator {
        may_be_for_operator(asked.events.as_ref(), asked.instance_id.as_ref().is_some_and(Option::is_some))?;
    }
    let verify = challenge::is_wanted(&app, on, asked.verify)?;
    let (change, headers) = asked.read(&app, on).await?;
    let (endpoints, has_url) = (endpoints(&app, on)?, change.url.is_some());
    // Another URL holds the events, so that none goes there with the headers of the one before.
    let mut endpoint = endpoints.change(id, change).await.map_err(challenge::problem)?;
    if let Some(headers) = headers {
        endpoint = endpoints.change_headers(id, &headers).await.map_err(challenge::problem)?;
    }
    tracing::info!(account = %on.account, endpoint = %id, url = ?endpoint.url, by = %on.actor(), "an endpoint was changed");
    let (endpoint, outcome) = match has_url && endpoint.verified_at.is_none() {
        false => (endpoint, None),
        true if verify => challenge_after(&app, on, endpoint).await,
        true => {
            let verified = EndpointChange { verified_at: Some(app.now()), ..EndpointChange::default() };
            (endpoints.change(id, verified).await.map_err(challenge::problem)?, None)
        }
    };
    Ok(Json(EndpointShape::of(endpoint, &app, on).challenged(outcome)))
}

/// Remove an endpoint
///
/// It gets nothing more: what waits for it is skipped. The logs still name it.
#[utoipa::path(delete, path = "/v1/accounts/{account_id}/endpoints/{endpoint_id}", tag = "Endpoints",
    responses((status = 200, description = "The endpoint as it is then.", body = EndpointShape)))]
pub(super) async fn remove_endpoint(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<EndpointId>,
) -> Result<Json<EndpointShape>, Problem> {
    find(&app, on, id).await?;
    let change = EndpointChange { removed_at: Some(app.now()), ..EndpointChange::default() };
    let endpoint = on.store(&app).change_endpoint(id, change).await?.ok_or(Problem::not_found())?;
    tracing::info!(account = %on.account, endpoint = %id, by = %on.actor(), "an endpoint was removed");
    Ok(Json(EndpointShape::of(endpoint, &app, on)))
}

/// An endpoint that the caller may know of, also one that was removed.
pub(super) async fn look(app: &App, on: OnAccount, id: EndpointId) -> Result<Endpoint, Problem> {
    let found = on.store(app).endpoint(id).await?;
    found.filter(|endpoint| on.may_see(endpoint)).ok_or(Problem::not_found())
}

/// Refuses whoever may not know what went to an endpoint.
pub(super) async fn may_see_history(app: &App, on: OnAccount, id: EndpointId) -> Result<(), Problem> {
    let found = on.store(app).endpoint(id).await?;
    found.filter(|endpoint| on.may_see_history(endpoint)).map(drop).ok_or(Problem::not_found())
}

/// An endpoint that the caller may know of, and that was not removed.
pub(super) async fn find(app: &App, on: OnAccount, id: EndpointId) -> Result<Endpoint, Problem> {
    let found = look(app, on, id).await?;
    if found.removed_at.is_none() { Ok(found) } else { Err(Problem::not_found()) }
}

impl CreateEndpoint {
    async fn read(self, app: &App, on: OnAccount) -> Result<NewEndpoint, Problem> {
        if self.for_operator {
            if !on.is_operator() {
                return Err(Problem::of(Code::InsufficientScope).saying("only an operator can make an endpoint for the operator"));
            }
            may_be_for_operator(Some(&self.events), self.instance_id.is_some())?;
        }
        let destination = destination(app, self.url, self.destination_url)?;
        let destination = destination.ok_or_else(|| Problem::of_field("url", "expected a URL that starts with `https://`"))?;
        let name = match self.name {
            Some(name) => name,
            None => name_of(&destination)?,
        };
        let new = NewEndpoint {
            for_operator: self.for_operator,
            instance: instance(app, on, self.instance_id).await?,
            headers: self.headers.read()?,
            in_flight_max: in_flight_max(self.in_flight_max)?.unwrap_or(IN_FLIGHT_DEFAULT),
            rate: rate(self.rate)?,
            ed25519: self.ed25519,
            ..NewEndpoint::new(name, destination.as_str().to_owned(), self.events)
        };
        Ok(new)
    }
}

impl ChangeEndpoint {
    async fn read(self, app: &App, on: OnAccount) -> Result<(EndpointChange, Option<CustomHeaders>), Problem> {
        let url = destination(app, self.url, self.destination_url)?;
        if self.verify.is_some() && url.is_none() {
            return Err(Problem::of_field("verify", "expected a new `url` beside it, which is what is challenged"));
        }
        let instance = match self.instance_id {
            Some(named) => Some(instance(app, on, named).await?),
            None => None,
        };
        let change = EndpointChange {
            name: self.name,
            url: url.map(|destination| (EndpointUrl::new(&destination), app.now())),
            instance,
            filter: self.events,
            in_flight_max: in_flight_max(self.in_flight_max)?,
            rate: self.rate.map(rate).transpose()?,
            ..EndpointChange::default()
        };
        Ok((change, self.headers.map(Headers::read).transpose()?))
    }
}

/// Refuses what an endpoint for the operator would never hear of.
fn may_be_for_operator(events: Option<&EventFilter>, has_instance: bool) -> Result<(), Problem> {
    if events.is_some_and(|events| !events.has_operational()) {
        return Err(Problem::of_field("events", "expected an event of accounts, endpoints, instances or limits: it is for the operator"));
    }
    if has_instance {
        return Err(Problem::of_field("instance_id", "expected none: it is for the operator, and hears of every account"));
    }
    Ok(())
}

/// The URL that was given under one of its names, if the policy allows it.
fn destination(app: &App, url: Option<String>, destination_url: Option<String>) -> Result<Option<Destination>, Problem> {
    let (field, text) = match (url, destination_url) {
        (None, None) => return Ok(None),
        (Some(text), None) => ("url", text),
        (None, Some(text)) => ("destination_url", text),
        (Some(_), Some(_)) => return Err(Problem::of_field("destination_url", "expected either `url` or `destination_url`")),
    };
    app.settings.destinations.parse(&text).map(Some).map_err(|refusal| refused_url(field, &refusal))
}

/// What an endpoint is called where nobody named it: the host, as much of it as a name holds.
fn name_of(destination: &Destination) -> Result<Name, Problem> {
    let host: String = destination.host().to_string().chars().take(100).collect();
    host.parse().map_err(|error: gatepost::InvalidName| Problem::of_field("name", error.to_string()))
}

/// The instance of the account with this id or name.
pub(super) async fn instance(app: &App, on: OnAccount, named: Option<String>) -> Result<Option<InstanceId>, Problem> {
    let Some(named) = named else { return Ok(None) };
    let found = on.store(app).instance(InstanceRef::from(named.as_str())).await?;
    let missing = || Problem::of_field("instance_id", "expected the id or the name of an instance of the account");
    found.map(|instance| Some(instance.id)).ok_or_else(missing)
}

fn in_flight_max(asked: Option<u16>) -> Result<Option<u16>, Problem> {
    match asked {
        Some(asked) if !(1..=IN_FLIGHT_MAX).contains(&asked) => {
            Err(Problem::of_field("in_flight_max", format!("expected a number from 1 to {IN_FLIGHT_MAX}")))
        }
        asked => Ok(asked),
    }
}

fn rate(asked: Option<RateShape>) -> Result<Option<Rate>, Problem> {
    asked.map(|rate| rate.read("rate")).transpose()
}

impl Headers {
    fn read(self) -> Result<CustomHeaders, Problem> {
        CustomHeaders::new(self.0).map_err(|error| Problem::of_field("headers", error.to_string()))
    }
}

impl<'de> Deserialize<'de> for Headers {
    /// As a list of pairs: a map would drop one of two headers with the same name without a word.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of header names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Headers(pairs))
    }
}

/// A field that was said, if only as `null`, told apart from one that was not.
pub(super) fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
