//! Housekeeping: what happens now and then, beside everything else.

use std::sync::Arc;
use std::time::Duration;

use gatepost::{Gateway, Head, Sealer, StoreError, Timestamp};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{REST, supervise};
use crate::config::RetentionSettings;
use crate::http::App;

/// How old the note of a key's last use may be.
const LAST_USED: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(3_600);
/// How often is looked whether something is to be sealed.
const SEALING: Duration = Duration::from_secs(5);
/// Few enough rows for a commit that nobody waits for long.
const FORGOTTEN_MAX: usize = 500;
/// Leaves the writer to the callers between two batches.
const PAUSE: Duration = Duration::from_millis(100);

/// The jobs.
pub(super) struct Housekeeping {
    jobs: [JoinHandle<()>; 3],
}

impl Housekeeping {
    pub(super) fn begin(gateway: Gateway, app: App, sealer: Sealer, retention: RetentionSettings) -> Self {
        let last_used = supervise("note of last use", REST, move || note_last_use(app.clone()));
        let keeper = Arc::new(Keeper { gateway, sealer });
        let sealing = supervise("sealing", REST, {
            let keeper = keeper.clone();
            move || seal(keeper.clone())
        });
        let retention = supervise("retention", REST, move || forget(keeper.clone(), retention));
        Self { jobs: [last_used, sealing, retention] }
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

/// Who seals what is kept, and forgets what is over.
struct Keeper {
    gateway: Gateway,
    sealer: Sealer,
}

impl Keeper {
    fn now(&self) -> Timestamp {
        self.gateway.host().now()
    }
}

/// Seals the policy events of all accounts.
async fn seal(keeper: Arc<Keeper>) {
    let mut ticks = interval(SEALING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut told, mut told_lost) = (0, 0);
    while let Err(error) = keeper.sealer.learn().await {
        tracing::error!(%error, "could not read where the seals end, and tries again");
        ticks.tick().await;
    }
    loop {
        ticks.tick().await;
        let sealed = seal_all(&keeper).await;
        let lost = keeper.sealer.lost_heads();
        if lost.len() != told_lost {
            lost.iter().for_each(tell_lost);
        }
        told_lost = lost.len();
        match sealed {
            Ok(stuck) => {
                if stuck > 0 && stuck != told {
                    tracing::error!(
                        accounts = stuck,
                        "cannot seal behind a seal that this gateway did not make: `audit verify` tells more"
                    );
                }
                told = stuck;
            }
            Err(error) => tracing::error!(%error, "could not seal policy events, and tries again"),
        }
    }
}

/// The fields are those of a kept head, so that it can be given to `audit verify --head` after a restart too.
fn tell_lost(head: &Head) {
    let Head { account, segment, seq, digest } = head;
    tracing::error!(
        %account, segment, seq, %digest,
        "seals that this gateway made are gone from the database, and it seals nothing in their place: somebody may have changed the log. \
         Keep these figures: `audit verify --head` shows with them what was done"
    );
}

/// Seals until nothing is due; in how many accounts that is not possible.
async fn seal_all(keeper: &Keeper) -> Result<usize, StoreError> {
    loop {
        let turn = keeper.sealer.turn(keeper.now()).await?;
        if !turn.more {
            return Ok(turn.stuck);
        }
        sleep(PAUSE).await;
    }
}

/// Forgets what is older than its retention, at start and then every hour.
async fn forget(keeper: Arc<Keeper>, retention: RetentionSettings) {
    let mut ticks = interval(RETENTION);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match forget_all(&keeper, retention).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "forgot what is older than its retention"),
            Err(error) => tracing::error!(%error, "could not forget what is older than its retention"),
        }
    }
}

async fn forget_all(keeper: &Keeper, retention: RetentionSettings) -> Result<usize, StoreError> {
    let retention = retention.at(keeper.now());
    let store = keeper.gateway.store().worker();
    let events = forget_events(keeper, retention.logs_before).await;
    let mut rows = 0;
    loop {
        match store.retain(retention, FORGOTTEN_MAX).await? {
            // A log that cannot be cut keeps no text.
            0 => return events.map(|events| events + rows),
            more => rows += more,
        }
        sleep(PAUSE).await;
    }
}

/// Forgets policy events, a segment at a time; how many events.
async fn forget_events(keeper: &Keeper, before: Timestamp) -> Result<usize, StoreError> {
    let mut events = 0;
    loop {
        let forgotten = keeper.sealer.forget(before, 1, keeper.now()).await?;
        events += forgotten.events;
        if forgotten.segments == 0 {
            if forgotten.kept > 0 {
                tracing::error!(
                    segments = forgotten.kept,
                    "kept policy events whose seals this gateway did not make: `audit verify` tells more"
                );
            }
            return Ok(events);
        }
        sleep(PAUSE).await;
    }
}
