//! Accounts: what each instance needs to send and to receive, and where the transports ask for it.
//!
//! An account is kept in two halves: what may be seen ([`AdapterSettings`]) and what may not, whose bytes somebody seals. Whoever keeps
//! them knows the shape of neither.

mod halves;

use std::sync::Arc;

use async_trait::async_trait;
use gatepost::{AdapterSettings, ErrorClass, InstanceId, Outcome, Secret};
use zeroize::Zeroizing;

/// Knows the settings of every instance. They are asked for at each send, so that a new token counts at once.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The settings of an instance that sends by the Cloud API.
    async fn cloud(&self, instance: InstanceId) -> Result<Arc<CloudAccount>, NoAccount>;

    /// The settings of an instance that sends by Evolution API.
    async fn evolution(&self, instance: InstanceId) -> Result<Arc<EvolutionAccount>, NoAccount>;
}

/// The version of the Graph API that is called where an instance names none: 25.0 lives until 2028-07-29.
pub const GRAPH_VERSION: &str = "v25.0";
/// How many messages a number may send in a second, until Meta raises it.
pub const THROUGHPUT: u32 = 80;
/// How many app secrets of one instance are live: the newest, and the one before it while that is rotated away.
pub const APP_SECRETS_MAX: usize = 2;

/// What an instance needs for the Cloud API.
#[derive(Clone, Debug)]
pub struct CloudAccount {
    /// The id of its phone number.
    pub phone_number_id: String,
    /// The WhatsApp Business Account that the number belongs to.
    pub waba_id: String,
    /// The business portfolio above that. Its limit is shared by all its numbers; without one, by those of the account.
    pub portfolio_id: Option<String>,
    /// Its access token.
    pub access_token: Secret,
    /// The secrets of the app that webhooks are signed with, the newest first; two while one is rotated.
    pub app_secrets: Vec<Secret>,
    /// What Meta must know to subscribe to our webhook.
    pub verify_token: Secret,
    /// The version of the Graph API.
    pub graph_version: String,
    /// How many messages the number may send in a second: 80, 1,000 after Meta raised it, 20 beside the WhatsApp Business app.
    pub throughput: u32,
    /// How many people the portfolio may begin a conversation with in 24 hours, 100,000 at most; none where there is no limit, or it is not
    /// known.
    pub people_per_day: Option<u32>,
}

impl CloudAccount {
    /// The settings with which a new number works.
    pub fn new(phone_number_id: impl Into<String>, waba_id: impl Into<String>, access_token: impl Into<Secret>) -> Self {
        Self {
            phone_number_id: phone_number_id.into(),
            waba_id: waba_id.into(),
            portfolio_id: None,
            access_token: access_token.into(),
            app_secrets: Vec::new(),
            verify_token: Secret::from(""),
            graph_version: String::from(GRAPH_VERSION),
            throughput: THROUGHPUT,
            people_per_day: None,
        }
    }

    /// Makes `secret` the app secret. The one before it stays live until [`CloudAccount::retire_app_secret`]; older ones end.
    pub fn rotate_app_secret(&mut self, secret: Secret) {
        self.app_secrets.retain(|known| known.expose() != secret.expose());
        self.app_secrets.insert(0, secret);
        self.app_secrets.truncate(APP_SECRETS_MAX);
    }

    /// Believes only the newest app secret from now on; whether there was another one.
    pub fn retire_app_secret(&mut self) -> bool {
        let had_former = self.app_secrets.len() > 1;
        self.app_secrets.truncate(1);
        had_former
    }

    /// Whether the account can be what it says.
    ///
    /// # Errors
    ///
    /// Names the first field that cannot, and what was expected there.
    pub fn check(&self) -> Result<(), InvalidAccount> {
        expect("phone_number_id", GRAPH_ID, is_graph_id(&self.phone_number_id))?;
        expect("waba_id", GRAPH_ID, is_graph_id(&self.waba_id))?;
        expect("portfolio_id", GRAPH_ID, self.portfolio_id.as_deref().is_none_or(is_graph_id))?;
        expect("graph_version", "expected a version of the Graph API, for example `v25.0`", is_graph_version(&self.graph_version))?;
        expect("throughput", "expected a number from 1 to 10000", (1..=10_000).contains(&self.throughput))?;
        expect(
            "people_per_day",
            "expected a number from 1 to 100000",
            self.people_per_day.is_none_or(|people| (1..=100_000).contains(&people)),
        )?;
        expect("access_token", SECRET, is_secret(&self.access_token))?;
        expect("app_secret", SECRET, self.app_secrets.iter().all(is_secret))?;
        expect("verify_token", SECRET, is_secret(&self.verify_token))
    }

    /// The half that may be seen.
    pub fn settings(&self) -> AdapterSettings {
        halves::settings(&halves::CloudSettings::of(self))
    }

