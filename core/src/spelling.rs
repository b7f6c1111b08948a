//! Spelling: what the readers of texts know of single characters.
//!
//! People write the same letter in many ways, and who wants to slip past a guard in more of them. The opt-out detector and the content guard
//! fold characters by the same table, so what one sees through the other does too.

pub(crate) mod alphabet;
pub(crate) mod glyph;
pub(crate) mod letters;
