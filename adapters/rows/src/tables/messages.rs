//! Messages, with what names them, their attempts and their reviews.

use gatepost::{
    Actor, Approval, Attempt, Charge, Closing, ErrorClass, Fingerprint, IdempotencyKey, Message, MessageId, Review, ReviewVerdict, RuleId,
    WindowId,
};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{Codec, Rows, account, row};
use crate::world::{Binding, MessageRow, SentBy, World};

pub(super) const CODECS: &[Codec] = &[
    Codec { table: &MESSAGES, put: put_messages, write: write_messages },
    Codec { table: &EXTERNAL_IDS, put: put_external_ids, write: write_external_ids },
    Codec { table: &IDEMPOTENCY_KEYS, put: put_idempotency_keys, write: write_idempotency_keys },
    Codec { table: &ATTEMPTS, put: put_attempts, write: write_attempts },
    Codec { table: &REVIEWS, put: put_reviews, write: write_reviews },
];

/// The table `messages`.
pub static MESSAGES: Table = Table {
    name: "messages",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::int("log_id"),
        Column::bytes("instance"),
        Column::bytes("contact"),
        Column::text("address"),
        Column::text("purpose"),
        Column::text("content"),
        Column::text("mode"),
        Column::text("origin"),
        Column::int("ordered"),
        Column::text("status"),
        Column::text("error"),
        Column::text("external_id"),
        Column::int("sent_try"),
        Column::int("sent_from"),
        Column::int("sent_at"),
        Column::bytes("delivery"),
        Column::int("charged_day"),
        Column::int("charged_month"),
        Column::int("created_at"),
        Column::int("updated_at"),
    ],
    key: &["account", "id"],
};

fn put_messages(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (id, log_id, instance, contact, recipient) = (row.id()?, row.int()?, row.id()?, row.id()?, row.word()?);
    let (purpose, content, mode, origin, ordered) = (row.plain()?, row.json_or_none()?, row.plain()?, row.json()?, row.flag()?);
    let (status, error, external_id) = (row.word()?, row.plain_or_none()?, row.text_or_none()?.map(str::to_owned));
    let (sent, delivery, charge) = (sent(row)?, row.id()?, charge(row)?);
    let (created_at, updated_at) = (row.time()?, row.time()?);
    let message = Message { id, log_id, instance, recipient, purpose, content, mode, status, error, external_id, created_at, updated_at };
    rows.messages.insert(id, MessageRow { message, contact, origin, ordered, sent, delivery, charge });
    Ok(())
}

fn sent(row: &mut Reader<'_>) -> Result<Option<SentBy>, BadRow> {
    let (number, from, at) = (row.int_or_none()?, row.time_or_none()?, row.time_or_none()?);
    match (number, from, at) {
        (None, None, None) => Ok(None),
        (Some(number), Some(from), Some(at)) => Ok(Some(SentBy { number, from, at })),
        _ => Err(row.bad("an attempt has a number, a start and an end")),
    }
}

fn charge(row: &mut Reader<'_>) -> Result<Option<Charge>, BadRow> {
    let (day, month) = (row.int_or_none()?, row.int_or_none()?);
    Ok(day.zip(month).map(|(day, month)| Charge { day: WindowId::from_number(day), month: WindowId::from_number(month) }))
}

fn write_messages(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for MessageRow { message, contact, origin, ordered, sent, delivery, charge } in of.messages.values() {
            rows.add(row![
                *account,
                message.id,
                Cell::count(message.log_id),
                message.instance,
                *contact,
                &message.recipient,
                message.purpose.as_str(),
                Cell::json_or_null(message.content.as_ref()),
                message.mode.as_str(),
                Cell::json(origin),
                *ordered,
                message.status.as_str(),
                message.error.map(ErrorClass::as_str),
                message.external_id.as_ref(),
                sent.map(|sent| sent.number),
                sent.map(|sent| sent.from),
                sent.map(|sent| sent.at),
                *delivery,
                charge.map(|charge| charge.day.number()),
                charge.map(|charge| charge.month.number()),
                message.created_at,
                message.updated_at,
            ]);
        }
    }
}

/// The table `external_ids`.
pub static EXTERNAL_IDS: Table = Table {
    name: "external_ids",
    columns: &[Column::bytes("account"), Column::bytes("instance"), Column::text("external_id"), Column::bytes("message")],
    key: &["account", "instance", "external_id"],
};

fn put_external_ids(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (instance, external_id, message) = (row.id()?, row.text()?.to_owned(), row.id()?);
    rows.external_ids.insert((instance, external_id), message);
    Ok(())
}

