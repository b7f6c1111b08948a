//! Watch: looks on while things happen to a delivery, and panics when one of its promises is broken.

use gatepost::{Delivery, Ending, Input, Outcome, Schedule, Stale, State, Step};

/// What must be remembered of a delivery to judge its next step.
pub(crate) struct Watch {
    attempts_started: u16,
    may_have_reached: bool,
}

impl Watch {
    pub(crate) fn new(delivery: &Delivery) -> Self {
        Self { attempts_started: delivery.tries, may_have_reached: false }
    }

    /// Judges the answer that `before` gave to `input`.
    pub(crate) fn see(&mut self, before: &Delivery, input: &Input, answer: &Result<Step, Stale>) {
        if shown_fence(input).is_some_and(|fence| fence != before.fence) {
            assert_eq!(*answer, Err(Stale), "another fence changed something: {before:?}");
        }
        match answer {
            Err(Stale) => {}
            Ok(Step::GoesOn(after)) => {
                self.may_have_reached |= is_left_open(before, input);
                self.see_state(before, after);
            }
            Ok(Step::Ends(ending)) => self.see_ending(before, *ending),
        }
    }

    fn see_state(&mut self, before: &Delivery, after: &Delivery) {
        assert!(after.fence >= before.fence, "the fence fell: {after:?} after {before:?}");
        assert_eq!(after.expires_at, before.expires_at);
        if let State::Claimed { .. } = after.state {
            assert!(after.fence > before.fence, "two claims have the same fence: {after:?}");
        }
        if let State::Started { .. } = after.state {
            assert!(matches!(before.state, State::Claimed { .. }), "an attempt was opened beside another: {before:?}");
            assert!(!self.may_have_reached, "a blind second send: {after:?}");
            self.attempts_started += 1;
        }
        assert_eq!(matches!(after.state, State::InDoubt { .. }), self.may_have_reached, "{after:?} after {before:?}");
        assert_eq!(after.tries, self.attempts_started, "a try was not counted when it started");
        assert!(usize::from(after.tries) <= Schedule::WHATSAPP.tries(), "more tries than the schedule has: {after:?}");
    }

    fn see_ending(&self, before: &Delivery, ending: Ending) {
        let fits = match before.state {
            State::Waiting { .. } | State::Claimed { .. } => matches!(ending, Ending::Expired | Ending::Canceled(_)),
            State::Started { .. } => matches!(ending, Ending::Sent | Ending::Failed(_) | Ending::Expired),
            State::InDoubt { .. } => matches!(ending, Ending::Sent | Ending::Failed(_) | Ending::Unknown),
        };
        assert!(fits, "{ending:?} after {before:?}");
        assert_eq!(self.may_have_reached, matches!(before.state, State::InDoubt { .. }));
        assert!(!ending.status().is_pending());
    }
}

const fn shown_fence(input: &Input) -> Option<u32> {
    match input {
        Input::Start { fence, .. } | Input::Release { fence, .. } | Input::Finish { fence, .. } => Some(*fence),
        Input::Claim { .. } | Input::Tick | Input::Withdraw | Input::Resolve { .. } => None,
    }
}

/// Whether an attempt ends here of which nobody knows that it did not reach the provider.
const fn is_left_open(before: &Delivery, input: &Input) -> bool {
    let known_unsent = matches!(input, Input::Finish { outcome: Outcome::Failed { .. }, .. });
    matches!(before.state, State::Started { .. }) && !known_unsent
}
