//! Bodies: what phone systems post, for the OpenAPI document. They are read by the adapter, which is more lenient than a schema can say.

#![expect(dead_code, reason = "they describe bodies; the adapter reads them")]

use utoipa::ToSchema;

/// What happened, or what is to be sent. Other fields are left aside.
#[derive(ToSchema)]
#[schema(as = ThreecxWebhookEvent, example = json!({
    "event_type": "outbound_message", "customer_phone": "+999501234567", "message_text": "We shall call you at three.",
    "message_purpose": "support",
}))]
pub(super) struct EventBody {
    /// `test`, `outbound_message`, `inbound_reply`, `missed_call`, `voicemail`, `call_ended`, `queue_callback`, `after_hours`, `call_started` or
    /// `queue_event`.
    event_type: String,
    /// The customer's number, with its country code. It may stand as `to`, `from`, `caller` or `phone` too.
    customer_phone: Option<String>,
    /// What an `outbound_message` says: 1 to 4096 characters. It may stand as `message` too.
    message_text: Option<String>,
    /// Why an `outbound_message` is sent.
    message_purpose: Option<String>,
    /// What the phone system calls the conversation: at most 128 characters, as in the fields below.
    conversation_id: Option<String>,
    /// The extension of the agent.
    agent_extension: Option<String>,
    /// The queue.
    queue: Option<String>,
    /// When the call was, as a template shall say it.
    call_time: Option<String>,
}

/// A message that an agent typed.
#[derive(ToSchema)]
#[schema(as = ThreecxSms, example = json!({"from": "+999220000001", "to": "+999501234567", "text": "Hello"}))]
pub(super) struct SmsBody {
    /// The number of the trunk.
    from: String,
    /// The customer's number, with its country code.
    to: String,
    /// What it says: 1 to 4096 characters. It may be missing where there are files.
    text: Option<String>,
    /// URLs of at most 10 files. They may stand as `mediaUrls` or `media` too.
    media_urls: Option<Vec<String>>,
}

/// A call that is over, or one part of it.
#[derive(ToSchema)]
#[schema(as = ThreecxCallReport, example = json!({
    "call_type": "Missed", "number": "+999501234567", "start_utc": "2026-11-22T09:58:00Z", "queue": "800", "duration": "00:00:00",
}))]
pub(super) struct CallReportBody {
    /// `Inbound`, `Outbound`, `Missed` or `Notanswered`, in any case.
    call_type: String,
    /// The customer's number, with its country code. Without one a missed call becomes no message.
    number: Option<String>,
    /// The extension of the agent.
    agent: Option<String>,
    /// The extension of the queue.
    queue: Option<String>,
    /// When it began: RFC 3339. Without it, a report that comes twice is taken twice.
    start_utc: Option<String>,
    /// When it was answered.
    established_utc: Option<String>,
    /// When it was over.
    end_utc: Option<String>,
    /// How long they spoke: `hh:mm:ss`.
    duration: Option<String>,
}

/// A chat that is over.
#[derive(ToSchema)]
#[schema(as = ThreecxChatReport, example = json!({
    "number": "+999501234567", "queue": "800", "start_utc": "2026-11-22T09:00:00Z", "messages": "09:00 Pat: Hi\n09:01 Dana: Hello\n",
}))]
pub(super) struct ChatReportBody {
    /// The customer's number, with its country code.
    number: Option<String>,
    /// The e-mail address of the agent.
    agent_email: Option<String>,
    /// The extension of the queue.
    queue: Option<String>,
    /// When it began: RFC 3339. Without it, a report that comes twice is taken twice.
    start_utc: Option<String>,
    /// When it was over.
    end_utc: Option<String>,
    /// What was said, a line each: they are counted and not kept.
    messages: Option<String>,
}
