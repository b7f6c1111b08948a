//! Folding: a text in one spelling, with a map back to where each part of it stood.
//!
//! Words in small letters without accents, parted by single spaces, with one space before the first and behind the last: so that a phrase
//! with its spaces is found by the bytes alone, and only where words begin and end. Punctuation goes, but for `%`, and the ends of sentences
//! are kept beside the text. What writers do to slip past a reader, and what undoes it:
//!
//! | in the text | becomes |
//! | --- | --- |
//! | full width, circled, mathematical letters | the plain letters |
//! | zero-width characters inside a word, the stretching of Arabic | nothing |
//! | Cyrillic or Greek letters among Latin ones | the Latin letters that they look like |
//! | digits and signs among letters: `fr3e`, `c@sh` | the letters that they stand for |
//! | letters one by one: `f r e e`, `F.R.E.E` | the word |

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::spelling::alphabet::glyph;
use crate::spelling::glyph::Glyph;
use crate::spelling::letters::{self, is_of_look_alike_script, latin_look_alike, letter_of_sign};

/// A text in one spelling.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Words, each between spaces.
    pub(crate) text: String,
    /// By byte of `text`, at which byte of the original its character begins.
    origins: Vec<u32>,
    /// Where in `text` sentences end.
    sentence_ends: Vec<u32>,
    /// How many words of one letter stand at the end.
    single_letters: usize,
    /// Whether there is a word to be joined.
    is_spelled: bool,
    /// Up to where all are.
    joined: usize,
    /// What was undone.
    pub(crate) disguises: Disguises,
}

/// What a writer did to slip past a reader, and where it was first seen, in bytes of the original.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Disguises {
    /// Characters that nobody sees, inside words of a script that has no use for them.
    pub(crate) invisible: Option<u32>,
    /// A word of letters that look like those of another script.
    pub(crate) mixed_script: Option<u32>,
    /// Letters of another font that are characters of their own.
    pub(crate) styled: Option<u32>,
    /// A word letter by letter.
    pub(crate) spelled: Option<u32>,
    /// Digits and signs that stand for letters.
    pub(crate) signs: Option<u32>,
    /// A character that turns the direction of reading around.
    pub(crate) turned: Option<u32>,
}

impl Folded {
    /// Begins with the space before the first word.
    pub(crate) fn new() -> Self {
        let mut folded = Self::default();
        folded.push(' ', 0);
        folded
    }

