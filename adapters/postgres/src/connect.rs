//! Connect: the way to the database: its URL, TLS, and the pool of connections with the settings that the promises rest on.
//!
//! TLS is verified or absent: `sslmode=disable` is plain, and every other mode that is taken means what `verify-full` means elsewhere.
//! A name that is not of this machine is spoken to with TLS unless the URL says otherwise.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{Client, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use gatepost::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::OpenError;
use crate::clock::{Skew, host_now};
use crate::error::Failure;
use crate::profile::{Engine, Profile};
use crate::runtime::Runtime;
use crate::schema;
use crate::transaction::Access;

/// What a statement may take more on its way than the server gives it.
const WAY_MAX: Duration = Duration::from_secs(5);

/// How many connections are kept for those that write, or half of all where there are fewer: one for each lane, and some for what a host does
/// once in a while. However long the lists take, they cannot have these.
const WRITERS: usize = 8;

/// How a database is opened.
#[derive(Clone, Eq, PartialEq)]
pub struct Options {
    /// The role that the store works as, where that of the URL owns the tables: without a login, bound by row level security, and made by
    /// the migration where the URL's role may make it.
    pub app_role: String,
    /// How long a connection may take to be made, and a caller may wait for one that is free.
    pub connect_timeout: Duration,
    /// How many connections are kept at most.
    pub connections: usize,
    /// How long the server waits for a host that has fallen silent within a transaction, before it undoes it and frees its locks. A host
    /// that is only slow begins again.
    pub idle_timeout: Duration,
    /// How long the server may work at a statement of a transaction that only reads.
    pub list_timeout: Duration,
    /// The URL of the role that owns the tables and runs migrations, where the store's own URL names another. That other needs no more
    /// than a login: the migration grants it what it may.
    pub owner_url: Option<String>,
    /// What the engine can do; none: what it says of itself.
    pub profile: Option<Profile>,
    /// How long the server may work at a statement, waits for locks included.
    pub statement_timeout: Duration,
    /// How many threads speak to the database.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            app_role: String::from("gatepost_app"),
            connect_timeout: Duration::from_secs(5),
            connections: 16,
            idle_timeout: Duration::from_secs(3),
            list_timeout: Duration::from_secs(5),
            owner_url: None,
            profile: None,
            statement_timeout: Duration::from_secs(20),
            threads: 2,
        }
    }
}

impl fmt::Debug for Options {
    /// Without the owner's password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("app_role", &self.app_role)
            .field("connect_timeout", &self.connect_timeout)
            .field("connections", &self.connections)
            .field("idle_timeout", &self.idle_timeout)
            .field("list_timeout", &self.list_timeout)
            .field("owner_url", &self.owner_url.as_deref().map(PostgresUrl::from_str))
            .field("profile", &self.profile)
            .field("statement_timeout", &self.statement_timeout)
            .field("threads", &self.threads)
            .finish()
    }
}

/// A `postgres://` URL, as it is shown to anybody: without the password.
#[derive(Clone)]
pub struct PostgresUrl {
    config: Config,
    root_certificates: Option<String>,
}

impl FromStr for PostgresUrl {
    type Err = OpenError;

