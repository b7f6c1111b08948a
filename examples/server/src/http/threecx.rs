//! 3CX: what phone systems call: the webhook of the public contract, the SMS trunk, the CRM template, and the files that they were posted.
//!
//! A call names an integration and no account. Whoever cannot show to be that phone system learns nothing, not even whether there is such an
//! integration; why they were not let in stands in the operator's log. The players: [`Line`] (an integration with all that a call of it
//! needs), `entry` (its log), `sending` (what may become a message), and a module for each thing that is called.

pub(super) mod crm;
mod entry;
pub(super) mod files;
mod repeats;
mod sending;
pub(super) mod trunk;
pub(super) mod webhook;

pub use files::file_path;

pub(super) use repeats::Repeats;

use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
use axum::http::request::Parts;
use gatepost::{Account, Integration, IntegrationSecrets, Secret, StoreError};
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
}

impl Line {
    /// The line of an integration, if there is one.
    async fn find(app: &App, id: &str) -> Result<Option<Self>, StoreError> {
        let store = app.gateway.store();
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = store.worker().integration(id).await?.filter(|(_, integration)| integration.removed_at.is_none());
        let Some((account, integration)) = found else { return Ok(None) };
        let Some(account) = store.account(account).account().await? else { return Ok(None) };
        let (settings, secrets) = (Settings::of(&integration), integration.open_secrets(account.id, &app.keyring));
        match (settings, secrets) {
            (Ok(settings), Ok(secrets)) => Ok(Some(Self { account, integration, settings, secrets })),
            (settings, secrets) => {
                let (settings, secrets) = (settings.err(), secrets.err());
                tracing::error!(account = %account.id, %id, ?settings, ?secrets, "what an integration was given cannot be read");
                Err(StoreError::Corrupt(String::from("what an integration was given cannot be read")))
            }
        }
    }

    /// Why nothing of it counts now.
    fn closed(&self) -> Option<NotAdmitted> {
        (!self.integration.enabled).then_some(NotAdmitted::Disabled)
    }

    fn key_gate(&self, key: &Secret) -> KeyGate {
        let gate = KeyGate::new(key.clone()).from_networks(self.settings.allowed_ips.iter().copied());
        self.closed().into_iter().fold(gate, KeyGate::closed)
    }
}

/// The gate of the webhook: one that is nowhere lets nobody in, in the same time.
fn webhook_gate(line: Option<&Line>) -> Gate {
    let Some(line) = line else { return Gate::nowhere() };
    let Settings { allowed_ips, must_be_signed, .. } = &line.settings;
    let gate = Gate::new(line.secrets.webhook.clone()).from_networks(allowed_ips.iter().copied()).signed(*must_be_signed);
    line.closed().into_iter().fold(gate, Gate::closed)
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
    let id: Option<gatepost::IntegrationId> = id.parse().ok();
    tracing::warn!(integration = ?id, address = %from, what, reason = %refusal, "a call of 3CX was not let in");
}