fn write_external_ids(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for ((instance, external_id), message) in &of.external_ids {
            rows.add(row![*account, *instance, external_id, *message]);
        }
    }
}

/// The table `idempotency_keys`.
pub static IDEMPOTENCY_KEYS: Table = Table {
    name: "idempotency_keys",
    columns: &[
        Column::bytes("account"),
        Column::text("key"),
        Column::bytes("fingerprint"),
        Column::bytes("message"),
        Column::int("bound_at"),
    ],
    key: &["account", "key"],
};

fn put_idempotency_keys(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    // As it stands: the key of a call is none that a caller could give.
    let key: IdempotencyKey = row.plain()?;
    let binding = Binding { fingerprint: Fingerprint::from_bytes(row.array()?), message: row.id()?, bound_at: row.time()? };
    rows.bindings.insert(key, binding);
    Ok(())
}

fn write_idempotency_keys(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for (key, binding) in &of.bindings {
            rows.add(row![*account, key.as_str(), binding.fingerprint.to_bytes(), binding.message, binding.bound_at]);
        }
    }
}

/// The table `attempts`.
pub static ATTEMPTS: Table = Table {
    name: "attempts",
    columns: &[
        Column::bytes("account"),
        Column::bytes("message"),
        Column::int("number"),
        Column::int("started_at"),
        Column::int("finished_at"),
        Column::text("outcome"),
    ],
    key: &["account", "message", "number"],
};

fn put_attempts(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let message: MessageId = row.id()?;
    let attempt =
        Attempt { number: row.int()?, started_at: row.time()?, finished_at: Some(row.time()?), outcome: Some(row.json()?), report: None };
    rows.attempts.insert((message, attempt.number), attempt);
    Ok(())
}

fn write_attempts(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for ((message, number), attempt) in &of.attempts {
            let outcome = Cell::json_or_null(attempt.outcome.as_ref());
            rows.add(row![*account, *message, *number, attempt.started_at, attempt.finished_at, outcome]);
        }
    }
}

/// The table `reviews`.
pub static REVIEWS: Table = Table {
    name: "reviews",
    columns: &[
        Column::bytes("account"),
        Column::bytes("message"),
        Column::text("opened_by"),
        Column::int("policy_event"),
        Column::int("opened_at"),
        Column::int("expires_at"),
        Column::int("approved_at"),
        Column::text("approved_by"),
        Column::text("approval_note"),
        Column::int("closed_at"),
        Column::text("closed_by"),
        Column::text("verdict"),
        Column::text("note"),
    ],
    key: &["account", "message"],
};

fn put_reviews(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let review = Review {
        message: row.id()?,
        opened_by: row.word_or_none()?,
        policy_event: row.int()?,
        opened_at: row.time()?,
        expires_at: row.time()?,
        approved: approved(row)?,
        closed: closed(row)?,
    };
    rows.reviews.insert(review.message, review);
    Ok(())
}

fn approved(row: &mut Reader<'_>) -> Result<Option<Approval>, BadRow> {
    let (at, by, note) = (row.time_or_none()?, row.word_or_none::<Actor>()?, row.text_or_none()?);
    Ok(at.zip(by).map(|(at, by)| Approval { at, by, note: note.map(str::to_owned) }))
}

fn closed(row: &mut Reader<'_>) -> Result<Option<Closing>, BadRow> {
    let (at, by, verdict) = (row.time_or_none()?, row.word_or_none::<Actor>()?, verdict(row)?);
    let note = row.text_or_none()?.map(str::to_owned);
    Ok(at.zip(by).zip(verdict).map(|((at, by), verdict)| Closing { at, by, verdict, note }))
}

fn verdict(row: &mut Reader<'_>) -> Result<Option<ReviewVerdict>, BadRow> {
    let Some(text) = row.text_or_none()? else { return Ok(None) };
    let found = ReviewVerdict::ALL.into_iter().find(|verdict| verdict.as_str() == text);
    found.map(Some).ok_or_else(|| row.bad("no verdict of a review"))
}

fn write_reviews(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for review in of.reviews.values() {
            let (approved, closed) = (review.approved.as_ref(), review.closed.as_ref());
            rows.add(row![
                *account,
                review.message,
                review.opened_by.map(RuleId::as_str),
                Cell::count(review.policy_event),
                review.opened_at,
                review.expires_at,
                approved.map(|approval| approval.at),
                approved.map(|approval| Cell::word(approval.by)),
                approved.and_then(|approval| approval.note.as_ref()),
                closed.map(|closing| closing.at),
                closed.map(|closing| Cell::word(closing.by)),
                closed.map(|closing| closing.verdict.as_str()),
                closed.and_then(|closing| closing.note.as_ref()),
            ]);
        }
    }
}
