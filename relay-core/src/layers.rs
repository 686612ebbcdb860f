//! Which layers of a video track are sent, and what they take.

use std::time::Duration;

use videocall_types::layers::{MAX_LAYERS, ladder};
use videocall_types::{LayerSet, Routing, Timestamp, Track};

/// Rates are measured over this time.
const WINDOW: Duration = Duration::from_secs(1);
/// What was measured longer ago says nothing.
const OUTDATED: Duration = Duration::from_secs(3);
/// What a still picture takes may be many times that at any moment.
const AT_LEAST: u64 = 4;

/// What is known of one published video track.
#[derive(Debug, Default)]
pub(crate) struct TrackLayers {
    sent: LayerSet,
    /// All that were sent at any time.
    seen: LayerSet,
    last: Timestamp,
    meters: [Meter; MAX_LAYERS],
}

/// What one layer takes.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    window_start: Timestamp,
    bytes: u64,
    /// Bits per second of the last two windows.
    rates: [u64; 2],
    /// The highest temporal layer that was seen; `None` before the first frame that is no keyframe.
    temporal: Option<u8>,
}

impl TrackLayers {
    /// A packet of the track came. True if the sent layers are others now, or nothing was sent for `timeout`.
    pub(crate) fn note(
        &mut self,
        routing: &Routing,
        len: usize,
        timeout: Duration,
        now: Timestamp,
    ) -> bool {
        if let Some(meter) = self.meters.get_mut(usize::from(routing.spatial_layer)) {
            meter.note(routing, len, now);
        }
        let changed = self.sent != routing.layers || now - self.last > timeout;
        self.last = now;
        self.sent = routing.layers;
        self.seen = self.seen.union(routing.layers);
        changed
    }

    /// The layers that are sent; empty before the first packet.
    pub(crate) const fn sent(&self) -> LayerSet {
        self.sent
    }

    /// Whether it never had more than the lowest layer, as far as is known. One that has more may send no other at the moment
    /// because nobody's connection carries it.
    pub(crate) fn is_single(&self) -> bool {
        self.seen == LayerSet::only(0)
    }

    /// Bits per second of a layer, up to a temporal layer.
    pub(crate) fn rate(&self, track: Track, layer: u8, temporal: u8, now: Timestamp) -> u64 {
        let planned = planned(track, layer);
        let meter = self.meters.get(usize::from(layer)).copied();
        let meter = meter.unwrap_or_default();
        let measured = if self.sent.contains(layer) {
            meter.rate(now)
        } else {
            0
        };
        let rate = if measured == 0 {
            planned
        } else {
            measured.max(planned / AT_LEAST)
        };
        // The same before a layer begins and when it has just begun, or else it might be ended for that.
        up_to(rate, temporal, meter.temporal.unwrap_or(MAX_TEMPORAL))
    }
}

/// The highest temporal layer that is told apart.
pub(crate) const MAX_TEMPORAL: u8 = 2;

/// What a layer takes that was never seen.
pub(crate) fn planned(track: Track, layer: u8) -> u64 {
    let layer = ladder(track).get(usize::from(layer));
    layer.map_or(u64::MAX, |layer| layer.bitrate.into())
}

/// What is left of `rate` without the frames above `temporal`, of a layer that has frames up to `there`.
const fn up_to(rate: u64, temporal: u8, there: u8) -> u64 {
    let percent = match (there, temporal) {
        (0, _) => 100,
        (_, 0) => 60,
        (2.., 1) => 80,
        (_, _) => 100,
    };
    rate.saturating_mul(percent) / 100
}

