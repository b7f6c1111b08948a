//! Reply: what a person's message asks of those who write to them, how surely, and by what that was understood.

use alloc::borrow::Cow;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Language;
use crate::Cause;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The word used in answers and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

words! {
    /// What a person asks of those who write to them. Of several the last in this order is acted upon.
    Intent {
        /// Nothing that concerns the messages.
        None = "none",
        /// What the messages are, or how to deal with them.
        Help = "help",
        /// Messages again.
        OptIn = "opt_in",
        /// No more messages.
        OptOut = "opt_out",
    }

    /// How sure that is, from the least.
    Tier {
        /// It can be meant otherwise: what waits for the recipient is held until a person has looked.
        Unsure = "unsure",
        /// A reasonable person would understand it so: it is acted upon, told, and can be taken back.
        Likely = "likely",
        /// It is a keyword, alone but for courtesy.
        Certain = "certain",
    }

    /// By what a reply was understood.
    ReplyRule {
        /// It asks for messages again.
        Again = "again",
        /// It asks what the messages or their service are.
        AskAbout = "ask_about",
        /// It asks for help with them.
        AskHelp = "ask_help",
        /// It says stop, and little else.
        BareStop = "bare_stop",
        /// It cancels the subscription.
        CancelSubscription = "cancel_subscription",
        /// It complains of spam or harassment.
        Complaint = "complaint",
        /// It forbids to write.
        DoNotSend = "do_not_send",
        /// It subscribes.
        Join = "join",
        /// It is a keyword.
        Keyword = "keyword",
        /// It asks to be left alone.
        LeaveMe = "leave_me",
        /// It takes back what was done by mistake.
        Mistake = "mistake",
        /// It wants no more of the messages.
        NoMore = "no_more",
        /// It says that they are not wanted.
        NotWanted = "not_wanted",
        /// It asks for a number or a person to be removed.
        RemoveMe = "remove_me",
        /// It asks to resume.
        Resume = "resume",
        /// It says to stop sending.
        StopSending = "stop_sending",
        /// It unsubscribes in a sentence.
        Unsubscribe = "unsubscribe",
        /// It says that the number is wrong.
        WrongNumber = "wrong_number",
    }
}

/// What was understood. It never holds the words themselves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Meaning {
    /// What is asked for; never [`Intent::None`].
    pub intent: Intent,
    /// How sure that is.
    pub tier: Tier,
    /// The rule that understood it.
    pub rule: ReplyRule,
    /// The language in which it did.
    pub language: Language,
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        Self::ALL
            .iter()
            .copied()
            .find(|language| language.code() == code)
            .ok_or_else(|| de::Error::custom("expected the code of a language"))
    }
}

/// A person's message, read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Reply {
    /// What was understood, if anything.
    pub meaning: Option<Meaning>,
}

impl Reply {
    /// What is to be acted upon. Where nothing is sure enough that is [`Intent::None`].
    pub fn intent(&self) -> Intent {
        self.meaning.filter(|meaning| meaning.tier > Tier::Unsure).map_or(Intent::None, |meaning| meaning.intent)
    }

    /// What a person should look at, since it may be meant.
    pub fn suspected(&self) -> Option<Intent> {
        self.meaning.filter(|meaning| meaning.tier == Tier::Unsure).map(|meaning| meaning.intent)
    }

    /// The cause of the suppression that follows, if one does.
    pub fn cause(&self) -> Option<Cause> {
        let meaning = self.meaning.filter(|_| self.intent() == Intent::OptOut)?;
        Some(if meaning.rule == ReplyRule::Keyword { Cause::Keyword } else { Cause::NaturalLanguage })
    }
}
