//! Instance: one connected WhatsApp number of an account, reached through one provider.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InstanceId, Name, Pause, Timestamp};

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
    /// When it was made.
    pub created_at: Timestamp,
}

impl Instance {
    /// An instance that is not connected yet; the sandbox needs no connecting.
    pub const fn new(id: InstanceId, name: Name, provider: Provider, now: Timestamp) -> Self {
        let connection = match provider {
            Provider::Sandbox => Connection::Open,
            Provider::CloudApi | Provider::Evolution => Connection::Closed,
        };
        Self { id, name, provider, connection, pause: None, created_at: now }
    }
}

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
