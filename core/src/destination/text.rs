//! Text: reading a URL as it was typed.
//!
//! The WHATWG URL standard, by which URLs are read elsewhere, drops or maps what would be a warning sign: white space, a backslash, an
//! empty user name, percent-encoding in the host, full-width digits. So the typed text is looked at first, and what readers are known
//! to differ on is refused. Then the standard's reader has the last word, and must see the same destination.

use alloc::string::String;
use core::net::Ipv6Addr;

use url::{Host, Url};

use super::RefusalClass::{self, *};
use super::{Destination, DestinationHost, HostName, idn, ipv4, name};

/// How much is read.
const BYTES_MAX: usize = 2048;

/// Reads what was typed into a destination whose address and port are still to be judged. In development, plain HTTP and `localhost`
/// pass; `names` pass though they are closed to others.
pub(super) fn read(text: &str, development: bool, names: &[String]) -> Result<Destination, RefusalClass> {
    ensure(text.len() <= BYTES_MAX, UrlLength)?;
    let (is_https, rest) = read_scheme(text, development)?;
    let (authority, tail) = split_authority(rest)?;
    let (host, port) = split_port(authority)?;
    let port = port.unwrap_or(if is_https { 443 } else { 80 });
    let is_open = |name: &str| (development && name == "localhost") || names.iter().any(|open| open == name);
    let host = read_host(host, tail, &is_open)?;
    confirm(text, is_https, host, port)
}

fn ensure(holds: bool, otherwise: RefusalClass) -> Result<(), RefusalClass> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// Whether it is HTTPS, and what follows the two slashes.
fn read_scheme(text: &str, development: bool) -> Result<(bool, &str), RefusalClass> {
    let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
    ensure(!scheme.contains(|character| is_blank(character) || is_separator(character)), ControlChars)?;
    let is_https = scheme.eq_ignore_ascii_case("https");
    let is_http = scheme.eq_ignore_ascii_case("http");
    if !is_https && !is_http {
        return Err(if is_scheme(scheme, rest) { SchemeOther } else { SchemeMissing });
    }
    ensure(is_https || development, SchemeHttp)?;
    ensure(!rest.is_empty(), SchemeMissing)?;
    ensure(!rest.starts_with(is_blank), ControlChars)?;
    rest.strip_prefix("//").map(|rest| (is_https, rest)).ok_or(SlashConfusion)
}

/// Whether it is a scheme, and not the host of a URL without one.
fn is_scheme(scheme: &str, rest: &str) -> bool {
    let is_formed = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let port = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    is_formed && !rest.is_empty() && !is_host
}

/// Host and port, and what follows them.
fn split_authority(rest: &str) -> Result<(&str, &str), RefusalClass> {
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.is_empty() && !tail.starts_with('\\') {
        return Err(if has_host_after_slashes(tail) { SlashConfusion } else { EmptyHost });
    }
    ensure(!tail.contains('\\'), Backslash)?;
    ensure(!tail.contains('#'), Fragment)?;
    ensure(!authority.contains('@'), Userinfo)?;
    Ok((authority, tail))
}

fn has_host_after_slashes(tail: &str) -> bool {
    let rest = tail.trim_start_matches('/');
    tail.starts_with('/') && !rest.is_empty() && !rest.starts_with(['?', '#'])
}

/// The host, with its brackets, and the port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), RefusalClass> {
    let (host, rest) = split_host(authority)?;
    ensure(!host.is_empty(), EmptyHost)?;
    match rest.strip_prefix(':') {
        Some(digits) => canonical_port(digits).map(|port| (host, Some(port))).ok_or(PortSyntax),
        None => Ok((host, None)),
    }
}

/// The host, with its brackets, and what follows: nothing, or a colon and the port.
fn split_host(authority: &str) -> Result<(&str, &str), RefusalClass> {
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(Ipv6Malformed)? + 1;
        let (host, rest) = authority.split_at(end);
        ensure(rest.is_empty() || rest.starts_with(':'), Ipv6Malformed)?;
        return Ok((host, rest));
    }
    ensure(!is_unbracketed_ipv6(authority), Ipv6Malformed)?;
    Ok(authority.split_at(authority.find(':').unwrap_or(authority.len())))
}

