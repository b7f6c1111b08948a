//! Inbox: what providers tell, kept as it comes and heeded in that order.
//!
//! The players: [`receive`] (one notification), [`heed`] (what follows from each thing of it, whole or not at all), and a function for each
//! kind of thing that something follows from. One writer heeds, so what came in has one order in its account, and with it in each contact.

use std::borrow::Cow;
use std::ops::Range;

use gatepost::{
    AccountId, Actor, Address, CONVERSATION_TIME, Cause, Confirmation, ContactId, Decider, DeliveryId, ErrorClass, Heed, HeedAnswer,
    Inbound, InboundEntry, InboundFilter, InboundId, InstanceChange, InstanceId, Message, MessageId, MessageReceived, MessageStatus,
    NewSuppression, Notification, NotificationEntry, NotificationId, OptChange, Page, Received, Response, Said, SaidDetail, Settled,
    StatusReport, Suppression, SuppressionId, Timestamp, Told, Words, shard,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::error::is_unreadable;
use crate::outbox;
use crate::rows::{self, signed, to_json};
use crate::txn::{AccountEntry, Txn};
use crate::{accept, accounts, contacts, deliver, events, messages, suppressions};

/// Keeps what a provider posted, and each thing of it that was not told before; `None` where there is no such account.
pub(crate) fn receive(txn: &mut Txn<'_>, account: AccountId, notification: &Notification) -> rusqlite::Result<Option<Received>> {
    if txn.account(account)?.is_none() {
        return Ok(None);
    }
    let mut received = Received::default();
    for inbound in &notification.inbound {
        if !note_key(txn, account, inbound, notification.now)? {
            received.repeated += 1;
            continue;
        }
        received.new += 1;
        received.quarantined += usize::from(matches!(inbound.told, Told::Quarantined { .. }));
        keep(txn, account, notification, inbound)?;
    }
    let sql = "INSERT INTO notifications (account, id, instance, received_at, new, repeated, quarantined, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    txn.statement(sql)?.execute(params![
        account.to_bytes(),
        notification.id.to_bytes(),
        notification.instance.to_bytes(),
        notification.now.as_millis(),
        received.new as i64,
        received.repeated as i64,
        received.quarantined as i64,
        notification.body
    ])?;
    Ok(Some(received))
}

/// Whether it was not told before.
fn note_key(txn: &mut Txn<'_>, account: AccountId, inbound: &Inbound, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO inbound_keys (account, key, told_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    Ok(txn.statement(sql)?.execute(params![account.to_bytes(), inbound.key.to_bytes(), now.as_millis()])? > 0)
}

fn keep(txn: &mut Txn<'_>, account: AccountId, notification: &Notification, inbound: &Inbound) -> rusqlite::Result<()> {
    let now = notification.now;
    let contact = if inbound.introduces() { contacts::know(txn, account, &inbound.addresses(), inbound.contact, now)? } else { None };
    let delivery = inbound.told.is_heeded().then(|| DeliveryId::of_inbound(inbound.id, now));
    let said = if let Told::Said(said) = &inbound.told { Some(said) } else { None };
    let sql =
        "INSERT INTO inbound (account, id, notification, instance, delivery, contact, address, kind, class, at, received_at, words, detail,
               told) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    txn.statement(sql)?.execute(params![
        account.to_bytes(),
        inbound.id.to_bytes(),
        notification.id.to_bytes(),
        notification.instance.to_bytes(),
        delivery.map(DeliveryId::to_bytes),
        contact.map(ContactId::to_bytes),
        inbound.people.first().map(rows::address_text),
        inbound.kind,
        inbound.told.class().as_str(),
        inbound.at.map(Timestamp::as_millis),
        now.as_millis(),
        said.and_then(|said| said.text.as_ref()).map(Words::as_str),
        said.and_then(Detail::of).map(|detail| to_json(&detail)).transpose()?,
        to_json(&inbound.told)?
    ])?;
    delivery.map_or(Ok(()), |delivery| wait(txn, account, notification.instance, inbound.id, delivery, now))
}

