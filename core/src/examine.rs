//! Examine: what a content shows, before anybody decides.
//!
//! [`examine`] is a pure function of the content and of who sends it, in a time that grows with the length of the text. What is to be sent is
//! examined on the caller's thread, before any transaction; what is released, and the confirmation of an opt-out, in the transaction that
//! decides about it, since its content stands in the store. [`warm_up()`] builds what the first text would have to wait for. What is found are
//! facts, and the policy says what they weigh. The way of a text:
//!
//! 1. It is folded: one spelling for the many in which the same word arrives, with a map back.
//! 2. All phrases of all languages are looked for at once. A verb that asks to hand something over near the name of a secret is a
//!    request for it, unless the sentence warns of that.
//! 3. Its links are judged by their letters.
//! 4. A small linear model says how much the wording is like that of unwanted texts (feature `model`).
//!
//! Phrases are in Arabic, Dutch, English, French, German, Hindi, Indonesian, Italian, Portuguese, Spanish and Turkish; the model has met all of
//! these but Dutch, Italian and Turkish. No native speaker has checked them.
//!
//! # Figures
//!
//! `gatepost-trainer measure` on rows that training never saw, by the usual policy, as the first messages of an account:
//!
//! | rows | count | held | blocked | held or blocked |
//! | --- | --- | --- | --- | --- |
//! | wanted business messages | 108 | 3 | 0 | 2.8 % |
//! | unwanted: marketing, political, cold outreach, fraud | 94 | 40 | 48 | 93.6 % |
//! | reported smishing (Mishra and Soni, English) | 92 | 82 | 6 | 95.7 % |
//! | own rows, wanted, half of them meant to be hard | 787 | 56 | 11 | 8.5 % |
//! | own rows, unwanted | 745 | 415 | 218 | 85.0 % |
//!
//! The first two lines are the three tenths of a corpus in eight languages that were kept aside by their hash before anything was written; they
//! were measured eleven times on the way, and no row of them was read. They are optimistic: the corpus has one author, and the other seven tenths,
//! with paraphrases and translations of them, were trained on. The own rows were written for this, in pairs that share their words, and are
//! nearer to what a determined sender would try. Nothing here was measured on real traffic.

mod fold;
mod hosts;
mod lexicon;
mod link;
mod model;
mod one_time_code;
mod phrase;
mod sender;
mod signal;
mod texts;
mod warm_up;

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use serde::{Deserialize, Serialize};

pub use model::{InvalidModel, Model, Piece, Tone};
pub use sender::{InvalidDomain, Sender, SenderDomain};
pub use signal::Signal;
pub use warm_up::warm_up;

use crate::{Action, Button, Content, Row, TemplateButton, TemplateButtonFill, TemplateHeader, TemplateParameter};
use fold::Folded;
use lexicon::Hit;
use link::Link;
use phrase::Phrase;

/// The families of unwanted messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Promotes or sells, also inside a genuine notice.
    Marketing,
    /// Asks for votes, or for support of a campaign.
    Political,
    /// Pitches to somebody who asked for nothing.
    ColdOutreach,
    /// Deceives: phishing, scam, impersonation, harmful links.
    Fraud,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Marketing, Self::Political, Self::ColdOutreach, Self::Fraud];

    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Political => "political",
            Self::ColdOutreach => "cold_outreach",
            Self::Fraud => "fraud",
        }
    }
}

/// What was found in a content. It says nothing of the text itself.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Findings {
    /// Whether it is a one-time code: an authentication template, or a short text with one code, no link, and no words that sell, campaign or
    /// deceive.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub one_time_code: bool,
    /// What its text shows, each signal once, in the order of [`Signal::ALL`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Finding>,
    /// Whether each of its links leads to a host of the sender; `false` where it has none.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub own_links: bool,
    /// What the model says of the wording; nothing where it abstains, or is sure that it is wanted ([`Tone::HEARD_FROM`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tone: Option<Heard>,
}

/// A signal in a content.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What it shows.
    pub signal: Signal,
    /// Where first.
    pub at: Span,
    /// How often, at most 255 times.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: u8,
}

/// What the model heard, and where most of it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Heard {
    /// What it says.
    #[serde(flatten)]
    pub tone: Tone,
    /// The words that speak most for it.
    pub at: Span,
}

