//! Accounts, as who runs the gateway makes and changes them.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::response::IntoResponse;
use gatepost::{Account, AccountChange, AccountId, Calendar, Limits, Name, Pause, Plan, Rate, Sender, SenderDomain, Zone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::{Caller, OnAccount};
use super::pauses::{PauseShape, Remark};
use crate::http::json::{Json, OptionalJson, Params};
use crate::http::paging::{List, PageSize, Paging};
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::Time;

/// More messages than anybody sends.
const MESSAGES_MAX: u64 = 1_000_000_000_000;

/// A customer of the gateway.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountShape {
    /// Its id.
    #[schema(value_type = String, example = "acc_01kanqh5s0e8t9v2xw3yz4abcd")]
    id: AccountId,
    /// What people call it.
    #[schema(value_type = String)]
    name: Name,
    /// What it pays for.
    plan: PlanWord,
    /// What it may send.
    limits: LimitsShape,
    /// The time zone of its days and months.
    #[schema(example = "Asia/Riyadh")]
    time_zone: String,
    /// The time zone that takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_time_zone: Option<NextTimeZone>,
    /// Set while nothing of it goes out until resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<PauseShape>,
    /// Since when it is closed by who runs the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_at: Option<Time>,
    /// Whether a one-time code may reach a recipient who opted out.
    one_time_codes_pass: bool,
    /// Whether a person must release each of its messages.
    supervised: bool,
    /// Whether two people must release a message that is held.
    two_person_review: bool,
    /// Whether a recipient who opts out gets the one confirmation of it.
    confirms_opt_out: bool,
    /// Whether its 3CX phone systems may be connected.
    threecx_enabled: bool,
    /// The domains that it sends under, which who runs the gateway vouches for: links to them, and to names under them, are trusted.
    #[schema(value_type = Vec<String>, example = json!(["fernhill.example"]))]
    sender_domains: Vec<SenderDomain>,
    /// When it was made.
    created_at: Time,
}

/// A time zone that takes over when the present month ends.
#[derive(Serialize, ToSchema)]
struct NextTimeZone {
    /// Its name.
    #[schema(example = "Asia/Riyadh")]
    name: String,
    /// From when.
    from: Time,
}

/// What an account pays for.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Plan)]
enum PlanWord {
    /// 100 a day, 2,000 a month.
    Starter,
    /// 500 a day, 10,000 a month.
    Growth,
    /// 1,500 a day, 30,000 a month.
    Scale,
    /// What was agreed after a review of the use case.
    Custom,
}

/// What an account may send.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Limits)]
struct LimitsShape {
    /// Messages in a calendar day.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    messages_per_day: u64,
    /// Messages in a calendar month.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    messages_per_month: u64,
    /// How fast the account may send; no bound where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_rate: Option<RateShape>,
    /// How fast each instance may send; no bound where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance_rate: Option<RateShape>,
    /// How fast each recipient may be written to; no bound where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipient_rate: Option<RateShape>,
}

/// So many in so long a time, and so many of them at once.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rate)]
pub(super) struct RateShape {
    /// How many in a period.
    #[schema(minimum = 1, maximum = 1_000_000)]
    count: u32,
    /// The period.
    #[schema(minimum = 1, maximum = 86_400)]
    period_seconds: u32,
    /// How many may come at once.
    #[schema(minimum = 1, maximum = 1_000_000)]
    burst: u32,
}

/// An account to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Riyadh Dental", "plan": "growth", "time_zone": "Asia/Riyadh"}))]
pub(super) struct CreateAccount {
    /// What people call it: 1 to 100 characters.
    #[schema(value_type = String, max_length = 100)]
    name: Name,
    /// What it pays for: `starter` where nothing is said, `custom` where there are limits.
    #[serde(default)]
    plan: Option<PlanWord>,
    /// What it may send, for the plan `custom` only.
    #[serde(default)]
    limits: Option<LimitsShape>,
    /// The time zone of its days and months, by its name in the IANA database; UTC where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Asia/Riyadh")]
    time_zone: Option<Zone>,
    /// Whether its 3CX phone systems may be connected; not, where nothing is said.
    #[serde(default)]
    threecx_enabled: bool,
    /// The domains that it sends under, at most 50; links to them, and to names under them, are trusted.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["fernhill.example"]))]
    sender_domains: Option<Vec<SenderDomain>>,
}

