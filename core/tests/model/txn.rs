//! Txn: the verbs of a store, each one transaction at a host's time. What follows is what the core says; here it is written down.
//!
//! A [`Mutant`] is put in where the guard that it lacks stands.

use std::sync::Arc;

use gatepost::{
    AccountFacts, Cause, Channel, Connection, ContactState, ContentKind, DeclaredPurpose, Delivery, Disabled, Ending, EndpointState,
    ErrorClass, EventId, Fact, Facts, Gate, IDEMPOTENCY_TIME, Input, Lease, Limits, Mode, Origin, Policy, Purpose, Skip, Stale, StartFacts,
    State, Step, Subject, Timestamp, Usage, Verdict, WindowId, Windows, Zone, decide, expiry, may_start, suppression_forbids,
};

use crate::action::Fate;
use crate::mutant::Mutant;
use crate::promises::wait_after;
use crate::world::{Cargo, Grip, Row, Rows};

/// One transaction.
pub(crate) struct Txn<'a> {
    pub(crate) rows: &'a mut Rows,
    pub(crate) mutant: Option<Mutant>,
    /// The host's time.
    pub(crate) now: Timestamp,
}

/// The answer to somebody who asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Accepted(usize),
    Repeated(usize),
    Refused,
}

/// A message of an app's support, and nothing special about it.
const SUBJECT: Subject = Subject {
    purpose: DeclaredPurpose::Allowed(Purpose::Support),
    content: ContentKind::Text,
    origin: Origin::App,
    mode: Mode::Live,
    released: false,
    reviewed: None,
};

