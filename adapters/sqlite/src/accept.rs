//! Accept: a submission becomes a message, a held message or a refusal, and everything that follows from it is written together.
//!
//! The facts are read first, then the decider decides, then rows are written; so a decider that panics leaves nothing behind.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gatepost::{
    Accepted, AccountFacts, AccountId, Answer, BlockedSend, Claimed, ContactId, ContactState, Content, ConversationWindow, Decider,
    Decision, Delivery, Fact, Facts, Findings, Fingerprint, Happening, Instance, InstanceFacts, InstanceId, KeyState, LastSent, MessageId,
    MessageStatus, Mode, Origin, Parcel, PolicyEventBody, Provider, Purpose, QuotaState, Request, Review, Started, StatusChange, Subject,
    Submission, Tat, TextPrint, Timestamp, Usage, Velocity, Verdict, Zone, order_key,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::open::{OpenAttempt, Told};
use crate::outbox::NewRow;
use crate::rows::{self, signed, to_json};
use crate::txn::{AccountEntry, Txn};
use crate::{events, outbox, reviews, traffic};

/// Everything that a decision about one request needs from the store.
pub(crate) struct Scene {
    pub(crate) instance: Instance,
    pub(crate) contact: ContactRow,
    /// The recipient's address, as it stands in rows.
    address: String,
    print: Option<TextPrint>,
    pub(crate) facts: Facts,
}

/// A contact as the hot path reads it.
#[derive(Clone, Copy)]
pub(crate) struct ContactRow {
    pub(crate) id: ContactId,
    pub(crate) is_new: bool,
    state: ContactState,
    /// Of the conversation that lasts longest, at whichever instance.
    window_until: Option<Timestamp>,
    tat: Tat,
    /// What they were sent last, in the mode that was asked for.
    pub(crate) last_sent: Option<LastSent>,
}

impl ContactRow {
    /// Whether the row says something else.
    fn differs_from(&self, mark: &SentMark) -> bool {
        self.tat != mark.tat || self.last_sent != Some(mark.last_sent)
    }

    /// Whether they ever wrote what may be answered.
    pub(crate) const fn wrote(&self) -> bool {
        self.window_until.is_some()
    }
}

/// What a contact's row has of what was sent to them in a mode.
#[derive(Clone, Copy)]
struct SentMark {
    mode: Mode,
    tat: Tat,
    last_sent: LastSent,
}

/// Answers one submission.
pub(crate) fn accept(
    txn: &mut Txn<'_>,
    account: AccountId,
    submission: &mut Submission,
    decider: &dyn Decider,
) -> rusqlite::Result<Answer> {
    if let Some(answer) = repeated(txn, account, submission)? {
        return Ok(answer);
    }
    let Submission { request, now, .. } = &*submission;
    let now = *now;
    let (findings, print) = (submission.findings.clone(), submission.text_print);
    let Some(scene) = look(txn, account, request, (findings, print), submission.contact, now)? else {
        return Ok(Answer::UnknownInstance);
    };
    let subject = request.subject();
    let decided = catch_unwind(AssertUnwindSafe(|| decider.decide(&scene.facts, &subject, now)));
    let Ok(decision) = decided else { return Ok(Answer::Undecided) };
    let purpose = request.purpose.allowed();
    if scene.contact.is_new {
        let is_sent = decision.verdict == Verdict::Allow && purpose.is_some() && request.origin.is_charged();
        let mark = if is_sent { scene.mark(request.mode, &decision, now) } else { None };
        add_sent_contact(txn, account, scene.contact.id, &scene.address, mark)?;
    }
    match (decision.verdict, purpose) {
        (Verdict::Allow, Some(purpose)) => allow(txn, account, submission, &scene, decision, decider, purpose),
        (Verdict::Hold, Some(purpose)) => hold(txn, account, submission, &scene, decision, decider, purpose),
        _ => refuse(txn, account, submission, &scene, decision, decider),
    }
}