    /// Of one text that begins at byte 0.
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        let mut folded = Self::new();
        folded.read(text, 0);
        folded
    }

    /// Folds one more text, whose first byte is the `start`-th of all. It begins a new sentence.
    pub(crate) fn read(&mut self, text: &str, start: usize) {
        self.end_sentence();
        self.text.reserve(text.len() + 2);
        self.origins.reserve(text.len() + 2);
        let mut word = Word::default();
        let mut at = 0;
        while let Some(rest) = text.get(at..) {
            if word.letters.is_empty()
                && let Some(length) = plain_word(rest.as_bytes())
            {
                self.push_plain(rest.get(..length).unwrap_or_default(), as_offset(start + at));
                at += length;
                continue;
            }
            let mut characters = rest.chars();
            let Some(character) = characters.next() else { break };
            self.take(character, as_offset(start + at), characters.next().unwrap_or(' '), &mut word);
            at += character.len_utf8();
        }
        self.finish(&mut word);
        self.join_spelled();
        self.end_sentence();
    }

    fn take(&mut self, character: char, at: u32, next: char, word: &mut Word) {
        let known = glyph(character);
        if known.has(Glyph::INVISIBLE) {
            self.note_invisible(character, at, next, word);
        } else if known.has(Glyph::OF_WORD) {
            note(&mut self.disguises.styled, at, is_styled(character));
            match known.letter(character) {
                Some(letter) => word.push(letter, at, known),
                None => letters::fold(letters::plain_form(character), &mut |letter| word.push(letter, at, known)),
            }
        } else if known.has(Glyph::ACCENT) {
        } else if is_sign_in_word(character, next, word) {
            word.push(letter_of_sign(character), at, Glyph::default());
            word.has_sign = true;
        } else if is_apostrophe(character) && !word.letters.is_empty() {
            // `don't` is one word, `l'offre` and `I'm` are two.
            if word.letters.len() <= 2 {
                self.finish(word);
            }
        } else {
            self.finish(word);
            match character {
                '%' | '٪' | '％' => self.push_word("%", at),
                '.' | '!' | '?' | '\n' | '؟' | '。' | '।' | '…' | ';' if !next.is_alphanumeric() => self.end_sentence(),
                _ => {}
            }
        }
    }

    /// Zero-width joiners belong to Arabic, Persian, the scripts of India, and emojis.
    fn note_invisible(&mut self, character: char, at: u32, next: char, word: &Word) {
        note(&mut self.disguises.turned, at, matches!(character, '\u{202D}' | '\u{202E}'));
        let inside_latin = word.seen.has(Glyph::LATIN) && next.is_alphabetic() && glyph(next).has(Glyph::LATIN);
        note(&mut self.disguises.invisible, at, inside_latin && character != '\u{AD}' && character != '\u{B7}');
    }

    /// Writes the word that was read.
    fn finish(&mut self, word: &mut Word) {
        if word.letters.is_empty() {
            return;
        }
        let first = word.letters.first().map_or(0, |(_, at)| *at);
        note(&mut self.disguises.mixed_script, first, word.unmix());
        note(&mut self.disguises.signs, first, word.restore());
        self.count_single(&word.letters);
        for (letter, at) in word.letters.drain(..) {
            self.push(letter, at);
        }
        self.push(' ', first);
        *word = Word { letters: core::mem::take(&mut word.letters), ..Word::default() };
    }

    fn count_single(&mut self, letters: &[(char, u32)]) {
        let is_single = matches!(letters, [(letter, _)] if letter.is_alphabetic());
        self.single_letters = if is_single { self.single_letters + 1 } else { 0 };
        self.is_spelled |= self.single_letters >= SPELLED_MIN;
    }

    /// Writes a word in which nothing can be hidden.
    fn push_plain(&mut self, word: &str, at: u32) {
        self.single_letters = 0;
        let from = self.text.len();
        self.text.push_str(word);
        self.text.get_mut(from..).unwrap_or_default().make_ascii_lowercase();
        self.text.push(' ');
        self.origins.extend(at..at + as_offset(word.len()));
        self.origins.push(at);
    }

    fn push_word(&mut self, word: &str, at: u32) {
        self.single_letters = 0;
        word.chars().for_each(|character| self.push(character, at));
        self.push(' ', at);
    }

    fn push(&mut self, character: char, at: u32) {
        self.text.push(character);
        for _ in 0..character.len_utf8() {
            self.origins.push(at);
        }
    }

    fn end_sentence(&mut self) {
        let end = as_offset(self.text.len());
        if self.sentence_ends.last() != Some(&end) {
            self.sentence_ends.push(end);
        }
    }

    /// Joins words of one letter, four and more in a row, of what was not joined before.
    fn join_spelled(&mut self) {
        let tail = self.joined;
        // Those at the end that were too few may go on in the next text.
        let goes_on = (1..SPELLED_MIN).contains(&self.single_letters);
        if core::mem::take(&mut self.is_spelled) {
            let text = self.text.split_off(tail);
            let origins = self.origins.split_off(tail);
            let ends = self.sentence_ends.partition_point(|end| (*end as usize) < tail);
            let ends: Vec<usize> = self.sentence_ends.split_off(ends).into_iter().map(|end| end as usize - tail).collect();
            self.write_joined(&text, &origins, &ends);
        }
        let run: usize =
            if goes_on { self.text.rsplit(' ').skip(1).take(self.single_letters).map(|letter| letter.len() + 1).sum() } else { 0 };
        self.single_letters = if goes_on { self.single_letters } else { 0 };
        self.joined = self.text.len() - run;
    }

    /// Writes a text without the spaces inside words that are spelled.
    fn write_joined(&mut self, text: &str, origins: &[u32], sentence_ends: &[usize]) {
        let origin = |at: usize| origins.get(at).copied().unwrap_or(0);
        let mut ends = sentence_ends.iter().peekable();
        let mut run = spelled_run(text);
        if let Some(run) = &run {
            note(&mut self.disguises.spelled, origin(run.start), true);
        }
        for (at, character) in text.char_indices() {
            while ends.next_if(|end| **end <= at).is_some() {
                self.end_sentence();
            }
            let is_inside = run.as_ref().is_some_and(|run| run.contains(&at));
            if !(is_inside && character == ' ') {
                self.push(character, origin(at));
            }
            let next = at + character.len_utf8();
            if run.as_ref().is_some_and(|run| run.end <= next) {
                run = text.get(next..).and_then(spelled_run).map(|run| run.start + next..run.end + next);
            }
        }
        if ends.next().is_some() {
            self.end_sentence();
        }
    }

    /// The part of the original from which this part of the text was made, in bytes.
    pub(crate) fn origin(&self, part: Range<usize>) -> Range<u32> {
        let at = |byte: usize| self.origins.get(byte).copied().unwrap_or(0);
        let last = part.end.saturating_sub(1).max(part.start);
        at(part.start)..at(last).max(at(part.start)) + 1
    }

    /// The part of the original from which these words were made, by number.
    pub(crate) fn origin_of_words(&self, words: Range<usize>) -> Range<u32> {
        let mut start = 1;
        let mut part = 0..0;
        for (number, word) in self.words().enumerate() {
            if number == words.start {
                part.start = start;
            }
            if number < words.end {
                part.end = start + word.len();
            }
            start += word.len() + 1;
        }
        self.origin(part)
    }

    /// The number of the sentence in which a byte of the text stands.
    pub(crate) fn sentence(&self, byte: usize) -> usize {
        self.sentence_ends.partition_point(|end| *end as usize <= byte)
    }

    /// The words, without the spaces around them.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> + Clone {
        self.text.split(' ').filter(|word| !word.is_empty())
    }

    /// The words, each with the byte of the original at which it begins.
    pub(crate) fn placed_words(&self) -> impl Iterator<Item = (u32, &str)> {
        let mut end = 0;
        self.text.split(' ').filter_map(move |word| {
            let start = end;
            end += word.len() + 1;
            (!word.is_empty()).then(|| (self.origins.get(start).copied().unwrap_or(0), word))
        })
    }
}

