//! World: one Postgres, three servers, a stand-in of Meta, a receiver for each account, and what happens to them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gatepost::{Host as _, Secret};
use gatepost_cluster::{Cluster, Settings};
use gatepost_system::System;
use gatepost_whatsapp::fake::{FakeGraph, Hook, Mishap};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::PATIENCE;
use crate::driver::{Account, Api, Ledger, PEOPLE, QUOTA_ACCOUNT, phone};
use crate::receiving::Receiver;

/// What happens to a process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Signal 9, and a new start.
    Kill,
    /// It stands still for longer than the database waits within a transaction, and than a send or an event may take; then it goes on.
    Pause,
    /// It stands still for longer than what it claimed is leased for.
    Stall,
    /// It is asked to end, and started again.
    Restart,
}

/// To which.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// One of the servers.
    Host(usize),
    /// The database.
    Postgres,
}

const HOSTS: usize = 3;
const ACCOUNTS: usize = QUOTA_ACCOUNT + 1;
const APP_SECRET: &str = "the-app-secret-of-a-test";
const DATABASE: &str = "gateway";
/// The database waits 3 seconds; a send and an event may take one, and are leased for two seconds more.
const PAUSE: Duration = Duration::from_secs(8);
/// A claim is leased for 30 seconds.
const STALL: Duration = Duration::from_secs(35);
/// How many messages in a row are refused: more than there are callers.
const REFUSED: usize = 24;
/// What Meta says to too many messages to one person: they may be tried again soon.
const TOO_OFTEN: i64 = 131_056;
/// How long everything stands still while the database does.
const STANDSTILL: Duration = Duration::from_secs(3);

pub(crate) struct World {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) graph: FakeGraph,
    pub(crate) receivers: Vec<Receiver>,
    /// They end before the database does.
    hosts: Vec<Host>,
    cluster: Cluster,
    _folder: TempDir,
}

impl World {
    /// `None` where the machine has no Postgres.
    pub(crate) fn start(rounds: usize) -> Option<Self> {
        Cluster::shared()?;
        let cluster = Cluster::start(&Settings { durable: true, ..Settings::default() }).expect("a cluster");
        cluster.run("postgres", &format!("CREATE DATABASE {DATABASE}")).expect("a database");
        let graph = FakeGraph::start("8007", "9001").expect("a port");
        let folder = tempfile::tempdir().expect("a folder");
        let mut hosts: Vec<Host> = (0..HOSTS).map(|number| Host::new(folder.path(), number, &cluster.url(DATABASE), &graph)).collect();
        // The first one makes the keyring that all of them share.
        let bootstrap = hosts[0].data.join("bootstrap.json");
        hosts[0].start(&["--bootstrap", &bootstrap.display().to_string()]);
        hosts[1..].iter_mut().for_each(|host| host.start(&[]));
        let keys: Value = serde_json::from_str(&fs::read_to_string(bootstrap).expect("the keys")).expect("JSON");
        let api = Api::new(hosts.iter().map(Host::url).collect(), keys["operator_key"].as_str().expect("a key"));
        let receivers: Vec<Receiver> = (0..ACCOUNTS).map(|_| Receiver::start()).collect();
        let quota = 20 * rounds as u64;
        let accounts = receivers.iter().enumerate().map(|(number, receiver)| account(&api, &graph, number, receiver, quota)).collect();
        let ledger = Arc::new(Ledger::new(api, accounts, quota));
        Some(Self { ledger, graph, receivers, cluster, hosts, _folder: folder })
    }

