//! Config: everything that can be set, its default, and where each value comes from.
//!
//! The players: [`Settings`] (what is set, in types that cannot be wrong), [`Layers`] (the sources, each stronger than the one before:
//! defaults, `gatepost.toml`, `GATEPOST_*` variables, `GATEPOST_*_FILE` for secrets, flags), [`Effective`] (what came of them),
//! [`ConfigError`] (which setting, from which source, and what was expected). `gatepost.toml` beside this crate documents each setting.

mod database;
mod layers;
mod outgoing;
mod values;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use gatepost::{Brand, Delivering, DestinationPolicy, InvalidDestinationPolicy, Policy, Retention, Timestamp};
use gatepost_memory::{Mishap, Sandbox};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{Failure, policy_text};

pub use database::DatabaseSettings;
pub(crate) use layers::line_of;
pub use layers::{ConfigError, Effective, Layers, Row, Source};
pub use outgoing::{DestinationSettings, ProviderSettings, ThreecxSettings, WebhookSettings};
pub use values::{BaseUrl, Bounded, DatabaseUrl, Directives, Secret, Written};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What is set.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// For whom it runs.
    pub mode: Mode,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The folder that holds the database, unless `database.url` says otherwise, and, unless `keys_file` does, the keyring.
    pub data: PathBuf,
    /// The first letters of keys.
    pub brand: Written<Brand>,
    /// The keyring, where it is not in the data folder.
    #[serde(with = "values::or_empty")]
    pub keys_file: Option<PathBuf>,
    /// Where the gateway is reached from outside.
    #[serde(with = "values::or_empty")]
    pub public_url: Option<BaseUrl>,
    /// The proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// The running server that the command line speaks to instead of the data folder.
    #[serde(with = "values::or_empty")]
    pub url: Option<BaseUrl>,
    /// The key that the command line shows to that server.
    #[serde(with = "values::or_empty")]
    pub key: Option<Secret>,
    /// Where the database is.
    pub database: DatabaseSettings,
    /// What the HTTP side takes at most.
    pub http: HttpLimits,
    /// What it tells about itself.
    pub log: Log,
    /// How it delivers messages.
    pub delivering: DeliverySettings,
    /// How it delivers events.
    pub webhooks: WebhookSettings,
    /// Where events may go.
    pub destinations: DestinationSettings,
    /// Where the providers of WhatsApp are.
    pub providers: ProviderSettings,
    /// Where phone systems are.
    pub threecx: ThreecxSettings,
    /// When a message is held or blocked.
    pub policy: PolicySettings,
    /// How long it remembers.
    pub retention: RetentionSettings,
    /// How the sandbox provider behaves.
    pub sandbox: SandboxSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Development,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            data: PathBuf::from("data"),
            brand: Written::default(),
            keys_file: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            url: None,
            key: None,
            database: DatabaseSettings::default(),
            http: HttpLimits::default(),
            log: Log::default(),
            delivering: DeliverySettings::default(),
            webhooks: WebhookSettings::default(),
            destinations: DestinationSettings::default(),
            providers: ProviderSettings::default(),
            threecx: ThreecxSettings::default(),
            policy: PolicySettings::default(),
            retention: RetentionSettings::default(),
            sandbox: SandboxSettings::default(),
        }
    }
}

impl Settings {
    /// How the gateway delivers.
    pub fn delivering(&self) -> Delivering {
        let (messages, events) = (self.delivering, &self.webhooks);
        Delivering {
            in_flight_max: messages.in_flight_max.get() as usize,
            per_account_max: messages.per_account_max.get() as usize,
            send_timeout: Duration::from_secs(messages.send_timeout_seconds.get()),
            events_in_flight_max: events.in_flight_max.get() as usize,
            event_timeout: Duration::from_secs(events.timeout_seconds.get()),
            poll_interval: Duration::from_millis(messages.poll_interval_ms.get()),
        }
    }

    /// Where events may go.
    pub fn destination_policy(&self) -> Result<DestinationPolicy, InvalidDestinationPolicy> {
        self.destinations.policy(self.mode)
    }

    /// Where providers may be.
    pub fn provider_policy(&self) -> Result<DestinationPolicy, InvalidDestinationPolicy> {
        self.providers.policy(self.mode, &self.destinations)
    }

    /// Where the gateway is reached from outside when it listens at `address`, as far as that is known; without a slash at the end.
    pub fn public_url_at(&self, address: SocketAddr) -> Option<String> {
        match (&self.public_url, self.mode) {
            (Some(url), _) => Some(url.join("")),
            (None, Mode::Development) => Some(format!("http://{address}")),
            (None, Mode::Production) => None,
        }
    }

    /// Where phone systems may be.
    pub fn threecx_policy(&self) -> Result<DestinationPolicy, InvalidDestinationPolicy> {
        self.threecx.policy(self.mode, &self.destinations)
    }
}

