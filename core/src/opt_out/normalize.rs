//! Normalization: one spelling for the many in which the same word arrives.
//!
//! Lower case, compatibility forms (full width, circled, mathematical), no accents, points, tone marks or invisible characters, one
//! form for the letters that Arabic, Persian and Urdu write differently, Western digits, letters squeezed that were held down,
//! letters joined that were spelled out, digits and look-alikes that stand for letters put back. What is left is words with single
//! spaces, and a few marks between spaces: `.` ends a sentence, `?` a question, `,` a clause, `|` a paragraph, `"` opens or closes a
//! quotation.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::letters::{
    cyrillic_look_alike, fold, has_case, is_accent, is_compatibility_form, is_disguise, is_folded, is_greek, is_invisible, is_of_word,
    is_unspaced, latin_look_alike, letter_of_sign, plain_form,
};

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// The most characters that are read. Of a longer text, the first and the last half of these.
pub(super) const CHARACTERS_MAX: usize = 1024;

/// A text in one spelling.
pub(super) struct Normal {
    /// Words and marks with single spaces.
    pub(super) text: String,
    /// Whether it was typed in capitals alone, or letter by letter: then it is meant for a machine.
    pub(super) is_shouted: bool,
    /// Whether some of it had to be unfolded.
    was_dressed_up: bool,
}

/// One spelling for a text. What comes out stays as it is when it goes in again, unless the text was too long.
pub(super) fn normalize(text: &str) -> Normal {
    let first = normalize_once(text);
    // What is unfolded can meet what it combines with only when the marks between them are gone.
    if !first.text.is_ascii() && (first.was_dressed_up || first.text.contains(is_compatibility_form)) {
        return Normal { is_shouted: first.is_shouted, ..normalize_once(&first.text) };
    }
    first
}

fn normalize_once(text: &str) -> Normal {
    let mut tokens = Tokens::with_capacity(text.len().min(4 * CHARACTERS_MAX));
    let mut case = Case::default();
    let mut characters = Vec::with_capacity(text.len().min(CHARACTERS_MAX));
    let mut was_dressed_up = false;
    for part in bounded(text) {
        characters.clear();
        tokens.mark('.');
        if collect_visible(part, &mut case, &mut characters) {
            was_dressed_up = true;
            characters = NFKC.normalize_iter(characters.iter().copied()).filter(|character| !is_invisible(*character)).collect();
        }
        tokens.read(&characters);
    }
    tokens.drop_idle_quotes();
    let was_spelled = tokens.join_spelled();
    Normal { text: tokens.render(), is_shouted: was_spelled || case.is_shouted(), was_dressed_up }
}

/// Reads what a reader sees. Says whether some of it has to be unfolded.
fn collect_visible(text: &str, case: &mut Case, into: &mut Vec<char>) -> bool {
    let mut is_dressed_up = false;
    for character in text.chars() {
        case.see(character);
        if character.is_ascii() || is_folded(character) {
            into.push(character);
        } else if !is_invisible(character) {
            let plain = plain_form(character);
            is_dressed_up |= is_compatibility_form(plain);
            into.push(plain);
        }
    }
    is_dressed_up
}

/// The text, or the head and the tail of a long one.
fn bounded(text: &str) -> impl Iterator<Item = &str> {
    let half = CHARACTERS_MAX / 2;
    let is_long = text.len() > CHARACTERS_MAX && text.chars().nth(CHARACTERS_MAX).is_some();
    let head = if is_long { text.char_indices().nth(half).map_or(text.len(), |(at, _)| at) } else { text.len() };
    let tail = if is_long { text.char_indices().nth_back(half - 1).map_or(text.len(), |(at, _)| at) } else { text.len() };
    [text.get(..head), text.get(tail..)].into_iter().flatten()
}

#[derive(Default)]
struct Case {
    has_upper: bool,
    has_lower: bool,
}

impl Case {
    fn see(&mut self, character: char) {
        if !self.has_lower && has_case(character) {
            self.has_upper |= character.is_uppercase();
            self.has_lower |= character.is_lowercase();
        }
    }

    const fn is_shouted(&self) -> bool {
        self.has_upper && !self.has_lower
    }
}

/// A word, by its place in the text, or a mark.
#[derive(Clone)]
enum Token {
    Word(Range<usize>),
    Mark(char),
}

/// Words and marks as they are read.
struct Tokens {
    letters: String,
    tokens: Vec<Token>,
    /// Where the word that is being read began.
    word: usize,
}

impl Tokens {
    fn with_capacity(bytes: usize) -> Self {
        Self { letters: String::with_capacity(bytes + bytes / 4), tokens: Vec::with_capacity(bytes / 4 + 4), word: 0 }
    }

