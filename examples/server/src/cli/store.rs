//! Store: all of a database into another one.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gatepost_postgres::PostgresStore;
use gatepost_sqlite::SqliteStore;
use serde_json::json;

use super::client;
use super::print::{self, Form};
use crate::config::{DatabaseUrl, Secret, Settings};
use crate::data_folder::DataFolder;
use crate::failure::Refusal;
use crate::{Failure, database, store_copy};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Copy a SQLite database into an empty Postgres, and compare both table by table; nobody may write to the source meanwhile
    Copy(Copy),
}

#[derive(Args, Debug)]
pub(super) struct Copy {
    /// The SQLite file [default: that of the data folder]
    #[arg(long, value_name = "sqlite:PATH")]
    from: Option<String>,
    /// The Postgres [default: `database.url`]; others on this machine can see a password in it here, so rather set GATEPOST_DATABASE_URL_FILE
    #[arg(long, value_name = "URL")]
    to: Option<Secret>,
}

impl Verb {
    pub(super) fn run(self, settings: &Settings, form: Form) -> Result<(), Failure> {
        let Self::Copy(copy) = self;
        copy.run(settings, form)
    }
}

impl Copy {
    fn run(&self, settings: &Settings, form: Form) -> Result<(), Failure> {
        let (from, to) = (self.source(settings)?, self.target(settings)?);
        let runtime = client::runtime()?;
        let compared = store_copy::run(&from, &to, runtime.handle())?;
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
            0 => Ok(()),
            others => Err(Failure::Refused(Refusal::of(format!("{others} tables are not the same: do not work in the copy")))),
        }
    }

    /// Opened, so that its tables are those of this release.
    fn source(&self, settings: &Settings) -> Result<SqliteStore, Failure> {
        let path = match &self.from {
            None => DataFolder::of(settings).file(),
            Some(from) => match from.strip_prefix("sqlite:") {
                Some(path) => PathBuf::from(path),
                None => return Err(Failure::Usage("`--from`: expected `sqlite:` and the path of a file".to_owned())),
            },
        };
        existing(&path)?;
        database::open_file(&path)
    }

    fn target(&self, settings: &Settings) -> Result<PostgresStore, Failure> {
        let given = self.to.as_ref().map(|to| to.reveal().parse::<DatabaseUrl>());
        let given = given.transpose().map_err(|error| Failure::Usage(format!("`--to`: {error}")))?;
        let Some(url) = given.or_else(|| settings.database.url.clone()) else {
            return Err(Failure::Usage("the target is missing: give `--to`, or set `database.url`".to_owned()));
        };
        database::open_server(&url, &settings.database)
    }
}

/// A copy of nothing is not what anybody means.
fn existing(path: &Path) -> Result<(), Failure> {
    if path.is_file() { Ok(()) } else { Err(Failure::Unavailable(format!("{}: there is no such file", path.display()))) }
}
