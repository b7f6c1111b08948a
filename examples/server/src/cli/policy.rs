//! Policy: the verbs. A policy is a file of TOML.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::print::{self, Form};
use super::question::{Question, given};
use crate::failure::Refusal;
use crate::policy_text::{self, PolicyText};
use crate::{Failure, console};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show what decides, and the candidate that runs beside it
    Show,
    /// Check a file
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print the JSON Schema of a policy: every rule and group that can be set, and its usual value
    Schema,
    /// Decide the stored policy events again, and tell what another policy would change, by account, purpose and rule
    ///
    /// Nothing is changed. What was found in the texts stands in the events, so other points, caps and thresholds are tried, not other
    /// words. Without a file the live policy is tried: then nothing may change. Where an event does not come out the same under the policy of
    /// then, the first one is named, and the exit code is 1.
    Backtest {
        /// The policy to try
        file: Option<PathBuf>,
        /// Only messages of this account
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Only what was decided at this time or later, for example 2026-11-22T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only what was decided before this time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
}

const COLUMNS: &[&str] = &["account_id", "purpose", "from", "to", "rule", "count"];

impl Verb {
    /// What needs no gateway; `None` where one must be asked.
    pub(super) fn run_alone(&self) -> Option<Result<(), Failure>> {
        match self {
            Self::Check { file } => {
                Some(policy_text::read(file).map(|policy| console::tell(format_args!("version {} can be a policy", policy.version))))
            }
            Self::Schema => Some(print::written(print::document(&policy_text::schema()))),
            Self::Show | Self::Backtest { .. } => None,
        }
    }

    pub(super) fn run(self, client: &Client, form: Form) -> Result<(), Failure> {
        match self {
            Self::Backtest { file, account, since, until } => {
                let candidate = file.as_deref().map(policy_text::read).transpose()?.map(|policy| json!(PolicyText::of(&policy)));
                let body = json!({"candidate": candidate, "account_id": account, "since": since, "until": until});
                let mut answer = Question::post("/v1/policy/backtest", given(body)).ask(client)?;
                let judged = judge(&answer);
                if matches!(form, Form::Text) {
                    let counts = ["events", "changed", "not_repeated"].map(|name| answer[name].to_string());
                    let [events, changed, not_repeated] = counts;
                    console::tell(format_args!("{events} events, {changed} decided otherwise, {not_repeated} not repeated"));
                    answer = json!({"items": answer["changes"]});
                }
                print::written(print::answer(&answer, COLUMNS, form))?;
                judged
            }
            _ => {
                let answer = Question::get("/v1/policy").ask(client)?;
                print::written(print::answer(&answer, &[], form))
            }
        }
    }
}

/// An event that does not come out the same was changed, or was decided by other rules than those of this version.
fn judge(answer: &Value) -> Result<(), Failure> {
    let count = answer["not_repeated"].as_u64().unwrap_or_default();
    if count == 0 {
        return Ok(());
    }
    let first = &answer["first_not_repeated"];
    let (account, seq) = (first["account_id"].as_str().unwrap_or_default(), &first["seq"]);
    let told = format!("{count} policy events do not come out as they were decided, the first of them number {seq} of {account}");
    Err(Failure::Refused(Refusal::of(told)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_repeated_is_named_and_ends_in_a_refusal() {
        let answer = json!({"events": 9, "not_repeated": 2, "first_not_repeated": {"account_id": "acc_1", "seq": 7}});
        let told = judge(&answer).map_err(|failure| (matches!(failure, Failure::Refused(_)), failure.to_string()));
        let named = "refused: 2 policy events do not come out as they were decided, the first of them number 7 of acc_1";
        assert_eq!(told, Err((true, named.to_owned())));
        assert!(judge(&json!({"events": 9, "not_repeated": 0})).is_ok());
    }
}
