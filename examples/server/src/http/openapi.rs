//! OpenAPI: the document that describes all of this, made from the routes themselves.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Schema, Tag};
use utoipa::{ToSchema, openapi::Info};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::code::Code;
use super::complaint::Complaint;
use super::contract_error::{Details, ErrorShape};
use super::problem::{MEDIA_TYPE, ProblemShape};
use super::send::{self, SuccessShape};
use super::state::App;
use super::words::StatusWord;
use super::{event_schemas, health, problems, provider_routes, threecx, v1};

/// The errors of the send route.
const CONTRACT_CODES: [Code; 28] = [
    Code::AccountPaused,
    Code::AccountSuspended,
    Code::ApiKeyInUrl,
    Code::ConversationWindowClosed,
    Code::DailyLimitExceeded,
    Code::GatewaySendFailed,
    Code::IdempotencyKeyReused,
    Code::InstanceNotConnected,
    Code::InstancePaused,
    Code::InsufficientScope,
    Code::InternalError,
    Code::InvalidApiKey,
    Code::InvalidInstance,
    Code::InvalidJson,
    Code::MessagePurposeNotAllowed,
    Code::MessagePurposeRequired,
    Code::MethodNotAllowed,
    Code::MonthlyLimitExceeded,
    Code::PayloadTooLarge,
    Code::PolicyViolation,
    Code::RateLimited,
    Code::RecipientSuppressed,
    Code::RequestTimeout,
    Code::RevokedApiKey,
    Code::SendingThrottled,
    Code::Unavailable,
    Code::UnsupportedMediaType,
    Code::ValidationError,
];

/// The problems that routes of `/v1` answer with, by their names among the components.
const PROBLEMS: [(&str, &[Code]); 10] = [
    ("BadRequest", &[Code::InvalidJson, Code::ApiKeyInUrl]),
    ("Forbidden", &[Code::InsufficientScope]),
    ("InternalError", &[Code::InternalError]),
    ("NotFound", &[Code::NotFound]),
    ("PayloadTooLarge", &[Code::PayloadTooLarge]),
    ("RateLimited", &[Code::RateLimited]),
    ("Unauthorized", &[Code::InvalidApiKey]),
    ("Unavailable", &[Code::Unavailable]),
    ("UnsupportedMediaType", &[Code::UnsupportedMediaType]),
    ("ValidationError", &[Code::ValidationError]),
];

/// The routes that need no key.
pub(super) fn open_routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(frame())
        .routes(routes!(provider_routes::meet, provider_routes::hear_whatsapp))
        .routes(routes!(provider_routes::hear_evolution))
        .routes(routes!(threecx::webhook::hear_threecx))
        .routes(routes!(threecx::trunk::send_sms))
        .routes(routes!(threecx::crm::find_contact))
        .routes(routes!(threecx::crm::take_call_report))
        .routes(routes!(threecx::crm::take_chat_report))
        .routes(routes!(threecx::files::fetch_file))
        .routes(routes!(problems::list))
        .routes(routes!(problems::get))
        .routes(routes!(health::root))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::healthz))
}

/// The whole document.
pub(super) fn document() -> OpenApi {
    let router = open_routes().routes(routes!(send::send));
    let mut document = v1::routes().into_iter().fold(router, |router, route| router.routes(route.documented())).into_openapi();
    document.webhooks = Some(event_schemas::webhooks());
    if let Some(operation) = document.paths.paths.get_mut(send::PATH).and_then(|item| item.post.as_mut()) {
        document_send(operation);
    }
    document
}

fn frame() -> OpenApi {
    let (account, operator) =
        (bearer("The API key of an account: `wg_live_…`, or `wg_test_…` for the sandbox."), bearer("An operator key: `wg_op_…`."));
    let mut components = ComponentsBuilder::new().security_scheme("BearerAuth", account).security_scheme("OperatorKey", operator);
    for (name, schema) in schemas().into_iter().chain(event_schemas::schemas()) {
        components = components.schema(name, schema);
    }
    for header in event_schemas::headers() {
        components = components.parameter(header.name.clone(), header);
    }
    for (name, codes) in PROBLEMS {
        components = components.response(name, problem(codes));
    }
    OpenApiBuilder::new().info(info()).tags(Some(tags())).components(Some(components.build())).build()
}

