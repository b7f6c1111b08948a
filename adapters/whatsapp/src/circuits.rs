//! Circuits: the ways to a provider that are stopped, so that nothing runs into a restriction again and again.
//!
//! A circuit opens when the provider restricts an account, a number, a country or a template, when a token is refused, or when a number
//! loses its link. It closes when its time is over, when the provider says so, or by an operator. One without an end stays open until
//! somebody knows better.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost::{AccountId, Connection, Content, InstanceId, Timestamp};

use crate::item::{AccountEffect, Body, Item, Line, Stopped, TemplateChange};

/// How long to wait for a circuit whose end is not known.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);
/// How long a number without a link is taken for one, before somebody asks again.
pub(crate) const ASK_AGAIN: Duration = Duration::from_secs(60);

/// How many circuits of one owner are open at most. Beyond that those that stop the least are forgotten: the provider refuses by itself what
/// it restricted.
const OWNER_MAX: usize = 1_000;

/// What a circuit stops. What a provider calls by an id of its own is known by its owner too: another account that claims the same id is
/// not stopped by it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CircuitKey {
    /// All numbers of a business account.
    Account {
        /// Whose it is.
        owner: AccountId,
        /// Its id.
        id: String,
    },
    /// People whose numbers begin with a calling code, from one number of ours.
    Country {
        /// Whose number it is.
        owner: AccountId,
        /// The id of our number.
        number: String,
        /// The calling code.
        calling_code: u16,
    },
    /// One instance.
    Instance {
        /// Its id.
        id: InstanceId,
    },
    /// One number of ours.
    Number {
        /// Whose it is.
        owner: AccountId,
        /// Its id.
        id: String,
    },
    /// One template of an account.
    Template {
        /// Whose it is.
        owner: AccountId,
        /// The business account's id.
        account: String,
        /// The template's name.
        name: String,
        /// Its language.
        language: String,
    },
}

impl CircuitKey {
    /// Whose circuits it is counted among: an account's, or those of an instance.
    const fn holder(&self) -> [u8; 16] {
        match self {
            Self::Account { owner, .. } | Self::Country { owner, .. } | Self::Number { owner, .. } | Self::Template { owner, .. } => {
                owner.to_bytes()
            }
            Self::Instance { id } => id.to_bytes(),
        }
    }

    /// How much it stops: a template least, then a country.
    const fn reach(&self) -> u8 {
        match self {
            Self::Template { .. } => 0,
            Self::Country { .. } => 1,
            Self::Account { .. } | Self::Instance { .. } | Self::Number { .. } => 2,
        }
    }
}

/// Whether something may be sent on a way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CircuitState {
    /// It may.
    Closed,
    /// Not now.
    Open {
        /// Until when; none until somebody closes it.
        until: Option<Timestamp>,
        /// Why.
        reason: CircuitReason,
    },
}

/// Why a circuit is open.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CircuitReason {
    /// The provider said so about our account.
    AccountUpdate,
    /// The provider refused a message with this code.
    Code(i64),
    /// The number is not linked to Evolution API.
    NotConnected,
    /// A person stopped it.
    Operator,
    /// The provider stopped the template.
    TemplateUpdate,
}

impl fmt::Display for CircuitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountUpdate => f.write_str("the provider restricted the account"),
            Self::Code(code) => write!(f, "the provider answered with code {code}"),
            Self::NotConnected => f.write_str("the number is not connected"),
            Self::Operator => f.write_str("a person stopped it"),
            Self::TemplateUpdate => f.write_str("the provider stopped the template"),
        }
    }
}

/// The circuits that are open. Whoever receives tells them what the provider said; a transport asks before each send.
#[derive(Default)]
pub struct Circuits {
    open: Mutex<Opened>,
}

/// What is stopped by whom it belongs to, so that none fills the room of another.
type Opened = HashMap<[u8; 16], Open>;
/// What is stopped on which way, until when and why.
type Open = HashMap<(CircuitKey, Stopped), (Option<Timestamp>, CircuitReason)>;

/// Forgets one circuit for one of `newcomer`, of those that stop least the one that ends first; says whether there was one that stops no more
/// than the new one.
fn make_room(open: &mut Open, newcomer: &CircuitKey) -> bool {
    let end = |until: Option<Timestamp>| (until.is_none(), until);
    let least = open.iter().min_by_key(|((key, _), (until, _))| (key.reach(), end(*until))).map(|(entry, _)| entry.clone());
    let least = least.filter(|(key, _)| key.reach() <= newcomer.reach());
    least.is_some_and(|least| open.remove(&least).is_some())
}

