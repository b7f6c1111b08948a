//! Policy events: what was decided about each message, and why.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{Actor, ContactId, DeclaredPurpose, InstanceId, MessageId, Origin, PolicyEvent, PolicyEventFilter, Shadow, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decisions::DecisionShape;
use super::guard::OnAccount;
use crate::http::json::Params;
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::{ModeWord, RuleWord, Time, VerdictName};

/// The record of a decision.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyEvent)]
pub(super) struct PolicyEventShape {
    /// Its place in the account's log, from 1 on without gaps.
    seq: u64,
    /// When it was decided.
    at: Time,
    /// The message, unless it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "msg_01kanqh5s0e8t9v2xw3yz4abcd")]
    message_id: Option<MessageId>,
    /// From which instance.
    #[schema(value_type = String, example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    instance_id: InstanceId,
    /// To whom.
    #[schema(value_type = String, example = "con_01kanqh5s0e8t9v2xw3yz4abcd")]
    contact_id: ContactId,
    /// The contact's addresses, masked.
    #[schema(example = json!(["+999•••••••67"]))]
    recipient: Vec<String>,
    /// Why it was to be sent, in the sender's words.
    #[schema(value_type = String, example = "support")]
    purpose: DeclaredPurpose,
    /// Whether it was real.
    mode: ModeWord,
    /// Who asked for it: `app`, `key:` and the id of a key, `threecx:` and the id of the integration of a phone system, or `gateway` where it
    /// confirms an opt-out.
    #[schema(example = "key:0aZ3kQ9fLm2X")]
    asked_by: String,
    /// Whether a person had released it, so that it was decided again.
    released: bool,
    /// Who released it: `app`, or `key:` and the id of a key. Absent in records from before it was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    released_by: Option<String>,
    /// Who released it first, where it took two people.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// The version of the policy that decided.
    policy_version: u32,
    /// What was decided.
    decision: DecisionShape,
    /// What a candidate policy would have decided, where one was tried; shown to who runs the gateway only.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<CandidateShape>,
}

/// What a candidate policy would have decided.
#[derive(Serialize, ToSchema)]
struct CandidateShape {
    /// The version of the candidate.
    policy_version: u32,
    /// What would have happened.
    verdict: VerdictName,
    /// The risk score by its points.
    risk_score: u8,
    /// The rule that would have decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleWord>,
}

impl CandidateShape {
    fn of(shadow: Shadow) -> Self {
        let Shadow { version, verdict, risk_score, rule } = shadow;
        Self { policy_version: version, verdict: VerdictName(verdict.word()), risk_score, rule: rule.map(RuleWord) }
    }
}

/// Which policy events, and which part of their list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PolicyEventQuery {
    /// Only those of sends that became no message.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    refused: bool,
    /// Only those about the message with this id.
    message_id: Option<String>,
    /// Only those that ended so.
    #[param(inline)]
    verdict: Option<VerdictName>,
    /// Only those with a reason that this rule found, whether or not it decided.
    #[param(inline)]
    rule: Option<RuleWord>,
    /// Only those decided at this time or later.
    since: Option<Time>,
    /// Only those decided before this time.
    until: Option<Time>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// List policy events
#[utoipa::path(get, path = "/v1/accounts/{account_id}/policy-events", tag = "Policy", params(PolicyEventQuery),
    responses((status = 200, description = "Policy events, newest first.", body = List<PolicyEventShape>)))]
pub(super) async fn list_policy_events(
    State(app): State<App>,
    on: OnAccount,
    uri: Uri,
    Params(query): Params<PolicyEventQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let message = query.message_id.as_deref().map(str::parse).transpose();
    let message = message.map_err(|error: gatepost::InvalidId| Problem::of_field("message_id", error.to_string()))?;
    let PolicyEventQuery { refused, verdict, rule, since, until, .. } = query;
    let filter = PolicyEventFilter {
        message,
        refused,
        verdict: verdict.map(|word| word.0),
        rule: rule.map(|word| word.0),
        since: since.map(|time| time.0),
        until: until.map(|time| time.0),
    };
    let events = on.store(&app).policy_events(filter, paging.page()).await?;
    let mut recipients = recipients(&app, on, &events).await?.into_iter();
    let show = |event: PolicyEvent| PolicyEventShape::of(&event, recipients.next().unwrap_or_default(), on);
    Ok(paging.list(events, |event| event.seq, show).linked(&uri))
}

/// Whom each of the events was about, as a log may show it.
async fn recipients(app: &App, on: OnAccount, events: &[PolicyEvent]) -> Result<Vec<Vec<String>>, StoreError> {
    let store = on.store(app);
    let mut known: Vec<(ContactId, Vec<String>)> = Vec::new();
    let mut recipients = Vec::with_capacity(events.len());
    for event in events {
        let masked = match known.iter().find(|(contact, _)| *contact == event.contact) {
            Some((_, masked)) => masked.clone(),
            None => store.addresses(event.contact).await?.iter().map(gatepost::Address::masked).collect(),
        };
        known.push((event.contact, masked.clone()));
        recipients.push(masked);
    }
    Ok(recipients)
}

fn asked_by(origin: Origin) -> String {
    match origin {
        Origin::Api(key) => Actor::Key(key).to_string(),
        Origin::App => Actor::App.to_string(),
        Origin::Confirmation => Actor::Gateway.to_string(),
        Origin::ThreeCx(system) => format!("threecx:{}", system.integration),
    }
}

impl PolicyEventShape {
    fn of(event: &PolicyEvent, recipient: Vec<String>, on: OnAccount) -> Self {
        Self {
            seq: event.seq,
            at: event.at.into(),
            message_id: event.message,
            instance_id: event.instance,
            contact_id: event.contact,
            recipient,
            purpose: event.subject.purpose,
            mode: ModeWord(event.subject.mode),
            asked_by: asked_by(event.subject.origin),
            released: event.subject.released,
            released_by: event.subject.reviewed.map(|reviewed| reviewed.by.to_string()),
            approved_by: event.subject.reviewed.and_then(|reviewed| reviewed.approved_by).map(|by| by.to_string()),
            policy_version: event.policy.version,
            decision: DecisionShape::of(&event.decision, on.is_operator()),
            candidate: event.shadow.filter(|_| on.is_operator()).map(CandidateShape::of),
        }
    }
}
