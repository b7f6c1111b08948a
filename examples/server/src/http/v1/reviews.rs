//! Reviews: a person's answers to held messages.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{
    AccountStore, Content, ContentKind, Decision, Message, MessageId, MessageStatus, Page, PolicyEvent, PolicyEventFilter, Review,
    ReviewAnswer, ReviewFilter, Scope, StoreError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decisions::DecisionShape;
use super::guard::{Item, OnAccount};
use super::messages::{MessageStatusShape, TextShape, text, texts};
use super::pauses::Remark;
use crate::http::code::Code;
use crate::http::json::{Json, OptionalJson, Params};
use crate::http::paging::{List, PageSize, Paging, at};
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;
use crate::http::words::{PurposeWord, ReviewStateWord, RuleWord, StatusWord, Time};

/// A held message's way to a person and back.
#[derive(Serialize, ToSchema)]
#[schema(as = Review)]
pub(super) struct ReviewShape {
    /// The message.
    #[schema(value_type = String, example = "msg_01kanqh5s0e8t9v2xw3yz4abcd")]
    message_id: MessageId,
    /// Whether it waits for a person.
    state: ReviewStateWord,
    /// The rule that wants a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_by: Option<RuleWord>,
    /// The place of the policy event that tells what was decided when the message was accepted or held, see `/policy-events`.
    policy_event_seq: u64,
    /// Since when it waits.
    opened_at: Time,
    /// When waiting becomes a refusal.
    expires_at: Time,
    /// The first of two releases, where the account wants two people.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<ApprovalShape>,
    /// How it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<ClosingShape>,
}

/// A review with what it is about.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeReview)]
pub(super) struct WholeReview {
    /// The review.
    #[serde(flatten)]
    review: ReviewShape,
    /// The message.
    message: ReviewedMessage,
    /// What was decided when the message was accepted or held; absent once the retention of policy events is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionShape>,
}

/// What a reviewer sees of a message.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewedMessage)]
struct ReviewedMessage {
    /// Why it is to be sent, in the sender's words.
    purpose: PurposeWord,
    /// What it is: `text`, `template`, `media`, `interactive`, `location` or `reaction`; absent once nothing of it is retained.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "text")]
    content_kind: Option<ContentKind>,
    /// To whom, masked.
    #[schema(example = "+999•••••••67")]
    recipient: String,
    /// What it says, for who may read messages; absent once its retention is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Your table is ready.")]
    text: Option<String>,
    /// What it says, part by part, where it is more than a text: a caption, the name of a file, where a link leads. For who may read
    /// messages too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<TextShape>,
}

/// The first of two releases.
#[derive(Serialize, ToSchema)]
#[schema(as = Approval)]
struct ApprovalShape {
    /// When.
    at: Time,
    /// By whom: `app`, or `key:` and the id of a key.
    by: String,
    /// A remark, for who runs the gateway; not shown to accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// A message that was released.
#[derive(Serialize, ToSchema)]
#[schema(as = Release)]
pub(super) struct ReleaseShape {
    /// The message and its status.
    #[serde(flatten)]
    message: MessageStatusShape,
    /// Whether it stays held until another person has released it too.
    awaits_second_release: bool,
}

/// How a review was closed.
#[derive(Serialize, ToSchema)]
#[schema(as = Closing)]
struct ClosingShape {
    /// When.
    at: Time,
    /// By whom: `app`, `gateway`, or `key:` and the id of a key.
    by: String,
    /// `released`, `refused`, `expired` where nobody answered in time, or `arrived` where it turned out to have gone out before it was held.
    #[schema(value_type = String, example = "released")]
    verdict: &'static str,
    /// A remark, for who runs the gateway; not shown to accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Which reviews, and which part of their list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReviewQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<ReviewStateWord>,
    /// Only those that this rule opened.
    #[param(inline)]
    rule: Option<RuleWord>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// List reviews
#[utoipa::path(get, path = "/v1/accounts/{account_id}/reviews", tag = "Reviews", params(ReviewQuery),
    responses((status = 200, description = "Reviews, newest first.", body = List<ReviewShape>)))]
pub(super) async fn list_reviews(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<ReviewQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let filter = ReviewFilter { state: query.state.map(|word| word.0), rule: query.rule.map(|word| word.0) };
    let reviews = on.store(&app).reviews(filter, paging.page()).await?;
    Ok(paging.list(reviews, |review| review.message, |review| ReviewShape::of(review, on)).linked(&uri))
}

/// Read a review
///
/// With what was decided, and what it was decided about.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/reviews/{message_id}", tag = "Reviews",
    responses((status = 200, description = "The review.", body = WholeReview)))]
pub(super) async fn get_review(State(app): State<App>, on: OnAccount, Item(id): Item<MessageId>) -> Result<Json<WholeReview>, Problem> {
    let store = on.store(&app);
    let page = at(id, MessageId::to_bytes, MessageId::from_bytes);
    let found = store.reviews(ReviewFilter::default(), page).await?;
    let review = found.into_iter().find(|review| review.message == id).ok_or(Problem::not_found())?;
    let message = store.message(id).await?.ok_or(Problem::not_found())?;
    let event = decided(&*store, &review).await?;
    Ok(Json(WholeReview {
        message: ReviewedMessage::of(message, event.as_ref(), on),
        decision: event.map(|event| DecisionShape::of(&event.decision, on.is_operator())),
        review: ReviewShape::of(review, on),
    }))
}