    fn read(&mut self, characters: &[char]) {
        let mut before = ' ';
        for (number, character) in characters.iter().copied().enumerate() {
            if character.is_ascii_alphabetic() {
                self.letters.push(character.to_ascii_lowercase());
            } else if is_folded(character) {
                self.letters.push(character);
            } else {
                self.take(character, before, characters.get(number + 1..).unwrap_or_default());
            }
            before = character;
        }
        self.end_word();
    }

    fn take(&mut self, character: char, before: char, after: &[char]) {
        let next = after.first().copied().unwrap_or(' ');
        if character == '1' && before == '!' && !next.is_alphanumeric() {
            // The shift key was let go too early: "stop!!1".
            return;
        }
        if is_of_word(character) {
            let letters = &mut self.letters;
            fold(character, &mut |letter| letters.push(letter));
        } else if is_sign_for_letter(character, before, next) {
            self.letters.push(letter_of_sign(character));
        } else if !is_accent(character) {
            self.separate(character, before, next, after);
        }
    }

    fn separate(&mut self, character: char, before: char, next: char, after: &[char]) {
        if matches!(character, '\'' | '’' | '‘' | '`' | '´' | 'ʼ') && self.joins_apostrophe(after) {
            return;
        }
        self.end_word();
        match character {
            ' ' => {}
            '.' | ',' | ':' if before.is_ascii_digit() && next.is_ascii_digit() => {}
            '\n' if before == '\n' || before == '|' => self.mark('|'),
            '-' | '–' | '—' | '−' if before.is_whitespace() || next.is_whitespace() => self.mark('.'),
            '|' => self.mark('|'),
            '?' | '؟' | '՞' => self.mark('?'),
            // The question mark of Greek, which is typed as a semicolon.
            ';' | '\u{37E}' => self.mark(if is_greek(before) { '?' } else { '.' }),
            ',' | '،' | '、' | '&' | '+' | '¿' => self.mark(','),
            '.' | '!' | ':' | '…' | '。' | '¡' | '।' | '॥' | '؛' | '۔' | '\n' | '\r' | '(' | ')' | '[' | ']' | '{' | '}' | '・' =>
            {
                self.mark('.');
            }
            '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '「' | '」' | '『' | '』' | '‹' | '›' => self.mark('"'),
            _ => {}
        }
    }

    /// Whether an apostrophe holds a word together, as in "don't" and "п'ять", and does not part two, as in "l'arrêt".
    fn joins_apostrophe(&self, after: &[char]) -> bool {
        match self.letters.get(self.word..).and_then(|word| word.chars().next_back()) {
            Some('a'..='z') => ["t", "s", "m", "d", "re", "ll", "ve"].iter().any(|ending| is_next_word(after, ending)),
            Some('а'..='ӿ' | 'א'..='ת') => true,
            _ => false,
        }
    }

    fn mark(&mut self, mark: char) {
        match self.tokens.last_mut() {
            Some(Token::Mark(last)) if *last != '"' && mark != '"' => *last = stronger(*last, mark),
            None if mark != '"' => {}
            _ => self.tokens.push(Token::Mark(mark)),
        }
    }

    fn end_word(&mut self) {
        let word = self.word..self.letters.len();
        if word.is_empty() {
            return;
        }
        let text = self.letters.get(word.clone()).unwrap_or_default();
        if is_settled(text) {
            self.tokens.push(Token::Word(word));
        } else {
            let text = self.letters.split_off(word.start);
            self.settle(&text);
        }
        self.word = self.letters.len();
    }

    /// Writes a word in which letters are held down, or replaced by what looks like them.
    fn settle(&mut self, word: &str) {
        for part in split_number(&restore(word)) {
            let start = self.letters.len();
            squeeze(part, &mut self.letters);
            self.tokens.push(Token::Word(start..self.letters.len()));
        }
    }

    /// Joins three and more single letters to a word. Says whether that was the whole text.
    fn join_spelled(&mut self) -> bool {
        if self.tokens.iter().filter_map(|token| self.word(token)).filter(|word| single(word).is_some()).count() < 3 {
            return false;
        }
        let mut was_all = !self.tokens.is_empty();
        let tokens = core::mem::take(&mut self.tokens);
        let mut rest = tokens.as_slice();
        while let Some((first, others)) = rest.split_first() {
            let length = self.spelled(rest);
            let (run, after) = rest.split_at(length);
            if run.is_empty() {
                was_all &= matches!(first, Token::Mark(_));
                self.tokens.push(first.clone());
                rest = others;
            } else {
                let word: String = run.iter().filter_map(|token| self.word(token)).collect();
                self.settle(&word);
                rest = after;
            }
        }
        was_all
    }