/// A part of a content's text, in characters (Unicode scalar values).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Span {
    /// In which of its texts.
    #[serde(default, skip_serializing_if = "Part::is_body")]
    pub part: Part,
    /// How many characters stand before it.
    pub start: u16,
    /// How many characters it has.
    pub length: u16,
}

/// The texts of a content.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What it says: its text, or what stands below a picture.
    #[default]
    Body,
    /// What stands above.
    Header,
    /// What stands below.
    Footer,
    /// What a button, or the row of a list, says.
    Button,
    /// Where a button, or a file, leads.
    Link,
    /// What a file or a place is called.
    Name,
    /// What fills a gap of a template.
    Parameter,
}

impl Part {
    fn is_body(&self) -> bool {
        *self == Self::Body
    }
}

const fn one() -> u8 {
    1
}

const fn is_one(times: &u8) -> bool {
    *times == 1
}

/// The most bytes of a content that are read; of more, the head, and it is a signal that there are more. No provider takes more than
/// 4,096 characters of a text.
const BYTES_MAX: usize = 16 * 1024;

/// Looks at a content that `sender` wants to send: pure, in linear time, on the caller's thread.
///
/// ```
/// use gatepost::{Content, Sender, Signal, Text, examine};
///
/// let text: Text = "Your account will be closed. Verify at http://203.0.113.7/login".parse()?;
/// let findings = examine(&Content::from(text), &Sender::default());
/// assert!(findings.found.iter().any(|finding| finding.signal == Signal::LinkNumericHost));
/// # Ok::<(), gatepost::InvalidText>(())
/// ```
pub fn examine(content: &Content, sender: &Sender) -> Findings {
    examine_with(content, sender, shipped())
}

/// As [`examine`], with another model or none.
pub fn examine_with(content: &Content, sender: &Sender, model: Option<&Model<'_>>) -> Findings {
    let reading = Reading::of(content);
    let mut notes = Notes::default();
    let links = reading.note_links(sender, &mut notes);
    reading.note_phrases(&mut notes);
    reading.note_disguises(&mut notes);
    let is_template = matches!(content, Content::Template { .. });
    let tone = model.filter(|_| !is_template).and_then(|model| reading.hear(&notes, model));
    let own_links = links > 0 && notes.foreign_links == 0;
    let one_time_code = one_time_code::may_be_one(content) && notes.fits_a_one_time_code(content);
    Findings { one_time_code, found: notes.found(&reading), own_links, tone }
}

#[cfg(feature = "model")]
fn shipped() -> Option<&'static Model<'static>> {
    Model::shipped()
}

#[cfg(not(feature = "model"))]
const fn shipped() -> Option<&'static Model<'static>> {
    None
}

/// Whether a content is a one-time code: the one thing that may reach a person who opted out ([`Findings::one_time_code`]).
pub fn is_one_time_code(content: &Content) -> bool {
    // Few contents look like one, so few are read.
    one_time_code::may_be_one(content) && {
        let mut notes = Notes::default();
        Reading::of(content).note_phrases(&mut notes);
        notes.fits_a_one_time_code(content)
    }
}

/// What a text is made of, as the model sees it: for whoever trains one.
pub fn pieces(content: &Content, sender: &Sender) -> Vec<Piece> {
    let reading = Reading::of(content);
    let mut notes = Notes::default();
    reading.note_links(sender, &mut notes);
    reading.note_phrases(&mut notes);
    reading.note_disguises(&mut notes);
    let mut pieces = Vec::new();
    model::Pieces::of(&reading.folded, &notes.signals()).each(&mut |piece| pieces.push(piece));
    pieces
}

/// The texts of a content, each and folded.
struct Reading<'a> {
    texts: Vec<PlacedText<'a>>,
    folded: Folded,
    is_cut: bool,
}

/// One text, and at which byte of all it begins.
struct PlacedText<'a> {
    part: Part,
    kind: Kind,
    start: usize,
    text: &'a str,
}

/// What a text of a content is, apart from where it stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    /// The name of a file, or the end of a link: what it ends in is told by the whole of it.
    File,
    /// Anything else.
    Words,
}

impl<'a> Reading<'a> {
    fn of(content: &'a Content) -> Self {
        let mut reading = Self { texts: Vec::new(), folded: Folded::new(), is_cut: false };
        for_each_text(content, &mut |part, kind, text| reading.read(part, kind, text));
        reading
    }

