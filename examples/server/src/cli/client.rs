//! Client: answers the command line's questions, in one of two ways that give the same answers.
//!
//! [`Client::local`] opens the data folder and asks the server's own routes in this process, as the operator. [`Client::remote`] asks a
//! running server, with the rights of a key.

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::remote::Remote;
use crate::config::{BaseUrl, Secret, Settings};
use crate::data_folder::DataFolder;
use crate::failure::Refusal;
use crate::http::Identity;
use crate::{Failure, http, serve};

/// What to do where there is no data folder yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Absent {
    /// Make it.
    Make,
    /// Say so.
    Refuse,
}

/// Whoever answers.
pub(crate) enum Client {
    /// The routes, in this process.
    Local(Box<Local>),
    /// A running server.
    Remote(Box<Remote>),
}

/// The server's routes over a data folder.
pub(crate) struct Local {
    router: Router,
    runtime: Runtime,
}

impl Client {
    /// Asks the data folder.
    pub(crate) fn local(settings: &Settings, absent: Absent) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let folder = DataFolder::of(settings);
        let opened = runtime.block_on(async {
            match absent {
                Absent::Make => folder.make().await,
                Absent::Refuse => folder.open().await,
            }
        })?;
        let router = http::router(serve::app(&opened, opened.gateway(settings, settings.listen)?, settings, settings.listen)?);
        Ok(Self::Local(Box::new(Local { router, runtime })))
    }

    /// Asks a running server.
    pub(crate) fn remote(url: BaseUrl, key: Option<Secret>) -> Result<Self, Failure> {
        let key =
            key.ok_or_else(|| Failure::Usage("a key is missing: set GATEPOST_KEY_FILE or GATEPOST_KEY, or give `--key`".to_owned()))?;
        Ok(Self::Remote(Box::new(Remote::new(url, key))))
    }

    /// Asks, and reads the answer: what the gateway says, or why it refuses.
    pub(crate) fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.exchange(method, path, body.map(Content::json))
    }

    /// Posts a table, and reads the answer.
    pub(super) fn post_table(&self, path: &str, table: String) -> Result<Value, Failure> {
        self.exchange(&Method::POST, path, Some(Content { media_type: "text/csv", text: table }))
    }

    /// Fetches a file, as it is.
    pub(super) fn fetch(&self, path: &str) -> Result<Vec<u8>, Failure> {
        match self.answer(&Method::GET, path, None)? {
            (200..=299, bytes) => Ok(bytes),
            (status, bytes) => read(status, &bytes).and(Err(Failure::Unavailable(foreign(status)))),
        }
    }

    fn exchange(&self, method: &Method, path: &str, content: Option<Content>) -> Result<Value, Failure> {
        let (status, bytes) = self.answer(method, path, content)?;
        read(status, &bytes)
    }

    /// The status and the body of an answer.
    fn answer(&self, method: &Method, path: &str, content: Option<Content>) -> Result<(u16, Vec<u8>), Failure> {
        match self {
            Self::Local(local) => local.runtime.block_on(answer(&local.router, method, path, content)),
            Self::Remote(remote) => remote.exchange(method, path, content),
        }
    }

    /// The account that is meant where none is named: the key's own; for operators the only one there is.
    pub(crate) fn only_account(&self) -> Result<String, Failure> {
        let is_account_key = matches!(self, Self::Remote(remote) if !remote.has_operator_key());
        if is_account_key {
            return Ok("me".to_owned());
        }
        let accounts = self.call(&Method::GET, "/v1/accounts?limit=2", None)?;
        match accounts["items"].as_array().map(Vec::as_slice) {
            Some([only]) => Ok(only["id"].as_str().unwrap_or_default().to_owned()),
            Some([]) => Err(Failure::Usage("there is no account yet: make one with `account create`".to_owned())),
            _ => Err(Failure::Usage("there are several accounts: name one with `--account`; `account list` shows them".to_owned())),
        }
    }
}

/// The body of a request.
pub(super) struct Content {
    pub(super) media_type: &'static str,
    pub(super) text: String,
}

impl Content {
    fn json(value: &Value) -> Self {
        Self { media_type: "application/json", text: value.to_string() }
    }
}

/// A runtime for one command.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(|error| Failure::Unavailable(error.to_string()))
}

/// Asks the routes in this process, as the operator.
pub(crate) async fn ask(router: &Router, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
    let (status, bytes) = answer(router, method, path, body.map(Content::json)).await?;
    read(status, &bytes)
}

async fn answer(router: &Router, method: &Method, path: &str, content: Option<Content>) -> Result<(u16, Vec<u8>), Failure> {
    let mut request = Request::builder().method(method).uri(path).extension(Identity::Operator { key: None });
    if let Some(content) = &content {
        request = request.header(CONTENT_TYPE, content.media_type);
    }
    let text = content.map(|content| content.text).unwrap_or_default();
    let request = request.body(Body::from(text)).map_err(|error| Failure::Usage(error.to_string()))?;
    let Ok(response) = router.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|error| Failure::Unavailable(error.to_string()))?;
    Ok((status, body.to_bytes().into()))
}

/// What an answer says. What is neither JSON nor a problem comes from somebody else than a gateway.
fn read(status: u16, body: &[u8]) -> Result<Value, Failure> {
    let value = if body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(body).ok() };
    match (status, value) {
        (200..=299, Some(value)) => Ok(value),
        (500.., Some(problem)) => Err(Failure::Unavailable(refusal(&problem).map_or_else(|| foreign(status), |refusal| refusal.title))),
        (_, Some(problem)) => Err(refusal(&problem).map_or_else(|| Failure::Unavailable(foreign(status)), Failure::Refused)),
        (_, None) => Err(Failure::Unavailable(foreign(status))),
    }
}

fn foreign(status: u16) -> String {
    format!("the server answered with status {status}, and not as a gateway does; is the URL right?")
}

/// A problem as RFC 9457 writes it.
fn refusal(problem: &Value) -> Option<Refusal> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let error = |error: &Value| Some((text(&error["field"])?, text(&error["message"])?));
    let errors: Vec<_> = problem["errors"].as_array().into_iter().flatten().filter_map(error).collect();
    // The detail repeats the first of the errors.
    let detail = text(&problem["detail"]).filter(|detail| errors.is_empty() && *detail != problem["title"]);
    Some(Refusal { title: text(&problem["title"])?, detail, errors })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> String {
        read(status, body.as_bytes()).map_or_else(|failure| failure.to_string(), |value| value.to_string())
    }

    #[test]
    fn a_problem_is_told_by_title_detail_and_fields() {
        let problem = r#"{"title":"a field is wrong","detail":"`name`: too long","errors":[{"field":"name","message":"too long"}]}"#;
        assert_eq!(said(422, problem), "refused: a field is wrong\n  name: too long");
        let problem = r#"{"title":"not allowed","detail":"this needs an operator key"}"#;
        assert_eq!(said(403, problem), "refused: not allowed\n  this needs an operator key");
        assert_eq!(said(404, r#"{"title":"not found","detail":"not found"}"#), "refused: not found");
    }

    #[test]
    fn a_gateway_that_cannot_is_not_available() {
        assert_eq!(said(503, r#"{"title":"try again later"}"#), "error: try again later");
    }

    #[test]
    fn who_is_no_gateway_is_told_from_one() {
        for (status, body) in [(200, "<html>"), (301, ""), (404, "<html>"), (404, "{}"), (502, "Bad Gateway")] {
            assert_eq!(said(status, body), format!("error: {}", foreign(status)));
        }
        assert_eq!(said(204, ""), "null");
    }
}
