//! Agent: what an agent types, and how 3CX is answered.

use std::fmt;

use gatepost::{Phone, Text};
use serde_json::{Map, Value, json};

/// How many files one message may have.
const FILES_MAX: usize = 10;
/// Under which names files may stand; which one 3CX uses is not known.
const FILES: [&str; 3] = ["media_urls", "mediaUrls", "media"];
/// How many names of unknown fields are kept.
const UNKNOWN_MAX: usize = 16;
/// What is read. Other fields are reported and change nothing.
const KNOWN: [&str; 3] = ["from", "to", "text"];

/// A message that an agent typed. Its `Debug` does not show what it says.
#[derive(Clone, Eq, PartialEq)]
pub struct AgentMessage {
    /// From which number of the trunk.
    pub from: Phone,
    /// To whom.
    pub to: Phone,
    /// What it says, if anything.
    pub text: Option<Text>,
    /// Where its files are.
    pub files: Vec<String>,
    /// The names of fields that are not known here, for a log: up to 16 of those that are names, in order.
    pub unknown: Vec<String>,
}

impl AgentMessage {
    /// Reads the body that 3CX posts.
    ///
    /// ```
    /// use gatepost_threecx::trunk::AgentMessage;
    ///
    /// let message = AgentMessage::read(br#"{"from":"+999220000001","to":"+999501234567","text":"Hello"}"#)?;
    /// assert_eq!((message.to.e164().as_str(), message.text.unwrap().as_str()), ("+999501234567", "Hello"));
    /// # Ok::<(), gatepost_threecx::trunk::InvalidAgentMessage>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Names the field that is missing or cannot be read.
    pub fn read(body: &[u8]) -> Result<Self, InvalidAgentMessage> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return Err(InvalidAgentMessage::NotJson) };
        let (from, to, files) = (phone(&fields, "from")?, phone(&fields, "to")?, files(&fields)?);
        let text = match fields.get("text") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(Value::String(text)) => Some(text.parse().map_err(|_| invalid("text", WORDS))?),
            Some(_) => return Err(invalid("text", WORDS)),
        };
        if text.is_none() && files.is_empty() {
            return Err(invalid("text", WORDS));
        }
        let is_unknown = |name: &&String| !KNOWN.contains(&name.as_str()) && !FILES.contains(&name.as_str()) && is_name(name);
        let mut unknown: Vec<String> = fields.keys().filter(is_unknown).take(UNKNOWN_MAX).cloned().collect();
        unknown.sort();
        Ok(Self { from, to, text, files, unknown })
    }
}

const WORDS: &str = "expected 1 to 4096 characters, or files";
const PHONE: &str = "expected a phone number with its country code";
const URLS: &str = "expected at most 10 URLs";

const fn invalid(field: &'static str, expected: &'static str) -> InvalidAgentMessage {
    InvalidAgentMessage::Field { field, expected }
}

/// Whether it is written as names are, and so is no text or number of anybody's.
fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn phone(fields: &Map<String, Value>, field: &'static str) -> Result<Phone, InvalidAgentMessage> {
    let text = fields.get(field).and_then(Value::as_str).ok_or(invalid(field, PHONE))?;
    text.parse().map_err(|_| invalid(field, PHONE))
}

/// The URLs of files: texts, or objects with a `url`.
fn files(fields: &Map<String, Value>) -> Result<Vec<String>, InvalidAgentMessage> {
    let found = FILES
        .into_iter()
        .find_map(|name| fields.get(name).filter(|value| !value.is_null() && **value != json!([])).map(|value| (name, value)));
    let Some((name, value)) = found else { return Ok(Vec::new()) };
    let list = value.as_array().filter(|list| list.len() <= FILES_MAX).ok_or(invalid(name, URLS))?;
    let url = |file: &Value| file.as_str().or_else(|| file["url"].as_str()).map(str::to_owned);
    list.iter().map(|file| url(file).ok_or(invalid(name, URLS))).collect()
}

impl fmt::Debug for AgentMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, files, .. } = self;
        f.debug_struct("AgentMessage").field("from", from).field("to", to).field("files", &files.len()).finish_non_exhaustive()
    }
}

/// The answer to a message that was taken, in 3CX's own shape.
pub fn accepted(id: &str) -> Value {
    json!({"data": {"payload": {"id": id}}})
}

/// The answer to a message that was not: 3CX shows it as failed by the status alone.
pub fn refused(code: &str, title: &str) -> Value {
    json!({"errors": [{"code": code, "title": title}]})
}

/// Why a body is no message of an agent. It repeats nothing of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidAgentMessage {
    /// A field is missing or not what it must be.
    #[error("`{field}`: {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What was expected there.
        expected: &'static str,
    },
    /// It is no JSON object.
    #[error("expected a JSON object")]
    NotJson,
}
