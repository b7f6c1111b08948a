//! Code: the errors that the HTTP side answers with, one row each.
//!
//! A code never changes its meaning. `/api` shows it as `error` in the contract's shape, `/v1` as `code` of a problem.

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $id:ident = $status:ident, $name:literal, $text:literal;)*) => {
        /// What went wrong.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Code { $($(#[$doc])* $id,)* }

        impl Code {
            /// All of them, in the order of their names here.
            pub(super) const ALL: &[Self] = &[$(Self::$id,)*];

            /// The word that programs compare.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// What a problem has as its `type`.
            pub(super) fn problem_type(self) -> String {
                format!("/problems/{}", self.name())
            }

            /// The status it is answered with.
            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$id => StatusCode::$status,)* }
            }

            /// What it means, for people, where there is nothing more to say.
            pub(super) const fn text(self) -> &'static str {
                match self { $(Self::$id => $text,)* }
            }
        }
    };
}

codes! {
    /// The operator closed the account.
    AccountSuspended = FORBIDDEN, "account_suspended", "the account is suspended";
    /// Nothing of the account goes out.
    AccountPaused = FORBIDDEN, "account_paused", "the account is paused";
    /// A key stood where logs can see it.
    ApiKeyInUrl = BAD_REQUEST, "api_key_in_url", "an API key belongs into the `Authorization` header, never into a URL";
    /// There is nothing to send again.
    BodyForgotten = GONE, "body_forgotten", "the body of the event is older than what is kept";
    /// Calls become no messages.
    CallEventsDisabled = FORBIDDEN, "call_events_disabled", "call events are switched off for this integration";
    /// Receivers are being asked already.
    ChallengeUnderWay = CONFLICT, "challenge_under_way", "too many challenges are under way; try again when one has its answer";
    /// Free text outside the window.
    ConversationWindowClosed = CONFLICT, "conversation_window_closed", "the recipient has not written in the last 24 hours";
    /// The day is used up.
    DailyLimitExceeded = TOO_MANY_REQUESTS, "daily_limit_exceeded", "the limit of the day is reached";
    /// It goes on by itself.
    DeliveryPending = CONFLICT, "delivery_pending", "the delivery is still being tried, and that goes on";
    /// Nothing would go there.
    EndpointDisabled = CONFLICT, "endpoint_disabled", "the endpoint is disabled: enable it first";
    /// No more of them.
    EndpointLimitReached = CONFLICT, "endpoint_limit_reached", "the account has as many endpoints as it may have";
    /// It is no more.
    EndpointRemoved = CONFLICT, "endpoint_removed", "the endpoint was removed";
    /// The provider refused for good.
    GatewaySendFailed = BAD_GATEWAY, "gateway_send_failed", "the provider refused the message for good";
    /// The idempotency key is bound to another request.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency_key_reused", "another request was accepted under this `Idempotency-Key`";
    /// No more of them.
    InstanceLimitReached = CONFLICT, "instance_limit_reached", "the account has as many instances as it may have";
    /// The number is not connected.
    InstanceNotConnected = CONFLICT, "instance_not_connected", "the instance is not connected";
    /// Nothing was given that its provider needs.
    InstanceNotSetUp = CONFLICT, "instance_not_set_up", "the instance has not been given what its provider needs";
    /// Nothing of the instance goes out.
    InstancePaused = FORBIDDEN, "instance_paused", "the instance is paused";
    /// The key may not do this.
    InsufficientScope = FORBIDDEN, "insufficient_scope", "the API key does not have the scope that this needs";
    /// No more of them.
    IntegrationLimitReached = CONFLICT, "integration_limit_reached", "the account has as many integrations as it may have";
    /// It is our fault.
    InternalError = INTERNAL_SERVER_ERROR, "internal_error", "something went wrong in the gateway; nothing more is known";
    /// It is not shown to be the phone system, and nobody is told why.
    InvalidThreecxWebhook = UNAUTHORIZED, "invalid_3cx_webhook", "Invalid 3CX webhook request.";
    /// No key, or none that is in force.
    InvalidApiKey = UNAUTHORIZED, "invalid_api_key", "a valid API key is needed: `Authorization: Bearer` and the key";
    /// The account has no such instance.
    InvalidInstance = NOT_FOUND, "invalid_instance", "this API key has no such instance";
    /// The body is not what JSON calls an object.
    InvalidJson = BAD_REQUEST, "invalid_json", "the body must be a valid JSON object";
    /// The key was revoked or expired before.
    KeyNotInForce = CONFLICT, "key_not_in_force", "the key is no longer in force";
    /// The purpose is none that may be sent for.
    MessagePurposeNotAllowed = UNPROCESSABLE_ENTITY, "message_purpose_not_allowed", "messages are not sent for this purpose";
    /// The purpose is missing.
    MessagePurposeRequired = UNPROCESSABLE_ENTITY, "message_purpose_required", "`message_purpose` is required";
    /// Nothing is to be said.
    MissingMessageText = UNPROCESSABLE_ENTITY, "missing_message_text", "a text is needed in `message_text` or `message`";
    /// Nobody is to be written to.
    MissingPhone = UNPROCESSABLE_ENTITY, "missing_phone", "a phone number is needed in `to`, `from`, `customer_phone`, `caller` or `phone`";
    /// The account's phone systems are switched off.
    ModuleNotEnabled = FORBIDDEN, "module_not_enabled", "3CX is not switched on for this account";
    /// Another method is meant.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not know the method; see `Allow`";
    /// The month is used up.
    MonthlyLimitExceeded = TOO_MANY_REQUESTS, "monthly_limit_exceeded", "the limit of the month is reached";
    /// Another instance has the name.
    NameTaken = CONFLICT, "name_taken", "another instance of the account has this name";
    /// The contact has written something newer than what was seen.
    NewerReply = CONFLICT, "newer_reply", "the contact has written something newer, which must be seen first";
    /// There is no doubt to resolve.
    NotInDoubt = CONFLICT, "not_in_doubt", "it is known how this message ended, or it has not ended";
    /// There is nothing there.
    NotFound = NOT_FOUND, "not_found", "there is nothing here";
    /// Agents and flows may not answer.
    OutboundDisabled = FORBIDDEN, "outbound_disabled", "outbound messages are switched off for this integration";
    /// The body is too large.
    PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload_too_large", "the body must not be larger than 65,536 bytes";
    /// The content or its risk.
    PolicyViolation = FORBIDDEN, "policy_violation", "the policy does not let this message go out";
    /// Providers are being called already.
    ProviderCallsUnderWay = CONFLICT, "provider_calls_under_way", "too many calls of providers are under way; try again when one has its answer";
    /// The provider did not do what it was asked for.
    ProviderFailed = BAD_GATEWAY, "provider_failed", "the provider did not do it";
    /// Nobody could call us.
    PublicUrlMissing = CONFLICT, "public_url_missing", "the operator must set `public_url`, so that the provider can be told what to call";
    /// Too many requests from one address.
    RateLimited = TOO_MANY_REQUESTS, "rate_limited", "too many failed attempts to authenticate; slow down";
    /// The recipient opted out or was blocked.
    RecipientSuppressed = FORBIDDEN, "recipient_suppressed", "the recipient opted out or was blocked";
    /// One at a time.
    RecoveryUnderWay = CONFLICT, "recovery_under_way", "the endpoint has a recovery that is not over";
    /// Releasing does not help.
    ReleaseForbidden = CONFLICT, "release_forbidden", "the message must not go out now, released or not";
    /// The body did not come in time.
    RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "the body did not arrive in time";
    /// A person answered before.
    ReviewClosed = CONFLICT, "review_closed", "the review was closed before";
    /// The key was revoked.
    RevokedApiKey = UNAUTHORIZED, "revoked_api_key", "the API key was revoked";
    /// The same one has released it before.
    SecondPersonNeeded = CONFLICT, "second_person_needed", "another person must release it too";
    /// Too fast.
    SendingThrottled = TOO_MANY_REQUESTS, "sending_throttled", "messages are sent too fast";
    /// Former secrets must end first.
    TooManySecrets = CONFLICT, "too_many_secrets", "too many former secrets still sign: wait until one ends, or rotate without overlap";
    /// The store cannot be reached.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "the gateway cannot answer now; nothing was written";
    /// The body is not JSON.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "the `Content-Type` must be `application/json`";
    /// What happened before was meant for another URL.
    UrlChanged = CONFLICT, "url_changed", "the endpoint got its URL after the event; `to_changed_url` sends it there all the same";
    /// A field is missing or wrong.
    ValidationError = UNPROCESSABLE_ENTITY, "validation_error", "a field is missing or is not what it must be";
    /// The phone system says too much.
    WebhookRateLimited = TOO_MANY_REQUESTS, "webhook_rate_limited", "more than 60 events a minute; slow down";
    /// The instance is another provider's.
    WrongProvider = CONFLICT, "wrong_provider", "the instance is of another provider";
}
