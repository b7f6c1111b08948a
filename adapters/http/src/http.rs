//! Http: everything that leaves by HTTP, behind one handle.
//!
//! The players: [`Http`] (the handle), [`HttpBuilder`] (its settings).

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gatepost::{Destination, DestinationPolicy, Host, HttpAnswer, HttpFailure, HttpRequest, HttpSend, Timestamp};

use crate::connection::{Dial, Direct, Doors};
use crate::courier::Courier;
use crate::crew::Crew;
use crate::job::{Job, Reply, Task, lost};
use crate::kept::Kept;
use crate::lookup::{Lookups, Resolver, SystemResolver};
use crate::tls::{InvalidRoots, client_config};

/// A deadline further away than this is as good as none, and none is not to be had.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Sends requests over HTTP, to judged addresses only. It is cheap to clone; its threads end with the last clone.
#[derive(Clone)]
pub struct Http {
    host: Arc<dyn Host>,
    crew: Arc<Owned>,
}

impl Http {
    /// Settings to build one from: the policy that judges, and the clock.
    pub fn builder(policy: DestinationPolicy, host: Arc<dyn Host>) -> HttpBuilder {
        HttpBuilder {
            policy,
            host,
            resolver: Arc::new(SystemResolver),
            dialer: Arc::new(Direct),
            roots: Vec::new(),
            threads: 512,
            waiting: 1_024,
            lookups: 64,
            connect_limit: Duration::from_secs(5),
            kept_per_origin: 64,
            kept_in_all: 512,
        }
    }

    /// The policy that judges.
    pub fn policy(&self) -> Arc<DestinationPolicy> {
        self.crew.0.courier().policy()
    }

    /// Has another policy judge from now on. What is on its way goes on under the former one.
    pub fn set_policy(&self, policy: DestinationPolicy) {
        self.crew.0.courier().set_policy(policy);
    }

    /// Whether a request to `destination` would be let out now: resolves and judges exactly as [`send`](HttpSend::send) does, and
    /// opens no connection. The verdict is for whoever typed the URL; it stands for no later request.
    pub async fn check(&self, destination: &Destination, deadline: Timestamp) -> Result<(), HttpFailure> {
        let (reply, answer) = Reply::pair();
        self.submit(Task::Check(destination.clone(), reply), deadline);
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    fn submit(&self, task: Task, deadline: Timestamp) {
        let left = deadline.since(self.host.now()).min(LONGEST);
        self.crew.0.submit(Job { task, until: Instant::now() + left });
    }
}

#[async_trait]
impl HttpSend for Http {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFailure> {
        let (began, deadline) = (Instant::now(), request.deadline);
        let (reply, answer) = Reply::pair();
        self.submit(Task::Send(Box::new(request), reply), deadline);
        let mut result = answer.await.unwrap_or_else(|_| Err(lost()));
        let trace = result.as_mut().map_or_else(|failure| &mut failure.trace, |answer| &mut answer.trace);
        trace.took = began.elapsed();
        result
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("policy", &self.policy()).finish_non_exhaustive()
    }
}

/// The crew, which leaves with the last handle.
struct Owned(Arc<Crew>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Settings of an [`Http`].
pub struct HttpBuilder {
    policy: DestinationPolicy,
    host: Arc<dyn Host>,
    resolver: Arc<dyn Resolver>,
    dialer: Arc<dyn Dial>,
    roots: Vec<Vec<u8>>,
    threads: usize,
    waiting: usize,
    lookups: usize,
    connect_limit: Duration,
    kept_per_origin: usize,
    kept_in_all: usize,
}

impl HttpBuilder {
    /// At most this many requests on their way at once; 512 by default. Threads are started as slow receivers make them needed.
    pub fn threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// At most this many requests that wait for a thread; 1,024 by default. One more fails as overloaded.
    pub fn waiting(self, waiting: usize) -> Self {
        Self { waiting, ..self }
    }

    /// At most this many names being looked up at once; 64 by default. One more fails as overloaded.
    pub fn lookups(self, lookups: usize) -> Self {
        Self { lookups, ..self }
    }

    /// How long connecting may take, with the TLS handshake; 5 seconds by default.
    pub fn connect_timeout(self, connect_limit: Duration) -> Self {
        Self { connect_limit, ..self }
    }

    /// At most this many idle connections to one scheme, host and port, and in all; 64 and 512 by default. None at all is allowed.
    pub fn kept_connections(self, per_origin: usize, in_all: usize) -> Self {
        Self { kept_per_origin: per_origin, kept_in_all: in_all, ..self }
    }

    /// Who is asked for the addresses of names; the operating system by default.
    pub fn resolver(self, resolver: impl Resolver) -> Self {
        Self { resolver: Arc::new(resolver), ..self }
    }

    /// Certificates of authorities, in PEM, that are believed beside those compiled in.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Builds it. No thread is started yet.
    pub fn build(self) -> Result<Http, InvalidRoots> {
        let doors = Doors { dialer: self.dialer, tls: client_config(&self.roots)?, connect_limit: self.connect_limit };
        let courier = Courier {
            host: self.host.clone(),
            policy: RwLock::new(Arc::new(self.policy)),
            lookups: Lookups::new(self.resolver, self.lookups),
            kept: Kept::new(self.kept_per_origin, self.kept_in_all),
            doors,
        };
        let crew = Crew::new(Arc::new(courier), self.threads, self.waiting);
        Ok(Http { host: self.host, crew: Arc::new(Owned(crew)) })
    }

    /// Where the tests reroute public addresses to a receiver of their own, so that the policy stays the strict one.
    #[cfg(test)]
    pub(crate) fn dialer(self, dialer: impl Dial + 'static) -> Self {
        Self { dialer: Arc::new(dialer), ..self }
    }
}

impl fmt::Debug for HttpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, threads, waiting, lookups, connect_limit, .. } = self;
        let mut shown = f.debug_struct("HttpBuilder");
        shown.field("policy", policy).field("threads", threads).field("waiting", waiting).field("lookups", lookups);
        shown.field("connect_limit", connect_limit).finish_non_exhaustive()
    }
}
