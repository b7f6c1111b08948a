//! Several servers on one Postgres: messages accepted and delivered a second, and what the database was asked for them.
//!
//! The program starts all of it: a Postgres of its own (sync on), servers, accounts, connections. [`Options`] is the command line,
//! [`Hosts`] the processes, [`Report`] what was seen. One thread sends everything, since it shares the machine with what it measures.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use gatepost_benches::Failure;
use gatepost_benches::client::{self, Connection};
use gatepost_benches::pace::Pace;
use gatepost_benches::process::Usage;
use gatepost_benches::request::{Common, SendRequest};
use gatepost_benches::sender::{Bootstrap, Sender};
use gatepost_benches::tally::{Answer, Tally};
use gatepost_cluster::{Cluster, Settings};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout_at};

const DATABASE: &str = "gateway";
/// How long answers are waited for once the load has ended: longer than the longest `?wait=`.
const LAST_ANSWERS: Duration = Duration::from_secs(35);
/// How long what was accepted may take to be delivered once the load has ended.
const LAST_DELIVERIES: Duration = Duration::from_secs(120);

#[derive(Debug, Parser)]
#[command(name = "hosts", about = "Measures several servers on one Postgres")]
struct Options {
    /// The server's program.
    #[arg(long)]
    server: Option<PathBuf>,
    /// How many servers.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    hosts: u16,
    /// Connections to each, each with one request at a time.
    #[arg(long, default_value_t = 64)]
    connections: u16,
    /// How many accounts send; connections take turns.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    accounts: u16,
    /// Length of the measured window.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Seconds of load before the window.
    #[arg(long, default_value_t = 5)]
    warmup: u32,
    /// Path and query that each message is posted to.
    #[arg(long, default_value = "/api/send-message?wait=0")]
    path: String,
    /// How many phone numbers to cycle over.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    recipients: u64,
    /// Requests a second over all connections; without it each connection sends as soon as it was answered.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// A further setting of Postgres, `name=value`.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// How many of the statements that ran most often are listed.
    #[arg(long, default_value_t = 12)]
    statements: u16,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hosts: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Report, Failure> {
    let hosts = Hosts::start(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(options, &hosts))
}

/// One Postgres and its servers, which end with this.
struct Hosts {
    servers: Vec<Server>,
    cluster: Cluster,
    bootstrap: Bootstrap,
    _folder: TempDir,
}

struct Server {
    authority: String,
    process: Child,
}

impl Hosts {
    fn start(options: &Options) -> Result<Self, Failure> {
        let further = options.settings.iter().map(|setting| setting.split_once('=').ok_or("`--set`: expected a name, `=` and a value"));
        let further = further.collect::<Result<Vec<_>, _>>()?;
        let own = [("shared_preload_libraries", "pg_stat_statements"), ("pg_stat_statements.max", "10000")];
        let server = own.into_iter().chain(further).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let cluster = Cluster::start(&Settings { durable: true, server, ..Settings::default() })?;
        cluster.run("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        cluster.run(DATABASE, "CREATE EXTENSION pg_stat_statements")?;
        let folder = tempfile::tempdir()?;
        let program = match &options.server {
            Some(program) => program.clone(),
            None => std::env::current_exe()?.with_file_name("gatepost-server"),
        };
        let file = folder.path().join("bootstrap.json");
        let mut servers = Vec::new();
        for number in 0..options.hosts {
            // The first one makes the keyring that all of them share.
            let bootstrap = (number == 0).then_some(file.as_path());
            servers.push(Server::start(&program, folder.path(), number, &cluster.url(DATABASE), bootstrap)?);
        }
        Ok(Self { servers, cluster, bootstrap: Bootstrap::read(&file)?, _folder: folder })
    }

    /// How many statements ran until now, those that begin and end transactions included, and their milliseconds.
    fn statements(&self) -> Result<(f64, f64), Failure> {
        let sql = format!("SELECT sum(calls), sum(total_exec_time) FROM {OURS}");
        let row = self.cluster.run(DATABASE, &sql)?.concat();
        let number = |place: usize| row.get(place).and_then(|cell: &Option<String>| cell.as_ref()?.parse().ok()).unwrap_or_default();
        Ok((number(0), number(1)))
    }

    fn count(&self, sql: &str) -> Result<u64, Failure> {
        let cell = self.cluster.run(DATABASE, sql)?.concat().into_iter().next().flatten();
        Ok(cell.and_then(|text| text.parse().ok()).ok_or("a count was not answered with a number")?)
    }

    fn usage(&self) -> Result<f64, Failure> {
        let usages = self.servers.iter().map(|server| Usage::read(server.process.id()).map(|usage| usage.cpu_seconds));
        Ok(usages.sum::<Result<f64, _>>()?)
    }
}

/// What the servers' own role ran; the program's questions are another's.
const OURS: &str = "pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = 'gatepost_app'";

impl Server {
    fn start(program: &Path, folder: &Path, number: u16, database: &str, bootstrap: Option<&Path>) -> Result<Self, Failure> {
        let data = folder.join(format!("host-{number}"));
        fs::create_dir(&data)?;
        // A new account that writes the same to thousands of strangers would wait for a person.
        fs::write(data.join("gatepost.toml"), "[policy]\nreview_from = 100\nblock_from = 100\n")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(program);
        command.env_clear().env("GATEPOST_DATABASE_URL", database).env("GATEPOST_KEYS_FILE", folder.join("keys.toml"));
        command.args(["serve", "--data", "data", "--listen", &format!("127.0.0.1:{port}")]);
        if let Some(file) = bootstrap {
            command.arg("--bootstrap").arg(file);
        }
        let mut process = command
            .current_dir(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let stderr = process.stderr.take().ok_or("no pipe")?;
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let authority = lines.find_map(|line| line.split_once("listening on ").and_then(|(_, url)| client::authority(url).ok()));
        // What it says later is an error, or of interest; and a full pipe would stop it.
        thread::spawn(move || lines.filter(|line| line.contains("ERROR")).for_each(|line| eprintln!("{line}")));
        let server = Self { authority: authority.unwrap_or_default(), process };
        if server.authority.is_empty() { Err("the server ended before it listened".into()) } else { Ok(server) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What all connections share.
struct Load {
    pace: Pace,
    from: Instant,
    tally: Mutex<Tally>,
}

impl Load {
    async fn drive(self: Arc<Self>, authority: String, mut request: SendRequest) -> Result<(), Failure> {
        let mut connection = Connection::open(&authority).await?;
        let deadline = self.pace.until() + LAST_ANSWERS;
        while let Some(ticket) = self.pace.next().await {
            let reply = timeout_at(deadline.into(), connection.exchange(request.numbered(ticket.number))).await??;
            let now = Instant::now();
            if now >= self.from {
                let answer = Answer::parse(reply.status, reply.body);
                let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
                tally.answered(now - ticket.due, now >= self.pace.until(), reply.status, &answer.word);
            }
        }
        Ok(())
    }
}

async fn measure(options: &Options, hosts: &Hosts) -> Result<Report, Failure> {
    let requests = requests(options, hosts).await?;
    let start = Instant::now();
    let from = start + Duration::from_secs(options.warmup.into());
    let until = from + Duration::from_secs(options.seconds.into());
    let pace = match options.rate {
        Some(per_second) => Pace::open(start, until, per_second),
        None => Pace::closed(start, until),
    };
    let load = Arc::new(Load { pace, from, tally: Mutex::new(Tally::new(None)?) });
    let mut connections = JoinSet::new();
    for (authority, request) in requests {
        connections.spawn(Arc::clone(&load).drive(authority, request));
    }
    sleep_until(from.into()).await;
    let (before, usage_before, at) = (hosts.statements()?, hosts.usage()?, millis());
    sleep_until(until.into()).await;
    let (after, usage_after, end) = (hosts.statements()?, hosts.usage()?, millis());
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    let rest = Instant::now();
    while hosts.count("SELECT count(*) FROM outbox WHERE channel = 0 AND state < 3")? > 0 && rest.elapsed() < LAST_DELIVERIES {
        sleep(Duration::from_millis(200)).await;
    }
    let tally = load.tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Report {
        seconds: (end - at) as f64 / 1_000.0,
        created: hosts.count(&format!("SELECT count(*) FROM messages WHERE created_at BETWEEN {at} AND {end}"))?,
        delivered: hosts.count(&format!("SELECT count(*) FROM messages WHERE sent_at BETWEEN {at} AND {end}"))?,
        backlog_seconds: rest.elapsed().as_secs_f64(),
        undelivered: hosts.count("SELECT count(*) FROM messages WHERE status <> 'sent'")?,
        statements: after.0 - before.0,
        statement_millis: after.1 - before.1,
        cpu_seconds: usage_after - usage_before,
        synchronous: setting(hosts, "synchronous_commit")? + ", fsync " + &setting(hosts, "fsync")?,
        top: top(options, hosts)?,
        tally,
    })
}

/// One request for each connection, with the server that it goes to.
async fn requests(options: &Options, hosts: &Hosts) -> Result<Vec<(String, SendRequest)>, Failure> {
    let operator_key = hosts.bootstrap.operator_key.as_deref().ok_or("the bootstrap file has no operator key")?;
    let first = hosts.servers.first().ok_or("there are no servers")?;
    let mut senders = Vec::new();
    for _ in 0..options.accounts {
        senders.push(Sender::with_own_account(&first.authority, operator_key, None).await?);
    }
    let mut requests = Vec::new();
    for number in 0..options.connections {
        for (place, server) in hosts.servers.iter().enumerate() {
            let sender = &senders[(usize::from(number) * hosts.servers.len() + place) % senders.len()];
            let common = Common {
                authority: &server.authority,
                path: &options.path,
                api_key: &sender.api_key,
                instance: sender.instances.first().map(String::as_str).unwrap_or_default(),
                recipients: options.recipients,
                key_prefix: None,
            };
            requests.push((server.authority.clone(), SendRequest::new(&common)));
        }
    }
    Ok(requests)
}

fn setting(hosts: &Hosts, name: &str) -> Result<String, Failure> {
    Ok(hosts.cluster.run(DATABASE, &format!("SHOW {name}"))?.concat().into_iter().next().flatten().unwrap_or_default())
}

/// The statements that ran most often since the start.
fn top(options: &Options, hosts: &Hosts) -> Result<Vec<String>, Failure> {
    let sql = format!(
        "SELECT s.calls, round(CAST(s.mean_exec_time AS numeric), 3), s.rows, left(regexp_replace(s.query, '\\s+', ' ', 'g'), 100)
         FROM {OURS} ORDER BY s.calls DESC LIMIT {}",
        options.statements
    );
    let rows = hosts.cluster.run(DATABASE, &sql)?;
    Ok(rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join("  ")).collect())
}

fn millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// What was seen in the window.
struct Report {
    seconds: f64,
    tally: Tally,
    created: u64,
    delivered: u64,
    backlog_seconds: f64,
    undelivered: u64,
    statements: f64,
    statement_millis: f64,
    cpu_seconds: f64,
    synchronous: String,
    top: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, tally, created, delivered, backlog_seconds, undelivered, statements, statement_millis, .. } = self;
        let a_second = |count: u64| count as f64 / seconds;
        let millis = |quantile: f64| tally.latency.value_at_quantile(quantile) as f64 / 1_000.0;
        let each = (*created).min(*delivered).max(1) as f64;
        writeln!(f, "window              {seconds:.1} s, synchronous_commit {}", self.synchronous)?;
        writeln!(f, "answered            {:.0} a second; {:?}", a_second(tally.in_window), tally.words)?;
        writeln!(f, "accepted            {created}, {:.0} a second", a_second(*created))?;
        writeln!(f, "delivered           {delivered}, {:.0} a second", a_second(*delivered))?;
        writeln!(f, "latency             p50 {:.1} ms, p99 {:.1} ms", millis(0.5), millis(0.99))?;
        writeln!(f, "afterwards          {backlog_seconds:.1} s until the rest was delivered, {undelivered} not sent at the end")?;
        writeln!(f, "statements          {statements:.0}, {:.2} for each message accepted and delivered", statements / each)?;
        writeln!(f, "                    {:.2} ms of Postgres for each of these messages", statement_millis / each)?;
        writeln!(f, "servers' CPU        {:.3} s for 1,000", self.cpu_seconds * 1_000.0 / each)?;
        writeln!(f, "most often          calls, mean ms, rows, statement")?;
        self.top.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}
