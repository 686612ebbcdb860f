//! Measures this process, on Linux through `/proc`. Elsewhere CPU and memory are not known.

use std::fs::read_to_string;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use relay_core::Sample;

use super::Sampler;
use crate::metrics::Metrics;

/// What `/proc` counts CPU time in: `USER_HZ`, which is the same on every architecture that Linux runs servers on.
const TICKS_PER_SECOND: u64 = 100;
/// In a shorter time one tick is too much of it to be measured by.
const SHORTEST: Duration = Duration::from_millis(250);

/// Measures this process.
pub(crate) struct ProcessSampler {
    metrics: Arc<Metrics>,
    /// Cores that the process may use, as far as affinity and control groups tell.
    cores: u64,
    measured: Option<Measured>,
    cpu_percent: Option<u32>,
    egress: u64,
}

/// Counters at a moment of the real clock: CPU time does not follow a runtime's paused one.
#[derive(Clone, Copy)]
struct Measured {
    at: Instant,
    cpu_ticks: Option<u64>,
    bytes_sent: u64,
}

impl ProcessSampler {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self {
            metrics,
            cores: cores as u64,
            measured: None,
            cpu_percent: None,
            egress: 0,
        }
    }

    fn measure(&mut self) {
        let measured = Measured {
            at: Instant::now(),
            cpu_ticks: read_to_string("/proc/self/stat")
                .ok()
                .and_then(|stat| cpu_ticks(&stat)),
            bytes_sent: self.metrics.meter.bytes_sent(),
        };
        let Some(before) = self.measured else {
            self.measured = Some(measured);
            return;
        };
        let elapsed = measured.at.saturating_duration_since(before.at);
        if elapsed < SHORTEST {
            return;
        }
        self.measured = Some(measured);
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let per_second = |count: u64| count.saturating_mul(1000) / millis.max(1);
        self.egress = per_second(measured.bytes_sent.saturating_sub(before.bytes_sent));
        self.cpu_percent = measured
            .cpu_ticks
            .zip(before.cpu_ticks)
            .and_then(|(now, before)| {
                let ticks = per_second(now.saturating_sub(before));
                u32::try_from(ticks * 100 / (TICKS_PER_SECOND * self.cores)).ok()
            });
    }
}

impl Sampler for ProcessSampler {
    fn sample(&mut self) -> Sample {
        self.measure();
        Sample {
            cpu_percent: self.cpu_percent,
            egress: self.egress,
            memory: read_to_string("/proc/self/status")
                .ok()
                .and_then(|status| resident_bytes(&status)),
            queue_age: self.metrics.meter.take_longest_wait(),
        }
    }
}

/// User and system time of all threads. The second field, the program's name, may contain spaces and parentheses.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    user.checked_add(system)
}

/// From `status`, because `statm` counts in pages, whose size the standard library does not tell.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        let stat = "77 (a) b (c) S 1 77 77 0 -1 4194560 9 0 0 0 250 31 0 0 20 0 4 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(281));
        let status = "Name:\tx\nVmHWM:\t 20 kB\nVmRSS:\t    12 kB\n";
        assert_eq!(resident_bytes(status), Some(12 * 1024));
        for broken in ["", "77 (a", "77 (a) S 1 2", "VmRSS: 12", "VmRSS:\t-1 kB"] {
            assert_eq!((cpu_ticks(broken), resident_bytes(broken)), (None, None));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_measured() {
        let metrics = Arc::new(Metrics::new(None));
        let mut sampler = ProcessSampler::new(Arc::clone(&metrics));
        sampler.sample();
        metrics.meter.sent(1_000_000);
        let start = Instant::now();
        while start.elapsed() < SHORTEST + Duration::from_millis(10) {
            std::hint::spin_loop();
        }
        let sample = sampler.sample();
        assert!(sample.cpu_percent.is_some(), "{sample:?}");
        assert!(
            sample.memory.is_some_and(|bytes| bytes > 100_000),
            "{sample:?}"
        );
        assert!((1..4_000_000).contains(&sample.egress), "{sample:?}");
    }
}
