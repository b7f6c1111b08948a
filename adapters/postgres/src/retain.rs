//! Retain: what is older than its time is forgotten, in small batches from the oldest on, some accounts at a time and under their locks.
//! One host does it for all, and goes on where it was until a round is done.
//!
//! Ids grow with time, so that what is older than a time lies before the first id of that time. A mark for each account says how far the job
//! came with its texts, so that it never looks at the same ones twice. The players: a [`Turn`] (of one host), a [`Round`] (through all accounts), a [`Kind`] (rows that go, with what belongs to them), a
//! [`Part`] (columns that are forgotten before their row), [`Retain`] (all of it for some accounts).

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use async_trait::async_trait;
use gatepost::{AccountId, Retention, StoreError, Timestamp, TrafficLog, same_text_days};
use rand::RngExt;
use tokio::sync::Mutex;
use tokio_postgres::Row;

use crate::connect::Database;
use crate::error::Failure;
use crate::load::scouts;
use crate::sealing;
use crate::transaction::{Access, Fence, Transaction, Work};

/// How many accounts are locked at a time.
const ACCOUNTS_MAX: usize = 64;

/// The accounts, which are locked while anything of theirs goes.
const LOCK: &str = "SELECT id FROM accounts WHERE id = ANY($1::bytea[]) ORDER BY id FOR NO KEY UPDATE";

/// How a kind of rows goes: of these accounts, before an id or a time, so many.
struct Kind {
    #[cfg(test)]
    name: &'static str,
    text: &'static str,
    before: Before,
}

/// Before what.
#[derive(Clone, Copy)]
enum Before {
    /// The first id of a time.
    Id,
    /// The first id of a time; the second value is the time itself.
    Day(fn(Timestamp) -> u32),
}

const MESSAGES: Kind = Kind {
    #[cfg(test)]
    name: "messages",
    before: Before::Id,
    text: "WITH old AS (
        SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
            (SELECT m.account, m.id FROM messages m
             WHERE m.account = a.id AND m.id < $2::bytea AND m.status NOT IN ('held', 'queued', 'sending')
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account = m.account AND o.delivery = m.delivery AND o.state <> 4)
             ORDER BY m.id LIMIT $3::bigint) AS o
        LIMIT $3::bigint
    ), gone AS (
        DELETE FROM messages m USING old WHERE m.account = old.account AND m.id = old.id
        RETURNING m.account, m.id, m.instance, m.delivery, m.external_id
    ), attempts_gone AS (
        DELETE FROM attempts t USING gone WHERE t.account = gone.account AND t.message = gone.id
    ), reviews_gone AS (
        DELETE FROM reviews t USING gone WHERE t.account = gone.account AND t.message = gone.id
    ), parked_gone AS (
        DELETE FROM outbox t USING gone WHERE t.account = gone.account AND t.delivery = gone.delivery
    ), names_gone AS (
        DELETE FROM external_ids t USING gone
        WHERE t.account = gone.account AND t.instance = gone.instance AND t.external_id = gone.external_id AND t.message = gone.id
    ) SELECT count(*) FROM gone",
};

const DELIVERIES: Kind = Kind {
    #[cfg(test)]
    name: "event_deliveries",
    before: Before::Id,
    text: "WITH old AS (
        SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
            (SELECT d.account, d.id FROM event_deliveries d WHERE d.account = a.id AND d.id < $2::bytea
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account = d.account AND o.delivery = d.id AND o.state <> 4)
             ORDER BY d.id LIMIT $3::bigint) AS o
        LIMIT $3::bigint
    ), gone AS (
        DELETE FROM event_deliveries d USING old WHERE d.account = old.account AND d.id = old.id RETURNING d.account, d.id
    ), parked_gone AS (
        DELETE FROM outbox t USING gone WHERE t.account = gone.account AND t.delivery = gone.id
    ), attempts_gone AS (
        DELETE FROM delivery_attempts t USING gone WHERE t.account = gone.account AND t.delivery = gone.id
    ) SELECT count(*) FROM gone",
};

/// Events that the log does not name any more: neither their first deliveries, which are as old as they are, nor a repetition.
const EVENTS: Kind = Kind {
    #[cfg(test)]
    name: "events",
    before: Before::Id,
    text: "WITH old AS (
        SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
            (SELECT e.account, e.id FROM events e WHERE e.account = a.id AND e.id < $2::bytea
             AND NOT EXISTS (SELECT 1 FROM event_deliveries d WHERE d.account = e.account AND d.event = e.id
                             AND d.id >= decode(lpad(to_hex(e.occurred_at), 12, '0'), 'hex')
                             AND d.id < decode(lpad(to_hex(e.occurred_at + 1), 12, '0'), 'hex'))
             AND NOT EXISTS (SELECT 1 FROM event_deliveries d
                             WHERE d.account = e.account AND d.event = e.id AND d.replay IS NOT NULL)
             ORDER BY e.id LIMIT $3::bigint) AS o
        LIMIT $3::bigint
    ), gone AS (
        DELETE FROM events e USING old WHERE e.account = old.account AND e.id = old.id RETURNING 1
    ) SELECT count(*) FROM gone",
};

