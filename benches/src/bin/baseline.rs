//! The bare sketch that the gateway is compared with: the same rows and the same durability, without a rule.
//!
//! axum takes `POST /api/send-message`, compares the key, and hands the message to the [`Writer`]. A figure of the gateway divided by
//! the baseline's, taken in the same minute on the same machine, says what the rules cost; the machine's mood cancels out.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use clap::Parser;
use gatepost_benches::Failure;
use gatepost_benches::writer::{NewMessage, Writer};
use mimalloc::MiMalloc;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

/// The gateway's allocator, so that the ratio does not measure allocators.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "baseline", about = "Writes what a gateway writes, without any rule")]
struct Options {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: String,
    /// Folder for the database, which must not be there yet.
    #[arg(long)]
    data: PathBuf,
    /// The one API key.
    #[arg(long, default_value = "wg_live_baseline")]
    key: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("baseline: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), Failure> {
    let sketch = Sketch { authorization: format!("Bearer {}", options.key), writer: Writer::start(&options.data)? };
    let app = Router::new().route("/api/send-message", post(send_message)).with_state(Arc::new(sketch));
    let listener = TcpListener::bind(&options.listen).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let without_delay = listener.tap_io(|stream| _ = stream.set_nodelay(true));
    Ok(axum::serve(without_delay, app).await?)
}

#[derive(Debug)]
struct Sketch {
    authorization: String,
    writer: Writer,
}

#[derive(Debug, Deserialize)]
struct SendMessage {
    instance_id: String,
    phone: String,
    message: String,
    message_purpose: String,
}

async fn send_message(State(sketch): State<Arc<Sketch>>, headers: HeaderMap, Json(body): Json<SendMessage>) -> Response {
    if headers.get(AUTHORIZATION).is_none_or(|given| given != sketch.authorization.as_str()) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_api_key");
    }
    let message = NewMessage { instance_id: body.instance_id, phone: body.phone, purpose: body.message_purpose, text: body.message };
    match sketch.writer.accept(message).await {
        Some(written) => Json(json!({
            "success": true, "status": "queued", "message_id": written.message_id, "log_id": written.log_id
        }))
        .into_response(),
        None => refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "success": false, "error": error }))).into_response()
}
