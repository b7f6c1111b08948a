//! Place: degrees with a fraction, and the millionths of a degree in which they are kept.

use crate::fields::Fields;
use crate::item::Said;
use gatepost::Words;

const MILLION: f64 = 1_000_000.0;

/// The place in these two fields; one that is not on the globe is not known.
pub(crate) fn location(part: &Fields<'_>, latitude: &str, longitude: &str) -> Said {
    let degrees = |name: &str, most: f64| part.decimal(name).filter(|degrees| degrees.abs() <= most).map(millionths);
    let (Some(latitude_e6), Some(longitude_e6)) = (degrees(latitude, 90.0), degrees(longitude, 180.0)) else { return Said::Unknown };
    Said::Location { latitude_e6, longitude_e6, name: part.text("name").map(Words::new), address: part.text("address").map(Words::new) }
}

fn millionths(degrees: f64) -> i32 {
    // At most 180 million: it fits.
    (degrees * MILLION).round() as i32
}

/// Millionths of a degree as providers read them.
pub(crate) fn degrees(millionths: i32) -> String {
    let (sign, size) = (if millionths < 0 { "-" } else { "" }, millionths.unsigned_abs());
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millionths_are_written_as_degrees_and_read_back() {
        for (number, text) in
            [(37_758_056, "37.758056"), (-122_425_332, "-122.425332"), (0, "0.000000"), (-1, "-0.000001"), (5_000_000, "5.000000")]
        {
            assert_eq!(degrees(number), text);
            assert_eq!(text.parse().map(millionths), Ok(number));
        }
    }
}
