//! Problems: what their types lead to, so that whoever meets one can look it up.

use axum::extract::Path;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::json::Json;
use super::paging::List;
use super::problem::Problem;

/// A kind of problem.
#[derive(Serialize, ToSchema)]
pub(super) struct ProblemKind {
    /// What problems of this kind have as `type`.
    #[schema(value_type = String, example = "/problems/sending_throttled")]
    r#type: String,
    /// What they have as `code`, and the errors under `/api` as `error`. A code never changes its meaning.
    #[schema(value_type = String, example = "sending_throttled")]
    code: &'static str,
    /// The status of such an answer.
    #[schema(example = 429)]
    status: u16,
    /// What it means.
    #[schema(value_type = String, example = "messages are sent too fast")]
    title: &'static str,
}

impl ProblemKind {
    fn of(code: Code) -> Self {
        Self { r#type: code.problem_type(), code: code.name(), status: code.status().as_u16(), title: code.text() }
    }
}

/// List the kinds of problems
///
/// Every kind of problem that a caller can meet, by code.
#[utoipa::path(get, path = "/problems", tag = "Problems", operation_id = "list_problems", responses((status = 200, description = "All of them.", body = List<ProblemKind>)))]
pub(super) async fn list() -> impl IntoResponse {
    let mut codes = Code::ALL.to_vec();
    codes.sort_by_key(|code| code.name());
    kept(List::whole(codes.into_iter().map(ProblemKind::of).collect()))
}

/// Look up a kind of problem
///
/// What the `type` of a problem leads to.
#[utoipa::path(
    get, path = "/problems/{code}", tag = "Problems", operation_id = "get_problem",
    params(("code" = String, Path, description = "The code of the problem.")),
    responses((status = 200, description = "What it means.", body = ProblemKind), (status = 404, description = "There is no such code.", body = super::problem::ProblemShape))
)]
pub(super) async fn get(Path(name): Path<String>) -> Result<impl IntoResponse, Problem> {
    let code = Code::ALL.iter().find(|code| code.name() == name).ok_or_else(Problem::not_found)?;
    Ok(kept(ProblemKind::of(*code)))
}

/// It is the same for everybody, and until the next release.
fn kept<T: Serialize>(body: T) -> impl IntoResponse {
    ([(CACHE_CONTROL, "max-age=300")], Json(body))
}
