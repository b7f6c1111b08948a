//! Runtime: the threads on which everything runs that needs tokio, so that nobody who calls the store does.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use gatepost::StoreError;
use rand::RngExt;
use tokio::runtime::{Builder, Handle, Runtime as Tokio};

/// How long what runs may still run when the store is dropped.
const END_MAX: Duration = Duration::from_secs(5);

/// The store's own threads. They end with the last clone.
#[derive(Clone)]
pub(crate) struct Runtime {
    handle: Handle,
    _threads: Arc<Threads>,
}

struct Threads(Option<Tokio>);

impl Runtime {
    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        let tokio = Builder::new_multi_thread().worker_threads(threads.max(1)).thread_name("gatepost-postgres").enable_all().build()?;
        Ok(Self { handle: tokio.handle().clone(), _threads: Arc::new(Threads(Some(tokio))) })
    }

    /// Runs `future` beside the caller, whoever waits for it or not.
    ///
    /// What is spawned must not keep a [`Runtime`] for as long as it waits for work: the threads would never end.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(future));
    }

    /// Runs `future` and gives its answer to a caller of any executor. Dropping the answer does not stop it.
    pub(crate) async fn answer<T, F>(&self, future: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        // Who no longer waits need not know.
        self.spawn(async move { drop(sender.send(future.await)) });
        answer.await.map_err(|_| StoreError::Unavailable(String::from("the store has ended")))?
    }

    /// Runs `future` while this thread waits, also where the thread is one of another runtime.
    pub(crate) fn wait<T, F>(&self, future: F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        self.spawn(async move { drop(sender.send(future.await)) });
        answer.recv().ok()
    }
}

/// A pause of half to all of `longest`, so that hosts that began together do not go on together.
pub(crate) fn jittered(longest: Duration) -> Duration {
    longest.mul_f64(rand::rng().random_range(0.5..1.0))
}

impl Drop for Threads {
    /// Without waiting here, as this may be a thread that must not wait.
    fn drop(&mut self) {
        if let Some(tokio) = self.0.take() {
            let ended = std::thread::Builder::new().spawn(move || tokio.shutdown_timeout(END_MAX));
            // Where no thread can be had, the runtime was dropped with the closure, which is the best that can be done.
            drop(ended);
        }
    }
}
