//! The end-to-end load program: sends over many connections and reports rate, latency and what the server used.
//!
//! [`Options`] is the command line, [`Load`] what all connections share, [`Load::drive`] one connection's life. One thread does it
//! all, since the server is on the same machine; see benches/README.md for how to run it and read it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use gatepost_benches::Failure;
use gatepost_benches::client::{self, Connection, Reply};
use gatepost_benches::ledger::Ledger;
use gatepost_benches::pace::{Pace, Ticket};
use gatepost_benches::process::Watch;
use gatepost_benches::receiver::Receiver;
use gatepost_benches::report::{Events, Report};
use gatepost_benches::request::{Common, SendRequest};
use gatepost_benches::sender::{Bootstrap, Endpoints, Sender};
use gatepost_benches::tally::{Answer, Tally};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};

/// How long answers are waited for once the load has ended: longer than the longest `?wait=`.
const LAST_ANSWERS: Duration = Duration::from_secs(35);
/// How long a slow endpoint takes for an event.
const SLOW: Duration = Duration::from_secs(2);
/// Events are over when none came for so long.
const SILENCE: Duration = Duration::from_secs(3);
/// How soon a broken connection is opened again.
const RECONNECT: Duration = Duration::from_millis(50);

#[derive(Debug, Parser)]
#[command(name = "load", about = "Sends messages to a gateway over many connections and reports what came of it")]
struct Options {
    /// The server; plain HTTP only.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Path and query that each message is posted to.
    #[arg(long, default_value = "/api/send-message?wait=0")]
    path: String,
    /// File that the server wrote for `--bootstrap`, for the keys and the instance.
    #[arg(long)]
    bootstrap: Option<PathBuf>,
    /// API key.
    #[arg(long)]
    key: Option<String>,
    /// Operator key, to make an account with.
    #[arg(long)]
    operator_key: Option<String>,
    /// Instance to send from.
    #[arg(long)]
    instance: Option<String>,
    /// Whose account sends; by default `own` where an operator key is known.
    #[arg(long, num_args = 0..=1, default_missing_value = "own")]
    account: Option<Account>,
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Length of the measured window.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Seconds of load before the window.
    #[arg(long, default_value_t = 2)]
    warmup: u32,
    /// Requests a second over all connections (open loop); without it each connection sends as soon as it was answered.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// How many phone numbers to cycle over, from +999000000000 on; nobody can own them.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    recipients: u64,
    /// Give each request an idempotency key of its own.
    #[arg(long)]
    idempotency: bool,
    /// Endpoints that receive an event for each message sent, here in the load program, each with an instance of its own.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=50))]
    endpoints: u16,
    /// One of the endpoints takes two seconds for each event.
    #[arg(long, requires = "endpoints")]
    slow: bool,
    /// How many deliveries may be on their way to an endpoint.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    in_flight: u16,
    /// The server's process id, to report its CPU seconds and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// Status word that answers should have, for example `sent`; the others are counted.
    #[arg(long)]
    expect: Option<String>,
    /// File to append each acknowledged message to; broken connections are then opened again.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Account {
    /// The account of the key given.
    Given,
    /// An account made for this load, with limits that it cannot reach.
    Own,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure(options))?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

async fn measure(options: &Options) -> Result<Report, Failure> {
    let load = Arc::new(Load::prepare(options).await?);
    let (from, until) = (load.from, load.pace.until());
    let server = options.pid.map(|pid| tokio::spawn(Watch::over(pid, from, until)));
    let own = tokio::spawn(Watch::over(std::process::id(), from, until));

    let mut connections = JoinSet::new();
    for (_, request) in (0..options.connections).zip(load.requests.iter().cycle()) {
        connections.spawn(Arc::clone(&load).drive(request.clone()));
    }
    while let Some(ended) = connections.join_next().await {
        ended??;
    }

    let mut report = Report::new(&load.tally(), until - from);
    report.unsent = load.pace.unsent();
    report.events = load.last_events().await;
    report.load = Some(report.usage(&own.await??));
    if let Some(server) = server {
        let watch = server.await?.map_err(|error| format!("the server's process: {error}"))?;
        report.server = Some(report.usage(&watch));
    }
    Ok(report)
}

/// What all connections share.
struct Load {
    authority: String,
    /// One for each instance; connections take turns.
    requests: Vec<SendRequest>,
    receiver: Option<Receiver>,
    pace: Pace,
    /// Where the measured window begins.
    from: Instant,
    tally: Mutex<Tally>,
    ledger: Option<Mutex<Ledger>>,
}

