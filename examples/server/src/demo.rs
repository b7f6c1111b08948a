//! Demo: stand-ins of Meta and of Evolution API on this machine, so that a newcomer sees both at work without an account at either.
//!
//! The demo account gets an instance of each. Without the stand-ins these are closed, so that nothing of a demo ever leaves the machine.
//!
//! A person lives at the stand-ins: they write to each number once, which opens the conversation, and get and read what is sent to them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use gatepost::{Host, Secret};
use gatepost_system::System;
use gatepost_whatsapp::fake::{FakeEvolution, FakeGraph, Hook, Received};
use serde_json::{Value, json};

use crate::config::{BaseUrl, Settings};

/// What Meta calls the demo's number and its account.
const PHONE_NUMBER_ID: &str = "100000000000001";
const WABA_ID: &str = "200000000000001";
/// What the demo's instance is called at Evolution API.
const INSTANCE_NAME: &str = "gatepost-demo";
/// It opens nothing but a stand-in that listens on loopback.
const API_KEY: &str = "the-key-of-the-demo";
const APP_SECRET: &str = "the-app-secret-of-the-demo";
const JWT_KEY: &str = "the-jwt-key-of-the-demo";
/// Who lives at the stand-ins, and what they write.
const PERSON: &str = "999501234567";
const WORDS: &str = "Hello, is my table ready?";
/// How soon they look at what was sent to them.
const LOOK: Duration = Duration::from_millis(300);

/// The stand-ins, and who lives there. They end when this is dropped.
pub struct Demo {
    stand_ins: Arc<StandIns>,
    /// Dropped with the rest, which ends the person's thread.
    _life: Option<Sender<()>>,
}

struct StandIns {
    graph: FakeGraph,
    evolution: FakeEvolution,
}

/// An instance of the demo account.
pub(crate) struct DemoInstance {
    /// Its name.
    pub(crate) name: &'static str,
    /// Who carries its messages.
    pub(crate) provider: &'static str,
    /// Where its provider's part stands in a body.
    pub(crate) part: &'static str,
    /// The field by which it is known there, and its value.
    pub(crate) mark: (&'static str, &'static str),
}

/// The instances of the demo, beside the one of the sandbox.
pub(crate) const INSTANCES: [DemoInstance; 2] = [
    DemoInstance { name: "demo-cloud", provider: "cloud_api", part: "cloud_api", mark: ("phone_number_id", PHONE_NUMBER_ID) },
    DemoInstance { name: "demo-evolution", provider: "evolution", part: "evolution", mark: ("instance_name", INSTANCE_NAME) },
];

impl Demo {
    /// Starts the stand-ins, each on a free port of loopback.
    ///
    /// # Errors
    ///
    /// Where no port is to be had.
    pub fn start() -> io::Result<Self> {
        let stand_ins =
            StandIns { graph: FakeGraph::start(PHONE_NUMBER_ID, WABA_ID)?, evolution: FakeEvolution::start(INSTANCE_NAME, API_KEY)? };
        Ok(Self { stand_ins: Arc::new(stand_ins), _life: None })
    }

    /// Has the person live, and tell the server at `address` of it. `instances` are the ids of [`INSTANCES`], as far as they are the demo's.
    ///
    /// # Errors
    ///
    /// Where no thread is to be had.
    pub(crate) fn live(&mut self, address: SocketAddr, instances: [Option<String>; 2]) -> io::Result<()> {
        let (end, ended) = channel();
        let [cloud, evolution] = instances;
        let url = |provider: &str, id: Option<String>| id.map(|id| format!("http://{address}/providers/{provider}/{id}"));
        let person = Person {
            stand_ins: self.stand_ins.clone(),
            cloud: url("whatsapp", cloud),
            evolution: url("evolution", evolution),
            seen: [0; 2],
        };
        thread::Builder::new().name("demo".to_owned()).spawn(move || person.live(&ended))?;
        self._life = Some(end);
        Ok(())
    }

    /// The settings with which messages go to the stand-ins.
    pub fn settings(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        settings.providers.graph_url = BaseUrl::try_from(self.stand_ins.graph.url()).ok();
        settings
    }

    /// What an instance is given for its provider.
    pub(crate) fn gift(&self, instance: &DemoInstance) -> Value {
        match instance.part {
            "cloud_api" => json!({
                "phone_number_id": PHONE_NUMBER_ID, "waba_id": WABA_ID, "access_token": "the-token-of-the-demo",
                "app_secret": APP_SECRET, "verify_token": "the-verify-token-of-the-demo",
            }),
            _ => json!({
                "base_url": self.stand_ins.evolution.url(), "instance_name": INSTANCE_NAME, "api_key": API_KEY, "jwt_key": JWT_KEY,
            }),
        }
    }
}

impl DemoInstance {
    /// Whether this is the instance of the demo, and no other with the same name.
    pub(crate) fn is(&self, shown: &Value) -> bool {
        shown["name"] == self.name && shown[self.part][self.mark.0] == self.mark.1
    }
}

/// Who lives at the stand-ins.
struct Person {
    stand_ins: Arc<StandIns>,
    /// Where what happens is told.
    cloud: Option<String>,
    evolution: Option<String>,
    /// How many messages they have read at each.
    seen: [usize; 2],
}

impl Person {
    fn live(mut self, ended: &Receiver<()>) {
        self.note(self.write());
        while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            let read = self.read();
            self.note(read);
        }
    }

    /// Says where the server did not listen: it may be on its way down.
    fn note(&self, told: io::Result<()>) {
        if let Err(error) = told {
            tracing::debug!(%error, "the demo's person was not heard");
        }
    }

    fn write(&self) -> io::Result<()> {
        let StandIns { graph, evolution } = &*self.stand_ins;
        if let Some(url) = &self.cloud {
            graph.tell_text(hook(url, &Secret::from(APP_SECRET)), PERSON, WORDS)?;
        }
        if let Some(url) = &self.evolution {
            evolution.tell_text(hook(url, &Secret::from(JWT_KEY)), PERSON, WORDS)?;
        }
        Ok(())
    }

    /// Gets and reads what was sent to them since they looked last.
    fn read(&mut self) -> io::Result<()> {
        let StandIns { graph, evolution } = &*self.stand_ins;
        let (of_cloud, of_evolution): (Vec<Received>, Vec<String>) = (graph.received(), evolution.taken());
        let [cloud_seen, evolution_seen] = std::mem::replace(&mut self.seen, [of_cloud.len(), of_evolution.len()]);
        if let Some(url) = &self.cloud {
            let new = of_cloud.iter().skip(cloud_seen).filter(|message| message.body.get("to").is_some());
            for (message, status) in new.flat_map(|message| ["sent", "delivered", "read"].map(|status| (message, status))) {
                graph.tell_status(hook(url, &Secret::from(APP_SECRET)), &message.body, status, None)?;
            }
        }
        if let Some(url) = &self.evolution {
            let new = of_evolution.iter().skip(evolution_seen);
            for (id, status) in new.flat_map(|id| ["DELIVERY_ACK", "READ"].map(|status| (id, status))) {
                evolution.tell_status(hook(url, &Secret::from(JWT_KEY)), id, status)?;
            }
        }
        Ok(())
    }
}

fn hook<'a>(url: &'a str, secret: &'a Secret) -> Hook<'a> {
    Hook { url, secret, now: System.now() }
}
