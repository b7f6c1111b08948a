//! Who sends: an API key and instances, found or made.
//!
//! [`Bootstrap`] is the file a server leaves for scripts. With an operator key, [`Sender::with_own_account`] makes an account whose
//! limits no load reaches; the requests it makes are all in that one function.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use crate::Failure;
use crate::v1::V1;

/// More than any load sends in a month.
const MESSAGES: u64 = 1_000_000_000;

/// The API key and the instances of a load.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The API key, as it goes into the header.
    pub api_key: String,
    /// The instances' ids; connections take turns.
    pub instances: Vec<String>,
}

/// Endpoints for the events of a load's own account.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Where each is. Each listens to an instance of its own, for the messages that were sent.
    pub urls: Vec<String>,
    /// How many deliveries may be on their way to each.
    pub in_flight_max: u16,
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
    /// Makes an account with limits of its own, an instance on the sandbox provider, and a key; with endpoints, an instance for each.
    pub async fn with_own_account(authority: &str, operator_key: &str, endpoints: Option<&Endpoints>) -> Result<Self, Failure> {
        let mut v1 = V1::open(authority, operator_key).await?;
        let limits = json!({ "messages_per_day": MESSAGES, "messages_per_month": MESSAGES });
        let account = v1.create("/v1/accounts", json!({ "name": "load", "limits": limits }), "id").await?;
        let instances = format!("/v1/accounts/{account}/instances");
        let mut made = vec![v1.create(&instances, json!({ "name": "load", "provider": "sandbox" }), "id").await?];
        for (number, url) in endpoints.iter().flat_map(|endpoints| &endpoints.urls).enumerate() {
            if number > 0 {
                made.push(v1.create(&instances, json!({ "name": format!("load-{number}"), "provider": "sandbox" }), "id").await?);
            }
            let endpoint = json!({
                "name": format!("load-{number}"), "url": url, "events": ["message.sent"], "instance_id": made[number],
                "in_flight_max": endpoints.map(|endpoints| endpoints.in_flight_max), "verify": false,
            });
            v1.create(&format!("/v1/accounts/{account}/endpoints"), endpoint, "id").await?;
        }
        let keys = format!("/v1/accounts/{account}/api-keys");
        let scopes = ["messages:send", "messages:read"];
        let api_key = v1.create(&keys, json!({ "name": "load", "scopes": scopes }), "api_key").await?;
        Ok(Self { api_key, instances: made })
    }
}
