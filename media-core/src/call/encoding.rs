//! How the published video tracks are encoded: in which layers, and with how many bits.

use videocall_types::layers::{Layer, ladder};
use videocall_types::{LayerSet, Track};

use crate::command::{LayerEncoding, VideoEncoding};

/// A layer with fewer bits than this part of what it was made for, in percent, looks worse than a smaller one.
const WORTH_PERCENT: u64 = 60;

/// What limits the layers of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Rows of pixels that the source gives.
    pub(super) height: u32,
    /// The largest layer that this machine encodes fast enough.
    pub(super) affordable: u8,
    /// Layers that it encodes at the same time.
    pub(super) at_once: usize,
}

/// What a track's encoders do, and what that leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) layers: Vec<LayerEncoding>,
    /// Bits per second that are left.
    pub(super) left: u64,
    /// Bits per second that are missing.
    pub(super) missing: u64,
}

impl Plan {
    pub(super) fn sent(&self) -> LayerSet {
        self.layers
            .iter()
            .map(|layer| layer.spatial_layer)
            .collect()
    }
}

/// Plans a track of which these layers are wanted, with at most `budget` bits per second. The smallest come first; the lowest
/// layer is sent at any rate.
pub(super) fn plan(track: Track, wanted: LayerSet, limits: Limits, budget: u64) -> Plan {
    let mut plan = Plan {
        left: budget,
        ..Plan::default()
    };
    let top = top(track, limits);
    let wanted: LayerSet = wanted.iter().map(|layer| layer.min(top)).collect();
    for layer in few(wanted, limits.at_once).iter() {
        let Some((layer, bitrate)) = affordable(track, layer, &plan) else {
            continue;
        };
        let Some(step) = step(track, layer) else {
            continue;
        };
        plan.missing += u64::from(step.bitrate) - u64::from(bitrate);
        plan.left = plan.left.saturating_sub(bitrate.into());
        plan.layers.push(LayerEncoding {
            spatial_layer: layer,
            encoding: VideoEncoding {
                max_height: step.max_height,
                max_fps: step.max_fps,
                bitrate,
            },
        });
    }
    let planned = plan.layers.iter().map(|layer| layer.spatial_layer).max();
    if planned < wanted.iter().last() {
        let full = wanted.iter().last().and_then(|layer| step(track, layer));
        plan.missing += full.map_or(0, |step| u64::from(step.bitrate));
    }
    plan
}

fn step(track: Track, layer: u8) -> Option<&'static Layer> {
    ladder(track).get(usize::from(layer))
}

/// The largest layer that is not the same as the one below it.
fn top(track: Track, limits: Limits) -> u8 {
    let below = ladder(track)
        .iter()
        .filter(|step| step.max_height < limits.height);
    let largest = ladder(track).len().saturating_sub(1);
    u8::try_from(below.count().min(largest))
        .unwrap_or(u8::MAX)
        .min(limits.affordable)
}

/// Not more than `most` of them: the smallest, which serves everybody, and the largest.
fn few(layers: LayerSet, most: usize) -> LayerSet {
    let skipped = layers.iter().count().saturating_sub(most.max(1));
    let rest = layers.iter().skip(1 + skipped);
    layers.iter().take(1).chain(rest).collect()
}

/// The largest layer up to `layer` that is worth what is left, and with how many bits; `None` if it is there already.
fn affordable(track: Track, layer: u8, plan: &Plan) -> Option<(u8, u32)> {
    let sent = plan.sent();
    for layer in (0..=layer).rev() {
        if sent.contains(layer) {
            return None;
        }
        let full = step(track, layer)?.bitrate;
        let least = u64::from(full) * WORTH_PERCENT / 100;
        if plan.left >= least || layer == 0 {
            let bitrate = plan.left.clamp(least, full.into());
            return Some((layer, u32::try_from(bitrate).unwrap_or(full)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        height: 720,
        affordable: u8::MAX,
        at_once: 3,
    };

    /// Layers with their bits, what is left and what is missing, all in kilobits.
    fn camera(wanted: u32, limits: Limits, budget: u64) -> (Vec<(u8, u32)>, u64, u64) {
        let plan = plan(
            Track::Camera,
            LayerSet::from_bits(wanted),
            limits,
            budget * 1000,
        );
        let layers = plan.layers.iter();
        (
            layers
                .map(|layer| (layer.spatial_layer, layer.encoding.bitrate / 1000))
                .collect(),
            plan.left / 1000,
            plan.missing / 1000,
        )
    }

    #[test]
    fn what_is_wanted_is_encoded() {
        assert_eq!(camera(0, LIMITS, 9000), (vec![], 9000, 0));
        assert_eq!(camera(0b100, LIMITS, 9000), (vec![(2, 1500)], 7500, 0));
        assert_eq!(
            camera(0b111, LIMITS, 9000),
            (vec![(0, 150), (1, 500), (2, 1500)], 6850, 0)
        );
    }

    #[test]
    fn a_small_source_and_a_slow_machine_have_fewer_layers() {
        let of_height = |height| Limits { height, ..LIMITS };
        assert_eq!(camera(0b1000, of_height(1080), 9000).0, [(3, 3000)]);
        assert_eq!(camera(0b1000, LIMITS, 9000).0, [(2, 1500)]);
        assert_eq!(camera(0b1000, of_height(480), 9000).0, [(2, 1500)]);
        assert_eq!(camera(0b1100, of_height(360), 9000).0, [(1, 500)]);
        assert_eq!(camera(0b1000, of_height(90), 9000).0, [(0, 150)]);
        let slow = Limits {
            affordable: 1,
            at_once: 2,
            ..LIMITS
        };
        assert_eq!(camera(0b1100, slow, 9000).0, [(1, 500)]);
        let two = Limits {
            at_once: 2,
            ..LIMITS
        };
        assert_eq!(camera(0b111, two, 9000).0, [(0, 150), (2, 1500)]);
        let one = Limits {
            at_once: 1,
            ..LIMITS
        };
        assert_eq!(camera(0b110, one, 9000).0, [(1, 500)]);
    }

    #[test]
    fn with_fewer_bits_layers_get_worse_then_smaller() {
        assert_eq!(camera(0b100, LIMITS, 1000), (vec![(2, 1000)], 0, 500));
        assert_eq!(camera(0b100, LIMITS, 800), (vec![(1, 500)], 300, 1500));
        assert_eq!(camera(0b100, LIMITS, 200), (vec![(0, 150)], 50, 1500));
        assert_eq!(camera(0b100, LIMITS, 20), (vec![(0, 90)], 0, 1560));
        assert_eq!(
            camera(0b101, LIMITS, 1200),
            (vec![(0, 150), (2, 1050)], 0, 450)
        );
        assert_eq!(
            camera(0b101, LIMITS, 500),
            (vec![(0, 150), (1, 350)], 0, 1650)
        );
        assert_eq!(camera(0b101, LIMITS, 200), (vec![(0, 150)], 50, 1500));
    }

    #[test]
    fn a_screen_has_two_layers() {
        let screen = |wanted| {
            plan(
                Track::Screen,
                LayerSet::from_bits(wanted),
                LIMITS,
                9_000_000,
            )
            .sent()
        };
        assert_eq!(screen(0b11), LayerSet::from_bits(0b11));
        assert_eq!(screen(0b1), LayerSet::only(0));
    }
}