impl Txn<'_> {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Accepts a message, or refuses it; started where there is a lease. `looked` is the usage, where it was read before.
    pub(crate) fn accept(&mut self, keyed: bool, at_once: Option<Lease>, looked: Option<u64>) -> Answer {
        if let Some((row, _)) = self.rows.bound.filter(|(_, since)| keyed && self.now < since.plus(IDEMPOTENCY_TIME)) {
            return Answer::Repeated(row);
        }
        let facts = self.facts(looked);
        let decision = decide(&Policy::default(), &facts, &SUBJECT, self.now);
        if decision.verdict != Verdict::Allow {
            return Answer::Refused;
        }
        let usage = *facts.after(&decision, self.now).usage.known().expect("it was known before");
        self.charge(usage.windows.day.id, usage.day);
        let expires_at = expiry(Purpose::Support, self.now);
        let delivery = at_once.map_or(Delivery::waiting(self.now, expires_at), |lease| Delivery::started(lease.until, expires_at));
        let at = self.add(Row::new(delivery, Cargo::Message { keyed, charge: Some(usage.charge().day) }, self.now));
        if at_once.is_some() {
            self.open_attempt(at, delivery);
        }
        Answer::Accepted(at)
    }

    /// Binds the idempotency key to a message.
    pub(crate) fn bind(&mut self, row: usize) {
        self.rows.bound = Some((row, self.now));
    }

    fn facts(&self, looked: Option<u64>) -> Facts {
        let limits = Limits { per_day: self.rows.per_day, per_month: 1_000, account_rate: None, instance_rate: None, recipient_rate: None };
        let windows = Windows::at(self.now, &Zone::utc());
        let month = self.rows.charged.iter().map(|(_, charged)| charged).sum();
        let day = looked.unwrap_or_else(|| self.charged(windows.day.id));
        Facts {
            account: AccountFacts { suspended: false, paused: self.rows.paused, supervised: false, one_time_codes_pass: true },
            usage: Fact::Known(Usage { windows, day, month }),
            contact: Fact::Known(self.contact()),
            ..Facts::clear(limits, self.now)
        }
    }

    const fn contact(&self) -> ContactState {
        match self.rows.suppressed {
            true => ContactState::Suppressed { cause: Cause::Keyword, since: self.now },
            false => ContactState::Reachable,
        }
    }

    /// How much was charged in the present day.
    pub(crate) fn used(&self) -> u64 {
        self.charged(Windows::at(self.now, &Zone::utc()).day.id)
    }

    fn charged(&self, window: WindowId) -> u64 {
        self.rows.charged.iter().find(|(day, _)| *day == window).map_or(0, |(_, charged)| *charged)
    }

    fn charge(&mut self, window: WindowId, charged: u64) {
        self.rows.charged.retain(|(day, _)| *day != window);
        self.rows.charged.push((window, charged));
        self.rows.charged.sort_unstable();
    }

    fn add(&mut self, row: Row) -> usize {
        self.rows.deliveries.push(row);
        self.rows.deliveries.len() - 1
    }

    /// Writes an event that happens now, for the endpoint.
    pub(crate) fn happen(&mut self) {
        let id = EventId::of([1; 16], 0, self.now);
        self.add(Row::new(Delivery::of_event(self.now), Cargo::Event { id, occurred_at: self.now }, self.now));
    }

    /// Takes a message that is due.
    pub(crate) fn claim(&mut self, row: usize, lease_until: Timestamp) -> Option<Grip> {
        if self.is(Mutant::SuppressionReadAtClaim) && self.rows.suppressed {
            self.advance(row, &Input::Withdraw);
            return None;
        }
        match self.advance(row, &Input::Claim { lease_until })? {
            Step::GoesOn(delivery) => Some(Grip { row, fence: delivery.fence }),
            Step::Ends(_) => None,
        }
    }

    /// Opens an attempt, if present facts still allow it; its number.
    pub(crate) fn start(&mut self, Grip { row, fence }: Grip, lease: Lease) -> Option<u16> {
        let delivery = self.rows.deliveries[row].open()?;
        let input = Input::Start { fence, lease_until: lease.until };
        delivery.step(&input, self.now).ok()?;
        match may_start(&self.start_facts()) {
            Gate::Closed => self.advance(row, &Input::Withdraw),
            Gate::Held => self.advance(row, &Input::Hold),
            Gate::Wait => self.advance(row, &Input::Release { fence, due: self.now }),
            Gate::Open => self.advance(row, &input),
        };
        self.begin(row)
    }

    fn start_facts(&self) -> StartFacts {
        let suppressed = suppression_forbids(self.contact(), true, false, &SUBJECT);
        StartFacts {
            account_suspended: false,
            account_paused: self.rows.paused && !self.is(Mutant::PauseReadAtClaim),
            instance_paused: false,
            connection: Connection::Open,
            suppressed: suppressed && !self.is(Mutant::SuppressionReadAtClaim),
            suspected: false,
        }
    }

    /// Takes an event that is due, with its attempt open; skips it where the endpoint takes no more.
    pub(crate) fn take(&mut self, row: usize, lease: Lease) -> Option<(Grip, u16, EventId)> {
        let Cargo::Event { id, .. } = self.rows.deliveries[row].cargo else { return None };
        let delivery = self.rows.deliveries[row].open()?;
        let skip = match self.rows.site.0.state() {
            _ if self.is(Mutant::EndpointNotAsked) => None,
            EndpointState::Enabled => None,
            EndpointState::Unverified | EndpointState::Paused => return None,
            EndpointState::Disabled => Some(Skip::EndpointDisabled),
            EndpointState::Removed => Some(Skip::EndpointRemoved),
        };
        match skip {
            Some(skip) => self.advance(row, &Input::Skip(skip)),
            None => {
                let mutated = self.mutant.and_then(|mutant| mutant.take(delivery, lease, self.now));
                self.write(row, mutated.map_or_else(|| delivery.take(lease.until, self.now), Ok))
            }
        };
        let number = self.begin(row)?;
        let fence = self.rows.deliveries[row].open()?.fence;
        let id = if self.is(Mutant::IdRenewedByTry) { EventId::of([1; 16], number.into(), self.now) } else { id };
        Some((Grip { row, fence }, number, id))
    }

    /// Writes down that an attempt has begun, where one has; its number.
    fn begin(&mut self, row: usize) -> Option<u16> {
        let delivery = self.rows.deliveries[row].open().filter(|delivery| matches!(delivery.state, State::Started { .. }))?;
        self.open_attempt(row, delivery);
        Some(delivery.tries)
    }

    fn open_attempt(&mut self, row: usize, delivery: Delivery) {
        let is_late = self.is(Mutant::AttemptWrittenAfter);
        let Row { attempts, truth, .. } = &mut self.rows.deliveries[row];
        truth.started += 1;
        if !is_late {
            attempts.open(delivery.tries);
        }
    }

    /// Closes an attempt, unless that comes too late.
    pub(crate) fn finish(&mut self, Grip { row, fence }: Grip, attempt: u16, fate: Fate) {
        let Some(delivery) = self.rows.deliveries[row].open() else { return };
        let fence = if self.is(Mutant::FinishNotFenced) { delivery.fence } else { fence };
        let input = Input::Finish { fence, outcome: fate.outcome(), jitter: 0 };
        if self.advance(row, &input).is_none() {
            return;
        }
        self.rows.deliveries[row].attempts.close(attempt);
        self.note_wait(row, fate);
        if let Channel::Event = delivery.channel {
            self.note_health(fate);
        }
    }

    /// Notes what the schedule allows, for the promises to judge by.
    fn note_wait(&mut self, row: usize, fate: Fate) {
        let channel = self.rows.deliveries[row].channel();
        let truth = &mut self.rows.deliveries[row].truth;
        let is_put_off = channel == Channel::Event && fate == Fate::Throttled;
        truth.put_off += u8::from(is_put_off);
        truth.not_before = self.now.plus(wait_after(channel, truth.counted(), fate));
    }

    fn note_health(&mut self, fate: Fate) {
        let (health, disabled_by) = self.rows.site.0.health.after(&fate.outcome(), None, self.now);
        if health == self.rows.site.0.health && disabled_by.is_none() {
            return;
        }
        let endpoint = Arc::make_mut(&mut self.rows.site.0);
        endpoint.health = health;
        if let (None, Some(by)) = (&endpoint.disabled, disabled_by) {
            endpoint.disabled = Some(Disabled { since: self.now, by });
        }
    }

    /// Gives back what was claimed.
    pub(crate) fn give_back(&mut self, Grip { row, fence }: Grip) {
        self.advance(row, &Input::Release { fence, due: self.now });
    }

    /// Closes what time has closed.
    pub(crate) fn sweep(&mut self, row: usize) {
        let Some(before) = self.rows.deliveries[row].open() else { return };
        if self.is(Mutant::ClaimNotSwept) && matches!(before.state, State::Claimed { .. }) {
            return;
        }
        if self.advance(row, &Input::Tick).is_none() {
            return;
        }
        if let State::Started { .. } = before.state {
            self.note_wait(row, Fate::Silence { arrived: false });
            if !self.is(Mutant::OrphanLeftOpen) {
                self.rows.deliveries[row].attempts.close(before.tries);
            }
        }
    }

    /// Ends a message in doubt by what is known of it.
    pub(crate) fn resolve(&mut self, row: usize, sent: bool) {
        self.advance(row, &Input::Resolve { sent });
    }

    /// Notes what the provider reports of a message, and closes its attempt if that is open.
    pub(crate) fn report(&mut self, row: usize, failed: bool) {
        let Some(before) = self.rows.deliveries[row].open() else { return };
        let input = if failed { Input::Bounced { class: ErrorClass::Undeliverable } } else { Input::Arrived };
        let is_heeded = self.advance(row, &input).is_some();
        if is_heeded && matches!(before.state, State::Started { .. }) {
            self.rows.deliveries[row].attempts.close(before.tries);
        }
    }

    /// Delivers an event once more, where the rules allow it.
    pub(crate) fn replay(&mut self, row: usize, to_changed_url: bool) -> bool {
        let Row { cargo: Cargo::Event { id, occurred_at }, step: Step::Ends(_), .. } = self.rows.deliveries[row] else { return false };
        let is_pending = |other: &Row| other.open().is_some() && matches!(other.cargo, Cargo::Event { id: same, .. } if same == id);
        let endpoint = &self.rows.site.0;
        let is_changed = endpoint.url_since > occurred_at && !to_changed_url && !self.is(Mutant::HistoryToNewUrl);
        if is_changed
            || self.rows.deliveries.iter().any(is_pending)
            || matches!(endpoint.state(), EndpointState::Disabled | EndpointState::Removed)
        {
            return false;
        }
        let id = if self.is(Mutant::IdRenewedByReplay) { EventId::of([2; 16], 0, self.now) } else { id };
        self.add(Row::new(Delivery::of_event(self.now), Cargo::Event { id, occurred_at }, self.now));
        true
    }

    /// Lets the state machine take one step and writes what follows; `None` where the input is stale.
    fn advance(&mut self, row: usize, input: &Input) -> Option<Step> {
        let delivery = self.rows.deliveries[row].open()?;
        let mutated = self.mutant.and_then(|mutant| mutant.step(delivery, input, self.now));
        self.write(row, mutated.map_or_else(|| delivery.step(input, self.now), Ok))
    }

    fn write(&mut self, row: usize, step: Result<Step, Stale>) -> Option<Step> {
        let step = step.ok()?;
        self.rows.deliveries[row].step = step;
        if let Step::Ends(ending) = step {
            self.return_charge(row, ending);
        }
        Some(step)
    }

    fn return_charge(&mut self, row: usize, ending: Ending) {
        let is_returned = ending.returns_charge() || (self.is(Mutant::ChargeReturnedInDoubt) && ending == Ending::Unknown);
        if let Cargo::Message { charge, .. } = &mut self.rows.deliveries[row].cargo
            && is_returned
            && let Some(window) = charge.take()
        {
            self.charge(window, self.charged(window) - 1);
        }
    }
}
