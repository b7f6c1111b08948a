//! Question: what a verb asks of `/v1`, and how people see the answer.

use std::fmt::Write as _;

use axum::http::Method;
use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::print::{self, Form};
use crate::failure::Refusal;
use crate::{Failure, console};

/// One request to `/v1`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    method: Method,
    path: String,
    body: Option<Value>,
    columns: &'static [&'static str],
}

impl Question {
    /// Reads something.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, columns: &[] }
    }

    /// Makes or does something.
    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }

    /// Does something of which nothing more is to be said.
    pub(crate) fn act(path: impl Into<String>) -> Self {
        Self { method: Method::POST, ..Self::get(path) }
    }

    /// Changes something.
    pub(crate) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PATCH, ..Self::post(path, body) }
    }

    /// Sets something.
    pub(crate) fn put(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PUT, ..Self::post(path, body) }
    }

    /// Ends something.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// The same question with a parameter of its query, where there is a value.
    pub(crate) fn with(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let separator = if self.path.contains('?') { '&' } else { '?' };
            // Writing into a string cannot fail.
            let _ = write!(self.path, "{separator}{name}={}", encode(&value.to_string()));
        }
        self
    }

    /// The same question, whose answer is a list that people see with these columns.
    pub(crate) const fn listed(mut self, columns: &'static [&'static str]) -> Self {
        self.columns = columns;
        self
    }

    /// The answer.
    pub(crate) fn ask(&self, client: &Client) -> Result<Value, Failure> {
        client.call(&self.method, &self.path, self.body.as_ref())
    }
}

/// Asks, and prints the answers. Of several questions a refused one is told by its place, and the next one follows.
pub(super) fn ask_all(client: &Client, questions: Vec<Question>, form: Form) -> Result<(), Failure> {
    let count = questions.len();
    let mut refused = 0;
    for (place, question) in questions.into_iter().enumerate() {
        match question.ask(client) {
            Ok(answer) => print::written(print::answer(&answer, question.columns, form))?,
            Err(Failure::Refused(refusal)) if count > 1 => {
                console::tell(format_args!("{}: {refusal}", place + 1));
                refused += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
    if refused == 0 { Ok(()) } else { Err(Failure::Refused(Refusal::of(format!("{refused} of {count}")))) }
}

/// Which account is meant.
#[derive(Args, Debug)]
pub(super) struct OnAccount {
    /// The account's id; not needed with an account's key, or where there is only one account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
}

impl OnAccount {
    /// The path of something of this account.
    pub(super) fn path(&self, client: &Client, rest: &str) -> Result<String, Failure> {
        let account = self.account.clone().map_or_else(|| client.only_account(), Ok)?;
        Ok(format!("/v1/accounts/{}/{rest}", encode(&account)))
    }
}

/// Which part of a list.
#[derive(Args, Debug)]
pub(super) struct Paging {
    /// How many at most: 1 to 200 [default: 50]
    #[arg(long)]
    pub(super) limit: Option<u16>,
    /// Go on where an earlier list ended
    #[arg(long)]
    pub(super) cursor: Option<String>,
}

impl Paging {
    /// The question for this part of the list.
    pub(super) fn of(&self, question: Question) -> Question {
        question.with("limit", self.limit).with("cursor", self.cursor.as_ref())
    }
}

/// Text as a part of a URL: whoever types `../x` asks for something that is called so, and for nothing else.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => encoded.push(char::from(byte)),
            // Writing into a string cannot fail.
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
    }
    encoded
}

/// The fields of an object that somebody gave.
pub(super) fn given(body: Value) -> Value {
    match body {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_stays_one_part_of_the_path() {
        assert_eq!(encode("acc_01-x"), "acc_01-x");
        assert_eq!(encode("../x?y=1 ü"), "%2E%2E%2Fx%3Fy%3D1%20%C3%BC");
    }

    #[test]
    fn a_query_has_what_was_given() {
        let question = Question::get("/v1/x").with("limit", None::<u8>).with("status", Some("sent")).with("cursor", Some("a&b"));
        assert_eq!(question.path, "/v1/x?status=sent&cursor=a%26b");
    }

    #[test]
    fn a_body_has_what_was_given() {
        assert_eq!(given(json!({"name": "n", "plan": null})), json!({"name": "n"}));
    }
}
