//! Fields: the fields of a JSON object that somebody else wrote, each read for itself.
//!
//! Providers add fields, leave some out and change the type of others, and a message that says STOP must be understood all the same. So a
//! field that is absent, null or of an unexpected type is simply not there, and spoils no other. Nothing is parsed deeper than it is asked
//! for, so that the depth of the input costs nothing.

use std::collections::BTreeMap;

use gatepost::Timestamp;
use serde_json::value::RawValue;

/// The fields of one object, unparsed.
#[derive(Clone, Default)]
pub(crate) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of `raw`, where it is an object.
    pub(crate) fn read(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().map(Self)
    }

    /// Whether there is something in this field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The field as it stands, where it is not null.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().filter(|raw| raw.get() != "null")
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// A text that says something.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        self.text(name).filter(|word| !word.is_empty())
    }

    /// An id: a text that says something, or a whole number.
    pub(crate) fn id(&self, name: &str) -> Option<String> {
        let id = self.text(name).or_else(|| self.number(name).map(|number| number.to_string()))?;
        (!id.is_empty()).then_some(id)
    }

    /// A whole number, as such or as a text.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.raw(name)?.get().trim_matches('"').parse().ok()
    }

    /// A number with a fraction, as such or as a text.
    pub(crate) fn decimal(&self, name: &str) -> Option<f64> {
        let number: f64 = self.raw(name)?.get().trim_matches('"').parse().ok()?;
        number.is_finite().then_some(number)
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// A time in seconds since 1970.
    pub(crate) fn seconds(&self, name: &str) -> Option<Timestamp> {
        let seconds = self.number(name).filter(|seconds| *seconds > 0)?;
        seconds.checked_mul(1_000).map(Timestamp::from_millis)
    }

    /// An object.
    pub(crate) fn fields(&self, name: &str) -> Option<Self> {
        Self::read(self.raw(name)?)
    }

    /// The elements of an array, where there is one.
    pub(crate) fn array(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        elements(self.raw(name)?)
    }

    /// The objects of an array; what is not an object is left out.
    pub(crate) fn objects(&self, name: &str) -> Vec<Self> {
        self.array(name).unwrap_or_default().into_iter().filter_map(Self::read).collect()
    }

    /// The name and value of the first field for which `found` says something.
    pub(crate) fn find<T>(&self, found: impl Fn(&str, &'a RawValue) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|(name, raw)| found(name, raw))
    }
}

/// The elements of `raw`, where it is an array.
pub(crate) fn elements(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use super::*;

    fn check(json: &str, read: impl FnOnce(Fields<'_>)) {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        read(Fields::read(raw).unwrap());
    }

    #[test]
    fn a_field_of_another_type_is_absent_and_spoils_no_other() {
        check(r#"{"a":{"b":[]},"b":"text","c":null,"d":"\ud800","e":1e400}"#, |fields| {
            assert_eq!(fields.text("a"), None);
            assert_eq!(fields.text("b").as_deref(), Some("text"));
            assert!(!fields.has("c"));
            assert!(fields.has("d"));
            assert_eq!((fields.text("d"), fields.number("e"), fields.decimal("e")), (None, None, None));
        });
    }

    #[test]
    fn numbers_and_ids_are_read_as_numbers_and_as_texts() {
        check(r#"{"a":"17","b":17,"c":"","d":true,"e":"38.8977"}"#, |fields| {
            assert_eq!((fields.number("a"), fields.number("b")), (Some(17), Some(17)));
            assert_eq!((fields.id("a"), fields.id("b")), (Some("17".to_owned()), Some("17".to_owned())));
            assert_eq!((fields.id("c"), fields.id("d"), fields.decimal("e")), (None, None, Some(38.8977)));
        });
    }

    #[test]
    fn a_time_is_positive_and_fits() {
        check(r#"{"a":"1795500000","b":0,"c":-5,"d":9223372036854775807}"#, |fields| {
            assert_eq!(fields.seconds("a"), Some(Timestamp::from_millis(1_795_500_000_000)));
            assert_eq!((fields.seconds("b"), fields.seconds("c"), fields.seconds("d")), (None, None, None));
        });
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        check(&deep, |fields| assert_eq!(fields.number("b"), Some(1)));
    }
}
