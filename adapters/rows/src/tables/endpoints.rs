//! Endpoints.

use std::sync::Arc;

use gatepost::{Endpoint, EndpointUrl, Health, SealedHeaders, Tat};

use crate::cells::{BadRow, Cell, Column, Reader, Table};
use crate::tables::integrations::{id_cell, read_id_or_none, sealed_by};
use crate::tables::{self, Codec, Rows, pauses, row};
use crate::world::{EndpointRow, World};

pub(super) const CODECS: &[Codec] = &[Codec { table: &ENDPOINTS, put: put_endpoints, write: write_endpoints }];

/// The table `endpoints`.
pub static ENDPOINTS: Table = Table {
    name: "endpoints",
    columns: &[
        Column::bytes("account"),
        Column::bytes("id"),
        Column::text("name"),
        Column::text("url"),
        Column::bytes("instance"),
        Column::text("filter"),
        Column::int("in_flight_max"),
        Column::text("rate"),
        Column::bytes("secrets"),
        Column::int("secrets_root"),
        Column::bytes("headers"),
        Column::int("headers_root"),
        Column::text("header_names"),
        Column::int("verified_at"),
        Column::text("pause"),
        Column::text("disabled"),
        Column::int("failing_since"),
        Column::int("removed_at"),
        Column::int("url_since"),
        Column::int("revision"),
        Column::int("created_at"),
        Column::int("for_operator"),
        Column::int("integration"),
        Column::int("tat"),
    ],
    key: &["account", "id"],
};

fn put_endpoints(world: &mut World, row: &mut Reader<'_>) -> Result<(), BadRow> {
    let rows = tables::account(world, row)?;
    let endpoint = read_endpoint(row)?;
    let tat = Tat::from_micros(row.int()?);
    rows.endpoints.insert(endpoint.id, EndpointRow { endpoint: Arc::new(endpoint), tat });
    Ok(())
}

/// The endpoint of a row, from its second column on, but for how fast it was called.
///
/// # Errors
///
/// When the row cannot be right.
pub fn read_endpoint(row: &mut Reader<'_>) -> Result<Endpoint, BadRow> {
    Ok(Endpoint {
        id: row.id()?,
        name: row.word()?,
        url: EndpointUrl::stored(row.text()?.to_owned()),
        instance: row.id_or_none()?,
        filter: row.json()?,
        in_flight_max: row.int()?,
        rate: row.json_or_none()?,
        secrets: sealed_by(row)?,
        headers: read_headers(row)?,
        verified_at: row.time_or_none()?,
        pause: pauses::read(row)?,
        disabled: row.json_or_none()?,
        health: Health { failing_since: row.time_or_none()? },
        removed_at: row.time_or_none()?,
        url_since: row.time()?,
        revision: row.int()?,
        created_at: row.time()?,
        for_operator: row.flag()?,
        integration: read_id_or_none(row)?,
    })
}

fn read_headers(row: &mut Reader<'_>) -> Result<Option<SealedHeaders>, BadRow> {
    let sealed = row.sealed_or_none()?;
    row.pass();
    match (row.json_or_none()?, sealed) {
        (None, _) => Ok(None),
        (Some(names), Some(sealed)) => Ok(Some(SealedHeaders { names, sealed })),
        (Some(_), None) => Err(row.bad("there are names without values")),
    }
}

fn write_endpoints(world: &World, rows: &mut Rows) {
    for (account, of_account) in &world.accounts {
        for EndpointRow { endpoint, tat } in of_account.endpoints.values() {
            let headers = endpoint.headers.as_ref();
            rows.add(row![
                *account,
                endpoint.id,
                endpoint.name.as_str(),
                endpoint.url.as_str(),
                endpoint.instance,
                Cell::json(&endpoint.filter),
                endpoint.in_flight_max,
                Cell::json_or_null(endpoint.rate.as_ref()),
                &endpoint.secrets,
                endpoint.secrets.root(),
                headers.map(|headers| &headers.sealed),
                headers.map(|headers| headers.sealed.root()),
                Cell::json_or_null(headers.map(|headers| &headers.names)),
                endpoint.verified_at,
                pauses::cell(endpoint.pause.as_ref()),
                Cell::json_or_null(endpoint.disabled.as_ref()),
                endpoint.health.failing_since,
                endpoint.removed_at,
                endpoint.url_since,
                endpoint.revision,
                endpoint.created_at,
                endpoint.for_operator,
                endpoint.integration.map(id_cell),
                tat.as_micros(),
            ]);
        }
    }
}
