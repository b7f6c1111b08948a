//! Event schemas: what receivers get, as the document tells it.
//!
//! The players: [`payload`] (the table of what each event says), [`schemas`] (its schemas), [`headers`] (what proves it), [`webhooks`] (the
//! document's entry of each event), [`AnyEvent`] (any of them).

use std::borrow::Cow;

use gatepost::{
    EVENT_HEADER, EventName, SIGNATURE_HEADER, TIMESTAMP_HEADER, WEBHOOK_ID_HEADER, WEBHOOK_SIGNATURE_HEADER, WEBHOOK_TIMESTAMP_HEADER,
};
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Content, HttpMethod, PathItem, Paths, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The challenge is no event, and comes the way of one.
const CHALLENGE: &str = "endpoint.challenge";

/// What an event says.
struct Payload {
    /// The name of its schema.
    name: &'static str,
    /// What it is.
    text: &'static str,
    fields: &'static [Field],
}

/// A field of an event.
struct Field {
    name: &'static str,
    kind: Kind,
    text: &'static str,
    example: &'static str,
    is_optional: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Decimal,
    Number,
    Text,
    /// A text, or null.
    TextOrNull,
    Texts,
    Time,
    Object(&'static [Field]),
    Objects(&'static [Field]),
}

const fn text(name: &'static str, text: &'static str, example: &'static str) -> Field {
    Field { name, kind: Kind::Text, text, example, is_optional: false }
}

const fn time(name: &'static str, text: &'static str) -> Field {
    Field { name, kind: Kind::Time, text, example: "2026-11-22T12:00:00Z", is_optional: false }
}

const fn number(name: &'static str, text: &'static str, example: &'static str) -> Field {
    Field { name, kind: Kind::Number, text, example, is_optional: false }
}

const fn decimal(name: &'static str, text: &'static str, example: &'static str) -> Field {
    Field { name, kind: Kind::Decimal, text, example, is_optional: false }
}

const fn text_or_null(name: &'static str, text: &'static str, example: &'static str) -> Field {
    Field { name, kind: Kind::TextOrNull, text, example, is_optional: false }
}

const fn texts(name: &'static str, text: &'static str, example: &'static str) -> Field {
    Field { name, kind: Kind::Texts, text, example, is_optional: false }
}

const fn object(name: &'static str, text: &'static str, fields: &'static [Field]) -> Field {
    Field { name, kind: Kind::Object(fields), text, example: "", is_optional: false }
}

const fn objects(name: &'static str, text: &'static str, fields: &'static [Field]) -> Field {
    Field { name, kind: Kind::Objects(fields), text, example: "", is_optional: false }
}

const fn optional(Field { name, kind, text, example, .. }: Field) -> Field {
    Field { name, kind, text, example, is_optional: true }
}

/// What every event begins with.
const HEAD: [Field; 3] = [
    text("event", "What happened; the same as in `X-WhatsApp-Gateway-Event`.", "message.sent"),
    text("event_id", "The event's id, the same in every repetition; the same as `webhook-id`.", "evt_01kanqh5s0e8t9v2xw3yz4abcd"),
    time("occurred_at", "When it happened."),
];
const INSTANCE_ID: Field = text("instance_id", "The instance.", "inst_01kanqh5s0e8t9v2xw3yz4abcd");
const INSTANCE_NAME: Field = text("instance_name", "Its name.", "support");
const ACCOUNT_ID: Field = text("account_id", "The account.", "acc_01kanqh5s0e8t9v2xw3yz4abcd");
const PHONE: Field = text("phone", "Who.", "+999501234567");

const RECEIVED: Payload = Payload {
    name: "MessageReceivedEvent",
    text: "A contact wrote.",
    fields: &[
        INSTANCE_ID,
        INSTANCE_NAME,
        text("inbound_id", "What came in, as the inbound log has it.", "inb_01kanqh5s0e8t9v2xw3yz4abcd"),
        text_or_null("from", "Who wrote, where the provider says.", "+999501234567"),
        optional(text("sender_name", "What they call themself.", "Alice")),
        text_or_null("message_text", "What they wrote, where there is something to read.", "When do you open?"),
        text("message_type", "What kind of message it is.", "text"),
        text("external_message_id", "The provider's id for it.", "wamid.HBgL"),
        optional(object("media", "The file that came with it.", &MEDIA)),
        optional(objects("contacts", "The cards of people that were sent.", &CARD)),
        optional(object("location", "The place that was sent.", &PLACE)),
        optional(object("order", "The order that was sent.", &[number("lines", "How many lines it has.", "3")])),
        optional(object("reaction", "The emoji on the message that it answers to.", &[EMOJI])),
        optional(text("reply_to_external_message_id", "The provider's id for the message that it answers to.", "wamid.HBgM")),
        optional(text("reply_to_message_id", "The same message, where it is one of yours.", "msg_01kanqh5s0e8t9v2xw3yz4abcd")),
        optional(text(
            "reply_to_text",
            "What that said, where it is a text that is still kept: the first 160 characters.",
            "See you at 8?",
        )),
        time("received_at", "When it was received."),
        optional(time("conversation_window_expires_at", "Until when free text may be answered.")),
    ],
};
const MEDIA: [Field; 2] =
    [optional(text("id", "The provider's id for it.", "1003383421387256")), optional(text("mime_type", "Its type.", "image/jpeg"))];
const CARD: [Field; 2] = [
    optional(text("name", "What they are called.", "Barbara")),
    texts("phones", "Their numbers, as they were written.", "+1 202 555 0188"),
];
const PLACE: [Field; 4] = [
    decimal("latitude", "Degrees; north is positive.", "38.8977"),
    decimal("longitude", "Degrees; east is positive.", "-77.0365"),
    optional(text("name", "What it is called.", "The White House")),
    optional(text("address", "Where it is.", "1600 Pennsylvania Avenue")),
];
const EMOJI: Field = text_or_null("emoji", "The emoji; null where it was taken away.", "👍");
const STATUS: Payload = Payload {
    name: "MessageStatusEvent",
    text: "The status of a message changed.",
    fields: &[
        INSTANCE_ID,
        INSTANCE_NAME,
        text("message_id", "Which message.", "msg_01kanqh5s0e8t9v2xw3yz4abcd"),
        text("status", "Its status now.", "sent"),
        optional(text("previous_status", "Its status before; absent where it was just accepted.", "queued")),
        text("to", "To whom it is.", "+999501234567"),
        text("message_purpose", "Why it is sent.", "support"),
        optional(text("error_code", "Why it is not further, where there is a reason.", "timeout")),
        time("updated_at", "When its status changed."),
    ],
};
const BLOCKED: Payload = Payload {
    name: "MessageBlockedEvent",
    text: "A send was refused and became no message.",
    fields: &[
        INSTANCE_ID,
        INSTANCE_NAME,
        number("log_id", "Its place in the account's send log.", "7"),
        text("to", "To whom it was to be sent.", "+999501234567"),
        text("message_purpose", "Why it was to be sent, as declared.", "marketing"),
        optional(text("rule", "The rule that refused it.", "purpose_not_allowed")),
        number("risk_score", "How risky it looked, from 0 to 100.", "85"),
    ],
};
const OPTED_OUT: Payload = Payload {
    name: "RecipientOptedOutEvent",
    text: "A contact asked to be left alone.",
    fields: &[
        INSTANCE_ID,
        INSTANCE_NAME,
        PHONE,
        optional(text("matched_text", "What they wrote.", "STOP")),
        text("source", "How it was seen.", "keyword"),
        time("opted_out_at", "When."),
    ],
};
const OPTED_IN: Payload = Payload {
    name: "RecipientOptedInEvent",
    text: "A contact wants messages again.",
    fields: &[
        INSTANCE_ID,
        INSTANCE_NAME,
        PHONE,
        optional(text("matched_text", "What they wrote.", "START")),
        text("source", "How it was seen.", "keyword"),
        time("opted_in_at", "When."),
    ],
};
const CONNECTION: Payload = Payload {
    name: "InstanceConnectionEvent",
    text: "An instance was connected, or is not any more.",
    fields: &[INSTANCE_ID, INSTANCE_NAME, ACCOUNT_ID, text("connection", "Its connection now.", "open")],
};
const PAUSE_CAUSE: Field =
    text("cause", "What it was paused for: `manual`, or `rate` where it reached a rate; absent where it was not paused.", "manual");
const ACCOUNT: Payload = Payload {
    name: "AccountEvent",
    text: "Nothing of the account goes out any more, or it goes out again, or it is half way to being paused.",
    fields: &[
        ACCOUNT_ID,
        optional(PAUSE_CAUSE),
        optional(text("rate", "Of what there is too much, where it is a rate: `opt_outs`, `blocks` or `failures`.", "opt_outs")),
    ],
};
const INSTANCE_PAUSE: Payload = Payload {
    name: "InstancePauseEvent",
    text: "Nothing of an instance goes out any more, or it goes out again.",
    fields: &[INSTANCE_ID, INSTANCE_NAME, ACCOUNT_ID, optional(PAUSE_CAUSE)],
};
const ENDPOINT_PAUSE: Payload = Payload {
    name: "EndpointPauseEvent",
    text: "The events of another endpoint of the account are held, or go out again.",
    fields: &[
        ACCOUNT_ID,
        text("endpoint_id", "Which.", "ep_01kanqh5s0e8t9v2xw3yz4abcd"),
        text("endpoint_name", "Its name.", "shop backend"),
    ],
};
const LIMIT: Payload = Payload {
    name: "LimitThresholdEvent",
    text: "80 % or all of a day's or a month's messages were used.",
    fields: &[
        ACCOUNT_ID,
        text("mode", "Whose usage it is: `live`, or `test` for messages of test keys.", "live"),
        text("window", "`day` or `month`.", "day"),
        number("percent", "80 or 100.", "80"),
        number("limit", "How many messages the plan allows in it.", "100"),
        number("used", "How many were used.", "80"),
    ],
};
const DISABLED: Payload = Payload {
    name: "EndpointDisabledEvent",
    text: "Another endpoint of the account gets no events any more.",
    fields: &[
        ACCOUNT_ID,
        text("endpoint_id", "Which.", "ep_01kanqh5s0e8t9v2xw3yz4abcd"),
        text("endpoint_name", "Its name.", "shop backend"),
        text("reason", "Why: `person`, `failing`, `gone`, `asked` or `forbidden`.", "gone"),
    ],
};
const TEST: Payload = Payload {
    name: "EndpointTestEvent",
    text: "Somebody pressed the test button of the endpoint.",
    fields: &[text("endpoint_id", "The endpoint.", "ep_01kanqh5s0e8t9v2xw3yz4abcd")],
};
const THREECX: Payload = Payload {
    name: "ThreecxEvent",
    text: "A 3CX phone system of the account said something.",
    fields: &[
        INSTANCE_ID,
        INSTANCE_NAME,
        text("integration_id", "Which phone system.", "4503599627370497"),
        number("log_id", "Its place in the account's log of phone systems.", "7"),
        text("event_type", "What kind of thing it said.", "missed_call"),
        text_or_null("phone", "Whom it is about, where that is known.", "+999501234567"),
        optional(text("agent_extension", "The extension of the agent.", "101")),
        optional(text("queue", "The queue.", "sales")),
        optional(text("conversation_id", "What the phone system calls the conversation.", "3cx-chat-123")),
        optional(text("call_time", "When the call was, as the phone system wrote it.", "10:31")),
        optional(text("call_type", "Which way the call went, and whether it was answered.", "missed")),
        optional(number("duration_seconds", "How long the call was.", "65")),
        optional(number("lines", "How many lines the chat had.", "4")),
        time("received_at", "When it was received."),
    ],
};
const CHALLENGED: Payload = Payload {
    name: "EndpointChallenge",
    text: "A challenge, which is no event: whoever answers with it receives events at this URL.",
    fields: &[text("challenge", "What to answer with, alone or as `challenge` of a JSON object.", "evt_01kanqh5s0e8t9v2xw3yz4abcd")],
};

const PAYLOADS: [&Payload; 13] = [
    &RECEIVED,
    &STATUS,
    &BLOCKED,
    &OPTED_OUT,
    &OPTED_IN,
    &CONNECTION,
    &INSTANCE_PAUSE,
    &ACCOUNT,
    &LIMIT,
    &DISABLED,
    &ENDPOINT_PAUSE,
    &TEST,
    &THREECX,
];

const fn payload(event: EventName) -> &'static Payload {
    match event {
        EventName::MessageReceived => &RECEIVED,
        EventName::MessageQueued
        | EventName::MessageHeld
        | EventName::MessageSent
        | EventName::MessageDelivered
        | EventName::MessageRead
        | EventName::MessageFailed
        | EventName::MessageUnknown
        | EventName::MessageStatusUpdated => &STATUS,
        EventName::MessageBlocked => &BLOCKED,
        EventName::RecipientOptedOut => &OPTED_OUT,
        EventName::RecipientOptedIn => &OPTED_IN,
        EventName::InstanceConnected | EventName::InstanceDisconnected => &CONNECTION,
        EventName::InstancePaused | EventName::InstanceResumed => &INSTANCE_PAUSE,
        EventName::AccountPaused | EventName::AccountResumed | EventName::AccountWarned => &ACCOUNT,
        EventName::LimitThresholdReached => &LIMIT,
        EventName::EndpointDisabled => &DISABLED,
        EventName::EndpointPaused | EventName::EndpointResumed => &ENDPOINT_PAUSE,
        EventName::EndpointTest => &TEST,
        EventName::ThreecxEventReceived => &THREECX,
    }
}

/// The body of an event.
pub(super) struct AnyEvent;

impl PartialSchema for AnyEvent {
    fn schema() -> RefOr<Schema> {
        let any = AnyOfBuilder::new().description(Some("The body of an event, byte for byte as it is signed and sent."));
        PAYLOADS.iter().fold(any, |any, payload| any.item(Ref::from_schema_name(payload.name))).into()
    }
}

impl ToSchema for AnyEvent {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Event")
    }
}