    /// What the database answers, to one who sees all accounts.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let rows = self.cluster.run(DATABASE, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect()
    }

    pub(crate) fn count(&self, sql: &str) -> u64 {
        self.rows(sql).first().and_then(|row| row.first()?.parse().ok()).expect("a count")
    }

    pub(crate) fn strike(&mut self, fault: Fault, target: Target) {
        match (fault, target) {
            (Fault::Kill, Target::Host(number)) => {
                self.hosts[number].end("KILL");
                self.ledger.await_answers(30);
                self.hosts[number].start(&[]);
            }
            (Fault::Pause, Target::Host(number)) => self.stand_still(number, PAUSE),
            (Fault::Stall, Target::Host(number)) => self.stand_still(number, STALL),
            (Fault::Restart, Target::Host(number)) => {
                self.hosts[number].end("TERM");
                self.hosts[number].start(&[]);
            }
            (Fault::Kill, Target::Postgres) => {
                self.cluster.kill().expect("it dies");
                thread::sleep(STANDSTILL);
                self.cluster.resume().expect("it starts again");
            }
            (Fault::Pause | Fault::Stall, Target::Postgres) => {
                let all = family(self.cluster.pid());
                all.iter().for_each(|pid| signal(*pid, "STOP"));
                thread::sleep(STANDSTILL);
                all.iter().for_each(|pid| signal(*pid, "CONT"));
            }
            (Fault::Restart, Target::Postgres) => {
                let pid = self.cluster.pid();
                signal(pid, "INT");
                await_that("Postgres ends", || has_ended(pid));
                self.cluster.kill().expect("it has ended");
                self.cluster.resume().expect("it starts again");
            }
        }
    }

    /// Meta's stand-in takes none of the next messages: they wait, and can be stopped.
    pub(crate) fn refuse_some(&self) {
        (0..REFUSED).for_each(|_| self.graph.misbehave(Mishap::Code(TOO_OFTEN)));
    }

    /// A server stands still, while the others go on.
    fn stand_still(&self, number: usize, span: Duration) {
        let start = Instant::now();
        self.hosts[number].signal("STOP");
        self.ledger.await_answers(30);
        thread::sleep(span.saturating_sub(start.elapsed()));
        self.hosts[number].signal("CONT");
    }

    /// Everything that was accepted comes to its end, or to a doubt. What was tried twice in vain waits for minutes: it is made due at once.
    pub(crate) fn await_the_end(&self) {
        let open = "SELECT (SELECT count(*) FROM messages WHERE status IN ('queued', 'sending'))
            + (SELECT count(*) FROM event_deliveries WHERE status = 0) + (SELECT count(*) FROM outbox WHERE state IN (1, 2))";
        let start = Instant::now();
        while self.count(open) > 0 {
            assert!(start.elapsed() < PATIENCE, "too long until everything accepted comes to its end; waiting: {:?}", self.waiting());
            self.rows("UPDATE outbox SET due = 0 WHERE state = 0 AND tries > 0");
            thread::sleep(Duration::from_secs(1));
        }
    }
}

impl World {
    /// What has not come to its end, and how far it got.
    fn waiting(&self) -> Vec<Vec<String>> {
        self.rows(
            "SELECT o.channel, o.state, o.tries, o.fence, o.due - extract(epoch FROM clock_timestamp()) * 1000, m.status, d.status, a.pause
             FROM outbox o LEFT JOIN messages m ON m.account = o.account AND m.id = o.item
             LEFT JOIN event_deliveries d ON d.account = o.account AND d.id = o.delivery JOIN accounts a ON a.id = o.account LIMIT 20",
        )
    }
}

