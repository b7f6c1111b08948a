//! Lines: names and values that are secrets, and secrets alone, read from a file or from standard input, where neither the history of a shell nor the list of
//! processes shows them.

use std::fs;
use std::io::{Read, stdin};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::Failure;

/// Reads `name: value` from each line of a file; `-` is standard input. What is wrong is told without the value.
pub(super) fn read(file: &str) -> Result<Map<String, Value>, Failure> {
    let text = whole(file)?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(place, line)| match line.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), Value::from(value.trim()))),
            None => Err(Failure::Usage(format!("{file}: line {}: expected `name: value`", place + 1))),
        })
        .collect()
}

/// Reads a file that is one secret, without the blanks around it; `-` is standard input.
pub(super) fn secret(file: &str) -> Result<Zeroizing<String>, Failure> {
    Ok(Zeroizing::new(whole(file)?.trim().to_owned()))
}

fn whole(file: &str) -> Result<Zeroizing<String>, Failure> {
    let unreadable = |error: std::io::Error| Failure::Usage(format!("{file}: {error}"));
    let mut text = Zeroizing::new(String::new());
    match file {
        "-" => _ = stdin().lock().read_to_string(&mut text).map_err(unreadable)?,
        path => *text = fs::read_to_string(path).map_err(unreadable)?,
    }
    Ok(text)
}