/// The schemas of all bodies, by their names.
pub(super) fn schemas() -> impl Iterator<Item = (String, RefOr<Schema>)> {
    PAYLOADS.into_iter().chain([&CHALLENGED]).map(|payload| (payload.name.to_owned(), payload.schema()))
}

/// An entry for each event, and one for the challenge.
pub(super) fn webhooks() -> Paths {
    let entry = |paths: PathsBuilder, name: &str, operation: Operation| paths.path(name, PathItem::new(HttpMethod::Post, operation));
    let events = EventName::ALL.iter().fold(PathsBuilder::new(), |paths, event| {
        let operation = operation(event.as_str(), payload(*event));
        entry(paths, event.as_str(), operation)
    });
    entry(events, CHALLENGE, operation(CHALLENGE, &CHALLENGED)).build()
}

fn operation(name: &str, payload: &Payload) -> Operation {
    let body = RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(Ref::from_schema_name(payload.name))))
        .required(Some(Required::True))
        .description(Some(payload.text))
        .build();
    let operation = OperationBuilder::new()
        .operation_id(Some(format!("on_{}", name.replace('.', "_"))))
        .summary(Some(name))
        .description(Some(payload.text))
        .tag("Events")
        .request_body(Some(body));
    let operation = headers()
        .iter()
        .fold(operation, |operation, header| operation.parameter_ref(Ref::new(format!("#/components/parameters/{}", header.name))));
    ANSWERS
        .iter()
        .fold(operation, |operation, (status, text)| operation.response(*status, ResponseBuilder::new().description(*text).build()))
        .build()
}