const RECOVERIES: Kind = Kind {
    #[cfg(test)]
    name: "recoveries",
    before: Before::Id,
    text: "WITH old AS (
        SELECT r.account, r.id FROM recoveries r WHERE r.account = ANY($1::bytea[]) AND r.id < $2::bytea
        AND (r.done_at IS NOT NULL OR r.canceled_at IS NOT NULL) ORDER BY r.account, r.id LIMIT $3::bigint
    ), gone AS (
        DELETE FROM recoveries r USING old WHERE r.account = old.account AND r.id = old.id RETURNING 1
    ) SELECT count(*) FROM gone",
};

const INBOUND: Kind = Kind {
    #[cfg(test)]
    name: "inbound",
    before: Before::Id,
    text: "WITH old AS (
        SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
            (SELECT i.account, i.id FROM inbound i WHERE i.account = a.id AND i.id < $2::bytea
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account = i.account AND o.delivery = i.delivery AND o.state <> 4)
             ORDER BY i.id LIMIT $3::bigint) AS o
        LIMIT $3::bigint
    ), gone AS (
        DELETE FROM inbound i USING old WHERE i.account = old.account AND i.id = old.id RETURNING i.account, i.delivery
    ), parked_gone AS (
        DELETE FROM outbox t USING gone WHERE t.account = gone.account AND t.delivery = gone.delivery
    ) SELECT count(*) FROM gone",
};

const NOTIFICATIONS: Kind = Kind {
    #[cfg(test)]
    name: "notifications",
    before: Before::Id,
    text: "WITH old AS (
        SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) CROSS JOIN LATERAL
            (SELECT n.account, n.id FROM notifications n WHERE n.account = a.id AND n.id < $2::bytea
             ORDER BY n.id LIMIT $3::bigint) AS o
        LIMIT $3::bigint
    ), gone AS (
        DELETE FROM notifications n USING old WHERE n.account = old.account AND n.id = old.id RETURNING 1
    ) SELECT count(*) FROM gone",
};

const DAYS: Kind = Kind {
    #[cfg(test)]
    name: "traffic",
    before: Before::Day(TrafficLog::first_day),
    text: "WITH old AS (
        SELECT t.account, t.mode, t.day FROM traffic t WHERE t.account = ANY($1::bytea[]) AND t.day < $2::bigint LIMIT $3::bigint
    ), gone AS (
        DELETE FROM traffic t USING old WHERE t.account = old.account AND t.mode = old.mode AND t.day = old.day RETURNING 1
    ) SELECT count(*) FROM gone",
};

const TEXTS: Kind = Kind {
    #[cfg(test)]
    name: "same_texts",
    before: Before::Day(first_day_of_texts),
    text: "WITH old AS (
        SELECT t.account, t.mode, t.day, t.print FROM same_texts t
        WHERE t.account = ANY($1::bytea[]) AND t.mode IN ('live', 'test') AND t.day < $2::bigint LIMIT $3::bigint
    ), gone AS (
        DELETE FROM same_texts t USING old
        WHERE t.account = old.account AND t.mode = old.mode AND t.day = old.day AND t.print = old.print RETURNING 1
    ) SELECT count(*) FROM gone",
};

fn first_day_of_texts(now: Timestamp) -> u32 {
    let [first, _] = same_text_days(now);
    first
}

/// What is found by its age in whatever account: where, and how it goes then.
struct Aged {
    #[cfg(test)]
    name: &'static str,
    find: &'static str,
    delete: &'static str,
}

static INBOUND_KEYS: Aged = Aged {
    #[cfg(test)]
    name: "inbound_keys",
    find: "SELECT account, key AS id FROM inbound_keys WHERE told_at < $1::bigint ORDER BY told_at LIMIT $2::bigint",
    delete: "DELETE FROM inbound_keys t USING UNNEST($1::bytea[], $2::bytea[]) AS k (account, id) WHERE t.account = k.account AND t.key = k.id",
};

