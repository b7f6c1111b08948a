//! Guard: who may use a route of `/v1`, checked before its handler is reached.
//!
//! A [`Route`] cannot be made without its [`Permission`], so the table in [`routes`](super::routes()) says it for each of them, the OpenAPI
//! document shows it, and nothing is open by mistake.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use gatepost::{AccountGateway, AccountId, AccountStore, Actor, Endpoint, Scope};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::Response as ResponseSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{PathItem, Ref, RefOr, Required};
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use crate::http::auth::authenticate;
use crate::http::code::Code;
use crate::http::identity::Identity;
use crate::http::problem::Problem;
use crate::http::state::App;

/// Who may use a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Permission {
    /// Who runs the gateway.
    Operator,
    /// Who runs the gateway, and a key of the account with this scope.
    Scope(Scope),
    /// Who runs the gateway, and a key of the account with one of these scopes.
    Either(Scope, Scope),
}

impl Permission {
    fn admits(self, identity: Identity) -> bool {
        match self {
            Self::Operator => identity.is_operator(),
            Self::Scope(scope) => identity.may(scope),
            Self::Either(one, other) => identity.may(one) || identity.may(other),
        }
    }

    fn refusal(self) -> Problem {
        let problem = Problem::of(Code::InsufficientScope);
        match self {
            Self::Operator => problem.saying("this needs an operator key"),
            Self::Scope(scope) => problem.saying(format!("this needs the scope `{}`", scope.as_str())),
            Self::Either(one, other) => problem.saying(format!("this needs the scope `{}` or `{}`", one.as_str(), other.as_str())),
        }
    }

    /// As the document tells it: any one of these is enough.
    fn requirements(self) -> Vec<SecurityRequirement> {
        let scopes = match self {
            Self::Operator => Vec::new(),
            Self::Scope(scope) => vec![scope],
            Self::Either(one, other) => vec![one, other],
        };
        let operator = SecurityRequirement::new::<_, [&str; 0], &str>("OperatorKey", []);
        let of_account = scopes.into_iter().map(|scope| SecurityRequirement::new("BearerAuth", [scope.as_str()]));
        of_account.chain([operator]).collect()
    }
}

/// A route with who may use it.
pub(in crate::http) struct Route {
    permission: Permission,
    parts: UtoipaMethodRouter<App>,
}

impl Route {
    pub(super) const fn new(permission: Permission, parts: UtoipaMethodRouter<App>) -> Self {
        Self { permission, parts }
    }

    /// The route with its guard in front, and its permission in its documentation.
    pub(in crate::http) fn guarded(self, app: &App) -> UtoipaMethodRouter<App> {
        let permission = self.permission;
        let app = app.clone();
        let guard = from_fn(move |request: Request, next: Next| guard(app.clone(), permission, request, next));
        self.documented().layer(guard)
    }

    /// The route as the OpenAPI document shows it.
    pub(in crate::http) fn documented(self) -> UtoipaMethodRouter<App> {
        let (schemas, mut paths, methods) = self.parts;
        for (path, item) in &mut paths.paths {
            operations(item).for_each(|operation| document(operation, path, self.permission));
        }
        (schemas, paths, methods)
    }
}

async fn guard(app: App, permission: Permission, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let identity = authenticate(&app, &parts).await?;
    let named = named_account(&mut parts).await?;
    let account = match named {
        Some(account) => Some(resolve(&app, identity, &account).await?),
        None => None,
    };
    if !permission.admits(identity) {
        tracing::info!(actor = %identity.actor(), ?permission, "a caller was denied what the key does not allow");
        return Err(permission.refusal());
    }
    parts.extensions.insert(identity);
    if let Some(account) = account {
        parts.extensions.insert(OnAccount { account, identity });
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The account that a path names. To an account's key every other account looks like one that does not exist.
async fn resolve(app: &App, identity: Identity, named: &str) -> Result<AccountId, Problem> {
    let id = named.parse::<AccountId>().ok();
    match identity {
        Identity::Account { account, .. } if id == Some(account) || named == "me" => Ok(account),
        Identity::Account { .. } => Err(Problem::not_found()),
        Identity::Operator { .. } => {
            let id = id.ok_or(Problem::not_found())?;
            let found = app.gateway.store().account(id).account().await?;
            found.map(|account| account.id).ok_or(Problem::not_found())
        }
    }
}

/// The `account_id` of the path, where it has one.
async fn named_account(parts: &mut Parts) -> Result<Option<String>, Problem> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(parameters) => Ok(parameters.iter().find(|(name, _)| *name == "account_id").map(|(_, value)| value.to_owned())),
        Err(RawPathParamsRejection::MissingPathParams(_)) => Ok(None),
        Err(_) => Err(Problem::not_found()),
    }
}

/// A caller who may use the route, and the account that its path names.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnAccount {
    /// The account.
    pub(super) account: AccountId,
    /// Who calls.
    pub(super) identity: Identity,
}

impl OnAccount {
    /// The account's rows.
    pub(super) fn store(&self, app: &App) -> Arc<dyn AccountStore> {
        app.gateway.store().account(self.account)
    }

    /// What the account can do with the gateway.
    pub(super) fn gateway(&self, app: &App) -> AccountGateway {
        app.gateway.account(self.account)
    }

    /// How a record names the caller.
    pub(super) fn actor(&self) -> Actor {
        self.identity.actor()
    }

