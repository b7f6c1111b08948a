//! Glyph: what normalization has to know of a character, in one number.
//!
//! [`Glyph::judge`] asks the functions of `letters.rs`. The build script does so for the characters of the basic plane and leaves the
//! answers in a table, so that a reply costs one look-up for a character and not a dozen questions.

use super::letters::{fold, has_case, is_accent, is_compatibility_form, is_disguise, is_invisible, is_of_word, plain_form};

/// How many characters share a block of the table: it holds a block once, however often it is needed.
pub(crate) const BLOCK_LENGTH: usize = 64;

/// What is known of a character, and the letter it becomes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Glyph(u32);

impl Glyph {
    /// A capital.
    pub(crate) const UPPER: Self = Self(1);
    /// A small letter.
    pub(crate) const LOWER: Self = Self(1 << 1);
    /// Not seen by a reader.
    pub(crate) const INVISIBLE: Self = Self(1 << 2);
    /// Belongs to a word.
    pub(crate) const OF_WORD: Self = Self(1 << 3);
    /// Becomes one letter, whatever stands beside it.
    const LETTER: Self = Self(1 << 4);
    /// Becomes a Latin letter.
    pub(crate) const LATIN: Self = Self(1 << 5);
    /// Becomes a digit or a letter of another script.
    pub(crate) const OTHER: Self = Self(1 << 6);
    /// Becomes a letter that shows that a word is written to look Latin.
    pub(crate) const DISGUISE: Self = Self(1 << 7);
    /// An accent.
    pub(crate) const ACCENT: Self = Self(1 << 8);
    /// A form of other characters, to be unfolded before it is read.
    pub(crate) const FORM: Self = Self(1 << 9);
    /// Becomes such a form.
    pub(crate) const LEFT_FORM: Self = Self(1 << 10);
    /// Above the properties stands how far it is to the letter that the character becomes.
    const STEP_SHIFT: u32 = 16;

    /// What the functions say.
    pub(crate) fn judge(character: char) -> Self {
        let is_seen = !is_invisible(character);
        let has_case = has_case(character);
        let known = Self::default()
            .with(Self::UPPER, has_case && character.is_uppercase())
            .with(Self::LOWER, has_case && character.is_lowercase())
            .with(Self::INVISIBLE, !is_seen)
            .with(Self::FORM, is_seen && is_compatibility_form(plain_form(character)))
            .with(Self::ACCENT, is_accent(character));
        if is_seen && is_of_word(plain_form(character)) { known.or(Self::of_word(character)) } else { known }
    }

    fn of_word(character: char) -> Self {
        let (mut glyph, mut count, mut only) = (Self::OF_WORD, 0, character);
        fold(plain_form(character), &mut |letter| {
            glyph = glyph
                .or(if letter.is_ascii_alphabetic() { Self::LATIN } else { Self::OTHER })
                .with(Self::LEFT_FORM, is_compatibility_form(letter))
                .with(Self::DISGUISE, is_disguise(letter));
            (count, only) = (count + 1, letter);
        });
        match i16::try_from(i64::from(u32::from(only)) - i64::from(u32::from(character))) {
            Ok(step) if count == 1 && !character.is_ascii_digit() => {
                glyph.or(Self::LETTER).or(Self(u32::from(step.cast_unsigned()) << Self::STEP_SHIFT))
            }
            _ => glyph,
        }
    }

    /// The one letter that this character becomes. A digit becomes none, for what it means depends on what stands beside it.
    pub(crate) fn letter(self, character: char) -> Option<char> {
        let step = (self.0 >> Self::STEP_SHIFT) as i16;
        if self.has(Self::LETTER) { char::from_u32(u32::from(character).wrapping_add_signed(i32::from(step))) } else { None }
    }

    /// Whether it is a letter and stays as it is.
    pub(crate) const fn stays(self) -> bool {
        self.has(Self::LETTER) && self.0 >> Self::STEP_SHIFT == 0
    }

    const fn with(self, other: Self, is_so: bool) -> Self {
        if is_so { self.or(other) } else { self }
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of those is so.
    pub(crate) const fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    /// As it stands in the table.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// As it stands in the table.
    #[allow(dead_code, reason = "the build script calls it")]
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }
}
