//! A private Postgres for tests and benches, made from the machine's binaries in a temporary folder, and gone with the process.
//!
//! The players: [`Cluster`] (one server on a free port of 127.0.0.1; a watchdog stops and removes it, however its process ends),
//! [`Database`] (one database of it, dropped with its handle), [`binaries`] (where the machine keeps Postgres). Postgres refuses to run
//! as root: then it runs as the user `postgres`, or `nobody`. Unix only.
//!
//! ```no_run
//! use gatepost_cluster::Cluster;
//!
//! let Some(cluster) = Cluster::shared() else { return Ok(()) };
//! let database = cluster.create()?;
//! database.run("CREATE TABLE t (x BIGINT)")?;
//! # Ok::<(), gatepost_cluster::ClusterError>(())
//! ```

pub mod binaries;
mod client;
mod server;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

pub use client::Rows;
use server::Server;

/// What went wrong with a cluster: an error of a test's surroundings, with all that is known.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The machine has no Postgres.
    #[error("no Postgres here: neither GATEPOST_POSTGRES_BIN nor PATH nor /usr/lib/postgresql/*/bin leads to `initdb` and `postgres`")]
    Absent,
    /// A program or a file refused.
    #[error("the cluster: {0}")]
    Refused(String),
    /// The server refused a statement.
    #[error("the server refused `{statement}`: {error:?}")]
    Statement {
        /// The statement.
        statement: String,
        /// What it said.
        error: tokio_postgres::Error,
    },
}

impl From<std::io::Error> for ClusterError {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// How a cluster is set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether a commit reaches the disk before it is answered. Tests do without, as no power fails in them.
    pub durable: bool,
    /// Further settings of the server: name and value.
    pub server: Vec<(String, String)>,
    /// A certificate and its key, both as PEM, for a server that speaks TLS.
    pub tls: Option<(String, String)>,
}

/// A Postgres server of this process alone.
pub struct Cluster {
    server: Mutex<Server>,
    superuser: String,
    named: AtomicUsize,
    templates: Mutex<HashSet<String>>,
    /// Databases that were used and cleaned, by the template that they are like.
    clean: Mutex<HashMap<String, Vec<String>>>,
}

impl Cluster {
    /// The cluster that all tests of a process share: without sync, started when it is first asked for. `None`, and a line that says so,
    /// where the machine has no Postgres.
    ///
    /// # Panics
    ///
    /// Where there is none although `CI` is `true`, and where it cannot be started.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match Self::start(&Settings::default()) {
            Ok(cluster) => Some(cluster),
            Err(ClusterError::Absent) if !is_ci() => None,
            Err(error) => panic!("{error}"),
        });
        if shared.is_none() {
            say_skipped();
        }
        shared.as_ref()
    }

    /// Starts a cluster; it ends when this is dropped.
    pub fn start(settings: &Settings) -> Result<Self, ClusterError> {
        let server = Server::start(settings)?;
        let superuser = server.address();
        Ok(Self { server: Mutex::new(server), superuser, named: AtomicUsize::new(0), templates: Mutex::default(), clean: Mutex::default() })
    }

    /// The URL of one of its databases, for the superuser.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.superuser)
    }

    /// The URL of one of its databases, for another role.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        let place = self.superuser.rsplit('@').next().unwrap_or_default();
        format!("postgres://{role}:{password}@{place}/{database}")
    }

    /// Makes an empty database.
    pub fn create(&self) -> Result<Database<'_>, ClusterError> {
        self.create_from("template0")
    }

    /// Makes a database like the one that `prepare` made of an empty one, given its URL, the first time that `template` was named.
    pub fn create_like(&self, template: &str, prepare: impl FnOnce(&str)) -> Result<Database<'_>, ClusterError> {
        {
            let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
            if !templates.contains(template) {
                self.run("postgres", &format!("CREATE DATABASE {template} TEMPLATE template0"))?;
                prepare(&self.url(template));
                templates.insert(template.to_owned());
            }
        }
        self.create_from(template)
    }

    /// Gives a database like the one that `prepare` made, and takes it back: `clean` empties it for the next, which costs a hundredth of
    /// what a new one does. Not for tests that change more than rows.
    pub fn lend_like(&self, template: &str, prepare: impl FnOnce(&str), clean: &str) -> Result<Database<'_>, ClusterError> {
        let used = self.clean.lock().unwrap_or_else(PoisonError::into_inner).get_mut(template).and_then(Vec::pop);
        let lent = Some(Lent { template: template.to_owned(), clean: clean.to_owned() });
        match used {
            Some(name) => Ok(Database { cluster: self, name, lent }),
            None => self.create_like(template, prepare).map(|mut database| {
                database.lent = lent;
                database
            }),
        }
    }

    /// Runs statements in one of its databases, as the superuser.
    pub fn run(&self, database: &str, statements: &str) -> Result<Rows, ClusterError> {
        client::run(&self.url(database), statements)
    }

    /// Kills the server as a crash of the machine would, without a chance to tidy up.
    pub fn kill(&self) -> Result<(), ClusterError> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).kill()
    }

    /// Starts the server again, at the same port, after [`Cluster::kill`].
    pub fn resume(&self) -> Result<(), ClusterError> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).resume()
    }

    /// The process id of the server, for a test that pauses it.
    pub fn pid(&self) -> u32 {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).pid()
    }

    fn create_from(&self, template: &str) -> Result<Database<'_>, ClusterError> {
        let name = format!("test_{}", self.named.fetch_add(1, Ordering::Relaxed));
        client::patiently(|| self.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}")))?;
        Ok(Database { cluster: self, name, lent: None })
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// A database, dropped with its handle.
#[derive(Debug)]
pub struct Database<'c> {
    cluster: &'c Cluster,
    name: String,
    lent: Option<Lent>,
}

/// What it takes to lend a database again.
#[derive(Debug)]
struct Lent {
    template: String,
    clean: String,
}

impl Database<'_> {
    /// Its URL, for the superuser.
    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// Its URL, for another role.
    pub fn url_as(&self, role: &str, password: &str) -> String {
        self.cluster.url_as(role, password, &self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements in it, as the superuser.
    pub fn run(&self, statements: &str) -> Result<Rows, ClusterError> {
        self.cluster.run(&self.name, statements)
    }
}

impl Database<'_> {
    /// Ends who is still connected, and empties it.
    fn is_cleaned(&self, lent: &Lent) -> bool {
        let end =
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.run(&format!("{end}; {}", lent.clean)).is_ok()
    }
}

impl Drop for Database<'_> {
    /// Ends who is still connected. What cannot be dropped goes with the cluster.
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take()
            && self.is_cleaned(&lent)
        {
            let mut clean = self.cluster.clean.lock().unwrap_or_else(PoisonError::into_inner);
            clean.entry(lent.template).or_default().push(std::mem::take(&mut self.name));
            return;
        }
        let _ = self.cluster.run("postgres", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// Past the capture of the test runner, which shows only what failed.
fn say_skipped() {
    use std::io::Write;
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {}", ClusterError::Absent);
}
