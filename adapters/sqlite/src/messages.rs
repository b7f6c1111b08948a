//! Messages and their attempts: what is read.

use gatepost::{AccountId, Attempt, Message, MessageFilter, MessageId, Page};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows;

pub(crate) fn find(connection: &Connection, account: AccountId, id: MessageId) -> rusqlite::Result<Option<Message>> {
    let sql = format!("SELECT {} FROM messages WHERE account = ?1 AND id = ?2", rows::MESSAGE_COLUMNS);
    connection.prepare_cached(&sql)?.query_row(params![account.to_bytes(), id.to_bytes()], rows::message).optional()
}

pub(crate) fn list(
    connection: &Connection,
    account: AccountId,
    filter: MessageFilter,
    page: Page<MessageId>,
) -> rusqlite::Result<Vec<Message>> {
    let columns = rows::MESSAGE_COLUMNS;
    let sql = format!(
        "SELECT {columns} FROM messages WHERE account = ?1 AND id < ?2 AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR instance = ?4)
         ORDER BY id DESC LIMIT ?5"
    );
    let before = page.after.map_or([0xff; 16], MessageId::to_bytes);
    let status = filter.status.map(gatepost::MessageStatus::as_str);
    let instance = filter.instance.map(gatepost::InstanceId::to_bytes);
    let params = params![account.to_bytes(), before, status, instance, page.limit as i64];
    rows::all(&mut *connection.prepare_cached(&sql)?, params, rows::message)
}

pub(crate) fn attempts(connection: &Connection, account: AccountId, message: MessageId) -> rusqlite::Result<Vec<Attempt>> {
    let sql = "SELECT number, started_at, finished_at, outcome, NULL FROM attempts WHERE account = ?1 AND message = ?2
               UNION ALL
               SELECT sent_try, sent_from, sent_at, json_object('outcome', 'sent', 'external_id', external_id), NULL FROM messages
               WHERE account = ?1 AND id = ?2 AND sent_try IS NOT NULL
               UNION ALL
               SELECT o.tries, o.started_at, NULL, NULL, NULL FROM messages m JOIN outbox o ON o.delivery = m.delivery
               WHERE m.account = ?1 AND m.id = ?2 AND o.state = 2
               ORDER BY 1";
    rows::all(&mut *connection.prepare_cached(sql)?, params![account.to_bytes(), message.to_bytes()], rows::attempt)
}

/// Whether an attempt of a message is over that did not send it: the only ones that a message may have which was taken back.
pub(crate) fn is_tried(connection: &Connection, account: AccountId, message: MessageId) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM attempts WHERE account = ?1 AND message = ?2)";
    connection.prepare_cached(sql)?.query_row(params![account.to_bytes(), message.to_bytes()], |row| row.get(0))
}
