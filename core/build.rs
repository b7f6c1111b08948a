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

#[path = "src/examine"]
mod examine {
    pub(crate) mod fold;
    pub(crate) mod phrase;
    pub(crate) mod signal;
}
#[path = "src/opt_out/language.rs"]
mod language;
#[path = "src/opt_out/normalize.rs"]
mod normalize;
#[path = "src/opt_out/roles.rs"]
mod roles;
#[path = "src/opt_out/table.rs"]
mod table;

#[path = "src/spelling"]
mod spelling {
    pub(crate) mod glyph;
    pub(crate) mod letters;

    /// The table of characters is not there yet.
    pub(crate) mod alphabet {
        use super::glyph::Glyph;

        pub(crate) fn glyph(character: char) -> Glyph {
            Glyph::judge(character)
        }
    }
}

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use examine::fold::Folded;
use examine::phrase::Phrase;
use examine::signal::Signal;
use language::Language;
use normalize::normalize;
use roles::Roles;
use spelling::glyph::{BLOCK_LENGTH, Glyph};
use table::{Entry, INITIAL_COUNT, Node, VACANT, initial};

fn main() {
    println!("cargo::rerun-if-changed=src/opt_out");
    println!("cargo::rerun-if-changed=src/spelling");
    println!("cargo::rerun-if-changed=src/examine");
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
    write("opt_out.nodes", &table.tree().into_iter().flat_map(Node::to_bytes).collect::<Vec<_>>());
    write("opt_out.initials", &bytes_of(&table.initials()));
    write("lexicon.rs", lexicon(Path::new("src/examine/words")).as_bytes());
    let (blocks, glyphs) = alphabet();
    write("spelling.blocks", &bytes_of(&blocks));
    write("spelling.glyphs", &glyphs.into_iter().flat_map(|glyph| glyph.bits().to_le_bytes()).collect::<Vec<_>>());
}

/// How many characters are in the table: those of the basic plane.
const CHARACTERS: usize = 1 << 16;

