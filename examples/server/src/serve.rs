//! Serve: the gateway as a running server, from the open port to the last commit.
//!
//! The players: `connections` (HTTP), `delivering` (the worker), `housekeeping` (what happens now and then), [`Server`] (the three of
//! them over one store). They end in the order in which they need each other: no new requests, the requests under way, the sends under
//! way, what is still in memory.

mod connections;
mod delivering;
mod housekeeping;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use gatepost::Gateway;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::bootstrap::{self, Notice};
use crate::config::{Mode, Settings};
use crate::data_folder::{DataFolder, Opened};
use crate::demo::Demo;
use crate::http::{self, App, HttpSettings, Surface};
use crate::providers::Providers;
use crate::{Failure, console, logging, phone_systems, webhooks};
use connections::Connections;
use delivering::Deliveries;
use housekeeping::Housekeeping;

/// How long a store may take to close after the server has stopped.
const CLOSING: Duration = Duration::from_secs(10);
/// How long a loop rests after a panic: what made it panic may pass.
const REST: Duration = Duration::from_secs(1);

/// Serves until a signal ends it: `SIGTERM` or `SIGINT` lets everything under way come to its end, a second one does not wait.
pub fn run(settings: &Settings, extras: &Extras<'_>) -> Result<(), Failure> {
    logging::start(&settings.log);
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::Unavailable(error.to_string()))?;
    let served = runtime.block_on(serve(settings, extras));
    runtime.shutdown_timeout(CLOSING);
    served
}

/// What a start does beside serving, in development.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// Leave keys for scripts in this file.
    pub bootstrap: Option<&'a Path>,
    /// Start stand-ins of the providers of WhatsApp.
    pub demo: bool,
}

impl Extras<'_> {
    fn refuse_in(&self, mode: Mode) -> Result<(), Failure> {
        let asked = [(self.bootstrap.is_some(), "--bootstrap"), (self.demo, "--demo")];
        match asked.iter().find(|(is_asked, _)| *is_asked && mode == Mode::Production) {
            Some((_, flag)) => {
                Err(Failure::Usage(format!("`{flag}`: expected `mode` to be `development`; production has no demo account")))
            }
            None => Ok(()),
        }
    }
}

async fn serve(settings: &Settings, extras: &Extras<'_>) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::Unavailable(error.to_string()))?;
    let (server, notice) = Server::start(settings, extras).await?;
    if let Some(notice) = notice {
        console::say(notice.reveal());
    }
    console::tell(format_args!("listening on http://{}", server.address()));
    signals.next().await;
    tracing::info!("stopping: what is under way comes to its end");
    tokio::select! {
        () = server.stop() => tracing::info!("stopped"),
        () = signals.next() => tracing::warn!("stopped at once, by a second signal"),
    }
    Ok(())
}

/// A gateway that serves.
pub struct Server {
    address: SocketAddr,
    app: App,
    connections: Connections,
    deliveries: Deliveries,
    housekeeping: Housekeeping,
    /// Stand-ins, for as long as messages may go there.
    _demo: Option<Demo>,
}

