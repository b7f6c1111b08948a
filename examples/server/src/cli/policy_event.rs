//! Policy events: the verbs.

use clap::Subcommand;

use super::client::Client;
use super::question::{OnAccount, Paging, Question};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List policy events, newest first
    List {
        #[command(flatten)]
        on: OnAccount,
        /// Only those about this message
        #[arg(long, value_name = "ID")]
        message: Option<String>,
        /// Only those of sends that became no message
        #[arg(long)]
        refused: bool,
        #[command(flatten)]
        paging: Paging,
    },
}

const COLUMNS: &[&str] =
    &["seq", "at", "decision.verdict", "decision.risk_score", "purpose", "recipient", "message_id", "decision.reasons.rule"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let Self::List { on, message, refused, paging } = self;
        let question =
            Question::get(on.path(client, "policy-events")?).with("message_id", message).with("refused", refused.then_some(true));
        Ok(paging.of(question).listed(COLUMNS))
    }
}