fn wait(
    txn: &mut Txn<'_>,
    account: AccountId,
    instance: InstanceId,
    inbound: InboundId,
    delivery: DeliveryId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let log_id = txn.account(account)?.map(AccountEntry::next_inbound).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let sql = "INSERT INTO outbox (delivery, account, shard, channel, place, item, log_id, state, due, expires_at, fence, tries, put_off)
               VALUES (?1, ?2, ?3, 2, ?4, ?5, ?6, 0, ?7, ?8, 0, 0, 0)";
    txn.statement(sql)?.execute(params![
        delivery.to_bytes(),
        account.to_bytes(),
        shard(account, None),
        instance.to_bytes(),
        inbound.to_bytes(),
        signed(log_id),
        now.as_millis(),
        i64::MAX
    ])?;
    txn.leave_due();
    Ok(())
}

/// Heeds what came in, account after account.
pub(crate) fn heed(txn: &mut Txn<'_>, heed: &Heed) -> rusqlite::Result<HeedAnswer> {
    let mut answer = HeedAnswer::default();
    let mut after = heed.after;
    while let Some(account) = next_account(txn.connection, after)? {
        after = Some(account);
        let room = heed.per_account.min(heed.limit - answer.heeded);
        heed_account(txn, account, 0..room, heed, &mut answer)?;
        if answer.heeded >= heed.limit {
            answer.after = after;
            break;
        }
    }
    answer.settled.append(&mut txn.take_called_back());
    Ok(answer)
}

pub(crate) const NEXT_ACCOUNT: &str = "SELECT account FROM outbox INDEXED BY outbox_inbox_waiting
    WHERE channel = 2 AND state = 0 AND account > ?1 AND length(account) = 16 ORDER BY account LIMIT 1";

/// Heeds one thing of an account, behind so many that are passed over.
pub(crate) fn heed_one_behind(txn: &mut Txn<'_>, account: AccountId, passed: usize, heed: &Heed) -> rusqlite::Result<HeedAnswer> {
    let mut answer = HeedAnswer::default();
    heed_account(txn, account, passed..passed + 1, heed, &mut answer)?;
    answer.settled.append(&mut txn.take_called_back());
    Ok(answer)
}

/// The accounts in which something waits to be heeded.
pub(crate) fn inboxes(connection: &Connection, heed: &Heed) -> rusqlite::Result<Vec<AccountId>> {
    let mut found = Vec::new();
    let mut after = heed.after;
    while found.len() < heed.limit
        && let Some(account) = next_account(connection, after)?
    {
        found.push(account);
        after = Some(account);
    }
    Ok(found)
}

fn next_account(connection: &Connection, after: Option<AccountId>) -> rusqlite::Result<Option<AccountId>> {
    let after = after.map_or_else(Vec::new, |account| account.to_bytes().to_vec());
    connection.prepare_cached(NEXT_ACCOUNT)?.query_row([after], |row| rows::account_id(row, 0)).optional()
}

pub(crate) const NEXT: &str = "SELECT delivery, item FROM outbox INDEXED BY outbox_inbox_waiting
    WHERE channel = 2 AND state = 0 AND account = ?1 ORDER BY log_id LIMIT ?2";

/// Heeds what stands at these places of an account's inbox.
fn heed_account(txn: &mut Txn<'_>, account: AccountId, places: Range<usize>, heed: &Heed, answer: &mut HeedAnswer) -> rusqlite::Result<()> {
    // An account that cannot be read keeps what came in to itself waiting, and nothing else.
    if txn.part(|txn| txn.account(account).map(drop))?.is_none() {
        return Ok(());
    }
    let next = rows::all(&mut *txn.connection.prepare_cached(NEXT)?, params![account.to_bytes(), places.end as i64], read_next)?;
    answer.more |= next.len() == places.end;
    let next = next.into_iter().skip(places.start).collect();
    // What cannot be read is parked, and keeps nothing behind it waiting.
    for (delivery, id) in outbox::readable(txn, next, heed.now)? {
        answer.heeded += 1;
        let heeded = outbox::or_park(txn, delivery, heed.now, |txn| {
            outbox::remove(txn, delivery)?;
            heed_one(txn, account, id, &*heed.decider, heed.now)
        })?;
        answer.settled.extend(heeded.flatten());
    }
    Ok(())
}

fn read_next(row: &Row<'_>) -> rusqlite::Result<outbox::Read<(DeliveryId, InboundId)>> {
    let next = |row: &Row<'_>| Ok((rows::delivery_id(row, 0)?, InboundId::from_bytes(row.get(1)?)));
    match next(row) {
        Err(error) if is_unreadable(&error) => row.get(0).map(Err),
        read => read.map(Ok),
    }
}

