//! Inspect: the guard, dry-run, one verdict a line.
//!
//! A line of input is a JSON object, or else the bare text. Each is judged by the policy alone, without a store and without the
//! network, so that the same input gives the same output. A line that cannot be judged is answered with `{"error"}`, and the next one
//! follows. The players: [`messages`] (`{"purpose","text"}`), [`replies`]
//! (`{"text"}`), [`urls`] (`{"url"}`), [`webhooks`] (the body of a provider's webhook).

mod message;
mod reply;
mod threecx;
mod url;
mod webhook;

use std::io::{self, BufRead, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Map, Serializer, Value};

pub use message::messages;
pub use reply::replies;
pub use url::urls;
pub use webhook::{WebhookProvider, webhooks};

/// Writes an answer to each line, in order.
fn answer<V: Serialize>(input: impl BufRead, mut output: impl Write, judge: impl Fn(&str) -> Result<V, String>) -> io::Result<()> {
    for line in input.split(b'\n') {
        let line = line?;
        let verdict = str::from_utf8(&line).map_err(|_| "expected UTF-8".to_owned()).and_then(&judge);
        match verdict {
            Ok(verdict) => write_line(&mut output, &verdict),
            Err(error) => write_line(&mut output, &Unjudged { error }),
        }?;
    }
    Ok(())
}

fn write_line(mut output: impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut output, Ascii))?;
    writeln!(output)
}

/// Escapes all that is not ASCII: what is judged may hold what some readers take for the end of a line, and what a screen hides.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                ' '..='~' => writer.write_all(&[character as u8])?,
                _ => character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?,
            }
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Unjudged {
    error: String,
}

fn text_field<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    fields.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}`: expected a text"))
}
