//! The clock that the cores are driven by.

use tokio::time::Instant;
use videocall_types::Timestamp;

/// Tells time to the cores. Copies agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Timestamp {
        Timestamp::ZERO + self.start.elapsed()
    }

    pub(crate) fn instant(self, at: Timestamp) -> Instant {
        self.start + at.since(Timestamp::ZERO)
    }
}