/// By block of characters the number of its glyphs, and all that differ.
fn alphabet() -> (Vec<u16>, Vec<Glyph>) {
    let judge = |code: usize| u32::try_from(code).ok().and_then(char::from_u32).map(Glyph::judge).unwrap_or_default();
    let (mut numbers, mut glyphs) = (BTreeMap::new(), Vec::new());
    let blocks = (0..CHARACTERS).step_by(BLOCK_LENGTH).map(|start| {
        let block: Vec<_> = (start..start + BLOCK_LENGTH).map(judge).collect();
        *numbers.entry(block.iter().map(|glyph| glyph.bits()).collect::<Vec<_>>()).or_insert_with(|| {
            glyphs.extend(block);
            u16::try_from(glyphs.len() / BLOCK_LENGTH - 1).expect("the blocks are too many")
        })
    });
    (blocks.collect(), glyphs)
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
            let same = table.entries.last().filter(|last| table.text(last) == text).map(|last| last.start as usize);
            let start = same.unwrap_or(table.texts.len());
            match table.entries.last_mut() {
                Some(last) if same.is_some() => last.has_follower = true,
                _ => table.texts.push_str(&text),
            }
            let start = u32::try_from(start).expect("the texts are too long");
            let length = u8::try_from(text.len()).expect("a text is too long");
            table.entries.push(Entry { start, length, language, is_stem, has_follower: false, roles });
        }
        assert!(table.entries.len() < usize::from(VACANT), "the numbers are too few");
        table
    }

    fn text(&self, entry: &Entry) -> &str {
        &self.texts[entry.start as usize..][..usize::from(entry.length)]
    }

    fn numbered(&self) -> impl Iterator<Item = (u16, &Entry)> {
        (0..).zip(&self.entries)
    }

    fn tree(&self) -> Vec<Node> {
        let mut tree = Tree { branches: vec![Branch::default()] };
        for (number, entry) in self.numbered() {
            tree.insert(self.text(entry), number);
        }
        tree.nodes()
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

/// The tree of all texts before its nodes have their places; the first branch is the root.
struct Tree {
    branches: Vec<Branch>,
}

#[derive(Default)]
struct Branch {
    /// By letter, which branch comes next.
    next: BTreeMap<u16, usize>,
    first: Option<u16>,
}

impl Tree {
    fn insert(&mut self, text: &str, number: u16) {
        let mut at = 0;
        for letter in text.chars() {
            let letter = u16::try_from(u32::from(letter)).expect("all letters are of the basic plane");
            let fresh = self.branches.len();
            at = *self.branches[at].next.entry(letter).or_insert(fresh);
            if at == fresh {
                self.branches.push(Branch::default());
            }
        }
        self.branches[at].first.get_or_insert(number);
    }

    /// Gives each branch a base that leaves room for all that come next; those with most come first, while there is room.
    fn nodes(&self) -> Vec<Node> {
        let mut order: Vec<_> = (0..self.branches.len()).filter(|at| !self.branches[*at].next.is_empty()).collect();
        let letters = |at: usize| self.branches[at].next.keys().copied().collect::<Vec<_>>();
        order.sort_by_key(|at| (Reverse(self.branches[*at].next.len()), letters(*at)));
        let mut bases = vec![Node::LEAF.base; self.branches.len()];
        let mut places = Places { end: 1, ..Places::default() };
        for at in order {
            bases[at] = places.take(letters(at));
        }
        let mut nodes = vec![Node::LEAF; places.end];
        nodes[0].base = bases[0];
        for (branch, base) in self.branches.iter().zip(&bases) {
            for (letter, next) in &branch.next {
                let first = self.branches[*next].first.unwrap_or(VACANT);
                let place = Node { base: *base, ..Node::LEAF }.place_of(*letter);
                nodes[place] = Node { base: bases[*next], letter: *letter, first };
            }
        }
        nodes
    }
}

/// Which places of the double array are free, and which bases are taken.
#[derive(Default)]
struct Places {
    free: BTreeSet<usize>,
    /// The letters for which there was room last, and where: before it, there is none for the same ones, and little for as many.
    last: (Vec<u16>, usize),
    /// Behind the last place that is taken all are free.
    end: usize,
    bases: BTreeSet<u32>,
}

impl Places {
    /// Takes the places for these letters, which are in order. Answers their base.
    fn take(&mut self, letters: Vec<u16>) -> u32 {
        let base_at = |place: usize| u32::try_from(place).expect("the places are too many").wrapping_sub(u32::from(letters[0]));
        let places = |base: u32| letters.iter().map(move |letter| Node { base, ..Node::LEAF }.place_of(*letter));
        let is_free = |place: usize| place >= self.end || self.free.contains(&place);
        let fits = |base: &u32| places(*base).skip(1).all(is_free) && !self.bases.contains(base);
        let is_alike = letters == self.last.0 || letters.len() == self.last.0.len() && letters.len() > 1;
        let from = if is_alike { self.last.1 } else { 0 };
        let candidates = self.free.range(from..).copied().chain(self.end..);
        let base = candidates.map(base_at).find(fits).expect("there is always room behind the last");
        let taken: Vec<_> = places(base).collect();
        let first = taken[0];
        for place in taken {
            self.free.extend(self.end..place);
            self.end = self.end.max(place + 1);
            self.free.remove(&place);
        }
        self.bases.insert(base);
        self.last = (letters, first);
        base
    }
}

fn bytes_of(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The phrases of the content guard, folded, as the source of a table. A file holds lines of a name of [`Phrase`] and a colon, then phrases
/// between commas; `*` at the end stands for any ending.
fn lexicon(folder: &Path) -> String {
    let mut phrases = BTreeSet::new();
    let files = fs::read_dir(folder).expect("the folder can be read");
    for path in files.map(|file| file.expect("the folder can be read").path()) {
        let file = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for line in file.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let (name, list) = line.split_once(':').unwrap_or_else(|| panic!("{}: `{line}` has no name", path.display()));
            let phrase = phrase_named(name.trim()).unwrap_or_else(|| panic!("{}: `{name}` is no name", path.display()));
            phrases.extend(list.split(',').map(str::trim).filter(|text| !text.is_empty()).map(|text| (folded(text), phrase)));
        }
    }
    let rows = phrases.iter().map(|(text, phrase)| match phrase {
        Phrase::Shows(signal) => format!("    ({text:?}, Phrase::Shows(super::signal::Signal::{signal:?})),\n"),
        other => format!("    ({text:?}, Phrase::{other:?}),\n"),
    });
    format!(
        "/// What is looked for, folded, and what it says.\npub(super) const PHRASES: &[(&str, Phrase)] = &[\n{}];\n",
        rows.collect::<String>()
    )
}

fn folded(text: &str) -> String {
    let (text, is_stem) = text.strip_suffix('*').map_or((text, false), |stem| (stem, true));
    let mut folded = Folded::new();
    folded.read(&text.replace('*', ""), 0);
    let whole = folded.text;
    assert!(whole.trim().len() >= 2, "`{text}` is too short");
    if is_stem { whole.trim_end().to_owned() } else { whole }
}

fn phrase_named(name: &str) -> Option<Phrase> {
    match name {
        "give" => Some(Phrase::Give),
        "secret" => Some(Phrase::Secret),
        "never" => Some(Phrase::Never),
        other => Signal::named(other).map(Phrase::Shows),
    }
}
