//! Store: all of a database into another one.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gatepost::Host;
use gatepost_postgres::PostgresStore;
use gatepost_sqlite::Leaving;
use gatepost_system::System;
use serde_json::json;
use tokio::runtime::Runtime;

use super::client;
use super::print::{self, Form};
use crate::config::{DatabaseSettings, DatabaseUrl, Secret, Settings};
use crate::data_folder::DataFolder;
use crate::failure::Refusal;
use crate::{Failure, console, database, store_copy};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Move a SQLite database into an empty Postgres, and compare both table by table; nobody may have the source open
    Copy(Copy),
    /// Work again in a SQLite database that was moved, without what happened in the Postgres since
    Reopen {
        #[command(flatten)]
        source: Source,
    },
}

#[derive(Args, Debug)]
pub(super) struct Source {
    /// The SQLite file [default: that of the data folder]
    #[arg(long, value_name = "sqlite:PATH")]
    from: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Copy {
    #[command(flatten)]
    source: Source,
    /// The Postgres [default: `database.url`]; others on this machine can see a password in it here, so rather set GATEPOST_DATABASE_URL_FILE
    #[arg(long, value_name = "URL")]
    to: Option<Secret>,
    /// The database of `--to` for the role that owns its tables, where that of `--to` does not; `database.owner_url` is another database's then
    #[arg(long, requires = "to", value_name = "URL")]
    to_owner: Option<Secret>,
}

impl Verb {
    pub(super) fn run(self, settings: &Settings, form: Form) -> Result<(), Failure> {
        match self {
            Self::Copy(copy) => copy.run(settings, form),
            Self::Reopen { source } => source.reopen(settings),
        }
    }
}

impl Source {
    fn path(&self, settings: &Settings) -> Result<PathBuf, Failure> {
        let path = match &self.from {
            None => DataFolder::of(settings).file(),
            Some(from) => match from.strip_prefix("sqlite:") {
                Some(path) => PathBuf::from(path),
                None => return Err(Failure::Usage("`--from`: expected `sqlite:` and the path of a file".to_owned())),
            },
        };
        existing(&path)?;
        Ok(path)
    }

    /// Opened before, so that its tables are those of this release and its keyring is the one at hand.
    fn hold(&self, settings: &Settings, runtime: &Runtime) -> Result<Leaving, Failure> {
        let path = self.path(settings)?;
        let keys = DataFolder::of(settings).keys().clone();
        let keyring = keys.read()?;
        runtime.block_on(keys.refuse_other(&keyring, &database::open_file(&path)?))?;
        database::hold_file(&path)
    }

    fn reopen(&self, settings: &Settings) -> Result<(), Failure> {
        let path = self.path(settings)?;
        let said = match database::hold_file(&path)?.unmark_moved()? {
            Some(moved) => format!("can be opened again; what happened since {} in {} is not in it", moved.at, moved.to),
            None => "was not moved".to_owned(),
        };
        console::say(format_args!("{} {said}", path.display()));
        Ok(())
    }
}

impl Copy {
    fn run(&self, settings: &Settings, form: Form) -> Result<(), Failure> {
        let runtime = client::runtime()?;
        let from = self.source.hold(settings, &runtime)?;
        let (place, to) = self.target(settings)?;
        let compared = store_copy::run(&from, &to, &place, System.now(), runtime.handle())?;
        let digest = |digest: &[u8; 32]| digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
        let item = |of: &store_copy::Compared| {
            json!({
                "table": of.table, "rows_from": of.from.rows, "rows_to": of.to.rows, "sha256_from": digest(&of.from.digest),
                "sha256_to": digest(&of.to.digest), "same": of.is_same()
            })
        };
        let answer = json!({"items": compared.iter().map(item).collect::<Vec<_>>()});
        print::written(print::answer(&answer, &["table", "rows_from", "rows_to", "sha256_from", "sha256_to", "same"], form))?;
        match compared.iter().filter(|of| !of.is_same()).count() {
            0 if form == Form::Text => {
                console::say(format_args!("all of it is in {place} now: serve from there; no server opens the SQLite file any more"));
                Ok(())
            }
            0 => Ok(()),
            others => Err(Failure::Refused(Refusal::of(format!("{others} tables were not the same, so that nothing was moved")))),
        }
    }

    /// The Postgres, and how it is called.
    fn target(&self, settings: &Settings) -> Result<(String, PostgresStore), Failure> {
        let database = match &self.to {
            // The owner that the settings name is that of another database.
            Some(to) => DatabaseSettings {
                url: Some(url("--to", to)?),
                owner_url: self.to_owner.as_ref().map(|owner| url("--to-owner", owner)).transpose()?,
                ..settings.database.clone()
            },
            None => settings.database.clone(),
        };
        match &database.url {
            Some(url) => Ok((url.to_string(), database::open_server(url, &database)?)),
            None => Err(Failure::Usage("the target is missing: give `--to`, or set `database.url`".to_owned())),
        }
    }
}

fn url(flag: &str, text: &Secret) -> Result<DatabaseUrl, Failure> {
    text.reveal().parse().map_err(|error| Failure::Usage(format!("`{flag}`: {error}")))
}

/// A copy of nothing is not what anybody means.
fn existing(path: &Path) -> Result<(), Failure> {
    if path.is_file() { Ok(()) } else { Err(Failure::Unavailable(format!("{}: there is no such file", path.display()))) }
}
