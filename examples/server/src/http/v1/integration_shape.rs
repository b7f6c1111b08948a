//! Integrations, as answers show them: everything but its secrets, which are shown when they are made, and the URL of its phone system, which
//! is never shown.

use std::fmt;
use std::str::FromStr;

use gatepost::{Endpoint, InstanceId, Integration, IntegrationId, IntegrationSecret, IntegrationSecrets, Name, Secret};
use gatepost_threecx::{CallTemplate, Settings, Templates};
use ipnet::IpNet;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::state::App;
use crate::http::words::Time;

/// A 3CX phone system of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Integration)]
pub(super) struct IntegrationShape {
    /// Its id: a number, as text.
    #[schema(value_type = String, example = "4503599627370497")]
    pub(super) id: IntegrationId,
    /// What people call it.
    #[schema(value_type = String, example = "head office")]
    name: Name,
    /// Whether anything of it counts. The account's `threecx_enabled` must be on too.
    enabled: bool,
    /// The instance that its messages go out from, and whose messages it is told.
    #[schema(value_type = String, example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")]
    instance_id: InstanceId,
    /// Whether it is posted what customers write.
    inbound_enabled: bool,
    /// Whether its agents and flows may answer customers.
    outbound_enabled: bool,
    /// Whether calls may become messages.
    call_event_enabled: bool,
    /// Whether it may only answer who wrote within the last 24 hours, whatever the instance's provider allows.
    strict_conversation_window: bool,
    /// Whether calls of the webhook must be signed.
    must_be_signed: bool,
    /// From which networks the webhook, the trunk and the CRM may call; from anywhere where it is empty.
    #[schema(value_type = Vec<String>, example = json!(["203.0.113.7/32"]))]
    allowed_ips: Vec<IpNet>,
    /// The number of its trunk; `null` until it is known.
    #[schema(example = "+999220000001")]
    number: Option<String>,
    /// What each kind of call becomes.
    templates: TemplatesShape,
    /// Where it is posted what customers write; `null` until its URL is known.
    pbx: Option<PbxShape>,
    /// What its flows call; absent while the gateway has no public URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://gateway.example.com/integrations/3cx/webhook/4503599627370497")]
    webhook_url: Option<String>,
    /// The URL of the provider to enter in its SMS trunk; absent while the gateway has no public URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://gateway.example.com/3cx/4503599627370497/sms")]
    trunk_url: Option<String>,
    /// What its CRM template calls; absent while the gateway has no public URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://gateway.example.com/3cx/4503599627370497/crm")]
    crm_url: Option<String>,
    /// How often it was changed.
    revision: u32,
    /// When it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_at: Option<Time>,
    /// When it was made.
    created_at: Time,
}

/// What each kind of call becomes.
#[derive(Serialize, ToSchema)]
#[schema(as = CallTemplates)]
struct TemplatesShape {
    /// For when the office is closed.
    after_hours: TemplateShape,
    /// For when a call is over.
    call_ended: TemplateShape,
    /// For when nobody took a call.
    missed_call: TemplateShape,
    /// For when somebody in a queue asked to be called back.
    queue_callback: TemplateShape,
    /// For when somebody left a message.
    voicemail: TemplateShape,
}

/// What one kind of call becomes.
#[derive(Serialize, ToSchema)]
#[schema(as = CallTemplate)]
struct TemplateShape {
    /// Whether such calls become messages.
    enabled: bool,
    /// What is said.
    #[schema(example = "{{business_name}}: sorry that we missed your call.")]
    text: String,
}

/// Where a phone system is posted what customers write. The path of its URL is a secret, and not shown.
#[derive(Serialize, ToSchema)]
#[schema(as = PhoneLine)]
struct PbxShape {
    /// Scheme, host and port.
    #[schema(example = "https://pbx.example.com:5001")]
    origin: String,
    /// The endpoint that stands for it, as the log of deliveries names it.
    #[schema(value_type = String, example = "ep_01kanqh5s0e8t9v2xw3yz4abcd")]
    endpoint_id: gatepost::EndpointId,
    /// `enabled`, or `disabled` where it is posted nothing.
    #[schema(value_type = String, example = "enabled")]
    state: &'static str,
    /// What disabled it: `person` while the integration or all its posts are switched off; `failing` where it did not answer for five days, or
    /// `forbidden` where its URL is not allowed any more. Any change to the integration begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "failing")]
    disabled_by: Option<&'static str>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_since: Option<Time>,
    /// Since when no post to it has succeeded, while that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Time>,
    /// The number that it is posted messages for.
    #[schema(example = "+999220000001")]
    number: Option<String>,
}

/// An integration with its secrets, which were just made. This is the one time they are shown.
#[derive(Serialize, ToSchema)]
#[schema(as = NewIntegration)]
pub(super) struct NewIntegrationShape {
    /// What it shows to be genuine: keep them where secrets are kept.
    secrets: SecretsShape,
    /// What is known of it later.
    #[serde(flatten)]
    integration: IntegrationShape,
}

