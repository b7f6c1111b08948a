//! Messages: the purpose and the content rules, as they judge the first message of a new account.

use std::io::{self, BufRead, Write};

use gatepost::{
    Category, Content, Decision, DeclaredPurpose, Effect, Fact, Facts, Group, Mode, Origin, Plan, Policy, Purpose, Sender, Span, Subject,
    Text, Timestamp, Verdict, decide, examine,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{answer, text_field};

/// Reads messages and writes a verdict on each, in order.
pub fn messages(input: impl BufRead, output: impl Write, policy: &Policy, now: Timestamp) -> io::Result<()> {
    answer(input, output, |line| Ok(parse(line)?.verdict(policy, now)))
}

/// A message to be decided about.
struct Message {
    purpose: DeclaredPurpose,
    content: Content,
}

impl Message {
    fn verdict(&self, policy: &Policy, now: Timestamp) -> MessageVerdict {
        let content = Fact::Known(examine(&self.content, &Sender::default()));
        let facts = Facts { content, ..Facts::clear(Plan::Starter.limits(), now) };
        let subject = Subject {
            purpose: self.purpose,
            content: self.content.kind(),
            origin: Origin::App,
            mode: Mode::Live,
            released: false,
            reviewed: None,
        };
        MessageVerdict::new(&decide(policy, &facts, &subject, now))
    }
}

fn parse(line: &str) -> Result<Message, String> {
    let (purpose, text) = match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(fields) => (declared_purpose(&fields)?, text_field(&fields, "text")?.to_owned()),
        Err(_) => (Purpose::Transactional.into(), line.to_owned()),
    };
    let text: Text = text.parse().map_err(|error| format!("`text`: {error}"))?;
    Ok(Message { purpose, content: text.into() })
}

fn declared_purpose(fields: &Map<String, Value>) -> Result<DeclaredPurpose, String> {
    match fields.get("purpose") {
        None => Ok(Purpose::Transactional.into()),
        Some(Value::String(word)) => word.parse().map_err(|error| format!("`purpose`: {error}")),
        Some(_) => Err("`purpose`: expected a text".to_owned()),
    }
}

#[derive(Serialize)]
struct MessageVerdict {
    decision: &'static str,
    risk_score: u8,
    reasons: Vec<Reason>,
    category: Category,
}

#[derive(Serialize)]
struct Reason {
    rule: &'static str,
    text: &'static str,
    group: Group,
    effect: Effect,
    points: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    decides: bool,
}

impl MessageVerdict {
    fn new(decision: &Decision) -> Self {
        let reason = |reason: &gatepost::Reason| Reason {
            rule: reason.rule.as_str(),
            text: reason.rule.text(),
            effect: reason.effect,
            group: reason.rule.group(),
            points: reason.points,
            at: reason.evidence.span(),
            remedy: reason.rule.remedy(),
            decides: reason.decides,
        };
        Self {
            decision: match decision.verdict {
                Verdict::Allow => "allow",
                // Nothing was sent before, so that no message here comes too fast; one that did would have to wait, too.
                Verdict::Hold | Verdict::Throttle { .. } => "hold",
                Verdict::Block => "block",
            },
            risk_score: decision.risk_score,
            reasons: decision.reasons.iter().map(reason).collect(),
            category: decision.category(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let mut output = Vec::new();
        let noon = Timestamp::from_millis(1_795_348_800_000);
        messages(input, &mut output, &Policy::default(), noon).unwrap();
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output.lines().collect::<Vec<_>>(), expected);
    }

    const ALLOWED: &str = r#"{"decision":"allow","risk_score":0,"reasons":[],"category":"ok"}"#;

    fn blocked(category: &str) -> String {
        let reason = r#"{"rule":"purpose_not_allowed","text":"messages are not sent for this purpose","group":"state","effect":"block","points":90,"remedy":"declare what it is for, if that is one of the allowed purposes","decides":true}"#;
        format!(r#"{{"decision":"block","risk_score":90,"reasons":[{reason}],"category":"{category}"}}"#)
    }

    #[test]
    fn a_bare_text_is_a_transactional_message() {
        check(b"Your table is ready.\n{not json}\n[1]\n", &[ALLOWED, ALLOWED, ALLOWED]);
    }

    #[test]
    fn escapes_are_those_of_json() {
        check(br#"{"text":"\u0059our table\nis ready."}"#, &[ALLOWED]);
    }

    #[test]
    fn a_refused_purpose_blocks_under_the_category_it_names() {
        for (purpose, category) in [
            ("marketing", "marketing"),
            ("promotion", "marketing"),
            ("bulk_campaign", "marketing"),
            ("political", "political"),
            ("cold_outreach", "cold_outreach"),
            ("unknown", "ok"),
        ] {
            let line = format!(r#"{{"purpose":"{purpose}","text":"Hello"}}"#);
            check(line.as_bytes(), &[&blocked(category)]);
        }
    }

    #[test]
    fn a_bad_line_is_answered_and_the_next_one_follows() {
        check(
            b"\n{\"purpose\":\"newsletter\",\"text\":\"x\"}\n{\"purpose\":7,\"text\":\"x\"}\n{}\n\xff\nYour table is ready.",
            &[
                r#"{"error":"`text`: expected at least one character that is not white space"}"#,
                r#"{"error":"`purpose`: expected one of `transactional`, `operational`, `support`, `internal_team`, `authentication`"}"#,
                r#"{"error":"`purpose`: expected a text"}"#,
                r#"{"error":"`text`: expected a text"}"#,
                r#"{"error":"expected UTF-8"}"#,
                ALLOWED,
            ],
        );
    }
}