impl Circuits {
    /// Stops some of what goes this way. Of two ends the later one counts, and none is the latest.
    pub fn trip(&self, key: CircuitKey, stopped: Stopped, until: Option<Timestamp>, reason: CircuitReason) {
        let mut opened = self.open();
        let (open, entry) = (opened.entry(key.holder()).or_default(), (key, stopped));
        if open.len() >= OWNER_MAX && !open.contains_key(&entry) && !make_room(open, &entry.0) {
            return;
        }
        let known = open.entry(entry).or_insert((until, reason));
        let is_later = known.0.is_some_and(|end| until.is_none_or(|until| until >= end));
        if is_later {
            *known = (until, reason);
        }
    }

    /// Lets everything go this way again.
    pub fn close(&self, key: &CircuitKey) {
        let mut opened = self.open();
        let Some(open) = opened.get_mut(&key.holder()) else { return };
        open.retain(|(known, _), _| known != key);
        if open.is_empty() {
            opened.remove(&key.holder());
        }
    }

    /// Lets what is `stopped` go this way again, if it was stopped for one of these reasons.
    pub(crate) fn let_go(&self, key: &CircuitKey, stopped: Stopped, is_over: impl FnOnce(CircuitReason) -> bool) {
        let mut opened = self.open();
        let Some(open) = opened.get_mut(&key.holder()) else { return };
        let entry = (key.clone(), stopped);
        if open.get(&entry).is_some_and(|(_, reason)| is_over(*reason)) {
            open.remove(&entry);
        }
    }

    /// How the way stands for messages of which `stopped` may be said.
    pub fn state(&self, key: &CircuitKey, stopped: Stopped, now: Timestamp) -> CircuitState {
        let mut opened = self.open();
        let Some(open) = opened.get_mut(&key.holder()) else { return CircuitState::Closed };
        let entry = (key.clone(), stopped);
        match open.get(&entry).copied() {
            None => CircuitState::Closed,
            Some((Some(until), _)) if until <= now => {
                open.remove(&entry);
                CircuitState::Closed
            }
            Some((until, reason)) => CircuitState::Open { until, reason },
        }
    }

    /// All that are open at `now`, for an operator to look at.
    pub fn all(&self, now: Timestamp) -> Vec<(CircuitKey, Stopped, CircuitState)> {
        let mut opened = self.open();
        opened.retain(|_, open| {
            open.retain(|_, (until, _)| until.is_none_or(|until| until > now));
            !open.is_empty()
        });
        let open = opened.values().flatten().map(|((key, stopped), (until, reason))| (key, stopped, *until, *reason));
        let mut all: Vec<_> =
            open.map(|(key, stopped, until, reason)| (key.clone(), *stopped, CircuitState::Open { until, reason })).collect();
        all.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
        all
    }

    /// Opens and closes what follows from something that the provider told about `instance`, which is one of `owner`.
    pub fn heed(&self, owner: AccountId, instance: InstanceId, item: &Item, now: Timestamp) {
        match (&item.line, &item.body) {
            (Line::CloudApi { account, .. }, Body::Account(update)) => {
                self.heed_account(&CircuitKey::Account { owner, id: account.clone() }, &update.effect);
            }
            (Line::CloudApi { account, .. }, Body::Template(update)) => {
                if let (Some(name), Some(language)) = (&update.name, &update.language) {
                    let (account, name, language) = (account.clone(), name.clone(), language.clone());
                    let key = CircuitKey::Template { owner, account, name, language };
                    self.heed_template(key, &update.change);
                }
            }
            (Line::Evolution { .. }, Body::Connection(update)) => self.heed_link(instance, update.connection, now),
            _ => {}
        }
    }

    fn heed_account(&self, key: &CircuitKey, effect: &AccountEffect) {
        match effect {
            AccountEffect::Stops { what, until } => {
                what.iter().for_each(|stopped| self.trip(key.clone(), *stopped, *until, CircuitReason::AccountUpdate));
            }
            AccountEffect::Restores => self.close(key),
            AccountEffect::Warns | AccountEffect::Informs => {}
        }
    }

