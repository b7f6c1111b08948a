//! Corpus: the figures of the detector, by language.

use std::collections::BTreeMap;

use gatepost::read_reply;

const SEEN: &str = include_str!("../data/replies/seen.tsv");
const PHRASES: &str = include_str!("../data/replies/phrases.tsv");

#[test]
fn the_seen_rows_are_understood_in_every_language() {
    check(SEEN);
}

#[test]
fn the_phrases_are_understood_in_every_language() {
    check(PHRASES);
}

struct Row {
    text: String,
    label: &'static str,
    language: &'static str,
}

fn rows(file: &'static str) -> Vec<Row> {
    let lines = file.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    lines.map(|columns| Row { text: unescape(columns[0]), label: columns[1], language: columns[2] }).collect()
}

fn unescape(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
}

/// By label and language: how many rows there are, and which were read as something else.
type Figures<'a> = BTreeMap<(&'static str, &'static str), (usize, Vec<(&'a str, String)>)>;

fn figures(rows: &[Row]) -> Figures<'_> {
    let mut figures = Figures::new();
    for row in rows {
        let reply = read_reply(&row.text);
        let (count, missed) = figures.entry((row.label, row.language)).or_default();
        *count += 1;
        if reply.intent().as_str() != row.label {
            missed.push((row.text.as_str(), format!("{:?}", reply.meaning)));
        }
    }
    figures
}

/// What must hold on rows that were not looked at must hold all the more here, and in each language by itself.
fn check(file: &'static str) {
    let rows = rows(file);
    let figures = figures(&rows);
    for label in ["opt_out", "opt_in", "help"] {
        assert!(recall(&figures, label, |language| language == "en") >= 0.95, "{label} in English: {figures:#?}");
        assert!(recall(&figures, label, |language| language != "en") >= 0.95, "{label} elsewhere: {figures:#?}");
    }
    for ((label, language), (count, missed)) in &figures {
        assert!(missed.len() <= 1 + count / 10, "{label} in {language}: {} of {count} missed: {missed:#?}", missed.len());
    }
    let nones = rows.iter().filter(|row| row.label == "none").count();
    let wrong: Vec<_> = rows.iter().filter(|row| row.label == "none" && read_reply(&row.text).intent().as_str() == "opt_out").collect();
    assert!(wrong.len() * 200 <= nones, "taken for opt-outs: {:#?}", wrong.iter().map(|row| &row.text).collect::<Vec<_>>());
}

fn recall(figures: &Figures<'_>, label: &str, counts: impl Fn(&str) -> bool) -> f64 {
    let of = figures.iter().filter(|((found, language), _)| *found == label && counts(language)).map(|(_, figure)| figure);
    let (count, missed) = of.fold((0, 0), |(count, missed), figure| (count + figure.0, missed + figure.1.len()));
    assert!(count > 0, "no rows for `{label}`");
    1.0 - missed as f64 / count as f64
}
