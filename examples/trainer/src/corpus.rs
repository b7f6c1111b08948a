//! Corpus: rows with their labels, and which of them training sees.

use std::fs;
use std::io;
use std::path::Path;

use gatepost::Family;
use sha2::{Digest, Sha256};

/// What a row is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Label {
    /// A genuine message for one of the purposes that are allowed.
    Wanted,
    /// One that must not go out.
    Unwanted(Family),
}

impl Label {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ok" => Self::Wanted,
            "marketing" => Self::Unwanted(Family::Marketing),
            "political" => Self::Unwanted(Family::Political),
            "cold_outreach" => Self::Unwanted(Family::ColdOutreach),
            "phishing" | "scam" | "impersonation" | "harmful_link" => Self::Unwanted(Family::Fraud),
            _ => return None,
        })
    }
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    /// Rows that were written for training.
    Own,
    /// `purpose.tsv`: written before the guard, by who built nothing of it.
    Purpose,
    /// Reported smishing, from a public set.
    Smishing,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) label: Label,
    pub(crate) language: String,
    pub(crate) source: Source,
}

impl Row {
    /// Whether training never sees it: 3 in 10, by its hash, so that it stays so whatever is added.
    pub(crate) fn is_sealed(&self) -> bool {
        let share = match self.source {
            Source::Own => 26,
            Source::Purpose | Source::Smishing => 77,
        };
        Sha256::digest(&self.text).first().is_some_and(|byte| *byte < share)
    }
}

/// All rows, and the files they came from.
pub(crate) struct Corpus {
    rows: Vec<Row>,
    /// Name, SHA-256 and number of rows of each file.
    pub(crate) files: Vec<(String, String, usize)>,
}

impl Corpus {
    /// Reads a folder of our own rows, and one of public sets where it is given.
    pub(crate) fn read(own: &Path, public: Option<&Path>) -> io::Result<Self> {
        let mut corpus = Self { rows: Vec::new(), files: Vec::new() };
        let mut paths: Vec<_> = fs::read_dir(own.join("rows"))?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "tsv")) {
            corpus.add(path, own_rows)?;
        }
        corpus.add(&own.join("purpose.tsv"), purpose_rows)?;
        if let Some(public) = public {
            corpus.add(&public.join("mishra_soni_sms_phishing.csv"), smishing_rows)?;
        }
        Ok(corpus)
    }

    fn add(&mut self, path: &Path, read: fn(&str, &str) -> Vec<Row>) -> io::Result<()> {
        let bytes = fs::read(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rows = read(&String::from_utf8_lossy(&bytes), &name);
        let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        self.files.push((name, hash, rows.len()));
        self.rows.extend(rows);
        Ok(())
    }

    pub(crate) fn training(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| !row.is_sealed()).collect()
    }

    pub(crate) fn sealed(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.is_sealed()).collect()
    }
}

/// Label and text; the file's name begins with the language.
fn own_rows(file: &str, name: &str) -> Vec<Row> {
    let language = name.split(['-', '.']).next().unwrap_or_default();
    let row = |line: &str| {
        let (label, text) = line.split_once('\t')?;
        Some(Row { text: unescaped(text), label: Label::named(label)?, language: language.to_owned(), source: Source::Own })
    };
    file.lines().filter_map(row).collect()
}

/// Declared purpose, text, label and language, under a heading. What was declared says nothing: a liar declares anything.
fn purpose_rows(file: &str, _: &str) -> Vec<Row> {
    let row = |line: &str| {
        let mut columns = line.split('\t').skip(1);
        let (text, label, language) = (columns.next()?, columns.next()?, columns.next()?);
        Some(Row { text: unescaped(text), label: Label::named(label)?, language: language.to_owned(), source: Source::Purpose })
    };
    file.lines().skip(1).filter_map(row).collect()
}

/// The smishing of the set of Mishra and Soni (Mendeley Data f45bkkt8pr, CC BY 4.0), each message once. Its other rows are private chat,
/// which is no business of a gateway.
fn smishing_rows(file: &str, _: &str) -> Vec<Row> {
    let mut known = std::collections::BTreeSet::new();
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records().filter_map(Result::ok) {
        let (Some(label), Some(text)) = (record.get(0), record.get(1)) else { continue };
        let key: String = text.to_lowercase().chars().filter(|character| character.is_alphabetic()).collect();
        if label.eq_ignore_ascii_case("smishing") && known.insert(key) {
            let (label, language) = (Label::Unwanted(Family::Fraud), "en".to_owned());
            rows.push(Row { text: text.to_owned(), label, language, source: Source::Smishing });
        }
    }
    rows
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
}
