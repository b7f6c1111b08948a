//! Rows: how the core's types stand in columns, and are read back.
//!
//! What cannot be read back is an error of its own kind, which the store answers as `Corrupt`.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use gatepost::{
    Account, AccountId, Actor, Address, ApiKey, Approval, Attempt, Calendar, Channel, Charge, Closing, ContactId, ContactState, Delivery,
    DeliveryId, DeliveryStatus, EndpointId, EventId, Instance, InstanceId, InvalidAddress, KeyDigest, KeyOwner, Message, MessageId, Mode,
    Name, Pause, PauseCause, RecoveryId, Review, ReviewVerdict, Sealed, State, Suppression, SuppressionId, Timestamp, WindowId, Zone,
};
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Row, Statement};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What stands in a column cannot be what it says.
pub(crate) fn corrupt(column: usize, error: impl Into<Box<dyn Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

/// A word or a name.
pub(crate) fn word<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    parse(row.get_ref(column)?.as_str().map_err(|error| wrong_type(column, error))?, column)
}

/// A word or a name, where there is one.
pub(crate) fn word_or_none<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    let text = row.get_ref(column)?.as_str_or_null().map_err(|error| wrong_type(column, error))?;
    text.map(|text| parse(text, column)).transpose()
}

fn parse<T>(text: &str, column: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    text.parse().map_err(|error: T::Err| corrupt(column, error))
}

fn wrong_type(column: usize, error: FromSqlError) -> rusqlite::Error {
    corrupt(column, error)
}

/// A value kept as JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(|error| wrong_type(column, error))?;
    serde_json::from_str(text).map_err(|error| corrupt(column, category(&error)))
}

/// A value kept as JSON, where there is one.
pub(crate) fn json_or_none<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|error| wrong_type(column, error))?;
    text.map(|text| serde_json::from_str(text).map_err(|error| corrupt(column, category(&error)))).transpose()
}

/// What is wrong with a JSON text; more could quote what it says.
fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io | serde_json::error::Category::Syntax | serde_json::error::Category::Eof => "no JSON",
        serde_json::error::Category::Data => "JSON of another shape",
    }
}

/// A value as the JSON to keep.
pub(crate) fn to_json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A plain enum that serde knows by one word, as that word.
pub(crate) fn plain<T: DeserializeOwned>(word: &str, column: usize) -> rusqlite::Result<T> {
    let named: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = serde::de::IntoDeserializer::into_deserializer(word);
    T::deserialize(named).map_err(|_| corrupt(column, "no such word"))
}

pub(crate) fn plain_column<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    plain(row.get_ref(column)?.as_str().map_err(|error| wrong_type(column, error))?, column)
}

pub(crate) fn plain_or_none<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|error| wrong_type(column, error))?;
    text.map(|text| plain(text, column)).transpose()
}

/// A sealed value.
pub(crate) fn sealed(row: &Row<'_>, column: usize) -> rusqlite::Result<Sealed> {
    sealed_or_none(row, column)?.ok_or_else(|| corrupt(column, "expected a sealed value"))
}

/// A sealed value, where there is one.
pub(crate) fn sealed_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Sealed>> {
    let bytes = row.get_ref(column)?.as_blob_or_null().map_err(|error| wrong_type(column, error))?;
    bytes.map(|bytes| Sealed::from_bytes(bytes).map_err(|error| corrupt(column, error))).transpose()
}

macro_rules! id_columns {
    ($($name:ident = $id:ident;)*) => {$(
        pub(crate) fn $name(row: &Row<'_>, column: usize) -> rusqlite::Result<$id> {
            Ok($id::from_bytes(row.get(column)?))
        }
    )*};
}

id_columns! {
    account_id = AccountId;
    contact_id = ContactId;
    delivery_id = DeliveryId;
    endpoint_id = EndpointId;
    event_id = EventId;
    instance_id = InstanceId;
    message_id = MessageId;
    recovery_id = RecoveryId;
    suppression_id = SuppressionId;
}

