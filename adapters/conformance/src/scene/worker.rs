//! What a worker does in a scene, for whatever account.

use std::sync::Arc;

use gatepost::{
    Claim, ClaimAnswer, Claimed, Finish, Finished, Lease, MessageStatus, Outcome, Retention, StartAnswer, Started, Swept, Timestamp,
    WorkerStore,
};

use super::account::ALL;
use super::{SEND_TIMEOUT, Scene};
use crate::words;
use crate::world::{seconds, wait};

impl Scene {
    pub(crate) fn worker(&self) -> Arc<dyn WorkerStore> {
        self.world().store.worker()
    }

    /// A claim of everything that is due, for half a minute.
    pub(crate) fn a_claim(&self) -> Claim {
        Claim { limit: ALL, per_account: ALL, after: None, lease_until: self.now().plus(seconds(30)), now: self.now() }
    }

    pub(crate) fn answer_claim(&self, claim: Claim) -> ClaimAnswer {
        wait(self.worker().claim(claim))
    }

    /// Claims everything that is due.
    pub(crate) fn claim(&self) -> Vec<Claimed> {
        self.answer_claim(self.a_claim()).claimed
    }

    /// Claims the one thing that is due.
    #[track_caller]
    pub(crate) fn claim_one(&self) -> Claimed {
        match self.claim()[..] {
            [claimed] => claimed,
            ref other => panic!("expected one delivery, got {other:?}"),
        }
    }

    pub(crate) fn start_all(&self, claimed: Vec<Claimed>) -> Vec<StartAnswer> {
        let count = claimed.len();
        let answers = wait(self.worker().start(claimed, Lease::new(self.now(), SEND_TIMEOUT), self.now()));
        assert_eq!(answers.len(), count, "each start has an answer");
        answers
    }

    /// Starts what was claimed; the answer in words.
    #[track_caller]
    pub(crate) fn start(&self, claimed: Claimed) -> String {
        self.start_all(vec![claimed]).iter().map(words::start).collect()
    }

    /// Starts what was claimed, which must go.
    #[track_caller]
    pub(crate) fn start_now(&self, claimed: Claimed) -> Started {
        match self.start_all(vec![claimed]).pop() {
            Some(StartAnswer::Started(started)) => *started,
            other => panic!("expected a start, got {other:?}"),
        }
    }

    /// Claims and starts the one thing that is due.
    #[track_caller]
    pub(crate) fn started(&self) -> Started {
        self.start_now(self.claim_one())
    }

    pub(crate) fn a_finish(&self, started: &Started, outcome: Outcome) -> Finish {
        Finish { claimed: started.claimed, attempt: started.attempt, outcome, report: None, jitter: 0, now: self.now() }
    }

    /// Finishes an attempt; the message's status, or `stale`.
    #[track_caller]
    pub(crate) fn finish(&self, started: &Started, outcome: Outcome) -> String {
        match wait(self.worker().finish(vec![self.a_finish(started, outcome)])).as_slice() {
            [Finished::Message(settled)] => settled.status.as_str().to_string(),
            [Finished::Stale] => "stale".to_string(),
            other => panic!("expected one answer for a message, got {other:?}"),
        }
    }

    /// Claims and starts the one thing that is due, and finishes it so.
    #[track_caller]
    pub(crate) fn deliver(&self, outcome: Outcome) -> String {
        let started = self.started();
        self.finish(&started, outcome)
    }

    /// Delivers whatever is due; the provider calls each message by its own id.
    pub(crate) fn deliver_all(&self) {
        let starts = self.start_all(self.claim());
        let started = starts.into_iter().filter_map(|start| match start {
            StartAnswer::Started(started) => Some(started),
            StartAnswer::Waits | StartAnswer::Ended(_) | StartAnswer::Stale => None,
        });
        let finishes = started.map(|started| self.a_finish(&started, words::sent(&started.parcel.message.to_string())));
        wait(self.worker().finish(finishes.collect()));
    }

    /// Gives back what was claimed.
    pub(crate) fn give_back(&self, claimed: Claimed) {
        wait(self.worker().release(vec![claimed], self.now()));
    }

    /// Closes all that time has closed; what became of the messages.
    pub(crate) fn sweep(&self) -> Vec<MessageStatus> {
        self.sweep_some(ALL).settled.iter().map(|settled| settled.status).collect()
    }

    pub(crate) fn sweep_some(&self, limit: usize) -> Swept {
        wait(self.worker().sweep(self.now(), limit))
    }

    /// Forgets what is older than this; how much it was.
    pub(crate) fn retain(&self, content_before: Timestamp, logs_before: Timestamp) -> usize {
        wait(self.worker().retain(Retention { content_before, logs_before, raw_before: logs_before, now: Timestamp::default() }, ALL))
    }
}
