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

use crate::spelling::alphabet::glyph;
use crate::spelling::glyph::Glyph;
use crate::spelling::letters::{
    cyrillic_look_alike, fold, is_disguise, is_greek, is_invisible, is_unspaced, latin_look_alike, letter_of_sign, plain_form,
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
    /// Whether some of it had to be unfolded, or still can be.
    was_dressed_up: bool,
}

/// One spelling for a text. What comes out stays as it is when it goes in again, unless the text was too long.
pub(super) fn normalize(text: &str) -> Normal {
    let first = normalize_once(text);
    // What is unfolded can meet what it combines with only when the marks between them are gone.
    if first.was_dressed_up && !first.text.is_ascii() {
        return Normal { is_shouted: first.is_shouted, ..normalize_once(&first.text) };
    }
    first
}

fn normalize_once(text: &str) -> Normal {
    let mut tokens = Tokens::of(bounded(text));
    let seen = tokens.seen;
    if seen.has(Glyph::FORM) {
        tokens = Tokens::of(bounded(text).map(unfold));
    }
    tokens.drop_idle_quotes();
    let was_spelled = tokens.join_spelled();
    let is_in_capitals = seen.has(Glyph::UPPER) && !seen.has(Glyph::LOWER);
    let was_dressed_up = seen.has(Glyph::FORM.or(Glyph::LEFT_FORM));
    Normal { text: tokens.render(), is_shouted: was_spelled || is_in_capitals, was_dressed_up }
}

/// The text with its forms of other characters unfolded.
fn unfold(text: &str) -> String {
    NFKC.normalize_iter(visible(text)).filter(|character| !is_invisible(*character)).collect()
}

/// What a reader sees.
fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !is_invisible(*character)).map(plain_form)
}

/// What a reader sees next.
fn next(after: &str) -> char {
    visible(after).next().unwrap_or(' ')
}

/// The text, or the head and the tail of a long one.
fn bounded(text: &str) -> impl Iterator<Item = &str> {
    let half = CHARACTERS_MAX / 2;
    let is_long = text.len() > CHARACTERS_MAX && text.chars().nth(CHARACTERS_MAX).is_some();
    let head = if is_long { text.char_indices().nth(half).map_or(text.len(), |(at, _)| at) } else { text.len() };
    let tail = if is_long { text.char_indices().nth_back(half - 1).map_or(text.len(), |(at, _)| at) } else { text.len() };
    [text.get(..head), text.get(tail..)].into_iter().flatten()
}

/// A word, by its place in the text, or a mark.
#[derive(Clone)]
enum Token {
    Word(Range<usize>),
    Mark(char),
}

/// Words and marks as they are read.
#[derive(Default)]
struct Tokens {
    letters: String,
    tokens: Vec<Token>,
    /// What is known of the characters that were read.
    seen: Glyph,
    word: Word,
}

/// The word that is being read.
#[derive(Default)]
struct Word {
    /// Where it began.
    start: usize,
    /// What is known of its characters.
    seen: Glyph,
    /// Its last letters.
    last: [char; 2],
    /// Whether one of them was held down.
    is_held: bool,
}

impl Word {
    /// Takes note of its next letter, and of what is known of the character that the letter stands for.
    fn see(&mut self, letter: char, glyph: Glyph) {
        self.seen = self.seen.or(glyph);
        self.is_held |= self.last == [letter; 2];
        self.last = [self.last[1], letter];
    }

    /// Whether nothing in it has to be put back: no letter is held down, all are of one script, and no sign stands for a letter.
    const fn is_settled(&self) -> bool {
        let is_mixed = self.seen.has(Glyph::LATIN) && self.seen.has(Glyph::OTHER);
        !is_mixed && !self.is_held && !self.seen.has(Glyph::DISGUISE)
    }
}

impl Tokens {
    /// Of a text in parts.
    fn of<Part: AsRef<str>>(parts: impl Iterator<Item = Part>) -> Self {
        let mut tokens = Self::default();
        for part in parts {
            tokens.letters.reserve(part.as_ref().len());
            tokens.tokens.reserve(part.as_ref().len() / 4 + 4);
            tokens.mark('.');
            tokens.read(part.as_ref());
        }
        tokens
    }

