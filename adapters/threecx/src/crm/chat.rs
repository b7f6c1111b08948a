//! Chat: what 3CX reports of a chat that is over.

use std::fmt;

use gatepost::{Phone, Timestamp};

use super::report::{self, InvalidReport};

/// A chat that is over. What was said in it is counted and not kept: the gateway carried it already.
///
/// ```
/// use gatepost_threecx::crm::ChatReport;
///
/// let report = ChatReport::read(br#"{"number":"+999501234567","queue":"800","messages":"09:00 Pat: Hi\n09:01 Dana: Hello\n"}"#)?;
/// assert_eq!((report.line_count, report.queue.as_deref()), (2, Some("800")));
/// # Ok::<(), gatepost_threecx::crm::InvalidReport>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct ChatReport {
    /// The customer's number; none where it is none.
    pub phone: Option<Phone>,
    /// Which agent. 3CX does not tell the extension.
    pub agent_email: Option<String>,
    /// The queue's extension.
    pub queue: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How many lines it has. A message may have several.
    pub line_count: usize,
    key: [u8; 32],
}

impl ChatReport {
    /// Reads the body that our template has 3CX post. What is missing, empty or cannot be read is none.
    ///
    /// # Errors
    ///
    /// Where it is no JSON object.
    pub fn read(body: &[u8]) -> Result<Self, InvalidReport> {
        let fields = report::fields(body)?;
        Ok(Self {
            phone: report::phone(&fields),
            agent_email: fields.word("agent_email"),
            queue: fields.word("queue"),
            started: report::time(&fields, "start_utc"),
            ended: report::time(&fields, "end_utc"),
            line_count: fields.text("messages").map_or(0, |text| text.lines().filter(|line| !line.trim().is_empty()).count()),
            key: report::key("chat", "", &fields, "agent_email"),
        })
    }

    /// The same each time this chat is reported, and different from all others of the phone system; see
    /// [`CallReport::key`](super::CallReport::key).
    pub const fn key(&self) -> [u8; 32] {
        self.key
    }
}

impl fmt::Debug for ChatReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { phone, queue, started, line_count, .. } = self;
        let mut shown = f.debug_struct("ChatReport");
        shown.field("phone", phone).field("queue", queue).field("started", started).field("line_count", line_count).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use super::*;

    #[test]
    fn an_empty_report_is_one() {
        let report = ChatReport::read(b"{}").unwrap();
        assert_eq!((report.phone, report.agent_email.as_deref(), report.line_count), (None, None, 0));
        assert_eq!(ChatReport::read(b"null"), Err(InvalidReport::NotJson));
    }

    #[test]
    fn a_chat_is_no_call_and_nobody_is_shown() {
        let body = br#"{"call_type":"","number":"+999501234567","agent_email":"dana@example.org","messages":"blue door"}"#;
        let report = ChatReport::read(body).unwrap();
        let other = ChatReport::read(br#"{"number":"+999501234567","agent_email":"lee@example.org"}"#).unwrap();
        assert_ne!(report.key(), other.key());
        let shown = format!("{report:?}");
        assert!(!["blue", "dana", "501234567"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
}
