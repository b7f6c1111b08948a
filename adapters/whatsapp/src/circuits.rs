//! Circuits: the ways to a provider that are stopped, so that nothing runs into a restriction again and again.
//!
//! A circuit opens when the provider restricts an account, a number, a country or a template, when a token is refused, or when a number
//! loses its link. It closes when the provider says so, or by a try: once its time is over, one message goes this way while the others wait.
//! If the provider takes it, the way is free again; if it is refused, the circuit opens anew.
//!
//! No circuit stands longer than [an hour](CIRCUIT_STANDS_AT_MOST) without a new word of the provider, whatever end was told. Circuits live in the
//! memory of one host, and the word that a restriction is over reaches one host: it may be another, and for a number or a country Meta says
//! no such word at all. What is still restricted costs one refused message in an hour.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost::{AccountId, Connection, Content, InstanceId, Timestamp};

use crate::item::{AccountEffect, Body, Item, Line, Stopped, TemplateChange};

/// How long a circuit stands before one message tries the way, where its end is not known or is further off.
pub const CIRCUIT_STANDS_AT_MOST: Duration = Duration::from_secs(3_600);
/// How long the others wait while one message tries the way.
const WHILE_TRIED: Duration = Duration::from_secs(2);
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
    /// One message may, to see whether the others may too.
    HalfOpen {
        /// Why the way was stopped.
        reason: CircuitReason,
    },
    /// Not now.
    Open {
        /// Until when.
        until: Timestamp,
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
    /// The provider stopped the template.
    TemplateUpdate,
}

impl fmt::Display for CircuitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountUpdate => f.write_str("the provider restricted the account"),
            Self::Code(code) => write!(f, "the provider answered with code {code}"),
            Self::NotConnected => f.write_str("the number is not connected"),
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
/// What is stopped on which way.
type Open = HashMap<Way, Stop>;
/// Some of what goes a way.
type Way = (CircuitKey, Stopped);

/// Until when something is stopped, and why.
#[derive(Clone, Copy)]
struct Stop {
    until: Timestamp,
    reason: CircuitReason,
    /// Whether a message is on its way that tries it.
    is_tried: bool,
}

impl Stop {
    fn state(self, now: Timestamp) -> CircuitState {
        let Self { until, reason, .. } = self;
        if until > now { CircuitState::Open { until, reason } } else { CircuitState::HalfOpen { reason } }
    }

    /// How long the next message has to wait; none if it may try the way.
    fn wait(self, now: Timestamp) -> Option<Duration> {
        if self.until > now { Some(self.until.since(now).min(CIRCUIT_STANDS_AT_MOST)) } else { self.is_tried.then_some(WHILE_TRIED) }
    }
}

/// Forgets one circuit for one of `newcomer`, of those that stop least the one that ends first; says whether there was one that stops no more
/// than the new one.
fn make_room(open: &mut Open, newcomer: &CircuitKey) -> bool {
    let least = open.iter().min_by_key(|((key, _), stop)| (key.reach(), stop.until)).map(|(way, _)| way.clone());
    let least = least.filter(|(key, _)| key.reach() <= newcomer.reach());
    least.is_some_and(|least| open.remove(&least).is_some())
}

