//! Recoveries: the verbs.

use clap::Subcommand;

use super::client::Client;
use super::deliveries::Again;
use super::question::{OnAccount, Paging, Question, encode};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Deliver again what an endpoint did not take since a time
    Start {
        #[command(flatten)]
        on: OnAccount,
        /// The endpoint
        endpoint: String,
        /// Since when, for example 2026-11-22T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: String,
        #[command(flatten)]
        again: Again,
    },
    /// List recoveries, newest first
    List {
        #[command(flatten)]
        on: OnAccount,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read a recovery
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The recovery
        id: String,
    },
    /// End a recovery early
    Cancel {
        #[command(flatten)]
        on: OnAccount,
        /// The recovery
        id: String,
    },
}

const COLUMNS: &[&str] = &["id", "endpoint_id", "state", "since", "until", "queued", "left", "by"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("recoveries/{}", encode(id)));
        Ok(match self {
            Self::Start { on, endpoint, since, again } => {
                let mut body = again.body();
                body["since"] = since.into();
                Question::post(on.path(client, &format!("endpoints/{}/recoveries", encode(&endpoint)))?, body)
            }
            Self::List { on, paging } => paging.of(Question::get(on.path(client, "recoveries")?)).listed(COLUMNS),
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Cancel { on, id } => Question::act(path(&on, &id)? + "/cancel"),
        })
    }
}