/// The ids of rows written before `time` are lower than this.
pub(crate) fn first_id_of(time: Timestamp) -> [u8; 16] {
    let millis = u128::from(time.as_millis().max(0).unsigned_abs());
    (millis << 80).to_be_bytes()
}

/// How far the time in an id may be from that of its row.
pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(60);

pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_millis(row.get(column)?))
}

pub(crate) fn time_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

/// A count, which SQLite keeps as a signed number.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|error| corrupt(column, error))
}

/// A count as SQLite keeps it; what does not fit stays at the top.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An address as the text that is unique in its account.
pub(crate) fn address_text(address: &Address) -> String {
    address.text()
}

pub(crate) fn address(row: &Row<'_>, column: usize) -> rusqlite::Result<Address> {
    let text = row.get_ref(column)?.as_str().map_err(|error| wrong_type(column, error))?;
    text.parse().map_err(|error: InvalidAddress| corrupt(column, error))
}

pub(crate) const ACCOUNT_COLUMNS: &str =
    "id, name, plan, zone, next_zone, next_zone_from, pause, suspended_at, one_time_codes_pass, supervised, two_person_review,
     confirms_opt_out, threecx_enabled, sender, created_at, last_seq, last_inbound, last_entry";
/// Where `last_seq` stands among them.
pub(crate) const LAST_SEQ: usize = 15;
/// Where `last_inbound` stands.
pub(crate) const LAST_INBOUND: usize = 16;
/// Where `last_entry` stands.
pub(crate) const LAST_ENTRY: usize = 17;

pub(crate) fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let zone: Zone = word(row, 3)?;
    let next = word_or_none(row, 4)?.zip(time_or_none(row, 5)?);
    Ok(Account {
        id: account_id(row, 0)?,
        name: word(row, 1)?,
        plan: json(row, 2)?,
        calendar: Calendar { zone, next },
        pause: pause(row, 6)?,
        suspended_at: time_or_none(row, 7)?,
        one_time_codes_pass: row.get(8)?,
        supervised: row.get(9)?,
        two_person_review: row.get(10)?,
        confirms_opt_out: row.get(11)?,
        threecx_enabled: row.get(12)?,
        sender: json(row, 13)?,
        created_at: time(row, 14)?,
    })
}

/// A pause as it stands in its column.
#[derive(Deserialize, Serialize)]
struct PauseColumn {
    since: Timestamp,
    by: String,
    #[serde(default)]
    cause: PauseCause,
    note: Option<String>,
}

pub(crate) fn pause_text(pause: Option<&Pause>) -> rusqlite::Result<Option<String>> {
    let column = |pause: &Pause| PauseColumn { since: pause.since, by: pause.by.to_string(), cause: pause.cause, note: pause.note.clone() };
    pause.map(|pause| to_json(&column(pause))).transpose()
}

pub(crate) fn pause(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Pause>> {
    let Some(PauseColumn { since, by, cause, note }) = json_or_none(row, column)? else { return Ok(None) };
    Ok(Some(Pause { since, by: parse(&by, column)?, cause, note }))
}

macro_rules! instance_columns {
    () => {
        "id, name, provider, connection, pause, settings, credentials, revision, created_at"
    };
}
pub(crate) use instance_columns;

pub(crate) const INSTANCE_COLUMNS: &str = instance_columns!();
/// Where the next column stands behind them.
pub(crate) const BEHIND_INSTANCE: usize = 9;

pub(crate) fn instance(row: &Row<'_>) -> rusqlite::Result<Instance> {
    Ok(Instance {
        id: instance_id(row, 0)?,
        name: word(row, 1)?,
        provider: word(row, 2)?,
        connection: word(row, 3)?,
        pause: pause(row, 4)?,
        settings: word(row, 5)?,
        credentials: sealed_or_none(row, 6)?,
        revision: row.get(7)?,
        created_at: time(row, 8)?,
    })
}

pub(crate) const KEY_COLUMNS: &str =
    "id, account, mode, name, digest, root, last_four, scopes, allowed_from, created_at, expires_at, revoked_at, last_used_at";

pub(crate) fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let account = row.get::<_, Option<[u8; 16]>>(1)?.map(AccountId::from_bytes);
    let owner = match account {
        Some(account) => KeyOwner::Account(account, plain_column::<Mode>(row, 2)?),
        None => KeyOwner::Operator,
    };
    Ok(ApiKey {
        id: word(row, 0)?,
        owner,
        name: word::<Name>(row, 3)?,
        digest: KeyDigest::from_bytes(row.get(4)?),
        root: row.get(5)?,
        last_four: row.get(6)?,
        scopes: json(row, 7)?,
        allowed_from: json(row, 8)?,
        created_at: time(row, 9)?,
        expires_at: time_or_none(row, 10)?,
        revoked_at: time_or_none(row, 11)?,
        last_used_at: time_or_none(row, 12)?,
    })
}

