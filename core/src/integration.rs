//! Integration: a 3CX phone system of an account, and the log of what it says and is told.
//!
//! What it may do is in its settings, which the adapter of phone systems reads ([`AdapterSettings`]); what it shows to be genuine is sealed.
//! Where it takes what customers write, an [`Endpoint`](crate::Endpoint) of its own stands for it in the outbox. Everything that comes in or
//! goes out leaves an [`IntegrationEntry`], without what was said.

mod entry;

pub use entry::*;

use core::fmt;
use core::str::FromStr;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use crate::store::set;
use crate::{
    AccountId, AdapterSettings, EndpointId, EventFilter, Host, InstanceId, Keyring, Name, Phone, Rate, Sealed, SealedFor, SealedKind,
    Secret, Timestamp, Unsealable,
};

/// The most integrations of an account.
pub const INTEGRATIONS_MAX: usize = 50;

/// How fast a phone system may tell of events.
pub const INTEGRATION_RATE: Rate = Rate::per_minute(60);

/// Names an [`Integration`]: a number below 2^53, made by the host, because clients of the public contract take it for one.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IntegrationId(u64);

impl IntegrationId {
    const BITS: u32 = 53;

    /// A new id, at random.
    pub fn new(host: &dyn Host) -> Self {
        let mut random = [0; 8];
        host.fill(&mut random);
        Self((u64::from_be_bytes(random) >> (64 - Self::BITS)).max(1))
    }

    /// The id with this number, if it can be one.
    pub const fn from_number(number: u64) -> Option<Self> {
        if number == 0 || number >> Self::BITS != 0 { None } else { Some(Self(number)) }
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The number as the bytes of a row's id.
    pub const fn to_bytes(self) -> [u8; 16] {
        (self.0 as u128).to_be_bytes()
    }
}

impl fmt::Display for IntegrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for IntegrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "integration {}", self.0)
    }
}

impl FromStr for IntegrationId {
    type Err = InvalidIntegrationId;

    fn from_str(text: &str) -> Result<Self, InvalidIntegrationId> {
        // One text for each id: no sign, and no zeros before it.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| is_plain).and_then(Self::from_number).ok_or(InvalidIntegrationId)
    }
}

impl Serialize for IntegrationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IntegrationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The text is not an integration's id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the id of an integration, which is a number")]
pub struct InvalidIntegrationId;

/// A 3CX phone system of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// What people call it.
    pub name: Name,
    /// Whether anything of it counts now.
    pub enabled: bool,
    /// The instance that its messages go out from, and whose messages it is told.
    pub instance: InstanceId,
    /// What it may do, for the adapter.
    pub settings: AdapterSettings,
    /// What it shows to be genuine: [`IntegrationSecrets`], sealed for [`Integration::secrets_of`].
    pub secrets: Sealed,
    /// The endpoint that stands for it in the outbox; none until its URL is known.
    pub endpoint: Option<EndpointId>,
    /// Raised by each change, so that two who change it do not undo each other.
    pub revision: u32,
    /// When it was removed; the log still names it.
    pub removed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Integration {
    /// Where the secrets of an account's integration belong: they open nowhere else.
    pub const fn secrets_of(account: AccountId, id: IntegrationId) -> SealedFor {
        SealedFor { account, kind: SealedKind::IntegrationSecrets, row: id.to_bytes() }
    }

    /// Whether anything of it counts now.
    pub const fn is_on(&self) -> bool {
        self.enabled && self.removed_at.is_none()
    }

    /// What it shows to be genuine.
    ///
    /// # Errors
    ///
    /// Where `keyring` lacks their root, or they were not sealed for this integration of this account.
    pub fn open_secrets(&self, account: AccountId, keyring: &Keyring) -> Result<IntegrationSecrets, Unsealable> {
        let plain = keyring.open(Self::secrets_of(account, self.id), &self.secrets)?;
        let stored: StoredSecrets<StoredSecret<Secret>> = serde_json::from_slice(&plain).map_err(|_| Unsealable::Malformed)?;
        Ok(IntegrationSecrets { webhook: stored.webhook.0, trunk: stored.trunk.0, crm: stored.crm.0 })
    }
}

/// What an integration shows to be genuine. Each is made by the gateway, and shown once.
#[derive(Clone, Debug)]
pub struct IntegrationSecrets {
    /// What calls of the webhook show, and are signed with.
    pub webhook: Secret,
    /// What the SMS trunk shows.
    pub trunk: Secret,
    /// What lookups and reports of the CRM template show.
    pub crm: Secret,
}

/// One of an integration's secrets.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum IntegrationSecret {
    /// Of the CRM template.
    Crm,
    /// Of the SMS trunk.
    Trunk,
    /// Of the webhook.
    Webhook,
}

impl IntegrationSecrets {
    /// Three new ones.
    pub fn generate(host: &dyn Host) -> Self {
        let [webhook, trunk, crm] =
            [IntegrationSecret::Webhook, IntegrationSecret::Trunk, IntegrationSecret::Crm].map(|kind| kind.generate(host));
        Self { webhook, trunk, crm }
    }

    /// One of them.
    pub const fn get(&self, which: IntegrationSecret) -> &Secret {
        match which {
            IntegrationSecret::Crm => &self.crm,
            IntegrationSecret::Trunk => &self.trunk,
            IntegrationSecret::Webhook => &self.webhook,
        }
    }

