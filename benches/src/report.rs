//! The figures of a load.
//!
//! [`Report`] serialises for machines and prints for people; both show the same numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::process::Watch;
use crate::receiver::Received;
use crate::tally::Tally;

/// The figures of the measured window.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Requests that were answered in the window, whatever the answer.
    pub answered: u64,
    /// The same, a second.
    pub per_second: f64,
    /// Length of the window.
    pub seconds: f64,
    /// How late the answers came.
    pub latency_ms: Latency,
    /// Answers that came after the window's end; counted below, not above.
    pub late: u64,
    /// Answers by HTTP status.
    pub http_status: BTreeMap<u16, u64>,
    /// Answers by status word or error code.
    pub status: BTreeMap<String, u64>,
    /// Answers whose word is not the expected one.
    pub unexpected: u64,
    /// Connections that broke, by cause, warm-up included.
    pub broken: BTreeMap<String, u64>,
    /// Requests of an open loop that had fallen due when it ended, and were never sent.
    pub unsent: u64,
    /// What came of the events, where the load receives them.
    pub events: Option<Events>,
    /// What the server used, if its pid was given.
    pub server: Option<Use>,
    /// What the load program itself used.
    pub load: Option<Use>,
}

/// Latency in milliseconds; of what, stands with each figure.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    p50: f64,
    p95: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p99_9: f64,
    max: f64,
}

/// The events of a load, warm-up included.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Events {
    /// How many came, each counted once.
    received: u64,
    /// The same, a second, from the first message to the last event.
    per_second: f64,
    /// How many came again.
    repeated: u64,
    /// From when an event happened until it was here.
    latency_ms: Latency,
}

impl Events {
    /// The figures of what was received of a load that began at `start`.
    pub fn new(received: &Received, start: Instant) -> Self {
        let seconds = received.last_at.map_or(0.0, |last| (last - start).as_secs_f64());
        Self {
            received: received.events(),
            per_second: round(received.events() as f64 / seconds.max(0.001)),
            repeated: received.repeated,
            latency_ms: Latency::of(&received.latency),
        }
    }
}

/// What a process used in the window.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Use {
    cpu_seconds_per_1000: f64,
    cpus: f64,
    memory_mib_start: f64,
    memory_mib_max: f64,
    memory_mib_end: f64,
}

impl Report {
    /// The figures of `tally` over a window of length `window`.
    pub fn new(tally: &Tally, window: Duration) -> Self {
        let answered = tally.in_window;
        Self {
            answered,
            per_second: round(answered as f64 / window.as_secs_f64()),
            seconds: window.as_secs_f64(),
            latency_ms: Latency::of(&tally.latency),
            late: tally.latency.len() - answered,
            http_status: tally.http_status.clone(),
            status: tally.words.clone(),
            unexpected: tally.unexpected,
            broken: tally.broken.clone(),
            unsent: 0,
            events: None,
            server: None,
            load: None,
        }
    }

    /// Reads a watch as use per answered request.
    pub fn usage(&self, watch: &Watch) -> Use {
        Use {
            cpu_seconds_per_1000: round(watch.cpu_seconds() * 1000.0 / self.answered.max(1) as f64),
            cpus: round(watch.cpu_seconds() / self.seconds),
            memory_mib_start: round(watch.start.memory_mib),
            memory_mib_max: round(watch.memory_mib_max),
            memory_mib_end: round(watch.end.memory_mib),
        }
    }
}

impl Latency {
    /// The figures of a histogram in microseconds.
    pub fn of(micros: &Histogram<u64>) -> Self {
        let at = |quantile| micros.value_at_quantile(quantile) as f64 / 1000.0;
        Self { p50: at(0.5), p95: at(0.95), p99: at(0.99), p99_9: at(0.999), max: micros.max() as f64 / 1000.0 }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "answered       {} in {} s, {:.0} a second; {} late", self.answered, self.seconds, self.per_second, self.late)?;
        writeln!(f, "latency        {}", self.latency_ms)?;
        writeln!(f, "HTTP status    {}", list(&self.http_status))?;
        writeln!(f, "status         {}", list(&self.status))?;
        writeln!(f, "unexpected     {}", self.unexpected)?;
        writeln!(f, "broken         {}", list(&self.broken))?;
        if self.unsent > 0 {
            writeln!(f, "unsent         {} (had fallen due when the load ended)", self.unsent)?;
        }
        if let Some(Events { received, per_second, repeated, latency_ms }) = &self.events {
            writeln!(f, "events         {received}, {per_second:.0} a second; {repeated} repeated; {latency_ms}")?;
        }
        for (name, usage) in [("server", &self.server), ("load program", &self.load)] {
            if let Some(usage) = usage {
                writeln!(f, "{name:<14} {usage}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p95, p99, p99_9, max } = self;
        write!(f, "p50 {p50:.2} ms, p95 {p95:.2} ms, p99 {p99:.2} ms, p99.9 {p99_9:.2} ms, max {max:.2} ms")
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu_seconds_per_1000, cpus, memory_mib_start, memory_mib_max, memory_mib_end } = self;
        write!(f, "{cpu_seconds_per_1000:.4} CPU seconds per 1,000 answered ({cpus:.2} CPUs), ")?;
        write!(f, "memory {memory_mib_start:.1} MiB at the start, {memory_mib_max:.1} at most, {memory_mib_end:.1} at the end")
    }
}

fn list<K: fmt::Display>(counts: &BTreeMap<K, u64>) -> String {
    let parts: Vec<_> = counts.iter().map(|(key, count)| format!("{key}: {count}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// Four digits after the point: more would be noise.
fn round(figure: f64) -> f64 {
    (figure * 10_000.0).round() / 10_000.0
}
