//! Evolution: Evolution API with one instance.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use super::file::{FakeFile, Files};
use super::mishap::{Mishap, Mishaps};
use super::post::{Hook, post};
use super::server::{Received, Reply, Server};
use crate::evolution::authorization;

/// Evolution API with one instance, which is linked.
///
/// ```
/// use gatepost_whatsapp::fake::FakeEvolution;
///
/// let evolution = FakeEvolution::start("front-desk", "api-key")?;
/// evolution.set_state("close");
/// assert!(evolution.received().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FakeEvolution {
    server: Server,
    state: Arc<State>,
}

struct State {
    instance: String,
    api_key: String,
    link: Mutex<String>,
    received: Mutex<Vec<Received>>,
    /// The ids of the messages that it took.
    taken: Mutex<Vec<String>>,
    mishaps: Mishaps,
    files: Files,
    ids: AtomicU64,
}

impl FakeEvolution {
    /// Listens on a free port, for the instance with this name, to whoever has this key.
    ///
    /// # Errors
    ///
    /// Where no port is to be had.
    pub fn start(instance: &str, api_key: &str) -> io::Result<Self> {
        let state = Arc::new(State {
            instance: instance.to_owned(),
            api_key: api_key.to_owned(),
            link: Mutex::new(String::from("open")),
            received: Mutex::default(),
            taken: Mutex::default(),
            mishaps: Mishaps::default(),
            files: Files::default(),
            ids: AtomicU64::new(0),
        });
        let replying = state.clone();
        Ok(Self { server: Server::start(move |received| replying.reply(received))?, state })
    }

    /// Where it listens.
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