impl Circuits {
    /// Stops some of what goes this way, from `now` until then, and for [`CIRCUIT_STANDS_AT_MOST`] where that is later or not known. Of two ends the
    /// later one counts.
    pub fn trip(&self, key: CircuitKey, stopped: Stopped, until: Option<Timestamp>, reason: CircuitReason, now: Timestamp) {
        let at_most = now.plus(CIRCUIT_STANDS_AT_MOST);
        let stop = Stop { until: until.map_or(at_most, |until| until.min(at_most)), reason, is_tried: false };
        let mut opened = self.open();
        let (open, way) = (opened.entry(key.holder()).or_default(), (key, stopped));
        if open.len() >= OWNER_MAX && !open.contains_key(&way) && !make_room(open, &way.0) {
            return;
        }
        let known = open.entry(way).or_insert(stop);
        if stop.until >= known.until {
            *known = stop;
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
        let way = (key.clone(), stopped);
        if open.get(&way).is_some_and(|stop| is_over(stop.reason)) {
            open.remove(&way);
        }
    }

    /// How the way stands for messages of which `stopped` may be said.
    pub fn state(&self, key: &CircuitKey, stopped: Stopped, now: Timestamp) -> CircuitState {
        let opened = self.open();
        let stop = opened.get(&key.holder()).and_then(|open| open.get(&(key.clone(), stopped)));
        stop.map_or(CircuitState::Closed, |stop| stop.state(now))
    }

    /// All that are not closed, as they stand at `now`, for an operator to look at.
    pub fn all(&self, now: Timestamp) -> Vec<(CircuitKey, Stopped, CircuitState)> {
        let opened = self.open();
        let ways = opened.values().flatten();
        let mut all: Vec<_> = ways.map(|((key, stopped), stop)| (key.clone(), *stopped, stop.state(now))).collect();
        all.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
        all
    }

    /// Opens and closes what follows from something that the provider told about `instance`, which is one of `owner`.
    pub fn heed(&self, owner: AccountId, instance: InstanceId, item: &Item, now: Timestamp) {
        match (&item.line, &item.body) {
            (Line::CloudApi { account, .. }, Body::Account(update)) => {
                self.heed_account(&CircuitKey::Account { owner, id: account.clone() }, &update.effect, now);
            }
            (Line::CloudApi { account, .. }, Body::Template(update)) => {
                if let (Some(name), Some(language)) = (&update.name, &update.language) {
                    let (account, name, language) = (account.clone(), name.clone(), language.clone());
                    let key = CircuitKey::Template { owner, account, name, language };
                    self.heed_template(key, &update.change, now);
                }
            }
            (Line::Evolution { .. }, Body::Connection(update)) => self.heed_link(instance, update.connection, now),
            _ => {}
        }
    }

    fn heed_account(&self, key: &CircuitKey, effect: &AccountEffect, now: Timestamp) {
        match effect {
            AccountEffect::Stops { what, until } => {
                what.iter().for_each(|stopped| self.trip(key.clone(), *stopped, *until, CircuitReason::AccountUpdate, now));
            }
            AccountEffect::Restores => self.close(key),
            AccountEffect::Warns | AccountEffect::Informs => {}
        }
    }

    fn heed_template(&self, key: CircuitKey, change: &TemplateChange, now: Timestamp) {
        let is_sendable = match change {
            TemplateChange::Status { is_sendable, .. } => *is_sendable,
            TemplateChange::Quality { score } => (score == "RED").then_some(false),
            TemplateChange::Category { .. } | TemplateChange::Components => None,
        };
        match is_sendable {
            Some(true) => self.close(&key),
            Some(false) => self.trip(key, Stopped::All, None, CircuitReason::TemplateUpdate, now),
            None => {}
        }
    }

    fn heed_link(&self, instance: InstanceId, connection: Connection, now: Timestamp) {
        let key = CircuitKey::Instance { id: instance };
        match connection {
            Connection::Open => self.close(&key),
            // The transport asks again after a while.
            Connection::Closed | Connection::Connecting => {
                self.trip(key, Stopped::All, Some(now.plus(ASK_AGAIN)), CircuitReason::NotConnected, now);
            }
        }
    }

    /// Lets a message go these ways, or says how long it has to wait. Where the time of a stop is over, the message is the one that tries.
    pub(crate) fn pass(&self, keys: &[CircuitKey], content: Traffic, now: Timestamp) -> Result<Pass<'_>, Duration> {
        let mut opened = self.open();
        let ways = keys.iter().filter(|key| opened.contains_key(&key.holder()));
        let ways: Vec<Way> = ways.flat_map(|key| content.stopped_by().iter().map(|stopped| (key.clone(), *stopped))).collect();
        let stops = ways.iter().filter_map(|way| stop_of(&opened, way));
        if let Some(wait) = stops.filter_map(|stop| stop.wait(now)).max() {
            return Err(wait);
        }
        let tried = ways.into_iter().filter(|way| mark(&mut opened, way, true)).collect();
        Ok(Pass { circuits: self, tried })
    }

    fn open(&self) -> MutexGuard<'_, Opened> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stop_of(opened: &Opened, way: &Way) -> Option<Stop> {
    opened.get(&way.0.holder())?.get(way).copied()
}

/// Marks a stop as one that a message tries, or no longer; says whether there is one.
fn mark(opened: &mut Opened, way: &Way, is_tried: bool) -> bool {
    let stop = opened.get_mut(&way.0.holder()).and_then(|open| open.get_mut(way));
    stop.map(|stop| stop.is_tried = is_tried).is_some()
}

/// Leave for one message to go its ways. It ends with the send; unless the provider took the message, the next one tries where this one did.
#[must_use]
pub(crate) struct Pass<'a> {
    circuits: &'a Circuits,
    /// The stops whose time is over.
    tried: Vec<Way>,
}

