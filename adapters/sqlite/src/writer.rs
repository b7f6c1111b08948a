//! Writer: one thread, one connection, many callers to a commit.
//!
//! A verb is a [`Job`]: it runs inside the transaction of its group and is answered after the commit. The thread takes what waits,
//! runs it in one `BEGIN IMMEDIATE`, commits once, and answers all. A verb that fails by itself runs behind a savepoint; one on the
//! hot path does not, and its failure fails its group. Where that may be one verb's own ([`StoreError::is_of_one`]), the group runs once
//! more with each verb and its parts behind savepoints, so that one unreadable row fails only what needs it, and one value that cannot be
//! written only who brings it. A panic fails as an error does, and never ends the thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use gatepost::{Judged, StoreError};
use rusqlite::Connection;

use crate::error;
use crate::open::OpenAttempts;
use crate::txn::{Care, Effects, Txn};

/// The most verbs in one commit.
const GROUP_MAX: usize = 1_024;
/// The most verbs that wait; more are refused at once rather than late.
const WAITING_MAX: usize = 65_536;

/// What is called after a commit that may have left something due.
pub(crate) type Hooks = Arc<Mutex<Vec<Arc<dyn Fn() + Send + Sync>>>>;

/// The way to the writer thread.
pub(crate) struct Writer {
    jobs: Option<Sender<Box<dyn Job>>>,
    waiting: Arc<AtomicUsize>,
    parked: Arc<AtomicUsize>,
    judged: Arc<Mutex<Vec<Judged>>>,
    thread: Option<JoinHandle<()>>,
}

/// Whether a verb can fail without its group.
#[derive(Clone, Copy)]
pub(crate) enum Alone {
    /// It runs behind a savepoint.
    Yes,
    /// It is on the hot path.
    No,
}

impl Writer {
    pub(crate) fn start(connection: Connection, hooks: Hooks) -> std::io::Result<Self> {
        let (jobs, waiting_jobs) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let parked = Arc::new(AtomicUsize::new(0));
        let counted = waiting.clone();
        let judged = Arc::default();
        let aftermath = Aftermath { hooks, parked: parked.clone(), judged: Arc::clone(&judged) };
        let thread = std::thread::Builder::new()
            .name("gatepost-writer".into())
            .spawn(move || run(&connection, &waiting_jobs, &counted, &aftermath))?;
        Ok(Self { jobs: Some(jobs), waiting, parked, judged, thread: Some(thread) })
    }

    /// How many deliveries were parked since this was asked the last time.
    pub(crate) fn take_parked(&self) -> usize {
        self.parked.swap(0, Ordering::Relaxed)
    }

    /// The accounts that reached a rate since this was asked the last time.
    pub(crate) fn take_judged(&self) -> Vec<Judged> {
        std::mem::take(&mut *self.judged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `verb` in the next group, and answers when it is durable. Dropping the future does not undo it. It runs a second time where
    /// something of its group cannot be read or written, so it must not use up what it was given.
    pub(crate) async fn write<T, F>(&self, alone: Alone, verb: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Txn<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::Unavailable(String::from("too many callers wait for the writer")));
        }
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Verb { verb, alone, result: None, answer });
        let gone = || StoreError::Unavailable(String::from("the writer has ended"));
        self.jobs.as_ref().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    /// Lets what waits be written, then ends the thread.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

/// One caller's verb on its way through a group.
trait Job: Send {
    fn run(&mut self, txn: &mut Txn<'_>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, group: &Result<(), StoreError>);
}

struct Verb<T, F> {
    verb: F,
    alone: Alone,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Verb<T, F>
where
    T: Send,
    F: FnMut(&mut Txn<'_>) -> rusqlite::Result<T> + Send,
{
    /// An error here is one of the group.
    fn run(&mut self, txn: &mut Txn<'_>) -> Result<(), StoreError> {
        let verb = &mut self.verb;
        let mut guarded = |txn: &mut Txn<'_>| {
            let ran = catch_unwind(AssertUnwindSafe(|| verb(txn)));
            ran.unwrap_or(Err(rusqlite::Error::UnwindingPanic))
        };
        let result = match self.alone {
            Alone::No if !txn.is_careful() => guarded(txn).map(Ok),
            Alone::No | Alone::Yes => txn.savepoint(guarded),
        };
        let result = result.map_err(|error| error::of_statement(&error))?;
        if let Err(error) = &result
            && error::is_unreadable(error)
            && !txn.is_careful()
        {
            // With care it may do what can be done all the same.
            return Err(error::of_statement(error));
        }
        self.result = Some(result.map_err(|error| error::of_statement(&error)));
        Ok(())
    }

    fn answer(self: Box<Self>, group: &Result<(), StoreError>) {
        let gone = || Err(StoreError::Unavailable(String::from("the group ended early")));
        let result = match group {
            Ok(()) => self.result.unwrap_or_else(gone),
            Err(error) => Err(error.clone()),
        };
        // Who no longer waits need not know.
        let _ = self.answer.send(result);
    }
}

/// Who is told once a group is committed.
struct Aftermath {
    hooks: Hooks,
    parked: Arc<AtomicUsize>,
    judged: Arc<Mutex<Vec<Judged>>>,
}

impl Aftermath {
    fn follow(&self, effects: Effects) {
        for (permit, started) in effects.started {
            permit.start(started);
        }
        self.parked.fetch_add(effects.parked, Ordering::Relaxed);
        if !effects.judged.is_empty() {
            self.judged.lock().unwrap_or_else(PoisonError::into_inner).extend(effects.judged);
        }
        if effects.left_due {
            let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
            hooks.iter().for_each(|hook| hook());
        }
    }
}

fn run(connection: &Connection, jobs: &Receiver<Box<dyn Job>>, waiting: &AtomicUsize, aftermath: &Aftermath) {
    let mut open = OpenAttempts::default();
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP_MAX - 1));
        waiting.fetch_sub(group.len(), Ordering::Relaxed);
        write_group(connection, group, &mut open, aftermath);
    }
    // Statistics for the query planner; the database is whole without them.
    let _ = connection.execute_batch("PRAGMA optimize");
}

