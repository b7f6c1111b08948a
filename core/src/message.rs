//! Message: what is sent, to whom and why, and how far it got.
//!
//! A [`Request`] is a message that somebody asks to send, parsed; a [`Message`] is one that was accepted or held. Their `Debug`
//! never shows what is said.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Address, Content, DeclaredPurpose, InstanceId, IntegrationId, KeyId, MessageId, Mode, Phone, Purpose, Text, Timestamp, expiry,
};

/// How long an idempotency key stays bound to its message.
pub const IDEMPOTENCY_TIME: Duration = Duration::from_secs(24 * 3_600);

/// How long a call becomes no second message: by integration, kind of event and number.
pub const COOLDOWN_TIME: Duration = Duration::from_secs(15 * 60);

/// A name that the sender gives a request, so that repeating it sends nothing twice: 1 to 255 visible ASCII characters.
///
/// The header may carry it bare or as a quoted string (draft-ietf-httpapi-idempotency-key-header-07).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key as it was given, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IdempotencyKey {
    /// The key of a message that a call becomes: the next such call of this number is still the same one until [`COOLDOWN_TIME`] is over. No
    /// caller can give it, for it begins with a space.
    pub(crate) fn of_call(integration: IntegrationId, event: &str, phone: Phone) -> Self {
        let digest = Sha256::new().chain_update(phone.digits().to_be_bytes()).finalize();
        Self(alloc::format!(" call/{integration}/{event}/{}", crate::hex::encode(digest.split_at(16).0)))
    }

    /// How long the key stays bound to its message.
    pub fn time(&self) -> Duration {
        if self.is_of_call() { COOLDOWN_TIME } else { IDEMPOTENCY_TIME }
    }

    fn is_of_call(&self) -> bool {
        self.0.starts_with(' ')
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let visible = bare.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if visible && (1..=255).contains(&bare.len()) { Ok(Self(bare.to_string())) } else { Err(InvalidIdempotencyKey) }
    }
}

/// The text cannot be an idempotency key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

/// Which instance is meant: by its id or by its name.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum InstanceRef {
    /// By id.
    Id(InstanceId),
    /// By the name it has in its account.
    Name(String),
}

impl From<&str> for InstanceRef {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_string()), Self::Id)
    }
}

impl From<InstanceId> for InstanceRef {
    fn from(id: InstanceId) -> Self {
        Self::Id(id)
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A caller of the API, with this key; the key is read again where the message is accepted.
    Api(KeyId),
    /// The app that embeds the gateway.
    App,
    /// The gateway itself, to confirm an opt-out.
    Confirmation,
    /// A 3CX phone system.
    ThreeCx(PhoneSystem),
}

/// What of a 3CX phone system asks for a message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct PhoneSystem {
    /// Its integration.
    pub integration: IntegrationId,
    /// In which way.
    pub way: Way,
    /// Whether it may only answer who wrote within the last 24 hours, whatever the instance's provider allows.
    pub strict_window: bool,
}

/// In which way a phone system asks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By its SMS trunk: an agent typed it into their chat.
    Trunk,
    /// By the webhook: a flow answered, or a call happened.
    Webhook,
}

/// How long the confirmation of an opt-out is worth sending: later it would be one more unwanted message.
pub const CONFIRMATION_TIME: Duration = Duration::from_secs(300);

impl Origin {
    /// Whether a message counts against the limits. The confirmation of an opt-out does not: they are for what the account has to say.
    pub const fn is_charged(self) -> bool {
        !matches!(self, Self::Confirmation)
    }

    /// Whether it may only answer who wrote within the last 24 hours.
    pub const fn needs_window(self) -> bool {
        matches!(self, Self::ThreeCx(PhoneSystem { strict_window: true, .. }))
    }

    /// Whether a phone system asks.
    pub const fn is_threecx(self) -> bool {
        matches!(self, Self::ThreeCx(_))
    }

    /// The integration whose agent typed the message: its phone system is told how far it gets.
    pub const fn trunk(self) -> Option<IntegrationId> {
        match self {
            Self::ThreeCx(PhoneSystem { integration, way: Way::Trunk, .. }) => Some(integration),
            _ => None,
        }
    }

    /// When a message that was accepted then is no longer worth sending.
    pub fn expiry(self, purpose: Purpose, accepted_at: Timestamp) -> Timestamp {
        match self {
            Self::Confirmation => accepted_at.plus(CONFIRMATION_TIME),
            Self::Api(_) | Self::App | Self::ThreeCx(_) => expiry(purpose, accepted_at),
        }
    }
}

