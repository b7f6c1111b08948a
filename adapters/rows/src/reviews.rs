//! Reviews: a person releases or refuses what was held.

use gatepost::{
    AccountId, Actor, Approval, Closing, ContactId, Content, Decider, Delivery, ErrorClass, Fact, MessageId, MessageStatus, Page, Release,
    ReleaseStep, Request, Review, ReviewAnswer, ReviewFilter, ReviewVerdict, Reviewed, Settled, StoreError, Timestamp, Verdict, examine,
    expiry, order_key, text_print,
};

use crate::accept::{self, Scene};
use crate::messages::set_status;
use crate::world::{AccountRows, Effects, MessageRow, OutboxRow, World, newest};

/// A page of the reviews that a filter admits, newest first.
pub fn list(rows: &AccountRows, filter: ReviewFilter, page: Page<MessageId>) -> Vec<Review> {
    newest(&rows.reviews, page).filter(|review| filter.admits(review)).take(page.limit).cloned().collect()
}

/// The open review of a held message, or why there is none to answer.
fn open<'a>(rows: &'a mut AccountRows, effects: &mut Effects, message: MessageId, now: Timestamp) -> Result<&'a Review, ReviewAnswer> {
    let is_over = |review: &Review| review.closed.is_none() && review.expires_at <= now;
    if rows.reviews.get(&message).is_some_and(is_over) {
        expire_one(rows, effects, message, now);
    }
    match rows.reviews.get(&message) {
        None => Err(ReviewAnswer::NotFound),
        Some(review) if review.closed.is_some() => Err(ReviewAnswer::Closed(Box::new(review.clone()))),
        Some(review) => Ok(review),
    }
}

/// Has a person look at a message that was taken back, since its recipient may have opted out.
pub fn reopen(rows: &mut AccountRows, message: MessageId, now: Timestamp) {
    if let Some(row) = rows.messages.get_mut(&message) {
        rows.reviews.insert(message, Review::of_suspicion(message, row.message.log_id, now));
        row.charge = None;
    }
}

fn expire_one(rows: &mut AccountRows, effects: &mut Effects, message: MessageId, now: Timestamp) {
    close(rows, message, Closing { at: now, by: Actor::Gateway, verdict: ReviewVerdict::Expired, note: None });
    set_status(rows, effects, message, MessageStatus::Refused, Some(ErrorClass::Expired), now);
}

/// Nobody needs to look at a message any more that went out before it was held.
pub fn close_arrived(rows: &mut AccountRows, message: MessageId, now: Timestamp) {
    if rows.reviews.get(&message).is_some_and(|review| review.closed.is_none()) {
        close(rows, message, Closing { at: now, by: Actor::Gateway, verdict: ReviewVerdict::Arrived, note: None });
    }
}

fn close(rows: &mut AccountRows, message: MessageId, closing: Closing) {
    if let Some(review) = rows.reviews.get_mut(&message) {
        review.closed = Some(closing);
    }
}

/// Refuses a held message.
pub fn refuse(
    rows: &mut AccountRows,
    effects: &mut Effects,
    message: MessageId,
    by: Actor,
    note: Option<String>,
    now: Timestamp,
) -> ReviewAnswer {
    if let Err(answer) = open(rows, effects, message, now) {
        return answer;
    }
    close(rows, message, Closing { at: now, by, verdict: ReviewVerdict::Refused, note });
    set_status(rows, effects, message, MessageStatus::Refused, None, now);
    ReviewAnswer::Done(MessageStatus::Refused)
}

/// Writes the first of two releases down, or decides again.
pub fn release(world: &mut World, account: AccountId, release: Release, decider: &dyn Decider) -> Result<ReviewAnswer, StoreError> {
    let Some(rows) = world.accounts.get_mut(&account) else { return Ok(ReviewAnswer::NotFound) };
    let two_people = rows.account.two_person_review;
    let (step, reviewed) = match open(rows, &mut world.effects, release.message, release.now) {
        Err(answer) => return Ok(answer),
        Ok(review) => (review.release_by(release.by, two_people), review.reviewed(release.by)),
    };
    let Some(contact) = rows.messages.get(&release.message).map(|row| row.contact) else { return Ok(ReviewAnswer::NotFound) };
    match step {
        ReleaseStep::Approves => Ok(approve(rows, release)),
        ReleaseStep::Repeats => Ok(ReviewAnswer::SecondNeeded),
        ReleaseStep::Decides => decide_again(world, account, contact, (release, reviewed), decider),
    }
}

