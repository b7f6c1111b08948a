//! Values: the types of settings, parsed once.
//!
//! [`Bounded`] is a number within bounds, [`Written`] a value that keeps the text it was written as, [`Secret`] a text that is never
//! shown, [`BaseUrl`] where a server is, [`DatabaseUrl`] where a database is, [`Directives`] what is logged. [`or_empty`] reads and writes
//! what may be absent as an empty text.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use gatepost_postgres::PostgresUrl;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use zeroize::Zeroizing;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Bounded<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    /// The number within the bounds that is nearest to `number`.
    pub fn nearest(number: u64) -> Self {
        Self(number.clamp(MIN, MAX))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64> Default for Bounded<MIN, MAX> {
    fn default() -> Self {
        Self(MIN)
    }
}

impl<const MIN: u64, const MAX: u64> TryFrom<u64> for Bounded<MIN, MAX> {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        let is_within = (MIN..=MAX).contains(&number);
        is_within.then_some(Self(number)).ok_or_else(|| format!("expected a whole number from {MIN} to {MAX}"))
    }
}

impl<const MIN: u64, const MAX: u64> From<Bounded<MIN, MAX>> for u64 {
    fn from(number: Bounded<MIN, MAX>) -> Self {
        number.0
    }
}

/// A value, and the text it was written as.
#[derive(Clone, Debug)]
pub struct Written<T> {
    text: String,
    value: T,
}

impl<T> Written<T> {
    /// What it means.
    pub const fn value(&self) -> &T {
        &self.value
    }
}

impl Default for Written<gatepost::Brand> {
    fn default() -> Self {
        let value = gatepost::Brand::default();
        Self { text: value.as_str().to_owned(), value }
    }
}

impl<T> PartialEq for Written<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = text.parse().map_err(de::Error::custom)?;
        Ok(Self { text, value })
    }
}

/// A text that is never shown: it prints and serializes as `***`.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Where a server is: `http://` or `https://`, a host, and perhaps a port and a path; without the slash at the end.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The URL of a path on this server.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected a URL that starts with `http://` or `https://`";
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none();
        if is_http { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err(EXPECTED) }
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.0
    }
}

/// Where a Postgres is: `postgres://`. It prints and serializes without its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: Zeroizing<String>,
    shown: PostgresUrl,
}

impl DatabaseUrl {
    /// The URL with its password.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Whether what is said to the server can be read on the way.
    pub fn is_plain(&self) -> bool {
        self.shown.is_plain()
    }
}

impl FromStr for DatabaseUrl {
    type Err = gatepost_postgres::OpenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: Zeroizing::new(text.to_owned()), shown: text.parse()? })
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Zeroizing::new(String::deserialize(deserializer)?).parse().map_err(de::Error::custom)
    }
}

/// What is logged: directives that `tracing` can read. A word by itself is a level: `tracing` would take a mistyped one for the name of a
/// target, and say nothing of all others.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Directives(String);

impl Directives {
    /// The filter they make.
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl Default for Directives {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl TryFrom<String> for Directives {
    type Error = InvalidDirectives;

    fn try_from(text: String) -> Result<Self, InvalidDirectives> {
        let is_plain = |part: &&str| !part.contains(['=', '[']);
        let are_levels = text.split(',').map(str::trim).filter(is_plain).all(|word| LevelFilter::from_str(word).is_ok());
        match EnvFilter::try_new(&text) {
            Ok(_) if are_levels => Ok(Self(text)),
            _ => Err(InvalidDirectives),
        }
    }
}

/// The text says no levels.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected levels, alone or of targets")]
pub struct InvalidDirectives;

impl From<Directives> for String {
    fn from(directives: Directives) -> Self {
        directives.0
    }
}

/// What may be absent, as an empty text.
pub(super) mod or_empty {
    use serde::de::IntoDeserializer;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(None) } else { T::deserialize(text.into_deserializer()).map(Some) }
    }
}
