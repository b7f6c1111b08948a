//! Entry: what a phone system said, in its log: written down before anything is done about it, and concluded after.

use std::sync::Arc;

use gatepost::{
    AccountStore, CallDetails, Conclusion, Entered, EntryOutcome, IntegrationId, MessageId, NewIntegrationEntry, Phone, StoreError,
    Timestamp,
};

/// What a phone system said, before it is written down.
pub(super) struct Said {
    pub(super) kind: String,
    pub(super) phone: Option<Phone>,
    pub(super) details: CallDetails,
    /// What tells it from all others of the phone system.
    pub(super) key: Option<[u8; 32]>,
    /// Whether it counts against the integration's rate.
    pub(super) is_limited: bool,
    /// Whether customers are told.
    pub(super) is_told: bool,
}

/// An entry that stands in the log, and is to be concluded.
pub(super) struct Entry {
    pub(super) store: Arc<dyn AccountStore>,
    /// Its place.
    pub(super) id: u64,
}

/// What came of writing it down.
pub(super) enum Written {
    /// It stands in the log.
    New(Entry),
    /// It stood there before.
    Repeated(u64),
    /// It is too much; when there may be more.
    TooOften(Timestamp),
}

impl Said {
    /// Something of this kind, of which nothing more is known.
    pub(super) fn of_kind(kind: &str) -> Self {
        let details = CallDetails::default();
        Self { kind: kind.to_owned(), phone: None, details, key: None, is_limited: false, is_told: false }
    }

    /// Writes it down.
    pub(super) async fn write(
        self,
        store: Arc<dyn AccountStore>,
        integration: IntegrationId,
        at: Timestamp,
    ) -> Result<Written, StoreError> {
        let Self { kind, phone, details, key, is_limited, is_told } = self;
        let entry = NewIntegrationEntry { integration, kind, phone, details, key, is_limited, is_told, at };
        match store.enter(entry).await? {
            Entered::New(id) => Ok(Written::New(Entry { store, id })),
            Entered::Repeated(id) => Ok(Written::Repeated(id)),
            Entered::TooOften(retry_at) => Ok(Written::TooOften(retry_at)),
            // It was removed this moment.
            Entered::Unknown => Err(StoreError::Conflict),
        }
    }
}

impl Entry {
    /// Writes down what became of it. Where that fails, the entry still says that it came.
    pub(super) async fn conclude(&self, outcome: EntryOutcome, reason: Option<&str>, message: Option<MessageId>) {
        let conclusion = Conclusion { outcome, reason: reason.map(str::to_owned), message };
        if let Err(error) = self.store.conclude(self.id, conclusion).await {
            tracing::error!(entry = self.id, %error, "what became of a call of 3CX could not be written down");
        }
    }
}