    /// The half to [seal](gatepost::Keyring::seal).
    pub fn credentials(&self) -> Zeroizing<Vec<u8>> {
        halves::credentials(&halves::CloudCredentials::of(self))
    }

    /// Puts an account together from its halves, as [`CloudAccount::settings`] and [`CloudAccount::credentials`] wrote them.
    ///
    /// # Errors
    ///
    /// Where one of them is of another shape: of another provider's account, for example.
    pub fn from_halves(settings: &AdapterSettings, credentials: &[u8]) -> Result<Self, MalformedAccount> {
        let settings: halves::CloudSettings = settings.read().map_err(|_| MalformedAccount)?;
        let credentials: halves::CloudCredentials<'_> = serde_json::from_slice(credentials).map_err(|_| MalformedAccount)?;
        Ok(halves::cloud(settings, credentials))
    }

    /// Who shares the limit of people per day.
    pub(crate) fn portfolio(&self) -> &str {
        self.portfolio_id.as_deref().unwrap_or(&self.waba_id)
    }
}

/// What an instance needs for Evolution API.
#[derive(Clone, Debug)]
pub struct EvolutionAccount {
    /// Where Evolution API is, for example `https://evolution.example`.
    pub base_url: String,
    /// The instance's token, or the global key.
    pub api_key: Secret,
    /// The name of the instance there.
    pub instance_name: String,
    /// With what its webhooks show that they are genuine.
    pub jwt_key: Secret,
}

impl EvolutionAccount {
    /// Whether the account can be what it says. Whether `base_url` may be called is for the destination policy to say.
    ///
    /// # Errors
    ///
    /// Names the first field that cannot, and what was expected there.
    pub fn check(&self) -> Result<(), InvalidAccount> {
        let is_bare = !self.base_url.is_empty() && !self.base_url.contains(['?', '#']);
        expect("base_url", "expected a URL without a question mark or a fragment", is_bare)?;
        let is_name = (1..=100).contains(&self.instance_name.chars().count()) && !self.instance_name.contains(char::is_control);
        expect("instance_name", "expected 1 to 100 characters without control characters", is_name)?;
        expect("api_key", SECRET, is_secret(&self.api_key))?;
        expect("jwt_key", SECRET, is_secret(&self.jwt_key))
    }

    /// The half that may be seen.
    pub fn settings(&self) -> AdapterSettings {
        halves::settings(&halves::EvolutionSettings::of(self))
    }

    /// The half to [seal](gatepost::Keyring::seal).
    pub fn credentials(&self) -> Zeroizing<Vec<u8>> {
        halves::credentials(&halves::EvolutionCredentials::of(self))
    }

    /// Puts an account together from its halves, as [`EvolutionAccount::settings`] and [`EvolutionAccount::credentials`] wrote them.
    ///
    /// # Errors
    ///
    /// Where one of them is of another shape: of another provider's account, for example.
    pub fn from_halves(settings: &AdapterSettings, credentials: &[u8]) -> Result<Self, MalformedAccount> {
        let settings: halves::EvolutionSettings = settings.read().map_err(|_| MalformedAccount)?;
        let credentials: halves::EvolutionCredentials<'_> = serde_json::from_slice(credentials).map_err(|_| MalformedAccount)?;
        Ok(halves::evolution(settings, credentials))
    }
}

const GRAPH_ID: &str = "expected the id that Meta gave it: 1 to 32 digits";
const SECRET: &str = "expected 1 to 4096 visible characters of ASCII, without spaces";

fn expect(field: &'static str, expected: &'static str, is_so: bool) -> Result<(), InvalidAccount> {
    if is_so { Ok(()) } else { Err(InvalidAccount { field, expected }) }
}

/// It becomes part of a path.
fn is_graph_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_graph_version(text: &str) -> bool {
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('v').and_then(|version| version.split_once('.')).is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// It stands in a header, where anything else could end it.
fn is_secret(secret: &Secret) -> bool {
    (1..=4_096).contains(&secret.expose().len()) && secret.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

/// An account cannot be what it says: which field, and what was expected there. It never quotes what stands there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{field}`: {expected}")]
pub struct InvalidAccount {
    /// The field.
    pub field: &'static str,
    /// What was expected there.
    pub expected: &'static str,
}

/// What is kept of an account is of another shape.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the settings and the credentials of an account of this provider")]
pub struct MalformedAccount;

/// The settings of an instance are not to be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoAccount {
    /// There are none.
    #[error("the instance is not set up for this provider")]
    NotSetUp,
    /// They cannot be read now.
    #[error("the settings of the instance cannot be read now")]
    Unavailable,
}

impl From<NoAccount> for Outcome {
    fn from(why: NoAccount) -> Self {
        let class = match why {
            NoAccount::NotSetUp => ErrorClass::NoTransport,
            NoAccount::Unavailable => ErrorClass::Interrupted,
        };
        Self::Failed { class, retry_after: None }
    }
}
