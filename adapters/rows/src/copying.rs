//! Copying: how the rows of one store are compared with those of another.
//!
//! A [`Sum`] says of a table whether it holds the same on both sides. It does not depend on the order of rows, so that each store gives them
//! as it finds them.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::cells::{Cell, Row};

/// The rows of a table, while they are counted.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    rows: u64,
    digest: [u8; 32],
}

/// How many rows a table has, and what they say.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Summary {
    /// How many.
    pub rows: u64,
    /// The sum of the rows' digests, each as a number of 256 bits: of a row, SHA-256 over all cells in their order, each with its kind and
    /// length.
    pub digest: [u8; 32],
}

impl Sum {
    /// Adds a row.
    pub fn add(&mut self, row: &Row) {
        self.rows += 1;
        let mut carry = 0;
        for (sum, byte) in self.digest.iter_mut().zip(digest(row)).rev() {
            let added = u16::from(*sum) + u16::from(byte) + carry;
            // What is above the byte is the carry.
            (*sum, carry) = (added as u8, added >> 8);
        }
    }

    /// What came of it.
    pub const fn finish(self) -> Summary {
        Summary { rows: self.rows, digest: self.digest }
    }
}

fn digest(row: &Row) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut add = |kind: u8, bytes: &[u8]| {
        digest.update([kind]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    row.iter().for_each(|cell| match cell {
        Cell::Null => add(0, &[]),
        Cell::Int(number) => add(1, &number.to_be_bytes()),
        Cell::Text(text) => add(2, text.as_bytes()),
        Cell::Bytes(bytes) => add(3, bytes),
    });
    digest.finalize().into()
}

/// How many bytes a row takes, about.
pub fn weight(row: &Row) -> usize {
    let of_cell = |cell: &Cell| match cell {
        Cell::Null | Cell::Int(_) => 8,
        Cell::Text(text) => text.len(),
        Cell::Bytes(bytes) => bytes.len(),
    };
    row.iter().map(of_cell).sum()
}

/// The rows, and the first half of the digest in hexadecimal digits.
impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows ", self.rows)?;
        self.digest.iter().take(16).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[Row]) -> Summary {
        let mut sum = Sum::default();
        rows.iter().for_each(|row| sum.add(row));
        sum.finish()
    }

    #[test]
    fn a_sum_tells_every_change() {
        let row = |cells: &[Cell]| cells.to_vec();
        let whole = sum(&[row(&[Cell::from("ab"), Cell::from(7_i64), Cell::Null])]);
        assert_eq!(whole.rows, 1);
        for other in [
            [row(&[Cell::from("ab"), Cell::from(8_i64), Cell::Null])].as_slice(),
            &[row(&[Cell::from(b"ab".as_slice()), Cell::from(7_i64), Cell::Null])],
            &[row(&[Cell::from("a"), Cell::from("b"), Cell::from(7_i64), Cell::Null])],
            &[row(&[Cell::from("ab"), Cell::Null, Cell::from(7_i64)])],
            &[],
        ] {
            assert_ne!(sum(other).digest, whole.digest);
        }
    }

    #[test]
    fn a_sum_does_not_depend_on_the_order() {
        let rows: Vec<Row> = (0..300).map(|number: i64| vec![Cell::from(number), Cell::Null]).collect();
        let reversed: Vec<Row> = rows.iter().rev().cloned().collect();
        assert_eq!(sum(&rows), sum(&reversed));
        let again: Vec<Row> = rows.iter().chain(rows.first()).chain(rows.first()).cloned().collect();
        assert_ne!(sum(&rows).digest, sum(&again).digest);
    }
}
