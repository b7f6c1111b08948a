//! Settings: what a phone system may do, and what its events become.
//!
//! They are kept with its integration, as JSON that only this crate reads ([`Settings::of`]). [`Settings::plan`] says what an event asks for;
//! whether that may go out is the policy's to decide, as for every other message.

use gatepost::{AdapterSettings, DeclaredPurpose, Integration, Phone, PhoneSystem, Posts, Purpose, Text, Way};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::template::{NotFilled, Template, Variable};
use crate::webhook::{Event, EventType, InvalidEvent};

/// The most networks that calls may come from.
pub const NETWORKS_MAX: usize = 64;

/// What a phone system may do. Nothing, where nobody says otherwise; and only in answer to who wrote within the last 24 hours.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Settings {
    /// Whether it is posted what customers write.
    pub inbound_enabled: bool,
    /// Whether its agents and flows may answer customers.
    pub outbound_enabled: bool,
    /// Whether calls may become messages.
    pub call_event_enabled: bool,
    /// Whether it may only answer who wrote within the last 24 hours, whatever the instance's provider allows.
    pub strict_conversation_window: bool,
    /// Whether calls of the webhook must be signed.
    pub must_be_signed: bool,
    /// From where the webhook, the trunk and the CRM may call; from anywhere where it is empty.
    pub allowed_ips: Vec<IpNet>,
    /// The number of its trunk: what its agents send from.
    pub number: Option<Phone>,
    /// What calls become.
    pub templates: Templates,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            inbound_enabled: false,
            outbound_enabled: false,
            call_event_enabled: false,
            strict_conversation_window: true,
            must_be_signed: false,
            allowed_ips: Vec::new(),
            number: None,
            templates: Templates::default(),
        }
    }
}

/// The template of each kind of call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Templates {
    /// For when the office is closed.
    pub after_hours: CallTemplate,
    /// For when a call is over.
    pub call_ended: CallTemplate,
    /// For when nobody took a call.
    pub missed_call: CallTemplate,
    /// For when somebody in a queue asked to be called back.
    pub queue_callback: CallTemplate,
    /// For when somebody left a message.
    pub voicemail: CallTemplate,
}

/// What one kind of call becomes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallTemplate {
    /// Whether such calls become messages.
    #[serde(default)]
    pub enabled: bool,
    /// What is said.
    pub text: Template,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            after_hours: CallTemplate::off("{{business_name}}: our office is closed now. We will answer your call when we are back."),
            call_ended: CallTemplate::off("{{business_name}}: thank you for your call. You can reply here if you need anything else."),
            missed_call: CallTemplate::off("{{business_name}}: sorry that we missed your call. Reply here and we will help you."),
            queue_callback: CallTemplate::off("{{business_name}}: we have your request and will call you back."),
            voicemail: CallTemplate::off("{{business_name}}: we have your voice message and will answer it."),
        }
    }
}

impl CallTemplate {
    #[expect(clippy::expect_used, reason = "a test fills each of them")]
    fn off(text: &str) -> Self {
        Self { enabled: false, text: text.parse().expect("a template") }
    }
}

impl Templates {
    /// The template of such an event, where there may be one.
    pub const fn of(&self, event_type: EventType) -> Option<&CallTemplate> {
        match event_type {
            EventType::AfterHours => Some(&self.after_hours),
            EventType::CallEnded => Some(&self.call_ended),
            EventType::MissedCall => Some(&self.missed_call),
            EventType::QueueCallback => Some(&self.queue_callback),
            EventType::Voicemail => Some(&self.voicemail),
            EventType::CallStarted | EventType::InboundReply | EventType::OutboundMessage | EventType::QueueEvent | EventType::Test => None,
        }
    }
}

/// What an event asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Plan {
    /// To be written down, and nothing more.
    Log,
    /// To become this message, if the policy lets it go out.
    Send(Outgoing),
    /// To become no message, for this reason.
    Skip(Skipped),
    /// To be refused, for this reason.
    Refuse(NotPlanned),
}

/// A message that an event becomes. Its `Debug` does not show what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// To whom.
    pub to: Phone,
    /// What it says.
    pub text: Text,
    /// Why.
    pub purpose: DeclaredPurpose,
    /// The kind of call that it is about: it becomes one message for a while.
    pub call: Option<EventType>,
}

/// Why an event becomes no message, as the settings want it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Skipped {
    /// Such calls become none.
    TemplateDisabled,
    /// The template speaks of what is not known of this call.
    VariableMissing(Variable),
    /// What the template makes of this call is longer than any message may be.
    TooLong,
}

impl Skipped {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TemplateDisabled => "template_disabled",
            Self::VariableMissing(_) => "template_variable_missing",
            Self::TooLong => "template_too_long",
        }
    }
}

/// Why an event is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotPlanned {
    /// Calls become no messages.
    #[error("call events are switched off for this integration")]
    CallEventsDisabled,
    /// Agents and flows may not answer.
    #[error("outbound messages are switched off for this integration")]
    OutboundDisabled,
    /// It lacks what it needs.
    #[error("{0}")]
    Invalid(#[from] InvalidEvent),
}

impl Settings {
    /// The settings of an integration.
    ///
    /// # Errors
    ///
    /// Where they are of another shape.
    pub fn of(integration: &Integration) -> Result<Self, gatepost::InvalidAdapterSettings> {
        integration.settings.read()
    }

    /// The settings as an integration keeps them.
    ///
    /// # Errors
    ///
    /// Never: they are a JSON object.
    pub fn kept(&self) -> Result<AdapterSettings, gatepost::InvalidAdapterSettings> {
        AdapterSettings::of(self)
    }

    /// What its phone system is posted: what customers write, and how far what its agents send gets.
    pub const fn posts(&self) -> Posts {
        Posts { inbound: self.inbound_enabled, receipts: self.outbound_enabled }
    }

