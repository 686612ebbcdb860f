//! Counters and gauges. No meeting or user is ever a label. Handles are looked up once, never per packet.

use std::sync::OnceLock;

use metrics::{Counter, Gauge, counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use relay_core::DropReason;
use relay_core::queue::QueueDrops;
use videocall_types::CloseCode;

use crate::overload::Meter;

/// Renders the metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct MetricsHandle(PrometheusHandle);

impl MetricsHandle {
    /// In the Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Makes this process record metrics. Every call gives the same handle. What was created before the first one does not count.
#[must_use]
pub fn install() -> MetricsHandle {
    static HANDLE: OnceLock<MetricsHandle> = OnceLock::new();
    let install = || {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = MetricsHandle(recorder.handle());
        // It fails if the process has its own recorder, which then gets the metrics.
        let _ = metrics::set_global_recorder(recorder);
        handle
    };
    HANDLE.get_or_init(install).clone()
}

/// Messages that were dropped because a room did not take them in time. There may be more: the client of NATS reports up
/// to 128 in one go.
pub(crate) fn bus_slow_consumers() -> Counter {
    counter!("relay_bus_slow_consumers_total")
}

/// What a hub counts.
pub(crate) struct Metrics {
    pub(crate) packets_received: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) packets_routed: Counter,
    pub(crate) packets_sent: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) bus_packets_received: Counter,
    pub(crate) bus_packets_sent: Counter,
    /// Messages with packets. Events are not counted.
    pub(crate) bus_messages_received: Counter,
    pub(crate) bus_messages_sent: Counter,
    /// Of those messages, without what NATS adds.
    pub(crate) bus_bytes_received: Counter,
    pub(crate) bus_bytes_sent: Counter,
    pub(crate) keyframe_requests: Counter,
    pub(crate) resumed: Counter,
    pub(crate) sessions: Gauge,
    pub(crate) rooms: Gauge,
    pub(crate) overload_level: Gauge,
    pub(crate) overload_stress: Gauge,
    /// What can be read back here, unlike the others.
    pub(crate) meter: Meter,
    dropped: Vec<Counter>,
    closed: Vec<Counter>,
}

impl Metrics {
    pub(crate) fn new(region: Option<&str>) -> Self {
        let region = region.unwrap_or_default().to_owned();
        gauge!("relay_info", "version" => env!("CARGO_PKG_VERSION"), "region" => region).set(1.0);
        Self {
            packets_received: counter!("relay_packets_received_total"),
            bytes_received: counter!("relay_bytes_received_total"),
            packets_routed: counter!("relay_packets_routed_total"),
            packets_sent: counter!("relay_packets_sent_total"),
            bytes_sent: counter!("relay_bytes_sent_total"),
            bus_packets_received: counter!("relay_bus_packets_received_total"),
            bus_packets_sent: counter!("relay_bus_packets_sent_total"),
            bus_messages_received: counter!("relay_bus_messages_received_total"),
            bus_messages_sent: counter!("relay_bus_messages_sent_total"),
            bus_bytes_received: counter!("relay_bus_bytes_received_total"),
            bus_bytes_sent: counter!("relay_bus_bytes_sent_total"),
            keyframe_requests: counter!("relay_keyframe_requests_total"),
            resumed: counter!("relay_sessions_resumed_total"),
            sessions: gauge!("relay_sessions"),
            rooms: gauge!("relay_rooms"),
            overload_level: gauge!("relay_overload_level"),
            overload_stress: gauge!("relay_overload_stress"),
            meter: Meter::default(),
            dropped: DropReason::ALL
                .map(|reason| counter!("relay_packets_dropped_total", "reason" => reason.label()))
                .into(),
            closed: CloseCode::ALL
                .map(|code| counter!("relay_sessions_closed_total", "reason" => code.reason()))
                .into(),
        }
    }

    pub(crate) fn dropped(&self, reason: DropReason, packets: u64) {
        if let Some(counter) = self.dropped.get(reason as usize) {
            counter.increment(packets);
        }
    }

    pub(crate) fn dropped_in_queue(&self, drops: &QueueDrops) {
        for (reason, packets) in drops.by_reason() {
            if packets > 0 {
                self.dropped(reason, packets);
            }
        }
    }

    pub(crate) fn closed(&self, code: CloseCode) {
        let index = CloseCode::ALL.iter().position(|known| *known == code);
        if let Some(counter) = index.and_then(|index| self.closed.get(index)) {
            counter.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_counter() {
        let handle = install();
        let metrics = Metrics::new(Some("eu"));
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            metrics.dropped(reason, index as u64 + 1);
        }
        let text = handle.render();
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            let line = format!(
                "relay_packets_dropped_total{{reason=\"{}\"}} {}",
                reason.label(),
                index + 1
            );
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
    }
}
