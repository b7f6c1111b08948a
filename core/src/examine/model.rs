//! Model: how much the wording of a text is like that of unwanted ones.
//!
//! A linear model over hashed pieces of the folded text: runs of two to five characters inside each word, the word, and it with the next
//! one; and over the signals that the rules found. Weights are whole numbers of one byte, so that every machine comes to the same answer.
//! It speaks only of texts whose words it has mostly met, and says more than a person's look is worth never: what that leads to is the
//! policy's to say.
//!
//! # The file
//!
//! Little-endian. `examples/trainer` writes it.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `GPCM` |
//! | 2 | format, 1 |
//! | 2 | how many bits number the weights that tell unwanted from wanted |
//! | 2 | how many bits number the weights of each family |
//! | 2 | how many bits number the words that were met |
//! | 32 | SHA-256 of the manifest beside the file |
//! | 8 for each of 5 | scale and bias: what 1 weighs, and what is added, in millionths of a logit |
//! | the rest | weights of unwanted, then of each family, then one bit for each number of a word |

#[cfg(feature = "model")]
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

#[cfg(feature = "model")]
use once_cell::race::OnceBox;
use serde::{Deserialize, Serialize};

use super::Family;
use super::fold::Folded;
use super::signal::Signal;

/// How many outputs: unwanted, and each family.
pub(crate) const OUTPUTS: usize = 1 + FAMILIES;
const FAMILIES: usize = Family::ALL.len();

/// What a text is made of, as the model sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Its number, before it is cut to the size of a table.
    pub hash: u32,
    /// How much of the text it is.
    pub count: u16,
    /// Whether it is a whole word, and no number.
    pub is_word: bool,
    /// In which word it begins; `u16::MAX` where it is no piece of the text.
    pub word: u16,
}

const NO_WORD: u16 = u16::MAX;

/// Of fewer words nobody could tell what they are about.
const WORDS_MIN: u32 = 4;

/// How many pieces a signal counts for.
const SIGNAL_COUNT: u16 = 8;
const RUN_MAX: usize = 5;

/// All pieces of a text.
pub(super) fn pieces(folded: &Folded, signals: &[Signal], take: &mut impl FnMut(Piece)) {
    let mut characters: Vec<char> = Vec::with_capacity(32);
    let mut before: Option<u32> = None;
    for (number, word) in (0..NO_WORD).zip(folded.words()) {
        characters.clear();
        characters.push(' ');
        characters.extend(word.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }));
        characters.push(' ');
        runs(&characters, number, take);
        let hash = characters.iter().fold(SEED ^ 1, |hash, character| step(hash, *character));
        let is_word = word.chars().any(char::is_alphabetic);
        take(Piece { hash: finish(hash), count: 1, is_word, word: number });
        if let Some(before) = before {
            let pair = characters.iter().fold(before.rotate_left(7) ^ 2, |hash, character| step(hash, *character));
            take(Piece { hash: finish(pair), count: 2, is_word: false, word: number });
        }
        before = Some(hash);
    }
    for signal in signals {
        let hash = signal.as_str().chars().fold(SEED ^ 3, step);
        take(Piece { hash: finish(hash), count: SIGNAL_COUNT, is_word: false, word: NO_WORD });
    }
}

fn runs(characters: &[char], word: u16, take: &mut impl FnMut(Piece)) {
    for start in 0..characters.len() {
        let mut hash = SEED;
        for (length, character) in (1..=RUN_MAX).zip(characters.get(start..).unwrap_or_default()) {
            hash = step(hash, *character);
            if length >= 2 {
                take(Piece { hash: finish(hash), count: 1, is_word: false, word });
            }
        }
    }
}

/// FNV-1a over characters (<http://www.isthe.com/chongo/tech/comp/fnv/>).
const SEED: u32 = 0x811c_9dc5;

const fn step(hash: u32, character: char) -> u32 {
    (hash ^ character as u32).wrapping_mul(0x0100_0193)
}

/// Spreads what FNV leaves in the high bits (the finalizer of MurmurHash3).
const fn finish(hash: u32) -> u32 {
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// What the model says of a text.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tone {
    /// To which family it is nearest.
    pub family: Family,
    /// How sure it is that the text is unwanted, in hundredths of a logit: 0 is even odds.
    pub margin: i16,
}

/// A trained model.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    manifest: &'a [u8; 32],
    /// Of each output, what 1 weighs and what is added, in millionths of a logit.
    scales: [(i32, i32); OUTPUTS],
    unwanted: &'a [u8],
    /// The weights of one number side by side, so that a piece costs one look into memory and not one for each family.
    families: Vec<[i8; FAMILIES]>,
    met: &'a [u8],
}

/// The bytes are no model.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a model of format 1, whole")]
pub struct InvalidModel;

#[cfg(feature = "model")]
impl Model<'static> {
    /// The one that the crate ships.
    pub fn shipped() -> Option<&'static Self> {
        static SHIPPED: OnceBox<Option<Model<'static>>> = OnceBox::new();
        SHIPPED.get_or_init(|| Box::new(Model::from_bytes(include_bytes!("guard.model")).ok())).as_ref()
    }
}

