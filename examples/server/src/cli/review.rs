//! Reviews: the verbs.

use clap::Subcommand;
use serde_json::json;

use super::client::Client;
use super::question::{OnAccount, Paging, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List reviews, newest first
    List {
        #[command(flatten)]
        on: OnAccount,
        /// Only those that wait for a person
        #[arg(long, conflicts_with = "closed")]
        open: bool,
        /// Only those that were closed
        #[arg(long)]
        closed: bool,
        /// Only those that this rule opened
        #[arg(long)]
        rule: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read a review
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The message
        id: String,
    },
    /// Let a held message go out, if present facts allow it; where the account wants two people, each says so
    Release {
        #[command(flatten)]
        on: OnAccount,
        /// The message
        id: String,
        /// A remark
        #[arg(long)]
        note: Option<String>,
    },
    /// Let a held message never go out
    Refuse {
        #[command(flatten)]
        on: OnAccount,
        /// The message
        id: String,
        /// A remark
        #[arg(long)]
        note: Option<String>,
    },
}

const COLUMNS: &[&str] = &["message_id", "state", "opened_by", "opened_at", "expires_at", "approved.by", "closed.verdict", "closed.by"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("reviews/{}", encode(id)));
        Ok(match self {
            Self::List { on, open, closed, rule, paging } => {
                let state = open.then_some("open").or(closed.then_some("closed"));
                paging.of(Question::get(on.path(client, "reviews")?).with("state", state).with("rule", rule)).listed(COLUMNS)
            }
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Release { on, id, note } => Question::post(path(&on, &id)? + "/release", given(json!({"note": note}))),
            Self::Refuse { on, id, note } => Question::post(path(&on, &id)? + "/refuse", given(json!({"note": note}))),
        })
    }
}
