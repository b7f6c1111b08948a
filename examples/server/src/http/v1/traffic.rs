//! Traffic: what an account does as a whole, and how far it is from being paused for it.

use axum::extract::State;
use gatepost::{Breach, Mode, PauseRates, RateName, TRAFFIC_DAYS, Traffic};
use serde::Serialize;
use utoipa::ToSchema;

use super::guard::OnAccount;
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::state::App;

/// What an account did in the last seven days, in UTC, the present one included; since its last resume, where that was later.
#[derive(Serialize, ToSchema)]
#[schema(as = Traffic)]
pub(super) struct TrafficShape {
    /// How many days are counted.
    #[schema(example = 7)]
    window_days: u32,
    /// Real messages.
    live: ModeTraffic,
    /// Messages of test keys, which pause nothing.
    test: ModeTraffic,
    /// What pauses an account; shown to who runs the gateway only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pauses_at: Option<ThresholdsShape>,
    /// What an account is warned of; shown to who runs the gateway only.
    #[serde(skip_serializing_if = "Option::is_none")]
    warns_at: Option<ThresholdsShape>,
}

/// What was done in one mode.
#[derive(Serialize, ToSchema)]
struct ModeTraffic {
    /// Messages that were accepted to go out.
    sent: u64,
    /// To how many people: whoever is written to more than once in an hour counts once in it.
    recipients: u64,
    /// Messages to people who had never written, and to whom nothing had been sent.
    first_contacts: u64,
    /// Those of the present day.
    first_contacts_today: u64,
    /// Messages that the provider would not deliver.
    failed: u64,
    /// People who asked to be left alone, or complained, after they were sent something.
    opted_out: u64,
    /// Messages that were blocked for what they are, or for whom they were to.
    blocked: u64,
    /// Recipients of this hour and the last one.
    recent_recipients: u64,
    /// Recipients of the busiest day before this one.
    busiest_day: u64,
    /// First contacts in a hundred messages that were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_contacts_percent: Option<f64>,
    /// Failures in a hundred messages that were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_percent: Option<f64>,
    /// Opt-outs in a hundred recipients.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1.2)]
    opted_out_percent: Option<f64>,
    /// Blocks in a hundred messages that were to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_percent: Option<f64>,
}

/// Rates that are too much.
#[derive(Serialize, ToSchema)]
#[schema(as = TrafficThresholds)]
struct ThresholdsShape {
    /// Opt-outs in a hundred recipients.
    #[schema(example = 5.0)]
    opted_out_percent: f64,
    /// Blocks in a hundred messages that were to be sent.
    #[schema(example = 15.0)]
    blocked_percent: f64,
    /// Failures in a hundred messages that were sent.
    #[schema(example = 20.0)]
    failed_percent: f64,
    /// Of how many at least a rate is taken.
    #[schema(example = 200)]
    volume: u64,
    /// How many opt-outs are too many where there are fewer recipients than that.
    #[schema(example = 10)]
    opt_outs: u64,
}

/// Read the traffic
///
/// What the account does as a whole: from this its behaviour is judged. An account that reaches a rate is paused by the gateway, and only
/// who runs it can resume it; then the window begins afresh.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/traffic", tag = "Usage",
    responses((status = 200, description = "What was done.", body = TrafficShape)))]
pub(super) async fn get_traffic(State(app): State<App>, on: OnAccount) -> Result<Json<TrafficShape>, Problem> {
    let (store, now) = (on.store(&app), app.now());
    let live = store.traffic(Mode::Live, now).await?.ok_or(Problem::not_found())?;
    let test = store.traffic(Mode::Test, now).await?.ok_or(Problem::not_found())?;
    let thresholds = |rates: PauseRates| on.is_operator().then(|| ThresholdsShape::of(rates));
    Ok(Json(TrafficShape {
        window_days: TRAFFIC_DAYS,
        live: ModeTraffic::of(live),
        test: ModeTraffic::of(test),
        pauses_at: thresholds(PauseRates::DEFAULT),
        warns_at: thresholds(PauseRates::DEFAULT.halved()),
    }))
}

impl ModeTraffic {
    fn of(did: Traffic) -> Self {
        let percent = |count, of| (of > 0).then(|| percent(Breach { rate: RateName::Failures, count, of }.per_thousand()));
        Self {
            sent: did.sent,
            recipients: did.recipients,
            first_contacts: did.first_contacts,
            first_contacts_today: did.first_contacts_today,
            failed: did.failed,
            opted_out: did.opted_out,
            blocked: did.blocked,
            recent_recipients: did.recent_recipients,
            busiest_day: did.busiest_day,
            first_contacts_percent: percent(did.first_contacts, did.sent),
            failed_percent: percent(did.failed, did.sent),
            opted_out_percent: percent(did.opted_out, did.recipients),
            blocked_percent: percent(did.blocked, did.sent + did.blocked),
        }
    }
}

impl ThresholdsShape {
    fn of(rates: PauseRates) -> Self {
        Self {
            opted_out_percent: percent(rates.opted_out),
            blocked_percent: percent(rates.blocked),
            failed_percent: percent(rates.failed),
            volume: rates.volume,
            opt_outs: rates.opt_outs,
        }
    }
}

/// With one place behind the point.
fn percent(per_thousand: u64) -> f64 {
    per_thousand as f64 / 10.0
}