/// A message that somebody asks to send.
///
/// ```
/// use gatepost::{Purpose, Request};
///
/// let request = Request::text("inst-or-name", "+999501234567".parse()?, Purpose::Support, "Your table is ready.".parse()?);
/// # let _ = request;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// From which instance.
    pub instance: InstanceRef,
    /// To which address.
    pub recipient: Address,
    /// Why.
    pub purpose: DeclaredPurpose,
    /// What.
    pub content: Content,
    /// So that a repeat sends nothing twice.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether it waits for earlier ordered messages of the same conversation.
    pub ordered: bool,
    /// Who asks.
    pub origin: Origin,
    /// Whether it is real.
    pub mode: Mode,
}

impl Request {
    /// A text from the embedding app.
    pub fn text(instance: impl Into<InstanceRef>, phone: Phone, purpose: impl Into<DeclaredPurpose>, text: Text) -> Self {
        Self {
            instance: instance.into(),
            recipient: phone.into(),
            purpose: purpose.into(),
            content: text.into(),
            idempotency_key: None,
            ordered: false,
            origin: Origin::App,
            mode: Mode::Live,
        }
    }

    /// The same request under `key`.
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// The same request as the message of a call to this number: what happens again within the [`COOLDOWN_TIME`] is no second message.
    pub fn of_call(mut self, integration: IntegrationId, event: &str, phone: Phone) -> Self {
        self.idempotency_key = Some(IdempotencyKey::of_call(integration, event, phone));
        self
    }

    /// What makes two requests the same request. Two calls are the same, whatever is said of them.
    pub fn fingerprint(&self) -> Fingerprint {
        if self.idempotency_key.as_ref().is_some_and(IdempotencyKey::is_of_call) {
            return Fingerprint([0; 16]);
        }
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        match &self.instance {
            InstanceRef::Id(id) => part(&id.to_bytes()),
            InstanceRef::Name(name) => part(name.as_bytes()),
        }
        match &self.recipient {
            Address::Phone(phone) => part(&phone.digits().to_be_bytes()),
            other => part(other.text().as_bytes()),
        }
        part(self.purpose.as_str().as_bytes());
        part(self.mode.as_str().as_bytes());
        part(&[u8::from(self.ordered)]);
        match &self.content {
            Content::Text { text } => part(text.as_str().as_bytes()),
            other => part(serde_json::to_string(other).unwrap_or_default().as_bytes()),
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(digest.split_at(16).0);
        Fingerprint(fingerprint)
    }
}

/// A digest of a request: the first 16 bytes of SHA-256 over its parts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The digest, as a store keeps it.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// How far a message got.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It waited for something that came too late, or was withdrawn by a suppression; it never left.
    Canceled,
    /// The provider says it reached the phone.
    Delivered,
    /// It could not be sent in time; it never left.
    Expired,
    /// It will not be sent: the provider refused it for good, or every try failed.
    Failed,
    /// A person must release it.
    Held,
    /// It waits for its turn or its next try.
    Queued,
    /// The provider says it was read.
    Read,
    /// A person refused it, or nobody released it in time.
    Refused,
    /// An attempt is open.
    Sending,
    /// The provider accepted it.
    Sent,
    /// An attempt ended without an answer; it may or may not have reached the provider.
    Unknown,
}

impl MessageStatus {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Canceled,
        Self::Delivered,
        Self::Expired,
        Self::Failed,
        Self::Held,
        Self::Queued,
        Self::Read,
        Self::Refused,
        Self::Sending,
        Self::Sent,
        Self::Unknown,
    ];

    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Delivered => "delivered",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Read => "read",
            Self::Refused => "refused",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
        }
    }

    /// How the message stands for whoever asks, while its account or its instance is paused, or neither is. A pause rewrites no row: what
    /// waits shows as held.
    ///
    /// ```
    /// use gatepost::{Hindrance, MessageStatus, Standing};
    ///
    /// let held = Standing { status: MessageStatus::Held, held_by: Some(Hindrance::Paused) };
    /// assert_eq!(MessageStatus::Queued.standing(true), held);
    /// assert_eq!(MessageStatus::Queued.standing(false), Standing { status: MessageStatus::Queued, held_by: None });
    /// // What was started is on its way, whatever is paused.
    /// assert_eq!(MessageStatus::Sending.standing(true).status, MessageStatus::Sending);
    /// ```
    pub const fn standing(self, is_paused: bool) -> Standing {
        match self {
            Self::Queued if is_paused => Standing { status: Self::Held, held_by: Some(Hindrance::Paused) },
            Self::Held => Standing { status: self, held_by: Some(Hindrance::Review) },
            status => Standing { status, held_by: None },
        }
    }

    /// Whether the gateway still has something to do, so that a caller may wait for it.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MessageStatus {
    type Err = InvalidMessageStatus;

    fn from_str(word: &str) -> Result<Self, InvalidMessageStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(InvalidMessageStatus)
    }
}

/// The word is no message status.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a message status, for example `sent`")]
pub struct InvalidMessageStatus;

