//! Media: the files that people send, fetched by Evolution API, which decrypts them.

use async_trait::async_trait;
use base64ct::{Base64, Encoding};
use gatepost::{AccountId, BODY_BYTES_MAX, HttpMethod, InstanceId, MEDIA_BYTES_MAX, Media, MediaFailure, MediaRef, MediaSource, Timestamp};
use serde_json::json;
use serde_json::value::RawValue;

use super::Evolution;
use super::answer::says;
use crate::errors::ProviderError;
use crate::fields::Fields;
use crate::media::{failure, unanswered, unavailable, whole};
use crate::percent::segment;

/// The longest answer that can hold a file: Base64 makes four bytes of three, and some are said beside them.
const ANSWER_BYTES_MAX: usize = MEDIA_BYTES_MAX.div_ceil(3) * 4 + BODY_BYTES_MAX;

/// How Evolution API says that it does not know the message, or that there is no file in what it knows of it.
const GONE: [&str; 2] = ["Message not found", "not of the media type"];

/// The id is that of the message ([`Inbound::id`](crate::Inbound::id)): files have none of their own here.
#[async_trait]
impl MediaSource for Evolution {
    async fn fetch(&self, _: AccountId, instance: InstanceId, file: &MediaRef, deadline: Timestamp) -> Result<Media, MediaFailure> {
        let account = self.accounts.evolution(instance).await?;
        let path = format!("chat/getBase64FromMediaMessage/{}", segment(&account.instance_name));
        let body = json!({"message": {"key": {"id": file.id}}, "convertToMp4": false}).to_string().into_bytes();
        let answer = self.call_for(ANSWER_BYTES_MAX, &account, (HttpMethod::Post, path), body, deadline).await;
        let answer = answer.map_err(|outcome| unanswered(&outcome))?;
        let (status, body) = (answer.status, whole(answer, ANSWER_BYTES_MAX)?);
        let body = serde_json::from_slice::<&RawValue>(&body).ok().and_then(Fields::read).unwrap_or_default();
        let Some(encoded) = body.text("base64").filter(|_| (200..300).contains(&status)) else { return Err(no_file(&body, status)) };
        let bytes = Base64::decode_vec(&encoded).map_err(|_| unavailable("the answer is not Base64"))?;
        if bytes.len() > MEDIA_BYTES_MAX {
            return Err(MediaFailure::TooLarge);
        }
        let stated = body.text("mimetype").or_else(|| file.mime_type.clone()).unwrap_or_default();
        Ok(Media::new(&stated, bytes))
    }
}

/// Why there is no file in the answer.
fn no_file(body: &Fields<'_>, status: u16) -> MediaFailure {
    match status {
        200..300 if body.has("code") => failure(&ProviderError::read(body), status),
        404 if says(body, "instance does not exist") => MediaFailure::NotSetUp,
        404 | 410 => MediaFailure::Gone,
        400 if GONE.iter().any(|words| says(body, words)) => MediaFailure::Gone,
        _ => failure(&ProviderError::of_status(status), status),
    }
}
