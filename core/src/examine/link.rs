//! Links: where a text leads, and what speaks against each place.
//!
//! A phone makes a link of more than what has a scheme, so a name with a known ending is one too. Nothing is resolved or called: a link is
//! judged by its letters, in one pass over the words of the text. What makes a link suspect follows the URL symbols of rspamd
//! (`url_suspect_group.conf`) and the lists of MISP and rspamd; the short lists here hold the well-known names only.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::replace;
use core::ops::Range;

use super::hosts;
use super::signal::Signal;
use crate::spelling::letters;

/// A link in a text.
pub(super) struct Link<'a> {
    /// Where it stands, in bytes of the text.
    pub(super) place: Range<usize>,
    /// Its host as a browser reads it ([`hosts::plain`]); nothing where it is a script.
    pub(super) host: Cow<'a, str>,
    /// What stands before the host with an at sign.
    has_user: bool,
    /// What follows the host.
    rest: &'a str,
}

/// All links of a text, in order; none reaches into another.
///
/// A word is read from its begin to its end, and what may stand in a host is looked at once, so that a link is found whatever is glued to it:
/// `Update:evil.example/app.apk`. A path goes on to the end of the word, or to the next link behind what ends a path for some phones.
pub(super) fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    let (mut start, mut may_be_link) = (0, false);
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        if !is_between_words(character) {
            may_be_link |= character == ':' || hosts::is_dot(character);
            continue;
        }
        if may_be_link && at - start > 3 {
            let word = text.get(start..at).unwrap_or_default();
            let word = word.trim_end_matches(|last: char| !last.is_alphanumeric() && !matches!(last, '/' | '=' | '-' | '_'));
            Word { text: word, start, found: &mut found }.read();
        }
        (start, may_be_link) = (at + character.len_utf8(), false);
    }
    found
}

fn is_between_words(character: char) -> bool {
    character.is_whitespace() || matches!(character, '<' | '>' | '"' | '|' | '،' | '；')
}

/// Whether a character may stand in a host that a phone makes a link of without a scheme, or that UTS #46 maps to such.
fn is_of_host(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    }
    hosts::is_dot(character)
        || letters::is_folded(character)
        || character.is_alphanumeric()
        || is_ignored(character)
        || is_mark(character)
        || is_square(character)
}

