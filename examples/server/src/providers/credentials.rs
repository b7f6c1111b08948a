//! Credentials: how what a provider asks for is kept with its instance: settings in the open, everything else sealed.

use std::fmt;
use std::sync::Arc;

use gatepost::{AccountId, Host, Instance, InstanceChange, InstanceId, Keyring, Provider, Unsealable};
use gatepost_whatsapp::{CloudAccount, EvolutionAccount, MalformedAccount};

/// Seals and opens what providers ask for.
pub struct Credentials {
    keyring: Keyring,
    host: Arc<dyn Host>,
}

/// What an instance needs for its provider.
#[derive(Clone, Debug)]
pub enum Account {
    /// Of the Cloud API.
    Cloud(Arc<CloudAccount>),
    /// Of Evolution API.
    Evolution(Arc<EvolutionAccount>),
}

impl Credentials {
    /// Seals with `keyring`.
    pub fn new(keyring: Keyring, host: Arc<dyn Host>) -> Self {
        Self { keyring, host }
    }

    /// The change that gives an instance what its provider asks for.
    pub fn change(&self, owner: AccountId, id: InstanceId, account: &Account) -> InstanceChange {
        let (settings, plain) = match account {
            Account::Cloud(account) => (account.settings(), account.credentials()),
            Account::Evolution(account) => (account.settings(), account.credentials()),
        };
        let credentials = self.keyring.seal(Instance::credentials_of(owner, id), &plain, &*self.host);
        InstanceChange { settings: Some(settings), credentials: Some(credentials), ..InstanceChange::default() }
    }

    /// What was given to an instance; `None` while nothing was.
    ///
    /// # Errors
    ///
    /// Where the keyring does not open it, or it is not what it should be.
    pub fn read(&self, owner: AccountId, instance: &Instance) -> Result<Option<Account>, Unreadable> {
        let Some(plain) = instance.open_credentials(owner, &self.keyring)? else { return Ok(None) };
        Ok(match instance.provider {
            Provider::Sandbox => None,
            Provider::CloudApi => Some(Account::Cloud(Arc::new(CloudAccount::from_halves(&instance.settings, &plain)?))),
            Provider::Evolution => Some(Account::Evolution(Arc::new(EvolutionAccount::from_halves(&instance.settings, &plain)?))),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

/// What was given to an instance cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// It cannot be opened.
    #[error(transparent)]
    Sealed(#[from] Unsealable),
    /// It is not what it should be.
    #[error(transparent)]
    Malformed(#[from] MalformedAccount),
}