    /// How many tokens spell a word, up to its last letter; none if they spell none.
    fn spelled(&self, tokens: &[Token]) -> usize {
        let (mut length, mut letters, mut signs) = (0, 0, 0);
        for (number, token) in tokens.iter().enumerate() {
            match (token, self.word(token).and_then(single)) {
                (Token::Word(_), Some(letter)) if letter.is_alphabetic() => letters += 1,
                (Token::Word(_), Some(_)) => signs += 1,
                (Token::Mark('.'), _) if number > 0 => continue,
                _ => break,
            }
            length = number + 1;
        }
        if letters >= 2 && letters + signs >= 3 { length } else { 0 }
    }

    fn word(&self, token: &Token) -> Option<&str> {
        match token {
            Token::Word(word) => self.letters.get(word.clone()),
            Token::Mark(_) => None,
        }
    }

    /// Keeps quotation marks only where something stands outside them.
    fn drop_idle_quotes(&mut self) {
        let is_quote = |token: &Token| matches!(token, Token::Mark('"'));
        let quotes = self.tokens.iter().filter(|token| is_quote(token)).count();
        let mut is_open = false;
        let has_outside = self.tokens.iter().any(|token| {
            is_open ^= is_quote(token);
            !is_open && matches!(token, Token::Word(_))
        });
        if quotes % 2 == 1 || !has_outside {
            for token in core::mem::take(&mut self.tokens) {
                match token {
                    Token::Word(_) => self.tokens.push(token),
                    Token::Mark('"') => {}
                    Token::Mark(mark) => self.mark(mark),
                }
            }
        }
    }

    fn render(&self) -> String {
        let mut text = String::with_capacity(self.letters.len() + self.tokens.len());
        let mut has_joined = false;
        for token in &self.tokens {
            match (token, self.word(token)) {
                (_, Some(word)) => has_joined |= push_word(&mut text, word),
                (Token::Mark(mark), None) => has_joined |= push_word(&mut text, mark.encode_utf8(&mut [0; 4])),
                (Token::Word(_), None) => {}
            }
        }
        text.truncate(text.trim_end_matches([' ', '.', ',', '|']).len());
        if has_joined {
            let mut squeezed = String::with_capacity(text.len());
            squeeze(&text, &mut squeezed);
            return squeezed;
        }
        text
    }
}

/// Scripts without spaces get none, however they were typed. Says whether one was left out.
fn push_word(text: &mut String, word: &str) -> bool {
    let joins = text.ends_with(is_unspaced) && word.starts_with(is_unspaced);
    if !text.is_empty() && !joins {
        text.push(' ');
    }
    text.push_str(word);
    joins
}

/// Of two marks that stand together: a paragraph, else a question, else the end of a sentence.
fn stronger(one: char, other: char) -> char {
    ['|', '?', '.'].into_iter().find(|mark| *mark == one || *mark == other).unwrap_or(one)
}