fn write_group(connection: &Connection, mut group: Vec<Box<dyn Job>>, open: &mut OpenAttempts, aftermath: &Aftermath) {
    let result = match run_group(connection, &mut group, Care::Quick, open) {
        Err(error) if error.is_of_one() => run_group(connection, &mut group, Care::Careful, open),
        result => result,
    };
    let result = result.map(|effects| aftermath.follow(effects));
    for job in group {
        job.answer(&result);
    }
}

/// Runs the verbs of a group and commits them. Of open attempts nothing is known any more where that fails.
fn run_group(connection: &Connection, group: &mut [Box<dyn Job>], care: Care, open: &mut OpenAttempts) -> Result<Effects, StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| error::of_statement(&error))?;
    let mut txn = Txn::new(connection, care).knowing(std::mem::take(open));
    let ran =
        group.iter_mut().try_for_each(|job| job.run(&mut txn)).and_then(|()| txn.flush().map_err(|error| error::of_statement(&error)));
    let (effects, still_open) = txn.into_effects();
    let committed = ran.and_then(|()| connection.execute_batch("COMMIT").map_err(|error| error::of_commit(&error)));
    if committed.is_err() && !connection.is_autocommit() {
        // Where even this fails, the next BEGIN says so.
        let _ = connection.execute_batch("ROLLBACK");
    }
    committed.map(|()| {
        *open = still_open;
        effects
    })
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use futures_executor::block_on as wait;

    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().expect("memory is there");
        connection.execute_batch("CREATE TABLE t (x INTEGER, filler TEXT) STRICT").expect("a table");
        Writer::start(connection, Hooks::default()).expect("a thread")
    }

    fn insert(txn: &mut Txn<'_>, number: i64) -> rusqlite::Result<usize> {
        txn.connection.execute("INSERT INTO t (x) VALUES (?1)", [number])
    }

    fn numbers(txn: &mut Txn<'_>) -> rusqlite::Result<Vec<i64>> {
        let mut statement = txn.connection.prepare("SELECT x FROM t ORDER BY x")?;
        crate::rows::all(&mut statement, [], |row| row.get(0))
    }

    #[test]
    fn a_verb_that_fails_alone_leaves_nothing_and_spares_the_others() {
        let writer = writer();
        let failed = wait(writer.write(Alone::Yes, |txn| insert(txn, 1).and(txn.connection.execute("INSERT INTO nowhere VALUES (1)", []))));
        let panicked = wait(writer.write(Alone::Yes, |txn| {
            insert(txn, 2)?;
            if txn.connection.is_autocommit() { Ok(()) } else { panic!("in the middle of a verb") }
        }));
        wait(writer.write(Alone::Yes, |txn| insert(txn, 3))).expect("nothing is wrong with it");
        assert!(matches!((failed, panicked), (Err(StoreError::Unavailable(_)), Err(StoreError::Unwritable(_)))));
        assert_eq!(wait(writer.write(Alone::Yes, numbers)), Ok(vec![3]));
    }

    #[test]
    fn a_full_disk_answers_the_caller_and_ends_with_the_need() {
        let writer = writer();
        let limit = |pages: i64| {
            move |txn: &mut Txn<'_>| txn.connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
        };
        let pages = wait(writer.write(Alone::No, limit(1))).expect("the limit is at least what is used");
        let fill = |txn: &mut Txn<'_>| txn.connection.execute("INSERT INTO t (x, filler) VALUES (1, hex(zeroblob(100000)))", []);
        assert!(matches!(wait(writer.write(Alone::No, fill)), Err(StoreError::Unavailable(_))));
        wait(writer.write(Alone::No, limit(pages + 1_000))).expect("there is room again");
        assert_eq!(wait(writer.write(Alone::No, numbers)), Ok(vec![]));
        assert_eq!(wait(writer.write(Alone::No, fill)), Ok(1));
    }

    #[test]
    fn what_cannot_be_read_fails_only_who_reads_it() {
        let read_lowest =
            |txn: &mut Txn<'_>| txn.connection.query_row("SELECT min(x) FROM t", [], |row| crate::rows::count(row, 0)).map(drop);
        for alone in [Alone::No, Alone::Yes] {
            let error = failure_of_the_second(alone, read_lowest);
            assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_fails_only_who_writes_it() {
        let too_high = |txn: &mut Txn<'_>| insert(txn, 10).map(drop);
        let panic = |_: &mut Txn<'_>| panic!("in the middle of a verb");
        for alone in [Alone::No, Alone::Yes] {
            for error in [failure_of_the_second(alone, too_high), failure_of_the_second(alone, panic)] {
                assert!(matches!(error, StoreError::Unwritable(_)), "{error:?}");
            }
        }
    }

    /// Of three verbs in one group, of which the second breaks, and the others do what they do.
    fn failure_of_the_second(alone: Alone, breaks: fn(&mut Txn<'_>) -> rusqlite::Result<()>) -> StoreError {
        let connection = Connection::open_in_memory().expect("memory is there");
        let tables = "CREATE TABLE t (x INTEGER CHECK (x < 10), filler TEXT) STRICT; INSERT INTO t VALUES (-1, NULL)";
        connection.execute_batch(tables).expect("a table");
        let aftermath = Aftermath { hooks: Hooks::default(), parked: Arc::default(), judged: Arc::default() };
        let (mut group, mut answers): (Vec<Box<dyn Job>>, Vec<_>) = (Vec::new(), Vec::new());
        for number in 1..=3 {
            let verb = move |txn: &mut Txn<'_>| {
                insert(txn, number)?;
                if number == 2 { breaks(txn) } else { Ok(()) }
            };
            let (answer, answered) = oneshot::channel();
            group.push(Box::new(Verb { verb, alone, result: None, answer }));
            answers.push(answered);
        }
        write_group(&connection, group, &mut OpenAttempts::default(), &aftermath);
        let answers: Vec<_> = answers.into_iter().map(|answered| wait(answered).expect("an answer")).collect();
        assert_eq!(numbers(&mut Txn::new(&connection, Care::Quick)), Ok(vec![-1, 1, 3]));
        match answers.as_slice() {
            [Ok(()), Err(error), Ok(())] => error.clone(),
            others => panic!("expected one failure, in the middle: {others:?}"),
        }
    }

    #[test]
    fn a_verb_that_reads_what_cannot_be_read_is_done_but_for_that_part() {
        let writer = writer();
        for (alone, numbers) in [(Alone::No, vec![1, 2]), (Alone::Yes, vec![1, 1, 2, 2])] {
            let verb = |txn: &mut Txn<'_>| {
                insert(txn, 1)?;
                let unreadable = txn.part(|txn| {
                    insert(txn, -1)?;
                    txn.connection.query_row("SELECT -1", [], |row| crate::rows::count(row, 0))
                })?;
                insert(txn, 2)?;
                Ok(unreadable)
            };
            assert_eq!(wait(writer.write(alone, verb)), Ok(None));
            assert_eq!(wait(writer.write(Alone::Yes, self::numbers)), Ok(numbers));
        }
    }

    #[test]
    fn a_part_that_panics_leaves_nothing_of_its_verb() {
        let writer = writer();
        let verb = |txn: &mut Txn<'_>| {
            insert(txn, 1)?;
            txn.savepoint(|txn| if txn.connection.is_autocommit() { Ok(()) } else { panic!("in the middle of a part") })?
        };
        let panicked = wait(writer.write(Alone::Yes, verb));
        assert!(matches!(panicked, Err(StoreError::Unwritable(_))), "{panicked:?}");
        assert_eq!(wait(writer.write(Alone::Yes, numbers)), Ok(vec![]));
    }

    #[test]
    fn what_waits_is_written_before_the_writer_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.db");
        let open = || Connection::open(&path).expect("a database");
        open().execute_batch("CREATE TABLE t (x INTEGER, filler TEXT) STRICT").expect("a table");
        let writer = Writer::start(open(), Hooks::default()).expect("a thread");
        let mut write = Box::pin(writer.write(Alone::No, |txn| insert(txn, 1)));
        // Polled once, so that it is on its way, and then dropped.
        assert!(futures_util::FutureExt::now_or_never(write.as_mut()).is_none_or(|answer| answer.is_ok()));
        drop(write);
        drop(writer);
        let found: i64 = open().query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("a count");
        assert_eq!(found, 1);
    }
}
