//! Integrations: what an account does with its phone systems, through the facade.
//!
//! Secrets are made, sealed and opened here, so that an app only handles the text that is shown once. An integration and the endpoint that
//! stands for it are two rows: what changes both is written to the integration first, and to the endpoint as the integration then says it.

use alloc::sync::Arc;

use crate::gateway::Shared;
use crate::{
    AccountId, AccountStore, Actor, AdapterSettings, Disabled, DisabledBy, Endpoint, EndpointChange, EndpointId, EndpointUrl, Health,
    IN_FLIGHT_DEFAULT, InstanceId, Integration, IntegrationChange, IntegrationId, IntegrationSecret, IntegrationSecrets, Name, Phone,
    PhoneLine, PhoneSystems, Posts, Refusal, Sealed, Secret, StoreError, Timestamp, Unsealable,
};

/// How often a change that met another is made again.
const ROUNDS: usize = 5;
/// How many posts may be on their way to a phone system at once. Those of one conversation go one by one.
const IN_FLIGHT: u16 = IN_FLIGHT_DEFAULT * 4;

/// What an account does with its phone systems.
pub struct AccountIntegrations {
    account: AccountId,
    shared: Arc<Shared>,
    store: Arc<dyn AccountStore>,
    phone_systems: Arc<PhoneSystems>,
}

/// An integration to add.
#[derive(Clone, Debug)]
pub struct NewIntegration {
    /// What people call it.
    pub name: Name,
    /// Whether it counts from the beginning.
    pub enabled: bool,
    /// The instance that its messages go out from, and whose messages it is told.
    pub instance: InstanceId,
    /// What it may do, for the adapter.
    pub settings: AdapterSettings,
}

/// An integration that was just added. Its secrets are shown this once.
#[derive(Debug)]
pub struct AddedIntegration {
    /// The integration.
    pub integration: Integration,
    /// Its secrets.
    pub secrets: IntegrationSecrets,
}

