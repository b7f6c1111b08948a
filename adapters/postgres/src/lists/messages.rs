//! Messages, their attempts and reviews, and the policy event log.

use gatepost::{
    AccountId, Attempt, Message, MessageFilter, MessageId, MessageStatus, Page, PolicyEvent, PolicyEventFilter, Review, ReviewFilter,
    ReviewState, RuleId, StoreError, VerdictWord,
};
use gatepost_rows::cells::Cell;
use gatepost_rows::{messages, reviews};

use super::statements::{
    ATTEMPTS, MESSAGE, MESSAGES, MESSAGES_FROM_INSTANCE, MESSAGES_HELD, MESSAGES_IN_DOUBT, MESSAGES_NOT_SENT, MESSAGES_QUEUED,
    MESSAGES_REFUSED, MESSAGES_SENDING, OUTBOX_OF_MESSAGE, POLICY_EVENTS, POLICY_EVENTS_AGAINST, REVIEWS, REVIEWS_OF_RULE, REVIEWS_OPEN,
};
use super::{List, before, given, limit, list, world_of};
use crate::connect::Database;

/// The message with this id.
pub(crate) async fn message(database: &Database, account: AccountId, id: MessageId) -> Result<Option<Message>, StoreError> {
    list(database, account, vec![MESSAGE.with(given![id])], |rows| messages::find(rows, id)).await
}

/// A page of messages, newest first.
pub(crate) async fn messages(
    database: &Database,
    account: AccountId,
    filter: MessageFilter,
    page: Page<MessageId>,
) -> Result<Vec<Message>, StoreError> {
    let given = given![before(page.after), filter.status.map(MessageStatus::as_str), filter.instance, limit(&page)];
    list(database, account, vec![where_they_are(filter).with(given)], |rows| messages::list(rows, filter, page)).await
}

/// Where the messages of a filter are found.
const fn where_they_are(filter: MessageFilter) -> &'static List {
    match (filter.status, filter.instance) {
        (Some(MessageStatus::Canceled | MessageStatus::Expired | MessageStatus::Failed), _) => &MESSAGES_NOT_SENT,
        (Some(MessageStatus::Held), _) => &MESSAGES_HELD,
        (Some(MessageStatus::Queued), _) => &MESSAGES_QUEUED,
        (Some(MessageStatus::Refused), _) => &MESSAGES_REFUSED,
        (Some(MessageStatus::Sending), _) => &MESSAGES_SENDING,
        (Some(MessageStatus::Unknown), _) => &MESSAGES_IN_DOUBT,
        (Some(MessageStatus::Delivered | MessageStatus::Read | MessageStatus::Sent) | None, Some(_)) => &MESSAGES_FROM_INSTANCE,
        (Some(MessageStatus::Delivered | MessageStatus::Read | MessageStatus::Sent) | None, None) => &MESSAGES,
    }
}

/// The attempts of a message, oldest first: those that did not send it, the one that did, and one that is open.
pub(crate) async fn attempts(database: &Database, account: AccountId, message: MessageId) -> Result<Vec<Attempt>, StoreError> {
    let queries = [&MESSAGE, &ATTEMPTS, &OUTBOX_OF_MESSAGE].map(|list| list.with(given![message]));
    list(database, account, queries.into(), |rows| messages::attempts(rows, message)).await
}

/// A page of reviews, newest first.
pub(crate) async fn reviews(
    database: &Database,
    account: AccountId,
    filter: ReviewFilter,
    page: Page<MessageId>,
) -> Result<Vec<Review>, StoreError> {
    let is_open = filter.state.map(|state| state == ReviewState::Open);
    let given = given![before(page.after), is_open, filter.rule.map(RuleId::as_str), limit(&page)];
    let reviews = match (filter.state, filter.rule) {
        (Some(ReviewState::Open), _) => &REVIEWS_OPEN,
        (_, Some(_)) => &REVIEWS_OF_RULE,
        (_, None) => &REVIEWS,
    };
    list(database, account, vec![reviews.with(given)], |rows| reviews::list(rows, filter, page)).await
}

/// A page of the policy events that a filter admits, newest first.
///
/// Whether an event has a reason only its body says. The statement finds those whose text names the rule somewhere, and more of them are
/// looked at until the page is full.
pub(crate) async fn policy_events(
    database: &Database,
    account: AccountId,
    filter: PolicyEventFilter,
    page: Page<u64>,
) -> Result<Vec<PolicyEvent>, StoreError> {
    let (mut found, mut rest) = (Vec::new(), page);
    loop {
        let world = world_of(database, account, vec![policy_events_query(filter, &rest)]).await?;
        let Some(rows) = world.accounts.get(&account) else { return Ok(found) };
        let wanted = Page { limit: page.limit - found.len(), ..rest };
        found.extend(messages::policy_events(rows, filter, wanted));
        if found.len() >= page.limit || rows.policy_events.len() < rest.limit {
            return Ok(found);
        }
        rest.after = rows.policy_events.keys().next().copied();
    }
}

fn policy_events_query(filter: PolicyEventFilter, page: &Page<u64>) -> super::Query {
    let PolicyEventFilter { message, refused, verdict, rule, since, until } = filter;
    let before = page.after.map_or(Cell::Int(i64::MAX), Cell::count);
    let named = rule.map(|rule| format!("\"rule\":\"{}\"", rule.as_str()));
    let given = given![before, message, refused, since, until, named, verdict.map(VerdictWord::as_str), limit(page)];
    match verdict {
        None | Some(VerdictWord::Allow) => POLICY_EVENTS.with(given),
        Some(VerdictWord::Block | VerdictWord::Hold | VerdictWord::Throttle) => POLICY_EVENTS_AGAINST.with(given),
    }
}
