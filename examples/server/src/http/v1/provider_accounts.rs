//! Provider accounts: what an instance is given for its provider, and what is shown of it.
//!
//! Credentials come in and never go out again: an answer shows that they are there, and the last characters of long ones. A token that the
//! gateway made is shown in the answer that made it.

use std::borrow::Cow;
use std::sync::Arc;

use gatepost::{Host, Instance, Provider, Secret};
use gatepost_whatsapp::{CloudAccount, EvolutionAccount, GRAPH_VERSION, InvalidAccount, THROUGHPUT};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::endpoints::said;
use super::guard::OnAccount;
use crate::http::problem::Problem;
use crate::http::provider_routes::webhook_path;
use crate::http::state::App;
use crate::providers::Account;

/// What an instance of the Cloud API is given; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone_number_id": "106540352242922", "waba_id": "102290129340398", "access_token": "EAAJ…", "app_secret": "…"}))]
pub(super) struct GiveCloudApi {
    /// The id that Meta gave the phone number. Needed at first.
    #[serde(default)]
    #[schema(max_length = 32)]
    phone_number_id: Option<String>,
    /// The id of the WhatsApp Business Account. Needed at first.
    #[serde(default)]
    #[schema(max_length = 32)]
    waba_id: Option<String>,
    /// The id of the business portfolio above it; `null` for none that is known.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, max_length = 32)]
    portfolio_id: Option<Option<String>>,
    /// The version of the Graph API; `v25.0` where nothing is said.
    #[serde(default)]
    #[schema(example = "v25.0")]
    graph_version: Option<String>,
    /// How many messages the number may send in a second; 80 where nothing is said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10_000)]
    throughput: Option<u32>,
    /// How many people the portfolio may begin a conversation with in 24 hours; `null` where there is no limit, or it is not known.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    people_per_day: Option<Option<u32>>,
    /// The access token. Needed at first.
    #[serde(default)]
    access_token: Option<SecretText>,
    /// The app secret that webhooks are signed with, in place of all before. To let the one before live on, rotate it.
    #[serde(default)]
    app_secret: Option<SecretText>,
    /// What Meta must say to subscribe to the webhook. Where nothing is said at first, or `null`, the gateway makes one, which the answer shows.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<SecretText>)]
    verify_token: Option<Option<SecretText>>,
}

/// What an instance of Evolution API is given; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"base_url": "https://evolution.example.com", "instance_name": "front-desk", "api_key": "…"}))]
pub(super) struct GiveEvolution {
    /// Where Evolution API is. Needed at first.
    #[serde(default)]
    #[schema(max_length = 2048)]
    base_url: Option<String>,
    /// The name of the instance there: 1 to 100 characters. Needed at first.
    #[serde(default)]
    #[schema(max_length = 100)]
    instance_name: Option<String>,
    /// The token of the instance there, or the global key where it is still to be made. Needed at first.
    #[serde(default)]
    api_key: Option<SecretText>,
    /// With what its webhooks show that they are genuine. Where nothing is said at first, or `null`, the gateway makes one; it is told to
    /// Evolution API when the webhook is set up.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<SecretText>)]
    jwt_key: Option<Option<SecretText>>,
}

/// A text that is taken and never shown.
#[derive(Debug)]
pub(super) struct SecretText(pub(super) Secret);

impl<'de> Deserialize<'de> for SecretText {
    /// An error does not quote what was given, whatever it was.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(Secret::from(text))),
            _ => Err(de::Error::custom("expected a text")),
        }
    }
}

impl PartialSchema for SecretText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .description(Some("A secret of 1 to 4096 visible characters of ASCII. It is kept sealed, and never shown."))
            .write_only(true)
            .into()
    }
}

impl ToSchema for SecretText {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Secret")
    }
}

/// What was given, and what the gateway made along with it.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) account: Account,
    /// The verify token, where the gateway made it now.
    pub(super) verify_token: Option<Secret>,
}