    fn read(&mut self, part: Part, kind: Kind, text: &'a str) {
        let start = self.texts.last().map_or(0, |last| last.start + last.text.len() + 1);
        let room = BYTES_MAX.saturating_sub(start);
        let text = if text.len() > room {
            self.is_cut = true;
            text.get(..boundary_before(text, room)).unwrap_or_default()
        } else {
            text
        };
        if part != Part::Link {
            self.folded.read(text, start);
        }
        self.texts.push(PlacedText { part, kind, start, text });
    }

    /// Judges every link, and answers how many there are.
    fn note_links(&self, sender: &Sender, notes: &mut Notes) -> usize {
        let by_text: Vec<_> = self.texts.iter().map(|placed| (placed, link::links(placed.text))).collect();
        let mut names = Names::default();
        for (placed, link) in by_text.iter().flat_map(|(placed, links)| links.iter().map(move |link| (placed, link))) {
            let place = as_place(placed.start + link.place.start..placed.start + link.place.end);
            if sender.owns(&link.host) {
                // Whoever vouches for a domain does not vouch for each file that stands there.
                if link.is_executable() {
                    notes.note(Signal::LinkExecutable, place);
                }
                continue;
            }
            notes.foreign_links += 1;
            link.signals(&mut |signal| notes.note(signal, place.clone()));
            if sender.is_imitated_by(&link.host) {
                notes.note(Signal::LinkOwnLookAlike, place.clone());
            }
            if !names.has(link, || self.words_outside(&by_text)) {
                notes.note(Signal::LinkUnnamed, place);
            }
        }
        let is_program = |placed: &&PlacedText<'_>| {
            placed.kind == Kind::File && (hosts::is_executable(placed.text) || hosts::is_executable(link::path(placed.text)))
        };
        for placed in self.texts.iter().filter(is_program) {
            notes.note(Signal::LinkExecutable, as_place(placed.start..placed.start + placed.text.len()));
        }
        by_text.iter().map(|(_, links)| links.len()).sum()
    }

    /// All words, without spaces, but for those of links.
    fn words_outside(&self, by_text: &[(&PlacedText<'_>, Vec<Link<'_>>)]) -> String {
        let in_all = |placed: &PlacedText<'_>, link: &Link<'_>| as_place(placed.start + link.place.start..placed.start + link.place.end);
        let mut links = by_text.iter().flat_map(|(placed, links)| links.iter().map(|link| in_all(placed, link))).peekable();
        let mut words = String::with_capacity(self.folded.text.len());
        for (origin, word) in self.folded.placed_words() {
            while links.next_if(|link| link.end <= origin).is_some() {}
            if links.peek().is_none_or(|link| origin < link.start) {
                words.push_str(word);
            }
        }
        words
    }

    fn note_phrases(&self, notes: &mut Notes) {
        let mut requests = SecretRequests::default();
        lexicon::hits(&self.folded, &mut |hit| match hit.phrase {
            Phrase::Shows(signal) => notes.note(signal, self.folded.origin(hit.place)),
            Phrase::Give | Phrase::Secret | Phrase::Never => requests.see(&self.folded, &hit),
        });
        if let Some(place) = requests.first() {
            notes.note(Signal::SecretRequest, self.folded.origin(place));
        }
    }

    fn note_disguises(&self, notes: &mut Notes) {
        let fold::Disguises { invisible, mixed_script, styled, spelled, signs, turned } = self.folded.disguises;
        let seen = [
            (Signal::HiddenCharacters, invisible),
            (Signal::MixedScript, mixed_script),
            (Signal::StyledLetters, styled),
            (Signal::SpelledOut, spelled),
            (Signal::SignsForLetters, signs),
            (Signal::TurnedText, turned),
            (Signal::TooLong, self.is_cut.then_some(0)),
        ];
        for (signal, at) in seen {
            at.into_iter().for_each(|at| notes.note(signal, at..at + 1));
        }
    }

    fn hear(&self, notes: &Notes, model: &Model<'_>) -> Option<Heard> {
        let (tone, loudest) = model.judge(&self.folded, &notes.signals())?;
        Some(Heard { tone, at: self.span(self.folded.origin_of_words(loudest)) })
    }

    /// Bytes of all texts as characters of one.
    fn span(&self, bytes: Range<u32>) -> Span {
        let (start, end) = (bytes.start as usize, bytes.end as usize);
        let placed = self.texts.iter().rev().find(|placed| placed.start <= start).or(self.texts.first());
        let Some(placed) = placed else { return Span { part: Part::Body, start: 0, length: 0 } };
        let characters = |bytes: usize| {
            let head = placed.text.get(..boundary_behind(placed.text, bytes - placed.start)).unwrap_or(placed.text);
            u16::try_from(head.chars().count()).unwrap_or(u16::MAX)
        };
        let before = characters(start.max(placed.start));
        Span { part: placed.part, start: before, length: characters(end.max(start)).saturating_sub(before) }
    }
}