fn is_unbracketed_ipv6(authority: &str) -> bool {
    let has_brackets = authority.contains(['[', ']']);
    let is_hex = |character: char| character.is_ascii_hexdigit() || ":.%".contains(character);
    authority.matches(':').count() > 1 && (has_brackets || authority.chars().all(is_hex))
}

/// Plain digits without leading zeros.
fn canonical_port(digits: &str) -> Option<u16> {
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let is_padded = digits.len() > 1 && digits.starts_with('0');
    if is_plain && !is_padded { digits.parse().ok() } else { None }
}

fn read_host(host: &str, tail: &str, is_open: &dyn Fn(&str) -> bool) -> Result<DestinationHost, RefusalClass> {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(read_ipv6).transpose()?;
    let is_blank_in_host = |character| is_blank(character) && !is_separator(character);
    let is_blank_in_tail = |character| is_blank(character) || is_separator(character);
    ensure(!host.contains(is_blank_in_host) && !tail.contains(is_blank_in_tail), ControlChars)?;
    match literal {
        Some(address) => Ok(DestinationHost::V6(address)),
        None => read_name(host, is_open),
    }
}

/// A control character, or what is shown as nothing but room.
fn is_blank(character: char) -> bool {
    character.is_control() || character.is_whitespace()
}

/// A separator of lines, or a mark of byte order: in a host, one of the invisible characters.
fn is_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn read_ipv6(literal: &str) -> Result<Ipv6Addr, RefusalClass> {
    let (address, zone) = literal.split_once('%').map_or((literal, None), |(address, zone)| (address, Some(zone)));
    let address = address.parse().map_err(|_| Ipv6Malformed)?;
    ensure(zone.is_none(), Ipv6Zone)?;
    Ok(address)
}

fn read_name(host: &str, is_open: &dyn Fn(&str) -> bool) -> Result<DestinationHost, RefusalClass> {
    ensure(!host.contains('%'), PercentHost)?;
    ensure_characters(host)?;
    let typed = if host.is_ascii() { host.to_ascii_lowercase() } else { idn::to_ascii(host)? };
    if ipv4::is_meant(&typed) {
        return ipv4::parse(&typed).map(DestinationHost::V4);
    }
    let name = idn::to_ascii(&typed)?;
    match name::find_fault(&name) {
        Some(class) if !is_open(&name) => Err(class),
        _ => Ok(DestinationHost::Name(HostName(name.into()))),
    }
}

/// Letters, digits, hyphens, dots and underscores, and whatever lies beyond ASCII. Underscores are in use behind wildcard certificates.
fn ensure_characters(host: &str) -> Result<(), RefusalClass> {
    let is_foreign = |character: char| character.is_ascii() && !character.is_ascii_alphanumeric() && !"-._".contains(character);
    match host.split('.').find(|label| label.contains(is_foreign)) {
        Some(label) if label.to_ascii_lowercase().starts_with("xn--") => Err(IdnaPunycode),
        Some(_) => Err(HostChars),
        None => Ok(()),
    }
}

/// Gives the text to the reader of the WHATWG URL standard, and holds it against what was read here.
fn confirm(text: &str, is_https: bool, host: DestinationHost, port: u16) -> Result<Destination, RefusalClass> {
    let url = Url::parse(text).map_err(|_| Unreadable)?;
    let same_host = match (&host, url.host()) {
        (DestinationHost::Name(name), Some(Host::Domain(domain))) => name.as_str() == domain,
        (DestinationHost::V4(address), Some(Host::Ipv4(read))) => *address == read,
        (DestinationHost::V6(address), Some(Host::Ipv6(read))) => *address == read,
        _ => false,
    };
    let same_scheme = (url.scheme() == "https") == is_https;
    ensure(same_host && same_scheme && url.port_or_known_default() == Some(port), Unreadable)?;
    // What is stored must be readable again.
    ensure(url.as_str().len() <= BYTES_MAX, UrlLength)?;
    Destination::new(url.as_str(), host, port).ok_or(Unreadable)
}