/// What the receiver's answers mean.
const ANSWERS: [(&str, &str); 4] = [
    ("2XX", "It was taken. With `webhook-delivery: disable` nothing more comes."),
    ("410", "The receiver is gone: the endpoint is disabled."),
    ("429", "Later: after `Retry-After`. The same for 503 with a `Retry-After`."),
    (
        "default",
        "It was not taken, and is tried again: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h and 20 h. With `webhook-delivery: abort-message` it is not.",
    ),
];

/// The headers that prove an event, of the contract and of Standard Webhooks.
pub(super) fn headers() -> [Parameter; 6] {
    [
        (EVENT_HEADER, "The event's name.", "message.sent"),
        (TIMESTAMP_HEADER, "When this attempt is made, RFC 3339.", "2026-11-22T12:00:00Z"),
        (
            SIGNATURE_HEADER,
            "`sha256=` and, in hexadecimal, the HMAC-SHA-256 of this timestamp, a dot and the body; its key is the whole text of the secret, `whsec_` included.",
            "sha256=…",
        ),
        (WEBHOOK_ID_HEADER, "The event's id, the same in every repetition.", "evt_01kanqh5s0e8t9v2xw3yz4abcd"),
        (WEBHOOK_TIMESTAMP_HEADER, "When this attempt is made, in seconds since 1970.", "1795348800"),
        (
            WEBHOOK_SIGNATURE_HEADER,
            "Signatures as Standard Webhooks writes them, with spaces between: `v1,` and, in base64, the HMAC-SHA-256 of id, dot, timestamp, dot \
             and body for each live secret, its key being the decoded secret; `v1a,` for the Ed25519 key, where there is one.",
            "v1,…",
        ),
    ]
    .map(|(name, text, example)| {
        let schema = ObjectBuilder::new().schema_type(Type::String).examples([example]);
        let header = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::True);
        header.description(Some(text)).schema(Some(schema)).build()
    })
}

