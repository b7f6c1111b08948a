//! Learning: logistic regression over hashed pieces, by AdaGrad, row by row in an order that a fixed seed makes.

use gatepost::{Content, Family, Piece, Sender, Text, pieces};

use crate::corpus::{Label, Row};

/// Number of bits of the table of unwanted, of a family's, and of the words that were met.
pub(crate) const UNWANTED_BITS: u32 = 16;
pub(crate) const FAMILY_BITS: u32 = 13;
pub(crate) const MET_BITS: u32 = 17;

const EPOCHS: usize = 24;
const RATE: f64 = 0.6;
const DECAY: f64 = 2e-6;
const SEED: u64 = 20_261_129;

/// The weights of one output, before they are made whole numbers.
pub(crate) struct Output {
    pub(crate) weights: Vec<f64>,
    pub(crate) bias: f64,
}

pub(crate) struct Learned {
    pub(crate) unwanted: Output,
    pub(crate) families: Vec<Output>,
    pub(crate) met: Vec<u8>,
}

struct Example {
    pieces: Vec<Piece>,
    label: Label,
}

pub(crate) fn content(text: &str) -> Option<Content> {
    text.parse::<Text>().ok().map(Content::from)
}

pub(crate) fn learn(rows: &[&Row]) -> Learned {
    let example = |row: &&Row| {
        let pieces = pieces(&content(&row.text)?, &Sender::default());
        Some(Example { pieces, label: row.label })
    };
    let examples: Vec<Example> = rows.iter().filter_map(example).collect();
    let unwanted: Vec<(&Example, bool)> = examples.iter().map(|example| (example, example.label != Label::Wanted)).collect();
    let families = Family::ALL.iter().map(|family| {
        let of_family = |example: &'_ Example| example.label == Label::Unwanted(*family);
        let rows: Vec<_> =
            examples.iter().filter(|example| example.label != Label::Wanted).map(|example| (example, of_family(example))).collect();
        fit(&rows, FAMILY_BITS)
    });
    let families = families.collect();
    Learned { unwanted: fit(&unwanted, UNWANTED_BITS), families, met: met(&examples) }
}

/// The words that were met.
fn met(examples: &[Example]) -> Vec<u8> {
    let mut bits = vec![0; 1 << (MET_BITS - 3)];
    for piece in examples.iter().flat_map(|example| &example.pieces).filter(|piece| piece.is_word) {
        let bit = piece.hash as usize & ((1 << MET_BITS) - 1);
        bits[bit / 8] |= 1 << (bit % 8);
    }
    bits
}

/// Hashes and shares of a text's pieces; the shares' denominator is the square root of how many there are.
fn values(pieces: &[Piece], bits: u32) -> Vec<(usize, f64)> {
    let count: f64 = pieces.iter().map(|piece| f64::from(piece.count)).sum();
    let root = count.sqrt().max(1.0);
    pieces.iter().map(|piece| (piece.hash as usize & ((1 << bits) - 1), f64::from(piece.count) / root)).collect()
}

fn fit(rows: &[(&Example, bool)], bits: u32) -> Output {
    let rows: Vec<_> = rows.iter().map(|(example, is)| (values(&example.pieces, bits), *is)).collect();
    let mut output = Output { weights: vec![0.0; 1 << bits], bias: 0.0 };
    let mut squares = vec![1e-2; 1 << bits];
    let mut bias_square = 1e-2;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = SEED;
    for _ in 0..EPOCHS {
        shuffle(&mut order, &mut random);
        for at in &order {
            let (values, is) = &rows[*at];
            let logit = output.bias + values.iter().map(|(index, value)| output.weights[*index] * value).sum::<f64>();
            let error = 1.0 / (1.0 + (-logit).exp()) - f64::from(u8::from(*is));
            for (index, value) in values {
                let gradient = error * value + DECAY * output.weights[*index];
                squares[*index] += gradient * gradient;
                output.weights[*index] -= RATE * gradient / squares[*index].sqrt();
            }
            bias_square += error * error;
            output.bias -= RATE * error / f64::sqrt(bias_square);
        }
    }
    output
}

/// Fisher and Yates, with the generator of splitmix64.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for at in (1..order.len()).rev() {
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        order.swap(at, ((mixed ^ (mixed >> 31)) % (at as u64 + 1)) as usize);
    }
}
