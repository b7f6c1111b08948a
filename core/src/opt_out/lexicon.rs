//! Lexicon: the words of all languages, and what each can be in a reply.
//!
//! The words stand in `words/`, a file for each language, as people write them. The build script normalizes them as a reply is
//! normalized and makes one hash table of all of them, so nothing is read, built or allocated for it when the program runs. What it
//! writes is read here by place: [`Entry`] says what each entry holds.

use core::ops::Range;

use super::table::{ENTRY_BYTES, Entry, Hash, INITIAL_COUNT, SLOT_COUNT, VACANT, initial};

/// The texts of all entries, one after the other.
const TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/opt_out.texts"));
/// The entries, by text: those of one text begin at the same place and stand side by side.
const ENTRIES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/opt_out.entries"));
/// The numbers of the first entries of each text, by its hash, with linear probing; [`VACANT`] ends a chain.
const SLOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/opt_out.slots"));
/// A bit for each hash of a text after which some entry goes on, or which is a stem or a word of a script without spaces.
const PREFIXES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/opt_out.prefixes"));
/// The numbers of the words whose misspellings count, by their first letter.
const INITIALS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/opt_out.initials"));

impl Entry {
    fn numbered(number: u16) -> Option<Self> {
        let start = usize::from(number) * ENTRY_BYTES;
        Self::from_bytes(ENTRIES.get(start..start + ENTRY_BYTES)?.try_into().ok()?)
    }

    /// Its text, as a normalized reply has it.
    pub(super) fn text(&self) -> &'static str {
        TEXTS.get(self.place()).unwrap_or_default()
    }

    fn bytes(&self) -> &'static [u8] {
        TEXTS.as_bytes().get(self.place()).unwrap_or_default()
    }

    fn place(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + usize::from(self.length)
    }
}

/// All entries with exactly this text.
pub(super) fn look_up(text: &[u8], hash: Hash) -> impl Iterator<Item = Entry> {
    let mut slot = hash.slot();
    let first = loop {
        let number = number_at(SLOTS, slot).filter(|number| *number != VACANT);
        let entry = number.and_then(Entry::numbered);
        match (number, entry) {
            (Some(number), Some(entry)) if entry.bytes() == text => break Some((number, entry.start)),
            (Some(_), Some(_)) => slot = (slot + 1) % SLOT_COUNT,
            _ => break None,
        }
    };
    let (first, start) = first.unwrap_or((VACANT, 0));
    (first..VACANT).map_while(Entry::numbered).take_while(move |entry| entry.start == start)
}

/// Whether it is worth to look up the text of this hash, or to read on after it. May err towards yes.
pub(super) fn may_go_on(hash: Hash) -> bool {
    let (byte, bit) = hash.prefix();
    PREFIXES.get(byte).is_some_and(|bits| bits & bit != 0)
}

/// The single words that begin like this one and may be meant where it is misspelled.
pub(super) fn entries_starting_with(word: &str) -> impl Iterator<Item = Entry> {
    let list = initial(word);
    let bound = |list: usize| number_at(INITIALS, list).map_or(0, usize::from);
    (bound(list)..bound(list + 1)).filter_map(|place| Entry::numbered(number_at(INITIALS, INITIAL_COUNT + 1 + place)?))
}

fn number_at(table: &[u8], place: usize) -> Option<u16> {
    table.get(place * 2..place * 2 + 2)?.try_into().ok().map(u16::from_le_bytes)
}