/// What an integration shows to be genuine.
#[derive(Serialize, ToSchema)]
#[schema(as = IntegrationSecrets)]
struct SecretsShape {
    /// What calls of the webhook show in `X-WhatsApp-Gateway-3CX-Secret`, and are signed with.
    #[schema(example = "3cxwhs_…")]
    webhook_secret: String,
    /// The API key to enter in the SMS trunk.
    #[schema(example = "3cxsms_…")]
    trunk_key: String,
    /// The API key to enter under the CRM template.
    #[schema(example = "3cxcrm_…")]
    crm_key: String,
}

/// A secret that was just made. This is the one time it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = NewIntegrationSecret)]
pub(super) struct NewSecretShape {
    /// The secret. The one before counts no more.
    #[schema(example = "3cxwhs_…")]
    secret: String,
}

impl IntegrationShape {
    /// It with the endpoint that stands for it, where there is one.
    pub(super) fn of(integration: Integration, endpoint: Option<&Endpoint>, app: &App) -> Result<Self, Problem> {
        let Settings {
            inbound_enabled,
            outbound_enabled,
            call_event_enabled,
            strict_conversation_window,
            must_be_signed,
            allowed_ips,
            number,
            templates,
        } = settings(&integration)?;
        let number = number.map(|number| number.e164());
        let at = |path: &str| Some(app.settings.public_url.as_ref()?.clone() + path);
        Ok(Self {
            id: integration.id,
            name: integration.name,
            enabled: integration.enabled,
            instance_id: integration.instance,
            inbound_enabled,
            outbound_enabled,
            call_event_enabled,
            strict_conversation_window,
            must_be_signed,
            allowed_ips,
            number: number.clone(),
            templates: TemplatesShape::of(&templates),
            pbx: endpoint.map(|endpoint| PbxShape::of(endpoint, number)),
            webhook_url: at(&format!("/integrations/3cx/webhook/{}", integration.id)),
            trunk_url: at(&format!("/3cx/{}/sms", integration.id)),
            crm_url: at(&crm_path(integration.id)),
            revision: integration.revision,
            removed_at: integration.removed_at.map(Time::from),
            created_at: integration.created_at.into(),
        })
    }

    /// The same with its secrets, which are shown this once.
    pub(super) fn revealing(self, secrets: &IntegrationSecrets) -> NewIntegrationShape {
        let text = |which| secrets.get(which).expose().to_owned();
        let secrets = SecretsShape {
            webhook_secret: text(IntegrationSecret::Webhook),
            trunk_key: text(IntegrationSecret::Trunk),
            crm_key: text(IntegrationSecret::Crm),
        };
        NewIntegrationShape { secrets, integration: self }
    }
}

/// The settings of an integration, which were written by this gateway or a later one.
pub(super) fn settings(integration: &Integration) -> Result<Settings, Problem> {
    Settings::of(integration).map_err(|error| {
        tracing::error!(integration = %integration.id, %error, "the settings of an integration cannot be read");
        Problem::of(Code::InternalError)
    })
}

/// Where the CRM of an integration calls.
pub(super) fn crm_path(id: IntegrationId) -> String {
    format!("/3cx/{id}/crm")
}

impl TemplatesShape {
    fn of(templates: &Templates) -> Self {
        let Templates { after_hours, call_ended, missed_call, queue_callback, voicemail } = templates;
        let [after_hours, call_ended, missed_call, queue_callback, voicemail] =
            [after_hours, call_ended, missed_call, queue_callback, voicemail].map(TemplateShape::of);
        Self { after_hours, call_ended, missed_call, queue_callback, voicemail }
    }
}

impl TemplateShape {
    fn of(template: &CallTemplate) -> Self {
        Self { enabled: template.enabled, text: template.text.to_string() }
    }
}

impl PbxShape {
    fn of(endpoint: &Endpoint, number: Option<String>) -> Self {
        let disabled = endpoint.disabled.as_ref();
        Self {
            origin: endpoint.url.origin().to_owned(),
            endpoint_id: endpoint.id,
            state: endpoint.state().as_str(),
            disabled_by: disabled.map(|disabled| disabled.by.as_str()),
            disabled_since: disabled.map(|disabled| disabled.since.into()),
            failing_since: endpoint.health.failing_since.map(Time::from),
            number,
        }
    }
}

impl NewSecretShape {
    pub(super) fn revealing(secret: &Secret) -> Self {
        Self { secret: secret.expose().to_owned() }
    }
}

/// One of an integration's secrets, as a path names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SecretWord(pub(super) IntegrationSecret);

impl FromStr for SecretWord {
    type Err = UnknownSecret;

    fn from_str(word: &str) -> Result<Self, UnknownSecret> {
        match word {
            "crm" => Ok(Self(IntegrationSecret::Crm)),
            "trunk" => Ok(Self(IntegrationSecret::Trunk)),
            "webhook" => Ok(Self(IntegrationSecret::Webhook)),
            _ => Err(UnknownSecret),
        }
    }
}

impl fmt::Display for SecretWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            IntegrationSecret::Crm => "crm",
            IntegrationSecret::Trunk => "trunk",
            IntegrationSecret::Webhook => "webhook",
        })
    }
}

/// An integration has no such secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnknownSecret;
