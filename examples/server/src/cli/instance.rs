//! Instances: the verbs. What a provider must know and nobody may see comes from a file or from standard input.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::Client;
use super::lines;
use super::question::{OnAccount, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make an instance
    Create {
        #[command(flatten)]
        on: OnAccount,
        /// What people call it, unique in the account
        #[arg(long)]
        name: String,
        /// Who carries its messages: sandbox, cloud_api or evolution
        #[arg(long)]
        provider: String,
        /// Whether the provider has it connected: open, connecting or closed [default: open for the sandbox and the Cloud API]
        #[arg(long)]
        connection: Option<String>,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// List instances, by name
    List {
        #[command(flatten)]
        on: OnAccount,
    },
    /// Read an instance
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Let nothing of it go out until it is resumed
    Pause {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
        /// Why, for people
        #[arg(long)]
        note: Option<String>,
    },
    /// End a pause
    Resume {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Change an instance; what is not given stays, and what is given counts at once
    Update {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
        /// Whether the provider has it connected: open, connecting or closed
        #[arg(long)]
        connection: Option<String>,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// Believe webhooks that are signed with a new app secret, and with the one before until that is retired (Cloud API)
    RotateAppSecret {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
        /// A file with the line `app_secret: value`; - for standard input
        #[arg(long, value_name = "FILE")]
        credentials: String,
    },
    /// Believe webhooks with the newest app secret only (Cloud API)
    RetireAppSecret {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Make it at Evolution API, whose global key it was given, and set up its webhook
    Provision {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Have Evolution API tell the gateway what happens
    SetWebhook {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Link it to a number: answers with a QR code as a drawing in SVG, and with a code to type where --phone is given (Evolution API)
    Connect {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
        /// The number of the phone
        #[arg(long)]
        phone: Option<String>,
    },
    /// Ask how the link stands (Evolution API)
    Connection {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// Close the link and open it again (Evolution API)
    Restart {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
    /// End the link (Evolution API)
    Logout {
        #[command(flatten)]
        on: OnAccount,
        /// The instance
        id: String,
    },
}

/// What its provider must know.
#[derive(Args, Debug)]
pub(super) struct Terms {
    /// Cloud API: the id of the phone number
    #[arg(long, value_name = "ID")]
    phone_number_id: Option<String>,
    /// Cloud API: the id of the WhatsApp Business Account
    #[arg(long, value_name = "ID")]
    waba_id: Option<String>,
    /// Cloud API: the id of the business portfolio
    #[arg(long, value_name = "ID")]
    portfolio_id: Option<String>,
    /// Cloud API: the version of the Graph API [default: v25.0]
    #[arg(long, value_name = "VERSION")]
    graph_version: Option<String>,
    /// Cloud API: how many messages the number may send in a second [default: 80]
    #[arg(long, value_name = "COUNT")]
    throughput: Option<u32>,
    /// Cloud API: how many people a conversation may be begun with in 24 hours [default: no limit]
    #[arg(long, value_name = "COUNT")]
    people_per_day: Option<u32>,
    /// Evolution API: where it is
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Evolution API: the name of the instance there
    #[arg(long, value_name = "NAME")]
    instance_name: Option<String>,
    /// A file of secrets, `name: value` on each line: access_token, app_secret and verify_token of the Cloud API, api_key and jwt_key of
    /// Evolution API; - for standard input
    #[arg(long, value_name = "FILE")]
    credentials: Option<String>,
}

/// The names that belong to Evolution API; all others are of the Cloud API.
const OF_EVOLUTION: [&str; 4] = ["base_url", "instance_name", "api_key", "jwt_key"];

impl Terms {
    /// The fields that were given, under the provider that each is of.
    fn body(self, verb: Value) -> Result<Value, Failure> {
        let credentials = self.credentials.as_deref().map(lines::read).transpose()?.unwrap_or_default();
        let fields = given(json!({
            "phone_number_id": self.phone_number_id, "waba_id": self.waba_id, "portfolio_id": self.portfolio_id,
            "graph_version": self.graph_version, "throughput": self.throughput, "people_per_day": self.people_per_day,
            "base_url": self.base_url, "instance_name": self.instance_name,
        }));
        let fields = fields.as_object().cloned().unwrap_or_default().into_iter().chain(credentials);
        let (evolution, cloud_api): (Map<_, _>, Map<_, _>) = fields.partition(|(name, _)| OF_EVOLUTION.contains(&name.as_str()));
        let part = |fields: Map<String, Value>| (!fields.is_empty()).then_some(fields);
        let mut body = json!({"cloud_api": part(cloud_api), "evolution": part(evolution)});
        if let (Some(body), Value::Object(verb)) = (body.as_object_mut(), verb) {
            body.extend(verb);
        }
        Ok(given(body))
    }
}

const COLUMNS: &[&str] = &["id", "name", "provider", "connection", "pause.since"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("instances/{}", encode(id)));
        Ok(match self {
            Self::Create { on, name, provider, connection, terms } => {
                let body = terms.body(json!({"name": name, "provider": provider, "connection": connection}))?;
                Question::post(on.path(client, "instances")?, body)
            }
            Self::List { on } => Question::get(on.path(client, "instances")?).listed(COLUMNS),
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Pause { on, id, note } => Question::post(path(&on, &id)? + "/pause", given(json!({"note": note}))),
            Self::Resume { on, id } => Question::act(path(&on, &id)? + "/resume"),
            Self::Update { on, id, connection, terms } => Question::patch(path(&on, &id)?, terms.body(json!({"connection": connection}))?),
            Self::RotateAppSecret { on, id, credentials } => {
                Question::post(path(&on, &id)? + "/app-secret/rotate", Value::Object(lines::read(&credentials)?))
            }
            Self::RetireAppSecret { on, id } => Question::act(path(&on, &id)? + "/app-secret/retire"),
            Self::Provision { on, id } => Question::act(path(&on, &id)? + "/provision"),
            Self::SetWebhook { on, id } => Question::act(path(&on, &id)? + "/webhook"),
            Self::Connect { on, id, phone } => Question::post(path(&on, &id)? + "/connect", given(json!({"phone": phone}))),
            Self::Connection { on, id } => Question::get(path(&on, &id)? + "/connection"),
            Self::Restart { on, id } => Question::act(path(&on, &id)? + "/restart"),
            Self::Logout { on, id } => Question::act(path(&on, &id)? + "/logout"),
        })
    }
}
