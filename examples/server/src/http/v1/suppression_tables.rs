//! Suppression tables: the suppressions of an account as comma-separated values, out and in.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use gatepost::{Address, Cause, ContactId, NewSuppression, Page, Suppression, SuppressionFilter, SuppressionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guard::OnAccount;
use crate::http::body;
use crate::http::code::Code;
use crate::http::json::{Json, Params};
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::suppression_table::{self, Line, Row};

/// How many rows are read at a time for an export.
const PAGE: usize = 1_000;
/// How many suppressions of an import are under way at once, so that they share commits.
const AT_ONCE: usize = 256;
/// How many bad lines are told.
const BAD_LINES_MAX: usize = 100;

/// What became of a table.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = SuppressionImport)]
pub(super) struct Imported {
    /// How many contacts were suppressed, or would be.
    added: usize,
    /// How many were suppressed for the same cause before.
    known: usize,
    /// How many lines tell of suppressions that were lifted, and were passed over.
    lifted: usize,
    /// How many lines cannot be read. The others count all the same.
    bad: usize,
    /// The first hundred of those.
    bad_lines: Vec<BadLine>,
}

/// A line that cannot be read.
#[derive(Serialize, ToSchema)]
struct BadLine {
    /// Its number in the text, from 1 on.
    line: u64,
    /// Why.
    reason: &'static str,
}

/// How to import.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// Only say what would become of it.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    dry_run: bool,
}

/// A body of comma-separated values.
pub(super) struct Csv(Bytes);

impl<S: Send + Sync> FromRequest<S> for Csv {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self(body::read_csv(&parts.headers, body).await?))
    }
}

/// Export suppressions
///
/// All of them, newest first, as comma-separated values with a first line that names the columns: `address`, `cause`, `note`, `since`,
/// `lifted_at`. A note that a spreadsheet would take for a formula has an apostrophe in front. What is exported can be imported.
#[utoipa::path(get, path = "/v1/accounts/{account_id}/suppressions.csv", tag = "Suppressions",
    responses((status = 200, description = "The table.", body = String, content_type = "text/csv")))]
pub(super) async fn export_suppressions(State(app): State<App>, on: OnAccount) -> Result<Response, Problem> {
    let head = suppression_table::begin(Vec::new()).and_then(|writer| writer.into_inner().map_err(|error| error.into_error().into()));
    let head = head.map_err(|_| Problem::of(Code::InternalError))?;
    // The first page is read before the status is answered, so that a store that is down says so.
    let first = page(&app, on, None).await?;
    let rest = stream::try_unfold((app, Some(first)), move |(app, part)| async move {
        let Some((text, after)) = part else { return Ok::<_, Problem>(None) };
        let next = match after {
            Some(after) => Some(page(&app, on, Some(after)).await?),
            None => None,
        };
        Ok(Some((text, (app, next))))
    });
    let body = stream::once(async move { Ok(head) }).chain(rest).map_err(|_| std::io::Error::other("the store does not answer any more"));
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"suppressions.csv\"")];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// A page of the table, and where the next one begins.
async fn page(app: &App, on: OnAccount, after: Option<SuppressionId>) -> Result<(Vec<u8>, Option<SuppressionId>), Problem> {
    let filter = SuppressionFilter::default();
    let mut found = on.store(app).suppressions(filter, Page { after, limit: PAGE }).await?;
    super::suppressions::hide_notes(app, on, &mut found).await?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|last| last.id);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = found.iter().try_for_each(|suppression| write(&mut writer, suppression));
    let text = written.and_then(|()| writer.into_inner().map_err(|error| error.into_error().into()));
    text.map(|text| (text, next)).map_err(|_| Problem::of(Code::InternalError))
}

fn write(writer: &mut csv::Writer<Vec<u8>>, suppression: &Suppression) -> csv::Result<()> {
    let (address, since) = (suppression.address.text(), suppression.since.to_string());
    let lifted_at = suppression.lifted.map(|(_, at)| at.to_string());
    let (cause, note) = (suppression.cause.as_str(), suppression.note.as_deref());
    suppression_table::write(writer, &Line { address: &address, cause, note, since: &since, lifted_at: lifted_at.as_deref() })
}

/// Import suppressions
///
/// Comma-separated values with a first line that names the columns: `address` (or `phone`), and `cause` and `note` if you like; at most
/// 4 MiB and 100,000 lines. A cause that is not given is `manual`. Lines that cannot be read are told, and keep no other away.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/suppressions/import", tag = "Suppressions", params(ImportQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What became of it.", body = Imported)))]
pub(super) async fn import_suppressions(
    State(app): State<App>,
    on: OnAccount,
    Params(query): Params<ImportQuery>,
    Csv(table): Csv,
) -> Result<Json<Imported>, Problem> {
    let rows = suppression_table::read(&table).map_err(|why| Problem::of_field("body", why))?;
    let mut imported = Imported::default();
    let mut to_suppress = Vec::new();
    for (line, row) in rows {
        match row {
            Ok(Row::Suppress { address, cause, note }) => to_suppress.push((address, cause, note)),
            Ok(Row::Lifted) => imported.lifted += 1,
            Err(reason) => {
                imported.bad += 1;
                if imported.bad_lines.len() < BAD_LINES_MAX {
                    imported.bad_lines.push(BadLine { line, reason });
                }
            }
        }
    }
    let suppress = |(address, cause, note)| suppress(&app, on, address, cause, note, query.dry_run);
    let news: Vec<bool> = stream::iter(to_suppress).map(suppress).buffered(AT_ONCE).try_collect().await?;
    imported.added = news.iter().filter(|is_new| **is_new).count();
    imported.known = news.len() - imported.added;
    if !query.dry_run {
        tracing::info!(account = %on.account, added = imported.added, bad = imported.bad, by = %on.actor(), "suppressions were imported");
    }
    Ok(Json(imported))
}

/// Whether the suppression is new.
async fn suppress(app: &App, on: OnAccount, address: Address, cause: Cause, note: Option<String>, dry_run: bool) -> Result<bool, Problem> {
    let (store, now, host) = (on.store(app), app.now(), &**app.gateway.host());
    if dry_run {
        let filter = SuppressionFilter { address: Some(address), in_force: true };
        let standing = store.suppressions(filter, Page::first(Cause::ALL.len())).await?;
        return Ok(!standing.iter().any(|standing| standing.cause == cause));
    }
    let id = SuppressionId::new(now, host);
    let new = NewSuppression { id, contact: ContactId::new(now, host), address, cause, note, by: on.actor(), now };
    Ok(store.suppress(new).await?.id == id)
}
