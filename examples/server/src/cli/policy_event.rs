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
        /// Only those that ended so: allow, hold, throttle or block
        #[arg(long)]
        verdict: Option<String>,
        /// Only those with a reason that this rule found, as the rules are called in answers
        #[arg(long)]
        rule: Option<String>,
        /// Only those decided at this time or later, for example 2026-11-22T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only those decided before this time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

const COLUMNS: &[&str] = &[
    "seq",
    "at",
    "decision.verdict",
    "decision.risk_score",
    "purpose",
    "recipient",
    "message_id",
    "asked_by",
    "released_by",
    "decision.reasons.rule",
];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let Self::List { on, message, refused, verdict, rule, since, until, paging } = self;
        let question = Question::get(on.path(client, "policy-events")?)
            .with("message_id", message)
            .with("refused", refused.then_some(true))
            .with("verdict", verdict)
            .with("rule", rule)
            .with("since", since)
            .with("until", until);
        Ok(paging.of(question).listed(COLUMNS))
    }
}
