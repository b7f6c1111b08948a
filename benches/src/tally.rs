//! What was answered, and how late.
//!
//! [`Answer`] is what a load wants to know of a body. [`Tally`] counts answers by HTTP status and by status word and keeps the
//! latencies. What is answered before the measured window is left out, what is answered after it counts as late: in the latencies,
//! so that no slow answer is lost, but not in the rate. A broken connection counts at any time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use serde::Deserialize;
use serde_json::Value;

/// Latencies are kept in microseconds up to ten minutes, to three digits.
const LATENCY_MAX: Duration = Duration::from_secs(600);

/// Counts and latencies of a load.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Answers within the measured window.
    pub in_window: u64,
    /// Latencies in microseconds, of the late answers too.
    pub latency: Histogram<u64>,
    /// Answers by HTTP status.
    pub http_status: BTreeMap<u16, u64>,
    /// Answers by status word, or by error code where there is none.
    pub words: BTreeMap<String, u64>,
    /// Answers whose word is not the one expected.
    pub unexpected: u64,
    /// Connections that broke, by cause; each took at most one request with it.
    pub broken: BTreeMap<String, u64>,
    expected: Option<String>,
}

impl Tally {
    /// An empty tally that expects answers to say `expected`.
    pub fn new(expected: Option<String>) -> Result<Self, CreationError> {
        Ok(Self {
            in_window: 0,
            latency: Histogram::new_with_bounds(1, LATENCY_MAX.as_micros() as u64, 3)?,
            http_status: BTreeMap::new(),
            words: BTreeMap::new(),
            unexpected: 0,
            broken: BTreeMap::new(),
            expected,
        })
    }

    /// Counts an answer.
    pub fn answered(&mut self, latency: Duration, late: bool, http_status: u16, word: &str) {
        self.in_window += u64::from(!late);
        self.latency.saturating_record(latency.as_micros() as u64);
        *self.http_status.entry(http_status).or_default() += 1;
        count(&mut self.words, word);
        self.unexpected += u64::from(self.expected.as_ref().is_some_and(|expected| expected != word));
    }

    /// Counts a connection that broke.
    pub fn broke(&mut self, cause: &str) {
        count(&mut self.broken, cause);
    }
}

/// A word that was counted before is counted without an allocation.
fn count(counts: &mut BTreeMap<String, u64>, word: &str) {
    match counts.get_mut(word) {
        Some(count) => *count += 1,
        None => _ = counts.insert(word.to_owned(), 1),
    }
}

/// What a load wants to know of an answer's body.
#[derive(Debug, Default, PartialEq)]
pub struct Answer<'a> {
    /// The status word, or the error's code; `-` if the body has neither.
    pub word: Cow<'a, str>,
    /// The message's id, if the server took it.
    pub message_id: Option<Cow<'a, str>>,
}

impl<'a> Answer<'a> {
    /// Reads `body`, the answer to a send.
    pub fn parse(http_status: u16, body: &'a [u8]) -> Self {
        match serde_json::from_slice::<Taken<'_>>(body) {
            Ok(taken) if http_status < 300 => Self { word: taken.status, message_id: Some(taken.message_id) },
            _ => Self { word: error_code(body).into(), message_id: None },
        }
    }
}

#[derive(Deserialize)]
struct Taken<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    message_id: Cow<'a, str>,
}

/// The code under `error` (/api) or `code` (/v1).
fn error_code(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = body["error"].as_str().or_else(|| body["code"].as_str());
    code.unwrap_or("-").to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_its_status_word_or_its_error() {
        let taken = Answer::parse(202, br#"{"success":true,"status":"queued","message_id":"msg_1","log_id":7}"#);
        assert_eq!(taken, Answer { word: "queued".into(), message_id: Some("msg_1".into()) });
        let refused = Answer::parse(403, br#"{"success":false,"error":"recipient_suppressed","message":"No."}"#);
        assert_eq!(refused, Answer { word: "recipient_suppressed".into(), message_id: None });
        assert_eq!(Answer::parse(404, br#"{"status":404,"code":"not_found"}"#).word, "not_found");
        assert_eq!(Answer::parse(200, b"<html>").word, "-");
    }

    #[test]
    fn a_tally_counts_what_was_not_expected() {
        let mut tally = Tally::new(Some("sent".to_owned())).unwrap();
        tally.answered(Duration::from_millis(1), false, 200, "sent");
        tally.answered(Duration::from_millis(2), true, 202, "queued");
        assert_eq!(tally.unexpected, 1);
        assert_eq!(tally.http_status, BTreeMap::from([(200, 1), (202, 1)]));
        assert_eq!((tally.in_window, tally.latency.len()), (1, 2));
    }
}
