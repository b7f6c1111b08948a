//! Scan: where the words of the lexicon stand in a text.
//!
//! One pass from left to right. From each place the text is hashed byte by byte, as far as the word reaches, and on while what was
//! read may begin a phrase; each hash is looked up once. So the steps are bounded by the length of the text times that of the longest
//! entry, whatever the text is.

use alloc::vec::Vec;

use super::language::Language;
use super::letters::is_unspaced;
use super::lexicon::{look_up, may_go_on};
use super::roles::Roles;
use super::table::{Entry, Hash};

/// The most words of a phrase, and the most characters of an entry in a script without spaces.
const PHRASE_WORDS_MAX: usize = 6;
const UNSPACED_CHARACTERS_MAX: usize = 14;

/// How long a text may be that is searched for a keyword; a word counts for three.
const KEYWORD_LENGTH_MAX: usize = 36;

/// The smallest part of a text: a word, a character of a script without spaces, or a mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: AtomKind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AtomKind {
    Character,
    Mark(u8),
    Word,
}

/// An entry of the lexicon found in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// The first atom.
    pub(super) atom: usize,
    /// How many atoms.
    pub(super) length: usize,
    pub(super) language: Language,
    pub(super) roles: Roles,
}

/// A text cut into atoms, with what was found, in the order of the text.
pub(super) struct Scan<'a> {
    pub(super) text: &'a str,
    pub(super) atoms: Vec<Atom>,
    pub(super) hits: Vec<Hit>,
}

impl<'a> Scan<'a> {
    /// Of a normalized text.
    pub(super) fn of(text: &'a str) -> Self {
        let mut scan = Self { text, atoms: atoms(text), hits: Vec::with_capacity(2 * text.len()) };
        for atom in 0..scan.atoms.len() {
            scan.find_from(atom);
        }
        scan
    }

    /// Whether the text, or its first paragraph, can be a keyword with some courtesy.
    pub(super) fn is_short(&self) -> bool {
        let is_paragraph = |atom: &&Atom| atom.kind != AtomKind::Mark(b'|');
        let length: usize = self.atoms.iter().take_while(is_paragraph).map(|atom| if atom.kind == AtomKind::Word { 3 } else { 1 }).sum();
        length <= KEYWORD_LENGTH_MAX
    }

    /// The languages in which something was found that can be this.
    pub(super) fn languages_of(&self, roles: Roles) -> impl Iterator<Item = Language> {
        let found = self.hits.iter().filter(|hit| hit.roles.has(roles)).fold(0_u64, |languages, hit| languages | bit(hit.language));
        let everywhere = found & bit(Language::Multiple) != 0;
        let spoken = if everywhere { self.hits.iter().fold(found, |languages, hit| languages | bit(hit.language)) } else { found };
        Language::ALL.iter().copied().filter(move |language| spoken & bit(*language) != 0)
    }

    /// For each language in which something is asked, how many words it does not know. Two characters count for a word.
    pub(super) fn unknown_by_language(&self) -> Vec<(Language, usize)> {
        let mut known = alloc::vec![0_u64; self.atoms.len()];
        for hit in self.hits.iter().filter(|hit| hit.roles.is_known()) {
            let atoms = known.get_mut(hit.atom..hit.atom + hit.length).unwrap_or_default();
            atoms.iter_mut().for_each(|languages| *languages |= bit(hit.language));
        }
        let mut halves = [0_usize; u64::BITS as usize];
        let mut all = 0;
        for (atom, languages) in self.atoms.iter().zip(known) {
            let weight = match atom.kind {
                AtomKind::Character => 1,
                AtomKind::Mark(_) => continue,
                AtomKind::Word => 2,
            };
            if languages & bit(Language::Multiple) == 0 {
                all += weight;
                for_each_bit(languages, |language| halves.get_mut(language).into_iter().for_each(|halves| *halves += weight));
            }
        }
        let unknown = |language: Language| all - halves.get(language as usize).copied().unwrap_or_default();
        self.languages_of(Roles::ASKING).map(|language| (language, unknown(language).div_ceil(2))).collect()
    }

