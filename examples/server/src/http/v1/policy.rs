//! Policy: what is in force, what is tried beside it, and what another one would have decided.

use axum::extract::State;
use gatepost::{AccountId, Backtest, Change, Page, PolicyEventFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::{RuleWord, Time, VerdictName};
use crate::policy_text::PolicyText;

/// The policies of the gateway.
#[derive(Serialize, ToSchema)]
#[schema(as = Policies)]
pub(super) struct PoliciesShape {
    /// What decides.
    live: PolicyText,
    /// What runs beside it and is only recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<PolicyText>,
}

/// Read the policy
///
/// What decides, and the candidate that runs beside it.
#[utoipa::path(get, path = "/v1/policy", tag = "Policy", responses((status = 200, description = "The policies.", body = PoliciesShape)))]
pub(super) async fn get_policy(State(app): State<App>) -> Result<Json<PoliciesShape>, Problem> {
    let (live, candidate) = (app.gateway.policy(), app.gateway.candidate());
    Ok(Json(PoliciesShape { live: PolicyText::of(live), candidate: candidate.map(PolicyText::of) }))
}

/// What to decide again, and by which policy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BacktestPolicy)]
pub(super) struct AskBacktest {
    /// The policy to try; the live one where nothing is said, which shows whether each decision comes out the same.
    #[serde(default)]
    candidate: Option<PolicyText>,
    /// Only messages of this account.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "acc_01kanqh5s0e8t9v2xw3yz4abcd")]
    account_id: Option<AccountId>,
    /// Only what was decided at this time or later.
    #[serde(default)]
    since: Option<Time>,
    /// Only what was decided before this time.
    #[serde(default)]
    until: Option<Time>,
}

/// What another policy would have decided.
#[derive(Serialize, ToSchema)]
#[schema(as = Backtest)]
pub(super) struct BacktestShape {
    /// How many policy events were decided again.
    events: u64,
    /// How many would be decided otherwise.
    changed: u64,
    /// How many did not come out the same under the policy of then: none, unless the log was changed or the gateway's rules are others now.
    not_repeated: u64,
    /// The first of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_not_repeated: Option<EventPlace>,
    /// What would change, the most frequent first.
    changes: Vec<ChangeShape>,
}

/// A policy event.
#[derive(Serialize, ToSchema)]
struct EventPlace {
    /// Whose log it stands in.
    #[schema(value_type = String)]
    account_id: AccountId,
    /// Its place there.
    seq: u64,
}

/// One kind of change.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyChange)]
struct ChangeShape {
    /// Whose messages.
    #[schema(value_type = String)]
    account_id: AccountId,
    /// For what they were to be sent.
    #[schema(example = "support")]
    purpose: String,
    /// What was decided.
    from: VerdictName,
    /// What would be.
    to: VerdictName,
    /// The rule that would decide; where nothing would be against the message, the one that did.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleWord>,
    /// How often.
    count: u64,
}

/// Back-test a policy
///
/// Decides stored policy events again, without changing anything. What was found in the texts stands in the events: other points, caps and
/// thresholds are tried, not other words.
#[utoipa::path(post, path = "/v1/policy/backtest", tag = "Policy", request_body = AskBacktest,
    responses((status = 200, description = "What would change.", body = BacktestShape)))]
pub(super) async fn backtest_policy(State(app): State<App>, Json(asked): Json<AskBacktest>) -> Result<Json<BacktestShape>, Problem> {
    let candidate = match asked.candidate {
        Some(text) => text.parse().map_err(|error| Problem::of_field(format!("candidate.{}", error.field), error.expected))?,
        None => app.gateway.policy().clone(),
    };
    let filter =
        PolicyEventFilter { since: asked.since.map(|time| time.0), until: asked.until.map(|time| time.0), ..PolicyEventFilter::default() };
    let mut backtest = Backtest::new(&candidate);
    match asked.account_id {
        Some(account) => add_events(&app, account, filter, &mut backtest).await?,
        None => {
            for account in accounts(&app).await? {
                add_events(&app, account, filter, &mut backtest).await?;
            }
        }
    }
    Ok(Json(BacktestShape::of(backtest)))
}

/// How many rows are read at once.
const ROWS_AT_ONCE: usize = 1_000;

async fn accounts(app: &App) -> Result<Vec<AccountId>, Problem> {
    let mut ids = Vec::new();
    let mut page = Page::first(ROWS_AT_ONCE);
    loop {
        let accounts = app.gateway.store().operator().accounts(page).await?;
        ids.extend(accounts.iter().map(|account| account.id));
        if accounts.len() < ROWS_AT_ONCE {
            return Ok(ids);
        }
        page.after = ids.last().copied();
    }
}

async fn add_events(app: &App, account: AccountId, filter: PolicyEventFilter, backtest: &mut Backtest<'_>) -> Result<(), Problem> {
    let store = app.gateway.store().account(account);
    let mut page = Page::first(ROWS_AT_ONCE);
    loop {
        let events = store.policy_events(filter, page).await?;
        events.iter().for_each(|event| backtest.add(account, event));
        if events.len() < ROWS_AT_ONCE {
            return Ok(());
        }
        page.after = events.last().map(|event| event.seq);
    }
}

impl BacktestShape {
    fn of(backtest: Backtest<'_>) -> Self {
        let report = backtest.report();
        Self {
            events: report.events,
            changed: report.changed,
            not_repeated: report.not_repeated,
            first_not_repeated: report.first_not_repeated.map(|(account_id, seq)| EventPlace { account_id, seq }),
            changes: report.changes.into_iter().map(|(change, count)| ChangeShape::of(change, count)).collect(),
        }
    }
}

impl ChangeShape {
    fn of(change: Change, count: u64) -> Self {
        let Change { account, purpose, from, to, rule } = change;
        Self { account_id: account, purpose, from: VerdictName(from), to: VerdictName(to), rule: rule.map(RuleWord), count }
    }
}
