//! Endpoints: what an account does with its endpoints, through the facade.
//!
//! Secrets are made, sealed and opened here, so that an app only handles the text that is shown once.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::gateway::Shared;
use crate::webhook::{Unsent, open_secrets, sealed_for};
use crate::{
    AccountId, AccountStore, Actor, CustomHeaders, DeliveryId, Endpoint, EndpointChange, EndpointId, EndpointSecrets, EndpointUrl, Event,
    EventDelivery, EventFilter, EventHead, EventId, EventName, Health, HttpFailureClass, IN_FLIGHT_DEFAULT, InstanceId, Lease, Name,
    NewSigningSecret, Overlap, Rate, Recovery, RecoveryId, RecoveryProgress, Refusal, Replay, ReplayAnswer, RotationRefusal, Sealed,
    SealedHeaders, SealedKind, SigningKey, StoreError, Timestamp, Unsealable, Webhooks,
};

/// How often a change that met another is made again.
const ROUNDS: usize = 5;

/// The name of the challenge; it is no event, and no filter lists it.
const CHALLENGE: &str = "endpoint.challenge";

/// What an account does with its endpoints.
pub struct AccountEndpoints {
    account: AccountId,
    shared: Arc<Shared>,
    store: Arc<dyn AccountStore>,
    webhooks: Arc<Webhooks>,
}

/// An endpoint to add.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// What people call it.
    pub name: Name,
    /// Where events go.
    pub url: String,
    /// Whether it is for the operator: it gets the operational events of every account.
    pub for_operator: bool,
    /// Only the events of this instance, and those that are of none.
    pub instance: Option<InstanceId>,
    /// Which events.
    pub filter: EventFilter,
    /// What is sent along.
    pub headers: CustomHeaders,
    /// How many may be on their way at once.
    pub in_flight_max: u16,
    /// How fast it may be called.
    pub rate: Option<Rate>,
    /// Whether events are also signed with Ed25519.
    pub ed25519: bool,
    /// Whether its owner must prove to receive there before the first event.
    pub verify: bool,
}

impl NewEndpoint {
    /// An endpoint of the account for these events, with the usual settings.
    pub const fn new(name: Name, url: String, filter: EventFilter) -> Self {
        Self {
            name,
            url,
            for_operator: false,
            instance: None,
            filter,
            headers: CustomHeaders::none(),
            in_flight_max: IN_FLIGHT_DEFAULT,
            rate: None,
            ed25519: false,
            verify: true,
        }
    }
}

/// An endpoint that was just added. Its secret is shown this once.
#[derive(Debug)]
pub struct AddedEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its signing secret.
    pub secret: NewSigningSecret,
}

/// What may be seen of an endpoint's secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningView {
    /// When each former secret that still signs ends, the oldest first.
    pub previous_end_at: Vec<Timestamp>,
    /// The public half of the Ed25519 key, where one signs.
    pub verifying_key: Option<String>,
}

/// What came of a challenge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verification {
    /// The receiver answered with it: events go out.
    Verified(Box<Endpoint>),
    /// It did not; why.
    NotVerified(&'static str),
}