/// Does what follows from one thing; the message whose status that changed.
fn heed_one(
    txn: &mut Txn<'_>,
    account: AccountId,
    id: InboundId,
    decider: &dyn Decider,
    now: Timestamp,
) -> rusqlite::Result<Option<Settled>> {
    let Some(entry) = find(txn.connection, account, id)? else { return Ok(None) };
    match &entry.told {
        Told::Said(said) => {
            let is_confirmed = hear(txn, account, &entry, said, now)?;
            if let Some(confirmation) = is_confirmed.then(|| confirmation(&entry, said)).flatten().filter(|found| found.is_in_time(now)) {
                txn.part(|txn| confirm(txn, account, &confirmation, decider, now))?;
            }
            Ok(None)
        }
        Told::Status(report) => {
            let sql = "DELETE FROM inbound WHERE account = ?1 AND id = ?2";
            txn.statement(sql)?.execute(params![account.to_bytes(), id.to_bytes()])?;
            report_status(txn, account, &entry, report, now)
        }
        Told::Preference(wish) => respond(txn, account, &entry, None, wish.response(), now).map(|_| None),
        Told::Connection(connection) => {
            let change = InstanceChange { connection: Some(*connection), at: now, ..InstanceChange::default() };
            // It changes rows that the group has read; only a change of the pause could be refused.
            txn.savepoint(|txn| accounts::change_instance(txn, account, entry.instance, change.clone()).map(drop))??;
            Ok(None)
        }
        Told::Identity(_) | Told::Other | Told::Quarantined { .. } => Ok(None),
    }
}

/// Heeds what a contact said: what they ask for before all else. Whether that is to be confirmed. What keeps others from being told of
/// it keeps nobody from being left alone.
fn hear(txn: &mut Txn<'_>, account: AccountId, entry: &InboundEntry, said: &Said, now: Timestamp) -> rusqlite::Result<bool> {
    let is_confirmed = respond(txn, account, entry, Some(said), said.response(), now)?;
    let at = entry.said_at();
    if let Some(contact) = entry.contact.filter(|_| said.opens_window) {
        open_window(txn, account, contact, entry.instance, at.plus(CONVERSATION_TIME))?;
    }
    if let (Some(contact), Some(name)) = (entry.contact, &said.sender_name) {
        contacts::call(txn.connection, account, contact, name, at)?;
    }
    txn.part(|txn| tell_received(txn, account, entry, said, at))?;
    Ok(is_confirmed)
}

fn tell_received(txn: &mut Txn<'_>, account: AccountId, entry: &InboundEntry, said: &Said, at: Timestamp) -> rusqlite::Result<()> {
    let from = sender(txn, account, entry)?;
    if !events::is_heard(txn, account, &MessageReceived::topic_of(entry.instance, from.as_ref()))? {
        return Ok(());
    }
    // Where it cannot be read, what was answered to it is told all the same.
    let reply_to = txn.part(|txn| answered_message(txn, account, entry.instance, said))?.flatten();
    let Some(instance) = txn.instance(account, entry.instance)? else { return Ok(()) };
    let (id, instance, from) = (entry.id, (instance.id, &instance.name), from.as_ref());
    let heard = MessageReceived { id, instance, from, said, reply_to: reply_to.as_ref(), at, received_at: entry.received_at };
    events::tell(txn, account, &heard.topic(), || Some(heard.event()))
}

/// Who wrote, by their number where the account knows it: a provider may not say it again.
fn sender(txn: &Txn<'_>, account: AccountId, entry: &InboundEntry) -> rusqlite::Result<Option<Address>> {
    let (Some(from), Some(contact)) = (&entry.from, entry.contact) else { return Ok(entry.from.clone()) };
    if from.phone().is_some() {
        return Ok(Some(from.clone()));
    }
    let addresses = contacts::addresses(txn.connection, account, contact)?;
    Ok(addresses.into_iter().find(|address| address.phone().is_some()).or_else(|| entry.from.clone()))
}