/// The policy event that a review names, while it is retained.
async fn decided(store: &dyn AccountStore, review: &Review) -> Result<Option<PolicyEvent>, StoreError> {
    let page = Page { after: Some(review.policy_event.saturating_add(1)), limit: 1 };
    let found = store.policy_events(PolicyEventFilter::default(), page).await?;
    Ok(found.into_iter().find(|event| event.seq == review.policy_event))
}

/// Release a held message
///
/// It is decided again with present facts; what asked for a person no longer counts. That the recipient may have opted out since the review
/// was opened does count: then the release is forbidden, and the review is opened anew and shows it. Where the account wants two people, the first release
/// is only written down, and the message is decided again when another key releases it too.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/reviews/{message_id}/release", tag = "Reviews",
    request_body(content = Option<Remark>), responses(
    (status = 200, description = "The message's status then: `held` where it awaits a second release.", body = ReleaseShape),
    (status = 409, description = "`release_forbidden`: the message must not go out now, released or not. `review_closed`: a person answered before. `second_person_needed`: the same key has released it before, and another one must.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn release_message(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<MessageId>,
    OptionalJson(remark): OptionalJson<Remark>,
) -> Result<Json<ReleaseShape>, Problem> {
    let answer = on.gateway(&app).release(id, on.actor(), remark.note()?).await?;
    let awaits_second_release = answer == ReviewAnswer::AwaitsSecond;
    Ok(Json(ReleaseShape { message: answered(id, on, answer)?, awaits_second_release }))
}

/// Refuse a held message
///
/// It will not go out.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/reviews/{message_id}/refuse", tag = "Reviews",
    request_body(content = Option<Remark>), responses(
    (status = 200, description = "The message's status then.", body = MessageStatusShape),
    (status = 409, description = "`review_closed`: a person answered before.", body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn refuse_message(
    State(app): State<App>,
    on: OnAccount,
    Item(id): Item<MessageId>,
    OptionalJson(remark): OptionalJson<Remark>,
) -> Result<Json<MessageStatusShape>, Problem> {
    let answer = on.gateway(&app).refuse(id, on.actor(), remark.note()?).await?;
    Ok(Json(answered(id, on, answer)?))
}

fn answered(id: MessageId, on: OnAccount, answer: ReviewAnswer) -> Result<MessageStatusShape, Problem> {
    let status = match answer {
        ReviewAnswer::NotFound => Err(Problem::not_found()),
        ReviewAnswer::Closed(_) => Err(Problem::of(Code::ReviewClosed)),
        ReviewAnswer::Forbidden(decision) => Err(forbidden(&decision)),
        ReviewAnswer::SecondNeeded => Err(Problem::of(Code::SecondPersonNeeded)),
        ReviewAnswer::AwaitsSecond => Ok(MessageStatus::Held),
        ReviewAnswer::Done(status) => Ok(status),
    }?;
    tracing::info!(account = %on.account, message = %id, %status, by = %on.actor(), "a held message was answered");
    Ok(MessageStatusShape { message_id: id, status: StatusWord(status) })
}

fn forbidden(decision: &Decision) -> Problem {
    let problem = Problem::of(Code::ReleaseForbidden);
    match decision.deciding() {
        Some(reason) => problem.saying(format!("present facts forbid sending: {}", reason.rule.text())),
        None => problem,
    }
}

impl ReviewedMessage {
    fn of(message: Message, event: Option<&PolicyEvent>, on: OnAccount) -> Self {
        let kind = message.content.as_ref().map(Content::kind);
        let may_read = on.identity.may(Scope::MessagesRead);
        Self {
            purpose: PurposeWord(message.purpose),
            content_kind: kind.or(event.map(|event| event.subject.content)),
            recipient: message.recipient.masked(),
            texts: texts(message.content.as_ref().filter(|_| may_read)),
            text: text(message.content).filter(|_| may_read),
        }
    }
}

impl ReviewShape {
    fn of(review: Review, on: OnAccount) -> Self {
        let state = ReviewStateWord(review.state());
        let approved = review.approved.map(|approval| ApprovalShape {
            at: approval.at.into(),
            by: approval.by.to_string(),
            note: approval.note.filter(|_| on.is_operator()),
        });
        let closed = review.closed.map(|closing| ClosingShape {
            at: closing.at.into(),
            by: closing.by.to_string(),
            verdict: closing.verdict.as_str(),
            note: closing.note.filter(|_| on.is_operator()),
        });
        Self {
            message_id: review.message,
            state,
            opened_by: review.opened_by.map(RuleWord),
            policy_event_seq: review.policy_event,
            opened_at: review.opened_at.into(),
            expires_at: review.expires_at.into(),
            approved,
            closed,
        }
    }
}
