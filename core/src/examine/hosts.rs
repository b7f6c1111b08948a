//! Hosts: what is known of the names in links.
//!
//! The lists are short on purpose: the names that people meet. A deployer's own reputation service belongs in front of the gateway.

/// Whether it is an IPv4 address in any form that browsers take: with dots, as one number, in hexadecimal or octal digits.
pub(super) fn is_numeric(host: &str) -> bool {
    let is_number = |part: &str| {
        let hex = part.strip_prefix("0x");
        let digits = hex.unwrap_or(part);
        !digits.is_empty() && digits.bytes().all(|byte| if hex.is_some() { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() })
    };
    let parts = host.split('.').count();
    (parts == 4 || (parts == 1 && (host.len() >= 8 || host.starts_with("0x")))) && host.split('.').all(is_number) && !is_version(host)
        || host.starts_with('[')
}

/// `1.2.3.4` with a part above 255 is no address.
fn is_version(host: &str) -> bool {
    host.contains('.') && host.split('.').any(|part| part.parse::<u32>().is_ok_and(|number| number > 255))
}

/// Whether it is a name that a phone makes a link of: labels of letters, digits and hyphens, and an ending that exists.
pub(super) fn is_name(host: &str) -> bool {
    let Some((labels, ending)) = host.rsplit_once('.') else { return false };
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_');
    let has_letter = labels.rsplit('.').next().is_some_and(|label| label.len() >= 2 || labels.contains('.'));
    has_letter && labels.split('.').all(is_label) && (ENDINGS.binary_search(&ending).is_ok() || EXECUTABLE.binary_search(&ending).is_ok())
}

/// Whether a path, or the name of a file, ends in what a machine runs.
pub(super) fn is_executable(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, ending)) = name.rsplit_once('.') else { return false };
    EXECUTABLE.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

/// Whether a name without a path is one of a file that a machine runs, and of no host.
pub(super) fn is_executable_name(name: &str) -> bool {
    is_executable(name) && name.rsplit_once('.').is_none_or(|(_, ending)| ENDINGS.binary_search(&ending).is_err())
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
    "ac", "ae", "ag", "agency", "ai", "am", "app", "ar", "asia", "at", "au", "az", "ba", "bank", "bd", "be", "bg", "bh", "bid", "bio",
    "biz", "blog", "br", "by", "bz", "ca", "care", "cat", "cc", "center", "cf", "ch", "cl", "click", "clinic", "cloud", "club", "cn", "co",
    "com", "company", "coop", "cr", "cy", "cz", "date", "de", "dev", "digital", "dk", "do", "dz", "ec", "edu", "ee", "eg", "es", "eu",
    "example", "fi", "finance", "fr", "fun", "ga", "ge", "gg", "gh", "gl", "global", "gob", "gov", "gq", "gr", "group", "gt", "health",
    "help", "hk", "host", "hr", "hu", "icu", "id", "ie", "il", "in", "info", "ink", "int", "invalid", "io", "iq", "ir", "is", "it", "jo",
    "jobs", "jp", "ke", "kg", "kr", "kw", "kz", "la", "lat", "lb", "li", "life", "link", "live", "lk", "loan", "lt", "lu", "lv", "ly",
    "ma", "market", "md", "me", "mil", "mk", "ml", "mobi", "monster", "mx", "my", "name", "net", "network", "news", "ng", "nl", "no", "np",
    "nz", "om", "one", "online", "org", "page", "pe", "ph", "pk", "pl", "pro", "pt", "pw", "py", "qa", "quest", "re", "rest", "ro", "rs",
    "ru", "sa", "sbs", "se", "services", "sg", "sh", "shop", "si", "site", "sk", "sn", "so", "social", "space", "st", "store", "su",
    "support", "sv", "systems", "team", "tech", "th", "tips", "tk", "tn", "to", "today", "top", "tr", "travel", "tv", "tw", "ua", "ug",
    "uk", "us", "uy", "uz", "ve", "vip", "vn", "vu", "website", "win", "work", "world", "ws", "wtf", "xyz", "za", "zip", "zone",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        for list in [ENDINGS, EXECUTABLE, BAIT, SHORTENERS, LINK_IN_BIO] {
            let wrong = list.windows(2).find(|two| !matches!(two, [one, other] if one < other));
            assert_eq!(wrong, None);
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