/// How a message stands for whoever asks; its stored status does not know of pauses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Standing {
    /// How far it got.
    pub status: MessageStatus,
    /// What holds it, where it is held.
    pub held_by: Option<Hindrance>,
}

/// What holds a message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    /// Its account or its instance is paused; it goes on when that is resumed.
    Paused,
    /// A person must release it.
    Review,
}

impl Hindrance {
    /// The word used in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Review => "review",
        }
    }
}

/// A message that was accepted, or is held for review.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its place in the account's send log.
    pub log_id: u64,
    /// From which instance.
    pub instance: InstanceId,
    /// To which address.
    pub recipient: Address,
    /// Why.
    pub purpose: Purpose,
    /// What; gone once its retention is over.
    pub content: Option<Content>,
    /// Whether it is real.
    pub mode: Mode,
    /// How far it got.
    pub status: MessageStatus,
    /// Why it is not further, where there is a reason.
    pub error: Option<ErrorClass>,
    /// The provider's id for it.
    pub external_id: Option<String>,
    /// When it was accepted or held.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
}

/// Why an attempt or a message did not succeed: one vocabulary for all channels.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The provider refused this message for good.
    Refused,
    /// The provider could not be reached; nothing was sent.
    Unreachable,
    /// The provider asked us to slow down; nothing was sent.
    Throttled,
    /// No answer came in time.
    Timeout,
    /// The process or the host ended while the attempt was open.
    Interrupted,
    /// The recipient is suppressed.
    Suppressed,
    /// The instance's provider is not set up here.
    NoTransport,
    /// It could not be sent before its time was over.
    Expired,
    /// The other side answered with a status that means failure.
    ErrorStatus,
    /// The other side is gone for good: it answered 410.
    Gone,
    /// The other side wants no more of this.
    Aborted,
    /// The destination policy forbids the destination.
    Forbidden,
    /// The other side's certificate or its TLS is not acceptable.
    Tls,
    /// The connection broke, or the other side does not speak the protocol.
    Broken,
    /// The provider cannot deliver to this recipient, and need not say why.
    Undeliverable,
    /// More than 24 hours have passed since the recipient wrote, says the provider.
    WindowClosed,
    /// The recipient stopped messages of this kind at the provider.
    OptedOut,
    /// The template is not as it was used, or the provider stopped it.
    TemplateProblem,
    /// The provider cannot fetch or take the file.
    MediaProblem,
    /// The provider has restricted the account or the number.
    Restricted,
    /// Token, permission, registration or payment of the instance are not in order.
    Misconfigured,
    /// The instance's provider carries no content of this kind, or not to such an address.
    Unsupported,
    /// It was held back here, because the provider would have refused so much at once; nothing was sent.
    Paced,
    /// It was held back here, because the way to the provider is stopped; nothing was sent.
    CircuitOpen,
}

impl ErrorClass {
    /// The word used in answers and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Suppressed => "suppressed",
            Self::NoTransport => "no_transport",
            Self::Expired => "expired",
            Self::ErrorStatus => "error_status",
            Self::Gone => "gone",
            Self::Aborted => "aborted",
            Self::Forbidden => "forbidden",
            Self::Tls => "tls",
            Self::Broken => "broken",
            Self::Undeliverable => "undeliverable",
            Self::WindowClosed => "window_closed",
            Self::OptedOut => "opted_out",
            Self::TemplateProblem => "template_problem",
            Self::MediaProblem => "media_problem",
            Self::Restricted => "restricted",
            Self::Misconfigured => "misconfigured",
            Self::Unsupported => "unsupported",
            Self::Paced => "paced",
            Self::CircuitOpen => "circuit_open",
        }
    }

    /// Whether another try could not change it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Refused | Self::NoTransport | Self::Suppressed | Self::Expired | Self::Gone | Self::Aborted | Self::Forbidden => true,
            Self::Undeliverable | Self::WindowClosed | Self::OptedOut | Self::TemplateProblem | Self::MediaProblem => true,
            Self::Restricted | Self::Misconfigured | Self::Unsupported => true,
            Self::Unreachable | Self::Throttled | Self::Timeout | Self::Interrupted | Self::ErrorStatus | Self::Tls | Self::Broken => false,
            Self::Paced | Self::CircuitOpen => false,
        }
    }

    /// Whether it was held back here, before the provider: the try does not count.
    pub const fn is_held_back(self) -> bool {
        matches!(self, Self::Paced | Self::CircuitOpen)
    }

    /// Whether the provider had the message, and would not deliver it.
    pub const fn is_of_provider(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Undeliverable
                | Self::WindowClosed
                | Self::OptedOut
                | Self::TemplateProblem
                | Self::MediaProblem
                | Self::Restricted
        )
    }
}
