//! Transport: sends by the Cloud API, within its limits, and learns from its answers.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gatepost::{
    AccountId, BODY_BYTES_MAX, Content, DestinationPolicy, ErrorClass, Host, HttpAnswer, HttpMethod, HttpRequest, HttpSend, InstanceId,
    MessageId, Outcome, Parcel, Timestamp, Transport,
};

use super::answer::{self, Read};
use super::body::{self, CloudRecipient};
use crate::accounts::{Accounts, CloudAccount};
use crate::circuits::{CircuitKey, CircuitReason, Circuits, Pass, Traffic, calling_code};
use crate::errors::{Problem, ProviderError, Retry, Scope, failed};
use crate::item::Stopped;
use crate::observer::{Nobody, Observer};
use crate::once::Once;
use crate::pacers::{Ask, Pacers};
use crate::percent::segment;

/// Where Meta answers.
pub const GRAPH_URL: &str = "https://graph.facebook.com";

/// The codes that stop more than the message for a while, and for how many seconds: a token that was mended need not be told to us.
const PAUSES: &[(i64, u64)] = &[(0, 60), (4, 60), (190, 60), (80_007, 60), (130_429, 5), (131_057, 60)];
/// The codes of a template that is paused or disabled. The first pause lasts three hours, and may be over sooner.
const STOPPED_TEMPLATE: &[i64] = &[132_015, 132_016];

/// Sends by Meta's Cloud API.
///
/// One send is one request. What must wait for a limit or for a circuit is answered at once, with the time to try again and without a byte
/// sent. What Meta may have taken is never called unsent.
pub struct CloudApi {
    pub(super) http: Arc<dyn HttpSend>,
    pub(super) policy: DestinationPolicy,
    pub(super) accounts: Arc<dyn Accounts>,
    host: Arc<dyn Host>,
    observer: Arc<dyn Observer>,
    pub(super) graph_url: String,
    circuits: Arc<Circuits>,
    pacers: Mutex<Pacers>,
    once: Once,
}

impl CloudApi {
    /// Sends by `http`, to where `policy` allows, with the settings that `accounts` knows.
    pub fn new(http: Arc<dyn HttpSend>, policy: DestinationPolicy, accounts: Arc<dyn Accounts>, host: Arc<dyn Host>) -> Self {
        Self {
            http,
            policy,
            accounts,
            host,
            observer: Arc::new(Nobody),
            graph_url: String::from(GRAPH_URL),
            circuits: Arc::default(),
            pacers: Mutex::default(),
            once: Once::default(),
        }
    }

    /// Calls the Graph API at `url`, which ends without a slash: a fake, for example.
    #[must_use]
    pub fn with_graph_url(mut self, url: impl Into<String>) -> Self {
        self.graph_url = url.into();
        self
    }

    /// Tells `observer` what is learned beside the outcomes.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The circuits of this transport, for whoever receives, and for operators.
    pub fn circuits(&self) -> Arc<Circuits> {
        self.circuits.clone()
    }

    /// Has a new access token of `owner` count at once, where the one before it was refused and stopped its account for a while.
    pub fn heed_new_token(&self, owner: AccountId, account: &CloudAccount) {
        let key = CircuitKey::Account { owner, id: account.waba_id.clone() };
        self.circuits.let_go(&key, Stopped::All, |reason| matches!(reason, CircuitReason::Code(0 | 190)));
    }

    /// Sends a parcel to a recipient who is named otherwise than in it, for example by a business-scoped user id.
    pub async fn send_to(&self, recipient: CloudRecipient, parcel: &Parcel, deadline: Timestamp) -> Outcome {
        let account = match self.accounts.cloud(parcel.instance).await {
            Ok(account) => account,
            Err(why) => return why.into(),
        };
        let Some(body) = body::message(&recipient, &parcel.content, parcel.message) else { return failed(ErrorClass::Unsupported, None) };
        let errand = Errand { owner: parcel.account, account, recipient, instance: parcel.instance, message: parcel.message };
        let pass = match self.pass(&errand, &parcel.content) {
            Ok(pass) => pass,
            Err(held) => return held,
        };
        match self.post(&errand.account, body, deadline).await {
            Ok(answer) => self.conclude(&errand, &parcel.content, pass, &answer),
            Err(outcome) => outcome,
        }
    }

    /// Marks a message of theirs, and all before it, as read; `is_typing` also shows for up to 25 seconds that we are about to answer.
    pub async fn mark_read(&self, instance: InstanceId, external_id: &str, is_typing: bool, deadline: Timestamp) -> Outcome {
        let account = match self.accounts.cloud(instance).await {
            Ok(account) => account,
            Err(why) => return why.into(),
        };
        match self.post(&account, body::mark_read(external_id, is_typing), deadline).await {
            Ok(answer) if answer::is_done(&answer) => Outcome::Sent { external_id: None },
            Ok(answer) => match answer::read(&answer) {
                Read::Refused(error) => error.outcome(answer.retry_after()),
                Read::Accepted { .. } | Read::Nameless => failed(ErrorClass::Refused, None),
            },
            Err(outcome) => outcome,
        }
    }

