//! Accept: a submission becomes a message, a held message or a refusal, and everything that follows from it is written together.
//!
//! The facts are read first, then the decider decides, then rows are written; so a decider that panics leaves nothing behind. The
//! players: [`Scene`] (what is read), [`Ruling`] (what was decided), and one function for each way it can go: `allow`, `hold`, `refuse`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gatepost::{
    Accepted, AccountFacts, AccountId, Answer, AtOnce, BlockedSend, Charge, ContactId, ConversationWindow, Decider, Decision, Delivery,
    Fact, Facts, Findings, Happening, Instance, InstanceFacts, KeyId, KeyState, Message, MessageId, MessageStatus, Mode, Origin, Policy,
    PolicyEvent, Purpose, QuotaState, Request, Review, Shadow, Subject, Submission, TextPrint, Timestamp, Usage, Velocity, Verdict, Zone,
    order_key,
};

use crate::world::{AccountRows, Binding, ContactRow, Effects, MessageRow, OutboxRow, PolicyEventRow, World};
use crate::{deliver, events, keys, traffic};

/// What is read before a decision.
pub struct Scene {
    /// The instance to send from.
    pub instance: Instance,
    /// The contact with the address, or the id of the one to add.
    pub contact: ContactId,
    print: Option<TextPrint>,
    /// What was looked up.
    pub facts: Facts,
    usage: Usage,
    velocity: Velocity,
}

/// What was decided, and the policy in force.
pub struct Ruling {
    /// What was decided, and why.
    pub decision: Decision,
    policy: Policy,
    shadow: Option<Shadow>,
}

/// Answers one submission.
pub fn accept(world: &mut World, account: AccountId, submission: Submission, decider: &dyn Decider) -> Answer {
    let Submission { ref request, now, .. } = submission;
    let key = key_fact(world, account, request.origin, now);
    // A key that is no longer in force learns nothing of what it sent before.
    if key.known().is_none_or(|state| *state == KeyState::Active)
        && let Some(answer) = world.accounts.get(&account).and_then(|rows| repeated(rows, &submission))
    {
        return answer;
    }
    let content = (submission.findings.clone(), submission.text_print);
    let Some(scene) = look(world, account, request, content, submission.contact, now) else {
        return Answer::UnknownInstance;
    };
    let Some(ruling) = rule(decider, &scene, &request.subject(), now) else { return Answer::Undecided };
    let Some(rows) = world.accounts.get_mut(&account) else { return Answer::UnknownInstance };
    rows.meet(scene.contact, &request.recipient);
    match (ruling.decision.verdict, request.purpose.allowed()) {
        (Verdict::Allow, Some(purpose)) => allow(rows, &mut world.effects, submission, &scene, ruling, purpose),
        (Verdict::Hold, Some(purpose)) => hold(rows, &mut world.effects, submission, &scene, ruling, purpose),
        _ => refuse(rows, &mut world.effects, &submission, &scene, ruling),
    }
}

/// Accepts a submission if it may go out now, and leaves nothing of it behind if it may not.
pub fn accept_if_allowed(world: &mut World, account: AccountId, submission: Submission, decider: &dyn Decider) {
    let Submission { ref request, now, .. } = submission;
    let content = (submission.findings.clone(), submission.text_print);
    let scene = look(world, account, request, content, submission.contact, now);
    let ruling = scene.as_ref().and_then(|scene| rule(decider, scene, &request.subject(), now));
    let World { accounts, effects, .. } = world;
    if let (Some(scene), Some(ruling), Some(purpose)) = (scene, ruling, request.purpose.allowed())
        && ruling.decision.verdict == Verdict::Allow
        && let Some(rows) = accounts.get_mut(&account)
    {
        allow(rows, effects, submission, &scene, ruling, purpose);
    }
}

/// The answer to a request whose idempotency key is bound.
fn repeated(rows: &AccountRows, submission: &Submission) -> Option<Answer> {
    let key = submission.request.idempotency_key.as_ref()?;
    let binding = rows.bindings.get(key)?;
    if binding.bound_at.plus(key.time()) <= submission.now {
        return None;
    }
    let Message { id, log_id, status, .. } = rows.messages.get(&binding.message)?.message;
    let is_same = Some(binding.fingerprint) == submission.fingerprint;
    Some(if is_same { Answer::Repeated { message: id, log_id, status } } else { Answer::KeyReused })
}