/// Which hosts the words around the links name. The words are searched for each host anew, so it is done for few of them; of more hosts than a
/// text can speak of, the others count as not named.
#[derive(Default)]
struct Names<'a> {
    words: Option<String>,
    asked: Vec<(&'a str, bool)>,
}

impl<'a> Names<'a> {
    const MAX: usize = 16;

    fn has(&mut self, link: &'a Link<'_>, words: impl FnOnce() -> String) -> bool {
        let asked = self.asked.iter().find(|(host, _)| *host == link.host).map(|(_, is_named)| *is_named);
        asked.unwrap_or_else(|| {
            let is_named = self.asked.len() < Self::MAX && link.is_named_in(self.words.get_or_insert_with(words));
            if self.asked.len() < Self::MAX {
                self.asked.push((&link.host, is_named));
            }
            is_named
        })
    }
}

/// How many bytes may stand between what asks and what is asked for.
const REQUEST_BYTES_MAX: usize = 64;

/// Looks for where a text asks to hand over a secret: a verb that does, and within a few words of the same sentence the name of a secret, and
/// nothing in that sentence that warns of it.
#[derive(Default)]
struct SecretRequests {
    sentence: usize,
    /// The last of each in the sentence.
    give: Option<Range<usize>>,
    secret: Option<Range<usize>>,
    is_warned: bool,
    in_sentence: Option<Range<usize>>,
    /// In a sentence before.
    found: Option<Range<usize>>,
}

impl SecretRequests {
    /// Sees the next phrase, in the order of their ends.
    fn see(&mut self, folded: &Folded, hit: &Hit) {
        let sentence = folded.sentence(hit.place.start);
        if sentence != self.sentence {
            let found = self.first();
            *self = Self { sentence, found, ..Self::default() };
        }
        let before = match hit.phrase {
            Phrase::Give => {
                self.give = Some(hit.place.clone());
                &self.secret
            }
            Phrase::Secret => {
                self.secret = Some(hit.place.clone());
                &self.give
            }
            Phrase::Never | Phrase::Shows(_) => {
                self.is_warned |= hit.phrase == Phrase::Never;
                return;
            }
        };
        if let Some(before) = before
            && hit.place.start.saturating_sub(before.end) <= REQUEST_BYTES_MAX
        {
            self.in_sentence.get_or_insert(before.start.min(hit.place.start)..before.end.max(hit.place.end));
        }
    }

    /// The first request of those that were seen.
    fn first(&mut self) -> Option<Range<usize>> {
        self.found.take().or_else(|| self.in_sentence.take().filter(|_| !self.is_warned))
    }
}

/// What was seen so far.
#[derive(Default)]
struct Notes {
    /// By signal, where first and how often.
    seen: Vec<(Signal, Range<u32>, u8)>,
    /// Links to hosts that are not the sender's.
    foreign_links: usize,
}

impl Notes {
    fn note(&mut self, signal: Signal, place: Range<u32>) {
        match self.seen.iter_mut().find(|(seen, ..)| *seen == signal) {
            // What stands inside what was found before is found once.
            Some((_, first, times)) if first.end <= place.start || place.end <= first.start => *times = times.saturating_add(1),
            Some(_) => {}
            None => self.seen.push((signal, place, 1)),
        }
    }

    fn signals(&self) -> Vec<Signal> {
        let mut signals: Vec<_> = self.seen.iter().map(|(signal, ..)| *signal).collect();
        signals.sort_unstable();
        signals
    }

