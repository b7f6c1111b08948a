//! Hints: how one host tells the others that something is due, so that they look before their next poll.
//!
//! A hint is no promise. `NOTIFY` takes a lock of the whole server at its commit, so that no transaction of a verb sends one: at most ten
//! times a second, a connection of its own tells what happened since. One that is missed costs a poll interval.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::poll_fn;
use rand::RngExt;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client};

use crate::OpenError;
use crate::connect::{Database, Way};
use crate::engine::Hook;
use crate::runtime::jittered;

/// The name under which hosts hear each other.
const CHANNEL: &str = "gatepost";

/// The shortest time from one hint to the next.
const SPACING: Duration = Duration::from_millis(100);

/// How long after a connection broke the next is tried, at most.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// The way to the other hosts. Dropped, it neither tells nor hears.
#[derive(Debug)]
pub(crate) struct Hints(Option<Arc<Bell>>);

#[derive(Debug, Default)]
struct Bell {
    rung: Notify,
    is_over: AtomicBool,
}

impl Hints {
    /// Calls `hook` when another host has told of something, and after a time in which it may have been missed. Where the engine has no
    /// `LISTEN`, nothing is ever told.
    pub(crate) fn start(database: &Database, hook: Hook) -> Self {
        if !database.profile().notify {
            return Self(None);
        }
        let bell = Arc::new(Bell::default());
        // What is called is not ours, and must end neither who hears nor who keeps the connection up.
        let hook: Hook = Arc::new(move || drop(catch_unwind(AssertUnwindSafe(|| hook()))));
        database.runtime().spawn(keep_up(database.way().clone(), Arc::clone(&bell), hook));
        Self(Some(bell))
    }

    /// Tells the other hosts, soon and once for all that is told until then.
    pub(crate) fn tell(&self) {
        if let Some(bell) = &self.0 {
            bell.rung.notify_one();
        }
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        if let Some(bell) = &self.0 {
            bell.is_over.store(true, Ordering::Relaxed);
            bell.rung.notify_one();
        }
    }
}

async fn keep_up(way: Way, bell: Arc<Bell>, hook: Hook) {
    let own = format!("{:016x}", rand::rng().random::<u64>());
    let mut pause = SPACING;
    while !bell.is_over.load(Ordering::Relaxed) {
        if listen(&way, &bell, &hook, &own).await.is_ok() {
            pause = SPACING;
        }
        tokio::time::sleep(jittered(pause)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Hears and tells until the connection breaks or the store is gone. An error is one of the connection's beginning.
async fn listen(way: &Way, bell: &Bell, hook: &Hook, own: &str) -> Result<(), OpenError> {
    let (client, mut connection) = way.connect().await?;
    let (told, own_name, hear) = (Arc::new(Notify::new()), own.to_owned(), Arc::clone(hook));
    let ended = Arc::clone(&told);
    let heard = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(hint) = message
                && hint.payload() != own_name
            {
                hear();
            }
        }
        ended.notify_one();
    });
    let listening = way.within(client.batch_execute(&format!("LISTEN {CHANNEL}"))).await;
    if listening.is_ok() {
        // What was told before could not be heard.
        hook();
        tell_until(way, &client, bell, &told, own).await;
    }
    heard.abort();
    listening
}

async fn tell_until(way: &Way, client: &Client, bell: &Bell, ended: &Notify, own: &str) {
    let notify = format!("NOTIFY {CHANNEL}, '{own}'");
    loop {
        tokio::select! {
            () = ended.notified() => return,
            () = bell.rung.notified() => {}
        }
        if bell.is_over.load(Ordering::Relaxed) || way.within(client.batch_execute(&notify)).await.is_err() {
            return;
        }
        tokio::time::sleep(SPACING).await;
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use gatepost_cluster::Cluster;

    use super::*;
    use crate::Options;

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(20);

    /// A host, and what it hears. It has heard the first hint, which is its own beginning.
    fn host(url: &str) -> (Database, Hints, Receiver<()>) {
        let database = Database::open(url, &Options::default()).expect("it opens");
        let (sender, heard) = channel();
        let hints = Hints::start(
            &database,
            Arc::new(move || {
                let _ = sender.send(());
            }),
        );
        heard.recv_timeout(LONG).expect("it listens");
        (database, hints, heard)
    }

    /// How many hints more are heard before it is quiet.
    fn rest(heard: &Receiver<()>) -> usize {
        std::iter::from_fn(|| heard.recv_timeout(3 * SPACING).ok()).count()
    }

    #[test]
    fn what_one_host_tells_the_others_hear_and_it_does_not() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        let (first, second) = (host(&database.url()), host(&database.url()));
        first.1.tell();
        second.2.recv_timeout(LONG).expect("it hears");
        second.1.tell();
        first.2.recv_timeout(LONG).expect("it hears");
        assert_eq!(rest(&first.2), 0, "its own it does not");
    }

    #[test]
    #[expect(clippy::panic, reason = "the hook of a caller may")]
    fn a_host_whose_hook_panics_hears_the_next_hint() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        let opened = Database::open(&database.url(), &Options::default()).expect("it opens");
        let (sender, heard) = channel();
        let hook = move || {
            let _ = sender.send(());
            panic!("in a hook");
        };
        let _hints = Hints::start(&opened, Arc::new(hook));
        heard.recv_timeout(LONG).expect("it listens");
        let other = host(&database.url());
        for _ in 0..2 {
            other.1.tell();
            heard.recv_timeout(LONG).expect("it hears");
        }
    }

    #[test]
    fn many_hints_are_told_as_few() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        let (first, second) = (host(&database.url()), host(&database.url()));
        for _ in 0..1_000 {
            first.1.tell();
        }
        second.2.recv_timeout(LONG).expect("it hears");
        second.2.recv_timeout(LONG).expect("it hears the last, too");
        assert!(rest(&second.2) < 100);
    }

    #[test]
    fn a_host_that_was_cut_off_listens_again() {
        let Some(cluster) = Cluster::shared() else { return };
        let database = cluster.create().expect("a database");
        let (_first, second) = (host(&database.url()), host(&database.url()));
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        database.run(cut).expect("they are cut off");
        second.2.recv_timeout(LONG).expect("it takes it that something was missed");
    }
}
