//! Links: where a text leads, and what speaks against each place.
//!
//! A phone makes a link of more than what has a scheme, so a name with a known ending is one too. Nothing is resolved or called: a link is
//! judged by its letters, in one pass over the words of the text. What makes a link suspect follows the URL symbols of rspamd
//! (`url_suspect_group.conf`) and the lists of MISP and rspamd; the short lists here hold the well-known names only.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::hosts;
use super::signal::Signal;

/// A link in a text.
pub(super) struct Link<'a> {
    /// Where it stands, in bytes of the text.
    pub(super) place: Range<usize>,
    /// Its host in small letters, without `www.`.
    pub(super) host: Cow<'a, str>,
    /// What stands before the host with an at sign.
    has_user: bool,
    /// Whether it says by what protocol.
    scheme: Option<&'a str>,
    /// What follows the host.
    rest: &'a str,
}

/// The most links of a text that are looked at; a person who is asked to follow more has the first of them before their eyes.
const LINKS_MAX: usize = 16;

/// All links of a text, in order.
pub(super) fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    let (mut start, mut may_be_link) = (0, false);
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        if !is_between_words(character) {
            may_be_link |= matches!(character, '.' | ':' | '。' | '．');
            continue;
        }
        if may_be_link && at - start > 3 {
            found.extend(text.get(start..at).and_then(|word| link(word, start)));
            if found.len() == LINKS_MAX {
                break;
            }
        }
        (start, may_be_link) = (at + character.len_utf8(), false);
    }
    found
}

fn is_between_words(character: char) -> bool {
    character.is_whitespace() || matches!(character, '<' | '>' | '"' | '|' | '،' | '；')
}

/// The link in a word that begins at a byte of the text.
fn link(word: &str, start: usize) -> Option<Link<'_>> {
    let opened = word.trim_start_matches(|character: char| !character.is_alphanumeric());
    let bare = opened.trim_end_matches(|character: char| !character.is_alphanumeric() && !matches!(character, '/' | '=' | '-' | '_'));
    let (scheme, after) = split_scheme(bare);
    let begin = start + (word.len() - opened.len()) + (bare.len() - after.len())
        - scheme.map_or(0, |scheme| scheme.len() + if bare.contains("://") { 3 } else { 1 });
    let authority_end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
    let (authority, rest) = after.split_at(authority_end);
    let (user, host_port) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let (host, port) = host_port.split_once(':').map_or((host_port, ""), |(host, port)| (host, port));
    let host = plain_host(host);
    let is_address = hosts::is_numeric(&host);
    let is_link = match scheme {
        Some(_) => !host.is_empty(),
        None if user.is_some() => !rest.is_empty() && hosts::is_name(&host),
        None => (is_address && (!rest.is_empty() || !port.is_empty() || host.matches('.').count() == 3)) || hosts::is_name(&host),
    };
    let place = begin..start + (word.len() - opened.len()) + bare.len();
    is_link.then_some(Link { place, host, has_user: user.is_some(), scheme, rest })
}

fn split_scheme(word: &str) -> (Option<&str>, &str) {
    if let Some((scheme, after)) = word.split_once("://") {
        // What stands before a scheme without a space belongs to the text: `here:https://`.
        let from = scheme.rfind(|character: char| !character.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        return (scheme.get(from..).filter(|scheme| !scheme.is_empty()), after);
    }
    match word.split_once(':') {
        Some((scheme, after)) if scheme.eq_ignore_ascii_case("javascript") || scheme.eq_ignore_ascii_case("data") => (Some(scheme), after),
        _ => (None, word),
    }
}

fn plain_host(host: &str) -> Cow<'_, str> {
    let host = host.trim_end_matches('.');
    let is_plain = host.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    let mut plain = if is_plain { Cow::Borrowed(host) } else { Cow::Owned(host.to_lowercase().replace(['。', '．'], ".")) };
    if plain.starts_with("www.") {
        plain = Cow::Owned(String::from(plain.get(4..).unwrap_or_default()));
    }
    plain
}

