//! Hosts: what is known of the names in links.
//!
//! The lists are short on purpose: the names that people meet. A deployer's own reputation service belongs in front of the gateway.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

use crate::destination::ipv4;

/// A host as a browser reads it, in small letters, without `www.` and the dot at its end: percent signs are decoded, and letters are those
/// that UTS #46 maps them to. Labels in Punycode stay as they are. What is plain already costs nothing.
pub(super) fn plain(written: &str) -> Cow<'_, str> {
    let is_plain = written.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase() && byte != b'%');
    if is_plain {
        return Cow::Borrowed(bare(written));
    }
    let decoded = percent_decoded(written);
    let labels: Vec<Cow<'_, str>> = decoded.split(is_dot).map(plain_label).collect();
    let host = labels.join(".");
    match bare(&host) {
        bare if bare.len() < host.len() => Cow::Owned(String::from(bare)),
        _ => Cow::Owned(host),
    }
}

fn bare(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host)
}

fn plain_label(label: &str) -> Cow<'_, str> {
    if label.is_ascii() {
        return Cow::Owned(label.to_ascii_lowercase());
    }
    // What it refuses is replaced by a character that stands in no name.
    Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow).0
}

/// What stands between labels: the full stop, and what UTS #46 takes for one.
pub(super) const fn is_dot(character: char) -> bool {
    matches!(character, '.' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}')
}

