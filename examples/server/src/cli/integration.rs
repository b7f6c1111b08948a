//! Integrations: the verbs. The URL of a phone system comes from a file or from standard input.

use std::fs::File;
use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::client::Client;
use super::lines;
use super::question::{OnAccount, Paging, Question, encode, given};
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make an integration: its secrets are shown, this one time
    Create {
        #[command(flatten)]
        on: OnAccount,
        /// What people call it
        #[arg(long)]
        name: String,
        /// The instance that its messages go out from, and whose messages it is told: its id or its name
        #[arg(long)]
        instance: String,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// List integrations, oldest first
    List {
        #[command(flatten)]
        on: OnAccount,
    },
    /// Read an integration
    Show {
        #[command(flatten)]
        on: OnAccount,
        /// The integration
        id: String,
    },
    /// Change an integration; what is not given stays
    Update {
        #[command(flatten)]
        on: OnAccount,
        /// The integration
        id: String,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// Another instance: its id or its name
        #[arg(long)]
        instance: Option<String>,
        /// Let the webhook, the trunk and the CRM call from anywhere
        #[arg(long, conflicts_with = "allowed_ips")]
        any_ip: bool,
        /// Post to its phone system no more
        #[arg(long, conflicts_with = "pbx_url_file")]
        no_pbx_url: bool,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// Remove an integration; the log still names it
    Remove {
        #[command(flatten)]
        on: OnAccount,
        /// The integration
        id: String,
    },
    /// Make a new secret, shown this one time; the one before counts no more
    Rotate {
        #[command(flatten)]
        on: OnAccount,
        /// The integration
        id: String,
        /// Which
        secret: Which,
    },
    /// Write its CRM template, to be uploaded to 3CX
    Template(WriteTemplate),
    /// List what phone systems said and were told, newest first
    Log {
        #[command(flatten)]
        on: OnAccount,
        /// Only those of this integration
        #[arg(long, value_name = "ID")]
        integration: Option<String>,
        /// Only those that went this way: in or out
        #[arg(long)]
        direction: Option<String>,
        /// Only those of this kind, for example `missed_call`
        #[arg(long)]
        kind: Option<String>,
        /// Only those of which this became: received, logged, skipped, refused, accepted or posted
        #[arg(long)]
        outcome: Option<String>,
        /// Only those about this number
        #[arg(long)]
        phone: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

/// A secret of an integration.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Which {
    /// What the CRM template shows
    Crm,
    /// What the SMS trunk shows
    Trunk,
    /// What calls of the webhook show, and are signed with
    Webhook,
}

impl Which {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Trunk => "trunk",
            Self::Webhook => "webhook",
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct WriteTemplate {
    #[command(flatten)]
    on: OnAccount,
    /// The integration
    id: String,
    /// The new file; `-` for standard output
    file: PathBuf,
}

/// What it may do.
#[derive(Args, Debug)]
pub(super) struct Terms {
    /// Whether anything of it counts [default: true]
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
    /// Whether it is posted what customers write [default: false]
    #[arg(long, value_name = "BOOL")]
    inbound: Option<bool>,
    /// Whether its agents and flows may answer customers [default: false]
    #[arg(long, value_name = "BOOL")]
    outbound: Option<bool>,
    /// Whether calls may become messages [default: false]
    #[arg(long, value_name = "BOOL")]
    call_events: Option<bool>,
    /// Whether it may only answer who wrote within the last 24 hours [default: true]
    #[arg(long, value_name = "BOOL")]
    strict_window: Option<bool>,
    /// Whether calls of the webhook must be signed [default: false]
    #[arg(long, value_name = "BOOL")]
    must_be_signed: Option<bool>,
    /// An address or a network that the webhook, the trunk and the CRM may call from; repeat it for more [default: any]
    #[arg(long = "allowed-ip", value_name = "NETWORK")]
    allowed_ips: Vec<String>,
    /// The number of its trunk
    #[arg(long)]
    number: Option<String>,
    /// A file with the Webhook URL that 3CX shows for its trunk; - for standard input
    #[arg(long, value_name = "FILE")]
    pbx_url_file: Option<String>,
    /// Switch a template on or off: missed_call, voicemail, call_ended, queue_callback or after_hours; repeat it for more [default: off]
    #[arg(long = "template", value_name = "KIND=BOOL", value_parser = pair)]
    templates: Vec<(String, String)>,
    /// What a template says; repeat it for more
    #[arg(long = "text", value_name = "KIND=TEXT", value_parser = pair)]
    texts: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected the name of a template, `=` and a value")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Terms {
    /// The fields that were given, with those of the verb.
    fn body(self, verb: Value) -> Result<Value, Failure> {
        let templates = self.templates()?;
        let mut body = given(json!({
            "enabled": self.enabled, "inbound_enabled": self.inbound, "outbound_enabled": self.outbound,
            "call_event_enabled": self.call_events, "strict_conversation_window": self.strict_window,
            "must_be_signed": self.must_be_signed, "allowed_ips": (!self.allowed_ips.is_empty()).then_some(self.allowed_ips),
            "number": self.number, "templates": (!templates.is_empty()).then_some(templates),
        }));
        if let Some(file) = self.pbx_url_file {
            body["pbx_url"] = Value::from(lines::secret(&file)?.as_str());
        }
        if let (Some(body), Value::Object(verb)) = (body.as_object_mut(), verb) {
            body.extend(verb);
        }
        Ok(body)
    }

    fn templates(&self) -> Result<Map<String, Value>, Failure> {
        let mut templates = Map::new();
        let mut set = |kind: &str, field: &str, value: Value| {
            templates.entry(kind).or_insert_with(|| json!({}))[field] = value;
        };
        for (kind, is_on) in &self.templates {
            let is_on: bool = is_on.parse().map_err(|_| Failure::Usage(format!("`--template {kind}`: expected true or false")))?;
            set(kind, "enabled", Value::from(is_on));
        }
        self.texts.iter().for_each(|(kind, text)| set(kind, "text", Value::from(text.as_str())));
        Ok(templates)
    }
}

const COLUMNS: &[&str] = &["id", "name", "instance_id", "enabled", "number", "pbx.origin", "pbx.state", "pbx.failing_since"];
const LOG_COLUMNS: &[&str] =
    &["log_id", "at", "integration_id", "direction", "kind", "phone", "outcome", "reason", "message_status", "delivery_status"];

impl Verb {
    pub(super) fn question(self, client: &Client) -> Result<Question, Failure> {
        let path = |on: &OnAccount, id: &str| on.path(client, &format!("integrations/{}", encode(id)));
        Ok(match self {
            Self::Create { on, name, instance, terms } => {
                let body = terms.body(json!({"name": name, "instance_id": instance}))?;
                Question::post(on.path(client, "integrations")?, body)
            }
            Self::List { on } => Question::get(on.path(client, "integrations")?).listed(COLUMNS),
            Self::Show { on, id } => Question::get(path(&on, &id)?),
            Self::Update { on, id, name, instance, any_ip, no_pbx_url, terms } => {
                let mut verb = given(json!({"name": name, "instance_id": instance, "allowed_ips": any_ip.then_some([(); 0])}));
                if no_pbx_url {
                    verb["pbx_url"] = Value::Null;
                }
                Question::patch(path(&on, &id)?, terms.body(verb)?)
            }
            Self::Remove { on, id } => Question::delete(path(&on, &id)?),
            Self::Rotate { on, id, secret } => Question::act(path(&on, &id)? + "/secrets/" + secret.as_str() + "/rotate"),
            // Its answer is a file: see `WriteTemplate::run`.
            Self::Template(write) => Question::get(write.path(client)?),
            Self::Log { on, integration, direction, kind, outcome, phone: None, paging } => {
                let asked = Question::get(on.path(client, "integrations/log")?).with("integration_id", integration);
                paging.of(asked.with("direction", direction).with("kind", kind).with("outcome", outcome)).listed(LOG_COLUMNS)
            }
            Self::Log { on, integration, direction, kind, outcome, phone, paging } => {
                let body = given(json!({
                    "integration_id": integration, "direction": direction, "kind": kind, "outcome": outcome, "phone": phone,
                    "limit": paging.limit, "cursor": paging.cursor,
                }));
                Question::post(on.path(client, "integrations/log/search")?, body).listed(LOG_COLUMNS)
            }
        })
    }
}

impl WriteTemplate {
    /// Fetches the template, and writes it as it is.
    pub(super) fn run(&self, client: &Client) -> Result<(), Failure> {
        let template = client.fetch(&self.path(client)?)?;
        let failed = |error: io::Error| Failure::Usage(format!("{}: {error}", self.file.display()));
        let mut to: Box<dyn Write> =
            if self.file == Path::new("-") { Box::new(stdout().lock()) } else { Box::new(File::create_new(&self.file).map_err(failed)?) };
        to.write_all(&template).and_then(|()| to.flush()).map_err(failed)
    }

    fn path(&self, client: &Client) -> Result<String, Failure> {
        self.on.path(client, &format!("integrations/{}/crm-template", encode(&self.id)))
    }
}
