//! Texts: every row of the corpora, as its file says.

use gatepost::{DestinationHost, DestinationPolicy, RefusalClass};

use crate::rows::{Row, rows};

fn blocked() -> Vec<Row> {
    rows(include_str!("../data/ssrf/blocked.tsv"))
}

fn allowed() -> Vec<Row> {
    rows(include_str!("../data/ssrf/allowed.tsv"))
}

/// Rows with several defects: the class that is found first, and why the file could name another.
const SEVERAL_DEFECTS: &[(&str, &str)] = &[
    // A space, a port or a name that the mapping changes stands before the confusion about the `@`.
    ("https://127.88.23.1:443/?@example.com:443/#@example.com", "fragment"),
    ("https://example.com?@127.0.0.1#@10.0.0.1/", "fragment"),
    ("https://example.com:80;https://127.0.0.1:443/", "port-syntax"),
    ("https://example.com&@10.0.0.1/", "userinfo"),
    ("https://example.com+@10.0.0.2/", "userinfo"),
    ("https://example.com %40@10.0.0.3/", "userinfo"),
    ("https://127.0.0.1？example.com/", "idna-hostsplit"),
    ("https://example.com：x@10.0.0.4/", "userinfo"),
    // A backslash where a slash should be.
    ("https://\\127.0.0.1/x", "backslash"),
    // Zero-padded, and no octal number.
    ("https://093.184.215.14/", "ipv4-malformed"),
    ("https://127.0.0.1%20.1/", "percent-host"),
    // Link-local, and the metadata service of OpenStack.
    ("https://[FE80::A9FE:A9FE]/", "metadata-ip"),
    // Well formed, and closed.
    ("https://[::ffff:0:0:0:127.0.0.1]/", "ipv6-outside-2000"),
    ("https://x.onion./", "name-trailing-dot"),
    // UTS #46 takes the character today.
    ("https://a≠b.local/", "name-local"),
    ("https://xn--ü.com/", "idna-punycode"),
    ("https://☃\u{202e}.com/", "idna-invisible"),
    ("https://foo․localhost/", "idna-hostsplit"),
    ("https://１２７.0.0.1.ｎet/", "idna-fullwidth"),
];

#[test]
fn what_must_be_refused_is_refused_under_its_class() {
    let policy = DestinationPolicy::production();
    for Row { first: text, second: class } in blocked() {
        let several = SEVERAL_DEFECTS.iter().find(|(known, _)| *known == text);
        let expected = several.map_or(class, |(_, found)| *found);
        let refusal = policy.parse(&text).expect_err(&text);
        assert_eq!(refusal.class().as_str(), expected, "{text:?}: {}", refusal.operator_detail());
    }
}

#[test]
fn each_row_with_several_defects_is_in_the_corpus_under_another_class() {
    for (text, found) in SEVERAL_DEFECTS {
        let row = blocked().into_iter().find(|row| row.first == *text);
        assert!(row.is_some_and(|row| row.second != *found), "{text:?}");
    }
}

#[test]
fn what_must_be_accepted_is_accepted_and_reads_back_the_same() {
    let policy = DestinationPolicy::production();
    for Row { first: text, .. } in allowed() {
        let destination = policy.parse(&text).unwrap_or_else(|refusal| panic!("{text:?}: {}", refusal.operator_detail()));
        assert_eq!(policy.parse(destination.as_str()), Ok(destination), "{text:?}");
    }
}

#[test]
fn where_products_differ_we_do_as_recommended() {
    let policy = DestinationPolicy::production();
    for Row { first: text, second: recommended } in rows(include_str!("../data/ssrf/policy_choice.tsv")) {
        assert_eq!(policy.parse(&text).is_ok(), recommended == "accept", "{text:?}");
    }
}

#[test]
fn every_class_of_the_corpus_but_the_mixed_one_is_a_class_of_ours() {
    let ours: Vec<&str> = RefusalClass::ALL.iter().map(|class| class.as_str()).collect();
    let foreign = blocked().into_iter().find(|row| row.second != "at-confusion" && !ours.contains(&row.second));
    assert!(foreign.is_none_or(|row| panic!("{}", row.second)));
}

#[test]
fn plain_http_and_localhost_pass_in_development_and_nothing_else_that_is_internal() {
    let policy = DestinationPolicy::development();
    for text in ["http://localhost:3000/in", "http://127.0.0.1:8080/", "https://[::1]:1/", "http://hooks.example.com/", "HTTP://LOCALHOST/"]
    {
        assert!(policy.parse(text).is_ok(), "{text}");
        assert!(DestinationPolicy::production().parse(text).is_err(), "{text}");
    }
    for text in [
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://foo.localhost/",
        "http://redis:6379/",
        "http://2130706433/",
        "http://metadata.google.internal/",
        "http://localhost:0/",
        "ftp://localhost/",
    ] {
        assert!(policy.parse(text).is_err(), "{text}");
    }
}

#[test]
fn schemes_other_than_https_are_refused_in_production_only_by_the_scheme() {
    for Row { first: text, second: class } in blocked().into_iter().filter(|row| row.second.starts_with("scheme-")) {
        let production = DestinationPolicy::production().parse(&text).unwrap_err();
        assert_eq!(production.class().as_str(), class, "{text:?}");
        let development = DestinationPolicy::development().parse(&text);
        assert_eq!(development.is_ok(), class == "scheme-http", "{text:?}");
    }
}