    fn read(&mut self, text: &str) {
        let mut before = ' ';
        let mut rest = text.chars();
        // Letters that stay as they are wait to be copied together.
        let mut waiting = text;
        while let Some(character) = rest.next() {
            let glyph = glyph(character);
            self.seen = self.seen.or(glyph);
            if glyph.stays() {
                self.word.see(character, glyph);
                before = character;
                continue;
            }
            let after = rest.as_str();
            self.copy(waiting, after.len() + character.len_utf8());
            waiting = after;
            if let Some(letter) = glyph.letter(character) {
                self.write(letter, glyph);
                before = character;
            } else if character == ' ' {
                self.end_word();
                before = ' ';
            } else if !glyph.has(Glyph::INVISIBLE) {
                let plain = plain_form(character);
                self.take(plain, before, after);
                before = plain;
            }
        }
        self.copy(waiting, 0);
        self.end_word();
    }

    /// Copies what waits, up to where so many bytes are left.
    fn copy(&mut self, waiting: &str, left: usize) {
        self.letters.push_str(waiting.get(..waiting.len() - left).unwrap_or_default());
    }

    /// Adds a letter to the word, and what is known of the character that it stands for.
    fn write(&mut self, letter: char, glyph: Glyph) {
        self.letters.push(letter);
        self.word.see(letter, glyph);
    }

    fn take(&mut self, character: char, before: char, after: &str) {
        if character == '1' && before == '!' && !next(after).is_alphanumeric() {
            // The shift key was let go too early: "stop!!1".
            return;
        }
        let glyph = glyph(character);
        if glyph.has(Glyph::OF_WORD) {
            fold(character, &mut |letter| self.write(letter, glyph));
        } else if is_sign_for_letter(character, before, after) {
            self.write(letter_of_sign(character), Glyph::LATIN);
        } else if !glyph.has(Glyph::ACCENT) {
            self.separate(character, before, after);
        }
    }

    fn separate(&mut self, character: char, before: char, after: &str) {
        if matches!(character, '\'' | '’' | '‘' | '`' | '´' | 'ʼ') && self.joins_apostrophe(after) {
            return;
        }
        self.end_word();
        match character {
            '.' | ',' | ':' if before.is_ascii_digit() && next(after).is_ascii_digit() => {}
            '\n' if before == '\n' || before == '|' => self.mark('|'),
            '-' | '–' | '—' | '−' if before.is_whitespace() || next(after).is_whitespace() => self.mark('.'),
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
    fn joins_apostrophe(&self, after: &str) -> bool {
        match self.letters.get(self.word.start..).and_then(|word| word.chars().next_back()) {
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
        let start = self.word.start;
        if start == self.letters.len() {
            return;
        }
        if self.word.is_settled() {
            self.tokens.push(Token::Word(start..self.letters.len()));
        } else {
            let text = self.letters.split_off(start);
            self.settle(&text);
        }
        self.word = Word { start: self.letters.len(), ..Word::default() };
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
fn is_sign_for_letter(character: char, before: char, after: &str) -> bool {
    match character {
        '$' => !before.is_ascii_alphanumeric() && matches!(next(after), 'a'..='z' | 'A'..='Z' | '.'),
        '@' => before.is_ascii_alphabetic() && next(after).is_ascii_alphabetic(),
        _ => false,
    }
}

/// Whether exactly this stands next, up to the end of the word.
fn is_next_word(after: &str, ending: &str) -> bool {
    let mut after = visible(after);
    let is_same = ending.chars().all(|letter| after.next().is_some_and(|other| other.eq_ignore_ascii_case(&letter)));
    is_same && !after.next().is_some_and(char::is_alphanumeric)
}

/// The character of a word that has only one and does not stand for a whole word by itself.
fn single(word: &str) -> Option<char> {
    let mut characters = word.chars();
    let first = characters.next().filter(|character| !is_unspaced(*character))?;
    characters.next().is_none().then_some(first)
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
