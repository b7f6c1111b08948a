//! Scan: where the words of the lexicon stand in a text.
//!
//! One pass from left to right. From each place the text is followed letter by letter into the tree of all entries, as far as some entry
//! goes. So the steps are bounded by the length of the text times that of the longest entry, whatever the text is.

use alloc::vec::Vec;
use core::ops::Range;

use super::language::Language;
use super::roles::Roles;
use super::table::{Entry, Node};
use crate::spelling::letters::is_unspaced;

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
    Character(char),
    Mark(u8),
    Word,
}

impl AtomKind {
    /// How much it weighs among what is not known, in halves of a word.
    const fn halves(self) -> usize {
        match self {
            Self::Character(_) => 1,
            Self::Mark(_) => 0,
            Self::Word => 2,
        }
    }
}

/// An entry of the lexicon found in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    atom: u32,
    length: u8,
    pub(super) language: Language,
    pub(super) roles: Roles,
}

impl Hit {
    /// In so many atoms from one on.
    pub(super) fn new(first: usize, length: usize, language: Language, roles: Roles) -> Self {
        let atom = u32::try_from(first).unwrap_or(u32::MAX);
        Self { atom, length: u8::try_from(length).unwrap_or(u8::MAX), language, roles }
    }

    pub(super) fn of(entry: &Entry, first: usize, length: usize) -> Self {
        Self::new(first, length, entry.language, entry.roles)
    }

    /// The first atom.
    pub(super) const fn atom(&self) -> usize {
        self.atom as usize
    }

    /// How many atoms.
    pub(super) const fn length(&self) -> usize {
        self.length as usize
    }

    pub(super) const fn atoms(&self) -> Range<usize> {
        self.atom()..self.atom() + self.length()
    }
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
        let atoms = atoms(text);
        let mut finder = Finder { text, atoms: &atoms, hits: Vec::with_capacity(4 * atoms.len()) };
        for (number, atom) in atoms.iter().enumerate() {
            finder.find_from(number, *atom);
        }
        Self { text, hits: finder.hits, atoms }
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

    /// For each language in which something is asked, how many words it does not know. Two characters count for a word, and what is
    /// used in every language for none.
    pub(super) fn unknown_by_language(&self) -> Vec<(Language, usize)> {
        let mut known = alloc::vec![0_u64; self.atoms.len()];
        let mut all: usize = self.atoms.iter().map(|atom| atom.kind.halves()).sum();
        for hit in self.known_hits().filter(|hit| hit.language == Language::Multiple) {
            let atoms = known.get_mut(hit.atoms()).unwrap_or_default().iter_mut();
            all -= atoms.map(|languages| core::mem::replace(languages, u64::MAX)).filter(|before| *before == 0).count() * self.halves(hit);
        }
        let mut halves = [0_usize; u64::BITS as usize];
        for hit in self.known_hits() {
            let bit = bit(hit.language);
            let weight = self.halves(hit);
            for languages in known.get_mut(hit.atoms()).unwrap_or_default().iter_mut().filter(|languages| **languages & bit == 0) {
                *languages |= bit;
                halves.get_mut(hit.language as usize).into_iter().for_each(|halves| *halves += weight);
            }
        }
        let unknown = |language: Language| all - halves.get(language as usize).copied().unwrap_or_default();
        self.languages_of(Roles::ASKING).map(|language| (language, unknown(language).div_ceil(2))).collect()
    }

    /// How much each atom of a hit weighs; they are all of one kind.
    fn halves(&self, hit: &Hit) -> usize {
        self.atoms.get(hit.atom()).map_or(0, |atom| atom.kind.halves())
    }

    fn known_hits(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(|hit| hit.roles.is_known())
    }

    pub(super) fn word(&self, atom: Atom) -> &'a str {
        self.text.get(atom.start..atom.end).unwrap_or_default()
    }

    pub(super) fn is_number(&self, atom: Atom) -> bool {
        atom.kind == AtomKind::Word && self.word(atom).bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Looks for entries from each atom on.
struct Finder<'a> {
    text: &'a str,
    atoms: &'a [Atom],
    hits: Vec<Hit>,
}

