//! Reviews: a person releases or refuses what was held.

use gatepost::{
    AccountId, Actor, Charge, Content, Decider, Delivery, ErrorClass, Fact, MessageId, MessageStatus, Mode, Origin, Outcome, Page, Purpose,
    Release, ReleaseStep, Request, Review, ReviewAnswer, ReviewFilter, ReviewState, ReviewVerdict, Reviewed, RuleId, Timestamp, Verdict,
    examine, expiry, order_key, text_print,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::accept::{self, Scene};
use crate::events::{self, Change};
use crate::outbox::NewRow;
use crate::rows;
use crate::txn::Txn;

pub(crate) fn find(connection: &Connection, account: AccountId, message: MessageId) -> rusqlite::Result<Option<Review>> {
    let sql = format!("SELECT {} FROM reviews WHERE account = ?1 AND message = ?2", rows::REVIEW_COLUMNS);
    connection.prepare_cached(&sql)?.query_row(params![account.to_bytes(), message.to_bytes()], rows::review).optional()
}

pub(crate) fn list(
    connection: &Connection,
    account: AccountId,
    filter: ReviewFilter,
    page: Page<MessageId>,
) -> rusqlite::Result<Vec<Review>> {
    let columns = rows::REVIEW_COLUMNS;
    let sql = format!(
        "SELECT {columns} FROM reviews WHERE account = ?1 AND message < ?2 AND (?3 IS NULL OR (closed_at IS NULL) = ?3)
         AND (?4 IS NULL OR opened_by = ?4) ORDER BY message DESC LIMIT ?5"
    );
    let before = page.after.map_or([0xff; 16], MessageId::to_bytes);
    let is_open = filter.state.map(|state| state == ReviewState::Open);
    let params = params![account.to_bytes(), before, is_open, filter.rule.map(RuleId::as_str), page.limit as i64];
    rows::all(&mut *connection.prepare_cached(&sql)?, params, rows::review)
}

/// The open review, or why there is none to answer.
fn open(txn: &mut Txn<'_>, account: AccountId, message: MessageId, now: Timestamp) -> rusqlite::Result<Result<Review, ReviewAnswer>> {
    Ok(match find(txn.connection, account, message)? {
        None => Err(ReviewAnswer::NotFound),
        Some(review) if review.closed.is_none() && review.expires_at <= now => {
            expire(txn, account, message, now)?;
            let expired = find(txn.connection, account, message)?;
            Err(expired.map_or(ReviewAnswer::NotFound, |expired| ReviewAnswer::Closed(Box::new(expired))))
        }
        Some(review) if review.closed.is_some() => Err(ReviewAnswer::Closed(Box::new(review))),
        Some(review) => Ok(review),
    })
}

/// Has a person look at a message that was taken back, since its recipient may have opted out.
pub(crate) fn reopen(connection: &Connection, account: AccountId, message: MessageId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "SELECT log_id FROM messages WHERE account = ?1 AND id = ?2";
    let params = params![account.to_bytes(), message.to_bytes()];
    let policy_event = connection.prepare_cached(sql)?.query_row(params, |row| rows::count(row, 0))?;
    open_review(connection, account, &Review::of_suspicion(message, policy_event, now))
}

/// Has a person look at a message. One that was taken back may have been looked at before.
pub(crate) fn open_review(connection: &Connection, account: AccountId, review: &Review) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO reviews (account, message, opened_by, policy_event, opened_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        account.to_bytes(),
        review.message.to_bytes(),
        review.opened_by.map(RuleId::as_str),
        rows::signed(review.policy_event),
        review.opened_at.as_millis(),
        review.expires_at.as_millis()
    ])?;
    Ok(())
}