/// The facts for this request; `None` where there is no such instance.
pub(crate) fn look(
    txn: &mut Txn<'_>,
    account: AccountId,
    request: &Request,
    (findings, print): (Fact<Findings>, Option<TextPrint>),
    new_contact: ContactId,
    now: Timestamp,
) -> rusqlite::Result<Option<Scene>> {
    let connection = txn.connection;
    let mode = request.mode;
    let address = rows::address_text(&request.recipient);
    let contact = find_contact(txn, account, &address, mode, new_contact)?;
    let Some(entry) = txn.account(account)? else { return Ok(None) };
    let Some(found) = entry.instance(connection, &request.instance)? else { return Ok(None) };
    let instance = found.instance.clone();
    let instance_tat = found.tat(connection, account, mode)?;
    let key = key_fact(entry, connection, request.origin, now)?;
    let meter = *entry.meter(connection, mode, now)?;
    let conversation = conversation(connection, account, &contact, instance.id)?;
    let since = entry.account.created_at;
    let (id, traffic) = entry.traffic();
    let traffic = traffic.facts(connection, id, mode, (&contact, print), now)?.of_account(since, now);
    let facts = Facts {
        account: AccountFacts {
            suspended: entry.account.suspended_at.is_some(),
            paused: entry.account.pause.is_some(),
            supervised: entry.account.supervised,
            one_time_codes_pass: entry.account.one_time_codes_pass,
        },
        instance: InstanceFacts { provider: instance.provider, connection: instance.connection, paused: instance.pause.is_some() },
        key,
        limits: entry.account.plan.limits(),
        usage: Fact::Known(meter.usage),
        velocity: Fact::Known(Velocity { account: meter.tat, instance: instance_tat, recipient: contact.tat }),
        contact: Fact::Known(contact.state),
        conversation: Fact::Known(conversation),
        content: findings,
        traffic: Fact::Known(traffic),
    };
    Ok(Some(Scene { instance, contact, address, print, facts }))
}

/// Until when the contact may be answered freely from this instance. Who never wrote to any is not looked for.
fn conversation(
    connection: &Connection,
    account: AccountId,
    contact: &ContactRow,
    instance: InstanceId,
) -> rusqlite::Result<ConversationWindow> {
    if contact.window_until.is_none() {
        return Ok(ConversationWindow::Never);
    }
    let sql = "SELECT until FROM conversations WHERE account = ?1 AND contact = ?2 AND instance = ?3";
    let params = params![account.to_bytes(), contact.id.to_bytes(), instance.to_bytes()];
    let until = connection.prepare_cached(sql)?.query_row(params, |row| rows::time(row, 0)).optional()?;
    Ok(until.map_or(ConversationWindow::Never, ConversationWindow::Until))
}

/// Accepts a submission if it may go out now, and leaves nothing of it behind if it may not.
pub(crate) fn accept_if_allowed(
    txn: &mut Txn<'_>,
    account: AccountId,
    submission: &mut Submission,
    decider: &dyn Decider,
) -> rusqlite::Result<()> {
    let (now, subject) = (submission.now, submission.request.subject());
    let content = (submission.findings.clone(), submission.text_print);
    let scene = look(txn, account, &submission.request, content, submission.contact, now)?;
    let (Some(scene), Some(purpose)) = (scene, submission.request.purpose.allowed()) else { return Ok(()) };
    let decided = catch_unwind(AssertUnwindSafe(|| decider.decide(&scene.facts, &subject, now)));
    match decided {
        Ok(decision) if decision.verdict == Verdict::Allow => allow(txn, account, submission, &scene, decision, decider, purpose).map(drop),
        _ => Ok(()),
    }
}

