//! Table: the shape in which the build script leaves the words for the lexicon.

use super::language::Language;
use super::roles::Roles;

/// No entry has this number.
pub(super) const VACANT: u16 = u16::MAX;
/// How many slots there are.
pub(super) const SLOT_COUNT: usize = 1 << 16;
/// How many bits tell whether an entry goes on after a text.
pub(super) const PREFIX_BITS: usize = 1 << 19;
/// How many lists of initials there are. A list begins where a table of as many numbers and one more says.
pub(super) const INITIAL_COUNT: usize = 256;
/// How many bytes an entry takes.
pub(super) const ENTRY_BYTES: usize = 16;

/// A word or phrase of one language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Where its text begins, and how many bytes it has.
    pub(super) start: u32,
    pub(super) length: u8,
    pub(super) language: Language,
    /// Whether any ending may follow.
    pub(super) is_stem: bool,
    pub(super) roles: Roles,
}

impl Entry {
    /// As it stands in the table.
    #[allow(dead_code, reason = "the build script calls it")]
    pub(super) fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let parts = self.start.to_le_bytes().into_iter().chain([self.length, self.language as u8, u8::from(self.is_stem), 0]);
        bytes.iter_mut().zip(parts.chain(self.roles.bits().to_le_bytes())).for_each(|(place, byte)| *place = byte);
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; ENTRY_BYTES]) -> Option<Self> {
        let [a, b, c, d, length, language, is_stem, _, roles @ ..] = bytes;
        let language = Language::ALL.get(usize::from(language)).copied()?;
        let roles = Roles::from_bits(u64::from_le_bytes(roles));
        Some(Self { start: u32::from_le_bytes([a, b, c, d]), length, language, is_stem: is_stem != 0, roles })
    }
}

/// Of a text that grows by a byte: FNV-1a.
#[derive(Clone, Copy)]
pub(super) struct Hash(u32);

impl Hash {
    pub(super) const EMPTY: Self = Self(0x811c_9dc5);

    pub(super) const fn then(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u32).wrapping_mul(0x0100_0193))
    }

    /// Where the search for it begins.
    pub(super) const fn slot(self) -> usize {
        ((self.0 ^ (self.0 >> 15)) as usize) & (SLOT_COUNT - 1)
    }

    /// Its place among the prefixes: the byte, and the bit within it.
    pub(super) const fn prefix(self) -> (usize, u8) {
        let bit = ((self.0 ^ (self.0 >> 13)) as usize) & (PREFIX_BITS - 1);
        (bit / 8, 1 << (bit % 8))
    }
}

/// The number of the list for the first letter of a word.
pub(super) fn initial(word: &str) -> usize {
    word.chars().next().map_or(0, |letter| letter as usize % INITIAL_COUNT)
}
