//! The jitter buffer of one stream.

use std::collections::VecDeque;

use super::chunks::{Chunks, Inserted};
use super::conceal::Concealment;
use super::delay::Arrivals;
use super::signal::{BLOCK, crossfade, rms};
use super::stretch::{
    MAX_LAG, MIN_LAG, OVERLAP, find_longer, find_shorter, longer, required_similarity, shorter,
};
use super::tape::Tape;
use super::{CAPACITY, MAX_CHUNK, MS, Operations, Packet, Stats};

/// Packets of one stream in, its sound out.
pub struct Playout {
    chunks: Chunks,
    arrivals: Arrivals,
    /// Number and capture time of the last packets, the newest last.
    captured: VecDeque<(u64, u64)>,
    /// What was captured at the first time, in microseconds, was due to be played at the second, in samples.
    heard: Option<(u64, u64)>,
    concealment: Concealment,
    tape: Tape,
    flow: Flow,
    /// Samples to make up for a lost packet before the next one's turn comes.
    bridge: usize,
    /// Samples played: the time.
    now: u64,
    last_packet: u64,
    next_stretch: u64,
    energy: f32,
    delay: i64,
    lost: u64,
    late: u64,
    dropped: u64,
    operations: Operations,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Nothing to play, or not long enough to be sure of what comes next.
    Waiting,
    /// What arrived is being played.
    Playing,
    /// What is being played was made up.
    Concealing,
}

impl Default for Playout {
    fn default() -> Self {
        Self {
            chunks: Chunks::new(),
            arrivals: Arrivals::new(),
            captured: VecDeque::with_capacity(REMEMBERED),
            heard: None,
            concealment: Concealment::new(),
            tape: Tape::new(),
            flow: Flow::Waiting,
            bridge: 0,
            now: 0,
            last_packet: 0,
            next_stretch: 0,
            energy: 0.0,
            delay: 0,
            lost: 0,
            late: 0,
            dropped: 0,
            operations: Operations::default(),
        }
    }
}

impl Playout {
    /// A packet, as it arrives.
    pub fn push(&mut self, packet: Packet<'_>) {
        let Packet {
            sequence, samples, ..
        } = packet;
        let samples = samples.get(..MAX_CHUNK).unwrap_or(samples);
        if samples.is_empty() {
            return;
        }
        let new_flow =
            self.chunks.is_empty() && (self.flow == Flow::Waiting || self.follows_pause(&packet));
        match self.chunks.insert(sequence, samples) {
            Inserted::InTime if new_flow => {
                self.break_off();
                self.flow = Flow::Waiting;
                self.arrivals.anchor();
            }
            Inserted::InTime => {}
            Inserted::Late => self.late += 1,
            Inserted::Duplicate => {
                self.late += 1;
                return;
            }
            Inserted::Restarted => {
                self.break_off();
                self.flow = Flow::Waiting;
                self.arrivals.restart();
                self.captured.clear();
                self.heard = None;
            }
        }
        if self.captured.len() >= REMEMBERED {
            self.captured.pop_front();
        }
        self.captured.push_back((sequence, packet.capture_time_us));
        self.arrivals.packet(sequence, samples.len(), self.now);
        let repeats = usize::from(packet.repeats) * samples.len();
        self.arrivals.repeats(repeats, self.now);
        self.concealment.hear(samples);
        self.last_packet = self.now;
        while self.chunks.span() > CAPACITY {
            self.lost += self.chunks.skip_missing() as u64;
            self.chunks.drop_first();
            self.dropped += 1;
            self.break_off();
        }
    }

    /// The next samples: always finite and between -1 and 1.
    pub fn pull(&mut self, out: &mut [f32]) {
        for block in out.chunks_mut(BLOCK) {
            while self.tape.unplayed() < block.len() {
                self.produce(block.len() - self.tape.unplayed());
            }
            self.tape.play(block);
            self.now += block.len() as u64;
            let weight = block.len() as f32 / LEVEL_WINDOW as f32;
            self.energy += (rms(block).powi(2) - self.energy) * weight;
        }
        if self.flow == Flow::Playing {
            self.delay = self.present_delay();
            self.heard = self.capture_of_next().map(|captured| (captured, self.now));
        }
    }

    /// Samples played since a packet came.
    pub fn idle(&self) -> u64 {
        self.now - self.last_packet
    }