impl Finder<'_> {
    fn find_from(&mut self, first: usize, atom: Atom) {
        match atom.kind {
            AtomKind::Mark(_) => {}
            AtomKind::Character(_) => self.find_run(first),
            AtomKind::Word => {
                let found = self.hits.len();
                self.find_word(first, atom.start);
                if self.hits.get(found..).is_none_or(|hits| hits.iter().all(|hit| hit.roles.is_keyword_only())) {
                    self.find_behind_proclitics(first, atom);
                }
            }
        }
    }

    /// Entries in a script without spaces, from one character on.
    fn find_run(&mut self, first: usize) {
        let mut node = Node::root();
        for (length, atom) in (1..).zip(self.atoms.get(first..).unwrap_or_default()) {
            let AtomKind::Character(letter) = atom.kind else { return };
            let Some(next) = node.next(letter) else { return };
            node = next;
            self.hits.extend(node.entries().map(|entry| Hit::of(&entry, first, length)));
        }
    }

    /// Entries that begin with this word, at `start`: stems, the word itself, phrases.
    fn find_word(&mut self, first: usize, start: usize) {
        let (mut node, mut start) = (Node::root(), start);
        for (length, word) in (1..).zip(self.atoms.get(first..).unwrap_or_default()).take_while(|(_, word)| word.kind == AtomKind::Word) {
            let Some(last) = self.find_stems(first, length, node, start..word.end) else { return };
            self.hits.extend(last.entries().map(|entry| Hit::of(&entry, first, length)));
            let Some(next) = last.next(' ') else { return };
            (node, start) = (next, word.end + 1);
        }
    }

    /// Stems that end within a word. Answers where the whole word leads.
    fn find_stems(&mut self, first: usize, length: usize, from: Node, word: Range<usize>) -> Option<Node> {
        let mut node = from;
        for letter in self.text.get(word).unwrap_or_default().chars() {
            let stems = node.entries().filter(|entry| entry.is_stem);
            self.hits.extend(stems.map(|entry| Hit::of(&entry, first, length)));
            node = node.next(letter)?;
        }
        Some(node)
    }

    /// In Arabic and Hebrew, "and", "the", "to" and the like are written into the word that follows.
    fn find_behind_proclitics(&mut self, first: usize, atom: Atom) {
        let word = self.text.get(atom.start..atom.end).unwrap_or_default();
        let proclitics = match word.chars().next() {
            Some('\u{600}'..='\u{6FF}') => ARABIC_PROCLITICS,
            Some('\u{5D0}'..='\u{5EA}') => HEBREW_PROCLITICS,
            _ => return,
        };
        for proclitic in proclitics.iter().filter(|proclitic| word.starts_with(**proclitic) && word.len() >= proclitic.len() + 4) {
            let found = self.hits.len();
            self.find_word(first, atom.start + proclitic.len());
            if self.hits.len() > found {
                return;
            }
        }
    }
}

const fn bit(language: Language) -> u64 {
    1 << language as u8
}

/// Longest first, so that an article is taken off with what stands before it.
const ARABIC_PROCLITICS: &[&str] = &["وال", "بال", "فال", "لل", "ال", "و", "ب", "ف", "ل"];
const HEBREW_PROCLITICS: &[&str] = &["מה", "שה", "וה", "כש", "ה", "ו", "ב", "ל", "מ", "ש", "כ"];

fn atoms(text: &str) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::with_capacity(text.len() / 3 + 4);
    let mut in_word = false;
    for (start, character) in text.char_indices() {
        let end = start + character.len_utf8();
        let kind = match character {
            ' ' => {
                in_word = false;
                continue;
            }
            '.' | '?' | ',' | '|' | '"' => AtomKind::Mark(character as u8),
            _ if is_unspaced(character) => AtomKind::Character(character),
            _ => AtomKind::Word,
        };
        let was_in_word = in_word;
        in_word = kind == AtomKind::Word;
        if was_in_word && in_word {
            atoms.last_mut().into_iter().for_each(|word| word.end = end);
        } else {
            atoms.push(Atom { start, end, kind });
        }
    }
    atoms
}
