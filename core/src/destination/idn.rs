//! Internationalized names: the A-label form of what was typed, and only of what looks like it.
//!
//! UTS #46 maps many characters to others before a name is looked up: full-width letters, letters in circles, invisible characters,
//! even characters that stand for a slash. What was typed passes only if the mapping changes nothing but the letter case. An A-label
//! passes only if it is the A-label of the name that it decodes to (RFC 5891, section 5.4); the WHATWG URL standard no longer asks for
//! that (whatwg/url#914), so it is checked here.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use idna::punycode;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::RefusalClass;

const A_LABEL: &str = "xn--";

/// The host in lower case and A-labels. What is ASCII in it has been looked at.
pub(super) fn to_ascii(host: &str) -> Result<String, RefusalClass> {
    let lower = host.to_ascii_lowercase();
    if lower.is_ascii() && !lower.split('.').any(|label| label.starts_with(A_LABEL)) {
        return Ok(lower);
    }
    let labels: Result<Vec<Label>, RefusalClass> = host.split('.').map(|label| Label::read(label, host)).collect();
    let labels = labels?;
    let ascii = joined(&labels, |label| &label.ascii);
    let unicode = joined(&labels, |label| &label.unicode);
    // Some rules look at the name as a whole: right-to-left scripts.
    let whole = Uts46::new().to_ascii(unicode.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, DnsLength::Ignore);
    if whole.is_ok_and(|whole| whole == ascii) { Ok(ascii) } else { Err(RefusalClass::IdnaInvalid) }
}

fn joined(labels: &[Label], form: fn(&Label) -> &str) -> String {
    labels.iter().map(form).collect::<Vec<_>>().join(".")
}

/// A label in both forms.
struct Label {
    ascii: String,
    unicode: String,
}

impl Label {
    fn read(label: &str, host: &str) -> Result<Self, RefusalClass> {
        let lower = label.to_ascii_lowercase();
        match lower.strip_prefix(A_LABEL) {
            Some(code) => Self::from_a_label(&lower, code).ok_or(RefusalClass::IdnaPunycode),
            None if label.is_ascii() => Ok(Self { ascii: lower.clone(), unicode: lower }),
            None => Self::from_u_label(label).ok_or_else(|| what_is_wrong(host)),
        }
    }

    /// None where decoding and encoding again does not give the same label, or where what it decodes to is not a name as it stands.
    fn from_a_label(label: &str, code: &str) -> Option<Self> {
        let unicode = punycode::decode_to_string(code)?;
        let same = !unicode.is_ascii() && mapped(&unicode)? == unicode && punycode::encode_str(&unicode)? == code;
        same.then(|| Self { ascii: label.to_string(), unicode })
    }

    /// None where the mapping changes more than the letter case.
    fn from_u_label(label: &str) -> Option<Self> {
        let unicode = mapped(label)?;
        let same = unicode == label || unicode.chars().eq(label.chars().flat_map(lower_case));
        let ascii = A_LABEL.to_string() + &punycode::encode_str(&unicode)?;
        same.then_some(Self { ascii, unicode })
    }
}

/// The label as UTS #46 maps it; none where it refuses it.
fn mapped(label: &str) -> Option<String> {
    let (mapped, sound) = Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    sound.is_ok().then(|| mapped.into_owned())
}

/// The character in lower case. A character beyond ASCII whose lower case is an ASCII letter (the Kelvin sign) stays as it is.
fn lower_case(character: char) -> impl Iterator<Item = char> {
    let becomes_ascii = !character.is_ascii() && character.to_lowercase().any(|lower| lower.is_ascii());
    let kept = becomes_ascii.then_some(character);
    let lowered = (!becomes_ascii).then(|| character.to_lowercase());
    kept.into_iter().chain(lowered.into_iter().flatten())
}

/// Whether a character shows a trick.
type Shows = fn(char) -> bool;

/// Names the first of the known tricks that the host shows.
fn what_is_wrong(host: &str) -> RefusalClass {
    const TRICKS: &[(Shows, RefusalClass)] = &[
        (is_fullwidth, RefusalClass::IdnaFullwidth),
        (is_enclosed, RefusalClass::IdnaEnclosed),
        (is_dot, RefusalClass::IdnaDot),
        (is_invisible, RefusalClass::IdnaInvisible),
        (stands_for_a_delimiter, RefusalClass::IdnaHostsplit),
        (stands_for_others, RefusalClass::IdnaCompat),
    ];
    let trick = TRICKS.iter().find(|(shows, _)| host.chars().any(|character| !character.is_ascii() && shows(character)));
    trick.map_or(RefusalClass::IdnaInvalid, |(_, class)| *class)
}

