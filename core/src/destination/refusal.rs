//! Refusal: why a destination is not permitted, for the customer, the operator and the program.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// Why a destination is not permitted.
///
/// Its `Display` is the customer's text. It follows from what the customer typed and from nothing else: every forbidden address has
/// the same text, typed or resolved, so that nobody learns from it what an internal name resolves to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    class: RefusalClass,
    text: Cow<'static, str>,
    rule: String,
}

impl Refusal {
    /// Refused for what was typed.
    pub(super) fn typed(class: RefusalClass) -> Self {
        Self::by_rule(class, class.text().into())
    }

    /// Refused for what was typed, and what would have passed follows from the policy.
    pub(super) fn expecting(class: RefusalClass, expected: String) -> Self {
        Self { class, rule: expected.clone(), text: expected.into() }
    }

    /// Refused by a rule that the operator may know, and the customer not.
    pub(super) fn by_rule(class: RefusalClass, rule: String) -> Self {
        Self { class, text: class.text().into(), rule }
    }

    /// What kind of refusal it is.
    pub const fn class(&self) -> RefusalClass {
        self.class
    }

    /// For the operator's log only: the class and the rule, with the address that it forbids.
    pub fn operator_detail(&self) -> String {
        format!("{}: {}", self.class, self.rule)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for Refusal {}

macro_rules! classes {
    ($($text:ident: $($(#[$doc:meta])* $class:ident = $name:literal,)*;)*) => {
        /// The kind of a refusal. Its name never changes its meaning.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum RefusalClass { $($($(#[$doc])* $class,)*)* }

        impl RefusalClass {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$class,)*)*];

            /// The name used in answers, rows and logs.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$class => $name,)*)* }
            }

            /// What the customer is told.
            const fn text(self) -> &'static str {
                match self { $($(Self::$class => $text,)*)* }
            }
        }
    };
}

const ADDRESS: &str = "the host is, or resolves to, an address that is not allowed";
const BACKSLASH: &str = "expected no backslash";
const CHARACTER: &str = "expected letters, digits, hyphens and dots in the host";
const CONTROL: &str = "expected no white space and no control characters";
const EMPTY_HOST: &str = "expected a host after `https://`";
const FRAGMENT: &str = "expected no `#`: what follows it never reaches the receiver";
const HYPHEN: &str = "expected no hyphen at the start or the end of a label";
const IDN: &str = "expected a host in plain letters; it holds characters that stand for others, or that cannot be seen";
const IDN_INVALID: &str = "expected a host that is a valid internationalized name";
const IPV4: &str = "expected an IPv4 address as four decimal numbers without leading zeros";
const IPV6: &str = "expected an IPv6 address in brackets, without a zone";
const LABEL: &str = "expected no empty label and no dot at the end of the host";
const LENGTH: &str = "expected at most 2048 bytes";
const LITERAL: &str = "expected a name in place of an address";
const NAME_LENGTH: &str = "expected at most 63 bytes in a label and 253 in the host";
const NO_ADDRESS: &str = "the host has no address at present";
const PERCENT: &str = "expected no `%` in the host";
const PORT: &str = "expected a port that is allowed";
const PORT_SYNTAX: &str = "expected a port in plain digits without leading zeros, or none";
const SCHEME: &str = "expected a URL that starts with `https://`";
const SINGLE_LABEL: &str = "expected a full domain name, for example `hooks.example.com`";
const SLASHES: &str = "expected two slashes and the host after `https:`";
const SPECIAL_NAME: &str = "expected a public domain name; this one is reserved or for internal use";
const TOP_LEVEL: &str = "expected a host that ends in a top-level domain, for example `.com`";
const UNREADABLE: &str = "expected a URL that every reader understands in the same way";
const USER: &str = "expected no `@` before the path";