/// How many letters the text begins with, where they are a word of English letters alone, as most words are: two and more, up to a space or a
/// mark that belongs to no word.
fn plain_word(text: &[u8]) -> Option<usize> {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let ends =
        text.get(length).is_none_or(|next| matches!(next, b' ' | b',' | b'.' | b'!' | b'?' | b':' | b';' | b')' | b'\n' | b'-' | b'/'));
    (length >= 2 && ends).then_some(length)
}

/// How many letters one by one make a word that is spelled.
const SPELLED_MIN: usize = 4;

/// The spaces between the letters of the first word that is spelled, from its first letter to its last.
fn spelled_run(text: &str) -> Option<Range<usize>> {
    let (mut start, mut count, mut at) = (0, 0, 0);
    for word in text.split(' ') {
        let mut letters = word.chars();
        let is_letter = matches!((letters.next(), letters.next()), (Some(letter), None) if letter.is_alphabetic());
        if is_letter {
            start = if count == 0 { at } else { start };
            count += 1;
        } else {
            if count >= SPELLED_MIN {
                return Some(start..at - 1);
            }
            count = 0;
        }
        at += word.len() + 1;
    }
    None
}

/// The word that is being read.
#[derive(Default)]
struct Word {
    letters: Vec<(char, u32)>,
    seen: Glyph,
    has_sign: bool,
    has_digit: bool,
}

impl Word {
    fn push(&mut self, letter: char, at: u32, known: Glyph) {
        self.has_digit |= letter.is_ascii_digit();
        self.seen = self.seen.or(if letter.is_ascii_digit() { Glyph::default() } else { known });
        self.letters.push((letter, at));
    }

