//! Signals: what a text can show that speaks against it.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! signals {
    ($($(#[$doc:meta])* $id:ident = $name:literal;)*) => {
        /// Something in a text that speaks against it.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[non_exhaustive]
        pub enum Signal { $($(#[$doc])* #[serde(rename = $name)] $id,)* }

        impl Signal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// The name used in rows and lists of words.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// The one with this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|signal| signal.as_str() == name)
            }
        }
    };
}

signals! {
    /// Words of an offer or a sale.
    Offer = "offer";
    /// A call to buy, or not to miss something.
    BuyNow = "buy_now";
    /// A call to vote for somebody or something.
    Vote = "vote";
    /// Words of a campaign, a party or a petition.
    Campaign = "campaign";
    /// What a stranger says who wants to sell.
    Pitch = "pitch";
    /// A prize or an inheritance.
    Prize = "prize";
    /// Money without work or risk.
    EasyMoney = "easy_money";
    /// A fee before something is given.
    FeeFirst = "fee_first";
    /// A threat to close an account.
    AccountThreat = "account_threat";
    /// A call to confirm an identity or details.
    VerifyRequest = "verify_request";
    /// A call to hand over a code, a PIN, a password or a card.
    SecretRequest = "secret_request";
    /// A call to install or open something.
    RemoteInstall = "remote_install";
    /// A threat with an authority.
    AuthorityThreat = "authority_threat";
    /// Somebody known with a number that is not.
    NewNumber = "new_number";
    /// A wish to keep it secret.
    Secrecy = "secrecy";
    /// Money by a way that nobody gets it back from.
    PaymentTrick = "payment_trick";
    /// Haste.
    Hurry = "hurry";
    /// A call to look at something.
    Lure = "lure";
    /// A link to a program, or one that is a program.
    LinkExecutable = "link_executable";
    /// A link to a bare address.
    LinkNumericHost = "link_numeric_host";
    /// A link with a name before its host.
    LinkUserInfo = "link_user_info";
    /// A link whose host is written in Punycode.
    LinkPunycode = "link_punycode";
    /// A link whose host has letters of two scripts.
    LinkMixedScript = "link_mixed_script";
    /// A link that hides where it leads.
    LinkShortener = "link_shortener";
    /// A link to a page of links.
    LinkInBio = "link_in_bio";
    /// A link to a host that moves.
    LinkDynamicDns = "link_dynamic_dns";
    /// A link that imitates a well-known brand.
    LinkLookAlike = "link_look_alike";
    /// A link that imitates the account's own name.
    LinkOwnLookAlike = "link_own_look_alike";
    /// A link whose host is made to be followed.
    LinkBait = "link_bait";
    /// A link inside a link.
    LinkNested = "link_nested";
    /// A link whose host the text does not name.
    LinkUnnamed = "link_unnamed";
    /// Characters that nobody sees, inside words.
    HiddenCharacters = "hidden_characters";
    /// Words of letters from two scripts.
    MixedScript = "mixed_script";
    /// Letters that are signs of mathematics or in circles.
    StyledLetters = "styled_letters";
    /// A word letter by letter.
    SpelledOut = "spelled_out";
    /// Digits and signs for letters.
    SignsForLetters = "signs_for_letters";
    /// The direction of reading turned around.
    TurnedText = "turned_text";
    /// Longer than what is read.
    TooLong = "too_long";
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
