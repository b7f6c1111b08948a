//! What the account of a scene does with its phone systems, and what those say and are told.

use gatepost::{
    AdapterSettings, CallDetails, Conclusion, Endpoint, EndpointId, Entered, EntryOutcome, Integration, IntegrationChange,
    IntegrationEntry, IntegrationEntryFilter, IntegrationId, IntegrationSecrets, NewIntegrationEntry, Origin, Page, PhoneSystem, Way,
};

use super::account::ALL;
use super::{Scene, name};
use crate::draft::{ALICE, phone};
use crate::world::wait;

/// What a phone system is posted.
pub(crate) const POSTS: &[&str] = &["message.received", "message.sent", "message.delivered", "message.failed"];

impl Scene {
    /// An integration that is not added yet.
    pub(crate) fn an_integration(&self) -> Integration {
        let id = IntegrationId::new(&self.dice);
        let plain = IntegrationSecrets::generate(&self.dice).to_bytes();
        Integration {
            id,
            name: name("reception"),
            enabled: true,
            instance: self.instance,
            settings: r#"{"strict_window":true}"#.parse::<AdapterSettings>().expect("settings"),
            secrets: self.keyring(1).seal(Integration::secrets_of(self.account, id), &plain, &self.dice),
            endpoint: None,
            revision: 0,
            removed_at: None,
            created_at: self.tick(),
        }
    }

    pub(crate) fn add_integration(&self) -> IntegrationId {
        let integration = self.an_integration();
        assert!(wait(self.store().add_integration(integration.clone())), "there is room for an integration");
        integration.id
    }

    #[track_caller]
    pub(crate) fn change_integration(&self, id: IntegrationId, change: IntegrationChange) -> Integration {
        wait(self.store().change_integration(id, change)).expect("the integration is there")
    }

    /// An integration, and the endpoint where its phone system takes what it is posted.
    pub(crate) fn add_phone_system(&self) -> (IntegrationId, EndpointId) {
        let id = self.add_integration();
        let endpoint = self.add_endpoint(self.a_phone_system(id));
        self.change_integration(id, IntegrationChange { endpoint: Some(Some(endpoint)), ..IntegrationChange::default() });
        (id, endpoint)
    }

    /// An endpoint for the phone system of an integration that is not added yet.
    pub(crate) fn a_phone_system(&self, id: IntegrationId) -> Endpoint {
        Endpoint { integration: Some(id), instance: Some(self.instance), ..self.an_endpoint(POSTS) }
    }

    /// Something that a phone system says about Alice.
    pub(crate) fn an_entry(&self, integration: IntegrationId, kind: &str) -> NewIntegrationEntry {
        NewIntegrationEntry {
            integration,
            kind: kind.to_string(),
            phone: Some(phone(ALICE)),
            details: CallDetails { queue: Some("800".to_string()), ..CallDetails::default() },
            key: None,
            is_limited: false,
            is_told: false,
            at: self.tick(),
        }
    }

    pub(crate) fn enter(&self, entry: NewIntegrationEntry) -> Entered {
        wait(self.store().enter(entry))
    }

    /// Writes down something new; its place in the log.
    #[track_caller]
    pub(crate) fn entered(&self, entry: NewIntegrationEntry) -> u64 {
        match self.enter(entry) {
            Entered::New(id) => id,
            other => panic!("expected a new entry, got {other:?}"),
        }
    }

    pub(crate) fn conclude(&self, entry: u64, outcome: EntryOutcome, reason: Option<&str>) -> bool {
        let reason = reason.map(str::to_string);
        wait(self.store().conclude(entry, Conclusion { outcome, reason, message: None, is_answered: true, at: self.tick() }))
    }

    /// The log, oldest first.
    pub(crate) fn log(&self, filter: IntegrationEntryFilter) -> Vec<IntegrationEntry> {
        let mut log = wait(self.store().integration_log(filter, Page::first(ALL)));
        log.reverse();
        log
    }

    /// The log, oldest first, by what each entry is.
    pub(crate) fn logged(&self, filter: IntegrationEntryFilter) -> Vec<String> {
        self.log(filter).into_iter().map(|entry| entry.kind).collect()
    }
}

/// An agent of this phone system asks, by its trunk.
pub(crate) const fn agent(integration: IntegrationId) -> Origin {
    Origin::ThreeCx(PhoneSystem { integration, way: Way::Trunk, strict_window: false })
}

/// A call asks, by the webhook.
pub(crate) const fn call(integration: IntegrationId) -> Origin {
    Origin::ThreeCx(PhoneSystem { integration, way: Way::Webhook, strict_window: false })
}
