//! Puts packets that travel on a stream each back in the order in which their streams were opened.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// How long a complete packet waits for the ones before it: small frames overtake the large keyframe that they refer
/// to, but sound waits behind it, too.
const MAX_WAIT: Duration = Duration::from_millis(150);

/// Complete packets, by the number of their stream.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The stream whose packet is due; unknown until the first one is opened.
    next: Option<u64>,
    /// `None`: that stream failed, nothing comes of it.
    complete: BTreeMap<u64, (Instant, Option<Bytes>)>,
}

impl Order {
    /// Stream `number` is open.
    pub(crate) fn open(&mut self, number: u64) {
        self.next.get_or_insert(number);
    }

    /// Stream `number` has brought `packet`, or nothing.
    pub(crate) fn insert(&mut self, number: u64, packet: Option<Bytes>, now: Instant) {
        self.complete.insert(number, (now, packet));
    }

    /// The next packet in order. One whose predecessors let it wait for too long goes ahead of them.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Bytes> {
        loop {
            let first = self.complete.first_entry()?;
            let number = *first.key();
            let due = self.next.is_none_or(|next| number <= next);
            if !due && now < first.get().0 + MAX_WAIT {
                return None;
            }
            let (_, packet) = first.remove();
            // A straggler must not turn the clock back.
            self.next = self.next.max(Some(number + 1));
            if packet.is_some() {
                return packet;
            }
        }
    }

    /// When [`pop`](Self::pop) has something even if nothing more arrives.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.complete
            .values()
            .next()
            .map(|(since, _)| *since + MAX_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(text: &'static str) -> Option<Bytes> {
        Some(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn overtaking_streams_wait_for_their_turn() {
        let now = Instant::now();
        let mut order = Order::default();
        order.open(4);
        order.insert(6, packet("c"), now);
        assert_eq!(order.pop(now), None);
        order.insert(4, packet("a"), now);
        assert_eq!(order.pop(now), packet("a"));
        assert_eq!(order.pop(now), None);
        order.insert(5, packet("b"), now);
        assert_eq!(order.pop(now), packet("b"));
        assert_eq!(order.pop(now), packet("c"));
        assert_eq!(order.deadline(), None);
    }

    #[test]
    fn a_missing_stream_holds_the_others_up_only_for_a_moment() {
        let now = Instant::now();
        let mut order = Order::default();
        order.open(0);
        order.insert(0, packet("a"), now);
        assert_eq!(order.pop(now), packet("a"));
        order.insert(2, packet("c"), now);
        order.insert(3, packet("d"), now);
        assert_eq!(order.deadline(), Some(now + MAX_WAIT));
        assert_eq!(order.pop(now + MAX_WAIT), packet("c"));
        assert_eq!(order.pop(now + MAX_WAIT), packet("d"));
        order.insert(1, packet("late"), now + MAX_WAIT);
        assert_eq!(order.pop(now + MAX_WAIT), packet("late"));
        order.insert(4, packet("e"), now + MAX_WAIT);
        assert_eq!(order.pop(now + MAX_WAIT), packet("e"));
    }

    #[test]
    fn a_failed_stream_holds_up_nothing() {
        let now = Instant::now();
        let mut order = Order::default();
        order.open(0);
        order.insert(0, packet("a"), now);
        assert_eq!(order.pop(now), packet("a"));
        order.insert(1, None, now);
        order.insert(2, packet("c"), now);
        assert_eq!(order.pop(now), packet("c"));
    }
}
