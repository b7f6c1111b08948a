//! Demo: stand-ins of Meta and of Evolution API on this machine, so that a newcomer sees both at work without an account at either.
//!
//! The demo account gets an instance of each. Without the stand-ins these are closed, so that nothing of a demo ever leaves the machine.

use std::io;

use gatepost_whatsapp::fake::{FakeEvolution, FakeGraph};
use serde_json::{Value, json};

use crate::config::{BaseUrl, Settings};

/// What Meta calls the demo's number and its account.
const PHONE_NUMBER_ID: &str = "100000000000001";
const WABA_ID: &str = "200000000000001";
/// What the demo's instance is called at Evolution API.
const INSTANCE_NAME: &str = "gatepost-demo";
/// It opens nothing but a stand-in that listens on loopback.
const API_KEY: &str = "the-key-of-the-demo";

/// The stand-ins. They end when this is dropped.
pub struct Demo {
    graph: FakeGraph,
    evolution: FakeEvolution,
}

/// An instance of the demo account.
pub(crate) struct DemoInstance {
    /// Its name.
    pub(crate) name: &'static str,
    /// Who carries its messages.
    pub(crate) provider: &'static str,
    /// Where its provider's part stands in a body.
    pub(crate) part: &'static str,
    /// The field by which it is known there, and its value.
    pub(crate) mark: (&'static str, &'static str),
}

/// The instances of the demo, beside the one of the sandbox.
pub(crate) const INSTANCES: [DemoInstance; 2] = [
    DemoInstance { name: "demo-cloud", provider: "cloud_api", part: "cloud_api", mark: ("phone_number_id", PHONE_NUMBER_ID) },
    DemoInstance { name: "demo-evolution", provider: "evolution", part: "evolution", mark: ("instance_name", INSTANCE_NAME) },
];

impl Demo {
    /// Starts the stand-ins, each on a free port of loopback.
    ///
    /// # Errors
    ///
    /// Where no port is to be had.
    pub fn start() -> io::Result<Self> {
        Ok(Self { graph: FakeGraph::start(PHONE_NUMBER_ID, WABA_ID)?, evolution: FakeEvolution::start(INSTANCE_NAME, API_KEY)? })
    }

    /// The settings with which messages go to the stand-ins.
    pub fn settings(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        settings.providers.graph_url = BaseUrl::try_from(self.graph.url()).ok();
        settings
    }

    /// What an instance is given for its provider.
    pub(crate) fn gift(&self, instance: &DemoInstance) -> Value {
        match instance.part {
            "cloud_api" => json!({
                "phone_number_id": PHONE_NUMBER_ID, "waba_id": WABA_ID, "access_token": "the-token-of-the-demo",
                "app_secret": "the-app-secret-of-the-demo", "verify_token": "the-verify-token-of-the-demo",
            }),
            _ => json!({"base_url": self.evolution.url(), "instance_name": INSTANCE_NAME, "api_key": API_KEY}),
        }
    }
}

impl DemoInstance {
    /// Whether this is the instance of the demo, and no other with the same name.
    pub(crate) fn is(&self, shown: &Value) -> bool {
        shown["name"] == self.name && shown[self.part][self.mark.0] == self.mark.1
    }
}