    /// Puts Latin letters for those that only look so, where some of the word is Latin; says whether there was anything of another script
    /// that looks like it. A word that only has a few rare letters of Cyrillic is Latin as a whole or not at all.
    fn unmix(&mut self) -> bool {
        // `µg` is a unit.
        let is_long = || self.letters.iter().filter(|(letter, _)| letter.is_alphabetic()).count() > 2;
        let is_mixed = self.seen.has(Glyph::LATIN) && self.seen.has(Glyph::OTHER) && is_long();
        let is_all_latin = || self.letters.iter().all(|(letter, _)| letter.is_ascii() || latin_look_alike(*letter).is_some());
        if !(is_mixed || self.seen.has(Glyph::DISGUISE) && is_all_latin()) {
            return false;
        }
        let mut is_disguised = false;
        for (letter, _) in &mut self.letters {
            let latin = latin_look_alike(*letter);
            is_disguised |= latin.is_some() || is_of_look_alike_script(*letter);
            *letter = latin.unwrap_or(*letter);
        }
        is_disguised
    }

    /// Puts letters for the digits and signs inside a word; says whether it did.
    fn restore(&mut self) -> bool {
        if !self.has_sign && !self.has_digit {
            return false;
        }
        let letters = self.letters.iter().filter(|(letter, _)| letter.is_alphabetic()).count();
        let is_latin = self.letters.iter().all(|(letter, _)| letter.is_ascii());
        let others = self.letters.len() - letters;
        let begins_and_ends = [self.letters.first(), self.letters.last()].iter().flatten().all(|(letter, _)| letter.is_ascii_alphabetic());
        let hides = is_latin && letters >= 2 && others <= letters && self.letters.len() >= 4 && (self.has_sign || begins_and_ends);
        // A code of letters and digits is no word: its digits stand together.
        let is_code = !self.has_sign && self.letters.windows(3).any(|three| three.iter().all(|(letter, _)| letter.is_ascii_digit()));
        if !hides || is_code {
            return false;
        }
        for (letter, _) in &mut self.letters {
            *letter = letter_of_sign(*letter);
        }
        true
    }
}

/// `c@sh`, `$ale`: a sign that a letter stands behind.
fn is_sign_in_word(character: char, next: char, word: &Word) -> bool {
    match character {
        '@' => word.seen.has(Glyph::LATIN) && word.letters.len() <= 3 && next.is_ascii_alphabetic(),
        '$' => next.is_ascii_alphabetic() && word.letters.last().is_none_or(|(letter, _)| letter.is_ascii_alphabetic()),
        _ => false,
    }
}

const fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '’' | '‘' | '`' | '´' | 'ʼ')
}

/// Letters of mathematics, raised ones, and those in circles, boxes and brackets, which no keyboard has.
const fn is_styled(character: char) -> bool {
    matches!(character, '\u{2B0}'..='\u{2B8}' | '\u{2E1}'..='\u{2E3}' | '\u{1D2C}'..='\u{1D6A}' | '\u{1D9B}'..='\u{1DBF}' | '\u{2071}' | '\u{207F}'
        | '\u{2090}'..='\u{209C}' | '\u{2102}' | '\u{210A}'..='\u{2115}' | '\u{2119}'..='\u{211D}' | '\u{2124}' | '\u{2128}' | '\u{212C}'
        | '\u{212D}' | '\u{212F}'..='\u{2134}' | '\u{249C}'..='\u{24E9}' | '\u{FF21}'..='\u{FF5A}' | '\u{1D400}'..='\u{1D6A3}' | '\u{1F130}'..='\u{1F189}')
}

fn note(place: &mut Option<u32>, at: u32, is_so: bool) {
    if is_so {
        place.get_or_insert(at);
    }
}