static ENTRIES: Aged = Aged {
    #[cfg(test)]
    name: "integration_entries",
    find: "SELECT account, decode(lpad(to_hex(id), 16, '0'), 'hex') AS id FROM integration_entries
           WHERE at < $1::bigint ORDER BY at LIMIT $2::bigint",
    delete: "DELETE FROM integration_entries t USING UNNEST($1::bytea[], $2::bytea[]) AS k (account, id)
             WHERE t.account = k.account AND t.id = ('x' || encode(k.id, 'hex'))::bit(64)::bigint",
};

/// The columns of a table that are forgotten before their row.
struct Part {
    table: &'static str,
    columns: &'static [&'static str],
    /// Says how far that came.
    mark: &'static str,
    /// Of which rows it is still needed.
    unfinished: &'static str,
}

const CONTENTS: Part = Part {
    table: "messages",
    columns: &["content"],
    mark: "message",
    unfinished: "(m.status IN ('held', 'queued', 'sending') OR EXISTS
        (SELECT 1 FROM outbox o WHERE o.account = m.account AND o.delivery = m.delivery AND o.state <> 4))",
};
const FIELDS: Part = Part { table: "events", columns: &["fields"], mark: "event", unfinished: "FALSE" };
const WORDS: Part = Part {
    table: "inbound",
    columns: &["words", "detail"],
    mark: "inbound",
    unfinished: "EXISTS (SELECT 1 FROM outbox o WHERE o.account = m.account AND o.delivery = m.delivery AND o.state <> 4)",
};
const BODIES: Part = Part { table: "notifications", columns: &["body"], mark: "raw", unfinished: "FALSE" };

impl Part {
    /// Whether a row, called `m`, has something to forget.
    fn is_there(&self) -> String {
        let each: Vec<String> = self.columns.iter().map(|column| format!("m.{column} IS NOT NULL")).collect();
        format!("({})", each.join(" OR "))
    }

    /// Forgets it: of these accounts, before an id, so many. The rows are answered.
    fn clear(&self) -> String {
        let Self { table, mark, unfinished, .. } = self;
        let (is_there, set) =
            (self.is_there(), self.columns.iter().map(|column| format!("{column} = NULL")).collect::<Vec<_>>().join(", "));
        format!(
            "WITH old AS (
                SELECT o.account, o.id FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id CROSS JOIN LATERAL
                    (SELECT m.account, m.id FROM {table} m
                     WHERE m.account = a.id AND m.id > coalesce(r.{mark}, '\\x'::bytea) AND m.id < $2::bytea AND {is_there} AND NOT {unfinished}
                     ORDER BY m.id LIMIT $3::bigint) AS o
                LIMIT $3::bigint
            ) UPDATE {table} t SET {set} FROM old WHERE t.account = old.account AND t.id = old.id RETURNING t.account, t.id"
        )
    }

    /// How far it came in each of these accounts where all before an id was looked at, and the first row before that which is left.
    fn left(&self) -> String {
        let (Self { table, mark, .. }, is_there) = (self, self.is_there());
        format!(
            "SELECT a.id, r.{mark}, (SELECT m.id FROM {table} m
                 WHERE m.account = a.id AND m.id > coalesce(r.{mark}, '\\x'::bytea) AND m.id < $2::bytea AND {is_there} ORDER BY m.id LIMIT 1)
             FROM UNNEST($1::bytea[]) AS a (id) LEFT JOIN retention r ON r.account = a.id"
        )
    }

    /// Moves the marks.
    fn moved(&self) -> String {
        let mark = self.mark;
        format!(
            "INSERT INTO retention (account, {mark}) SELECT * FROM UNNEST($1::bytea[], $2::bytea[])
             ON CONFLICT (account) DO UPDATE SET {mark} = EXCLUDED.{mark}"
        )
    }
}

/// The ids of rows written before `time` are lower than this.
fn first_id_of(time: Timestamp) -> [u8; 16] {
    let millis = u128::from(time.as_millis().max(0).unsigned_abs());
    (millis << 80).to_be_bytes()
}

/// For how long it is one host's turn after each step, so that the others, who come once an hour, leave it the whole round.
const TURN: Duration = Duration::from_secs(50 * 60);

/// Whose turn it is, and how far it came with it.
pub(crate) struct Turn {
    holder: [u8; 16],
    round: Mutex<Option<Round>>,
}

impl Turn {
    pub(crate) fn new() -> Self {
        Self { holder: rand::rng().random(), round: Mutex::default() }
    }

