//! Keys: the verbs, for the keys of an account and, with `--operator`, for those of who runs the gateway.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::question::{OnAccount, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a key; it is shown this one time
    Create {
        #[command(flatten)]
        whose: Whose,
        /// What people call it
        #[arg(long)]
        name: String,
        /// What it may do, for example messages:send; repeat it for more [default: messages:send and messages:read]
        #[arg(long = "scope", conflicts_with = "operator", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Only for tests: what is sent with it goes to the sandbox
        #[arg(long, conflicts_with = "operator")]
        test: bool,
        /// A network it may be used from, for example 203.0.113.0/24; repeat it for more [default: any]
        #[arg(long, value_name = "NETWORK")]
        allowed_from: Vec<String>,
        /// When it ends by itself, for example 2027-01-01T00:00:00Z, or never [default: in 365 days]
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// List keys, newest first
    List {
        #[command(flatten)]
        whose: Whose,
    },
    /// Read what may be shown of a key
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The key's id: the twelve characters after its prefix
        id: String,
    },
    /// End a key now
    Revoke {
        #[command(flatten)]
        whose: Whose,
        /// The key's id: the twelve characters after its prefix
        id: String,
    },
    /// Replace a key by a new one like it, which is shown this one time
    Reroll {
        #[command(flatten)]
        on: OnAccount,
        /// The key's id: the twelve characters after its prefix
        id: String,
        /// How long the old key stays in force [default: a day]
        #[arg(long, value_name = "SECONDS")]
        grace_seconds: Option<u64>,
    },
}

/// Whose key it is.
#[derive(Args, Debug)]
pub(super) struct Whose {
    #[command(flatten)]
    on: OnAccount,
    /// An operator's key instead of an account's
    #[arg(long, conflicts_with = "account")]
    operator: bool,
}

impl Whose {
    fn path(&self, client: &Client) -> Result<String, Failure> {
        if self.operator { Ok("/v1/operator-keys".to_owned()) } else { self.on.path(client, "api-keys") }
    }
}

const COLUMNS: &[&str] = &["id", "name", "prefix", "last_four", "mode", "state", "scopes", "expires_at", "last_used_at"];
const OPERATOR_COLUMNS: &[&str] = &["id", "name", "prefix", "last_four", "state", "expires_at", "last_used_at"];
const SCOPES_DEFAULT: [&str; 2] = ["messages:send", "messages:read"];

impl Verb {
    /// Whether it makes an operator key.
    pub(super) const fn makes_operator_key(&self) -> bool {
        matches!(self, Self::Create { whose: Whose { operator: true, .. }, .. })
    }

    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("api-keys/{}", encode(id)));
        Ok(match self {
            Self::Create { whose, name, scopes, test, allowed_from, expires_at } => {
                let scopes = if scopes.is_empty() { json!(SCOPES_DEFAULT) } else { json!(scopes) };
                let mut body = given(json!({
                    "name": name,
                    "scopes": (!whose.operator).then_some(scopes),
                    "mode": test.then_some("test"),
                    "allowed_from": (!allowed_from.is_empty()).then_some(allowed_from),
                    "expires_at": expires_at,
                }));
                if expires_at.as_deref() == Some("never") {
                    body["expires_at"] = Value::Null;
                }
                Question::post(whose.path(client)?, body)
            }
            Self::List { whose } => {
                let columns = if whose.operator { OPERATOR_COLUMNS } else { COLUMNS };
                Question::get(whose.path(client)?).listed(columns)
            }
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Revoke { whose, id } => Question::delete(format!("{}/{}", whose.path(client)?, encode(&id))),
            Self::Reroll { on, id, grace_seconds } => {
                Question::post(path(&on, &id)? + "/reroll", given(json!({"grace_seconds": grace_seconds})))
            }
        })
    }
}
