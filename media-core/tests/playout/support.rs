//! Senders, networks and a listener.

use std::f32::consts::TAU;

use media_core::playout::{self, Playout, Stats};

/// Samples of a packet: 20 ms.
pub(crate) const PACKET: usize = 960;
/// Samples of a render quantum.
pub(crate) const QUANTUM: usize = 128;
/// Samples of a millisecond.
pub(crate) const MS: u64 = 48;
/// Packets of a second.
pub(crate) const SECOND: u64 = 50;

/// A packet on its way. Times are in samples of the listener's clock.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) arrives: u64,
    pub(crate) sequence: u64,
    pub(crate) samples: Vec<f32>,
}

/// What a decoder makes of it. The sender's clock reads a second when it captures the first sample of packet 0.
pub(crate) fn decoded(sequence: u64, samples: &[f32]) -> playout::Packet<'_> {
    playout::Packet {
        sequence,
        capture_time_us: sequence.wrapping_mul(20_000).wrapping_add(1_000_000),
        repeats: 0,
        samples,
    }
}

/// `count` packets of `sound`, each arriving when its last sample has been captured.
pub(crate) fn send(sound: impl Fn(u64) -> f32, count: u64) -> Vec<Packet> {
    packets(sound).take(count as usize).collect()
}

/// The same without an end.
pub(crate) fn packets(sound: impl Fn(u64) -> f32) -> impl Iterator<Item = Packet> {
    let packet = PACKET as u64;
    (0..).map(move |sequence| Packet {
        arrives: (sequence + 1) * packet,
        sequence,
        samples: (sequence * packet..(sequence + 1) * packet)
            .map(&sound)
            .collect(),
    })
}

/// A sine of half the full amplitude.
pub(crate) fn sine(hertz: f32) -> impl Fn(u64) -> f32 {
    // One second repeats itself for whole frequencies, which keeps the argument small and exact.
    move |at| 0.5 * ((at % 48_000) as f32 * hertz * TAU / 48_000.0).sin()
}

/// Something like a voice: a gliding pitch with harmonics, syllables, and a little background noise.
pub(crate) fn voice() -> impl Fn(u64) -> f32 {
    let mut random = Random::new(7);
    let mut phase = 0.0;
    let second: Vec<f32> = (0..48_000)
        .map(|i| {
            let time = i as f32 / 48_000.0;
            phase += (140.0 + 20.0 * (time * TAU).sin()) / 48_000.0;
            let tone: f32 = (1..=8)
                .map(|n| (phase * n as f32 * TAU).sin() / n as f32)
                .sum();
            let syllable = (time * 4.0 * TAU / 2.0).sin().abs();
            0.25 * tone * syllable + 0.001 * (random.below(2001) as f32 / 1000.0 - 1.0)
        })
        .collect();
    move |at| second[(at % 48_000) as usize]
}

/// A seeded generator (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to `limit - 1`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

/// Renders quantum after quantum and remembers everything.
pub(crate) struct Listener {
    pub(crate) playout: Playout,
    pub(crate) heard: Vec<f32>,
    /// After each quantum.
    pub(crate) stats: Vec<Stats>,
}

impl Listener {
    pub(crate) fn new() -> Self {
        Self {
            playout: Playout::default(),
            heard: Vec::new(),
            stats: Vec::new(),
        }
    }

    /// Listens to all packets, then until `end` in samples.
    pub(crate) fn hear(mut packets: Vec<Packet>, end: u64) -> Self {
        packets.sort_by_key(|packet| packet.arrives);
        let mut listener = Self::new();
        for packet in packets {
            listener.until(packet.arrives);
            listener
                .playout
                .push(decoded(packet.sequence, &packet.samples));
        }
        listener.until(end);
        listener
    }

    /// Renders up to the quantum that contains `time`.
    pub(crate) fn until(&mut self, time: u64) {
        while ((self.heard.len() + QUANTUM) as u64) <= time {
            let mut out = [0.0; QUANTUM];
            self.playout.pull(&mut out);
            self.heard.extend(out);
            self.stats.push(self.playout.stats());
        }
    }

    /// The state at a time in milliseconds.
    pub(crate) fn at(&self, ms: u64) -> Stats {
        self.stats[(ms * MS) as usize / QUANTUM]
    }

    /// The state at the end.
    pub(crate) fn last(&self) -> Stats {
        self.stats[self.stats.len() - 1]
    }

    /// Longest delay between two times, all in milliseconds.
    pub(crate) fn longest_delay(&self, from: u64, to: u64) -> f32 {
        let quanta = (from * MS) as usize / QUANTUM..(to * MS) as usize / QUANTUM;
        self.stats[quanta]
            .iter()
            .fold(0.0, |longest, stats| longest.max(stats.delay_ms))
    }

    /// What was heard between two times in milliseconds.
    pub(crate) fn sound(&self, from: u64, to: u64) -> &[f32] {
        &self.heard[(from * MS) as usize..(to * MS) as usize]
    }
}

/// Root of the mean square.
pub(crate) fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

/// Largest difference between neighbours.
pub(crate) fn largest_step(samples: &[f32]) -> f32 {
    samples
        .windows(2)
        .fold(0.0, |largest, pair| largest.max((pair[1] - pair[0]).abs()))
}
