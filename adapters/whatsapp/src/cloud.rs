//! Cloud: Meta's WhatsApp Cloud API.

mod answer;
mod body;
mod handshake;
mod media;
mod signature;
mod transport;
mod webhook;

pub use body::CloudRecipient;
pub use handshake::{HandshakeRefusal, handshake};
pub use signature::{NotSigned, SIGNATURE_HEADER, sign, verify_signature};
pub use transport::{CloudApi, GRAPH_URL};
pub use webhook::webhook;
