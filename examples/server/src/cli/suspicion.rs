//! Suspicions: the verbs.

use clap::{ArgAction, Subcommand};
use serde_json::json;

use super::client::Client;
use super::question::{OnAccount, Paging, Question, encode};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List contacts who may have opted out and wait for a person to say
    List {
        #[command(flatten)]
        on: OnAccount,
        #[command(flatten)]
        paging: Paging,
    },
    /// Say whether a contact opted out
    Answer {
        #[command(flatten)]
        on: OnAccount,
        /// The contact
        id: String,
        /// What they wrote, as you have seen it: the `inbound_id` of the list
        #[arg(long, value_name = "ID")]
        inbound: String,
        /// Whether they asked for no more messages
        #[arg(long, action = ArgAction::Set, value_name = "BOOL")]
        opted_out: bool,
    },
}

const COLUMNS: &[&str] = &["contact_id", "from", "inbound_id", "since"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        Ok(match self {
            Self::List { on, paging } => paging.of(Question::get(on.path(client, "suspicions")?)).listed(COLUMNS),
            Self::Answer { on, id, inbound, opted_out } => {
                let path = on.path(client, &format!("suspicions/{}/answer", encode(&id)))?;
                Question::post(path, json!({"inbound_id": inbound, "opted_out": opted_out}))
            }
        })
    }
}
