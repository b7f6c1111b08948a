//! World: a gateway with an account, its instance and its keys, and a way to ask it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use axum::{Router, extract::ConnectInfo};
use gatepost::{
    Account, AccountId, ApiKey, Brand, Calendar, Delivering, DestinationPolicy, ErrorClass, Gateway, Instance, InstanceChange, InstanceId,
    KeyKind, KeyOwner, KeyTerms, Keyring, Mode, NewKey, Outcome, Parcel, PhoneSystems, Plan, Provider, Scope, Scopes, Store, Timestamp,
    Transport, Webhooks, Zone,
};
use gatepost_http::Http;
use gatepost_memory::{MemoryStore, Sandbox, TestHost};
use gatepost_server::http::{App, HttpSettings, router};
use gatepost_server::phone_systems::ThreecxWords;
use gatepost_server::providers::{Providers, Whereabouts};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// A gateway and those who use it.
pub(crate) struct World {
    pub(crate) host: Arc<TestHost>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) app: App,
    pub(crate) router: Router,
    /// An operator's key.
    pub(crate) operator: String,
    /// An account on the Starter plan, with the instance `support`.
    pub(crate) shop: Customer,
    /// Another one.
    pub(crate) other: Customer,
}

/// An account with its instance and a key that may do everything.
pub(crate) struct Customer {
    pub(crate) id: AccountId,
    pub(crate) instance: InstanceId,
    pub(crate) key: String,
}

