//! Complaint: what is wrong with one field of a request.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub(super) struct Complaint {
    /// The field, as the request writes it.
    #[schema(value_type = String, example = "phone")]
    field: Cow<'static, str>,
    /// What was expected.
    #[schema(value_type = String, example = "expected digits, spaces and punctuation only")]
    message: Cow<'static, str>,
    /// The kind of what is wrong, for programs, where a URL is refused: a name that never changes its meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "scheme-http")]
    reason: Option<&'static str>,
    #[serde(skip)]
    #[schema(ignore)]
    code: Option<Code>,
}

impl Complaint {
    /// Complains about a field.
    pub(super) fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), message: message.into(), reason: None, code: None }
    }

    /// The same complaint under a code of its own.
    pub(super) fn coded(self, code: Code) -> Self {
        Self { code: Some(code), ..self }
    }

    /// The same complaint with the name of its kind.
    pub(super) fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// The code that a refusal has where this complaint comes first.
    pub(super) fn code(&self) -> Code {
        self.code.unwrap_or(Code::ValidationError)
    }

    /// Field and expectation as one sentence.
    pub(super) fn sentence(&self) -> String {
        format!("`{}`: {}", self.field, self.message)
    }
}

/// All complaints about one request, in the order in which they are told.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<Complaint>);

impl Complaints {
    /// Keeps the complaint, or lets the value pass.
    pub(super) fn note<T>(&mut self, result: Result<T, Complaint>) -> Option<T> {
        result.map_err(|complaint| self.0.push(complaint)).ok()
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Complaint> {
        self.0.iter()
    }

    /// The complaints as a list.
    pub(super) fn into_vec(self) -> Vec<Complaint> {
        self.0
    }
}
