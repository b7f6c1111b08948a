//! Print: what tells whether two texts are the same, though each says another name of an order.
//!
//! Left out are digits, white space, what nobody sees, and of links all but the host; letters are folded as replies are. What is left is
//! hashed without a key. A print says whether two texts are alike and serves for nothing else: it protects no text that can be guessed.

use core::fmt;

use crate::Content;
use crate::spelling::letters::{fold, is_invisible, plain_form};

/// FNV-1a.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// What is the same for two texts that say the same.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TextPrint(u64);

impl TextPrint {
    /// The print with this number, as a store keeps it.
    pub const fn from_number(number: i64) -> Self {
        Self(number.cast_unsigned())
    }

    /// Its number.
    pub const fn number(self) -> i64 {
        self.0.cast_signed()
    }
}

impl fmt::Debug for TextPrint {
    /// Without the number: who knows it can try texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextPrint")
    }
}

/// The print of what a message says in the sender's own words: pure, in linear time, on the caller's thread.
///
/// `None` where there are none: a template has the words that the provider approved, and is meant for many.
pub fn text_print(content: &Content) -> Option<TextPrint> {
    match content {
        Content::Interactive { text, .. } => print(text.as_str()),
        Content::Media { caption, .. } => print(caption.as_ref()?.as_str()),
        Content::Text { text } => print(text.as_str()),
        Content::Location { .. } | Content::Reaction { .. } | Content::Template { .. } => None,
    }
}

fn print(text: &str) -> Option<TextPrint> {
    let (mut hash, mut is_empty) = (OFFSET, true);
    let mut take = |letter: char| {
        if !letter.is_numeric() {
            hash = (hash ^ u64::from(u32::from(letter))).wrapping_mul(PRIME);
            is_empty = false;
        }
    };
    for word in text.split_whitespace().map(without_path) {
        word.chars().filter(|character| !is_invisible(*character)).for_each(|character| fold(plain_form(character), &mut take));
    }
    (!is_empty).then_some(TextPrint(hash))
}

/// A link without what follows its host; any other word as it is.
fn without_path(word: &str) -> &str {
    let host_at = word.find("://").map_or(0, |scheme| scheme + "://".len());
    let Some(rest) = word.get(host_at..) else { return word };
    let host = rest.find(['/', '?', '#']).filter(|end| host_at > 0 || rest.get(..*end).is_some_and(is_host));
    host.and_then(|end| word.get(..host_at + end)).unwrap_or(word)
}

/// Whether letters stand around a dot, as in a host.
fn is_host(word: &str) -> bool {
    word.rsplit_once('.')
        .is_some_and(|(left, right)| !left.is_empty() && right.len() > 1 && right.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, same: bool) {
        assert_eq!(print(one) == print(other), same, "{one:?} and {other:?}");
    }

    #[test]
    fn texts_that_differ_in_numbers_case_space_and_accents_are_the_same() {
        check("Your order 12345 has shipped.", "your  order 987\nhas SHIPPED.", true);
        check("Votre commande est prête", "votre commande est prete", true);
        check("طلبك ١٢٣ جاهز", "طلبك ٩ جاهز", true);
        check("S\u{200b}ale today", "sale\u{a0}today", true);
        check("Ｓale today", "sale today", true);
    }

    #[test]
    fn links_are_the_same_where_their_host_is() {
        check("Pay here: https://pay.example/a8f3?x=1", "Pay here: https://pay.example/zz", true);
        check("Pay at pay.example/a8f3 now", "Pay at pay.example/b now", true);
        check("Pay here: https://pay.example/a", "Pay here: https://evil.example/a", false);
        check("either/or", "either/not", false);
    }

    #[test]
    fn other_words_are_another_text() {
        check("Your order has shipped.", "Your order was lost.", false);
        check("Hello Anna", "Hello Maria", false);
    }

    #[test]
    fn where_nothing_is_said_there_is_no_print() {
        assert_eq!((print(""), print(" 123 \u{200b}")), (None, None));
    }

    #[test]
    fn a_print_comes_back_from_its_number_and_shows_nothing() {
        let made = print("Your table is ready.").unwrap();
        assert_eq!(TextPrint::from_number(made.number()), made);
        assert_eq!(alloc::format!("{made:?}"), "TextPrint");
    }
}