/// A text with its percent signs decoded, once.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match escaped(rest) {
            Some(byte) => {
                bytes.push(byte);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The byte that a percent sign and two digits stand for.
pub(super) fn escaped(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match bytes {
        [b'%', high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// Whether it is an IP address in any form that browsers take: with dots, as one number, in hexadecimal or octal digits.
pub(super) fn is_numeric(host: &str) -> bool {
    host.starts_with('[') || ipv4::read(host).is_some()
}

/// Whether a name without a scheme is one that a phone makes a link of: labels of letters, digits and hyphens, and an ending that exists.
/// Where a path follows, or it begins with `www.`, any ending of letters will do. `host` is what was `written`, made plain.
pub(super) fn is_name(host: &str, written: &str, has_path: bool) -> bool {
    let Some((labels, ending)) = host.rsplit_once('.') else { return false };
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_');
    if !labels.split('.').all(is_label) {
        return false;
    }
    let own = labels.rsplit('.').next().unwrap_or_default();
    let is_spelled = own.contains(char::is_alphabetic) || matches!(ending, "com" | "net" | "org" | "cn");
    let begins_sentence = is_capitalized(written);
    let is_known = ENDINGS.binary_search(&ending).is_ok() || EXECUTABLE.binary_search(&ending).is_ok() || ending.starts_with("xn--");
    let has_path = has_path || written.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."));
    if is_known && is_spelled {
        let is_long = own.len() >= 2 || labels.contains('.');
        let is_word = !has_path && begins_sentence && WORDS.binary_search(&ending).is_ok();
        if (is_long && !is_word) || (has_path && !begins_sentence) {
            return true;
        }
    }
    let may_be_ending = ending.len() >= 2 && ending.bytes().all(|byte| byte.is_ascii_lowercase());
    (has_path && may_be_ending && is_spelled && !begins_sentence) || is_listed(host)
}

/// Whether the last label begins as a sentence does: `you.Bye`, `Dr.Amari`.
fn is_capitalized(written: &str) -> bool {
    let mut letters = written.trim_end_matches(is_dot).rsplit(is_dot).next().unwrap_or_default().chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
}

/// Whether it stands in one of the lists of hosts.
fn is_listed(host: &str) -> bool {
    is_shortener(host) || is_link_in_bio(host) || is_dynamic_dns(host)
}

/// Whether a path, or the name of a file, ends in what a machine runs; also where a text goes on behind it: `app.apk,see`.
pub(super) fn is_executable(path: &str) -> bool {
    let decoded = percent_decoded(path);
    let name = decoded.rsplit(['/', '\\']).next().unwrap_or_default().trim_end_matches(|last: char| !last.is_alphanumeric());
    let mut parts = name.rsplit([',', ';', '!', '(', ')', '*', '\'', '=', '&']);
    parts.next().is_some_and(ends_executable) || parts.any(is_executable_name)
}

/// Whether a name without a path is one of a file that a machine runs, and of no host.
pub(super) fn is_executable_name(name: &str) -> bool {
    ends_executable(name) && name.rsplit_once('.').is_none_or(|(_, ending)| !ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

fn ends_executable(name: &str) -> bool {
    let Some((_, ending)) = name.rsplit_once('.') else { return false };
    EXECUTABLE.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

/// Whether a label has letters of Latin and of another script that looks like it.
pub(super) fn is_mixed_script(host: &str) -> bool {
    if host.is_ascii() {
        return false;
    }
    host.split('.').any(|label| {
        let latin = label.bytes().any(|byte| byte.is_ascii_alphabetic());
        latin && label.chars().any(|letter| matches!(letter, '\u{370}'..='\u{52F}' | '\u{1D00}'..='\u{1DBF}' | '\u{A720}'..='\u{A7FF}'))
    })
}

/// Whether it only leads on.
pub(super) fn is_shortener(host: &str) -> bool {
    SHORTENERS.binary_search(&host).is_ok()
}

/// Whether it is a page of links that anybody can make.
pub(super) fn is_link_in_bio(host: &str) -> bool {
    LINK_IN_BIO.binary_search(&host).is_ok()
}

/// Whether it is a name that moves with whoever holds it.
pub(super) fn is_dynamic_dns(host: &str) -> bool {
    DYNAMIC_DNS.iter().any(|domain| is_under(host, domain))
}

/// Whether anybody can have a name or a page of their own under it.
pub(super) fn is_shared(host: &str) -> bool {
    SHARED.binary_search(&host).is_ok()
}

/// Whether a host is a domain, or a name under it.
pub(super) fn is_under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a name is made to be followed: `bank-verify`, `parcel-fee`.
pub(super) fn is_bait(host: &str) -> bool {
    let own = own_label(host);
    own.contains('-') && own.split('-').any(|part| BAIT.binary_search(&part).is_ok())
}

/// The label that somebody registered: the last one before the public ending.
pub(super) fn own_label(host: &str) -> &str {
    let mut labels = host.rsplit('.');
    labels.next();
    let second = labels.next().unwrap_or_default();
    let is_public = matches!(second, "co" | "com" | "net" | "org" | "gov" | "gob" | "ac" | "edu" | "go" | "or" | "ne");
    if is_public { labels.next().unwrap_or_default() } else { second }
}

/// Whether a name is near a brand's that many are phished under, and not the brand's: one letter more, less or other, digits for letters,
/// or the brand with something added.
pub(super) fn imitates_a_brand(host: &str) -> bool {
    let own = own_label(host);
    BRANDS.iter().any(|(brand, domains)| !domains.iter().any(|domain| is_under(host, domain)) && imitates(own, brand))
        || host.split('.').rev().skip(2).any(|label| {
            BRANDS
                .iter()
                .any(|(brand, domains)| label == *brand && brand.len() >= 6 && !domains.iter().any(|domain| is_under(host, domain)))
        })
}

/// Whether `label` is meant to be read as `name`.
pub(super) fn imitates(label: &str, name: &str) -> bool {
    if label == name {
        return false;
    }
    let is_part = name.len() >= 5 && label.split('-').any(|part| part == name);
    is_part || (name.len() >= 5 && (is_near(label, name) || label.split('-').any(|part| part != label && is_near(part, name))))
}

/// Whether two words differ by look-alike digits, or by one letter that was changed, left out, added or swapped with its neighbor.
fn is_near(word: &str, name: &str) -> bool {
    let (word, name) = (word.as_bytes(), name.as_bytes());
    if word == name || word.len().abs_diff(name.len()) > 1 {
        return false;
    }
    if word.len() == name.len() && word.iter().zip(name).all(|(one, other)| one == other || is_digit_for(*one, *other)) {
        return true;
    }
    let head = word.iter().zip(name).take_while(|(one, other)| one == other).count();
    let tail = word.iter().rev().zip(name.iter().rev()).take_while(|(one, other)| one == other).count();
    let longest = word.len().max(name.len());
    let differs_by_one = head + tail + 1 >= longest;
    let is_swapped = word.len() == name.len() && head + tail + 2 == longest && word.get(head) == name.get(head + 1);
    // Short names have too many neighbors.
    name.len() >= 6 && (differs_by_one || is_swapped)
}

const fn is_digit_for(digit: u8, letter: u8) -> bool {
    matches!((digit, letter), (b'0', b'o') | (b'1', b'l' | b'i') | (b'3', b'e') | (b'4', b'a') | (b'5', b's') | (b'7', b't'))
}

/// Endings of names, sorted.
const ENDINGS: &[&str] = &[
    "ac",
    "accountant",
    "ae",
    "ag",
    "agency",
    "ai",
    "al",
    "am",
    "app",
    "ar",
    "asia",
    "at",
    "au",
    "autos",
    "az",
    "ba",
    "bank",
    "bar",
    "bd",
    "be",
    "beauty",
    "best",
    "bet",
    "bg",
    "bh",
    "bid",
    "bio",
    "biz",
    "blog",
    "boats",
    "bond",
    "bot",
    "br",
    "business",
    "buzz",
    "by",
    "bz",
    "ca",
    "cam",
    "care",
    "cash",
    "casino",
    "cat",
    "cc",
    "center",
    "cf",
    "cfd",
    "ch",
    "charity",
    "chat",
    "city",
    "cl",
    "click",
    "clinic",
    "cloud",
    "club",
    "cn",
    "co",
    "com",
    "company",
    "cool",
    "coop",
    "cr",
    "credit",
    "cricket",
    "cy",
    "cyou",
    "cz",
    "date",
    "de",
    "deals",
    "delivery",
    "dev",
    "digital",
    "direct",
    "dk",
    "do",
    "domains",
    "download",
    "dz",
    "ec",
    "edu",
    "education",
    "ee",
    "eg",
    "email",
    "energy",
    "es",
    "eu",
    "events",
    "example",
    "exchange",
    "express",
    "faith",
    "fi",
    "finance",
    "fit",
    "fm",
    "forum",
    "foundation",
    "fr",
    "fun",
    "fund",
    "ga",
    "gal",
    "games",
    "gd",
    "ge",
    "gg",
    "gh",
    "gifts",
    "gl",
    "global",
    "gob",
    "gold",
    "gov",
    "gq",
    "gr",
    "group",
    "gt",
    "guru",
    "gy",
    "hair",
    "health",
    "help",
    "hk",
    "homes",
    "host",
    "house",
    "hr",
    "hu",
    "icu",
    "id",
    "ie",
    "il",
    "im",
    "in",
    "info",
    "ink",
    "int",
    "international",
    "invalid",
    "io",
    "iq",
    "ir",
    "is",
    "it",
    "jo",
    "jobs",
    "jp",
    "ke",
    "kg",
    "kr",
    "kw",
    "kz",
    "la",
    "lat",
    "lb",
    "lc",
    "legal",
    "lgbt",
    "li",
    "life",
    "link",
    "live",
    "lk",
    "loan",
    "loans",
    "lol",
    "lt",
    "ltd",
    "ltda",
    "lu",
    "lv",
    "ly",
    "ma",
    "makeup",
    "management",
    "market",
    "marketing",
    "md",
    "me",
    "media",
    "men",
    "mil",
    "mk",
    "ml",
    "mobi",
    "mom",
    "money",
    "monster",
    "motorcycles",
    "mov",
    "movie",
    "mu",
    "mx",
    "my",
    "name",
    "net",
    "network",
    "news",
    "ng",
    "ninja",
    "nl",
    "no",
    "np",
    "nu",
    "nz",
    "om",
    "one",
    "online",
    "ooo",
    "org",
    "page",
    "party",
    "pe",
    "ph",
    "photos",
    "pics",
    "pink",
    "pk",
    "pl",
    "plus",
    "poker",
    "press",
    "pro",
    "promo",
    "properties",
    "pt",
    "pw",
    "py",
    "qa",
    "quest",
    "racing",
    "re",
    "red",
    "rent",
    "report",
    "rest",
    "review",
    "reviews",
    "rip",
    "ro",
    "rocks",
    "rodeo",
    "rs",
    "ru",
    "run",
    "sa",
    "sale",
    "sbs",
    "sc",
    "science",
    "se",
    "services",
    "sg",
    "sh",
    "shop",
    "si",
    "site",
    "sk",
    "skin",
    "sn",
    "so",
    "social",
    "solutions",
    "space",
    "st",
    "store",
    "stream",
    "studio",
    "style",
    "su",
    "support",
    "surf",
    "sv",
    "sx",
    "systems",
    "taxi",
    "tc",
    "team",
    "tech",
    "th",
    "tips",
    "tk",
    "tn",
    "to",
    "today",
    "tools",
    "top",
    "town",
    "tr",
    "trade",
    "trading",
    "training",
    "travel",
    "tv",
    "tw",
    "ua",
    "ug",
    "uk",
    "uno",
    "us",
    "uy",
    "uz",
    "ve",
    "ventures",
    "vg",
    "video",
    "vip",
    "vn",
    "vu",
    "wang",
    "watch",
    "webcam",
    "website",
    "wiki",
    "win",
    "wine",
    "work",
    "world",
    "ws",
    "wtf",
    "xyz",
    "yachts",
    "za",
    "zip",
    "zone",
    "zw",
];

/// Endings that are words with which sentences begin, sorted: `Thank you.Best`.
const WORDS: &[&str] = &[
    "al", "am", "at", "be", "best", "by", "do", "help", "in", "is", "it", "me", "my", "no", "one", "so", "to", "today", "us", "win", "work",
];

/// Endings of files that a machine runs, sorted.
const EXECUTABLE: &[&str] = &[
    "apk",
    "apks",
    "bat",
    "cmd",
    "com",
    "deb",
    "dmg",
    "docm",
    "dotm",
    "exe",
    "hta",
    "img",
    "ipa",
    "iso",
    "jar",
    "js",
    "jse",
    "lnk",
    "mobileconfig",
    "msi",
    "msix",
    "one",
    "pif",
    "pkg",
    "pptm",
    "ps1",
    "rpm",
    "scr",
    "vbe",
    "vbs",
    "vhd",
    "wsf",
    "xapk",
    "xlam",
    "xlsm",
];

/// Words that make a name worth following, sorted.
const BAIT: &[&str] = &[
    "alert",
    "auth",
    "bonus",
    "cancel",
    "cash",
    "claim",
    "claims",
    "confirm",
    "confirmation",
    "customs",
    "fee",
    "fees",
    "fine",
    "fines",
    "gift",
    "gifts",
    "kyc",
    "limited",
    "login",
    "logon",
    "lottery",
    "official",
    "payout",
    "prize",
    "prizes",
    "promo",
    "reactivate",
    "recover",
    "recovery",
    "redeliver",
    "redelivery",
    "refund",
    "refunds",
    "release",
    "renew",
    "restore",
    "reward",
    "rewards",
    "secure",
    "security",
    "signin",
    "suspend",
    "suspended",
    "unlock",
    "unpaid",
    "update",
    "updates",
    "validate",
    "validation",
    "verifica",
    "verificar",
    "verification",
    "verifikasi",
    "verify",
    "wallet",
    "win",
    "winner",
];

const SHORTENERS: &[&str] = &[
    "adf.ly",
    "bit.do",
    "bit.ly",
    "bitly.com",
    "buff.ly",
    "clck.ru",
    "cutt.ly",
    "cutt.us",
    "dub.sh",
    "goo.gl",
    "goo.su",
    "is.gd",
    "kutt.it",
    "lnkd.in",
    "ow.ly",
    "qrco.de",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "shorturl.at",
    "shorturl.com",
    "surl.li",
    "t.co",
    "t.ly",
    "tiny.cc",
    "tinyurl.com",
    "trib.al",
    "u.to",
    "v.gd",
    "vk.cc",
];

const LINK_IN_BIO: &[&str] = &[
    "beacons.ai",
    "bio.fm",
    "bio.link",
    "bio.site",
    "campsite.bio",
    "heylink.me",
    "linkin.bio",
    "linktr.ee",
    "lnk.bio",
    "solo.to",
    "taplink.cc",
];

const DYNAMIC_DNS: &[&str] = &[
    "ddns.net",
    "ddnsfree.com",
    "duckdns.org",
    "dyndns.org",
    "dynu.net",
    "freeddns.org",
    "hopto.org",
    "mywire.org",
    "myftp.biz",
    "ngrok.io",
    "ngrok-free.app",
    "no-ip.org",
    "noip.me",
    "serveo.net",
    "servebeer.com",
    "sytes.net",
    "trycloudflare.com",
    "zapto.org",
];

/// Names under which anybody can have their own, sorted: the best known of the hosts that publish for others, and of the registries that are not
/// called `co` or `com`.
const SHARED: &[&str] = &[
    "000webhostapp.com",
    "altervista.org",
    "amazonaws.com",
    "amplifyapp.com",
    "appspot.com",
    "av.tr",
    "azurewebsites.net",
    "b-cdn.net",
    "bbs.tr",
    "biz.id",
    "biz.tr",
    "blogger.com",
    "blogspot.com",
    "br.com",
    "carrd.co",
    "cloudfront.net",
    "cn.com",
    "de.com",
    "desa.id",
    "docs.google.com",
    "dr.tr",
    "drive.google.com",
    "dropbox.com",
    "eu.com",
    "eu.org",
    "facebook.com",
    "firebaseapp.com",
    "firm.in",
    "fly.dev",
    "forms.gle",
    "framer.app",
    "framer.website",
    "gb.net",
    "gen.in",
    "gen.tr",
    "github.io",
    "gitlab.io",
    "glitch.me",
    "godaddysites.com",
    "herokuapp.com",
    "in.net",
    "in.th",
    "ind.in",
    "info.tr",
    "instagram.com",
    "jimdosite.com",
    "jpn.com",
    "k12.tr",
    "linkedin.com",
    "lovable.app",
    "ltd.uk",
    "me.uk",
    "mediafire.com",
    "mega.nz",
    "mi.th",
    "my.canva.site",
    "my.id",
    "myshopify.com",
    "name.tr",
    "neocities.org",
    "netlify.app",
    "nhs.uk",
    "nic.in",
    "nom.br",
    "notion.site",
    "onedrive.live.com",
    "onrender.com",
    "pages.dev",
    "plc.uk",
    "plesk.page",
    "police.uk",
    "r2.dev",
    "repl.co",
    "replit.app",
    "ru.com",
    "s3.amazonaws.com",
    "sa.com",
    "sch.id",
    "sch.uk",
    "se.net",
    "sites.google.com",
    "square.site",
    "strikingly.com",
    "surge.sh",
    "t.me",
    "tel.tr",
    "telegra.ph",
    "telegram.me",
    "tiktok.com",
    "tumblr.com",
    "twitter.com",
    "uk.com",
    "uk.net",
    "up.railway.app",
    "us.com",
    "vercel.app",
    "wa.me",
    "web.app",
    "web.id",
    "web.tr",
    "web.za",
    "webflow.io",
    "weebly.com",
    "weeblysite.com",
    "wixsite.com",
    "wordpress.com",
    "workers.dev",
    "x.com",
    "yolasite.com",
    "youtube.com",
    "za.com",
];

/// Brands that many are phished under, with the names that are theirs.
const BRANDS: &[(&str, &[&str])] = &[
    ("amazon", &["amazon.com", "amazon.co.uk", "amazon.de", "amazon.in", "amazon.es", "amazon.fr", "amazon.it", "amazon.ae", "amazon.sa"]),
    ("apple", &["apple.com"]),
    ("barclays", &["barclays.com", "barclays.co.uk"]),
    ("caixabank", &["caixabank.es", "caixabank.com"]),
    ("chronopost", &["chronopost.fr"]),
    ("citibank", &["citibank.com"]),
    ("coinbase", &["coinbase.com"]),
    ("correos", &["correos.es", "correos.com"]),
    ("facebook", &["facebook.com"]),
    ("fedex", &["fedex.com"]),
    ("google", &["google.com"]),
    ("hermes", &["hermes.com", "myhermes.co.uk"]),
    ("instagram", &["instagram.com"]),
    ("microsoft", &["microsoft.com"]),
    ("netflix", &["netflix.com"]),
    ("paypal", &["paypal.com", "paypal.me"]),
    ("paytm", &["paytm.com", "paytm.in"]),
    ("rabobank", &["rabobank.nl", "rabobank.com"]),
    ("royalmail", &["royalmail.com"]),
    ("santander", &["santander.com", "santander.es", "santander.co.uk", "santander.com.br"]),
    ("telegram", &["telegram.org"]),
    ("wellsfargo", &["wellsfargo.com"]),
    ("whatsapp", &["whatsapp.com"]),
];

/// Every host that is listed for what it is.
#[cfg(test)]
pub(super) fn listed() -> impl Iterator<Item = &'static str> {
    SHORTENERS.iter().chain(LINK_IN_BIO).chain(DYNAMIC_DNS).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        for list in [ENDINGS, WORDS, EXECUTABLE, BAIT, SHORTENERS, LINK_IN_BIO, SHARED] {
            let wrong = list.windows(2).find(|two| !matches!(two, [one, other] if one < other));
            assert_eq!(wrong, None);
        }
    }

    #[test]
    fn a_host_is_what_a_browser_reads() {
        for (written, host) in [
            ("www.Bank.example.", "bank.example"),
            ("ｂｉｔ.ly", "bit.ly"),
            ("ⓑⓘⓣ.ly", "bit.ly"),
            ("𝐛𝐢𝐭.ly", "bit.ly"),
            ("bit\u{AD}.ly", "bit.ly"),
            ("bit｡ly", "bit.ly"),
            ("%62it.ly", "bit.ly"),
            ("%E2%93%91it%2Ely", "bit.ly"),
            ("Größe.example", "größe.example"),
            ("xn--kstrel-bua.example", "xn--kstrel-bua.example"),
        ] {
            assert_eq!(plain(written), host, "{written:?}");
        }
        assert!(matches!(plain("www.bank.example"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_address_is_one_in_every_form() {
        for (host, expected) in [
            ("203.0.113.7", true),
            ("0313.0.0161.7", true),
            ("203.28935", true),
            ("0xcb007107", true),
            ("3405803783", true),
            ("[2001:db8::1]", true),
            ("1.2.3.400", false),
            ("1.2.3.4.5", false),
            ("7.example", false),
        ] {
            assert_eq!(is_numeric(host), expected, "{host}");
        }
    }

    #[test]
    fn a_program_is_known_by_the_end_of_its_name() {
        for (name, expected) in [
            ("Invoice(1).apk", true),
            ("update!.apk", true),
            ("a.apk", true),
            ("x.%61pk", true),
            ("files%2Fapp.apk", true),
            ("app.apk,see", true),
            ("app.apk.", true),
            ("invoice.apk.pdf", false),
            ("Booking.com(1).pdf", false),
            ("apk", false),
        ] {
            assert_eq!(is_executable(name), expected, "{name}");
        }
    }

    #[test]
    fn an_imitation_is_near_and_not_the_same() {
        for (label, name, expected) in [
            ("paypal", "paypal", false),
            ("paypa1", "paypal", true),
            ("paypall", "paypal", true),
            ("payapl", "paypal", true),
            ("paypal-refund", "paypal", true),
            ("payroll", "paypal", false),
            ("kestrelbank", "kestrel", false),
            ("apply", "apple", false),
        ] {
            assert_eq!(imitates(label, name), expected, "{label}");
        }
    }

    #[test]
    fn a_brand_is_itself_under_its_own_names_only() {
        assert!(!imitates_a_brand("www.paypal.com"));
        assert!(imitates_a_brand("paypal.account.example"));
        assert!(imitates_a_brand("netfl1x.example"));
        assert!(!imitates_a_brand("orders.fernhill.example"));
    }

    #[test]
    fn the_own_label_stands_before_the_public_ending() {
        for (host, label) in [("a.b.example", "b"), ("shop.kite.co.uk", "kite"), ("x", "")] {
            assert_eq!(own_label(host), label);
        }
    }
}