pub(crate) fn refuse(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: MessageId,
    by: Actor,
    note: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<ReviewAnswer> {
    if let Err(answer) = open(txn, account, message, now)? {
        return Ok(answer);
    }
    close(txn.connection, account, message, by, ReviewVerdict::Refused, note, now)?;
    end_hold(txn, account, message, MessageStatus::Refused, None, now)?;
    Ok(ReviewAnswer::Done(MessageStatus::Refused))
}

/// Writes the first of two releases down, or decides again.
pub(crate) fn release(txn: &mut Txn<'_>, account: AccountId, release: &Release, decider: &dyn Decider) -> rusqlite::Result<ReviewAnswer> {
    let review = match open(txn, account, release.message, release.now)? {
        Err(answer) => return Ok(answer),
        Ok(review) => review,
    };
    let two_people = txn.account(account)?.is_some_and(|entry| entry.account.two_person_review);
    match review.release_by(release.by, two_people) {
        ReleaseStep::Approves => approve(txn.connection, account, release),
        ReleaseStep::Repeats => Ok(ReviewAnswer::SecondNeeded),
        ReleaseStep::Decides => decide_again(txn, account, release, review.reviewed(release.by), decider),
    }
}

fn approve(connection: &Connection, account: AccountId, release: &Release) -> rusqlite::Result<ReviewAnswer> {
    let Release { message, by, note, now, .. } = release;
    let sql = "UPDATE reviews SET approved_at = ?3, approved_by = ?4, approval_note = ?5 WHERE account = ?1 AND message = ?2";
    let params = params![account.to_bytes(), message.to_bytes(), now.as_millis(), by.to_string(), note];
    connection.prepare_cached(sql)?.execute(params)?;
    Ok(ReviewAnswer::AwaitsSecond)
}

/// Decides again about a held message, with the facts of now.
fn decide_again(
    txn: &mut Txn<'_>,
    account: AccountId,
    release: &Release,
    reviewed: Reviewed,
    decider: &dyn Decider,
) -> rusqlite::Result<ReviewAnswer> {
    let now = release.now;
    let held = held_message(txn.connection, account, release.message)?;
    let sender = txn.account(account)?.map(|entry| entry.account.sender.clone()).unwrap_or_default();
    let content = (Fact::Known(examine(&held.request.content, &sender)), text_print(&held.request.content));
    let Some(scene) = accept::look(txn, account, &held.request, content, held.contact, now)? else {
        return Ok(ReviewAnswer::NotFound);
    };
    let subject = held.request.subject().released(reviewed);
    let decision = decider.decide(&scene.facts, &subject, now);
    let seq = accept::record(txn, account, Some(release.message), &scene, &subject, &decision, decider, now)?;
    match decision.verdict {
        Verdict::Allow => {
            let usage = accept::charge(txn, account, release.message, held.request.mode, &scene, &decision, now)?;
            write_charge(txn.connection, account, release, usage.charge())?;
            let note = release.note.as_deref();
            close(txn.connection, account, release.message, release.by, ReviewVerdict::Released, note, now)?;
            queue(txn, account, release, &held, &scene)
        }
        _ if decision.may_change() => {
            if let Some(review) = Review::of_unseen_doubt(release.message, &decision, seq, now) {
                open_review(txn.connection, account, &review)?;
            }
            Ok(ReviewAnswer::Forbidden(decision))
        }
        _ => {
            close(txn.connection, account, release.message, release.by, ReviewVerdict::Refused, release.note.as_deref(), now)?;
            end_hold(txn, account, release.message, MessageStatus::Refused, None, now)?;
            Ok(ReviewAnswer::Forbidden(decision))
        }
    }
}

fn queue(txn: &mut Txn<'_>, account: AccountId, release: &Release, held: &HeldMessage, scene: &Scene) -> rusqlite::Result<ReviewAnswer> {
    let now = release.now;
    let outcomes = outcomes(txn.connection, account, release.message)?;
    let delivery = Delivery::again(&outcomes, now, expiry(held.purpose, now));
    let order_key = held.request.ordered.then(|| order_key(scene.instance.id, scene.contact.id));
    let message = release.message;
    let (place, item) = (scene.instance.id.to_bytes(), message.to_bytes());
    let contact = Some(scene.contact.id);
    let row = NewRow { account, delivery: release.delivery, order_key, place, item, contact, as_name: None, log_id: held.log_id };
    row.insert(txn, &delivery, None)?;
    end_hold(txn, account, message, delivery.status(), None, now)?;
    txn.leave_due();
    Ok(ReviewAnswer::Done(delivery.status()))
}

/// How the attempts ended that were made before a message was taken back.
fn outcomes(connection: &Connection, account: AccountId, message: MessageId) -> rusqlite::Result<Vec<Outcome>> {
    let sql = "SELECT outcome FROM attempts WHERE account = ?1 AND message = ?2";
    rows::all(&mut *connection.prepare_cached(sql)?, params![account.to_bytes(), message.to_bytes()], |row| rows::json(row, 0))
}

/// A held message as the request that it was.
struct HeldMessage {
    request: Request,
    purpose: Purpose,
    contact: gatepost::ContactId,
    log_id: u64,
}

fn held_message(connection: &Connection, account: AccountId, message: MessageId) -> rusqlite::Result<HeldMessage> {
    let sql =
        "SELECT instance, contact, address, purpose, content, mode, origin, ordered, log_id FROM messages WHERE account = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), message.to_bytes()], |row| {
        let purpose: Purpose = rows::plain_column(row, 3)?;
        let content: Content = rows::json(row, 4)?;
        let mode: Mode = rows::plain_column(row, 5)?;
        let origin: Origin = rows::json(row, 6)?;
        let request = Request {
            instance: rows::instance_id(row, 0)?.into(),
            recipient: rows::address(row, 2)?,
            purpose: purpose.into(),
            content,
            idempotency_key: None,
            ordered: row.get(7)?,
            origin,
            mode,
        };
        Ok(HeldMessage { request, purpose, contact: rows::contact_id(row, 1)?, log_id: rows::count(row, 8)? })
    })
}

