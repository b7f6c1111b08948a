//! What a process uses, read from `/proc`.
//!
//! [`Usage`] is one reading: CPU seconds and resident memory. [`Watch`] reads at the edges of the measured window and five times a
//! second between them, and keeps the largest.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// How often memory is read.
const SAMPLE: Duration = Duration::from_millis(200);
/// Linux counts CPU time for `/proc` in hundredths of a second, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// One reading of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// User and system time of all its threads since it started.
    pub cpu_seconds: f64,
    /// Resident memory.
    pub memory_mib: f64,
}

impl Usage {
    /// Reads process `pid` now.
    pub fn read(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let parsed = cpu_seconds(&stat).zip(memory_mib(&status));
        let (cpu_seconds, memory_mib) = parsed.ok_or_else(|| Error::new(ErrorKind::InvalidData, "unknown form of `/proc`"))?;
        Ok(Self { cpu_seconds, memory_mib })
    }
}

/// What a process used in the measured window.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// At the window's start.
    pub start: Usage,
    /// At its end.
    pub end: Usage,
    /// The most memory it had between them.
    pub memory_mib_max: f64,
}

impl Watch {
    /// Watches process `pid` over a window; fails if the process ends before it does.
    pub async fn over(pid: u32, from: Instant, until: Instant) -> Result<Self> {
        sleep_until(from.into()).await;
        let start = Usage::read(pid)?;
        let mut watch = Self { start, end: start, memory_mib_max: start.memory_mib };
        let mut next = from;
        while next < until {
            next = (next + SAMPLE).min(until);
            sleep_until(next.into()).await;
            watch.end = Usage::read(pid)?;
            watch.memory_mib_max = watch.memory_mib_max.max(watch.end.memory_mib);
        }
        Ok(watch)
    }

    /// CPU seconds used in the window.
    pub fn cpu_seconds(&self) -> f64 {
        self.end.cpu_seconds - self.start.cpu_seconds
    }
}

/// Fields 14 and 15 of `stat`, counted after the name, which may hold spaces and brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn memory_mib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_does_not_shift_its_fields() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 2406 0 0 0 150 50 0 0 20 0 5 0 99 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(2.0));
    }

    #[test]
    fn resident_memory_is_in_mebibytes() {
        assert_eq!(memory_mib("VmHWM:\t 9999 kB\nVmRSS:\t    2560 kB\n"), Some(2.5));
        assert_eq!(memory_mib("Name:\tzombie\n"), None);
    }
}