fn info() -> Info {
    InfoBuilder::new()
        .title("Gatepost API")
        .version("1")
        .description(Some(
            "Decides which WhatsApp messages may go out, and delivers what may. `/api` is the public contract; `/v1` runs the gateway and its \
             accounts; `webhooks` is what it sends to their endpoints. Every answer carries an `X-Request-Id`. What is named by a phone number is never part of a URL.",
        ))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build()
}

fn tags() -> [Tag; 17] {
    [
        ("Messages", "Text messages, sent and looked up."),
        ("Accounts", "The customers of the gateway; for who runs it."),
        ("Instances", "Connected WhatsApp numbers."),
        ("Integrations", "3CX phone systems of an account."),
        ("API keys", "Who may call for an account."),
        ("Operator keys", "Who may run the gateway."),
        ("Suppressions", "Contacts that an account must not write to."),
        ("Inbound", "What providers told, and what they posted."),
        ("Reviews", "Messages that a person must release."),
        ("Policy", "What was decided, and what would be."),
        ("Usage", "What was used of the plan."),
        ("Endpoints", "URLs of an account that receive events."),
        ("Deliveries", "Events on their way to endpoints, and what became of them."),
        ("Events", "What endpoints receive; see `webhooks`."),
        ("Providers", "Where the providers of WhatsApp tell what happens."),
        ("Problems", "What errors mean."),
        ("Health", "Whether the gateway is there."),
    ]
    .map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build())
}

fn bearer(description: &str) -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build())
}

/// The schemas that no handler names.
fn schemas() -> BTreeMap<String, RefOr<Schema>> {
    fn named<T: ToSchema>() -> (String, RefOr<Schema>) {
        (T::name().into_owned(), T::schema())
    }
    BTreeMap::from([
        named::<Complaint>(),
        named::<Details>(),
        named::<ErrorShape<'_>>(),
        named::<ProblemShape<'_>>(),
        named::<StatusWord>(),
        named::<SuccessShape<'_>>(),
    ])
}

/// An answer of these codes, one a line.
fn problem(codes: &[Code]) -> Response {
    let schema = Ref::from_schema_name(ProblemShape::name());
    ResponseBuilder::new().description(lines(codes)).content(MEDIA_TYPE, ContentBuilder::new().schema(Some(schema)).build()).build()
}

fn lines(codes: &[Code]) -> String {
    let lines: Vec<String> = codes.iter().map(|code| format!("`{}`: {}.", code.name(), code.text())).collect();
    lines.join("\n\n")
}

fn document_send(operation: &mut Operation) {
    let answers = [("200", "The provider accepted it."), ("202", "It is `queued`, `held` or `unknown`.")];
    for (status, description) in answers {
        operation.responses.responses.insert(status.to_owned(), success(description).into());
    }
    let mut by_status: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    for code in CONTRACT_CODES {
        by_status.entry(code.status().as_u16().to_string()).or_default().push(code);
    }
    for (status, codes) in by_status {
        operation.responses.responses.insert(status, contract_error(&codes).into());
    }
}

fn success(description: &str) -> Response {
    let schema = Ref::from_schema_name(SuccessShape::name());
    let builder =
        ResponseBuilder::new().description(description).content("application/json", ContentBuilder::new().schema(Some(schema)).build());
    [
        ("X-Request-Id", "The name of the request."),
        ("RateLimit-Policy", "How much the plan allows in the account's day and month; absent from repeated answers."),
        ("RateLimit", "What is left of it, and for how many seconds it must last; absent from repeated answers."),
        ("Idempotency-Replayed", "`true` where the same request was accepted before, and nothing new was sent."),
    ]
    .into_iter()
    .fold(builder, |builder, (name, description)| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        builder.header(name, HeaderBuilder::new().schema(Some(text)).description(Some(description)).build())
    })
    .build()
}

fn contract_error(codes: &[Code]) -> Response {
    let schema = Ref::from_schema_name(ErrorShape::name());
    ResponseBuilder::new().description(lines(codes)).content("application/json", ContentBuilder::new().schema(Some(schema)).build()).build()
}