/// Makes an account that sends by Meta's stand-in, to people who have written to it, and is told of everything.
fn account(api: &Api, graph: &FakeGraph, number: usize, receiver: &Receiver, quota: u64) -> Account {
    let limit = if number == QUOTA_ACCOUNT { quota } else { 1_000_000 };
    let limits = json!({"messages_per_day": limit, "messages_per_month": limit});
    let made = api.ask(0, "POST", "/v1/accounts", &json!({"name": format!("account {number}"), "limits": limits}));
    let id = text(&made, "id");
    let path = |end: &str| format!("/v1/accounts/{id}{end}");
    let given = json!({"phone_number_id": "8007", "waba_id": "9001", "access_token": "a-token", "app_secret": APP_SECRET,
                       "verify_token": "a-word", "throughput": 1_000});
    let made = api.ask(0, "POST", &path("/instances"), &json!({"name": "cloud", "provider": "cloud_api", "cloud_api": given}));
    let instance = text(&made, "id");
    let made = api.ask(0, "POST", &path("/api-keys"), &json!({"name": "driver", "scopes": ["messages:send", "messages:read"]}));
    let key = text(&made, "api_key");
    let endpoint = json!({"url": receiver.url, "events": ["message.*"], "in_flight_max": 64});
    let endpoint = text(&api.ask(0, "POST", &path("/endpoints"), &endpoint), "id");
    // A slow machine may not answer the first challenge in its time.
    await_that("the receiver answers the challenge", || {
        text(&api.ask(0, "POST", &path(&format!("/endpoints/{endpoint}/verify")), &Value::Null), "state") == "enabled"
    });
    for person in (0..PEOPLE).map(|person| phone(number, person)) {
        let url = format!("{}/providers/whatsapp/{instance}", api.urls[0]);
        let hook = Hook { url: &url, secret: &Secret::from(APP_SECRET), now: System.now() };
        assert_eq!(graph.tell_text(hook, person.trim_start_matches('+'), "Is it ready?").expect("an answer"), 200);
    }
    await_that("what people wrote is heeded", || {
        let list = api.ask(0, "GET", &path("/inbound?limit=200"), &Value::Null);
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        items.len() >= PEOPLE && items.iter().all(|item| item["waits"] == false)
    });
    Account { id, key, instance }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}")).to_owned()
}

/// A server as a process, which ends with this.
struct Host {
    data: PathBuf,
    port: u16,
    database: String,
    keys: PathBuf,
    process: Option<Child>,
}

impl Host {
    fn new(folder: &Path, number: usize, database: &str, graph: &FakeGraph) -> Self {
        let data = folder.join(format!("host-{number}"));
        fs::create_dir(&data).expect("a folder");
        // What was on its way when a server was killed is given up sooner.
        let settings = format!(
            "[providers]\ngraph_url = \"{}\"\n[delivering]\nsend_timeout_seconds = 1\n[webhooks]\ntimeout_seconds = 1\n[log]\nlevel = \"warn\"\n",
            graph.url()
        );
        fs::write(data.join("gatepost.toml"), settings).expect("a file");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        Self { data, port, database: database.to_owned(), keys: folder.join("keys.toml"), process: None }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start(&mut self, more: &[&str]) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_gatepost-server"))
            .env_clear()
            .env("GATEPOST_DATABASE_URL", &self.database)
            .env("GATEPOST_KEYS_FILE", &self.keys)
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--data", "data"])
            .args(more)
            .current_dir(&self.data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's program");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let listens = lines.any(|line| {
            said.push(line);
            said.last().is_some_and(|line| line.contains("listening on "))
        });
        assert!(listens, "the server did not say where it listens, but: {said:#?}");
        // A full pipe would stop the server.
        let shown = std::env::var_os("GATEPOST_SHOW_LOGS").is_some();
        let port = self.port;
        thread::spawn(move || lines.filter(|_| shown).for_each(|line| println!("{port}: {line}")));
        self.process = Some(process);
    }

    fn signal(&self, name: &str) {
        signal(self.process.as_ref().expect("it runs").id(), name);
    }

    fn end(&mut self, name: &str) {
        self.signal(name);
        if let Some(mut process) = self.process.take() {
            await_that("a server ends", || process.try_wait().expect("a process").is_some());
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended by itself, which its callers have noticed.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status().expect("a program");
    assert!(sent.success() || has_ended(pid), "{name} to {pid}");
}

/// The process and its children, the oldest first.
fn family(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("the list of children");
    [pid].into_iter().chain(children.split_whitespace().filter_map(|child| child.parse().ok())).collect()
}

/// It is gone, or waits to be waited for.
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

pub(crate) fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "too long until {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
