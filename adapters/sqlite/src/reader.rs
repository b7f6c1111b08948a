//! Reader: threads that read beside the writer, each with a connection of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use gatepost::StoreError;
use rusqlite::Connection;

use crate::error;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the reading threads. They end when it is dropped.
pub(crate) struct Readers {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(connections: Vec<Connection>) -> std::io::Result<Self> {
        let (jobs, waiting_jobs) = channel();
        let waiting_jobs = Arc::new(Mutex::new(waiting_jobs));
        let start = |connection: Connection| {
            let waiting_jobs = waiting_jobs.clone();
            std::thread::Builder::new().name("gatepost-reader".into()).spawn(move || run(&connection, &waiting_jobs))
        };
        let threads = connections.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok(Self { jobs: Some(jobs), threads })
    }

    /// Runs `query` on one snapshot of the database.
    pub(crate) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move |connection: &Connection| {
            let ran = catch_unwind(AssertUnwindSafe(|| in_snapshot(connection, query)));
            let result = ran.unwrap_or(Err(rusqlite::Error::UnwindingPanic)).map_err(|error| error::of_statement(&error));
            // Who no longer waits need not know.
            let _ = answer.send(result);
        };
        let gone = || StoreError::Unavailable(String::from("the readers have ended"));
        self.jobs.as_ref().ok_or_else(gone)?.send(Box::new(job)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

fn in_snapshot<T>(connection: &Connection, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    // A transaction that is dropped ends, also when the query panics.
    let snapshot = connection.unchecked_transaction()?;
    query(&snapshot)
}

fn run(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(connection),
            Err(_) => return,
        }
    }
}