    /// Lets the message go, or says how long it must wait.
    fn pass(&self, errand: &Errand, content: &Content) -> Result<Pass<'_>, Outcome> {
        let now = self.host.now();
        let pass = self.circuits.pass(&errand.ways(content), Traffic::of(content), now);
        let pass = pass.map_err(|wait| failed(ErrorClass::CircuitOpen, Some(wait)))?;
        let paced = self.pacers().take(&errand.ask(content), now);
        paced.map_err(|retry_at| failed(ErrorClass::Paced, Some(retry_at.since(now))))?;
        Ok(pass)
    }

    async fn post(&self, account: &CloudAccount, body: Vec<u8>, deadline: Timestamp) -> Result<HttpAnswer, Outcome> {
        let path = [&account.graph_version, &account.phone_number_id].map(|part| segment(part)).join("/");
        let destination = self.policy.parse(&format!("{}/{path}/messages", self.graph_url));
        let destination = destination.map_err(|_| Outcome::Blocked { class: ErrorClass::Forbidden })?;
        let headers = vec![
            ("authorization".into(), format!("Bearer {}", account.access_token.expose())),
            ("content-type".into(), String::from("application/json")),
        ];
        let (method, body, answer_bytes_max) = (HttpMethod::Post, body.into(), BODY_BYTES_MAX);
        let request = HttpRequest { method, destination, headers, body, deadline, repeatable: false, answer_bytes_max };
        self.http.send(request).await.map_err(|failure| failure.outcome())
    }

    /// What became of the message, and what follows from the answer for others.
    fn conclude(&self, errand: &Errand, content: &Content, pass: Pass<'_>, answer: &HttpAnswer) -> Outcome {
        let read = answer::read(answer);
        match &read {
            Read::Accepted { recipient, .. } => {
                pass.was_taken();
                self.pacers().was_taken(&errand.ask(content));
                self.observer.accepted(errand.instance, errand.message, recipient);
            }
            Read::Refused(error) => {
                self.learn(errand, content, error);
                self.observer.refused(errand.instance, errand.message, error);
                return self.refusal(errand, content, error, answer);
            }
            Read::Nameless => {}
        }
        read.outcome(answer)
    }

    /// A refusal says by itself whether the message may be sent again; some only once, and for a pair after a wait of its own.
    fn refusal(&self, errand: &Errand, content: &Content, error: &ProviderError, answer: &HttpAnswer) -> Outcome {
        match error.retry {
            Retry::Pair => {
                let wait = self.pacers().was_too_much(&errand.ask(content), self.host.now());
                error.outcome(Some(answer.retry_after().unwrap_or_default().max(wait)))
            }
            Retry::Once if self.once.was_there(errand.message) => failed(ErrorClass::Refused, None),
            _ => error.outcome(answer.retry_after()),
        }
    }

    /// Opens the circuit that an error asks for.
    fn learn(&self, errand: &Errand, content: &Content, error: &ProviderError) {
        let Some(code) = error.code else { return };
        let pause = PAUSES.iter().find(|(known, _)| *known == code).map(|(_, seconds)| Duration::from_secs(*seconds));
        if pause.is_none() && error.problem != Problem::AccountRestricted && !STOPPED_TEMPLATE.contains(&code) {
            return;
        }
        let now = self.host.now();
        let until = pause.map(|pause| now.plus(pause));
        if let Some(key) = errand.way_of(content, error.scope) {
            self.circuits.trip(key, Stopped::All, until, CircuitReason::Code(code), now);
        }
    }

    fn pacers(&self) -> MutexGuard<'_, Pacers> {
        self.pacers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for CloudApi {
    async fn send(&self, parcel: Parcel, deadline: Timestamp) -> Outcome {
        match CloudRecipient::of(&parcel.recipient) {
            Some(recipient) => self.send_to(recipient, &parcel, deadline).await,
            None => failed(ErrorClass::Unsupported, None),
        }
    }
}

impl fmt::Debug for CloudApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudApi").field("graph_url", &self.graph_url).field("circuits", &self.circuits).finish_non_exhaustive()
    }
}

/// One message on its way.
struct Errand {
    owner: AccountId,
    account: Arc<CloudAccount>,
    recipient: CloudRecipient,
    instance: InstanceId,
    message: MessageId,
}

impl Errand {
    /// All circuits that it goes through.
    fn ways(&self, content: &Content) -> Vec<CircuitKey> {
        let scopes = [Scope::Account, Scope::PhoneNumber, Scope::RecipientCountry, Scope::Template];
        scopes.into_iter().filter_map(|scope| self.way_of(content, scope)).collect()
    }

    /// The circuit of one scope.
    fn way_of(&self, content: &Content, scope: Scope) -> Option<CircuitKey> {
        let owner = self.owner;
        let CloudAccount { phone_number_id: number, waba_id: account, .. } = &*self.account;
        match (scope, &self.recipient, content) {
            (Scope::Account | Scope::App | Scope::Waba, ..) => Some(CircuitKey::Account { owner, id: account.clone() }),
            (Scope::PhoneNumber, ..) => Some(CircuitKey::Number { owner, id: number.clone() }),
            (Scope::RecipientCountry, CloudRecipient::Phone(phone), _) => {
                Some(CircuitKey::Country { owner, number: number.clone(), calling_code: calling_code(phone.digits()) })
            }
            (Scope::Template, _, Content::Template { name, language, .. }) => {
                let (name, language) = (name.as_str().to_owned(), language.as_str().to_owned());
                Some(CircuitKey::Template { owner, account: account.clone(), name, language })
            }
            _ => None,
        }
    }

    /// Only a template begins a conversation. Whether one is open already is not known here, so every template counts.
    fn ask(&self, content: &Content) -> Ask<'_> {
        let is_template = matches!(content, Content::Template { .. });
        Ask {
            owner: self.owner,
            number: &self.account.phone_number_id,
            recipient: &self.recipient,
            throughput: self.account.throughput,
            begins: self.account.people_per_day.filter(|_| is_template).map(|people| (self.account.portfolio(), people)),
        }
    }
}
