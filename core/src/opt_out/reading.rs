//! Reading: a text as one language understands it, in items and clauses.

use alloc::vec::Vec;

use super::language::Language;
use super::roles::Roles;
use super::scan::{Atom, AtomKind, Hit, Scan};

/// How far a negation reaches, in items.
const DENIAL_REACH: usize = 5;
/// Of a text with more words only the first and the last sentence are read, and a longer clause is read in parts.
const WORDS_MAX: usize = 40;

/// A word or phrase of the language, a stretch that it does not know, or a mark.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Item {
    pub(super) roles: Roles,
    mark: Option<u8>,
    pub(super) is_number: bool,
    /// For how many unknown words it counts.
    unknown: usize,
}

impl Item {
    pub(super) const fn has(&self, roles: Roles) -> bool {
        self.roles.has(roles)
    }

    /// Whether it is courtesy and nothing that matters.
    pub(super) const fn is_polite(&self) -> bool {
        self.has(Roles::POLITE) && !self.has(Roles::KEYWORD.or(Roles::NOT).or(Roles::NO).or(Roles::STOP))
    }
}

/// A text in the eyes of one language.
pub(super) struct Reading {
    pub(super) language: Language,
    items: Vec<Item>,
}

impl Reading {
    /// For the grammar: what is a keyword and nothing else counts for nothing.
    pub(super) fn of(scan: &Scan<'_>, language: Language) -> Self {
        Self::with(scan, language, false)
    }

    /// For the table of keywords.
    pub(super) fn with_keywords(scan: &Scan<'_>, language: Language) -> Self {
        Self::with(scan, language, true)
    }

    fn with(scan: &Scan<'_>, language: Language, with_keywords: bool) -> Self {
        let mut reader = Reader { language, hits: &scan.hits, with_keywords, is_quoted: false, run: 0 };
        let mut items = Vec::with_capacity(scan.atoms.len());
        let mut at = 0;
        while let Some(atom) = scan.atoms.get(at) {
            at += reader.read(scan, at, *atom, &mut items);
        }
        reader.end_run(&mut items);
        Self { language, items }
    }

    /// The words that are more than courtesy.
    pub(super) fn telling(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.mark.is_none() && !item.is_polite())
    }

    /// The first paragraph, if others follow.
    pub(super) fn first_paragraph(&self) -> Option<Self> {
        let end = self.items.iter().position(|item| item.mark == Some(b'|'))?;
        Some(Self { language: self.language, items: self.items.get(..end)?.to_vec() })
    }

    pub(super) fn has_question(&self) -> bool {
        self.items.iter().any(|item| item.mark == Some(b'?'))
    }

    /// The clauses that are worth reading, in order.
    pub(super) fn clauses(&self) -> Vec<Clause<'_>> {
        let mut clauses = Vec::new();
        for sentence in self.sentences() {
            let is_question = sentence.last().is_some_and(|item| item.mark == Some(b'?'));
            let parts = sentence.split(|item| item.mark.is_some() || item.has(Roles::AND)).flat_map(|part| part.chunks(WORDS_MAX));
            clauses.extend(parts.filter(|part| !part.is_empty()).map(|part| Clause::new(part, self.language, is_question)));
        }
        let has_mistake = clauses.iter().any(|clause| clause.has(Roles::MISTAKE));
        clauses.iter_mut().for_each(|clause| clause.is_beside_mistake = has_mistake);
        let mut telling = clauses.iter_mut().filter(|clause| !clause.is_courtesy());
        if let (Some(only), None) = (telling.next(), telling.next()) {
            only.is_only = true;
        }
        clauses
    }

    /// The sentences with their marks; of a long text only the first and the last.
    fn sentences(&self) -> Vec<&[Item]> {
        let ends = |item: &Item| matches!(item.mark, Some(b'.' | b'?' | b'|'));
        let mut sentences: Vec<_> = self.items.split_inclusive(ends).collect();
        if self.items.len() > WORDS_MAX && sentences.len() > 2 {
            sentences.drain(1..sentences.len() - 1);
        }
        sentences
    }
}

/// Reads atoms into items.
struct Reader<'a> {
    language: Language,
    hits: &'a [Hit],
    /// Whether entries are looked at that are keywords and nothing else.
    with_keywords: bool,
    is_quoted: bool,
    /// Unknown characters in a row, of a script without spaces.
    run: usize,
}

impl Reader<'_> {
    /// Reads what begins at an atom. Answers how many atoms that took.
    fn read(&mut self, scan: &Scan<'_>, at: usize, atom: Atom, items: &mut Vec<Item>) -> usize {
        let (length, roles) = self.longest(at);
        match atom.kind {
            AtomKind::Mark(b'"') => self.is_quoted = !self.is_quoted,
            AtomKind::Mark(mark) => {
                self.end_run(items);
                items.push(Item { mark: Some(mark), ..Item::default() });
            }
            AtomKind::Character(_) if length == 0 => {
                self.run += 1;
            }
            _ => {
                self.end_run(items);
                items.push(Item { is_number: scan.is_number(atom), ..self.item(roles) });
            }
        }
        length.max(1)
    }

    /// What stands in quotation marks is spoken of, not said.
    fn item(&self, roles: Roles) -> Item {
        let roles = if self.is_quoted { Roles::ORDINARY } else { roles };
        Item { roles, unknown: usize::from(!roles.is_known()), ..Item::default() }
    }

    fn end_run(&mut self, items: &mut Vec<Item>) {
        if self.run > 0 {
            items.push(Item { unknown: self.run.div_ceil(2), ..Item::default() });
            self.run = 0;
        }
    }

    /// The longest entry that begins at an atom, with all its roles.
    fn longest(&mut self, at: usize) -> (usize, Roles) {
        let mut longest = (0, Roles::default());
        while let Some((hit, rest)) = self.hits.split_first().filter(|(hit, _)| hit.atom() <= at) {
            self.hits = rest;
            if hit.atom() == at && self.counts(hit) {
                longest = match longest {
                    (length, _) if hit.length() > length => (hit.length(), hit.roles),
                    (length, roles) if hit.length() == length => (length, roles.or(hit.roles)),
                    longer => longer,
                };
            }
        }
        longest
    }

    fn counts(&self, hit: &Hit) -> bool {
        let is_spoken = hit.language == self.language || hit.language == Language::Multiple;
        is_spoken && (self.with_keywords || !hit.roles.is_keyword_only())
    }
}

