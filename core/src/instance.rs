//! Instance: one connected WhatsApp number of an account, reached through one provider.
//!
//! What its provider must know of it stands beside it: [`AdapterSettings`], which are no secret, and credentials, which are
//! [`Sealed`]. Both are read by the provider's adapter alone; here they are carried, never understood.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{AccountId, InstanceId, Keyring, Name, Pause, Sealed, SealedFor, SealedKind, Timestamp, Unsealable};

/// The most instances of an account: whatever is done for it reads all of them.
pub const INSTANCES_MAX: usize = 100;

/// One connected WhatsApp number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its name, unique in the account.
    pub name: Name,
    /// Who carries its messages.
    pub provider: Provider,
    /// Whether the provider has it connected; only `open` sends.
    pub connection: Connection,
    /// Set while nothing of it goes out until resumed.
    pub pause: Option<Pause>,
    /// What its provider must know of it and may be seen.
    pub settings: AdapterSettings,
    /// What its provider must know of it and nobody may see: sealed for [`Instance::credentials_of`]. None until somebody gives some.
    pub credentials: Option<Sealed>,
    /// How often it was changed.
    pub revision: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Instance {
    /// An instance that is not connected yet and has nothing for its provider; the sandbox needs neither.
    pub const fn new(id: InstanceId, name: Name, provider: Provider, now: Timestamp) -> Self {
        let connection = match provider {
            Provider::Sandbox => Connection::Open,
            Provider::CloudApi | Provider::Evolution => Connection::Closed,
        };
        let settings = AdapterSettings::none();
        Self { id, name, provider, connection, pause: None, settings, credentials: None, revision: 0, created_at: now }
    }

    /// Where the credentials of an account's instance belong: they open nowhere else.
    pub const fn credentials_of(account: AccountId, id: InstanceId) -> SealedFor {
        SealedFor { account, kind: SealedKind::InstanceCredentials, row: id.to_bytes() }
    }

    /// Its credentials, as its provider's adapter wrote them; `None` where it has none.
    ///
    /// # Errors
    ///
    /// Where `keyring` lacks their root, or they were not sealed for this instance of this account.
    pub fn open_credentials(&self, account: AccountId, keyring: &Keyring) -> Result<Option<Zeroizing<Vec<u8>>>, Unsealable> {
        let open = |sealed| keyring.open(Self::credentials_of(account, self.id), sealed);
        self.credentials.as_ref().map(open).transpose()
    }
}

/// What an adapter must know of an instance, or of an integration, and is no secret: a JSON object whose shape only the adapter knows.
///
/// ```
/// use gatepost::AdapterSettings;
///
/// #[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
/// struct Line {
///     number_id: u64,
/// }
///
/// let settings = AdapterSettings::of(&Line { number_id: 8007 })?;
/// assert_eq!(settings.as_json(), r#"{"number_id":8007}"#);
/// assert_eq!(settings.read(), Ok(Line { number_id: 8007 }));
/// assert!(AdapterSettings::none().read::<Line>().is_err());
/// # Ok::<(), gatepost::InvalidAdapterSettings>(())
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct AdapterSettings(Option<String>);

impl AdapterSettings {
    /// None: the empty object.
    pub const fn none() -> Self {
        Self(None)
    }

    /// These settings.
    ///
    /// # Errors
    ///
    /// Where they are no JSON object.
    pub fn of<T: Serialize>(settings: &T) -> Result<Self, InvalidAdapterSettings> {
        serde_json::to_string(settings).map_err(|_| InvalidAdapterSettings)?.parse()
    }

    /// The settings as the adapter knows them.
    ///
    /// # Errors
    ///
    /// Where they are of another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, InvalidAdapterSettings> {
        serde_json::from_str(self.as_json()).map_err(|_| InvalidAdapterSettings)
    }

    /// The text of the object.
    pub fn as_json(&self) -> &str {
        self.0.as_deref().unwrap_or("{}")
    }
}

impl FromStr for AdapterSettings {
    type Err = InvalidAdapterSettings;

    fn from_str(json: &str) -> Result<Self, InvalidAdapterSettings> {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).map_err(|_| InvalidAdapterSettings)?;
        Ok(Self((!object.is_empty()).then(|| json.to_string())))
    }
}

impl fmt::Debug for AdapterSettings {
    /// Not what they say: they may name the inside of somebody's network.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdapterSettings({} bytes)", self.as_json().len())
    }
}

/// The settings are no JSON object, or one of another shape.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the settings of the adapter as a JSON object")]
pub struct InvalidAdapterSettings;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $invalid:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The word used in requests, answers and rows.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = $invalid;

            fn from_str(word: &str) -> Result<Self, $invalid> {
                match word { $($text => Ok(Self::$variant),)* _ => Err($invalid) }
            }
        }

        /// The word is none of those known.
        #[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
        #[error("expected one of {}", [$(concat!("`", $text, "`")),*].join(", "))]
        pub struct $invalid;
    };
}

words! {
    /// Who carries the messages of an instance.
    Provider, InvalidProvider {
        /// The gateway's own stand-in, for demos and tests.
        Sandbox = "sandbox",
        /// Meta's WhatsApp Cloud API.
        CloudApi = "cloud_api",
        /// Evolution API.
        Evolution = "evolution",
    }
}

words! {
    /// Whether the provider has the number connected.
    Connection, InvalidConnection {
        /// It is connected and may send.
        Open = "open",
        /// It is being connected.
        Connecting = "connecting",
        /// It is not connected.
        Closed = "closed",
    }
}
