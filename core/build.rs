//! Build script: makes the table of the opt-out detector from the files of words.
//!
//! The words are normalized by the same code that normalizes a reply, so a file holds them as people write them: a name of
//! [`Roles`] and a colon, then words, with `_` for a space inside a phrase and `*` at the end of a stem; `#` begins a comment.
//! The compiler could do the same, but takes a quarter of a minute for it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    reason = "what cannot be read fails the build, and the modules have more than it needs"
)]
#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a build script reads files, writes them and tells cargo")]

extern crate alloc;

#[path = "src/opt_out/language.rs"]
mod language;
#[path = "src/opt_out/letters.rs"]
mod letters;
#[path = "src/opt_out/normalize.rs"]
mod normalize;
#[path = "src/opt_out/roles.rs"]
mod roles;
#[path = "src/opt_out/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use language::Language;
use letters::is_unspaced;
use normalize::normalize;
use roles::Roles;
use table::{Entry, Hash, INITIAL_COUNT, PREFIX_BITS, SLOT_COUNT, VACANT, initial};

fn main() {
    println!("cargo::rerun-if-changed=src/opt_out");
    let folder = Path::new("src/opt_out/words");
    let mut words = Words::new();
    for language in Language::ALL {
        read_words(*language, folder, &mut words);
    }
    let table = Table::of(words);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    let write = |name: &str, bytes: &[u8]| fs::write(out.join(name), bytes).expect("the folder can be written");
    write("opt_out.texts", table.texts.as_bytes());
    write("opt_out.entries", &table.entries.iter().flat_map(|entry| entry.to_bytes()).collect::<Vec<_>>());
    write("opt_out.slots", &bytes_of(&table.slots()));
    write("opt_out.prefixes", &table.prefixes());
    write("opt_out.initials", &bytes_of(&table.initials()));
}

/// By text, language and whether it is a stem: all roles of a word.
type Words = BTreeMap<(String, Language, bool), Roles>;

fn read_words(language: Language, folder: &Path, words: &mut Words) {
    let path = folder.join(language.code()).with_extension("txt");
    let file = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut role = None;
    for word in file.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
        if let Some(name) = word.strip_suffix(':') {
            role = Some(Roles::named(name).unwrap_or_else(|| panic!("{}: `{name}` is no role", path.display())));
            continue;
        }
        let role = role.unwrap_or_else(|| panic!("{}: `{word}` has no role", path.display()));
        let (word, is_stem) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
        let text = normalize(&word.replace('_', " ")).text;
        assert!(!text.is_empty() && text.len() <= usize::from(u8::MAX), "{}: `{word}` is empty or too long", path.display());
        let roles = words.entry((text, language, is_stem)).or_default();
        *roles = roles.or(role);
    }
}

struct Table {
    texts: String,
    entries: Vec<Entry>,
}

impl Table {
    fn of(words: Words) -> Self {
        let mut table = Self { texts: String::new(), entries: Vec::new() };
        for ((text, language, is_stem), roles) in words {
            let last = table.entries.last().filter(|last| table.text(last) == text);
            let start = last.map_or(table.texts.len(), |last| last.start as usize);
            if last.is_none() {
                table.texts.push_str(&text);
            }
            let start = u32::try_from(start).expect("the texts are too long");
            let length = u8::try_from(text.len()).expect("a text is too long");
            table.entries.push(Entry { start, length, language, is_stem, roles });
        }
        assert!(table.entries.len() < SLOT_COUNT / 2, "the slots are too few");
        table
    }

    fn text(&self, entry: &Entry) -> &str {
        &self.texts[entry.start as usize..][..usize::from(entry.length)]
    }

    fn numbered(&self) -> impl Iterator<Item = (u16, &Entry)> {
        (0..).zip(&self.entries)
    }

    fn slots(&self) -> Vec<u16> {
        let mut slots = vec![VACANT; SLOT_COUNT];
        let is_first = |(number, entry): &(u16, &Entry)| *number == 0 || self.entries[usize::from(*number) - 1].start != entry.start;
        for (number, entry) in self.numbered().filter(is_first) {
            let mut slot = hash(self.text(entry)).slot();
            while slots[slot] != VACANT {
                slot = (slot + 1) % SLOT_COUNT;
            }
            slots[slot] = number;
        }
        slots
    }

    /// Marks stems, the words that a phrase goes on after, and in scripts without spaces every beginning of an entry and its end.
    fn prefixes(&self) -> Vec<u8> {
        let mut prefixes = vec![0; PREFIX_BITS / 8];
        for entry in &self.entries {
            let text = self.text(entry);
            let goes_on = text.char_indices().skip(1).filter(|(end, next)| *next == ' ' || text[..*end].ends_with(is_unspaced));
            let whole = (entry.is_stem || text.ends_with(is_unspaced)).then_some(text.len());
            for end in goes_on.map(|(end, _)| end).chain(whole) {
                let (byte, bit) = hash(&text[..end]).prefix();
                prefixes[byte] |= bit;
            }
        }
        prefixes
    }

    /// Where each list begins, then all lists.
    fn initials(&self) -> Vec<u16> {
        let mut lists = vec![Vec::new(); INITIAL_COUNT];
        for (number, entry) in self.numbered() {
            let text = self.text(entry);
            if entry.roles.has(Roles::SLIPPING) && !entry.is_stem && !text.contains(' ') {
                lists[initial(text)].push(number);
            }
        }
        let mut start = 0;
        let mut starts = vec![0];
        for list in &lists {
            start += u16::try_from(list.len()).expect("the initials are too many");
            starts.push(start);
        }
        starts.into_iter().chain(lists.into_iter().flatten()).collect()
    }
}

fn hash(text: &str) -> Hash {
    text.bytes().fold(Hash::EMPTY, Hash::then)
}

fn bytes_of(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
