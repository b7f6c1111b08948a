//! Lexicon: the words of all languages, and what each can be in a reply.
//!
//! The words stand in `words/`, a file for each language, as people write them. The build script normalizes them as a reply is
//! normalized and makes one tree of all of them, so nothing is read, built or allocated for it when the program runs. What it
//! writes is read here by place: [`Entry`] says what each entry holds.

use super::table::{ENTRY_BYTES, Entry, INITIAL_COUNT, NODE_BYTES, Node, VACANT, initial};

/// The texts of all entries, one after the other.
const TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/opt_out.texts"));
/// The entries, by text: those of one text begin at the same place and stand side by side.
const ENTRIES: &[[u8; ENTRY_BYTES]] = include_bytes!(concat!(env!("OUT_DIR"), "/opt_out.entries")).as_chunks().0;
/// The tree of all texts.
const NODES: &[[u8; NODE_BYTES]] = include_bytes!(concat!(env!("OUT_DIR"), "/opt_out.nodes")).as_chunks().0;
/// The numbers of the words whose misspellings count, by their first letter.
const INITIALS: &[[u8; 2]] = include_bytes!(concat!(env!("OUT_DIR"), "/opt_out.initials")).as_chunks().0;

impl Entry {
    fn numbered(number: u16) -> Option<Self> {
        Self::from_bytes(*ENTRIES.get(usize::from(number))?)
    }

    /// Its text, as a normalized reply has it.
    pub(super) fn text(&self) -> &'static str {
        let start = self.start as usize;
        TEXTS.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}

impl Node {
    /// Before the first letter.
    pub(super) fn root() -> Self {
        NODES.first().copied().map_or(Self::LEAF, Self::from_bytes)
    }

    /// One letter further, if some text goes on with it.
    #[inline]
    pub(super) fn next(self, letter: char) -> Option<Self> {
        let letter = u16::try_from(u32::from(letter)).ok()?;
        let node = Self::from_bytes(*NODES.get(self.place_of(letter))?);
        (node.letter == letter).then_some(node)
    }

    /// All entries with exactly the text that leads here.
    #[inline]
    pub(super) fn entries(self) -> impl Iterator<Item = Entry> {
        let mut more = Some(self.first).filter(|first| *first != VACANT);
        core::iter::from_fn(move || {
            let number = more?;
            let entry = Entry::numbered(number)?;
            more = entry.has_follower.then_some(number + 1);
            Some(entry)
        })
    }
}

/// The single words that begin like this one and may be meant where it is misspelled.
pub(super) fn entries_starting_with(word: &str) -> impl Iterator<Item = Entry> {
    let list = initial(word);
    let bound = |list: usize| number_at(INITIALS, list).map_or(0, usize::from);
    (bound(list)..bound(list + 1)).filter_map(|place| Entry::numbered(number_at(INITIALS, INITIAL_COUNT + 1 + place)?))
}

fn number_at(table: &[[u8; 2]], place: usize) -> Option<u16> {
    table.get(place).copied().map(u16::from_le_bytes)
}
