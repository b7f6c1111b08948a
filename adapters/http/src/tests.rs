//! Tests of the whole crate against receivers on this machine, under the strict policy of production.
//!
//! Numbers such as R24 are those of the requirements for destinations. The receivers listen on 127.0.0.1; public addresses are
//! rerouted to them below everything that judges (see [`stage::Map`]), so no test needs a policy that is less strict.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]

mod authorities;
mod cases;
mod crew;
mod environment;
mod keeping;
mod receiver;
mod refusing;
mod requests;
mod resolving;
mod source;
mod stage;
mod tls;
