//! Sending: a message that a phone system asks for, by the same guard as every other.

use std::time::Duration;

use gatepost::{EntryOutcome, MessageId, MessageStatus, Mode, Origin, Request, Way};
use gatepost_threecx::Outgoing;

use super::Line;
use super::entry::Entry;
use crate::http::contract_error::ContractError;
use crate::http::send::{Concluded, send_and_wait};
use crate::http::state::App;

/// What became of a message.
pub(super) struct Sent {
    pub(super) message: MessageId,
    pub(super) status: MessageStatus,
    /// Why it is no further: `cooldown`, or what holds it.
    pub(super) reason: Option<&'static str>,
}

impl Line {
    /// A message of this phone system.
    pub(super) fn request(&self, outgoing: Outgoing) -> Request {
        let Outgoing { to, text, purpose, call } = outgoing;
        let origin = Origin::ThreeCx(self.settings.origin(&self.integration, Way::Webhook));
        let request = Request { origin, ..Request::text(self.integration.instance, to, purpose, text) };
        match call {
            Some(event_type) => request.of_call(self.integration.id, event_type.as_str(), to),
            None => request,
        }
    }

    /// Sends it, waits for so long, and writes down what became of it. What happens again within the cooldown is skipped.
    pub(super) async fn send(&self, app: &App, entry: &Entry, outgoing: Outgoing, wait: Duration) -> Result<Sent, ContractError> {
        let is_call = outgoing.call.is_some();
        let request = self.request(outgoing);
        debug_assert_eq!(request.mode, Mode::Live);
        match send_and_wait(app, self.account.id, request, wait).await {
            Ok(Concluded { message, is_repeated: true, status, .. }) if is_call => {
                entry.conclude(EntryOutcome::Skipped, Some(COOLDOWN), Some(message)).await;
                Ok(Sent { message, status, reason: Some(COOLDOWN) })
            }
            Ok(Concluded { message, status, held_by, .. }) => {
                entry.conclude(EntryOutcome::Accepted, held_by, Some(message)).await;
                Ok(Sent { message, status, reason: held_by })
            }
            Err(error) => {
                entry.conclude(EntryOutcome::Refused, Some(error.code().name()), error.message_id()).await;
                Err(error)
            }
        }
    }
}

/// Why a call becomes no second message.
pub(super) const COOLDOWN: &str = "cooldown";
