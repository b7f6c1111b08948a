//! Not taken: how the trunk and the CRM are told that something was not taken, in 3CX's own shape.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost_threecx::trunk::refused;
use serde_json::Value;

use crate::http::code::Code;
use crate::http::contract_error::ContractError;

/// Why something was not taken, as 3CX is told it.
pub(crate) struct NotTaken {
    status: StatusCode,
    code: String,
    body: Value,
    retry_after: Option<u64>,
}

impl NotTaken {
    pub(super) fn new(status: StatusCode, code: &str, title: &str) -> Self {
        Self { status, code: code.to_owned(), body: refused(code, title), retry_after: None }
    }

    /// The word that programs compare.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// To whoever did not show the key: told apart only by what they know themselves.
    pub(super) fn unauthorized(has_key: bool) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", if has_key { "Invalid API key" } else { "Missing API key" })
    }
}

impl From<ContractError> for NotTaken {
    fn from(error: ContractError) -> Self {
        let code = error.code();
        // 409 would do as well, but here the contract of the trunk stands: whatever the request asks for cannot be done with it.
        let status = if code == Code::ConversationWindowClosed { StatusCode::UNPROCESSABLE_ENTITY } else { code.status() };
        Self { retry_after: error.retry_after_seconds(), ..Self::new(status, code.name(), error.message()) }
    }
}

impl From<gatepost::StoreError> for NotTaken {
    fn from(error: gatepost::StoreError) -> Self {
        Self::from(ContractError::from(error))
    }
}

impl From<Code> for NotTaken {
    fn from(code: Code) -> Self {
        Self::from(ContractError::of(code))
    }
}

impl IntoResponse for NotTaken {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
