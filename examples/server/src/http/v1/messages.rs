//! Messages of an account, and their attempts. What a message says is shown only where one message, or the review of one, is read.

use std::slice;

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{Attempt, Content, InstanceId, Message, MessageFilter, MessageId, Outcome, Part};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::{Item, OnAccount};
use crate::http::code::Code;
use crate::http::json::{Json, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::{Problem, ProblemShape};
use crate::http::standing::Pauses;
use crate::http::state::App;
use crate::http::words::{ErrorWord, HindranceWord, ModeWord, PurposeWord, StatusWord, Time};

/// A message that was accepted, or is held.
#[derive(Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageShape {
    /// Its id.
    #[schema(value_type = String, example = "msg_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: MessageId,
    /// Its place in the account's send log.
    log_id: u64,
    /// From which instance.
    #[schema(value_type = String, example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    instance_id: InstanceId,
    /// To which number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+999501234567")]
    phone: Option<String>,
    /// Why.
    purpose: PurposeWord,
    /// Whether it is real.
    mode: ModeWord,
    /// How far it got.
    status: StatusWord,
    /// What holds it, where it is held: while it is `paused`, its account or its instance is, and it goes on when that is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<HindranceWord>,
    /// Why it is not further, where there is a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorWord>,
    /// The provider's id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// When it was accepted or held.
    created_at: Time,
    /// When its status last changed.
    updated_at: Time,
}

/// A message with what it says.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeMessage)]
pub(super) struct WholeMessage {
    /// The message.
    #[serde(flatten)]
    message: MessageShape,
    /// What it says; absent once its retention is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Your table is ready.")]
    text: Option<String>,
    /// What it says, part by part, where it is more than a text: a caption, the name of a file, where a link leads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<TextShape>,
}

/// One try to hand a message to the provider.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptShape {
    /// Which try it was, from 1 on.
    number: u16,
    /// When it was written down, before the first byte left.
    started_at: Time,
    /// When its outcome was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Time>,
    /// `sent`, `failed` (it is known not to have been sent) or `unknown`; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "sent")]
    outcome: Option<&'static str>,
    /// Why it was not sent, or is not known to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorWord>,
    /// The provider's id for what it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

/// Which messages, and which part of their list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MessageQuery {
    /// Only those with this status. What a pause holds is found among the `queued`.
    #[param(inline)]
    status: Option<StatusWord>,
    /// Only those of the instance with this id.
    instance_id: Option<String>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// How a message in doubt ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "sent"}))]
pub(super) struct ResolveMessage {
    /// Whether the provider has it.
    outcome: ResolvedOutcome,
}

/// How a doubt is resolved.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ResolvedOutcome {
    /// The provider has it.
    Sent,
    /// The provider does not have it; its charge is returned.
    NotSent,
}

/// A message and its status.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageAndStatus)]
pub(super) struct MessageStatusShape {
    /// The message.
    #[schema(value_type = String, example = "msg_01kanqh5s0e8t9v2xw3yz4abcd")]
    pub(super) message_id: MessageId,
    /// Its status now.
    pub(super) status: StatusWord,
}

/// List messages
#[utoipa::path(get, path = "/v1/accounts/{account_id}/messages", tag = "Messages", params(MessageQuery),
    responses((status = 200, description = "Messages without what they say, newest first.", body = List<MessageShape>)))]
pub(super) async fn list_messages(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<MessageQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let instance = query.instance_id.as_deref().map(str::parse).transpose();
    let instance = instance.map_err(|error: gatepost::InvalidId| Problem::of_field("instance_id", error.to_string()))?;
    let filter = MessageFilter { status: query.status.map(|word| word.0), instance };
    let store = on.store(&app);
    let messages = store.messages(filter, paging.page()).await?;
    let pauses = Pauses::over(&*store, &messages).await?;
    Ok(paging.list(messages, |message| message.id, |message| MessageShape::of(message, &pauses)).linked(&uri))
}

/// Read a message
///
/// What it says is shown here, and where its review is read, and nowhere else.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/messages/{message_id}", tag = "Messages",
    responses((status = 200, description = "The message.", body = WholeMessage)))]
