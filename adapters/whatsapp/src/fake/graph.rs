//! Graph: Meta's Graph API, as far as one number sees it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::file::{FakeFile, Files};
use super::mishap::{Mishap, Mishaps};
use super::post::{Hook, post};
use super::server::{Received, Reply, Server};
use crate::cloud::{SIGNATURE_HEADER, sign};

/// The statuses of codes whose status is not 400.
const STATUSES: &[(i64, u16)] = &[
    (0, 401),
    (2, 503),
    (3, 500),
    (10, 403),
    (190, 401),
    (368, 403),
    (130_497, 403),
    (131_000, 500),
    (131_005, 403),
    (131_016, 500),
    (131_031, 403),
    (131_057, 500),
    (132_001, 404),
];

/// Where the files lie.
const FILES: &str = "whatsapp_business";

/// A Graph API with one phone number.
///
/// ```
/// use gatepost_whatsapp::fake::{FakeGraph, Mishap};
///
/// let graph = FakeGraph::start("8007", "9001")?;
/// graph.misbehave(Mishap::Hang);
/// assert!(graph.url().starts_with("http://127.0.0.1:"));
/// assert!(graph.received().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FakeGraph {
    server: Server,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    number: String,
    account: String,
    received: Mutex<Vec<Received>>,
    mishaps: Mishaps,
    files: Files,
    ids: AtomicU64,
}

impl FakeGraph {
    /// Listens on a free port, for the phone number with this id and its business account.
    ///
    /// # Errors
    ///
    /// Where no port is to be had.
    pub fn start(phone_number_id: &str, waba_id: &str) -> io::Result<Self> {
        let state = Arc::new(State { number: phone_number_id.to_owned(), account: waba_id.to_owned(), ..State::default() });
        let replying = state.clone();
        Ok(Self { server: Server::start(move |received| replying.reply(received))?, state })
    }

    /// Where it listens: what [`CloudApi::with_graph_url`](crate::cloud::CloudApi::with_graph_url) takes.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What it was sent so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has this happen to the next message that is not meant for another mishap.
    pub fn misbehave(&self, mishap: Mishap) {
        self.state.mishaps.push(mishap);
    }

    /// Has a file under this id, to be fetched.
    pub fn keep(&self, id: &str, file: FakeFile) {
        self.state.files.put(id, file);
    }

    /// Posts that somebody sent a small picture, and has it to be fetched.
    ///
    /// # Errors
    ///
    /// Where nobody answers at the URL.
    pub fn tell_picture(&self, hook: Hook<'_>, from: &str, caption: &str) -> io::Result<u16> {
        let (id, file) = (self.state.next_id(), FakeFile::picture());
        let media = format!("{}", 4_120_532_427_830_000_u64 + self.state.ids.fetch_add(1, Ordering::AcqRel));
        let image = json!({"id": media, "mime_type": file.mime_type, "sha256": Base64::encode_string(&Sha256::digest(&file.bytes)), "caption": caption});
        self.keep(&media, file);
        let message = json!({"from": from, "id": id, "timestamp": hook.seconds().to_string(), "type": "image", "image": image});
        self.tell(hook, &json!({"contacts": [{"profile": {"name": "Pat"}, "wa_id": from}], "messages": [message]}))
    }

    /// Posts that a message it was sent got so far: `status` is `sent`, `delivered`, `read` or `failed`, the last with a code.
    ///
    /// # Errors
    ///
    /// Where it was sent no such message, or nobody answers at the URL.
    pub fn tell_status(&self, hook: Hook<'_>, message: &Value, status: &str, code: Option<i64>) -> io::Result<u16> {
        let recipient = message["to"].as_str().map(|to| to.trim_start_matches('+').to_owned());
        let mut told = json!({"id": id_of(message), "status": status, "timestamp": hook.seconds().to_string(), "recipient_id": recipient});
        if let Some(fields) = told.as_object_mut() {
            fields.extend(message.get("biz_opaque_callback_data").map(|ours| (String::from("biz_opaque_callback_data"), ours.clone())));
            fields.extend(code.map(|code| (String::from("errors"), json!([{"code": code, "title": "failed", "message": "failed"}]))));
        }
        self.tell(hook, &json!({"statuses": [told]}))
    }

    /// Posts that somebody wrote.
    ///
    /// # Errors
    ///
    /// Where nobody answers at the URL.
    pub fn tell_text(&self, hook: Hook<'_>, from: &str, text: &str) -> io::Result<u16> {
        let message = json!({"from": from, "id": self.state.next_id(), "timestamp": hook.seconds().to_string(), "type": "text", "text": {"body": text}});
        self.tell(hook, &json!({"contacts": [{"profile": {"name": "Pat"}, "wa_id": from}], "messages": [message]}))
    }