/// What UTS #46 leaves out of a host.
const fn is_ignored(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{34F}' | '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{200B}' | '\u{2060}' | '\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Accents and vowel signs; not what makes a key of a digit, as `1️⃣` before a link.
fn is_mark(character: char) -> bool {
    !matches!(character, '\u{20D0}'..='\u{20FF}') && (letters::is_accent(character) || letters::is_of_word(character))
}

/// Letters that share a square or a sign: `㏄`, `℡`.
const fn is_square(character: char) -> bool {
    matches!(character, '\u{2116}' | '\u{2121}' | '\u{2122}' | '\u{3300}'..='\u{33FF}')
}

/// Letters that end a host of Latin ones for a reader, though no space does: `看bit.ly`.
fn is_of_another_script(character: char) -> bool {
    let is_far = matches!(
        character,
        '\u{590}'..='\u{1CFF}' | '\u{2E80}'..='\u{A63F}' | '\u{A800}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FB1D}'..='\u{FDFF}'
            | '\u{FE70}'..='\u{FEFC}' | '\u{20000}'..
    );
    is_far && !hosts::is_dot(character) && !is_ignored(character) && !is_square(character)
}

/// A word in which links are looked for.
struct Word<'a, 'f> {
    text: &'a str,
    /// At which byte of the text it begins.
    start: usize,
    found: &'f mut Vec<Link<'a>>,
}

impl<'a> Word<'a, '_> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some(first) = self.from(at).chars().next() {
            // No host has two dots in a row: `Thanks..bit.ly`.
            let mut was_dot = false;
            let run =
                run_of(self.from(at), |next| is_of_host(next) && !(replace(&mut was_dot, hosts::is_dot(next)) && hosts::is_dot(next)));
            at = if run.is_empty() { at + first.len_utf8() } else { self.read_run(at, run) };
        }
    }

    fn from(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    /// Reads what begins with a run of the characters of hosts, and answers where to go on.
    fn read_run(&mut self, at: usize, run: &'a str) -> usize {
        let end = at + run.len();
        let after = self.from(end);
        // What stands before a scheme without a space belongs to the text: `here:https://`, `看https://`.
        let scheme = run.get(run.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric()).len()..).unwrap_or_default();
        if after.starts_with("://") && !scheme.is_empty() && !self.is_link(run, false) {
            return self.read_url(end - scheme.len(), scheme);
        }
        if after.starts_with(':') && is_script(run, after) {
            self.add(Link { place: at..self.text.len(), host: Cow::Borrowed(""), has_user: false, rest: after });
            return self.text.len();
        }
        self.read_bare(at, run)
    }

    /// Reads a link that begins with a scheme.
    fn read_url(&mut self, at: usize, scheme: &'a str) -> usize {
        let after = self.from(at + scheme.len() + 1);
        // A browser takes any number of slashes.
        let after = after.trim_start_matches(['/', '\\']);
        let authority = after.split(is_end_of_authority).next().unwrap_or_default();
        let (user, host_and_more) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let written = match host_and_more.split_inclusive(']').next() {
            Some(address) if address.starts_with('[') => address,
            _ => escaped_run(host_and_more),
        };
        let begin = self.text.len() - after.len();
        let end = begin + user.map_or(0, |user| user.len() + 1) + written.len();
        if written.is_empty() {
            return end.max(begin);
        }
        // A browser takes more than letters for a part of the host: `https://i❤.ws/x`.
        let is_cut = self.from(end).starts_with(|next: char| !next.is_ascii());
        self.finish(at, end, hosts::plain(written), user.is_some(), is_cut)
    }

    /// Reads what may be a link without a scheme: all of it, or what another script leaves of it.
    fn read_bare(&mut self, at: usize, run: &'a str) -> usize {
        let end = at + run.len();
        if run.contains(is_of_another_script) {
            let (mut from, mut is_found, mut next) = (at, false, end);
            for piece in run.split_inclusive(is_of_another_script) {
                let name = piece.trim_end_matches(is_of_another_script);
                if let Some(link_end) = self.read_name(from, name) {
                    (is_found, next) = (true, link_end.max(end));
                }
                from += piece.len();
            }
            if is_found {
                return next;
            }
        }
        self.read_name(at, run).unwrap_or(end)
    }

    /// Reads a link without a scheme from a name, and answers where to go on; nothing where it is none.
    fn read_name(&mut self, at: usize, name: &'a str) -> Option<usize> {
        let opened = name.trim_start_matches(is_no_begin);
        let at = at + name.len() - opened.len();
        let name = opened.trim_end_matches(is_no_begin);
        let (before, after) = (self.text.get(..at).unwrap_or_default(), self.from(at + opened.len()));
        if after.strip_prefix('@').is_some_and(|host| host.starts_with(is_of_host)) {
            return None;
        }
        let has_user = before.strip_suffix('@').is_some_and(|user| user.ends_with(char::is_alphanumeric));
        let path = after.strip_prefix(run_of_port(after)).unwrap_or_default();
        let has_path = path.starts_with(['/', '\\']) && path.len() > 1;
        if !self.is_link(name, has_path) || (has_user && !path.starts_with(is_end_of_authority)) {
            return None;
        }
        let end = at + if path.starts_with(is_end_of_authority) { opened.len() } else { name.len() };
        Some(self.finish(at, end, hosts::plain(name), has_user, false))
    }

    /// Whether a name is a link by itself.
    fn is_link(&self, name: &str, has_path: bool) -> bool {
        if !name.contains(hosts::is_dot) {
            return false;
        }
        let host = hosts::plain(name);
        hosts::is_name(&host, name, has_path) || (host.split('.').count() == 4 && hosts::is_numeric(&host))
    }

    /// Adds a link whose host ends at a byte of the word, with its path, or with all that follows where the host is cut, and answers where the
    /// next may begin.
    fn finish(&mut self, at: usize, end: usize, host: Cow<'a, str>, has_user: bool, is_cut: bool) -> usize {
        let port = run_of_port(self.from(end)).len();
        let rest = self.from(end + port);
        if !rest.starts_with(is_end_of_authority) && !is_cut {
            self.add(Link { place: at..end + port, host, has_user, rest: "" });
            return end + port;
        }
        self.add(Link { place: at..self.text.len(), host, has_user, rest });
        let path = run_of(rest, |character| !may_end_path(character));
        if self.from(end + port + path.len()).starts_with(['?', '#']) { self.text.len() } else { end + port + path.len() }
    }

    /// Adds a link, and ends the path of the one before where it begins.
    fn add(&mut self, link: Link<'a>) {
        let place = self.start + link.place.start..self.start + link.place.end;
        if let Some(last) = self.found.last_mut()
            && last.place.end > place.start
        {
            let kept = last.rest.len().saturating_sub(last.place.end - place.start);
            last.rest = last.rest.get(..kept).unwrap_or_default();
            last.place.end = place.start;
        }
        self.found.push(Link { place, ..link });
    }
}

