//! What comes in.

/// A decoded packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Counts packets; a sender that pauses does not count on.
    pub sequence: u64,
    /// When the first sample was captured, in microseconds on the sender's clock.
    pub capture_time_us: u64,
    /// So many later packets bring this one once more, in case that it gets lost.
    pub repeats: u8,
    /// The sound.
    pub samples: &'a [f32],
}
