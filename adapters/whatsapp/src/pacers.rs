//! Pacers: how fast Meta lets us send, kept here so that it need not refuse.
//!
//! Three limits hold at once. A *pair* is one number and one person: a message every six seconds, of which 45 may come at once and are
//! paid back later; when Meta says it was too much, 1, 4, 16 seconds pass. A *number* sends so many messages in a second. A *portfolio*
//! begins conversations with so many people in any 24 hours. What is counted is counted in this process: several hosts that send from one
//! number learn from Meta's refusals. There is no clock here but the `now` handed in.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use gatepost::{AccountId, Rate, Tat, Timestamp};

use crate::cloud::CloudRecipient;

/// One message in six seconds, 45 of them at once.
const PAIR: Rate = Rate { count: 1, period_seconds: 6, burst: 45 };
/// How many pairs of one account are remembered.
const PAIRS_MAX: usize = 20_000;
/// How many numbers, and how many portfolios, of one account are remembered.
const LINES_MAX: usize = 1_000;
/// From how many accounts on those are forgotten for which nothing is held back.
const ROOMS_MAX: usize = 10_000;
/// After so many refusals in a row, the wait of a pair grows no more: 4^6 seconds are more than an hour.
const STRIKES_MAX: u32 = 6;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How fast each account's numbers, people and portfolios are. An account that claims the ids of another does not slow it, and fills only
/// its own room.
#[derive(Default)]
pub(crate) struct Pacers {
    rooms: HashMap<AccountId, Room>,
}

/// What is known of one account.
#[derive(Default)]
struct Room {
    pairs: HashMap<Pair, Pace>,
    numbers: HashMap<String, Tat>,
    portfolios: HashMap<String, Begun>,
}

/// A number and a person.
type Pair = (String, CloudRecipient);

#[derive(Clone, Copy, Default)]
struct Pace {
    tat: Tat,
    strikes: u32,
    held_until: Timestamp,
}

/// What is about to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// For whom.
    pub(crate) owner: AccountId,
    /// From which number.
    pub(crate) number: &'a str,
    /// To whom.
    pub(crate) recipient: &'a CloudRecipient,
    /// How many messages the number may send in a second.
    pub(crate) throughput: u32,
    /// The portfolio and how many people it may begin with in a day, where this may begin a conversation.
    pub(crate) begins: Option<(&'a str, u32)>,
}

impl Ask<'_> {
    fn pair(&self) -> Pair {
        (self.number.to_owned(), self.recipient.clone())
    }

    /// A quarter of a second's messages may come at once.
    fn rate(&self) -> Rate {
        let count = self.throughput.max(1);
        Rate { count, period_seconds: 1, burst: (count / 4).max(1) }
    }
}

