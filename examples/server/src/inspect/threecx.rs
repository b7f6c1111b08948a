//! Threecx: what 3CX posts: an event of a flow, or a message of an agent.

use gatepost_threecx::trunk::AgentMessage;
use gatepost_threecx::webhook::{self, Event, EventType, InvalidEvent};
use serde_json::{Map, Value, json};

/// One body, read whole or put aside with what is wrong; an error where it cannot even be told what it is.
pub(super) fn read(body: &[u8]) -> Result<Result<Value, Value>, String> {
    let is_agents = serde_json::from_slice(body).is_ok_and(|body: Map<String, Value>| !body.contains_key("event_type"));
    if is_agents {
        return Ok(AgentMessage::read(body).map(|message| agent_message(&message)).map_err(|error| aside("agent_message", &error)));
    }
    let event = webhook::read(body).map_err(|error| error.to_string())?;
    Ok(read_event(&event).map_err(|error| aside(event.event_type().as_str(), &error)))
}

fn aside(kind: &str, error: &impl ToString) -> Value {
    json!({"kind": kind, "error": error.to_string()})
}

fn agent_message(message: &AgentMessage) -> Value {
    let text = message.text.as_ref().map(gatepost::Text::as_str);
    item("agent_message", &json!({"from": message.from, "phone": message.to, "text": text, "files": message.files}))
}

fn read_event(event: &Event) -> Result<Value, InvalidEvent> {
    let fields = match event.event_type() {
        EventType::OutboundMessage => {
            let outbound = event.outbound()?;
            json!({
                "phone": outbound.to, "text": outbound.text.as_str(), "purpose": outbound.purpose,
                "conversation_id": outbound.conversation_id, "agent_extension": outbound.agent_extension,
            })
        }
        other if other.has_template() => {
            let facts = event.call_facts()?;
            json!({
                "phone": facts.customer_phone, "agent_extension": facts.agent_extension,
                "queue": facts.queue, "call_time": facts.call_time,
            })
        }
        _ => json!({}),
    };
    Ok(item(event.event_type().as_str(), &fields))
}

/// A kind and what is known of it.
fn item(kind: &str, fields: &Value) -> Value {
    let known = fields.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null() && **value != json!([]));
    let kind = [("kind".to_owned(), json!(kind))];
    kind.into_iter().chain(known.map(|(name, value)| (name.clone(), value.clone()))).collect()
}
