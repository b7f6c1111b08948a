//! Webhook: the gateway's own, which a phone system calls: told genuine ([`Gate`]), then read ([`read()`]).

mod event;
mod gate;

pub use event::{Event, EventType, InvalidEvent, Outbound, UnknownEventType, read};
pub(crate) use gate::{is_allowed, is_same};
pub use gate::{BODY_BYTES_MAX, Body, Gate, NotAdmitted, SECRET_HEADER, Shown, sign};
