//! Language: one of those in which a reply is understood. The words of each stand in a file of `words/` that bears its code.

use core::fmt;

macro_rules! languages {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The language in which a reply was understood.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum Language {
            $($(#[$doc])* $name,)*
        }

        impl Language {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code of ISO 639, of two letters where there is one.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

languages! {
    /// Words that people of every language use when they answer a machine.
    Multiple = "mul",
    /// English.
    English = "en",
    /// Arabic, with common spoken forms.
    Arabic = "ar",
    /// Bulgarian.
    Bulgarian = "bg",
    /// Bengali.
    Bengali = "bn",
    /// Catalan.
    Catalan = "ca",
    /// Czech, with Slovak forms.
    Czech = "cs",
    /// Danish.
    Danish = "da",
    /// German.
    German = "de",
    /// Greek.
    Greek = "el",
    /// Spanish.
    Spanish = "es",
    /// Persian.
    Persian = "fa",
    /// Finnish.
    Finnish = "fi",
    /// French.
    French = "fr",
    /// Hebrew.
    Hebrew = "he",
    /// Hindi, also in Latin letters.
    Hindi = "hi",
    /// Hungarian.
    Hungarian = "hu",
    /// Indonesian.
    Indonesian = "id",
    /// Italian.
    Italian = "it",
    /// Japanese.
    Japanese = "ja",
    /// Korean.
    Korean = "ko",
    /// Malay.
    Malay = "ms",
    /// Norwegian.
    Norwegian = "nb",
    /// Dutch.
    Dutch = "nl",
    /// Polish.
    Polish = "pl",
    /// Portuguese.
    Portuguese = "pt",
    /// Romanian.
    Romanian = "ro",
    /// Russian.
    Russian = "ru",
    /// Serbian in both scripts, with Croatian and Bosnian forms.
    Serbian = "sr",
    /// Swedish.
    Swedish = "sv",
    /// Swahili.
    Swahili = "sw",
    /// Tamil.
    Tamil = "ta",
    /// Thai.
    Thai = "th",
    /// Tagalog.
    Tagalog = "tl",
    /// Turkish.
    Turkish = "tr",
    /// Ukrainian.
    Ukrainian = "uk",
    /// Urdu, also in Latin letters.
    Urdu = "ur",
    /// Vietnamese.
    Vietnamese = "vi",
    /// Chinese, simplified and traditional.
    Chinese = "zh",
}

impl Language {
    /// Whether its verb stands at the end, so that what is to stop is named before the word for stopping.
    pub(super) const fn has_verb_last(self) -> bool {
        matches!(
            self,
            Self::Bengali
                | Self::Hindi
                | Self::Hungarian
                | Self::Japanese
                | Self::Korean
                | Self::Persian
                | Self::Tamil
                | Self::Turkish
                | Self::Urdu
        )
    }

    /// Whether a negation may follow the verb it denies.
    pub(super) const fn may_deny_after(self) -> bool {
        let germanic = matches!(self, Self::Danish | Self::Dutch | Self::German | Self::Norwegian | Self::Swedish);
        germanic || self.has_verb_last() && !matches!(self, Self::Hungarian | Self::Turkish)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