fn repeated(txn: &mut Txn<'_>, account: AccountId, submission: &Submission) -> rusqlite::Result<Option<Answer>> {
    let Some(key) = &submission.request.idempotency_key else { return Ok(None) };
    let connection = txn.connection;
    // A key that is no longer in force learns nothing of what it sent before.
    let Some(entry) = txn.account(account)? else { return Ok(None) };
    let caller = key_fact(entry, connection, submission.request.origin, submission.now)?;
    if caller.known().is_some_and(|state| *state != KeyState::Active) {
        return Ok(None);
    }
    let sql = "SELECT k.fingerprint, k.bound_at, m.id, m.log_id, m.status FROM idempotency_keys k
               JOIN messages m ON m.account = k.account AND m.id = k.message WHERE k.account = ?1 AND k.key = ?2";
    let bound = connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), key.as_str()], |row| {
        let is_same = Some(Fingerprint::from_bytes(row.get(0)?)) == submission.fingerprint;
        let holds = rows::time(row, 1)?.plus(key.time()) > submission.now;
        let repeat = Answer::Repeated { message: rows::message_id(row, 2)?, log_id: rows::count(row, 3)?, status: rows::word(row, 4)? };
        Ok((holds, if is_same { repeat } else { Answer::KeyReused }))
    });
    Ok(bound.optional()?.filter(|(holds, _)| *holds).map(|(_, answer)| answer))
}

fn key_fact(entry: &mut AccountEntry, connection: &Connection, origin: Origin, now: Timestamp) -> rusqlite::Result<Fact<KeyState>> {
    match origin {
        Origin::Api(id) => entry.key_state(connection, id, now),
        Origin::App | Origin::Confirmation | Origin::ThreeCx(_) => Ok(Fact::Known(KeyState::Active)),
    }
}

fn allow(
    txn: &mut Txn<'_>,
    account: AccountId,
    submission: &mut Submission,
    scene: &Scene,
    decision: Decision,
    decider: &dyn Decider,
    purpose: Purpose,
) -> rusqlite::Result<Answer> {
    let now = submission.now;
    let Request { mode, origin, .. } = submission.request;
    let charged = if origin.is_charged() { Some(charge(txn, account, submission.message, mode, scene, &decision, now)?) } else { None };
    let log_id = record(txn, account, Some(submission.message), scene, &submission.request.subject(), &decision, decider, now)?;
    let order_key = submission.request.ordered.then(|| order_key(scene.instance.id, scene.contact.id));
    let at_once = match order_key {
        Some(key) if outbox::is_in_line(txn.connection, account, key)? => None,
        _ => submission.at_once.as_ref().map(|at_once| at_once.lease),
    };
    let expires_at = origin.expiry(purpose, now);
    let delivery = at_once.map_or(Delivery::waiting(now, expires_at), |lease| Delivery::started(lease.until, expires_at));
    let status = delivery.status();
    let new = NewMessage { account, submission, scene, log_id, purpose, status, charged };
    new.insert(txn)?;
    let (place, item) = (scene.instance.id.to_bytes(), submission.message.to_bytes());
    let contact = Some(scene.contact.id);
    let row = NewRow { account, delivery: submission.delivery, order_key, place, item, contact, as_name: None, log_id };
    row.insert(txn, &delivery, at_once.map(|_| now))?;
    new.tell(txn)?;
    if at_once.is_some() {
        let told = Told { instance: scene.instance.id, recipient: submission.request.recipient.clone(), purpose, origin };
        txn.open_attempts().add(OpenAttempt { entry: row.entry(delivery).started(delivery, now), told: Some(told) });
    } else {
        txn.leave_due();
    }
    let quota = charged.map_or_else(|| quota_state(&scene.facts), |usage| QuotaState { limits: scene.facts.limits, usage });
    let answer = Answer::Accepted(Accepted { message: submission.message, log_id, status, decision, quota });
    // The permit is used up: where the group has to run again, the message is queued.
    let permit = submission.at_once.take();
    if let (Some(lease), Some(at_once)) = (at_once, permit) {
        let claimed = Claimed { account, delivery: submission.delivery, fence: delivery.fence };
        let Request { mode, recipient, content, .. } = &submission.request;
        let parcel = parcel(account, submission.message, &scene.instance, *mode, recipient.clone(), purpose, content.clone());
        txn.start_after_commit(at_once.permit, Started { claimed, attempt: delivery.tries, lease, parcel });
    }
    Ok(answer)
}