fn as_offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Folded::of(text).text, expected, "{text:?}");
    }

    #[test]
    fn words_are_small_plain_and_between_spaces() {
        check("", " ");
        check("Your Café-Order: 20% off!", " your cafe order 20 % off ");
        check("don't miss l'offre, I'm here", " dont miss l offre i m here ");
        check("إلغاءُ الطلب", " الغاء الطلب ");
    }

    #[test]
    fn what_hides_a_word_is_undone() {
        check("fr3e c@sh $ale", " free cash sale ");
        check("F R E E gift, f.r.e.e", " free gift free ");
        check("pa\u{200B}ypаl", " paypal ");
        check("𝐖𝐢𝐧 ｎｏｗ", " win now ");
        check("ᶠʳᵉᵉ ⒡⒭⒠⒠ ℱ𝓇ℯℯ cɑsh frɛɛ", " free free free cash free ");
        check("cl\u{7f}aim your pr\u{1}ize", " claim your prize ");
        check("раyраӏ wiոոer", " paypal winner ");
    }

    #[test]
    fn what_hides_nothing_stays() {
        check("code 4b7x91 at 4pm, b2b, a4, INV-2093", " code 4b7x91 at 4pm b2b a4 inv 2093 ");
        check("a b c", " a b c ");
        check("take 50µg, 2μl", " take 50µg 2μl ");
    }

    #[test]
    fn disguises_are_named() {
        let seen = |text| Folded::of(text).disguises;
        assert_eq!(seen("A plain text, 4pm."), Disguises::default());
        assert_eq!(seen("Hi pa\u{200B}ypal").invisible, Some(5));
        assert_eq!(seen("Hi pаypal").mixed_script, Some(3));
        assert_eq!(seen("Hi pay\u{13a0}al").mixed_script, Some(3));
        assert_eq!(seen("Hi 𝐰in").styled, Some(3));
        assert_eq!(seen("Hi ᶠʳᵉᵉ").styled, Some(3));
        assert_eq!(seen("Nº 5, 20 m², a™").styled, None);
        assert_eq!(seen("Hi F R E E").spelled, Some(3));
        assert_eq!(seen("Hi fr3ely").signs, Some(3));
        assert_eq!(seen("Hi \u{202E}exe").turned, Some(3));
    }

    #[test]
    fn a_word_is_spelled_over_several_texts() {
        let mut folded = Folded::new();
        for (nth, text) in ["Win f", "r e e", "g i f t", "of", "a b"].into_iter().enumerate() {
            folded.read(text, nth * 10);
        }
        assert_eq!(folded.text, " win free gift of a b ");
        assert_eq!(folded.text.len(), folded.origins.len());
    }

    #[test]
    fn a_joiner_where_a_script_needs_it_hides_nothing() {
        assert_eq!(Folded::of("می\u{200C}خواهم 👩\u{200D}🔧").disguises, Disguises::default());
    }

    #[test]
    fn every_part_leads_back_to_the_original() {
        let text = "Hi, Café 20% ＯＦＦ";
        let folded = Folded::of(text);
        let start = folded.text.find("cafe").expect("it was written");
        let origin = folded.origin(start..start + 4);
        assert_eq!(text.get(origin.start as usize..).map(|rest| rest.starts_with("Café")), Some(true));
    }

    #[test]
    fn sentences_are_told_apart() {
        let folded = Folded::of("Your code is 1.50. Never share it");
        let (code, never) = (folded.text.find("code").expect("there"), folded.text.find("never").expect("there"));
        assert!(folded.sentence(code) < folded.sentence(never));
        assert_eq!(folded.sentence(code), folded.sentence(folded.text.find("50").expect("there")));
    }

    proptest! {
        #[test]
        fn each_byte_has_an_origin_inside_the_text(text in any::<String>()) {
            let folded = Folded::of(&text);
            prop_assert_eq!(folded.text.len(), folded.origins.len());
            prop_assert!(folded.origins.iter().all(|at| *at == 0 || (*at as usize) < text.len()));
        }

        #[test]
        fn a_plain_word_is_folded_as_any_other(text in "([a-zA-Z]{1,4}[ ,.!?:;)\n'@$/3é-]){1,8}") {
            // A character that nobody sees, between two letters, makes no word plain, and is dropped.
            let nexts = text.chars().skip(1).chain([' ']);
            let is_inside = |letter: char, next: char| letter.is_ascii_alphabetic() && next.is_ascii_alphabetic();
            let hide = |(letter, next)| [Some(letter), is_inside(letter, next).then_some('\u{AD}')].into_iter().flatten();
            let hidden: String = text.chars().zip(nexts).flat_map(hide).collect();
            prop_assert_eq!(Folded::of(&text).text, Folded::of(&hidden).text);
        }

        #[test]
        fn hostile_letters_never_break_it(text in "[a-cFR3$@ .,'\u{200B}\u{202E}а𝐖é%\n]{0,64}") {
            let folded = Folded::of(&text);
            prop_assert!(folded.text.starts_with(' ') && folded.text.ends_with(' '));
            prop_assert!(!folded.text.contains("  "));
        }
    }
}
