//! Promises: what must hold at each step, and what must be possible. They speak of what really happened, and take no number from the
//! core: the schedules stand here once more.

use std::time::Duration;

use gatepost::{Channel, Delivery, DisabledBy, Ending, EventId, State, Step, Timestamp};

use crate::action::{Action, Change, Commit, Fate};
use crate::world::{Cargo, Grip, Hand, Row, World};

const MESSAGE_WAITS_SECONDS: [u64; 5] = [5, 30, 120, 600, 1_800];
const EVENT_WAITS_SECONDS: [u64; 8] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000];
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How many tries there are.
const fn tries_max(channel: Channel) -> u8 {
    match channel {
        Channel::Message => 6,
        Channel::Event => 9,
    }
}

/// How long it is worth trying.
const fn worth(channel: Channel) -> Duration {
    match channel {
        Channel::Message => DAY,
        Channel::Event => Duration::from_secs(30 * 24 * 3_600),
    }
}

/// The least wait after so many tries, the last of which ended so.
pub(crate) fn wait_after(channel: Channel, tries: u8, fate: Fate) -> Duration {
    let place = usize::from(tries).wrapping_sub(1);
    let seconds = match channel {
        Channel::Event if fate == Fate::Throttled => 60,
        Channel::Event => EVENT_WAITS_SECONDS.get(place).copied().unwrap_or(0),
        Channel::Message => MESSAGE_WAITS_SECONDS.get(place).copied().unwrap_or(0),
    };
    Duration::from_secs(seconds).max(fate.asks().unwrap_or_default())
}

/// One step.
pub(crate) struct Seen<'a> {
    pub(crate) before: &'a World,
    pub(crate) action: Action,
    pub(crate) after: &'a World,
}

/// A name, and whether it holds of what was seen.
pub(crate) type Property = (&'static str, fn(&Seen<'_>) -> bool);

/// What must hold at each step, by the number of the promise.
pub(crate) const ALWAYS: &[Property] = &[
    ("15 fenced", is_fenced),
    ("15 one open attempt", has_one_open_attempt),
    ("15 no byte without the lease", is_leased),
    ("2 once", is_once),
    ("3 suppressed", is_unsuppressed),
    ("4 within quota", is_within_quota),
    ("4 no charge returned for what arrived", is_charge_fair),
    ("5 logged before", is_logged_before),
    ("5 logged after", is_logged_after),
    ("6 no blind second send", is_sent_once),
    ("6 a report is the end", is_report_heeded),
    ("6 at least once", is_tried_until_spent),
    ("6 same event id", has_same_id),
    ("7 no try too many", is_within_budget),
    ("7 no try too soon", is_spaced),
    ("7 no try too late", is_in_time),
    ("paused is held", is_unpaused),
    ("an endpoint's state is kept", is_open_for_events),
    ("history stays where it was", is_history_kept),
];