impl Server {
    /// Opens the data folder and the port, and serves; what is to be shown to whoever started it, once. In development an empty
    /// gateway gets the demo account first.
    pub async fn start(settings: &Settings, extras: &Extras<'_>) -> Result<(Self, Option<Notice>), Failure> {
        extras.refuse_in(settings.mode)?;
        let mut demo = extras.demo.then(Demo::start).transpose().map_err(|error| Failure::Unavailable(format!("`--demo`: {error}")))?;
        let with_demo = demo.as_ref().map(|demo| demo.settings(settings));
        let settings = with_demo.as_ref().unwrap_or(settings);
        let opened = DataFolder::of(settings).make().await?;
        let listener = listen(settings.listen).await?;
        let address = listener.local_addr().map_err(|error| cannot_listen(settings.listen, &error))?;
        let (gateway, providers) = opened.gateway(settings, address)?;
        let app = app(&opened, (gateway.clone(), providers), settings, address)?;
        tell_start(settings, &opened);
        tell_destinations(&app);
        let router = http::router(app.clone());
        let notice = bootstrap::prepare(&router, settings, address, extras.bootstrap).await?;
        let instances = bootstrap::heed_demo(&router, demo.as_ref()).await?;
        let server = Self {
            address,
            connections: Connections::serve(listener, Surface::new(app.clone()), settings.http.connections_max.get() as usize),
            deliveries: Deliveries::begin(gateway.clone(), app.clone(), settings.delivering()),
            housekeeping: Housekeeping::begin(gateway, app.clone(), opened.sealer(), settings.retention),
            app,
            _demo: None,
        };
        if let Some(demo) = &mut demo {
            demo.live(address, instances).map_err(|error| Failure::Unavailable(format!("`--demo`: {error}")))?;
        }
        Ok((Self { _demo: demo, ..server }, notice))
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets everything under way come to its end, as long as it may take.
    pub async fn stop(self) {
        self.app.drain();
        self.connections.stop().await;
        self.deliveries.stop().await;
        self.housekeeping.stop().await;
        if let Err(error) = self.app.flush_last_used().await {
            tracing::error!(%error, "could not note when keys were last used");
        }
    }
}

/// Tells the log what this host works with.
fn tell_start(settings: &Settings, opened: &Opened) {
    let database = if settings.database.url.is_some() { "postgres" } else { "sqlite" };
    let (version, mode, root) = (env!("CARGO_PKG_VERSION"), settings.mode, opened.keyring.present().0);
    tracing::info!(version, ?mode, database, root, "started");
}

/// The HTTP side of a gateway that listens, or would, at `address`.
pub(crate) fn app(
    opened: &Opened,
    (gateway, providers): (Gateway, Providers),
    settings: &Settings,
    address: SocketAddr,
) -> Result<App, Failure> {
    let http = HttpSettings {
        trusted_proxies: settings.trusted_proxies.clone(),
        destinations: webhooks::policy(settings)?,
        phone_systems: phone_systems::policy(settings)?,
        public_url: settings.public_url_at(address),
        call_timeout: settings.delivering().send_timeout,
        verifies_endpoints: settings.webhooks.verify,
        ..HttpSettings::default()
    };
    Ok(App::new(gateway, providers, opened.keyring.clone(), settings.brand.value().clone(), http))
}

/// Says at the start where events may go, and where providers may be.
fn tell_destinations(app: &App) {
    let policy = &app.providers.policy;
    tracing::info!(%policy, "where providers may be");
    for warning in policy.warnings() {
        tracing::warn!("`providers.allow`: {}", warning.trim_start_matches("`allow`: "));
    }
    let policy = &app.settings.phone_systems;
    tracing::info!(%policy, "where phone systems may be");
    for warning in policy.warnings() {
        tracing::warn!("`threecx.allow`: {}", warning.trim_start_matches("`allow`: "));
    }
    let policy = &app.settings.destinations;
    tracing::info!(%policy, generation = policy.generation(), "where events may go");
    for warning in policy.warnings() {
        tracing::warn!("`destinations.allow`: {}", warning.trim_start_matches("`allow`: "));
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    Failure::Unavailable(format!("cannot listen on {address}: {error}"))
}

/// Runs a loop that ends only when it is done: after a panic it rests, and begins anew.
fn supervise<F, L>(name: &'static str, rest: Duration, begin: F) -> JoinHandle<()>
where
    F: Fn() -> L + Send + 'static,
    L: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        // A set, so that the loop ends with its supervisor.
        let mut running = JoinSet::new();
        running.spawn(begin());
        while let Some(Err(_panic)) = running.join_next().await {
            tracing::error!(name, "panicked, and begins anew");
            sleep(rest).await;
            running.spawn(begin());
        }
    })
}

/// The signals that end a server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_loop_that_panics_begins_anew_until_it_is_done() {
        let begun = Arc::new(AtomicU8::new(0));
        let count = begun.clone();
        let begin = move || {
            let time = count.fetch_add(1, Ordering::SeqCst);
            async move { assert!(time == 2, "too early") }
        };
        supervise("a test", Duration::ZERO, begin).await.unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }
}
