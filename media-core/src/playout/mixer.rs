//! All streams of a call as one.

use std::collections::BTreeMap;

use super::signal::BLOCK;
use super::{Packet, Playout, Stats};

/// One track of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    /// The session id on the wire.
    pub session: u64,
    /// The track's number on the wire.
    pub track: u32,
}

/// The sum of all streams, limited to the range without distortion.
#[derive(Default)]
pub struct Mixer {
    streams: BTreeMap<StreamId, Playout>,
    limiter: Limiter,
}

impl Mixer {
    /// A packet of a stream, which begins to exist with its first one. If there are [`MAX_STREAMS`], it takes the place
    /// of the one that has been without packets the longest.
    pub fn push(&mut self, id: StreamId, packet: Packet<'_>) {
        if !self.streams.contains_key(&id) && self.streams.len() >= MAX_STREAMS {
            let idle = self.streams.iter().max_by_key(|(_, stream)| stream.idle());
            if let Some(idle) = idle.map(|(id, _)| *id) {
                self.remove(idle);
            }
        }
        self.streams.entry(id).or_default().push(packet);
    }

    /// Forgets a stream.
    pub fn remove(&mut self, id: StreamId) {
        self.streams.remove(&id);
    }

    /// Forgets all streams of a session.
    pub fn remove_session(&mut self, session: u64) {
        self.streams.retain(|id, _| id.session != session);
    }

    /// The next samples: always finite and between -1 and 1.
    pub fn render(&mut self, out: &mut [f32]) {
        for block in out.chunks_mut(BLOCK) {
            block.fill(0.0);
            let mut one = [0.0; BLOCK];
            for stream in self.streams.values_mut() {
                let one = one.get_mut(..block.len()).unwrap_or_default();
                stream.pull(one);
                for (sum, sample) in block.iter_mut().zip(one) {
                    *sum += *sample;
                }
            }
            self.limiter.apply(block);
        }
    }

    /// What every stream is like.
    pub fn stats(&self) -> impl Iterator<Item = (StreamId, Stats)> {
        self.streams
            .iter()
            .map(|(id, stream)| (*id, stream.stats()))
    }
}

/// Turns down at once what would be too loud, and up again slowly. What is not too loud passes unchanged.
struct Limiter {
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Limiter {
    fn apply(&mut self, block: &mut [f32]) {
        let peak = block
            .iter()
            .fold(1.0_f32, |peak, sample| peak.max(sample.abs()));
        let recovered = self.gain + RECOVERY * block.len() as f32;
        let from = self.gain;
        self.gain = recovered.min(1.0 / peak);
        let step = (self.gain - from) / block.len() as f32;
        for (i, sample) in block.iter_mut().enumerate() {
            let gain = from + step * (i + 1) as f32;
            *sample = (*sample * gain).clamp(-1.0, 1.0);
        }
    }
}

/// Most streams at a time.
pub const MAX_STREAMS: usize = 128;
/// Gain that comes back with each sample: from half to full in a second.
const RECOVERY: f32 = 1e-5;
