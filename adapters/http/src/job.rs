//! Job: one request that a thread is asked to take, and the place where its answer is waited for.
//!
//! A job is always answered: if the thread that has it panics, it is answered as it is dropped.

use std::time::Instant;

use futures_channel::oneshot;
use gatepost::{Destination, HttpAnswer, HttpFailure, HttpFailureClass, HttpRequest};

use crate::courier::{Courier, not_sent};
use crate::exchange::Exchanger;

/// What a thread is asked to do.
pub(crate) struct Job {
    pub(crate) task: Task,
    pub(crate) until: Instant,
}

/// The kinds of it.
pub(crate) enum Task {
    /// To send a request.
    Send(Box<HttpRequest>, Reply<HttpAnswer>),
    /// To say whether a destination could be sent to now.
    Check(Destination, Reply<()>),
}

impl Job {
    /// Does it, unless nobody waits for it any more.
    pub(crate) fn run(self, courier: &Courier, exchanger: &Exchanger) {
        match self.task {
            Task::Send(request, reply) if reply.is_awaited() => reply.give(courier.send(&request, exchanger, self.until)),
            Task::Check(destination, reply) if reply.is_awaited() => reply.give(courier.judge(&destination, self.until).map(drop)),
            Task::Send(..) | Task::Check(..) => {}
        }
    }

    /// Answers that it was not begun.
    pub(crate) fn refuse(self, class: HttpFailureClass, detail: &str) {
        let failure = not_sent(class, detail.to_owned());
        match self.task {
            Task::Send(_, reply) => reply.give(Err(failure)),
            Task::Check(_, reply) => reply.give(Err(failure)),
        }
    }
}

/// What somebody waits for.
pub(crate) type Answer<T> = oneshot::Receiver<Result<T, HttpFailure>>;

/// Gives the answer that somebody waits for.
pub(crate) struct Reply<T>(Option<oneshot::Sender<Result<T, HttpFailure>>>);

impl<T> Reply<T> {
    pub(crate) fn pair() -> (Self, Answer<T>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|sender| !sender.is_canceled())
    }

    fn give(mut self, answer: Result<T, HttpFailure>) {
        self.hand_over(answer);
    }

    fn hand_over(&mut self, answer: Result<T, HttpFailure>) {
        if let Some(sender) = self.0.take() {
            // Nobody waits any more: the answer is of no use.
            drop(sender.send(answer));
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.hand_over(Err(lost()));
    }
}

/// What is said of a request whose thread panicked: nobody knows how far it had come.
pub(crate) fn lost() -> HttpFailure {
    let mut failure = not_sent(HttpFailureClass::Broken, "the thread that had it panicked".to_owned());
    failure.may_have_arrived = true;
    failure
}
