//! Trunk: a trunk of the kind "generic SMS", by which agents write and are written to.
//!
//! 3CX knows texts and files and nothing else, so what people send otherwise becomes words. It gives no id to what an agent sends, and asks
//! nothing of us but the URL that it made up: whoever knows the URL can write to the agents.
//!
//! The players: [`AgentMessage`] (what an agent typed), [`post_body`] (an event of the gateway, as it is posted), [`Inbound`] and
//! [`Receipt`] (the two shapes of that).

mod agent;
mod post;
mod render;
mod words;

pub use agent::{AgentMessage, InvalidAgentMessage, accepted, refused};
pub use post::{File, Inbound, Receipt, ReceiptStatus};
pub use render::{NotPosted, post_body};
