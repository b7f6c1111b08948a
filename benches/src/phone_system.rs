//! A 3CX phone system: keeps when it was posted what, and can be out of order for a while.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::Failure;

/// Looks like the id that 3CX gives, which is a secret.
const PATH: &str = "/sms/generic/155e125bf7874f8fae5adbcaac49fdf8";

/// A phone system on a free port of this machine.
#[derive(Debug)]
pub struct PhoneSystem {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

/// What it was posted.
#[derive(Debug, Default)]
pub struct Heard {
    /// What customers wrote, where that was a number, and when it came.
    pub taken: Vec<(u64, Instant)>,
    /// How many posts it answered with 503.
    pub refused: u64,
    is_down: bool,
}

impl PhoneSystem {
    /// Starts to listen, on the runtime of the caller.
    pub async fn start() -> Result<Self, Failure> {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let app = Router::new().route(PATH, post(take)).with_state(Arc::clone(&heard));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let without_delay = listener.tap_io(|stream| _ = stream.set_nodelay(true));
        tokio::spawn(async move { axum::serve(without_delay, app).await });
        Ok(Self { address, heard })
    }

    /// The Webhook URL of its trunk.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// What it was posted so far.
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        locked(&self.heard)
    }

    /// Whether it answers 503 from now on.
    pub fn set_down(&self, is_down: bool) {
        self.heard().is_down = is_down;
    }
}

async fn take(State(heard): State<Arc<Mutex<Heard>>>, body: String) -> StatusCode {
    let (at, mut heard) = (Instant::now(), locked(&heard));
    if heard.is_down {
        heard.refused += 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    heard.taken.extend(number(&body).map(|number| (number, at)));
    StatusCode::OK
}

/// What a customer wrote; receipts are posted here, too.
fn number(body: &str) -> Option<u64> {
    let body: Value = serde_json::from_str(body).ok()?;
    let payload = &body["data"]["payload"];
    (payload["direction"] == "inbound").then(|| payload["text"].as_str()?.parse().ok()).flatten()
}

/// What it guards is whole after each statement.
fn locked(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_customer_wrote_is_kept() {
        let body = |direction: &str, text: &str| format!(r#"{{"data":{{"payload":{{"direction":"{direction}","text":"{text}"}}}}}}"#);
        assert_eq!(number(&body("inbound", "17")), Some(17));
        assert_eq!([body("outbound", "17"), body("inbound", "hello"), String::new()].map(|body| number(&body)), [None; 3]);
    }
}