/// Our message that somebody answered to.
fn answered_message(txn: &mut Txn<'_>, account: AccountId, instance: InstanceId, said: &Said) -> rusqlite::Result<Option<Message>> {
    let Some(external_id) = &said.reply_to else { return Ok(None) };
    message_called(txn, account, instance, external_id)
}

fn open_window(txn: &mut Txn<'_>, account: AccountId, contact: ContactId, instance: InstanceId, until: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO conversations (account, contact, instance, until) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT DO UPDATE SET until = max(until, excluded.until)";
    txn.statement(sql)?.execute(params![account.to_bytes(), contact.to_bytes(), instance.to_bytes(), until.as_millis()])?;
    let sql = "UPDATE contacts SET window_until = ?3 WHERE account = ?1 AND id = ?2 AND (window_until IS NULL OR window_until < ?3)";
    txn.statement(sql)?.execute(params![account.to_bytes(), contact.to_bytes(), until.as_millis()])?;
    Ok(())
}

/// Does what a contact asked for; whether that is to be confirmed.
fn respond(
    txn: &mut Txn<'_>,
    account: AccountId,
    entry: &InboundEntry,
    said: Option<&Said>,
    response: Response,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let (Some(contact), Some(address)) = (entry.contact, &entry.from) else { return Ok(false) };
    let (source, is_confirmed) = match response {
        Response::Nothing => return Ok(false),
        Response::Suspect => return contacts::suspect(txn, account, contact, entry.id, now).map(|()| false),
        Response::OptOut(cause) => {
            let stood = suppressions::causes_in_force(txn.connection, account, contact)?;
            if stood.contains(&cause) {
                return contacts::trust(txn.connection, account, contact).map(|()| false);
            }
            let (id, by, address) = (SuppressionId::of(entry.id.to_bytes(), now), Actor::Recipient, address.clone());
            suppressions::add(txn, account, NewSuppression { id, contact, address, cause, note: None, by, now })?;
            (cause, response.is_confirmed(stood))
        }
        Response::OptIn | Response::Resume => {
            contacts::trust(txn.connection, account, contact)?;
            let lifts = |standing: &Suppression| response.lifts(standing.cause) && entry.may_follow(standing.since);
            let lifted = contacts::lift_all(txn.connection, account, contact, now, lifts)?;
            let Some(strictest) = lifted.first() else { return Ok(false) };
            (strictest.cause, false)
        }
    };
    let text = said.and_then(|said| said.text.as_ref());
    let change = OptChange { id: entry.id.to_bytes(), instance: None, address, text, source, at: now };
    txn.part(|txn| tell_opt_change(txn, account, entry.instance, change, matches!(response, Response::OptOut(_))))?;
    Ok(is_confirmed)
}

fn tell_opt_change(
    txn: &mut Txn<'_>,
    account: AccountId,
    instance: InstanceId,
    change: OptChange<'_>,
    opted_out: bool,
) -> rusqlite::Result<()> {
    let instance = txn.instance(account, instance)?;
    let instance = instance.as_ref().map(|instance| (instance.id, &instance.name));
    events::tell_opt_change(txn, account, &OptChange { instance, ..change }, opted_out)
}

/// The confirmation of what they said, where it was understood.
fn confirmation<'a>(entry: &'a InboundEntry, said: &Said) -> Option<Confirmation<'a>> {
    let language = said.meaning?.language;
    let (contact, address, said_at) = (entry.contact?, entry.from.as_ref()?, entry.said_at());
    Some(Confirmation { inbound: entry.id, contact, address, instance: entry.instance, language, said_at })
}

/// Sends the one confirmation, if it may be sent.
fn confirm(
    txn: &mut Txn<'_>,
    account: AccountId,
    confirmation: &Confirmation<'_>,
    decider: &dyn Decider,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let confirming = txn.account(account)?.map(|entry| &entry.account).filter(|account| account.confirms_opt_out);
    let Some(mut submission) = confirming.map(|account| confirmation.submission(account, now)) else { return Ok(()) };
    accept::accept_if_allowed(txn, account, &mut submission, decider)
}