fn write_charge(connection: &Connection, account: AccountId, release: &Release, charge: Charge) -> rusqlite::Result<()> {
    let sql = "UPDATE messages SET charged_day = ?3, charged_month = ?4, delivery = ?5 WHERE account = ?1 AND id = ?2";
    let Charge { day, month } = charge;
    let params = params![account.to_bytes(), release.message.to_bytes(), day.number(), month.number(), release.delivery.to_bytes()];
    connection.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

/// Closes a review that nobody answered in time.
pub(crate) fn expire(txn: &mut Txn<'_>, account: AccountId, message: MessageId, now: Timestamp) -> rusqlite::Result<()> {
    close(txn.connection, account, message, Actor::Gateway, ReviewVerdict::Expired, None, now)?;
    end_hold(txn, account, message, MessageStatus::Refused, Some(ErrorClass::Expired), now)
}

/// Nobody needs to look at a held message any more that went out before.
pub(crate) fn close_arrived(connection: &Connection, account: AccountId, message: MessageId, now: Timestamp) -> rusqlite::Result<()> {
    close(connection, account, message, Actor::Gateway, ReviewVerdict::Arrived, None, now)
}

fn close(
    connection: &Connection,
    account: AccountId,
    message: MessageId,
    by: Actor,
    verdict: ReviewVerdict,
    note: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE reviews SET closed_at = ?3, closed_by = ?4, verdict = ?5, note = ?6 WHERE account = ?1 AND message = ?2";
    let params = params![account.to_bytes(), message.to_bytes(), now.as_millis(), by.to_string(), verdict.as_str(), note];
    connection.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

/// Gives a held message its next status, and tells of it.
fn end_hold(
    txn: &mut Txn<'_>,
    account: AccountId,
    message: MessageId,
    status: MessageStatus,
    error: Option<ErrorClass>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE messages SET status = ?3, error = ?4, updated_at = ?5 WHERE account = ?1 AND id = ?2";
    let params = params![account.to_bytes(), message.to_bytes(), status.as_str(), error.map(ErrorClass::as_str), now.as_millis()];
    txn.connection.prepare_cached(sql)?.execute(params)?;
    events::tell_change(txn, account, message, None, Change { previous: MessageStatus::Held, status, error }, now)
}