    /// Sets the state of the link: `open`, `close` or `connecting`.
    pub fn set_state(&self, state: &str) {
        state.clone_into(&mut self.state.link.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Posts an event, with a token.
    ///
    /// # Errors
    ///
    /// Where nobody answers at the URL.
    pub fn tell(&self, hook: Hook<'_>, event: &str, data: &Value) -> io::Result<u16> {
        let body = json!({
            "event": event,
            "instance": self.state.instance,
            "data": data,
            "destination": hook.url,
            "date_time": hook.now.to_string(),
            "sender": "999@s.whatsapp.net",
            "server_url": self.url(),
            "apikey": null,
        });
        let token = authorization(hook.secret, hook.now);
        post(hook.url, &[("content-type", "application/json"), ("authorization", &token)], body.to_string().as_bytes())
    }

    /// Posts that somebody wrote.
    ///
    /// # Errors
    ///
    /// Where nobody answers at the URL.
    pub fn tell_text(&self, hook: Hook<'_>, from: &str, text: &str) -> io::Result<u16> {
        let key = json!({"remoteJid": format!("{from}@s.whatsapp.net"), "fromMe": false, "id": self.state.next_id()});
        let data = json!({
            "key": key,
            "pushName": "Pat",
            "message": {"conversation": text},
            "messageType": "conversation",
            "messageTimestamp": hook.seconds(),
        });
        self.tell(hook, "messages.upsert", &data)
    }

    /// Has a file that came with the message of this id, to be fetched.
    pub fn keep(&self, message_id: &str, file: FakeFile) {
        self.state.files.put(message_id, file);
    }

    /// Posts that somebody sent a small picture, and has it to be fetched.
    ///
    /// # Errors
    ///
    /// Where nobody answers at the URL.
    pub fn tell_picture(&self, hook: Hook<'_>, from: &str, caption: &str) -> io::Result<u16> {
        let (id, file) = (self.state.next_id(), FakeFile::picture());
        let image = json!({"url": "https://mmg.whatsapp.net/fake.enc", "mimetype": file.mime_type, "caption": caption});
        self.keep(&id, file);
        let data = json!({
            "key": {"remoteJid": format!("{from}@s.whatsapp.net"), "fromMe": false, "id": id},
            "pushName": "Pat",
            "message": {"imageMessage": image},
            "messageType": "imageMessage",
            "messageTimestamp": hook.seconds(),
        });
        self.tell(hook, "messages.upsert", &data)
    }

    /// The ids of the messages that it took so far.
    pub fn taken(&self) -> Vec<String> {
        self.state.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Posts that a message got so far: `status` is `SERVER_ACK`, `DELIVERY_ACK`, `READ` or `ERROR`.
    ///
    /// # Errors
    ///
    /// Where nobody answers at the URL.
    pub fn tell_status(&self, hook: Hook<'_>, id: &str, status: &str) -> io::Result<u16> {
        let data = json!({"keyId": id, "remoteJid": "999@s.whatsapp.net", "fromMe": true, "status": status});
        self.tell(hook, "messages.update", &data)
    }
}

impl State {
    fn reply(&self, received: Received) -> Reply {
        let reply = self.reply_to(&received);
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
        reply
    }

    fn reply_to(&self, received: &Received) -> Reply {
        if received.header("apikey") != Some(&self.api_key) {
            return error(401, "Unauthorized", &json!("Unauthorized"));
        }
        let segments = received.segments();
        let [group, what, rest @ ..] = segments.as_slice() else { return self.welcome() };
        let is_known = rest.first().is_none_or(|name| *name == self.instance);
        if !is_known {
            let name = rest.first().unwrap_or(&"");
            return error(404, "Not Found", &json!([format!("The \"{name}\" instance does not exist")]));
        }
        match (received.method.as_str(), *group, *what) {
            ("POST", "message", "sendText") => self.message(&received.body, "text"),
            ("POST", "message", "sendMedia") => self.message(&received.body, "media"),
            ("GET", "instance", "connectionState") => Reply::json(200, &json!({"instance": self.with("state")})),
            ("POST", "instance", "create") => self.create(),
            ("GET", "instance", "connect") | ("POST", "instance", "restart") => self.link(),
            ("DELETE", "instance", "logout") => self.log_out(),
            ("POST", "chat", "getBase64FromMediaMessage") => self.file(&received.body["message"]["key"]["id"]),
            ("POST", "webhook", "set") => Reply::json(201, &webhook(&received.body["webhook"])),
            _ => error(404, "Not Found", &json!(["Cannot find it"])),
        }
    }

    fn welcome(&self) -> Reply {
        Reply::json(200, &json!({"status": 200, "message": "Welcome to the Evolution API, it is working!", "version": "2.3.6"}))
    }

    fn message(&self, body: &Value, part: &str) -> Reply {
        match self.mishaps.pop() {
            Some(Mishap::Code(code)) => {
                Reply::json(201, &json!({"message": format!("(#{code}) Refused"), "type": "OAuthException", "code": code}))
            }
            Some(Mishap::Nameless) => Reply::json(201, &json!({})),
            Some(other) => other.reply().unwrap_or(Reply::Break),
            None if self.state() != "open" => error(400, "Bad Request", &json!(["Error: Connection Closed"])),
            None => self.accept(body, part),
        }
    }

    fn accept(&self, body: &Value, part: &str) -> Reply {
        let number = body["number"].as_str().filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let (Some(number), Some(said)) = (number, body[part].as_str()) else {
            return error(400, "Bad Request", &json!([[format!("instance requires property \"{part}\"")]]));
        };
        let (message, kind) = match body["mediatype"].as_str() {
            None => (json!({"conversation": said}), String::from("conversation")),
            Some(media) => (json!({format!("{media}Message"): {"caption": body["caption"]}}), format!("{media}Message")),
        };
        let id = self.next_id();
        let key = json!({"remoteJid": format!("{number}@s.whatsapp.net"), "fromMe": true, "id": id});
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        let answer = json!({
            "key": key,
            "pushName": "",
            "status": "PENDING",
            "message": message,
            "contextInfo": null,
            "messageType": kind,
            "messageTimestamp": 1_795_500_000,
            "instanceId": "6b1d2f7e-0000-4000-8000-00000000a001",
            "source": "web",
        });
        Reply::json(201, &answer)
    }

    fn file(&self, message_id: &Value) -> Reply {
        let Some(file) = message_id.as_str().and_then(|id| self.files.get(id)) else {
            return error(400, "Bad Request", &json!(["Message not found"]));
        };
        let truth = json!({
            "mediaType": "imageMessage",
            "fileName": "3EB0FAKE.png",
            "size": {"fileLength": file.bytes.len()},
            "mimetype": file.mime_type,
            "base64": Base64::encode_string(&file.bytes),
            "buffer": null,
        });
        Reply::json(201, &file.told(truth))
    }

    fn create(&self) -> Reply {
        "close".clone_into(&mut self.link.lock().unwrap_or_else(PoisonError::into_inner));
        let answer = json!({
            "instance": self.with("status"),
            "hash": self.api_key,
            "webhook": {},
            "websocket": {},
            "rabbitmq": {},
            "sqs": {},
            "settings": {},
        });
        Reply::json(201, &answer)
    }

    fn link(&self) -> Reply {
        if self.state() == "open" {
            return Reply::json(200, &json!({"instance": self.with("state")}));
        }
        "connecting".clone_into(&mut self.link.lock().unwrap_or_else(PoisonError::into_inner));
        Reply::json(200, &json!({"pairingCode": "FAKE1234", "code": format!("2@fake-{}", self.next_id()), "count": 1}))
    }

    fn log_out(&self) -> Reply {
        "close".clone_into(&mut self.link.lock().unwrap_or_else(PoisonError::into_inner));
        Reply::json(200, &json!({"status": "SUCCESS", "error": false, "response": {"message": "Instance logged out"}}))
    }

    fn with(&self, name: &str) -> Value {
        json!({"instanceName": self.instance, name: self.state()})
    }

    fn state(&self) -> String {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn next_id(&self) -> String {
        format!("3EB0FAKE{:012X}", self.ids.fetch_add(1, Ordering::AcqRel))
    }
}

fn webhook(asked: &Value) -> Value {
    json!({
        "id": "cm1",
        "url": asked["url"],
        "headers": asked["headers"],
        "enabled": asked["enabled"],
        "events": asked["events"],
        "webhookByEvents": asked["byEvents"],
        "webhookBase64": asked["base64"],
    })
}

fn error(status: u16, name: &str, message: &Value) -> Reply {
    Reply::json(status, &json!({"status": status, "error": name, "response": {"message": message}}))
}