/// Notes how far a message got. A report that ends an open delivery closes its doubt.
fn report_status(
    txn: &mut Txn<'_>,
    account: AccountId,
    entry: &InboundEntry,
    report: &StatusReport,
    now: Timestamp,
) -> rusqlite::Result<Option<Settled>> {
    note_opt_out(txn, account, entry, report, now)?;
    let Some(mut message) = reported_message(txn, account, entry.instance, report)? else { return Ok(None) };
    // A provider may call a recipient by another address than they were written to: they are the same person.
    if let Some(called) = entry.from.as_ref().filter(|called| **called != message.recipient) {
        let addresses = [message.recipient.clone(), called.clone()].into_iter().collect();
        contacts::know(txn, account, &addresses, ContactId::of(message.id.to_bytes(), now), now)?;
        // What holds for the one may have held or withdrawn what waited for the other.
        message = messages::find(txn.connection, account, message.id)?.unwrap_or(message);
    }
    let may_be_taken_back = matches!(message.status, MessageStatus::Held | MessageStatus::Refused);
    let tried = may_be_taken_back && messages::is_tried(txn.connection, account, message.id)?;
    let Some(reported) = report.on(message.status, tried) else { return Ok(None) };
    let is_written = deliver::write_report(txn, account, &message, report, reported, now)?;
    Ok(is_written.then_some(Settled { message: message.id, status: reported.status }))
}

/// Heeds that a recipient stopped messages at the provider, whoever sent the one that failed.
fn note_opt_out(
    txn: &mut Txn<'_>,
    account: AccountId,
    entry: &InboundEntry,
    report: &StatusReport,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let (Some(ErrorClass::OptedOut), Some(address)) = (report.error, entry.from.clone()) else { return Ok(()) };
    let (id, contact) = (SuppressionId::of(entry.id.to_bytes(), now), ContactId::of(entry.id.to_bytes(), now));
    let (cause, by) = (Cause::UserPreference, Actor::Recipient);
    suppressions::suppress(txn, account, NewSuppression { id, contact, address, cause, note: None, by, now }).map(drop)
}

/// The message of this instance that a report is about: by our id, or else the newest that the provider calls so.
fn reported_message(
    txn: &mut Txn<'_>,
    account: AccountId,
    instance: InstanceId,
    report: &StatusReport,
) -> rusqlite::Result<Option<Message>> {
    let of_instance = |message: &Message| message.instance == instance;
    let named = report.message.map(|id| messages::find(txn.connection, account, id)).transpose()?.flatten().filter(of_instance);
    if named.is_some() { Ok(named) } else { message_called(txn, account, instance, &report.external_id) }
}

/// The newest message of this instance that the provider calls so.
fn message_called(txn: &mut Txn<'_>, account: AccountId, instance: InstanceId, external_id: &str) -> rusqlite::Result<Option<Message>> {
    let sql = "SELECT message FROM external_ids WHERE account = ?1 AND instance = ?2 AND external_id = ?3";
    let params = params![account.to_bytes(), instance.to_bytes(), external_id];
    let found: Option<MessageId> = txn.statement(sql)?.query_row(params, |row| rows::message_id(row, 0)).optional()?;
    Ok(found.map(|id| messages::find(txn.connection, account, id)).transpose()?.flatten())
}

/// Notes the id that a provider gave to a message, so that its reports are understood.
pub(crate) fn note_external_id(
    txn: &mut Txn<'_>,
    account: AccountId,
    instance: InstanceId,
    external_id: &str,
    message: MessageId,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO external_ids (account, instance, external_id, message) VALUES (?1, ?2, ?3, ?4)";
    txn.statement(sql)?.execute(params![account.to_bytes(), instance.to_bytes(), external_id, message.to_bytes()])?;
    Ok(())
}

/// What is kept of somebody's words apart from the text.
#[derive(Default, Deserialize, Serialize)]
struct Detail<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, SaidDetail>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender_name: Option<Cow<'a, Words>>,
}

impl<'a> Detail<'a> {
    /// It, where there is something to keep.
    fn of(said: &'a Said) -> Option<Self> {
        let (detail, sender_name) = (said.detail.as_ref().map(Cow::Borrowed), said.sender_name.as_ref().map(Cow::Borrowed));
        (detail.is_some() || sender_name.is_some()).then_some(Self { detail, sender_name })
    }
}

const COLUMNS: &str = "i.id, i.notification, i.instance, i.contact, i.address, i.kind, i.at, i.received_at, i.words, i.detail, i.told,
    EXISTS (SELECT 1 FROM outbox o WHERE o.delivery = i.delivery AND o.state = 0)";

