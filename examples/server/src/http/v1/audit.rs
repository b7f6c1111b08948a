//! Audit: whether the log of policy events is what was sealed, and the heads of its chains to keep elsewhere.

use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use gatepost::{AccountId, AuditReport, Flaw, FlawKind, Head, SealDigest, audit, head};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::OnAccount;
use crate::http::json::{Json, OptionalJson, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::Problem;
use crate::http::state::App;

/// The end of an account's chain of seals. Kept where the database cannot be written from, it shows that the end of the log was cut.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditHead)]
pub(super) struct HeadShape {
    /// Whose log it is.
    #[schema(value_type = String, example = "acc_01kanqh5s0e8t9v2xw3yz4abcd")]
    account_id: AccountId,
    /// The number of the last segment; 0 where nothing was sealed yet, and absent where the last seal is none that the gateway made.
    #[serde(skip_serializing_if = "Option::is_none")]
    segment: Option<u64>,
    /// The place of its last policy event.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// The digest of its seal, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, min_length = 64, max_length = 64)]
    digest: Option<SealDigest>,
}

/// A head that was kept, as it was answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeptHead)]
struct KeptHead {
    /// Whose log it is: the account of the path.
    #[schema(value_type = String)]
    account_id: AccountId,
    /// The number of the last segment then.
    segment: u64,
    /// The place of its last policy event.
    seq: u64,
    /// The digest of its seal.
    #[schema(value_type = String, min_length = 64, max_length = 64)]
    digest: SealDigest,
}

/// What to compare the log with, beside its seals.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyPolicyEvents {
    /// A head that was kept.
    #[serde(default)]
    head: Option<KeptHead>,
}

/// What came out.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditReport)]
pub(super) struct ReportShape {
    /// Whose log it is.
    #[schema(value_type = String, example = "acc_01kanqh5s0e8t9v2xw3yz4abcd")]
    account_id: AccountId,
    /// Whether all is as it was sealed.
    is_sound: bool,
    /// How many segments there are.
    segments: u64,
    /// Of how many of them the events were deleted because their retention was over.
    dropped_segments: u64,
    /// How many policy events were compared with what was sealed.
    sealed_events: u64,
    /// How many of the newest are not sealed yet.
    unsealed_events: u64,
    /// How many segments were sealed more than ten minutes after their newest event. That is no flaw: the gateway may have been down. Or
    /// somebody took seals away, changed the log, and waited for new ones.
    late_segments: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_late_segment: Option<u64>,
    /// The end of the chain.
    head: HeadShape,
    /// What does not fit, in the order of the log: at most the first 100.
    flaws: Vec<FlawShape>,
    /// How many there are.
    flaw_count: u64,
}

/// One thing that does not fit.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditFlaw)]
struct FlawShape {
    /// What: `row_changed`, `row_missing`, `row_moved` or `row_inserted`; `seal_changed`, `seal_missing` or `seal_unchained`; `root_unknown`;
    /// `head_changed` or `head_missing`; `counter_behind`.
    #[schema(value_type = String, example = "row_changed")]
    kind: FlawKind,
    /// In which segment; absent where it is behind the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    segment: Option<u64>,
    /// At which place of the log, of a policy event.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// How many in a row, from there on.
    count: u64,
    /// All of it, for people.
    #[schema(example = "row 5: changed since it was sealed (segment 2)")]
    text: String,
}

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HeadQuery {
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// List audit heads
#[utoipa::path(get, path = "/v1/audit/heads", tag = "Policy", params(HeadQuery),
    responses((status = 200, description = "The head of each account, newest account first.", body = List<HeadShape>)))]
pub(super) async fn list_audit_heads(
    State(app): State<App>,
    uri: Uri,
    Params(query): Params<HeadQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let mut heads = Vec::new();
    for account in app.gateway.store().operator().accounts(paging.page()).await? {
        heads.push((account.id, head(&**app.gateway.store(), &app.keyring, account.id).await?));
    }
    let show = |(account, head)| HeadShape::of(account, head);
    Ok(paging.list(heads, |(account, _)| *account, show).linked(&uri))
}

/// Read the audit head
///
/// An account that keeps it can have the operator show later that nothing before was changed.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/audit/head", tag = "Policy",
    responses((status = 200, description = "The end of the account's chain of seals.", body = HeadShape)))]
pub(super) async fn get_audit_head(State(app): State<App>, on: OnAccount) -> Result<Json<HeadShape>, Problem> {
    let head = head(&**app.gateway.store(), &app.keyring, on.account).await?;
    Ok(Json(HeadShape::of(on.account, head)))
}

/// Verify policy events
///
/// Reads the whole log, and compares it with its seals and with a head that was kept. It changes nothing.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/audit/verify", tag = "Policy", request_body(content = Option<VerifyPolicyEvents>),
    responses((status = 200, description = "What came out, also where something does not fit.", body = ReportShape)))]
pub(super) async fn verify_policy_events(
    State(app): State<App>,
    on: OnAccount,
    OptionalJson(body): OptionalJson<VerifyPolicyEvents>,
) -> Result<Json<ReportShape>, Problem> {
    let kept = body.head.map(KeptHead::head);
    if kept.is_some_and(|kept| kept.account != on.account) {
        return Err(Problem::of_field("head.account_id", "expected the account of the path"));
    }
    let report = audit(&**app.gateway.store(), &app.keyring, on.account, kept.as_ref()).await?;
    if let Some(first) = report.flaws.first() {
        tracing::error!(account = %on.account, flaws = report.flaw_count, %first, "the policy event log is not what was sealed");
    }
    Ok(Json(ReportShape::of(&report)))
}

impl HeadShape {
    fn of(account_id: AccountId, head: Option<Head>) -> Self {
        Self { account_id, segment: head.map(|head| head.segment), seq: head.map(|head| head.seq), digest: head.map(|head| head.digest) }
    }
}

impl KeptHead {
    const fn head(self) -> Head {
        Head { account: self.account_id, segment: self.segment, seq: self.seq, digest: self.digest }
    }
}

impl ReportShape {
    fn of(report: &AuditReport) -> Self {
        Self {
            account_id: report.account,
            is_sound: report.is_sound(),
            segments: report.segments,
            dropped_segments: report.dropped,
            sealed_events: report.sealed,
            unsealed_events: report.unsealed,
            late_segments: report.late,
            first_late_segment: report.first_late,
            head: HeadShape::of(report.account, report.head),
            flaws: report.flaws.iter().map(FlawShape::of).collect(),
            flaw_count: report.flaw_count,
        }
    }
}

impl FlawShape {
    fn of(flaw: &Flaw) -> Self {
        Self { kind: flaw.kind, segment: flaw.segment, seq: flaw.seq, count: flaw.count, text: flaw.to_string() }
    }
}
