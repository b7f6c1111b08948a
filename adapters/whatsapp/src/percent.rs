//! Percent: texts in the path and the query of a URL.

/// The text as one segment of a path: nothing in it can end the segment.
pub(crate) fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || (byte == b'.' && text.len() > 2);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The names and values of a query, where all of it can be read.
pub(crate) fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| Some((decode(name)?, decode(value)?))).collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_value(bytes.next()?)? << 4 | hex_value(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// The value of a hexadecimal digit.
fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        for (text, encoded) in [
            ("acme-main", "acme-main"),
            ("v25.0", "v25.0"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("é %", "%C3%A9%20%25"),
        ] {
            assert_eq!(segment(text), encoded);
        }
    }

    #[test]
    fn a_query_is_read_or_refused_as_a_whole() {
        let read = |query: &str| pairs(query).map(|pairs| pairs.into_iter().map(|(name, value)| name + ":" + &value).collect::<Vec<_>>());
        assert_eq!(read("a=b+c%2Bd&&e"), Some(vec!["a:b c+d".to_owned(), "e:".to_owned()]));
        for query in ["a=%", "a=%2", "a=%zz", "a=%ff", "%=a"] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}