/// Full-width letters, digits and hyphen.
fn is_fullwidth(character: char) -> bool {
    matches!(character, '\u{ff0d}' | '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}')
}

/// In circles, brackets or squares; numbers with a full stop stand for a delimiter.
fn is_enclosed(character: char) -> bool {
    matches!(character, '\u{2460}'..='\u{2487}' | '\u{249c}'..='\u{24ff}' | '\u{3200}'..='\u{32ff}' | '\u{1f110}'..='\u{1f251}')
}

/// What UTS #46 takes for a full stop.
fn is_dot(character: char) -> bool {
    matches!(character, '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Whether a character cannot be seen: what Unicode ignores by default, marks of writing direction, and separators of lines.
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn stands_for_a_delimiter(character: char) -> bool {
    decomposes_into_a_full_stop(character) || stands_for(character).chars().any(|becomes| becomes.is_ascii_punctuation() && becomes != '-')
}

/// Under NFKC. UTS #46 refuses these characters, so it does not tell what they stand for; other readers map them.
fn decomposes_into_a_full_stop(character: char) -> bool {
    matches!(character,
        '\u{2024}'..='\u{2026}' | '\u{2488}'..='\u{249b}' | '\u{33c2}' | '\u{33c7}' | '\u{33d8}' | '\u{fe12}' | '\u{fe19}'
        | '\u{fe30}' | '\u{fe52}' | '\u{1f100}')
}

fn stands_for_others(character: char) -> bool {
    !stands_for(character).chars().eq([character]) && !stands_for(character).contains(char::REPLACEMENT_CHARACTER)
}

/// What UTS #46 maps the character to.
fn stands_for(character: char) -> String {
    let mut buffer = [0; 4];
    let typed: &str = character.encode_utf8(&mut buffer);
    Uts46::new().to_unicode(typed.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_a_label_is_what_its_name_encodes_to_whatever_the_reader_of_urls_says() {
        for host in ["xn--8i7caa.com", "xn--localhost-", "xn--a.com", "xn--.com", "xn--zn7c.com", "xn--127-0-0-1-.com", "xn--pokxncvks"] {
            assert_eq!(to_ascii(host), Err(RefusalClass::IdnaPunycode), "{host}");
        }
        for host in ["xn--mnchen-3ya.de", "xn--h1alffa9f.xn--p1ai", "xn--fa-hia.de", "XN--FA-HIA.de"] {
            assert_eq!(to_ascii(host), Ok(host.to_ascii_lowercase()), "{host}");
        }
    }

    #[test]
    fn a_name_differs_from_its_mapped_form_in_letter_case_alone() {
        for (typed, ascii) in [
            ("BÜCHER.de", "xn--bcher-kva.de"),
            ("faß.de", "xn--fa-hia.de"),
            ("FAẞ.de", "xn--fa-hia.de"),
            ("ΣΊΣΥΦΟΣ.gr", "xn--kxa6akbbkh.gr"),
            ("россия.РФ", "xn--h1alffa9f.xn--p1ai"),
            ("bücher.xn--p1ai", "xn--bcher-kva.xn--p1ai"),
        ] {
            assert_eq!(to_ascii(typed).as_deref(), Ok(ascii), "{typed}");
        }
    }

    #[test]
    fn a_character_that_stands_for_others_is_named_by_its_trick() {
        for (typed, class) in [
            ("\u{212a}ubernetes.example.com", RefusalClass::IdnaCompat),
            ("bu\u{308}cher.de", RefusalClass::IdnaInvalid),
            ("İstanbul.com", RefusalClass::IdnaCompat),
            ("ｅxample.com", RefusalClass::IdnaFullwidth),
            ("ⓔxample.com", RefusalClass::IdnaEnclosed),
            ("example。com", RefusalClass::IdnaDot),
            ("exa\u{200b}mple.com", RefusalClass::IdnaInvisible),
            ("example℁.com", RefusalClass::IdnaHostsplit),
            ("10…example.com", RefusalClass::IdnaHostsplit),
            ("يa.com", RefusalClass::IdnaInvalid),
        ] {
            assert_eq!(to_ascii(typed), Err(class), "{typed}");
        }
    }
}
