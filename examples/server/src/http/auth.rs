//! Authentication: from a request to an [`Identity`].
//!
//! `Authorization: Bearer` and nothing else. A key's checksum is looked at before anything is looked up.

use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use gatepost::{Brand, KeyRefusal, PresentedKey, StoreError};

use super::client;
use super::identity::Identity;
use super::keys::CheckError;
use super::state::App;

/// Why it is not known who calls.
#[derive(Debug)]
pub(super) enum Unauthenticated {
    /// The key stood in the URL, where every log on the way keeps it.
    InUrl,
    /// The key is not accepted; why is for the operator's eyes.
    Refused(KeyRefusal),
    /// This address failed too often; it may try again after so long.
    TooOften(Duration),
    /// Keys cannot be looked up.
    Store(StoreError),
}

/// Finds out who calls.
pub(super) async fn authenticate(app: &App, parts: &Parts) -> Result<Identity, Unauthenticated> {
    if let Some(identity) = parts.extensions.get::<Identity>() {
        return Ok(*identity);
    }
    let from = client::address(parts, &app.settings.trusted_proxies);
    if has_key_in_url(&parts.uri, &app.brand) {
        tracing::warn!(address = ?from, "an API key stood in a URL: revoke it");
        return Err(Unauthenticated::InUrl);
    }
    let presented = bearer(&parts.headers).and_then(|text| PresentedKey::parse(text, &app.brand).ok());
    let checked = match &presented {
        Some(presented) => app.keys.check(presented, from, app.now()).await,
        None => Err(CheckError::Refused(KeyRefusal::Unknown)),
    };
    match checked {
        Ok(identity) => Ok(identity),
        Err(CheckError::Store(error)) => Err(Unauthenticated::Store(error)),
        Err(CheckError::Refused(refusal)) => {
            app.note_failure(from).map_err(Unauthenticated::TooOften)?;
            let key = presented.map(|presented| presented.id);
            tracing::warn!(address = ?from, ?key, reason = %refusal, "a caller failed to authenticate");
            Err(Unauthenticated::Refused(refusal))
        }
    }
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

/// Whether a parameter is named like a key, or its value begins like one.
fn has_key_in_url(uri: &Uri, brand: &Brand) -> bool {
    let Some(query) = uri.query() else { return false };
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        NAMES_OF_KEYS.iter().any(|known| known.eq_ignore_ascii_case(name)) || begins_like_a_key(value, brand)
    })
}

const NAMES_OF_KEYS: [&str; 6] = ["access_token", "api-key", "api_key", "apikey", "key", "token"];

fn begins_like_a_key(value: &str, brand: &Brand) -> bool {
    let rest = value.strip_prefix(brand.as_str()).and_then(|rest| rest.strip_prefix('_'));
    rest.is_some_and(|rest| ["live_", "test_", "op_"].iter().any(|word| rest.starts_with(word)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_url_is_seen_by_its_name_or_by_its_looks() {
        let brand = Brand::default();
        for (url, expected) in [
            ("/v1/accounts?api_key=x", true),
            ("/v1/accounts?limit=5&Access_Token=x", true),
            ("/v1/accounts?cursor=wg_live_0aZ3", true),
            ("/v1/accounts?limit=5&cursor=acc_01", false),
            ("/v1/accounts?", false),
            ("/v1/accounts", false),
        ] {
            assert_eq!(has_key_in_url(&url.parse().unwrap(), &brand), expected, "{url}");
        }
    }

    #[test]
    fn only_one_bearer_token_is_read() {
        let token = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(token(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(token(&["bearer  abc"]).as_deref(), Some("abc"));
        assert_eq!(token(&["Basic abc"]), None);
        assert_eq!(token(&["Bearer abc", "Bearer abc"]), None);
        assert_eq!(token(&[]), None);
    }
}
