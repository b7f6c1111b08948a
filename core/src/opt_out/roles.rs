//! Roles: what a word can be in a reply.
//!
//! Each has a name, which begins its lines in the files of words.

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "only their numbers count")]
        #[repr(u8)]
        enum Place { $($name,)* }

        impl Roles {
            $($(#[$doc])* pub(super) const $name: Self = Self(1 << Place::$name as u8);)*

            /// A set of one, by the word that names it in the files.
            #[allow(dead_code, reason = "the build script calls it")]
            pub(super) fn named(name: &str) -> Option<Self> {
                [$(($word, Self::$name),)*].into_iter().find(|(word, _)| *word == name).map(|(_, role)| role)
            }
        }
    };
}

/// What a word can be in a reply: a set, for many words can be more than one thing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Roles(u64);

roles! {
    /// Alone, it is an opt-out.
    OUT = "out",
    /// Alone and shouted it is an opt-out; it is an ordinary word elsewhere.
    OUT_WEAK = "out_weak",
    /// Alone, it is an opt-in.
    IN = "in",
    /// Alone, it asks for help.
    HELP = "help",
    /// Leaving the messages, whatever else is said.
    UNSUBSCRIBE = "unsubscribe",
    /// Stopping something.
    STOP = "stop",
    /// Looks like stopping and is not: a bus stop, do not stop, the weekend.
    STOP_NOT = "stop_not",
    /// Cancelling something.
    CANCEL = "cancel",
    /// Removing something.
    REMOVE = "remove",
    /// Removing something, if a particle or a list says so: take me off.
    TAKE = "take",
    /// That particle.
    OFF = "off",
    /// Sending, writing, calling, bothering; in forms that can be forbidden or stopped.
    SEND = "send",
    /// The act of it, which can be stopped and not forbidden: texting.
    SENDING = "sending",
    /// The same, denied within the word.
    SEND_NOT = "send_not",
    /// Denies a verb.
    NOT = "not",
    /// Denies a fact, and forbids nothing: cannot, did not.
    UNABLE = "unable",
    /// Denies a noun: no messages.
    NO = "no",
    /// More, again, ever.
    MORE = "more",
    /// Wanting, needing, agreeing.
    WANT = "want",
    /// The same, denied within the word or phrase.
    WANT_NOT = "want_not",
    /// Receiving.
    GET = "get",
    /// Messages, and what they are about: reminders, advertising.
    MESSAGE = "message",
    /// The subscription.
    SUBSCRIPTION = "subscription",
    /// The person who writes.
    ME = "me",
    /// The same, as the one who acts: I.
    SUBJECT = "subject",
    /// Their number, name, data.
    NUMBER = "number",
    /// What they are on: a list, a database; also their consent.
    LIST = "list",
    /// What sends: a service, a program.
    SERVICE = "service",
    /// Courtesy.
    POLITE = "polite",
    /// What may stand beside a bare stop: it, now, everything.
    BARE = "bare",
    /// Other words that carry no meaning of their own here.
    FILLER = "filler",
    /// After it, the word for stopping is a noun.
    ARTICLE = "article",
    /// Begins another clause.
    AND = "and",
    /// Begins a condition or a time.
    IF = "if",
    /// Back, once more.
    AGAIN = "again",
    /// Resuming, continuing, undoing an opt-out.
    RESUME = "resume",
    /// Starting.
    START = "start",
    /// Subscribing.
    JOIN = "join",
    /// By mistake.
    MISTAKE = "mistake",
    /// You have the wrong number.
    WRONG_NUMBER = "wrong_number",
    /// Leave me alone, and other ways of saying it all at once.
    LEAVE_ME = "leave_me",
    /// Complaints: spam, harassment, police.
    SPAM = "spam",
    /// Helping.
    ASK = "ask",
    /// How something works.
    ABOUT = "about",
    /// Things that are stopped, cancelled and removed in everyday life: an order, a machine.
    OBJECT = "object",
    /// Somebody else, or what they said.
    SOMEONE = "someone",
    /// Ordinary words that are one slip away from a keyword.
    ORDINARY = "ordinary",
}

impl Roles {
    /// Words that ask for something.
    pub(super) const VERB: Self = Self::UNSUBSCRIBE
        .or(Self::STOP)
        .or(Self::CANCEL)
        .or(Self::REMOVE)
        .or(Self::SEND)
        .or(Self::SENDING)
        .or(Self::WANT)
        .or(Self::GET)
        .or(Self::RESUME)
        .or(Self::START)
        .or(Self::JOIN)
        .or(Self::ASK);
    /// Words without which nothing is asked.
    pub(super) const ASKING: Self = Self::VERB
        .or(Self::SEND_NOT)
        .or(Self::WANT_NOT)
        .or(Self::NO)
        .or(Self::TAKE)
        .or(Self::MISTAKE)
        .or(Self::WRONG_NUMBER)
        .or(Self::LEAVE_ME)
        .or(Self::SPAM)
        .or(Self::ABOUT)
        .or(Self::AGAIN);
    /// Words that stand alone.
    pub(super) const KEYWORD: Self = Self::OUT.or(Self::OUT_WEAK).or(Self::IN).or(Self::HELP);
    /// Words that speak of something else than messages.
    pub(super) const FOREIGN: Self = Self::OBJECT.or(Self::SOMEONE).or(Self::IF);
    /// Words in which a slip is worth looking for.
    #[allow(dead_code, reason = "the build script reads it")]
    pub(super) const SLIPPING: Self = Self::KEYWORD
        .or(Self::UNSUBSCRIBE)
        .or(Self::STOP)
        .or(Self::CANCEL)
        .or(Self::REMOVE)
        .or(Self::SEND)
        .or(Self::SEND_NOT)
        .or(Self::WANT_NOT)
        .or(Self::MESSAGE)
        .or(Self::RESUME);
    /// Words that leave a clause as unknown as it was. Being a keyword says nothing about a word in a sentence.
    const UNTELLING: Self = Self::FOREIGN.or(Self::ORDINARY).or(Self::KEYWORD);

    /// As it stands in the table.
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As it stands in the table.
    #[allow(dead_code, reason = "the build script calls it")]
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is any of those.
    pub(super) const fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    /// Whether it plays a part in the grammar.
    pub(super) const fn is_known(self) -> bool {
        self.0 & !Self::UNTELLING.0 != 0
    }

    /// Whether it stands in the table of keywords and nowhere else.
    pub(super) const fn is_keyword_only(self) -> bool {
        self.0 & !Self::KEYWORD.0 == 0
    }

    /// Whether it is a thing or a person of everyday life, and nothing else.
    pub(super) const fn is_foreign(self) -> bool {
        self.has(Self::FOREIGN) && !self.is_known()
    }
}