/// Why an integration could not be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum IntegrationError {
    /// The destination policy does not allow the URL.
    #[error("{0}")]
    Url(Refusal),
    /// The account has as many as it may have.
    #[error("the account has {} integrations already", crate::INTEGRATIONS_MAX)]
    Full,
    /// There is no such integration.
    #[error("there is no such integration")]
    Unknown,
    /// Its secrets cannot be opened.
    #[error("{0}")]
    Sealed(#[from] Unsealable),
    /// The store did not do it.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl AccountIntegrations {
    pub(crate) fn new(account: AccountId, shared: Arc<Shared>, store: Arc<dyn AccountStore>) -> Option<Self> {
        let phone_systems = shared.parts.phone_systems.clone()?;
        Some(Self { account, shared, store, phone_systems })
    }

    /// Adds an integration with new secrets.
    ///
    /// # Errors
    ///
    /// Where the account has enough, or where the store fails.
    pub async fn add(&self, new: NewIntegration) -> Result<AddedIntegration, IntegrationError> {
        let host = &*self.shared.parts.host;
        let (id, secrets) = (IntegrationId::new(host), IntegrationSecrets::generate(host));
        let NewIntegration { name, enabled, instance, settings } = new;
        let sealed = self.seal(id, &secrets);
        let created_at = self.now();
        let integration = Integration {
            id,
            name,
            enabled,
            instance,
            settings,
            secrets: sealed,
            endpoint: None,
            revision: 0,
            removed_at: None,
            created_at,
        };
        if !self.store.add_integration(integration.clone()).await? {
            return Err(IntegrationError::Full);
        }
        Ok(AddedIntegration { integration, secrets })
    }

    /// Makes a change that needs no secret. What it is posted is [told](Self::tell) apart.
    ///
    /// # Errors
    ///
    /// Where there is no such integration, or where the store fails.
    pub async fn change(&self, id: IntegrationId, change: IntegrationChange) -> Result<Integration, IntegrationError> {
        self.store.change_integration(id, change).await?.ok_or(IntegrationError::Unknown)
    }

    /// Makes a new secret in place of one; the former one counts no more.
    ///
    /// # Errors
    ///
    /// Where there is no such integration, or where the store fails.
    pub async fn rotate(&self, id: IntegrationId, which: IntegrationSecret) -> Result<(Integration, Secret), IntegrationError> {
        for _ in 0..ROUNDS {
            let present = self.find(id).await?;
            let secrets = present.open_secrets(self.account, self.phone_systems.keyring())?.rotate(which, &*self.shared.parts.host);
            let (if_revision, sealed) = (Some(present.revision), Some(self.seal(id, &secrets)));
            match self.change(id, IntegrationChange { if_revision, secrets: sealed, ..IntegrationChange::default() }).await {
                Err(IntegrationError::Store(StoreError::Conflict)) => {}
                changed => return Ok((changed?, secrets.get(which).clone())),
            }
        }
        Err(IntegrationError::Store(StoreError::Conflict))
    }

    /// Says where the phone system takes what it is posted, or takes that away. Who knows a line's URL may write to agents, so it is not shown
    /// again.
    ///
    /// # Errors
    ///
    /// Where the policy does not allow the URL, where there is no such integration, or where the store fails.
    pub async fn set_line(
        &self,
        id: IntegrationId,
        line: Option<PhoneLine>,
        posts: Posts,
        by: Actor,
    ) -> Result<Integration, IntegrationError> {
        for _ in 0..ROUNDS {
            let integration = self.find(id).await?;
            let set = match (&line, integration.endpoint) {
                (Some(line), None) => self.add_line(integration, line, posts, by).await,
                (Some(line), Some(endpoint)) => self.move_line(integration, endpoint, line, posts, by).await,
                (None, Some(endpoint)) => self.end_line(integration, endpoint).await,
                (None, None) => Ok(integration),
            };
            match set {
                Err(IntegrationError::Store(StoreError::Conflict)) => {}
                set => return set,
            }
        }
        Err(IntegrationError::Store(StoreError::Conflict))
    }

    /// Has the phone system posted this from now on: nothing while the integration is disabled.
    ///
    /// # Errors
    ///
    /// Where the store fails.
    pub async fn tell(&self, integration: &Integration, posts: Posts, by: Actor) -> Result<(), IntegrationError> {
        let Some(endpoint) = integration.endpoint else { return Ok(()) };
        self.store.change_endpoint(endpoint, self.telling(integration, posts, by)).await?;
        Ok(())
    }

    /// The same as [`tell`](Self::tell), as messages to this number of its trunk. The URL stays, and is shown to nobody.
    ///
    /// # Errors
    ///
    /// Where its line cannot be opened, or where the store fails.
    pub async fn renumber(&self, integration: &Integration, number: Phone, posts: Posts, by: Actor) -> Result<(), IntegrationError> {
        let Some(id) = integration.endpoint else { return Ok(()) };
        for _ in 0..ROUNDS {
            let Some(endpoint) = self.store.endpoint(id).await? else { return Ok(()) };
            let line = PhoneLine::open(self.account, id, &endpoint.secrets, self.phone_systems.keyring())?;
            let secrets = (line.number != number).then(|| self.seal_line(id, &PhoneLine { number, ..line }));
            // A line that another one sealed meanwhile stays as they sealed it.
            let if_revision = secrets.is_some().then_some(endpoint.revision);
            let change = EndpointChange { if_revision, secrets, ..self.telling(integration, posts, by) };
            match self.store.change_endpoint(id, change).await {
                Err(StoreError::Conflict) => {}
                changed => return changed.map(drop).map_err(IntegrationError::Store),
            }
        }
        Err(IntegrationError::Store(StoreError::Conflict))
    }

    /// Removes an integration: nothing of it counts any more, and its phone system is posted nothing. It is given as it is then.
    ///
    /// # Errors
    ///
    /// Where there is no such integration, or where the store fails.
    pub async fn remove(&self, id: IntegrationId) -> Result<Integration, IntegrationError> {
        let removed_at = Some(self.now());
        let removed = self.change(id, IntegrationChange { removed_at, ..IntegrationChange::default() }).await?;
        if let Some(endpoint) = removed.endpoint {
            self.store.change_endpoint(endpoint, EndpointChange { removed_at, ..EndpointChange::default() }).await?;
        }
        Ok(removed)
    }

    async fn add_line(&self, integration: Integration, line: &PhoneLine, posts: Posts, by: Actor) -> Result<Integration, IntegrationError> {
        let now = self.now();
        let id = EndpointId::new(now, &*self.shared.parts.host);
        let (url, secrets) = self.sealed_line(id, line)?;
        let endpoint = Endpoint {
            id,
            name: integration.name.clone(),
            url,
            for_operator: false,
            integration: Some(integration.id),
            instance: Some(integration.instance),
            filter: posts.filter(),
            in_flight_max: IN_FLIGHT,
            rate: None,
            secrets,
            headers: None,
            verified_at: Some(now),
            pause: None,
            disabled: self.disabled(&integration, posts, by),
            health: Health::default(),
            removed_at: None,
            url_since: now,
            revision: 0,
            created_at: now,
        };
        if !self.store.add_endpoint(endpoint).await? {
            return Err(IntegrationError::Full);
        }
        let change =
            IntegrationChange { endpoint: Some(Some(id)), if_revision: Some(integration.revision), ..IntegrationChange::default() };
        let changed = self.change(integration.id, change).await;
        if matches!(changed, Err(IntegrationError::Unknown | IntegrationError::Store(StoreError::Conflict))) {
            // Another one stands for it, or it is no more. One that stays behind counts for nothing.
            self.store.change_endpoint(id, EndpointChange { removed_at: Some(now), ..EndpointChange::default() }).await?;
        }
        changed
    }

    async fn move_line(
        &self,
        integration: Integration,
        endpoint: EndpointId,
        line: &PhoneLine,
        posts: Posts,
        by: Actor,
    ) -> Result<Integration, IntegrationError> {
        let (url, secrets) = self.sealed_line(endpoint, line)?;
        // Nobody proves to receive there by an answer: who knows the URL is who gave it.
        let (url, verified_at, secrets) = (Some((url, self.now())), Some(self.now()), Some(secrets));
        let change = EndpointChange { url, verified_at, secrets, ..self.telling(&integration, posts, by) };
        // Where it is no more, somebody took the line away meanwhile.
        let moved = self.store.change_endpoint(endpoint, change).await?;
        moved.map(|_| integration).ok_or(IntegrationError::Store(StoreError::Conflict))
    }

    async fn end_line(&self, integration: Integration, endpoint: EndpointId) -> Result<Integration, IntegrationError> {
        let removed_at = Some(self.now());
        self.store.change_endpoint(endpoint, EndpointChange { removed_at, ..EndpointChange::default() }).await?;
        let if_revision = Some(integration.revision);
        self.change(integration.id, IntegrationChange { endpoint: Some(None), if_revision, ..IntegrationChange::default() }).await
    }

    /// What the endpoint of an integration is told to post.
    fn telling(&self, integration: &Integration, posts: Posts, by: Actor) -> EndpointChange {
        EndpointChange {
            filter: Some(posts.filter()),
            instance: Some(Some(integration.instance)),
            disabled: Some(self.disabled(integration, posts, by)),
            ..EndpointChange::default()
        }
    }

    /// Where the line is, as far as everybody may see, and all of it sealed.
    fn sealed_line(&self, endpoint: EndpointId, line: &PhoneLine) -> Result<(EndpointUrl, Sealed), IntegrationError> {
        let destination = self.phone_systems.policy().parse(line.url.expose()).map_err(IntegrationError::Url)?;
        Ok((EndpointUrl::sealed(&destination), self.seal_line(endpoint, line)))
    }

    fn seal_line(&self, endpoint: EndpointId, line: &PhoneLine) -> Sealed {
        line.seal(self.account, endpoint, self.phone_systems.keyring(), &*self.shared.parts.host)
    }

    fn disabled(&self, integration: &Integration, posts: Posts, by: Actor) -> Option<Disabled> {
        let is_told = integration.enabled && (posts.inbound || posts.receipts);
        (!is_told).then(|| Disabled { since: self.now(), by: DisabledBy::Person { by, note: None } })
    }

    async fn find(&self, id: IntegrationId) -> Result<Integration, IntegrationError> {
        let found = self.store.integration(id).await?;
        found.filter(|integration| integration.removed_at.is_none()).ok_or(IntegrationError::Unknown)
    }

    fn seal(&self, id: IntegrationId, secrets: &IntegrationSecrets) -> Sealed {
        let of = Integration::secrets_of(self.account, id);
        self.phone_systems.keyring().seal(of, &secrets.to_bytes(), &*self.shared.parts.host)
    }

    fn now(&self) -> Timestamp {
        self.shared.parts.host.now()
    }
}
