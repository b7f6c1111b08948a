//! Problem: an error under `/v1`, as RFC 9457 writes it.
//!
//! A handler answers with a [`Problem`]; the edge adds the name and the path of the request and writes it down ([`Problem::render`]).

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use gatepost::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Unauthenticated;
use super::code::Code;
use super::complaint::Complaint;
use super::contract_error::{ContractError, of_store_error, put_retry_after};
use super::request_id::RequestId;

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    code: Code,
    detail: Option<Cow<'static, str>>,
    complaints: Vec<Complaint>,
    retry_after: Option<Duration>,
    cause: Option<Box<StoreError>>,
}

/// An error under `/v1` (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "/problems/validation_error", "title": "a field is missing or is not what it must be", "status": 422,
    "detail": "`name`: expected 1 to 100 characters without control characters", "instance": "/v1/accounts", "code": "validation_error",
    "request_id": "req_0193c5a1f2e84b7d9a6c3e5f70812b4d",
    "errors": [{"field": "name", "message": "expected 1 to 100 characters without control characters"}]
}))]
pub(super) struct ProblemShape<'a> {
    /// A stable name of the kind of problem: `/problems/` and its code, where this server says what it means.
    #[schema(value_type = String)]
    r#type: String,
    /// What the kind of problem is, for people.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// What went wrong this time, for people.
    detail: &'a str,
    /// The path of the request.
    instance: &'a str,
    /// The code of the problem, for programs.
    code: &'a str,
    /// The name of the request, to quote when you ask about it.
    request_id: &'a str,
    /// The fields that are missing or wrong.
    #[serde(skip_serializing_if = "<[Complaint]>::is_empty")]
    errors: &'a [Complaint],
}

impl Problem {
    /// A problem of which its code says all.
    pub(super) const fn of(code: Code) -> Self {
        Self { code, detail: None, complaints: Vec::new(), retry_after: None, cause: None }
    }

    /// The same problem with what is special about it.
    pub(super) fn saying(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// What went wrong, for people.
    pub(super) fn text(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.code.text())
    }

    /// There is no such thing, or it is another's.
    pub(super) const fn not_found() -> Self {
        Self::of(Code::NotFound)
    }

    /// A field is missing or wrong.
    pub(super) fn of_field(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::of_complaints(vec![Complaint::new(field, message)])
    }

    /// Fields are missing or wrong; the first of them gives the problem its name.
    pub(super) fn of_complaints(complaints: Vec<Complaint>) -> Self {
        let named = complaints.first().map(|first| Self::of(first.code()).saying(first.sentence()));
        Self { complaints, ..named.unwrap_or(Self::of(Code::ValidationError)) }
    }

    /// What the contract's shape says of it, for what is asked under `/api`.
    pub(super) fn into_contract_error(self) -> ContractError {
        let text = self.detail.unwrap_or(Cow::Borrowed(self.code.text()));
        ContractError::of(self.code).saying(text)
    }

    /// Writes it down for the request with this name and path.
    pub(super) fn render(self, request_id: &RequestId, path: &str) -> Response {
        if self.code.status().is_server_error() {
            tracing::error!(request_id = request_id.as_str(), code = self.code.name(), cause = ?self.cause, "a request failed");
        }
        let shape = ProblemShape {
            r#type: self.code.problem_type(),
            title: self.code.text(),
            status: self.code.status().as_u16(),
            detail: self.text(),
            instance: path,
            code: self.code.name(),
            request_id: request_id.as_str(),
            errors: &self.complaints,
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&shape).unwrap_or_default()));
        *response.status_mut() = self.code.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        put_retry_after(response.headers_mut(), self.code, self.retry_after);
        response
    }
}

impl IntoResponse for Problem {
    /// A bare status that carries the problem to the edge.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::of(code)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (code, text) = of_store_error(&error);
        Self { cause: Some(Box::new(error)), ..Self::of(code).saying(text) }
    }
}

impl From<Unauthenticated> for Problem {
    /// One answer for every key that is not accepted: whoever guesses learns nothing.
    fn from(reason: Unauthenticated) -> Self {
        match reason {
            Unauthenticated::InUrl => Self::of(Code::ApiKeyInUrl),
            Unauthenticated::Refused(_) => Self::of(Code::InvalidApiKey),
            Unauthenticated::TooOften(wait) => Self { retry_after: Some(wait), ..Self::of(Code::RateLimited) },
            Unauthenticated::Store(error) => Self::from(error),
        }
    }
}
