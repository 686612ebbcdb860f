//! What one receiver has got of one track: tells duplicates and packets out of order.

/// Which sequence numbers have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Track {
    /// One more than the largest.
    next: u64,
    /// Bit n: the number `next - 1 - n` has come.
    recent: u128,
}

/// What a sequence number tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Later than all before.
    New,
    /// Earlier than one that has come.
    Late,
    /// It has come before.
    Duplicate,
}

impl Track {
    /// A packet has come.
    pub(crate) fn take(&mut self, sequence: u64) -> Order {
        if sequence >= self.next {
            let ahead = u32::try_from(sequence - self.next).unwrap_or(u32::MAX);
            self.recent = self
                .recent
                .checked_shl(ahead.saturating_add(1))
                .unwrap_or(0)
                | 1;
            self.next = sequence + 1;
            return Order::New;
        }
        let back = u32::try_from(self.next - 1 - sequence).unwrap_or(u32::MAX);
        let bit = 1_u128.checked_shl(back).unwrap_or(0);
        if self.recent & bit != 0 {
            return Order::Duplicate;
        }
        self.recent |= bit;
        Order::Late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_duplicates_are_told() {
        let mut track = Track::default();
        let orders = [0, 1, 1, 5, 3, 3, 4, 6, 500, 5, 500].map(|sequence| track.take(sequence));
        use Order::{Duplicate, Late, New};
        assert_eq!(
            orders,
            [
                New, New, Duplicate, New, Late, Duplicate, Late, New, New, Late, Duplicate
            ]
        );
    }
}