impl GiveCloudApi {
    /// The account that was there with what is given now.
    pub(super) fn give(&self, present: Option<&CloudAccount>, host: &dyn Host) -> Result<Given, Problem> {
        let needed = |name: &'static str| needed("cloud_api", name);
        let mut account = match (present, &self.phone_number_id, &self.waba_id, &self.access_token) {
            (Some(present), ..) => present.clone(),
            (None, None, ..) => return Err(needed("phone_number_id")),
            (None, _, None, _) => return Err(needed("waba_id")),
            (None, _, _, None) => return Err(needed("access_token")),
            (None, Some(number), Some(waba), Some(token)) => CloudAccount::new(number.clone(), waba.clone(), token.0.clone()),
        };
        set(&mut account.phone_number_id, self.phone_number_id.as_ref());
        set(&mut account.waba_id, self.waba_id.as_ref());
        set(&mut account.portfolio_id, self.portfolio_id.as_ref());
        set(&mut account.graph_version, self.graph_version.as_ref());
        set(&mut account.throughput, self.throughput.as_ref());
        set(&mut account.people_per_day, self.people_per_day.as_ref());
        set(&mut account.access_token, self.access_token.as_ref().map(|text| &text.0));
        if let Some(secret) = &self.app_secret {
            account.app_secrets = vec![secret.0.clone()];
        }
        set(&mut account.verify_token, self.verify_token.as_ref().and_then(Option::as_ref).map(|text| &text.0));
        let makes_token = matches!(self.verify_token, Some(None)) || account.verify_token.expose().is_empty();
        let verify_token = makes_token.then(|| made_secret(host));
        set(&mut account.verify_token, verify_token.as_ref());
        account.check().map_err(|error| refused("cloud_api", error))?;
        Ok(Given { account: Account::Cloud(Arc::new(account)), verify_token })
    }
}

impl GiveEvolution {
    /// The account that was there with what is given now.
    pub(super) fn give(&self, present: Option<&EvolutionAccount>, app: &App) -> Result<Given, Problem> {
        let needed = |name: &'static str| needed("evolution", name);
        let mut account = match (present, &self.base_url, &self.instance_name, &self.api_key) {
            (Some(present), ..) => present.clone(),
            (None, None, ..) => return Err(needed("base_url")),
            (None, _, None, _) => return Err(needed("instance_name")),
            (None, _, _, None) => return Err(needed("api_key")),
            (None, Some(base_url), Some(instance_name), Some(api_key)) => EvolutionAccount {
                base_url: base_url.clone(),
                instance_name: instance_name.clone(),
                api_key: api_key.0.clone(),
                jwt_key: made_secret(&**app.gateway.host()),
            },
        };
        set(&mut account.base_url, self.base_url.as_ref());
        set(&mut account.instance_name, self.instance_name.as_ref());
        set(&mut account.api_key, self.api_key.as_ref().map(|text| &text.0));
        match &self.jwt_key {
            Some(Some(given)) => account.jwt_key = given.0.clone(),
            Some(None) => account.jwt_key = made_secret(&**app.gateway.host()),
            None => {}
        }
        account.check().map_err(|error| refused("evolution", error))?;
        app.providers.evolution_hosts.permit(&account.base_url).map_err(|why| Problem::of_field("evolution.base_url", why))?;
        Ok(Given { account: Account::Evolution(Arc::new(account)), verify_token: None })
    }
}

fn set<T: Clone>(place: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        *place = given.clone();
    }
}

fn needed(provider: &'static str, name: &'static str) -> Problem {
    Problem::of_field(format!("{provider}.{name}"), "expected it here, because the instance does not have it yet")
}

fn refused(provider: &'static str, error: InvalidAccount) -> Problem {
    Problem::of_field(format!("{provider}.{}", error.field), error.expected)
}

/// A secret that nobody can guess.
fn made_secret(host: &dyn Host) -> Secret {
    let mut bytes = [0; 24];
    host.fill(&mut bytes);
    Secret::from(bytes.iter().fold(String::with_capacity(48), |text, byte| text + &format!("{byte:02x}")))
}

/// What an instance of the Cloud API has.
#[derive(Serialize, ToSchema)]
#[schema(as = CloudApi)]
pub(super) struct CloudApiShape {
    /// The id that Meta gave the phone number.
    phone_number_id: String,
    /// The id of the WhatsApp Business Account.
    waba_id: String,
    /// The id of the business portfolio above it, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    portfolio_id: Option<String>,
    /// The version of the Graph API.
    #[schema(example = "v25.0", default = json!(GRAPH_VERSION))]
    graph_version: String,
    /// How many messages the number may send in a second.
    #[schema(default = json!(THROUGHPUT))]
    throughput: u32,
    /// How many people the portfolio may begin a conversation with in 24 hours, where there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    people_per_day: Option<u32>,
    /// The access token.
    access_token: KeptSecret,
    /// The app secrets that are believed, the newest first: two while one is rotated. Without any, webhooks are refused.
    app_secrets: Vec<KeptSecret>,
    /// What is to be entered at Meta, under WhatsApp, Configuration, Webhook.
    webhook: CloudWebhookShape,
}

