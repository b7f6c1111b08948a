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
use crate::spelling::letters::is_folded;

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
const WORDS_MIN: usize = 4;

/// How many pieces a word with the one before it counts for.
const PAIR_COUNT: u16 = 2;
/// How many pieces a signal counts for.
const SIGNAL_COUNT: u16 = 8;
const RUN_MAX: usize = 5;

/// All pieces of a text, as hashes. What is many is kept apart from what is few, so that the sums over it are short loops.
#[derive(Default)]
pub(super) struct Pieces {
    /// Runs of characters, of one word after another.
    runs: Vec<u32>,
    words: Vec<WordPieces>,
    signals: Vec<u32>,
}

/// What there is of a word, besides its runs.
struct WordPieces {
    /// Where its runs end in [`Pieces::runs`].
    runs_end: usize,
    hash: u32,
    /// With the word before it.
    pair: Option<u32>,
    /// Whether it is one, and no number.
    is_word: bool,
}

impl Pieces {
    pub(super) fn of(folded: &Folded, signals: &[Signal]) -> Self {
        let mut pieces = Self::default();
        pieces.runs.reserve(folded.text.len() * (RUN_MAX - 1));
        let mut word: Vec<char> = Vec::with_capacity(32);
        let (mut before, mut is_word) = (None, false);
        // Each word stands between spaces.
        for character in folded.text.chars() {
            match character {
                ' ' if word.is_empty() => word.push(' '),
                ' ' if word.len() > 1 => {
                    word.push(' ');
                    before = Some(pieces.add(&word, before, is_word));
                    word.truncate(1);
                    is_word = false;
                }
                ' ' => {}
                '0'..='9' => word.push('0'),
                _ => {
                    is_word = is_word || is_folded(character) || character.is_alphabetic();
                    word.push(character);
                }
            }
        }
        pieces.signals.extend(signals.iter().map(|signal| finish(signal.as_str().chars().fold(SEED ^ 3, step))));
        pieces
    }

    /// Adds a word between its spaces; what the next one needs of it.
    fn add(&mut self, word: &[char], before: Option<u32>, is_word: bool) -> u32 {
        let hash = word.iter().copied().fold(SEED ^ 1, step);
        if self.words.len() == usize::from(NO_WORD) {
            return hash;
        }
        self.add_runs(word);
        let pair = before.map(|before| finish(word.iter().copied().fold(before.rotate_left(7) ^ 2, step)));
        self.words.push(WordPieces { runs_end: self.runs.len(), hash: finish(hash), pair, is_word });
        hash
    }

    fn add_runs(&mut self, word: &[char]) {
        let new = self.runs.len();
        for start in 0..word.len() {
            let rest = word.get(start..).unwrap_or_default();
            let Some((first, rest)) = rest.split_first() else { return };
            let mut hash = step(SEED, *first);
            self.runs.extend(rest.iter().take(RUN_MAX - 1).map(|character| {
                hash = step(hash, *character);
                hash
            }));
        }
        // Apart from the above, where each hash waits for the one before, so that several are finished at once.
        self.runs.get_mut(new..).unwrap_or_default().iter_mut().for_each(|hash| *hash = finish(*hash));
    }

    /// Each word with its runs.
    fn by_word(&self) -> impl Iterator<Item = (&[u32], &WordPieces)> {
        let mut start = 0;
        self.words.iter().map(move |word| {
            let runs = self.runs.get(start..word.runs_end).unwrap_or_default();
            start = word.runs_end;
            (runs, word)
        })
    }

    /// One after the other, as a trainer sees them.
    pub(super) fn each(&self, take: &mut impl FnMut(Piece)) {
        for (number, (runs, word)) in (0..NO_WORD).zip(self.by_word()) {
            runs.iter().for_each(|hash| take(Piece { hash: *hash, count: 1, is_word: false, word: number }));
            take(Piece { hash: word.hash, count: 1, is_word: word.is_word, word: number });
            word.pair.iter().for_each(|hash| take(Piece { hash: *hash, count: PAIR_COUNT, is_word: false, word: number }));
        }
        self.signals.iter().for_each(|hash| take(Piece { hash: *hash, count: SIGNAL_COUNT, is_word: false, word: NO_WORD }));
    }

