//! Identity: who calls, once a key was accepted.

use gatepost::{AccountId, Actor, ApiKey, KeyId, KeyOwner, Mode, Scope, Scopes};

/// Who calls.
///
/// The command line in its local mode puts [`Identity::Operator`] into the extensions of its requests; nobody can do that from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Identity {
    /// Somebody with an account's key.
    Account {
        /// Whose key it is.
        account: AccountId,
        /// Whether what is sent with it is real.
        mode: Mode,
        /// Which key.
        key: KeyId,
        /// What it may do.
        scopes: Scopes,
    },
    /// Who runs the gateway.
    Operator {
        /// Which key; none at the command line.
        key: Option<KeyId>,
    },
}

impl Identity {
    /// The one who holds `key`.
    pub(super) const fn of(key: &ApiKey) -> Self {
        match key.owner {
            KeyOwner::Account(account, mode) => Self::Account { account, mode, key: key.id, scopes: key.scopes },
            KeyOwner::Operator => Self::Operator { key: Some(key.id) },
        }
    }

    /// How a record names them.
    pub(super) fn actor(self) -> Actor {
        match self {
            Self::Account { key, .. } => Actor::Key(key),
            Self::Operator { key } => key.map_or(Actor::App, Actor::Key),
        }
    }

    /// Whether they run the gateway.
    pub(super) const fn is_operator(self) -> bool {
        matches!(self, Self::Operator { .. })
    }

    /// Whether they may do what `scope` names: operators may do everything.
    pub(super) const fn may(self, scope: Scope) -> bool {
        match self {
            Self::Account { scopes, .. } => scopes.contains(scope),
            Self::Operator { .. } => true,
        }
    }
}
