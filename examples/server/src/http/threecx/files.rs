//! Files: what somebody sent to an account, for a phone system that was posted a link to it.
//!
//! The link is the key: signed, and good for a while. The file itself stays with the provider, and is fetched when it is asked for.

use std::convert::Infallible;

use crate::http::places::Place;
use crate::http::state::App;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use gatepost::{FileLink, InboundEntry, Media, MediaFailure, MediaRef, MediaSource, Provider, Told};

/// How many files are fetched or handed over at once: each is held in memory whole.
pub(crate) const FETCHES_MAX: usize = 8;
/// How many of one account: whoever reads slowly keeps no other account's phone system from its files.
pub(crate) const FETCHES_OF_ACCOUNT_MAX: usize = 4;
/// How much of a file is handed over in one go.
const PART_BYTES: usize = 64 * 1024;

/// Where the file of a link is.
pub fn file_path(link: &str) -> String {
    format!("/media/{link}")
}

/// Fetch a file
///
/// What a customer sent, by the link that a phone system was posted. The link is good for an hour.
#[utoipa::path(get, path = "/media/{link}", tag = "3CX", operation_id = "fetch_threecx_file",
    params(("link" = String, Path, description = "The link's last part.")),
    responses(
        (status = 200, description = "The file.", content_type = "application/octet-stream"),
        (status = 404, description = "The link is over, or none that this gateway made."),
        (status = 410, description = "The provider has the file no more."),
        (status = 502, description = "The provider did not hand it over."),
        (status = 503, description = "Too many files are being fetched: try again."),
))]
pub(crate) async fn fetch_file(State(app): State<App>, Path(link): Path<String>) -> Response {
    let fetched = async {
        let link = app.keyring.open_link(&link, app.now()).ok_or(StatusCode::NOT_FOUND)?;
        let place = app.fetches.take(link.account).ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        Ok((fetch(&app, link).await?, place))
    };
    match fetched.await {
        Ok((media, place)) => of_media(media, place),
        Err(status) => StatusCode::into_response(status),
    }
}

async fn fetch(app: &App, FileLink { account, inbound, .. }: FileLink) -> Result<Media, StatusCode> {
    let store = app.gateway.store().account(account);
    let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    let entry = store.inbound_entry(inbound).await.map_err(unavailable)?.ok_or(StatusCode::NOT_FOUND)?;
    let instance = store.instance(entry.instance.into()).await.map_err(unavailable)?.ok_or(StatusCode::NOT_FOUND)?;
    let (file, deadline) = (file(&entry, instance.provider).ok_or(StatusCode::NOT_FOUND)?, app.now().plus(app.settings.call_timeout));
    let fetched = match instance.provider {
        Provider::CloudApi => app.providers.cloud.fetch(account, instance.id, &file, deadline).await,
        Provider::Evolution => app.providers.evolution.fetch(account, instance.id, &file, deadline).await,
        Provider::Sandbox => return Err(StatusCode::NOT_FOUND),
    };
    fetched.map_err(|failure| {
        tracing::warn!(%account, instance = %instance.id, ?failure, "a file could not be fetched from its provider");
        match failure {
            MediaFailure::Gone => StatusCode::GONE,
            MediaFailure::NotSetUp | MediaFailure::TooLarge | MediaFailure::Refused(_) => StatusCode::BAD_GATEWAY,
            MediaFailure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    })
}

/// The file that came in, as its provider knows it: Meta by an id of its own, Evolution API by the message.
fn file(entry: &InboundEntry, provider: Provider) -> Option<MediaRef> {
    let Told::Said(said) = &entry.told else { return None };
    let file = said.file.as_ref()?;
    let id = match provider {
        Provider::CloudApi => file.id.clone()?,
        Provider::Evolution | Provider::Sandbox => said.external_id.clone(),
    };
    Some(MediaRef { id, mime_type: file.mime_type.clone() })
}

/// Nothing in it runs, whatever opens it: somebody unknown sent it. It keeps its place until the last of it is taken.
fn of_media(media: Media, place: Place) -> Response {
    let bytes = Bytes::from(media.bytes);
    let parts: Vec<Bytes> = (0..bytes.len()).step_by(PART_BYTES).map(|at| bytes.slice(at..bytes.len().min(at + PART_BYTES))).collect();
    let holding = stream::iter(parts).map(move |part| {
        let _place = &place;
        Ok::<Bytes, Infallible>(part)
    });
    let mut response = Response::new(Body::from_stream(holding));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let mime_type = HeaderValue::from_str(&media.mime_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, mime_type);
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
