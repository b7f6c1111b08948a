//! Messages: the verbs.

use std::io::{Read, stdin};

use clap::{ArgGroup, Subcommand};
use serde_json::json;

use super::client::Client;
use super::question::{OnAccount, Paging, Question, encode};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List messages without what they say, newest first
    List {
        #[command(flatten)]
        on: OnAccount,
        /// Only those with this status, for example queued, sent or unknown
        #[arg(long)]
        status: Option<String>,
        /// Only those of this instance
        #[arg(long, value_name = "ID")]
        instance: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read a message, with what it says
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The message
        id: String,
    },
    /// List the attempts of a message, oldest first
    Attempts {
        #[command(flatten)]
        on: OnAccount,
        /// The message
        id: String,
    },
    /// Say how a message in doubt ended; it is never sent again
    #[command(group = ArgGroup::new("outcome").required(true))]
    Resolve {
        #[command(flatten)]
        on: OnAccount,
        /// The message
        id: String,
        /// The provider has it
        #[arg(long, group = "outcome")]
        sent: bool,
        /// The provider does not have it; its charge is returned
        #[arg(long, group = "outcome")]
        not_sent: bool,
    },
    /// Say what would be decided about a text on standard input; nothing is sent, stored or charged
    Explain {
        #[command(flatten)]
        on: OnAccount,
        /// The id or the name of the instance
        #[arg(long)]
        instance: String,
        /// The recipient's number, with its country code
        #[arg(long)]
        phone: String,
        /// Why it is to be sent, for example support
        #[arg(long)]
        purpose: String,
    },
}

const COLUMNS: &[&str] = &["id", "log_id", "status", "reason", "error", "phone", "purpose", "mode", "created_at"];
const ATTEMPT_COLUMNS: &[&str] = &["number", "started_at", "finished_at", "outcome", "error", "external_id"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("messages/{}", encode(id)));
        Ok(match self {
            Self::List { on, status, instance, paging } => {
                let question = Question::get(on.path(client, "messages")?).with("status", status).with("instance_id", instance);
                paging.of(question).listed(COLUMNS)
            }
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Attempts { on, id } => Question::get(path(&on, &id)? + "/attempts").listed(ATTEMPT_COLUMNS),
            Self::Resolve { on, id, sent, .. } => {
                let outcome = if sent { "sent" } else { "not_sent" };
                Question::post(path(&on, &id)? + "/resolve", json!({"outcome": outcome}))
            }
            Self::Explain { on, instance, phone, purpose } => {
                let body = json!({"instance_id": instance, "phone": phone, "message": read_text()?, "message_purpose": purpose});
                Question::post(on.path(client, "decisions/explain")?, body)
            }
        })
    }
}

fn read_text() -> Result<String, Failure> {
    let mut text = String::new();
    stdin().lock().read_to_string(&mut text).map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    Ok(text)
}