    /// Forgets at most `limit` rows of each kind; how many were forgotten. None where there is nothing left, or it is another host's turn.
    pub(crate) async fn retain(&self, database: &Database, retention: Retention, limit: usize) -> Result<usize, StoreError> {
        let mut held = self.round.lock().await;
        let known = held.take().filter(|round| round.retention == retention);
        if !sealing::lease_forgetting(database, self.holder, TURN).await? {
            return Ok(0);
        }
        let mut round = match known {
            Some(round) => round,
            None => Round::begin(database, retention).await?,
        };
        let forgotten = round.go_on(database, limit).await?;
        *held = Some(round).filter(|_| forgotten > 0);
        Ok(forgotten)
    }
}

/// What is still to be looked at of all that is older than its time.
struct Round {
    retention: Retention,
    /// Some accounts at a time.
    accounts: VecDeque<Vec<AccountId>>,
    /// What is found by its age.
    aged: Vec<(&'static Aged, Timestamp)>,
}

impl Round {
    async fn begin(database: &Database, retention: Retention) -> Result<Self, StoreError> {
        let accounts = database.run(&Fence::finding(), Access::Read, &mut Accounts).await?;
        let accounts = accounts.chunks(ACCOUNTS_MAX).map(<[AccountId]>::to_vec).collect();
        Ok(Self { retention, accounts, aged: vec![(&INBOUND_KEYS, retention.raw_before), (&ENTRIES, retention.logs_before)] })
    }

    /// Forgets at most `limit` rows of each kind. What has nothing left is not looked at again.
    async fn go_on(&mut self, database: &Database, limit: usize) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        for (aged, before) in mem::take(&mut self.aged) {
            let count = forget_aged(database, aged, before, limit).await?;
            forgotten += count;
            self.aged.extend((count >= limit).then_some((aged, before)));
        }
        let mut left = Left { kinds: [limit; 12] };
        while let Some(accounts) = self.accounts.front() {
            let fence = Fence::accounts(accounts.iter().copied());
            let accounts = accounts.iter().map(|account| account.to_bytes().to_vec()).collect();
            let mut work = Retain { accounts, retention: self.retention, left: left.clone() };
            let counts = database.run(&fence, Access::Write, &mut work).await?;
            for (left, count) in left.kinds.iter_mut().zip(counts) {
                *left = left.saturating_sub(count);
                forgotten += count;
            }
            if left.kinds.contains(&0) {
                break;
            }
            self.accounts.pop_front();
        }
        Ok(forgotten)
    }
}

/// Deletes at most `limit` rows that are found by their age; how many.
async fn forget_aged(database: &Database, aged: &'static Aged, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let found = database.run(&Fence::finding(), Access::Read, &mut Find { aged, before, limit }).await?;
    let fence = Fence::accounts(found.0.iter().filter_map(|account| account.as_slice().try_into().ok()).map(AccountId::from_bytes));
    database.run(&fence, Access::Write, &mut Delete { aged, found }).await
}

/// How many rows of each kind may still be forgotten.
#[derive(Clone)]
struct Left {
    kinds: [usize; 12],
}

/// All accounts.
struct Accounts;

#[async_trait]
impl Work for Accounts {
    type Answer = Vec<AccountId>;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<Vec<AccountId>, Failure> {
        let rows = transaction.query(scouts::ACCOUNTS.text, &[]).await?;
        let ids = rows.iter().map(|row| row.try_get::<_, Vec<u8>>(0)).collect::<Result<Vec<_>, _>>()?;
        Ok(ids.iter().filter_map(|id| id.as_slice().try_into().ok()).map(AccountId::from_bytes).collect())
    }
}

/// Finds what is too old.
struct Find {
    aged: &'static Aged,
    before: Timestamp,
    limit: usize,
}

#[async_trait]
impl Work for Find {
    type Answer = (Vec<Vec<u8>>, Vec<Vec<u8>>);

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<Self::Answer, Failure> {
        let rows = transaction.query(self.aged.find, &[&self.before.as_millis(), &count(self.limit)]).await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<Vec<_>, Failure>>()
            .map(|rows| rows.into_iter().unzip())
    }
}

/// Deletes it.
struct Delete {
    aged: &'static Aged,
    found: (Vec<Vec<u8>>, Vec<Vec<u8>>),
}

#[async_trait]
impl Work for Delete {
    type Answer = usize;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<usize, Failure> {
        if self.found.0.is_empty() {
            return Ok(0);
        }
        Ok(usize::try_from(transaction.execute(self.aged.delete, &[&self.found.0, &self.found.1]).await?).unwrap_or(usize::MAX))
    }
}

/// All that is forgotten of some accounts.
struct Retain {
    accounts: Vec<Vec<u8>>,
    retention: Retention,
    left: Left,
}