pub(super) async fn get_message(State(app): State<App>, on: OnAccount, Item(id): Item<MessageId>) -> Result<Json<WholeMessage>, Problem> {
    let mut message = find(&app, on, id).await?;
    let pauses = Pauses::over(&*on.store(&app), slice::from_ref(&message)).await?;
    let content = message.content.take();
    let texts = texts(content.as_ref());
    Ok(Json(WholeMessage { message: MessageShape::of(message, &pauses), text: text(content), texts }))
}

/// List the attempts of a message
#[utoipa::path(get, path = "/v1/accounts/{account_id}/messages/{message_id}/attempts", tag = "Messages",
    responses((status = 200, description = "All attempts, oldest first.", body = List<AttemptShape>)))]
pub(super) async fn list_attempts(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<MessageId>,
) -> Result<Json<List<AttemptShape>>, Problem> {
    find(&app, on, id).await?;
    let attempts = on.store(&app).attempts(id).await?;
    Ok(Json(List::whole(attempts.into_iter().map(AttemptShape::of).collect())))
}

/// Resolve a message in doubt
///
/// Says how a message ended of which nobody knows whether the provider has it. It is never sent again.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/messages/{message_id}/resolve", tag = "Messages", responses(
    (status = 200, description = "The message's status then.", body = MessageStatusShape),
    (status = 409, description = "`not_in_doubt`: it is known how this message ended, or it has not ended.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn resolve_message(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<MessageId>,
    Json(asked): Json<ResolveMessage>,
) -> Result<Json<MessageStatusShape>, Problem> {
    find(&app, on, id).await?;
    let status = on.store(&app).resolve(id, asked.outcome == ResolvedOutcome::Sent, app.now()).await?;
    let status = status.ok_or(Problem::of(Code::NotInDoubt))?;
    tracing::info!(account = %on.account, message = %id, %status, by = %on.actor(), "a message in doubt was resolved");
    Ok(Json(MessageStatusShape { message_id: id, status: StatusWord(status) }))
}

/// One of the texts of a message that is more than a text.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageText)]
pub(super) struct TextShape {
    /// Where it stands: `body` (also what stands below a picture), `header`, `footer`, `button`, `link`, `name` (of a file or a place) or
    /// `parameter` (what fills a gap of a template).
    #[schema(value_type = String, example = "link")]
    part: Part,
    /// What it says.
    #[schema(example = "https://shop.example/bill.pdf")]
    text: String,
}

/// All that a content says, part by part; nothing of one that is a text only.
pub(super) fn texts(content: Option<&Content>) -> Vec<TextShape> {
    let content = content.filter(|content| !matches!(content, Content::Text { .. }));
    let texts = content.into_iter().flat_map(Content::texts);
    texts.map(|(part, text)| TextShape { part, text: text.to_owned() }).collect()
}

/// What a text says.
pub(super) fn text(content: Option<Content>) -> Option<String> {
    match content {
        Some(Content::Text { text }) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

async fn find(app: &App, on: OnAccount, id: MessageId) -> Result<Message, Problem> {
    on.store(app).message(id).await?.ok_or(Problem::not_found())
}

impl MessageShape {
    fn of(message: Message, pauses: &Pauses) -> Self {
        let standing = pauses.standing(&message);
        Self {
            id: message.id,
            log_id: message.log_id,
            instance_id: message.instance,
            phone: message.recipient.phone().map(|phone| phone.e164()),
            purpose: PurposeWord(message.purpose),
            mode: ModeWord(message.mode),
            status: StatusWord(standing.status),
            reason: standing.held_by.map(HindranceWord),
            error: message.error.map(ErrorWord),
            external_id: message.external_id,
            created_at: message.created_at.into(),
            updated_at: message.updated_at.into(),
        }
    }
}

impl AttemptShape {
    fn of(attempt: Attempt) -> Self {
        let outcome = attempt.outcome.as_ref();
        Self {
            number: attempt.number,
            started_at: attempt.started_at.into(),
            finished_at: attempt.finished_at.map(Time::from),
            outcome: outcome.map(Outcome::as_str),
            error: outcome.and_then(Outcome::class).map(ErrorWord),
            external_id: match attempt.outcome {
                Some(Outcome::Sent { external_id }) => external_id,
                _ => None,
            },
        }
    }
}