/// A change to an account; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"plan": "scale", "supervised": false}))]
pub(super) struct ChangeAccount {
    /// A new name: 1 to 100 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    name: Option<Name>,
    /// A new plan.
    #[serde(default)]
    plan: Option<PlanWord>,
    /// New limits, for the plan `custom` only; alone they make the plan `custom`.
    #[serde(default)]
    limits: Option<LimitsShape>,
    /// A new time zone; it takes over when the present month ends.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Asia/Riyadh")]
    time_zone: Option<Zone>,
    /// Whether a one-time code may reach a recipient who opted out.
    #[serde(default)]
    one_time_codes_pass: Option<bool>,
    /// Whether a person must release each of its messages.
    #[serde(default)]
    supervised: Option<bool>,
    /// Whether two people must release a message that is held: two keys. A refusal needs one.
    #[serde(default)]
    two_person_review: Option<bool>,
    /// Whether a recipient who opts out gets the one confirmation of it.
    #[serde(default)]
    confirms_opt_out: Option<bool>,
    /// Whether its 3CX phone systems may be connected.
    #[serde(default)]
    threecx_enabled: Option<bool>,
    /// The domains that it sends under: all of them, for what was there before goes. At most 50.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["fernhill.example"]))]
    sender_domains: Option<Vec<SenderDomain>>,
}

/// Which part of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountQuery {
    /// How many at most: 1 to 200, 50 where nothing is said.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<PageSize>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// Make an account
#[utoipa::path(post, path = "/v1/accounts", tag = "Accounts", responses((status = 201, description = "The account.", body = AccountShape)))]
pub(super) async fn create_account(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(asked): Json<CreateAccount>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let now = app.now();
    let account = Account {
        id: AccountId::new(now, &**app.gateway.host()),
        name: asked.name,
        plan: plan(asked.plan, asked.limits)?.unwrap_or(Plan::Starter),
        calendar: Calendar::new(asked.time_zone.unwrap_or_else(Zone::utc)),
        pause: None,
        suspended_at: None,
        one_time_codes_pass: true,
        supervised: false,
        two_person_review: false,
        confirms_opt_out: true,
        threecx_enabled: asked.threecx_enabled,
        sender: sender(asked.sender_domains)?.unwrap_or_default(),
        created_at: now,
    };
    app.gateway.store().operator().add_account(account.clone()).await?;
    tracing::info!(account = %account.id, by = %caller.actor(), "an account was made");
    Ok(created(format!("/v1/accounts/{}", account.id), AccountShape::of(account)))
}

/// List accounts
#[utoipa::path(get, path = "/v1/accounts", tag = "Accounts", params(AccountQuery),
    responses((status = 200, description = "Accounts, newest first.", body = List<AccountShape>)))]
pub(super) async fn list_accounts(
    State(app): State<App>,
    uri: Uri,
    Params(query): Params<AccountQuery>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let paging = Paging::read(query.limit, query.cursor.as_deref())?;
    let accounts = app.gateway.store().operator().accounts(paging.page()).await?;
    Ok(paging.list(accounts, |account| account.id, AccountShape::of).linked(&uri))
}

/// Read an account
#[utoipa::path(get, path = "/v1/accounts/{account_id}", tag = "Accounts", responses((status = 200, description = "The account.", body = AccountShape)))]
pub(super) async fn get_account(State(app): State<App>, on: OnAccount) -> Result<Json<AccountShape>, Problem> {
    let account = on.store(&app).account().await?.ok_or(Problem::not_found())?;
    Ok(Json(AccountShape::of(account)))
}