#[test]
fn an_at_sign_before_the_path_is_refused_in_every_form() {
    let policy = DestinationPolicy::production();
    for text in
        ["https://@example.com/", "https://:@example.com/", "https://a:b@example.com/", "https://example.com%40/", "https://a%40b.com/"]
    {
        let class = policy.parse(text).unwrap_err().class();
        assert!(matches!(class, RefusalClass::Userinfo | RefusalClass::PercentHost), "{text}: {class}");
    }
    assert!(policy.parse("https://example.com/@a?b@c").is_ok());
}

#[test]
fn a_warning_sign_is_seen_wherever_it_stands() {
    let policy = DestinationPolicy::production();
    let text = "https://example.com/path?query=1";
    for sign in ['\t', '\n', '\r', '\0', ' ', '\u{7f}', '\u{85}', '\u{a0}', '\u{2028}', '\u{3000}', '\u{feff}', '\\', '#'] {
        for at in 0..=text.len() {
            let (before, after) = text.split_at(at);
            assert!(policy.parse(&format!("{before}{sign}{after}")).is_err(), "{sign:?} at {at}");
        }
    }
}

#[test]
fn a_destination_says_what_a_request_needs() {
    let destination = DestinationPolicy::production().parse("HTTPS://EXAMPLE.com:8443/a/../b?c=ü").unwrap();
    assert_eq!(destination.as_str(), "https://example.com:8443/b?c=%C3%BC");
    assert_eq!(destination.authority(), "example.com:8443");
    assert_eq!(destination.path_and_query(), "/b?c=%C3%BC");
    assert_eq!(destination.port(), 8443);
    assert!(destination.is_https());
    let DestinationHost::Name(name) = destination.host() else { panic!("{destination:?}") };
    assert_eq!((name.as_str(), name.absolute().as_str()), ("example.com", "example.com."));

    let destination = DestinationPolicy::production().parse("https://[2606:4700:4700:0::1111]").unwrap();
    assert_eq!(destination.authority(), "[2606:4700:4700::1111]");
    assert_eq!(destination.host().to_string(), "[2606:4700:4700::1111]");
    assert_eq!((destination.path_and_query(), destination.port()), ("/", 443));
}

#[test]
fn what_is_shown_of_a_destination_holds_no_secret() {
    let destination = DestinationPolicy::production().parse("https://example.com/token-1/in?key=token-2").unwrap();
    assert_eq!(format!("{destination:?}"), "https://example.com:443");
}

#[test]
fn a_text_that_grows_too_long_is_refused_as_it_could_not_be_read_again() {
    let policy = DestinationPolicy::production();
    let text = format!("https://example.com/{}", "ü".repeat(400));
    assert!(text.len() < 2048);
    assert_eq!(policy.parse(&text).unwrap_err().class(), RefusalClass::UrlLength);
}

#[test]
fn what_the_customer_reads() {
    let mut texts: Vec<String> =
        blocked().iter().map(|row| DestinationPolicy::production().parse(&row.first).unwrap_err().to_string()).collect();
    texts.sort();
    texts.dedup();
    insta::assert_snapshot!(texts.join("\n"), @r"
    expected a URL that starts with `https://`
    expected a full domain name, for example `hooks.example.com`
    expected a host after `https://`
    expected a host in plain letters; it holds characters that stand for others, or that cannot be seen
    expected a host that ends in a top-level domain, for example `.com`
    expected a host that is a valid internationalized name
    expected a port in plain digits without leading zeros, or none
    expected a port that is allowed: 443, 8443
    expected a public domain name; this one is reserved or for internal use
    expected an IPv4 address as four decimal numbers without leading zeros
    expected an IPv6 address in brackets, without a zone
    expected at most 2048 bytes
    expected at most 63 bytes in a label and 253 in the host
    expected letters, digits, hyphens and dots in the host
    expected no `#`: what follows it never reaches the receiver
    expected no `%` in the host
    expected no `@` before the path
    expected no backslash
    expected no empty label and no dot at the end of the host
    expected no hyphen at the start or the end of a label
    expected no white space and no control characters
    expected two slashes and the host after `https:`
    the host is, or resolves to, an address that is not allowed
    ");
}

#[test]
fn the_operator_reads_class_and_rule() {
    let details: Vec<String> = ["https://127.0.0.1/", "https://[::ffff:a00:1]/", "https://db.internal/", "https://example.com:25/"]
        .iter()
        .map(|text| DestinationPolicy::production().parse(text).unwrap_err().operator_detail())
        .collect();
    insta::assert_snapshot!(details.join("\n"), @r"
    ipv4-loopback: 127.0.0.1 is in 127.0.0.0/8 (loopback)
    ipv6-v4mapped: ::ffff:10.0.0.1 is in ::ffff:0.0.0.0/96 (IPv4-mapped)
    name-internal: expected a public domain name; this one is reserved or for internal use
    port: expected a port that is allowed: 443, 8443
    ");
}
