//! Remote: a running server, asked over HTTP. All of `ureq` is in this file.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Request};
use ureq::Agent;

use super::client::Content;
use crate::Failure;
use crate::config::{BaseUrl, Secret};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// More than the longest list.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A server and the key to show to it.
pub(crate) struct Remote {
    agent: Agent,
    url: BaseUrl,
    key: Secret,
}

impl Remote {
    pub(super) fn new(url: BaseUrl, key: Secret) -> Self {
        // No proxy from the environment and no redirect: the key goes to the server that was named, and to nobody else.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        Self { agent: config.new_agent(), url, key }
    }

    /// Whether the key is an operator's, by its looks.
    pub(super) fn has_operator_key(&self) -> bool {
        self.key.reveal().split('_').nth(1) == Some("op")
    }

    /// Sends a request; the status and the body of the answer.
    pub(super) fn exchange(&self, method: &Method, path: &str, content: Option<Content>) -> Result<(u16, Vec<u8>), Failure> {
        let request = Request::builder().method(method).uri(self.url.join(path)).header(AUTHORIZATION, self.authorization()?);
        let sent = match content {
            Some(content) => {
                let request = request.header(CONTENT_TYPE, content.media_type).body(content.text);
                self.agent.run(request.map_err(|error| Failure::Usage(error.to_string()))?)
            }
            None => self.agent.run(request.body(()).map_err(|error| Failure::Usage(error.to_string()))?),
        };
        let mut answer = sent.map_err(|error| self.unreachable(&error))?;
        let read = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok((answer.status().as_u16(), read.map_err(|error| self.unreachable(&error))?))
    }

    fn authorization(&self) -> Result<HeaderValue, Failure> {
        let value = HeaderValue::try_from(format!("Bearer {}", self.key.reveal()));
        let mut value = value.map_err(|_| Failure::Usage("`key`: expected an API key or an operator key".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::Unavailable(format!("{}: {error}", self.url))
    }
}