/// Change an account
#[utoipa::path(patch, path = "/v1/accounts/{account_id}", tag = "Accounts", responses((status = 200, description = "The account as it is then.", body = AccountShape)))]
pub(super) async fn change_account(
    State(app): State<App>,
    on: OnAccount,
    Json(asked): Json<ChangeAccount>,
) -> Result<Json<AccountShape>, Problem> {
    let plan = plan(asked.plan, asked.limits)?;
    let calendar = match asked.time_zone {
        Some(zone) => {
            let account = on.store(&app).account().await?.ok_or(Problem::not_found())?;
            Some(account.calendar.change(zone, app.now()))
        }
        None => None,
    };
    let ChangeAccount { name, one_time_codes_pass, supervised, confirms_opt_out, threecx_enabled, .. } = asked;
    let change = AccountChange { name, plan, calendar, one_time_codes_pass, supervised, confirms_opt_out, ..AccountChange::default() };
    let two_person_review = asked.two_person_review;
    let change = AccountChange { two_person_review, threecx_enabled, sender: sender(asked.sender_domains)?, ..change };
    apply(&app, on, change, "an account was changed").await
}

/// The domains that are asked for.
fn sender(domains: Option<Vec<SenderDomain>>) -> Result<Option<Sender>, Problem> {
    if domains.as_ref().is_some_and(|domains| domains.len() > Sender::DOMAINS_MAX) {
        return Err(Problem::of_field("sender_domains", format!("expected at most {} domains", Sender::DOMAINS_MAX)));
    }
    Ok(domains.map(|domains| Sender { domains }))
}

/// Pause an account
///
/// Nothing of it goes out until it is resumed. What waits stays, and what is sent meanwhile is refused.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/pause", tag = "Accounts", request_body(content = Option<Remark>),
    responses((status = 200, description = "The account as it is then.", body = AccountShape)))]
pub(super) async fn pause_account(
    State(app): State<App>,
    on: OnAccount,
    OptionalJson(remark): OptionalJson<Remark>,
) -> Result<Json<AccountShape>, Problem> {
    let pause = Pause::by(on.actor(), remark.note()?, app.now());
    apply(&app, on, AccountChange { pause: Some(Some(pause)), ..AccountChange::default() }, "an account was paused").await
}

/// Resume an account
///
/// Its traffic is counted afresh from then on. No pause ends by itself.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/resume", tag = "Accounts", responses((status = 200, description = "The account as it is then.", body = AccountShape)))]
pub(super) async fn resume_account(State(app): State<App>, on: OnAccount) -> Result<Json<AccountShape>, Problem> {
    apply(&app, on, AccountChange { pause: Some(None), ..AccountChange::default() }, "an account was resumed").await
}

/// Suspend an account
///
/// It is closed until it is reinstated: no message of it goes out, and what is sent meanwhile is refused. Its endpoints still hear what
/// becomes of what it sent before.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/suspend", tag = "Accounts", responses((status = 200, description = "The account as it is then.", body = AccountShape)))]
pub(super) async fn suspend_account(State(app): State<App>, on: OnAccount) -> Result<Json<AccountShape>, Problem> {
    let change = AccountChange { suspended_at: Some(Some(app.now())), ..AccountChange::default() };
    apply(&app, on, change, "an account was suspended").await
}

/// Reinstate an account
#[utoipa::path(post, path = "/v1/accounts/{account_id}/reinstate", tag = "Accounts", responses((status = 200, description = "The account as it is then.", body = AccountShape)))]
pub(super) async fn reinstate_account(State(app): State<App>, on: OnAccount) -> Result<Json<AccountShape>, Problem> {
    apply(&app, on, AccountChange { suspended_at: Some(None), ..AccountChange::default() }, "an account was reinstated").await
}

async fn apply(app: &App, on: OnAccount, change: AccountChange, done: &'static str) -> Result<Json<AccountShape>, Problem> {
    let change = AccountChange { at: app.now(), ..change };
    let changed = app.gateway.store().operator().change_account(on.account, change).await?;
    let account = changed.ok_or(Problem::not_found())?;
    tracing::info!(account = %account.id, by = %on.actor(), "{done}");
    Ok(Json(AccountShape::of(account)))
}

/// What was made, and where it is.
pub(super) fn created<T: Serialize>(location: String, made: T) -> (StatusCode, [(HeaderName, String); 1], Json<T>) {
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(made))
}

