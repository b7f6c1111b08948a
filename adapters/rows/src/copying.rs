//! Copying: rows of one store as rows of another, and how both are compared.
//!
//! A store gives its rows in the order of [`order`], and [`Sum`] says of a table whether it holds the same on both sides.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::cells::{Cell, Key, Row, Table};

/// The columns by whose values rows follow one another: bytes and texts as their bytes say, the smaller first.
pub fn order(table: &Table) -> &'static [&'static str] {
    // A delivery is found below its account where there are many hosts.
    if table.name == "outbox" { &["account", "delivery"] } else { table.key }
}

/// What tells where a row stands in that order.
pub fn place(table: &Table, row: &Row) -> Key {
    let cell = |column: &&str| table.place(column).and_then(|place| row.get(place)).cloned().unwrap_or(Cell::Null);
    order(table).iter().map(cell).collect()
}

/// The rows of a table, while they are counted.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    rows: u64,
    digest: Sha256,
}

/// How many rows a table has, and what they say.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Summary {
    /// How many.
    pub rows: u64,
    /// SHA-256 over all cells in their order, each with its kind and length.
    pub digest: [u8; 32],
}

impl Sum {
    /// Adds the row that comes next.
    pub fn add(&mut self, row: &Row) {
        self.rows += 1;
        row.iter().for_each(|cell| self.add_cell(cell));
    }

    fn add_cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Null => self.digest.update([0]),
            Cell::Int(number) => self.add_bytes(1, &number.to_be_bytes()),
            Cell::Text(text) => self.add_bytes(2, text.as_bytes()),
            Cell::Bytes(bytes) => self.add_bytes(3, bytes),
        }
    }

    fn add_bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.digest.update([kind]);
        self.digest.update((bytes.len() as u64).to_be_bytes());
        self.digest.update(bytes);
    }

    /// What came of it.
    pub fn finish(self) -> Summary {
        Summary { rows: self.rows, digest: self.digest.finalize().into() }
    }
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
    use crate::tables::TABLES;

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
    fn rows_are_ordered_by_columns_that_they_have() {
        for table in TABLES {
            assert!(order(table).iter().all(|column| table.place(column).is_some()), "{}", table.name);
        }
    }
}