/// `$top`, `c@ncel`.
const fn is_sign_for_letter(character: char, before: char, next: char) -> bool {
    match character {
        '$' => !before.is_ascii_alphanumeric() && (next.is_ascii_alphabetic() || next == '.'),
        '@' => before.is_ascii_alphabetic() && next.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Whether exactly this stands next, up to the end of the word.
fn is_next_word(after: &[char], ending: &str) -> bool {
    let mut after = after.iter();
    let is_same = ending.chars().all(|letter| after.next().is_some_and(|other| other.eq_ignore_ascii_case(&letter)));
    is_same && !after.next().is_some_and(|other| other.is_alphanumeric())
}

/// The character of a word that has only one and does not stand for a whole word by itself.
fn single(word: &str) -> Option<char> {
    let mut characters = word.chars();
    let first = characters.next().filter(|character| !is_unspaced(*character))?;
    characters.next().is_none().then_some(first)
}

/// Whether nothing in a word has to be put back: no letter is held down, all are of one script, and no sign stands for a letter.
fn is_settled(word: &str) -> bool {
    if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return !word.as_bytes().windows(3).any(|letters| matches!(letters, [one, two, three] if one == two && two == three));
    }
    let mut last = [' '; 2];
    let (mut has_latin, mut has_other, mut is_settled) = (false, false, true);
    for letter in word.chars() {
        has_latin |= letter.is_ascii_alphabetic();
        has_other |= !letter.is_ascii_alphabetic();
        is_settled &= last != [letter; 2] && !is_disguise(letter);
        last = [last[1], letter];
    }
    is_settled && !(has_latin && has_other)
}

/// The word with look-alikes, digits and signs put back to the letters they stand for.
fn restore(word: &str) -> String {
    let word = of_one_script(word);
    if word.is_ascii() && stands_for_letters(&word) { word.chars().map(letter_of_sign).collect() } else { word }
}

/// The word in Latin letters, if the others only look like them; else with its Latin letters in Cyrillic.
fn of_one_script(word: &str) -> String {
    let has_latin = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    if word.is_ascii() || !has_latin && !word.contains(is_disguise) {
        return String::from(word);
    }
    let latin: Option<String> =
        word.chars().map(|letter| if letter.is_ascii() { Some(letter) } else { latin_look_alike(letter) }).collect();
    latin.unwrap_or_else(|| word.chars().map(|letter| cyrillic_look_alike(letter).unwrap_or(letter)).collect())
}

/// Whether digits and signs stand inside a word, not behind it: a number of three letters and more, `st0p`, `5top`.
fn stands_for_letters(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let core = word.trim_end_matches(|character: char| character.is_ascii_digit());
    letters >= 2 && word.len() >= 4 && word.len() - letters <= 2 && core.bytes().any(|byte| !byte.is_ascii_alphabetic())
}

/// Parts a number from the Latin word it trails: `stop1`.
fn split_number(word: &str) -> impl Iterator<Item = &str> {
    let name = word.trim_end_matches(|character: char| character.is_ascii_digit());
    let parts = if name.len() >= 3 && name.bytes().all(|byte| byte.is_ascii_alphabetic()) { word.split_at(name.len()) } else { (word, "") };
    [parts.0, parts.1].into_iter().filter(|part| !part.is_empty())
}

/// Writes a word with one letter for three and more.
fn squeeze(word: &str, into: &mut String) {
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut count = 1;
        while letters.next_if_eq(&letter).is_some() {
            count += 1;
        }
        let kept = if count >= 3 && letter.is_alphabetic() { 1 } else { count };
        into.extend(core::iter::repeat_n(letter, kept));
    }
}

#[cfg(test)]
mod tests {
    //! What holds for every text, and what single texts become.

    use alloc::format;

    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(normalize(text).text, expected, "{text:?}");
    }

    #[test]
    fn words_are_parted_by_one_space_and_sentences_by_a_mark() {
        check("  Hello,   you!\tStop... ", "hello , you . stop");
        check("Stop?!\nNow", "stop ? now");
        check("stop\n\nAnna", "stop | anna");
        check("what; why", "what . why");
        check("τι είναι; ναι", "τι ειναι ? ναι");
    }

    #[test]
    fn an_apostrophe_joins_or_parts_as_the_language_has_it() {
        check("don't", "dont");
        check("I'd n'arrêtez l'ordre", "id n arretez l ordre");
        check("зв'язок", "звязок");
    }

    #[test]
    fn a_hyphen_parts_words_and_a_dash_clauses() {
        check("opt-out - now", "opt out . now");
    }

    #[test]
    fn quotation_marks_stay_only_where_something_is_outside() {
        check("\"stop\"", "stop");
        check("say \"stop\" twice", "say \" stop \" twice");
        check("6\" pipe", "6 pipe");
    }

    #[test]
    fn numbers_stay_numbers() {
        check("1,000.50 at 4:30 x3 ۱۲", "1 000 50 at 4 30 x3 12");
        check("stop1 4pm b2b", "stop 1 4pm b2b");
    }

    #[test]
    fn scripts_without_spaces_get_none() {
        check("문자 보내지 마세요", "문자보내지마세요");
        check("sms を 停止", "sms を停止");
    }

    #[test]
    fn a_long_text_keeps_its_ends() {
        let text = format!("{}{}{}", "a".repeat(CHARACTERS_MAX), "b".repeat(CHARACTERS_MAX), "c ".repeat(CHARACTERS_MAX));
        let normal = normalize(&text).text;
        assert!(!normal.contains('b') && normal.starts_with('a') && normal.ends_with('c'), "{normal}");
    }

    proptest! {
        #[test]
        fn what_is_normalized_stays_as_it_is(text in any::<String>()) {
            let once = normalize(&text).text;
            prop_assert_eq!(&normalize(&once).text, &once);
        }

        #[test]
        fn what_is_normalized_stays_as_it_is_among_letters_and_marks(text in "[a-cSTOP05$@ .,?!'\"|\n;·ßİéãčøæд̈ıﬁ가ㅏか゛ก็่กिাো-]{0,24}") {
            let once = normalize(&text).text;
            prop_assert_eq!(&normalize(&once).text, &once);
        }

        #[test]
        fn no_more_is_read_than_was_promised(text in ".{1000,1400}") {
            prop_assert!(bounded(&text).map(|part| part.chars().count()).sum::<usize>() <= CHARACTERS_MAX);
        }
    }
}
