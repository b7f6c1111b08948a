//! Entry: what a phone system said, in its log: written down before anything is done about it, and concluded after.

use std::sync::Arc;

use gatepost::{
    AccountStore, CallDetails, Conclusion, Entered, EntryKey, EntryOutcome, Host, IntegrationEntryFilter, MessageId, NewIntegrationEntry,
    Page, Phone, StoreError, Timestamp,
};

use super::Line;
use crate::http::state::App;

/// What a phone system said, before it is written down.
pub(super) struct Said {
    pub(super) kind: String,
    pub(super) phone: Option<Phone>,
    pub(super) details: CallDetails,
    /// What tells it from all else that the phone system says.
    pub(super) key: Option<EntryKey>,
    /// Whether it counts against the integration's rate.
    pub(super) is_limited: bool,
    /// Whether customers are told.
    pub(super) is_told: bool,
}

/// An entry that stands in the log, and is to be concluded.
pub(super) struct Entry {
    store: Arc<dyn AccountStore>,
    host: Arc<dyn Host>,
    /// Its place.
    pub(super) id: u64,
}

/// What came of writing it down.
pub(super) enum Written {
    /// It stands in the log.
    New(Entry),
    /// It stood there before.
    Repeated(Entry),
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
    pub(super) async fn write(self, app: &App, line: &Line) -> Result<Written, StoreError> {
        let Self { kind, phone, details, key, is_limited, is_told } = self;
        let (integration, at) = (line.integration.id, app.now());
        let entry = NewIntegrationEntry { integration, kind, phone, details, key, is_limited, is_told, at };
        let (store, host) = (app.gateway.store().account(line.account.id), app.gateway.host().clone());
        match store.enter(entry).await? {
            Entered::New(id) => Ok(Written::New(Entry { store, host, id })),
            Entered::Repeated(id) => Ok(Written::Repeated(Entry { store, host, id })),
            Entered::TooOften(retry_at) => Ok(Written::TooOften(retry_at)),
            // It was removed this moment.
            Entered::Unknown => Err(StoreError::Conflict),
        }
    }
}

impl Entry {
    /// Whether nobody wrote down yet what became of it.
    pub(super) async fn is_open(&self) -> Result<bool, StoreError> {
        let page = Page { after: Some(self.id + 1), limit: 1 };
        let found = self.store.integration_log(IntegrationEntryFilter::default(), page).await?;
        Ok(found.iter().any(|found| found.id == self.id && found.outcome == EntryOutcome::Received))
    }

    /// Writes down what became of it. Where that fails, the entry still says that it came.
    pub(super) async fn conclude(&self, outcome: EntryOutcome, reason: Option<&str>, message: Option<MessageId>) {
        self.conclude_try(outcome, reason, message, true).await;
    }

    /// As that, where the phone system may tell it again: it does so unless it is answered.
    pub(super) async fn conclude_try(&self, outcome: EntryOutcome, reason: Option<&str>, message: Option<MessageId>, is_answered: bool) {
        let conclusion = Conclusion { outcome, reason: reason.map(str::to_owned), message, is_answered, at: self.host.now() };
        if let Err(error) = self.store.conclude(self.id, conclusion).await {
            tracing::error!(entry = self.id, %error, "what became of a call of 3CX could not be written down");
        }
    }
}