    fn heed_template(&self, key: CircuitKey, change: &TemplateChange) {
        let is_sendable = match change {
            TemplateChange::Status { is_sendable, .. } => *is_sendable,
            TemplateChange::Quality { score } => (score == "RED").then_some(false),
            TemplateChange::Category { .. } | TemplateChange::Components => None,
        };
        match is_sendable {
            Some(true) => self.close(&key),
            Some(false) => self.trip(key, Stopped::All, None, CircuitReason::TemplateUpdate),
            None => {}
        }
    }

    fn heed_link(&self, instance: InstanceId, connection: Connection, now: Timestamp) {
        let key = CircuitKey::Instance { id: instance };
        match connection {
            Connection::Open => self.close(&key),
            // The news that it is open again may get lost: after a while the transport asks.
            Connection::Closed | Connection::Connecting => {
                self.trip(key, Stopped::All, Some(now.plus(ASK_AGAIN)), CircuitReason::NotConnected);
            }
        }
    }

    /// How long to wait, where one of these ways is stopped for what is about to be sent.
    pub(crate) fn wait(&self, keys: &[CircuitKey], content: Traffic, now: Timestamp) -> Option<Duration> {
        let states = keys.iter().flat_map(|key| content.stopped_by().iter().map(|stopped| self.state(key, *stopped, now)));
        let wait = |state| match state {
            CircuitState::Closed => None,
            CircuitState::Open { until, .. } => Some(until.map_or(LOOK_AGAIN, |until| until.since(now).min(LOOK_AGAIN))),
        };
        states.filter_map(wait).max()
    }

    fn open(&self) -> MutexGuard<'_, Opened> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Circuits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circuits").field("open", &self.open().values().map(HashMap::len).sum::<usize>()).finish_non_exhaustive()
    }
}

/// What kind of message is about to be sent, as far as restrictions tell them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Traffic {
    /// An authentication template.
    Code,
    /// Anything but a template: an answer.
    Reply,
    /// Any other template; whether it is one for utility is not known here, so it counts as one.
    Template,
}

impl Traffic {
    pub(crate) const fn of(content: &Content) -> Self {
        match content {
            Content::Template { authentication: true, .. } => Self::Code,
            Content::Template { .. } => Self::Template,
            _ => Self::Reply,
        }
    }

    const fn stopped_by(self) -> &'static [Stopped] {
        match self {
            Self::Code => &[Stopped::All, Stopped::BusinessInitiated],
            Self::Reply => &[Stopped::All, Stopped::CustomerInitiated],
            Self::Template => &[Stopped::All, Stopped::BusinessInitiated, Stopped::UtilityTemplates],
        }
    }
}

