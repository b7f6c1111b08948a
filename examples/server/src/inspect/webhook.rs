//! Webhooks: what a provider tells, as it is read into items.

use std::io::{self, BufRead, Write};

use gatepost_whatsapp::{Batch, Item, NotANotification, cloud, evolution};
use serde::Serialize;

use super::answer;

/// Whose webhooks are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WebhookProvider {
    /// Evolution API.
    Evolution,
    /// Meta's Cloud API.
    Whatsapp,
}

/// Reads bodies, one a line, and writes what each tells, in order. Nobody's signature is checked.
pub fn webhooks(provider: WebhookProvider, input: impl BufRead, output: impl Write) -> io::Result<()> {
    answer(input, output, |line| read(provider, line.as_bytes()).map(WebhookVerdict::new).map_err(|error| error.to_string()))
}

fn read(provider: WebhookProvider, body: &[u8]) -> Result<Batch, NotANotification> {
    match provider {
        WebhookProvider::Evolution => evolution::webhook(body),
        WebhookProvider::Whatsapp => cloud::webhook(body),
    }
}

#[derive(Serialize)]
struct WebhookVerdict {
    items: Vec<Item>,
    /// What could not be read.
    quarantined: Vec<Item>,
}

impl WebhookVerdict {
    fn new(batch: Batch) -> Self {
        let (quarantined, items) = batch.items.into_iter().partition(Item::is_malformed);
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
    fn events_of_evolution_are_read_too() {
        let key = json!({"remoteJid": "999501234567@s.whatsapp.net", "fromMe": false, "id": "3EB0A1"});
        let data = json!({"key": key, "message": {"conversation": "STOP"}, "messageTimestamp": 1_795_500_000});
        let body = json!({"event": "messages.upsert", "instance": "front-desk", "data": data});
        let verdicts = read_all(WebhookProvider::Evolution, &body.to_string());
        assert_eq!((kinds(&verdicts[0]["items"]), kinds(&verdicts[0]["quarantined"])), (vec!["message.conversation"], vec![]));
    }
}
