//! Mutants: bugs on purpose. Each takes one guard away or puts it in the wrong place; the search must find it.

use gatepost::{Channel, Delivery, Ending, ErrorClass, Input, Lease, Outcome, State, Step, Timestamp};

use crate::action::Fate;
use crate::promises::wait_after;

/// A bug.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mutant {
    /// The suppression is read when a message is claimed, not when its attempt starts.
    SuppressionReadAtClaim,
    /// The pause is read when a message is claimed, not when its attempt starts.
    PauseReadAtClaim,
    /// The usage is read in one transaction and written in another.
    QuotaReadThenWritten,
    /// The idempotency key is bound in a transaction of its own, after the answer.
    KeyBoundLater,
    /// A message whose lease ran out waits for another try.
    ResentAfterTheLease,
    /// A message whose provider did not answer waits for another try.
    ResentAfterSilence,
    /// A finish is taken whatever its fence.
    FinishNotFenced,
    /// The attempt is written down when it is over.
    AttemptWrittenAfter,
    /// The sweep forgets to close the attempt that it finds open.
    OrphanLeftOpen,
    /// The sweep looks at attempts only, and not at claims.
    ClaimNotSwept,
    /// A transport starts to write whenever it comes to it.
    DeadlineIgnored,
    /// The end of a lease follows its deadline by less than clocks may differ.
    MarginTooSmall,
    /// The budget is checked when an outcome is recorded, and not when a lease runs out or an attempt starts.
    BudgetCheckedWhenRecorded,
    /// A try counts when its outcome is recorded.
    TryCountedWhenRecorded,
    /// The other side's wish for time moves the end of the delivery too.
    PutOffWithoutEnd,
    /// The other side's wish for time costs a try.
    PutOffCounted,
    /// What interrupted an attempt is taken for a reason to try at once.
    InterruptedTriedAtOnce,
    /// An event that was not answered is given up.
    SilenceGivenUp,
    /// An event gets a new id with each try.
    IdRenewedByTry,
    /// An event gets a new id when it is repeated.
    IdRenewedByReplay,
    /// What is due goes to the endpoint, whatever its state.
    EndpointNotAsked,
    /// A replay goes to a URL that is newer than the event.
    HistoryToNewUrl,
    /// The charge of a message in doubt is returned when its time is over.
    ChargeReturnedInDoubt,
    /// A report that comes before the answer does is not heeded.
    ReportIgnoredWhileOpen,
    /// A message of which the provider reports that it failed waits for another try.
    ResentAfterTheReport,
}

impl Mutant {
    /// What a wrong state machine answers; `None` where it is not wrong.
    pub(crate) fn step(self, before: Delivery, input: &Input, now: Timestamp) -> Option<Step> {
        match (before.state, input) {
            (State::Started { lease_until }, Input::Tick) if lease_until <= now => self.lease_is_over(before, now),
            (State::Started { .. }, Input::Finish { fence, outcome, .. }) if *fence == before.fence => {
                self.finish(before, input, outcome, now)
            }
            (State::Started { .. }, Input::Arrived) if self == Self::ReportIgnoredWhileOpen => Some(Step::GoesOn(before)),
            (_, Input::Bounced { .. }) if self == Self::ResentAfterTheReport => Some(waits(before, now)),
            _ => None,
        }
    }

    fn lease_is_over(self, before: Delivery, now: Timestamp) -> Option<Step> {
        let waits = |due, tries| waits(Delivery { fence: before.fence + 1, tries, ..before }, due);
        let is_spent = before.step(&Input::Tick, now) == Ok(Step::Ends(Ending::Failed(ErrorClass::Interrupted)));
        match (self, before.channel) {
            (Self::ResentAfterTheLease, Channel::Message) => Some(waits(now, before.tries)),
            (Self::InterruptedTriedAtOnce, Channel::Event) if !is_spent => Some(waits(now, before.tries)),
            (Self::BudgetCheckedWhenRecorded, Channel::Event) if is_spent => Some(waits(now, before.tries)),
            (Self::TryCountedWhenRecorded, Channel::Event) => {
                Some(waits(now.plus(wait_after(Channel::Event, before.tries as u8, Fate::ErrorStatus)), before.tries - 1))
            }
            _ => None,
        }
    }

    fn finish(self, before: Delivery, input: &Input, outcome: &Outcome, now: Timestamp) -> Option<Step> {
        let after = before.step(input, now).ok()?;
        match (self, outcome, before.channel) {
            (Self::ResentAfterSilence, Outcome::Unknown { .. }, Channel::Message) => Some(waits(before, now)),
            (Self::SilenceGivenUp, Outcome::Unknown { class }, Channel::Event) => Some(Step::Ends(Ending::Failed(*class))),
            (Self::PutOffCounted, _, Channel::Event) => match after {
                Step::GoesOn(after) => Some(Step::GoesOn(Delivery { put_off: 0, ..after })),
                Step::Ends(_) => None,
            },
            (Self::PutOffWithoutEnd, Outcome::Failed { class: ErrorClass::Throttled, .. }, Channel::Event) => {
                let endless = Delivery { expires_at: Timestamp::MAX, ..before };
                match endless.step(input, now).ok()? {
                    Step::GoesOn(after) => {
                        Some(Step::GoesOn(Delivery { expires_at: before.expires_at.plus(after.state.due().since(now)), ..after }))
                    }
                    Step::Ends(_) => None,
                }
            }
            _ => None,
        }
    }

    /// The same for an event that is taken.
    pub(crate) fn take(self, before: Delivery, lease: Lease, now: Timestamp) -> Option<Step> {
        let is_spent = before.take(lease.until, now) == Ok(Step::Ends(Ending::Failed(ErrorClass::Interrupted)));
        let state = State::Started { lease_until: lease.until };
        let started = Delivery { state, fence: before.fence + 1, tries: before.tries + 1, ..before };
        (self == Self::BudgetCheckedWhenRecorded && is_spent).then_some(Step::GoesOn(started))
    }
}

const fn waits(delivery: Delivery, due: Timestamp) -> Step {
    Step::GoesOn(Delivery { state: State::Waiting { due }, ..delivery })
}
