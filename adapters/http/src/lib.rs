//! Everything that leaves Gatepost by HTTP: customer webhooks, providers, 3CX.
//!
//! [`Http`] is the one implementation of [`HttpSend`](gatepost::HttpSend). For each request it resolves the name once, has the
//! [`DestinationPolicy`](gatepost::DestinationPolicy) judge every address of the answer, and connects to a judged address or to
//! none. It follows no redirect, uses no proxy of the environment, keeps no cookie, unpacks nothing, and reads no more of an answer
//! than 64 KiB of head and as much of the body as the request says: 64 KiB, but for a file. Nothing outlasts the request's deadline.
//!
//! # Example
//!
//! A name that leads inside is refused, whatever it is called. (An app leaves the resolver as it is and takes `gatepost-system` for
//! the host.)
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//!
//! use gatepost::{BODY_BYTES_MAX, DestinationPolicy, Host, HttpFailureClass, HttpMethod, HttpRequest, HttpSend, RefusalClass};
//! use gatepost_http::Http;
//! use gatepost_memory::TestHost;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Arc::new(TestHost::new(7));
//! let policy = DestinationPolicy::production();
//! let inside = |_name: &str, _deadline: Instant| Ok(vec!["10.0.0.5".parse().unwrap()]);
//! let http = Http::builder(policy.clone(), host.clone()).resolver(inside).build()?;
//!
//! let request = HttpRequest {
//!     method: HttpMethod::Post,
//!     destination: policy.parse("https://hooks.example.com/in")?,
//!     headers: vec![("Content-Type".into(), "application/json".to_owned())],
//!     body: Arc::from(*b"{}"),
//!     deadline: host.now().plus(Duration::from_secs(15)),
//!     repeatable: true,
//!     answer_bytes_max: BODY_BYTES_MAX,
//! };
//! let failure = futures_executor::block_on(http.send(request)).unwrap_err();
//! assert!(matches!(failure.class, HttpFailureClass::Blocked(refusal) if refusal.class() == RefusalClass::Ipv4Private));
//! assert!(!failure.may_have_arrived);
//! # Ok(())
//! # }
//! ```
//!
//! # The way of a request
//!
//! ```text
//!  Http::send ──► queue ──► a thread:  resolve     an answer serves its name for five seconds
//!                                      judge       every address, every time; one that is forbidden refuses them all
//!                                      connect     a kept connection whose peer was just judged, or a new one
//!                                      exchange    ureq speaks HTTP/1.1 over the open connection, and can open none
//!  the future  ◄── answer ◄──────────  keep        if the answer came whole and neither side wants the connection closed
//! ```
//!
//! # What may be relied upon
//!
//! - **Only what was judged is dialed.** One function opens sockets, and it takes a [`CheckedAddress`](gatepost::CheckedAddress),
//!   which only the policy makes. There is no second lookup within an attempt, not even when a connection fails.
//! - **A kept connection is no way around the policy.** It serves only if its peer is in the set judged for this very request, under
//!   the same generation of the policy, for the same scheme, host and port. It is kept for 30 seconds at most.
//! - **A request is sent again only in one case:** it is [`repeatable`](gatepost::HttpRequest::repeatable), and a kept connection broke
//!   before any byte of an answer. It happens once, on a new connection, and [`HttpTrace::resent`](gatepost::HttpTrace::resent) says so.
//!   Otherwise whoever sends decides.
//! - **What must not arrive twice leaves once.** Such a request takes a kept connection only if that rested for less than two seconds. If
//!   it breaks all the same, the request goes out on a new one only where the system took no byte of it; else it may have arrived.
//! - **`may_have_arrived` is false only where it is known** that the system took no byte of the request.
//! - **The status counts once it is there.** A body that is too long, too slow or broken off is cut (`body_cut`); the answer stands.
//! - **The certificate is for the host of the URL**, whatever address it has. Mozilla's roots are compiled in; an operator may add
//!   those of a private authority. The machine's own store is not read.
//! - **Nothing is lost.** A panic, a full queue, a resolver that hangs, a thread that cannot be started: each is an answer.
//!
//! # What it costs
//!
//! On a kept connection without TLS: one write, one read, three calls to see that the connection is quiet, and the handing over
//! between threads. Head and body leave in one write up to 16 KiB or more. Threads are started as requests come, up to a bound, and
//! end after 30 seconds of rest.
//!
//! # Not supported
//!
//! - HTTP/2 and HTTP/3, compression, cookies, redirects.
//! - A proxy. Where one is wanted it must check the addresses itself, as nothing can be pinned behind it.
//! - Answers that live as long as the name server says: names are asked for anew after five seconds.
//! - Guarding an allowed public address that leads inside: the operator's own public ranges belong into the policy's `deny`.
//!
//! # Dependencies
//!
//! - `ureq`, exactly 3.5.1: the parts that take a connection from outside live in a module that may change with any version
//!   (`unversioned`). One file knows it; a new version is taken by hand, with the tests of this crate. Its default features are off:
//!   no compression, cookies, character sets, proxies or TLS of its own.
//! - `rustls` with `ring`, and `webpki-roots`.
//!
//! The requirements behind the tests (R22 to R38, R41) and the tables in `tests/data` are this project's own work.

mod buffers;
mod connection;
mod courier;
mod crew;
mod exchange;
mod http;
mod job;
mod kept;
mod lookup;
#[cfg(test)]
mod tests;
mod tls;

pub use http::{Http, HttpBuilder};
pub use lookup::{LookupError, Resolver, SystemResolver};
pub use tls::InvalidRoots;
