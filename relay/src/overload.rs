//! Measures how loaded this process is, and tells everybody what it gives up for that.

mod meter;
mod process;

use std::sync::Arc;

use relay_core::policy::OverloadPolicy;
use relay_core::{Level, Overload, Sample};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::metrics::Metrics;

pub(crate) use meter::Meter;
pub(crate) use process::ProcessSampler;

/// Measures the process.
pub trait Sampler: Send + 'static {
    /// What was measured since the last call. Must not block.
    fn sample(&mut self) -> Sample;
}

/// Takes samples and decides on the level.
pub(crate) struct Watch<S> {
    pub(crate) sampler: S,
    pub(crate) policy: OverloadPolicy,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) level: watch::Sender<Level>,
}

impl<S: Sampler> Watch<S> {
    /// Runs until `stop`, or until nobody wants to know the level.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut overload = Overload::new(self.policy.clone());
        let mut ticks = interval(self.policy.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.level.closed() => break,
                _ = ticks.tick() => self.sample(&mut overload),
            }
        }
    }

    fn sample(&mut self, overload: &mut Overload) {
        let sample = self.sampler.sample();
        let level = overload.sample(&sample, self.clock.now());
        let stress = overload.stress();
        self.metrics.overload_stress.set(f64::from(stress) / 100.0);
        self.metrics.overload_level.set(level.number());
        let changed = self
            .level
            .send_if_modified(|told| std::mem::replace(told, level) != level);
        if changed {
            tracing::warn!(?level, stress, ?sample, "the load level has changed");
        }
    }
}
