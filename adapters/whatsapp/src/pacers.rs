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
/// How many pairs are remembered.
const PAIRS_MAX: usize = 100_000;
/// From how many numbers and portfolios on those are forgotten that hold nothing back.
const LINES_MAX: usize = 10_000;
/// After so many refusals in a row, the wait of a pair grows no more: 4^6 seconds are more than an hour.
const STRIKES_MAX: u32 = 6;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How fast each number, person and portfolio is.
#[derive(Default)]
pub(crate) struct Pacers {
    pairs: HashMap<Pair, Pace>,
    numbers: HashMap<Owned, Tat>,
    portfolios: HashMap<Owned, Begun>,
}

/// What Meta calls by this id, as whose it is here: another account that claims the same id is not slowed by it.
type Owned = (AccountId, String);

/// A number and a person.
type Pair = (Owned, CloudRecipient);

#[derive(Clone, Copy, Default)]
struct Pace {
    tat: Tat,
    strikes: u32,
    held_until: Timestamp,
}

/// What is about to be sent.
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
        (self.line(), self.recipient.clone())
    }

    fn line(&self) -> Owned {
        (self.owner, self.number.to_owned())
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
        let pace = self.pairs.get(&ask.pair()).copied().unwrap_or_default();
        if now < pace.held_until {
            return Err(pace.held_until);
        }
        let pair = PAIR.take(pace.tat, now)?;
        let number = ask.rate().take(self.numbers.get(&ask.line()).copied().unwrap_or_default(), now)?;
        if let Some((portfolio, people_max)) = ask.begins {
            self.portfolios.entry((ask.owner, portfolio.to_owned())).or_default().take(ask.recipient, people_max, now)?;
        }
        self.numbers.insert(ask.line(), number);
        self.forget(now);
        self.remember(ask.pair(), Pace { tat: pair, ..pace }, now);
        Ok(())
    }

    /// Meta took a message of this pair: the next refusal is the first one again.
    pub(crate) fn was_taken(&mut self, ask: &Ask<'_>) {
        if let Some(pace) = self.pairs.get_mut(&ask.pair()) {
            (pace.strikes, pace.held_until) = (0, Timestamp::default());
        }
    }

    /// Meta refused a message of this pair as too much: how long nothing is sent to it.
    pub(crate) fn was_too_much(&mut self, ask: &Ask<'_>, now: Timestamp) -> Duration {
        let pair = ask.pair();
        let pace = self.pairs.get(&pair).copied().unwrap_or_default();
        let wait = Duration::from_secs(4_u64.pow(pace.strikes.min(STRIKES_MAX)));
        let strikes = pace.strikes.saturating_add(1);
        self.remember(pair, Pace { strikes, held_until: now.plus(wait), ..pace }, now);
        wait
    }

    /// Where there are too many, a number whose time is past and a portfolio whose people are forgotten are as good as new.
    fn forget(&mut self, now: Timestamp) {
        if self.numbers.len() > LINES_MAX {
            self.numbers.retain(|_, tat| tat.as_micros() > micros(now));
        }
        if self.portfolios.len() > LINES_MAX {
            self.portfolios.retain(|_, begun| {
                begun.forget(now);
                !begun.people.is_empty()
            });
        }
    }

    /// Where there are too many, those whose time is past have nothing to be remembered for. Were all of them present, Meta's own limit
    /// would have to do.
    fn remember(&mut self, pair: Pair, pace: Pace, now: Timestamp) {
        if self.pairs.len() >= PAIRS_MAX && !self.pairs.contains_key(&pair) {
            self.pairs.retain(|_, pace| pace.tat.as_micros() > micros(now) || pace.held_until > now);
            if self.pairs.len() >= PAIRS_MAX {
                self.pairs.clear();
            }
        }
        self.pairs.insert(pair, pace);
    }
}

const fn micros(at: Timestamp) -> i64 {
    at.as_millis().saturating_mul(1_000)
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

    #[test]
    fn nobody_slows_another_by_claiming_its_number() {
        let (mut pacers, one) = (Pacers::default(), person(1));
        let other = Ask { owner: AccountId::from_bytes([2; 16]), ..ask(&one, Some(("b", 1))) };
        while pacers.take(&other, START).is_ok() {}
        pacers.was_too_much(&other, START);
        assert_eq!(pacers.take(&ask(&one, Some(("b", 1))), START), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let mut pacers = Pacers::default();
        for digit in 0..(PAIRS_MAX as u64 + 10) {
            let now = START.plus(Duration::from_millis(digit));
            pacers.take(&ask(&person(digit), None), now).unwrap();
        }
        assert!(pacers.pairs.len() <= PAIRS_MAX);
        for number in 0..LINES_MAX as u64 + 10 {
            let (now, name) = (START.plus(Duration::from_secs(24 * 3_600 + number)), number.to_string());
            pacers.take(&Ask { number: &name, begins: Some((&name, 1)), ..ask(&person(number), None) }, now).unwrap();
        }
        assert!(pacers.numbers.len() <= LINES_MAX && pacers.portfolios.len() > LINES_MAX, "a day is not over");
        let late = START.plus(DAY * 3);
        pacers.take(&ask(&person(1), Some(("b", 1))), late).unwrap();
        assert!(pacers.portfolios.len() <= LINES_MAX);
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
