//! Fake: a Graph API and an Evolution API on this machine, for tests and demos.
//!
//! They listen on 127.0.0.1, answer as the real ones do as far as a sender can see, write down what they were sent, can be told to
//! misbehave, and post webhooks that verify. They know no rule but those that a sender must keep.

mod evolution;
mod file;
mod graph;
mod mishap;
mod post;
mod server;

pub use evolution::FakeEvolution;
pub use file::FakeFile;
pub use graph::FakeGraph;
pub use mishap::Mishap;
pub use post::{Hook, post};
pub use server::Received;
