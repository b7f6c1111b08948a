//! What is read to accept, to show the facts of, and to release messages.

use std::time::Duration;

use gatepost::{AccountId, MessageId, Origin, Request, TextPrint, Timestamp, WindowId, Windows, Zone, same_text_days};
use gatepost_rows::cells::Cell;
use gatepost_rows::world::World;

use super::Needs;
use super::lookups::{
    ADDRESS, ATTEMPTS, BINDING, CONTACT_OF_ADDRESS, CONTACT_OF_MESSAGE, CONVERSATIONS_OF_ADDRESS, DELIVERY_OF_MESSAGE, KEY, MESSAGE,
    MESSAGE_OF_BINDING, REVIEW, SAME_TEXTS, USAGE, USAGE_OF_MESSAGE,
};

/// How far a zone is from UTC at most, either way.
const ZONE_MAX: Duration = Duration::from_secs(15 * 3_600);

/// What decides about a request.
pub(crate) fn request(needs: &mut Needs, account: AccountId, request: &Request, print: Option<TextPrint>, now: Timestamp) {
    needs.account(account);
    needs.traffic(account);
    usage(needs, account, now);
    let address: [Cell; 2] = [account.into(), (&request.recipient).into()];
    needs.each([&ADDRESS, &CONTACT_OF_ADDRESS, &CONVERSATIONS_OF_ADDRESS], &address);
    if let Origin::Api(key) = request.origin {
        needs.key(&KEY, [Cell::word(key)]);
    }
    if let Some(print) = print {
        for day in same_text_days(now) {
            needs.key(&SAME_TEXTS, [account.into(), day.into(), print.number().into()]);
        }
    }
    if let Some(key) = &request.idempotency_key {
        needs.each([&BINDING, &MESSAGE_OF_BINDING], &[account.into(), Cell::Text(key.as_str().to_owned())]);
    }
}

/// What was charged in the windows of a moment, in whatever zone.
pub(crate) fn usage(needs: &mut Needs, account: AccountId, now: Timestamp) {
    for moment in [now.minus(ZONE_MAX), now, now.plus(ZONE_MAX)] {
        let Windows { day, month } = Windows::at(moment, &Zone::utc());
        [day.id, month.id].into_iter().for_each(|window: WindowId| needs.key(&USAGE, [account.into(), window.number().into()]));
    }
}

/// A message with what belongs to it.
pub(crate) fn message(needs: &mut Needs, account: AccountId, message: MessageId) {
    needs.account(account);
    needs.traffic(account);
    let key: [Cell; 2] = [account.into(), message.into()];
    needs.each([&MESSAGE, &ATTEMPTS, &REVIEW, &DELIVERY_OF_MESSAGE, &CONTACT_OF_MESSAGE, &USAGE_OF_MESSAGE], &key);
}

/// A message that is decided about again.
pub(crate) fn held(needs: &mut Needs, world: &World, account: AccountId, id: MessageId, now: Timestamp) {
    message(needs, account, id);
    let held = world.accounts.get(&account).and_then(|rows| gatepost_rows::reviews::request(rows, id));
    if let Some(held) = held {
        request(needs, account, &held, gatepost::text_print(&held.content), now);
    }
}
