//! IPv4 spelling: the one that every reader understands in the same way, and the others.
//!
//! Readers differ on octal, hexadecimal, short and padded forms; some take them for names. Only four decimal numbers without leading
//! zeros pass. The others are read as the WHATWG URL standard reads them, to say what is wrong with them.

use core::net::Ipv4Addr;

use super::{RefusalClass, table};

/// Whether the host, in lower case, is meant as an IPv4 address: it ends in a number, or in what was meant for the last number of one.
pub(super) fn is_meant(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let (before, last) = host.rsplit_once('.').unwrap_or(("", host));
    let follows_numbers = !before.is_empty() && before.split('.').all(|part| !part.is_empty() && looks_numeric(part));
    looks_numeric(last) || (follows_numbers && last.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit()))
}

/// Decimal digits, or `0x` and hexadecimal digits, as the WHATWG URL standard tells whether a host ends in a number.
fn looks_numeric(part: &str) -> bool {
    match part.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit()),
    }
}

/// The address that the WHATWG URL standard reads in a host in lower case, in whatever way it is written.
pub(crate) fn read(host: &str) -> Option<Ipv4Addr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    value(host, host.split('.').count()).ok()
}

/// Reads a host that is meant as an IPv4 address.
pub(super) fn parse(host: &str) -> Result<Ipv4Addr, RefusalClass> {
    // The standard library reads the canonical form only.
    host.parse().map_err(|_| spelling(host))
}

/// What is wrong with it.
fn spelling(host: &str) -> RefusalClass {
    if host.ends_with('.') {
        return RefusalClass::Ipv4TrailingDot;
    }
    let parts = host.split('.').count();
    match value(host, parts) {
        Err(class) => class,
        Ok(address) if table::block_of(address.into()).is_none() => RefusalClass::Ipv4NoncanonicalPublic,
        Ok(_) => radix_class(host, parts),
    }
}

/// The address as the WHATWG URL standard reads it: the last number fills what the others leave.
fn value(host: &str, parts: usize) -> Result<Ipv4Addr, RefusalClass> {
    if parts > 4 {
        return Err(RefusalClass::Ipv4Malformed);
    }
    let mut bits: u64 = 0;
    for (index, part) in host.split('.').enumerate() {
        let is_last = index + 1 == parts;
        let octets = if is_last { 5 - parts } else { 1 };
        let number = part_value(part)?;
        if number >> (8 * octets) != 0 {
            return Err(RefusalClass::Ipv4Overflow);
        }
        bits = (bits << (8 * octets)) | number;
    }
    u32::try_from(bits).map(Ipv4Addr::from_bits).map_err(|_| RefusalClass::Ipv4Overflow)
}

fn part_value(part: &str) -> Result<u64, RefusalClass> {
    let (digits, radix) = match Radix::of(part) {
        Radix::Hex => (part.get(2..).unwrap_or_default(), 16),
        Radix::Octal => (part, 8),
        Radix::Decimal => (part, 10),
    };
    if part.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(RefusalClass::Ipv4Malformed);
    }
    if digits.is_empty() {
        return Ok(0);
    }
    u64::from_str_radix(digits, radix).map_err(|_| RefusalClass::Ipv4Overflow)
}

/// How a number is written.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Radix {
    Decimal,
    Hex,
    Octal,
}

impl Radix {
    fn of(part: &str) -> Self {
        if part.starts_with("0x") {
            Self::Hex
        } else if part.len() > 1 && part.starts_with('0') {
            Self::Octal
        } else {
            Self::Decimal
        }
    }
}

/// Named after how the first number is written; `mixed` where another number is written in another way that is not decimal, or where
/// a short form is not of one kind.
fn radix_class(host: &str, parts: usize) -> RefusalClass {
    let first = host.split('.').next().map_or(Radix::Decimal, Radix::of);
    let has = |radix| host.split('.').any(|part| Radix::of(part) == radix);
    match (has(Radix::Hex), has(Radix::Octal)) {
        (true, true) => RefusalClass::Ipv4Mixed,
        (false, false) if parts == 1 => RefusalClass::Ipv4Dword,
        (false, false) => RefusalClass::Ipv4Short,
        (true, false) | (false, true) if parts < 4 && first == Radix::Decimal => RefusalClass::Ipv4Mixed,
        (true, false) => RefusalClass::Ipv4Hex,
        (false, true) => RefusalClass::Ipv4Octal,
    }
}