fn hold(
    txn: &mut Txn<'_>,
    account: AccountId,
    submission: &Submission,
    scene: &Scene,
    decision: Decision,
    decider: &dyn Decider,
    purpose: Purpose,
) -> rusqlite::Result<Answer> {
    let now = submission.now;
    let log_id = record(txn, account, Some(submission.message), scene, &submission.request.subject(), &decision, decider, now)?;
    let status = MessageStatus::Held;
    let new = NewMessage { account, submission, scene, log_id, purpose, status, charged: None };
    new.insert(txn)?;
    reviews::open_review(txn.connection, account, &Review::of_decision(submission.message, &decision, log_id, now))?;
    new.tell(txn)?;
    let quota = quota_state(&scene.facts);
    Ok(Answer::Accepted(Accepted { message: submission.message, log_id, status, decision, quota }))
}

fn refuse(
    txn: &mut Txn<'_>,
    account: AccountId,
    submission: &Submission,
    scene: &Scene,
    decision: Decision,
    decider: &dyn Decider,
) -> rusqlite::Result<Answer> {
    let Submission { message: id, request, now: at, .. } = submission;
    let log_id = record(txn, account, None, scene, &request.subject(), &decision, decider, *at)?;
    if decision.is_block_for_conduct() {
        traffic::note(txn, account, request.mode, Happening::Blocked, *at)?;
    }
    if decision.verdict == Verdict::Block {
        let instance = (scene.instance.id, &scene.instance.name);
        let (recipient, purpose) = (&request.recipient, request.purpose.as_str());
        let blocked = BlockedSend { id: *id, log_id, instance, recipient, purpose, decision: &decision, at: *at };
        events::tell_blocked(txn, account, &blocked)?;
    }
    Ok(Answer::Refused { log_id, decision, quota: quota_state(&scene.facts), key: scene.facts.key })
}

fn quota_state(facts: &Facts) -> QuotaState {
    let usage = facts.usage.known().copied();
    let unknown = Usage { windows: gatepost::Windows::at(Timestamp::default(), &Zone::utc()), day: 0, month: 0 };
    QuotaState { limits: facts.limits, usage: usage.unwrap_or(unknown) }
}

/// Charges what was allowed, and answers with the usage then.
pub(crate) fn charge(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: MessageId,
    mode: Mode,
    scene: &Scene,
    decision: &Decision,
    now: Timestamp,
) -> rusqlite::Result<Usage> {
    let connection = txn.connection;
    let after = scene.facts.clone().after(decision, now);
    let (Fact::Known(usage), Fact::Known(velocity)) = (after.usage, after.velocity) else {
        return Ok(quota_state(&after).usage);
    };
    if let Some(mark) = scene.mark(mode, decision, now).filter(|mark| !scene.contact.is_new && scene.contact.differs_from(mark)) {
        write_mark(txn, account, scene.contact.id, mark)?;
    }
    let Some(entry) = txn.account(account)? else { return Ok(usage) };
    entry.meter(connection, mode, now)?.set(usage, velocity.account);
    if let Some(instance) = entry.instance(connection, &scene.instance.id.into())? {
        instance.set_tat(mode, velocity.instance);
    }
    events::tell_crossings(txn, account, (message, mode), &scene.facts.limits, &usage, now)?;
    traffic::note_sent(txn, account, mode, (&scene.contact, scene.print), now)?;
    Ok(usage)
}

