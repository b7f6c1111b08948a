//! Who sends: an API key and an instance, found or made.
//!
//! [`Bootstrap`] is the file a server leaves for scripts. With an operator key, [`Sender::with_own_account`] makes an account whose
//! limits no load reaches; the requests it makes are all in that one function.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Connection;
use crate::{Failure, request};

/// More than any load sends in a month.
const MESSAGES: u64 = 1_000_000_000;

/// The API key and the instance of a load.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The API key, as it goes into the header.
    pub api_key: String,
    /// The instance's id.
    pub instance: String,
}

/// What `gatepost-server serve --bootstrap FILE` writes to its file.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Bootstrap {
    /// A key of the demo account.
    pub api_key: Option<String>,
    /// A key for all accounts.
    pub operator_key: Option<String>,
    /// The demo account's instance.
    pub instance_id: Option<String>,
}

impl Bootstrap {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?)
    }
}

impl Sender {
    /// Makes an account with limits of its own, an instance on the sandbox provider, and a key.
    pub async fn with_own_account(authority: &str, operator_key: &str) -> Result<Self, Failure> {
        let mut v1 = V1 { connection: Connection::open(authority).await?, authority, operator_key };
        let limits = json!({ "messages_per_day": MESSAGES, "messages_per_month": MESSAGES });
        let account = v1.create("/v1/accounts", json!({ "name": "load", "limits": limits }), "id").await?;
        let instances = format!("/v1/accounts/{account}/instances");
        let instance = v1.create(&instances, json!({ "name": "load", "provider": "sandbox" }), "id").await?;
        let keys = format!("/v1/accounts/{account}/api-keys");
        let scopes = ["messages:send", "messages:read"];
        let api_key = v1.create(&keys, json!({ "name": "load", "scopes": scopes }), "api_key").await?;
        Ok(Self { api_key, instance })
    }
}

/// The operator's side of the server.
struct V1<'a> {
    connection: Connection,
    authority: &'a str,
    operator_key: &'a str,
}

impl V1<'_> {
    /// Creates what `body` describes and answers the field `wanted` of it.
    async fn create(&mut self, path: &str, body: Value, wanted: &str) -> Result<String, Failure> {
        let request = request::post(self.authority, path, self.operator_key, &body);
        let reply = self.connection.exchange(&request).await?;
        let text = String::from_utf8_lossy(reply.body);
        if !(200..300).contains(&reply.status) {
            return Err(format!("POST {path} was answered {}: {text}", reply.status).into());
        }
        let created: Value = serde_json::from_slice(reply.body).unwrap_or_default();
        let value = created[wanted].as_str();
        // A created key is in the answer, so the answer is not shown.
        Ok(value.ok_or_else(|| format!("POST {path} was answered without `{wanted}`"))?.to_owned())
    }
}
