//! Table: the shape in which the build script leaves the words for the lexicon.

use super::language::Language;
use super::roles::Roles;

/// No entry has this number.
pub(super) const VACANT: u16 = u16::MAX;
/// How many lists of initials there are. A list begins where a table of as many numbers and one more says.
pub(super) const INITIAL_COUNT: usize = 256;
/// How many bytes an entry takes.
pub(super) const ENTRY_BYTES: usize = 16;
/// How many bytes a node takes.
pub(super) const NODE_BYTES: usize = 8;

/// A word or phrase of one language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Where its text begins, and how many bytes it has.
    pub(super) start: u32,
    pub(super) length: u8,
    pub(super) language: Language,
    /// Whether any ending may follow.
    pub(super) is_stem: bool,
    /// Whether the next entry has the same text.
    pub(super) has_follower: bool,
    pub(super) roles: Roles,
}

impl Entry {
    /// As it stands in the table.
    #[allow(dead_code, reason = "the build script calls it")]
    pub(super) fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let parts = self.start.to_le_bytes().into_iter().chain([
            self.length,
            self.language as u8,
            u8::from(self.is_stem),
            u8::from(self.has_follower),
        ]);
        bytes.iter_mut().zip(parts.chain(self.roles.bits().to_le_bytes())).for_each(|(place, byte)| *place = byte);
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; ENTRY_BYTES]) -> Option<Self> {
        let [a, b, c, d, length, language, is_stem, has_follower, roles @ ..] = bytes;
        let language = Language::ALL.get(usize::from(language)).copied()?;
        let (start, roles) = (u32::from_le_bytes([a, b, c, d]), Roles::from_bits(u64::from_le_bytes(roles)));
        Some(Self { start, length, language, is_stem: is_stem != 0, has_follower: has_follower != 0, roles })
    }
}

/// A place in the tree of all texts: some text begins with the letters that lead to it.
///
/// The tree is a double array: the node that a letter leads to stands as far behind the base as the letter's code says, if that is the
/// letter written there. No two nodes have the same base, so there is only one way to each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) base: u32,
    /// The letter that leads to it; none leads to the root, which stands first, and to a vacant place.
    pub(super) letter: u16,
    /// The first entry whose text ends here.
    pub(super) first: u16,
}

impl Node {
    /// A node that no letter leads on from.
    pub(super) const LEAF: Self = Self { base: u32::MAX / 2, letter: 0, first: VACANT };

    /// Where the node stands that a letter leads to, if there is one.
    pub(super) const fn place_of(self, letter: u16) -> usize {
        self.base.wrapping_add(letter as u32) as usize
    }

    /// As it stands in the table.
    #[allow(dead_code, reason = "the build script calls it")]
    pub(super) const fn to_bytes(self) -> [u8; NODE_BYTES] {
        let ([a, b, c, d], [e, f], [g, h]) = (self.base.to_le_bytes(), self.letter.to_le_bytes(), self.first.to_le_bytes());
        [a, b, c, d, e, f, g, h]
    }

    pub(super) const fn from_bytes([a, b, c, d, e, f, g, h]: [u8; NODE_BYTES]) -> Self {
        let (base, letter, first) = (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
        Self { base, letter, first }
    }
}

/// The number of the list for the first letter of a word.
pub(super) fn initial(word: &str) -> usize {
    word.chars().next().map_or(0, |letter| letter as usize % INITIAL_COUNT)
}