/// How a world differs from the usual one.
pub(crate) struct Terms {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sandbox: Sandbox,
    pub(crate) settings: HttpSettings,
    pub(crate) has_worker: bool,
    /// Whether another gateway delivers from the same store.
    pub(crate) has_other_host: bool,
    /// How many sends do not reach the provider before one does.
    pub(crate) failures: usize,
    /// How long a send may take.
    pub(crate) send_timeout: Duration,
    /// Where Meta is.
    pub(crate) graph_url: Option<String>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            store: Arc::new(MemoryStore::new()),
            sandbox: Sandbox::new(),
            settings: HttpSettings {
                destinations: DestinationPolicy::development(),
                phone_systems: DestinationPolicy::development(),
                ..HttpSettings::default()
            },
            has_worker: true,
            has_other_host: false,
            failures: 0,
            send_timeout: Duration::from_millis(20),
            graph_url: None,
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Terms::default()).await
    }

    pub(crate) async fn with(terms: Terms) -> Self {
        let host = Arc::new(TestHost::new(7));
        let keyring = Keyring::new([(1, [7; 32].into())]).unwrap();
        let delivering = Delivering { send_timeout: terms.send_timeout, ..Delivering::default() };
        let destinations = terms.settings.destinations.clone();
        let http = Http::builder(destinations.clone(), host.clone()).build().unwrap();
        let whereabouts = Whereabouts { policy: destinations.clone(), evolution_hosts: Vec::new(), graph_url: terms.graph_url };
        let http = Arc::new(http);
        let words = ThreecxWords { keyring: keyring.clone(), public_url: terms.settings.public_url.clone() };
        let providers = Providers::new(http.clone(), whereabouts, terms.store.worker(), keyring.clone(), host.clone());
        let gateway = Gateway::builder(terms.store.clone(), host.clone())
            .transport(Provider::CloudApi, providers.cloud.clone())
            .transport(Provider::Evolution, providers.evolution.clone())
            .transport(
                Provider::Sandbox,
                Faltering { sandbox: terms.sandbox.with_host(host.clone()), failures_left: terms.failures.into() },
            )
            .delivering(delivering)
            .webhooks(Webhooks::new(http.clone(), destinations.clone(), keyring.clone()))
            .phone_systems(PhoneSystems::new(http, destinations, keyring.clone(), Arc::new(words)))
            .build();
        if terms.has_worker {
            tokio::spawn(deliver(gateway.clone()));
        }
        if terms.has_other_host {
            let transport = Faltering { sandbox: Sandbox::new().with_host(host.clone()), failures_left: AtomicUsize::new(0) };
            let other = Gateway::builder(terms.store.clone(), host.clone()).transport(Provider::Sandbox, transport).build();
            tokio::spawn(deliver(other));
        }
        let app = App::new(gateway, providers, keyring, Brand::default(), terms.settings);
        app.heartbeat();
        let operator = add_key(&app, KeyOwner::Operator, key_terms(Scopes::all())).await;
        let shop = Customer::new(&app, "Shop").await;
        let other = Customer::new(&app, "Other").await;
        // What is made from now on is newer.
        host.advance(Duration::from_millis(1));
        Self { router: router(app.clone()), host, store: terms.store, app, operator, shop, other }
    }

    /// Has all that is asked from now on answered by another host on the same store, which remembers nothing.
    pub(crate) fn move_to_another_host(&mut self) {
        let (gateway, providers, keyring) = (self.app.gateway.clone(), self.app.providers.clone(), self.app.keyring.clone());
        self.router = router(App::new(gateway, providers, keyring, Brand::default(), self.app.settings.clone()));
    }

    /// A new key of the shop with these scopes.
    pub(crate) async fn key_with(&self, scopes: impl IntoIterator<Item = Scope>) -> String {
        add_key(&self.app, KeyOwner::Account(self.shop.id, Mode::Live), key_terms(scopes.into_iter().collect())).await
    }

    /// A new key of the shop with these terms.
    pub(crate) async fn key_on(&self, mode: Mode, terms: KeyTerms) -> String {
        add_key(&self.app, KeyOwner::Account(self.shop.id, mode), terms).await
    }

    /// Asks with a key; a body goes along as JSON.
    pub(crate) async fn ask(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> Answer {
        self.exchange(asking(method, path, key, body)).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        self.ask(Method::GET, path, key, None).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, key, Some(body)).await
    }

    /// Lets time pass, and has the worker look at what is due since.
    pub(crate) async fn pass(&self, time: Duration) {
        self.host.advance(time);
        let store = self.store.account(self.shop.id);
        store.change_instance(self.shop.instance, InstanceChange::default()).await.unwrap();
    }

    /// Does something that must work.
    pub(crate) async fn done(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.ask(method, path, &self.operator, body).await;
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    pub(crate) async fn exchange(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let is_json = parts.headers.get("content-type").is_some_and(|kind| kind.to_str().unwrap().contains("json"));
        let body = if is_json { serde_json::from_slice(&bytes).unwrap() } else { Value::Null };
        Answer { status: parts.status, headers: parts.headers, body, bytes }
    }

    /// Sends a message of the shop that nothing speaks against, unless `with` changes that.
    pub(crate) async fn send(&self, with: impl FnOnce(&mut Value)) -> Answer {
        self.exchange(self.sending("/api/send-message", with)).await
    }

    pub(crate) fn sending(&self, path: &str, with: impl FnOnce(&mut Value)) -> Request<Body> {
        let mut body = message();
        with(&mut body);
        asking(Method::POST, path, &self.shop.key, Some(body))
    }

    /// A path of the shop's account, as an operator writes it.
    pub(crate) fn shop_path(&self, rest: &str) -> String {
        format!("/v1/accounts/{}{rest}", self.shop.id)
    }

    /// The stored row of a key.
    pub(crate) async fn row(&self, key: &str) -> ApiKey {
        self.store.worker().key(id_of(key)).await.unwrap().unwrap()
    }
}

/// What somebody asks, with a key unless that is empty.
pub(crate) fn asking(method: Method, path: &str, key: &str, body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

/// A message that nothing speaks against.
pub(crate) fn message() -> Value {
    json!({"instance_id": "support", "phone": "+999501234567", "message": "Your table is ready.", "message_purpose": "support"})
}

/// The public part of a key.
pub(crate) fn id_of(key: &str) -> gatepost::KeyId {
    key.rsplit('_').next().unwrap()[..12].parse().unwrap()
}

pub(crate) fn key_terms(scopes: Scopes) -> KeyTerms {
    KeyTerms { name: "test".parse().unwrap(), scopes, allowed_from: Vec::new(), expires_at: None }
}

/// Says that the request comes from this address.
pub(crate) fn from(mut request: Request<Body>, address: &str) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::new(address.parse().unwrap(), 4711)));
    request
}

