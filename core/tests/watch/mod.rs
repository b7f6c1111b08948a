//! Watch: looks on while things happen to a delivery, and panics when one of its promises is broken.

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

    /// Judges the answer that `before` gave to `input` at `now`.
    pub(crate) fn see(&mut self, before: &Delivery, input: &Input, answer: &Result<Step, Stale>, now: Timestamp) {
        if shown_fence(input).is_some_and(|fence| fence != before.fence) {
            assert_eq!(*answer, Err(Stale), "another fence changed something: {before:?}");
        }
        match answer {
            Err(Stale) => {}
            Ok(Step::GoesOn(after)) => {
                self.may_have_reached |= before.channel == Channel::Message && is_left_open(before, input);
                self.attempts_put_off += u16::from(is_put_off(before, input));
                self.see_state(before, after, now);
            }
            Ok(Step::Ends(ending)) => self.see_ending(before, input, *ending, now),
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
        if let (State::Started { .. }, State::Waiting { due }) = (before.state, after.state) {
            assert!(now < due && due < after.expires_at, "a try at once, or one too late: {after:?}");
        }
        assert_eq!(matches!(after.state, State::InDoubt { .. }), self.may_have_reached, "{after:?} after {before:?}");
        assert_eq!(after.tries, self.attempts_started, "a try was not counted when it started");
        assert_eq!(after.put_off, self.attempts_put_off, "what the receiver puts off is what does not count");
        assert!(self.counted() <= tries_max(after), "more tries than the schedule has: {after:?}");
    }

    fn see_ending(&self, before: &Delivery, input: &Input, ending: Ending, now: Timestamp) {
        let fits = match before.state {
            State::Waiting { .. } | State::Claimed { .. } => matches!(ending, Ending::Expired | Ending::Canceled(_) | Ending::Skipped(_)),
            State::Started { .. } => match ending {
                Ending::Failed(class) => class.is_final() || self.is_spent(before, input),
                Ending::Sent | Ending::Blocked(_) => matches!(input, Input::Finish { .. }),
                ending => ending == Ending::Expired,
            },
            State::InDoubt { .. } => matches!(ending, Ending::Sent | Ending::Failed(ErrorClass::Unreachable) | Ending::Unknown),
        };
        assert!(fits, "{ending:?} after {before:?}");
        assert_eq!(self.may_have_reached, matches!(before.state, State::InDoubt { .. }));
        assert!(ending != Ending::Expired || now.plus(WAIT_MAX) >= before.expires_at, "given up too early: {before:?}");
        assert!(!ending.status().is_pending() && !ending.delivery_status().is_pending());
    }

    /// Whether this was the last try; one that the receiver puts off is never the last.
    fn is_spent(&self, before: &Delivery, input: &Input) -> bool {
        self.counted() == tries_max(before) && !is_put_off(before, input)
    }

    fn counted(&self) -> usize {
        usize::from(self.attempts_started - self.attempts_put_off)
    }
}

/// Longer than any wait: the longest of a schedule is twenty hours, and a tenth more.
const WAIT_MAX: core::time::Duration = core::time::Duration::from_secs(22 * 3_600);

fn tries_max(delivery: &Delivery) -> usize {
    Schedule::of(delivery.channel).tries()
}

const fn shown_fence(input: &Input) -> Option<u32> {
    match input {
        Input::Start { fence, .. } | Input::Release { fence, .. } | Input::Finish { fence, .. } => Some(*fence),
        Input::Claim { .. } | Input::Tick | Input::Withdraw | Input::Skip(_) | Input::Resolve { .. } => None,
    }
}

/// Whether an attempt ends here of which nobody knows that it did not reach the provider.
const fn is_left_open(before: &Delivery, input: &Input) -> bool {
    let known_unsent = matches!(input, Input::Finish { outcome: Outcome::Failed { .. }, .. });
    matches!(before.state, State::Started { .. }) && !known_unsent
}

/// Whether the receiver of an event asks for time.
const fn is_put_off(before: &Delivery, input: &Input) -> bool {
    let asks = matches!(input, Input::Finish { outcome: Outcome::Failed { class: ErrorClass::Throttled, .. }, .. });
    asks && matches!(before.channel, Channel::Event)
}