    /// Whether the sender has sent nothing for a while before this packet. Otherwise what is late has to be played at once.
    fn follows_pause(&self, packet: &Packet<'_>) -> bool {
        let Some((sequence, captured)) = self.captured.back() else {
            return false;
        };
        let packets = packet.sequence.saturating_sub(*sequence);
        let usual = packets.saturating_mul((self.chunks.usual_len() * 1000 / MS) as u64);
        let gap = packet.capture_time_us.saturating_sub(*captured);
        packets > 0 && gap >= usual.saturating_add(PAUSE_US)
    }

    /// When the sample that is played next was captured, in microseconds on the sender's clock.
    fn capture_of_next(&self) -> Option<u64> {
        let next = self.chunks.next();
        let (sequence, captured) = *self.captured.iter().rev().find(|(n, _)| *n <= next)?;
        let since = (next - sequence) as usize * self.chunks.usual_len() + self.chunks.offset();
        let ahead = since as i64 - self.tape.unplayed() as i64;
        Some(captured.saturating_add_signed(ahead * 1000 / MS as i64))
    }

    /// As [`capture_of_next`](Self::capture_of_next), counted on for a while when nothing is there to play.
    fn heard_us(&self) -> Option<u64> {
        let (captured, at) = self.heard?;
        let since = self.now - at;
        (since <= HEARD_HOLD).then(|| captured.saturating_add(since * 1000 / MS as u64))
    }

    /// What it is like at present.
    pub fn stats(&self) -> Stats {
        Stats {
            level: self.energy.sqrt(),
            delay_ms: self.delay.max(0) as f32 / MS as f32,
            target_ms: self.arrivals.target() as f32 / MS as f32,
            sequence: self.chunks.next(),
            heard_us: self.heard_us(),
            lost: self.lost,
            late: self.late,
            dropped: self.dropped,
            operations: self.operations,
        }
    }

    /// Produces samples by one operation, at least one. Where it has the choice, `wanted` of them.
    fn produce(&mut self, wanted: usize) {
        if self.flow == Flow::Waiting {
            if self.chunks.is_empty() || self.surplus() < 0 {
                self.expand(wanted);
                return;
            }
            self.flow = Flow::Concealing;
        }
        self.give_up_missing();
        if self.bridge > 0 {
            let count = wanted.min(self.bridge);
            self.bridge -= count;
            self.expand(count);
        } else if self.chunks.is_empty() {
            self.break_off();
            self.expand(wanted);
            if self.concealment.is_faded() {
                self.flow = Flow::Waiting;
            }
        } else if self.flow == Flow::Concealing {
            self.merge();
        } else if !self.stretch() {
            self.play(wanted);
        }
    }

    /// The next packet's turn has come. If it is missing and a later one is there, it counts as lost, and its time is
    /// bridged; less, if there is delay to get rid of. With nothing there, waiting is all that can be done: it may be
    /// lost, late, or never sent.
    fn give_up_missing(&mut self) {
        let surplus = self.surplus();
        let skipped = self.chunks.skip_missing();
        if skipped > 0 {
            self.lost += skipped as u64;
            let gap = skipped * self.chunks.usual_len();
            let too_early = usize::try_from(gap as i64 - surplus).unwrap_or(0);
            self.break_off();
            self.bridge = too_early.min(gap);
        }
    }

    /// The next real sample will not follow the last one.
    fn break_off(&mut self) {
        self.bridge = 0;
        if self.flow == Flow::Playing {
            self.concealment.start(self.tape.history());
            self.flow = Flow::Concealing;
        }
    }

    fn expand(&mut self, count: usize) {
        let mut made = [0.0; BLOCK];
        let made = made.get_mut(..count).unwrap_or_default();
        if !self.concealment.is_faded() {
            self.operations.expand += made.len() as u64;
        }
        self.concealment.fill(made);
        self.tape.extend(made.iter().copied());
    }

    fn merge(&mut self) {
        let mut ahead = [0.0; OVERLAP];
        let count = self.chunks.peek(&mut ahead);
        let ahead = ahead.get(..count).unwrap_or_default();
        let wait = self.concealment.phase_of(ahead);
        self.operations.expand += wait as u64;
        self.operations.merge += count as u64;

        let mut made = [0.0; MAX_LAG + OVERLAP];
        let made = made.get_mut(..wait + count).unwrap_or_default();
        self.concealment.fill(made);
        let (wait, fading) = made.split_at(wait.min(made.len()));
        self.tape.extend(wait.iter().copied());
        self.tape.extend(crossfade(fading, ahead));
        self.chunks.consume(count);
        self.flow = Flow::Playing;
    }

