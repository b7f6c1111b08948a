//! URLs: the destination policy of production, as far as a text can be judged without asking what its name resolves to.

use std::io::{self, BufRead, Write};

use gatepost::DestinationPolicy;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{answer, text_field};

/// Reads URLs and writes a verdict on each, in order.
pub fn urls(input: impl BufRead, output: impl Write) -> io::Result<()> {
    let policy = DestinationPolicy::production();
    answer(input, output, |line| parse(line).map(|url| UrlVerdict::new(&policy, url)))
}

fn parse(line: &str) -> Result<String, String> {
    match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(fields) => text_field(&fields, "url").map(str::to_owned),
        Err(_) => Ok(line.to_owned()),
    }
}

#[derive(Serialize)]
struct UrlVerdict {
    url: String,
    verdict: &'static str,
    /// The class of the refusal; `ok` where there is none.
    reason: &'static str,
}

impl UrlVerdict {
    fn new(policy: &DestinationPolicy, url: String) -> Self {
        match policy.parse(&url) {
            Ok(_) => Self { url, verdict: "allow", reason: "ok" },
            Err(refusal) => Self { url, verdict: "block", reason: refusal.class().as_str() },
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let mut output = Vec::new();
        urls(input, &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_url_is_judged_by_the_policy_of_production() {
        check(
            br#"{"url":"https://hooks.example.com/in?key=1"}
{"url":"http://localhost:8080/"}
{"url":"https://[::ffff:127.0.0.1]/"}"#,
            &[
                r#"{"url":"https://hooks.example.com/in?key=1","verdict":"allow","reason":"ok"}"#,
                r#"{"url":"http://localhost:8080/","verdict":"block","reason":"scheme-http"}"#,
                r#"{"url":"https://[::ffff:127.0.0.1]/","verdict":"block","reason":"ipv6-v4mapped"}"#,
            ],
        );
    }

    #[test]
    fn a_bare_line_is_a_url_whatever_it_holds() {
        check(
            b"https://example.com/\n\n{not json}\nhttps://127.0.0.1/ \r\n",
            &[
                r#"{"url":"https://example.com/","verdict":"allow","reason":"ok"}"#,
                r#"{"url":"","verdict":"block","reason":"scheme-missing"}"#,
                r#"{"url":"{not json}","verdict":"block","reason":"control-chars"}"#,
                r#"{"url":"https://127.0.0.1/ \r","verdict":"block","reason":"control-chars"}"#,
            ],
        );
    }

    #[test]
    fn escapes_are_those_of_json_and_an_answer_is_ascii() {
        check(
            br#"{"url":"https://local\u200bhost/"}
{"url":"https:\/\/exa\tmple.com"}
{"url":"https://\ud83d\ude00.la/\u007f"}"#,
            &[
                r#"{"url":"https://local\u200bhost/","verdict":"block","reason":"idna-invisible"}"#,
                r#"{"url":"https://exa\tmple.com","verdict":"block","reason":"control-chars"}"#,
                r#"{"url":"https://\ud83d\ude00.la/\u007f","verdict":"block","reason":"control-chars"}"#,
            ],
        );
        check(
            "https://bücher.de/\u{2028}".as_bytes(),
            &[r#"{"url":"https://b\u00fccher.de/\u2028","verdict":"block","reason":"control-chars"}"#],
        );
    }

    #[test]
    fn a_bad_line_is_answered_and_the_next_one_follows() {
        check(
            b"{}\n{\"url\":7}\n\xff\nhttps://example.com/",
            &[
                r#"{"error":"`url`: expected a text"}"#,
                r#"{"error":"`url`: expected a text"}"#,
                r#"{"error":"expected UTF-8"}"#,
                r#"{"url":"https://example.com/","verdict":"allow","reason":"ok"}"#,
            ],
        );
    }
}
