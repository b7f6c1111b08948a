//! How fast small requests leave by HTTP: 1, 8 and 64 at once, over kept connections to a receiver in the same process.
//!
//! After each it says what a request cost in CPU time, the caller's share and the sending threads' share, without the receiver's.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gatepost::{BODY_BYTES_MAX, Destination, DestinationPolicy, Host, HttpMethod, HttpRequest, HttpSend};
use gatepost_http::Http;
use gatepost_system::System;
use tokio::runtime::{Builder, Runtime};

/// The name of the receiver's threads, which are not counted.
const RECEIVER: &str = "receiver";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
/// What a signed event carries.
const HEADERS: [(&str, &str); 6] = [
    ("Content-Type", "application/json"),
    ("webhook-id", "evt_019aab0c5d7f7c3d9d0a4c6b1e2f3a4b"),
    ("webhook-timestamp", "1795348800"),
    ("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
    ("X-Webhook-Event", "message.sent"),
    ("X-Webhook-Signature", "sha256=a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"),
];

/// What leaves, and where to.
#[derive(Clone)]
struct World {
    http: Http,
    destination: Destination,
    body: Arc<[u8]>,
}

impl World {
    fn new(receiver: SocketAddr) -> Self {
        let policy = DestinationPolicy::development();
        let destination = policy.parse(&format!("http://{receiver}/hook")).expect("a destination");
        let http = Http::builder(policy, Arc::new(System)).build().expect("roots that can be read");
        Self { http, destination, body: Arc::from([b'x'; 400]) }
    }

    async fn send(&self) {
        let request = HttpRequest {
            method: HttpMethod::Post,
            destination: self.destination.clone(),
            headers: HEADERS.map(|(name, value)| (name.into(), value.to_owned())).to_vec(),
            body: self.body.clone(),
            deadline: System.now().plus(Duration::from_secs(15)),
            repeatable: true,
            answer_bytes_max: BODY_BYTES_MAX,
        };
        assert_eq!(self.http.send(request).await.expect("an answer").status, 200);
    }

    /// The time that `requests` take when `callers` send them.
    async fn time(&self, callers: u64, requests: u64) -> Duration {
        let start = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let world = self.clone();
                tokio::spawn(async move {
                    for _ in (caller..requests).step_by(callers as usize) {
                        world.send().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a caller that does not panic");
        }
        start.elapsed()
    }
}

fn sends(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let world = World::new(receiver());
    let mut group = criterion.benchmark_group("http");
    group.sample_size(20).throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(8));
    for callers in [1_u64, 8, 64] {
        let (mut sent, before) = (0, cpu_seconds());
        group.bench_function(BenchmarkId::from_parameter(callers), |bencher| {
            bencher.iter_custom(|requests| {
                sent += requests;
                runtime.block_on(world.time(callers, requests))
            });
        });
        println!("http/{callers}: {:.1} us of CPU time a request", (cpu_seconds() - before) * 1e6 / sent as f64);
    }
    group.finish();
}

/// A receiver that takes requests of one write each, and answers them.
fn receiver() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("a bound address");
    in_receiver(move || listener.incoming().flatten().for_each(|socket| in_receiver(move || serve(socket))));
    address
}

fn in_receiver(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(RECEIVER.to_owned()).spawn(work).expect("a thread");
}

fn serve(mut socket: TcpStream) {
    let mut request = [0; 4_096];
    socket.set_nodelay(true).expect("an open socket");
    while socket.read(&mut request).is_ok_and(|count| count > 0) && socket.write_all(ANSWER).is_ok() {}
}

/// User and system time of all threads but the receiver's. Linux counts it in hundredths of a second.
fn cpu_seconds() -> f64 {
    let threads = fs::read_dir("/proc/self/task").expect("Linux").flatten().map(|entry| entry.path());
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.join("stat")).ok());
    stats.filter(|stat| !stat.contains(RECEIVER)).filter_map(|stat| ticks(&stat)).sum::<f64>() / 100.0
}

/// Fields 14 and 15, counted after the name, which may hold spaces and brackets.
fn ticks(stat: &str) -> Option<f64> {
    let mut times = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    Some(times.next()?.parse::<f64>().ok()? + times.next()?.parse::<f64>().ok()?)
}

criterion_group!(benches, sends);
criterion_main!(benches);
