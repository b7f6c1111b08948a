//! Lookup: who has a number, as 3CX asks when a call comes in.

use std::fmt;

use gatepost::Phone;
use serde::Serialize;

/// A number that 3CX searches. Its `Debug` shows the number as phones do.
///
/// ```
/// use gatepost_threecx::crm::Searched;
///
/// for number in ["+999501234567", "00999501234567", "999 50 123 4567"] {
///     assert_eq!(Searched::read(number).unwrap().phone().e164(), "+999501234567");
/// }
/// assert!(Searched::read("anonymous").is_none());
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Searched {
    phone: Phone,
    as_asked: String,
}

impl Searched {
    /// Reads what stands in the query; none where it cannot be a number.
    pub fn read(number: &str) -> Option<Self> {
        // 3CX may leave the plus sign as it is, and in a query that is a space.
        let plus = if number.starts_with(' ') && number.trim_start().starts_with(|first: char| first.is_ascii_digit()) { "+" } else { "" };
        let as_asked = format!("{plus}{}", number.trim());
        let digits = as_asked.strip_prefix("00").unwrap_or(&as_asked);
        let phone = digits.parse().ok()?;
        Some(Self { phone, as_asked })
    }

    /// The number.
    pub const fn phone(&self) -> Phone {
        self.phone
    }
}

impl fmt::Debug for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Searched").field(&self.phone).finish()
    }
}

/// The answer to a search.
///
/// ```
/// use gatepost_threecx::crm::{LookupAnswer, Searched};
///
/// let searched = Searched::read("+999501234567").unwrap();
/// let answer = LookupAnswer::one(&searched, "c-77", Some("Pat Example"), "https://gateway.example/contacts/c-77");
/// let contact = &answer.contacts[0];
/// assert_eq!((contact.firstname.as_str(), contact.lastname.as_str(), contact.mobile.as_str()), ("Pat", "Example", "+999501234567"));
/// assert_eq!(serde_json::to_string(&LookupAnswer::nobody())?, r#"{"contacts":[]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LookupAnswer {
    /// Who has the number: one, or nobody.
    pub contacts: Vec<LookupContact>,
}

/// Who has a number, under the names that our template knows. Its `Debug` shows only the id.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct LookupContact {
    /// The contact's id.
    pub id: String,
    /// The first name, or the number where no name is known.
    pub firstname: String,
    /// The last name.
    pub lastname: String,
    /// The number as it was asked for: 3CX takes no other one for a match.
    pub mobile: String,
    /// The address for e-mails. The gateway knows none.
    pub email: String,
    /// Where an agent finds the contact.
    pub url: String,
}

impl LookupAnswer {
    /// Nobody has the number, or it cannot be one.
    pub const fn nobody() -> Self {
        Self { contacts: Vec::new() }
    }

    /// This contact has it. Without any name 3CX would not count the match, so the number stands for one that is not known.
    pub fn one(searched: &Searched, id: &str, name: Option<&str>, url: &str) -> Self {
        let mobile = searched.as_asked.clone();
        let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&mobile);
        let is_number = name == mobile;
        let (first, last) = if is_number { (name, "") } else { name.rsplit_once(char::is_whitespace).unwrap_or((name, "")) };
        let (firstname, lastname) = (first.trim_end().to_owned(), last.to_owned());
        let contact = LookupContact { id: id.to_owned(), firstname, lastname, mobile, email: String::new(), url: url.to_owned() };
        Self { contacts: vec![contact] }
    }
}

impl fmt::Debug for LookupContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupContact").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be read fails its test")]
mod tests {
    use super::*;

    fn names(number: &str, name: Option<&str>) -> (String, String, String) {
        let contact = LookupAnswer::one(&Searched::read(number).unwrap(), "c-1", name, "https://x.example").contacts.remove(0);
        (contact.firstname, contact.lastname, contact.mobile)
    }

    fn check(number: &str, name: Option<&str>, (first, last, mobile): (&str, &str, &str)) {
        assert_eq!(names(number, name), (first.to_owned(), last.to_owned(), mobile.to_owned()), "{number} {name:?}");
    }

    #[test]
    fn a_name_is_split_at_its_last_space_and_the_number_comes_back_as_it_was_asked_for() {
        check("+999501234567", Some("Anna  Maria\u{a0}Example "), ("Anna  Maria", "Example", "+999501234567"));
        check("00999501234567", Some("Pat"), ("Pat", "", "00999501234567"));
        for name in [None, Some(""), Some("  ")] {
            check("999 50 1234567", name, ("999 50 1234567", "", "999 50 1234567"));
        }
    }

    #[test]
    fn a_plus_sign_that_became_a_space_is_one_again() {
        check(" 999501234567", None, ("+999501234567", "", "+999501234567"));
        check(" +999501234567 ", None, ("+999501234567", "", "+999501234567"));
    }

    #[test]
    fn what_cannot_be_a_number_is_not_searched() {
        for number in ["", "anonymous", "101", "+00999501234567", "0007700900123", "07700900123", "+", "999501234567890123"] {
            assert_eq!(Searched::read(number), None, "{number}");
        }
    }

    #[test]
    fn nobody_is_shown() {
        let searched = Searched::read("+999501234567").unwrap();
        let shown = format!("{searched:?} {:?}", LookupAnswer::one(&searched, "c-1", Some("Pat Example"), "https://x.example"));
        assert!(!["501234567", "Pat", "x.example"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
}
