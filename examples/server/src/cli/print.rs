//! Print: answers on standard output, for people or for machines.
//!
//! People see lists as tables and everything else as a line a field; machines see the answer as the gateway gave it, one a line.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write, stdout};

use serde::Serialize;
use serde_json::Value;

use crate::{Failure, console};

/// For whom it is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// For machines.
    Json,
    /// For people.
    Text,
}

/// Prints an answer; a list with these columns.
pub(super) fn answer(answer: &Value, columns: &[&str], form: Form) -> io::Result<()> {
    let mut stdout = stdout().lock();
    match (form, answer.get("items").and_then(Value::as_array)) {
        (Form::Json, _) => writeln!(stdout, "{answer}"),
        (Form::Text, Some(items)) => {
            stdout.write_all(table(items, columns).as_bytes())?;
            if let Some(cursor) = answer.get("next_cursor").and_then(Value::as_str) {
                console::tell(format_args!("there are more: go on with `--cursor {cursor}`"));
            }
            Ok(())
        }
        (Form::Text, None) => stdout.write_all(fields(answer).as_bytes()),
    }
}

/// Prints a document as JSON, indented.
pub(super) fn document(document: &impl Serialize) -> io::Result<()> {
    let mut stdout = stdout().lock();
    serde_json::to_writer_pretty(&mut stdout, document)?;
    writeln!(stdout)
}

/// What became of printing. Where the reader has gone, as `head` does, everything was said.
pub(super) fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Unavailable(error.to_string())),
        _ => Ok(()),
    }
}

/// A line for each item, under the names of the columns.
pub(super) fn table(items: &[Value], columns: &[&str]) -> String {
    let head = columns.iter().map(|column| column.replace(['.', '_'], " ").to_uppercase());
    let body = items.iter().map(|item| columns.iter().map(|column| cell(&dig(item, column))).collect());
    let rows: Vec<Vec<String>> = std::iter::once(head.collect()).chain(body).collect();
    aligned(&rows)
}

/// A line for each field; what is in an object stands after its name and a dot.
fn fields(answer: &Value) -> String {
    let mut rows = Vec::new();
    collect("", answer, &mut rows);
    aligned(&rows)
}

fn collect(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(&path, value, rows);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, item) in items.iter().enumerate() {
                collect(&format!("{path}.{}", place + 1), item, rows);
            }
        }
        value => rows.push(vec![path.to_owned(), cell(value)]),
    }
}

/// Rows with each column as wide as its widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing into a string cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What stands at the end of a path of names; of each item, where the path goes through a list.
fn dig(item: &Value, path: &str) -> Value {
    match (item, path.split_once('.').unwrap_or((path, ""))) {
        (value, ("", _)) => value.clone(),
        (Value::Array(items), _) => items.iter().map(|item| dig(item, path)).collect(),
        (value, (name, rest)) => value.get(name).map_or(Value::Null, |value| dig(value, rest)),
    }
}

/// A value on one line. What could steer a terminal is written as an escape.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    };
    text.chars().flat_map(|character| if character.is_control() { character.escape_default().collect() } else { vec![character] }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_a_table() {
        let items = [json!({"id": "acc_1", "pause": {"since": "now"}}), json!({"id": "acc_22"})];
        assert_eq!(table(&items, &["id", "pause.since"]), "ID      PAUSE SINCE\nacc_1   now\nacc_22  -\n");
        assert_eq!(table(&[], &["id", "last_four"]), "ID  LAST FOUR\n");
        let event = [json!({"decision": {"reasons": [{"rule": "a"}, {"rule": "b"}]}})];
        assert_eq!(table(&event, &["decision.reasons.rule"]), "DECISION REASONS RULE\na, b\n");
    }

    #[test]
    fn everything_else_is_a_line_a_field() {
        let answer = json!({"a": "x", "bc": {"d": 7, "e": null}, "f": [1, 2], "g": [{"h": true}]});
        assert_eq!(fields(&answer), "a      x\nbc.d   7\nf      1, 2\ng.1.h  true\n");
        assert_eq!(fields(&Value::Null), "");
    }

    #[test]
    fn what_could_steer_a_terminal_is_escaped() {
        assert_eq!(cell(&json!("a\u{1b}[31m\nb")), "a\\u{1b}[31m\\nb");
    }
}
