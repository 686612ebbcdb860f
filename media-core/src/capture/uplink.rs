//! When the network can't take more.

/// So much video may wait to be sent, in milliseconds at the target bitrate: enough for a keyframe.
const MAX_WAITING_MS: u64 = 500;

/// Whether pictures should be left out because what was encoded before still waits to be sent. Leaving out pictures
/// before they are encoded keeps the delay and the memory bounded, and breaks no reference.
#[must_use]
pub fn is_backed_up(waiting_bytes: u64, bitrate: u32) -> bool {
    waiting_bytes * 8 * 1000 > u64::from(bitrate) * MAX_WAITING_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_second_may_wait() {
        assert!(!is_backed_up(0, 0));
        assert!(!is_backed_up(62_500, 1_000_000));
        assert!(is_backed_up(62_501, 1_000_000));
    }
}
