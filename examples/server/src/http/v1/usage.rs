//! Usage: what an account charged in its day and month, and what is left.

use axum::extract::State;
use gatepost::{Limits, Mode, Usage, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::guard::OnAccount;
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::Time;

/// What was used, of real messages and of tests.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
pub(super) struct UsageShape {
    /// Real messages.
    live: ModeUsage,
    /// Messages of test keys.
    test: ModeUsage,
}

/// What was used in the present day and month.
#[derive(Serialize, ToSchema)]
struct ModeUsage {
    /// The account's day.
    day: WindowUsage,
    /// The account's month.
    month: WindowUsage,
}

/// What was used in one window.
#[derive(Serialize, ToSchema)]
struct WindowUsage {
    /// Which one.
    #[schema(example = "2026-11-22")]
    window: String,
    /// How much the plan allows.
    limit: u64,
    /// How much of it was used.
    used: u64,
    /// How much of it is left.
    remaining: u64,
    /// When the next one begins.
    resets_at: Time,
}

/// Read the usage
#[utoipa::path(get, path = "/v1/accounts/{account_id}/usage", tag = "Usage",
    responses((status = 200, description = "What was used, and what is left.", body = UsageShape)))]
pub(super) async fn get_usage(State(app): State<App>, on: OnAccount) -> Result<Json<UsageShape>, Problem> {
    let (store, now) = (on.store(&app), app.now());
    let limits = store.account().await?.ok_or(Problem::not_found())?.plan.limits();
    let live = store.usage(Mode::Live, now).await?.ok_or(Problem::not_found())?;
    let test = store.usage(Mode::Test, now).await?.ok_or(Problem::not_found())?;
    Ok(Json(UsageShape { live: ModeUsage::of(limits, live), test: ModeUsage::of(limits, test) }))
}

impl ModeUsage {
    fn of(limits: Limits, usage: Usage) -> Self {
        Self {
            day: WindowUsage::of(usage.windows.day, limits.per_day, usage.day),
            month: WindowUsage::of(usage.windows.month, limits.per_month, usage.month),
        }
    }
}

impl WindowUsage {
    fn of(window: Window, limit: u64, used: u64) -> Self {
        Self { window: window.id.to_string(), limit, used, remaining: limit.saturating_sub(used), resets_at: window.ends_at.into() }
    }
}
