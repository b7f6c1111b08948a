//! Observer: what providers refuse goes to the log, without a word about whom or what.

use gatepost::{Addresses, InstanceId, MessageId};
use gatepost_whatsapp::{Observer, ProviderError};

/// Writes refusals down.
pub(super) struct Logged;

impl Observer for Logged {
    fn accepted(&self, _: InstanceId, _: MessageId, _: &Addresses) {}

    fn refused(&self, instance: InstanceId, message: MessageId, error: &ProviderError) {
        let (problem, scope, code) = (error.problem.as_str(), error.scope.as_str(), error.code);
        tracing::warn!(%instance, %message, code, problem, scope, trace = error.trace.as_deref(), "a provider refused a message");
    }
}
