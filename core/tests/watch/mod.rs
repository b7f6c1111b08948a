//! Watch: has things happen to a delivery, and panics when one of its promises is broken.

use core::ops::RangeInclusive;

use gatepost::{Channel, Delivery, Ending, ErrorClass, Input, Outcome, Schedule, Stale, State, Step, Timestamp};

/// What must be remembered of a delivery to judge its next step.
pub(crate) struct Watch {
    attempts_started: u16,
    attempts_put_off: u16,
    /// Whether a message may have reached the provider. An event may arrive as often as it likes.
    may_have_reached: bool,
}

impl Watch {
    pub(crate) fn new(delivery: &Delivery) -> Self {
        Self { attempts_started: delivery.tries, attempts_put_off: delivery.put_off, may_have_reached: false }
    }

    /// Has `input` happen at `now`, and judges the answer.
    pub(crate) fn step(&mut self, before: Delivery, input: &Input, now: Timestamp) -> Result<Step, Stale> {
        let answer = before.step(input, now);
        self.see(&before, input, &answer, now);
        answer
    }

    /// Has a worker take the delivery and open an attempt in one step, as it does with events: what holds of a claim and a start must
    /// hold of it.
    pub(crate) fn take(&mut self, before: Delivery, lease_until: Timestamp, now: Timestamp) -> Result<Step, Stale> {
        let answer = before.take(lease_until, now);
        let claim = Input::Claim { lease_until };
        if let Ok(Step::GoesOn(_)) = answer {
            let claimed = Delivery { state: State::Claimed { lease_until }, fence: before.fence + 1, ..before };
            self.see(&before, &claim, &Ok(Step::GoesOn(claimed)), now);
            self.see(&claimed, &Input::Start { fence: claimed.fence, lease_until }, &answer, now);
        } else {
            self.see(&before, &claim, &answer, now);
        }
        answer
    }

    fn see(&mut self, before: &Delivery, input: &Input, answer: &Result<Step, Stale>, now: Timestamp) {
        if shown_fence(input).is_some_and(|fence| fence != before.fence) {
            assert_eq!(*answer, Err(Stale), "another fence changed something: {before:?}");
        }
        match answer {
            Err(Stale) => {}
            Ok(Step::GoesOn(after)) => {
                self.see_wait(before, input, after, now);
                self.may_have_reached |= before.channel == Channel::Message && is_left_open(before, input);
                self.attempts_put_off += u16::from(is_put_off(before, input));
                self.see_state(before, after, now);
            }
            Ok(Step::Ends(ending)) => self.see_ending(before, input, *ending, now),
        }
    }

    /// Nothing is begun before it is due, and what was tried waits as long as the schedule says.
    fn see_wait(&self, before: &Delivery, input: &Input, after: &Delivery, now: Timestamp) {
        match (before.state, after.state) {
            (State::Waiting { due }, _) => assert!(due <= now, "a try too soon: {before:?}"),
            (State::Started { .. }, State::Waiting { due }) => {
                let in_time = self.next_due(before, input, now).is_some_and(|next_due| next_due.contains(&due));
                assert!(in_time && due < after.expires_at, "a try that is not as the schedule says: {after:?}");
            }
            _ => {}
        }
    }

    fn see_state(&mut self, before: &Delivery, after: &Delivery, now: Timestamp) {
        assert!(after.fence >= before.fence, "the fence fell: {after:?} after {before:?}");
        assert_eq!((after.expires_at, after.channel), (before.expires_at, before.channel));
        if let State::Claimed { .. } = after.state {
            assert!(after.fence > before.fence, "two claims have the same fence: {after:?}");
        }
        if let State::Started { .. } = after.state {
            assert!(matches!(before.state, State::Claimed { .. }), "an attempt was opened beside another: {before:?}");
            assert!(!self.may_have_reached, "a blind second send: {after:?}");
            assert!(now < after.expires_at, "an attempt that is not worth it: {after:?}");
            self.attempts_started += 1;
        }
        assert_eq!(matches!(after.state, State::InDoubt { .. }), self.may_have_reached, "{after:?} after {before:?}");
        assert_eq!(after.tries, self.attempts_started, "a try was not counted when it started");
        assert_eq!(after.put_off, self.attempts_put_off, "what the receiver puts off is what does not count");
        assert!(usize::from(self.counted()) <= after.schedule().tries(), "more tries than the schedule has: {after:?}");
    }

