//! Change: what a store writes, as the event that follows from it.

use alloc::string::{String, ToString};

use serde::Serialize;

use super::{Event, EventName, Topic};
use crate::{
    AccountId, Address, Breach, Connection, Decision, Disabled, Endpoint, EndpointId, ErrorClass, EventId, Instance, InstanceId, Limits,
    MessageId, MessageStatus, Mode, Name, Origin, Pause, PauseCause, Purpose, RateName, Timestamp, Usage,
};

/// A message that got a new status.
#[derive(Clone, Copy, Debug)]
pub struct StatusChange<'a> {
    /// Which.
    pub message: MessageId,
    /// Its instance.
    pub instance: (InstanceId, &'a Name),
    /// To whom.
    pub recipient: &'a Address,
    /// Why.
    pub purpose: Purpose,
    /// Who asked for it.
    pub origin: Origin,
    /// Its status before; none where it was just accepted.
    pub previous: Option<MessageStatus>,
    /// Its status now.
    pub status: MessageStatus,
    /// Why it is not further.
    pub error: Option<ErrorClass>,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize)]
struct StatusFields {
    message_id: MessageId,
    status: MessageStatusWord,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_status: Option<MessageStatusWord>,
    to: String,
    message_purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    updated_at: String,
}

type MessageStatusWord = &'static str;

impl StatusChange<'_> {
    /// The event's name; none for a change that customers are not told of.
    ///
    /// What goes at once is told as queued: whoever follows a message sees each begin in the same way.
    pub const fn name(&self) -> Option<EventName> {
        match (self.previous, self.told()) {
            (Some(MessageStatus::Queued | MessageStatus::Sending), MessageStatus::Queued) => None,
            (_, MessageStatus::Queued | MessageStatus::Sending) => Some(EventName::MessageQueued),
            (_, MessageStatus::Held) => Some(EventName::MessageHeld),
            (_, MessageStatus::Sent) => Some(EventName::MessageSent),
            (_, MessageStatus::Delivered) => Some(EventName::MessageDelivered),
            (_, MessageStatus::Read) => Some(EventName::MessageRead),
            (_, MessageStatus::Unknown) => Some(EventName::MessageUnknown),
            (_, MessageStatus::Canceled | MessageStatus::Expired | MessageStatus::Failed | MessageStatus::Refused) => {
                Some(EventName::MessageFailed)
            }
        }
    }

    /// What it is about; none for a change that customers are not told of.
    pub const fn topic(&self) -> Option<Topic<'_>> {
        match self.name() {
            Some(name) => Some(Topic { name, instance: Some(self.instance.0), person: Some(self.recipient), origin: Some(self.origin) }),
            None => None,
        }
    }

    /// The event, where customers are told.
    pub fn event(&self) -> Option<Event> {
        let name = self.name()?;
        let id = EventId::of(self.message.to_bytes(), name as u32, self.at);
        let fields = StatusFields {
            message_id: self.message,
            status: self.told().as_str(),
            previous_status: self.previous.map(|status| told(status).as_str()),
            to: self.recipient.text(),
            message_purpose: self.purpose.as_str(),
            error_code: self.error.map(ErrorClass::as_str),
            updated_at: self.at.to_string(),
        };
        Some(Event::new(id, name, Some(self.instance), self.at, &fields))
    }

    const fn told(&self) -> MessageStatus {
        told(self.status)
    }
}

/// The status as customers are told it: the contract has one word for all that is not with the provider yet.
const fn told(status: MessageStatus) -> MessageStatus {
    match status {
        MessageStatus::Sending => MessageStatus::Queued,
        other => other,
    }
}

/// A send that was refused for good and became no message.
#[derive(Clone, Copy, Debug)]
pub struct BlockedSend<'a> {
    /// What tells it from all others: the id that its message would have had.
    pub id: MessageId,
    /// Its place in the send log.
    pub log_id: u64,
    /// Its instance.
    pub instance: (InstanceId, &'a Name),
    /// To whom.
    pub recipient: &'a Address,
    /// Why it was to be sent, as declared.
    pub purpose: &'a str,
    /// What was decided.
    pub decision: &'a Decision,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize)]
struct BlockedFields<'a> {
    log_id: u64,
    to: String,
    message_purpose: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    risk_score: u8,
}

impl BlockedSend<'_> {
    /// The event.
    pub fn event(&self) -> Event {
        let id = EventId::of(self.id.to_bytes(), EventName::MessageBlocked as u32, self.at);
        let fields = BlockedFields {
            log_id: self.log_id,
            to: self.recipient.text(),
            message_purpose: self.purpose,
            rule: self.decision.deciding().map(|reason| reason.rule.as_str()),
            risk_score: self.decision.risk_score,
        };
        Event::new(id, EventName::MessageBlocked, Some(self.instance), self.at, &fields)
    }
}

/// A share of a quota that was just reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Crossing {
    /// `day` or `month`.
    pub window: &'static str,
    /// 80 or 100.
    pub percent: u8,
    /// How many messages the plan allows in the window.
    pub limit: u64,
    /// How many were used.
    pub used: u64,
}

impl Crossing {
    /// The event; `cause` is the message of the account that reached it, and its mode: each has a usage of its own.
    pub fn event(&self, account: AccountId, (cause, mode): (MessageId, Mode), at: Timestamp) -> Event {
        let step = (EventName::LimitThresholdReached as u32) << 16 | u32::from(self.percent) << 1 | u32::from(self.window == "day");
        let fields = CrossingFields { account_id: account, mode, crossing: self };
        Event::new(EventId::of(cause.to_bytes(), step, at), EventName::LimitThresholdReached, None, at, &fields)
    }
}