impl Link<'_> {
    /// What speaks against it, whoever sends it.
    pub(super) fn signals(&self, found: &mut impl FnMut(Signal)) {
        let host = &*self.host;
        let is_script = self.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("javascript") || scheme.eq_ignore_ascii_case("data"));
        let facts = [
            (
                Signal::LinkExecutable,
                is_script || hosts::is_executable(self.path()) || self.rest.is_empty() && hosts::is_executable_name(host),
            ),
            (Signal::LinkNumericHost, hosts::is_numeric(host)),
            (Signal::LinkUserInfo, self.has_user),
            (Signal::LinkPunycode, host.split('.').any(|label| label.starts_with("xn--"))),
            (Signal::LinkMixedScript, hosts::is_mixed_script(host)),
            (Signal::LinkShortener, hosts::is_shortener(host)),
            (Signal::LinkInBio, hosts::is_link_in_bio(host)),
            (Signal::LinkDynamicDns, hosts::is_dynamic_dns(host)),
            (Signal::LinkLookAlike, hosts::imitates_a_brand(host)),
            (Signal::LinkBait, hosts::is_bait(host)),
            (Signal::LinkNested, self.rest.contains("://") || self.rest.contains("%3A%2F%2F") || self.rest.contains("%3a%2f%2f")),
        ];
        facts.into_iter().filter(|(_, is_so)| *is_so).for_each(|(signal, _)| found(signal));
    }

    fn path(&self) -> &str {
        self.rest.split(['?', '#']).next().unwrap_or_default()
    }

    /// Whether the text around it, in one spelling without spaces, names its host: `Maple & Rye: maplerye.example`.
    pub(super) fn is_named_in(&self, words: &str) -> bool {
        let own = hosts::own_label(&self.host);
        let parts = own.split('-').filter(|part| part.len() >= 4);
        let joined: String = own.split('-').collect();
        (joined.len() >= 4 && words.contains(joined.as_str())) || parts.into_iter().any(|part| words.contains(part))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn hosts_of(text: &str) -> Vec<String> {
        links(text).iter().map(|link| link.host.to_string()).collect()
    }

    #[test]
    fn a_link_is_found_with_and_without_a_scheme() {
        assert_eq!(
            hosts_of("See https://Orders.Fernhill.example/55, or fernhill.example."),
            ["orders.fernhill.example", "fernhill.example"]
        );
        assert_eq!(hosts_of("(www.bank.example) here:http://203.0.113.7/a 198.51.100.1"), ["bank.example", "203.0.113.7", "198.51.100.1"]);
        assert_eq!(hosts_of("bank。example http://user@evil.example/x"), ["bank.example", "evil.example"]);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in ["Total 42.10 EUR.", "Thank you.Bye", "e.g. at 9.30", "mail us: desk@kiteway.example", "v2.1.3", "Dr.Amari", "a.m."] {
            assert_eq!(hosts_of(text), Vec::<String>::new(), "{text:?}");
        }
    }

    #[test]
    fn it_stands_where_the_text_has_it() {
        let text = "Größe? (https://a.example/x), 2";
        assert_eq!(links(text).first().and_then(|link| text.get(link.place.clone())), Some("https://a.example/x"));
    }

    #[track_caller]
    fn check(text: &str, expected: &[Signal]) {
        let mut found = Vec::new();
        links(text).iter().for_each(|link| link.signals(&mut |signal| found.push(signal)));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn each_fact_is_told() {
        check("orders.fernhill.example/5521", &[]);
        check("http://a.example/x/invoice.pdf.exe?x=1", &[Signal::LinkExecutable]);
        check("javascript:alert(1)", &[Signal::LinkExecutable]);
        check("https://203.0.113.9/pay", &[Signal::LinkNumericHost]);
        check("http://0x7f000001/ http://3232235777/", &[Signal::LinkNumericHost, Signal::LinkNumericHost]);
        check("https://bank.example@198.51.100.4/x", &[Signal::LinkNumericHost, Signal::LinkUserInfo]);
        check("https://xn--kstrel-bua.example/", &[Signal::LinkPunycode]);
        check("https://pаypal.example/", &[Signal::LinkMixedScript]);
        check("bit.ly/3x", &[Signal::LinkShortener]);
        check("https://linktr.ee/x", &[Signal::LinkInBio]);
        check("http://x.duckdns.org/", &[Signal::LinkDynamicDns]);
        check("https://paypa1.example/", &[Signal::LinkLookAlike]);
        check("https://kestrel-verify.example/", &[Signal::LinkBait]);
        check("https://a.example/?to=https://b.example", &[Signal::LinkNested]);
    }

    #[test]
    fn a_host_is_named_by_the_words_around_it() {
        let text = "x maplerye.example/r";
        let link = links(text);
        let link = link.first().expect("there is one");
        assert!(link.is_named_in("maplerye"));
        assert!(!link.is_named_in("kestrelbank"));
    }
}
