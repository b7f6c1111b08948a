//! Files: what somebody sent to an account, for a phone system that was posted a link to it.
//!
//! The link is the key: signed, and good for a while. The file itself stays with the provider, and is fetched when it is asked for.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatepost::{FileLink, InboundEntry, Media, MediaFailure, MediaRef, MediaSource, Provider, Told};
use tokio::sync::Semaphore;

use crate::http::state::App;

/// How many files are fetched at once: each is held in memory whole.
const FETCHES_MAX: usize = 8;

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
    match fetch(&app, &link).await {
        Ok(media) => of_media(media),
        Err(status) => status.into_response(),
    }
}

async fn fetch(app: &App, link: &str) -> Result<Media, StatusCode> {
    static FETCHES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(FETCHES_MAX));
    let FileLink { account, inbound, .. } = app.keyring.open_link(link, app.now()).ok_or(StatusCode::NOT_FOUND)?;
    let _place = FETCHES.try_acquire().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
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

/// Nothing in it runs, whatever opens it: somebody unknown sent it.
fn of_media(media: Media) -> Response {
    let mut response = Response::new(Body::from(media.bytes));
    let headers = response.headers_mut();
    let mime_type = HeaderValue::from_str(&media.mime_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, mime_type);
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