    /// Reads what [`Config`] reads, and `sslmode` and `sslrootcert` as this store means them.
    fn from_str(url: &str) -> Result<Self, OpenError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(invalid("a database URL starts with `postgres://`"));
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut root_certificates) = (None, None);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match url::form_urlencoded::parse(pair.as_bytes()).next() {
                Some((name, value)) if name == "sslmode" => mode = Some(value.into_owned()),
                Some((name, value)) if name == "sslrootcert" => root_certificates = Some(value.into_owned()),
                _ => rest.push(pair),
            }
        }
        // What the parser says may quote the URL, and with it the password.
        let mut config: Config = format!("{place}?{}", rest.join("&")).parse().map_err(|_| invalid("the database URL cannot be read"))?;
        config.ssl_mode(ssl_mode(mode.as_deref(), &config)?);
        Ok(Self { config, root_certificates })
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::from("localhost"),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        write!(f, "postgres://{}@{host}:{port}/", self.config.get_user().unwrap_or_default())?;
        f.write_str(self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl PostgresUrl {
    /// Whether what is said to the server can be read on the way.
    pub fn is_plain(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Disable
    }

    /// The way to the server, with what every connection of ours has.
    fn way(&self, options: &Options) -> Result<Way, OpenError> {
        let mut config = self.config.clone();
        if config.get_application_name().is_none() {
            config.application_name("gatepost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(options.connect_timeout);
        }
        // A host or a network that is gone is noticed within half a minute, also where nothing is said.
        config.keepalives(true).keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
        config.tcp_user_timeout(Duration::from_secs(15));
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX).max(1);
        let limit = config.get_connect_timeout().copied().unwrap_or(options.connect_timeout).saturating_mul(hosts);
        Ok(Way { config, tls: tls(self.root_certificates.as_deref())?, limit })
    }
}

/// Brings the database at `url` to the newest version, as opening it does, and leaves it.
///
/// # Errors
///
/// As for opening it.
pub fn migrate(url: &str, options: &Options) -> Result<(), OpenError> {
    Database::open(url, options).map(drop)
}

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Way {
    config: Config,
    tls: MakeRustlsConnect,
    limit: Duration,
}

type Link = Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>;

impl Way {
    /// A connection outside the pool, and what must be polled for it to move.
    pub(crate) async fn connect(&self) -> Result<(tokio_postgres::Client, Link), OpenError> {
        self.within(self.config.connect(self.tls.clone())).await
    }

    /// What the server answers in the time in which a connection is made: one that takes a call and says nothing keeps nobody.
    pub(crate) async fn within<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, OpenError> {
        let answered = tokio::time::timeout(self.limit, answer).await;
        Ok(answered.map_err(|_| OpenError::Refused(String::from("the server does not answer")))??)
    }
}

/// The database: connections, what it can do, and how many statements it was sent.
pub(crate) struct Database {
    pool: Pool,
    readers: Arc<Semaphore>,
    way: Way,
    profile: Profile,
    connect_timeout: Duration,
    list_timeout: Duration,
    statement_timeout: Duration,
    statements: Arc<AtomicU64>,
    skew: Arc<Skew>,
    runtime: Runtime,
}

impl Database {
    /// Opens the database at `url`, and makes its tables where they are not. This thread waits for it; it may be one of any runtime.
    pub(crate) fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        let url: PostgresUrl = url.parse()?;
        let way = url.way(options)?;
        let owner = match &options.owner_url {
            Some(owner) => Some(owner.parse::<PostgresUrl>()?.way(options)?),
            None => None,
        };
        let runtime = Runtime::start(options.threads)?;
        let opened = {
            let (runtime, options) = (runtime.clone(), options.clone());
            move || async move {
                let ready = schema::make_ready(&way, owner.as_ref(), &options).await?;
                Self::over(way, &ready, &options, runtime)
            }
        };
        runtime.wait(opened()).unwrap_or_else(|| Err(OpenError::Refused(String::from("the threads of the store have ended"))))
    }

    fn over(way: Way, ready: &schema::Ready, options: &Options, runtime: Runtime) -> Result<Self, OpenError> {
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(way.config.clone(), way.tls.clone(), manager);
        let session: Arc<str> = session(ready.profile, ready.role.as_deref(), options).into();
        let connections = options.connections.max(2);
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .wait_timeout(Some(options.connect_timeout))
            .create_timeout(Some(options.connect_timeout))
            .post_create(Hook::async_fn(move |client, _| {
                let session = Arc::clone(&session);
                Box::pin(async move { client.batch_execute(&session).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|error| OpenError::Refused(error.to_string()))?;
        let readers = Arc::new(Semaphore::new(connections.saturating_sub(WRITERS).max(connections / 2)));
        let skew = Arc::new(Skew::default());
        skew.note(ready.now, host_now());
        let (profile, statements) = (ready.profile, Arc::default());
        let Options { connect_timeout, list_timeout, statement_timeout, .. } = *options;
        Ok(Self { pool, readers, way, profile, connect_timeout, list_timeout, statement_timeout, statements, skew, runtime })
    }

    /// What the engine can do.
    pub(crate) const fn profile(&self) -> Profile {
        self.profile
    }

    /// How many statements were sent, those that begin and end transactions included.
    pub(crate) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The threads on which everything that speaks to the database must run.
    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// A connection outside the pool.
    pub(crate) const fn way(&self) -> &Way {
        &self.way
    }

    /// A connection, and the room that a reader takes among readers.
    pub(crate) async fn client(&self, access: Access) -> Result<(Client, Option<OwnedSemaphorePermit>), Failure> {
        let room = match access {
            Access::Read => Some(self.room().await?),
            Access::Write | Access::WriteSoon | Access::WriteFree => None,
        };
        Ok((self.pool.get().await?, room))
    }

    async fn room(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let room = tokio::time::timeout(self.connect_timeout, Arc::clone(&self.readers).acquire_owned()).await;
        let room = room.ok().and_then(Result::ok);
        room.ok_or_else(|| StoreError::Unavailable(String::from("too many lists are being read from the database")).into())
    }

    pub(crate) const fn counter(&self) -> &Arc<AtomicU64> {
        &self.statements
    }

    /// How far its clock is ahead of this host's.
    pub(crate) const fn skew(&self) -> &Arc<Skew> {
        &self.skew
    }

    /// How long the server may work at a statement.
    pub(crate) const fn statement_timeout(&self, access: Access) -> Duration {
        match access {
            Access::Read => self.list_timeout,
            Access::Write | Access::WriteSoon | Access::WriteFree => self.statement_timeout,
        }
    }

    /// How long is waited for an answer.
    pub(crate) const fn answer_max(&self, access: Access) -> Duration {
        self.statement_timeout(access).saturating_add(WAY_MAX)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Statements are planned once for each connection, whatever they are given. Not every YugabyteDB knows the setting.
pub(crate) const ONE_PLAN: &str = "SET plan_cache_mode = force_generic_plan;";

/// How statements are planned: along the indexes that are there for them.
///
/// The plans of a queue are made while its tables are empty, and must not read them from end to end once they are full: neither where they
/// are asked for rows, nor where they are joined to the keys of a group, nor to sort a queue of which the first is asked for.
pub(crate) const PLANNING: &str = "SET jit = off; SET enable_seqscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_sort = off;";

/// What each connection is told first.
fn session(profile: Profile, role: Option<&str>, options: &Options) -> String {
    let millis = |span: Duration| span.as_millis();
    let mut session = format!("SET statement_timeout = {};", millis(options.statement_timeout));
    session.push_str(&format!("SET idle_in_transaction_session_timeout = {};", millis(options.idle_timeout)));
    // Whoever waits for a lock waits: only what may pass accounts over has a limit of its own.
    session.push_str("SET lock_timeout = 0;");
    if profile.engine != Engine::Cockroach {
        // Promise 1 rests on this: what was answered has reached the disk, whatever the database's own default is.
        session.push_str("SET synchronous_commit = on;");
        session.push_str(PLANNING);
        if matches!(profile.engine, Engine::Postgres | Engine::Citus) {
            session.push_str(ONE_PLAN);
        }
    }
    if let Some(role) = role {
        session.push_str(&format!("SET ROLE {};", schema::quoted(role)));
    }
    session
}

fn ssl_mode(mode: Option<&str>, config: &Config) -> Result<SslMode, OpenError> {
    match mode {
        None if config.get_hosts().iter().all(is_here) => Ok(SslMode::Disable),
        None | Some("require" | "verify-full") => Ok(SslMode::Require),
        Some("disable") => Ok(SslMode::Disable),
        Some(_) => {
            Err(invalid("`sslmode` is `disable` or `verify-full`: what may fall back to plain text, or trusts any name, is no fence"))
        }
    }
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Trusts the authorities of a file where one is named, and else those that browsers trust.
fn tls(root_certificates: Option<&str>) -> Result<MakeRustlsConnect, OpenError> {
    let mut roots = RootCertStore::empty();
    match root_certificates {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unreadable = |error: &dyn fmt::Display| invalid(&format!("`sslrootcert` cannot be read: {error}"));
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(&error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn invalid(text: &str) -> OpenError {
    OpenError::InvalidOption(text.to_owned())
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn parsed(url: &str) -> PostgresUrl {
        url.parse().expect("a URL")
    }

    #[test]
    fn a_password_is_shown_to_nobody() {
        let url = "postgres://gate:hush%21secret@db.example:6543/post?sslmode=verify-full";
        let options = Options { owner_url: Some(url.to_owned()), ..Options::default() };
        let shown = format!("{} {:?} {options:?}", parsed(url), parsed(url));
        assert!(!shown.contains("hush") && shown.contains("postgres://gate@db.example:6543/post"), "{shown}");
        let refusal = PostgresUrl::from_str("postgres://gate:hush@db.example:port/post").expect_err("no port");
        assert!(!format!("{refusal} {refusal:?}").contains("hush"));
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_plain_text_unless_the_url_says_so() {
        let plain = |url| parsed(url).is_plain();
        assert!(plain("postgres://gate@localhost/post"));
        assert!(plain("postgres://gate@127.0.0.1:5433/post"));
        assert!(plain("postgres://gate@%2Frun%2Fpostgresql/post"));
        assert!(plain("postgres://gate@db.example/post?sslmode=disable"));
        assert!(!plain("postgres://gate@db.example/post"));
        assert!(!plain("postgres://gate@localhost,db.example/post"));
        assert!(!plain("postgres://gate@localhost/post?sslmode=require"));
    }

    #[test]
    fn a_mode_that_may_fall_back_is_refused() {
        for mode in ["allow", "prefer", "verify-ca", "nonsense"] {
            let refusal = PostgresUrl::from_str(&format!("postgres://gate@db.example/post?sslmode={mode}")).expect_err("no fence");
            assert!(refusal.to_string().starts_with("`sslmode` is `disable` or `verify-full`"), "{refusal}");
        }
    }
}