impl Pass<'_> {
    /// The provider took the message: where it was a try, the way is free again. What was stopped anew in the meantime stays stopped.
    pub(crate) fn was_taken(mut self) {
        let tried = std::mem::take(&mut self.tried);
        let mut opened = self.circuits.open();
        for way in tried {
            let Some(open) = opened.get_mut(&way.0.holder()) else { continue };
            if open.get(&way).is_some_and(|stop| stop.is_tried) {
                open.remove(&way);
            }
        }
        opened.retain(|_, open| !open.is_empty());
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.tried.is_empty() {
            let mut opened = self.circuits.open();
            self.tried.iter().for_each(|way| _ = mark(&mut opened, way, false));
        }
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
#[allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]
mod tests {
    use proptest::prelude::*;

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

    /// How long a message of this kind has to wait; none if it may go, and it then gets no answer.
    fn wait(circuits: &Circuits, key: CircuitKey, traffic: Traffic, now: Timestamp) -> Option<Duration> {
        circuits.pass(&[key], traffic, now).err()
    }

    fn wait_of_reply(circuits: &Circuits, now: Timestamp) -> Option<Duration> {
        wait(circuits, account(), Traffic::Reply, now)
    }

    #[test]
    fn when_its_time_is_over_one_message_tries_and_opens_the_way_for_the_others() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON, NOW);
        let state = |now| circuits.state(&account(), Stopped::All, now);
        assert_eq!((state(later(59)), wait_of_reply(&circuits, later(59))), (open_until(60), Some(Duration::from_secs(1))));
        assert_eq!(state(later(60)), CircuitState::HalfOpen { reason: REASON });
        let first = circuits.pass(&[account()], Traffic::Reply, later(60)).unwrap();
        assert_eq!(wait_of_reply(&circuits, later(60)), Some(WHILE_TRIED), "one at a time");
        first.was_taken();
        assert_eq!((state(later(60)), circuits.all(later(60)).len()), (CircuitState::Closed, 0));
    }

    #[test]
    fn a_try_that_says_nothing_leaves_the_next_one_to_the_next_message() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON, NOW);
        drop(circuits.pass(&[account()], Traffic::Reply, later(60)).unwrap());
        let _second = circuits.pass(&[account()], Traffic::Reply, later(60)).unwrap();
        assert_eq!(wait_of_reply(&circuits, later(60)), Some(WHILE_TRIED));
    }

    #[test]
    fn what_is_stopped_anew_while_it_is_tried_stays_stopped() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON, NOW);
        let tried = circuits.pass(&[account()], Traffic::Reply, later(60)).unwrap();
        circuits.trip(account(), Stopped::All, None, REASON, later(61));
        tried.was_taken();
        assert_eq!(wait_of_reply(&circuits, later(61)), Some(CIRCUIT_STANDS_AT_MOST));
    }

    #[test]
    fn a_message_that_has_to_wait_elsewhere_tries_nothing() {
        let circuits = Circuits::default();
        let number = CircuitKey::Number { owner: OWNER, id: "8007".to_owned() };
        circuits.trip(account(), Stopped::All, Some(NOW), REASON, NOW);
        circuits.trip(number.clone(), Stopped::All, Some(later(60)), REASON, NOW);
        assert_eq!(circuits.pass(&[account(), number], Traffic::Reply, NOW).err(), Some(Duration::from_secs(60)));
        assert_eq!(wait_of_reply(&circuits, NOW), None);
    }

    fn open_until(seconds: u64) -> CircuitState {
        CircuitState::Open { until: later(seconds), reason: REASON }
    }

    #[test]
    fn the_latest_end_counts_and_none_is_later_than_an_hour() {
        let circuits = Circuits::default();
        for (until, expected) in [(Some(60), 60), (Some(30), 60), (Some(90), 90), (None, 3_600), (Some(200), 3_600), (Some(9_999), 3_600)] {
            circuits.trip(account(), Stopped::All, until.map(later), REASON, NOW);
            assert_eq!(circuits.state(&account(), Stopped::All, NOW), open_until(expected));
        }
        circuits.trip(account(), Stopped::All, None, REASON, later(1));
        assert_eq!(circuits.state(&account(), Stopped::All, NOW), open_until(3_601), "a new word counts from when it was said");
        circuits.close(&account());
        assert_eq!(circuits.state(&account(), Stopped::All, NOW), CircuitState::Closed);
    }

    #[test]
    fn only_what_is_restricted_is_stopped() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::BusinessInitiated, Some(later(60)), REASON, NOW);
        let waits = || [Traffic::Template, Traffic::Code, Traffic::Reply].map(|traffic| wait(&circuits, account(), traffic, NOW));
        let minute = Some(Duration::from_secs(60));
        assert_eq!(waits(), [minute, minute, None]);
        circuits.close(&account());
        circuits.trip(account(), Stopped::UtilityTemplates, None, REASON, NOW);
        assert_eq!(waits(), [Some(CIRCUIT_STANDS_AT_MOST), None, None]);
    }

    #[test]
    fn what_is_not_closed_is_listed() {
        let circuits = Circuits::default();
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON, NOW);
        let (number, reason) = (CircuitKey::Number { owner: OWNER, id: "8007".to_owned() }, CircuitReason::Code(131_048));
        circuits.trip(number.clone(), Stopped::All, None, reason, NOW);
        let open = (number, Stopped::All, CircuitState::Open { until: later(3_600), reason });
        assert_eq!(circuits.all(NOW), [(account(), Stopped::All, open_until(60)), open.clone()]);
        assert_eq!(circuits.all(later(60)), [(account(), Stopped::All, CircuitState::HalfOpen { reason: REASON }), open]);
    }

    #[test]
    fn nobody_stops_another_by_claiming_its_id() {
        let (circuits, other) = (Circuits::default(), account_of(AccountId::from_bytes([2; 16])));
        circuits.trip(other.clone(), Stopped::All, None, REASON, NOW);
        assert_eq!(wait_of_reply(&circuits, NOW), None);
        circuits.trip(account(), Stopped::All, Some(later(60)), REASON, NOW);
        circuits.close(&other);
        assert_eq!(wait_of_reply(&circuits, NOW), Some(Duration::from_secs(60)));
    }

    #[test]
    fn nobody_fills_the_room_of_another() {
        let circuits = Circuits::default();
        let owner = AccountId::from_bytes([2; 16]);
        for name in 0..OWNER_MAX + 10 {
            let key = CircuitKey::Template { owner, account: "9001".to_owned(), name: name.to_string(), language: "en".to_owned() };
            circuits.trip(key, Stopped::All, None, REASON, NOW);
        }
        circuits.trip(account(), Stopped::All, None, REASON, NOW);
        assert_eq!((circuits.all(NOW).len(), wait_of_reply(&circuits, NOW)), (OWNER_MAX + 1, Some(CIRCUIT_STANDS_AT_MOST)));
        circuits.trip(account_of(owner), Stopped::All, None, REASON, NOW);
        assert_eq!(circuits.all(NOW).len(), OWNER_MAX + 1);
        assert_eq!(
            wait(&circuits, account_of(owner), Traffic::Reply, NOW),
            Some(CIRCUIT_STANDS_AT_MOST),
            "a restriction of all is never forgotten for one"
        );
    }

    #[test]
    fn what_stops_less_makes_no_room_for_itself() {
        let circuits = Circuits::default();
        for id in 0..OWNER_MAX {
            let until = (id > 0).then(|| later(id as u64));
            circuits.trip(CircuitKey::Number { owner: OWNER, id: id.to_string() }, Stopped::All, until, REASON, NOW);
        }
        let (account_id, name, language) = ("9001".to_owned(), "offer".to_owned(), "en".to_owned());
        circuits.trip(CircuitKey::Template { owner: OWNER, account: account_id, name, language }, Stopped::All, None, REASON, NOW);
        let stands = |id: u64| circuits.all(NOW).iter().any(|(key, ..)| *key == CircuitKey::Number { owner: OWNER, id: id.to_string() });
        assert!(circuits.all(NOW).len() == OWNER_MAX && stands(0) && stands(1));
        circuits.trip(account(), Stopped::All, None, REASON, NOW);
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

    proptest! {
        /// Whatever end was told, and whatever became of the tries.
        #[test]
        fn nothing_is_stopped_for_longer_than_an_hour_without_a_new_word(
            steps in prop::collection::vec((0_u64..3_000, prop::option::of(prop::option::of(0_u64..100_000)), any::<bool>()), 1..50),
        ) {
            let (circuits, mut now, mut told) = (Circuits::default(), NOW, NOW);
            for (seconds, word, is_taken) in steps {
                now = now.plus(Duration::from_secs(seconds));
                if let Some(until) = word {
                    circuits.trip(account(), Stopped::All, until.map(|seconds| now.plus(Duration::from_secs(seconds))), REASON, now);
                    told = now;
                }
                let pass = circuits.pass(&[account()], Traffic::Reply, now);
                prop_assert!(pass.is_ok() || now < told.plus(CIRCUIT_STANDS_AT_MOST));
                pass.into_iter().filter(|_| is_taken).for_each(Pass::was_taken);
            }
        }
    }
}
