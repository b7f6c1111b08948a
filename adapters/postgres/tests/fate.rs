//! Fate: a commit whose answer is lost on the way is not in doubt where the server can still be asked.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use gatepost::{Answer, Gateway, MessageFilter, Page, Purpose, Request};
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
}

/// Stands between a store and its server, and cuts the connection of the next commit of what writes as it is told.
struct Way {
    port: u16,
    next: Arc<Mutex<Option<Cut>>>,
}

impl Way {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let next = Arc::new(Mutex::new(None));
        let told = Arc::clone(&next);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server)).expect("the server");
                Connection { client, server, told: Arc::clone(&told), is_mute: Arc::default() }.carry();
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
            self.is_mute.fetch_or(cut == Some(Cut::Answer), Ordering::SeqCst);
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

fn one_message_is_accepted_once(cut: Cut) {
    let Some(database) = cluster::migrated() else { return };
    let url: url::Url = database.url().parse().expect("a URL");
    let way = Way::to(url.port().expect("a port"));
    let mut url = url;
    url.set_port(Some(way.port)).expect("a port");
    let store = PostgresStore::open(url.as_str(), &Options::default()).expect("it opens");
    let gateway = Gateway::builder(Arc::new(store), Arc::new(System)).build();
    let account = fixture::add_account(&gateway);
    way.cut(cut);
    let request = Request::text(
        "desk",
        "+999501234567".parse().expect("a phone number"),
        Purpose::Transactional,
        "Your table is ready.".parse().expect("a text"),
    );
    let sent = block_on(gateway.account(account).send(request)).expect("its fate is found out");
    assert!(matches!(sent.answer, Answer::Accepted(_)), "{cut:?}");
    assert_eq!(way.next.lock().expect("a lock").take(), None, "a commit was cut");
    let messages = block_on(gateway.store().account(account).messages(MessageFilter::default(), Page::first(9))).expect("an answer");
    assert_eq!(messages.len(), 1, "{cut:?}");
}

#[test]
fn a_commit_whose_answer_is_lost_counts() {
    one_message_is_accepted_once(Cut::Answer);
}

#[test]
fn a_commit_that_is_lost_is_made_again() {
    one_message_is_accepted_once(Cut::Commit);
}
