//! Alphabet: the table in which the build script leaves what is known of each character.

use super::glyph::{BLOCK_LENGTH, Glyph};

/// By block of characters, the number of the block of glyphs.
const BLOCKS: &[[u8; 2]] = include_bytes!(concat!(env!("OUT_DIR"), "/spelling.blocks")).as_chunks().0;
/// The blocks of glyphs.
const GLYPHS: &[[u8; 4]] = include_bytes!(concat!(env!("OUT_DIR"), "/spelling.glyphs")).as_chunks().0;

/// What is known of a character.
#[inline]
pub(crate) fn glyph(character: char) -> Glyph {
    in_table(character as usize).unwrap_or_else(|| Glyph::judge(character))
}

#[inline]
fn in_table(code: usize) -> Option<Glyph> {
    let block = usize::from(u16::from_le_bytes(*BLOCKS.get(code / BLOCK_LENGTH)?));
    GLYPHS.get(block * BLOCK_LENGTH + code % BLOCK_LENGTH).map(|bits| Glyph::from_bits(u32::from_le_bytes(*bits)))
}

#[cfg(test)]
mod tests {
    //! The table repeats the functions.

    use super::*;

    #[test]
    fn the_table_says_of_every_character_what_the_functions_say() {
        for character in '\0'..=char::MAX {
            assert_eq!(glyph(character), Glyph::judge(character), "{character:?}");
        }
    }
}
