//! Texts: what the content guard is timed on, rows as people write them and texts made to be slow.

use std::fs;
use std::path::Path;

use crate::Failure;

/// The length of the longest text that a provider takes.
pub const LONGEST: usize = 4096;

/// Rows of the trainer's corpus, all languages among each other, joined and cut to `characters`; one text for each row.
pub fn of_rows(characters: usize) -> Result<Vec<String>, Failure> {
    let rows = rows()?;
    let text = |first| {
        let joined = rows.iter().cycle().skip(first).flat_map(|row| row.chars().chain([' ']));
        joined.take(characters).collect()
    };
    Ok((0..rows.len()).map(text).collect())
}

/// In an order that mixes the files and is always the same.
fn rows() -> Result<Vec<String>, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/trainer/corpus/rows");
    let mut paths: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut rows = Vec::new();
    for path in paths {
        let file = fs::read_to_string(path)?;
        rows.extend(file.lines().filter_map(|line| line.split_once('\t')).map(|(_, text)| text.to_owned()).enumerate());
    }
    rows.sort_by_key(|(line, _)| *line);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Texts of [`LONGEST`] characters that are made to be slow, by name.
pub fn hostile() -> Vec<(&'static str, String)> {
    let repeated = REPEATED.iter().map(|(name, part)| (*name, part.chars().cycle().take(LONGEST).collect()));
    repeated.chain([("one_hyphened_host", one_hyphened_host()), ("one_host_of_labels", one_host_of_labels())]).collect()
}

/// What is repeated until the text is full.
const REPEATED: &[(&str, &str)] = &[
    ("links", "https://paypa1-verify.example/x?to=https://b.example "),
    ("links_without_scheme", "a1.example/x "),
    ("links_in_one_word", "https://a.example/?x="),
    ("schemes", "://"),
    ("users", "a@b.example/c "),
    ("dots", "a."),
    ("at_signs", "@"),
    ("at_signs_in_words", "a@"),
    ("phrases", "act now! verify your account, limited time offer, you have won a prize, vote for us. "),
    ("secrets", "send me your code pin password "),
    ("secrets_apart", "give code send pin share password never otp, "),
    ("near_phrases", "you have your account is your card has been "),
    ("letters_apart", "f r e e "),
    ("letters_apart_in_runs", "f r e e gift "),
    ("letters_between_dots", "F.R.E.E "),
    ("zero_width", "f\u{200B}r\u{200B}e\u{200B}e\u{200B} \u{200B}c\u{200B}a\u{200B}s\u{200B}h\u{200B} "),
    ("only_zero_width", "\u{200B}"),
    ("turned", "\u{202E}a"),
    ("mixed_scripts", "pаypаl ассоunt "),
    ("signs_for_letters", "c@sh fr3e $ale w1nner "),
    ("styled_letters", "𝐖𝐢𝐧 ｎｏｗ Ⓦⓘⓝ "),
    ("accents", "Ế ậ é ñ ü "),
    ("combining_marks", "e\u{301}\u{302}\u{303}\u{304}"),
    ("emoji", "👩\u{200D}🔧🎁🔥 "),
    ("only_emoji", "🎁"),
    ("one_long_word", "a1b2c3d4e5f6g7h8i9"),
    ("one_letter", "a"),
    ("digits", "0123456789"),
    ("arabic", "الغاء الطلب ادفع الرسوم الآن وأرسل رمز التحقق "),
    ("devanagari", "अभी अपना खाता सत्यापित करें और कोड भेजें "),
    ("chinese", "你好请马上点击链接验证您的账户"),
    ("capitals", "ACT NOW "),
    ("percents", "%% 20% "),
    ("sentences", "Hi. "),
];

/// Half of it a host of many short parts, half of it words among which each part is looked for.
fn one_hyphened_host() -> String {
    let words = "abcdefgh ".chars().cycle().take(LONGEST / 2);
    words.chain(" https://".chars()).chain("abcx-".chars().cycle()).take(LONGEST).collect()
}

fn one_host_of_labels() -> String {
    "https://".chars().chain("paypal.".chars().cycle()).take(LONGEST).collect()
}
