//! Telling a late frame from the first one of a sender that counts anew.

/// Further behind than this, a frame can't be a late one.
const LATE_WINDOW: u64 = 256;
/// So many frames behind the newest, with none ahead between them, are not late ones either.
const RUN: u32 = 15;

/// Watches the frames that are behind what was already released.
#[derive(Debug, Default)]
pub(super) struct Behind {
    run: u32,
}

impl Behind {
    /// A frame was ahead, as it should be.
    pub(super) fn ahead(&mut self) {
        self.run = 0;
    }

    /// A frame is `distance` behind the newest one, 0 for the same number; `captured_later` says that its clock
    /// contradicts that. True if the sender has started to count anew.
    pub(super) fn is_restart(&mut self, distance: u64, captured_later: bool) -> bool {
        if distance > 0 {
            self.run += 1;
        }
        let restart = distance > LATE_WINDOW || captured_later || self.run >= RUN;
        if restart {
            self.run = 0;
        }
        restart
    }
}