    /// A new one in place of one of them.
    #[must_use]
    pub fn rotate(mut self, which: IntegrationSecret, host: &dyn Host) -> Self {
        let place = match which {
            IntegrationSecret::Crm => &mut self.crm,
            IntegrationSecret::Trunk => &mut self.trunk,
            IntegrationSecret::Webhook => &mut self.webhook,
        };
        *place = which.generate(host);
        self
    }

    /// Them as they are sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let [webhook, trunk, crm] = [&self.webhook, &self.trunk, &self.crm].map(StoredSecret);
        // Writing plain data into memory cannot fail.
        Zeroizing::new(serde_json::to_vec(&StoredSecrets { webhook, trunk, crm }).unwrap_or_default())
    }
}

impl IntegrationSecret {
    /// 256 bits, in hexadecimal digits behind a few letters that say what they are: for people, and for scanners of leaked secrets.
    fn generate(self, host: &dyn Host) -> Secret {
        let mut random = Zeroizing::new([0; 32]);
        host.fill(&mut *random);
        let letters = match self {
            Self::Crm => "3cxcrm_",
            Self::Trunk => "3cxsms_",
            Self::Webhook => "3cxwhs_",
        };
        Secret::from([letters, &*Zeroizing::new(crate::hex::encode(&*random))].concat())
    }
}

#[derive(Deserialize, Serialize)]
struct StoredSecrets<S> {
    webhook: S,
    trunk: S,
    crm: S,
}

/// A secret as it stands in what is sealed.
struct StoredSecret<S>(S);

impl Serialize for StoredSecret<&Secret> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for StoredSecret<Secret> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::from(text)))
    }
}

/// Where a phone system takes what customers write: its URL is the only thing that keeps others from writing there, so it is a secret.
#[derive(Clone, Debug)]
pub struct PhoneLine {
    /// The URL.
    pub url: Secret,
    /// The number of its trunk: who it takes messages for.
    pub number: Phone,
}

impl PhoneLine {
    /// Where it belongs: it opens nowhere else.
    pub const fn sealed_for(account: AccountId, endpoint: EndpointId) -> SealedFor {
        SealedFor { account, kind: SealedKind::PhoneLine, row: endpoint.to_bytes() }
    }

    /// It as it is kept.
    pub fn seal(&self, account: AccountId, endpoint: EndpointId, keyring: &Keyring, host: &dyn Host) -> Sealed {
        let stored = StoredLine { url: StoredSecret(&self.url), number: self.number };
        // Writing plain data into memory cannot fail.
        let plain = Zeroizing::new(serde_json::to_vec(&stored).unwrap_or_default());
        keyring.seal(Self::sealed_for(account, endpoint), &plain, host)
    }

    /// It as it was kept.
    ///
    /// # Errors
    ///
    /// Where `keyring` lacks its root, or it was not sealed for this endpoint of this account.
    pub fn open(account: AccountId, endpoint: EndpointId, sealed: &Sealed, keyring: &Keyring) -> Result<Self, Unsealable> {
        let plain = keyring.open(Self::sealed_for(account, endpoint), sealed)?;
        let stored: StoredLine<StoredSecret<Secret>> = serde_json::from_slice(&plain).map_err(|_| Unsealable::Malformed)?;
        Ok(Self { url: stored.url.0, number: stored.number })
    }
}

#[derive(Deserialize, Serialize)]
struct StoredLine<S> {
    url: S,
    number: Phone,
}

/// What a phone system is posted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Posts {
    /// What customers write.
    pub inbound: bool,
    /// How far its agents' messages get.
    pub receipts: bool,
}

impl Posts {
    /// The events that are posted; receipts where nothing is. What is read says no more to an agent than that it arrived.
    pub fn filter(self) -> EventFilter {
        const INBOUND: &[&str] = &["message.received"];
        const RECEIPTS: &[&str] = &["message.sent", "message.delivered", "message.failed"];
        let names = [if self.inbound { INBOUND } else { &[] }, if self.receipts || !self.inbound { RECEIPTS } else { &[] }].concat();
        #[expect(clippy::expect_used, reason = "these are names of events")]
        EventFilter::new(names).expect("these are names of events")
    }
}

/// A change to an integration; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IntegrationChange {
    /// Only if it is at this revision.
    pub if_revision: Option<u32>,
    /// A new name.
    pub name: Option<Name>,
    /// Whether anything of it counts from now on.
    pub enabled: Option<bool>,
    /// Another instance.
    pub instance: Option<InstanceId>,
    /// New settings.
    pub settings: Option<AdapterSettings>,
    /// New secrets.
    pub secrets: Option<Sealed>,
    /// The endpoint that stands for it, or none with `Some(None)`.
    pub endpoint: Option<Option<EndpointId>>,
    /// Remove it.
    pub removed_at: Option<Timestamp>,
}

impl IntegrationChange {
    /// Makes the change, and raises the revision.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) where it is not at the revision that the change was made for; it stays as it is then.
    pub fn apply(self, integration: &mut Integration) -> Result<(), crate::StoreError> {
        if self.if_revision.is_some_and(|expected| expected != integration.revision) {
            return Err(crate::StoreError::Conflict);
        }
        set(&mut integration.name, self.name);
        set(&mut integration.enabled, self.enabled);
        set(&mut integration.instance, self.instance);
        set(&mut integration.settings, self.settings);
        set(&mut integration.secrets, self.secrets);
        set(&mut integration.endpoint, self.endpoint);
        set(&mut integration.removed_at, self.removed_at.map(Some));
        integration.revision += 1;
        Ok(())
    }
}
