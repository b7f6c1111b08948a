//! Call: what 3CX reports of a call that is over.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gatepost::{Phone, Timestamp};

use super::report::{self, InvalidReport};

/// How a call went.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CallType {
    /// A customer called, and somebody answered.
    Inbound,
    /// A customer called, and nobody answered.
    Missed,
    /// Somebody called a customer, who did not answer.
    NotAnswered,
    /// Somebody called a customer, who answered.
    Outbound,
}

impl CallType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Inbound, Self::Missed, Self::NotAnswered, Self::Outbound];

    /// The word used in rows and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Missed => "missed",
            Self::NotAnswered => "notanswered",
            Self::Outbound => "outbound",
        }
    }
}

impl FromStr for CallType {
    type Err = InvalidReport;

    /// Reads the word of 3CX, in any case.
    fn from_str(word: &str) -> Result<Self, InvalidReport> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(word)).ok_or(InvalidReport::CallType)
    }
}

/// A call that is over, or one part of it: a call that is passed on is reported once for each agent.
///
/// ```
/// use gatepost_threecx::crm::{CallReport, CallType};
///
/// let body = br#"{"call_type":"Missed","number":"+999501234567","start_utc":"2026-11-22T09:58:00Z","queue":"800","duration":"00:00:00"}"#;
/// let report = CallReport::read(body)?;
/// assert_eq!((report.call_type, report.queue.as_deref(), report.agent), (CallType::Missed, Some("800"), None));
/// assert_eq!(format!("{:?}", report.phone), "Some(+999•••••••67)");
/// # Ok::<(), gatepost_threecx::crm::InvalidReport>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct CallReport {
    /// How it went.
    pub call_type: CallType,
    /// The customer's number; none where it was hidden or is none.
    pub phone: Option<Phone>,
    /// The agent's extension. Of a missed call it may be the queue's.
    pub agent: Option<String>,
    /// The queue's extension.
    pub queue: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it was answered.
    pub established: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How long they spoke.
    pub duration: Option<Duration>,
    key: [u8; 32],
}

impl CallReport {
    /// Reads the body that our template has 3CX post. What is missing, empty or cannot be read is none, but for the kind of call.
    ///
    /// # Errors
    ///
    /// Where it is no JSON object, or of no known kind of call.
    pub fn read(body: &[u8]) -> Result<Self, InvalidReport> {
        let fields = report::fields(body)?;
        let call_type: CallType = fields.word("call_type").unwrap_or_default().parse()?;
        Ok(Self {
            call_type,
            phone: report::phone(&fields),
            agent: fields.word("agent"),
            queue: fields.word("queue"),
            started: report::time(&fields, "start_utc"),
            established: report::time(&fields, "established_utc"),
            ended: report::time(&fields, "end_utc"),
            duration: fields.word("duration").and_then(|text| duration(&text)),
            key: report::key("call", call_type.as_str(), &fields, "agent"),
        })
    }

    /// The same each time this call is reported, and different from all others of the phone system: SHA-256 over kind, number, begin, agent
    /// and queue. It is no secret, and whoever knows the rest finds the number by it.
    pub const fn key(&self) -> [u8; 32] {
        self.key
    }
}

impl fmt::Debug for CallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_type, phone, agent, queue, started, .. } = self;
        let mut shown = f.debug_struct("CallReport");
        shown.field("call_type", call_type).field("phone", phone).field("agent", agent).field("queue", queue);
        shown.field("started", started).finish_non_exhaustive()
    }
}

/// Reads `hh:mm:ss`, with days before a full stop and a fraction behind another one, as .NET writes it.
fn duration(text: &str) -> Option<Duration> {
    let [hours, minutes, seconds]: [&str; 3] = text.split(':').collect::<Vec<_>>().try_into().ok()?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let seconds = seconds.split_once('.').map_or(seconds, |(whole, _)| whole);
    let number = |text: &str| text.parse::<u32>().ok().map(u64::from);
    let minutes = number(days)? * 24 * 60 + number(hours)? * 60 + number(minutes)?;
    Some(Duration::from_secs(minutes * 60 + number(seconds)?))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use super::*;

    fn read(json: &str) -> CallReport {
        CallReport::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn the_kind_of_call_is_read_in_any_case_and_must_be_known() {
        for (word, expected) in
            [("NOTANSWERED", CallType::NotAnswered), ("NotAnswered", CallType::NotAnswered), ("inbound", CallType::Inbound)]
        {
            assert_eq!(read(&format!(r#"{{"call_type":"{word}"}}"#)).call_type, expected, "{word}");
        }
        for body in ["{}", r#"{"call_type":""}"#, r#"{"call_type":"Internal"}"#, r#"{"call_type":7}"#] {
            assert_eq!(CallReport::read(body.as_bytes()), Err(InvalidReport::CallType), "{body}");
        }
        assert_eq!(CallReport::read(b"[]"), Err(InvalidReport::NotJson));
    }

    #[test]
    fn whoever_hides_the_number_has_none() {
        for number in [r#""anonymous""#, r#""""#, "null", r#""101""#, r#"["+999501234567"]"#] {
            assert_eq!(read(&format!(r#"{{"call_type":"Missed","number":{number}}}"#)).phone, None, "{number}");
        }
    }

    #[test]
    fn what_did_not_happen_has_no_time() {
        for at in ["", "0001-01-01T00:00:00Z", "22/11/2026 09:58", "[CallEstablishedTimeUTC]"] {
            assert_eq!(read(&format!(r#"{{"call_type":"Missed","established_utc":"{at}"}}"#)).established, None, "{at}");
        }
    }

    #[test]
    fn durations_are_read_as_dotnet_writes_them() {
        for (text, seconds) in [("00:02:13", 133), ("1.01:00:00", 90_000), ("00:00:01.5000000", 1), ("0:0:0", 0)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "133", "00:02", "-00:02:13", "a:b:c", "00:00:00:00", "99999999999:0:0"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert!(duration("4294967295.4294967295:4294967295:4294967295").is_some(), "the largest numbers fit");
    }

    #[test]
    fn a_report_that_comes_again_is_known_and_no_other_is() {
        let key = |json: &str| read(json).key();
        let first = r#"{"call_type":"Inbound","number":"+999501234567","start_utc":"2026-11-22T09:58:00Z","agent":"101","queue":"800","name":"Pat"}"#;
        let again =
            r#"{"queue":"800","agent":"101","start_utc":"2026-11-22T09:58:00.000Z","number":"00999 501234567","call_type":"INBOUND"}"#;
        assert_eq!(key(first), key(again));
        for (from, to) in [
            ("Inbound", "Missed"),
            ("+999501234567", "+999501234568"),
            ("+999501234567", "anonymous"),
            ("09:58:00", "09:58:01"),
            ("101", "102"),
            ("800", "801"),
            (r#""agent":"101","queue":"800""#, r#""agent":"10","queue":"1800""#),
        ] {
            assert_ne!(key(first), key(&first.replace(from, to)), "{from} {to}");
        }
    }
}