/// A part of a sentence that says one thing.
pub(super) struct Clause<'a> {
    pub(super) items: &'a [Item],
    pub(super) language: Language,
    pub(super) is_question: bool,
    /// Whether there is nothing else but courtesy.
    pub(super) is_only: bool,
    /// Whether some clause of the text speaks of a mistake.
    pub(super) is_beside_mistake: bool,
    /// All roles that stand in it.
    roles: Roles,
    /// By item, whether it is denied.
    denied: Vec<bool>,
}

impl<'a> Clause<'a> {
    fn new(items: &'a [Item], language: Language, is_question: bool) -> Self {
        let roles = items.iter().fold(Roles::default(), |roles, item| roles.or(item.roles));
        let mut clause = Self { items, language, is_question, is_only: false, is_beside_mistake: false, roles, denied: Vec::new() };
        if clause.has(Roles::NOT) {
            clause.denied.resize(items.len(), false);
            clause.deny();
        }
        clause
    }

    pub(super) fn has(&self, roles: Roles) -> bool {
        self.roles.has(roles)
    }

    pub(super) fn is_courtesy(&self) -> bool {
        self.items.iter().all(|item| item.has(Roles::POLITE))
    }

    pub(super) fn is_denied(&self, at: usize) -> bool {
        self.denied.get(at).copied().unwrap_or_default()
    }

    /// Where a role stands that nothing denies.
    pub(super) fn places(&self, roles: Roles) -> impl Iterator<Item = usize> {
        self.all_places(roles).filter(|at| !self.is_denied(*at))
    }

    /// Where a role stands that is denied.
    pub(super) fn denied_places(&self, roles: Roles) -> impl Iterator<Item = usize> {
        self.all_places(roles).filter(|at| self.is_denied(*at))
    }

    fn all_places(&self, roles: Roles) -> impl Iterator<Item = usize> {
        let items = if self.has(roles) { self.items } else { &[] };
        items.iter().enumerate().filter(move |(_, item)| item.has(roles)).map(|(at, _)| at)
    }

    /// The items between two places, both left out, in whichever order they are given.
    pub(super) fn between(&self, one: usize, other: usize) -> &'a [Item] {
        self.items.get(one.min(other) + 1..one.max(other)).unwrap_or_default()
    }

    pub(super) fn before(&self, at: usize) -> &'a [Item] {
        self.items.get(..at).unwrap_or_default()
    }

    pub(super) fn after(&self, at: usize) -> &'a [Item] {
        self.items.get(at + 1..).unwrap_or_default()
    }

    pub(super) fn at(&self, at: usize) -> Item {
        self.items.get(at).copied().unwrap_or_default()
    }

    /// Each negation denies the next verb, or in some languages the one before it.
    fn deny(&mut self) {
        for at in 0..self.items.len() {
            if !self.at(at).has(Roles::NOT) {
                continue;
            }
            if let Some(verb) = self.denied_by(at) {
                self.mark_denied(verb);
                self.deny_what_is_not_wanted(verb);
            }
        }
    }

    fn mark_denied(&mut self, at: usize) {
        if let Some(denied) = self.denied.get_mut(at) {
            *denied = true;
        }
    }

    /// The verb that a negation denies: the nearer one, where both sides come into question.
    fn denied_by(&self, negation: usize) -> Option<usize> {
        let verb = |at: &usize| self.at(*at).has(Roles::VERB) && !self.at(*at).has(Roles::NOT);
        let next = (negation + 1..self.items.len()).take(DENIAL_REACH).find(verb);
        let next = next.filter(|next| unknown(self.between(negation, *next)) <= 1);
        if !self.language.may_deny_after() {
            return next;
        }
        let last = (negation.saturating_sub(DENIAL_REACH)..negation).rev().find(verb);
        match (last, next) {
            (Some(last), Some(next)) if next - negation > negation - last => Some(last),
            (last, next) => next.or(last),
        }
    }

    /// "I do not want you to stop" denies the stopping too.
    fn deny_what_is_not_wanted(&mut self, verb: usize) {
        let ends = Roles::STOP.or(Roles::UNSUBSCRIBE).or(Roles::CANCEL).or(Roles::REMOVE);
        let other = Roles::SEND.or(Roles::GET).or(Roles::MESSAGE);
        if !self.at(verb).has(Roles::WANT) {
            return;
        }
        let next = (verb + 1..self.items.len()).take(DENIAL_REACH).find(|at| self.at(*at).has(ends.or(other)));
        if let Some(next) = next.filter(|next| self.at(*next).has(ends)) {
            self.mark_denied(next);
        }
    }
}

/// For how many unknown words the items count.
pub(super) fn unknown(items: &[Item]) -> usize {
    items.iter().map(|item| item.unknown).sum()
}

/// Whether any of them is a thing or a person of everyday life.
pub(super) fn is_foreign(items: &[Item]) -> bool {
    items.iter().any(|item| item.roles.is_foreign())
}