    /// How a message that it asks for is marked.
    pub const fn origin(&self, integration: &Integration, way: Way) -> PhoneSystem {
        PhoneSystem { integration: integration.id, way, strict_window: self.strict_conversation_window }
    }

    /// What an event asks for.
    pub fn plan(&self, event: &Event, business_name: &str) -> Plan {
        let planned = match (event.event_type(), self.templates.of(event.event_type())) {
            (EventType::OutboundMessage, _) => self.plan_message(event),
            (_, Some(template)) => self.plan_call(event, template, business_name),
            (_, None) => Ok(Plan::Log),
        };
        planned.unwrap_or_else(Plan::Refuse)
    }

    fn plan_message(&self, event: &Event) -> Result<Plan, NotPlanned> {
        if !self.outbound_enabled {
            return Err(NotPlanned::OutboundDisabled);
        }
        let outbound = event.outbound()?;
        Ok(Plan::Send(Outgoing { to: outbound.to, text: outbound.text, purpose: outbound.purpose, call: None }))
    }

    fn plan_call(&self, event: &Event, template: &CallTemplate, business_name: &str) -> Result<Plan, NotPlanned> {
        if !self.call_event_enabled {
            return Err(NotPlanned::CallEventsDisabled);
        }
        if !template.enabled {
            return Ok(Plan::Skip(Skipped::TemplateDisabled));
        }
        let facts = event.call_facts()?;
        let purpose = if event.has_purpose() { event.purpose()? } else { Purpose::Support.into() };
        match template.text.fill(business_name, &facts) {
            Ok(text) => Ok(Plan::Send(Outgoing { to: facts.customer_phone, text, purpose, call: Some(event.event_type()) })),
            Err(NotFilled::Missing(variable)) => Ok(Plan::Skip(Skipped::VariableMissing(variable))),
            Err(NotFilled::TooLong) => Ok(Plan::Skip(Skipped::TooLong)),
        }
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be made fails its test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::webhook::read;

    fn on() -> Settings {
        let mut settings = Settings { outbound_enabled: true, call_event_enabled: true, ..Settings::default() };
        settings.templates.missed_call = CallTemplate { enabled: true, text: "Sorry, {{queue}}.".parse().unwrap() };
        settings
    }

    fn plan(settings: &Settings, event: &Value) -> Plan {
        settings.plan(&read(event.to_string().as_bytes()).unwrap(), "Acme")
    }

    #[test]
    fn nothing_is_on_before_somebody_switches_it_on_but_the_strict_window() {
        let settings = Settings::default();
        assert!(settings.strict_conversation_window);
        assert_eq!(settings.posts(), Posts { inbound: false, receipts: false });
        let message = json!({"event_type": "outbound_message", "to": "+999501234567", "message_text": "hi", "message_purpose": "support"});
        assert_eq!(plan(&settings, &message), Plan::Refuse(NotPlanned::OutboundDisabled));
        assert_eq!(plan(&settings, &json!({"event_type": "missed_call"})), Plan::Refuse(NotPlanned::CallEventsDisabled));
    }

    #[test]
    fn what_asks_for_nothing_is_written_down_whatever_is_switched_off() {
        for event_type in ["test", "inbound_reply", "call_started", "queue_event"] {
            assert_eq!(plan(&Settings::default(), &json!({"event_type": event_type})), Plan::Log, "{event_type}");
        }
    }

    #[test]
    fn a_flow_answers_a_customer() {
        let message = json!({"event_type": "outbound_message", "to": "+999501234567", "message_text": "hi", "message_purpose": "support"});
        let Plan::Send(outgoing) = plan(&on(), &message) else { panic!("a message") };
        assert_eq!((outgoing.to.e164().as_str(), outgoing.text.as_str(), outgoing.call), ("+999501234567", "hi", None));
    }

    #[test]
    fn a_call_becomes_what_its_template_says() {
        let call = json!({"event_type": "missed_call", "caller": "+999501234567", "queue": "sales"});
        let Plan::Send(outgoing) = plan(&on(), &call) else { panic!("a message") };
        assert_eq!((outgoing.text.as_str(), outgoing.purpose.as_str()), ("Sorry, sales.", "support"));
        assert_eq!(outgoing.call, Some(EventType::MissedCall));
        let refused = json!({"event_type": "missed_call", "caller": "+999501234567", "queue": "sales", "message_purpose": "nonsense"});
        assert_eq!(plan(&on(), &refused), Plan::Refuse(NotPlanned::Invalid(InvalidEvent::PurposeNotAllowed)));
    }

    #[test]
    fn each_template_is_switched_on_by_itself_and_says_nothing_with_a_hole_in_it() {
        let call = |event_type| json!({"event_type": event_type, "caller": "+999501234567"});
        for event_type in ["voicemail", "call_ended", "queue_callback", "after_hours"] {
            assert_eq!(plan(&on(), &call(event_type)), Plan::Skip(Skipped::TemplateDisabled), "{event_type}");
        }
        assert_eq!(plan(&on(), &call("missed_call")), Plan::Skip(Skipped::VariableMissing(Variable::Queue)));
        assert_eq!(plan(&on(), &json!({"event_type": "missed_call"})), Plan::Refuse(NotPlanned::Invalid(InvalidEvent::MissingPhone)));
    }

    #[test]
    fn settings_are_kept_as_they_are() {
        let settings =
            Settings { allowed_ips: vec!["192.0.2.0/24".parse().unwrap()], number: Some("+999220000001".parse().unwrap()), ..on() };
        assert_eq!(settings.kept().unwrap().read(), Ok(settings));
        assert_eq!(AdapterSettings::none().read(), Ok(Settings::default()));
    }
}
