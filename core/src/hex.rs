//! Hex: bytes as hexadecimal digits, as signatures in headers have them.

use alloc::string::String;

/// Two digits in lower case for each byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

/// The bytes that twice as many digits stand for, in either case.
pub(crate) fn decode<const LENGTH: usize>(digits: &[u8]) -> Option<[u8; LENGTH]> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; LENGTH];
    if digits.len() != LENGTH * 2 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_are_written() {
        let bytes: [u8; 32] = core::array::from_fn(|index| (index * 37) as u8);
        let digits = encode(&bytes);
        assert_eq!((decode(digits.as_bytes()), digits.get(..8)), (Some(bytes), Some("00254a6f")));
        assert_eq!(decode(digits.to_uppercase().as_bytes()), Some(bytes));
    }

    #[test]
    fn what_is_not_64_digits_is_refused() {
        for digits in [[b'0'; 63].as_slice(), &[b'0'; 65], &[b'g'; 64], &[0xff; 64], b""] {
            assert_eq!(decode::<32>(digits), None);
        }
    }
}