pub(crate) const MESSAGE_COLUMNS: &str =
    "id, log_id, instance, address, purpose, content, mode, status, error, external_id, created_at, updated_at";

pub(crate) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: message_id(row, 0)?,
        log_id: count(row, 1)?,
        instance: instance_id(row, 2)?,
        recipient: address(row, 3)?,
        purpose: plain_column(row, 4)?,
        content: json_or_none(row, 5)?,
        mode: plain_column(row, 6)?,
        status: word(row, 7)?,
        error: plain_or_none(row, 8)?,
        external_id: row.get(9)?,
        created_at: time(row, 10)?,
        updated_at: time(row, 11)?,
    })
}

pub(crate) fn charge(row: &Row<'_>, day: usize, month: usize) -> rusqlite::Result<Option<Charge>> {
    let windows = row.get::<_, Option<u32>>(day)?.zip(row.get::<_, Option<u32>>(month)?);
    Ok(windows.map(|(day, month)| Charge { day: WindowId::from_number(day), month: WindowId::from_number(month) }))
}

pub(crate) fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        number: row.get(0)?,
        started_at: time(row, 1)?,
        finished_at: time_or_none(row, 2)?,
        outcome: json_or_none(row, 3)?,
        report: json_or_none(row, 4)?,
    })
}

pub(crate) const SUPPRESSION_COLUMNS: &str = "id, contact, address, cause, note, since, by, lifted_at, lifted_by";

pub(crate) fn suppression(row: &Row<'_>) -> rusqlite::Result<Suppression> {
    Ok(Suppression {
        id: suppression_id(row, 0)?,
        contact: contact_id(row, 1)?,
        address: address(row, 2)?,
        cause: word(row, 3)?,
        note: row.get(4)?,
        since: time(row, 5)?,
        by: word(row, 6)?,
        lifted: word_or_none::<Actor>(row, 8)?.zip(time_or_none(row, 7)?),
    })
}

pub(crate) const REVIEW_COLUMNS: &str = "message, opened_by, policy_event, opened_at, expires_at, closed_at, closed_by, verdict, note,
     approved_at, approved_by, approval_note";

pub(crate) fn review(row: &Row<'_>) -> rusqlite::Result<Review> {
    let closed = match (time_or_none(row, 5)?, word_or_none::<Actor>(row, 6)?) {
        (Some(at), Some(by)) => Some(Closing { at, by, verdict: review_verdict(row, 7)?, note: row.get(8)? }),
        _ => None,
    };
    let approved = match (time_or_none(row, 9)?, word_or_none::<Actor>(row, 10)?) {
        (Some(at), Some(by)) => Some(Approval { at, by, note: row.get(11)? }),
        _ => None,
    };
    Ok(Review {
        message: message_id(row, 0)?,
        opened_by: word_or_none(row, 1)?,
        policy_event: count(row, 2)?,
        opened_at: time(row, 3)?,
        expires_at: time(row, 4)?,
        approved,
        closed,
    })
}

fn review_verdict(row: &Row<'_>, column: usize) -> rusqlite::Result<ReviewVerdict> {
    let text: String = row.get(column)?;
    ReviewVerdict::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or_else(|| corrupt(column, "no verdict of a review"))
}

