//! The readable store and the sandbox pass the suites that every store and every transport passes.

mod store {
    use std::sync::Arc;

    use gatepost_memory::MemoryStore;

    gatepost_conformance::store_suite!(|| Arc::new(MemoryStore::new()));
}

/// Every verb finds what the verbs before it did in the rows that are kept of it, and nowhere else.
mod rows {
    use std::sync::Arc;

    use gatepost_memory::MemoryStore;

    gatepost_conformance::store_suite!(|| Arc::new(MemoryStore::on_rows()));
}

mod transport {
    use std::sync::Arc;

    use gatepost::{Host, Timestamp, Transport};
    use gatepost_conformance::TransportHarness;
    use gatepost_memory::{Sandbox, TestHost};

    struct Sandboxes(Arc<TestHost>);

    impl TransportHarness for Sandboxes {
        fn open(&self) -> Arc<dyn Transport> {
            Arc::new(Sandbox::new().with_host(self.0.clone()))
        }

        fn now(&self) -> Timestamp {
            self.0.now()
        }
    }

    gatepost_conformance::transport_suite!(Sandboxes(Arc::new(TestHost::new(7))));
}
