//! Degrees: a coordinate that is kept in millionths of a degree, and written as a plain decimal number.

use alloc::string::ToString;
use core::fmt;

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

const MILLION: u32 = 1_000_000;

/// A coordinate. It is written exactly, without zeros at its end. Its `Debug` does not show it.
///
/// ```
/// use gatepost::Degrees;
///
/// assert_eq!(Degrees::from_millionths(-77_036_500).to_string(), "-77.0365");
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Degrees(i32);

impl Degrees {
    /// So many millionths of a degree.
    pub const fn from_millionths(millionths: i32) -> Self {
        Self(millionths)
    }
}

impl fmt::Display for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let fraction = alloc::format!(".{:06}", size % MILLION);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{sign}{}{fraction}", size / MILLION)
    }
}

impl fmt::Debug for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Degrees")
    }
}

/// As a number of JSON, digit by digit: a float may be written with an exponent.
impl Serialize for Degrees {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.to_string()).map_err(S::Error::custom)?;
        number.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;

    use super::*;

    #[test]
    fn a_coordinate_is_written_exactly() {
        for (millionths, text) in [
            (38_897_700, "38.8977"),
            (-77_036_500, "-77.0365"),
            (0, "0"),
            (-1, "-0.000001"),
            (10, "0.00001"),
            (5_000_000, "5"),
            (100_000_001, "100.000001"),
            (-180_000_000, "-180"),
            (i32::MIN, "-2147.483648"),
        ] {
            let degrees = Degrees::from_millionths(millionths);
            assert_eq!((degrees.to_string(), serde_json::to_string(&degrees).unwrap()), (text.to_owned(), text.to_owned()));
        }
    }
}