impl<'a> Model<'a> {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    ///
    /// [`InvalidModel`] where they are cut, too many, or of another format.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, InvalidModel> {
        Self::read(bytes).ok_or(InvalidModel)
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"GPCM")?;
        let mut sizes = [0; 4];
        for size in &mut sizes {
            *size = u16::from_le_bytes(*take(&mut rest)?);
        }
        let [1, unwanted_bits, family_bits, met_bits] = sizes else { return None };
        let manifest = take(&mut rest)?;
        let mut scales = [(0, 0); OUTPUTS];
        for scale in &mut scales {
            *scale = (i32::from_le_bytes(*take(&mut rest)?), i32::from_le_bytes(*take(&mut rest)?));
        }
        let unwanted = table(&mut rest, 1usize.checked_shl(unwanted_bits.into())?)?;
        let mut families = Vec::new();
        for family in 0..FAMILIES {
            let weights = table(&mut rest, 1usize.checked_shl(family_bits.into())?)?;
            families.resize(weights.len(), [0; FAMILIES]);
            let places = families.iter_mut().filter_map(|beside: &mut [i8; FAMILIES]| beside.get_mut(family));
            places.zip(weights).for_each(|(place, weight)| *place = weight.cast_signed());
        }
        let met = table(&mut rest, 1usize.checked_shl(met_bits.into())? / 8)?;
        rest.is_empty().then_some(Self { manifest, scales, unwanted, families, met })
    }

    /// The SHA-256 of the manifest that says what it was trained on.
    pub const fn manifest(&self) -> &[u8; 32] {
        self.manifest
    }

    /// What it says of a text, and by number the words that speak most for its being unwanted; nothing where it has met less than half of
    /// the words, or there are too few to tell.
    pub(super) fn judge(&self, folded: &Folded, signals: &[Signal]) -> Option<(Tone, Range<usize>)> {
        let mut sums = [0i64; OUTPUTS];
        let (mut count, mut words, mut met) = (0u64, 0u32, 0u32);
        let mut by_word: Vec<i64> = Vec::new();
        pieces(folded, signals, &mut |piece| {
            count += u64::from(piece.count);
            if piece.is_word {
                words += 1;
                met += u32::from(self.has_met(piece.hash));
            }
            let weights = self.weights(piece.hash);
            for (sum, weight) in sums.iter_mut().zip(&weights) {
                *sum += i64::from(*weight) * i64::from(piece.count);
            }
            let [unwanted, ..] = weights;
            add(&mut by_word, piece.word, i64::from(unwanted) * i64::from(piece.count));
        });
        if words < WORDS_MIN || met * 2 < words {
            return None;
        }
        let logits = self.logits(&sums, count);
        let (family, _) = Family::ALL.iter().zip(logits.iter().skip(1)).max_by_key(|(_, logit)| **logit)?;
        let margin = logits.first()? / 10_000;
        let tone = Tone { family: *family, margin: i16::try_from(margin.clamp(-9_999, 9_999)).unwrap_or(0) };
        Some((tone, loudest_run(&by_word).unwrap_or(0..0)))
    }

    /// What a piece weighs for each output. Tables are as long as a power of two.
    #[inline]
    fn weights(&self, hash: u32) -> [i8; OUTPUTS] {
        let hash = hash as usize;
        let unwanted = self.unwanted.get(hash & (self.unwanted.len() - 1)).copied().unwrap_or(0).cast_signed();
        let [marketing, political, cold_outreach, fraud] = self.families.get(hash & (self.families.len() - 1)).copied().unwrap_or_default();
        [unwanted, marketing, political, cold_outreach, fraud]
    }

    fn has_met(&self, hash: u32) -> bool {
        let bit = hash as usize & (self.met.len() * 8 - 1);
        self.met.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }

    /// In millionths. The sums are over the square root of the number of pieces, so that long texts say no more than short ones.
    fn logits(&self, sums: &[i64; OUTPUTS], count: u64) -> [i64; OUTPUTS] {
        let root = i64::try_from((count << 20).isqrt()).unwrap_or(i64::MAX).max(1);
        let mut logits = [0; OUTPUTS];
        for ((logit, sum), (scale, bias)) in logits.iter_mut().zip(sums).zip(&self.scales) {
            *logit = sum.saturating_mul(i64::from(*scale)).saturating_mul(1 << 10) / root + i64::from(*bias);
        }
        logits
    }
}

#[inline]
fn add(sums: &mut Vec<i64>, word: u16, weight: i64) {
    if word == NO_WORD {
        return;
    }
    let word = usize::from(word);
    if word >= sums.len() {
        sums.resize(word + 1, 0);
    }
    if let Some(sum) = sums.get_mut(word) {
        *sum += weight;
    }
}

/// The part whose sum is highest; none where nothing is above zero.
fn loudest_run(sums: &[i64]) -> Option<Range<usize>> {
    let (mut best, mut found) = (0, None);
    let (mut sum, mut start) = (0, 0);
    for (at, value) in sums.iter().enumerate() {
        if sum <= 0 {
            (sum, start) = (0, at);
        }
        sum += value;
        if sum > best {
            (best, found) = (sum, Some(start..at + 1));
        }
    }
    found
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(head)
}

fn table<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    (length > 0).then_some(head)
}
