//! A video track as its publisher sends it.

use videocall_types::layers::MAX_LAYERS;
use videocall_types::{LayerSet, Routing, Timestamp, Track};

/// Temporal layers of a stream; more than relays tell apart.
pub(crate) const TEMPORAL_LAYERS: u8 = 4;

/// What a publisher has sent of one video track, and what it was asked for.
#[derive(Default)]
pub(crate) struct Source {
    /// The layers of its last picture.
    pub(crate) sent: LayerSet,
    /// The layers that a keyframe was asked of since it sent one.
    pub(crate) asked: LayerSet,
    streams: [Stream; MAX_LAYERS],
}

#[derive(Default)]
struct Stream {
    next: u64,
    /// The newest frame of each temporal layer since the last keyframe.
    newest: [Option<u64>; TEMPORAL_LAYERS as usize],
}

impl Source {
    /// The next frame of `layer`, one of those that are `sent`. It refers to a frame of the temporal layers below its own, so that
    /// each of them can be left out for a while.
    pub(crate) fn frame(
        &mut self,
        track: Track,
        (layer, sent): (u8, LayerSet),
        keyframe: bool,
        temporal: u8,
        now: Timestamp,
    ) -> Routing {
        self.sent = sent;
        let stream = &mut self.streams[usize::from(layer)];
        let sequence = stream.next;
        stream.next += 1;
        let temporal_layer = if keyframe { 0 } else { temporal };
        let below = &stream.newest[..usize::from(temporal_layer.max(1))];
        let reference = below.iter().flatten().max();
        let reference = reference.map_or(1, |reference| sequence - reference);
        if keyframe {
            stream.newest = Default::default();
            let others = self.asked.iter().filter(|asked| *asked != layer);
            self.asked = others.collect();
        }
        let discardable = temporal_layer == TEMPORAL_LAYERS - 1;
        if !discardable {
            stream.newest[usize::from(temporal_layer)] = Some(sequence);
        }
        Routing {
            spatial_layer: layer,
            temporal_layer,
            discardable,
            capture_time_us: now.as_micros(),
            reference: reference as u32,
            layers: sent,
            ..Routing::new(track, sequence, keyframe)
        }
    }
}