/// Limits make the plan `custom`; every other plan has its own.
fn plan(word: Option<PlanWord>, limits: Option<LimitsShape>) -> Result<Option<Plan>, Problem> {
    match (word, limits) {
        (None | Some(PlanWord::Custom), Some(limits)) => Ok(Some(Plan::Custom(limits.read()?))),
        (Some(PlanWord::Custom), None) => Err(Problem::of_field("limits", "expected limits for the plan `custom`")),
        (Some(_), Some(_)) => Err(Problem::of_field("limits", "expected no limits: only the plan `custom` has its own")),
        (None, None) => Ok(None),
        (Some(PlanWord::Starter), None) => Ok(Some(Plan::Starter)),
        (Some(PlanWord::Growth), None) => Ok(Some(Plan::Growth)),
        (Some(PlanWord::Scale), None) => Ok(Some(Plan::Scale)),
    }
}

impl LimitsShape {
    fn read(self) -> Result<Limits, Problem> {
        for (field, messages) in
            [("limits.messages_per_day", self.messages_per_day), ("limits.messages_per_month", self.messages_per_month)]
        {
            if messages > MESSAGES_MAX {
                return Err(Problem::of_field(field, format!("expected a number from 0 to {MESSAGES_MAX}")));
            }
        }
        Ok(Limits {
            per_day: self.messages_per_day,
            per_month: self.messages_per_month,
            account_rate: self.account_rate.map(|rate| rate.read("limits.account_rate")).transpose()?,
            instance_rate: self.instance_rate.map(|rate| rate.read("limits.instance_rate")).transpose()?,
            recipient_rate: self.recipient_rate.map(|rate| rate.read("limits.recipient_rate")).transpose()?,
        })
    }

    fn of(limits: Limits) -> Self {
        Self {
            messages_per_day: limits.per_day,
            messages_per_month: limits.per_month,
            account_rate: limits.account_rate.map(RateShape::of),
            instance_rate: limits.instance_rate.map(RateShape::of),
            recipient_rate: limits.recipient_rate.map(RateShape::of),
        }
    }
}

impl RateShape {
    /// The rate, if it can be one.
    pub(super) fn read(self, field: &str) -> Result<Rate, Problem> {
        for (name, value, most) in
            [("count", self.count, 1_000_000), ("period_seconds", self.period_seconds, 86_400), ("burst", self.burst, 1_000_000)]
        {
            if !(1..=most).contains(&value) {
                return Err(Problem::of_field(format!("{field}.{name}"), format!("expected a number from 1 to {most}")));
            }
        }
        Ok(Rate { count: self.count, period_seconds: self.period_seconds, burst: self.burst })
    }

    /// The rate as it is shown.
    pub(super) const fn of(rate: Rate) -> Self {
        Self { count: rate.count, period_seconds: rate.period_seconds, burst: rate.burst }
    }
}

impl AccountShape {
    fn of(account: Account) -> Self {
        let next_time_zone = account.calendar.next.as_ref();
        Self {
            id: account.id,
            name: account.name,
            plan: PlanWord::of(&account.plan),
            limits: LimitsShape::of(account.plan.limits()),
            time_zone: account.calendar.zone.name().to_owned(),
            next_time_zone: next_time_zone.map(|(zone, from)| NextTimeZone { name: zone.name().to_owned(), from: (*from).into() }),
            pause: account.pause.map(|pause| PauseShape::of(pause, true)),
            suspended_at: account.suspended_at.map(Time::from),
            one_time_codes_pass: account.one_time_codes_pass,
            supervised: account.supervised,
            two_person_review: account.two_person_review,
            confirms_opt_out: account.confirms_opt_out,
            threecx_enabled: account.threecx_enabled,
            sender_domains: account.sender.domains,
            created_at: account.created_at.into(),
        }
    }
}

impl PlanWord {
    const fn of(plan: &Plan) -> Self {
        match plan {
            Plan::Starter => Self::Starter,
            Plan::Growth => Self::Growth,
            Plan::Scale => Self::Scale,
            Plan::Custom(_) => Self::Custom,
        }
    }
}
