//! Suppression table: suppressions as comma-separated values (RFC 4180), to take along and to bring in.
//!
//! The first line names the columns: `address`, `cause`, `note`, `since`, `lifted_at`. To bring in, `address` (or `phone`) is enough; a cause
//! that is not given is `manual`. Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, so a note that begins so gets
//! an apostrophe in front, which is taken away again on the way in. An address keeps its plus sign: it is digits, and no formula.

use std::io::Write;

use csv::{ReaderBuilder, StringRecord, Trim, Writer};
use gatepost::{Address, Cause};

/// The columns that are written.
const COLUMNS: [&str; 5] = ["address", "cause", "note", "since", "lifted_at"];
const NOTE_CHARACTERS_MAX: usize = 500;
/// How many lines are read.
const LINES_MAX: usize = 100_000;

/// A line as it is written.
pub(crate) struct Line<'a> {
    pub(crate) address: &'a str,
    pub(crate) cause: &'a str,
    pub(crate) note: Option<&'a str>,
    pub(crate) since: &'a str,
    pub(crate) lifted_at: Option<&'a str>,
}

/// Begins a table.
pub(crate) fn begin<W: Write>(to: W) -> csv::Result<Writer<W>> {
    let mut writer = Writer::from_writer(to);
    writer.write_record(COLUMNS)?;
    Ok(writer)
}

/// Writes a line.
pub(crate) fn write<W: Write>(writer: &mut Writer<W>, line: &Line<'_>) -> csv::Result<()> {
    let note = guarded(line.note.unwrap_or_default());
    writer.write_record([line.address, line.cause, &note, line.since, line.lifted_at.unwrap_or_default()])
}

const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// A note that no spreadsheet takes for a formula.
fn guarded(note: &str) -> String {
    if note.starts_with(FORMULA) { format!("'{note}") } else { note.to_owned() }
}

fn unguarded(note: &str) -> &str {
    note.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(note)
}

/// A line that was read.
#[derive(Debug, PartialEq)]
pub(crate) enum Row {
    /// Somebody to suppress.
    Suppress { address: Address, cause: Cause, note: Option<String> },
    /// A suppression that was lifted: there is nothing to do.
    Lifted,
}

/// A line's number in the text, and what it says, or why it cannot be read.
pub(crate) type Numbered = (u64, Result<Row, &'static str>);

/// Reads a table. Why it or a line of it cannot be read never repeats what stands there.
pub(crate) fn read(table: &[u8]) -> Result<Vec<Numbered>, &'static str> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(table);
    let columns = reader.headers().map_err(|_| "expected comma-separated values in UTF-8")?.clone();
    let place = |name: &str| columns.iter().position(|column| column.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
    let address =
        place("address").or_else(|| place("phone")).ok_or("expected a first line that names the columns, with `address` among them")?;
    let places = Places { address, cause: place("cause"), note: place("note"), lifted_at: place("lifted_at") };
    let mut record = StringRecord::new();
    let mut rows = Vec::new();
    let mut lines = Lines { table, line: 1, counted: 0 };
    loop {
        let from = reader.position().byte();
        let row = match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => places.row(&record),
            Err(_) => Err("expected comma-separated values in UTF-8"),
        };
        if rows.len() == LINES_MAX {
            return Err("expected at most 100,000 lines");
        }
        rows.push((lines.number_at(from), row));
    }
}

/// Counts lines, of whichever end.
struct Lines<'a> {
    table: &'a [u8],
    line: u64,
    counted: usize,
}

impl Lines<'_> {
    /// The number of the line that begins here, or behind what is left of the end of the one before.
    fn number_at(&mut self, byte: u64) -> u64 {
        let rest = self.table.get(byte as usize..).unwrap_or_default();
        let begin = byte as usize + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let between = self.table.get(self.counted..begin).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = begin;
        self.line
    }
}

/// Where the columns stand.
struct Places {
    address: usize,
    cause: Option<usize>,
    note: Option<usize>,
    lifted_at: Option<usize>,
}

impl Places {
    fn row(&self, record: &StringRecord) -> Result<Row, &'static str> {
        let cell = |place: Option<usize>| place.and_then(|place| record.get(place)).filter(|cell| !cell.is_empty());
        if cell(self.lifted_at).is_some() {
            return Ok(Row::Lifted);
        }
        let address = cell(Some(self.address)).ok_or("`address`: expected a phone number with its country code")?;
        let address = address.parse().map_err(|_| "`address`: expected a phone number with its country code")?;
        let cause = cell(self.cause).map_or(Ok(Cause::Manual), str::parse);
        let cause = cause.map_err(|_| "`cause`: expected the cause of a suppression, for example `manual`")?;
        let note = cell(self.note).map(|note| unguarded(note).to_owned());
        if note.as_deref().is_some_and(|note| note.chars().nth(NOTE_CHARACTERS_MAX).is_some() || note.contains('\0')) {
            return Err("`note`: expected at most 500 characters, and no NUL character");
        }
        Ok(Row::Suppress { address, cause, note })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn row(address: &str, cause: Cause, note: Option<&str>) -> Row {
        Row::Suppress { address: address.parse().unwrap(), cause, note: note.map(str::to_owned) }
    }

    #[test]
    fn what_is_written_is_read() {
        let notes = [None, Some("asked by mail: \"no, thanks\"\nreally"), Some("=1+1"), Some("'quoted"), Some("-"), Some("it's")];
        let mut writer = begin(Vec::new()).unwrap();
        for note in notes {
            let line = Line { address: "+999501234567", cause: "keyword", note, since: "2026-11-22T12:00:00Z", lifted_at: None };
            write(&mut writer, &line).unwrap();
        }
        let table = writer.into_inner().unwrap();
        let read: Vec<_> = read(&table).unwrap().into_iter().map(|(_, row)| row.unwrap()).collect();
        assert_eq!(read, notes.map(|note| row("+999501234567", Cause::Keyword, note)));
        assert!(!String::from_utf8(table).unwrap().contains(",=1+1"), "a spreadsheet would compute it");
    }

    #[test]
    fn people_write_tables_in_many_ways() {
        let table = "\u{feff}Phone ; Cause".replace(" ;", ",")
            + "\r\n999 50 123-4567,\r\n\"+999 (50) 1234568\",complaint,more\r\nUS.1349,legal\r\n";
        let rows = read(table.as_bytes()).unwrap();
        let expected = [
            (2, Ok(row("+999501234567", Cause::Manual, None))),
            (3, Ok(row("+999501234568", Cause::Complaint, None))),
            (4, Ok(row("US.1349", Cause::Legal, None))),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_and_keeps_no_other_away() {
        let rows = read(
            b"address,cause,lifted_at\n12,manual,\n+999501234567,because,\n+999501234567,manual,2026-11-22T12:00:00Z\n+999501234567,,\n",
        )
        .unwrap();
        let told: Vec<_> = rows.iter().map(|(line, row)| (*line, row.as_ref().err().copied())).collect();
        assert_eq!(
            told,
            [
                (2, Some("`address`: expected a phone number with its country code")),
                (3, Some("`cause`: expected the cause of a suppression, for example `manual`")),
                (4, None),
                (5, None),
            ]
        );
        assert_eq!(rows[2].1, Ok(Row::Lifted));
    }

    #[test]
    fn a_table_without_addresses_is_refused() {
        for table in ["", "name,cause\nAlice,manual\n"] {
            assert_eq!(read(table.as_bytes()), Err("expected a first line that names the columns, with `address` among them"), "{table:?}");
        }
    }
}
