//! What customers write, from the provider's post to the phone system: how late, whether all of it, and whether in its order.
//!
//! [`Scene`] is an account with an instance of Meta's Cloud API and a phone system; nothing is sent to Meta.
//! [`Scene::write_all`] posts as Meta does, and each conversation over one connection, so that its order is known. See benches/README.md for how
//! to run it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use gatepost::Secret;
use gatepost_benches::Failure;
use gatepost_benches::client::{self, Connection};
use gatepost_benches::phone_system::PhoneSystem;
use gatepost_benches::report::Latency;
use gatepost_benches::sender::Bootstrap;
use gatepost_benches::v1::V1;
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// Known to the load alone: its instance is nobody's.
const APP_SECRET: &str = "the-app-secret-of-a-load";
/// The first customer is `+999500000000`, a number that nobody can own.
const FIRST_CUSTOMER: u64 = 999_500_000_000;
/// How long the last ones are waited for while none comes: longer than the longest time between two tries of a short failure.
const SILENCE: Duration = Duration::from_secs(90);
/// How often one looks whether they came.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LATENCY_MAX_MICROS: u64 = 600_000_000;

#[derive(Debug, Parser)]
#[command(name = "inbound", about = "Posts what customers write, as a provider does, and reports when it reaches the phone system")]
struct Options {
    /// The server; plain HTTP only.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File that the server wrote for `--bootstrap`, for the operator key.
    #[arg(long)]
    bootstrap: PathBuf,
    /// Messages a second.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// For how long.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many customers write, in turn.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    conversations: u64,
    /// Connections of the provider, each with one post at a time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    connections: u64,
    /// For how many seconds the phone system answers 503 first.
    #[arg(long, default_value_t = 0)]
    down: u32,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(figures) => {
            print!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("inbound: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Figures, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(options))
}

async fn measure(options: &Options) -> Result<Figures, Failure> {
    let phone_system = PhoneSystem::start().await?;
    let scene = Arc::new(Scene::prepare(options, &phone_system).await?);
    phone_system.set_down(options.down > 0);
    let start = Instant::now();
    let down_until = start + Duration::from_secs(options.down.into());

    let mut connections = JoinSet::new();
    for connection in 0..options.connections {
        connections.spawn(Arc::clone(&scene).write_all(connection, start));
    }
    sleep_until(down_until.into()).await;
    phone_system.set_down(false);
    let mut written = HashMap::new();
    while let Some(ended) = connections.join_next().await {
        written.extend(ended??);
    }
    last_ones(&phone_system, written.len()).await;
    Figures::new(&written, &phone_system, options.conversations)
}

/// Waits until all of them came, or nothing comes any more.
async fn last_ones(phone_system: &PhoneSystem, all: usize) {
    let (mut came, mut since) = (0, Instant::now());
    while came < all && since.elapsed() < SILENCE {
        sleep(LOOK_AGAIN).await;
        let now = phone_system.heard().taken.len();
        if now > came {
            (came, since) = (now, Instant::now());
        }
    }
}

/// When a message fell due, and when its post was answered.
#[derive(Clone, Copy, Debug)]
struct Written {
    due: Instant,
    answered: Instant,
}

/// Where customers write to.
struct Scene {
    authority: String,
    instance: String,
    phone_number_id: String,
    rate: u32,
    messages: u64,
    conversations: u64,
    connections: u64,
}

impl Scene {
    async fn prepare(options: &Options, phone_system: &PhoneSystem) -> Result<Self, Failure> {
        let authority = client::authority(&options.url)?;
        let operator_key = Bootstrap::read(&options.bootstrap)?.operator_key.ok_or("the bootstrap file has no operator key")?;
        let mut v1 = V1::open(&authority, &operator_key).await?;
        let account = v1.create("/v1/accounts", json!({ "name": "inbound", "threecx_enabled": true }), "id").await?;
        // No two loads on one server may claim the same number of Meta's.
        let phone_number_id = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros().to_string();
        let cloud_api = json!({
            "phone_number_id": phone_number_id, "waba_id": "200000000000009", "access_token": "EAAJ-load", "app_secret": APP_SECRET,
        });
        let instance = json!({ "name": "inbound", "provider": "cloud_api", "cloud_api": cloud_api });
        let instance = v1.create(&format!("/v1/accounts/{account}/instances"), instance, "id").await?;
        let integration = json!({
            "name": "inbound", "instance_id": instance, "number": "+999220000001", "inbound_enabled": true, "pbx_url": phone_system.url(),
        });
        v1.create(&format!("/v1/accounts/{account}/integrations"), integration, "id").await?;
        let Options { rate, conversations, connections, .. } = *options;
        let messages = u64::from(rate) * u64::from(options.seconds);
        Ok(Self { authority, instance, phone_number_id, rate, messages, conversations, connections })
    }

    /// Posts what the customers of one connection write, each when it is due or as soon as the one before was answered.
    async fn write_all(self: Arc<Self>, connection: u64, start: Instant) -> Result<Vec<(u64, Written)>, Failure> {
        let is_its = |number: &u64| number % self.conversations % self.connections == connection;
        let (mut kept, mut written) = (Connection::open(&self.authority).await?, Vec::new());
        for number in (0..self.messages).filter(is_its) {
            let due = start + Duration::from_secs_f64(number as f64 / f64::from(self.rate));
            sleep_until(due.into()).await;
            let reply = kept.exchange(&self.post(number)).await?;
            if reply.status != 200 {
                return Err(format!("a post of the provider was answered {}", reply.status).into());
            }
            written.push((number, Written { due, answered: Instant::now() }));
        }
        Ok(written)
    }

    /// The post of one message, signed as Meta signs.
    fn post(&self, number: u64) -> Vec<u8> {
        let Self { authority, instance, phone_number_id, .. } = self;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let message = json!({
            "from": (FIRST_CUSTOMER + number % self.conversations).to_string(), "id": format!("wamid.{phone_number_id}.{number}"),
            "timestamp": seconds.to_string(), "type": "text", "text": { "body": number.to_string() },
        });
        let value = json!({ "metadata": { "phone_number_id": phone_number_id }, "messages": [message] });
        let entry = json!({ "id": "200000000000009", "changes": [{ "field": "messages", "value": value }] });
        let body = json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string();
        let signature = Secret::from(APP_SECRET).hmac_hex(&[body.as_bytes()]);
        let length = body.len();
        format!(
            "POST /providers/whatsapp/{instance} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
             X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// What came of it.
struct Figures {
    written: usize,
    lost: usize,
    repeated: usize,
    refused: u64,
    out_of_order: usize,
    since_due: Latency,
    since_answered: Latency,
}

impl Figures {
    fn new(written: &HashMap<u64, Written>, phone_system: &PhoneSystem, conversations: u64) -> Result<Self, Failure> {
        let heard = phone_system.heard();
        let (mut first_came, mut last_of, mut out_of_order) = (HashMap::new(), HashMap::new(), HashSet::new());
        let latency = || Histogram::<u64>::new_with_bounds(1, LATENCY_MAX_MICROS, 3);
        let (mut since_due, mut since_answered) = (latency()?, latency()?);
        for (number, at) in &heard.taken {
            if first_came.insert(*number, *at).is_some() {
                continue;
            }
            let conversation = number % conversations;
            if last_of.insert(conversation, *number).is_some_and(|last| last > *number) {
                out_of_order.insert(conversation);
            }
            if let Some(written) = written.get(number) {
                since_due.saturating_record(micros(at.saturating_duration_since(written.due)));
                since_answered.saturating_record(micros(at.saturating_duration_since(written.answered)));
            }
        }
        Ok(Self {
            written: written.len(),
            lost: written.keys().filter(|number| !first_came.contains_key(number)).count(),
            repeated: heard.taken.len() - first_came.len(),
            refused: heard.refused,
            out_of_order: out_of_order.len(),
            since_due: Latency::of(&since_due),
            since_answered: Latency::of(&since_answered),
        })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { written, lost, repeated, refused, out_of_order, since_due, since_answered } = self;
        writeln!(f, "written        {written}; {lost} lost, {repeated} repeated, {refused} posts answered 503")?;
        writeln!(f, "conversations  {out_of_order} out of order")?;
        writeln!(f, "since due      {since_due}")?;
        writeln!(f, "since the 200  {since_answered}")
    }
}
