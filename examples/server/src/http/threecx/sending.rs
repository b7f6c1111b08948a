//! Sending: a message that a phone system asks for, by the same guard as every other.

use std::time::Duration;

use gatepost::{EntryOutcome, MessageId, MessageStatus, Origin, Request, Way};
use gatepost_threecx::Outgoing;

use super::Line;
use super::entry::Entry;
use crate::http::contract_error::ContractError;
use crate::http::send::accept;
use crate::http::state::App;

/// Why a call becomes no second message.
const COOLDOWN: &str = "cooldown";

/// What became of a message.
pub(super) struct Sent {
    pub(super) message: MessageId,
    pub(super) status: MessageStatus,
    /// Whether it is the message of the same call before.
    pub(super) is_in_cooldown: bool,
    /// Why it is no further: the cooldown, or what holds it.
    pub(super) reason: Option<&'static str>,
}

impl Line {
    /// A message of this phone system.
    fn request(&self, outgoing: Outgoing) -> Request {
        let Outgoing { to, text, purpose, call } = outgoing;
        let origin = Origin::ThreeCx(self.settings.origin(&self.integration, Way::Webhook));
        let request = Request { origin, ..Request::text(self.integration.instance, to, purpose, text) };
        match call {
            Some(event_type) => request.of_call(self.integration.id, event_type.as_str(), to),
            None => request,
        }
    }

    /// Has it accepted, writes down what became of it, and waits for so long. What happens again within the cooldown is skipped, whatever
    /// became of the first. A refusal that may pass leaves the entry as it is: who says it again is heard again.
    pub(super) async fn send(&self, app: &App, entry: &Entry, outgoing: Outgoing, wait: Duration) -> Result<Sent, ContractError> {
        let accepted = match accept(app, self.account.id, self.request(outgoing)).await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !error.is_ours() {
                    entry.conclude(EntryOutcome::Refused, Some(error.code().name()), None).await;
                }
                return Err(error);
            }
        };
        let (message, is_in_cooldown) = (accepted.message(), accepted.is_repeated());
        if is_in_cooldown {
            entry.conclude(EntryOutcome::Skipped, Some(COOLDOWN), Some(message)).await;
            return Ok(Sent { message, status: MessageStatus::Queued, is_in_cooldown, reason: Some(COOLDOWN) });
        }
        let reason = accepted.held_by();
        entry.conclude(EntryOutcome::Accepted, reason, Some(message)).await;
        Ok(Sent { message, status: accepted.wait(wait).await?, is_in_cooldown, reason })
    }
}