/// The calling code that a number of these digits begins with: the ones that ITU-T assigned, none of which begins with another.
pub(crate) fn calling_code(digits: u64) -> u16 {
    let length = digits.checked_ilog10().map_or(1, |power| power + 1);
    let first = |count: u32| digits / 10_u64.pow(length.saturating_sub(count));
    let code = match (first(1), first(2)) {
        (one @ (1 | 7), _) => one,
        (_, two @ (20 | 27 | 30..=34 | 36 | 39 | 40 | 41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 86 | 90..=95 | 98)) => two,
        _ => first(3),
    };
    // Three digits at most.
    code as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_500_000_000);
    const REASON: CircuitReason = CircuitReason::AccountUpdate;

    const OWNER: AccountId = AccountId::from_bytes([1; 16]);

    fn account_of(owner: AccountId) -> CircuitKey {
        CircuitKey::Account { owner, id: "9001".to_owned() }
    }

    fn account() -> CircuitKey {
        account_of(OWNER)
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_circuit_closes_when_its_time_is_over() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON);
        assert_eq!(circuits.state(&account(), Stopped::All, later(59)), CircuitState::Open { until: Some(later(60)), reason: REASON });
        assert_eq!(circuits.state(&account(), Stopped::All, later(60)), CircuitState::Closed);
    }

    #[test]
    fn the_latest_end_counts_and_none_is_the_latest() {
        let circuits = Circuits::default();
        let end = || match circuits.state(&account(), Stopped::All, NOW) {
            CircuitState::Open { until, .. } => until,
            CircuitState::Closed => panic!("it is closed"),
        };
        for (until, expected) in [(Some(60), Some(60)), (Some(30), Some(60)), (Some(90), Some(90)), (None, None), (Some(200), None)] {
            circuits.trip(account(), Stopped::All, until.map(later), REASON);
            assert_eq!(end(), expected.map(later));
        }
        circuits.close(&account());
        assert_eq!(circuits.state(&account(), Stopped::All, NOW), CircuitState::Closed);
    }

    #[test]
    fn only_what_is_restricted_is_stopped() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::BusinessInitiated, Some(later(60)), REASON);
        let wait = |traffic| circuits.wait(&[account()], traffic, NOW);
        assert_eq!(
            (wait(Traffic::Template), wait(Traffic::Code), wait(Traffic::Reply)),
            (Some(Duration::from_secs(60)), Some(Duration::from_secs(60)), None)
        );
        circuits.close(&account());
        circuits.trip(account(), Stopped::UtilityTemplates, None, REASON);
        assert_eq!((wait(Traffic::Template), wait(Traffic::Code), wait(Traffic::Reply)), (Some(LOOK_AGAIN), None, None));
    }

    #[test]
    fn what_is_open_is_listed() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON);
        let number = CircuitKey::Number { owner: OWNER, id: "8007".to_owned() };
        circuits.trip(number.clone(), Stopped::All, None, CircuitReason::Code(131_048));
        let shown = |now| circuits.all(now).into_iter().map(|(key, ..)| key).collect::<Vec<_>>();
        assert_eq!(shown(NOW), [account(), number.clone()]);
        assert_eq!(shown(later(60)), [number]);
    }

    #[test]
    fn nobody_stops_another_by_claiming_its_id() {
        let (circuits, other) = (Circuits::default(), account_of(AccountId::from_bytes([2; 16])));
        circuits.trip(other.clone(), Stopped::All, None, REASON);
        assert_eq!(circuits.wait(&[account()], Traffic::Reply, NOW), None);
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON);
        circuits.close(&other);
        assert_eq!(circuits.wait(&[account()], Traffic::Reply, NOW), Some(Duration::from_secs(60)));
    }

    #[test]
    fn nobody_fills_the_room_of_another() {
        let circuits = Circuits::default();
        let owner = AccountId::from_bytes([2; 16]);
        for name in 0..OWNER_MAX + 10 {
            let key = CircuitKey::Template { owner, account: "9001".to_owned(), name: name.to_string(), language: "en".to_owned() };
            circuits.trip(key, Stopped::All, None, REASON);
        }
        circuits.trip(account(), Stopped::All, None, REASON);
        assert_eq!((circuits.all(NOW).len(), circuits.wait(&[account()], Traffic::Reply, NOW)), (OWNER_MAX + 1, Some(LOOK_AGAIN)));
        circuits.trip(account_of(owner), Stopped::All, None, REASON);
        assert_eq!(circuits.all(NOW).len(), OWNER_MAX + 1);
        assert_eq!(
            circuits.wait(&[account_of(owner)], Traffic::Reply, NOW),
            Some(LOOK_AGAIN),
            "a restriction of all is never forgotten for one"
        );
    }

    #[test]
    fn what_stops_less_makes_no_room_for_itself() {
        let circuits = Circuits::default();
        for id in 0..OWNER_MAX {
            let until = (id > 0).then(|| later(id as u64));
            circuits.trip(CircuitKey::Number { owner: OWNER, id: id.to_string() }, Stopped::All, until, REASON);
        }
        let (account_id, name, language) = ("9001".to_owned(), "offer".to_owned(), "en".to_owned());
        circuits.trip(CircuitKey::Template { owner: OWNER, account: account_id, name, language }, Stopped::All, None, REASON);
        let stands = |id: u64| circuits.all(NOW).iter().any(|(key, ..)| *key == CircuitKey::Number { owner: OWNER, id: id.to_string() });
        assert!(circuits.all(NOW).len() == OWNER_MAX && stands(0) && stands(1));
        circuits.trip(account(), Stopped::All, None, REASON);
        assert!(circuits.all(NOW).len() == OWNER_MAX && stands(0) && !stands(1), "what ends first goes first");
    }

    #[test]
    fn calling_codes_are_those_of_the_itu() {
        let cases = [
            (1_000_000_000, 1),
            (7_000_000_000, 7),
            (440_000_000_000, 44),
            (966_000_000_000, 966),
            (999_501_234_567, 999),
            (358_000_000, 358),
        ];
        for (digits, code) in cases {
            assert_eq!(calling_code(digits), code, "{digits}");
        }
    }
}