    fn see_ending(&self, before: &Delivery, input: &Input, ending: Ending, now: Timestamp) {
        let fits = match before.state {
            _ if *input == Input::Arrived => ending == Ending::Sent && before.tries > 0,
            State::Started { .. } | State::InDoubt { .. } if matches!(input, Input::Bounced { .. }) => matches!(ending, Ending::Failed(_)),
            State::Waiting { .. } | State::Claimed { .. } => match ending {
                Ending::Expired => before.expires_at <= now,
                Ending::Canceled(_) => *input == Input::Withdraw,
                Ending::Held => *input == Input::Hold,
                Ending::Skipped(skip) => *input == Input::Skip(skip),
                _ => false,
            },
            State::Started { .. } => self.fits_attempt(before, input, ending, now),
            State::InDoubt { .. } => matches!(ending, Ending::Sent | Ending::Failed(ErrorClass::Unreachable) | Ending::Unknown),
        };
        assert!(fits, "{ending:?} after {before:?}");
        assert_eq!(self.may_have_reached, matches!(before.state, State::InDoubt { .. }));
        assert!(!ending.status().is_pending() && !ending.delivery_status().is_pending());
    }

    /// Whether an attempt may end the delivery so: nothing is given up that is worth another try.
    fn fits_attempt(&self, before: &Delivery, input: &Input, ending: Ending, now: Timestamp) -> bool {
        let next_due = self.next_due(before, input, now);
        match ending {
            Ending::Sent => matches!(input, Input::Finish { outcome: Outcome::Sent { .. }, .. }),
            Ending::Blocked(_) => matches!(input, Input::Finish { outcome: Outcome::Blocked { .. }, .. }),
            Ending::Failed(class) => next_due.is_none() || (class.is_final() && is_known_unsent(input)),
            Ending::Expired => next_due.is_some_and(|next_due| *next_due.end() >= before.expires_at),
            Ending::Canceled(_) | Ending::Held | Ending::Skipped(_) | Ending::Unknown => false,
        }
    }

    /// When the next try is due where an attempt ends now, whatever the jitter; none once the tries are spent.
    fn next_due(&self, before: &Delivery, input: &Input, now: Timestamp) -> Option<RangeInclusive<Timestamp>> {
        let due = |jitter| match (is_put_off(before, input), is_held_back(input)) {
            (true, true) => Some(Schedule::hold_back(self.attempts_put_off, now, jitter, asked_wait(input))),
            (true, false) => Some(Schedule::put_off(self.attempts_put_off, now, jitter, asked_wait(input))),
            (false, _) => before.schedule().next(self.counted(), now, jitter, asked_wait(input)),
        };
        Some(due(0)?..=due(u32::MAX)?)
    }

    const fn counted(&self) -> u16 {
        self.attempts_started - self.attempts_put_off
    }
}

const fn shown_fence(input: &Input) -> Option<u32> {
    match input {
        Input::Start { fence, .. } | Input::Release { fence, .. } | Input::Finish { fence, .. } => Some(*fence),
        Input::Claim { .. } | Input::Tick | Input::Withdraw | Input::Hold | Input::Skip(_) | Input::Resolve { .. } => None,
        Input::Arrived | Input::Bounced { .. } => None,
    }
}

/// Whether an attempt ends here of which nobody knows that it did not reach the provider.
const fn is_left_open(before: &Delivery, input: &Input) -> bool {
    matches!(before.state, State::Started { .. }) && !is_known_unsent(input)
}

const fn is_known_unsent(input: &Input) -> bool {
    matches!(input, Input::Finish { outcome: Outcome::Failed { .. }, .. })
}

/// Whether the receiver of an event asks for time, or a message was held back here.
const fn is_put_off(before: &Delivery, input: &Input) -> bool {
    let asks = matches!(input, Input::Finish { outcome: Outcome::Failed { class: ErrorClass::Throttled, .. }, .. });
    is_held_back(input) || (asks && matches!(before.channel, Channel::Event))
}

const fn is_held_back(input: &Input) -> bool {
    matches!(input, Input::Finish { outcome: Outcome::Failed { class, .. }, .. } if class.is_held_back())
}

const fn asked_wait(input: &Input) -> Option<core::time::Duration> {
    match input {
        Input::Finish { outcome: Outcome::Failed { retry_after, .. }, .. } => *retry_after,
        _ => None,
    }
}