/// For whom the gateway runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// For who tries it: it listens on loopback only, and makes a demo account.
    #[default]
    Development,
    /// For customers: nothing is made for show, and secrets that others can read are refused.
    Production,
}

/// What the HTTP side takes at most.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// How many connections may be open at once.
    pub connections_max: Bounded<1, 1_000_000>,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { connections_max: Bounded::nearest(10_000) }
    }
}

/// What it tells about itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// In which form.
    pub format: LogFormat,
    /// How much: a level, or directives as `tracing` reads them.
    pub level: Directives,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    #[default]
    Text,
}

/// How it delivers messages: [`Delivering`] with the units in the names.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverySettings {
    /// How many sends may be on their way at once.
    pub in_flight_max: Bounded<1, 100_000>,
    /// How many deliveries of one account a claim takes at most.
    pub per_account_max: Bounded<1, 100_000>,
    /// How long a send may take.
    pub send_timeout_seconds: Bounded<1, 300>,
    /// How long the worker sleeps at most: well below the ten silent seconds after which the server counts as not ready.
    pub poll_interval_ms: Bounded<10, 5_000>,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        let Delivering { in_flight_max, per_account_max, send_timeout, poll_interval, .. } = Delivering::default();
        Self {
            in_flight_max: Bounded::nearest(in_flight_max as u64),
            per_account_max: Bounded::nearest(per_account_max as u64),
            send_timeout_seconds: Bounded::nearest(send_timeout.as_secs()),
            poll_interval_ms: Bounded::nearest(poll_interval.as_millis() as u64),
        }
    }
}

/// When a message is held or blocked: the risk scores of [`Policy`].
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// A file with a policy, which then says all of it; none: the usual points with the two scores below.
    #[serde(with = "values::or_empty")]
    pub file: Option<PathBuf>,
    /// A file with a candidate, which runs beside the policy and is only recorded.
    #[serde(with = "values::or_empty")]
    pub candidate: Option<PathBuf>,
    /// The least risk score of a message that a person must release.
    pub review_from: Bounded<1, 100>,
    /// The least risk score of a message that is blocked for its risk; not below `review_from`.
    pub block_from: Bounded<1, 100>,
}

impl Default for PolicySettings {
    fn default() -> Self {
        let Policy { review_from, block_from, .. } = Policy::default();
        let [review_from, block_from] = [review_from, block_from].map(u64::from);
        Self { file: None, candidate: None, review_from: Bounded::nearest(review_from), block_from: Bounded::nearest(block_from) }
    }
}

impl PolicySettings {
    /// What decides.
    pub fn live(&self) -> Result<Policy, Failure> {
        match &self.file {
            Some(file) => policy_text::read(file),
            None => {
                let (review_from, block_from) = (self.review_from.get() as u8, self.block_from.get() as u8);
                let policy = Policy { review_from, block_from, ..Policy::default() };
                policy.check().map(|()| policy).map_err(|error| Failure::Usage(format!("policy.{error}")))
            }
        }
    }

    /// What runs beside it.
    pub fn candidate(&self) -> Result<Option<Policy>, Failure> {
        self.candidate.as_deref().map(policy_text::read).transpose()
    }
}

/// How long it remembers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// What messages and events say.
    pub content_days: Bounded<1, 36_500>,
    /// Messages, events, attempts, reviews and policy events.
    pub log_days: Bounded<1, 36_500>,
    /// What providers posted, as it came, and the keys by which repetitions are told: Meta repeats for up to seven days.
    pub raw_days: Bounded<8, 36_500>,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { content_days: Bounded::nearest(30), log_days: Bounded::nearest(396), raw_days: Bounded::nearest(8) }
    }
}

impl RetentionSettings {
    /// What is forgotten at `now`.
    pub fn at(self, now: Timestamp) -> Retention {
        let before = |days: u64| now.minus(DAY * days as u32);
        Retention {
            content_before: before(self.content_days.get()),
            logs_before: before(self.log_days.get()),
            raw_before: before(self.raw_days.get()),
            now,
        }
    }
}

/// How the sandbox provider behaves.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// How long it takes to answer.
    pub latency_ms: Bounded<0, 600_000>,
    /// What goes wrong with it.
    #[serde(with = "values::or_empty")]
    pub fail: Option<Written<Mishap>>,
}

impl SandboxSettings {
    /// A sandbox that behaves so.
    pub fn provider(&self) -> Sandbox {
        let sandbox = Sandbox::new().with_latency(Duration::from_millis(self.latency_ms.get()));
        match &self.fail {
            Some(mishap) => sandbox.with_mishap(*mishap.value()),
            None => sandbox,
        }
    }
}

/// A setting's name, and what it expects, as an error says it.
struct Key {
    name: &'static str,
    expected: &'static str,
}

const fn key(name: &'static str, expected: &'static str) -> Key {
    Key { name, expected }
}

