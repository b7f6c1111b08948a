//! Trunk: `POST /3cx/{integration_id}/sms`, what an agent types into 3CX, in 3CX's own shape and with its own answers.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse, Response};
use gatepost::{
    Answer, Content, EntryKey, EntryOutcome, IdempotencyKey, MediaKind, MessageId, Origin, Phone, Purpose, Request as Message, Text, Way,
};
use gatepost_threecx::bearer;
use gatepost_threecx::trunk::{AgentMessage, InvalidAgentMessage, accepted};

use super::bodies::SmsBody;
use super::entry::{Entry, Said, Written};
use super::not_taken::NotTaken;
use super::{Line, note_refusal, only, peer, repeats};
use crate::http::body;
use crate::http::code::Code;
use crate::http::contract_error::ContractError;
use crate::http::send::Receipt;
use crate::http::state::App;

/// Take what an agent types into 3CX
///
/// The URL to enter as the provider URL of a generic SMS trunk. It is answered once the message is stored; whether it then reaches the
/// customer is posted to the phone system. A message that must not go out is answered with an error, which 3CX shows the agent.
#[utoipa::path(post, path = "/3cx/{integration_id}/sms", tag = "3CX", operation_id = "send_threecx_sms",
    params(
        ("integration_id" = String, Path, description = "The integration's id.", example = "4503599627370497"),
        ("Authorization" = String, Header, description = "`Bearer` and the integration's trunk key."),
    ),
    request_body(content = SmsBody, description = "`from`, `to` and `text`, as 3CX posts them."),
    responses(
        (status = 200, description = "It is stored: `data.payload.id` is the message."),
        (status = 401, description = "`unauthorized`: the key is not the integration's, or there is no such integration."),
        (status = 403, description = "`unknown_sender`, `module_not_enabled`, `outbound_disabled`, `recipient_suppressed`, `policy_violation`, or a pause."),
        (status = 422, description = "`conversation_window_closed`: the customer has not written in the last 24 hours; or `validation_error`."),
        (status = 429, description = "`sending_throttled`, or a limit that is used up."),
        (status = 503, description = "The gateway cannot answer now: send it again."),
))]
pub(crate) async fn send_sms(State(app): State<App>, Path(id): Path<String>, request: Request<Body>) -> Response {
    match answer(&app, &id, request).await {
        Ok(message) => (StatusCode::OK, Json(accepted(&message.to_string()))).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

impl From<InvalidAgentMessage> for NotTaken {
    fn from(invalid: InvalidAgentMessage) -> Self {
        let code = if invalid == InvalidAgentMessage::NotJson { Code::InvalidJson } else { Code::ValidationError };
        Self::new(code.status(), code.name(), &invalid.to_string())
    }
}

async fn answer(app: &App, id: &str, request: Request<Body>) -> Result<MessageId, NotTaken> {
    let (parts, body) = request.into_parts();
    let line = Line::find(app, id).await?;
    let (shown, from) = (only(&parts.headers, AUTHORIZATION.as_str()), peer(app, &parts));
    if let Err(refusal) = line.key_gate(&line.secrets.trunk).admit(shown.and_then(bearer), from) {
        note_refusal(id, from, "trunk", refusal);
        return Err(NotTaken::unauthorized(shown.is_some()));
    }
    let read = match body::read(&parts.headers, body).await {
        Ok(body) => AgentMessage::read(&body).map_err(NotTaken::from),
        Err(code) => Err(NotTaken::from(code)),
    };
    line.take_sms(app, read).await
}

impl Line {
    async fn take_sms(self, app: &App, read: Result<AgentMessage, NotTaken>) -> Result<MessageId, NotTaken> {
        let phone = read.as_ref().ok().map(|message| message.to);
        let key = read.as_ref().ok().map(|message| repeats::entry_key(&self.secrets.trunk, message));
        let (entry, is_new) = match (Said { phone, key, ..Said::of_kind("sms") }).write(app, &self).await? {
            Written::New(entry) => (entry, true),
            Written::Repeated(entry) => (entry, false),
            Written::TooOften(_) => return Err(NotTaken::from(Code::InternalError)),
        };
        let checked = self.check(read).and_then(|message| Ok((contents(&message)?, message)));
        let (contents, message) = match checked {
            Ok(checked) => checked,
            Err(refusal) => {
                // What was taken before may still be on its way.
                entry.conclude_try(EntryOutcome::Refused, Some(refusal.code()), None, is_new).await;
                return Err(refusal);
            }
        };
        if !message.unknown.is_empty() {
            let (integration, fields) = (self.integration.id, &message.unknown);
            tracing::info!(%integration, ?fields, "3CX posted fields that are not known here");
        }
        let (app, to) = (app.clone(), message.to);
        // A caller who breaks off stops nothing half-way.
        let sending = tokio::spawn(async move { self.submit_all(&app, entry, key, to, contents).await });
        let tried = sending.await.map_err(|_| NotTaken::from(Code::InternalError))?;
        tried.answer()
    }

    /// Hands all parts over: where one is refused, those before it are on their way, and the agent sees that not all of it is.
    async fn submit_all(&self, app: &App, entry: Entry, key: Option<EntryKey>, to: Phone, contents: Vec<Content>) -> Tried {
        let (mut first, id) = (None, entry.id);
        for (nth, content) in contents.into_iter().enumerate() {
            let key = key.and_then(|key| repeats::idempotency_key(&key, id, nth));
            match self.submit(app, key, to, content).await {
                Ok(message) => first = first.or(Some(message)),
                Err(refusal) => return Tried { first, refusal: Some(refusal), entry: Some(entry) },
            }
        }
        Tried { first, refusal: None, entry: Some(entry) }
    }

    /// The message, if this phone system may send it.
    fn check(&self, read: Result<AgentMessage, NotTaken>) -> Result<AgentMessage, NotTaken> {
        if !self.account.threecx_enabled {
            return Err(NotTaken::from(Code::ModuleNotEnabled));
        }
        if !self.settings.outbound_enabled {
            return Err(NotTaken::from(Code::OutboundDisabled));
        }
        let message = read?;
        if self.settings.number != Some(message.from) {
            return Err(NotTaken::new(StatusCode::FORBIDDEN, "unknown_sender", "Number not assigned"));
        }
        Ok(message)
    }

    /// Hands a part of the message over, in the order of its conversation.
    async fn submit(
        &self,
        app: &App,
        idempotency_key: Option<IdempotencyKey>,
        to: Phone,
        content: Content,
    ) -> Result<MessageId, ContractError> {
        let request = Message {
            instance: self.integration.instance.into(),
            recipient: to.into(),
            purpose: Purpose::Support.into(),
            content,
            idempotency_key,
            ordered: true,
            origin: Origin::ThreeCx(self.settings.origin(&self.integration, Way::Trunk)),
            mode: gatepost::Mode::Live,
        };
        let answer: Answer = app.gateway.account(self.account.id).submit(request).await?;
        Ok(Receipt::of(&answer, app.now())?.message())
    }
}

/// What became of an agent's message. Unless somebody takes the [answer](Self::answer), the phone system has none, and may tell it again.
struct Tried {
    /// The first message that it became.
    first: Option<MessageId>,
    /// Why a part of it was refused.
    refusal: Option<ContractError>,
    /// Until it is concluded.
    entry: Option<Entry>,
}

impl Tried {
    /// The answer. It is written down beside it, for a caller who breaks off just then must not keep that from being done: the same words in the
    /// moment in which they are answered are the same message.
    fn answer(mut self) -> Result<MessageId, NotTaken> {
        self.conclude(self.refusal.is_none());
        match self.refusal.take() {
            Some(error) => Err(NotTaken::from(error)),
            None => self.first.ok_or_else(|| NotTaken::from(Code::ValidationError)),
        }
    }

    fn conclude(&mut self, is_answered: bool) {
        let Some(entry) = self.entry.take() else { return };
        let (message, refused) = (self.first, self.refusal.as_ref().map(|error| error.code().name()));
        let outcome = if refused.is_some() { EntryOutcome::Refused } else { EntryOutcome::Accepted };
        tokio::spawn(async move { entry.conclude_try(outcome, refused, message, is_answered).await });
    }
}

impl Drop for Tried {
    fn drop(&mut self) {
        self.conclude(false);
    }
}

/// The messages that it becomes: WhatsApp carries one file in each, and a caption below the first.
fn contents(message: &AgentMessage) -> Result<Vec<Content>, NotTaken> {
    let AgentMessage { text, files, .. } = message;
    let has_caption = files.first().is_some_and(|url| kind_of(url) != MediaKind::Audio);
    let caption = text.as_ref().and_then(|text| text.as_str().parse::<Text<1024>>().ok()).filter(|_| has_caption);
    let mut contents = Vec::with_capacity(files.len() + 1);
    // What is too long for a caption goes before the files.
    if caption.is_none() {
        contents.extend(text.clone().map(Content::from));
    }
    for (nth, url) in files.iter().enumerate() {
        contents.push(media(url, caption.clone().filter(|_| nth == 0)).ok_or_else(not_a_link)?);
    }
    Ok(contents)
}

fn not_a_link() -> NotTaken {
    NotTaken::new(StatusCode::UNPROCESSABLE_ENTITY, Code::ValidationError.name(), "`media_urls`: expected links that begin with `https://`")
}

/// The provider fetches it from there itself.
fn media(url: &str, caption: Option<Text<1024>>) -> Option<Content> {
    let source: Text = url.strip_prefix("https://").and(url.parse().ok())?;
    let kind = kind_of(url);
    let file_name = (kind == MediaKind::Document).then(|| name_of(url).parse().ok()).flatten();
    Some(Content::Media { kind, source, caption, file_name })
}

fn name_of(url: &str) -> &str {
    url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

fn kind_of(url: &str) -> MediaKind {
    match name_of(url).rsplit_once('.').map(|(_, kind)| kind.to_ascii_lowercase()).as_deref() {
        Some("jpg" | "jpeg" | "png") => MediaKind::Image,
        Some("mp4" | "3gp") => MediaKind::Video,
        Some("aac" | "amr" | "m4a" | "mp3" | "ogg") => MediaKind::Audio,
        _ => MediaKind::Document,
    }
}
