//! Deliveries of events: the verbs.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::question::{OnAccount, Paging, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List deliveries, newest first
    List {
        #[command(flatten)]
        on: OnAccount,
        /// Only those to this endpoint
        #[arg(long, value_name = "ID")]
        endpoint: Option<String>,
        /// Only those with this status: queued, sending, sent, failed, blocked or skipped
        #[arg(long)]
        status: Option<String>,
        /// Only those of this event
        #[arg(long, value_name = "ID")]
        event: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read a delivery
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The delivery
        id: String,
    },
    /// List the attempts of a delivery, oldest first
    Attempts {
        #[command(flatten)]
        on: OnAccount,
        /// The delivery
        id: String,
    },
    /// Deliver an event once more
    Replay {
        #[command(flatten)]
        on: OnAccount,
        /// The delivery
        id: String,
        #[command(flatten)]
        again: Again,
    },
}

/// Why something is delivered again, and where to.
#[derive(Args, Debug)]
pub(super) struct Again {
    /// Why, for people
    #[arg(long)]
    reason: Option<String>,
    /// Also to a URL that the endpoint got after the event; needs a reason
    #[arg(long)]
    to_changed_url: bool,
}

impl Again {
    pub(super) fn body(self) -> Value {
        given(json!({"reason": self.reason, "to_changed_url": self.to_changed_url}))
    }
}

const COLUMNS: &[&str] = &["id", "event", "event_id", "endpoint_id", "status", "held", "error", "skip", "tries", "next_at", "created_at"];
const ATTEMPT_COLUMNS: &[&str] =
    &["number", "started_at", "finished_at", "outcome", "status_code", "error", "report.peer", "report.detail"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("deliveries/{}", encode(id)));
        Ok(match self {
            Self::List { on, endpoint, status, event, paging } => {
                let question = Question::get(on.path(client, "deliveries")?);
                let question = question.with("endpoint_id", endpoint).with("status", status).with("event_id", event);
                paging.of(question).listed(COLUMNS)
            }
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Attempts { on, id } => Question::get(path(&on, &id)? + "/attempts").listed(ATTEMPT_COLUMNS),
            Self::Replay { on, id, again } => Question::post(path(&on, &id)? + "/replay", again.body()),
        })
    }
}