fn entry(row: &Row<'_>) -> rusqlite::Result<InboundEntry> {
    let mut told: Told = rows::json(row, 10)?;
    if let Told::Said(said) = &mut told {
        let Detail { detail, sender_name } = rows::json_or_none(row, 9)?.unwrap_or_default();
        said.text = row.get::<_, Option<String>>(8)?.map(Words::new);
        said.detail = detail.map(Cow::into_owned);
        said.sender_name = sender_name.map(Cow::into_owned);
    }
    Ok(InboundEntry {
        id: InboundId::from_bytes(row.get(0)?),
        notification: NotificationId::from_bytes(row.get(1)?),
        instance: rows::instance_id(row, 2)?,
        contact: row.get::<_, Option<[u8; 16]>>(3)?.map(ContactId::from_bytes),
        from: row.get::<_, Option<String>>(4)?.map(|_| rows::address(row, 4)).transpose()?,
        kind: row.get(5)?,
        at: rows::time_or_none(row, 6)?,
        received_at: rows::time(row, 7)?,
        waits: row.get(11)?,
        told,
    })
}

/// One thing that came in; its contact is the one that it is by now.
pub(crate) fn find(connection: &Connection, account: AccountId, id: InboundId) -> rusqlite::Result<Option<InboundEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM inbound i WHERE i.account = ?1 AND i.id = ?2");
    let found = connection.prepare_cached(&sql)?.query_row(params![account.to_bytes(), id.to_bytes()], entry).optional()?;
    found.map(|entry| with_present_contact(connection, account, entry)).transpose()
}

fn with_present_contact(connection: &Connection, account: AccountId, mut entry: InboundEntry) -> rusqlite::Result<InboundEntry> {
    if let Some(contact) = &mut entry.contact {
        *contact = contacts::present(connection, account, *contact)?;
    }
    Ok(entry)
}

/// What came in, newest first. What waits to be heeded is there already.
pub(crate) fn list(
    connection: &Connection,
    account: AccountId,
    filter: InboundFilter,
    page: Page<InboundId>,
) -> rusqlite::Result<Vec<InboundEntry>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM inbound i WHERE i.account = ?1 AND i.id < ?2 AND (?3 IS NULL OR i.instance = ?3)
         AND (?4 IS NULL OR i.class = ?4) ORDER BY i.id DESC LIMIT ?5"
    );
    let before = page.after.map_or([0xff; 16], InboundId::to_bytes);
    let (instance, class) = (filter.instance.map(InstanceId::to_bytes), filter.class.map(gatepost::InboundClass::as_str));
    let params = params![account.to_bytes(), before, instance, class, page.limit as i64];
    let found = rows::all(&mut *connection.prepare_cached(&sql)?, params, entry)?;
    found.into_iter().map(|entry| with_present_contact(connection, account, entry)).collect()
}

fn notification_entry(row: &Row<'_>) -> rusqlite::Result<NotificationEntry> {
    let count = |column| rows::count(row, column).map(|count| count as usize);
    Ok(NotificationEntry {
        id: NotificationId::from_bytes(row.get(0)?),
        instance: rows::instance_id(row, 1)?,
        received_at: rows::time(row, 2)?,
        received: Received { new: count(3)?, repeated: count(4)?, quarantined: count(5)? },
        body: row.get(6)?,
    })
}

/// What providers posted, without the bytes, newest first.
pub(crate) fn notifications(
    connection: &Connection,
    account: AccountId,
    page: Page<NotificationId>,
) -> rusqlite::Result<Vec<NotificationEntry>> {
    let sql = "SELECT id, instance, received_at, new, repeated, quarantined, NULL FROM notifications WHERE account = ?1 AND id < ?2
               ORDER BY id DESC LIMIT ?3";
    let before = page.after.map_or([0xff; 16], NotificationId::to_bytes);
    rows::all(&mut *connection.prepare_cached(sql)?, params![account.to_bytes(), before, page.limit as i64], notification_entry)
}

pub(crate) fn notification(connection: &Connection, account: AccountId, id: NotificationId) -> rusqlite::Result<Option<NotificationEntry>> {
    let sql = "SELECT id, instance, received_at, new, repeated, quarantined, body FROM notifications WHERE account = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), id.to_bytes()], notification_entry).optional()
}
