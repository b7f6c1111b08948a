//! Json and Params: bodies and parameters of `/v1`, read strictly, so that a refusal names the field.

use std::error::Error as _;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::body;
use super::code::Code;
use super::problem::Problem;

/// A body of JSON: read from a request, or answered.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = body::read_json(&parts.headers, body).await?;
        parse(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A body of JSON that may be left out.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = body::read(&parts.headers, body).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        body::expect_json(&parts.headers)?;
        parse(&body).map(Self)
    }
}

/// The parameters of a URL.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|rejection| {
            let text = rejection.source().map(ToString::to_string).unwrap_or_default();
            let (path, message) = text.split_once(": ").unwrap_or(("", &text));
            complaint(path, in_our_words(message))
        })
    }
}

/// What is wrong with a parameter: the parsers of numbers and of yes or no say how they failed, and not what they expect.
fn in_our_words(message: &str) -> &str {
    match message {
        "cannot parse integer from empty string" | "invalid digit found in string" => "expected a whole number",
        "number too large to fit in target type" | "number too small to fit in target type" => {
            "expected another number: this one is out of range"
        }
        "provided string was not `true` or `false`" => "expected `true` or `false`",
        _ => message,
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Serde would also read a list of a struct's fields.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::of(Code::InvalidJson));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.inner().classify() {
        Category::Data => complaint(&error.path().to_string(), &words(error.inner())),
        Category::Eof | Category::Io | Category::Syntax => not_json(error.inner()),
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::of(Code::InvalidJson).saying(format!("{}: line {}, column {}", Code::InvalidJson.text(), error.line(), error.column()))
}

/// What serde_json says, less the place at its end, as the field is named instead, and less the names of our types.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    match text.split_once("expected struct ") {
        Some((found, _)) => format!("{found}expected an object"),
        None => text.to_owned(),
    }
}

/// The path leads to the field, but where that is missing or doubled: then it leads to the object, and the message names the field.
fn complaint(path: &str, message: &str) -> Problem {
    let object = if path == "." { "" } else { path };
    let named = ["missing field `", "duplicate field `"].iter().find_map(|head| message.strip_prefix(head));
    let field = match named.and_then(|rest| rest.split_once('`')) {
        None => object.to_owned(),
        Some((name, _)) if object.is_empty() => name.to_owned(),
        Some((name, _)) => format!("{object}.{name}"),
    };
    Problem::of_field(field, message.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is of no interest here")]
    struct Asked {
        limit: Option<u16>,
        live: Option<bool>,
    }

    /// What a caller is told is wrong with these parameters.
    async fn complaint_about(query: &str) -> String {
        let mut request = Request::<()>::default();
        *request.uri_mut() = format!("/?{query}").parse().unwrap_or_default();
        let (mut parts, ()) = request.into_parts();
        Params::<Asked>::from_request_parts(&mut parts, &()).await.err().map(|problem| problem.text().to_owned()).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_parameter_that_cannot_be_read_is_told_what_is_expected() {
        for (query, complaint) in [
            ("limit=ten", "`limit`: expected a whole number"),
            ("limit=", "`limit`: expected a whole number"),
            ("limit=-1", "`limit`: expected a whole number"),
            ("limit=65536", "`limit`: expected another number: this one is out of range"),
            ("live=yes", "`live`: expected `true` or `false`"),
        ] {
            assert_eq!(complaint_about(query).await, complaint, "{query}");
        }
    }
}
