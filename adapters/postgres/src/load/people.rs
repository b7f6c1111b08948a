//! What is read of contacts: of those who are suppressed, known, doubted, and of those who wrote.

use std::collections::BTreeMap;

use gatepost::{
    AccountId, Address, Addresses, ContactId, ErrorClass, Inbound, InboundEntry, InstanceId, MessageId, NewSuppression, Response,
    StatusReport, SuppressionId, Timestamp, Told,
};
use gatepost_rows::cells::Cell;
use gatepost_rows::world::{AccountRows, World};
use gatepost_rows::{contacts, inbox};

use super::lookups::{
    ADDRESS, ADDRESSES, CONTACT, CONTACT_OF_ADDRESS, CONVERSATIONS, CONVERSATIONS_OF_ADDRESS, EXTERNAL_ID, INBOUND_KEY, INBOX,
    MESSAGE_CALLED, SUPPRESSION, WHAT_CAME_IN,
};
use super::{Needs, delivering, sending};

/// Who is suppressed, and what waits for them.
pub(crate) fn suppressed(needs: &mut Needs, account: AccountId, new: &NewSuppression) {
    needs.account(account);
    needs.traffic(account);
    needs.address_closely(account, &new.address);
    needs.closely(account, new.contact);
}

/// A suppression, and whom it is of.
pub(crate) fn lifted(needs: &mut Needs, world: &World, account: AccountId, id: SuppressionId) {
    needs.account(account);
    needs.key(&SUPPRESSION, [account.into(), id.into()]);
    if let Some(suppression) = world.accounts.get(&account).and_then(|rows| rows.suppressions.get(&id)) {
        needs.closely(account, suppression.contact);
    }
}

/// A contact of whom a person says something.
pub(crate) fn answered(needs: &mut Needs, account: AccountId, contact: ContactId) {
    needs.account(account);
    needs.traffic(account);
    needs.closely(account, contact);
}

/// The contacts with these addresses: closely, where they are more than one.
pub(crate) fn known(needs: &mut Needs, world: &World, account: AccountId, addresses: &Addresses) {
    needs.locked(account);
    for address in addresses.iter() {
        needs.each([&ADDRESS, &CONTACT_OF_ADDRESS, &CONVERSATIONS_OF_ADDRESS], &[account.into(), address.into()]);
    }
    let Some(rows) = world.accounts.get(&account) else { return };
    let known: std::collections::BTreeSet<ContactId> =
        addresses.iter().filter_map(|address| rows.contact_of.get(address)).copied().collect();
    if known.len() > 1 {
        needs.account(account);
        needs.traffic(account);
        known.into_iter().for_each(|contact| needs.closely(account, contact));
    }
}

/// What a provider posted.
pub(crate) fn received(needs: &mut Needs, world: &World, account: AccountId, inbound: &[Inbound]) {
    needs.locked(account);
    for thing in inbound {
        needs.key(&INBOUND_KEY, [account.into(), thing.key.to_bytes().into()]);
        if thing.introduces() {
            known(needs, world, account, &thing.addresses());
        }
    }
    // Contacts that one thing of it makes one, others of it may name each by itself.
    let all: Addresses = inbound
        .iter()
        .filter(|thing| thing.introduces())
        .flat_map(|thing| thing.addresses().iter().cloned().collect::<Vec<Address>>())
        .collect();
    let Some(rows) = world.accounts.get(&account) else { return };
    let several = inbound.iter().filter(|thing| thing.introduces() && thing.addresses().len() > 1).count() > 1;
    if several {
        needs.account(account);
        all.iter().filter_map(|address| rows.contact_of.get(address)).for_each(|contact| needs.closely(account, *contact));
    }
}

/// What waits to be heeded, and all that may follow from it.
pub(crate) fn heeded(needs: &mut Needs, world: &World, accounts: impl IntoIterator<Item = AccountId>, per_account: usize, now: Timestamp) {
    for account in accounts {
        needs.account(account);
        let key = [account.into(), delivering::limit(per_account.saturating_add(1))];
        needs.each([&INBOX, &WHAT_CAME_IN], &key);
        let Some(rows) = world.accounts.get(&account) else { continue };
        let entries: Vec<_> = rows.inbox.values().take(per_account).filter_map(|waiting| inbox::find(rows, waiting.inbound)).collect();
        let taught = Taught::by(&entries);
        entries.iter().for_each(|entry| heeded_thing(needs, rows, account, entry, &taught, now));
    }
}