/// Every setting. To add one, add its field above, its row here and its lines in `gatepost.toml`.
const KEYS: &[Key] = &[
    key("mode", "`development` or `production`"),
    key("listen", "an IP address and a port, for example `127.0.0.1:8080`"),
    key("data", "the path of a folder"),
    key("brand", "2 to 12 lower-case letters or digits"),
    key("keys_file", "the path of a file"),
    key("public_url", "a URL that starts with `http://` or `https://`"),
    key("trusted_proxies", "a list of networks, for example `10.0.0.0/8`"),
    key("url", "a URL that starts with `http://` or `https://`"),
    key("key", "an API key or an operator key"),
    key("database.url", POSTGRES_URL),
    key("database.owner_url", POSTGRES_URL),
    key("database.role", "the name of a role"),
    key("database.connections", "a whole number from 2 to 1000"),
    key("http.connections_max", "a whole number from 1 to 1000000"),
    key("log.format", "`text` or `json`"),
    key("log.level", "a level, for example `info`, or directives, for example `info,gatepost_server=debug`"),
    key("delivering.in_flight_max", "a whole number from 1 to 100000"),
    key("delivering.per_account_max", "a whole number from 1 to 100000"),
    key("delivering.send_timeout_seconds", "a whole number from 1 to 300"),
    key("delivering.poll_interval_ms", "a whole number from 10 to 5000"),
    key("webhooks.in_flight_max", "a whole number from 1 to 1024"),
    key("webhooks.timeout_seconds", "a whole number from 1 to 30"),
    key("webhooks.verify", "`true` or `false`"),
    key("webhooks.root_certificates", "the path of a file of certificates in PEM"),
    key("destinations.ports", "a list of ports from 1 to 65535"),
    key("destinations.allow", "a list of networks, for example `10.20.0.0/16`"),
    key("destinations.deny", "a list of networks, for example `198.51.100.0/24`"),
    key("destinations.nat64", "a list of IPv6 prefixes, for example `64:ff9b::/96`"),
    key("providers.graph_url", "a URL that starts with `http://` or `https://`"),
    key("providers.evolution_hosts", "a list of hosts, for example `evolution.example.com`"),
    key("providers.ports", "a list of ports from 1 to 65535"),
    key("providers.allow", "a list of networks, for example `10.20.0.0/16`"),
    key("providers.root_certificates", "the path of a file of certificates in PEM"),
    key("threecx.ports", "a list of ports from 1 to 65535"),
    key("threecx.allow", "a list of networks, for example `10.20.0.0/16`"),
    key("threecx.hosts", "a list of hosts, for example `pbx.internal`"),
    key("threecx.root_certificates", "the path of a file of certificates in PEM"),
    key("policy.file", "the path of a file of TOML"),
    key("policy.candidate", "the path of a file of TOML"),
    key("policy.review_from", "a whole number from 1 to 100"),
    key("policy.block_from", "a whole number from 1 to 100"),
    key("retention.content_days", "a whole number from 1 to 36500"),
    key("retention.log_days", "a whole number from 1 to 36500"),
    key("retention.raw_days", "a whole number from 8 to 36500"),
    key("sandbox.latency_ms", "a whole number from 0 to 600000"),
    key("sandbox.fail", "`refuse`, `timeout`, `die`, `flaky:P` or nothing"),
];

/// A URL with a password in it is a secret, so that what is wrong with one is not quoted.
const POSTGRES_URL: &str = "a URL like `postgres://role:password@host/database`, with no parameter that Postgres does not know, \
    and no `sslmode` but `disable`, `require` or `verify-full`";

/// The settings that are secrets: shown as `***`, or without their password, and also read from the file that `GATEPOST_*_FILE` names.
const SECRETS: &[&str] = &["database.owner_url", "database.url", "key"];

/// What no single setting can say: the rules between them, each with the setting that breaks it and what was expected.
fn broken_rule(settings: &Settings) -> Option<(&'static str, String)> {
    if settings.mode == Mode::Development && !settings.listen.ip().is_loopback() {
        let expected = "expected a loopback address, for example `127.0.0.1:8080`, because `mode` is `development`";
        return Some(("listen", expected.to_owned()));
    }
    let review_from = settings.policy.review_from.get();
    if settings.policy.block_from.get() < review_from {
        return Some(("policy.block_from", format!("expected at least `policy.review_from`, which is {review_from}")));
    }
    if !settings.providers.allow.is_empty() && settings.providers.evolution_hosts.is_empty() {
        let expected = "expected `providers.evolution_hosts` beside it: otherwise any customer could have the gateway call there";
        return Some(("providers.allow", expected.to_owned()));
    }
    let broken = database::broken_setting(&settings.database);
    if broken.is_some() {
        return broken;
    }
    let broken = settings.destination_policy().err().map(outgoing::broken_setting);
    let broken = broken.or_else(|| settings.provider_policy().err().map(outgoing::broken_provider_setting));
    broken.or_else(|| settings.threecx_policy().err().map(outgoing::broken_threecx_setting))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