/// Writes the policy event, and answers with its place in the account's log.
#[expect(clippy::too_many_arguments, reason = "an event has that many parts")]
pub(crate) fn record(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: Option<MessageId>,
    scene: &Scene,
    subject: &Subject,
    decision: &Decision,
    decider: &dyn Decider,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let seq = txn.account(account)?.map(AccountEntry::next_seq).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let zones = Zone::database_version();
    // A candidate that panics is only not recorded.
    let shadow = catch_unwind(AssertUnwindSafe(|| decider.shadow(&scene.facts, subject, now))).ok().flatten();
    let body = PolicyEventBody { policy: decider.policy(), zones, subject, facts: &scene.facts, decision, shadow }.to_json();
    let sql =
        "INSERT INTO policy_events (account, seq, at, message, instance, contact, verdict, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    txn.statement(sql)?.execute(params![
        account.to_bytes(),
        signed(seq),
        now.as_millis(),
        message.map(MessageId::to_bytes),
        scene.instance.id.to_bytes(),
        scene.contact.id.to_bytes(),
        decision.verdict.word().as_str(),
        body
    ])?;
    Ok(seq)
}

/// The contact with this address, or a new one.
pub(crate) fn find_contact(
    txn: &mut Txn<'_>,
    account: AccountId,
    address: &str,
    mode: Mode,
    new: ContactId,
) -> rusqlite::Result<ContactRow> {
    let sql = "SELECT c.id, c.suppressed_by, c.suppressed_at, c.suspected_at, c.window_until, c.live_tat, c.live_hour, c.live_print,
                   c.test_tat, c.test_hour, c.test_print FROM addresses a
               JOIN contacts c ON c.account = a.account AND c.id = a.contact WHERE a.account = ?1 AND a.address = ?2";
    let found = txn.statement(sql)?.query_row(params![account.to_bytes(), address], |row| {
        let first = match mode {
            Mode::Live => 5,
            Mode::Test => 8,
        };
        Ok(ContactRow {
            id: rows::contact_id(row, 0)?,
            is_new: false,
            state: rows::contact_state(row, 1)?,
            window_until: rows::time_or_none(row, 4)?,
            tat: Tat::from_micros(row.get(first)?),
            last_sent: traffic::last_sent(row, first + 1)?,
        })
    });
    let (window_until, tat, last_sent) = (None, Tat::default(), None);
    let unknown = ContactRow { id: new, is_new: true, state: ContactState::Reachable, window_until, tat, last_sent };
    Ok(found.optional()?.unwrap_or(unknown))
}

pub(crate) fn add_contact(txn: &mut Txn<'_>, account: AccountId, id: ContactId, address: &str) -> rusqlite::Result<()> {
    add_sent_contact(txn, account, id, address, None)
}

/// Adds a contact to whom something is sent at once, where there is a mark of it.
fn add_sent_contact(txn: &mut Txn<'_>, account: AccountId, id: ContactId, address: &str, mark: Option<SentMark>) -> rusqlite::Result<()> {
    let sql = match mark.map_or(Mode::Live, |mark| mark.mode) {
        Mode::Live => "INSERT INTO contacts (account, id, address, live_tat, live_hour, live_print) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        Mode::Test => "INSERT INTO contacts (account, id, address, test_tat, test_hour, test_print) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    };
    let last_sent = mark.map(|mark| mark.last_sent);
    txn.statement(sql)?.execute(params![
        account.to_bytes(),
        id.to_bytes(),
        address,
        mark.map_or(0, |mark| mark.tat.as_micros()),
        last_sent.map(|last_sent| last_sent.hour),
        last_sent.and_then(|last_sent| last_sent.print).map(TextPrint::number)
    ])?;
    let sql = "INSERT INTO addresses (account, address, contact) VALUES (?1, ?2, ?3)";
    txn.statement(sql)?.execute(params![account.to_bytes(), address, id.to_bytes()])?;
    Ok(())
}

