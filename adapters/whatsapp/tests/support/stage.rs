//! Stage: a transport between a fake and a clock that is set by hand, over real HTTP.

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use gatepost::{Content, DestinationPolicy, Host, HttpSend, Outcome, Timestamp, Transport};
use gatepost_http::Http;
use gatepost_memory::TestHost;
use gatepost_whatsapp::cloud::CloudApi;
use gatepost_whatsapp::evolution::Evolution;
use gatepost_whatsapp::fake::{FakeEvolution, FakeGraph};

use super::{Settings, parcel};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    pub(crate) http: Arc<Http>,
    pub(crate) host: Arc<TestHost>,
    pub(crate) policy: DestinationPolicy,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let (host, policy) = (Arc::new(TestHost::new(7)), DestinationPolicy::development());
        let http = Arc::new(Http::builder(policy.clone(), host.clone()).build().unwrap());
        Self { http, host, policy }
    }

    pub(crate) fn http(&self) -> Arc<dyn HttpSend> {
        self.http.clone()
    }

    pub(crate) fn cloud(&self, graph: &FakeGraph) -> CloudApi {
        CloudApi::new(self.http(), self.policy.clone(), Arc::new(Settings::default()), self.host.clone()).with_graph_url(graph.url())
    }

    pub(crate) fn evolution(&self, fake: &FakeEvolution) -> Evolution {
        let mut settings = Settings::default();
        settings.evolution.base_url = fake.url();
        Evolution::new(self.http(), self.policy.clone(), Arc::new(settings), self.host.clone())
    }

    pub(crate) fn deadline(&self, span: Duration) -> Timestamp {
        self.host.now().plus(span)
    }

    pub(crate) fn send(&self, transport: &impl Transport, content: Content) -> Outcome {
        block_on(transport.send(parcel(content), self.deadline(PATIENCE)))
    }
}

pub(crate) fn graph() -> FakeGraph {
    FakeGraph::start("800700600500401", "900100200300401").unwrap()
}

pub(crate) fn fake_evolution() -> FakeEvolution {
    FakeEvolution::start("acme-main", "EVO-SYNTHETIC-KEY").unwrap()
}
