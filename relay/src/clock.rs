//! The clock that the cores are driven by.

use tokio::time::Instant;
use videocall_types::Timestamp;

/// Tells time to the cores. Copies agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// One that counts from now on.
    #[must_use]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The time since it was started.
    #[must_use]
    pub fn now(self) -> Timestamp {
        Timestamp::ZERO + self.start.elapsed()
    }

    /// When that is on the clock of the runtime.
    #[must_use]
    pub fn instant(self, at: Timestamp) -> Instant {
        self.start + at.since(Timestamp::ZERO)
    }
}
