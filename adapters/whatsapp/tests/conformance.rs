//! Conformance: both transports run the suite of all transports, against the fakes and over real HTTP.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails its test")]

use std::sync::Arc;

use async_trait::async_trait;
use gatepost::{DestinationPolicy, Host, HttpSend, InstanceId, Secret, Timestamp, Transport};
use gatepost_conformance::TransportHarness;
use gatepost_http::Http;
use gatepost_memory::TestHost;
use gatepost_whatsapp::cloud::CloudApi;
use gatepost_whatsapp::evolution::Evolution;
use gatepost_whatsapp::fake::{FakeEvolution, FakeGraph};
use gatepost_whatsapp::{Accounts, CloudAccount, EvolutionAccount, NoAccount};

/// A provider on this machine, and every instance set up for it.
struct Stage {
    host: Arc<TestHost>,
    http: Arc<Http>,
    graph: FakeGraph,
    evolution: FakeEvolution,
}

impl Stage {
    fn new() -> Self {
        let host = Arc::new(TestHost::new(7));
        let http = Http::builder(DestinationPolicy::development(), host.clone()).build().unwrap();
        let (graph, evolution) = (FakeGraph::start("8007", "9001").unwrap(), FakeEvolution::start("front-desk", "api-key").unwrap());
        Self { host, http: Arc::new(http), graph, evolution }
    }

    fn parts(&self) -> Parts {
        let account = EvolutionAccount {
            base_url: self.evolution.url(),
            api_key: Secret::from("api-key"),
            instance_name: "front-desk".to_owned(),
            jwt_key: Secret::from("jwt-key"),
        };
        (self.http.clone(), DestinationPolicy::development(), Arc::new(Everybody(account)), self.host.clone())
    }
}

/// What a transport is made of.
type Parts = (Arc<dyn HttpSend>, DestinationPolicy, Arc<dyn Accounts>, Arc<dyn Host>);

/// The same settings for all.
struct Everybody(EvolutionAccount);

#[async_trait]
impl Accounts for Everybody {
    async fn cloud(&self, _: InstanceId) -> Result<Arc<CloudAccount>, NoAccount> {
        Ok(Arc::new(CloudAccount::new("8007", "9001", "token")))
    }

    async fn evolution(&self, _: InstanceId) -> Result<Arc<EvolutionAccount>, NoAccount> {
        Ok(Arc::new(self.0.clone()))
    }
}

struct ByCloud(Stage);

impl TransportHarness for ByCloud {
    fn open(&self) -> Arc<dyn Transport> {
        let (http, policy, accounts, host) = self.0.parts();
        Arc::new(CloudApi::new(http, policy, accounts, host).with_graph_url(self.0.graph.url()))
    }

    fn now(&self) -> Timestamp {
        self.0.host.now()
    }
}

struct ByEvolution(Stage);

impl TransportHarness for ByEvolution {
    fn open(&self) -> Arc<dyn Transport> {
        let (http, policy, accounts, host) = self.0.parts();
        Arc::new(Evolution::new(http, policy, accounts, host))
    }

    fn now(&self) -> Timestamp {
        self.0.host.now()
    }
}

mod cloud {
    use super::{ByCloud, Stage};

    gatepost_conformance::transport_suite!(ByCloud(Stage::new()));
}

mod evolution {
    use super::{ByEvolution, Stage};

    gatepost_conformance::transport_suite!(ByEvolution(Stage::new()));
}
