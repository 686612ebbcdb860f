//! Numbers about a stream.

/// How the sound that was played came about, in samples since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Played as they arrived.
    pub normal: u64,
    /// Left out to catch up.
    pub accelerate: u64,
    /// Put in to gain time.
    pub preemptive: u64,
    /// Made up because nothing was there: the part that is audible before the fade to background noise ends.
    pub expand: u64,
    /// Cross-faded from made up to real.
    pub merge: u64,
}

/// State of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// RMS of what was played in the last 100 ms or so, 0 to 1.
    pub level: f32,
    /// From the arrival of the most punctual packets until they are played, in milliseconds.
    pub delay_ms: f32,
    /// The delay to aim at, in milliseconds.
    pub target_ms: f32,
    /// Sequence number of the packet that is played now, or next.
    pub sequence: u64,
    /// When the sample that is played next was captured, in microseconds on the sender's clock, or would have been, in a short
    /// pause; `None` in a long one.
    pub heard_us: Option<u64>,
    /// Packets that were missing when they were due.
    pub lost: u64,
    /// Packets that came after that, or twice.
    pub late: u64,
    /// Packets that were thrown away because too much sound was waiting.
    pub dropped: u64,
    /// How the sound came about.
    pub operations: Operations,
}
