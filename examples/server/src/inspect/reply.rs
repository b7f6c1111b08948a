//! Replies: what a person asks for who answers, as the opt-out detector reads it.

use std::io::{self, BufRead, Write};

use gatepost::{Reply, read_reply};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{answer, text_field};

/// Reads replies and writes what each asks for, in order.
pub fn replies(input: impl BufRead, output: impl Write) -> io::Result<()> {
    answer(input, output, |line| parse(line).map(|text| ReplyVerdict::new(read_reply(&text))))
}

fn parse(line: &str) -> Result<String, String> {
    match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(fields) => text_field(&fields, "text").map(str::to_owned),
        Err(_) => Ok(line.to_owned()),
    }
}

#[derive(Serialize)]
struct ReplyVerdict {
    /// What is acted upon.
    intent: &'static str,
    /// How sure that is; `null` where nothing was understood.
    tier: Option<&'static str>,
    /// The rule that understood it.
    #[serde(skip_serializing_if = "Option::is_none")]
    matched: Option<&'static str>,
    /// The language in which it did; `mul` for words of many.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// What a person should look at, since it may be meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspected: Option<&'static str>,
}

impl ReplyVerdict {
    fn new(reply: Reply) -> Self {
        Self {
            intent: reply.intent().as_str(),
            tier: reply.meaning.map(|meaning| meaning.tier.as_str()),
            matched: reply.meaning.map(|meaning| meaning.rule.as_str()),
            language: reply.meaning.map(|meaning| meaning.language.to_string()),
            suspected: reply.suspected().map(gatepost::Intent::as_str),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let mut output = Vec::new();
        replies(input, &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_reply_is_read_as_what_it_asks_for() {
        check(
            "S.T.O.P. please\n{\"text\":\"Bitte l\u{f6}schen Sie meine Nummer aus dem Verteiler\"}\nSTART\nHELP\nSee you at the bus stop"
                .as_bytes(),
            &[
                r#"{"intent":"opt_out","tier":"certain","matched":"keyword","language":"mul"}"#,
                r#"{"intent":"opt_out","tier":"likely","matched":"remove_me","language":"de"}"#,
                r#"{"intent":"opt_in","tier":"certain","matched":"keyword","language":"en"}"#,
                r#"{"intent":"help","tier":"certain","matched":"keyword","language":"en"}"#,
                r#"{"intent":"none","tier":null}"#,
            ],
        );
    }

    #[test]
    fn what_is_unsure_is_suspected_and_not_acted_upon() {
        let expected = r#"{"intent":"none","tier":"unsure","matched":"wrong_number","language":"en","suspected":"opt_out"}"#;
        check(b"wrong number", &[expected]);
    }

    #[test]
    fn a_bad_line_is_answered_and_the_next_one_follows() {
        check(
            b"{\"text\":7}\n\xff\n\nSTOP",
            &[
                r#"{"error":"`text`: expected a text"}"#,
                r#"{"error":"expected UTF-8"}"#,
                r#"{"intent":"none","tier":null}"#,
                r#"{"intent":"opt_out","tier":"certain","matched":"keyword","language":"mul"}"#,
            ],
        );
    }
}
