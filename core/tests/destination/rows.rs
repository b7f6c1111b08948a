//! Rows: the corpora, as their files write them.

/// A row of a table: its columns, the first without its escapes.
pub(crate) struct Row {
    pub(crate) first: String,
    pub(crate) second: &'static str,
}

/// The rows of a table, without comments. Lines end at a line feed and nowhere else.
pub(crate) fn rows(table: &'static str) -> Vec<Row> {
    let rows: Vec<Row> = table.split('\n').filter_map(row).collect();
    assert!(rows.len() > 10, "only {} rows were read", rows.len());
    rows
}

fn row(line: &'static str) -> Option<Row> {
    if line.starts_with('#') {
        return None;
    }
    let mut columns = line.split('\t');
    let (first, second) = (columns.next()?, columns.next()?);
    Some(Row { first: unescape(first), second })
}

/// `\\`, `\t`, `\n`, `\r`, `\0` and `\u{HEX}`.
fn unescape(text: &str) -> String {
    let mut read = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        read.push_str(before);
        let (character, after) = character(escape);
        read.push(character);
        rest = after;
    }
    read + rest
}

fn character(escape: &str) -> (char, &str) {
    let (kind, after) = escape.split_at(1);
    match kind {
        "\\" => ('\\', after),
        "t" => ('\t', after),
        "n" => ('\n', after),
        "r" => ('\r', after),
        "0" => ('\0', after),
        "u" => {
            let (digits, after) = after.strip_prefix('{').and_then(|after| after.split_once('}')).expect("braces");
            (u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).expect("a code point"), after)
        }
        other => panic!("`\\{other}` is no escape"),
    }
}