/// The characters at the begin of a text that are so.
fn run_of(text: &str, mut is_so: impl FnMut(char) -> bool) -> &str {
    text.get(..text.find(|character| !is_so(character)).unwrap_or(text.len())).unwrap_or_default()
}

/// The host at the begin of a text, percent signs included.
fn escaped_run(text: &str) -> &str {
    let mut end = 0;
    while let Some(rest) = text.get(end..) {
        let run = run_of(rest, is_of_host).len();
        end += run;
        if hosts::escaped(rest.as_bytes().get(run..).unwrap_or_default()).is_none() {
            break;
        }
        end += 3;
    }
    text.get(..end).unwrap_or_default()
}

/// A colon and one to five digits at the begin of a text, with no letter behind.
fn run_of_port(text: &str) -> &str {
    let digits = text.strip_prefix(':').map_or("", |after| run_of(after, |character| character.is_ascii_digit()));
    let is_port = (1..=5).contains(&digits.len()) && !text.get(1 + digits.len()..).unwrap_or_default().starts_with(char::is_alphanumeric);
    text.get(..if is_port { 1 + digits.len() } else { 0 }).unwrap_or_default()
}

/// Whether a word with a colon behind it is run by a browser: `javascript:`, or `data:` with a kind and a comma.
fn is_script(scheme: &str, after: &str) -> bool {
    let has_kind = || {
        let data = after.get(1..).unwrap_or_default();
        let kind = run_of(data, |part| part.is_ascii_alphanumeric() || matches!(part, '/' | '+' | '-' | '.' | ';' | '=' | '_'));
        kind.contains('/') && data.get(kind.len()..).is_some_and(|rest| rest.starts_with(','))
    };
    (scheme.eq_ignore_ascii_case("javascript") && after.len() > 1) || (scheme.eq_ignore_ascii_case("data") && has_kind())
}

const fn is_end_of_authority(character: char) -> bool {
    matches!(character, '/' | '?' | '#' | '\\')
}

/// What stands around names more often than in them.
fn is_no_begin(character: char) -> bool {
    hosts::is_dot(character) || matches!(character, '-' | '_')
}

/// Where a path ends for some phones, and goes on for others; behind a question mark nothing ends it.
fn may_end_path(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ')' | ']' | '}' | ',' | ';' | '!' | '*' | '?' | '#');
    }
    hosts::is_dot(character) || is_of_another_script(character) || !is_of_host(character)
}

/// What stands before a question mark and before what only the browser reads.
pub(super) fn path(rest: &str) -> &str {
    rest.split(['?', '#']).next().unwrap_or_default()
}

