//! Instances: the verbs.

use clap::Subcommand;
use serde_json::json;

use super::client::Client;
use super::question::{OnAccount, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make an instance
    Create {
        #[command(flatten)]
        on: OnAccount,
        /// What people call it, unique in the account
        #[arg(long)]
        name: String,
        /// Who carries its messages: sandbox, cloud_api or evolution
        #[arg(long)]
        provider: String,
        /// Whether the provider has it connected: open, connecting or closed [default: open for the sandbox, else closed]
        #[arg(long)]
        connection: Option<String>,
    },
    /// List instances, by name
    List {
        #[command(flatten)]
        on: OnAccount,
    },
    /// Read an instance
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Let nothing of it go out until it is resumed
    Pause {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
        /// Why, for people
        #[arg(long)]
        note: Option<String>,
    },
    /// End a pause
    Resume {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Change an instance
    Update {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
        /// Whether the provider has it connected: open, connecting or closed
        #[arg(long)]
        connection: String,
    },
}

const COLUMNS: &[&str] = &["id", "name", "provider", "connection", "pause.since"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("instances/{}", encode(id)));
        Ok(match self {
            Self::Create { on, name, provider, connection } => {
                let body = json!({"name": name, "provider": provider, "connection": connection});
                Question::post(on.path(client, "instances")?, given(body))
            }
            Self::List { on } => Question::get(on.path(client, "instances")?).listed(COLUMNS),
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Pause { on, id, note } => Question::post(path(&on, &id)? + "/pause", given(json!({"note": note}))),
            Self::Resume { on, id } => Question::act(path(&on, &id)? + "/resume"),
            Self::Update { on, id, connection } => Question::patch(path(&on, &id)?, json!({"connection": connection})),
        })
    }
}
