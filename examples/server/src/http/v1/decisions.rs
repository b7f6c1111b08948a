//! Decisions, as answers show them, and the dry run of one.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use gatepost::{Decision, Evidence, FactName, Mode, Origin, Part, Reason, Span, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use super::guard::{Caller, OnAccount};
use crate::http::body;
use crate::http::code::Code;
use crate::http::complaint::Complaints;
use crate::http::draft::{Asked, Draft};
use crate::http::identity::Identity;
use crate::http::json::Json;
use crate::http::problem::{Problem, ProblemShape};
use crate::http::state::App;
use crate::http::words::{CauseWord, ConnectionWord, EffectWord, GroupWord, RuleWord, Time};

/// What was decided about a message, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct DecisionShape {
    /// `allow`, `hold` (a person must release it), `throttle` (not now) or `block`.
    #[schema(value_type = String, example = "allow")]
    verdict: &'static str,
    /// When it may be tried again, where the verdict is `throttle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<Time>,
    /// How risky the message looks, from 0 to 100.
    #[schema(maximum = 100)]
    risk_score: u8,
    /// What kind of unwanted message it looks like: `ok`, `marketing`, `political`, `cold_outreach`, `phishing`, `scam`, `impersonation`,
    /// `harmful_link` or `obfuscation`.
    #[schema(value_type = String, example = "ok")]
    category: &'static str,
    /// Everything that was found.
    reasons: Vec<ReasonShape>,
}

/// One thing that speaks against a message.
#[derive(Serialize, ToSchema)]
#[schema(as = Reason)]
struct ReasonShape {
    /// Which rule found it.
    rule: RuleWord,
    /// What was found, for people.
    #[schema(value_type = String, example = "the limit of the day is reached")]
    text: &'static str,
    /// What it asks for.
    effect: EffectWord,
    /// Whether it decided.
    decides: bool,
    /// What it was found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceShape>,
    /// What it is about: the points of one group are added up as far as a cap.
    group: GroupWord,
    /// What it adds to the risk of its group, or the least risk it stands for; shown to who runs the gateway only.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<u8>,
    /// What would change it, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "remove the link, or lead to a domain of the sender")]
    remedy: Option<&'static str>,
}

/// What a reason was found by.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Evidence)]
struct EvidenceShape {
    /// The cause of a suppression.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseWord>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// Of how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    /// The state of the instance's connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionWord>,
    /// The fact that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "usage")]
    fact: Option<FactName>,
    /// How much the plan allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// How much of it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
    /// The part of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<SpanShape>,
    /// How often it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u8>,
    /// The kind of unwanted message to which the wording is nearest: `marketing`, `political`, `cold_outreach` or `fraud`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "fraud")]
    family: Option<&'static str>,
    /// How sure the model is, in hundredths of a logit; shown to who runs the gateway only.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<i16>,
    /// What the risk adds up to.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    /// From how much on the policy asks for it; shown to who runs the gateway only.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u8>,
    /// The purpose that was declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "marketing")]
    purpose: Option<&'static str>,
    /// The time from which on it would pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
}

/// A part of the text, in characters (Unicode scalar values).
#[derive(Serialize, ToSchema)]
#[schema(as = Span)]
struct SpanShape {
    /// In which of the message's texts: `body`, `header`, `footer`, `button`, `link`, `name` or `parameter`.
    #[schema(value_type = String, example = "body")]
    part: Part,
    /// How many characters stand before it.
    start: u16,
    /// How many characters it has.
    length: u16,
}

impl SpanShape {
    const fn of(span: Span) -> Self {
        Self { part: span.part, start: span.start, length: span.length }
    }
}

/// Explain a decision
///
/// A dry run of a send: what would be decided about this message now. Nothing is sent, stored or charged.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/decisions/explain", tag = "Policy", request_body = Draft, responses(
    (status = 200, description = "What would be decided.", body = DecisionShape),
    (status = 404, description = "`not_found`, or `invalid_instance`: the account has no such instance.", body = ProblemShape,
        content_type = "application/problem+json"),
))]
pub(super) async fn explain_decision(State(app): State<App>, on: OnAccount, Raw(body): Raw) -> Result<Json<DecisionShape>, Problem> {
    let draft = Draft::parse(&body).map_err(|place| Problem::of(Code::InvalidJson).saying(place))?;
    let mut complaints = Complaints::default();
    let asked = draft.examine(&mut complaints).ok_or_else(|| Problem::of_complaints(complaints.into_vec()))?;
    let decision = on.gateway(&app).explain(request(asked, on.identity)).await?.ok_or(Problem::of(Code::InvalidInstance))?;
    Ok(Json(DecisionShape::of(&decision, on.is_operator())))
}