/// The facts for this request; `None` where there is no such instance.
pub fn look(
    world: &World,
    account: AccountId,
    request: &Request,
    (findings, print): (Fact<Findings>, Option<TextPrint>),
    new_contact: ContactId,
    now: Timestamp,
) -> Option<Scene> {
    let rows = world.accounts.get(&account)?;
    let instance = rows.instance(&request.instance)?;
    let contact = rows.contact_of.get(&request.recipient).copied();
    let unknown = ContactRow::new(request.recipient.clone());
    let known = contact.and_then(|id| rows.contacts.get(&id)).unwrap_or(&unknown);
    let mode = request.mode;
    let usage = rows.usage(mode, now);
    let tat = |subject| rows.tat(subject, mode);
    let velocity = Velocity { account: tat(account.to_bytes()), instance: tat(instance.id.to_bytes()), recipient: known.tats.get(mode) };
    let conversation = contact.map_or(ConversationWindow::Never, |contact| rows.conversation(contact, instance.id));
    let facts = Facts {
        account: account_facts(rows),
        instance: instance_facts(instance),
        key: key_fact(world, account, request.origin, now),
        limits: rows.account.plan.limits(),
        usage: Fact::Known(usage),
        velocity: Fact::Known(velocity),
        contact: Fact::Known(known.state()),
        conversation: Fact::Known(conversation),
        content: findings,
        traffic: Fact::Known(traffic::facts(rows, mode, known, print, now)),
    };
    Some(Scene { instance: instance.clone(), contact: contact.unwrap_or(new_contact), print, facts, usage, velocity })
}

const fn account_facts(rows: &AccountRows) -> AccountFacts {
    AccountFacts {
        suspended: rows.account.suspended_at.is_some(),
        paused: rows.account.pause.is_some(),
        supervised: rows.account.supervised,
        one_time_codes_pass: rows.account.one_time_codes_pass,
    }
}

const fn instance_facts(instance: &Instance) -> InstanceFacts {
    InstanceFacts { provider: instance.provider, connection: instance.connection, paused: instance.pause.is_some() }
}

fn key_fact(world: &World, account: AccountId, origin: Origin, now: Timestamp) -> Fact<KeyState> {
    let state_of = |id: KeyId| keys::find(world, Some(account), id).map(|key| key.state_at(now));
    match origin {
        Origin::Api(id) => state_of(id).map_or(Fact::Missing, Fact::Known),
        Origin::App | Origin::Confirmation | Origin::ThreeCx(_) => Fact::Known(KeyState::Active),
    }
}

/// Lets the decider decide; `None` where it panicked.
pub fn rule(decider: &dyn Decider, scene: &Scene, subject: &Subject, now: Timestamp) -> Option<Ruling> {
    let decision = catch_unwind(AssertUnwindSafe(|| decider.decide(&scene.facts, subject, now))).ok()?;
    // A candidate that panics is only not recorded.
    let shadow = catch_unwind(AssertUnwindSafe(|| decider.shadow(&scene.facts, subject, now))).ok().flatten();
    Some(Ruling { decision, policy: decider.policy().clone(), shadow })
}

fn allow(
    rows: &mut AccountRows,
    effects: &mut Effects,
    mut submission: Submission,
    scene: &Scene,
    ruling: Ruling,
    purpose: Purpose,
) -> Answer {
    let now = submission.now;
    let log_id = record(rows, Some(submission.message), scene, &submission.request.subject(), &ruling, now);
    let Request { mode, origin, .. } = submission.request;
    let charged = origin.is_charged().then(|| charge(rows, effects, (submission.message, mode), scene, &ruling.decision, now));
    let order_key = submission.request.ordered.then(|| order_key(scene.instance.id, scene.contact));
    let at_once = submission.at_once.take().filter(|_| order_key.is_none_or(|key| !is_in_line(rows, key)));
    let delivery = first_delivery(at_once.as_ref(), origin.expiry(purpose, now), now);
    let row = OutboxRow {
        id: submission.delivery,
        message: submission.message,
        instance: scene.instance.id,
        contact: scene.contact,
        log_id,
        order_key,
        delivery,
        started_at: at_once.is_some().then_some(now),
    };
    rows.outbox.insert(row.id, row);
    let status = delivery.status();
    let quota = QuotaState { limits: scene.facts.limits, usage: charged.unwrap_or(scene.usage) };
    let answer = Answer::Accepted(Accepted { message: submission.message, log_id, status, decision: ruling.decision, quota });
    let charge = charged.as_ref().map(Usage::charge);
    keep(rows, effects, submission, scene, Kept { log_id, purpose, status, charge });
    match at_once {
        Some(AtOnce { permit, lease }) => {
            let started = deliver::started(rows, &row, lease);
            effects.started.extend(started.map(|started| (permit, started)));
        }
        None => effects.left_due = true,
    }
    answer
}

/// Started where a worker is ready for it, waiting otherwise.
fn first_delivery(at_once: Option<&AtOnce>, expires_at: Timestamp, now: Timestamp) -> Delivery {
    at_once.map_or(Delivery::waiting(now, expires_at), |at_once| Delivery::started(at_once.lease.until, expires_at))
}

/// Whether something unfinished has this order key.
fn is_in_line(rows: &AccountRows, order_key: i64) -> bool {
    rows.outbox.values().any(|row| row.order_key == Some(order_key))
}