#[async_trait]
impl Work for Retain {
    type Answer = Vec<usize>;

    async fn run(&mut self, transaction: &Transaction, _now: Timestamp) -> Result<Vec<usize>, Failure> {
        let Retention { content_before, logs_before, raw_before, now } = self.retention;
        transaction.query(LOCK, &[&self.accounts]).await?;
        let mut counts = Vec::new();
        for (nth, (part, before)) in
            [(&CONTENTS, content_before), (&FIELDS, content_before), (&WORDS, content_before), (&BODIES, raw_before)]
                .into_iter()
                .enumerate()
        {
            counts.push(self.clear(transaction, part, before, self.left.kinds.get(nth).copied().unwrap_or(0)).await?);
        }
        let kinds = [
            (&MESSAGES, logs_before),
            (&DELIVERIES, logs_before),
            (&EVENTS, logs_before),
            (&RECOVERIES, logs_before),
            (&INBOUND, logs_before),
            (&NOTIFICATIONS, logs_before),
            (&DAYS, now),
            (&TEXTS, now),
        ];
        for (nth, (kind, before)) in kinds.into_iter().enumerate() {
            counts.push(self.delete(transaction, kind, before, self.left.kinds.get(nth + 4).copied().unwrap_or(0)).await?);
        }
        Ok(counts)
    }
}

impl Retain {
    async fn delete(&self, transaction: &Transaction, kind: &Kind, before: Timestamp, limit: usize) -> Result<usize, Failure> {
        if limit == 0 {
            return Ok(0);
        }
        let rows = match kind.before {
            Before::Id => transaction.query(kind.text, &[&self.accounts, &first_id_of(before).as_slice(), &count(limit)]).await?,
            Before::Day(first) => transaction.query(kind.text, &[&self.accounts, &i64::from(first(before)), &count(limit)]).await?,
        };
        let gone: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        Ok(usize::try_from(gone).unwrap_or_default())
    }

    async fn clear(&self, transaction: &Transaction, part: &Part, before: Timestamp, limit: usize) -> Result<usize, Failure> {
        if limit == 0 {
            return Ok(0);
        }
        let end = first_id_of(before);
        let cleared = transaction.query(&part.clear(), &[&self.accounts, &end.as_slice(), &count(limit)]).await?;
        if cleared.len() < limit {
            // All before the end was looked at; what is left there is unfinished, and is looked at again.
            let left = transaction.query(&part.left(), &[&self.accounts, &end.as_slice()]).await?;
            let moved = left.iter().map(|row| moved(row, end)).collect::<Result<Vec<_>, Failure>>()?;
            let (accounts, marks): (Vec<Vec<u8>>, Vec<Vec<u8>>) = moved.into_iter().flatten().unzip();
            if !accounts.is_empty() {
                transaction.execute(&part.moved(), &[&accounts, &marks]).await?;
            }
        }
        Ok(cleared.len())
    }
}

/// An account, and up to which id all is forgotten.
type Mark = (Vec<u8>, Vec<u8>);

/// Where a mark moves to: to the end, but over none that is still to forget; none where it stays.
fn moved(row: &Row, end: [u8; 16]) -> Result<Option<Mark>, Failure> {
    let (account, mark, left): (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let left = left.and_then(|left| <[u8; 16]>::try_from(left.as_slice()).ok());
    let moved = left.map_or(end, |left| u128::from_be_bytes(left).saturating_sub(1).to_be_bytes());
    Ok((mark.as_deref() < Some(moved.as_slice())).then(|| (account, moved.to_vec())))
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The statements, by name.
#[cfg(test)]
pub(crate) fn statements() -> Vec<(String, String)> {
    let kinds = [MESSAGES, DELIVERIES, EVENTS, RECOVERIES, INBOUND, NOTIFICATIONS, DAYS, TEXTS];
    let aged = [&INBOUND_KEYS, &ENTRIES];
    let parts = [CONTENTS, FIELDS, WORDS, BODIES];
    let mut all = vec![(String::from("retain: lock"), LOCK.to_owned())];
    all.extend(kinds.iter().map(|kind| (format!("retain: {}", kind.name), kind.text.to_owned())));
    for Aged { name, find, delete } in aged {
        all.push((format!("retain: find {name}"), (*find).to_owned()));
        all.push((format!("retain: {name}"), (*delete).to_owned()));
    }
    for part in parts {
        all.push((format!("retain: {}.{}", part.table, part.columns.join(", ")), part.clear()));
        all.push((format!("retain: what is left of {}", part.table), part.left()));
        all.push((format!("retain: mark of {}", part.table), part.moved()));
    }
    all
}