/// The same request with another header.
pub(crate) fn with_header(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
    request
}

/// A sandbox that the first sends do not reach.
struct Faltering {
    sandbox: Sandbox,
    failures_left: AtomicUsize,
}

#[async_trait]
impl Transport for Faltering {
    async fn send(&self, parcel: Parcel, deadline: Timestamp) -> Outcome {
        let fails = self.failures_left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok();
        if fails {
            Outcome::Failed { class: ErrorClass::Unreachable, retry_after: None }
        } else {
            self.sandbox.send(parcel, deadline).await
        }
    }
}

async fn deliver(gateway: Gateway) {
    let mut worker = gateway.worker();
    loop {
        let turn = worker.turn(gateway.host().now()).await.unwrap();
        turn.notes.iter().for_each(gatepost_server::logging::note);
        if !turn.did {
            worker.idle().await;
        }
    }
}

async fn add_key(app: &App, owner: KeyOwner, terms: KeyTerms) -> String {
    let kind = match owner {
        KeyOwner::Account(_, mode) => KeyKind::Account(mode),
        KeyOwner::Operator => KeyKind::Operator,
    };
    let host = app.gateway.host();
    let key = NewKey::generate(&app.brand, kind, &**host);
    let (root, pepper) = app.keyring.present();
    let row = ApiKey::new(&key, owner, terms, root, pepper, host.now());
    match owner {
        KeyOwner::Account(account, _) => app.gateway.store().account(account).add_key(row).await.unwrap(),
        KeyOwner::Operator => app.gateway.store().operator().add_key(row).await.unwrap(),
    }
    key.reveal().to_owned()
}

impl Customer {
    async fn new(app: &App, name: &str) -> Self {
        let host = app.gateway.host();
        let account = Account {
            id: AccountId::new(host.now(), &**host),
            name: name.parse().unwrap(),
            plan: Plan::Starter,
            calendar: Calendar::new(Zone::utc()),
            pause: None,
            suspended_at: None,
            one_time_codes_pass: true,
            supervised: false,
            two_person_review: false,
            confirms_opt_out: true,
            threecx_enabled: true,
            sender: gatepost::Sender::default(),
            created_at: host.now(),
        };
        let id = account.id;
        app.gateway.store().operator().add_account(account).await.unwrap();
        let id_of_instance = InstanceId::new(host.now(), &**host);
        let instance = Instance::new(id_of_instance, "support".parse().unwrap(), Provider::Sandbox, host.now());
        assert!(app.gateway.store().account(id).add_instance(instance).await.unwrap());
        let key = add_key(app, KeyOwner::Account(id, Mode::Live), key_terms(Scopes::all())).await;
        Self { id, instance: id_of_instance, key }
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Expects an error in the shape of the contract, and gives its details.
    #[track_caller]
    pub(crate) fn is_contract_error(&self, status: u16, code: &str) -> &Value {
        assert_eq!((self.status.as_u16(), self.body["error"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.body["success"], false);
        assert!(self.body["message"].as_str().is_some_and(|message| !message.is_empty()));
        assert_eq!(self.body["request_id"].as_str(), Some(self.header("x-request-id")));
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.status.as_u16() == 429 || self.status.as_u16() == 503, !self.header("retry-after").is_empty());
        &self.body["details"]
    }

    /// Expects a problem, and gives it.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> &Value {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"].as_str(), Some(self.header("x-request-id")));
        assert!(self.body["instance"].as_str().is_some_and(|path| path.starts_with('/')));
        &self.body
    }

    /// Expects a problem that names this field.
    #[track_caller]
    pub(crate) fn is_problem_of(&self, field: &str) {
        let problem = self.is_problem(422, "validation_error");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(problem["errors"][0]["message"].as_str().is_some_and(|message| !message.is_empty()), "{problem}");
    }
}