    pub(super) fn word(&self, atom: Atom) -> &'a str {
        self.text.get(atom.start..atom.end).unwrap_or_default()
    }

    pub(super) fn is_number(&self, atom: Atom) -> bool {
        atom.kind == AtomKind::Word && self.bytes(atom.start, atom.end).iter().all(u8::is_ascii_digit)
    }

    fn find_from(&mut self, first: usize) {
        let Some(&atom) = self.atoms.get(first) else { return };
        match atom.kind {
            AtomKind::Mark(_) => {}
            AtomKind::Character => self.find_run(first, atom),
            AtomKind::Word => {
                let found = self.hits.len();
                self.find_word(first, atom, atom.start);
                if self.hits.get(found..).is_none_or(|hits| hits.iter().all(|hit| hit.roles.is_keyword_only())) {
                    self.find_behind_proclitics(first, atom);
                }
            }
        }
    }

    /// Entries in a script without spaces, from one character on.
    fn find_run(&mut self, first: usize, atom: Atom) {
        let (mut hash, mut from) = (Hash::EMPTY, atom.start);
        for length in 1..=UNSPACED_CHARACTERS_MAX {
            let Some(last) = self.atoms.get(first + length - 1).filter(|last| last.kind == AtomKind::Character) else { return };
            let last = *last;
            hash = self.bytes(from, last.end).iter().fold(hash, |hash, byte| hash.then(*byte));
            from = last.end;
            if !may_go_on(hash) {
                return;
            }
            self.add(first, length, atom.start, last.end, hash, |_| true);
        }
    }

    /// Entries that begin with this word: stems, the word itself, phrases.
    fn find_word(&mut self, first: usize, atom: Atom, start: usize) {
        let mut hash = Hash::EMPTY;
        for (number, byte) in (start..atom.end).zip(self.bytes(start, atom.end)) {
            hash = hash.then(*byte);
            let end = number + 1;
            if end < atom.end && may_go_on(hash) && self.text.is_char_boundary(end) {
                self.add(first, 1, start, end, hash, |entry| entry.is_stem);
            }
        }
        self.add(first, 1, start, atom.end, hash, |_| true);
        for length in 2..=PHRASE_WORDS_MAX {
            let next = self.atoms.get(first + length - 1).filter(|next| next.kind == AtomKind::Word);
            let Some(&next) = next.filter(|_| may_go_on(hash)) else { return };
            hash = hash.then(b' ');
            for (number, byte) in (next.start..next.end).zip(self.bytes(next.start, next.end)) {
                hash = hash.then(*byte);
                let end = number + 1;
                if end < next.end && may_go_on(hash) && self.text.is_char_boundary(end) {
                    self.add(first, length, start, end, hash, |entry| entry.is_stem);
                }
            }
            self.add(first, length, start, next.end, hash, |_| true);
        }
    }

    /// In Arabic and Hebrew, "and", "the", "to" and the like are written into the word that follows.
    fn find_behind_proclitics(&mut self, first: usize, atom: Atom) {
        let word = self.word(atom);
        let proclitics = match word.chars().next() {
            Some('\u{600}'..='\u{6FF}') => ARABIC_PROCLITICS,
            Some('\u{5D0}'..='\u{5EA}') => HEBREW_PROCLITICS,
            _ => return,
        };
        for proclitic in proclitics.iter().filter(|proclitic| word.starts_with(**proclitic) && word.len() >= proclitic.len() + 4) {
            let found = self.hits.len();
            self.find_word(first, atom, atom.start + proclitic.len());
            if self.hits.len() > found {
                return;
            }
        }
    }

    fn bytes(&self, start: usize, end: usize) -> &'a [u8] {
        self.text.as_bytes().get(start..end).unwrap_or_default()
    }

    fn add(&mut self, atom: usize, length: usize, start: usize, end: usize, hash: Hash, fits: impl Fn(&Entry) -> bool) {
        let text = self.bytes(start, end);
        let found = look_up(text, hash).filter(|entry| fits(entry));
        self.hits.extend(found.map(|entry| Hit { atom, length, language: entry.language, roles: entry.roles }));
    }
}

fn for_each_bit(mut bits: u64, mut act: impl FnMut(usize)) {
    while bits != 0 {
        act(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

const fn bit(language: Language) -> u64 {
    1 << language as u8
}

/// Longest first, so that an article is taken off with what stands before it.
const ARABIC_PROCLITICS: &[&str] = &["وال", "بال", "فال", "لل", "ال", "و", "ب", "ف", "ل"];
const HEBREW_PROCLITICS: &[&str] = &["מה", "שה", "וה", "כש", "ה", "ו", "ב", "ל", "מ", "ש", "כ"];

fn atoms(text: &str) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::with_capacity(text.len() / 4 + 4);
    let mut in_word = false;
    for (start, character) in text.char_indices() {
        if character.is_ascii_alphanumeric() && in_word {
            atoms.last_mut().into_iter().for_each(|word| word.end = start + 1);
            continue;
        }
        let end = start + character.len_utf8();
        let kind = match character {
            ' ' => {
                in_word = false;
                continue;
            }
            '.' | '?' | ',' | '|' | '"' => AtomKind::Mark(character as u8),
            _ if is_unspaced(character) => AtomKind::Character,
            _ => AtomKind::Word,
        };
        match atoms.last_mut().filter(|_| in_word && kind == AtomKind::Word) {
            Some(word) => word.end = end,
            None => atoms.push(Atom { start, end, kind }),
        }
        in_word = kind == AtomKind::Word;
    }
    atoms
}