fn hold(rows: &mut AccountRows, effects: &mut Effects, submission: Submission, scene: &Scene, ruling: Ruling, purpose: Purpose) -> Answer {
    let Submission { message, now, .. } = submission;
    let log_id = record(rows, Some(message), scene, &submission.request.subject(), &ruling, now);
    let status = MessageStatus::Held;
    keep(rows, effects, submission, scene, Kept { log_id, purpose, status, charge: None });
    rows.reviews.insert(message, Review::of_decision(message, &ruling.decision, log_id, now));
    let quota = QuotaState { limits: scene.facts.limits, usage: scene.usage };
    Answer::Accepted(Accepted { message, log_id, status, decision: ruling.decision, quota })
}

fn refuse(rows: &mut AccountRows, effects: &mut Effects, submission: &Submission, scene: &Scene, ruling: Ruling) -> Answer {
    let log_id = record(rows, None, scene, &submission.request.subject(), &ruling, submission.now);
    if ruling.decision.is_block_for_conduct() {
        traffic::note(rows, effects, submission.request.mode, Happening::Blocked, submission.now);
    }
    if ruling.decision.verdict == Verdict::Block {
        events::tell_blocked(rows, effects, &blocked(submission, scene, &ruling.decision, log_id));
    }
    let quota = QuotaState { limits: scene.facts.limits, usage: scene.usage };
    Answer::Refused { log_id, decision: ruling.decision, quota, key: scene.facts.key }
}

fn blocked<'a>(submission: &'a Submission, scene: &'a Scene, decision: &'a Decision, log_id: u64) -> BlockedSend<'a> {
    let Submission { message: id, ref request, now: at, .. } = *submission;
    let instance = (scene.instance.id, &scene.instance.name);
    BlockedSend { id, log_id, instance, recipient: &request.recipient, purpose: request.purpose.as_str(), decision, at }
}

/// Writes the policy event, and answers with its place in the account's log.
pub fn record(
    rows: &mut AccountRows,
    message: Option<MessageId>,
    scene: &Scene,
    subject: &Subject,
    ruling: &Ruling,
    now: Timestamp,
) -> u64 {
    let event = PolicyEvent {
        seq: rows.next_seq(),
        at: now,
        message,
        instance: scene.instance.id,
        contact: scene.contact,
        policy: ruling.policy.clone(),
        zones: Zone::database_version().into(),
        subject: *subject,
        facts: scene.facts.clone(),
        decision: ruling.decision.clone(),
        shadow: ruling.shadow,
    };
    let seq = event.seq;
    rows.policy_events.insert(seq, PolicyEventRow { event, body: None });
    seq
}

/// Charges a message that was allowed, and answers with the usage then.
pub fn charge(
    rows: &mut AccountRows,
    effects: &mut Effects,
    (message, mode): (MessageId, Mode),
    scene: &Scene,
    decision: &Decision,
    now: Timestamp,
) -> Usage {
    let after = scene.facts.clone().after(decision, now);
    let usage = after.usage.known().copied().unwrap_or(scene.usage);
    let velocity = after.velocity.known().copied().unwrap_or(scene.velocity);
    rows.usage.insert((mode, usage.windows.day.id), usage.day);
    rows.usage.insert((mode, usage.windows.month.id), usage.month);
    rows.set_tat(rows.account.id.to_bytes(), mode, velocity.account);
    rows.set_tat(scene.instance.id.to_bytes(), mode, velocity.instance);
    if let Some(row) = rows.contacts.get_mut(&scene.contact) {
        row.tats.set(mode, velocity.recipient);
    }
    events::tell_crossings(rows, effects, (message, mode), &scene.facts.limits, &usage, now);
    traffic::note_sent(rows, effects, mode, scene.contact, scene.print, now);
    usage
}

/// What a message has that its submission does not say.
#[derive(Clone, Copy)]
struct Kept {
    log_id: u64,
    purpose: Purpose,
    status: MessageStatus,
    charge: Option<Charge>,
}

/// Writes the message, binds its idempotency key, and tells of it.
fn keep(rows: &mut AccountRows, effects: &mut Effects, submission: Submission, scene: &Scene, kept: Kept) {
    let Submission { message: id, delivery, request, fingerprint, now, .. } = submission;
    if let (Some(key), Some(fingerprint)) = (request.idempotency_key, fingerprint) {
        rows.bindings.insert(key, Binding { fingerprint, message: id, bound_at: now });
    }
    let message = Message {
        id,
        log_id: kept.log_id,
        instance: scene.instance.id,
        recipient: request.recipient,
        purpose: kept.purpose,
        content: Some(request.content),
        mode: request.mode,
        status: kept.status,
        error: None,
        external_id: None,
        created_at: now,
        updated_at: now,
    };
    let Request { origin, ordered, .. } = request;
    let row = MessageRow { message, contact: scene.contact, origin, ordered, sent: None, delivery, charge: kept.charge };
    rows.messages.insert(id, row);
    events::tell_status(rows, effects, id, None);
}