    /// Corrects the delay if it is off and the sound allows it. Returns whether it did.
    fn stretch(&mut self) -> bool {
        let surplus = self.surplus();
        if self.now < self.next_stretch || (-TOO_SHORT..=TOO_LONG).contains(&surplus) {
            return false;
        }
        let mut ahead = [0.0; MAX_LAG + OVERLAP];
        let count = self.chunks.peek(&mut ahead);
        let ahead = ahead.get(..count).unwrap_or_default();
        if surplus > 0 {
            self.accelerate(ahead, surplus)
        } else {
            self.slow_down(ahead, surplus)
        }
    }

    fn accelerate(&mut self, ahead: &[f32], surplus: i64) -> bool {
        // On a path that has become longer, the delay looks long for half a second although nothing waits.
        let waiting = self.chunks.span() as i64 - self.arrivals.target() as i64;
        let longest = usize::try_from(surplus.min(waiting))
            .unwrap_or(0)
            .min(MAX_LAG)
            .min(ahead.len().saturating_sub(OVERLAP));
        if longest < MIN_LAG {
            return false;
        }
        let hurry = surplus > FAR_TOO_LONG;
        self.next_stretch = self.now + if hurry { HURRY } else { STRETCH_INTERVAL };
        let required = required_similarity(surplus);
        let Some(lag) = find_shorter(self.tape.history(), ahead, longest, required) else {
            return false;
        };
        self.tape.extend(shorter(ahead, lag));
        self.chunks.consume(lag + OVERLAP);
        self.operations.accelerate += lag as u64;
        self.operations.normal += OVERLAP as u64;
        true
    }

    fn slow_down(&mut self, ahead: &[f32], surplus: i64) -> bool {
        let Some(ahead) = ahead.get(..OVERLAP) else {
            return false;
        };
        self.next_stretch = self.now + STRETCH_INTERVAL;
        let history = self.tape.history();
        let Some(lag) = find_longer(history, ahead, required_similarity(surplus)) else {
            return false;
        };
        let mut repeated = [0.0; MAX_LAG];
        let repeated = repeated.get_mut(..lag).unwrap_or_default();
        longer(history, ahead, repeated);
        self.tape.extend(repeated.iter().copied());
        self.operations.preemptive += lag as u64;
        true
    }

    fn play(&mut self, wanted: usize) {
        let mut next = [0.0; BLOCK];
        let next = next.get_mut(..wanted).unwrap_or_default();
        let count = self.chunks.peek(next);
        self.chunks.consume(count);
        self.tape.extend(next.iter().take(count).copied());
        self.operations.normal += count as u64;
    }

    /// By how much the delay is longer than it should be, in samples.
    fn surplus(&self) -> i64 {
        self.present_delay() - self.arrivals.target() as i64
    }

    fn present_delay(&self) -> i64 {
        let time = self.now + self.tape.unplayed() as u64;
        self.arrivals.delay(time, self.chunks.span())
    }
}

/// A delay within these bounds around the target, in samples, is left alone (15 ms above, 5 ms below).
const TOO_LONG: i64 = 15 * MS as i64;
const TOO_SHORT: i64 = 5 * MS as i64;
/// From here on (200 ms) the wait is worse than hurried speech.
const FAR_TOO_LONG: i64 = 200 * MS as i64;
/// Time between two stretches (40 ms): a quarter faster or slower at most.
const STRETCH_INTERVAL: u64 = 40 * MS as u64;
/// The same in a hurry (10 ms): twice as fast.
const HURRY: u64 = 10 * MS as u64;
/// Packets whose capture time is remembered: those that wait and the one that is being played.
const REMEMBERED: usize = 128;
/// A pause longer than this (1 s) is none between two words: what is captured is not heard any more.
const HEARD_HOLD: u64 = 1000 * MS as u64;
/// Capture times that are apart by so much more than the packets between them last tell of a pause. Captured frames jitter.
const PAUSE_US: u64 = 30_000;
/// Time constant of the level (100 ms).
const LEVEL_WINDOW: usize = 100 * MS;