fn write_mark(txn: &mut Txn<'_>, account: AccountId, contact: ContactId, mark: SentMark) -> rusqlite::Result<()> {
    let sql = match mark.mode {
        Mode::Live => "UPDATE contacts SET live_tat = ?3, live_hour = ?4, live_print = ?5 WHERE account = ?1 AND id = ?2",
        Mode::Test => "UPDATE contacts SET test_tat = ?3, test_hour = ?4, test_print = ?5 WHERE account = ?1 AND id = ?2",
    };
    let SentMark { tat, last_sent, .. } = mark;
    txn.statement(sql)?.execute(params![
        account.to_bytes(),
        contact.to_bytes(),
        tat.as_micros(),
        last_sent.hour,
        last_sent.print.map(TextPrint::number)
    ])?;
    Ok(())
}

impl Scene {
    /// What the contact's row has once this is sent; none where that cannot be known.
    fn mark(&self, mode: Mode, decision: &Decision, now: Timestamp) -> Option<SentMark> {
        let tat = self.facts.clone().after(decision, now).velocity.known()?.recipient;
        Some(SentMark { mode, tat, last_sent: LastSent::next(self.contact.last_sent, self.print, now) })
    }
}

/// A message that is written for the first time.
struct NewMessage<'a> {
    account: AccountId,
    submission: &'a Submission,
    scene: &'a Scene,
    log_id: u64,
    purpose: Purpose,
    status: MessageStatus,
    charged: Option<Usage>,
}

impl NewMessage<'_> {
    fn insert(&self, txn: &mut Txn<'_>) -> rusqlite::Result<()> {
        let Submission { message, delivery, request, now, .. } = self.submission;
        let sql = "INSERT INTO messages (account, id, log_id, instance, contact, address, purpose, content, mode, origin, ordered, status,
                   charged_day, charged_month, delivery, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16)";
        let charge = self.charged.map(|usage| usage.charge());
        txn.statement(sql)?.execute(params![
            self.account.to_bytes(),
            message.to_bytes(),
            signed(self.log_id),
            self.scene.instance.id.to_bytes(),
            self.scene.contact.id.to_bytes(),
            self.scene.address,
            self.purpose.as_str(),
            to_json(&request.content)?,
            request.mode.as_str(),
            to_json(&request.origin)?,
            request.ordered,
            self.status.as_str(),
            charge.map(|charge| charge.day.number()),
            charge.map(|charge| charge.month.number()),
            delivery.to_bytes(),
            now.as_millis()
        ])?;
        self.bind_key(txn)
    }

    fn tell(&self, txn: &mut Txn<'_>) -> rusqlite::Result<()> {
        let Submission { message, request, now, .. } = self.submission;
        let change = StatusChange {
            message: *message,
            instance: (self.scene.instance.id, &self.scene.instance.name),
            recipient: &request.recipient,
            purpose: self.purpose,
            origin: request.origin,
            previous: None,
            status: self.status,
            error: None,
            at: *now,
        };
        events::tell_status(txn, self.account, &change)
    }

    fn bind_key(&self, txn: &mut Txn<'_>) -> rusqlite::Result<()> {
        let Submission { message, request, fingerprint, now, .. } = self.submission;
        let (Some(key), Some(fingerprint)) = (&request.idempotency_key, fingerprint) else { return Ok(()) };
        // A key whose time is over may still stand there until the sweep.
        let sql = "INSERT OR REPLACE INTO idempotency_keys (account, key, fingerprint, message, bound_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        txn.statement(sql)?.execute(params![
            self.account.to_bytes(),
            key.as_str(),
            fingerprint.to_bytes(),
            message.to_bytes(),
            now.as_millis()
        ])?;
        Ok(())
    }
}

/// What a transport is given: always the sandbox for a test message.
pub(crate) fn parcel(
    account: AccountId,
    message: MessageId,
    instance: &Instance,
    mode: Mode,
    recipient: gatepost::Address,
    purpose: Purpose,
    content: Content,
) -> Parcel {
    let provider = match mode {
        Mode::Live => instance.provider,
        Mode::Test => Provider::Sandbox,
    };
    Parcel { account, message, instance: instance.id, provider, recipient, purpose, content }
}