    /// How much there is of them.
    fn count(&self) -> u64 {
        let pairs = self.words.len().saturating_sub(1) as u64 * u64::from(PAIR_COUNT);
        self.runs.len() as u64 + self.words.len() as u64 + pairs + self.signals.len() as u64 * u64::from(SIGNAL_COUNT)
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

impl Tone {
    /// The least margin that is told: of a text that is wanted so surely (three to one) nobody needs to know what it is nearest to.
    pub const HEARD_FROM: i16 = -100;
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
    /// the words, or there are too few to tell, or it is surer of the contrary than [`Tone::HEARD_FROM`].
    pub(super) fn judge(&self, folded: &Folded, signals: &[Signal]) -> Option<(Tone, Range<usize>)> {
        let pieces = Pieces::of(folded, signals);
        let words = pieces.words.iter().filter(|word| word.is_word).count();
        let met = pieces.words.iter().filter(|word| word.is_word && self.has_met(word.hash)).count();
        if words < WORDS_MIN || met * 2 < words {
            return None;
        }
        let root = i64::try_from((pieces.count() << 20).isqrt()).unwrap_or(i64::MAX).max(1);
        let [scale, of_families @ ..] = self.scales;
        let by_word: Vec<i32> = pieces.by_word().map(|(runs, word)| self.unwanted_of(runs, word)).collect();
        let unwanted =
            by_word.iter().sum::<i32>() + pieces.signals.iter().map(|hash| self.unwanted(*hash)).sum::<i32>() * i32::from(SIGNAL_COUNT);
        let margin = i16::try_from((logit(unwanted, scale, root) / 10_000).clamp(-9_999, 9_999)).ok()?;
        if margin < Tone::HEARD_FROM {
            return None;
        }
        let sums = self.of_families(&pieces);
        let logits = sums.iter().zip(of_families).map(|(sum, scale)| logit(*sum, scale, root));
        let (family, _) = Family::ALL.iter().zip(logits).max_by_key(|(_, logit)| *logit)?;
        Some((Tone { family: *family, margin }, loudest_run(&by_word).unwrap_or(0..0)))
    }

    /// How much a word speaks for a text's being unwanted.
    fn unwanted_of(&self, runs: &[u32], word: &WordPieces) -> i32 {
        let pair = word.pair.map_or(0, |pair| self.unwanted(pair));
        runs.iter().map(|hash| self.unwanted(*hash)).sum::<i32>() + self.unwanted(word.hash) + pair * i32::from(PAIR_COUNT)
    }

    /// Tables are as long as a power of two.
    #[inline]
    fn unwanted(&self, hash: u32) -> i32 {
        self.unwanted.get(hash as usize & (self.unwanted.len() - 1)).map_or(0, |weight| i32::from(weight.cast_signed()))
    }

    /// What all pieces weigh for each family.
    fn of_families(&self, pieces: &Pieces) -> [i32; FAMILIES] {
        let mut sums = [0; FAMILIES];
        let mut add = |hash: u32, count: u16| {
            let weights = self.families.get(hash as usize & (self.families.len() - 1)).copied().unwrap_or_default();
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += i32::from(weight) * i32::from(count));
        };
        pieces.runs.iter().for_each(|hash| add(*hash, 1));
        for word in &pieces.words {
            add(word.hash, 1);
            word.pair.iter().for_each(|pair| add(*pair, PAIR_COUNT));
        }
        pieces.signals.iter().for_each(|signal| add(*signal, SIGNAL_COUNT));
        sums
    }

    fn has_met(&self, hash: u32) -> bool {
        let bit = hash as usize & (self.met.len() * 8 - 1);
        self.met.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }
}

/// In millionths. A sum is over the square root of the number of pieces, so that long texts say no more than short ones.
fn logit(sum: i32, (scale, bias): (i32, i32), root: i64) -> i64 {
    i64::from(sum).saturating_mul(i64::from(scale)).saturating_mul(1 << 10) / root + i64::from(bias)
}

/// The part whose sum is highest; none where nothing is above zero.
fn loudest_run(sums: &[i32]) -> Option<Range<usize>> {
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