impl Load {
    async fn prepare(options: &Options) -> Result<Self, Failure> {
        let authority = client::authority(&options.url)?;
        let receiver = (options.endpoints > 0).then(|| Receiver::start(SLOW)).transpose()?;
        let endpoints = receiver.as_ref().map(|receiver| endpoints(receiver, options));
        let sender = find_sender(options, &authority, endpoints.as_ref()).await?;
        let key_prefix = options.idempotency.then(key_prefix);
        let request = |instance: &String| {
            SendRequest::new(&Common {
                authority: &authority,
                path: &options.path,
                api_key: &sender.api_key,
                instance,
                recipients: options.recipients,
                key_prefix: key_prefix.as_deref(),
            })
        };
        let requests = sender.instances.iter().map(request).collect();
        let ledger = options.ledger.as_deref().map(Ledger::open).transpose()?.map(Mutex::new);
        let tally = Mutex::new(Tally::new(options.expect.clone())?);
        let start = Instant::now();
        let from = start + Duration::from_secs(options.warmup.into());
        let until = from + Duration::from_secs(options.seconds.into());
        let pace = match options.rate {
            Some(per_second) => Pace::open(start, until, per_second),
            None => Pace::closed(start, until),
        };
        Ok(Self { authority, requests, receiver, pace, from, tally, ledger })
    }

    /// Sends over one connection until the load ends.
    async fn drive(self: Arc<Self>, mut request: SendRequest) -> Result<(), Failure> {
        let mut kept = None;
        while let Some(ticket) = self.pace.next().await {
            let bytes = request.numbered(ticket.number);
            match self.send(&mut kept, bytes).await {
                Ok(reply) => {
                    self.answered(&ticket, &reply, &request)?;
                    if reply.closes {
                        kept = None;
                    }
                }
                Err(error) if self.ledger.is_none() => return Err(format!("{}: {error}", self.authority).into()),
                Err(error) => {
                    kept = None;
                    self.tally().broke(&error.to_string());
                    sleep(RECONNECT).await;
                }
            }
        }
        Ok(())
    }

    async fn send<'a>(&self, kept: &'a mut Option<Connection>, bytes: &[u8]) -> std::io::Result<Reply<'a>> {
        let connection = match kept {
            Some(connection) => connection,
            None => kept.insert(Connection::open(&self.authority).await?),
        };
        let deadline = self.pace.until() + LAST_ANSWERS;
        timeout_at(deadline.into(), connection.exchange(bytes)).await?
    }

    fn answered(&self, ticket: &Ticket, reply: &Reply<'_>, request: &SendRequest) -> Result<(), Failure> {
        let now = Instant::now();
        let answer = Answer::parse(reply.status, reply.body);
        if now >= self.from {
            self.tally().answered(now - ticket.due, now >= self.pace.until(), reply.status, &answer.word);
        }
        if let (Some(ledger), Some(id)) = (&self.ledger, &answer.message_id) {
            locked(ledger).acknowledge(id, request.idempotency_key(), reply.status, &answer.word)?;
        }
        Ok(())
    }

    /// Waits until no more events come, and says what came.
    async fn last_events(&self) -> Option<Events> {
        let receiver = self.receiver.as_ref()?;
        let mut before = None;
        while before != Some(receiver.received().events()) {
            before = Some(receiver.received().events());
            sleep(SILENCE).await;
        }
        Some(Events::new(&receiver.received(), self.pace.start()))
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        locked(&self.tally)
    }
}

fn endpoints(receiver: &Receiver, options: &Options) -> Endpoints {
    let path = |number| if options.slow && number == 0 { "/slow".to_owned() } else { format!("/fast/{number}") };
    let urls = (0..options.endpoints).map(|number| receiver.url(&path(number))).collect();
    Endpoints { urls, in_flight_max: options.in_flight }
}

async fn find_sender(options: &Options, authority: &str, endpoints: Option<&Endpoints>) -> Result<Sender, Failure> {
    let bootstrap = options.bootstrap.as_deref().map(Bootstrap::read).transpose()?.unwrap_or_default();
    let operator_key = options.operator_key.clone().or(bootstrap.operator_key);
    let default = if operator_key.is_some() { Account::Own } else { Account::Given };
    if options.account.unwrap_or(default) == Account::Own {
        let operator_key = operator_key.ok_or("an account of its own needs `--operator-key` or `--bootstrap`")?;
        return Sender::with_own_account(authority, &operator_key, endpoints).await;
    }
    let api_key = options.key.clone().or(bootstrap.api_key).ok_or("no API key: give `--key` or `--bootstrap`")?;
    let instance = options.instance.clone().or(bootstrap.instance_id).ok_or("no instance: give `--instance`")?;
    Ok(Sender { api_key, instances: vec![instance] })
}

/// Differs from one load to the next, so that no key of an earlier load is met again.
fn key_prefix() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("load-{:x}-", since.as_nanos())
}

/// One thread runs everything: the locks are only for the compiler, and never held by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
