//! The ledger: what the server has promised, written down where its crash does not reach.
//!
//! [`Ledger::acknowledge`] appends one line per acknowledged message, tabs between the fields: message id, idempotency key or `-`,
//! HTTP status, status word. Each line is one unbuffered write, so a line is whole or absent. After a crash test each message id in
//! the ledger must be found in the server's store.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::path::Path;

/// A file that only grows.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    line: Vec<u8>,
}

impl Ledger {
    /// Opens the file at `path`, or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, line: Vec::new() })
    }

    /// Writes down that the server has taken message `id`.
    pub fn acknowledge(&mut self, id: &str, idempotency_key: Option<&str>, http_status: u16, word: &str) -> Result<()> {
        self.line.clear();
        let key = idempotency_key.unwrap_or("-");
        writeln!(self.line, "{id}\t{key}\t{http_status}\t{word}")?;
        self.file.write_all(&self.line)
    }
}
