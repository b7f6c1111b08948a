//! Opt-out: what a person answers when they want no more messages, want them again, or ask for help.
//!
//! [`read_reply`] reads a text of any language below and says what it asks for, how surely, and by which rule. It is a pure function
//! of the text and takes a time that grows with its length.
//!
//! 1. The text is normalized: one spelling for the many in which the same word arrives.
//! 2. The words of all languages are looked up at once, in one tree that the build script makes from `opt_out/words/`.
//! 3. A keyword alone, or with courtesy, is certain. Words that are ordinary ones in another language (HALT, FIN) count only in
//!    capitals or letter by letter.
//! 4. Else a small grammar reads the clauses, in the languages that know most of the words: a verb, what it is about, who denies it.
//!    It is guarded, for most replies with "stop" or "cancel" in them are about something else.
//! 5. Else a short text is searched for slips of the finger.
//!
//! The keywords are those of 47 CFR 64.1200(a)(10), of the CTIA's messaging principles, and those that Twilio, AWS, Telnyx, Vonage,
//! Plivo, Sinch and Meta document; the rest of the words, and all grammar, are our own knowledge of the languages, not checked by
//! native speakers.
//!
//! # Figures
//!
//! A corpus of 1,549 rows in 38 languages was split by the hash of the row before anything was written. A third was never read, and
//! measured twice, at the end; both times with these figures, the second time after changes of speed and of guards for opt-in and help.
//!
//! | sealed rows | read as labeled |
//! | --- | --- |
//! | opt-out, English | 74 of 76 (97 %) |
//! | opt-out, elsewhere | 159 of 166 (96 %) |
//! | opt-in | 54 of 54 |
//! | help | 38 of 40 |
//! | none | 170 of 173; two taken for opt-in, one for help, none for opt-out |
//!
//! After that came only the guards for nouns ("my resume", "the help") and for thanks. Of 4,827 private messages in English (the UCI
//! SMS Spam Collection, which is not part of this project) three are taken for opt-outs and twelve are unsure. The rows have one
//! author, so real replies will be read less well. Half of them are the same sentences spelled otherwise.
//!
//! A reply of 160 characters takes 5 to 7 us, in any of the scripts that `benches/opt_out.rs` measures. On two cores shared with builds
//! (load 4 to 7) the slowest in a hundred calls took in the calmer seconds 10 us in Spanish, Russian, Hindi and Vietnamese, 11 in Arabic,
//! 15 in Chinese and Japanese, 19 to 23 in English; in the others all of it took two to three times as long.

mod alphabet;
mod confirmation;
mod glyph;
mod grammar;
mod language;
mod leaving;
mod letters;
mod lexicon;
mod normalize;
mod reading;
mod reply;
mod returning;
mod roles;
mod scan;
mod table;
mod typo;

use core::cmp::Reverse;

pub use confirmation::confirmation;
pub use language::Language;
pub use reply::{Intent, Meaning, Reply, ReplyRule, Tier};

use normalize::normalize;
use reading::Reading;
use roles::Roles;
use scan::Scan;

/// Gives the folded letters of a character to `take`, for whatever else asks whether texts are the same.
pub(crate) fn fold_letter(character: char, take: &mut impl FnMut(char)) {
    letters::fold(letters::plain_form(character), take);
}

/// Whether nobody sees this character.
pub(crate) const fn is_unseen(character: char) -> bool {
    letters::is_invisible(character)
}

/// Reads what a person answered. Nothing but the text counts: not who wrote it, nor what was sent to them before. Of a text with more
/// than 1,024 characters the first and the last 512 are read.
///
/// ```
/// use gatepost::{Cause, Intent, Tier, read_reply};
///
/// let stop = read_reply("S.T.O.P. please");
/// assert_eq!((stop.intent(), stop.cause()), (Intent::OptOut, Some(Cause::Keyword)));
///
/// let words = read_reply("Bitte löschen Sie meine Nummer aus dem Verteiler");
/// assert_eq!((words.intent(), words.cause()), (Intent::OptOut, Some(Cause::NaturalLanguage)));
///
/// assert_eq!(read_reply("Please cancel my appointment, I'm at the bus stop").intent(), Intent::None);
///
/// let wrong = read_reply("wrong number");
/// assert_eq!((wrong.intent(), wrong.suspected()), (Intent::None, Some(Intent::OptOut)));
/// assert_eq!(wrong.meaning.map(|meaning| meaning.tier), Some(Tier::Unsure));
/// ```
pub fn read_reply(text: &str) -> Reply {
    let normal = normalize(text);
    let mut scan = Scan::of(&normal.text);
    let meaning = understand(&scan, normal.is_shouted, usize::MAX).or_else(|| {
        let corrected = typo::correct(&mut scan).then(|| understand(&scan, normal.is_shouted, 0)).flatten()?;
        Some(Meaning { tier: corrected.tier.min(Tier::Likely), ..corrected })
    });
    Reply { meaning }
}

/// What the languages find that know most of the words, if they leave no more unknown than that.
fn understand(scan: &Scan<'_>, is_shouted: bool, unknown_max: usize) -> Option<Meaning> {
    let keyword = scan.is_short().then(|| find_keyword(scan, is_shouted)).flatten();
    keyword.filter(|found| found.tier > Tier::Unsure).or_else(|| {
        let unknown = scan.unknown_by_language();
        let least = unknown.iter().map(|(_, unknown)| *unknown).min()?;
        let spoken = unknown.iter().filter(|(_, unknown)| *unknown == least && least <= unknown_max);
        let found = spoken.filter_map(|(language, _)| grammar::find(&Reading::of(scan, *language)));
        keyword.into_iter().chain(found).max_by_key(rank)
    })
}

/// Of several meanings the surest counts; then an opt-out before all else; then the language named first.
const fn rank(found: &Meaning) -> (Tier, Intent, Reverse<Language>) {
    (found.tier, found.intent, Reverse(found.language))
}

fn find_keyword(scan: &Scan<'_>, is_shouted: bool) -> Option<Meaning> {
    let languages = scan.languages_of(Roles::KEYWORD);
    let found = languages.filter_map(|language| keyword(&Reading::with_keywords(scan, language), is_shouted));
    found.max_by_key(rank)
}

/// A word of the exact table, alone but for courtesy.
fn keyword(reading: &Reading, is_shouted: bool) -> Option<Meaning> {
    let whole = exact(reading, is_shouted);
    let found = whole.or_else(|| exact(&reading.first_paragraph()?, is_shouted).map(|(intent, tier)| (intent, tier.min(Tier::Likely))));
    found.map(|(intent, tier)| Meaning { intent, tier, rule: ReplyRule::Keyword, language: reading.language })
}

fn exact(reading: &Reading, is_shouted: bool) -> Option<(Intent, Tier)> {
    let mut telling = reading.telling();
    let only = telling.next().filter(|_| telling.next().is_none())?;
    let is_asked = reading.has_question();
    if only.has(Roles::IN) {
        return Some((Intent::OptIn, Tier::Certain));
    }
    if only.has(Roles::OUT) {
        return Some((Intent::OptOut, if is_asked && !only.has(Roles::UNSUBSCRIBE) { Tier::Unsure } else { Tier::Certain }));
    }
    if only.has(Roles::HELP) {
        return Some((Intent::Help, Tier::Certain));
    }
    let weak = if is_shouted && !is_asked { Tier::Likely } else { Tier::Unsure };
    only.has(Roles::OUT_WEAK).then_some((Intent::OptOut, weak))
}