/// What Meta must be told to call.
#[derive(Serialize, ToSchema)]
#[schema(as = CloudWebhook)]
struct CloudWebhookShape {
    /// The callback URL; only its path where the operator did not say where the gateway is reached.
    #[schema(example = "https://gateway.example.com/providers/whatsapp/inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    url: String,
    /// The verify token, in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    verify_token: Option<String>,
}

/// What an instance of Evolution API has.
#[derive(Serialize, ToSchema)]
#[schema(as = Evolution)]
pub(super) struct EvolutionShape {
    /// Where Evolution API is.
    base_url: String,
    /// The name of the instance there.
    instance_name: String,
    /// The key that is shown to it.
    api_key: KeptSecret,
    /// Where it tells what happens, once the webhook was set up there.
    webhook_url: String,
}

/// A secret that is there.
#[derive(Serialize, ToSchema)]
struct KeptSecret {
    /// Always `true`.
    set: bool,
    /// Its last four characters, where it is long enough to show them.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_four: Option<String>,
}

/// The shortest secret of which something is shown, in bytes.
const SHOWN_FROM: usize = 24;

impl KeptSecret {
    fn of(secret: &Secret) -> Self {
        let text = secret.expose();
        let last_four = text.len().checked_sub(4).filter(|_| text.len() >= SHOWN_FROM).and_then(|start| text.get(start..));
        Self { set: true, last_four: last_four.map(str::to_owned) }
    }
}

/// What is shown of what an instance was given.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) cloud_api: Option<CloudApiShape>,
    pub(super) evolution: Option<EvolutionShape>,
}

impl Shown {
    /// What may be seen of what is kept, with a verify token that was just made.
    pub(super) fn of(instance: &Instance, app: &App, on: OnAccount, verify_token: Option<&Secret>) -> Self {
        match app.providers.accounts.credentials().read(on.account, instance) {
            Ok(Some(Account::Cloud(account))) => {
                let webhook = CloudWebhookShape {
                    url: webhook_url(app, instance),
                    verify_token: verify_token.map(|token| token.expose().to_owned()),
                };
                Self { cloud_api: Some(CloudApiShape::of(&account, webhook)), evolution: None }
            }
            Ok(Some(Account::Evolution(account))) => {
                Self { evolution: Some(EvolutionShape::of(&account, webhook_url(app, instance))), cloud_api: None }
            }
            Ok(None) => Self::default(),
            Err(error) => {
                tracing::error!(account = %on.account, instance = %instance.id, %error, "what an instance was given cannot be read");
                Self::default()
            }
        }
    }
}

/// Where the provider of an instance tells what happens.
fn webhook_url(app: &App, instance: &Instance) -> String {
    let provider = if instance.provider == Provider::CloudApi { "whatsapp" } else { "evolution" };
    app.settings.public_url.clone().unwrap_or_default() + &webhook_path(provider, instance.id)
}

impl CloudApiShape {
    fn of(account: &CloudAccount, webhook: CloudWebhookShape) -> Self {
        Self {
            phone_number_id: account.phone_number_id.clone(),
            waba_id: account.waba_id.clone(),
            portfolio_id: account.portfolio_id.clone(),
            graph_version: account.graph_version.clone(),
            throughput: account.throughput,
            people_per_day: account.people_per_day,
            access_token: KeptSecret::of(&account.access_token),
            app_secrets: account.app_secrets.iter().map(KeptSecret::of).collect(),
            webhook,
        }
    }
}

impl EvolutionShape {
    fn of(account: &EvolutionAccount, webhook_url: String) -> Self {
        Self {
            base_url: account.base_url.clone(),
            instance_name: account.instance_name.clone(),
            api_key: KeptSecret::of(&account.api_key),
            webhook_url,
        }
    }
}