/// Why an endpoint could not be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The destination policy does not allow the URL.
    #[error("{0}")]
    Url(Refusal),
    /// The account has as many as it may have.
    #[error("the account has {} endpoints already", crate::ENDPOINTS_MAX)]
    Full,
    /// There is no such endpoint.
    #[error("there is no such endpoint")]
    Unknown,
    /// Its secret cannot be rotated now.
    #[error("{0}")]
    Rotation(RotationRefusal),
    /// Its secrets cannot be opened.
    #[error("{0}")]
    Sealed(#[from] Unsealable),
    /// The store did not do it.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl AccountEndpoints {
    pub(crate) fn new(account: AccountId, shared: Arc<Shared>, store: Arc<dyn AccountStore>) -> Option<Self> {
        let webhooks = shared.parts.webhooks.clone()?;
        Some(Self { account, shared, store, webhooks })
    }

    /// Adds an endpoint with a new signing secret.
    ///
    /// # Errors
    ///
    /// Where the policy does not allow the URL, where the account has enough, or where the store fails.
    pub async fn add(&self, new: NewEndpoint) -> Result<AddedEndpoint, EndpointError> {
        let destination = self.webhooks.policy().parse(&new.url).map_err(EndpointError::Url)?;
        let (host, now) = (&*self.shared.parts.host, self.now());
        let (id, secret) = (EndpointId::new(now, host), NewSigningSecret::generate(host));
        let mut secrets = EndpointSecrets::new(secret.secret().clone());
        if new.ed25519 {
            secrets = secrets.with_key(SigningKey::generate(host));
        }
        let endpoint = Endpoint {
            id,
            name: new.name,
            url: EndpointUrl::new(&destination),
            for_operator: new.for_operator,
            integration: None,
            instance: new.instance,
            filter: new.filter,
            in_flight_max: new.in_flight_max,
            rate: new.rate,
            secrets: self.seal_secrets(id, &secrets),
            headers: self.seal_headers(id, &new.headers),
            verified_at: (!new.verify).then_some(now),
            pause: None,
            disabled: None,
            health: Health::default(),
            removed_at: None,
            url_since: now,
            revision: 0,
            created_at: now,
        };
        if !self.store.add_endpoint(endpoint.clone()).await? {
            return Err(EndpointError::Full);
        }
        Ok(AddedEndpoint { endpoint, secret })
    }

    /// Gives it another URL; where it is really another, it must be verified again.
    ///
    /// # Errors
    ///
    /// Where the policy does not allow the URL, where there is no such endpoint, or where the store fails.
    pub async fn change_url(&self, id: EndpointId, url: &str) -> Result<Endpoint, EndpointError> {
        let destination = self.webhooks.policy().parse(url).map_err(EndpointError::Url)?;
        let change = EndpointChange { url: Some((EndpointUrl::new(&destination), self.now())), ..EndpointChange::default() };
        self.change(id, change).await
    }

    /// Sends other headers along from now on.
    ///
    /// # Errors
    ///
    /// Where there is no such endpoint, or where the store fails.
    pub async fn change_headers(&self, id: EndpointId, headers: &CustomHeaders) -> Result<Endpoint, EndpointError> {
        self.change(id, EndpointChange { headers: Some(self.seal_headers(id, headers)), ..EndpointChange::default() }).await
    }

    /// Makes a change that needs no secret.
    ///
    /// # Errors
    ///
    /// Where there is no such endpoint, or where the store fails.
    pub async fn change(&self, id: EndpointId, change: EndpointChange) -> Result<Endpoint, EndpointError> {
        self.store.change_endpoint(id, change).await?.ok_or(EndpointError::Unknown)
    }

    /// Makes a new signing secret; the former one goes on signing for `overlap`.
    ///
    /// # Errors
    ///
    /// Where too many former secrets still sign, where there is no such endpoint, or where the store fails.
    pub async fn rotate(&self, id: EndpointId, overlap: Overlap) -> Result<AddedEndpoint, EndpointError> {
        let secret = NewSigningSecret::generate(&*self.shared.parts.host);
        let now = self.now();
        let rotate = |secrets: EndpointSecrets| secrets.rotate(secret.secret().clone(), overlap, now).map_err(EndpointError::Rotation);
        let endpoint = self.change_secrets(id, rotate).await?;
        Ok(AddedEndpoint { endpoint, secret })
    }

    /// Has the new secret sign the contract's header from now on.
    ///
    /// # Errors
    ///
    /// Where there is no such endpoint, or where the store fails.
    pub async fn switch(&self, id: EndpointId) -> Result<Endpoint, EndpointError> {
        let now = self.now();
        self.change_secrets(id, |secrets| Ok(secrets.switch(now))).await
    }

    /// Signs with Ed25519 too, by a new key, or no longer.
    ///
    /// # Errors
    ///
    /// Where there is no such endpoint, or where the store fails.
    pub async fn sign_with_key(&self, id: EndpointId, ed25519: bool) -> Result<Endpoint, EndpointError> {
        let key = ed25519.then(|| SigningKey::generate(&*self.shared.parts.host));
        self.change_secrets(id, |secrets| {
            Ok(match key.clone() {
                Some(key) => secrets.with_key(key),
                None => secrets.without_key(),
            })
        })
        .await
    }

    /// What may be seen of its secrets.
    ///
    /// # Errors
    ///
    /// Where they cannot be opened.
    pub fn signing(&self, endpoint: &Endpoint) -> Result<SigningView, EndpointError> {
        let secrets = open_secrets(self.webhooks.keyring(), self.account, endpoint)?.without_ended(self.now());
        Ok(SigningView {
            previous_end_at: secrets.previous().iter().map(|previous| previous.ends_at).collect(),
            verifying_key: secrets.key().map(|key| key.verifying_key().to_string()),
        })
    }

    /// Asks the receiver to answer with a challenge: who can is the owner, and gets events from then on.
    ///
    /// The challenge goes the way of every event: judged, signed, and bounded in time.
    ///
    /// # Errors
    ///
    /// Where there is no such endpoint, or where the store fails.
    pub async fn verify(&self, id: EndpointId) -> Result<Verification, EndpointError> {
        let endpoint = self.endpoint(id).await?;
        let (host, now) = (&*self.shared.parts.host, self.now());
        let challenge = EventId::new(now, host).to_string();
        let body = format!(r#"{{"event":"{CHALLENGE}","event_id":"{challenge}","occurred_at":"{now}","challenge":"{challenge}"}}"#);
        let deadline = Lease::new(now, self.shared.parts.delivering.event_timeout).deadline;
        let head = EventHead { id: &challenge, event: CHALLENGE, now };
        match self.webhooks.post(self.account, &endpoint, &head, body.into_bytes(), deadline).await {
            Ok(answer) if !(200..300).contains(&answer.status) => Ok(Verification::NotVerified("the receiver answered with an error")),
            Ok(answer) if !holds_challenge(&answer.body, &challenge) => {
                Ok(Verification::NotVerified("the receiver did not answer with the challenge"))
            }
            Ok(_) => {
                let verified = EndpointChange { verified_at: Some(now), if_revision: Some(endpoint.revision), ..EndpointChange::default() };
                Ok(Verification::Verified(Box::new(self.change(id, verified).await?)))
            }
            Err(unsent) => Ok(Verification::NotVerified(why(&unsent))),
        }
    }

    /// Sends a test event, by the way of every event.
    ///
    /// # Errors
    ///
    /// Where there is no such endpoint, or where the store fails.
    pub async fn test(&self, id: EndpointId) -> Result<EventDelivery, EndpointError> {
        let (host, now) = (&*self.shared.parts.host, self.now());
        let fields = TestFields { endpoint_id: id };
        let event = Event::new(EventId::new(now, host), EventName::EndpointTest, None, now, &fields);
        self.store.notify(id, event).await?.ok_or(EndpointError::Unknown)
    }

    /// Delivers something once more.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn replay(
        &self,
        of: DeliveryId,
        by: Actor,
        reason: Option<String>,
        to_changed_url: bool,
    ) -> Result<ReplayAnswer, StoreError> {
        let now = self.now();
        let delivery = DeliveryId::new(now, &*self.shared.parts.host);
        self.store.replay(Replay { of, delivery, by, reason, to_changed_url, now }).await
    }

    /// Begins to deliver again what the endpoint did not take since `since`; `None` where it has a recovery that is not over.
    ///
    /// # Errors
    ///
    /// Where there is no such endpoint, or where the store fails.
    pub async fn recover(
        &self,
        endpoint: EndpointId,
        since: Timestamp,
        by: Actor,
        reason: Option<String>,
        to_changed_url: bool,
    ) -> Result<Option<Recovery>, EndpointError> {
        self.endpoint(endpoint).await?;
        let now = self.now();
        let id = RecoveryId::new(now, &*self.shared.parts.host);
        let recovery = Recovery { id, endpoint, since, until: now, by, reason, to_changed_url, progress: RecoveryProgress::default() };
        Ok(self.store.add_recovery(recovery.clone()).await?.then_some(recovery))
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Endpoint, EndpointError> {
        let found = self.store.endpoint(id).await?;
        found.filter(|endpoint| endpoint.removed_at.is_none()).ok_or(EndpointError::Unknown)
    }

    async fn change_secrets(
        &self,
        id: EndpointId,
        change: impl Fn(EndpointSecrets) -> Result<EndpointSecrets, EndpointError>,
    ) -> Result<Endpoint, EndpointError> {
        for _ in 0..ROUNDS {
            let endpoint = self.endpoint(id).await?;
            let secrets = change(open_secrets(self.webhooks.keyring(), self.account, &endpoint)?)?;
            let sealed = Some(self.seal_secrets(id, &secrets));
            let change = EndpointChange { if_revision: Some(endpoint.revision), secrets: sealed, ..EndpointChange::default() };
            match self.change(id, change).await {
                Err(EndpointError::Store(StoreError::Conflict)) => {}
                answer => return answer,
            }
        }
        Err(EndpointError::Store(StoreError::Conflict))
    }

    fn seal_secrets(&self, id: EndpointId, secrets: &EndpointSecrets) -> Sealed {
        let of = sealed_for(self.account, id, SealedKind::EndpointSecrets);
        self.webhooks.keyring().seal(of, &secrets.to_bytes(), &*self.shared.parts.host)
    }

    fn seal_headers(&self, id: EndpointId, headers: &CustomHeaders) -> Option<SealedHeaders> {
        let names: Vec<String> = headers.names().map(ToString::to_string).collect();
        if names.is_empty() {
            return None;
        }
        // Writing plain data into memory cannot fail.
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(headers).unwrap_or_default());
        let of = sealed_for(self.account, id, SealedKind::EndpointHeaders);
        Some(SealedHeaders { names, sealed: self.webhooks.keyring().seal(of, &plain, &*self.shared.parts.host) })
    }

    fn now(&self) -> Timestamp {
        self.shared.parts.host.now()
    }
}

#[derive(Serialize)]
struct TestFields {
    endpoint_id: EndpointId,
}

/// The challenge as the whole body, or as the member `challenge` of a JSON object.
fn holds_challenge(body: &[u8], challenge: &str) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        challenge: String,
    }
    body.trim_ascii() == challenge.as_bytes() || serde_json::from_slice(body).is_ok_and(|answer: Answer| answer.challenge == challenge)
}

/// What a customer may know of a failure: nothing that tells one forbidden place from another.
fn why(unsent: &Unsent) -> &'static str {
    match unsent {
        Unsent::Url(_) => "the URL is not allowed any more",
        Unsent::Sealed(_) => "the signing secret cannot be read on this host",
        Unsent::Http(failure) => match failure.class {
            HttpFailureClass::Blocked(_) => "the URL leads to an address that is not allowed",
            HttpFailureClass::Timeout => "the receiver did not answer in time",
            HttpFailureClass::Tls => "the receiver's certificate is not acceptable",
            _ => "the receiver cannot be reached",
        },
    }
}
