//! Media: the files that people send, fetched by the Cloud API.
//!
//! Meta is asked twice: where the file is, and for the file. The link lives for five minutes and wants the access token, so it is followed
//! only to Meta's own hosts: whoever could name another host would be handed the token.

use std::sync::Arc;

use async_trait::async_trait;
use base64ct::{Base64, Encoding};
use gatepost::{
    AccountId, BODY_BYTES_MAX, Destination, DestinationHost, HttpAnswer, HttpMethod, HttpRequest, InstanceId, MEDIA_BYTES_MAX, Media,
    MediaFailure, MediaRef, MediaSource, Timestamp,
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::CloudApi;
use crate::accounts::CloudAccount;
use crate::errors::ProviderError;
use crate::fields::Fields;
use crate::media::{failure, refused, unanswered, unavailable, whole};
use crate::percent::segment;

/// Below these names lie Meta's files.
const FILE_HOSTS: [&str; 3] = [".facebook.com", ".fbsbx.com", ".whatsapp.net"];
/// How Meta says that there is no such object, or none that we may see.
const NO_SUCH_OBJECT: (Option<i64>, Option<i64>) = (Some(100), Some(33));

/// What Meta says of a file.
struct FileInfo {
    url: String,
    mime_type: Option<String>,
    sha256: Option<String>,
    file_size: Option<i64>,
}

/// The id is that of the file, as it stands in [`MediaFile::id`](crate::MediaFile::id): Meta knows it for seven days.
#[async_trait]
impl MediaSource for CloudApi {
    async fn fetch(&self, _: AccountId, instance: InstanceId, file: &MediaRef, deadline: Timestamp) -> Result<Media, MediaFailure> {
        let account = self.accounts.cloud(instance).await?;
        let info = self.file_info(&account, &file.id, deadline).await?;
        if info.file_size.is_some_and(|size| usize::try_from(size).is_ok_and(|size| size > MEDIA_BYTES_MAX)) {
            return Err(MediaFailure::TooLarge);
        }
        let destination = self.policy.parse(&info.url).ok().filter(|destination| self.is_of_meta(destination));
        let destination = destination.ok_or_else(|| refused("the link leads to a host that is not Meta's"))?;
        let answer = self.get(&account, destination, MEDIA_BYTES_MAX, deadline).await?;
        if answer.status != 200 {
            return Err(no_file(&answer));
        }
        let stated = info.mime_type.clone().or_else(|| answer.header("content-type").map(str::to_owned)).or_else(|| file.mime_type.clone());
        let bytes = whole(answer, MEDIA_BYTES_MAX)?;
        info.check(&bytes)?;
        Ok(Media::new(&stated.unwrap_or_default(), bytes))
    }
}

impl CloudApi {
    /// Asks where a file is. The number goes along, so that Meta answers only for files that were sent to it.
    async fn file_info(&self, account: &CloudAccount, id: &str, deadline: Timestamp) -> Result<FileInfo, MediaFailure> {
        let path = [&account.graph_version, id].map(segment).join("/");
        let url = format!("{}/{path}?phone_number_id={}", self.graph_url, segment(&account.phone_number_id));
        let destination = self.policy.parse(&url).map_err(|_| refused("the destination is not allowed"))?;
        let answer = self.get(account, destination, BODY_BYTES_MAX, deadline).await?;
        if answer.status != 200 {
            return Err(no_file(&answer));
        }
        FileInfo::read(&answer).ok_or_else(|| unavailable("the answer names no file"))
    }

    /// Gets something with the access token: the destination must be Meta's.
    async fn get(
        &self,
        account: &CloudAccount,
        destination: Destination,
        answer_bytes_max: usize,
        deadline: Timestamp,
    ) -> Result<HttpAnswer, MediaFailure> {
        let headers = vec![("authorization".into(), format!("Bearer {}", account.access_token.expose()))];
        let (method, body) = (HttpMethod::Get, Arc::from([]));
        let request = HttpRequest { method, destination, headers, body, deadline, repeatable: true, answer_bytes_max };
        self.http.send(request).await.map_err(|failure| unanswered(&failure.outcome()))
    }

    /// Whether the access token may go there: to a host of Meta's files, or to where the Graph API is anyway.
    fn is_of_meta(&self, destination: &Destination) -> bool {
        let graph = self.policy.parse(&self.graph_url);
        is_file_host(destination) || graph.is_ok_and(|graph| origin(&graph) == origin(destination))
    }
}

fn origin(destination: &Destination) -> (bool, &DestinationHost, u16) {
    (destination.is_https(), destination.host(), destination.port())
}

fn is_file_host(destination: &Destination) -> bool {
    let DestinationHost::Name(name) = destination.host() else { return false };
    destination.is_https() && destination.port() == 443 && FILE_HOSTS.iter().any(|domain| name.as_str().ends_with(domain))
}

/// Why there is no file in the answer.
fn no_file(answer: &HttpAnswer) -> MediaFailure {
    let body = serde_json::from_slice::<&RawValue>(&answer.body).ok().and_then(Fields::read).unwrap_or_default();
    let error = match body.fields("error") {
        Some(error) => ProviderError::read_answer(&error, answer.status),
        None => ProviderError::of_status(answer.status),
    };
    let is_gone = matches!(answer.status, 404 | 410) || (error.code, error.subcode) == NO_SUCH_OBJECT;
    if is_gone { MediaFailure::Gone } else { failure(&error, answer.status) }
}

impl FileInfo {
    fn read(answer: &HttpAnswer) -> Option<Self> {
        let body = serde_json::from_slice::<&RawValue>(&answer.body).ok().and_then(Fields::read)?;
        let (mime_type, sha256, file_size) = (body.text("mime_type"), body.text("sha256"), body.number("file_size"));
        Some(Self { url: body.text("url")?, mime_type, sha256, file_size })
    }

    /// Whether these bytes are the file. Meta writes the hash in hexadecimal digits here, and in Base64 in webhooks: either will do.
    fn check(&self, bytes: &[u8]) -> Result<(), MediaFailure> {
        let digest = Sha256::digest(bytes);
        let digits = || digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let is_hash = |stated: &str| stated.eq_ignore_ascii_case(&digits()) || stated == Base64::encode_string(&digest);
        let is_size = |stated: i64| usize::try_from(stated).is_ok_and(|stated| stated == bytes.len());
        let is_it = self.file_size.is_none_or(is_size) && self.sha256.as_deref().is_none_or(is_hash);
        if is_it { Ok(()) } else { Err(unavailable("what came is not the file that was announced")) }
    }
}
