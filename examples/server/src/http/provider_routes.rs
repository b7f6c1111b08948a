//! Provider routes: where the providers of WhatsApp tell what happens.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use gatepost::InstanceId;
use gatepost_whatsapp::cloud::handshake;
use gatepost_whatsapp::{Accounts, NoAccount};

use super::state::App;

/// Where the provider of an instance tells what happens: `whatsapp` is Meta's Cloud API.
pub(super) fn webhook_path(provider: &'static str, instance: InstanceId) -> String {
    format!("/providers/{provider}/{instance}")
}

/// Answer Meta's handshake
///
/// Meta asks this before it subscribes to the webhook of an instance. Who does not know the instance's verify token learns nothing, not even
/// whether there is such an instance.
#[utoipa::path(get, path = "/providers/whatsapp/{instance_id}", tag = "Providers",
    params(("instance_id" = String, Path, description = "The instance's id.", example = "inst_01kanqh5s0e8t9v2xw3yz4abcd")),
    responses(
        (status = 200, description = "The challenge.", body = String, content_type = "text/plain"),
        (status = 400, description = "It is no handshake."),
        (status = 403, description = "The verify token is not the instance's."),
        (status = 503, description = "The gateway cannot answer now."),
))]
pub(super) async fn meet(State(app): State<App>, Path(instance): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Ok(instance) = instance.parse::<InstanceId>() else { return StatusCode::FORBIDDEN.into_response() };
    let account = match app.providers.accounts.cloud(instance).await {
        Ok(account) => account,
        Err(NoAccount::NotSetUp) => return StatusCode::FORBIDDEN.into_response(),
        Err(NoAccount::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    match handshake(query.as_deref().unwrap_or_default(), &account.verify_token) {
        Ok(challenge) => ([(CONTENT_TYPE, "text/plain")], challenge).into_response(),
        Err(refusal) => {
            tracing::warn!(%instance, %refusal, "a handshake was refused");
            StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN).into_response()
        }
    }
}