impl Meter {
    fn note(&mut self, frame: &Routing, len: usize, now: Timestamp) {
        let elapsed = now - self.window_start;
        if elapsed >= WINDOW {
            let bits = self.bytes.saturating_mul(8_000_000);
            let rate = bits / (elapsed.as_micros() as u64).max(1);
            self.rates = if elapsed >= OUTDATED {
                [0, 0]
            } else {
                [rate, self.rates[0]]
            };
            (self.window_start, self.bytes) = (now, 0);
        }
        // A keyframe comes when somebody asks for it, and as the first of a layer: what it takes is no rate.
        if !frame.keyframe {
            self.temporal = self.temporal.max(Some(frame.temporal_layer));
            self.bytes = self.bytes.saturating_add(len as u64);
        }
    }

    /// Bits per second; 0 where nothing was measured of late.
    fn rate(&self, now: Timestamp) -> u64 {
        let [last, before] = self.rates;
        if now - self.window_start >= OUTDATED {
            0
        } else {
            last.max(before)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn frame(keyframe: bool) -> Routing {
        Routing {
            spatial_layer: 1,
            layers: LayerSet::from_bits(0b11),
            ..Routing::new(Track::Camera, 0, keyframe)
        }
    }

    #[test]
    fn rates_are_planned_until_they_are_measured() {
        let mut layers = TrackLayers::default();
        assert_eq!(layers.rate(Track::Camera, 2, 2, at(0)), 1_500_000);
        assert_eq!(layers.rate(Track::Camera, 2, 0, at(0)), 900_000);
        for n in 0..60 {
            let changed = layers.note(&frame(false), 2_500, TIMEOUT, at(5_000 + n * 50));
            assert_eq!(changed, n == 0);
        }
        assert_eq!(layers.sent(), LayerSet::from_bits(0b11));
        assert_eq!(layers.rate(Track::Camera, 1, 2, at(8_000)), 400_000);
        assert_eq!(
            layers.rate(Track::Camera, 1, 0, at(8_000)),
            400_000,
            "it has no temporal layers"
        );
        // A still picture.
        for second in 0..4 {
            layers.note(&frame(false), 100, TIMEOUT, at(8_000 + second * 1_000));
        }
        assert_eq!(layers.rate(Track::Camera, 1, 2, at(11_000)), 125_000);
        assert!(layers.note(&frame(false), 100, TIMEOUT, at(60_000)));
        assert_eq!(layers.rate(Track::Camera, 1, 2, at(60_000)), 500_000);
    }

    #[test]
    fn a_layer_that_is_not_sent_any_more_takes_what_is_planned() {
        let mut layers = TrackLayers::default();
        for n in 0..60 {
            layers.note(&frame(false), 10_000, TIMEOUT, at(5_000 + n * 50));
        }
        assert_eq!(layers.rate(Track::Camera, 1, 2, at(8_000)), 1_600_000);
        assert_eq!(layers.rate(Track::Camera, 1, 2, at(11_000)), 500_000);
    }

    #[test]
    fn a_layer_that_begins_takes_what_it_seemed_to_take() {
        let mut layers = TrackLayers::default();
        let rate = |layers: &TrackLayers| layers.rate(Track::Camera, 1, 0, at(0));
        assert_eq!(rate(&layers), 300_000);
        layers.note(&frame(true), 10_000, TIMEOUT, at(0));
        assert_eq!(rate(&layers), 300_000);
        layers.note(&frame(false), 1_000, TIMEOUT, at(0));
        assert_eq!(rate(&layers), 500_000, "it has no temporal layers");
        layers.note(
            &Routing::new(Track::Camera, 0, false),
            1_000,
            TIMEOUT,
            at(0),
        );
        assert_eq!(
            rate(&layers),
            500_000,
            "nor will it have when it is sent again"
        );
    }

    #[test]
    fn keyframes_are_no_rate() {
        let mut layers = TrackLayers::default();
        for n in 0..60 {
            let len = if n == 0 { 80_000 } else { 2_500 };
            layers.note(&frame(n == 0), len, TIMEOUT, at(5_000 + n * 50));
        }
        assert_eq!(layers.rate(Track::Camera, 1, 2, at(8_000)), 400_000);
    }
}