impl Link<'_> {
    /// What speaks against it, whoever sends it.
    pub(super) fn signals(&self, found: &mut impl FnMut(Signal)) {
        let host = &*self.host;
        let facts = [
            (Signal::LinkExecutable, self.is_executable()),
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

    /// Whether it leads to a program, or is one.
    pub(super) fn is_executable(&self) -> bool {
        let is_script = self.host.is_empty();
        is_script || hosts::is_executable(path(self.rest)) || (self.rest.is_empty() && hosts::is_executable_name(&self.host))
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
    fn what_is_glued_to_a_link_hides_it_not() {
        for (text, hosts) in [
            ("Update:evil.example/app.apk", &["evil.example"][..]),
            ("Pay now!bit.ly/3x", &["bit.ly"]),
            ("here,bit.ly/3x", &["bit.ly"]),
            ("(see)paypa1.com/x", &["paypa1.com"]),
            ("x=bit.ly/3x", &["bit.ly"]),
            ("*bit.ly/3x*", &["bit.ly"]),
            ("_bit.ly/3x_", &["bit.ly"]),
            ("50%bit.ly/3x", &["bit.ly"]),
            ("Thanks...bit.ly/3x", &["bit.ly"]),
            ("👉bit.ly/3x👈", &["bit.ly"]),
            ("👉️bit.ly/3x", &["bit.ly"]),
            ("1️⃣bit.ly/3x", &["bit.ly"]),
            ("now·bit.ly/3x", &["bit.ly"]),
            ("看bit.ly/3x", &["bit.ly"]),
            ("请访问bank.example。谢谢", &["bank.example"]),
            ("bit.ly看", &["bit.ly"]),
            ("例え.example/x", &["例え.example"]),
            ("看https://evil.cfd/x.apk", &["evil.cfd"]),
            ("own.example,evil.example/x.apk", &["own.example", "evil.example"]),
            ("own.example/x)evil.example/x.apk", &["own.example", "evil.example"]),
            ("own.example/x👉evil.example/x.apk", &["own.example", "evil.example"]),
            ("https://own.example,https://evil.example", &["own.example", "evil.example"]),
            ("https://evil.example,x.own.example/app.apk", &["evil.example", "x.own.example"]),
            ("https://own.example$.evil.example/x", &["own.example", "evil.example"]),
            ("https:/evil.example/x", &["evil.example"]),
            ("https:///evil.example/x", &["evil.example"]),
            ("evil.example:8080/x", &["evil.example"]),
            ("bit.ly./x", &["bit.ly"]),
        ] {
            assert_eq!(hosts_of(text), hosts, "{text:?}");
        }
    }

    #[test]
    fn a_path_goes_on_to_the_next_link() {
        let text = "own.example/a)evil.example/b?c,d.example";
        let places: Vec<_> = links(text).into_iter().filter_map(|link| text.get(link.place)).collect();
        assert_eq!(places, ["own.example/a)", "evil.example/b?c,d.example"]);
    }

    #[test]
    fn every_listed_host_is_found_in_a_text() {
        for host in hosts::listed() {
            assert_eq!(hosts_of(&alloc::format!("see {host}/x")), [host]);
            assert_eq!(hosts_of(&alloc::format!("see:{host}")), [host]);
        }
    }

    #[test]
    fn an_ending_that_is_not_listed_is_one_before_a_path() {
        for host in ["evil.zuerich", "t.aero", "www.evil.zuerich", "evil.xn--p1ai"] {
            assert_eq!(hosts_of(&alloc::format!("{host}/x")), [host.trim_start_matches("www.")]);
        }
        assert_eq!(hosts_of("www.evil.zuerich"), ["evil.zuerich"]);
    }

    #[test]
    fn a_host_is_judged_as_a_browser_reads_it() {
        for text in [
            "https://ｂｉｔ.ly/x",
            "https://ⓑⓘⓣ.ly/x",
            "https://bit\u{AD}.ly/x",
            "https://bit｡ly/x",
            "https://%62it.ly/x",
            "ｂｉｔ.ly/x",
            "BIT.LY/x",
        ] {
            check(text, &[Signal::LinkShortener]);
        }
        for text in ["http://0313.0.0161.7/", "http://203.28935/", "http://203.0.113.7./x", "http://%32%30%33.0.113.7/x"] {
            check(text, &[Signal::LinkNumericHost]);
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "Total 42.10 EUR.",
            "Thank you.Bye",
            "Thank you.Best regards",
            "e.g. at 9.30",
            "mail us: desk@kiteway.example",
            "mail first.last@kiteway.example,or call",
            "v2.1.3",
            "Dr.Amari",
            "Dr.Amari/Dr.Lee",
            "a.m.",
            "a.m./p.m.",
            "10.am",
            "9.30.am",
            "and/or",
            "1.Open the app/menu",
            "1.In/out",
            "31.Dec/1.Jan",
            "Mon.-Fri./Sat.",
            "inkl.MwSt/Versand",
            "B.Com/M.Com",
            "Order 12345678/2",
            "Invoice 2026.10/11",
            "3.5/5",
            "Data:5GB,calls:10",
            "U.S./Canada",
            "Hello...world",
            "1,234.50/month",
            "9.30。谢谢",
        ] {
            assert_eq!(hosts_of(text), Vec::<String>::new(), "{text:?}");
        }
    }

    #[test]
    fn time_grows_with_the_text_alone() {
        // Each would take a minute if anything were read again for each link.
        for part in ["a.co/,", "a://b,", "data:", "a.co/👉", "看a.co", "..a.co", "a@", "a.co:1", "x://@", "ⓐ.co/,", "a.看", "-.", "%62."]
        {
            let text = part.repeat(64 * 1024 / part.len());
            assert!(links(&text).len() < text.len());
            assert!(links(&alloc::format!("https://{text}")).len() < text.len());
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
        check("see:data:text/html,x", &[Signal::LinkExecutable]);
        check("https://i❤.ws/a.apk", &[Signal::LinkExecutable]);
        check("https://[2001:db8::1]:8080/a.apk", &[Signal::LinkExecutable, Signal::LinkNumericHost]);
        check("https://a.example/x.%61pk", &[Signal::LinkExecutable]);
        check("a.example/x.apk,thanks", &[Signal::LinkExecutable]);
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
