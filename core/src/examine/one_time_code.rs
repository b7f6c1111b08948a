//! One-time code: the one thing that may reach a person who opted out.

use super::link;
use crate::Content;
use crate::spelling::letters::is_folded;

/// Whether it has the form of a one-time code: an authentication template, or a short text with one code and no link. What its words say is
/// asked elsewhere.
pub(super) fn may_be_one(content: &Content) -> bool {
    match content {
        Content::Template { authentication, .. } => *authentication,
        Content::Text { text } => has_form(text.as_str()),
        _ => false,
    }
}

const CODE_TEXT_BYTES_MAX: usize = 400;

fn has_form(text: &str) -> bool {
    if text.len() > CODE_TEXT_BYTES_MAX {
        return false;
    }
    let is_between = |character: char| !(is_folded(character) || character.is_alphanumeric() || character == '-');
    let mut codes = text.split(is_between).filter(|word| is_code(word));
    codes.next().is_some() && codes.next().is_none() && !has_link(text)
}

/// Four to eight digits, perhaps with a hyphen between them.
fn is_code(word: &str) -> bool {
    let is_number = word.chars().all(|character| character == '-' || character.is_numeric());
    is_number && (4..=8).contains(&word.chars().filter(|character| *character != '-').count())
}

/// Anything a phone may make into a link: a scheme, `www.`, an at sign, or letters around a dot without a space. It is stricter than what is
/// judged as a link, and sees all of that: a code has no need of anything that is near one.
fn has_link(text: &str) -> bool {
    let lower_www = |word: &str| word.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."));
    text.split_whitespace().any(|word| word.contains("://") || word.contains('@') || lower_www(word) || has_host(word))
        || !link::links(text).is_empty()
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
            assert_eq!(has_form(text), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_a_link_keeps_a_text_from_being_a_code(
            text in "(https?://|www\\.|javascript:|data:a/b,|[a-z0]{1,3}|bit\\.ly|t\\.co|1\\.2\\.3\\.4|[.。｡:@/?#!,(%-]|\u{AD}|ｂ|看|👉| ){0,12}"
        ) {
            let text = alloc::format!("482913 {text}");
            proptest::prop_assert!(link::links(&text).is_empty() || !has_form(&text), "{:?}", text);
        }
    }
}
