//! Suppressions: the verbs. Phone numbers may come from standard input, where neither the history of a shell nor the list of processes
//! shows them.

use std::io::{BufRead, stdin};

use clap::Subcommand;
use serde_json::json;

use super::client::Client;
use super::question::{OnAccount, Paging, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Let no message go out to these numbers
    Add {
        #[command(flatten)]
        on: OnAccount,
        /// The numbers, with their country codes; one a line on standard input where none is given
        phones: Vec<String>,
        /// Why: manual, complaint or legal
        #[arg(long, default_value = "manual")]
        cause: String,
        /// A remark
        #[arg(long)]
        note: Option<String>,
    },
    /// List suppressions, newest first
    List {
        #[command(flatten)]
        on: OnAccount,
        /// Only those of this number
        #[arg(long)]
        phone: Option<String>,
        /// Only those in force
        #[arg(long)]
        in_force: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Read a suppression
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The suppression
        id: String,
    },
    /// End a suppression
    Lift {
        #[command(flatten)]
        on: OnAccount,
        /// The suppression
        id: String,
    },
}

const COLUMNS: &[&str] = &["id", "phone", "cause", "since", "by", "lifted.at", "note"];

impl Verb {
    pub(super) fn questions(self, client: &Client) -> Result<Vec<Question>, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("suppressions/{}", encode(id)));
        match self {
            Self::Add { on, phones, cause, note } => {
                let path = on.path(client, "suppressions")?;
                let phones = if phones.is_empty() { read_phones(stdin().lock())? } else { phones };
                let body = |phone| given(json!({"phone": phone, "cause": cause, "note": note}));
                Ok(phones.into_iter().map(|phone| Question::post(path.clone(), body(phone))).collect())
            }
            Self::List { on, phone: None, in_force, paging } => {
                let question = Question::get(on.path(client, "suppressions")?).with("in_force", in_force.then_some(true));
                Ok(vec![paging.of(question).listed(COLUMNS)])
            }
            Self::List { on, phone, in_force, paging } => {
                let body = json!({"phone": phone, "in_force": in_force, "limit": paging.limit, "cursor": paging.cursor});
                Ok(vec![Question::post(on.path(client, "suppressions/search")?, given(body)).listed(COLUMNS)])
            }
            Self::Show { on, id } => Ok(vec![Question::get(path(&on, &id)?)]),
            Self::Lift { on, id } => Ok(vec![Question::delete(path(&on, &id)?)]),
        }
    }
}

fn read_phones(input: impl BufRead) -> Result<Vec<String>, Failure> {
    let lines: Result<Vec<_>, _> = input.lines().collect();
    let lines = lines.map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    let phones: Vec<_> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
    if phones.is_empty() { Err(Failure::Usage("expected a phone number".to_owned())) } else { Ok(phones) }
}