    /// Whether the caller runs the gateway.
    pub(super) const fn is_operator(&self) -> bool {
        self.identity.is_operator()
    }

    /// Whether the caller may know of an endpoint: of those for the operator no account may, and a phone system is shown as its integration.
    pub(super) const fn may_see(&self, endpoint: &Endpoint) -> bool {
        endpoint.is_listed() || (self.is_operator() && endpoint.integration.is_none())
    }

    /// Whether the caller may know what went to an endpoint.
    pub(super) const fn may_see_history(&self, endpoint: &Endpoint) -> bool {
        self.is_operator() || !endpoint.for_operator
    }

    /// Whether a record was made by a key of this account, so that the account may see all of it and undo it.
    pub(super) async fn is_own(&self, app: &App, by: Actor) -> Result<bool, Problem> {
        match by {
            Actor::Key(key) => Ok(self.store(app).keys().await?.iter().any(|own| own.id == key)),
            Actor::App | Actor::Gateway | Actor::Recipient => Ok(false),
        }
    }

    /// Refuses an account's key what would undo the doing of an operator.
    pub(super) async fn refuse_undoing(&self, app: &App, by: Option<Actor>, why: &'static str) -> Result<(), Problem> {
        let Some(by) = by.filter(|_| !self.is_operator()) else { return Ok(()) };
        if self.is_own(app, by).await? { Ok(()) } else { Err(Problem::of(Code::InsufficientScope).saying(why)) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OnAccount {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or(Problem::of(Code::InternalError))
    }
}

/// A caller who may use the route.
pub(super) struct Caller(pub(super) Identity);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().map(Self).ok_or(Problem::of(Code::InternalError))
    }
}

/// The id at the end of a path's list of names; one that cannot be an id names nothing.
pub(super) struct Item<T>(pub(super) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Item<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let last = parameters.iter().last().and_then(|(_, value)| value.parse().ok());
        last.map(Self).ok_or(Problem::not_found())
    }
}

/// The two ids at the end of a path's list of names, of which the second is of the first.
pub(super) struct Items<A, B>(pub(super) A, pub(super) B);

impl<A: FromStr, B: FromStr, S: Send + Sync> FromRequestParts<S> for Items<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let named: Vec<&str> = parameters.iter().map(|(_, value)| value).collect();
        let [.., first, second] = named.as_slice() else { return Err(Problem::not_found()) };
        let read = first.parse().ok().zip(second.parse().ok());
        read.map(|(first, second)| Self(first, second)).ok_or(Problem::not_found())
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete].into_iter().flatten()
}

fn document(operation: &mut Operation, path: &str, permission: Permission) {
    operation.security = Some(permission.requirements());
    let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(parameter_of_path);
    operation.parameters.get_or_insert_default().extend(in_path.map(RefOr::T));
    for (status, name) in problems_of(operation, path) {
        let problem: RefOr<ResponseSchema> = Ref::from_response_name(name).into();
        operation.responses.responses.entry(status.to_owned()).or_insert(problem);
    }
}

fn parameter_of_path(name: &str) -> Parameter {
    let (description, example) = match name {
        "account_id" => ("The account's id; `me` stands for the account of the key.", "me"),
        "delivery_id" => ("The delivery's id.", "dlv_01kanqh5s0e8t9v2xw3yz4abcd"),
        "endpoint_id" => ("The endpoint's id.", "ep_01kanqh5s0e8t9v2xw3yz4abcd"),
        "event_id" => ("The event's id.", "evt_01kanqh5s0e8t9v2xw3yz4abcd"),
        "contact_id" => ("The contact's id.", "con_01kanqh5s0e8t9v2xw3yz4abcd"),
        "inbound_id" => ("The id of what came in.", "inb_01kanqh5s0e8t9v2xw3yz4abcd"),
        "instance_id" => ("The instance's id.", "inst_01kanqh5s0e8t9v2xw3yz4abcd"),
        "integration_id" => ("The integration's id: a number.", "4503599627370497"),
        "key_id" => ("The id of the key: the twelve characters after its prefix.", "0aZ3kQ9fLm2X"),
        "message_id" => ("The message's id.", "msg_01kanqh5s0e8t9v2xw3yz4abcd"),
        "notification_id" => ("The notification's id.", "ntf_01kanqh5s0e8t9v2xw3yz4abcd"),
        "recovery_id" => ("The recovery's id.", "rcv_01kanqh5s0e8t9v2xw3yz4abcd"),
        "secret" => ("Which of the integration's secrets: `webhook`, `trunk` or `crm`.", "webhook"),
        _ => ("The suppression's id.", "sup_01kanqh5s0e8t9v2xw3yz4abcd"),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).examples([example])))
        .build()
}

/// The problems that follow from what a route takes.
fn problems_of(operation: &Operation, path: &str) -> BTreeSet<(&'static str, &'static str)> {
    let mut problems = BTreeSet::from(super::PROBLEMS_OF_ALL);
    if path.contains('{') {
        problems.insert(("404", "NotFound"));
    }
    if operation.request_body.is_some() {
        problems.extend(super::PROBLEMS_OF_BODIES);
    }
    let is_of_query =
        |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query);
    if operation.parameters.iter().flatten().any(is_of_query) {
        problems.insert(("422", "ValidationError"));
    }
    problems
}