/// The columns suppressed_by, suppressed_at and suspected_at from `first` on.
pub(crate) fn contact_state(row: &Row<'_>, first: usize) -> rusqlite::Result<ContactState> {
    let suppressed = word_or_none(row, first)?.zip(time_or_none(row, first + 1)?);
    let suspected = time_or_none(row, first + 2)?.map(|since| ContactState::Suspected { since });
    let suppressed = suppressed.map(|(cause, since)| ContactState::Suppressed { cause, since });
    Ok(suppressed.or(suspected).unwrap_or(ContactState::Reachable))
}

/// The numbers of a delivery's states, as the partial indexes name them.
pub(crate) const WAITING: i64 = 0;
const CLAIMED: i64 = 1;
pub(crate) const STARTED: i64 = 2;
const IN_DOUBT: i64 = 3;
/// Set aside, because it cannot be read; no state of the state machine.
pub(crate) const PARKED: i64 = 4;

pub(crate) const fn state_number(state: State) -> i64 {
    match state {
        State::Waiting { .. } => WAITING,
        State::Claimed { .. } => CLAIMED,
        State::Started { .. } => STARTED,
        State::InDoubt { .. } => IN_DOUBT,
    }
}

/// The numbers of the channels, as the partial indexes name them. 2 is the inbox, which is heeded in one step.
const MESSAGE: i64 = 0;
const EVENT: i64 = 1;

pub(crate) const fn channel_number(channel: Channel) -> i64 {
    match channel {
        Channel::Message => MESSAGE,
        Channel::Event => EVENT,
    }
}

fn channel(row: &Row<'_>, column: usize) -> rusqlite::Result<Channel> {
    match row.get::<_, i64>(column)? {
        MESSAGE => Ok(Channel::Message),
        EVENT => Ok(Channel::Event),
        _ => Err(corrupt(column, "no channel of a delivery")),
    }
}

/// The numbers of a delivery's statuses in the log, as the partial index names them. The outbox tells what is queued from what is sent.
pub(crate) const fn delivery_status_number(status: DeliveryStatus) -> i64 {
    match status {
        DeliveryStatus::Queued | DeliveryStatus::Sending => 0,
        DeliveryStatus::Sent => 1,
        DeliveryStatus::Failed => 2,
        DeliveryStatus::Blocked => 3,
        DeliveryStatus::Skipped => 4,
    }
}

pub(crate) fn delivery_status(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryStatus> {
    let number = row.get::<_, i64>(column)?;
    let found = DeliveryStatus::ALL.into_iter().find(|status| delivery_status_number(*status) == number);
    found.ok_or_else(|| corrupt(column, "no status of a delivery"))
}

/// Whether the state of a delivery, where there is one, is that an attempt is open.
pub(crate) fn is_started(row: &Row<'_>, column: usize) -> rusqlite::Result<bool> {
    Ok(row.get::<_, Option<i64>>(column)? == Some(STARTED))
}

/// The columns channel, state, due, expires_at, fence, tries and put_off from `first` on.
pub(crate) fn delivery(row: &Row<'_>, first: usize) -> rusqlite::Result<Delivery> {
    let due = time(row, first + 2)?;
    let state = match row.get::<_, i64>(first + 1)? {
        WAITING => State::Waiting { due },
        CLAIMED => State::Claimed { lease_until: due },
        STARTED => State::Started { lease_until: due },
        IN_DOUBT => State::InDoubt { until: due },
        _ => return Err(corrupt(first + 1, "no state of a delivery")),
    };
    Ok(Delivery {
        channel: channel(row, first)?,
        ordered: row.get::<_, Option<i64>>(first + 7)?.is_some(),
        state,
        expires_at: time(row, first + 3)?,
        fence: row.get(first + 4)?,
        tries: row.get(first + 5)?,
        put_off: row.get(first + 6)?,
    })
}

/// All rows of a query, each read by `read`.
pub(crate) fn all<T>(
    statement: &mut Statement<'_>,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    statement.query_map(params, read)?.collect()
}