classes! {
    SCHEME:
        /// Plain HTTP.
        SchemeHttp = "scheme-http",
        /// No scheme.
        SchemeMissing = "scheme-missing",
        /// A scheme other than HTTP's.
        SchemeOther = "scheme-other",;
    SLASHES:
        /// Too few slashes after the scheme, or too many.
        SlashConfusion = "slash-confusion",;
    USER:
        /// A user name, a password, or an `@` alone.
        Userinfo = "userinfo",;
    PORT:
        /// A port that the policy does not permit.
        Port = "port",;
    PORT_SYNTAX:
        /// A port that is not written canonically.
        PortSyntax = "port-syntax",;
    BACKSLASH:
        /// A backslash, which some readers take for a slash.
        Backslash = "backslash",;
    CONTROL:
        /// White space or a control character, which some readers drop.
        ControlChars = "control-chars",;
    FRAGMENT:
        /// A fragment.
        Fragment = "fragment",;
    PERCENT:
        /// Percent-encoding in the host.
        PercentHost = "percent-host",;
    CHARACTER:
        /// A character that no host name has.
        HostChars = "host-chars",;
    EMPTY_HOST:
        /// No host.
        EmptyHost = "empty-host",;
    LENGTH:
        /// Too long.
        UrlLength = "url-length",;
    UNREADABLE:
        /// The reader of the standard library of URLs sees another destination than ours does.
        Unreadable = "unreadable",;
    LITERAL:
        /// An address in place of a name, where the operator permits names only.
        AddressLiteral = "address-literal",;
    ADDRESS:
        /// This host on this network (RFC 1122).
        Ipv4ThisNetwork = "ipv4-this-network",
        /// Loopback (RFC 1122).
        Ipv4Loopback = "ipv4-loopback",
        /// Private use (RFC 1918).
        Ipv4Private = "ipv4-private",
        /// Shared address space (RFC 6598).
        Ipv4Cgnat = "ipv4-cgnat",
        /// Link-local (RFC 3927).
        Ipv4LinkLocal = "ipv4-link-local",
        /// IETF protocol assignments (RFC 6890).
        Ipv4Ietf = "ipv4-ietf",
        /// Documentation (RFC 5737).
        Ipv4Documentation = "ipv4-documentation",
        /// Benchmarking (RFC 2544).
        Ipv4Benchmark = "ipv4-benchmark",
        /// Multicast (RFC 5771).
        Ipv4Multicast = "ipv4-multicast",
        /// Reserved, and the limited broadcast (RFC 1112).
        Ipv4Reserved = "ipv4-reserved",
        /// The 6to4 relay anycast prefix (RFC 7526).
        Ipv46to4Relay = "ipv4-6to4-relay",
        /// Anycast infrastructure: AS112 and AMT.
        Ipv4Infra = "ipv4-infra",
        /// Loopback (RFC 4291).
        Ipv6Loopback = "ipv6-loopback",
        /// Unspecified (RFC 4291).
        Ipv6Unspecified = "ipv6-unspecified",
        /// Unique local (RFC 4193).
        Ipv6Ula = "ipv6-ula",
        /// Link-local (RFC 4291).
        Ipv6LinkLocal = "ipv6-link-local",
        /// Site-local (RFC 3879).
        Ipv6SiteLocal = "ipv6-site-local",
        /// Multicast (RFC 4291).
        Ipv6Multicast = "ipv6-multicast",
        /// IPv4-mapped (RFC 4291).
        Ipv6V4mapped = "ipv6-v4mapped",
        /// IPv4-compatible (RFC 4291).
        Ipv6V4compat = "ipv6-v4compat",
        /// IPv4-translated (RFC 2765).
        Ipv6V4translated = "ipv6-v4translated",
        /// The well-known NAT64 prefix (RFC 6052).
        Ipv6Nat64 = "ipv6-nat64",
        /// NAT64 prefixes of local networks (RFC 8215), and what lies around them.
        Ipv6Nat64Local = "ipv6-nat64-local",
        /// 6to4 (RFC 3056).
        Ipv66to4 = "ipv6-6to4",
        /// Teredo (RFC 4380).
        Ipv6Teredo = "ipv6-teredo",
        /// ISATAP (RFC 5214).
        Ipv6Isatap = "ipv6-isatap",
        /// Documentation (RFC 3849, RFC 9637).
        Ipv6Documentation = "ipv6-documentation",
        /// Other special-purpose blocks of the registry.
        Ipv6Special = "ipv6-special",
        /// Outside `2000::/3`, where global addresses are.
        Ipv6Outside2000 = "ipv6-outside-2000",
        /// A cloud provider's metadata or platform service.
        MetadataIp = "metadata-ip",
        /// The same, in an address that looks public.
        MetadataPublicIp = "metadata-public-ip",
        /// Some of the name's addresses are permitted and some are not.
        Mixed = "mixed",
        /// The operator closed it.
        OperatorDeny = "operator-deny",
        /// The operator opened it, but it belongs to what nobody can open.
        HardDeny = "hard-deny",;
    NO_ADDRESS:
        /// A name without an address; it may have one later.
        NoAddress = "no-address",;
    IPV4:
        /// An IPv4 address in octal.
        Ipv4Octal = "ipv4-octal",
        /// An IPv4 address in hexadecimal.
        Ipv4Hex = "ipv4-hex",
        /// An IPv4 address as one number.
        Ipv4Dword = "ipv4-dword",
        /// An IPv4 address of two or three numbers.
        Ipv4Short = "ipv4-short",
        /// An IPv4 address in several number systems.
        Ipv4Mixed = "ipv4-mixed",
        /// An IPv4 address with a number that is too large.
        Ipv4Overflow = "ipv4-overflow",
        /// A public IPv4 address in one of those spellings.
        Ipv4NoncanonicalPublic = "ipv4-noncanonical-public",
        /// An IPv4 address with a dot at its end.
        Ipv4TrailingDot = "ipv4-trailing-dot",
        /// What ends in a number, and is no IPv4 address.
        Ipv4Malformed = "ipv4-malformed",;
    IPV6:
        /// An IPv6 address with a zone (RFC 6874).
        Ipv6Zone = "ipv6-zone",
        /// What is no IPv6 address.
        Ipv6Malformed = "ipv6-malformed",;
    SPECIAL_NAME:
        /// The name of a cloud provider's metadata service.
        MetadataName = "metadata-name",
        /// The local host (RFC 6761).
        NameLocalhost = "name-localhost",
        /// The local network (RFC 6762).
        NameLocal = "name-local",
        /// An organization's own network.
        NameInternal = "name-internal",
        /// A Kubernetes cluster.
        NameK8s = "name-k8s",
        /// A container host.
        NameDocker = "name-docker",
        /// A network outside the DNS (RFC 7686, RFC 9476).
        NameOnion = "name-onion",
        /// A top-level domain for tests and examples (RFC 2606, RFC 6761).
        NameReservedTld = "name-reserved-tld",
        /// Infrastructure of the DNS (RFC 3172).
        NameArpa = "name-arpa",;
    SINGLE_LABEL:
        /// A name of one label, which a search domain would complete.
        NameSingleLabel = "name-single-label",;
    LABEL:
        /// A dot at the end, or an empty label.
        NameTrailingDot = "name-trailing-dot",;
    NAME_LENGTH:
        /// A label or a name that is too long (RFC 1035).
        NameLength = "name-length",;
    TOP_LEVEL:
        /// The last label cannot be a top-level domain.
        NameTldForm = "name-tld-form",;
    HYPHEN:
        /// A label with a hyphen at one end (RFC 1123).
        LabelHyphen = "label-hyphen",;
    IDN:
        /// Full-width letters or digits.
        IdnaFullwidth = "idna-fullwidth",
        /// Letters or digits in circles or brackets.
        IdnaEnclosed = "idna-enclosed",
        /// A dot other than the full stop.
        IdnaDot = "idna-dot",
        /// A character that is not seen.
        IdnaInvisible = "idna-invisible",
        /// A character that stands for others.
        IdnaCompat = "idna-compat",
        /// A character that stands for one that ends a host.
        IdnaHostsplit = "idna-hostsplit",;
    IDN_INVALID:
        /// An A-label that is not the A-label of any name (RFC 5891).
        IdnaPunycode = "idna-punycode",
        /// A name that UTS #46 refuses.
        IdnaInvalid = "idna-invalid",;
}

impl RefusalClass {
    /// Whether the same destination may pass later without a change of the policy.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::NoAddress)
    }
}

impl fmt::Display for RefusalClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
