//! Housekeeping: what happens now and then, beside everything else.

use std::time::Duration;

use gatepost::{Gateway, StoreError};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{REST, supervise};
use crate::config::RetentionSettings;
use crate::http::App;

/// How old the note of a key's last use may be.
const LAST_USED: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(3_600);
/// Few enough rows for a commit that nobody waits for long.
const FORGOTTEN_MAX: usize = 500;
/// Leaves the writer to the callers between two batches.
const PAUSE: Duration = Duration::from_millis(100);

/// The jobs.
pub(super) struct Housekeeping {
    jobs: [JoinHandle<()>; 2],
}

impl Housekeeping {
    pub(super) fn begin(gateway: Gateway, app: App, retention: RetentionSettings) -> Self {
        let last_used = supervise("note of last use", REST, move || note_last_use(app.clone()));
        let retention = supervise("retention", REST, move || forget(gateway.clone(), retention));
        Self { jobs: [last_used, retention] }
    }

    pub(super) async fn stop(self) {
        for job in self.jobs {
            job.abort();
            // An aborted job ends with an error that says so.
            let _ = job.await;
        }
    }
}

async fn note_last_use(app: App) {
    let mut ticks = interval(LAST_USED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.flush_last_used().await {
            tracing::error!(%error, "could not note when keys were last used, and tries again");
        }
    }
}

/// Forgets what is older than its retention, at start and then every hour.
async fn forget(gateway: Gateway, retention: RetentionSettings) {
    let mut ticks = interval(RETENTION);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match forget_all(&gateway, retention).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "forgot what is older than its retention"),
            Err(error) => tracing::error!(%error, "could not forget what is older than its retention"),
        }
    }
}

async fn forget_all(gateway: &Gateway, retention: RetentionSettings) -> Result<usize, StoreError> {
    let retention = retention.at(gateway.host().now());
    let store = gateway.store().worker();
    let mut rows = 0;
    loop {
        match store.retain(retention, FORGOTTEN_MAX).await? {
            0 => return Ok(rows),
            more => rows += more,
        }
        sleep(PAUSE).await;
    }
}