impl Payload {
    fn schema(&self) -> RefOr<Schema> {
        object_of(HEAD.iter().chain(self.fields)).description(Some(self.text)).into()
    }
}

fn object_of<'a>(fields: impl IntoIterator<Item = &'a Field>) -> ObjectBuilder {
    fields.into_iter().fold(ObjectBuilder::new().schema_type(Type::Object), |object, field| {
        let object = object.property(field.name, field.schema());
        if field.is_optional { object } else { object.required(field.name) }
    })
}

impl Field {
    fn schema(&self) -> RefOr<Schema> {
        let schema = ObjectBuilder::new().description(Some(self.text));
        let text = || ObjectBuilder::new().schema_type(Type::String).examples([self.example]);
        let list = |items: ObjectBuilder| ArrayBuilder::new().description(Some(self.text)).items(items);
        match self.kind {
            Kind::Decimal => schema.schema_type(Type::Number).examples(self.example.parse::<f64>()).into(),
            Kind::Number => schema.schema_type(Type::Integer).examples(self.example.parse::<u64>()).into(),
            Kind::Text => text().description(Some(self.text)).into(),
            Kind::TextOrNull => {
                let either = SchemaType::from_iter([Type::String, Type::Null]);
                schema.schema_type(either).examples([self.example]).into()
            }
            Kind::Texts => list(text()).into(),
            Kind::Time => text().description(Some(self.text)).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into(),
            Kind::Object(fields) => object_of(fields).description(Some(self.text)).into(),
            Kind::Objects(fields) => list(object_of(fields)).into(),
        }
    }
}
