//! What came of one participant's tracks at another one.

use std::collections::BTreeSet;
use std::time::Duration;

use media_core::frame::RemoteFrame;
use videocall_types::Timestamp;

/// The camera and the microphone of somebody, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// When each frame was decoded.
    pub(crate) pictures: Vec<(Timestamp, RemoteFrame)>,
    sounds: Vec<(Timestamp, u64, u64)>,
}

impl Seen {
    pub(crate) fn decoded(&mut self, frame: RemoteFrame, now: Timestamp) {
        if frame.track.is_audio() {
            self.sounds
                .push((now, frame.sequence, frame.capture_time_us));
        } else {
            self.pictures.push((now, frame));
        }
    }

    /// From then on.
    pub(crate) fn since(&self, start: Timestamp) -> Self {
        let mut later = self.clone();
        later.pictures.retain(|(at, _)| *at >= start);
        later.sounds.retain(|(at, ..)| *at >= start);
        later
    }

    /// The share of the sound captured in a time that came at most `latest` after it was captured, in percent.
    pub(crate) fn continuity(&self, from: Timestamp, to: Timestamp, latest: Duration) -> f64 {
        let (from_us, to_us) = (from.as_micros(), to.as_micros());
        let in_time = self.sounds.iter().filter(|(at, _, captured)| {
            let due = Timestamp::from_micros(*captured) + latest;
            (from_us..to_us).contains(captured) && *at <= due
        });
        let played: BTreeSet<u64> = in_time.map(|(_, sequence, _)| *sequence).collect();
        100.0 * played.len() as f64 / ((to_us - from_us) / 20_000) as f64
    }

    /// The share of the pictures taken in a time that were decoded at most `late` after they could be at the earliest, in
    /// percent.
    pub(crate) fn on_time(
        &self,
        from: Timestamp,
        to: Timestamp,
        fps: u64,
        latest: Duration,
    ) -> f64 {
        let (from_us, to_us) = (from.as_micros(), to.as_micros());
        let on_time = self.pictures.iter().filter(|(at, frame)| {
            (from_us..to_us).contains(&frame.capture_time_us)
                && *at <= Timestamp::from_micros(frame.capture_time_us) + latest
        });
        let shown: BTreeSet<u64> = on_time.map(|(_, frame)| frame.capture_time_us).collect();
        100.0 * shown.len() as f64 / ((to_us - from_us) * fps / 1_000_000) as f64
    }

    /// The longest time without a new picture.
    pub(crate) fn longest_freeze(&self, from: Timestamp, to: Timestamp) -> Duration {
        let shown = self.pictures.iter().map(|(at, _)| *at);
        let within = shown.filter(|at| (from..to).contains(at));
        let moments: Vec<Timestamp> = std::iter::once(from).chain(within).chain([to]).collect();
        let gaps = moments.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap()
    }

    /// How often the picture went over to another layer.
    pub(crate) fn switches(&self) -> usize {
        let layers = self.pictures.windows(2);
        layers
            .filter(|pair| pair[0].1.spatial_layer != pair[1].1.spatial_layer)
            .count()
    }

    /// The layer of the last picture.
    pub(crate) fn layer(&self) -> Option<u8> {
        self.pictures.last().map(|(_, frame)| frame.spatial_layer)
    }

    /// The layers of the pictures.
    pub(crate) fn layers(&self) -> Vec<u8> {
        let layers = self.pictures.iter().map(|(_, frame)| frame.spatial_layer);
        BTreeSet::from_iter(layers).into_iter().collect()
    }

    /// The share of the pictures in this layer, in percent.
    pub(crate) fn in_layer(&self, layer: u8) -> f64 {
        let pictures = self.pictures.iter();
        let there = pictures.filter(|(_, frame)| frame.spatial_layer == layer);
        100.0 * there.count() as f64 / self.pictures.len().max(1) as f64
    }

    /// Time never goes back, and no frame came without what it refers to.
    pub(crate) fn assert_whole(&self) {
        let mut decoded = BTreeSet::new();
        for pair in self.pictures.windows(2) {
            assert!(
                pair[1].1.capture_time_us + 100_000 > pair[0].1.capture_time_us,
                "the picture went back"
            );
        }
        for (_, frame) in &self.pictures {
            let reference = frame.sequence.checked_sub(frame.reference.into());
            if frame.keyframe {
                decoded.clear();
            } else {
                let key = reference.map(|reference| (frame.spatial_layer, reference));
                assert!(
                    key.is_some_and(|key| decoded.contains(&key)),
                    "{frame:?} has no reference"
                );
            }
            decoded.insert((frame.spatial_layer, frame.sequence));
        }
    }
}
