//! Typo: a word that is one slip of the finger away from a word that matters.
//!
//! Only short messages are searched, and only words that no language knows, so "shop" and "step" stay what they are.

use super::language::Language;
use super::lexicon::entries_starting_with;
use super::roles::Roles;
use super::scan::{Atom, AtomKind, Hit, Scan};

/// A message of more words is not searched.
const WORDS_MAX: usize = 8;
/// The most words that are searched.
const SEARCHES_MAX: usize = 2;
/// The fewest letters of a word whose slips can be told from other words.
const LETTERS_MIN: usize = 4;
/// The fewest letters where any slip counts, not only a swap, a doubled letter or a neighbor on the keyboard.
const LETTERS_FREE: usize = 5;
/// The fewest letters where the last may be missing or wrong. In a shorter word that is another form of it.
const LETTERS_OPEN: usize = 8;

/// Words that are looked for even where the first letter is wrong, if they are the whole message.
const FIRST_LETTER: [&str; 4] = ["optout", "stop", "stopall", "unsubscribe"];

/// Adds to a scan what its unknown words may have been meant to be. Says whether there was anything.
pub(super) fn correct(scan: &mut Scan<'_>) -> bool {
    let words = scan.atoms.iter().filter(|atom| !matches!(atom.kind, AtomKind::Mark(_))).count();
    if words > WORDS_MAX {
        return false;
    }
    let found = scan.hits.len();
    for (number, atom) in unknown_words(scan).into_iter().flatten() {
        let word = scan.word(atom);
        let meant = entries_starting_with(word).filter(|entry| is_slip(word, entry.text()));
        scan.hits.extend(meant.map(|entry| Hit::of(&entry, number, 1)));
        if words == 1 && FIRST_LETTER.iter().any(|meant| is_slip(word, meant)) {
            scan.hits.push(Hit::new(number, 1, Language::English, Roles::OUT));
        }
    }
    scan.hits.sort_by_key(Hit::atom);
    scan.hits.len() > found
}

/// The first words that are in no table, with the numbers of their atoms.
fn unknown_words(scan: &Scan<'_>) -> [Option<(usize, Atom)>; SEARCHES_MAX] {
    let is_unknown = |number: usize| scan.hits.iter().all(|hit| !hit.atoms().contains(&number));
    let words = scan.atoms.iter().copied().enumerate().filter(|(_, atom)| atom.kind == AtomKind::Word);
    let mut unknown = words.filter(|(number, atom)| is_unknown(*number) && atom.end - atom.start >= LETTERS_MIN);
    [unknown.next(), unknown.next()]
}

/// Whether a word is another with one letter changed, left out, doubled, added, or swapped with its neighbor.
fn is_slip(word: &str, meant: &str) -> bool {
    if word.len().abs_diff(meant.len()) > 4 {
        return false;
    }
    let (letters, typed_letters) = (meant.chars().count(), word.chars().count());
    if letters < LETTERS_MIN {
        return false;
    }
    let (word, meant, last) = without_common_ends(word, meant);
    let typed = (word.first(), word.second(), word.count);
    let right = (meant.first(), meant.second(), meant.count);
    let is_free = letters.min(typed_letters) >= LETTERS_FREE && (last.is_some() || letters >= LETTERS_OPEN);
    match (typed, right) {
        ((Some(one), Some(two), 2), (Some(three), Some(four), 2)) => one == four && two == three,
        ((Some(typed), _, 1), (Some(right), _, 1)) => is_free || are_neighbors(typed, right),
        ((Some(typed), _, 1), (None, _, 0)) => is_free || last == Some(typed) || word.before == Some(typed),
        ((None, _, 0), (Some(_), _, 1)) => is_free,
        _ => false,
    }
}

/// What is left of a word between the ends that it has in common with another.
struct Rest<'a> {
    text: &'a str,
    count: usize,
    before: Option<char>,
}

impl Rest<'_> {
    fn first(&self) -> Option<char> {
        self.text.chars().next()
    }

    fn second(&self) -> Option<char> {
        self.text.chars().nth(1)
    }
}

/// The middles of two words, and the letter that follows both.
fn without_common_ends<'a>(one: &'a str, other: &'a str) -> (Rest<'a>, Rest<'a>, Option<char>) {
    let same = |(one, other): &(char, char)| one == other;
    let start: usize = one.chars().zip(other.chars()).take_while(same).map(|(letter, _)| letter.len_utf8()).sum();
    let before = one.get(..start).and_then(|common| common.chars().next_back());
    let (one, other) = (one.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    let common = one.chars().rev().zip(other.chars().rev()).take_while(same).map(|(letter, _)| letter);
    let (end, last) = common.fold((0, None), |(end, _), letter| (end + letter.len_utf8(), Some(letter)));
    let rest = |text: &'a str| {
        let text = text.get(..text.len() - end).unwrap_or_default();
        Rest { text, count: text.chars().count(), before }
    };
    (rest(one), rest(other), last)
}

/// Whether two letters lie side by side on the keyboards of most Latin languages.
fn are_neighbors(one: char, other: char) -> bool {
    const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let place = |letter: char| ROWS.iter().zip(0_i32..).find_map(|(row, line)| Some((line, i32::try_from(row.find(letter)?).ok()?)));
    match (place(one), place(other)) {
        (Some((line, column)), Some((other_line, other_column))) => (line - other_line).abs() <= 1 && (column - other_column).abs() <= 1,
        _ => false,
    }
}