fn approve(rows: &mut AccountRows, release: Release) -> ReviewAnswer {
    let Release { message, by, note, now, .. } = release;
    if let Some(review) = rows.reviews.get_mut(&message) {
        review.approved = Some(Approval { at: now, by, note });
    }
    ReviewAnswer::AwaitsSecond
}

/// Decides again about a held message, with the facts of now.
fn decide_again(
    world: &mut World,
    account: AccountId,
    contact: ContactId,
    (release, reviewed): (Release, Reviewed),
    decider: &dyn Decider,
) -> Result<ReviewAnswer, StoreError> {
    let Some(rows) = world.accounts.get(&account) else { return Ok(ReviewAnswer::NotFound) };
    let Some(request) = request(rows, release.message) else { return Ok(ReviewAnswer::NotFound) };
    let sender = rows.account.sender.clone();
    let content = (Fact::Known(examine(&request.content, &sender)), text_print(&request.content));
    let Some(scene) = accept::look(world, account, &request, content, contact, release.now) else {
        return Ok(ReviewAnswer::NotFound);
    };
    let subject = request.subject().released(reviewed);
    let panicked = || StoreError::Unavailable(String::from("the decider panicked"));
    let ruling = accept::rule(decider, &scene, &subject, release.now).ok_or_else(panicked)?;
    let Some(rows) = world.accounts.get_mut(&account) else { return Ok(ReviewAnswer::NotFound) };
    let seq = accept::record(rows, Some(release.message), &scene, &subject, &ruling, release.now);
    Ok(match ruling.decision.verdict {
        Verdict::Allow => {
            let charged = (release.message, request.mode);
            let usage = accept::charge(rows, &mut world.effects, charged, &scene, &ruling.decision, release.now);
            if let Some(row) = rows.messages.get_mut(&release.message) {
                (row.charge, row.delivery) = (Some(usage.charge()), release.delivery);
            }
            queue(rows, &mut world.effects, release, &scene)
        }
        _ if ruling.decision.may_change() => {
            let anew = Review::of_unseen_doubt(release.message, &ruling.decision, seq, release.now);
            rows.reviews.extend(anew.map(|review| (release.message, review)));
            ReviewAnswer::Forbidden(ruling.decision)
        }
        _ => {
            let Release { message, by, note, now, .. } = release;
            refuse(rows, &mut world.effects, message, by, note, now);
            ReviewAnswer::Forbidden(ruling.decision)
        }
    })
}

fn queue(rows: &mut AccountRows, effects: &mut Effects, release: Release, scene: &Scene) -> ReviewAnswer {
    let Release { message, delivery: id, by, note, now } = release;
    let Some(held) = rows.messages.get(&message) else { return ReviewAnswer::NotFound };
    let order_key = held.ordered.then(|| order_key(scene.instance.id, scene.contact));
    let tried = rows.attempts.range((message, 0)..=(message, u16::MAX)).map(|(_, attempt)| attempt);
    let outcomes = tried.filter_map(|attempt| attempt.outcome.as_ref());
    let delivery = Delivery::again(outcomes, now, expiry(held.message.purpose, now));
    let (instance, contact, log_id) = (scene.instance.id, scene.contact, held.message.log_id);
    let row = OutboxRow { id, message, instance, contact, log_id, order_key, delivery, started_at: None };
    rows.outbox.insert(id, row);
    close(rows, message, Closing { at: now, by, verdict: ReviewVerdict::Released, note });
    set_status(rows, effects, message, delivery.status(), None, now);
    effects.left_due = true;
    ReviewAnswer::Done(delivery.status())
}

/// A message as the request that it was; `None` once its content is forgotten.
pub fn request(rows: &AccountRows, message: MessageId) -> Option<Request> {
    let MessageRow { message, origin, ordered, .. } = rows.messages.get(&message)?;
    let content: Content = message.content.clone()?;
    Some(Request {
        instance: message.instance.into(),
        recipient: message.recipient.clone(),
        purpose: message.purpose.into(),
        content,
        idempotency_key: None,
        ordered: *ordered,
        origin: *origin,
        mode: message.mode,
    })
}

/// Closes the reviews that nobody answered in time.
pub fn expire(world: &mut World, now: Timestamp, limit: usize) -> Vec<Settled> {
    let mut settled = Vec::new();
    let status = MessageStatus::Refused;
    let World { accounts, effects, .. } = world;
    for rows in accounts.values_mut() {
        let is_over = |review: &&Review| review.closed.is_none() && review.expires_at <= now;
        let over = rows.reviews.values().filter(is_over).map(|review| review.message);
        for message in over.take(limit - settled.len()).collect::<Vec<_>>() {
            expire_one(rows, effects, message, now);
            settled.push(Settled { message, status });
        }
    }
    settled
}