    /// Whether what was seen in the words of what may be a one-time code lets it be one. What every code says is no reason: that it confirms
    /// an account, that it is to be entered, and for how long it can be used.
    fn fits_a_one_time_code(&self, content: &Content) -> bool {
        let speaks_against = |signal: Signal| {
            signal < Signal::LinkExecutable && !matches!(signal, Signal::VerifyRequest | Signal::SecretRequest | Signal::Hurry)
        };
        matches!(content, Content::Template { .. }) || !self.seen.iter().any(|(signal, ..)| speaks_against(*signal))
    }

    fn found(self, reading: &Reading<'_>) -> Vec<Finding> {
        let finding = |(signal, place, times)| Finding { signal, at: reading.span(place), times };
        let mut found: Vec<_> = self.seen.into_iter().map(finding).collect();
        found.sort_unstable_by_key(|finding| finding.signal);
        found
    }
}

fn as_place(bytes: Range<usize>) -> Range<u32> {
    let at = |byte| u32::try_from(byte).unwrap_or(u32::MAX);
    at(bytes.start)..at(bytes.end)
}

/// The last place up to `byte` where a character ends.
fn boundary_before(text: &str, byte: usize) -> usize {
    (0..=byte).rev().find(|byte| text.is_char_boundary(*byte)).unwrap_or(0)
}

/// The first place from `byte` on where a character ends.
fn boundary_behind(text: &str, byte: usize) -> usize {
    (byte..text.len()).find(|byte| text.is_char_boundary(*byte)).unwrap_or(text.len())
}

/// Every text that a recipient sees, or that tells where something leads. Each variant is taken apart whole, so that no field is forgotten.
fn for_each_text<'a>(content: &'a Content, take: &mut impl FnMut(Part, Kind, &'a str)) {
    let mut words = |part, text| take(part, Kind::Words, text);
    match content {
        Content::Text { text } => words(Part::Body, text.as_str()),
        Content::Interactive { text, header, footer, action } => {
            words(Part::Body, text.as_str());
            header.iter().for_each(|header| words(Part::Header, header.as_str()));
            footer.iter().for_each(|footer| words(Part::Footer, footer.as_str()));
            for_each_text_of_action(action, &mut words);
        }
        Content::Location { latitude_e6: _, longitude_e6: _, name, address } => {
            name.iter().for_each(|name| words(Part::Name, name.as_str()));
            address.iter().for_each(|address| words(Part::Body, address.as_str()));
        }
        Content::Media { kind: _, source, caption, file_name } => {
            caption.iter().for_each(|caption| words(Part::Body, caption.as_str()));
            words(Part::Link, source.as_str());
            file_name.iter().for_each(|name| take(Part::Name, Kind::File, name.as_str()));
        }
        Content::Template { name: _, language: _, authentication: _, header, parameters, buttons } => {
            parameters.iter().for_each(|TemplateParameter { name: _, text }| words(Part::Parameter, text.as_str()));
            match header {
                Some(TemplateHeader::Text { text: TemplateParameter { name: _, text } }) => words(Part::Header, text.as_str()),
                Some(TemplateHeader::Media { kind: _, source }) => words(Part::Link, source.as_str()),
                None => {}
            }
            for TemplateButton { index: _, fill } in buttons {
                match fill {
                    TemplateButtonFill::UrlSuffix { suffix } => take(Part::Link, Kind::File, suffix.as_str()),
                    TemplateButtonFill::Payload { payload: _ } => {}
                }
            }
        }
        // What providers take for an emoji is theirs to say.
        Content::Reaction { to: _, emoji } => emoji.iter().for_each(|emoji| words(Part::Body, emoji.as_str())),
    }
}

fn for_each_text_of_action<'a>(action: &'a Action, words: &mut impl FnMut(Part, &'a str)) {
    match action {
        Action::Buttons { buttons } => {
            buttons.as_slice().iter().for_each(|Button { id: _, title }| words(Part::Button, title.as_str()));
        }
        Action::Link { label, url } => {
            words(Part::Button, label.as_str());
            words(Part::Link, url.as_str());
        }
        Action::List { label, rows } => {
            words(Part::Button, label.as_str());
            let mut above = None;
            for Row { section, id: _, title, description } in rows.as_slice() {
                // Rows of one section stand under one title.
                if above != section.as_ref() {
                    section.iter().for_each(|section| words(Part::Button, section.as_str()));
                    above = section.as_ref();
                }
                words(Part::Button, title.as_str());
                description.iter().for_each(|description| words(Part::Button, description.as_str()));
            }
        }
        Action::ShareNumber => {}
    }
}