#[derive(Serialize)]
struct CrossingFields<'a> {
    account_id: AccountId,
    mode: Mode,
    #[serde(flatten)]
    crossing: &'a Crossing,
}

/// The shares of the quota that the message charged last has reached.
pub fn crossings(limits: &Limits, usage: &Usage) -> impl Iterator<Item = Crossing> {
    let windows = [("day", limits.per_day, usage.day), ("month", limits.per_month, usage.month)];
    windows.into_iter().flat_map(|(window, limit, used)| {
        // 80 % is reached by the first message at or above it.
        let marks = [(80, (limit / 5 * 4).saturating_add((limit % 5 * 4).div_ceil(5))), (100, limit)];
        marks.into_iter().filter(move |(_, mark)| used == *mark && limit > 0).map(move |(percent, _)| Crossing {
            window,
            percent,
            limit,
            used,
        })
    })
}

/// The event that nothing of an account goes out any more, or that it goes out again.
///
/// `nth` tells it from the others of the account that happened in the same millisecond: a store counts them.
pub fn pause_event(account: AccountId, pause: Option<&Pause>, nth: u32, at: Timestamp) -> Event {
    let name = if pause.is_some() { EventName::AccountPaused } else { EventName::AccountResumed };
    let id = EventId::of(account.to_bytes(), nth_step(name, nth), at);
    let cause = pause.map(|pause| pause.cause);
    let rate = cause.and_then(PauseCause::breach).map(|breach| breach.rate);
    Event::new(id, name, None, at, &AccountFields { account_id: account, cause: cause.map(PauseCause::as_str), rate })
}

/// The event that an account has reached half of what pauses it. It names the rate and no figures: thresholds are the operator's.
/// `nth` is as in [`pause_event`].
pub fn warning_event(account: AccountId, breach: Breach, nth: u32, at: Timestamp) -> Event {
    let id = EventId::of(account.to_bytes(), nth_step(EventName::AccountWarned, nth), at);
    let fields = AccountFields { account_id: account, cause: None, rate: Some(breach.rate) };
    Event::new(id, EventName::AccountWarned, None, at, &fields)
}

/// The event that nothing of an instance goes out any more, or that it goes out again. `nth` is as in [`pause_event`].
pub fn instance_pause_event(account: AccountId, instance: &Instance, nth: u32, at: Timestamp) -> Event {
    let name = if instance.pause.is_some() { EventName::InstancePaused } else { EventName::InstanceResumed };
    let id = EventId::of(instance.id.to_bytes(), nth_step(name, nth), at);
    let cause = instance.pause.as_ref().map(|pause| pause.cause.as_str());
    Event::new(id, name, Some((instance.id, &instance.name)), at, &AccountFields { account_id: account, cause, rate: None })
}

/// The event that an endpoint's events are held, or that they go out again, for all endpoints but this one.
pub fn endpoint_pause_event(account: AccountId, endpoint: &Endpoint, at: Timestamp) -> Event {
    let name = if endpoint.pause.is_some() { EventName::EndpointPaused } else { EventName::EndpointResumed };
    // Each change raises its revision.
    let id = EventId::of(endpoint.id.to_bytes(), nth_step(name, endpoint.revision), at);
    let fields = EndpointFields { account_id: account, endpoint_id: endpoint.id, endpoint_name: &endpoint.name };
    Event::new(id, name, None, at, &fields)
}

#[derive(Serialize)]
struct EndpointFields<'a> {
    account_id: AccountId,
    endpoint_id: EndpointId,
    endpoint_name: &'a Name,
}

/// What tells the events of one cause apart by their names, and those of one name by their number.
const fn nth_step(name: EventName, nth: u32) -> u32 {
    nth << 8 | name as u32
}

#[derive(Serialize)]
struct AccountFields {
    account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<RateName>,
}

/// The event that an instance was connected, or is not any more; none for what lies between. `nth` is as in [`pause_event`].
pub fn connection_event(account: AccountId, instance: &Instance, nth: u32, at: Timestamp) -> Option<Event> {
    let name = match instance.connection {
        Connection::Open => EventName::InstanceConnected,
        Connection::Closed => EventName::InstanceDisconnected,
        Connection::Connecting => return None,
    };
    let id = EventId::of(instance.id.to_bytes(), nth_step(name, nth), at);
    let fields = ConnectionFields { account_id: account, connection: instance.connection };
    Some(Event::new(id, name, Some((instance.id, &instance.name)), at, &fields))
}

#[derive(Serialize)]
struct ConnectionFields {
    account_id: AccountId,
    connection: Connection,
}

/// The event that an endpoint gets no events any more, for all endpoints but this one; none while it gets them.
pub fn disabled_event(account: AccountId, endpoint: &Endpoint) -> Option<Event> {
    let Disabled { since: at, by } = endpoint.disabled.as_ref()?;
    // Who enables it in between raises its revision.
    let id = EventId::of(endpoint.id.to_bytes(), nth_step(EventName::EndpointDisabled, endpoint.revision), *at);
    let fields = DisabledFields { account_id: account, endpoint_id: endpoint.id, endpoint_name: &endpoint.name, reason: by.as_str() };
    Some(Event::new(id, EventName::EndpointDisabled, None, *at, &fields))
}

#[derive(Serialize)]
struct DisabledFields<'a> {
    account_id: AccountId,
    endpoint_id: EndpointId,
    endpoint_name: &'a Name,
    reason: &'static str,
}
