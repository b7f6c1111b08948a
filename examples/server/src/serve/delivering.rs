//! Delivering: the loop that turns the worker.

use std::time::Duration;

use gatepost::{Delivering, Gateway, Lease, Turn, Worker};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{REST, supervise};
use crate::http::App;
use crate::logging;

/// The worker at work.
pub(super) struct Deliveries {
    close: watch::Sender<bool>,
    worker: JoinHandle<()>,
}

impl Deliveries {
    pub(super) fn begin(gateway: Gateway, app: App, delivering: Delivering) -> Self {
        let (close, closing) = watch::channel(false);
        let begin = move || deliver(Turner { gateway: gateway.clone(), app: app.clone(), delivering }, closing.clone());
        Self { close, worker: supervise("worker", REST, begin) }
    }

    /// Takes nothing new, and waits for what is on its way.
    pub(super) async fn stop(self) {
        self.close.send_replace(true);
        if self.worker.await.is_err() {
            tracing::error!("the worker's supervisor panicked");
        }
    }
}

async fn deliver(turner: Turner, mut closing: watch::Receiver<bool>) {
    let mut worker = turner.gateway.worker();
    while !*closing.borrow_and_update() {
        let rest = turner.turn(&mut worker).await;
        if !rest.is_zero() {
            tokio::select! {
                () = worker.idle() => {}
                () = sleep(rest) => {}
                _ = closing.changed() => {}
            }
        }
    }
    worker.close();
    let last_lease = turner.delivering.send_timeout.max(turner.delivering.event_timeout) + Lease::MARGIN;
    if timeout(last_lease, turner.drain(&mut worker)).await.is_err() {
        tracing::warn!("sends under way had no answer in time: their messages become `unknown`, and their events are tried again");
    }
}

struct Turner {
    gateway: Gateway,
    app: App,
    delivering: Delivering,
}

impl Turner {
    /// Turns the worker once; how long it may rest then.
    async fn turn(&self, worker: &mut Worker) -> Duration {
        self.app.heartbeat();
        let now = self.gateway.host().now();
        let turn = worker.turn(now).await;
        match turn {
            Ok(Turn { did, next_due, notes }) => {
                notes.iter().for_each(logging::note);
                if did { Duration::ZERO } else { next_due.since(now).min(self.delivering.poll_interval) }
            }
            Err(error) => {
                worker.take_notes().iter().for_each(logging::note);
                tracing::error!(%error, "the worker could not use the store, and tries again");
                self.delivering.poll_interval
            }
        }
    }

    async fn drain(&self, worker: &mut Worker) {
        loop {
            self.turn(worker).await;
            if worker.is_drained() {
                return;
            }
            // Ends with a send, or after a while, for a store that was not available.
            let _ = timeout(self.delivering.poll_interval, worker.idle()).await;
        }
    }
}