impl Seen<'_> {
    /// The deliveries of which an attempt begins here.
    fn begun(&self) -> impl Iterator<Item = &Row> {
        let was_started = |at: usize| self.before.rows.deliveries.get(at).is_some_and(Row::is_started);
        let rows = self.after.rows.deliveries.iter().enumerate();
        rows.filter(move |(at, row)| row.is_started() && !was_started(*at)).map(|(_, row)| row)
    }

    /// The deliveries that end here, and how.
    fn ended(&self) -> impl Iterator<Item = (&Row, Ending)> {
        let pairs = self.before.rows.deliveries.iter().zip(&self.after.rows.deliveries);
        pairs.filter_map(|(before, after)| match after.step {
            Step::Ends(ending) if before.open().is_some() => Some((after, ending)),
            _ => None,
        })
    }

    /// The delivery that bytes leave for, under which fence, as which attempt and under which event id.
    fn sent(&self) -> Option<(&Row, Grip, u16, Option<EventId>)> {
        match self.action {
            Action::Send { host, fate } if fate != Fate::TooLate => match self.before.hosts[host] {
                Hand::Started { grip, attempt, id, .. } => Some((&self.before.rows.deliveries[grip.row], grip, attempt, id)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The host that acts, and its time.
    fn clock(&self) -> Timestamp {
        match self.action {
            Action::Ask { at_once: Some(host), .. }
            | Action::Claim { host, .. }
            | Action::Start { host, .. }
            | Action::Take { host, .. }
            | Action::Finish { host, .. }
            | Action::Sweep { host, .. } => self.before.clock(host),
            _ => self.before.now,
        }
    }
}

/// Whoever asks under one key within a day gets one message.
fn is_once(seen: &Seen<'_>) -> bool {
    let keyed = |row: &&Row| matches!(row.cargo, Cargo::Message { keyed: true, .. });
    let mut times: Vec<Timestamp> = seen.after.rows.deliveries.iter().filter(keyed).map(|row| row.since).collect();
    times.sort_unstable();
    times.windows(2).all(|pair| pair[1].since(pair[0]) >= DAY)
}

fn is_unsuppressed(seen: &Seen<'_>) -> bool {
    !seen.before.rows.suppressed || seen.begun().all(|row| row.channel() != Channel::Message)
}

fn is_unpaused(seen: &Seen<'_>) -> bool {
    !seen.before.rows.paused || seen.begun().all(|row| row.channel() != Channel::Message)
}

fn is_open_for_events(seen: &Seen<'_>) -> bool {
    let endpoint = &seen.before.rows.site.0;
    let is_closed =
        endpoint.pause.is_some() || endpoint.disabled.is_some() || endpoint.removed_at.is_some() || endpoint.verified_at.is_none();
    !is_closed || seen.begun().all(|row| row.channel() != Channel::Event)
}

/// The messages that hold a charge of a day are as many as were counted, and no more than the limit.
fn is_within_quota(seen: &Seen<'_>) -> bool {
    let holds = |day| move |row: &&Row| matches!(row.cargo, Cargo::Message { charge: Some(window), .. } if window == day);
    let held = |day| seen.after.rows.deliveries.iter().filter(holds(day)).count() as u64;
    seen.after.rows.charged.iter().all(|(day, charged)| held(*day) == *charged && *charged <= seen.after.rows.per_day)
}

fn is_charge_fair(seen: &Seen<'_>) -> bool {
    seen.ended().all(|(row, _)| !matches!(row.cargo, Cargo::Message { charge: None, .. }) || row.truth.arrived == 0)
}

/// Bytes leave for an attempt that stands in the log.
fn is_logged_before(seen: &Seen<'_>) -> bool {
    seen.sent().is_none_or(|(row, _, attempt, _)| row.attempts.is_written(attempt))
}

/// An attempt without an outcome is one that is under way.
fn is_logged_after(seen: &Seen<'_>) -> bool {
    seen.after.rows.deliveries.iter().all(|row| row.is_started() || row.attempts.open_count() == 0)
}

fn has_one_open_attempt(seen: &Seen<'_>) -> bool {
    seen.after.rows.deliveries.iter().all(|row| row.attempts.open_count() <= 1)
}

/// What a host does under an old fence changes nothing.
fn is_fenced(seen: &Seen<'_>) -> bool {
    let (Action::Start { host, .. } | Action::Finish { host, .. } | Action::GiveBack { host }) = seen.action else { return true };
    let Some(Grip { row, fence }) = seen.before.hosts[host].grip() else { return true };
    let is_present = seen.before.rows.deliveries[row].open().is_some_and(|delivery| delivery.fence == fence);
    is_present || seen.before.rows == seen.after.rows
}

/// Bytes leave only while the attempt is still the host's.
fn is_leased(seen: &Seen<'_>) -> bool {
    seen.sent().is_none_or(|(row, grip, ..)| row.is_started() && row.open().is_some_and(|delivery| delivery.fence == grip.fence))
}

/// No message arrives twice, and none that has arrived waits for another try.
fn is_sent_once(seen: &Seen<'_>) -> bool {
    let is_queued = |row: &Row| row.open().is_some_and(|delivery| matches!(delivery.state, State::Waiting { .. } | State::Claimed { .. }));
    let messages = seen.after.rows.deliveries.iter().filter(|row| row.channel() == Channel::Message);
    messages.into_iter().all(|row| row.truth.arrived == 0 || (row.truth.arrived == 1 && !is_queued(row)))
}

/// What the provider has told of is in no doubt and on no way any more.
fn is_report_heeded(seen: &Seen<'_>) -> bool {
    let Action::Report { row, .. } = seen.action else { return true };
    seen.after.rows.deliveries[row].open().is_none()
}

/// Whatever ends, ends for a reason that is true. An event is given up only where its tries or its time are spent, or where nobody
/// wants it.
fn is_tried_until_spent(seen: &Seen<'_>) -> bool {
    seen.ended().all(|(row, ending)| {
        let end = row.since.plus(worth(row.channel()));
        match ending {
            Ending::Sent => row.truth.arrived > 0,
            Ending::Expired => seen.clock().max(row.truth.not_before) >= end,
            Ending::Held => false,
            Ending::Canceled(_) => row.channel() == Channel::Message && seen.before.rows.suppressed,
            Ending::Unknown => row.channel() == Channel::Message && seen.clock() >= end,
            Ending::Blocked(_) => seen.fate() == Some(Fate::Forbidden),
            Ending::Skipped(_) => row.channel() == Channel::Event && !seen.is_endpoint_wanted(),
            Ending::Failed(_) => row.truth.counted() >= tries_max(row.channel()) || seen.is_final_answer(),
        }
    })
}

impl Seen<'_> {
    /// What became of the attempt that is written down here.
    fn fate(&self) -> Option<Fate> {
        match self.action {
            Action::Finish { host, .. } => match self.before.hosts[host] {
                Hand::Answered { fate, .. } => Some(fate),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_final_answer(&self) -> bool {
        matches!(self.fate(), Some(Fate::Refused | Fate::Gone))
            || matches!(self.action, Action::Resolve { .. } | Action::Report { failed: true, .. })
    }

    fn is_endpoint_wanted(&self) -> bool {
        let endpoint = &self.before.rows.site.0;
        endpoint.disabled.is_none() && endpoint.removed_at.is_none()
    }
}

/// Every repetition of an event carries the id under which it first left.
fn has_same_id(seen: &Seen<'_>) -> bool {
    let ids = || seen.before.rows.deliveries.iter().filter_map(|row| row.truth.id);
    seen.sent().is_none_or(|(.., id)| id.is_none_or(|id| ids().all(|first| first == id)))
}

fn is_within_budget(seen: &Seen<'_>) -> bool {
    seen.begun().all(|row| row.truth.counted() <= tries_max(row.channel()))
}

fn is_spaced(seen: &Seen<'_>) -> bool {
    seen.begun().all(|row| seen.clock() >= row.truth.not_before)
}

fn is_in_time(seen: &Seen<'_>) -> bool {
    seen.begun().all(|row| seen.clock() < row.since.plus(worth(row.channel())))
}

/// An event is repeated at the URL that it happened under, unless somebody says otherwise.
fn is_history_kept(seen: &Seen<'_>) -> bool {
    let Action::Replay { row, to_changed_url: false } = seen.action else { return true };
    let is_repeated = seen.after.rows.deliveries.len() > seen.before.rows.deliveries.len();
    !is_repeated || seen.before.rows.site.0.url_since <= seen.before.rows.deliveries[row].since
}

/// What must be possible, so that nothing holds only because nothing happens.
pub(crate) const SOMETIMES: &[Property] = &[
    ("delivered", |seen| seen.ends(Channel::Message, |ending| ending == Ending::Sent)),
    ("failed for good", |seen| seen.ends(Channel::Message, |ending| matches!(ending, Ending::Failed(_)))),
    ("expired", |seen| seen.ends(Channel::Message, |ending| ending == Ending::Expired)),
    ("suppressed", |seen| seen.ends(Channel::Message, |ending| matches!(ending, Ending::Canceled(_)))),
    ("unknown", |seen| seen.ends(Channel::Message, |ending| ending == Ending::Unknown)),
    ("found out", |seen| matches!(seen.action, Action::Resolve { .. })),
    ("sent at once", |seen| matches!(seen.action, Action::Ask { at_once: Some(_), .. }) && seen.begun().next().is_some()),
    ("six tries", |seen| seen.begun().any(|row| row.channel() == Channel::Message && row.truth.started == 6)),
    ("repeated", |seen| seen.told().is_some_and(|told| told < seen.before.rows.deliveries.len())),
    ("a key used again the next day", |seen| seen.before.rows.bound != seen.after.rows.bound && seen.before.rows.bound.is_some()),
    ("refused", |seen| matches!(seen.action, Action::Ask { commit: Commit::Answered, .. }) && seen.told().is_none()),
    ("charge returned", |seen| seen.charged() < seen.before.rows.charged.iter().map(|(_, charged)| *charged).sum()),
    ("a charge in each of two days", |seen| seen.after.rows.charged.iter().filter(|(_, charged)| *charged > 0).count() == 2),
    ("too late for the first byte", |seen| matches!(seen.action, Action::Send { fate: Fate::TooLate, .. })),
    ("a finish too late", |seen| matches!(seen.action, Action::Finish { .. }) && seen.before.rows == seen.after.rows),
    ("taken", |seen| seen.ends(Channel::Event, |ending| ending == Ending::Sent)),
    ("nine tries", |seen| seen.ended().any(|(row, _)| row.channel() == Channel::Event && row.truth.counted() == 9)),
    ("an event out of time", |seen| seen.ends(Channel::Event, |ending| ending == Ending::Expired)),
    ("a duplicate webhook", |seen| seen.after.rows.deliveries.iter().any(|row| row.channel() == Channel::Event && row.truth.arrived > 1)),
    ("throttled", |seen| seen.after.rows.deliveries.iter().any(|row| row.truth.put_off > 0)),
    ("skipped", |seen| seen.ends(Channel::Event, |ending| matches!(ending, Ending::Skipped(_)))),
    ("blocked", |seen| seen.ends(Channel::Event, |ending| matches!(ending, Ending::Blocked(_)))),
    ("disabled by its answer", |seen| seen.is_disabled_by(&DisabledBy::Gone)),
    ("disabled by five days of failure", |seen| seen.is_disabled_by(&DisabledBy::Failing)),
    ("replayed", |seen| matches!(seen.action, Action::Replay { .. }) && seen.before.rows != seen.after.rows),
    ("history kept back", |seen| matches!(seen.action, Action::Replay { .. }) && seen.before.rows == seen.after.rows),
    ("moved", |seen| seen.action == Action::Change(Change::Move)),
    ("found out by a report", |seen| seen.reports_of(|state| matches!(state, State::InDoubt { .. }))),
    ("reported before it was answered", |seen| seen.reports_of(|state| matches!(state, State::Started { .. }))),
    ("in doubt", |seen| seen.after.rows.open().any(|(_, Delivery { state, .. })| matches!(state, State::InDoubt { .. }))),
];

impl Seen<'_> {
    fn ends(&self, channel: Channel, is_so: fn(Ending) -> bool) -> bool {
        self.ended().any(|(row, ending)| row.channel() == channel && is_so(ending))
    }

    fn reports_of(&self, is_so: fn(State) -> bool) -> bool {
        match self.action {
            Action::Report { row, .. } => self.before.rows.deliveries[row].open().is_some_and(|delivery| is_so(delivery.state)),
            _ => false,
        }
    }

    fn told(&self) -> Option<usize> {
        match self.action {
            Action::Ask { caller, commit: Commit::Answered, .. } => self.after.callers[caller].told,
            _ => None,
        }
    }

    fn charged(&self) -> u64 {
        self.after.rows.charged.iter().map(|(_, charged)| *charged).sum()
    }

    fn is_disabled_by(&self, by: &DisabledBy) -> bool {
        self.after.rows.site.0.disabled.as_ref().is_some_and(|disabled| disabled.by == *by)
    }
}
