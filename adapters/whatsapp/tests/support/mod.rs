//! Support: the samples, and what a test needs around a transport.

#![allow(dead_code, clippy::expect_used, reason = "each test takes what it needs, and fails by panicking")]

pub(crate) mod stage;

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_executor::block_on;
use gatepost::{
    AccountId, Content, DestinationPolicy, Host, HttpAnswer, HttpFailure, HttpFailureClass, HttpRequest, HttpSend, HttpTrace, InstanceId,
    MessageId, Outcome, Parcel, Provider, Purpose, Secret, Timestamp, Transport,
};
use gatepost_memory::TestHost;
use gatepost_whatsapp::{Accounts, CloudAccount, EvolutionAccount, NoAccount};
use serde_json::Value;

pub(crate) const PHONE: &str = "+999501234567";
/// Where Evolution API is in tests; the samples have it where no policy lets anybody go.
pub(crate) const BASE_URL: &str = "https://evo.example.com";
pub(crate) const ACCOUNT: AccountId = AccountId::from_bytes([5; 16]);
pub(crate) const INSTANCE: InstanceId = InstanceId::from_bytes([6; 16]);
pub(crate) const MESSAGE: MessageId = MessageId::from_bytes([1; 16]);

/// The bytes of a sample.
pub(crate) fn bytes(path: &str) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A sample of JSON.
pub(crate) fn json(path: &str) -> Value {
    serde_json::from_slice(&bytes(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of a manifest whose file lies in `folder`.
pub(crate) fn manifest(area: &str, folder: &str) -> Vec<Value> {
    let rows = json(&format!("{area}/manifest.json"))["files"].as_array().expect("rows").clone();
    let found: Vec<_> = rows.into_iter().filter(|row| row["file"].as_str().is_some_and(|file| file.starts_with(folder))).collect();
    assert!(!found.is_empty(), "no file of {area} lies in {folder}");
    found
}

/// The file of a row, as a path below the data.
pub(crate) fn path(area: &str, row: &Value) -> String {
    format!("{area}/{}", row["file"].as_str().expect("a file"))
}

/// What the other side says to the next request.
pub(crate) enum Says {
    Answer(HttpAnswer),
    Fails { class: HttpFailureClass, may_have_arrived: bool },
}

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Says {
    with_headers(status, &[], body)
}

pub(crate) fn with_headers(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Says {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Says::Answer(HttpAnswer { status, headers, body: body.into(), body_cut: false, trace: HttpTrace::default() })
}

/// The answer that a sample holds.
pub(crate) fn sampled(sample: &Value) -> Says {
    let status = sample["http_status"].as_u64().or(sample["status"].as_u64()).expect("a status");
    let body = sample["body_raw"].as_str().map_or_else(|| sample["body"].to_string(), str::to_owned);
    answer(u16::try_from(status).expect("a status"), body)
}

/// An HTTP that follows a script and writes down what it was asked.
#[derive(Default)]
pub(crate) struct Script {
    says: Mutex<VecDeque<Says>>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl Script {
    pub(crate) fn then(&self, says: Says) {
        self.says.lock().expect("the script").push_back(says);
    }

    pub(crate) fn asked(&self) -> Vec<HttpRequest> {
        self.asked.lock().expect("the requests").clone()
    }
}

#[async_trait]
impl HttpSend for Script {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFailure> {
        let shown = format!("{request:?}");
        self.asked.lock().expect("the requests").push(request);
        match self.says.lock().expect("the script").pop_front() {
            Some(Says::Answer(answer)) => Ok(answer),
            Some(Says::Fails { class, may_have_arrived }) => {
                Err(HttpFailure { class, may_have_arrived, detail: String::new(), trace: HttpTrace::default() })
            }
            None => panic!("nothing was expected to leave: {shown}"),
        }
    }
}

/// The settings of one instance.
pub(crate) struct Settings {
    pub(crate) cloud: CloudAccount,
    pub(crate) evolution: EvolutionAccount,
}

impl Default for Settings {
    fn default() -> Self {
        let evolution = EvolutionAccount {
            base_url: BASE_URL.to_owned(),
            api_key: Secret::from("EVO-SYNTHETIC-KEY"),
            instance_name: "acme-main".to_owned(),
            jwt_key: Secret::from("SYNTHETIC"),
        };
        Self { cloud: CloudAccount::new("800700600500401", "900100200300401", "EAAJ-token"), evolution }
    }
}

#[async_trait]
impl Accounts for Settings {
    async fn cloud(&self, instance: InstanceId) -> Result<Arc<CloudAccount>, NoAccount> {
        if instance == INSTANCE { Ok(Arc::new(self.cloud.clone())) } else { Err(NoAccount::NotSetUp) }
    }

    async fn evolution(&self, instance: InstanceId) -> Result<Arc<EvolutionAccount>, NoAccount> {
        if instance == INSTANCE { Ok(Arc::new(self.evolution.clone())) } else { Err(NoAccount::Unavailable) }
    }
}

/// A transport between a script and a clock that is set by hand.
pub(crate) struct Bench<T> {
    pub(crate) transport: T,
    pub(crate) script: Arc<Script>,
    pub(crate) host: Arc<TestHost>,
}

/// What a transport is made of.
pub(crate) type Parts = (Arc<dyn HttpSend>, DestinationPolicy, Arc<dyn Accounts>, Arc<dyn Host>);

impl<T: Transport> Bench<T> {
    pub(crate) fn new(settings: Settings, make: impl FnOnce(Parts) -> T) -> Self {
        let (script, host) = (Arc::new(Script::default()), Arc::new(TestHost::new(7)));
        let transport = make((script.clone(), DestinationPolicy::production(), Arc::new(settings), host.clone()));
        Self { transport, script, host }
    }

    pub(crate) fn deadline(&self) -> Timestamp {
        self.host.now().plus(Duration::from_secs(30))
    }

    /// Sends where the script says what comes back.
    pub(crate) fn send(&self, content: Content, says: Says) -> Outcome {
        self.script.then(says);
        self.send_quietly(content)
    }

    /// Sends what must not leave, or what the script knows already.
    pub(crate) fn send_quietly(&self, content: Content) -> Outcome {
        block_on(self.transport.send(parcel(content), self.deadline()))
    }

    /// The body of the last request.
    pub(crate) fn last_body(&self) -> Value {
        let asked = self.script.asked();
        serde_json::from_slice(&asked.last().expect("a request").body).expect("JSON")
    }
}

pub(crate) fn parcel(content: Content) -> Parcel {
    Parcel {
        account: ACCOUNT,
        message: MESSAGE,
        instance: INSTANCE,
        provider: Provider::CloudApi,
        recipient: PHONE.parse::<gatepost::Phone>().expect("a phone").into(),
        purpose: Purpose::Support,
        content,
    }
}

pub(crate) fn text(words: &str) -> Content {
    words.parse::<gatepost::Text>().expect("a text").into()
}
