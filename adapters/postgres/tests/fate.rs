//! Fate: a commit whose answer is lost on the way is not in doubt where the server can still be asked.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use gatepost::{Answer, Gateway, MessageFilter, Page, Purpose, Request, StoreError};
use gatepost_cluster::Database;
use gatepost_conformance::fixture;
use gatepost_postgres::{Options, PostgresStore};
use gatepost_system::System;

/// What becomes of the next commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cut {
    /// It reaches the server, and its answer nobody.
    Answer,
    /// It does not reach the server.
    Commit,
    /// It reaches the server, which makes a checkpoint, as at the end of a crash's recovery; its answer reaches nobody.
    AnswerBeforeCheckpoint,
}

/// Stands between a store and its server, and cuts the connection of the next commit of what writes as it is told.
struct Way {
    port: u16,
    next: Arc<Mutex<Option<Cut>>>,
}

impl Way {
    fn to(database: &Arc<Database<'static>>) -> Self {
        let url: url::Url = database.url().parse().expect("a URL");
        let server = url.port().expect("a port");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let next = Arc::new(Mutex::new(None));
        let (told, database) = (Arc::clone(&next), Arc::clone(database));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server)).expect("the server");
                let database = Arc::clone(&database);
                Connection { client, server, told: Arc::clone(&told), is_mute: Arc::default(), database }.carry();
            }
        });
        Self { port, next }
    }

    fn cut(&self, what: Cut) {
        *self.next.lock().expect("a lock") = Some(what);
    }
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    told: Arc<Mutex<Option<Cut>>>,
    is_mute: Arc<AtomicBool>,
    database: Arc<Database<'static>>,
}

impl Connection {
    fn carry(self) {
        let [mut client, mut server] = [&self.client, &self.server].map(|stream| stream.try_clone().expect("a stream"));
        let is_mute = Arc::clone(&self.is_mute);
        std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok(length @ 1..) = server.read(&mut bytes)
                && !is_mute.load(Ordering::SeqCst)
                && client.write_all(&bytes[..length]).is_ok()
            {}
            [client, server].iter().for_each(end);
        });
        std::thread::spawn(move || self.ask());
    }

    /// What the client says.
    fn ask(mut self) {
        let (mut bytes, mut writes) = ([0; 65_536], false);
        while let Ok(length @ 1..) = self.client.read(&mut bytes) {
            let said = &bytes[..length];
            let has = |words: &[u8]| said.windows(words.len()).any(|part| part == words);
            writes = (writes || has(b"READ COMMITTED")) && !has(b"READ ONLY");
            let is_commit = writes && has(b"COMMIT\0");
            let cut = is_commit.then(|| self.told.lock().expect("a lock").take()).flatten();
            if cut == Some(Cut::AnswerBeforeCheckpoint) {
                self.database.run("CHECKPOINT").expect("a checkpoint");
            }
            self.is_mute.fetch_or(matches!(cut, Some(Cut::Answer | Cut::AnswerBeforeCheckpoint)), Ordering::SeqCst);
            if cut == Some(Cut::Commit) || self.server.write_all(said).is_err() {
                break;
            }
        }
        if !self.is_mute.load(Ordering::SeqCst) {
            [&self.client, &self.server].into_iter().for_each(end);
        }
    }
}

fn end(stream: &TcpStream) {
    // It may have ended by itself.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Sends a message whose commit is cut so: how that ends, and how many messages there are.
fn send_one(database: &Arc<Database<'static>>, cut: Cut) -> (Result<Answer, StoreError>, usize) {
    let way = Way::to(database);
    let mut url: url::Url = database.url().parse().expect("a URL");
    url.set_port(Some(way.port)).expect("a port");
    // A checkpoint may take its time, and a transaction stands still meanwhile.
    let options = Options { idle_timeout: std::time::Duration::from_secs(300), ..Options::default() };
    let store = PostgresStore::open(url.as_str(), &options).expect("it opens");
    let gateway = Gateway::builder(Arc::new(store), Arc::new(System)).build();
    let account = fixture::add_account(&gateway);
    await_quiet(database);
    way.cut(cut);
    let request = Request::text(
        "desk",
        "+999501234567".parse().expect("a phone number"),
        Purpose::Transactional,
        "Your table is ready.".parse().expect("a text"),
    );
    let sent = block_on(gateway.account(account).send(request));
    assert_eq!(way.next.lock().expect("a lock").take(), None, "a commit was cut");
    let messages = block_on(gateway.store().account(account).messages(MessageFilter::default(), Page::first(9))).expect("an answer");
    (sent.map(|sent| sent.answer), messages.len())
}

/// Until the second of the last checkpoint is over.
fn await_quiet(database: &Database<'_>) {
    let is_quiet = "SELECT checkpoint_time < date_trunc('second', clock_timestamp()) FROM pg_control_checkpoint()";
    while database.run(is_quiet).expect("an answer")[0][0].as_deref() != Some("t") {
        std::thread::yield_now();
    }
}

/// In one test, as another database that is made or dropped may bring a checkpoint.
#[test]
fn what_became_of_a_commit_is_found_out_or_in_doubt() {
    let Some(database) = cluster::migrated().map(Arc::new) else { return };
    for cut in [Cut::Answer, Cut::Commit] {
        let (answer, messages) = send_one(&database, cut);
        assert!(matches!(answer, Ok(Answer::Accepted(_))), "{cut:?}: {answer:?}");
        assert_eq!(messages, 1, "{cut:?}");
    }
    let (answer, messages) = send_one(&database, Cut::AnswerBeforeCheckpoint);
    assert!(matches!(answer, Err(StoreError::OutcomeUnknown(_))), "{answer:?}");
    assert_eq!(messages, 1, "it was committed, and could have been undone");
}
