//! 3CX: what phone systems call: the webhook of the public contract, the SMS trunk, the CRM template, and the files that they were posted.
//!
//! A call names an integration and no account. Whoever cannot show to be that phone system learns nothing, not even whether there is such an
//! integration; why they were not let in stands in the operator's log. The players: [`Line`] (an integration with all that a call of it
//! needs), `entry` (its log), `sending` (what may become a message), and a module for each thing that is called.

mod bodies;
pub(super) mod crm;
mod entry;
pub(super) mod files;
mod not_taken;
mod repeats;
mod sending;
pub(super) mod trunk;
pub(super) mod webhook;

pub use files::file_path;

use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
use axum::http::request::Parts;
use gatepost::{
    Account, AccountId, AdapterSettings, Host, InstanceId, Integration, IntegrationId, IntegrationSecrets, Keyring, Name, Plan, Secret,
    StoreError,
};
use gatepost_threecx::webhook::{Gate, NotAdmitted};
use gatepost_threecx::{KeyGate, Settings};

use super::client;
use super::state::App;

/// An integration with all that a call of it needs.
struct Line {
    account: Account,
    integration: Integration,
    settings: Settings,
    secrets: IntegrationSecrets,
    /// Why nothing of it counts now.
    closed: Option<NotAdmitted>,
}

impl Line {
    /// The line of an integration. Where there is none, it is one that nobody can show to be: the same is read, opened and compared for it, so
    /// that the time tells nothing.
    async fn find(app: &App, id: &str) -> Result<Self, StoreError> {
        let (store, decoy) = (app.gateway.store(), &app.decoy);
        let found = store.worker().integration(id.parse().unwrap_or(decoy.integration.id)).await?;
        let found = found.filter(|(_, integration)| integration.removed_at.is_none());
        let closed = match &found {
            None => Some(NotAdmitted::UnknownIntegration),
            Some((_, integration)) => (!integration.enabled).then_some(NotAdmitted::Disabled),
        };
        let (owner, integration) = found.unwrap_or_else(|| (decoy.account.id, decoy.integration.clone()));
        let account = store.account(owner).account().await?.unwrap_or_else(|| decoy.account.clone());
        let (settings, secrets) = (Settings::of(&integration), integration.open_secrets(owner, &app.keyring));
        match (settings, secrets) {
            (Ok(settings), Ok(secrets)) => Ok(Self { account, integration, settings, secrets, closed }),
            (settings, secrets) => {
                // Who is not known must not see that there is one.
                let (settings, secrets) = (settings.err(), secrets.err());
                tracing::error!(account = %owner, integration = ?integration.id, ?settings, ?secrets, "what an integration was given cannot be read");
                let (settings, secrets) = (Settings::default(), IntegrationSecrets::generate(&**app.gateway.host()));
                Ok(Self { account, integration, settings, secrets, closed: Some(NotAdmitted::Unreadable) })
            }
        }
    }

    fn webhook_gate(&self) -> Gate {
        let Settings { allowed_ips, must_be_signed, .. } = &self.settings;
        let gate = Gate::new(self.secrets.webhook.clone()).from_networks(allowed_ips.iter().copied()).signed(*must_be_signed);
        self.closed.into_iter().fold(gate, Gate::closed)
    }

    fn key_gate(&self, key: &Secret) -> KeyGate {
        let gate = KeyGate::new(key.clone()).from_networks(self.settings.allowed_ips.iter().copied());
        self.closed.into_iter().fold(gate, KeyGate::closed)
    }
}

/// The integration of nobody, in an account that does not exist.
pub(super) struct Decoy {
    account: Account,
    integration: Integration,
}

impl Decoy {
    pub(super) fn new(keyring: &Keyring, host: &dyn Host) -> Self {
        let (now, instance) = (host.now(), InstanceId::from_bytes([0; 16]));
        #[expect(clippy::expect_used, reason = "it is a name")]
        let name: Name = "nobody".parse().expect("it is a name");
        let account = Account::new(AccountId::from_bytes([0; 16]), name.clone(), Plan::Starter, now);
        let (id, plain) = (IntegrationId::new(host), IntegrationSecrets::generate(host).to_bytes());
        let integration = Integration {
            id,
            name,
            enabled: false,
            instance,
            settings: AdapterSettings::none(),
            secrets: keyring.seal(Integration::secrets_of(account.id, id), &plain, host),
            endpoint: None,
            revision: 0,
            removed_at: None,
            created_at: now,
        };
        Self { account, integration }
    }
}

/// Where a call comes from. One of nowhere comes from no network that anybody allows.
fn peer(app: &App, parts: &Parts) -> IpAddr {
    client::address(parts, &app.settings.trusted_proxies).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// The one header of this name; none where it comes twice.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

/// Says to the operator why a call was not let in.
fn note_refusal(id: &str, from: IpAddr, what: &'static str, refusal: NotAdmitted) {
    // What is no number is somebody's guess, and may be anything.
    let id: Option<IntegrationId> = id.parse().ok();
    tracing::warn!(integration = id.map(tracing::field::display), address = %from, what, reason = %refusal, "a call of 3CX was not let in");
}