impl Pacers {
    /// Takes one message from every limit, or from none: then it says when to try again.
    pub(crate) fn take(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<(), Timestamp> {
        self.room(ask, now).take(ask, now)
    }

    /// Meta took a message of this pair: the next refusal is the first one again.
    pub(crate) fn was_taken(&mut self, ask: &Ask<'_>) {
        if let Some(pace) = self.rooms.get_mut(&ask.owner).and_then(|room| room.pairs.get_mut(&ask.pair())) {
            (pace.strikes, pace.held_until) = (0, Timestamp::default());
        }
    }

    /// Meta refused a message of this pair as too much: how long nothing is sent to it.
    pub(crate) fn was_too_much(&mut self, ask: &Ask<'_>, now: Timestamp) -> Duration {
        self.room(ask, now).was_too_much(ask, now)
    }

    fn room(&mut self, ask: &Ask<'_>, now: Timestamp) -> &mut Room {
        if self.rooms.len() >= ROOMS_MAX && !self.rooms.contains_key(&ask.owner) {
            self.rooms.retain(|_, room| !room.is_idle(now));
        }
        self.rooms.entry(ask.owner).or_default()
    }
}

impl Room {
    fn take(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<(), Timestamp> {
        let pace = self.pairs.get(&ask.pair()).copied().unwrap_or_default();
        if now < pace.held_until {
            return Err(pace.held_until);
        }
        let pair = PAIR.take(pace.tat, now)?;
        let number = ask.rate().take(self.numbers.get(ask.number).copied().unwrap_or_default(), now)?;
        if let Some((portfolio, people_max)) = ask.begins {
            self.portfolios.entry(portfolio.to_owned()).or_default().take(ask.recipient, people_max, now)?;
        }
        self.numbers.insert(ask.number.to_owned(), number);
        self.forget(now);
        self.remember(ask.pair(), Pace { tat: pair, ..pace }, now);
        Ok(())
    }

    fn was_too_much(&mut self, ask: &Ask<'_>, now: Timestamp) -> Duration {
        let pair = ask.pair();
        let pace = self.pairs.get(&pair).copied().unwrap_or_default();
        let wait = Duration::from_secs(4_u64.pow(pace.strikes.min(STRIKES_MAX)));
        let strikes = pace.strikes.saturating_add(1);
        self.remember(pair, Pace { strikes, held_until: now.plus(wait), ..pace }, now);
        wait
    }

    /// Whether it holds nothing back, and so is as good as a new one.
    fn is_idle(&mut self, now: Timestamp) -> bool {
        self.forget_past(now);
        self.pairs.is_empty() && self.numbers.is_empty() && self.portfolios.is_empty()
    }

    /// Forgets what holds nothing back any more.
    fn forget_past(&mut self, now: Timestamp) {
        let now_micros = now.as_millis().saturating_mul(1_000);
        self.pairs.retain(|_, pace| pace.tat.as_micros() > now_micros || pace.held_until > now);
        self.numbers.retain(|_, tat| tat.as_micros() > now_micros);
        self.portfolios.retain(|_, begun| {
            begun.forget(now);
            !begun.people.is_empty()
        });
    }

    /// Where an account has too many lines at once, Meta's own limits have to do.
    fn forget(&mut self, now: Timestamp) {
        if self.numbers.len() > LINES_MAX || self.portfolios.len() > LINES_MAX {
            self.forget_past(now);
        }
        if self.numbers.len() > LINES_MAX {
            self.numbers.clear();
        }
        if self.portfolios.len() > LINES_MAX {
            self.portfolios.clear();
        }
    }

    /// Where there are too many, those whose time is past have nothing to be remembered for. Were all of them present, Meta's own limit
    /// would have to do.
    fn remember(&mut self, pair: Pair, pace: Pace, now: Timestamp) {
        if self.pairs.len() >= PAIRS_MAX && !self.pairs.contains_key(&pair) {
            self.forget_past(now);
            if self.pairs.len() >= PAIRS_MAX {
                self.pairs.clear();
            }
        }
        self.pairs.insert(pair, pace);
    }
}

/// The people with whom a portfolio began a conversation in the last 24 hours.
#[derive(Default)]
struct Begun {
    people: BTreeSet<CloudRecipient>,
    /// When each of them was added, oldest first.
    since: VecDeque<(Timestamp, CloudRecipient)>,
}

impl Begun {
    fn take(&mut self, recipient: &CloudRecipient, people_max: u32, now: Timestamp) -> Result<(), Timestamp> {
        self.forget(now);
        if self.people.contains(recipient) {
            return Ok(());
        }
        if self.people.len() >= people_max as usize {
            // Without a limit above zero there is nobody whose day could end.
            let oldest = self.since.front().map_or(now, |(since, _)| *since);
            return Err(oldest.plus(DAY));
        }
        self.people.insert(recipient.clone());
        self.since.push_back((now, recipient.clone()));
        Ok(())
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((since, _)) = self.since.front()
            && since.plus(DAY) <= now
        {
            if let Some((_, recipient)) = self.since.pop_front() {
                self.people.remove(&recipient);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be made fails its test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_500_000_000);

    fn person(digit: u64) -> CloudRecipient {
        CloudRecipient::Phone(gatepost::Phone::from_digits(999_500_000_000 + digit).unwrap())
    }

    fn ask<'a>(recipient: &'a CloudRecipient, begins: Option<(&'a str, u32)>) -> Ask<'a> {
        Ask { owner: AccountId::from_bytes([1; 16]), number: "8007", recipient, throughput: 1_000, begins }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn one_person_gets_45_at_once_and_then_one_every_six_seconds() {
        let (mut pacers, one, other) = (Pacers::default(), person(1), person(2));
        let taken = (0..60).filter(|_| pacers.take(&ask(&one, None), START).is_ok()).count();
        assert_eq!(taken, 45);
        assert_eq!(pacers.take(&ask(&one, None), START), Err(START.plus(seconds(6))));
        assert_eq!(pacers.take(&ask(&other, None), START), Ok(()));
        assert_eq!(pacers.take(&ask(&one, None), START.plus(seconds(6))), Ok(()));
    }

    #[test]
    fn a_number_sends_as_fast_as_it_may() {
        let mut pacers = Pacers::default();
        let mut taken_by = |throughput, now| {
            let people: Vec<_> = (0..500).map(person).collect();
            people.iter().filter(|recipient| pacers.take(&Ask { throughput, ..ask(recipient, None) }, now).is_ok()).count()
        };
        assert_eq!(taken_by(80, START), 20);
        assert_eq!(taken_by(80, START), 0);
        assert_eq!(taken_by(80, START.plus(seconds(60))), 20);
        assert_eq!(taken_by(1_000, START.plus(seconds(120))), 250);
    }

    #[test]
    fn what_meta_calls_too_much_waits_four_times_as_long_each_time() {
        let (mut pacers, one) = (Pacers::default(), person(1));
        let waits: Vec<_> = (0..9).map(|_| pacers.was_too_much(&ask(&one, None), START).as_secs()).collect();
        assert_eq!(waits, [1, 4, 16, 64, 256, 1_024, 4_096, 4_096, 4_096]);
        assert_eq!(pacers.take(&ask(&one, None), START), Err(START.plus(seconds(4_096))));
        pacers.was_taken(&ask(&one, None));
        assert_eq!(pacers.take(&ask(&one, None), START), Ok(()));
        assert_eq!(pacers.was_too_much(&ask(&one, None), START), seconds(1));
    }

    #[test]
    fn a_portfolio_begins_with_so_many_people_in_a_moving_day() {
        let mut pacers = Pacers::default();
        let people: Vec<_> = (0..4).map(person).collect();
        let mut begin = |index: usize, now| pacers.take(&ask(&people[index], Some(("b", 2))), now);
        assert_eq!(begin(0, START), Ok(()));
        assert_eq!(begin(1, START.plus(seconds(3_600))), Ok(()));
        assert_eq!(begin(2, START.plus(seconds(7_200))), Err(START.plus(DAY)));
        // Who was begun with already is no further person.
        assert_eq!(begin(1, START.plus(seconds(7_200))), Ok(()));
        assert_eq!(begin(2, START.plus(DAY)), Ok(()));
        assert_eq!(begin(3, START.plus(DAY)), Err(START.plus(DAY).plus(seconds(3_600))));
    }

    #[test]
    fn what_one_limit_refuses_takes_nothing_of_the_others() {
        let (mut pacers, one, other) = (Pacers::default(), person(1), person(2));
        assert_eq!(pacers.take(&ask(&one, Some(("b", 1))), START), Ok(()));
        for _ in 0..100 {
            assert!(pacers.take(&ask(&other, Some(("b", 1))), START).is_err());
        }
        let taken = (0..60).filter(|_| pacers.take(&ask(&other, None), START).is_ok()).count();
        assert_eq!(taken, 45);
    }

    fn asked_by(owner: u8, ask: Ask<'_>) -> Ask<'_> {
        Ask { owner: AccountId::from_bytes([owner; 16]), ..ask }
    }

    #[test]
    fn nobody_slows_another_by_claiming_its_ids() {
        let (one, two) = (person(1), person(2));
        let is_free = |pacers: &mut Pacers, recipient| pacers.take(&ask(recipient, Some(("b", 1))), START) == Ok(());
        let mut pacers = Pacers::default();
        while pacers.take(&asked_by(2, ask(&one, None)), START).is_ok() {}
        pacers.was_too_much(&asked_by(2, ask(&one, None)), START);
        assert!(is_free(&mut pacers, &one), "the pair");

        let mut pacers = Pacers::default();
        let slow = || Ask { throughput: 1, ..asked_by(2, ask(&one, None)) };
        while pacers.take(&slow(), START).is_ok() {}
        assert!(pacers.take(&Ask { throughput: 1, ..ask(&two, None) }, START).is_ok(), "the number");

        let mut pacers = Pacers::default();
        assert_eq!(pacers.take(&asked_by(2, ask(&one, Some(("b", 1)))), START), Ok(()));
        assert!(is_free(&mut pacers, &two), "the portfolio");
    }

    #[test]
    fn nobody_fills_the_room_of_another() {
        let (mut pacers, one) = (Pacers::default(), person(1));
        pacers.was_too_much(&ask(&one, None), START);
        for digit in 0..PAIRS_MAX as u64 + 10 {
            pacers.was_too_much(&asked_by(2, ask(&person(digit), None)), START);
        }
        assert!(pacers.take(&ask(&one, None), START).is_err(), "it is held back all the same");
        assert!(pacers.rooms.values().all(|room| room.pairs.len() <= PAIRS_MAX));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut pacers, one) = (Pacers::default(), person(1));
        for line in 0..LINES_MAX + 10 {
            let name = line.to_string();
            pacers.take(&Ask { number: &name, begins: Some((&name, 1)), ..ask(&one, None) }, START).unwrap();
        }
        assert!(pacers.rooms.values().all(|room| room.numbers.len() <= LINES_MAX && room.portfolios.len() <= LINES_MAX));
        for account in 0..ROOMS_MAX as u128 + 10 {
            let now = START.plus(DAY * 2).plus(Duration::from_secs(account as u64 * 7));
            pacers.take(&Ask { owner: AccountId::from_bytes(account.to_be_bytes()), ..ask(&one, None) }, now).unwrap();
        }
        assert!(pacers.rooms.len() <= ROOMS_MAX);
    }

    proptest! {
        #[test]
        fn who_comes_back_when_told_is_let_through(steps in prop::collection::vec((0u64..3, 0u64..9_000, 0u32..3), 1..300)) {
            let (mut pacers, mut now) = (Pacers::default(), START);
            for (digit, step, limit) in steps {
                now = now.plus(Duration::from_millis(step));
                let recipient = person(digit);
                let asked = Ask { throughput: 4, ..ask(&recipient, (limit > 0).then_some(("b", limit))) };
                // Several limits may each ask for a wait, one after the other.
                for _ in 0..4 {
                    match pacers.take(&asked, now) {
                        Ok(()) => break,
                        Err(retry_at) => {
                            prop_assert!(retry_at > now);
                            now = retry_at;
                        }
                    }
                }
                let (late, answered) = (now.plus(Duration::from_secs(400)), Ask { begins: None, ..asked });
                prop_assert_eq!(pacers.take(&answered, late), Ok(()));
            }
        }
    }
}
