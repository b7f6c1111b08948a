//! Evolution: Evolution API, an unofficial client of WhatsApp Web.

mod answer;
mod body;
mod jwt;
mod link;
mod manage;
mod media;
mod transport;
mod webhook;

pub use jwt::{NotAuthorized, authorization, verify_authorization};
pub use link::link_svg;
pub use manage::{Created, Linking, WebhookSetup};
pub use transport::Evolution;
pub use webhook::webhook;
