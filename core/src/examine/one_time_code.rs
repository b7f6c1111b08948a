//! One-time code: the one thing that may reach a person who opted out.

use crate::Content;

/// Whether it is a one-time code: an authentication template, or a short text with one code and no link.
pub(super) fn is_one(content: &Content) -> bool {
    match content {
        Content::Template { authentication, .. } => *authentication,
        Content::Text { text } => is_one_time_code(text.as_str()),
        _ => false,
    }
}

const CODE_TEXT_BYTES_MAX: usize = 400;

fn is_one_time_code(text: &str) -> bool {
    if text.len() > CODE_TEXT_BYTES_MAX {
        return false;
    }
    let mut codes = text.split(|character: char| !character.is_alphanumeric() && character != '-').filter(|word| is_code(word));
    codes.next().is_some() && codes.next().is_none() && !has_link(text)
}

/// Four to eight digits, perhaps with a hyphen between them.
fn is_code(word: &str) -> bool {
    let digits = word.chars().filter(|character| character.is_numeric()).count();
    (4..=8).contains(&digits) && word.chars().all(|character| character.is_numeric() || character == '-')
}

/// Anything a phone may make into a link: a scheme, `www.`, an at sign, or letters around a dot without a space.
fn has_link(text: &str) -> bool {
    let lower_www = |word: &str| word.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."));
    text.split_whitespace().any(|word| word.contains("://") || word.contains('@') || lower_www(word) || has_host(word))
}

fn has_host(word: &str) -> bool {
    let parts = word.split(['.', '。', '．']);
    let next_parts = parts.clone().skip(1);
    parts.zip(next_parts).any(|(left, right)| left.ends_with(char::is_alphanumeric) && right.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_time_code_is_a_short_text_with_one_code_and_no_link() {
        for (text, expected) in [
            ("Your code is 123456.", true),
            ("123-456 is your sign-in code. Do not share it.", true),
            ("رمز التحقق ٤٨٢٩١٣", true),
            ("Your code is 123456. Sign in at https://example.com", false),
            ("Your code is 123456, see bank.example/login", false),
            ("Your code is 123456, see bank。example", false),
            ("Call 5551 or 5552", false),
            ("We miss you! Come back.", false),
            ("Order 123456789 shipped", false),
        ] {
            assert_eq!(is_one_time_code(text), expected, "{text:?}");
        }
    }
}
