//! Policy events: how they are read, as events and as the rows that are sealed.

use gatepost::{
    AccountId, Decision, EventRow, Facts, MessageId, Page, PolicyEvent, PolicyEventFilter, RuleId, Shadow, Subject, Timestamp, VerdictWord,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use crate::rows::{self, signed};

pub(crate) fn list(
    connection: &Connection,
    account: AccountId,
    filter: PolicyEventFilter,
    page: Page<u64>,
) -> rusqlite::Result<Vec<PolicyEvent>> {
    let before = page.after.map_or(i64::MAX, signed);
    let params = params![
        account.to_bytes(),
        before,
        filter.message.map(MessageId::to_bytes),
        filter.refused,
        filter.since.map(Timestamp::as_millis),
        filter.until.map(Timestamp::as_millis),
        filter.rule.map(RuleId::as_str),
        page.limit as i64
    ];
    rows::all(&mut *connection.prepare_cached(&query(filter.verdict))?, params, event)
}

/// The statement for events with this verdict. A body that cannot be read is not left out, so that the list fails instead of hiding it.
pub(crate) fn query(verdict: Option<VerdictWord>) -> String {
    let (index, is_verdict) = match verdict {
        None => ("", String::new()),
        Some(VerdictWord::Allow) => ("", String::from("AND verdict = 'allow'")),
        // What is not allowed is rare, and has an index, which SQLite would not choose for lack of statistics.
        Some(other) => ("INDEXED BY policy_events_against", format!("AND verdict = '{other}' AND verdict <> 'allow'")),
    };
    format!(
        "SELECT seq, at, message, instance, contact, body FROM policy_events {index}
         WHERE account = ?1 AND seq < ?2 {is_verdict} AND (?3 IS NULL OR message = ?3) AND (NOT ?4 OR message IS NULL)
         AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6)
         AND (?7 IS NULL OR NOT json_valid(body)
              OR EXISTS (SELECT 1 FROM json_each(body, '$.decision.reasons') r WHERE r.value ->> 'rule' = ?7))
         ORDER BY seq DESC LIMIT ?8"
    )
}

fn event(row: &Row<'_>) -> rusqlite::Result<PolicyEvent> {
    #[derive(serde::Deserialize)]
    struct Body {
        policy: gatepost::Policy,
        zones: String,
        subject: Subject,
        facts: Facts,
        decision: Decision,
        #[serde(default)]
        shadow: Option<Shadow>,
    }
    let Body { policy, zones, subject, facts, decision, shadow } = rows::json(row, 5)?;
    Ok(PolicyEvent {
        seq: rows::count(row, 0)?,
        at: rows::time(row, 1)?,
        message: row.get::<_, Option<[u8; 16]>>(2)?.map(MessageId::from_bytes),
        instance: rows::instance_id(row, 3)?,
        contact: rows::contact_id(row, 4)?,
        policy,
        zones: zones.into(),
        subject,
        facts,
        decision,
        shadow,
    })
}

/// The rows as they stand there, whatever they hold.
pub(crate) fn rows_of(connection: &Connection, account: AccountId, page: Page<u64>) -> rusqlite::Result<Vec<EventRow>> {
    let sql = "SELECT seq, at, message, instance, contact, verdict, body FROM policy_events
               WHERE account = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let after = page.after.map_or(i64::MIN, signed);
    rows::all(&mut *connection.prepare_cached(sql)?, params![account.to_bytes(), after, page.limit as i64], |row| {
        Ok(EventRow {
            seq: place(row, 0)?,
            at: rows::time(row, 1)?,
            message: bytes(row, 2)?,
            instance: bytes(row, 3)?.unwrap_or_default(),
            contact: bytes(row, 4)?.unwrap_or_default(),
            verdict: bytes(row, 5)?.unwrap_or_default(),
            body: bytes(row, 6)?.unwrap_or_default(),
        })
    })
}

/// The last place that the log has given out.
pub(crate) fn last_seq(connection: &Connection, account: AccountId) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce((SELECT last_seq FROM accounts WHERE id = ?1), 0)";
    connection.prepare_cached(sql)?.query_row([account.to_bytes()], |row| place(row, 0))
}

/// A place, or 0 for one that cannot be.
pub(crate) fn place(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// What stands in a column of text or of bytes, be it text or not.
pub(crate) fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Vec<u8>>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    })
}