/// The messages that reports bring ids for: those behind them are understood by these.
struct Taught<'a>(BTreeMap<(InstanceId, &'a str), Vec<MessageId>>);

impl<'a> Taught<'a> {
    fn by(entries: &'a [InboundEntry]) -> Self {
        let mut taught = BTreeMap::<_, Vec<_>>::new();
        for entry in entries {
            if let Told::Status(StatusReport { external_id, message: Some(message), .. }) = &entry.told {
                taught.entry((entry.instance, external_id.as_str())).or_default().push(*message);
            }
        }
        Self(taught)
    }

    fn called(&self, instance: InstanceId, external_id: &'a str) -> impl Iterator<Item = MessageId> {
        self.0.get(&(instance, external_id)).into_iter().flatten().copied()
    }
}

fn heeded_thing<'a>(
    needs: &mut Needs,
    rows: &AccountRows,
    account: AccountId,
    entry: &'a InboundEntry,
    taught: &Taught<'a>,
    now: Timestamp,
) {
    match &entry.told {
        Told::Said(said) if said.response() == Response::Nothing => {
            entry.contact.into_iter().for_each(|contact| met(needs, rows, account, contact));
            if let Some(external_id) = &said.reply_to {
                called(needs, account, entry.instance, external_id);
            }
        }
        Told::Said(said) => {
            wrote(needs, account, entry, now);
            if let Some(external_id) = &said.reply_to {
                called(needs, account, entry.instance, external_id);
            }
        }
        Told::Preference(_) => wrote(needs, account, entry, now),
        Told::Status(report) => {
            let named = report.message.into_iter().chain(taught.called(entry.instance, &report.external_id));
            reported(needs, rows, account, entry, report, named);
        }
        Told::Connection(_) | Told::Identity(_) | Told::Other | Told::Quarantined { .. } => {}
    }
}

/// Who wrote, and what they are called.
fn met(needs: &mut Needs, rows: &AccountRows, account: AccountId, contact: ContactId) {
    needs.key(&CONTACT, [account.into(), contact.into()]);
    needs.each([&CONVERSATIONS, &ADDRESSES], &[account.into(), contacts::present(rows, contact).into()]);
}

/// Who wrote, and what decides whether they are answered.
fn wrote(needs: &mut Needs, account: AccountId, entry: &InboundEntry, now: Timestamp) {
    needs.traffic(account);
    sending::usage(needs, account, now);
    entry.contact.into_iter().for_each(|contact| needs.closely(account, contact));
    entry.from.iter().for_each(|address| needs.address_closely(account, address));
}

/// The message that a provider calls so.
fn called(needs: &mut Needs, account: AccountId, instance: InstanceId, external_id: &str) {
    needs.each([&EXTERNAL_ID, &MESSAGE_CALLED], &[account.into(), instance.into(), Cell::from(external_id)]);
}

/// The messages that a report may be about, and, where it says who that was to, them.
fn reported(
    needs: &mut Needs,
    rows: &AccountRows,
    account: AccountId,
    entry: &InboundEntry,
    report: &StatusReport,
    named: impl Iterator<Item = MessageId>,
) {
    called(needs, account, entry.instance, &report.external_id);
    let external = rows.external_ids.get(&(entry.instance, report.external_id.clone())).copied();
    let messages: Vec<MessageId> = named.chain(external).collect();
    let opts_out = report.error == Some(ErrorClass::OptedOut);
    for message in messages {
        sending::message(needs, account, message);
        let Some(row) = rows.messages.get(&message) else { continue };
        let is_called_otherwise = entry.from.as_ref().is_some_and(|from| *from != row.message.recipient);
        if opts_out || is_called_otherwise {
            needs.address_closely(account, &row.message.recipient);
            needs.closely(account, row.contact);
            entry.from.iter().for_each(|address| needs.address_closely(account, address));
        }
    }
    if opts_out {
        needs.traffic(account);
        entry.from.iter().for_each(|address| needs.address_closely(account, address));
    }
}