/// Explain a decision about a message of one's own
///
/// The same for the account of the key, which needs no `account_id`.
#[utoipa::path(post, path = "/v1/decisions/explain", tag = "Policy", request_body = Draft, responses(
    (status = 200, description = "What would be decided.", body = DecisionShape),
    (status = 404, description = "`not_found`: the key is of no account. `invalid_instance`: the account has no such instance.",
        body = ProblemShape, content_type = "application/problem+json"),
))]
pub(super) async fn explain_own_decision(app: State<App>, Caller(identity): Caller, raw: Raw) -> Result<Json<DecisionShape>, Problem> {
    let Identity::Account { account, .. } = identity else { return Err(Problem::not_found()) };
    explain_decision(app, OnAccount { account, identity }, raw).await
}

fn request(asked: Asked, identity: Identity) -> gatepost::Request {
    let (origin, mode) = match identity {
        Identity::Account { key, mode, .. } => (Origin::Api(key), mode),
        Identity::Operator { .. } => (Origin::App, Mode::Live),
    };
    let Asked { instance, recipient, content, purpose } = asked;
    gatepost::Request { instance, recipient, purpose, content, idempotency_key: None, ordered: false, origin, mode }
}

/// The bytes of a body of JSON.
pub(super) struct Raw(Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self(body::read_json(&parts.headers, body).await?))
    }
}

impl DecisionShape {
    /// What a caller may see of it.
    pub(super) fn of(decision: &Decision, to_operator: bool) -> Self {
        let (verdict, retry_at) = match decision.verdict {
            Verdict::Allow => ("allow", None),
            Verdict::Hold => ("hold", None),
            Verdict::Throttle { retry_at } => ("throttle", Some(retry_at.into())),
            Verdict::Block => ("block", None),
        };
        let reasons = decision.reasons.iter().map(|reason| ReasonShape::of(reason, to_operator)).collect();
        Self { verdict, retry_at, risk_score: decision.risk_score, category: decision.category().as_str(), reasons }
    }
}

impl ReasonShape {
    fn of(reason: &Reason, to_operator: bool) -> Self {
        Self {
            rule: RuleWord(reason.rule),
            text: reason.rule.text(),
            effect: EffectWord(reason.effect),
            decides: reason.decides,
            evidence: EvidenceShape::of(reason.evidence, to_operator),
            group: GroupWord(reason.rule.group()),
            points: to_operator.then_some(reason.points),
            remedy: reason.rule.remedy(),
        }
    }
}

impl EvidenceShape {
    fn of(evidence: Evidence, to_operator: bool) -> Option<Self> {
        let empty = Self::default();
        match evidence {
            Evidence::None => None,
            Evidence::Cause(cause) => Some(Self { cause: Some(CauseWord(cause)), ..empty }),
            Evidence::Count(count) => Some(Self { count: Some(count), ..empty }),
            Evidence::Share { count, of } => Some(Self { count: Some(count), of: Some(of), ..empty }),
            Evidence::Connection(connection) => Some(Self { connection: Some(ConnectionWord(connection)), ..empty }),
            Evidence::Fact(fact) => Some(Self { fact: Some(fact), ..empty }),
            Evidence::Found { at, times } => Some(Self { at: Some(SpanShape::of(at)), times: Some(times), ..empty }),
            Evidence::Heard { family, margin, at } => {
                Some(Self { at: Some(SpanShape::of(at)), family: Some(family.as_str()), margin: to_operator.then_some(margin), ..empty })
            }
            Evidence::Score { score, from } => Some(Self { score: Some(score), from: to_operator.then_some(from), ..empty }),
            Evidence::Limit { limit, used, until } => {
                Some(Self { limit: Some(limit), used: Some(used), until: Some(until.into()), ..empty })
            }
            Evidence::Purpose(purpose) => Some(Self { purpose: Some(purpose.as_str()), ..empty }),
            Evidence::Until(until) => Some(Self { until: Some(until.into()), ..empty }),
        }
    }
}
