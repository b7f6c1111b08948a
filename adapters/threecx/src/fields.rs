//! Fields: the fields of a JSON object, each read for itself.
//!
//! A field that is absent, null or of an unexpected type is simply not there, and spoils no other.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The most characters of a word that is only passed on.
const WORD_CHARACTERS_MAX: usize = 128;
/// The longest number that is read: more digits than this say nothing of a place.
const DECIMAL_BYTES_MAX: usize = 32;

/// The fields of one object, unparsed.
#[derive(Default)]
pub(crate) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of the object that these bytes are; none where they are no object.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }

    /// The field as it stands, where it is not null.
    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().filter(|raw| raw.get() != "null")
    }

    /// A text that says something, as it was written.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text: String = serde_json::from_str(self.raw(name)?.get()).ok()?;
        (!text.trim().is_empty()).then_some(text)
    }

    /// A short text without the space around it, or a whole number, as an extension may be one.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        let text = self.text(name).or_else(|| self.count(name).map(|count| count.to_string()))?;
        let word = text.trim();
        (word.chars().count() <= WORD_CHARACTERS_MAX).then(|| word.to_owned())
    }

    /// A whole number.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// A number of degrees, digit by digit as it was written: read and written again, it may become another one.
    pub(crate) fn degrees(&self, name: &str, max: f64) -> Option<&'a str> {
        let text = self.raw(name)?.get().trim_matches('"');
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
        let number: f64 = text.parse().ok()?;
        (is_plain && text.len() <= DECIMAL_BYTES_MAX && number.abs() <= max).then_some(text)
    }

    /// An object.
    pub(crate) fn fields(&self, name: &str) -> Option<Self> {
        Self::read(self.raw(name)?.get().as_bytes())
    }

    /// The objects of an array; what is not an object is left out.
    pub(crate) fn objects(&self, name: &str) -> Vec<Self> {
        let elements: Option<Vec<&RawValue>> = self.raw(name).and_then(|raw| serde_json::from_str(raw.get()).ok());
        elements.unwrap_or_default().into_iter().filter_map(|raw| Self::read(raw.get().as_bytes())).collect()
    }

    /// The texts of an array; what is not a text is left out.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let elements: Option<Vec<&RawValue>> = self.raw(name).and_then(|raw| serde_json::from_str(raw.get()).ok());
        elements.unwrap_or_default().into_iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_type_is_absent_and_spoils_no_other() {
        let fields = Fields::read(br#"{"a":{"b":[]},"b":" text ","c":null,"d":"\ud800","e":101,"f":" ","g":["x",1]}"#).unwrap();
        assert_eq!((fields.text("a"), fields.text("c"), fields.text("d"), fields.text("f")), (None, None, None, None));
        assert_eq!((fields.text("b").as_deref(), fields.word("b").as_deref()), (Some(" text "), Some("text")));
        assert_eq!((fields.word("e").as_deref(), fields.count("b"), fields.flag("b")), (Some("101"), None, None));
        assert_eq!((fields.texts("g"), fields.objects("g").len()), (vec!["x".to_owned()], 0));
    }

    #[test]
    fn degrees_are_kept_digit_by_digit() {
        let fields = Fields::read(br#"{"a":-77.03650000000000001,"b":"38.8977","c":1e1,"d":91,"e":"x","f":-0.0}"#).unwrap();
        let degrees = |name| fields.degrees(name, 90.0);
        assert_eq!((degrees("a"), degrees("b"), degrees("f")), (Some("-77.03650000000000001"), Some("38.8977"), Some("-0.0")));
        assert_eq!((degrees("c"), degrees("d"), degrees("e")), (None, None, None));
    }
}
