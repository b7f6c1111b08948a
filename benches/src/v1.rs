//! What the operator's side of the server is asked for before a load.

use serde_json::Value;

use crate::client::Connection;
use crate::{Failure, request};

/// The operator's side of the server.
pub struct V1<'a> {
    connection: Connection,
    authority: &'a str,
    operator_key: &'a str,
}

impl<'a> V1<'a> {
    /// Opens a connection.
    pub async fn open(authority: &'a str, operator_key: &'a str) -> Result<Self, Failure> {
        Ok(Self { connection: Connection::open(authority).await?, authority, operator_key })
    }

    /// Creates what `body` describes and answers the field `wanted` of it.
    pub async fn create(&mut self, path: &str, body: Value, wanted: &str) -> Result<String, Failure> {
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