    /// Posts a change of the field `messages`, signed.
    ///
    /// # Errors
    ///
    /// Where nobody answers at the URL.
    pub fn tell(&self, hook: Hook<'_>, lists: &Value) -> io::Result<u16> {
        let mut value =
            json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "999", "phone_number_id": self.state.number}});
        if let (Some(value), Some(lists)) = (value.as_object_mut(), lists.as_object()) {
            value.extend(lists.clone());
        }
        let changes = json!([{"field": "messages", "value": value}]);
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": self.state.account, "changes": changes}]}).to_string();
        let signature = sign(body.as_bytes(), hook.secret);
        post(hook.url, &[("content-type", "application/json"), (SIGNATURE_HEADER, &signature)], body.as_bytes())
    }
}

/// The id of a message it was sent: made of the message, so that it needs not be remembered.
fn id_of(message: &Value) -> String {
    let ours = message["biz_opaque_callback_data"].as_str().unwrap_or("unknown");
    format!("wamid.FAKE{ours}")
}

impl State {
    fn reply(&self, received: Received) -> Reply {
        let reply = self.reply_to(&received);
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
        reply
    }

    fn reply_to(&self, received: &Received) -> Reply {
        let is_authorized = received.header("authorization").is_some_and(|header| header.len() > "Bearer ".len());
        match (received.method.as_str(), received.segments().as_slice()) {
            _ if !is_authorized => refusal(190),
            ("POST", [_, number, "messages"]) if *number == self.number => self.message(&received.body),
            ("GET", [FILES, id]) => self.file(id),
            ("GET", [_, id]) if received.parameter("phone_number_id") == Some(&self.number) => self.file_info(id, received),
            _ => refusal(100),
        }
    }

    fn message(&self, body: &Value) -> Reply {
        if body["status"] == "read" {
            return Reply::json(200, &json!({"success": true}));
        }
        match self.mishaps.pop() {
            None => accept(body),
            Some(Mishap::Code(code)) => refusal(code),
            Some(Mishap::Nameless) => Reply::json(200, &json!({"messaging_product": "whatsapp", "contacts": [contact(body)]})),
            Some(other) => other.reply().unwrap_or_else(|| refusal(1)),
        }
    }

    /// Says where a file is: on this server, at a path that the real one would put on another host.
    fn file_info(&self, id: &str, received: &Received) -> Reply {
        let Some(file) = self.files.get(id) else { return no_such_object() };
        let digits: String = Sha256::digest(&file.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let url = format!("http://{}/{FILES}/{id}", received.header("host").unwrap_or_default());
        let truth = json!({
            "messaging_product": "whatsapp", "url": url, "mime_type": file.mime_type, "sha256": digits, "file_size": file.bytes.len(), "id": id,
        });
        Reply::json(200, &file.told(truth))
    }

    fn file(&self, id: &str) -> Reply {
        match self.files.get(id) {
            Some(file) => Reply::bytes(200, &file.mime_type, file.bytes),
            None => Reply::bytes(404, "text/html", b"<html>Not Found</html>".to_vec()),
        }
    }

    fn next_id(&self) -> String {
        format!("wamid.FAKEIN{}", self.ids.fetch_add(1, Ordering::AcqRel))
    }
}

/// A message must name whom it goes to in full, and have the part that its type promises.
fn accept(body: &Value) -> Reply {
    let is_addressed = body["recipient"].is_string() || body["to"].as_str().is_some_and(|to| to.starts_with('+'));
    let has_part = body["type"].as_str().is_some_and(|kind| body.get(kind).is_some_and(|part| part.is_object() || part.is_array()));
    if body["messaging_product"] != "whatsapp" || !is_addressed || !has_part {
        return refusal(131_008);
    }
    let mut message = json!({"id": id_of(body)});
    if let (Some(fields), true) = (message.as_object_mut(), body["type"] == "template") {
        fields.insert(String::from("message_status"), Value::from("accepted"));
    }
    Reply::json(200, &json!({"messaging_product": "whatsapp", "contacts": [contact(body)], "messages": [message]}))
}

/// One who is named by a user id has no `wa_id`.
fn contact(body: &Value) -> Value {
    match (body["to"].as_str(), body["recipient"].as_str()) {
        (Some(to), _) => json!({"input": to, "wa_id": to.trim_start_matches('+')}),
        (None, id) => json!({"input": id, "user_id": id}),
    }
}

fn no_such_object() -> Reply {
    let message = "Unsupported get request. Object does not exist, or cannot be loaded due to missing permissions.";
    let error = json!({"message": message, "type": "GraphMethodException", "code": 100, "error_subcode": 33, "fbtrace_id": "AFAKE"});
    Reply::json(400, &json!({"error": error}))
}

fn refusal(code: i64) -> Reply {
    let status = STATUSES.iter().find(|(known, _)| *known == code).map_or(400, |(_, status)| *status);
    let data = json!({"messaging_product": "whatsapp", "details": "The fake was told so."});
    let message = format!("(#{code}) Refused");
    let error = json!({"message": message, "type": "OAuthException", "code": code, "error_data": data, "fbtrace_id": "AFAKE"});
    Reply::json(status, &json!({"error": error}))
}
