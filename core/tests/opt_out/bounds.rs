//! Bounds: any text is read, and no more of it than was promised.

use gatepost::{Intent, read_reply};
use proptest::prelude::*;

/// As the documentation of `read_reply` says.
const CHARACTERS_MAX: usize = 1024;

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        read_reply(&text);
    }

    #[test]
    fn any_mixture_of_words_and_marks_is_read(parts in prop::collection::vec(part(), 0..80)) {
        read_reply(&parts.concat());
    }

    #[test]
    fn blanks_around_a_text_change_nothing(text in "[a-z ,.?!]{0,40}", before in "[ \t]{0,3}", after in "[ \t]{0,3}") {
        prop_assert_eq!(read_reply(&format!("{before}{text}{after}")), read_reply(&text));
    }

    #[test]
    fn the_middle_of_a_long_text_is_not_read(middle in ".{0,200}") {
        let half = "a".repeat(CHARACTERS_MAX / 2);
        prop_assert_eq!(read_reply(&format!("{half}{middle}{half}")).intent(), Intent::None);
    }
}

fn part() -> impl Strategy<Value = String> {
    let words = ["stop", "don't", "texting", "me", "не", "пишите", "停", "止", "보내지", "อย่า", "मत", "لا", "ترسلوا", "1", "S", "p", "$"];
    let marks = [" ", ".", ",", "?", "\"", "\n", "|", "'", "-", "\u{200B}", "\u{301}", "🛑", "«", "»", "!"];
    prop::sample::select([words.as_slice(), marks.as_slice()].concat()).prop_map(String::from)
}

#[test]
fn the_first_and_the_last_sentence_of_a_long_text_are_read() {
    let story = "We went to the market and bought apples and pears for the whole family. ".repeat(12);
    for text in [format!("Please stop texting me. {story}"), format!("{story} Please stop texting me.")] {
        assert_eq!(read_reply(&text).intent(), Intent::OptOut, "{text}");
    }
    assert_eq!(read_reply(&format!("{story} He told me to stop texting. {story}")).intent(), Intent::None);
}

#[test]
fn nothing_is_nothing() {
    for text in ["", " ", "\n\n", "...", "?", "\"\"", "🛑", "\u{200B}", "|", "-"] {
        assert_eq!(read_reply(text).meaning, None, "{text:?}");
    }
}

#[test]
fn the_meaning_does_not_repeat_the_words() {
    let told = format!("{:?}", read_reply("please remove +999501234567 from your list"));
    assert!(!told.contains("999") && !told.contains("remove +"), "{told}");
}
