//! Policy events.

use gatepost::{Decision, Facts, Policy, PolicyEvent, Shadow, Subject};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::{Codec, Rows, account, row};
use crate::world::{PolicyEventRow, World};

pub(super) const CODECS: &[Codec] = &[Codec { table: &POLICY_EVENTS, put: put_policy_events, write: write_policy_events }];

/// The table `policy_events`.
pub static POLICY_EVENTS: Table = Table {
    name: "policy_events",
    columns: &[
        Column::bytes("account"),
        Column::int("seq"),
        Column::int("at"),
        Column::bytes("message"),
        Column::bytes("instance"),
        Column::bytes("contact"),
        Column::text("verdict"),
        Column::text("body"),
    ],
    key: &["account", "seq"],
};

/// What of an event stands in its column `body`.
#[derive(serde::Deserialize)]
struct Body {
    policy: Policy,
    zones: String,
    subject: Subject,
    facts: Facts,
    decision: Decision,
    #[serde(default)]
    shadow: Option<Shadow>,
}

fn put_policy_events(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = account(world, row)?;
    let (seq, at, message, instance, contact) = (row.int()?, row.time()?, row.id_or_none()?, row.id()?, row.id()?);
    row.pass();
    let text = row.text()?;
    let Body { policy, zones, subject, facts, decision, shadow } = row.json_of(text)?;
    let zones = zones.into();
    let event = PolicyEvent { seq, at, message, instance, contact, policy, zones, subject, facts, decision, shadow };
    rows.policy_events.insert(seq, PolicyEventRow { event, body: Some(text.to_owned()) });
    Ok(())
}

fn write_policy_events(world: &World, rows: &mut Rows) {
    for (account, of) in &world.accounts {
        for PolicyEventRow { event, body } in of.policy_events.values() {
            rows.add(row![
                *account,
                Cell::count(event.seq),
                event.at,
                event.message,
                event.instance,
                event.contact,
                event.decision.verdict.word().as_str(),
                body.clone().unwrap_or_else(|| event.body().to_json()),
            ]);
        }
    }
}
