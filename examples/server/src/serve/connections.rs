//! Connections: HTTP/1.1 over TCP, each connection a task.
//!
//! A connection whose next request does not come, or does not come to the end of its head, is closed after a while. When the server
//! stops, idle connections close at once, and the others after their answer. There are no more than a bound at a time: what comes over it
//! is closed at once, and counted.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::http::Surface;

/// A minute and a quarter: longer than the 60 s for which load balancers keep a connection, so that they close it and not we.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The longest wait that a caller may ask for, and time to answer.
const REQUESTS_END: Duration = Duration::from_secs(35);
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// The open port and its connections.
pub(super) struct Connections {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Connections {
    pub(super) fn serve(listener: TcpListener, surface: Surface, most: usize) -> Self {
        let (stop, stopping) = oneshot::channel();
        Self { stop, served: tokio::spawn(accept(listener, surface, Places::new(most), stopping)) }
    }

    /// Closes the port, and waits for the requests under way.
    pub(super) async fn stop(self) {
        drop(self.stop);
        if self.served.await.is_err() {
            tracing::error!("the loop that accepts connections panicked");
        }
    }
}

async fn accept(listener: TcpListener, surface: Surface, mut places: Places, mut stopping: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Without a place the stream is dropped, and that closes it.
                    if let Some(place) = places.take() {
                        let served = connection(stream, peer, surface.clone(), connections.watcher());
                        tokio::spawn(async move {
                            served.await;
                            drop(place);
                        });
                    }
                }
                Err(error) => rest_after(&error).await,
            },
            _ = &mut stopping => break,
        }
    }
    drop(listener);
    if timeout(REQUESTS_END, connections.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
}

/// The places for connections.
struct Places {
    free: Arc<Semaphore>,
    turned_away: u64,
}

impl Places {
    fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), turned_away: 0 }
    }

    /// A place, if one is free. How many found none is told when it begins, and when there is room again.
    fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        let place = self.free.clone().try_acquire_owned().ok();
        if place.is_none() {
            if self.turned_away == 0 {
                tracing::warn!("`http.connections_max` is reached: more connections are closed at once");
            }
            self.turned_away += 1;
        } else if self.turned_away > 0 {
            let connections = mem::take(&mut self.turned_away);
            tracing::warn!(connections, "there is room again; so many were closed at once");
        }
        place
    }
}

/// A peer that went away is no reason to rest. No free file descriptor is: it takes a while until one is free.
async fn rest_after(error: &io::Error) {
    if !matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) {
        tracing::error!(%error, "cannot accept a connection");
        sleep(Duration::from_secs(1)).await;
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, surface: Surface, watcher: Watcher) {
    // Answers are small: without this each could wait for the peer's acknowledgment of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let service = service_fn(move |request| answer(surface.clone(), peer, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(surface: Surface, peer: SocketAddr, request: Request<Incoming>) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    Ok(surface.answer(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_no_place_is_counted_until_there_is_room() {
        let mut places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some());
        assert!(places.take().is_none() && places.take().is_none());
        assert_eq!(places.turned_away, 2);
        drop(first);
        assert!(places.take().is_some());
        assert_eq!(places.turned_away, 0);
    }
}
