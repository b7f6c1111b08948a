//! Audit: the verbs. They speak of all accounts unless one is named, and a flaw ends them with exit code 1.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gatepost::{Flaw, SEALED_LATE};
use serde_json::{Value, json};

use super::client::Client;
use super::print::{self, Form};
use super::question::{Question, encode};
use crate::failure::Refusal;
use crate::{Failure, console};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Print the head of each account's chain of seals, one JSON object a line, to be kept where the database cannot be written from
    Head(ShowHeads),
    /// Compare the log of policy events with its seals, and with heads that were kept
    ///
    /// Names what was changed, is missing, was moved or inserted, and says how many of the newest events are not sealed yet. That the end
    /// of the log was cut together with its seals and the log's counter, only a kept head shows. So it is where somebody took seals away,
    /// changed what they covered, and waited for a restart of the gateway, which then sealed it anew: keep what `audit head` prints where
    /// the database cannot be written from. Segments that were sealed much later than their events are remarked on.
    Verify(Verify),
}

#[derive(Args, Debug)]
pub(super) struct ShowHeads {
    /// Only that of this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Verify {
    /// Only the log of this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// What `audit head` printed earlier; `-` for standard input. Of several heads of an account the last one counts
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
}

const COLUMNS: &[&str] =
    &["account_id", "is_sound", "segments", "dropped_segments", "sealed_events", "unsealed_events", "flaw_count", "first_flaw"];
/// As many as a page can have.
const ITEMS_AT_ONCE: u8 = 200;

impl Verb {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Failure> {
        match self {
            Self::Head(show) => show.run(client),
            Self::Verify(verify) => verify.run(client, form),
        }
    }
}

impl ShowHeads {
    fn run(&self, client: &Client) -> Result<(), Failure> {
        let heads = match &self.account {
            Some(account) => vec![Question::get(path(account, "head")).ask(client)?],
            None => all(client, "/v1/audit/heads")?,
        };
        let (whole, broken): (Vec<Value>, Vec<Value>) = heads.into_iter().partition(|head| head["digest"].is_string());
        print::written(whole.iter().try_for_each(|head| writeln!(stdout(), "{head}")))?;
        for head in &broken {
            let account = head["account_id"].as_str().unwrap_or_default();
            console::tell(format_args!("{account}: its last seal is none that the gateway made; `audit verify` tells more"));
        }
        if broken.is_empty() { Ok(()) } else { Err(Failure::Refused(Refusal::of(format!("{} heads are left out", broken.len())))) }
    }
}

impl Verify {
    fn run(&self, client: &Client, form: Form) -> Result<(), Failure> {
        let mut kept = self.head.as_deref().map(read_heads).transpose()?.unwrap_or_default();
        let accounts = match &self.account {
            Some(account) => vec![account.clone()],
            None => all(client, "/v1/accounts")?.iter().map(|account| text(&account["id"])).collect(),
        };
        let mut reports = Vec::new();
        for account in &accounts {
            let body = kept.remove(account).map_or_else(|| json!({}), |head| json!({"head": head}));
            reports.push(Question::post(path(account, "verify"), body).ask(client)?);
        }
        // With one account named, the heads of others are nobody's business.
        if self.account.is_none() {
            reports.extend(kept.keys().map(|account| gone(account)));
        }
        print::written(show(&reports, form))?;
        judge(&reports)
    }
}

fn path(account: &str, what: &str) -> String {
    format!("/v1/accounts/{}/audit/{what}", encode(account))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// All items of a list.
fn all(client: &Client, path: &str) -> Result<Vec<Value>, Failure> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let mut page = Question::get(path).with("limit", Some(ITEMS_AT_ONCE)).with("cursor", cursor.as_deref()).ask(client)?;
        if let Some(found) = page["items"].as_array_mut() {
            items.append(found);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(items),
        }
    }
}

/// The heads of a file, by account.
fn read_heads(file: &Path) -> Result<BTreeMap<String, Value>, Failure> {
    let failed = |problem: &dyn std::fmt::Display| Failure::Usage(format!("{}: {problem}", file.display()));
    let mut written = String::new();
    let from: io::Result<Box<dyn Read>> =
        if file == Path::new("-") { Ok(Box::new(stdin())) } else { File::open(file).map(|file| Box::new(file) as _) };
    from.and_then(|mut from| from.read_to_string(&mut written)).map_err(|error| failed(&error))?;
    let heads: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&written).into_iter().collect();
    let heads = heads.map_err(|_| failed(&"expected JSON, as `audit head` prints it"))?;
    let named = |head: Value| head["account_id"].as_str().map(str::to_owned).map(|account| (account, head));
    heads.into_iter().map(named).collect::<Option<_>>().ok_or_else(|| failed(&"expected heads, as `audit head` prints them"))
}

/// What is to be said of an account that a head names and that is not there.
fn gone(account: &str) -> Value {
    let flaw = Flaw::account_missing();
    json!({
        "account_id": account,
        "is_sound": false,
        "flaws": [{"kind": flaw.kind, "count": flaw.count, "text": flaw.to_string()}],
        "flaw_count": 1,
    })
}

fn show(reports: &[Value], form: Form) -> io::Result<()> {
    let mut stdout = stdout().lock();
    match form {
        Form::Json => reports.iter().try_for_each(|report| writeln!(stdout, "{report}")),
        Form::Text => {
            let rows: Vec<Value> = reports.iter().map(with_first_flaw).collect();
            stdout.write_all(print::table(&rows, COLUMNS).as_bytes())?;
            for (account, flaw) in reports.iter().flat_map(further_flaws) {
                writeln!(stdout, "{account}: {flaw}")?;
            }
            for report in reports.iter().filter(|report| report["late_segments"].as_u64() > Some(0)) {
                let (account, late, first) = (text(&report["account_id"]), &report["late_segments"], &report["first_late_segment"]);
                writeln!(
                    stdout,
                    "{account}: {late} segments were sealed more than {} minutes after their events, from segment {first} on: as after a \
                     time without the gateway, or where somebody had the log sealed anew",
                    SEALED_LATE.as_secs() / 60
                )?;
            }
            Ok(())
        }
    }
}

fn with_first_flaw(report: &Value) -> Value {
    let mut row = report.clone();
    row["first_flaw"] = report["flaws"][0]["text"].clone();
    row
}

/// Those that have no room in the table.
fn further_flaws(report: &Value) -> impl Iterator<Item = (String, String)> {
    let account = text(&report["account_id"]);
    report["flaws"].as_array().into_iter().flatten().skip(1).map(move |flaw| (account.clone(), text(&flaw["text"])))
}

fn judge(reports: &[Value]) -> Result<(), Failure> {
    let flawed = reports.iter().filter(|report| report["is_sound"] != true).count();
    if flawed == 0 {
        return Ok(());
    }
    Err(Failure::Refused(Refusal::of(format!("the log is not what was sealed, in {flawed} of {} accounts", reports.len()))))
}
