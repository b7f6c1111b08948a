//! Webhooks: what a provider tells, as it is read into items.

use std::io::{self, BufRead, Write};

use gatepost_whatsapp::{Batch, Item, cloud, evolution};
use serde::Serialize;
use serde_json::{Value, json};

use super::{answer, threecx};

/// Whose webhooks are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WebhookProvider {
    /// Evolution API.
    Evolution,
    /// 3CX.
    Threecx,
    /// Meta's Cloud API.
    Whatsapp,
}

/// Reads bodies, one a line, and writes what each tells, in order. Nobody's signature is checked.
pub fn webhooks(provider: WebhookProvider, input: impl BufRead, output: impl Write) -> io::Result<()> {
    answer(input, output, |line| read(provider, line.as_bytes()))
}

fn read(provider: WebhookProvider, body: &[u8]) -> Result<WebhookVerdict, String> {
    match provider {
        WebhookProvider::Evolution => evolution::webhook(body).map(WebhookVerdict::of_batch).map_err(|error| error.to_string()),
        WebhookProvider::Threecx => threecx::read(body).map(WebhookVerdict::of_one),
        WebhookProvider::Whatsapp => cloud::webhook(body).map(WebhookVerdict::of_batch).map_err(|error| error.to_string()),
    }
}

#[derive(Serialize)]
struct WebhookVerdict {
    items: Vec<Value>,
    /// What could not be read.
    quarantined: Vec<Value>,
}

impl WebhookVerdict {
    fn of_batch(batch: Batch) -> Self {
        let (quarantined, items): (Vec<Item>, Vec<Item>) = batch.items.into_iter().partition(Item::is_malformed);
        let [items, quarantined] = [items, quarantined].map(|items| items.iter().map(|item| json!(item)).collect());
        Self { items, quarantined }
    }

    /// What 3CX posts is one thing: read, or put aside.
    fn of_one(item: Result<Value, Value>) -> Self {
        let (items, quarantined) = item.map_or_else(|item| (vec![], vec![item]), |item| (vec![item], vec![]));
        Self { items, quarantined }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_all(provider: WebhookProvider, input: &str) -> Vec<Value> {
        let mut output = Vec::new();
        webhooks(provider, input.as_bytes(), &mut output).unwrap();
        String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn kinds(items: &Value) -> Vec<&str> {
        items.as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect()
    }

    #[test]
    fn what_cannot_be_read_is_put_aside() {
        let messages = json!([
            {"from": "999501234567", "id": "wamid.1", "timestamp": "1795500000", "type": "text", "text": {"body": "STOP"}},
            {"from": "999501234567", "type": "text", "text": {"body": "who am I?"}},
        ]);
        let value = json!({"metadata": {"phone_number_id": "8007"}, "messages": messages});
        let body =
            json!({"object": "whatsapp_business_account", "entry": [{"id": "9001", "changes": [{"field": "messages", "value": value}]}]});
        let verdicts = read_all(WebhookProvider::Whatsapp, &format!("{body}\nnot json\n[]\n"));
        assert_eq!((kinds(&verdicts[0]["items"]), kinds(&verdicts[0]["quarantined"])), (vec!["message.text"], vec!["malformed"]));
        assert_eq!(verdicts[0]["items"][0]["key"], "8007:message:wamid.1");
        assert_eq!(verdicts[1..], [json!({"error": "expected JSON"}), json!({"error": "expected a JSON object"})]);
    }

    #[test]
    fn what_3cx_posts_is_read_too() {
        let lines = [
            json!({"event_type": "missed_call", "caller": "+999 501234567", "queue": "Sales"}),
            json!({"event_type": "outbound_message", "to": "+999501234567", "message": "On our way.", "message_purpose": "support"}),
            json!({"event_type": "outbound_message", "to": "+999501234567", "message_purpose": "support"}),
            json!({"from": "+999220000001", "to": "+999501234567", "text": "Hello"}),
            json!({"from": "+999220000001", "text": "Hello"}),
            json!({"event_type": "fax"}),
        ];
        let verdicts = read_all(WebhookProvider::Threecx, &lines.map(|line| format!("{line}\n")).concat());
        assert_eq!(verdicts[0]["items"], json!([{"kind": "missed_call", "phone": "+999501234567", "queue": "Sales"}]));
        assert_eq!((&verdicts[1]["items"][0]["text"], &verdicts[1]["items"][0]["purpose"]), (&json!("On our way."), &json!("support")));
        let aside = "expected a text in `message_text` or `message`";
        assert_eq!(verdicts[2], json!({"items": [], "quarantined": [{"kind": "outbound_message", "error": aside}]}));
        assert_eq!((&verdicts[3]["items"][0]["kind"], &verdicts[3]["items"][0]["text"]), (&json!("agent_message"), &json!("Hello")));
        assert_eq!(verdicts[4]["quarantined"][0]["kind"], "agent_message");
        assert!(verdicts[5]["error"].as_str().unwrap().starts_with("`event_type`: expected"));
    }

    #[test]
    fn events_of_evolution_are_read_too() {
        let key = json!({"remoteJid": "999501234567@s.whatsapp.net", "fromMe": false, "id": "3EB0A1"});
        let data = json!({"key": key, "message": {"conversation": "STOP"}, "messageTimestamp": 1_795_500_000});
        let body = json!({"event": "messages.upsert", "instance": "front-desk", "data": data});
        let verdicts = read_all(WebhookProvider::Evolution, &body.to_string());
        assert_eq!((kinds(&verdicts[0]["items"]), kinds(&verdicts[0]["quarantined"])), (vec!["message.conversation"], vec![]));
    }
}
