//! Suppressions: the verbs. Phone numbers may come from standard input, where neither the history of a shell nor the list of processes
//! shows them.

use std::fs::{self, File};
use std::io::{self, BufRead, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::print::{self, Form};
use super::question::{OnAccount, Paging, Question, encode, given};
use crate::Failure;
use crate::suppression_table::{self, Line};

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
    /// Write all suppressions as comma-separated values; what is exported can be imported
    Export(Export),
    /// Suppress all contacts of a table of comma-separated values, whose first line names the columns: `address`, and `cause` and `note` if
    /// you like
    Import(Import),
    /// End a suppression
    Lift {
        #[command(flatten)]
        on: OnAccount,
        /// The suppression
        id: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    on: OnAccount,
    /// The new file; `-` for standard output
    file: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Import {
    #[command(flatten)]
    on: OnAccount,
    /// The file; `-` for standard input
    file: PathBuf,
    /// Only say what would become of it
    #[arg(long)]
    dry_run: bool,
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
            // They are no questions of one answer: see `Export::run` and `Import::run`.
            Self::Export(_) | Self::Import(_) => Ok(Vec::new()),
            Self::Show { on, id } => Ok(vec![Question::get(path(&on, &id)?)]),
            Self::Lift { on, id } => Ok(vec![Question::delete(path(&on, &id)?)]),
        }
    }
}

impl Export {
    /// Asks for one page after the other, so that no more than one is in memory.
    pub(super) fn run(&self, client: &Client) -> Result<(), Failure> {
        let path = self.on.path(client, "suppressions")?;
        let to: Box<dyn Write> = if is_standard(&self.file) {
            Box::new(stdout().lock())
        } else {
            Box::new(File::create_new(&self.file).map_err(|error| self.failed(&error))?)
        };
        let failed = |error: csv::Error| self.failed(&error.into());
        let mut writer = suppression_table::begin(to).map_err(failed)?;
        let mut cursor = None;
        loop {
            let question = Question::get(path.clone()).with("limit", Some(200)).with("cursor", cursor.as_deref());
            let page = question.ask(client)?;
            for item in page["items"].as_array().into_iter().flatten() {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let (address, cause, since) = (text(&item["address"]), text(&item["cause"]), text(&item["since"]));
                let (note, lifted_at) = (text(&item["note"]), text(&item["lifted"]["at"]));
                let line = Line {
                    address: address.as_deref().unwrap_or_default(),
                    cause: cause.as_deref().unwrap_or_default(),
                    note: note.as_deref(),
                    since: since.as_deref().unwrap_or_default(),
                    lifted_at: lifted_at.as_deref(),
                };
                suppression_table::write(&mut writer, &line).map_err(failed)?;
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return writer.flush().map_err(|error| self.failed(&error));
            }
        }
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::Usage(format!("`{}`: {error}", self.file.display()))
    }
}

impl Import {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Failure> {
        let table = if is_standard(&self.file) { read_all(stdin().lock()) } else { fs::read_to_string(&self.file) };
        let table = table.map_err(|error| Failure::Usage(format!("`{}`: {error}", self.file.display())))?;
        let path = self.on.path(client, "suppressions/import")?;
        let answer = client.post_table(&if self.dry_run { path + "?dry_run=true" } else { path }, table)?;
        print::written(print::answer(&answer, &[], form))
    }
}

fn read_all(mut input: impl Read) -> io::Result<String> {
    let mut text = String::new();
    input.read_to_string(&mut text)?;
    Ok(text)
}

fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}

fn read_phones(input: impl BufRead) -> Result<Vec<String>, Failure> {
    let lines: Result<Vec<_>, _> = input.lines().collect();
    let lines = lines.map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    let phones: Vec<_> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
    if phones.is_empty() { Err(Failure::Usage("expected a phone number".to_owned())) } else { Ok(phones) }
}
